/* function_record.c: functions, versions and aliases as values of the store. One list of fields for both directions. */
#include "core/function_internal.h"

#include "core/identity_internal.h"

enum { SCHEMA_FUNCTION = 1, SCHEMA_VERSION = 1, SCHEMA_ALIAS = 1 };
enum { LAYERS_MAX = 64, VARIABLES_MAX = 4096 }; /* of what can be stored; the API allows fewer */

/* In the order in which they are stored. */
static const size_t version_slices[] = {
    offsetof(FunctionVersion, version),
    offsetof(FunctionVersion, revision_id),
    offsetof(FunctionVersion, runtime),
    offsetof(FunctionVersion, handler),
    offsetof(FunctionVersion, role_arn),
    offsetof(FunctionVersion, description),
    offsetof(FunctionVersion, architecture),
    offsetof(FunctionVersion, code),
    offsetof(FunctionVersion, code_sha256),
    offsetof(FunctionVersion, state),
    offsetof(FunctionVersion, state_reason),
    offsetof(FunctionVersion, state_reason_code),
    offsetof(FunctionVersion, update_status),
    offsetof(FunctionVersion, update_reason),
    offsetof(FunctionVersion, update_reason_code),
    offsetof(FunctionVersion, log_format),
    offsetof(FunctionVersion, application_log_level),
    offsetof(FunctionVersion, system_log_level),
    offsetof(FunctionVersion, log_group),
    offsetof(FunctionVersion, dead_letter_arn),
    offsetof(FunctionVersion, trace_mode),
    offsetof(FunctionVersion, source),
    offsetof(FunctionVersion, documents),
};

static const size_t version_numbers[] = {
    offsetof(FunctionVersion, change),      offsetof(FunctionVersion, timeout_s),
    offsetof(FunctionVersion, memory_mb),   offsetof(FunctionVersion, tmp_mb),
    offsetof(FunctionVersion, code_bytes),  offsetof(FunctionVersion, unzipped_bytes),
    offsetof(FunctionVersion, modified_ms),
};

static const size_t version_flags[] = {
    offsetof(FunctionVersion, snap_start),
    offsetof(FunctionVersion, tenant_isolated),
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void add_variables(Buffer *value, const Labels *variables)
{
    if (variables->items == NULL) {
        value_add_uint64(value, 0);
        return;
    }
    value_add_uint64(value, variables->count + 1);
    for (size_t i = 0; i < variables->count; i++) {
        value_add_bytes(value, variables->items[i].key);
        value_add_bytes(value, variables->items[i].value);
    }
}

static Error take_variables(Slice *value, Arena *arena, Labels *variables)
{
    uint64_t count;
    *variables = (Labels){0};
    TRY(value_take_uint64(value, &count));
    if (count == 0)
        return OK;
    if (--count > VARIABLES_MAX)
        return ERROR_FORMAT;
    *variables = (Labels){ARENA_ARRAY(arena, Label, count + 1), count};
    for (size_t i = 0; i < count; i++) {
        TRY(value_take_bytes(value, &variables->items[i].key));
        TRY(value_take_bytes(value, &variables->items[i].value));
    }
    return OK;
}

Slice function_version_write(Txn *txn, const FunctionVersion *version)
{
    const char *fields = (const char *)version;
    Buffer value = value_start(txn_arena(txn), SCHEMA_VERSION);
    for (size_t i = 0; i < COUNT_OF(version_slices); i++)
        value_add_optional(&value, *(const Slice *)(const void *)(fields + version_slices[i]));
    for (size_t i = 0; i < COUNT_OF(version_numbers); i++)
        value_add_uint64(&value, *(const uint64_t *)(const void *)(fields + version_numbers[i]));
    for (size_t i = 0; i < COUNT_OF(version_flags); i++)
        value_add_uint64(&value, *(const bool *)(fields + version_flags[i]));
    add_variables(&value, &version->environment);
    value_add_uint64(&value, version->layer_count);
    for (size_t i = 0; i < version->layer_count; i++) {
        value_add_bytes(&value, version->layers[i].arn);
        value_add_bytes(&value, version->layers[i].code);
        value_add_uint64(&value, version->layers[i].code_bytes);
        value_add_uint64(&value, version->layers[i].unzipped_bytes);
    }
    return buffer_slice(&value);
}

static Error take_layers(Slice *value, Arena *arena, FunctionVersion *version)
{
    uint64_t count;
    TRY(value_take_uint64(value, &count));
    if (count > LAYERS_MAX)
        return ERROR_FORMAT;
    version->layers = ARENA_ARRAY(arena, FunctionLayer, count);
    version->layer_count = count;
    for (size_t i = 0; i < count; i++) {
        FunctionLayer *layer = &version->layers[i];
        TRY(value_take_bytes(value, &layer->arn));
        TRY(value_take_bytes(value, &layer->code));
        TRY(value_take_uint64(value, &layer->code_bytes));
        TRY(value_take_uint64(value, &layer->unzipped_bytes));
    }
    return OK;
}

Error function_version_read(Txn *txn, Slice value, FunctionVersion *version)
{
    uint8_t schema;
    char *fields = (char *)version;
    value = arena_copy(txn_arena(txn), value);
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_VERSION)
        return ERROR_FORMAT;
    for (size_t i = 0; i < COUNT_OF(version_slices); i++)
        TRY(value_take_optional(&value, (Slice *)(void *)(fields + version_slices[i])));
    for (size_t i = 0; i < COUNT_OF(version_numbers); i++)
        TRY(value_take_uint64(&value, (uint64_t *)(void *)(fields + version_numbers[i])));
    for (size_t i = 0; i < COUNT_OF(version_flags); i++) {
        uint64_t flag;
        TRY(value_take_uint64(&value, &flag));
        *(bool *)(fields + version_flags[i]) = flag != 0;
    }
    TRY(take_variables(&value, txn_arena(txn), &version->environment));
    return take_layers(&value, txn_arena(txn), version);
}

Slice function_write(Txn *txn, const Function *function)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_FUNCTION);
    value_add_uint64(&value, function->number);
    value_add_uint64(&value, function->last_version);
    value_add_uint64(&value, function->has_reserved ? function->reserved + 1 : 0);
    value_add_uint64(&value, function->may_recurse);
    value_add_labels(&value, &function->tags);
    return buffer_slice(&value);
}

Error function_read(Txn *txn, Slice value, Function *function)
{
    uint8_t schema;
    uint64_t reserved;
    uint64_t may_recurse;
    value = arena_copy(txn_arena(txn), value);
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_FUNCTION)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &function->number));
    TRY(value_take_uint64(&value, &function->last_version));
    TRY(value_take_uint64(&value, &reserved));
    TRY(value_take_uint64(&value, &may_recurse));
    function->has_reserved = reserved > 0;
    function->reserved = reserved > 0 ? reserved - 1 : 0;
    function->may_recurse = may_recurse != 0;
    return value_take_labels(&value, txn_arena(txn), &function->tags);
}

Slice function_alias_write(Txn *txn, const FunctionAlias *alias)
{
    uint64_t weight;
    memcpy(&weight, &alias->route_weight, sizeof weight);
    Buffer value = value_start(txn_arena(txn), SCHEMA_ALIAS);
    value_add_bytes(&value, alias->name);
    value_add_bytes(&value, alias->version);
    value_add_bytes(&value, alias->description);
    value_add_bytes(&value, alias->revision_id);
    value_add_optional(&value, alias->route_version);
    value_add_uint64(&value, weight);
    return buffer_slice(&value);
}

Error function_alias_read(Txn *txn, Slice value, FunctionAlias *alias)
{
    uint8_t schema;
    uint64_t weight;
    value = arena_copy(txn_arena(txn), value);
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_ALIAS)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &alias->name));
    TRY(value_take_bytes(&value, &alias->version));
    TRY(value_take_bytes(&value, &alias->description));
    TRY(value_take_bytes(&value, &alias->revision_id));
    TRY(value_take_optional(&value, &alias->route_version));
    TRY(value_take_uint64(&value, &weight));
    memcpy(&alias->route_weight, &weight, sizeof weight);
    return OK;
}

#include "core/event_config.h"

#include "core/function_internal.h"

enum { SCHEMA_CONFIG = 1 };
enum { FLAG_RETRIES = 1, FLAG_AGE = 2 };

static Slice config_key(Txn *txn, const Function *function, Slice qualifier)
{
    Buffer key = function_own_key(txn, function, FUNCTION_TAG_EVENTS);
    key_add_string(&key, qualifier);
    return buffer_slice(&key);
}

static Error read_config(Slice value, EventConfig *config)
{
    uint8_t schema;
    uint64_t flags;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_CONFIG)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &flags));
    config->has_retries = (flags & FLAG_RETRIES) != 0;
    config->has_age = (flags & FLAG_AGE) != 0;
    TRY(value_take_uint64(&value, &config->retries));
    TRY(value_take_uint64(&value, &config->age_s));
    TRY(value_take_optional(&value, &config->on_success));
    TRY(value_take_optional(&value, &config->on_failure));
    return value_take_uint64(&value, &config->modified_ms);
}

static Error check_qualifier(Txn *txn, const Function *function, Slice qualifier)
{
    uint64_t number;
    FunctionVersion version;
    FunctionAlias alias;
    if (function_version_number(qualifier, &number))
        return function_version_get(txn, function, qualifier, &version);
    return function_alias_get(txn, function, qualifier, &alias);
}

Error event_config_put(Txn *txn, const Function *function, EventConfig *config)
{
    TRY(check_qualifier(txn, function, config->qualifier));
    config->modified_ms = txn_now(txn);
    Buffer value = value_start(txn_arena(txn), SCHEMA_CONFIG);
    value_add_uint64(&value, (config->has_retries ? FLAG_RETRIES : 0u) | (config->has_age ? FLAG_AGE : 0u));
    value_add_uint64(&value, config->retries);
    value_add_uint64(&value, config->age_s);
    value_add_optional(&value, config->on_success);
    value_add_optional(&value, config->on_failure);
    value_add_uint64(&value, config->modified_ms);
    txn_put(txn, config_key(txn, function, config->qualifier), buffer_slice(&value));
    return OK;
}

Error event_config_get(Txn *txn, const Function *function, Slice qualifier, EventConfig *config)
{
    Slice value;
    bool found;
    *config = (EventConfig){.qualifier = qualifier};
    TRY(txn_get(txn, config_key(txn, function, qualifier), &value, &found));
    return found ? read_config(value, config) : EVENT_CONFIG_NOT_FOUND;
}

void event_config_delete(Txn *txn, const Function *function, Slice qualifier)
{
    txn_delete(txn, config_key(txn, function, qualifier));
}

/* What a scan has found, in memory that outlives it. */
static Error read_entry(Arena *arena, Slice place, Slice value, EventConfig *config)
{
    *config = (EventConfig){0};
    TRY(key_take_string(&place, arena, &config->qualifier));
    return read_config(arena_copy(arena, value), config);
}

Error event_config_list(Txn *txn, const Function *function, FunctionPage *page, EventConfig **configs, size_t *count)
{
    Arena *arena = txn_arena(txn);
    Slice key;
    Slice value;
    Slice place = {0};
    Error error;
    *count = 0;
    page->next = (Slice){0};
    *configs = ARENA_ARRAY(arena, EventConfig, page->limit);
    Buffer prefix = function_own_key(txn, function, FUNCTION_TAG_EVENTS);
    Cursor *cursor = txn_scan(txn, key_range_after(arena, buffer_slice(&prefix), page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == page->limit) {
            page->next = place;
            break;
        }
        place = arena_copy(arena, slice_skip(key, prefix.size));
        if ((error = read_entry(arena, place, value, &(*configs)[*count])) != OK)
            break;
        (*count)++;
    }
    cursor_close(cursor);
    return error;
}

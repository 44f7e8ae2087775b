#include "core/layer.h"

#include "core/function_internal.h"
#include "core/package.h"
#include "store/key.h"

/* Keys of the store, all under (account, region, KIND_LAYER):
 *   'n' name        → the number of its last version
 *   'v' name number → a version; the numbers count down from UINT64_MAX, so that the newest comes first
 *   'p' name number → its permissions */
enum { TAG_NAME = 'n', TAG_VERSION = 'v', TAG_POLICY = 'p' };
enum { SCHEMA_NAME = 1, SCHEMA_VERSION = 1 };

/* ---- Names ---- */

Home layer_home(Slice account, Slice region, Slice name)
{
    return home_of(account, region, SLICE("layer"), name);
}

Slice layer_arn(Arena *arena, Slice account, Slice region, Slice name)
{
    return arena_format(arena, "arn:aws:lambda:%.*s:%.*s:layer:%.*s", SLICE_PRINT(region), SLICE_PRINT(account),
                        SLICE_PRINT(name));
}

Slice layer_version_arn(Arena *arena, const LayerVersion *layer)
{
    return arena_format(arena, "arn:aws:lambda:%.*s:%.*s:layer:%.*s:%ju", SLICE_PRINT(layer->region),
                        SLICE_PRINT(layer->account), SLICE_PRINT(layer->name), (uintmax_t)layer->number);
}

/* Takes what stands before the next colon, or all, off the front. */
static Slice take_part(Slice *text)
{
    size_t size = slice_find(*text, ':');
    Slice part = slice_make(text->data, size);
    *text = slice_skip(*text, size < text->size ? size + 1 : size);
    return part;
}

bool layer_arn_parse(Slice arn, Slice *account, Slice *region, Slice *name, uint64_t *number)
{
    bool head = slice_equal(take_part(&arn), SLICE("arn"));
    take_part(&arn); /* the partition */
    head = slice_equal(take_part(&arn), SLICE("lambda")) && head;
    *region = take_part(&arn);
    *account = take_part(&arn);
    head = slice_equal(take_part(&arn), SLICE("layer")) && head;
    *name = take_part(&arn);
    Slice version = take_part(&arn);
    if (!head || account->size != 12 || region->size == 0 || name->size == 0 || arn.size > 0)
        return false;
    return number == NULL ? version.size == 0 : slice_parse_uint64(version, number);
}

/* ---- Keys ---- */

static Buffer tagged_key(Txn *txn, Slice account, Slice region, char tag)
{
    Buffer key = key_start(txn_arena(txn), account, region, KIND_LAYER);
    key_add_tag(&key, tag);
    return key;
}

static Slice name_key(Txn *txn, Slice account, Slice region, Slice name)
{
    Buffer key = tagged_key(txn, account, region, TAG_NAME);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

static Buffer versions_prefix(Txn *txn, Slice account, Slice region, char tag, Slice name)
{
    Buffer key = tagged_key(txn, account, region, tag);
    key_add_string(&key, name);
    return key;
}

static Slice version_key(Txn *txn, const LayerVersion *layer, char tag)
{
    Buffer key = versions_prefix(txn, layer->account, layer->region, tag, layer->name);
    key_add_uint64(&key, UINT64_MAX - layer->number);
    return buffer_slice(&key);
}

/* ---- Records ---- */

static void add_names(Buffer *value, const Slice *names, size_t count)
{
    value_add_uint64(value, names == NULL ? 0 : count + 1);
    for (size_t i = 0; names != NULL && i < count; i++)
        value_add_bytes(value, names[i]);
}

static Error take_names(Slice *value, Arena *arena, Slice **names, size_t *count)
{
    uint64_t number;
    TRY(value_take_uint64(value, &number));
    if (number > value->size + 1)
        return ERROR_MALFORMED;
    *count = number == 0 ? 0 : (size_t)number - 1;
    *names = number == 0 ? NULL : ARENA_ARRAY(arena, Slice, number); /* never empty: NULL says something else */
    for (size_t i = 0; i < *count; i++)
        TRY(value_take_bytes(value, &(*names)[i]));
    return OK;
}

static Slice write_version(Txn *txn, const LayerVersion *layer)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_VERSION);
    value_add_uint64(&value, layer->number);
    value_add_bytes(&value, layer->description);
    value_add_optional(&value, layer->license);
    add_names(&value, layer->runtimes, layer->runtime_count);
    add_names(&value, layer->architectures, layer->architecture_count);
    value_add_bytes(&value, layer->code);
    value_add_bytes(&value, layer->code_sha256);
    value_add_uint64(&value, layer->code_bytes);
    value_add_uint64(&value, layer->unzipped_bytes);
    value_add_uint64(&value, layer->created_ms);
    return buffer_slice(&value);
}

/* Fills in all but account, region and name. What is given lies in the arena. */
static Error read_version(Txn *txn, Slice value, LayerVersion *layer)
{
    Arena *arena = txn_arena(txn);
    uint8_t schema;
    value = arena_copy(arena, value);
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_VERSION)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &layer->number));
    TRY(value_take_bytes(&value, &layer->description));
    TRY(value_take_optional(&value, &layer->license));
    TRY(take_names(&value, arena, &layer->runtimes, &layer->runtime_count));
    TRY(take_names(&value, arena, &layer->architectures, &layer->architecture_count));
    TRY(value_take_bytes(&value, &layer->code));
    TRY(value_take_bytes(&value, &layer->code_sha256));
    TRY(value_take_uint64(&value, &layer->code_bytes));
    TRY(value_take_uint64(&value, &layer->unzipped_bytes));
    return value_take_uint64(&value, &layer->created_ms);
}

/* ---- Versions ---- */

static Error last_number(Txn *txn, Slice account, Slice region, Slice name, uint64_t *number)
{
    Slice value;
    bool found;
    uint8_t schema;
    *number = 0;
    TRY(txn_get(txn, name_key(txn, account, region, name), &value, &found));
    if (!found)
        return OK;
    TRY(value_take_schema(&value, &schema));
    return schema == SCHEMA_NAME ? value_take_uint64(&value, number) : ERROR_FORMAT;
}

Error layer_publish(Txn *txn, LayerVersion *layer, uint64_t code_limit)
{
    TRY(last_number(txn, layer->account, layer->region, layer->name, &layer->number));
    TRY(function_usage_add_code(txn, layer->account, layer->region, (int64_t)layer->code_bytes, code_limit));
    layer->number++;
    layer->created_ms = txn_now(txn);

    Buffer value = value_start(txn_arena(txn), SCHEMA_NAME);
    value_add_uint64(&value, layer->number);
    txn_put(txn, name_key(txn, layer->account, layer->region, layer->name), buffer_slice(&value));
    Slice key = version_key(txn, layer, TAG_VERSION);
    txn_put(txn, key, write_version(txn, layer));
    package_use(txn, layer->code, key);
    return OK;
}

Error layer_get(Txn *txn, Slice account, Slice region, Slice name, uint64_t number, LayerVersion *layer)
{
    Slice value;
    bool found;
    *layer = (LayerVersion){.account = account, .region = region, .name = name, .number = number};
    TRY(txn_get(txn, version_key(txn, layer, TAG_VERSION), &value, &found));
    return found ? read_version(txn, value, layer) : LAYER_NOT_FOUND;
}

Error layer_delete(Txn *txn, Slice account, Slice region, Slice name, uint64_t number)
{
    LayerVersion layer;
    Error error = layer_get(txn, account, region, name, number, &layer);
    if (error == LAYER_NOT_FOUND)
        return OK;
    TRY(error);
    Slice key = version_key(txn, &layer, TAG_VERSION);
    txn_delete(txn, key);
    txn_delete(txn, version_key(txn, &layer, TAG_POLICY));
    package_unuse(txn, layer.code, key);
    return function_usage_add_code(txn, account, region, -(int64_t)layer.code_bytes, 0);
}

/* ---- Lists ---- */

static bool has_name(const Slice *names, size_t count, Slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(names[i], name))
            return true;
    return name.size == 0;
}

static bool passes(const LayerVersion *layer, const LayerFilter *filter)
{
    return has_name(layer->runtimes, layer->runtime_count, filter->runtime) &&
           has_name(layer->architectures, layer->architecture_count, filter->architecture);
}

Error layer_list_versions(Txn *txn, Slice account, Slice region, Slice name, const LayerFilter *filter,
                          FunctionPage *page, LayerVersion **layers, size_t *count)
{
    Slice key;
    Slice value;
    Slice place = {0};
    Error error;
    *count = 0;
    page->next = (Slice){0};
    *layers = ARENA_ARRAY(txn_arena(txn), LayerVersion, page->limit);
    Buffer prefix = versions_prefix(txn, account, region, TAG_VERSION, name);
    Cursor *cursor = txn_scan(txn, key_range_after(txn_arena(txn), buffer_slice(&prefix), page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        LayerVersion layer = {.account = account, .region = region, .name = name};
        if ((error = read_version(txn, value, &layer)) != OK)
            break;
        if (!passes(&layer, filter))
            continue;
        if (*count == page->limit) {
            page->next = place;
            break;
        }
        place = arena_copy(txn_arena(txn), slice_skip(key, prefix.size));
        (*layers)[(*count)++] = layer;
    }
    cursor_close(cursor);
    return error;
}

Error layer_list(Txn *txn, Slice account, Slice region, const LayerFilter *filter, FunctionPage *page,
                 LayerVersion **layers, size_t *count)
{
    Arena *arena = txn_arena(txn);
    Slice key;
    Slice value;
    Slice place = {0};
    Error error;
    *count = 0;
    page->next = (Slice){0};
    *layers = ARENA_ARRAY(arena, LayerVersion, page->limit);
    Buffer prefix = tagged_key(txn, account, region, TAG_NAME);
    Cursor *cursor = txn_scan(txn, key_range_after(txn_arena(txn), buffer_slice(&prefix), page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        FunctionPage newest = {.limit = 1};
        LayerVersion *layer;
        size_t found;
        Slice name;
        Slice rest = arena_copy(arena, slice_skip(key, prefix.size));
        Slice here = rest;
        if ((error = key_take_string(&rest, arena, &name)) != OK ||
            (error = layer_list_versions(txn, account, region, name, filter, &newest, &layer, &found)) != OK)
            break;
        if (found == 0)
            continue;
        if (*count == page->limit) {
            page->next = place;
            break;
        }
        place = here;
        (*layers)[(*count)++] = *layer;
    }
    cursor_close(cursor);
    return error;
}

/* ---- Permissions ---- */

Error layer_policy_get(Txn *txn, const LayerVersion *layer, Permissions *permissions)
{
    Slice value;
    bool found;
    *permissions = (Permissions){0};
    TRY(txn_get(txn, version_key(txn, layer, TAG_POLICY), &value, &found));
    return found ? permissions_read(value, permissions, txn_arena(txn)) : OK;
}

void layer_policy_put(Txn *txn, const LayerVersion *layer, Permissions *permissions)
{
    Slice key = version_key(txn, layer, TAG_POLICY);
    if (permissions->count == 0) {
        txn_delete(txn, key);
        return;
    }
    permissions->revision_id = function_new_revision(txn);
    Buffer value = buffer_make(txn_arena(txn));
    permissions_write(&value, permissions);
    txn_put(txn, key, buffer_slice(&value));
}

Error layer_use(Txn *txn, Slice account, Slice arn, LayerVersion *layer)
{
    Permissions permissions;
    Slice owner;
    Slice region;
    Slice name;
    uint64_t number;
    if (!layer_arn_parse(arn, &owner, &region, &name, &number))
        return LAYER_NOT_FOUND;
    bool own = slice_equal(owner, account);
    Error error = layer_get(txn, owner, region, name, number, layer);
    if (error == LAYER_NOT_FOUND && !own)
        return LAYER_DENIED;
    TRY(error);
    if (own)
        return OK;
    TRY(layer_policy_get(txn, layer, &permissions));
    AccessRequest request = {.action = SLICE("lambda:GetLayerVersion"), .account = account};
    return permissions_allow(&permissions, &request) ? OK : LAYER_DENIED;
}

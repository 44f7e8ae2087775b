#include "core/log_internal.h"
#include "core/log_metric.h"

enum { SCHEMA_GROUP = 2, SCHEMA_GROUP_UNMEASURED = 1, SCHEMA_STATE = 1 };
enum { NAMES_LOOKED_AT = 10000 }; /* by one page of a list */

Home log_home(Slice account, Slice region, Slice name)
{
    return home_of(account, region, SLICE("log"), name);
}

/* ---- Keys ---- */

Buffer log_group_prefix(Txn *txn, const LogGroup *group, KeyKind kind)
{
    Buffer key = key_start(txn_arena(txn), group->account, group->region, kind);
    key_add_uint64(&key, group->number);
    return key;
}

Buffer log_key(Txn *txn, const LogGroup *group, KeyKind kind, char tag)
{
    Buffer key = log_group_prefix(txn, group, kind);
    key_add_tag(&key, tag);
    return key;
}

Slice log_group_key(Txn *txn, const LogGroup *group)
{
    Buffer key = key_start(txn_arena(txn), group->account, group->region, KIND_LOG_GROUP);
    key_add_string(&key, group->name);
    return buffer_slice(&key);
}

/* ---- Values ---- */

static Slice write_group(Txn *txn, const LogGroup *group)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_GROUP);
    value_add_uint64(&value, group->number);
    value_add_uint64(&value, group->created_ms);
    value_add_uint64(&value, group->retention_days);
    value_add_bytes(&value, group->class_name);
    value_add_optional(&value, group->kms_key_id);
    value_add_uint64(&value, group->forwarded);
    value_add_uint64(&value, group->measured);
    value_add_uint64(&value, group->tags.count);
    for (size_t i = 0; i < group->tags.count; i++) {
        value_add_bytes(&value, group->tags.items[i].key);
        value_add_bytes(&value, group->tags.items[i].value);
    }
    return buffer_slice(&value);
}

static Error read_tags(Txn *txn, Slice value, Labels *tags)
{
    uint64_t count;
    TRY(value_take_uint64(&value, &count));
    if (count > value.size)
        return ERROR_MALFORMED;
    tags->items = ARENA_ARRAY(txn_arena(txn), Label, count);
    tags->count = count;
    for (size_t i = 0; i < count; i++) {
        TRY(value_take_bytes(&value, &tags->items[i].key));
        TRY(value_take_bytes(&value, &tags->items[i].value));
    }
    return OK;
}

/* Account, region and name are set. */
static Error read_group(Txn *txn, Slice value, LogGroup *group)
{
    uint8_t schema;
    group->home = log_home(group->account, group->region, group->name);
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_GROUP && schema != SCHEMA_GROUP_UNMEASURED)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &group->number));
    TRY(value_take_uint64(&value, &group->created_ms));
    TRY(value_take_uint64(&value, &group->retention_days));
    TRY(value_take_bytes(&value, &group->class_name));
    TRY(value_take_optional(&value, &group->kms_key_id));
    TRY(value_take_uint64(&value, &group->forwarded));
    if (schema == SCHEMA_GROUP)
        TRY(value_take_uint64(&value, &group->measured));
    return read_tags(txn, value, &group->tags);
}

/* ---- State ---- */

static Slice state_key(Txn *txn, const LogGroup *group)
{
    Buffer key = log_key(txn, group, KIND_LOG_STREAM, LOG_TAG_STATE);
    return buffer_slice(&key);
}

Error log_state_get(Txn *txn, const LogGroup *group, LogState *state)
{
    Slice value;
    bool found;
    uint8_t schema;
    *state = (LogState){0};
    TRY(txn_get(txn, state_key(txn, group), &value, &found));
    if (!found)
        return OK;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_STATE)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &state->bytes));
    return value_take_uint64(&value, &state->expiry_ms);
}

void log_state_put(Txn *txn, const LogGroup *group, const LogState *state)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_STATE);
    value_add_uint64(&value, state->bytes);
    value_add_uint64(&value, state->expiry_ms);
    txn_put(txn, state_key(txn, group), buffer_slice(&value));
}

Error log_group_bytes(Txn *txn, const LogGroup *group, uint64_t *bytes)
{
    LogState state;
    TRY(log_state_get(txn, group, &state));
    *bytes = state.bytes;
    return OK;
}

/* ---- Groups ---- */

Error log_group_create(Txn *txn, LogGroup *group)
{
    Slice value;
    bool found;
    Slice key = log_group_key(txn, group);
    TRY(txn_get(txn, key, &value, &found));
    if (found)
        return LOG_GROUP_EXISTS;
    TRY(txn_new_number(txn, &group->number));
    group->created_ms = txn_now(txn);
    group->home = log_home(group->account, group->region, group->name);
    txn_put(txn, key, write_group(txn, group));
    return OK;
}

Error log_group_open(Txn *txn, Slice account, Slice region, Slice name, LogGroup *group)
{
    Slice value;
    bool found;
    *group = (LogGroup){.account = account, .region = region, .name = name};
    TRY(txn_get(txn, log_group_key(txn, group), &value, &found));
    return found ? read_group(txn, value, group) : LOG_GROUP_NOT_FOUND;
}

void log_group_put(Txn *txn, const LogGroup *group)
{
    txn_put(txn, log_group_key(txn, group), write_group(txn, group));
}

Error log_group_delete(Txn *txn, const LogGroup *group)
{
    txn_delete(txn, log_group_key(txn, group));
    log_remove_group(txn, group);
    return log_metric_delete_all(txn, group);
}

/* ---- Lists ---- */

static bool contains(Slice text, Slice part)
{
    return part.size == 0 || memmem(text.data, text.size, part.data, part.size) != NULL;
}

static Buffer names_prefix(Txn *txn, Slice account, Slice region)
{
    return key_start(txn_arena(txn), account, region, KIND_LOG_GROUP);
}

KeyRange log_names_range(Txn *txn, Buffer start, Slice prefix, Slice after)
{
    Buffer begin = buffer_make(txn_arena(txn));
    buffer_add(&begin, buffer_slice(&start));
    key_add_string(&begin, prefix);
    Slice all = buffer_slice(&begin);
    all.size -= 2; /* the end of the string (store/key.h) */
    KeyRange range = key_range_of_prefix(txn_arena(txn), all);
    if (after.size > 0) {
        Buffer from = buffer_make(txn_arena(txn));
        buffer_add(&from, buffer_slice(&start));
        key_add_string(&from, after);
        buffer_add_byte(&from, '\0');
        if (slice_compare(buffer_slice(&from), range.begin) > 0)
            range.begin = buffer_slice(&from);
    }
    return range;
}

Error log_group_list(Txn *txn, Slice account, Slice region, Slice prefix, Slice part, LogPage *page, LogGroup **groups,
                     size_t *count)
{
    Slice key;
    Slice value;
    Error error;
    Slice name = {0};
    size_t looked_at = 0;
    Buffer start = names_prefix(txn, account, region);
    *groups = ARENA_ARRAY(txn_arena(txn), LogGroup, page->limit);
    *count = 0;
    page->next = (Slice){0};
    Cursor *cursor = txn_scan(txn, log_names_range(txn, start, prefix, page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == page->limit || looked_at++ == NAMES_LOOKED_AT) {
            page->next = name;
            break;
        }
        key = slice_skip(key, start.size);
        if ((error = key_take_string(&key, txn_arena(txn), &name)) != OK)
            break;
        name = arena_copy(txn_arena(txn), name);
        if (!contains(name, part))
            continue;
        LogGroup *group = &(*groups)[(*count)++];
        *group = (LogGroup){.account = account, .region = region, .name = name};
        if ((error = read_group(txn, arena_copy(txn_arena(txn), value), group)) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

#include "core/log_subscription.h"

#include "core/log_internal.h"

/* Keys, beside those of log_internal.h: ("", "", KIND_LOG_FILTER) 'q' sequence → a chunk that waits to be sent. */
enum { TAG_MARK = 'q' };
enum { SCHEMA_SUBSCRIPTION = 1, SCHEMA_MARK = 1 };

/* ---- Subscriptions ---- */

static Slice subscription_key(Txn *txn, const LogGroup *group, Slice name)
{
    Buffer key = log_group_prefix(txn, group, KIND_LOG_FILTER);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

static Slice write_subscription(Txn *txn, const LogSubscription *subscription)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_SUBSCRIPTION);
    value_add_uint64(&value, subscription->created_ms);
    value_add_bytes(&value, subscription->pattern);
    value_add_bytes(&value, subscription->destination);
    value_add_bytes(&value, subscription->account);
    value_add_bytes(&value, subscription->region);
    value_add_bytes(&value, subscription->function);
    value_add_optional(&value, subscription->qualifier);
    value_add_optional(&value, subscription->role_arn);
    value_add_bytes(&value, subscription->distribution);
    return buffer_slice(&value);
}

static Error read_subscription(Slice value, LogSubscription *subscription)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_SUBSCRIPTION)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &subscription->created_ms));
    TRY(value_take_bytes(&value, &subscription->pattern));
    TRY(value_take_bytes(&value, &subscription->destination));
    TRY(value_take_bytes(&value, &subscription->account));
    TRY(value_take_bytes(&value, &subscription->region));
    TRY(value_take_bytes(&value, &subscription->function));
    TRY(value_take_optional(&value, &subscription->qualifier));
    TRY(value_take_optional(&value, &subscription->role_arn));
    return value_take_bytes(&value, &subscription->distribution);
}

Error log_subscription_put(Txn *txn, LogGroup *group, LogSubscription *subscription)
{
    Slice value;
    bool found;
    LogSubscription before;
    Slice key = subscription_key(txn, group, subscription->name);
    TRY(txn_get(txn, key, &value, &found));
    if (!found && group->forwarded == LOG_SUBSCRIPTIONS_MAX)
        return LOG_SUBSCRIPTION_LIMIT;
    if (found)
        TRY(read_subscription(value, &before));
    subscription->created_ms = found ? before.created_ms : txn_now(txn);
    txn_put(txn, key, write_subscription(txn, subscription));
    if (!found) {
        group->forwarded++;
        log_group_put(txn, group);
    }
    return OK;
}

Error log_subscription_delete(Txn *txn, LogGroup *group, Slice name)
{
    Slice value;
    bool found;
    Slice key = subscription_key(txn, group, name);
    TRY(txn_get(txn, key, &value, &found));
    if (!found)
        return LOG_SUBSCRIPTION_NOT_FOUND;
    txn_delete(txn, key);
    group->forwarded--;
    log_group_put(txn, group);
    return OK;
}

Error log_subscription_list(Txn *txn, const LogGroup *group, LogSubscription subscriptions[LOG_SUBSCRIPTIONS_MAX],
                            size_t *count)
{
    Slice key;
    Slice value;
    Error error;
    Arena *arena = txn_arena(txn);
    Buffer prefix = log_group_prefix(txn, group, KIND_LOG_FILTER);
    *count = 0;
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(arena, buffer_slice(&prefix)), SCAN_FORWARD);
    while (*count < LOG_SUBSCRIPTIONS_MAX && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        LogSubscription *subscription = &subscriptions[(*count)++];
        Slice rest = arena_copy(arena, slice_skip(key, prefix.size));
        *subscription = (LogSubscription){0};
        if ((error = key_take_string(&rest, arena, &subscription->name)) != OK ||
            (error = read_subscription(arena_copy(arena, value), subscription)) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

/* ---- Marks ---- */

static Buffer mark_prefix(Txn *txn)
{
    Buffer key = key_start(txn_arena(txn), SLICE(""), SLICE(""), KIND_LOG_FILTER);
    key_add_tag(&key, TAG_MARK);
    return key;
}

KeyRange log_marks(Txn *txn)
{
    Buffer prefix = mark_prefix(txn);
    return key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix));
}

void log_mark_put(Txn *txn, const LogGroup *group, uint64_t sequence)
{
    if (group->forwarded == 0 && group->measured == 0)
        return;
    Buffer key = mark_prefix(txn);
    Buffer value = value_start(txn_arena(txn), SCHEMA_MARK);
    key_add_uint64(&key, sequence);
    value_add_bytes(&value, group->account);
    value_add_bytes(&value, group->region);
    value_add_bytes(&value, group->name);
    value_add_uint64(&value, group->number);
    txn_put(txn, buffer_slice(&key), buffer_slice(&value));
}

Error log_mark_read(Txn *txn, Slice key, Slice value, LogMark *mark)
{
    uint8_t schema;
    *mark = (LogMark){.key = key};
    Slice rest = slice_skip(key, mark_prefix(txn).size);
    TRY(key_take_uint64(&rest, &mark->sequence));
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_MARK)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &mark->account));
    TRY(value_take_bytes(&value, &mark->region));
    TRY(value_take_bytes(&value, &mark->group));
    return value_take_uint64(&value, &mark->group_number);
}

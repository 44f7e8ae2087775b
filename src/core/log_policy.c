#include "core/log_policy.h"

#include "store/key.h"

/* Keys: (account, region, KIND_LOG_POLICY) name → a policy. */
enum { SCHEMA_POLICY = 1 };

static Slice policy_key(Txn *txn, Slice account, Slice region, Slice name)
{
    Buffer key = key_start(txn_arena(txn), account, region, KIND_LOG_POLICY);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

static Error read_policy(Slice value, LogPolicy *policy)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_POLICY)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &policy->updated_ms));
    return value_take_bytes(&value, &policy->document);
}

Error log_policy_put(Txn *txn, Slice account, Slice region, LogPolicy *policy)
{
    Slice value;
    bool found;
    size_t count;
    LogPolicy policies[LOG_POLICIES_MAX];
    Slice key = policy_key(txn, account, region, policy->name);
    TRY(txn_get(txn, key, &value, &found));
    TRY(log_policy_list(txn, account, region, policies, &count));
    if (!found && count == LOG_POLICIES_MAX)
        return LOG_POLICY_LIMIT;
    policy->updated_ms = txn_now(txn);
    Buffer out = value_start(txn_arena(txn), SCHEMA_POLICY);
    value_add_uint64(&out, policy->updated_ms);
    value_add_bytes(&out, policy->document);
    txn_put(txn, key, buffer_slice(&out));
    return OK;
}

Error log_policy_delete(Txn *txn, Slice account, Slice region, Slice name)
{
    Slice value;
    bool found;
    Slice key = policy_key(txn, account, region, name);
    TRY(txn_get(txn, key, &value, &found));
    if (!found)
        return LOG_POLICY_NOT_FOUND;
    txn_delete(txn, key);
    return OK;
}

Error log_policy_list(Txn *txn, Slice account, Slice region, LogPolicy policies[LOG_POLICIES_MAX], size_t *count)
{
    Slice key;
    Slice value;
    Error error = OK;
    Arena *arena = txn_arena(txn);
    Buffer prefix = key_start(arena, account, region, KIND_LOG_POLICY);
    *count = 0;
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(arena, buffer_slice(&prefix)), SCAN_FORWARD);
    while (*count < LOG_POLICIES_MAX && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        LogPolicy *policy = &policies[(*count)++];
        Slice rest = arena_copy(arena, slice_skip(key, prefix.size));
        *policy = (LogPolicy){0};
        if ((error = key_take_string(&rest, arena, &policy->name)) != OK ||
            (error = read_policy(arena_copy(arena, value), policy)) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

#include "core/function_policy.h"

#include "core/function_internal.h"

static Slice policy_key(Txn *txn, const Function *function, Slice qualifier)
{
    Buffer key = function_own_key(txn, function, FUNCTION_TAG_POLICY);
    key_add_string(&key, qualifier);
    return buffer_slice(&key);
}

Error function_policy_get(Txn *txn, const Function *function, Slice qualifier, Permissions *permissions)
{
    Slice value;
    bool found;
    *permissions = (Permissions){0};
    TRY(txn_get(txn, policy_key(txn, function, qualifier), &value, &found));
    return found ? permissions_read(value, permissions, txn_arena(txn)) : OK;
}

void function_policy_put(Txn *txn, const Function *function, Slice qualifier, Permissions *permissions)
{
    if (permissions->count == 0) {
        function_policy_delete(txn, function, qualifier);
        return;
    }
    permissions->revision_id = function_new_revision(txn);
    Buffer value = buffer_make(txn_arena(txn));
    permissions_write(&value, permissions);
    txn_put(txn, policy_key(txn, function, qualifier), buffer_slice(&value));
}

void function_policy_delete(Txn *txn, const Function *function, Slice qualifier)
{
    txn_delete(txn, policy_key(txn, function, qualifier));
}

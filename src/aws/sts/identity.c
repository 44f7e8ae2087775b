/* identity.c: STS's questions about who somebody is (AWS STS API reference). */
#include "api/sts.h"
#include "aws/wire/common_error.h"
#include "core/account.h"

/* GetCallerIdentity asks for no permission: whoever is authenticated learns who that is. */
Error sts_get_caller_identity(Call *call, Txn *txn, const GetCallerIdentityInput *input,
                              GetCallerIdentityOutput *output)
{
    (void)txn;
    (void)input;
    output->user_id = call->actor.principal_id;
    output->account = call->actor.account;
    output->arn = call->actor.principal_arn;
    return OK;
}

/* The account that a key belongs to, whatever account asks. The caller's own key needs no look; the root key of the
 * environment is in no store. */
Error sts_get_access_key_info(Call *call, Txn *txn, const GetAccessKeyInfoInput *input, GetAccessKeyInfoOutput *output)
{
    if (slice_equal(input->access_key_id, call->actor.access_key_id)) {
        output->account = call->actor.account;
        return OK;
    }
    if (slice_equal(input->access_key_id, call->root_access_key_id)) {
        output->account = ACCOUNT_DEFAULT;
        return OK;
    }
    AccessKey key;
    Error error = access_key_get(txn, input->access_key_id, &key);
    if (error == ACCESS_KEY_NOT_FOUND)
        return call_fail(call, &common_validation, "The access key %.*s does not exist.",
                         SLICE_PRINT(input->access_key_id));
    if (error == OK)
        output->account = arena_copy(call->arena, key.account);
    return error;
}

#include "core/function_qualifier.h"

#include "core/event_config.h"
#include "core/function_concurrency.h"
#include "core/function_internal.h"
#include "core/function_policy.h"
#include "core/function_url.h"

Error function_qualifier_drop(Txn *txn, const Function *function, Slice qualifier)
{
    function_policy_delete(txn, function, qualifier);
    Error error = function_url_delete(txn, function, qualifier);
    if (error != OK && error != FUNCTION_URL_NOT_FOUND)
        return error;
    event_config_delete(txn, function, qualifier);
    return provisioned_delete(txn, function, qualifier);
}

Error function_key_drop(Txn *txn, const Function *function, Slice key, Slice value)
{
    char tag;
    Slice rest = slice_skip(key, function->prefix.size);
    TRY(key_take_tag(&rest, &tag));
    if (tag == FUNCTION_TAG_URL)
        TRY(function_url_forget(txn, value));
    txn_delete(txn, key);
    return OK;
}

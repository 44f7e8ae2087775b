/* account.c: what an account may have of functions, and what it has (Lambda API reference, "GetAccountSettings"). */
#include "aws/lambda/dialect.h"

/* Operators may set limits beyond what the API can tell. */
static int32_t as_integer(uint64_t limit)
{
    return limit > INT32_MAX ? INT32_MAX : (int32_t)limit;
}

Error lambda_get_account_settings(Call *call, Txn *txn, const GetAccountSettingsInput *input,
                                  GetAccountSettingsOutput *output)
{
    (void)input;
    FunctionUsage usage;
    TRY(function_usage(txn, call->actor.account, call->actor.region, &usage));
    const uint64_t *limit = call->limits->value;
    LambdaAccountLimit *most = ARENA_NEW(call->arena, LambdaAccountLimit);
    most->has_total_code_size = true;
    most->total_code_size = (int64_t)limit[LIMIT_LAMBDA_CODE_STORAGE_BYTES];
    most->has_code_size_unzipped = true;
    most->code_size_unzipped = (int64_t)limit[LIMIT_LAMBDA_CODE_UNZIPPED_BYTES];
    most->has_code_size_zipped = true;
    most->code_size_zipped = (int64_t)limit[LIMIT_LAMBDA_CODE_ZIPPED_BYTES];
    most->has_concurrent_executions = true;
    most->concurrent_executions = as_integer(limit[LIMIT_LAMBDA_CONCURRENT_EXECUTIONS]);
    uint64_t all = limit[LIMIT_LAMBDA_CONCURRENT_EXECUTIONS];
    most->has_unreserved_concurrent_executions = true;
    most->unreserved_concurrent_executions = as_integer(all > usage.reserved ? all - usage.reserved : 0);
    LambdaAccountUsage *used = ARENA_NEW(call->arena, LambdaAccountUsage);
    used->has_total_code_size = true;
    used->total_code_size = (int64_t)usage.code_bytes;
    used->has_function_count = true;
    used->function_count = (int64_t)usage.functions;
    output->account_limit = most;
    output->account_usage = used;
    return OK;
}

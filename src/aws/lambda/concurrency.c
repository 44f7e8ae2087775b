#include "aws/lambda/dialect.h"
#include "core/function_concurrency.h"

/* PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency: what is reserved for a function. */

static Error open_unqualified(Call *call, Txn *txn, Slice text, Function *function)
{
    LambdaName name;
    TRY(lambda_read_name(call, text, (Slice){0}, &name));
    if (name.qualifier.data != NULL)
        return lambda_invalid(call, "This operation is permitted on Lambda functions only. Aliases and versions do not "
                                    "support this operation. Please specify either a function name or an unqualified "
                                    "function ARN.");
    return lambda_refuse(call, &name, function_open(txn, name.account, name.region, name.name, function));
}

Error lambda_put_function_concurrency(Call *call, Txn *txn, const PutFunctionConcurrencyInput *in,
                                      PutFunctionConcurrencyOutput *out)
{
    Function function = {0};
    uint64_t provisioned;
    uint64_t others;
    uint64_t all = call->limits->value[LIMIT_LAMBDA_CONCURRENT_EXECUTIONS];
    TRY(open_unqualified(call, txn, in->function_name, &function));
    uint64_t reserved = (uint64_t)in->reserved_concurrent_executions;
    TRY(provisioned_total(txn, &function, &provisioned));
    if (reserved < provisioned)
        return lambda_invalid(call,
                              "ReservedConcurrentExecutions  %ju should not be lower than function's total "
                              "provisioned concurrency [%ju].",
                              (uintmax_t)reserved, (uintmax_t)provisioned);
    TRY(provisioned_of_others(txn, &function, &others));
    Error error = function_reserve(txn, &function, true, reserved, all > others ? all - others : 0);
    if (error == FUNCTION_UNRESERVED)
        return lambda_invalid(call,
                              "Specified ReservedConcurrentExecutions for function decreases account's "
                              "UnreservedConcurrentExecution below its minimum value of [%d].",
                              FUNCTION_UNRESERVED_MIN);
    TRY(error);
    out->has_reserved_concurrent_executions = true;
    out->reserved_concurrent_executions = in->reserved_concurrent_executions;
    return OK;
}

Error lambda_get_function_concurrency(Call *call, Txn *txn, const GetFunctionConcurrencyInput *in,
                                      GetFunctionConcurrencyOutput *out)
{
    Function function = {0};
    TRY(open_unqualified(call, txn, in->function_name, &function));
    out->has_reserved_concurrent_executions = function.has_reserved;
    out->reserved_concurrent_executions = (int32_t)function.reserved;
    return OK;
}

Error lambda_delete_function_concurrency(Call *call, Txn *txn, const DeleteFunctionConcurrencyInput *in,
                                         DeleteFunctionConcurrencyOutput *out)
{
    (void)out;
    Function function = {0};
    TRY(open_unqualified(call, txn, in->function_name, &function));
    return function_reserve(txn, &function, false, 0, call->limits->value[LIMIT_LAMBDA_CONCURRENT_EXECUTIONS]);
}

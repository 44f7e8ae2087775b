#include "aws/lambda/dialect.h"
#include "base/time_format.h"
#include "core/function_concurrency.h"

/* PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig, ListProvisionedConcurrencyConfigs,
 * DeleteProvisionedConcurrencyConfig. What is stored here core/provisioner.c asks the runtime for. */

/* ---- Outputs ---- */

static Slice arn_of(Call *call, const Function *function, Slice qualifier)
{
    return function_arn(call->arena, function->account, function->region, function->name, qualifier);
}

/* Adds what is ready of one version. */
static Error count_version(Call *call, Txn *txn, const Function *function, Slice version_name, InvokerCounts *counts)
{
    FunctionVersion version;
    InvokerCounts of_version = {0};
    TRY(function_version_get(txn, function, version_name, &version));
    WorkerSpec spec = function_worker_spec(txn, function, &version, SLICE(""));
    invoker_count(call_invoker(call), spec.function, spec.line, call->arena, &of_version);
    counts->provisioned_ready += of_version.provisioned_ready;
    if (of_version.provision_problem.size > 0)
        counts->provision_problem = of_version.provision_problem;
    return OK;
}

/* An alias may share what it has between two versions. */
static Error count_ready(Call *call, Txn *txn, const Function *function, Slice qualifier, InvokerCounts *counts)
{
    FunctionVersion version;
    FunctionAlias alias;
    *counts = (InvokerCounts){0};
    if (call_invoker(call) == NULL) {
        counts->provision_problem = SLICE("This server does not run functions.");
        return OK;
    }
    Error error = function_alias_get(txn, function, qualifier, &alias);
    if (error == FUNCTION_ALIAS_NOT_FOUND) {
        TRY(provisioned_version(txn, function, qualifier, &version));
        return count_version(call, txn, function, version.version, counts);
    }
    TRY(error);
    TRY(count_version(call, txn, function, alias.version, counts));
    return alias.route_version.data == NULL ? OK : count_version(call, txn, function, alias.route_version, counts);
}

static void show(Call *call, const Provisioned *provisioned, const InvokerCounts *counts,
                 LambdaProvisionedConcurrencyConfig *out)
{
    uint64_t ready = counts->provisioned_ready;
    if (ready > provisioned->count)
        ready = provisioned->count; /* some that there were are being let go */
    bool failed = ready < provisioned->count && counts->provision_problem.size > 0;
    char text[TIME_TEXT_MAX];
    Slice modified = time_format_iso((int64_t)provisioned->modified_ms, text);
    *out = (LambdaProvisionedConcurrencyConfig){
        .has_requested_provisioned_concurrent_executions = true,
        .requested_provisioned_concurrent_executions = (int32_t)provisioned->count,
        .has_allocated_provisioned_concurrent_executions = true,
        .allocated_provisioned_concurrent_executions = (int32_t)ready,
        .has_available_provisioned_concurrent_executions = true,
        .available_provisioned_concurrent_executions = (int32_t)ready,
        .status = failed                        ? SLICE("FAILED")
                  : ready == provisioned->count ? SLICE("READY")
                                                : SLICE("IN_PROGRESS"),
        .status_reason = failed ? counts->provision_problem : (Slice){0},
        .last_modified = arena_format(call->arena, "%.*s+0000", (int)modified.size - 1, modified.data),
    };
}

/* ---- Operations ---- */

static const char not_published[] = "The function resource provided must be an alias or a published version.";
static const char unpublished[] = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";

/* Of a function that is not there AWS tells as of its alias or version; `latest`: what it says of "$LATEST". */
static Error open_published(Call *call, Txn *txn, Slice text, Slice qualifier, const char *latest, LambdaName *name,
                            Function *function)
{
    Error error = lambda_find(call, txn, text, qualifier, name, function);
    if (slice_equal(name->qualifier, SLICE("$LATEST")))
        return lambda_invalid(call, "%s", latest);
    return lambda_refuse_qualified(call, name, error == FUNCTION_NOT_FOUND ? FUNCTION_ALIAS_NOT_FOUND : error);
}

static Error refuse(Call *call, const LambdaName *name, Error error)
{
    switch ((int)error) {
    case PROVISIONED_LATEST:
        return lambda_invalid(call, "%s", unpublished);
    case PROVISIONED_ROUTED:
        return lambda_invalid(call, "Alias with weights can not be used with Provisioned Concurrency");
    case PROVISIONED_TWICE:
        if (name->qualifier.data[0] >= '0' && name->qualifier.data[0] <= '9')
            return lambda_invalid(call, "Version is pointed by a Provisioned Concurrency alias");
        return lambda_invalid(call, "Alias can't be used for Provisioned Concurrency configuration on an already "
                                    "Provisioned version");
    case PROVISIONED_OVER_RESERVED:
        return lambda_invalid(call, "Requested Provisioned Concurrency should not be greater than the "
                                    "reservedConcurrentExecution for function");
    case PROVISIONED_NOT_FOUND:
        return call_fail(call, &lambda_error_provisioned_concurrency_config_not_found_exception,
                         "No Provisioned Concurrency Config found for this function");
    default:
        return lambda_refuse_qualified(call, name, error);
    }
}

/* What is asked for is more than there is, or more than may be taken of it. */
static Error refuse_room(Call *call, Txn *txn, const Function *function, const Provisioned *provisioned)
{
    FunctionUsage usage;
    uint64_t all = call->limits->value[LIMIT_LAMBDA_CONCURRENT_EXECUTIONS];
    TRY(function_usage(txn, function->account, function->region, &usage));
    uint64_t unreserved = all > usage.reserved ? all - usage.reserved : 0;
    if (provisioned->count > unreserved)
        return lambda_invalid(call,
                              "Specified ConcurrentExecutions for function is greater than account's unreserved "
                              "concurrency [%ju].",
                              (uintmax_t)unreserved);
    return lambda_invalid(call,
                          "Specified ConcurrentExecutions for function decreases account's "
                          "UnreservedConcurrentExecution below its minimum value of [%d].",
                          FUNCTION_UNRESERVED_MIN);
}

Error lambda_put_provisioned_concurrency_config(Call *call, Txn *txn, const PutProvisionedConcurrencyConfigInput *in,
                                                PutProvisionedConcurrencyConfigOutput *out)
{
    LambdaName name;
    Function function;
    FunctionVersion version;
    if (call_invoker(call) == NULL)
        return lambda_not_implemented(call, "provisioned concurrency on a server that does not run functions");
    /* The caller's own alone: whose limits would another account's be under? */
    TRY(lambda_read_name(call, in->function_name, in->qualifier, &name));
    TRY(open_published(call, txn, in->function_name, in->qualifier, unpublished, &name, &function));
    Provisioned provisioned = {.qualifier = name.qualifier, .count = (uint64_t)in->provisioned_concurrent_executions};
    Error error =
        provisioned_put(txn, &function, &provisioned, call->limits->value[LIMIT_LAMBDA_CONCURRENT_EXECUTIONS]);
    if (error == FUNCTION_UNRESERVED)
        return refuse_room(call, txn, &function, &provisioned);
    TRY(refuse(call, &name, error));
    TRY(provisioned_version(txn, &function, name.qualifier, &version));
    if (version.tenant_isolated)
        return lambda_invalid(call, "Provisioned concurrency is not supported for functions with tenant isolation.");
    /* Lambda developer guide, "SnapStart": one or the other. */
    if (version.snap_start)
        return lambda_invalid(call, "Provisioned concurrency is not supported for functions with SnapStart.");
    show(call, &provisioned, &(InvokerCounts){0}, out);
    return OK;
}

Error lambda_get_provisioned_concurrency_config(Call *call, Txn *txn, const GetProvisionedConcurrencyConfigInput *in,
                                                GetProvisionedConcurrencyConfigOutput *out)
{
    LambdaName name;
    Function function;
    Provisioned provisioned;
    InvokerCounts counts;
    TRY(open_published(call, txn, in->function_name, in->qualifier, not_published, &name, &function));
    TRY(refuse(call, &name, provisioned_get(txn, &function, name.qualifier, &provisioned)));
    TRY(count_ready(call, txn, &function, name.qualifier, &counts));
    show(call, &provisioned, &counts, out);
    return OK;
}

Error lambda_list_provisioned_concurrency_configs(Call *call, Txn *txn,
                                                  const ListProvisionedConcurrencyConfigsInput *in,
                                                  ListProvisionedConcurrencyConfigsOutput *out)
{
    LambdaName name;
    Function function;
    FunctionPage page;
    Provisioned *list;
    InvokerCounts counts;
    TRY(lambda_open(call, txn, in->function_name, (Slice){0}, &name, &function));
    TRY(lambda_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(provisioned_list(txn, &function, &page, &list, &out->provisioned_concurrency_configs.count));
    size_t count = out->provisioned_concurrency_configs.count;
    LambdaProvisionedConcurrencyConfig *items = ARENA_ARRAY(call->arena, LambdaProvisionedConcurrencyConfig, count + 1);
    for (size_t i = 0; i < count; i++) {
        TRY(count_ready(call, txn, &function, list[i].qualifier, &counts));
        show(call, &list[i], &counts, &items[i]);
        items[i].function_arn = arn_of(call, &function, list[i].qualifier);
    }
    out->provisioned_concurrency_configs.items = items;
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}

Error lambda_delete_provisioned_concurrency_config(Call *call, Txn *txn,
                                                   const DeleteProvisionedConcurrencyConfigInput *in,
                                                   DeleteProvisionedConcurrencyConfigOutput *out)
{
    (void)out;
    LambdaName name;
    Function function;
    FunctionVersion version;
    TRY(open_published(call, txn, in->function_name, in->qualifier, not_published, &name, &function));
    TRY(refuse(call, &name, provisioned_version(txn, &function, name.qualifier, &version)));
    return provisioned_delete(txn, &function, name.qualifier);
}

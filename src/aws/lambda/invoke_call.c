#include "aws/lambda/invoke_call.h"

#include "aws/lambda/payload.h"
#include "base/digest.h"
#include "base/json.h"

enum { CLIENT_CONTEXT_MAX = 3583 }; /* Lambda API reference, Invoke: ClientContext; bytes of base64 */

/* ---- Arguments ---- */

static Error refuse_content(Call *call, const char *format, Slice text)
{
    return call_fail(call, &lambda_error_invalid_request_content_exception, format, SLICE_PRINT(text));
}

Error invoke_read_payload(Call *call, Slice given, Slice *payload)
{
    Slice problem;
    *payload = given.size == 0 ? SLICE("{}") : given;
    if (payload_is_json(*payload, call->arena, &problem))
        return OK;
    return refuse_content(call, "Could not parse request body into json: Could not parse payload into json: %.*s",
                          problem);
}

static bool is_object(Slice json)
{
    size_t i = 0;
    while (i < json.size &&
           (json.data[i] == ' ' || json.data[i] == '\t' || json.data[i] == '\r' || json.data[i] == '\n'))
        i++;
    return i < json.size && json.data[i] == '{';
}

Error invoke_read_client_context(Call *call, Slice given, Slice *context)
{
    Slice json;
    if (given.data == NULL)
        return OK;
    if (given.size > CLIENT_CONTEXT_MAX)
        return refuse_content(call, "Client context must be at most 3583 bytes of Base64.%.*s", (Slice){0});
    if (base64_decode(call->arena, given, &json) != OK || json_check(json) != OK || !is_object(json))
        return refuse_content(call, "Client context must be a valid Base64-encoded JSON object.%.*s", (Slice){0});
    *context = json;
    return OK;
}

Error invoke_check_runs(Call *call)
{
    if (call_invoker(call) != NULL)
        return OK;
    return call_fail(call, &common_not_implemented,
                     "This server runs no functions: `brume doctor` tells what its machine lacks.");
}

/* ---- Refusals ---- */

static Error refuse_concurrency(Call *call, Slice reason)
{
    Error refused = call_fail(call, &lambda_error_too_many_requests_exception, "Rate Exceeded.");
    LambdaTooManyRequestsException *members = call_error_members(call);
    members->reason = reason;
    members->retry_after_seconds = SLICE("1");
    return refused;
}

static Error explain_refusal(InvokeCall *invoke)
{
    Call *call = invoke->call;
    Slice message = invoke->invocation.message;
    switch (invoke->invocation.refusal) {
    case INVOKE_RAN:
        return OK;
    case INVOKE_FUNCTION_CONCURRENCY:
        return refuse_concurrency(call, SLICE("ReservedFunctionConcurrentInvocationLimitExceeded"));
    case INVOKE_ACCOUNT_CONCURRENCY:
        return refuse_concurrency(call, SLICE("ConcurrentInvocationLimitExceeded"));
    case INVOKE_RUNTIME_MISSING:
        return call_fail(call, &lambda_error_invalid_runtime_exception, "%.*s", SLICE_PRINT(message));
    case INVOKE_ROLE:
        return call_fail(call, &common_access_denied, "The role defined for the function cannot be assumed by Lambda.");
    case INVOKE_STOPPING:
        return ERROR_STOPPING;
    case INVOKE_GONE:
        return ERROR_GONE;
    case INVOKE_FAILED:
        break;
    }
    return call_fail(call, &lambda_error_service_exception, "The function could not be started: %.*s",
                     SLICE_PRINT(message));
}

/* ---- The steps ---- */

/* Another account's function is found by way of its policy; the caller's own needs none. */
bool invoke_is_own(const Call *call, Slice function_name)
{
    LambdaName name = {.account = call->actor.account};
    lambda_split_name(function_name, &name);
    return slice_equal(name.account, call->actor.account);
}

static RunRequest request_of(const InvokeCall *invoke)
{
    const Call *call = invoke->call;
    return (RunRequest){
        .account = invoke->name.account,
        .region = invoke->name.region,
        .name = invoke->name.name,
        .qualifier = invoke->name.qualifier,
        .tenant_id = invoke->arguments->tenant_id,
        .trace = call->trace,
        .wall_ms = call->wall_ms,
        .limits = call_limits_of(call, invoke->name.account),
    };
}

static Error lookup_body(Txn *txn, StoreCall *lookup)
{
    InvokeCall *invoke = CONTAINER_OF(lookup, InvokeCall, lookup);
    const InvokeArguments *arguments = invoke->arguments;
    Function function;
    if (!invoke_is_own(invoke->call, arguments->function_name))
        TRY(lambda_find(invoke->call, txn, arguments->function_name, arguments->qualifier, &invoke->name, &function));
    const RunRequest request = request_of(invoke);
    return run_find(txn, &request, lookup->arena, &invoke->run);
}

static Error check_found(InvokeCall *invoke)
{
    if (!invoke->run.in_loop)
        return OK;
    return call_fail(invoke->call, &lambda_error_recursive_invocation_exception,
                     "Lambda has detected your function being invoked in a recursive loop with other AWS resources and "
                     "stopped your function's invocation.");
}

/* AWS names the version that would have run. */
Error invoke_refuse_lookup(Call *call, LambdaName *name, Error error)
{
    if (name->qualifier.data == NULL)
        name->qualifier = SLICE("$LATEST");
    return lambda_refuse(call, name, error);
}

static void on_found(StoreCall *lookup)
{
    InvokeCall *invoke = CONTAINER_OF(lookup, InvokeCall, lookup);
    Error error =
        lookup->result == OK ? check_found(invoke) : invoke_refuse_lookup(invoke->call, &invoke->name, lookup->result);
    if (error == OK)
        invoke->found(invoke);
    else
        call_finish(invoke->call, error);
}

Error invoke_call_start(InvokeCall *invoke, const InvokeArguments *arguments)
{
    Call *call = invoke->call;
    invoke->arguments = arguments;
    invoke->dry_run = slice_equal(arguments->invocation_type, SLICE("DryRun"));
    TRY(invoke_check_runs(call));
    TRY(invoke_read_client_context(call, arguments->client_context, &invoke->invocation.client_context));
    TRY(invoke_read_payload(call, arguments->payload, &invoke->invocation.payload));
    if (invoke_is_own(call, arguments->function_name))
        TRY(lambda_read_name(call, arguments->function_name, arguments->qualifier, &invoke->name));
    invoke->with_log = slice_equal(arguments->log_type, SLICE("Tail"));
    invoke->invocation.request_id = call->request_id;
    invoke->invocation.mailbox = call_mailbox(call);
    invoke->lookup = (StoreCall){
        .body = lookup_body,
        .done = on_found,
        .mailbox = call_mailbox(call),
        .arena = call->arena,
        .refusable = true,
    };
    store_read(call_store(call), &invoke->lookup);
    return OK;
}

void invoke_call_run(InvokeCall *invoke)
{
    run_start(call_invoker(invoke->call), &invoke->run, &invoke->invocation);
}

bool invoke_call_refused(InvokeCall *invoke)
{
    Error refusal = explain_refusal(invoke);
    if (refusal != OK)
        call_finish(invoke->call, refusal);
    return refusal != OK;
}

Slice invoke_call_log(const InvokeCall *invoke)
{
    if (!invoke->with_log)
        return (Slice){0};
    return base64_encode(invoke->call->arena, invoke->invocation.log_tail);
}

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

static Error read_payload(InvokeCall *invoke, Slice payload)
{
    Slice problem;
    invoke->invocation.payload = payload.size == 0 ? SLICE("{}") : payload;
    if (payload_is_json(invoke->invocation.payload, invoke->call->arena, &problem))
        return OK;
    return refuse_content(invoke->call,
                          "Could not parse request body into json: Could not parse payload into json: %.*s", problem);
}

static bool is_object(Slice json)
{
    size_t i = 0;
    while (i < json.size &&
           (json.data[i] == ' ' || json.data[i] == '\t' || json.data[i] == '\r' || json.data[i] == '\n'))
        i++;
    return i < json.size && json.data[i] == '{';
}

static Error read_client_context(InvokeCall *invoke, Slice context)
{
    Call *call = invoke->call;
    Slice json;
    if (context.data == NULL)
        return OK;
    if (context.size > CLIENT_CONTEXT_MAX)
        return refuse_content(call, "Client context must be at most 3583 bytes of Base64.%.*s", (Slice){0});
    if (base64_decode(call->arena, context, &json) != OK || json_check(json) != OK || !is_object(json))
        return refuse_content(call, "Client context must be a valid Base64-encoded JSON object.%.*s", (Slice){0});
    invoke->invocation.client_context = json;
    return OK;
}

static Error read_type(InvokeCall *invoke, Slice type)
{
    Call *call = invoke->call;
    if (slice_equal(type, SLICE("Event")))
        return call_fail(call, &common_not_implemented,
                         "Brume does not implement Lambda %.*s with InvocationType Event.",
                         SLICE_PRINT(call->operation->name));
    invoke->dry_run = slice_equal(type, SLICE("DryRun"));
    return OK;
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
static bool is_own(const Call *call, Slice function_name)
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
    if (!is_own(invoke->call, arguments->function_name))
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
static Error refuse_lookup(InvokeCall *invoke, Error error)
{
    LambdaName *name = &invoke->name;
    if (name->qualifier.data == NULL)
        name->qualifier = SLICE("$LATEST");
    return lambda_refuse(invoke->call, name, error);
}

static void on_found(StoreCall *lookup)
{
    InvokeCall *invoke = CONTAINER_OF(lookup, InvokeCall, lookup);
    Error error = lookup->result == OK ? check_found(invoke) : refuse_lookup(invoke, lookup->result);
    if (error == OK)
        invoke->found(invoke);
    else
        call_finish(invoke->call, error);
}

Error invoke_call_start(InvokeCall *invoke, const InvokeArguments *arguments)
{
    Call *call = invoke->call;
    invoke->arguments = arguments;
    TRY(read_type(invoke, arguments->invocation_type));
    if (call_invoker(call) == NULL)
        return call_fail(call, &common_not_implemented,
                         "This server runs no functions: `brume doctor` tells what its machine lacks.");
    TRY(read_client_context(invoke, arguments->client_context));
    TRY(read_payload(invoke, arguments->payload));
    if (is_own(call, arguments->function_name))
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

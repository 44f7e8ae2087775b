#include "aws/lambda/invoke_call.h"

#include "aws/lambda/payload.h"
#include "aws/wire/common_error.h"
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

static Error refuse_state(Call *call, const char *state)
{
    return call_fail(
        call, &lambda_error_resource_conflict_exception,
        "The operation cannot be performed at this time. The function is currently in the following state: "
        "%s",
        state);
}

static Error refuse_not_found(InvokeCall *invoke)
{
    const RunRequest *request = &invoke->request;
    return call_fail(invoke->call, &lambda_error_resource_not_found_exception,
                     "Function not found: arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", SLICE_PRINT(request->region),
                     SLICE_PRINT(request->account), SLICE_PRINT(request->name), request->qualifier.size > 0 ? ":" : "",
                     SLICE_PRINT(request->qualifier));
}

/* What core says, in AWS's words; codes that every operation may give stay as they are. */
static Error explain(InvokeCall *invoke, Error error)
{
    Call *call = invoke->call;
    switch (error) {
    case FUNCTION_NOT_FOUND:
    case FUNCTION_VERSION_NOT_FOUND:
    case FUNCTION_ALIAS_NOT_FOUND:
        return refuse_not_found(invoke);
    case FUNCTION_PENDING:
        return refuse_state(call, "Pending");
    case FUNCTION_INACTIVE:
        return refuse_state(call, "Inactive");
    case FUNCTION_FAILED:
        return refuse_state(call, "Failed");
    case FUNCTION_TENANT_MISSING:
        return call_fail(call, &lambda_error_invalid_parameter_value_exception,
                         "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your "
                         "request and try again.");
    case FUNCTION_TENANT_UNKNOWN:
        return call_fail(
            call, &lambda_error_invalid_parameter_value_exception,
            "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your "
            "request and try again.");
    default:
        return error;
    }
}

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

static Error lookup_body(Txn *txn, StoreCall *lookup)
{
    InvokeCall *invoke = CONTAINER_OF(lookup, InvokeCall, lookup);
    return run_find(txn, &invoke->request, lookup->arena, &invoke->run);
}

static Error check_found(InvokeCall *invoke)
{
    if (!invoke->run.in_loop)
        return OK;
    return call_fail(invoke->call, &lambda_error_recursive_invocation_exception,
                     "Lambda has detected your function being invoked in a recursive loop with other AWS resources and "
                     "stopped your function's invocation.");
}

static void on_found(StoreCall *lookup)
{
    InvokeCall *invoke = CONTAINER_OF(lookup, InvokeCall, lookup);
    Error error = lookup->result == OK ? check_found(invoke) : explain(invoke, lookup->result);
    if (error == OK)
        invoke->found(invoke);
    else
        call_finish(invoke->call, error);
}

Error invoke_call_start(InvokeCall *invoke, const InvokeArguments *arguments)
{
    Call *call = invoke->call;
    TRY(read_type(invoke, arguments->invocation_type));
    if (call_invoker(call) == NULL)
        return call_fail(call, &common_not_implemented, "This server runs no functions.");
    TRY(read_client_context(invoke, arguments->client_context));
    TRY(read_payload(invoke, arguments->payload));
    invoke->with_log = slice_equal(arguments->log_type, SLICE("Tail"));
    invoke->invocation.request_id = call->request_id;
    invoke->invocation.mailbox = call_mailbox(call);
    invoke->request = (RunRequest){
        .account = call->actor.account,
        .region = call->actor.region,
        .name = arguments->function_name,
        .qualifier = arguments->qualifier,
        .tenant_id = arguments->tenant_id,
        .trace = call->trace,
        .wall_ms = call->wall_ms,
        .limits = call->limits,
    };
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

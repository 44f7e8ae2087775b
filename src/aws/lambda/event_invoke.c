#include "aws/lambda/event_invoke.h"

#include "base/list.h"
#include "core/event.h"

/* Lives in its call's arena. */
typedef struct EventCall {
    Call *call;
    const InvokeArguments *arguments;
    LambdaName name;
    FunctionEvent event;
    bool is_own;
    StoreCall store_call;
    void (*accepted)(void *output);
    void *output;
} EventCall;

/* Lambda quotas, "Invocation payload (asynchronous)". */
static Error check_size(Call *call, Slice payload)
{
    uint64_t limit = call->limits->value[LIMIT_LAMBDA_EVENT_BYTES];
    if (payload.size <= limit)
        return OK;
    return call_fail(call, &lambda_error_request_too_large_exception,
                     "%zu byte payload is too large for the Event invocation type (limit %ju bytes)", payload.size,
                     (uintmax_t)limit);
}

static Error accept_body(Txn *txn, StoreCall *store_call)
{
    EventCall *invoke = CONTAINER_OF(store_call, EventCall, store_call);
    const InvokeArguments *arguments = invoke->arguments;
    Function function;
    if (!invoke->is_own)
        TRY(lambda_find(invoke->call, txn, arguments->function_name, arguments->qualifier, &invoke->name, &function));
    FunctionEvent event = invoke->event;
    event.account = invoke->name.account;
    event.region = invoke->name.region;
    event.name = invoke->name.name;
    event.qualifier = invoke->name.qualifier;
    return event_send(txn, &event);
}

static void on_accepted(StoreCall *store_call)
{
    EventCall *invoke = CONTAINER_OF(store_call, EventCall, store_call);
    Error error = store_call->result;
    if (error == OK)
        invoke->accepted(invoke->output);
    else
        error = invoke_refuse_lookup(invoke->call, &invoke->name, error);
    call_finish(invoke->call, error);
}

/* One write, in which the function is found and the event accepted. */
Error event_invoke_start(Call *call, const InvokeArguments *arguments, void (*accepted)(void *output), void *output)
{
    EventCall *invoke = ARENA_NEW(call->arena, EventCall);
    *invoke = (EventCall){.call = call, .arguments = arguments, .accepted = accepted, .output = output};
    TRY(invoke_check_runs(call));
    TRY(invoke_read_client_context(call, arguments->client_context, &invoke->event.client_context));
    TRY(check_size(call, arguments->payload));
    TRY(invoke_read_payload(call, arguments->payload, &invoke->event.payload));
    invoke->is_own = invoke_is_own(call, arguments->function_name);
    invoke->name = (LambdaName){.account = call->actor.account, .region = call->actor.region};
    if (invoke->is_own)
        TRY(lambda_read_name(call, arguments->function_name, arguments->qualifier, &invoke->name));
    else
        lambda_split_name(arguments->function_name, &invoke->name);
    invoke->event.request_id = call->request_id;
    invoke->event.trace = call->trace.size > 0 ? call->trace : (Slice){0};
    invoke->event.tenant_id = arguments->tenant_id;
    invoke->store_call = (StoreCall){
        .body = accept_body,
        .done = on_accepted,
        .mailbox = call_mailbox(call),
        .arena = call->arena,
        .home = function_home(invoke->name.account, invoke->name.region, invoke->name.name),
        .refusable = true,
    };
    store_write(call_store(call), &invoke->store_call);
    return OK;
}

/* ---- InvokeAsync ---- */

static void async_accepted(void *output)
{
    InvokeAsyncOutput *out = output;
    out->has_status = true;
    out->status = 202;
}

Error lambda_invoke_async(Call *call, Txn *txn, const InvokeAsyncInput *input, InvokeAsyncOutput *output)
{
    (void)txn;
    InvokeArguments *arguments = ARENA_NEW(call->arena, InvokeArguments);
    *arguments = (InvokeArguments){.function_name = input->function_name, .payload = input->invoke_args};
    return event_invoke_start(call, arguments, async_accepted, output);
}

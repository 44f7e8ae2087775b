/* invoke.c: Invoke: an event goes to a function, and its answer comes back whole (Lambda API reference, "Invoke"). */
#include "aws/lambda/event_invoke.h"
#include "aws/lambda/invoke_call.h"
#include "base/list.h"

static void set_status(InvokeOutput *output, int32_t status)
{
    output->has_status_code = true;
    output->status_code = status;
}

static void on_accepted(void *output)
{
    set_status(output, 202);
}

/* A handler's failure is an answer as any other: the document in its place, and the field that says so. */
static void on_done(Invocation *invocation)
{
    InvokeCall *invoke = CONTAINER_OF(invocation, InvokeCall, invocation);
    InvokeOutput *output = invoke->output;
    if (invoke_call_refused(invoke))
        return;
    set_status(output, 200);
    output->executed_version = invoke->run.spec.version;
    output->payload = invocation->result;
    if (invocation->failed)
        output->function_error = SLICE("Unhandled");
    output->log_result = invoke_call_log(invoke);
    invoke->call->content_type = SLICE("application/json");
    call_finish(invoke->call, OK);
}

static void on_found(InvokeCall *invoke)
{
    if (invoke->dry_run) {
        set_status(invoke->output, 204);
        call_finish(invoke->call, OK);
        return;
    }
    /* Nothing is allocated for the call until it is done. */
    invoke->invocation.arena = invoke->call->arena;
    invoke->invocation.payload_limit = invoke->call->limits->value[LIMIT_LAMBDA_RESPONSE_BYTES];
    invoke->invocation.done = on_done;
    invoke_call_run(invoke);
}

Error lambda_invoke(Call *call, Txn *txn, const InvokeInput *input, InvokeOutput *output)
{
    (void)txn;
    InvokeArguments *arguments = ARENA_NEW(call->arena, InvokeArguments);
    *arguments = (InvokeArguments){
        .function_name = input->function_name,
        .qualifier = input->qualifier,
        .invocation_type = input->invocation_type,
        .log_type = input->log_type,
        .client_context = input->client_context,
        .payload = input->payload,
        .tenant_id = input->tenant_id,
    };
    if (input->durable_execution_name.data != NULL)
        return call_fail(call, &common_not_implemented,
                         "Brume does not implement Lambda Invoke with DurableExecutionName.");
    if (slice_equal(input->invocation_type, SLICE("Event")))
        return event_invoke_start(call, arguments, on_accepted, output);
    InvokeCall *invoke = ARENA_NEW(call->arena, InvokeCall);
    invoke->call = call;
    invoke->output = output;
    invoke->found = on_found;
    return invoke_call_start(invoke, arguments);
}

/* invoke_stream.c: InvokeWithResponseStream: the answer comes in messages of an event stream, as the handler writes it
 * (Lambda API reference, "InvokeWithResponseStream").
 *
 * A client that reads slowly holds the handler back; nothing of what has passed stays here. What a handler gives whole is
 * a chunk, too. */
#include "aws/lambda/invoke_call.h"
#include "base/json.h"
#include "base/list.h"

enum { CHUNK_MAX = 16 * 1024 * 1024 }; /* of a message of an event stream, which has 24 MiB at most */

typedef struct Streaming {
    InvokeCall invoke;
    Arena arena; /* the invocation's: the head of the answer is made in the call's while the invocation runs */
    bool started;
} Streaming;

static Streaming *streaming_of(Invocation *invocation)
{
    return CONTAINER_OF(CONTAINER_OF(invocation, InvokeCall, invocation), Streaming, invoke);
}

static void on_writable(Call *call)
{
    Streaming *streaming = call->user;
    invoker_resume(call_invoker(call), &streaming->invoke.invocation);
}

static void start(Streaming *streaming)
{
    InvokeWithResponseStreamOutput *output = streaming->invoke.output;
    output->has_status_code = true;
    output->status_code = 200;
    output->executed_version = streaming->invoke.run.spec.version;
    output->response_stream_content_type = SLICE("application/vnd.amazon.eventstream");
    streaming->started = true;
    call_stream_start(streaming->invoke.call, output->response_stream_content_type, on_writable);
}

static bool write_chunk(Streaming *streaming, Slice bytes)
{
    return call_stream_event(streaming->invoke.call, SLICE("PayloadChunk"), SLICE("application/octet-stream"), bytes);
}

/* The head of an HTTP answer stands before its body, and behind it eight zeros, as the runtime sends it (Lambda developer
 * guide, "Response streaming for Lambda functions"); a function URL takes it off, this operation does not. */
static void on_start(Invocation *invocation, Slice content_type, Slice prelude)
{
    static const char zeros[8];
    Streaming *streaming = streaming_of(invocation);
    (void)content_type;
    start(streaming);
    if (prelude.data == NULL)
        return;
    write_chunk(streaming, prelude);
    write_chunk(streaming, slice_make(zeros, sizeof zeros));
}

static bool on_piece(Invocation *invocation, Slice piece)
{
    return write_chunk(streaming_of(invocation), piece);
}

static void write_complete(Streaming *streaming)
{
    const Invocation *invocation = &streaming->invoke.invocation;
    Buffer document = buffer_make(streaming->invoke.call->arena);
    JsonWriter writer = json_writer(&document);
    json_write_object_begin(&writer);
    if (invocation->failed) {
        json_write_name(&writer, SLICE("ErrorCode"));
        json_write_string(&writer, SLICE("Unhandled"));
        json_write_name(&writer, SLICE("ErrorDetails"));
        json_write_string(&writer, utf8_is_valid(invocation->result) ? invocation->result : SLICE(""));
    }
    if (streaming->invoke.with_log) {
        json_write_name(&writer, SLICE("LogResult"));
        json_write_string(&writer, invoke_call_log(&streaming->invoke));
    }
    json_write_object_end(&writer);
    call_stream_event(streaming->invoke.call, SLICE("InvokeComplete"), SLICE("application/json"),
                      buffer_slice(&document));
}

static void on_done(Invocation *invocation)
{
    Streaming *streaming = streaming_of(invocation);
    Arena arena = streaming->arena; /* the call, in which it lies, ends before it */
    if (!invoke_call_refused(&streaming->invoke)) {
        if (!streaming->started)
            start(streaming);
        for (Slice rest = invocation->failed ? (Slice){0} : invocation->result; rest.size > 0;) {
            size_t size = rest.size < CHUNK_MAX ? rest.size : CHUNK_MAX;
            write_chunk(streaming, slice_make(rest.data, size));
            rest = slice_skip(rest, size);
        }
        write_complete(streaming);
        call_stream_end(streaming->invoke.call);
    }
    arena_free(&arena);
}

static void on_found(InvokeCall *invoke)
{
    Streaming *streaming = CONTAINER_OF(invoke, Streaming, invoke);
    Call *call = invoke->call;
    if (invoke->dry_run) {
        InvokeWithResponseStreamOutput *output = invoke->output;
        output->has_status_code = true;
        output->status_code = 204;
        call_finish(call, OK);
        return;
    }
    call->user = streaming;
    streaming->arena = arena_make();
    invoke->invocation.arena = &streaming->arena;
    invoke->invocation.payload_limit = call->limits->value[LIMIT_LAMBDA_STREAM_BYTES];
    invoke->invocation.streamed = true;
    invoke->invocation.on_start = on_start;
    invoke->invocation.on_piece = on_piece;
    invoke->invocation.done = on_done;
    invoke_call_run(invoke);
}

Error lambda_invoke_with_response_stream(Call *call, Txn *txn, const InvokeWithResponseStreamInput *input,
                                         InvokeWithResponseStreamOutput *output)
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
    Streaming *streaming = ARENA_NEW(call->arena, Streaming);
    streaming->invoke.call = call;
    streaming->invoke.output = output;
    streaming->invoke.found = on_found;
    return invoke_call_start(&streaming->invoke, arguments);
}

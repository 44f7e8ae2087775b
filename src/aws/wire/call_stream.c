/* call_stream.c: answers in pieces, of @async operations (call.h). Back-pressure is net's: a writer is told to stop, and to
 * go on. Nothing of a piece stays behind it, so that a stream may be as long as it likes. */
#include "aws/wire/answer.h"
#include "base/bug.h"
#include "base/event_stream.h"
#include "base/json.h"

static void on_writable(HttpRequest *request)
{
    CallState *state = request->user;
    if (state->on_writable != NULL)
        state->on_writable(&state->call);
}

void call_stream_start(Call *call, Slice content_type, void (*writable)(Call *call))
{
    CallState *state = call->state;
    ASSERT(call->operation->mode == OPERATION_ASYNC && !state->streaming);
    call->error = NULL;
    state->streaming = true;
    state->on_writable = writable;
    answer_stream(state, content_type, on_writable);
}

bool call_stream_write(Call *call, Slice piece)
{
    return http_respond_write(call->state->request, piece);
}

static bool write_message(Call *call, const EventHeader *headers, size_t count, Slice payload)
{
    Arena arena = arena_make();
    Buffer message = buffer_make(&arena);
    ASSERT(event_stream_encode(&message, headers, count, payload) == OK);
    bool more = call_stream_write(call, buffer_slice(&message));
    arena_free(&arena);
    return more;
}

bool call_stream_event(Call *call, Slice event_type, Slice content_type, Slice payload)
{
    EventHeader headers[] = {
        event_header_string(SLICE(":message-type"), SLICE("event")),
        event_header_string(SLICE(":event-type"), event_type),
        event_header_string(SLICE(":content-type"), content_type),
    };
    return write_message(call, headers, content_type.size > 0 ? 3 : 2, payload);
}

bool call_stream_exception(Call *call, const ApiError *error, Slice message)
{
    EventHeader headers[] = {
        event_header_string(SLICE(":message-type"), SLICE("exception")),
        event_header_string(SLICE(":exception-type"), error->name),
        event_header_string(SLICE(":content-type"), SLICE("application/json")),
    };
    Arena arena = arena_make();
    Buffer payload = buffer_make(&arena);
    encode_json_error(error, (Slice){0}, message, NULL, &payload);
    bool more = write_message(call, headers, 3, buffer_slice(&payload));
    arena_free(&arena);
    return more;
}

void call_stream_end(Call *call)
{
    ASSERT(call->state->streaming);
    call_report(call->state, OK);
    http_respond_end(call->state->request);
}

void call_stream_abort(Call *call, Error why)
{
    ASSERT(call->state->streaming);
    call_report(call->state, why);
    http_respond_abort(call->state->request);
}

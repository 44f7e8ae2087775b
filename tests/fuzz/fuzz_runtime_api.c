/* The Runtime API takes whatever a function's program sends, and what goes to the server is a sequence of frames that the
 * channel's contract allows: one answer to an event, pieces only between a stream's start and its end. */
#include "runtime/runtime_api_internal.h"

#include "base/bug.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char event[] = "\x19\0\0\0{\"requestId\":\"1\",\"a\":[0]}[]";

typedef struct Seen {
    bool has_begun;
    bool is_ready;
    bool is_over;
    bool has_event; /* that is not answered */
    bool is_streaming;
} Seen;

static void answer(Seen *seen, const Api *api)
{
    seen->has_event = false;
    seen->is_ready = api->extensions.count == 0;
}

static void check_frame(Seen *seen, const Api *api, FrameKind kind)
{
    switch (kind) {
    case FRAME_READY:
        ASSERT(!seen->is_ready && !seen->has_event && !seen->is_over);
        seen->is_ready = seen->has_begun = true;
        break;
    case FRAME_INIT_ERROR:
        ASSERT(!seen->has_begun && !seen->is_over);
        break;
    case FRAME_LOG: /* of extensions that register */
        break;
    case FRAME_FAULT:
        ASSERT(seen->has_begun && !seen->is_over);
        seen->is_over = true;
        break;
    case FRAME_STREAM_START:
        ASSERT(seen->has_event && !seen->is_streaming);
        seen->is_streaming = true;
        break;
    case FRAME_STREAM_PIECE:
        ASSERT(seen->is_streaming);
        break;
    case FRAME_STREAM_END:
    case FRAME_STREAM_ERROR:
        ASSERT(seen->is_streaming);
        seen->is_streaming = false;
        answer(seen, api);
        break;
    case FRAME_RESPONSE:
    case FRAME_ERROR:
        ASSERT(seen->has_event && !seen->is_streaming);
        answer(seen, api);
        break;
    default:
        UNREACHABLE();
    }
}

/* Takes what would go to the server, and sends the next event as soon as the last is answered. */
static void play_server(Api *api, Seen *seen)
{
    api_advance(api);
    for (Slice left = api_bytes_left(&api->output); left.size > 0; left = api_bytes_left(&api->output)) {
        ASSERT(left.size >= CHANNEL_HEADER_SIZE);
        uint32_t length;
        memcpy(&length, left.data + 4, sizeof length);
        ASSERT(left.size - CHANNEL_HEADER_SIZE >= length);
        check_frame(seen, api, (FrameKind)left.data[0]);
        api_bytes_take(&api->output, CHANNEL_HEADER_SIZE + length);
    }
    if (seen->is_ready && !seen->is_over && !api->has_event) {
        seen->has_event = true;
        seen->is_ready = false;
        ASSERT(api_take_event(api, slice_make(event, sizeof event - 1)));
    }
}

/* Sends `size` bytes over a connection, and lets it take them; a program that reads its answers at once. */
static void feed(Api *api, Seen *seen, int program, const uint8_t *data, size_t size)
{
    ApiConnection *connection = &api->connections[0];
    char answers[4096];
    if (send(program, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) <= 0)
        return;
    for (int i = 0; i < 1000 && connection->file >= 0; i++) {
        bool did = false;
        if (api_connection_reads(connection))
            did = api_connection_read(connection);
        play_server(api, seen);
        if (connection->file >= 0 && api_connection_writes(connection)) {
            api_connection_write(connection);
            did = true;
        }
        play_server(api, seen);
        while (recv(program, answers, sizeof answers, MSG_DONTWAIT) > 0)
            continue;
        if (!did)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2];
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    Api *api = calloc(1, sizeof *api);
    ASSERT(api != NULL);
    for (size_t i = 0; i < API_CONNECTIONS; i++)
        api->connections[i].file = -1;
    api->phase = API_PHASE_RUNTIME;
    api->bootstrap = api->extensions.program_output.file = api->extensions.program_errors.file = -1;
    api_connection_open(api, &api->connections[0], pair[0]);
    Seen seen = {0};
    /* A byte says how much comes at once. */
    while (size > 0) {
        size_t piece = *data == 0 ? size - 1 : *data < size - 1 ? *data : size - 1;
        feed(api, &seen, pair[1], data + 1, piece);
        data += 1 + piece;
        size -= 1 + piece;
    }
    close(pair[1]);
    if (api->connections[0].file >= 0)
        api_connection_close(&api->connections[0]);
    play_server(api, &seen);
    extensions_close(api);
    telemetry_close(api);
    api_bytes_free(&api->event);
    api_bytes_free(&api->output);
    arena_free(&api->arena);
    free(api);
    return 0;
}

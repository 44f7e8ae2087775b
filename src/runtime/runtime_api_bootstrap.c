/* A program that speaks frames itself (runtimes/): what it says is passed on, but for when it is ready, which is told when
 * the extensions are, too. */
#include "runtime/runtime_api_internal.h"

#include "base/json.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { END_MS = 200 /* for a program that has closed its channel to end */ };

int api_bootstrap_open(Api *api)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    api->bootstrap = pair[0];
    return pair[1];
}

void api_bootstrap_close(Api *api)
{
    if (api->bootstrap >= 0)
        close(api->bootstrap);
    api->bootstrap = -1;
    api_bytes_free(&api->bootstrap_input);
    api_bytes_free(&api->bootstrap_output);
}

/* ---- To it ---- */

static void write_environment(Api *api, JsonWriter *json, Slice environment)
{
    Slice address = arena_format(&api->arena, "127.0.0.1:%d", api->port);
    JsonReader reader = json_reader(environment, &api->arena);
    Slice name, value;
    json_write_object_begin(json);
    json_write_name(json, SLICE("AWS_LAMBDA_RUNTIME_API"));
    json_write_string(json, address);
    if (json_begin_object(&reader) == OK) {
        while (json_next_member(&reader, &name) == OK && name.data != NULL && json_read_any(&reader, &value) == OK) {
            if (slice_equal(name, SLICE("AWS_LAMBDA_RUNTIME_API")))
                continue;
            json_write_name(json, name);
            json_write_raw(json, value);
        }
    }
    json_write_object_end(json);
}

/* The frame has been checked by api_program_read. */
void api_bootstrap_init(Api *api)
{
    Buffer out = buffer_make(&api->arena);
    JsonWriter json = json_writer(&out);
    JsonReader reader = json_reader(api->function.init, &api->arena);
    Slice name, value;
    json_write_object_begin(&json);
    if (json_begin_object(&reader) == OK) {
        while (json_next_member(&reader, &name) == OK && name.data != NULL && json_read_any(&reader, &value) == OK) {
            json_write_name(&json, name);
            if (slice_equal(name, SLICE("environment")))
                write_environment(api, &json, value);
            else
                json_write_raw(&json, value);
        }
    }
    json_write_object_end(&json);
    api_frame_add(&api->bootstrap_output, FRAME_INIT, buffer_slice(&out));
}

void api_bootstrap_event(Api *api, Slice content)
{
    api_frame_add(&api->bootstrap_output, FRAME_INVOKE, content);
    api->has_sent_event = true;
    api->state = API_RUNNING;
    api_bootstrap_write(api);
}

bool api_bootstrap_writes(const Api *api)
{
    return api->bootstrap >= 0 && api_bytes_left(&api->bootstrap_output).size > 0;
}

void api_bootstrap_write(Api *api)
{
    Slice left = api_bytes_left(&api->bootstrap_output);
    while (api->bootstrap >= 0 && left.size > 0) {
        ssize_t sent = send(api->bootstrap, left.data, left.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0)
            return; /* of one that has ended, its exit tells */
        api_bytes_take(&api->bootstrap_output, (size_t)sent);
        left = api_bytes_left(&api->bootstrap_output);
    }
    if (api->has_sent_event && left.size == 0) {
        api->has_sent_event = false;
        api->taken_count++;
    }
}

/* ---- From it ---- */

/* What it says of itself; false: the server is not told. */
static bool hear(Api *api, FrameKind kind, Slice content)
{
    switch (kind) {
    case FRAME_READY:
        if (api->state == API_STARTED)
            api->state = API_READY;
        return false;
    case FRAME_INIT_ERROR:
        api->state = API_INIT_FAILED;
        return true;
    case FRAME_STREAM_START:
        api->state = API_STREAMING;
        return true;
    case FRAME_RESPONSE:
    case FRAME_ERROR:
    case FRAME_STREAM_END:
    case FRAME_STREAM_ERROR:
        api->state = API_ANSWERED;
        return true;
    case FRAME_EXIT:
    case FRAME_FAULT: /* this process's own to say */
        return false;
    case FRAME_LOG:
        telemetry_line(api, TELEMETRY_FUNCTION, content);
        return true;
    default:
        return true;
    }
}

static void take_frames(Api *api)
{
    FrameKind kind;
    Slice content;
    int found;
    while ((found = api_frame_next(&api->bootstrap_input, &kind, &content)) == 1) {
        if (hear(api, kind, content)) {
            /* What was written to stdout and stderr before an answer belongs before it. */
            if (api->state == API_ANSWERED)
                extension_pipes_read(api);
            api_frame(api, kind, content);
        }
        api_bytes_take(&api->bootstrap_input, CHANNEL_HEADER_SIZE + content.size);
    }
    if (found < 0)
        api->is_lost = true;
}

bool api_bootstrap_reads(const Api *api)
{
    return api->bootstrap >= 0 && api->bootstrap_by_ms == 0 && api_bytes_left(&api->output).size <= API_BACKLOG_BYTES;
}

bool api_bootstrap_read(Api *api)
{
    ApiBytes *input = &api->bootstrap_input;
    char *place = api_bytes_reserve(input, api_frame_lacks(input));
    ssize_t got = recv(api->bootstrap, place, input->capacity - input->size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        api->bootstrap_by_ms = api_now_ms() + END_MS;
        return false;
    }
    input->size += (size_t)got;
    take_frames(api);
    return true;
}

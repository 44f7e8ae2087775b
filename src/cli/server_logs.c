/* server_logs.c: what functions log goes into their log groups, and into a file where one is asked for. */
#include "aws/logs/forward_event.h"
#include "base/time_format.h"
#include "cli/server.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

enum {
    FLUSH_MS = 100,      /* what a line waits for others at most, before it is kept */
    FINISH_TRIES = 2000, /* at the end, a millisecond each */
};

/* ---- Files ---- */

/* For who develops functions: a line begins with when and which. */
static void write_log(Server *server, const WorkerSpec *spec, uint64_t wall_ms, Slice text)
{
    char time[TIME_TEXT_MAX];
    Arena scratch = arena_make();
    Buffer out = buffer_make(&scratch);
    buffer_add_format(&out, "%.*s %.*s[%.*s] %.*s", SLICE_PRINT(time_format_iso_ms((int64_t)wall_ms, time)),
                      SLICE_PRINT(spec->name), SLICE_PRINT(spec->version), SLICE_PRINT(text));
    if (!slice_ends_with(text, SLICE("\n")))
        buffer_add_byte(&out, '\n');
    Slice line = buffer_slice(&out);
    while (line.size > 0) {
        ssize_t written = write(server->function_log, line.data, line.size);
        if (written < 0 && errno != EINTR)
            break; /* a full disk must not stop functions */
        line = slice_skip(line, written < 0 ? 0 : (size_t)written);
    }
    arena_free(&scratch);
}

/* ---- Groups ---- */

static void on_flush(uv_timer_t *timer)
{
    Server *server = CONTAINER_OF(timer, Server, log_flush);
    if (log_sink_flush(server->log_sink))
        uv_timer_start(timer, on_flush, FLUSH_MS, 0);
}

static void on_function_log(void *user, const WorkerSpec *spec, Slice stream, uint64_t wall_ms, Slice request_id,
                            Slice text)
{
    Server *server = user;
    LogSinkLine line = {spec->account, spec->region, spec->log_group, stream, text};
    log_sink_add(server->log_sink, &line);
    if (!uv_is_active((uv_handle_t *)&server->log_flush))
        uv_timer_start(&server->log_flush, on_flush, FLUSH_MS, 0);
    if (server->function_log >= 0)
        write_log(server, spec, wall_ms, text);
    else
        LOG(&server->log, DEBUG, "function_log", log_text("function", spec->name), log_text("version", spec->version),
            log_text("stream", stream), log_text("request_id", request_id), log_text("text", text));
}

static uint64_t dropped(void *user)
{
    const Server *server = user;
    return log_sink_dropped(server->log_sink);
}

/* Also where no functions can run: what they are sent waits for them, and metric filters need none. */
void server_forwarder_open(Server *server)
{
    server->log_meter = log_meter_open(server->os);
    server->log_forwarder = log_forwarder_open(&(LogForwarderOptions){
        .store = server->store,
        .mailbox = loop_mailbox(server->loops[0]),
        .pool = server->pool,
        .payload = logs_forward_payload,
        .meter = server->log_meter,
        .log = &server->log,
    });
}

FunctionLog server_logs_open(Server *server)
{
    LogSinkOptions options = {
        .store = server->store,
        .mailbox = loop_mailbox(server->loops[0]),
        .os = server->os,
        .limits = &server->settings.limits,
        .log = &server->log,
    };
    server->log_sink = log_sink_open(&options);
    uv_timer_init(loop_uv(server->loops[0]), &server->log_flush);
    return (FunctionLog){.user = server, .event = on_function_log, .dropped = dropped};
}

void server_logs_finish(Server *server)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    /* What is on its way comes back by the loop's mailbox; only then is the rest of its group handed over. */
    if (server->log_sink == NULL)
        return;
    for (unsigned i = 0; log_sink_flush(server->log_sink) && i < FINISH_TRIES; i++) {
        nanosleep(&moment, NULL);
        loop_drain(server->loops[0]);
    }
    log_sink_stop(server->log_sink);
}

void server_logs_close(Server *server)
{
    if (server->log_sink != NULL) {
        /* The loop runs once more when connections are closed. */
        uv_timer_stop(&server->log_flush);
        log_sink_close(server->log_sink);
    }
    if (server->log_forwarder == NULL)
        return;
    log_forwarder_close(server->log_forwarder);
    log_meter_close(server->log_meter);
}

/* http_server.c: a server of src/net alone, for load and for trying things by hand.
 *
 * http_server ADDRESS [LOOPS]: answers "ok" to everything; POST /echo answers the body; /stream?BYTES streams that many;
 * /park never answers. Prints where it listens; ends on SIGTERM when it has drained. */
#include "net/http.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t wall_us(Os *os)
{
    (void)os;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void ready(HttpRequest *request, Error error, Slice body)
{
    HttpHeader type = {SLICE("content-type"), SLICE("application/octet-stream")};
    HttpResponse response = {.status = 200, .headers = &type, .header_count = 1, .body = SLICE("ok\n")};
    if (error == ERROR_TOO_LARGE)
        response.status = 413;
    else if (error != OK)
        response.status = 400;
    else if (slice_equal(request->path, SLICE("/echo")))
        response.body = body;
    http_respond(request, &response);
}

typedef struct Stream {
    uint64_t left;
} Stream;

static void write_some(HttpRequest *request)
{
    static const char bytes[65536];
    Stream *stream = request->user;
    while (stream->left > 0) {
        size_t size = stream->left < sizeof bytes ? stream->left : sizeof bytes;
        stream->left -= size;
        if (!http_respond_write(request, slice_make(bytes, size)))
            return;
    }
    http_respond_end(request);
}

static void park_gone(HttpRequest *request)
{
    http_respond(request, &(HttpResponse){.status = 204});
}

static void on_request(HttpHandler *handler, HttpRequest *request)
{
    (void)handler;
    if (slice_equal(request->path, SLICE("/park"))) {
        request->on_gone = park_gone;
    } else if (slice_equal(request->path, SLICE("/stream"))) {
        Stream *stream = ARENA_NEW(request->arena, Stream);
        slice_parse_uint64(request->query, &stream->left);
        request->user = stream;
        http_respond_stream(request, &(HttpResponse){.status = 200}, write_some);
        write_some(request);
    } else {
        http_request_read_body(request, SIZE_MAX, ready);
    }
}

static Loop *loops[16];
static HttpServer *server;

static void stop(Task *task)
{
    (void)task;
    loop_stop(loops[0]);
}

static void on_signal(uv_signal_t *handle, int number)
{
    static Task drained = {.run = stop};
    (void)number;
    uv_close((uv_handle_t *)handle, NULL);
    http_server_drain(server, &drained, loop_mailbox(loops[0]));
}

int main(int argc, char **argv)
{
    static const OsOperations operations = {.wall_us = wall_us};
    Os os = {&operations};
    HttpHandler handler = {on_request};
    size_t count = argc > 2 ? (size_t)atoi(argv[2]) : 1;
    for (size_t i = 0; i < count; i++)
        if (loop_open(&os, &loops[i]) != OK)
            return 1;
    HttpServerOptions options = {.loops = loops, .loop_count = count, .handler = &handler, .limits = &limits_default};
    Arena arena = arena_make();
    Slice bound;
    if (http_server_open(&options, &server) != OK)
        return 1;
    Error error = http_server_listen(server, argc > 1 ? argv[1] : "127.0.0.1:0", &arena, &bound);
    if (error != OK) {
        fprintf(stderr, "cannot listen: %s\n", error_text(error));
        return 1;
    }
    printf("%.*s\n", SLICE_PRINT(bound));
    fflush(stdout);
    uv_signal_t terminate;
    uv_signal_init(loop_uv(loops[0]), &terminate);
    uv_signal_start(&terminate, on_signal, SIGTERM);
    for (size_t i = 1; i < count; i++)
        loop_start(loops[i]);
    loop_run(loops[0]);
    for (size_t i = 1; i < count; i++)
        loop_stop(loops[i]);
    http_server_close(server);
    for (size_t i = 0; i < count; i++)
        loop_close(loops[i]);
    arena_free(&arena);
    return 0;
}

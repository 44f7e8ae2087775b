#include "http_fuzz.h"

#include "base/bug.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t fixed_wall_us(Os *os)
{
    (void)os;
    return 0;
}

static void whole(HttpRequest *request, Error error, Slice body)
{
    int status = error == OK ? 200 : error == ERROR_TOO_LARGE ? 413 : 400;
    http_respond(request, &(HttpResponse){.status = status, .body = body});
}

/* Counts, pausing at each piece, and answers in a stream. */
static void piece(HttpRequest *request, Error error, Slice data, bool end)
{
    size_t *count = request->user;
    *count += data.size;
    if (!end) {
        http_request_pause(request);
        http_request_resume(request);
        return;
    }
    http_respond_stream(request, &(HttpResponse){.status = error == OK ? 200 : 400}, NULL);
    http_respond_write(request, arena_format(request->arena, "%zu", error == OK ? *count : 0));
    http_respond_end(request);
}

/* Answers when the client has gone. */
static void give_up(HttpRequest *request)
{
    http_respond(request, &(HttpResponse){.status = 200, .body = SLICE("given up")});
}

/* Streams more than windows let through. */
static void write_on(HttpRequest *request)
{
    static const char bytes[10000];
    size_t *count = request->user;
    while (*count < 20) {
        ++*count;
        if (!http_respond_write(request, slice_make(bytes, sizeof bytes)))
            return;
    }
    http_respond_end(request);
}

static void on_request(HttpHandler *handler, HttpRequest *request)
{
    (void)handler;
    request->user = ARENA_NEW(request->arena, size_t);
    if (slice_starts_with(request->path, SLICE("/p"))) {
        request->on_gone = give_up;
        return;
    }
    if (slice_starts_with(request->path, SLICE("/w"))) {
        http_respond_stream(request, &(HttpResponse){.status = 200}, write_on);
        write_on(request);
        return;
    }
    if (slice_starts_with(request->path, SLICE("/s")))
        http_request_stream_body(request, piece);
    else if (slice_starts_with(request->path, SLICE("/n")))
        http_respond(request, &(HttpResponse){.status = 200, .body = request->target});
    else
        http_request_read_body(request, 1000, whole);
}

typedef struct Server {
    Loop *loop;
    HttpServer *server;
    HttpHandler handler;
} Server;

static Server *the_server(void)
{
    static const OsOperations operations = {.wall_us = fixed_wall_us};
    static Os os = {&operations};
    static Server server;
    if (server.loop == NULL) {
        server.handler.on_request = on_request;
        ASSERT(loop_open(&os, &server.loop) == OK);
        HttpServerOptions options = {
            .loops = &server.loop, .loop_count = 1, .handler = &server.handler, .limits = &limits_default};
        ASSERT(http_server_open(&options, &server.server) == OK);
    }
    return &server;
}

static size_t collect(int fd, char *output, size_t size)
{
    ssize_t received;
    while (size < HTTP_FUZZ_OUTPUT_MAX &&
           (received = recv(fd, output + size, HTTP_FUZZ_OUTPUT_MAX - size, MSG_DONTWAIT)) > 0)
        size += (size_t)received;
    return size;
}

char *http_fuzz_converse(const uint8_t *input, size_t size, size_t step, size_t *output_size)
{
    Server *server = the_server();
    HttpServerLoop *on = &server->server->loops[0];
    int pair[2];
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    atomic_fetch_add(&server->server->connections, 1);
    atomic_fetch_add(&server->server->alive, 1);
    http_connection_open(http_connection_make(on, pair[0], true, "unix"));
    char *output = malloc(HTTP_FUZZ_OUTPUT_MAX + 1);
    size_t got = 0;
    for (size_t at = 0; at < size; at += step) {
        size_t part = size - at < step ? size - at : step;
        if (send(pair[1], input + at, part, MSG_NOSIGNAL) < 0)
            break;
        uv_run(on->uv, UV_RUN_NOWAIT);
        got = collect(pair[1], output, got);
    }
    shutdown(pair[1], SHUT_WR);
    for (int turns = 0; !list_is_empty(&on->connections); turns++) {
        ASSERT(turns < 1000);
        uv_run(on->uv, UV_RUN_NOWAIT);
        got = collect(pair[1], output, got);
    }
    got = collect(pair[1], output, got);
    close(pair[1]);
    output[got] = '\0';
    *output_size = got;
    return output;
}

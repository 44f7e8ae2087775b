#include "http_fixture.h"

#include "base/buffer.h"
#include "base/bug.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_TIMEOUT_S = 10, STREAM_PIECE = 10000, BLOCK = 65536 };

/* ---- The server's side ---- */

static uint64_t fixed_wall_us(Os *os)
{
    (void)os;
    return 784111777u * 1000000ull;
}

Os *http_fixture_os(void)
{
    static const OsOperations operations = {.wall_us = fixed_wall_us};
    static Os os = {&operations};
    return &os;
}

typedef struct Work {
    Task task;
    HttpFixture *fixture;
    HttpRequest *request;
    struct Work *next_held;
    uv_timer_t timer;
    uint64_t count;
    uint64_t left;
    bool pausing;
    Error error;
} Work;

static HttpFixture *fixture_of(HttpHandler *handler)
{
    return (HttpFixture *)(void *)((char *)handler - offsetof(HttpFixture, handler));
}

static void post(Mailbox *mailbox, Task *task, void (*run)(Task *task))
{
    TaskChain chain = {0};
    task->run = run;
    task_chain_push(&chain, task);
    mailbox->post(mailbox, chain);
}

static void answer(HttpRequest *request, int status, Slice body)
{
    http_respond(request, &(HttpResponse){.status = status, .body = body});
}

static void note_error(Work *work, Error error)
{
    atomic_store(&work->fixture->last_error, error);
    atomic_fetch_add(&work->fixture->body_errors, 1);
}

static void echo(HttpRequest *request, Error error, Slice body)
{
    if (error == OK) {
        ASSERT(body.data[body.size] == '\0');
        answer(request, 200, body);
        return;
    }
    note_error(request->user, error);
    int status = error == ERROR_TOO_LARGE ? 413 : error == ERROR_TIMEOUT ? 408 : 400;
    answer(request, status, slice_of_string(error_text(error)));
}

static void read_echo(HttpRequest *request)
{
    uint64_t limit = SIZE_MAX;
    slice_parse_uint64(request->query, &limit);
    http_request_read_body(request, limit, echo);
}

static void late_back(Task *task)
{
    Work *work = (Work *)(void *)task;
    if (slice_equal(work->request->path, SLICE("/late")))
        read_echo(work->request);
    else
        answer(work->request, 200, SLICE("later"));
}

static void late_away(Task *task)
{
    Work *work = (Work *)(void *)task;
    post(loop_mailbox(work->request->loop), task, late_back);
}

static void on_gone(HttpRequest *request)
{
    Work *work = request->user;
    atomic_fetch_add(&work->fixture->gone, 1);
    if (slice_equal(request->path, SLICE("/park"))) {
        atomic_fetch_sub(&work->fixture->parked, 1);
        answer(request, 200, SLICE("given up"));
    } else if (slice_equal(request->path, SLICE("/stream"))) {
        http_respond_abort(request);
    }
}

static void answer_parked(Task *task)
{
    Work *work = (Work *)(void *)task;
    atomic_fetch_sub(&work->fixture->parked, 1);
    answer(work->request, 200, SLICE("unparked"));
}

void http_fixture_answer_parked(HttpFixture *fixture)
{
    HttpRequest *request = atomic_exchange(&fixture->waiting, NULL);
    ASSERT(request != NULL);
    Work *work = request->user;
    post(loop_mailbox(request->loop), &work->task, answer_parked);
}

static void answer_held(Task *task)
{
    Work *work = (Work *)(void *)task;
    char *body = arena_zalloc(work->request->arena, work->count);
    atomic_fetch_sub(&work->fixture->parked, 1);
    answer(work->request, 200, slice_make(body, work->count));
}

void http_fixture_release(HttpFixture *fixture, size_t size)
{
    for (Work *work = atomic_exchange(&fixture->held, NULL), *next; work != NULL; work = next) {
        next = work->next_held;
        work->count = size;
        post(loop_mailbox(work->request->loop), &work->task, answer_held);
    }
}

static void hold(HttpFixture *fixture, Work *work)
{
    atomic_fetch_add(&fixture->parked, 1);
    work->next_held = atomic_load(&fixture->held);
    while (!atomic_compare_exchange_weak(&fixture->held, &work->next_held, work))
        continue;
}

static void write_stream(HttpRequest *request)
{
    static const char bytes[STREAM_PIECE];
    Work *work = request->user;
    while (work->left > 0) {
        size_t size = work->left < sizeof bytes ? work->left : sizeof bytes;
        work->left -= size;
        atomic_fetch_add(&work->fixture->streamed, size);
        if (!http_respond_write(request, slice_make(bytes, size)))
            return;
    }
    http_respond_end(request);
}

static void start_stream(HttpRequest *request, Work *work, bool sized, uint64_t missing)
{
    slice_parse_uint64(request->query, &work->left);
    HttpHeader length = {SLICE("Content-Length"), request->query};
    HttpResponse head = {.status = 200, .headers = &length, .header_count = sized ? 1 : 0};
    http_respond_stream(request, &head, write_stream);
    work->left -= missing;
    write_stream(request);
}

/* Only when the timer is closed, which lies in the request's memory. */
static void on_timer_closed(uv_handle_t *handle)
{
    Work *work = handle->data;
    work->pausing = false;
    if (work->error != OK)
        answer(work->request, 400, slice_of_string(error_text(work->error)));
    else
        http_request_resume(work->request);
}

static void on_paused(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, on_timer_closed);
}

static void count_piece(HttpRequest *request, Error error, Slice data, bool end)
{
    Work *work = request->user;
    if (error != OK) {
        note_error(work, error);
        work->error = error;
        if (!work->pausing)
            answer(request, 400, slice_of_string(error_text(error)));
        return;
    }
    work->count += data.size;
    atomic_fetch_add(&work->fixture->taken, data.size);
    if (end) {
        answer(request, 200, arena_format(request->arena, "%llu", (unsigned long long)work->count));
        return;
    }
    http_request_pause(request);
    work->pausing = true;
    uv_timer_init(loop_uv(request->loop), &work->timer);
    work->timer.data = work;
    uv_timer_start(&work->timer, on_paused, 1, 0);
}

static void early_piece(HttpRequest *request, Error error, Slice data, bool end)
{
    (void)data;
    (void)end;
    if (error != OK)
        note_error(request->user, error);
    answer(request, 200, SLICE("enough"));
}

static void describe(HttpRequest *request)
{
    Slice test = http_request_header(request, SLICE("x-test"));
    answer(request, 200,
           arena_format(request->arena, "%.*s\n%.*s\n%.*s\n%.*s\n%zu\n%.*s\n%.*s\n", SLICE_PRINT(request->method),
                        SLICE_PRINT(request->path), SLICE_PRINT(request->query), SLICE_PRINT(request->host),
                        request->header_count, SLICE_PRINT(test), SLICE_PRINT(request->peer)));
}

static void park(HttpFixture *fixture, HttpRequest *request)
{
    request->on_gone = on_gone;
    atomic_store(&fixture->waiting, request);
    atomic_fetch_add(&fixture->parked, 1);
}

static void abort_stream(HttpRequest *request)
{
    http_respond_stream(request, &(HttpResponse){.status = 200}, NULL);
    http_respond_write(request, SLICE("half of it"));
    http_respond_abort(request);
}

static void on_request(HttpHandler *handler, HttpRequest *request)
{
    HttpFixture *fixture = fixture_of(handler);
    Slice path = request->path;
    Work *work = ARENA_NEW(request->arena, Work);
    work->fixture = fixture;
    work->request = request;
    request->user = work;
    if (slice_equal(path, SLICE("/hello"))) {
        answer(request, 200, SLICE("hello"));
    } else if (slice_equal(path, SLICE("/describe")) || slice_equal(path, SLICE("*"))) {
        describe(request);
    } else if (slice_equal(path, SLICE("/echo"))) {
        read_echo(request);
    } else if (slice_equal(path, SLICE("/late")) || slice_equal(path, SLICE("/later"))) {
        post(loop_mailbox(fixture->worker), &work->task, late_away);
    } else if (slice_equal(path, SLICE("/park"))) {
        park(fixture, request);
    } else if (slice_equal(path, SLICE("/hold"))) {
        hold(fixture, work);
    } else if (slice_equal(path, SLICE("/stream"))) {
        request->on_gone = on_gone;
        start_stream(request, work, false, 0);
    } else if (slice_equal(path, SLICE("/sized"))) {
        start_stream(request, work, true, 0);
    } else if (slice_equal(path, SLICE("/short"))) {
        start_stream(request, work, true, 1);
    } else if (slice_equal(path, SLICE("/abort"))) {
        abort_stream(request);
    } else if (slice_equal(path, SLICE("/count"))) {
        http_request_stream_body(request, count_piece);
    } else if (slice_equal(path, SLICE("/early"))) {
        http_request_stream_body(request, early_piece);
    } else if (slice_equal(path, SLICE("/empty"))) {
        answer(request, 204, SLICE(""));
    } else if (slice_equal(path, SLICE("/injected"))) {
        HttpHeader header = {SLICE("x-name"), SLICE("a\r\nset-cookie: b")};
        http_respond(request, &(HttpResponse){.status = 200, .headers = &header, .header_count = 1});
    } else {
        answer(request, 404, SLICE("no such path"));
    }
}

void http_fixture_start_at(HttpFixture *fixture, size_t loops, const char *address)
{
    Limits limits = fixture->limits;
    TlsContext *tls = fixture->tls;
    *fixture = (HttpFixture){.loop_count = loops, .limits = limits, .tls = tls};
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        if (fixture->limits.value[i] == 0)
            fixture->limits.value[i] = limits_default.value[i];
    fixture->handler.on_request = on_request;
    for (size_t i = 0; i < loops; i++)
        ASSERT(loop_open(http_fixture_os(), &fixture->loops[i]) == OK);
    ASSERT(loop_open(http_fixture_os(), &fixture->worker) == OK);
    HttpServerOptions options = {
        .loops = fixture->loops,
        .loop_count = loops,
        .handler = &fixture->handler,
        .limits = &fixture->limits,
        .tls = tls,
    };
    ASSERT(http_server_open(&options, &fixture->server) == OK);
    Slice bound;
    ASSERT(http_server_listen(fixture->server, address, &fixture->arena, &bound) == OK);
    snprintf(fixture->address, sizeof fixture->address, "%.*s", SLICE_PRINT(bound));
    const char *colon = strrchr(fixture->address, ':');
    fixture->port = atoi(colon + 1);
    ASSERT(loop_start(fixture->worker) == OK);
    for (size_t i = 0; i < loops; i++)
        ASSERT(loop_start(fixture->loops[i]) == OK);
}

void http_fixture_start(HttpFixture *fixture, size_t loops)
{
    http_fixture_start_at(fixture, loops, "127.0.0.1:0");
}

void http_fixture_stop(HttpFixture *fixture)
{
    loop_stop(fixture->worker);
    for (size_t i = 0; i < fixture->loop_count; i++)
        loop_stop(fixture->loops[i]);
    http_server_close(fixture->server);
    for (size_t i = 0; i < fixture->loop_count; i++)
        loop_close(fixture->loops[i]);
    loop_close(fixture->worker);
    arena_free(&fixture->arena);
}

static void on_drained(Task *task)
{
    HttpFixture *fixture = (HttpFixture *)(void *)((char *)task - offsetof(HttpFixture, drain_task));
    atomic_store(&fixture->drained, true);
}

void http_fixture_drain(HttpFixture *fixture)
{
    fixture->drain_task.run = on_drained;
    http_server_drain(fixture->server, &fixture->drain_task, loop_mailbox(fixture->worker));
}

HttpServerStats http_fixture_stats(HttpFixture *fixture)
{
    HttpServerStats stats;
    http_server_stats(fixture->server, &stats);
    return stats;
}

/* ---- The client's side ---- */

int client_connect(const HttpFixture *fixture)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(fd >= 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)fixture->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_sec = CLIENT_TIMEOUT_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    ASSERT(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

void client_send(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server has refused the rest: what it said is what counts */
        bytes += sent;
        size -= (size_t)sent;
    }
}

void client_say(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

/* Adds `count` bytes to the text; false when the connection ends before. Lines are read byte for byte, so that nothing
 * of the next answer is taken. */
static bool receive_more(int fd, char **text, size_t *size, size_t count)
{
    size_t blocks = (*size + count) / BLOCK + 1;
    if (*text == NULL || blocks > *size / BLOCK + 1) {
        *text = realloc(*text, blocks * BLOCK);
        ASSERT(*text != NULL);
    }
    while (count > 0) {
        ssize_t received = recv(fd, *text + *size, count, 0);
        if (received <= 0)
            return false;
        *size += (size_t)received;
        count -= (size_t)received;
    }
    (*text)[*size] = '\0';
    return true;
}

static bool receive_line(int fd, char **text, size_t *size)
{
    do
        if (!receive_more(fd, text, size, 1))
            return false;
    while ((*text)[*size - 1] != '\n');
    return true;
}

static bool receive_chunks(int fd, char **text, size_t *size)
{
    for (;;) {
        size_t line = *size;
        if (!receive_line(fd, text, size))
            return false;
        unsigned long chunk = strtoul(*text + line, NULL, 16);
        *size = line; /* the framing is not kept */
        if (!receive_more(fd, text, size, chunk) || !receive_line(fd, text, size))
            return false;
        *size -= 2;
        (*text)[*size] = '\0';
        if (chunk == 0)
            return true;
    }
}

static char *receive_answer(int fd, bool with_body)
{
    char *text = NULL;
    size_t size = 0;
    bool whole = true;
    size_t line;
    do {
        line = size;
        whole = receive_line(fd, &text, &size);
    } while (whole && size - line > 2);
    if (whole && with_body) {
        const char *length = strcasestr(text, "content-length:");
        if (length != NULL)
            whole = receive_more(fd, &text, &size, strtoul(length + 15, NULL, 10));
        else if (strcasestr(text, "transfer-encoding: chunked") != NULL)
            whole = receive_chunks(fd, &text, &size);
    }
    if (whole)
        return text;
    free(text);
    return NULL;
}

char *client_answer(int fd)
{
    return receive_answer(fd, true);
}

char *client_answer_head(int fd)
{
    return receive_answer(fd, false);
}

char *client_rest(int fd, size_t *size)
{
    char *text = NULL;
    *size = 0;
    while (receive_more(fd, &text, size, 1))
        continue;
    text[*size] = '\0';
    return text;
}

int client_status(const char *text)
{
    return text == NULL || strncmp(text, "HTTP/1.1 ", 9) != 0 ? -1 : atoi(text + 9);
}

const char *client_body(const char *text)
{
    const char *end = text == NULL ? NULL : strstr(text, "\r\n\r\n");
    return end == NULL ? "(no answer)" : end + 4;
}

bool client_at_end(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) == 0;
}

#include "net/http_internal.h"

#include "base/bug.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Reading ---- */

static void input_append(HttpConnection *connection, const char *bytes, size_t size)
{
    size_t kept = http_input_size(connection);
    size_t more = 0;
    if (kept > 0 && connection->input != connection->held)
        memmove(connection->held, connection->input, kept);
    if (connection->held_capacity < kept + size) {
        size_t capacity = connection->held_capacity * 2 > kept + size ? connection->held_capacity * 2 : kept + size;
        connection->held = realloc(connection->held, capacity);
        more = capacity - connection->held_capacity;
        connection->held_capacity = capacity;
    }
    ASSERT(connection->held != NULL);
    memcpy(connection->held + kept, bytes, size);
    connection->input = connection->held;
    connection->input_end = connection->held + kept + size;
    if (more > 0)
        http_input_grew(connection, more);
}

void http_connection_hold_input(HttpConnection *connection)
{
    size_t size = http_input_size(connection);
    bool is_held = connection->held != NULL && connection->input >= connection->held &&
                   connection->input <= connection->held + connection->held_capacity;
    if (size == 0) {
        http_input_shrank(connection, connection->held_capacity);
        free(connection->held);
        connection->held = NULL;
        connection->held_capacity = 0;
        connection->input = connection->input_end = NULL;
    } else if (!is_held) {
        const char *bytes = connection->input;
        connection->input = connection->input_end = NULL;
        input_append(connection, bytes, size);
    }
}

void http_connection_take(HttpConnection *connection, Slice bytes)
{
    if (bytes.size > 0 && connection->held != NULL) {
        input_append(connection, bytes.data, bytes.size);
    } else if (bytes.size > 0) {
        connection->input = bytes.data;
        connection->input_end = bytes.data + bytes.size;
    }
    if (connection->closing) /* there was no room for it */
        return;
    connection->progressed = true;
    connection->version->advance(connection);
    if (!connection->closing)
        http_connection_hold_input(connection);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    HttpConnection *connection = handle->data;
    *buffer = uv_buf_init(connection->on->read_buffer, HTTP_READ_BUFFER_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    HttpConnection *connection = stream->data;
    if (size == 0 || connection->closing)
        return;
    if (size < 0 && (size != UV_EOF || connection->lingering)) {
        http_connection_cut(connection);
        return;
    }
    if (connection->lingering)
        return;
    if (size < 0) {
        /* The client may have closed or only ended its side: what it still waits for is answered. */
        connection->eof = true;
        connection->reading = false;
    } else if (connection->tls != NULL) {
        http_tls_receive(connection, slice_make(buffer->base, (size_t)size));
        return;
    }
    http_connection_take(connection, slice_make(buffer->base, size < 0 ? 0 : (size_t)size));
}

void http_connection_read(HttpConnection *connection, bool wanted)
{
    wanted = wanted && !connection->eof && !connection->closing;
    if (wanted == connection->reading || connection->closing)
        return;
    connection->reading = wanted;
    if (!wanted)
        uv_read_stop(&connection->stream);
    else if (uv_read_start(&connection->stream, on_allocate, on_read) != 0)
        http_connection_cut(connection);
}

bool http_connection_has_unread(HttpConnection *connection)
{
    uv_os_fd_t fd;
    char byte;
    if (connection->tls != NULL && tls_session_is_partial(connection->tls))
        return true;
    return uv_fileno(&connection->handle, &fd) == 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* ---- Writing ---- */

/* What the client did not take at once. */
typedef struct HttpWrite {
    uv_write_t request;
    size_t size;
    size_t held; /* memory that it keeps, the request's arena included */
    char bytes[];
} HttpWrite;

char *http_output_reserve(HttpConnection *connection, size_t size)
{
    HttpServerLoop *on = connection->on;
    if (on->corked != connection) {
        /* A handler answers on another connection meanwhile. */
        if (on->corked != NULL)
            http_output_flush(on->corked);
        on->corked = connection;
    }
    if (on->cork_capacity - on->cork_size < size) {
        on->cork_capacity = on->cork_size + size > 2 * HTTP_CORK_BYTES ? on->cork_size + size : 2 * HTTP_CORK_BYTES;
        on->cork = realloc(on->cork, on->cork_capacity);
        ASSERT(on->cork != NULL);
    }
    return on->cork + on->cork_size;
}

void http_output_commit(HttpConnection *connection, const char *end)
{
    HttpServerLoop *on = connection->on;
    ASSERT(on->corked == connection && end <= on->cork + on->cork_capacity);
    on->cork_size = (size_t)(end - on->cork);
}

void http_output_add(HttpConnection *connection, Slice bytes)
{
    char *at = http_output_reserve(connection, bytes.size);
    if (bytes.size > 0)
        memcpy(at, bytes.data, bytes.size);
    http_output_commit(connection, at + bytes.size);
}

static void uncork(HttpConnection *connection)
{
    HttpServerLoop *on = connection->on;
    if (on->corked != connection)
        return;
    on->corked = NULL;
    on->cork_size = 0;
    if (on->cork_capacity > 2 * HTTP_CORK_BYTES) {
        free(on->cork);
        on->cork = NULL;
        on->cork_capacity = 0;
    }
}

static void go_on_finishing(HttpConnection *connection);

static void on_written(uv_write_t *request, int status)
{
    HttpWrite *write = CONTAINER_OF(request, HttpWrite, request);
    HttpConnection *connection = request->handle->data;
    connection->queued -= write->size;
    if (!connection->closing)
        http_output_shrank(connection, write->held);
    free(write);
    if (connection->closing)
        return;
    if (status < 0) {
        http_connection_cut(connection);
        return;
    }
    http_timer_set(connection->on, &connection->write_timer,
                   connection->queued > 0 ? HTTP_TIMEOUT_WRITE : HTTP_TIMEOUT_NONE, true);
    connection->queued_at_timeout = uv_stream_get_write_queue_size(&connection->stream);
    if (connection->finishing)
        go_on_finishing(connection);
    else
        connection->version->advance(connection);
}

/* Queues the buffers but for their first `sent` bytes; the first buffer, and the second unless it is `lasting`, are
 * copied. */
static void output_queue(HttpConnection *connection, uv_buf_t buffers[3], size_t sent, bool lasting)
{
    for (size_t i = 0; i < 3; i++) {
        size_t part = sent < buffers[i].len ? sent : buffers[i].len;
        buffers[i].base += part;
        buffers[i].len -= part;
        sent -= part;
    }
    size_t copied = buffers[0].len + (lasting ? 0 : buffers[1].len);
    HttpWrite *write = malloc(sizeof *write + copied);
    ASSERT(write != NULL);
    write->size = buffers[0].len + buffers[1].len + buffers[2].len;
    /* A body that lasts often does so in its request's arena, with all that it was made of. */
    size_t arena = lasting && connection->exchange != NULL ? arena_footprint(&connection->exchange->arena) : 0;
    write->held = sizeof *write + (arena > write->size ? arena : write->size);
    char *at = write->bytes;
    for (size_t i = 0; i < (lasting ? 1 : 2); i++) {
        if (buffers[i].len > 0)
            memcpy(at, buffers[i].base, buffers[i].len);
        buffers[i].base = at;
        at += buffers[i].len;
    }
    if (connection->queued == 0) {
        http_timer_set(connection->on, &connection->write_timer, HTTP_TIMEOUT_WRITE, true);
        connection->queued_at_timeout = write->size;
    }
    connection->queued += write->size;
    if (uv_write(&write->request, &connection->stream, buffers, 3, on_written) != 0) {
        connection->queued -= write->size;
        free(write);
        http_connection_cut(connection);
        return;
    }
    http_output_grew(connection, write->held);
}

/* Writes what the client takes at once, and queues the rest. */
static void output_write(HttpConnection *connection, uv_buf_t buffers[3], bool lasting)
{
    size_t total = buffers[0].len + buffers[1].len + buffers[2].len;
    size_t sent = 0;
    if (connection->queued == 0) {
        unsigned first = buffers[0].len == 0 ? 1 : 0;
        unsigned count = buffers[2].len > 0 ? 3 - first : (buffers[1].len > 0 ? 2 - first : 1);
        int result = uv_try_write(&connection->stream, buffers + first, count);
        if (result < 0 && result != UV_EAGAIN) {
            http_connection_cut(connection);
            return;
        }
        sent = result > 0 ? (size_t)result : 0;
    }
    if (sent < total)
        output_queue(connection, buffers, sent, lasting);
}

void http_output_send_records(HttpConnection *connection)
{
    HttpServerLoop *on = connection->on;
    uv_buf_t buffers[3] = {{.base = on->tls_output.bytes, .len = on->tls_output.size}};
    output_write(connection, buffers, false);
    http_tls_output_clear(on);
}

/* The same as records. What fits into one is made one; else there is one more for what is corked. */
static void output_encrypt(HttpConnection *connection, Slice body, Slice tail)
{
    HttpServerLoop *on = connection->on;
    size_t corked = on->corked == connection ? on->cork_size : 0;
    if (corked > 0 && corked + body.size + tail.size <= TLS_RECORD_BYTES) {
        http_output_add(connection, body);
        http_output_add(connection, tail);
        corked = on->cork_size;
        body = tail = (Slice){0};
    }
    const Slice parts[] = {slice_make(on->cork, corked), body, tail};
    if (http_tls_encrypt(connection, parts, 3)) {
        http_output_send_records(connection);
    } else {
        http_tls_output_clear(on);
        http_connection_cut(connection);
    }
}

void http_output_send(HttpConnection *connection, Slice body, Slice tail, bool lasting)
{
    HttpServerLoop *on = connection->on;
    size_t corked = on->corked == connection ? on->cork_size : 0;
    bool has_some = corked + body.size + tail.size > 0 && !connection->closing;
    uv_buf_t buffers[3] = {
        {.base = on->cork, .len = corked},
        {.base = (char *)body.data, .len = body.size},
        {.base = (char *)tail.data, .len = tail.size},
    };
    if (has_some && connection->tls != NULL)
        output_encrypt(connection, body, tail);
    else if (has_some)
        output_write(connection, buffers, lasting);
    uncork(connection);
}

void http_output_flush(HttpConnection *connection)
{
    if (connection->on->corked == connection)
        http_output_send(connection, (Slice){0}, (Slice){0}, false);
}

/* ---- Timeouts ---- */

void http_evict_unless_reading(HttpConnection *connection)
{
    size_t left = uv_stream_get_write_queue_size(&connection->stream);
    if (left < connection->queued_at_timeout) {
        connection->queued_at_timeout = left;
        http_timer_set(connection->on, &connection->write_timer, HTTP_TIMEOUT_WRITE, true);
        return;
    }
    http_count(&connection->on->evicted);
    http_connection_cut(connection);
}

static void on_due(HttpTimer *timer, HttpTimeout kind)
{
    if (kind >= HTTP_TIMEOUT_STREAM_BODY) {
        http2_stream_timed_out(timer, kind);
        return;
    }
    if (kind == HTTP_TIMEOUT_WRITE) {
        http_evict_unless_reading(CONTAINER_OF(timer, HttpConnection, write_timer));
        return;
    }
    HttpConnection *connection = CONTAINER_OF(timer, HttpConnection, read_timer);
    if (kind == HTTP_TIMEOUT_LINGER)
        http_connection_cut(connection);
    else
        connection->version->timed_out(connection, kind);
}

static void on_timer(uv_timer_t *uv_timer)
{
    enum { COARSENESS_MS = 10 };
    HttpServerLoop *on = uv_timer->data;
    uint64_t now = uv_now(on->uv);
    uint64_t next = UINT64_MAX;
    on->timer_due_ms = now; /* so that what is set meanwhile does not start it */
    for (int kind = 0; kind < HTTP_TIMEOUTS; kind++) {
        for (ListNode *first; (first = list_first(&on->timers[kind])) != NULL;) {
            HttpTimer *timer = CONTAINER_OF(first, HttpTimer, node);
            if (timer->due_ms > now)
                break;
            list_remove(first);
            timer->kind = HTTP_TIMEOUT_NONE;
            on_due(timer, (HttpTimeout)kind);
        }
    }
    for (int kind = 0; kind < HTTP_TIMEOUTS; kind++) {
        ListNode *first = list_first(&on->timers[kind]);
        if (first != NULL && CONTAINER_OF(first, HttpTimer, node)->due_ms < next)
            next = CONTAINER_OF(first, HttpTimer, node)->due_ms;
    }
    on->timer_due_ms = next;
    if (next != UINT64_MAX)
        uv_timer_start(&on->timer, on_timer, next - now + COARSENESS_MS, 0);
}

void http_timers_open(HttpServerLoop *on)
{
    for (int kind = 0; kind < HTTP_TIMEOUTS; kind++)
        list_init(&on->timers[kind]);
    const uint64_t *limits = on->server->limits.value;
    on->timeout_ms[HTTP_TIMEOUT_HEADER] = limits[LIMIT_NET_HEADER_TIMEOUT_MS];
    on->timeout_ms[HTTP_TIMEOUT_BODY] = limits[LIMIT_NET_BODY_TIMEOUT_MS];
    on->timeout_ms[HTTP_TIMEOUT_IDLE] = limits[LIMIT_NET_IDLE_TIMEOUT_MS];
    on->timeout_ms[HTTP_TIMEOUT_WRITE] = limits[LIMIT_NET_WRITE_TIMEOUT_MS];
    on->timeout_ms[HTTP_TIMEOUT_STREAM_BODY] = limits[LIMIT_NET_BODY_TIMEOUT_MS];
    on->timeout_ms[HTTP_TIMEOUT_STREAM_WRITE] = limits[LIMIT_NET_WRITE_TIMEOUT_MS];
    on->timeout_ms[HTTP_TIMEOUT_STREAM_LINGER] = HTTP_LINGER_MS;
    on->timeout_ms[HTTP_TIMEOUT_LINGER] = HTTP_LINGER_MS;
    on->timeout_ms[HTTP_TIMEOUT_HANDSHAKE] = limits[LIMIT_NET_HEADER_TIMEOUT_MS];
    uv_timer_init(on->uv, &on->timer);
    on->timer.data = on;
    on->timer_due_ms = UINT64_MAX;
}

void http_timer_set(HttpServerLoop *on, HttpTimer *timer, HttpTimeout kind, bool restart)
{
    if (timer->kind == kind && !restart)
        return;
    if (timer->kind != HTTP_TIMEOUT_NONE)
        list_remove(&timer->node);
    timer->kind = kind;
    if (kind == HTTP_TIMEOUT_NONE)
        return;
    uint64_t now = uv_now(on->uv);
    timer->due_ms = now + on->timeout_ms[kind];
    list_push_back(&on->timers[kind], &timer->node);
    if (timer->due_ms < on->timer_due_ms) {
        on->timer_due_ms = timer->due_ms;
        uv_timer_start(&on->timer, on_timer, timer->due_ms - now, 0);
    }
}

/* ---- Life ---- */

HttpConnection *http_connection_make(HttpServerLoop *on, int fd, bool is_pipe, const char *peer)
{
    HttpConnection *connection = calloc(1, sizeof *connection);
    ASSERT(connection != NULL);
    connection->on = on;
    connection->fd = fd;
    connection->is_pipe = is_pipe;
    connection->version = &http1_operations;
    list_init(&connection->exchanges);
    size_t size = strlen(peer);
    ASSERT(size < sizeof connection->peer);
    memcpy(connection->peer, peer, size + 1);
    return connection;
}

/* Handlers learn that their client has left; what they have answered is freed, the rest when they answer. */
static void orphan_exchanges(HttpConnection *connection)
{
    /* A handler may answer other requests of this connection meanwhile: those of its orphans are freed at once, so that
     * no place in the list is safe but the first. */
    List orphans;
    list_init(&orphans);
    for (ListNode *first; (first = list_first(&connection->exchanges)) != NULL;) {
        HttpExchange *exchange = CONTAINER_OF(first, HttpExchange, node);
        list_remove(first);
        list_push_back(&orphans, first);
        if (exchange->orphan)
            continue;
        http_exchange_tell_gone(exchange);
        exchange->orphan = true;
        if (exchange->answer == HTTP_ANSWER_COMPLETE)
            http_exchange_free(exchange);
    }
    for (ListNode *first; (first = list_pop_front(&orphans)) != NULL;)
        list_push_back(&connection->exchanges, first);
}

static void on_closed(uv_handle_t *handle)
{
    HttpConnection *connection = handle->data;
    http2_forget(connection);
    tls_session_free(connection->tls);
    if (!connection->on->server->stopped)
        orphan_exchanges(connection);
    free(connection->held);
    connection->held = NULL;
    connection->closed = true;
    if (connection->on->server->stopped)
        http_connection_abandon(connection);
    else
        http_connection_free_if_done(connection);
}

void http_connection_abandon(HttpConnection *connection)
{
    LIST_FOR_EACH(&connection->exchanges, node)
    {
        http_exchange_free(CONTAINER_OF(node, HttpExchange, node));
    }
    http_connection_free_if_done(connection);
}

void http_connection_free_if_done(HttpConnection *connection)
{
    if (!connection->closed || !list_is_empty(&connection->exchanges))
        return;
    HttpServer *server = connection->on->server;
    list_remove(&connection->node);
    free(connection);
    http_server_forget(server);
}

void http_connection_cut(HttpConnection *connection)
{
    if (connection->closing)
        return;
    connection->closing = true;
    connection->reading = false;
    uncork(connection);
    http_input_shrank(connection, connection->held_capacity);
    http_output_shrank(connection, connection->output_held);
    http_timer_set(connection->on, &connection->read_timer, HTTP_TIMEOUT_NONE, false);
    http_timer_set(connection->on, &connection->write_timer, HTTP_TIMEOUT_NONE, false);
    connection->input = connection->input_end = NULL; /* `held` stays: a handler may be looking at it */
    uv_close(&connection->handle, on_closed);
}

static void go_on_finishing(HttpConnection *connection)
{
    if (connection->queued > 0 || connection->closing)
        return;
    uv_os_fd_t fd;
    if (!connection->finish_lingering || connection->eof || uv_fileno(&connection->handle, &fd) != 0 ||
        shutdown(fd, SHUT_WR) != 0) {
        http_connection_cut(connection);
        return;
    }
    /* Closing with bytes unread would reset the connection, and the client might lose the answer (RFC 9112, 9.6). */
    connection->lingering = true;
    http_timer_set(connection->on, &connection->read_timer, HTTP_TIMEOUT_LINGER, true);
    http_connection_read(connection, true);
}

void http_connection_finish(HttpConnection *connection, bool linger)
{
    if (connection->finishing || connection->closing)
        return;
    connection->finishing = true;
    connection->finish_lingering = linger;
    connection->input = connection->input_end = NULL;
    http_connection_hold_input(connection);
    http_timer_set(connection->on, &connection->read_timer, HTTP_TIMEOUT_NONE, false);
    http_connection_read(connection, false);
    http_output_flush(connection);
    if (connection->tls != NULL && !connection->closing)
        http_tls_end(connection);
    go_on_finishing(connection);
}

void http_connection_open(HttpConnection *connection)
{
    HttpServerLoop *on = connection->on;
    list_push_back(&on->connections, &connection->node);
    int failed =
        connection->is_pipe ? uv_pipe_init(on->uv, &connection->pipe, 0) : uv_tcp_init(on->uv, &connection->tcp);
    ASSERT(failed == 0);
    connection->handle.data = connection;
    failed = connection->is_pipe ? uv_pipe_open(&connection->pipe, connection->fd)
                                 : uv_tcp_open(&connection->tcp, connection->fd);
    if (failed != 0) {
        close(connection->fd);
        http_connection_cut(connection);
        return;
    }
    http_count(&on->accepted);
    http_timer_set(on, &connection->read_timer, HTTP_TIMEOUT_IDLE, true);
    if (on->server->tls != NULL && !connection->is_pipe)
        http_tls_open(connection);
    http_connection_read(connection, true);
    if (atomic_load_explicit(&on->server->draining, memory_order_relaxed))
        connection->version->drain(connection);
}

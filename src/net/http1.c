/* HTTP/1: one exchange at a time on a connection, answered in the order of the requests. */
#include "net/http_internal.h"

#include "base/bug.h"

#include <stdio.h>
#include <sys/socket.h>

static bool is_draining(const HttpConnection *connection)
{
    return atomic_load_explicit(&connection->on->server->draining, memory_order_relaxed);
}

static void refuse(HttpConnection *connection, HttpRefusal refusal)
{
    http_count(&connection->on->bad_requests);
    http1_write_refusal(connection, refusal);
    http_connection_finish(connection, true);
}

/* Whether the client speaks HTTP/2 without having asked, as one that knows the server may (RFC 9113, 3.3 and 3.4).
 * HTTP1_MORE: that cannot be told yet. */
static Http1Found find_preface(const HttpConnection *connection)
{
    static const char preface[] = NGHTTP2_CLIENT_MAGIC;
    size_t size = http_input_size(connection);
    size_t seen = size < sizeof preface - 1 ? size : sizeof preface - 1;
    if (connection->had_request || seen == 0 || memcmp(connection->input, preface, seen) != 0)
        return HTTP1_BAD;
    return seen == sizeof preface - 1 ? HTTP1_FOUND : HTTP1_MORE;
}

/* Takes the next request from the input and gives it to the handler; false when there is none yet, or none to come for
 * HTTP/1. */
static bool take_request(HttpConnection *connection)
{
    HttpServer *server = connection->on->server;
    if (connection->queued > 0)
        return false;
    if (http_input_size(connection) == 0 && is_draining(connection) && !http_connection_has_unread(connection)) {
        http_connection_finish(connection, false);
        return false;
    }
    HttpExchange *exchange;
    HttpRefusal refusal;
    Http1Found found = find_preface(connection);
    if (found == HTTP1_FOUND) {
        http2_start(connection);
        return false;
    }
    if (found == HTTP1_BAD)
        found = http1_parse_head(connection, &exchange, &refusal);
    switch (found) {
    case HTTP1_MORE:
        if (connection->eof)
            http_connection_finish(connection, false);
        return false;
    case HTTP1_BAD:
        refuse(connection, refusal);
        return false;
    case HTTP1_FOUND:
        break;
    }
    connection->had_request = true;
    if (http2_upgrade(connection, exchange))
        return false;
    http_count(&connection->on->requests);
    http_timer_set(connection->on, &connection->read_timer, HTTP_TIMEOUT_NONE, false);
    connection->exchange = exchange;
    server->handler->on_request(server->handler, &exchange->request);
    return true;
}

/* Moves body bytes from the input to the handler; false when there are none, or nobody wants them yet. */
static bool move_body(HttpConnection *connection, HttpExchange *exchange)
{
    if (!http_body_is_wanted(exchange))
        return false;
    if (exchange->expects_continue && exchange->sink != HTTP_BODY_DISCARD) {
        exchange->expects_continue = false;
        if (http_input_size(connection) == 0) {
            http_output_add(connection, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
            http_output_flush(connection);
            if (connection->closing)
                return false;
        }
    }
    Slice data = {0};
    Http1Chunk chunk = HTTP1_CHUNK_DATA;
    if (exchange->chunked != NULL) {
        chunk = http1_parse_chunk(exchange, &data);
    } else if (exchange->left == 0) {
        chunk = HTTP1_CHUNK_END;
    } else if (http_input_size(connection) == 0) {
        chunk = HTTP1_CHUNK_MORE;
    } else {
        data = slice_make(connection->input, http_input_size(connection));
        if (data.size > exchange->left)
            data.size = exchange->left;
        connection->input += data.size;
        exchange->left -= data.size;
    }
    exchange->stepped += data.size;
    switch (chunk) {
    case HTTP1_CHUNK_MORE:
        if (!connection->eof)
            return false;
        http_body_fail(exchange, ERROR_GONE);
        return true;
    case HTTP1_CHUNK_DATA:
        if (exchange->chunked != NULL && exchange->sink == HTTP_BODY_DISCARD) {
            exchange->discarded += data.size;
            exchange->close = exchange->close || exchange->discarded > HTTP_DISCARD_BYTES;
        }
        http_body_take(exchange, data);
        return true;
    case HTTP1_CHUNK_END:
        http_body_end(exchange);
        return true;
    case HTTP1_CHUNK_BAD:
        http_count(&connection->on->bad_requests);
        exchange->close = true;
        http_body_fail(exchange, ERROR_MALFORMED);
        return true;
    }
    UNREACHABLE();
}

/* The request and its answer are through. */
static void end_exchange(HttpConnection *connection, HttpExchange *exchange)
{
    bool close = exchange->close || exchange->body_abandoned;
    bool unread = exchange->body_abandoned || !exchange->body_complete || http_input_size(connection) > 0;
    connection->exchange = NULL;
    http_exchange_free(exchange);
    if (close)
        http_connection_finish(connection, unread);
}

/* Does the next thing for the exchange at work; false when it waits for the client or the handler. */
static bool go_on(HttpConnection *connection, HttpExchange *exchange)
{
    if (exchange->must_stop && exchange->answer == HTTP_ANSWER_STREAMING &&
        connection->output_held <= HTTP_STREAM_LOW_BYTES) {
        exchange->must_stop = false;
        if (exchange->on_writable != NULL)
            exchange->on_writable(&exchange->request);
        return true;
    }
    bool answered = exchange->answer == HTTP_ANSWER_COMPLETE;
    if (answered && (exchange->body_complete || exchange->close) && connection->queued == 0) {
        end_exchange(connection, exchange);
        return true;
    }
    if (!exchange->body_complete && !(answered && exchange->close) && move_body(connection, exchange))
        return true;
    /* The end of the input may be a client that has closed, or one that only has no more to ask: the handler should
     * not wait any longer for things to come, but what it answers is sent. A stream learns from its writes. */
    if (connection->eof && !exchange->told_gone && exchange->answer == HTTP_ANSWER_NONE) {
        if (exchange->request.on_gone != NULL) {
            exchange->told_gone = true;
            exchange->request.on_gone(&exchange->request);
            return true;
        }
    }
    return false;
}

/* Sends what is gathered, and decides what the connection waits for. */
static void settle(HttpConnection *connection)
{
    http_output_flush(connection);
    if (connection->closing || connection->finishing)
        return;
    HttpExchange *exchange = connection->exchange;
    size_t ahead = http_input_size(connection);
    bool full = ahead >= connection->on->server->limits.value[LIMIT_NET_PIPELINE_BYTES];
    HttpTimeout waits = HTTP_TIMEOUT_NONE;
    bool restart = false;
    bool read = !full;
    if (exchange == NULL) {
        if (connection->queued == 0) {
            waits = ahead == 0 ? HTTP_TIMEOUT_IDLE : HTTP_TIMEOUT_HEADER;
            read = true;
        }
    } else if (!exchange->body_complete && http_body_is_wanted(exchange)) {
        waits = HTTP_TIMEOUT_BODY;
        /* A byte now and then does not keep the place. */
        restart = connection->progressed && exchange->stepped >= HTTP_BODY_STEP_BYTES;
        exchange->stepped = restart ? 0 : exchange->stepped;
        read = true;
    } else if (!exchange->body_complete && exchange->paused) {
        read = false;
    }
    connection->progressed = false;
    http_timer_set(connection->on, &connection->read_timer, waits, restart);
    http_connection_read(connection, read);
}

static void http1_advance(HttpConnection *connection)
{
    /* What a handler does while it runs is seen at the next turn. */
    if (connection->advancing)
        return;
    connection->advancing = true;
    bool more = true;
    while (more && !connection->closing && !connection->finishing)
        more = connection->exchange == NULL ? take_request(connection) : go_on(connection, connection->exchange);
    if (connection->version != &http1_operations) {
        connection->advancing = false;
        connection->version->advance(connection);
        return;
    }
    settle(connection);
    connection->advancing = false;
    /* Outside of a read, what is left must not grow stale in the room of a whole read. */
    if (!connection->closing && http_input_size(connection) == 0)
        http_connection_hold_input(connection);
}

static void http1_want_body(HttpExchange *exchange)
{
    http1_advance(exchange->connection);
}

/* ---- The answer ---- */

/* Whether the connection can serve another request after this answer. */
static void decide_close(HttpExchange *exchange)
{
    if (is_draining(exchange->connection) || exchange->body_abandoned)
        exchange->close = true;
    if (!exchange->body_complete && (exchange->expects_continue || exchange->left > HTTP_DISCARD_BYTES))
        exchange->close = true;
}

static void http1_respond(HttpExchange *exchange, const HttpResponse *response)
{
    HttpConnection *connection = exchange->connection;
    decide_close(exchange);
    /* With HEAD the handler may know the length that GET would give. */
    bool own_length = exchange->is_head && http_response_header(response, SLICE("content-length")).data != NULL;
    Http1Framing framing =
        http_status_is_bodiless(response->status) || own_length ? HTTP1_FRAMING_NONE : HTTP1_FRAMING_LENGTH;
    http1_write_head(exchange, response, framing, response->body.size);
    if (!exchange->is_head && !http_status_is_bodiless(response->status)) {
        if (response->body.size <= HTTP_INLINE_BODY_BYTES)
            http_output_add(connection, response->body);
        else
            http_output_send(connection, response->body, (Slice){0}, true);
    }
    if (connection->on->corked == connection && connection->on->cork_size >= HTTP_CORK_BYTES)
        http_output_flush(connection);
    http1_advance(connection);
}

/* Sends what was added, at the latest when the handler has returned. */
static void push(HttpConnection *connection)
{
    if (!connection->advancing || connection->on->cork_size >= HTTP_CORK_BYTES)
        http_output_flush(connection);
    if (connection->queued > HTTP_STREAM_MAX_BYTES) {
        http_count(&connection->on->evicted);
        http_connection_cut(connection);
    }
}

static void http1_respond_stream(HttpExchange *exchange, const HttpResponse *head)
{
    Slice length = http_response_header(head, SLICE("content-length"));
    exchange->no_body = exchange->is_head || http_status_is_bodiless(head->status);
    if (http_status_is_bodiless(head->status) || (exchange->is_head && length.data != NULL))
        exchange->framing_out = HTTP1_FRAMING_NONE;
    else if (length.data != NULL && slice_parse_uint64(length, &exchange->left_out))
        exchange->framing_out = HTTP1_FRAMING_LENGTH;
    else
        exchange->framing_out = exchange->http10 ? HTTP1_FRAMING_CLOSE : HTTP1_FRAMING_CHUNKED;
    if (exchange->framing_out == HTTP1_FRAMING_CLOSE)
        exchange->close = true;
    decide_close(exchange);
    http1_write_head(exchange, head, exchange->framing_out, exchange->left_out);
    push(exchange->connection);
}

/* By what is held, not by what is sent: who writes byte by byte holds a hundred times as much. */
static bool takes_more(const HttpConnection *connection)
{
    return connection->output_held < HTTP_STREAM_HIGH_BYTES;
}

static bool http1_respond_write(HttpExchange *exchange, Slice piece)
{
    HttpConnection *connection = exchange->connection;
    if (exchange->no_body || piece.size == 0)
        return takes_more(connection);
    bool chunked = exchange->framing_out == HTTP1_FRAMING_CHUNKED;
    if (exchange->framing_out == HTTP1_FRAMING_LENGTH) {
        ASSERT(piece.size <= exchange->left_out);
        exchange->left_out -= piece.size;
    }
    if (chunked) {
        char frame[24];
        int size = snprintf(frame, sizeof frame, "%zx\r\n", piece.size);
        http_output_add(connection, slice_make(frame, (size_t)size));
    }
    if (piece.size > HTTP_CORK_BYTES) {
        http_output_send(connection, piece, chunked ? SLICE("\r\n") : (Slice){0}, false);
    } else {
        http_output_add(connection, piece);
        if (chunked)
            http_output_add(connection, SLICE("\r\n"));
    }
    push(connection);
    return takes_more(connection);
}

static void http1_respond_abort(HttpExchange *exchange)
{
    HttpConnection *connection = exchange->connection;
    uv_os_fd_t fd;
    /* Where the end of the connection is the end of the body, only a reset tells that something is missing. */
    if (exchange->framing_out == HTTP1_FRAMING_CLOSE && uv_fileno(&connection->handle, &fd) == 0) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    http_output_flush(connection);
    http_connection_cut(connection);
}

static void http1_respond_end(HttpExchange *exchange)
{
    if (!exchange->no_body && exchange->framing_out == HTTP1_FRAMING_LENGTH && exchange->left_out > 0) {
        http1_respond_abort(exchange);
        return;
    }
    if (!exchange->no_body && exchange->framing_out == HTTP1_FRAMING_CHUNKED)
        http_output_add(exchange->connection, SLICE("0\r\n\r\n"));
    http1_advance(exchange->connection);
}

/* ---- What happens to the connection ---- */

static void http1_timed_out(HttpConnection *connection, HttpTimeout kind)
{
    HttpExchange *exchange = connection->exchange;
    if (kind == HTTP_TIMEOUT_IDLE) {
        http_connection_finish(connection, false);
        return;
    }
    if (kind == HTTP_TIMEOUT_HEADER) {
        refuse(connection, (HttpRefusal){408, "the request's head did not come in time"});
        return;
    }
    http_count(&connection->on->evicted);
    if (exchange == NULL || exchange->answer == HTTP_ANSWER_COMPLETE) {
        http_connection_cut(connection);
        return;
    }
    http_body_fail(exchange, ERROR_TIMEOUT);
    http1_advance(connection);
}

static void http1_drain(HttpConnection *connection)
{
    if (connection->exchange == NULL)
        http1_advance(connection);
}

const HttpVersionOperations http1_operations = {
    .advance = http1_advance,
    .want_body = http1_want_body,
    .respond = http1_respond,
    .respond_stream = http1_respond_stream,
    .respond_write = http1_respond_write,
    .respond_end = http1_respond_end,
    .respond_abort = http1_respond_abort,
    .timed_out = http1_timed_out,
    .drain = http1_drain,
};

#define TEXT_OF(number) #number
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *http_parser_version(void)
{
    return VERSION_TEXT(LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
}

/* Requests of HTTP/2: heads out of fields, bodies out of DATA frames. */
#include "net/http2.h"

#include "base/bug.h"

#include <stdlib.h>

/* ---- The head ---- */

static uint64_t limit_of(const Http2Stream *stream, LimitName limit)
{
    return stream->session->connection->on->server->limits.value[limit];
}

Http2Stream *http2_stream_make(Http2Session *session, HttpExchange *exchange, int32_t id)
{
    Http2Stream *stream = calloc(1, sizeof *stream);
    ASSERT(stream != NULL);
    stream->exchange = exchange;
    stream->session = session;
    stream->id = id;
    list_init(&stream->changed);
    list_init(&stream->waiting);
    exchange->stream = stream;
    /* Nobody is to answer it, but for us, until a handler has it. */
    exchange->answer = HTTP_ANSWER_COMPLETE;
    session->stream_count++;
    nghttp2_session_set_stream_user_data(session->nghttp2, id, stream);
    return stream;
}

int http2_on_begin_headers(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
    Http2Session *session = user;
    HttpConnection *connection = session->connection;
    const HttpServer *server = connection->on->server;
    const uint64_t *limits = server->limits.value;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    /* A client that breaks off its requests has more of them at work here than streams. */
    bool full = connection->exchange_count / HTTP2_ORPHAN_FACTOR >= limits[LIMIT_NET_HTTP2_STREAMS] ||
                connection->on->exchange_count * server->loop_count >= limits[LIMIT_NET_REQUESTS];
    if (full || session->end_why != NULL) {
        nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    session->field_count = 0;
    session->head = http2_stream_make(session, http_exchange_make(connection), frame->hd.stream_id);
    return 0;
}

static void refuse(Http2Stream *stream, int status, const char *why)
{
    if (stream->refusal.status == 0)
        stream->refusal = (HttpRefusal){status, why};
}

static void add_field(Http2Stream *stream, Slice name, Slice value)
{
    enum { FIRST_FIELDS = 16 };
    Http2Session *session = stream->session;
    if (session->field_count == limit_of(stream, LIMIT_NET_HEADER_COUNT)) {
        refuse(stream, 431, "the request has too many header fields");
        return;
    }
    if (session->field_count == session->field_capacity) {
        session->field_capacity = session->field_count == 0 ? FIRST_FIELDS : 2 * session->field_count;
        session->fields = realloc(session->fields, sizeof(HttpHeader) * session->field_capacity);
        ASSERT(session->fields != NULL);
    }
    session->fields[session->field_count++] = (HttpHeader){name, value};
}

static void take_host(Http2Stream *stream, Slice host)
{
    HttpRequest *request = &stream->exchange->request;
    if (request->host.data == NULL) {
        request->host = host;
        add_field(stream, SLICE("host"), host);
    } else if (!slice_equal_ignore_case(request->host, host)) {
        refuse(stream, 400, "the host field and :authority do not agree");
    }
}

/* libnghttp2 has seen to it that each comes once, before the fields, and has the characters that it may have. */
static void take_pseudo_field(Http2Stream *stream, Slice name, Slice value)
{
    HttpRequest *request = &stream->exchange->request;
    if (slice_equal(name, SLICE(":method")))
        request->method = value;
    else if (slice_equal(name, SLICE(":path")))
        request->target = value;
    else if (slice_equal(name, SLICE(":authority")))
        take_host(stream, value);
    else if (!slice_equal_ignore_case(value, SLICE("http")) && !slice_equal_ignore_case(value, SLICE("https")))
        refuse(stream, 400, "the request's scheme is neither http nor https");
}

static void take_field(Http2Stream *stream, Slice name, Slice value)
{
    HttpExchange *exchange = stream->exchange;
    if (slice_equal(name, SLICE("host"))) {
        take_host(stream, value);
        return;
    }
    if (slice_equal(name, SLICE("content-length")))
        exchange->has_length = slice_parse_uint64(value, &exchange->left);
    else if (slice_equal(name, SLICE("cookie")))
        stream->cookies++;
    else if (slice_equal(name, SLICE("expect")) && !slice_equal_ignore_case(value, SLICE("100-continue")))
        refuse(stream, 417, "the only expectation supported is 100-continue");
    else if (slice_equal(name, SLICE("expect")))
        exchange->expects_continue = true;
    add_field(stream, name, value);
}

/* What stands in the table of HTTP/2 need not be copied. */
static Slice keep(Http2Stream *stream, nghttp2_rcbuf *bytes)
{
    nghttp2_vec vector = nghttp2_rcbuf_get_buf(bytes);
    Slice slice = slice_make(vector.base, vector.len);
    return nghttp2_rcbuf_is_static(bytes) ? slice : arena_copy(&stream->exchange->arena, slice);
}

int http2_on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                    uint8_t flags, void *user)
{
    (void)nghttp2;
    (void)flags;
    Http2Session *session = user;
    Http2Stream *stream = session->head;
    uint64_t most = session->connection->on->server->limits.value[LIMIT_NET_HEADER_BYTES];
    nghttp2_vec text = nghttp2_rcbuf_get_buf(value);
    session->block_bytes += nghttp2_rcbuf_get_buf(name).len + text.len + HTTP2_FIELD_BYTES;
    if (session->block_bytes / HTTP2_BLOCK_FACTOR > most)
        http2_end(session, NGHTTP2_ENHANCE_YOUR_CALM, "a head is far too long");
    /* Trailers are read and dropped: nothing of ours asks for any. */
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST || stream == NULL)
        return 0;
    if (stream->refusal.status != 0)
        return 0;
    Slice field = keep(stream, name);
    if (session->block_bytes > most && slice_equal(field, SLICE(":path")))
        refuse(stream, 414, "the request's target is too long");
    else if (session->block_bytes > most)
        refuse(stream, 431, "the request's head is too long");
    else if (field.data[0] == ':')
        take_pseudo_field(stream, field, keep(stream, value));
    else
        take_field(stream, field, keep(stream, value));
    return 0;
}

/* A client may send each cookie as a field of its own; elsewhere there is only one field (RFC 9113, 8.2.3). */
static void join_cookies(Http2Stream *stream)
{
    Http2Session *session = stream->session;
    Buffer joined = buffer_make(&stream->exchange->arena);
    size_t kept = 0;
    size_t first = SIZE_MAX;
    for (size_t i = 0; i < session->field_count; i++) {
        HttpHeader field = session->fields[i];
        if (slice_equal(field.name, SLICE("cookie"))) {
            if (first != SIZE_MAX)
                BUFFER_ADD(&joined, "; ");
            buffer_add(&joined, field.value);
            if (first != SIZE_MAX)
                continue;
            first = kept;
        }
        session->fields[kept++] = field;
    }
    session->fields[first].value = buffer_slice(&joined);
    session->field_count = kept;
}

/* Sets what a handler sees of the head. */
static void read_head(Http2Stream *stream)
{
    HttpExchange *exchange = stream->exchange;
    HttpRequest *request = &exchange->request;
    if (slice_equal(request->method, SLICE("CONNECT")))
        refuse(stream, 501, "CONNECT is not supported");
    else if (!http_is_host(request->host))
        refuse(stream, 400, "there must be one valid host field");
    else if (!http_split_target(request, request->host))
        refuse(stream, 400, "the request's target is malformed");
    if (stream->cookies > 1)
        join_cookies(stream);
    const Http2Session *session = stream->session;
    HttpHeader *headers = arena_alloc(&exchange->arena, sizeof(HttpHeader) * session->field_count);
    if (session->field_count > 0)
        memcpy(headers, session->fields, sizeof(HttpHeader) * session->field_count);
    request->headers = headers;
    request->header_count = session->field_count;
    exchange->is_head = slice_equal(request->method, SLICE("HEAD"));
    exchange->expects_continue = exchange->expects_continue && !stream->ended;
    if (stream->ended) {
        exchange->has_length = true;
        exchange->left = 0;
    }
}

static void answer_refusal(Http2Stream *stream)
{
    HttpExchange *exchange = stream->exchange;
    http_count(&stream->session->connection->on->bad_requests);
    HttpHeader type = {SLICE("content-type"), SLICE("text/plain; charset=utf-8")};
    Slice why = arena_format(&exchange->arena, "%s\n", stream->refusal.why);
    exchange->sink = HTTP_BODY_DISCARD;
    exchange->body_abandoned = !stream->ended;
    http2_respond(exchange, &(HttpResponse){stream->refusal.status, &type, 1, why});
}

static void give_to_handler(Http2Stream *stream)
{
    HttpServerLoop *on = stream->session->connection->on;
    HttpExchange *exchange = stream->exchange;
    exchange->answer = HTTP_ANSWER_NONE;
    http_count(&on->requests);
    on->server->handler->on_request(on->server->handler, &exchange->request);
}

static bool must_read_first(const Http2Session *session)
{
    return session->unsent > session->connection->on->server->limits.value[LIMIT_NET_HTTP2_UNSENT_BYTES];
}

void http2_head_came(Http2Stream *stream)
{
    Http2Session *session = stream->session;
    if (!stream->raw && stream->refusal.status == 0)
        read_head(stream);
    if (stream->refusal.status != 0)
        answer_refusal(stream);
    else if (session->end_why != NULL)
        return;
    else if (must_read_first(session))
        list_push_back(&session->waiting, &stream->waiting);
    else
        give_to_handler(stream);
}

void http2_let_wait_end(Http2Session *session)
{
    while (!list_is_empty(&session->waiting) && !must_read_first(session)) {
        Http2Stream *stream = CONTAINER_OF(list_pop_front(&session->waiting), Http2Stream, waiting);
        session->again = true;
        give_to_handler(stream);
    }
}

/* ---- The body ---- */

/* What the client may send again. */
static void consume(Http2Stream *stream, size_t size)
{
    /* A body that nobody reads is let run out, if it is short. */
    if (!stream->raw && !stream->exchange->body_abandoned && stream->discarded <= HTTP_DISCARD_BYTES)
        nghttp2_session_consume_stream(stream->session->nghttp2, stream->id, size);
}

/* Sets the timer that is right now: it runs while the handler waits for the client, or the answer is sent and the client
 * still sends what nobody reads. It may end in peace or, when it has had the time to read the answer, is told to stop
 * (RFC 9113, 8.1): some clients take a stream that is reset at once for a failure, answer or not. */
static void set_timer(Http2Stream *stream)
{
    HttpExchange *exchange = stream->exchange;
    HttpTimeout waits = HTTP_TIMEOUT_NONE;
    bool restart = false;
    if (stream->ended || stream->reset) {
        waits = HTTP_TIMEOUT_NONE;
    } else if (stream->sent) {
        waits = HTTP_TIMEOUT_STREAM_LINGER;
    } else if (!exchange->body_complete && stream->held_size == 0 && http_body_is_wanted(exchange)) {
        waits = HTTP_TIMEOUT_STREAM_BODY;
        /* A byte now and then does not keep the place. */
        restart = exchange->stepped >= HTTP_BODY_STEP_BYTES;
        exchange->stepped = restart ? 0 : exchange->stepped;
    }
    http_timer_set(stream->session->connection->on, &stream->body_timer, waits, restart);
}

static void give(Http2Stream *stream, Slice data)
{
    HttpExchange *exchange = stream->exchange;
    exchange->left -= data.size < exchange->left ? data.size : exchange->left;
    exchange->stepped += data.size;
    if (exchange->sink == HTTP_BODY_DISCARD)
        stream->discarded += data.size;
    http_body_take(exchange, data);
    consume(stream, data.size);
}

/* Keeps what is not wanted yet: at most the stream's window, and all clients' together as much as whole bodies. */
static void hold(Http2Stream *stream, Slice data)
{
    HttpServer *server = stream->session->connection->on->server;
    if (stream->held_error != OK)
        return;
    if (stream->held_capacity - stream->held_size < data.size) {
        size_t needed = stream->held_size + data.size;
        size_t capacity = 2 * stream->held_capacity > needed ? 2 * stream->held_capacity : needed;
        size_t more = capacity - stream->held_capacity;
        uint64_t others = atomic_fetch_add_explicit(&server->body_bytes, more, memory_order_relaxed);
        if (others + more > server->limits.value[LIMIT_NET_BODIES_BYTES]) {
            atomic_fetch_sub_explicit(&server->body_bytes, more, memory_order_relaxed);
            stream->held_error = ERROR_BUSY;
            return;
        }
        stream->held = realloc(stream->held, capacity);
        ASSERT(stream->held != NULL);
        stream->held_capacity = capacity;
    }
    memcpy(stream->held + stream->held_size, data.data, data.size);
    stream->held_size += data.size;
}

void http2_body_drop(Http2Stream *stream)
{
    HttpServer *server = stream->session->connection->on->server;
    atomic_fetch_sub_explicit(&server->body_bytes, stream->held_capacity, memory_order_relaxed);
    free(stream->held);
    stream->held = NULL;
    stream->held_size = stream->held_capacity = 0;
}

void http2_body_has(Http2Stream *stream, size_t size)
{
    if (stream == NULL || stream->exchange->has_length || stream->came)
        return;
    stream->exchange->has_length = true;
    stream->exchange->left = size;
}

void http2_body_came(Http2Stream *stream, Slice data)
{
    stream->exchange->expects_continue = false;
    stream->came = true;
    if (stream->held_size == 0 && stream->held_error == OK && http_body_is_wanted(stream->exchange))
        give(stream, data);
    else
        hold(stream, data);
    set_timer(stream);
}

void http2_body_ended(Http2Stream *stream)
{
    if (stream->held_size == 0 && stream->held_error == OK && http_body_is_wanted(stream->exchange))
        http_body_end(stream->exchange);
    set_timer(stream);
}

void http2_body_go_on(Http2Stream *stream)
{
    HttpExchange *exchange = stream->exchange;
    if (exchange->expects_continue && !stream->ended && http_body_is_wanted(exchange) &&
        exchange->sink != HTTP_BODY_DISCARD) {
        exchange->expects_continue = false;
        http2_answer_continue(stream);
    }
    if (http_body_is_wanted(exchange) && stream->held_size > 0) {
        Slice data = {stream->held, stream->held_size};
        give(stream, data);
        http2_body_drop(stream);
    }
    if (http_body_is_wanted(exchange) && stream->held_error != OK)
        http_body_fail(exchange, stream->held_error);
    else if (http_body_is_wanted(exchange) && stream->ended)
        http_body_end(exchange);
    set_timer(stream);
}

void http2_want_body(HttpExchange *exchange)
{
    http2_stream_changed(exchange->stream);
}

void http2_body_timed_out(Http2Stream *stream, HttpTimeout kind)
{
    HttpExchange *exchange = stream->exchange;
    HttpConnection *connection = stream->session->connection;
    if (connection->closing || connection->finishing)
        return;
    if (kind == HTTP_TIMEOUT_STREAM_LINGER) {
        http2_stream_reset(stream, NGHTTP2_NO_ERROR);
    } else if (http_body_is_wanted(exchange)) {
        http_count(&connection->on->evicted);
        http_body_fail(exchange, ERROR_TIMEOUT);
    }
}

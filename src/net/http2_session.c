/* A connection that speaks HTTP/2: its beginning, what it reads and writes, its end. */
#include "net/http2.h"

#include "base/bug.h"

#include <stdlib.h>

/* ---- Budgets ---- */

static Http2Budget budget_make(const Http2Session *session, LimitName limit)
{
    const HttpServerLoop *on = session->connection->on;
    uint64_t most = on->server->limits.value[limit];
    most = most < UINT32_MAX ? most : UINT32_MAX;
    return (Http2Budget){.left = most, .most = most, .filled_ms = uv_now(on->uv)};
}

bool http2_spend(Http2Session *session, Http2Budget *budget, const char *what)
{
    uint64_t now = uv_now(session->connection->on->uv);
    uint64_t passed_ms = now - budget->filled_ms < HTTP2_BUDGET_MS ? now - budget->filled_ms : HTTP2_BUDGET_MS;
    uint64_t due = passed_ms * budget->most / HTTP2_BUDGET_MS;
    if (due > 0) {
        budget->left = budget->left + due < budget->most ? budget->left + due : budget->most;
        budget->filled_ms = now;
    }
    if (budget->left == 0) {
        http2_end(session, NGHTTP2_ENHANCE_YOUR_CALM, what);
        return false;
    }
    budget->left--;
    return true;
}

static void earn_frames(Http2Session *session)
{
    Http2Budget *budget = &session->frames;
    budget->left = budget->left + HTTP2_FRAME_CREDIT < budget->most ? budget->left + HTTP2_FRAME_CREDIT : budget->most;
}

void http2_end(Http2Session *session, uint32_t code, const char *why)
{
    if (session->end_why != NULL)
        return;
    session->end_why = why;
    session->end_code = code;
}

/* ---- What libnghttp2 tells ---- */

static Http2Stream *stream_of(nghttp2_session *nghttp2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(nghttp2, id);
}

/* Frames that neither ask for anything nor bring anything cost the client nothing, and us a little each. */
static int on_begin_frame(nghttp2_session *nghttp2, const nghttp2_frame_hd *frame, void *user)
{
    Http2Session *session = user;
    switch (frame->type) {
    case NGHTTP2_HEADERS:
        session->in_block = (frame->flags & NGHTTP2_FLAG_END_HEADERS) == 0;
        session->new_block = true;
        session->block_bytes = 0;
        earn_frames(session);
        break;
    case NGHTTP2_CONTINUATION:
        session->in_block = (frame->flags & NGHTTP2_FLAG_END_HEADERS) == 0;
        http2_spend(session, &session->frames, "too many pieces of a head");
        break;
    case NGHTTP2_DATA:
        session->brought = false;
        if ((frame->flags & (NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_PADDED)) == NGHTTP2_FLAG_END_STREAM)
            http2_body_has(stream_of(nghttp2, frame->stream_id), frame->length);
        if (frame->length == 0 && (frame->flags & NGHTTP2_FLAG_END_STREAM) == 0)
            http2_spend(session, &session->frames, "too many empty frames");
        break;
    default:
        http2_spend(session, &session->frames, "too many frames that bring nothing");
    }
    return 0;
}

static int on_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
    Http2Session *session = user;
    Http2Stream *stream;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        session->head = NULL;
        if (frame->hd.type == NGHTTP2_DATA && frame->hd.length > 0 && !session->brought)
            http2_spend(session, &session->frames, "too many frames of padding");
        stream = stream_of(nghttp2, frame->hd.stream_id);
        if (stream == NULL)
            break;
        stream->ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            http2_head_came(stream);
        else if (stream->ended)
            http2_body_ended(stream);
        break;
    case NGHTTP2_SETTINGS:
        session->settled = true;
        break;
    case NGHTTP2_PING:
        /* The answer to the one that followed the announcement of the end: what the client had sent before it knew has
         * come. */
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && session->draining && !session->last_named) {
            session->last_named = true;
            nghttp2_submit_goaway(nghttp2, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(nghttp2),
                                  NGHTTP2_NO_ERROR, NULL, 0);
        }
        break;
    default:
        break;
    }
    return 0;
}

/* libnghttp2 has refused it: the stream is reset, or the connection ends. Making us reset streams is a way of breaking
 * them off. */
static int on_invalid_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, int error, void *user)
{
    (void)nghttp2;
    (void)frame;
    (void)error;
    Http2Session *session = user;
    http_count(&session->connection->on->bad_requests);
    return 0;
}

/* Left alone, libnghttp2 would skip the field. */
static int on_invalid_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                             nghttp2_rcbuf *value, uint8_t flags, void *user)
{
    (void)name;
    (void)value;
    (void)flags;
    (void)user;
    nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *data, size_t size, void *user)
{
    (void)flags;
    Http2Session *session = user;
    session->brought = true;
    /* The connection's window is for what is on its way; what lies here is bounded by the stream's. */
    nghttp2_session_consume_connection(nghttp2, size);
    Http2Stream *stream = stream_of(nghttp2, id);
    if (stream != NULL)
        http2_body_came(stream, slice_make(data, size));
    return 0;
}

static int on_frame_sent(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user)
{
    Http2Session *session = user;
    if (frame->hd.type == NGHTTP2_DATA)
        earn_frames(session);
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    Http2Stream *stream = stream_of(nghttp2, frame->hd.stream_id);
    if (stream != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        http2_answer_sent(stream);
    return 0;
}

/* Takes from the stream all that is not the exchange's. */
static void release_stream(Http2Stream *stream)
{
    Http2Session *session = stream->session;
    HttpServerLoop *on = session->connection->on;
    list_remove(&stream->changed);
    list_remove(&stream->waiting);
    http_timer_set(on, &stream->body_timer, HTTP_TIMEOUT_NONE, false);
    http_timer_set(on, &stream->write_timer, HTTP_TIMEOUT_NONE, false);
    http2_body_drop(stream);
    http2_answer_drop(stream);
    session->stream_count--;
    if (session->head == stream)
        session->head = NULL;
    stream->exchange->stream = NULL;
    free(stream);
}

static int on_stream_closed(nghttp2_session *nghttp2, int32_t id, uint32_t code, void *user)
{
    (void)code;
    Http2Session *session = user;
    Http2Stream *stream = stream_of(nghttp2, id);
    if (stream == NULL)
        return 0;
    if (!stream->sent && !stream->reset)
        http2_spend(session, &session->resets, "too many requests are broken off");
    HttpExchange *exchange = stream->exchange;
    nghttp2_session_set_stream_user_data(nghttp2, id, NULL);
    release_stream(stream);
    exchange->gone = true;
    http_exchange_tell_gone(exchange);
    exchange->orphan = true;
    if (exchange->answer == HTTP_ANSWER_COMPLETE)
        http_exchange_free(exchange);
    return 0;
}

/* ---- On one loop ---- */

static void on_before_waiting(uv_prepare_t *prepare)
{
    HttpServerLoop *on = prepare->data;
    for (ListNode *first; (first = list_pop_front(&on->http2.later)) != NULL;) {
        HttpConnection *connection = CONTAINER_OF(first, Http2Session, later)->connection;
        connection->version->advance(connection);
    }
    uv_prepare_stop(prepare);
}

void http2_loop_open(HttpServerLoop *on)
{
    Http2Loop *http2 = &on->http2;
    list_init(&http2->later);
    uv_prepare_init(on->uv, &http2->before_waiting);
    http2->before_waiting.data = on;
    int failed = nghttp2_session_callbacks_new(&http2->callbacks) | nghttp2_option_new(&http2->options);
    ASSERT(failed == 0);
    nghttp2_session_callbacks *callbacks = http2->callbacks;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, http2_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, http2_on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, http2_send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    nghttp2_option_set_no_auto_window_update(http2->options, 1);
    nghttp2_option_set_no_closed_streams(http2->options, 1);
    /* Our budget is spent before. */
    nghttp2_option_set_max_outbound_ack(http2->options, on->server->limits.value[LIMIT_NET_HTTP2_FRAMES] + 1);
}

void http2_loop_close(HttpServerLoop *on)
{
    uv_close((uv_handle_t *)&on->http2.before_waiting, NULL);
    nghttp2_session_callbacks_del(on->http2.callbacks);
    nghttp2_option_del(on->http2.options);
}

void http2_later(Http2Session *session)
{
    HttpConnection *connection = session->connection;
    session->again = true;
    if (connection->advancing || list_is_linked(&session->later))
        return;
    list_push_back(&connection->on->http2.later, &session->later);
    uv_prepare_start(&connection->on->http2.before_waiting, on_before_waiting);
}

void http2_stream_changed(Http2Stream *stream)
{
    if (!list_is_linked(&stream->changed))
        list_push_back(&stream->session->changed, &stream->changed);
    http2_later(stream->session);
}

void http2_stream_reset(Http2Stream *stream, uint32_t code)
{
    stream->reset = true;
    nghttp2_submit_rst_stream(stream->session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, code);
    http2_later(stream->session);
}

/* ---- Sending ---- */

static void send_frames(Http2Session *session)
{
    HttpConnection *connection = session->connection;
    /* Frames are made as the client takes them: bodies wait where they are. */
    while (!connection->closing && connection->queued == 0) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(session->nghttp2, &bytes);
        if (size < 0)
            http_connection_cut(connection);
        if (size <= 0)
            break;
        http_output_add(connection, slice_make(bytes, (size_t)size));
        if (connection->on->cork_size >= HTTP_CORK_BYTES)
            http_output_flush(connection);
    }
    http_output_flush(connection);
}

static char *put_number(char *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (char)(number >> 8 * (bytes - 1 - i));
    return at + bytes;
}

/* Says why, and ends the connection; its handlers learn it when it is closed. The GOAWAY frame (RFC 9113, 6.8) is ours:
 * libnghttp2 may have failed, or wait for the client. */
static void leave(Http2Session *session, uint32_t code, const char *why)
{
    enum { GOAWAY_BYTES = 17 };
    HttpConnection *connection = session->connection;
    size_t size = strlen(why);
    int32_t last = nghttp2_session_get_last_proc_stream_id(session->nghttp2);
    char *at = http_output_reserve(connection, GOAWAY_BYTES + size);
    at = put_number(at, GOAWAY_BYTES - 9 + size, 3);
    at = put_number(at, NGHTTP2_GOAWAY, 1);
    at = put_number(at, NGHTTP2_FLAG_NONE, 1);
    at = put_number(at, 0, 4);
    at = put_number(at, (uint64_t)last, 4);
    at = put_number(at, code, 4);
    memcpy(at, why, size);
    http_output_commit(connection, at + size);
    http_connection_finish(connection, true);
}

/* ---- Receiving ---- */

/* The body that follows a request that was upgraded is none of HTTP/2's frames. */
static void feed_raw(Http2Session *session)
{
    HttpConnection *connection = session->connection;
    Slice data = {connection->input, http_input_size(connection)};
    if (data.size > session->raw_left)
        data.size = session->raw_left;
    connection->input += data.size;
    session->raw_left -= data.size;
    Http2Stream *stream = stream_of(session->nghttp2, 1);
    if (stream == NULL)
        return;
    http2_body_came(stream, data);
    stream->ended = session->raw_left == 0;
    if (stream->ended)
        http2_body_ended(stream);
}

static void feed(Http2Session *session)
{
    HttpConnection *connection = session->connection;
    if (session->raw_left > 0 && http_input_size(connection) > 0)
        feed_raw(session);
    while (session->end_why == NULL && http_input_size(connection) > 0) {
        size_t size = http_input_size(connection) < HTTP2_FEED_BYTES ? http_input_size(connection) : HTTP2_FEED_BYTES;
        const char *input = connection->input;
        ssize_t used = nghttp2_session_mem_recv(session->nghttp2, (const uint8_t *)input, size);
        if (connection->closing)
            return;
        /* What is merely wrong it answers itself; it fails when it is flooded, or this is not HTTP/2 at all. */
        if (used == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
            http2_end(session, NGHTTP2_PROTOCOL_ERROR, "this is no HTTP/2");
        else if (used < 0)
            http2_end(session, NGHTTP2_ENHANCE_YOUR_CALM, nghttp2_strerror((int)used));
        connection->input += size;
    }
}

/* The client will say no more; it may still read. */
static void tell_eof(Http2Session *session)
{
    session->eof_told = true;
    if (session->head != NULL)
        http2_stream_reset(session->head, NGHTTP2_CANCEL);
    LIST_FOR_EACH(&session->connection->exchanges, node)
    {
        HttpExchange *exchange = CONTAINER_OF(node, HttpExchange, node);
        Http2Stream *stream = exchange->stream;
        if (stream == NULL)
            continue;
        if (!stream->ended && stream->held_error == OK)
            stream->held_error = ERROR_GONE;
        http2_stream_changed(stream);
    }
}

static void stream_go_on(Http2Stream *stream)
{
    HttpExchange *exchange = stream->exchange;
    if (exchange->must_stop && exchange->answer == HTTP_ANSWER_STREAMING &&
        stream->unsent.size <= HTTP2_STREAM_LOW_BYTES) {
        exchange->must_stop = false;
        if (exchange->on_writable != NULL)
            exchange->on_writable(&exchange->request);
    }
    http2_body_go_on(stream);
    if (stream->session->connection->eof && stream->sent && !stream->ended && !stream->reset)
        http2_stream_reset(stream, NGHTTP2_CANCEL);
    bool half_gone = stream->session->connection->eof && exchange->answer == HTTP_ANSWER_NONE && !exchange->told_gone;
    if (half_gone && exchange->request.on_gone != NULL) {
        exchange->told_gone = true;
        exchange->request.on_gone(&exchange->request);
    }
}

/* A client that says no more opens no windows either: what they hold back will never be sent. */
static void reset_stuck(Http2Session *session)
{
    LIST_FOR_EACH(&session->connection->exchanges, node)
    {
        Http2Stream *stream = CONTAINER_OF(node, HttpExchange, node)->stream;
        if (stream != NULL && (stream->unsent.size > 0 || stream->complete) && !stream->sent && !stream->reset)
            http2_stream_reset(stream, NGHTTP2_CANCEL);
    }
}

/* ---- The connection ---- */

/* Decides what the connection waits for. */
static void settle(Http2Session *session)
{
    HttpConnection *connection = session->connection;
    bool idle = session->stream_count == 0;
    if (session->end_why != NULL) {
        bool flooded = session->end_code == NGHTTP2_ENHANCE_YOUR_CALM;
        http_count(flooded ? &connection->on->evicted : &connection->on->bad_requests);
        leave(session, session->end_code, session->end_why);
        return;
    }
    bool can_write = nghttp2_session_want_write(session->nghttp2) != 0;
    if (connection->eof && connection->queued == 0 && !can_write)
        reset_stuck(session);
    bool over = nghttp2_session_want_read(session->nghttp2) == 0 && !can_write;
    if (over || (idle && connection->eof)) {
        http_connection_finish(connection, !session->draining || http_connection_has_unread(connection));
        return;
    }
    HttpTimeout waits = HTTP_TIMEOUT_NONE;
    if (idle && session->draining)
        waits = HTTP_TIMEOUT_LINGER;
    else if (session->head != NULL || session->in_block || !session->settled)
        waits = HTTP_TIMEOUT_HEADER;
    else if (idle)
        waits = HTTP_TIMEOUT_IDLE;
    http_timer_set(connection->on, &connection->read_timer, waits, session->new_block);
    session->new_block = false;
    /* Each frame that it sends may cost one in answer; one that does not read them is not read from. */
    bool full =
        connection->queued > 0 && nghttp2_session_get_outbound_queue_size(session->nghttp2) > HTTP2_QUEUED_FRAMES;
    http_connection_read(connection, !full);
}

static void http2_advance(HttpConnection *connection)
{
    Http2Session *session = connection->http2;
    /* What a handler does while it runs is seen at the next turn. */
    if (connection->advancing || connection->closing || connection->finishing)
        return;
    connection->advancing = true;
    list_remove(&session->later);
    feed(session);
    if (connection->eof && !session->eof_told)
        tell_eof(session);
    session->again = true;
    while (session->again && !connection->closing && session->end_why == NULL) {
        for (ListNode *first; !connection->closing && (first = list_pop_front(&session->changed)) != NULL;)
            stream_go_on(CONTAINER_OF(first, Http2Stream, changed));
        session->again = false;
        send_frames(session);
        http2_let_wait_end(session);
    }
    connection->advancing = false;
    if (!connection->closing)
        settle(session);
}

static void http2_timed_out(HttpConnection *connection, HttpTimeout kind)
{
    if (kind == HTTP_TIMEOUT_HEADER) {
        http_count(&connection->on->bad_requests);
        leave(connection->http2, NGHTTP2_ENHANCE_YOUR_CALM, "the request's head did not come in time");
    } else {
        leave(connection->http2, NGHTTP2_NO_ERROR, "idle");
    }
}

void http2_stream_timed_out(HttpTimer *timer, HttpTimeout kind)
{
    if (kind == HTTP_TIMEOUT_STREAM_WRITE)
        http2_answer_timed_out(CONTAINER_OF(timer, Http2Stream, write_timer));
    else
        http2_body_timed_out(CONTAINER_OF(timer, Http2Stream, body_timer), kind);
}

/* What the client has sent before it knows is still served (RFC 9113, 6.8). */
static void http2_drain(HttpConnection *connection)
{
    Http2Session *session = connection->http2;
    session->draining = true;
    nghttp2_submit_shutdown_notice(session->nghttp2);
    nghttp2_submit_ping(session->nghttp2, NGHTTP2_FLAG_NONE, NULL);
    http2_later(session);
}

static uint32_t at_most(uint64_t value, uint32_t most)
{
    return value < most ? (uint32_t)value : most;
}

static Http2Session *session_make(HttpConnection *connection)
{
    const uint64_t *limits = connection->on->server->limits.value;
    Http2Loop *loop = &connection->on->http2;
    Http2Session *session = calloc(1, sizeof *session);
    ASSERT(session != NULL);
    session->connection = connection;
    list_init(&session->changed);
    list_init(&session->waiting);
    list_init(&session->later);
    session->frames = budget_make(session, LIMIT_NET_HTTP2_FRAMES);
    session->resets = budget_make(session, LIMIT_NET_HTTP2_RESETS);
    int failed = nghttp2_session_server_new2(&session->nghttp2, loop->callbacks, session, loop->options);
    ASSERT(failed == 0);
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, at_most(limits[LIMIT_NET_HTTP2_STREAMS], UINT32_MAX)},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, at_most(limits[LIMIT_NET_HTTP2_WINDOW_BYTES], INT32_MAX)},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, at_most(limits[LIMIT_NET_HEADER_BYTES], UINT32_MAX)},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    failed =
        nghttp2_submit_settings(session->nghttp2, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) |
        nghttp2_session_set_local_window_size(session->nghttp2, NGHTTP2_FLAG_NONE, 0, HTTP2_CONNECTION_WINDOW_BYTES);
    ASSERT(failed == 0);
    return session;
}

void http2_start(HttpConnection *connection)
{
    connection->http2 = session_make(connection);
    connection->version = &http2_operations;
    if (atomic_load_explicit(&connection->on->server->draining, memory_order_relaxed))
        http2_drain(connection);
    http2_later(connection->http2);
}

void http2_forget(HttpConnection *connection)
{
    Http2Session *session = connection->http2;
    if (session == NULL)
        return;
    connection->http2 = NULL;
    LIST_FOR_EACH(&connection->exchanges, node)
    {
        HttpExchange *exchange = CONTAINER_OF(node, HttpExchange, node);
        if (exchange->stream != NULL)
            release_stream(exchange->stream);
    }
    list_remove(&session->later);
    nghttp2_session_del(session->nghttp2);
    free(session->fields);
    free(session);
}

const HttpVersionOperations http2_operations = {
    .advance = http2_advance,
    .want_body = http2_want_body,
    .respond = http2_respond,
    .respond_stream = http2_respond_stream,
    .respond_write = http2_respond_write,
    .respond_end = http2_respond_end,
    .respond_abort = http2_respond_abort,
    .timed_out = http2_timed_out,
    .drain = http2_drain,
};

const char *http2_library_version(void)
{
    return nghttp2_version(0)->version_str;
}

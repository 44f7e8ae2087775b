/* Answers of HTTP/2: heads as fields, bodies as DATA frames that are made when the client takes them. */
#include "net/http2.h"

#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- The head ---- */

static nghttp2_nv field(Slice name, Slice value, uint8_t flags)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name.data, (uint8_t *)(uintptr_t)value.data, name.size, value.size,
                        flags};
}

/* HTTP/2 knows no such fields: what they say stands in its frames (RFC 9113, 8.2.2). */
static bool is_of_connection(Slice name)
{
    static const Slice names[] = {SLICE_INIT("connection"), SLICE_INIT("keep-alive"), SLICE_INIT("proxy-connection"),
                                  SLICE_INIT("transfer-encoding"), SLICE_INIT("upgrade")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal_ignore_case(name, names[i]))
            return true;
    return false;
}

/* Bytes that end a field elsewhere must not come from a value: they are made spaces (RFC 9113, 8.2.1). */
static Slice clean_value(Arena *arena, Slice value)
{
    size_t at = 0;
    while (at < value.size && value.data[at] != '\r' && value.data[at] != '\n' && value.data[at] != '\0')
        at++;
    if (at == value.size)
        return value;
    char *copy = arena_string(arena, value);
    for (; at < value.size; at++)
        if (copy[at] == '\r' || copy[at] == '\n' || copy[at] == '\0')
            copy[at] = ' ';
    return slice_make(copy, value.size);
}

/* Submits the head; `length` is left out when it is absent. With a provider, a body follows. */
static void submit(Http2Stream *stream, const HttpResponse *response, Slice length, nghttp2_data_provider *provider)
{
    enum { OWN_FIELDS = 3, DATE_NAME_BYTES = 6, DATE_BYTES = 29 };
    Arena *arena = &stream->exchange->arena;
    nghttp2_nv *fields = arena_alloc(arena, sizeof *fields * (response->header_count + OWN_FIELDS));
    char status[12];
    int digits = snprintf(status, sizeof status, "%d", response->status);
    size_t count = 0;
    bool has_date = false;
    fields[count++] = field(SLICE(":status"), slice_make(status, (size_t)digits), NGHTTP2_NV_FLAG_NO_COPY_NAME);
    for (size_t i = 0; i < response->header_count; i++) {
        const HttpHeader *header = &response->headers[i];
        if (is_of_connection(header->name) ||
            (length.data != NULL && slice_equal_ignore_case(header->name, SLICE("content-length"))))
            continue;
        has_date = has_date || slice_equal_ignore_case(header->name, SLICE("date"));
        fields[count++] = field(header->name, clean_value(arena, header->value), NGHTTP2_NV_FLAG_NONE);
    }
    if (!has_date) {
        Slice line = http_date_line(stream->session->connection->on);
        Slice date = slice_make(line.data + DATE_NAME_BYTES, DATE_BYTES);
        fields[count++] = field(SLICE("date"), date, NGHTTP2_NV_FLAG_NO_COPY_NAME);
    }
    if (length.data != NULL)
        fields[count++] = field(SLICE("content-length"), length, NGHTTP2_NV_FLAG_NO_COPY_NAME);
    int failed = nghttp2_submit_response(stream->session->nghttp2, stream->id, fields, count, provider);
    ASSERT(failed == 0);
    http2_later(stream->session);
}

void http2_answer_continue(Http2Stream *stream)
{
    nghttp2_nv status = field(SLICE(":status"), SLICE("100"), NGHTTP2_NV_FLAG_NONE);
    nghttp2_submit_headers(stream->session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, NULL, &status, 1, NULL);
    http2_later(stream->session);
}

/* ---- The body ---- */

/* Tells libnghttp2 how much there is; http2_send_data writes it. */
static ssize_t provide(nghttp2_session *nghttp2, int32_t id, uint8_t *room, size_t most, uint32_t *flags,
                       nghttp2_data_source *source, void *user)
{
    (void)nghttp2;
    (void)id;
    (void)room;
    (void)user;
    Http2Stream *stream = source->ptr;
    if (stream->unsent.size == 0 && !stream->complete) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream->unsent.size <= most && stream->complete)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)(stream->unsent.size < most ? stream->unsent.size : most);
}

int http2_send_data(nghttp2_session *nghttp2, nghttp2_frame *frame, const uint8_t *head, size_t size,
                    nghttp2_data_source *source, void *user)
{
    enum { FRAME_HEAD_BYTES = 9 };
    (void)nghttp2;
    (void)frame;
    Http2Session *session = user;
    HttpConnection *connection = session->connection;
    Http2Stream *stream = source->ptr;
    Http2Unsent *unsent = &stream->unsent;
    if (connection->closing)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (connection->queued > 0)
        return NGHTTP2_ERR_WOULDBLOCK;
    char *at = http_output_reserve(connection, FRAME_HEAD_BYTES + size);
    memcpy(at, head, FRAME_HEAD_BYTES);
    if (size > 0) {
        memcpy(at + FRAME_HEAD_BYTES, unsent->at, size);
        unsent->at += size;
        unsent->size -= size;
        session->unsent -= size;
    }
    http_output_commit(connection, at + FRAME_HEAD_BYTES + size);
    session->sent_ms = uv_now(connection->on->uv);
    if (unsent->size == 0) {
        free(unsent->room);
        *unsent = (Http2Unsent){0};
    }
    http_timer_set(connection->on, &stream->write_timer,
                   unsent->size > 0 ? HTTP_TIMEOUT_STREAM_WRITE : HTTP_TIMEOUT_NONE, true);
    if (stream->exchange->must_stop && unsent->size <= HTTP2_STREAM_LOW_BYTES)
        http2_stream_changed(stream);
    if (connection->on->cork_size >= HTTP_CORK_BYTES)
        http_output_flush(connection);
    return 0;
}

/* The stream has more to send. */
static void resume(Http2Stream *stream)
{
    HttpServerLoop *on = stream->session->connection->on;
    /* The end of a stream waits for the client's window too, though it is empty. */
    if (stream->unsent.size > 0 || stream->complete)
        http_timer_set(on, &stream->write_timer, HTTP_TIMEOUT_STREAM_WRITE, false);
    if (stream->deferred)
        nghttp2_session_resume_data(stream->session->nghttp2, stream->id);
    stream->deferred = false;
    http2_later(stream->session);
}

void http2_answer_drop(Http2Stream *stream)
{
    stream->session->unsent -= stream->unsent.size;
    free(stream->unsent.room);
    stream->unsent = (Http2Unsent){0};
}

void http2_answer_sent(Http2Stream *stream)
{
    stream->sent = true;
    if (!stream->ended)
        http2_stream_changed(stream);
}

void http2_answer_timed_out(Http2Stream *stream)
{
    Http2Session *session = stream->session;
    HttpConnection *connection = session->connection;
    HttpServerLoop *on = connection->on;
    if (connection->closing || connection->finishing)
        return;
    /* It may only wait for its turn: while the connection is full, or its other streams go on. */
    bool has_room = nghttp2_session_get_stream_remote_window_size(session->nghttp2, stream->id) > 0;
    bool goes_on = uv_now(on->uv) - session->sent_ms < on->timeout_ms[HTTP_TIMEOUT_STREAM_WRITE];
    if (connection->queued > 0 || (has_room && goes_on)) {
        http_timer_set(on, &stream->write_timer, HTTP_TIMEOUT_STREAM_WRITE, true);
        return;
    }
    http_count(&connection->on->evicted);
    http2_stream_reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* ---- What handlers say ---- */

/* Whether so much more may wait for the client to read; if not, the stream is broken off. */
static bool may_hold(Http2Stream *stream, size_t size)
{
    Http2Session *session = stream->session;
    if (stream->reset)
        return false;
    uint64_t most = session->connection->on->server->limits.value[LIMIT_NET_HTTP2_UNSENT_BYTES];
    if (size == 0 || (session->unsent + size - 1) / HTTP2_UNSENT_FACTOR < most)
        return true;
    http_count(&session->connection->on->evicted);
    http2_stream_reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
    return false;
}

void http2_respond(HttpExchange *exchange, const HttpResponse *response)
{
    Http2Stream *stream = exchange->stream;
    char digits[24];
    bool bodiless = http_status_is_bodiless(response->status);
    Slice body = exchange->is_head || bodiless ? SLICE("") : response->body;
    if (!may_hold(stream, body.size))
        return;
    Slice length = {0};
    /* With HEAD the handler may know the length that GET would give. */
    if (!bodiless && !(exchange->is_head && http_response_header(response, SLICE("content-length")).data != NULL))
        length = slice_make(digits, (size_t)snprintf(digits, sizeof digits, "%zu", response->body.size));
    stream->complete = true;
    if (body.size == 0) {
        submit(stream, response, length, NULL);
        return;
    }
    stream->unsent = (Http2Unsent){.at = body.data, .size = body.size};
    stream->session->unsent += body.size;
    nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = provide};
    submit(stream, response, length, &provider);
    resume(stream);
}

void http2_respond_stream(HttpExchange *exchange, const HttpResponse *head)
{
    Http2Stream *stream = exchange->stream;
    Slice length = http_response_header(head, SLICE("content-length"));
    exchange->no_body = exchange->is_head || http_status_is_bodiless(head->status);
    exchange->framing_out = HTTP1_FRAMING_NONE;
    if (length.data != NULL && slice_parse_uint64(length, &exchange->left_out))
        exchange->framing_out = HTTP1_FRAMING_LENGTH;
    if (stream->reset)
        return;
    nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = provide};
    submit(stream, head, (Slice){0}, &provider);
}

bool http2_respond_write(HttpExchange *exchange, Slice piece)
{
    Http2Stream *stream = exchange->stream;
    Http2Unsent *unsent = &stream->unsent;
    if (exchange->framing_out == HTTP1_FRAMING_LENGTH && !exchange->no_body) {
        ASSERT(piece.size <= exchange->left_out);
        exchange->left_out -= piece.size;
    }
    if (exchange->no_body || piece.size == 0)
        return unsent->size < HTTP2_STREAM_HIGH_BYTES;
    if (unsent->size + piece.size > HTTP_STREAM_MAX_BYTES || !may_hold(stream, piece.size)) {
        if (!stream->reset) {
            http_count(&stream->session->connection->on->evicted);
            http2_stream_reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
        }
        return true; /* all is dropped */
    }
    if (unsent->room != NULL && unsent->at != unsent->room)
        memmove(unsent->room, unsent->at, unsent->size);
    if (unsent->capacity < unsent->size + piece.size) {
        size_t needed = unsent->size + piece.size;
        unsent->capacity = 2 * unsent->capacity > needed ? 2 * unsent->capacity : needed;
        unsent->room = realloc(unsent->room, unsent->capacity);
        ASSERT(unsent->room != NULL);
    }
    memcpy(unsent->room + unsent->size, piece.data, piece.size);
    unsent->at = unsent->room;
    unsent->size += piece.size;
    stream->session->unsent += piece.size;
    resume(stream);
    return unsent->size < HTTP2_STREAM_HIGH_BYTES;
}

void http2_respond_abort(HttpExchange *exchange)
{
    if (!exchange->stream->reset)
        http2_stream_reset(exchange->stream, NGHTTP2_INTERNAL_ERROR);
}

void http2_respond_end(HttpExchange *exchange)
{
    Http2Stream *stream = exchange->stream;
    if (!exchange->no_body && exchange->framing_out == HTTP1_FRAMING_LENGTH && exchange->left_out > 0) {
        http2_respond_abort(exchange);
        return;
    }
    stream->complete = true;
    resume(stream);
}

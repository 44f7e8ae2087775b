#include "load.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { READ_BYTES = 65536, GATHER_BYTES = 65536, WINDOW_BYTES = 16 << 20 };

typedef struct Http2 {
    Transport transport;
    nghttp2_session *session;
} Http2;

/* One request and its answer. */
typedef struct Stream {
    Lane *lane;
    char *body;
    size_t body_size;
    size_t body_sent;
    char *answer;
    size_t answer_size;
    bool success;
} Stream;

static ssize_t give_body(nghttp2_session *session, int32_t stream_id, uint8_t *bytes, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    (void)session, (void)stream_id, (void)user;
    Stream *stream = source->ptr;
    size_t left = stream->body_size - stream->body_sent;
    size_t part = left < size ? left : size;
    memcpy(bytes, stream->body + stream->body_sent, part);
    stream->body_sent += part;
    if (part == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NONE};
}

static void ask(Transport *transport, Lane *lane, const Signature *signature, const char *body, size_t size)
{
    Http2 *http = (Http2 *)transport;
    Stream *stream = allocated(calloc(1, sizeof(*stream)));
    stream->lane = lane;
    stream->body = allocated(malloc(size));
    memcpy(stream->body, body, size);
    stream->body_size = size;
    const nghttp2_nv fields[] = {
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":authority", signature->host),
        field(":path", "/"),
        field("content-type", CONTENT_TYPE),
        field("x-amz-target", signature->target),
        field("x-amz-date", signature->moment),
        field("authorization", signature->authorization),
    };
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = give_body};
    if (nghttp2_submit_request(http->session, NULL, fields, sizeof(fields) / sizeof(fields[0]), &provider, stream) < 0)
        fail("no more streams on a connection");
}

static void send_all(const Http2 *http, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(http->transport.socket, bytes, size, MSG_NOSIGNAL);
        if (sent < 0)
            fail("send: %s", strerror(errno));
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* Frames of many streams go out in one piece. */
static void flush(Transport *transport)
{
    static char gathered[GATHER_BYTES];
    Http2 *http = (Http2 *)transport;
    size_t size = 0;
    const uint8_t *bytes;
    ssize_t more;
    while ((more = nghttp2_session_mem_send(http->session, &bytes)) > 0) {
        if (size + (size_t)more > sizeof(gathered)) {
            send_all(http, gathered, size);
            size = 0;
        }
        if ((size_t)more > sizeof(gathered))
            fail("a frame of %zd bytes", more);
        memcpy(gathered + size, bytes, (size_t)more);
        size += (size_t)more;
    }
    if (more < 0)
        fail("HTTP/2: %s", nghttp2_strerror((int)more));
    send_all(http, gathered, size);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                     const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
    (void)flags, (void)user;
    Stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL && name_size == 7 && memcmp(name, ":status", 7) == 0)
        stream->success = value_size == 3 && memcmp(value, "200", 3) == 0;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes, size_t size,
                   void *user)
{
    (void)flags, (void)user;
    Stream *stream = nghttp2_session_get_stream_user_data(session, stream_id);
    if (stream == NULL)
        return 0;
    stream->answer = allocated(realloc(stream->answer, stream->answer_size + size + 1));
    memcpy(stream->answer + stream->answer_size, bytes, size);
    stream->answer_size += size;
    stream->answer[stream->answer_size] = '\0';
    return 0;
}

static int on_stream_end(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
    (void)user;
    Stream *stream = nghttp2_session_get_stream_user_data(session, stream_id);
    if (stream == NULL)
        return 0;
    if (code != NGHTTP2_NO_ERROR)
        fail("the server ended a stream: %s", nghttp2_http2_strerror(code));
    lane_answered(stream->lane, stream->success, stream->answer == NULL ? "" : stream->answer, stream->answer_size);
    free(stream->body);
    free(stream->answer);
    free(stream);
    return 0;
}

static void readable(Transport *transport)
{
    static uint8_t bytes[READ_BYTES];
    Http2 *http = (Http2 *)transport;
    ssize_t got = recv(transport->socket, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("the server closed a connection: %s", got < 0 ? strerror(errno) : "end");
    ssize_t taken = nghttp2_session_mem_recv(http->session, bytes, (size_t)got);
    if (taken != got)
        fail("HTTP/2: %s", nghttp2_strerror((int)taken));
    flush(transport);
}

Transport *http2_open(const Options *options)
{
    Http2 *http = allocated(calloc(1, sizeof(*http)));
    http->transport =
        (Transport){.socket = connected_socket(options), .readable = readable, .ask = ask, .flush = flush};
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        fail("out of memory");
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_end);
    if (nghttp2_session_client_new(&http->session, callbacks, http) != 0)
        fail("out of memory");
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                               {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES}};
    nghttp2_submit_settings(http->session, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(http->session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES);
    return &http->transport;
}

/* TLS on a connection: between the socket and the version on the wire, which sees plaintext only. */
#include "net/http_internal.h"

#include "base/bug.h"

#include <stdlib.h>

enum {
    PLAIN_BYTES = HTTP_READ_BUFFER_BYTES + TLS_RECORD_BYTES,
    OUTPUT_KEPT_BYTES = 65536,     /* room for ciphertext that a loop keeps */
    PROTOCOL_UNREAD_BYTES = 65536, /* a client that makes TLS itself answer, and reads nothing, is cut off here */
};

/* ---- What ALPN may agree on, the best first; a client that does not ask speaks HTTP/1.1 ---- */

static void start_http1(HttpConnection *connection)
{
    connection->version = &http1_operations;
}

enum { ALPN_HTTP2, ALPN_HTTP1, ALPN_COUNT };

static const char *const protocol_names[] = {[ALPN_HTTP2] = "h2", [ALPN_HTTP1] = "http/1.1", [ALPN_COUNT] = NULL};
static void (*const protocol_starts[])(HttpConnection *connection) = {
    [ALPN_HTTP2] = http2_start, [ALPN_HTTP1] = start_http1};

static void start_protocol(HttpConnection *connection)
{
    int chosen = tls_session_protocol(connection->tls);
    protocol_starts[chosen < 0 ? ALPN_HTTP1 : chosen](connection);
}

/* ---- During the handshake: there is no request and no answer yet ---- */

static void handshake_advance(HttpConnection *connection)
{
    if (connection->eof)
        http_connection_cut(connection);
}

static void handshake_timed_out(HttpConnection *connection, HttpTimeout kind)
{
    (void)kind;
    http_count(&connection->on->bad_requests);
    http_connection_cut(connection);
}

/* Nothing was asked yet: the client may ask again elsewhere. */
static void handshake_drain(HttpConnection *connection)
{
    http_connection_cut(connection);
}

static const HttpVersionOperations handshake_operations = {
    .advance = handshake_advance,
    .timed_out = handshake_timed_out,
    .drain = handshake_drain,
};

void http_tls_open(HttpConnection *connection)
{
    connection->tls = tls_session_make(connection->on->server->tls, protocol_names);
    connection->version = &handshake_operations;
    http_timer_set(connection->on, &connection->read_timer, HTTP_TIMEOUT_HANDSHAKE, true);
}

/* ---- Reading ---- */

/* A method's first letter; a record begins with its type, which is none (RFC 8446, 5.1). */
static bool is_cleartext(Slice bytes)
{
    return bytes.data[0] >= 'A' && bytes.data[0] <= 'Z';
}

static void answer_cleartext(HttpConnection *connection)
{
    tls_session_free(connection->tls);
    connection->tls = NULL;
    connection->version = &http1_operations;
    http_count(&connection->on->bad_requests);
    http1_write_refusal(connection, (HttpRefusal){400, "this port speaks TLS: call it by https://"});
    http_connection_finish(connection, true);
}

/* The alert that says why has been sent. */
static void fail(HttpConnection *connection, bool in_handshake)
{
    http_count(&connection->on->bad_requests);
    if (in_handshake)
        http_connection_finish(connection, true);
    else
        http_connection_cut(connection);
}

/* Sends what TLS itself has to say. */
static void send_protocol_output(HttpConnection *connection)
{
    size_t size = connection->on->tls_output.size;
    if (size == 0)
        return;
    http_output_send_records(connection);
    connection->tls_unread = connection->queued > 0 ? connection->tls_unread + size : 0;
    if (connection->tls_unread > PROTOCOL_UNREAD_BYTES && !connection->closing) {
        http_count(&connection->on->evicted);
        http_connection_cut(connection);
    }
}

/* A part of a record of a body is progress as any other bytes: a slow client that sends large records is no slower. */
static void take_part(HttpConnection *connection, size_t size)
{
    connection->tls_partial += size;
    if (connection->tls_partial < HTTP_BODY_STEP_BYTES || connection->read_timer.kind != HTTP_TIMEOUT_BODY)
        return;
    connection->tls_partial = 0;
    http_timer_set(connection->on, &connection->read_timer, HTTP_TIMEOUT_BODY, true);
}

void http_tls_receive(HttpConnection *connection, Slice bytes)
{
    HttpServerLoop *on = connection->on;
    bool in_handshake = connection->version == &handshake_operations;
    if (!connection->tls_began && is_cleartext(bytes)) {
        answer_cleartext(connection);
        return;
    }
    connection->tls_began = true;
    if (on->plain_buffer == NULL) {
        on->plain_buffer = malloc(PLAIN_BYTES);
        ASSERT(on->plain_buffer != NULL);
    }
    size_t size;
    TlsState state = tls_session_receive(connection->tls, bytes, on->plain_buffer, &size, &on->tls_output);
    send_protocol_output(connection);
    if (connection->closing || state == TLS_HANDSHAKE)
        return;
    if (state == TLS_FAILED) {
        fail(connection, in_handshake);
        return;
    }
    if (in_handshake) {
        start_protocol(connection);
    } else if (size == 0 && state == TLS_OPEN) {
        take_part(connection, bytes.size);
        return;
    }
    connection->tls_partial = 0;
    if (state == TLS_ENDED) {
        http_connection_read(connection, false);
        connection->eof = true;
    }
    http_connection_take(connection, slice_make(on->plain_buffer, size));
}

/* ---- Writing ---- */

bool http_tls_encrypt(HttpConnection *connection, const Slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!tls_session_send(connection->tls, parts[i], &connection->on->tls_output))
            return false;
    return true;
}

void http_tls_end(HttpConnection *connection)
{
    tls_session_end(connection->tls, &connection->on->tls_output);
    if (connection->on->tls_output.size > 0)
        http_output_send_records(connection);
}

void http_tls_output_clear(HttpServerLoop *on)
{
    on->tls_output.size = 0;
    if (on->tls_output.capacity > OUTPUT_KEPT_BYTES) {
        free(on->tls_output.bytes);
        on->tls_output = (TlsOutput){0};
    }
}

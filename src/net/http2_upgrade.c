/* From HTTP/1.1 to HTTP/2 on a connection without TLS (RFC 7540, 3.2). Nothing obliges us to take the offer: what is
 * not quite as it should be is answered in HTTP/1.1. */
#include "net/http2.h"

#include "base/digest.h"

/* Whether one of the fields of that name has the token in its list. */
static bool lists(const HttpRequest *request, Slice name, Slice token)
{
    for (size_t i = 0; i < request->header_count; i++) {
        Slice rest = request->headers[i].value;
        if (!slice_equal(request->headers[i].name, name))
            continue;
        while (rest.size > 0) {
            size_t comma = slice_find(rest, ',');
            Slice item = slice_make(rest.data, comma);
            while (item.size > 0 && (item.data[0] == ' ' || item.data[0] == '\t'))
                item = slice_skip(item, 1);
            while (item.size > 0 && (item.data[item.size - 1] == ' ' || item.data[item.size - 1] == '\t'))
                item.size--;
            if (slice_equal_ignore_case(item, token))
                return true;
            rest = slice_skip(rest, comma < rest.size ? comma + 1 : comma);
        }
    }
    return false;
}

static bool has_one(const HttpRequest *request, Slice name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += slice_equal(request->headers[i].name, name);
    return count == 1;
}

/* base64url without padding (RFC 4648, section 5). */
static Error decode_settings(Arena *arena, Slice text, Slice *settings)
{
    Buffer plain = buffer_make(arena);
    for (size_t i = 0; i < text.size; i++) {
        char digit = text.data[i];
        buffer_add_byte(&plain, digit == '-' ? '+' : digit == '_' ? '/' : digit);
    }
    while (plain.size % 4 != 0)
        buffer_add_byte(&plain, '=');
    return base64_decode(arena, buffer_slice(&plain), settings);
}

static bool is_offered(const HttpExchange *exchange)
{
    const HttpRequest *request = &exchange->request;
    return !exchange->http10 && !request->over_tls && lists(request, SLICE("upgrade"), SLICE("h2c")) &&
           lists(request, SLICE("connection"), SLICE("upgrade")) &&
           lists(request, SLICE("connection"), SLICE("http2-settings")) && has_one(request, SLICE("http2-settings"));
}

bool http2_upgrade(HttpConnection *connection, HttpExchange *exchange)
{
    if (!is_offered(exchange))
        return false;
    /* The body comes before the first frame, so that it must be short for the others not to wait. */
    bool simple = exchange->has_length && exchange->left <= HTTP_ARENA_BODY_BYTES && !exchange->expects_continue;
    Slice settings;
    if (!simple || atomic_load_explicit(&connection->on->server->draining, memory_order_relaxed) ||
        decode_settings(&exchange->arena, http_request_header(&exchange->request, SLICE("http2-settings")),
                        &settings) != OK)
        return false;
    http2_start(connection);
    Http2Session *session = connection->http2;
    if (nghttp2_session_upgrade2(session->nghttp2, (const uint8_t *)settings.data, settings.size, exchange->is_head,
                                 NULL) != 0) {
        http2_forget(connection);
        connection->version = &http1_operations;
        return false;
    }
    http_output_add(connection,
                    SLICE("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n"));
    Http2Stream *stream = http2_stream_make(session, exchange, 1);
    stream->raw = true;
    stream->ended = exchange->left == 0;
    session->raw_left = exchange->left;
    http2_head_came(stream);
    return true;
}

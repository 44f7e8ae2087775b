#include "net/http_internal.h"

#include "base/bug.h"

#include <stdlib.h>

/* ---- Exchanges ---- */

HttpExchange *http_exchange_make(HttpConnection *connection)
{
    HttpServerLoop *on = connection->on;
    HttpExchange *exchange = on->free_exchanges;
    if (exchange != NULL) {
        on->free_exchanges = exchange->next_free;
        on->free_count--;
    } else {
        exchange = malloc(sizeof *exchange);
        ASSERT(exchange != NULL);
        exchange->arena = arena_make();
        arena_alloc_aligned(&exchange->arena, 1, 1); /* makes the first chunk, which stays */
        exchange->fresh = arena_mark(&exchange->arena);
    }
    Arena arena = exchange->arena;
    ArenaMark fresh = exchange->fresh;
    *exchange = (HttpExchange){.connection = connection, .arena = arena, .fresh = fresh};
    exchange->request.arena = &exchange->arena;
    exchange->request.loop = on->loop;
    exchange->request.pace = &connection->pace;
    exchange->request.peer = slice_of_string(connection->peer);
    exchange->request.over_tls = connection->tls != NULL;
    list_push_back(&connection->exchanges, &exchange->node);
    connection->exchange_count++;
    on->exchange_count++;
    return exchange;
}

void http_exchange_free(HttpExchange *exchange)
{
    HttpServerLoop *on = exchange->connection->on;
    list_remove(&exchange->node);
    exchange->connection->exchange_count--;
    on->exchange_count--;
    http_request_gone(exchange);
    if (!exchange->body_in_arena)
        free(exchange->body);
    if (on->free_count >= HTTP_FREE_EXCHANGES) {
        arena_free(&exchange->arena);
        free(exchange);
        return;
    }
    arena_rewind(&exchange->arena, exchange->fresh);
    exchange->next_free = on->free_exchanges;
    on->free_exchanges = exchange;
    on->free_count++;
}

void http_exchange_tell_gone(HttpExchange *exchange)
{
    if (exchange->answer == HTTP_ANSWER_COMPLETE)
        return;
    bool waits_for_body = !exchange->body_complete && exchange->sink != HTTP_BODY_UNASKED;
    bool told = exchange->told_gone;
    exchange->told_gone = true;
    if (waits_for_body)
        http_body_fail(exchange, ERROR_GONE);
    else if (exchange->request.on_gone != NULL && !told)
        exchange->request.on_gone(&exchange->request);
    else if (exchange->must_stop && exchange->on_writable != NULL)
        exchange->on_writable(&exchange->request); /* it may go on to its end: all is dropped */
}

Slice http_request_header(const HttpRequest *request, Slice name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (slice_equal(request->headers[i].name, name))
            return request->headers[i].value;
    return (Slice){0};
}

/* ---- The body, as it comes ---- */

/* Room for `extra` more bytes of a whole body and a NUL; false when all bodies together are too large for more. */
static bool body_reserve(HttpExchange *exchange, size_t extra)
{
    size_t needed = exchange->body_size + extra + 1;
    if (needed <= exchange->body_capacity)
        return true;
    size_t expected = exchange->has_length ? needed + exchange->left : 0;
    if (exchange->body == NULL && exchange->has_length && expected <= HTTP_ARENA_BODY_BYTES) {
        /* Most bodies come with their head: those cost no more than the request. */
        if (exchange->left > 0 && !http_request_grew(exchange, expected))
            return false;
        exchange->body_capacity = expected;
        exchange->body = arena_alloc_aligned(&exchange->arena, exchange->body_capacity, 1);
        exchange->body_in_arena = true;
        return true;
    }
    /* Grown as bytes come: what a client only announces costs nothing. */
    ASSERT(!exchange->body_in_arena);
    size_t capacity =
        exchange->body_capacity * 2 > HTTP_ARENA_BODY_BYTES ? exchange->body_capacity * 2 : HTTP_ARENA_BODY_BYTES;
    if (capacity < needed)
        capacity = needed;
    if (exchange->has_length && capacity > expected)
        capacity = expected;
    if (!http_request_grew(exchange, capacity - exchange->body_capacity))
        return false;
    exchange->body = realloc(exchange->body, capacity);
    ASSERT(exchange->body != NULL);
    exchange->body_capacity = capacity;
    return true;
}

void http_body_take(HttpExchange *exchange, Slice data)
{
    if (exchange->body_complete)
        return;
    if (exchange->sink == HTTP_BODY_STREAM) {
        exchange->piece(&exchange->request, OK, data, false);
        return;
    }
    if (exchange->sink != HTTP_BODY_WHOLE)
        return;
    if (data.size > exchange->body_limit - exchange->body_size) {
        http_body_fail(exchange, ERROR_TOO_LARGE);
        return;
    }
    if (!body_reserve(exchange, data.size)) {
        http_body_fail(exchange, ERROR_BUSY);
        return;
    }
    memcpy(exchange->body + exchange->body_size, data.data, data.size);
    exchange->body_size += data.size;
}

void http_body_end(HttpExchange *exchange)
{
    if (exchange->body_complete)
        return;
    exchange->body_complete = true;
    if (exchange->sink == HTTP_BODY_STREAM) {
        exchange->piece(&exchange->request, OK, (Slice){0}, true);
    } else if (exchange->sink == HTTP_BODY_WHOLE) {
        if (exchange->body == NULL) {
            exchange->ready(&exchange->request, OK, SLICE(""));
            return;
        }
        exchange->body[exchange->body_size] = '\0';
        exchange->ready(&exchange->request, OK, slice_make(exchange->body, exchange->body_size));
    }
}

void http_body_fail(HttpExchange *exchange, Error error)
{
    if (exchange->body_complete)
        return;
    exchange->body_complete = true;
    exchange->body_abandoned = true;
    if (exchange->sink == HTTP_BODY_STREAM)
        exchange->piece(&exchange->request, error, (Slice){0}, true);
    else if (exchange->sink == HTTP_BODY_WHOLE)
        exchange->ready(&exchange->request, error, (Slice){0});
}

/* ---- What handlers call ---- */

void http_request_read_body(HttpRequest *request, size_t limit,
                            void (*ready)(HttpRequest *request, Error error, Slice body))
{
    HttpExchange *exchange = http_exchange_of(request);
    HttpConnection *connection = exchange->connection;
    ASSERT(exchange->sink == HTTP_BODY_UNASKED && exchange->answer == HTTP_ANSWER_NONE);
    size_t most = connection->on->server->limits.value[LIMIT_NET_BODY_BYTES];
    exchange->sink = HTTP_BODY_WHOLE;
    exchange->ready = ready;
    exchange->body_limit = limit < most ? limit : most;
    if (exchange->has_length && exchange->left > exchange->body_limit)
        http_body_fail(exchange, ERROR_TOO_LARGE);
    else if (http_exchange_is_gone(exchange))
        http_body_fail(exchange, ERROR_GONE);
    else
        connection->version->want_body(exchange);
}

void http_request_stream_body(HttpRequest *request,
                              void (*piece)(HttpRequest *request, Error error, Slice data, bool end))
{
    HttpExchange *exchange = http_exchange_of(request);
    ASSERT(exchange->sink == HTTP_BODY_UNASKED && exchange->answer == HTTP_ANSWER_NONE);
    exchange->sink = HTTP_BODY_STREAM;
    exchange->piece = piece;
    if (http_exchange_is_gone(exchange))
        http_body_fail(exchange, ERROR_GONE);
    else
        exchange->connection->version->want_body(exchange);
}

void http_request_pause(HttpRequest *request)
{
    http_exchange_of(request)->paused = true;
}

void http_request_resume(HttpRequest *request)
{
    HttpExchange *exchange = http_exchange_of(request);
    if (!exchange->paused)
        return;
    exchange->paused = false;
    exchange->connection->progressed = true;
    if (!http_exchange_is_gone(exchange))
        exchange->connection->version->want_body(exchange);
}

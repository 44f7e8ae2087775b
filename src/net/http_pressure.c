/* What all clients together may hold of the server, and who makes room when it is too much: whoever has let the server
 * wait longest. Those who say what they have to say at once, and read their answers, hold next to nothing. The sums are
 * the server's; who makes room is looked for on the loop that needs it. */
#include "net/http_internal.h"

#include "base/bug.h"

enum { PATIENCE_MS = 1000 }; /* whoever has waited less for its client is not taken for slow */

/* The connection whose time for reading of that kind has run longest, at least `patience_ms`; NULL: none has. */
static HttpConnection *longest(HttpServerLoop *on, HttpTimeout kind, uint64_t patience_ms)
{
    ListNode *first = list_first(&on->timers[kind]);
    if (first == NULL)
        return NULL;
    HttpTimer *timer = CONTAINER_OF(first, HttpTimer, node);
    if (timer->due_ms + patience_ms > uv_now(on->uv) + on->timeout_ms[kind])
        return NULL;
    return CONTAINER_OF(timer, HttpConnection, read_timer);
}

static void evict(HttpConnection *connection)
{
    http_count(&connection->on->evicted);
    http_connection_cut(connection);
}

static bool is_over(HttpConnection *connection, atomic_uint_fast64_t *sum, LimitName limit)
{
    return !connection->closing &&
           atomic_load_explicit(sum, memory_order_relaxed) > connection->on->server->limits.value[limit];
}

void http_input_grew(HttpConnection *connection, size_t more)
{
    HttpServer *server = connection->on->server;
    atomic_fetch_add_explicit(&server->input_bytes, more, memory_order_relaxed);
    while (is_over(connection, &server->input_bytes, LIMIT_NET_INPUT_BYTES)) {
        HttpConnection *slowest = longest(connection->on, HTTP_TIMEOUT_HEADER, 0);
        evict(slowest != NULL ? slowest : connection);
    }
}

void http_input_shrank(HttpConnection *connection, size_t less)
{
    atomic_fetch_sub_explicit(&connection->on->server->input_bytes, less, memory_order_relaxed);
}

/* Ends, since each turn cuts a client or finds that it has read since it was looked at last, and no bytes leave
 * meanwhile; the connection itself is among those. */
void http_output_grew(HttpConnection *connection, size_t more)
{
    HttpServer *server = connection->on->server;
    atomic_fetch_add_explicit(&server->output_bytes, more, memory_order_relaxed);
    connection->output_held += more;
    while (is_over(connection, &server->output_bytes, LIMIT_NET_OUTPUT_BYTES)) {
        ListNode *first = list_first(&connection->on->timers[HTTP_TIMEOUT_WRITE]);
        ASSERT(first != NULL);
        http_evict_unless_reading(CONTAINER_OF(first, HttpConnection, write_timer.node));
    }
}

void http_output_shrank(HttpConnection *connection, size_t less)
{
    atomic_fetch_sub_explicit(&connection->on->server->output_bytes, less, memory_order_relaxed);
    connection->output_held -= less;
}

bool http_request_grew(HttpExchange *exchange, size_t more)
{
    HttpServerLoop *on = exchange->connection->on;
    HttpServer *server = on->server;
    uint64_t others = atomic_fetch_add_explicit(&server->body_bytes, more, memory_order_relaxed);
    if (others + more <= server->limits.value[LIMIT_NET_BODIES_BYTES]) {
        exchange->counted += more;
        return true;
    }
    atomic_fetch_sub_explicit(&server->body_bytes, more, memory_order_relaxed);
    /* Its room is there at the next try: its memory goes when it is closed. */
    HttpConnection *slowest = longest(on, HTTP_TIMEOUT_BODY, PATIENCE_MS);
    if (slowest != NULL && slowest != exchange->connection)
        evict(slowest);
    return false;
}

void http_request_gone(HttpExchange *exchange)
{
    if (exchange->counted > 0)
        atomic_fetch_sub_explicit(&exchange->connection->on->server->body_bytes, exchange->counted,
                                  memory_order_relaxed);
    exchange->counted = 0;
}

bool http_make_place(HttpServerLoop *on)
{
    HttpConnection *idle = longest(on, HTTP_TIMEOUT_IDLE, PATIENCE_MS);
    if (idle == NULL)
        return false;
    http_count(&on->displaced);
    http_connection_cut(idle);
    return true;
}

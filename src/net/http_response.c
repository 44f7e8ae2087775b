#include "net/http_internal.h"

#include "base/bug.h"

Slice http_response_header(const HttpResponse *response, Slice name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (slice_equal_ignore_case(response->headers[i].name, name))
            return response->headers[i].value;
    return (Slice){0};
}

/* An answer to a client that has left goes nowhere; with it the request ends. */
static bool answered_nobody(HttpExchange *exchange)
{
    HttpConnection *connection = exchange->connection;
    if (!http_exchange_is_gone(exchange))
        return false;
    if (exchange->orphan) {
        http_exchange_free(exchange);
        http_connection_free_if_done(connection);
    }
    return true;
}

/* From here on the handler is not asked any more. */
static void answer_complete(HttpExchange *exchange)
{
    exchange->answer = HTTP_ANSWER_COMPLETE;
    exchange->on_writable = NULL;
    if (!exchange->body_complete)
        exchange->sink = HTTP_BODY_DISCARD;
    exchange->paused = false;
}

void http_respond(HttpRequest *request, const HttpResponse *response)
{
    HttpExchange *exchange = http_exchange_of(request);
    ASSERT(exchange->answer == HTTP_ANSWER_NONE);
    answer_complete(exchange);
    if (!answered_nobody(exchange))
        exchange->connection->version->respond(exchange, response);
}

void http_respond_stream(HttpRequest *request, const HttpResponse *head, void (*on_writable)(HttpRequest *request))
{
    HttpExchange *exchange = http_exchange_of(request);
    ASSERT(exchange->answer == HTTP_ANSWER_NONE);
    exchange->answer = HTTP_ANSWER_STREAMING;
    exchange->on_writable = on_writable;
    if (!http_exchange_is_gone(exchange))
        exchange->connection->version->respond_stream(exchange, head);
}

bool http_respond_write(HttpRequest *request, Slice piece)
{
    HttpExchange *exchange = http_exchange_of(request);
    ASSERT(exchange->answer == HTTP_ANSWER_STREAMING);
    bool more = http_exchange_is_gone(exchange) || exchange->connection->version->respond_write(exchange, piece);
    /* Whoever writes to a client that has left may go on to the end. */
    exchange->must_stop = !more && !http_exchange_is_gone(exchange);
    return !exchange->must_stop;
}

void http_respond_end(HttpRequest *request)
{
    HttpExchange *exchange = http_exchange_of(request);
    ASSERT(exchange->answer == HTTP_ANSWER_STREAMING);
    answer_complete(exchange);
    if (!answered_nobody(exchange))
        exchange->connection->version->respond_end(exchange);
}

void http_respond_abort(HttpRequest *request)
{
    HttpExchange *exchange = http_exchange_of(request);
    ASSERT(exchange->answer == HTTP_ANSWER_STREAMING);
    answer_complete(exchange);
    if (!answered_nobody(exchange))
        exchange->connection->version->respond_abort(exchange);
}

#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { REQUEST_BYTES = 16384, ANSWER_BYTES = 2048 };

typedef struct Http1 {
    Transport transport;
    Lane *lane; /* whose request is in flight */
    char *in;
    size_t in_size;
    size_t in_capacity;
} Http1;

/* Requests are far smaller than a socket's buffer and one is in flight, so a send that does not take all is a fault. */
static void ask(Transport *transport, Lane *lane, const Signature *signature, const char *body, size_t size)
{
    Http1 *http = (Http1 *)transport;
    char request[REQUEST_BYTES];
    int head = snprintf(request, sizeof(request),
                        "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: " CONTENT_TYPE "\r\nX-Amz-Target: %s\r\n"
                        "X-Amz-Date: %s\r\nAuthorization: %s\r\nContent-Length: %zu\r\n\r\n",
                        signature->host, signature->target, signature->moment, signature->authorization, size);
    if (head < 0 || (size_t)head + size > sizeof(request))
        fail("a request of %zu bytes does not fit", size);
    memcpy(request + head, body, size);
    http->lane = lane;
    http->in_size = 0;
    ssize_t sent = send(transport->socket, request, (size_t)head + size, MSG_NOSIGNAL);
    if (sent != (ssize_t)((size_t)head + size))
        fail("send: %s", sent < 0 ? strerror(errno) : "cut short");
}

/* The whole size of the answer at the front of the buffer, 0 while its head is not complete. */
static size_t answer_size(Http1 *http, size_t *head_size)
{
    http->in[http->in_size] = '\0';
    char *end = strstr(http->in, "\r\n\r\n");
    if (end == NULL)
        return 0;
    *head_size = (size_t)(end - http->in) + 4;
    *end = '\0';
    char *length = strcasestr(http->in, "\r\ncontent-length:");
    if (length == NULL)
        fail("an answer without a length: %s", http->in);
    size_t size = *head_size + strtoul(length + 17, NULL, 10);
    *end = '\r';
    return size;
}

static void readable(Transport *transport)
{
    Http1 *http = (Http1 *)transport;
    if (http->in_size + 1 >= http->in_capacity) {
        http->in_capacity *= 2;
        http->in = allocated(realloc(http->in, http->in_capacity));
    }
    ssize_t got =
        recv(transport->socket, http->in + http->in_size, http->in_capacity - http->in_size - 1, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("the server closed a connection: %s", got < 0 ? strerror(errno) : "end");
    http->in_size += (size_t)got;
    size_t head_size = 0;
    size_t size = answer_size(http, &head_size);
    if (size == 0 || http->in_size < size)
        return;
    if (http->in_size > size)
        fail("more than one answer to one request");
    bool success = strncmp(http->in, "HTTP/1.1 200", 12) == 0;
    size_t body_at = success ? head_size : 0; /* a refusal is shown with its head */
    lane_answered(http->lane, success, http->in + body_at, http->in_size - body_at);
}

Transport *http1_open(const Options *options)
{
    Http1 *http = allocated(calloc(1, sizeof(*http)));
    http->transport = (Transport){.socket = connected_socket(options), .readable = readable, .ask = ask};
    http->in_capacity = ANSWER_BYTES;
    http->in = allocated(malloc(http->in_capacity));
    return &http->transport;
}

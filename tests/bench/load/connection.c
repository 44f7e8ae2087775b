#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 16384, ANSWER_BYTES = 2048, EVENTS = 256 };

static struct {
    int epoll;
    Answered answered;
    Refused refused;
    bool throttled;
} loop;

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void *allocated(void *memory)
{
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static void open_one(Connection *connection, int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    connection->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->socket < 0 || connect(connection->socket, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("no connection to port %d: %s", port, strerror(errno));
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection->in_capacity = ANSWER_BYTES;
    connection->in = allocated(malloc(connection->in_capacity));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, connection->socket, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
}

Connection *connections_open(const Options *options, int count, Answered answered, Refused refused)
{
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    loop.answered = answered;
    loop.refused = refused;
    loop.throttled = options->throttled != 0;
    Connection *connections = allocated(calloc((size_t)count, sizeof(*connections)));
    for (int i = 0; i < count; i++)
        open_one(&connections[i], options->port);
    return connections;
}

/* Requests are far smaller than a socket's buffer and one is in flight, so a send that does not take all is a fault. */
void connection_ask(Connection *connection, const Options *options, Operation operation, const char *name,
                    const char *body, size_t size)
{
    char request[REQUEST_BYTES];
    size_t request_size = sign_request(options, name, body, size, request, sizeof(request));
    connection->operation = operation;
    connection->in_size = 0;
    connection->busy = true;
    connection->started_ns = now_ns();
    ssize_t sent = send(connection->socket, request, request_size, MSG_NOSIGNAL);
    if (sent != (ssize_t)request_size)
        fail("send: %s", sent < 0 ? strerror(errno) : "cut short");
}

/* The whole size of the answer at the front of the buffer, 0 while its head is not complete. */
static size_t answer_size(Connection *connection, size_t *head_size)
{
    connection->in[connection->in_size] = '\0';
    char *end = strstr(connection->in, "\r\n\r\n");
    if (end == NULL)
        return 0;
    *head_size = (size_t)(end - connection->in) + 4;
    *end = '\0';
    char *length = strcasestr(connection->in, "\r\ncontent-length:");
    if (length == NULL)
        fail("an answer without a length: %s", connection->in);
    size_t size = *head_size + strtoul(length + 17, NULL, 10);
    *end = '\r';
    return size;
}

static bool is_throttling(const Connection *connection, size_t head_size)
{
    return strncmp(connection->in, "HTTP/1.1 403", 12) == 0 &&
           strstr(connection->in + head_size, "#RequestThrottled\"") != NULL;
}

static void take_answer(Connection *connection, size_t head_size)
{
    connection->in[connection->in_size] = '\0';
    if (loop.throttled && is_throttling(connection, head_size)) {
        stats_add(REFUSED, now_ns() - connection->started_ns);
        connection->busy = false;
        loop.refused(connection);
        return;
    }
    if (strncmp(connection->in, "HTTP/1.1 200", 12) != 0)
        fail("%s answered: %s", operation_names[connection->operation], connection->in);
    stats_add(connection->operation, now_ns() - connection->started_ns);
    connection->busy = false;
    loop.answered(connection, connection->in + head_size, connection->in_size - head_size);
}

static void readable(Connection *connection)
{
    if (connection->in_size + 1 >= connection->in_capacity) {
        connection->in_capacity *= 2;
        connection->in = allocated(realloc(connection->in, connection->in_capacity));
    }
    ssize_t got = recv(connection->socket, connection->in + connection->in_size,
                       connection->in_capacity - connection->in_size - 1, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("the server closed a connection: %s", got < 0 ? strerror(errno) : "end");
    connection->in_size += (size_t)got;
    size_t head_size = 0;
    size_t size = answer_size(connection, &head_size);
    if (size == 0 || connection->in_size < size)
        return;
    if (connection->in_size > size || !connection->busy)
        fail("more than one answer to one request");
    take_answer(connection, head_size);
}

void connections_serve(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loop.epoll, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++)
        readable(events[i].data.ptr);
}

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

enum { EVENTS = 256 };

static struct {
    int epoll;
    Answered answered;
    Refused refused;
    bool throttled;
    Transport **transports;
    int transport_count;
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

void *allocated(void *memory)
{
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

int connected_socket(const Options *options)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)options->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("no connection to port %d: %s", options->port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static Transport *transport_add(const Options *options)
{
    Transport *transport = options->streams > 0 ? http2_open(options) : http1_open(options);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = transport};
    if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, transport->socket, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
    int count = loop.transport_count++;
    loop.transports = allocated(realloc(loop.transports, (size_t)loop.transport_count * sizeof(*loop.transports)));
    loop.transports[count] = transport;
    return transport;
}

Lane *lanes_open(const Options *options, int count, Answered answered, Refused refused)
{
    if (loop.answered == NULL)
        loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    loop.answered = answered;
    loop.refused = refused;
    loop.throttled = options->throttled != 0;
    Lane *lanes = allocated(calloc((size_t)count, sizeof(*lanes)));
    int shared = options->streams > 0 ? options->streams : 1;
    for (int i = 0; i < count; i++)
        lanes[i] = (Lane){.number = i, .transport = i % shared == 0 ? transport_add(options) : lanes[i - 1].transport};
    return lanes;
}

void lane_ask(Lane *lane, const Options *options, Operation operation, const char *name, const char *body, size_t size)
{
    Signature signature;
    sign_request(options, name, body, size, &signature);
    lane->operation = operation;
    lane->busy = true;
    lane->started_ns = now_ns();
    lane->transport->ask(lane->transport, lane, &signature, body, size);
}

void lane_answered(Lane *lane, bool success, const char *body, size_t size)
{
    if (!success && loop.throttled && strstr(body, "#RequestThrottled\"") != NULL) {
        stats_add(REFUSED, now_ns() - lane->started_ns);
        lane->busy = false;
        loop.refused(lane);
        return;
    }
    if (!success)
        fail("%s answered: %s", operation_names[lane->operation], body);
    if (!lane->busy)
        fail("more than one answer to one request");
    stats_add(lane->operation, now_ns() - lane->started_ns);
    lane->busy = false;
    loop.answered(lane, body, size);
}

void lanes_serve(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    for (int i = 0; i < loop.transport_count; i++)
        if (loop.transports[i]->flush != NULL)
            loop.transports[i]->flush(loop.transports[i]);
    int count = epoll_wait(loop.epoll, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        Transport *transport = events[i].data.ptr;
        transport->readable(transport);
    }
}

#include "net/http_internal.h"

#include "base/bug.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    ACCEPTS_A_TURN = 64,
    ACCEPT_RETRY_MS = 100,  /* when the process is out of file descriptors */
    FILES_NOT_FOR_US = 128, /* of the limit on open files: the store's, the listeners' */
};

typedef union SocketAddress {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
} SocketAddress;

struct HttpListener {
    HttpListener *next;
    HttpServer *server;
    uv_poll_t poll;
    uv_timer_t retry;
    int fd;
    bool open;
    bool is_unix;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1]; /* of a Unix socket: removed at the end */
};

/* ---- Addresses ---- */

static Error parse_unix(const char *path, SocketAddress *address, socklen_t *size)
{
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address->un.sun_path)
        return ERROR_MALFORMED;
    address->un.sun_family = AF_UNIX;
    memcpy(address->un.sun_path, path, length + 1);
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return OK;
}

static Error parse_address(const char *text, SocketAddress *address, socklen_t *size)
{
    *address = (SocketAddress){0};
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, address, size);
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (colon == NULL || !slice_parse_uint64(slice_of_string(colon + 1), &port) || port > UINT16_MAX)
        return ERROR_MALFORMED;
    char host[INET6_ADDRSTRLEN + 2];
    size_t length = (size_t)(colon - text);
    if (length == 0 || length >= sizeof host)
        return ERROR_MALFORMED;
    memcpy(host, text, length);
    host[length] = '\0';
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        *size = sizeof address->v6;
        return inet_pton(AF_INET6, host + 1, &address->v6.sin6_addr) == 1 ? OK : ERROR_MALFORMED;
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons((uint16_t)port);
    *size = sizeof address->v4;
    return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1 ? OK : ERROR_MALFORMED;
}

static void format_address(const SocketAddress *address, char text[HTTP_PEER_BYTES])
{
    char host[INET6_ADDRSTRLEN];
    if (address->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
        snprintf(text, HTTP_PEER_BYTES, "[%s]:%u", host, (unsigned)ntohs(address->v6.sin6_port));
    } else if (address->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
        snprintf(text, HTTP_PEER_BYTES, "%s:%u", host, (unsigned)ntohs(address->v4.sin_port));
    } else {
        snprintf(text, HTTP_PEER_BYTES, "unix");
    }
}

/* ---- Listening ---- */

static Error error_of_errno(int error)
{
    switch (error) {
    case EADDRINUSE:
        return ERROR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_DENIED;
    case EADDRNOTAVAIL:
        return ERROR_NOT_FOUND;
    case ENOENT:
    case ENOTDIR:
    case EAFNOSUPPORT:
        return ERROR_MALFORMED;
    default:
        return ERROR_IO;
    }
}

/* Removes the socket file of a process that has died; one that somebody listens on stays. */
static bool remove_stale_socket(const SocketAddress *address, socklen_t size)
{
    struct stat status;
    if (lstat(address->un.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return false;
    bool refused = connect(probe, &address->any, size) != 0 && errno == ECONNREFUSED;
    close(probe);
    return refused && unlink(address->un.sun_path) == 0;
}

static Error bind_and_listen(int fd, const SocketAddress *address, socklen_t size)
{
    int on = 1;
    bool is_unix = address->any.sa_family == AF_UNIX;
    if (is_unix) {
        /* Before it is bound: the file must not be open to others even for a moment. */
        if (fchmod(fd, S_IRUSR | S_IWUSR) != 0)
            return ERROR_IO;
    } else {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted connections inherit it */
    }
    if (bind(fd, &address->any, size) != 0) {
        if (!is_unix || errno != EADDRINUSE)
            return error_of_errno(errno);
        if (!remove_stale_socket(address, size))
            return ERROR_EXISTS;
        if (bind(fd, &address->any, size) != 0)
            return error_of_errno(errno);
    }
    if (is_unix && chmod(address->un.sun_path, S_IRUSR | S_IWUSR) != 0)
        return error_of_errno(errno);
    return listen(fd, BACKLOG) == 0 ? OK : error_of_errno(errno);
}

/* Over the limit: says so, if the socket takes it at once, and hangs up. */
static void refuse_connection(HttpServer *server, int fd, bool over_tls)
{
    /* A fatal alert, internal_error (RFC 8446, 6.2): "such as a memory allocation failure". */
    static const char alert[] = {21, 3, 3, 0, 2, 2, 80};
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n"
                                 "content-type: text/plain; charset=utf-8\r\ncontent-length: 30\r\n\r\n"
                                 "too many connections are open\n";
    atomic_fetch_add_explicit(&server->refused, 1, memory_order_relaxed);
    ssize_t sent = over_tls ? send(fd, alert, sizeof alert, MSG_DONTWAIT | MSG_NOSIGNAL)
                            : send(fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent; /* a courtesy */
    /* What has come is taken from the kernel, as closing with bytes unread would take the answer back. */
    char dropped[4096];
    shutdown(fd, SHUT_WR);
    while (recv(fd, dropped, sizeof dropped, MSG_DONTWAIT) == (ssize_t)sizeof dropped)
        continue;
    close(fd);
}

/* On the connection's loop. */
static void open_on_loop(HttpConnection *connection)
{
    HttpServer *server = connection->on->server;
    if (!connection->over || http_make_place(connection->on)) {
        http_connection_open(connection);
        return;
    }
    int fd = connection->fd;
    bool over_tls = server->tls != NULL && !connection->is_pipe;
    free(connection);
    http_server_forget(server);
    refuse_connection(server, fd, over_tls); /* last: whoever sees the end does not find it counted any more */
}

static void open_handed_over(Task *task)
{
    open_on_loop(CONTAINER_OF(task, HttpConnection, open));
}

static void spread(HttpServer *server, int fd, const SocketAddress *peer)
{
    uint64_t others = atomic_load_explicit(&server->connections, memory_order_relaxed);
    if (others >= server->connections_max + HTTP_PLACES) {
        refuse_connection(server, fd, server->tls != NULL && peer->any.sa_family != AF_UNIX);
        return;
    }
    atomic_fetch_add_explicit(&server->connections, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&server->alive, 1, memory_order_relaxed);
    char text[HTTP_PEER_BYTES];
    format_address(peer, text);
    size_t index = server->next_loop;
    server->next_loop = (index + 1) % server->loop_count;
    HttpConnection *connection = http_connection_make(&server->loops[index], fd, peer->any.sa_family == AF_UNIX, text);
    connection->over = others >= server->connections_max;
    if (index == 0) {
        open_on_loop(connection);
        return;
    }
    TaskChain chain = {0};
    connection->open.run = open_handed_over;
    task_chain_push(&chain, &connection->open);
    Mailbox *mailbox = loop_mailbox(connection->on->loop);
    mailbox->post(mailbox, chain);
}

static void on_retry(uv_timer_t *timer);
static void on_acceptable(uv_poll_t *poll, int status, int events);

/* Accepts up to `most`; false when none is left. */
static bool accept_some(HttpListener *listener, int most)
{
    for (int i = 0; i < most; i++) {
        SocketAddress peer = {0};
        socklen_t size = sizeof peer;
        int fd = accept4(listener->fd, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (listener->is_unix)
                peer.any.sa_family = AF_UNIX;
            spread(listener->server, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The socket stays readable: without a pause the loop would spin. */
            uv_poll_stop(&listener->poll);
            uv_timer_start(&listener->retry, on_retry, ACCEPT_RETRY_MS, 0);
            return false;
        } else if (errno == EAGAIN) {
            return false;
        }
    }
    return true;
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    accept_some(poll->data, ACCEPTS_A_TURN);
}

static void on_retry(uv_timer_t *timer)
{
    HttpListener *listener = timer->data;
    uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
}

static void listener_close(HttpListener *listener)
{
    if (!listener->open)
        return;
    listener->open = false;
    uv_close((uv_handle_t *)&listener->poll, NULL);
    uv_close((uv_handle_t *)&listener->retry, NULL);
    close(listener->fd);
    if (listener->is_unix)
        unlink(listener->path);
}

static Error listener_open(HttpServer *server, int fd, const SocketAddress *address)
{
    HttpListener *listener = calloc(1, sizeof *listener);
    ASSERT(listener != NULL);
    uv_loop_t *uv = server->loops[0].uv;
    if (uv_poll_init(uv, &listener->poll, fd) != 0) {
        free(listener);
        return ERROR_IO;
    }
    uv_timer_init(uv, &listener->retry);
    listener->poll.data = listener->retry.data = listener;
    listener->server = server;
    listener->fd = fd;
    listener->open = true;
    listener->is_unix = address->any.sa_family == AF_UNIX;
    if (listener->is_unix)
        memcpy(listener->path, address->un.sun_path, sizeof address->un.sun_path);
    listener->next = server->listeners;
    server->listeners = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
    return OK;
}

Error http_server_listen(HttpServer *server, const char *text, Arena *arena, Slice *bound)
{
    SocketAddress address;
    socklen_t size;
    TRY(parse_address(text, &address, &size));
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_of_errno(errno);
    Error error = bind_and_listen(fd, &address, size);
    if (error == OK && address.any.sa_family != AF_UNIX && getsockname(fd, &address.any, &size) != 0)
        error = ERROR_IO;
    if (error == OK)
        error = listener_open(server, fd, &address);
    if (error != OK) {
        close(fd);
        return error;
    }
    if (address.any.sa_family == AF_UNIX) {
        *bound = arena_copy(arena, slice_of_string(text));
    } else {
        char real[HTTP_PEER_BYTES];
        format_address(&address, real);
        *bound = arena_copy(arena, slice_of_string(real));
    }
    return OK;
}

/* ---- The server ---- */

/* One connection, or the listeners, are no more; the last of them tells whoever asked for the drain. */
static void release(HttpServer *server)
{
    if (atomic_fetch_sub_explicit(&server->alive, 1, memory_order_acq_rel) != 1 || server->drained == NULL)
        return;
    TaskChain chain = {0};
    task_chain_push(&chain, server->drained);
    server->drained_mailbox->post(server->drained_mailbox, chain);
}

void http_server_forget(HttpServer *server)
{
    atomic_fetch_sub_explicit(&server->connections, 1, memory_order_relaxed);
    release(server);
}

static void drain_loop(Task *task)
{
    HttpServerLoop *on = CONTAINER_OF(task, HttpServerLoop, drain);
    HttpServer *server = on->server;
    LIST_FOR_EACH(&on->connections, node)
    {
        HttpConnection *connection = CONTAINER_OF(node, HttpConnection, node);
        if (!connection->closing)
            connection->version->drain(connection);
    }
    if (on != &server->loops[0])
        return;
    for (HttpListener *listener = server->listeners; listener != NULL; listener = listener->next) {
        if (!listener->open)
            continue;
        /* Clients that are connected already may have sent a request. */
        while (accept_some(listener, ACCEPTS_A_TURN))
            continue;
        listener_close(listener);
    }
    release(server);
}

void http_server_drain(HttpServer *server, Task *drained, Mailbox *mailbox)
{
    server->drained = drained;
    server->drained_mailbox = mailbox;
    bool twice = atomic_exchange(&server->draining, true);
    ASSERT(!twice);
    for (size_t i = 0; i < server->loop_count; i++) {
        TaskChain chain = {0};
        server->loops[i].drain.run = drain_loop;
        task_chain_push(&chain, &server->loops[i].drain);
        Mailbox *loop = loop_mailbox(server->loops[i].loop);
        loop->post(loop, chain);
    }
}

static uint64_t most_connections(const Limits *limits)
{
    uint64_t most = limits->value[LIMIT_NET_CONNECTIONS];
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) {
        uint64_t ours = files.rlim_cur > 2 * FILES_NOT_FOR_US ? files.rlim_cur - FILES_NOT_FOR_US : files.rlim_cur / 2;
        most = most < ours ? most : ours;
    }
    return most;
}

Error http_server_open(const HttpServerOptions *options, HttpServer **result)
{
    ASSERT(options->loop_count > 0 && options->handler != NULL);
    HttpServer *server = calloc(1, sizeof *server);
    ASSERT(server != NULL);
    server->handler = options->handler;
    server->tls = options->tls;
    server->limits = *options->limits;
    server->connections_max = most_connections(options->limits);
    server->loop_count = options->loop_count;
    server->loops = calloc(options->loop_count, sizeof *server->loops);
    ASSERT(server->loops != NULL);
    atomic_store(&server->alive, 1); /* the listeners */
    for (size_t i = 0; i < options->loop_count; i++) {
        HttpServerLoop *on = &server->loops[i];
        on->server = server;
        on->loop = options->loops[i];
        on->uv = loop_uv(on->loop);
        list_init(&on->connections);
        on->read_buffer = malloc(HTTP_READ_BUFFER_BYTES);
        on->header_scratch = calloc(server->limits.value[LIMIT_NET_HEADER_COUNT], sizeof(HttpHeader));
        ASSERT(on->read_buffer != NULL && on->header_scratch != NULL);
        http_timers_open(on);
        http2_loop_open(on);
    }
    *result = server;
    return OK;
}

static void cut_all(HttpServerLoop *on)
{
    LIST_FOR_EACH(&on->connections, node)
    {
        HttpConnection *connection = CONTAINER_OF(node, HttpConnection, node);
        if (connection->closed)
            http_connection_abandon(connection); /* only handlers still held it */
        else
            http_connection_cut(connection);
    }
}

void http_server_close(HttpServer *server)
{
    server->stopped = true;
    server->drained = NULL;
    for (HttpListener *listener = server->listeners; listener != NULL; listener = listener->next)
        listener_close(listener);
    for (size_t i = 0; i < server->loop_count; i++) {
        HttpServerLoop *on = &server->loops[i];
        uv_close((uv_handle_t *)&on->timer, NULL);
        http2_loop_close(on);
        do {
            cut_all(on);
            uv_run(on->uv, UV_RUN_NOWAIT);
        } while (!list_is_empty(&on->connections));
        while (on->free_exchanges != NULL) {
            HttpExchange *exchange = on->free_exchanges;
            on->free_exchanges = exchange->next_free;
            arena_free(&exchange->arena);
            free(exchange);
        }
        free(on->read_buffer);
        free(on->header_scratch);
        free(on->cork);
        free(on->plain_buffer);
        free(on->tls_output.bytes);
    }
    for (HttpListener *listener = server->listeners, *next; listener != NULL; listener = next) {
        next = listener->next;
        free(listener);
    }
    free(server->loops);
    free(server);
}

void http_server_stats(HttpServer *server, HttpServerStats *stats)
{
    *stats = (HttpServerStats){
        .connections = atomic_load_explicit(&server->connections, memory_order_relaxed),
        .refused = atomic_load_explicit(&server->refused, memory_order_relaxed),
        .body_bytes = atomic_load_explicit(&server->body_bytes, memory_order_relaxed),
        .input_bytes = atomic_load_explicit(&server->input_bytes, memory_order_relaxed),
        .output_bytes = atomic_load_explicit(&server->output_bytes, memory_order_relaxed),
    };
    for (size_t i = 0; i < server->loop_count; i++) {
        const HttpServerLoop *on = &server->loops[i];
        stats->accepted += atomic_load_explicit(&on->accepted, memory_order_relaxed);
        stats->requests += atomic_load_explicit(&on->requests, memory_order_relaxed);
        stats->bad_requests += atomic_load_explicit(&on->bad_requests, memory_order_relaxed);
        stats->evicted += atomic_load_explicit(&on->evicted, memory_order_relaxed);
        stats->displaced += atomic_load_explicit(&on->displaced, memory_order_relaxed);
    }
}

#include "runtime/spawner_relay.h"

#include "base/bug.h"
#include "base/list.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_AT_ONCE = 64,
    CONNECTIONS_OF_A_DOOR = 512, /* more wait in the listener's queue */
    PIPE_BYTES = 64 << 10,
    FILES_OF_A_DOOR = 2, /* the listener, the life */
};

/* Each file that is watched says what it is. */
typedef enum EndKind { END_ORDERS, END_DOOR, END_LIFE, END_INSIDE, END_OUTSIDE } EndKind;
typedef struct End {
    EndKind kind;
    int file;
    uint32_t events; /* watched for */
} End;

typedef struct Door {
    End listener;
    End life;
    SandboxDoor where;
    List connections;
    unsigned count;
    bool is_closed; /* freed with its last event's batch */
    ListNode dead;
} Door;

/* Bytes on their way in one direction lie in a pipe, so that they are moved without being copied. */
typedef struct Way {
    End *from;
    End *to;
    int pipe[2];
    size_t held;
    bool from_ended; /* nothing more will come */
    bool told;       /* the other side knows */
} Way;

typedef struct Connection {
    ListNode node;
    Door *door;
    End inside;
    End outside;
    Way out;
    Way in;
    bool is_connecting;
    bool is_closed;
    ListNode dead;
} Connection;

typedef struct Relay {
    int epoll;
    End orders;
    List dead_doors; /* freed when no event of the batch can name them any more */
    List dead_connections;
} Relay;

bool relay_open(int relay, int listener, int life, const SandboxDoor *door)
{
    char room[CMSG_SPACE(sizeof(int) * FILES_OF_A_DOOR)] = {0};
    const int files[FILES_OF_A_DOOR] = {listener, life};
    struct iovec content = {(void *)(uintptr_t)door, sizeof *door};
    struct msghdr packet = {.msg_iov = &content, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *part = CMSG_FIRSTHDR(&packet);
    part->cmsg_len = CMSG_LEN(sizeof files);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(part), files, sizeof files);
    return sendmsg(relay, &packet, MSG_NOSIGNAL) == sizeof *door;
}

/* ---- Watching ---- */

static void watch(const Relay *relay, End *end, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = end};
    if (end->events == events)
        return;
    ASSERT(epoll_ctl(relay->epoll,
                     end->events == 0 ? EPOLL_CTL_ADD
                     : events == 0    ? EPOLL_CTL_DEL
                                      : EPOLL_CTL_MOD,
                     end->file, &event) == 0);
    end->events = events;
}

static void close_way(Way *way)
{
    for (int i = 0; i < 2; i++)
        if (way->pipe[i] >= 0)
            close(way->pipe[i]);
}

static void close_connection(Relay *relay, Connection *connection)
{
    if (connection->is_closed)
        return;
    connection->is_closed = true;
    if (connection->inside.file >= 0)
        close(connection->inside.file);
    if (connection->outside.file >= 0)
        close(connection->outside.file);
    close_way(&connection->out);
    close_way(&connection->in);
    list_remove(&connection->node);
    Door *door = connection->door;
    if (door->count-- == CONNECTIONS_OF_A_DOOR && !door->is_closed)
        watch(relay, &door->listener, EPOLLIN);
    list_push_back(&relay->dead_connections, &connection->dead);
}

static void close_door(Relay *relay, Door *door)
{
    if (door->is_closed)
        return;
    door->is_closed = true;
    LIST_FOR_EACH(&door->connections, node)
    close_connection(relay, CONTAINER_OF(node, Connection, node));
    close(door->listener.file);
    close(door->life.file);
    list_push_back(&relay->dead_doors, &door->dead);
}

static void bury(Relay *relay)
{
    for (ListNode *node; (node = list_pop_front(&relay->dead_connections)) != NULL;)
        free(CONTAINER_OF(node, Connection, dead));
    for (ListNode *node; (node = list_pop_front(&relay->dead_doors)) != NULL;)
        free(CONTAINER_OF(node, Door, dead));
}

/* ---- Passing bytes ---- */

/* One direction, as far as it goes; false when the connection is broken. */
static bool move(Way *way)
{
    for (bool moved = true; moved;) {
        moved = false;
        if (!way->from_ended && way->held < PIPE_BYTES) {
            ssize_t size = splice(way->from->file, NULL, way->pipe[1], NULL, PIPE_BYTES - way->held,
                                  SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
            if (size < 0 && errno != EAGAIN)
                return false;
            way->from_ended = size == 0;
            if (size > 0) {
                way->held += (size_t)size;
                moved = true;
            }
        }
        if (way->held > 0) {
            ssize_t size =
                splice(way->pipe[0], NULL, way->to->file, NULL, way->held, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
            if (size < 0 && errno != EAGAIN)
                return false;
            if (size > 0) {
                way->held -= (size_t)size;
                moved = true;
            }
        }
    }
    if (way->from_ended && way->held == 0 && !way->told) {
        way->told = true;
        shutdown(way->to->file, SHUT_WR);
    }
    return true;
}

/* What one end is waited for: to give more of one way, to take more of the other. A pipe whose pieces are small can be full
 * before its bytes are many: what is held is sent first then. */
static uint32_t wanted(const Way *gives, const Way *takes)
{
    return (!gives->from_ended && gives->held == 0 ? (uint32_t)EPOLLIN : 0) |
           (takes->held > 0 ? (uint32_t)EPOLLOUT : 0);
}

static void pass(Relay *relay, Connection *connection)
{
    bool works = move(&connection->out) && move(&connection->in);
    if (!works || (connection->out.told && connection->in.told)) {
        close_connection(relay, connection);
        return;
    }
    watch(relay, &connection->inside, wanted(&connection->out, &connection->in));
    watch(relay, &connection->outside, wanted(&connection->in, &connection->out));
}

static void on_connection(Relay *relay, Connection *connection, uint32_t events)
{
    if (connection->is_closed)
        return;
    if (connection->is_connecting) {
        int reason = 0;
        socklen_t size = sizeof reason;
        getsockopt(connection->outside.file, SOL_SOCKET, SO_ERROR, &reason, &size);
        if (reason != 0 || (events & (EPOLLERR | EPOLLHUP)) != 0) {
            close_connection(relay, connection);
            return;
        }
        connection->is_connecting = false;
    } else if ((events & EPOLLERR) != 0) {
        close_connection(relay, connection);
        return;
    }
    pass(relay, connection);
}

/* ---- Accepting ---- */

static bool open_way(Way *way, End *from, End *to)
{
    way->from = from;
    way->to = to;
    return pipe2(way->pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

static bool connect_outside(Relay *relay, Connection *connection)
{
    const SandboxDoor *where = &connection->door->where;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = where->port, .sin_addr.s_addr = where->address};
    connection->outside.file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection->outside.file < 0 || !open_way(&connection->out, &connection->inside, &connection->outside) ||
        !open_way(&connection->in, &connection->outside, &connection->inside))
        return false;
    if (connect(connection->outside.file, (struct sockaddr *)&name, sizeof name) != 0 && errno != EINPROGRESS)
        return false;
    connection->is_connecting = true;
    watch(relay, &connection->outside, EPOLLOUT);
    return true;
}

static void on_door(Relay *relay, Door *door)
{
    while (!door->is_closed && door->count < CONNECTIONS_OF_A_DOOR) {
        int file = accept4(door->listener.file, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (file < 0) {
            /* Out of files: they come back when connections end. */
            if (errno == EMFILE || errno == ENFILE)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            return;
        }
        Connection *connection = calloc(1, sizeof *connection);
        ASSERT(connection != NULL);
        connection->door = door;
        connection->inside = (End){.kind = END_INSIDE, .file = file};
        connection->outside = (End){.kind = END_OUTSIDE, .file = -1};
        connection->out.pipe[0] = connection->out.pipe[1] = connection->in.pipe[0] = connection->in.pipe[1] = -1;
        list_push_back(&door->connections, &connection->node);
        door->count++;
        if (!connect_outside(relay, connection))
            close_connection(relay, connection);
    }
    if (!door->is_closed)
        watch(relay, &door->listener, 0);
}

static void on_orders(Relay *relay)
{
    char room[CMSG_SPACE(sizeof(int) * FILES_OF_A_DOOR)];
    SandboxDoor where;
    struct iovec content = {&where, sizeof where};
    struct msghdr packet = {.msg_iov = &content, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t size = recvmsg(relay->orders.file, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    struct cmsghdr *part = CMSG_FIRSTHDR(&packet);
    if (size != sizeof where || part == NULL || part->cmsg_len != CMSG_LEN(sizeof(int) * FILES_OF_A_DOOR))
        _exit(0);
    int files[FILES_OF_A_DOOR];
    memcpy(files, CMSG_DATA(part), sizeof files);
    Door *door = calloc(1, sizeof *door);
    ASSERT(door != NULL);
    door->listener = (End){.kind = END_DOOR, .file = files[0]};
    door->life = (End){.kind = END_LIFE, .file = files[1]};
    door->where = where;
    list_init(&door->connections);
    watch(relay, &door->listener, EPOLLIN);
    watch(relay, &door->life, EPOLLIN);
}

static void dispatch(Relay *relay, End *end, uint32_t events)
{
    switch (end->kind) {
    case END_ORDERS:
        on_orders(relay);
        break;
    case END_DOOR: {
        Door *door = CONTAINER_OF(end, Door, listener);
        if (!door->is_closed)
            on_door(relay, door);
        break;
    }
    case END_LIFE:
        close_door(relay, CONTAINER_OF(end, Door, life));
        break;
    case END_INSIDE:
        on_connection(relay, CONTAINER_OF(end, Connection, inside), events);
        break;
    case END_OUTSIDE:
        on_connection(relay, CONTAINER_OF(end, Connection, outside), events);
        break;
    }
}

void relay_main(int orders)
{
    Relay relay = {.epoll = epoll_create1(EPOLL_CLOEXEC), .orders = {.kind = END_ORDERS, .file = orders}};
    list_init(&relay.dead_doors);
    list_init(&relay.dead_connections);
    if (relay.epoll < 0)
        _exit(1);
    watch(&relay, &relay.orders, EPOLLIN);
    for (;;) {
        struct epoll_event events[EVENTS_AT_ONCE];
        int count = epoll_wait(relay.epoll, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < count; i++)
            dispatch(&relay, events[i].data.ptr, events[i].events);
        bury(&relay);
    }
}

/* What a Python zygote loads by ctypes: the forks that become workers. Nothing but the C library is linked with it.
 *
 * runtimes/python/zygote.py calls these one after another, with the interpreter locked and one thread. */
#include "runtime/sandbox.h"

#include "runtime/sandbox_calls.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Everything is loaded: orders are taken from now on. */
void zygote_ready(void);
/* Waits for the next order: 1; 0: the spawner is gone. */
int zygote_receive(void);
/* Forks for the order: 0 in the worker, its number in the zygote, -1 when there is none. The spawner is told. */
int zygote_fork(void);
/* In the worker: puts up its walls. */
void zygote_enter(void);
/* In a template: forks for the order, as above; the copy itself tells the spawner. */
int zygote_copy(void);
/* In a copy: waits until it is furnished, and is a worker then. */
void zygote_enter_copy(void);

static int orders = 3; /* the file of the socket to the spawner */
static ZygoteOrder order;
static SandboxFiles files;

void zygote_ready(void)
{
    const char ready = ZYGOTE_READY;
    (void)!send(orders, &ready, 1, MSG_NOSIGNAL);
}

static int receive(int *received)
{
    char room[CMSG_SPACE(sizeof(int) * SANDBOX_FILES)];
    struct iovec content = {&order, sizeof order};
    struct msghdr packet = {.msg_iov = &content, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t size;
    do
        size = recvmsg(orders, &packet, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    struct cmsghdr *part = CMSG_FIRSTHDR(&packet);
    if (size != sizeof order || part == NULL || (packet.msg_flags & MSG_CTRUNC) != 0)
        return 0;
    memcpy(received, CMSG_DATA(part), part->cmsg_len - CMSG_LEN(0));
    return 1;
}

int zygote_receive(void)
{
    int received[SANDBOX_FILES];
    int *file = (int *)(void *)&files; /* SandboxFiles is nothing but files */
    const int *next = received;
    if (!receive(received))
        return 0;
    for (int i = 0; i < SANDBOX_FILES; i++)
        file[i] = (order.present >> i & 1) != 0 ? *next++ : -1;
    return 1;
}

static void close_files(void)
{
    const int *file = (const int *)(const void *)&files;
    for (int i = 0; i < SANDBOX_FILES; i++)
        if (file[i] >= 0)
            close(file[i]);
}

int zygote_fork(void)
{
    /* The spawner's child, so that it outlives the zygote and is waited for by the spawner. */
    uint64_t namespaces = sandbox_namespaces(order.plan.isolated_network);
    if (order.plan.is_template)
        namespaces &= ~(uint64_t)CLONE_NEWPID;
    int process = call_clone(namespaces | CLONE_PARENT, 0);
    if (process == 0) {
        if (order.plan.is_template)
            sandbox_begin_template(&order.plan, &files);
        return 0;
    }
    ZygoteReply reply = {.worker = order.worker, .process = process, .reason = process < 0 ? errno : 0};
    close_files();
    (void)!send(orders, &reply, sizeof reply, MSG_NOSIGNAL);
    return process;
}

void zygote_enter(void)
{
    sandbox_enter(&order.plan, &files);
    if (!order.plan.is_template)
        sandbox_leave_first(SANDBOX_SYNC_FILE, false);
    const char ready = ZYGOTE_READY;
    (void)!send(SANDBOX_SYNC_FILE, &ready, 1, MSG_NOSIGNAL);
    close(SANDBOX_SYNC_FILE);
    orders = SANDBOX_ORDERS_FILE;
}

int zygote_copy(void)
{
    int process = call_clone_seen(sandbox_copy_flags(order.plan.isolated_network));
    int reason = errno;
    if (process == 0)
        return 0;
    if (process < 0) {
        SandboxFailure failure = {.reason = reason, .step = "copy the initialised process"};
        (void)!send(files.sync, &failure, sizeof failure, MSG_NOSIGNAL);
    }
    close_files();
    return process;
}

void zygote_enter_copy(void)
{
    const char ready = ZYGOTE_READY;
    close(orders);
    sandbox_enter_copy(&order.plan, &files);
    sandbox_leave_first(files.sync, false);
    (void)!send(files.sync, &ready, 1, MSG_NOSIGNAL);
    close(files.sync);
}

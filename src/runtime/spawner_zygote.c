#include "base/bug.h"
#include "runtime/sandbox_calls.h"
#include "runtime/sandbox_root.h"
#include "runtime/spawner_order.h"
#include "runtime/spawner_process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* ---- Starting one ---- */

typedef struct ZygoteFiles {
    SandboxFiles inside;
    int sync;
    int socket;
} ZygoteFiles;

static void close_files(ZygoteFiles *files)
{
    int *file = (int *)(void *)&files->inside;
    for (int i = 0; i < SANDBOX_FILES; i++)
        if (file[i] >= 0)
            close(file[i]);
    if (files->sync >= 0)
        close(files->sync);
}

static bool make_pair(int *outside, int *inside)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    *outside = pair[0];
    *inside = pair[1];
    return true;
}

static const char *open_files(const SpawnerProcess *spawner, const OrderProgram *program, const char *library,
                              ZygoteFiles *files)
{
    SandboxFiles *inside = &files->inside;
    memset(inside, 0xff, sizeof *inside); /* -1 */
    files->sync = files->socket = -1;
    if (!make_pair(&files->sync, &inside->sync) || !make_pair(&files->socket, &inside->events))
        return "open the zygote's socket";
    /* What it says goes where the server's own words go: it runs no function. */
    if ((inside->output = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) < 0)
        inside->output = open("/dev/null", O_WRONLY | O_CLOEXEC);
    inside->errors = fcntl(inside->output, F_DUPFD_CLOEXEC, 0);
    if ((inside->root = sandbox_root_copy(spawner->root)) < 0)
        return "copy the root";
    if (*library != '\0' && (inside->library = sandbox_tree(library)) < 0)
        return "open the library's folder";
    if (program->tree[0] != '\0' && (inside->language = sandbox_tree(program->tree)) < 0)
        return "open the runtime's folder";
    return NULL;
}

__attribute__((noreturn)) static void be_zygote(const SandboxPlan *plan, const SandboxFiles *files, const char *program)
{
    char *arguments[] = {(char *)(uintptr_t)program, "-s", "/var/brume/python/zygote.py", NULL};
    char *environment[] = {"PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=:UTC",
                           "LD_LIBRARY_PATH=/var/lang/lib", NULL};
    sandbox_enter(plan, files);
    execve(program, arguments, environment);
    sandbox_fail(SANDBOX_SYNC_FILE, "execute Python");
}

/* Until its program runs: a few milliseconds. */
static const char *await_program(int sync)
{
    static SandboxFailure failure;
    ssize_t size;
    do
        size = recv(sync, &failure, sizeof failure, 0);
    while (size < 0 && errno == EINTR);
    if (size != sizeof failure)
        return NULL;
    errno = failure.reason;
    return failure.step;
}

static const char *start(SpawnerProcess *spawner, Zygote *zygote)
{
    static OrderProgram program;
    ZygoteFiles files;
    SandboxPlan plan = {.is_zygote = true, .tmp_bytes = SANDBOX_TMP_NODE_BYTES};
    /* Of a server that is not root it stays the user: whose forks' namespaces it owns then, and so has powers over them. */
    plan.user = geteuid();
    plan.group = getegid();
    if (plan.user == 0)
        spawner_process_user(spawner, spawner_process_slot(spawner), &plan.user, &plan.group);
    if (!order_find_program(zygote->program, spawner->options->data_directory, &program))
        return "find the runtime's program";
    const char *failed = open_files(spawner, &program, zygote->library, &files);
    if (failed == NULL) {
        zygote->process = call_clone(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS, SIGCHLD);
        if (zygote->process == 0)
            be_zygote(&plan, &files.inside, program.inside);
        if (zygote->process < 0)
            failed = "clone a zygote";
    }
    zygote->socket = files.socket;
    int sync = files.sync;
    files.sync = -1;
    int reason = errno;
    close_files(&files);
    errno = reason;
    if (failed == NULL)
        failed = await_program(sync);
    if (failed == NULL && !spawner_process_watch(spawner, zygote->socket, &zygote->watched))
        failed = "watch the zygote";
    reason = errno;
    close(sync);
    errno = reason;
    return failed;
}

static void end(SpawnerProcess *spawner, Zygote *zygote, bool try_again)
{
    list_remove(&zygote->node);
    for (ListNode *node; (node = list_pop_front(&zygote->workers)) != NULL;) {
        SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, at_zygote);
        snprintf(worker->failure, sizeof worker->failure, "the process that Python workers are forked from has ended");
        /* A process that it has forked and not told of ends when it finds its `sync` closed. */
        spawned_worker_give_up(spawner, worker, try_again);
    }
    if (zygote->process > 0)
        kill(zygote->process, SIGKILL);
    spawner_process_unwatch(spawner, zygote->socket);
    if (zygote->socket >= 0)
        close(zygote->socket);
    free(zygote);
}

Zygote *zygote_of(SpawnerProcess *spawner, const char *program, const char *library, const char **failed)
{
    LIST_FOR_EACH(&spawner->zygotes, node)
    {
        Zygote *zygote = CONTAINER_OF(node, Zygote, node);
        if (strcmp(zygote->program, program) == 0 && strcmp(zygote->library, library) == 0)
            return zygote;
    }
    Zygote *zygote = calloc(1, sizeof *zygote);
    ASSERT(zygote != NULL);
    zygote->watched.kind = WATCHED_ZYGOTE;
    zygote->socket = -1;
    list_init(&zygote->workers);
    list_push_back(&spawner->zygotes, &zygote->node);
    snprintf(zygote->program, sizeof zygote->program, "%s", program);
    snprintf(zygote->library, sizeof zygote->library, "%s", library);
    *failed = start(spawner, zygote);
    if (*failed == NULL)
        return zygote;
    int reason = errno;
    end(spawner, zygote, false);
    errno = reason;
    return NULL;
}

/* ---- Ordering from it ---- */

bool zygote_send_order(int socket, uint64_t serial, const SandboxPlan *plan, const SandboxFiles *files, int flags)
{
    ZygoteOrder order = {.worker = serial, .plan = *plan};
    const int *file = (const int *)(const void *)files; /* SandboxFiles is nothing but files */
    int sent[SANDBOX_FILES];
    size_t count = 0;
    for (int i = 0; i < SANDBOX_FILES; i++) {
        if (file[i] < 0)
            continue;
        order.present |= 1u << i;
        sent[count++] = file[i];
    }
    char room[CMSG_SPACE(sizeof sent)] = {0};
    struct iovec content = {&order, sizeof order};
    struct msghdr packet = {.msg_iov = &content, .msg_iovlen = 1, .msg_control = room};
    packet.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *part = CMSG_FIRSTHDR(&packet);
    part->cmsg_len = CMSG_LEN(sizeof(int) * count);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(part), sent, sizeof(int) * count);
    return sendmsg(socket, &packet, MSG_NOSIGNAL | flags) >= 0;
}

bool zygote_order(Zygote *zygote, SpawnedWorker *worker, const SandboxPlan *plan, const SandboxFiles *files)
{
    if (!zygote_send_order(zygote->socket, worker->serial, plan, files, 0))
        return false;
    list_push_back(&zygote->workers, &worker->at_zygote);
    return true;
}

static void take_process(SpawnerProcess *spawner, Zygote *zygote, const ZygoteReply *reply)
{
    ListNode *node = list_pop_front(&zygote->workers);
    if (node == NULL)
        return;
    SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, at_zygote);
    if (worker->serial != reply->worker || reply->process < 0) {
        snprintf(worker->failure, sizeof worker->failure, "fork the zygote: %s",
                 strerror(reply->process < 0 ? reply->reason : EPROTO));
        spawned_worker_give_up(spawner, worker, false);
        return;
    }
    worker->process = reply->process;
    if (worker->is_killed)
        spawned_worker_kill(worker);
    else if (!spawned_worker_adopt(spawner, worker))
        spawned_worker_give_up(spawner, worker, true);
}

/* False when it is gone; what it said before that has been taken. */
static bool hear(SpawnerProcess *spawner, Zygote *zygote)
{
    ZygoteReply reply;
    for (;;) {
        ssize_t size = recv(zygote->socket, &reply, sizeof reply, MSG_DONTWAIT);
        if (size < 0 && (errno == EINTR || errno == ECONNRESET))
            continue;
        if (size < 0 && errno == EAGAIN)
            return true;
        if (size == sizeof reply)
            take_process(spawner, zygote, &reply);
        else if (size != 1) /* a byte: it is ready, and takes what has been ordered meanwhile */
            return false;
    }
}

void zygote_heard(SpawnerProcess *spawner, Zygote *zygote)
{
    if (!hear(spawner, zygote))
        end(spawner, zygote, true);
}

void zygote_ended(SpawnerProcess *spawner, pid_t process)
{
    LIST_FOR_EACH(&spawner->zygotes, node)
    {
        Zygote *zygote = CONTAINER_OF(node, Zygote, node);
        if (zygote->process != process)
            continue;
        zygote->process = 0;
        (void)hear(spawner, zygote);
        end(spawner, zygote, true);
        return;
    }
}

#include "runtime/spawner_process.h"

#include "os/os_probe.h"
#include "runtime/sandbox_calls.h"
#include "runtime/sandbox_filter.h"
#include "runtime/sandbox_root.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum {
    EVENTS_AT_ONCE = 64,
    QUIET_MS = 30, /* without orders, before workers are made ahead: those that are ordered go first */
    /* Above what login managers, containers and systemd-nspawn give away (systemd, "Users, Groups, UIDs and GIDs on systemd
     * Systems"); a server's own part of it is chosen by its process number. */
    USERS_FIRST = 0x70000000,
    USERS_OF_A_SERVER = 1 << 16,
    SERVERS = 1 << 12,
};

/* ---- What the machine has ---- */

typedef struct Lack {
    char text[512];
} Lack;

static void lacks(Lack *lack, const char *what)
{
    size_t size = strlen(lack->text);
    snprintf(lack->text + size, sizeof lack->text - size, "%s%s", size > 0 ? "; " : "", what);
}

/* Whether this namespace knows `count` users from `first` on (user_namespaces(7)). */
static bool has_users(uid_t first, uint32_t count)
{
    bool found = false;
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned long inside, outside, size;
    while (map != NULL && !found && fscanf(map, "%lu %lu %lu", &inside, &outside, &size) == 3)
        found = inside <= first && first + count <= inside + size;
    if (map != NULL)
        fclose(map);
    return found;
}

static void find_users(SpawnerProcess *spawner, Lack *lack)
{
    uid_t salt = (uid_t)(time(NULL) ^ getppid()) % SERVERS;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    salt = (salt + (uid_t)now.tv_nsec / 1024) % (SERVERS - 1);
    spawner->first_user = USERS_FIRST + salt * USERS_OF_A_SERVER;
    spawner->has_users = keeper_has_powers_over_users() && has_users(spawner->first_user, USERS_OF_A_SERVER);
    if (!spawner->has_users)
        lacks(lack, "a user of its own for each worker (the server has not been given the powers for it)");
}

/* Mounts made here stay here; /proc shows the processes of our namespace. */
static const char *own_mounts(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return "make mounts private";
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return "mount /proc";
    return NULL;
}

static const char *prepare(SpawnerProcess *spawner, Lack *lack)
{
    if (sandbox_root_shows(spawner->options->data_directory)) {
        errno = EPERM;
        return "the data directory lies where functions can see it, such as in /usr";
    }
    const char *failed = own_mounts();
    if (failed != NULL)
        return failed;
    find_users(spawner, lack);
    snprintf(spawner->root, sizeof spawner->root, "%.*s/root", (int)sizeof spawner->root - 8,
             spawner->options->runtime_directory);
    if ((failed = sandbox_root_make(spawner->root, spawner->options->runtime_directory)) != NULL)
        return failed;
    spawner->filter = sandbox_filter_make(0);
    if (spawner->filter < 0)
        lacks(lack, "a seccomp filter");
    spawner->landlock = (uint32_t)os_probe_landlock();
    if (spawner->landlock == 0)
        lacks(lack, "Landlock");
    return NULL;
}

/* Tells the server what there is; false when there is nothing to go on with. */
static bool greet(SpawnerProcess *spawner, const char *cgroups_lack)
{
    Lack lack = {""};
    Lack refusal = {""};
    if (*cgroups_lack != '\0')
        lacks(&lack, cgroups_lack);
    const char *failed = prepare(spawner, &lack);
    if (failed != NULL) {
        int reason = errno;
        snprintf(refusal.text, sizeof refusal.text, "a sandbox (%s: %s)", failed, strerror(reason));
    } else if (spawner->options->isolation == ISOLATION_REQUIRED && lack.text[0] != '\0') {
        refusal = lack;
    }
    wire_begin(&spawner->out, WIRE_HELLO, 0);
    wire_add_string(&spawner->out, slice_of_string(lack.text));
    wire_add_string(&spawner->out, slice_of_string(refusal.text));
    return wire_send(spawner->server, &spawner->out) == 0 && refusal.text[0] == '\0';
}

uint32_t spawner_process_slot(SpawnerProcess *spawner)
{
    return spawner->next_slot++ % USERS_OF_A_SERVER;
}

void spawner_process_user(const SpawnerProcess *spawner, uint32_t slot, uid_t *user, gid_t *group)
{
    *user = spawner->has_users ? spawner->first_user + slot : geteuid();
    *group = spawner->has_users ? *user : getegid();
}

/* ---- The loop ---- */

bool spawner_process_watch(SpawnerProcess *spawner, int file, Watched *watched)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watched};
    return epoll_ctl(spawner->epoll, EPOLL_CTL_ADD, file, &event) == 0;
}

void spawner_process_unwatch(const SpawnerProcess *spawner, int file)
{
    (void)epoll_ctl(spawner->epoll, EPOLL_CTL_DEL, file, NULL);
}

SpawnedWorker *spawner_process_find(SpawnerProcess *spawner, uint64_t id)
{
    LIST_FOR_EACH(&spawner->workers, node)
    {
        SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, node);
        if (worker->id == id)
            return worker;
    }
    return NULL;
}

static void hear_server(SpawnerProcess *spawner)
{
    int got = wire_receive(spawner->server, &spawner->in);
    if (got < 0 && errno == EAGAIN)
        return;
    /* The end of the first process of a namespace is the end of all others in it. */
    if (got <= 0)
        _exit(0);
    if (spawner->in.head.kind == WIRE_ORDER) {
        spawned_worker_begin(spawner);
    } else if (spawner->in.head.kind == WIRE_WARM) {
        ahead_warm(spawner);
    } else if (spawner->in.head.kind == WIRE_KILL) {
        SpawnedWorker *worker = spawner_process_find(spawner, spawner->in.head.worker);
        if (worker != NULL)
            spawned_worker_kill(worker);
    }
}

/* As the first process of its namespace the spawner inherits orphans, which are nobody's worker. */
static void reap(SpawnerProcess *spawner)
{
    struct signalfd_siginfo signal_information;
    while (read(spawner->signals, &signal_information, sizeof signal_information) > 0)
        continue;
    int status;
    pid_t process;
    struct rusage use;
    while ((process = wait4(-1, &status, WNOHANG | __WALL, &use)) > 0) {
        if (process == spawner->relay)
            doors_lost(spawner);
        zygote_ended(spawner, process);
        LIST_FOR_EACH(&spawner->workers, node)
        {
            SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, node);
            if (worker->process != process && worker->first != process)
                continue;
            if (spawned_worker_is_over(spawner, worker, process, &status)) {
                worker->largest_bytes = (uint64_t)use.ru_maxrss << 10;
                spawned_worker_ended(spawner, worker, status);
            }
            break;
        }
    }
}

static void dispatch(SpawnerProcess *spawner, Watched *watched)
{
    switch (watched->kind) {
    case WATCHED_SERVER:
        hear_server(spawner);
        break;
    case WATCHED_SIGNALS:
        reap(spawner);
        break;
    case WATCHED_ZYGOTE:
        zygote_heard(spawner, CONTAINER_OF(watched, Zygote, watched));
        break;
    case WATCHED_WORKER:
        spawned_worker_heard(spawner, CONTAINER_OF(watched, SpawnedWorker, watched));
        break;
    }
}

/* With a zygote, or a child, workers are freed whose own events may stand behind it in the batch: zygotes are heard when
 * all workers have been, and children are waited for last. */
static void hear_batch(SpawnerProcess *spawner, const struct epoll_event *events, int count)
{
    Watched *zygotes[EVENTS_AT_ONCE];
    int zygote_count = 0;
    bool children = false;
    for (int i = 0; i < count; i++) {
        Watched *watched = events[i].data.ptr;
        if (watched->kind == WATCHED_SIGNALS)
            children = true;
        else if (watched->kind == WATCHED_ZYGOTE)
            zygotes[zygote_count++] = watched;
        else
            dispatch(spawner, watched);
    }
    for (int i = 0; i < zygote_count; i++)
        dispatch(spawner, zygotes[i]);
    if (children)
        reap(spawner);
}

static bool open_loop(SpawnerProcess *spawner)
{
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_SETMASK, &children, NULL);
    signal(SIGPIPE, SIG_IGN);
    spawner->signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    spawner->epoll = epoll_create1(EPOLL_CLOEXEC);
    spawner->server_watched.kind = WATCHED_SERVER;
    spawner->signals_watched.kind = WATCHED_SIGNALS;
    return spawner->signals >= 0 && spawner->epoll >= 0 &&
           spawner_process_watch(spawner, spawner->server, &spawner->server_watched) &&
           spawner_process_watch(spawner, spawner->signals, &spawner->signals_watched);
}

/* Three files for each worker are open here. */
static void raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void spawner_process_main(const KeeperOptions *options, const CgroupTree *cgroups, const char *cgroups_lack, int server)
{
    static SpawnerProcess spawner; /* too large for a stack; there is one in the process */
    spawner.options = options;
    spawner.server = server;
    spawner.cgroups = *cgroups;
    list_init(&spawner.workers);
    list_init(&spawner.zygotes);
    list_init(&spawner.ahead);
    raise_limits();
    (void)setgroups(0, NULL); /* who may not has none to give to others */
    if (!greet(&spawner, cgroups_lack) || !open_loop(&spawner)) {
        /* The server reads why, and closes its end; ending first would make the keeper try again. */
        while (wire_receive(server, &spawner.in) > 0)
            wire_close_files(&spawner.in);
        _exit(1);
    }
    for (;;) {
        struct epoll_event events[EVENTS_AT_ONCE];
        int wait_ms = memory_wait_ms(&spawner);
        if (spawner.is_behind && (wait_ms < 0 || wait_ms > QUIET_MS))
            wait_ms = QUIET_MS;
        int count = epoll_wait(spawner.epoll, events, EVENTS_AT_ONCE, wait_ms);
        if (count == 0 && spawner.is_behind)
            ahead_make_one(&spawner);
        hear_batch(&spawner, events, count);
        memory_look(&spawner);
    }
}

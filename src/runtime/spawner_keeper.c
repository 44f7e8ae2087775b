#include "runtime/spawner_process.h"

#include "runtime/sandbox_calls.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { QUICK_MS = 1000, PAUSE_MS = 200, NEVER = -1 };

static bool has_powers(const cap_value_t *wanted, size_t count)
{
    cap_t powers = cap_get_proc();
    bool all = powers != NULL;
    for (size_t i = 0; all && i < count; i++) {
        cap_flag_value_t has = CAP_CLEAR;
        all = cap_get_flag(powers, wanted[i], CAP_EFFECTIVE, &has) == 0 && has == CAP_SET;
    }
    cap_free(powers);
    return all;
}

static bool may_make_namespaces(void)
{
    return has_powers(&(cap_value_t){CAP_SYS_ADMIN}, 1);
}

bool keeper_has_powers_over_users(void)
{
    /* To make namespaces and map users into them (user_namespaces(7)); to take powers from what is started in our own. */
    static const cap_value_t wanted[] = {CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP};
    return has_powers(wanted, sizeof wanted / sizeof *wanted);
}

static bool put(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    if (file >= 0)
        close(file);
    return written;
}

/* Maps the user and group that we are, in the spawner's own namespace, onto themselves. */
static bool map_self(uid_t user, gid_t group)
{
    char text[64];
    snprintf(text, sizeof text, "%u %u 1", user, user);
    if (!put("/proc/self/uid_map", text) || !put("/proc/self/setgroups", "deny"))
        return false;
    snprintf(text, sizeof text, "%u %u 1", group, group);
    return put("/proc/self/gid_map", text);
}

typedef struct Kept {
    pid_t process;
    int file; /* of the process */
} Kept;

/* Starts a spawner and sends the server its socket; or what is in the way, as a spawner would. */
static bool start_spawner(const KeeperOptions *options, int server, const CgroupTree *cgroups, const char *cgroups_lack,
                          Kept *kept)
{
    static WireMessage message;
    int pair[2];
    uid_t user = geteuid();
    gid_t group = getegid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    bool is_mighty = may_make_namespaces();
    kept->process = call_clone(CLONE_NEWPID | CLONE_NEWNS | (is_mighty ? 0u : CLONE_NEWUSER), SIGCHLD);
    if (kept->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        close(server);
        if (!is_mighty && !map_self(user, group))
            _exit(1);
        spawner_process_main(options, cgroups, cgroups_lack, pair[1]);
    }
    kept->file = kept->process < 0 ? -1 : call_open_process(kept->process);
    if (kept->process < 0) {
        wire_begin(&message, WIRE_HELLO, 0);
        wire_add_string(&message, SLICE(""));
        wire_add_string(&message, SLICE("user, pid and mount namespaces (see `brume doctor`)"));
        wire_send(pair[1], &message);
    }
    wire_begin(&message, WIRE_SPAWNER, 0);
    wire_add_file(&message, pair[0]);
    if (kept->file >= 0)
        wire_add_file(&message, kept->file);
    bool sent = wire_send(server, &message) == 0;
    close(pair[0]);
    close(pair[1]);
    return sent && kept->process >= 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Until the spawner ends (true) or the server does. Nothing more is ever read from the server: its end is its death. */
static bool await_spawner(int server, const Kept *kept, int wait_ms)
{
    struct pollfd watched[] = {{.fd = server, .events = POLLIN}, {.fd = kept->file, .events = POLLIN}};
    for (;;) {
        int count = poll(watched, kept->file < 0 ? 1 : 2, wait_ms);
        if (count < 0 && errno == EINTR)
            continue;
        return count <= 0 || watched[0].revents == 0;
    }
}

void keeper_main(const KeeperOptions *options, int server)
{
    for (;;) {
        CgroupTree cgroups;
        const char *cgroups_lack = "";
        Kept kept = {.file = -1};
        uint64_t started_ms = now_ms();
        cgroup_open(&cgroups, getpid(), &cgroups_lack);
        bool goes_on = start_spawner(options, server, &cgroups, cgroups_lack, &kept);
        goes_on = await_spawner(server, &kept, NEVER) && goes_on;
        if (kept.process > 0) {
            kill(kept.process, SIGKILL);
            /* Returns when nothing of what it has started is left. */
            while (waitpid(kept.process, NULL, 0) < 0 && errno == EINTR)
                continue;
            close(kept.file);
        }
        cgroup_close(&cgroups);
        /* One that cannot live is not tried without end as fast as we can. */
        if (goes_on && now_ms() - started_ms < QUICK_MS)
            goes_on = await_spawner(server, &(Kept){.file = -1}, PAUSE_MS);
        if (!goes_on)
            _exit(0);
    }
}

/* sandbox.h: the walls around a worker, as the worker's own process puts them up.
 *
 * A process that was just cloned into fresh namespaces calls sandbox_enter before anything of the user's runs in it. It
 * runs in a fork of the spawner as well as in one of a Python zygote, so it uses system calls and the C library alone:
 * no memory is allocated, nothing of Brume's is needed, and all that it needs was opened or computed by the spawner.
 *
 * The order of things: the spawner clones, writes the user map and sends SANDBOX_MAPPED; the process goes into its control
 * groups, mounts, gives up its powers, says so over `sync` and closes it. A SandboxFailure over `sync` tells that a step
 * failed. Where the process is not to be the first of its namespace, that one keeps `sync`, and tells a SandboxEnd. */
#ifndef BRUME_RUNTIME_SANDBOX_H
#define BRUME_RUNTIME_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SANDBOX_USER = 993, /* of the one user inside, as AWS has it */
    SANDBOX_GROUP = 990,
    SANDBOX_LAYERS_MAX = 8, /* Lambda quotas: five layers a function */
    SANDBOX_DOORS_MAX = 16,
    SANDBOX_GROUPS_MAX = 3,
    SANDBOX_MAPPED = 'm',
    SANDBOX_COPIED = 'c',
    SANDBOX_STEP_SIZE = 60,
    SANDBOX_OPEN_FILES = 1024, /* Lambda quotas: file descriptors, processes and threads */
    SANDBOX_PROCESSES = 1024,
    SANDBOX_TMP_NODE_BYTES = 4096, /* /tmp has a file for each so many bytes: nodes are memory, too */
    SANDBOX_SHM_BYTES = 64 << 20,
};

/* An address that an isolated worker may reach: what connects to it inside is carried there by the spawner's relay. */
typedef struct SandboxDoor {
    uint32_t address; /* IPv4, in network order */
    uint16_t port;    /* in network order */
    uint16_t unused;
} SandboxDoor;

typedef struct SandboxPlan {
    uint64_t tmp_bytes;
    uint32_t layer_count;
    uint32_t door_count;
    uint32_t landlock; /* the version of its interface; 0: there is none */
    bool isolated_network;
    bool has_filter; /* of system calls */
    bool has_groups; /* control groups */
    /* A process that workers are forked from: it stays in the spawner's user and process namespaces, as `user` and
     * `group` of theirs, and has no filter and no rules for files, since its children put up walls of their own. */
    bool is_zygote;
    /* A process whose copies are workers, once a function's code has run in it (sandbox_begin_template). */
    bool is_template;
    uid_t user;
    gid_t group;
    uint64_t open_files; /* that it may have; 0: SANDBOX_OPEN_FILES */
    char host_name[64];
    SandboxDoor doors[SANDBOX_DOORS_MAX];
} SandboxPlan;

/* Files, each -1 where there is none; the process owns them. Mounts are detached trees. */
typedef struct SandboxFiles {
    int sync;    /* SOCK_SEQPACKET */
    int events;  /* the worker's channel: read */
    int answers; /* written */
    int output;
    int errors;
    int orders;                     /* SOCK_SEQPACKET, of a template: copies are ordered over it */
    int filter;                     /* a struct sock_filter array in a memory file */
    int root;                       /* mount: what the process sees as "/" */
    int code;                       /* mount: /var/task */
    int library;                    /* mount: /var/runtime */
    int language;                   /* mount: /var/lang */
    int groups[SANDBOX_GROUPS_MAX]; /* files of control groups: who writes 0 to them goes there */
    int layers[SANDBOX_LAYERS_MAX]; /* mounts: merged as /opt, later ones over earlier ones */
} SandboxFiles;

/* What goes over `sync` when a step failed. */
typedef struct SandboxFailure {
    int32_t reason; /* an errno */
    char step[SANDBOX_STEP_SIZE];
} SandboxFailure;

/* The namespaces of a worker, for clone3(2). */
uint64_t sandbox_namespaces(bool isolated_network);

/* What a spawner sends to a zygote, with those of SandboxFiles that there are, in their order, and what comes back: the
 * process, as a child of the spawner's that waits for SANDBOX_MAPPED. */
typedef struct ZygoteOrder {
    uint64_t worker;
    uint32_t present; /* a bit for each of SandboxFiles, the lowest for its first */
    SandboxPlan plan;
} ZygoteOrder;
typedef struct ZygoteReply {
    uint64_t worker;
    int32_t process;
    int32_t reason; /* an errno, without a process */
} ZygoteReply;
/* What a template's first process says over `sync`, in the spawner's numbers. */
typedef struct SandboxTemplate {
    int32_t first;    /* the first process of its namespace, which waits: all in it end with it */
    int32_t template; /* the one that functions' code runs in */
} SandboxTemplate;
enum { SANDBOX_FILES = sizeof(SandboxFiles) / sizeof(int), ZYGOTE_READY = 'r' };

/* How the second process of a namespace has ended, as wait(2) gives it: the first tells it, and ends. */
typedef struct SandboxEnd {
    int32_t status;
} SandboxEnd;

/* Puts up the walls; afterwards the channel is files 3 and 4, stdout and stderr are the pipes, stdin is empty, and `sync` is
 * file 5, close-on-exec: the caller closes it or executes a program. Does not return when a step fails: that is told
 * over `sync`, and the process ends. */
void sandbox_enter(const SandboxPlan *plan, const SandboxFiles *files);
/* The process's file of `sync` after sandbox_enter. */
enum { SANDBOX_SYNC_FILE = 5, SANDBOX_ORDERS_FILE = 6 };

/* In the first process of a namespace that has put up its walls and has one thread: returns in the second one, in all as it
 * was but for its number. The first one inherits orphans until the second has ended; then all others do. When the second
 * one `will_execute` a program, the first tells ZYGOTE_READY when it has done so. Does not return when a step fails, as
 * sandbox_enter. Once in a process. */
void sandbox_leave_first(int sync, bool will_execute);

/* ---- SnapStart: workers that are copies of a template ----
 *
 * A copy is a fork of a process in which a function's code has run, and has namespaces of its own. A process may only give
 * those to its child with CAP_SYS_ADMIN, so a template keeps that one power, over its own user namespace, and a filter takes
 * away all that it opens but one call: clone(2) with exactly sandbox_copy_flags. Copies are the spawner's children, to be
 * waited for by it alone, which the first process of a namespace cannot make (clone(2), CLONE_PARENT, EINVAL): so a
 * template has another process before it, which does nothing.
 *
 * Nothing that a template says is believed. A copy speaks over a `sync` of its own, and the kernel tells which process
 * that is; the spawner's helper enters its namespaces and gives it /proc, /tmp, /dev/shm and a network, because the filter
 * that the copy has inherited keeps it from doing so; then the copy gives up what power it has. */

/* The flags of clone(2) by which a template makes a copy. */
uint64_t sandbox_copy_flags(bool isolated_network);
/* In a process with the namespaces that a worker has, but the one of processes: makes that one and the template in it,
 * tells over `sync` of them, and ends. Returns in the template, which goes on with sandbox_enter. */
void sandbox_begin_template(const SandboxPlan *plan, const SandboxFiles *files);
/* In a copy: waits until it is furnished, takes channel, stdout and stderr, and gives up its powers. Other files stay as
 * the function's code has opened them. `files->sync` is the caller's to close. */
void sandbox_enter_copy(const SandboxPlan *plan, const SandboxFiles *files);
/* In a process that has entered all of a copy's namespaces: gives it what must be its own; listeners go over `sync`. The
 * step that failed, or NULL. */
const char *sandbox_furnish_copy(const SandboxPlan *plan, int sync);

/* Tells over `sync` that `step` failed with errno, and ends the process. */
__attribute__((noreturn)) void sandbox_fail(int sync, const char *step);

/* Mounts code, library and layers into the root that the calling process sees: of a worker that is being made, or of one
 * that waits already started (spawner's helper). The name of the step that failed with errno, or NULL. */
const char *sandbox_mount_code(const SandboxPlan *plan, const SandboxFiles *files);

/* Gives /tmp of the mount namespace that the calling process is in the plan's size: as above. */
const char *sandbox_resize_tmp(const SandboxPlan *plan);

/* Restricts writing to /tmp, /dev/shm, devices and /proc, and signals and abstract sockets to the sandbox: false with
 * errno. `version` of Landlock's interface. Of a template only the latter: rules are for what is mounted now, and its
 * copies have a /tmp of their own, which they are held to by rules of their own. */
bool sandbox_landlock(uint32_t version, bool is_template);

/* Brings up the loopback of a fresh network, and listens on it for each door of the plan; the listening sockets go over
 * `sync` in one message of a byte. The name of the step that failed with errno, or NULL. */
const char *sandbox_open_network(const SandboxPlan *plan, int sync);

#endif

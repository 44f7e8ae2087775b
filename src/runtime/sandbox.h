/* sandbox.h: the walls around a worker, as the worker's own process puts them up.
 *
 * A process that was just cloned into fresh namespaces calls sandbox_enter before anything of the user's runs in it. It
 * runs in a fork of the spawner as well as in one of a Python zygote, so it uses system calls and the C library alone:
 * no memory is allocated, nothing of Brume's is needed, and all that it needs was opened or computed by the spawner.
 *
 * The order of things: the spawner clones, writes the user map and sends SANDBOX_MAPPED; the process goes into its control
 * groups, mounts, gives up its powers, says so over `sync` and closes it. A SandboxFailure over `sync` tells that a step
 * failed. */
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
    /* A process that workers are forked from: it stays in the spawner's user and process namespaces, as `user` and
     * `group` of theirs, and has no filter and no rules for files, since its children put up walls of their own. */
    bool is_zygote;
    uid_t user;
    gid_t group;
    uint64_t open_files; /* that it may have; 0: SANDBOX_OPEN_FILES */
    char host_name[64];
    SandboxDoor doors[SANDBOX_DOORS_MAX];
} SandboxPlan;

/* Files, each -1 where there is none; the process owns them. Mounts are detached trees. */
typedef struct SandboxFiles {
    int sync; /* SOCK_SEQPACKET */
    int channel;
    int output;
    int errors;
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
enum { SANDBOX_FILES = sizeof(SandboxFiles) / sizeof(int), ZYGOTE_READY = 'r' };

/* Puts up the walls; afterwards the channel is file 3, stdout and stderr are the pipes, stdin is empty, and `sync` is
 * file 4, close-on-exec: the caller closes it or executes a program. Does not return when a step fails: that is told
 * over `sync`, and the process ends. */
void sandbox_enter(const SandboxPlan *plan, const SandboxFiles *files);
/* The process's file of `sync` after sandbox_enter. */
enum { SANDBOX_SYNC_FILE = 4 };

/* Tells over `sync` that `step` failed with errno, and ends the process. */
__attribute__((noreturn)) void sandbox_fail(int sync, const char *step);

/* Mounts code, library and layers into the root that the calling process sees: of a worker that is being made, or of one
 * that waits already started (spawner's helper). The name of the step that failed with errno, or NULL. */
const char *sandbox_mount_code(const SandboxPlan *plan, const SandboxFiles *files);

/* Gives /tmp of the mount namespace that the calling process is in the plan's size: as above. */
const char *sandbox_resize_tmp(const SandboxPlan *plan);

/* Restricts writing to /tmp, /dev/shm, devices and /proc, and signals and abstract sockets to the sandbox: false with
 * errno. `version` of Landlock's interface. */
bool sandbox_landlock(uint32_t version);

/* Brings up the loopback of a fresh network, and listens on it for each door of the plan; the listening sockets go over
 * `sync` in one message of a byte. The name of the step that failed with errno, or NULL. */
const char *sandbox_open_network(const SandboxPlan *plan, int sync);

#endif

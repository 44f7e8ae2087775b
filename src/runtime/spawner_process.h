/* spawner_process.h: the spawner as a process of its own, and the keeper that starts it again.
 *
 * Inside the spawner. One thread, one epoll loop; whoever includes this runs there. The spawner is the first process of a
 * pid namespace, so that nothing it has started outlives it, and has a mount namespace of its own; where the server has
 * no powers, it has them in a user namespace. */
#ifndef BRUME_RUNTIME_SPAWNER_PROCESS_H
#define BRUME_RUNTIME_SPAWNER_PROCESS_H

#include "base/list.h"
#include "runtime/cgroup.h"
#include "runtime/sandbox.h"
#include "runtime/spawner.h"
#include "runtime/spawner_order.h"
#include "runtime/spawner_wire.h"

#include <limits.h>
#include <sys/types.h>

typedef struct KeeperOptions {
    Isolation isolation;
    char data_directory[PATH_MAX];
    char runtime_directory[PATH_MAX];
    uint64_t prestart;
    int (*api_main)(int events, int answers, char *const *command);
} KeeperOptions;

/* Executes this program anew as a keeper: its process, with a socket to it; -1: it could not be had. */
pid_t keeper_launch(const KeeperOptions *options, int *socket);
/* Kills a keeper, whose spawner dies of that, and waits for it. */
void keeper_end(pid_t keeper);

/* The keeper: starts the spawner, again whenever it ends, until the server is gone (its end of `server` is closed); then
 * ends the spawner with all that it has started, clears up, and exits. */
__attribute__((noreturn)) void keeper_main(const KeeperOptions *options, int server);

/* Whether this process may make workers users of their own, and do with them what it may with its own: as root, or with
 * the powers that `packaging/brume.service` names. */
bool keeper_has_powers_over_users(void);

/* What is on the other side of a file that the loop watches. */
typedef enum WatchedKind { WATCHED_SERVER, WATCHED_SIGNALS, WATCHED_WORKER, WATCHED_ZYGOTE } WatchedKind;
typedef struct Watched {
    WatchedKind kind;
} Watched;

typedef enum WorkerStage {
    WORKER_CLONED, /* the walls are being put up; `sync` is open */
    WORKER_AHEAD,  /* it waits for a function, and is nobody's yet */
    WORKER_STARTED,
} WorkerStage;

/* Workers that begin before they are ordered: all that they lack is a function's code and limits. */
typedef struct Ahead {
    ListNode node;
    RuntimeKind kind;
    bool isolated_network;
    bool is_broken; /* the last one did not begin; none is tried until one that was ordered has */
    uint32_t door_count;
    SandboxDoor doors[SANDBOX_DOORS_MAX];
    char program[PATH_MAX];
    char library[PATH_MAX];
    List workers; /* the oldest first */
    uint64_t count;
} Ahead;

/* A process of one Python, with one library, that workers are forked from. */
typedef struct Zygote {
    ListNode node;
    Watched watched;
    pid_t process;
    int socket;
    List workers; /* ordered from it, and not told of yet, in order */
    char program[PATH_MAX];
    char library[PATH_MAX];
} Zygote;

/* A worker, from its clone until it was waited for. */
typedef struct SpawnedWorker {
    ListNode node;
    Watched watched; /* of `sync` */
    ListNode at_zygote;
    ListNode at_ahead;
    Ahead *ahead;    /* while it is nobody's */
    uint64_t serial; /* of all that this spawner makes */
    WorkerStage stage;
    uint64_t id;   /* the server's; 0: none yet */
    pid_t process; /* in the spawner's namespace; 0: not cloned yet */
    int process_file;
    int sync;
    bool is_template;
    int orders;            /* of a template: copies are ordered of it; -1 */
    pid_t first;           /* of a template: the first process of its namespace; 0: there is none */
    bool has_second;       /* the function's process is a child of `process`, the first one */
    bool has_end;          /* that one has told how it has ended */
    int status;            /* which is this; and of a template that has ended, while `first` has not */
    uint64_t template_;    /* of a copy: the server's number of what it is a copy of; 0 */
    uint64_t copied_by_ms; /* until then there has to be a process of it, or the template is ended */
    SandboxPlan *plan;     /* of a copy */
    int events;            /* the server's ends, until they are sent */
    int answers;
    int output;
    int errors;
    int peak;
    Cgroup group;
    uint32_t door_count; /* of a network of its own */
    SandboxDoor doors[SANDBOX_DOORS_MAX];
    int doors_life;         /* they are closed with it; -1: none are open */
    uint32_t slot;          /* of the host's users */
    uint64_t memory_bytes;  /* that it may allocate */
    uint64_t peak_bytes;    /* that it was seen to have allocated */
    uint64_t largest_bytes; /* that one of its processes has held, when it has ended */
    uint64_t used_bytes;    /* when it was last looked at */
    uint64_t look_ms;       /* when it is looked at next, and how long that is after the last time */
    uint64_t look_after_ms;
    bool is_out_of_memory;
    bool is_ready; /* it has said so */
    bool is_killed;
    char failure[160]; /* why it will not start; empty: it may */
} SpawnedWorker;

typedef struct SpawnerProcess {
    const KeeperOptions *options;
    int server;
    int epoll;
    int signals;
    CgroupTree cgroups;
    int filter;
    uint32_t landlock;
    char root[PATH_MAX];
    /* Each worker is a user of the host by itself, from here on; without powers over other users: all are the server's. */
    bool has_users;
    uid_t first_user;
    uint32_t next_slot;
    uint64_t next_serial;
    uint64_t next_look_ms; /* at what workers have allocated; 0: there is none to look at */
    pid_t relay;           /* 0: there is none yet */
    int relay_orders;
    List workers;
    List zygotes;
    List ahead;     /* of kinds of workers; the last used first */
    bool is_behind; /* some are to be made ahead, when there is time */
    Watched server_watched;
    Watched signals_watched;
    WireMessage in;
    WireMessage out;
} SpawnerProcess;

/* Runs the spawner until the server's end of `server` is closed. */
__attribute__((noreturn)) void spawner_process_main(const KeeperOptions *options, const CgroupTree *cgroups,
                                                    const char *cgroups_lack, int server);
/* Watches a file for being readable; false with errno. */
bool spawner_process_watch(SpawnerProcess *spawner, int file, Watched *watched);
/* Before the file is closed; of one that is not watched: nothing. */
void spawner_process_unwatch(const SpawnerProcess *spawner, int file);

/* The next place among the users that this server may give, which come round after 65536. */
uint32_t spawner_process_slot(SpawnerProcess *spawner);
/* The user and group of the host that a process is, which nobody else is if that can be had. */
void spawner_process_user(const SpawnerProcess *spawner, uint32_t slot, uid_t *user, gid_t *group);

/* The server's worker of that number; NULL: there is none (any more). */
SpawnedWorker *spawner_process_find(SpawnerProcess *spawner, uint64_t id);

/* Begins what the message in `spawner->in` orders; failures are told to the server. */
void spawned_worker_begin(SpawnerProcess *spawner);
/* Its `sync` can be read. */
void spawned_worker_heard(SpawnerProcess *spawner, SpawnedWorker *worker);
/* One of its processes has been waited for: false while there are others, true with the status of the one that counts. */
bool spawned_worker_is_over(SpawnerProcess *spawner, SpawnedWorker *worker, pid_t process, int *status);
/* It has been waited for. */
void spawned_worker_ended(SpawnerProcess *spawner, SpawnedWorker *worker, int status);
void spawned_worker_kill(SpawnedWorker *worker);
/* Its process exists: maps its user, limits it, and lets it go on. When that fails it is killed, and told of when it has
 * been waited for. False: there is no such process (any more). */
bool spawned_worker_adopt(SpawnerProcess *spawner, SpawnedWorker *worker);
/* Nothing came of it, and no process is left; the server may be told to try again. */
void spawned_worker_give_up(SpawnerProcess *spawner, SpawnedWorker *worker, bool try_again);

/* Begins a worker as `order` says, for the server (`id`) or ahead of it. */
SpawnedWorker *spawned_worker_make(SpawnerProcess *spawner, const Order *order, uint64_t id, Ahead *ahead);
/* Makes one that waits ahead the server's, with its code and its limits; or fails. */
void spawned_worker_assign(SpawnerProcess *spawner, SpawnedWorker *worker, const Order *order, uint64_t id);

/* What a worker that has started allocates is looked at from now on. */
void memory_watch(SpawnerProcess *spawner, SpawnedWorker *worker);
/* Looks at those that are to be looked at by now, and ends those that have too much. */
void memory_look(SpawnerProcess *spawner);
/* How long until then; -1: no need. */
int memory_wait_ms(const SpawnerProcess *spawner);

/* The worker listens at its doors: the relay carries on what connects there. The listeners stay the caller's. False with
 * errno. */
bool doors_open(SpawnerProcess *spawner, SpawnedWorker *worker, const int *listeners, size_t count);
/* The relay has ended: so must all workers that it carried for, since their listeners are gone. */
void doors_lost(SpawnerProcess *spawner);

/* One that waits for such an order: NULL when none does. Others will be made. */
SpawnedWorker *ahead_take(SpawnerProcess *spawner, const Order *order);
/* The message in `spawner->in` says what workers will be ordered: some are made ahead. */
void ahead_warm(SpawnerProcess *spawner);
/* Such a worker is of no use, or has ended. */
void ahead_forget(SpawnedWorker *worker);
/* Makes the next one that is missing. */
void ahead_make_one(SpawnerProcess *spawner);

/* The zygote of a Python, which is started when there is none: NULL, with errno and the step that failed. */
Zygote *zygote_of(SpawnerProcess *spawner, const char *program, const char *library, const char **failed);
/* Orders a worker's process of it; the files inside stay the caller's. False with errno. */
bool zygote_order(Zygote *zygote, SpawnedWorker *worker, const SandboxPlan *plan, const SandboxFiles *files);
/* The order itself, over any socket; `flags` of sendmsg(2). */
bool zygote_send_order(int socket, uint64_t serial, const SandboxPlan *plan, const SandboxFiles *files, int flags);
/* Its socket can be read. */
void zygote_heard(SpawnerProcess *spawner, Zygote *zygote);
/* A process has been waited for: if it was a zygote, what was ordered from it is to be ordered again. Its socket need not
 * tell: a fork that it has not told of, and that waits for us, has the other end open. */
void zygote_ended(SpawnerProcess *spawner, pid_t process);

#endif

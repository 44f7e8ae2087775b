/* spawner.h: the process that makes workers, and what the server asks it.
 *
 * The spawner is the program executed anew, so that it has nothing of the server's that a worker must not have. It holds
 * the powers to clone, mount and set limits; the server reaches it over a socket pair, and it ends, with all its workers,
 * when the server does. If it is killed, its keeper starts another, and the server another keeper if that is: every
 * worker's exit is reported then, and orders that were not answered are given to the next one. How a worker
 * comes to be (a fork of a Python zygote, a Node.js process that waits already started, a program that is executed) is
 * the spawner's business alone: whoever asks gets a process in its sandbox that reads FRAME_INIT from its channel.
 *
 * spawner_keep_if_asked and spawner_start are called by main; everything else on the one loop that the spawner was opened
 * on. */
#ifndef BRUME_RUNTIME_SPAWNER_H
#define BRUME_RUNTIME_SPAWNER_H

#include "base/arena.h"
#include "base/list.h"
#include "base/log.h"
#include "core/invoker.h"
#include "net/loop.h"

typedef enum Isolation {
    ISOLATION_REQUIRED,  /* refuse unless namespaces, users, cgroups, seccomp and Landlock can all be had */
    ISOLATION_AVAILABLE, /* take what the machine offers; doctor and the log say what is missing */
} Isolation;

/* How workers of a runtime begin. */
typedef enum RuntimeKind {
    RUNTIME_PYTHON, /* forked from a zygote that runs `program` */
    RUNTIME_NODEJS, /* `program` with Brume's bootstrap, started ahead */
    RUNTIME_CUSTOM, /* the function's own `bootstrap`, behind the HTTP Runtime API */
} RuntimeKind;

typedef struct Spawner Spawner;
typedef struct SpawnerOptions {
    Isolation isolation;
    Slice data_directory;    /* absolute; of which no worker sees anything */
    Slice runtime_directory; /* absolute; where Brume's bootstraps are laid out */
    uint64_t prestart;       /* processes that wait ahead, for each Node.js and Python in use */
} SpawnerOptions;

/* The first that main does: returns unless this process was executed to keep a spawner, and never then.
 * `api_main` is called in the sandbox of a custom runtime, or of one with extensions, which is complete, as its first
 * process: the Runtime API's shim. `command`: the words of the runtime's program, which speaks frames; NULL: of a custom
 * one. What it returns is the worker's exit status. NULL: the program is executed with the channel instead. */
void spawner_keep_if_asked(int count, char **words, int (*api_main)(int events, int answers, char *const *command));

/* Starts the spawner, and waits until it can be given orders; to be called while the process has one thread. Powers that a
 * process which is not root was given (its unit's AmbientCapabilities=) are the spawner's alone from then on; that to open
 * ports below 1024 stays. ERROR_DENIED: functions cannot be isolated as far as `isolation` asks, or at all; `message` (in
 * the arena) says what is missing. */
Error spawner_start(const SpawnerOptions *options, Arena *arena, Spawner **spawner, Slice *message);
/* What the sandbox of this machine lacks, in words for the log; empty: nothing. */
Slice spawner_lacks(const Spawner *spawner);

/* A worker is asked for. A token of ownership until `done`. */
typedef struct SpawnOrder SpawnOrder;
struct SpawnOrder {
    /* Set by the caller; slices live until `done`. */
    RuntimeKind kind;
    Slice runtime; /* its name, "python3.11" */
    Slice program; /* absolute; of a custom runtime: empty, or what is executed instead of `api_main` */
    Slice library; /* absolute: a folder with what handlers find beside the language's own library, as /var/runtime;
                      empty: none */
    Slice code_directory;
    const Slice *layer_directories;
    size_t layer_count;
    /* For a process that has to be executed with it (a custom runtime, NODE_OPTIONS, AWS_LAMBDA_EXEC_WRAPPER); the
     * others get the same from FRAME_INIT. */
    const EnvironmentVariable *environment;
    size_t environment_count;
    bool has_extensions;         /* they and the Runtime API are beside it: with an environment */
    uint64_t memory_bytes;       /* that it may allocate */
    uint64_t tmp_bytes;          /* that /tmp holds, besides */
    uint64_t processor_permille; /* of one processor: AWS gives one for each 1769 MB */
    bool isolated_network;
    const Slice *reachable; /* "HOST:PORT" that an isolated network may reach, the platform's endpoint first */
    size_t reachable_count;
    /* Copies will be made of it, which end with it (SnapStart). ERROR_DENIED: of this kind of runtime, with a program to be
     * executed, or without seccomp there can be none. */
    bool is_template;
    /* A template, which has sent FRAME_SNAPSHOT_READY: this one is its copy, with its code, layers and network; 0: none. */
    uint64_t snapshot_of;
    void (*done)(SpawnOrder *order, Error error);
    /* Set before `done` when all went well; the files are the caller's to close. */
    uint64_t worker; /* never given twice */
    int events;      /* stream sockets, non-blocking: to be written, to be read */
    int answers;
    int output; /* pipes, non-blocking: what it writes to stdout and stderr */
    int errors;
    int process;   /* a pidfd, to kill it with at once; -1: spawner_kill alone can */
    Slice message; /* of an error, in words; lives during `done` */
    /* The spawner's own. */
    ListNode waiting;
    uint64_t id;
    unsigned tries;
};

typedef struct WorkerExit {
    uint64_t worker;
    int status; /* as wait(2) gives it */
    bool out_of_memory;
    uint64_t memory_peak_bytes;
} WorkerExit;

typedef struct SpawnerEvents {
    void *user;
    /* Once for each worker whose order was done well, whatever ended it, and never within a call of this page. No process
     * of it is left by then. */
    void (*on_exit)(void *user, const WorkerExit *exit);
} SpawnerEvents;

Error spawner_open(Spawner *spawner, Loop *loop, const SpawnerEvents *events, Log *log);
void spawner_spawn(Spawner *spawner, SpawnOrder *order);
/* Workers of that kind, program, library and network will be ordered: as many as wait ahead are made, when there is time.
 * Nothing else of the order is read, and nothing is told of it. */
void spawner_warm(Spawner *spawner, const SpawnOrder *order);
/* Ends a worker and all its processes; its exit is reported as any other. Of a worker that is gone: nothing. */
void spawner_kill(Spawner *spawner, uint64_t worker);
/* The most memory that the worker has held since it started, in bytes, files that it has read or written among it, and at
 * most what it may have; cheap enough to be asked after each event. */
uint64_t spawner_memory_peak(Spawner *spawner, uint64_t worker);
/* Ends all workers and the spawner, and waits for it. */
void spawner_close(Spawner *spawner);

#endif

/* runtime.h: runs functions: the invoker, made of a spawner's workers.
 *
 * All of it lives on one loop, so that nothing is locked; when callers are on that loop too, a warm invocation is one
 * write to a socket pair and one read of it. */
#ifndef BRUME_RUNTIME_RUNTIME_H
#define BRUME_RUNTIME_RUNTIME_H

#include "base/limits.h"
#include "core/invoker.h"
#include "runtime/catalog.h"
#include "runtime/function_stats.h"
#include "runtime/spawner.h"
#include "store/store.h"

typedef struct Runtime Runtime;

/* Where the log lines of functions go; called on the runtime's loop. Lines are kept to the bounds of the limits table. */
typedef struct FunctionLog {
    void *user;
    void (*event)(void *user, const WorkerSpec *spec, Slice stream, uint64_t wall_ms, Slice request_id, Slice text);
    uint64_t (*dropped)(void *user); /* how many of them were not kept; any thread; NULL: all are */
} FunctionLog;

typedef struct RuntimeOptions {
    Loop *loop;
    Spawner *spawner;
    CatalogOptions catalog;
    Store *store; /* for the credentials of roles */
    const Limits *limits;
    Slice endpoint;         /* "http://127.0.0.1:4566": AWS_ENDPOINT_URL of functions */
    NetworkMode network;    /* of functions that do not say */
    const Slice *reachable; /* "HOST:PORT" that isolated ones may reach besides */
    size_t reachable_count;
    unsigned processors; /* that functions run on; 0: those of this process */
    bool any_role;       /* a role that does not exist is the account itself (mode `open`) */
    FunctionLog log;
    Log *server_log;
} RuntimeOptions;

/* Before the loop runs. */
Error runtime_open(const RuntimeOptions *options, Runtime **runtime);
Invoker *runtime_invoker(Runtime *runtime);
/* Any thread: nothing new is taken (INVOKE_STOPPING); what was asked before may end, and `task` is posted when no invocation
 * is left. */
void runtime_drain(Runtime *runtime, Task *task, Mailbox *mailbox);
/* After the loop has stopped; ends all workers. */
void runtime_close(Runtime *runtime);

typedef struct RuntimeStats {
    uint64_t workers;
    uint64_t busy;
    uint64_t timeouts;
    uint64_t out_of_memory;
    uint64_t log_lines_dropped;
} RuntimeStats;
void runtime_stats(const Runtime *runtime, RuntimeStats *stats);
/* Any thread; `each` calls nothing of the runtime. */
void runtime_each_function(Runtime *runtime, void (*each)(void *user, FunctionStats *stats), void *user);

#endif

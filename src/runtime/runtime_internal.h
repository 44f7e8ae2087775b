/* runtime_internal.h: what the parts of the runtime share. Private to src/runtime/; everything on the runtime's loop, but
 * for what is marked.
 *
 *     runtime.c    opens and closes; takes invocations from any thread
 *     delivery.c   gives answers back, on the caller's thread
 *     pool.c       which worker an invocation gets, and when one is started or let go
 *     pool_brisk.c which of them rather wait for one that is busy, but not for long
 *     worker.c     one worker: a total table of states and events
 *     worker_io.c  its channel and pipes
 *     worker_memory.c how much it holds
 *     worker_extensions.c what its extensions add to its life
 *     worker_log.c what it logs, and what the platform says of it */
#ifndef BRUME_RUNTIME_RUNTIME_INTERNAL_H
#define BRUME_RUNTIME_RUNTIME_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "base/sm.h"
#include "runtime/channel.h"
#include "runtime/credentials.h"
#include "runtime/function_stats.h"
#include "runtime/log_capture.h"
#include "runtime/report.h"
#include "runtime/runtime.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct Pool Pool;
typedef struct Worker Worker;
typedef struct InvocationState InvocationState;

/* ---- Counts, which any thread may read ---- */

typedef enum CountName {
    COUNT_WORKERS,
    COUNT_BUSY,
    COUNT_STARTING,
    COUNT_WAITING,
    COUNT_PROVISIONED_READY,
    COUNT_PROVISIONED,
    COUNT_NAMES
} CountName;

typedef struct Counts {
    _Atomic uint64_t value[COUNT_NAMES];
} Counts;

typedef enum TotalName { TOTAL_TIMEOUTS, TOTAL_OUT_OF_MEMORY, TOTAL_LOG_DROPPED, TOTAL_NAMES } TotalName;

/* What limits are counted by: all versions of a function, or an account in a region. */
typedef struct Tally {
    Counts counts;
    uint64_t running;  /* invocations that wait or run */
    size_t line_count; /* of a function */
} Tally;

/* One version of a function, whatever its revisions. */
typedef struct Line {
    Counts counts;
    Tally *function;
    FunctionStats *stats;
    List pools;
    Slice key; /* malloc */
    Slice function_key;
    /* Guarded by the runtime's lock: read from other threads. */
    Slice problem; /* malloc; why provisioned workers cannot be had */
} Line;

/* ---- Pools ---- */

/* The workers of one spec: a version at a revision, of a tenant. */
struct Pool {
    Runtime *runtime;
    Arena arena; /* of the spec */
    WorkerSpec spec;
    Slice tenant;
    Line *line;
    Tally *account; /* of what has no reservation */
    ListNode in_line;
    ListNode in_all;
    List workers;
    List idle;            /* the one used last is the first to be used again */
    List waiting;         /* invocations, first come first served */
    List patient;         /* those behind them: for a busy worker, not for one that starts (pool_brisk.c) */
    size_t waiting_count; /* of both */
    size_t patient_count;
    List busy;            /* workers with an event, the one that has had it for longest first */
    uint64_t shortest_ns; /* that a worker had an event, of late */
    unsigned answered;    /* events, up to as many as say what is usual */
    ListNode in_patient;  /* of the runtime, when somebody is patient */
    size_t coming;        /* workers that start and will take an event */
    uint64_t provisioned;
    size_t provisioned_workers; /* starting or alive */
    uint64_t provision_at_ns;   /* not before: a start has failed */
    uint64_t provision_pause_ms;
    bool is_serving;   /* within pool_serve */
    bool retired;      /* a newer revision has come */
    Worker *template_; /* SnapStart: the initialised one that others are copies of; or the one that will be */
    uint64_t used_ns;  /* when it was last asked for something */
};

/* ---- Invocations ---- */

struct InvocationState {
    Invocation *invocation;
    Runtime *runtime;
    Pool *pool;
    Worker *worker;   /* which has its event; NULL: it waits, or has ended */
    ListNode waiting; /* in its pool */
    bool is_patient;  /* among the patient ones there */
    uint64_t waiting_since_ns;
    bool is_unreserved;
    bool init_failed; /* the init phase took too long: it is tried again within the function's own timeout */
    bool cancelled;
    bool is_refused;   /* perhaps within the caller's own call, so that `done` comes later */
    unsigned attempts; /* to give it to a worker that was started since it came */
    uint64_t came_ns;
    Slice event;       /* the JSON of FRAME_INVOKE, in the invocation's arena */
    uint64_t begun_ns; /* when its worker got the event */
    uint64_t spent_us; /* of its timeout, by an init phase that was tried again */
    uint64_t init_us;
    uint64_t restore_us;
    uint64_t piece_bytes; /* of all pieces of its answer */
    bool is_too_large;
    Buffer gathered; /* pieces of an answer that is to be whole */
    /* Delivery (delivery.c). */
    bool near;        /* the caller is on the runtime's own loop */
    Task cancel_task; /* of callers elsewhere: what they ask of the runtime */
    Task resume_task;
    Task fence_task;
    Task done_task;
    bool asked;               /* the caller's thread: one of those may be under way */
    atomic_bool resume_asked; /* resume_task is under way */
    atomic_bool is_paused;    /* nothing more is read until it is */
    bool is_opening;          /* what is held is being given; on its thread */
    bool is_gone;             /* the caller has cancelled; on its thread */
    bool blocked;             /* the caller takes no pieces now; on its thread */
    bool is_ending;           /* `done` is on its way; on its thread */
    bool has_ended;           /* `done` comes behind what is held; on its thread */
    TaskChain held;           /* pieces for which it was not ready; on its thread */
    atomic_size_t under_way;  /* bytes of parcels that have been posted and not been opened */
    LogTail tail;
};

/* ---- Workers ---- */

typedef enum WorkerState {
    WORKER_ORDERED,      /* its credentials, then its process, are asked for */
    WORKER_INITIALIZING, /* it loads the handler, or runs the hooks behind a restore */
    WORKER_TEMPLATE,     /* copies are made of it */
    WORKER_IDLE,
    WORKER_BUSY,      /* it has an event, of which nothing has been answered */
    WORKER_STREAMING, /* its answer comes in pieces */
    WORKER_SETTLING,  /* it has answered, and its extensions are not done with the event */
    WORKER_ENDING,    /* it was told to go, or has gone: its exit will be reported */
    WORKER_DEAD,
    WORKER_STATES
} WorkerState;

typedef enum WorkerEvent {
    WORKER_SPAWNED, /* there is a process */
    WORKER_REFUSED, /* there will be none */
    WORKER_READY,
    WORKER_INIT_ERROR,
    WORKER_SNAPSHOT,
    WORKER_GIVE, /* it gets an event */
    WORKER_ANSWER,
    WORKER_STREAM,
    WORKER_PIECE,
    WORKER_STREAM_END,
    WORKER_GOODBYE,
    WORKER_SETTLE, /* what it has answered is given, and its extensions are waited for */
    WORKER_FAULT,  /* an extension has failed */
    WORKER_LIE,    /* it sent what nobody may send */
    WORKER_CLOSED,
    WORKER_TIMEOUT, /* of the phase that it is in */
    WORKER_STOP,    /* it is not wanted any longer: at once, or behind its event */
    WORKER_EXIT,
    WORKER_EVENTS
} WorkerEvent;

/* What libuv needs until it has let go of it, longer than the worker. */
typedef struct WorkerHandles {
    Worker *worker;    /* NULL: it is gone */
    uv_poll_t answers; /* to be read */
    uv_poll_t events;  /* to be written, when something is unsent */
    uv_poll_t output;
    uv_poll_t errors;
    uv_timer_t timer;
    unsigned open;
} WorkerHandles;

struct Worker {
    Runtime *runtime;
    Pool *pool;
    unsigned state;  /* WorkerState */
    uint64_t number; /* for the log */
    uint64_t id;     /* the spawner's; 0: none yet */
    ListNode in_pool;
    ListNode in_idle;     /* of its pool */
    ListNode in_all_idle; /* of the runtime, the one idle for longest first */
    ListNode in_busy;     /* of its pool */
    bool is_template;
    bool is_provisioned;
    bool is_coming; /* counted in pool->coming */
    bool is_starting;
    bool is_kept;        /* provisioned, and initialised */
    bool is_retry;       /* its init phase has the function's own timeout */
    bool leaving;        /* it goes when it has answered */
    bool has_failed;     /* its start was reported */
    bool has_extensions; /* it settles behind each answer, and has a shutdown phase */
    bool has_told;       /* a custom runtime has said how its program ended: told_status */
    int told_status;
    bool is_untaken;      /* and that the program has not taken its last event */
    uint32_t given_count; /* events that it was sent */
    Arena arena;          /* of its start; freed when it is ready */
    SpawnOrder order;
    CredentialsRequest credentials;
    LogTail *init_tail; /* what it logged in its init phase */
    Slice first_frame;  /* FRAME_INIT's or FRAME_RESTORE's content, until it is sent */
    Slice log_stream;   /* malloc */
    WorkerHandles *handles;
    Channel channel;
    LogPipe output;
    LogPipe errors;
    LogRate log_rate;
    int process;                  /* pidfd, or -1 */
    uint64_t memory_before_bytes; /* that it held when it became the function's (worker_memory.c) */
    uint64_t memory_peak_bytes;   /* when it was last looked at */
    uint64_t memory_at_ns;        /* which was then; 0: never yet */
    bool reads_paused;            /* its caller takes no pieces now */
    bool is_pumping;              /* its frames are being taken */
    const char *lie;              /* what it sent that is none of a worker's; NULL: a frame at the wrong time */
    InvocationState *event;       /* NULL: it has none */
    struct Settling *settling;    /* the invocation that was answered last, while its extensions are at work */
    uint64_t started_ns;
    uint64_t init_us; /* of its init phase, until an invocation has reported it */
    uint64_t restore_us;
    uint64_t idle_since_ns;
    uint64_t stale_at_ns; /* it is too old, or its credentials are */
    uint64_t deadline_ns; /* of the phase that it is in */
};

/* ---- The runtime ---- */

struct Runtime {
    Invoker invoker; /* first: it is what callers have */
    RuntimeOptions options;
    Os *os;
    Mailbox *mailbox;
    _Atomic(uintptr_t) thread; /* of the loop, once it runs; 0 before */
    Map pools;                 /* by spec key */
    Map workers;               /* by the spawner's number */
    Map accounts;              /* account and region → Tally */
    pthread_mutex_t lock;      /* of the two maps below, when they change or are read from elsewhere */
    Map lines;
    Map functions;
    FunctionStatsTable function_stats;
    Credentials credentials;
    List all_pools;
    List idle; /* all idle workers, the longest idle first */
    Counts counts;
    _Atomic uint64_t totals[TOTAL_NAMES];
    uint64_t last_worker;
    size_t running; /* invocations that have not been answered */
    bool draining;
    Task *drained;
    Mailbox *drained_mailbox;
    Task start_task;
    uv_timer_t *sweep;
    List patient; /* pools in which somebody is */
    uv_timer_t *patience;
};

static inline uint64_t runtime_limit(const Runtime *runtime, LimitName name)
{
    return runtime->options.limits->value[name];
}

static inline void runtime_total(Runtime *runtime, TotalName name, uint64_t more)
{
    atomic_fetch_add_explicit(&runtime->totals[name], more, memory_order_relaxed);
}

/* ---- delivery.c ---- */

/* What the invoker's operations do, on their caller's thread. */
void delivery_invoke(Runtime *runtime, Invocation *invocation);
void delivery_cancel(InvocationState *state);
void delivery_resume(InvocationState *state);
/* On the runtime's loop from here on. */
void delivery_start(InvocationState *state, Slice content_type, Slice prelude);
/* False: read no more of its answer until worker_resume. */
bool delivery_piece(InvocationState *state, Slice piece);
/* The invocation is its caller's again soon. */
void delivery_done(InvocationState *state);

/* ---- pool.c ---- */

void pool_invoke(Runtime *runtime, Invocation *invocation);
void pool_cancel(InvocationState *state);
void pool_provision(Runtime *runtime, const WorkerSpec *spec, uint64_t count);
void pool_forget(Runtime *runtime, Slice function, Slice except);
void pool_forget_version(Runtime *runtime, Slice line);
/* So many of its workers are to be there from now on; what there are more may go. */
void pool_keep_provisioned(Pool *pool, uint64_t count);
/* Once a second: lets idle and old workers go, and replaces provisioned ones. */
void pool_sweep(Runtime *runtime);
void pool_close_all(Runtime *runtime);
void pool_count(Pool *pool, CountName name, int change);
/* Fills in what its worker is told of the invocation: when it gets it, since its time runs from then on. */
void pool_write_event(InvocationState *state);

/* Gives those that wait what can be given now: idle workers, and starts. */
void pool_serve(Pool *pool);

/* A worker is ready for its first event, or has answered one. */
void pool_worker_ready(Worker *worker);
void pool_worker_free(Worker *worker);
/* A template waits to be copied. */
void pool_template_ready(Worker *worker);
/* Whether others live as long as the pool's template does. */
bool pool_has_copies(const Pool *pool);

/* Why a worker could not be had. */
typedef enum StartProblem {
    START_REFUSED,   /* there is no process: `refusal` and `message` */
    START_ERROR,     /* its init phase reported `document` */
    START_EXITED,    /* it ended in its init phase: `exit` */
    START_TIMED_OUT, /* its init phase took too long */
} StartProblem;

typedef struct StartFailure {
    StartProblem problem;
    InvokeRefusal refusal;
    Slice message;
    Slice document;
    const WorkerExit *exit;
} StartFailure;
/* Told once of a worker, before it is gone. */
void pool_start_failed(Worker *worker, const StartFailure *failure);
/* It is no longer idle, or is going. */
void pool_worker_leaves(Worker *worker);
/* It is gone. */
void pool_worker_dead(Worker *worker);
/* Its worker `from` went before it had the event whole. */
void pool_again(InvocationState *state, const Worker *from);

/* What an invocation came to. */
typedef struct Outcome {
    Slice result; /* in the invocation's arena */
    bool failed;
    bool is_handled;
    Slice status;
    Slice error_type;
    Slice cut_off; /* the message of a document that is the platform's; absent: it is the handler's answer */
} Outcome;
/* Writes the end of its log and fills in what the caller gets; delivery_done follows. */
void pool_report(InvocationState *state, const Outcome *outcome);
/* It never reached a handler. */
void pool_refuse(InvocationState *state, InvokeRefusal refusal, Slice message);

/* ---- pool_brisk.c ---- */

void brisk_open(Runtime *runtime);
void brisk_close(Runtime *runtime);
/* A worker has got an event; it has answered, or lost it otherwise. */
void brisk_begin(Worker *worker);
void brisk_end(Worker *worker, bool has_answered);
/* Whether a further event rather waits for one of those that are busy, or that start. */
bool brisk_is_full(const Pool *pool);
/* Whether it does not even take one that is idle. */
bool brisk_holds_back(const Pool *pool);
/* It does, or does so no longer. */
void brisk_wait(InvocationState *state);
void brisk_leave(InvocationState *state);
/* Those for which no busy worker can be expected soon wait as all others do: for one that starts, too. */
void brisk_let_go(Pool *pool);

/* ---- pool_table.c ---- */

/* The pool of that spec, made when there is none. Older revisions of its version let their workers go. */
Pool *pool_find(Runtime *runtime, const WorkerSpec *spec, Slice tenant);
/* Its workers that have nothing to do go; a template only when nothing lives by it. */
void pool_stop_idle(Pool *pool);
/* Of which no worker is left. */
void pool_free(Pool *pool);
/* Why provisioned workers cannot be had; empty: they can. */
void pool_set_problem(Pool *pool, Slice problem);
/* Any thread. */
void pool_counts(Runtime *runtime, Slice function, Slice line, Arena *arena, InvokerCounts *counts);

/* ---- runtime.c ---- */

/* Drained, and nothing runs: tells whoever waits for it, once workers with extensions have gone. */
void runtime_drained(Runtime *runtime);

/* ---- worker.c ---- */

typedef struct WorkerStart {
    bool is_template;
    bool is_provisioned;
    bool is_retry;
    uint64_t snapshot_of;
} WorkerStart;
/* Starts a worker; what becomes of it is told to the pool, perhaps before this returns. */
void worker_start(Pool *pool, const WorkerStart *start);
/* What workers of a runtime have in common, whatever function they get. */
void worker_fill_kind(const RuntimeOptions *options, const RuntimeEntry *entry, NetworkMode network, SpawnOrder *order);
void worker_step(Worker *worker, WorkerEvent event, void *detail);
/* WORKER_LIE, for the log; `what` is a constant. */
void worker_lied(Worker *worker, const char *what);
extern const SmTable worker_table;
void worker_give(Worker *worker, InvocationState *state);
void worker_stop(Worker *worker);
void worker_exited(Worker *worker, const WorkerExit *exit);
/* Frees it without a word; the spawner has been closed. */
void worker_abandon(Worker *worker);

/* Its end, as that of any worker that was told to go or has gone. */
void worker_leave(Worker *worker);
/* Nothing is read of it any more; what has to end by itself does within its grace, or is killed. */
void worker_await_exit(Worker *worker);
/* Takes the invocation from the worker. What it logged before it answered is in its log. */
InvocationState *worker_end_event(Worker *worker, const Outcome *outcome);
/* It waits for an event, or goes. */
void worker_settled(Worker *worker);

/* ---- worker_extensions.c ---- */

/* Actions of the table. */
void worker_begin_settling(void *subject, void *detail);
void worker_end_settling(void *subject, void *detail);
void worker_settling_slow(void *subject, void *detail);
void worker_take_fault(void *subject, void *detail);
/* The invocation that was answered last comes to its end with the worker. */
void worker_drop_settling(Worker *worker, Slice status, Slice error_type);
/* What END and REPORT are to say when the extensions are done. */
void worker_hold_report(Worker *worker, const Report *report, uint64_t begun_ns);
/* Ends it: by its shutdown phase when it has one. The reasons are channel.h's. */
void worker_shut_down(Worker *worker, Slice reason);
/* How long one that is ending may take, in milliseconds. */
uint64_t worker_grace_ms(const Worker *worker);

/* ---- worker_io.c ---- */

Error worker_io_open(Worker *worker);
void worker_io_close(Worker *worker);
/* Sends what is ready to be sent; ERROR_WAIT: the rest follows. */
Error worker_send(Worker *worker, FrameKind kind, Slice content);
Error worker_send_event(Worker *worker, Slice json, Slice payload);
/* Watches for what the worker's state wants: its frames unless it is paused or ending, room when something is unsent. */
void worker_watch(Worker *worker);
/* Reads on for a caller that takes pieces again. */
void worker_resume(Worker *worker);
void worker_set_timer(Worker *worker, uint64_t after_us);
void worker_clear_timer(Worker *worker);
/* Takes what it has sent, of a worker that has ended. */
void worker_drain_channel(Worker *worker);
/* What has been written to stdout and stderr, up to now. */
void worker_drain_pipes(Worker *worker);

/* ---- worker_memory.c ---- */

/* The most memory that it has held, for an event that took so long. */
uint64_t worker_memory_peak(Worker *worker, uint64_t event_ns);
/* The same, of what its control group had counted. */
uint64_t worker_memory_with(const Worker *worker, uint64_t counted_bytes);

/* ---- worker_log.c ---- */

/* One log event; into the tail of the invocation that runs, or of the init phase. */
void worker_log(Worker *worker, Slice text);
/* The same of the platform's own lines, which no rate drops. */
void worker_log_platform(Worker *worker, InvocationState *state, Slice text);

#endif

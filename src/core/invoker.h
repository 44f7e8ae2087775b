/* invoker.h: what core asks of whoever runs functions; the runtime implements it, and `brume start` wires it in.
 *
 * An Invocation is a token of ownership, as a StoreCall is: from invoker_invoke until `done` it, and all that its slices
 * point to, are the invoker's. `on_start`, `on_piece` and `done` are called on `mailbox`'s thread, `done` exactly once
 * and last. Any thread may invoke. A call from the invoker's own loop costs no hand-over, in either direction.
 *
 * Who may invoke, which version is meant, and what a caller is told in its dialect are decided before and after. */
#ifndef BRUME_CORE_INVOKER_H
#define BRUME_CORE_INVOKER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/task.h"

typedef struct EnvironmentVariable {
    Slice name;
    Slice value;
} EnvironmentVariable;

typedef enum NetworkMode {
    NETWORK_DEFAULT,  /* the server's setting */
    NETWORK_HOST,     /* shares the host's network */
    NETWORK_ISOLATED, /* reaches the platform's endpoint alone, and what is listed */
} NetworkMode;

/* What a worker is made of. The invoker copies what it keeps. */
typedef struct WorkerSpec {
    Slice key;  /* equal keys, equal workers: account, region, function, version, revision, network, tenant */
    Slice line; /* the key without revision, network and tenant: a new revision of a line lets its older workers go */
    Slice function; /* account, region and name alone: what reserved concurrency is counted by */
    Slice account;
    Slice region;
    Slice name;
    Slice version; /* "$LATEST", or a number */
    Slice role_arn;
    Slice runtime; /* "python3.11", "provided.al2023" */
    Slice handler;
    Slice code_directory;           /* unpacked, absolute; /var/task */
    const Slice *layer_directories; /* unpacked, absolute, in the order in which they are laid over each other; /opt */
    size_t layer_count;
    const EnvironmentVariable *environment; /* the function's own, without AWS_* */
    size_t environment_count;
    Slice log_group;
    Slice log_format; /* "Text" or "JSON" */
    Slice application_log_level;
    Slice system_log_level;
    uint64_t memory_mb;
    uint64_t timeout_ms;
    uint64_t tmp_mb;
    NetworkMode network;
    bool snap_start; /* workers are copies of one that has been initialised */
} WorkerSpec;

/* A copy that needs nothing but the arena (worker_spec.c). */
WorkerSpec worker_spec_copy(const WorkerSpec *spec, Arena *arena);

/* Why an invocation never reached a handler. */
typedef enum InvokeRefusal {
    INVOKE_RAN = 0,
    INVOKE_FUNCTION_CONCURRENCY, /* the function's reserved concurrency is used up */
    INVOKE_ACCOUNT_CONCURRENCY,  /* the account's unreserved concurrency is used up */
    INVOKE_RUNTIME_MISSING,      /* `message` says what to install */
    INVOKE_ROLE,                 /* its credentials cannot be had */
    INVOKE_STOPPING,
    INVOKE_GONE,   /* cancelled before a worker had it */
    INVOKE_FAILED, /* the environment: no process, no memory, code that is not there; `message` says which */
} InvokeRefusal;

typedef struct Invocation Invocation;
struct Invocation {
    Task task; /* the invoker's */
    /* Set by the caller. */
    Mailbox *mailbox;
    Arena *arena; /* for what the invoker leaves behind; the caller does not touch it until `done` */
    const WorkerSpec *spec;
    Slice request_id;       /* a UUID */
    Slice payload;          /* JSON, passed on as it is */
    Slice function_arn;     /* as invoked, with its qualifier */
    Slice client_context;   /* JSON; absent: none */
    Slice identity;         /* JSON of a Cognito identity; absent: none */
    Slice trace;            /* the X-Ray header; absent: none */
    Slice tenant_id;        /* absent: none */
    uint64_t reserved;      /* executions that the function may have at once; UINT64_MAX: none are reserved */
    uint64_t unreserved;    /* those that all functions of account and region without reservation may have */
    uint64_t payload_limit; /* bytes of an answer; streamed ones: of all pieces together */
    bool streamed;          /* the answer may come in pieces: on_start, on_piece … then done */
    /* A handler that answers in pieces has begun: the content type that it set, and the JSON that an HTTP integration's
     * answer begins with (status, headers, cookies), absent when there is none. Slices live during the call. Only when
     * `streamed`; an answer that comes whole is given by `done` alone. */
    void (*on_start)(Invocation *invocation, Slice content_type, Slice prelude);
    /* The next piece, valid during the call. False: the caller cannot take more until invoker_resume. */
    bool (*on_piece)(Invocation *invocation, Slice piece);
    void (*done)(Invocation *invocation);
    void *user;
    /* Set by the invoker, valid at `done`, in `arena`. */
    InvokeRefusal refusal;
    Slice message; /* of a refusal */
    /* The handler's answer (JSON, or whatever bytes it gave), or the document of its error. After a streamed answer:
     * empty, or the error that broke it. */
    Slice result;
    bool failed;          /* `result` is an error's document: the API's FunctionError */
    bool is_handled;      /* the runtime reported it ("Handled" in old documents); false: it died, or took too long */
    bool answered_stream; /* on_start has been called */
    Slice log_tail;       /* the last 4 KiB of what this invocation logged, START to REPORT */
    uint64_t duration_us; /* of the handler */
    uint64_t billed_ms;
    uint64_t init_us; /* of a worker that was started for it; 0: it was warm */
    uint64_t memory_peak_bytes;
    /* The invoker's own. */
    struct InvocationState *state;
};

typedef struct InvokerCounts {
    uint64_t workers; /* alive: starting, idle or busy */
    uint64_t busy;
    uint64_t starting;
    uint64_t waiting;           /* invocations that wait for a worker that starts */
    uint64_t provisioned_ready; /* initialised and kept */
    uint64_t provisioned;       /* asked for */
    Slice provision_problem;    /* why they cannot be had; absent: they can; in the caller's arena */
} InvokerCounts;

typedef struct Invoker Invoker;
typedef struct InvokerOperations {
    void (*invoke)(Invoker *invoker, Invocation *invocation);
    void (*cancel)(Invoker *invoker, Invocation *invocation);
    void (*resume)(Invoker *invoker, Invocation *invocation);
    void (*provision)(Invoker *invoker, const WorkerSpec *spec, uint64_t count);
    void (*forget)(Invoker *invoker, Slice function, Slice except);
    void (*forget_version)(Invoker *invoker, Slice line);
    void (*warm)(Invoker *invoker, Slice runtime);
    void (*count)(Invoker *invoker, Slice function, Slice line, Arena *arena, InvokerCounts *counts);
} InvokerOperations;

struct Invoker {
    const InvokerOperations *operations;
};

/* Runs it: on an idle worker, or one that is started for it. */
static inline void invoker_invoke(Invoker *invoker, Invocation *invocation)
{
    invoker->operations->invoke(invoker, invocation);
}

/* Nobody waits for the answer any more, on the mailbox's thread and before `done`. A handler that runs goes on, as AWS
 * lets it; what it answers is dropped. */
static inline void invoker_cancel(Invoker *invoker, Invocation *invocation)
{
    invoker->operations->cancel(invoker, invocation);
}

/* A caller that had enough takes pieces again; on the mailbox's thread. */
static inline void invoker_resume(Invoker *invoker, Invocation *invocation)
{
    invoker->operations->resume(invoker, invocation);
}

/* From now on `count` workers of that version are kept initialised, whether there is work or not; 0: none. Any thread. */
static inline void invoker_provision(Invoker *invoker, const WorkerSpec *spec, uint64_t count)
{
    invoker->operations->provision(invoker, spec, count);
}

/* Nothing of `function` is wanted any more but lines that begin with `except`; absent: nothing at all. Its idle workers end
 * now, a busy one behind its event, and its credentials are forgotten. Any thread. */
static inline void invoker_forget(Invoker *invoker, Slice function, Slice except)
{
    invoker->operations->forget(invoker, function, except);
}

/* The version of that line is wanted no more: its idle workers end now, a busy one behind its event. Any thread. */
static inline void invoker_forget_version(Invoker *invoker, Slice line)
{
    invoker->operations->forget_version(invoker, line);
}

/* A function of that runtime ("python3.11") will perhaps be invoked: what its workers have in common may be got ready. A
 * hint, which may come from a transaction that fails. Any thread. */
static inline void invoker_warm(Invoker *invoker, Slice runtime)
{
    invoker->operations->warm(invoker, runtime);
}

/* What there is of a function, or, when `line` is not empty, of one version of it. Any thread; does not block. */
static inline void invoker_count(Invoker *invoker, Slice function, Slice line, Arena *arena, InvokerCounts *counts)
{
    invoker->operations->count(invoker, function, line, arena, counts);
}

#endif

#include "runtime/runtime.h"

#include "base/bug.h"
#include "runtime/runtime_internal.h"

#include <stdlib.h>

enum {
    SWEEP_MS = 1000,
    /* Lambda quotas: the longest timeout of a function. Credentials outlast a worker by it. */
    TIMEOUT_MAX_MS = 15 * 60 * 1000,
};

static Runtime *runtime_of(Invoker *invoker)
{
    return CONTAINER_OF(invoker, Runtime, invoker);
}

static void post(Mailbox *mailbox, Task *task)
{
    TaskChain chain = {0};
    task_chain_push(&chain, task);
    mailbox->post(mailbox, chain);
}

/* ---- The invoker ---- */

static void invoke(Invoker *invoker, Invocation *invocation)
{
    delivery_invoke(runtime_of(invoker), invocation);
}

static void cancel(Invoker *invoker, Invocation *invocation)
{
    (void)invoker;
    delivery_cancel(invocation->state);
}

static void resume(Invoker *invoker, Invocation *invocation)
{
    (void)invoker;
    delivery_resume(invocation->state);
}

typedef struct Provision {
    Task task;
    Runtime *runtime;
    Arena arena;
    WorkerSpec spec;
    uint64_t count;
} Provision;

static void provision_posted(Task *task)
{
    Provision *provision = CONTAINER_OF(task, Provision, task);
    pool_provision(provision->runtime, &provision->spec, provision->count);
    arena_free(&provision->arena);
    free(provision);
}

static void provision(Invoker *invoker, const WorkerSpec *spec, uint64_t count)
{
    Provision *message = calloc(1, sizeof *message);
    ASSERT(message != NULL);
    message->task.run = provision_posted;
    message->runtime = runtime_of(invoker);
    message->spec = worker_spec_copy(spec, &message->arena);
    message->count = count;
    post(message->runtime->mailbox, &message->task);
}

typedef struct Forget {
    Task task;
    Runtime *runtime;
    Arena arena;
    Slice function; /* absent: `line` alone */
    Slice except;
    Slice line;
} Forget;

static void forget_posted(Task *task)
{
    Forget *message = CONTAINER_OF(task, Forget, task);
    if (message->function.data != NULL)
        pool_forget(message->runtime, message->function, message->except);
    else
        pool_forget_version(message->runtime, message->line);
    arena_free(&message->arena);
    free(message);
}

static Forget *forget_message(Invoker *invoker)
{
    Forget *message = calloc(1, sizeof *message);
    ASSERT(message != NULL);
    message->task.run = forget_posted;
    message->runtime = runtime_of(invoker);
    return message;
}

static void forget(Invoker *invoker, Slice function, Slice except)
{
    Forget *message = forget_message(invoker);
    message->function = arena_copy(&message->arena, function);
    if (except.data != NULL)
        message->except = arena_copy(&message->arena, except);
    post(message->runtime->mailbox, &message->task);
}

static void forget_version(Invoker *invoker, Slice line)
{
    Forget *message = forget_message(invoker);
    message->line = arena_copy(&message->arena, line);
    post(message->runtime->mailbox, &message->task);
}

typedef struct Warming {
    Task task;
    Runtime *runtime;
    Arena arena;
    Slice name;
} Warming;

static void warm_posted(Task *task)
{
    Warming *warming = CONTAINER_OF(task, Warming, task);
    const RuntimeOptions *options = &warming->runtime->options;
    RuntimeEntry entry = {0};
    Slice message;
    SpawnOrder order = {.code_directory = SLICE(""), .runtime = warming->name};
    if (catalog_find(&options->catalog, warming->name, &warming->arena, &entry, &message) == RUNTIME_FOUND &&
        entry.kind != RUNTIME_CUSTOM) {
        worker_fill_kind(options, &entry, NETWORK_DEFAULT, &order);
        spawner_warm(options->spawner, &order);
    }
    arena_free(&warming->arena);
    free(warming);
}

static void warm(Invoker *invoker, Slice name)
{
    Warming *message = calloc(1, sizeof *message);
    ASSERT(message != NULL);
    message->task.run = warm_posted;
    message->runtime = runtime_of(invoker);
    message->name = arena_copy(&message->arena, name);
    post(message->runtime->mailbox, &message->task);
}

static void count(Invoker *invoker, Slice function, Slice line, Arena *arena, InvokerCounts *counts)
{
    pool_counts(runtime_of(invoker), function, line, arena, counts);
}

static const InvokerOperations operations = {
    .invoke = invoke,
    .cancel = cancel,
    .resume = resume,
    .provision = provision,
    .forget = forget,
    .forget_version = forget_version,
    .warm = warm,
    .count = count,
};

Invoker *runtime_invoker(Runtime *runtime)
{
    return &runtime->invoker;
}

/* ---- Life ---- */

static void on_exit_(void *user, const WorkerExit *exit)
{
    Runtime *runtime = user;
    Worker *worker = map_get(&runtime->workers, slice_make(&exit->worker, sizeof exit->worker));
    if (worker != NULL)
        worker_exited(worker, exit);
}

static void on_sweep(uv_timer_t *timer)
{
    pool_sweep(timer->data);
}

static void begin_on_loop(Task *task)
{
    Runtime *runtime = CONTAINER_OF(task, Runtime, start_task);
    atomic_store(&runtime->thread, (uintptr_t)pthread_self());
}

static void open_maps(Runtime *runtime)
{
    MapSeed seed;
    os_random(runtime->os, &seed, sizeof seed);
    runtime->pools = map_make(seed);
    runtime->workers = map_make(seed);
    runtime->accounts = map_make(seed);
    runtime->lines = map_make(seed);
    runtime->functions = map_make(seed);
    runtime->credentials = (Credentials){
        .store = runtime->options.store,
        .mailbox = runtime->mailbox,
        .os = runtime->os,
        .any_role = runtime->options.any_role,
        .lasting_ms = runtime_limit(runtime, LIMIT_RUNTIME_WORKER_LIFETIME_MS) + TIMEOUT_MAX_MS,
    };
    credentials_open(&runtime->credentials, seed);
    function_stats_open(&runtime->function_stats, seed);
}

static void free_maps(Runtime *runtime)
{
    size_t position = 0;
    for (const MapEntry *entry; (entry = map_next(&runtime->accounts, &position)) != NULL;)
        free(entry->value);
    credentials_close(&runtime->credentials);
    function_stats_close(&runtime->function_stats);
    map_free(&runtime->pools);
    map_free(&runtime->workers);
    map_free(&runtime->accounts);
    map_free(&runtime->lines);
    map_free(&runtime->functions);
}

Error runtime_open(const RuntimeOptions *options, Runtime **result)
{
    sm_check(&worker_table);
    Runtime *runtime = calloc(1, sizeof *runtime);
    ASSERT(runtime != NULL);
    runtime->invoker.operations = &operations;
    runtime->options = *options;
    runtime->os = loop_os(options->loop);
    runtime->mailbox = loop_mailbox(options->loop);
    list_init(&runtime->idle);
    list_init(&runtime->all_pools);
    pthread_mutex_init(&runtime->lock, NULL);
    open_maps(runtime);
    SpawnerEvents events = {.user = runtime, .on_exit = on_exit_};
    Error error = spawner_open(options->spawner, options->loop, &events, options->server_log);
    if (error != OK) {
        free_maps(runtime);
        pthread_mutex_destroy(&runtime->lock);
        free(runtime);
        return error;
    }
    runtime->sweep = calloc(1, sizeof *runtime->sweep);
    ASSERT(runtime->sweep != NULL);
    uv_timer_init(loop_uv(options->loop), runtime->sweep);
    runtime->sweep->data = runtime;
    uv_timer_start(runtime->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    brisk_open(runtime);
    runtime->start_task.run = begin_on_loop;
    post(runtime->mailbox, &runtime->start_task);
    *result = runtime;
    return OK;
}

/* Extensions are told before the server ends. Whether there are workers that have any. */
static bool stop_extended(Runtime *runtime)
{
    bool is_any = false;
    LIST_FOR_EACH(&runtime->all_pools, node)
    {
        Pool *pool = CONTAINER_OF(node, Pool, in_all);
        LIST_FOR_EACH(&pool->workers, member)
        {
            Worker *worker = CONTAINER_OF(member, Worker, in_pool);
            if (!worker->has_extensions)
                continue;
            is_any = true;
            worker_stop(worker);
        }
    }
    return is_any;
}

void runtime_drained(Runtime *runtime)
{
    if (stop_extended(runtime))
        return; /* the last of them to go comes here again */
    Task *task = runtime->drained;
    runtime->drained = NULL;
    post(runtime->drained_mailbox, task);
}

typedef struct Drain {
    Task task;
    Runtime *runtime;
    Task *then;
    Mailbox *mailbox;
} Drain;

static void drain_posted(Task *task)
{
    Drain *drain = CONTAINER_OF(task, Drain, task);
    Runtime *runtime = drain->runtime;
    runtime->draining = true;
    runtime->drained = drain->then;
    runtime->drained_mailbox = drain->mailbox;
    free(drain);
    if (runtime->running == 0)
        runtime_drained(runtime);
}

void runtime_drain(Runtime *runtime, Task *task, Mailbox *mailbox)
{
    Drain *drain = malloc(sizeof *drain);
    ASSERT(drain != NULL);
    *drain = (Drain){.task.run = drain_posted, .runtime = runtime, .then = task, .mailbox = mailbox};
    post(runtime->mailbox, &drain->task);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

void runtime_close(Runtime *runtime)
{
    spawner_close(runtime->options.spawner);
    pool_close_all(runtime);
    uv_close((uv_handle_t *)runtime->sweep, free_handle);
    brisk_close(runtime);
    free_maps(runtime);
    pthread_mutex_destroy(&runtime->lock);
    free(runtime);
}

void runtime_stats(const Runtime *runtime, RuntimeStats *stats)
{
    uint64_t total[TOTAL_NAMES];
    for (unsigned i = 0; i < TOTAL_NAMES; i++)
        total[i] = atomic_load_explicit(&runtime->totals[i], memory_order_relaxed);
    *stats = (RuntimeStats){
        .workers = atomic_load_explicit(&runtime->counts.value[COUNT_WORKERS], memory_order_relaxed),
        .busy = atomic_load_explicit(&runtime->counts.value[COUNT_BUSY], memory_order_relaxed),
        .timeouts = total[TOTAL_TIMEOUTS],
        .out_of_memory = total[TOTAL_OUT_OF_MEMORY],
        .log_lines_dropped = total[TOTAL_LOG_DROPPED],
    };
    if (runtime->options.log.dropped != NULL)
        stats->log_lines_dropped += runtime->options.log.dropped(runtime->options.log.user);
}

void runtime_each_function(Runtime *runtime, void (*each)(void *user, FunctionStats *stats), void *user)
{
    function_stats_each(&runtime->function_stats, each, user);
}

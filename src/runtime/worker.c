/* One worker: a total table of states and events. Every transition goes through worker_step. */
#include "base/bug.h"
#include "base/json.h"
#include "runtime/environment.h"
#include "runtime/report.h"
#include "runtime/runtime_internal.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    /* Lambda developer guide, "Understanding the Lambda execution environment lifecycle": provisioned workers and snapshots
     * have this long to initialise, or the function's timeout, whichever is more. */
    LONG_INIT_MS = 130 * 1000,
    /* The same, "Restore phase": the restore and the hooks behind it. */
    RESTORE_MS = 10 * 1000,
    PROCESSOR_MB = 1769, /* Lambda developer guide, "Configure Lambda function memory": one processor */
};

/* ---- Starting ---- */

static uint64_t now_ns(const Worker *worker)
{
    return os_monotonic_ns(worker->runtime->os);
}

static Slice copy_out(Slice slice)
{
    char *copy = malloc(slice.size + 1);
    ASSERT(copy != NULL);
    if (slice.size > 0)
        memcpy(copy, slice.data, slice.size);
    return slice_make(copy, slice.size);
}

static void spawned(SpawnOrder *order, Error error)
{
    Worker *worker = CONTAINER_OF(order, Worker, order);
    if (error == OK) {
        worker_step(worker, WORKER_SPAWNED, NULL);
        return;
    }
    StartFailure failure = {.problem = START_REFUSED, .refusal = INVOKE_FAILED, .message = order->message};
    if (order->snapshot_of != 0)
        failure.message = arena_format(&worker->arena, "SnapStart cannot be had (%.*s): set its ApplyOn to None",
                                       SLICE_PRINT(order->message));
    else if (failure.message.size == 0)
        failure.message = arena_format(&worker->arena, "no process can be had for the function: %s", error_text(error));
    worker_step(worker, WORKER_REFUSED, &failure);
}

static Slice initialization_type(const Worker *worker)
{
    return worker->pool->spec.snap_start ? SLICE("snap-start")
           : worker->is_provisioned      ? SLICE("provisioned-concurrency")
                                         : SLICE("on-demand");
}

/* One processor for each 1769 MB, as AWS has it, but never less than one: to hold a small function below what the machine
 * has to give would help nobody. */
static uint64_t processors_of(const WorkerSpec *spec)
{
    uint64_t permille = spec->memory_mb * 1000 / PROCESSOR_MB;
    return permille < 1000 ? 1000 : permille;
}

void worker_fill_kind(const RuntimeOptions *options, const RuntimeEntry *entry, NetworkMode network, SpawnOrder *order)
{
    order->kind = entry->kind;
    order->program = entry->program;
    order->library = entry->library;
    order->isolated_network = (network == NETWORK_DEFAULT ? options->network : network) == NETWORK_ISOLATED;
    order->reachable = options->reachable;
    order->reachable_count = options->reachable_count;
}

static void fill_order(Worker *worker, const RuntimeEntry *entry, const SessionCredentials *credentials)
{
    const RuntimeOptions *options = &worker->runtime->options;
    const WorkerSpec *spec = &worker->pool->spec;
    EnvironmentFacts facts = {spec,
                              credentials,
                              options->endpoint,
                              worker->log_stream,
                              slice_starts_with(options->endpoint, SLICE("https:")),
                              initialization_type(worker)};
    EnvironmentVariable *variables;
    size_t count;
    environment_make(&facts, &worker->arena, &variables, &count);
    worker->first_frame = worker->order.snapshot_of != 0
                              ? environment_restore(variables, count, &worker->arena)
                              : environment_init(spec, variables, count, worker->is_template, &worker->arena);
    SpawnOrder *order = &worker->order;
    worker_fill_kind(options, entry, spec->network, order);
    order->runtime = spec->runtime;
    order->code_directory = spec->code_directory;
    order->layer_directories = spec->layer_directories;
    order->layer_count = spec->layer_count;
    /* With an environment a process is executed; without, one that waits is taken, and gets it by its first frame. */
    order->has_extensions = worker->has_extensions = environment_has_extensions(spec);
    bool needs_process = entry->kind == RUNTIME_CUSTOM || order->has_extensions || environment_needs_process(spec);
    order->environment = variables;
    order->environment_count = needs_process ? count : 0;
    order->memory_bytes = spec->memory_mb << 20;
    order->tmp_bytes = spec->tmp_mb << 20;
    order->processor_permille = processors_of(spec);
    order->is_template = worker->is_template;
    order->done = spawned;
}

static void have_credentials(CredentialsRequest *request, Error error, const SessionCredentials *credentials,
                             Slice message)
{
    Worker *worker = CONTAINER_OF(request, Worker, credentials);
    Runtime *runtime = worker->runtime;
    StartFailure failure = {.problem = START_REFUSED, .refusal = INVOKE_ROLE, .message = message};
    if (error != OK) {
        worker_step(worker, WORKER_REFUSED, &failure);
        return;
    }
    RuntimeEntry entry = {0};
    if (catalog_find(&runtime->options.catalog, worker->pool->spec.runtime, &worker->arena, &entry, &failure.message) !=
        RUNTIME_FOUND) {
        failure.refusal = INVOKE_RUNTIME_MISSING;
        worker_step(worker, WORKER_REFUSED, &failure);
        return;
    }
    /* A worker goes before its credentials do: what it may begin then ends within the longest timeout. */
    uint64_t lifetime_ms = runtime_limit(runtime, LIMIT_RUNTIME_WORKER_LIFETIME_MS);
    worker->stale_at_ns = now_ns(worker) + lifetime_ms * 1000000;
    fill_order(worker, &entry, credentials);
    spawner_spawn(runtime->options.spawner, &worker->order);
}

void worker_start(Pool *pool, const WorkerStart *start)
{
    Runtime *runtime = pool->runtime;
    Worker *worker = calloc(1, sizeof *worker);
    ASSERT(worker != NULL);
    unsigned char random[16];
    os_random(runtime->os, random, sizeof random);
    worker->runtime = runtime;
    worker->pool = pool;
    worker->number = ++runtime->last_worker;
    worker->state = WORKER_ORDERED;
    worker->is_template = start->is_template;
    worker->is_provisioned = start->is_provisioned;
    worker->is_retry = start->is_retry;
    worker->is_coming = !start->is_template;
    worker->is_starting = true;
    worker->order.snapshot_of = start->snapshot_of;
    worker->process = worker->output.file = worker->errors.file = worker->channel.events = worker->channel.answers = -1;
    worker->log_stream =
        copy_out(environment_log_stream(pool->spec.version, os_wall_ms(runtime->os), random, &worker->arena));
    worker->started_ns = now_ns(worker);
    list_init(&worker->in_idle);
    list_init(&worker->in_all_idle);
    list_init(&worker->in_busy);
    list_push_back(&pool->workers, &worker->in_pool);
    pool->coming += worker->is_coming;
    pool->provisioned_workers += worker->is_provisioned;
    if (worker->is_template)
        pool->template_ = worker;
    pool_count(pool, COUNT_WORKERS, 1);
    pool_count(pool, COUNT_STARTING, 1);
    function_stats_add(&pool->line->stats->cold_starts, 1);
    worker->credentials.have = have_credentials;
    credentials_get(&runtime->credentials, &pool->spec, &worker->credentials);
}

/* ---- Ending ---- */

static void release(Worker *worker)
{
    worker_io_close(worker);
    arena_free(&worker->arena);
    free(worker->settling);
    free((char *)worker->log_stream.data);
    free(worker);
}

void worker_abandon(Worker *worker)
{
    credentials_cancel(&worker->credentials);
    list_remove(&worker->in_pool);
    list_remove(&worker->in_all_idle);
    list_remove(&worker->in_busy);
    release(worker);
}

static void dead(Worker *worker)
{
    if (worker->id != 0)
        map_remove(&worker->runtime->workers, slice_make(&worker->id, sizeof worker->id));
    pool_worker_dead(worker);
    release(worker);
}

/* No longer among those that wait or start; nothing is read of it from now on. */
void worker_leave(Worker *worker)
{
    pool_worker_leaves(worker);
    worker_clear_timer(worker);
    worker_watch(worker);
}

static void kill_now(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    worker_leave(worker);
    spawner_kill(worker->runtime->options.spawner, worker->id);
}

static void kill_again(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    spawner_kill(worker->runtime->options.spawner, worker->id);
}

/* Also what a frame of a good worker does at the wrong time: `detail` is that frame then. */
static void kill_liar(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    const char *what = worker->lie;
    LOG(worker->runtime->options.server_log, WARNING, "worker_lied", log_text("function", worker->pool->spec.name),
        log_uint("worker", worker->number), log_string("what", what == NULL ? "a frame that has no place here" : what));
    kill_now(worker, NULL);
}

/* It had the event not whole, so that no handler saw it. */
static void take_back(Worker *worker)
{
    InvocationState *state = worker->event;
    worker->event = NULL;
    pool_count(worker->pool, COUNT_BUSY, -1);
    brisk_end(worker, false);
    pool_again(state, worker);
}

/* The time of its shutdown phase is its own. */
static void stop_now(void *subject, void *detail)
{
    (void)detail;
    worker_shut_down(subject, SLICE("spindown"));
}

static void await_exit(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    worker_await_exit(worker);
    if (worker->event != NULL && (worker->channel.part_count > 0 || worker->is_untaken))
        take_back(worker);
}

static void leave_later(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    worker->leaving = true;
}

/* ---- Init phase ---- */

static void start_failed(Worker *worker, const StartFailure *failure)
{
    if (worker->has_failed)
        return;
    worker->has_failed = true;
    pool_start_failed(worker, failure);
}

static void start_refused(void *subject, void *detail)
{
    Worker *worker = subject;
    start_failed(worker, detail);
    dead(worker);
}

static uint64_t init_limit_ms(const Worker *worker)
{
    const WorkerSpec *spec = &worker->pool->spec;
    if (worker->order.snapshot_of != 0)
        return RESTORE_MS;
    if (worker->is_retry)
        return spec->timeout_ms;
    if (worker->is_provisioned || worker->is_template)
        return spec->timeout_ms > LONG_INIT_MS ? spec->timeout_ms : LONG_INIT_MS;
    return runtime_limit(worker->runtime, LIMIT_RUNTIME_INIT_MS);
}

static void log_init_start(Worker *worker)
{
    Report report = {.spec = &worker->pool->spec, .wall_ms = os_wall_ms(worker->runtime->os)};
    worker_log_platform(worker, NULL, report_init_start(&report, &worker->arena));
}

static void begin_init(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    SpawnOrder *order = &worker->order;
    worker->id = order->worker;
    worker->process = order->process;
    worker->output.file = order->output;
    worker->errors.file = order->errors;
    channel_open(&worker->channel, order->events, order->answers,
                 runtime_limit(worker->runtime, LIMIT_RUNTIME_FRAME_BYTES));
    map_put(&worker->runtime->workers, slice_make(&worker->id, sizeof worker->id), worker);
    worker->init_tail = arena_alloc(&worker->arena, sizeof *worker->init_tail);
    worker->init_tail->total = 0;
    if (worker_io_open(worker) != OK || worker->leaving) {
        worker_step(worker, WORKER_STOP, NULL);
        return;
    }
    log_init_start(worker);
    worker_set_timer(worker, init_limit_ms(worker) * 1000);
    FrameKind kind = order->snapshot_of != 0 ? FRAME_RESTORE : FRAME_INIT;
    if (worker_send(worker, kind, worker->first_frame) == ERROR_GONE)
        worker_step(worker, WORKER_CLOSED, NULL);
}

static uint64_t elapsed_us(const Worker *worker, uint64_t since_ns)
{
    return (now_ns(worker) - since_ns) / 1000;
}

static void end_of_start(Worker *worker)
{
    worker_clear_timer(worker);
    worker_drain_pipes(worker);
    worker->init_tail = NULL;
    worker->first_frame = (Slice){0};
    arena_free(&worker->arena);
}

void worker_settled(Worker *worker)
{
    if (worker->leaving)
        worker_step(worker, WORKER_STOP, NULL);
    else
        pool_worker_ready(worker);
}

static void initialized(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    uint64_t took_us = elapsed_us(worker, worker->started_ns);
    if (worker->order.snapshot_of != 0)
        worker->restore_us = took_us;
    else
        worker->init_us = took_us;
    end_of_start(worker);
    worker_settled(worker);
}

static void snapshot_taken(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    end_of_start(worker);
    if (worker->leaving)
        worker_step(worker, WORKER_STOP, NULL);
    else
        pool_template_ready(worker);
}

static void init_failed(void *subject, void *detail)
{
    Worker *worker = subject;
    const Frame *frame = detail;
    worker_drain_pipes(worker);
    worker->init_us = elapsed_us(worker, worker->started_ns);
    StartFailure failure = {.problem = START_ERROR, .document = frame->content};
    start_failed(worker, &failure);
    await_exit(worker, NULL);
}

static void init_slow(void *subject, void *detail)
{
    Worker *worker = subject;
    worker_drain_pipes(worker);
    worker->init_us = elapsed_us(worker, worker->started_ns);
    StartFailure failure = {.problem = START_TIMED_OUT};
    start_failed(worker, &failure);
    (void)detail;
    worker_shut_down(worker, SLICE("timeout"));
}

static void died_in_init(Worker *worker, const WorkerExit *exit)
{
    worker->init_us = elapsed_us(worker, worker->started_ns);
    StartFailure failure = {.problem = START_EXITED, .exit = exit};
    start_failed(worker, &failure);
}

/* ---- Events ---- */

void worker_give(Worker *worker, InvocationState *state)
{
    worker_step(worker, WORKER_GIVE, state);
}

static void log_start(Worker *worker, InvocationState *state)
{
    Invocation *invocation = state->invocation;
    Report report = {
        .spec = &worker->pool->spec, .request_id = invocation->request_id, .wall_ms = os_wall_ms(worker->runtime->os)};
    worker_log_platform(worker, state, report_start(&report, invocation->arena));
}

static void send_event(void *subject, void *detail)
{
    Worker *worker = subject;
    InvocationState *state = detail;
    worker->event = state;
    worker->given_count++;
    state->worker = worker;
    state->begun_ns = now_ns(worker);
    state->init_us = worker->init_us;
    state->restore_us = worker->restore_us;
    worker->init_us = worker->restore_us = 0;
    pool_count(worker->pool, COUNT_BUSY, 1);
    brisk_begin(worker);
    pool_write_event(state);
    if (worker_send_event(worker, state->event, state->invocation->payload) == ERROR_GONE) {
        worker_step(worker, WORKER_CLOSED, NULL);
        return;
    }
    uint64_t timeout_us = worker->pool->spec.timeout_ms * 1000;
    worker_set_timer(worker, timeout_us > state->spent_us ? timeout_us - state->spent_us : 1);
    log_start(worker, state);
}

InvocationState *worker_end_event(Worker *worker, const Outcome *outcome)
{
    InvocationState *state = worker->event;
    worker_drain_pipes(worker);
    pool_report(state, outcome);
    brisk_end(worker, true);
    worker->event = NULL;
    state->worker = NULL;
    pool_count(worker->pool, COUNT_BUSY, -1);
    return state;
}

/* The worker is free before the caller knows, who may well ask for it again at once. */
static void answered(Worker *worker, const Outcome *outcome)
{
    InvocationState *state = worker_end_event(worker, outcome);
    worker->reads_paused = false;
    if (worker->has_extensions) {
        worker_step(worker, WORKER_SETTLE, NULL);
    } else {
        worker_clear_timer(worker);
        worker_settled(worker);
    }
    delivery_done(state);
}

static const Slice status_success = SLICE_INIT("success");
static const Slice status_error = SLICE_INIT("error");
static const Slice status_timeout = SLICE_INIT("timeout");

static Outcome too_large(const InvocationState *state)
{
    Invocation *invocation = state->invocation;
    return (Outcome){
        .result = report_too_large(invocation->payload_limit, invocation->arena),
        .failed = true,
        .status = status_error,
        .error_type = SLICE("Function.ResponseSizeTooLarge"),
    };
}

static void give_answer(void *subject, void *detail)
{
    Worker *worker = subject;
    const Frame *frame = detail;
    Invocation *invocation = worker->event->invocation;
    Outcome outcome = {.failed = frame->kind == FRAME_ERROR};
    outcome.is_handled = outcome.failed;
    outcome.status = outcome.failed ? status_error : status_success;
    if (frame->size > invocation->payload_limit || frame->size > frame->content.size)
        outcome = too_large(worker->event);
    else
        outcome.result = arena_copy(invocation->arena, frame->content);
    answered(worker, &outcome);
}

/* {"contentType"?, "prelude"?}. False: it is none. */
static bool parse_stream_start(Slice json, Arena *arena, Slice *content_type, Slice *prelude)
{
    JsonReader reader = json_reader(json, arena);
    Slice name;
    *content_type = *prelude = (Slice){0};
    if (json_begin_object(&reader) != OK)
        return false;
    while (json_next_member(&reader, &name) == OK) {
        if (name.data == NULL)
            return json_read_end(&reader) == OK;
        Error error = slice_equal(name, SLICE("contentType")) ? json_read_string(&reader, content_type)
                      : slice_equal(name, SLICE("prelude"))   ? json_read_any(&reader, prelude)
                                                              : json_read_any(&reader, &name);
        if (error != OK)
            return false;
    }
    return false;
}

/* A caller that wants it whole gets what AWS sends: the prelude, eight zero bytes, and the pieces (Lambda developer guide,
 * "Response streaming": HTTP integrations). */
static void gather_start(InvocationState *state, Slice prelude)
{
    state->gathered = buffer_make(state->invocation->arena);
    if (prelude.data == NULL)
        return;
    buffer_add(&state->gathered, prelude);
    buffer_add(&state->gathered, slice_make("\0\0\0\0\0\0\0", 8));
}

static void begin_stream(void *subject, void *detail)
{
    Worker *worker = subject;
    const Frame *frame = detail;
    InvocationState *state = worker->event;
    Arena scratch = arena_make();
    Slice content_type, prelude;
    if (frame->size > frame->content.size || !parse_stream_start(frame->content, &scratch, &content_type, &prelude)) {
        arena_free(&scratch);
        worker_lied(worker, "the start of a stream is no JSON");
        return;
    }
    if (state->invocation->streamed)
        delivery_start(state, content_type, prelude);
    else
        gather_start(state, prelude);
    arena_free(&scratch);
}

static void give_piece(void *subject, void *detail)
{
    Worker *worker = subject;
    const Frame *frame = detail;
    InvocationState *state = worker->event;
    state->piece_bytes += frame->content.size;
    if (state->piece_bytes > state->invocation->payload_limit)
        state->is_too_large = true;
    if (state->is_too_large || state->cancelled)
        return;
    if (!state->invocation->streamed) {
        buffer_add(&state->gathered, frame->content);
    } else if (!delivery_piece(state, frame->content)) {
        worker->reads_paused = true;
        worker_watch(worker);
    }
}

static void end_stream(void *subject, void *detail)
{
    Worker *worker = subject;
    const Frame *frame = detail;
    InvocationState *state = worker->event;
    Outcome outcome = {.status = status_success};
    if (state->is_too_large) {
        outcome = too_large(state);
    } else if (frame->kind == FRAME_STREAM_ERROR) {
        outcome = (Outcome){.result = arena_copy(state->invocation->arena, frame->content),
                            .failed = true,
                            .is_handled = true,
                            .status = status_error};
    } else if (!state->invocation->streamed) {
        outcome.result = buffer_slice(&state->gathered);
    }
    answered(worker, &outcome);
}

static void report_slow(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    Invocation *invocation = worker->event->invocation;
    Outcome outcome = {.failed = true, .status = status_timeout};
    outcome.result =
        report_timeout(invocation->request_id, worker->pool->spec.timeout_ms, invocation->arena, &outcome.cut_off);
    runtime_total(worker->runtime, TOTAL_TIMEOUTS, 1);
    InvocationState *state = worker_end_event(worker, &outcome);
    worker_shut_down(worker, SLICE("timeout"));
    delivery_done(state);
}

static void report_crash(Worker *worker, const WorkerExit *exit)
{
    Invocation *invocation = worker->event->invocation;
    Outcome outcome = {.failed = true, .status = status_error};
    outcome.result =
        report_exit(invocation->request_id, exit, invocation->arena, &outcome.cut_off, &outcome.error_type);
    invocation->memory_peak_bytes = worker_memory_with(worker, exit->memory_peak_bytes);
    runtime_total(worker->runtime, TOTAL_OUT_OF_MEMORY, exit->out_of_memory);
    delivery_done(worker_end_event(worker, &outcome));
}

/* Its exit: whoever waited for it is told. */
static void bury(void *subject, void *detail)
{
    Worker *worker = subject;
    WorkerExit told = *(const WorkerExit *)detail;
    const WorkerExit *exit = &told;
    if (worker->has_told)
        told.status = worker->told_status;
    pool_worker_leaves(worker);
    worker_drain_pipes(worker);
    if (worker->event != NULL && (worker->channel.part_count > 0 || worker->is_untaken))
        take_back(worker);
    else if (worker->event != NULL)
        report_crash(worker, exit);
    else if (worker->init_tail != NULL && !worker->leaving)
        died_in_init(worker, exit);
    worker_drop_settling(worker, status_error, SLICE("Runtime.ExitError"));
    dead(worker);
}

/* ---- The table ---- */

static const char *const state_names[WORKER_STATES] = {
    [WORKER_ORDERED] = "ORDERED",   [WORKER_INITIALIZING] = "INITIALIZING",
    [WORKER_TEMPLATE] = "TEMPLATE", [WORKER_IDLE] = "IDLE",
    [WORKER_BUSY] = "BUSY",         [WORKER_STREAMING] = "STREAMING",
    [WORKER_SETTLING] = "SETTLING", [WORKER_ENDING] = "ENDING",
    [WORKER_DEAD] = "DEAD",
};
static const char *const event_names[WORKER_EVENTS] = {
    [WORKER_SPAWNED] = "SPAWNED",       [WORKER_REFUSED] = "REFUSED",   [WORKER_READY] = "READY",
    [WORKER_INIT_ERROR] = "INIT_ERROR", [WORKER_SNAPSHOT] = "SNAPSHOT", [WORKER_GIVE] = "GIVE",
    [WORKER_ANSWER] = "ANSWER",         [WORKER_STREAM] = "STREAM",     [WORKER_PIECE] = "PIECE",
    [WORKER_STREAM_END] = "STREAM_END", [WORKER_GOODBYE] = "GOODBYE",   [WORKER_SETTLE] = "SETTLE",
    [WORKER_FAULT] = "FAULT",           [WORKER_LIE] = "LIE",           [WORKER_CLOSED] = "CLOSED",
    [WORKER_TIMEOUT] = "TIMEOUT",       [WORKER_STOP] = "STOP",         [WORKER_EXIT] = "EXIT",
};

/* clang-format off */
#define NEVER(state) {state, sm_never}
#define LIES {WORKER_ENDING, kill_liar}
static const SmStep worker_steps[WORKER_STATES][WORKER_EVENTS] = {
    /* There is no process yet: nothing can come from it. */
    [WORKER_ORDERED] = {
        [WORKER_SPAWNED] = {WORKER_INITIALIZING, begin_init},  [WORKER_REFUSED] = {WORKER_DEAD, start_refused},
        [WORKER_READY] = NEVER(WORKER_ORDERED),                [WORKER_INIT_ERROR] = NEVER(WORKER_ORDERED),
        [WORKER_SNAPSHOT] = NEVER(WORKER_ORDERED),             [WORKER_GIVE] = NEVER(WORKER_ORDERED),
        [WORKER_ANSWER] = NEVER(WORKER_ORDERED),               [WORKER_STREAM] = NEVER(WORKER_ORDERED),
        [WORKER_PIECE] = NEVER(WORKER_ORDERED),                [WORKER_STREAM_END] = NEVER(WORKER_ORDERED),
        [WORKER_GOODBYE] = NEVER(WORKER_ORDERED),              [WORKER_LIE] = NEVER(WORKER_ORDERED),
        [WORKER_SETTLE] = NEVER(WORKER_ORDERED), [WORKER_FAULT] = NEVER(WORKER_ORDERED),
        [WORKER_CLOSED] = NEVER(WORKER_ORDERED),               [WORKER_TIMEOUT] = NEVER(WORKER_ORDERED),
        [WORKER_STOP] = {WORKER_ORDERED, leave_later},         [WORKER_EXIT] = NEVER(WORKER_ORDERED),
    },
    [WORKER_INITIALIZING] = {
        [WORKER_SPAWNED] = NEVER(WORKER_INITIALIZING),         [WORKER_REFUSED] = NEVER(WORKER_INITIALIZING),
        [WORKER_READY] = {WORKER_IDLE, initialized},           [WORKER_INIT_ERROR] = {WORKER_ENDING, init_failed},
        [WORKER_SNAPSHOT] = {WORKER_TEMPLATE, snapshot_taken}, [WORKER_GIVE] = NEVER(WORKER_INITIALIZING),
        [WORKER_ANSWER] = LIES,                              [WORKER_STREAM] = LIES,
        [WORKER_PIECE] = LIES,                               [WORKER_STREAM_END] = LIES,
        [WORKER_GOODBYE] = {WORKER_ENDING, await_exit},        [WORKER_LIE] = LIES,
        [WORKER_SETTLE] = NEVER(WORKER_INITIALIZING), [WORKER_FAULT] = LIES,
        [WORKER_CLOSED] = {WORKER_ENDING, await_exit},         [WORKER_TIMEOUT] = {WORKER_ENDING, init_slow},
        [WORKER_STOP] = {WORKER_ENDING, stop_now},             [WORKER_EXIT] = {WORKER_DEAD, bury},
    },
    /* It has stopped reading events, and never gets one. */
    [WORKER_TEMPLATE] = {
        [WORKER_SPAWNED] = NEVER(WORKER_TEMPLATE),             [WORKER_REFUSED] = NEVER(WORKER_TEMPLATE),
        [WORKER_READY] = LIES,                               [WORKER_INIT_ERROR] = LIES,
        [WORKER_SNAPSHOT] = LIES,                            [WORKER_GIVE] = NEVER(WORKER_TEMPLATE),
        [WORKER_ANSWER] = LIES,                              [WORKER_STREAM] = LIES,
        [WORKER_PIECE] = LIES,                               [WORKER_STREAM_END] = LIES,
        [WORKER_GOODBYE] = {WORKER_ENDING, await_exit},        [WORKER_LIE] = LIES,
        [WORKER_SETTLE] = NEVER(WORKER_TEMPLATE), [WORKER_FAULT] = LIES,
        [WORKER_CLOSED] = {WORKER_ENDING, await_exit},         [WORKER_TIMEOUT] = NEVER(WORKER_TEMPLATE),
        [WORKER_STOP] = {WORKER_ENDING, kill_now},             [WORKER_EXIT] = {WORKER_DEAD, bury},
    },
    [WORKER_IDLE] = {
        [WORKER_SPAWNED] = NEVER(WORKER_IDLE),                 [WORKER_REFUSED] = NEVER(WORKER_IDLE),
        [WORKER_READY] = LIES,                               [WORKER_INIT_ERROR] = LIES,
        [WORKER_SNAPSHOT] = LIES,                            [WORKER_GIVE] = {WORKER_BUSY, send_event},
        [WORKER_ANSWER] = LIES,                              [WORKER_STREAM] = LIES,
        [WORKER_PIECE] = LIES,                               [WORKER_STREAM_END] = LIES,
        [WORKER_GOODBYE] = {WORKER_ENDING, await_exit},        [WORKER_LIE] = LIES,
        [WORKER_SETTLE] = {WORKER_SETTLING, worker_begin_settling}, [WORKER_FAULT] = {WORKER_ENDING, await_exit},
        [WORKER_CLOSED] = {WORKER_ENDING, await_exit},         [WORKER_TIMEOUT] = NEVER(WORKER_IDLE),
        [WORKER_STOP] = {WORKER_ENDING, stop_now},             [WORKER_EXIT] = {WORKER_DEAD, bury},
    },
    [WORKER_BUSY] = {
        [WORKER_SPAWNED] = NEVER(WORKER_BUSY),                 [WORKER_REFUSED] = NEVER(WORKER_BUSY),
        [WORKER_READY] = LIES,                               [WORKER_INIT_ERROR] = LIES,
        [WORKER_SNAPSHOT] = LIES,                            [WORKER_GIVE] = NEVER(WORKER_BUSY),
        [WORKER_ANSWER] = {WORKER_IDLE, give_answer},          [WORKER_STREAM] = {WORKER_STREAMING, begin_stream},
        [WORKER_PIECE] = LIES,                               [WORKER_STREAM_END] = LIES,
        [WORKER_GOODBYE] = {WORKER_BUSY, leave_later},         [WORKER_LIE] = LIES,
        [WORKER_SETTLE] = NEVER(WORKER_BUSY), [WORKER_FAULT] = {WORKER_ENDING, worker_take_fault},
        [WORKER_CLOSED] = {WORKER_ENDING, await_exit},         [WORKER_TIMEOUT] = {WORKER_ENDING, report_slow},
        [WORKER_STOP] = {WORKER_BUSY, leave_later},            [WORKER_EXIT] = {WORKER_DEAD, bury},
    },
    [WORKER_STREAMING] = {
        [WORKER_SPAWNED] = NEVER(WORKER_STREAMING),            [WORKER_REFUSED] = NEVER(WORKER_STREAMING),
        [WORKER_READY] = LIES,                               [WORKER_INIT_ERROR] = LIES,
        [WORKER_SNAPSHOT] = LIES,                            [WORKER_GIVE] = NEVER(WORKER_STREAMING),
        [WORKER_ANSWER] = LIES,                              [WORKER_STREAM] = LIES,
        [WORKER_PIECE] = {WORKER_STREAMING, give_piece},       [WORKER_STREAM_END] = {WORKER_IDLE, end_stream},
        [WORKER_GOODBYE] = {WORKER_STREAMING, leave_later},    [WORKER_LIE] = LIES,
        [WORKER_SETTLE] = NEVER(WORKER_STREAMING), [WORKER_FAULT] = {WORKER_ENDING, worker_take_fault},
        [WORKER_CLOSED] = {WORKER_ENDING, await_exit},         [WORKER_TIMEOUT] = {WORKER_ENDING, report_slow},
        [WORKER_STOP] = {WORKER_STREAMING, leave_later},       [WORKER_EXIT] = {WORKER_DEAD, bury},
    },
    /* The caller has its answer; the event's time goes on. */
    [WORKER_SETTLING] = {
        [WORKER_SPAWNED] = NEVER(WORKER_SETTLING),             [WORKER_REFUSED] = NEVER(WORKER_SETTLING),
        [WORKER_READY] = {WORKER_IDLE, worker_end_settling},   [WORKER_INIT_ERROR] = LIES,
        [WORKER_SNAPSHOT] = LIES,                            [WORKER_GIVE] = NEVER(WORKER_SETTLING),
        [WORKER_ANSWER] = LIES,                              [WORKER_STREAM] = LIES,
        [WORKER_PIECE] = LIES,                               [WORKER_STREAM_END] = LIES,
        [WORKER_GOODBYE] = {WORKER_SETTLING, leave_later},     [WORKER_LIE] = LIES,
        [WORKER_SETTLE] = NEVER(WORKER_SETTLING), [WORKER_FAULT] = {WORKER_ENDING, worker_take_fault},
        [WORKER_CLOSED] = {WORKER_ENDING, await_exit},         [WORKER_TIMEOUT] = {WORKER_ENDING, worker_settling_slow},
        [WORKER_STOP] = {WORKER_SETTLING, leave_later},        [WORKER_EXIT] = {WORKER_DEAD, bury},
    },
    /* Nothing is read of it any more; an invocation that it still has is answered with how it ended. */
    [WORKER_ENDING] = {
        [WORKER_SPAWNED] = NEVER(WORKER_ENDING),               [WORKER_REFUSED] = NEVER(WORKER_ENDING),
        [WORKER_READY] = NEVER(WORKER_ENDING),                 [WORKER_INIT_ERROR] = NEVER(WORKER_ENDING),
        [WORKER_SNAPSHOT] = NEVER(WORKER_ENDING),              [WORKER_GIVE] = NEVER(WORKER_ENDING),
        [WORKER_ANSWER] = NEVER(WORKER_ENDING),                [WORKER_STREAM] = NEVER(WORKER_ENDING),
        [WORKER_PIECE] = NEVER(WORKER_ENDING),                 [WORKER_STREAM_END] = NEVER(WORKER_ENDING),
        [WORKER_GOODBYE] = NEVER(WORKER_ENDING),               [WORKER_LIE] = NEVER(WORKER_ENDING),
        [WORKER_SETTLE] = NEVER(WORKER_ENDING), [WORKER_FAULT] = NEVER(WORKER_ENDING),
        [WORKER_CLOSED] = {WORKER_ENDING, sm_nothing},         [WORKER_TIMEOUT] = {WORKER_ENDING, kill_again},
        [WORKER_STOP] = {WORKER_ENDING, sm_nothing},           [WORKER_EXIT] = {WORKER_DEAD, bury},
    },
    /* It is freed on the way here. */
    [WORKER_DEAD] = {
        [WORKER_SPAWNED] = NEVER(WORKER_DEAD),                 [WORKER_REFUSED] = NEVER(WORKER_DEAD),
        [WORKER_READY] = NEVER(WORKER_DEAD),                   [WORKER_INIT_ERROR] = NEVER(WORKER_DEAD),
        [WORKER_SNAPSHOT] = NEVER(WORKER_DEAD),                [WORKER_GIVE] = NEVER(WORKER_DEAD),
        [WORKER_ANSWER] = NEVER(WORKER_DEAD),                  [WORKER_STREAM] = NEVER(WORKER_DEAD),
        [WORKER_PIECE] = NEVER(WORKER_DEAD),                   [WORKER_STREAM_END] = NEVER(WORKER_DEAD),
        [WORKER_GOODBYE] = NEVER(WORKER_DEAD),                 [WORKER_LIE] = NEVER(WORKER_DEAD),
        [WORKER_SETTLE] = NEVER(WORKER_DEAD), [WORKER_FAULT] = NEVER(WORKER_DEAD),
        [WORKER_CLOSED] = NEVER(WORKER_DEAD),                  [WORKER_TIMEOUT] = NEVER(WORKER_DEAD),
        [WORKER_STOP] = NEVER(WORKER_DEAD),                    [WORKER_EXIT] = NEVER(WORKER_DEAD),
    },
};
#undef NEVER
#undef LIES
/* clang-format on */

const SmTable worker_table = {
    .name = "worker",
    .states = state_names,
    .events = event_names,
    .state_count = WORKER_STATES,
    .event_count = WORKER_EVENTS,
    .steps = &worker_steps[0][0],
};

void worker_step(Worker *worker, WorkerEvent event, void *detail)
{
    sm_step(&worker_table, worker->runtime->options.server_log, worker->number, &worker->state, event, worker, detail);
}

void worker_lied(Worker *worker, const char *what)
{
    worker->lie = what;
    worker_step(worker, WORKER_LIE, NULL);
}

void worker_stop(Worker *worker)
{
    worker->leaving = true;
    worker_step(worker, WORKER_STOP, NULL);
}

void worker_exited(Worker *worker, const WorkerExit *exit)
{
    /* Its last words may lie in its channel, while the news of its end has come first. */
    worker_drain_channel(worker);
    worker_step(worker, WORKER_EXIT, (void *)exit);
}

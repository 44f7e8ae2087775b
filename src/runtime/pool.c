/* Which worker an invocation gets, and when one is started or let go.
 *
 * An invocation takes the idle worker that was used last; where there is none it waits, and one worker is started for it.
 * Whatever worker of the pool is free first takes whoever has waited longest. So there are never more starts under way
 * than invocations that wait. Where handlers are quick, some wait for a busy worker instead, for a moment: pool_brisk.c. */
#include "base/bug.h"
#include "base/json.h"
#include "os/os_probe.h"
#include "runtime/report.h"
#include "runtime/runtime_internal.h"

#include <stdlib.h>

enum {
    ATTEMPTS_MAX = 3,          /* workers that may not come, or go before they have the event */
    PROVISION_PAUSE_MS = 1000, /* before a start that failed is tried again; then twice as long */
    PROVISION_PAUSE_MAX_MS = 60000,
};

static uint64_t now_ns(const Runtime *runtime)
{
    return os_monotonic_ns(runtime->os);
}

void pool_count(Pool *pool, CountName name, int change)
{
    Counts *const all[] = {&pool->runtime->counts, &pool->line->counts, &pool->line->function->counts};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        atomic_fetch_add_explicit(&all[i]->value[name], (uint64_t)(int64_t)change, memory_order_relaxed);
}

/* ---- Starting ---- */

/* Whether one more may be: the longest idle one goes for it. */
static bool make_place(Runtime *runtime)
{
    uint64_t workers = atomic_load_explicit(&runtime->counts.value[COUNT_WORKERS], memory_order_relaxed);
    if (workers < runtime_limit(runtime, LIMIT_RUNTIME_WORKERS))
        return true;
    LIST_FOR_EACH(&runtime->idle, node)
    {
        Worker *worker = CONTAINER_OF(node, Worker, in_all_idle);
        if (!worker->is_provisioned) {
            worker_stop(worker);
            return true;
        }
    }
    return false;
}

/* False: nothing can be started now. */
static bool start_one(Pool *pool, bool is_provisioned, bool is_retry)
{
    WorkerStart start = {.is_provisioned = is_provisioned, .is_retry = is_retry};
    if (pool->spec.snap_start) {
        if (pool->template_ == NULL && make_place(pool->runtime))
            worker_start(pool, &(WorkerStart){.is_template = true});
        if (pool->template_ == NULL || pool->template_->state != WORKER_TEMPLATE)
            return false; /* pool_template_ready goes on */
        start.snapshot_of = pool->template_->id;
    }
    if (!make_place(pool->runtime))
        return false;
    worker_start(pool, &start);
    return true;
}

static InvocationState *first_waiting(const Pool *pool)
{
    ListNode *node = list_first(&pool->waiting);
    return node == NULL ? NULL : CONTAINER_OF(node, InvocationState, waiting);
}

static void stop_waiting(InvocationState *state)
{
    if (state->is_patient)
        brisk_leave(state);
    list_remove(&state->waiting);
    state->pool->waiting_count--;
    pool_count(state->pool, COUNT_WAITING, -1);
}

static void wait_for_worker(InvocationState *state, bool in_front)
{
    Pool *pool = state->pool;
    if (in_front)
        list_push_front(&pool->waiting, &state->waiting);
    else if (brisk_is_full(pool) || pool->patient_count > 0)
        brisk_wait(state);
    else
        list_push_back(&pool->waiting, &state->waiting);
    pool->waiting_count++;
    pool_count(pool, COUNT_WAITING, 1);
}

/* Those for which workers are started. */
static size_t wanted(const Pool *pool)
{
    return pool->waiting_count - pool->patient_count;
}

/* The one that came last has to be told that there is no place. */
static void refuse_last(Pool *pool)
{
    InvocationState *state = CONTAINER_OF(pool->waiting.previous, InvocationState, waiting);
    stop_waiting(state);
    function_stats_add(&pool->line->stats->throttles, 1);
    pool_refuse(state, INVOKE_ACCOUNT_CONCURRENCY,
                SLICE("the server runs as many workers as it may: raise the limit RUNTIME_WORKERS"));
}

static bool awaits_template(const Pool *pool)
{
    return pool->spec.snap_start && pool->template_ != NULL;
}

static void start_wanted(Pool *pool)
{
    while (pool->coming < wanted(pool)) {
        if (start_one(pool, false, false))
            continue;
        if (awaits_template(pool) || wanted(pool) == 0)
            return;
        refuse_last(pool);
    }
}

static void start_provisioned(Pool *pool)
{
    if (now_ns(pool->runtime) < pool->provision_at_ns || pool->runtime->draining)
        return;
    while (pool->provisioned_workers < pool->provisioned && now_ns(pool->runtime) >= pool->provision_at_ns)
        if (!start_one(pool, true, false))
            return;
}

void pool_template_ready(Worker *worker)
{
    Pool *pool = worker->pool;
    worker->is_starting = false;
    pool_count(pool, COUNT_STARTING, -1);
    start_wanted(pool);
    start_provisioned(pool);
}

/* ---- Idle workers ---- */

static bool is_stale(const Worker *worker)
{
    return now_ns(worker->runtime) >= worker->stale_at_ns;
}

static Worker *take_idle(Pool *pool)
{
    ListNode *node;
    while ((node = list_first(&pool->idle)) != NULL) {
        Worker *worker = CONTAINER_OF(node, Worker, in_idle);
        list_remove(&worker->in_idle);
        list_remove(&worker->in_all_idle);
        if (!is_stale(worker))
            return worker;
        worker_stop(worker);
    }
    return NULL;
}

/* Who gets the next worker that is free; nobody, when enough of them are at work for those that are patient. */
static InvocationState *next_waiting(const Pool *pool)
{
    InvocationState *state = first_waiting(pool);
    ListNode *node = list_first(&pool->patient);
    if (state != NULL || node == NULL || brisk_holds_back(pool))
        return state;
    return CONTAINER_OF(node, InvocationState, waiting);
}

void pool_serve(Pool *pool)
{
    Worker *worker;
    InvocationState *state;
    /* Of a worker that turns out to be gone an invocation comes back here from within worker_give: one turn serves it, too,
     * however many are gone. */
    if (pool->is_serving)
        return;
    pool->is_serving = true;
    while ((state = next_waiting(pool)) != NULL && (worker = take_idle(pool)) != NULL) {
        stop_waiting(state);
        worker_give(worker, state);
    }
    pool->is_serving = false;
    brisk_let_go(pool);
    start_wanted(pool);
}

static void end_start(Worker *worker)
{
    if (worker->is_coming)
        worker->pool->coming--;
    if (worker->is_starting)
        pool_count(worker->pool, COUNT_STARTING, -1);
    worker->is_coming = worker->is_starting = false;
}

static void keep_provisioned(Worker *worker)
{
    Pool *pool = worker->pool;
    worker->is_kept = true;
    pool->provision_pause_ms = 0;
    pool_count(pool, COUNT_PROVISIONED_READY, 1);
    pool_set_problem(pool, (Slice){0});
}

void pool_worker_ready(Worker *worker)
{
    Pool *pool = worker->pool;
    Runtime *runtime = pool->runtime;
    end_start(worker);
    if (worker->is_provisioned && !worker->is_kept)
        keep_provisioned(worker);
    InvocationState *state = next_waiting(pool);
    if (state != NULL) {
        if (worker->is_retry && state->init_failed)
            state->spent_us = worker->init_us;
        stop_waiting(state);
        worker_give(worker, state);
        return;
    }
    if ((pool->retired && !worker->is_provisioned) || is_stale(worker)) {
        worker_stop(worker);
        return;
    }
    worker->idle_since_ns = now_ns(runtime);
    list_push_front(&pool->idle, &worker->in_idle);
    list_push_back(&runtime->idle, &worker->in_all_idle);
}

void pool_worker_leaves(Worker *worker)
{
    Pool *pool = worker->pool;
    list_remove(&worker->in_idle);
    list_remove(&worker->in_all_idle);
    if (pool->template_ == worker)
        pool->template_ = NULL;
    if (worker->is_kept)
        pool_count(pool, COUNT_PROVISIONED_READY, -1);
    if (worker->is_provisioned)
        pool->provisioned_workers--;
    worker->is_provisioned = worker->is_kept = false;
    if (worker->leaving)
        end_start(worker);
}

void pool_worker_dead(Worker *worker)
{
    Pool *pool = worker->pool;
    pool_worker_leaves(worker);
    end_start(worker);
    list_remove(&worker->in_pool);
    pool_count(pool, COUNT_WORKERS, -1);
    pool_serve(pool);
    start_provisioned(pool);
    if (pool->runtime->drained != NULL && pool->runtime->running == 0)
        runtime_drained(pool->runtime);
}

/* ---- Starts that failed ---- */

static Slice text_of(Slice document, Slice member, Arena *arena)
{
    JsonReader reader = json_reader(document, arena);
    Slice name, text;
    if (json_begin_object(&reader) != OK)
        return (Slice){0};
    while (json_next_member(&reader, &name) == OK && name.data != NULL) {
        if (slice_equal(name, member))
            return json_read_string(&reader, &text) == OK ? text : (Slice){0};
        if (json_read_any(&reader, &text) != OK)
            break;
    }
    return (Slice){0};
}

/* What the caller gets, and what the log says of the init phase. */
static Outcome outcome_of_start(const Pool *pool, const StartFailure *failure, Slice request_id, Arena *arena)
{
    Outcome outcome = {.failed = true, .status = SLICE("error")};
    switch (failure->problem) {
    case START_ERROR:
        outcome.result = arena_copy(arena, failure->document);
        outcome.error_type = text_of(outcome.result, SLICE("errorType"), arena);
        outcome.is_handled = true;
        /* Where there is no program, nobody but the platform can say so. */
        if (slice_equal(outcome.error_type, SLICE("Runtime.InvalidEntrypoint")) ||
            slice_starts_with(outcome.error_type, SLICE("Extension."))) {
            outcome.is_handled = false;
            outcome.cut_off = arena_format(arena, "RequestId: %.*s Error: %.*s", SLICE_PRINT(request_id),
                                           SLICE_PRINT(text_of(outcome.result, SLICE("errorMessage"), arena)));
            outcome.result = report_document(outcome.error_type, outcome.cut_off, arena);
        }
        break;
    case START_EXITED:
        outcome.result = report_exit(request_id, failure->exit, arena, &outcome.cut_off, &outcome.error_type);
        break;
    case START_TIMED_OUT:
        outcome.status = SLICE("timeout");
        outcome.result = report_timeout(request_id, pool->spec.timeout_ms, arena, &outcome.cut_off);
        break;
    case START_REFUSED:
        UNREACHABLE();
    }
    return outcome;
}

static void log_failed_init(Worker *worker, const StartFailure *failure, InvocationState *state)
{
    Arena scratch = arena_make();
    Outcome outcome = outcome_of_start(worker->pool, failure, SLICE(""), &scratch);
    Report report = {.spec = &worker->pool->spec,
                     .wall_ms = os_wall_ms(worker->runtime->os),
                     .init_us = worker->init_us,
                     .status = outcome.status,
                     .error_type = outcome.error_type};
    Slice phase = worker->order.snapshot_of != 0 ? SLICE("restore")
                  : worker->is_retry             ? SLICE("invoke")
                                                 : SLICE("init");
    worker_log_platform(worker, state, report_init_failed(&report, phase, &scratch));
    arena_free(&scratch);
}

/* The invocation is answered with what its worker's init phase came to; what was logged there is in its log. */
static void answer_failed_init(Worker *worker, const StartFailure *failure, InvocationState *state)
{
    Invocation *invocation = state->invocation;
    Report report = {
        .spec = &worker->pool->spec, .request_id = invocation->request_id, .wall_ms = os_wall_ms(worker->runtime->os)};
    Outcome outcome = outcome_of_start(worker->pool, failure, invocation->request_id, invocation->arena);
    stop_waiting(state);
    state->worker = worker;
    if (worker->is_retry)
        state->spent_us = worker->init_us;
    else
        state->init_us = worker->init_us;
    worker_log_platform(worker, state, report_start(&report, invocation->arena));
    if (worker->init_tail != NULL) {
        char *bytes = arena_alloc(invocation->arena, LOG_TAIL_BYTES);
        log_tail_add(&state->tail, slice_make(bytes, log_tail_copy(worker->init_tail, bytes)));
    }
    if (failure->problem == START_TIMED_OUT)
        runtime_total(worker->runtime, TOTAL_TIMEOUTS, 1);
    if (failure->problem == START_EXITED)
        runtime_total(worker->runtime, TOTAL_OUT_OF_MEMORY, failure->exit->out_of_memory);
    pool_report(state, &outcome);
    state->worker = NULL;
    delivery_done(state);
}

static void pause_provisioning(Pool *pool, const StartFailure *failure)
{
    Slice problem = failure->problem == START_REFUSED     ? failure->message
                    : failure->problem == START_TIMED_OUT ? SLICE("its init phase took too long")
                    : failure->problem == START_EXITED    ? SLICE("its init phase ended with an exit")
                                                          : failure->document;
    pool_set_problem(pool, problem);
    pool->provision_pause_ms = pool->provision_pause_ms == 0 ? PROVISION_PAUSE_MS : pool->provision_pause_ms * 2;
    if (pool->provision_pause_ms > PROVISION_PAUSE_MAX_MS)
        pool->provision_pause_ms = PROVISION_PAUSE_MAX_MS;
    pool->provision_at_ns = now_ns(pool->runtime) + pool->provision_pause_ms * 1000000;
}

static void refuse_waiting(Pool *pool, const StartFailure *failure, bool all)
{
    InvocationState *state;
    while (wanted(pool) > pool->coming && (state = first_waiting(pool)) != NULL) {
        stop_waiting(state);
        pool_refuse(state, failure->refusal, failure->message);
        if (!all)
            return;
    }
}

/* The process that starts workers may have ended just then, and be there again. */
static bool try_again(const Worker *worker, const StartFailure *failure, InvocationState *state)
{
    return failure->refusal == INVOKE_FAILED && !worker->is_template && ++state->attempts < ATTEMPTS_MAX &&
           (start_one(worker->pool, false, worker->is_retry) || awaits_template(worker->pool));
}

void pool_start_failed(Worker *worker, const StartFailure *failure)
{
    Pool *pool = worker->pool;
    bool is_retry = worker->is_retry;
    end_start(worker);
    if (pool->template_ == worker)
        pool->template_ = NULL;
    if (worker->is_provisioned)
        pause_provisioning(pool, failure);
    /* Whoever waits and has no other worker on its way hears of it. */
    InvocationState *state = wanted(pool) > pool->coming ? first_waiting(pool) : NULL;
    if (failure->problem == START_REFUSED) {
        if (state != NULL && try_again(worker, failure, state))
            return;
        refuse_waiting(pool, failure, worker->is_template);
        return;
    }
    log_failed_init(worker, failure, NULL);
    if (state == NULL)
        return;
    /* "Understanding the Lambda execution environment lifecycle": an init phase that takes more than ten seconds is tried
     * again with the invocation, within the function's own timeout. */
    if (failure->problem == START_TIMED_OUT && !is_retry && !state->init_failed && !worker->is_template &&
        worker->order.snapshot_of == 0) {
        state->init_failed = true;
        if (start_one(pool, false, true))
            return;
    }
    answer_failed_init(worker, failure, state);
}

/* ---- Invocations ---- */

static void write_member(JsonWriter *writer, Slice name, Slice value, bool is_json)
{
    if (value.data == NULL)
        return;
    json_write_name(writer, name);
    if (is_json)
        json_write_raw(writer, value);
    else
        json_write_string(writer, value);
}

void pool_write_event(InvocationState *state)
{
    Invocation *invocation = state->invocation;
    Runtime *runtime = state->runtime;
    uint64_t timeout_ms = state->pool->spec.timeout_ms - state->spent_us / 1000;
    Buffer out = buffer_make(invocation->arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_member(&writer, SLICE("requestId"), invocation->request_id, false);
    json_write_name(&writer, SLICE("deadlineMs"));
    json_write_uint64(&writer, os_wall_ms(runtime->os) + timeout_ms);
    write_member(&writer, SLICE("functionArn"), invocation->function_arn, false);
    write_member(&writer, SLICE("trace"), invocation->trace, false);
    write_member(&writer, SLICE("clientContext"), invocation->client_context, true);
    write_member(&writer, SLICE("identity"), invocation->identity, true);
    write_member(&writer, SLICE("tenantId"), invocation->tenant_id, false);
    json_write_name(&writer, SLICE("streamed"));
    json_write_boolean(&writer, invocation->streamed);
    json_write_object_end(&writer);
    state->event = buffer_slice(&out);
}

static void find_worker(InvocationState *state, bool in_front)
{
    wait_for_worker(state, in_front);
    pool_serve(state->pool);
}

static bool has_place(const InvocationState *state, InvokeRefusal *refusal)
{
    const Invocation *invocation = state->invocation;
    if (invocation->reserved != UINT64_MAX) {
        *refusal = INVOKE_FUNCTION_CONCURRENCY;
        return state->pool->line->function->running < invocation->reserved;
    }
    *refusal = INVOKE_ACCOUNT_CONCURRENCY;
    return state->pool->account->running < invocation->unreserved;
}

static void refuse_now(InvocationState *state, InvokeRefusal refusal)
{
    state->is_refused = true;
    state->invocation->refusal = refusal;
    delivery_done(state);
}

void pool_invoke(Runtime *runtime, Invocation *invocation)
{
    InvocationState *state = invocation->state;
    InvokeRefusal refusal;
    if (runtime->draining) {
        refuse_now(state, INVOKE_STOPPING);
        return;
    }
    state->pool = pool_find(runtime, invocation->spec, invocation->tenant_id);
    state->pool->used_ns = state->came_ns = now_ns(runtime);
    if (!has_place(state, &refusal)) {
        function_stats_add(&state->pool->line->stats->throttles, 1);
        refuse_now(state, refusal);
        return;
    }
    state->is_unreserved = invocation->reserved == UINT64_MAX;
    state->pool->line->function->running++;
    state->pool->account->running += state->is_unreserved;
    runtime->running++;
    function_stats_add(&state->pool->line->stats->invocations, 1);
    function_stats_add(&state->pool->line->stats->concurrency, 1);
    find_worker(state, false);
}

void pool_again(InvocationState *state, const Worker *from)
{
    state->worker = NULL;
    state->tail.total = 0;
    /* Those that were there before it may all have ended at once, with the process that had started them: that says nothing
     * of the function, and there are only so many. */
    bool is_new = from->started_ns >= state->came_ns;
    if (is_new && ++state->attempts >= ATTEMPTS_MAX)
        pool_refuse(state, INVOKE_FAILED, SLICE("workers of the function end before they take an event"));
    else
        find_worker(state, true);
}

/* It no longer counts. */
static void leave(InvocationState *state)
{
    Runtime *runtime = state->runtime;
    state->pool->line->function->running--;
    state->pool->account->running -= state->is_unreserved;
    function_stats_add(&state->pool->line->stats->concurrency, -1);
    state->pool->used_ns = now_ns(runtime);
    if (--runtime->running == 0 && runtime->drained != NULL)
        runtime_drained(runtime);
}

void pool_refuse(InvocationState *state, InvokeRefusal refusal, Slice message)
{
    leave(state);
    state->invocation->message = arena_copy(state->invocation->arena, message);
    refuse_now(state, refusal);
}

void pool_report(InvocationState *state, const Outcome *outcome)
{
    Invocation *invocation = state->invocation;
    Worker *worker = state->worker;
    uint64_t ran_us = state->begun_ns == 0 ? 0 : (now_ns(state->runtime) - state->begun_ns) / 1000;
    invocation->duration_us = ran_us + state->spent_us;
    invocation->init_us = state->init_us;
    invocation->billed_ms = report_billed_ms(invocation->duration_us, state->init_us);
    if (invocation->memory_peak_bytes == 0)
        invocation->memory_peak_bytes = worker_memory_peak(worker, ran_us * 1000);
    invocation->result = outcome->result;
    invocation->failed = outcome->failed;
    invocation->is_handled = outcome->is_handled;
    Report report = {
        .spec = &worker->pool->spec,
        .request_id = invocation->request_id,
        .wall_ms = os_wall_ms(state->runtime->os),
        .duration_us = invocation->duration_us,
        .billed_ms = invocation->billed_ms,
        .init_us = state->init_us,
        .restore_us = state->restore_us,
        .memory_peak_bytes = invocation->memory_peak_bytes,
        .status = outcome->status,
        .error_type = outcome->error_type,
    };
    if (outcome->cut_off.data != NULL)
        worker_log_platform(worker, state, report_cut_off(&report, outcome->cut_off, invocation->arena));
    if (worker->has_extensions && (worker->state == WORKER_IDLE)) {
        /* Whoever asked is told as much as is known when they are answered; the log, when the extensions are done. */
        log_tail_add(&state->tail, report_end(&report, invocation->arena));
        log_tail_add(&state->tail, report_report(&report, invocation->arena));
        worker_hold_report(worker, &report, state->begun_ns);
    } else {
        worker_log_platform(worker, state, report_end(&report, invocation->arena));
        worker_log_platform(worker, state, report_report(&report, invocation->arena));
    }
    char *tail = arena_alloc(invocation->arena, LOG_TAIL_BYTES);
    invocation->log_tail = slice_make(tail, log_tail_copy(&state->tail, tail));
    FunctionStats *stats = state->pool->line->stats;
    function_stats_add(&stats->errors, outcome->failed);
    function_stats_took(&stats->duration, invocation->duration_us);
    if (state->init_us > 0)
        function_stats_took(&stats->init, state->init_us);
    leave(state);
}

void pool_cancel(InvocationState *state)
{
    state->cancelled = true;
    if (list_is_linked(&state->waiting)) {
        stop_waiting(state);
        pool_refuse(state, INVOKE_GONE, (Slice){0});
    } else if (state->worker != NULL && state->worker->reads_paused) {
        worker_resume(state->worker);
    }
}

/* ---- Provisioned concurrency ---- */

void pool_keep_provisioned(Pool *pool, uint64_t count)
{
    pool_count(pool, COUNT_PROVISIONED, (int)(count - pool->provisioned));
    pool->provisioned = count;
    LIST_FOR_EACH(&pool->workers, node)
    {
        Worker *worker = CONTAINER_OF(node, Worker, in_pool);
        if (pool->provisioned_workers <= count)
            break;
        if (!worker->is_provisioned)
            continue;
        if (worker->is_kept)
            pool_count(pool, COUNT_PROVISIONED_READY, -1);
        worker->is_provisioned = worker->is_kept = false; /* from now on it may go when it is idle for long */
        pool->provisioned_workers--;
    }
}

void pool_provision(Runtime *runtime, const WorkerSpec *spec, uint64_t count)
{
    Pool *pool = pool_find(runtime, spec, (Slice){0});
    pool_keep_provisioned(pool, count);
    pool->provision_at_ns = 0;
    pool_set_problem(pool, (Slice){0});
    start_provisioned(pool);
}

/* ---- Letting go ---- */

static void stop_idle(Runtime *runtime)
{
    uint64_t now = now_ns(runtime);
    uint64_t idle_ns = runtime_limit(runtime, LIMIT_RUNTIME_WORKER_IDLE_MS) * 1000000;
    bool is_scarce = os_probe_memory_available() < runtime_limit(runtime, LIMIT_RUNTIME_FREE_MEMORY_BYTES);
    size_t may_go = 0; /* of those that are not idle for long: half of them, when memory is scarce */
    LIST_FOR_EACH(&runtime->idle, counted)
    {
        (void)counted;
        may_go += is_scarce;
    }
    may_go = (may_go + 1) / 2;
    LIST_FOR_EACH(&runtime->idle, node)
    {
        Worker *worker = CONTAINER_OF(node, Worker, in_all_idle);
        bool is_long_idle = now - worker->idle_since_ns >= idle_ns;
        if (is_stale(worker) || (!worker->is_provisioned && (is_long_idle || may_go > 0))) {
            may_go -= may_go > 0;
            worker_stop(worker);
        }
    }
}

bool pool_has_copies(const Pool *pool)
{
    return pool->template_ != NULL && pool->workers.next != pool->workers.previous;
}

static void sweep_pool(Pool *pool, uint64_t idle_ns)
{
    start_provisioned(pool);
    if (pool->retired)
        pool_stop_idle(pool);
    /* Copies end with it. */
    Worker *template_ = pool_has_copies(pool) ? NULL : pool->template_;
    bool is_unused = now_ns(pool->runtime) - pool->used_ns >= idle_ns;
    if (template_ != NULL && (is_unused || pool->retired) && template_->state == WORKER_TEMPLATE)
        worker_stop(template_);
    if (list_is_empty(&pool->workers) && pool->waiting_count == 0 && pool->provisioned == 0 &&
        (is_unused || pool->retired))
        pool_free(pool);
}

void pool_sweep(Runtime *runtime)
{
    uint64_t idle_ns = runtime_limit(runtime, LIMIT_RUNTIME_WORKER_IDLE_MS) * 1000000;
    stop_idle(runtime);
    LIST_FOR_EACH(&runtime->all_pools, node)
    {
        sweep_pool(CONTAINER_OF(node, Pool, in_all), idle_ns);
    }
}

void pool_close_all(Runtime *runtime)
{
    LIST_FOR_EACH(&runtime->all_pools, node)
    {
        Pool *pool = CONTAINER_OF(node, Pool, in_all);
        LIST_FOR_EACH(&pool->workers, worker)
        {
            worker_abandon(CONTAINER_OF(worker, Worker, in_pool));
        }
        pool_free(pool);
    }
}

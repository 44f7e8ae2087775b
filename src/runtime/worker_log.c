/* What a worker logs, and what the platform says of it: to the log, and into the tail of whoever runs there. */
#include "runtime/report.h"
#include "runtime/runtime_internal.h"

static void deliver(Worker *worker, const InvocationState *state, uint64_t wall_ms, Slice text)
{
    const FunctionLog *log = &worker->runtime->options.log;
    if (log->event == NULL)
        return;
    Slice request_id = state == NULL ? (Slice){0} : state->invocation->request_id;
    log->event(log->user, &worker->pool->spec, worker->log_stream, wall_ms, request_id, text);
}

void worker_log_platform(Worker *worker, InvocationState *state, Slice text)
{
    if (text.data == NULL)
        return;
    if (state != NULL)
        log_tail_add(&state->tail, text);
    deliver(worker, state, os_wall_ms(worker->runtime->os), text);
}

static void tell_missed(Worker *worker, uint64_t missed, uint64_t wall_ms)
{
    Arena scratch = arena_make();
    Report report = {.spec = &worker->pool->spec, .wall_ms = wall_ms};
    worker_log_platform(worker, worker->event, report_logs_dropped(&report, missed, &scratch));
    arena_free(&scratch);
}

/* Events that runtimes format themselves come without the end of their line. */
static void add_event(LogTail *tail, Slice text)
{
    log_tail_add(tail, text);
    if (!slice_ends_with(text, SLICE("\n")))
        log_tail_add(tail, SLICE("\n"));
}

void worker_log(Worker *worker, Slice text)
{
    uint64_t missed;
    uint64_t wall_ms = os_wall_ms(worker->runtime->os);
    uint64_t per_second = runtime_limit(worker->runtime, LIMIT_RUNTIME_LOG_EVENTS);
    bool allowed = log_rate_allows(&worker->log_rate, wall_ms, per_second, &missed);
    if (missed > 0)
        tell_missed(worker, missed, wall_ms);
    if (!allowed) {
        runtime_total(worker->runtime, TOTAL_LOG_DROPPED, 1);
        return;
    }
    if (worker->event != NULL)
        add_event(&worker->event->tail, text);
    else if (worker->init_tail != NULL)
        add_event(worker->init_tail, text);
    deliver(worker, worker->event, wall_ms, text);
}

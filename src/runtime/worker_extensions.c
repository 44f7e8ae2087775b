/* What its extensions add to a worker's life: it takes the next event when they are done with the last one, whose time goes
 * on until then (AWS Lambda developer guide, "Using the Lambda Extensions API": the Invoke phase ends when the runtime and
 * all extensions have asked for the next event); one that fails ends it; and it has a shutdown phase. */
#include "base/bug.h"
#include "base/json.h"
#include "runtime/runtime_internal.h"

#include <stdlib.h>

enum {
    /* A worker that closed its channel is ending; one that does not end by itself is ended. */
    EXIT_GRACE_MS = 200,
};

/* What outlives the invocation, which is its caller's again. */
typedef struct Settling {
    char request_id[64];
    char status[16];
    char error_type[64];
    Report report;
    uint64_t begun_ns;
    uint64_t before_us; /* of its duration, before its worker got the event */
} Settling;

static Slice keep(char *place, size_t room, Slice text)
{
    if (text.data == NULL)
        return text;
    size_t size = text.size < room ? text.size : room;
    memcpy(place, text.data, size);
    return slice_make(place, size);
}

static uint64_t ran_us(const Worker *worker, uint64_t begun_ns)
{
    return begun_ns == 0 ? 0 : (os_monotonic_ns(worker->runtime->os) - begun_ns) / 1000;
}

void worker_hold_report(Worker *worker, const Report *report, uint64_t begun_ns)
{
    Settling *settling = malloc(sizeof *settling);
    ASSERT(settling != NULL);
    uint64_t took_us = ran_us(worker, begun_ns);
    settling->report = *report;
    settling->report.request_id = keep(settling->request_id, sizeof settling->request_id, report->request_id);
    settling->report.status = keep(settling->status, sizeof settling->status, report->status);
    settling->report.error_type = keep(settling->error_type, sizeof settling->error_type, report->error_type);
    settling->begun_ns = begun_ns;
    settling->before_us = report->duration_us > took_us ? report->duration_us - took_us : 0;
    free(worker->settling);
    worker->settling = settling;
}

/* The end of its log, with the whole of its time. */
static void report_settled(Worker *worker)
{
    Settling *settling = worker->settling;
    Arena arena = arena_make();
    if (settling == NULL)
        return;
    worker->settling = NULL;
    Report *report = &settling->report;
    report->wall_ms = os_wall_ms(worker->runtime->os);
    report->duration_us = settling->before_us + ran_us(worker, settling->begun_ns);
    report->billed_ms = report_billed_ms(report->duration_us, report->init_us);
    worker_drain_pipes(worker);
    worker_log_platform(worker, NULL, report_end(report, &arena));
    worker_log_platform(worker, NULL, report_report(report, &arena));
    arena_free(&arena);
    free(settling);
}

void worker_drop_settling(Worker *worker, Slice status, Slice error_type)
{
    if (worker->settling == NULL)
        return;
    worker->settling->report.status = status;
    worker->settling->report.error_type = error_type;
    report_settled(worker);
}

/* ---- The table's actions ---- */

void worker_begin_settling(void *subject, void *detail)
{
    (void)subject;
    (void)detail; /* the event's timer goes on */
}

void worker_end_settling(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    worker_clear_timer(worker);
    report_settled(worker);
    worker_settled(worker);
}

void worker_settling_slow(void *subject, void *detail)
{
    (void)detail;
    Worker *worker = subject;
    Arena arena = arena_make();
    if (worker->settling != NULL) {
        Slice message;
        report_timeout(worker->settling->report.request_id, worker->pool->spec.timeout_ms, &arena, &message);
        worker->settling->report.status = SLICE("timeout");
        worker->settling->report.wall_ms = os_wall_ms(worker->runtime->os);
        worker_log_platform(worker, NULL, report_cut_off(&worker->settling->report, message, &arena));
    }
    arena_free(&arena);
    worker_drop_settling(worker, SLICE("timeout"), (Slice){0});
    runtime_total(worker->runtime, TOTAL_TIMEOUTS, 1);
    worker_shut_down(worker, SLICE("timeout"));
}

/* {"errorType", "errorMessage"}: of Brume's own making, in the worker. */
static void read_fault(Slice document, Arena *arena, Slice *type, Slice *message)
{
    JsonReader json = json_reader(document, arena);
    Slice name;
    *type = SLICE("Extension.Crash");
    *message = SLICE("");
    if (json_begin_object(&json) != OK)
        return;
    while (json_next_member(&json, &name) == OK && name.data != NULL) {
        Slice text;
        if (json_read_string(&json, &text) != OK)
            return;
        if (slice_equal(name, SLICE("errorType")))
            *type = text;
        else if (slice_equal(name, SLICE("errorMessage")))
            *message = text;
    }
}

void worker_take_fault(void *subject, void *detail)
{
    Worker *worker = subject;
    const Frame *frame = detail;
    InvocationState *state = worker->event;
    Arena arena = arena_make();
    Slice type, message;
    read_fault(frame->content, state == NULL ? &arena : state->invocation->arena, &type, &message);
    worker_drop_settling(worker, SLICE("error"), type);
    if (state != NULL) {
        Arena *kept = state->invocation->arena;
        Outcome outcome = {.failed = true, .status = SLICE("error"), .error_type = arena_copy(kept, type)};
        outcome.cut_off = arena_format(kept, "RequestId: %.*s Error: %.*s", SLICE_PRINT(state->invocation->request_id),
                                       SLICE_PRINT(message));
        outcome.result = report_document(outcome.error_type, outcome.cut_off, kept);
        worker_end_event(worker, &outcome);
    }
    worker_await_exit(worker);
    if (state != NULL)
        delivery_done(state);
    arena_free(&arena);
}

uint64_t worker_grace_ms(const Worker *worker)
{
    return EXIT_GRACE_MS + (worker->has_extensions ? SHUTDOWN_MS : 0);
}

void worker_await_exit(Worker *worker)
{
    worker_leave(worker);
    worker_set_timer(worker, worker_grace_ms(worker) * 1000);
}

void worker_shut_down(Worker *worker, Slice reason)
{
    bool is_told = worker->has_extensions && worker->channel.events >= 0 && worker->channel.part_count == 0 &&
                   worker_send(worker, FRAME_SHUTDOWN, reason) == OK;
    if (is_told) {
        worker_await_exit(worker);
        return;
    }
    worker_leave(worker);
    spawner_kill(worker->runtime->options.spawner, worker->id);
}

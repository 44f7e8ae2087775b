/* report.h: what the platform itself says of an invocation: the lines around its log, and the documents of errors that no
 * handler reported. All text is made in the given arena; pure.
 *
 * Forms: Lambda developer guide, "Log formats" and "Telemetry API Event schema reference" (JSON), and the lines that AWS
 * prints as plain text. */
#ifndef BRUME_RUNTIME_REPORT_H
#define BRUME_RUNTIME_REPORT_H

#include "core/invoker.h"
#include "runtime/spawner.h"

typedef enum SystemLevel { SYSTEM_DEBUG, SYSTEM_INFO, SYSTEM_WARN } SystemLevel;

typedef struct Report {
    const WorkerSpec *spec;
    Slice request_id;
    uint64_t wall_ms;
    uint64_t duration_us;
    uint64_t billed_ms;
    uint64_t init_us;    /* of a worker that was started for this one; 0: none was */
    uint64_t restore_us; /* the same of a copy of a snapshot */
    uint64_t memory_peak_bytes;
    Slice status;     /* "success", "error", "timeout" */
    Slice error_type; /* absent: none */
} Report;

/* Each gives an absent slice when the function's log format and level leave it out. */
Slice report_init_start(const Report *report, Arena *arena);
/* Of an init phase that failed. `phase`: "init", "invoke" (it was tried again), "restore". */
Slice report_init_failed(const Report *report, Slice phase, Arena *arena);
Slice report_start(const Report *report, Arena *arena);
Slice report_end(const Report *report, Arena *arena);
Slice report_report(const Report *report, Arena *arena);
Slice report_logs_dropped(const Report *report, uint64_t count, Arena *arena);
/* What the log says of an invocation that was cut off: `reason` is its document's message. */
Slice report_cut_off(const Report *report, Slice reason, Arena *arena);

/* Milliseconds that are paid for: the handler's and, since August 2025, those of its init phase (AWS compute blog, "AWS
 * Lambda standardizes billing for INIT Phase"). */
uint64_t report_billed_ms(uint64_t duration_us, uint64_t init_us);

/* The documents. `message` is given besides, for the log. */
Slice report_timeout(Slice request_id, uint64_t timeout_ms, Arena *arena, Slice *message);
Slice report_exit(Slice request_id, const WorkerExit *exit, Arena *arena, Slice *message, Slice *error_type);
Slice report_too_large(uint64_t limit, Arena *arena);
/* {"errorType": …, "errorMessage": …} */
Slice report_document(Slice error_type, Slice message, Arena *arena);

#endif

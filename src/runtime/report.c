#include "runtime/report.h"

#include "base/json.h"
#include "base/time_format.h"

#include <signal.h>
#include <sys/wait.h>

static bool is_json(const Report *report)
{
    return slice_equal(report->spec->log_format, SLICE("JSON"));
}

/* Plain text has no levels (Lambda developer guide, "Log-level filtering"). */
static bool is_logged(const Report *report, SystemLevel level)
{
    static const struct {
        Slice name;
        SystemLevel level;
    } names[] = {
        {SLICE_INIT("DEBUG"), SYSTEM_DEBUG}, {SLICE_INIT("INFO"), SYSTEM_INFO}, {SLICE_INIT("WARN"), SYSTEM_WARN}};
    SystemLevel least = SYSTEM_INFO;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal(report->spec->system_log_level, names[i].name))
            least = names[i].level;
    return !is_json(report) || level >= least;
}

static bool went_well(const Report *report)
{
    return slice_equal(report->status, SLICE("success"));
}

static double milliseconds(uint64_t us)
{
    return (double)us / 1000;
}

static uint64_t megabytes(uint64_t bytes)
{
    return (bytes + (1 << 20) - 1) >> 20;
}

/* ---- JSON: {"time": …, "type": …, "record": {…}} ---- */

static JsonWriter open_record(Buffer *out, const Report *report, Slice type)
{
    char time[TIME_TEXT_MAX];
    JsonWriter writer = json_writer(out);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("time"));
    json_write_string(&writer, time_format_iso_ms((int64_t)report->wall_ms, time));
    json_write_name(&writer, SLICE("type"));
    json_write_string(&writer, type);
    json_write_name(&writer, SLICE("record"));
    json_write_object_begin(&writer);
    return writer;
}

static void write_text(JsonWriter *writer, Slice name, Slice value)
{
    json_write_name(writer, name);
    json_write_string(writer, value);
}

static void write_number(JsonWriter *writer, Slice name, uint64_t value)
{
    json_write_name(writer, name);
    json_write_uint64(writer, value);
}

static void write_ms(JsonWriter *writer, Slice name, uint64_t us)
{
    json_write_name(writer, name);
    buffer_add_format(writer->out, "%.3f", milliseconds(us));
    writer->comma = true;
}

static void write_status(JsonWriter *writer, const Report *report)
{
    write_text(writer, SLICE("status"), report->status);
    if (report->error_type.data != NULL)
        write_text(writer, SLICE("errorType"), report->error_type);
}

static Slice close_record(JsonWriter *writer)
{
    json_write_object_end(writer);
    json_write_object_end(writer);
    buffer_add_byte(writer->out, '\n');
    return buffer_slice(writer->out);
}

/* ---- The lines ---- */

Slice report_init_start(const Report *report, Arena *arena)
{
    if (!is_logged(report, SYSTEM_INFO))
        return (Slice){0};
    if (!is_json(report))
        return arena_format(arena, "INIT_START Runtime Version: %.*s\n", SLICE_PRINT(report->spec->runtime));
    Buffer out = buffer_make(arena);
    JsonWriter writer = open_record(&out, report, SLICE("platform.initStart"));
    write_text(&writer, SLICE("initializationType"),
               report->spec->snap_start ? SLICE("snap-start") : SLICE("on-demand"));
    write_text(&writer, SLICE("phase"), SLICE("init"));
    write_text(&writer, SLICE("runtimeVersion"), report->spec->runtime);
    write_text(&writer, SLICE("functionName"), report->spec->name);
    write_text(&writer, SLICE("functionVersion"), report->spec->version);
    return close_record(&writer);
}

Slice report_init_failed(const Report *report, Slice phase, Arena *arena)
{
    Buffer out = buffer_make(arena);
    if (!is_json(report)) {
        buffer_add_format(&out, "INIT_REPORT Init Duration: %.2f ms\tPhase: %.*s\tStatus: %.*s",
                          milliseconds(report->init_us), SLICE_PRINT(phase), SLICE_PRINT(report->status));
        if (report->error_type.data != NULL)
            buffer_add_format(&out, "\tError Type: %.*s", SLICE_PRINT(report->error_type));
        BUFFER_ADD(&out, "\n");
        return buffer_slice(&out);
    }
    JsonWriter writer = open_record(&out, report, SLICE("platform.initReport"));
    write_text(&writer, SLICE("initializationType"),
               report->spec->snap_start ? SLICE("snap-start") : SLICE("on-demand"));
    write_text(&writer, SLICE("phase"), phase);
    write_status(&writer, report);
    json_write_name(&writer, SLICE("metrics"));
    json_write_object_begin(&writer);
    write_ms(&writer, SLICE("durationMs"), report->init_us);
    json_write_object_end(&writer);
    return close_record(&writer);
}

Slice report_start(const Report *report, Arena *arena)
{
    if (!is_logged(report, SYSTEM_INFO))
        return (Slice){0};
    if (!is_json(report))
        return arena_format(arena, "START RequestId: %.*s Version: %.*s\n", SLICE_PRINT(report->request_id),
                            SLICE_PRINT(report->spec->version));
    Buffer out = buffer_make(arena);
    JsonWriter writer = open_record(&out, report, SLICE("platform.start"));
    write_text(&writer, SLICE("requestId"), report->request_id);
    write_text(&writer, SLICE("version"), report->spec->version);
    return close_record(&writer);
}

Slice report_end(const Report *report, Arena *arena)
{
    if (!is_logged(report, went_well(report) ? SYSTEM_DEBUG : SYSTEM_WARN))
        return (Slice){0};
    if (!is_json(report))
        return arena_format(arena, "END RequestId: %.*s\n", SLICE_PRINT(report->request_id));
    Buffer out = buffer_make(arena);
    JsonWriter writer = open_record(&out, report, SLICE("platform.runtimeDone"));
    write_text(&writer, SLICE("requestId"), report->request_id);
    write_status(&writer, report);
    json_write_name(&writer, SLICE("metrics"));
    json_write_object_begin(&writer);
    write_ms(&writer, SLICE("durationMs"), report->duration_us);
    json_write_object_end(&writer);
    return close_record(&writer);
}

/* "1.25 ms": in whole numbers, which is far quicker than the same of a double, and there are several in each report. */
static void add_ms(Buffer *out, Slice name, uint64_t us)
{
    uint64_t hundredths = (us + 5) / 10;
    buffer_add(out, name);
    buffer_add_uint64(out, hundredths / 100);
    buffer_add_byte(out, '.');
    buffer_add_byte(out, (char)('0' + hundredths / 10 % 10));
    buffer_add_byte(out, (char)('0' + hundredths % 10));
    BUFFER_ADD(out, " ms\t");
}

static void add_number(Buffer *out, Slice name, uint64_t value, Slice unit)
{
    buffer_add(out, name);
    buffer_add_uint64(out, value);
    buffer_add(out, unit);
}

static Slice report_as_text(const Report *report, Arena *arena)
{
    Buffer out = buffer_make(arena);
    buffer_reserve(&out, 256);
    BUFFER_ADD(&out, "REPORT RequestId: ");
    buffer_add(&out, report->request_id);
    add_ms(&out, SLICE("\tDuration: "), report->duration_us);
    add_number(&out, SLICE("Billed Duration: "), report->billed_ms, SLICE(" ms\t"));
    add_number(&out, SLICE("Memory Size: "), report->spec->memory_mb, SLICE(" MB\t"));
    add_number(&out, SLICE("Max Memory Used: "), megabytes(report->memory_peak_bytes), SLICE(" MB\t"));
    if (report->init_us > 0)
        add_ms(&out, SLICE("Init Duration: "), report->init_us);
    if (report->restore_us > 0) {
        add_ms(&out, SLICE("Restore Duration: "), report->restore_us);
        add_number(&out, SLICE("Billed Restore Duration: "), (report->restore_us + 999) / 1000, SLICE(" ms\t"));
    }
    /* An error that the handler reported is none of the platform's. */
    if (report->error_type.data != NULL)
        buffer_add_format(&out, "Status: %.*s\tError Type: %.*s", SLICE_PRINT(report->status),
                          SLICE_PRINT(report->error_type));
    else if (slice_equal(report->status, SLICE("timeout")))
        BUFFER_ADD(&out, "Status: timeout");
    BUFFER_ADD(&out, "\n");
    return buffer_slice(&out);
}

Slice report_report(const Report *report, Arena *arena)
{
    if (!is_logged(report, went_well(report) ? SYSTEM_INFO : SYSTEM_WARN))
        return (Slice){0};
    if (!is_json(report))
        return report_as_text(report, arena);
    Buffer out = buffer_make(arena);
    JsonWriter writer = open_record(&out, report, SLICE("platform.report"));
    write_text(&writer, SLICE("requestId"), report->request_id);
    json_write_name(&writer, SLICE("metrics"));
    json_write_object_begin(&writer);
    write_ms(&writer, SLICE("durationMs"), report->duration_us);
    write_number(&writer, SLICE("billedDurationMs"), report->billed_ms);
    write_number(&writer, SLICE("memorySizeMB"), report->spec->memory_mb);
    write_number(&writer, SLICE("maxMemoryUsedMB"), megabytes(report->memory_peak_bytes));
    if (report->init_us > 0)
        write_ms(&writer, SLICE("initDurationMs"), report->init_us);
    if (report->restore_us > 0) {
        write_ms(&writer, SLICE("restoreDurationMs"), report->restore_us);
        write_number(&writer, SLICE("billedRestoreDurationMs"), (report->restore_us + 999) / 1000);
    }
    json_write_object_end(&writer);
    write_status(&writer, report);
    return close_record(&writer);
}

Slice report_logs_dropped(const Report *report, uint64_t count, Arena *arena)
{
    if (!is_json(report))
        return arena_format(arena, "LOGS_DROPPED %llu events: more in a second than RUNTIME_LOG_EVENTS allows\n",
                            (unsigned long long)count);
    Buffer out = buffer_make(arena);
    JsonWriter writer = open_record(&out, report, SLICE("platform.logsDropped"));
    write_number(&writer, SLICE("droppedRecords"), count);
    write_text(&writer, SLICE("reason"), SLICE("more in a second than RUNTIME_LOG_EVENTS allows"));
    return close_record(&writer);
}

Slice report_cut_off(const Report *report, Slice reason, Arena *arena)
{
    char time[TIME_TEXT_MAX];
    if (is_json(report)) /* platform.runtimeDone says it */
        return (Slice){0};
    if (slice_equal(report->status, SLICE("timeout"))) {
        /* The document's message without "RequestId: … Error: ". */
        Slice task = reason;
        while (task.size > 0 && !slice_starts_with(task, SLICE("Task")))
            task = slice_skip(task, 1);
        return arena_format(arena, "%.*s %.*s %.*s\n\n",
                            SLICE_PRINT(time_format_iso_ms((int64_t)report->wall_ms, time)),
                            SLICE_PRINT(report->request_id), SLICE_PRINT(task));
    }
    return arena_format(arena, "%.*s\n%.*s\n", SLICE_PRINT(reason), SLICE_PRINT(report->error_type));
}

uint64_t report_billed_ms(uint64_t duration_us, uint64_t init_us)
{
    return (duration_us + init_us + 999) / 1000;
}

/* ---- Documents ---- */

Slice report_document(Slice error_type, Slice message, Arena *arena)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("errorType"), error_type);
    write_text(&writer, SLICE("errorMessage"), message);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

Slice report_timeout(Slice request_id, uint64_t timeout_ms, Arena *arena, Slice *message)
{
    *message = arena_format(arena, "RequestId: %.*s Error: Task timed out after %.2f seconds", SLICE_PRINT(request_id),
                            (double)timeout_ms / 1000);
    return report_document(SLICE("Sandbox.Timedout"), *message, arena);
}

/* The words in which AWS's own runtime names signals, as its messages show them ("signal: killed"). */
static const char *signal_words(int number)
{
    static const struct {
        int number;
        const char *words;
    } rows[] = {
        {SIGHUP, "hangup"},
        {SIGINT, "interrupt"},
        {SIGQUIT, "quit"},
        {SIGILL, "illegal instruction"},
        {SIGTRAP, "trace/breakpoint trap"},
        {SIGABRT, "aborted"},
        {SIGBUS, "bus error"},
        {SIGFPE, "floating point exception"},
        {SIGKILL, "killed"},
        {SIGSEGV, "segmentation fault"},
        {SIGPIPE, "broken pipe"},
        {SIGALRM, "alarm clock"},
        {SIGTERM, "terminated"},
        {SIGXCPU, "CPU time limit exceeded"},
        {SIGSYS, "bad system call"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].number == number)
            return rows[i].words;
    return NULL;
}

Slice report_exit(Slice request_id, const WorkerExit *exit, Arena *arena, Slice *message, Slice *error_type)
{
    Slice why;
    *error_type = SLICE("Runtime.ExitError");
    if (exit->out_of_memory) {
        *error_type = SLICE("Runtime.OutOfMemory");
        why = SLICE("Runtime exited with error: signal: killed");
    } else if (WIFSIGNALED(exit->status)) {
        const char *words = signal_words(WTERMSIG(exit->status));
        why = words != NULL
                  ? arena_format(arena, "Runtime exited with error: signal: %s", words)
                  : arena_format(arena, "Runtime exited with error: signal: signal %d", WTERMSIG(exit->status));
    } else if (WEXITSTATUS(exit->status) != 0) {
        why = arena_format(arena, "Runtime exited with error: exit status %d", WEXITSTATUS(exit->status));
    } else {
        why = SLICE("Runtime exited without providing a reason");
    }
    *message = arena_format(arena, "RequestId: %.*s Error: %.*s", SLICE_PRINT(request_id), SLICE_PRINT(why));
    return report_document(*error_type, *message, arena);
}

Slice report_too_large(uint64_t limit, Arena *arena)
{
    Slice message = arena_format(arena, "Response payload size exceeded maximum allowed payload size (%llu bytes).",
                                 (unsigned long long)limit);
    return report_document(SLICE("Function.ResponseSizeTooLarge"), message, arena);
}

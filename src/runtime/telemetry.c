#include "runtime/telemetry.h"

#include "base/json.h"
#include "base/time_format.h"
#include "runtime/report.h"
#include "runtime/runtime_api_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- Records ---- */

void telemetry_record(Api *api, unsigned type, const char *name, Slice record)
{
    char time[TIME_TEXT_MAX];
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    JsonWriter json = json_writer(&out);
    json_write_object_begin(&json);
    json_write_name(&json, SLICE("time"));
    json_write_string(&json, time_format_iso_ms((int64_t)api_wall_ms(), time));
    json_write_name(&json, SLICE("type"));
    json_write_string(&json, slice_of_string(name));
    json_write_name(&json, SLICE("record"));
    json_write_raw(&json, record);
    json_write_object_end(&json);
    telemetry_add(api, type, buffer_slice(&out));
    arena_free(&arena);
}

/* A document of JSON stays one where the function logs such; everything else is a text. */
static bool is_document(const Api *api, Slice line)
{
    return api->function.logs_json && line.size > 0 && line.data[0] == '{' && slice_find(line, '\n') == line.size &&
           json_check(line) == OK;
}

void telemetry_line(Api *api, unsigned type, Slice line)
{
    if (api->extensions.count == 0)
        return;
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    JsonWriter json = json_writer(&out);
    if (slice_ends_with(line, SLICE("\n")))
        line.size--;
    if (is_document(api, line))
        buffer_add(&out, line);
    else if (utf8_is_valid(line))
        json_write_string(&json, line);
    else
        json_write_string(&json, SLICE("(a line that is no UTF-8)"));
    telemetry_record(api, type, type == TELEMETRY_FUNCTION ? "function" : "extension", buffer_slice(&out));
    arena_free(&arena);
}

void telemetry_extension(Api *api, const char *name, const char *state, const char *events, Slice error_type)
{
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    JsonWriter json = json_writer(&out);
    json_write_object_begin(&json);
    json_write_name(&json, SLICE("name"));
    json_write_string(&json, slice_of_string(name));
    json_write_name(&json, SLICE("state"));
    json_write_string(&json, slice_of_string(state));
    json_write_name(&json, SLICE("events"));
    json_write_array_begin(&json);
    for (Slice left = slice_of_string(events); left.size > 0;) {
        size_t size = slice_find(left, ',');
        json_write_string(&json, slice_make(left.data, size));
        left = slice_skip(left, size < left.size ? size + 1 : size);
    }
    json_write_array_end(&json);
    if (error_type.size > 0) {
        json_write_name(&json, SLICE("errorType"));
        json_write_string(&json, error_type);
    }
    json_write_object_end(&json);
    telemetry_record(api, TELEMETRY_PLATFORM, "platform.extension", buffer_slice(&out));
    arena_free(&arena);
}

/* ---- The init phase ---- */

/* The events' documents are those that a function's log has in its JSON format, all levels of them. */
static WorkerSpec spec_of(const Api *api)
{
    return (WorkerSpec){
        .name = api->function.name,
        .version = api->function.version,
        .runtime = api->function.runtime,
        .memory_mb = api->function.memory_mb,
        .log_format = SLICE("JSON"),
        .system_log_level = SLICE("DEBUG"),
    };
}

static void add_report(Api *api, unsigned type, Slice (*make)(const Report *, Arena *), const Report *report)
{
    Arena arena = arena_make();
    Slice text = make(report, &arena);
    if (slice_ends_with(text, SLICE("\n")))
        text.size--;
    telemetry_add(api, type, text);
    arena_free(&arena);
}

void telemetry_init_start(Api *api)
{
    WorkerSpec spec = spec_of(api);
    Report report = {.spec = &spec, .wall_ms = api_wall_ms()};
    api->telemetry.started_us = now_us();
    add_report(api, TELEMETRY_PLATFORM | TELEMETRY_NEW_ONLY, report_init_start, &report);
}

void telemetry_runtime_ready(Api *api)
{
    telemetry_record(api, TELEMETRY_PLATFORM | TELEMETRY_NEW_ONLY, "platform.initRuntimeDone",
                     SLICE("{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"status\":\"success\"}"));
}

void telemetry_init_done(Api *api)
{
    char record[160];
    api->telemetry.init_us = (uint64_t)(now_us() - api->telemetry.started_us);
    snprintf(record, sizeof record,
             "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"status\":\"success\",\"metrics\":{"
             "\"durationMs\":%.3f}}",
             (double)api->telemetry.init_us / 1000);
    telemetry_record(api, TELEMETRY_PLATFORM | TELEMETRY_NEW_ONLY, "platform.initReport", slice_of_string(record));
}

/* ---- Invocations ---- */

/* The most that the processes of the sandbox have held, as the kernel counts for each. */
static uint64_t memory_peak_bytes(void)
{
    uint64_t total_kb = 0;
    DIR *processes = opendir("/proc");
    if (processes == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        char path[64];
        char line[128];
        unsigned long long kb;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/status", entry->d_name);
        FILE *status = fopen(path, "re");
        while (status != NULL && fgets(line, sizeof line, status) != NULL)
            if (sscanf(line, "VmHWM: %llu kB", &kb) == 1)
                total_kb += kb;
        if (status != NULL)
            fclose(status);
    }
    closedir(processes);
    return total_kb * 1024;
}

static bool is_heard(const Api *api)
{
    for (size_t i = 0; i < api->extensions.count; i++)
        if (api->telemetry.all[i].is_open && (api->telemetry.all[i].types & TELEMETRY_PLATFORM) != 0)
            return true;
    return false;
}

static Report report_of(Api *api, const WorkerSpec *spec, const char *status)
{
    Telemetry *telemetry = &api->telemetry;
    uint64_t took_us = (uint64_t)(now_us() - telemetry->begun_us);
    return (Report){
        .spec = spec,
        .request_id = slice_of_string(telemetry->request_id),
        .wall_ms = api_wall_ms(),
        .duration_us = took_us,
        .billed_ms = report_billed_ms(took_us, telemetry->init_us),
        .init_us = telemetry->init_us,
        .status = slice_of_string(status),
    };
}

void telemetry_event_start(Api *api, Slice request_id)
{
    Telemetry *telemetry = &api->telemetry;
    WorkerSpec spec = spec_of(api);
    snprintf(telemetry->request_id, sizeof telemetry->request_id, "%.*s", SLICE_PRINT(request_id));
    telemetry->begun_us = now_us();
    telemetry->is_running = true;
    telemetry->is_reported = telemetry->has_failed = false;
    if (!is_heard(api))
        return;
    Report report = report_of(api, &spec, "success");
    add_report(api, TELEMETRY_PLATFORM, report_start, &report);
}

static void tell_runtime_done(Api *api, const char *status)
{
    WorkerSpec spec = spec_of(api);
    api->telemetry.is_running = false;
    if (!is_heard(api))
        return;
    Report report = report_of(api, &spec, status);
    add_report(api, TELEMETRY_PLATFORM, report_end, &report);
}

static const char *own_status(const Api *api)
{
    return api->telemetry.has_failed ? "error" : "success";
}

void telemetry_event_answered(Api *api)
{
    if (api->telemetry.is_running)
        tell_runtime_done(api, own_status(api));
}

void telemetry_event_done(Api *api, const char *status)
{
    Telemetry *telemetry = &api->telemetry;
    WorkerSpec spec = spec_of(api);
    status = status != NULL ? status : own_status(api);
    if (telemetry->is_running)
        tell_runtime_done(api, status);
    if (!telemetry->is_reported && is_heard(api)) {
        char end[96];
        Report report = report_of(api, &spec, status);
        snprintf(end, sizeof end, "{\"requestId\":\"%s\"}", telemetry->request_id);
        telemetry_record(api, TELEMETRY_PLATFORM | TELEMETRY_OLD_ONLY, "platform.end", slice_of_string(end));
        report.memory_peak_bytes = memory_peak_bytes();
        add_report(api, TELEMETRY_PLATFORM, report_report, &report);
    }
    telemetry->is_reported = true;
    telemetry->init_us = 0;
}

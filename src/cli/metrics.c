#include "cli/metrics.h"

#include "aws/lambda/url_handler.h"
#include "base/bug.h"
#include "cli/command.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* What an answer was, by its status. */
typedef enum Outcome { OUTCOME_OK, OUTCOME_CLIENT_ERROR, OUTCOME_SERVER_ERROR, OUTCOMES } Outcome;

static const char *const outcome_names[OUTCOMES] = {"ok", "client_error", "server_error"};

typedef struct OperationCount {
    _Atomic uint64_t requests[OUTCOMES];
    _Atomic uint64_t duration_ns;
} OperationCount;

typedef struct ServiceCount {
    const Service *service;
    OperationCount *operations; /* one for each of the service's */
} ServiceCount;

/* What there is of each function. */
typedef enum FunctionMetric {
    METRIC_INVOCATIONS,
    METRIC_ERRORS,
    METRIC_THROTTLES,
    METRIC_COLD_STARTS,
    METRIC_CONCURRENCY,
    METRIC_DURATION,
    METRIC_INIT,
    FUNCTION_METRICS
} FunctionMetric;

static const struct {
    const char *name;
    const char *type;
    const char *help;
} function_metrics[FUNCTION_METRICS] = {
    [METRIC_INVOCATIONS] = {"function_invocations_total", "counter", "Invocations of functions."},
    [METRIC_ERRORS] = {"function_errors_total", "counter", "Invocations that failed in the function."},
    [METRIC_THROTTLES] = {"function_throttles_total", "counter", "Invocations refused for want of concurrency."},
    [METRIC_COLD_STARTS] = {"function_cold_starts_total", "counter", "Workers started."},
    [METRIC_CONCURRENCY] = {"function_concurrency", "gauge", "Invocations that run, or wait for a worker."},
    [METRIC_DURATION] = {"function_duration_seconds", "histogram", "Time that handlers took."},
    [METRIC_INIT] = {"function_init_seconds", "histogram", "Time that init phases took, of cold starts."},
};

struct Metrics {
    ServiceCount *services;
    size_t service_count;
    OperationCount unrouted; /* refused before an operation was known */
    _Atomic uint64_t throttled[WIRE_THROTTLED_REASONS];
};

Metrics *metrics_open(const Service *const *services, size_t service_count)
{
    Metrics *metrics = calloc(1, sizeof *metrics);
    ASSERT(metrics != NULL);
    metrics->services = calloc(service_count, sizeof *metrics->services);
    metrics->service_count = service_count;
    ASSERT(metrics->services != NULL);
    for (size_t i = 0; i < service_count; i++) {
        metrics->services[i].service = services[i];
        metrics->services[i].operations = calloc(services[i]->operation_count, sizeof(OperationCount));
        ASSERT(metrics->services[i].operations != NULL);
    }
    return metrics;
}

void metrics_close(Metrics *metrics)
{
    for (size_t i = 0; i < metrics->service_count; i++)
        free(metrics->services[i].operations);
    free(metrics->services);
    free(metrics);
}

static OperationCount *count_of(Metrics *metrics, const WireReport *report)
{
    if (report->service == NULL || report->operation == NULL)
        return &metrics->unrouted;
    for (size_t i = 0; i < metrics->service_count; i++)
        if (metrics->services[i].service == report->service)
            return &metrics->services[i].operations[report->operation - report->service->operations];
    return &metrics->unrouted;
}

void metrics_count(Metrics *metrics, const WireReport *report)
{
    OperationCount *count = count_of(metrics, report);
    Outcome outcome = report->status >= 500   ? OUTCOME_SERVER_ERROR
                      : report->status >= 400 ? OUTCOME_CLIENT_ERROR
                                              : OUTCOME_OK;
    atomic_fetch_add_explicit(&count->requests[outcome], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&count->duration_ns, report->duration_ns, memory_order_relaxed);
    if (report->throttled != WIRE_NOT_THROTTLED)
        atomic_fetch_add_explicit(&metrics->throttled[report->throttled], 1, memory_order_relaxed);
}

/* ---- Text ---- */

static void add_head(Buffer *out, const char *name, const char *type, const char *help)
{
    buffer_add_format(out, "# HELP brume_%s %s\n# TYPE brume_%s %s\n", name, help, name, type);
}

static void add_row(Buffer *out, const char *name, const char *type, const char *help, uint64_t value)
{
    add_head(out, name, type, help);
    buffer_add_format(out, "brume_%s %llu\n", name, (unsigned long long)value);
}

static void add_requests(Buffer *out, Slice service, Slice operation, OperationCount *count)
{
    for (Outcome outcome = 0; outcome < OUTCOMES; outcome++) {
        uint64_t requests = atomic_load_explicit(&count->requests[outcome], memory_order_relaxed);
        if (requests > 0)
            buffer_add_format(out, "brume_requests_total{service=\"%.*s\",operation=\"%.*s\",outcome=\"%s\"} %llu\n",
                              SLICE_PRINT(service), SLICE_PRINT(operation), outcome_names[outcome],
                              (unsigned long long)requests);
    }
}

static void add_duration(Buffer *out, Slice service, Slice operation, OperationCount *count)
{
    uint64_t ns = atomic_load_explicit(&count->duration_ns, memory_order_relaxed);
    if (ns > 0)
        buffer_add_format(out, "brume_request_seconds_total{service=\"%.*s\",operation=\"%.*s\"} %.9f\n",
                          SLICE_PRINT(service), SLICE_PRINT(operation), (double)ns / 1e9);
}

static void each_operation(Metrics *metrics, Buffer *out,
                           void (*add)(Buffer *out, Slice service, Slice operation, OperationCount *count))
{
    for (size_t i = 0; i < metrics->service_count; i++) {
        const Service *service = metrics->services[i].service;
        for (size_t j = 0; j < service->operation_count; j++)
            add(out, service->name, service->operations[j].name, &metrics->services[i].operations[j]);
    }
    add(out, SLICE(""), SLICE(""), &metrics->unrouted);
}

static void add_operations(Metrics *metrics, Buffer *out)
{
    add_head(out, "requests_total", "counter", "Requests answered; without service and operation: not routed.");
    each_operation(metrics, out, add_requests);
    add_head(out, "request_seconds_total", "counter", "Time from a request's head to its answer, long polls included.");
    each_operation(metrics, out, add_duration);
}

static void add_throttled(Buffer *out, Metrics *metrics)
{
    static const char *const reasons[WIRE_THROTTLED_REASONS] = {[WIRE_THROTTLED_ACCOUNT] = "account",
                                                                [WIRE_THROTTLED_CONNECTION] = "connection",
                                                                [WIRE_THROTTLED_OVERLOAD] = "overload"};
    add_head(out, "throttled_total", "counter",
             "Requests refused with the service's throttling error: over the account's rate, over a connection's, "
             "or more than the server can do.");
    for (WireThrottled reason = WIRE_NOT_THROTTLED + 1; reason < WIRE_THROTTLED_REASONS; reason++)
        buffer_add_format(out, "brume_throttled_total{reason=\"%s\"} %llu\n", reasons[reason],
                          (unsigned long long)atomic_load_explicit(&metrics->throttled[reason], memory_order_relaxed));
}

static void add_store(Buffer *out, Store *store)
{
    StoreStats stats;
    store_stats(store, &stats);
    add_row(out, "store_transactions_total", "counter", "Write transactions that committed.", stats.transactions);
    add_row(out, "store_failures_total", "counter", "Write transactions that were dropped.", stats.failures);
    add_row(out, "store_syncs_total", "counter", "Groups made durable.", stats.groups);
    add_head(out, "store_sync_seconds_total", "counter", "Time spent making groups durable.");
    buffer_add_format(out, "brume_store_sync_seconds_total %.9f\n", (double)stats.sync_ns / 1e9);
    add_row(out, "store_timers_fired_total", "counter", "Timers that came due and ran.", stats.timers_fired);
    add_row(out, "store_reads_total", "counter", "Read transactions.", stats.reads);
    add_row(out, "store_read_misses_total", "counter", "Reads that had to go to the disk.", stats.read_misses);
    add_row(out, "store_waiting", "gauge", "Calls that wait for something to come.", stats.waiting);
    add_row(out, "store_queued", "gauge", "Calls before the writer.", stats.queued);
    add_row(out, "store_disk_free_bytes", "gauge", "Free space where the data lies.", stats.disk_free_bytes);
    add_row(out, "store_full", "gauge", "1 while writes are refused because the disk is nearly full.", stats.full);
}

static void add_http(Buffer *out, HttpServer *server)
{
    HttpServerStats stats;
    http_server_stats(server, &stats);
    add_row(out, "http_connections", "gauge", "Open connections.", stats.connections);
    add_row(out, "http_accepted_total", "counter", "Connections accepted.", stats.accepted);
    add_row(out, "http_refused_total", "counter", "Connections over the limit.", stats.refused);
    add_row(out, "http_requests_total", "counter", "Requests begun.", stats.requests);
    add_row(out, "http_bad_requests_total", "counter", "Requests that were malformed, too large or too slow.",
            stats.bad_requests);
    add_row(out, "http_evicted_total", "counter",
            "Clients dropped because they would not read or write, or held what others needed.", stats.evicted);
    add_row(out, "http_displaced_total", "counter", "Idle connections closed to make place for new ones.",
            stats.displaced);
    add_row(out, "http_body_bytes", "gauge", "Held: bodies that are large or come in pieces, and large heads.",
            stats.body_bytes);
    add_row(out, "http_input_bytes", "gauge", "Held: unfinished heads, and what is read ahead.", stats.input_bytes);
    add_row(out, "http_output_bytes", "gauge", "Held: answers that wait for their clients to read.",
            stats.output_bytes);
}

/* ---- Each function ---- */

/* A label's value (Prometheus documentation, "Exposition formats"): names of functions have nothing to escape. */
static Slice labels_of(Arena *arena, const FunctionStats *stats)
{
    return arena_format(arena, "account=\"%.*s\",region=\"%.*s\",function=\"%.*s\"", SLICE_PRINT(stats->account),
                        SLICE_PRINT(stats->region), SLICE_PRINT(stats->name));
}

/* Counts of all functions, as they stood at one moment: the rows of one metric have to be together. */
typedef struct FunctionRows {
    Arena *arena;
    Buffer counts[FUNCTION_METRICS];
} FunctionRows;

static void add_count(FunctionRows *rows, FunctionMetric metric, Slice labels, _Atomic uint64_t *count)
{
    buffer_add_format(&rows->counts[metric], "brume_%s{%.*s} %llu\n", function_metrics[metric].name,
                      SLICE_PRINT(labels), (unsigned long long)atomic_load_explicit(count, memory_order_relaxed));
}

static void add_durations(FunctionRows *rows, FunctionMetric metric, Slice labels, Durations *durations)
{
    Buffer *out = &rows->counts[metric];
    const char *name = function_metrics[metric].name;
    uint64_t sum = 0;
    for (unsigned i = 0; i <= DURATION_BOUNDS; i++) {
        sum += atomic_load_explicit(&durations->counts[i], memory_order_relaxed);
        buffer_add_format(out, "brume_%s_bucket{%.*s,le=\"", name, SLICE_PRINT(labels));
        if (i < DURATION_BOUNDS)
            buffer_add_format(out, "%g", (double)duration_bounds_us[i] / 1e6);
        else
            buffer_add_format(out, "+Inf");
        buffer_add_format(out, "\"} %llu\n", (unsigned long long)sum);
    }
    uint64_t total_us = atomic_load_explicit(&durations->total_us, memory_order_relaxed);
    buffer_add_format(out, "brume_%s_sum{%.*s} %.6f\nbrume_%s_count{%.*s} %llu\n", name, SLICE_PRINT(labels),
                      (double)total_us / 1e6, name, SLICE_PRINT(labels), (unsigned long long)sum);
}

static void add_function(void *user, FunctionStats *stats)
{
    FunctionRows *rows = user;
    Slice labels = labels_of(rows->arena, stats);
    add_count(rows, METRIC_INVOCATIONS, labels, &stats->invocations);
    add_count(rows, METRIC_ERRORS, labels, &stats->errors);
    add_count(rows, METRIC_THROTTLES, labels, &stats->throttles);
    add_count(rows, METRIC_COLD_STARTS, labels, &stats->cold_starts);
    add_count(rows, METRIC_CONCURRENCY, labels, &stats->concurrency);
    add_durations(rows, METRIC_DURATION, labels, &stats->duration);
    add_durations(rows, METRIC_INIT, labels, &stats->init);
}

static void add_each_function(Buffer *out, Runtime *runtime, Arena *arena)
{
    FunctionRows rows = {.arena = arena};
    for (FunctionMetric metric = 0; metric < FUNCTION_METRICS; metric++)
        rows.counts[metric] = buffer_make(arena);
    runtime_each_function(runtime, add_function, &rows);
    for (FunctionMetric metric = 0; metric < FUNCTION_METRICS; metric++) {
        add_head(out, function_metrics[metric].name, function_metrics[metric].type, function_metrics[metric].help);
        buffer_add(out, buffer_slice(&rows.counts[metric]));
    }
}

static void add_functions(Buffer *out, Runtime *runtime, Arena *arena)
{
    RuntimeStats stats;
    runtime_stats(runtime, &stats);
    add_each_function(out, runtime, arena);
    add_row(out, "function_workers", "gauge", "Workers of functions: starting, idle or busy.", stats.workers);
    add_row(out, "function_busy", "gauge", "Workers that run an invocation.", stats.busy);
    add_row(out, "function_timeouts_total", "counter", "Invocations cut off at their timeout.", stats.timeouts);
    add_row(out, "function_out_of_memory_total", "counter", "Workers ended because they passed their memory.",
            stats.out_of_memory);
    add_row(out, "function_log_dropped_total", "counter",
            "Log events over RUNTIME_LOG_EVENTS or RUNTIME_LOG_PENDING_BYTES.", stats.log_lines_dropped);
}

static void add_events(Buffer *out, EventRunner *events)
{
    EventRunnerStats stats;
    event_runner_stats(events, &stats);
    add_row(out, "function_events_total", "counter", "Events for functions that were taken up.", stats.taken);
    add_row(out, "function_events_succeeded_total", "counter", "Events that a handler has processed.", stats.succeeded);
    add_row(out, "function_events_retried_total", "counter", "Attempts at an event that are made again.",
            stats.retried);
    add_row(out, "function_events_failed_total", "counter", "Events that were given up.", stats.failed);
    add_row(out, "function_events_dropped_total", "counter", "Events given up of which nobody was told.",
            stats.dropped);
    add_row(out, "function_dead_letters_total", "counter", "Events delivered to dead-letter queues.",
            stats.dead_letters);
    add_row(out, "function_dead_letter_errors_total", "counter", "Deliveries to dead-letter queues that failed.",
            stats.dead_letter_errors);
    add_row(out, "function_records_total", "counter", "Records delivered to destinations.", stats.records);
    add_row(out, "function_destination_failures_total", "counter", "Deliveries to destinations that failed.",
            stats.destination_failures);
    add_row(out, "function_undeliverable_total", "counter", "Dead letters and records that were given up.",
            stats.undeliverable);
    add_row(out, "function_events_held", "gauge", "Events in memory: about to run, running, or ended.", stats.held);
    add_head(out, "function_event_age_seconds", "gauge", "Age of the oldest event in memory.");
    buffer_add_format(out, "brume_function_event_age_seconds %.3f\n", (double)stats.oldest_ms / 1e3);
}

/* /proc/self/statm: pages in all, resident, shared … (proc(5)). */
static void add_memory(Buffer *out, Os *os, Arena *arena)
{
    Slice text;
    uint64_t pages;
    if (os_read_file(os, "/proc/self/statm", arena, 4096, &text) != OK)
        return;
    text = slice_skip(text, slice_find(text, ' '));
    if (text.size > 0)
        text = slice_skip(text, 1);
    text.size = slice_find(text, ' ');
    if (slice_parse_uint64(text, &pages))
        add_row(out, "process_resident_bytes", "gauge", "Memory of the process.",
                pages * (uint64_t)sysconf(_SC_PAGESIZE));
}

static void add_urls(Buffer *out, HttpHandler *urls)
{
    UrlStats stats;
    url_handler_stats(urls, &stats);
    add_row(out, "function_url_requests_total", "counter", "Requests to URLs of functions.", stats.requests);
    add_row(out, "function_url_client_errors_total", "counter", "Those answered with a status from 400 on.",
            stats.client_errors);
    add_row(out, "function_url_server_errors_total", "counter", "Those answered with a status from 500 on.",
            stats.server_errors);
}

static void add_mapping_rows(Buffer *out, const MappingRows *rows)
{
    add_head(out, "mapping_lag_seconds", "gauge", "Age of the oldest message of a mapping's queue.");
    buffer_add(out, rows->lags);
    add_head(out, "mapping_breaker_state", "gauge", "A mapping's circuit breaker: 0 closed, 1 half-open, 2 open.");
    buffer_add(out, rows->breakers);
}

static void add_mappings(Buffer *out, const Pollers *pollers)
{
    PollersStats stats;
    pollers_stats(pollers, &stats);
    add_row(out, "mapping_pollers", "gauge", "Event source mappings whose sources are read.", stats.pollers);
    add_row(out, "mapping_running", "gauge", "Batches under way.", stats.running);
    add_row(out, "mapping_batches_total", "counter", "Batches that have ended.", stats.batches);
    add_row(out, "mapping_batch_failures_total", "counter", "Those that failed as a whole.", stats.failures);
    add_row(out, "mapping_throttles_total", "counter", "Invocations that were put off for want of concurrency.",
            stats.throttles);
    add_row(out, "mapping_records_total", "counter", "Records processed.", stats.records);
    add_row(out, "mapping_record_failures_total", "counter", "Records left to their source after a failure.",
            stats.record_failures);
    add_row(out, "mapping_records_filtered_total", "counter", "Records that no filter matched.", stats.filtered);
    add_row(out, "mapping_breaker_opened_total", "counter", "Circuit breakers that opened.", stats.breaker_opened);
}

/* ---- What metric filters found ---- */

/* As a label's value (Prometheus documentation, "Exposition formats": label_value). */
static void add_escaped(Buffer *out, Slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '\\' || byte == '"')
            buffer_add_byte(out, '\\');
        if (byte == '\n')
            buffer_add(out, SLICE("\\n"));
        else
            buffer_add_byte(out, byte);
    }
}

static void add_labels(Buffer *out, const LogSample *sample)
{
    const struct {
        const char *name;
        Slice value;
    } labels[] = {
        {"account", sample->account}, {"region", sample->region}, {"namespace", sample->namespace_name},
        {"metric", sample->metric},   {"unit", sample->unit},
    };
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        buffer_add_format(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
        add_escaped(out, labels[i].value);
        buffer_add_byte(out, '"');
    }
    /* One label: names of dimensions are free, those of labels are not. */
    buffer_add(out, SLICE(",dimensions=\""));
    for (size_t i = 0; i < sample->dimensions.count; i++) {
        if (i > 0)
            buffer_add_byte(out, ',');
        add_escaped(out, sample->dimensions.items[i].key);
        buffer_add_byte(out, '=');
        add_escaped(out, sample->dimensions.items[i].value);
    }
    buffer_add(out, SLICE("\"} "));
}

static void add_log_count(void *user, const LogSample *sample)
{
    Buffer *out = user;
    buffer_add(out, SLICE("brume_log_metric_count"));
    add_labels(out, sample);
    buffer_add_format(out, "%llu\n", (unsigned long long)sample->count);
}

static void add_log_sum(void *user, const LogSample *sample)
{
    Buffer *out = user;
    buffer_add(out, SLICE("brume_log_metric_sum"));
    add_labels(out, sample);
    buffer_add_format(out, "%.15g\n", sample->sum);
}

static void add_log_metrics(Buffer *out, LogMeter *meter)
{
    add_head(out, "log_metric_count", "counter", "Values that metric filters found in log events.");
    log_meter_walk(meter, add_log_count, out);
    add_head(out, "log_metric_sum", "gauge", "Their sum.");
    log_meter_walk(meter, add_log_sum, out);
    add_row(out, "log_metric_dropped_total", "counter", "Values dropped: there are too many series.",
            log_meter_dropped(meter));
}

Slice metrics_write(Metrics *metrics, const MetricsSources *sources, Arena *arena)
{
    Buffer out = buffer_make(arena);
    add_head(&out, "info", "gauge", "This program.");
    buffer_add_format(&out, "brume_info{version=\"%s\"} 1\n", BRUME_VERSION);
    add_operations(metrics, &out);
    add_throttled(&out, metrics);
    add_store(&out, sources->store);
    add_http(&out, sources->http);
    if (sources->runtime != NULL)
        add_functions(&out, sources->runtime, arena);
    if (sources->events != NULL)
        add_events(&out, sources->events);
    if (sources->pollers != NULL)
        add_mappings(&out, sources->pollers);
    add_mapping_rows(&out, &sources->mappings);
    if (sources->log_meter != NULL)
        add_log_metrics(&out, sources->log_meter);
    add_urls(&out, sources->urls);
    add_memory(&out, sources->os, arena);
    return buffer_slice(&out);
}

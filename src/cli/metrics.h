/* metrics.h: what the server counts, as Prometheus reads it (Prometheus documentation, "Exposition formats").
 *
 * Counting is done on the loops, by atomics; the text is written on the loop that was asked. */
#ifndef BRUME_CLI_METRICS_H
#define BRUME_CLI_METRICS_H

#include "aws/wire/wire.h"
#include "cli/metrics_mappings.h"
#include "core/event_runner.h"
#include "core/log_meter.h"
#include "core/poller.h"
#include "runtime/runtime.h"

typedef struct Metrics Metrics;

Metrics *metrics_open(const Service *const *services, size_t service_count);
void metrics_close(Metrics *metrics);

/* Counts one answered request. Any thread. */
void metrics_count(Metrics *metrics, const WireReport *report);

/* Who is asked what there is. NULL: `runtime`, `events` and `pollers` where no functions can be run. */
typedef struct MetricsSources {
    Os *os;
    Store *store;
    HttpServer *http;
    HttpHandler *urls; /* of functions (aws/lambda/url_handler.h) */
    Runtime *runtime;
    EventRunner *events;
    const Pollers *pollers;
    MappingRows mappings;
    LogMeter *log_meter;
} MetricsSources;

/* All of it as text, in `arena`. */
Slice metrics_write(Metrics *metrics, const MetricsSources *sources, Arena *arena);

#endif

/* metrics.h: what the server counts, as Prometheus reads it (Prometheus documentation, "Exposition formats").
 *
 * Counting is done on the loops, by atomics; the text is written on the loop that was asked. */
#ifndef BRUME_CLI_METRICS_H
#define BRUME_CLI_METRICS_H

#include "aws/wire/wire.h"
#include "core/event_runner.h"
#include "runtime/runtime.h"

typedef struct Metrics Metrics;

Metrics *metrics_open(const Service *const *services, size_t service_count);
void metrics_close(Metrics *metrics);

/* Counts one answered request. Any thread. */
void metrics_count(Metrics *metrics, const WireReport *report);

/* All of it as text, in `arena`. `runtime` and `events` NULL: there are no functions to count; `urls`: theirs
 * (aws/lambda/url_handler.h). */
Slice metrics_write(Metrics *metrics, Os *os, Store *store, HttpServer *server, const Runtime *runtime,
                    EventRunner *events, HttpHandler *urls, Arena *arena);

#endif

/* log_measure.h: what metric filters find in events: samples of metrics.
 *
 * Pure, and may take long: for a worker thread. Of one owner. */
#ifndef BRUME_CORE_LOG_MEASURE_H
#define BRUME_CORE_LOG_MEASURE_H

#include "base/map.h"
#include "core/log_metric.h"

/* The values that one metric got in one minute of the events' times: what CloudWatch calls a statistic set. */
typedef struct LogSample {
    Slice series; /* of account, region, namespace, metric, unit and dimensions: the same for the same */
    Slice account;
    Slice region;
    Slice namespace_name;
    Slice metric;
    Slice unit; /* "None": none was given */
    Labels dimensions;
    uint64_t minute; /* since 1970 */
    uint64_t count;
    double sum;
    double minimum;
    double maximum;
    bool is_default; /* for want of an event that matches: it counts where the minute has nothing else */
} LogSample;

/* Starts zeroed, but for `arena` and `samples`. */
typedef struct LogSamples {
    Arena *arena;     /* of what is found */
    Map samples;      /* by series, minute and whether it is the default; of LogSample */
    uint64_t dropped; /* values for which there was no room */
} LogSamples;

/* Adds what the filter finds in events of a group of that account and region. */
void log_measure(LogSamples *samples, const LogMetricFilter *filter, Slice account, Slice region,
                 const LogEntry *entries, size_t count);

#endif

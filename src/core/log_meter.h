/* log_meter.h: the sums of what metric filters have found since the server was started, for who watches it.
 *
 * In memory alone, and bounded: of a series that finds no place, values are counted as dropped. Any thread; a short lock. */
#ifndef BRUME_CORE_LOG_METER_H
#define BRUME_CORE_LOG_METER_H

#include "core/log_measure.h"
#include "os/os.h"

enum { LOG_METER_SERIES = 1000 };

typedef struct LogMeter LogMeter;

LogMeter *log_meter_open(Os *os);
void log_meter_close(LogMeter *meter);

/* Takes what was found; each sample is taken once. The sum of a minute's default counts once, and only where nothing came
 * before it in that minute (CloudWatch Logs API reference, MetricTransformation: defaultValue). */
void log_meter_add(LogMeter *meter, const LogSamples *samples);
/* Each series: `sample` has its sum and count, and lasts as long as the call. */
void log_meter_walk(LogMeter *meter, void (*each)(void *user, const LogSample *sample), void *user);
/* Values that found no place. */
uint64_t log_meter_dropped(LogMeter *meter);

/* For LogSamples.samples. */
MapSeed log_meter_seed(const LogMeter *meter);

#endif

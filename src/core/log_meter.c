#include "core/log_meter.h"

#include "base/bug.h"

#include <pthread.h>
#include <stdlib.h>

struct LogMeter {
    pthread_mutex_t mutex; /* of what follows, but for the seed */
    Map series;            /* of LogSample, whose minute is the last one that got something */
    Arena arena;           /* of them */
    uint64_t dropped;
    MapSeed seed;
};

/* A copy that is the meter's, with nothing counted. */
static LogSample *begin(LogMeter *meter, const LogSample *from)
{
    LogSample *series = ARENA_NEW(&meter->arena, LogSample);
    *series = *from;
    Slice *slices[] = {&series->series,         &series->account, &series->region,
                       &series->namespace_name, &series->metric,  &series->unit};
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++)
        *slices[i] = arena_copy(&meter->arena, *slices[i]);
    series->dimensions.items = ARENA_ARRAY(&meter->arena, Label, from->dimensions.count + 1);
    for (size_t i = 0; i < from->dimensions.count; i++)
        series->dimensions.items[i] = (Label){arena_copy(&meter->arena, from->dimensions.items[i].key),
                                              arena_copy(&meter->arena, from->dimensions.items[i].value)};
    series->count = 0;
    series->sum = 0;
    series->minute = 0;
    map_put(&meter->series, series->series, series);
    return series;
}

static void add(LogMeter *meter, const LogSample *sample)
{
    LogSample *series = map_get(&meter->series, sample->series);
    if (series == NULL && meter->series.count >= LOG_METER_SERIES) {
        meter->dropped += sample->count;
        return;
    }
    if (series == NULL)
        series = begin(meter, sample);
    if (sample->is_default && series->minute >= sample->minute)
        return;
    series->count += sample->is_default ? 1 : sample->count;
    series->sum += sample->is_default ? sample->minimum : sample->sum;
    series->minimum = sample->minimum < series->minimum ? sample->minimum : series->minimum;
    series->maximum = sample->maximum > series->maximum ? sample->maximum : series->maximum;
    if (sample->minute > series->minute)
        series->minute = sample->minute;
}

/* What matched first, so that a default of the same minute is left out. */
static void add_all(LogMeter *meter, const LogSamples *samples, bool defaults)
{
    const MapEntry *entry;
    size_t position = 0;
    while ((entry = map_next(&samples->samples, &position)) != NULL) {
        const LogSample *sample = entry->value;
        if (sample->is_default == defaults)
            add(meter, sample);
    }
}

void log_meter_add(LogMeter *meter, const LogSamples *samples)
{
    pthread_mutex_lock(&meter->mutex);
    add_all(meter, samples, false);
    add_all(meter, samples, true);
    meter->dropped += samples->dropped;
    pthread_mutex_unlock(&meter->mutex);
}

void log_meter_walk(LogMeter *meter, void (*each)(void *user, const LogSample *sample), void *user)
{
    const MapEntry *entry;
    size_t position = 0;
    pthread_mutex_lock(&meter->mutex);
    while ((entry = map_next(&meter->series, &position)) != NULL)
        each(user, entry->value);
    pthread_mutex_unlock(&meter->mutex);
}

uint64_t log_meter_dropped(LogMeter *meter)
{
    pthread_mutex_lock(&meter->mutex);
    uint64_t dropped = meter->dropped;
    pthread_mutex_unlock(&meter->mutex);
    return dropped;
}

MapSeed log_meter_seed(const LogMeter *meter)
{
    return meter->seed;
}

LogMeter *log_meter_open(Os *os)
{
    LogMeter *meter = calloc(1, sizeof *meter);
    ASSERT(meter != NULL);
    os_random(os, &meter->seed, sizeof meter->seed);
    pthread_mutex_init(&meter->mutex, NULL);
    meter->series = map_make(meter->seed);
    return meter;
}

void log_meter_close(LogMeter *meter)
{
    map_free(&meter->series);
    arena_free(&meter->arena);
    pthread_mutex_destroy(&meter->mutex);
    free(meter);
}

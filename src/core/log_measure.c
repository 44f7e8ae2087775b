#include "core/log_measure.h"

#include "core/log_pattern.h"
#include "store/key.h"

#include <math.h>

enum {
    MINUTE_MS = 60 * 1000,
    SAMPLES_MAX = 10000,         /* that are in memory at a time */
    DIMENSION_VALUE_BYTES = 1024 /* CloudWatch API reference, Dimension: Value */
};

/* ---- Samples ---- */

static Slice series_of(Arena *arena, const LogSample *sample)
{
    Buffer key = buffer_make(arena);
    const Slice parts[] = {sample->account, sample->region, sample->namespace_name, sample->metric, sample->unit};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        value_add_bytes(&key, parts[i]);
    for (size_t i = 0; i < sample->dimensions.count; i++) {
        value_add_bytes(&key, sample->dimensions.items[i].key);
        value_add_bytes(&key, sample->dimensions.items[i].value);
    }
    return buffer_slice(&key);
}

static Slice key_of(Arena *arena, const LogSample *sample)
{
    Buffer key = buffer_make(arena);
    buffer_add(&key, sample->series);
    value_add_uint64(&key, sample->minute);
    value_add_uint64(&key, sample->is_default);
    return buffer_slice(&key);
}

static LogSample *keep(Arena *arena, const LogSample *from)
{
    LogSample *sample = ARENA_NEW(arena, LogSample);
    *sample = *from;
    sample->series = arena_copy(arena, from->series);
    sample->dimensions.items = ARENA_ARRAY(arena, Label, from->dimensions.count + 1);
    for (size_t i = 0; i < from->dimensions.count; i++)
        sample->dimensions.items[i] =
            (Label){from->dimensions.items[i].key, arena_copy(arena, from->dimensions.items[i].value)};
    return sample;
}

/* The rest of the sample says whose value it is. */
static void add(LogSamples *samples, const LogSample *whose, double value, Arena *scratch)
{
    Slice key = key_of(scratch, whose);
    LogSample *sample = map_get(&samples->samples, key);
    if (sample == NULL && samples->samples.count >= SAMPLES_MAX) {
        samples->dropped++;
        return;
    }
    if (sample == NULL) {
        sample = keep(samples->arena, whose);
        sample->minimum = sample->maximum = value;
        map_put(&samples->samples, key, sample);
    }
    sample->count++;
    sample->sum += value;
    sample->minimum = value < sample->minimum ? value : sample->minimum;
    sample->maximum = value > sample->maximum ? value : sample->maximum;
}

/* ---- Measuring ---- */

static bool value_of(const LogPattern *pattern, Slice value, Slice message, Arena *scratch, double *number)
{
    if (slice_starts_with(value, SLICE("$")))
        value = log_pattern_value(pattern, value, message, scratch);
    return value.data != NULL && log_pattern_number(value, number) && isfinite(*number);
}

/* False: the event lacks one of them, and is no value of the metric. */
static bool dimensions_of(const LogPattern *pattern, const Labels *wanted, Slice message, Arena *scratch, Labels *out)
{
    out->items = ARENA_ARRAY(scratch, Label, wanted->count + 1);
    out->count = wanted->count;
    for (size_t i = 0; i < wanted->count; i++) {
        Slice value = log_pattern_value(pattern, wanted->items[i].value, message, scratch);
        if (value.size == 0 || value.size > DIMENSION_VALUE_BYTES)
            return false;
        out->items[i] = (Label){wanted->items[i].key, value};
    }
    return true;
}

static void measure_event(LogSamples *samples, const LogMetricFilter *filter, const LogPattern *pattern,
                          LogSample *whose, const LogEntry *entry, Arena *scratch)
{
    double value;
    if (!value_of(pattern, filter->value, entry->message, scratch, &value) ||
        !dimensions_of(pattern, &filter->dimensions, entry->message, scratch, &whose->dimensions))
        return;
    whose->minute = entry->place.time_ms / MINUTE_MS;
    whose->series = series_of(scratch, whose);
    add(samples, whose, value, scratch);
}

void log_measure(LogSamples *samples, const LogMetricFilter *filter, Slice account, Slice region,
                 const LogEntry *entries, size_t count)
{
    const char *why;
    LogPattern *pattern;
    Arena scratch = arena_make();
    bool any = false;
    LogSample whose = {.account = account,
                       .region = region,
                       .namespace_name = filter->namespace_name,
                       .metric = filter->metric,
                       .unit = filter->unit.data == NULL ? SLICE("None") : filter->unit};
    /* It was checked when it was made: of another version, perhaps. */
    if (log_pattern_compile(filter->pattern, &scratch, &pattern, &why) != OK)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        ArenaMark mark = arena_mark(&scratch);
        if (log_pattern_matches(pattern, entries[i].message, &scratch)) {
            any = true;
            measure_event(samples, filter, pattern, &whose, &entries[i], &scratch);
        }
        arena_rewind(&scratch, mark);
    }
    if (!any && count > 0 && filter->has_default) {
        whose.is_default = true;
        whose.dimensions = (Labels){0}; /* who has a default value has none */
        whose.minute = entries[count - 1].place.time_ms / MINUTE_MS;
        whose.series = series_of(&scratch, &whose);
        add(samples, &whose, filter->default_value, &scratch);
    }
    arena_free(&scratch);
}

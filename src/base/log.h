/* log.h: one line for each thing that an operator wants to know, with fields that programs can read.
 *
 *     LOG(log, INFO, "listening", log_string("address", address), log_uint("port", port));
 *     time=2026-01-31T00:00:00.000Z level=info event=listening address=127.0.0.1 port=4566
 *
 * `main` makes the log and passes it down; NULL logs nothing. Any thread may log. A line is one write(2) of at most
 * LOG_LINE_MAX bytes, which a pipe keeps whole; it blocks only when whoever reads the log does not. More lines in a
 * second than are allowed are dropped, and the next line that is not says how many. Hostile values cannot forge a
 * line or a field: what is not plain is quoted and escaped. Secrets are never passed to it (design, section 8). */
#ifndef BRUME_BASE_LOG_H
#define BRUME_BASE_LOG_H

#include "base/error.h"
#include "base/slice.h"

#include <stdatomic.h>

enum { LOG_LINE_MAX = 4096, LOG_VALUE_MAX = 1024 };

typedef enum LogLevel { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;
typedef enum LogFormat { LOG_FORMAT_TEXT, LOG_FORMAT_JSON } LogFormat;

typedef struct Log {
    int file; /* a descriptor, the caller's; standard error as a rule */
    LogFormat format;
    LogLevel level;            /* this one and more serious ones are printed */
    uint32_t lines_per_second; /* 0: no bound */
    uint64_t (*wall_us)(void *clock);
    void *clock;
    /* The second of the wall clock (upper half) and the lines printed in it (lower half). */
    atomic_uint_least64_t window;
    atomic_uint_least64_t dropped; /* not yet told of */
    atomic_bool torn;              /* the last line was written in part: the disk was full */
} Log;

/* One key and its value. Keys are literals of ours: lower-case words joined by '_'. */
typedef struct LogField {
    const char *key;
    enum { LOG_FIELD_TEXT, LOG_FIELD_UINT, LOG_FIELD_INT, LOG_FIELD_BOOLEAN } kind;
    union {
        Slice text;
        uint64_t uint;
        int64_t integer;
        bool boolean;
    } value;
} LogField;

/* Any bytes; those past LOG_VALUE_MAX are cut off, visibly. */
static inline LogField log_text(const char *key, Slice value)
{
    return (LogField){key, LOG_FIELD_TEXT, {.text = value}};
}

static inline LogField log_string(const char *key, const char *value)
{
    return log_text(key, slice_of_string(value));
}

static inline LogField log_uint(const char *key, uint64_t value)
{
    return (LogField){key, LOG_FIELD_UINT, {.uint = value}};
}

static inline LogField log_int(const char *key, int64_t value)
{
    return (LogField){key, LOG_FIELD_INT, {.integer = value}};
}

static inline LogField log_boolean(const char *key, bool value)
{
    return (LogField){key, LOG_FIELD_BOOLEAN, {.boolean = value}};
}

/* What the environment's error means. */
static inline LogField log_error(Error error)
{
    return log_string("error", error_text(error));
}

/* Prints one line; `fields` end with one whose key is NULL. Fields that no longer fit are left out, and counted in the
 * line. Use the macro. */
void log_line(Log *log, LogLevel level, const char *event, const LogField *fields);

/* LOG(log, INFO, "event", log_text(...), ...): the level is ERROR, WARNING, INFO or DEBUG. Fields are computed only
 * when the level is printed. */
#define LOG(log, severity, event, ...)                                                                                 \
    do {                                                                                                               \
        if ((log) != NULL && LOG_LEVEL_##severity <= (log)->level)                                                     \
            log_line((log), LOG_LEVEL_##severity, (event), (const LogField[]){__VA_ARGS__ __VA_OPT__(, ){0}});         \
    } while (0)

/* Tells of lines dropped and not yet told of; before the process ends. */
void log_finish(Log *log);

/* error, warning, info, debug; false for another name. */
bool log_level_parse(Slice name, LogLevel *level);
/* text, json; false for another name. */
bool log_format_parse(Slice name, LogFormat *format);

#endif

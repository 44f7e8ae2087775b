/* log.h: log lines on standard error, as text or JSON.
 *
 * A line is an event and its fields, written by one write(2). Any thread. Secrets are never given to it. */
#ifndef BRUME_CLI_LOG_H
#define BRUME_CLI_LOG_H

#include "base/slice.h"
#include "os/os.h"

typedef enum LogFormat { LOG_TEXT, LOG_JSON, LOG_FORMATS } LogFormat;
typedef enum LogLevel { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVELS } LogLevel;

extern const char *const log_format_names[LOG_FORMATS];
extern const char *const log_level_names[LOG_LEVELS];

typedef struct Log {
    Os *os;
    LogFormat format;
    LogLevel level; /* lines above it are left out */
} Log;

typedef struct LogField {
    const char *name;
    Slice value; /* absent: the field is left out */
} LogField;

/* Writes a line; `fields` ends with a row without a name. */
void log_event(const Log *log, LogLevel level, const char *event, const LogField *fields);

#define LOG_FIELDS(...) ((const LogField[]){__VA_ARGS__, {NULL, {NULL, 0}}})

#endif

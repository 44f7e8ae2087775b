/* log_pattern.h: filter patterns: which log events are meant (CloudWatch Logs user guide, "Filter pattern syntax for metric
 * filters, subscription filters, filter log events, and Live Tail").
 *
 * Three languages: terms (`ERROR -debug`, `?WARN ?"not found"`), JSON (`{ $.code >= 500 && $.path = "/api*" }`), and fields
 * between spaces (`[ip, user, ..., status = 4*]`); in each of them a value may be a regular expression (`%[Ee]rror%`).
 * Compiled once, in an arena; matched by one thread at a time, in a time that is bounded by the sizes of both. Pure. */
#ifndef BRUME_CORE_LOG_PATTERN_H
#define BRUME_CORE_LOG_PATTERN_H

#include "base/arena.h"
#include "core/core_error.h"

enum { LOG_PATTERN_BYTES_MAX = 1024 }; /* CloudWatch Logs API reference, FilterLogEvents: filterPattern */

typedef struct LogPattern LogPattern;

/* LOG_PATTERN_INVALID: `why` says what is wrong, in a few words. The text is copied. */
Error log_pattern_compile(Slice text, Arena *arena, LogPattern **pattern, const char **why);

/* `scratch` is used while it runs, and left as it was. */
bool log_pattern_matches(const LogPattern *pattern, Slice message, Arena *scratch);

/* What the pattern names in a message that matches: "$.field" of JSON, "$name" of fields. */
typedef struct LogExtract {
    Slice name;
    Slice value;
} LogExtract;
void log_pattern_extract(const LogPattern *pattern, Slice message, Arena *arena, LogExtract **values, size_t *count);

/* Whether it names parts of an event at all: terms do not. */
bool log_pattern_has_fields(const LogPattern *pattern);
/* Whether events that match can have that: any "$.field" where the pattern is JSON, "$name" of a field where it names one. */
bool log_pattern_names(const LogPattern *pattern, Slice name, Arena *arena);
/* That of a message that matches; absent: it has none. */
Slice log_pattern_value(const LogPattern *pattern, Slice name, Slice message, Arena *arena);
/* Decimal, with an exponent perhaps. */
bool log_pattern_number(Slice text, double *number);

#endif

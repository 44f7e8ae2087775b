/* limits.h: the limits table (limits.def) as numbers.
 *
 * `limits_default` holds the defaults; the process may carry a changed copy, which is fixed once it runs. */
#ifndef BRUME_BASE_LIMITS_H
#define BRUME_BASE_LIMITS_H

#include "base/slice.h"

typedef enum LimitName {
#define LIMIT(name, value, unit, source) LIMIT_##name,
#include "base/limits.def"
#undef LIMIT
    LIMIT_COUNT
} LimitName;

typedef struct Limits {
    uint64_t value[LIMIT_COUNT];
} Limits;

/* One row of the table, for help and documentation. */
typedef struct LimitRow {
    const char *name;
    uint64_t value;
    const char *unit;
    const char *source;
} LimitRow;

extern const LimitRow limit_rows[LIMIT_COUNT];
extern const Limits limits_default;

/* Sets the limit of that name; false when there is none. */
bool limits_set(Limits *limits, Slice name, uint64_t value);

#endif

#include "base/limits.h"

const LimitRow limit_rows[LIMIT_COUNT] = {
#define LIMIT(name, value, unit, source) [LIMIT_##name] = {#name, value, unit, source},
#include "base/limits.def"
#undef LIMIT
};

const Limits limits_default = {.value = {
#define LIMIT(name, value, unit, source) [LIMIT_##name] = value,
#include "base/limits.def"
#undef LIMIT
                               }};

bool limits_set(Limits *limits, Slice name, uint64_t value)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        if (slice_equal_ignore_case(name, slice_of_string(limit_rows[i].name))) {
            limits->value[i] = value;
            return true;
        }
    }
    return false;
}

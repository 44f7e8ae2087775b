#include "base/slice.h"

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool slice_equal_ignore_case(Slice a, Slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

bool slice_parse_uint64(Slice slice, uint64_t *value)
{
    uint64_t result = 0;
    if (slice.size == 0)
        return false;
    for (size_t i = 0; i < slice.size; i++) {
        unsigned digit = (unsigned)(unsigned char)slice.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(result, 10u, &result) || __builtin_add_overflow(result, digit, &result))
            return false;
    }
    *value = result;
    return true;
}

bool slice_parse_int64(Slice slice, int64_t *value)
{
    bool negative = slice.size > 0 && slice.data[0] == '-';
    uint64_t magnitude;
    if (!slice_parse_uint64(negative ? slice_skip(slice, 1) : slice, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

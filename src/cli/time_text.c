#include "cli/time_text.h"

#include "base/bug.h"

#include <time.h>

static bool read_digits(Slice text, size_t at, size_t count, int *value)
{
    uint64_t number;
    if (at + count > text.size || !slice_parse_uint64(slice_make(text.data + at, count), &number))
        return false;
    *value = (int)number;
    return true;
}

static bool read_date(Slice text, struct tm *date)
{
    if (text.size < 10 || text.data[4] != '-' || text.data[7] != '-' || !read_digits(text, 0, 4, &date->tm_year) ||
        !read_digits(text, 5, 2, &date->tm_mon) || !read_digits(text, 8, 2, &date->tm_mday))
        return false;
    date->tm_year -= 1900;
    date->tm_mon -= 1;
    return true;
}

static bool read_clock(Slice text, struct tm *date, int *milliseconds)
{
    if (text.size < 10 || text.data[0] != 'T' || text.data[3] != ':' || text.data[6] != ':' ||
        text.data[text.size - 1] != 'Z' || !read_digits(text, 1, 2, &date->tm_hour) ||
        !read_digits(text, 4, 2, &date->tm_min) || !read_digits(text, 7, 2, &date->tm_sec))
        return false;
    return text.size == 10 || (text.size == 14 && text.data[9] == '.' && read_digits(text, 10, 3, milliseconds));
}

bool time_read(Slice text, uint64_t *ms)
{
    struct tm date = {0};
    int milliseconds = 0;
    if (!read_date(text, &date) || (text.size > 10 && !read_clock(slice_skip(text, 10), &date, &milliseconds)))
        return false;
    /* timegm moves days that there are not into the next month: such a date comes back as another. */
    struct tm same = date;
    time_t seconds = timegm(&same);
    if (seconds < 0 || same.tm_mday != date.tm_mday || same.tm_mon != date.tm_mon || same.tm_hour != date.tm_hour ||
        same.tm_min != date.tm_min || same.tm_sec != date.tm_sec)
        return false;
    *ms = (uint64_t)seconds * 1000 + (uint64_t)milliseconds;
    return true;
}

static Slice write_time(Arena *arena, uint64_t ms, const char *format)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm date;
    char text[64];
    ASSERT(gmtime_r(&seconds, &date) != NULL);
    size_t size = strftime(text, sizeof text, format, &date);
    ASSERT(size > 0);
    return arena_copy(arena, slice_make(text, size));
}

Slice time_write(Arena *arena, uint64_t ms)
{
    if (ms % 1000 == 0)
        return write_time(arena, ms, "%Y-%m-%dT%H:%M:%SZ");
    Slice seconds = write_time(arena, ms, "%Y-%m-%dT%H:%M:%S");
    return arena_format(arena, "%.*s.%03uZ", SLICE_PRINT(seconds), (unsigned)(ms % 1000));
}

Slice time_write_basic(Arena *arena, uint64_t ms)
{
    return write_time(arena, ms, "%Y%m%dT%H%M%SZ");
}

bool duration_read(Slice text, uint64_t *ms)
{
    static const struct {
        Slice unit;
        uint64_t ms;
    } units[] = {
        {SLICE_INIT("ms"), 1},      {SLICE_INIT("s"), 1000},     {SLICE_INIT("m"), 60000},
        {SLICE_INIT("h"), 3600000}, {SLICE_INIT("d"), 86400000}, {SLICE_INIT("w"), 604800000},
    };
    *ms = 0;
    if (text.size == 0)
        return false;
    while (text.size > 0) {
        size_t digits = 0;
        while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
            digits++;
        uint64_t number;
        if (!slice_parse_uint64(slice_make(text.data, digits), &number))
            return false;
        text = slice_skip(text, digits);
        size_t letters = 0;
        while (letters < text.size && text.data[letters] >= 'a' && text.data[letters] <= 'z')
            letters++;
        uint64_t unit = 0;
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
            if (slice_equal(slice_make(text.data, letters), units[i].unit))
                unit = units[i].ms;
        text = slice_skip(text, letters);
        if (unit == 0 || __builtin_mul_overflow(number, unit, &number) || __builtin_add_overflow(*ms, number, ms))
            return false;
    }
    return true;
}

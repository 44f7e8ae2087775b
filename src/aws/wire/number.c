#include "aws/wire/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { NUMBER_BYTES_MAX = 400, MS_PER_DAY = 86400000 };

bool number_parse_double(Slice text, double *value)
{
    /* strtod reads more than numbers (inf, nan, hexadecimal): only these characters may come. */
    char copy[NUMBER_BYTES_MAX + 1];
    if (text.size == 0 || text.size > NUMBER_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (memchr("0123456789+-.eE", text.data[i], 15) == NULL)
            return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end;
    *value = strtod(copy, &end);
    return end == copy + text.size && isfinite(*value);
}

bool number_parse_integer(Slice text, int64_t min, int64_t max, int64_t *value)
{
    if (!slice_parse_int64(text, value)) {
        double number;
        if (!number_parse_double(text, &number) || number != floor(number))
            return false;
        /* Beyond 2^53 a double cannot tell neighbours apart: whole numbers of that size come without an exponent. */
        if (fabs(number) > 9007199254740992.0)
            return false;
        *value = (int64_t)number;
    }
    return *value >= min && *value <= max;
}

bool number_parse_epoch(Slice text, int64_t *ms)
{
    double seconds;
    if (!number_parse_double(text, &seconds) || fabs(seconds) > 9007199254740.0)
        return false;
    *ms = (int64_t)llround(seconds * 1000);
    return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; March counts as the first month, so that the leap day is
 * the last day of the year. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted + (shifted < 10 ? 3 : -9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static bool take_digits(Slice *text, size_t count, int64_t *value)
{
    uint64_t number;
    if (text->size < count || !slice_parse_uint64(slice_make(text->data, count), &number))
        return false;
    *value = (int64_t)number;
    *text = slice_skip(*text, count);
    return true;
}

static bool take_byte(Slice *text, char byte)
{
    if (text->size == 0 || text->data[0] != byte)
        return false;
    *text = slice_skip(*text, 1);
    return true;
}

bool number_parse_date_time(Slice text, int64_t *ms)
{
    int64_t year, month, day, hour, minute, second;
    if (!take_digits(&text, 4, &year) || !take_byte(&text, '-') || !take_digits(&text, 2, &month) ||
        !take_byte(&text, '-') || !take_digits(&text, 2, &day) || !take_byte(&text, 'T') ||
        !take_digits(&text, 2, &hour) || !take_byte(&text, ':') || !take_digits(&text, 2, &minute) ||
        !take_byte(&text, ':') || !take_digits(&text, 2, &second))
        return false;
    int64_t fraction_ms = 0;
    if (take_byte(&text, '.')) {
        int64_t weight = 100;
        size_t digits = 0;
        for (int64_t digit; digits < 9 && take_digits(&text, 1, &digit); digits++, weight /= 10)
            fraction_ms += digit * weight;
        if (digits == 0)
            return false;
    }
    if (!take_byte(&text, 'Z') || text.size > 0)
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds = days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *ms = seconds * 1000 + fraction_ms;
    return true;
}

void number_add_epoch(Buffer *out, int64_t ms)
{
    if (ms % 1000 == 0)
        buffer_add_int64(out, ms / 1000);
    else
        buffer_add_format(out, "%s%lld.%03lld", ms < 0 ? "-" : "", llabs(ms / 1000), llabs(ms % 1000));
}

void number_add_date_time(Buffer *out, int64_t ms)
{
    int64_t days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
    int64_t rest = ms - days * MS_PER_DAY;
    int64_t year, month, day;
    date_of_days(days, &year, &month, &day);
    buffer_add_format(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, (int)month, (int)day, (int)(rest / 3600000),
                      (int)(rest / 60000 % 60), (int)(rest / 1000 % 60));
    if (rest % 1000 != 0)
        buffer_add_format(out, ".%03d", (int)(rest % 1000));
    BUFFER_ADD(out, "Z");
}

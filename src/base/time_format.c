#include "base/time_format.h"

#include <stdio.h>

enum {
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    DAYS_BEFORE_1970 = 719162, /* since 0001-01-01, in the Gregorian calendar */
    DAYS_IN_400_YEARS = 146097,
    YEAR_MAX = 9999,
};

static const char day_names[7][10] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

typedef struct Civil {
    unsigned year;
    unsigned month; /* from 1 */
    unsigned day;   /* from 1 */
    unsigned hour;
    unsigned minute;
    unsigned second;
    unsigned ms;
    unsigned weekday; /* from Sunday, 0; filled by civil_of_time only */
} Civil;

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* Days from 0001-01-01 to the first of January of the year. */
static unsigned days_before_year(unsigned year)
{
    unsigned past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

static Civil civil_of_time(int64_t time_ms)
{
    if (time_ms < TIME_MIN_MS)
        time_ms = TIME_MIN_MS;
    if (time_ms > TIME_MAX_MS)
        time_ms = TIME_MAX_MS;
    uint64_t since_year_1 = (uint64_t)(time_ms - TIME_MIN_MS);
    unsigned days = (unsigned)(since_year_1 / DAY_MS);
    unsigned ms = (unsigned)(since_year_1 % DAY_MS);
    Civil civil = {.hour = ms / HOUR_MS,
                   .minute = ms / MINUTE_MS % 60,
                   .second = ms / SECOND_MS % 60,
                   .ms = ms % SECOND_MS,
                   .weekday = (days + 1) % 7}; /* 0001-01-01 was a Monday */
    /* The mean length of a year leads to the year or the one beside it. */
    unsigned year = (unsigned)((uint64_t)days * 400 / DAYS_IN_400_YEARS) + 1;
    while (days_before_year(year) > days)
        year--;
    while (days_before_year(year + 1) <= days)
        year++;
    days -= days_before_year(year);
    unsigned month = 1;
    for (; days >= days_in_month(year, month); month++)
        days -= days_in_month(year, month);
    civil.year = year;
    civil.month = month;
    civil.day = days + 1;
    return civil;
}

/* ERROR_MALFORMED: no such day or time of day. */
static Error time_of_civil(const Civil *civil, int64_t *time_ms)
{
    if (civil->year < 1 || civil->year > YEAR_MAX || civil->month < 1 || civil->month > 12 || civil->day < 1 ||
        civil->day > days_in_month(civil->year, civil->month) || civil->hour > 23 || civil->minute > 59)
        return ERROR_MALFORMED;
    bool may_leap = civil->hour == 23 && civil->minute == 59;
    if (civil->second > (may_leap ? 60u : 59u))
        return ERROR_MALFORMED;
    int64_t days = (int64_t)days_before_year(civil->year) + civil->day - 1 - DAYS_BEFORE_1970;
    for (unsigned month = 1; month < civil->month; month++)
        days += days_in_month(civil->year, month);
    *time_ms = days * DAY_MS + (int64_t)civil->hour * HOUR_MS + (int64_t)civil->minute * MINUTE_MS +
               (int64_t)civil->second * SECOND_MS + civil->ms;
    return *time_ms <= TIME_MAX_MS ? OK : ERROR_MALFORMED;
}

/* ---- Formatting ---- */

static char *add_digits(char *at, unsigned value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + digits;
}

static char *add_character(char *at, char c)
{
    *at = c;
    return at + 1;
}

Slice time_format_iso_basic(int64_t time_ms, char text[TIME_TEXT_MAX])
{
    Civil civil = civil_of_time(time_ms);
    char *at = add_digits(text, civil.year, 4);
    at = add_digits(at, civil.month, 2);
    at = add_digits(at, civil.day, 2);
    at = add_character(at, 'T');
    at = add_digits(at, civil.hour, 2);
    at = add_digits(at, civil.minute, 2);
    at = add_digits(at, civil.second, 2);
    at = add_character(at, 'Z');
    return slice_make(text, (size_t)(at - text));
}

static char *add_iso(char *at, const Civil *civil)
{
    at = add_digits(at, civil->year, 4);
    at = add_character(at, '-');
    at = add_digits(at, civil->month, 2);
    at = add_character(at, '-');
    at = add_digits(at, civil->day, 2);
    at = add_character(at, 'T');
    at = add_digits(at, civil->hour, 2);
    at = add_character(at, ':');
    at = add_digits(at, civil->minute, 2);
    at = add_character(at, ':');
    return add_digits(at, civil->second, 2);
}

Slice time_format_iso(int64_t time_ms, char text[TIME_TEXT_MAX])
{
    Civil civil = civil_of_time(time_ms);
    char *at = add_character(add_iso(text, &civil), 'Z');
    return slice_make(text, (size_t)(at - text));
}

Slice time_format_iso_ms(int64_t time_ms, char text[TIME_TEXT_MAX])
{
    Civil civil = civil_of_time(time_ms);
    char *at = add_character(add_iso(text, &civil), '.');
    at = add_character(add_digits(at, civil.ms, 3), 'Z');
    return slice_make(text, (size_t)(at - text));
}

Slice time_format_http(int64_t time_ms, char text[TIME_TEXT_MAX])
{
    Civil civil = civil_of_time(time_ms);
    int size = snprintf(text, TIME_TEXT_MAX, "%.3s, %02u %s %04u %02u:%02u:%02u GMT", day_names[civil.weekday],
                        civil.day, month_names[civil.month - 1], civil.year, civil.hour, civil.minute, civil.second);
    return slice_make(text, (size_t)size);
}

Slice time_format_epoch(int64_t time_ms, char text[TIME_TEXT_MAX])
{
    uint64_t magnitude = time_ms < 0 ? 0 - (uint64_t)time_ms : (uint64_t)time_ms;
    int size = snprintf(text, TIME_TEXT_MAX, "%s%llu.%03u", time_ms < 0 ? "-" : "",
                        (unsigned long long)(magnitude / SECOND_MS), (unsigned)(magnitude % SECOND_MS));
    while (text[size - 1] == '0')
        size--;
    if (text[size - 1] == '.')
        size--;
    return slice_make(text, (size_t)size);
}

/* ---- Parsing: each take_ function moves `text` over what it has read, or says false ---- */

static bool take_character(Slice *text, char c)
{
    if (text->size == 0 || text->data[0] != c)
        return false;
    *text = slice_skip(*text, 1);
    return true;
}

static bool take_digits(Slice *text, size_t digits, unsigned *value)
{
    uint64_t number;
    if (text->size < digits || !slice_parse_uint64(slice_make(text->data, digits), &number))
        return false;
    *value = (unsigned)number;
    *text = slice_skip(*text, digits);
    return true;
}

static bool take_text(Slice *text, Slice wanted)
{
    if (!slice_starts_with(*text, wanted))
        return false;
    *text = slice_skip(*text, wanted.size);
    return true;
}

static bool take_clock(Slice *text, Civil *civil)
{
    return take_digits(text, 2, &civil->hour) && take_character(text, ':') && take_digits(text, 2, &civil->minute) &&
           take_character(text, ':') && take_digits(text, 2, &civil->second);
}

Error time_parse_iso_basic(Slice text, int64_t *time_ms)
{
    Civil civil = {0};
    bool read = take_digits(&text, 4, &civil.year) && take_digits(&text, 2, &civil.month) &&
                take_digits(&text, 2, &civil.day) && take_character(&text, 'T') && take_digits(&text, 2, &civil.hour) &&
                take_digits(&text, 2, &civil.minute) && take_digits(&text, 2, &civil.second) &&
                take_character(&text, 'Z') && text.size == 0;
    return read ? time_of_civil(&civil, time_ms) : ERROR_MALFORMED;
}

/* Behind the point: at least one digit; the first three count. */
static bool take_fraction(Slice *text, unsigned *ms)
{
    size_t digits = 0;
    unsigned value = 0;
    for (; text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9'; *text = slice_skip(*text, 1), digits++)
        if (digits < 3)
            value = value * 10 + (unsigned)(text->data[0] - '0');
    for (size_t i = digits; i < 3; i++)
        value *= 10;
    *ms = value;
    return digits > 0;
}

/* Z, or the distance from UTC as +hh:mm or -hh:mm. */
static bool take_offset(Slice *text, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (take_character(text, 'Z') || take_character(text, 'z'))
        return true;
    bool west = take_character(text, '-');
    unsigned hours;
    unsigned minutes;
    if ((!west && !take_character(text, '+')) || !take_digits(text, 2, &hours) || !take_character(text, ':') ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_ms = (int64_t)hours * HOUR_MS + (int64_t)minutes * MINUTE_MS;
    if (west)
        *offset_ms = -*offset_ms;
    return true;
}

Error time_parse_iso(Slice text, int64_t *time_ms)
{
    Civil civil = {0};
    int64_t offset_ms;
    bool read = take_digits(&text, 4, &civil.year) && take_character(&text, '-') &&
                take_digits(&text, 2, &civil.month) && take_character(&text, '-') &&
                take_digits(&text, 2, &civil.day) && (take_character(&text, 'T') || take_character(&text, 't')) &&
                take_clock(&text, &civil);
    if (!read || (take_character(&text, '.') && !take_fraction(&text, &civil.ms)) || !take_offset(&text, &offset_ms) ||
        text.size != 0)
        return ERROR_MALFORMED;
    int64_t local_ms;
    TRY(time_of_civil(&civil, &local_ms));
    if (local_ms - offset_ms < TIME_MIN_MS || local_ms - offset_ms > TIME_MAX_MS)
        return ERROR_MALFORMED;
    *time_ms = local_ms - offset_ms;
    return OK;
}

static bool take_month_name(Slice *text, unsigned *month)
{
    for (unsigned i = 0; i < 12; i++) {
        if (take_text(text, slice_make(month_names[i], 3))) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* A short day name, or a long one. Which day it was is not compared with the date: the date says more. */
static bool take_day_name(Slice *text, bool whole)
{
    for (unsigned i = 0; i < 7; i++) {
        size_t size = whole ? strlen(day_names[i]) : 3;
        if (take_text(text, slice_make(day_names[i], size)))
            return true;
    }
    return false;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_imf_fixdate(Slice text, Civil *civil)
{
    return take_day_name(&text, false) && take_text(&text, SLICE(", ")) && take_digits(&text, 2, &civil->day) &&
           take_character(&text, ' ') && take_month_name(&text, &civil->month) && take_character(&text, ' ') &&
           take_digits(&text, 4, &civil->year) && take_character(&text, ' ') && take_clock(&text, civil) &&
           take_text(&text, SLICE(" GMT")) && text.size == 0;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool read_rfc850_date(Slice text, Civil *civil)
{
    bool read = take_day_name(&text, true) && take_text(&text, SLICE(", ")) && take_digits(&text, 2, &civil->day) &&
                take_character(&text, '-') && take_month_name(&text, &civil->month) && take_character(&text, '-') &&
                take_digits(&text, 2, &civil->year) && take_character(&text, ' ') && take_clock(&text, civil) &&
                take_text(&text, SLICE(" GMT")) && text.size == 0;
    civil->year += civil->year < 70 ? 2000 : 1900;
    return read;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime_date(Slice text, Civil *civil)
{
    return take_day_name(&text, false) && take_character(&text, ' ') && take_month_name(&text, &civil->month) &&
           take_character(&text, ' ') &&
           (take_character(&text, ' ') ? take_digits(&text, 1, &civil->day) : take_digits(&text, 2, &civil->day)) &&
           take_character(&text, ' ') && take_clock(&text, civil) && take_character(&text, ' ') &&
           take_digits(&text, 4, &civil->year) && text.size == 0;
}

Error time_parse_http(Slice text, int64_t *time_ms)
{
    Civil civil = {0};
    if (!read_imf_fixdate(text, &civil) && !read_rfc850_date(text, &civil) && !read_asctime_date(text, &civil))
        return ERROR_MALFORMED;
    return time_of_civil(&civil, time_ms);
}

/* The digits of a number without their point: value = mantissa * 10^exponent. Digits past the 18th are dropped, which
 * is far below a millisecond for every time that can be told. */
static bool take_mantissa(Slice *text, uint64_t *mantissa, int64_t *exponent)
{
    size_t digits = 0;
    bool fraction = false;
    *mantissa = 0;
    *exponent = 0;
    for (; text->size > 0; *text = slice_skip(*text, 1)) {
        char c = text->data[0];
        if (c == '.' && !fraction && digits > 0 && text->size > 1 && text->data[1] >= '0' && text->data[1] <= '9') {
            fraction = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        bool kept = *mantissa < 100000000000000000u;
        if (kept)
            *mantissa = *mantissa * 10 + (uint64_t)(c - '0');
        *exponent += kept ? -(int64_t)fraction : (int64_t)!fraction;
        digits++;
    }
    return digits > 0;
}

Error time_parse_epoch(Slice text, int64_t *time_ms)
{
    bool negative = take_character(&text, '-');
    uint64_t mantissa;
    int64_t exponent;
    if (!take_mantissa(&text, &mantissa, &exponent))
        return ERROR_MALFORMED;
    if (take_character(&text, 'e') || take_character(&text, 'E')) {
        bool down = take_character(&text, '-');
        if (!down)
            take_character(&text, '+');
        uint64_t written;
        if (!slice_parse_uint64(text, &written) || written > 1000)
            return ERROR_MALFORMED;
        exponent += down ? -(int64_t)written : (int64_t)written;
    } else if (text.size != 0) {
        return ERROR_MALFORMED;
    }
    for (exponent += 3; exponent < 0 && mantissa > 0; exponent++)
        mantissa /= 10;
    for (; exponent > 0 && mantissa > 0; exponent--)
        if (__builtin_mul_overflow(mantissa, (uint64_t)10, &mantissa))
            return ERROR_MALFORMED;
    if (mantissa > (negative ? (uint64_t)-TIME_MIN_MS : (uint64_t)TIME_MAX_MS))
        return ERROR_MALFORMED;
    *time_ms = negative ? -(int64_t)mantissa : (int64_t)mantissa;
    return OK;
}

/* ---- Durations ---- */

typedef struct DurationUnit {
    Slice name;
    uint64_t ms;
} DurationUnit;

/* "ms" is asked for by its whole name, so "m" before it takes nothing from it. */
static const DurationUnit duration_units[] = {
    {SLICE_INIT("d"), DAY_MS},    {SLICE_INIT("h"), HOUR_MS}, {SLICE_INIT("m"), MINUTE_MS},
    {SLICE_INIT("s"), SECOND_MS}, {SLICE_INIT("ms"), 1},
};
enum { DURATION_UNITS = sizeof duration_units / sizeof *duration_units };
static const uint64_t duration_max_ms = 3652500ull * DAY_MS;

Error duration_parse(Slice text, uint64_t *duration_ms)
{
    uint64_t total = 0;
    size_t next_unit = 0;
    if (text.size == 0)
        return ERROR_MALFORMED;
    while (text.size > 0) {
        size_t digits = 0;
        while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
            digits++;
        size_t letters = digits;
        while (letters < text.size && text.data[letters] >= 'a' && text.data[letters] <= 'z')
            letters++;
        Slice number = slice_make(text.data, digits);
        Slice name = slice_make(text.data + digits, letters - digits);
        while (next_unit < DURATION_UNITS && !slice_equal(duration_units[next_unit].name, name))
            next_unit++;
        if (digits == 0 || next_unit == DURATION_UNITS)
            return ERROR_MALFORMED;
        uint64_t count;
        if (!slice_parse_uint64(number, &count) || count > duration_max_ms / duration_units[next_unit].ms)
            return ERROR_TOO_LARGE;
        total += count * duration_units[next_unit++].ms;
        text = slice_skip(text, letters);
    }
    if (total > duration_max_ms)
        return ERROR_TOO_LARGE;
    *duration_ms = total;
    return OK;
}

Slice duration_format(uint64_t duration_ms, char text[TIME_TEXT_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < DURATION_UNITS; i++) {
        uint64_t count = duration_ms / duration_units[i].ms;
        duration_ms %= duration_units[i].ms;
        if (count > 0)
            size += (size_t)snprintf(text + size, TIME_TEXT_MAX - size, "%llu%s", (unsigned long long)count,
                                     duration_units[i].name.data);
    }
    return size > 0 ? slice_make(text, size) : SLICE("0s");
}

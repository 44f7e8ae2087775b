#include "aws/wire/sigv4_internal.h"

#include "base/bug.h"

static bool read_digits(Slice text, size_t at, size_t count, int *value)
{
    int result = 0;
    if (text.size < at + count)
        return false;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        result = result * 10 + (text.data[i] - '0');
    }
    *value = result;
    return true;
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

typedef struct CivilTime {
    int year, month, day, hour, minute, second;
} CivilTime;

/* Seconds since 1970 of a UTC time; false when there is no such time. */
static bool civil_to_seconds(CivilTime t, int64_t *seconds)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (t.year < 1970 || t.month < 1 || t.month > 12 || t.hour > 23 || t.minute > 59 || t.second > 60)
        return false;
    if (t.day < 1 || t.day > month_days[t.month - 1] + (t.month == 2 && is_leap_year(t.year)))
        return false;
    int64_t past = t.year - 1;
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162; /* to 1970-01-01 */
    for (int month = 1; month < t.month; month++)
        days += month_days[month - 1] + (month == 2 && is_leap_year(t.year));
    days += t.day - 1;
    *seconds = ((days * 24 + t.hour) * 60 + t.minute) * 60 + t.second;
    return true;
}

bool sigv4_read_basic_time(Slice text, int64_t *seconds)
{
    CivilTime t;
    return text.size == 16 && text.data[8] == 'T' && text.data[15] == 'Z' && read_digits(text, 0, 4, &t.year) &&
           read_digits(text, 4, 2, &t.month) && read_digits(text, 6, 2, &t.day) && read_digits(text, 9, 2, &t.hour) &&
           read_digits(text, 11, 2, &t.minute) && read_digits(text, 13, 2, &t.second) && civil_to_seconds(t, seconds);
}

bool sigv4_read_http_time(Slice text, int64_t *seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size != 29 || memcmp(text.data + 25, " GMT", 4) != 0)
        return false;
    CivilTime t = {0};
    for (int month = 0; month < 12; month++)
        if (memcmp(text.data + 8, months + month * 3, 3) == 0)
            t.month = month + 1;
    return read_digits(text, 5, 2, &t.day) && read_digits(text, 12, 4, &t.year) && read_digits(text, 17, 2, &t.hour) &&
           read_digits(text, 20, 2, &t.minute) && read_digits(text, 23, 2, &t.second) && civil_to_seconds(t, seconds);
}

Slice sigv4_write_basic_time(Arena *arena, int64_t seconds)
{
    int64_t days = seconds / 86400;
    int64_t rest = seconds % 86400;
    int year = 1970;
    for (; days >= 365 + is_leap_year(year); year++)
        days -= 365 + is_leap_year(year);
    CivilTime t = {year, 1, 1, 0, 0, 0};
    int64_t next;
    /* The month is the last one that starts on or before the day. */
    for (int64_t start = seconds - rest - days * 86400; t.month < 12; t.month++) {
        CivilTime after = {year, t.month + 1, 1, 0, 0, 0};
        ASSERT(civil_to_seconds(after, &next));
        if (next > start + days * 86400)
            break;
    }
    ASSERT(civil_to_seconds(t, &next));
    int day = (int)((seconds - rest - next) / 86400) + 1;
    return arena_format(arena, "%04d%02d%02dT%02d%02d%02dZ", t.year, t.month, day, (int)(rest / 3600),
                        (int)(rest / 60 % 60), (int)(rest % 60));
}

SigV4Verdict sigv4_check_time(const SigV4 *signature, int64_t now_s, Arena *arena, Slice *message)
{
    int64_t earliest = now_s - SIGV4_SKEW_S;
    int64_t latest = now_s + SIGV4_SKEW_S;
    if (signature->signed_at_s > latest)
        return sigv4_refuse(
            SIGV4_MISMATCH, message,
            arena_format(arena, "Signature not yet current: %.*s is still later than %.*s (%.*s + 15 min.)",
                         SLICE_PRINT(signature->timestamp), SLICE_PRINT(sigv4_write_basic_time(arena, latest)),
                         SLICE_PRINT(sigv4_write_basic_time(arena, now_s))));
    if (signature->presigned) {
        if (signature->signed_at_s + (int64_t)signature->expires_s < now_s)
            return sigv4_refuse(SIGV4_EXPIRED, message, SLICE("Request has expired."));
        return SIGV4_GOOD;
    }
    if (signature->signed_at_s < earliest)
        return sigv4_refuse(SIGV4_MISMATCH, message,
                            arena_format(arena, "Signature expired: %.*s is now earlier than %.*s (%.*s - 15 min.)",
                                         SLICE_PRINT(signature->timestamp),
                                         SLICE_PRINT(sigv4_write_basic_time(arena, earliest)),
                                         SLICE_PRINT(sigv4_write_basic_time(arena, now_s))));
    return SIGV4_GOOD;
}

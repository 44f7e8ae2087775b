#include "base/time_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

typedef Error Parse(Slice text, int64_t *time_ms);
typedef Slice Format(int64_t time_ms, char text[TIME_TEXT_MAX]);

static void assert_parses(Parse *parse, const char *text, int64_t expected)
{
    int64_t time_ms = 0;
    if (parse(slice_of_string(text), &time_ms) != OK)
        fail_msg("refused %s", text);
    if (time_ms != expected)
        fail_msg("%s: %lld instead of %lld", text, (long long)time_ms, (long long)expected);
}

static void assert_refused(Parse *parse, const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        int64_t time_ms;
        if (parse(slice_of_string(*texts), &time_ms) != ERROR_MALFORMED)
            fail_msg("accepted %s", *texts);
    }
}

static void assert_formats(Format *format, int64_t time_ms, const char *expected)
{
    char text[TIME_TEXT_MAX];
    Slice slice = format(time_ms, text);
    if (!slice_equal(slice, slice_of_string(expected)))
        fail_msg("%.*s instead of %s", SLICE_PRINT(slice), expected);
}

/* The C library's calendar is the model: every fifth day of all years, with a time of day that wanders. */
static void days_of_all_years_agree_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t ms = TIME_MIN_MS; ms <= TIME_MAX_MS; ms += 5 * 86400000 - 7919) {
        char ours[TIME_TEXT_MAX];
        char theirs[TIME_TEXT_MAX];
        int64_t second = (ms - TIME_MIN_MS) / 1000 + TIME_MIN_MS / 1000;
        time_t seconds = (time_t)second;
        struct tm civil;
        gmtime_r(&seconds, &civil);
        strftime(theirs, sizeof theirs, "%a, %d %b ", &civil);
        snprintf(theirs + 12, sizeof theirs - 12, "%04d %02d:%02d:%02d GMT", civil.tm_year + 1900, civil.tm_hour,
                 civil.tm_min, civil.tm_sec);
        Slice text = time_format_http(ms, ours);
        if (!slice_equal(text, slice_of_string(theirs)))
            fail_msg("%lld: %.*s instead of %s", (long long)ms, SLICE_PRINT(text), theirs);
        int64_t back;
        assert_int_equal(time_parse_http(text, &back), OK);
        assert_true(back == second * 1000);
        assert_int_equal(time_parse_iso(time_format_iso_ms(ms, ours), &back), OK);
        assert_true(back == ms);
        assert_int_equal(time_parse_iso_basic(time_format_iso_basic(ms, ours), &back), OK);
        assert_true(back == second * 1000);
        assert_int_equal(time_parse_epoch(time_format_epoch(ms, ours), &back), OK);
        assert_true(back == ms);
    }
}

static void formats_are_as_documented(void **state)
{
    (void)state;
    int64_t ms = 1769817600000;
    assert_formats(time_format_iso_basic, ms, "20260131T000000Z");
    assert_formats(time_format_iso, ms, "2026-01-31T00:00:00Z");
    assert_formats(time_format_iso_ms, ms + 7, "2026-01-31T00:00:00.007Z");
    assert_formats(time_format_http, ms, "Sat, 31 Jan 2026 00:00:00 GMT");
    assert_formats(time_format_epoch, ms, "1769817600");
    assert_formats(time_format_epoch, ms + 120, "1769817600.12");
    assert_formats(time_format_epoch, 0, "0");
    assert_formats(time_format_epoch, -1500, "-1.5");
    assert_formats(time_format_epoch, 1, "0.001");
    assert_formats(time_format_iso_ms, TIME_MIN_MS, "0001-01-01T00:00:00.000Z");
    assert_formats(time_format_iso_ms, INT64_MIN, "0001-01-01T00:00:00.000Z");
    assert_formats(time_format_iso_ms, INT64_MAX, "9999-12-31T23:59:59.999Z");
}

static void the_three_forms_of_http_dates_are_read(void **state)
{
    (void)state;
    assert_parses(time_parse_http, "Sun, 06 Nov 1994 08:49:37 GMT", 784111777000);
    assert_parses(time_parse_http, "Sunday, 06-Nov-94 08:49:37 GMT", 784111777000);
    assert_parses(time_parse_http, "Sun Nov  6 08:49:37 1994", 784111777000);
    assert_parses(time_parse_http, "Wed Nov 16 08:49:37 1994", 784975777000);
    assert_parses(time_parse_http, "Saturday, 31-Jan-26 00:00:00 GMT", 1769817600000);
    static const char *const bad[] = {"",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 31 Nov 1994 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 0000 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:00:00 GMT",
                                      "Sun Nov 6 08:49:37 1994",
                                      "Son, 06 Nov 1994 08:49:37 GMT",
                                      NULL};
    assert_refused(time_parse_http, bad);
}

static void iso_dates_are_read(void **state)
{
    (void)state;
    assert_parses(time_parse_iso_basic, "20260131T000000Z", 1769817600000);
    assert_parses(time_parse_iso, "2026-01-31T00:00:00Z", 1769817600000);
    assert_parses(time_parse_iso, "2026-01-31t00:00:00.1z", 1769817600100);
    assert_parses(time_parse_iso, "2026-01-31T00:00:00.123999999Z", 1769817600123);
    assert_parses(time_parse_iso, "2026-01-31T01:30:00+01:30", 1769817600000);
    assert_parses(time_parse_iso, "2026-01-30T19:00:00.5-05:00", 1769817600500);
    assert_parses(time_parse_iso, "2024-02-29T12:00:00Z", 1709208000000);
    assert_parses(time_parse_iso, "2016-12-31T23:59:60Z", 1483228800000);
    static const char *const bad_basic[] = {"",
                                            "20260131T000000",
                                            "20260131T000000Zx",
                                            "20260131 000000Z",
                                            "2026-01-31T00:00:00Z",
                                            "20261331T000000Z",
                                            "20260231T000000Z",
                                            "20260131T000060Z",
                                            "2026+131T000000Z",
                                            NULL};
    assert_refused(time_parse_iso_basic, bad_basic);
    static const char *const bad[] = {"2026-01-31",
                                      "2026-01-31T00:00Z",
                                      "2026-01-31T00:00:00",
                                      "2026-01-31T00:00:00.Z",
                                      "2026-01-31T00:00:00+0100",
                                      "2026-01-31T00:00:00+24:00",
                                      "2023-02-29T12:00:00Z",
                                      "1900-02-29T12:00:00Z",
                                      "0000-01-01T00:00:00Z",
                                      "0001-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:60Z",
                                      "2026-01-31T00:00:00ZZ",
                                      NULL};
    assert_refused(time_parse_iso, bad);
}

static void epochs_are_read_as_json_writes_them(void **state)
{
    (void)state;
    assert_parses(time_parse_epoch, "0", 0);
    assert_parses(time_parse_epoch, "1769817600", 1769817600000);
    assert_parses(time_parse_epoch, "1769817600.1239", 1769817600123);
    assert_parses(time_parse_epoch, "1.7698176E9", 1769817600000);
    assert_parses(time_parse_epoch, "1.769817600123e+9", 1769817600123);
    assert_parses(time_parse_epoch, "17698176000e-1", 1769817600000);
    assert_parses(time_parse_epoch, "-1.5", -1500);
    assert_parses(time_parse_epoch, "0e1000", 0);
    assert_parses(time_parse_epoch, "5e-1000", 0);
    assert_parses(time_parse_epoch, "1769817600.00000000000000000000000000000001", 1769817600000);
    static const char *const bad[] = {"",      "-",   "+1", "1.",     ".5",    "1e",           "1e+",
                                      "1.2.3", "NaN", "1 ", "1e1001", "1e300", "253402300800", "99999999999999999999",
                                      "1e+-1", "0x1", NULL};
    assert_refused(time_parse_epoch, bad);
}

static void durations_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"500ms", 500},
                {"15m", 900000},
                {"30d", 2592000000},
                {"1h30m", 5400000},
                {"1d2h3m4s5ms", 93784005},
                {"0s", 0},
                {"3652500d", 315576000000000}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t ms;
        char text[TIME_TEXT_MAX];
        assert_int_equal(duration_parse(slice_of_string(good[i].text), &ms), OK);
        assert_true(ms == good[i].ms);
        assert_true(slice_equal(duration_format(ms, text), slice_of_string(good[i].text)));
    }
    uint64_t ms;
    assert_int_equal(duration_parse(SLICE("90m"), &ms), OK);
    assert_int_equal(ms, 5400000);
    static const char *const bad[] = {"",    "15", "m",  "1.5h", "-1m",  "1m1h", "1m1m",
                                      "1 m", "1M", "1w", "m1",   "1h30", "15min"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (duration_parse(slice_of_string(bad[i]), &ms) != ERROR_MALFORMED)
            fail_msg("accepted %s", bad[i]);
    assert_int_equal(duration_parse(SLICE("3652501d"), &ms), ERROR_TOO_LARGE);
    assert_int_equal(duration_parse(SLICE("3652500d1ms"), &ms), ERROR_TOO_LARGE);
    assert_int_equal(duration_parse(SLICE("99999999999999999999999d"), &ms), ERROR_TOO_LARGE);
    char text[TIME_TEXT_MAX];
    assert_true(duration_format(UINT64_MAX, text).size < TIME_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_of_all_years_agree_with_the_c_library), cmocka_unit_test(formats_are_as_documented),
        cmocka_unit_test(the_three_forms_of_http_dates_are_read),     cmocka_unit_test(iso_dates_are_read),
        cmocka_unit_test(epochs_are_read_as_json_writes_them),        cmocka_unit_test(durations_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

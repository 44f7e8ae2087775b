#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t test_wall_us(void *clock)
{
    return *(uint64_t *)clock;
}

/* A log into a pipe, with a clock that stands still until it is moved. */
typedef struct Fixture {
    Log log;
    uint64_t now_us;
    int reading;
    char text[65536];
} Fixture;

static Fixture *fixture_make(LogFormat format, uint32_t lines_per_second)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fixture->reading = ends[0];
    fixture->now_us = 1769817600000000;
    fixture->log.file = ends[1];
    fixture->log.format = format;
    fixture->log.level = LOG_LEVEL_INFO;
    fixture->log.lines_per_second = lines_per_second;
    fixture->log.wall_us = test_wall_us;
    fixture->log.clock = &fixture->now_us;
    return fixture;
}

/* Ends the log and gives all that it printed. */
static const char *printed(Fixture *fixture)
{
    close(fixture->log.file);
    size_t size = 0;
    ssize_t got;
    while ((got = read(fixture->reading, fixture->text + size, sizeof fixture->text - 1 - size)) > 0)
        size += (size_t)got;
    close(fixture->reading);
    fixture->text[size] = '\0';
    return fixture->text;
}

static void a_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    for (LogFormat format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
        Fixture *fixture = fixture_make(format, 0);
        Log *log = &fixture->log;
        LOG(log, INFO, "listening", log_string("address", "127.0.0.1"), log_uint("port", 4566), log_int("delta", -5),
            log_boolean("virtual_clock", true), log_text("data", SLICE("")), log_error(ERROR_FULL));
        LOG(log, ERROR, "no fields");
        LOG(log, DEBUG, "not printed at this level", log_uint("n", 1));
        LOG((Log *)NULL, ERROR, "not printed either");
        assert_string_equal(
            printed(fixture),
            format == LOG_FORMAT_TEXT
                ? "time=2026-01-31T00:00:00.000Z level=info event=listening address=127.0.0.1 port=4566 delta=-5 "
                  "virtual_clock=true data=\"\" error=\"the disk is nearly full\"\n"
                  "time=2026-01-31T00:00:00.000Z level=error event=\"no fields\"\n"
                : "{\"time\":\"2026-01-31T00:00:00.000Z\",\"level\":\"info\",\"event\":\"listening\",\"address\":"
                  "\"127.0.0.1\",\"port\":4566,\"delta\":-5,\"virtual_clock\":true,\"data\":\"\",\"error\":"
                  "\"the disk is nearly full\"}\n"
                  "{\"time\":\"2026-01-31T00:00:00.000Z\",\"level\":\"error\",\"event\":\"no fields\"}\n");
        free(fixture);
    }
}

static void hostile_values_cannot_forge(void **state)
{
    (void)state;
    Slice hostile = SLICE("x\" level=error\nevent=forged\r\\\t\x1b[2J\0\x7f=\xff\xc2\x9b\xe2\x80\xae\xc3\xa9");
    Fixture *fixture = fixture_make(LOG_FORMAT_TEXT, 0);
    LOG(&fixture->log, INFO, "e", log_text("v", hostile), log_string("w", "a=b"), log_string("x", "two words"));
    assert_string_equal(
        printed(fixture),
        "time=2026-01-31T00:00:00.000Z level=info event=e "
        "v=\"x\\\" level=error\\nevent=forged\\r\\\\\\t\\x1b[2J\\x00\\x7f=\\xff\\xc2\\x9b\\xe2\\x80\\xae\xc3\xa9\" "
        "w=\"a=b\" x=\"two words\"\n");
    free(fixture);
    fixture = fixture_make(LOG_FORMAT_JSON, 0);
    LOG(&fixture->log, INFO, "e", log_text("v", hostile));
    assert_string_equal(
        printed(fixture),
        "{\"time\":\"2026-01-31T00:00:00.000Z\",\"level\":\"info\",\"event\":\"e\",\"v\":\"x\\\" level=error"
        "\\nevent=forged\\r\\\\\\t\\u001b[2J\\u0000\\u007f=\\ufffd\\u009b\\u202e\xc3\xa9\"}\n");
    free(fixture);
}

/* Whatever the bytes are: one line, within the bound, ASCII controls nowhere, JSON where JSON was asked for. */
static void any_bytes_make_one_good_line(void **state)
{
    (void)state;
    uint32_t seed = 5;
    for (int round = 0; round < 2000; round++) {
        LogFormat format = round % 2 == 0 ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
        Fixture *fixture = fixture_make(format, 0);
        char bytes[1500];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (char)(round % 3 == 0 ? seed >> 24 : 'a' + (seed >> 24) % 26);
        }
        Slice value = slice_make(bytes, (size_t)(seed >> 8) % sizeof bytes);
        LOG(&fixture->log, INFO, "e", log_text("a", value), log_text("b", value), log_text("c", value),
            log_text("d", value), log_uint("end", 1));
        Slice text = slice_of_string(printed(fixture));
        assert_in_range(text.size, 50, LOG_LINE_MAX);
        for (size_t i = 0; i + 1 < text.size; i++)
            assert_true((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f);
        assert_int_equal(text.data[text.size - 1], '\n');
        assert_true(utf8_is_valid(text));
        if (format == LOG_FORMAT_JSON)
            assert_int_equal(json_check(text), OK);
        free(fixture);
    }
}

static void long_values_are_cut_and_many_fields_left_out_visibly(void **state)
{
    (void)state;
    char bytes[5000];
    memset(bytes, 'v', sizeof bytes);
    Slice value = slice_make(bytes, sizeof bytes);
    Fixture *fixture = fixture_make(LOG_FORMAT_TEXT, 0);
    LOG(&fixture->log, INFO, "e", log_text("a", value), log_text("b", value), log_text("c", value),
        log_text("d", value), log_text("e", value), log_uint("small", 7));
    const char *text = printed(fixture);
    assert_non_null(strstr(text, "vvv...\" b=\"vvv"));
    assert_null(strstr(text, " d="));
    assert_non_null(strstr(text, "...\" small=7 fields_left_out=2\n"));
    free(fixture);
}

static void lines_past_the_rate_are_dropped_and_counted(void **state)
{
    (void)state;
    Fixture *fixture = fixture_make(LOG_FORMAT_TEXT, 3);
    Log *log = &fixture->log;
    for (unsigned i = 0; i < 10; i++)
        LOG(log, INFO, "burst", log_uint("i", i));
    fixture->now_us += 1000000;
    LOG(log, INFO, "later");
    for (unsigned i = 0; i < 4; i++)
        LOG(log, INFO, "burst", log_uint("i", i));
    log_finish(log);
    log_finish(log);
    assert_string_equal(printed(fixture),
                        "time=2026-01-31T00:00:00.000Z level=info event=burst i=0\n"
                        "time=2026-01-31T00:00:00.000Z level=info event=burst i=1\n"
                        "time=2026-01-31T00:00:00.000Z level=info event=burst i=2\n"
                        "time=2026-01-31T00:00:01.000Z level=warning event=\"log lines dropped\" lines=7\n"
                        "time=2026-01-31T00:00:01.000Z level=info event=later\n"
                        "time=2026-01-31T00:00:01.000Z level=info event=burst i=0\n"
                        "time=2026-01-31T00:00:01.000Z level=info event=burst i=1\n"
                        "time=2026-01-31T00:00:01.000Z level=warning event=\"log lines dropped\" lines=2\n");
    free(fixture);
}

static void *log_often(void *log)
{
    for (unsigned i = 0; i < 100; i++)
        LOG((Log *)log, INFO, "from a thread", log_string("filler", "0123456789012345678901234567890123456789"));
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    Fixture *fixture = fixture_make(LOG_FORMAT_TEXT, 350);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_often, &fixture->log), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    log_finish(&fixture->log);
    const char *line = "time=2026-01-31T00:00:00.000Z level=info event=\"from a thread\" "
                       "filler=0123456789012345678901234567890123456789\n";
    const char *at = printed(fixture);
    int lines = 0;
    int told = 0;
    while (*at != '\0') {
        const char *lost = strstr(at, "dropped\" lines=");
        if (strncmp(at, line, strlen(line)) == 0) {
            lines++;
        } else {
            assert_non_null(lost);
            told += atoi(lost + strlen("dropped\" lines="));
        }
        at = strchr(at, '\n') + 1;
    }
    assert_int_equal(lines, 350);
    assert_int_equal(told, 50);
    free(fixture);
}

/* The disk is full in the middle of a line: a limit on the file's size stands for it. */
static void a_line_after_a_torn_one_stands_alone(void **state)
{
    (void)state;
    Fixture *fixture = fixture_make(LOG_FORMAT_JSON, 0);
    char path[] = "/tmp/brume-test-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    close(fixture->log.file);
    fixture->log.file = file;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, before.rlim_max}), 0);
    LOG(&fixture->log, INFO, "first");
    LOG(&fixture->log, INFO, "torn");
    LOG(&fixture->log, INFO, "lost");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    LOG(&fixture->log, INFO, "whole");
    ssize_t size = pread(file, fixture->text, sizeof fixture->text - 1, 0);
    assert_true(size > 100);
    fixture->text[size] = '\0';
    const char *torn = strchr(fixture->text, '\n') + 1;
    const char *told = strchr(torn, '\n') + 1;
    assert_int_equal(told - fixture->text, 101);
    assert_string_equal(
        told,
        "{\"time\":\"2026-01-31T00:00:00.000Z\",\"level\":\"warning\",\"event\":\"log lines dropped\",\"lines\":2}\n"
        "{\"time\":\"2026-01-31T00:00:00.000Z\",\"level\":\"info\",\"event\":\"whole\"}\n");
    printed(fixture);
    free(fixture);
}

static void settings_are_read(void **state)
{
    (void)state;
    LogLevel level;
    LogFormat format;
    assert_true(log_level_parse(SLICE("warning"), &level) && level == LOG_LEVEL_WARNING);
    assert_true(log_level_parse(SLICE("debug"), &level) && level == LOG_LEVEL_DEBUG);
    assert_false(log_level_parse(SLICE("loud"), &level));
    assert_true(log_format_parse(SLICE("json"), &format) && format == LOG_FORMAT_JSON);
    assert_true(log_format_parse(SLICE("text"), &format) && format == LOG_FORMAT_TEXT);
    assert_false(log_format_parse(SLICE("xml"), &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_event_and_fields),
        cmocka_unit_test(hostile_values_cannot_forge),
        cmocka_unit_test(any_bytes_make_one_good_line),
        cmocka_unit_test(long_values_are_cut_and_many_fields_left_out_visibly),
        cmocka_unit_test(lines_past_the_rate_are_dropped_and_counted),
        cmocka_unit_test(lines_of_threads_do_not_mix),
        cmocka_unit_test(a_line_after_a_torn_one_stands_alone),
        cmocka_unit_test(settings_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

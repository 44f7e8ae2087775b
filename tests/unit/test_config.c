/* What `brume start` is told: the table of options, the environment, the configuration file, and what goes before what. */
#include "cli/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Setup {
    Arena arena;
    CommandLine invocation;
    Settings settings;
    Slice message;
    char file[64];
} Setup;

static int open_setup(void **state)
{
    Setup *setup = calloc(1, sizeof *setup);
    assert_non_null(setup);
    setup->invocation = (CommandLine){.command = &command_start, .arena = &setup->arena};
    strcpy(setup->file, "/tmp/brume-test-XXXXXX");
    int file = mkstemp(setup->file);
    assert_true(file >= 0);
    close(file);
    setenv("HOME", "/home/someone", 1);
    for (const Option *option = start_options; option->name != NULL; option++)
        if (option->environment != NULL)
            unsetenv(option->environment);
    unsetenv("XDG_DATA_HOME");
    unsetenv("BRUME_ACCESS_KEY_ID");
    unsetenv("BRUME_SECRET_ACCESS_KEY");
    *state = setup;
    return 0;
}

static int close_setup(void **state)
{
    Setup *setup = *state;
    unlink(setup->file);
    arena_free(&setup->arena);
    free(setup);
    return 0;
}

static void give(Setup *setup, const char *name, const char *value)
{
    for (const Option *option = start_options; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            setup->invocation.given[setup->invocation.given_count++] = (Given){option, value};
}

static void write_config(Setup *setup, const char *text)
{
    FILE *file = fopen(setup->file, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    give(setup, "config", setup->file);
}

static bool read_settings(Setup *setup)
{
    return settings_read(&setup->invocation, os_linux(), &setup->settings, &setup->message);
}

static void expect_refused(Setup *setup, const char *part)
{
    assert_false(read_settings(setup));
    if (memmem(setup->message.data, setup->message.size, part, strlen(part)) == NULL)
        print_error("%.*s\n", SLICE_PRINT(setup->message));
    assert_non_null(memmem(setup->message.data, setup->message.size, part, strlen(part)));
    assert_null(memchr(setup->message.data, '\n', setup->message.size));
}

static void defaults_are_those_that_help_shows(void **state)
{
    Setup *setup = *state;
    assert_true(read_settings(setup));
    assert_string_equal(setup->settings.data, "/home/someone/.local/share/brume");
    assert_string_equal(setup->settings.listen, "127.0.0.1:4566");
    assert_int_equal(setup->settings.auth, AUTH_OPEN);
    assert_int_equal(setup->settings.cache_bytes, 24 << 20);
    assert_int_equal(setup->settings.log_level, LOG_LEVEL_WARNING);
    assert_false(setup->settings.virtual_clock);
    assert_null(setup->settings.root_access_key_id.data);
    assert_memory_equal(&setup->settings.limits, &limits_default, sizeof limits_default);
}

/* Every option's default, where help shows a plain value, reads as such. */
static void defaults_in_the_table_can_be_read(void **state)
{
    (void)state;
    for (const Option *option = start_options; option->name != NULL; option++) {
        Settings settings = {.limits = limits_default};
        if (option->read != NULL && option->fallback != NULL && strchr(option->fallback, ' ') == NULL)
            assert_true(option->read(&settings, option->fallback));
        if (option->read != NULL)
            assert_non_null(option->expects);
    }
}

static void xdg_data_home_is_followed(void **state)
{
    setenv("XDG_DATA_HOME", "/xdg", 1);
    assert_true(read_settings(*state));
    assert_string_equal(((Setup *)*state)->settings.data, "/xdg/brume");
}

static void the_command_line_goes_before_the_environment_and_that_before_the_file(void **state)
{
    Setup *setup = *state;
    write_config(setup, "threads = 3\nlisten = 127.0.0.1:1\nauth = signed\n");
    setenv("BRUME_LISTEN", "127.0.0.1:2", 1);
    setenv("BRUME_AUTH", "open", 1);
    give(setup, "listen", "127.0.0.1:3");
    assert_true(read_settings(setup));
    assert_int_equal(setup->settings.threads, 3);
    assert_string_equal(setup->settings.listen, "127.0.0.1:3");
    assert_int_equal(setup->settings.auth, AUTH_OPEN);
}

static void a_file_may_hold_comments_switches_and_limits(void **state)
{
    Setup *setup = *state;
    write_config(setup, "# a comment\n\n  virtual-clock=true\r\n\tdata =  /some where  \nlimit.SQS_IN_FLIGHT = 7\n"
                        "log-format = json\nlog-level = debug\ncache-mb = 8");
    give(setup, "limit", "NET_BODY_BYTES=1000");
    assert_true(read_settings(setup));
    assert_true(setup->settings.virtual_clock);
    assert_string_equal(setup->settings.data, "/some where");
    assert_int_equal(setup->settings.limits.value[LIMIT_SQS_IN_FLIGHT], 7);
    assert_int_equal(setup->settings.limits.value[LIMIT_NET_BODY_BYTES], 1000);
    assert_int_equal(setup->settings.log_format, LOG_FORMAT_JSON);
    assert_int_equal(setup->settings.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(setup->settings.cache_bytes, 8 << 20);
}

typedef struct BadFile {
    const char *text;
    const char *message;
} BadFile;

static void a_bad_file_is_refused_with_its_line(void **state)
{
    static const BadFile bad[] = {
        {"threads = 1\nthreds = 2\n", ":2: there is no setting 'threds'"},
        {"threads\n", ":1: expected `name = value`"},
        {"\n\nthreads = many\n", ":3: threads: 'many' is not a number from 1 to 64"},
        {"threads = 0\n", "'0' is not a number from 1 to 64"},
        {"limit.NO_SUCH = 1\n", ":1: limit.NO_SUCH: 'NO_SUCH=1' is not the NAME=VALUE of a limit"},
        {"limit.SQS_IN_FLIGHT = -1\n", "limit.SQS_IN_FLIGHT: 'SQS_IN_FLIGHT=-1' is not"},
        {"config = other\n", "there is no setting 'config'"},
        {"auth = closed\n", "'closed' is not open or signed"},
        {"virtual-clock = maybe\n", "'maybe' is not true or false"},
        {"allow-origin = console.example\n", "'console.example' is not an origin"},
        {"allow-origin = http://console.example/path\n", "is not an origin"},
        {"allow-origin = http://\n", "is not an origin"},
        {"listen = 4566\n", "'4566' is not HOST:PORT"},
        {"listen = 127.0.0.1:65536\n", "is not HOST:PORT"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Setup *setup = *state;
        setup->invocation.given_count = 0;
        write_config(setup, bad[i].text);
        expect_refused(setup, bad[i].message);
    }
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
    give(*state, "config", "/nonexistent/brume.conf");
    expect_refused(*state, "cannot read the configuration /nonexistent/brume.conf: there is no such file");
}

static void an_address_beyond_this_machine_needs_consent_and_signatures(void **state)
{
    static const char *const open_addresses[] = {"0.0.0.0:4566", "[::]:4566", "192.168.1.5:80"};
    Setup *setup = *state;
    for (size_t i = 0; i < sizeof open_addresses / sizeof open_addresses[0]; i++) {
        setup->invocation.given_count = 0;
        give(setup, "listen", open_addresses[i]);
        expect_refused(setup, "give --tls-cert and --tls-key");
        expect_refused(setup, "add --insecure-listen");
        give(setup, "insecure-listen", "true");
        expect_refused(setup, "add --auth signed");
        give(setup, "auth", "signed");
        assert_true(read_settings(setup));

        setup->invocation.given_count = 0;
        give(setup, "listen", open_addresses[i]);
        give(setup, "tls-cert", "cert.pem");
        expect_refused(setup, "--tls-cert and --tls-key go together");
        give(setup, "tls-key", "key.pem");
        expect_refused(setup, "add --auth signed");
        give(setup, "auth", "signed");
        assert_true(read_settings(setup));
        assert_string_equal(setup->settings.tls_certificate, "cert.pem");
        assert_string_equal(setup->settings.tls_key, "key.pem");
    }
    static const char *const own_addresses[] = {"127.0.0.1:0", "127.1.2.3:80", "[::1]:4566"};
    for (size_t i = 0; i < sizeof own_addresses / sizeof own_addresses[0]; i++) {
        setup->invocation.given_count = 0;
        give(setup, "listen", own_addresses[i]);
        assert_true(read_settings(setup));
    }
}

/* Names would have to be looked up, and could stand for other addresses tomorrow. */
static void a_name_is_no_address_but_for_localhost(void **state)
{
    static const char *const names[] = {"example.com:1", "localhost.evil:1", "::1:4566", "127.1:80"};
    Setup *setup = *state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setup->invocation.given_count = 0;
        give(setup, "listen", names[i]);
        expect_refused(setup, "is no address: write it as 127.0.0.1:4566");
    }
    setup->invocation.given_count = 0;
    give(setup, "listen", "localhost:80");
    assert_true(read_settings(setup));
    assert_string_equal(setup->settings.listen, "127.0.0.1:80");
}

static void a_nul_is_no_blank(void **state)
{
    Setup *setup = *state;
    write_config(setup, "threads = 1\n");
    FILE *file = fopen(setup->file, "a");
    assert_non_null(file);
    fwrite("threads = 2\0\n", 1, 13, file);
    fclose(file);
    expect_refused(setup, ":2: expected `name = value`");
}

static void origins_add_up(void **state)
{
    Setup *setup = *state;
    write_config(setup, "allow-origin = https://console.example\n");
    give(setup, "allow-origin", "http://[::1]:3000");
    assert_true(read_settings(setup));
    assert_int_equal(setup->settings.origin_count, 2);
    assert_true(slice_equal(setup->settings.origins[0], SLICE("https://console.example")));
    assert_true(slice_equal(setup->settings.origins[1], SLICE("http://[::1]:3000")));
}

static void a_root_key_has_two_halves(void **state)
{
    Setup *setup = *state;
    setenv("BRUME_ACCESS_KEY_ID", "AKIDROOT", 1);
    expect_refused(setup, "set both, or neither");
    setenv("BRUME_SECRET_ACCESS_KEY", "secret", 1);
    assert_true(read_settings(setup));
    assert_true(slice_equal(setup->settings.root_access_key_id, SLICE("AKIDROOT")));
    assert_true(slice_equal(setup->settings.root_secret, SLICE("secret")));
    setenv("BRUME_ACCESS_KEY_ID", "AKID/ROOT", 1);
    expect_refused(setup, "letters, digits and underscores");
}

static void a_path_too_long_for_the_socket_is_refused(void **state)
{
    char path[200];
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    give(*state, "data", path);
    expect_refused(*state, "too long for the socket");
}

int main(void)
{
#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, open_setup, close_setup)
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(defaults_are_those_that_help_shows),
        CONFIG_TEST(defaults_in_the_table_can_be_read),
        CONFIG_TEST(xdg_data_home_is_followed),
        CONFIG_TEST(the_command_line_goes_before_the_environment_and_that_before_the_file),
        CONFIG_TEST(a_file_may_hold_comments_switches_and_limits),
        CONFIG_TEST(a_bad_file_is_refused_with_its_line),
        CONFIG_TEST(a_file_that_cannot_be_read_is_refused),
        CONFIG_TEST(an_address_beyond_this_machine_needs_consent_and_signatures),
        CONFIG_TEST(a_name_is_no_address_but_for_localhost),
        CONFIG_TEST(a_nul_is_no_blank),
        CONFIG_TEST(origins_add_up),
        CONFIG_TEST(a_root_key_has_two_halves),
        CONFIG_TEST(a_path_too_long_for_the_socket_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

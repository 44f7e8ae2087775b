/* Workers begin in their sandbox, and their ends are reported once. */
#include "runtime/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static Harness harness;
static Ran ran;

static void a_program_runs_and_its_output_and_status_are_reported(void **state)
{
    (void)state;
    TestWorker worker;
    harness_order(&harness, &worker);
    harness_run(&harness, &worker, "hello", &ran);
    assert_string_equal(ran.message, "");
    assert_int_equal(ran.error, OK);
    assert_string_equal(ran.output, "hello from 1, user 993\n");
    assert_int_equal(ran.exit.status, 0);
    assert_true(ran.exit.memory_peak_bytes > 0);
    assert_false(ran.exit.out_of_memory);
    harness_order(&harness, &worker);
    harness_run(&harness, &worker, "leave", &ran);
    assert_int_equal(WEXITSTATUS(ran.exit.status), 42);
}

static void the_channel_is_files_3_and_4(void **state)
{
    (void)state;
    TestWorker worker;
    harness_order(&harness, &worker);
    harness_arm(&harness, &worker, "channel");
    harness_spawn(&harness, &worker);
    assert_true(harness_until(&harness, worker_is_done, &worker));
    assert_int_equal(worker.error, OK);
    assert_int_equal(write(worker.order.events, "ping", 4), 4);
    assert_true(harness_until(&harness, worker_has_exited, &worker));
    char text[8] = "";
    assert_int_equal(read(worker.order.answers, text, sizeof text), 4);
    assert_string_equal(text, "ping");
    assert_int_equal(worker.exit.status, 0);
    harness_forget(&worker);
}

static void memory_beyond_the_limit_ends_the_worker(void **state)
{
    (void)state;
    TestWorker worker;
    harness_order(&harness, &worker);
    worker.order.memory_bytes = 32 << 20;
    harness_run(&harness, &worker, "eat_memory", &ran);
    assert_true(ran.exit.out_of_memory);
    assert_int_equal(WTERMSIG(ran.exit.status), SIGKILL);
    assert_int_equal(ran.exit.memory_peak_bytes, 32 << 20);
}

/* AWS's ephemeral storage is no part of a function's memory. */
static void what_lies_in_tmp_is_not_the_functions_memory(void **state)
{
    (void)state;
    TestWorker worker;
    harness_order(&harness, &worker);
    worker.order.memory_bytes = 12 << 20; /* /tmp has 16 MiB */
    harness_run(&harness, &worker, "fill_disk", &ran);
    assert_string_equal(ran.output, "");
    assert_int_equal(ran.exit.status, 0);
    assert_false(ran.exit.out_of_memory);
    harness_order(&harness, &worker);
    worker.order.memory_bytes = 32 << 20;
    worker.order.tmp_bytes = 512 << 20;
    harness_run(&harness, &worker, "eat_memory_slowly", &ran);
    assert_true(ran.exit.out_of_memory);
    assert_int_equal(WTERMSIG(ran.exit.status), SIGKILL);
}

static void a_killed_worker_ends_at_once(void **state)
{
    (void)state;
    TestWorker worker;
    harness_order(&harness, &worker);
    harness_arm(&harness, &worker, "hang");
    harness_spawn(&harness, &worker);
    assert_true(harness_until(&harness, worker_is_done, &worker));
    assert_int_equal(worker.error, OK);
    assert_true(spawner_memory_peak(harness.spawner, worker.order.worker) > 0);
    spawner_kill(harness.spawner, worker.order.worker);
    assert_true(harness_until(&harness, worker_has_exited, &worker));
    assert_int_equal(worker.exits, 1);
    assert_int_equal(WTERMSIG(worker.exit.status), SIGKILL);
    assert_false(worker.exit.out_of_memory);
    harness_forget(&worker);
}

static void what_cannot_start_says_why(void **state)
{
    (void)state;
    TestWorker worker;
    harness_order(&harness, &worker);
    worker.order.program = SLICE("/var/task/missing");
    harness_run(&harness, &worker, "hello", &ran);
    assert_int_equal(ran.error, ERROR_DENIED);
    assert_string_equal(ran.message, "execute the program: No such file or directory");
    harness_order(&harness, &worker);
    worker.order.code_directory = SLICE("/nowhere");
    harness_run(&harness, &worker, "hello", &ran);
    assert_int_equal(ran.error, ERROR_DENIED);
    assert_string_equal(ran.message, "open the code's folder: No such file or directory");
}

static void a_server_that_may_open_no_more_files_says_so_and_goes_on(void **state)
{
    (void)state;
    TestWorker worker;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int first_free = dup(STDERR_FILENO);
    assert_true(first_free >= 0);
    close(first_free);
    const struct rlimit none = {(rlim_t)first_free, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    harness_order(&harness, &worker);
    harness_arm(&harness, &worker, "hang");
    harness_spawn(&harness, &worker);
    bool was_answered = harness_until(&harness, worker_is_done, &worker);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(was_answered);
    assert_int_equal(worker.error, ERROR_IO);
    assert_non_null(strstr(worker.message, "may open no more files"));
    harness_forget(&worker);
    harness_order(&harness, &worker);
    harness_run(&harness, &worker, "hello", &ran);
    assert_int_equal(ran.error, OK);
    assert_int_equal(harness.unknown_exits, 0);
}

static pid_t keeper_process(void)
{
    char path[64];
    pid_t keeper = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (int child; fscanf(file, "%d", &child) == 1;)
        keeper = child == harness.answering ? keeper : child;
    fclose(file);
    return keeper;
}

/* Whoever has left its powers to the first one cannot give them to the next. */
static void a_killed_keeper_is_replaced_or_the_server_says_that_it_must_be_restarted(void **state)
{
    (void)state;
    TestWorker worker;
    bool has_left_powers = geteuid() != 0 && harness.isolation == ISOLATION_REQUIRED;
    assert_int_equal(kill(keeper_process(), SIGKILL), 0);
    harness_order(&harness, &worker);
    harness_spawn(&harness, &worker);
    assert_true(harness_until(&harness, worker_is_done, &worker));
    assert_int_equal(worker.error, has_left_powers ? ERROR_DENIED : OK);
    if (has_left_powers)
        assert_non_null(strstr(worker.message, "restart it"));
    harness_forget(&worker);
}

static int open_all(void **state)
{
    return harness_setup(state, &harness, harness_isolation());
}

int main(int count, char **words)
{
    spawner_keep_if_asked(count, words, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_runs_and_its_output_and_status_are_reported),
        cmocka_unit_test(the_channel_is_files_3_and_4),
        cmocka_unit_test(memory_beyond_the_limit_ends_the_worker),
        cmocka_unit_test(what_lies_in_tmp_is_not_the_functions_memory),
        cmocka_unit_test(a_killed_worker_ends_at_once),
        cmocka_unit_test(what_cannot_start_says_why),
        cmocka_unit_test(a_server_that_may_open_no_more_files_says_so_and_goes_on),
        /* The last one: no worker can be had afterwards. */
        cmocka_unit_test(a_killed_keeper_is_replaced_or_the_server_says_that_it_must_be_restarted),
    };
    return cmocka_run_group_tests(tests, open_all, harness_teardown);
}

/* What a handler cannot do, whatever it tries: each attack runs in a worker (attacks.c), and the wall holds. These tests
 * need what --isolation=required needs, and fail where it cannot be had. */
#include "runtime/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The list: whoever takes one away says so here, too. */
enum { ATTACKS = 36 };
static unsigned attacks_run;

static Harness harness;
static Ran ran;

/* Stands for the Runtime API's shim: the spawner's own code as the first process, with the handler as its child. */
static int first_process(int events, int answers, char *const *command)
{
    (void)events;
    (void)answers;
    (void)command;
    pid_t child = fork();
    if (child == 0) {
        execle("/var/task/bootstrap", "bootstrap", NULL, (char *[]){"ATTACK=read_first_process", NULL});
        _exit(98);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

static void run(TestWorker *worker, const char *attack)
{
    attacks_run++;
    harness_run(&harness, worker, attack, &ran);
    if (ran.error != OK || ran.exit.status != 0)
        fprintf(stderr, "%s: status %d %s %s%s\n", attack, ran.exit.status, ran.message, ran.output, ran.errors);
    assert_int_equal(ran.error, OK);
}

static void holds(const char *attack)
{
    TestWorker worker;
    harness_order(&harness, &worker);
    run(&worker, attack);
    assert_int_equal(ran.exit.status, 0);
    assert_string_equal(ran.errors, "");
}

static void dies(const char *attack, int signal_number)
{
    TestWorker worker;
    harness_order(&harness, &worker);
    attacks_run++;
    harness_run(&harness, &worker, attack, &ran);
    assert_int_equal(ran.error, OK);
    assert_true(WIFSIGNALED(ran.exit.status));
    assert_int_equal(WTERMSIG(ran.exit.status), signal_number);
}

#define HOLDS(attack)                                                                                                  \
    static void cannot_##attack(void **state)                                                                          \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        holds(#attack);                                                                                                \
    }
#define DIES(attack)                                                                                                   \
    static void ends_when_it_tries_to_##attack(void **state)                                                           \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        dies(#attack, SIGSYS);                                                                                         \
    }

HOLDS(read_data_directory)
HOLDS(reach_admin_socket)
HOLDS(reach_abstract_socket)
HOLDS(read_other_code)
HOLDS(see_other_processes)
HOLDS(read_kernel)
HOLDS(inherited_files)
HOLDS(inherited_environment)
HOLDS(write_elsewhere)
HOLDS(write_kernel_settings)
HOLDS(make_devices)
HOLDS(gain_capabilities)
HOLDS(run_setuid_program)
HOLDS(trace_processes)
HOLDS(mount_things)
HOLDS(make_namespaces)
HOLDS(enter_kernel)
HOLDS(call_by_other_tables)
HOLDS(be_spared)
HOLDS(change_machine)
HOLDS(raise_limits)
HOLDS(leave_control_groups)
HOLDS(fill_disk)
DIES(load_module)
DIES(load_kernel)
DIES(open_by_handle)

/* ---- Beside another worker ---- */

static void start(TestWorker *worker, const char *attack)
{
    harness_order(&harness, worker);
    harness_arm(&harness, worker, attack);
    harness_spawn(&harness, worker);
    assert_true(harness_until(&harness, worker_is_done, worker));
    assert_int_equal(worker->error, OK);
}

static void await_output(const TestWorker *worker)
{
    struct pollfd watched = {.fd = worker->order.output, .events = POLLIN};
    char text[8];
    assert_int_equal(poll(&watched, 1, HARNESS_WAIT_MS), 1);
    assert_int_equal(read(worker->order.output, text, sizeof text), 5);
}

static void finish(TestWorker *worker)
{
    spawner_kill(harness.spawner, worker->order.worker);
    assert_true(harness_until(&harness, worker_has_exited, worker));
    assert_int_equal(worker->exits, 1);
    harness_forget(worker);
}

static void cannot_read_the_environment_of_another_worker_or_of_the_server(void **state)
{
    (void)state;
    TestWorker other;
    TestWorker worker;
    char secret[] = "PUIFS_TFDSFU_641:";
    harness_spell(secret);
    /* Beyond what the next order's message covers. */
    static char filler[2048];
    memset(filler, 'x', sizeof filler);
    const EnvironmentVariable variables[] = {{SLICE("ATTACK"), SLICE("hang")},
                                             {SLICE("FILLER"), slice_make(filler, sizeof filler)},
                                             {SLICE("KEY"), slice_of_string(secret)}};
    harness_order(&harness, &other);
    other.order.environment = variables;
    other.order.environment_count = 3;
    harness_spawn(&harness, &other);
    assert_true(harness_until(&harness, worker_is_done, &other));
    assert_int_equal(other.error, OK);
    attacks_run++;
    harness_order(&harness, &worker);
    worker.order.program = SLICE(""); /* first_process */
    harness_spawn(&harness, &worker);
    assert_true(harness_until(&harness, worker_has_exited, &worker));
    assert_int_equal(worker.error, OK);
    assert_int_equal(worker.exit.status, 0);
    harness_forget(&worker);
    holds("read_other_environment");
    finish(&other);
}

static void cannot_read_the_files_of_another_worker(void **state)
{
    (void)state;
    TestWorker other;
    start(&other, "leave_in_tmp");
    await_output(&other);
    holds("read_other_tmp");
    finish(&other);
}

/* The user of the host that a worker's processes are, by its pidfd. */
static unsigned long user_of(const TestWorker *worker)
{
    char path[64];
    char line[256];
    unsigned long process = 0;
    unsigned long user = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", worker->order.process);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Pid: %lu", &process);
    if (file != NULL)
        fclose(file);
    snprintf(path, sizeof path, "/proc/%lu/status", process);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Uid: %lu", &user);
    if (file != NULL)
        fclose(file);
    return user;
}

static void every_worker_is_another_user_of_the_host(void **state)
{
    (void)state;
    TestWorker first;
    TestWorker second;
    attacks_run++;
    /* Who has no powers has only one user to give; workers are apart by their namespaces alone. */
    if (harness.isolation == ISOLATION_AVAILABLE)
        return;
    start(&first, "hang");
    start(&second, "hang");
    assert_true(user_of(&first) >= 0x70000000ul);
    assert_true(user_of(&second) >= 0x70000000ul);
    assert_int_not_equal(user_of(&first), user_of(&second));
    finish(&first);
    finish(&second);
}

/* ---- Using up ---- */

static void cannot_bomb_with_forks(void **state)
{
    (void)state;
    TestWorker beside;
    start(&beside, "hang");
    holds("fork_bomb");
    holds("hello"); /* others can start */
    attacks_run--;
    finish(&beside);
}

static void cannot_exceed_its_memory(void **state)
{
    (void)state;
    static const char *const attacks[] = {"eat_memory", "eat_memory_together"};
    for (size_t i = 0; i < 2; i++) {
        TestWorker worker;
        harness_order(&harness, &worker);
        worker.order.memory_bytes = 64 << 20;
        harness_arm(&harness, &worker, attacks[i]);
        attacks_run++;
        harness_spawn(&harness, &worker);
        assert_true(harness_until(&harness, worker_is_done, &worker));
        assert_int_equal(worker.error, OK);
        assert_true(harness_until(&harness, worker_has_exited, &worker));
        assert_true(worker.exit.out_of_memory);
        assert_int_equal(worker.exit.memory_peak_bytes, 64 << 20); /* all that it may have */
        harness_forget(&worker);
    }
}

/* All that the worker's processes have used, and whether any is left, is in their control group and their pipes: the pipe
 * ends when the last of them has. */
static void assert_silent(const TestWorker *worker)
{
    struct pollfd watched = {.fd = worker->order.output, .events = POLLIN};
    char text[64];
    assert_int_equal(poll(&watched, 1, 0), 1);
    assert_int_equal(read(worker->order.output, text, sizeof text), 0);
}

static void cannot_keep_the_processor_after_it_was_killed(void **state)
{
    (void)state;
    TestWorker worker;
    attacks_run++;
    start(&worker, "keep_processor");
    await_output(&worker);
    spawner_kill(harness.spawner, worker.order.worker);
    assert_true(harness_until(&harness, worker_has_exited, &worker));
    assert_silent(&worker);
    harness_forget(&worker);
}

static void cannot_outlive_its_worker(void **state)
{
    (void)state;
    TestWorker worker;
    attacks_run++;
    start(&worker, "outlive_worker");
    assert_true(harness_until(&harness, worker_has_exited, &worker));
    assert_int_equal(worker.exit.status, 0);
    assert_silent(&worker);
    harness_forget(&worker);
}

/* ---- The network ---- */

static void cannot_reach_other_hosts_when_its_network_is_isolated(void **state)
{
    (void)state;
    TestWorker worker;
    Arena arena = arena_make();
    const Slice reachable = arena_format(&arena, "127.0.0.1:%.*s", SLICE_PRINT(harness.variables[6].value));
    harness_order(&harness, &worker);
    worker.order.isolated_network = true;
    worker.order.reachable = &reachable;
    worker.order.reachable_count = 1;
    run(&worker, "reach_other_hosts");
    assert_int_equal(ran.exit.status, 0);
    arena_free(&arena);
}

static void reaches_the_host_when_its_network_is_shared(void **state)
{
    (void)state;
    holds("reach_host_loopback");
    attacks_run--;
}

static void all_attacks_were_run(void **state)
{
    (void)state;
    assert_int_equal(attacks_run, ATTACKS);
}

static int open_all(void **state)
{
    return harness_setup(state, &harness, harness_isolation());
}

int main(int count, char **words)
{
    spawner_keep_if_asked(count, words, first_process);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cannot_read_data_directory),
        cmocka_unit_test(cannot_reach_admin_socket),
        cmocka_unit_test(cannot_reach_abstract_socket),
        cmocka_unit_test(cannot_read_other_code),
        cmocka_unit_test(cannot_see_other_processes),
        cmocka_unit_test(cannot_read_kernel),
        cmocka_unit_test(cannot_inherited_files),
        cmocka_unit_test(cannot_inherited_environment),
        cmocka_unit_test(cannot_write_elsewhere),
        cmocka_unit_test(cannot_write_kernel_settings),
        cmocka_unit_test(cannot_make_devices),
        cmocka_unit_test(cannot_gain_capabilities),
        cmocka_unit_test(cannot_run_setuid_program),
        cmocka_unit_test(cannot_trace_processes),
        cmocka_unit_test(cannot_mount_things),
        cmocka_unit_test(cannot_make_namespaces),
        cmocka_unit_test(cannot_enter_kernel),
        cmocka_unit_test(cannot_call_by_other_tables),
        cmocka_unit_test(cannot_be_spared),
        cmocka_unit_test(cannot_change_machine),
        cmocka_unit_test(cannot_raise_limits),
        cmocka_unit_test(cannot_leave_control_groups),
        cmocka_unit_test(cannot_fill_disk),
        cmocka_unit_test(ends_when_it_tries_to_load_module),
        cmocka_unit_test(ends_when_it_tries_to_load_kernel),
        cmocka_unit_test(ends_when_it_tries_to_open_by_handle),
        cmocka_unit_test(cannot_read_the_environment_of_another_worker_or_of_the_server),
        cmocka_unit_test(cannot_read_the_files_of_another_worker),
        cmocka_unit_test(every_worker_is_another_user_of_the_host),
        cmocka_unit_test(cannot_bomb_with_forks),
        cmocka_unit_test(cannot_exceed_its_memory),
        cmocka_unit_test(cannot_keep_the_processor_after_it_was_killed),
        cmocka_unit_test(cannot_outlive_its_worker),
        cmocka_unit_test(cannot_reach_other_hosts_when_its_network_is_isolated),
        cmocka_unit_test(reaches_the_host_when_its_network_is_shared),
        cmocka_unit_test(all_attacks_were_run),
    };
    return cmocka_run_group_tests(tests, open_all, harness_teardown);
}

/* Processes are killed at random and workers come and go by the hundred: every order is answered once, every exit reported
 * once, the service goes on, and nothing is left behind. TEST_SEED repeats a run; a word that is given to the program names
 * the only tests to run (`*` is allowed in it). */
#include "runtime/frames.h"
#include "runtime/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 25, CROWD = 10, MANY = 500, EACH_PYTHON = 10, PROCESSES_MAX = 512, CALM_MS = 5000, STOPPED_MS = 200 };

static Harness harness;
static Ran ran;

/* ---- What there is of processes, files, mounts and groups ---- */

static size_t children_of(pid_t parent, pid_t *children, size_t room)
{
    char path[64];
    size_t count = 0;
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);
    FILE *file = fopen(path, "re");
    while (file != NULL && count < room && fscanf(file, "%d", &child) == 1)
        children[count++] = child;
    if (file != NULL)
        fclose(file);
    return count;
}

/* Our child that is not the harness's own. */
static pid_t keeper_process(void)
{
    pid_t children[8];
    pid_t keeper = 0;
    size_t count = children_of(getpid(), children, 8);
    for (size_t i = 0; i < count; i++)
        if (children[i] != harness.answering)
            keeper = children[i];
    return keeper;
}

/* The keeper's child; 0: there is none at the moment. */
static pid_t spawner_process(void)
{
    pid_t spawner = 0;
    children_of(keeper_process(), &spawner, 1);
    return spawner;
}

/* Control groups of a server, by its keeper. */
static size_t count_groups(pid_t keeper)
{
    char command[128];
    size_t count = 0;
    snprintf(command, sizeof command, "find /sys/fs/cgroup -type d -regex '.*/brume-%d\\(/.*\\)?' | wc -l", keeper);
    FILE *file = popen(command, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &count), 1);
    pclose(file);
    return count;
}

static size_t count_entries(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

typedef struct Census {
    size_t files_here;
    size_t files_there;
    size_t processes;
    size_t mounts;
    size_t groups;
} Census;

static Census take_census(void)
{
    char path[64];
    char line[1024];
    pid_t children[PROCESSES_MAX];
    pid_t spawner = spawner_process();
    Census census = {.files_here = count_entries("/proc/self/fd"),
                     .processes = children_of(spawner, children, PROCESSES_MAX)};
    snprintf(path, sizeof path, "/proc/%d/fd", spawner);
    census.files_there = count_entries(path);
    snprintf(path, sizeof path, "/proc/%d/mountinfo", spawner);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        census.mounts++;
    if (file != NULL)
        fclose(file);
    census.groups = count_groups(keeper_process());
    return census;
}

/* ---- Workers ---- */

static void order(TestWorker *worker, bool is_python)
{
    harness_order(&harness, worker);
    if (is_python) {
        worker->order.kind = RUNTIME_PYTHON;
        worker->order.program = SLICE("/usr/bin/python3");
    } else {
        harness_arm(&harness, worker, "hang");
    }
}

/* All that is between an order and its exit is over. */
static bool is_over(const TestWorker *worker)
{
    return worker_has_exited(worker);
}

/* ---- Tests ---- */

static void kill_one(unsigned choice)
{
    pid_t children[PROCESSES_MAX];
    pid_t keeper = keeper_process();
    pid_t spawner = spawner_process();
    if (keeper != 0 && choice % 16 == 0) {
        kill(keeper, SIGKILL);
        return;
    }
    size_t count = spawner == 0 ? 0 : children_of(spawner, children, PROCESSES_MAX);
    if (spawner == 0)
        return;
    /* A zygote is among the spawner's children as workers are. */
    kill(count == 0 || choice % 4 == 0 ? spawner : children[choice / 4 % count], SIGKILL);
}

/* A process that gets no time for a while, as on a busy machine, until another lets it go on. */
static void stop_one(unsigned choice)
{
    pid_t children[PROCESSES_MAX];
    const long wait_ns = (long)(choice / 16 % STOPPED_MS) * 1000000;
    pid_t spawner = spawner_process();
    size_t count = spawner == 0 ? 0 : children_of(spawner, children, PROCESSES_MAX);
    pid_t chosen = count == 0 || choice % 4 == 0 ? spawner : children[choice / 4 % count];
    int process = chosen == 0 ? -1 : (int)syscall(SYS_pidfd_open, chosen, 0);
    if (process < 0)
        return;
    pid_t helper = fork();
    if (helper == 0) {
        /* Forked twice, so that nobody has to wait for the one that waits. */
        if (fork() == 0) {
            syscall(SYS_pidfd_send_signal, process, SIGSTOP, NULL, 0);
            nanosleep(&(struct timespec){.tv_nsec = wait_ns}, NULL);
            syscall(SYS_pidfd_send_signal, process, SIGCONT, NULL, 0);
        }
        _exit(0);
    }
    waitpid(helper, NULL, 0);
    close(process);
}

static void whoever_is_killed_every_end_is_told_once_and_service_goes_on(void **state)
{
    (void)state;
    static TestWorker workers[ROUNDS][CROWD];
    const Slice door = SLICE("127.0.0.1:4566");
    const char *given = getenv("TEST_SEED");
    unsigned seed = given == NULL ? (unsigned)time(NULL) : (unsigned)strtoul(given, NULL, 10);
    fprintf(stderr, "TEST_SEED=%u\n", seed);
    srand(seed);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < CROWD; i++) {
            order(&workers[round][i], rand() % 2 == 0);
            /* Some have a relay, which may be killed, too. */
            workers[round][i].order.isolated_network = rand() % 4 == 0;
            workers[round][i].order.reachable = &door;
            workers[round][i].order.reachable_count = 1;
            harness_spawn(&harness, &workers[round][i]);
            if (rand() % 4 == 0)
                uv_run(loop_uv(harness.loop), UV_RUN_NOWAIT);
            if (rand() % 8 == 0)
                kill_one((unsigned)rand());
            if (rand() % 16 == 0)
                stop_one((unsigned)rand());
        }
        kill_one((unsigned)rand());
        for (size_t i = 0; i < CROWD; i++) {
            TestWorker *worker = &workers[round][i];
            assert_true(harness_until(&harness, worker_is_done, worker));
            if (worker->error == OK && rand() % 2 == 0)
                spawner_kill(harness.spawner, worker->order.worker);
        }
        for (size_t i = 0; i < CROWD; i++) {
            TestWorker *worker = &workers[round][i];
            spawner_kill(harness.spawner, worker->order.worker);
            assert_true(harness_until(&harness, is_over, worker));
        }
    }
    /* Long after, too, nothing has been told twice. */
    TestWorker last;
    harness_order(&harness, &last);
    harness_run(&harness, &last, "hello", &ran);
    assert_int_equal(ran.error, OK);
    assert_int_equal(harness.unknown_exits, 0);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < CROWD; i++) {
            TestWorker *worker = &workers[round][i];
            assert_int_equal(worker->exits, worker->error == OK ? 1 : 0);
            harness_forget(worker);
        }
}

static void run_both(bool is_python)
{
    TestWorker worker;
    if (!is_python) {
        harness_order(&harness, &worker);
        harness_run(&harness, &worker, "hello", &ran);
        assert_int_equal(ran.error, OK);
        return;
    }
    order(&worker, true);
    harness_spawn(&harness, &worker);
    assert_true(harness_until(&harness, worker_is_done, &worker));
    assert_int_equal(worker.error, OK);
    spawner_kill(harness.spawner, worker.order.worker);
    assert_true(harness_until(&harness, worker_has_exited, &worker));
    harness_forget(&worker);
}

/* The number of waiting ones is the same before and after only when nothing is being made. */
static void settle(void)
{
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

/* Whether it is what Python workers are forked from, which has their command line, but the spawner's processes. */
static bool is_zygote(pid_t process, pid_t spawner)
{
    static const char program[] = "zygote.py";
    char path[64];
    char words[256] = "";
    char own[64] = "";
    char spawners[64] = "";
    snprintf(path, sizeof path, "/proc/%d/ns/pid", process);
    if (readlink(path, own, sizeof own - 1) <= 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/ns/pid_for_children", spawner);
    if (readlink(path, spawners, sizeof spawners - 1) <= 0 || strcmp(own, spawners) != 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/cmdline", process);
    FILE *file = fopen(path, "re");
    size_t size = file == NULL ? 0 : fread(words, 1, sizeof words, file);
    if (file != NULL)
        fclose(file);
    return memmem(words, size, program, sizeof program - 1) != NULL;
}

static pid_t zygote_process(void)
{
    pid_t children[PROCESSES_MAX];
    pid_t spawner = spawner_process();
    pid_t zygote = 0;
    size_t count = children_of(spawner, children, PROCESSES_MAX);
    for (size_t i = 0; i < count; i++)
        if (is_zygote(children[i], spawner))
            zygote = children[i];
    return zygote;
}

/* Kills the zygote when it has forked, and has not yet said so: a debugger is told of that moment (ptrace(2),
 * PTRACE_O_TRACECLONE). Its fork is let go. */
__attribute__((noreturn)) static void kill_at_fork(pid_t zygote, int report)
{
    int status = 0;
    bool attached = ptrace(PTRACE_SEIZE, zygote, NULL, PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK) == 0;
    (void)!write(report, attached ? "y" : "n", 1);
    while (attached && waitpid(zygote, &status, __WALL) == zygote && WIFSTOPPED(status) &&
           status >> 8 != (SIGTRAP | PTRACE_EVENT_CLONE << 8) && status >> 8 != (SIGTRAP | PTRACE_EVENT_FORK << 8))
        ptrace(PTRACE_CONT, zygote, NULL, 0);
    kill(zygote, SIGKILL);
    _exit(attached && WIFSTOPPED(status) ? 0 : 1);
}

static void a_zygote_that_dies_between_fork_and_answer_costs_no_order(void **state)
{
    (void)state;
    enum { ORDERS = 3 }; /* one of them may be given the worker that waits ahead */
    static TestWorker workers[ORDERS];
    int report[2];
    char attached = 0;
    int status = -1;
    run_both(true);
    settle();
    pid_t zygote = zygote_process();
    assert_true(zygote > 0);
    assert_int_equal(pipe(report), 0);
    pid_t killer = fork();
    if (killer == 0)
        kill_at_fork(zygote, report[1]);
    assert_int_equal(read(report[0], &attached, 1), 1);
    assert_int_equal(attached, 'y');
    for (size_t i = 0; i < ORDERS; i++) {
        order(&workers[i], true);
        harness_spawn(&harness, &workers[i]);
    }
    for (size_t i = 0; i < ORDERS; i++)
        assert_true(harness_until(&harness, worker_is_done, &workers[i]));
    assert_int_equal(waitpid(killer, &status, 0), killer);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < ORDERS; i++) {
        assert_int_equal(workers[i].error, OK);
        spawner_kill(harness.spawner, workers[i].order.worker);
        assert_true(harness_until(&harness, worker_has_exited, &workers[i]));
        harness_forget(&workers[i]);
    }
    assert_true(zygote_process() != zygote);
    close(report[0]);
    close(report[1]);
}

/* Groups and processes of what has just ended may take a moment to go. */
static void assert_no_more_than(Census before)
{
    Census now = {0};
    for (int waited = 0; waited < CALM_MS; waited += 100) {
        now = take_census();
        if (now.files_here <= before.files_here && now.files_there <= before.files_there &&
            now.processes <= before.processes && now.mounts <= before.mounts && now.groups <= before.groups)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    assert_int_equal(now.files_here, before.files_here);
    assert_int_equal(now.files_there, before.files_there);
    assert_int_equal(now.processes, before.processes);
    assert_int_equal(now.mounts, before.mounts);
    assert_int_equal(now.groups, before.groups);
}

static void five_hundred_workers_leave_nothing_behind(void **state)
{
    (void)state;
    run_both(true);
    run_both(true);
    run_both(false);
    settle();
    Census before = take_census();
    assert_true(before.processes >= 2); /* a zygote, and what waits ahead */
    assert_true(before.groups >= 3);
    for (size_t i = 0; i < MANY; i++)
        run_both(i % EACH_PYTHON == 0);
    settle();
    assert_no_more_than(before);
}

static void a_spawner_that_is_closed_takes_everything_along(void **state)
{
    (void)state;
    TestWorker worker;
    order(&worker, false);
    harness_spawn(&harness, &worker);
    assert_true(harness_until(&harness, worker_is_done, &worker));
    int process = worker.order.process;
    worker.order.process = -1;
    harness_forget(&worker);
    pid_t keeper = keeper_process();
    assert_true(count_groups(keeper) >= 3);
    harness_close(&harness);
    assert_int_equal(syscall(SYS_pidfd_send_signal, process, 0, NULL, 0), -1); /* gone, and waited for */
    close(process);
    pid_t child;
    assert_int_equal(children_of(getpid(), &child, 1), 0);
    assert_int_equal(count_groups(keeper), 0);
    harness_open(&harness, ISOLATION_REQUIRED);
}

/* The server of another process, which tells its folder and its keeper, and that it has a worker. */
__attribute__((noreturn)) static void serve_until_killed(int report)
{
    static Harness own;
    static TestWorker worker;
    pid_t children[8];
    harness_open(&own, ISOLATION_REQUIRED);
    harness_order(&own, &worker);
    harness_arm(&own, &worker, "hang");
    harness_spawn(&own, &worker);
    if (!harness_until(&own, worker_is_done, &worker) || worker.error != OK)
        _exit(1);
    size_t count = children_of(getpid(), children, 8);
    pid_t keeper = count == 2 ? children[children[0] == own.answering] : 0;
    dprintf(report, "%d %d %s", keeper, own.answering, own.folder);
    for (;;)
        pause();
}

static void a_killed_server_takes_everything_along(void **state)
{
    (void)state;
    int report[2];
    char text[PATH_MAX] = "";
    char folder[PATH_MAX];
    int keeper = 0;
    int answering = 0;
    assert_int_equal(pipe(report), 0);
    pid_t server = fork();
    if (server == 0)
        serve_until_killed(report[1]);
    assert_true(read(report[0], text, sizeof text - 1) > 0);
    assert_int_equal(sscanf(text, "%d %d %4000s", &keeper, &answering, folder), 3);
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, keeper, 0), .events = POLLIN};
    assert_true(ended.fd >= 0);
    assert_true(count_groups(keeper) >= 6);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    /* The keeper waits for the spawner, which waits for all others. */
    assert_int_equal(poll(&ended, 1, HARNESS_WAIT_MS), 1);
    assert_int_equal(count_groups(keeper), 0);
    kill(answering, SIGKILL);
    close(ended.fd);
    close(report[0]);
    close(report[1]);
    harness_remove(folder);
}

static int open_all(void **state)
{
    return harness_setup(state, &harness, ISOLATION_REQUIRED);
}

int main(int count, char **words)
{
    spawner_keep_if_asked(count, words, NULL);
    if (count == 2)
        cmocka_set_test_filter(words[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_hundred_workers_leave_nothing_behind),
        cmocka_unit_test(a_zygote_that_dies_between_fork_and_answer_costs_no_order),
        cmocka_unit_test(whoever_is_killed_every_end_is_told_once_and_service_goes_on),
        cmocka_unit_test(a_spawner_that_is_closed_takes_everything_along),
        cmocka_unit_test(a_killed_server_takes_everything_along),
    };
    return cmocka_run_group_tests(tests, open_all, harness_teardown);
}

/* Processes are killed at random and workers come and go by the hundred: every order is answered once, every exit reported
 * once, the service goes on, and nothing is left behind. TEST_SEED repeats a run. */
#include "runtime/frames.h"
#include "runtime/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 25, CROWD = 10, MANY = 500, EACH_PYTHON = 10, PROCESSES_MAX = 512, CALM_MS = 5000 };

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

/* The keeper's child; 0: there is none at the moment. */
static pid_t spawner_process(void)
{
    pid_t children[8];
    pid_t spawner = 0;
    size_t count = children_of(getpid(), children, 8);
    for (size_t i = 0; i < count; i++)
        if (children[i] != harness.answering)
            children_of(children[i], &spawner, 1);
    return spawner;
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
    file = popen("find /sys/fs/cgroup -path '*brume-*' -type d | wc -l", "r");
    assert_int_equal(fscanf(file, "%zu", &census.groups), 1);
    pclose(file);
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
    pid_t spawner = spawner_process();
    size_t count = spawner == 0 ? 0 : children_of(spawner, children, PROCESSES_MAX);
    if (spawner == 0)
        return;
    /* A zygote is among the spawner's children as workers are. */
    kill(count == 0 || choice % 4 == 0 ? spawner : children[choice / 4 % count], SIGKILL);
}

static void whoever_is_killed_every_end_is_told_once_and_service_goes_on(void **state)
{
    (void)state;
    static TestWorker workers[ROUNDS][CROWD];
    const char *given = getenv("TEST_SEED");
    unsigned seed = given == NULL ? (unsigned)time(NULL) : (unsigned)strtoul(given, NULL, 10);
    fprintf(stderr, "TEST_SEED=%u\n", seed);
    srand(seed);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < CROWD; i++) {
            order(&workers[round][i], rand() % 2 == 0);
            harness_spawn(&harness, &workers[round][i]);
            if (rand() % 4 == 0)
                uv_run(loop_uv(harness.loop), UV_RUN_NOWAIT);
            if (rand() % 8 == 0)
                kill_one((unsigned)rand());
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
    char command[128];
    order(&worker, false);
    harness_spawn(&harness, &worker);
    assert_true(harness_until(&harness, worker_is_done, &worker));
    int process = worker.order.process;
    worker.order.process = -1;
    harness_forget(&worker);
    pid_t children[8];
    snprintf(command, sizeof command, "find /sys/fs/cgroup -name 'brume-*' -type d | grep -c 'brume-%d$'",
             children_of(getpid(), children, 8) > 1 ? children[1] : 0);
    harness_close(&harness);
    assert_int_equal(syscall(SYS_pidfd_send_signal, process, 0, NULL, 0), -1); /* gone, and waited for */
    close(process);
    assert_int_equal(children_of(getpid(), children, 8), 0);
    FILE *file = popen(command, "r");
    int groups = -1;
    assert_int_equal(fscanf(file, "%d", &groups), 1);
    pclose(file);
    assert_int_equal(groups, 0);
    harness_open(&harness, ISOLATION_REQUIRED, NULL);
}

static int open_all(void **state)
{
    (void)state;
    harness_open(&harness, ISOLATION_REQUIRED, NULL);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    harness_close(&harness);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_hundred_workers_leave_nothing_behind),
        cmocka_unit_test(whoever_is_killed_every_end_is_told_once_and_service_goes_on),
        cmocka_unit_test(a_spawner_that_is_closed_takes_everything_along),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}

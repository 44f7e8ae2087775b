/* measure: how long workers take to begin, on this machine, beside what a plain fork and exec takes. Prints a table.
 *
 *     build/tests/runtime/measure [ROUNDS] */
#include "base/bug.h"
#include "runtime/frames.h"
#include "runtime/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 100, ROUNDS_MAX = 2000 };

static Harness harness;
static char text[FRAME_TEXT];
static uint64_t took[ROUNDS_MAX];

#define INIT                                                                                                           \
    "{\"handler\":\"app.handler\",\"environment\":{},\"snapStart\":false,\"logFormat\":\"Text\",\"logLevel\":"         \
    "\"INFO\"}"

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void report(const char *what, size_t count)
{
    qsort(took, count, sizeof *took, compare);
    printf("%-44s p50 %8.2f ms   p99 %8.2f ms   worst %8.2f ms\n", what, (double)took[count / 2] / 1000,
           (double)took[count * 99 / 100] / 1000, (double)took[count - 1] / 1000);
    fflush(stdout);
}

static void order(TestWorker *worker, RuntimeKind kind)
{
    harness_order(&harness, worker);
    worker->order.kind = kind;
    if (kind != RUNTIME_CUSTOM)
        worker->order.program = kind == RUNTIME_PYTHON ? SLICE("/usr/bin/python3") : SLICE("/usr/bin/node");
}

static void answer(TestWorker *worker)
{
    ASSERT(frame_receive(worker->order.answers, text) == FRAME_READY);
    frame_send_event(worker->order.events, "{}");
    ASSERT(frame_receive(worker->order.answers, text) == FRAME_RESPONSE);
}

static void end(TestWorker *worker)
{
    spawner_kill(harness.spawner, worker->order.worker);
    ASSERT(harness_until(&harness, worker_has_exited, worker));
    harness_forget(worker);
}

static void measure_plain(size_t rounds)
{
    char program[PATH_MAX];
    snprintf(program, sizeof program, "%.3000s/bootstrap", harness.code);
    for (size_t i = 0; i < rounds; i++) {
        uint64_t start = harness_now_us();
        pid_t process = fork();
        if (process == 0) {
            execle(program, program, NULL, (char *[]){"ATTACK=leave", NULL});
            _exit(1);
        }
        waitpid(process, NULL, 0);
        took[i] = harness_now_us() - start;
    }
    report("fork, exec and exit without a sandbox", rounds);
}

static void measure_program(size_t rounds, bool isolated)
{
    Ran ran;
    for (size_t i = 0; i < rounds; i++) {
        TestWorker worker;
        order(&worker, RUNTIME_CUSTOM);
        worker.order.isolated_network = isolated;
        uint64_t start = harness_now_us();
        harness_run(&harness, &worker, "leave", &ran);
        took[i] = harness_now_us() - start;
        ASSERT(ran.error == OK && WEXITSTATUS(ran.exit.status) == 42);
    }
    report(isolated ? "a C program, network isolated, to its exit" : "a C program in the sandbox, to its exit", rounds);
}

static void measure_function(size_t rounds, RuntimeKind kind, const char *what)
{
    TestWorker *workers = calloc(rounds, sizeof *workers);
    ASSERT(workers != NULL);
    for (size_t i = 0; i < rounds; i++) {
        TestWorker *worker = &workers[i];
        order(worker, kind);
        uint64_t start = harness_now_us();
        harness_spawn(&harness, worker);
        ASSERT(harness_until(&harness, worker_is_done, worker) && worker->error == OK);
        frame_send(worker->order.events, FRAME_INIT, INIT);
        answer(worker);
        took[i] = harness_now_us() - start;
        end(worker);
        if (kind == RUNTIME_NODEJS)
            usleep(150000); /* the next one is started ahead meanwhile */
    }
    free(workers);
    report(what, rounds);
}

static void measure_crowd(void)
{
    static TestWorker workers[AT_ONCE];
    uint64_t start = harness_now_us();
    for (size_t i = 0; i < AT_ONCE; i++) {
        order(&workers[i], RUNTIME_PYTHON);
        harness_spawn(&harness, &workers[i]);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        ASSERT(harness_until(&harness, worker_is_done, &workers[i]) && workers[i].error == OK);
        frame_send(workers[i].order.events, FRAME_INIT, INIT);
    }
    for (size_t i = 0; i < AT_ONCE; i++)
        answer(&workers[i]);
    printf("%d Python functions at once, all answered      %8.2f ms\n", AT_ONCE,
           (double)(harness_now_us() - start) / 1000);
    printf("an idle Python worker's own memory (cgroup)    %8.2f MB\n",
           (double)spawner_memory_peak(harness.spawner, workers[0].order.worker) / 1e6);
    fflush(stdout);
    for (size_t i = 0; i < AT_ONCE; i++)
        end(&workers[i]);
}

int main(int argc, char **argv)
{
    spawner_keep_if_asked(argc, argv, NULL);
    size_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 200;
    ASSERT(rounds > 0 && rounds <= ROUNDS_MAX);
    harness_open(&harness, ISOLATION_AVAILABLE);
    harness_put(harness.code, "app.py", "def handler(event, context):\n    return 'hello'\n");
    harness_put(harness.code, "app.js", "exports.handler = async () => 'hello';\n");
    measure_plain(rounds);
    measure_program(rounds, false);
    measure_program(rounds, true);
    measure_function(3, RUNTIME_PYTHON, "(the first Python functions: with the zygote)");
    measure_function(rounds, RUNTIME_PYTHON, "a Python function, order to answer");
    measure_crowd();
    measure_function(rounds / 10 + 1, RUNTIME_NODEJS, "a Node.js function, order to answer");
    harness_close(&harness);
    return 0;
}

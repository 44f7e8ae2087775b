/* Custom runtimes in their sandbox: the Runtime API is its first process, and the example in C the function's program. */
#include "runtime/channel.h"
#include "runtime/harness.h"
#include "runtime/runtime_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 64 * 1024, COLD_STARTS = 50 };

static Harness harness;
static char task[PATH_MAX];
static char text[TEXT_MAX];

static const char init[] =
    "{\"handler\":\"any\",\"environment\":{\"LAMBDA_TASK_ROOT\":\"/var/task\",\"_HANDLER\":\"any\","
    "\"AWS_REGION\":\"us-east-1\",\"GREETING\":\"hello\"}}";
static const char event[] = "{\"requestId\":\"8476a536-e9f4-11e8-9739-2dfe598c3fcd\",\"deadlineMs\":1,"
                            "\"functionArn\":\"arn\",\"streamed\":false}";

/* ---- The channel ---- */

static void send_all(int file, const void *bytes, size_t size)
{
    assert_int_equal(send(file, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static void send_frame(const TestWorker *worker, FrameKind kind, const void *content, size_t size)
{
    char frame[TEXT_MAX] = {(char)kind};
    uint32_t length = (uint32_t)size;
    memcpy(frame + 4, &length, sizeof length);
    memcpy(frame + CHANNEL_HEADER_SIZE, content, size);
    send_all(worker->order.events, frame, CHANNEL_HEADER_SIZE + size);
}

static void send_event(const TestWorker *worker, const char *payload)
{
    char content[TEXT_MAX];
    uint32_t length = sizeof event - 1;
    memcpy(content, &length, sizeof length);
    memcpy(content + sizeof length, event, length);
    strcpy(content + sizeof length + length, payload);
    send_frame(worker, FRAME_INVOKE, content, sizeof length + length + strlen(payload));
}

static void read_exactly(int file, void *bytes, size_t size)
{
    for (ssize_t got; size > 0; bytes = (char *)bytes + got, size -= (size_t)got) {
        struct pollfd polled = {.fd = file, .events = POLLIN};
        assert_int_equal(poll(&polled, 1, HARNESS_WAIT_MS), 1);
        got = read(file, bytes, size);
        assert_true(got > 0);
    }
}

static FrameKind read_frame(const TestWorker *worker)
{
    char header[CHANNEL_HEADER_SIZE];
    uint32_t length;
    read_exactly(worker->order.answers, header, sizeof header);
    memcpy(&length, header + 4, sizeof length);
    assert_true(length < TEXT_MAX);
    read_exactly(worker->order.answers, text, length);
    text[length] = '\0';
    return (FrameKind)header[0];
}

static void expect_frame(const TestWorker *worker, FrameKind kind, const char *content)
{
    assert_int_equal(read_frame(worker), kind);
    assert_string_equal(text, content);
}

/* ---- Workers ---- */

static void start(TestWorker *worker, const char *folder, bool isolated)
{
    harness_order(&harness, worker);
    worker->order.program = (Slice){0};
    worker->order.code_directory = slice_of_string(folder);
    worker->order.isolated_network = isolated;
    harness_spawn(&harness, worker);
    assert_true(harness_until(&harness, worker_is_done, worker));
    assert_string_equal(worker->message, "");
    assert_int_equal(worker->error, OK);
    send_frame(worker, FRAME_INIT, init, sizeof init - 1);
}

static void end(TestWorker *worker)
{
    spawner_kill(harness.spawner, worker->order.worker);
    assert_true(harness_until(&harness, worker_has_exited, worker));
    harness_forget(worker);
}

static void events_are_answered_over_either_network(void **state)
{
    (void)state;
    for (int isolated = 0; isolated < 2; isolated++) {
        TestWorker worker;
        start(&worker, task, isolated != 0);
        expect_frame(&worker, FRAME_READY, "");
        for (int i = 1; i < 50; i++) {
            char answer[64];
            send_event(&worker, "[1]");
            snprintf(answer, sizeof answer, "{\"event\": [1], \"count\": %d}", i);
            expect_frame(&worker, FRAME_RESPONSE, answer);
        }
        send_event(&worker, "\"environment\"");
        expect_frame(&worker, FRAME_RESPONSE,
                     "\"PWD=/var/task _HANDLER=any LAMBDA_TASK_ROOT=/var/task AWS_REGION=us-east-1 GREETING=hello\"");
        end(&worker);
    }
}

static void how_a_program_ended_is_told_although_its_init_cannot_die_so(void **state)
{
    (void)state;
    static const struct {
        const char *wish;
        int told;
        int exited;
    } rows[] = {{"\"exit\"", W_EXITCODE(3, 0), W_EXITCODE(3, 0)},
                {"\"crash\"", W_EXITCODE(0, SIGSEGV), W_EXITCODE(128 + SIGSEGV, 0)}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TestWorker worker;
        start(&worker, task, false);
        expect_frame(&worker, FRAME_READY, "");
        send_event(&worker, rows[i].wish);
        assert_int_equal(read_frame(&worker), FRAME_EXIT);
        uint32_t told;
        memcpy(&told, text, sizeof told);
        assert_int_equal(told, rows[i].told);
        assert_true(harness_until(&harness, worker_has_exited, &worker));
        assert_int_equal(worker.exit.status, rows[i].exited);
        harness_forget(&worker);
    }
}

static void a_function_without_a_program_says_where_it_was_looked_for(void **state)
{
    (void)state;
    TestWorker worker;
    start(&worker, harness.data, false);
    expect_frame(&worker, FRAME_INIT_ERROR,
                 "{\"errorMessage\":\"Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]\","
                 "\"errorType\":\"Runtime.InvalidEntrypoint\"}");
    assert_true(harness_until(&harness, worker_has_exited, &worker));
    assert_int_equal(worker.exit.status, W_EXITCODE(1, 0));
    harness_forget(&worker);
}

/* ---- How long it takes ---- */

static int compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Figures are printed for whoever looks; machines differ, so that none is held against a target here. */
static void many_start_one_after_the_other(void **state)
{
    (void)state;
    uint64_t times[COLD_STARTS];
    for (size_t i = 0; i < COLD_STARTS; i++) {
        TestWorker worker;
        uint64_t began = harness_now_us();
        start(&worker, task, false);
        expect_frame(&worker, FRAME_READY, "");
        send_event(&worker, "[]");
        expect_frame(&worker, FRAME_RESPONSE, "{\"event\": [], \"count\": 1}");
        times[i] = harness_now_us() - began;
        end(&worker);
    }
    qsort(times, COLD_STARTS, sizeof *times, compare_times);
    print_message("# cold start to answer: p50 %.2f ms, slowest %.2f ms\n", (double)times[COLD_STARTS / 2] / 1000,
                  (double)times[COLD_STARTS - 1] / 1000);
}

static int open_all(void **state)
{
    harness_setup(state, &harness, ISOLATION_REQUIRED);
    snprintf(task, sizeof task, "%.3000s/custom", harness.folder);
    assert_int_equal(mkdir(task, 0755), 0);
    char self[PATH_MAX] = {0};
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    *strrchr(self, '/') = '\0';
    char *command;
    assert_true(asprintf(&command, "cp '%s/custom_c/bootstrap' '%s/bootstrap'", self, task) > 0);
    assert_int_equal(system(command), 0);
    free(command);
    return 0;
}

int main(int count, char **words)
{
    spawner_keep_if_asked(count, words, runtime_api_main);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_answered_over_either_network),
        cmocka_unit_test(how_a_program_ended_is_told_although_its_init_cannot_die_so),
        cmocka_unit_test(a_function_without_a_program_says_where_it_was_looked_for),
        cmocka_unit_test(many_start_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, open_all, harness_teardown);
}

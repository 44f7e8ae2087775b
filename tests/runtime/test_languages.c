/* Workers of Python and Node.js begin with what their functions need, and answer events. */
#include "runtime/frames.h"
#include "runtime/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/wait.h>

static Harness harness;
static char text[FRAME_TEXT];

static void order_python(TestWorker *worker)
{
    harness_order(&harness, worker);
    worker->order.kind = RUNTIME_PYTHON;
    worker->order.runtime = SLICE("python3.11");
    worker->order.program = SLICE("/usr/bin/python3");
}

#define INIT                                                                                                           \
    "{\"handler\":\"app.handler\",\"environment\":{\"AWS_LAMBDA_FUNCTION_NAME\":\"hello\",\"PATH\":\"/usr/bin:/bin\"," \
    "\"AWS_LAMBDA_FUNCTION_MEMORY_SIZE\":\"128\",\"AWS_LAMBDA_FUNCTION_VERSION\":\"$LATEST\",\"NAME\":\"world\","      \
    "\"AWS_LAMBDA_LOG_GROUP_NAME\":\"g\",\"AWS_LAMBDA_LOG_STREAM_NAME\":\"s\",\"TZ\":\":UTC\","                        \
    "\"LAMBDA_TASK_ROOT\":\"/var/task\",\"AWS_REGION\":\"us-east-1\"},\"snapStart\":false,\"logFormat\":\"Text\","     \
    "\"logLevel\":\"INFO\"}"

static void begin(TestWorker *worker)
{
    harness_spawn(&harness, worker);
    assert_true(harness_until(&harness, worker_is_done, worker));
    if (worker->error != OK)
        fprintf(stderr, "%s\n", worker->message);
    assert_int_equal(worker->error, OK);
    frame_send(worker->order.channel, FRAME_INIT, INIT);
}

static void end(TestWorker *worker)
{
    spawner_kill(harness.spawner, worker->order.worker);
    assert_true(harness_until(&harness, worker_has_exited, worker));
    assert_int_equal(worker->exits, 1);
    harness_forget(worker);
}

static void a_python_function_answers(void **state)
{
    (void)state;
    TestWorker worker;
    harness_put(
        harness.code, "app.py",
        "import os\n"
        "def handler(event, context):\n"
        "    return {'hello': os.environ['NAME'], 'event': event, 'process': os.getpid(), 'user': os.getuid()}\n");
    for (int i = 0; i < 2; i++) {
        order_python(&worker);
        begin(&worker);
        assert_int_equal(frame_receive(worker.order.channel, text), FRAME_READY);
        frame_send_event(worker.order.channel, "[1]");
        assert_int_equal(frame_receive(worker.order.channel, text), FRAME_RESPONSE);
        assert_string_equal(text, "{\"hello\": \"world\", \"event\": [1], \"process\": 1, \"user\": 993}");
        end(&worker);
    }
}

static void a_nodejs_function_answers(void **state)
{
    (void)state;
    TestWorker worker;
    harness_put(harness.code, "app.js",
                "exports.handler = async (event) => ({hello: process.env.NAME, event, process: process.pid});\n");
    for (int i = 0; i < 2; i++) {
        harness_order(&harness, &worker);
        worker.order.kind = RUNTIME_NODEJS;
        worker.order.runtime = SLICE("nodejs20.x");
        worker.order.program = SLICE("/usr/bin/node");
        begin(&worker);
        assert_int_equal(frame_receive(worker.order.channel, text), FRAME_READY);
        frame_send_event(worker.order.channel, "[1]");
        assert_int_equal(frame_receive(worker.order.channel, text), FRAME_RESPONSE);
        assert_string_equal(text, "{\"hello\":\"world\",\"event\":[1],\"process\":1}");
        end(&worker);
    }
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
        cmocka_unit_test(a_python_function_answers),
        cmocka_unit_test(a_nodejs_function_answers),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}

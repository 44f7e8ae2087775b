/* Workers of Python and Node.js begin with what their functions need, and answer events. */
#include "runtime/frames.h"
#include "runtime/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
    frame_send(worker->order.events, FRAME_INIT, INIT);
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
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
        frame_send_event(worker.order.events, "[1]");
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_RESPONSE);
        assert_string_equal(text, "{\"hello\": \"world\", \"event\": [1], \"process\": 2, \"user\": 993}");
        end(&worker);
    }
}

static void order_node(TestWorker *worker)
{
    harness_order(&harness, worker);
    worker->order.kind = RUNTIME_NODEJS;
    worker->order.runtime = SLICE("nodejs20.x");
    worker->order.program = SLICE("/usr/bin/node");
}

static void a_nodejs_function_answers(void **state)
{
    (void)state;
    TestWorker worker;
    harness_put(harness.code, "app.js",
                "exports.handler = async (event) => ({hello: process.env.NAME, event, process: process.pid});\n");
    for (int i = 0; i < 2; i++) {
        order_node(&worker);
        begin(&worker);
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
        frame_send_event(worker.order.events, "[1]");
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_RESPONSE);
        assert_string_equal(text, "{\"hello\":\"world\",\"event\":[1],\"process\":2}");
        end(&worker);
    }
}

/* The other function, whose environment the spawner has had in its memory. */
static void run_beside(TestWorker *other)
{
    static char filler[2048]; /* beyond what the next order covers */
    char secret[] = "PUIFS_TFDSFU_641:";
    harness_spell(secret);
    memset(filler, 'x', sizeof filler);
    const EnvironmentVariable variables[] = {{SLICE("ATTACK"), SLICE("hang")},
                                             {SLICE("FILLER"), slice_make(filler, sizeof filler)},
                                             {SLICE("KEY"), slice_of_string(secret)}};
    harness_order(&harness, other);
    other->order.environment = variables;
    other->order.environment_count = 3;
    harness_spawn(&harness, other);
    assert_true(harness_until(&harness, worker_is_done, other));
    assert_int_equal(other->error, OK);
}

static void try_attack(const TestWorker *worker, const char *attack)
{
    frame_send_event(worker->order.events, attack);
    assert_int_equal(frame_receive(worker->order.answers, text), FRAME_RESPONSE);
    assert_string_equal(text, "\"0 \"");
}

/* Of workers that wait ahead, and of those that are executed with their environment. A Python that is forked shares its
 * memory with its first process, so that it may look, but does not find anything. */
static void the_first_process_shows_nothing_of_what_started_it(void **state)
{
    (void)state;
    const EnvironmentVariable variables[] = {{SLICE("LANG"), SLICE("C")}};
    TestWorker other;
    TestWorker worker;
    run_beside(&other);
    harness_put(
        harness.code, "app.py",
        "import subprocess\n"
        "def handler(event, context):\n"
        "    ran = subprocess.run('/var/task/bootstrap', env={'ATTACK': event}, capture_output=True, text=True)\n"
        "    return f'{ran.returncode} {ran.stdout}'\n");
    harness_put(harness.code, "app.js",
                "const {spawnSync} = require('child_process');\n"
                "exports.handler = async (event) => {\n"
                "    const ran = spawnSync('/var/task/bootstrap', {env: {ATTACK: event}});\n"
                "    return `${ran.status} ${ran.stdout}`;\n"
                "};\n");
    for (int i = 0; i < 6; i++) {
        bool is_node = i % 2 == 0;
        bool is_executed = i >= 4;
        if (is_node)
            order_node(&worker);
        else
            order_python(&worker);
        worker.order.environment = variables;
        worker.order.environment_count = is_executed;
        begin(&worker);
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
        try_attack(&worker, "\"read_first_process\"");
        if (is_node || is_executed)
            try_attack(&worker, "\"open_first_process\"");
        end(&worker);
    }
    end(&other);
}

/* In a worker that begins with them, and in those that waited ahead and are given them. */
static void code_layers_and_library_are_where_they_belong(void **state)
{
    (void)state;
    enum { TIMES = 4 };
    char folders[4][PATH_MAX];
    static const char *const names[] = {"first", "second", "third", "library"};
    for (size_t i = 0; i < 4; i++) {
        harness_folder(&harness, folders[i], names[i]);
        harness_put(folders[i], "which", names[i]);
        harness_put(folders[i], names[i], "here");
    }
    const Slice layers[] = {slice_of_string(folders[0]), slice_of_string(folders[1]), slice_of_string(folders[2])};
    harness_put(harness.code, "app.py",
                "import os\n"
                "def handler(event, context):\n"
                "    read = lambda path: open(path).read()\n"
                "    space = os.statvfs('/tmp')\n"
                "    return [sorted(os.listdir('/opt')), read('/opt/which'), read('/var/runtime/which'), os.getcwd(),\n"
                "            space.f_blocks * space.f_bsize >> 20]\n");
    for (size_t i = 0; i < TIMES; i++) {
        TestWorker worker;
        order_python(&worker);
        worker.order.layer_directories = layers;
        worker.order.layer_count = i % 2 == 0 ? 3 : 1;
        worker.order.library = slice_of_string(folders[3]);
        begin(&worker);
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
        frame_send_event(worker.order.events, "1");
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_RESPONSE);
        assert_string_equal(text, i % 2 == 0
                                      ? "[[\"first\", \"second\", \"third\", \"which\"], \"third\", \"library\", "
                                        "\"/var/task\", 16]"
                                      : "[[\"first\", \"which\"], \"first\", \"library\", \"/var/task\", 16]");
        end(&worker);
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL); /* the next one begins ahead meanwhile */
    }
}

/* A runtime that is no part of /usr, as `brume runtime install` puts it. */
static void a_runtime_elsewhere_is_shown_as_var_lang(void **state)
{
    (void)state;
    TestWorker worker;
    char folder[PATH_MAX];
    char command[3 * PATH_MAX];
    harness_folder(&harness, folder, "nodejs");
    snprintf(command, sizeof command, "mkdir -p '%.3000s/bin' '%.3000s/lib' && cp /usr/bin/node '%.3000s/bin/node'",
             folder, folder, folder);
    assert_int_equal(system(command), 0);
    harness_put(harness.code, "app.js", "exports.handler = async () => process.execPath;\n");
    snprintf(command, sizeof command, "%.3000s/bin/node", folder);
    harness_order(&harness, &worker);
    worker.order.kind = RUNTIME_NODEJS;
    worker.order.program = slice_of_string(command);
    begin(&worker);
    assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
    frame_send_event(worker.order.events, "[1]");
    assert_int_equal(frame_receive(worker.order.answers, text), FRAME_RESPONSE);
    assert_string_equal(text, "\"/var/lang/bin/node\"");
    end(&worker);
}

/* Lambda developer guide, "Modifying the runtime environment": the wrapper is given the runtime's command line. */
static void a_wrapper_is_executed_with_the_runtimes_command_line(void **state)
{
    (void)state;
    static const char *const programs[] = {"/usr/bin/python3", "/usr/bin/node"};
    static const RuntimeKind kinds[] = {RUNTIME_PYTHON, RUNTIME_NODEJS};
    char path[PATH_MAX];
    harness_put(harness.code, "wrapper", "#!/bin/sh\necho \"$MINE wraps $*\"\nexec \"$@\"\n");
    snprintf(path, sizeof path, "%.3000s/wrapper", harness.code);
    assert_int_equal(chmod(path, 0755), 0);
    harness_put(harness.code, "app.py", "def handler(event, context):\n    return 'python'\n");
    harness_put(harness.code, "app.js", "exports.handler = async () => 'node';\n");
    const EnvironmentVariable variables[] = {{SLICE("AWS_LAMBDA_EXEC_WRAPPER"), SLICE("/var/task/wrapper")},
                                             {SLICE("MINE"), SLICE("it")}};
    for (size_t i = 0; i < 2; i++) {
        TestWorker worker;
        char said[256] = "";
        harness_order(&harness, &worker);
        worker.order.kind = kinds[i];
        worker.order.program = slice_of_string(programs[i]);
        worker.order.environment = variables;
        worker.order.environment_count = 2;
        begin(&worker);
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
        frame_send_event(worker.order.events, "[1]");
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_RESPONSE);
        assert_string_equal(text, i == 0 ? "\"python\"" : "\"node\"");
        assert_true(read(worker.order.output, said, sizeof said - 1) > 0);
        assert_memory_equal(said, "it wraps /usr/bin/", 18);
        end(&worker);
    }
}

/* ---- SnapStart ---- */

static const char counts[] =
    "import os\n"
    "with open('/tmp/of_init', 'w') as left:\n"
    "    left.write(str(os.getpid()))\n"
    "count = 0\n"
    "def handler(event, context):\n"
    "    global count\n"
    "    count += 1\n"
    "    with open('/tmp/of_the_copy', 'a') as mine:\n"
    "        mine.write('x')\n"
    "    if event == ['fork'] and os.fork() == 0:\n"
    "        os.setsid()\n"
    "        while True: os.waitstatus_to_exitcode(os.system('sleep 100'))\n"
    "    return [count, os.path.getsize('/tmp/of_the_copy'), os.getpid(), os.getuid(), os.environ['NAME']]\n";

static void begin_template(TestWorker *worker, const char *program)
{
    static const char plain[] = "\"snapStart\":false";
    char init[sizeof INIT];
    memcpy(init, INIT, sizeof INIT);
    memcpy(strstr(init, plain), "\"snapStart\": true", sizeof plain - 1);
    harness_put(harness.code, "app.py", program);
    order_python(worker);
    worker->order.is_template = true;
    harness_spawn(&harness, worker);
    assert_true(harness_until(&harness, worker_is_done, worker));
    if (worker->error != OK)
        fprintf(stderr, "%s\n", worker->message);
    assert_int_equal(worker->error, OK);
    frame_send(worker->order.events, FRAME_INIT, init);
    assert_int_equal(frame_receive(worker->order.answers, text), FRAME_SNAPSHOT_READY);
}

static void order_copy(TestWorker *copy, const TestWorker *of)
{
    order_python(copy);
    copy->order.snapshot_of = of->order.worker;
    harness_spawn(&harness, copy);
    assert_true(harness_until(&harness, worker_is_done, copy));
}

static void begin_copy(TestWorker *copy, const TestWorker *of)
{
    order_copy(copy, of);
    if (copy->error != OK)
        fprintf(stderr, "%s\n", copy->message);
    assert_int_equal(copy->error, OK);
    frame_send(copy->order.events, FRAME_RESTORE, "{\"environment\":{\"NAME\":\"restored\"}}");
    assert_int_equal(frame_receive(copy->order.answers, text), FRAME_READY);
}

/* Number 2 of a copy's namespace was the helper that furnished it. */
static void assert_copy_answers(const TestWorker *copy, const char *event, const char *answer)
{
    frame_send_event(copy->order.events, event);
    assert_int_equal(frame_receive(copy->order.answers, text), FRAME_RESPONSE);
    assert_string_equal(text, answer);
}

static void copies_of_an_initialised_process_are_workers(void **state)
{
    (void)state;
    TestWorker template;
    TestWorker copies[3];
    begin_template(&template, counts);
    for (size_t i = 0; i < 3; i++) {
        begin_copy(&copies[i], &template);
        assert_copy_answers(&copies[i], "[]", "[1, 1, 3, 993, \"restored\"]");
    }
    assert_copy_answers(&copies[0], "[\"fork\"]", "[2, 2, 3, 993, \"restored\"]");
    for (size_t i = 0; i < 3; i++)
        end(&copies[i]); /* with all that it has started */
    begin_copy(&copies[0], &template);
    assert_copy_answers(&copies[0], "[]", "[1, 1, 3, 993, \"restored\"]");
    end(&copies[0]);
    end(&template);
}

static void copies_end_with_what_they_are_copies_of(void **state)
{
    (void)state;
    TestWorker template;
    TestWorker copies[2];
    begin_template(&template, counts);
    begin_copy(&copies[0], &template);
    begin_copy(&copies[1], &template);
    assert_copy_answers(&copies[0], "[\"fork\"]", "[1, 1, 3, 993, \"restored\"]");
    end(&template);
    for (size_t i = 0; i < 2; i++) {
        assert_true(harness_until(&harness, worker_has_exited, &copies[i]));
        assert_int_equal(copies[i].exits, 1);
        harness_forget(&copies[i]);
    }
    order_copy(&copies[0], &template);
    assert_int_equal(copies[0].error, ERROR_DENIED);
    assert_string_equal(copies[0].message, "the initialised process has ended");
    harness_forget(&copies[0]);
}

/* Init code has put a socket that says nothing in the place of the one that orders come by, so that nobody takes them. */
static void a_snapshot_that_makes_no_copies_is_given_up(void **state)
{
    (void)state;
    TestWorker template;
    TestWorker copy;
    begin_template(&template, "import os, socket\n"
                              "kept = os.dup(6)\n"
                              "silent = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                              "os.dup2(silent[0].fileno(), 6)\n"
                              "def handler(event, context): pass\n");
    order_copy(&copy, &template);
    assert_int_equal(copy.error, ERROR_DENIED);
    assert_string_equal(copy.message, "the initialised process has not made a copy");
    harness_forget(&copy);
    assert_true(harness_until(&harness, worker_has_exited, &template));
    harness_forget(&template);
}

static void what_cannot_be_copied_is_refused_by_name(void **state)
{
    (void)state;
    TestWorker first;
    TestWorker other;
    harness_put(harness.code, "app.py", "def handler(event, context): pass\n");
    order_python(&first);
    begin(&first);
    assert_int_equal(frame_receive(first.order.answers, text), FRAME_READY);
    order_copy(&other, &first);
    assert_int_equal(other.error, ERROR_DENIED);
    assert_string_equal(other.message, "only what is started to be copied can be");
    harness_forget(&other);
    end(&first);
    harness_order(&harness, &other); /* a program of its own */
    other.order.is_template = true;
    harness_spawn(&harness, &other);
    assert_true(harness_until(&harness, worker_is_done, &other));
    assert_int_equal(other.error, ERROR_DENIED);
    assert_string_equal(other.message, "only processes of Python can be copied");
    harness_forget(&other);
}

/* ---- Ends and orphans ---- */

static const char ends_itself[] = "import os, subprocess, time\n"
                                  "def handler(event, context):\n"
                                  "    if event > 0:\n"
                                  "        os.kill(os.getpid(), event)\n"
                                  "        time.sleep(60)\n"
                                  "    if event < 0:\n"
                                  "        os._exit(-event)\n"
                                  "    for _ in range(20):\n"
                                  "        subprocess.run(['/bin/sh', '-c', 'true & true & exit 0'])\n"
                                  "    until = time.monotonic() + 10\n"
                                  "    while len(running()) > 2 and time.monotonic() < until:\n"
                                  "        time.sleep(0.01)\n"
                                  "    return running()\n"
                                  "def running():\n"
                                  "    return sorted(int(name) for name in os.listdir('/proc') if name.isdigit())\n";

/* Waits for what is no answer any more. */
static void assert_ends(TestWorker *worker, const char *event, int status)
{
    frame_send_event(worker->order.events, event);
    assert_true(harness_until(&harness, worker_has_exited, worker));
    assert_int_equal(worker->exits, 1);
    assert_int_equal(worker->exit.status, status);
    harness_forget(worker);
}

/* None of them is kept from the first process of a namespace, which inherits orphans. */
static void a_function_can_end_itself_by_any_signal_and_its_orphans_are_waited_for(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        int status;
    } ways[] = {{"9", SIGKILL}, {"15", SIGTERM}, {"11", SIGSEGV}, {"6", SIGABRT}, {"-3", 3 << 8}};
    TestWorker worker;
    harness_put(harness.code, "app.py", ends_itself);
    order_python(&worker);
    begin(&worker);
    assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
    assert_copy_answers(&worker, "0", "[1, 2]");
    end(&worker);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        order_python(&worker);
        begin(&worker);
        assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
        assert_ends(&worker, ways[i].event, ways[i].status);
    }
    harness_put(harness.code, "app.js",
                "exports.handler = async (event) => { process.kill(process.pid, event); for (;;); };\n");
    order_node(&worker);
    begin(&worker);
    assert_int_equal(frame_receive(worker.order.answers, text), FRAME_READY);
    assert_ends(&worker, "11", SIGSEGV);
}

static void a_copy_can_end_itself_by_a_signal(void **state)
{
    (void)state;
    TestWorker template;
    TestWorker copy;
    begin_template(&template, ends_itself);
    begin_copy(&copy, &template);
    assert_copy_answers(&copy, "0", "[1, 3]");
    assert_ends(&copy, "9", SIGKILL);
    end(&template);
}

static int open_all(void **state)
{
    return harness_setup(state, &harness, harness_isolation());
}

int main(int count, char **words)
{
    spawner_keep_if_asked(count, words, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_python_function_answers),
        cmocka_unit_test(a_nodejs_function_answers),
        cmocka_unit_test(code_layers_and_library_are_where_they_belong),
        cmocka_unit_test(the_first_process_shows_nothing_of_what_started_it),
        cmocka_unit_test(a_runtime_elsewhere_is_shown_as_var_lang),
        cmocka_unit_test(a_function_can_end_itself_by_any_signal_and_its_orphans_are_waited_for),
        cmocka_unit_test(a_copy_can_end_itself_by_a_signal),
        cmocka_unit_test(copies_of_an_initialised_process_are_workers),
        cmocka_unit_test(copies_end_with_what_they_are_copies_of),
        cmocka_unit_test(a_snapshot_that_makes_no_copies_is_given_up),
        cmocka_unit_test(what_cannot_be_copied_is_refused_by_name),
        cmocka_unit_test(a_wrapper_is_executed_with_the_runtimes_command_line),
    };
    return cmocka_run_group_tests(tests, open_all, harness_teardown);
}

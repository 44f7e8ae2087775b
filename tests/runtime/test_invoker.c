/* Real handlers behind the invoker: pool, spawner, sandbox and bootstrap together. */
#include "runtime/harness.h"

#include "base/bug.h"
#include "os/os.h"
#include "runtime/bundle.h"
#include "runtime/runtime.h"
#include "runtime/runtime_api.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ASKED_MAX = 256, WAIT_MS = 60000, FOLDER_MAX = 64 };

typedef struct Asked {
    Invocation invocation;
    Arena arena;
    int done;
    bool started;
    size_t piece_bytes;
    size_t full_after; /* takes no more once that many have come, until it is resumed; 0: takes all */
    uint64_t asked_us;
    uint64_t done_us;
    size_t round; /* of those that ask again and again */
} Asked;

typedef struct Bench {
    char folder[FOLDER_MAX];
    Os *os;
    Store *store;
    Loop *loop;
    Limits limits;
    Spawner *spawner;
    Runtime *runtime;
    Invoker *invoker;
    Arena arena;
    WorkerSpec spec;
    RuntimeMapping mappings[2];
    Asked asked[ASKED_MAX];
    size_t dones;
    char code[1024];
} Bench;

static Bench bench;

static void in_folder(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", bench.folder, name);
}

static void open_spawner(void)
{
    char data[128], runtime[128];
    in_folder(data, "data");
    in_folder(runtime, "bootstraps");
    assert_int_equal(mkdir(data, 0700), 0);
    assert_int_equal(bundle_lay_out(bench.os, runtime), OK);
    SpawnerOptions options = {
        .isolation = ISOLATION_REQUIRED,
        .data_directory = slice_of_string(data),
        .runtime_directory = slice_of_string(runtime),
        .prestart = 2,
    };
    Slice message = {0};
    Error error = spawner_start(&options, &bench.arena, &bench.spawner, &message);
    if (error != OK)
        fprintf(stderr, "%.*s\n", SLICE_PRINT(message));
    assert_int_equal(error, OK);
}

static void find_programs(void)
{
    char here[512], node[PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(bench.code, sizeof bench.code, "%s/tests/runtime/handlers/invoker", here);
    assert_non_null(realpath("tests/wire/node_modules/.bin/node", node));
    bench.mappings[0] = (RuntimeMapping){SLICE("nodejs22.x"), arena_copy(&bench.arena, slice_of_string(node))};
    bench.mappings[1] = (RuntimeMapping){SLICE("python3.11"), SLICE("/usr/bin/python3.11")};
}

static void set_spec(const char *runtime, const char *handler)
{
    const char *key = arena_format(&bench.arena, "%s %s", runtime, handler).data;
    bench.spec = (WorkerSpec){
        .key = slice_of_string(key),
        .line = slice_of_string(key),
        .function = slice_of_string(key),
        .account = SLICE("123456789012"),
        .region = SLICE("eu-west-1"),
        .name = SLICE("hello"),
        .version = SLICE("$LATEST"),
        .role_arn = SLICE("arn:aws:iam::123456789012:role/worker"),
        .runtime = slice_of_string(runtime),
        .handler = slice_of_string(handler),
        .code_directory = slice_of_string(bench.code),
        .memory_mb = 256,
        .timeout_ms = 30000,
        .tmp_mb = 512,
        .log_format = SLICE("Text"),
        .log_group = SLICE("/aws/lambda/hello"),
    };
}

static int open_bench(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    bench.os = os_linux();
    snprintf(bench.folder, sizeof bench.folder, "/tmp/brume-invoker-XXXXXX");
    assert_non_null(mkdtemp(bench.folder));
    assert_int_equal(chmod(bench.folder, 0755), 0);
    open_spawner();
    find_programs();
    bench.limits = limits_default;
    StoreOptions store = {.os = bench.os, .engine = engine_memory_open(), .limits = &bench.limits, .readers = 1};
    assert_int_equal(store_open(&store, &bench.store), OK);
    assert_int_equal(store_start(bench.store), OK);
    assert_int_equal(loop_open(bench.os, &bench.loop), OK);
    RuntimeOptions options = {
        .loop = bench.loop,
        .spawner = bench.spawner,
        .catalog = {.mappings = bench.mappings, .mapping_count = 2},
        .store = bench.store,
        .limits = &bench.limits,
        .endpoint = SLICE("http://127.0.0.1:4566"),
        .network = NETWORK_HOST,
        .any_role = true,
    };
    assert_int_equal(runtime_open(&options, &bench.runtime), OK);
    bench.invoker = runtime_invoker(bench.runtime);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    store_stop(bench.store);
    runtime_close(bench.runtime);
    loop_close(bench.loop);
    for (size_t i = 0; i < ASKED_MAX; i++)
        arena_free(&bench.asked[i].arena);
    arena_free(&bench.arena);
    char *command;
    assert_true(asprintf(&command, "rm -rf '%s'", bench.folder) > 0);
    assert_int_equal(system(command), 0);
    free(command);
    return 0;
}

/* ---- Asking ---- */

static void on_done(Invocation *invocation)
{
    Asked *asked = CONTAINER_OF(invocation, Asked, invocation);
    asked->done_us = harness_now_us();
    asked->done++;
    bench.dones++;
}

static void on_start(Invocation *invocation, Slice content_type, Slice prelude)
{
    (void)content_type;
    (void)prelude;
    CONTAINER_OF(invocation, Asked, invocation)->started = true;
}

static bool on_piece(Invocation *invocation, Slice piece)
{
    Asked *asked = CONTAINER_OF(invocation, Asked, invocation);
    asked->piece_bytes += piece.size;
    return asked->full_after == 0 || asked->piece_bytes < asked->full_after;
}

static Asked *ask_as(size_t number, const char *payload, bool streamed)
{
    Asked *asked = &bench.asked[number];
    arena_free(&asked->arena);
    *asked = (Asked){.asked_us = harness_now_us()};
    asked->invocation = (Invocation){
        .mailbox = loop_mailbox(bench.loop),
        .arena = &asked->arena,
        .spec = &bench.spec,
        .request_id = SLICE("79b4f56e-95b1-4643-9700-2807f4e68189"),
        .payload = slice_of_string(payload),
        .function_arn = SLICE("arn:aws:lambda:eu-west-1:123456789012:function:hello"),
        .reserved = UINT64_MAX,
        .unreserved = 1000,
        .payload_limit = streamed ? 200 << 20 : 6291556,
        .streamed = streamed,
        .on_start = on_start,
        .on_piece = on_piece,
        .done = on_done,
    };
    invoker_invoke(bench.invoker, &asked->invocation);
    return asked;
}

static Asked *ask(size_t number, const char *payload)
{
    return ask_as(number, payload, false);
}

static void on_limit(uv_timer_t *timer)
{
    (void)timer;
    fprintf(stderr, "nothing has come for %d ms\n", WAIT_MS);
    abort();
}

static void run_until(bool (*holds)(void *), void *subject)
{
    uv_timer_t limit;
    uv_timer_init(loop_uv(bench.loop), &limit);
    uv_timer_start(&limit, on_limit, WAIT_MS, 0);
    while (!holds(subject))
        uv_run(loop_uv(bench.loop), UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(loop_uv(bench.loop), UV_RUN_NOWAIT);
}

static bool is_done(void *asked)
{
    return ((Asked *)asked)->done > 0;
}

static bool says(Slice text, const char *words)
{
    return memmem(text.data, text.size, words, strlen(words)) != NULL;
}

static Asked *run(const char *payload)
{
    Asked *asked = ask(0, payload);
    run_until(is_done, asked);
    if (asked->invocation.refusal != INVOKE_RAN)
        fprintf(stderr, "refused: %.*s\n", SLICE_PRINT(asked->invocation.message));
    assert_int_equal(asked->invocation.refusal, INVOKE_RAN);
    return asked;
}

static void assert_says(Slice text, const char *words)
{
    if (!says(text, words))
        fprintf(stderr, "no \"%s\" in: %.*s\n", words, SLICE_PRINT(text));
    assert_true(says(text, words));
}

static void assert_fails(const char *runtime, const char *handler, const char *payload, const char *words)
{
    set_spec(runtime, handler);
    Asked *asked = run(payload);
    assert_true(asked->invocation.failed);
    assert_says(asked->invocation.result, words);
}

static void assert_answers(const char *runtime, const char *handler, const char *payload, const char *words)
{
    set_spec(runtime, handler);
    Asked *asked = run(payload);
    if (asked->invocation.failed)
        fprintf(stderr, "%.*s\n%.*s\n", SLICE_PRINT(asked->invocation.result), SLICE_PRINT(asked->invocation.log_tail));
    assert_false(asked->invocation.failed);
    assert_says(asked->invocation.result, words);
}

/* ---- Promises ---- */

static void handlers_of_both_languages_answer(void **state)
{
    (void)state;
    assert_answers("python3.11", "app.hello", "{\"name\":\"mist\"}", "\"hello\": \"mist\"");
    assert_says(bench.asked[0].invocation.log_tail, "Init Duration: ");
    assert_answers("python3.11", "app.hello", "{}", "\"count\": 2"); /* the same worker */
    assert_answers("nodejs22.x", "stream.hello", "{\"name\":\"mist\"}", "\"hello\":\"mist\"");
}

static void errors_are_told_as_aws_tells_them(void **state)
{
    (void)state;
    assert_fails("python3.11", "app.throw", "{}", "\"errorMessage\": \"not today\"");
    assert_fails("python3.11", "app.leave", "{\"status\":0}", "Runtime exited without providing a reason");
    assert_fails("python3.11", "app.leave", "{\"status\":3}", "Error: Runtime exited with error: exit status 3\"}");
    assert_fails("python3.11", "app.missing", "{}", "Runtime.HandlerNotFound");
    assert_fails("python3.11", "nothing.here", "{}", "Runtime.ImportModuleError");
    assert_fails("nodejs22.x", "stream.leave", "{}", "Error: Runtime exited with error: exit status 3\"}");
    assert_fails("nodejs22.x", "stream.missing", "{}", "Runtime.HandlerNotFound");
}

static void a_handler_that_dies_of_a_signal_is_told(void **state)
{
    (void)state;
    assert_fails("python3.11", "app.segfault", "{}", "\"errorType\":\"Runtime.ExitError\"");
    assert_says(bench.asked[0].invocation.result, "segmentation fault");
}

static void a_handler_that_hangs_or_spins_is_cut_off(void **state)
{
    (void)state;
    static const char *const handlers[] = {"app.hang", "app.spin"};
    for (size_t i = 0; i < 2; i++) {
        set_spec("python3.11", handlers[i]);
        bench.spec.timeout_ms = 1000;
        Asked *asked = run("{}");
        assert_says(asked->invocation.result, "Error: Task timed out after 1.00 seconds");
        assert_in_range(asked->invocation.duration_us, 1000000, 3000000);
    }
    assert_answers("python3.11", "app.hello", "{}", "\"count\": 1");
}

static void a_handler_that_leaks_is_ended_and_named(void **state)
{
    (void)state;
    set_spec("python3.11", "app.leak");
    bench.spec.memory_mb = 128;
    bench.spec.tmp_mb = 32;
    Asked *asked = run("{}");
    assert_says(asked->invocation.result, "\"errorType\":\"Runtime.OutOfMemory\"");
    assert_says(asked->invocation.result, "Error: Runtime exited with error: signal: killed");
    RuntimeStats stats;
    runtime_stats(bench.runtime, &stats);
    assert_int_equal(stats.out_of_memory, 1);
}

static void garbage_and_floods_on_stdout_are_logged_and_harmless(void **state)
{
    (void)state;
    assert_answers("python3.11", "app.garbage", "{}", "\"fine\"");
    assert_says(bench.asked[0].invocation.log_tail, " no newline");
    assert_answers("python3.11", "app.flood", "{\"lines\":100000}", "100000");
    assert_true(bench.asked[0].invocation.log_tail.size == 4096);
    assert_says(bench.asked[0].invocation.log_tail, "REPORT RequestId");
}

static void threads_processes_and_sockets_work(void **state)
{
    (void)state;
    assert_answers("python3.11", "app.threads", "{}", "190");
    assert_answers("python3.11", "app.subprocesses", "{}", "from a process");
    for (int i = 0; i < 3; i++)
        assert_answers("python3.11", "app.kept_socket", "{}", "\"ping\"");
    for (int i = 0; i < 3; i++)
        assert_answers("python3.11", "app.background", "{}", "\"started\"");
    assert_answers("python3.11", "app.orphan", "{}", "");
}

static void the_environment_is_awss(void **state)
{
    (void)state;
    static const EnvironmentVariable own[] = {{SLICE_INIT("STAGE"), SLICE_INIT("te\"st")},
                                              {SLICE_INIT("LANG"), SLICE_INIT("C.UTF-8")}};
    set_spec("python3.11", "app.environment");
    bench.spec.environment = own;
    bench.spec.environment_count = 2;
    Slice result = run("{}")->invocation.result;
    static const char *const words[] = {
        "\"_HANDLER\": \"app.environment\"",
        "\"AWS_REGION\": \"eu-west-1\"",
        "\"AWS_EXECUTION_ENV\": \"AWS_Lambda_python3.11\"",
        "\"AWS_LAMBDA_FUNCTION_MEMORY_SIZE\": \"256\"",
        "\"AWS_LAMBDA_INITIALIZATION_TYPE\": \"on-demand\"",
        "\"AWS_ENDPOINT_URL\": \"http://127.0.0.1:4566\"",
        "\"AWS_ACCESS_KEY_ID\": \"ASIA",
        "\"AWS_SESSION_TOKEN\": \"",
        "\"LAMBDA_TASK_ROOT\": \"/var/task\"",
        "\"TZ\": \":UTC\"",
        "\"STAGE\": \"te\\\"st\"",
        "\"LANG\": \"C.UTF-8\"",
        "\"AWS_LAMBDA_LOG_GROUP_NAME\": \"/aws/lambda/hello\"",
        "[$LATEST]",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_says(result, words[i]);
}

/* ---- SnapStart ---- */

/* The text of a member of an answer, up to the next '"'. */
static Slice member_of(const Asked *asked, const char *start)
{
    Slice result = asked->invocation.result;
    const char *at = memmem(result.data, result.size, start, strlen(start));
    assert_non_null(at);
    at += strlen(start);
    const char *end = memchr(at, '"', (size_t)(result.data + result.size - at));
    assert_non_null(end);
    return slice_make(at, (size_t)(end - at));
}

static bool four_are_done(void *unused)
{
    (void)unused;
    return bench.dones >= 4;
}

static void set_snapshot(const char *handler)
{
    set_spec("python3.11", handler);
    bench.spec.version = SLICE("1");
    bench.spec.snap_start = true;
}

static void copies_of_one_initialised_process_are_workers_of_their_own(void **state)
{
    (void)state;
    enum { COPIES = 4 };
    static const char *const words[] = {
        "\"steps\": [\"init\", \"before 2\", \"before 1\", \"after 1\", \"after 2\"]",
        "\"type\": \"snap-start\"",
        "\"processes\": [1, 3]",
        "\"process\": 3",
        "\"foundAnothers\": false",
        "\"readsItsCode\": true",
        "\"powers\": [\"0000000000000000\", \"0000000000000000\", \"0000000000000000\"]",
        "\"child\": \"child\"",
    };
    set_snapshot("snapshot.copy");
    for (size_t i = 0; i < COPIES; i++)
        ask(i, "{\"seconds\": 1}");
    run_until(four_are_done, NULL);
    for (size_t i = 0; i < COPIES; i++) {
        const Asked *asked = &bench.asked[i];
        if (asked->invocation.refusal != INVOKE_RAN)
            fprintf(stderr, "refused: %.*s\n", SLICE_PRINT(asked->invocation.message));
        assert_int_equal(asked->invocation.refusal, INVOKE_RAN);
        for (size_t word = 0; word < sizeof words / sizeof *words; word++)
            assert_says(asked->invocation.result, words[word]);
        assert_says(asked->invocation.log_tail, "Restore Duration: ");
        assert_says(asked->invocation.log_tail, "\tBilled Restore Duration: ");
        assert_false(says(asked->invocation.log_tail, "Init Duration"));
        for (size_t other = 0; other < i; other++) {
            static const char *const own[] = {"\"drawn\": [0.", "\"stream\": \"", "\"host\": \"", "\"drawn\": "};
            assert_true(slice_equal(member_of(asked, "\"init\": \""), member_of(&bench.asked[other], "\"init\": \"")));
            for (size_t one = 0; one < sizeof own / sizeof *own; one++)
                assert_false(slice_equal(member_of(asked, own[one]), member_of(&bench.asked[other], own[one])));
        }
    }
}

static void init_code_that_is_copied_and_its_copies_gain_nothing(void **state)
{
    (void)state;
    char here[PATH_MAX], layer[PATH_MAX + 32];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(layer, sizeof layer, "%s/build/tests/runtime/layer", here);
    const Slice layers[] = {slice_of_string(layer)};
    set_snapshot("attacker.attack");
    bench.spec.layer_directories = layers;
    bench.spec.layer_count = 1;
    bench.spec.tmp_mb = 16;
    Asked *asked = run("{}");
    assert_says(asked->invocation.result, "{\"inInit\": {}, \"inACopy\": {}, \"tried\": 26}");
}

static void a_copy_has_a_network_of_its_own(void **state)
{
    (void)state;
    set_snapshot("snapshot.listen");
    bench.spec.network = NETWORK_ISOLATED;
    ask(0, "{\"seconds\": 1}");
    ask(1, "{\"seconds\": 1}");
    for (size_t i = 0; i < 2; i++) {
        run_until(is_done, &bench.asked[i]);
        assert_says(bench.asked[i].invocation.result, "\"heard\": \"itself\"");
    }
}

static bool nothing_is_left(void *unused)
{
    (void)unused;
    InvokerCounts counts;
    invoker_count(bench.invoker, bench.spec.function, bench.spec.line, &bench.arena, &counts);
    return counts.workers == 0;
}

static void a_snapshot_that_is_lost_is_taken_again(void **state)
{
    (void)state;
    enum { FIRST = 1 }; /* what is started first is what copies are made of */
    set_snapshot("snapshot.copy");
    run("{}");
    assert_says(run("{}")->invocation.result, "\"foundAnothers\": true"); /* by the same copy */
    spawner_kill(bench.spawner, FIRST);
    run_until(nothing_is_left, NULL);
    assert_says(run("{}")->invocation.result, "\"foundAnothers\": false");
}

static void what_cannot_be_copied_says_why(void **state)
{
    (void)state;
    set_snapshot("threads.handler");
    Asked *asked = run("{}");
    assert_true(asked->invocation.failed);
    assert_says(asked->invocation.result, "SnapStart: 2 threads run when the snapshot is to be taken");
    assert_says(asked->invocation.log_tail, "RuntimeError");
    set_spec("nodejs22.x", "stream.hello");
    bench.spec.snap_start = true;
    asked = ask(1, "{}");
    run_until(is_done, asked);
    assert_int_not_equal(asked->invocation.refusal, INVOKE_RAN);
    assert_says(asked->invocation.message, "only processes of Python can be copied");
}

static void answers_that_are_too_large_are_errors(void **state)
{
    (void)state;
    assert_answers("python3.11", "app.large", "{\"size\":6000000}", "xxxx");
    assert_int_equal(bench.asked[0].invocation.result.size, 6000002);
    assert_fails("python3.11", "app.large", "{\"size\":6300000}", "Function.ResponseSizeTooLarge");
    assert_fails("python3.11", "app.large", "{\"size\":30000000}", "(6291556 bytes)");
    assert_answers("python3.11", "app.large", "{\"size\":1}", "\"x\"");
}

/* What is counted of all functions together. */
typedef struct Counted {
    uint64_t invocations;
    uint64_t cold_starts;
} Counted;

static void count_one(void *user, FunctionStats *stats)
{
    Counted *counted = user;
    counted->invocations += stats->invocations;
    counted->cold_starts += stats->cold_starts;
}

static Counted count_all(void)
{
    Counted counted = {0};
    runtime_each_function(bench.runtime, count_one, &counted);
    return counted;
}

static void a_liar_is_ended(void **state)
{
    (void)state;
    set_spec("python3.11", "app.lie");
    run("{}"); /* what it sent first was an answer */
    run("{}"); /* if the rest has not been read, this one is on the same worker */
    run("{}");
    assert_true(count_all().cold_starts >= 2);
}

static void answers_come_in_pieces(void **state)
{
    (void)state;
    set_spec("nodejs22.x", "stream.pieces");
    Asked *asked = ask_as(0, "{\"count\":100}", true);
    run_until(is_done, asked);
    assert_true(asked->started);
    assert_int_equal(asked->piece_bytes, 890);
    asked = run("{\"count\":2}");
    assert_says(asked->invocation.result, "piece 0\npiece 1\n");
    set_spec("nodejs22.x", "stream.broken");
    asked = ask_as(0, "{}", true);
    run_until(is_done, asked);
    assert_int_equal(asked->piece_bytes, 4);
    assert_true(asked->invocation.failed);
    assert_says(asked->invocation.result, "mid-stream");
}

static bool is_full(void *subject)
{
    Asked *asked = subject;
    return asked->piece_bytes >= asked->full_after;
}

static void a_large_answer_flows_as_it_is_taken(void **state)
{
    (void)state;
    set_spec("nodejs22.x", "stream.large");
    Asked *asked = ask_as(0, "{\"megabytes\":100}", true);
    asked->full_after = 1 << 20;
    run_until(is_full, asked);
    size_t taken = asked->piece_bytes;
    for (int i = 0; i < 100; i++)
        uv_run(loop_uv(bench.loop), UV_RUN_NOWAIT);
    assert_int_equal(asked->piece_bytes, taken); /* the worker waits */
    asked->full_after = 0;
    uint64_t begun_us = harness_now_us();
    invoker_resume(bench.invoker, &asked->invocation);
    run_until(is_done, asked);
    print_message("# 100 MB streamed at %.0f MB/s\n", 100e6 / (double)(harness_now_us() - begun_us) * 1.048576);
    assert_int_equal(asked->piece_bytes, 100 << 20);
    assert_false(asked->invocation.failed);
}

static void again(Invocation *invocation);

static void ask_again(Asked *asked)
{
    size_t round = asked->round;
    size_t number = (size_t)(asked - bench.asked);
    asked = ask(number, "{}");
    asked->round = round + 1;
    asked->invocation.done = again;
}

static void again(Invocation *invocation)
{
    Asked *asked = CONTAINER_OF(invocation, Asked, invocation);
    assert_int_equal(invocation->refusal, INVOKE_RAN);
    bench.dones++;
    if (asked->round < 250)
        ask_again(asked);
    else
        asked->done = 1;
}

static bool all_done(void *count)
{
    for (size_t i = 0; i < *(size_t *)count; i++)
        if (bench.asked[i].done == 0)
            return false;
    return true;
}

static void a_thousand_warm_invocations_use_few_workers(void **state)
{
    (void)state;
    size_t count = 4;
    set_spec("python3.11", "app.hello");
    for (size_t i = 0; i < count; i++)
        ask(i, "{}");
    run_until(all_done, &count);
    bench.dones = 0;
    uint64_t begun_us = harness_now_us();
    for (size_t i = 0; i < count; i++) {
        ask(i, "{}");
        bench.asked[i].invocation.done = again;
    }
    run_until(all_done, &count);
    print_message("# %zu warm invocations, 4 at a time: %.0f/s\n", bench.dones,
                  (double)bench.dones * 1e6 / (double)(harness_now_us() - begun_us));
    RuntimeStats stats;
    runtime_stats(bench.runtime, &stats);
    assert_int_equal(count_all().invocations, 4 * 252);
    assert_true(stats.workers <= 4);
}

/* Workers and the spawner are killed while invocations run: none is lost, none is answered twice. */
static void whatever_is_killed_each_invocation_is_answered_once(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    set_spec("python3.11", "app.hello");
    for (size_t i = 0; i < COUNT; i++) {
        ask(i, "{}");
        for (int j = 0; j < 20; j++)
            uv_run(loop_uv(bench.loop), UV_RUN_NOWAIT);
        if (i % 6 == 5) {
            char *command; /* one of the processes below this one, the youngest ones first */
            assert_true(
                asprintf(&command,
                         "for p in $(pgrep -P %d); do for q in $(pgrep -P $p); do for w in $(pgrep -P $q); do echo "
                         "$w; done; done; done | shuf -n 1 | xargs -r kill -9",
                         getpid()) > 0);
            assert_true(system(command) >= 0);
            free(command);
        }
    }
    size_t count = COUNT;
    run_until(all_done, &count);
    size_t answered = 0;
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(bench.asked[i].done, 1);
        answered += bench.asked[i].invocation.refusal == INVOKE_RAN && !bench.asked[i].invocation.failed;
    }
    print_message("# %zu of %d answered by the handler\n", answered, COUNT);
    assert_true(answered > COUNT / 4);
    assert_answers("python3.11", "app.hello", "{}", "hello");
}

static void a_hundred_workers_start_at_once(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    size_t count = COUNT;
    set_spec("python3.11", "light.warm_up");
    run("{}"); /* the zygote is there */
    set_spec("python3.11", "light.hold");
    bench.spec.timeout_ms = 120000;
    uint64_t begun_us = harness_now_us();
    for (size_t i = 0; i < count; i++)
        ask(i, "{\"seconds\":1}");
    run_until(all_done, &count);
    print_message("# 100 cold starts at once, each held for a second: %.0f ms\n",
                  (double)(harness_now_us() - begun_us) / 1000);
    RuntimeStats stats;
    runtime_stats(bench.runtime, &stats);
    assert_int_equal(stats.workers, COUNT + 1);
    for (size_t i = 0; i < count; i++)
        assert_false(bench.asked[i].invocation.failed);
}

/* ---- Figures, beside a reference of the same run ---- */

static int by_size(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static double middle(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

enum { ROUNDS = 2000, MESSAGE = 300 };

/* Two processes that pass a message back and forth. */
static double measure_bare_pair(void)
{
    static double took_us[ROUNDS];
    char message[MESSAGE] = {0};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid_t other = fork();
    if (other == 0) {
        close(pair[0]);
        while (read(pair[1], message, sizeof message) > 0 && write(pair[1], message, sizeof message) > 0)
            continue;
        _exit(0);
    }
    close(pair[1]);
    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t begun_us = harness_now_us();
        assert_int_equal(write(pair[0], message, sizeof message), MESSAGE);
        assert_int_equal(read(pair[0], message, sizeof message), MESSAGE);
        took_us[i] = (double)(harness_now_us() - begun_us);
    }
    close(pair[0]);
    waitpid(other, NULL, 0);
    return middle(took_us, ROUNDS);
}

static void measure_warm(const char *runtime, const char *handler)
{
    static double took_us[ROUNDS];
    set_spec(runtime, handler);
    run("{}");
    for (size_t i = 0; i < ROUNDS; i++) {
        Asked *asked = run("{}");
        took_us[i] = (double)(asked->done_us - asked->asked_us);
    }
    print_message("# %s, warm, one after another: p50 %.0f us\n", runtime, middle(took_us, ROUNDS));
}

static void warm_invocations_are_measured(void **state)
{
    (void)state;
    print_message("# a bare socket pair: p50 %.0f us\n", measure_bare_pair());
    measure_warm("python3.11", "light.hello");
    measure_warm("nodejs22.x", "stream.hello");
    print_message("# a bare socket pair: p50 %.0f us\n", measure_bare_pair());
}

/* `test_invoker NAME`: that one alone. */
int main(int count, char **words)
{
    spawner_keep_if_asked(count, words, runtime_api_main);
    if (count > 1)
        cmocka_set_test_filter(words[1]);
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        WITH_BENCH(handlers_of_both_languages_answer),
        WITH_BENCH(errors_are_told_as_aws_tells_them),
        WITH_BENCH(a_handler_that_dies_of_a_signal_is_told),
        WITH_BENCH(a_handler_that_hangs_or_spins_is_cut_off),
        WITH_BENCH(a_handler_that_leaks_is_ended_and_named),
        WITH_BENCH(garbage_and_floods_on_stdout_are_logged_and_harmless),
        WITH_BENCH(threads_processes_and_sockets_work),
        WITH_BENCH(the_environment_is_awss),
        WITH_BENCH(copies_of_one_initialised_process_are_workers_of_their_own),
        WITH_BENCH(init_code_that_is_copied_and_its_copies_gain_nothing),
        WITH_BENCH(a_copy_has_a_network_of_its_own),
        WITH_BENCH(a_snapshot_that_is_lost_is_taken_again),
        WITH_BENCH(what_cannot_be_copied_says_why),
        WITH_BENCH(answers_that_are_too_large_are_errors),
        WITH_BENCH(a_liar_is_ended),
        WITH_BENCH(answers_come_in_pieces),
        WITH_BENCH(a_large_answer_flows_as_it_is_taken),
        WITH_BENCH(a_thousand_warm_invocations_use_few_workers),
        WITH_BENCH(whatever_is_killed_each_invocation_is_answered_once),
        WITH_BENCH(a_hundred_workers_start_at_once),
        WITH_BENCH(warm_invocations_are_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

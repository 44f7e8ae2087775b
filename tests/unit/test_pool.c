/* The promises of invoker.h, kept by the runtime: who gets which worker, what is answered, and when. */
#include "scripted_spawner.h"

#include "base/json.h"
#include "os/os.h"
#include "runtime/runtime.h"

#define ACCOUNT SLICE("123456789012")

typedef struct Asked {
    Invocation invocation;
    Arena arena;
    int done;
    int starts;
    size_t piece_bytes;
    size_t piece_count;
    bool full; /* takes no pieces */
    Actor *actor;
} Asked;

typedef struct Bench {
    World world;
    Loop *loop;
    Limits limits;
    Runtime *runtime;
    Invoker *invoker;
    Arena arena;
    Buffer log;
    WorkerSpec spec;
    Asked asked[ACTORS_MAX];
} Bench;

static void keep_log(void *user, const WorkerSpec *spec, Slice stream, uint64_t wall_ms, Slice request_id, Slice text)
{
    Bench *bench = user;
    (void)spec;
    (void)stream;
    (void)wall_ms;
    (void)request_id;
    buffer_add(&bench->log, text);
}

static bool says(Slice text, const char *words)
{
    return memmem(text.data, text.size, words, strlen(words)) != NULL;
}

static Bench *bench_open(void (*change)(Bench *bench, RuntimeOptions *options))
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    memset(&stage, 0, sizeof stage);
    world_open(&bench->world, 11);
    assert_int_equal(loop_open(os_linux(), &bench->loop), OK);
    bench->limits = limits_default;
    bench->log = buffer_make(&bench->arena);
    bench->spec = (WorkerSpec){
        .key = SLICE("123456789012 eu-west-1 hello $LATEST r1"),
        .line = SLICE("123456789012 eu-west-1 hello $LATEST"),
        .function = SLICE("123456789012 eu-west-1 hello"),
        .account = ACCOUNT,
        .region = SLICE("eu-west-1"),
        .name = SLICE("hello"),
        .version = SLICE("$LATEST"),
        .role_arn = SLICE("arn:aws:iam::123456789012:role/service/worker"),
        .runtime = SLICE("python3.11"),
        .handler = SLICE("app.handler"),
        .code_directory = SLICE("/nowhere"),
        .memory_mb = 128,
        .timeout_ms = 3000,
        .tmp_mb = 512,
        .log_format = SLICE("Text"),
        .log_group = SLICE("/aws/lambda/hello"),
    };
    RuntimeOptions options = {
        .loop = bench->loop,
        .spawner = &stage,
        .store = bench->world.store,
        .limits = &bench->limits,
        .endpoint = SLICE("http://127.0.0.1:4566"),
        .any_role = true,
        .log = {bench, keep_log},
    };
    bench->limits.value[LIMIT_RUNTIME_FREE_MEMORY_BYTES] = 0;
    if (change != NULL)
        change(bench, &options);
    assert_int_equal(runtime_open(&options, &bench->runtime), OK);
    bench->invoker = runtime_invoker(bench->runtime);
    return bench;
}

/* Lets everything happen that can happen now. */
static void settle(Bench *bench)
{
    do {
        for (int i = 0; i < 4; i++) {
            world_settle(&bench->world);
            uv_run(loop_uv(bench->loop), UV_RUN_NOWAIT);
        }
    } while (bury_killed() > 0);
}

static void bench_close(Bench *bench)
{
    settle(bench);
    runtime_close(bench->runtime);
    loop_close(bench->loop);
    world_close(&bench->world);
    for (size_t i = 0; i < ACTORS_MAX; i++)
        arena_free(&bench->asked[i].arena);
    arena_free(&bench->arena);
    free(bench);
}

static void on_done(Invocation *invocation)
{
    CONTAINER_OF(invocation, Asked, invocation)->done++;
}

static void on_start(Invocation *invocation, Slice content_type, Slice prelude)
{
    (void)content_type;
    (void)prelude;
    CONTAINER_OF(invocation, Asked, invocation)->starts++;
}

static bool on_piece(Invocation *invocation, Slice piece)
{
    Asked *asked = CONTAINER_OF(invocation, Asked, invocation);
    asked->piece_bytes += piece.size;
    asked->piece_count++;
    return !asked->full;
}

static Asked *prepare(Bench *bench, size_t number)
{
    Asked *asked = &bench->asked[number];
    arena_free(&asked->arena);
    *asked = (Asked){0};
    asked->invocation = (Invocation){
        .mailbox = loop_mailbox(bench->loop),
        .arena = &asked->arena,
        .spec = &bench->spec,
        .request_id = arena_format(&bench->arena, "00000000-0000-4000-8000-%012zu", number),
        .payload = arena_format(&bench->arena, "{\"number\":%zu}", number),
        .function_arn = SLICE("arn:aws:lambda:eu-west-1:123456789012:function:hello"),
        .reserved = UINT64_MAX,
        .unreserved = 1000,
        .payload_limit = 6291556,
        .on_start = on_start,
        .on_piece = on_piece,
        .done = on_done,
    };
    return asked;
}

static Asked *ask(Bench *bench, size_t number)
{
    Asked *asked = prepare(bench, number);
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    return asked;
}

static Actor *actor(size_t number)
{
    assert_true(number < stage.count);
    return &stage.actors[number];
}

/* The worker loads its handler. */
static void make_ready(Bench *bench, Actor *one)
{
    actor_expect(one, FRAME_INIT, &bench->arena);
    actor_send(one, FRAME_READY, SLICE(""));
    settle(bench);
}

/* The worker has that invocation's event. */
static void expect_event(Bench *bench, Actor *one, const Asked *asked)
{
    Slice event = actor_expect(one, FRAME_INVOKE, &bench->arena);
    assert_true(slice_equal(payload_of(event), asked->invocation.payload));
    assert_true(says(event, "\"requestId\":\"00000000-"));
}

static void answer(Bench *bench, Actor *one, const char *text)
{
    actor_send(one, FRAME_RESPONSE, slice_of_string(text));
    settle(bench);
}

static void assert_result(const Asked *asked, const char *text)
{
    assert_int_equal(asked->done, 1);
    assert_int_equal(asked->invocation.refusal, INVOKE_RAN);
    assert_string_equal(arena_string(asked->invocation.arena, asked->invocation.result), text);
}

static InvokerCounts counts(Bench *bench)
{
    InvokerCounts result;
    invoker_count(bench->invoker, bench->spec.function, (Slice){0}, &bench->arena, &result);
    return result;
}

static Asked *run_warm(Bench *bench)
{
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    answer(bench, actor(0), "1");
    assert_result(asked, "1");
    return asked;
}

/* ---- Who gets which worker ---- */

static void a_worker_is_started_once_and_used_again(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *first = run_warm(bench);
    assert_true(first->invocation.init_us > 0);
    assert_true(says(first->invocation.log_tail, "Init Duration"));
    Asked *second = ask(bench, 1);
    expect_event(bench, actor(0), second);
    answer(bench, actor(0), "\"two\"");
    assert_result(second, "\"two\"");
    assert_int_equal(second->invocation.init_us, 0);
    assert_int_equal(stage.count, 1);
    assert_int_equal(counts(bench).workers, 1);
    assert_int_equal(counts(bench).busy, 0);
    bench_close(bench);
}

static void as_many_workers_start_as_invocations_wait(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    for (size_t i = 0; i < 100; i++)
        ask(bench, i);
    assert_int_equal(stage.count, 100);
    assert_int_equal(counts(bench).starting, 100);
    assert_int_equal(counts(bench).waiting, 100);
    for (size_t i = 0; i < 100; i++)
        make_ready(bench, actor(i));
    for (size_t i = 0; i < 100; i++)
        answer(bench, actor(i), "0");
    for (size_t i = 0; i < 100; i++)
        assert_result(&bench->asked[i], "0");
    assert_int_equal(stage.count, 100);
    assert_int_equal(counts(bench).waiting, 0);
    bench_close(bench);
}

static void a_worker_that_is_free_first_takes_who_waits_for_another(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *first = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), first);
    Asked *second = ask(bench, 1); /* for which the second worker starts */
    assert_int_equal(stage.count, 2);
    answer(bench, actor(0), "1");
    expect_event(bench, actor(0), second);
    answer(bench, actor(0), "2");
    assert_result(second, "2");
    make_ready(bench, actor(1)); /* and stays for the next */
    Asked *third = ask(bench, 2);
    expect_event(bench, actor(1), third); /* the one used last */
    assert_int_equal(stage.count, 2);
    bench_close(bench);
}

static void who_waits_longest_is_served_first(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    for (size_t i = 0; i < 10; i++)
        ask(bench, i);
    for (size_t i = 0; i < 10; i++) {
        make_ready(bench, actor(9 - i));
        expect_event(bench, actor(9 - i), &bench->asked[i]);
    }
    bench_close(bench);
}

static void what_is_sent_to_a_worker_that_is_gone_runs_on_another(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    run_warm(bench);
    /* It closes its end, and the server asks it before it sees that. */
    shutdown(actor(0)->channel, SHUT_RDWR);
    Asked *second = prepare(bench, 1);
    invoker_invoke(bench->invoker, &second->invocation);
    settle(bench);
    assert_int_equal(stage.count, 2);
    actor_exit(actor(0), 0, false);
    make_ready(bench, actor(1));
    expect_event(bench, actor(1), second);
    answer(bench, actor(1), "2");
    assert_result(second, "2");
    bench_close(bench);
}

static void tenants_have_workers_of_their_own(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    run_warm(bench);
    WorkerSpec other = bench->spec;
    other.key = SLICE("123456789012 eu-west-1 hello $LATEST r1 blue");
    Asked *asked = prepare(bench, 1);
    asked->invocation.spec = &other;
    asked->invocation.tenant_id = SLICE("blue");
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(stage.count, 2);
    make_ready(bench, actor(1));
    assert_true(says(actor_expect(actor(1), FRAME_INVOKE, &bench->arena), "\"tenantId\":\"blue\""));
    answer(bench, actor(1), "2");
    assert_true(actor(0)->alive);
    expect_event(bench, actor(0), ask(bench, 2));
    bench_close(bench);
}

static void a_new_revision_lets_older_workers_go(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *busy = ask(bench, 0);
    ask(bench, 1);
    make_ready(bench, actor(0));
    make_ready(bench, actor(1));
    answer(bench, actor(1), "idle");
    bench->spec.key = SLICE("123456789012 eu-west-1 hello $LATEST r2");
    Asked *asked = ask(bench, 2);
    assert_false(actor(1)->alive);
    assert_true(actor(0)->alive); /* it ends what it has begun */
    answer(bench, actor(0), "\"old\"");
    assert_result(busy, "\"old\"");
    assert_false(actor(0)->alive);
    make_ready(bench, actor(2));
    expect_event(bench, actor(2), asked);
    bench_close(bench);
}

static void few_idle(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_WORKERS] = 2;
}

static void the_longest_idle_worker_makes_place(void **state)
{
    (void)state;
    Bench *bench = bench_open(few_idle);
    ask(bench, 0);
    ask(bench, 1);
    make_ready(bench, actor(0));
    make_ready(bench, actor(1));
    expect_event(bench, actor(0), &bench->asked[0]);
    answer(bench, actor(1), "1");
    answer(bench, actor(0), "0");
    WorkerSpec mine = bench->spec;
    bench->spec.key = bench->spec.line = bench->spec.function = SLICE("another");
    Asked *asked = ask(bench, 2);
    assert_false(actor(1)->alive);
    assert_true(actor(0)->alive);
    make_ready(bench, actor(2));
    expect_event(bench, actor(2), asked);
    bench->spec = mine;
    expect_event(bench, actor(0), ask(bench, 3));
    Asked *refused = ask(bench, 4); /* both are busy */
    assert_int_equal(refused->done, 1);
    assert_int_equal(refused->invocation.refusal, INVOKE_ACCOUNT_CONCURRENCY);
    bench_close(bench);
}

/* ---- Limits ---- */

static void reserved_concurrency_is_exact(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    for (size_t i = 0; i < 4; i++) {
        Asked *asked = prepare(bench, i);
        asked->invocation.reserved = 3;
        invoker_invoke(bench->invoker, &asked->invocation);
    }
    settle(bench);
    assert_int_equal(stage.count, 3);
    assert_int_equal(bench->asked[3].done, 1);
    assert_int_equal(bench->asked[3].invocation.refusal, INVOKE_FUNCTION_CONCURRENCY);
    make_ready(bench, actor(0));
    answer(bench, actor(0), "0");
    Asked *asked = prepare(bench, 3);
    asked->invocation.reserved = 3;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->done, 0);
    asked = prepare(bench, 4);
    asked->invocation.reserved = 0;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->invocation.refusal, INVOKE_FUNCTION_CONCURRENCY);
    bench_close(bench);
}

static void unreserved_concurrency_is_the_accounts(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    WorkerSpec other = bench->spec;
    other.key = other.line = other.function = SLICE("other");
    for (size_t i = 0; i < 3; i++) {
        Asked *asked = prepare(bench, i);
        asked->invocation.unreserved = 2;
        asked->invocation.spec = i == 1 ? &other : &bench->spec;
        invoker_invoke(bench->invoker, &asked->invocation);
    }
    settle(bench);
    assert_int_equal(bench->asked[2].invocation.refusal, INVOKE_ACCOUNT_CONCURRENCY);
    /* What has a reservation is not counted there. */
    Asked *asked = prepare(bench, 3);
    asked->invocation.unreserved = 2;
    asked->invocation.reserved = 5;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->done, 0);
    bench_close(bench);
}

/* ---- Time ---- */

static void run_until_done(Bench *bench, const Asked *asked)
{
    while (asked->done == 0) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
}

static void a_slow_handler_is_cut_off_at_its_timeout(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.timeout_ms = 120;
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    uint64_t begun = os_monotonic_ns(os_linux());
    run_until_done(bench, asked);
    uint64_t took_ms = (os_monotonic_ns(os_linux()) - begun) / 1000000;
    assert_in_range(took_ms, 100, 5000); /* the machine may be slow; too early it never is */
    assert_true(asked->invocation.duration_us >= 120000);
    assert_true(asked->invocation.failed);
    assert_false(asked->invocation.is_handled);
    assert_result(asked, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
                         "00000000-0000-4000-8000-000000000000 Error: Task timed out after 0.12 seconds\"}");
    assert_true(says(asked->invocation.log_tail, "Task timed out after 0.12 seconds\n\nEND RequestId"));
    assert_true(says(asked->invocation.log_tail, "Status: timeout\n"));
    assert_false(actor(0)->alive);
    Asked *next = ask(bench, 1);
    make_ready(bench, actor(1));
    expect_event(bench, actor(1), next);
    bench_close(bench);
}

static void short_init(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_INIT_MS] = 50;
}

static void a_slow_init_phase_is_tried_again_within_the_timeout(void **state)
{
    (void)state;
    Bench *bench = bench_open(short_init);
    bench->spec.timeout_ms = 100;
    Asked *asked = ask(bench, 0);
    while (stage.count < 2) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
    assert_false(actor(0)->alive);
    assert_int_equal(asked->done, 0);
    run_until_done(bench, asked);
    assert_result(asked, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
                         "00000000-0000-4000-8000-000000000000 Error: Task timed out after 0.10 seconds\"}");
    assert_true(says(buffer_slice(&bench->log), "Phase: init\tStatus: timeout"));
    assert_true(says(buffer_slice(&bench->log), "Phase: invoke\tStatus: timeout"));
    assert_int_equal(stage.count, 2);
    bench_close(bench);
}

static void soon_idle(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_WORKER_IDLE_MS] = 20;
}

static void idle_workers_are_let_go(void **state)
{
    (void)state;
    Bench *bench = bench_open(soon_idle);
    run_warm(bench);
    while (actor(0)->alive) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
    assert_int_equal(counts(bench).workers, 0);
    Asked *asked = ask(bench, 1);
    make_ready(bench, actor(1));
    expect_event(bench, actor(1), asked);
    bench_close(bench);
}

static void short_lived(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_WORKER_LIFETIME_MS] = 0;
}

static void old_workers_are_replaced(void **state)
{
    (void)state;
    Bench *bench = bench_open(short_lived);
    run_warm(bench);
    assert_false(actor(0)->alive);
    bench_close(bench);
}

/* ---- How workers end ---- */

static void check_exit(int status, bool out_of_memory, const char *document)
{
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    assert_int_equal(write(actor(0)->errors, "last words", 10), 10);
    actor_exit(actor(0), status, out_of_memory);
    settle(bench);
    assert_result(asked, document);
    assert_true(asked->invocation.failed);
    assert_true(says(asked->invocation.log_tail, "last words"));
    assert_true(says(asked->invocation.log_tail, "Status: error\tError Type: Runtime."));
    assert_int_equal(asked->invocation.memory_peak_bytes, 64 << 20);
    bench_close(bench);
}

static void a_worker_that_ends_is_answered_for_as_aws_does(void **state)
{
    (void)state;
#define EXIT_DOCUMENT(type, words)                                                                                     \
    "{\"errorType\":\"" type "\",\"errorMessage\":\"RequestId: 00000000-0000-4000-8000-000000000000 Error: " words "\"}"
    check_exit(0, false, EXIT_DOCUMENT("Runtime.ExitError", "Runtime exited without providing a reason"));
    check_exit(3 << 8, false, EXIT_DOCUMENT("Runtime.ExitError", "Runtime exited with error: exit status 3"));
    check_exit(SIGKILL, false, EXIT_DOCUMENT("Runtime.ExitError", "Runtime exited with error: signal: killed"));
    check_exit(SIGSEGV, false,
               EXIT_DOCUMENT("Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"));
    check_exit(SIGKILL, true, EXIT_DOCUMENT("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"));
}

static void a_worker_that_closes_its_channel_is_ended(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    shutdown(actor(0)->channel, SHUT_RDWR);
    run_until_done(bench, asked);
    assert_true(says(asked->invocation.result, "signal: killed"));
    bench_close(bench);
}

static void an_init_error_is_the_answer(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    actor_expect(actor(0), FRAME_INIT, &bench->arena);
    actor_send(actor(0), FRAME_LOG, SLICE("[ERROR] no module\n"));
    actor_send(
        actor(0), FRAME_INIT_ERROR,
        SLICE("{\"errorMessage\":\"Unable to import module 'app'\",\"errorType\":\"Runtime.ImportModuleError\"}"));
    settle(bench);
    assert_result(asked,
                  "{\"errorMessage\":\"Unable to import module 'app'\",\"errorType\":\"Runtime.ImportModuleError\"}");
    assert_true(asked->invocation.failed && asked->invocation.is_handled);
    assert_true(says(asked->invocation.log_tail, "[ERROR] no module\n"));
    assert_true(says(buffer_slice(&bench->log), "Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n"));
    actor_exit(actor(0), 1 << 8, false);
    settle(bench);
    assert_int_equal(asked->done, 1);
    assert_int_equal(stage.count, 1);
    bench_close(bench);
}

static void a_worker_that_ends_in_its_init_phase_is_told(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    actor_exit(actor(0), 1 << 8, false);
    settle(bench);
    assert_true(says(asked->invocation.result, "Runtime exited with error: exit status 1"));
    assert_int_equal(asked->done, 1);
    bench_close(bench);
}

static void liars_are_ended_and_the_server_lives_on(void **state)
{
    (void)state;
    static const char *const lies[] = {"garbage!garbage!", "\x13\0\0\0\0\0\0\0", "\x02\0\0\0\0\0\0\0",
                                       "\x10\0\0\0\0\0\0\0", "\x12\1\0\0\0\0\0\0"};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        Bench *bench = bench_open(NULL);
        Asked *asked = ask(bench, 0);
        if (i == 1) { /* an answer before any event */
            actor_expect(actor(0), FRAME_INIT, &bench->arena);
        } else {
            make_ready(bench, actor(0));
            expect_event(bench, actor(0), asked);
        }
        assert_true(write(actor(0)->channel, lies[i], 8) == 8);
        settle(bench);
        assert_int_equal(asked->done, 1);
        assert_true(says(asked->invocation.result, "Runtime.ExitError"));
        assert_false(actor(0)->alive);
        bench_close(bench);
    }
}

/* ---- What is refused ---- */

static void a_runtime_that_is_missing_is_named(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.runtime = SLICE("python3.99");
    Asked *asked = ask(bench, 0);
    assert_int_equal(asked->done, 1);
    assert_int_equal(asked->invocation.refusal, INVOKE_RUNTIME_MISSING);
    assert_true(says(asked->invocation.message, "python3.99 is not here"));
    bench_close(bench);
}

static void a_process_that_cannot_be_had_is_told(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    stage.refuses = true;
    Asked *asked = ask(bench, 0);
    assert_int_equal(asked->invocation.refusal, INVOKE_FAILED);
    assert_true(says(asked->invocation.message, "the stage is closed"));
    assert_int_equal(counts(bench).workers, 0);
    bench_close(bench);
}

static void only_roles(Bench *bench, RuntimeOptions *options)
{
    (void)bench;
    options->any_role = false;
}

static void a_role_that_is_not_there_is_refused(void **state)
{
    (void)state;
    Bench *bench = bench_open(only_roles);
    Asked *asked = ask(bench, 0);
    assert_int_equal(asked->invocation.refusal, INVOKE_ROLE);
    assert_true(says(asked->invocation.message, "there is no role worker in account 123456789012"));
    bench_close(bench);
}

static void what_waits_can_be_cancelled(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    invoker_cancel(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->done, 1);
    assert_int_equal(asked->invocation.refusal, INVOKE_GONE);
    make_ready(bench, actor(0)); /* and is there for the next */
    expect_event(bench, actor(0), ask(bench, 1));
    bench_close(bench);
}

static void drained(Task *task)
{
    task->next = task;
}

static void a_drain_ends_what_runs_and_begins_nothing(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *running = ask(bench, 0);
    make_ready(bench, actor(0));
    Task task = {.run = drained};
    runtime_drain(bench->runtime, &task, loop_mailbox(bench->loop));
    settle(bench);
    Asked *late = ask(bench, 1);
    assert_int_equal(late->invocation.refusal, INVOKE_STOPPING);
    assert_ptr_equal(task.next, NULL);
    answer(bench, actor(0), "1");
    assert_result(running, "1");
    assert_ptr_equal(task.next, &task);
    bench_close(bench);
}

/* ---- Answers ---- */

static void an_answer_that_is_too_large_is_an_error(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = prepare(bench, 0);
    asked->invocation.payload_limit = 10;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    make_ready(bench, actor(0));
    answer(bench, actor(0), "\"0123456789\"");
    assert_result(asked, "{\"errorType\":\"Function.ResponseSizeTooLarge\",\"errorMessage\":\"Response payload size "
                         "exceeded maximum allowed payload size (10 bytes).\"}");
    assert_true(asked->invocation.failed);
    assert_true(actor(0)->alive);
    bench_close(bench);
}

static void a_handlers_error_is_its_document(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    actor_send(actor(0), FRAME_ERROR, SLICE("{\"errorType\":\"Exception\"}"));
    settle(bench);
    assert_result(asked, "{\"errorType\":\"Exception\"}");
    assert_true(asked->invocation.failed && asked->invocation.is_handled);
    expect_event(bench, actor(0), asked);
    expect_event(bench, actor(0), ask(bench, 1));
    bench_close(bench);
}

static Asked *start_stream(Bench *bench, bool streamed, const char *head)
{
    Asked *asked = prepare(bench, 0);
    asked->invocation.streamed = streamed;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    actor_send(actor(0), FRAME_STREAM_START, slice_of_string(head));
    settle(bench);
    return asked;
}

static void pieces_are_given_as_they_come(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = start_stream(bench, true, "{\"contentType\":\"text/plain\"}");
    assert_int_equal(asked->starts, 1);
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("one"));
    settle(bench);
    assert_int_equal(asked->piece_bytes, 3);
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("four"));
    actor_send(actor(0), FRAME_STREAM_END, SLICE(""));
    settle(bench);
    assert_int_equal(asked->piece_bytes, 7);
    assert_result(asked, "");
    assert_true(asked->invocation.answered_stream);
    expect_event(bench, actor(0), ask(bench, 1));
    bench_close(bench);
}

static void a_caller_that_is_full_is_not_given_more(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = start_stream(bench, true, "{}");
    asked->full = true;
    for (int i = 0; i < 3; i++)
        actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("piece"));
    actor_send(actor(0), FRAME_STREAM_END, SLICE(""));
    settle(bench);
    assert_int_equal(asked->piece_count, 1);
    assert_int_equal(asked->done, 0);
    asked->full = false;
    invoker_resume(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->piece_bytes, 15);
    assert_int_equal(asked->done, 1);
    bench_close(bench);
}

static void a_caller_that_left_is_given_nothing_and_the_handler_goes_on(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = start_stream(bench, true, "{}");
    asked->full = true;
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("piece"));
    settle(bench);
    invoker_cancel(bench->invoker, &asked->invocation);
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("piece"));
    actor_send(actor(0), FRAME_STREAM_END, SLICE(""));
    settle(bench);
    assert_int_equal(asked->piece_count, 1);
    assert_int_equal(asked->done, 1);
    assert_true(actor(0)->alive);
    bench_close(bench);
}

static void who_wants_it_whole_gets_the_pieces_together(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = start_stream(bench, false, "{\"contentType\":\"text/plain\",\"prelude\":{\"statusCode\":200}}");
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("one"));
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("two"));
    actor_send(actor(0), FRAME_STREAM_END, SLICE(""));
    settle(bench);
    assert_int_equal(asked->done, 1);
    assert_true(slice_equal(asked->invocation.result, SLICE("{\"statusCode\":200}\0\0\0\0\0\0\0\0onetwo")));
    bench_close(bench);
}

/* ---- Logs ---- */

static void what_is_written_before_the_answer_is_in_its_tail(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    assert_int_equal(write(actor(0)->output, "to stdout\nhalf a line", 21), 21);
    assert_int_equal(write(actor(0)->errors, "to stderr\n", 10), 10);
    actor_send(actor(0), FRAME_LOG, SLICE("framed\n"));
    answer(bench, actor(0), "1");
    Slice tail = asked->invocation.log_tail;
    assert_true(
        slice_starts_with(tail, SLICE("START RequestId: 00000000-0000-4000-8000-000000000000 Version: $LATEST\n")));
    assert_true(says(tail, "to stdout\n") && says(tail, "half a line") && says(tail, "to stderr\n"));
    assert_true(says(tail, "framed\n"));
    assert_true(says(tail, "END RequestId: 00000000-0000-4000-8000-000000000000\nREPORT RequestId: "));
    assert_true(says(tail, " MB\tInit Duration: "));
    assert_true(slice_ends_with(tail, SLICE(" ms\t\n")));
    bench_close(bench);
}

static void a_json_log_has_platform_records(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.log_format = SLICE("JSON");
    bench->spec.system_log_level = SLICE("INFO");
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    answer(bench, actor(0), "1");
    Slice tail = asked->invocation.log_tail;
    for (size_t lines = 0; tail.size > 0; lines++) {
        Slice line = {tail.data, slice_find(tail, '\n')};
        assert_int_equal(json_check(line), OK);
        assert_true(says(line, lines == 0 ? "platform.start" : "platform.report"));
        tail = slice_skip(tail, line.size + 1);
    }
    bench_close(bench);
}

static void few_lines(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_LOG_EVENTS] = 5;
    bench->limits.value[LIMIT_RUNTIME_LOG_EVENT_BYTES] = 8;
}

static void a_flood_of_lines_is_counted_and_long_ones_are_cut(void **state)
{
    (void)state;
    Bench *bench = bench_open(few_lines);
    ask(bench, 0);
    make_ready(bench, actor(0));
    assert_int_equal(write(actor(0)->output, "0123456789abcdef\n", 17), 17);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(actor(0)->output, "line\n", 5), 5);
    answer(bench, actor(0), "1");
    RuntimeStats stats;
    runtime_stats(bench->runtime, &stats);
    assert_in_range(stats.log_lines_dropped, 980, 998);
    assert_true(says(buffer_slice(&bench->log), "01234567"));
    assert_false(says(buffer_slice(&bench->log), "012345678"));
    bench_close(bench);
}

/* ---- Provisioned concurrency and snapshots ---- */

static void provisioned_workers_are_kept_and_replaced(void **state)
{
    (void)state;
    Bench *bench = bench_open(soon_idle);
    invoker_provision(bench->invoker, &bench->spec, 3);
    settle(bench);
    assert_int_equal(stage.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(says(actor_expect(actor(i), FRAME_INIT, &bench->arena), "provisioned-concurrency"));
        actor_send(actor(i), FRAME_READY, SLICE(""));
    }
    settle(bench);
    assert_int_equal(counts(bench).provisioned_ready, 3);
    assert_int_equal(counts(bench).provisioned, 3);
    expect_event(bench, actor(2), ask(bench, 0)); /* no start */
    assert_int_equal(stage.count, 3);
    actor_exit(actor(2), 0, false);
    settle(bench);
    assert_int_equal(stage.count, 4);
    assert_int_equal(counts(bench).provisioned_ready, 2);
    invoker_provision(bench->invoker, &bench->spec, 0);
    settle(bench);
    assert_int_equal(counts(bench).provisioned_ready, 0);
    while (actor(0)->alive || actor(1)->alive) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
    bench_close(bench);
}

static void provisioning_that_fails_says_why(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    stage.refuses = true;
    invoker_provision(bench->invoker, &bench->spec, 2);
    settle(bench);
    InvokerCounts result;
    invoker_count(bench->invoker, bench->spec.function, bench->spec.line, &bench->arena, &result);
    assert_true(says(result.provision_problem, "the stage is closed"));
    assert_int_equal(result.provisioned, 2);
    bench_close(bench);
}

static void snapshots_are_taken_once_and_copied(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.snap_start = true;
    Asked *first = ask(bench, 0);
    Asked *second = ask(bench, 1);
    assert_int_equal(stage.count, 1);
    assert_true(says(actor_expect(actor(0), FRAME_INIT, &bench->arena), "\"snapStart\":true"));
    actor_send(actor(0), FRAME_SNAPSHOT_READY, SLICE(""));
    settle(bench);
    assert_int_equal(stage.count, 3);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(actor(i)->snapshot_of, 1);
        assert_true(says(actor_expect(actor(i), FRAME_RESTORE, &bench->arena), "AWS_SESSION_TOKEN"));
        actor_send(actor(i), FRAME_READY, SLICE(""));
        settle(bench);
    }
    expect_event(bench, actor(1), first);
    expect_event(bench, actor(2), second);
    answer(bench, actor(1), "1");
    assert_true(says(first->invocation.log_tail, "Restore Duration: "));
    bench_close(bench);
}

/* ---- Whatever happens ---- */

static void check_model(Bench *bench, size_t asked_count, size_t limit)
{
    size_t open = 0;
    for (size_t i = 0; i < asked_count; i++) {
        assert_in_range(bench->asked[i].done, 0, 1);
        open += bench->asked[i].done == 0;
    }
    assert_true(open <= limit);
    InvokerCounts now = counts(bench);
    assert_int_equal(now.busy + now.waiting, open);
}

/* Workers start, answer, stream, lie and die in any order: each invocation is answered once, and no more run than may. */
static void every_invocation_is_answered_once(void **state)
{
    (void)state;
    enum { STEPS = 3000, LIMIT = 20 };
    for (unsigned seed = 1; seed <= 4; seed++) {
        Bench *bench = bench_open(NULL);
        Arena scratch = arena_make();
        size_t asked_count = 0;
        srand(seed);
        for (int step = 0; step < STEPS && stage.count < ACTORS_MAX - 40 && asked_count < ACTORS_MAX; step++) {
            int choice = rand() % 10;
            Actor *one = stage.count == 0 ? NULL : actor((size_t)rand() % stage.count);
            if (choice < 3) {
                Asked *asked = prepare(bench, asked_count++);
                asked->invocation.reserved = LIMIT;
                invoker_invoke(bench->invoker, &asked->invocation);
            } else if (one != NULL && one->alive && choice == 9 && rand() % 4 == 0) {
                actor_exit(one, SIGKILL, false);
            } else if (one != NULL && one->alive) {
                FrameKind kind;
                if (!actor_take(one, &kind, &scratch, NULL))
                    continue;
                actor_send(one,
                           kind == FRAME_INIT ? FRAME_READY
                           : rand() % 8 == 0  ? FRAME_ERROR
                                              : FRAME_RESPONSE,
                           SLICE("{}"));
            }
            settle(bench);
            check_model(bench, asked_count, LIMIT);
        }
        for (size_t i = 0; i < stage.count; i++)
            actor_exit(actor(i), 0, false), settle(bench);
        check_model(bench, asked_count, 0);
        arena_free(&scratch);
        bench_close(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_is_started_once_and_used_again),
        cmocka_unit_test(as_many_workers_start_as_invocations_wait),
        cmocka_unit_test(a_worker_that_is_free_first_takes_who_waits_for_another),
        cmocka_unit_test(who_waits_longest_is_served_first),
        cmocka_unit_test(what_is_sent_to_a_worker_that_is_gone_runs_on_another),
        cmocka_unit_test(tenants_have_workers_of_their_own),
        cmocka_unit_test(a_new_revision_lets_older_workers_go),
        cmocka_unit_test(the_longest_idle_worker_makes_place),
        cmocka_unit_test(reserved_concurrency_is_exact),
        cmocka_unit_test(unreserved_concurrency_is_the_accounts),
        cmocka_unit_test(a_slow_handler_is_cut_off_at_its_timeout),
        cmocka_unit_test(a_slow_init_phase_is_tried_again_within_the_timeout),
        cmocka_unit_test(idle_workers_are_let_go),
        cmocka_unit_test(old_workers_are_replaced),
        cmocka_unit_test(a_worker_that_ends_is_answered_for_as_aws_does),
        cmocka_unit_test(a_worker_that_closes_its_channel_is_ended),
        cmocka_unit_test(an_init_error_is_the_answer),
        cmocka_unit_test(a_worker_that_ends_in_its_init_phase_is_told),
        cmocka_unit_test(liars_are_ended_and_the_server_lives_on),
        cmocka_unit_test(a_runtime_that_is_missing_is_named),
        cmocka_unit_test(a_process_that_cannot_be_had_is_told),
        cmocka_unit_test(a_role_that_is_not_there_is_refused),
        cmocka_unit_test(what_waits_can_be_cancelled),
        cmocka_unit_test(a_drain_ends_what_runs_and_begins_nothing),
        cmocka_unit_test(an_answer_that_is_too_large_is_an_error),
        cmocka_unit_test(a_handlers_error_is_its_document),
        cmocka_unit_test(pieces_are_given_as_they_come),
        cmocka_unit_test(a_caller_that_is_full_is_not_given_more),
        cmocka_unit_test(a_caller_that_left_is_given_nothing_and_the_handler_goes_on),
        cmocka_unit_test(who_wants_it_whole_gets_the_pieces_together),
        cmocka_unit_test(what_is_written_before_the_answer_is_in_its_tail),
        cmocka_unit_test(a_json_log_has_platform_records),
        cmocka_unit_test(a_flood_of_lines_is_counted_and_long_ones_are_cut),
        cmocka_unit_test(provisioned_workers_are_kept_and_replaced),
        cmocka_unit_test(provisioning_that_fails_says_why),
        cmocka_unit_test(snapshots_are_taken_once_and_copied),
        cmocka_unit_test(every_invocation_is_answered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

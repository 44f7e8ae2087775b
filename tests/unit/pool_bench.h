/* pool_bench.h: a runtime on a loop of its own, whose workers the test plays (scripted_spawner.h). */
#ifndef BRUME_TESTS_UNIT_POOL_BENCH_H
#define BRUME_TESTS_UNIT_POOL_BENCH_H

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

/* The runtime's clock, in tests that set it; 0: the real one. */
static uint64_t clock_ns;

static inline uint64_t bench_monotonic_ns(Os *os)
{
    (void)os;
    return clock_ns != 0 ? clock_ns : os_monotonic_ns(os_linux());
}

static inline Os *bench_os(void)
{
    static OsOperations operations;
    static Os os = {&operations};
    operations = *os_linux()->operations;
    operations.monotonic_ns = bench_monotonic_ns;
    clock_ns = 0;
    return &os;
}

static inline void keep_log(void *user, const WorkerSpec *spec, Slice stream, uint64_t wall_ms, Slice request_id,
                            Slice text)
{
    Bench *bench = user;
    (void)spec;
    (void)stream;
    (void)wall_ms;
    (void)request_id;
    buffer_add(&bench->log, text);
}

static inline bool says(Slice text, const char *words)
{
    return memmem(text.data, text.size, words, strlen(words)) != NULL;
}

static inline Bench *bench_open(void (*change)(Bench *bench, RuntimeOptions *options))
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    memset(&stage, 0, sizeof stage);
    world_open(&bench->world, 11);
    assert_int_equal(loop_open(bench_os(), &bench->loop), OK);
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
static inline void settle(Bench *bench)
{
    do {
        for (int i = 0; i < 4; i++) {
            world_settle(&bench->world);
            uv_run(loop_uv(bench->loop), UV_RUN_NOWAIT);
        }
    } while (bury_killed() > 0);
}

static inline void bench_close(Bench *bench)
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

static inline void on_done(Invocation *invocation)
{
    CONTAINER_OF(invocation, Asked, invocation)->done++;
}

static inline void on_start(Invocation *invocation, Slice content_type, Slice prelude)
{
    (void)content_type;
    (void)prelude;
    CONTAINER_OF(invocation, Asked, invocation)->starts++;
}

static inline bool on_piece(Invocation *invocation, Slice piece)
{
    Asked *asked = CONTAINER_OF(invocation, Asked, invocation);
    asked->piece_bytes += piece.size;
    asked->piece_count++;
    return !asked->full;
}

static inline Asked *prepare(Bench *bench, size_t number)
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

static inline Asked *ask(Bench *bench, size_t number)
{
    Asked *asked = prepare(bench, number);
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    return asked;
}

static inline Actor *actor(size_t number)
{
    assert_true(number < stage.count);
    return &stage.actors[number];
}

/* The worker loads its handler. */
static inline void make_ready(Bench *bench, Actor *one)
{
    actor_expect(one, FRAME_INIT, &bench->arena);
    actor_send(one, FRAME_READY, SLICE(""));
    settle(bench);
}

/* The worker has that invocation's event. */
static inline void expect_event(Bench *bench, Actor *one, const Asked *asked)
{
    Slice event = actor_expect(one, FRAME_INVOKE, &bench->arena);
    assert_true(slice_equal(payload_of(event), asked->invocation.payload));
    assert_true(says(event, "\"requestId\":\"00000000-"));
}

static inline void answer(Bench *bench, Actor *one, const char *text)
{
    actor_send(one, FRAME_RESPONSE, slice_of_string(text));
    settle(bench);
}

static inline void assert_result(const Asked *asked, const char *text)
{
    assert_int_equal(asked->done, 1);
    assert_int_equal(asked->invocation.refusal, INVOKE_RAN);
    assert_string_equal(arena_string(asked->invocation.arena, asked->invocation.result), text);
}

static inline InvokerCounts counts(Bench *bench)
{
    InvokerCounts result;
    invoker_count(bench->invoker, bench->spec.function, (Slice){0}, &bench->arena, &result);
    return result;
}

static inline Asked *run_warm(Bench *bench)
{
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    answer(bench, actor(0), "1");
    assert_result(asked, "1");
    return asked;
}

static inline void run_until_done(Bench *bench, const Asked *asked)
{
    while (asked->done == 0) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
}

#endif

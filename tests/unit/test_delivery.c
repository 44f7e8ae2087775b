/* Callers on other threads than the runtime's get what is theirs on their own, in order, and once; whatever they ask
 * meanwhile. */
#include "scripted_spawner.h"

#include "base/bug.h"
#include "os/os.h"
#include "runtime/runtime.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ROUNDS = 300, PIECES = 40, PIECE = 100 * 1024 };

/* A worker that answers each event by itself, on a thread of its own. */
typedef struct Robot {
    int channel;
    pthread_t thread;
} Robot;

typedef struct Bench {
    World world;
    Loop *home; /* the runtime's */
    Loop *away; /* the callers' */
    Runtime *runtime;
    WorkerSpec spec;
    Robot robots[ACTORS_MAX];
    size_t robot_count;
    atomic_int done;
    unsigned seed;
} Bench;

typedef struct Asked {
    Task task;
    Bench *bench;
    Invocation invocation;
    Arena arena;
    pthread_t caller;
    uv_timer_t resume;
    size_t bytes;
    bool full;
    bool cancelled;
    bool ended;
} Asked;

static bool read_all(int file, void *bytes, size_t size)
{
    for (size_t have = 0; have < size;) {
        ssize_t count = read(file, (char *)bytes + have, size - have);
        if (count <= 0)
            return false;
        have += (size_t)count;
    }
    return true;
}

static void write_frame(int file, FrameKind kind, const char *content, uint32_t size)
{
    char header[CHANNEL_HEADER_SIZE] = {(char)kind};
    memcpy(header + 4, &size, sizeof size);
    if (write(file, header, sizeof header) < 0)
        return;
    for (size_t sent = 0; sent < size;) {
        ssize_t count = write(file, content + sent, size - sent);
        if (count < 0)
            return;
        sent += (size_t)count;
    }
}

static void *run_robot(void *argument)
{
    Robot *robot = argument;
    static const char piece[PIECE];
    unsigned char header[CHANNEL_HEADER_SIZE];
    char content[4096];
    while (read_all(robot->channel, header, sizeof header)) {
        uint32_t size;
        memcpy(&size, header + 4, sizeof size);
        if (size > sizeof content || !read_all(robot->channel, content, size))
            break;
        if (header[0] == FRAME_INIT) {
            write_frame(robot->channel, FRAME_READY, NULL, 0);
        } else {
            write_frame(robot->channel, FRAME_STREAM_START, "{}", 2);
            for (int i = 0; i < PIECES; i++)
                write_frame(robot->channel, FRAME_STREAM_PIECE, piece, PIECE);
            write_frame(robot->channel, FRAME_STREAM_END, NULL, 0);
        }
    }
    close(robot->channel);
    return NULL;
}

/* Starts what was ordered; on the runtime's loop. */
static void animate(uv_timer_t *timer)
{
    Bench *bench = timer->data;
    world_settle(&bench->world);
    for (; bench->robot_count < stage.count; bench->robot_count++) {
        Actor *actor = &stage.actors[bench->robot_count];
        actor_start(actor);
        Robot *robot = &bench->robots[bench->robot_count];
        robot->channel = actor->channel;
        actor->channel = -1;
        fcntl(robot->channel, F_SETFL, 0);
        assert_int_equal(pthread_create(&robot->thread, NULL, run_robot, robot), 0);
    }
}

static void on_start(Invocation *invocation, Slice content_type, Slice prelude)
{
    Asked *asked = CONTAINER_OF(invocation, Asked, invocation);
    (void)content_type;
    (void)prelude;
    ASSERT(pthread_equal(asked->caller, pthread_self()));
}

static void on_resume(uv_timer_t *timer)
{
    Asked *asked = timer->data;
    asked->full = false;
    if (!asked->ended)
        invoker_resume(runtime_invoker(asked->bench->runtime), &asked->invocation);
}

static bool on_piece(Invocation *invocation, Slice piece)
{
    Asked *asked = CONTAINER_OF(invocation, Asked, invocation);
    ASSERT(pthread_equal(asked->caller, pthread_self()));
    ASSERT(!(asked->full || asked->cancelled || asked->ended));
    asked->bytes += piece.size;
    unsigned chance = (unsigned)rand_r(&asked->bench->seed) % 64;
    if (chance == 0) {
        asked->cancelled = true;
        invoker_cancel(runtime_invoker(asked->bench->runtime), invocation);
        return false;
    }
    asked->full = chance < 16;
    if (asked->full)
        uv_timer_start(&asked->resume, on_resume, chance % 3, 0);
    return !asked->full;
}

static void on_closed(uv_handle_t *handle)
{
    Asked *asked = handle->data;
    atomic_fetch_add(&asked->bench->done, 1);
    arena_free(&asked->arena);
    free(asked);
}

static void on_done(Invocation *invocation)
{
    Asked *asked = CONTAINER_OF(invocation, Asked, invocation);
    ASSERT(pthread_equal(asked->caller, pthread_self()));
    ASSERT(!(asked->ended));
    asked->ended = true;
    if (!asked->cancelled) {
        ASSERT(invocation->refusal == INVOKE_RAN);
        ASSERT(!(invocation->failed));
        ASSERT(asked->bytes == (size_t)PIECES * PIECE);
    }
    uv_close((uv_handle_t *)&asked->resume, on_closed);
}

static void ask(Task *task)
{
    Asked *asked = CONTAINER_OF(task, Asked, task);
    Bench *bench = asked->bench;
    asked->caller = pthread_self();
    uv_timer_init(loop_uv(bench->away), &asked->resume);
    asked->resume.data = asked;
    asked->invocation = (Invocation){
        .mailbox = loop_mailbox(bench->away),
        .arena = &asked->arena,
        .spec = &bench->spec,
        .request_id = SLICE("00000000-0000-4000-8000-000000000000"),
        .payload = SLICE("{}"),
        .function_arn = SLICE("arn"),
        .reserved = UINT64_MAX,
        .unreserved = 1000,
        .payload_limit = 200 << 20,
        .streamed = true,
        .on_start = on_start,
        .on_piece = on_piece,
        .done = on_done,
    };
    invoker_invoke(runtime_invoker(bench->runtime), &asked->invocation);
    if (rand_r(&bench->seed) % 16 == 0) { /* it leaves at once */
        asked->cancelled = true;
        invoker_cancel(runtime_invoker(bench->runtime), &asked->invocation);
    }
}

static void open_bench(Bench *bench, Limits *limits)
{
    memset(&stage, 0, sizeof stage);
    stage.holds = true;
    world_open(&bench->world, 5);
    assert_int_equal(loop_open(os_linux(), &bench->home), OK);
    assert_int_equal(loop_open(os_linux(), &bench->away), OK);
    bench->spec = (WorkerSpec){.key = SLICE("k"),
                               .line = SLICE("l"),
                               .function = SLICE("f"),
                               .account = SLICE("123456789012"),
                               .region = SLICE("eu-west-1"),
                               .name = SLICE("f"),
                               .version = SLICE("1"),
                               .role_arn = SLICE("arn:aws:iam::123456789012:role/worker"),
                               .runtime = SLICE("python3.11"),
                               .timeout_ms = 60000,
                               .memory_mb = 128};
    RuntimeOptions options = {.loop = bench->home,
                              .spawner = &stage,
                              .store = bench->world.store,
                              .limits = limits,
                              .endpoint = SLICE("http://127.0.0.1:4566"),
                              .any_role = true};
    assert_int_equal(runtime_open(&options, &bench->runtime), OK);
}

static void callers_elsewhere_get_all_of_it_in_order_and_once(void **state)
{
    (void)state;
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    Limits limits = limits_default;
    limits.value[LIMIT_RUNTIME_FREE_MEMORY_BYTES] = 0;
    open_bench(bench, &limits);
    uv_timer_t timer;
    uv_timer_init(loop_uv(bench->home), &timer);
    timer.data = bench;
    uv_timer_start(&timer, animate, 0, 1);
    assert_int_equal(loop_start(bench->away), OK);
    for (int asked = 0; atomic_load(&bench->done) < ROUNDS;) {
        for (; asked < ROUNDS && asked - atomic_load(&bench->done) < 8; asked++) {
            Asked *one = calloc(1, sizeof *one);
            assert_non_null(one);
            one->bench = bench;
            one->task.run = ask;
            loop_mailbox(bench->away)->post(loop_mailbox(bench->away), (TaskChain){&one->task, &one->task});
        }
        uv_run(loop_uv(bench->home), UV_RUN_ONCE);
    }
    loop_stop(bench->away);
    uv_close((uv_handle_t *)&timer, NULL);
    runtime_close(bench->runtime);
    for (size_t i = 0; i < bench->robot_count; i++)
        pthread_join(bench->robots[i].thread, NULL);
    loop_close(bench->away);
    loop_close(bench->home);
    world_close(&bench->world);
    free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_elsewhere_get_all_of_it_in_order_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

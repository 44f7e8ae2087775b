/* What the store promises when more is asked of it than it can do: clients' calls wait a bounded time, those that are
 * refused have not happened, and the platform's own calls are never refused. */
#include "store_fixture.h"

#include <pthread.h>
#include <stdlib.h>

enum { DELAY_MS = 100, GROUP = 512, CALLS = 3 * GROUP };

static Slice numbered(Txn *txn, size_t number)
{
    Buffer key = key_start(txn_arena(txn), SLICE("123456789012"), SLICE("us-east-1"), KIND_QUEUE);
    key_add_uint64(&key, number);
    return buffer_slice(&key);
}

static Error put_body(Txn *txn, StoreCall *call)
{
    txn_put(txn, numbered(txn, (size_t)(uintptr_t)probe_argument(call)), SLICE("1"));
    return OK;
}

static Error there_body(Txn *txn, StoreCall *call)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, numbered(txn, (size_t)(uintptr_t)probe_argument(call)), &value, &found));
    return found ? OK : ERROR_NOT_FOUND;
}

/* Queues one call; `kind` says what it is. */
typedef enum Kind { OF_CLIENT, DELETE, OF_PLATFORM } Kind;

static void queue_one(World *world, Probe *probe, size_t number, Kind kind)
{
    *probe = (Probe){.world = world, .argument = (void *)(uintptr_t)number};
    probe->call = (StoreCall){.body = put_body,
                              .done = probe_done,
                              .mailbox = &world->mailbox,
                              .arena = &probe->arena,
                              .refusable = kind != OF_PLATFORM,
                              .frees_space = kind == DELETE};
    store_write(world->store, &probe->call);
}

static Probe *queue_many(World *world, size_t count, Kind kind)
{
    Probe *probes = calloc(count, sizeof *probes);
    assert_non_null(probes);
    for (size_t i = 0; i < count; i++)
        queue_one(world, &probes[i], i, kind);
    return probes;
}

/* How many went well; each of the others was refused. Both have happened, or not, as they say. */
static size_t count_done(World *world, Probe *probes, size_t count)
{
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(probes[i].done);
        Error result = probes[i].call.result;
        assert_true(result == OK || result == ERROR_BUSY);
        assert_int_equal(world_read(world, there_body, (void *)(uintptr_t)i), result == OK ? OK : ERROR_NOT_FOUND);
        done += result == OK;
        arena_free(&probes[i].arena);
    }
    free(probes);
    return done;
}

static void calls_that_have_waited_too_long_are_refused_and_have_not_happened(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe *probes = queue_many(&world, CALLS, OF_CLIENT);
    os_sim_advance_ms(world.os, DELAY_MS + 1);
    world_settle(&world);
    /* The oldest: the youngest have the best chance that somebody still waits for them. */
    assert_int_equal(probes[0].call.result, ERROR_BUSY);
    assert_int_equal(probes[CALLS - 1].call.result, OK);
    assert_int_equal(count_done(&world, probes, CALLS), GROUP);
    world_close(&world);
}

static void calls_that_have_not_waited_long_are_all_run(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe *probes = queue_many(&world, CALLS, OF_CLIENT);
    os_sim_advance_ms(world.os, DELAY_MS);
    world_settle(&world);
    assert_int_equal(count_done(&world, probes, CALLS), CALLS);
    world_close(&world);
}

/* A disk that stood still for seconds, with a group of callers: that is no overload. */
static void few_calls_are_run_however_long_they_have_waited(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe *probes = queue_many(&world, GROUP, OF_CLIENT);
    os_sim_advance_ms(world.os, 60000);
    world_settle(&world);
    assert_int_equal(count_done(&world, probes, GROUP), GROUP);
    world_close(&world);
}

static void deletes_may_wait_twice_as_long(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe *probes = queue_many(&world, CALLS, DELETE);
    os_sim_advance_ms(world.os, 2 * DELAY_MS);
    world_settle(&world);
    assert_int_equal(count_done(&world, probes, CALLS), CALLS);
    probes = queue_many(&world, CALLS, DELETE);
    os_sim_advance_ms(world.os, 2 * DELAY_MS + 1);
    world_settle(&world);
    size_t refused = 0;
    for (size_t i = 0; i < CALLS; i++) {
        refused += probes[i].call.result == ERROR_BUSY;
        arena_free(&probes[i].arena);
    }
    free(probes);
    assert_int_equal(refused, CALLS - GROUP);
    world_close(&world);
}

static void calls_of_the_platform_are_never_refused(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    size_t more_than_fit = limits_default.value[LIMIT_STORE_WRITER_QUEUE] + 1;
    Probe *probes = queue_many(&world, more_than_fit, OF_PLATFORM);
    Probe of_client;
    queue_one(&world, &of_client, more_than_fit, OF_CLIENT);
    assert_true(of_client.done);
    assert_int_equal(of_client.call.result, ERROR_BUSY);
    os_sim_advance_ms(world.os, 60000);
    world_settle(&world);
    for (size_t i = 0; i < more_than_fit; i++) {
        assert_true(probes[i].done && probes[i].call.result == OK);
        arena_free(&probes[i].arena);
    }
    free(probes);
    world_close(&world);
}

/* ---- Calls that take long, and results that are large ---- */

static Error slow_body(Txn *txn, StoreCall *call)
{
    Probe *probe = CONTAINER_OF(call, Probe, call);
    os_sim_advance_ms(probe->world->os, 5);
    return put_body(txn, call);
}

/* Where each call takes 5 ms, twenty are as much as one may wait for. */
static void of_slow_calls_fewer_may_wait(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe first[64];
    for (size_t i = 0; i < 64; i++) { /* so that the store knows */
        first[i] = (Probe){.world = &world, .argument = (void *)(uintptr_t)(1000 + i)};
        first[i].call =
            (StoreCall){.body = slow_body, .done = probe_done, .mailbox = &world.mailbox, .arena = &first[i].arena};
        store_write(world.store, &first[i].call);
    }
    world_settle(&world);
    Probe *probes = queue_many(&world, 100, OF_CLIENT);
    os_sim_advance_ms(world.os, DELAY_MS + 1);
    world_settle(&world);
    assert_int_equal(count_done(&world, probes, 100), DELAY_MS / 5);
    for (size_t i = 0; i < 64; i++)
        arena_free(&first[i].arena);
    world_close(&world);
}

enum { RESULT_BYTES = 1 << 20 };

static Error large_body(Txn *txn, StoreCall *call)
{
    memset(arena_alloc(call->arena, RESULT_BYTES), 'x', RESULT_BYTES);
    return put_body(txn, call);
}

static TaskChain posted;

static void keep_posted(Mailbox *mailbox, TaskChain chain)
{
    (void)mailbox;
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        task_chain_push(&posted, task);
}

/* Callers that fall behind with what they are given are not given more: each result is memory. */
static void no_more_is_read_than_callers_take(void **state)
{
    enum { READERS = 100 };
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Mailbox slow = {.post = keep_posted};
    Probe *probes = calloc(READERS, sizeof *probes);
    assert_non_null(probes);
    for (size_t i = 0; i < READERS; i++) {
        probes[i] = (Probe){.world = &world, .argument = (void *)(uintptr_t)i};
        probes[i].call = (StoreCall){
            .body = large_body, .done = probe_done, .mailbox = &slow, .arena = &probes[i].arena, .refusable = true};
        store_write(world.store, &probes[i].call);
    }
    size_t most = limits_default.value[LIMIT_STORE_RESULT_BYTES];
    size_t done = 0;
    for (unsigned turns = 0; done < READERS; turns++) {
        assert_true(turns < READERS);
        for (unsigned i = 0; i < 3; i++) {
            store_step(world.store);
            assert_int_equal(store_step_sync(world.store), OK);
        }
        assert_true(atomic_load(&slow.held_bytes) < most + 2 * RESULT_BYTES);
        for (Task *task = task_chain_pop(&posted); task != NULL; task = task_chain_pop(&posted), done++)
            task->run(task);
        assert_int_equal(atomic_load(&slow.held_bytes), 0);
    }
    assert_int_equal(count_done(&world, probes, READERS), READERS);
    world_close(&world);
}

/* ---- Readers: threads of their own ---- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    unsigned done;
    unsigned refused;
    bool open; /* the gate at which the first read stands */
    bool stands;
} reads = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static Error gate_body(Txn *txn, StoreCall *call)
{
    (void)txn;
    if (probe_argument(call) == NULL)
        return OK;
    pthread_mutex_lock(&reads.mutex);
    reads.stands = true;
    pthread_cond_broadcast(&reads.wake);
    while (!reads.open)
        pthread_cond_wait(&reads.wake, &reads.mutex);
    pthread_mutex_unlock(&reads.mutex);
    return OK;
}

/* As if nothing were cached: so the first run goes to the pool. */
static Error missing_body(Txn *txn, StoreCall *call)
{
    call->body = gate_body;
    (void)txn;
    return ERROR_MISS;
}

static void read_done(StoreCall *call)
{
    pthread_mutex_lock(&reads.mutex);
    reads.done++;
    reads.refused += call->result == ERROR_BUSY;
    pthread_cond_broadcast(&reads.wake);
    pthread_mutex_unlock(&reads.mutex);
}

static void reads_that_have_waited_too_long_are_refused(void **state)
{
    (void)state;
    enum { READS = 100, FEW = 32 };
    World world = {.mailbox.post = world_post};
    Limits limits = limits_default;
    limits.value[LIMIT_STORE_DELAY_MS] = 1;
    StoreOptions options = {.os = os_linux(), .engine = engine_memory_open(), .limits = &limits, .readers = 1};
    assert_int_equal(store_open(&options, &world.store), OK);
    assert_int_equal(store_start(world.store), OK);
    Probe *probes = calloc(READS + 1, sizeof *probes);
    assert_non_null(probes);
    for (size_t i = 0; i <= READS; i++) {
        probes[i].argument = i == 0 ? &world : NULL; /* the first one holds the reader up */
        probes[i].call = (StoreCall){.body = missing_body,
                                     .done = read_done,
                                     .mailbox = &world.mailbox,
                                     .arena = &probes[i].arena,
                                     .refusable = true};
        store_read(world.store, &probes[i].call);
        pthread_mutex_lock(&reads.mutex);
        while (!reads.stands)
            pthread_cond_wait(&reads.wake, &reads.mutex);
        pthread_mutex_unlock(&reads.mutex);
    }
    pthread_mutex_lock(&reads.mutex);
    /* Until the last of them has waited long enough. */
    while (os_monotonic_ns(os_linux()) <= probes[READS].call.queued_ns + 2000000)
        continue;
    reads.open = true;
    pthread_cond_broadcast(&reads.wake);
    while (reads.done < READS + 1)
        pthread_cond_wait(&reads.wake, &reads.mutex);
    assert_int_equal(reads.refused, READS - FEW - 1);
    pthread_mutex_unlock(&reads.mutex);
    store_stop(world.store);
    for (size_t i = 0; i <= READS; i++)
        arena_free(&probes[i].arena);
    free(probes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_have_waited_too_long_are_refused_and_have_not_happened),
        cmocka_unit_test(calls_that_have_not_waited_long_are_all_run),
        cmocka_unit_test(few_calls_are_run_however_long_they_have_waited),
        cmocka_unit_test(deletes_may_wait_twice_as_long),
        cmocka_unit_test(calls_of_the_platform_are_never_refused),
        cmocka_unit_test(of_slow_calls_fewer_may_wait),
        cmocka_unit_test(no_more_is_read_than_callers_take),
        cmocka_unit_test(reads_that_have_waited_too_long_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

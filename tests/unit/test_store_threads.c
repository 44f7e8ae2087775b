/* A store with all its threads, over both engines: many callers at once, long waits, reads beside writes, a stop in the
 * middle. Built with ThreadSanitizer over the engine in memory. */
#include "store/key.h"
#include "store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { CALLERS = 4, ROUNDS = 400, COUNTERS = 8 };

/* A caller's own mailbox: a queue with a lock, as a loop's is. */
typedef struct Inbox {
    Mailbox mailbox;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    TaskChain chain;
} Inbox;

static void inbox_post(Mailbox *mailbox, TaskChain chain)
{
    Inbox *inbox = CONTAINER_OF(mailbox, Inbox, mailbox);
    pthread_mutex_lock(&inbox->mutex);
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        task_chain_push(&inbox->chain, task);
    pthread_cond_signal(&inbox->wake);
    pthread_mutex_unlock(&inbox->mutex);
}

static void inbox_run_one(Inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    while (inbox->chain.first == NULL)
        pthread_cond_wait(&inbox->wake, &inbox->mutex);
    Task *task = task_chain_pop(&inbox->chain);
    pthread_mutex_unlock(&inbox->mutex);
    task->run(task);
}

typedef struct Caller {
    pthread_t thread;
    Store *store;
    Inbox inbox;
    unsigned number;
} Caller;

typedef struct Work {
    StoreCall call;
    Arena arena;
    unsigned counter;
    uint64_t seen;
    bool done;
} Work;

static void work_done(StoreCall *call)
{
    CONTAINER_OF(call, Work, call)->done = true;
}

static Slice counter_key(Txn *txn, unsigned counter)
{
    Buffer key = key_start(txn_arena(txn), SLICE("000000000000"), SLICE("us-east-1"), KIND_QUEUE);
    key_add_uint64(&key, counter);
    return buffer_slice(&key);
}

static Error counter_read(Txn *txn, StoreCall *call)
{
    Work *work = CONTAINER_OF(call, Work, call);
    Slice value;
    bool found;
    work->seen = 0;
    TRY(txn_get(txn, counter_key(txn, work->counter), &value, &found));
    return found ? value_take_uint64(&value, &work->seen) : OK;
}

static Error counter_add(Txn *txn, StoreCall *call)
{
    TRY(counter_read(txn, call));
    Work *work = CONTAINER_OF(call, Work, call);
    Buffer value = buffer_make(txn_arena(txn));
    value_add_uint64(&value, ++work->seen);
    txn_put(txn, counter_key(txn, work->counter), buffer_slice(&value));
    return OK;
}

static Error call_and_wait(Caller *caller, Work *work, TxnBody body, bool write)
{
    work->done = false;
    work->call = (StoreCall){.body = body, .done = work_done, .mailbox = &caller->inbox.mailbox, .arena = &work->arena};
    if (write)
        store_write(caller->store, &work->call);
    else
        store_read(caller->store, &work->call);
    while (!work->done)
        inbox_run_one(&caller->inbox);
    return work->call.result;
}

static void *caller_main(void *argument)
{
    Caller *caller = argument;
    for (unsigned round = 0; round < ROUNDS; round++) {
        Work work = {.counter = round % COUNTERS};
        assert_int_equal(call_and_wait(caller, &work, counter_add, true), OK);
        uint64_t written = work.seen;
        /* What was acknowledged is there for every reader at once. */
        assert_int_equal(call_and_wait(caller, &work, counter_read, false), OK);
        assert_true(work.seen >= written);
        arena_free(&work.arena);
    }
    return NULL;
}

static Error wait_body(Txn *txn, StoreCall *call)
{
    (void)call;
    if (txn_timed_out(txn))
        return OK;
    Buffer prefix = key_start(txn_arena(txn), SLICE("000000000000"), SLICE("us-east-1"), KIND_ACCOUNT);
    return txn_wait(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), 60000);
}

static void caller_open(Caller *caller, Store *store)
{
    caller->store = store;
    caller->inbox.mailbox.post = inbox_post;
    pthread_mutex_init(&caller->inbox.mutex, NULL);
    pthread_cond_init(&caller->inbox.wake, NULL);
}

static void exercise(Engine *engine)
{
    StoreOptions options = {.os = os_linux(), .engine = engine, .limits = &limits_default, .readers = 2};
    Store *store;
    assert_int_equal(store_open(&options, &store), OK);
    assert_int_equal(store_start(store), OK);
    Caller callers[CALLERS] = {0};
    for (unsigned i = 0; i < CALLERS; i++) {
        caller_open(&callers[i], store);
        pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]);
    }
    for (unsigned i = 0; i < CALLERS; i++)
        pthread_join(callers[i].thread, NULL);
    uint64_t total = 0;
    for (unsigned i = 0; i < COUNTERS; i++) {
        Work work = {.counter = i};
        assert_int_equal(call_and_wait(&callers[0], &work, counter_read, false), OK);
        total += work.seen;
        arena_free(&work.arena);
    }
    assert_int_equal(total, CALLERS * ROUNDS);

    /* One that waits and is cancelled, one that waits when the store stops. */
    Work gone = {0};
    Work stopped = {0};
    Work *waiting[] = {&gone, &stopped};
    for (unsigned i = 0; i < 2; i++) {
        waiting[i]->call = (StoreCall){
            .body = wait_body, .done = work_done, .mailbox = &callers[1].inbox.mailbox, .arena = &waiting[i]->arena};
        store_write(store, &waiting[i]->call);
    }
    store_cancel(store, &gone.call);
    while (!gone.done)
        inbox_run_one(&callers[1].inbox);
    assert_int_equal(gone.call.result, ERROR_GONE);
    store_stop(store);
    while (!stopped.done)
        inbox_run_one(&callers[1].inbox);
    assert_int_equal(stopped.call.result, ERROR_STOPPING);
    for (unsigned i = 0; i < 2; i++)
        arena_free(&waiting[i]->arena);
}

static void callers_at_once_over_the_engine_in_memory(void **state)
{
    (void)state;
    exercise(engine_memory_open());
}

static void callers_at_once_over_rocksdb(void **state)
{
    (void)state;
    char directory[] = "/tmp/brume-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    for (unsigned i = 0; i < 2; i++) {
        Arena arena = arena_make();
        Engine *engine;
        Slice message;
        assert_int_equal(engine_rocksdb_open(directory, 8 << 20, &arena, &engine, &message), OK);
        if (i == 0)
            exercise(engine);
        else
            engine->operations->close(engine);
        arena_free(&arena);
    }
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

/* A drain: whoever waits is answered at once as if the time had passed, and so is whoever would wait later. */
static void ended_waits_run_their_last_time_at_once(void **state)
{
    (void)state;
    StoreOptions options = {.os = os_linux(), .engine = engine_memory_open(), .limits = &limits_default, .readers = 1};
    Store *store;
    assert_int_equal(store_open(&options, &store), OK);
    assert_int_equal(store_start(store), OK);
    Caller caller = {0};
    caller_open(&caller, store);
    Work waiting = {0};
    waiting.call =
        (StoreCall){.body = wait_body, .done = work_done, .mailbox = &caller.inbox.mailbox, .arena = &waiting.arena};
    store_write(store, &waiting.call);
    store_end_waits(store);
    while (!waiting.done)
        inbox_run_one(&caller.inbox);
    assert_int_equal(waiting.call.result, OK);
    Work late = {0};
    assert_int_equal(call_and_wait(&caller, &late, wait_body, true), OK);
    store_stop(store);
    arena_free(&waiting.arena);
    arena_free(&late.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ended_waits_run_their_last_time_at_once),
        cmocka_unit_test(callers_at_once_over_the_engine_in_memory),
        cmocka_unit_test(callers_at_once_over_rocksdb),
    };
    /* Under ThreadSanitizer RocksDB itself is not instrumented: the engine in memory is the gate. */
    size_t count = getenv("BRUME_TEST_MEMORY_ENGINE_ONLY") == NULL ? 3 : 2;
    return _cmocka_run_group_tests("store_threads", tests, count, NULL, NULL);
}

/* How many transactions of a queue's shape the store commits durably: 64 calls in flight from one thread, each reading
 * three keys and writing a record of 400 bytes and a counter. Prints `name value unit` lines. */
#include "store/key.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { IN_FLIGHT = 64, CALLS = 200000 };

typedef struct Bench {
    Mailbox mailbox;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    TaskChain chain;
    Store *store;
    unsigned started;
    unsigned finished;
} Bench;

typedef struct Work {
    StoreCall call;
    Arena arena;
    Bench *bench;
} Work;

static void post(Mailbox *mailbox, TaskChain chain)
{
    Bench *bench = CONTAINER_OF(mailbox, Bench, mailbox);
    pthread_mutex_lock(&bench->mutex);
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        task_chain_push(&bench->chain, task);
    pthread_cond_signal(&bench->wake);
    pthread_mutex_unlock(&bench->mutex);
}

static Buffer prefix(Txn *txn, KeyKind kind)
{
    return key_start(txn_arena(txn), SLICE("000000000000"), SLICE("us-east-1"), kind);
}

static Error send_body(Txn *txn, StoreCall *call)
{
    (void)call;
    static const char record[400];
    Slice value;
    bool found;
    Buffer name = prefix(txn, KIND_QUEUE_NAME);
    key_add_string(&name, SLICE("a-queue"));
    TRY(txn_get(txn, buffer_slice(&name), &value, &found));
    Buffer attributes = prefix(txn, KIND_QUEUE);
    key_add_tag(&attributes, 'q');
    TRY(txn_get(txn, buffer_slice(&attributes), &value, &found));
    Buffer state = prefix(txn, KIND_QUEUE);
    key_add_tag(&state, 'h');
    uint64_t next = 0;
    TRY(txn_get(txn, buffer_slice(&state), &value, &found));
    if (found)
        TRY(value_take_uint64(&value, &next));
    Buffer message = prefix(txn, KIND_QUEUE);
    key_add_tag(&message, 'm');
    key_add_uint64(&message, next);
    txn_put(txn, buffer_slice(&message), slice_make(record, sizeof record));
    Buffer counter = buffer_make(txn_arena(txn));
    value_add_uint64(&counter, next + 1);
    txn_put(txn, buffer_slice(&state), buffer_slice(&counter));
    return OK;
}

static void start(Work *work)
{
    work->bench->started++;
    arena_rewind(&work->arena, (ArenaMark){0});
    store_write(work->bench->store, &work->call);
}

static void done(StoreCall *call)
{
    Work *work = CONTAINER_OF(call, Work, call);
    if (call->result != OK)
        abort();
    work->bench->finished++;
    if (work->bench->started < CALLS)
        start(work);
}

int main(void)
{
    char directory[] = "/tmp/brume-bench-XXXXXX";
    Arena arena = arena_make();
    Engine *engine;
    Slice message;
    if (mkdtemp(directory) == NULL || engine_rocksdb_open(directory, 32 << 20, &arena, &engine, &message) != OK)
        return 1;
    Bench bench = {.mailbox.post = post, .mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    StoreOptions options = {.os = os_linux(), .engine = engine, .limits = &limits_default, .readers = 1};
    if (store_open(&options, &bench.store) != OK || store_start(bench.store) != OK)
        return 1;
    static Work works[IN_FLIGHT];
    uint64_t begin_ns = os_monotonic_ns(os_linux());
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        works[i].bench = &bench;
        works[i].call =
            (StoreCall){.body = send_body, .done = done, .mailbox = &bench.mailbox, .arena = &works[i].arena};
        start(&works[i]);
    }
    while (bench.finished < CALLS) {
        pthread_mutex_lock(&bench.mutex);
        while (bench.chain.first == NULL)
            pthread_cond_wait(&bench.wake, &bench.mutex);
        TaskChain chain = bench.chain;
        bench.chain = (TaskChain){0};
        pthread_mutex_unlock(&bench.mutex);
        for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
            task->run(task);
    }
    double seconds = (double)(os_monotonic_ns(os_linux()) - begin_ns) / 1e9;
    StoreStats stats;
    store_stats(bench.store, &stats);
    printf("store_write_64 %.0f transactions/s\n", CALLS / seconds);
    printf("store_group_size %.1f transactions\n", (double)stats.transactions / (double)stats.groups);
    printf("store_sync %.3f ms\n", (double)stats.sync_ns / (double)stats.groups / 1e6);
    store_stop(bench.store);
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        arena_free(&works[i].arena);
    arena_free(&arena);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

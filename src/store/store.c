#include "store/store_internal.h"

#include "base/bug.h"

#include <stdlib.h>

Slice meta_key(Arena *arena, Slice name)
{
    Buffer key = key_start(arena, (Slice){0}, (Slice){0}, KIND_META);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

Error store_open(const StoreOptions *options, Store **opened)
{
    Store *store = calloc(1, sizeof *store);
    ASSERT(store != NULL);
    store->os = options->os;
    store->engine = options->engine;
    store->limits = *options->limits;
    store->directory = options->directory == NULL ? NULL : strdup(options->directory);
    store->virtual_clock = options->virtual_clock;
    store->log = options->log;
    unsigned most = sizeof store->readers.threads / sizeof store->readers.threads[0];
    store->readers.count = options->readers < 1 ? 1 : options->readers > most ? most : options->readers;
    /* The clock goes on where a virtual one stood even if the server is now started without one: timers depend on it. */
    Error error = clock_load(store);
    if (error != OK) {
        store->engine->operations->close(store->engine);
        free(store->directory);
        free(store);
        return error;
    }
    views_init(store);
    watches_init(&store->watches);
    writer_init(store);
    timers_init(store);
    readers_init(store);
    *opened = store;
    return OK;
}

void thread_start(pthread_t *thread, void *(*run)(void *), Store *store)
{
    int failed = pthread_create(thread, NULL, run, store);
    ASSERT(failed == 0);
}

Error store_start(Store *store)
{
    store->started = true;
    readers_start(store);
    thread_start(&store->syncer.thread, syncer_main, store);
    thread_start(&store->writer.thread, writer_main, store);
    thread_start(&store->timers.thread, timer_main, store);
    /* As top and perf show them. */
    pthread_setname_np(store->syncer.thread, "store-syncer");
    pthread_setname_np(store->writer.thread, "store-writer");
    pthread_setname_np(store->timers.thread, "store-timers");
    return OK;
}

static void stop_timers(Store *store)
{
    Timers *timers = &store->timers;
    pthread_mutex_lock(&timers->mutex);
    timers->stop = true;
    pthread_cond_signal(&timers->wake);
    pthread_mutex_unlock(&timers->mutex);
    pthread_join(timers->thread, NULL);
}

static void stop_writer(Store *store)
{
    Writer *writer = &store->writer;
    pthread_mutex_lock(&writer->mutex);
    writer->stop = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    Syncer *syncer = &store->syncer;
    pthread_mutex_lock(&syncer->mutex);
    syncer->stop = true;
    pthread_cond_signal(&syncer->wake);
    pthread_mutex_unlock(&syncer->mutex);
    pthread_join(syncer->thread, NULL);
}

/* Frees what store_open made; the engine is not touched. */
static void store_free(Store *store)
{
    readers_free(store);
    timers_free(store);
    writer_free(store);
    watches_free(&store->watches);
    views_free(store);
    free(store->directory);
    free(store);
}

void store_halt(Store *store)
{
    ASSERT(!store->halted);
    pthread_mutex_lock(&store->writer.mutex);
    store->writer.refusing = true;
    pthread_mutex_unlock(&store->writer.mutex);
    if (store->started) {
        stop_timers(store);
        stop_writer(store);
        readers_stop(store);
    } else {
        while (writer_step(store))
            ;
        syncer_step(store);
    }
    for (StoreCall *call = watch_take_expired(&store->watches, UINT64_MAX); call != NULL;
         call = watch_take_expired(&store->watches, UINT64_MAX))
        call_complete(call, ERROR_STOPPING);
    store->halted = true;
}

void store_stop(Store *store)
{
    if (!store->halted)
        store_halt(store);
    Engine *engine = store->engine;
    engine->operations->flush(engine); /* a failure only makes the next opening longer */
    store_free(store);
    engine->operations->close(engine);
}

static void answer_gone(TaskChain calls)
{
    for (Task *task = task_chain_pop(&calls); task != NULL; task = task_chain_pop(&calls))
        call_complete(CONTAINER_OF(task, StoreCall, task), ERROR_GONE);
}

Engine *store_abandon(Store *store)
{
    ASSERT(!store->started);
    Engine *engine = store->engine;
    answer_gone(store->writer.queue);
    answer_gone(store->writer.running);
    answer_gone(store->syncer.executed.calls);
    for (StoreCall *call = watch_take_expired(&store->watches, UINT64_MAX); call != NULL;
         call = watch_take_expired(&store->watches, UINT64_MAX))
        call_complete(call, ERROR_GONE);
    if (store->syncer.executed.snapshot != NULL)
        engine->operations->snapshot_close(engine, store->syncer.executed.snapshot);
    store_free(store);
    return engine;
}

bool store_step(Store *store)
{
    ASSERT(!store->started);
    bool fired = timers_step(store) > 0;
    return writer_step(store) || fired;
}

Error store_step_sync(Store *store)
{
    return syncer_step(store);
}

void store_stats(Store *store, StoreStats *stats)
{
    *stats = (StoreStats){
        .transactions = atomic_load(&store->transactions),
        .failures = atomic_load(&store->failures),
        .groups = atomic_load(&store->groups),
        .sync_ns = atomic_load(&store->sync_ns),
        .timers_fired = atomic_load(&store->timers_fired),
        .reads = atomic_load(&store->reads),
        .read_misses = atomic_load(&store->read_misses),
    };
    pthread_mutex_lock(&store->watches.mutex);
    stats->waiting = store->watches.waiting - store->watches.waiting_in_background;
    pthread_mutex_unlock(&store->watches.mutex);
    pthread_mutex_lock(&store->writer.mutex);
    stats->queued = store->writer.queued;
    pthread_mutex_unlock(&store->writer.mutex);
    if (store->directory != NULL) {
        if (os_disk_free(store->os, store->directory, &stats->disk_free_bytes) != OK)
            stats->disk_free_bytes = 0;
        stats->full = stats->disk_free_bytes < store->limits.value[LIMIT_STORE_RESERVE_BYTES];
    }
}

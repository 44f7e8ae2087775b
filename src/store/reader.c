#include "store/store_internal.h"

enum { FEW_READS = 32 }; /* for each thread of the pool: done in a moment, even from a slow disk */

/* ---- The pool ---- */

void readers_init(Store *store)
{
    pthread_mutex_init(&store->readers.mutex, NULL);
    pthread_cond_init(&store->readers.wake, NULL);
}

void readers_free(Store *store)
{
    pthread_mutex_destroy(&store->readers.mutex);
    pthread_cond_destroy(&store->readers.wake);
}

static void *reader_main(void *argument)
{
    Readers *readers = &((Store *)argument)->readers;
    for (;;) {
        pthread_mutex_lock(&readers->mutex);
        while (readers->queue.first == NULL && !readers->stop)
            pthread_cond_wait(&readers->wake, &readers->mutex);
        Task *task = task_chain_pop(&readers->queue);
        if (task != NULL)
            atomic_fetch_sub(&readers->queued, 1);
        pthread_mutex_unlock(&readers->mutex);
        if (task == NULL)
            return NULL;
        task->run(task);
    }
}

void readers_start(Store *store)
{
    Readers *readers = &store->readers;
    for (unsigned i = 0; i < readers->count; i++)
        thread_start(&readers->threads[i], reader_main, store);
}

void readers_stop(Store *store)
{
    Readers *readers = &store->readers;
    pthread_mutex_lock(&readers->mutex);
    readers->stop = true;
    pthread_cond_broadcast(&readers->wake);
    pthread_mutex_unlock(&readers->mutex);
    for (unsigned i = 0; i < readers->count; i++)
        pthread_join(readers->threads[i], NULL);
}

bool readers_post(Store *store, Task *task)
{
    if (!store->started) {
        task->run(task);
        return true;
    }
    Readers *readers = &store->readers;
    pthread_mutex_lock(&readers->mutex);
    bool room = !readers->stop && atomic_load(&readers->queued) < store->limits.value[LIMIT_STORE_READER_QUEUE];
    if (room) {
        task_chain_push(&readers->queue, task);
        atomic_fetch_add(&readers->queued, 1);
        pthread_cond_signal(&readers->wake);
    }
    pthread_mutex_unlock(&readers->mutex);
    return room;
}

/* ---- Read calls ---- */

/* Runs the body on the last durable state, with the gate held. */
static Error read_now(Store *store, StoreCall *call, ReadTier tier)
{
    View *view = view_acquire(store);
    Txn txn = {.store = store, .arena = call->arena, .snapshot = view->snapshot, .tier = tier};
    Error error = txn_run(&txn, call);
    view_release(store, view);
    return error;
}

static void read_on_pool(Task *task)
{
    StoreCall *call = CONTAINER_OF(task, StoreCall, task);
    Store *store = call->store;
    size_t behind = atomic_load(&store->readers.queued);
    Error error = ERROR_BUSY;
    if (!call_is_overdue(store, call, monotonic_ns(store), behind, FEW_READS * store->readers.count)) {
        pthread_rwlock_rdlock(&store->views.gate);
        error = read_now(store, call, READ_DISK);
        pthread_rwlock_unlock(&store->views.gate);
    }
    call->task.run = call_completed;
    call_complete(call, error);
}

void store_read(Store *store, StoreCall *call)
{
    atomic_fetch_add_explicit(&store->reads, 1, memory_order_relaxed);
    call->store = store;
    call->mark = arena_mark(call->arena);
    call->watch = NULL;
    call->result_bytes = 0;
    call->timed_out = false;
    atomic_store(&call->cancelled, false);
    Error error = ERROR_MISS;
    if (pthread_rwlock_tryrdlock(&store->views.gate) == 0) {
        error = read_now(store, call, READ_CACHED);
        pthread_rwlock_unlock(&store->views.gate);
    }
    if (error != ERROR_MISS) {
        call->result = error;
        call->done(call);
        return;
    }
    atomic_fetch_add_explicit(&store->read_misses, 1, memory_order_relaxed);
    call->task.run = read_on_pool;
    call->queued_ns = monotonic_ns(store);
    if (!readers_post(store, &call->task)) {
        call->task.run = call_completed;
        call_complete(call, ERROR_BUSY);
    }
}

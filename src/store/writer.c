/* The one writer, and the one durability line.
 *
 * writer_step runs queued bodies into a write set, gives the set to the engine as one batch and queues the calls as
 * executed. syncer_step makes everything executed durable with one sync, and only then publishes the state to readers
 * and completes the calls. The two run on two threads, so that bodies go on while a sync is in flight. */
#include "store/store_internal.h"

#include "base/bug.h"
#include "base/failpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    GROUP_CALLS = 512,
    GROUP_BYTES = 4 << 20,
    IDLE_FLUSH_MS = 1000,
    IDLE_FLUSH_BYTES = 1 << 20,
    REOPEN_MS = 200,
    RESULT_COUNTED_BYTES = 65536,
    ROOM_MS = 1,        /* a loop that has fallen behind is looked at again */
    FEW_CALLS_MIN = 16, /* too few to be an overload */
};

void writer_init(Store *store)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&store->writer.mutex, NULL);
    pthread_cond_init(&store->writer.wake, &monotonic);
    pthread_mutex_init(&store->syncer.mutex, NULL);
    pthread_cond_init(&store->syncer.wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    writeset_init(&store->writer.set);
    store->writer.group.earliest_timer_ms = UINT64_MAX;
    store->syncer.executed.earliest_timer_ms = UINT64_MAX;
}

void writer_free(Store *store)
{
    writeset_free(&store->writer.set);
    hotset_clear(&store->writer.hot);
    arena_free(&store->writer.arena);
    pthread_mutex_destroy(&store->writer.mutex);
    pthread_cond_destroy(&store->writer.wake);
    pthread_mutex_destroy(&store->syncer.mutex);
    pthread_cond_destroy(&store->syncer.wake);
}

/* ---- Completions ---- */

void call_completed(Task *task)
{
    StoreCall *call = CONTAINER_OF(task, StoreCall, task);
    if (call->result_bytes > 0)
        atomic_fetch_sub(&call->mailbox->held_bytes, call->result_bytes);
    call->done(call);
}

void call_complete(StoreCall *call, Error result)
{
    call->result = result;
    TaskChain chain = {0};
    task_chain_push(&chain, &call->task);
    call->mailbox->post(call->mailbox, chain);
}

/* Hands every call to its mailbox, one hand-over for each mailbox. */
static void post_completions(TaskChain calls)
{
    while (calls.first != NULL) {
        Mailbox *mailbox = CONTAINER_OF(calls.first, StoreCall, task)->mailbox;
        TaskChain same = {0};
        TaskChain others = {0};
        for (Task *task = task_chain_pop(&calls); task != NULL; task = task_chain_pop(&calls)) {
            bool ours = CONTAINER_OF(task, StoreCall, task)->mailbox == mailbox;
            task_chain_push(ours ? &same : &others, task);
        }
        mailbox->post(mailbox, same);
        calls = others;
    }
}

/* ---- Taking calls in ---- */

void store_write(Store *store, StoreCall *call)
{
    Writer *writer = &store->writer;
    call->store = store;
    call->task.run = call_completed;
    call->mark = arena_mark(call->arena);
    call->deadline_ns = 0;
    call->result_bytes = 0;
    call->watch = NULL;
    call->timed_out = false;
    atomic_store(&call->cancelled, false);

    call->queued_ns = monotonic_ns(store);

    pthread_mutex_lock(&writer->mutex);
    Error refusal = writer->refusing ? ERROR_STOPPING : OK;
    if (refusal == OK && call->refusable && writer->queued >= store->limits.value[LIMIT_STORE_WRITER_QUEUE])
        refusal = ERROR_BUSY;
    bool wake = false;
    if (refusal == OK) {
        task_chain_push(&writer->queue, &call->task);
        writer->queued++;
        wake = writer->sleeping;
        writer->sleeping = false;
    }
    pthread_mutex_unlock(&writer->mutex);
    if (wake)
        pthread_cond_signal(&writer->wake);
    if (refusal != OK)
        call_complete(call, refusal);
}

void store_cancel(Store *store, StoreCall *call)
{
    if (watch_remove(&store->watches, call))
        call_complete(call, ERROR_GONE);
}

/* ---- Refusing what comes to its turn too late ---- */

/* Deletes may wait twice as long. What they finish has been received and worked on: refused, that work would be done
 * again. As the others are refused first, the queue is as old as those may be, and deletes get through unless they
 * alone are too many. */
bool call_is_overdue(const Store *store, const StoreCall *call, uint64_t now_ns, size_t behind, size_t few)
{
    uint64_t longest_ns = store->limits.value[LIMIT_STORE_DELAY_MS] * 1000000 * (call->frees_space ? 2 : 1);
    return call->refusable && longest_ns != 0 && behind > few && call->queued_ns + longest_ns < now_ns;
}

/* ---- Running bodies ---- */

/* Whether the engine holds anything that a power loss would take. */
static bool anything_unsynced(Store *store)
{
    pthread_mutex_lock(&store->syncer.mutex);
    bool unsynced = store->syncer.unsynced;
    pthread_mutex_unlock(&store->syncer.mutex);
    return unsynced;
}

/* Whether the log has failed and the engine is still to be opened again. */
static bool is_broken(Store *store)
{
    return atomic_load(&store->syncer.broken);
}

/* Counts what a call has found, where it is much, from when it is found until its caller has it. */
static void count_result(StoreCall *call)
{
    size_t bytes = arena_footprint(call->arena);
    if (bytes < RESULT_COUNTED_BYTES)
        return;
    call->result_bytes = bytes;
    atomic_fetch_add(&call->mailbox->held_bytes, bytes);
}

static void group_add(Store *store, StoreCall *call, Error result)
{
    call->result = result;
    if (result == OK)
        count_result(call);
    task_chain_push(&store->writer.group.calls, &call->task);
}

static Error execute(Store *store, StoreCall *call, Txn *txn)
{
    Writer *writer = &store->writer;
    arena_rewind(&writer->arena, (ArenaMark){0});
    *txn = (Txn){
        .store = store,
        .arena = &writer->arena,
        .set = &writer->set,
        .tier = READ_DISK,
        .earliest_timer_ms = UINT64_MAX,
    };
    Error error = OK;
    if (atomic_load(&call->cancelled) && call->deadline_ns != 0) /* it was woken: the wake-up goes to another one */
        error = ERROR_GONE;
    else if (is_broken(store) || disk_refuses(store, call))
        error = ERROR_FULL; /* a broken engine still shows what its log has lost */
    if (error == OK)
        error = txn_run(txn, call);
    if (txn->earliest_timer_ms < writer->group.earliest_timer_ms)
        writer->group.earliest_timer_ms = txn->earliest_timer_ms;
    if (error == OK)
        atomic_fetch_add_explicit(&store->transactions, 1, memory_order_relaxed);
    else if (error != ERROR_WAIT)
        atomic_fetch_add_explicit(&store->failures, 1, memory_order_relaxed);
    return error;
}

static void park(Store *store, StoreCall *call, const Txn *txn)
{
    ASSERT(!call->timed_out);
    if (call->deadline_ns == 0)
        call->deadline_ns = monotonic_ns(store) + txn->wait_ms * 1000000;
    arena_rewind(call->arena, call->mark);
    Error error = watch_park(&store->watches, call, txn->wait_range, store->limits.value[LIMIT_STORE_WAITERS]);
    if (error != OK)
        group_add(store, call, error);
}

/* Runs waiters of one range, the oldest first, while keys that were put into it are left. Those that found nothing go
 * back to their places when the round is over. */
static void wake_waiters(Store *store, Watch *watch)
{
    List idle;
    list_init(&idle);
    for (StoreCall *call = NULL; watch->keys > 0 && (call = watch_take_first(&store->watches, watch)) != NULL;) {
        Txn txn;
        size_t mark = writeset_mark(&store->writer.set);
        Error error = execute(store, call, &txn);
        if (error == ERROR_WAIT) {
            arena_rewind(call->arena, call->mark);
            list_push_front(&idle, &call->waiting);
            continue;
        }
        if (error == OK) {
            watch->keys -= txn.took < watch->keys ? txn.took : watch->keys;
            watch_note(&store->watches, &store->writer.set, mark);
        }
        group_add(store, call, error);
    }
    LIST_FOR_EACH(&idle, node)
    {
        list_remove(node);
        StoreCall *call = CONTAINER_OF(node, StoreCall, waiting);
        if (!watch_park_again(&store->watches, call, watch))
            group_add(store, call, ERROR_GONE);
    }
    watch_end_round(&store->watches, watch);
}

/* Wakes whoever waits for what has been put, and for what those put in turn. */
static void wake_noted(Store *store)
{
    for (Watch *watch = watch_pop_noted(&store->watches); watch != NULL; watch = watch_pop_noted(&store->watches))
        wake_waiters(store, watch);
    writeset_keep(&store->writer.set);
}

static void run_call(Store *store, StoreCall *call)
{
    Txn txn;
    Error error = execute(store, call, &txn);
    if (error == ERROR_WAIT) {
        park(store, call, &txn);
        return;
    }
    group_add(store, call, error);
    if (error == OK)
        watch_note(&store->watches, &store->writer.set, txn.first_undo);
    wake_noted(store);
}

/* ---- Groups ---- */

_Noreturn static void stop_process(Error error)
{
    fprintf(stderr,
            "brume: the log cannot be written (%s). Stopping; what was acknowledged is safe. Check the disk "
            "and start again.\n",
            error_text(error));
    abort();
}

static bool has_space(Store *store)
{
    uint64_t free_bytes = 0;
    return os_disk_free(store->os, store->directory, &free_bytes) == OK &&
           free_bytes >= store->limits.value[LIMIT_STORE_RESERVE_BYTES];
}

/* A failed log write or sync: with a full disk everything unsynced is refused and the engine reopened later; otherwise
 * nobody can know what the disk holds, and only a restart finds out. That the disk is full is told by the error, or
 * seen; not only seen, since whoever filled it may have made room again. */
static void log_failed(Store *store, Error error)
{
    if (store->directory == NULL || (error != ERROR_FULL && has_space(store)))
        stop_process(error);
    atomic_store(&store->syncer.broken, true);
}

/* Gives every call of the chain that result instead of its own. */
static void set_results(TaskChain calls, Error result)
{
    for (Task *task = calls.first; task != NULL; task = task->next)
        CONTAINER_OF(task, StoreCall, task)->result = result;
}

/* Appends the group to what waits for a sync. */
static void hand_to_syncer(Store *store, Executed group)
{
    Syncer *syncer = &store->syncer;
    pthread_mutex_lock(&syncer->mutex);
    Executed *executed = &syncer->executed;
    if (group.calls.first != NULL) {
        if (executed->calls.last == NULL)
            executed->calls.first = group.calls.first;
        else
            executed->calls.last->next = group.calls.first;
        executed->calls.last = group.calls.last;
    }
    if (group.snapshot != NULL) {
        if (executed->snapshot != NULL)
            store->engine->operations->snapshot_close(store->engine, executed->snapshot);
        executed->snapshot = group.snapshot;
        syncer->unsynced = true;
    }
    if (group.earliest_timer_ms < executed->earliest_timer_ms)
        executed->earliest_timer_ms = group.earliest_timer_ms;
    pthread_mutex_unlock(&syncer->mutex);
}

/* Syncs here when nothing else is to do, which is sooner (waking the syncing thread costs 40-60 us), and lets the
 * syncing thread do it while there are bodies to run; stepped stores sync by hand. */
static void start_sync(Store *store)
{
    if (!store->started)
        return;
    Writer *writer = &store->writer;
    Syncer *syncer = &store->syncer;
    pthread_mutex_lock(&writer->mutex);
    bool idle = writer->queue.first == NULL && writer->running.first == NULL;
    pthread_mutex_unlock(&writer->mutex);
    pthread_mutex_lock(&syncer->mutex);
    bool here = idle && !syncer->busy;
    pthread_mutex_unlock(&syncer->mutex);
    if (here)
        syncer_step(store);
    else
        pthread_cond_signal(&syncer->wake);
}

static void close_group(Store *store)
{
    Writer *writer = &store->writer;
    Executed group = writer->group;
    writer->group = (Executed){.earliest_timer_ms = UINT64_MAX};
    size_t count;
    EngineChange *changes = writeset_changes(&writer->set, &count);
    if (count > 0) {
        FAILPOINT("writer.before_write");
        bool broken = is_broken(store);
        Error error = broken ? ERROR_FULL : store->engine->operations->write(store->engine, changes, count);
        if (error == OK) {
            hotset_apply(&writer->hot, changes, count);
            group.snapshot = store->engine->operations->snapshot_open(store->engine);
            writer->last_write_ns = monotonic_ns(store);
            writer->unflushed = true;
        } else {
            if (!broken)
                log_failed(store, error);
            set_results(group.calls, ERROR_FULL);
        }
        FAILPOINT("writer.after_write");
    }
    writeset_clear(&writer->set);
    if (group.snapshot == NULL && !anything_unsynced(store)) {
        /* Nothing is unsynced any more when a sync has failed meanwhile; what these have read is lost then. */
        if (is_broken(store))
            set_results(group.calls, ERROR_FULL);
        post_completions(group.calls);
        return;
    }
    hand_to_syncer(store, group);
    start_sync(store);
}

Error syncer_step(Store *store)
{
    Syncer *syncer = &store->syncer;
    pthread_mutex_lock(&syncer->mutex);
    if (syncer->busy || (syncer->executed.calls.first == NULL && syncer->executed.snapshot == NULL)) {
        pthread_mutex_unlock(&syncer->mutex);
        return OK;
    }
    syncer->busy = true;
    Executed executed = syncer->executed;
    syncer->executed = (Executed){.earliest_timer_ms = UINT64_MAX};
    bool broken = is_broken(store);
    pthread_mutex_unlock(&syncer->mutex);

    Error error = broken ? ERROR_FULL : OK;
    if (error == OK && executed.snapshot != NULL) {
        uint64_t start_ns = monotonic_ns(store);
        FAILPOINT("syncer.before_sync");
        error = store->engine->operations->sync(store->engine);
        FAILPOINT("syncer.after_sync");
        if (error != OK)
            log_failed(store, error);
        atomic_fetch_add_explicit(&store->groups, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&store->sync_ns, monotonic_ns(store) - start_ns, memory_order_relaxed);
    }
    if (error == OK && executed.snapshot != NULL)
        views_publish(store, executed.snapshot);
    else if (executed.snapshot != NULL)
        store->engine->operations->snapshot_close(store->engine, executed.snapshot);
    if (error != OK)
        set_results(executed.calls, ERROR_FULL);
    else if (executed.earliest_timer_ms != UINT64_MAX)
        timers_notice(store, executed.earliest_timer_ms);

    pthread_mutex_lock(&syncer->mutex);
    syncer->busy = false;
    syncer->unsynced = syncer->executed.snapshot != NULL;
    pthread_mutex_unlock(&syncer->mutex);
    FAILPOINT("syncer.before_answer");
    post_completions(executed.calls); /* the durability line: no write is answered before */
    return error;
}

void *syncer_main(void *argument)
{
    Store *store = argument;
    Syncer *syncer = &store->syncer;
    for (;;) {
        pthread_mutex_lock(&syncer->mutex);
        while (!syncer->stop &&
               (syncer->busy || (syncer->executed.calls.first == NULL && syncer->executed.snapshot == NULL)))
            pthread_cond_wait(&syncer->wake, &syncer->mutex);
        bool stop = syncer->stop && syncer->executed.calls.first == NULL && syncer->executed.snapshot == NULL;
        pthread_mutex_unlock(&syncer->mutex);
        if (stop)
            return NULL;
        syncer_step(store);
    }
}

/* ---- A full disk ---- */

bool disk_refuses(Store *store, const StoreCall *call)
{
    if (store->directory == NULL)
        return false;
    uint64_t now_ns = monotonic_ns(store);
    uint64_t reserve = store->limits.value[LIMIT_STORE_RESERVE_BYTES];
    uint64_t free_bytes = atomic_load(&store->disk_free_bytes);
    /* Every 100 ms; on every call when it is close. */
    if (now_ns - atomic_load(&store->disk_checked_ns) > 100000000 || free_bytes < reserve + reserve / 4) {
        if (os_disk_free(store->os, store->directory, &free_bytes) == OK)
            atomic_store(&store->disk_free_bytes, free_bytes);
        atomic_store(&store->disk_checked_ns, now_ns);
    }
    return free_bytes < (call->frees_space ? reserve / 2 : reserve);
}

/* The disk may fill up again meanwhile: then nobody can read until there is space. */
static void reopen(Store *store)
{
    Writer *writer = &store->writer;
    Error error;
    while ((error = store->engine->operations->reopen(store->engine)) == ERROR_FULL) {
        nanosleep(&(struct timespec){.tv_nsec = REOPEN_MS * 1000000}, NULL);
        pthread_mutex_lock(&writer->mutex);
        bool stop = writer->stop;
        pthread_mutex_unlock(&writer->mutex);
        if (stop)
            stop_process(error);
    }
    if (error != OK)
        stop_process(error);
}

/* After a log write failed: when space has returned, opens the engine again, which drops what it has lost. Then whoever
 * waits looks again: what others had taken may be back. */
static void try_to_reopen(Store *store)
{
    Syncer *syncer = &store->syncer;
    if (!has_space(store))
        return;
    pthread_mutex_lock(&syncer->mutex);
    bool quiet = !syncer->busy && syncer->executed.calls.first == NULL && syncer->executed.snapshot == NULL;
    pthread_mutex_unlock(&syncer->mutex);
    if (!quiet)
        return;
    pthread_rwlock_wrlock(&store->views.gate);
    views_lose(store);
    hotset_clear(&store->writer.hot);
    reopen(store);
    views_publish(store, store->engine->operations->snapshot_open(store->engine));
    pthread_rwlock_unlock(&store->views.gate);
    pthread_mutex_lock(&syncer->mutex);
    syncer->unsynced = false;
    atomic_store(&syncer->broken, false);
    pthread_mutex_unlock(&syncer->mutex);
    watch_note_all(&store->watches);
    wake_noted(store);
}

/* ---- The writer's loop ---- */

/* Takes what is queued when all that was taken has run; gives how many calls wait, those taken included. */
static size_t take_queue(Writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    if (writer->running.first == NULL) {
        writer->running = writer->queue;
        writer->queue = (TaskChain){0};
    }
    size_t queued = writer->queued;
    writer->draining = writer->refusing;
    pthread_mutex_unlock(&writer->mutex);
    return queued;
}

/* Whether the call's thread keeps up with the results that it is given. When the store stops, threads may have ended. */
static bool has_room(const Store *store, const StoreCall *call)
{
    return store->writer.draining || !call->refusable ||
           atomic_load(&call->mailbox->held_bytes) < store->limits.value[LIMIT_STORE_RESULT_BYTES];
}

/* How many calls are done in a moment: a group, or as many as take the time that one may wait. */
static size_t few_calls(const Store *store)
{
    uint64_t delay_ns = store->limits.value[LIMIT_STORE_DELAY_MS] * 1000000;
    uint64_t few = store->writer.call_ns == 0 ? GROUP_CALLS : delay_ns / store->writer.call_ns;
    return few < FEW_CALLS_MIN ? FEW_CALLS_MIN : few > GROUP_CALLS ? GROUP_CALLS : (size_t)few;
}

/* What a call takes on average, the latest eighth of it by this group. */
static void note_speed(Writer *writer, uint64_t group_ns, size_t ran)
{
    uint64_t call_ns = group_ns / ran;
    writer->call_ns = writer->call_ns == 0 ? call_ns : (7 * writer->call_ns + call_ns) / 8;
}

/* Runs up to one group of the calls taken; gives how many were taken out. Those that are overdue are refused while more
 * wait than are done in a moment: after a stall that few have waited out, all of them run. */
static size_t run_group(Store *store, size_t queued)
{
    Writer *writer = &store->writer;
    uint64_t start_ns = monotonic_ns(store);
    size_t few = few_calls(store);
    TaskChain refused = {0};
    size_t taken = 0;
    size_t ran = 0;
    for (; ran < GROUP_CALLS && writer->set.bytes < GROUP_BYTES && writer->running.first != NULL; taken++) {
        StoreCall *call = CONTAINER_OF(writer->running.first, StoreCall, task);
        bool overdue = call_is_overdue(store, call, start_ns, queued - taken, few);
        if (!overdue && !has_room(store, call))
            break;
        task_chain_pop(&writer->running);
        if (overdue) {
            call->result = ERROR_BUSY;
            task_chain_push(&refused, &call->task);
        } else {
            run_call(store, call);
            ran++;
        }
    }
    post_completions(refused);
    if (ran > 0)
        note_speed(writer, monotonic_ns(store) - start_ns, ran);
    else if (store->started && writer->running.first != NULL)
        nanosleep(&(struct timespec){.tv_nsec = ROOM_MS * 1000000}, NULL);
    return taken;
}

void store_end_waits(Store *store)
{
    Writer *writer = &store->writer;
    pthread_mutex_lock(&writer->mutex);
    writer->waits_ended = true;
    writer->nudged = true;
    pthread_mutex_unlock(&writer->mutex);
    pthread_cond_signal(&writer->wake);
}

/* Runs the last time those whose wait is over; how many. */
static size_t run_expired(Store *store)
{
    pthread_mutex_lock(&store->writer.mutex);
    bool waits_ended = store->writer.waits_ended;
    pthread_mutex_unlock(&store->writer.mutex);
    uint64_t now_ns = waits_ended ? UINT64_MAX : monotonic_ns(store);
    size_t count = 0;
    for (; count < GROUP_CALLS; count++) {
        StoreCall *call = watch_take_expired(&store->watches, now_ns);
        if (call == NULL)
            break;
        call->timed_out = true;
        run_call(store, call);
    }
    return count;
}

bool writer_step(Store *store)
{
    Writer *writer = &store->writer;
    if (is_broken(store))
        try_to_reopen(store);
    size_t expired = run_expired(store);
    size_t taken = run_group(store, take_queue(writer));
    pthread_mutex_lock(&writer->mutex);
    writer->queued -= taken;
    pthread_mutex_unlock(&writer->mutex);
    if (writer->group.calls.first != NULL)
        close_group(store);
    else if (writer->set.count > 0)
        writeset_clear(&writer->set); /* what bodies that wait now have written and dropped */
    return expired + taken > 0 || writer->running.first != NULL;
}

/* Moves the log into tables on the reader pool, so that an opening after a crash is short. */
typedef struct FlushTask {
    Task task;
    Store *store;
} FlushTask;

static void flush_run(Task *task)
{
    FlushTask *flush = CONTAINER_OF(task, FlushTask, task);
    Store *store = flush->store;
    pthread_rwlock_rdlock(&store->views.gate);
    store->engine->operations->flush(store->engine); /* a failure only makes the next opening longer */
    pthread_rwlock_unlock(&store->views.gate);
    free(flush);
}

static void flush_when_idle(Store *store)
{
    store->writer.unflushed = false;
    if (store->engine->operations->log_bytes(store->engine) < IDLE_FLUSH_BYTES)
        return;
    FlushTask *flush = calloc(1, sizeof *flush);
    ASSERT(flush != NULL);
    flush->task.run = flush_run;
    flush->store = store;
    if (!readers_post(store, &flush->task))
        free(flush);
}

/* Sleeps until there is something to do; false when the store stops. */
static bool writer_sleep(Store *store)
{
    Writer *writer = &store->writer;
    uint64_t until_ns = watch_next_deadline(&store->watches);
    uint64_t flush_ns = writer->last_write_ns + IDLE_FLUSH_MS * 1000000ull;
    if (writer->unflushed && flush_ns < until_ns)
        until_ns = flush_ns;
    if (is_broken(store) && monotonic_ns(store) + REOPEN_MS * 1000000ull < until_ns)
        until_ns = monotonic_ns(store) + REOPEN_MS * 1000000ull;
    struct timespec until = {(time_t)(until_ns / 1000000000), (long)(until_ns % 1000000000)};
    pthread_mutex_lock(&writer->mutex);
    int slept = 0;
    while (writer->queue.first == NULL && !writer->stop && !writer->nudged && slept != ETIMEDOUT) {
        writer->sleeping = true;
        slept = until_ns == UINT64_MAX ? pthread_cond_wait(&writer->wake, &writer->mutex)
                                       : pthread_cond_timedwait(&writer->wake, &writer->mutex, &until);
    }
    writer->sleeping = false;
    writer->nudged = false;
    bool go_on = !writer->stop || writer->queue.first != NULL;
    pthread_mutex_unlock(&writer->mutex);
    if (writer->unflushed && monotonic_ns(store) >= flush_ns)
        flush_when_idle(store);
    return go_on;
}

void *writer_main(void *argument)
{
    Store *store = argument;
    for (;;)
        if (!writer_step(store) && !writer_sleep(store))
            return NULL;
}

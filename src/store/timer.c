/* Timers: keys ordered by due time, (KIND_TIMER, due, kind, id), whose values hold the home and what the kind needs.
 *
 * One thread sleeps until the soonest. It reads the durable state, and queues a write for each timer that is due: the
 * timer is deleted and its body run in one transaction. Deleting a timer early leaves the thread to wake for nothing,
 * which then looks for the next one: the tombstones of deleted ones are walked here only, and only when none is due. */
#include "store/store_internal.h"

#include "base/bug.h"

#include <stdlib.h>
#include <time.h>

enum {
    FIRE_BATCH = 256,
    RETRY_MS = 500, /* the first pause of what failed; each further one is twice as long */
    LONGEST_RETRY_MS = 60000,
    FAILING_MAX = 1024, /* timers that are kept apart because they fail */
    LONGEST_SLEEP_MS = 60000,
    TIMER_SCHEMA = 1
};

typedef struct TimerCall {
    StoreCall call;
    Arena arena;
    Slice key;
    uint64_t due_ms;
    TimerKind kind;
    Slice id;
    Slice value; /* behind the schema and the home */
    bool moves_clock;
} TimerCall;

static Slice timer_key(Arena *arena, TimerKind kind, uint64_t due_ms, Slice id)
{
    Buffer key = key_start(arena, (Slice){0}, (Slice){0}, KIND_TIMER);
    key_add_uint64(&key, due_ms);
    key_add_uint64(&key, kind);
    key_add_string(&key, id);
    return buffer_slice(&key);
}

void txn_timer_set(Txn *txn, TimerKind kind, Home home, uint64_t due_ms, Slice id, Slice value)
{
    Buffer content = value_start(txn->arena, TIMER_SCHEMA);
    value_add_uint64(&content, home);
    value_add_bytes(&content, value);
    txn_put(txn, timer_key(txn->arena, kind, due_ms, id), buffer_slice(&content));
    if (due_ms < txn->earliest_timer_ms)
        txn->earliest_timer_ms = due_ms;
}

void txn_timer_delete(Txn *txn, TimerKind kind, uint64_t due_ms, Slice id)
{
    txn_delete(txn, timer_key(txn->arena, kind, due_ms, id));
}

void store_on_timer(Store *store, TimerKind kind, TimerBody body)
{
    ASSERT(kind < TIMER_KINDS && store->timers.bodies[kind] == NULL);
    store->timers.bodies[kind] = body;
}

/* Completions of timers need no thread of their own: they only count. */
static void timers_post(Mailbox *mailbox, TaskChain chain)
{
    (void)mailbox;
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        task->run(task);
}

void timers_init(Store *store)
{
    Timers *timers = &store->timers;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&timers->mutex, NULL);
    pthread_cond_init(&timers->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    timers->mailbox.post = timers_post;
    MapSeed seed;
    os_random(store->os, &seed, sizeof seed);
    timers->failing = map_make(seed);
    timers->failing_next_ns = UINT64_MAX;
}

void timers_free(Store *store)
{
    size_t position = 0;
    for (const MapEntry *entry; (entry = map_next(&store->timers.failing, &position)) != NULL;)
        free(entry->value);
    map_free(&store->timers.failing);
    pthread_mutex_destroy(&store->timers.mutex);
    pthread_cond_destroy(&store->timers.wake);
}

void timers_notice(Store *store, uint64_t due_ms)
{
    Timers *timers = &store->timers;
    pthread_mutex_lock(&timers->mutex);
    if (due_ms < timers->next_due_ms) {
        timers->next_due_ms = due_ms;
        pthread_cond_signal(&timers->wake);
    }
    pthread_mutex_unlock(&timers->mutex);
}

/* ---- Timers whose bodies fail ----
 * Each is passed over until its time has come again, so that neither others nor a move of the clock wait for it. They
 * are known in memory alone: a start is a good moment to try again. All of this with the mutex held. */

typedef struct FailingTimer {
    unsigned failures;
    uint64_t retry_ns;
} FailingTimer;

static void failing_forget(Timers *timers, Slice key)
{
    free(map_remove(&timers->failing, key));
}

/* Puts the timer off, twice as long each time; gives how often it has failed, 0: too many fail to know each. */
static unsigned failing_note(Store *store, Slice key)
{
    Timers *timers = &store->timers;
    FailingTimer *failing = map_get(&timers->failing, key);
    if (failing == NULL) {
        if (timers->failing.count >= FAILING_MAX)
            return 0;
        failing = calloc(1, sizeof *failing);
        ASSERT(failing != NULL);
        map_put(&timers->failing, key, failing);
    }
    uint64_t pause_ms = RETRY_MS;
    for (unsigned i = 0; i < failing->failures && pause_ms < LONGEST_RETRY_MS; i++)
        pause_ms *= 2;
    pause_ms = pause_ms < LONGEST_RETRY_MS ? pause_ms : LONGEST_RETRY_MS;
    failing->retry_ns = monotonic_ns(store) + pause_ms * 1000000;
    if (failing->retry_ns < timers->failing_next_ns)
        timers->failing_next_ns = failing->retry_ns;
    return ++failing->failures;
}

static bool failing_is_put_off(const Timers *timers, Slice key, uint64_t now_ns)
{
    const FailingTimer *failing = timers->failing.count == 0 ? NULL : map_get(&timers->failing, key);
    return failing != NULL && failing->retry_ns > now_ns;
}

/* Whose time has come is tried now; when the next one's comes. One that was not there to be tried has been deleted:
 * forgotten, one each time, since the map must not change on the way. */
static void failing_look(Timers *timers, uint64_t now_ns)
{
    Slice deleted = {0};
    size_t position = 0;
    timers->failing_next_ns = UINT64_MAX;
    for (const MapEntry *entry; (entry = map_next(&timers->failing, &position)) != NULL;) {
        const FailingTimer *failing = entry->value;
        if (failing->retry_ns > now_ns && failing->retry_ns < timers->failing_next_ns)
            timers->failing_next_ns = failing->retry_ns;
        if (failing->retry_ns + LONGEST_RETRY_MS * 1000000ull < now_ns)
            deleted = entry->key;
    }
    if (deleted.data != NULL)
        failing_forget(timers, deleted);
}

/* With the mutex held: everything is looked for again after a pause. */
static void retry_later(Store *store)
{
    Timers *timers = &store->timers;
    timers->retry_ns = monotonic_ns(store) + RETRY_MS * 1000000ull;
    timers->next_due_ms = 0;
}

/* ---- Firing ---- */

static Error fire_body(Txn *txn, StoreCall *call)
{
    TimerCall *timer = CONTAINER_OF(call, TimerCall, call);
    Slice value;
    bool found;
    TRY(txn_get(txn, timer->key, &value, &found));
    if (!found)
        return OK;          /* deleted since it was read */
    if (timer->moves_clock) /* it stands at this timer's time, or later when the timer is overdue */
        clock_save(txn, (int64_t)(txn_now(txn) - os_wall_ms(txn->store->os)));
    txn_delete(txn, timer->key);
    TimerBody body = txn->store->timers.bodies[timer->kind];
    ASSERT(body != NULL);
    return body(txn, timer->due_ms, timer->id, timer->value);
}

/* A timer's body cannot help these; everything else is between it and what it found. */
static bool is_trouble_of_all(Error error)
{
    return error == ERROR_FULL || error == ERROR_BUSY || error == ERROR_STOPPING;
}

static void fire_done(StoreCall *call)
{
    TimerCall *timer = CONTAINER_OF(call, TimerCall, call);
    Timers *timers = &call->store->timers;
    if (call->result == OK)
        atomic_fetch_add_explicit(&call->store->timers_fired, 1, memory_order_relaxed);
    pthread_mutex_lock(&timers->mutex);
    unsigned failures = 0;
    if (call->result == OK)
        failing_forget(timers, timer->key);
    else if (is_trouble_of_all(call->result) || (failures = failing_note(call->store, timer->key)) == 0)
        retry_later(call->store);
    timers->outstanding--;
    pthread_cond_signal(&timers->wake);
    pthread_mutex_unlock(&timers->mutex);
    if (failures > 0)
        LOG(call->store->log, WARNING, "timer_failed", log_uint("kind", timer->kind), log_uint("due_ms", timer->due_ms),
            log_uint("home", call->home), log_uint("failures", failures), log_int("code", call->result),
            log_error(call->result));
    arena_free(&timer->arena);
    free(timer);
}

/* Reads a timer's key and value; ERROR_MALFORMED when they are none. */
static Error timer_read(TimerCall *timer, Slice key, Slice value)
{
    uint64_t due_ms;
    uint64_t kind;
    uint8_t schema;
    timer->key = arena_copy(&timer->arena, key);
    value = arena_copy(&timer->arena, value);
    Arena *arena = &timer->arena;
    Slice rest = slice_skip(timer->key, key_start(arena, (Slice){0}, (Slice){0}, KIND_TIMER).size);
    TRY(key_take_uint64(&rest, &due_ms));
    TRY(key_take_uint64(&rest, &kind));
    TRY(key_take_string(&rest, arena, &timer->id));
    TRY(value_take_schema(&value, &schema));
    TRY(value_take_uint64(&value, &timer->call.home));
    TRY(value_take_bytes(&value, &timer->value));
    if (schema != TIMER_SCHEMA || kind >= TIMER_KINDS)
        return ERROR_MALFORMED;
    timer->due_ms = due_ms;
    timer->kind = (TimerKind)kind;
    return OK;
}

static TimerCall *timer_call(Store *store, Slice key, Slice value)
{
    TimerCall *timer = calloc(1, sizeof *timer);
    ASSERT(timer != NULL);
    if (timer_read(timer, key, value) != OK)
        bug_report(__FILE__, __LINE__, "a timer that can be read");
    timer->call.body = fire_body;
    timer->call.done = fire_done;
    timer->call.mailbox = &store->timers.mailbox;
    timer->call.arena = &timer->arena;
    timer->call.frees_space = true;
    timer->moves_clock = atomic_load(&store->clock.held_ms) != 0;
    return timer;
}

/* Where the timers of that due time begin. */
static Slice due_key(Arena *arena, uint64_t due_ms)
{
    Buffer key = key_start(arena, (Slice){0}, (Slice){0}, KIND_TIMER);
    key_add_uint64(&key, due_ms);
    return buffer_slice(&key);
}

/* When the first timer is due that is due at or behind `from_ms`; UINT64_MAX when there is none. */
static Error find_next(Store *store, EngineSnapshot *snapshot, uint64_t from_ms, Arena *arena, uint64_t *next_ms)
{
    const EngineOperations *engine = store->engine->operations;
    Buffer prefix = key_start(arena, (Slice){0}, (Slice){0}, KIND_TIMER);
    KeyRange range = key_range_of_prefix(arena, buffer_slice(&prefix));
    EngineCursor *cursor = engine->scan(store->engine, snapshot, READ_DISK, due_key(arena, from_ms), range.end, false);
    Slice key;
    Slice value;
    Error error = engine->cursor_next(cursor, &key, &value);
    *next_ms = UINT64_MAX;
    if (error == OK && key.data != NULL) {
        key = slice_skip(key, prefix.size);
        error = key_take_uint64(&key, next_ms);
    }
    engine->cursor_close(cursor);
    return error;
}

/* Collects timers that are due at or before `now_ms` and not put off, at most FIRE_BATCH. When there is none, `next_ms` is when the next
 * one is due; only then, since what lies ahead may be many deleted ones. After an error those before it are collected. */
static Error collect(Store *store, uint64_t now_ms, uint64_t now_ns, TaskChain *due, size_t *count, uint64_t *next_ms)
{
    const EngineOperations *engine = store->engine->operations;
    Arena arena = arena_make();
    *count = 0;
    *next_ms = now_ms;
    pthread_rwlock_rdlock(&store->views.gate);
    View *view = view_acquire(store);
    EngineCursor *cursor =
        engine->scan(store->engine, view->snapshot, READ_DISK, due_key(&arena, 0), due_key(&arena, now_ms + 1), false);
    Slice key;
    Slice value;
    Error error = OK;
    while (*count < FIRE_BATCH && (error = engine->cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        pthread_mutex_lock(&store->timers.mutex);
        bool put_off = failing_is_put_off(&store->timers, key, now_ns);
        pthread_mutex_unlock(&store->timers.mutex);
        if (put_off)
            continue;
        task_chain_push(due, &timer_call(store, key, value)->call.task);
        (*count)++;
    }
    engine->cursor_close(cursor);
    if (error == OK && *count == 0)
        error = find_next(store, view->snapshot, now_ms + 1, &arena, next_ms);
    view_release(store, view);
    pthread_rwlock_unlock(&store->views.gate);
    arena_free(&arena);
    return error;
}

static size_t timers_fire(Store *store)
{
    Timers *timers = &store->timers;
    pthread_mutex_lock(&timers->mutex);
    uint64_t now_ns = monotonic_ns(store);
    failing_look(timers, now_ns);
    timers->next_due_ms = UINT64_MAX; /* timers that become durable while this reads lower it again */
    pthread_mutex_unlock(&timers->mutex);
    TaskChain due = {0};
    uint64_t next_ms;
    size_t count;
    Error error = collect(store, store_now(store), now_ns, &due, &count, &next_ms);
    pthread_mutex_lock(&timers->mutex);
    timers->outstanding += count;
    if (error != OK)
        retry_later(store);
    pthread_mutex_unlock(&timers->mutex);
    for (Task *task = task_chain_pop(&due); task != NULL; task = task_chain_pop(&due))
        store_write(store, CONTAINER_OF(task, StoreCall, task));
    timers_notice(store, next_ms);
    return count;
}

/* ---- Moving the clock ---- */

typedef struct ClockCall {
    StoreCall call;
    Arena arena;
} ClockCall;

static Error save_clock_body(Txn *txn, StoreCall *call)
{
    (void)call;
    clock_save(txn, atomic_load(&txn->store->clock.offset_ms));
    return OK;
}

/* The clock has arrived when that is durable; until then the move goes on, to wherever the clock is. */
static void save_clock_done(StoreCall *call)
{
    ClockCall *clock = CONTAINER_OF(call, ClockCall, call);
    Timers *timers = &call->store->timers;
    pthread_mutex_lock(&timers->mutex);
    timers->outstanding--;
    Task *moved = call->result == OK ? timers->moved : NULL;
    Mailbox *mailbox = timers->moved_mailbox;
    if (call->result == OK) {
        timers->moved = NULL;
    } else {
        timers->target_ms = store_now(call->store);
        retry_later(call->store);
    }
    pthread_cond_signal(&timers->wake);
    pthread_mutex_unlock(&timers->mutex);
    if (moved != NULL) {
        TaskChain chain = {0};
        task_chain_push(&chain, moved);
        mailbox->post(mailbox, chain);
    }
    arena_free(&clock->arena);
    free(clock);
}

/* The target is reached: lets the clock run from there and keeps the offset; then whoever asked is told. */
static void clock_arrive(Store *store, uint64_t target_ms)
{
    atomic_store(&store->clock.offset_ms, (int64_t)(target_ms - os_wall_ms(store->os)));
    atomic_store(&store->clock.held_ms, 0);
    ClockCall *clock = calloc(1, sizeof *clock);
    ASSERT(clock != NULL);
    clock->call.body = save_clock_body;
    clock->call.done = save_clock_done;
    clock->call.mailbox = &store->timers.mailbox;
    clock->call.arena = &clock->arena;
    clock->call.frees_space = true;
    store_write(store, &clock->call);
}

Error store_clock_set(Store *store, uint64_t target_ms, Task *task, Mailbox *mailbox)
{
    Timers *timers = &store->timers;
    pthread_mutex_lock(&timers->mutex);
    Error error = !store->virtual_clock || target_ms < store_now(store) ? ERROR_DENIED
                  : timers->moved != NULL                               ? ERROR_BUSY
                                                                        : OK;
    if (error == OK) {
        timers->target_ms = target_ms;
        timers->moved = task;
        timers->moved_mailbox = mailbox;
        pthread_cond_signal(&timers->wake);
    }
    pthread_mutex_unlock(&timers->mutex);
    return error;
}

/* One step of a move of the clock, with nothing outstanding: to the next due time on the way, or to the target. */
static void clock_step(Store *store, uint64_t target_ms)
{
    Timers *timers = &store->timers;
    if (atomic_load(&store->clock.held_ms) == 0)
        atomic_store(&store->clock.held_ms, store_now(store));
    if (timers_fire(store) > 0)
        return;
    pthread_mutex_lock(&timers->mutex);
    uint64_t next_ms = timers->next_due_ms;
    if (next_ms > target_ms) {
        timers->target_ms = 0;
        timers->outstanding++;
    }
    pthread_mutex_unlock(&timers->mutex);
    if (next_ms > target_ms)
        clock_arrive(store, target_ms);
    else if (next_ms > store_now(store))
        atomic_store(&store->clock.held_ms, next_ms);
}

/* With the mutex held: whether there is something to do now. */
static bool is_ready(Store *store)
{
    const Timers *timers = &store->timers;
    return timers->outstanding == 0 && monotonic_ns(store) >= timers->retry_ns &&
           (timers->target_ms != 0 || timers->next_due_ms <= store_now(store) ||
            timers->failing_next_ns <= monotonic_ns(store));
}

size_t timers_step(Store *store)
{
    Timers *timers = &store->timers;
    pthread_mutex_lock(&timers->mutex);
    uint64_t target_ms = timers->target_ms;
    bool ready = is_ready(store);
    pthread_mutex_unlock(&timers->mutex);
    if (!ready)
        return 0;
    if (target_ms != 0) {
        clock_step(store, target_ms);
        return 1;
    }
    return timers_fire(store);
}

/* ---- The thread ---- */

static void sleep_until_due(Store *store)
{
    Timers *timers = &store->timers;
    uint64_t now_ms = store_now(store);
    uint64_t until_ns = monotonic_ns(store);
    if (timers->outstanding > 0 ||
        (timers->next_due_ms == UINT64_MAX && timers->target_ms == 0 && timers->failing_next_ns == UINT64_MAX)) {
        pthread_cond_wait(&timers->wake, &timers->mutex);
        return;
    }
    if (until_ns < timers->retry_ns) {
        until_ns = timers->retry_ns;
    } else if (timers->next_due_ms > now_ms) {
        /* A minute at most: the wall clock may be set meanwhile. */
        uint64_t wait_ms = timers->next_due_ms - now_ms;
        until_ns += (wait_ms < LONGEST_SLEEP_MS ? wait_ms : LONGEST_SLEEP_MS) * 1000000ull;
        if (timers->failing_next_ns < until_ns)
            until_ns = timers->failing_next_ns;
    }
    struct timespec until = {(time_t)(until_ns / 1000000000), (long)(until_ns % 1000000000)};
    pthread_cond_timedwait(&timers->wake, &timers->mutex, &until);
}

void *timer_main(void *argument)
{
    Store *store = argument;
    Timers *timers = &store->timers;
    for (;;) {
        pthread_mutex_lock(&timers->mutex);
        while (!timers->stop && !is_ready(store))
            sleep_until_due(store);
        bool stop = timers->stop;
        pthread_mutex_unlock(&timers->mutex);
        if (stop)
            return NULL;
        timers_step(store);
    }
}

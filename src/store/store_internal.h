/* store_internal.h: the parts of a store, for the files of this folder only.
 *
 * Who touches what: `writer` parts belong to the thread that runs writer_step (the writer, or the simulator), `syncer`
 * parts are guarded by its mutex, `watches` by theirs (loops cancel), `views` by theirs. */
#ifndef BRUME_STORE_STORE_INTERNAL_H
#define BRUME_STORE_STORE_INTERNAL_H

#include "base/map.h"
#include "store/hotset.h"
#include "store/key.h"
#include "store/store.h"
#include "store/writeset.h"

#include <pthread.h>

/* ---- view.c: the durable states that readers see ---- */

typedef struct View {
    ListNode link;
    EngineSnapshot *snapshot; /* NULL: lost when the engine was reopened */
    unsigned holders;
} View;

typedef struct Views {
    pthread_mutex_t mutex;
    pthread_rwlock_t gate; /* held for reading around every use of a view, for writing while the engine is reopened */
    List all;
    View *current;
} Views;

void views_init(Store *store);
void views_free(Store *store);
/* Makes `snapshot` the state that readers see from now on. */
void views_publish(Store *store, EngineSnapshot *snapshot);
View *view_acquire(Store *store);
void view_release(Store *store, View *view);
/* With the gate held for writing: closes every snapshot; holders find NULL. */
void views_lose(Store *store);

/* ---- watch.c: parked calls ---- */

typedef struct Watch {
    KeyRange range;
    List waiters;
    size_t keys;   /* put into the range and not yet used up */
    bool noted;    /* in Watches.noted */
    bool in_round; /* its waiters are being woken */
} Watch;

typedef struct Watches {
    pthread_mutex_t mutex;
    Watch **sorted; /* by range.begin; some without waiters */
    size_t count;
    size_t capacity;
    size_t empty;
    StoreCall **deadlines; /* a binary heap, soonest first */
    size_t waiting;
    size_t waiting_in_background; /* of those */
    size_t deadlines_capacity;
    bool in_round; /* some watch is */
    Watch **noted; /* the writer's: ranges that got keys and whose waiters are still to be woken */
    size_t noted_count;
    size_t noted_capacity;
} Watches;

void watches_init(Watches *watches);
void watches_free(Watches *watches);
/* Parks the call behind the others of its range. ERROR_GONE: it has been cancelled; ERROR_BUSY: `limit` are parked. */
Error watch_park(Watches *watches, StoreCall *call, KeyRange range, uint64_t limit);
/* Puts one that was woken for nothing back before the others; false when it has been cancelled meanwhile. */
bool watch_park_again(Watches *watches, StoreCall *call, Watch *watch);
/* Takes a parked call out; false when it is not parked: it is marked as cancelled then. */
bool watch_remove(Watches *watches, StoreCall *call);
/* Notes where keys that a body has newly put (the undo log from `mark` on) are waited for. */
void watch_note(Watches *watches, const Writeset *set, size_t mark);
/* Notes every range with waiters, as if there were keys for all of them. */
void watch_note_all(Watches *watches);
/* Begins a round of waking: the next noted range, NULL when there is none; and ends it. */
Watch *watch_pop_noted(Watches *watches);
void watch_end_round(Watches *watches, Watch *watch);
/* Takes out the waiter that has waited longest; NULL when there is none. */
StoreCall *watch_take_first(Watches *watches, Watch *watch);
/* The soonest deadline, UINT64_MAX when nothing is parked; and takes out the call that has it. */
uint64_t watch_next_deadline(Watches *watches);
StoreCall *watch_take_expired(Watches *watches, uint64_t now_ns);

/* ---- txn.c ---- */

struct Txn {
    Store *store;
    StoreCall *call;
    Arena *arena;
    Writeset *set;            /* NULL: a read */
    EngineSnapshot *snapshot; /* NULL: the latest executed state */
    ReadTier tier;
    uint64_t now_ms;
    size_t scanned_bytes;
    size_t first_undo;
    size_t first_bytes;
    Cursor *cursors; /* open ones */
    KeyRange wait_range;
    uint64_t wait_ms;
    size_t took;
    uint64_t earliest_timer_ms;
    Error error; /* sticky */
};

/* Runs a body in a transaction; what it wrote is in the write set when OK, undone otherwise. */
Error txn_run(Txn *txn, StoreCall *call);

/* ---- writer.c ---- */

/* What was executed and waits for its sync. */
typedef struct Executed {
    TaskChain calls;
    EngineSnapshot *snapshot; /* NULL: nothing was written */
    uint64_t earliest_timer_ms;
} Executed;

typedef struct Writer {
    /* Guarded by `mutex`: */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    TaskChain queue;
    size_t queued;
    bool sleeping;
    bool refusing;    /* store_stop has begun */
    bool waits_ended; /* store_end_waits was called */
    bool nudged;      /* do not sleep: something other than the queue has changed */
    bool stop;
    /* The writer thread's own: */
    pthread_t thread;
    TaskChain running; /* taken from the queue, not yet run */
    bool draining;     /* the store stops: what is left is run, whoever takes the results */
    uint64_t call_ns;  /* what a call takes, lately */
    Writeset set;
    Hotset hot;
    Arena arena; /* of the running transaction */
    Executed group;
    uint64_t last_write_ns;
    bool unflushed;
} Writer;

typedef struct Syncer {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    Executed executed;
    bool busy;     /* a sync is in flight */
    bool unsynced; /* something written is not durable */
    bool stop;
    atomic_bool broken; /* the engine's log failed on a full disk; the writer reopens it */
    pthread_t thread;
} Syncer;

/* Whether a call that comes to its turn at `now_ns` must be refused: it has waited too long, and `behind` more wait than
 * are done in a moment (`few`). Late refusals, not early ones: whoever asks again at once waits as long each time, so
 * that refusing costs a server without room little. */
bool call_is_overdue(const Store *store, const StoreCall *call, uint64_t now_ns, size_t behind, size_t few);

void writer_init(Store *store);
void writer_free(Store *store);
void *writer_main(void *store);
void *syncer_main(void *store);
/* Runs up to one group of what is queued; whether anything was done. */
bool writer_step(Store *store);
/* Syncs what has been executed and posts its completions. */
Error syncer_step(Store *store);
/* Runs `call` through `done` with this result. */
void call_complete(StoreCall *call, Error result);
void call_completed(Task *task);
/* Tells whether the writer must refuse this call because the disk is nearly full. */
bool disk_refuses(Store *store, const StoreCall *call);

/* ---- timer.c ---- */

typedef struct Timers {
    TimerBody bodies[TIMER_KINDS];
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    Mailbox mailbox;
    uint64_t next_due_ms; /* no timer is due before; may be too early */
    size_t outstanding;   /* fired, not yet durable */
    uint64_t retry_ns;    /* something failed: it is tried again, but nothing is done before */
    Map failing;          /* key → FailingTimer, ours: timers whose bodies have failed, put off one by one */
    uint64_t failing_next_ns;
    bool stop;
    uint64_t target_ms; /* the clock is being moved there; 0: it is not */
    Task *moved;
    Mailbox *moved_mailbox;
} Timers;

void timers_init(Store *store);
void timers_free(Store *store);
void *timer_main(void *store);
/* Does what is due now: fires timers, moves the clock on; how many. */
size_t timers_step(Store *store);
/* A timer for that time has become durable. */
void timers_notice(Store *store, uint64_t due_ms);

/* ---- reader.c: the pool of threads that may block ---- */

typedef struct Readers {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    TaskChain queue;
    atomic_size_t queued; /* changed with the mutex held */
    bool stop;
    unsigned count;
    pthread_t threads[16];
} Readers;

void readers_init(Store *store);
void readers_free(Store *store);
void readers_start(Store *store);
void readers_stop(Store *store);
/* Runs the task on the pool (at once where there is none); false when its queue is full. */
bool readers_post(Store *store, Task *task);

/* ---- clock.c: the platform clock ---- */

typedef struct Clock {
    atomic_int_fast64_t offset_ms;
    atomic_uint_fast64_t held_ms; /* while timers are fired on the way to a later time; 0: running */
} Clock;

/* Inside a body: keeps the offset at which the clock shows what it shows. */
void clock_save(Txn *txn, int64_t offset_ms);
Error clock_load(Store *store);

/* ---- store.c ---- */

struct Store {
    Os *os;
    Engine *engine;
    Limits limits;
    char *directory; /* NULL: no reserve is kept */
    Log *log;
    bool virtual_clock;
    bool started;
    bool halted; /* no thread of it runs, and nothing more is taken */
    Clock clock;
    Views views;
    Watches watches;
    Writer writer;
    Syncer syncer;
    Timers timers;
    Readers readers;
    /* Counters that any thread adds to. */
    atomic_uint_fast64_t transactions, failures, groups, sync_ns, timers_fired, reads, read_misses;
    atomic_uint_fast64_t disk_free_bytes;
    atomic_uint_fast64_t disk_checked_ns;
};

/* A store without one of its threads would never answer: ends the process when there can be none. */
void thread_start(pthread_t *thread, void *(*run)(void *), Store *store);

/* The store's own keys: (KIND_META, name). */
Slice meta_key(Arena *arena, Slice name);

static inline uint64_t monotonic_ns(Store *store)
{
    return os_monotonic_ns(store->os);
}

#endif

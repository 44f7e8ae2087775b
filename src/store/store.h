/* store.h: the store: an ordered, transactional key-value store that everything else is a layer on.
 *
 * Transactions are functions ("bodies") that the store calls. A read body sees the last durable state; a write body is
 * run by the one writer and sees the latest executed state. A body may run several times (a cache miss, a wake-up), so
 * it has no effect but its writes and what it leaves in its call. Results arrive by completion, on the mailbox that the
 * call names, and a write completes only when it is durable.
 *
 * A StoreCall is a token of ownership: from store_write or store_read until `done`, it and its arena are the store's. */
#ifndef BRUME_STORE_STORE_H
#define BRUME_STORE_STORE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "base/task.h"
#include "os/os.h"
#include "store/engine.h"

#include <stdatomic.h>

typedef struct Store Store;
typedef struct Txn Txn;
typedef struct StoreCall StoreCall;

/* What a write changes: a queue, a table partition, a shard, an execution. On one node it is a label; on many nodes
 * the node that holds its lease runs its bodies. */
typedef uint64_t Home;

/* The home named by these parts, the same in every process and version. */
Home home_of(Slice account, Slice region, Slice kind, Slice name);

/* ERROR_WAIT parks the call (see txn_wait); any other error drops the body's writes. */
typedef Error (*TxnBody)(Txn *txn, StoreCall *call);

struct StoreCall {
    Task task; /* the store's; on completion `task.run` calls `done` */
    /* Set by the caller. */
    TxnBody body;
    void (*done)(StoreCall *call); /* on `mailbox`'s thread; `result` is set and the call is the caller's again */
    Mailbox *mailbox;
    Arena *arena; /* for what the body leaves behind; rewound before each run of it */
    Home home;
    bool frees_space;   /* deletes only: may run until half of the disk reserve is used */
    bool in_background; /* waits for work of the platform's own: not counted among the calls that wait */
    bool refusable; /* a client's: gets ERROR_BUSY when more is asked than can be done. The platform's own never do */
    /* Set by the store. */
    Error result;
    /* The store's own. */
    Store *store;
    size_t result_bytes;   /* counted in its mailbox's held_bytes */
    uint64_t queued_ns;    /* since when it has waited for the writer or a reader */
    ArenaMark mark;        /* of `arena` before the first run */
    uint64_t deadline_ns;  /* of a wait; 0: it has not waited yet */
    ListNode waiting;      /* in its watch */
    struct Watch *watch;   /* NULL: not parked */
    size_t deadline_index; /* in the heap of deadlines */
    atomic_bool cancelled;
    bool timed_out;
};

/* A half-open range of keys. */
typedef struct KeyRange {
    Slice begin;
    Slice end;
} KeyRange;

/* ---- Calls: any thread; none of these blocks ---- */

/* Queues the body for the writer. `done` comes when its writes are durable, or with the body's error, ERROR_BUSY (it
 * is refusable, and the queue is full or has been too slow; it has not run), ERROR_FULL (disk), ERROR_STOPPING. A body that wrote nothing completes as soon as all that it may
 * have read is durable. */
void store_write(Store *store, StoreCall *call);

/* Runs the body on the last durable state: at once on this thread when all that it reads is cached (`done` may then be
 * called before this returns), otherwise on the reader pool. A read body cannot wait or write. ERROR_BUSY as above, from
 * the pool. */
void store_read(Store *store, StoreCall *call);

/* The caller of a call has left, or waits for nothing any more: a parked call completes soon with ERROR_GONE and passes
 * its wake-up on; one that has not waited completes as usual, but with ERROR_GONE when it would. The call stays the
 * store's until `done`. */
void store_cancel(Store *store, StoreCall *call);

/* ---- Inside a body: only on the thread that runs it ---- */

/* The value of `key`, which lives until the transaction ends; `found` tells whether there is one.
 * ERROR_MISS: not in the cache on a thread that must not block; the body returns it and is run again elsewhere. */
Error txn_get(Txn *txn, Slice key, Slice *value, bool *found);

/* Both slices are copied. Errors (ERROR_TOO_LARGE past STORE_TXN_KEYS or _BYTES) are kept and fail the transaction. */
void txn_put(Txn *txn, Slice key, Slice value);
void txn_delete(Txn *txn, Slice key);

/* Walks the keys of a range in order (or backwards), the transaction's own writes merged in. Slices live until the next
 * step. Writing to the range behind the cursor while walking is fine; ahead of it, close and open again.
 *     Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
 *     while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) …
 *     cursor_close(cursor); */
typedef enum ScanOrder { SCAN_FORWARD, SCAN_BACKWARD } ScanOrder;
typedef struct Cursor Cursor;
Cursor *txn_scan(Txn *txn, KeyRange range, ScanOrder order);
/* `key->data` is NULL at the end. */
Error cursor_next(Cursor *cursor, Slice *key, Slice *value);
void cursor_close(Cursor *cursor);

/* A part of a body that can be dropped while the body goes on (an entry of a batch). */
typedef size_t Savepoint;
Savepoint txn_savepoint(Txn *txn);
void txn_rollback(Txn *txn, Savepoint savepoint);

/* Milliseconds since 1970 on the platform clock; the same through one run of a body. */
uint64_t txn_now(const Txn *txn);
/* 64 unpredictable bits. */
uint64_t txn_random(Txn *txn);
void txn_random_bytes(Txn *txn, void *bytes, size_t size);
/* A number that this store has never given before, ascending: for new resources. */
Error txn_new_number(Txn *txn, uint64_t *number);
/* Memory that lives until the transaction ends. */
Arena *txn_arena(Txn *txn);
const Limits *txn_limits(const Txn *txn);
/* The store's directory, absolute, beside which large objects lie in folders of their own; empty: it has none. */
Slice txn_directory(const Txn *txn);

/* Nothing to do: `return txn_wait(txn, range, wait_ms);` parks the call until a later commit puts a key into `range`,
 * and runs the body again then. One key put wakes one waiter, first come, first served; one that consumes nothing
 * passes the wake-up on. Ranges of different waiters are equal or disjoint. `wait_ms` counts on the wall clock from the
 * call's first run; when it has passed, the body runs a last time with txn_timed_out and must not wait again. */
Error txn_wait(Txn *txn, KeyRange range, uint64_t wait_ms);
bool txn_timed_out(const Txn *txn);
/* A body that waited says how many of the keys put into its range it has used up (1 unless it says otherwise), so that
 * the right number of the other waiters is woken. */
void txn_took(Txn *txn, size_t keys);

/* ---- Timers ----
 * A timer is a key ordered by due time on the platform clock. When it is due, the body of its kind runs as a write
 * with the timer already deleted. Equal (kind, due_ms, id) is the same timer. One whose body fails is logged and stays;
 * it is tried again after half a second, then later and later up to a minute, and nothing else waits for it. */
typedef Error (*TimerBody)(Txn *txn, uint64_t due_ms, Slice id, Slice value);
typedef enum TimerKind {
    TIMER_STORE = 0,
    TIMER_QUEUE = 1,
    TIMER_FUNCTION = 2,
    TIMER_EVENT = 3,
    TIMER_MAPPING = 4,
    TIMER_LOG = 5,
    TIMER_KINDS = 16,
} TimerKind;

void txn_timer_set(Txn *txn, TimerKind kind, Home home, uint64_t due_ms, Slice id, Slice value);
void txn_timer_delete(Txn *txn, TimerKind kind, uint64_t due_ms, Slice id);
/* Before store_start. */
void store_on_timer(Store *store, TimerKind kind, TimerBody body);

/* ---- Life ---- */

typedef struct StoreOptions {
    Os *os;
    Engine *engine;        /* the store's from store_open on: closed with it */
    const Limits *limits;  /* copied */
    const char *directory; /* for the disk reserve; NULL: none is kept */
    unsigned readers;      /* threads of the reader pool */
    bool virtual_clock;    /* the platform clock may be moved */
    Log *log;              /* timers that fail; NULL: nothing is logged */
} StoreOptions;

Error store_open(const StoreOptions *options, Store **store);
/* Starts the writer, the syncing thread, the reader pool and the timer reader. Without it the store is stepped. */
Error store_start(Store *store);
/* Any thread: from now on every wait is over at once: parked calls run their last time, as if their time had passed. A
 * drain begins so, in order that long polls are answered before the server stops. */
void store_end_waits(Store *store);
/* Refuses new calls, completes parked ones with ERROR_STOPPING, runs and syncs what is queued, stops the threads.
 * Mailboxes must still be served until it returns. Until store_stop, those who are told of results may still call: a
 * write is given back with ERROR_STOPPING, a read is answered or gets ERROR_BUSY. */
void store_halt(Store *store);
/* Halts the store, unless it is halted, flushes and closes the engine, and frees the store. */
void store_stop(Store *store);

/* As kill -9 would leave it: frees the store without running or syncing what is left, and gives the engine back. Calls
 * that it still held get ERROR_GONE, as from a broken connection: whether they happened is open. Stepped stores only. */
Engine *store_abandon(Store *store);

/* For the simulator, instead of store_start: runs what is queued and due as far as it goes without a sync; gives
 * whether anything was done. */
bool store_step(Store *store);
/* Syncs what has been executed and posts its completions. */
Error store_step_sync(Store *store);

/* The platform clock, now. */
uint64_t store_now(Store *store);
/* Moves the platform clock to `target_ms`, firing each timer at its own due time; `task` is posted when all that was
 * due has run, or failed, and the clock's place is durable; never when the store stops before. ERROR_DENIED: no virtual clock, or
 * the target lies in the past; ERROR_BUSY: it is being moved. */
Error store_clock_set(Store *store, uint64_t target_ms, Task *task, Mailbox *mailbox);

/* What the store counts, for metrics. */
typedef struct StoreStats {
    uint64_t transactions; /* write bodies that committed */
    uint64_t failures;     /* write bodies that were dropped */
    uint64_t groups;       /* syncs */
    uint64_t sync_ns;      /* time spent in them */
    uint64_t timers_fired;
    uint64_t reads;
    uint64_t read_misses; /* reads that went to the pool */
    uint64_t waiting;     /* parked calls, now, but those in the background */
    uint64_t queued;      /* calls before the writer, now */
    uint64_t disk_free_bytes;
    bool full; /* writes are refused */
} StoreStats;
void store_stats(Store *store, StoreStats *stats);

/* ---- Backup: a stream of every key of one durable state; see docs of the format in backup.c ---- */

/* Files beside the store that keys name, and that go with it into a backup. Of its owner; all on backup_read's thread. */
typedef struct BackupFiles {
    /* Every key of the state, in order, before the first file. */
    void (*see)(struct BackupFiles *files, Slice key);
    /* Goes on to the next file; `name`, absent behind the last one, lives until the next call. */
    Error (*next)(struct BackupFiles *files, Slice *name, uint64_t *size);
    /* The next piece of it; 0 at its end. */
    Error (*read)(struct BackupFiles *files, char *bytes, size_t size, size_t *given);
} BackupFiles;

typedef struct Backup Backup;
/* Starts one; many may run, each holds its state until backup_close. What `files` may name from here on must stay until
 * then, which its owner sees to; NULL: there are none. */
Error backup_open(Store *store, BackupFiles *files, Backup **backup);
/* The next piece, at most `size` bytes; 0 at the end. May block: call it on a worker thread. */
Error backup_read(Backup *backup, char *bytes, size_t size, size_t *given);
void backup_close(Backup *backup);

/* Whoever keeps the files of a backup that is restored: the other side of BackupFiles. */
typedef struct RestoreFiles {
    void (*see)(struct RestoreFiles *files, Slice key);
    /* One file: begun, written in pieces, ended. ERROR_MALFORMED: it is not what its name says. */
    Error (*begin)(struct RestoreFiles *files, Slice name, uint64_t size);
    Error (*write)(struct RestoreFiles *files, Slice piece);
    Error (*end)(struct RestoreFiles *files);
    /* The stream is whole: makes all of them durable. */
    Error (*finish)(struct RestoreFiles *files);
} RestoreFiles;

/* Writes a backup's bytes (from `read`, which gives 0 at the end) into an empty engine, and its files into `files` (NULL: a
 * backup with files is refused), and syncs them. ERROR_MALFORMED: no backup, cut off, or its checksum is wrong;
 * ERROR_FORMAT: of a newer version. */
typedef Error (*BackupRead)(void *source, char *bytes, size_t size, size_t *given);
Error backup_restore(Engine *engine, BackupRead read, void *source, RestoreFiles *files);

#endif

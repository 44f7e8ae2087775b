/* engine.h: what the store asks of an ordered key-value engine.
 *
 * Implementations: engine_rocksdb.c (default), engine_memory.c (simulation: it can lose what was not synced).
 * `write` and `sync` are called by one thread each, perhaps at the same time; everything else by any thread. */
#ifndef BRUME_STORE_ENGINE_H
#define BRUME_STORE_ENGINE_H

#include "base/arena.h"
#include "base/error.h"
#include "os/os.h"

typedef struct Engine Engine;
typedef struct EngineSnapshot EngineSnapshot;
typedef struct EngineCursor EngineCursor;

/* How far a read may go: memory only (ERROR_MISS otherwise), or to the disk. */
typedef enum ReadTier { READ_CACHED, READ_DISK } ReadTier;

/* One change; a deletion has `value.data == NULL`. */
typedef struct EngineChange {
    Slice key;
    Slice value;
} EngineChange;

typedef struct EngineOperations {
    /* The value, copied into `arena`; NULL data when there is none. `snapshot` NULL: the latest written state. */
    Error (*get)(Engine *engine, EngineSnapshot *snapshot, ReadTier tier, Slice key, Arena *arena, Slice *value);
    /* A cursor over [begin, end), before its first key (after its last when backward). `end.data == NULL`: no end. */
    EngineCursor *(*scan)(Engine *engine, EngineSnapshot *snapshot, ReadTier tier, Slice begin, Slice end,
                          bool backward);
    /* Gives the next entry, whose slices live until the next call; `key->data` NULL at the end. */
    Error (*cursor_next)(EngineCursor *cursor, Slice *key, Slice *value);
    void (*cursor_close)(EngineCursor *cursor);
    /* Applies all changes as one; readers of the latest state see them, but they are durable only after `sync`.
     * ERROR_FULL, of `sync` too: there is no space for them. */
    Error (*write)(Engine *engine, const EngineChange *changes, size_t count);
    /* Makes everything durable that was written before the call. After an error nothing more is durable than before. */
    Error (*sync)(Engine *engine);
    EngineSnapshot *(*snapshot_open)(Engine *engine);
    void (*snapshot_close)(Engine *engine, EngineSnapshot *snapshot);
    /* Moves the log into tables (when idle, before a stop), so that the next opening is short. */
    Error (*flush)(Engine *engine);
    /* After a failed log write: closes and opens again; every snapshot and cursor must be closed before. After
     * ERROR_FULL it is closed, and nothing but this may be called. */
    Error (*reopen)(Engine *engine);
    /* Bytes in the log that an opening would have to replay. */
    uint64_t (*log_bytes)(Engine *engine);
    void (*close)(Engine *engine);
} EngineOperations;

struct Engine {
    const EngineOperations *operations;
};

/* Opens or makes the RocksDB database in `directory`. `cache_bytes`: block cache. ERROR_IO, ERROR_FULL,
 * with `message` (in `arena`). */
Error engine_rocksdb_open(const char *directory, uint64_t cache_bytes, Arena *arena, Engine **engine, Slice *message);

/* Removes the database's files, as far as that goes: what a failed restore leaves. It must be closed. */
void engine_rocksdb_destroy(const char *directory);

/* The file that RocksDB is loaded from, whose name ends with its version, as "librocksdb.so.7.8.3"; absent when it is
 * linked in. In `arena`. */
Slice engine_rocksdb_library(Arena *arena);

/* An empty engine in memory. */
Engine *engine_memory_open(void);
/* Power loss: drops all unsynced writes but a prefix that `seed` chooses; snapshots and cursors must be closed. */
void engine_memory_crash(Engine *engine, uint64_t seed);
/* Makes the coming writes or syncs fail: the environment of a simulation. */
void engine_memory_fail(Engine *engine, Error write_error, Error sync_error);

#endif

/* RocksDB as the engine, through its C API. Its log is the durable log: writes go to the log's buffer (manual flush),
 * `sync` flushes and syncs it from the syncing thread while the writer goes on (design, sections 4 and 12). */
#include "store/engine.h"

#include "base/bug.h"
#include "base/failpoint.h"

#include <dlfcn.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdlib.h>

/* Replaying 16 MiB of log takes about 170 ms (measured), so the log never holds more. */
enum { WRITE_BUFFER_BYTES = 16 << 20, BLOCK_BYTES = 8 << 10, BLOOM_BITS = 10, CACHE_SHARD_BITS = 2, OPEN_FILES = 512 };

typedef struct RocksEngine {
    Engine engine;
    char *directory;
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table_options;
    rocksdb_cache_t *cache;
    rocksdb_writeoptions_t *write_options;
    rocksdb_flushoptions_t *flush_options;
    rocksdb_readoptions_t *latest[2]; /* by ReadTier */
    rocksdb_writebatch_t *batch;      /* the writer's, reused */
} RocksEngine;

struct EngineSnapshot {
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *options[2]; /* by ReadTier */
};

struct EngineCursor {
    rocksdb_iterator_t *iterator;
    rocksdb_readoptions_t *options;
    bool backward;
    bool started;
    Slice begin;
    Slice end;
    char bounds[];
};

/* A status of RocksDB, of which its C API gives the text alone, as an Error. "Incomplete" is how it says that a read is
 * not cached; of a full disk it gives the system's words, also long after it met it. */
static Error meaning_of(const char *status)
{
    return strncmp(status, "Result incomplete", 17) == 0       ? ERROR_MISS
           : strstr(status, "No space left on device") != NULL ? ERROR_FULL
                                                               : ERROR_IO;
}

/* The same, and frees it. */
static Error error_of(char *status)
{
    Error error = meaning_of(status);
    free(status);
    return error;
}

static rocksdb_readoptions_t *read_options(const rocksdb_snapshot_t *snapshot, ReadTier tier)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    if (snapshot != NULL)
        rocksdb_readoptions_set_snapshot(options, snapshot);
    rocksdb_readoptions_set_read_tier(options, tier == READ_CACHED ? 1 /* kBlockCacheTier */ : 0);
    return options;
}

static Error rocks_get(Engine *engine, EngineSnapshot *snapshot, ReadTier tier, Slice key, Arena *arena, Slice *value)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    char *status = NULL;
    const rocksdb_readoptions_t *options = snapshot == NULL ? rocks->latest[tier] : snapshot->options[tier];
    rocksdb_pinnableslice_t *pinned = rocksdb_get_pinned(rocks->db, options, key.data, key.size, &status);
    *value = (Slice){0};
    if (status != NULL)
        return error_of(status);
    if (pinned != NULL) {
        size_t size;
        const char *bytes = rocksdb_pinnableslice_value(pinned, &size);
        *value = arena_copy(arena, slice_make(bytes, size));
        rocksdb_pinnableslice_destroy(pinned);
    }
    return OK;
}

static EngineCursor *rocks_scan(Engine *engine, EngineSnapshot *snapshot, ReadTier tier, Slice begin, Slice end,
                                bool backward)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    EngineCursor *cursor = malloc(sizeof *cursor + begin.size + end.size);
    ASSERT(cursor != NULL);
    memcpy(cursor->bounds, begin.data, begin.size);
    if (end.data != NULL)
        memcpy(cursor->bounds + begin.size, end.data, end.size);
    cursor->begin = slice_make(cursor->bounds, begin.size);
    cursor->end = slice_make(end.data == NULL ? NULL : cursor->bounds + begin.size, end.size);
    cursor->backward = backward;
    cursor->started = false;
    cursor->options = read_options(snapshot == NULL ? NULL : snapshot->snapshot, tier);
    rocksdb_readoptions_set_iterate_lower_bound(cursor->options, cursor->begin.data, cursor->begin.size);
    if (end.data != NULL)
        rocksdb_readoptions_set_iterate_upper_bound(cursor->options, cursor->end.data, cursor->end.size);
    cursor->iterator = rocksdb_create_iterator(rocks->db, cursor->options);
    return cursor;
}

static void cursor_step(EngineCursor *cursor)
{
    if (cursor->started && cursor->backward)
        rocksdb_iter_prev(cursor->iterator);
    else if (cursor->started)
        rocksdb_iter_next(cursor->iterator);
    else if (cursor->backward)
        rocksdb_iter_seek_to_last(cursor->iterator);
    else
        rocksdb_iter_seek(cursor->iterator, cursor->begin.data, cursor->begin.size);
    cursor->started = true;
}

static Error rocks_cursor_next(EngineCursor *cursor, Slice *key, Slice *value)
{
    *key = *value = (Slice){0};
    cursor_step(cursor);
    if (!rocksdb_iter_valid(cursor->iterator)) {
        char *status = NULL;
        rocksdb_iter_get_error(cursor->iterator, &status);
        return status == NULL ? OK : error_of(status);
    }
    key->data = rocksdb_iter_key(cursor->iterator, &key->size);
    value->data = rocksdb_iter_value(cursor->iterator, &value->size);
    return OK;
}

static void rocks_cursor_close(EngineCursor *cursor)
{
    rocksdb_iter_destroy(cursor->iterator);
    rocksdb_readoptions_destroy(cursor->options);
    free(cursor);
}

static Error rocks_write(Engine *engine, const EngineChange *changes, size_t count)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    rocksdb_writebatch_clear(rocks->batch);
    for (size_t i = 0; i < count; i++) {
        const EngineChange *change = &changes[i];
        if (change->value.data == NULL)
            rocksdb_writebatch_delete(rocks->batch, change->key.data, change->key.size);
        else
            rocksdb_writebatch_put(rocks->batch, change->key.data, change->key.size, change->value.data,
                                   change->value.size);
    }
    char *status = NULL;
    rocksdb_write(rocks->db, rocks->write_options, rocks->batch, &status);
    return status == NULL ? OK : error_of(status);
}

static Error rocks_sync(Engine *engine)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    char *status = NULL;
    rocksdb_flush_wal(rocks->db, 1, &status);
    return status == NULL ? OK : error_of(status);
}

static EngineSnapshot *rocks_snapshot_open(Engine *engine)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    EngineSnapshot *snapshot = malloc(sizeof *snapshot);
    ASSERT(snapshot != NULL);
    snapshot->snapshot = rocksdb_create_snapshot(rocks->db);
    for (ReadTier tier = READ_CACHED; tier <= READ_DISK; tier++)
        snapshot->options[tier] = read_options(snapshot->snapshot, tier);
    return snapshot;
}

static void rocks_snapshot_close(Engine *engine, EngineSnapshot *snapshot)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    for (ReadTier tier = READ_CACHED; tier <= READ_DISK; tier++)
        rocksdb_readoptions_destroy(snapshot->options[tier]);
    rocksdb_release_snapshot(rocks->db, snapshot->snapshot);
    free(snapshot);
}

static Error rocks_flush(Engine *engine)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    char *status = NULL;
    rocksdb_flush(rocks->db, rocks->flush_options, &status);
    return status == NULL ? OK : error_of(status);
}

static uint64_t rocks_log_bytes(Engine *engine)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    uint64_t bytes = 0;
    return rocksdb_property_int(rocks->db, "rocksdb.cur-size-active-mem-table", &bytes) == 0 ? bytes : 0;
}

static Error open_database(RocksEngine *rocks, char **status)
{
    *status = NULL;
    rocks->db = rocksdb_open(rocks->options, rocks->directory, status);
    return *status == NULL ? OK : meaning_of(*status);
}

static Error rocks_reopen(Engine *engine)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    char *status;
    if (rocks->db != NULL) /* NULL: it could not be opened the last time */
        rocksdb_close(rocks->db);
    Error error = open_database(rocks, &status);
    free(status);
    return error;
}

static void rocks_close(Engine *engine)
{
    RocksEngine *rocks = (RocksEngine *)engine;
    if (rocks->db != NULL)
        rocksdb_close(rocks->db);
    rocksdb_writebatch_destroy(rocks->batch);
    for (ReadTier tier = READ_CACHED; tier <= READ_DISK; tier++)
        rocksdb_readoptions_destroy(rocks->latest[tier]);
    rocksdb_flushoptions_destroy(rocks->flush_options);
    rocksdb_writeoptions_destroy(rocks->write_options);
    rocksdb_options_destroy(rocks->options);
    rocksdb_block_based_options_destroy(rocks->table_options);
    rocksdb_cache_destroy(rocks->cache);
    free(rocks->directory);
    free(rocks);
}

static void set_table_options(RocksEngine *rocks, uint64_t cache_bytes)
{
    /* Few shards: a table's filter must fit into one, else it is read again for each key. */
    rocksdb_lru_cache_options_t *cache_options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(cache_options, (size_t)cache_bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(cache_options, CACHE_SHARD_BITS);
    rocks->cache = rocksdb_cache_create_lru_opts(cache_options);
    rocksdb_lru_cache_options_destroy(cache_options);
    rocks->table_options = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(rocks->table_options, rocks->cache);
    rocksdb_block_based_options_set_block_size(rocks->table_options, BLOCK_BYTES);
    rocksdb_block_based_options_set_filter_policy(rocks->table_options,
                                                  rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    /* Indexes and filters count against the cache, so that memory does not grow with what is stored. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(rocks->table_options, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(rocks->table_options, 1);
    rocksdb_options_set_block_based_table_factory(rocks->options, rocks->table_options);
}

/* Of a write buffer: 80 KiB of 4 MiB, ten bits for each of 60 000 keys. */
static const double MEMTABLE_BLOOM_SHARE = 0.02;

static void set_options(RocksEngine *rocks)
{
    rocksdb_options_t *options = rocks->options;
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_manual_wal_flush(options, 1);
    /* Replays up to the first record that is not whole: all that was synced lies before it. */
    rocksdb_options_set_wal_recovery_mode(options, 2 /* kPointInTimeRecovery */);
    rocksdb_options_set_write_buffer_size(options, WRITE_BUFFER_BYTES);
    rocksdb_options_set_max_write_buffer_number(options, 3);
    /* What is mostly not there (a deduplication id) is not searched for. */
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, MEMTABLE_BLOOM_SHARE);
    rocksdb_options_set_memtable_whole_key_filtering(options, 1);
    rocksdb_options_set_max_total_wal_size(options, WRITE_BUFFER_BYTES);
    rocksdb_options_set_arena_block_size(options, 256 << 10);
    rocksdb_options_set_max_background_jobs(options, 2);
    rocksdb_options_set_max_open_files(options, OPEN_FILES);
    rocksdb_options_set_max_file_opening_threads(options, 1);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_skip_checking_sst_file_sizes_on_db_open(options, 1);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    /* One thread writes. */
    rocksdb_options_set_allow_concurrent_memtable_write(options, 0);
    rocksdb_options_set_enable_write_thread_adaptive_yield(options, 0);
    rocksdb_options_set_bytes_per_sync(options, 1 << 20);
    /* Debian's build asserts on log lines of a full disk below this level (design, section 12). */
    rocksdb_options_set_info_log_level(options, 4 /* FATAL_LEVEL */);
    rocksdb_options_set_keep_log_file_num(options, 1);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
}

Error engine_rocksdb_open(const char *directory, uint64_t cache_bytes, Arena *arena, Engine **engine, Slice *message)
{
    static const EngineOperations operations = {
        .get = rocks_get,
        .scan = rocks_scan,
        .cursor_next = rocks_cursor_next,
        .cursor_close = rocks_cursor_close,
        .write = rocks_write,
        .sync = rocks_sync,
        .snapshot_open = rocks_snapshot_open,
        .snapshot_close = rocks_snapshot_close,
        .flush = rocks_flush,
        .reopen = rocks_reopen,
        .log_bytes = rocks_log_bytes,
        .close = rocks_close,
    };
    RocksEngine *rocks = calloc(1, sizeof *rocks);
    ASSERT(rocks != NULL);
    rocks->engine.operations = &operations;
    rocks->directory = strdup(directory);
    rocks->options = rocksdb_options_create();
    set_options(rocks);
    set_table_options(rocks, cache_bytes);
    rocks->write_options = rocksdb_writeoptions_create();
    rocks->flush_options = rocksdb_flushoptions_create();
    for (ReadTier tier = READ_CACHED; tier <= READ_DISK; tier++)
        rocks->latest[tier] = read_options(NULL, tier);
    rocks->batch = rocksdb_writebatch_create();
    char *status;
    Error error = open_database(rocks, &status);
    if (error != OK) {
        *message = arena_copy(arena, slice_of_string(status));
        free(status);
        rocks_close(&rocks->engine);
        return error;
    }
    *engine = &rocks->engine;
    return OK;
}

void engine_rocksdb_destroy(const char *directory)
{
    rocksdb_options_t *options = rocksdb_options_create();
    char *status = NULL;
    rocksdb_destroy_db(options, directory, &status);
    free(status);
    rocksdb_options_destroy(options);
}

/* RocksDB's C API does not tell its version. */
Slice engine_rocksdb_library(Arena *arena)
{
    Dl_info of_library;
    Dl_info of_ours;
    if (dladdr((void *)(uintptr_t)rocksdb_open, &of_library) == 0 ||
        dladdr((void *)(uintptr_t)engine_rocksdb_library, &of_ours) == 0 || of_library.dli_fbase == of_ours.dli_fbase)
        return (Slice){0};
    char *path = realpath(of_library.dli_fname, NULL);
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    Slice name = arena_copy(arena, slice_of_string(slash == NULL ? of_library.dli_fname : slash + 1));
    free(path);
    return name;
}

/* The engine of the simulator: a skip list of keys, each with its versions, newest first. What was written since the
 * last sync can be lost on demand. Keys stay in the list when they are deleted: a simulation is short. */
#include "store/engine.h"

#include "base/bug.h"
#include "base/list.h"

#include <pthread.h>
#include <stdlib.h>

enum { LEVELS = 16 };

typedef struct Version {
    struct Version *older;
    uint64_t batch;
    bool deleted;
    size_t size;
    char bytes[];
} Version;

typedef struct Node {
    Version *newest;
    Slice key;
    unsigned levels;
    struct Node *next[];
} Node;

struct EngineSnapshot {
    ListNode link;
    uint64_t batch;
};

typedef struct MemoryEngine {
    Engine engine;
    pthread_mutex_t mutex;
    Node *head;
    uint64_t random;
    uint64_t written; /* the newest batch */
    uint64_t synced;  /* the newest durable batch */
    List snapshots;
    Error write_error;
    Error sync_error;
} MemoryEngine;

struct EngineCursor {
    MemoryEngine *memory;
    uint64_t batch;
    bool backward;
    bool started;
    Slice begin;
    Slice end;
    Slice at; /* the last key given, or the end to start from */
    Arena arena;
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static Node *node_new(Slice key, unsigned levels)
{
    Node *node = calloc(1, sizeof(Node) + levels * sizeof(Node *) + key.size + 1);
    ASSERT(node != NULL);
    node->levels = levels;
    char *bytes = (char *)&node->next[levels];
    if (key.size > 0)
        memcpy(bytes, key.data, key.size);
    node->key = slice_make(bytes, key.size);
    return node;
}

/* The last node before `key` on each level. */
static Node *find_before(MemoryEngine *memory, Slice key, Node *before[LEVELS])
{
    Node *node = memory->head;
    for (unsigned level = LEVELS; level-- > 0;) {
        while (node->next[level] != NULL && slice_compare(node->next[level]->key, key) < 0)
            node = node->next[level];
        before[level] = node;
    }
    return node;
}

static const Version *version_at(const Node *node, uint64_t batch)
{
    const Version *version = node->newest;
    while (version != NULL && version->batch > batch)
        version = version->older;
    return version == NULL || version->deleted ? NULL : version;
}

static uint64_t batch_of(MemoryEngine *memory, EngineSnapshot *snapshot)
{
    return snapshot == NULL ? memory->written : snapshot->batch;
}

static Error memory_get(Engine *engine, EngineSnapshot *snapshot, ReadTier tier, Slice key, Arena *arena, Slice *value)
{
    (void)tier;
    MemoryEngine *memory = (MemoryEngine *)engine;
    pthread_mutex_lock(&memory->mutex);
    Node *before[LEVELS];
    Node *node = find_before(memory, key, before)->next[0];
    const Version *version =
        node != NULL && slice_equal(node->key, key) ? version_at(node, batch_of(memory, snapshot)) : NULL;
    *value = version == NULL ? (Slice){0} : arena_copy(arena, slice_make(version->bytes, version->size));
    pthread_mutex_unlock(&memory->mutex);
    return OK;
}

static EngineCursor *memory_scan(Engine *engine, EngineSnapshot *snapshot, ReadTier tier, Slice begin, Slice end,
                                 bool backward)
{
    (void)tier;
    MemoryEngine *memory = (MemoryEngine *)engine;
    EngineCursor *cursor = calloc(1, sizeof *cursor);
    ASSERT(cursor != NULL);
    pthread_mutex_lock(&memory->mutex);
    cursor->batch = batch_of(memory, snapshot);
    pthread_mutex_unlock(&memory->mutex);
    cursor->memory = memory;
    cursor->backward = backward;
    cursor->begin = arena_copy(&cursor->arena, begin);
    cursor->end = end.data == NULL ? end : arena_copy(&cursor->arena, end);
    return cursor;
}

/* The next node in the cursor's direction, whether or not it has a version to see. */
static Node *step(EngineCursor *cursor)
{
    Node *before[LEVELS];
    MemoryEngine *memory = cursor->memory;
    if (cursor->backward) {
        Slice limit = cursor->started ? cursor->at : cursor->end;
        Node *node;
        if (limit.data == NULL) {
            node = memory->head;
            for (unsigned level = LEVELS; level-- > 0;)
                while (node->next[level] != NULL)
                    node = node->next[level];
        } else {
            node = find_before(memory, limit, before);
        }
        return node == memory->head || slice_compare(node->key, cursor->begin) < 0 ? NULL : node;
    }
    Node *node = find_before(memory, cursor->started ? cursor->at : cursor->begin, before)->next[0];
    if (cursor->started && node != NULL && slice_equal(node->key, cursor->at))
        node = node->next[0];
    bool past = node != NULL && cursor->end.data != NULL && slice_compare(node->key, cursor->end) >= 0;
    return past ? NULL : node;
}

static Error memory_cursor_next(EngineCursor *cursor, Slice *key, Slice *value)
{
    pthread_mutex_lock(&cursor->memory->mutex);
    *key = *value = (Slice){0};
    for (Node *node = step(cursor); node != NULL; node = step(cursor)) {
        cursor->started = true;
        cursor->at = node->key; /* nodes are never freed while the engine is open */
        const Version *version = version_at(node, cursor->batch);
        if (version != NULL) {
            *key = node->key;
            *value = arena_copy(&cursor->arena, slice_make(version->bytes, version->size));
            break;
        }
    }
    pthread_mutex_unlock(&cursor->memory->mutex);
    return OK;
}

static void memory_cursor_close(EngineCursor *cursor)
{
    arena_free(&cursor->arena);
    free(cursor);
}

/* Frees the versions that no snapshot, no crash and no reader of the latest state can see any more. */
static void prune(MemoryEngine *memory, Node *node)
{
    uint64_t oldest = memory->synced;
    LIST_FOR_EACH(&memory->snapshots, link)
    {
        EngineSnapshot *snapshot = CONTAINER_OF(link, EngineSnapshot, link);
        if (snapshot->batch < oldest)
            oldest = snapshot->batch;
    }
    Version *version = node->newest;
    while (version != NULL && version->batch > oldest)
        version = version->older;
    if (version == NULL)
        return;
    Version *unseen = version->older;
    version->older = NULL;
    while (unseen != NULL) {
        Version *older = unseen->older;
        free(unseen);
        unseen = older;
    }
}

static void apply(MemoryEngine *memory, const EngineChange *change)
{
    Node *before[LEVELS];
    Node *node = find_before(memory, change->key, before)->next[0];
    if (node == NULL || !slice_equal(node->key, change->key)) {
        unsigned levels = 1 + (unsigned)__builtin_ctzll(next_random(&memory->random) | 1ull << 40) / 2;
        node = node_new(change->key, levels < LEVELS ? levels : LEVELS);
        for (unsigned level = 0; level < node->levels; level++) {
            node->next[level] = before[level]->next[level];
            before[level]->next[level] = node;
        }
    }
    Version *version = malloc(sizeof *version + change->value.size + 1);
    ASSERT(version != NULL);
    *version = (Version){node->newest, memory->written, change->value.data == NULL, change->value.size};
    if (change->value.size > 0)
        memcpy(version->bytes, change->value.data, change->value.size);
    node->newest = version;
    prune(memory, node);
}

static Error memory_write(Engine *engine, const EngineChange *changes, size_t count)
{
    MemoryEngine *memory = (MemoryEngine *)engine;
    pthread_mutex_lock(&memory->mutex);
    Error error = memory->write_error;
    if (error == OK) {
        memory->written++;
        for (size_t i = 0; i < count; i++)
            apply(memory, &changes[i]);
    }
    pthread_mutex_unlock(&memory->mutex);
    return error;
}

static Error memory_sync(Engine *engine)
{
    MemoryEngine *memory = (MemoryEngine *)engine;
    pthread_mutex_lock(&memory->mutex);
    Error error = memory->sync_error;
    if (error == OK)
        memory->synced = memory->written;
    pthread_mutex_unlock(&memory->mutex);
    return error;
}

static EngineSnapshot *memory_snapshot_open(Engine *engine)
{
    MemoryEngine *memory = (MemoryEngine *)engine;
    EngineSnapshot *snapshot = malloc(sizeof *snapshot);
    ASSERT(snapshot != NULL);
    pthread_mutex_lock(&memory->mutex);
    snapshot->batch = memory->written;
    list_push_back(&memory->snapshots, &snapshot->link);
    pthread_mutex_unlock(&memory->mutex);
    return snapshot;
}

static void memory_snapshot_close(Engine *engine, EngineSnapshot *snapshot)
{
    MemoryEngine *memory = (MemoryEngine *)engine;
    pthread_mutex_lock(&memory->mutex);
    list_remove(&snapshot->link);
    pthread_mutex_unlock(&memory->mutex);
    free(snapshot);
}

static void drop_after(MemoryEngine *memory, uint64_t batch)
{
    for (Node *node = memory->head->next[0]; node != NULL; node = node->next[0]) {
        while (node->newest != NULL && node->newest->batch > batch) {
            Version *dropped = node->newest;
            node->newest = dropped->older;
            free(dropped);
        }
    }
    memory->written = memory->synced = batch;
}

void engine_memory_crash(Engine *engine, uint64_t seed)
{
    MemoryEngine *memory = (MemoryEngine *)engine;
    ASSERT(list_is_empty(&memory->snapshots));
    uint64_t state = seed | 1;
    drop_after(memory, memory->synced + next_random(&state) % (memory->written - memory->synced + 1));
}

void engine_memory_fail(Engine *engine, Error write_error, Error sync_error)
{
    MemoryEngine *memory = (MemoryEngine *)engine;
    pthread_mutex_lock(&memory->mutex);
    memory->write_error = write_error;
    memory->sync_error = sync_error;
    pthread_mutex_unlock(&memory->mutex);
}

static Error memory_flush(Engine *engine)
{
    (void)engine;
    return OK;
}

static Error memory_reopen(Engine *engine)
{
    MemoryEngine *memory = (MemoryEngine *)engine;
    ASSERT(list_is_empty(&memory->snapshots));
    drop_after(memory, memory->synced);
    return OK;
}

static uint64_t memory_log_bytes(Engine *engine)
{
    (void)engine;
    return 0;
}

static void memory_close(Engine *engine)
{
    MemoryEngine *memory = (MemoryEngine *)engine;
    for (Node *node = memory->head; node != NULL;) {
        Node *next = node->next[0];
        for (Version *version = node->newest; version != NULL;) {
            Version *older = version->older;
            free(version);
            version = older;
        }
        free(node);
        node = next;
    }
    pthread_mutex_destroy(&memory->mutex);
    free(memory);
}

static const EngineOperations memory_operations = {
    .get = memory_get,
    .scan = memory_scan,
    .cursor_next = memory_cursor_next,
    .cursor_close = memory_cursor_close,
    .write = memory_write,
    .sync = memory_sync,
    .snapshot_open = memory_snapshot_open,
    .snapshot_close = memory_snapshot_close,
    .flush = memory_flush,
    .reopen = memory_reopen,
    .log_bytes = memory_log_bytes,
    .close = memory_close,
};

Engine *engine_memory_open(void)
{
    MemoryEngine *memory = calloc(1, sizeof *memory);
    ASSERT(memory != NULL);
    memory->engine.operations = &memory_operations;
    pthread_mutex_init(&memory->mutex, NULL);
    memory->head = node_new((Slice){0}, LEVELS);
    memory->random = 0x9E3779B97F4A7C15u;
    list_init(&memory->snapshots);
    return &memory->engine;
}

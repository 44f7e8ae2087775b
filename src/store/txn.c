#include "store/store_internal.h"

#include "base/bug.h"

/* A scan longer than this leaves the loop for the reader pool (design, section 4). */
enum { LOOP_SCAN_BYTES = 64 << 10 };

/* Merges the engine's entries with the transaction's own. Both sides are looked ahead by one. */
struct Cursor {
    Txn *txn;
    Cursor *next_open;
    EngineCursor *engine;
    KeyRange range;
    bool backward;
    bool engine_ahead; /* engine_key holds an entry (or the end) not yet given */
    Slice engine_key;
    Slice engine_value;
    WriteNode *node; /* the next of the set's; NULL: none */
    Slice last_key;  /* given last, to find the next of the set's when walking backward */
};

/* ---- Points ---- */

Error txn_get(Txn *txn, Slice key, Slice *value, bool *found)
{
    if (txn->set != NULL) {
        const WriteNode *node = writeset_find(txn->set, key);
        if (node != NULL && node->state != WRITE_NONE) {
            *found = node->state == WRITE_PUT;
            *value = *found ? node->value : (Slice){0};
            return OK;
        }
    }
    Engine *engine = txn->store->engine;
    Hotset *hot = txn->set == NULL ? NULL : &txn->store->writer.hot;
    if (hot != NULL && hotset_get(hot, key, value)) {
        if (value->data != NULL)
            *value = arena_copy(txn->arena, *value);
    } else {
        TRY(engine->operations->get(engine, txn->snapshot, txn->tier, key, txn->arena, value));
        if (hot != NULL)
            hotset_add(hot, key, *value);
    }
    *found = value->data != NULL;
    return OK;
}

/* Counts a change against the transaction's bounds. */
static void count_change(Txn *txn)
{
    const Limits *limits = &txn->store->limits;
    if (txn->set->undo_count - txn->first_undo > limits->value[LIMIT_STORE_TXN_KEYS] ||
        txn->set->bytes - txn->first_bytes > limits->value[LIMIT_STORE_TXN_BYTES])
        txn->error = ERROR_TOO_LARGE;
}

void txn_put(Txn *txn, Slice key, Slice value)
{
    ASSERT(txn->set != NULL);
    if (txn->error != OK)
        return;
    writeset_put(txn->set, key, value);
    count_change(txn);
}

void txn_delete(Txn *txn, Slice key)
{
    ASSERT(txn->set != NULL);
    if (txn->error != OK)
        return;
    writeset_delete(txn->set, key);
    count_change(txn);
}

/* ---- Ranges ---- */

Cursor *txn_scan(Txn *txn, KeyRange range, ScanOrder order)
{
    Cursor *cursor = ARENA_NEW(txn->arena, Cursor);
    Engine *engine = txn->store->engine;
    cursor->txn = txn;
    cursor->range = range;
    cursor->backward = order == SCAN_BACKWARD;
    cursor->engine =
        engine->operations->scan(engine, txn->snapshot, txn->tier, range.begin, range.end, cursor->backward);
    if (txn->set != NULL)
        cursor->node =
            cursor->backward ? writeset_before(txn->set, range.end) : writeset_at_or_after(txn->set, range.begin);
    cursor->next_open = txn->cursors;
    txn->cursors = cursor;
    return cursor;
}

void cursor_close(Cursor *cursor)
{
    if (cursor->engine == NULL)
        return;
    cursor->txn->store->engine->operations->cursor_close(cursor->engine);
    cursor->engine = NULL;
}

static bool in_range(const Cursor *cursor, Slice key)
{
    return cursor->backward ? slice_compare(key, cursor->range.begin) >= 0 : slice_compare(key, cursor->range.end) < 0;
}

static void step_node(Cursor *cursor)
{
    cursor->node = cursor->backward ? writeset_before(cursor->txn->set, cursor->node->key) : cursor->node->next[0];
}

/* The set's next entry that counts: in the range and not undone. */
static WriteNode *next_node(Cursor *cursor)
{
    while (cursor->node != NULL && cursor->node->state == WRITE_NONE)
        step_node(cursor);
    return cursor->node != NULL && in_range(cursor, cursor->node->key) ? cursor->node : NULL;
}

static Error look_ahead(Cursor *cursor)
{
    if (cursor->engine_ahead)
        return OK;
    Engine *engine = cursor->txn->store->engine;
    TRY(engine->operations->cursor_next(cursor->engine, &cursor->engine_key, &cursor->engine_value));
    cursor->engine_ahead = true;
    cursor->txn->scanned_bytes += cursor->engine_key.size + cursor->engine_value.size;
    if (cursor->txn->tier == READ_CACHED && cursor->txn->scanned_bytes > LOOP_SCAN_BYTES)
        return ERROR_MISS;
    return OK;
}

Error cursor_next(Cursor *cursor, Slice *key, Slice *value)
{
    for (;;) {
        TRY(look_ahead(cursor));
        WriteNode *node = cursor->txn->set == NULL ? NULL : next_node(cursor);
        bool engine_has = cursor->engine_key.data != NULL;
        int order = 1; /* of the engine's key against the set's, in the direction of the walk */
        if (engine_has && node != NULL)
            order = slice_compare(cursor->engine_key, node->key) * (cursor->backward ? -1 : 1);
        else if (engine_has)
            order = -1;
        if (order < 0) {
            *key = cursor->engine_key;
            *value = cursor->engine_value;
            cursor->engine_ahead = false;
            return OK;
        }
        if (node == NULL) {
            *key = *value = (Slice){0};
            return OK;
        }
        if (order == 0 && engine_has)
            cursor->engine_ahead = false; /* the set's entry hides the engine's */
        step_node(cursor);
        if (node->state == WRITE_PUT) {
            *key = node->key;
            *value = node->value;
            return OK;
        }
    }
}

/* ---- Savepoints, clock, chance ---- */

Savepoint txn_savepoint(Txn *txn)
{
    return writeset_mark(txn->set);
}

void txn_rollback(Txn *txn, Savepoint savepoint)
{
    ASSERT(savepoint >= txn->first_undo);
    writeset_undo(txn->set, savepoint);
}

uint64_t txn_now(const Txn *txn)
{
    return txn->now_ms;
}

void txn_random_bytes(Txn *txn, void *bytes, size_t size)
{
    os_random(txn->store->os, bytes, size);
}

uint64_t txn_random(Txn *txn)
{
    uint64_t bits;
    txn_random_bytes(txn, &bits, sizeof bits);
    return bits;
}

Error txn_new_number(Txn *txn, uint64_t *number)
{
    Slice key = meta_key(txn->arena, SLICE("number"));
    Slice value;
    bool found;
    uint8_t schema;
    uint64_t last = 0;
    TRY(txn_get(txn, key, &value, &found));
    if (found) {
        TRY(value_take_schema(&value, &schema));
        TRY(value_take_uint64(&value, &last));
    }
    *number = last + 1;
    Buffer next = value_start(txn->arena, 1);
    value_add_uint64(&next, *number);
    txn_put(txn, key, buffer_slice(&next));
    return OK;
}

Arena *txn_arena(Txn *txn)
{
    return txn->arena;
}

const Limits *txn_limits(const Txn *txn)
{
    return &txn->store->limits;
}

Slice txn_directory(const Txn *txn)
{
    return txn->store->directory == NULL ? SLICE("") : slice_of_string(txn->store->directory);
}

/* ---- Waiting ---- */

Error txn_wait(Txn *txn, KeyRange range, uint64_t wait_ms)
{
    ASSERT(txn->set != NULL && !txn->call->timed_out);
    txn->wait_range = range;
    txn->wait_ms = wait_ms;
    return ERROR_WAIT;
}

bool txn_timed_out(const Txn *txn)
{
    return txn->call->timed_out;
}

void txn_took(Txn *txn, size_t keys)
{
    txn->took = keys;
}

/* ---- Running ---- */

Error txn_run(Txn *txn, StoreCall *call)
{
    arena_rewind(call->arena, call->mark);
    txn->call = call;
    txn->error = OK;
    txn->took = 1;
    txn->scanned_bytes = 0;
    txn->cursors = NULL;
    txn->now_ms = store_now(txn->store);
    if (txn->set != NULL) {
        txn->first_undo = writeset_mark(txn->set);
        txn->first_bytes = txn->set->bytes;
    }
    Error error = call->body(txn, call);
    if (error == OK)
        error = txn->error;
    while (txn->cursors != NULL) {
        cursor_close(txn->cursors);
        txn->cursors = txn->cursors->next_open;
    }
    if (error != OK && txn->set != NULL)
        writeset_undo(txn->set, txn->first_undo);
    return error;
}

#include "core/queue_records.h"

/* What a queue remembers for QUEUE_DEDUP_MS: what was sent under a deduplication id, and what was received under an
 * attempt's id.
 *
 * A record's key tells the bucket of time in which it was put, as long as the window: a look-up reads this bucket and
 * the one before, and checks the exact time. Each bucket has one timer, which deletes it in pages when all that it holds
 * has passed. So a send costs one put and two look-ups of what mostly is not there, and no timer of its own. */

enum { REMEMBERED_SCHEMA = 1 };

static uint64_t bucket_of(uint64_t now_ms)
{
    return now_ms / QUEUE_DEDUP_MS + 1; /* 0 is none */
}

static Buffer bucket_key(Txn *txn, Slice prefix, uint64_t epoch, uint64_t bucket)
{
    Buffer key = buffer_make(txn_arena(txn));
    buffer_add(&key, prefix);
    key_add_tag(&key, QUEUE_TAG_REMEMBERED);
    key_add_uint64(&key, epoch);
    key_add_uint64(&key, bucket);
    return key;
}

static Slice record_key(Txn *txn, Slice prefix, uint64_t epoch, uint64_t bucket, RememberedKind kind, const Slice *ids,
                        size_t id_count)
{
    Buffer key = bucket_key(txn, prefix, epoch, bucket);
    key_add_tag(&key, (char)kind);
    for (size_t i = 0; i < id_count; i++)
        key_add_string(&key, ids[i]);
    return buffer_slice(&key);
}

/* ---- Records ---- */

Error queue_remembered_get(Txn *txn, Slice prefix, const QueueState *state, RememberedKind kind, const Slice *ids,
                           size_t id_count, Slice *value, bool *found)
{
    uint64_t now_ms = txn_now(txn);
    *found = false;
    for (uint64_t back = 0; back < 2; back++) {
        uint64_t bucket = bucket_of(now_ms) - back;
        uint8_t schema;
        uint64_t put_ms;
        if (bucket != state->bucket && bucket != state->earlier_bucket)
            continue;
        TRY(txn_get(txn, record_key(txn, prefix, state->epoch, bucket, kind, ids, id_count), value, found));
        if (!*found)
            continue;
        TRY(value_take_schema(value, &schema));
        if (schema != REMEMBERED_SCHEMA)
            return ERROR_FORMAT;
        TRY(value_take_uint64(value, &put_ms));
        *found = now_ms < put_ms + QUEUE_DEDUP_MS;
        return OK;
    }
    return OK;
}

static void bucket_timer_set(Txn *txn, Slice prefix, Home home, Slice bucket, uint64_t due_ms, Slice resume)
{
    Buffer value = queue_timer_value(txn, prefix);
    value_add_uint64(&value, home);
    value_add_bytes(&value, resume);
    txn_timer_set(txn, TIMER_QUEUE, home, due_ms, bucket, buffer_slice(&value));
}

void queue_remembered_put(Txn *txn, const Queue *queue, QueueState *state, RememberedKind kind, const Slice *ids,
                          size_t id_count, const Buffer *content)
{
    uint64_t bucket = bucket_of(txn_now(txn));
    if (state->bucket != bucket) {
        Buffer key = bucket_key(txn, queue->prefix, state->epoch, bucket);
        bucket_timer_set(txn, queue->prefix, queue->home, buffer_slice(&key), (bucket + 1) * QUEUE_DEDUP_MS,
                         (Slice){0});
        state->earlier_bucket = state->bucket;
        state->bucket = bucket;
    }
    Buffer value = value_start(txn_arena(txn), REMEMBERED_SCHEMA);
    value_add_uint64(&value, txn_now(txn));
    buffer_add(&value, buffer_slice(content));
    txn_put(txn, record_key(txn, queue->prefix, state->epoch, bucket, kind, ids, id_count), buffer_slice(&value));
}

Error queue_remembered_due(Txn *txn, Slice prefix, Slice id, Slice value)
{
    Home home;
    Slice resume;
    TRY(value_take_uint64(&value, &home));
    TRY(value_take_bytes(&value, &resume));
    KeyRange range = key_range_of_prefix(txn_arena(txn), id);
    if (resume.size > 0)
        range.begin = resume;
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    Slice key = {0};
    Slice record;
    Error error = OK;
    size_t left = QUEUE_PAGE_WORK;
    while (left > 0 && (error = cursor_next(cursor, &key, &record)) == OK && key.data != NULL) {
        txn_delete(txn, key);
        left -= 1;
        resume = left == 0 ? arena_copy(txn_arena(txn), key) : resume;
    }
    cursor_close(cursor);
    if (error == OK && left == 0)
        bucket_timer_set(txn, prefix, home, id, txn_now(txn), resume);
    return error;
}

/* ---- Deduplication ---- */

/* The ids under which a message is known: its group's too where they are told apart by it. */
static size_t dedup_ids(const Queue *queue, const Message *message, Slice ids[2])
{
    ids[0] = message->dedup_id;
    ids[1] = message->group;
    return queue->settings.dedup_per_group ? 2 : 1;
}

Error queue_dedup_find(Txn *txn, const Queue *queue, const QueueState *state, const Message *message, QueueSent *first,
                       bool *found)
{
    Slice ids[2];
    Slice value;
    Slice id;
    size_t count = dedup_ids(queue, message, ids);
    TRY(queue_remembered_get(txn, queue->prefix, state, REMEMBERED_SENT, ids, count, &value, found));
    if (!*found)
        return OK;
    TRY(value_take_uint64(&value, &first->sequence));
    TRY(value_take_bytes(&value, &id));
    if (id.size != sizeof(first->id.bytes))
        return ERROR_MALFORMED;
    memcpy(first->id.bytes, id.data, sizeof(first->id.bytes));
    return OK;
}

void queue_dedup_keep(Txn *txn, const Queue *queue, QueueState *state, const Message *message, const QueueSent *sent)
{
    Slice ids[2];
    size_t count = dedup_ids(queue, message, ids);
    Buffer content = buffer_make(txn_arena(txn));
    value_add_uint64(&content, sent->sequence);
    value_add_bytes(&content, slice_make(sent->id.bytes, sizeof(sent->id.bytes)));
    queue_remembered_put(txn, queue, state, REMEMBERED_SENT, ids, count, &content);
}

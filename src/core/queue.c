#include "core/mapping.h"
#include "core/queue_records.h"

#include "base/bug.h"

Home queue_home(const Actor *actor, Slice name)
{
    return home_of(actor->account, actor->region, SLICE("queue"), name);
}

static Slice record_key_of(Txn *txn, const Actor *actor, Slice name)
{
    Buffer key = key_start(txn_arena(txn), actor->account, actor->region, KIND_QUEUE_NAME);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

static Slice prefix_of(Txn *txn, const Actor *actor, uint64_t number)
{
    Buffer prefix = key_start(txn_arena(txn), actor->account, actor->region, KIND_QUEUE);
    key_add_uint64(&prefix, number);
    return buffer_slice(&prefix);
}

static void fill(Txn *txn, const Actor *actor, Slice name, Slice key, const QueueRecord *record, Queue *queue)
{
    *queue = (Queue){
        .account = actor->account,
        .region = actor->region,
        .name = name,
        .number = record->number,
        .settings = record->settings,
        .created_ms = record->created_ms,
        .modified_ms = record->modified_ms,
        .home = queue_home(actor, name),
        .record_key = key,
        .prefix = prefix_of(txn, actor, record->number),
    };
}

Error queue_create(Txn *txn, const Actor *actor, Slice name, const QueueSettings *settings, Queue *queue)
{
    Slice key = record_key_of(txn, actor, name);
    QueueRecord record;
    bool found;
    TRY(queue_record_get(txn, key, &record, &found));
    if (found && !record.deleted)
        return QUEUE_EXISTS;
    if (found && txn_now(txn) < record.deleted_ms + QUEUE_NAME_REST_MS)
        return QUEUE_DELETED_RECENTLY;

    record = (QueueRecord){.settings = *settings, .created_ms = txn_now(txn), .modified_ms = txn_now(txn)};
    TRY(txn_new_number(txn, &record.number));
    queue_record_put(txn, key, &record);
    fill(txn, actor, name, key, &record, queue);
    queue_source_index(txn, queue, (Slice){0}, settings->dead_letter_queue);
    /* Sequence numbers and turns begin at 1: a bound of 0 means none. */
    QueueState state = {.next_seq = 1, .next_new = 1, .lease_low = 1, .again_head = 1, .again_next = 1};
    queue_state_without_groups(&state);
    state.fifo = settings->fifo;
    queue_state_put(txn, queue->prefix, &state);
    return mapping_source_changed(txn, MAPPING_QUEUE, queue->account, queue->region, queue->name);
}

Error queue_open(Txn *txn, const Actor *actor, Slice name, Queue *queue)
{
    Slice key = record_key_of(txn, actor, name);
    QueueRecord record;
    bool found;
    TRY(queue_record_get(txn, key, &record, &found));
    if (!found || record.deleted)
        return QUEUE_NOT_FOUND;
    fill(txn, actor, name, key, &record, queue);
    return OK;
}

Error queue_open_neighbour(Txn *txn, const Queue *queue, Slice name, Queue *neighbour)
{
    return queue_open(txn, &(Actor){.account = queue->account, .region = queue->region}, name, neighbour);
}

/* The keys of all names that begin with `prefix`. A stored string ends with two bytes of its own (store/key.h), without
 * which it is the beginning of the longer ones. */
static KeyRange names_range(Txn *txn, const Actor *actor, Slice prefix, Slice after)
{
    Slice first = record_key_of(txn, actor, prefix);
    first.size -= 2;
    KeyRange range = key_range_of_prefix(txn_arena(txn), first);
    if (after.data != NULL) {
        Buffer begin = buffer_make(txn_arena(txn));
        buffer_add(&begin, record_key_of(txn, actor, after));
        buffer_add_byte(&begin, 0); /* the first key behind it */
        if (slice_compare(buffer_slice(&begin), range.begin) > 0)
            range.begin = buffer_slice(&begin);
    }
    return range;
}

Error queue_list(Txn *txn, const Actor *actor, Slice prefix, Slice after, size_t max, QueueNames *names)
{
    Arena *arena = txn_arena(txn);
    size_t head = key_start(arena, actor->account, actor->region, KIND_QUEUE_NAME).size;
    *names = (QueueNames){.items = ARENA_ARRAY(arena, Slice, max)};

    Cursor *cursor = txn_scan(txn, names_range(txn, actor, prefix, after), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        QueueRecord record;
        if ((error = queue_record_parse(value, arena, &record)) != OK)
            break;
        if (record.deleted)
            continue;
        if (names->count == max) {
            names->more = true;
            break;
        }
        key = slice_skip(key, head);
        Slice name;
        if ((error = key_take_string(&key, arena, &name)) != OK)
            break;
        names->items[names->count++] = arena_copy(arena, name);
    }
    cursor_close(cursor);
    return error;
}

static void put_record(Txn *txn, const Queue *queue)
{
    queue_record_put(txn, queue->record_key,
                     &(QueueRecord){.number = queue->number,
                                    .settings = queue->settings,
                                    .created_ms = queue->created_ms,
                                    .modified_ms = queue->modified_ms});
}

void queue_retag(Txn *txn, Queue *queue, QueueLabels tags)
{
    queue->settings.tags = tags;
    put_record(txn, queue);
}

Error queue_change(Txn *txn, Queue *queue, const QueueSettings *settings)
{
    bool other_retention = settings->retention_ms != queue->settings.retention_ms;
    bool other_delay = settings->delay_ms != queue->settings.delay_ms;
    ASSERT(settings->fifo == queue->settings.fifo);
    queue_source_index(txn, queue, queue->settings.dead_letter_queue, settings->dead_letter_queue);
    queue->settings = *settings;
    queue->modified_ms = txn_now(txn);
    put_record(txn, queue);
    if (other_delay && settings->fifo)
        queue_retime_start(txn, queue);
    if (!other_retention)
        return OK;

    QueueState state;
    TRY(queue_state_get(txn, queue->prefix, &state));
    if (state.sweep_due_ms != 0)
        queue_sweep_at(txn, queue, &state, txn_now(txn)); /* it finds out when it is due next */
    queue_state_put(txn, queue->prefix, &state);
    return OK;
}

Error queue_count(Txn *txn, const Queue *queue, QueueCounts *counts)
{
    QueueState state;
    TRY(queue_state_get(txn, queue->prefix, &state));
    *counts = (QueueCounts){
        .visible = state.new_count + state.again_count + state.grouped_visible,
        .in_flight = state.in_flight,
        .delayed = state.delayed,
    };
    return OK;
}

/* The first key of a tag from `number` on; absent value: none. */
static Error first_of(Txn *txn, const Queue *queue, QueueTag tag, uint64_t number, uint64_t below, Slice *value)
{
    Slice key;
    Cursor *cursor = txn_scan(txn, queue_range(txn, queue->prefix, tag, number, below), SCAN_FORWARD);
    Error error = cursor_next(cursor, &key, value);
    if (error == OK && value->data != NULL)
        *value = arena_copy(txn_arena(txn), *value);
    cursor_close(cursor);
    return error;
}

Error queue_oldest(Txn *txn, const Queue *queue, uint64_t *sent_ms)
{
    QueueState state;
    Slice value;
    *sent_ms = 0;
    TRY(queue_state_get(txn, queue->prefix, &state));
    if (state.new_count > 0) {
        TRY(first_of(txn, queue, QUEUE_TAG_MESSAGE, state.next_new, state.next_seq, &value));
        if (value.data != NULL)
            TRY(queue_message_sent_ms(value, sent_ms));
    }
    if (state.again_count + state.in_flight + state.delayed == 0)
        return OK;
    TRY(first_of(txn, queue, QUEUE_TAG_LEASE, state.lease_low, state.next_seq, &value));
    Lease lease = {0};
    if (value.data != NULL)
        TRY(queue_lease_parse(value, &lease));
    if (value.data != NULL && (*sent_ms == 0 || lease.sent_ms < *sent_ms))
        *sent_ms = lease.sent_ms;
    return OK;
}

Error queue_drop(Txn *txn, const Queue *queue)
{
    QueueState state;
    TRY(queue_state_get(txn, queue->prefix, &state));
    queue_sweep_cancel(txn, queue, &state);
    queue_clear_start(txn, queue, &state);
    txn_delete(txn, queue_state_key(txn, queue->prefix));
    queue_source_index(txn, queue, queue->settings.dead_letter_queue, (Slice){0});
    TRY(queue_move_drop(txn, queue));

    uint64_t now_ms = txn_now(txn);
    queue_record_put(txn, queue->record_key, &(QueueRecord){.deleted = true, .deleted_ms = now_ms});
    queue_name_rest(txn, queue, now_ms + QUEUE_NAME_REST_MS);
    return mapping_source_changed(txn, MAPPING_QUEUE, queue->account, queue->region, queue->name);
}

Error queue_purge(Txn *txn, const Queue *queue)
{
    QueueState state;
    TRY(queue_state_get(txn, queue->prefix, &state));
    uint64_t now_ms = txn_now(txn);
    if (state.purged_ms != 0 && now_ms < state.purged_ms + QUEUE_PURGE_REST_MS)
        return QUEUE_PURGE_IN_PROGRESS;

    queue_sweep_cancel(txn, queue, &state);
    queue_clear_start(txn, queue, &state);
    state.purged_ms = now_ms;
    state.purged_below = state.next_seq;
    state.next_new = state.next_seq;
    state.lease_low = state.next_seq;
    state.again_head = state.again_next;
    state.new_count = state.again_count = state.in_flight = state.delayed = 0;
    state.epoch += 1;
    state.grouped_low = state.next_seq;
    state.grouped_count = state.grouped_visible = state.groups = 0;
    state.ring_head = state.ring_next;
    state.ring_count = 0;
    state.noisy_head = state.noisy_next;
    state.noisy_count = 0;
    state.bucket = state.earlier_bucket = 0;
    state.released = 0;
    queue_state_put(txn, queue->prefix, &state);
    return OK;
}

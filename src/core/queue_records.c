#include "core/queue_group.h"

#include "base/bug.h"

/* The first byte of each value; a change of form gets the next number, and its reader keeps the old ones. Schema 2 of
 * leases, messages and records adds members at the end: groups, deduplication, dead letters; so does that of states. */
enum { STATE_SCHEMA = 2, LEASE_SCHEMA = 2, MESSAGE_SCHEMA = 2, RECORD_SCHEMA = 2, TURN_SCHEMA = 1 };

enum { RECORD_LIVE = 0, RECORD_DELETED = 1 };

/* Schemas from 1 to `newest` can be read. */
static Error take_schema(Slice *value, uint8_t newest, uint8_t *schema)
{
    TRY(value_take_schema(value, schema));
    return *schema >= 1 && *schema <= newest ? OK : ERROR_FORMAT;
}

/* ---- Keys ---- */

static Buffer start_key(Txn *txn, Slice prefix, QueueTag tag)
{
    Buffer key = buffer_make(txn_arena(txn));
    buffer_reserve(&key, prefix.size + 10); /* a tag and a number */
    buffer_add(&key, prefix);
    key_add_tag(&key, (char)tag);
    return key;
}

Slice queue_key(Txn *txn, Slice prefix, QueueTag tag, uint64_t number)
{
    Buffer key = start_key(txn, prefix, tag);
    key_add_uint64(&key, number);
    return buffer_slice(&key);
}

Slice queue_state_key(Txn *txn, Slice prefix)
{
    Buffer key = start_key(txn, prefix, QUEUE_TAG_STATE);
    return buffer_slice(&key);
}

Error queue_key_number(Slice key, Slice prefix, uint64_t *number)
{
    char tag = 0;
    key = slice_skip(key, prefix.size);
    TRY(key_take_tag(&key, &tag));
    return key_take_uint64(&key, number);
}

KeyRange queue_range(Txn *txn, Slice prefix, QueueTag tag, uint64_t number, uint64_t below)
{
    if (below != 0)
        return (KeyRange){queue_key(txn, prefix, tag, number), queue_key(txn, prefix, tag, below)};
    Buffer all = start_key(txn, prefix, tag);
    KeyRange range = key_range_of_prefix(txn_arena(txn), buffer_slice(&all));
    range.begin = queue_key(txn, prefix, tag, number);
    return range;
}

KeyRange queue_wait_range(Txn *txn, const Queue *queue)
{
    bool fifo = queue->settings.fifo;
    Buffer first = start_key(txn, queue->prefix, fifo ? QUEUE_TAG_RING : QUEUE_TAG_MESSAGE);
    Buffer last = start_key(txn, queue->prefix, fifo ? QUEUE_TAG_RING : QUEUE_TAG_AGAIN);
    return (KeyRange){buffer_slice(&first), key_range_of_prefix(txn_arena(txn), buffer_slice(&last)).end};
}

/* ---- Lists ---- */

Slice queue_list_keys(Txn *txn, Slice prefix, QueueTag tag)
{
    Buffer keys = start_key(txn, prefix, tag);
    return buffer_slice(&keys);
}

Slice queue_list_key(Txn *txn, Slice keys, uint64_t number)
{
    Buffer key = buffer_make(txn_arena(txn));
    buffer_reserve(&key, keys.size + 9);
    buffer_add(&key, keys);
    key_add_uint64(&key, number);
    return buffer_slice(&key);
}

Error queue_list_first(Txn *txn, const QueueList *list, Slice *value, bool *found)
{
    *found = false;
    if (*list->first >= list->below)
        return OK;
    /* Mostly it stands right at the bound: looking there is far cheaper than opening a cursor. */
    Slice begin = queue_list_key(txn, list->keys, *list->first);
    TRY(txn_get(txn, begin, value, found));
    if (*found)
        return OK;
    Cursor *cursor = txn_scan(txn, (KeyRange){begin, queue_list_key(txn, list->keys, list->below)}, SCAN_FORWARD);
    Slice key;
    Error error = cursor_next(cursor, &key, value);
    *found = error == OK && key.data != NULL;
    if (*found) {
        *value = arena_copy(txn_arena(txn), *value);
        key = slice_skip(key, list->keys.size);
        error = key_take_uint64(&key, list->first);
    } else if (error == OK) {
        *list->first = list->below;
    }
    cursor_close(cursor);
    return error;
}

/* ---- The state ---- */

/* The state's members in their stored order; new ones are added at the end with a new schema. */
#define STATE_MEMBERS(MEMBER)                                                                                          \
    MEMBER(next_seq)                                                                                                   \
    MEMBER(next_new)                                                                                                   \
    MEMBER(lease_low)                                                                                                  \
    MEMBER(again_head)                                                                                                 \
    MEMBER(again_next)                                                                                                 \
    MEMBER(new_count)                                                                                                  \
    MEMBER(again_count)                                                                                                \
    MEMBER(in_flight)                                                                                                  \
    MEMBER(delayed)                                                                                                    \
    MEMBER(purged_below)                                                                                               \
    MEMBER(purged_ms)                                                                                                  \
    MEMBER(sweep_due_ms)                                                                                               \
    MEMBER(released)
#define STATE_MEMBERS_OF_GROUPS(MEMBER)                                                                                \
    MEMBER(fifo)                                                                                                       \
    MEMBER(epoch)                                                                                                      \
    MEMBER(grouped_low)                                                                                                \
    MEMBER(grouped_count)                                                                                              \
    MEMBER(grouped_visible)                                                                                            \
    MEMBER(groups)                                                                                                     \
    MEMBER(ring_head)                                                                                                  \
    MEMBER(ring_next)                                                                                                  \
    MEMBER(ring_count)                                                                                                 \
    MEMBER(noisy_head)                                                                                                 \
    MEMBER(noisy_next)                                                                                                 \
    MEMBER(noisy_count)                                                                                                \
    MEMBER(busy_ms)                                                                                                    \
    MEMBER(busy_at_ms)                                                                                                 \
    MEMBER(ungrouped_turn)                                                                                             \
    MEMBER(bucket)                                                                                                     \
    MEMBER(earlier_bucket)

static Error state_parse(Slice value, QueueState *state)
{
    uint8_t schema;
    TRY(take_schema(&value, STATE_SCHEMA, &schema));
#define MEMBER(name) &state->name,
    uint64_t *const members[] = {STATE_MEMBERS(MEMBER)};
#undef MEMBER
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        TRY(value_take_uint64(&value, members[i]));
    if (schema == 1) {
        queue_state_without_groups(state);
        return OK;
    }
#define MEMBER(name) TRY(value_take_uint64(&value, &state->name));
    STATE_MEMBERS_OF_GROUPS(MEMBER)
#undef MEMBER
    return OK;
}

void queue_state_without_groups(QueueState *state)
{
#define MEMBER(name) state->name = 0;
    STATE_MEMBERS_OF_GROUPS(MEMBER)
#undef MEMBER
    /* A turn of 0 is none. */
    state->grouped_low = state->ring_head = state->ring_next = state->noisy_head = state->noisy_next = 1;
}

Error queue_state_get(Txn *txn, Slice prefix, QueueState *state)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, queue_state_key(txn, prefix), &value, &found));
    return found ? state_parse(value, state) : QUEUE_NOT_FOUND;
}

void queue_state_put(Txn *txn, Slice prefix, const QueueState *state)
{
    Buffer value = value_start(txn_arena(txn), STATE_SCHEMA);
#define MEMBER(name) value_add_uint64(&value, state->name);
    STATE_MEMBERS(MEMBER)
    STATE_MEMBERS_OF_GROUPS(MEMBER)
#undef MEMBER
    txn_put(txn, queue_state_key(txn, prefix), buffer_slice(&value));
}

/* ---- Leases ---- */

Error queue_lease_parse(Slice value, Lease *lease)
{
    uint64_t status;
    uint64_t body_tag;
    uint8_t schema;
    TRY(take_schema(&value, LEASE_SCHEMA, &schema));
    TRY(value_take_uint64(&value, &status));
    TRY(value_take_uint64(&value, &body_tag));
    TRY(value_take_uint64(&value, &lease->sent_ms));
    TRY(value_take_uint64(&value, &lease->due_ms));
    TRY(value_take_uint64(&value, &lease->turn));
    TRY(value_take_uint64(&value, &lease->receive_count));
    TRY(value_take_uint64(&value, &lease->first_received_ms));
    TRY(value_take_uint64(&value, &lease->received_ms));
    TRY(value_take_uint64(&value, &lease->nonce));
    lease->group = (Slice){0};
    if (schema >= 2)
        TRY(value_take_optional(&value, &lease->group));
    lease->status = (LeaseStatus)status;
    lease->body_tag = (QueueTag)body_tag;
    return OK;
}

Error queue_lease_get(Txn *txn, Slice prefix, uint64_t seq, Lease *lease, bool *found)
{
    Slice value;
    TRY(txn_get(txn, queue_key(txn, prefix, QUEUE_TAG_LEASE, seq), &value, found));
    return *found ? queue_lease_parse(value, lease) : OK;
}

void queue_lease_put(Txn *txn, Slice prefix, uint64_t seq, const Lease *lease)
{
    Buffer value = value_start(txn_arena(txn), LEASE_SCHEMA);
    value_add_uint64(&value, (uint64_t)lease->status);
    value_add_uint64(&value, (uint64_t)lease->body_tag);
    value_add_uint64(&value, lease->sent_ms);
    value_add_uint64(&value, lease->due_ms);
    value_add_uint64(&value, lease->turn);
    value_add_uint64(&value, lease->receive_count);
    value_add_uint64(&value, lease->first_received_ms);
    value_add_uint64(&value, lease->received_ms);
    value_add_uint64(&value, lease->nonce);
    value_add_optional(&value, lease->group);
    txn_put(txn, queue_key(txn, prefix, QUEUE_TAG_LEASE, seq), buffer_slice(&value));
}

uint64_t *queue_new_count(QueueState *state, const Lease *lease)
{
    return lease->group.data != NULL ? &state->grouped_visible : &state->new_count;
}

static uint64_t *count_of(QueueState *state, const Lease *lease, LeaseStatus status)
{
    switch (status) {
    case LEASE_DELAYED:
        return &state->delayed;
    case LEASE_IN_FLIGHT:
        return &state->in_flight;
    case LEASE_READY:
        return lease->group.data != NULL ? &state->grouped_visible : &state->again_count;
    }
    return queue_new_count(state, lease);
}

static void count_off(uint64_t *count)
{
    ASSERT(*count > 0);
    *count -= 1;
}

void queue_lease_turn(QueueState *state, Lease *lease, LeaseStatus status)
{
    if (lease->status != 0)
        count_off(count_of(state, lease, lease->status));
    *count_of(state, lease, status) += 1;
    lease->status = status;
}

Error queue_lease_ready(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, Lease *lease)
{
    if (lease->group.data != NULL)
        return queue_group_returned(txn, prefix, state, seq, lease);
    queue_fair_processed(state, NULL, lease, txn_now(txn));
    queue_lease_turn(state, lease, LEASE_READY);
    lease->turn = state->again_next++;
    queue_lease_put(txn, prefix, seq, lease);
    queue_turn_put(txn, queue_key(txn, prefix, QUEUE_TAG_AGAIN, lease->turn), seq);
    return OK;
}

void queue_turn_put(Txn *txn, Slice key, uint64_t seq)
{
    Buffer value = value_start(txn_arena(txn), TURN_SCHEMA);
    value_add_uint64(&value, seq);
    txn_put(txn, key, buffer_slice(&value));
}

Error queue_turn_parse(Slice value, uint64_t *seq)
{
    uint8_t schema;
    TRY(take_schema(&value, TURN_SCHEMA, &schema));
    return value_take_uint64(&value, seq);
}

/* ---- Messages ---- */

void queue_message_forget(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, const Lease *lease)
{
    Slice key = queue_key(txn, prefix, QUEUE_TAG_LEASE, seq);
    txn_delete(txn, queue_key(txn, prefix, lease->body_tag, seq));
    if (lease->status != 0)
        txn_delete(txn, key);
    if (lease->status == LEASE_DELAYED || lease->status == LEASE_IN_FLIGHT)
        txn_timer_delete(txn, TIMER_QUEUE, lease->due_ms, key);
    count_off(count_of(state, lease, lease->status));
    if (lease->group.data != NULL)
        count_off(&state->grouped_count);
    state->released += 1;
}

Error queue_message_remove(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, const Lease *lease)
{
    queue_message_forget(txn, prefix, state, seq, lease);
    if (lease->group.data != NULL)
        return queue_group_removed(txn, prefix, state, seq, lease);
    queue_fair_processed(state, NULL, lease, txn_now(txn));
    if (lease->status == LEASE_READY)
        txn_delete(txn, queue_key(txn, prefix, QUEUE_TAG_AGAIN, lease->turn));
    return OK;
}

Error queue_message_sent_ms(Slice value, uint64_t *sent_ms)
{
    uint8_t schema;
    TRY(take_schema(&value, MESSAGE_SCHEMA, &schema));
    return value_take_uint64(&value, sent_ms);
}

/* The members that schema 2 added. */
static Error take_group_and_letter(Slice *value, StoredMessage *stored)
{
    TRY(value_take_optional(value, &stored->message.group));
    TRY(value_take_optional(value, &stored->message.dedup_id));
    TRY(value_take_optional(value, &stored->dead_letter_source));
    TRY(value_take_uint64(value, &stored->earlier_receives));
    return value_take_uint64(value, &stored->first_received_ms);
}

Error queue_message_parse(Slice value, Arena *arena, StoredMessage *stored)
{
    uint8_t schema;
    Slice id_bytes;
    uint64_t count;
    Message *message = &stored->message;
    *stored = (StoredMessage){0};
    TRY(take_schema(&value, MESSAGE_SCHEMA, &schema));
    TRY(value_take_uint64(&value, &stored->sent_ms));
    TRY(value_take_bytes(&value, &id_bytes));
    if (id_bytes.size != sizeof(stored->id.bytes))
        return ERROR_MALFORMED;
    memcpy(stored->id.bytes, id_bytes.data, sizeof(stored->id.bytes));
    TRY(value_take_bytes(&value, &message->sender));
    TRY(value_take_optional(&value, &message->trace));
    TRY(value_take_optional(&value, &message->digest));
    TRY(value_take_uint64(&value, &count));
    if (count > value.size)
        return ERROR_MALFORMED;
    MessageAttribute *attributes = count == 0 ? NULL : ARENA_ARRAY(arena, MessageAttribute, count);
    for (uint64_t i = 0; i < count; i++) {
        TRY(value_take_bytes(&value, &attributes[i].name));
        TRY(value_take_bytes(&value, &attributes[i].type));
        TRY(value_take_bytes(&value, &attributes[i].value));
    }
    message->attributes = attributes;
    message->attribute_count = count;
    TRY(value_take_bytes(&value, &message->body));
    return schema >= 2 ? take_group_and_letter(&value, stored) : OK;
}

void queue_message_put(Txn *txn, Slice key, const StoredMessage *stored)
{
    const Message *message = &stored->message;
    Buffer value = value_start(txn_arena(txn), MESSAGE_SCHEMA);
    buffer_reserve(&value, message_size_bytes(message) + 128);
    value_add_uint64(&value, stored->sent_ms);
    value_add_bytes(&value, slice_make(stored->id.bytes, sizeof(stored->id.bytes)));
    value_add_bytes(&value, message->sender);
    value_add_optional(&value, message->trace);
    value_add_optional(&value, message->digest);
    value_add_uint64(&value, message->attribute_count);
    for (size_t i = 0; i < message->attribute_count; i++) {
        value_add_bytes(&value, message->attributes[i].name);
        value_add_bytes(&value, message->attributes[i].type);
        value_add_bytes(&value, message->attributes[i].value);
    }
    value_add_bytes(&value, message->body);
    value_add_optional(&value, message->group);
    value_add_optional(&value, message->dedup_id);
    value_add_optional(&value, stored->dead_letter_source);
    value_add_uint64(&value, stored->earlier_receives);
    value_add_uint64(&value, stored->first_received_ms);
    txn_put(txn, key, buffer_slice(&value));
}

/* ---- The queue's own record ---- */

static void add_labels(Buffer *value, const QueueLabels *labels)
{
    value_add_uint64(value, labels->count);
    for (size_t i = 0; i < labels->count; i++) {
        value_add_bytes(value, labels->items[i].name);
        value_add_bytes(value, labels->items[i].value);
    }
}

static Error take_labels(Slice *value, Arena *arena, QueueLabels *labels)
{
    uint64_t count;
    TRY(value_take_uint64(value, &count));
    if (count > value->size)
        return ERROR_MALFORMED;
    QueueLabel *items = count == 0 ? NULL : ARENA_ARRAY(arena, QueueLabel, count);
    for (uint64_t i = 0; i < count; i++) {
        TRY(value_take_bytes(value, &items[i].name));
        TRY(value_take_bytes(value, &items[i].value));
    }
    *labels = (QueueLabels){items, count};
    return OK;
}

enum { SWITCH_FIFO = 1, SWITCH_DEDUP_BY_CONTENT = 2, SWITCH_DEDUP_PER_GROUP = 4, SWITCH_LIMIT_PER_GROUP = 8 };

static void add_order_and_letters(Buffer *value, const QueueSettings *settings)
{
    value_add_uint64(value, (settings->fifo ? SWITCH_FIFO : 0u) |
                                (settings->dedup_by_content ? SWITCH_DEDUP_BY_CONTENT : 0u) |
                                (settings->dedup_per_group ? SWITCH_DEDUP_PER_GROUP : 0u) |
                                (settings->limit_per_group ? SWITCH_LIMIT_PER_GROUP : 0u));
    value_add_optional(value, settings->dead_letter_queue);
    value_add_uint64(value, settings->max_receives);
    value_add_uint64(value, (uint64_t)settings->redrive_allow);
    value_add_uint64(value, settings->redrive_source_count);
    for (size_t i = 0; i < settings->redrive_source_count; i++)
        value_add_bytes(value, settings->redrive_sources[i]);
}

static Error take_order_and_letters(Slice *value, Arena *arena, QueueSettings *settings)
{
    uint64_t switches;
    uint64_t allow;
    uint64_t count;
    TRY(value_take_uint64(value, &switches));
    settings->fifo = (switches & SWITCH_FIFO) != 0;
    settings->dedup_by_content = (switches & SWITCH_DEDUP_BY_CONTENT) != 0;
    settings->dedup_per_group = (switches & SWITCH_DEDUP_PER_GROUP) != 0;
    settings->limit_per_group = (switches & SWITCH_LIMIT_PER_GROUP) != 0;
    TRY(value_take_optional(value, &settings->dead_letter_queue));
    TRY(value_take_uint64(value, &settings->max_receives));
    TRY(value_take_uint64(value, &allow));
    TRY(value_take_uint64(value, &count));
    if (allow > REDRIVE_ALLOW_LISTED || count > value->size)
        return ERROR_MALFORMED;
    settings->redrive_allow = (RedriveAllow)allow;
    Slice *sources = count == 0 ? NULL : ARENA_ARRAY(arena, Slice, count);
    for (uint64_t i = 0; i < count; i++)
        TRY(value_take_bytes(value, &sources[i]));
    settings->redrive_sources = sources;
    settings->redrive_source_count = count;
    return OK;
}

Error queue_record_parse(Slice value, Arena *arena, QueueRecord *record)
{
    uint64_t kind;
    uint8_t schema;
    *record = (QueueRecord){0};
    TRY(take_schema(&value, RECORD_SCHEMA, &schema));
    TRY(value_take_uint64(&value, &kind));
    if (kind == RECORD_DELETED) {
        record->deleted = true;
        return value_take_uint64(&value, &record->deleted_ms);
    }
    QueueSettings *settings = &record->settings;
    uint64_t *const numbers[] = {&record->number,     &record->created_ms,      &record->modified_ms,
                                 &settings->delay_ms, &settings->visibility_ms, &settings->retention_ms,
                                 &settings->wait_ms,  &settings->message_bytes};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        TRY(value_take_uint64(&value, numbers[i]));
    TRY(take_labels(&value, arena, &settings->documents));
    TRY(take_labels(&value, arena, &settings->tags));
    return schema >= 2 ? take_order_and_letters(&value, arena, settings) : OK;
}

Error queue_record_get(Txn *txn, Slice key, QueueRecord *record, bool *found)
{
    Slice value;
    TRY(txn_get(txn, key, &value, found));
    return *found ? queue_record_parse(value, txn_arena(txn), record) : OK;
}

void queue_record_put(Txn *txn, Slice key, const QueueRecord *record)
{
    const QueueSettings *settings = &record->settings;
    Buffer value = value_start(txn_arena(txn), RECORD_SCHEMA);
    value_add_uint64(&value, record->deleted ? RECORD_DELETED : RECORD_LIVE);
    if (record->deleted) {
        value_add_uint64(&value, record->deleted_ms);
    } else {
        const uint64_t numbers[] = {record->number,     record->created_ms,      record->modified_ms,
                                    settings->delay_ms, settings->visibility_ms, settings->retention_ms,
                                    settings->wait_ms,  settings->message_bytes};
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
            value_add_uint64(&value, numbers[i]);
        add_labels(&value, &settings->documents);
        add_labels(&value, &settings->tags);
        add_order_and_letters(&value, settings);
    }
    txn_put(txn, key, buffer_slice(&value));
}

#include "groups.h"

const Actor model_actor = {.account = SLICE_INIT("000000000001"), .region = SLICE_INIT("eu-central-1")};

const Slice group_names[GROUPS] = {
    SLICE_INIT("a"), SLICE_INIT("b"), SLICE_INIT("c"), SLICE_INIT("d"),
    SLICE_INIT("e"), SLICE_INIT("f"), SLICE_INIT("g"), SLICE_INIT("aa"), /* begins as another one does */
};

/* ---- What the store holds ---- */

/* Keys that begin with `prefix`; of them, those of a queue's tag `tag`. */
static size_t count_keys(Txn *txn, Slice prefix, char tag, size_t *tagged)
{
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), prefix), SCAN_FORWARD);
    Slice key;
    Slice value;
    size_t count = 0;
    *tagged = 0;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL) {
        uint64_t number;
        char found;
        count++;
        key = slice_skip(key, prefix.size);
        *tagged += key_take_uint64(&key, &number) == OK && key_take_tag(&key, &found) == OK && found == tag ? 1 : 0;
    }
    cursor_close(cursor);
    return count;
}

unsigned group_index(Slice name)
{
    for (unsigned i = 0; i < GROUPS; i++)
        if (slice_equal(group_names[i], name))
            return i;
    assert_null(name.data);
    return NO_GROUP;
}

static void observe_bodies(Txn *txn, const Queue *queue, QueueTag tag, Observation *seen)
{
    Cursor *cursor = txn_scan(txn, queue_range(txn, queue->prefix, tag, 0, 0), SCAN_FORWARD);
    Slice key;
    Slice value;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL) {
        uint64_t seq;
        StoredMessage stored;
        assert_int_equal(queue_key_number(key, queue->prefix, &seq), OK);
        assert_int_equal(queue_message_parse(value, txn_arena(txn), &stored), OK);
        assert_true(seq < MESSAGES && !seen->messages[seq].exists);
        seen->messages[seq] = (Observed){
            .exists = true, .id = stored.id, .sent_ms = stored.sent_ms, .group = group_index(stored.message.group)};
        assert_int_equal(tag == QUEUE_TAG_GROUPED, stored.message.group.data != NULL);
        seen->count++;
    }
    cursor_close(cursor);
}

static void observe_leases(Txn *txn, const Queue *queue, Observation *seen)
{
    Cursor *cursor = txn_scan(txn, queue_range(txn, queue->prefix, QUEUE_TAG_LEASE, 0, 0), SCAN_FORWARD);
    Slice key;
    Slice value;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL) {
        uint64_t seq;
        Lease lease;
        assert_int_equal(queue_key_number(key, queue->prefix, &seq), OK);
        assert_int_equal(queue_lease_parse(value, &lease), OK);
        assert_true(seq < MESSAGES && seen->messages[seq].exists); /* no lease without its message */
        assert_true(seq >= seen->state.lease_low);
        Observed *observed = &seen->messages[seq];
        assert_int_equal(lease.sent_ms, observed->sent_ms);
        assert_int_equal(group_index(lease.group), observed->group);
        observed->status = lease.status;
        observed->due_ms = lease.due_ms;
        observed->receive_count = lease.receive_count;
    }
    cursor_close(cursor);
}

/* When the queue of that name was deleted, if that is known still. */
static Error observe_trace(Txn *txn, Observation *seen)
{
    Buffer key = key_start(txn_arena(txn), model_actor.account, model_actor.region, KIND_QUEUE_NAME);
    key_add_string(&key, MODEL_QUEUE);
    QueueRecord record;
    bool found;
    TRY(queue_record_get(txn, buffer_slice(&key), &record, &found));
    seen->deleted_ms = found ? record.deleted_ms : 0;
    return OK;
}

static Error observe_body(Txn *txn, StoreCall *call)
{
    Observation *seen = probe_argument(call);
    *seen = (Observation){0};
    Buffer timers = key_start(txn_arena(txn), (Slice){0}, (Slice){0}, KIND_TIMER);
    Buffer queues = key_start(txn_arena(txn), model_actor.account, model_actor.region, KIND_QUEUE);
    seen->timers = count_keys(txn, buffer_slice(&timers), 0, &seen->known);
    seen->keys = count_keys(txn, buffer_slice(&queues), QUEUE_TAG_REMEMBERED, &seen->known);

    Queue queue;
    Error error = queue_open(txn, &model_actor, MODEL_QUEUE, &queue);
    if (error == QUEUE_NOT_FOUND)
        return observe_trace(txn, seen);
    TRY(error);
    seen->alive = true;
    seen->settings = queue.settings;
    TRY(queue_count(txn, &queue, &seen->counts));
    TRY(queue_state_get(txn, queue.prefix, &seen->state));
    observe_bodies(txn, &queue, QUEUE_TAG_MESSAGE, seen);
    observe_bodies(txn, &queue, QUEUE_TAG_DELAYED, seen);
    observe_bodies(txn, &queue, QUEUE_TAG_GROUPED, seen);
    observe_leases(txn, &queue, seen);
    return OK;
}

/* ---- Comparing ---- */

const Observed *find_observed(const Observation *seen, const MessageId *id)
{
    for (size_t seq = 0; seq < MESSAGES; seq++)
        if (seen->messages[seq].exists && memcmp(&seen->messages[seq].id, id, sizeof *id) == 0)
            return &seen->messages[seq];
    return NULL;
}

static bool same_settings(const QueueSettings *a, const QueueSettings *b)
{
    return a->retention_ms == b->retention_ms && a->delay_ms == b->delay_ms && a->dedup_per_group == b->dedup_per_group;
}

static bool message_matches(const Model *model, const ModelMessage *message, const Observed *observed, uint64_t now_ms)
{
    if (observed == NULL)
        return !message->exists || is_expired(model, message, now_ms);
    if (!message->exists || message->sent_ms + model->settings.retention_ms + QUEUE_SWEEP_PAUSE_MS <= now_ms)
        return false;
    LeaseStatus status = message->visible_ms <= now_ms ? (observed->status == 0 ? 0 : LEASE_READY)
                         : message->receive_count == 0 ? LEASE_DELAYED
                                                       : LEASE_IN_FLIGHT;
    return observed->status == status && observed->receive_count == message->receive_count &&
           observed->group == message->group &&
           (message->visible_ms <= now_ms || observed->due_ms == message->visible_ms);
}

uint64_t forgotten_ms(const ModelKnown *known)
{
    return (known->put_ms / QUEUE_DEDUP_MS + 2) * QUEUE_DEDUP_MS;
}

/* Whether the two are records under the same key. */
bool same_key(const ModelKnown *a, const ModelKnown *b)
{
    return a->attempt == b->attempt && a->id == b->id && a->per_group == b->per_group &&
           (a->group == b->group || !a->per_group);
}

/* Records that are still stored, and the buckets in which they are. A record that took another's place counts once. */
static void count_known(const Model *model, uint64_t now_ms, size_t *records, size_t *buckets)
{
    *records = *buckets = 0;
    for (size_t i = 0; i < model->known_count; i++) {
        const ModelKnown *known = &model->known[i];
        bool last = forgotten_ms(known) > now_ms;
        bool last_of_key = last;
        for (size_t k = i + 1; k < model->known_count; k++) {
            const ModelKnown *other = &model->known[k];
            if (other->era != known->era || forgotten_ms(other) != forgotten_ms(known))
                continue;
            last = false;
            last_of_key = last_of_key && !same_key(known, other);
        }
        *records += last_of_key ? 1 : 0;
        *buckets += last ? 1 : 0;
    }
}

/* Whether what is stored is what the model says. Messages past their retention may wait for the sweep. */
bool matches(const Model *model, const Observation *seen, uint64_t now_ms)
{
    if (model->alive != seen->alive)
        return false;
    bool resting = model->deleted_ms != 0 && now_ms < model->deleted_ms + QUEUE_NAME_REST_MS;
    if (!model->alive && seen->deleted_ms != (resting ? model->deleted_ms : 0))
        return false;
    if (model->alive &&
        (!same_settings(&model->settings, &seen->settings) || model->purged_ms != seen->state.purged_ms))
        return false;
    size_t stored = 0;
    size_t records;
    size_t buckets;
    QueueCounts counts = {0};
    count_known(model, now_ms, &records, &buckets);
    if (records != seen->known)
        return false;
    for (size_t i = 0; i < model->count && model->alive; i++) {
        const ModelMessage *message = &model->messages[i];
        const Observed *observed = find_observed(seen, &message->id);
        if (!message_matches(model, message, observed, now_ms))
            return false;
        if (observed == NULL)
            continue;
        stored++;
        counts.in_flight += observed->status == LEASE_IN_FLIGHT;
        counts.delayed += observed->status == LEASE_DELAYED;
        counts.visible += observed->status == LEASE_READY || observed->status == 0;
    }
    return stored == seen->count && counts.visible == seen->counts.visible &&
           counts.in_flight == seen->counts.in_flight && counts.delayed == seen->counts.delayed;
}

/* The keys of groups: members, records, places in the ring. */
static size_t count_group_keys(const Observation *seen, bool fifo, size_t *groups, size_t *in_ring)
{
    size_t keys = 0;
    *groups = *in_ring = 0;
    for (unsigned group = 0; group < GROUPS; group++) {
        bool any = false;
        bool receivable = false;
        for (size_t seq = 0; seq < MESSAGES; seq++) {
            const Observed *observed = &seen->messages[seq];
            if (!observed->exists || observed->group != group)
                continue;
            bool visible = observed->status == 0 || observed->status == LEASE_READY;
            if (visible && (!fifo || !any))
                receivable = true;
            any = true;
            keys += fifo || visible ? 1 : 0; /* a standard queue's groups list what can be received */
        }
        *groups += any ? 1 : 0;
        *in_ring += receivable ? 1 : 0;
    }
    return keys + *groups + *in_ring;
}

/* Nothing but what belongs to the messages is stored. */
void expect_no_orphans(Run *run, const Observation *seen, uint64_t now_ms)
{
    const Model *model = &run->model;
    size_t leases = 0;
    size_t timed = 0;
    size_t grouped = 0;
    size_t groups;
    size_t in_ring;
    size_t records;
    size_t buckets;
    for (size_t seq = 0; seq < MESSAGES; seq++) {
        const Observed *observed = &seen->messages[seq];
        leases += observed->status != 0;
        timed += observed->status == LEASE_DELAYED || observed->status == LEASE_IN_FLIGHT;
        grouped += observed->exists && observed->group != NO_GROUP;
        if (!observed->exists || observed->status != 0)
            continue;
        assert_true(seq >= (observed->group == NO_GROUP ? seen->state.next_new : seen->state.grouped_low));
    }
    size_t group_keys = count_group_keys(seen, run->fifo, &groups, &in_ring);
    count_known(model, now_ms, &records, &buckets);
    assert_int_equal(seen->state.grouped_count, grouped);
    assert_int_equal(seen->state.groups, groups);
    assert_int_equal(seen->state.ring_count + seen->state.noisy_count, in_ring);
    assert_int_equal(seen->keys,
                     seen->count + leases + seen->state.again_count + group_keys + records + (seen->alive ? 1 : 0));
    /* A queue's trace keeps a timer for its rest, also when the name was taken again in the meantime. */
    size_t resting = model->deleted_ms != 0 && now_ms < model->deleted_ms + QUEUE_NAME_REST_MS;
    bool sweeping = seen->state.sweep_due_ms != 0;
    assert_int_equal(seen->timers, timed + (sweeping ? 1 : 0) + resting + buckets);
    if (seen->count > 0)
        assert_true(sweeping);
}

void observe(Run *run, Observation *seen)
{
    world_settle(&run->world);
    assert_int_equal(world_read(&run->world, observe_body, seen), OK);
}

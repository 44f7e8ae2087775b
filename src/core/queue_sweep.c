#include "core/queue_records.h"

#include "base/bug.h"

/* What falls due in a queue: visibility timeouts and delays (one timer a message), retention (one timer a queue), the
 * jobs that delete what a purge or a dropped queue leaves behind, the traces of deleted names, and pages of move tasks
 * (queue_move.c).
 *
 * A timer's id is the key of what falls due. Its value: the size of the queue's prefix in the id, then what its kind
 * needs: sweep: home, key of the queue's record; clearing: home and bounds. A size of 0: the id is a record's key. */

enum { TIMER_SCHEMA = 1 };

/* Deleted leases after which the lower bound of leases is looked up again: one seek then pays for that many. */
enum { RELEASES_PER_LOOKUP = 256 };

Buffer queue_timer_value(Txn *txn, size_t prefix_size)
{
    Buffer value = value_start(txn_arena(txn), TIMER_SCHEMA);
    value_add_uint64(&value, prefix_size);
    return value;
}

/* ---- Setting timers ---- */

void queue_lease_timer_set(Txn *txn, Slice prefix, Home home, uint64_t seq, const Lease *lease)
{
    Buffer value = queue_timer_value(txn, prefix.size);
    txn_timer_set(txn, TIMER_QUEUE, home, lease->due_ms, queue_key(txn, prefix, QUEUE_TAG_LEASE, seq),
                  buffer_slice(&value));
}

void queue_sweep_cancel(Txn *txn, const Queue *queue, QueueState *state)
{
    if (state->sweep_due_ms != 0)
        txn_timer_delete(txn, TIMER_QUEUE, state->sweep_due_ms, queue_state_key(txn, queue->prefix));
    state->sweep_due_ms = 0;
}

static void sweep_set(Txn *txn, Slice prefix, Home home, Slice record_key, QueueState *state, uint64_t due_ms)
{
    Buffer value = queue_timer_value(txn, prefix.size);
    value_add_uint64(&value, home);
    value_add_bytes(&value, record_key);
    txn_timer_set(txn, TIMER_QUEUE, home, due_ms, queue_state_key(txn, prefix), buffer_slice(&value));
    state->sweep_due_ms = due_ms;
}

void queue_sweep_at(Txn *txn, const Queue *queue, QueueState *state, uint64_t due_ms)
{
    queue_sweep_cancel(txn, queue, state);
    sweep_set(txn, queue->prefix, queue->home, queue->record_key, state, due_ms);
}

/* What a deletion job has still to do: leases from `lease_from`, new messages from `new_from`, both below `below`. */
typedef struct Clearing {
    Home home;
    uint64_t lease_from;
    uint64_t new_from;
    uint64_t below;
} Clearing;

static void clearing_set(Txn *txn, Slice prefix, const Clearing *job)
{
    Buffer value = queue_timer_value(txn, prefix.size);
    value_add_uint64(&value, job->home);
    value_add_uint64(&value, job->lease_from);
    value_add_uint64(&value, job->new_from);
    /* All bounds tell the jobs of one queue apart: one that is dropped while its purge goes on has two with the same end.
     * The first is read back from here. */
    Buffer id = buffer_make(txn_arena(txn));
    buffer_add(&id, queue_key(txn, prefix, QUEUE_TAG_CLEARING, job->below));
    key_add_uint64(&id, job->lease_from);
    key_add_uint64(&id, job->new_from);
    txn_timer_set(txn, TIMER_QUEUE, job->home, txn_now(txn), buffer_slice(&id), buffer_slice(&value));
}

void queue_clear_start(Txn *txn, const Queue *queue, const QueueState *state)
{
    clearing_set(txn, queue->prefix,
                 &(Clearing){.home = queue->home,
                             .lease_from = state->lease_low,
                             .new_from = state->next_new,
                             .below = state->next_seq});
}

void queue_name_rest(Txn *txn, const Queue *queue, uint64_t due_ms)
{
    Buffer value = queue_timer_value(txn, 0);
    txn_timer_set(txn, TIMER_QUEUE, queue->home, due_ms, queue->record_key, buffer_slice(&value));
}

/* ---- When they are due ---- */

/* A visibility timeout or a delay has passed. */
static Error message_due(Txn *txn, Slice prefix, uint64_t seq, uint64_t due_ms)
{
    QueueState state;
    Lease lease;
    bool found;
    Error error = queue_state_get(txn, prefix, &state);
    if (error == QUEUE_NOT_FOUND || (error == OK && seq < state.purged_below))
        return OK; /* the queue or the message is gone; a job is deleting the lease */
    TRY(error);
    TRY(queue_lease_get(txn, prefix, seq, &lease, &found));
    if (!found || lease.status == LEASE_READY || lease.due_ms != due_ms)
        return OK;
    queue_lease_ready(txn, prefix, &state, seq, &lease);
    queue_state_put(txn, prefix, &state);
    return OK;
}

/* No lease stands below `seq` now. One may still come of the first new message, which is older than what was delayed
 * or received out of turn. */
static void lease_low_is(QueueState *state, uint64_t seq)
{
    state->lease_low = seq < state->next_new ? seq : state->next_new;
}

/* Takes the share of a deletion from what is left of the page. */
static void take_share(size_t *left, Slice value)
{
    size_t work = queue_deletion_work(value);
    *left -= work < *left ? work : *left;
}

/* Drops up to *left expired messages that have leases, and gives when the first other one was sent (0: there is none). */
static Error sweep_leases(Txn *txn, Slice prefix, const QueueSettings *settings, QueueState *state, size_t *left,
                          uint64_t *oldest_ms)
{
    Cursor *cursor =
        txn_scan(txn, queue_range(txn, prefix, QUEUE_TAG_LEASE, state->lease_low, state->next_seq), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error;
    *oldest_ms = 0;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        Lease lease;
        uint64_t seq;
        if ((error = queue_key_number(key, prefix, &seq)) != OK || (error = queue_lease_parse(value, &lease)) != OK)
            break;
        lease_low_is(state, seq);
        *oldest_ms = lease.sent_ms;
        if (*left == 0 || !queue_expired(settings, lease.sent_ms, txn_now(txn)))
            break;
        queue_lease_forget(txn, prefix, state, seq, &lease);
        lease_low_is(state, seq + 1);
        *oldest_ms = 0;
        take_share(left, value);
    }
    cursor_close(cursor);
    return error;
}

/* The same for new messages. */
static Error sweep_new(Txn *txn, Slice prefix, const QueueSettings *settings, QueueState *state, size_t *left,
                       uint64_t *oldest_ms)
{
    *oldest_ms = 0;
    if (state->new_count == 0)
        return OK;
    Cursor *cursor =
        txn_scan(txn, queue_range(txn, prefix, QUEUE_TAG_MESSAGE, state->next_new, state->next_seq), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        uint64_t seq;
        uint64_t sent_ms;
        if ((error = queue_key_number(key, prefix, &seq)) != OK ||
            (error = queue_message_sent_ms(value, &sent_ms)) != OK)
            break;
        state->next_new = seq;
        *oldest_ms = sent_ms;
        if (*left == 0 || !queue_expired(settings, sent_ms, txn_now(txn)))
            break;
        txn_delete(txn, queue_key(txn, prefix, QUEUE_TAG_MESSAGE, seq));
        ASSERT(state->new_count > 0);
        state->new_count -= 1;
        state->next_new = seq + 1;
        *oldest_ms = 0;
        take_share(left, value);
    }
    cursor_close(cursor);
    return error;
}

/* Drops what has passed its retention, a page at a time, and sets the timer for what comes next. */
static Error sweep_due(Txn *txn, Slice prefix, Home home, Slice record_key, uint64_t due_ms)
{
    QueueState state;
    Error error = queue_state_get(txn, prefix, &state);
    if (error == QUEUE_NOT_FOUND || (error == OK && state.sweep_due_ms != due_ms))
        return OK;
    TRY(error);
    QueueRecord record;
    bool found;
    TRY(queue_record_get(txn, record_key, &record, &found));
    ASSERT(found && !record.deleted);

    size_t left = QUEUE_PAGE_WORK;
    uint64_t oldest_lease_ms;
    uint64_t oldest_new_ms;
    state.sweep_due_ms = 0;
    TRY(sweep_leases(txn, prefix, &record.settings, &state, &left, &oldest_lease_ms));
    TRY(sweep_new(txn, prefix, &record.settings, &state, &left, &oldest_new_ms));
    TRY(queue_lease_low_advance(txn, prefix, &state));

    uint64_t oldest_ms = oldest_lease_ms;
    if (oldest_ms == 0 || (oldest_new_ms != 0 && oldest_new_ms < oldest_ms))
        oldest_ms = oldest_new_ms;
    if (oldest_ms != 0) {
        /* The pause gathers messages that expire soon after each other into one sweep. */
        uint64_t next_ms = oldest_ms + record.settings.retention_ms;
        uint64_t soonest_ms = txn_now(txn) + (left == 0 ? 0 : QUEUE_SWEEP_PAUSE_MS);
        sweep_set(txn, prefix, home, record_key, &state, next_ms > soonest_ms ? next_ms : soonest_ms);
    }
    queue_state_put(txn, prefix, &state);
    return OK;
}

/* Deletes leases with all that belongs to them; the counts are not theirs any more. */
static Error clear_leases(Txn *txn, Slice prefix, Clearing *job, size_t *left)
{
    Cursor *cursor =
        txn_scan(txn, queue_range(txn, prefix, QUEUE_TAG_LEASE, job->lease_from, job->below), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error = OK;
    while (*left > 0 && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        Lease lease;
        uint64_t seq;
        if ((error = queue_key_number(key, prefix, &seq)) != OK || (error = queue_lease_parse(value, &lease)) != OK)
            break;
        QueueState uncounted = {.again_count = 1, .in_flight = 1, .delayed = 1};
        queue_lease_forget(txn, prefix, &uncounted, seq, &lease);
        job->lease_from = seq + 1;
        take_share(left, value);
    }
    cursor_close(cursor);
    return error;
}

static Error clear_new(Txn *txn, Slice prefix, Clearing *job, size_t *left)
{
    Cursor *cursor =
        txn_scan(txn, queue_range(txn, prefix, QUEUE_TAG_MESSAGE, job->new_from, job->below), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error = OK;
    while (*left > 0 && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        uint64_t seq;
        if ((error = queue_key_number(key, prefix, &seq)) != OK)
            break;
        txn_delete(txn, queue_key(txn, prefix, QUEUE_TAG_MESSAGE, seq));
        job->new_from = seq + 1;
        take_share(left, value);
    }
    cursor_close(cursor);
    return error;
}

static Error clearing_due(Txn *txn, Slice prefix, Clearing *job)
{
    size_t left = QUEUE_PAGE_WORK;
    TRY(clear_leases(txn, prefix, job, &left));
    TRY(clear_new(txn, prefix, job, &left));
    if (left == 0)
        clearing_set(txn, prefix, job);
    return OK;
}

/* A deleted queue's name is free again: its trace goes, unless a queue was made under the name since. */
static Error name_due(Txn *txn, Slice record_key)
{
    QueueRecord record;
    bool found;
    TRY(queue_record_get(txn, record_key, &record, &found));
    if (found && record.deleted && record.deleted_ms + QUEUE_NAME_REST_MS <= txn_now(txn))
        txn_delete(txn, record_key);
    return OK;
}

Error queue_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    uint8_t schema;
    uint64_t prefix_size;
    char tag;
    uint64_t number;
    TRY(value_take_schema(&value, &schema));
    if (schema != TIMER_SCHEMA)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &prefix_size));
    if (prefix_size == 0)
        return name_due(txn, id);
    if (prefix_size > id.size)
        return ERROR_MALFORMED;
    Slice prefix = {id.data, prefix_size};
    Slice rest = slice_skip(id, prefix_size);
    TRY(key_take_tag(&rest, &tag));

    if (tag == QUEUE_TAG_STATE) {
        Home home;
        Slice record_key;
        TRY(value_take_uint64(&value, &home));
        TRY(value_take_bytes(&value, &record_key));
        return sweep_due(txn, prefix, home, record_key, due_ms);
    }
    TRY(key_take_uint64(&rest, &number));
    if (tag == QUEUE_TAG_LEASE)
        return message_due(txn, prefix, number, due_ms);
    if (tag == QUEUE_TAG_MOVE)
        return queue_move_due(txn, prefix, number, value);
    if (tag != QUEUE_TAG_CLEARING)
        return ERROR_MALFORMED;
    Clearing job = {.below = number};
    TRY(value_take_uint64(&value, &job.home));
    TRY(value_take_uint64(&value, &job.lease_from));
    TRY(value_take_uint64(&value, &job.new_from));
    return clearing_due(txn, prefix, &job);
}

/* ---- The lower bound of leases ---- */

Error queue_lease_low_advance(Txn *txn, Slice prefix, QueueState *state)
{
    if (state->delayed + state->in_flight + state->again_count == 0) {
        state->lease_low = state->next_new; /* the next lease will be of a new message, or of one that is yet to come */
        state->released = 0;
        return OK;
    }
    if (state->released < RELEASES_PER_LOOKUP)
        return OK;
    state->released = 0;
    Cursor *cursor =
        txn_scan(txn, queue_range(txn, prefix, QUEUE_TAG_LEASE, state->lease_low, state->next_seq), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error = cursor_next(cursor, &key, &value);
    uint64_t seq = state->lease_low;
    if (error == OK && key.data != NULL)
        error = queue_key_number(key, prefix, &seq);
    lease_low_is(state, seq);
    cursor_close(cursor);
    return error;
}

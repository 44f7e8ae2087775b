#include "core/queue_records.h"

#include "base/bug.h"

/* What falls due in a queue: visibility timeouts and delays (one timer a message), retention (one timer a queue), new
 * delays of FIFO queues, pages of move tasks (queue_move.c), and the traces of deleted names. Deletion jobs and what is
 * remembered for a while have files of their own.
 *
 * A timer's id is the key of what falls due. Its value: the size of the queue's prefix in the id, then what its kind
 * needs: sweep and new delay: home, key of the queue's record, and the latter where it goes on. A size of 0: the id is a
 * record's key. */

/* Deleted leases after which the lower bound of leases is looked up again: one seek then pays for that many. */
enum { RELEASES_PER_LOOKUP = 256 };

Buffer queue_timer_value(Txn *txn, Slice prefix)
{
    Buffer value = value_start(txn_arena(txn), QUEUE_TIMER_SCHEMA);
    value_add_uint64(&value, prefix.size);
    return value;
}

/* ---- Setting timers ---- */

void queue_lease_timer_set(Txn *txn, Slice prefix, Home home, uint64_t seq, const Lease *lease)
{
    Buffer value = queue_timer_value(txn, prefix);
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
    Buffer value = queue_timer_value(txn, prefix);
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

static void retime_set(Txn *txn, Slice prefix, Home home, Slice record_key, uint64_t from)
{
    Buffer value = queue_timer_value(txn, prefix);
    value_add_uint64(&value, home);
    value_add_bytes(&value, record_key);
    Buffer id = buffer_make(txn_arena(txn));
    buffer_add(&id, queue_key(txn, prefix, QUEUE_TAG_RETIMING, from));
    txn_timer_set(txn, TIMER_QUEUE, home, txn_now(txn), buffer_slice(&id), buffer_slice(&value));
}

void queue_retime_start(Txn *txn, const Queue *queue)
{
    retime_set(txn, queue->prefix, queue->home, queue->record_key, 0);
}

void queue_name_rest(Txn *txn, const Queue *queue, uint64_t due_ms)
{
    Buffer value = queue_timer_value(txn, (Slice){0});
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
    TRY(queue_lease_ready(txn, prefix, &state, seq, &lease));
    queue_state_put(txn, prefix, &state);
    return OK;
}

/* No lease stands below `seq` now. One may still come of the first new message, which is older than what was delayed
 * or received out of turn. */
static void lease_low_is(QueueState *state, uint64_t seq)
{
    if (state->new_count > 0 && state->next_new < seq)
        seq = state->next_new;
    if (state->grouped_count > 0 && state->grouped_low < seq)
        seq = state->grouped_low;
    state->lease_low = seq;
}

/* A page of expired messages that are dropped. */
typedef struct Sweep {
    Txn *txn;
    Slice prefix;
    const QueueSettings *settings;
    QueueState *state;
    size_t left;        /* that may be dropped yet */
    uint64_t oldest_ms; /* when the first that stays was sent; 0: there is none */
} Sweep;

static bool stays(const Sweep *sweep, uint64_t sent_ms)
{
    return sweep->left == 0 || !queue_expired(sweep->settings, sent_ms, txn_now(sweep->txn));
}

/* The earlier of two times, of which 0 is none. */
static uint64_t earlier(uint64_t a_ms, uint64_t b_ms)
{
    return a_ms == 0 || (b_ms != 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* Drops messages that have leases. */
static Error sweep_leases(Sweep *sweep)
{
    QueueState *state = sweep->state;
    Cursor *cursor =
        txn_scan(sweep->txn, queue_range(sweep->txn, sweep->prefix, QUEUE_TAG_LEASE, state->lease_low, state->next_seq),
                 SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        Lease lease;
        uint64_t seq;
        if ((error = queue_key_number(key, sweep->prefix, &seq)) != OK ||
            (error = queue_lease_parse(value, &lease)) != OK)
            break;
        lease_low_is(state, seq);
        if (stays(sweep, lease.sent_ms)) {
            sweep->oldest_ms = earlier(sweep->oldest_ms, lease.sent_ms);
            break;
        }
        if ((error = queue_message_remove(sweep->txn, sweep->prefix, state, seq, &lease)) != OK)
            break;
        lease_low_is(state, seq + 1);
        queue_take_share(&sweep->left, value);
    }
    cursor_close(cursor);
    return error;
}

/* Drops messages that lie under a tag in the order in which they were sent, from *low on, which follows. */
static Error sweep_bodies(Sweep *sweep, QueueTag tag, uint64_t *low,
                          Error (*drop)(Sweep *sweep, uint64_t seq, Slice value))
{
    Cursor *cursor =
        txn_scan(sweep->txn, queue_range(sweep->txn, sweep->prefix, tag, *low, sweep->state->next_seq), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        uint64_t seq;
        uint64_t sent_ms;
        if ((error = queue_key_number(key, sweep->prefix, &seq)) != OK ||
            (error = queue_message_sent_ms(value, &sent_ms)) != OK)
            break;
        *low = seq;
        if (stays(sweep, sent_ms)) {
            sweep->oldest_ms = earlier(sweep->oldest_ms, sent_ms);
            break;
        }
        if ((error = drop(sweep, seq, value)) != OK)
            break;
        *low = seq + 1;
        queue_take_share(&sweep->left, value);
    }
    cursor_close(cursor);
    return error;
}

static Error drop_new(Sweep *sweep, uint64_t seq, Slice value)
{
    (void)value;
    txn_delete(sweep->txn, queue_key(sweep->txn, sweep->prefix, QUEUE_TAG_MESSAGE, seq));
    ASSERT(sweep->state->new_count > 0);
    sweep->state->new_count -= 1;
    return OK;
}

/* A message of a group; most have no lease. */
static Error drop_grouped(Sweep *sweep, uint64_t seq, Slice value)
{
    Lease lease;
    bool leased;
    StoredMessage stored;
    TRY(queue_lease_get(sweep->txn, sweep->prefix, seq, &lease, &leased));
    TRY(queue_message_parse(value, txn_arena(sweep->txn), &stored));
    if (!leased)
        lease = (Lease){.body_tag = QUEUE_TAG_GROUPED, .group = stored.message.group};
    return queue_message_remove(sweep->txn, sweep->prefix, sweep->state, seq, &lease);
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

    Sweep sweep = {
        .txn = txn, .prefix = prefix, .settings = &record.settings, .state = &state, .left = QUEUE_PAGE_WORK};
    state.sweep_due_ms = 0;
    TRY(sweep_leases(&sweep));
    if (state.new_count > 0)
        TRY(sweep_bodies(&sweep, QUEUE_TAG_MESSAGE, &state.next_new, drop_new));
    if (state.grouped_count > 0)
        TRY(sweep_bodies(&sweep, QUEUE_TAG_GROUPED, &state.grouped_low, drop_grouped));
    TRY(queue_low_advance(txn, prefix, &state));

    if (sweep.oldest_ms != 0) {
        /* The pause gathers messages that expire soon after each other into one sweep. */
        uint64_t next_ms = sweep.oldest_ms + record.settings.retention_ms;
        uint64_t soonest_ms = txn_now(txn) + (sweep.left == 0 ? 0 : QUEUE_SWEEP_PAUSE_MS);
        sweep_set(txn, prefix, home, record_key, &state, next_ms > soonest_ms ? next_ms : soonest_ms);
    }
    queue_state_put(txn, prefix, &state);
    return OK;
}

/* Gives a delayed message the queue's delay. */
static Error retime(Txn *txn, Slice prefix, Home home, uint64_t delay_ms, QueueState *state, uint64_t seq, Lease *lease)
{
    uint64_t due_ms = lease->sent_ms + delay_ms;
    if (due_ms == lease->due_ms)
        return OK;
    txn_timer_delete(txn, TIMER_QUEUE, lease->due_ms, queue_key(txn, prefix, QUEUE_TAG_LEASE, seq));
    if (due_ms <= txn_now(txn))
        return queue_lease_ready(txn, prefix, state, seq, lease);
    lease->due_ms = due_ms;
    queue_lease_put(txn, prefix, seq, lease);
    queue_lease_timer_set(txn, prefix, home, seq, lease);
    return OK;
}

/* A page of the job that applies a new delay, from the lease `from` on. The delay is the queue's at this moment, so that
 * the last of several jobs decides. */
static Error retime_due(Txn *txn, Slice prefix, Home home, Slice record_key, uint64_t from)
{
    QueueState state;
    QueueRecord record;
    bool found;
    Error error = queue_state_get(txn, prefix, &state);
    if (error == QUEUE_NOT_FOUND)
        return OK;
    TRY(error);
    TRY(queue_record_get(txn, record_key, &record, &found));
    ASSERT(found && !record.deleted);
    if (from < state.lease_low)
        from = state.lease_low;
    Cursor *cursor = txn_scan(txn, queue_range(txn, prefix, QUEUE_TAG_LEASE, from, state.next_seq), SCAN_FORWARD);
    Slice key = {0};
    Slice value;
    size_t left = QUEUE_PAGE_WORK;
    while (left > 0 && state.delayed > 0 && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        Lease lease;
        if ((error = queue_key_number(key, prefix, &from)) != OK || (error = queue_lease_parse(value, &lease)) != OK ||
            (lease.status == LEASE_DELAYED &&
             (error = retime(txn, prefix, home, record.settings.delay_ms, &state, from, &lease)) != OK))
            break;
        left -= 1;
    }
    cursor_close(cursor);
    if (error == OK && left == 0)
        retime_set(txn, prefix, home, record_key, from + 1);
    queue_state_put(txn, prefix, &state);
    return error;
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

/* Timers whose value names the queue's home and record. */
static Error queue_due(Txn *txn, Slice prefix, QueueTag tag, Slice rest, uint64_t due_ms, Slice value)
{
    Home home;
    Slice record_key;
    uint64_t from;
    TRY(value_take_uint64(&value, &home));
    TRY(value_take_bytes(&value, &record_key));
    if (tag == QUEUE_TAG_STATE)
        return sweep_due(txn, prefix, home, record_key, due_ms);
    TRY(key_take_uint64(&rest, &from));
    return retime_due(txn, prefix, home, record_key, from);
}

Error queue_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    uint8_t schema;
    uint64_t prefix_size;
    char tag;
    uint64_t number;
    TRY(value_take_schema(&value, &schema));
    if (schema != QUEUE_TIMER_SCHEMA)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &prefix_size));
    if (prefix_size == 0)
        return name_due(txn, id);
    if (prefix_size > id.size)
        return ERROR_MALFORMED;
    Slice prefix = {id.data, prefix_size};
    Slice rest = slice_skip(id, prefix_size);
    TRY(key_take_tag(&rest, &tag));
    switch ((QueueTag)tag) {
    case QUEUE_TAG_STATE:
    case QUEUE_TAG_RETIMING:
        return queue_due(txn, prefix, (QueueTag)tag, rest, due_ms, value);
    case QUEUE_TAG_LEASE:
        TRY(key_take_uint64(&rest, &number));
        return message_due(txn, prefix, number, due_ms);
    case QUEUE_TAG_CLEARING:
        TRY(key_take_uint64(&rest, &number));
        return queue_clear_due(txn, prefix, number, value);
    case QUEUE_TAG_MOVE:
        TRY(key_take_uint64(&rest, &number));
        return queue_move_due(txn, prefix, number, value);
    case QUEUE_TAG_REMEMBERED:
        return queue_remembered_due(txn, prefix, id, value);
    default:
        return ERROR_MALFORMED;
    }
}

/* ---- Lower bounds ---- */

/* Lets *low be the first number of that tag; where there is none it stays. */
static Error look_up(Txn *txn, Slice prefix, QueueTag tag, uint64_t below, uint64_t *low)
{
    Cursor *cursor = txn_scan(txn, queue_range(txn, prefix, tag, *low, below), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error = cursor_next(cursor, &key, &value);
    if (error == OK && key.data != NULL)
        error = queue_key_number(key, prefix, low);
    cursor_close(cursor);
    return error;
}

Error queue_low_advance(Txn *txn, Slice prefix, QueueState *state)
{
    bool leases = state->delayed + state->in_flight + state->again_count + state->grouped_visible > 0;
    if (!leases) {
        lease_low_is(state,
                     state->next_seq); /* the next lease will be of a new message, or of one that is yet to come */
        state->released = 0;
        return OK;
    }
    if (state->released < RELEASES_PER_LOOKUP)
        return OK;
    state->released = 0;
    if (state->grouped_count > 0)
        TRY(look_up(txn, prefix, QUEUE_TAG_GROUPED, state->next_seq, &state->grouped_low));
    uint64_t low = state->lease_low;
    TRY(look_up(txn, prefix, QUEUE_TAG_LEASE, state->next_seq, &low));
    lease_low_is(state, low);
    return OK;
}

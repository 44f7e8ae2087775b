#include "core/queue_group.h"

#include "base/bug.h"

/* The jobs that delete what a purge or a dropped queue leaves behind, a page at a time. Nothing is counted any more: the
 * state has begun anew, or is gone. A job's timer has the upper bound of what it deletes and its other bounds in its id,
 * after its home and its bounds in its value. */

/* What is still to do: leases from `lease_from`, new messages from `new_from`, messages of groups from `grouped_from`, all
 * below `below`; places in the rings from `ring_from` and `noisy_from`, below `ring_below` and `noisy_below`; groups of that
 * epoch. */
typedef struct Clearing {
    Home home;
    uint64_t lease_from;
    uint64_t new_from;
    uint64_t below;
    uint64_t epoch;
    uint64_t grouped_from;
    uint64_t ring_from;
    uint64_t ring_below;
    uint64_t noisy_from;
    uint64_t noisy_below;
    uint64_t fifo;
} Clearing;

static void clearing_set(Txn *txn, Slice prefix, const Clearing *job)
{
    const uint64_t bounds[] = {job->lease_from, job->new_from,   job->epoch,       job->grouped_from, job->ring_from,
                               job->ring_below, job->noisy_from, job->noisy_below, job->fifo};
    Buffer value = queue_timer_value(txn, prefix);
    Buffer id = buffer_make(txn_arena(txn));
    value_add_uint64(&value, job->home);
    buffer_add(&id, queue_key(txn, prefix, QUEUE_TAG_CLEARING, job->below));
    /* All bounds tell the jobs of one queue apart: one that is dropped while its purge goes on has two with the same
     * end. */
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        value_add_uint64(&value, bounds[i]);
        key_add_uint64(&id, bounds[i]);
    }
    txn_timer_set(txn, TIMER_QUEUE, job->home, txn_now(txn), buffer_slice(&id), buffer_slice(&value));
}

/* Jobs of before there were groups end behind `new_from`. */
static Error clearing_parse(Slice value, Clearing *job)
{
    TRY(value_take_uint64(&value, &job->home));
    TRY(value_take_uint64(&value, &job->lease_from));
    TRY(value_take_uint64(&value, &job->new_from));
    job->grouped_from = job->below;
    if (value.size == 0)
        return OK;
    TRY(value_take_uint64(&value, &job->epoch));
    TRY(value_take_uint64(&value, &job->grouped_from));
    TRY(value_take_uint64(&value, &job->ring_from));
    TRY(value_take_uint64(&value, &job->ring_below));
    TRY(value_take_uint64(&value, &job->noisy_from));
    TRY(value_take_uint64(&value, &job->noisy_below));
    return value_take_uint64(&value, &job->fifo);
}

void queue_clear_start(Txn *txn, const Queue *queue, const QueueState *state)
{
    clearing_set(txn, queue->prefix,
                 &(Clearing){.home = queue->home,
                             .lease_from = state->lease_low,
                             .new_from = state->next_new,
                             .below = state->next_seq,
                             .epoch = state->epoch,
                             .grouped_from = state->grouped_count > 0 ? state->grouped_low : state->next_seq,
                             .ring_from = state->ring_head,
                             .ring_below = state->ring_next,
                             .noisy_from = state->noisy_head,
                             .noisy_below = state->noisy_next,
                             .fifo = state->fifo});
}

/* ---- Pages ---- */

/* Deletes what the message is to its group, and the group with one of its messages or, in a fair queue, with its last.
 * `listed`: it is new there; of these it is the first, since they are deleted in the order in which they were sent. */
static Error clear_member(Txn *txn, Slice prefix, const Clearing *job, Slice name, uint64_t seq, bool listed)
{
    QueueState past = {.epoch = job->epoch, .groups = 1};
    Group group = {.name = name};
    Slice value;
    bool found;
    if (job->fifo != 0) {
        queue_member_delete(txn, prefix, &past, &group, seq);
        txn_delete(txn, queue_group_key(txn, prefix, past.epoch, name));
        return OK;
    }
    TRY(queue_group_get(txn, prefix, &past, name, &group));
    if (listed) {
        Slice keys = queue_members(txn, prefix, past.epoch, name);
        TRY(queue_list_first(txn, &(QueueList){keys, &group.head, group.new_next}, &value, &found));
        txn_delete(txn, queue_list_key(txn, keys, group.head));
        group.head += 1;
    }
    group.turn = 0;
    ASSERT(group.count > 0);
    group.count -= 1;
    queue_group_put(txn, prefix, &past, &group);
    return OK;
}

/* Deletes what belongs to one number of a range. */
typedef Error (*ClearOne)(Txn *txn, Slice prefix, const Clearing *job, uint64_t number, Slice value);

static Error clear_lease(Txn *txn, Slice prefix, const Clearing *job, uint64_t seq, Slice value)
{
    Lease lease;
    TRY(queue_lease_parse(value, &lease));
    txn_delete(txn, queue_key(txn, prefix, lease.body_tag, seq));
    if (lease.status != LEASE_READY)
        txn_timer_delete(txn, TIMER_QUEUE, lease.due_ms, queue_key(txn, prefix, QUEUE_TAG_LEASE, seq));
    else if (lease.group.data == NULL)
        txn_delete(txn, queue_key(txn, prefix, QUEUE_TAG_AGAIN, lease.turn));
    else /* FIFO queues have none */
        txn_delete(txn, queue_list_key(txn, queue_backs(txn, prefix, job->epoch, lease.group), lease.turn));
    return lease.group.data == NULL ? OK : clear_member(txn, prefix, job, lease.group, seq, false);
}

static Error clear_grouped(Txn *txn, Slice prefix, const Clearing *job, uint64_t seq, Slice value)
{
    StoredMessage stored;
    TRY(queue_message_parse(value, txn_arena(txn), &stored));
    return clear_member(txn, prefix, job, stored.message.group, seq, true);
}

/* Deletes the numbers of that tag from *from on, each with what `one` (NULL: nothing) finds that belongs to it. */
static Error clear_range(Txn *txn, Slice prefix, const Clearing *job, QueueTag tag, uint64_t *from, uint64_t below,
                         ClearOne one, size_t *left)
{
    if (*from >= below || *left == 0)
        return OK;
    Cursor *cursor = txn_scan(txn, queue_range(txn, prefix, tag, *from, below), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error = OK;
    while (*left > 0 && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        uint64_t number;
        if ((error = queue_key_number(key, prefix, &number)) != OK ||
            (one != NULL && (error = one(txn, prefix, job, number, value)) != OK))
            break;
        txn_delete(txn, queue_key(txn, prefix, tag, number));
        *from = number + 1;
        queue_take_share(left, value);
    }
    cursor_close(cursor);
    return error;
}

Error queue_clear_due(Txn *txn, Slice prefix, uint64_t below, Slice value)
{
    Clearing job = {.below = below};
    size_t left = QUEUE_PAGE_WORK;
    TRY(clearing_parse(value, &job));
    TRY(clear_range(txn, prefix, &job, QUEUE_TAG_LEASE, &job.lease_from, below, clear_lease, &left));
    TRY(clear_range(txn, prefix, &job, QUEUE_TAG_MESSAGE, &job.new_from, below, NULL, &left));
    TRY(clear_range(txn, prefix, &job, QUEUE_TAG_GROUPED, &job.grouped_from, below, clear_grouped, &left));
    TRY(clear_range(txn, prefix, &job, QUEUE_TAG_RING, &job.ring_from, job.ring_below, NULL, &left));
    TRY(clear_range(txn, prefix, &job, QUEUE_TAG_NOISY, &job.noisy_from, job.noisy_below, NULL, &left));
    if (left == 0)
        clearing_set(txn, prefix, &job);
    return OK;
}

#include "core/queue_group.h"

#include "base/bug.h"

/* The order of FIFO queues (SQS developer guide, "Amazon SQS FIFO queue delivery logic").
 *
 * A group can be received while its first message is visible: neither delayed nor in flight. Then it stands in the ring.
 * A receive gives as many messages of one group as there are, in their order, up to the first that is in flight, and goes
 * on with the next group. A group that can be received again goes to the end of the ring. A message stays in its group
 * (g) until it is deleted, and `head` is always the first. How many there are is not counted beyond one, so that a send
 * to a group that has messages need not write its record. */

/* Whether the message, which exists, is neither delayed nor in flight. */
static Error is_visible(Txn *txn, Slice prefix, uint64_t seq, bool *visible)
{
    Lease lease;
    bool leased;
    TRY(queue_lease_get(txn, prefix, seq, &lease, &leased));
    *visible = !leased || lease.status == LEASE_READY;
    return OK;
}

/* Lets the group's place in the ring be what its first message asks for. */
static Error settle(Txn *txn, Slice prefix, QueueState *state, Group *group)
{
    bool visible = false;
    if (group->count > 0)
        TRY(is_visible(txn, prefix, group->head, &visible));
    if (visible && group->turn == 0)
        queue_ring_enter(txn, prefix, state, group, false);
    else if (!visible && group->turn != 0)
        queue_ring_leave(txn, prefix, state, group);
    return OK;
}

/* The messages below `seq` are gone: finds the first that is left, if there is one. */
static Error find_head(Txn *txn, Slice prefix, const QueueState *state, Group *group, uint64_t seq)
{
    Slice value;
    bool found = false;
    group->head = seq;
    if (group->count > 1) {
        Slice keys = queue_members(txn, prefix, state->epoch, group->name);
        TRY(queue_list_first(txn, &(QueueList){keys, &group->head, state->next_seq}, &value, &found));
    }
    group->count = found ? group->count : 0;
    return OK;
}

/* ---- What happens to a message ---- */

void queue_fifo_added(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq, bool visible,
                      bool *changed)
{
    queue_member_put(txn, prefix, state, group, seq);
    *changed = group->count < 2;
    group->count += *changed ? 1 : 0;
    if (group->count > 1)
        return;
    group->head = seq;
    if (visible)
        queue_ring_enter(txn, prefix, state, group, false);
}

void queue_fifo_returned(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq)
{
    if (seq == group->head && group->turn == 0)
        queue_ring_enter(txn, prefix, state, group, false);
}

Error queue_fifo_removed(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq)
{
    queue_member_delete(txn, prefix, state, group, seq);
    if (seq != group->head)
        return OK;
    TRY(find_head(txn, prefix, state, group, seq + 1));
    return settle(txn, prefix, state, group);
}

/* ---- Receive ---- */

/* A walk over the messages of one group. */
typedef struct GroupWalk {
    Receiving *receiving;
    Group *group;
    uint64_t kept;  /* the first message that stays in the group, handed out or not; 0: none was met */
    uint64_t after; /* no message that was met stands at or behind */
    size_t taken;
    size_t removed;
} GroupWalk;

/* Offers the message; `goes_on` tells whether the next one may follow it. */
static Error walk_message(GroupWalk *walk, uint64_t seq, bool *goes_on)
{
    Receiving *receiving = walk->receiving;
    Txn *txn = receiving->txn;
    Slice prefix = receiving->queue->prefix;
    Lease lease;
    Offer offer = OFFER_FULL;
    bool found;
    Slice value;
    TRY(queue_lease_get(txn, prefix, seq, &lease, &found));
    if (!found)
        lease = (Lease){.body_tag = QUEUE_TAG_GROUPED, .group = walk->group->name};
    bool hidden = found && lease.status != LEASE_READY;
    if (!hidden) {
        TRY(txn_get(txn, queue_key(txn, prefix, QUEUE_TAG_GROUPED, seq), &value, &found));
        ASSERT(found);
        TRY(queue_offer(receiving, seq, &lease, value, &offer));
    }
    *goes_on = offer != OFFER_FULL;
    walk->after = seq + 1;
    if (offer == OFFER_DROPPED) {
        queue_member_delete(txn, prefix, receiving->state, walk->group, seq);
        walk->removed += 1;
        return OK;
    }
    walk->kept = walk->kept != 0 ? walk->kept : seq;
    walk->taken += offer == OFFER_TAKEN ? 1 : 0;
    return OK;
}

static Error walk_group(GroupWalk *walk)
{
    Receiving *receiving = walk->receiving;
    Txn *txn = receiving->txn;
    const Group *group = walk->group;
    bool goes_on;
    TRY(walk_message(walk, group->head, &goes_on));
    if (group->count == 1 || !goes_on || !queue_wants_more(receiving))
        return OK;
    Slice keys = queue_members(txn, receiving->queue->prefix, receiving->state->epoch, group->name);
    const KeyRange rest = {queue_list_key(txn, keys, group->head + 1),
                           queue_list_key(txn, keys, receiving->state->next_seq)};
    Cursor *cursor = txn_scan(txn, rest, SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error = OK;
    while (goes_on && queue_wants_more(receiving) && (error = cursor_next(cursor, &key, &value)) == OK &&
           key.data != NULL) {
        uint64_t seq;
        key = slice_skip(key, keys.size);
        if ((error = key_take_uint64(&key, &seq)) != OK || (error = walk_message(walk, seq, &goes_on)) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

/* Takes from a group of the ring. `used` tells whether it has left its place there. */
static Error take_group(Receiving *receiving, Slice name, bool *used)
{
    Txn *txn = receiving->txn;
    Slice prefix = receiving->queue->prefix;
    QueueState *state = receiving->state;
    Group group;
    TRY(queue_group_get(txn, prefix, state, name, &group));
    ASSERT(group.stored && group.turn != 0);
    GroupWalk walk = {.receiving = receiving, .group = &group};
    TRY(walk_group(&walk));
    *used = walk.taken + walk.removed > 0;
    if (!*used)
        return OK;
    queue_ring_leave(txn, prefix, state, &group);
    receiving->consumed += 1;
    if (walk.kept != 0)
        group.head = walk.kept;
    else
        TRY(find_head(txn, prefix, state, &group, walk.after));
    TRY(settle(txn, prefix, state, &group));
    queue_group_put(txn, prefix, state, &group);
    return OK;
}

Error queue_fifo_take(Receiving *receiving)
{
    Txn *txn = receiving->txn;
    QueueState *state = receiving->state;
    /* Up to the turns of now: a group that this very receive puts back is not taken from twice. */
    const QueueList ring = {queue_list_keys(txn, receiving->queue->prefix, QUEUE_TAG_RING), &state->ring_head,
                            state->ring_next};
    bool used = true;
    while (used && queue_wants_more(receiving) && state->ring_count > 0) {
        Slice value;
        Slice name;
        bool found;
        TRY(queue_list_first(txn, &ring, &value, &found));
        if (!found)
            return OK;
        TRY(queue_ring_parse(value, &name));
        TRY(take_group(receiving, arena_copy(txn_arena(txn), name), &used));
    }
    return OK;
}

#include "core/queue_group.h"

#include "base/bug.h"

/* Receives that can be repeated: what one of them gave is remembered under its attempt's id (queue_dedup.c) as a number
 * of messages, each with its sequence number, and the nonce and end of the lease that the receive wrote. As long as the
 * leases say the same, nothing has happened to the messages since. */

/* Gives one message again and hides it anew. */
static Error give_again(Receiving *receiving, uint64_t seq, uint64_t nonce, uint64_t due_ms)
{
    Txn *txn = receiving->txn;
    Slice prefix = receiving->queue->prefix;
    uint64_t visibility_ms = receiving->request->visibility_ms;
    Lease lease;
    bool found;
    Slice value;
    StoredMessage stored;
    if (due_ms <= txn_now(txn))
        return QUEUE_ATTEMPT_SPENT;
    TRY(queue_lease_get(txn, prefix, seq, &lease, &found));
    if (!found || lease.status != LEASE_IN_FLIGHT || lease.nonce != nonce || lease.due_ms != due_ms)
        return QUEUE_ATTEMPT_SPENT;
    TRY(txn_get(txn, queue_key(txn, prefix, lease.body_tag, seq), &value, &found));
    ASSERT(found);
    TRY(queue_message_parse(arena_copy(receiving->arena, value), receiving->arena, &stored));
    txn_timer_delete(txn, TIMER_QUEUE, due_ms, queue_key(txn, prefix, QUEUE_TAG_LEASE, seq));
    lease.due_ms = txn_now(txn) + visibility_ms;
    if (visibility_ms == 0) {
        TRY(queue_lease_ready(txn, prefix, receiving->state, seq, &lease));
    } else {
        queue_lease_put(txn, prefix, seq, &lease);
        queue_lease_timer_set(txn, prefix, receiving->queue->home, seq, &lease);
    }
    queue_describe(receiving, seq, &lease, &stored);
    return OK;
}

Error queue_attempt_repeat(Receiving *receiving, bool *repeated)
{
    Slice value;
    uint64_t count;
    TRY(queue_remembered_get(receiving->txn, receiving->queue->prefix, receiving->state, REMEMBERED_ATTEMPT,
                             &receiving->request->attempt_id, 1, &value, repeated));
    if (!*repeated)
        return OK;
    TRY(value_take_uint64(&value, &count));
    if (count > value.size)
        return ERROR_MALFORMED;
    receiving->received->items = ARENA_ARRAY(receiving->arena, ReceivedMessage, count);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t seq;
        uint64_t nonce;
        uint64_t due_ms;
        TRY(value_take_uint64(&value, &seq));
        TRY(value_take_uint64(&value, &nonce));
        TRY(value_take_uint64(&value, &due_ms));
        TRY(give_again(receiving, seq, nonce, due_ms));
    }
    return queue_attempt_keep(receiving);
}

Error queue_attempt_keep(Receiving *receiving)
{
    Txn *txn = receiving->txn;
    const ReceivedMessages *received = receiving->received;
    Buffer content = buffer_make(txn_arena(txn));
    value_add_uint64(&content, received->count);
    for (size_t i = 0; i < received->count; i++) {
        Lease lease;
        bool found;
        TRY(queue_lease_get(txn, receiving->queue->prefix, received->items[i].sequence, &lease, &found));
        ASSERT(found);
        value_add_uint64(&content, received->items[i].sequence);
        value_add_uint64(&content, lease.nonce);
        value_add_uint64(&content, lease.due_ms);
    }
    queue_remembered_put(txn, receiving->queue, receiving->state, REMEMBERED_ATTEMPT, &receiving->request->attempt_id,
                         1, &content);
    return OK;
}

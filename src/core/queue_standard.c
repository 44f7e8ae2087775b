#include "core/queue_group.h"

#include "base/bug.h"

/* ---- Send ---- */

uint64_t message_size_bytes(const Message *message)
{
    uint64_t size = message->body.size;
    for (size_t i = 0; i < message->attribute_count; i++) {
        const MessageAttribute *attribute = &message->attributes[i];
        size += attribute->name.size + attribute->type.size + attribute->value.size;
    }
    return size;
}

MessageId queue_new_message_id(Txn *txn)
{
    MessageId id;
    txn_random_bytes(txn, id.bytes, sizeof(id.bytes));
    id.bytes[6] = (unsigned char)((id.bytes[6] & 0x0f) | 0x40); /* version 4 */
    id.bytes[8] = (unsigned char)((id.bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
    return id;
}

/* Adds the message to `state`, which is the caller's to write. */
static Error append(Txn *txn, const Queue *queue, QueueState *state, StoredMessage *stored, uint64_t delay_ms)
{
    uint64_t seq = stored->seq = state->next_seq++;
    Lease lease = {.body_tag = QUEUE_TAG_MESSAGE, .sent_ms = stored->sent_ms, .group = stored->message.group};
    if (lease.group.data != NULL)
        lease.body_tag = QUEUE_TAG_GROUPED;
    else if (delay_ms > 0)
        lease.body_tag = QUEUE_TAG_DELAYED;
    queue_message_put(txn, queue_key(txn, queue->prefix, lease.body_tag, seq), stored);

    if (lease.body_tag == QUEUE_TAG_MESSAGE && state->new_count == 0)
        state->next_new = seq;
    if (delay_ms == 0) {
        *queue_new_count(state, &lease) += 1;
    } else {
        lease.due_ms = txn_now(txn) + delay_ms;
        queue_lease_turn(state, &lease, LEASE_DELAYED);
        queue_lease_put(txn, queue->prefix, seq, &lease);
        queue_lease_timer_set(txn, queue->prefix, queue->home, seq, &lease);
    }
    if (lease.group.data != NULL) {
        if (state->grouped_count++ == 0)
            state->grouped_low = seq;
        TRY(queue_group_added(txn, queue->prefix, state, lease.group, seq, delay_ms == 0));
    }
    /* A message that was moved here may be older than those that are here. */
    uint64_t expires_ms = stored->sent_ms + queue->settings.retention_ms;
    if (state->sweep_due_ms == 0 || expires_ms < state->sweep_due_ms)
        queue_sweep_at(txn, queue, state, expires_ms);
    return OK;
}

Error queue_append(Txn *txn, const Queue *queue, StoredMessage *stored, uint64_t delay_ms)
{
    QueueState state;
    TRY(queue_state_get(txn, queue->prefix, &state));
    TRY(append(txn, queue, &state, stored, delay_ms));
    queue_state_put(txn, queue->prefix, &state);
    return OK;
}

/* What a FIFO queue asks of a message; its digest stands in for an id where the queue's owner said so. */
static Error complete_for_fifo(const Queue *queue, Message *message)
{
    if (message->group.data == NULL)
        return QUEUE_GROUP_MISSING;
    if (message->dedup_id.data == NULL && queue->settings.dedup_by_content)
        message->dedup_id = message->content_id;
    return message->dedup_id.data == NULL ? QUEUE_DEDUP_MISSING : OK;
}

Error queue_send(Txn *txn, const Queue *queue, const Message *message, uint64_t delay_ms, QueueSent *sent)
{
    StoredMessage stored = {.sent_ms = txn_now(txn), .message = *message};
    bool fifo = queue->settings.fifo;
    if (fifo)
        TRY(complete_for_fifo(queue, &stored.message));
    if (message_size_bytes(message) > queue->settings.message_bytes)
        return QUEUE_MESSAGE_TOO_LONG;
    QueueState state;
    TRY(queue_state_get(txn, queue->prefix, &state));
    bool repeat = false;
    if (fifo)
        TRY(queue_dedup_find(txn, queue, &state, &stored.message, sent, &repeat));
    if (repeat)
        return OK;
    stored.id = queue_new_message_id(txn);
    TRY(append(txn, queue, &state, &stored, delay_ms));
    *sent = (QueueSent){.id = stored.id, .sequence = stored.seq};
    if (fifo)
        queue_dedup_keep(txn, queue, &state, &stored.message, sent);
    queue_state_put(txn, queue->prefix, &state);
    return OK;
}

/* ---- Receive ---- */

bool queue_wants_more(const Receiving *receiving)
{
    return receiving->received->count < receiving->max && receiving->dropped < receiving->dropped_max &&
           receiving->work < QUEUE_PAGE_WORK && !receiving->full;
}

void queue_describe(Receiving *receiving, uint64_t seq, const Lease *lease, const StoredMessage *stored)
{
    const Receipt receipt = {receiving->queue->number, seq, lease->receive_count, lease->nonce,
                             queue_message_tag(&stored->id)};
    receiving->received->items[receiving->received->count++] = (ReceivedMessage){
        .id = stored->id,
        .sequence = seq,
        .message = stored->message,
        .receipt = queue_receipt_write(receiving->arena, &receipt),
        .sent_ms = stored->sent_ms,
        .receive_count = stored->earlier_receives + lease->receive_count,
        .first_received_ms = stored->earlier_receives > 0 ? stored->first_received_ms : lease->first_received_ms,
        .dead_letter_source = stored->dead_letter_source,
    };
}

/* Hides the message; with no visibility timeout it is ready again at once. */
static Error hide(Receiving *receiving, uint64_t seq, Lease *lease)
{
    Txn *txn = receiving->txn;
    Slice prefix = receiving->queue->prefix;
    lease->due_ms = txn_now(txn) + receiving->request->visibility_ms;
    if (receiving->request->visibility_ms == 0 && lease->group.data == NULL)
        return queue_lease_ready(txn, prefix, receiving->state, seq, lease);
    if (receiving->request->visibility_ms == 0) {
        queue_lease_turn(receiving->state, lease, LEASE_READY); /* its place is its group's, whose walk goes on */
        queue_lease_put(txn, prefix, seq, lease);
        return OK;
    }
    queue_lease_turn(receiving->state, lease, LEASE_IN_FLIGHT);
    queue_lease_put(txn, prefix, seq, lease);
    queue_lease_timer_set(txn, prefix, receiving->queue->home, seq, lease);
    return OK;
}

/* Hands the message out: writes its lease, and adds it to the result. `value` is the stored message. */
static Error hand_out(Receiving *receiving, uint64_t seq, Lease *lease, Slice value, Offer *offer)
{
    Txn *txn = receiving->txn;
    uint64_t now_ms = txn_now(txn);
    ArenaMark mark = arena_mark(receiving->arena);
    value = arena_copy(receiving->arena, value);
    StoredMessage stored;
    TRY(queue_message_parse(value, receiving->arena, &stored));
    uint64_t size = message_size_bytes(&stored.message);
    if (receiving->received->count > 0 && receiving->bytes + size > receiving->request->bytes_max) {
        arena_rewind(receiving->arena, mark);
        receiving->full = true;
        *offer = OFFER_FULL;
        return OK;
    }
    if (lease->status == 0)
        *queue_new_count(receiving->state, lease) -= 1;
    lease->receive_count += 1;
    lease->first_received_ms = lease->receive_count == 1 ? now_ms : lease->first_received_ms;
    lease->received_ms = now_ms;
    lease->nonce = txn_random(txn);
    TRY(hide(receiving, seq, lease));
    queue_describe(receiving, seq, lease, &stored);
    receiving->bytes += size;
    *offer = OFFER_TAKEN;
    return OK;
}

/* The message has left: its place in its list or group is the walk's. */
static void dropped(Receiving *receiving, uint64_t seq, const Lease *lease, Slice value, Offer *offer)
{
    queue_message_forget(receiving->txn, receiving->queue->prefix, receiving->state, seq, lease);
    receiving->dropped += 1;
    receiving->work += queue_deletion_work(value);
    *offer = OFFER_DROPPED;
}

Error queue_offer(Receiving *receiving, uint64_t seq, Lease *lease, Slice value, Offer *offer)
{
    Txn *txn = receiving->txn;
    const Queue *queue = receiving->queue;
    if (lease->status == 0)
        TRY(queue_message_sent_ms(value, &lease->sent_ms));
    if (queue_expired(&queue->settings, lease->sent_ms, txn_now(txn))) {
        dropped(receiving, seq, lease, value, offer);
        return OK;
    }
    bool leaves = false;
    if (receiving->move != NULL) {
        TRY(queue_move_offer(receiving->move, value, &leaves));
        receiving->full = !leaves;
        *offer = OFFER_FULL;
    } else {
        TRY(queue_divert(txn, queue, lease, value, &leaves));
        receiving->diverted += leaves ? 1 : 0;
        if (!leaves)
            return hand_out(receiving, seq, lease, value, offer);
    }
    if (leaves)
        dropped(receiving, seq, lease, value, offer);
    return OK;
}

/* The message whose turn it is. */
static Error take_returned(Receiving *receiving, uint64_t turn, Slice value)
{
    Txn *txn = receiving->txn;
    Slice prefix = receiving->queue->prefix;
    uint64_t seq;
    Lease lease;
    bool found;
    Offer offer;
    TRY(queue_turn_parse(value, &seq));
    TRY(queue_lease_get(txn, prefix, seq, &lease, &found));
    ASSERT(found && lease.status == LEASE_READY);
    TRY(txn_get(txn, queue_key(txn, prefix, lease.body_tag, seq), &value, &found));
    ASSERT(found);
    TRY(queue_offer(receiving, seq, &lease, value, &offer));
    if (offer != OFFER_FULL)
        txn_delete(txn, queue_key(txn, prefix, QUEUE_TAG_AGAIN, turn));
    return OK;
}

static Error take_new(Receiving *receiving, uint64_t seq, Slice value)
{
    Lease lease = {.body_tag = QUEUE_TAG_MESSAGE};
    Offer offer;
    return queue_offer(receiving, seq, &lease, value, &offer);
}

/* The messages of one tag, from *bound on and below `below`: the bound goes along. There are `*count` at most. */
typedef struct Walk {
    QueueTag tag;
    uint64_t *bound;
    uint64_t below;
    const uint64_t *count;
    Error (*take)(Receiving *receiving, uint64_t number, Slice value);
} Walk;

static bool walk_goes_on(const Receiving *receiving, const Walk *walk)
{
    return queue_wants_more(receiving) && *walk->count > 0 && *walk->bound < walk->below;
}

static Error walk_take(Receiving *receiving, const Walk *walk, uint64_t number, Slice value)
{
    TRY(walk->take(receiving, number, value));
    *walk->bound = receiving->full ? number : number + 1;
    receiving->consumed += receiving->full ? 0 : 1;
    return OK;
}

static Error walk_messages(Receiving *receiving, const Walk *walk)
{
    Txn *txn = receiving->txn;
    Slice prefix = receiving->queue->prefix;
    Slice key;
    Slice value;
    /* Mostly there is no gap: looking for the next number is then far cheaper than opening a cursor. */
    while (walk_goes_on(receiving, walk)) {
        bool found;
        TRY(txn_get(txn, queue_key(txn, prefix, walk->tag, *walk->bound), &value, &found));
        if (!found)
            break;
        TRY(walk_take(receiving, walk, *walk->bound, value));
    }
    if (!walk_goes_on(receiving, walk))
        return OK;
    bool end = false;
    Cursor *cursor = txn_scan(txn, queue_range(txn, prefix, walk->tag, *walk->bound, walk->below), SCAN_FORWARD);
    Error error = OK;
    while (!end && walk_goes_on(receiving, walk) && (error = cursor_next(cursor, &key, &value)) == OK) {
        uint64_t number;
        end = key.data == NULL;
        if (end)
            break;
        if ((error = queue_key_number(key, prefix, &number)) != OK ||
            (error = walk_take(receiving, walk, number, value)) != OK)
            break;
    }
    cursor_close(cursor);
    if (end)
        *walk->bound = walk->below;
    return error;
}

bool queue_has_ungrouped(const Receiving *receiving)
{
    const QueueState *state = receiving->state;
    return (state->new_count > 0 && state->next_new < receiving->new_end) ||
           (state->again_count > 0 && state->again_head < receiving->again_end);
}

static Error take_messages(Receiving *receiving)
{
    QueueState *state = receiving->state;
    /* A message that this very receive puts back (visibility 0) is not taken twice. */
    const Walk returned = {QUEUE_TAG_AGAIN, &state->again_head, receiving->again_end, &state->again_count,
                           take_returned};
    TRY(walk_messages(receiving, &returned));
    if (state->again_count == 0)
        state->again_head = state->again_next;
    const Walk fresh = {QUEUE_TAG_MESSAGE, &state->next_new, receiving->new_end, &state->new_count, take_new};
    TRY(walk_messages(receiving, &fresh));
    if (state->new_count == 0)
        state->next_new = state->next_seq;
    return OK;
}

Error queue_take_ungrouped(Receiving *receiving, size_t max)
{
    size_t all = receiving->max;
    receiving->max = max < all ? max : all;
    Error error = take_messages(receiving);
    receiving->max = all;
    return error;
}

/* Whether there may be anything to take. */
static bool has_something(const QueueState *state)
{
    return state->ring_count + state->noisy_count > 0 || state->again_count + state->new_count > 0;
}

Error queue_take(Receiving *receiving)
{
    const QueueState *state = receiving->state;
    if (state->ring_count + state->noisy_count == 0)
        return take_messages(receiving);
    return receiving->queue->settings.fifo ? queue_fifo_take(receiving) : queue_fair_take(receiving);
}

static Error take(Receiving *receiving, bool *repeated)
{
    const ReceiveRequest *request = receiving->request;
    *repeated = false;
    receiving->received->items = ARENA_ARRAY(receiving->arena, ReceivedMessage, request->max);
    if (request->attempt_id.data != NULL)
        TRY(queue_attempt_repeat(receiving, repeated));
    if (*repeated || receiving->max == 0 || !has_something(receiving->state))
        return OK;
    TRY(queue_take(receiving));
    bool keep = request->attempt_id.data != NULL && receiving->received->count > 0;
    return keep ? queue_attempt_keep(receiving) : OK;
}

Error queue_receive(Txn *txn, const Queue *queue, const ReceiveRequest *request, Arena *arena,
                    ReceivedMessages *received)
{
    ASSERT(request->max > 0);
    *received = (ReceivedMessages){0};
    QueueState state;
    TRY(queue_state_get(txn, queue->prefix, &state));
    bool wait = request->wait_ms > 0 && !txn_timed_out(txn);
    if (state.in_flight >= request->in_flight_max && request->wait_ms == 0 && !queue->settings.fifo)
        return QUEUE_IN_FLIGHT_LIMIT;
    uint64_t room =
        request->in_flight_max - (state.in_flight < request->in_flight_max ? state.in_flight : request->in_flight_max);
    Savepoint before = txn_savepoint(txn);
    Receiving receiving = {
        .txn = txn,
        .queue = queue,
        .request = request,
        .arena = arena,
        .state = &state,
        .received = received,
        .max = request->max < room ? request->max : room,
        .dropped_max = SIZE_MAX,
        /* Up to the turns of now: a message that this very receive puts back (visibility 0) is not taken twice. */
        .again_end = state.again_next,
        .new_end = state.next_seq,
    };
    bool repeated = false;
    if (has_something(&state) || request->attempt_id.data != NULL)
        TRY(take(&receiving, &repeated));
    if (received->count == 0 && receiving.diverted == 0 && receiving.work < QUEUE_PAGE_WORK && wait) {
        txn_rollback(txn, before); /* what was dropped is dropped again, by the sweep */
        return txn_wait(txn, queue_wait_range(txn, queue), request->wait_ms);
    }
    if (received->count == 0 && receiving.dropped == 0)
        return OK;
    if (receiving.dropped > 0)
        TRY(queue_low_advance(txn, queue->prefix, &state));
    txn_took(txn, receiving.consumed);
    queue_state_put(txn, queue->prefix, &state);
    return OK;
}

/* ---- Delete, visibility ---- */

/* Whether the message of that tag is the receipt's; gives its group. */
static Error is_message(Txn *txn, const Queue *queue, QueueTag tag, const Receipt *receipt, Slice *group, bool *same)
{
    Slice value;
    StoredMessage stored;
    TRY(txn_get(txn, queue_key(txn, queue->prefix, tag, receipt->seq), &value, same));
    if (!*same)
        return OK;
    TRY(queue_message_parse(value, txn_arena(txn), &stored));
    *same = queue_message_tag(&stored.id) == receipt->message;
    *group = stored.message.group;
    return OK;
}

/* Finds the receipt's message where it stands without a lease, and makes it one of status 0. */
static Error find_unleased(Txn *txn, const Queue *queue, const QueueState *state, const Receipt *receipt, Lease *lease,
                           bool *same)
{
    *lease = (Lease){.body_tag = QUEUE_TAG_MESSAGE};
    *same = false;
    if (state->new_count > 0 && receipt->seq >= state->next_new)
        TRY(is_message(txn, queue, lease->body_tag, receipt, &lease->group, same));
    if (*same || state->grouped_count == 0 || receipt->seq < state->grouped_low)
        return OK;
    lease->body_tag = QUEUE_TAG_GROUPED;
    return is_message(txn, queue, lease->body_tag, receipt, &lease->group, same);
}

/* What a receipt is to the message that it names. */
typedef enum Hold {
    HOLD_NONE,  /* the message is gone */
    HOLD_OLDER, /* it was received again since */
    HOLD_LAST,  /* its last receive was the receipt's */
} Hold;

/* Finds the receipt's message and its lease. A receipt of a later receive than the lease tells of is one whose lease was
 * lost with the process before it was durable: it holds the message as well. So it is with a message that has no lease
 * and is new again: lease->status is 0 then. */
static Error find_hold(Txn *txn, const Queue *queue, const QueueState *state, const Receipt *receipt, Lease *lease,
                       Hold *hold)
{
    *hold = HOLD_NONE;
    if (receipt->seq < state->purged_below)
        return OK;
    bool found;
    bool same;
    Slice group;
    TRY(queue_lease_get(txn, queue->prefix, receipt->seq, lease, &found));
    if (found && receipt->receive_count == lease->receive_count && receipt->nonce == lease->nonce) {
        *hold = HOLD_LAST;
        return OK;
    }
    if (found)
        TRY(is_message(txn, queue, lease->body_tag, receipt, &group, &same));
    else
        TRY(find_unleased(txn, queue, state, receipt, lease, &same));
    if (same)
        *hold = receipt->receive_count > lease->receive_count ? HOLD_LAST : HOLD_OLDER;
    return OK;
}

Error queue_delete(Txn *txn, const Queue *queue, Slice receipt_text)
{
    Receipt receipt;
    QueueState state;
    Lease lease;
    Hold hold;
    TRY(queue_receipt_read(txn_arena(txn), receipt_text, queue->number, &receipt));
    TRY(queue_state_get(txn, queue->prefix, &state));
    TRY(find_hold(txn, queue, &state, &receipt, &lease, &hold));
    if (hold == HOLD_NONE)
        return OK;
    /* What another receiver may have got meanwhile is not deleted from under it: the order would be lost. */
    if (queue->settings.fifo && (hold == HOLD_OLDER || lease.status != LEASE_IN_FLIGHT || lease.due_ms <= txn_now(txn)))
        return QUEUE_RECEIPT_EXPIRED;
    if (hold == HOLD_OLDER)
        return OK;
    TRY(queue_message_remove(txn, queue->prefix, &state, receipt.seq, &lease));
    TRY(queue_low_advance(txn, queue->prefix, &state));
    queue_state_put(txn, queue->prefix, &state);
    return OK;
}

Error queue_change_visibility(Txn *txn, const Queue *queue, Slice receipt_text, uint64_t visibility_ms)
{
    Receipt receipt;
    QueueState state;
    Lease lease;
    Hold hold;
    TRY(queue_receipt_read(txn_arena(txn), receipt_text, queue->number, &receipt));
    TRY(queue_state_get(txn, queue->prefix, &state));
    TRY(find_hold(txn, queue, &state, &receipt, &lease, &hold));
    if (hold == HOLD_NONE)
        return QUEUE_MESSAGE_GONE;
    uint64_t now_ms = txn_now(txn);
    if (lease.status != LEASE_IN_FLIGHT || lease.due_ms <= now_ms)
        return QUEUE_MESSAGE_NOT_IN_FLIGHT;
    /* Held so far, in whole seconds as the limit is: right after a receive, the full 12 hours may be asked for. */
    uint64_t held_ms = now_ms < lease.received_ms ? 0 : (now_ms - lease.received_ms) / 1000 * 1000;
    if (held_ms + visibility_ms > QUEUE_IN_FLIGHT_MAX_MS)
        return QUEUE_VISIBILITY_TOO_LONG;

    txn_timer_delete(txn, TIMER_QUEUE, lease.due_ms, queue_key(txn, queue->prefix, QUEUE_TAG_LEASE, receipt.seq));
    if (visibility_ms == 0) {
        TRY(queue_lease_ready(txn, queue->prefix, &state, receipt.seq, &lease));
        queue_state_put(txn, queue->prefix, &state);
        return OK;
    }
    lease.due_ms = now_ms + visibility_ms;
    queue_lease_put(txn, queue->prefix, receipt.seq, &lease);
    queue_lease_timer_set(txn, queue->prefix, queue->home, receipt.seq, &lease);
    return OK;
}

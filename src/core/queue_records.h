/* queue_records.h: the keys and values of a queue; private to core/queue*.c.
 *
 * (account, region, KIND_QUEUE_NAME, name) holds the queue's own record, or the trace of a deleted one; one read opens
 * a queue. Everything else stands under the queue's prefix (account, region, KIND_QUEUE, number) with a tag:
 *   h        the state: bounds and counts, rewritten by each body (the writer keeps one put of a key a group)
 *   m[seq]   a message sent without delay; written once, deleted once
 *   d[seq]   a message sent with a delay: where the walk over new messages never meets it
 *   l[seq]   its lease: every message but the new ones has one, which tells its state
 *   r[turn]  the messages that came back, in the order in which they did
 * A message is new (in m, at or past state.next_new, no lease), delayed, in flight, or ready again. So a send writes m
 * and h; a receive l, a timer and h; a delete removes m, l and the timer and writes h.
 * Walks begin at bounds that are kept in the state, so that none meets what was deleted long ago: new messages at
 * `next_new`, returned ones at `again_head` (turns, not sequence numbers, so that the bound is exact), leases at
 * `lease_low`. The tags of what makes a receive worthwhile, m and r, are adjacent: receivers wait on the one range. */
#ifndef BRUME_CORE_QUEUE_RECORDS_H
#define BRUME_CORE_QUEUE_RECORDS_H

#include "core/queue.h"
#include "store/key.h"

typedef enum QueueTag {
    QUEUE_TAG_DELAYED = 'd',
    QUEUE_TAG_STATE = 'h',
    QUEUE_TAG_LEASE = 'l',
    QUEUE_TAG_MESSAGE = 'm',
    QUEUE_TAG_AGAIN = 'r',
    QUEUE_TAG_CLEARING = 'x', /* in timers only: a deletion job */
} QueueTag;

/* ---- The state ---- */

typedef struct QueueState {
    uint64_t next_seq;     /* of the next message */
    uint64_t next_new;     /* no new message stands below */
    uint64_t lease_low;    /* no lease stands below */
    uint64_t again_head;   /* no turn stands below */
    uint64_t again_next;   /* the next turn */
    uint64_t new_count;    /* new messages */
    uint64_t again_count;  /* ready again */
    uint64_t in_flight;    /* in flight */
    uint64_t delayed;      /* delayed */
    uint64_t purged_below; /* messages below are gone, though a job may still have to delete them */
    uint64_t purged_ms;    /* when; 0: never */
    uint64_t sweep_due_ms; /* of the sweep's timer; 0: none is set */
    uint64_t released;     /* leases deleted since lease_low was looked up */
} QueueState;

/* QUEUE_NOT_FOUND: the queue was deleted since (timers). */
Error queue_state_get(Txn *txn, Slice prefix, QueueState *state);
void queue_state_put(Txn *txn, Slice prefix, const QueueState *state);

/* ---- Leases ---- */

typedef enum LeaseStatus { LEASE_DELAYED = 1, LEASE_IN_FLIGHT = 2, LEASE_READY = 3 } LeaseStatus;

typedef struct Lease {
    LeaseStatus status;
    QueueTag body_tag; /* where the message stands */
    uint64_t sent_ms;
    uint64_t due_ms; /* delayed, in flight: when it can be seen, which is when its timer is due */
    uint64_t turn;   /* ready: its key in the list of those */
    uint64_t receive_count;
    uint64_t first_received_ms;
    uint64_t received_ms;
    uint64_t nonce; /* of the last receive */
    Slice group;    /* the message's; absent: none. A view into the stored value */
} Lease;

Error queue_lease_get(Txn *txn, Slice prefix, uint64_t seq, Lease *lease, bool *found);
void queue_lease_put(Txn *txn, Slice prefix, uint64_t seq, const Lease *lease);
Error queue_lease_parse(Slice value, Lease *lease);

/* Gives the lease its status, and keeps the state's counts by status right. */
void queue_lease_turn(QueueState *state, Lease *lease, LeaseStatus status);

/* Deletes the message, its lease, its timer or turn, and counts. */
void queue_lease_forget(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, const Lease *lease);

/* Puts the message at the end of those that came back: it can be received now. Its timer is the caller's. */
void queue_lease_ready(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, Lease *lease);

/* The message of an entry in that list. */
Error queue_turn_parse(Slice value, uint64_t *seq);

/* ---- Messages ---- */

typedef struct StoredMessage {
    uint64_t seq; /* its key, by queue_append; not part of the value */
    MessageId id;
    uint64_t sent_ms;
    Message message;
    /* Of a message that was moved here from a queue whose dead-letter queue this is. */
    Slice dead_letter_source;   /* that queue's name; absent: it was not */
    uint64_t earlier_receives;  /* before it was moved */
    uint64_t first_received_ms; /* by them */
} StoredMessage;

/* `stored` holds views into `value`, the attributes excepted (in `arena`). */
Error queue_message_parse(Slice value, Arena *arena, StoredMessage *stored);
/* The first part of the same. */
Error queue_message_sent_ms(Slice value, uint64_t *sent_ms);
void queue_message_put(Txn *txn, Slice key, const StoredMessage *stored);

/* Adds a message as it is, whatever its size, to be seen after `delay_ms`: sending, and moving from another queue.
 * Gives stored->seq. */
Error queue_append(Txn *txn, const Queue *queue, StoredMessage *stored, uint64_t delay_ms);

/* ---- The queue's own record ---- */

typedef struct QueueRecord {
    bool deleted; /* only the trace of a deleted queue, and when */
    uint64_t deleted_ms;
    uint64_t number;
    QueueSettings settings;
    uint64_t created_ms;
    uint64_t modified_ms;
} QueueRecord;

Error queue_record_get(Txn *txn, Slice key, QueueRecord *record, bool *found);
Error queue_record_parse(Slice value, Arena *arena, QueueRecord *record);
void queue_record_put(Txn *txn, Slice key, const QueueRecord *record);

/* ---- Keys ---- */

Slice queue_key(Txn *txn, Slice prefix, QueueTag tag, uint64_t number);
Slice queue_state_key(Txn *txn, Slice prefix);
/* The number of a key of that prefix. */
Error queue_key_number(Slice key, Slice prefix, uint64_t *number);
/* [tag `first`, tag `last`] from `number` on; `below` 0: to the end. */
KeyRange queue_range(Txn *txn, Slice prefix, QueueTag tag, uint64_t number, uint64_t below);
/* What a waiting receiver waits on: the same for all of one queue. */
KeyRange queue_wait_range(Txn *txn, Slice prefix);

/* ---- Receipts (queue_receipt.c) ---- */

/* What a receipt handle tells: which receive of which message. */
typedef struct Receipt {
    uint64_t number; /* the queue's */
    uint64_t seq;
    uint64_t receive_count;
    uint64_t nonce;
    uint64_t message; /* queue_message_tag */
} Receipt;

/* Tells messages apart that had the same sequence number, one of them never durable: the head of its id. */
uint64_t queue_message_tag(const MessageId *id);

Slice queue_receipt_write(Arena *arena, const Receipt *receipt);
/* QUEUE_RECEIPT_INVALID: not made by queue_receipt_write, or for another queue. */
Error queue_receipt_read(Arena *arena, Slice text, uint64_t number, Receipt *receipt);

/* ---- Timers and the sweep (queue_sweep.c) ---- */

/* How much one body deletes, be it a sweep, a deletion job, or a receive on its way: few enough messages for the
 * writer's other callers not to notice, and far below STORE_TXN_KEYS. A message on its way is read before it is deleted,
 * so that a large one counts as many. */
enum { QUEUE_PAGE_WORK = 250, QUEUE_BYTES_PER_WORK = 16 << 10 };

/* The share of a page that the deletion of this key takes. */
static inline size_t queue_deletion_work(Slice value)
{
    return 1 + value.size / QUEUE_BYTES_PER_WORK;
}

/* The timer of a lease that is delayed or in flight. */
void queue_lease_timer_set(Txn *txn, Slice prefix, Home home, uint64_t seq, const Lease *lease);

/* Whether a message of that age has passed the queue's retention. */
static inline bool queue_expired(const QueueSettings *settings, uint64_t sent_ms, uint64_t now_ms)
{
    return sent_ms + settings->retention_ms <= now_ms;
}

/* Sets the sweep's timer, instead of the one that is set. */
void queue_sweep_at(Txn *txn, const Queue *queue, QueueState *state, uint64_t due_ms);
void queue_sweep_cancel(Txn *txn, const Queue *queue, QueueState *state);

/* Starts the job that deletes leases from state->lease_low and new messages from state->next_new on, both below
 * state->next_seq, with all that belongs to them. */
void queue_clear_start(Txn *txn, const Queue *queue, const QueueState *state);

/* After leases were deleted: keeps state->lease_low near the first one. */
Error queue_lease_low_advance(Txn *txn, Slice prefix, QueueState *state);

/* Sets the timer that removes a deleted queue's trace. */
void queue_name_rest(Txn *txn, const Queue *queue, uint64_t due_ms);

#endif

/* queue_records.h: the keys and values of a queue; private to core/queue*.c.
 *
 * (account, region, KIND_QUEUE_NAME, name) holds the queue's own record, or the trace of a deleted one; one read opens
 * a queue. Everything else stands under the queue's prefix (account, region, KIND_QUEUE, number) with a tag:
 *   h        the state: bounds and counts, rewritten by each body (the writer keeps one put of a key a group)
 *   m[seq]   a message sent without delay; written once, deleted once
 *   d[seq]   a message sent with a delay: where the walk over new messages never meets it
 *   f[seq]   a message of a group, delayed or not (queue_group.h: what else its group has)
 *   l[seq]   its lease: every message but the new ones has one, which tells its state
 *   r[turn]  the messages without a group that came back, in the order in which they did
 *   t[n]     the last move tasks of which the queue is the source (queue_move.c)
 *   k[epoch][bucket]…  what is remembered for a while (queue_dedup.c)
 * A message is new (no lease; without a group: in m, at or past state.next_new), delayed, in flight, or ready again. So a
 * send writes m and h; a receive l, a timer and h; a delete removes m, l and the timer and writes h.
 * Walks begin at bounds that are kept in the state, so that none meets what was deleted long ago: new messages at
 * `next_new`, returned ones at `again_head` (turns, not sequence numbers, so that the bound is exact), leases at
 * `lease_low`, messages of groups at `grouped_low`. The tags of what makes a receive worthwhile stand together, from m
 * to r: receivers wait on the one range.
 * An epoch ends with each purge: what stands under an older one is gone, though a job may still have to delete it.
 * Two indexes stand beside: (account, region, KIND_QUEUE_SOURCE, dead-letter queue, source) for each queue that has a
 * dead-letter queue, by names; (account, region, KIND_QUEUE_MOVING, number) for each queue with a running move task. */
#ifndef BRUME_CORE_QUEUE_RECORDS_H
#define BRUME_CORE_QUEUE_RECORDS_H

#include "core/queue.h"
#include "store/key.h"

typedef enum QueueTag {
    QUEUE_TAG_GROUP = 'G',
    QUEUE_TAG_BACK = 'b',
    QUEUE_TAG_DELAYED = 'd',
    QUEUE_TAG_GROUPED = 'f',
    QUEUE_TAG_MEMBER = 'g',
    QUEUE_TAG_STATE = 'h',
    QUEUE_TAG_REMEMBERED = 'k',
    QUEUE_TAG_LEASE = 'l',
    QUEUE_TAG_MESSAGE = 'm',
    QUEUE_TAG_RING = 'p',
    QUEUE_TAG_NOISY = 'q',
    QUEUE_TAG_AGAIN = 'r',
    QUEUE_TAG_MOVE = 't',
    QUEUE_TAG_CLEARING = 'x', /* in timers only: a deletion job */
    QUEUE_TAG_RETIMING = 'y', /* in timers only: a job that applies a new delay */
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
    uint64_t released;     /* messages deleted since lease_low and grouped_low were looked up */
    /* Groups (schema 2). */
    uint64_t fifo;            /* 1: a FIFO queue */
    uint64_t epoch;           /* one more with each purge */
    uint64_t grouped_low;     /* no message of a group stands below, while there is one */
    uint64_t grouped_count;   /* messages of groups, whatever their state */
    uint64_t grouped_visible; /* of them: new or ready again, though their group may hold them back */
    uint64_t groups;          /* that have messages */
    uint64_t ring_head;       /* no turn of the ring stands below */
    uint64_t ring_next;       /* the next turn */
    uint64_t ring_count;      /* groups in the ring */
    uint64_t noisy_head;      /* the same of the ring of noisy groups */
    uint64_t noisy_next;
    uint64_t noisy_count;
    uint64_t busy_ms; /* recent processing time (queue_fair.c), as of busy_at_ms */
    uint64_t busy_at_ms;
    uint64_t ungrouped_turn; /* 1: after a group's message comes one without a group */
    uint64_t bucket;         /* the last one in which something is remembered; 0: none */
    uint64_t earlier_bucket; /* the one before it */
} QueueState;

/* QUEUE_NOT_FOUND: the queue was deleted since (timers). */
Error queue_state_get(Txn *txn, Slice prefix, QueueState *state);
void queue_state_put(Txn *txn, Slice prefix, const QueueState *state);
/* The members about groups as they are where none was ever used. */
void queue_state_without_groups(QueueState *state);

/* ---- Leases ---- */

typedef enum LeaseStatus { LEASE_DELAYED = 1, LEASE_IN_FLIGHT = 2, LEASE_READY = 3 } LeaseStatus;

typedef struct Lease {
    LeaseStatus status;
    QueueTag body_tag; /* where the message stands */
    uint64_t sent_ms;
    uint64_t due_ms; /* delayed, in flight: when it can be seen, which is when its timer is due */
    uint64_t turn;   /* ready: its key in the list of those, which is the queue's or, in fair queues, its group's */
    uint64_t receive_count;
    uint64_t first_received_ms;
    uint64_t received_ms;
    uint64_t nonce; /* of the last receive */
    Slice group;    /* the message's; absent: none. A view into the stored value */
} Lease;

Error queue_lease_get(Txn *txn, Slice prefix, uint64_t seq, Lease *lease, bool *found);
void queue_lease_put(Txn *txn, Slice prefix, uint64_t seq, const Lease *lease);
Error queue_lease_parse(Slice value, Lease *lease);

/* Gives the lease its status, and keeps the state's counts by status right. A status of 0 is that of a message that is
 * not yet counted. */
void queue_lease_turn(QueueState *state, Lease *lease, LeaseStatus status);

/* The count of new messages to which one of that lease's group (or none) belongs. */
uint64_t *queue_new_count(QueueState *state, const Lease *lease);

/* Puts the message back: it can be received now, or when its group's turn comes. Its timer is the caller's. */
Error queue_lease_ready(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, Lease *lease);

/* An entry in a list of messages that came back, and its message. */
void queue_turn_put(Txn *txn, Slice key, uint64_t seq);
Error queue_turn_parse(Slice value, uint64_t *seq);

/* Deletes the message, its lease and its timer, and counts; its place among those that came back, or in its group, is
 * the caller's. lease->status 0: a new message, of which the lease tells body_tag and group alone. */
void queue_message_forget(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, const Lease *lease);

/* The same, its place included. */
Error queue_message_remove(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, const Lease *lease);

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

/* A random UUID (RFC 9562, version 4). */
MessageId queue_new_message_id(Txn *txn);

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
/* What a waiting receiver waits on: the same for all of one queue. On FIFO queues the ring alone: what is sent to a group
 * that must wait wakes nobody. */
KeyRange queue_wait_range(Txn *txn, const Queue *queue);

/* Numbers in order, each a key that begins with `keys`. No number stands below *first; those from `below` on are not
 * looked at. */
typedef struct QueueList {
    Slice keys;
    uint64_t *first;
    uint64_t below;
} QueueList;

/* The first of the list, to which *first goes along. */
Error queue_list_first(Txn *txn, const QueueList *list, Slice *value, bool *found);
Slice queue_list_key(Txn *txn, Slice keys, uint64_t number);
/* The list of all keys of that tag. */
Slice queue_list_keys(Txn *txn, Slice prefix, QueueTag tag);

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

/* ---- Dead letters (queue_redrive.c) ---- */

/* Instead of handing out a message: appends it to the queue's dead-letter queue when it has been received often enough.
 * `value` is as stored, `lease` its last receive's; when `diverted`, the caller deletes it here. */
Error queue_divert(Txn *txn, const Queue *queue, const Lease *lease, Slice value, bool *diverted);

/* The queue's dead-letter queue was `before` and is `after` now (absent: none): keeps the index of sources. */
void queue_source_index(Txn *txn, const Queue *queue, Slice before, Slice after);

/* Whether a queue names this one as its dead-letter queue. */
Error queue_has_sources(Txn *txn, const Queue *queue, bool *has);

/* ---- Move tasks (queue_move.c) ---- */

/* A task's next page is due. `value` is what the task's timer holds behind the size of the prefix. */
Error queue_move_due(Txn *txn, Slice prefix, uint64_t number, Slice value);
/* A message that a page of a task has come to: sends it anew to where it belongs; when `moved`, the caller deletes it
 * here. Otherwise the task has failed. */
struct MovePage;
Error queue_move_offer(struct MovePage *page, Slice value, bool *moved);

/* The queue is being deleted: so are its tasks. */
Error queue_move_drop(Txn *txn, const Queue *queue);

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

/* Takes the share of a deletion from what is left of the page. */
static inline void queue_take_share(size_t *left, Slice value)
{
    size_t work = queue_deletion_work(value);
    *left -= work < *left ? work : *left;
}

/* What each timer's value begins with: a schema byte and the size of the prefix in its id. */
enum { QUEUE_TIMER_SCHEMA = 1 };
Buffer queue_timer_value(Txn *txn, Slice prefix);

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

/* After messages were deleted: keeps state->lease_low and state->grouped_low near the first ones. */
Error queue_low_advance(Txn *txn, Slice prefix, QueueState *state);

/* Starts the job that gives each delayed message of a FIFO queue the delay that the queue has now (SQS developer guide,
 * "Amazon SQS delay queues": on FIFO queues a new delay holds for messages that are in the queue too). */
void queue_retime_start(Txn *txn, const Queue *queue);

/* ---- Deletion jobs (queue_clear.c) ---- */

/* Starts the job that deletes every message that stands below state->next_seq, with all that belongs to it. */
void queue_clear_start(Txn *txn, const Queue *queue, const QueueState *state);
/* The job's timer; `value` as queue_timer found it, behind the size of the prefix. */
Error queue_clear_due(Txn *txn, Slice prefix, uint64_t below, Slice value);

/* ---- Remembering (queue_dedup.c) ---- */

/* How long a deduplication id and a receive's attempt id are known (SQS developer guide, "Exactly-once processing"). */
enum { QUEUE_DEDUP_MS = 5 * 60 * 1000 };

/* What was sent under that id before. `found`: a repeat. */
Error queue_dedup_find(Txn *txn, const Queue *queue, const QueueState *state, const Message *message, QueueSent *first,
                       bool *found);
void queue_dedup_keep(Txn *txn, const Queue *queue, QueueState *state, const Message *message, const QueueSent *sent);

/* The value that was put under that id of that kind within QUEUE_DEDUP_MS, and when. */
typedef enum RememberedKind { REMEMBERED_SENT = 's', REMEMBERED_ATTEMPT = 't' } RememberedKind;
Error queue_remembered_get(Txn *txn, Slice prefix, const QueueState *state, RememberedKind kind, const Slice *ids,
                           size_t id_count, Slice *value, bool *found);
/* Puts it, as of now. */
void queue_remembered_put(Txn *txn, const Queue *queue, QueueState *state, RememberedKind kind, const Slice *ids,
                          size_t id_count, const Buffer *value);
/* The timer that forgets a bucket; `value` behind the size of the prefix. */
Error queue_remembered_due(Txn *txn, Slice prefix, Slice id, Slice value);

/* Sets the timer that removes a deleted queue's trace. */
void queue_name_rest(Txn *txn, const Queue *queue, uint64_t due_ms);

#endif

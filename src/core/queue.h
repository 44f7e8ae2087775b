/* queue.h: queues of messages.
 *
 * Every function runs inside a store transaction: it reads and writes keys of `txn`, never blocks, and takes time and
 * randomness from txn_now and txn_random alone, so that it can be rerun. Slices passed in stay the caller's; slices
 * given back live until the transaction ends unless an arena is passed. The home of every write is the queue itself.
 * Errors: those named here, and the store's (ERROR_MISS, ERROR_IO …), which the caller passes on. */
#ifndef BRUME_CORE_QUEUE_H
#define BRUME_CORE_QUEUE_H

#include "core/actor.h"
#include "core/core_error.h"
#include "store/store.h"

/* How long a deleted queue's name stays taken, and how long one purge keeps the next away (SQS API reference, deleting
 * and purging a queue). */
enum { QUEUE_NAME_REST_MS = 60000, QUEUE_PURGE_REST_MS = 60000 };
/* How long one receive may hold a message in all (SQS developer guide, "Visibility timeout"). */
enum { QUEUE_IN_FLIGHT_MAX_MS = 12 * 3600 * 1000 };

/* A name with a value: a tag, or a document that core keeps for the API's dialect without reading it. */
typedef struct QueueLabel {
    Slice name;
    Slice value;
} QueueLabel;

typedef struct QueueLabels {
    const QueueLabel *items;
    size_t count;
} QueueLabels;

/* Which queues may name this one as their dead-letter queue. */
typedef enum RedriveAllow { REDRIVE_ALLOW_ALL = 0, REDRIVE_ALLOW_NONE = 1, REDRIVE_ALLOW_LISTED = 2 } RedriveAllow;

/* What the owner sets. */
typedef struct QueueSettings {
    uint64_t delay_ms;      /* before a message is seen, unless the message says otherwise */
    uint64_t visibility_ms; /* that a receive hides a message, unless the receive says otherwise */
    uint64_t retention_ms;  /* after which a message is dropped, received or not */
    uint64_t wait_ms;       /* that an empty receive waits, unless the receive says otherwise */
    uint64_t message_bytes; /* largest message: body, and names, types and values of its attributes */
    /* Order (FIFO queues). `fifo` is fixed when the queue is made. */
    bool fifo;             /* messages of one group are received in the order in which they were sent */
    bool dedup_by_content; /* a message without a deduplication id has its body's digest as one */
    bool dedup_per_group;  /* deduplication ids are told apart by group */
    bool limit_per_group;  /* throughput is limited for each group, not for the queue */
    /* Dead letters. Both queues are the same account's, in the same region. */
    Slice dead_letter_queue; /* the name of the queue that gets what was received too often; absent: none */
    uint64_t max_receives;   /* receives after which the next one moves the message there */
    RedriveAllow redrive_allow;
    const Slice *redrive_sources; /* names, for REDRIVE_ALLOW_LISTED */
    size_t redrive_source_count;
    QueueLabels documents;
    QueueLabels tags;
} QueueSettings;

/* An open queue: what the functions below need to know of it. */
typedef struct Queue {
    Slice account; /* the actor's, or whoever's it was opened through */
    Slice region;
    Slice name;
    uint64_t number; /* never given twice: a queue made again under its name has another */
    QueueSettings settings;
    uint64_t created_ms;
    uint64_t modified_ms;
    Home home;
    Slice record_key; /* of the queue's own record */
    Slice prefix;     /* of every other key of the queue */
} Queue;

/* ---- Queues (queue.c) ---- */

/* The home of what is written to the queue of that name. */
Home queue_home(const Actor *actor, Slice name);

/* Makes the queue and opens it. QUEUE_EXISTS; QUEUE_DELETED_RECENTLY within QUEUE_NAME_REST_MS of its deletion. */
Error queue_create(Txn *txn, const Actor *actor, Slice name, const QueueSettings *settings, Queue *queue);

/* QUEUE_NOT_FOUND. */
Error queue_open(Txn *txn, const Actor *actor, Slice name, Queue *queue);

/* Another queue of the same account in the same region. QUEUE_NOT_FOUND. */
Error queue_open_neighbour(Txn *txn, const Queue *queue, Slice name, Queue *neighbour);

/* At most `max` names that begin with `prefix`, in order, those behind `after` (absent: from the first). `more` tells
 * whether others follow. */
typedef struct QueueNames {
    Slice *items;
    size_t count;
    bool more;
} QueueNames;
Error queue_list(Txn *txn, const Actor *actor, Slice prefix, Slice after, size_t max, QueueNames *names);

/* Replaces all settings but `fifo`; they hold for messages that are in the queue too (a shorter retention drops at once
 * what is older), the delay of a standard queue excepted. */
Error queue_change(Txn *txn, Queue *queue, const QueueSettings *settings);

/* Replaces the tags alone: no setting has changed, and so neither does `modified_ms`. */
void queue_retag(Txn *txn, Queue *queue, QueueLabels tags);

/* Exact numbers, but for messages past their retention that wait for the sweep (at most QUEUE_SWEEP_PAUSE_MS). */
typedef struct QueueCounts {
    uint64_t visible;
    uint64_t in_flight;
    uint64_t delayed;
} QueueCounts;
enum { QUEUE_SWEEP_PAUSE_MS = 1000 };
Error queue_count(Txn *txn, const Queue *queue, QueueCounts *counts);

/* When the message was sent that has been in the queue longest, in whatever state it is; 0: the queue is empty. Costs
 * two reads. Where messages were moved in behind younger ones it is the time of one of the oldest. */
Error queue_oldest(Txn *txn, const Queue *queue, uint64_t *sent_ms);

/* The queue is gone at once; its messages are deleted from the disk by a paged job. */
Error queue_drop(Txn *txn, const Queue *queue);

/* Every message that was sent before is gone at once, and so is what a FIFO queue knows of its ids; the disk is cleared by a paged job.
 * QUEUE_PURGE_IN_PROGRESS within QUEUE_PURGE_REST_MS of the last purge. */
Error queue_purge(Txn *txn, const Queue *queue);

/* ---- Messages (queue_standard.c, queue_fifo.c) ---- */

typedef struct MessageId {
    unsigned char bytes[16]; /* a random UUID (RFC 9562, version 4) */
} MessageId;

typedef struct MessageAttribute {
    Slice name;
    Slice type;  /* "String", "Number.price", "Binary" … */
    Slice value; /* text, or the bytes themselves when the type begins with "Binary" */
} MessageAttribute;

typedef struct Message {
    Slice body;
    Slice sender;     /* the principal id of who sent it */
    Slice trace;      /* absent: none */
    Slice digest;     /* of the body, as the dialect made it; absent: none. Kept so that no receive computes it again */
    Slice group;      /* absent: none. FIFO: what is kept in order; standard: the tenant that is treated fairly */
    Slice dedup_id;   /* absent: none */
    Slice content_id; /* what stands in for dedup_id on queues with dedup_by_content; absent: nothing. Not kept */
    const MessageAttribute *attributes;
    size_t attribute_count;
} Message;

/* Bytes that count against the queue's limit. */
uint64_t message_size_bytes(const Message *message);

/* What a sender is told. */
typedef struct QueueSent {
    MessageId id;
    uint64_t sequence; /* ascending in the order in which messages were added to the queue */
} QueueSent;

/* Adds one message, to be seen from txn_now() + delay_ms on.
 * A FIFO queue drops a repeat of its dedup_id within five minutes, and tells what the first sender was told, even when
 * that message was deleted since (SQS developer guide, "Exactly-once processing").
 * QUEUE_MESSAGE_TOO_LONG: message_size_bytes passes the queue's limit. On FIFO queues QUEUE_GROUP_MISSING; and
 * QUEUE_DEDUP_MISSING: neither a dedup_id nor, where the queue takes it, a content_id. */
Error queue_send(Txn *txn, const Queue *queue, const Message *message, uint64_t delay_ms, QueueSent *sent);

typedef struct ReceiveRequest {
    size_t max;             /* messages, at least 1 */
    uint64_t bytes_max;     /* of bodies and attributes; the first message is given whatever its size */
    uint64_t in_flight_max; /* of the whole queue */
    uint64_t visibility_ms; /* 0: the message stays receivable, and its receipt is good until the next receive */
    uint64_t wait_ms;       /* 0: an empty answer comes at once */
    Slice attempt_id;       /* of a receive from a FIFO queue that may have to be repeated; absent: none */
} ReceiveRequest;

typedef struct ReceivedMessage {
    MessageId id;
    uint64_t sequence; /* as its sender was told */
    Message message;
    Slice receipt; /* base64 text; good until the message is received again, over restarts too */
    uint64_t sent_ms;
    uint64_t receive_count; /* this receive included, and those from a queue that it was moved from */
    uint64_t first_received_ms;
    Slice dead_letter_source; /* the name of the queue that it was moved from; absent: none */
} ReceivedMessage;

typedef struct ReceivedMessages {
    ReceivedMessage *items;
    size_t count;
} ReceivedMessages;

/* Takes messages that can be seen: those that came back first, then the new ones in the order in which they were sent;
 * from a FIFO queue as queue_fifo.c tells. Each is hidden until it is deleted or `visibility_ms` has passed. The result
 * lives in `arena`. When there is nothing, the call is parked for up to `wait_ms` (ERROR_WAIT, to be passed on), then the
 * result is empty. It is empty at once when all that there was went to the dead-letter queue, since that has to be kept.
 * A FIFO queue that was received from with the same attempt_id in the last five minutes gives the same messages again,
 * with the same receipts, and hides them anew (SQS API reference, receiving a message).
 * QUEUE_ATTEMPT_SPENT: one of these was deleted, received again, or had its visibility timeout changed or passed.
 * QUEUE_IN_FLIGHT_LIMIT: the limit is reached, and wait_ms is 0 (waiting receives, and those from FIFO queues, come back
 * empty instead: SQS developer guide, "Amazon SQS visibility timeout", in-flight messages and quotas, and "FIFO queue
 * quotas"). */
Error queue_receive(Txn *txn, const Queue *queue, const ReceiveRequest *request, Arena *arena,
                    ReceivedMessages *received);

/* Deletes the message of that receipt. A receipt older than the message's last one deletes nothing and is no error, and
 * neither is a message that is gone (SQS API reference, deleting a message).
 * QUEUE_RECEIPT_INVALID: never given by this queue. QUEUE_RECEIPT_EXPIRED: on a FIFO queue, the visibility timeout of that
 * receive has passed or was ended (SQS API reference, receiving a message: the attempt's id). */
Error queue_delete(Txn *txn, const Queue *queue, Slice receipt);

/* Hides the message until txn_now() + visibility_ms; 0 makes it receivable at once. Any receipt of the message will do
 * while it is in flight, as SQS takes older ones too.
 * QUEUE_RECEIPT_INVALID; QUEUE_MESSAGE_GONE: deleted; QUEUE_MESSAGE_NOT_IN_FLIGHT: its visibility timeout has passed;
 * QUEUE_VISIBILITY_TOO_LONG: past QUEUE_IN_FLIGHT_MAX_MS since it was received. */
Error queue_change_visibility(Txn *txn, const Queue *queue, Slice receipt, uint64_t visibility_ms);

/* ---- Dead letters (queue_redrive.c) ----
 * A message that has been received `max_receives` times is moved to the dead-letter queue by the receive that finds it
 * once more, in that receive's transaction. It keeps its id, body, attributes and sender, and its receives go on being
 * counted. On a standard queue it keeps the time at which it was sent, so that its retention goes on; on a FIFO queue
 * that time is the move's, and its own id becomes its deduplication id (SQS developer guide, "Setting-up dead-letter
 * queue retention", "Learn how to configure a dead-letter queue redrive"). While the dead-letter queue does not exist,
 * the message is received again, and so it is in a queue that names itself. */

/* Whether the queue of that name may have `settings`, as far as its dead-letter queue is concerned.
 * QUEUE_NOT_FOUND: there is no such dead-letter queue; QUEUE_KINDS_DIFFER; QUEUE_REDRIVE_DENIED. */
Error queue_check_redrive(Txn *txn, const Actor *actor, Slice name, const QueueSettings *settings);

/* At most `max` names of queues whose dead-letter queue this one is, in order, those behind `after` (absent: from the
 * first). */
Error queue_list_sources(Txn *txn, const Queue *queue, Slice after, size_t max, QueueNames *names);

/* ---- Move tasks (queue_move.c) ----
 * A task moves what is visible in a dead-letter queue when it starts to another queue, or each message back to the queue
 * that it came from. What is in flight or delayed then, or comes later, stays. Moved messages are new ones: with an id, a
 * time and a count of receives of their own. A task is a row in the queue and a timer; each page of it is one
 * transaction over the queues involved, so that it goes on after a kill with nothing lost and nothing moved twice. */

typedef enum MoveStatus { MOVE_RUNNING = 1, MOVE_COMPLETED = 2, MOVE_CANCELLED = 3, MOVE_FAILED = 4 } MoveStatus;

typedef enum MoveFailure {
    MOVE_NO_FAILURE = 0,
    MOVE_SOURCE_UNKNOWN = 1,   /* a message that was not moved here from another queue */
    MOVE_DESTINATION_GONE = 2, /* the queue where a message should go does not exist any more */
} MoveFailure;

enum { MOVE_TASKS_KEPT = 10 }; /* of one queue (SQS API reference, listing message move tasks) */

typedef struct MoveTask {
    MessageId id; /* a random UUID */
    MoveStatus status;
    MoveFailure failure;
    Slice destination; /* a queue's name; absent: back to where each message came from */
    uint64_t rate;     /* messages a second; 0: as fast as it goes */
    uint64_t started_ms;
    uint64_t moved;   /* messages so far */
    uint64_t to_move; /* messages that were visible when it started */
} MoveTask;

/* Starts a task; `destination` NULL: back to where each message came from. `active_max` bounds the running tasks of the
 * account in the region.
 * QUEUE_NO_DEAD_LETTERS, QUEUE_MOVE_TO_ITSELF, QUEUE_KINDS_DIFFER, QUEUE_MOVE_RUNNING, QUEUE_MOVE_LIMIT. */
Error queue_move_start(Txn *txn, const Queue *queue, const Queue *destination, uint64_t rate, uint64_t active_max,
                       MoveTask *task);

/* Stops the task, between two pages; what was moved stays moved. QUEUE_MOVE_NOT_FOUND, QUEUE_MOVE_ENDED. */
Error queue_move_cancel(Txn *txn, const Queue *queue, const MessageId *id, MoveTask *task);

/* The queue's last tasks, newest first, at most `max` of the MOVE_TASKS_KEPT. */
Error queue_move_list(Txn *txn, const Queue *queue, size_t max, MoveTask *tasks, size_t *count);

/* ---- Time (queue_sweep.c) ---- */

/* The body of TIMER_QUEUE: visibility timeouts, delays, retention, deletion jobs and move tasks. `main` registers it:
 * store_on_timer(store, TIMER_QUEUE, queue_timer). */
Error queue_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value);

#endif

/* queue_group.h: the groups of a queue's messages; private to core/queue*.c.
 *
 * A group lives while it has messages. Beside the messages themselves (queue_records.h) it has, under the queue's prefix:
 *   G[epoch][group]       its record
 *   g[epoch][group][seq]  on a FIFO queue: its messages
 *   g[epoch][group][turn] otherwise: the new ones, in the order in which they were sent
 *   b[epoch][group][turn] and those that came back, in the order in which they did
 *   p[turn]               the ring: the groups that have something to give, in the order in which they will
 *   q[turn]               another ring, of those that must wait for the others
 * What that order is, and which group must wait, is told in queue_fifo.c and queue_fair.c.
 *
 * A Group is a copy of its record: read, changed by the functions below, written. While one is held, nothing else may
 * change the same group. */
#ifndef BRUME_CORE_QUEUE_GROUP_H
#define BRUME_CORE_QUEUE_GROUP_H

#include "core/queue_records.h"

typedef struct Group {
    Slice name;
    bool stored;    /* its record is on the disk */
    uint64_t count; /* messages, whatever their state; on a FIFO queue 2 for more than one, as far as it knows */
    uint64_t turn;  /* its place in a ring; 0: in none */
    uint64_t noisy; /* 1: that ring is the one of those that must wait */
    uint64_t head;  /* FIFO: its first message; otherwise no turn of a new message stands below */
    /* Fair queues. */
    uint64_t new_next;   /* the next turn of a new message */
    uint64_t new_count;  /* in g */
    uint64_t back_head;  /* no turn stands below */
    uint64_t back_next;  /* the next turn */
    uint64_t back_count; /* in b */
    uint64_t in_flight;
    uint64_t busy_ms; /* recent processing time, as of busy_at_ms */
    uint64_t busy_at_ms;
    uint64_t sent_ms; /* when the last one was added */
} Group;

/* A group that has no messages is empty, and not stored. `name` must live as long as the group. */
Error queue_group_get(Txn *txn, Slice prefix, const QueueState *state, Slice name, Group *group);
/* Writes the record, or deletes that of a group without messages. */
void queue_group_put(Txn *txn, Slice prefix, QueueState *state, Group *group);
Slice queue_group_key(Txn *txn, Slice prefix, uint64_t epoch, Slice name);
/* What the keys of the lists g and b of that group begin with. */
Slice queue_members(Txn *txn, Slice prefix, uint64_t epoch, Slice name);
Slice queue_backs(Txn *txn, Slice prefix, uint64_t epoch, Slice name);
void queue_member_put(Txn *txn, Slice prefix, const QueueState *state, const Group *group, uint64_t seq);
void queue_member_delete(Txn *txn, Slice prefix, const QueueState *state, const Group *group, uint64_t seq);

/* ---- The ring ---- */

/* At its end; `noisy`: the ring of those that must wait. */
void queue_ring_enter(Txn *txn, Slice prefix, QueueState *state, Group *group, bool noisy);
void queue_ring_leave(Txn *txn, Slice prefix, QueueState *state, Group *group);
/* The name in an entry, a view into it. */
Error queue_ring_parse(Slice value, Slice *name);

/* ---- What happens to a message of a group ---- */

/* It was added; `visible`: without delay. */
Error queue_group_added(Txn *txn, Slice prefix, QueueState *state, Slice name, uint64_t seq, bool visible);
/* It is ready again: gives its lease that status, and writes it. */
Error queue_group_returned(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, Lease *lease);
/* It was deleted (queue_message_forget). */
Error queue_group_removed(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, const Lease *lease);

/* ---- One receive, while it goes on (queue_standard.c) ---- */

typedef struct Receiving {
    Txn *txn;
    const Queue *queue;
    const ReceiveRequest *request;
    Arena *arena;
    QueueState *state;
    ReceivedMessages *received;
    size_t max;
    uint64_t bytes;     /* of the messages so far */
    size_t dropped;     /* messages met that have expired, were moved or diverted: deleted here */
    size_t dropped_max; /* of them */
    size_t diverted;    /* those that went to the dead-letter queue */
    size_t work;        /* that these were: queue_deletion_work */
    size_t consumed;    /* keys of the range that receivers wait on, used up */
    bool full;          /* the next message would pass bytes_max, or cannot be moved */
    /* Of messages without a group, those that came back and those that are new are taken up to here. */
    uint64_t again_end;
    uint64_t new_end;
    struct MovePage *move; /* what is offered is moved (queue_move.c), not handed out; NULL: a receive */
} Receiving;

bool queue_wants_more(const Receiving *receiving);
/* Takes what can be seen, in the queue's order. */
Error queue_take(Receiving *receiving);

/* What became of a message whose turn it was. */
typedef enum Offer {
    OFFER_TAKEN,   /* it was handed out; its lease is written, and tells whether it is in flight or ready again */
    OFFER_DROPPED, /* it is deleted, but for its place in its list or group */
    OFFER_FULL,    /* it was too large for what is left of the answer, or cannot be moved: nothing has happened */
} Offer;

/* Offers a message that can be seen; `value` is as stored. lease->status 0: it is new. A message that is ready again at
 * once (no visibility timeout) and has no group is back among those that came back. */
Error queue_offer(Receiving *receiving, uint64_t seq, Lease *lease, Slice value, Offer *offer);

/* Adds a message to the answer: its last receive is the lease's. */
void queue_describe(Receiving *receiving, uint64_t seq, const Lease *lease, const StoredMessage *stored);

/* ---- FIFO queues (queue_fifo.c) ----
 * Here and below, what happens to a message: the group is still to be written, unless `changed` says otherwise. */

void queue_fifo_added(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq, bool visible,
                      bool *changed);
void queue_fifo_returned(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq);
Error queue_fifo_removed(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq);
Error queue_fifo_take(Receiving *receiving);

/* ---- Fair queues (queue_fair.c) ---- */

/* A message whose lease says that it is in flight has come back or was deleted: the time since its receive counts as
 * processing time, the group's (NULL: it has none) and the queue's. */
void queue_fair_processed(QueueState *state, Group *group, const Lease *lease, uint64_t now_ms);

void queue_fair_added(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq, bool visible);
/* `lease` as it was; gives its turn. */
void queue_fair_returned(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq, Lease *lease);
Error queue_fair_removed(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq, const Lease *lease);
Error queue_fair_take(Receiving *receiving);

/* ---- Messages without a group (queue_standard.c) ---- */

/* Whether there may be one to take, and up to `max` in all of them. */
bool queue_has_ungrouped(const Receiving *receiving);
Error queue_take_ungrouped(Receiving *receiving, size_t max);

/* ---- Receives that can be repeated (queue_attempt.c) ---- */

/* Gives again what the receive of that attempt id gave; `repeated` tells whether there was one. QUEUE_ATTEMPT_SPENT. */
Error queue_attempt_repeat(Receiving *receiving, bool *repeated);
/* Remembers what this receive has given. */
Error queue_attempt_keep(Receiving *receiving);

#endif

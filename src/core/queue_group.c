#include "core/queue_group.h"

#include "base/bug.h"

enum { GROUP_SCHEMA = 1, MEMBER_SCHEMA = 1, RING_SCHEMA = 1 };

/* ---- Records ---- */

static Buffer start_key(Txn *txn, Slice prefix, QueueTag tag, uint64_t epoch, Slice name)
{
    Buffer key = buffer_make(txn_arena(txn));
    buffer_reserve(&key, prefix.size + 1 + 9 + name.size + 2 + 9);
    buffer_add(&key, prefix);
    key_add_tag(&key, (char)tag);
    key_add_uint64(&key, epoch);
    key_add_string(&key, name);
    return key;
}

Slice queue_group_key(Txn *txn, Slice prefix, uint64_t epoch, Slice name)
{
    Buffer key = start_key(txn, prefix, QUEUE_TAG_GROUP, epoch, name);
    return buffer_slice(&key);
}

Slice queue_members(Txn *txn, Slice prefix, uint64_t epoch, Slice name)
{
    Buffer key = start_key(txn, prefix, QUEUE_TAG_MEMBER, epoch, name);
    return buffer_slice(&key);
}

Slice queue_backs(Txn *txn, Slice prefix, uint64_t epoch, Slice name)
{
    Buffer key = start_key(txn, prefix, QUEUE_TAG_BACK, epoch, name);
    return buffer_slice(&key);
}

/* The record's members in their stored order; new ones are added at the end with a new schema. */
#define GROUP_MEMBERS(MEMBER)                                                                                          \
    MEMBER(count)                                                                                                      \
    MEMBER(turn)                                                                                                       \
    MEMBER(noisy)                                                                                                      \
    MEMBER(head)                                                                                                       \
    MEMBER(new_next)                                                                                                   \
    MEMBER(new_count)                                                                                                  \
    MEMBER(back_head)                                                                                                  \
    MEMBER(back_next)                                                                                                  \
    MEMBER(back_count)                                                                                                 \
    MEMBER(in_flight)                                                                                                  \
    MEMBER(busy_ms)                                                                                                    \
    MEMBER(busy_at_ms)                                                                                                 \
    MEMBER(sent_ms)

Error queue_group_get(Txn *txn, Slice prefix, const QueueState *state, Slice name, Group *group)
{
    Slice value;
    uint8_t schema;
    *group = (Group){.name = name};
    TRY(txn_get(txn, queue_group_key(txn, prefix, state->epoch, name), &value, &group->stored));
    if (!group->stored)
        return OK;
    TRY(value_take_schema(&value, &schema));
    if (schema != GROUP_SCHEMA)
        return ERROR_FORMAT;
#define MEMBER(member) TRY(value_take_uint64(&value, &group->member));
    GROUP_MEMBERS(MEMBER)
#undef MEMBER
    return OK;
}

void queue_group_put(Txn *txn, Slice prefix, QueueState *state, Group *group)
{
    Slice key = queue_group_key(txn, prefix, state->epoch, group->name);
    if (group->count == 0) {
        ASSERT(group->turn == 0);
        if (group->stored) {
            txn_delete(txn, key);
            state->groups -= 1;
        }
        group->stored = false;
        return;
    }
    Buffer value = value_start(txn_arena(txn), GROUP_SCHEMA);
#define MEMBER(member) value_add_uint64(&value, group->member);
    GROUP_MEMBERS(MEMBER)
#undef MEMBER
    txn_put(txn, key, buffer_slice(&value));
    state->groups += group->stored ? 0 : 1;
    group->stored = true;
}

void queue_member_put(Txn *txn, Slice prefix, const QueueState *state, const Group *group, uint64_t seq)
{
    Buffer value = value_start(txn_arena(txn), MEMBER_SCHEMA);
    txn_put(txn, queue_list_key(txn, queue_members(txn, prefix, state->epoch, group->name), seq), buffer_slice(&value));
}

void queue_member_delete(Txn *txn, Slice prefix, const QueueState *state, const Group *group, uint64_t seq)
{
    txn_delete(txn, queue_list_key(txn, queue_members(txn, prefix, state->epoch, group->name), seq));
}

/* ---- The ring ---- */

typedef struct Ring {
    QueueTag tag;
    uint64_t *head;
    uint64_t *next;
    uint64_t *count;
} Ring;

static Ring ring_of(QueueState *state, bool noisy)
{
    if (noisy)
        return (Ring){QUEUE_TAG_NOISY, &state->noisy_head, &state->noisy_next, &state->noisy_count};
    return (Ring){QUEUE_TAG_RING, &state->ring_head, &state->ring_next, &state->ring_count};
}

void queue_ring_enter(Txn *txn, Slice prefix, QueueState *state, Group *group, bool noisy)
{
    const Ring ring = ring_of(state, noisy);
    ASSERT(group->turn == 0);
    group->noisy = noisy;
    group->turn = (*ring.next)++;
    *ring.count += 1;
    Buffer value = value_start(txn_arena(txn), RING_SCHEMA);
    value_add_bytes(&value, group->name);
    txn_put(txn, queue_key(txn, prefix, ring.tag, group->turn), buffer_slice(&value));
}

void queue_ring_leave(Txn *txn, Slice prefix, QueueState *state, Group *group)
{
    const Ring ring = ring_of(state, group->noisy);
    ASSERT(group->turn != 0 && *ring.count > 0);
    txn_delete(txn, queue_key(txn, prefix, ring.tag, group->turn));
    group->turn = group->noisy = 0;
    *ring.count -= 1;
    if (*ring.count == 0)
        *ring.head = *ring.next;
}

Error queue_ring_parse(Slice value, Slice *name)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    return schema == RING_SCHEMA ? value_take_bytes(&value, name) : ERROR_FORMAT;
}

/* ---- What happens to a message ---- */

Error queue_group_added(Txn *txn, Slice prefix, QueueState *state, Slice name, uint64_t seq, bool visible)
{
    Group group;
    TRY(queue_group_get(txn, prefix, state, name, &group));
    bool changed = true;
    if (state->fifo)
        queue_fifo_added(txn, prefix, state, &group, seq, visible, &changed);
    else
        queue_fair_added(txn, prefix, state, &group, seq, visible);
    if (changed)
        queue_group_put(txn, prefix, state, &group);
    return OK;
}

Error queue_group_returned(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, Lease *lease)
{
    Group group;
    TRY(queue_group_get(txn, prefix, state, lease->group, &group));
    if (state->fifo)
        queue_fifo_returned(txn, prefix, state, &group, seq);
    else
        queue_fair_returned(txn, prefix, state, &group, seq, lease);
    queue_lease_turn(state, lease, LEASE_READY);
    queue_lease_put(txn, prefix, seq, lease);
    queue_group_put(txn, prefix, state, &group);
    return OK;
}

Error queue_group_removed(Txn *txn, Slice prefix, QueueState *state, uint64_t seq, const Lease *lease)
{
    Group group;
    TRY(queue_group_get(txn, prefix, state, lease->group, &group));
    ASSERT(group.count > 0);
    if (state->fifo)
        TRY(queue_fifo_removed(txn, prefix, state, &group, seq));
    else
        TRY(queue_fair_removed(txn, prefix, state, &group, seq, lease));
    queue_group_put(txn, prefix, state, &group);
    return OK;
}

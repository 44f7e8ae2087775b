#include "core/queue_group.h"

#include "base/bug.h"

/* Fair queues: standard queues whose messages have groups, one for each tenant (SQS developer guide, "How Amazon SQS fair
 * queues work").
 *
 * A group that takes up too much of the consumers is noisy. As long as others have messages to give, these go first:
 * each group of the ring gives one and goes to its end, and messages without a group, each a tenant of its own, come
 * alternately with them. Otherwise noisy groups give, the one with the fewest messages in flight first.
 * A group is a small queue of its own: what came back (b) goes before what is new (g), but before no other group's. */

/* When a group is noisy. The first three stand in the guide, and so does FAIR_SHARE_PERCENT for processing time; the
 * others are ours, for what it leaves open. */
enum {
    FAIR_SHARE_PERCENT = 10,           /* of what is in flight in the queue, and of its recent processing time */
    FAIR_IN_FLIGHT_MIN = 30,           /* messages of its own in flight */
    FAIR_SILENCE_MS = 5 * 60 * 1000,   /* a group that was sent nothing for that long is quiet */
    FAIR_HALF_LIFE_MS = 5 * 60 * 1000, /* what "recent" means: processing time counts half after that */
    FAIR_BUSY_MIN_MS = 30 * 1000,      /* recent processing time of its own, as FAIR_IN_FLIGHT_MIN for messages */
    FAIR_BUSY_EVEN_SHARES = 2,         /* and more than so many times its even share, lest few groups all be noisy */
    FAIR_NOISY_LOOK = 64,              /* noisy groups that one receive looks at: hardly more than 100 / 10 can be */
};

/* ---- Who is noisy ---- */

/* What is left of processing time that was `ms` at `at_ms`. Between halvings the line is straight. */
static uint64_t decayed(uint64_t ms, uint64_t at_ms, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms > at_ms ? now_ms - at_ms : 0;
    if (passed_ms / FAIR_HALF_LIFE_MS >= 63)
        return 0;
    ms >>= passed_ms / FAIR_HALF_LIFE_MS;
    return ms - ms * (passed_ms % FAIR_HALF_LIFE_MS) / (2 * FAIR_HALF_LIFE_MS);
}

static bool is_noisy(const QueueState *state, const Group *group, uint64_t now_ms)
{
    if (group->sent_ms + FAIR_SILENCE_MS <= now_ms)
        return false;
    if (group->in_flight >= FAIR_IN_FLIGHT_MIN && group->in_flight * 100 > state->in_flight * FAIR_SHARE_PERCENT)
        return true;
    uint64_t own_ms = decayed(group->busy_ms, group->busy_at_ms, now_ms);
    uint64_t all_ms = decayed(state->busy_ms, state->busy_at_ms, now_ms);
    return own_ms >= FAIR_BUSY_MIN_MS && own_ms * 100 > all_ms * FAIR_SHARE_PERCENT &&
           own_ms * state->groups > all_ms * FAIR_BUSY_EVEN_SHARES;
}

void queue_fair_processed(QueueState *state, Group *group, const Lease *lease, uint64_t now_ms)
{
    if (lease->status != LEASE_IN_FLIGHT || state->groups == 0 || state->fifo)
        return;
    uint64_t end_ms = now_ms < lease->due_ms ? now_ms : lease->due_ms; /* timers may fire late */
    uint64_t took_ms = end_ms > lease->received_ms ? end_ms - lease->received_ms : 0;
    state->busy_ms = decayed(state->busy_ms, state->busy_at_ms, now_ms) + took_ms;
    state->busy_at_ms = now_ms;
    if (group == NULL)
        return;
    group->busy_ms = decayed(group->busy_ms, group->busy_at_ms, now_ms) + took_ms;
    group->busy_at_ms = now_ms;
}

/* ---- What happens to a message ---- */

static bool has_visible(const Group *group)
{
    return group->new_count + group->back_count > 0;
}

static void enter(Txn *txn, Slice prefix, QueueState *state, Group *group)
{
    if (group->turn == 0)
        queue_ring_enter(txn, prefix, state, group, is_noisy(state, group, txn_now(txn)));
}

void queue_fair_added(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq, bool visible)
{
    group->count += 1;
    group->sent_ms = txn_now(txn);
    if (!visible)
        return;
    Slice members = queue_members(txn, prefix, state->epoch, group->name);
    if (group->new_count++ == 0)
        group->head = group->new_next;
    queue_turn_put(txn, queue_list_key(txn, members, group->new_next++), seq);
    enter(txn, prefix, state, group);
}

/* Puts the message to those of the group that came back. */
static void put_back(Txn *txn, Slice prefix, const QueueState *state, Group *group, uint64_t seq, Lease *lease)
{
    lease->turn = group->back_next++;
    if (group->back_count++ == 0)
        group->back_head = lease->turn;
    queue_turn_put(txn, queue_list_key(txn, queue_backs(txn, prefix, state->epoch, group->name), lease->turn), seq);
}

static void back_delete(Txn *txn, Slice prefix, const QueueState *state, Group *group, uint64_t turn)
{
    txn_delete(txn, queue_list_key(txn, queue_backs(txn, prefix, state->epoch, group->name), turn));
    ASSERT(group->back_count > 0);
    group->back_count -= 1;
}

static void new_delete(Txn *txn, Slice prefix, const QueueState *state, Group *group, uint64_t turn)
{
    txn_delete(txn, queue_list_key(txn, queue_members(txn, prefix, state->epoch, group->name), turn));
    ASSERT(group->new_count > 0);
    group->new_count -= 1;
}

/* Deletes a new message's entry wherever it stands: mostly it is the first, which expires before the others. */
static Error new_find_and_delete(Txn *txn, Slice prefix, const QueueState *state, Group *group, uint64_t seq)
{
    Slice keys = queue_members(txn, prefix, state->epoch, group->name);
    const KeyRange range = {queue_list_key(txn, keys, group->head), queue_list_key(txn, keys, group->new_next)};
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    Slice key;
    Slice value;
    uint64_t found = 0;
    uint64_t turn = 0;
    Error error = OK;
    while (found != seq && (error = cursor_next(cursor, &key, &value)) == OK) {
        ASSERT(key.data != NULL);
        key = slice_skip(key, keys.size);
        if ((error = key_take_uint64(&key, &turn)) != OK || (error = queue_turn_parse(value, &found)) != OK)
            break;
    }
    cursor_close(cursor);
    if (error == OK)
        new_delete(txn, prefix, state, group, turn);
    return error;
}

/* It is in flight no more. */
static void land(QueueState *state, Group *group, const Lease *lease, uint64_t now_ms)
{
    queue_fair_processed(state, group, lease, now_ms);
    ASSERT(group->in_flight > 0);
    group->in_flight -= 1;
}

void queue_fair_returned(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq, Lease *lease)
{
    if (lease->status == LEASE_IN_FLIGHT)
        land(state, group, lease, txn_now(txn));
    put_back(txn, prefix, state, group, seq, lease);
    enter(txn, prefix, state, group);
}

Error queue_fair_removed(Txn *txn, Slice prefix, QueueState *state, Group *group, uint64_t seq, const Lease *lease)
{
    group->count -= 1;
    if (lease->status == LEASE_IN_FLIGHT)
        land(state, group, lease, txn_now(txn));
    else if (lease->status == LEASE_READY)
        back_delete(txn, prefix, state, group, lease->turn);
    else if (lease->status == 0)
        TRY(new_find_and_delete(txn, prefix, state, group, seq));
    if (!has_visible(group) && group->turn != 0)
        queue_ring_leave(txn, prefix, state, group);
    return OK;
}

/* ---- Receive ---- */

/* A group that this receive has met. */
typedef struct Tenant {
    Group group;
    uint64_t back_below; /* turns of those that came back before this receive */
    size_t given;
    bool touched; /* it has given or dropped something */
} Tenant;

typedef struct FairTake {
    Receiving *receiving;
    Tenant *tenants;
    size_t count;
    size_t capacity;
    size_t next;      /* whose turn it is, once each group of the ring has given one */
    uint64_t ring_at; /* groups of the ring below have been met */
    uint64_t ring_below;
    uint64_t noisy_at; /* the same for noisy ones */
} FairTake;

/* Room for one more; the others move. There are not many: each group that is met gives or drops something, or is noisy. */
static Tenant *add_tenant(FairTake *take)
{
    if (take->count == take->capacity) {
        take->capacity = take->capacity == 0 ? 4 : take->capacity * 2;
        Tenant *larger = ARENA_ARRAY(txn_arena(take->receiving->txn), Tenant, take->capacity);
        if (take->count > 0)
            memcpy(larger, take->tenants, take->count * sizeof *larger);
        take->tenants = larger;
    }
    return &take->tenants[take->count++];
}

/* The next group of a ring that was not met yet, from *at on; NULL in `tenant`: there is none. */
static Error meet(FairTake *take, QueueTag ring, uint64_t *at, uint64_t below, Tenant **tenant)
{
    Txn *txn = take->receiving->txn;
    Slice prefix = take->receiving->queue->prefix;
    const QueueList list = {queue_list_keys(txn, prefix, ring), at, below};
    Slice value;
    Slice name;
    bool found;
    *tenant = NULL;
    TRY(queue_list_first(txn, &list, &value, &found));
    if (!found)
        return OK;
    TRY(queue_ring_parse(value, &name));
    *tenant = add_tenant(take);
    TRY(queue_group_get(txn, prefix, take->receiving->state, arena_copy(txn_arena(txn), name), &(*tenant)->group));
    ASSERT((*tenant)->group.turn == *at);
    (*tenant)->back_below = (*tenant)->group.back_next;
    *at += 1;
    return OK;
}

/* Meets every noisy group, so that who has become quiet meanwhile is not kept waiting by others. */
static Error meet_noisy(FairTake *take, uint64_t below)
{
    Tenant *tenant = NULL;
    if (take->receiving->state->noisy_count == 0)
        return OK;
    do {
        TRY(meet(take, QUEUE_TAG_NOISY, &take->noisy_at, below, &tenant));
    } while (tenant != NULL && take->count < FAIR_NOISY_LOOK);
    return OK;
}

static bool tenant_is_noisy(const FairTake *take, const Tenant *tenant)
{
    return is_noisy(take->receiving->state, &tenant->group, txn_now(take->receiving->txn));
}

static bool can_give(const Tenant *tenant)
{
    const Group *group = &tenant->group;
    return group->new_count > 0 || (group->back_count > 0 && group->back_head < tenant->back_below);
}

/* The group's message whose turn it is; `back`: it stands at group->back_head, and came back. */
static Error find_message(const FairTake *take, Tenant *tenant, bool *back, uint64_t *seq, Lease *lease, bool *found)
{
    Txn *txn = take->receiving->txn;
    Slice prefix = take->receiving->queue->prefix;
    const QueueState *state = take->receiving->state;
    Group *group = &tenant->group;
    Slice value;
    *back = *found = false;
    if (group->back_count > 0) {
        const QueueList backs = {queue_backs(txn, prefix, state->epoch, group->name), &group->back_head,
                                 tenant->back_below};
        TRY(queue_list_first(txn, &backs, &value, back));
    }
    if (!*back) {
        const QueueList members = {queue_members(txn, prefix, state->epoch, group->name), &group->head,
                                   group->new_next};
        TRY(queue_list_first(txn, &members, &value, found));
        if (!*found)
            return OK;
    }
    TRY(queue_turn_parse(value, seq));
    if (*back)
        return queue_lease_get(txn, prefix, *seq, lease, found);
    *lease = (Lease){.body_tag = QUEUE_TAG_GROUPED, .group = group->name};
    return OK;
}

/* The message has left the list in which it was found. */
static void leave_list(const FairTake *take, Tenant *tenant, bool back)
{
    Txn *txn = take->receiving->txn;
    Slice prefix = take->receiving->queue->prefix;
    Group *group = &tenant->group;
    if (back) {
        back_delete(txn, prefix, take->receiving->state, group, group->back_head);
        group->back_head += 1;
    } else {
        new_delete(txn, prefix, take->receiving->state, group, group->head);
        group->head += 1;
    }
    tenant->touched = true;
}

/* Takes one message of the group; expired ones on the way are dropped. */
static Error take_one(const FairTake *take, Tenant *tenant)
{
    Receiving *receiving = take->receiving;
    Txn *txn = receiving->txn;
    Slice prefix = receiving->queue->prefix;
    Offer offer = OFFER_DROPPED;
    while (offer == OFFER_DROPPED && queue_wants_more(receiving)) {
        uint64_t seq;
        Lease lease;
        Slice value;
        bool back;
        bool found;
        TRY(find_message(take, tenant, &back, &seq, &lease, &found));
        if (!found)
            return OK;
        TRY(txn_get(txn, queue_key(txn, prefix, QUEUE_TAG_GROUPED, seq), &value, &found));
        ASSERT(found);
        TRY(queue_offer(receiving, seq, &lease, value, &offer));
        if (offer == OFFER_FULL)
            return OK;
        leave_list(take, tenant, back);
        tenant->given += offer == OFFER_TAKEN ? 1 : 0;
        if (offer == OFFER_DROPPED) {
            tenant->group.count -= 1;
        } else if (lease.status == LEASE_IN_FLIGHT) {
            tenant->group.in_flight += 1;
        } else {
            put_back(txn, prefix, receiving->state, &tenant->group, seq, &lease);
            queue_lease_put(txn, prefix, seq, &lease);
        }
    }
    return OK;
}

/* The quiet group that gives next: each of the ring once, then whoever has given least. NULL: none. */
static Error next_quiet(FairTake *take, Tenant **tenant)
{
    for (;;) {
        TRY(meet(take, QUEUE_TAG_RING, &take->ring_at, take->ring_below, tenant));
        if (*tenant == NULL)
            break;
        if (!tenant_is_noisy(take, *tenant))
            return OK;
    }
    for (size_t i = 0; i < take->count; i++) {
        Tenant *candidate = &take->tenants[(take->next + i) % take->count];
        if (can_give(candidate) && !tenant_is_noisy(take, candidate) &&
            (*tenant == NULL || candidate->given < (*tenant)->given))
            *tenant = candidate;
    }
    if (*tenant != NULL)
        take->next = (size_t)(*tenant - take->tenants) + 1;
    return OK;
}

/* The noisy group that gives next; NULL: none. */
static Tenant *next_noisy(const FairTake *take)
{
    Tenant *least = NULL;
    for (size_t i = 0; i < take->count; i++) {
        Tenant *candidate = &take->tenants[i];
        if (can_give(candidate) && (least == NULL || candidate->group.in_flight < least->group.in_flight))
            least = candidate;
    }
    return least;
}

/* One message from whoever comes next; `any` tells whether there was anybody. */
static Error take_next(FairTake *take, bool *any)
{
    Receiving *receiving = take->receiving;
    QueueState *state = receiving->state;
    Tenant *tenant = NULL;
    bool ungrouped = queue_has_ungrouped(receiving);
    *any = true;
    if (!ungrouped || state->ungrouped_turn == 0)
        TRY(next_quiet(take, &tenant));
    if (tenant != NULL) {
        state->ungrouped_turn = 1;
        return take_one(take, tenant);
    }
    if (ungrouped) {
        state->ungrouped_turn = 0;
        return queue_take_ungrouped(receiving, receiving->received->count + 1);
    }
    tenant = next_noisy(take);
    *any = tenant != NULL;
    return *any ? take_one(take, tenant) : OK;
}

/* Gives the group its place: noisy ones keep theirs, quiet ones that gave go to the end. */
static void settle(const FairTake *take, Tenant *tenant)
{
    Receiving *receiving = take->receiving;
    Txn *txn = receiving->txn;
    Slice prefix = receiving->queue->prefix;
    QueueState *state = receiving->state;
    Group *group = &tenant->group;
    bool noisy = tenant_is_noisy(take, tenant);
    bool stays = has_visible(group) && noisy == (group->noisy != 0) && (noisy || !tenant->touched);
    if (!stays) {
        queue_ring_leave(txn, prefix, state, group);
        receiving->consumed += 1;
        if (has_visible(group))
            queue_ring_enter(txn, prefix, state, group, noisy);
    }
    if (!stays || tenant->touched)
        queue_group_put(txn, prefix, state, group);
}

/* The lowest place that one of those who were met still has in that ring; `at` when there is none. */
static uint64_t first_place(const FairTake *take, bool noisy, uint64_t at)
{
    for (size_t i = 0; i < take->count; i++) {
        const Group *group = &take->tenants[i].group;
        if (group->turn != 0 && (group->noisy != 0) == noisy && group->turn < at)
            at = group->turn;
    }
    return at;
}

Error queue_fair_take(Receiving *receiving)
{
    QueueState *state = receiving->state;
    FairTake take = {
        .receiving = receiving,
        .ring_at = state->ring_head,
        .ring_below = state->ring_next,
        .noisy_at = state->noisy_head,
    };
    bool any = true;
    TRY(meet_noisy(&take, state->noisy_next));
    while (any && queue_wants_more(receiving))
        TRY(take_next(&take, &any));
    for (size_t i = 0; i < take.count; i++)
        settle(&take, &take.tenants[(take.next + i) % take.count]);
    state->ring_head = first_place(&take, false, take.ring_at);
    state->noisy_head = first_place(&take, true, take.noisy_at);
    return OK;
}

#include "core/provisioner.h"

#include "base/bug.h"
#include "base/list.h"
#include "core/agent.h"
#include "core/function_concurrency.h"
#include "store/key.h"

#include <stdlib.h>

/* Keys, all under ("", "", KIND_PROVISIONED): they are looked at over all accounts.
 *   'o' account region name → a function that has, or had, provisioned executions
 *   'c' account region name → the same, where something may have changed since it was last looked at
 *   'd' line → a version that has been deleted since, as WorkerSpec names it; beside 'c', as both are waited for */
enum { TAG_CHANGED = 'c', TAG_DELETED = 'd', TAG_OWNER = 'o' };
enum { SCHEMA_MARK = 1 };

enum { KEYS_PER_RUN = 50 };

/* ---- Keys ---- */

static Buffer mark_key(Txn *txn, char tag)
{
    Buffer key = key_start(txn_arena(txn), SLICE(""), SLICE(""), KIND_PROVISIONED);
    key_add_tag(&key, tag);
    return key;
}

static Slice owner_key(Txn *txn, char tag, Slice account, Slice region, Slice name)
{
    Buffer key = mark_key(txn, tag);
    key_add_string(&key, account);
    key_add_string(&key, region);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

static void put_mark(Txn *txn, char tag, const Function *function)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_MARK);
    txn_put(txn, owner_key(txn, tag, function->account, function->region, function->name), buffer_slice(&value));
}

/* What follows the tag of a mark's key. */
static Error read_owner(Txn *txn, Slice key, ProvisionedOwner *owner)
{
    Arena *arena = txn_arena(txn);
    key = arena_copy(arena, slice_skip(key, mark_key(txn, TAG_OWNER).size));
    TRY(key_take_string(&key, arena, &owner->account));
    TRY(key_take_string(&key, arena, &owner->region));
    return key_take_string(&key, arena, &owner->name);
}

/* ---- Marks ---- */

void provisioner_add(Txn *txn, const Function *function)
{
    put_mark(txn, TAG_OWNER, function);
    put_mark(txn, TAG_CHANGED, function);
}

Error provisioner_touch(Txn *txn, const Function *function)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, owner_key(txn, TAG_OWNER, function->account, function->region, function->name), &value, &found));
    if (found)
        put_mark(txn, TAG_CHANGED, function);
    return OK;
}

void provisioner_forget(Txn *txn, const Function *function)
{
    put_mark(txn, TAG_CHANGED, function);
}

static Slice deleted_key(Txn *txn, Slice line)
{
    Buffer key = mark_key(txn, TAG_DELETED);
    key_add_string(&key, line);
    return buffer_slice(&key);
}

void provisioner_forget_version(Txn *txn, const Function *function, const FunctionVersion *version)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_MARK);
    txn_put(txn, deleted_key(txn, function_version_line(txn, function, version)), buffer_slice(&value));
}

Error provisioned_owners(Txn *txn, Slice account, Slice region, ProvisionedOwner **owners, size_t *count)
{
    Slice key;
    Slice value;
    Error error;
    size_t room = 0;
    Buffer prefix = mark_key(txn, TAG_OWNER);
    key_add_string(&prefix, account);
    key_add_string(&prefix, region);
    *owners = NULL;
    *count = 0;
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == room) {
            ProvisionedOwner *more = ARENA_ARRAY(txn_arena(txn), ProvisionedOwner, room = room * 2 + 16);
            for (size_t i = 0; i < *count; i++)
                more[i] = (*owners)[i];
            *owners = more;
        }
        if ((error = read_owner(txn, key, &(*owners)[*count])) != OK)
            break;
        (*count)++;
    }
    cursor_close(cursor);
    return error;
}

/* ---- The transaction ---- */

/* What one function is to have ready. */
typedef struct Demand {
    Slice function; /* as WorkerSpec names it */
    Slice present;  /* what its lines begin with; absent: it has been deleted */
    WorkerSpec *specs;
    uint64_t *counts;
    size_t count;
} Demand;

/* What the invoker was asked for. */
typedef struct Asked {
    struct Asked *next;
    Arena arena;
    WorkerSpec spec; /* what names it alone */
    uint64_t count;
} Asked;

struct Provisioner {
    Agent agent;
    Invoker *invoker;
    Asked *asked;
    /* Left by the transaction. */
    Demand *demands;
    size_t demand_count;
    Slice *deleted; /* lines of versions */
    size_t deleted_count;
};

static Error read_demand(Txn *txn, const ProvisionedOwner *owner, Arena *arena, Demand *demand)
{
    Function function;
    ProvisionedVersion *versions = NULL;
    size_t count = 0;
    *demand = (Demand){.function = arena_format(arena, "%.*s/%.*s/%.*s", SLICE_PRINT(owner->account),
                                                SLICE_PRINT(owner->region), SLICE_PRINT(owner->name))};
    Error error = function_open(txn, owner->account, owner->region, owner->name, &function);
    if (error == OK) {
        demand->present = arena_copy(arena, function_worker_lines(txn, &function));
        TRY(provisioned_versions(txn, &function, &versions, &count));
    } else if (error != FUNCTION_NOT_FOUND) {
        return error;
    }
    if (count == 0)
        txn_delete(txn, owner_key(txn, TAG_OWNER, owner->account, owner->region, owner->name));
    demand->specs = ARENA_ARRAY(arena, WorkerSpec, count);
    demand->counts = ARENA_ARRAY(arena, uint64_t, count);
    for (; demand->count < count; demand->count++) {
        const ProvisionedVersion *version = &versions[demand->count];
        WorkerSpec spec = function_worker_spec(txn, &function, &version->version, SLICE(""));
        demand->specs[demand->count] = worker_spec_copy(&spec, arena);
        demand->counts[demand->count] = version->count;
    }
    return OK;
}

static KeyRange range_of(Txn *txn, char tag)
{
    Buffer prefix = mark_key(txn, tag);
    return key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix));
}

static KeyRange all_owners(Txn *txn)
{
    return range_of(txn, TAG_OWNER);
}

static KeyRange changed_or_deleted(Txn *txn)
{
    return (KeyRange){range_of(txn, TAG_CHANGED).begin, range_of(txn, TAG_DELETED).end};
}

static Error take(Agent *agent, Txn *txn, const AgentKey *keys, size_t count, Arena *arena)
{
    Provisioner *provisioner = CONTAINER_OF(agent, Provisioner, agent);
    ProvisionedOwner owner;
    KeyRange deleted = range_of(txn, TAG_DELETED);
    size_t prefix = mark_key(txn, TAG_DELETED).size;
    provisioner->demands = ARENA_ARRAY(arena, Demand, count);
    provisioner->deleted = ARENA_ARRAY(arena, Slice, count);
    provisioner->demand_count = provisioner->deleted_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (slice_compare(keys[i].key, deleted.begin) >= 0 && slice_compare(keys[i].key, deleted.end) < 0) {
            Slice rest = slice_skip(keys[i].key, prefix);
            TRY(key_take_string(&rest, arena, &provisioner->deleted[provisioner->deleted_count++]));
            txn_delete(txn, keys[i].key);
            continue;
        }
        TRY(read_owner(txn, keys[i].key, &owner));
        TRY(read_demand(txn, &owner, arena, &provisioner->demands[provisioner->demand_count++]));
        txn_delete(txn, owner_key(txn, TAG_CHANGED, owner.account, owner.region, owner.name));
    }
    return OK;
}

/* ---- Asking ---- */

static void ask(Provisioner *provisioner, Asked *asked, const WorkerSpec *spec, uint64_t count)
{
    if (asked->count == count)
        return;
    asked->count = count;
    invoker_provision(provisioner->invoker, spec, count);
}

static Asked *asked_of(Provisioner *provisioner, const WorkerSpec *spec)
{
    for (Asked *asked = provisioner->asked; asked != NULL; asked = asked->next)
        if (slice_equal(asked->spec.key, spec->key))
            return asked;
    Asked *asked = calloc(1, sizeof *asked);
    ASSERT(asked != NULL);
    asked->spec = (WorkerSpec){
        .key = arena_copy(&asked->arena, spec->key),
        .line = arena_copy(&asked->arena, spec->line),
        .function = arena_copy(&asked->arena, spec->function),
        .account = arena_copy(&asked->arena, spec->account),
        .region = arena_copy(&asked->arena, spec->region),
        .name = arena_copy(&asked->arena, spec->name),
        .version = arena_copy(&asked->arena, spec->version),
        .runtime = arena_copy(&asked->arena, spec->runtime),
    };
    asked->next = provisioner->asked;
    provisioner->asked = asked;
    return asked;
}

static bool demands(const Demand *demand, const Asked *asked)
{
    for (size_t i = 0; i < demand->count; i++)
        if (slice_equal(demand->specs[i].key, asked->spec.key))
            return true;
    return false;
}

static void asked_free(Asked *asked)
{
    arena_free(&asked->arena);
    free(asked);
}

static void meet(Provisioner *provisioner, const Demand *demand)
{
    for (Asked **place = &provisioner->asked; *place != NULL;) {
        Asked *asked = *place;
        if (!slice_equal(asked->spec.function, demand->function) || demands(demand, asked)) {
            place = &asked->next;
            continue;
        }
        ask(provisioner, asked, &asked->spec, 0);
        *place = asked->next;
        asked_free(asked);
    }
    invoker_forget(provisioner->invoker, demand->function, demand->present);
    for (size_t i = 0; i < demand->count; i++)
        ask(provisioner, asked_of(provisioner, &demand->specs[i]), &demand->specs[i], demand->counts[i]);
}

static bool act(Agent *agent)
{
    Provisioner *provisioner = CONTAINER_OF(agent, Provisioner, agent);
    for (size_t i = 0; i < provisioner->demand_count; i++)
        meet(provisioner, &provisioner->demands[i]);
    for (size_t i = 0; i < provisioner->deleted_count; i++)
        invoker_forget_version(provisioner->invoker, provisioner->deleted[i]);
    return true;
}

/* ---- Life ---- */

static void provisioner_free(Agent *agent)
{
    Provisioner *provisioner = CONTAINER_OF(agent, Provisioner, agent);
    while (provisioner->asked != NULL) {
        Asked *asked = provisioner->asked;
        provisioner->asked = asked->next;
        asked_free(asked);
    }
    free(provisioner);
}

Provisioner *provisioner_open(Store *store, Invoker *invoker, Mailbox *mailbox, Log *log)
{
    Provisioner *provisioner = calloc(1, sizeof *provisioner);
    ASSERT(provisioner != NULL);
    provisioner->invoker = invoker;
    agent_start(&provisioner->agent, &(AgentOptions){.store = store,
                                                     .mailbox = mailbox,
                                                     .log = log,
                                                     .name = "provisioner",
                                                     .keys_max = KEYS_PER_RUN,
                                                     .changed = changed_or_deleted,
                                                     .all = all_owners,
                                                     .take = take,
                                                     .act = act,
                                                     .closed = provisioner_free});
    return provisioner;
}

void provisioner_close(Provisioner *provisioner)
{
    if (agent_close(&provisioner->agent))
        provisioner_free(&provisioner->agent);
}

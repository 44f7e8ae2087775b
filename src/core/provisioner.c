#include "core/provisioner.h"

#include "base/bug.h"
#include "base/list.h"
#include "core/function_concurrency.h"
#include "store/key.h"

#include <stdlib.h>

/* Keys, all under ("", "", KIND_PROVISIONED): they are looked at over all accounts.
 *   'o' account region name → a function that has, or had, provisioned executions
 *   'c' account region name → the same, where something may have changed since it was last looked at
 *   'd' line → a version that has been deleted since, as WorkerSpec names it; beside 'c', as both are waited for */
enum { TAG_CHANGED = 'c', TAG_DELETED = 'd', TAG_OWNER = 'o' };
enum { SCHEMA_MARK = 1 };

enum {
    FUNCTIONS_PER_RUN = 50,
    VERSIONS_PER_RUN = 200,
    RETRY_MS = 1000, /* after a run that failed, on the wall clock */
};

/* Longer than any process lives: a wait that ends by itself was ended because the store stops. */
static const uint64_t FOREVER_MS = 365ull * 24 * 3600 * 1000;

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

static Error scan_owners(Txn *txn, KeyRange range, size_t most, ProvisionedOwner **owners, size_t *count, Slice *last)
{
    Slice key;
    Slice value;
    Error error = OK;
    size_t room = 0;
    *owners = NULL;
    *count = 0;
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    while (*count < most && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == room) {
            ProvisionedOwner *more = ARENA_ARRAY(txn_arena(txn), ProvisionedOwner, room = room * 2 + 16);
            for (size_t i = 0; i < *count; i++)
                more[i] = (*owners)[i];
            *owners = more;
        }
        *last = arena_copy(txn_arena(txn), key);
        if ((error = read_owner(txn, key, &(*owners)[*count])) != OK)
            break;
        (*count)++;
    }
    cursor_close(cursor);
    return error;
}

Error provisioned_owners(Txn *txn, Slice account, Slice region, ProvisionedOwner **owners, size_t *count)
{
    Slice last;
    Buffer prefix = mark_key(txn, TAG_OWNER);
    key_add_string(&prefix, account);
    key_add_string(&prefix, region);
    return scan_owners(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SIZE_MAX, owners, count, &last);
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
    StoreCall call;
    Arena arena;
    Store *store;
    Invoker *invoker;
    Mailbox *mailbox;
    Log *log;
    Asked *asked;
    bool failed; /* the last run did: the next one begins after a while */
    bool ended;  /* the call is nobody's any more */
    bool closed; /* it is freed as soon as the call is back */
    /* The start: all owners are looked at, from here on; then only changes are. */
    bool started;
    Buffer after;
    Arena after_arena;
    /* Left by the body, in the call's arena: a transaction's own is the next one's. */
    Demand *demands;
    size_t demand_count;
    Slice *deleted; /* lines of versions */
    size_t deleted_count;
    Slice last;
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

/* Whatever is new. */
static KeyRange changed_range(Txn *txn)
{
    return (KeyRange){range_of(txn, TAG_CHANGED).begin, range_of(txn, TAG_DELETED).end};
}

/* Takes the lines of deleted versions. */
static Error take_deleted(Txn *txn, Provisioner *provisioner, Arena *arena)
{
    Slice key;
    Slice value;
    Error error;
    size_t count = 0;
    size_t prefix = mark_key(txn, TAG_DELETED).size;
    provisioner->deleted = ARENA_ARRAY(arena, Slice, VERSIONS_PER_RUN);
    Cursor *cursor = txn_scan(txn, range_of(txn, TAG_DELETED), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL && count < VERSIONS_PER_RUN) {
        Slice rest = arena_copy(arena, slice_skip(key, prefix));
        if ((error = key_take_string(&rest, arena, &provisioner->deleted[count])) != OK)
            break;
        count++;
    }
    cursor_close(cursor);
    TRY(error);
    for (size_t i = 0; i < count; i++)
        txn_delete(txn, deleted_key(txn, provisioner->deleted[i]));
    provisioner->deleted_count = count;
    return OK;
}

/* The next owners behind `after`, at the start; then those that have changed, or a wait for some. */
static Error find_owners(Txn *txn, Provisioner *provisioner, ProvisionedOwner **owners, size_t *count)
{
    KeyRange range = range_of(txn, provisioner->started ? TAG_CHANGED : TAG_OWNER);
    if (!provisioner->started && provisioner->after.size > 0)
        range.begin = buffer_slice(&provisioner->after);
    TRY(scan_owners(txn, range, FUNCTIONS_PER_RUN, owners, count, &provisioner->last));
    if (!provisioner->started || *count > 0 || provisioner->deleted_count > 0 || txn_timed_out(txn))
        return OK;
    return txn_wait(txn, changed_range(txn), FOREVER_MS);
}

static Error look(Txn *txn, StoreCall *call)
{
    Provisioner *provisioner = CONTAINER_OF(call, Provisioner, call);
    ProvisionedOwner *owners;
    size_t count;
    provisioner->demand_count = 0;
    provisioner->deleted_count = 0;
    provisioner->last = (Slice){0};
    if (provisioner->failed && !txn_timed_out(txn))
        return txn_wait(txn, changed_range(txn), RETRY_MS);
    TRY(take_deleted(txn, provisioner, call->arena));
    TRY(find_owners(txn, provisioner, &owners, &count));
    provisioner->last = arena_copy(call->arena, provisioner->last);
    provisioner->demands = ARENA_ARRAY(call->arena, Demand, count);
    for (size_t i = 0; i < count; i++) {
        TRY(read_demand(txn, &owners[i], call->arena, &provisioner->demands[i]));
        txn_delete(txn, owner_key(txn, TAG_CHANGED, owners[i].account, owners[i].region, owners[i].name));
    }
    provisioner->demand_count = count;
    txn_took(txn, count + provisioner->deleted_count);
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

static void looked(StoreCall *call);

static void look_again(Provisioner *provisioner)
{
    arena_free(&provisioner->arena);
    provisioner->call = (StoreCall){.body = look,
                                    .done = looked,
                                    .mailbox = provisioner->mailbox,
                                    .arena = &provisioner->arena,
                                    .home = home_of(SLICE(""), SLICE(""), SLICE("provisioner"), SLICE("")),
                                    .frees_space = true,
                                    .in_background = true};
    store_write(provisioner->store, &provisioner->call);
}

/* A wait that ended without a change, and was none after a failure, ended because the store does. */
static bool is_over(const Provisioner *provisioner, Error result)
{
    return result == ERROR_STOPPING || result == ERROR_GONE ||
           (result == OK && provisioner->started && !provisioner->failed && provisioner->demand_count == 0 &&
            provisioner->deleted_count == 0);
}

static void provisioner_free(Provisioner *provisioner)
{
    while (provisioner->asked != NULL) {
        Asked *asked = provisioner->asked;
        provisioner->asked = asked->next;
        asked_free(asked);
    }
    arena_free(&provisioner->arena);
    arena_free(&provisioner->after_arena);
    free(provisioner);
}

static void looked(StoreCall *call)
{
    Provisioner *provisioner = CONTAINER_OF(call, Provisioner, call);
    if (provisioner->closed) {
        provisioner_free(provisioner);
        return;
    }
    provisioner->ended = is_over(provisioner, call->result);
    if (provisioner->ended)
        return;
    provisioner->failed = call->result != OK;
    if (provisioner->failed)
        LOG(provisioner->log, ERROR, "provisioned_unread", log_string("reason", error_text(call->result)));
    for (size_t i = 0; !provisioner->failed && i < provisioner->demand_count; i++)
        meet(provisioner, &provisioner->demands[i]);
    for (size_t i = 0; !provisioner->failed && i < provisioner->deleted_count; i++)
        invoker_forget_version(provisioner->invoker, provisioner->deleted[i]);
    if (!provisioner->failed && !provisioner->started) {
        provisioner->started = provisioner->demand_count < FUNCTIONS_PER_RUN;
        provisioner->after.size = 0;
        buffer_add(&provisioner->after, provisioner->last);
        buffer_add_byte(&provisioner->after, '\0');
    }
    look_again(provisioner);
}

Provisioner *provisioner_open(Store *store, Invoker *invoker, Mailbox *mailbox, Log *log)
{
    Provisioner *provisioner = calloc(1, sizeof *provisioner);
    ASSERT(provisioner != NULL);
    provisioner->store = store;
    provisioner->invoker = invoker;
    provisioner->mailbox = mailbox;
    provisioner->log = log;
    provisioner->after = buffer_make(&provisioner->after_arena);
    look_again(provisioner);
    return provisioner;
}

void provisioner_close(Provisioner *provisioner)
{
    provisioner->closed = true;
    if (provisioner->ended)
        provisioner_free(provisioner);
}

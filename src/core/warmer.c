#include "core/warmer.h"

#include "base/bug.h"
#include "core/function.h"
#include "store/key.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FUNCTIONS_PER_PAGE = 50 };

/* Where the walk is: in an account and region, behind a function. */
typedef struct Place {
    uint64_t account; /* the key's first element: an account's number plus one */
    Slice region;
    Slice function; /* of FunctionPage */
    bool is_found;  /* that account and region have keys; false: those behind them are looked for */
} Place;

/* One runtime that has been hinted at. */
typedef struct Warmed {
    struct Warmed *next;
    Slice name;
} Warmed;

struct Warmer {
    StoreCall call;
    Arena call_arena;
    Task step;
    Store *store;
    Invoker *invoker;
    Mailbox *mailbox;
    Log *log;
    Arena place_arenas[2]; /* of the place, and of the next one while that is copied */
    unsigned place_arena;
    Place place;
    Arena arena;
    Warmed *warmed;
    bool closed; /* it is freed as soon as what is under way has come back */
    bool ended;  /* nothing is under way, nor will be */
    /* Left by the body, in the call's arena. */
    Place next;
    bool is_last;
    Slice *runtimes;
    size_t runtime_count;
};

/* ---- The transaction ---- */

/* The first account and region that have keys behind those of `place`; `found` tells whether there are any. */
static Error find_region(Txn *txn, const Place *place, Arena *arena, Place *next, bool *found)
{
    static const char behind_kinds = '\xff';
    Buffer begin = buffer_make(txn_arena(txn));
    Buffer end = buffer_make(txn_arena(txn));
    key_add_uint64(&begin, place->account);
    key_add_string(&begin, place->region);
    buffer_add_byte(&begin, behind_kinds);
    key_add_uint64(&end, UINT64_MAX);
    Slice key;
    Slice value;
    Cursor *cursor = txn_scan(txn, (KeyRange){buffer_slice(&begin), buffer_slice(&end)}, SCAN_FORWARD);
    Error error = cursor_next(cursor, &key, &value);
    *found = error == OK && key.data != NULL;
    *next = (Place){.is_found = true};
    if (*found && (error = key_take_uint64(&key, &next->account)) == OK)
        error = key_take_string(&key, arena, &next->region);
    cursor_close(cursor);
    return error;
}

/* A page of the functions of the account and region that the walk is in. */
static Error list_functions(Txn *txn, Warmer *warmer, Arena *arena)
{
    const Place *place = &warmer->place;
    FunctionVersion *versions;
    size_t count;
    FunctionPage page = {.after = place->function, .limit = FUNCTIONS_PER_PAGE};
    Slice account = arena_format(txn_arena(txn), "%012" PRIu64, place->account - 1);
    TRY(function_list(txn, account, place->region, false, &page, &versions, &count));
    warmer->runtimes = ARENA_ARRAY(arena, Slice, count);
    for (; warmer->runtime_count < count; warmer->runtime_count++)
        warmer->runtimes[warmer->runtime_count] = arena_copy(arena, versions[warmer->runtime_count].runtime);
    warmer->next = *place;
    warmer->next.is_found = page.next.data != NULL;
    warmer->next.function = arena_copy(arena, page.next);
    return OK;
}

static Error look(Txn *txn, StoreCall *call)
{
    Warmer *warmer = CONTAINER_OF(call, Warmer, call);
    bool found = true;
    warmer->runtime_count = 0;
    warmer->is_last = false;
    if (warmer->place.is_found)
        return list_functions(txn, warmer, call->arena);
    TRY(find_region(txn, &warmer->place, call->arena, &warmer->next, &found));
    warmer->is_last = !found;
    return OK;
}

/* ---- The walk ---- */

static void warmer_free(Warmer *warmer)
{
    arena_free(&warmer->call_arena);
    arena_free(&warmer->place_arenas[0]);
    arena_free(&warmer->place_arenas[1]);
    arena_free(&warmer->arena);
    free(warmer);
}

static void warm(Warmer *warmer, Slice runtime)
{
    for (const Warmed *warmed = warmer->warmed; warmed != NULL; warmed = warmed->next)
        if (slice_equal(warmed->name, runtime))
            return;
    Warmed *warmed = arena_alloc(&warmer->arena, sizeof *warmed);
    *warmed = (Warmed){warmer->warmed, arena_copy(&warmer->arena, runtime)};
    warmer->warmed = warmed;
    invoker_warm(warmer->invoker, warmed->name);
}

static void go_to(Warmer *warmer, const Place *next)
{
    Arena *arena = &warmer->place_arenas[warmer->place_arena ^= 1];
    arena_free(arena);
    warmer->place = *next;
    warmer->place.region = arena_copy(arena, next->region);
    warmer->place.function = arena_copy(arena, next->function);
}

/* Behind what else the loop has to do: a read that finds all in the cache is back before it returns. */
static void step_soon(Warmer *warmer)
{
    TaskChain chain = {0};
    task_chain_push(&chain, &warmer->step);
    warmer->mailbox->post(warmer->mailbox, chain);
}

static void looked(StoreCall *call)
{
    Warmer *warmer = CONTAINER_OF(call, Warmer, call);
    if (warmer->closed) {
        warmer_free(warmer);
        return;
    }
    if (call->result != OK && call->result != ERROR_STOPPING)
        LOG(warmer->log, ERROR, "runtimes_unread", log_string("reason", error_text(call->result)));
    warmer->ended = call->result != OK || warmer->is_last;
    if (warmer->ended)
        return;
    for (size_t i = 0; i < warmer->runtime_count; i++)
        warm(warmer, warmer->runtimes[i]);
    go_to(warmer, &warmer->next);
    step_soon(warmer);
}

static void step(Task *task)
{
    Warmer *warmer = CONTAINER_OF(task, Warmer, step);
    if (warmer->closed) {
        warmer_free(warmer);
        return;
    }
    arena_free(&warmer->call_arena);
    warmer->call = (StoreCall){
        .body = look, .done = looked, .mailbox = warmer->mailbox, .arena = &warmer->call_arena, .in_background = true};
    store_read(warmer->store, &warmer->call);
}

Warmer *warmer_open(Store *store, Invoker *invoker, Mailbox *mailbox, Log *log)
{
    Warmer *warmer = calloc(1, sizeof *warmer);
    ASSERT(warmer != NULL);
    warmer->store = store;
    warmer->invoker = invoker;
    warmer->mailbox = mailbox;
    warmer->log = log;
    warmer->step.run = step;
    warmer->place.account = 1; /* and no region, where there are no functions: behind what is the store's own */
    step_soon(warmer);
    return warmer;
}

void warmer_close(Warmer *warmer)
{
    warmer->closed = true;
    if (warmer->ended)
        warmer_free(warmer);
}

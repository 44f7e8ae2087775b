#include "core/poller_internal.h"

#include "base/bug.h"
#include "store/key.h"

#include <stdlib.h>

enum { LATER_MS = 1000, IDLE_NS = 1000000000 };
enum { TAG_REST = 'z' }; /* below KIND_MAPPING_CHANGED: nothing is ever put there */

static const PollerSource *const sources[MAPPING_SOURCES] = {[MAPPING_QUEUE] = &poller_queue};

const PollerSource *poller_source(const Mapping *mapping)
{
    return sources[mapping->source];
}

/* ---- The transaction that takes ---- */

static const char *problem_of(Error error)
{
    switch ((int)error) {
    case MAPPING_SOURCE_NOT_FOUND:
        return "PROBLEM: Event source not found";
    case FUNCTION_NOT_FOUND:
    case FUNCTION_VERSION_NOT_FOUND:
    case FUNCTION_ALIAS_NOT_FOUND:
        return "PROBLEM: Function not found";
    case FUNCTION_INACTIVE:
    case FUNCTION_FAILED:
    case FUNCTION_TENANT_MISSING:
        return "PROBLEM: Function cannot be invoked";
    default:
        return NULL;
    }
}

/* Keeps why it is in vain, when that is news; whatever was taken is put back. A source that is there again tells so. */
static Error put_off(Txn *txn, Take *take, Mapping *mapping, Savepoint before, Error error)
{
    txn_rollback(txn, before);
    take->outcome = error == MAPPING_SOURCE_NOT_FOUND ? TAKE_REST : TAKE_LATER;
    const char *problem = problem_of(error);
    if (problem == NULL || slice_equal(mapping->problem, slice_of_string(problem)))
        return OK;
    mapping->problem = slice_of_string(problem);
    mapping_put_problem(txn, mapping);
    return OK;
}

/* Asks the breaker, once for each batch. */
static Error pass_breaker(Txn *txn, const Mapping *mapping, bool *allowed)
{
    Breaker breaker;
    *allowed = true;
    if (mapping->threshold == 0)
        return OK;
    TRY(mapping_breaker(txn, mapping, &breaker));
    bool is_probe = breaker.state == BREAKER_HALF_OPEN;
    TRY(breaker_enter(txn, &breaker, allowed));
    if (*allowed && is_probe) /* one of which nothing is heard is given to another */
        mapping_wake_at(txn, mapping, txn_now(txn) + mapping->recovery_ms);
    return OK;
}

/* It is open, or another probe is under way: nothing is taken until it is time. */
static Error wait_for_breaker(Txn *txn, Take *take, const Mapping *mapping, Savepoint before)
{
    Breaker breaker;
    txn_rollback(txn, before);
    TRY(mapping_breaker(txn, mapping, &breaker));
    uint64_t opens_ms = breaker_opens_ms(&breaker);
    if (opens_ms <= txn_now(txn))
        opens_ms = txn_now(txn) + mapping->recovery_ms;
    mapping_wake_at(txn, mapping, opens_ms);
    take->outcome = TAKE_REST;
    return OK;
}

static Error find_run(Txn *txn, const Poller *poller, const Taken *taken, Arena *arena, Run *run)
{
    const Mapping *mapping = &taken->mapping;
    const PollersOptions *options = &poller->pollers->options;
    const RunRequest request = {
        .account = mapping->account,
        .region = mapping->region,
        .name = mapping->function,
        .qualifier = mapping->qualifier.data == NULL ? (Slice){0} : arena_copy(arena, mapping->qualifier),
        .trace = taken->trace,
        .wall_ms = os_wall_ms(options->os),
        .limits = account_limits_of(options->limits, mapping->account),
    };
    return run_find(txn, &request, arena, run);
}

/* What a batch needs to know of its mapping when the transaction is over. */
static Mapping keep_mapping(const Mapping *mapping, Arena *arena)
{
    Mapping kept = *mapping;
    kept.source_arn = arena_copy(arena, mapping->source_arn);
    kept.source_name = arena_copy(arena, mapping->source_name);
    kept.function = arena_copy(arena, mapping->function);
    kept.filters = ARENA_ARRAY(arena, Slice, mapping->filter_count);
    for (size_t i = 0; i < mapping->filter_count; i++)
        kept.filters[i] = arena_copy(arena, mapping->filters[i]);
    kept.qualifier = kept.problem = (Slice){0};
    kept.tags = (Labels){0};
    return kept;
}

static Error keep(Txn *txn, Take *take, Mapping *mapping, const PollerRecords *records, Savepoint before)
{
    bool allowed = true;
    const Poller *poller = take->poller;
    Arena *arena = take->call.arena;
    Taken *taken = ARENA_NEW(arena, Taken);
    taken->mapping = *mapping;
    taken->records = *records;
    for (size_t i = 0; i < records->count && taken->trace.data == NULL; i++)
        taken->trace = poller_source(mapping)->trace(records, i);
    if (!take->ask.gathering)
        TRY(pass_breaker(txn, mapping, &allowed));
    if (!allowed)
        return wait_for_breaker(txn, take, mapping, before);
    Error error = find_run(txn, poller, taken, arena, &taken->run);
    if (error == FUNCTION_PENDING || problem_of(error) != NULL)
        return put_off(txn, take, mapping, before, error);
    TRY(error);
    if (mapping->problem.data != NULL) {
        mapping->problem = (Slice){0};
        mapping_put_problem(txn, mapping);
    }
    taken->mapping = keep_mapping(mapping, arena);
    taken->mapping.account = poller->account;
    taken->mapping.region = poller->region;
    taken->mapping.uuid = poller->uuid;
    take->taken = taken;
    take->outcome = records->count > 0 ? TAKE_RECORDS : TAKE_TIMED_OUT;
    return OK;
}

static Error take_records(Txn *txn, StoreCall *call)
{
    Take *take = CONTAINER_OF(call, Take, call);
    const Poller *poller = take->poller;
    Mapping mapping;
    PollerRecords records = {0};
    const Limits *limits = account_limits_of(poller->pollers->options.limits, poller->account);
    take->taken = NULL;
    take->outcome = TAKE_REST;
    Error error = mapping_get(txn, poller->account, poller->region, poller->uuid, &mapping);
    if (error == MAPPING_NOT_FOUND)
        return OK;
    TRY(error);
    if (!mapping_is_active(&mapping))
        return OK;
    Savepoint before = txn_savepoint(txn);
    PollerAsk ask = take->ask;
    if (!ask.gathering) {
        ask = batch_room(&mapping, limits, 0, 0);
        ask.wait_ms = take->ask.at_once ? 0 : AGENT_FOREVER_MS;
    }
    error = poller_source(&mapping)->take(txn, &mapping, &ask, limits, call->arena, &records);
    if (error == MAPPING_SOURCE_NOT_FOUND)
        return put_off(txn, take, &mapping, before, error);
    TRY(error);
    if (records.count > 0 || (txn_timed_out(txn) && take->ask.gathering))
        return keep(txn, take, &mapping, &records, before);
    take->outcome = txn_timed_out(txn) ? TAKE_TIMED_OUT : TAKE_AGAIN;
    return OK;
}

Error poller_rest(Txn *txn, uint64_t rest_ms)
{
    if (txn_timed_out(txn))
        return OK;
    Buffer prefix = key_start(txn_arena(txn), SLICE(""), SLICE(""), KIND_MAPPING_CHANGED);
    key_add_tag(&prefix, TAG_REST);
    return txn_wait(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), rest_ms);
}

static Error rest(Txn *txn, StoreCall *call)
{
    Poller *poller = CONTAINER_OF(call, Poller, take.call);
    poller->take.outcome = TAKE_AGAIN;
    return poller_rest(txn, poller->rest_ms);
}

/* ---- How many batches at a time ---- */

static uint32_t slots_most(const Mapping *mapping)
{
    if (mapping->concurrency > 0)
        return (uint32_t)mapping->concurrency;
    return mapping->pollers_max > 0 ? (uint32_t)mapping->pollers_max * POLLER_SLOTS_OF_ONE : POLLER_SLOTS_MAX;
}

static uint32_t slots_least(const Mapping *mapping)
{
    uint32_t least =
        mapping->pollers_min > 0 ? (uint32_t)mapping->pollers_min * POLLER_SLOTS_OF_ONE : POLLER_SLOTS_START;
    return least < slots_most(mapping) ? least : slots_most(mapping);
}

/* More as long as there is more to take than is taken; from the start after a pause. */
static void grow(Poller *poller, const Mapping *mapping, uint64_t now_ns)
{
    bool was_idle = poller->running == 0 && now_ns - poller->asked_ns > IDLE_NS;
    if (poller->slots == 0 || was_idle || poller->slots > slots_most(mapping)) {
        poller->slots = slots_least(mapping);
        poller->grown_ns = now_ns;
    } else if (now_ns - poller->grown_ns >= 1000000000 && poller->running + 1 >= poller->slots) {
        poller->slots += POLLER_SLOTS_GROWTH;
        poller->grown_ns = now_ns;
    }
    if (poller->slots > slots_most(mapping))
        poller->slots = slots_most(mapping);
}

void poller_ended(Poller *poller, bool failed)
{
    poller->running--;
    poller_count(poller->pollers, POLLER_RUNNING, -1);
    if (failed && poller->slots > 1) {
        poller->slots /= 2;
        poller->grown_ns = os_monotonic_ns(poller->pollers->options.os);
    }
    poller_go(poller);
}

/* ---- The loop's ---- */

static void took(StoreCall *call);

static void start_take(Poller *poller, Take *take, TxnBody body, void (*done)(StoreCall *call), Arena *arena)
{
    poller->pollers->calls++;
    take->poller = poller;
    take->call = (StoreCall){
        .body = body,
        .done = done,
        .mailbox = poller->pollers->options.mailbox,
        .arena = arena,
        .home = mapping_home(poller->account, poller->region),
        .in_background = true,
    };
    store_write(poller->pollers->options.store, &take->call);
}

static void call_store(Poller *poller, TxnBody body)
{
    poller->calling = true;
    poller->asked_ns = os_monotonic_ns(poller->pollers->options.os);
    start_take(poller, &poller->take, body, took,
               poller->gathering == NULL ? &poller->arena : &poller->gathering->arena);
}

static void start_gathered(Poller *poller)
{
    Batch *batch = poller->gathering;
    poller->gathering = NULL;
    poller->running++;
    poller_count(poller->pollers, POLLER_RUNNING, 1);
    batch_start(batch);
}

/* What was gathered cannot be run: it comes back when it is not hidden any more. */
static void drop_gathered(Poller *poller)
{
    if (poller->gathering != NULL)
        batch_free(poller->gathering);
    poller->gathering = NULL;
}

static void took_more(StoreCall *call);

/* There may be more than one batch of it: others are taken side by side, so that they share what transactions wait for.
 * One after a full batch of the poller's own; two after each of those that is full, too. */
static void take_more(Poller *poller, uint32_t count)
{
    if (!poller->wanted || atomic_load(&poller->pollers->stopping))
        return;
    for (; count > 0 && poller->more < POLLER_MORE_MAX && poller->running + 1 < poller->slots; count--) {
        Arena empty = arena_make();
        Batch *batch = batch_make(poller, &empty);
        poller->more++;
        poller->running++;
        poller_count(poller->pollers, POLLER_RUNNING, 1);
        batch->take.ask = (PollerAsk){.at_once = true};
        start_take(poller, &batch->take, take_records, took_more, &batch->arena);
    }
}

static void took_more(StoreCall *call)
{
    Batch *batch = CONTAINER_OF(call, Batch, take.call);
    Poller *poller = batch->poller;
    if (pollers_back(poller->pollers))
        return;
    poller->more--;
    if (call->result != OK || batch->take.outcome != TAKE_RECORDS) {
        batch_free(batch); /* the one that waits will tell why */
        poller_ended(poller, false);
        return;
    }
    batch_add(batch, batch->take.taken);
    poller->held = true;
    if (batch_is_full(batch))
        take_more(poller, 2);
    batch_start(batch);
    poller->held = false;
    poller_go(poller);
}

static void add_taken(Poller *poller)
{
    uint64_t now_ns = os_monotonic_ns(poller->pollers->options.os);
    Taken *taken = poller->take.taken;
    grow(poller, &taken->mapping, now_ns);
    if (poller->gathering == NULL) {
        poller->gathering = batch_make(poller, &poller->arena);
        poller->gathering->gathered_by_ns = now_ns + taken->mapping.window_ms * 1000000;
    }
    batch_add(poller->gathering, taken);
    poller->take.taken = NULL;
    bool is_full = batch_is_full(poller->gathering) || !batch_is_sifted(poller->gathering);
    bool gathers = taken->mapping.window_ms > 0; /* what comes of it is not to be taken at once */
    if (is_full || now_ns + 1000000 > poller->gathering->gathered_by_ns)
        start_gathered(poller);
    if (is_full && !gathers)
        take_more(poller, 1);
}

/* The wait for the rest of a batch is over; any other one was ended because the store stops. */
static void end_wait(Poller *poller)
{
    if (poller->gathering == NULL || poller->take.taken == NULL) {
        poller->wanted = poller->wanted && poller->gathering != NULL;
        drop_gathered(poller);
        return;
    }
    batch_add(poller->gathering, poller->take.taken);
    start_gathered(poller);
}

static void took(StoreCall *call)
{
    Poller *poller = CONTAINER_OF(call, Poller, take.call);
    Pollers *pollers = poller->pollers;
    Error result = call->result;
    poller->calling = false;
    if (pollers_back(pollers))
        return;
    poller->held = true;
    if (result == ERROR_STOPPING)
        poller->wanted = false;
    else if (result != OK && result != ERROR_GONE)
        LOG(pollers->options.log, ERROR, "mapping_unread", log_text("uuid", poller->uuid),
            log_string("reason", error_text(result)));
    if (result != OK) {
        drop_gathered(poller);
        arena_free(&poller->arena);
    }
    poller->rest_ms = result != OK && result != ERROR_GONE ? LATER_MS : 0;
    if (result == OK && poller->take.outcome == TAKE_RECORDS) {
        add_taken(poller);
    } else if (result == OK && poller->take.outcome == TAKE_TIMED_OUT) {
        end_wait(poller);
    } else if (result == OK && poller->take.outcome == TAKE_LATER) {
        drop_gathered(poller);
        poller->rest_ms = LATER_MS;
    } else if (result == OK && poller->take.outcome == TAKE_REST) {
        drop_gathered(poller);
        arena_free(&poller->arena);
    }
    poller->held = false;
    bool rests = result == OK && poller->take.outcome == TAKE_REST && poller->wanted; /* until the next mark */
    if (!rests)
        poller_go(poller);
}

void poller_go(Poller *poller)
{
    Pollers *pollers = poller->pollers;
    if (poller->calling || poller->held)
        return;
    if (!poller->wanted || atomic_load(&pollers->stopping)) {
        drop_gathered(poller);
        if (poller->running == 0 && !poller->wanted) {
            map_remove(&pollers->pollers, slice_of_string(poller->text));
            poller_free(poller);
        }
        return;
    }
    if (poller->rest_ms > 0) {
        call_store(poller, rest);
        return;
    }
    if (poller->gathering == NULL && poller->slots > 0 && poller->running >= poller->slots)
        return;
    if (poller->gathering == NULL) {
        arena_free(&poller->arena);
        poller->take.ask = (PollerAsk){0}; /* what the mapping says of its batches, the body knows */
    } else {
        poller->take.ask = batch_ask(poller->gathering);
    }
    call_store(poller, take_records);
}

static void drop_filters(Poller *poller)
{
    if (poller->filter_arena != NULL) {
        arena_free(poller->filter_arena);
        free(poller->filter_arena);
    }
    poller->filter_arena = NULL;
    poller->filters = NULL;
}

void poller_renew(Poller *poller, bool wanted)
{
    poller->wanted = wanted;
    drop_filters(poller);
    if (poller->calling)
        store_cancel(poller->pollers->options.store, &poller->take.call);
    else
        poller_go(poller);
}

const PatternSet *mapping_filters_compile(const Mapping *mapping, Arena *arena)
{
    const PatternSet *filters;
    size_t wrong;
    Slice problem;
    /* They were compiled when the mapping was made. */
    Error error = pattern_compile(arena, mapping->filters, mapping->filter_count, &filters, &wrong, &problem);
    ASSERT(error == OK);
    return filters;
}

const PatternSet *poller_filters(Poller *poller, const Mapping *mapping)
{
    Mapping copy = *mapping;
    if (mapping->filter_count == 0 || poller->filter_arena != NULL)
        return poller->filters;
    poller->filter_arena = calloc(1, sizeof *poller->filter_arena);
    ASSERT(poller->filter_arena != NULL);
    copy.filters = ARENA_ARRAY(poller->filter_arena, Slice, mapping->filter_count);
    for (size_t i = 0; i < mapping->filter_count; i++)
        copy.filters[i] = arena_copy(poller->filter_arena, mapping->filters[i]);
    poller->filters = mapping_filters_compile(&copy, poller->filter_arena);
    return poller->filters;
}

Poller *poller_make(Pollers *pollers, const MappingOwner *owner)
{
    size_t account = owner->account.size;
    size_t region = owner->region.size;
    size_t size = account + region + owner->uuid.size;
    Poller *poller = calloc(1, sizeof *poller + size + 1);
    ASSERT(poller != NULL);
    memcpy(poller->text, owner->account.data, account);
    memcpy(poller->text + account, owner->region.data, region);
    memcpy(poller->text + account + region, owner->uuid.data, owner->uuid.size);
    poller->account = slice_make(poller->text, account);
    poller->region = slice_make(poller->text + account, region);
    poller->uuid = slice_make(poller->text + account + region, owner->uuid.size);
    poller->pollers = pollers;
    poller->wanted = true;
    map_put(&pollers->pollers, slice_of_string(poller->text), poller);
    poller_count(pollers, POLLER_POLLERS, 1);
    return poller;
}

void poller_free(Poller *poller)
{
    poller_count(poller->pollers, POLLER_POLLERS, -1);
    drop_gathered(poller);
    drop_filters(poller);
    arena_free(&poller->arena);
    free(poller);
}

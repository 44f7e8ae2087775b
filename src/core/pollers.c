#include "core/poller_internal.h"

#include "base/bug.h"

#include <stdlib.h>

enum {
    MAPPINGS_PER_RUN = 100,
    RETRY_MS = 1000, /* after a run that failed, on the wall clock */
};

/* Longer than any process lives: a wait that ends by itself was ended because the store stops. */
static const uint64_t FOREVER_MS = 365ull * 24 * 3600 * 1000;

typedef struct PollerNews {
    MappingOwner owner;
    bool wanted;
} PollerNews;

void poller_count(Pollers *pollers, PollerTotal total, int64_t change)
{
    atomic_fetch_add_explicit(&pollers->totals[total], (uint64_t)change, memory_order_relaxed);
}

void pollers_stats(const Pollers *pollers, PollersStats *stats)
{
    uint64_t total[POLLER_TOTALS];
    for (size_t i = 0; i < POLLER_TOTALS; i++)
        total[i] = atomic_load_explicit(&pollers->totals[i], memory_order_relaxed);
    *stats = (PollersStats){
        .pollers = total[POLLER_POLLERS],
        .running = total[POLLER_RUNNING],
        .batches = total[POLLER_BATCHES],
        .failures = total[POLLER_FAILURES],
        .throttles = total[POLLER_THROTTLES],
        .records = total[POLLER_RECORDS],
        .record_failures = total[POLLER_RECORD_FAILURES],
        .filtered = total[POLLER_FILTERED],
        .breaker_opened = total[POLLER_BREAKER_OPENED],
    };
}

/* ---- The transaction: which mappings have changed ---- */

/* The next ones of all, at the start; then those that are marked, or a wait for some. */
static Error find_owners(Txn *txn, Pollers *pollers, MappingOwner **owners, size_t *count)
{
    Slice after = pollers->started ? SLICE("") : buffer_slice(&pollers->after);
    TRY(mapping_owners(txn, pollers->started, after, MAPPINGS_PER_RUN, owners, count, &pollers->last));
    if (!pollers->started || *count > 0 || txn_timed_out(txn))
        return OK;
    return txn_wait(txn, mapping_marks(txn), FOREVER_MS);
}

static Error look(Txn *txn, StoreCall *call)
{
    Pollers *pollers = CONTAINER_OF(call, Pollers, call);
    MappingOwner *owners;
    size_t count;
    pollers->news_count = 0;
    pollers->last = (Slice){0};
    if (pollers->failed && !txn_timed_out(txn))
        return txn_wait(txn, mapping_marks(txn), RETRY_MS);
    TRY(find_owners(txn, pollers, &owners, &count));
    pollers->last = arena_copy(call->arena, pollers->last);
    pollers->news = ARENA_ARRAY(call->arena, PollerNews, count);
    for (size_t i = 0; i < count; i++) {
        Mapping mapping;
        Error error = mapping_get(txn, owners[i].account, owners[i].region, owners[i].uuid, &mapping);
        if (error != MAPPING_NOT_FOUND)
            TRY(error);
        pollers->news[i] =
            (PollerNews){.owner = {arena_copy(call->arena, owners[i].account),
                                   arena_copy(call->arena, owners[i].region), arena_copy(call->arena, owners[i].uuid)},
                         .wanted = error == OK && mapping_is_active(&mapping)};
        mapping_mark_clear(txn, &owners[i]);
    }
    pollers->news_count = count;
    txn_took(txn, count);
    return OK;
}

/* ---- The loop's ---- */

static void take_news(Pollers *pollers, const PollerNews *news)
{
    const MappingOwner *owner = &news->owner;
    Slice key = arena_format(&pollers->arena, "%.*s%.*s%.*s", SLICE_PRINT(owner->account), SLICE_PRINT(owner->region),
                             SLICE_PRINT(owner->uuid));
    Poller *poller = map_get(&pollers->pollers, key);
    if (poller == NULL && news->wanted)
        poller = poller_make(pollers, owner);
    if (poller != NULL)
        poller_renew(poller, news->wanted);
}

static void looked(StoreCall *call);

static void look_again(Pollers *pollers)
{
    arena_free(&pollers->arena);
    pollers->calls++;
    pollers->call = (StoreCall){.body = look,
                                .done = looked,
                                .mailbox = pollers->options.mailbox,
                                .arena = &pollers->arena,
                                .home = home_of(SLICE(""), SLICE(""), SLICE("pollers"), SLICE("")),
                                .frees_space = true,
                                .in_background = true};
    store_write(pollers->options.store, &pollers->call);
}

/* A wait that ended without a change, and was none after a failure, ended because the store does. */
static bool is_over(const Pollers *pollers, Error result)
{
    return result == ERROR_STOPPING || result == ERROR_GONE ||
           (result == OK && pollers->started && !pollers->failed && pollers->news_count == 0);
}

static void looked(StoreCall *call)
{
    Pollers *pollers = CONTAINER_OF(call, Pollers, call);
    if (pollers_back(pollers) || is_over(pollers, call->result))
        return;
    pollers->failed = call->result != OK;
    if (pollers->failed)
        LOG(pollers->options.log, ERROR, "mappings_unread", log_string("reason", error_text(call->result)));
    for (size_t i = 0; !pollers->failed && i < pollers->news_count; i++)
        take_news(pollers, &pollers->news[i]);
    if (!pollers->failed && !pollers->started) {
        pollers->started = pollers->news_count < MAPPINGS_PER_RUN;
        pollers->after.size = 0;
        buffer_add(&pollers->after, pollers->last);
    }
    look_again(pollers);
}

/* ---- Life ---- */

Pollers *pollers_open(const PollersOptions *options)
{
    Pollers *pollers = calloc(1, sizeof *pollers);
    MapSeed seed;
    ASSERT(pollers != NULL);
    os_random(options->os, &seed, sizeof seed);
    pollers->options = *options;
    pollers->pollers = map_make(seed);
    pollers->after = buffer_make(&pollers->after_arena);
    list_init(&pollers->batches);
    look_again(pollers);
    return pollers;
}

void pollers_stop(Pollers *pollers)
{
    atomic_store(&pollers->stopping, true);
}

static void free_all(Pollers *pollers)
{
    size_t position = 0;
    LIST_FOR_EACH(&pollers->batches, node)
    batch_free(CONTAINER_OF(node, Batch, node));
    for (const MapEntry *entry; (entry = map_next(&pollers->pollers, &position)) != NULL;) {
        Poller *poller = entry->value;
        poller->gathering = NULL; /* it was among the batches */
        poller_free(poller);
    }
    map_free(&pollers->pollers);
    arena_free(&pollers->arena);
    arena_free(&pollers->after_arena);
    free(pollers);
}

bool pollers_back(Pollers *pollers)
{
    pollers->calls--;
    if (!pollers->closed)
        return false;
    if (pollers->calls == 0)
        free_all(pollers);
    return true;
}

void pollers_close(Pollers *pollers)
{
    pollers->closed = true;
    if (pollers->calls == 0)
        free_all(pollers);
}

#include "core/poller_internal.h"

#include "base/bug.h"

#include <stdlib.h>

enum { MAPPINGS_PER_RUN = 100 };

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

static Error take_marks(Agent *agent, Txn *txn, const AgentKey *keys, size_t count, Arena *arena)
{
    Pollers *pollers = CONTAINER_OF(agent, Pollers, agent);
    pollers->news = ARENA_ARRAY(arena, PollerNews, count);
    pollers->news_count = count;
    for (size_t i = 0; i < count; i++) {
        Mapping mapping;
        PollerNews *news = &pollers->news[i];
        TRY(mapping_owner_read(txn, keys[i].key, arena, &news->owner));
        Error error = mapping_get(txn, news->owner.account, news->owner.region, news->owner.uuid, &mapping);
        if (error != MAPPING_NOT_FOUND)
            TRY(error);
        news->wanted = error == OK && mapping_is_active(&mapping);
        mapping_mark_clear(txn, &news->owner);
    }
    return OK;
}

/* ---- The loop's ---- */

static void take_news(Pollers *pollers, const PollerNews *news)
{
    const MappingOwner *owner = &news->owner;
    Slice key = arena_format(&pollers->agent.arena, "%.*s%.*s%.*s", SLICE_PRINT(owner->account),
                             SLICE_PRINT(owner->region), SLICE_PRINT(owner->uuid));
    Poller *poller = map_get(&pollers->pollers, key);
    if (poller == NULL && news->wanted)
        poller = poller_make(pollers, owner);
    if (poller != NULL)
        poller_renew(poller, news->wanted);
}

static bool renew(Agent *agent)
{
    Pollers *pollers = CONTAINER_OF(agent, Pollers, agent);
    for (size_t i = 0; i < pollers->news_count; i++)
        take_news(pollers, &pollers->news[i]);
    return true;
}

/* ---- Life ---- */

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

static void agent_back(Agent *agent)
{
    pollers_back(CONTAINER_OF(agent, Pollers, agent));
}

Pollers *pollers_open(const PollersOptions *options)
{
    Pollers *pollers = calloc(1, sizeof *pollers);
    MapSeed seed;
    ASSERT(pollers != NULL);
    os_random(options->os, &seed, sizeof seed);
    pollers->options = *options;
    pollers->pollers = map_make(seed);
    list_init(&pollers->batches);
    pollers->calls = 1; /* the agent's */
    agent_start(&pollers->agent, &(AgentOptions){.store = options->store,
                                                 .mailbox = options->mailbox,
                                                 .log = options->log,
                                                 .name = "pollers",
                                                 .keys_max = MAPPINGS_PER_RUN,
                                                 .changed = mapping_marks,
                                                 .all = mapping_owners,
                                                 .take = take_marks,
                                                 .act = renew,
                                                 .closed = agent_back});
    return pollers;
}

void pollers_stop(Pollers *pollers)
{
    atomic_store(&pollers->stopping, true);
}

void pollers_close(Pollers *pollers)
{
    pollers->closed = true;
    if (agent_close(&pollers->agent))
        pollers_back(pollers);
}

#include "core/event_runner.h"

#include "base/bug.h"
#include "core/event_line.h"

#include <stdlib.h>

enum { LINES_PER_RUN = 50 };

/* A line in which there is something to do, and from where on. */
typedef struct FoundLine {
    EventOwner owner;
    EventPlace place;
} FoundLine;

/* ---- Calls ---- */

void event_runner_write(EventRunner *runner, StoreCall *call)
{
    runner->calls++;
    call->mailbox = runner->options.mailbox;
    call->in_background = true;
    store_write(runner->options.store, call);
}

void event_runner_read(EventRunner *runner, StoreCall *call)
{
    runner->calls++;
    call->mailbox = runner->options.mailbox;
    store_read(runner->options.store, call);
}

static void runner_free(EventRunner *runner)
{
    const MapEntry *entry;
    for (size_t position = 0; (entry = map_next(&runner->lines, &position)) != NULL; position = 0)
        event_line_free(entry->value);
    map_free(&runner->lines);
    free(runner);
}

bool event_runner_took_back(EventRunner *runner, const StoreCall *call)
{
    runner->calls--;
    runner->stopped = runner->stopped || call->result == ERROR_STOPPING || call->result == ERROR_GONE;
    runner->draining = runner->draining || runner->stopped;
    if (runner->closed && runner->calls == 0)
        runner_free(runner);
    else if (!runner->closed)
        return true;
    return false;
}

/* ---- Turns ---- */

static void pump(EventRunner *runner)
{
    if (runner->is_pumping)
        return;
    runner->is_pumping = true;
    for (ListNode *node; (node = list_first(&runner->turn)) != NULL;) {
        EventLine *line = CONTAINER_OF(node, EventLine, in_turn);
        list_remove(node);
        if (event_line_step(line)) {
            list_remove(node); /* it may be among the hungry */
            list_push_back(&runner->turn, node);
        } else if (event_line_is_idle(line)) {
            event_line_free(line);
        }
    }
    runner->is_pumping = false;
}

void event_runner_wake(EventRunner *runner, EventLine *line)
{
    list_remove(&line->in_turn); /* it may be among the hungry */
    list_push_back(&runner->turn, &line->in_turn);
    pump(runner);
}

/* ---- Looking ---- */

static KeyRange all_owners(Txn *txn)
{
    return event_mark_range(txn_arena(txn), EVENT_MARK_OWNER);
}

static KeyRange changed_owners(Txn *txn)
{
    return event_mark_range(txn_arena(txn), EVENT_MARK_CHANGED);
}

static Error take_marks(Agent *agent, Txn *txn, const AgentKey *keys, size_t count, Arena *arena)
{
    EventRunner *runner = CONTAINER_OF(agent, EventRunner, agent);
    runner->found = ARENA_ARRAY(arena, FoundLine, count);
    runner->found_count = count;
    KeyRange changed = changed_owners(txn);
    for (size_t i = 0; i < count; i++) {
        FoundLine *found = &runner->found[i];
        TRY(event_mark_read(arena, keys[i].key, keys[i].value, &found->owner, &found->place));
        if (slice_compare(keys[i].key, changed.begin) >= 0 && slice_compare(keys[i].key, changed.end) < 0)
            txn_delete(txn, keys[i].key);
    }
    return OK;
}

static bool wake_found(Agent *agent)
{
    EventRunner *runner = CONTAINER_OF(agent, EventRunner, agent);
    for (size_t i = 0; i < runner->found_count; i++) {
        EventLine *line = event_line_of(runner, &runner->found[i].owner);
        event_line_note(line, runner->found[i].place);
        list_remove(&line->in_turn);
        list_push_back(&runner->turn, &line->in_turn);
    }
    pump(runner);
    return true;
}

static void drain(Agent *agent, Error result)
{
    EventRunner *runner = CONTAINER_OF(agent, EventRunner, agent);
    runner->draining = true;
    runner->stopped = runner->stopped || result != OK;
    pump(runner);
}

/* ---- Life ---- */

static void agent_back(Agent *agent)
{
    EventRunner *runner = CONTAINER_OF(agent, EventRunner, agent);
    runner->calls--;
    if (runner->calls == 0)
        runner_free(runner);
}

EventRunner *event_runner_open(const EventRunnerOptions *options)
{
    EventRunner *runner = calloc(1, sizeof *runner);
    MapSeed seed;
    ASSERT(runner != NULL);
    os_random(options->os, &seed, sizeof seed);
    runner->options = *options;
    runner->lines = map_make(seed);
    list_init(&runner->turn);
    list_init(&runner->hungry);
    list_init(&runner->flights);
    runner->calls = 1; /* the agent's */
    agent_start(&runner->agent, &(AgentOptions){.store = options->store,
                                                .mailbox = options->mailbox,
                                                .log = options->log,
                                                .name = "events",
                                                .keys_max = LINES_PER_RUN,
                                                .changed = changed_owners,
                                                .all = all_owners,
                                                .take = take_marks,
                                                .act = wake_found,
                                                .stopped = drain,
                                                .closed = agent_back});
    return runner;
}

void event_runner_close(EventRunner *runner)
{
    runner->closed = true;
    if (agent_close(&runner->agent))
        agent_back(&runner->agent);
}

static uint64_t read_count(_Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void event_runner_stats(EventRunner *runner, EventRunnerStats *stats)
{
    uint64_t now_ms = store_now(runner->options.store);
    uint64_t oldest_ms = read_count(&runner->oldest_ms);
    *stats = (EventRunnerStats){
        .taken = read_count(&runner->taken),
        .succeeded = read_count(&runner->succeeded),
        .retried = read_count(&runner->retried),
        .failed = read_count(&runner->failed),
        .dropped = read_count(&runner->dropped),
        .dead_letters = read_count(&runner->dead_letters),
        .records = read_count(&runner->records),
        .dead_letter_errors = read_count(&runner->dead_letter_errors),
        .destination_failures = read_count(&runner->destination_failures),
        .undeliverable = read_count(&runner->undeliverable),
        .held = read_count(&runner->held),
        .oldest_ms = oldest_ms != 0 && now_ms > oldest_ms ? now_ms - oldest_ms : 0,
    };
}

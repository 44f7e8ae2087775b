#include "core/agent.h"

#include "store/key.h"

/* ---- The transaction ---- */

/* The keys of this run, copied to the call's arena. */
static Error find_keys(Txn *txn, Agent *agent, KeyRange range, AgentKey **keys)
{
    Slice key;
    Slice value;
    Error error = OK;
    Arena *arena = agent->call.arena;
    *keys = ARENA_ARRAY(txn_arena(txn), AgentKey, agent->options.keys_max);
    agent->count = 0;
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    while (agent->count < agent->options.keys_max && (error = cursor_next(cursor, &key, &value)) == OK &&
           key.data != NULL)
        (*keys)[agent->count++] = (AgentKey){arena_copy(arena, key), arena_copy(arena, value)};
    cursor_close(cursor);
    if (agent->count > 0)
        agent->last = (*keys)[agent->count - 1].key;
    return error;
}

static Error look(Txn *txn, StoreCall *call)
{
    AgentKey *keys;
    Agent *agent = CONTAINER_OF(call, Agent, call);
    KeyRange changed = agent->options.changed(txn);
    KeyRange range = changed;
    agent->count = 0;
    if (agent->failed && !txn_timed_out(txn))
        return txn_wait(txn, changed, AGENT_RETRY_MS);
    if (agent->starting)
        range = agent->options.all(txn);
    if (agent->starting && agent->place.size > 0)
        range.begin = agent->place;
    TRY(find_keys(txn, agent, range, &keys));
    if (agent->count == 0)
        return agent->starting || txn_timed_out(txn) ? OK : txn_wait(txn, changed, AGENT_FOREVER_MS);
    txn_took(txn, agent->count);
    return agent->options.take(agent, txn, keys, agent->count, call->arena);
}

/* ---- The loop's ---- */

static void looked(StoreCall *call);

static void look_again(Agent *agent)
{
    arena_free(&agent->arena);
    agent->waiting = true;
    agent->call = (StoreCall){.body = look,
                              .done = looked,
                              .mailbox = agent->options.mailbox,
                              .arena = &agent->arena,
                              .home = home_of(SLICE(""), SLICE(""), slice_of_string(agent->options.name), SLICE("")),
                              .frees_space = true,
                              .in_background = true};
    store_write(agent->options.store, &agent->call);
}

static void keep_place(Agent *agent)
{
    agent->starting = agent->count == agent->options.keys_max;
    if (!agent->starting)
        return;
    arena_free(&agent->place_arena);
    Buffer place = buffer_make(&agent->place_arena);
    buffer_add(&place, agent->last);
    buffer_add_byte(&place, '\0'); /* the first key behind it */
    agent->place = buffer_slice(&place);
}

static void end(Agent *agent, Error result)
{
    if (agent->options.stopped != NULL)
        agent->options.stopped(agent, result);
}

void agent_continue(Agent *agent, Error result)
{
    if (result == ERROR_STOPPING || result == ERROR_GONE) {
        end(agent, result);
        return;
    }
    agent->failed = result != OK;
    if (agent->failed)
        LOG(agent->options.log, ERROR, "agent_failed", log_string("agent", agent->options.name), log_error(result));
    look_again(agent);
}

static void free_arenas(Agent *agent)
{
    arena_free(&agent->arena);
    arena_free(&agent->place_arena);
}

static void looked(StoreCall *call)
{
    Agent *agent = CONTAINER_OF(call, Agent, call);
    Error result = call->result;
    agent->waiting = false;
    if (agent->closing) {
        free_arenas(agent);
        agent->options.closed(agent);
        return;
    }
    if (result == OK && agent->count == 0 && !agent->starting && !agent->failed) {
        end(agent,
            OK); /* a wait that ended without a change, and was none after a failure, ended because the store does */
        return;
    }
    bool has_work = result == OK && agent->count > 0;
    if (result == OK && agent->starting)
        keep_place(agent);
    if (!has_work || agent->options.act(agent))
        agent_continue(agent, result);
}

void agent_start(Agent *agent, const AgentOptions *options)
{
    *agent = (Agent){.options = *options, .starting = options->all != NULL};
    look_again(agent);
}

bool agent_close(Agent *agent)
{
    agent->closing = true;
    if (!agent->waiting)
        free_arenas(agent);
    return !agent->waiting;
}

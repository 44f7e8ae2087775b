/* store_fixture.h: a stepped store in a simulated world, for unit tests of the store and of what stands on it. */
#ifndef BRUME_TESTS_UNIT_STORE_FIXTURE_H
#define BRUME_TESTS_UNIT_STORE_FIXTURE_H

#include "os/os_sim.h"
#include "store/engine.h"
#include "store/key.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef struct World {
    Os *os;
    Engine *engine;
    Store *store;
    Mailbox mailbox;
    bool virtual_clock;
    const char *directory;
    void (*prepare)(Store *store); /* before the store runs: timers' bodies */
} World;

/* One call and what became of it. */
typedef struct Probe {
    StoreCall call;
    Arena arena;
    World *world;
    bool done;
    void *argument;
} Probe;

static inline void world_post(Mailbox *mailbox, TaskChain chain)
{
    (void)mailbox;
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        task->run(task);
}

static inline void world_start_store(World *world)
{
    StoreOptions options = {.os = world->os,
                            .engine = world->engine,
                            .limits = &limits_default,
                            .directory = world->directory,
                            .readers = 1,
                            .virtual_clock = world->virtual_clock};
    assert_int_equal(store_open(&options, &world->store), OK);
    if (world->prepare != NULL)
        world->prepare(world->store);
}

static inline void world_open(World *world, uint64_t seed)
{
    world->os = os_sim_open(seed);
    world->engine = engine_memory_open();
    world->mailbox.post = world_post;
    world_start_store(world);
}

static inline void world_close(World *world)
{
    store_stop(world->store);
    os_sim_close(world->os);
}

/* Power is lost: unsynced writes go, but a prefix that the seed chooses. */
static inline void world_crash(World *world, uint64_t seed)
{
    world->engine = store_abandon(world->store);
    engine_memory_crash(world->engine, seed);
    world_start_store(world);
}

/* Runs and syncs until nothing is left to do now. */
static inline void world_settle(World *world)
{
    while (store_step(world->store))
        assert_int_equal(store_step_sync(world->store), OK);
    assert_int_equal(store_step_sync(world->store), OK);
}

static inline void probe_done(StoreCall *call)
{
    CONTAINER_OF(call, Probe, call)->done = true;
}

static inline void probe_start(World *world, Probe *probe, TxnBody body, void *argument)
{
    *probe = (Probe){.world = world, .argument = argument};
    probe->call.body = body;
    probe->call.done = probe_done;
    probe->call.mailbox = &world->mailbox;
    probe->call.arena = &probe->arena;
    store_write(world->store, &probe->call);
}

static inline void *probe_argument(StoreCall *call)
{
    return CONTAINER_OF(call, Probe, call)->argument;
}

/* Writes, waits until it is durable, and gives the result. */
static inline Error world_write(World *world, TxnBody body, void *argument)
{
    Probe probe;
    probe_start(world, &probe, body, argument);
    world_settle(world);
    assert_true(probe.done);
    arena_free(&probe.arena);
    return probe.call.result;
}

static inline Error world_read(World *world, TxnBody body, void *argument)
{
    Probe probe = {.world = world, .argument = argument};
    probe.call.body = body;
    probe.call.done = probe_done;
    probe.call.mailbox = &world->mailbox;
    probe.call.arena = &probe.arena;
    store_read(world->store, &probe.call);
    assert_true(probe.done);
    arena_free(&probe.arena);
    return probe.call.result;
}

#endif

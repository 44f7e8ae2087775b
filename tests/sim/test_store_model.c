/* The store against the shortest program that could be right: an array of names. A seed drives the operations, the
 * interleaving of steps and syncs, and power losses; what was acknowledged must be there, and what is there must be a
 * state that the operations, in their order, passed through. */
#include "../unit/store_fixture.h"
#include "seeds.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES = 12, OPERATIONS = 600, PROBES = OPERATIONS };

typedef struct Model {
    int value[NAMES]; /* 0: absent */
} Model;

typedef struct Operation {
    Probe probe;
    int changes[NAMES]; /* -1: none, 0: delete, else put */
    bool fails;
    bool rolls_back; /* the last change, by a savepoint */
    int order;       /* when it was executed; 0: not yet */
    Model after;     /* what the model says of the state behind it */
} Operation;

typedef struct Run {
    World world;
    uint64_t random;
    Operation *operations[PROBES];
    size_t count;
    Model executed; /* the latest executed state */
    int next_order;
} Run;

static Run *current;

static uint64_t chance(Run *run, uint64_t below)
{
    return seeds_draw(&run->random, below);
}

static Slice key_of(Txn *txn, int name)
{
    Buffer key = key_start(txn_arena(txn), SLICE("000000000001"), SLICE("r"), KIND_QUEUE);
    key_add_uint64(&key, (uint64_t)name * 37);
    return buffer_slice(&key);
}

static KeyRange all_keys(Txn *txn)
{
    Buffer key = key_start(txn_arena(txn), SLICE("000000000001"), SLICE("r"), KIND_QUEUE);
    return key_range_of_prefix(txn_arena(txn), buffer_slice(&key));
}

/* Asserts that the transaction sees exactly the model, by points and by scans both ways. */
static void expect_model(Txn *txn, const Model *model)
{
    Slice value;
    Slice key;
    bool found;
    for (int name = 0; name < NAMES; name++) {
        assert_int_equal(txn_get(txn, key_of(txn, name), &value, &found), OK);
        assert_int_equal(found, model->value[name] != 0);
        assert_true(!found || atoi(arena_string(txn_arena(txn), value)) == model->value[name]);
    }
    for (int backward = 0; backward < 2; backward++) {
        Cursor *cursor = txn_scan(txn, all_keys(txn), backward ? SCAN_BACKWARD : SCAN_FORWARD);
        for (int i = 0; i < NAMES; i++) {
            int name = backward ? NAMES - 1 - i : i;
            if (model->value[name] == 0)
                continue;
            assert_int_equal(cursor_next(cursor, &key, &value), OK);
            assert_true(key.data != NULL && slice_equal(key, key_of(txn, name)));
            assert_int_equal(atoi(arena_string(txn_arena(txn), value)), model->value[name]);
        }
        assert_int_equal(cursor_next(cursor, &key, &value), OK);
        assert_null(key.data);
        cursor_close(cursor);
    }
}

static void apply(Txn *txn, Model *model, int name, int value)
{
    if (value == 0)
        txn_delete(txn, key_of(txn, name));
    else
        txn_put(txn, key_of(txn, name), arena_format(txn_arena(txn), "%d", value));
    model->value[name] = value;
}

static Error operation_body(Txn *txn, StoreCall *call)
{
    Operation *operation = CONTAINER_OF(CONTAINER_OF(call, Probe, call), Operation, probe);
    Model model = current->executed;
    expect_model(txn, &model);
    for (int name = 0; name < NAMES; name++) {
        if (operation->changes[name] < 0)
            continue;
        Savepoint savepoint = txn_savepoint(txn);
        Model before = model;
        apply(txn, &model, name, operation->changes[name]);
        if (operation->rolls_back && name % 2 == 0) {
            txn_rollback(txn, savepoint);
            model = before;
        }
    }
    expect_model(txn, &model);
    if (operation->fails)
        return ERROR_GONE;
    operation->order = ++current->next_order;
    operation->after = current->executed = model;
    return OK;
}

static void operation_done(StoreCall *call)
{
    CONTAINER_OF(call, Probe, call)->done = true;
}

static void start_operation(Run *run)
{
    Operation *operation = calloc(1, sizeof *operation);
    assert_non_null(operation);
    for (int name = 0; name < NAMES; name++)
        operation->changes[name] = chance(run, 4) > 0 ? -1 : (int)chance(run, 100);
    operation->fails = chance(run, 8) == 0;
    operation->rolls_back = chance(run, 3) == 0;
    operation->probe.call = (StoreCall){.body = operation_body,
                                        .done = operation_done,
                                        .mailbox = &run->world.mailbox,
                                        .arena = &operation->probe.arena};
    run->operations[run->count++] = operation;
    store_write(run->world.store, &operation->probe.call);
}

static Error snapshot_body(Txn *txn, StoreCall *call)
{
    Model *model = probe_argument(call);
    for (int name = 0; name < NAMES; name++) {
        Slice value;
        bool found;
        TRY(txn_get(txn, key_of(txn, name), &value, &found));
        model->value[name] = found ? atoi(arena_string(txn_arena(txn), value)) : 0;
    }
    return OK;
}

/* The newest acknowledged operation, 0 when there is none. */
static int acknowledged(const Run *run)
{
    int newest = 0;
    for (size_t i = 0; i < run->count; i++) {
        const Operation *operation = run->operations[i];
        if (operation->probe.done && operation->probe.call.result == OK && operation->order > newest)
            newest = operation->order;
    }
    return newest;
}

/* Power is lost. What remains is the state behind some operation that is no older than the newest acknowledged one;
 * everything that was executed later never happened. */
static void crash(Run *run, Model *last)
{
    int least = acknowledged(run);
    world_crash(&run->world, chance(run, 1 << 30));
    Model found = {0};
    assert_int_equal(world_read(&run->world, snapshot_body, &found), OK);
    bool possible = least == 0 && memcmp(&found, last, sizeof found) == 0;
    for (size_t i = 0; i < run->count; i++) {
        const Operation *operation = run->operations[i];
        if (operation->order >= least && operation->order > 0 && memcmp(&found, &operation->after, sizeof found) == 0)
            possible = true;
    }
    assert_true(possible);
    for (size_t i = 0; i < run->count; i++) {
        assert_true(run->operations[i]->probe.done);
        arena_free(&run->operations[i]->probe.arena);
        free(run->operations[i]);
    }
    run->count = 0;
    run->next_order = 0;
    run->executed = *last = found;
}

/* The disk is full when the log is written or synced. Everything unsynced is refused and never happened; what was
 * acknowledged before is what the next body sees. */
static void fill_disk(Run *run, const Model *last)
{
    bool in_write = chance(run, 2) == 0;
    engine_memory_fail(run->world.engine, in_write ? ERROR_FULL : OK, in_write ? OK : ERROR_FULL);
    store_step(run->world.store);
    os_sim_set_disk_free(run->world.os, 0);
    do
        store_step_sync(run->world.store);
    while (store_step(run->world.store));
    int newest = acknowledged(run);
    run->executed = *last;
    for (size_t i = 0; i < run->count; i++) {
        const Operation *operation = run->operations[i];
        assert_true(operation->probe.done);
        if (operation->order == newest && newest > 0)
            run->executed = operation->after;
    }
    engine_memory_fail(run->world.engine, OK, OK);
    os_sim_set_disk_free(run->world.os, 1ull << 40);
    os_sim_advance_ms(run->world.os, 200);
    Model found = {0};
    assert_int_equal(world_read(&run->world, snapshot_body, &found), OK);
    assert_memory_equal(&found, &run->executed, sizeof found);
}

static void simulate(uint64_t seed)
{
    Run run = {.random = seed | 1, .world.directory = "/data"};
    Model last = {0};
    current = &run;
    print_message("seed %llu\n", (unsigned long long)seed);
    world_open(&run.world, seed);
    for (size_t i = 0; i < OPERATIONS; i++) {
        switch (chance(&run, 8)) {
        case 0:
            assert_int_equal(store_step_sync(run.world.store), OK);
            break;
        case 1:
        case 2:
            store_step(run.world.store);
            break;
        case 3:
            if (chance(&run, 10) == 0)
                crash(&run, &last);
            else if (chance(&run, 10) == 0)
                fill_disk(&run, &last);
            break;
        default:
            start_operation(&run);
        }
    }
    crash(&run, &last);
    world_close(&run.world);
}

static void what_was_acknowledged_survives_whatever_the_seed(void **state)
{
    (void)state;
    seeds_run(simulate, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_acknowledged_survives_whatever_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the store promises when its log cannot be written, and to whoever waits. Stepped stores over the engine in
 * memory. */
#include "store_fixture.h"

static const uint64_t plenty = 1ull << 40;

static Slice named(Txn *txn, const char *name)
{
    Buffer key = key_start(txn_arena(txn), SLICE("123456789012"), SLICE("us-east-1"), KIND_QUEUE);
    key_add_string(&key, slice_of_string(name));
    return buffer_slice(&key);
}

static KeyRange every_name(Txn *txn)
{
    Buffer key = key_start(txn_arena(txn), SLICE("123456789012"), SLICE("us-east-1"), KIND_QUEUE);
    return key_range_of_prefix(txn_arena(txn), buffer_slice(&key));
}

static Error put_body(Txn *txn, StoreCall *call)
{
    txn_put(txn, named(txn, probe_argument(call)), SLICE("here"));
    return OK;
}

/* Deletes the name; writes nothing when it is not there. */
static Error delete_body(Txn *txn, StoreCall *call)
{
    Slice key = named(txn, probe_argument(call));
    Slice value;
    bool found;
    TRY(txn_get(txn, key, &value, &found));
    if (found)
        txn_delete(txn, key);
    return OK;
}

static Error there_body(Txn *txn, StoreCall *call)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, named(txn, probe_argument(call)), &value, &found));
    return found ? OK : ERROR_NOT_FOUND;
}

/* Deletes the first name that there is, or waits a minute for one. */
static Error take_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Cursor *cursor = txn_scan(txn, every_name(txn), SCAN_FORWARD);
    Slice key;
    Slice value;
    TRY(cursor_next(cursor, &key, &value));
    if (key.data == NULL)
        return txn_wait(txn, every_name(txn), 60000);
    txn_delete(txn, key);
    return OK;
}

static uint64_t reserve(void)
{
    return limits_default.value[LIMIT_STORE_RESERVE_BYTES];
}

/* Executes the body; then its sync finds the disk full. */
static void lose(World *world, TxnBody body, void *argument)
{
    Probe probe;
    probe_start(world, &probe, body, argument);
    assert_true(store_step(world->store));
    engine_memory_fail(world->engine, OK, ERROR_IO);
    os_sim_set_disk_free(world->os, 0);
    assert_int_not_equal(store_step_sync(world->store), OK);
    assert_true(probe.done);
    assert_int_equal(probe.call.result, ERROR_FULL);
    engine_memory_fail(world->engine, OK, OK);
    arena_free(&probe.arena);
}

static void set_space(World *world, uint64_t bytes)
{
    os_sim_set_disk_free(world->os, bytes);
    os_sim_advance_ms(world->os, 200);
}

/* ---- A log that cannot be written ---- */

static void nothing_is_answered_from_what_a_full_disk_lost(void **state)
{
    (void)state;
    World world = {.directory = "/data"};
    world_open(&world, 1);
    assert_int_equal(world_write(&world, put_body, "a"), OK);
    lose(&world, delete_body, "a");
    /* Room for deletes, but not for the log to be opened again: the engine still shows "a" as deleted. */
    set_space(&world, reserve() * 3 / 4);
    Probe probe = {.world = &world, .argument = "a"};
    probe.call = (StoreCall){
        .body = delete_body, .done = probe_done, .mailbox = &world.mailbox, .arena = &probe.arena, .frees_space = true};
    store_write(world.store, &probe.call);
    while (store_step(world.store))
        store_step_sync(world.store);
    assert_true(probe.done);
    assert_int_equal(probe.call.result, ERROR_FULL);
    assert_int_equal(world_read(&world, there_body, "a"), OK);
    set_space(&world, plenty);
    world_settle(&world);
    assert_int_equal(world_read(&world, there_body, "a"), OK);
    assert_int_equal(world_write(&world, delete_body, "a"), OK);
    assert_int_equal(world_read(&world, there_body, "a"), ERROR_NOT_FOUND);
    world_close(&world);
}

/* The error itself says that the disk is full: by the time that we look, there may be space again. */
static void a_full_disk_that_has_space_again_at_once_is_no_reason_to_stop(void **state)
{
    (void)state;
    World world = {.directory = "/data"};
    world_open(&world, 1);
    Probe probe;
    probe_start(&world, &probe, put_body, "a");
    engine_memory_fail(world.engine, ERROR_FULL, OK);
    store_step(world.store);
    store_step_sync(world.store);
    assert_true(probe.done);
    assert_int_equal(probe.call.result, ERROR_FULL);
    engine_memory_fail(world.engine, OK, OK);
    os_sim_advance_ms(world.os, 200);
    assert_int_equal(world_write(&world, put_body, "b"), OK);
    assert_int_equal(world_read(&world, there_body, "b"), OK);
    assert_int_equal(world_read(&world, there_body, "a"), ERROR_NOT_FOUND);
    probe_start(&world, &probe, put_body, "c");
    engine_memory_fail(world.engine, OK, ERROR_FULL);
    store_step(world.store);
    store_step_sync(world.store);
    assert_int_equal(probe.call.result, ERROR_FULL);
    engine_memory_fail(world.engine, OK, OK);
    os_sim_advance_ms(world.os, 200);
    world_settle(&world);
    assert_int_equal(world_read(&world, there_body, "b"), OK);
    assert_int_equal(world_read(&world, there_body, "c"), ERROR_NOT_FOUND);
    world_close(&world);
}

static void who_waited_for_what_a_full_disk_gave_back_is_woken(void **state)
{
    (void)state;
    World world = {.directory = "/data"};
    world_open(&world, 1);
    assert_int_equal(world_write(&world, put_body, "a"), OK);
    Probe taken;
    Probe waiting;
    probe_start(&world, &taken, take_body, NULL);
    probe_start(&world, &waiting, take_body, NULL);
    assert_true(store_step(world.store));
    engine_memory_fail(world.engine, OK, ERROR_IO);
    os_sim_set_disk_free(world.os, 0);
    assert_int_not_equal(store_step_sync(world.store), OK);
    assert_int_equal(taken.call.result, ERROR_FULL);
    assert_false(waiting.done);
    engine_memory_fail(world.engine, OK, OK);
    set_space(&world, plenty);
    world_settle(&world);
    assert_true(waiting.done);
    assert_int_equal(waiting.call.result, OK);
    assert_int_equal(world_read(&world, there_body, "a"), ERROR_NOT_FOUND);
    world_close(&world);
}

/* ---- Waiting ---- */

static Error write_much_and_wait(Txn *txn, StoreCall *call)
{
    (void)call;
    Savepoint before = txn_savepoint(txn);
    Slice much = slice_make(arena_zalloc(txn_arena(txn), 5 << 20), 5 << 20);
    txn_put(txn, named(txn, "much"), much);
    txn_rollback(txn, before);
    return txn_wait(txn, every_name(txn), 60000);
}

static void what_waiting_bodies_wrote_and_dropped_holds_nobody_up(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe waiting;
    probe_start(&world, &waiting, write_much_and_wait, NULL);
    world_settle(&world);
    assert_false(waiting.done);
    assert_int_equal(world_write(&world, there_body, "x"), ERROR_NOT_FOUND);
    store_cancel(world.store, &waiting.call);
    world_close(&world);
}

/* Waits for "second". */
static Error wait_for_second(Txn *txn, StoreCall *call)
{
    (void)call;
    Slice value;
    bool found;
    TRY(txn_get(txn, named(txn, "second"), &value, &found));
    return found ? OK : txn_wait(txn, every_name(txn), 60000);
}

/* Makes "second" of "first". */
static Error wait_for_first(Txn *txn, StoreCall *call)
{
    (void)call;
    Slice value;
    bool found;
    TRY(txn_get(txn, named(txn, "first"), &value, &found));
    if (!found)
        return txn_wait(txn, every_name(txn), 60000);
    txn_put(txn, named(txn, "second"), SLICE("2"));
    return OK;
}

/* Whoever has only ended its side of the connection still wants its answer. */
static void a_call_that_is_cancelled_before_it_ran_runs_but_does_not_wait(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe waiting;
    Probe putting;
    probe_start(&world, &waiting, take_body, NULL);
    probe_start(&world, &putting, put_body, "a");
    store_cancel(world.store, &waiting.call);
    store_cancel(world.store, &putting.call);
    world_settle(&world);
    assert_true(waiting.done && putting.done);
    assert_int_equal(waiting.call.result, ERROR_GONE);
    assert_int_equal(putting.call.result, OK);
    assert_int_equal(world_read(&world, there_body, "a"), OK);
    world_close(&world);
}

static void a_waiter_sees_what_another_one_of_its_round_has_put(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe second;
    Probe first;
    probe_start(&world, &second, wait_for_second, NULL);
    probe_start(&world, &first, wait_for_first, NULL);
    world_settle(&world);
    assert_int_equal(world_write(&world, put_body, "first"), OK);
    assert_true(first.done);
    assert_true(second.done);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_answered_from_what_a_full_disk_lost),
        cmocka_unit_test(a_full_disk_that_has_space_again_at_once_is_no_reason_to_stop),
        cmocka_unit_test(who_waited_for_what_a_full_disk_gave_back_is_woken),
        cmocka_unit_test(what_waiting_bodies_wrote_and_dropped_holds_nobody_up),
        cmocka_unit_test(a_call_that_is_cancelled_before_it_ran_runs_but_does_not_wait),
        cmocka_unit_test(a_waiter_sees_what_another_one_of_its_round_has_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

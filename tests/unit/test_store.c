/* The promises of store.h, kept by a stepped store over the engine in memory. */
#include "store_fixture.h"

#include <stdio.h>

enum { QUEUE_TEST_ERROR = ERROR_CORE_FIRST };

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

typedef struct Entry {
    const char *name;
    const char *value; /* NULL: deleted, or absent */
    Error fail;        /* the body fails with it after writing */
} Entry;

static Error set_body(Txn *txn, StoreCall *call)
{
    const Entry *entry = probe_argument(call);
    if (entry->value == NULL)
        txn_delete(txn, named(txn, entry->name));
    else
        txn_put(txn, named(txn, entry->name), slice_of_string(entry->value));
    return entry->fail;
}

static Error expect_body(Txn *txn, StoreCall *call)
{
    const Entry *entry = probe_argument(call);
    Slice value;
    bool found;
    TRY(txn_get(txn, named(txn, entry->name), &value, &found));
    assert_int_equal(found, entry->value != NULL);
    if (found)
        assert_true(slice_equal(value, slice_of_string(entry->value)));
    return OK;
}

static void set(World *world, const char *name, const char *value)
{
    assert_int_equal(world_write(world, set_body, &(Entry){name, value, OK}), OK);
}

static void expect(World *world, const char *name, const char *value)
{
    assert_int_equal(world_read(world, expect_body, &(Entry){name, value, OK}), OK);
}

static void a_write_is_seen_by_readers_only_when_it_is_durable(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Probe probe;
    Entry entry = {"a", "1", OK};
    probe_start(&world, &probe, set_body, &entry);
    while (store_step(world.store))
        ;
    assert_false(probe.done);
    expect(&world, "a", NULL);
    assert_int_equal(store_step_sync(world.store), OK);
    assert_true(probe.done);
    assert_int_equal(probe.call.result, OK);
    expect(&world, "a", "1");
    world_close(&world);
}

static void a_failed_body_leaves_no_trace_and_its_neighbours_stay(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    set(&world, "kept", "before");
    Entry entries[] = {{"x", "1", OK}, {"kept", "changed", QUEUE_TEST_ERROR}, {"y", "2", OK}};
    Probe probes[3];
    for (size_t i = 0; i < 3; i++)
        probe_start(&world, &probes[i], set_body, &entries[i]);
    world_settle(&world);
    assert_int_equal(probes[1].call.result, QUEUE_TEST_ERROR);
    expect(&world, "x", "1");
    expect(&world, "y", "2");
    expect(&world, "kept", "before");
    world_close(&world);
}

static Error scan_body(Txn *txn, StoreCall *call)
{
    const char *expected = probe_argument(call);
    txn_put(txn, named(txn, "c"), SLICE("C"));
    txn_delete(txn, named(txn, "b"));
    txn_put(txn, named(txn, "f"), SLICE("F"));
    size_t savepoint = txn_savepoint(txn);
    txn_put(txn, named(txn, "e"), SLICE("E"));
    txn_delete(txn, named(txn, "a"));
    txn_rollback(txn, savepoint);
    ScanOrder order = expected[0] == '<' ? SCAN_BACKWARD : SCAN_FORWARD;
    Buffer seen = buffer_make(txn_arena(txn));
    Cursor *cursor = txn_scan(txn, every_name(txn), order);
    Slice key;
    Slice value;
    Error error;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL)
        buffer_add(&seen, value);
    cursor_close(cursor);
    assert_int_equal(error, OK);
    assert_true(slice_equal(buffer_slice(&seen), slice_of_string(expected + 1)));
    return ERROR_GONE; /* drop it */
}

static void scans_merge_what_the_transaction_wrote(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    set(&world, "a", "a");
    set(&world, "b", "b");
    set(&world, "c", "c");
    set(&world, "d", "d");
    assert_int_equal(world_write(&world, scan_body, ">aCdF"), ERROR_GONE);
    assert_int_equal(world_write(&world, scan_body, "<FdCa"), ERROR_GONE);
    expect(&world, "b", "b");
    world_close(&world);
}

typedef struct Taker {
    size_t most;
    size_t got;
    bool timed_out;
} Taker;

/* Takes up to `most` names out of the range, or waits a second for one. */
static Error take_body(Txn *txn, StoreCall *call)
{
    Taker *taker = probe_argument(call);
    taker->got = 0;
    Cursor *cursor = txn_scan(txn, every_name(txn), SCAN_FORWARD);
    Slice key;
    Slice value;
    TRY(cursor_next(cursor, &key, &value));
    while (key.data != NULL && taker->got < taker->most) {
        txn_delete(txn, key);
        taker->got++;
        TRY(cursor_next(cursor, &key, &value));
    }
    taker->timed_out = txn_timed_out(txn);
    if (taker->got == 0 && !taker->timed_out)
        return txn_wait(txn, every_name(txn), 1000);
    txn_took(txn, taker->got);
    return OK;
}

static void one_key_wakes_one_waiter_first_come_first_served(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Taker takers[3] = {{1, 0, false}, {1, 0, false}, {1, 0, false}};
    Probe probes[3];
    for (size_t i = 0; i < 3; i++)
        probe_start(&world, &probes[i], take_body, &takers[i]);
    world_settle(&world);
    assert_false(probes[0].done || probes[1].done || probes[2].done);
    set(&world, "m", "1");
    assert_true(probes[0].done && !probes[1].done && !probes[2].done);
    assert_int_equal(takers[0].got, 1);
    /* The second one's client leaves: the wake-up goes to the third. */
    store_cancel(world.store, &probes[1].call);
    assert_true(probes[1].done);
    assert_int_equal(probes[1].call.result, ERROR_GONE);
    set(&world, "n", "1");
    assert_true(probes[2].done);
    assert_int_equal(takers[2].got, 1);
    world_close(&world);
}

static void a_wait_ends_at_its_deadline_on_the_wall_clock(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Taker taker = {1, 0, false};
    Probe probe;
    probe_start(&world, &probe, take_body, &taker);
    world_settle(&world);
    os_sim_advance_ms(world.os, 999);
    world_settle(&world);
    assert_false(probe.done);
    os_sim_advance_ms(world.os, 1);
    world_settle(&world);
    assert_true(probe.done);
    assert_true(taker.timed_out);
    world_close(&world);
}

static Error put_three(Txn *txn, StoreCall *call)
{
    (void)call;
    txn_put(txn, named(txn, "1"), SLICE("1"));
    txn_put(txn, named(txn, "2"), SLICE("2"));
    txn_put(txn, named(txn, "3"), SLICE("3"));
    return OK;
}

static void a_batch_wakes_as_many_as_it_feeds(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    Taker takers[4] = {{2, 0, false}, {2, 0, false}, {1, 0, false}, {1, 0, false}};
    Probe probes[4];
    for (size_t i = 0; i < 4; i++)
        probe_start(&world, &probes[i], take_body, &takers[i]);
    world_settle(&world);
    assert_int_equal(world_write(&world, put_three, NULL), OK);
    assert_int_equal(takers[0].got, 2);
    assert_int_equal(takers[1].got, 1);
    assert_true(probes[1].done);
    assert_false(probes[2].done || probes[3].done);
    set(&world, "4", "4");
    assert_true(probes[2].done && !probes[3].done);
    os_sim_advance_ms(world.os, 2000);
    world_settle(&world);
    assert_true(probes[3].done);
    world_close(&world);
}

/* ---- Timers ---- */

static uint64_t fired_at[8];
static size_t fired;

static Error note_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    assert_true(txn_now(txn) >= due_ms);
    fired_at[fired++] = txn_now(txn);
    if (slice_equal(value, SLICE("again")))
        txn_timer_set(txn, TIMER_QUEUE, 7, due_ms + 1000, id, SLICE("last"));
    txn_put(txn, named(txn, "fired"), value);
    return OK;
}

static void prepare_timers(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, note_timer);
}

static Error arm_body(Txn *txn, StoreCall *call)
{
    const Entry *entry = probe_argument(call);
    txn_timer_set(txn, TIMER_QUEUE, 7, txn_now(txn) + (uint64_t)entry->fail, slice_of_string(entry->name),
                  slice_of_string(entry->value));
    return OK;
}

static Error disarm_body(Txn *txn, StoreCall *call)
{
    txn_timer_delete(txn, TIMER_QUEUE, *(uint64_t *)probe_argument(call), SLICE("b"));
    return OK;
}

static void timers_fire_when_due_and_survive_a_crash(void **state)
{
    (void)state;
    World world = {.prepare = prepare_timers};
    fired = 0;
    world_open(&world, 1);
    uint64_t start = store_now(world.store);
    assert_int_equal(world_write(&world, arm_body, &(Entry){"a", "one", 5000}), OK);
    assert_int_equal(world_write(&world, arm_body, &(Entry){"b", "two", 3000}), OK);
    assert_int_equal(world_write(&world, arm_body, &(Entry){"c", "again", 1000}), OK);
    uint64_t due = start + 3000;
    assert_int_equal(world_write(&world, disarm_body, &due), OK);
    world_settle(&world);
    assert_int_equal(fired, 0);
    world_crash(&world, 3);
    os_sim_advance_ms(world.os, 1500);
    world_settle(&world);
    assert_int_equal(fired, 1);
    os_sim_advance_ms(world.os, 4000);
    world_settle(&world);
    assert_int_equal(fired, 3);
    expect(&world, "fired", "one");
    world_close(&world);
}

typedef struct Arrival {
    Task task;
    bool arrived;
} Arrival;

static void arrive(Task *task)
{
    CONTAINER_OF(task, Arrival, task)->arrived = true;
}

static void moving_the_clock_fires_each_timer_at_its_own_time(void **state)
{
    (void)state;
    World world = {.prepare = prepare_timers, .virtual_clock = true};
    fired = 0;
    world_open(&world, 1);
    uint64_t start = store_now(world.store);
    assert_int_equal(world_write(&world, arm_body, &(Entry){"a", "again", 60000}), OK);
    assert_int_equal(world_write(&world, arm_body, &(Entry){"b", "two", 90000000}), OK);
    Arrival arrival = {.task.run = arrive};
    assert_int_equal(store_clock_set(world.store, start + 86400000, &arrival.task, &world.mailbox), OK);
    world_settle(&world);
    assert_true(arrival.arrived);
    assert_int_equal(fired, 2);
    assert_int_equal(fired_at[0], start + 60000);
    assert_int_equal(fired_at[1], start + 61000);
    assert_int_equal(store_now(world.store), start + 86400000);
    assert_int_equal(store_clock_set(world.store, start, &arrival.task, &world.mailbox), ERROR_DENIED);
    world_crash(&world, 1);
    assert_int_equal(store_now(world.store), start + 86400000);
    world_close(&world);
}

/* ---- Bounds, full disks, backups ---- */

static Error put_too_much(Txn *txn, StoreCall *call)
{
    (void)call;
    char name[16];
    for (uint64_t i = 0; i <= txn_limits(txn)->value[LIMIT_STORE_TXN_KEYS]; i++) {
        snprintf(name, sizeof name, "%08u", (unsigned)i);
        txn_put(txn, named(txn, name), SLICE("v"));
    }
    return OK;
}

static void a_transaction_past_its_bounds_is_dropped_whole(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    assert_int_equal(world_write(&world, put_too_much, NULL), ERROR_TOO_LARGE);
    expect(&world, "00000000", NULL);
    world_close(&world);
}

static void a_full_disk_refuses_writes_and_serves_reads_until_space_returns(void **state)
{
    (void)state;
    World world = {.directory = "/data"};
    world_open(&world, 1);
    set(&world, "a", "1");
    os_sim_set_disk_free(world.os, limits_default.value[LIMIT_STORE_RESERVE_BYTES] - 1);
    os_sim_advance_ms(world.os, 200);
    assert_int_equal(world_write(&world, set_body, &(Entry){"b", "2", OK}), ERROR_FULL);
    expect(&world, "a", "1");
    os_sim_set_disk_free(world.os, 1ull << 40);
    os_sim_advance_ms(world.os, 200);
    set(&world, "b", "2");
    /* The log itself fails: nothing of it may be acknowledged, and the store heals. */
    os_sim_set_disk_free(world.os, 0);
    engine_memory_fail(world.engine, OK, ERROR_IO);
    Probe probe;
    Entry entry = {"c", "3", OK};
    os_sim_set_disk_free(world.os, 1ull << 40);
    probe_start(&world, &probe, set_body, &entry);
    assert_true(store_step(world.store));
    os_sim_set_disk_free(world.os, 0);
    assert_int_equal(store_step_sync(world.store), ERROR_IO);
    assert_true(probe.done);
    assert_int_equal(probe.call.result, ERROR_FULL);
    engine_memory_fail(world.engine, OK, OK);
    os_sim_set_disk_free(world.os, 1ull << 40);
    os_sim_advance_ms(world.os, 200);
    world_settle(&world);
    set(&world, "d", "4");
    expect(&world, "b", "2");
    expect(&world, "c", NULL);
    expect(&world, "d", "4");
    world_close(&world);
}

typedef struct Tape {
    char bytes[1 << 16];
    size_t size;
    size_t at;
} Tape;

static Error tape_read(void *source, char *bytes, size_t size, size_t *given)
{
    Tape *tape = source;
    *given = size < tape->size - tape->at ? size : tape->size - tape->at;
    memcpy(bytes, tape->bytes + tape->at, *given);
    tape->at += *given;
    return OK;
}

static Error restored(Tape *tape)
{
    Engine *engine = engine_memory_open();
    tape->at = 0;
    Error error = backup_restore(engine, tape_read, tape, NULL);
    engine->operations->close(engine);
    return error;
}

static void a_backup_is_one_state_and_any_damage_is_noticed(void **state)
{
    (void)state;
    World world = {0};
    world_open(&world, 1);
    set(&world, "a", "1");
    set(&world, "b", "2");
    Backup *backup;
    assert_int_equal(backup_open(world.store, NULL, &backup), OK);
    set(&world, "a", "changed");
    set(&world, "c", "3");
    static Tape tape;
    tape.size = 0;
    size_t given;
    do {
        assert_int_equal(backup_read(backup, tape.bytes + tape.size, 7, &given), OK);
        tape.size += given;
    } while (given > 0);
    backup_close(backup);
    world_close(&world);

    World copy = {0};
    copy.os = os_sim_open(2);
    copy.engine = engine_memory_open();
    copy.mailbox.post = world_post;
    tape.at = 0;
    assert_int_equal(backup_restore(copy.engine, tape_read, &tape, NULL), OK);
    world_start_store(&copy);
    expect(&copy, "a", "1");
    expect(&copy, "b", "2");
    expect(&copy, "c", NULL);
    world_close(&copy);

    for (size_t i = 0; i < tape.size; i++) {
        tape.bytes[i] ^= 1;
        assert_int_not_equal(restored(&tape), OK);
        tape.bytes[i] ^= 1;
    }
    tape.size--;
    assert_int_equal(restored(&tape), ERROR_MALFORMED);
    tape.size++;
    assert_int_equal(restored(&tape), OK);
    tape.bytes[tape.size++] = '\n';
    assert_int_equal(restored(&tape), ERROR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_is_seen_by_readers_only_when_it_is_durable),
        cmocka_unit_test(a_failed_body_leaves_no_trace_and_its_neighbours_stay),
        cmocka_unit_test(scans_merge_what_the_transaction_wrote),
        cmocka_unit_test(one_key_wakes_one_waiter_first_come_first_served),
        cmocka_unit_test(a_wait_ends_at_its_deadline_on_the_wall_clock),
        cmocka_unit_test(a_batch_wakes_as_many_as_it_feeds),
        cmocka_unit_test(timers_fire_when_due_and_survive_a_crash),
        cmocka_unit_test(moving_the_clock_fires_each_timer_at_its_own_time),
        cmocka_unit_test(a_transaction_past_its_bounds_is_dropped_whole),
        cmocka_unit_test(a_full_disk_refuses_writes_and_serves_reads_until_space_returns),
        cmocka_unit_test(a_backup_is_one_state_and_any_damage_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the store promises of timers and of a clock that is moved when something fails: a body, the clock's record, a
 * read. Stepped stores over the engine in memory. */
#include "store_fixture.h"

#include <limits.h>
#include <stdio.h>

enum { RETRY_MS = 500 };

static Slice named(Txn *txn, const char *name)
{
    Buffer key = key_start(txn_arena(txn), SLICE("123456789012"), SLICE("us-east-1"), KIND_QUEUE);
    key_add_string(&key, slice_of_string(name));
    return buffer_slice(&key);
}

static Error there_body(Txn *txn, StoreCall *call)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, named(txn, probe_argument(call)), &value, &found));
    return found ? OK : ERROR_NOT_FOUND;
}

static void set_space(World *world, uint64_t bytes)
{
    os_sim_set_disk_free(world->os, bytes);
    os_sim_advance_ms(world->os, 200);
}

static unsigned failures_left;
static unsigned runs;

static Error stubborn_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    (void)due_ms;
    (void)id;
    (void)value;
    runs++;
    if (failures_left > 0) {
        failures_left--;
        return ERROR_MALFORMED;
    }
    txn_put(txn, named(txn, "fired"), SLICE("1"));
    return OK;
}

static void prepare_timers(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, stubborn_timer);
}

static Error arm_body(Txn *txn, StoreCall *call)
{
    const uint64_t *in_ms = probe_argument(call);
    txn_timer_set(txn, TIMER_QUEUE, 7, txn_now(txn) + *in_ms, SLICE("id"), SLICE("value"));
    return OK;
}

static void arm(World *world, uint64_t in_ms)
{
    assert_int_equal(world_write(world, arm_body, &in_ms), OK);
}

/* Steps until nothing is to do, or it seems that this never ends. */
static void settle_somehow(World *world)
{
    for (unsigned i = 0; i < 100 && store_step(world->store); i++)
        store_step_sync(world->store);
    store_step_sync(world->store);
}

static void start_timers(World *world, unsigned failures)
{
    failures_left = failures;
    runs = 0;
    world->prepare = prepare_timers;
    world->virtual_clock = true;
    world_open(world, 1);
}

static void a_timer_that_failed_is_tried_again_after_a_pause(void **state)
{
    (void)state;
    World world = {0};
    start_timers(&world, 2);
    arm(&world, 1000);
    os_sim_advance_ms(world.os, 1000);
    settle_somehow(&world);
    assert_int_equal(runs, 1);
    os_sim_advance_ms(world.os, RETRY_MS - 1);
    settle_somehow(&world);
    assert_int_equal(runs, 1);
    os_sim_advance_ms(world.os, 1);
    settle_somehow(&world);
    assert_int_equal(runs, 2);
    /* The second pause is twice as long. */
    os_sim_advance_ms(world.os, 2 * RETRY_MS - 1);
    settle_somehow(&world);
    assert_int_equal(runs, 2);
    os_sim_advance_ms(world.os, 1);
    settle_somehow(&world);
    assert_int_equal(runs, 3);
    assert_int_equal(world_read(&world, there_body, "fired"), OK);
    world_close(&world);
}

static void a_timer_that_always_fails_is_tried_once_a_minute(void **state)
{
    (void)state;
    World world = {0};
    start_timers(&world, UINT_MAX);
    arm(&world, 1000);
    for (unsigned second = 0; second < 3600; second++) {
        os_sim_advance_ms(world.os, 1000);
        settle_somehow(&world);
    }
    assert_in_range(runs, 55, 75);
    world_close(&world);
}

/* ---- Others beside one that fails ---- */

static Error arm_other_body(Txn *txn, StoreCall *call)
{
    const uint64_t *in_ms = probe_argument(call);
    txn_timer_set(txn, TIMER_STORE, 7, txn_now(txn) + *in_ms, SLICE("other"), SLICE("value"));
    return OK;
}

static unsigned others;

static Error other_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    (void)txn;
    (void)due_ms;
    (void)id;
    (void)value;
    others++;
    return OK;
}

static void prepare_both(Store *store)
{
    prepare_timers(store);
    store_on_timer(store, TIMER_STORE, other_timer);
}

static void a_timer_that_fails_delays_no_other(void **state)
{
    (void)state;
    World world = {.prepare = prepare_both};
    failures_left = UINT_MAX;
    runs = others = 0;
    world_open(&world, 1);
    arm(&world, 1000);
    uint64_t in_ms = 1001;
    assert_int_equal(world_write(&world, arm_other_body, &in_ms), OK);
    os_sim_advance_ms(world.os, 1000);
    settle_somehow(&world);
    assert_int_equal(runs, 1);
    os_sim_advance_ms(world.os, 1);
    settle_somehow(&world);
    assert_int_equal(others, 1);
    assert_int_equal(runs, 1);
    world_close(&world);
}

static uint64_t no_time(void *clock)
{
    (void)clock;
    return 0;
}

static void a_timer_that_fails_is_logged(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    Log log = {.file = fileno(file), .level = LOG_LEVEL_WARNING, .wall_us = no_time};
    Os *os = os_sim_open(1);
    World world = {.os = os, .mailbox.post = world_post};
    StoreOptions options = {
        .os = os, .engine = engine_memory_open(), .limits = &limits_default, .readers = 1, .log = &log};
    assert_int_equal(store_open(&options, &world.store), OK);
    prepare_timers(world.store);
    failures_left = 2;
    arm(&world, 1000);
    for (unsigned i = 0; i < 3; i++) {
        os_sim_advance_ms(os, 1000);
        settle_somehow(&world);
    }
    world_close(&world);
    char text[4096];
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_non_null(strstr(text, "event=timer_failed kind=1"));
    assert_non_null(strstr(text, "failures=2"));
    assert_null(strstr(text, "failures=3"));
}

/* Deleted by whoever set it: nothing is left to try, and nothing spins. */
static Error disarm_body(Txn *txn, StoreCall *call)
{
    txn_timer_delete(txn, TIMER_QUEUE, *(const uint64_t *)probe_argument(call), SLICE("id"));
    return OK;
}

static void a_timer_that_failed_and_was_deleted_is_forgotten(void **state)
{
    (void)state;
    World world = {0};
    start_timers(&world, UINT_MAX);
    uint64_t due_ms = store_now(world.store) + 1000;
    arm(&world, 1000);
    os_sim_advance_ms(world.os, 1000);
    settle_somehow(&world);
    assert_int_equal(runs, 1);
    assert_int_equal(world_write(&world, disarm_body, &due_ms), OK);
    for (unsigned second = 0; second < 200; second++) {
        os_sim_advance_ms(world.os, 1000);
        settle_somehow(&world);
        assert_false(store_step(world.store));
    }
    assert_int_equal(runs, 1);
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

static void a_moving_clock_passes_a_timer_that_fails(void **state)
{
    (void)state;
    World world = {0};
    start_timers(&world, 1);
    arm(&world, 1000);
    Arrival arrival = {.task.run = arrive};
    uint64_t target = store_now(world.store) + 5000;
    assert_int_equal(store_clock_set(world.store, target, &arrival.task, &world.mailbox), OK);
    settle_somehow(&world);
    assert_int_equal(runs, 1);
    assert_true(arrival.arrived);
    assert_int_equal(store_now(world.store), target);
    os_sim_advance_ms(world.os, RETRY_MS);
    settle_somehow(&world);
    assert_int_equal(runs, 2);
    assert_int_equal(world_read(&world, there_body, "fired"), OK);
    world_close(&world);
}

/* A timer that is overdue when the clock is moved must not take the kept clock back to its own time. */
static void a_crash_on_the_way_to_a_later_time_takes_no_time_back(void **state)
{
    (void)state;
    World world = {0};
    start_timers(&world, 0);
    arm(&world, 1000);
    os_sim_advance_ms(world.os, 60000);
    uint64_t before = store_now(world.store);
    Arrival arrival = {.task.run = arrive};
    assert_int_equal(store_clock_set(world.store, before + 5000, &arrival.task, &world.mailbox), OK);
    while (runs == 0)
        assert_true(store_step(world.store));
    assert_int_equal(store_step_sync(world.store), OK);
    assert_false(arrival.arrived);
    world_crash(&world, 1);
    assert_true(store_now(world.store) >= before);
    world_close(&world);
}

static void a_moved_clock_has_arrived_only_when_that_is_durable(void **state)
{
    (void)state;
    World world = {.directory = "/data"};
    start_timers(&world, 0);
    set_space(&world, 0);
    Arrival arrival = {.task.run = arrive};
    uint64_t target = store_now(world.store) + 86400000;
    assert_int_equal(store_clock_set(world.store, target, &arrival.task, &world.mailbox), OK);
    settle_somehow(&world);
    assert_false(arrival.arrived);
    set_space(&world, 1ull << 40);
    os_sim_advance_ms(world.os, RETRY_MS);
    settle_somehow(&world);
    assert_true(arrival.arrived);
    world_crash(&world, 1);
    assert_true(store_now(world.store) >= target);
    world_close(&world);
}

/* ---- A disk that cannot be read for a while ---- */

static const EngineOperations *whole;
static bool unreadable;

static Error fragile_next(EngineCursor *cursor, Slice *key, Slice *value)
{
    return unreadable ? ERROR_IO : whole->cursor_next(cursor, key, value);
}

static void timers_that_could_not_be_read_are_looked_for_again(void **state)
{
    (void)state;
    World world = {0};
    start_timers(&world, 0);
    arm(&world, 1000);
    whole = world.engine->operations;
    EngineOperations fragile = *whole;
    fragile.cursor_next = fragile_next;
    world.engine->operations = &fragile;
    unreadable = true;
    os_sim_advance_ms(world.os, 1000);
    settle_somehow(&world);
    assert_int_equal(runs, 0);
    unreadable = false;
    os_sim_advance_ms(world.os, RETRY_MS);
    settle_somehow(&world);
    assert_int_equal(runs, 1);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_that_failed_is_tried_again_after_a_pause),
        cmocka_unit_test(a_timer_that_always_fails_is_tried_once_a_minute),
        cmocka_unit_test(a_timer_that_fails_delays_no_other),
        cmocka_unit_test(a_timer_that_fails_is_logged),
        cmocka_unit_test(a_timer_that_failed_and_was_deleted_is_forgotten),
        cmocka_unit_test(a_moving_clock_passes_a_timer_that_fails),
        cmocka_unit_test(a_crash_on_the_way_to_a_later_time_takes_no_time_back),
        cmocka_unit_test(a_moved_clock_has_arrived_only_when_that_is_durable),
        cmocka_unit_test(timers_that_could_not_be_read_are_looked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

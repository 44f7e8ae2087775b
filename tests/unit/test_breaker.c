/* The promises of breaker.h, on a clock that the test moves. */
#include "store_fixture.h"

#include "core/breaker.h"

enum { RECOVERY_MS = 60000, THRESHOLD = 3 };

typedef enum What { READ, ENTER, SUCCEED, FAIL, FORGET } What;

typedef struct Step {
    What what;
    Breaker breaker;
    bool allowed;
} Step;

static Error step_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Breaker *breaker = &step->breaker;
    switch (step->what) {
    case READ:
        return breaker_read(txn, breaker);
    case ENTER:
        return breaker_enter(txn, breaker, &step->allowed);
    case FORGET:
        return breaker_forget(txn, breaker->account, breaker->region, breaker->name);
    default:
        return breaker_record(txn, breaker, step->what == SUCCEED);
    }
}

static Breaker breaker_named(const char *name)
{
    return (Breaker){
        .account = SLICE("123456789012"),
        .region = SLICE("us-east-1"),
        .name = slice_of_string(name),
        .failure_threshold = THRESHOLD,
        .recovery_ms = RECOVERY_MS,
    };
}

static Step run(World *world, What what)
{
    Step step = {.what = what, .breaker = breaker_named("payments")};
    assert_int_equal(what == READ ? world_read(world, step_body, &step) : world_write(world, step_body, &step), OK);
    return step;
}

static void expect_state(World *world, BreakerState state)
{
    assert_int_equal(run(world, READ).breaker.state, state);
}

static void record_failures(World *world, unsigned times)
{
    while (times-- > 0)
        run(world, FAIL);
}

static bool enters(World *world)
{
    return run(world, ENTER).allowed;
}

static void it_opens_at_the_threshold_of_failures_in_a_row(void **state)
{
    World *world = *state;
    record_failures(world, THRESHOLD - 1);
    run(world, SUCCEED);
    record_failures(world, THRESHOLD - 1);
    expect_state(world, BREAKER_CLOSED);
    assert_true(enters(world));
    record_failures(world, 1);
    expect_state(world, BREAKER_OPEN);
    assert_false(enters(world));
}

static void it_stays_open_until_the_recovery_time_has_passed(void **state)
{
    World *world = *state;
    record_failures(world, THRESHOLD);
    uint64_t now = store_now(world->store);
    const Breaker open = run(world, READ).breaker;
    assert_int_equal(breaker_opens_ms(&open), now + RECOVERY_MS);
    os_sim_advance_ms(world->os, RECOVERY_MS - 1);
    run(world, FAIL); /* of a call from before: nothing new */
    run(world, SUCCEED);
    assert_false(enters(world));
    os_sim_advance_ms(world->os, 1);
    expect_state(world, BREAKER_HALF_OPEN);
    const Breaker half = run(world, READ).breaker;
    assert_int_equal(breaker_opens_ms(&half), 0);
}

static void it_lets_one_probe_through(void **state)
{
    World *world = *state;
    record_failures(world, THRESHOLD);
    os_sim_advance_ms(world->os, RECOVERY_MS);
    assert_true(enters(world));
    for (unsigned i = 0; i < 5; i++)
        assert_false(enters(world));
    const Breaker waiting = run(world, READ).breaker;
    assert_int_equal(breaker_opens_ms(&waiting), store_now(world->store) + RECOVERY_MS);
    run(world, SUCCEED);
    expect_state(world, BREAKER_CLOSED);
    record_failures(world, THRESHOLD - 1);
    expect_state(world, BREAKER_CLOSED);
}

static void a_probe_that_fails_opens_it_anew(void **state)
{
    World *world = *state;
    record_failures(world, THRESHOLD);
    os_sim_advance_ms(world->os, RECOVERY_MS);
    assert_true(enters(world));
    record_failures(world, 1);
    os_sim_advance_ms(world->os, RECOVERY_MS - 1);
    assert_false(enters(world));
    os_sim_advance_ms(world->os, 1);
    assert_true(enters(world));
}

static void a_silent_probe_is_given_to_another(void **state)
{
    World *world = *state;
    record_failures(world, THRESHOLD);
    os_sim_advance_ms(world->os, RECOVERY_MS);
    assert_true(enters(world));
    os_sim_advance_ms(world->os, RECOVERY_MS - 1);
    assert_false(enters(world));
    os_sim_advance_ms(world->os, 1);
    assert_true(enters(world));
    assert_false(enters(world));
}

static void it_survives_a_loss_of_power(void **state)
{
    World *world = *state;
    record_failures(world, THRESHOLD);
    world_crash(world, 7);
    expect_state(world, BREAKER_OPEN);
}

static void one_that_is_forgotten_is_closed(void **state)
{
    World *world = *state;
    record_failures(world, THRESHOLD);
    run(world, FORGET);
    expect_state(world, BREAKER_CLOSED);
    assert_int_equal(run(world, READ).breaker.failures, 0);
}

static Error count_keys_body(Txn *txn, StoreCall *call)
{
    Breaker found[4];
    size_t *count = probe_argument(call);
    size_t page = 2;
    *count = 0;
    Slice after = {0};
    do {
        TRY(breaker_list(txn, SLICE("123456789012"), SLICE("us-east-1"), after, found, &page));
        *count += page;
        after = page > 0 ? found[page - 1].name : after;
    } while (page == 2);
    return OK;
}

static Error fail_named_body(Txn *txn, StoreCall *call)
{
    Breaker breaker = breaker_named(probe_argument(call));
    return breaker_record(txn, &breaker, false);
}

static void those_that_failed_are_listed_page_by_page(void **state)
{
    World *world = *state;
    char *names[] = {"a", "b", "c", "mapping/1", "zz"};
    size_t count;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(world_write(world, fail_named_body, names[i]), OK);
    assert_int_equal(world_read(world, count_keys_body, &count), OK);
    assert_int_equal(count, 5);
    record_failures(world, 1);
    run(world, SUCCEED); /* closed without failures: nothing is kept */
    assert_int_equal(world_read(world, count_keys_body, &count), OK);
    assert_int_equal(count, 5);
}

static int open_world(void **state)
{
    static World world;
    world = (World){0};
    world_open(&world, 1);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(it_opens_at_the_threshold_of_failures_in_a_row),
        TEST(it_stays_open_until_the_recovery_time_has_passed),
        TEST(it_lets_one_probe_through),
        TEST(a_probe_that_fails_opens_it_anew),
        TEST(a_silent_probe_is_given_to_another),
        TEST(it_survives_a_loss_of_power),
        TEST(one_that_is_forgotten_is_closed),
        TEST(those_that_failed_are_listed_page_by_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The promises of fair queues, one by one, on a stepped store with a clock that the test moves. */
#include "group_fixture.h"

static int setup(void **state)
{
    return group_setup(state, false);
}

/* `group` NULL: none. */
static void send(GroupWorld *fixture, const char *group, const char *body)
{
    assert_int_equal(try_send(fixture, group, NULL, body), OK);
}

static void send_many(GroupWorld *fixture, const char *group, size_t count)
{
    for (size_t i = 0; i < count; i++)
        send(fixture, group, group);
}

/* Receives `count` messages, ten at a time, all of that group. */
static void receive_many(GroupWorld *fixture, const char *group, size_t count)
{
    for (size_t left = count; left > 0; left -= fixture->received.count) {
        assert_int_equal(try_receive(fixture, left < 10 ? left : 10, 30 * SECOND, NULL), OK);
        assert_true(fixture->received.count > 0);
        for (size_t i = 0; i < fixture->received.count; i++)
            assert_true(slice_equal(fixture->received.items[i].message.group, slice_of_string(group)));
    }
}

/* A group with so many messages in flight that it is noisy, and a backlog. */
static void flood(GroupWorld *fixture, const char *group, size_t in_flight, size_t backlog)
{
    send_many(fixture, group, in_flight);
    receive_many(fixture, group, in_flight);
    send_many(fixture, group, backlog);
}

/* ---- Turns ---- */

static void groups_take_turns_and_a_lone_one_gives_all(void **state)
{
    GroupWorld *fixture = *state;
    const char *bodies[] = {"a1", "a2", "a3", "b1", "b2", "c1"};
    for (size_t i = 0; i < 6; i++)
        send(fixture, (char[]){bodies[i][0], 0}, bodies[i]);
    receive(fixture, 1, 30 * SECOND, "a1");
    receive(fixture, 1, 30 * SECOND, "b1");
    receive(fixture, 10, 30 * SECOND, "c1 a2 b2 a3");
}

static void messages_without_a_group_come_alternately_with_the_others(void **state)
{
    GroupWorld *fixture = *state;
    for (size_t i = 0; i < 4; i++)
        send(fixture, NULL, "-");
    send(fixture, "a", "a");
    send(fixture, "b", "b");
    receive(fixture, 1, 30 * SECOND, "a");
    receive(fixture, 1, 30 * SECOND, "-");
    receive(fixture, 10, 30 * SECOND, "b - - -");
}

static void what_comes_back_goes_before_what_is_new_in_its_group_alone(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "a", "a1");
    send(fixture, "a", "a2");
    receive(fixture, 1, 30 * SECOND, "a1");
    Slice receipt = receipt_at(fixture, 0);
    send(fixture, "b", "b1");
    send(fixture, "b", "b2");
    assert_int_equal(change_visibility(fixture, receipt, 0), OK);
    receive(fixture, 10, 0, "a1 b1 a2 b2");
    expect_counts(fixture, 4, 0, 0);
}

static void a_message_that_is_visible_at_once_is_not_given_twice(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "a", "a1");
    send(fixture, "a", "a2");
    receive(fixture, 10, 0, "a1 a2");
    receive(fixture, 10, 0, "a1 a2");
    receive(fixture, 1, 30 * SECOND, "a1");
}

/* ---- Noise ---- */

static void quiet_groups_go_before_one_that_floods_the_queue(void **state)
{
    GroupWorld *fixture = *state;
    flood(fixture, "noisy", 40, 60);
    send(fixture, "a", "a1");
    send(fixture, "b", "b1");
    send(fixture, "a", "a2");
    receive(fixture, 2, 30 * SECOND, "a1 b1");
    send(fixture, "c", "c1");
    receive(fixture, 4, 30 * SECOND, "a2 c1 noisy noisy");
    look(fixture);
    assert_int_equal(fixture->state.noisy_count, 1);
}

static void what_comes_back_of_a_noisy_group_waits_too(void **state)
{
    GroupWorld *fixture = *state;
    flood(fixture, "noisy", 40, 0);
    assert_int_equal(change_visibility(fixture, receipt_at(fixture, 0), 0), OK);
    assert_int_equal(change_visibility(fixture, receipt_at(fixture, 1), 0), OK);
    send(fixture, "a", "a1");
    send(fixture, NULL, "-");
    receive(fixture, 10, 30 * SECOND, "- a1 noisy noisy");
}

static void of_noisy_groups_the_one_with_the_fewest_in_flight_comes_first(void **state)
{
    GroupWorld *fixture = *state;
    flood(fixture, "x", 42, 0);
    flood(fixture, "y", 40, 4);
    send_many(fixture, "x", 4);
    send(fixture, "a", "a1");
    receive(fixture, 8, 30 * SECOND, "a1 y y y x y x x"); /* y has 40, x 42; of equals, the one that waits longer */
}

static void a_group_below_thirty_in_flight_is_quiet_whatever_its_share(void **state)
{
    GroupWorld *fixture = *state;
    flood(fixture, "x", 28, 2);
    send(fixture, "a", "a1");
    receive(fixture, 10, 30 * SECOND, "x a1 x");
}

static void a_noisy_group_is_quiet_again_when_it_was_sent_nothing_for_five_minutes(void **state)
{
    GroupWorld *fixture = *state;
    send_many(fixture, "x", 100);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(try_receive(fixture, 10, 10 * MINUTE, NULL), OK);
    send(fixture, "a", "a1");
    receive(fixture, 2, 10 * MINUTE, "a1 x");
    pass(fixture, 5 * MINUTE);
    send(fixture, "a", "a2");
    receive(fixture, 2, 10 * MINUTE, "a2 x"); /* it comes behind those that wait already, once */
    send(fixture, "a", "a3");
    receive(fixture, 2, 10 * MINUTE, "x a3");
}

static void a_noisy_group_is_quiet_again_when_its_messages_are_done(void **state)
{
    GroupWorld *fixture = *state;
    flood(fixture, "x", 30, 10);
    send(fixture, "a", "a1");
    receive(fixture, 1, 30 * SECOND, "a1");
    look(fixture);
    assert_int_equal(fixture->state.noisy_count, 1);
    receive(fixture, 1, 30 * SECOND, "x");
    assert_int_equal(delete_message(fixture, receipt_at(fixture, 0)), OK);
    send(fixture, "a", "a2");
    receive(fixture, 1, 30 * SECOND, "a2");
    pass(fixture, 30 * SECOND); /* all 30 come back */
    look(fixture);
    assert_int_equal(fixture->counts.in_flight, 0);
    send(fixture, "a", "a3");
    receive(fixture, 1, 30 * SECOND, "a1");
    look(fixture);
    assert_int_equal(fixture->state.noisy_count, 0);
}

/* Twenty groups with a backlog of which `ms` each are processed at a time, one message of a group. */
static void process(GroupWorld *fixture, const char *group, uint64_t ms)
{
    send(fixture, group, group);
    assert_int_equal(try_receive(fixture, 1, HOUR / 2, NULL), OK);
    assert_int_equal(fixture->received.count, 1);
    Slice receipt = receipt_at(fixture, 0);
    pass(fixture, ms);
    assert_int_equal(delete_message(fixture, receipt), OK);
}

static void a_group_that_takes_most_of_the_processing_time_waits(void **state)
{
    GroupWorld *fixture = *state;
    char name[8];
    /* A message of each stays, so that the group is known for what it did. */
    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "g%u", i);
        send(fixture, name, name);
    }
    send(fixture, "slow", "slow");
    send(fixture, "slow", "slow");
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(try_receive(fixture, 1, HOUR / 2, NULL), OK);
        Slice receipt = receipt_at(fixture, 0);
        Slice group = fixture->received.items[0].message.group;
        send(fixture, arena_string(&fixture->arena, group), "next");
        pass(fixture, SECOND);
        assert_int_equal(delete_message(fixture, receipt), OK);
    }
    process(fixture, "slow", 40 * SECOND);
    assert_true(slice_equal(fixture->received.items[0].message.group, SLICE("slow")));
    send(fixture, "quick", "quick");
    for (unsigned i = 0; i < 21; i++) { /* its turn comes behind all others, though it has nothing in flight */
        assert_int_equal(try_receive(fixture, 1, HOUR / 2, NULL), OK);
        assert_false(slice_equal(fixture->received.items[0].message.group, SLICE("slow")));
    }
    receive(fixture, 10, 30 * SECOND, "slow slow");
}

static void few_groups_with_even_shares_are_all_quiet(void **state)
{
    GroupWorld *fixture = *state;
    const char *groups[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        send_many(fixture, groups[i], 3);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(try_receive(fixture, 1, HOUR / 2, NULL), OK);
        pass(fixture, MINUTE);
        assert_int_equal(delete_message(fixture, receipt_at(fixture, 0)), OK);
    }
    receive(fixture, 10, 30 * SECOND, "a b c");
    look(fixture);
    assert_int_equal(fixture->state.noisy_count, 0);
}

/* ---- Waiting ---- */

static void a_batch_of_one_group_wakes_a_waiter_for_each_message(void **state)
{
    GroupWorld *fixture = *state;
    Probe probes[4];
    for (size_t i = 0; i < 4; i++)
        start_waiting(fixture, &probes[i], 1);
    for (size_t i = 0; i < 3; i++)
        send(fixture, "a", "a");
    assert_true(probes[0].done && probes[1].done && probes[2].done && !probes[3].done);
    expect_counts(fixture, 0, 3, 0);
    send(fixture, NULL, "-");
    assert_true(probes[3].done);
    for (size_t i = 0; i < 4; i++)
        arena_free(&probes[i].arena);
}

static Error send_three_body(Txn *txn, StoreCall *call)
{
    for (size_t i = 0; i < 3; i++)
        TRY(group_send_body(txn, call));
    return OK;
}

static void a_batch_in_one_transaction_wakes_as_many(void **state)
{
    GroupWorld *fixture = *state;
    Probe probes[4];
    for (size_t i = 0; i < 4; i++)
        start_waiting(fixture, &probes[i], 1);
    fixture->message = (Message){.body = SLICE("a"), .sender = SLICE("someone"), .group = SLICE("a")};
    assert_int_equal(world_write(&fixture->world, send_three_body, fixture), OK);
    assert_true(probes[0].done && probes[1].done && probes[2].done && !probes[3].done);
    store_end_waits(fixture->world.store);
    world_settle(&fixture->world);
    for (size_t i = 0; i < 4; i++)
        arena_free(&probes[i].arena);
}

/* ---- Time and loss ---- */

static void delays_retention_and_purges_leave_nothing_behind(void **state)
{
    GroupWorld *fixture = *state;
    fixture->settings.delay_ms = MINUTE;
    send(fixture, "a", "later");
    fixture->settings.delay_ms = 0;
    send(fixture, "a", "now");
    expect_counts(fixture, 1, 0, 1);
    receive(fixture, 10, 30 * SECOND, "now");
    pass(fixture, MINUTE);
    receive(fixture, 10, 30 * SECOND, "now later");
    flood(fixture, "b", 40, 400);
    send(fixture, "c", "c");
    receive(fixture, 1, 30 * SECOND, "c");
    assert_int_equal(world_write(&fixture->world, group_purge_body, fixture), OK);
    pass(fixture, SECOND);
    look(fixture);
    assert_int_equal(fixture->keys, 1);
    flood(fixture, "b", 40, 400);
    send_many(fixture, "c", 300);
    pass(fixture, HOUR + SECOND);
    look(fixture);
    assert_int_equal(fixture->keys, 1);
    assert_int_equal(fixture->state.groups + fixture->state.grouped_count, 0);
    assert_int_equal(fixture->state.ring_count + fixture->state.noisy_count, 0);
}

static void a_lost_lease_of_a_group_does_not_make_its_receipt_useless(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "a", "a1");
    send(fixture, "a", "a2");
    fixture->request = (ReceiveRequest){.max = 1, .bytes_max = 1 << 20, .in_flight_max = 10, .visibility_ms = SECOND};
    Probe probe;
    probe_start(&fixture->world, &probe, group_receive_body, fixture);
    while (store_step(fixture->world.store))
        ;
    Slice receipt = receipt_at(fixture, 0);
    world_crash(&fixture->world, 1000); /* a seed that loses it */
    look(fixture);
    assert_int_equal(fixture->counts.visible, 2);
    arena_free(&probe.arena);
    assert_int_equal(delete_message(fixture, receipt), OK);
    receive(fixture, 10, 30 * SECOND, "a2");
}

int main(void)
{
#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, group_teardown)
    const struct CMUnitTest tests[] = {
        PROMISE(groups_take_turns_and_a_lone_one_gives_all),
        PROMISE(messages_without_a_group_come_alternately_with_the_others),
        PROMISE(what_comes_back_goes_before_what_is_new_in_its_group_alone),
        PROMISE(a_message_that_is_visible_at_once_is_not_given_twice),
        PROMISE(quiet_groups_go_before_one_that_floods_the_queue),
        PROMISE(what_comes_back_of_a_noisy_group_waits_too),
        PROMISE(of_noisy_groups_the_one_with_the_fewest_in_flight_comes_first),
        PROMISE(a_group_below_thirty_in_flight_is_quiet_whatever_its_share),
        PROMISE(a_noisy_group_is_quiet_again_when_it_was_sent_nothing_for_five_minutes),
        PROMISE(a_noisy_group_is_quiet_again_when_its_messages_are_done),
        PROMISE(a_group_that_takes_most_of_the_processing_time_waits),
        PROMISE(few_groups_with_even_shares_are_all_quiet),
        PROMISE(a_batch_of_one_group_wakes_a_waiter_for_each_message),
        PROMISE(a_batch_in_one_transaction_wakes_as_many),
        PROMISE(delays_retention_and_purges_leave_nothing_behind),
        PROMISE(a_lost_lease_of_a_group_does_not_make_its_receipt_useless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

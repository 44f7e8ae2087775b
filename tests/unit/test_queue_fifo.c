/* The promises of FIFO queues, one by one, on a stepped store with a clock that the test moves. */
#include "group_fixture.h"

static int setup(void **state)
{
    return group_setup(state, true);
}

/* Every body is its own deduplication id. */
static void send(GroupWorld *fixture, const char *group, const char *body)
{
    assert_int_equal(try_send(fixture, group, body, body), OK);
}

/* ---- Order ---- */

static void messages_of_a_group_come_in_order_and_as_many_as_asked_for(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "1", "1a");
    send(fixture, "2", "2a");
    send(fixture, "1", "1b");
    send(fixture, "1", "1c");
    receive(fixture, 10, 30 * SECOND, "1a 1b 1c 2a");
}

static void a_group_is_held_back_while_its_first_message_is_in_flight(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "1", "1a");
    send(fixture, "1", "1b");
    send(fixture, "2", "2a");
    receive(fixture, 1, 30 * SECOND, "1a");
    Slice first = receipt_at(fixture, 0);
    receive(fixture, 10, 30 * SECOND, "2a");
    receive(fixture, 10, 30 * SECOND, "");
    expect_counts(fixture, 1, 2, 0);
    assert_int_equal(delete_message(fixture, first), OK);
    receive(fixture, 10, 30 * SECOND, "1b");
}

static void a_group_goes_to_the_end_when_it_can_be_received_again(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "1", "1a");
    send(fixture, "1", "1b");
    send(fixture, "2", "2a");
    receive(fixture, 2, 30 * SECOND, "1a 1b");
    assert_int_equal(change_visibility(fixture, receipt_at(fixture, 0), 0), OK);
    /* 1b is in flight still. */
    receive(fixture, 3, 30 * SECOND, "2a 1a");
}

static void a_timeout_brings_the_group_back_in_order(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "1", "1a");
    send(fixture, "1", "1b");
    receive(fixture, 2, 30 * SECOND, "1a 1b");
    pass(fixture, 30 * SECOND);
    send(fixture, "1", "1c");
    receive(fixture, 10, 0, "1a 1b 1c");
    receive(fixture, 1, 0, "1a");
    receive(fixture, 10, 30 * SECOND, "1a 1b 1c");
}

static void a_message_that_is_not_the_first_may_go_first(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "1", "1a");
    send(fixture, "1", "1b");
    send(fixture, "1", "1c");
    receive(fixture, 3, 30 * SECOND, "1a 1b 1c");
    Slice first = receipt_at(fixture, 0);
    assert_int_equal(delete_message(fixture, receipt_at(fixture, 1)), OK);
    pass(fixture, 10 * SECOND);
    assert_int_equal(change_visibility(fixture, first, 60 * SECOND), OK);
    pass(fixture, 20 * SECOND); /* 1c is visible, 1a is not */
    receive(fixture, 10, 30 * SECOND, "");
    pass(fixture, 40 * SECOND);
    receive(fixture, 10, 30 * SECOND, "1a 1c");
}

/* ---- Waiting ---- */

static void a_waiter_is_woken_by_what_it_can_receive_alone(void **state)
{
    GroupWorld *fixture = *state;
    Probe probe;
    send(fixture, "1", "1a");
    receive(fixture, 1, 30 * SECOND, "1a");
    Slice receipt = receipt_at(fixture, 0);
    start_waiting(fixture, &probe, 10);
    StoreStats before;
    StoreStats after;
    send(fixture, "1", "1b");
    assert_false(probe.done);
    store_stats(fixture->world.store, &before);
    assert_int_equal(before.waiting, 1);
    assert_int_equal(delete_message(fixture, receipt), OK);
    assert_true(probe.done);
    store_stats(fixture->world.store, &after);
    assert_int_equal(after.waiting, 0);
    assert_int_equal(fixture->received.count, 1);
    arena_free(&probe.arena);
}

static void each_group_that_is_sent_to_wakes_one_waiter(void **state)
{
    GroupWorld *fixture = *state;
    Probe probes[3];
    for (size_t i = 0; i < 3; i++)
        start_waiting(fixture, &probes[i], 1);
    send(fixture, "1", "1a");
    send(fixture, "1", "1b");
    assert_true(probes[0].done && !probes[1].done);
    send(fixture, "2", "2a");
    assert_true(probes[1].done && !probes[2].done);
    store_end_waits(fixture->world.store);
    world_settle(&fixture->world);
    for (size_t i = 0; i < 3; i++) {
        assert_true(probes[i].done);
        arena_free(&probes[i].arena);
    }
}

/* ---- Receipts ---- */

static void a_receipt_expires_with_its_visibility_timeout(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "1", "1a");
    receive(fixture, 1, 30 * SECOND, "1a");
    Slice old = receipt_at(fixture, 0);
    pass(fixture, 30 * SECOND);
    assert_int_equal(delete_message(fixture, old), QUEUE_RECEIPT_EXPIRED);
    receive(fixture, 1, 30 * SECOND, "1a");
    assert_int_equal(delete_message(fixture, old), QUEUE_RECEIPT_EXPIRED);
    assert_int_equal(delete_message(fixture, receipt_at(fixture, 0)), OK);
    assert_int_equal(delete_message(fixture, old), OK); /* it is gone: nothing is left to be deleted */
    expect_counts(fixture, 0, 0, 0);
}

static void the_in_flight_limit_gives_nothing_and_no_error(void **state)
{
    GroupWorld *fixture = *state;
    fixture->request.in_flight_max = 2;
    send(fixture, "1", "1a");
    send(fixture, "1", "1b");
    send(fixture, "2", "2a");
    receive(fixture, 10, 30 * SECOND, "1a 1b");
    receive(fixture, 10, 30 * SECOND, "");
    assert_int_equal(try_receive(fixture, 1, SECOND, NULL), OK);
}

/* ---- Deduplication ---- */

static void a_repeat_within_five_minutes_is_dropped_and_told_the_same(void **state)
{
    GroupWorld *fixture = *state;
    assert_int_equal(try_send(fixture, "1", "id", "first"), OK);
    QueueSent first = fixture->sent;
    receive(fixture, 1, 30 * SECOND, "first");
    assert_int_equal(delete_message(fixture, receipt_at(fixture, 0)), OK);
    pass(fixture, 5 * MINUTE - 1);
    assert_int_equal(try_send(fixture, "2", "id", "second"), OK);
    assert_memory_equal(&fixture->sent.id, &first.id, sizeof first.id);
    assert_int_equal(fixture->sent.sequence, first.sequence);
    receive(fixture, 1, 30 * SECOND, "");
    pass(fixture, 1);
    assert_int_equal(try_send(fixture, "2", "id", "third"), OK);
    assert_true(fixture->sent.sequence > first.sequence);
    receive(fixture, 1, 30 * SECOND, "third");
}

static void ids_are_told_apart_by_group_where_that_is_set(void **state)
{
    GroupWorld *fixture = *state;
    fixture->settings.dedup_per_group = true;
    change_settings(fixture);
    assert_int_equal(try_send(fixture, "1", "id", "1a"), OK);
    assert_int_equal(try_send(fixture, "2", "id", "2a"), OK);
    assert_int_equal(try_send(fixture, "1", "id", "again"), OK);
    receive(fixture, 10, 30 * SECOND, "1a 2a");
}

static void a_body_stands_in_for_its_id_where_that_is_set(void **state)
{
    GroupWorld *fixture = *state;
    assert_int_equal(try_send(fixture, "1", NULL, "a"), QUEUE_DEDUP_MISSING);
    assert_int_equal(try_send(fixture, NULL, "id", "a"), QUEUE_GROUP_MISSING);
    fixture->settings.dedup_by_content = true;
    change_settings(fixture);
    for (size_t i = 0; i < 2; i++) {
        fixture->message = (Message){.body = SLICE("a"), .group = SLICE("1"), .content_id = SLICE("digest of a")};
        assert_int_equal(world_write(&fixture->world, group_send_body, fixture), OK);
    }
    receive(fixture, 10, 30 * SECOND, "a");
    assert_true(slice_equal(fixture->received.items[0].message.dedup_id, SLICE("digest of a")));
}

static void a_purge_forgets_ids_and_leaves_nothing_behind(void **state)
{
    GroupWorld *fixture = *state;
    assert_int_equal(try_send(fixture, "1", "id", "before"), OK);
    send(fixture, "1", "1b");
    send(fixture, "2", "2a");
    receive(fixture, 1, 30 * SECOND, "before");
    assert_int_equal(world_write(&fixture->world, group_purge_body, fixture), OK);
    assert_int_equal(try_send(fixture, "1", "id", "after"), OK);
    receive(fixture, 10, 30 * SECOND, "after");
    assert_int_equal(delete_message(fixture, receipt_at(fixture, 0)), OK);
    pass(fixture, 10 * MINUTE);
    look(fixture);
    assert_int_equal(fixture->keys, 1);
}

static void what_is_remembered_is_forgotten_in_pages(void **state)
{
    GroupWorld *fixture = *state;
    for (unsigned i = 0; i < 2 * QUEUE_PAGE_WORK + 10; i++) {
        char body[16];
        snprintf(body, sizeof body, "m%u", i);
        send(fixture, "1", body);
    }
    fixture->settings.retention_ms = MINUTE;
    change_settings(fixture);
    pass(fixture, 10 * MINUTE);
    look(fixture);
    assert_int_equal(fixture->keys, 1);
    assert_int_equal(fixture->state.groups, 0);
    assert_int_equal(fixture->state.grouped_count, 0);
}

/* ---- Delays ---- */

static void a_new_delay_holds_for_messages_that_wait_already(void **state)
{
    GroupWorld *fixture = *state;
    fixture->settings.delay_ms = 10 * MINUTE;
    change_settings(fixture);
    for (unsigned i = 0; i < QUEUE_PAGE_WORK + 10; i++) {
        char body[16];
        snprintf(body, sizeof body, "m%u", i);
        send(fixture, body, body);
    }
    pass(fixture, MINUTE);
    expect_counts(fixture, 0, 0, QUEUE_PAGE_WORK + 10);
    fixture->settings.delay_ms = 2 * MINUTE;
    change_settings(fixture);
    expect_counts(fixture, 0, 0, QUEUE_PAGE_WORK + 10);
    pass(fixture, MINUTE);
    expect_counts(fixture, QUEUE_PAGE_WORK + 10, 0, 0);
    receive(fixture, 3, 30 * SECOND, "m0 m1 m2");
}

static void a_shorter_delay_that_has_passed_shows_the_messages_at_once(void **state)
{
    GroupWorld *fixture = *state;
    fixture->settings.delay_ms = 10 * MINUTE;
    change_settings(fixture);
    send(fixture, "1", "1a");
    pass(fixture, MINUTE);
    fixture->settings.delay_ms = 0;
    change_settings(fixture);
    send(fixture, "1", "1b");
    receive(fixture, 10, 30 * SECOND, "1a 1b");
}

/* ---- Attempts ---- */

static Slice receive_attempt(GroupWorld *fixture, const char *expected)
{
    assert_int_equal(try_receive(fixture, 10, 30 * SECOND, "attempt"), OK);
    assert_int_equal(fixture->received.count, 1);
    assert_true(slice_equal(fixture->received.items[0].message.body, slice_of_string(expected)));
    return receipt_at(fixture, 0);
}

static void a_receive_can_be_repeated_and_hides_anew(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "1", "1a");
    Slice first = receive_attempt(fixture, "1a");
    send(fixture, "2", "2a");
    pass(fixture, 20 * SECOND);
    Slice second = receive_attempt(fixture, "1a");
    assert_true(slice_equal(first, second));
    assert_int_equal(fixture->received.items[0].receive_count, 1);
    pass(fixture, 20 * SECOND); /* 40 seconds after the first, 20 after the second */
    expect_counts(fixture, 1, 1, 0);
    assert_int_equal(delete_message(fixture, second), OK);
    expect_counts(fixture, 1, 0, 0);
}

static void a_receive_whose_messages_have_changed_cannot_be_repeated(void **state)
{
    GroupWorld *fixture = *state;
    send(fixture, "1", "1a");
    Slice receipt = receive_attempt(fixture, "1a");
    assert_int_equal(change_visibility(fixture, receipt, 40 * SECOND), OK);
    assert_int_equal(try_receive(fixture, 10, 30 * SECOND, "attempt"), QUEUE_ATTEMPT_SPENT);
    assert_int_equal(delete_message(fixture, receipt), OK);
    assert_int_equal(try_receive(fixture, 10, 30 * SECOND, "attempt"), QUEUE_ATTEMPT_SPENT);
    send(fixture, "1", "1b");
    assert_int_equal(try_receive(fixture, 10, 30 * SECOND, "attempt"), QUEUE_ATTEMPT_SPENT);
    pass(fixture, 5 * MINUTE);
    receive_attempt(fixture, "1b");
    pass(fixture, 30 * SECOND); /* its timeout has passed */
    assert_int_equal(try_receive(fixture, 10, 30 * SECOND, "attempt"), QUEUE_ATTEMPT_SPENT);
}

int main(void)
{
#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, group_teardown)
    const struct CMUnitTest tests[] = {
        PROMISE(messages_of_a_group_come_in_order_and_as_many_as_asked_for),
        PROMISE(a_group_is_held_back_while_its_first_message_is_in_flight),
        PROMISE(a_group_goes_to_the_end_when_it_can_be_received_again),
        PROMISE(a_timeout_brings_the_group_back_in_order),
        PROMISE(a_message_that_is_not_the_first_may_go_first),
        PROMISE(a_waiter_is_woken_by_what_it_can_receive_alone),
        PROMISE(each_group_that_is_sent_to_wakes_one_waiter),
        PROMISE(a_receipt_expires_with_its_visibility_timeout),
        PROMISE(the_in_flight_limit_gives_nothing_and_no_error),
        PROMISE(a_repeat_within_five_minutes_is_dropped_and_told_the_same),
        PROMISE(ids_are_told_apart_by_group_where_that_is_set),
        PROMISE(a_body_stands_in_for_its_id_where_that_is_set),
        PROMISE(a_purge_forgets_ids_and_leaves_nothing_behind),
        PROMISE(what_is_remembered_is_forgotten_in_pages),
        PROMISE(a_new_delay_holds_for_messages_that_wait_already),
        PROMISE(a_shorter_delay_that_has_passed_shows_the_messages_at_once),
        PROMISE(a_receive_can_be_repeated_and_hides_anew),
        PROMISE(a_receive_whose_messages_have_changed_cannot_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

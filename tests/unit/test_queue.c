/* The promises of core/queue, one by one, on a stepped store with a clock that the test moves. */
#include "store_fixture.h"

#include "core/queue_records.h"

#include <stdlib.h>

static const Actor actor = {.account = SLICE_INIT("000000000001"), .region = SLICE_INIT("eu-central-1")};

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

typedef struct Step Step;
struct Step {
    Slice name;
    uint64_t milliseconds;
    size_t max;
    uint64_t bytes_max;
    uint64_t in_flight_max;
    Slice receipt;
    Slice body;
    /* what came of it */
    QueueSent sent;
    ReceivedMessages received;
    QueueCounts counts;
    size_t keys;
    QueueState state;
    Arena arena; /* of what was received */
};

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
}

static int setup(void **state)
{
    World *world = calloc(1, sizeof *world);
    world->prepare = prepare;
    world_open(world, 4711);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static void pass(World *world, uint64_t milliseconds)
{
    os_sim_advance_ms(world->os, milliseconds);
    world_settle(world);
}

/* ---- Steps ---- */

static Error create_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    QueueSettings settings = {.visibility_ms = 30 * SECOND, .retention_ms = HOUR, .message_bytes = 1 << 20};
    return queue_create(txn, &actor, step->name, &settings, &queue);
}

static Error send_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    Message message = {.body = step->body, .sender = SLICE("someone")};
    return queue_send(txn, &queue, &message, step->milliseconds, &step->sent);
}

static Error receive_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    ReceiveRequest request = {.max = step->max,
                              .bytes_max = step->bytes_max != 0 ? step->bytes_max : 1 << 20,
                              .in_flight_max = step->in_flight_max != 0 ? step->in_flight_max : 1000,
                              .visibility_ms = 30 * SECOND,
                              .wait_ms = step->milliseconds};
    return queue_receive(txn, &queue, &request, &step->arena, &step->received);
}

static Error delete_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    return queue_delete(txn, &queue, step->receipt);
}

static Error change_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    return queue_change_visibility(txn, &queue, step->receipt, step->milliseconds);
}

static Error purge_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    return queue_purge(txn, &queue);
}

static Error drop_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    return queue_drop(txn, &queue);
}

static Error look_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    TRY(queue_state_get(txn, queue.prefix, &step->state));
    return queue_count(txn, &queue, &step->counts);
}

/* Every key that is not the store's own: queues, names, messages, timers. */
static Error keys_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Buffer timers = key_start(txn_arena(txn), (Slice){0}, (Slice){0}, KIND_TIMER);
    Buffer names = key_start(txn_arena(txn), actor.account, actor.region, KIND_QUEUE_NAME);
    Buffer queues = key_start(txn_arena(txn), actor.account, actor.region, KIND_QUEUE);
    const Slice prefixes[] = {buffer_slice(&timers), buffer_slice(&names), buffer_slice(&queues)};
    step->keys = 0;
    for (size_t i = 0; i < 3; i++) {
        Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), prefixes[i]), SCAN_FORWARD);
        Slice key;
        Slice value;
        while (cursor_next(cursor, &key, &value) == OK && key.data != NULL)
            step->keys++;
        cursor_close(cursor);
    }
    return OK;
}

static Error run(World *world, TxnBody body, Slice name)
{
    Step step = {.name = name};
    return world_write(world, body, &step);
}

static void send(World *world, Slice name, Slice body, uint64_t delay_ms)
{
    Step step = {.name = name, .body = body, .milliseconds = delay_ms};
    assert_int_equal(world_write(world, send_body, &step), OK);
}

/* Receives at most `max`; gives how many, and the first one's receipt in `receipt` (80 bytes). */
static size_t receive(World *world, Slice name, size_t max, char *receipt)
{
    Step step = {.name = name, .max = max};
    assert_int_equal(world_write(world, receive_body, &step), OK);
    size_t count = step.received.count;
    if (receipt != NULL && count > 0) {
        assert_true(step.received.items[0].receipt.size < 80);
        memcpy(receipt, step.received.items[0].receipt.data, step.received.items[0].receipt.size);
        receipt[step.received.items[0].receipt.size] = 0;
    }
    arena_free(&step.arena);
    return count;
}

static Error delete_message(World *world, Slice name, const char *receipt)
{
    Step step = {.name = name, .receipt = slice_of_string(receipt)};
    return world_write(world, delete_body, &step);
}

static Error change(World *world, Slice name, const char *receipt, uint64_t visibility_ms)
{
    Step step = {.name = name, .receipt = slice_of_string(receipt), .milliseconds = visibility_ms};
    return world_write(world, change_body, &step);
}

static void expect_counts(World *world, Slice name, uint64_t visible, uint64_t in_flight, uint64_t delayed)
{
    Step step = {.name = name};
    assert_int_equal(world_read(world, look_body, &step), OK);
    assert_int_equal(step.counts.visible, visible);
    assert_int_equal(step.counts.in_flight, in_flight);
    assert_int_equal(step.counts.delayed, delayed);
}

static size_t keys(World *world)
{
    Step step = {0};
    assert_int_equal(world_read(world, keys_body, &step), OK);
    return step.keys;
}

#define Q SLICE("orders")

/* ---- Promises ---- */

static void a_received_message_is_hidden_until_its_timeout_and_comes_back(void **state)
{
    World *world = *state;
    char receipt[80];
    run(world, create_body, Q);
    send(world, Q, SLICE("a"), 0);
    assert_int_equal(receive(world, Q, 10, receipt), 1);
    assert_int_equal(receive(world, Q, 10, NULL), 0);
    expect_counts(world, Q, 0, 1, 0);
    pass(world, 30 * SECOND - 1);
    assert_int_equal(receive(world, Q, 10, NULL), 0);
    pass(world, 1);
    expect_counts(world, Q, 1, 0, 0);
    assert_int_equal(receive(world, Q, 10, NULL), 1);
    /* The first receipt is stale: it deletes nothing, and is no error. */
    assert_int_equal(delete_message(world, Q, receipt), OK);
    expect_counts(world, Q, 0, 1, 0);
    /* But it can end the visibility timeout. */
    assert_int_equal(change(world, Q, receipt, 0), OK);
    expect_counts(world, Q, 1, 0, 0);
}

static void the_last_receipt_deletes_after_its_timeout_too(void **state)
{
    World *world = *state;
    char receipt[80];
    run(world, create_body, Q);
    send(world, Q, SLICE("a"), 0);
    assert_int_equal(receive(world, Q, 1, receipt), 1);
    pass(world, MINUTE);
    assert_int_equal(delete_message(world, Q, receipt), OK);
    expect_counts(world, Q, 0, 0, 0);
    assert_int_equal(delete_message(world, Q, receipt), OK);
    assert_int_equal(change(world, Q, receipt, 0), QUEUE_MESSAGE_GONE);
}

static void a_delayed_message_is_seen_when_its_delay_has_passed(void **state)
{
    World *world = *state;
    run(world, create_body, Q);
    send(world, Q, SLICE("later"), 5 * SECOND);
    send(world, Q, SLICE("now"), 0);
    expect_counts(world, Q, 1, 0, 1);
    assert_int_equal(receive(world, Q, 10, NULL), 1);
    pass(world, 5 * SECOND);
    expect_counts(world, Q, 1, 1, 0);
    assert_int_equal(receive(world, Q, 10, NULL), 1);
}

static void a_message_is_never_given_past_its_retention_and_leaves_nothing_behind(void **state)
{
    World *world = *state;
    run(world, create_body, Q);
    size_t empty = keys(world);
    for (int i = 0; i < 700; i++) /* more than a page of the sweep */
        send(world, Q, SLICE("new"), 0);
    for (int i = 0; i < 20; i++)
        send(world, Q, SLICE("delayed"), 15 * MINUTE);
    assert_int_equal(receive(world, Q, 10, NULL), 10);
    pass(world, HOUR - 20 * SECOND);
    assert_int_equal(receive(world, Q, 10, NULL), 10); /* in flight when they expire */
    pass(world, 20 * SECOND);
    assert_int_equal(receive(world, Q, 10, NULL), 0);
    expect_counts(world, Q, 0, 0, 0);
    assert_int_equal(keys(world), empty);
}

static void a_purge_takes_all_at_once_and_leaves_nothing_behind(void **state)
{
    World *world = *state;
    char receipt[80];
    run(world, create_body, Q);
    size_t empty = keys(world);
    for (int i = 0; i < 900; i++)
        send(world, Q, SLICE("a"), i % 3 == 0 ? MINUTE : 0);
    assert_int_equal(receive(world, Q, 10, receipt), 10);
    pass(world, 30 * SECOND);
    assert_int_equal(receive(world, Q, 5, receipt), 5);
    assert_int_equal(run(world, purge_body, Q), OK);
    expect_counts(world, Q, 0, 0, 0);
    assert_int_equal(keys(world), empty);
    assert_int_equal(delete_message(world, Q, receipt), OK);
    assert_int_equal(run(world, purge_body, Q), QUEUE_PURGE_IN_PROGRESS);
    send(world, Q, SLICE("after"), 0);
    expect_counts(world, Q, 1, 0, 0);
    pass(world, MINUTE);
    assert_int_equal(run(world, purge_body, Q), OK);
}

static void a_dropped_queue_leaves_nothing_and_its_name_rests_a_minute(void **state)
{
    World *world = *state;
    size_t nothing = keys(world);
    run(world, create_body, Q);
    for (int i = 0; i < 600; i++)
        send(world, Q, SLICE("a"), i % 2 == 0 ? MINUTE : 0);
    assert_int_equal(receive(world, Q, 10, NULL), 10);
    assert_int_equal(run(world, drop_body, Q), OK);
    assert_int_equal(run(world, look_body, Q), QUEUE_NOT_FOUND);
    assert_int_equal(keys(world), nothing + 2); /* the name's trace and its timer */
    pass(world, MINUTE - 1);
    assert_int_equal(run(world, create_body, Q), QUEUE_DELETED_RECENTLY);
    pass(world, 1);
    assert_int_equal(keys(world), nothing);
    assert_int_equal(run(world, create_body, Q), OK);
    expect_counts(world, Q, 0, 0, 0);
}

/* In one millisecond, as one client right behind another may: neither deletion job takes the other's place. */
static void a_queue_dropped_right_after_its_purge_leaves_nothing_either(void **state)
{
    World *world = *state;
    size_t nothing = keys(world);
    run(world, create_body, Q);
    for (int i = 0; i < 600; i++)
        send(world, Q, SLICE("a"), i % 2 == 0 ? MINUTE : 0);
    Step step = {.name = Q};
    Probe purge;
    Probe drop;
    probe_start(world, &purge, purge_body, &step);
    probe_start(world, &drop, drop_body, &step);
    world_settle(world);
    assert_true(purge.done && purge.call.result == OK && drop.done && drop.call.result == OK);
    arena_free(&purge.arena);
    arena_free(&drop.arena);
    assert_int_equal(keys(world), nothing + 2); /* the name's trace and its timer */
}

/* A body of a deletion job holds all other writes up: it reads a few MiB of messages at most. */
static void large_messages_are_deleted_a_few_at_a_time(void **state)
{
    World *world = *state;
    enum { MESSAGES = 40, BYTES = 512 << 10 };
    static char text[BYTES];
    memset(text, 'x', BYTES);
    run(world, create_body, Q);
    size_t empty = keys(world);
    StoreStats before;
    StoreStats after;
    for (int i = 0; i < MESSAGES; i++)
        send(world, Q, slice_make(text, BYTES), 0);
    store_stats(world->store, &before);
    assert_int_equal(run(world, purge_body, Q), OK);
    store_stats(world->store, &after);
    assert_int_equal(keys(world), empty);
    assert_true(after.timers_fired - before.timers_fired >= 5);

    for (int i = 0; i < MESSAGES; i++)
        send(world, Q, slice_make(text, BYTES), 0);
    os_sim_advance_ms(world->os, HOUR);
    Step step = {.name = Q, .max = 1};
    Probe probe;
    probe_start(world, &probe, receive_body, &step); /* it runs before the sweep */
    store_stats(world->store, &before);
    world_settle(world);
    store_stats(world->store, &after);
    assert_true(probe.done);
    assert_int_equal(step.received.count, 0);
    arena_free(&step.arena);
    arena_free(&probe.arena);
    assert_int_equal(keys(world), empty);
    assert_true(after.timers_fired - before.timers_fired >= 4);
}

/* The wall clock may be set back. */
static void a_clock_that_was_set_back_takes_no_visibility_away(void **state)
{
    World *world = *state;
    char receipt[80];
    run(world, create_body, Q);
    send(world, Q, SLICE("a"), 0);
    assert_int_equal(receive(world, Q, 1, receipt), 1);
    os_sim_advance_ms(world->os, (uint64_t)-5000);
    assert_int_equal(change(world, Q, receipt, SECOND), OK);
    expect_counts(world, Q, 0, 1, 0);
    assert_int_equal(change(world, Q, receipt, 0), OK);
    expect_counts(world, Q, 1, 0, 0);
}

static void receipts_are_for_one_queue_only(void **state)
{
    World *world = *state;
    char receipt[80];
    run(world, create_body, Q);
    run(world, create_body, SLICE("other"));
    send(world, Q, SLICE("a"), 0);
    assert_int_equal(receive(world, Q, 1, receipt), 1);
    assert_int_equal(delete_message(world, SLICE("other"), receipt), QUEUE_RECEIPT_INVALID);
    assert_int_equal(delete_message(world, Q, "garbage"), QUEUE_RECEIPT_INVALID);
    assert_int_equal(delete_message(world, Q, ""), QUEUE_RECEIPT_INVALID);
    receipt[20] = receipt[20] == 'A' ? 'B' : 'A';
    assert_int_equal(delete_message(world, Q, receipt), QUEUE_RECEIPT_INVALID);
    expect_counts(world, Q, 0, 1, 0);
}

static void visibility_can_be_changed_up_to_twelve_hours_in_all(void **state)
{
    World *world = *state;
    char receipt[80];
    run(world, create_body, Q);
    send(world, Q, SLICE("a"), 0);
    assert_int_equal(receive(world, Q, 1, receipt), 1);
    assert_int_equal(change(world, Q, receipt, 40 * MINUTE), OK);
    pass(world, 30 * MINUTE);
    expect_counts(world, Q, 0, 1, 0);
    assert_int_equal(change(world, Q, receipt, 12 * HOUR), QUEUE_VISIBILITY_TOO_LONG);
    assert_int_equal(change(world, Q, receipt, 11 * HOUR + 30 * MINUTE), OK);
    assert_int_equal(change(world, Q, receipt, 0), OK);
    expect_counts(world, Q, 1, 0, 0);
    assert_int_equal(change(world, Q, receipt, 10), QUEUE_MESSAGE_NOT_IN_FLIGHT);
}

static void a_waiting_receiver_gets_what_is_sent_or_comes_back_or_nothing(void **state)
{
    World *world = *state;
    char receipt[80];
    run(world, create_body, Q);
    Step step = {.name = Q, .max = 1, .milliseconds = 20 * SECOND};
    Probe waiting;
    probe_start(world, &waiting, receive_body, &step);
    world_settle(world);
    assert_false(waiting.done);
    send(world, Q, SLICE("a"), 0);
    assert_true(waiting.done);
    assert_int_equal(step.received.count, 1);
    memcpy(receipt, step.received.items[0].receipt.data, step.received.items[0].receipt.size);
    receipt[step.received.items[0].receipt.size] = 0;
    arena_free(&waiting.arena);

    probe_start(world, &waiting, receive_body, &step);
    world_settle(world);
    assert_false(waiting.done);
    assert_int_equal(change(world, Q, receipt, 0), OK);
    assert_true(waiting.done);
    assert_int_equal(step.received.count, 1);
    arena_free(&waiting.arena);

    probe_start(world, &waiting, receive_body, &step);
    world_settle(world);
    pass(world, 20 * SECOND);
    assert_true(waiting.done);
    assert_int_equal(waiting.call.result, OK);
    assert_int_equal(step.received.count, 0);
    arena_free(&waiting.arena);
    arena_free(&step.arena);
}

static void answers_are_bounded_in_bytes_but_never_empty_for_it(void **state)
{
    World *world = *state;
    static char large[60000];
    memset(large, 'x', sizeof large);
    run(world, create_body, Q);
    for (int i = 0; i < 4; i++)
        send(world, Q, slice_make(large, sizeof large), 0);
    Step step = {.name = Q, .max = 10, .bytes_max = 150000};
    assert_int_equal(world_write(world, receive_body, &step), OK);
    assert_int_equal(step.received.count, 2);
    step.bytes_max = 10;
    assert_int_equal(world_write(world, receive_body, &step), OK);
    assert_int_equal(step.received.count, 1);
    arena_free(&step.arena);
    expect_counts(world, Q, 1, 3, 0);
}

static void more_than_the_limit_is_never_in_flight(void **state)
{
    World *world = *state;
    run(world, create_body, Q);
    for (int i = 0; i < 8; i++)
        send(world, Q, SLICE("a"), 0);
    Step step = {.name = Q, .max = 10, .in_flight_max = 5};
    assert_int_equal(world_write(world, receive_body, &step), OK);
    assert_int_equal(step.received.count, 5);
    assert_int_equal(world_write(world, receive_body, &step), QUEUE_IN_FLIGHT_LIMIT);
    arena_free(&step.arena);
}

/* After many deletions, no bound is left behind: what they left on the disk is never walked again. */
static void the_bounds_follow_the_head(void **state)
{
    World *world = *state;
    char receipt[80];
    char last[80] = "";
    run(world, create_body, Q);
    for (int i = 0; i < 2000; i++) {
        send(world, Q, SLICE("a"), 0);
        assert_int_equal(receive(world, Q, 1, receipt), 1);
        if (last[0] != 0) /* one is always in flight */
            assert_int_equal(delete_message(world, Q, last), OK);
        memcpy(last, receipt, sizeof last);
        if (i % 100 == 99)
            assert_int_equal(change(world, Q, last, 10 * MINUTE), OK);
    }
    Step step = {.name = Q};
    assert_int_equal(world_read(world, look_body, &step), OK);
    assert_int_equal(step.state.next_new, step.state.next_seq);
    assert_true(step.state.next_seq - step.state.lease_low < 600);
}

static void a_lost_lease_does_not_make_its_receipt_useless(void **state)
{
    World *world = *state;
    run(world, create_body, Q);
    send(world, Q, SLICE("a"), 0);
    Step step = {.name = Q, .max = 1};
    Probe probe;
    probe_start(world, &probe, receive_body, &step);
    while (store_step(world->store))
        ;
    assert_int_equal(step.received.count, 1);
    char receipt[80];
    memcpy(receipt, step.received.items[0].receipt.data, step.received.items[0].receipt.size);
    receipt[step.received.items[0].receipt.size] = 0;
    for (uint64_t seed = 0; seed < 64; seed++) { /* a seed that loses it */
        world_crash(world, seed);
        Step look = {.name = Q};
        assert_int_equal(world_read(world, look_body, &look), OK);
        if (look.counts.visible == 1)
            break;
    }
    arena_free(&probe.arena);
    arena_free(&step.arena);
    assert_int_equal(delete_message(world, Q, receipt), OK);
    expect_counts(world, Q, 0, 0, 0);
}

static Error append_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    StoredMessage stored = {.id = {{7}},
                            .sent_ms = txn_now(txn) - MINUTE,
                            .message = {.body = SLICE("moved"), .sender = SLICE("someone")},
                            .dead_letter_source = SLICE("source"),
                            .earlier_receives = 3,
                            .first_received_ms = txn_now(txn) - SECOND};
    TRY(queue_append(txn, &queue, &stored, step->milliseconds));
    assert_int_equal(stored.seq, 1);
    return OK;
}

static void a_moved_message_keeps_its_id_its_age_and_its_receives(void **state)
{
    World *world = *state;
    run(world, create_body, Q);
    Step step = {.name = Q, .milliseconds = SECOND};
    assert_int_equal(world_write(world, append_body, &step), OK);
    expect_counts(world, Q, 0, 0, 1);
    pass(world, SECOND);
    step = (Step){.name = Q, .max = 1};
    assert_int_equal(world_write(world, receive_body, &step), OK);
    assert_int_equal(step.received.count, 1);
    const ReceivedMessage *given = &step.received.items[0];
    assert_int_equal(given->id.bytes[0], 7);
    assert_int_equal(given->receive_count, 4);
    assert_int_equal(given->sent_ms + MINUTE, given->first_received_ms + SECOND);
    assert_true(slice_equal(given->dead_letter_source, SLICE("source")));
    arena_free(&step.arena);
    pass(world, HOUR - MINUTE - SECOND); /* its age counts from when it was sent at first */
    expect_counts(world, Q, 0, 0, 0);
}

int main(void)
{
#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        PROMISE(a_received_message_is_hidden_until_its_timeout_and_comes_back),
        PROMISE(the_last_receipt_deletes_after_its_timeout_too),
        PROMISE(a_delayed_message_is_seen_when_its_delay_has_passed),
        PROMISE(a_message_is_never_given_past_its_retention_and_leaves_nothing_behind),
        PROMISE(a_purge_takes_all_at_once_and_leaves_nothing_behind),
        PROMISE(a_dropped_queue_leaves_nothing_and_its_name_rests_a_minute),
        PROMISE(a_queue_dropped_right_after_its_purge_leaves_nothing_either),
        PROMISE(large_messages_are_deleted_a_few_at_a_time),
        PROMISE(a_clock_that_was_set_back_takes_no_visibility_away),
        PROMISE(receipts_are_for_one_queue_only),
        PROMISE(visibility_can_be_changed_up_to_twelve_hours_in_all),
        PROMISE(a_waiting_receiver_gets_what_is_sent_or_comes_back_or_nothing),
        PROMISE(answers_are_bounded_in_bytes_but_never_empty_for_it),
        PROMISE(more_than_the_limit_is_never_in_flight),
        PROMISE(the_bounds_follow_the_head),
        PROMISE(a_lost_lease_does_not_make_its_receipt_useless),
        PROMISE(a_moved_message_keeps_its_id_its_age_and_its_receives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

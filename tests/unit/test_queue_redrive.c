/* The promises of dead-letter queues and move tasks, one by one, on a stepped store with a clock that the test moves. */
#include "store_fixture.h"

#include "core/queue_records.h"

#include <stdlib.h>

static const Actor actor = {.account = SLICE_INIT("000000000001"), .region = SLICE_INIT("eu-central-1")};

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, ACTIVE_MAX = 2 };

#define ORDERS SLICE("orders")
#define LETTERS SLICE("letters")

typedef struct Step {
    Slice name;
    Slice other; /* the dead-letter queue, the destination */
    uint64_t milliseconds;
    uint64_t retention_ms;
    uint64_t max_receives;
    uint64_t rate;
    size_t max;
    Slice body;
    RedriveAllow allow;
    bool tolerant; /* of a dead-letter queue that is not there */
    /* what came of it */
    MessageId id;
    MoveTask task;
    MoveTask tasks[MOVE_TASKS_KEPT];
    size_t count;
    QueueCounts counts;
    QueueNames names;
    ReceivedMessages received;
    uint64_t oldest_ms;
    Arena arena;
} Step;

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
    QueueSettings settings = {.visibility_ms = 30 * SECOND,
                              .retention_ms = step->retention_ms != 0 ? step->retention_ms : HOUR,
                              .message_bytes = 1 << 20,
                              .dead_letter_queue = step->other,
                              .max_receives = step->max_receives,
                              .redrive_allow = step->allow,
                              .redrive_sources = &ORDERS,
                              .redrive_source_count = 1};
    if (!step->tolerant)
        TRY(queue_check_redrive(txn, &actor, step->name, &settings));
    return queue_create(txn, &actor, step->name, &settings, &queue);
}

static Error send_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    const MessageAttribute attribute = {SLICE("colour"), SLICE("String"), SLICE("red")};
    Message message = {.body = step->body.data == NULL ? SLICE("a body") : step->body,
                       .sender = SLICE("someone"),
                       .attributes = &attribute,
                       .attribute_count = 1};
    QueueSent sent = {0};
    Error error = queue_send(txn, &queue, &message, step->milliseconds, &sent);
    step->id = sent.id;
    return error;
}

static Error receive_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    ReceiveRequest request = {.max = step->max == 0 ? 1 : step->max,
                              .bytes_max = 1 << 20,
                              .in_flight_max = 1000,
                              .visibility_ms = 0,
                              .wait_ms = step->milliseconds};
    return queue_receive(txn, &queue, &request, &step->arena, &step->received);
}

static Error hold_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    ReceiveRequest request = {.max = step->max, .bytes_max = 1 << 20, .in_flight_max = 1000, .visibility_ms = MINUTE};
    return queue_receive(txn, &queue, &request, &step->arena, &step->received);
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

static Error redirect_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    QueueSettings settings = queue.settings;
    settings.dead_letter_queue = step->other;
    return queue_change(txn, &queue, &settings);
}

static Error start_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    Queue destination;
    TRY(queue_open(txn, &actor, step->name, &queue));
    if (step->other.data != NULL)
        TRY(queue_open(txn, &actor, step->other, &destination));
    return queue_move_start(txn, &queue, step->other.data != NULL ? &destination : NULL, step->rate, ACTIVE_MAX,
                            &step->task);
}

static Error cancel_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    return queue_move_cancel(txn, &queue, &step->id, &step->task);
}

static Error look_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    TRY(queue_count(txn, &queue, &step->counts));
    TRY(queue_oldest(txn, &queue, &step->oldest_ms));
    TRY(queue_list_sources(txn, &queue, (Slice){0}, 10, &step->names));
    step->count = step->names.count;
    return OK;
}

static Error tasks_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &actor, step->name, &queue));
    return queue_move_list(txn, &queue, MOVE_TASKS_KEPT, step->tasks, &step->count);
}

static size_t keys_under(Txn *txn, Slice account, Slice region, KeyKind kind)
{
    Buffer all = key_start(txn_arena(txn), account, region, kind);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&all)), SCAN_FORWARD);
    Slice key;
    Slice value;
    size_t count = 0;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL)
        count++;
    cursor_close(cursor);
    return count;
}

/* Every key that is not the store's own. */
static Error keys_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    const KeyKind kinds[] = {KIND_QUEUE_NAME, KIND_QUEUE, KIND_QUEUE_SOURCE, KIND_QUEUE_MOVING};
    step->count = keys_under(txn, (Slice){0}, (Slice){0}, KIND_TIMER);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        step->count += keys_under(txn, actor.account, actor.region, kinds[i]);
    return OK;
}

/* ---- Helpers ---- */

static void create(World *world, Slice name, Slice letters, uint64_t max_receives)
{
    Step step = {.name = name, .other = letters, .max_receives = max_receives};
    assert_int_equal(world_write(world, create_body, &step), OK);
}

/* Orders, whose messages go to letters after so many receives. */
static void create_pair(World *world, uint64_t max_receives)
{
    create(world, LETTERS, (Slice){0}, 0);
    create(world, ORDERS, LETTERS, max_receives);
}

static MessageId send(World *world, Slice name)
{
    Step step = {.name = name};
    assert_int_equal(world_write(world, send_body, &step), OK);
    return step.id;
}

/* Receives one message, which can be received again at once; false: there was none. `message` is the fixture's until
 * the arena is freed. */
static bool receive(World *world, Slice name, Arena *arena, ReceivedMessage *message)
{
    Step step = {.name = name};
    assert_int_equal(world_write(world, receive_body, &step), OK);
    bool any = step.received.count > 0;
    if (any)
        *message = step.received.items[0];
    *arena = step.arena;
    return any;
}

static bool receives(World *world, Slice name)
{
    Arena arena;
    ReceivedMessage message;
    bool any = receive(world, name, &arena, &message);
    arena_free(&arena);
    return any;
}

static QueueCounts counts(World *world, Slice name)
{
    Step step = {.name = name};
    assert_int_equal(world_write(world, look_body, &step), OK);
    return step.counts;
}

static MoveTask last_task(World *world, Slice name)
{
    Step step = {.name = name};
    assert_int_equal(world_write(world, tasks_body, &step), OK);
    assert_true(step.count > 0);
    return step.tasks[0];
}

/* The last task, when it has ended: page by page, with the pauses between them. */
static MoveTask ended_task(World *world, Slice name)
{
    world_settle(world);
    for (size_t page = 0; page < 1000 && last_task(world, name).status == MOVE_RUNNING; page++)
        pass(world, 4);
    return last_task(world, name);
}

static MoveTask start(World *world, Slice name, Slice destination, uint64_t rate)
{
    Step step = {.name = name, .other = destination, .rate = rate};
    assert_int_equal(world_write(world, start_body, &step), OK);
    return step.task;
}

/* `count` messages that went from orders to letters; orders lets a message be received once. */
static void make_letters(World *world, size_t count)
{
    create_pair(world, 1);
    for (size_t i = 0; i < count; i++)
        send(world, ORDERS);
    for (size_t i = 0; i < 2; i++) { /* received once, then moved */
        for (size_t taken = 0; taken < count; taken += 250) {
            Step step = {.name = ORDERS, .max = 250};
            assert_int_equal(world_write(world, receive_body, &step), OK);
            arena_free(&step.arena);
        }
    }
    assert_int_equal(counts(world, LETTERS).visible, count);
    assert_int_equal(counts(world, ORDERS).visible, 0);
}

/* ---- Dead letters ---- */

static void a_message_received_too_often_moves_to_the_dead_letter_queue_as_it_is(void **state)
{
    World *world = *state;
    create_pair(world, 2);
    uint64_t sent_ms = store_now(world->store);
    MessageId id = send(world, ORDERS);
    pass(world, 7 * SECOND);
    assert_true(receives(world, ORDERS));
    assert_true(receives(world, ORDERS));
    pass(world, SECOND);
    assert_false(receives(world, ORDERS));
    assert_int_equal(counts(world, ORDERS).visible, 0);

    Arena arena;
    ReceivedMessage message;
    assert_true(receive(world, LETTERS, &arena, &message));
    assert_memory_equal(&message.id, &id, sizeof id);
    assert_true(slice_equal(message.message.body, SLICE("a body")));
    assert_true(slice_equal(message.message.sender, SLICE("someone")));
    assert_int_equal(message.message.attribute_count, 1);
    assert_true(slice_equal(message.message.attributes[0].value, SLICE("red")));
    assert_int_equal(message.sent_ms, sent_ms);
    assert_int_equal(message.first_received_ms, sent_ms + 7 * SECOND);
    assert_int_equal(message.receive_count, 3);
    assert_true(slice_equal(message.dead_letter_source, ORDERS));
    arena_free(&arena);
}

static void letters_of_letters_go_on_counting(void **state)
{
    World *world = *state;
    create(world, SLICE("last"), (Slice){0}, 0);
    create(world, LETTERS, SLICE("last"), 1);
    create(world, ORDERS, LETTERS, 2);
    MessageId id = send(world, ORDERS);
    assert_true(receives(world, ORDERS));
    assert_true(receives(world, ORDERS));
    assert_false(receives(world, ORDERS));
    assert_true(receives(world, LETTERS));
    assert_false(receives(world, LETTERS));
    Arena arena;
    ReceivedMessage message;
    assert_true(receive(world, SLICE("last"), &arena, &message));
    assert_memory_equal(&message.id, &id, sizeof id);
    assert_int_equal(message.receive_count, 4);
    assert_true(slice_equal(message.dead_letter_source, LETTERS));
    arena_free(&arena);
}

static void without_its_dead_letter_queue_a_message_is_received_again(void **state)
{
    World *world = *state;
    create_pair(world, 1);
    Step step = {.name = LETTERS};
    assert_int_equal(world_write(world, drop_body, &step), OK);
    send(world, ORDERS);
    for (size_t i = 0; i < 5; i++)
        assert_true(receives(world, ORDERS));
    pass(world, 2 * MINUTE);
    create(world, LETTERS, (Slice){0}, 0);
    assert_false(receives(world, ORDERS));
    assert_true(receives(world, LETTERS));
}

static void a_queue_that_names_itself_keeps_its_messages(void **state)
{
    World *world = *state;
    create(world, ORDERS, ORDERS, 1);
    send(world, ORDERS);
    for (size_t i = 0; i < 5; i++)
        assert_true(receives(world, ORDERS));
    assert_int_equal(counts(world, ORDERS).visible, 1);
}

static void retention_goes_on_in_the_dead_letter_queue(void **state)
{
    World *world = *state;
    Step step = {.name = LETTERS, .retention_ms = 10 * MINUTE};
    assert_int_equal(world_write(world, create_body, &step), OK);
    create(world, ORDERS, LETTERS, 1);
    send(world, ORDERS);
    assert_true(receives(world, ORDERS));
    pass(world, 8 * MINUTE);
    assert_false(receives(world, ORDERS));
    assert_int_equal(counts(world, LETTERS).visible, 1);
    pass(world, 2 * MINUTE);
    assert_int_equal(counts(world, LETTERS).visible, 0);

    /* One that is too old already is dropped on the way. */
    send(world, ORDERS);
    assert_true(receives(world, ORDERS));
    pass(world, 11 * MINUTE);
    assert_false(receives(world, ORDERS));
    assert_int_equal(counts(world, ORDERS).visible, 0);
    assert_int_equal(counts(world, LETTERS).visible, 0);
}

static void an_older_message_is_dropped_in_time_behind_a_younger_one_that_went(void **state)
{
    World *world = *state;
    create_pair(world, 1);
    send(world, ORDERS);
    assert_true(receives(world, ORDERS));
    pass(world, 30 * MINUTE);
    send(world, LETTERS);
    assert_false(receives(world, ORDERS));
    assert_int_equal(counts(world, LETTERS).visible, 2);
    pass(world, 31 * MINUTE);
    assert_true(receives(world, LETTERS)); /* the younger one; the other is never received */
    assert_true(receives(world, LETTERS));
    Step step = {.name = LETTERS, .max = 10};
    assert_int_equal(world_write(world, receive_body, &step), OK);
    assert_int_equal(step.received.count, 1);
    arena_free(&step.arena);
    pass(world, 30 * MINUTE);
    assert_int_equal(counts(world, LETTERS).visible, 0);
}

static void whoever_waits_at_the_dead_letter_queue_is_woken(void **state)
{
    World *world = *state;
    create_pair(world, 1);
    Step waiting = {.name = LETTERS, .milliseconds = 20 * SECOND};
    Probe probe;
    probe_start(world, &probe, receive_body, &waiting);
    world_settle(world);
    assert_false(probe.done);
    send(world, ORDERS);
    assert_true(receives(world, ORDERS));
    assert_false(receives(world, ORDERS));
    world_settle(world);
    assert_true(probe.done);
    assert_int_equal(waiting.received.count, 1);
    arena_free(&probe.arena);
    arena_free(&waiting.arena);
}

/* The receive that moves the last message must keep that, and so does not wait. */
static void a_waiting_receive_that_only_moves_answers_empty(void **state)
{
    World *world = *state;
    create_pair(world, 1);
    send(world, ORDERS);
    assert_true(receives(world, ORDERS));
    Step step = {.name = ORDERS, .milliseconds = 20 * SECOND};
    assert_int_equal(world_write(world, receive_body, &step), OK);
    assert_int_equal(step.received.count, 0);
    arena_free(&step.arena);
    assert_int_equal(counts(world, LETTERS).visible, 1);
}

static void one_receive_moves_a_bounded_number(void **state)
{
    World *world = *state;
    create_pair(world, 1);
    for (size_t i = 0; i < 600; i++)
        send(world, ORDERS);
    Step step = {.name = ORDERS, .max = 600};
    assert_int_equal(world_write(world, receive_body, &step), OK);
    assert_int_equal(step.received.count, 600);
    arena_free(&step.arena);
    uint64_t left = 600;
    while (left > 0) {
        assert_false(receives(world, ORDERS));
        uint64_t now = counts(world, ORDERS).visible;
        assert_int_equal(left - now, left < QUEUE_PAGE_WORK ? left : QUEUE_PAGE_WORK);
        left = now;
    }
    assert_int_equal(counts(world, LETTERS).visible, 600);
}

static void who_may_send_dead_letters_is_checked(void **state)
{
    World *world = *state;
    const Slice denying = SLICE("denying");
    const Slice listing = SLICE("listing");
    Step none = {.name = denying, .allow = REDRIVE_ALLOW_NONE};
    Step some = {.name = listing, .allow = REDRIVE_ALLOW_LISTED};
    assert_int_equal(world_write(world, create_body, &none), OK);
    assert_int_equal(world_write(world, create_body, &some), OK);
    Step refused = {.name = ORDERS, .other = denying, .max_receives = 1};
    assert_int_equal(world_write(world, create_body, &refused), QUEUE_REDRIVE_DENIED);
    Step unlisted = {.name = SLICE("others"), .other = listing, .max_receives = 1};
    assert_int_equal(world_write(world, create_body, &unlisted), QUEUE_REDRIVE_DENIED);
    Step missing = {.name = ORDERS, .other = LETTERS, .max_receives = 1};
    assert_int_equal(world_write(world, create_body, &missing), QUEUE_NOT_FOUND);
    create(world, ORDERS, listing, 1);
}

static void sources_are_listed_while_they_name_the_queue(void **state)
{
    World *world = *state;
    create_pair(world, 1);
    create(world, SLICE("payments"), LETTERS, 3);
    create(world, SLICE("letters2"), (Slice){0}, 0);
    Step step = {.name = LETTERS};
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.count, 2);
    Step redirect = {.name = ORDERS, .other = SLICE("letters2")};
    assert_int_equal(world_write(world, redirect_body, &redirect), OK);
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.count, 1);
    Step drop = {.name = SLICE("payments")};
    assert_int_equal(world_write(world, drop_body, &drop), OK);
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.count, 0);
    step.name = SLICE("letters2");
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.count, 1);
    redirect.other = (Slice){0};
    assert_int_equal(world_write(world, redirect_body, &redirect), OK);
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.count, 0);
}

static void the_oldest_message_is_found_in_every_state(void **state)
{
    World *world = *state;
    create(world, ORDERS, (Slice){0}, 0);
    Step step = {.name = ORDERS, .max = 10};
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.oldest_ms, 0);
    uint64_t first_ms = store_now(world->store);
    step.milliseconds = 10 * MINUTE;
    assert_int_equal(world_write(world, send_body, &step), OK);
    pass(world, SECOND);
    send(world, ORDERS);
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.oldest_ms, first_ms); /* delayed */
    pass(world, 10 * MINUTE);
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.oldest_ms, first_ms); /* ready */
    assert_int_equal(world_write(world, hold_body, &step), OK);
    arena_free(&step.arena);
    assert_int_equal(world_write(world, look_body, &step), OK);
    assert_int_equal(step.oldest_ms, first_ms); /* in flight */
}

/* ---- Move tasks ---- */

static void a_task_moves_every_message_back_to_where_it_came_from(void **state)
{
    World *world = *state;
    make_letters(world, 700);
    create(world, SLICE("payments"), LETTERS, 1);
    MessageId before = send(world, SLICE("payments"));
    assert_true(receives(world, SLICE("payments")));
    assert_false(receives(world, SLICE("payments")));
    pass(world, MINUTE);

    MoveTask task = start(world, LETTERS, (Slice){0}, 0);
    assert_int_equal(task.to_move, 701);
    task = ended_task(world, LETTERS);
    assert_int_equal(task.status, MOVE_COMPLETED);
    assert_int_equal(task.moved, 701);
    assert_int_equal(counts(world, LETTERS).visible, 0);
    assert_int_equal(counts(world, ORDERS).visible, 700);

    Arena arena;
    ReceivedMessage message;
    assert_true(receive(world, SLICE("payments"), &arena, &message));
    assert_memory_not_equal(&message.id, &before, sizeof before);
    assert_int_equal(message.receive_count, 1);
    assert_in_range(message.sent_ms, task.started_ms, store_now(world->store));
    assert_null(message.dead_letter_source.data);
    assert_true(slice_equal(message.message.body, SLICE("a body")));
    arena_free(&arena);
}

static void a_task_moves_to_the_queue_that_it_names(void **state)
{
    World *world = *state;
    make_letters(world, 3);
    create(world, SLICE("archive"), (Slice){0}, 0);
    start(world, LETTERS, SLICE("archive"), 0);
    world_settle(world);
    assert_int_equal(last_task(world, LETTERS).status, MOVE_COMPLETED);
    assert_int_equal(counts(world, SLICE("archive")).visible, 3);
}

static void what_is_not_visible_when_a_task_starts_stays(void **state)
{
    World *world = *state;
    make_letters(world, 5);
    Step hold = {.name = LETTERS, .max = 2};
    assert_int_equal(world_write(world, hold_body, &hold), OK);
    arena_free(&hold.arena);
    assert_int_equal(start(world, LETTERS, (Slice){0}, 1).to_move, 3);
    send(world, LETTERS); /* comes later */
    pass(world, 2 * MINUTE);
    for (size_t i = 0; i < 10; i++)
        pass(world, SECOND);
    assert_int_equal(last_task(world, LETTERS).status, MOVE_COMPLETED);
    assert_int_equal(last_task(world, LETTERS).moved, 3);
    assert_int_equal(counts(world, LETTERS).visible, 3);
}

static void a_rate_spreads_the_messages_evenly(void **state)
{
    World *world = *state;
    make_letters(world, 100);
    start(world, LETTERS, (Slice){0}, 20);
    for (size_t i = 1; i <= 49; i++) {
        pass(world, 100);
        uint64_t moved = last_task(world, LETTERS).moved;
        assert_true(moved >= 2 * i && moved <= 2 * i + 2);
    }
    for (size_t i = 0; i < 5; i++)
        pass(world, 100);
    assert_int_equal(last_task(world, LETTERS).status, MOVE_COMPLETED);
}

static void a_message_without_a_source_fails_the_task(void **state)
{
    World *world = *state;
    make_letters(world, 2);
    send(world, LETTERS);
    start(world, LETTERS, (Slice){0}, 0);
    world_settle(world);
    MoveTask task = last_task(world, LETTERS);
    assert_int_equal(task.status, MOVE_FAILED);
    assert_int_equal(task.failure, MOVE_SOURCE_UNKNOWN);
    assert_int_equal(task.moved, 2);
    assert_int_equal(counts(world, LETTERS).visible, 1);
    start(world, LETTERS, ORDERS, 0); /* with a destination it goes */
    world_settle(world);
    assert_int_equal(last_task(world, LETTERS).status, MOVE_COMPLETED);
}

static void a_destination_that_goes_fails_the_task(void **state)
{
    World *world = *state;
    make_letters(world, 5);
    create(world, SLICE("archive"), (Slice){0}, 0);
    start(world, LETTERS, SLICE("archive"), 1);
    pass(world, 1);
    Step step = {.name = SLICE("archive")};
    assert_int_equal(world_write(world, drop_body, &step), OK);
    pass(world, SECOND);
    MoveTask task = last_task(world, LETTERS);
    assert_int_equal(task.status, MOVE_FAILED);
    assert_int_equal(task.failure, MOVE_DESTINATION_GONE);
    assert_int_equal(task.moved, 1);
    assert_int_equal(counts(world, LETTERS).visible, 4);
}

static void a_cancelled_task_moves_nothing_more(void **state)
{
    World *world = *state;
    make_letters(world, 5);
    Step step = {.name = LETTERS, .id = start(world, LETTERS, (Slice){0}, 1).id};
    pass(world, SECOND);
    assert_int_equal(world_write(world, cancel_body, &step), OK);
    assert_int_equal(step.task.moved, 2);
    pass(world, MINUTE);
    assert_int_equal(last_task(world, LETTERS).status, MOVE_CANCELLED);
    assert_int_equal(counts(world, LETTERS).visible, 3);
    assert_int_equal(world_write(world, cancel_body, &step), QUEUE_MOVE_ENDED);
    step.id.bytes[0] ^= 1;
    assert_int_equal(world_write(world, cancel_body, &step), QUEUE_MOVE_NOT_FOUND);
}

static void tasks_are_bounded_in_a_queue_and_in_an_account(void **state)
{
    World *world = *state;
    make_letters(world, 5);
    Step self = {.name = LETTERS, .other = LETTERS};
    assert_int_equal(world_write(world, start_body, &self), QUEUE_MOVE_TO_ITSELF);
    Step none = {.name = ORDERS};
    assert_int_equal(world_write(world, start_body, &none), QUEUE_NO_DEAD_LETTERS);
    MoveTask first = start(world, LETTERS, (Slice){0}, 1);
    Step again = {.name = LETTERS, .rate = 1};
    assert_int_equal(world_write(world, start_body, &again), QUEUE_MOVE_RUNNING);

    const Slice names[] = {SLICE("a"), SLICE("b")};
    for (size_t i = 0; i < 2; i++)
        create(world, names[i], (Slice){0}, 0);
    create(world, SLICE("a-source"), names[0], 1);
    create(world, SLICE("b-source"), names[1], 1);
    for (size_t i = 0; i < 2; i++) {
        send(world, names[i]);
        send(world, names[i]);
    }
    start(world, names[0], ORDERS, 1);
    Step third = {.name = names[1], .other = ORDERS, .rate = 1};
    assert_int_equal(world_write(world, start_body, &third), QUEUE_MOVE_LIMIT);
    Step cancel = {.name = LETTERS, .id = first.id};
    assert_int_equal(world_write(world, cancel_body, &cancel), OK);
    assert_int_equal(world_write(world, start_body, &third), OK);
}

static void the_last_ten_tasks_are_kept_newest_first(void **state)
{
    World *world = *state;
    create_pair(world, 1);
    for (size_t i = 0; i < 13; i++) {
        start(world, LETTERS, (Slice){0}, i + 1);
        world_settle(world);
    }
    Step step = {.name = LETTERS};
    assert_int_equal(world_write(world, tasks_body, &step), OK);
    assert_int_equal(step.count, MOVE_TASKS_KEPT);
    for (size_t i = 0; i < step.count; i++)
        assert_int_equal(step.tasks[i].rate, 13 - i);
}

static void a_purge_or_a_drop_of_the_source_ends_the_task(void **state)
{
    World *world = *state;
    make_letters(world, 5);
    start(world, LETTERS, (Slice){0}, 1);
    Step step = {.name = LETTERS};
    assert_int_equal(world_write(world, purge_body, &step), OK);
    pass(world, 2 * SECOND);
    assert_int_equal(last_task(world, LETTERS).status, MOVE_COMPLETED);
    assert_true(counts(world, ORDERS).visible <= 1);

    send(world, LETTERS);
    send(world, LETTERS);
    start(world, LETTERS, ORDERS, 1);
    assert_int_equal(world_write(world, drop_body, &step), OK);
    Step orders = {.name = ORDERS};
    assert_int_equal(world_write(world, drop_body, &orders), OK);
    pass(world, 2 * MINUTE);
    assert_int_equal(world_write(world, keys_body, &step), OK);
    assert_int_equal(step.count, 0); /* nothing is left, of tasks and indexes neither */
}

static void a_task_goes_on_after_power_is_lost(void **state)
{
    World *world = *state;
    make_letters(world, 2000);
    start(world, LETTERS, (Slice){0}, 0);
    for (uint64_t i = 0; i < 10; i++) {
        os_sim_advance_ms(world->os, 4);
        store_step(world->store);
        if (i % 2 == 1)
            store_step_sync(world->store);
        world_crash(world, i);
        MoveTask task = last_task(world, LETTERS);
        assert_int_equal(counts(world, ORDERS).visible, task.moved);
        assert_int_equal(counts(world, LETTERS).visible, 2000 - task.moved);
    }
    assert_int_equal(last_task(world, LETTERS).status, MOVE_RUNNING);
    MoveTask task = ended_task(world, LETTERS);
    assert_int_equal(task.status, MOVE_COMPLETED);
    assert_int_equal(task.moved, 2000);
    assert_int_equal(counts(world, LETTERS).visible, 0);
    assert_int_equal(counts(world, ORDERS).visible, 2000);
}

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(a_message_received_too_often_moves_to_the_dead_letter_queue_as_it_is),
        PROMISE(letters_of_letters_go_on_counting),
        PROMISE(without_its_dead_letter_queue_a_message_is_received_again),
        PROMISE(a_queue_that_names_itself_keeps_its_messages),
        PROMISE(retention_goes_on_in_the_dead_letter_queue),
        PROMISE(an_older_message_is_dropped_in_time_behind_a_younger_one_that_went),
        PROMISE(whoever_waits_at_the_dead_letter_queue_is_woken),
        PROMISE(a_waiting_receive_that_only_moves_answers_empty),
        PROMISE(one_receive_moves_a_bounded_number),
        PROMISE(who_may_send_dead_letters_is_checked),
        PROMISE(sources_are_listed_while_they_name_the_queue),
        PROMISE(the_oldest_message_is_found_in_every_state),
        PROMISE(a_task_moves_every_message_back_to_where_it_came_from),
        PROMISE(a_task_moves_to_the_queue_that_it_names),
        PROMISE(what_is_not_visible_when_a_task_starts_stays),
        PROMISE(a_rate_spreads_the_messages_evenly),
        PROMISE(a_message_without_a_source_fails_the_task),
        PROMISE(a_destination_that_goes_fails_the_task),
        PROMISE(a_cancelled_task_moves_nothing_more),
        PROMISE(tasks_are_bounded_in_a_queue_and_in_an_account),
        PROMISE(the_last_ten_tasks_are_kept_newest_first),
        PROMISE(a_purge_or_a_drop_of_the_source_ends_the_task),
        PROMISE(a_task_goes_on_after_power_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The queue against the shortest program that could be right: an array of messages, each with the times that matter. A
 * seed drives the operations, the clock and power losses. After each step every key of the queue is read and compared
 * with the model: states, counts, indexes, timers; whatever the model does not know is an orphan. */
#include "../unit/store_fixture.h"
#include "seeds.h"

#include "core/queue_records.h"

#include <stdio.h>

enum { MESSAGES = 600, RECEIPTS = 4000, STEPS = 700, UNSYNCED = 4, IN_FLIGHT_LIMIT = 25 };

static const Actor actor = {.account = SLICE_INIT("000000000001"), .region = SLICE_INIT("eu-central-1")};
#define NAME SLICE("orders")

/* ---- The model ---- */

typedef struct ModelMessage {
    bool exists;
    MessageId id;
    uint64_t sent_ms;
    uint64_t visible_ms; /* delayed or hidden until then */
    uint64_t received_ms;
    uint64_t first_received_ms;
    uint64_t receive_count;
    int last_receipt; /* -1: none */
} ModelMessage;

typedef struct Model {
    bool alive;
    uint64_t deleted_ms;
    uint64_t purged_ms;
    uint64_t retention_ms;
    ModelMessage messages[MESSAGES];
    size_t count; /* of messages, gone ones included */
} Model;

typedef struct GivenReceipt {
    char text[80];
    MessageId message;
    uint64_t receive_count;
    uint64_t queue; /* which of the queues that had the name */
} GivenReceipt;

typedef struct Run {
    World world;
    uint64_t random;
    uint64_t queue;
    Model model;
    GivenReceipt receipts[RECEIPTS]; /* every one that was ever given, in answers that power losses took back too */
    size_t receipt_count;
} Run;

static uint64_t chance(Run *run, uint64_t below)
{
    return seeds_draw(&run->random, below);
}

static bool expired(const Model *model, const ModelMessage *message, uint64_t now_ms)
{
    return message->sent_ms + model->retention_ms <= now_ms;
}

/* ---- What the store holds ---- */

typedef struct Observed {
    bool exists;
    LeaseStatus status; /* 0: new */
    uint64_t due_ms;
    uint64_t receive_count;
    uint64_t sent_ms;
    MessageId id;
} Observed;

typedef struct Observation {
    bool alive;
    Observed messages[MESSAGES];
    size_t count;
    QueueCounts counts;
    size_t keys;   /* under KIND_QUEUE */
    size_t turns;  /* of them, in the list of returned messages */
    size_t timers; /* TIMER_QUEUE's, or any other's */
    bool sweeping;
    uint64_t retention_ms;
    uint64_t purged_ms;
} Observation;

static size_t count_keys(Txn *txn, Slice prefix)
{
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), prefix), SCAN_FORWARD);
    Slice key;
    Slice value;
    size_t count = 0;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL)
        count++;
    cursor_close(cursor);
    return count;
}

static void observe_bodies(Txn *txn, const Queue *queue, QueueTag tag, Observation *seen)
{
    Cursor *cursor = txn_scan(txn, queue_range(txn, queue->prefix, tag, 0, 0), SCAN_FORWARD);
    Slice key;
    Slice value;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL) {
        uint64_t seq;
        StoredMessage stored;
        assert_int_equal(queue_key_number(key, queue->prefix, &seq), OK);
        assert_int_equal(queue_message_parse(value, txn_arena(txn), &stored), OK);
        const Observed observed = {.exists = true, .id = stored.id, .sent_ms = stored.sent_ms};
        assert_true(seq < MESSAGES && !seen->messages[seq].exists);
        seen->messages[seq] = observed;
        seen->count++;
    }
    cursor_close(cursor);
}

static void observe_leases(Txn *txn, const Queue *queue, const QueueState *state, Observation *seen)
{
    Cursor *cursor = txn_scan(txn, queue_range(txn, queue->prefix, QUEUE_TAG_LEASE, 0, 0), SCAN_FORWARD);
    Slice key;
    Slice value;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL) {
        uint64_t seq;
        Lease lease;
        bool found;
        Slice turn;
        assert_int_equal(queue_key_number(key, queue->prefix, &seq), OK);
        assert_int_equal(queue_lease_parse(value, &lease), OK);
        assert_true(seq < MESSAGES && seen->messages[seq].exists); /* no lease without its message */
        assert_true(seq >= state->lease_low);
        assert_int_equal(lease.sent_ms, seen->messages[seq].sent_ms);
        seen->messages[seq].status = lease.status;
        seen->messages[seq].due_ms = lease.due_ms;
        seen->messages[seq].receive_count = lease.receive_count;
        if (lease.status != LEASE_READY)
            continue;
        assert_true(lease.turn >= state->again_head && lease.turn < state->again_next);
        assert_int_equal(txn_get(txn, queue_key(txn, queue->prefix, QUEUE_TAG_AGAIN, lease.turn), &turn, &found), OK);
        assert_true(found);
    }
    cursor_close(cursor);
}

static Error observe_body(Txn *txn, StoreCall *call)
{
    Observation *seen = probe_argument(call);
    *seen = (Observation){0};
    Buffer timers = key_start(txn_arena(txn), (Slice){0}, (Slice){0}, KIND_TIMER);
    Buffer queues = key_start(txn_arena(txn), actor.account, actor.region, KIND_QUEUE);
    seen->timers = count_keys(txn, buffer_slice(&timers));
    seen->keys = count_keys(txn, buffer_slice(&queues));

    Queue queue;
    QueueState state;
    Error error = queue_open(txn, &actor, NAME, &queue);
    if (error == QUEUE_NOT_FOUND)
        return OK;
    TRY(error);
    seen->alive = true;
    TRY(queue_count(txn, &queue, &seen->counts));
    TRY(queue_state_get(txn, queue.prefix, &state));
    observe_bodies(txn, &queue, QUEUE_TAG_MESSAGE, seen);
    observe_bodies(txn, &queue, QUEUE_TAG_DELAYED, seen);
    observe_leases(txn, &queue, &state, seen);
    for (size_t seq = 0; seq < MESSAGES; seq++)
        if (seen->messages[seq].exists && seen->messages[seq].status == 0)
            assert_true(seq >= state.next_new);
    seen->turns = state.again_count;
    seen->sweeping = state.sweep_due_ms != 0;
    seen->retention_ms = queue.settings.retention_ms;
    seen->purged_ms = state.purged_ms;
    return OK;
}

/* ---- Comparing ---- */

static LeaseStatus expected_status(const ModelMessage *message, uint64_t now_ms, bool observed_new)
{
    if (message->visible_ms > now_ms)
        return message->receive_count == 0 ? LEASE_DELAYED : LEASE_IN_FLIGHT;
    return observed_new ? 0 : LEASE_READY;
}

static const Observed *find_observed(const Observation *seen, const MessageId *id)
{
    for (size_t seq = 0; seq < MESSAGES; seq++)
        if (seen->messages[seq].exists && memcmp(&seen->messages[seq].id, id, sizeof *id) == 0)
            return &seen->messages[seq];
    return NULL;
}

/* Whether what is stored is what the model says. Messages past their retention may wait for the sweep. */
static bool matches(const Model *model, const Observation *seen, uint64_t now_ms)
{
    if (model->alive != seen->alive || model->retention_ms != seen->retention_ms || model->purged_ms != seen->purged_ms)
        return false;
    size_t stored = 0;
    QueueCounts counts = {0};
    for (size_t i = 0; i < model->count && model->alive; i++) {
        const ModelMessage *message = &model->messages[i];
        const Observed *observed = find_observed(seen, &message->id);
        if (observed == NULL) {
            if (message->exists && !expired(model, message, now_ms))
                return false;
            continue;
        }
        if (!message->exists || message->sent_ms + model->retention_ms + QUEUE_SWEEP_PAUSE_MS <= now_ms)
            return false;
        if (observed->status != expected_status(message, now_ms, observed->status == 0) ||
            observed->receive_count != message->receive_count)
            return false;
        if (message->visible_ms > now_ms && observed->due_ms != message->visible_ms)
            return false;
        stored++;
        counts.in_flight += observed->status == LEASE_IN_FLIGHT;
        counts.delayed += observed->status == LEASE_DELAYED;
        counts.visible += observed->status == LEASE_READY || observed->status == 0;
    }
    return stored == seen->count && counts.visible == seen->counts.visible &&
           counts.in_flight == seen->counts.in_flight && counts.delayed == seen->counts.delayed;
}

/* Nothing but what belongs to the messages is stored. */
static void expect_no_orphans(const Model *model, const Observation *seen, uint64_t now_ms)
{
    size_t leases = 0;
    size_t timed = 0;
    for (size_t seq = 0; seq < MESSAGES; seq++) {
        leases += seen->messages[seq].status != 0;
        timed += seen->messages[seq].status == LEASE_DELAYED || seen->messages[seq].status == LEASE_IN_FLIGHT;
    }
    assert_int_equal(seen->keys, seen->count + leases + seen->turns + (seen->alive ? 1 : 0));
    /* A queue's trace keeps a timer for its rest, also when the name was taken again in the meantime. */
    size_t resting = model->deleted_ms != 0 && now_ms < model->deleted_ms + QUEUE_NAME_REST_MS;
    assert_int_equal(seen->timers, timed + (seen->sweeping ? 1 : 0) + resting);
    if (seen->count > 0)
        assert_true(seen->sweeping);
}

static void observe(Run *run, Observation *seen)
{
    world_settle(&run->world);
    assert_int_equal(world_read(&run->world, observe_body, seen), OK);
}

static void check(Run *run)
{
    static Observation seen;
    observe(run, &seen);
    uint64_t now_ms = store_now(run->world.store);
    assert_true(matches(&run->model, &seen, now_ms));
    expect_no_orphans(&run->model, &seen, now_ms);
    /* What the sweep took is gone for good, whatever the retention becomes. */
    for (size_t i = 0; i < run->model.count; i++)
        if (expired(&run->model, &run->model.messages[i], now_ms) &&
            find_observed(&seen, &run->model.messages[i].id) == NULL)
            run->model.messages[i].exists = false;
}

/* ---- Operations: each runs in the store, then in the model ---- */

typedef enum OperationKind {
    CREATE,
    SEND,
    RECEIVE,
    DELETE,
    CHANGE,
    PURGE,
    DROP,
    RETAIN,
    OPERATION_KINDS,
} OperationKind;

typedef struct Operation {
    Probe probe;
    Run *run;
    OperationKind kind;
    uint64_t milliseconds; /* delay, visibility, retention */
    size_t max;
    size_t receipt;
    uint64_t now_ms;
    /* what came of it */
    Error error;
    QueueSent sent;
    ReceivedMessages received;
} Operation;

static Error operation_body(Txn *txn, StoreCall *call)
{
    Operation *operation = CONTAINER_OF(call, Operation, probe.call);
    Run *run = operation->run;
    Queue queue;
    operation->now_ms = txn_now(txn);
    if (operation->kind == CREATE) {
        QueueSettings settings = {
            .visibility_ms = 30000, .retention_ms = operation->milliseconds, .message_bytes = 1024};
        return operation->error = queue_create(txn, &actor, NAME, &settings, &queue);
    }
    if ((operation->error = queue_open(txn, &actor, NAME, &queue)) != OK)
        return operation->error;
    Message message = {.body = SLICE("a body"), .sender = SLICE("someone")};
    QueueSettings settings = queue.settings;
    ReceiveRequest request = {.max = operation->max,
                              .bytes_max = 1 << 20,
                              .in_flight_max = IN_FLIGHT_LIMIT,
                              .visibility_ms = operation->milliseconds};
    Slice receipt = slice_of_string(run->receipts[operation->receipt].text);
    switch (operation->kind) {
    case SEND:
        return operation->error = queue_send(txn, &queue, &message, operation->milliseconds, &operation->sent);
    case RECEIVE:
        return operation->error = queue_receive(txn, &queue, &request, call->arena, &operation->received);
    case DELETE:
        return operation->error = queue_delete(txn, &queue, receipt);
    case CHANGE:
        return operation->error = queue_change_visibility(txn, &queue, receipt, operation->milliseconds);
    case PURGE:
        return operation->error = queue_purge(txn, &queue);
    case DROP:
        return operation->error = queue_drop(txn, &queue);
    default:
        settings.retention_ms = operation->milliseconds;
        return operation->error = queue_change(txn, &queue, &settings);
    }
}

static void model_create(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    Error expected = model->alive ? QUEUE_EXISTS
                     : model->deleted_ms != 0 && operation->now_ms < model->deleted_ms + QUEUE_NAME_REST_MS
                         ? QUEUE_DELETED_RECENTLY
                         : OK;
    assert_int_equal(operation->error, expected);
    if (expected != OK)
        return;
    *model = (Model){.alive = true, .retention_ms = operation->milliseconds};
    run->queue++;
}

static void model_send(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    assert_int_equal(operation->error, OK);
    model->messages[model->count++] = (ModelMessage){
        .exists = true,
        .id = operation->sent.id,
        .sent_ms = operation->now_ms,
        .visible_ms = operation->milliseconds == 0 ? 0 : operation->now_ms + operation->milliseconds,
        .last_receipt = -1,
    };
}

static ModelMessage *find_message(Model *model, const MessageId *id)
{
    for (size_t i = 0; i < model->count; i++)
        if (memcmp(&model->messages[i].id, id, sizeof *id) == 0)
            return &model->messages[i];
    return NULL;
}

static bool is_visible(const Model *model, const ModelMessage *message, uint64_t now_ms)
{
    return message->exists && message->visible_ms <= now_ms && !expired(model, message, now_ms);
}

static void model_receive_one(Run *run, const Operation *operation, const ReceivedMessage *given)
{
    ModelMessage *message = find_message(&run->model, &given->id);
    assert_non_null(message);
    assert_true(is_visible(&run->model, message, operation->now_ms));
    assert_true(slice_equal(given->message.body, SLICE("a body")));
    assert_int_equal(given->sent_ms, message->sent_ms);
    if (message->receive_count++ == 0)
        message->first_received_ms = operation->now_ms;
    assert_int_equal(given->receive_count, message->receive_count);
    assert_int_equal(given->first_received_ms, message->first_received_ms);
    message->received_ms = operation->now_ms;
    message->visible_ms = operation->now_ms + operation->milliseconds;
    assert_true(run->receipt_count < RECEIPTS);
    GivenReceipt *receipt = &run->receipts[run->receipt_count];
    assert_true(given->receipt.size < sizeof receipt->text);
    *receipt = (GivenReceipt){.message = given->id, .receive_count = given->receive_count, .queue = run->queue};
    memcpy(receipt->text, given->receipt.data, given->receipt.size);
    message->last_receipt = (int)run->receipt_count++;
}

/* What a receive must give: returned messages before new ones, new ones in the order in which they were sent, and no
 * fewer than there are. */
static void model_receive(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    uint64_t now_ms = operation->now_ms;
    size_t visible = 0;
    size_t in_flight = 0;
    for (size_t i = 0; i < model->count; i++) {
        const ModelMessage *message = &model->messages[i];
        visible += is_visible(model, message, now_ms);
        in_flight += message->exists && message->receive_count > 0 && message->visible_ms > now_ms;
    }
    if (operation->error == QUEUE_IN_FLIGHT_LIMIT) {
        assert_true(in_flight >= IN_FLIGHT_LIMIT);
        return;
    }
    assert_int_equal(operation->error, OK);
    size_t expected = visible < operation->max ? visible : operation->max;
    if (operation->received.count < expected) /* messages past their retention count until they are swept */
        assert_true(in_flight + operation->received.count >= IN_FLIGHT_LIMIT);
    else
        assert_int_equal(operation->received.count, expected);
    uint64_t newest_ms = 0;
    for (size_t i = 0; i < operation->received.count; i++) {
        const ReceivedMessage *given = &operation->received.items[i];
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(&given->id, &operation->received.items[k].id, sizeof given->id);
        if (given->receive_count == 1 && find_message(model, &given->id)->visible_ms == 0) {
            assert_true(given->sent_ms >= newest_ms);
            newest_ms = given->sent_ms;
        }
        model_receive_one(run, operation, given);
    }
}

/* A receipt whose receive was lost with the power holds the message until it is received again. */
static bool holds(const Operation *operation, const GivenReceipt *receipt, const ModelMessage *message)
{
    return message->last_receipt == (int)operation->receipt || receipt->receive_count > message->receive_count;
}

static void model_delete(Run *run, const Operation *operation)
{
    const GivenReceipt *receipt = &run->receipts[operation->receipt];
    if (receipt->queue != run->queue) {
        assert_int_equal(operation->error, QUEUE_RECEIPT_INVALID);
        return;
    }
    assert_int_equal(operation->error, OK);
    ModelMessage *message = find_message(&run->model, &receipt->message);
    if (message != NULL && holds(operation, receipt, message))
        message->exists = false;
}

static void model_change(Run *run, const Operation *operation)
{
    const GivenReceipt *receipt = &run->receipts[operation->receipt];
    ModelMessage *message = find_message(&run->model, &receipt->message);
    uint64_t now_ms = operation->now_ms;
    if (receipt->queue != run->queue) {
        assert_int_equal(operation->error, QUEUE_RECEIPT_INVALID);
        return;
    }
    if (message == NULL) { /* its sending was lost with the power */
        assert_int_equal(operation->error, QUEUE_MESSAGE_GONE);
        return;
    }
    bool hidden = message->visible_ms > now_ms && message->receive_count > 0;
    if (message->exists && expired(&run->model, message, now_ms)) {
        assert_true(operation->error == OK || operation->error == QUEUE_MESSAGE_GONE ||
                    operation->error == QUEUE_MESSAGE_NOT_IN_FLIGHT || operation->error == QUEUE_VISIBILITY_TOO_LONG);
        if (operation->error == OK)
            message->visible_ms = now_ms + operation->milliseconds;
        return;
    }
    if (!message->exists)
        assert_int_equal(operation->error, QUEUE_MESSAGE_GONE);
    else if (!hidden)
        assert_int_equal(operation->error, QUEUE_MESSAGE_NOT_IN_FLIGHT);
    else if ((now_ms - message->received_ms) / 1000 * 1000 + operation->milliseconds > QUEUE_IN_FLIGHT_MAX_MS)
        assert_int_equal(operation->error, QUEUE_VISIBILITY_TOO_LONG);
    else
        assert_int_equal(operation->error, OK);
    if (operation->error == OK)
        message->visible_ms = now_ms + operation->milliseconds;
}

static void model_purge(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    if (model->purged_ms != 0 && operation->now_ms < model->purged_ms + QUEUE_PURGE_REST_MS) {
        assert_int_equal(operation->error, QUEUE_PURGE_IN_PROGRESS);
        return;
    }
    assert_int_equal(operation->error, OK);
    model->purged_ms = operation->now_ms;
    for (size_t i = 0; i < model->count; i++)
        model->messages[i].exists = false;
}

static void model_apply(Run *run, const Operation *operation)
{
    if (operation->kind == CREATE) {
        model_create(run, operation);
        return;
    }
    if (!run->model.alive) {
        assert_int_equal(operation->error, QUEUE_NOT_FOUND);
        return;
    }
    switch (operation->kind) {
    case SEND:
        model_send(run, operation);
        return;
    case RECEIVE:
        model_receive(run, operation);
        return;
    case DELETE:
        model_delete(run, operation);
        return;
    case CHANGE:
        model_change(run, operation);
        return;
    case PURGE:
        model_purge(run, operation);
        return;
    case DROP:
        assert_int_equal(operation->error, OK);
        run->model = (Model){.deleted_ms = operation->now_ms};
        return;
    default:
        assert_int_equal(operation->error, OK);
        run->model.retention_ms = operation->milliseconds;
    }
}

/* ---- Driving ---- */

static OperationKind choose_kind(Run *run)
{
    uint64_t dice = chance(run, 1000);
    if (!run->model.alive)
        return dice < 900 ? CREATE : SEND;
    if (run->model.count == MESSAGES - 1)
        return DROP;
    return dice < 350   ? SEND
           : dice < 650 ? RECEIVE
           : dice < 830 ? DELETE
           : dice < 950 ? CHANGE
           : dice < 970 ? PURGE
           : dice < 985 ? RETAIN
           : dice < 990 ? DROP
                        : CREATE;
}

static void operation_choose(Run *run, Operation *operation)
{
    static const uint64_t times_ms[] = {0, 0, 1000, 5000, 30000, 120000, 900000, 12 * 3600000};
    *operation = (Operation){.run = run, .kind = choose_kind(run), .max = 1 + chance(run, 10)};
    operation->milliseconds = times_ms[chance(run, 8)];
    if (operation->kind == SEND && chance(run, 3) > 0)
        operation->milliseconds = 0;
    if (operation->kind == SEND && operation->milliseconds > 900000)
        operation->milliseconds = 900000;
    if (operation->kind == CREATE || operation->kind == RETAIN)
        operation->milliseconds = 60000 + chance(run, 600000);
    if (run->receipt_count == 0 && (operation->kind == DELETE || operation->kind == CHANGE))
        operation->kind = RECEIVE;
    /* Mostly receipts that are still good for something. */
    size_t recent = run->receipt_count < 40 || chance(run, 8) == 0 ? run->receipt_count : 40;
    operation->receipt = recent == 0 ? 0 : run->receipt_count - 1 - chance(run, recent);
}

static void step_durably(Run *run)
{
    Operation operation;
    operation_choose(run, &operation);
    probe_start(&run->world, &operation.probe, operation_body, NULL);
    world_settle(&run->world);
    assert_true(operation.probe.done);
    model_apply(run, &operation);
    arena_free(&operation.probe.arena);
}

/* Some operations are executed but never synced, then power is lost: what remains is the state behind one of them. */
static void step_into_power_loss(Run *run)
{
    static Model states[UNSYNCED + 1];
    static uint64_t queues[UNSYNCED + 1];
    static Operation operations[UNSYNCED];
    static Observation seen;
    size_t count = 1 + chance(run, UNSYNCED);
    states[0] = run->model;
    queues[0] = run->queue;
    for (size_t i = 0; i < count; i++) {
        operation_choose(run, &operations[i]);
        probe_start(&run->world, &operations[i].probe, operation_body, NULL);
        while (store_step(run->world.store))
            ;
        model_apply(run, &operations[i]);
        states[i + 1] = run->model;
        queues[i + 1] = run->queue;
    }
    world_crash(&run->world, chance(run, 1 << 30));
    for (size_t i = 0; i < count; i++)
        arena_free(&operations[i].probe.arena);
    observe(run, &seen);
    for (size_t i = 0; i <= count; i++) {
        if (!matches(&states[i], &seen, store_now(run->world.store)))
            continue;
        run->model = states[i];
        run->queue = queues[i];
        return;
    }
    fail_msg("what power loss left is no state that the queue passed through");
}

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
}

static void simulate(uint64_t seed)
{
    static Run run;
    run = (Run){.random = seed | 1, .world.prepare = prepare};
    print_message("seed %llu\n", (unsigned long long)seed);
    world_open(&run.world, seed);
    for (size_t i = 0; i < STEPS; i++) {
        uint64_t dice = chance(&run, 100);
        if (dice < 18)
            os_sim_advance_ms(run.world.os, 1 + chance(&run, dice < 3 ? 400000 : 9000));
        else if (dice < 23)
            step_into_power_loss(&run);
        else
            step_durably(&run);
        check(&run);
    }
    world_close(&run.world);
}

static void the_queue_is_what_the_model_says_whatever_the_seed(void **state)
{
    (void)state;
    seeds_run(simulate, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_queue_is_what_the_model_says_whatever_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Three queues that are each other's dead-letter queues, against the shortest program that could be right: an array of
 * messages, each told apart by its body, with the queue where it is. A seed drives the operations, the clock and power
 * losses. After each step everything stored is read: every message that was acknowledged is in exactly one queue, in the
 * state that the model says; where it has moved, a receive or a task may have moved it; and every key is accounted for. */
#include "../unit/store_fixture.h"
#include "seeds.h"

#include "core/queue_records.h"

#include <stdio.h>

enum { QUEUES = 3, MESSAGES = 400, RECEIPTS = 3000, STEPS = 500, UNSYNCED = 4, ACTIVE_MAX = 2, NOBODY = -1 };

static const Actor actor = {.account = SLICE_INIT("000000000001"), .region = SLICE_INIT("eu-central-1")};
static const Slice names[QUEUES] = {SLICE_INIT("a"), SLICE_INIT("b"), SLICE_INIT("c")};
static const uint64_t max_receives[QUEUES] = {2, 3, 1};

/* ---- The model ---- */

typedef struct ModelMessage {
    bool alive;
    int queue;
    int source;    /* the queue from which it was dead-lettered last; NOBODY: none */
    unsigned stay; /* counts its moves: receipts of an earlier stay are nothing to it */
    unsigned task; /* the task that shall move it; 0: none */
    MessageId id;
    uint64_t sent_ms;
    uint64_t visible_ms;
    uint64_t receives; /* in this queue */
    uint64_t earlier;  /* in those before */
    int last_receipt;
} ModelMessage;

typedef struct ModelTask {
    unsigned number; /* 0: there was none */
    MessageId id;
    MoveStatus status;
    int destination; /* NOBODY: back to the sources */
    uint64_t moved;
} ModelTask;

typedef struct Model {
    ModelMessage messages[MESSAGES];
    size_t count;
    int letters[QUEUES]; /* each queue's dead-letter queue; NOBODY: none */
    uint64_t retention_ms[QUEUES];
    ModelTask tasks[QUEUES]; /* the last of each queue */
    unsigned task_count;
    size_t receipt_count;
} Model;

typedef struct GivenReceipt {
    char text[80];
    size_t message;
    int queue;
    unsigned stay;
    uint64_t receives;
} GivenReceipt;

typedef struct Run {
    World world;
    uint64_t random;
    Model model;
    GivenReceipt receipts[RECEIPTS];
} Run;

static uint64_t chance(Run *run, uint64_t below)
{
    return seeds_draw(&run->random, below);
}

static bool is_expired(const Model *model, int queue, const ModelMessage *message, uint64_t now_ms)
{
    return message->sent_ms + model->retention_ms[queue] <= now_ms;
}

static int queue_of(Slice name)
{
    for (int i = 0; i < QUEUES; i++)
        if (slice_equal(name, names[i]))
            return i;
    return NOBODY;
}

/* ---- What the store holds ---- */

typedef struct Observed {
    unsigned places; /* where it is: one, or it is gone */
    int queue;
    int source;
    LeaseStatus status; /* 0: new */
    MessageId id;
    uint64_t sent_ms;
    uint64_t due_ms;
    uint64_t receives;
    uint64_t earlier;
} Observed;

typedef struct Observation {
    Observed messages[MESSAGES];
    QueueCounts counts[QUEUES];
    int letters[QUEUES];
    MoveTask tasks[QUEUES];
    size_t task_count[QUEUES];
    size_t sweeps;
    size_t keys[4]; /* timers, of the queues, of sources, of running tasks */
} Observation;

static size_t count_keys(Txn *txn, Slice account, Slice region, KeyKind kind)
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

static void observe_messages(Txn *txn, const Queue *queue, const QueueState *state, QueueTag tag, Observation *seen)
{
    Cursor *cursor = txn_scan(txn, queue_range(txn, queue->prefix, tag, state->purged_below, 0), SCAN_FORWARD);
    Slice key;
    Slice value;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL) {
        uint64_t seq;
        uint64_t number;
        StoredMessage stored;
        Lease lease = {0};
        bool found;
        assert_int_equal(queue_key_number(key, queue->prefix, &seq), OK);
        assert_int_equal(queue_message_parse(value, txn_arena(txn), &stored), OK);
        assert_true(slice_parse_uint64(stored.message.body, &number) && number < MESSAGES);
        assert_int_equal(queue_lease_get(txn, queue->prefix, seq, &lease, &found), OK);
        assert_true(found || (tag == QUEUE_TAG_MESSAGE && seq >= state->next_new));
        Observed *observed = &seen->messages[number];
        *observed = (Observed){
            .places = observed->places + 1,
            .queue = queue_of(queue->name),
            .source = queue_of(stored.dead_letter_source),
            .status = found ? lease.status : 0,
            .id = stored.id,
            .sent_ms = stored.sent_ms,
            .due_ms = lease.due_ms,
            .receives = lease.receive_count,
            .earlier = stored.earlier_receives,
        };
    }
    cursor_close(cursor);
}

static Error observe_body(Txn *txn, StoreCall *call)
{
    Observation *seen = probe_argument(call);
    *seen = (Observation){0};
    for (int i = 0; i < QUEUES; i++) {
        Queue queue;
        QueueState state;
        MoveTask tasks[MOVE_TASKS_KEPT];
        TRY(queue_open(txn, &actor, names[i], &queue));
        TRY(queue_state_get(txn, queue.prefix, &state));
        TRY(queue_count(txn, &queue, &seen->counts[i]));
        TRY(queue_move_list(txn, &queue, MOVE_TASKS_KEPT, tasks, &seen->task_count[i]));
        if (seen->task_count[i] > 0)
            seen->tasks[i] = tasks[0];
        observe_messages(txn, &queue, &state, QUEUE_TAG_MESSAGE, seen);
        observe_messages(txn, &queue, &state, QUEUE_TAG_DELAYED, seen);
        seen->letters[i] = queue_of(queue.settings.dead_letter_queue);
        seen->sweeps += state.sweep_due_ms != 0;
    }
    seen->keys[0] = count_keys(txn, (Slice){0}, (Slice){0}, KIND_TIMER);
    seen->keys[1] = count_keys(txn, actor.account, actor.region, KIND_QUEUE);
    seen->keys[2] = count_keys(txn, actor.account, actor.region, KIND_QUEUE_SOURCE);
    seen->keys[3] = count_keys(txn, actor.account, actor.region, KIND_QUEUE_MOVING);
    return OK;
}

/* ---- Operations ---- */

typedef enum OperationKind { SEND, RECEIVE, DELETE, PURGE, START, CANCEL, REDIRECT, NOTHING } OperationKind;

typedef struct Operation {
    Probe probe;
    Run *run;
    OperationKind kind;
    int queue;
    int other; /* the destination, the new dead-letter queue; NOBODY: none */
    uint64_t milliseconds;
    uint64_t rate;
    size_t max;
    size_t receipt;
    size_t number; /* of the message that is sent */
    uint64_t now_ms;
    /* what came of it */
    Error error;
    MessageId id;
    MoveTask task;
    ReceivedMessages received;
} Operation;

static Error send_one(Txn *txn, const Queue *queue, Operation *operation)
{
    Slice body = arena_format(txn_arena(txn), "%zu", operation->number);
    Message message = {.body = body, .sender = SLICE("someone")};
    QueueSent sent = {0};
    Error error = queue_send(txn, queue, &message, operation->milliseconds, &sent);
    operation->id = sent.id;
    return error;
}

static Error run_operation(Txn *txn, Operation *operation, Arena *arena)
{
    Run *run = operation->run;
    Queue queue;
    Queue other;
    TRY(queue_open(txn, &actor, names[operation->queue], &queue));
    if (operation->other != NOBODY)
        TRY(queue_open(txn, &actor, names[operation->other], &other));
    QueueSettings settings = queue.settings;
    const ReceiveRequest request = {
        .max = operation->max, .bytes_max = 1 << 20, .in_flight_max = 1000, .visibility_ms = operation->milliseconds};
    switch (operation->kind) {
    case SEND:
        return send_one(txn, &queue, operation);
    case RECEIVE:
        return queue_receive(txn, &queue, &request, arena, &operation->received);
    case DELETE:
        return queue_delete(txn, &queue, slice_of_string(run->receipts[operation->receipt].text));
    case PURGE:
        return queue_purge(txn, &queue);
    case START:
        return queue_move_start(txn, &queue, operation->other == NOBODY ? NULL : &other, operation->rate, ACTIVE_MAX,
                                &operation->task);
    case CANCEL:
        return queue_move_cancel(txn, &queue, &operation->id, &operation->task);
    case REDIRECT:
        settings.dead_letter_queue = operation->other == NOBODY ? (Slice){0} : names[operation->other];
        return queue_change(txn, &queue, &settings);
    case NOTHING:
        break;
    }
    return OK;
}

static Error operation_body(Txn *txn, StoreCall *call)
{
    Operation *operation = CONTAINER_OF(call, Operation, probe.call);
    operation->now_ms = txn_now(txn);
    return operation->error = run_operation(txn, operation, call->arena);
}

/* ---- What the model makes of them, moves excepted: those are told by what is stored ---- */

static void model_send(Model *model, const Operation *operation)
{
    assert_int_equal(operation->error, OK);
    model->messages[model->count++] = (ModelMessage){
        .alive = true,
        .queue = operation->queue,
        .source = NOBODY,
        .id = operation->id,
        .sent_ms = operation->now_ms,
        .visible_ms = operation->milliseconds == 0 ? 0 : operation->now_ms + operation->milliseconds,
        .last_receipt = NOBODY,
    };
}

static void model_receive(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    assert_int_equal(operation->error, OK);
    for (size_t i = 0; i < operation->received.count; i++) {
        const ReceivedMessage *given = &operation->received.items[i];
        uint64_t number;
        assert_true(slice_parse_uint64(given->message.body, &number) && number < model->count);
        ModelMessage *message = &model->messages[number];
        assert_true(message->alive && message->queue == operation->queue && message->visible_ms <= operation->now_ms);
        assert_false(is_expired(model, message->queue, message, operation->now_ms));
        if (model->letters[operation->queue] != NOBODY)
            assert_true(message->receives < max_receives[operation->queue]);
        message->receives += 1;
        message->task = 0; /* it was in flight: a task that passes does not wait for it */
        message->visible_ms = operation->now_ms + operation->milliseconds;
        assert_int_equal(given->receive_count, message->earlier + message->receives);
        assert_memory_equal(&given->id, &message->id, sizeof given->id);
        assert_int_equal(queue_of(given->dead_letter_source), message->source);
        message->last_receipt = (int)model->receipt_count;
        GivenReceipt *receipt = &run->receipts[model->receipt_count++];
        assert_true(model->receipt_count < RECEIPTS && given->receipt.size < sizeof receipt->text);
        *receipt = (GivenReceipt){
            .message = number, .queue = operation->queue, .stay = message->stay, .receives = message->receives};
        memcpy(receipt->text, given->receipt.data, given->receipt.size);
    }
}

static void model_delete(Run *run, const Operation *operation)
{
    const GivenReceipt *receipt = &run->receipts[operation->receipt];
    ModelMessage *message = &run->model.messages[receipt->message];
    assert_int_equal(operation->error, OK);
    if (message->queue == receipt->queue && message->stay == receipt->stay &&
        message->last_receipt == (int)operation->receipt)
        message->alive = false;
}

static void model_start(Model *model, const Operation *operation)
{
    ModelTask *task = &model->tasks[operation->queue];
    bool has_sources = false;
    size_t running = 0;
    for (int i = 0; i < QUEUES; i++) {
        has_sources = has_sources || model->letters[i] == operation->queue;
        running += model->tasks[i].status == MOVE_RUNNING;
    }
    Error expected = task->status == MOVE_RUNNING           ? QUEUE_MOVE_RUNNING
                     : !has_sources                         ? QUEUE_NO_DEAD_LETTERS
                     : operation->other == operation->queue ? QUEUE_MOVE_TO_ITSELF
                     : running >= ACTIVE_MAX                ? QUEUE_MOVE_LIMIT
                                                            : OK;
    assert_int_equal(operation->error, expected);
    if (expected != OK)
        return;
    *task = (ModelTask){.number = ++model->task_count,
                        .id = operation->task.id,
                        .status = MOVE_RUNNING,
                        .destination = operation->other};
    for (size_t i = 0; i < model->count; i++) {
        ModelMessage *message = &model->messages[i];
        if (message->alive && message->queue == operation->queue)
            message->task = message->visible_ms <= operation->now_ms ? task->number : 0;
    }
}

static void model_cancel(Model *model, const Operation *operation)
{
    ModelTask *task = &model->tasks[operation->queue];
    bool known = task->number != 0 && memcmp(&task->id, &operation->id, sizeof task->id) == 0;
    Error expected = !known ? QUEUE_MOVE_NOT_FOUND : task->status == MOVE_RUNNING ? OK : QUEUE_MOVE_ENDED;
    assert_int_equal(operation->error, expected);
    if (expected == OK)
        task->status = MOVE_CANCELLED;
}

static void model_apply(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    switch (operation->kind) {
    case SEND:
        model_send(model, operation);
        return;
    case RECEIVE:
        model_receive(run, operation);
        return;
    case DELETE:
        model_delete(run, operation);
        return;
    case PURGE:
        for (size_t i = 0; i < model->count && operation->error == OK; i++)
            if (model->messages[i].queue == operation->queue)
                model->messages[i].alive = false;
        return;
    case START:
        model_start(model, operation);
        return;
    case CANCEL:
        model_cancel(model, operation);
        return;
    case REDIRECT:
        assert_int_equal(operation->error, OK);
        model->letters[operation->queue] = operation->other;
        return;
    case NOTHING:
        return;
    }
}

/* ---- Comparing: false when what is stored cannot come of the model's state and the operation ---- */

/* A receive found it once too often. */
static bool was_diverted(Model *model, ModelMessage *message, const Observed *seen, const Operation *operation)
{
    if (operation->kind != RECEIVE || operation->queue != message->queue ||
        model->letters[message->queue] != seen->queue || message->receives < max_receives[message->queue] ||
        message->visible_ms > operation->now_ms || seen->source != message->queue ||
        memcmp(&seen->id, &message->id, sizeof seen->id) != 0 || seen->sent_ms != message->sent_ms ||
        seen->earlier != message->earlier + message->receives)
        return false;
    message->earlier = seen->earlier;
    message->source = message->queue;
    message->visible_ms = 0;
    return true;
}

/* A task moved it: it is a new message. */
static bool was_moved(Model *model, ModelMessage *message, const Observed *seen)
{
    ModelTask *task = &model->tasks[message->queue];
    int destination = task->destination != NOBODY ? task->destination : message->source;
    if (task->number == 0 || message->task != task->number || seen->queue != destination || seen->source != NOBODY ||
        seen->earlier != 0 || memcmp(&seen->id, &message->id, sizeof seen->id) == 0 || seen->sent_ms < message->sent_ms)
        return false;
    task->moved += 1;
    message->earlier = 0;
    message->source = NOBODY;
    message->sent_ms = seen->sent_ms;
    message->visible_ms = 0;
    return true;
}

static bool message_follows(Model *model, ModelMessage *message, const Observed *seen, const Operation *operation,
                            uint64_t now_ms)
{
    if (seen->places > 1 || (!message->alive && seen->places > 0))
        return false;
    if (!message->alive)
        return true;
    if (seen->places == 0) {
        int letters = model->letters[message->queue];
        bool on_its_way = operation->kind == RECEIVE && letters != NOBODY &&
                          is_expired(model, letters, message, now_ms) &&
                          message->receives >= max_receives[message->queue];
        message->alive = false;
        return is_expired(model, message->queue, message, now_ms) || on_its_way;
    }
    if (seen->queue != message->queue) {
        if (!was_diverted(model, message, seen, operation) && !was_moved(model, message, seen))
            return false;
        message->queue = seen->queue;
        message->receives = 0;
        message->stay += 1;
        message->task = 0;
        message->id = seen->id;
    }
    bool hidden = message->visible_ms > now_ms;
    LeaseStatus waiting = message->receives == 0 ? LEASE_DELAYED : LEASE_IN_FLIGHT;
    return memcmp(&seen->id, &message->id, sizeof seen->id) == 0 && seen->receives == message->receives &&
           seen->sent_ms == message->sent_ms && seen->earlier == message->earlier && seen->source == message->source &&
           (hidden ? seen->status == waiting && seen->due_ms == message->visible_ms
                   : seen->status == 0 || seen->status == LEASE_READY);
}

/* A task that has ended leaves nothing behind, or has met what it could not move. */
static bool task_follows(Model *model, int queue, const Observation *seen, uint64_t now_ms)
{
    ModelTask *task = &model->tasks[queue];
    const MoveTask *stored = &seen->tasks[queue];
    if (task->number == 0 || seen->task_count[queue] == 0)
        return task->number == 0 && seen->task_count[queue] == 0;
    if (memcmp(&stored->id, &task->id, sizeof task->id) != 0 || stored->moved != task->moved)
        return false;
    if (task->status != MOVE_RUNNING)
        return stored->status == task->status;
    size_t left = 0;
    size_t sourceless = 0;
    for (size_t i = 0; i < model->count; i++) {
        const ModelMessage *message = &model->messages[i];
        bool is_left = message->alive && message->queue == queue && message->task == task->number &&
                       !is_expired(model, queue, message, now_ms);
        left += is_left;
        sourceless += message->alive && message->queue == queue && message->source == NOBODY;
    }
    task->status = stored->status;
    return stored->status == MOVE_RUNNING || (stored->status == MOVE_COMPLETED && left == 0) ||
           (stored->status == MOVE_FAILED && stored->failure == MOVE_SOURCE_UNKNOWN && task->destination == NOBODY &&
            sourceless > 0);
}

static bool follows(Model *model, const Observation *seen, const Operation *operation, uint64_t now_ms)
{
    QueueCounts counts[QUEUES] = {0};
    if (memcmp(model->letters, seen->letters, sizeof seen->letters) != 0)
        return false;
    for (size_t i = 0; i < MESSAGES; i++) {
        const Observed *observed = &seen->messages[i];
        if (i >= model->count && observed->places > 0)
            return false;
        if (i < model->count && !message_follows(model, &model->messages[i], observed, operation, now_ms))
            return false;
        if (observed->places == 0)
            continue;
        counts[observed->queue].in_flight += observed->status == LEASE_IN_FLIGHT;
        counts[observed->queue].delayed += observed->status == LEASE_DELAYED;
        counts[observed->queue].visible += observed->status == 0 || observed->status == LEASE_READY;
    }
    for (int i = 0; i < QUEUES; i++)
        if (memcmp(&counts[i], &seen->counts[i], sizeof counts[i]) != 0 || !task_follows(model, i, seen, now_ms))
            return false;
    return true;
}

static void expect_no_orphans(const Model *model, const Observation *seen)
{
    size_t stored = 0;
    size_t leases = 0;
    size_t turns = 0;
    for (size_t i = 0; i < MESSAGES; i++) {
        const Observed *observed = &seen->messages[i];
        stored += observed->places;
        leases += observed->places > 0 && observed->status != 0;
        turns += observed->places > 0 && observed->status == LEASE_READY;
    }
    size_t tasks = 0;
    size_t running = 0;
    size_t sources = 0;
    for (int i = 0; i < QUEUES; i++) {
        tasks += seen->task_count[i];
        running += seen->task_count[i] > 0 && seen->tasks[i].status == MOVE_RUNNING;
        sources += model->letters[i] != NOBODY;
    }
    assert_int_equal(seen->keys[0], leases - turns + seen->sweeps + running);
    assert_int_equal(seen->keys[1], stored + leases + turns + tasks + QUEUES);
    assert_int_equal(seen->keys[2], sources);
    assert_int_equal(seen->keys[3], running);
}

/* ---- Driving ---- */

static Operation choose(Run *run)
{
    static const uint64_t times_ms[] = {0, 0, 0, 1000, 5000, 30000};
    static const uint64_t rates[] = {0, 0, 1, 7, 20, 500};
    uint64_t dice = chance(run, 100);
    Operation operation = {.run = run,
                           .kind = dice < 25   ? SEND
                                   : dice < 68 ? RECEIVE
                                   : dice < 78 ? DELETE
                                   : dice < 79 ? PURGE
                                   : dice < 92 ? START
                                   : dice < 95 ? CANCEL
                                               : REDIRECT,
                           .queue = (int)chance(run, QUEUES),
                           .other = NOBODY,
                           .milliseconds = times_ms[chance(run, 6)],
                           .rate = rates[chance(run, 6)],
                           .max = 1 + chance(run, 10),
                           .number = run->model.count};
    if (operation.kind == SEND && run->model.count == MESSAGES)
        operation.kind = RECEIVE;
    if (operation.kind == SEND && chance(run, 4) > 0)
        operation.queue = 0;
    if ((operation.kind == START || operation.kind == REDIRECT) && chance(run, 2) == 0)
        operation.other = (int)chance(run, QUEUES);
    if (operation.kind == REDIRECT && operation.other == operation.queue)
        operation.other = NOBODY;
    if (operation.kind == DELETE && run->model.receipt_count == 0)
        operation.kind = RECEIVE;
    if (operation.kind == DELETE) {
        size_t recent = run->model.receipt_count < 30 ? run->model.receipt_count : 30;
        operation.receipt = run->model.receipt_count - 1 - chance(run, recent);
        operation.queue = run->receipts[operation.receipt].queue;
    }
    if (operation.kind == CANCEL)
        operation.id = run->model.tasks[operation.queue].id;
    return operation;
}

static void check(Run *run, const Operation *operation)
{
    static Observation seen;
    world_settle(&run->world);
    assert_int_equal(world_read(&run->world, observe_body, &seen), OK);
    assert_true(follows(&run->model, &seen, operation, store_now(run->world.store)));
    expect_no_orphans(&run->model, &seen);
}

static void step_durably(Run *run)
{
    Operation operation = choose(run);
    probe_start(&run->world, &operation.probe, operation_body, NULL);
    world_settle(&run->world);
    assert_true(operation.probe.done);
    model_apply(run, &operation);
    check(run, &operation);
    arena_free(&operation.probe.arena);
}

static void pass(Run *run, uint64_t milliseconds)
{
    os_sim_advance_ms(run->world.os, milliseconds);
    check(run, &(Operation){.kind = NOTHING});
}

/* Some operations are executed but never synced, then power is lost: what remains is the state behind one of them, and
 * pages of tasks that were made since. */
static void step_into_power_loss(Run *run)
{
    static Model states[UNSYNCED + 1];
    static Operation operations[UNSYNCED];
    static Probe looks[UNSYNCED];
    static Observation seen;
    size_t count = 1 + chance(run, UNSYNCED);
    states[0] = run->model;
    for (size_t i = 0; i < count; i++) {
        operations[i] = choose(run);
        probe_start(&run->world, &operations[i].probe, operation_body, NULL);
        probe_start(&run->world, &looks[i], observe_body, &seen);
        while (store_step(run->world.store))
            ;
        model_apply(run, &operations[i]);
        assert_true(follows(&run->model, &seen, &operations[i], store_now(run->world.store)));
        states[i + 1] = run->model;
    }
    world_crash(&run->world, chance(run, 1 << 30));
    for (size_t i = 0; i < count; i++) {
        arena_free(&operations[i].probe.arena);
        arena_free(&looks[i].arena);
    }
    world_settle(&run->world);
    assert_int_equal(world_read(&run->world, observe_body, &seen), OK);
    for (size_t i = 0; i <= count; i++) {
        run->model = states[i];
        if (follows(&run->model, &seen, &(Operation){.kind = NOTHING}, store_now(run->world.store))) {
            expect_no_orphans(&run->model, &seen);
            return;
        }
    }
    fail_msg("what power loss left is no state that the queues passed through");
}

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
}

static Error create_body(Txn *txn, StoreCall *call)
{
    const Model *model = probe_argument(call);
    for (int i = 0; i < QUEUES; i++) {
        Queue queue;
        QueueSettings settings = {.visibility_ms = 30000,
                                  .retention_ms = model->retention_ms[i],
                                  .message_bytes = 1024,
                                  .max_receives = max_receives[i]};
        if (model->letters[i] != NOBODY)
            settings.dead_letter_queue = names[model->letters[i]];
        TRY(queue_create(txn, &actor, names[i], &settings, &queue));
    }
    return OK;
}

static void simulate(uint64_t seed)
{
    static Run run;
    run = (Run){.random = seed | 1, .world.prepare = prepare, .model.letters = {1, 2, NOBODY}};
    print_message("seed %llu\n", (unsigned long long)seed);
    world_open(&run.world, seed);
    for (int i = 0; i < QUEUES; i++)
        run.model.retention_ms[i] = 120000 + chance(&run, 3600000);
    assert_int_equal(world_write(&run.world, create_body, &run.model), OK);
    for (size_t i = 0; i < STEPS; i++) {
        uint64_t dice = chance(&run, 100);
        if (dice < 15)
            pass(&run, 1 + chance(&run, dice < 1 ? 400000 : 3000));
        else if (dice < 22)
            step_into_power_loss(&run);
        else
            step_durably(&run);
    }
    world_close(&run.world);
}

static void each_message_is_in_exactly_one_queue_whatever_the_seed(void **state)
{
    (void)state;
    seeds_run(simulate, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_message_is_in_exactly_one_queue_whatever_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

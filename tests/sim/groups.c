#include "groups.h"

#include "seeds.h"

uint64_t chance(Run *run, uint64_t below)
{
    return seeds_draw(&run->random, below);
}

/* ---- The model ---- */

bool is_expired(const Model *model, const ModelMessage *message, uint64_t now_ms)
{
    return message->sent_ms + model->settings.retention_ms <= now_ms;
}

bool is_visible(const ModelMessage *message, uint64_t now_ms)
{
    return message->exists && message->visible_ms <= now_ms;
}

ModelMessage *find_message(Model *model, const MessageId *id)
{
    for (size_t i = 0; i < model->count; i++)
        if (memcmp(&model->messages[i].id, id, sizeof *id) == 0)
            return &model->messages[i];
    return NULL;
}

static bool is_in_flight(const ModelMessage *message, uint64_t now_ms)
{
    return message->exists && message->receive_count > 0 && message->visible_ms > now_ms;
}

size_t room_in_flight(const Model *model, uint64_t now_ms)
{
    size_t in_flight = 0;
    for (size_t i = 0; i < model->count; i++)
        in_flight += is_in_flight(&model->messages[i], now_ms);
    return in_flight < IN_FLIGHT_LIMIT ? IN_FLIGHT_LIMIT - in_flight : 0;
}

ModelMessage *first_of_group(Model *model, unsigned group)
{
    for (size_t i = 0; i < model->count; i++)
        if (model->messages[i].exists && model->messages[i].group == group)
            return &model->messages[i];
    return NULL;
}

/* ---- After each step ---- */

static void forget(Model *model, uint64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < model->known_count; i++)
        if (forgotten_ms(&model->known[i]) > now_ms)
            model->known[kept++] = model->known[i];
    model->known_count = kept;
}

static void check(Run *run)
{
    static Observation seen;
    Model *model = &run->model;
    observe(run, &seen);
    uint64_t now_ms = store_now(run->world.store);
    assert_true(matches(model, &seen, now_ms));
    expect_no_orphans(run, &seen, now_ms);
    /* What the sweep took is gone for good, whatever the retention becomes. */
    for (size_t i = 0; i < model->count; i++)
        if (find_observed(&seen, &model->messages[i].id) == NULL)
            model->messages[i].exists = false;
    forget(model, now_ms);
    for (unsigned group = 0; group < GROUPS; group++)
        if (first_of_group(model, group) == NULL)
            model->busy_ms[group] = 0;
    run->step++;
    if (run->after_step != NULL)
        run->after_step(run);
}

/* ---- Operations in the store ---- */

static Slice number_text(Arena *arena, const char *kind, unsigned number)
{
    return arena_format(arena, "%s%u", kind, number);
}

static Message message_of(Txn *txn, const Operation *operation)
{
    Message message = {.body = SLICE("a body"), .sender = SLICE("someone")};
    if (operation->group != NO_GROUP)
        message.group = group_names[operation->group];
    if (operation->run->fifo)
        message.dedup_id = number_text(txn_arena(txn), "id", operation->id);
    return message;
}

static ReceiveRequest request_of(Txn *txn, const Operation *operation)
{
    ReceiveRequest request = {.max = operation->max,
                              .bytes_max = 1 << 20,
                              .in_flight_max = IN_FLIGHT_LIMIT,
                              .visibility_ms = operation->milliseconds};
    if (operation->run->fifo && operation->id < ATTEMPTS)
        request.attempt_id = number_text(txn_arena(txn), "attempt", operation->id);
    return request;
}

static QueueSettings new_settings(const Operation *operation, QueueSettings settings)
{
    if (operation->kind == RETAIN)
        settings.retention_ms = operation->milliseconds;
    else if (operation->kind == DELAY)
        settings.delay_ms = operation->milliseconds;
    else
        settings.dedup_per_group = !settings.dedup_per_group;
    return settings;
}

static Error run_operation(Txn *txn, StoreCall *call, Operation *operation)
{
    Run *run = operation->run;
    Queue queue;
    if (operation->kind == CREATE) {
        QueueSettings settings = {
            .fifo = run->fifo, .visibility_ms = 30000, .retention_ms = operation->milliseconds, .message_bytes = 1024};
        return queue_create(txn, &model_actor, MODEL_QUEUE, &settings, &queue);
    }
    TRY(queue_open(txn, &model_actor, MODEL_QUEUE, &queue));
    Message message = message_of(txn, operation);
    ReceiveRequest request = request_of(txn, operation);
    QueueSettings settings = new_settings(operation, queue.settings);
    Slice receipt = slice_of_string(run->receipts[operation->receipt].text);
    switch (operation->kind) {
    case SEND:
        return queue_send(txn, &queue, &message, run->fifo ? queue.settings.delay_ms : operation->milliseconds,
                          &operation->sent);
    case RECEIVE:
        return queue_receive(txn, &queue, &request, call->arena, &operation->received);
    case DELETE:
        return queue_delete(txn, &queue, receipt);
    case CHANGE:
        return queue_change_visibility(txn, &queue, receipt, operation->milliseconds);
    case PURGE:
        return queue_purge(txn, &queue);
    case DROP:
        return queue_drop(txn, &queue);
    default:
        return queue_change(txn, &queue, &settings);
    }
}

static Error operation_body(Txn *txn, StoreCall *call)
{
    Operation *operation = CONTAINER_OF(call, Operation, probe.call);
    operation->now_ms = txn_now(txn);
    return operation->error = run_operation(txn, call, operation);
}

/* ---- Operations in the model ---- */

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
    model->alive = true;
    model->deleted_ms = model->purged_ms = 0;
    model->count = 0;
    model->settings = (QueueSettings){.retention_ms = operation->milliseconds};
    model->era = ++run->eras;
    run->queue++;
}

static void model_drop(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    assert_int_equal(operation->error, OK);
    model->alive = false;
    model->count = 0;
    model->deleted_ms = operation->now_ms;
    model->era = ++run->eras;
}

/* The last record of that key, if it is known still. */
static ModelKnown *find_known(Model *model, const ModelKnown *like, uint64_t now_ms)
{
    ModelKnown *found = NULL;
    for (size_t i = 0; i < model->known_count; i++) {
        ModelKnown *known = &model->known[i];
        if (known->era == model->era && same_key(known, like) && now_ms < known->put_ms + QUEUE_DEDUP_MS)
            found = known;
    }
    return found;
}

static void add_known(Model *model, const ModelKnown *known)
{
    assert_true(model->known_count < KNOWN);
    model->known[model->known_count++] = *known;
}

static void model_send(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    assert_int_equal(operation->error, OK);
    uint64_t delay_ms = run->fifo ? model->settings.delay_ms : operation->milliseconds;
    ModelKnown known = {.era = model->era,
                        .per_group = model->settings.dedup_per_group,
                        .id = operation->id,
                        .group = operation->group,
                        .put_ms = operation->now_ms,
                        .sent = operation->sent};
    const ModelKnown *first = run->fifo ? find_known(model, &known, operation->now_ms) : NULL;
    if (first != NULL) {
        assert_memory_equal(&operation->sent.id, &first->sent.id, sizeof first->sent.id);
        assert_int_equal(operation->sent.sequence, first->sent.sequence);
        return;
    }
    if (run->fifo)
        add_known(model, &known);
    if (model->count > 0)
        assert_true(operation->sent.sequence > model->messages[model->count - 1].seq);
    model->messages[model->count++] = (ModelMessage){
        .exists = true,
        .id = operation->sent.id,
        .seq = operation->sent.sequence,
        .group = operation->group,
        .sent_ms = operation->now_ms,
        .visible_ms = delay_ms == 0 ? 0 : operation->now_ms + delay_ms,
        .last_receipt = -1,
    };
}

static void model_receive_one(Run *run, const Operation *operation, const ReceivedMessage *given)
{
    ModelMessage *message = find_message(&run->model, &given->id);
    assert_non_null(message);
    assert_true(is_visible(message, operation->now_ms));
    assert_false(is_expired(&run->model, message, operation->now_ms));
    assert_int_equal(given->sequence, message->seq);
    assert_int_equal(given->sent_ms, message->sent_ms);
    assert_int_equal(group_index(given->message.group), message->group);
    if (message->receive_count++ == 0)
        message->first_received_ms = operation->now_ms;
    assert_int_equal(given->receive_count, message->receive_count);
    assert_int_equal(given->first_received_ms, message->first_received_ms);
    message->received_ms = operation->now_ms;
    message->visible_ms = operation->now_ms + operation->milliseconds;
    if (message->group != NO_GROUP)
        run->model.busy_ms[message->group] += operation->milliseconds;
    assert_true(run->receipt_count < RECEIPTS);
    GivenReceipt *receipt = &run->receipts[run->receipt_count];
    assert_true(given->receipt.size < sizeof receipt->text);
    *receipt = (GivenReceipt){.message = given->id, .receive_count = given->receive_count, .queue = run->queue};
    memcpy(receipt->text, given->receipt.data, given->receipt.size);
    message->last_receipt = (int)run->receipt_count++;
}

static void remember_attempt(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    ModelKnown known = {.era = model->era, .attempt = true, .id = operation->id, .put_ms = operation->now_ms};
    for (size_t i = 0; i < operation->received.count; i++) {
        const ModelMessage *message = find_message(model, &operation->received.items[i].id);
        known.messages[known.count] = (size_t)(message - model->messages);
        known.receipts[known.count] = message->last_receipt;
        known.due_ms[known.count++] = message->visible_ms;
    }
    add_known(model, &known);
}

/* The same messages and receipts again, or a refusal when anything has happened to one of them. */
static void model_repeat(Run *run, const Operation *operation, const ModelKnown *attempt)
{
    Model *model = &run->model;
    uint64_t now_ms = operation->now_ms;
    bool unchanged = true;
    for (size_t i = 0; i < attempt->count; i++) {
        const ModelMessage *message = &model->messages[attempt->messages[i]];
        unchanged = unchanged && message->exists && message->last_receipt == attempt->receipts[i] &&
                    message->visible_ms == attempt->due_ms[i] && message->visible_ms > now_ms;
    }
    assert_int_equal(operation->error, unchanged ? OK : QUEUE_ATTEMPT_SPENT);
    if (!unchanged)
        return;
    assert_int_equal(operation->received.count, attempt->count);
    for (size_t i = 0; i < attempt->count; i++) {
        ModelMessage *message = &model->messages[attempt->messages[i]];
        const ReceivedMessage *given = &operation->received.items[i];
        assert_memory_equal(&given->id, &message->id, sizeof message->id);
        assert_true(slice_equal(given->receipt, slice_of_string(run->receipts[attempt->receipts[i]].text)));
        assert_int_equal(given->receive_count, message->receive_count);
        message->visible_ms = now_ms + operation->milliseconds;
    }
    remember_attempt(run, operation);
}

static void model_receive(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    bool attempt = run->fifo && operation->id < ATTEMPTS;
    const ModelKnown like = {.attempt = true, .id = operation->id};
    const ModelKnown *known = attempt ? find_known(model, &like, operation->now_ms) : NULL;
    if (known != NULL) {
        model_repeat(run, operation, known);
        return;
    }
    if (operation->error == QUEUE_IN_FLIGHT_LIMIT) {
        assert_true(!run->fifo && room_in_flight(model, operation->now_ms) == 0);
        return;
    }
    assert_int_equal(operation->error, OK);
    for (size_t i = 0; i < operation->received.count; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(&operation->received.items[i].id, &operation->received.items[k].id,
                                    sizeof(MessageId));
    run->check_receive(run, operation);
    for (size_t i = 0; i < operation->received.count; i++)
        model_receive_one(run, operation, &operation->received.items[i]);
    if (attempt && operation->received.count > 0)
        remember_attempt(run, operation);
}

/* A receipt whose receive was lost with the power holds the message until it is received again. */
static bool holds(const Operation *operation, const GivenReceipt *receipt, const ModelMessage *message)
{
    return message->last_receipt == (int)operation->receipt || receipt->receive_count > message->receive_count;
}

static void model_delete(Run *run, const Operation *operation)
{
    const GivenReceipt *receipt = &run->receipts[operation->receipt];
    ModelMessage *message = find_message(&run->model, &receipt->message);
    if (receipt->queue != run->queue) {
        assert_int_equal(operation->error, QUEUE_RECEIPT_INVALID);
        return;
    }
    bool there = message != NULL && message->exists;
    bool good = there && holds(operation, receipt, message) && (!run->fifo || is_in_flight(message, operation->now_ms));
    assert_int_equal(operation->error, !there || good || !run->fifo ? OK : QUEUE_RECEIPT_EXPIRED);
    if (good)
        message->exists = false;
}

static void model_change(Run *run, const Operation *operation)
{
    const GivenReceipt *receipt = &run->receipts[operation->receipt];
    ModelMessage *message = find_message(&run->model, &receipt->message);
    uint64_t now_ms = operation->now_ms;
    Error expected = OK;
    if (receipt->queue != run->queue)
        expected = QUEUE_RECEIPT_INVALID;
    else if (message == NULL || !message->exists)
        expected = QUEUE_MESSAGE_GONE;
    else if (!is_in_flight(message, now_ms))
        expected = QUEUE_MESSAGE_NOT_IN_FLIGHT;
    else if ((now_ms - message->received_ms) / 1000 * 1000 + operation->milliseconds > QUEUE_IN_FLIGHT_MAX_MS)
        expected = QUEUE_VISIBILITY_TOO_LONG;
    assert_int_equal(operation->error, expected);
    if (expected != OK)
        return;
    message->visible_ms = now_ms + operation->milliseconds;
    if (message->group != NO_GROUP)
        run->model.busy_ms[message->group] += operation->milliseconds;
}

static void model_purge(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    bool resting = model->purged_ms != 0 && operation->now_ms < model->purged_ms + QUEUE_PURGE_REST_MS;
    assert_int_equal(operation->error, resting ? QUEUE_PURGE_IN_PROGRESS : OK);
    if (resting)
        return;
    model->purged_ms = operation->now_ms;
    model->era = ++run->eras;
    for (size_t i = 0; i < model->count; i++)
        model->messages[i].exists = false;
}

static void model_settings(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    assert_int_equal(operation->error, OK);
    model->settings = new_settings(operation, model->settings);
    for (size_t i = 0; i < model->count && operation->kind == DELAY && run->fifo; i++) {
        ModelMessage *message = &model->messages[i];
        if (message->exists && message->receive_count == 0 && message->visible_ms > operation->now_ms)
            message->visible_ms = message->sent_ms + operation->milliseconds;
    }
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
        model_drop(run, operation);
        return;
    default:
        model_settings(run, operation);
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
           : dice < 930 ? CHANGE
           : dice < 950 ? PURGE
           : dice < 965 ? RETAIN
           : dice < 975 ? DELAY
           : dice < 985 ? SCOPE
           : dice < 990 ? DROP
                        : CREATE;
}

static void operation_choose(Run *run, Operation *operation)
{
    static const uint64_t long_times_ms[] = {0, 0, 1000, 5000, 30000, 120000, 900000, 12 * 3600000};
    static const uint64_t short_times_ms[] = {0, 0, 500, 1000, 2000, 5000, 30000, 900000};
    const uint64_t *times_ms = run->fifo ? long_times_ms : short_times_ms;
    static const uint64_t delays_ms[] = {0, 0, 0, 5000, 60000};
    *operation = (Operation){.run = run, .kind = choose_kind(run), .max = 1 + chance(run, GIVEN)};
    operation->milliseconds = times_ms[chance(run, 8)];
    if (operation->kind == SEND)
        operation->milliseconds = chance(run, 3) > 0 ? 0 : times_ms[chance(run, 7)];
    if (operation->kind == DELAY)
        operation->milliseconds = delays_ms[chance(run, 5)];
    if (operation->kind == CREATE || operation->kind == RETAIN)
        operation->milliseconds = 60000 + chance(run, 600000);
    if (run->receipt_count == 0 && (operation->kind == DELETE || operation->kind == CHANGE))
        operation->kind = RECEIVE;
    operation->group = (unsigned)chance(run, run->fifo ? GROUPS : GROUPS + 1);
    if (!run->fifo && chance(run, 2) == 0)
        operation->group = 0; /* one that may become noisy */
    operation->id = (unsigned)chance(run, operation->kind == SEND ? IDS : 2 * ATTEMPTS);
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
        /* What a new delay or retention does, its job has done only after the next look. */
        if (operations[i].kind == DELAY || operations[i].kind == RETAIN)
            count = i + 1;
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

static void prepare_store(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
}

void simulate(Run *run, uint64_t seed, size_t steps)
{
    run->random = seed | 1;
    run->world.prepare = prepare_store;
    print_message("seed %llu\n", (unsigned long long)seed);
    world_open(&run->world, seed);
    for (size_t i = 0; i < steps; i++) {
        uint64_t dice = chance(run, 100);
        if (dice < 18)
            os_sim_advance_ms(run->world.os, 1 + chance(run, dice < 3 ? 400000 : 9000));
        else if (dice < 23)
            step_into_power_loss(run);
        else
            step_durably(run);
        check(run);
    }
    world_close(&run->world);
}

void simulate_all(void (*prepare)(Run *run), size_t rounds, size_t steps)
{
    static Run run;
    const char *asked = getenv("BRUME_SIM_ROUNDS");
    const char *seed = getenv("BRUME_SIM_SEED");
    rounds = seed != NULL ? 0 : asked != NULL ? strtoull(asked, NULL, 10) : rounds;
    for (size_t i = 0; i <= rounds; i++) {
        run = (Run){0};
        prepare(&run);
        uint64_t last = seed != NULL ? strtoull(seed, NULL, 10) : os_wall_us(os_linux());
        simulate(&run, i < rounds ? i * 7919 + 1 : last, steps);
    }
}

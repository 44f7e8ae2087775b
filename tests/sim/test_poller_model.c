/* Pollers over a standard and a FIFO queue with a dead-letter queue each, whose function answers as a seed decides: success,
 * failure, some records alone, nonsense, a throttle, or nothing until the message is visible again; with restarts after a
 * loss of power. Against the shortest model that could be right: a message that was acknowledged is given to the
 * function, in the order of its group; it is never gone but after an answer that said so, or it is a dead letter. */
#include "../unit/poller_fixture.h"

#include <stdio.h>

enum { MESSAGES = 150, GROUPS = 4, STEPS = 600, MAX_RECEIVES = 4, SEEDS = 40 };

typedef struct ModelMessage {
    bool given;    /* to the function, once at least */
    bool accepted; /* an answer said that it was processed, and may have come in time */
} ModelMessage;

typedef struct Model {
    Stage *stage;
    uint64_t random;
    bool fifo;
    ModelMessage messages[MESSAGES];
    unsigned sent;
    int last_given[GROUPS]; /* of a first give: the highest number of each group */
} Model;

static uint64_t chance(Model *model, uint64_t below)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return model->random % below;
}

/* ---- The world ---- */

static Error queues_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Queue queue;
    bool fifo = slice_ends_with(stage->queue, SLICE(".fifo"));
    QueueSettings settings = {.visibility_ms = 10 * SECOND,
                              .retention_ms = 1000000 * SECOND,
                              .message_bytes = 1048576,
                              .fifo = fifo,
                              .dedup_by_content = fifo};
    Slice letters = fifo ? SLICE("letters.fifo") : SLICE("letters");
    TRY(queue_create(txn, &stage_actor, letters, &settings, &queue));
    settings.dead_letter_queue = letters;
    settings.max_receives = MAX_RECEIVES;
    return queue_create(txn, &stage_actor, stage->queue, &settings, &queue);
}

static void open_world(Model *model, uint64_t seed, bool fifo)
{
    Stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage->world.prepare = stage_prepare;
    world_open(&stage->world, seed);
    stage->limits = account_limits_open(&limits_default);
    stage_start(stage);
    stage_write(stage, stage_function_body);
    stage_pass(stage, SECOND);
    stage->queue = fifo ? SLICE("jobs.fifo") : SLICE("jobs");
    stage_write(stage, queues_body);
    stage->mapping = (Mapping){
        .account = stage_actor.account,
        .region = stage_actor.region,
        .source = MAPPING_QUEUE,
        .source_arn = stage->queue,
        .source_name = stage->queue,
        .function = SLICE("worker"),
        .enabled = true,
        .batch_size = 1 + seed % 5,
        .reports_failures = true,
    };
    stage_map(stage);
    *model = (Model){.stage = stage, .random = seed * 7919 + 1, .fifo = fifo};
    for (int group = 0; group < GROUPS; group++)
        model->last_given[group] = -1;
}

static void restart(Model *model)
{
    Stage *stage = model->stage;
    Pollers *gone = stage->pollers;
    pollers_stop(gone);
    world_crash(&stage->world, chance(model, 1000000));
    pollers_close(gone);
    stage_answer_all(stage, "null"); /* the process that ran them is gone: nobody hears it */
    stage_start(stage);
}

/* ---- What the function is given, and answers ---- */

/* The numbers and ids of an invocation's messages. */
typedef struct Given {
    unsigned numbers[16];
    Slice ids[16];
    size_t count;
} Given;

static Given read_given(Slice payload)
{
    Given given = {0};
    static const char id[] = "\"messageId\":\"";
    static const char body[] = "\"body\":\"";
    for (const char *at; (at = memmem(payload.data, payload.size, id, sizeof id - 1)) != NULL;) {
        assert_true(given.count < 16);
        given.ids[given.count] = slice_make(at + sizeof id - 1, 36);
        payload = slice_skip(payload, (size_t)(at - payload.data) + sizeof id);
        at = memmem(payload.data, payload.size, body, sizeof body - 1);
        unsigned number = 0;
        for (const char *digit = at + sizeof body - 1; *digit >= '0' && *digit <= '9'; digit++)
            number = number * 10 + (unsigned)(*digit - '0');
        given.numbers[given.count++] = number;
    }
    return given;
}

/* A group's messages are given for the first time in their order, but for those that went to the dead letters unseen. */
static void see_given(Model *model, const Given *given)
{
    for (size_t i = 0; i < given->count; i++) {
        unsigned number = given->numbers[i];
        assert_true(number < model->sent);
        if (model->fifo && !model->messages[number].given) {
            assert_true((int)number > model->last_given[number % GROUPS]);
            model->last_given[number % GROUPS] = (int)number;
        }
        model->messages[number].given = true;
    }
}

static void answer_one(Model *model)
{
    Stage *stage = model->stage;
    char text[128] = "null";
    if (stage->held_count == 0)
        return;
    size_t index = chance(model, stage->held_count);
    Given given = read_given(stage->held[index]->payload);
    see_given(model, &given);
    uint64_t kind = chance(model, 10);
    size_t failed = chance(model, given.count);
    if (kind == 0) {
        stage_throttle(stage, index);
        return;
    }
    if (kind < 3) {
        stage_fail(stage, index);
        return;
    }
    if (kind == 3) {
        stage_answer(stage, index, "{\"batchItemFailures\":[{\"itemIdentifier\":\"\"}]}");
        return;
    }
    if (kind < 6)
        snprintf(text, sizeof text, "{\"batchItemFailures\":[{\"itemIdentifier\":\"%.*s\"}]}",
                 SLICE_PRINT(given.ids[failed]));
    for (size_t i = 0; i < given.count; i++)
        model->messages[given.numbers[i]].accepted |= kind >= 6 || i != failed;
    stage_answer(stage, index, text);
}

/* ---- What is left ---- */

typedef struct Left {
    bool there[MESSAGES];
    Model *model;
    Slice queue;
} Left;

static Error look_body(Txn *txn, StoreCall *call)
{
    Left *left = probe_argument(call);
    Queue queue;
    ReceivedMessages received;
    TRY(queue_open(txn, &stage_actor, left->queue, &queue));
    const ReceiveRequest request = {
        .max = 10, .bytes_max = 1000000, .in_flight_max = 100000, .visibility_ms = 100000 * SECOND};
    do {
        TRY(queue_receive(txn, &queue, &request, txn_arena(txn), &received));
        for (size_t i = 0; i < received.count; i++)
            left->there[atoi(arena_string(txn_arena(txn), received.items[i].message.body))] = true;
        for (size_t i = 0; i < received.count; i++)
            TRY(queue_delete(txn, &queue, received.items[i].receipt));
    } while (received.count > 0);
    return OK;
}

static Error stop_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Mapping mapping;
    TRY(mapping_get(txn, stage_actor.account, stage_actor.region, slice_of_string(stage->uuid), &mapping));
    mapping.enabled = false;
    return mapping_change(txn, &mapping);
}

static void expect_nothing_lost(Model *model)
{
    Stage *stage = model->stage;
    Left left = {.model = model, .queue = stage->queue};
    stage_write(stage, stop_body);
    stage_pass(stage, SECOND);
    while (stage->held_count > 0)
        stage_fail(stage, 0);
    stage_pass(stage, 100 * SECOND);
    assert_int_equal(world_write(&stage->world, look_body, &left), OK);
    left.queue = model->fifo ? SLICE("letters.fifo") : SLICE("letters");
    assert_int_equal(world_write(&stage->world, look_body, &left), OK);
    for (unsigned i = 0; i < model->sent; i++) {
        if (left.there[i] || model->messages[i].accepted)
            continue;
        print_error("message %u is lost\n", i);
        assert_true(left.there[i]);
    }
}

static void close_world(Model *model)
{
    void *stage = model->stage;
    stage_close(&stage);
}

static void run_seed(uint64_t seed, bool fifo)
{
    Model model;
    open_world(&model, seed, fifo);
    print_message("seed %ju, %s\n", (uintmax_t)seed, fifo ? "fifo" : "standard");
    for (int step = 0; step < STEPS; step++) {
        uint64_t kind = chance(&model, 20);
        char body[16];
        char group[16];
        if (kind < 7 && model.sent < MESSAGES) {
            snprintf(body, sizeof body, "%u", model.sent);
            snprintf(group, sizeof group, "g%u", model.sent % GROUPS);
            model.sent++;
            stage_send(model.stage, fifo ? group : NULL, body);
        } else if (kind < 16) {
            answer_one(&model);
        } else if (kind < 19) {
            stage_pass(model.stage, chance(&model, 4000));
        } else if (chance(&model, 8) == 0) {
            restart(&model);
        }
    }
    expect_nothing_lost(&model);
    close_world(&model);
}

static void no_message_is_lost_and_groups_are_in_order(void **state)
{
    (void)state;
    const char *rounds = getenv("BRUME_SIM_ROUNDS");
    const char *seed = getenv("BRUME_SIM_SEED");
    uint64_t first = seed == NULL ? 1 : strtoull(seed, NULL, 10);
    for (uint64_t i = 0; i < (rounds == NULL ? SEEDS : strtoull(rounds, NULL, 10)); i++) {
        run_seed(first + i, false);
        run_seed(first + i, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_message_is_lost_and_groups_are_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

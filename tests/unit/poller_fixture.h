/* poller_fixture.h: pollers over a stepped store, with an invoker whose answers the test gives. */
#ifndef BRUME_TESTS_UNIT_POLLER_FIXTURE_H
#define BRUME_TESTS_UNIT_POLLER_FIXTURE_H

#include "aws/sqs/events.h"
#include "core/poller.h"
#include "function_fixture.h"

enum { HELD_MAX = 2048, SECOND = 1000 };

typedef struct Stage {
    World world;
    Invoker invoker;
    AccountLimits *limits;
    Pollers *pollers;
    Invocation *held[HELD_MAX]; /* that have not been answered */
    size_t held_count;
    size_t invoked; /* in all */
    /* For the next mapping that is made. */
    Mapping mapping;
    char uuid[64];
    /* For the next message. */
    Slice body;
    Slice group;
    /* What came of it. */
    QueueCounts counts;
    Slice queue;
    Arena arena;
} Stage;

static const Actor stage_actor = {.account = SLICE_INIT("123456789012"), .region = SLICE_INIT("us-east-1")};

static inline void stage_invoke(Invoker *invoker, Invocation *invocation)
{
    Stage *stage = CONTAINER_OF(invoker, Stage, invoker);
    assert_true(stage->held_count < HELD_MAX);
    stage->held[stage->held_count++] = invocation;
    stage->invoked++;
}

static const InvokerOperations stage_operations = {.invoke = stage_invoke};

static inline void stage_prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
    store_on_timer(store, TIMER_FUNCTION, function_timer);
    store_on_timer(store, TIMER_MAPPING, mapping_timer);
}

static inline void stage_start(Stage *stage)
{
    static const PollerDialect dialect = {.add_message = sqs_add_event_record};
    const PollersOptions options = {
        .store = stage->world.store,
        .invoker = &stage->invoker,
        .mailbox = &stage->world.mailbox,
        .os = stage->world.os,
        .limits = stage->limits,
        .dialect = &dialect,
    };
    stage->invoker.operations = &stage_operations;
    stage->pollers = pollers_open(&options);
    world_settle(&stage->world);
}

static inline void stage_pass(Stage *stage, uint64_t milliseconds)
{
    os_sim_advance_ms(stage->world.os, milliseconds);
    world_settle(&stage->world);
}

static inline void stage_write(Stage *stage, TxnBody body)
{
    assert_int_equal(world_write(&stage->world, body, stage), OK);
    world_settle(&stage->world);
}

/* ---- What is there ---- */

static inline Error stage_queue_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Queue queue;
    QueueSettings settings = {.visibility_ms = 30 * SECOND,
                              .retention_ms = 3600 * SECOND,
                              .message_bytes = 1048576,
                              .fifo = slice_ends_with(stage->queue, SLICE(".fifo")),
                              .dedup_by_content = true};
    return queue_create(txn, &stage_actor, stage->queue, &settings, &queue);
}

static inline Error stage_function_body(Txn *txn, StoreCall *call)
{
    (void)call;
    made_function(txn, SLICE("worker"));
    return OK;
}

static inline void stage_make_queue(Stage *stage, const char *name)
{
    stage->queue = slice_of_string(name);
    stage_write(stage, stage_queue_body);
    stage->mapping = (Mapping){
        .account = stage_actor.account,
        .region = stage_actor.region,
        .source = MAPPING_QUEUE,
        .source_arn = arena_format(&stage->arena, "arn:aws:sqs:us-east-1:123456789012:%s", name),
        .source_name = stage->queue,
        .function = SLICE("worker"),
        .enabled = true,
        .batch_size = 10,
    };
}

static inline int stage_open(void **state)
{
    Stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage->world.prepare = stage_prepare;
    world_open(&stage->world, 5);
    stage->limits = account_limits_open(&limits_default);
    stage_start(stage);
    stage_write(stage, stage_function_body);
    stage_pass(stage, SECOND);
    stage_make_queue(stage, "jobs");
    *state = stage;
    return 0;
}

static inline void stage_answer_all(Stage *stage, const char *result);

static inline int stage_close(void **state)
{
    Stage *stage = *state;
    pollers_stop(stage->pollers);
    stage_answer_all(stage, "null");
    world_close(&stage->world);
    pollers_close(stage->pollers);
    account_limits_close(stage->limits);
    arena_free(&stage->arena);
    free(stage);
    return 0;
}

static inline Error stage_mapping_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    TRY(mapping_create(txn, &stage->mapping));
    memcpy(stage->uuid, stage->mapping.uuid.data, stage->mapping.uuid.size);
    stage->mapping.uuid = slice_make(stage->uuid, stage->mapping.uuid.size);
    return OK;
}

/* Made, and enabled. */
static inline void stage_map(Stage *stage)
{
    stage_write(stage, stage_mapping_body);
    stage_pass(stage, SECOND);
}

static inline Error stage_send_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Queue queue;
    QueueSent sent;
    TRY(queue_open(txn, &stage_actor, stage->queue, &queue));
    Message message = {.body = stage->body, .sender = SLICE("AIDA"), .group = stage->group, .content_id = stage->body};
    return queue_send(txn, &queue, &message, 0, &sent);
}

static inline void stage_send(Stage *stage, const char *group, const char *body)
{
    stage->body = slice_of_string(body);
    stage->group = group == NULL ? (Slice){0} : slice_of_string(group);
    stage_write(stage, stage_send_body);
}

static inline Error stage_count_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &stage_actor, stage->queue, &queue));
    return queue_count(txn, &queue, &stage->counts);
}

/* How many messages can be seen, and how many are in flight. */
static inline void expect_messages(Stage *stage, uint64_t visible, uint64_t in_flight)
{
    assert_int_equal(world_read(&stage->world, stage_count_body, stage), OK);
    assert_int_equal(stage->counts.visible, visible);
    assert_int_equal(stage->counts.in_flight, in_flight);
}

/* ---- What the function does ---- */

static inline Invocation *stage_take(Stage *stage, size_t index)
{
    assert_true(index < stage->held_count);
    Invocation *invocation = stage->held[index];
    memmove(&stage->held[index], &stage->held[index + 1], (--stage->held_count - index) * sizeof stage->held[0]);
    return invocation;
}

static inline void stage_answer(Stage *stage, size_t index, const char *result)
{
    Invocation *invocation = stage_take(stage, index);
    invocation->result = slice_of_string(result);
    invocation->done(invocation);
    world_settle(&stage->world);
}

static inline void stage_answer_all(Stage *stage, const char *result)
{
    while (stage->held_count > 0)
        stage_answer(stage, 0, result);
}

static inline void stage_fail(Stage *stage, size_t index)
{
    Invocation *invocation = stage_take(stage, index);
    invocation->failed = true;
    invocation->result = SLICE("{\"errorMessage\":\"no\"}");
    invocation->done(invocation);
    world_settle(&stage->world);
}

static inline void stage_throttle(Stage *stage, size_t index)
{
    Invocation *invocation = stage_take(stage, index);
    invocation->refusal = INVOKE_FUNCTION_CONCURRENCY;
    invocation->done(invocation);
    world_settle(&stage->world);
}

/* The bodies of an invocation's records, "a b c"; the arena's. */
static inline const char *stage_bodies(Stage *stage, size_t index)
{
    assert_true(index < stage->held_count);
    Buffer text = buffer_make(&stage->arena);
    Slice rest = stage->held[index]->payload;
    static const char start[] = "\"body\":\"";
    for (const char *at; (at = memmem(rest.data, rest.size, start, sizeof start - 1)) != NULL;) {
        rest = slice_skip(rest, (size_t)(at - rest.data) + sizeof start - 1);
        if (text.size > 0)
            buffer_add_byte(&text, ' ');
        buffer_add(&text, slice_make(rest.data, slice_find(rest, '"')));
    }
    return arena_string(&stage->arena, buffer_slice(&text));
}

#endif

/* The promises of event.h and event_runner.h: every event has one outcome, each attempt comes at its time, whoever is killed
 * goes on, and nobody starves. The invoker is the test's: what an event's payload says, it does. */
#include "aws/lambda/destinations.h"
#include "base/list.h"
#include "core/event_config.h"
#include "core/event_runner.h"
#include "core/trace.h"
#include "function_fixture.h"

#include <stdio.h>

enum { RUNS_MAX = 4096, MEGABYTE = 1048576 };

/* ---- An invoker that does what it is told ---- */

typedef struct Attempt {
    uint64_t at_ms;
    char name[16];
    char version[16];
    char id[40];
} Attempt;

typedef struct Stage {
    World world;
    Invoker invoker;
    EventRunner *runner;
    Attempt runs[RUNS_MAX];
    size_t run_count;
    Invocation *parked[RUNS_MAX];
    size_t parked_count;
} Stage;

static void answer(Invocation *invocation, const char *result, bool failed)
{
    invocation->result = slice_of_string(result);
    invocation->failed = failed;
    invocation->done(invocation);
}

static void invoke(Invoker *invoker, Invocation *invocation)
{
    Stage *stage = CONTAINER_OF(invoker, Stage, invoker);
    Slice payload = invocation->payload;
    Attempt *run = &stage->runs[stage->run_count++ % RUNS_MAX];
    run->at_ms = store_now(stage->world.store);
    snprintf(run->name, sizeof run->name, "%.*s", SLICE_PRINT(invocation->spec->name));
    snprintf(run->version, sizeof run->version, "%.*s", SLICE_PRINT(invocation->spec->version));
    snprintf(run->id, sizeof run->id, "%.*s", SLICE_PRINT(invocation->request_id));
    if (slice_equal(payload, SLICE("\"fail\""))) {
        answer(invocation, "{\"errorType\":\"E\",\"errorMessage\":\"no\"}", true);
    } else if (slice_equal(payload, SLICE("\"throttle\""))) {
        invocation->refusal = INVOKE_FUNCTION_CONCURRENCY;
        invocation->done(invocation);
    } else if (slice_equal(payload, SLICE("\"break\""))) {
        invocation->refusal = INVOKE_FAILED;
        invocation->done(invocation);
    } else if (slice_starts_with(payload, SLICE("\"park"))) {
        assert_true(stage->parked_count < RUNS_MAX);
        stage->parked[stage->parked_count++] = invocation;
    } else {
        answer(invocation, "{\"good\":true}", false);
    }
}

static const InvokerOperations operations = {.invoke = invoke};

/* ---- The world ---- */

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
    store_on_timer(store, TIMER_FUNCTION, function_timer);
    store_on_timer(store, TIMER_EVENT, event_timer);
}

static void start(Stage *stage)
{
    stage->invoker.operations = &operations;
    stage->runner = event_runner_open(&(EventRunnerOptions){
        .os = stage->world.os,
        .store = stage->world.store,
        .invoker = &stage->invoker,
        .mailbox = &stage->world.mailbox,
        .dialect = &lambda_event_dialect,
        .limits = &limits_default,
    });
    world_settle(&stage->world);
}

static Slice queue_arn(void)
{
    return SLICE("arn:aws:sqs:us-east-1:123456789012:out");
}

static Error make_queue(Txn *txn, StoreCall *call)
{
    (void)call;
    const Actor actor = {.account = ACCOUNT, .region = REGION};
    const QueueSettings settings = {.visibility_ms = 30000, .retention_ms = 345600000, .message_bytes = MEGABYTE};
    Queue queue;
    return queue_create(txn, &actor, SLICE("out"), &settings, &queue);
}

static Error drop_queue(Txn *txn, StoreCall *call)
{
    (void)call;
    const Actor actor = {.account = ACCOUNT, .region = REGION};
    Queue queue;
    TRY(queue_open(txn, &actor, SLICE("out"), &queue));
    return queue_drop(txn, &queue);
}

static Error make_functions(Txn *txn, StoreCall *call)
{
    (void)call;
    made_function(txn, SLICE("f"));
    made_function(txn, SLICE("g"));
    return OK;
}

static int open_stage(void **state)
{
    Stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage->world.prepare = prepare;
    stage->world.directory = "/data"; /* of a disk that may be full */
    world_open(&stage->world, 7);
    assert_int_equal(world_write(&stage->world, make_functions, NULL), OK);
    assert_int_equal(world_write(&stage->world, make_queue, NULL), OK);
    os_sim_advance_ms(stage->world.os, 1000);
    world_settle(&stage->world);
    start(stage);
    *state = stage;
    return 0;
}

static int close_stage(void **state)
{
    Stage *stage = *state;
    world_close(&stage->world);
    event_runner_close(stage->runner);
    free(stage);
    return 0;
}

/* ---- Steps ---- */

static Error send_body(Txn *txn, StoreCall *call)
{
    return event_send(txn, probe_argument(call));
}

static Error send(Stage *stage, FunctionEvent event)
{
    event.account = ACCOUNT;
    event.region = REGION;
    if (event.name.data == NULL)
        event.name = SLICE("f");
    if (event.request_id.data == NULL)
        event.request_id = SLICE("11111111-2222-4333-8444-555555555555");
    Error error = world_write(&stage->world, send_body, &event);
    world_settle(&stage->world);
    return error;
}

#define SEND(stage, ...) assert_int_equal(send(stage, (FunctionEvent){__VA_ARGS__}), OK)

static void advance(Stage *stage, uint64_t ms)
{
    os_sim_advance_ms(stage->world.os, ms);
    world_settle(&stage->world);
}

static Error configure_body(Txn *txn, StoreCall *call)
{
    Function function = opened_function(txn, SLICE("f"));
    EventConfig config = *(EventConfig *)probe_argument(call);
    config.qualifier = SLICE("$LATEST");
    return event_config_put(txn, &function, &config);
}

static void configure(Stage *stage, EventConfig config)
{
    assert_int_equal(world_write(&stage->world, configure_body, &config), OK);
}

static Error dead_letter_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("f"));
    FunctionVersion latest;
    TRY(function_version_get(txn, &function, SLICE("$LATEST"), &latest));
    latest.dead_letter_arn = queue_arn();
    return function_latest_put(txn, &function, &latest, CODE_LIMIT);
}

/* What has come to the queue, and is taken out of it. */
typedef struct Mail {
    size_t count;
    char bodies[16][1024];
    char errors[16][64]; /* the attribute ErrorMessage */
    char traces[16][256];
} Mail;

static Error receive_body(Txn *txn, StoreCall *call)
{
    Mail *mail = probe_argument(call);
    const Actor actor = {.account = ACCOUNT, .region = REGION};
    const ReceiveRequest request = {.max = 10, .bytes_max = MEGABYTE, .in_flight_max = 1000, .visibility_ms = 86400000};
    Queue queue;
    ReceivedMessages received;
    *mail = (Mail){0};
    TRY(queue_open(txn, &actor, SLICE("out"), &queue));
    TRY(queue_receive(txn, &queue, &request, call->arena, &received));
    mail->count = received.count;
    for (size_t i = 0; i < received.count; i++) {
        const Message *message = &received.items[i].message;
        snprintf(mail->bodies[i], sizeof mail->bodies[i], "%.*s", SLICE_PRINT(message->body));
        snprintf(mail->traces[i], sizeof mail->traces[i], "%.*s", SLICE_PRINT(message->trace));
        for (size_t j = 0; j < message->attribute_count; j++)
            if (slice_equal(message->attributes[j].name, SLICE("ErrorMessage")))
                snprintf(mail->errors[i], sizeof mail->errors[i], "%.*s", SLICE_PRINT(message->attributes[j].value));
    }
    return OK;
}

static Mail receive(Stage *stage)
{
    Mail mail;
    assert_int_equal(world_write(&stage->world, receive_body, &mail), OK);
    return mail;
}

static void assert_says(const char *body, const char *text)
{
    if (strstr(body, text) == NULL)
        fail_msg("%s is not in %s", text, body);
}

/* Nothing is left of any event: neither keys nor marks. */
static Error nothing_body(Txn *txn, StoreCall *call)
{
    (void)call;
    const Buffer prefixes[] = {key_start(txn_arena(txn), SLICE(""), SLICE(""), KIND_EVENT_READY),
                               key_start(txn_arena(txn), ACCOUNT, REGION, KIND_EVENT)};
    for (size_t i = 0; i < 2; i++) {
        Slice key;
        Slice value;
        KeyRange range = key_range_of_prefix(txn_arena(txn), buffer_slice(&prefixes[i]));
        Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
        assert_int_equal(cursor_next(cursor, &key, &value), OK);
        assert_null(key.data);
        cursor_close(cursor);
    }
    return OK;
}

static void assert_nothing_is_left(Stage *stage)
{
    EventRunnerStats stats;
    assert_int_equal(world_read(&stage->world, nothing_body, NULL), OK);
    event_runner_stats(stage->runner, &stats);
    assert_int_equal(stats.held, 0);
}

static EventRunnerStats stats_of(Stage *stage)
{
    EventRunnerStats stats;
    event_runner_stats(stage->runner, &stats);
    return stats;
}

/* ---- Ends ---- */

static void a_processed_event_is_told_of_once_and_gone(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_success = queue_arn()});
    SEND(stage, .payload = SLICE("{\"a\":1}"));
    assert_int_equal(stage->run_count, 1);
    Mail mail = receive(stage);
    assert_int_equal(mail.count, 1);
    assert_says(mail.bodies[0], "\"requestId\":\"11111111-2222-4333-8444-555555555555\"");
    assert_says(mail.bodies[0], "\"functionArn\":\"arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST\"");
    assert_says(mail.bodies[0], "\"condition\":\"Success\",\"approximateInvokeCount\":1");
    assert_says(mail.bodies[0], "\"requestPayload\":{\"a\":1}");
    assert_says(mail.bodies[0], "\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"$LATEST\"}");
    assert_says(mail.bodies[0], "\"responsePayload\":{\"good\":true}");
    assert_says(mail.traces[0], ":1");
    assert_nothing_is_left(stage);
}

static void a_failed_event_is_tried_after_one_minute_and_two_more(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_failure = queue_arn()});
    SEND(stage, .payload = SLICE("\"fail\""));
    uint64_t first_ms = stage->runs[0].at_ms;
    for (int i = 0; i < 200; i++)
        advance(stage, 1000);
    assert_int_equal(stage->run_count, 3);
    assert_int_equal(stage->runs[1].at_ms - first_ms, 60000);
    assert_int_equal(stage->runs[2].at_ms - first_ms, 180000);
    assert_string_equal(stage->runs[0].id, stage->runs[2].id);
    Mail mail = receive(stage);
    assert_int_equal(mail.count, 1);
    assert_says(mail.bodies[0], "\"condition\":\"RetriesExhausted\",\"approximateInvokeCount\":3");
    assert_says(mail.bodies[0], "\"functionError\":\"Unhandled\"");
    assert_says(mail.bodies[0], "\"responsePayload\":{\"errorType\":\"E\",\"errorMessage\":\"no\"}");
    assert_nothing_is_left(stage);
}

static void retries_are_as_many_as_were_asked_for(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.has_retries = true, .retries = 0, .on_failure = queue_arn()});
    assert_int_equal(world_write(&stage->world, dead_letter_body, NULL), OK);
    SEND(stage, .payload = SLICE("\"fail\""));
    assert_int_equal(stage->run_count, 1);
    /* Both are told: the dead-letter queue of the event, the destination of how it ended. */
    Mail mail = receive(stage);
    assert_int_equal(mail.count, 2);
    assert_string_equal(mail.bodies[0], "\"fail\"");
    assert_string_equal(mail.errors[0], "no");
    assert_says(mail.bodies[1], "\"approximateInvokeCount\":1");
    assert_nothing_is_left(stage);
    assert_int_equal(stats_of(stage).dead_letters, 1);
    assert_int_equal(stats_of(stage).records, 1);
}

static void what_is_throttled_backs_off_until_it_is_too_old(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.has_age = true, .age_s = 60, .on_failure = queue_arn()});
    SEND(stage, .payload = SLICE("\"throttle\""));
    for (int i = 0; i < 59; i++)
        advance(stage, 1000);
    const uint64_t pauses[] = {1000, 3000, 7000, 15000, 31000};
    assert_int_equal(stage->run_count, 6);
    for (size_t i = 0; i < 5; i++)
        assert_in_range(stage->runs[i + 1].at_ms - stage->runs[0].at_ms, pauses[i], pauses[i] + 1000);
    assert_int_equal(receive(stage).count, 0);
    advance(stage, 1000);
    advance(stage, 1000);
    Mail mail = receive(stage);
    assert_int_equal(mail.count, 1);
    assert_says(mail.bodies[0], "\"condition\":\"EventAgeExceeded\",\"approximateInvokeCount\":0");
    assert_int_equal(stage->run_count, 6);
    assert_nothing_is_left(stage);
}

static void what_could_not_be_started_is_tried_again_a_second_later(void **state)
{
    Stage *stage = *state;
    SEND(stage, .payload = SLICE("\"break\""));
    assert_int_equal(stage->run_count, 1);
    advance(stage, 999);
    assert_int_equal(stage->run_count, 1);
    advance(stage, 1);
    assert_int_equal(stage->run_count, 2);
    assert_int_equal(stats_of(stage).retried, 2);
}

static Error reserve_nothing(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("f"));
    return function_reserve(txn, &function, true, 0, 1000);
}

static void a_function_that_may_not_run_gives_its_events_up_at_once(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_failure = queue_arn()});
    assert_int_equal(world_write(&stage->world, reserve_nothing, NULL), OK);
    SEND(stage, .payload = SLICE("1"));
    assert_int_equal(stage->run_count, 0);
    Mail mail = receive(stage);
    assert_int_equal(mail.count, 1);
    assert_says(mail.bodies[0], "\"condition\":\"ZeroReservedConcurrency\"");
    assert_nothing_is_left(stage);
}

static void a_loop_ends_in_the_dead_letter_queue(void **state)
{
    Stage *stage = *state;
    const uint64_t random[3] = {1, 2, 3};
    Arena arena = arena_make();
    Trace trace = trace_continue(&arena, (Slice){0}, ACCOUNT, REGION, SLICE("f"), 0, random);
    assert_int_equal(world_write(&stage->world, dead_letter_body, NULL), OK);
    while (trace.passes < TRACE_PASSES_MAX)
        trace = trace_continue(&arena, trace.header, ACCOUNT, REGION, SLICE("f"), 0, random);
    SEND(stage, .payload = SLICE("1"), .trace = trace.header);
    assert_int_equal(stage->run_count, 0);
    Mail mail = receive(stage);
    assert_int_equal(mail.count, 1);
    assert_string_equal(mail.bodies[0], "1");
    assert_says(mail.errors[0], "recursive loop");
    assert_nothing_is_left(stage);
    arena_free(&arena);
}

/* ---- Destinations ---- */

static void a_function_is_told_as_an_event(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_success = SLICE("arn:aws:lambda:us-east-1:123456789012:function:g")});
    SEND(stage, .payload = SLICE("1"));
    assert_int_equal(stage->run_count, 2);
    assert_string_equal(stage->runs[1].name, "g");
    assert_string_not_equal(stage->runs[1].id, stage->runs[0].id);
    assert_nothing_is_left(stage);
}

static void what_cannot_be_delivered_waits_and_the_function_does_not_run_again(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_success = queue_arn()});
    assert_int_equal(world_write(&stage->world, drop_queue, NULL), OK);
    SEND(stage, .payload = SLICE("1"));
    advance(stage, 61000);
    world_crash(&stage->world, 3);
    event_runner_close(stage->runner);
    start(stage);
    assert_int_equal(world_write(&stage->world, make_queue, NULL), OK);
    advance(stage, 64000);
    Mail mail = receive(stage);
    assert_int_equal(mail.count, 1);
    assert_says(mail.bodies[0], "\"condition\":\"Success\"");
    assert_int_equal(stage->run_count, 1);
    assert_nothing_is_left(stage);
}

static void a_delivery_is_given_up_after_six_hours(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_success = queue_arn()});
    assert_int_equal(world_write(&stage->world, drop_queue, NULL), OK);
    SEND(stage, .payload = SLICE("1"));
    for (int i = 0; i < 6 * 60 + 6; i++)
        advance(stage, 60000);
    assert_int_equal(stats_of(stage).undeliverable, 1);
    assert_true(stats_of(stage).destination_failures > 50);
    assert_nothing_is_left(stage);
}

/* ---- Kills ---- */

static void what_ran_when_the_server_was_killed_runs_again_and_ends_once(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_success = queue_arn()});
    SEND(stage, .payload = SLICE("\"park\""));
    assert_int_equal(stage->parked_count, 1);
    world_crash(&stage->world, 5);
    event_runner_close(stage->runner);
    stage->parked_count = 0;
    start(stage);
    assert_int_equal(stage->run_count, 2);
    assert_string_equal(stage->runs[0].id, stage->runs[1].id);
    assert_int_equal(stage->parked_count, 1);
    answer(stage->parked[0], "{}", false);
    world_settle(&stage->world);
    assert_int_equal(receive(stage).count, 1);
    assert_nothing_is_left(stage);
}

static void a_retry_that_fell_due_while_nobody_was_there_is_made(void **state)
{
    Stage *stage = *state;
    SEND(stage, .payload = SLICE("\"fail\""));
    world_crash(&stage->world, 5);
    event_runner_close(stage->runner);
    os_sim_advance_ms(stage->world.os, 3600000);
    start(stage);
    assert_int_equal(stage->run_count, 2);
}

static void kill_server(Stage *stage, uint64_t seed)
{
    world_crash(&stage->world, seed);
    event_runner_close(stage->runner);
    stage->parked_count = 0;
    start(stage);
}

/* Whatever is under way when the server is killed, and however often: each event that was accepted has one end. */
static void every_event_ends_once_whatever_is_killed(void **state)
{
    enum { STEPS = 400 };
    Stage *stage = *state;
    static const char *const payloads[] = {"1", "\"fail\"", "\"park\"", "\"break\""};
    uint64_t random = 88172645463325252u; /* xorshift64 (Marsaglia, "Xorshift RNGs") */
    size_t sent = 0;
    size_t told = 0;
    configure(stage, (EventConfig){.on_success = queue_arn(), .on_failure = queue_arn()});
    for (int step = 0; step < STEPS; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        switch (random % 8) {
        case 0:
            kill_server(stage, random);
            break;
        case 1:
            advance(stage, random / 8 % 90000);
            break;
        case 2:
            for (; stage->parked_count > 0; world_settle(&stage->world))
                answer(stage->parked[--stage->parked_count], "{}", random / 8 % 2 == 0);
            break;
        default:
            SEND(stage, .payload = slice_of_string(payloads[random / 8 % 4]));
            sent++;
        }
    }
    /* What cannot be started is too old in the end. */
    for (int i = 0; i < 7 * 60; i++) {
        for (; stage->parked_count > 0; world_settle(&stage->world))
            answer(stage->parked[--stage->parked_count], "{}", false);
        advance(stage, 60000);
    }
    for (Mail mail = receive(stage); mail.count > 0; mail = receive(stage))
        told += mail.count;
    assert_int_equal(told, sent);
    assert_nothing_is_left(stage);
}

static Error make_many(Txn *txn, StoreCall *call)
{
    (void)call;
    for (unsigned i = 0; i < 120; i++)
        made_function(txn, arena_format(txn_arena(txn), "many-%03u", i));
    return OK;
}

static void the_events_of_many_functions_are_found_at_the_start(void **state)
{
    Stage *stage = *state;
    char name[16];
    assert_int_equal(world_write(&stage->world, make_many, NULL), OK);
    advance(stage, 1000);
    for (unsigned i = 0; i < 120; i++) {
        snprintf(name, sizeof name, "many-%03u", i);
        SEND(stage, .name = slice_of_string(name), .payload = SLICE("\"park\""));
    }
    assert_int_equal(stage->parked_count, 120);
    kill_server(stage, 9);
    assert_int_equal(stage->parked_count, 120);
    for (size_t i = 0; i < 120; i++)
        answer(stage->parked[i], "{}", false);
    world_settle(&stage->world);
    assert_nothing_is_left(stage);
}

static void an_end_that_the_disk_has_no_place_for_waits(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_success = queue_arn()});
    SEND(stage, .payload = SLICE("\"park\""));
    os_sim_set_disk_free(stage->world.os, limits_default.value[LIMIT_STORE_RESERVE_BYTES] - 1);
    os_sim_advance_ms(stage->world.os, 200);
    answer(stage->parked[0], "{}", false);
    world_settle(&stage->world);
    advance(stage, 3000);
    os_sim_set_disk_free(stage->world.os, 1ull << 40);
    os_sim_advance_ms(stage->world.os, 200);
    assert_int_equal(receive(stage).count, 0);
    advance(stage, 1000);
    assert_int_equal(receive(stage).count, 1);
    assert_int_equal(stage->run_count, 1);
    assert_nothing_is_left(stage);
}

/* ---- Many ---- */

static void one_function_does_not_keep_the_others_waiting(void **state)
{
    Stage *stage = *state;
    for (int i = 0; i < 300; i++)
        SEND(stage, .payload = SLICE("\"park\""));
    size_t at_a_time = limits_default.value[LIMIT_LAMBDA_EVENT_EXECUTIONS];
    assert_int_equal(stage->parked_count, 4);
    for (int i = 0; i < 10; i++)
        advance(stage, 500); /* they take long: more of them run */
    assert_int_equal(stage->parked_count, at_a_time);
    SEND(stage, .name = SLICE("g"), .payload = SLICE("1"));
    assert_string_equal(stage->runs[stage->run_count - 1].name, "g");
    for (size_t i = 0; i < stage->parked_count; i++) {
        answer(stage->parked[i], "{}", false);
        world_settle(&stage->world);
    }
    assert_int_equal(stage->parked_count, 300);
    assert_nothing_is_left(stage);
    assert_int_equal(stats_of(stage).succeeded, 301);
}

static void quick_events_do_not_become_more_at_a_time(void **state)
{
    Stage *stage = *state;
    SEND(stage, .payload = SLICE("\"park\"")); /* so that the line lives on */
    for (int i = 0; i < 1100; i++)
        SEND(stage, .payload = SLICE("1"));
    for (int i = 0; i < 10; i++)
        SEND(stage, .payload = SLICE("\"park\""));
    assert_int_equal(stage->parked_count, 4);
}

static void large_events_take_a_bounded_part_of_memory(void **state)
{
    Stage *stage = *state;
    char *text = malloc(MEGABYTE);
    assert_non_null(text);
    memset(text, 'x', MEGABYTE);
    memcpy(text, "\"park", 5);
    text[MEGABYTE - 1] = '"';
    for (int i = 0; i < 80; i++)
        SEND(stage, .payload = slice_make(text, MEGABYTE));
    assert_in_range(stats_of(stage).held, 1, 34); /* half of what there is, and one */
    SEND(stage, .name = SLICE("g"), .payload = slice_make(text, MEGABYTE));
    assert_string_equal(stage->runs[stage->run_count - 1].name, "g");
    for (size_t i = 0; i < stage->parked_count; i++) {
        answer(stage->parked[i], "{}", false);
        world_settle(&stage->world);
    }
    assert_int_equal(stage->parked_count, 81);
    assert_nothing_is_left(stage);
    free(text);
}

/* One that ends at once, and more that do not than may run at a time, in one transaction. */
static Error send_hanging_body(Txn *txn, StoreCall *call)
{
    (void)call;
    FunctionEvent event = {.account = ACCOUNT, .region = REGION, .name = SLICE("f"), .payload = SLICE("1")};
    event.request_id = SLICE("11111111-2222-4333-8444-555555555555");
    TRY(event_send(txn, &event));
    event.payload = SLICE("\"park\"");
    for (int i = 0; i < 30; i++)
        TRY(event_send(txn, &event));
    return OK;
}

static void an_end_waits_a_moment_for_others_and_no_longer(void **state)
{
    Stage *stage = *state;
    configure(stage, (EventConfig){.on_success = queue_arn()});
    assert_int_equal(world_write(&stage->world, send_hanging_body, NULL), OK);
    world_settle(&stage->world);
    assert_int_equal(stage->run_count, 5);
    assert_int_equal(receive(stage).count, 0);
    advance(stage, 4);
    assert_int_equal(receive(stage).count, 1);
    for (size_t i = 0; i < stage->parked_count; i++)
        answer(stage->parked[i], "{}", false);
    advance(stage, 4);
    assert_nothing_is_left(stage);
}

/* ---- Functions that go, and what is refused ---- */

static void an_event_sees_what_changed_before_it_was_accepted(void **state)
{
    Stage *stage = *state;
    SEND(stage, .payload = SLICE("\"park\"")); /* so that the line lives on */
    assert_int_equal(world_write(&stage->world, reserve_nothing, NULL), OK);
    SEND(stage, .payload = SLICE("1")); /* in the same moment */
    assert_int_equal(stage->run_count, 1);
    assert_int_equal(stats_of(stage).failed, 1);
}

static Error delete_function(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("f"));
    return function_delete(txn, &function);
}

static Error make_again(Txn *txn, StoreCall *call)
{
    (void)call;
    made_function(txn, SLICE("f"));
    return OK;
}

static void events_of_a_deleted_function_are_dropped(void **state)
{
    Stage *stage = *state;
    SEND(stage, .payload = SLICE("\"fail\""));
    assert_int_equal(world_write(&stage->world, delete_function, NULL), OK);
    assert_int_equal(world_write(&stage->world, make_again, NULL), OK);
    advance(stage, 61000);
    assert_int_equal(stage->run_count, 1); /* the new one of its name has nothing to do with it */
    assert_int_equal(stats_of(stage).dropped, 1);
    assert_nothing_is_left(stage);
}

static void an_event_that_could_never_run_is_refused(void **state)
{
    Stage *stage = *state;
    char *text = calloc(1, MEGABYTE + 1);
    assert_non_null(text);
    Slice one = SLICE("1");
    assert_int_equal(send(stage, (FunctionEvent){.name = SLICE("none"), .payload = one}), FUNCTION_NOT_FOUND);
    assert_int_equal(send(stage, (FunctionEvent){.qualifier = SLICE("7"), .payload = one}), FUNCTION_VERSION_NOT_FOUND);
    assert_int_equal(send(stage, (FunctionEvent){.qualifier = SLICE("live"), .payload = one}),
                     FUNCTION_ALIAS_NOT_FOUND);
    assert_int_equal(send(stage, (FunctionEvent){.tenant_id = SLICE("blue"), .payload = one}), FUNCTION_TENANT_UNKNOWN);
    assert_int_equal(send(stage, (FunctionEvent){.payload = slice_make(text, MEGABYTE + 1)}), EVENT_TOO_LARGE);
    assert_nothing_is_left(stage);
    free(text);
}

static Error make_alias_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("f"));
    publish_version(txn, &function);
    publish_version(txn, &function);
    FunctionAlias alias = {.name = SLICE("live"),
                           .version = SLICE("1"),
                           .description = SLICE(""),
                           .route_version = SLICE("2"),
                           .route_weight = 0.5};
    return function_alias_create(txn, &function, &alias);
}

static void an_alias_chooses_anew_for_each_event(void **state)
{
    Stage *stage = *state;
    size_t second = 0;
    assert_int_equal(world_write(&stage->world, make_alias_body, NULL), OK);
    advance(stage, 1000);
    for (int i = 0; i < 100; i++)
        SEND(stage, .qualifier = SLICE("live"), .payload = SLICE("1"));
    for (size_t i = 0; i < stage->run_count; i++)
        second += strcmp(stage->runs[i].version, "2") == 0;
    assert_int_equal(stage->run_count, 100);
    assert_in_range(second, 20, 80);
}

static Error count_body(Txn *txn, StoreCall *call)
{
    EventCount *count = probe_argument(call);
    Function function = opened_function(txn, SLICE("f"));
    return event_count(txn, &function, count);
}

static void what_waits_is_counted(void **state)
{
    Stage *stage = *state;
    EventCount count;
    uint64_t first_ms = store_now(stage->world.store);
    for (int i = 0; i < 3; i++) {
        SEND(stage, .payload = SLICE("\"fail\""));
        advance(stage, 1000);
    }
    assert_int_equal(world_read(&stage->world, count_body, &count), OK);
    assert_int_equal(count.events, 3);
    assert_int_equal(count.oldest_ms, first_ms);
    assert_false(count.more);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_processed_event_is_told_of_once_and_gone),
        TEST(a_failed_event_is_tried_after_one_minute_and_two_more),
        TEST(retries_are_as_many_as_were_asked_for),
        TEST(what_is_throttled_backs_off_until_it_is_too_old),
        TEST(what_could_not_be_started_is_tried_again_a_second_later),
        TEST(a_function_that_may_not_run_gives_its_events_up_at_once),
        TEST(a_loop_ends_in_the_dead_letter_queue),
        TEST(a_function_is_told_as_an_event),
        TEST(what_cannot_be_delivered_waits_and_the_function_does_not_run_again),
        TEST(a_delivery_is_given_up_after_six_hours),
        TEST(what_ran_when_the_server_was_killed_runs_again_and_ends_once),
        TEST(a_retry_that_fell_due_while_nobody_was_there_is_made),
        TEST(every_event_ends_once_whatever_is_killed),
        TEST(the_events_of_many_functions_are_found_at_the_start),
        TEST(an_end_that_the_disk_has_no_place_for_waits),
        TEST(one_function_does_not_keep_the_others_waiting),
        TEST(quick_events_do_not_become_more_at_a_time),
        TEST(large_events_take_a_bounded_part_of_memory),
        TEST(an_end_waits_a_moment_for_others_and_no_longer),
        TEST(an_event_sees_what_changed_before_it_was_accepted),
        TEST(events_of_a_deleted_function_are_dropped),
        TEST(an_event_that_could_never_run_is_refused),
        TEST(an_alias_chooses_anew_for_each_event),
        TEST(what_waits_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

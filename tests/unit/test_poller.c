/* The promises of core/poller.h, with a function whose answers the test gives, and a clock that it moves. */
#include "poller_fixture.h"

#include <stdio.h>

/* ---- Batches ---- */

static void a_message_is_deleted_when_its_batch_has_succeeded(void **state)
{
    Stage *stage = *state;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    assert_int_equal(stage->held_count, 1);
    assert_string_equal(stage_bodies(stage, 0), "a");
    expect_messages(stage, 0, 1);
    stage_answer(stage, 0, "\"whatever\"");
    expect_messages(stage, 0, 0);
    stage_pass(stage, 60 * SECOND);
    assert_int_equal(stage->invoked, 1);
}

static void a_failed_batch_comes_back_when_it_is_visible_again_and_not_before(void **state)
{
    Stage *stage = *state;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_fail(stage, 0);
    stage_pass(stage, 29 * SECOND);
    assert_int_equal(stage->invoked, 1);
    expect_messages(stage, 0, 1);
    stage_pass(stage, 2 * SECOND);
    assert_int_equal(stage->invoked, 2);
    assert_non_null(strstr(arena_string(&stage->arena, stage->held[0]->payload), "\"ApproximateReceiveCount\":\"2\""));
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 0);
}

static void a_batch_has_as_many_records_as_it_may(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 2;
    for (int i = 0; i < 5; i++)
        stage_send(stage, NULL, "a");
    stage_map(stage);
    assert_int_equal(stage->held_count, 3);
    assert_string_equal(stage_bodies(stage, 0), "a a");
    assert_string_equal(stage_bodies(stage, 2), "a");
    stage_answer_all(stage, "null");
    expect_messages(stage, 0, 0);
}

static void a_window_gathers_records_until_it_ends(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 3;
    stage->mapping.window_ms = 10 * SECOND;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_pass(stage, 5 * SECOND);
    stage_send(stage, NULL, "b");
    assert_int_equal(stage->invoked, 0);
    expect_messages(stage, 0, 2);
    stage_pass(stage, 6 * SECOND);
    assert_int_equal(stage->invoked, 1);
    assert_string_equal(stage_bodies(stage, 0), "a b");
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 0);
}

static void a_full_batch_does_not_wait_for_its_window(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 3;
    stage->mapping.window_ms = 10 * SECOND;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_send(stage, NULL, "b");
    stage_send(stage, NULL, "c");
    assert_int_equal(stage->invoked, 1);
    assert_string_equal(stage_bodies(stage, 0), "a b c");
}

static void no_document_passes_what_an_invocation_may_carry(void **state)
{
    Stage *stage = *state;
    enum { SIZE = 700000, MESSAGES = 12 };
    char *body = malloc(SIZE + 1);
    memset(body, '"', SIZE); /* twice as long in JSON */
    body[SIZE] = '\0';
    stage->mapping.batch_size = 100;
    stage->mapping.window_ms = 10 * SECOND;
    for (int i = 0; i < MESSAGES; i++)
        stage_send(stage, NULL, body);
    stage_map(stage);
    stage_pass(stage, 11 * SECOND);
    assert_true(stage->invoked >= 3);
    for (size_t i = 0; i < stage->held_count; i++) {
        assert_true(stage->held[i]->payload.size <= limits_default.value[LIMIT_LAMBDA_REQUEST_BYTES]);
        assert_true(stage->held[i]->payload.size > SIZE * 2);
    }
    free(body);
}

static void thousands_of_records_are_one_batch(void **state)
{
    Stage *stage = *state;
    enum { MESSAGES = 2500 };
    stage->mapping.batch_size = 10000;
    stage->mapping.window_ms = 10 * SECOND;
    for (int i = 0; i < MESSAGES; i++)
        stage_send(stage, NULL, "a");
    stage_map(stage);
    stage_pass(stage, 11 * SECOND);
    assert_int_equal(stage->invoked, 1);
    assert_int_equal(strlen(stage_bodies(stage, 0)), MESSAGES * 2 - 1);
    stage_answer(stage, 0, "{}");
    expect_messages(stage, 0, 0);
}

/* ---- Answers ---- */

/* `answer` has "%s" where the first message's id stands. */
static void expect_left(Stage *stage, const char *answer, uint64_t left)
{
    stage_send(stage, NULL, "a");
    stage_send(stage, NULL, "b");
    stage_pass(stage, 0);
    /* Two messages, in one batch or two: the first's is the one that is answered. */
    Slice payload = stage->held[0]->payload;
    const char *id = memmem(payload.data, payload.size, "\"messageId\":\"", 13);
    assert_non_null(id);
    char text[512];
    snprintf(text, sizeof text, answer, 36, id + 13, 36, id + 13);
    stage_answer(stage, 0, text);
    assert_int_equal(world_read(&stage->world, stage_count_body, stage), OK);
    if (stage->counts.in_flight != left)
        print_error("%s\n", text);
    assert_int_equal(stage->counts.in_flight, left);
    stage_pass(stage, 31 * SECOND);
    stage_pass(stage, 11 * SECOND); /* a window for one alone */
    stage_answer_all(stage, "");
    expect_messages(stage, 0, 0);
}

static void answers_say_which_records_have_failed(void **state)
{
    Stage *stage = *state;
    static const struct {
        const char *answer;
        uint64_t left; /* of two */
    } rows[] = {
        {"", 0},
        {"null", 0},
        {"\"\"", 0},
        {"{}", 0},
        {"{\"batchItemFailures\":null}", 0},
        {"{\"batchItemFailures\":[]}", 0},
        {"{\"other\":[1]}", 0},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"%.*s\"}]}", 1},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"%.*s\",\"more\":1}],\"more\":[]}", 1},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"%.*s\"},{\"itemIdentifier\":\"%.*s\"}]}", 2},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"\"}]}", 2},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":null}]}", 2},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":7}]}", 2},
        {"{\"batchItemFailures\":[{\"identifier\":\"%.*s\"}]}", 2},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"unknown\"}]}", 2},
        {"{\"batchItemFailures\":[{\"itemIdentifier\":\"%.*s\"},{\"itemIdentifier\":\"unknown\"}]}", 2},
        {"{\"batchItemFailures\":[null]}", 2},
        {"{\"batchItemFailures\":{}}", 2},
        {"{\"batchItemFailures\":", 2},
        {"[]", 2},
        {"7", 2},
        {"\"failed\"", 2},
    };
    stage->mapping.reports_failures = true;
    stage->mapping.batch_size = 2;
    stage->mapping.window_ms = 10 * SECOND;
    stage_map(stage);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_left(stage, rows[i].answer, rows[i].left);
}

/* ---- Filters ---- */

static void records_that_no_filter_matches_are_dropped_unseen(void **state)
{
    Stage *stage = *state;
    Slice filters[] = {SLICE("{\"body\":{\"kind\":[\"a\"]}}"),
                       SLICE("{\"body\":{\"size\":[{\"numeric\":[\">\",5]}]}}")};
    stage->mapping.filters = filters;
    stage->mapping.filter_count = 2;
    stage_send(stage, NULL, "{\"kind\":\"a\"}");
    stage_send(stage, NULL, "{\"kind\":\"b\"}");
    stage_send(stage, NULL, "{\"size\":9}");
    stage_send(stage, NULL, "a");
    stage_map(stage);
    assert_int_equal(stage->invoked, 1);
    expect_messages(stage, 0, 4);
    assert_null(memmem(stage->held[0]->payload.data, stage->held[0]->payload.size, "\\\"b\\\"", 5));
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 0);
    stage_send(stage, NULL, "{\"kind\":\"b\"}"); /* alone: no function is run for it */
    assert_int_equal(stage->invoked, 1);
    expect_messages(stage, 0, 0);
}

static void a_text_is_filtered_as_text(void **state)
{
    Stage *stage = *state;
    Slice filters[] = {SLICE("{\"body\":[{\"prefix\":\"yes\"}]}")};
    stage->mapping.filters = filters;
    stage->mapping.filter_count = 1;
    stage_send(stage, NULL, "yes 1");
    stage_send(stage, NULL, "no");
    stage_send(stage, NULL, "{\"yes\":1}");
    stage_map(stage);
    assert_string_equal(stage_bodies(stage, 0), "yes 1");
    stage_fail(stage, 0);
    expect_messages(stage, 0, 1); /* what was dropped does not come back with what failed */
}

static char *repeated(Stage *stage, const char *begin, const char *part, size_t times, const char *end)
{
    Buffer text = buffer_make(&stage->arena);
    buffer_add(&text, slice_of_string(begin));
    for (size_t i = 0; i < times; i++)
        buffer_add(&text, slice_of_string(part));
    buffer_add(&text, slice_of_string(end));
    return arena_string(&stage->arena, buffer_slice(&text));
}

/* Filters that take long with a record are left to the workers, and decide all the same. */
static void a_filter_that_takes_long_decides(void **state)
{
    Stage *stage = *state;
    Slice filters[] = {slice_of_string(
        repeated(stage, "{\"body\":{\"a\":[", "{\"wildcard\":\"*b\"},", 200, "{\"wildcard\":\"*b\"}]}}"))};
    stage->mapping.filters = filters;
    stage->mapping.filter_count = 1;
    stage_send(stage, NULL, repeated(stage, "{\"a\":[", "1,\"x\",", 20000, "\"b\"]}"));
    stage_send(stage, NULL, repeated(stage, "{\"a\":[", "\"x\",", 20000, "\"c\"]}"));
    stage_map(stage);
    assert_int_equal(stage->invoked, 1);
    assert_null(memmem(stage->held[0]->payload.data, stage->held[0]->payload.size, "\\\"c\\\"", 5));
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 0);
}

/* Of a record that would keep filters busy for longer than any may, nobody knows whether it is wanted. */
static void a_record_that_filters_take_too_long_with_is_neither_dropped_nor_run(void **state)
{
    Stage *stage = *state;
    Slice filters[] = {slice_of_string(
        repeated(stage, "{\"body\":{\"a\":[", "{\"wildcard\":\"*b\"},", 200, "{\"wildcard\":\"*b\"}]}}"))};
    stage->mapping.filters = filters;
    stage->mapping.filter_count = 1;
    stage_send(stage, NULL, repeated(stage, "{\"a\":[", "\"x\",", 200000, "\"b\"]}"));
    stage_send(stage, NULL, "{\"a\":[\"b\"]}");
    stage_map(stage);
    assert_int_equal(stage->invoked, 1);
    assert_true(stage->held[0]->payload.size < 2000);
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 1);
    stage_pass(stage, 31 * SECOND); /* its source has it again */
    assert_int_equal(stage->invoked, 1);
    expect_messages(stage, 0, 1);
}

/* ---- FIFO ---- */

static void one_batch_of_a_group_runs_at_a_time(void **state)
{
    Stage *stage = *state;
    stage_make_queue(stage, "jobs.fifo");
    stage->mapping.batch_size = 1;
    stage_send(stage, "x", "x1");
    stage_send(stage, "x", "x2");
    stage_send(stage, "y", "y1");
    stage_send(stage, "y", "y2");
    stage_map(stage);
    assert_int_equal(stage->held_count, 2);
    assert_string_equal(stage_bodies(stage, 0), "x1");
    assert_string_equal(stage_bodies(stage, 1), "y1");
    stage_answer(stage, 1, "null");
    assert_int_equal(stage->held_count, 2);
    assert_string_equal(stage_bodies(stage, 1), "y2");
    stage_fail(stage, 0); /* x1 comes back before x2 */
    stage_answer(stage, 0, "null");
    assert_int_equal(stage->held_count, 0);
    stage_pass(stage, 31 * SECOND);
    assert_string_equal(stage_bodies(stage, 0), "x1");
    stage_answer(stage, 0, "null");
    assert_string_equal(stage_bodies(stage, 0), "x2");
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 0);
}

static void a_message_that_others_may_have_is_not_deleted_from_under_them(void **state)
{
    Stage *stage = *state;
    stage_make_queue(stage, "jobs.fifo");
    stage_send(stage, "x", "x1");
    stage_map(stage);
    stage_pass(stage, 31 * SECOND); /* it hangs past the visibility timeout */
    assert_int_equal(stage->held_count, 2);
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 1);
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 0);
}

/* ---- How many at a time ---- */

static void no_more_batches_run_than_the_mapping_may_have(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 1;
    stage->mapping.concurrency = 2;
    for (int i = 0; i < 6; i++)
        stage_send(stage, NULL, "a");
    stage_map(stage);
    assert_int_equal(stage->held_count, 2);
    stage_pass(stage, 20 * SECOND);
    assert_int_equal(stage->held_count, 2);
    expect_messages(stage, 4, 2);
    stage_answer(stage, 0, "null");
    assert_int_equal(stage->held_count, 2);
    while (stage->held_count > 0)
        stage_answer(stage, 0, "null");
    assert_int_equal(stage->invoked, 6);
}

static void five_batches_are_followed_by_more_while_there_is_more(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 1;
    for (int i = 0; i < 60; i++)
        stage_send(stage, NULL, "a");
    stage_map(stage);
    assert_int_equal(stage->held_count, 5);
    stage_pass(stage, 1100);
    stage_answer(stage, 0, "null");
    stage_answer(stage, 0, "null");
    assert_true(stage->held_count > 5 && stage->held_count <= 10);
    stage_pass(stage, 1100);
    stage_answer(stage, 0, "null");
    stage_answer(stage, 0, "null");
    assert_true(stage->held_count > 10 && stage->held_count <= 15);
}

static void provisioned_pollers_begin_with_what_they_may(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 1;
    stage->mapping.pollers_min = stage->mapping.pollers_max = 3;
    for (int i = 0; i < 60; i++)
        stage_send(stage, NULL, "a");
    stage_map(stage);
    assert_int_equal(stage->held_count, 30);
}

static void fewer_batches_run_after_failures(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 1;
    for (int i = 0; i < 20; i++)
        stage_send(stage, NULL, "a");
    stage_map(stage);
    assert_int_equal(stage->held_count, 5);
    for (int i = 0; i < 4; i++)
        stage_fail(stage, 0);
    assert_int_equal(stage->held_count, 1);
}

static void reported_failures_do_not_slow_it_down(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 1;
    stage->mapping.reports_failures = true;
    for (int i = 0; i < 20; i++)
        stage_send(stage, NULL, "a");
    stage_map(stage);
    for (int i = 0; i < 4; i++)
        stage_answer(stage, 0, "7");
    assert_int_equal(stage->held_count, 5);
}

static void a_throttled_batch_is_tried_again_until_others_may_have_it(void **state)
{
    Stage *stage = *state;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    for (int i = 0; i < 3; i++) {
        stage_throttle(stage, 0);
        assert_int_equal(stage->held_count, 0);
        stage_pass(stage, 500);
        assert_int_equal(stage->held_count, 1);
        assert_non_null(
            strstr(arena_string(&stage->arena, stage->held[0]->payload), "\"ApproximateReceiveCount\":\"1\""));
    }
    stage_throttle(stage, 0);
    stage_pass(stage, 31 * SECOND);
    assert_int_equal(stage->held_count, 1);
    assert_non_null(strstr(arena_string(&stage->arena, stage->held[0]->payload), "\"ApproximateReceiveCount\":\"2\""));
}

/* ---- Mappings that change ---- */

static Error disable_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Mapping mapping;
    TRY(mapping_get(txn, stage_actor.account, stage_actor.region, slice_of_string(stage->uuid), &mapping));
    mapping.enabled = !mapping.enabled;
    return mapping_change(txn, &mapping);
}

static Error delete_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Mapping mapping;
    TRY(mapping_get(txn, stage_actor.account, stage_actor.region, slice_of_string(stage->uuid), &mapping));
    return mapping_delete(txn, &mapping);
}

static Error resize_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Mapping mapping;
    TRY(mapping_get(txn, stage_actor.account, stage_actor.region, slice_of_string(stage->uuid), &mapping));
    mapping.batch_size = 1;
    return mapping_change(txn, &mapping);
}

static void a_disabled_mapping_takes_nothing(void **state)
{
    Stage *stage = *state;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_write(stage, disable_body);
    stage_send(stage, NULL, "b");
    assert_int_equal(stage->held_count, 1);
    stage_answer(stage, 0, "null"); /* what it had is settled all the same */
    expect_messages(stage, 1, 0);
    stage_pass(stage, SECOND);
    stage_write(stage, disable_body);
    stage_pass(stage, SECOND);
    assert_string_equal(stage_bodies(stage, 0), "b");
}

static void a_deleted_mapping_settles_what_it_had(void **state)
{
    Stage *stage = *state;
    PollersStats stats;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_write(stage, delete_body);
    stage_pass(stage, SECOND);
    stage_send(stage, NULL, "b");
    stage_answer(stage, 0, "null");
    expect_messages(stage, 1, 0);
    pollers_stats(stage->pollers, &stats);
    assert_int_equal(stats.pollers, 0);
    assert_int_equal(stats.records, 1);
}

static void another_batch_size_holds_from_the_next_batch_on(void **state)
{
    Stage *stage = *state;
    stage_map(stage);
    stage_write(stage, resize_body);
    stage_pass(stage, SECOND);
    stage_write(stage, disable_body);
    stage_pass(stage, SECOND);
    stage_send(stage, NULL, "a");
    stage_send(stage, NULL, "b");
    stage_write(stage, disable_body);
    stage_pass(stage, SECOND);
    assert_int_equal(stage->held_count, 2);
    assert_string_equal(stage_bodies(stage, 0), "a");
}

static Error delete_function_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("worker"));
    return function_delete(txn, &function);
}

static Error problem_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Mapping mapping;
    TRY(mapping_get(txn, stage_actor.account, stage_actor.region, slice_of_string(stage->uuid), &mapping));
    stage->body = mapping.problem.data == NULL ? SLICE("") : arena_copy(&stage->arena, mapping.problem);
    return OK;
}

static void expect_problem(Stage *stage, const char *problem)
{
    assert_int_equal(world_read(&stage->world, problem_body, stage), OK);
    assert_true(slice_equal(stage->body, slice_of_string(problem)));
}

static void nothing_is_received_for_a_function_that_is_gone(void **state)
{
    Stage *stage = *state;
    stage_map(stage);
    stage_write(stage, delete_function_body);
    stage_send(stage, NULL, "a");
    stage_pass(stage, 5 * SECOND);
    expect_messages(stage, 1, 0);
    expect_problem(stage, "PROBLEM: Function not found");
    stage_write(stage, stage_function_body);
    stage_pass(stage, 5 * SECOND);
    assert_int_equal(stage->invoked, 1);
    assert_non_null(strstr(arena_string(&stage->arena, stage->held[0]->payload), "\"ApproximateReceiveCount\":\"1\""));
    expect_problem(stage, "");
}

static Error drop_queue_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &stage_actor, stage->queue, &queue));
    return queue_drop(txn, &queue);
}

static void a_queue_that_is_gone_is_waited_for(void **state)
{
    Stage *stage = *state;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_write(stage, drop_queue_body);
    stage_answer(stage, 0, "null");
    stage_pass(stage, 5 * SECOND);
    expect_problem(stage, "PROBLEM: Event source not found");
    stage_pass(stage, 60 * SECOND); /* the name rests that long */
    stage_write(stage, stage_queue_body);
    stage_send(stage, NULL, "b");
    stage_pass(stage, 5 * SECOND);
    assert_int_equal(stage->held_count, 1);
    assert_string_equal(stage_bodies(stage, 0), "b");
    expect_problem(stage, "");
}

/* ---- Several mappings, and several lives ---- */

static void two_mappings_of_one_queue_lose_no_message(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 1;
    stage->mapping.concurrency = 2;
    stage_map(stage);
    stage->mapping.qualifier = SLICE("$LATEST");
    stage_map(stage);
    for (int i = 0; i < 4; i++)
        stage_send(stage, NULL, "a");
    assert_int_equal(stage->held_count, 4);
    expect_messages(stage, 0, 4);
    for (int i = 0; i < 20; i++)
        stage_send(stage, NULL, "a");
    while (stage->held_count > 0)
        stage_answer(stage, 0, "null");
    assert_int_equal(stage->invoked, 24);
    expect_messages(stage, 0, 0);
}

static void what_ran_when_the_process_was_killed_runs_again(void **state)
{
    Stage *stage = *state;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    assert_int_equal(stage->held_count, 1);
    Pollers *gone = stage->pollers;
    pollers_stop(gone);
    world_crash(&stage->world, 4);
    pollers_close(gone);
    stage_answer(stage, 0, "null"); /* comes too late: the process is gone */
    stage_start(stage);
    stage_pass(stage, 31 * SECOND);
    assert_int_equal(stage->held_count, 1);
    assert_string_equal(stage_bodies(stage, 0), "a");
    stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 0);
}

enum { MANY = 250 }; /* more than are looked at in one transaction */

static Error map_many_body(Txn *txn, StoreCall *call)
{
    Stage *stage = probe_argument(call);
    for (unsigned i = 0; i < MANY; i++) {
        Mapping mapping = stage->mapping;
        mapping.source_name = arena_format(txn_arena(txn), "queue-%u", i);
        mapping.source_arn = mapping.source_name;
        TRY(mapping_create(txn, &mapping));
    }
    return OK;
}

static void all_mappings_are_found_again_at_the_start(void **state)
{
    Stage *stage = *state;
    PollersStats stats;
    stage_map(stage);
    stage_write(stage, map_many_body);
    stage_pass(stage, SECOND);
    Pollers *gone = stage->pollers;
    pollers_stop(gone);
    world_crash(&stage->world, 4);
    pollers_close(gone);
    stage_start(stage);
    pollers_stats(stage->pollers, &stats);
    assert_int_equal(stats.pollers, MANY + 1);
    stage_send(stage, NULL, "a");
    assert_int_equal(stage->held_count, 1);
}

/* ---- Breakers ---- */

static void an_open_breaker_lets_messages_wait_and_closes_after_a_probe(void **state)
{
    Stage *stage = *state;
    PollersStats stats;
    stage->mapping.batch_size = 1;
    stage->mapping.threshold = 2;
    stage->mapping.recovery_ms = 100 * SECOND;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_fail(stage, 0);
    stage_send(stage, NULL, "b");
    stage_fail(stage, 0);
    pollers_stats(stage->pollers, &stats);
    assert_int_equal(stats.breaker_opened, 1);
    stage_send(stage, NULL, "c");
    stage_pass(stage, 60 * SECOND);
    assert_int_equal(stage->invoked, 2);
    expect_messages(stage, 3, 0);
    stage_pass(stage, 41 * SECOND); /* half-open: one probe */
    assert_int_equal(stage->held_count, 1);
    stage_pass(stage, 10 * SECOND);
    assert_int_equal(stage->held_count, 1);
    stage_fail(stage, 0); /* opens it anew */
    stage_pass(stage, 60 * SECOND);
    assert_int_equal(stage->held_count, 0);
    stage_pass(stage, 41 * SECOND);
    assert_int_equal(stage->held_count, 1);
    stage_answer(stage, 0, "null");
    stage_pass(stage, SECOND);
    while (stage->held_count > 0)
        stage_answer(stage, 0, "null");
    expect_messages(stage, 0, 0);
}

static Error count_breakers_body(Txn *txn, StoreCall *call)
{
    Breaker breakers[4];
    size_t count = 4;
    (void)call;
    TRY(breaker_list(txn, stage_actor.account, stage_actor.region, SLICE(""), breakers, &count));
    assert_int_equal(count, 0);
    return OK;
}

static void a_deleted_mapping_leaves_no_breaker(void **state)
{
    Stage *stage = *state;
    stage->mapping.threshold = 1;
    stage->mapping.recovery_ms = 10 * SECOND;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_write(stage, delete_body);
    stage_pass(stage, SECOND);
    stage_fail(stage, 0);
    assert_int_equal(world_read(&stage->world, count_breakers_body, stage), OK);
}

static void a_probe_of_which_nothing_is_heard_is_followed_by_another(void **state)
{
    Stage *stage = *state;
    stage->mapping.batch_size = 1;
    stage->mapping.threshold = 1;
    stage->mapping.recovery_ms = 10 * SECOND;
    stage_map(stage);
    stage_send(stage, NULL, "a");
    stage_fail(stage, 0);
    stage_send(stage, NULL, "b");
    stage_pass(stage, 11 * SECOND);
    assert_int_equal(stage->held_count, 1);
    stage_pass(stage, 11 * SECOND);
    stage_pass(stage, 20 * SECOND);
    assert_true(stage->held_count >= 2);
}

#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, stage_open, stage_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_OF(a_message_is_deleted_when_its_batch_has_succeeded),
        TEST_OF(a_failed_batch_comes_back_when_it_is_visible_again_and_not_before),
        TEST_OF(a_batch_has_as_many_records_as_it_may),
        TEST_OF(a_window_gathers_records_until_it_ends),
        TEST_OF(a_full_batch_does_not_wait_for_its_window),
        TEST_OF(no_document_passes_what_an_invocation_may_carry),
        TEST_OF(thousands_of_records_are_one_batch),
        TEST_OF(answers_say_which_records_have_failed),
        TEST_OF(records_that_no_filter_matches_are_dropped_unseen),
        TEST_OF(a_text_is_filtered_as_text),
        TEST_OF(a_filter_that_takes_long_decides),
        TEST_OF(a_record_that_filters_take_too_long_with_is_neither_dropped_nor_run),
        TEST_OF(one_batch_of_a_group_runs_at_a_time),
        TEST_OF(a_message_that_others_may_have_is_not_deleted_from_under_them),
        TEST_OF(no_more_batches_run_than_the_mapping_may_have),
        TEST_OF(five_batches_are_followed_by_more_while_there_is_more),
        TEST_OF(provisioned_pollers_begin_with_what_they_may),
        TEST_OF(fewer_batches_run_after_failures),
        TEST_OF(reported_failures_do_not_slow_it_down),
        TEST_OF(a_throttled_batch_is_tried_again_until_others_may_have_it),
        TEST_OF(a_disabled_mapping_takes_nothing),
        TEST_OF(a_deleted_mapping_settles_what_it_had),
        TEST_OF(another_batch_size_holds_from_the_next_batch_on),
        TEST_OF(nothing_is_received_for_a_function_that_is_gone),
        TEST_OF(a_queue_that_is_gone_is_waited_for),
        TEST_OF(two_mappings_of_one_queue_lose_no_message),
        TEST_OF(what_ran_when_the_process_was_killed_runs_again),
        TEST_OF(all_mappings_are_found_again_at_the_start),
        TEST_OF(an_open_breaker_lets_messages_wait_and_closes_after_a_probe),
        TEST_OF(a_deleted_mapping_leaves_no_breaker),
        TEST_OF(a_probe_of_which_nothing_is_heard_is_followed_by_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

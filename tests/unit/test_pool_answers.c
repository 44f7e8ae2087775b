/* The promises of invoker.h, kept by the runtime: what is answered, and what is logged. */
#include "pool_bench.h"

/* ---- How workers end ---- */

static void check_exit(int status, bool out_of_memory, const char *document)
{
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    assert_int_equal(write(actor(0)->errors, "last words", 10), 10);
    actor_exit(actor(0), status, out_of_memory);
    settle(bench);
    assert_result(asked, document);
    assert_true(asked->invocation.failed);
    assert_true(says(asked->invocation.log_tail, "last words"));
    assert_true(says(asked->invocation.log_tail, "Status: error\tError Type: Runtime."));
    assert_int_equal(asked->invocation.memory_peak_bytes, 64 << 20);
    bench_close(bench);
}

static void a_worker_that_ends_is_answered_for_as_aws_does(void **state)
{
    (void)state;
#define EXIT_DOCUMENT(type, words)                                                                                     \
    "{\"errorType\":\"" type "\",\"errorMessage\":\"RequestId: 00000000-0000-4000-8000-000000000000 Error: " words "\"}"
    check_exit(0, false, EXIT_DOCUMENT("Runtime.ExitError", "Runtime exited without providing a reason"));
    check_exit(3 << 8, false, EXIT_DOCUMENT("Runtime.ExitError", "Runtime exited with error: exit status 3"));
    check_exit(SIGKILL, false, EXIT_DOCUMENT("Runtime.ExitError", "Runtime exited with error: signal: killed"));
    check_exit(SIGSEGV, false,
               EXIT_DOCUMENT("Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"));
    check_exit(SIGKILL, true, EXIT_DOCUMENT("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"));
}

static void a_worker_that_closes_its_channel_is_ended(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    shutdown(actor(0)->channel, SHUT_RDWR);
    run_until_done(bench, asked);
    assert_true(says(asked->invocation.result, "signal: killed"));
    bench_close(bench);
}

static void an_init_error_is_the_answer(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    actor_expect(actor(0), FRAME_INIT, &bench->arena);
    actor_send(actor(0), FRAME_LOG, SLICE("[ERROR] no module\n"));
    actor_send(
        actor(0), FRAME_INIT_ERROR,
        SLICE("{\"errorMessage\":\"Unable to import module 'app'\",\"errorType\":\"Runtime.ImportModuleError\"}"));
    settle(bench);
    assert_result(asked,
                  "{\"errorMessage\":\"Unable to import module 'app'\",\"errorType\":\"Runtime.ImportModuleError\"}");
    assert_true(asked->invocation.failed && asked->invocation.is_handled);
    assert_true(says(asked->invocation.log_tail, "[ERROR] no module\n"));
    assert_true(says(buffer_slice(&bench->log), "Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n"));
    actor_exit(actor(0), 1 << 8, false);
    settle(bench);
    assert_int_equal(asked->done, 1);
    assert_int_equal(stage.count, 1);
    bench_close(bench);
}

static void a_worker_that_ends_in_its_init_phase_is_told(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    actor_exit(actor(0), 1 << 8, false);
    settle(bench);
    assert_true(says(asked->invocation.result, "Runtime exited with error: exit status 1"));
    assert_int_equal(asked->done, 1);
    bench_close(bench);
}

static void last_words_count_though_the_end_is_known_first(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *failed = ask(bench, 0);
    actor_expect(actor(0), FRAME_INIT, &bench->arena);
    actor_send(actor(0), FRAME_INIT_ERROR, SLICE("{\"errorType\":\"Runtime.HandlerNotFound\"}"));
    actor_exit(actor(0), 1 << 8, false);
    settle(bench);
    assert_result(failed, "{\"errorType\":\"Runtime.HandlerNotFound\"}");
    Asked *answered = ask(bench, 1);
    make_ready(bench, actor(1));
    expect_event(bench, actor(1), answered);
    actor_send(actor(1), FRAME_RESPONSE, SLICE("\"last\""));
    actor_exit(actor(1), 0, false);
    settle(bench);
    assert_result(answered, "\"last\"");
    bench_close(bench);
}

/* Its pipes end before its exit is known, and the numbers of its files are given again. */
static void the_end_of_a_worker_is_nothing_to_the_next(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    run_warm(bench);
    close(actor(0)->output);
    close(actor(0)->errors);
    actor(0)->output = open("/dev/null", O_WRONLY | O_CLOEXEC);
    actor(0)->errors = dup(actor(0)->output);
    settle(bench);
    Asked *first = ask(bench, 1);
    Asked *second = ask(bench, 2);
    expect_event(bench, actor(0), first);
    actor_exit(actor(0), 0, false);
    settle(bench);
    assert_int_equal(first->done, 1);
    make_ready(bench, actor(1));
    expect_event(bench, actor(1), second);
    answer(bench, actor(1), "2");
    assert_result(second, "2");
    bench_close(bench);
}

static void liars_are_ended_and_the_server_lives_on(void **state)
{
    (void)state;
    static const char *const lies[] = {"garbage!garbage!", "\x13\0\0\0\0\0\0\0", "\x02\0\0\0\0\0\0\0",
                                       "\x10\0\0\0\0\0\0\0", "\x12\1\0\0\0\0\0\0"};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        Bench *bench = bench_open(NULL);
        Asked *asked = ask(bench, 0);
        if (i == 1) { /* an answer before any event */
            actor_expect(actor(0), FRAME_INIT, &bench->arena);
        } else {
            make_ready(bench, actor(0));
            expect_event(bench, actor(0), asked);
        }
        assert_true(write(actor(0)->channel, lies[i], 8) == 8);
        settle(bench);
        assert_int_equal(asked->done, 1);
        assert_true(says(asked->invocation.result, "Runtime.ExitError"));
        assert_false(actor(0)->alive);
        bench_close(bench);
    }
}

/* ---- What is refused ---- */

static void a_runtime_that_is_missing_is_named(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.runtime = SLICE("python3.99");
    Asked *asked = ask(bench, 0);
    assert_int_equal(asked->done, 1);
    assert_int_equal(asked->invocation.refusal, INVOKE_RUNTIME_MISSING);
    assert_true(says(asked->invocation.message, "python3.99 is not here"));
    bench_close(bench);
}

static void a_process_that_cannot_be_had_is_told(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    stage.refuses = true;
    Asked *asked = ask(bench, 0);
    assert_int_equal(asked->invocation.refusal, INVOKE_FAILED);
    assert_true(says(asked->invocation.message, "the stage is closed"));
    assert_int_equal(counts(bench).workers, 0);
    bench_close(bench);
}

static void only_roles(Bench *bench, RuntimeOptions *options)
{
    (void)bench;
    options->any_role = false;
}

static void a_role_that_is_not_there_is_refused(void **state)
{
    (void)state;
    Bench *bench = bench_open(only_roles);
    Asked *asked = ask(bench, 0);
    assert_int_equal(asked->invocation.refusal, INVOKE_ROLE);
    assert_true(says(asked->invocation.message, "there is no role worker in account 123456789012"));
    bench_close(bench);
}

static void what_waits_can_be_cancelled(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    invoker_cancel(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->done, 1);
    assert_int_equal(asked->invocation.refusal, INVOKE_GONE);
    make_ready(bench, actor(0)); /* and is there for the next */
    expect_event(bench, actor(0), ask(bench, 1));
    bench_close(bench);
}

static void drained(Task *task)
{
    task->next = task;
}

static void a_drain_ends_what_runs_and_begins_nothing(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *running = ask(bench, 0);
    make_ready(bench, actor(0));
    Task task = {.run = drained};
    runtime_drain(bench->runtime, &task, loop_mailbox(bench->loop));
    settle(bench);
    Asked *late = ask(bench, 1);
    assert_int_equal(late->invocation.refusal, INVOKE_STOPPING);
    assert_ptr_equal(task.next, NULL);
    answer(bench, actor(0), "1");
    assert_result(running, "1");
    assert_ptr_equal(task.next, &task);
    bench_close(bench);
}

/* ---- Answers ---- */

static void an_answer_that_is_too_large_is_an_error(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = prepare(bench, 0);
    asked->invocation.payload_limit = 10;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    make_ready(bench, actor(0));
    answer(bench, actor(0), "\"0123456789\"");
    assert_result(asked, "{\"errorType\":\"Function.ResponseSizeTooLarge\",\"errorMessage\":\"Response payload size "
                         "exceeded maximum allowed payload size (10 bytes).\"}");
    assert_true(asked->invocation.failed);
    assert_true(actor(0)->alive);
    bench_close(bench);
}

static void a_handlers_error_is_its_document(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    actor_send(actor(0), FRAME_ERROR, SLICE("{\"errorType\":\"Exception\"}"));
    settle(bench);
    assert_result(asked, "{\"errorType\":\"Exception\"}");
    assert_true(asked->invocation.failed && asked->invocation.is_handled);
    expect_event(bench, actor(0), asked);
    expect_event(bench, actor(0), ask(bench, 1));
    bench_close(bench);
}

static Asked *start_stream(Bench *bench, bool streamed, const char *head)
{
    Asked *asked = prepare(bench, 0);
    asked->invocation.streamed = streamed;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    actor_send(actor(0), FRAME_STREAM_START, slice_of_string(head));
    settle(bench);
    return asked;
}

static void pieces_are_given_as_they_come(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = start_stream(bench, true, "{\"contentType\":\"text/plain\"}");
    assert_int_equal(asked->starts, 1);
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("one"));
    settle(bench);
    assert_int_equal(asked->piece_bytes, 3);
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("four"));
    actor_send(actor(0), FRAME_STREAM_END, SLICE(""));
    settle(bench);
    assert_int_equal(asked->piece_bytes, 7);
    assert_result(asked, "");
    assert_true(asked->invocation.answered_stream);
    expect_event(bench, actor(0), ask(bench, 1));
    bench_close(bench);
}

static void a_caller_that_is_full_is_not_given_more(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = start_stream(bench, true, "{}");
    asked->full = true;
    for (int i = 0; i < 3; i++)
        actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("piece"));
    actor_send(actor(0), FRAME_STREAM_END, SLICE(""));
    settle(bench);
    assert_int_equal(asked->piece_count, 1);
    assert_int_equal(asked->done, 0);
    asked->full = false;
    invoker_resume(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->piece_bytes, 15);
    assert_int_equal(asked->done, 1);
    bench_close(bench);
}

static void a_caller_that_left_is_given_nothing_and_the_handler_goes_on(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = start_stream(bench, true, "{}");
    asked->full = true;
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("piece"));
    settle(bench);
    invoker_cancel(bench->invoker, &asked->invocation);
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("piece"));
    actor_send(actor(0), FRAME_STREAM_END, SLICE(""));
    settle(bench);
    assert_int_equal(asked->piece_count, 1);
    assert_int_equal(asked->done, 1);
    assert_true(actor(0)->alive);
    bench_close(bench);
}

static void who_wants_it_whole_gets_the_pieces_together(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = start_stream(bench, false, "{\"contentType\":\"text/plain\",\"prelude\":{\"statusCode\":200}}");
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("one"));
    actor_send(actor(0), FRAME_STREAM_PIECE, SLICE("two"));
    actor_send(actor(0), FRAME_STREAM_END, SLICE(""));
    settle(bench);
    assert_int_equal(asked->done, 1);
    assert_true(slice_equal(asked->invocation.result, SLICE("{\"statusCode\":200}\0\0\0\0\0\0\0\0onetwo")));
    bench_close(bench);
}

/* ---- Logs ---- */

static void what_is_written_before_the_answer_is_in_its_tail(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    assert_int_equal(write(actor(0)->output, "to stdout\nhalf a line", 21), 21);
    assert_int_equal(write(actor(0)->errors, "to stderr\n", 10), 10);
    actor_send(actor(0), FRAME_LOG, SLICE("framed\n"));
    answer(bench, actor(0), "1");
    Slice tail = asked->invocation.log_tail;
    assert_true(
        slice_starts_with(tail, SLICE("START RequestId: 00000000-0000-4000-8000-000000000000 Version: $LATEST\n")));
    assert_true(says(tail, "to stdout\n") && says(tail, "half a line") && says(tail, "to stderr\n"));
    assert_true(says(tail, "framed\n"));
    assert_true(says(tail, "END RequestId: 00000000-0000-4000-8000-000000000000\nREPORT RequestId: "));
    assert_true(says(tail, " MB\tInit Duration: "));
    assert_true(slice_ends_with(tail, SLICE(" ms\t\n")));
    bench_close(bench);
}

static void a_json_log_has_platform_records(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.log_format = SLICE("JSON");
    bench->spec.system_log_level = SLICE("INFO");
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    answer(bench, actor(0), "1");
    Slice tail = asked->invocation.log_tail;
    for (size_t lines = 0; tail.size > 0; lines++) {
        Slice line = {tail.data, slice_find(tail, '\n')};
        assert_int_equal(json_check(line), OK);
        assert_true(says(line, lines == 0 ? "platform.start" : "platform.report"));
        tail = slice_skip(tail, line.size + 1);
    }
    bench_close(bench);
}

static void few_lines(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_LOG_EVENTS] = 5;
    bench->limits.value[LIMIT_RUNTIME_LOG_EVENT_BYTES] = 8;
}

static void a_flood_of_lines_is_counted_and_long_ones_are_cut(void **state)
{
    (void)state;
    Bench *bench = bench_open(few_lines);
    ask(bench, 0);
    make_ready(bench, actor(0));
    assert_int_equal(write(actor(0)->output, "0123456789abcdef\n", 17), 17);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(actor(0)->output, "line\n", 5), 5);
    answer(bench, actor(0), "1");
    RuntimeStats stats;
    runtime_stats(bench->runtime, &stats);
    assert_in_range(stats.log_lines_dropped, 980, 998);
    assert_true(says(buffer_slice(&bench->log), "01234567"));
    assert_false(says(buffer_slice(&bench->log), "012345678"));
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_ends_is_answered_for_as_aws_does),
        cmocka_unit_test(a_worker_that_closes_its_channel_is_ended),
        cmocka_unit_test(an_init_error_is_the_answer),
        cmocka_unit_test(a_worker_that_ends_in_its_init_phase_is_told),
        cmocka_unit_test(last_words_count_though_the_end_is_known_first),
        cmocka_unit_test(the_end_of_a_worker_is_nothing_to_the_next),
        cmocka_unit_test(liars_are_ended_and_the_server_lives_on),
        cmocka_unit_test(a_runtime_that_is_missing_is_named),
        cmocka_unit_test(a_process_that_cannot_be_had_is_told),
        cmocka_unit_test(a_role_that_is_not_there_is_refused),
        cmocka_unit_test(what_waits_can_be_cancelled),
        cmocka_unit_test(a_drain_ends_what_runs_and_begins_nothing),
        cmocka_unit_test(an_answer_that_is_too_large_is_an_error),
        cmocka_unit_test(a_handlers_error_is_its_document),
        cmocka_unit_test(pieces_are_given_as_they_come),
        cmocka_unit_test(a_caller_that_is_full_is_not_given_more),
        cmocka_unit_test(a_caller_that_left_is_given_nothing_and_the_handler_goes_on),
        cmocka_unit_test(who_wants_it_whole_gets_the_pieces_together),
        cmocka_unit_test(what_is_written_before_the_answer_is_in_its_tail),
        cmocka_unit_test(a_json_log_has_platform_records),
        cmocka_unit_test(a_flood_of_lines_is_counted_and_long_ones_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

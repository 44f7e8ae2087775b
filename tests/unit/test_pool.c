/* The promises of invoker.h, kept by the runtime: who gets which worker, when one is started, and when it goes. */
#include "pool_bench.h"

/* ---- Who gets which worker ---- */

static void a_worker_is_started_once_and_used_again(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *first = run_warm(bench);
    assert_true(first->invocation.init_us > 0);
    assert_true(says(first->invocation.log_tail, "Init Duration"));
    Asked *second = ask(bench, 1);
    expect_event(bench, actor(0), second);
    answer(bench, actor(0), "\"two\"");
    assert_result(second, "\"two\"");
    assert_int_equal(second->invocation.init_us, 0);
    assert_int_equal(stage.count, 1);
    assert_int_equal(counts(bench).workers, 1);
    assert_int_equal(counts(bench).busy, 0);
    bench_close(bench);
}

/* On which a hundred starts at once are not too many (pool_brisk.c). */
static void many_processors(Bench *bench, RuntimeOptions *options)
{
    (void)bench;
    options->processors = 64;
}

static void as_many_workers_start_as_invocations_wait(void **state)
{
    (void)state;
    Bench *bench = bench_open(many_processors);
    for (size_t i = 0; i < 100; i++)
        ask(bench, i);
    assert_int_equal(stage.count, 100);
    assert_int_equal(counts(bench).starting, 100);
    assert_int_equal(counts(bench).waiting, 100);
    for (size_t i = 0; i < 100; i++)
        make_ready(bench, actor(i));
    for (size_t i = 0; i < 100; i++)
        answer(bench, actor(i), "0");
    for (size_t i = 0; i < 100; i++)
        assert_result(&bench->asked[i], "0");
    assert_int_equal(stage.count, 100);
    assert_int_equal(counts(bench).waiting, 0);
    bench_close(bench);
}

static void a_worker_that_is_free_first_takes_who_waits_for_another(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *first = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), first);
    Asked *second = ask(bench, 1); /* for which the second worker starts */
    assert_int_equal(stage.count, 2);
    answer(bench, actor(0), "1");
    expect_event(bench, actor(0), second);
    answer(bench, actor(0), "2");
    assert_result(second, "2");
    make_ready(bench, actor(1)); /* and stays for the next */
    Asked *third = ask(bench, 2);
    expect_event(bench, actor(1), third); /* the one used last */
    assert_int_equal(stage.count, 2);
    bench_close(bench);
}

static void who_waits_longest_is_served_first(void **state)
{
    (void)state;
    Bench *bench = bench_open(many_processors);
    for (size_t i = 0; i < 10; i++)
        ask(bench, i);
    for (size_t i = 0; i < 10; i++) {
        make_ready(bench, actor(9 - i));
        expect_event(bench, actor(9 - i), &bench->asked[i]);
    }
    bench_close(bench);
}

static void what_is_sent_to_a_worker_that_is_gone_runs_on_another(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    run_warm(bench);
    /* It closes its end, and the server asks it before it sees that. */
    shutdown(actor(0)->channel, SHUT_RDWR);
    Asked *second = prepare(bench, 1);
    invoker_invoke(bench->invoker, &second->invocation);
    settle(bench);
    assert_int_equal(stage.count, 2);
    actor_exit(actor(0), 0, false);
    make_ready(bench, actor(1));
    expect_event(bench, actor(1), second);
    answer(bench, actor(1), "2");
    assert_result(second, "2");
    bench_close(bench);
}

static void workers_that_all_end_at_once_cost_an_invocation_nothing(void **state)
{
    (void)state;
    enum { WORKERS = 40 };
    Bench *bench = bench_open(many_processors);
    for (size_t i = 0; i < WORKERS; i++)
        ask(bench, i);
    for (size_t i = 0; i < WORKERS; i++)
        make_ready(bench, actor(i));
    for (size_t i = 0; i < WORKERS; i++)
        answer(bench, actor(i), "0");
    for (size_t i = 0; i < WORKERS; i++)
        shutdown(actor(i)->channel, SHUT_RDWR);
    Asked *next = prepare(bench, WORKERS);
    invoker_invoke(bench->invoker, &next->invocation);
    settle(bench);
    assert_int_equal(stage.count, WORKERS + 1);
    make_ready(bench, actor(WORKERS));
    expect_event(bench, actor(WORKERS), next);
    answer(bench, actor(WORKERS), "1");
    assert_result(next, "1");
    bench_close(bench);
}

static void a_function_whose_workers_end_before_each_event_is_given_up(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *asked = ask(bench, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stage.count, i + 1);
        actor_send(actor(i), FRAME_READY, (Slice){0});
        shutdown(actor(i)->channel, SHUT_RDWR);
        settle(bench);
    }
    assert_int_equal(stage.count, 3);
    assert_int_equal(asked->done, 1);
    assert_int_equal(asked->invocation.refusal, INVOKE_FAILED);
    assert_true(says(asked->invocation.message, "end before they take an event"));
    bench_close(bench);
}

/* Others are given to a process that waits, whose environment comes with its first frame. */
static void variables_that_are_read_early_ask_for_a_process_of_their_own(void **state)
{
    (void)state;
    static const struct {
        EnvironmentVariable variable;
        bool is_early;
    } rows[] = {
        {{SLICE_INIT("STAGE"), SLICE_INIT("test")}, false},
        {{SLICE_INIT("NODE_OPTIONS"), SLICE_INIT("--enable-source-maps")}, true},
        {{SLICE_INIT("NODE_ENV"), SLICE_INIT("production")}, false},
        {{SLICE_INIT("PYTHONPATH"), SLICE_INIT("/var/task/lib")}, false},
        {{SLICE_INIT("PYTHONHASHSEED"), SLICE_INIT("0")}, true},
        {{SLICE_INIT("LD_PRELOAD"), SLICE_INIT("/opt/lib/x.so")}, true},
        {{SLICE_INIT("AWS_LAMBDA_EXEC_WRAPPER"), SLICE_INIT("/opt/wrap")}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Bench *bench = bench_open(NULL);
        bench->spec.environment = &rows[i].variable;
        bench->spec.environment_count = 1;
        ask(bench, 0);
        assert_int_equal(actor(0)->environment_count > 0, rows[i].is_early);
        bench_close(bench);
    }
}

static void tenants_have_workers_of_their_own(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    run_warm(bench);
    WorkerSpec other = bench->spec;
    other.key = SLICE("123456789012 eu-west-1 hello $LATEST r1 blue");
    Asked *asked = prepare(bench, 1);
    asked->invocation.spec = &other;
    asked->invocation.tenant_id = SLICE("blue");
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(stage.count, 2);
    make_ready(bench, actor(1));
    assert_true(says(actor_expect(actor(1), FRAME_INVOKE, &bench->arena), "\"tenantId\":\"blue\""));
    answer(bench, actor(1), "2");
    assert_true(actor(0)->alive);
    expect_event(bench, actor(0), ask(bench, 2));
    bench_close(bench);
}

/* The pools are swept once a second. */
static void await_end(Bench *bench, const Actor *one)
{
    for (int i = 0; i < 1000 && one->alive; i++) {
        usleep(5000);
        settle(bench);
    }
    assert_false(one->alive);
}

static void a_new_revision_lets_older_workers_go(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    Asked *busy = ask(bench, 0);
    ask(bench, 1);
    make_ready(bench, actor(0));
    make_ready(bench, actor(1));
    answer(bench, actor(1), "idle");
    bench->spec.key = SLICE("123456789012 eu-west-1 hello $LATEST r2");
    Asked *asked = ask(bench, 2);
    assert_true(actor(1)->alive); /* its end does not hold up the start of the new one */
    await_end(bench, actor(1));
    assert_true(actor(0)->alive); /* it ends what it has begun */
    answer(bench, actor(0), "\"old\"");
    assert_result(busy, "\"old\"");
    assert_false(actor(0)->alive);
    make_ready(bench, actor(2));
    expect_event(bench, actor(2), asked);
    bench_close(bench);
}

static void few_idle(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_WORKERS] = 2;
}

static void the_longest_idle_worker_makes_place(void **state)
{
    (void)state;
    Bench *bench = bench_open(few_idle);
    ask(bench, 0);
    ask(bench, 1);
    make_ready(bench, actor(0));
    make_ready(bench, actor(1));
    expect_event(bench, actor(0), &bench->asked[0]);
    answer(bench, actor(1), "1");
    answer(bench, actor(0), "0");
    WorkerSpec mine = bench->spec;
    bench->spec.key = bench->spec.line = bench->spec.function = SLICE("another");
    Asked *asked = ask(bench, 2);
    assert_false(actor(1)->alive);
    assert_true(actor(0)->alive);
    make_ready(bench, actor(2));
    expect_event(bench, actor(2), asked);
    bench->spec = mine;
    expect_event(bench, actor(0), ask(bench, 3));
    Asked *refused = ask(bench, 4); /* both are busy */
    assert_int_equal(refused->done, 1);
    assert_int_equal(refused->invocation.refusal, INVOKE_ACCOUNT_CONCURRENCY);
    bench_close(bench);
}

/* ---- Limits ---- */

static void reserved_concurrency_is_exact(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    for (size_t i = 0; i < 4; i++) {
        Asked *asked = prepare(bench, i);
        asked->invocation.reserved = 3;
        invoker_invoke(bench->invoker, &asked->invocation);
    }
    settle(bench);
    assert_int_equal(stage.count, 3);
    assert_int_equal(bench->asked[3].done, 1);
    assert_int_equal(bench->asked[3].invocation.refusal, INVOKE_FUNCTION_CONCURRENCY);
    make_ready(bench, actor(0));
    answer(bench, actor(0), "0");
    Asked *asked = prepare(bench, 3);
    asked->invocation.reserved = 3;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->done, 0);
    asked = prepare(bench, 4);
    asked->invocation.reserved = 0;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->invocation.refusal, INVOKE_FUNCTION_CONCURRENCY);
    bench_close(bench);
}

static void unreserved_concurrency_is_the_accounts(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    WorkerSpec other = bench->spec;
    other.key = other.line = other.function = SLICE("other");
    for (size_t i = 0; i < 3; i++) {
        Asked *asked = prepare(bench, i);
        asked->invocation.unreserved = 2;
        asked->invocation.spec = i == 1 ? &other : &bench->spec;
        invoker_invoke(bench->invoker, &asked->invocation);
    }
    settle(bench);
    assert_int_equal(bench->asked[2].invocation.refusal, INVOKE_ACCOUNT_CONCURRENCY);
    /* What has a reservation is not counted there. */
    Asked *asked = prepare(bench, 3);
    asked->invocation.unreserved = 2;
    asked->invocation.reserved = 5;
    invoker_invoke(bench->invoker, &asked->invocation);
    settle(bench);
    assert_int_equal(asked->done, 0);
    bench_close(bench);
}

/* ---- Time ---- */

static void a_slow_handler_is_cut_off_at_its_timeout(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.timeout_ms = 120;
    Asked *asked = ask(bench, 0);
    make_ready(bench, actor(0));
    expect_event(bench, actor(0), asked);
    uint64_t begun = os_monotonic_ns(os_linux());
    run_until_done(bench, asked);
    uint64_t took_ms = (os_monotonic_ns(os_linux()) - begun) / 1000000;
    assert_in_range(took_ms, 100, 5000); /* the machine may be slow; too early it never is */
    assert_true(asked->invocation.duration_us >= 120000);
    assert_true(asked->invocation.failed);
    assert_false(asked->invocation.is_handled);
    assert_result(asked, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
                         "00000000-0000-4000-8000-000000000000 Error: Task timed out after 0.12 seconds\"}");
    assert_true(says(asked->invocation.log_tail, "Task timed out after 0.12 seconds\n\nEND RequestId"));
    assert_true(says(asked->invocation.log_tail, "Status: timeout\n"));
    assert_false(actor(0)->alive);
    Asked *next = ask(bench, 1);
    make_ready(bench, actor(1));
    expect_event(bench, actor(1), next);
    bench_close(bench);
}

static void short_init(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_INIT_MS] = 50;
}

static void a_slow_init_phase_is_tried_again_within_the_timeout(void **state)
{
    (void)state;
    Bench *bench = bench_open(short_init);
    bench->spec.timeout_ms = 100;
    Asked *asked = ask(bench, 0);
    while (stage.count < 2) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
    assert_false(actor(0)->alive);
    assert_int_equal(asked->done, 0);
    run_until_done(bench, asked);
    assert_result(asked, "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
                         "00000000-0000-4000-8000-000000000000 Error: Task timed out after 0.10 seconds\"}");
    assert_true(says(buffer_slice(&bench->log), "Phase: init\tStatus: timeout"));
    assert_true(says(buffer_slice(&bench->log), "Phase: invoke\tStatus: timeout"));
    assert_int_equal(stage.count, 2);
    bench_close(bench);
}

static void soon_idle(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_WORKER_IDLE_MS] = 20;
}

static void idle_workers_are_let_go(void **state)
{
    (void)state;
    Bench *bench = bench_open(soon_idle);
    run_warm(bench);
    while (actor(0)->alive) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
    assert_int_equal(counts(bench).workers, 0);
    Asked *asked = ask(bench, 1);
    make_ready(bench, actor(1));
    expect_event(bench, actor(1), asked);
    bench_close(bench);
}

static void short_lived(Bench *bench, RuntimeOptions *options)
{
    (void)options;
    bench->limits.value[LIMIT_RUNTIME_WORKER_LIFETIME_MS] = 0;
}

static void old_workers_are_replaced(void **state)
{
    (void)state;
    Bench *bench = bench_open(short_lived);
    run_warm(bench);
    assert_false(actor(0)->alive);
    bench_close(bench);
}

/* ---- Provisioned concurrency and snapshots ---- */

static void provisioned_workers_are_kept_and_replaced(void **state)
{
    (void)state;
    Bench *bench = bench_open(soon_idle);
    invoker_provision(bench->invoker, &bench->spec, 3);
    settle(bench);
    assert_int_equal(stage.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(says(actor_expect(actor(i), FRAME_INIT, &bench->arena), "provisioned-concurrency"));
        actor_send(actor(i), FRAME_READY, SLICE(""));
    }
    settle(bench);
    assert_int_equal(counts(bench).provisioned_ready, 3);
    assert_int_equal(counts(bench).provisioned, 3);
    expect_event(bench, actor(2), ask(bench, 0)); /* no start */
    assert_int_equal(stage.count, 3);
    actor_exit(actor(2), 0, false);
    settle(bench);
    assert_int_equal(stage.count, 4);
    assert_int_equal(counts(bench).provisioned_ready, 2);
    invoker_provision(bench->invoker, &bench->spec, 0);
    settle(bench);
    assert_int_equal(counts(bench).provisioned_ready, 0);
    while (actor(0)->alive || actor(1)->alive) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
    bench_close(bench);
}

static void provisioned_workers_of_an_older_revision_go(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    invoker_provision(bench->invoker, &bench->spec, 2);
    settle(bench);
    make_ready(bench, actor(0));
    make_ready(bench, actor(1));
    ask(bench, 0);
    bench->spec.key = SLICE("123456789012 eu-west-1 hello $LATEST r2");
    invoker_provision(bench->invoker, &bench->spec, 1);
    settle(bench);
    assert_int_equal(stage.count, 3);
    assert_int_equal(counts(bench).provisioned, 1);
    await_end(bench, actor(0));
    assert_true(actor(1)->alive);
    answer(bench, actor(1), "1");
    assert_false(actor(1)->alive);
    bench_close(bench);
}

static void runtimes_are_got_ready_when_they_are_there(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    invoker_warm(bench->invoker, SLICE("python3.11"));
    invoker_warm(bench->invoker, SLICE("cobol"));
    settle(bench);
    assert_int_equal(stage.warmed, 1);
    assert_int_equal(stage.count, 0);
    bench_close(bench);
}

static void provisioning_that_fails_says_why(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    stage.refuses = true;
    invoker_provision(bench->invoker, &bench->spec, 2);
    settle(bench);
    InvokerCounts result;
    invoker_count(bench->invoker, bench->spec.function, bench->spec.line, &bench->arena, &result);
    assert_true(says(result.provision_problem, "the stage is closed"));
    assert_int_equal(result.provisioned, 2);
    bench_close(bench);
}

static void snapshots_are_taken_once_and_copied(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.snap_start = true;
    Asked *first = ask(bench, 0);
    Asked *second = ask(bench, 1);
    assert_int_equal(stage.count, 1);
    assert_true(says(actor_expect(actor(0), FRAME_INIT, &bench->arena), "\"snapStart\":true"));
    actor_send(actor(0), FRAME_SNAPSHOT_READY, SLICE(""));
    settle(bench);
    assert_int_equal(stage.count, 3);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(actor(i)->snapshot_of, 1);
        assert_true(says(actor_expect(actor(i), FRAME_RESTORE, &bench->arena), "AWS_SESSION_TOKEN"));
        actor_send(actor(i), FRAME_READY, SLICE(""));
        settle(bench);
    }
    expect_event(bench, actor(1), first);
    expect_event(bench, actor(2), second);
    answer(bench, actor(1), "1");
    assert_true(says(first->invocation.log_tail, "Restore Duration: "));
    bench_close(bench);
}

static void a_snapshot_stays_while_a_copy_of_it_is_busy(void **state)
{
    (void)state;
    Bench *bench = bench_open(NULL);
    bench->spec.snap_start = true;
    Asked *busy = ask(bench, 0);
    actor_expect(actor(0), FRAME_INIT, &bench->arena);
    actor_send(actor(0), FRAME_SNAPSHOT_READY, SLICE(""));
    settle(bench);
    actor_expect(actor(1), FRAME_RESTORE, &bench->arena);
    actor_send(actor(1), FRAME_READY, SLICE(""));
    settle(bench);
    expect_event(bench, actor(1), busy);
    bench->spec.key = SLICE("123456789012 eu-west-1 hello $LATEST r2");
    ask(bench, 1);
    settle(bench);
    assert_true(actor(0)->alive); /* it would take its copy with it */
    answer(bench, actor(1), "1");
    assert_result(busy, "1");
    settle(bench);
    assert_false(actor(1)->alive);
    bench_close(bench);
}

/* ---- Whatever happens ---- */

static void check_model(Bench *bench, size_t asked_count, size_t limit)
{
    size_t open = 0;
    for (size_t i = 0; i < asked_count; i++) {
        assert_in_range(bench->asked[i].done, 0, 1);
        open += bench->asked[i].done == 0;
    }
    assert_true(open <= limit);
    InvokerCounts now = counts(bench);
    assert_int_equal(now.busy + now.waiting, open);
}

/* Workers start, answer, stream, lie and die in any order: each invocation is answered once, and no more run than may. */
static void every_invocation_is_answered_once(void **state)
{
    (void)state;
    enum { STEPS = 3000, LIMIT = 20 };
    for (unsigned seed = 1; seed <= 4; seed++) {
        Bench *bench = bench_open(NULL);
        Arena scratch = arena_make();
        size_t asked_count = 0;
        srand(seed);
        for (int step = 0; step < STEPS && stage.count < ACTORS_MAX - 40 && asked_count < ACTORS_MAX; step++) {
            int choice = rand() % 10;
            Actor *one = stage.count == 0 ? NULL : actor((size_t)rand() % stage.count);
            if (choice < 3) {
                Asked *asked = prepare(bench, asked_count++);
                asked->invocation.reserved = LIMIT;
                invoker_invoke(bench->invoker, &asked->invocation);
            } else if (one != NULL && one->alive && choice == 9 && rand() % 4 == 0) {
                actor_exit(one, SIGKILL, false);
            } else if (one != NULL && one->alive) {
                FrameKind kind;
                if (!actor_take(one, &kind, &scratch, NULL))
                    continue;
                actor_send(one,
                           kind == FRAME_INIT ? FRAME_READY
                           : rand() % 8 == 0  ? FRAME_ERROR
                                              : FRAME_RESPONSE,
                           SLICE("{}"));
            }
            settle(bench);
            check_model(bench, asked_count, LIMIT);
        }
        for (size_t i = 0; i < stage.count; i++)
            actor_exit(actor(i), 0, false), settle(bench);
        check_model(bench, asked_count, 0);
        arena_free(&scratch);
        bench_close(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_is_started_once_and_used_again),
        cmocka_unit_test(as_many_workers_start_as_invocations_wait),
        cmocka_unit_test(a_worker_that_is_free_first_takes_who_waits_for_another),
        cmocka_unit_test(who_waits_longest_is_served_first),
        cmocka_unit_test(what_is_sent_to_a_worker_that_is_gone_runs_on_another),
        cmocka_unit_test(workers_that_all_end_at_once_cost_an_invocation_nothing),
        cmocka_unit_test(a_function_whose_workers_end_before_each_event_is_given_up),
        cmocka_unit_test(variables_that_are_read_early_ask_for_a_process_of_their_own),
        cmocka_unit_test(tenants_have_workers_of_their_own),
        cmocka_unit_test(a_new_revision_lets_older_workers_go),
        cmocka_unit_test(the_longest_idle_worker_makes_place),
        cmocka_unit_test(reserved_concurrency_is_exact),
        cmocka_unit_test(unreserved_concurrency_is_the_accounts),
        cmocka_unit_test(a_slow_handler_is_cut_off_at_its_timeout),
        cmocka_unit_test(a_slow_init_phase_is_tried_again_within_the_timeout),
        cmocka_unit_test(idle_workers_are_let_go),
        cmocka_unit_test(old_workers_are_replaced),
        cmocka_unit_test(provisioned_workers_are_kept_and_replaced),
        cmocka_unit_test(provisioned_workers_of_an_older_revision_go),
        cmocka_unit_test(runtimes_are_got_ready_when_they_are_there),
        cmocka_unit_test(provisioning_that_fails_says_why),
        cmocka_unit_test(snapshots_are_taken_once_and_copied),
        cmocka_unit_test(a_snapshot_stays_while_a_copy_of_it_is_busy),
        cmocka_unit_test(every_invocation_is_answered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Quick handlers share few workers, and nobody pays for it: the promises of pool_brisk.c. The runtime's clock is the
 * test's. */
#include "pool_bench.h"

enum { USUAL = 40, US = 1000, MS = 1000 * 1000 }; /* events that make known what is usual; nanoseconds */

static void two_processors(Bench *bench, RuntimeOptions *options)
{
    (void)bench;
    options->processors = 2;
}

static void take_and_answer(Bench *bench, Actor *one, Asked *asked, uint64_t took_ns)
{
    expect_event(bench, one, asked);
    clock_ns += took_ns;
    answer(bench, one, "1");
    assert_int_equal(asked->done, 1);
}

/* A version whose events took so long, with two idle workers. */
static Bench *open_used(uint64_t took_ns)
{
    Bench *bench = bench_open(two_processors);
    clock_ns = os_monotonic_ns(os_linux());
    ask(bench, 0);
    ask(bench, 1);
    for (size_t i = 0; i < 2; i++)
        make_ready(bench, actor(i));
    for (size_t i = 0; i < 2; i++)
        take_and_answer(bench, actor(i), &bench->asked[i], took_ns);
    for (size_t i = 0; i < USUAL; i++)
        take_and_answer(bench, actor(1), ask(bench, 2), took_ns);
    assert_int_equal(stage.count, 2);
    return bench;
}

/* Until the loop has looked at who waits, at least once. */
static void let_it_look(Bench *bench)
{
    uint64_t until = os_monotonic_ns(os_linux()) + 5 * MS;
    while (os_monotonic_ns(os_linux()) < until) {
        uv_run(loop_uv(bench->loop), UV_RUN_ONCE);
        settle(bench);
    }
}

static void quick_events_wait_for_workers_that_are_busy_in_their_order(void **state)
{
    (void)state;
    Bench *bench = open_used(100 * US);
    for (size_t i = 0; i < 10; i++)
        ask(bench, i);
    assert_int_equal(stage.count, 2);
    assert_int_equal(counts(bench).busy, 2);
    assert_int_equal(counts(bench).waiting, 8);
    take_and_answer(bench, actor(1), &bench->asked[0], 100 * US);
    for (size_t i = 1; i < 10; i++)
        take_and_answer(bench, actor(i % 2 == 1 ? 0 : 1), &bench->asked[i], 100 * US);
    assert_int_equal(stage.count, 2);
    assert_int_equal(counts(bench).waiting, 0);
    bench_close(bench);
}

static void what_an_event_waits_is_none_of_its_own_time(void **state)
{
    (void)state;
    Bench *bench = open_used(100 * US);
    for (size_t i = 0; i < 3; i++)
        ask(bench, i);
    clock_ns += 900 * US;
    take_and_answer(bench, actor(1), &bench->asked[0], 0);
    take_and_answer(bench, actor(1), &bench->asked[2], 100 * US);
    assert_int_equal(bench->asked[2].invocation.duration_us, 100);
    bench_close(bench);
}

static void handlers_that_wait_for_something_scale_out_at_once(void **state)
{
    (void)state;
    Bench *bench = open_used(2 * MS);
    for (size_t i = 0; i < 10; i++)
        ask(bench, i);
    assert_int_equal(stage.count, 10);
    bench_close(bench);
}

static void the_first_events_scale_out_step_by_step(void **state)
{
    (void)state;
    Bench *bench = bench_open(two_processors);
    clock_ns = os_monotonic_ns(os_linux());
    for (size_t i = 0; i < 10; i++)
        ask(bench, i);
    assert_int_equal(stage.count, 4); /* at once */
    for (size_t before = 4; stage.count < 10; before = stage.count) {
        let_it_look(bench);
        assert_true(stage.count > before);
    }
    assert_int_equal(counts(bench).waiting, 10);
    bench_close(bench);
}

static void a_sudden_load_of_quick_events_needs_no_worker_for_each(void **state)
{
    (void)state;
    enum { MANY = 50 };
    Bench *bench = bench_open(two_processors);
    clock_ns = os_monotonic_ns(os_linux());
    for (size_t i = 0; i < MANY; i++)
        ask(bench, i);
    make_ready(bench, actor(0));
    make_ready(bench, actor(1));
    for (size_t i = 0; i < MANY; i++)
        take_and_answer(bench, actor(i % 2), &bench->asked[i], 100 * US);
    assert_true(stage.count < MANY); /* those of the milliseconds that this takes, at most */
    assert_int_equal(counts(bench).waiting, 0);
    bench_close(bench);
}

static void slow_events_among_quick_ones_hold_up_nobody_for_long(void **state)
{
    (void)state;
    Bench *bench = open_used(100 * US);
    for (size_t i = 0; i < 4; i++)
        ask(bench, i);
    let_it_look(bench); /* time stands still: nothing is slow */
    assert_int_equal(stage.count, 2);
    clock_ns += 4 * MS; /* the first two go on */
    let_it_look(bench);
    assert_int_equal(stage.count, 4);
    make_ready(bench, actor(2));
    make_ready(bench, actor(3));
    take_and_answer(bench, actor(2), &bench->asked[2], 100 * US);
    take_and_answer(bench, actor(3), &bench->asked[3], 100 * US);
    /* Both processors are at the disposal of quick ones, however many slow ones there are. */
    Asked *next = ask(bench, 4);
    assert_int_equal(counts(bench).busy, 3);
    take_and_answer(bench, actor(3), next, 100 * US);
    bench_close(bench);
}

static void events_that_have_all_become_slow_scale_out_soon(void **state)
{
    (void)state;
    enum { MANY = 60 };
    Bench *bench = open_used(100 * US);
    for (size_t i = 0; i < MANY; i++)
        ask(bench, i);
    for (int turns = 0; stage.count < MANY && turns < 10; turns++) {
        clock_ns += 4 * MS;
        let_it_look(bench);
        for (size_t i = 2; i < stage.count; i++)
            if (actor(i)->alive) {
                FrameKind kind;
                if (actor_take(actor(i), &kind, &bench->arena, NULL) && kind == FRAME_INIT)
                    actor_send(actor(i), FRAME_READY, SLICE(""));
            }
        settle(bench);
    }
    assert_int_equal(stage.count, MANY);
    bench_close(bench);
}

static void who_has_waited_for_long_gets_one_worker_more(void **state)
{
    (void)state;
    Bench *bench = open_used(100 * US);
    for (size_t i = 0; i < 30; i++)
        ask(bench, i);
    size_t answered = 0;
    Actor *free[2] = {actor(1), actor(0)};
    for (; answered < 12; answered++) /* 6 ms of work at full speed, of 15 */
        take_and_answer(bench, free[answered % 2], &bench->asked[answered], 500 * US);
    let_it_look(bench);
    assert_true(stage.count > 2);
    bench_close(bench);
}

static void who_is_patient_can_leave(void **state)
{
    (void)state;
    Bench *bench = open_used(100 * US);
    for (size_t i = 0; i < 4; i++)
        ask(bench, i);
    invoker_cancel(bench->invoker, &bench->asked[2].invocation);
    settle(bench);
    assert_int_equal(bench->asked[2].done, 1);
    assert_int_equal(bench->asked[2].invocation.refusal, INVOKE_GONE);
    take_and_answer(bench, actor(1), &bench->asked[0], 100 * US);
    take_and_answer(bench, actor(1), &bench->asked[3], 100 * US);
    bench_close(bench);
}

static void who_is_patient_gets_a_worker_when_the_busy_ones_die(void **state)
{
    (void)state;
    Bench *bench = open_used(100 * US);
    for (size_t i = 0; i < 4; i++)
        ask(bench, i);
    actor_exit(actor(0), 1, false);
    actor_exit(actor(1), 1, false);
    settle(bench);
    assert_int_equal(stage.count, 4);
    for (size_t i = 2; i < 4; i++)
        make_ready(bench, actor(i));
    for (size_t i = 2; i < 4; i++)
        take_and_answer(bench, actor(i), &bench->asked[i], 100 * US);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_events_wait_for_workers_that_are_busy_in_their_order),
        cmocka_unit_test(what_an_event_waits_is_none_of_its_own_time),
        cmocka_unit_test(handlers_that_wait_for_something_scale_out_at_once),
        cmocka_unit_test(the_first_events_scale_out_step_by_step),
        cmocka_unit_test(a_sudden_load_of_quick_events_needs_no_worker_for_each),
        cmocka_unit_test(slow_events_among_quick_ones_hold_up_nobody_for_long),
        cmocka_unit_test(events_that_have_all_become_slow_scale_out_soon),
        cmocka_unit_test(who_has_waited_for_long_gets_one_worker_more),
        cmocka_unit_test(who_is_patient_can_leave),
        cmocka_unit_test(who_is_patient_gets_a_worker_when_the_busy_ones_die),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

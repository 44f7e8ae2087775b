/* Rates of requests: a bucket against a naive one that counts tokens, and many threads at one account. */
#include "aws/wire/throttle.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint64_t second_ns = 1000000000;
static const uint64_t start_ns = 77 * 1000000000ull;

/* How many of `tries` requests, one each `step_ns`, are let through. */
static unsigned admitted(Pace pace, uint64_t *full_ns, uint64_t *now_ns, unsigned tries, uint64_t step_ns)
{
    unsigned count = 0;
    for (unsigned i = 0; i < tries; i++, *now_ns += step_ns)
        count += pace_admits(pace, full_ns, *now_ns);
    return count;
}

static void no_rate_is_no_limit(void **state)
{
    (void)state;
    uint64_t full_ns = 0;
    uint64_t now_ns = start_ns;
    assert_int_equal(admitted((Pace){0, 5}, &full_ns, &now_ns, 1000, 0), 1000);
}

static void a_burst_passes_and_then_the_rate_holds(void **state)
{
    (void)state;
    Pace pace = {.rate = 100, .burst = 7};
    uint64_t full_ns = 0;
    uint64_t now_ns = start_ns;
    assert_int_equal(admitted(pace, &full_ns, &now_ns, 50, 0), 7);
    /* Ten seconds; the first is let through after a hundredth of one. */
    assert_int_equal(admitted(pace, &full_ns, &now_ns, 10000, second_ns / 1000), 999);
    now_ns += second_ns; /* a pause fills it, but not over its brim */
    assert_int_equal(admitted(pace, &full_ns, &now_ns, 50, 0), 7);
}

static void without_a_burst_one_second_may_come_at_once(void **state)
{
    (void)state;
    uint64_t full_ns = 0;
    uint64_t now_ns = start_ns;
    assert_int_equal(admitted((Pace){30, 0}, &full_ns, &now_ns, 100, 0), 30);
}

static void the_largest_numbers_are_no_trap(void **state)
{
    (void)state;
    uint64_t full_ns = 0;
    uint64_t now_ns = start_ns;
    assert_int_equal(admitted((Pace){1, UINT64_MAX}, &full_ns, &now_ns, 1000, 0), 1000);
    full_ns = 0;
    assert_int_equal(admitted((Pace){UINT64_MAX, UINT64_MAX}, &full_ns, &now_ns, 1000, 0), 1000);
    full_ns = 0;
    assert_int_equal(admitted((Pace){UINT64_MAX, 1}, &full_ns, &now_ns, 1000, 0), 1000);
}

/* Random arrivals, against a bucket that holds tokens as a real number. */
static void it_decides_as_a_bucket_of_tokens_does(void **state)
{
    (void)state;
    Pace pace = {.rate = 50, .burst = 20};
    double tokens = 20;
    uint64_t full_ns = 0;
    uint64_t now_ns = start_ns;
    srandom(4711);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t step_ns = (uint64_t)random() % (second_ns / 20);
        now_ns += step_ns;
        tokens += (double)step_ns * 50 / 1e9;
        tokens = tokens > 20 ? 20 : tokens;
        bool admits = pace_admits(pace, &full_ns, now_ns);
        if (tokens > 1 + 1e-6 || tokens < 1 - 1e-6) /* on the edge, rounding decides */
            assert_int_equal(admits, tokens >= 1);
        tokens -= admits ? 1 : 0;
    }
}

static void accounts_do_not_share_a_rate(void **state)
{
    (void)state;
    Throttle *throttle = throttle_open();
    Pace pace = {.rate = 10, .burst = 3};
    for (unsigned account = 0; account < 500; account++) {
        char text[13];
        snprintf(text, sizeof text, "%012u", account * 7919);
        unsigned count = 0;
        for (unsigned i = 0; i < 10; i++)
            count += throttle_admits(throttle, slice_of_string(text), pace, start_ns);
        assert_int_equal(count, 3);
    }
    throttle_close(throttle);
}

/* Ever new account ids, as anyone may make up where no signature is asked for, cost no memory and lock nobody out: they
 * come one a millisecond, so that older buckets are full again. */
static void accounts_that_come_and_go_take_no_place_for_ever(void **state)
{
    (void)state;
    Throttle *throttle = throttle_open();
    Pace pace = {.rate = 1000, .burst = 1};
    for (unsigned account = 0; account < 100000; account++) {
        char text[13];
        snprintf(text, sizeof text, "%012u", account);
        uint64_t now_ns = start_ns + account * (second_ns / 1000);
        assert_true(throttle_admits(throttle, slice_of_string(text), pace, now_ns));
        assert_false(throttle_admits(throttle, slice_of_string(text), pace, now_ns));
    }
    throttle_close(throttle);
}

/* ---- Threads ---- */

enum { THREADS = 4, TRIES = 200000, BURST = 12345 };

static Throttle *shared;
static atomic_uint passed;

static void *flood(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < TRIES; i++)
        if (throttle_admits(shared, SLICE("123456789012"), (Pace){1, BURST}, start_ns))
            atomic_fetch_add(&passed, 1);
    return NULL;
}

/* The clock stands, so that the burst is all that may pass; threads that find the account's first request at the same
 * moment may each begin a bucket, of which one is used on. */
static void threads_together_pass_no_more_than_one_would(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    shared = throttle_open();
    assert_true(throttle_admits(shared, SLICE("123456789012"), (Pace){1, BURST}, start_ns));
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, flood, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&passed), BURST - 1);
    throttle_close(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(a_burst_passes_and_then_the_rate_holds),
        cmocka_unit_test(without_a_burst_one_second_may_come_at_once),
        cmocka_unit_test(the_largest_numbers_are_no_trap),
        cmocka_unit_test(it_decides_as_a_bucket_of_tokens_does),
        cmocka_unit_test(accounts_do_not_share_a_rate),
        cmocka_unit_test(accounts_that_come_and_go_take_no_place_for_ever),
        cmocka_unit_test(threads_together_pass_no_more_than_one_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "load.h"

#include <stdio.h>

/* Sixteen buckets for each power of two of nanoseconds: within 6 % of the truth. */
enum { STEPS = 16, BUCKETS = 64 * STEPS };

const char *const operation_names[OPERATIONS] = {
    [SEND] = "send", [RECEIVE] = "receive", [DELETE] = "delete", [WAKE] = "wake", [REFUSED] = "refused"};

static uint64_t buckets[OPERATIONS][BUCKETS];
static uint64_t totals[OPERATIONS];

void stats_add(Operation operation, uint64_t ns)
{
    unsigned power = ns < STEPS ? 0 : 63 - (unsigned)__builtin_clzll(ns) - 3;
    uint64_t step = power == 0 ? ns : ns >> (power - 1);
    buckets[operation][power * STEPS + (step & (STEPS - 1))]++;
    totals[operation]++;
}

/* The lower end of a bucket; the inverse of the above. */
static double bucket_ns(unsigned bucket)
{
    unsigned power = bucket / STEPS;
    unsigned step = bucket % STEPS;
    return power == 0 ? step : (double)(STEPS + step) * (double)(1ull << (power - 1));
}

static double quantile_ms(Operation operation, double part)
{
    uint64_t below = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        below += buckets[operation][i];
        if ((double)below >= part * (double)totals[operation])
            return bucket_ns(i) / 1e6;
    }
    return 0;
}

void stats_print(void)
{
    for (Operation operation = 0; operation < OPERATIONS; operation++)
        if (totals[operation] > 0)
            printf("%s_p50 %.3f ms\n%s_p99 %.3f ms\n%s_count %llu requests\n", operation_names[operation],
                   quantile_ms(operation, 0.5), operation_names[operation], quantile_ms(operation, 0.99),
                   operation_names[operation], (unsigned long long)totals[operation]);
}

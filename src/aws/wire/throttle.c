#include "aws/wire/throttle.h"

#include "base/bug.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { SETS = 1024 /* a power of two */, WAYS = 4 };

/* A bucket that is full again is as good as a new one: its place may be taken by another account, so that a table of
 * fixed size forgets nothing, however many accounts come and go. */
typedef struct Bucket {
    atomic_uint_fast64_t account; /* its number and 1; 0: nobody's */
    atomic_uint_fast64_t full_ns;
} Bucket;

struct Throttle {
    Bucket buckets[SETS][WAYS];
};

Throttle *throttle_open(void)
{
    Throttle *throttle = calloc(1, sizeof *throttle);
    ASSERT(throttle != NULL);
    return throttle;
}

void throttle_close(Throttle *throttle)
{
    free(throttle);
}

/* When the bucket will be full after one request more; 0: there is no room for it. */
static uint64_t next_full(Pace pace, uint64_t full_ns, uint64_t now_ns)
{
    const uint64_t second_ns = 1000000000;
    uint64_t interval_ns = second_ns / pace.rate;
    uint64_t ahead_ns; /* how far the bucket may be from full */
    if (__builtin_mul_overflow(interval_ns, pace.burst != 0 ? pace.burst : pace.rate, &ahead_ns))
        ahead_ns = UINT64_MAX / 2;
    if (full_ns < now_ns)
        full_ns = now_ns;
    return full_ns + interval_ns > now_ns + ahead_ns ? 0 : full_ns + interval_ns;
}

bool pace_admits(Pace pace, uint64_t *full_ns, uint64_t now_ns)
{
    if (pace.rate == 0)
        return true;
    uint64_t next_ns = next_full(pace, *full_ns, now_ns);
    if (next_ns != 0)
        *full_ns = next_ns;
    return next_ns != 0;
}

/* The account's bucket, one that is full, or else that of another account which is closest to full: they share it
 * then. Two threads may take two places for one account; the first of them is found from then on. */
static Bucket *bucket_of(Throttle *throttle, uint64_t account)
{
    Bucket *set = throttle->buckets[(account * 0x9e3779b97f4a7c15u) >> 54 & (SETS - 1)];
    Bucket *fullest = set;
    for (Bucket *bucket = set; bucket < set + WAYS; bucket++) {
        if (atomic_load_explicit(&bucket->account, memory_order_relaxed) == account)
            return bucket;
        if (atomic_load_explicit(&bucket->full_ns, memory_order_relaxed) <
            atomic_load_explicit(&fullest->full_ns, memory_order_relaxed))
            fullest = bucket;
    }
    atomic_store_explicit(&fullest->account, account, memory_order_relaxed);
    return fullest;
}

bool throttle_admits(Throttle *throttle, Slice account, Pace pace, uint64_t now_ns)
{
    uint64_t number;
    if (pace.rate == 0)
        return true;
    bool digits = slice_parse_uint64(account, &number);
    ASSERT(digits);
    Bucket *bucket = bucket_of(throttle, number + 1);
    uint64_t full_ns = atomic_load_explicit(&bucket->full_ns, memory_order_relaxed);
    uint64_t next_ns;
    do
        next_ns = next_full(pace, full_ns, now_ns);
    while (next_ns != 0 && !atomic_compare_exchange_weak_explicit(&bucket->full_ns, &full_ns, next_ns,
                                                                  memory_order_relaxed, memory_order_relaxed));
    return next_ns != 0;
}

/* throttle.h: how often requests may come, by account and by connection.
 *
 * A token bucket is one number, the time at which it will be full again: each request moves that on by the interval
 * between two requests, and may not move it further ahead than the burst allows (the "generic cell rate algorithm" of
 * ITU-T I.371). So a bucket is exact over all loops with one compare-and-swap and no lock, which shares for each loop
 * would not be: the connections of one account may all lie on one loop. Who has no limit touches no bucket. */
#ifndef BRUME_AWS_WIRE_THROTTLE_H
#define BRUME_AWS_WIRE_THROTTLE_H

#include "base/limits.h"
#include "base/slice.h"

/* `rate` requests a second, after a pause up to `burst` at once; 0 as a rate: no limit, 0 as a burst: those of one
 * second. */
typedef struct Pace {
    uint64_t rate;
    uint64_t burst;
} Pace;

/* One request at `now_ns` on a clock that never goes back. `*full_ns` is the bucket, 0 at first, of one thread. False:
 * it comes too soon, and does not count. */
bool pace_admits(Pace pace, uint64_t *full_ns, uint64_t now_ns);

typedef struct Throttle Throttle;

Throttle *throttle_open(void);
void throttle_close(Throttle *throttle);

/* Any thread: one request of that account (12 digits). False: it comes too soon, and does not count. The accounts whose
 * buckets are not full are remembered, thousands of them; of more, some share a bucket. */
bool throttle_admits(Throttle *throttle, Slice account, Pace pace, uint64_t now_ns);

#endif

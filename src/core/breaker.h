/* breaker.h: circuit breakers: whether something that failed again and again is worth another try.
 *
 * A breaker is a record of the account, shared by all that look at it: mappings, and handlers through the module that the
 * runtimes bring. CLOSED: calls go through, failures in a row are counted; at `failure_threshold` it is OPEN: calls should
 * not be made; once `recovery_ms` have passed since, HALF_OPEN: one caller is let through as a probe, whose success closes
 * it, and whose failure opens it anew. A probe of which nothing is heard for another `recovery_ms` is given to another
 * caller. Time is the platform clock's.
 *
 * Bodies over a transaction, in the manner of queue.h; the home is the breaker. Reading one changes nothing. */
#ifndef BRUME_CORE_BREAKER_H
#define BRUME_CORE_BREAKER_H

#include "core/actor.h"
#include "core/core_error.h"
#include "store/store.h"

typedef enum BreakerState { BREAKER_CLOSED = 1, BREAKER_OPEN = 2, BREAKER_HALF_OPEN = 3 } BreakerState;

typedef struct Breaker {
    Slice account;
    Slice region;
    Slice name;                 /* 1 to 256 bytes; those of mappings begin with "mapping/" */
    uint64_t failure_threshold; /* failures in a row, at least 1 */
    uint64_t recovery_ms;
    BreakerState state; /* as it is at txn_now */
    uint64_t failures;  /* in a row */
    uint64_t opened_ms; /* when it was opened last; 0: never */
    uint64_t probe_ms;  /* when a probe was let through that has not ended; 0: none is under way */
} Breaker;

Home breaker_home(Slice account, Slice region, Slice name);

/* The one of `breaker`'s account, region and name, with its settings as the caller has filled them in (they are the
 * caller's to keep, and may be others each time); one that was never heard of is closed. */
Error breaker_read(Txn *txn, Breaker *breaker);
/* The same in a write: asks to be let through. `allowed`: make the call and tell its outcome; in HALF_OPEN it is the probe. */
Error breaker_enter(Txn *txn, Breaker *breaker, bool *allowed);
/* How a call ended. */
Error breaker_record(Txn *txn, Breaker *breaker, bool success);
/* When an open one will let a probe through, on the platform clock; 0: it lets calls through now. */
uint64_t breaker_opens_ms(const Breaker *breaker);
/* At most *count of those that have failed and have not been closed since, in the order of their names, from behind `after` on
 * (empty: from the first); *count becomes how many there are. Their settings are those of the last failure or probe. */
Error breaker_list(Txn *txn, Slice account, Slice region, Slice after, Breaker *breakers, size_t *count);
/* Forgets it: closed, as if it had never been heard of. */
Error breaker_forget(Txn *txn, Slice account, Slice region, Slice name);

#endif

/* body_work.h: what takes time with a large body (its hash, its decoding) is done by a worker of the pool, so that the loop
 * goes on with its other connections. Internal to wire.
 *
 * While a worker has the call, nobody else touches it or its arena; the loop's `on_gone` only notes that nobody waits. */
#ifndef BRUME_AWS_WIRE_BODY_WORK_H
#define BRUME_AWS_WIRE_BODY_WORK_H

#include "base/digest.h"
#include "base/error.h"
#include "base/task.h"

typedef struct CallState CallState;

typedef struct BodyWork {
    Task task;
    Error (*work)(CallState *state);
    void (*then)(CallState *state, Error error);
    Error result;
    unsigned char sha256[SHA256_SIZE]; /* of the body, once that was asked for */
} BodyWork;

/* Whether the call's body is one of those. */
bool body_is_large(const CallState *state);

/* Runs `work` and then, on the call's loop, `then` with what it gave: at once for a small body, else on a worker.
 * ERROR_BUSY: more wait for the workers than may. */
void body_work(CallState *state, Error (*work)(CallState *state), void (*then)(CallState *state, Error error));

/* A work: fills in work.sha256. */
Error body_hash(CallState *state);

#endif

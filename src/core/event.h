/* event.h: events that wait for a function: asynchronous invocations.
 *
 * An event is accepted by a transaction (a client's, or one of the platform: a mapping, a subscription, a topic), durable
 * before anyone is told, and stays stored until it has been processed, or has reached its dead-letter queue or its
 * destination, in one transaction with that. What runs at a moment is not stored: after a restart it runs again.
 *
 * Bodies over a transaction, in the manner of queue.h. Who runs them: core/event_runner.h; how often they are tried, and
 * where they go at last: core/event_config.h. */
#ifndef BRUME_CORE_EVENT_H
#define BRUME_CORE_EVENT_H

#include "core/function.h"

typedef struct FunctionEvent {
    Slice account; /* the function's */
    Slice region;
    Slice name;
    Slice qualifier;      /* absent: "$LATEST" */
    Slice request_id;     /* a UUID: the same in every attempt */
    Slice payload;        /* JSON */
    Slice trace;          /* the X-Ray header; absent: none */
    Slice client_context; /* JSON; absent: none */
    Slice tenant_id;      /* absent: none */
} FunctionEvent;

/* Accepts it. FUNCTION_NOT_FOUND, FUNCTION_VERSION_NOT_FOUND, FUNCTION_ALIAS_NOT_FOUND, and as function_target of a
 * function that can never take it. EVENT_TOO_LARGE: its payload passes LAMBDA_EVENT_BYTES. The home is the function. */
Error event_send(Txn *txn, const FunctionEvent *event);

/* What waits for a function, or runs. */
typedef struct EventCount {
    uint64_t events;
    bool more;          /* there are others, which were not counted */
    uint64_t oldest_ms; /* when the oldest of those was accepted; 0: there is none */
} EventCount;
/* Looks at a bounded number of keys. */
Error event_count(Txn *txn, const Function *function, EventCount *count);

/* TIMER_EVENT's body. */
Error event_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value);

#endif

/* event.h: events that wait for a function: asynchronous invocations.
 *
 * An event is accepted by a transaction (a client's, or one of the platform: a mapping, a subscription, a topic), durable
 * before anyone is told, and stays stored until it has been processed, or has reached its dead-letter queue or its
 * destination, in one transaction with that. What runs at a moment is not stored: after a restart it runs again. */
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
 * function that can never take it. The home is the function. */
Error event_send(Txn *txn, const FunctionEvent *event);

#endif

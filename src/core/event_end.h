/* event_end.h: what becomes of an event when an attempt at it has ended. For event*.c, and for whoever gives the dialect.
 *
 * Deciding is pure and needs no transaction: records are made then, which may be long. Settling is a body that does
 * everything that was decided, or nothing: an event has one outcome (Lambda developer guide, "How Lambda handles errors
 * and retries with asynchronous invocation", "Capturing records of Lambda asynchronous invocations"). */
#ifndef BRUME_CORE_EVENT_END_H
#define BRUME_CORE_EVENT_END_H

#include "core/event_record.h"
#include "core/queue.h"

enum {
    EVENT_RETRY_FIRST_MS = 60000,        /* after an error of the function */
    EVENT_RETRY_NEXT_MS = 120000,        /* after another one */
    EVENT_BACKOFF_MS = 1000,             /* after an attempt that the function never had; then twice as long … */
    EVENT_BACKOFF_MAX_MS = 300000,       /* … up to that */
    EVENT_ERROR_BYTES = 1024,            /* of an error's message that are kept; the same page, "dead-letter queue" */
    EVENT_DELIVERY_MS = 6 * 3600 * 1000, /* that a record or dead letter which cannot be delivered is kept */
    EVENT_DELIVERIES_MAX = 2, /* an event that failed goes to its dead-letter queue, and to its destination */
    EVENT_ATTRIBUTES_MAX = 3,
};

/* What is set for an event: by its configuration, and by the version that it ran on. */
typedef struct EventSettings {
    uint64_t retries;
    uint64_t age_ms;
    Slice on_success; /* ARNs; absent: nobody is told */
    Slice on_failure;
    Slice dead_letters;
} EventSettings;

typedef enum EventResult {
    EVENT_SUCCEEDED,
    EVENT_FAILED,         /* in the function */
    EVENT_REFUSED,        /* the function never had it: throttled, or it could not be started */
    EVENT_NO_CONCURRENCY, /* the function may not run at all */
    EVENT_LOOPED,         /* the function has come back to itself too often */
    EVENT_EXPIRED,        /* it was not tried: it is too old */
    EVENT_ORPHANED,       /* there is no such function any more */
} EventResult;

/* One attempt; slices as long as the outcome. */
typedef struct EventAttempt {
    EventResult result;
    Slice function_arn;  /* with its qualifier */
    Slice version;       /* that ran; absent: none did */
    Slice answer;        /* of the handler, or its error's document; absent: none ran */
    Slice trace;         /* of the run; absent: there was none */
    uint64_t error_code; /* as HTTP has it; 0: there was none */
    Slice error_message;
} EventAttempt;

typedef enum EventCondition {
    EVENT_CONDITION_SUCCESS,
    EVENT_CONDITION_RETRIES_EXHAUSTED,
    EVENT_CONDITION_AGE_EXCEEDED,
    EVENT_CONDITION_NO_CONCURRENCY,
} EventCondition;

/* What a destination is told of. */
typedef struct EventEnd {
    const StoredEvent *event;
    const EventAttempt *attempt;
    EventCondition condition;
    uint64_t invokes; /* how often a handler has had it */
    uint64_t now_ms;
} EventEnd;

/* How those who are told are spoken to. Pure; any thread. */
typedef struct EventDialect {
    /* The document for a destination, in the arena. */
    Slice (*record)(const EventEnd *end, Arena *arena);
    /* What an error's document says, in the arena. */
    Slice (*error_message)(Slice document, Arena *arena);
    /* The attributes of a dead letter; how many. */
    size_t (*attributes)(const StoredEvent *letter, MessageAttribute attributes[EVENT_ATTRIBUTES_MAX], Arena *arena);
} EventDialect;

typedef enum EventDelivered {
    EVENT_DELIVERED,
    EVENT_PUT_OFF,       /* it waits, and is tried again */
    EVENT_UNDELIVERABLE, /* it is given up */
} EventDelivered;

typedef struct EventOutcome {
    bool again; /* `next` is tried at `due_ms` */
    uint64_t due_ms;
    StoredEvent next;
    StoredEvent deliveries[EVENT_DELIVERIES_MAX];
    size_t delivery_count;
    /* Set by event_settle. */
    EventDelivered delivered[EVENT_DELIVERIES_MAX];
    Error reasons[EVENT_DELIVERIES_MAX]; /* why it was not delivered */
} EventOutcome;

/* Of an event that was to be run. What is made lies in the arena; the outcome refers to the event and the attempt.
 * `record_bytes`: of the largest record that can be delivered. */
void event_decide(const StoredEvent *event, const EventSettings *settings, const EventAttempt *attempt,
                  const EventDialect *dialect, uint64_t record_bytes, uint64_t now_ms, Arena *arena,
                  EventOutcome *outcome);
/* Of what was to be delivered: it is tried. */
void event_decide_delivery(const StoredEvent *event, EventOutcome *outcome);

/* A body: deletes the event, and does what was decided. The home is the function; queues that are sent to change with it. */
Error event_settle(Txn *txn, const StoredEvent *event, const EventDialect *dialect, EventOutcome *outcome);
/* Bytes and keys, about, that settling it writes. */
size_t event_settle_bytes(const EventOutcome *outcome);

#endif

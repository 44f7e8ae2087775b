/* event_runner.h: runs the events that wait for functions (core/event.h).
 *
 * One transaction is parked until there is something new; then the events of each function are read ahead, a few, and given
 * to the invoker, functions taking turns, so that one that has many does not keep the others waiting. What becomes of them
 * is made durable in groups, a function at a time. What is in memory is a copy: who is killed begins anew from the store.
 *
 * Of one function LAMBDA_EVENT_EXECUTIONS run at a time, and fewer once it has been throttled; a function holds no more
 * memory than is left for all others.
 *
 * An EventRunner belongs to the loop whose mailbox it was opened with, which is also the invoker's best; only
 * event_runner_stats is for any thread. */
#ifndef BRUME_CORE_EVENT_RUNNER_H
#define BRUME_CORE_EVENT_RUNNER_H

#include "core/account_limits.h"
#include "core/event_end.h"

typedef struct EventRunner EventRunner;

typedef struct EventRunnerOptions {
    Os *os;
    Store *store;
    Invoker *invoker;
    Mailbox *mailbox;
    const EventDialect *dialect;
    const Limits *limits;
    AccountLimits *account_limits; /* NULL: `limits` hold for every account */
    Log *log;                      /* NULL: nothing is logged */
} EventRunnerOptions;

/* Begins at once; the options are copied. */
EventRunner *event_runner_open(const EventRunnerOptions *options);
/* When the store has stopped and the loop does not run; before the invoker is closed. What the invoker still has is freed
 * when it is given back. */
void event_runner_close(EventRunner *runner);

typedef struct EventRunnerStats {
    uint64_t taken;                /* events that were seen for the first time */
    uint64_t succeeded;            /* events that a handler has processed */
    uint64_t retried;              /* attempts that are made again */
    uint64_t failed;               /* events that were given up, delivered or not */
    uint64_t dropped;              /* of those: nobody is told of them, or their function is gone */
    uint64_t dead_letters;         /* delivered to dead-letter queues */
    uint64_t records;              /* delivered to destinations */
    uint64_t dead_letter_errors;   /* attempts to deliver them that failed */
    uint64_t destination_failures; /* the same of records */
    uint64_t undeliverable;        /* dead letters and records that were given up */
    uint64_t held;                 /* events in memory: about to run, running, or ended */
    uint64_t oldest_ms;            /* the age of the oldest of them; 0: there is none */
} EventRunnerStats;
/* Any thread. */
void event_runner_stats(EventRunner *runner, EventRunnerStats *stats);

#endif

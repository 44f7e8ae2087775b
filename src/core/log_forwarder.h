/* log_forwarder.h: sends what groups take to the functions that have subscribed to it, and measures it.
 *
 * Whoever appends to a group with subscriptions or metric filters leaves a mark of the chunk, in the same transaction. One parked transaction
 * takes marks with their chunks; a worker thread matches, packs and measures, which may take long; and one transaction deletes
 * the marks and accepts the events (core/event.h): each chunk is sent once. What was measured is handed on after that: at most
 * once, and not when the process ends in between.
 *
 * What a function logs is not sent to that function: it would log that it was invoked, for ever. */
#ifndef BRUME_CORE_LOG_FORWARDER_H
#define BRUME_CORE_LOG_FORWARDER_H

#include "base/log.h"
#include "core/log_meter.h"
#include "core/log_subscription.h"
#include "os/work_pool.h"

/* What is sent of one chunk. */
typedef struct LogForward {
    const LogSubscription *subscription;
    Slice account; /* the group's */
    Slice group;
    Slice stream;
    const LogEntry *entries; /* those that match, at least one */
    size_t count;
} LogForward;

typedef struct LogForwarder LogForwarder;

typedef struct LogForwarderOptions {
    Store *store;
    Mailbox *mailbox; /* of the loop that it belongs to */
    WorkPool *pool;
    /* The payload of the event, JSON, in `arena`; on a worker thread. */
    Slice (*payload)(const LogForward *forward, Arena *arena);
    LogMeter *meter; /* of whoever opens; gets what metric filters find */
    Log *log;
} LogForwarderOptions;

/* Begins at once; the options are copied. */
LogForwarder *log_forwarder_open(const LogForwarderOptions *options);
/* When the store has stopped and the loop does not run. */
void log_forwarder_close(LogForwarder *forwarder);

/* In a transaction: whether the function logs into that group. */
Error log_forward_is_loop(Txn *txn, const LogGroup *group, const LogSubscription *subscription, bool *is_loop);

#endif

/* log_subscription.h: subscriptions of a group: to whom its events are sent as they are taken, and which of them.
 *
 * Bodies over a transaction, in the manner of log.h. Who sends them: core/log_forwarder.h. */
#ifndef BRUME_CORE_LOG_SUBSCRIPTION_H
#define BRUME_CORE_LOG_SUBSCRIPTION_H

#include "core/log.h"

enum { LOG_SUBSCRIPTIONS_MAX = 2 }; /* CloudWatch Logs quotas: subscription filters of a log group */

typedef struct LogSubscription {
    Slice name;
    Slice pattern;
    Slice destination; /* an ARN, which the dialect has checked */
    /* The function that it names. */
    Slice account;
    Slice region;
    Slice function;
    Slice qualifier; /* absent: none */
    Slice role_arn;  /* absent: none; the dialect's, as is the next */
    Slice distribution;
    uint64_t created_ms;
} LogSubscription;

/* Makes it, or changes the one of that name. LOG_SUBSCRIPTION_LIMIT. */
Error log_subscription_put(Txn *txn, LogGroup *group, LogSubscription *subscription);
/* LOG_SUBSCRIPTION_NOT_FOUND. */
Error log_subscription_delete(Txn *txn, LogGroup *group, Slice name);
/* All of the group, by name. */
Error log_subscription_list(Txn *txn, const LogGroup *group, LogSubscription subscriptions[LOG_SUBSCRIPTIONS_MAX],
                            size_t *count);

/* ---- For the forwarder ---- */

/* A chunk that waits to be sent and measured. */
typedef struct LogMark {
    Slice key;
    Slice account;
    Slice region;
    Slice group;
    uint64_t group_number;
    uint64_t sequence;
} LogMark;

/* The group has taken that chunk; nothing when it has no subscriptions and no metric filters. */
void log_mark_put(Txn *txn, const LogGroup *group, uint64_t sequence);
/* All of them, the oldest one first. */
KeyRange log_marks(Txn *txn);
/* What a key and its value say; its slices lie where these do. */
Error log_mark_read(Txn *txn, Slice key, Slice value, LogMark *mark);

#endif

/* poller.h: reads the sources of event source mappings, and feeds functions.
 *
 * Each enabled mapping has a poller: one transaction that takes a batch of records, or waits for some without costing
 * more than its own few hundred bytes; then, when that is durable, the function is invoked with the batch's document; and
 * another transaction settles what was processed. Effects never happen inside a body, and no record is given up before
 * that transaction: whatever is killed in between is read again. How many batches are under way at a time grows while
 * there is more to read, and shrinks when they fail (Lambda developer guide, "Configuring scaling behavior for SQS event
 * source mappings").
 *
 * Which pollers there are follows from what is stored: marks of changes (mapping.h) start, change and stop them.
 * All of it lives on the loop whose mailbox it was opened with; pollers_stop and pollers_stats are for any thread. */
#ifndef BRUME_CORE_POLLER_H
#define BRUME_CORE_POLLER_H

#include "core/account_limits.h"
#include "core/invoker.h"
#include "core/mapping.h"
#include "core/queue.h"
#include "os/work_pool.h"

/* What records are like in the documents that functions get: the words of the source's own dialect. */
typedef struct PollerDialect {
    /* Adds one message's record, at most POLLER_RECORD_BYTES and twice its size (message_size_bytes). `for_filters`: a
     * body that is a JSON object or array stands in it as such, for patterns to look into. */
    void (*add_message)(Buffer *out, Slice source_arn, Slice region, const ReceivedMessage *message, bool for_filters);
} PollerDialect;
enum { POLLER_RECORD_BYTES = 3072 };

typedef struct PollersOptions {
    Store *store;
    Invoker *invoker;
    Mailbox *mailbox;
    WorkPool *pool; /* for filters that take long; NULL: the loop does that, too */
    Os *os;
    AccountLimits *limits;
    const PollerDialect *dialect;
    Log *log; /* NULL: nothing is logged */
} PollersOptions;

typedef struct PollersStats {
    uint64_t pollers;  /* of mappings that are enabled */
    uint64_t running;  /* batches with their functions */
    uint64_t batches;  /* ended */
    uint64_t failures; /* of them: whose function failed, or said so of the whole batch */
    uint64_t throttles;
    uint64_t records;         /* processed, and so given up by their source */
    uint64_t record_failures; /* given back to their source */
    uint64_t filtered;        /* dropped by filters */
    uint64_t breaker_opened;
} PollersStats;

typedef struct Pollers Pollers;

/* Begins at once. */
Pollers *pollers_open(const PollersOptions *options);
/* From now on nothing more is taken; what runs is settled. */
void pollers_stop(Pollers *pollers);
/* When the store has stopped and the loop does not run. The store's last words may still be in the mailbox: what they
 * belong to is freed when they are delivered. */
void pollers_close(Pollers *pollers);
void pollers_stats(const Pollers *pollers, PollersStats *stats);

#endif

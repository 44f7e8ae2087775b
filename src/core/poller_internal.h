/* poller_internal.h: one poller and its batches; private to core/poller*.c. */
#ifndef BRUME_CORE_POLLER_INTERNAL_H
#define BRUME_CORE_POLLER_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "core/agent.h"
#include "core/pattern.h"
#include "core/poller.h"
#include "core/run.h"

enum {
    POLLER_SLOTS_START = 5,  /* batches at a time, at first … */
    POLLER_SLOTS_GROWTH = 5, /* … and as many more each second: 300 a minute */
    POLLER_SLOTS_MAX =
        1250, /* (Lambda developer guide, "Configuring scaling behavior for SQS event source mappings") */
    POLLER_SLOTS_OF_ONE = 10, /* of a provisioned poller (same page, "Configuring provisioned mode") */
    POLLER_PAGE = 1000,       /* records that one transaction takes or settles */
    POLLER_MORE_MAX = 8,      /* takes beside the one that waits */
};

/* ---- Sources ---- */

/* What is to be taken. */
typedef struct PollerAsk {
    size_t max;
    uint64_t bytes_max;
    uint64_t wait_ms;
    bool gathering; /* to a batch that has records */
    bool at_once;   /* what there is, without a wait */
} PollerAsk;

/* What was. */
typedef struct PollerRecords {
    ReceivedMessage *messages;
    size_t count;
    uint64_t hidden_until_ms; /* on the platform clock: then others may take them */
} PollerRecords;

/* A record of a batch: how it is called in an answer, and how it is settled. */
typedef struct PollerItem {
    Slice id;
    Slice handle;
    bool filtered; /* the function has not seen it */
    bool failed;
} PollerItem;

/* One row for each kind of source. */
typedef struct PollerSource {
    /* Takes records into `arena`, or waits for some (ERROR_WAIT). MAPPING_SOURCE_NOT_FOUND. */
    Error (*take)(Txn *txn, const Mapping *mapping, const PollerAsk *ask, const Limits *limits, Arena *arena,
                  PollerRecords *records);
    /* Adds the record's document. */
    void (*add)(const PollerDialect *dialect, Buffer *out, const Mapping *mapping, const PollerRecords *records,
                size_t index, bool for_filters);
    void (*describe)(Arena *arena, const PollerRecords *records, size_t index, PollerItem *item);
    /* The X-Ray header that came with it; absent: none. */
    Slice (*trace)(const PollerRecords *records, size_t index);
    /* Gives up those that have not failed. Those that the source has no more, or has given to others, are no error. */
    Error (*settle)(Txn *txn, const Mapping *mapping, const PollerItem *items, size_t count);
} PollerSource;

extern const PollerSource poller_queue;

/* ---- Pollers ---- */

typedef enum PollerTotal {
    POLLER_POLLERS,
    POLLER_RUNNING,
    POLLER_BATCHES,
    POLLER_FAILURES,
    POLLER_THROTTLES,
    POLLER_RECORDS,
    POLLER_RECORD_FAILURES,
    POLLER_FILTERED,
    POLLER_BREAKER_OPENED,
    POLLER_TOTALS,
} PollerTotal;

struct Pollers {
    Agent agent; /* waits for marks of mappings */
    PollersOptions options;
    Map pollers; /* of Poller, by account, region and UUID */
    List batches;
    atomic_uint_fast64_t totals[POLLER_TOTALS];
    atomic_bool stopping;
    bool closed;  /* freed as soon as all calls are back */
    size_t calls; /* of pollers and batches, with the store or the invoker; and one of the agent */
    /* Left by the agent's transaction. */
    struct PollerNews *news;
    size_t news_count;
};

/* What a take has left, in the arena of its call. */
typedef enum TakeOutcome {
    TAKE_RECORDS,
    TAKE_AGAIN,     /* what there was went elsewhere */
    TAKE_TIMED_OUT, /* the wait is over */
    TAKE_REST,      /* nothing is to be taken until the next mark */
    TAKE_LATER,     /* it is in vain now; the mapping tells why */
} TakeOutcome;

typedef struct Taken {
    Mapping mapping;
    PollerRecords records;
    Run run;
    Slice trace;
} Taken;

/* A transaction that takes. */
typedef struct Take {
    StoreCall call;
    struct Poller *poller;
    PollerAsk ask;
    TakeOutcome outcome;
    Taken *taken;
} Take;

typedef struct Poller {
    Take take;   /* takes, or rests for a while */
    Arena arena; /* of the call, while no batch is being gathered: a waiting poller's is empty */
    Pollers *pollers;
    struct Batch *gathering; /* NULL: none is */
    const PatternSet *filters;
    Arena *filter_arena; /* NULL: filters are not compiled */
    Slice account;
    Slice region;
    Slice uuid;
    uint64_t asked_ns;
    uint64_t grown_ns; /* when `slots` was changed last */
    uint32_t rest_ms;
    uint32_t slots;
    uint32_t running; /* batches that are taken beside, or are under way */
    uint32_t more;    /* of them: that are taken */
    bool wanted;
    bool calling; /* the call is the store's */
    bool held;    /* it is at work on what came back: nothing is begun, or freed, meanwhile */
    char text[];
} Poller;

typedef struct Batch {
    Take take; /* of one that is taken beside; then the call settles, or waits for another try */
    Arena arena;
    ListNode node;
    Poller *poller;
    Mapping mapping;
    Run run;
    Invocation invocation;
    Buffer payload;
    /* Those taken last, the last items: */
    PollerRecords records;
    size_t sifted;                  /* how many of them filters have looked at */
    const PatternSet *pool_filters; /* of its own, in its arena; NULL: the loop has sufficed so far */
    Task task;
    PollerItem *items;
    size_t count;
    size_t room;
    size_t matched; /* the function sees them */
    size_t settled;
    Slice trace;
    uint64_t gathered_by_ns;
    uint64_t hidden_until_ms;
    unsigned attempts;
    bool failed;
    bool opened; /* its failure opened the breaker */
} Batch;

/* Something that was under way is back. True: all that there was has been closed, and this must not be touched any more. */
bool pollers_back(Pollers *pollers);
void poller_count(Pollers *pollers, PollerTotal total, int64_t change);
const PollerSource *poller_source(const Mapping *mapping);

/* ---- One poller (poller.c) ---- */

Poller *poller_make(Pollers *pollers, const MappingOwner *owner);
/* Takes what there is, unless it does, may not, or has enough under way. Frees a poller that is not wanted any more and
 * of which nothing is under way. */
void poller_go(Poller *poller);
/* The mapping has changed. */
void poller_renew(Poller *poller, bool wanted);
/* Frees it, with nothing under way. */
void poller_free(Poller *poller);
/* The body of a wait for nothing, a timer on the wall clock. */
Error poller_rest(Txn *txn, uint64_t rest_ms);
/* The batch is not the poller's business any more; `failed`: its function could not do it. */
void poller_ended(Poller *poller, bool failed);

/* ---- Its batches (poller_batch.c) ---- */

/* One of the records that the poller's arena holds, and takes over; it may be empty. */
Batch *batch_make(Poller *poller, Arena *arena);
/* Takes over what was taken: its records, the mapping and the run as they are now. */
void batch_add(Batch *batch, Taken *taken);
/* As many records as it may have, or as much of a document. */
bool batch_is_full(const Batch *batch);
/* What it still wants. */
PollerAsk batch_ask(const Batch *batch);
/* What is to be taken for a batch that has so many records in a document of that size. */
PollerAsk batch_room(const Mapping *mapping, const Limits *limits, size_t count, size_t document_bytes);
/* Runs it: the batch is its own from here on. */
void batch_start(Batch *batch);
void batch_free(Batch *batch);
/* Compiles the mapping's filters, unless they are; none of a mapping without. */
const PatternSet *poller_filters(Poller *poller, const Mapping *mapping);
/* Compiles them into `arena`, with texts that outlive it. */
const PatternSet *mapping_filters_compile(const Mapping *mapping, Arena *arena);

/* ---- What filters let through (poller_sift.c) ---- */

/* Looks at the records that were added last, and puts those into the document that filters (NULL: there are none) let through, as far as that is quick. */
void batch_sift(Batch *batch, const PatternSet *filters);
/* Whether it got through them. If not, nothing more can be added. */
bool batch_is_sifted(const Batch *batch);
/* Goes on with the pool; then the batch is started. */
void batch_sift_rest(Batch *batch);

/* ---- Answers (poller_answer.c) ---- */

/* Reads which records have failed, and marks them. False: all have (Lambda developer guide, "Handling errors for an SQS
 * event source", success and failure conditions). */
bool poller_read_answer(Slice answer, Arena *arena, PollerItem *items, size_t count);

#endif

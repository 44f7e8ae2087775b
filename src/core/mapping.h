/* mapping.h: event source mappings: which source's records a function is to be given, and how.
 *
 * Bodies over a transaction, in the manner of queue.h: slices given back lie in the transaction's arena. All mappings of
 * an account and region have one home. A change is acknowledged in a state of its own (CREATING, UPDATING …), which
 * settles MAPPING_SETTLE_MS later; whoever acts on mappings (poller.h) is told by a mark of each change. */
#ifndef BRUME_CORE_MAPPING_H
#define BRUME_CORE_MAPPING_H

#include "core/breaker.h"
#include "core/function.h"

enum { MAPPING_SETTLE_MS = 100 }; /* nothing has to be set up, so that it is short */

typedef enum MappingState {
    MAPPING_CREATING = 1,
    MAPPING_ENABLING = 2,
    MAPPING_ENABLED = 3,
    MAPPING_DISABLING = 4,
    MAPPING_DISABLED = 5,
    MAPPING_UPDATING = 6,
    MAPPING_DELETING = 7,
    MAPPING_STATES,
} MappingState;

/* What kind of source it is: poller.h has operations for each. */
typedef enum MappingSource { MAPPING_QUEUE = 1, MAPPING_SOURCES } MappingSource;

typedef struct Mapping {
    Slice account;
    Slice region;
    Slice uuid;
    MappingSource source;
    Slice source_arn;  /* as the dialect names it */
    Slice source_name; /* the queue's name, of the mapping's account and region */
    Slice function;    /* its name, of the same */
    Slice qualifier;   /* absent: none was given */
    bool enabled;      /* as its owner wants it */
    MappingState state;
    uint64_t modified_ms;
    Slice problem; /* why the last attempt to read or to run was in vain; absent: it was not */
    /* What a batch is. */
    uint64_t batch_size;
    uint64_t window_ms; /* that a batch may be gathered for */
    Slice *filters;     /* patterns of events: a record that none of them matches is dropped; none: all are taken */
    size_t filter_count;
    bool reports_failures; /* the function says which records of a batch have failed */
    uint64_t concurrency;  /* batches at a time; 0: as many as there is demand for */
    uint64_t pollers_min;  /* provisioned; 0: none are */
    uint64_t pollers_max;  /* the same */
    uint64_t threshold;    /* failures in a row that open its breaker; 0: it has none */
    uint64_t recovery_ms;  /* of its breaker */
    Labels tags;
} Mapping;

Home mapping_home(Slice account, Slice region);

/* Makes one of what the caller filled in: all but uuid, state, modified_ms and problem, which are filled in here.
 * MAPPING_EXISTS: the function has one of that source; its UUID is in `mapping`. */
Error mapping_create(Txn *txn, Mapping *mapping);
/* UUIDs are written with small or large letters. MAPPING_NOT_FOUND. */
Error mapping_get(Txn *txn, Slice account, Slice region, Slice uuid, Mapping *mapping);
/* Keeps what was changed of `enabled`, the function and what a batch is. MAPPING_BUSY: it is being created, changed or
 * deleted; MAPPING_EXISTS: as above. */
Error mapping_change(Txn *txn, Mapping *mapping);
/* Keeps what was changed of tags, and of the breaker that they describe. MAPPING_BUSY: it is being deleted. */
Error mapping_put_tags(Txn *txn, const Mapping *mapping);
/* Keeps the problem alone, which tells of no change. */
void mapping_put_problem(Txn *txn, const Mapping *mapping);
/* It is gone MAPPING_SETTLE_MS later; from now on the function may have another of that source. MAPPING_BUSY: it is being
 * changed, or deleted. */
Error mapping_delete(Txn *txn, Mapping *mapping);

/* There is such a source now, or none any more: those that read it look again. */
Error mapping_source_changed(Txn *txn, MappingSource source, Slice account, Slice region, Slice source_name);

/* Which ones a list is about; absent: all. */
typedef struct MappingFilter {
    Slice source_arn;
    Slice function; /* with `qualifier`, which is absent for the function itself */
    Slice qualifier;
} MappingFilter;
/* By UUID. */
Error mapping_list(Txn *txn, Slice account, Slice region, const MappingFilter *filter, FunctionPage *page,
                   Mapping **mappings, size_t *count);

/* Whether records are read for it. */
bool mapping_is_active(const Mapping *mapping);

/* How old the source's oldest record is; 0: it has none. MAPPING_SOURCE_NOT_FOUND. */
Error mapping_lag(Txn *txn, const Mapping *mapping, uint64_t *lag_ms);

/* The breaker, with its settings and as it is now; closed when the mapping has none. */
Error mapping_breaker(Txn *txn, const Mapping *mapping, Breaker *breaker);
/* Has the mapping looked at again at that time, on the platform clock: its breaker may let something through then. */
void mapping_wake_at(Txn *txn, const Mapping *mapping, uint64_t due_ms);

/* TIMER_MAPPING's body. */
Error mapping_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value);

/* ---- For whoever acts on them ---- */

typedef struct MappingOwner {
    Slice account;
    Slice region;
    Slice uuid;
} MappingOwner;

/* Keys that are put when something has changed since mapping_mark_clear. */
KeyRange mapping_marks(Txn *txn);
/* A key for each mapping that there is. */
KeyRange mapping_owners(Txn *txn);
/* Whose key it is, of either range; in the arena. */
Error mapping_owner_read(Txn *txn, Slice key, Arena *arena, MappingOwner *owner);
void mapping_mark_clear(Txn *txn, const MappingOwner *owner);

#endif

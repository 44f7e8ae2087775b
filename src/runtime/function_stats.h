/* function_stats.h: what is counted of each function since the server started: invocations, errors, throttles, and how
 * long handlers and init phases took.
 *
 * Counted on the runtime's loop, read from any thread. Counts stay when a function's workers go, and when it is deleted: a
 * counter never falls. Past FUNCTION_STATS_MAX functions the others are counted together, under no name. */
#ifndef BRUME_RUNTIME_FUNCTION_STATS_H
#define BRUME_RUNTIME_FUNCTION_STATS_H

#include "base/map.h"
#include "core/invoker.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    FUNCTION_STATS_MAX = 2000,
    DURATION_BOUNDS = 15,
};

/* Microseconds, ascending: what a duration is counted under is the first that is not less. */
extern const uint64_t duration_bounds_us[DURATION_BOUNDS];

typedef struct Durations {
    _Atomic uint64_t counts[DURATION_BOUNDS + 1]; /* the last: longer than all bounds */
    _Atomic uint64_t total_us;
} Durations;

/* Of one function. */
typedef struct FunctionStats {
    Slice account; /* empty, as region and name: of the others together */
    Slice region;
    Slice name;
    _Atomic uint64_t invocations;
    _Atomic uint64_t errors;
    _Atomic uint64_t throttles;
    _Atomic uint64_t cold_starts;
    _Atomic uint64_t concurrency; /* invocations now, those that wait for a worker among them */
    Durations duration;           /* of handlers */
    Durations init;               /* of init phases */
} FunctionStats;

/* All of them. */
typedef struct FunctionStatsTable {
    pthread_mutex_t lock; /* of the map, when it changes or is walked from another thread */
    Map by_function;
    Arena arena;
    FunctionStats others;
} FunctionStatsTable;

void function_stats_open(FunctionStatsTable *table, MapSeed seed);
void function_stats_close(FunctionStatsTable *table);

/* The function's, for as long as the table; on the runtime's loop. */
FunctionStats *function_stats_of(FunctionStatsTable *table, const WorkerSpec *spec);

void function_stats_took(Durations *durations, uint64_t took_us);

static inline void function_stats_add(_Atomic uint64_t *count, int64_t more)
{
    atomic_fetch_add_explicit(count, (uint64_t)more, memory_order_relaxed);
}

/* Calls `each` for every function that was counted. Any thread; nothing else of this page within. */
void function_stats_each(FunctionStatsTable *table, void (*each)(void *user, FunctionStats *stats), void *user);

#endif

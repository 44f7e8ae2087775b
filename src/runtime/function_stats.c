#include "runtime/function_stats.h"

const uint64_t duration_bounds_us[DURATION_BOUNDS] = {500,     1000,    2500,     5000,     10000,
                                                      25000,   50000,   100000,   250000,   500000,
                                                      1000000, 2500000, 10000000, 60000000, 300000000};

void function_stats_open(FunctionStatsTable *table, MapSeed seed)
{
    *table = (FunctionStatsTable){.by_function = map_make(seed), .arena = arena_make()};
    pthread_mutex_init(&table->lock, NULL);
}

void function_stats_close(FunctionStatsTable *table)
{
    map_free(&table->by_function);
    arena_free(&table->arena);
    pthread_mutex_destroy(&table->lock);
}

FunctionStats *function_stats_of(FunctionStatsTable *table, const WorkerSpec *spec)
{
    FunctionStats *stats = map_get(&table->by_function, spec->function);
    if (stats != NULL)
        return stats;
    if (table->by_function.count >= FUNCTION_STATS_MAX)
        return &table->others;
    pthread_mutex_lock(&table->lock);
    stats = ARENA_NEW(&table->arena, FunctionStats);
    stats->account = arena_copy(&table->arena, spec->account);
    stats->region = arena_copy(&table->arena, spec->region);
    stats->name = arena_copy(&table->arena, spec->name);
    map_put(&table->by_function, spec->function, stats);
    pthread_mutex_unlock(&table->lock);
    return stats;
}

void function_stats_took(Durations *durations, uint64_t took_us)
{
    unsigned i = 0;
    while (i < DURATION_BOUNDS && took_us > duration_bounds_us[i])
        i++;
    function_stats_add(&durations->counts[i], 1);
    function_stats_add(&durations->total_us, (int64_t)took_us);
}

void function_stats_each(FunctionStatsTable *table, void (*each)(void *user, FunctionStats *stats), void *user)
{
    size_t position = 0;
    const MapEntry *entry;
    pthread_mutex_lock(&table->lock);
    while ((entry = map_next(&table->by_function, &position)) != NULL)
        each(user, entry->value);
    pthread_mutex_unlock(&table->lock);
    if (atomic_load_explicit(&table->others.invocations, memory_order_relaxed) > 0)
        each(user, &table->others);
}

/* Which pools there are, and what is counted over several of them. */
#include "base/bug.h"
#include "runtime/runtime_internal.h"

#include <stdlib.h>

static Slice copy_out(Slice slice)
{
    char *copy = malloc(slice.size + 1);
    ASSERT(copy != NULL);
    if (slice.size > 0)
        memcpy(copy, slice.data, slice.size);
    return slice_make(copy, slice.size);
}

static Slice keep(Arena *arena, Slice slice)
{
    return slice.data == NULL ? slice : arena_copy(arena, slice);
}

/* ---- Tallies and lines ---- */

static Tally *find_tally(Map *map, Slice key)
{
    Tally *tally = map_get(map, key);
    if (tally == NULL) {
        tally = calloc(1, sizeof *tally);
        ASSERT(tally != NULL);
        map_put(map, key, tally);
    }
    return tally;
}

static Tally *find_account(Runtime *runtime, const WorkerSpec *spec)
{
    Arena scratch = arena_make();
    Tally *tally = find_tally(
        &runtime->accounts, arena_format(&scratch, "%.*s %.*s", SLICE_PRINT(spec->account), SLICE_PRINT(spec->region)));
    arena_free(&scratch);
    return tally;
}

static Line *find_line(Runtime *runtime, const WorkerSpec *spec)
{
    Line *line = map_get(&runtime->lines, spec->line);
    if (line != NULL)
        return line;
    line = calloc(1, sizeof *line);
    ASSERT(line != NULL);
    list_init(&line->pools);
    line->key = copy_out(spec->line);
    line->function_key = copy_out(spec->function);
    line->stats = function_stats_of(&runtime->function_stats, spec);
    pthread_mutex_lock(&runtime->lock);
    line->function = find_tally(&runtime->functions, spec->function);
    line->function->line_count++;
    map_put(&runtime->lines, spec->line, line);
    pthread_mutex_unlock(&runtime->lock);
    return line;
}

static void free_line(Runtime *runtime, Line *line)
{
    pthread_mutex_lock(&runtime->lock);
    map_remove(&runtime->lines, line->key);
    if (--line->function->line_count == 0)
        free(map_remove(&runtime->functions, line->function_key));
    pthread_mutex_unlock(&runtime->lock);
    free((char *)line->key.data);
    free((char *)line->function_key.data);
    free((char *)line->problem.data);
    free(line);
}

/* ---- Pools ---- */

void pool_stop_idle(Pool *pool)
{
    LIST_FOR_EACH(&pool->workers, node)
    {
        Worker *worker = CONTAINER_OF(node, Worker, in_pool);
        if (worker->state == WORKER_IDLE || (worker->state == WORKER_TEMPLATE && !pool_has_copies(pool)))
            worker_stop(worker);
    }
}

/* A newer revision has come, or none is wanted any more: what is busy goes behind its event. */
static void retire(Pool *pool)
{
    pool->retired = true;
    pool_keep_provisioned(pool, 0);
}

/* Which one is newer only the order of the calls tells: the one that is asked for. What has nothing to do is left to the
 * sweep: the end of a process takes as long as a start, and would hold up the one that is wanted now. */
static void retire_others(Pool *pool)
{
    pool->retired = false;
    LIST_FOR_EACH(&pool->line->pools, node)
    {
        Pool *other = CONTAINER_OF(node, Pool, in_line);
        if (other != pool && !other->retired && slice_equal(other->tenant, pool->tenant))
            retire(other);
    }
}

void pool_forget(Runtime *runtime, Slice function, Slice except)
{
    LIST_FOR_EACH(&runtime->all_pools, node)
    {
        Pool *pool = CONTAINER_OF(node, Pool, in_all);
        bool excepted = except.data != NULL && slice_starts_with(pool->spec.line, except);
        if (slice_equal(pool->spec.function, function) && !excepted) {
            credentials_forget(&runtime->credentials, &pool->spec);
            retire(pool);
            pool_stop_idle(pool);
        }
    }
}

void pool_forget_version(Runtime *runtime, Slice line)
{
    LIST_FOR_EACH(&runtime->all_pools, node)
    {
        Pool *pool = CONTAINER_OF(node, Pool, in_all);
        if (slice_equal(pool->spec.line, line)) /* its credentials are all versions' */
            retire(pool);
    }
}

static Pool *make_pool(Runtime *runtime, const WorkerSpec *spec, Slice tenant)
{
    Pool *pool = calloc(1, sizeof *pool);
    ASSERT(pool != NULL);
    pool->runtime = runtime;
    pool->spec = worker_spec_copy(spec, &pool->arena);
    pool->tenant = keep(&pool->arena, tenant);
    pool->line = find_line(runtime, &pool->spec);
    pool->account = find_account(runtime, &pool->spec);
    list_init(&pool->workers);
    list_init(&pool->idle);
    list_init(&pool->waiting);
    list_init(&pool->patient);
    list_init(&pool->busy);
    list_init(&pool->in_patient);
    list_push_back(&pool->line->pools, &pool->in_line);
    list_push_back(&runtime->all_pools, &pool->in_all);
    map_put(&runtime->pools, pool->spec.key, pool);
    return pool;
}

Pool *pool_find(Runtime *runtime, const WorkerSpec *spec, Slice tenant)
{
    Pool *pool = map_get(&runtime->pools, spec->key);
    if (pool != NULL && !pool->retired)
        return pool;
    if (pool == NULL)
        pool = make_pool(runtime, spec, tenant);
    retire_others(pool);
    return pool;
}

void pool_free(Pool *pool)
{
    Runtime *runtime = pool->runtime;
    list_remove(&pool->in_line);
    list_remove(&pool->in_all);
    map_remove(&runtime->pools, pool->spec.key);
    if (list_is_empty(&pool->line->pools))
        free_line(runtime, pool->line);
    arena_free(&pool->arena);
    free(pool);
}

void pool_set_problem(Pool *pool, Slice problem)
{
    Line *line = pool->line;
    if (problem.size == 0 && line->problem.data == NULL)
        return;
    pthread_mutex_lock(&pool->runtime->lock);
    free((char *)line->problem.data);
    line->problem = problem.size == 0 ? (Slice){0} : copy_out(problem);
    pthread_mutex_unlock(&pool->runtime->lock);
}

static void copy_counts(const Counts *counts, InvokerCounts *result)
{
    uint64_t value[COUNT_NAMES];
    for (unsigned i = 0; i < COUNT_NAMES; i++)
        value[i] = atomic_load_explicit(&counts->value[i], memory_order_relaxed);
    *result = (InvokerCounts){
        .workers = value[COUNT_WORKERS],
        .busy = value[COUNT_BUSY],
        .starting = value[COUNT_STARTING],
        .waiting = value[COUNT_WAITING],
        .provisioned_ready = value[COUNT_PROVISIONED_READY],
        .provisioned = value[COUNT_PROVISIONED],
    };
}

void pool_counts(Runtime *runtime, Slice function, Slice line_key, Arena *arena, InvokerCounts *counts)
{
    *counts = (InvokerCounts){0};
    pthread_mutex_lock(&runtime->lock);
    if (line_key.size > 0) {
        const Line *line = map_get(&runtime->lines, line_key);
        if (line != NULL)
            copy_counts(&line->counts, counts);
        if (line != NULL && line->problem.data != NULL)
            counts->provision_problem = arena_copy(arena, line->problem);
    } else {
        const Tally *tally = map_get(&runtime->functions, function);
        if (tally != NULL)
            copy_counts(&tally->counts, counts);
    }
    pthread_mutex_unlock(&runtime->lock);
}

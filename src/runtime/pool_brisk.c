/* Handlers that answer within a fraction of a millisecond: a further event is better off waiting for a worker that is busy
 * than with a process more, which would only take turns with the others on the same processors.
 *
 * A version is brisk when of late its workers had events for very short times only: the shortest time of late counts, as
 * it is the one that other processes' work blurs least. Then as many workers as there are processors are at work at once,
 * and further events are patient. A worker that has an event for longer than usual waits for something: it no longer
 * counts, and another takes its place. So a slow event among quick ones holds up others by HOLD_MAX_NS at the most. Who has
 * waited for WAIT_MAX_NS all the same is given one worker more, one of them in each millisecond.
 *
 * Of a version of which too few events have been answered to tell, some starts are made at once, and one more in each
 * millisecond: when the first workers turn out to be quick, the rest of a sudden load needs none of its own. The process that
 * makes workers takes longer than that for each, so that slow handlers lose nothing.
 *
 * A function's time runs from when its worker gets the event: who waits here loses none of it. */
#include "base/bug.h"
#include "runtime/runtime_internal.h"

#include <sched.h>
#include <stdlib.h>

enum {
    ANSWERED_MIN = 8,              /* events, before it is known what is usual */
    BRISK_NS = 500 * 1000,         /* the most that is brisk */
    HOLD_FACTOR = 8,               /* times the shortest: a worker that has an event for longer waits for something */
    HOLD_MIN_NS = 2 * 1000 * 1000, /* others' work may keep a quick one from its processor for that long */
    HOLD_MAX_NS = 4 * 1000 * 1000,
    WAIT_MAX_NS = 5 * 1000 * 1000,
    FORGET_SHIFT = 4, /* the shortest time is forgotten by a sixteenth with each event that took longer */
    LOOK_MS = 1,
    UNKNOWN_FACTOR = 2, /* times the processors: workers at once while it is not known what is usual */
};

static uint64_t now_ns(const Pool *pool)
{
    return os_monotonic_ns(pool->runtime->os);
}

static bool is_unknown(const Pool *pool)
{
    return pool->answered < ANSWERED_MIN;
}

/* How many workers at work, or about to be, are enough for now. */
static size_t enough(const Pool *pool)
{
    size_t processors = pool->runtime->options.processors;
    if (is_unknown(pool))
        return UNKNOWN_FACTOR * processors;
    return pool->shortest_ns <= BRISK_NS ? processors : SIZE_MAX;
}

/* ---- Who is at work ---- */

static uint64_t hold_ns(const Pool *pool)
{
    uint64_t hold = pool->shortest_ns * HOLD_FACTOR;
    return hold < HOLD_MIN_NS ? HOLD_MIN_NS : hold > HOLD_MAX_NS ? HOLD_MAX_NS : hold;
}

/* Workers that have had their event for no longer than usual; no more are counted than are enough. */
static size_t at_work(const Pool *pool)
{
    uint64_t now = now_ns(pool);
    uint64_t hold = hold_ns(pool);
    size_t most = enough(pool);
    size_t count = 0;
    for (const ListNode *node = pool->busy.previous; node != &pool->busy; node = node->previous) {
        if (now - CONTAINER_OF(node, Worker, in_busy)->event->begun_ns > hold || ++count == most)
            break;
    }
    return count;
}

bool brisk_is_full(const Pool *pool)
{
    size_t most = enough(pool);
    return most != SIZE_MAX && at_work(pool) + (is_unknown(pool) ? pool->coming : 0) >= most;
}

bool brisk_holds_back(const Pool *pool)
{
    return !is_unknown(pool) && brisk_is_full(pool);
}

void brisk_begin(Worker *worker)
{
    list_push_back(&worker->pool->busy, &worker->in_busy);
}

void brisk_end(Worker *worker, bool has_answered)
{
    Pool *pool = worker->pool;
    list_remove(&worker->in_busy);
    if (!has_answered)
        return;
    uint64_t took = now_ns(pool) - worker->event->begun_ns;
    uint64_t forgotten = pool->shortest_ns + (pool->shortest_ns >> FORGET_SHIFT);
    pool->shortest_ns = pool->answered == 0 || took < forgotten ? took : forgotten;
    pool->answered += pool->answered < ANSWERED_MIN;
}

/* ---- Who is patient ---- */

static void watch(Runtime *runtime);

void brisk_wait(InvocationState *state)
{
    Pool *pool = state->pool;
    state->is_patient = true;
    state->waiting_since_ns = now_ns(pool);
    list_push_back(&pool->patient, &state->waiting);
    if (pool->patient_count++ == 0) {
        list_push_back(&pool->runtime->patient, &pool->in_patient);
        watch(pool->runtime);
    }
}

void brisk_leave(InvocationState *state)
{
    Pool *pool = state->pool;
    state->is_patient = false;
    list_remove(&state->waiting);
    if (--pool->patient_count == 0)
        list_remove(&pool->in_patient);
}

/* The one that has waited for longest waits for any worker from now on. */
static void let_go(Pool *pool)
{
    InvocationState *state = CONTAINER_OF(list_first(&pool->patient), InvocationState, waiting);
    brisk_leave(state);
    list_push_back(&pool->waiting, &state->waiting);
}

void brisk_let_go(Pool *pool)
{
    while (pool->patient_count > 0) {
        size_t wanted = pool->waiting_count - pool->patient_count;
        size_t starts = pool->coming > wanted ? pool->coming : wanted;
        size_t most = enough(pool);
        if (most != SIZE_MAX && at_work(pool) + starts >= most)
            return;
        let_go(pool);
    }
}

static void look(Pool *pool)
{
    uint64_t now = now_ns(pool);
    /* Those at work take longer than usual: is that how it is now? Soon it will be taken as such. */
    if (!brisk_holds_back(pool))
        pool->shortest_ns *= 2;
    const InvocationState *first = CONTAINER_OF(list_first(&pool->patient), InvocationState, waiting);
    if (is_unknown(pool) || now - first->waiting_since_ns >= WAIT_MAX_NS)
        let_go(pool);
    pool_serve(pool);
}

static void on_look(uv_timer_t *timer)
{
    Runtime *runtime = timer->data;
    LIST_FOR_EACH(&runtime->patient, node)
    {
        look(CONTAINER_OF(node, Pool, in_patient));
    }
    if (list_is_empty(&runtime->patient))
        uv_timer_stop(timer);
}

static void watch(Runtime *runtime)
{
    if (!uv_is_active((uv_handle_t *)runtime->patience))
        uv_timer_start(runtime->patience, on_look, LOOK_MS, LOOK_MS);
}

/* ---- Life ---- */

static unsigned count_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

void brisk_open(Runtime *runtime)
{
    if (runtime->options.processors == 0)
        runtime->options.processors = count_processors();
    list_init(&runtime->patient);
    runtime->patience = calloc(1, sizeof *runtime->patience);
    ASSERT(runtime->patience != NULL);
    uv_timer_init(loop_uv(runtime->options.loop), runtime->patience);
    runtime->patience->data = runtime;
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

void brisk_close(Runtime *runtime)
{
    uv_close((uv_handle_t *)runtime->patience, free_handle);
}

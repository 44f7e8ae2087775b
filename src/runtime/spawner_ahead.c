/* Workers that wait ahead. A Node.js takes some sixty milliseconds to begin, a Python fork some five; nothing of that
 * depends on the function. How many wait for each kind in use is SpawnerOptions.prestart. */
#include "base/bug.h"
#include "runtime/spawner_process.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    KINDS_MAX = 8, /* kept; the one that was not used for longest goes */
    /* Until they are somebody's: enough to begin with. */
    MEMORY_BYTES = 512 << 20,
    TMP_BYTES = 1 << 20,
};

static bool is_same(const Ahead *ahead, const Order *order)
{
    return (uint32_t)ahead->kind == order->head->runtime_kind &&
           ahead->isolated_network == order->head->isolated_network && ahead->door_count == order->door_count &&
           memcmp(ahead->doors, order->doors, sizeof *ahead->doors * ahead->door_count) == 0 &&
           strcmp(ahead->program, order->program) == 0 && strcmp(ahead->library, order->library) == 0;
}

static void remove_kind(Ahead *ahead)
{
    list_remove(&ahead->node);
    LIST_FOR_EACH(&ahead->workers, node)
    {
        SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, at_ahead);
        ahead_forget(worker);
        spawned_worker_kill(worker);
    }
    free(ahead);
}

static Ahead *kind_of(SpawnerProcess *spawner, const Order *order)
{
    size_t count = 0;
    LIST_FOR_EACH(&spawner->ahead, node)
    {
        Ahead *ahead = CONTAINER_OF(node, Ahead, node);
        count++;
        if (!is_same(ahead, order))
            continue;
        list_remove(node);
        list_push_front(&spawner->ahead, node);
        return ahead;
    }
    if (count >= KINDS_MAX)
        remove_kind(CONTAINER_OF(spawner->ahead.previous, Ahead, node));
    Ahead *ahead = calloc(1, sizeof *ahead);
    ASSERT(ahead != NULL);
    ahead->kind = (RuntimeKind)order->head->runtime_kind;
    ahead->isolated_network = order->head->isolated_network;
    ahead->door_count = order->door_count;
    memcpy(ahead->doors, order->doors, sizeof ahead->doors);
    snprintf(ahead->program, sizeof ahead->program, "%s", order->program);
    snprintf(ahead->library, sizeof ahead->library, "%s", order->library);
    list_init(&ahead->workers);
    list_push_front(&spawner->ahead, &ahead->node);
    return ahead;
}

SpawnedWorker *ahead_take(SpawnerProcess *spawner, const Order *order)
{
    /* One whose environment is to be seen from its beginning has to be begun for it. */
    if (order->head->runtime_kind == RUNTIME_CUSTOM || order->head->environment_count > 0 || order->head->is_template ||
        spawner->options->prestart == 0)
        return NULL;
    Ahead *ahead = kind_of(spawner, order);
    ahead->is_broken = false;
    spawner->is_behind = true;
    LIST_FOR_EACH(&ahead->workers, node)
    {
        SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, at_ahead);
        if (worker->stage == WORKER_AHEAD)
            return worker;
    }
    return NULL;
}

void ahead_warm(SpawnerProcess *spawner)
{
    static Order order;
    char failure[160];
    if (order_read(&spawner->in, &order, failure, sizeof failure)) /* otherwise the first one that is ordered tells */
        (void)ahead_take(spawner, &order);
}

void ahead_forget(SpawnedWorker *worker)
{
    if (worker->ahead == NULL)
        return;
    worker->ahead->count--;
    worker->ahead = NULL;
    list_remove(&worker->at_ahead);
}

void ahead_make_one(SpawnerProcess *spawner)
{
    static Order order;
    spawner->is_behind = false;
    LIST_FOR_EACH(&spawner->ahead, node)
    {
        Ahead *ahead = CONTAINER_OF(node, Ahead, node);
        if (ahead->count >= spawner->options->prestart || ahead->is_broken)
            continue;
        const WireHead head = {
            .runtime_kind = (uint32_t)ahead->kind,
            .memory_bytes = MEMORY_BYTES,
            .tmp_bytes = TMP_BYTES,
            .processor_permille = 0,
            .isolated_network = ahead->isolated_network,
        };
        order = (Order){.head = &head,
                        .runtime = "",
                        .program = ahead->program,
                        .library = ahead->library,
                        .code = "",
                        .door_count = ahead->door_count};
        memcpy(order.doors, ahead->doors, sizeof order.doors);
        spawned_worker_make(spawner, &order, 0, ahead);
        spawner->is_behind = true; /* perhaps */
        return;
    }
}

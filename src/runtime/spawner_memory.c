/* How much memory workers have allocated. Files in /tmp are memory, too, but not the function's: AWS gives /tmp besides. So
 * the kernel holds a worker to both together, and what it has allocated itself is looked at here: often while it grows, less
 * and less often while it does not. (The kernel could tell when a group passes a threshold, but setting one stops us for
 * ten milliseconds.) */
#include "runtime/spawner_process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    SOON_MS = 20,  /* of a worker that grows */
    LATE_MS = 640, /* of one that has been still for long */
    NEVER = -1,
    DEPTH_MAX = 8, /* of processes below each other that are counted */
    CHILDREN_MAX = 64,
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void memory_watch(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    worker->look_ms = now_ms() + SOON_MS;
    worker->look_after_ms = SOON_MS;
    if (spawner->next_look_ms == 0 || spawner->next_look_ms > worker->look_ms)
        spawner->next_look_ms = worker->look_ms;
}

/* ---- Without control groups ---- */

static uint64_t allocated_by(pid_t process)
{
    char path[64];
    char line[256];
    unsigned long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/status", process);
    FILE *file = fopen(path, "re");
    while (file != NULL && kilobytes == 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "RssAnon: %lu", &kilobytes);
    if (file != NULL)
        fclose(file);
    return (uint64_t)kilobytes << 10;
}

/* All processes below it. One that leaves its parent comes below the first process of its namespace. */
static uint64_t allocated_below(pid_t process, int depth)
{
    char path[64];
    int children[CHILDREN_MAX];
    size_t count = 0;
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", process, process);
    FILE *file = depth > 0 ? fopen(path, "re") : NULL;
    while (file != NULL && count < CHILDREN_MAX && fscanf(file, "%d", &children[count]) == 1)
        count++;
    if (file != NULL)
        fclose(file);
    for (size_t i = 0; i < count; i++)
        sum += allocated_by(children[i]) + allocated_below(children[i], depth - 1);
    return sum;
}

/* ---- Looking ---- */

/* What the group uses is cheap to ask for; what of it was allocated is asked for only when it could be too much. */
static uint64_t allocated_of(const SpawnedWorker *worker, uint64_t *used)
{
    /* A first process has nothing, or shares what the second one has. */
    if (worker->group.tree == NULL)
        return *used = (worker->has_second ? 0 : allocated_by(worker->process)) +
                       allocated_below(worker->process, DEPTH_MAX);
    *used = cgroup_used(&worker->group);
    return *used <= worker->memory_bytes ? 0 : cgroup_allocated(&worker->group);
}

static void look_at(SpawnedWorker *worker, uint64_t now)
{
    uint64_t used;
    uint64_t allocated = allocated_of(worker, &used);
    if (allocated > worker->peak_bytes)
        worker->peak_bytes = allocated;
    if (allocated > worker->memory_bytes) {
        worker->is_out_of_memory = true;
        spawned_worker_kill(worker);
    }
    worker->look_after_ms = used != worker->used_bytes        ? SOON_MS
                            : worker->look_after_ms < LATE_MS ? worker->look_after_ms * 2
                                                              : LATE_MS;
    worker->used_bytes = used;
    worker->look_ms = now + worker->look_after_ms;
}

void memory_look(SpawnerProcess *spawner)
{
    uint64_t now = now_ms();
    if (spawner->next_look_ms == 0 || now < spawner->next_look_ms)
        return;
    spawner->next_look_ms = 0;
    LIST_FOR_EACH(&spawner->workers, node)
    {
        SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, node);
        SpawnedWorker *template = worker->template_ != 0 && worker->process == 0 && now >= worker->copied_by_ms
                                      ? spawner_process_find(spawner, worker->template_)
                                      : NULL;
        if (template != NULL)
            spawned_worker_kill(template);
        if (worker->stage != WORKER_STARTED || worker->is_killed)
            continue;
        if (now >= worker->look_ms)
            look_at(worker, now);
        if (spawner->next_look_ms == 0 || worker->look_ms < spawner->next_look_ms)
            spawner->next_look_ms = worker->look_ms;
    }
    /* Those that are due soon after are looked at with them. */
    if (spawner->next_look_ms > 0 && spawner->next_look_ms < now + SOON_MS)
        spawner->next_look_ms = now + SOON_MS;
}

int memory_wait_ms(const SpawnerProcess *spawner)
{
    uint64_t now = now_ms();
    if (spawner->next_look_ms == 0)
        return NEVER;
    return spawner->next_look_ms > now ? (int)(spawner->next_look_ms - now) : 0;
}

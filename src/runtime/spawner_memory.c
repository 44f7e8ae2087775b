/* How much memory workers have allocated. Files in /tmp are memory, too, but not the function's: AWS gives /tmp besides. So
 * the kernel holds a worker to both together, and what it has allocated itself is looked at here: when its group passes
 * its memory the kernel says so, and from then on, while it stays above, it is looked at every few milliseconds. Without
 * control groups all are looked at, less often. */
#include "runtime/spawner_process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    NEAR_MS = 10, /* of a worker that has passed its memory */
    ALL_MS = 100, /* of each, without control groups */
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

void memory_watch(SpawnerProcess *spawner, SpawnedWorker *worker, uint64_t limit_bytes)
{
    worker->memory_bytes = limit_bytes;
    if (worker->group.tree == NULL) {
        spawner->samples_all = true;
        return;
    }
    worker->memory_watched.kind = WATCHED_MEMORY;
    worker->memory_file = cgroup_watch_memory(&worker->group, limit_bytes);
    struct epoll_event event = {.events = EPOLLIN | EPOLLPRI, .data.ptr = &worker->memory_watched};
    if (worker->memory_file < 0 || epoll_ctl(spawner->epoll, EPOLL_CTL_ADD, worker->memory_file, &event) != 0)
        memory_heard(spawner, worker); /* it is looked at all the time then */
}

void memory_heard(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    if (worker->memory_file >= 0)
        cgroup_hear_memory(&worker->group, worker->memory_file);
    worker->is_sampled = true;
    spawner->samples_some = true;
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

/* With all processes below it. One that leaves its parent comes below the first process of its namespace. */
static uint64_t allocated_below(pid_t process, int depth)
{
    char path[64];
    int children[CHILDREN_MAX];
    size_t count = 0;
    uint64_t sum = allocated_by(process);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", process, process);
    FILE *file = depth > 0 ? fopen(path, "re") : NULL;
    while (file != NULL && count < CHILDREN_MAX && fscanf(file, "%d", &children[count]) == 1)
        count++;
    if (file != NULL)
        fclose(file);
    for (size_t i = 0; i < count; i++)
        sum += allocated_below(children[i], depth - 1);
    return sum;
}

/* ---- Looking ---- */

static void look_at(SpawnedWorker *worker)
{
    bool has_group = worker->group.tree != NULL;
    uint64_t allocated = has_group ? cgroup_allocated(&worker->group) : allocated_below(worker->process, DEPTH_MAX);
    if (allocated > worker->peak_bytes)
        worker->peak_bytes = allocated;
    if (allocated > worker->memory_bytes) {
        worker->is_out_of_memory = true;
        spawned_worker_kill(worker);
    }
    if (has_group && cgroup_used(&worker->group) < worker->memory_bytes) {
        worker->is_sampled = worker->memory_file < 0;
        cgroup_rewatch_memory(&worker->group, worker->memory_bytes);
    }
}

void memory_sample(SpawnerProcess *spawner)
{
    uint64_t now = now_ms();
    if ((!spawner->samples_all && !spawner->samples_some) || now < spawner->next_sample_ms)
        return;
    spawner->samples_all = spawner->samples_some = false;
    LIST_FOR_EACH(&spawner->workers, node)
    {
        SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, node);
        if (worker->stage != WORKER_STARTED || worker->is_killed)
            continue;
        if (worker->group.tree == NULL || worker->is_sampled)
            look_at(worker);
        spawner->samples_all |= worker->group.tree == NULL;
        spawner->samples_some |= worker->is_sampled;
    }
    spawner->next_sample_ms = now + (spawner->samples_some ? NEAR_MS : ALL_MS);
}

int memory_wait_ms(const SpawnerProcess *spawner)
{
    if (!spawner->samples_all && !spawner->samples_some)
        return NEVER;
    uint64_t now = now_ms();
    return spawner->next_sample_ms > now ? (int)(spawner->next_sample_ms - now) : 0;
}

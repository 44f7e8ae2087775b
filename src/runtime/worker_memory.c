/* How much memory a worker has held at its peak.
 *
 * Its control group has counted what was allocated since it became the function's. What it had before (a fork has its
 * zygote's pages, a Node.js that waited its own heap) is looked at once, and added. Quick events are not each asked for: of
 * what grows within MEMORY_AGE_NS, a later one tells. */
#include "os/os_probe.h"
#include "runtime/runtime_internal.h"

enum {
    MEMORY_AGE_NS = 10 * 1000 * 1000,
    MEMORY_EVENT_NS = 1000 * 1000, /* an event that took longer is always asked for */
};

static uint64_t capped(const Worker *worker, uint64_t bytes)
{
    uint64_t most = worker->pool->spec.memory_mb << 20;
    return bytes < most ? bytes : most;
}

uint64_t worker_memory_peak(Worker *worker, uint64_t event_ns)
{
    uint64_t now_ns = os_monotonic_ns(worker->runtime->os);
    bool is_first = worker->memory_at_ns == 0;
    if (!is_first && event_ns < MEMORY_EVENT_NS && now_ns - worker->memory_at_ns < MEMORY_AGE_NS)
        return worker->memory_peak_bytes;
    worker->memory_at_ns = now_ns;
    uint64_t counted = spawner_memory_peak(worker->runtime->options.spawner, worker->id);
    if (is_first) {
        uint64_t resident = os_probe_resident(worker->process);
        worker->memory_before_bytes = resident > counted ? resident - counted : 0;
    }
    return worker->memory_peak_bytes = worker_memory_with(worker, counted);
}

uint64_t worker_memory_with(const Worker *worker, uint64_t counted_bytes)
{
    return capped(worker, worker->memory_before_bytes + counted_bytes);
}

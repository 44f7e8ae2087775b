#include "os/os_sim.h"

#include "base/bug.h"
#include "base/list.h"

#include <stdlib.h>

typedef struct SimFile {
    ListNode link;
    Slice path;
    Slice content;
} SimFile;

typedef struct SimOs {
    Os os;
    uint64_t random;
    uint64_t wall_us;
    uint64_t monotonic_ns;
    uint64_t disk_free;
    Arena arena; /* of paths and contents; freed with the world */
    List files;
    List locked; /* SimFile nodes that name locked directories */
    int locks;
} SimOs;

static uint64_t sim_wall_us(Os *os)
{
    return ((SimOs *)os)->wall_us;
}

static uint64_t sim_monotonic_ns(Os *os)
{
    return ((SimOs *)os)->monotonic_ns;
}

/* splitmix64 */
static uint64_t next_random(SimOs *sim)
{
    uint64_t bits = sim->random += 0x9E3779B97F4A7C15u;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
    return bits ^ bits >> 31;
}

static void sim_random(Os *os, void *bytes, size_t size)
{
    unsigned char *out = bytes;
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)next_random((SimOs *)os);
}

static Error sim_disk_free(Os *os, const char *path, uint64_t *bytes)
{
    (void)path;
    *bytes = ((SimOs *)os)->disk_free;
    return OK;
}

static Error sim_make_directory(Os *os, const char *path)
{
    (void)os;
    (void)path;
    return OK;
}

static SimFile *find(List *files, const char *path)
{
    LIST_FOR_EACH(files, node)
    {
        SimFile *file = CONTAINER_OF(node, SimFile, link);
        if (slice_equal(file->path, slice_of_string(path)))
            return file;
    }
    return NULL;
}

static SimFile *add(SimOs *sim, List *files, const char *path)
{
    SimFile *file = ARENA_NEW(&sim->arena, SimFile);
    file->path = arena_copy(&sim->arena, slice_of_string(path));
    list_push_back(files, &file->link);
    return file;
}

static Error sim_lock_directory(Os *os, const char *path, int *lock)
{
    SimOs *sim = (SimOs *)os;
    if (find(&sim->locked, path) != NULL)
        return ERROR_LOCKED;
    SimFile *entry = add(sim, &sim->locked, path);
    *lock = ++sim->locks;
    entry->content = arena_copy(&sim->arena, slice_make(lock, sizeof *lock));
    return OK;
}

static void sim_unlock_directory(Os *os, int lock)
{
    SimOs *sim = (SimOs *)os;
    LIST_FOR_EACH(&sim->locked, node)
    if (memcmp(CONTAINER_OF(node, SimFile, link)->content.data, &lock, sizeof lock) == 0)
        list_remove(node);
}

static Error sim_read_file(Os *os, const char *path, Arena *arena, size_t limit, Slice *content)
{
    SimFile *file = find(&((SimOs *)os)->files, path);
    if (file == NULL)
        return ERROR_NOT_FOUND;
    if (file->content.size > limit)
        return ERROR_TOO_LARGE;
    *content = arena_copy(arena, file->content);
    return OK;
}

static Error sim_write_file(Os *os, const char *path, Slice content, unsigned mode)
{
    (void)mode;
    SimOs *sim = (SimOs *)os;
    SimFile *file = find(&sim->files, path);
    if (file == NULL)
        file = add(sim, &sim->files, path);
    file->content = arena_copy(&sim->arena, content);
    return OK;
}

static Error sim_remove_file(Os *os, const char *path)
{
    SimFile *file = find(&((SimOs *)os)->files, path);
    if (file == NULL)
        return ERROR_NOT_FOUND;
    list_remove(&file->link);
    return OK;
}

Os *os_sim_open(uint64_t seed)
{
    static const OsOperations operations = {
        .wall_us = sim_wall_us,
        .monotonic_ns = sim_monotonic_ns,
        .random = sim_random,
        .disk_free = sim_disk_free,
        .make_directory = sim_make_directory,
        .lock_directory = sim_lock_directory,
        .unlock_directory = sim_unlock_directory,
        .read_file = sim_read_file,
        .write_file = sim_write_file,
        .remove_file = sim_remove_file,
    };
    SimOs *sim = calloc(1, sizeof *sim);
    ASSERT(sim != NULL);
    sim->os.operations = &operations;
    sim->random = seed;
    sim->wall_us = 1767225600000000;
    sim->monotonic_ns = 1000000000;
    sim->disk_free = 1ull << 40;
    list_init(&sim->files);
    list_init(&sim->locked);
    return &sim->os;
}

void os_sim_close(Os *os)
{
    arena_free(&((SimOs *)os)->arena);
    free(os);
}

void os_sim_advance_ms(Os *os, uint64_t ms)
{
    ((SimOs *)os)->wall_us += ms * 1000;
    ((SimOs *)os)->monotonic_ns += ms * 1000000;
}

void os_sim_set_disk_free(Os *os, uint64_t bytes)
{
    ((SimOs *)os)->disk_free = bytes;
}

/* os.h: the seam to the world: clocks, randomness, disk.
 *
 * os_linux.c is the real one, os_sim.c the simulated one, driven by a seed; nothing of ours reaches these things by
 * another way, so that a seed reproduces a run. Any thread may call; only the disk functions block. */
#ifndef BRUME_OS_OS_H
#define BRUME_OS_OS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

typedef struct Os Os;

/* One row for each thing that differs between the implementations. */
typedef struct OsOperations {
    uint64_t (*wall_us)(Os *os);
    uint64_t (*monotonic_ns)(Os *os);
    void (*random)(Os *os, void *bytes, size_t size);
    Error (*disk_free)(Os *os, const char *path, uint64_t *bytes);
    Error (*make_directory)(Os *os, const char *path);
    Error (*lock_directory)(Os *os, const char *path, int *lock);
    void (*unlock_directory)(Os *os, int lock);
    Error (*read_file)(Os *os, const char *path, Arena *arena, size_t limit, Slice *content);
    Error (*write_file)(Os *os, const char *path, Slice content, unsigned mode);
    Error (*remove_file)(Os *os, const char *path);
} OsOperations;

struct Os {
    const OsOperations *operations;
};

/* The real world. Lives as long as the process. */
Os *os_linux(void);

/* Microseconds since 1970-01-01T00:00:00Z. */
static inline uint64_t os_wall_us(Os *os)
{
    return os->operations->wall_us(os);
}

static inline uint64_t os_wall_ms(Os *os)
{
    return os->operations->wall_us(os) / 1000;
}

/* Never goes back; for durations only. */
static inline uint64_t os_monotonic_ns(Os *os)
{
    return os->operations->monotonic_ns(os);
}

/* Unpredictable bytes (cryptographic quality in the real world, seeded in the simulated one). */
static inline void os_random(Os *os, void *bytes, size_t size)
{
    os->operations->random(os, bytes, size);
}

/* Bytes that an unprivileged process may still write on the file system that holds `path`. */
static inline Error os_disk_free(Os *os, const char *path, uint64_t *bytes)
{
    return os->operations->disk_free(os, path, bytes);
}

/* Makes the directory and its parents (mode 0700) and syncs each parent; fine when it is there: then its parent is synced
 * all the same, since it may have been made just before a crash. */
static inline Error os_make_directory(Os *os, const char *path)
{
    return os->operations->make_directory(os, path);
}

/* Takes the exclusive lock of a data directory until the process ends or os_unlock_directory.
 * ERROR_LOCKED: another process holds it. */
static inline Error os_lock_directory(Os *os, const char *path, int *lock)
{
    return os->operations->lock_directory(os, path, lock);
}

static inline void os_unlock_directory(Os *os, int lock)
{
    os->operations->unlock_directory(os, lock);
}

/* The whole file. ERROR_NOT_FOUND; ERROR_TOO_LARGE past `limit` bytes; ERROR_DENIED; ERROR_IO. */
static inline Error os_read_file(Os *os, const char *path, Arena *arena, size_t limit, Slice *content)
{
    return os->operations->read_file(os, path, arena, limit, content);
}

/* Replaces the file in one step (temporary file, sync, rename, directory sync): after a power loss there is the old
 * content or the new. */
static inline Error os_write_file(Os *os, const char *path, Slice content, unsigned mode)
{
    return os->operations->write_file(os, path, content, mode);
}

static inline Error os_remove_file(Os *os, const char *path)
{
    return os->operations->remove_file(os, path);
}

#endif

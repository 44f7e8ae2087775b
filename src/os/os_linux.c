#include "os/os.h"

#include "base/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* The kernel gives so many bytes whole, whatever signals come; of more, perhaps a part (getrandom(2)). */
enum { RANDOM_BUFFER = 256 };

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t linux_wall_us(Os *os)
{
    (void)os;
    return clock_ns(CLOCK_REALTIME) / 1000;
}

static uint64_t linux_monotonic_ns(Os *os)
{
    (void)os;
    return clock_ns(CLOCK_MONOTONIC);
}

/* Bytes are taken from the kernel a buffer at a time, and wiped as they are given away. */
static void linux_random(Os *os, void *bytes, size_t size)
{
    (void)os;
    static _Thread_local unsigned char buffer[RANDOM_BUFFER];
    static _Thread_local size_t left;
    unsigned char *out = bytes;
    while (size > 0) {
        if (left == 0) {
            ASSERT(getrandom(buffer, sizeof buffer, 0) == (ssize_t)sizeof buffer);
            left = sizeof buffer;
        }
        size_t part = size < left ? size : left;
        memcpy(out, buffer + sizeof buffer - left, part);
        memset(buffer + sizeof buffer - left, 0, part);
        left -= part;
        out += part;
        size -= part;
    }
}

static Error error_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_DENIED;
    case ENOSPC:
    case EDQUOT:
        return ERROR_FULL;
    case EEXIST:
        return ERROR_EXISTS;
    default:
        return ERROR_IO;
    }
}

static Error linux_disk_free(Os *os, const char *path, uint64_t *bytes)
{
    (void)os;
    struct statvfs status;
    if (statvfs(path, &status) != 0)
        return error_of_errno();
    *bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return OK;
}

/* Syncs the directory that holds `path`, so that the name itself survives a power loss. */
static Error sync_parent(const char *path)
{
    char *parent = strdup(path);
    ASSERT(parent != NULL);
    char *slash = strrchr(parent, '/');
    if (slash == parent)
        slash[1] = '\0';
    else if (slash != NULL)
        *slash = '\0';
    int file = open(slash == NULL ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (file < 0)
        return error_of_errno();
    Error error = fsync(file) == 0 ? OK : error_of_errno();
    close(file);
    return error;
}

static Error make_one_directory(const char *path, bool *made)
{
    *made = mkdir(path, 0700) == 0;
    if (*made)
        return sync_parent(path);
    struct stat status;
    if (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return OK;
    return error_of_errno();
}

static Error linux_make_directory(Os *os, const char *path)
{
    (void)os;
    char *partial = strdup(path);
    ASSERT(partial != NULL);
    for (size_t size = strlen(partial); size > 1 && partial[size - 1] == '/'; size--)
        partial[size - 1] = '\0';
    Error error = OK;
    bool made = false;
    for (char *slash = strchr(partial + 1, '/'); slash != NULL && error == OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = make_one_directory(partial, &made);
        *slash = '/';
    }
    if (error == OK)
        error = make_one_directory(partial, &made);
    /* Whoever made it may have been killed before the sync. A parent that may not be opened is none of ours. */
    if (error == OK && !made) {
        error = sync_parent(partial);
        error = error == ERROR_DENIED ? OK : error;
    }
    free(partial);
    return error;
}

static Error linux_lock_directory(Os *os, const char *path, int *lock)
{
    (void)os;
    Arena arena = arena_make();
    const char *name = arena_format(&arena, "%s/lock", path).data;
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    Error error = file < 0 ? error_of_errno() : OK;
    arena_free(&arena);
    if (error == OK && flock(file, LOCK_EX | LOCK_NB) != 0) {
        error = errno == EWOULDBLOCK ? ERROR_LOCKED : error_of_errno();
        close(file);
    }
    if (error == OK)
        *lock = file;
    return error;
}

static void linux_unlock_directory(Os *os, int lock)
{
    (void)os;
    close(lock);
}

static Error read_all(int file, Arena *arena, size_t limit, Slice *content)
{
    Buffer buffer = buffer_make(arena);
    for (;;) {
        char *place = buffer_reserve(&buffer, 4096);
        ssize_t got = read(file, place, 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_of_errno();
        if (got == 0)
            break;
        buffer.size += (size_t)got;
        if (buffer.size > limit)
            return ERROR_TOO_LARGE;
    }
    *content = buffer_slice(&buffer);
    return OK;
}

static Error linux_read_file(Os *os, const char *path, Arena *arena, size_t limit, Slice *content)
{
    (void)os;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_of_errno();
    Error error = read_all(file, arena, limit, content);
    close(file);
    return error;
}

static Error write_all(int file, Slice content)
{
    while (content.size > 0) {
        ssize_t put = write(file, content.data, content.size);
        if (put < 0 && errno != EINTR)
            return error_of_errno();
        if (put > 0)
            content = slice_skip(content, (size_t)put);
    }
    return fsync(file) == 0 ? OK : error_of_errno();
}

static Error linux_write_file(Os *os, const char *path, Slice content, unsigned mode)
{
    (void)os;
    Arena arena = arena_make();
    const char *temporary = arena_format(&arena, "%s.new", path).data;
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    Error error = file < 0 ? error_of_errno() : write_all(file, content);
    if (file >= 0)
        close(file);
    if (error == OK && rename(temporary, path) != 0)
        error = error_of_errno();
    if (error == OK)
        error = sync_parent(path);
    else if (file >= 0)
        unlink(temporary);
    arena_free(&arena);
    return error;
}

static Error linux_remove_file(Os *os, const char *path)
{
    (void)os;
    return unlink(path) == 0 ? OK : error_of_errno();
}

Os *os_linux(void)
{
    static const OsOperations operations = {
        .wall_us = linux_wall_us,
        .monotonic_ns = linux_monotonic_ns,
        .random = linux_random,
        .disk_free = linux_disk_free,
        .make_directory = linux_make_directory,
        .lock_directory = linux_lock_directory,
        .unlock_directory = linux_unlock_directory,
        .read_file = linux_read_file,
        .write_file = linux_write_file,
        .remove_file = linux_remove_file,
    };
    static Os os = {&operations};
    return &os;
}

/* powerloss.c: a preloaded shim that keeps a journal of everything a process does to the files of one directory, so
 * that powerloss.py can afterwards make a disk as a loss of power could have left it.
 *
 * BRUME_POWERLOSS_DIR is the directory, BRUME_POWERLOSS_JOURNAL the journal's path (outside of it), and
 * BRUME_POWERLOSS_SYNC_US makes every sync take that much longer, which widens the time in which data is written but
 * not synced. Each record is appended after its operation has returned and under one lock: a process killed between the
 * two leaves an operation that no sync covers and that nobody was told of, and such a one may be lost. A sync's record
 * says how long the journal was when the sync began: only what stands before that is durable. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The numbers are shared with powerloss.py. */
typedef enum Kind {
    RECORD_OPEN = 1,      /* handle, a = flags, path */
    RECORD_WRITE = 2,     /* handle, a = offset, data */
    RECORD_TRUNCATE = 3,  /* handle (or path), a = size */
    RECORD_FALLOCATE = 4, /* handle, a = offset, b = size, mode in `extra` */
    RECORD_SYNC = 5,      /* handle, a = records before the sync began */
    RECORD_SYNC_ALL = 6,  /* a = records before the sync began */
    RECORD_RENAME = 7,    /* path, other */
    RECORD_LINK = 8,      /* path, other */
    RECORD_UNLINK = 9,    /* path */
    RECORD_MKDIR = 10,    /* path */
    RECORD_STDIO = 11,    /* path: opened by fopen, whose writes are not seen here */
    RECORD_REFUSED = 12,  /* path: an operation that was refused, so that its caller takes another way */
    RECORD_UNKNOWN = 13,  /* path: an operation that the model does not know: no verdict can be given */
} Kind;

typedef struct Record {
    uint32_t kind;
    uint32_t handle;
    int64_t a;
    int64_t b;
    uint32_t extra;
    uint32_t path_bytes;
    uint32_t other_bytes;
    uint32_t data_bytes;
} Record;

enum { DESCRIPTORS = 65536 };

static struct {
    char directory[PATH_MAX];
    size_t directory_size;
    int journal;
    useconds_t sync_us;
    bool on;
    pthread_mutex_t lock;
    int64_t records;
    uint32_t last_handle;
    _Atomic uint32_t handles[DESCRIPTORS]; /* by descriptor; 0: not ours */
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER, .journal = -1};

/* The next definition of `name`, found once. */
#define NEXT(type, name, ...)                                                                                          \
    static type (*next)(__VA_ARGS__);                                                                                  \
    if (next == NULL)                                                                                                  \
    next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void forget_in_child(void)
{
    shim.on = false;
}

__attribute__((constructor)) static void start(void)
{
    const char *directory = getenv("BRUME_POWERLOSS_DIR");
    const char *journal = getenv("BRUME_POWERLOSS_JOURNAL");
    const char *sync_us = getenv("BRUME_POWERLOSS_SYNC_US");
    if (directory == NULL || journal == NULL)
        return;
    if (realpath(directory, shim.directory) == NULL) {
        dprintf(STDERR_FILENO, "powerloss: %s: %s\n", directory, strerror(errno));
        _exit(97);
    }
    shim.directory_size = strlen(shim.directory);
    shim.sync_us = sync_us == NULL ? 0 : (useconds_t)strtoul(sync_us, NULL, 10);
    shim.journal = (int)syscall(SYS_openat, AT_FDCWD, journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (shim.journal < 0) {
        dprintf(STDERR_FILENO, "powerloss: %s: %s\n", journal, strerror(errno));
        _exit(97);
    }
    pthread_atfork(NULL, NULL, forget_in_child);
    shim.on = true;
}

/* ---- The journal ---- */

/* Appends a record; the lock is held. A journal that cannot be written proves nothing, so the process ends. */
static void record(Record head, const char *path, const char *other, const struct iovec *data, int pieces)
{
    struct iovec all[IOV_MAX];
    int count = 0;
    size_t size = sizeof(head);
    head.path_bytes = path == NULL ? 0 : (uint32_t)strlen(path);
    head.other_bytes = other == NULL ? 0 : (uint32_t)strlen(other);
    all[count++] = (struct iovec){&head, sizeof(head)};
    all[count++] = (struct iovec){(char *)(uintptr_t)path, head.path_bytes};
    all[count++] = (struct iovec){(char *)(uintptr_t)other, head.other_bytes};
    size_t left = head.data_bytes;
    for (int i = 0; i < pieces && left > 0 && count < IOV_MAX; i++) {
        size_t piece = data[i].iov_len < left ? data[i].iov_len : left;
        all[count++] = (struct iovec){data[i].iov_base, piece};
        left -= piece;
    }
    size += head.path_bytes + head.other_bytes + head.data_bytes;
    if (left > 0 || syscall(SYS_writev, shim.journal, all, count) != (long)size) {
        dprintf(STDERR_FILENO, "powerloss: the journal cannot be written: %s\n", strerror(errno));
        _exit(97);
    }
    shim.records++;
}

static void lock(void)
{
    pthread_mutex_lock(&shim.lock);
}

static void unlock(void)
{
    int saved = errno;
    pthread_mutex_unlock(&shim.lock);
    errno = saved;
}

static uint32_t handle_of(int descriptor)
{
    return shim.on && descriptor >= 0 && descriptor < DESCRIPTORS ? atomic_load(&shim.handles[descriptor]) : 0;
}

static void complain(Kind kind, const char *what)
{
    lock();
    record((Record){.kind = kind}, what, NULL, NULL, 0);
    unlock();
}

/* ---- Paths ---- */

/* The path relative to the directory, in `relative`, when it lies in it. Only the last part need not exist. */
static bool inside(int at, const char *path, char relative[PATH_MAX])
{
    char whole[PATH_MAX * 2];
    char parent[PATH_MAX];
    if (!shim.on || path == NULL)
        return false;
    if (path[0] == '/' || at == AT_FDCWD) {
        snprintf(whole, sizeof(whole), "%s", path);
    } else {
        char link[64];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
        ssize_t size = readlink(link, parent, sizeof(parent) - 1);
        if (size < 0)
            return false;
        snprintf(whole, sizeof(whole), "%.*s/%s", (int)size, parent, path);
    }
    size_t size = strlen(whole);
    while (size > 1 && whole[size - 1] == '/')
        whole[--size] = '\0';
    char *slash = strrchr(whole, '/');
    const char *name = slash == NULL ? whole : slash + 1;
    bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    const char *of = dots ? whole : slash == NULL ? "." : slash == whole ? "/" : whole;
    if (!dots && slash != NULL && slash != whole)
        *slash = '\0';
    if (realpath(of, parent) == NULL)
        return false;
    char resolved[PATH_MAX * 2];
    snprintf(resolved, sizeof(resolved), dots ? "%s%s%s" : "%s/%s%s", parent, dots ? "" : name, "");
    if (strncmp(resolved, shim.directory, shim.directory_size) != 0)
        return false;
    if (resolved[shim.directory_size] == '\0') {
        relative[0] = '\0';
        return true;
    }
    if (resolved[shim.directory_size] != '/')
        return false;
    return snprintf(relative, PATH_MAX, "%.*s", PATH_MAX - 1, resolved + shim.directory_size + 1) >= 0;
}

/* ---- Opening and closing ---- */

static bool is_special(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

/* Gives an opened file its handle; the lock is held. */
static void opened(int descriptor, int flags, const char *relative)
{
    if (is_special(descriptor))
        return;
    if (descriptor >= DESCRIPTORS) {
        record((Record){.kind = RECORD_UNKNOWN}, "open: the descriptor is too large", NULL, NULL, 0);
        return;
    }
    uint32_t handle = ++shim.last_handle;
    atomic_store(&shim.handles[descriptor], handle);
    record((Record){.kind = RECORD_OPEN, .handle = handle, .a = flags}, relative, NULL, NULL, 0);
}

static int open_any(int at, const char *path, int flags, mode_t mode)
{
    NEXT(int, "openat", int, const char *, int, ...);
    char relative[PATH_MAX];
    if ((flags & O_PATH) != 0 || !inside(at, path, relative))
        return next(at, path, flags, mode);
    lock();
    int descriptor = next(at, path, flags, mode);
    if (descriptor >= 0 && (flags & O_TMPFILE) == O_TMPFILE)
        record((Record){.kind = RECORD_UNKNOWN}, "open: O_TMPFILE", NULL, NULL, 0);
    else if (descriptor >= 0)
        opened(descriptor, flags, relative);
    unlock();
    return descriptor;
}

static mode_t mode_argument(int flags, va_list arguments)
{
    bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    return creates ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int at, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open_any(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) __attribute__((alias("openat")));

int creat(const char *path, mode_t mode)
{
    return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int mkostemp(char *template, int flags)
{
    NEXT(int, "mkostemp", char *, int);
    char relative[PATH_MAX];
    lock();
    int descriptor = next(template, flags);
    if (descriptor >= 0 && inside(AT_FDCWD, template, relative))
        opened(descriptor, flags | O_CREAT | O_EXCL | O_RDWR, relative);
    unlock();
    return descriptor;
}

int mkstemp(char *template)
{
    return mkostemp(template, 0);
}

/* The C library's streams write past these functions: such a file is named, and not modelled. */
FILE *fopen(const char *path, const char *mode)
{
    NEXT(FILE *, "fopen", const char *, const char *);
    char relative[PATH_MAX];
    FILE *file = next(path, mode);
    if (file != NULL && strpbrk(mode, "wa+") != NULL && inside(AT_FDCWD, path, relative))
        complain(RECORD_STDIO, relative);
    return file;
}

FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}

FILE *fdopen(int descriptor, const char *mode)
{
    NEXT(FILE *, "fdopen", int, const char *);
    if (handle_of(descriptor) != 0 && strpbrk(mode, "wa+") != NULL)
        complain(RECORD_UNKNOWN, "fdopen for writing");
    return next(descriptor, mode);
}

int close(int descriptor)
{
    NEXT(int, "close", int);
    if (descriptor >= 0 && descriptor < DESCRIPTORS)
        atomic_store(&shim.handles[descriptor], 0);
    return next(descriptor);
}

/* A second descriptor of one open file keeps its handle. */
static int duplicated(int from, int to)
{
    if (to >= 0 && to < DESCRIPTORS)
        atomic_store(&shim.handles[to], handle_of(from));
    return to;
}

int dup(int from)
{
    NEXT(int, "dup", int);
    return duplicated(from, next(from));
}

int dup2(int from, int to)
{
    NEXT(int, "dup2", int, int);
    return duplicated(from, next(from, to));
}

int dup3(int from, int to, int flags)
{
    NEXT(int, "dup3", int, int, int);
    return duplicated(from, next(from, to, flags));
}

int fcntl(int descriptor, int command, ...)
{
    NEXT(int, "fcntl", int, int, ...);
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int result = next(descriptor, command, argument);
    bool copies = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    return copies ? duplicated(descriptor, result) : result;
}

int fcntl64(int descriptor, int command, ...) __attribute__((alias("fcntl")));

/* ---- Writing ---- */

static void wrote(uint32_t handle, int64_t offset, const struct iovec *data, int pieces, ssize_t size)
{
    if (size > 0)
        record((Record){.kind = RECORD_WRITE, .handle = handle, .a = offset, .data_bytes = (uint32_t)size}, NULL, NULL,
               data, pieces);
}

/* Where a write without an offset will go. */
static int64_t write_position(int descriptor)
{
    struct stat status;
    int flags = (int)syscall(SYS_fcntl, descriptor, F_GETFL);
    if ((flags & O_APPEND) != 0 && fstat(descriptor, &status) == 0)
        return status.st_size;
    return lseek(descriptor, 0, SEEK_CUR);
}

ssize_t write(int descriptor, const void *bytes, size_t size)
{
    NEXT(ssize_t, "write", int, const void *, size_t);
    uint32_t handle = handle_of(descriptor);
    if (handle == 0)
        return next(descriptor, bytes, size);
    lock();
    int64_t offset = write_position(descriptor);
    ssize_t done = next(descriptor, bytes, size);
    wrote(handle, offset, &(struct iovec){(void *)(uintptr_t)bytes, size}, 1, done);
    unlock();
    return done;
}

ssize_t writev(int descriptor, const struct iovec *data, int pieces)
{
    NEXT(ssize_t, "writev", int, const struct iovec *, int);
    uint32_t handle = handle_of(descriptor);
    if (handle == 0)
        return next(descriptor, data, pieces);
    lock();
    int64_t offset = write_position(descriptor);
    ssize_t done = next(descriptor, data, pieces);
    wrote(handle, offset, data, pieces, done);
    unlock();
    return done;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset)
{
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    uint32_t handle = handle_of(descriptor);
    if (handle == 0)
        return next(descriptor, bytes, size, offset);
    lock();
    ssize_t done = next(descriptor, bytes, size, offset);
    wrote(handle, offset, &(struct iovec){(void *)(uintptr_t)bytes, size}, 1, done);
    unlock();
    return done;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t offset) __attribute__((alias("pwrite")));

ssize_t pwritev(int descriptor, const struct iovec *data, int pieces, off_t offset)
{
    NEXT(ssize_t, "pwritev64", int, const struct iovec *, int, off_t);
    uint32_t handle = handle_of(descriptor);
    if (handle == 0)
        return next(descriptor, data, pieces, offset);
    lock();
    ssize_t done = next(descriptor, data, pieces, offset);
    wrote(handle, offset, data, pieces, done);
    unlock();
    return done;
}

ssize_t pwritev64(int descriptor, const struct iovec *data, int pieces, off_t offset) __attribute__((alias("pwritev")));

/* These need not work on every file system, so whoever calls them has another way. */
static bool refuses(int descriptor, const char *what)
{
    if (handle_of(descriptor) == 0)
        return false;
    complain(RECORD_REFUSED, what);
    errno = ENOSYS;
    return true;
}

ssize_t pwritev2(int descriptor, const struct iovec *data, int pieces, off_t offset, int flags)
{
    NEXT(ssize_t, "pwritev64v2", int, const struct iovec *, int, off_t, int);
    return refuses(descriptor, "pwritev2") ? -1 : next(descriptor, data, pieces, offset, flags);
}

ssize_t pwritev64v2(int descriptor, const struct iovec *data, int pieces, off_t offset, int flags)
    __attribute__((alias("pwritev2")));

ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t size, unsigned flags)
{
    NEXT(ssize_t, "copy_file_range", int, off_t *, int, off_t *, size_t, unsigned);
    return refuses(to, "copy_file_range") ? -1 : next(from, from_offset, to, to_offset, size, flags);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t size)
{
    NEXT(ssize_t, "sendfile64", int, int, off_t *, size_t);
    return refuses(to, "sendfile") ? -1 : next(to, from, offset, size);
}

ssize_t sendfile64(int to, int from, off_t *offset, size_t size) __attribute__((alias("sendfile")));

ssize_t splice(int from, off_t *from_offset, int to, off_t *to_offset, size_t size, unsigned flags)
{
    NEXT(ssize_t, "splice", int, off_t *, int, off_t *, size_t, unsigned);
    return refuses(to, "splice") ? -1 : next(from, from_offset, to, to_offset, size, flags);
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    if ((flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0 && handle_of(descriptor) != 0) {
        dprintf(STDERR_FILENO, "powerloss: a file is mapped for writing, which is not modelled\n");
        complain(RECORD_UNKNOWN, "mmap for writing");
    }
    return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
}

void *mmap64(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
    __attribute__((alias("mmap")));

int ftruncate(int descriptor, off_t size)
{
    NEXT(int, "ftruncate64", int, off_t);
    uint32_t handle = handle_of(descriptor);
    if (handle == 0)
        return next(descriptor, size);
    lock();
    int result = next(descriptor, size);
    if (result == 0)
        record((Record){.kind = RECORD_TRUNCATE, .handle = handle, .a = size}, NULL, NULL, NULL, 0);
    unlock();
    return result;
}

int ftruncate64(int descriptor, off_t size) __attribute__((alias("ftruncate")));

int truncate(const char *path, off_t size)
{
    NEXT(int, "truncate64", const char *, off_t);
    char relative[PATH_MAX];
    if (!inside(AT_FDCWD, path, relative))
        return next(path, size);
    lock();
    int result = next(path, size);
    if (result == 0)
        record((Record){.kind = RECORD_TRUNCATE, .a = size}, relative, NULL, NULL, 0);
    unlock();
    return result;
}

int truncate64(const char *path, off_t size) __attribute__((alias("truncate")));

int fallocate(int descriptor, int mode, off_t offset, off_t size)
{
    NEXT(int, "fallocate64", int, int, off_t, off_t);
    uint32_t handle = handle_of(descriptor);
    if (handle == 0)
        return next(descriptor, mode, offset, size);
    Record head = {.kind = RECORD_FALLOCATE, .handle = handle, .a = offset, .b = size, .extra = (uint32_t)mode};
    lock();
    int result = next(descriptor, mode, offset, size);
    if (result == 0)
        record(head, NULL, NULL, NULL, 0);
    unlock();
    return result;
}

int fallocate64(int descriptor, int mode, off_t offset, off_t size) __attribute__((alias("fallocate")));

int posix_fallocate(int descriptor, off_t offset, off_t size)
{
    NEXT(int, "posix_fallocate64", int, off_t, off_t);
    uint32_t handle = handle_of(descriptor);
    if (handle == 0)
        return next(descriptor, offset, size);
    Record head = {.kind = RECORD_FALLOCATE, .handle = handle, .a = offset, .b = size};
    lock();
    int result = next(descriptor, offset, size);
    if (result == 0)
        record(head, NULL, NULL, NULL, 0);
    unlock();
    return result;
}

int posix_fallocate64(int descriptor, off_t offset, off_t size) __attribute__((alias("posix_fallocate")));

/* ---- Syncing ---- */

static int sync_with(int (*next)(int), int descriptor, Kind kind, uint32_t handle)
{
    lock();
    int64_t before = shim.records;
    unlock();
    int result = next(descriptor);
    if (shim.sync_us > 0)
        usleep(shim.sync_us);
    lock();
    if (result == 0)
        record((Record){.kind = kind, .handle = handle, .a = before}, NULL, NULL, NULL, 0);
    unlock();
    return result;
}

int fsync(int descriptor)
{
    NEXT(int, "fsync", int);
    uint32_t handle = handle_of(descriptor);
    return handle == 0 ? next(descriptor) : sync_with(next, descriptor, RECORD_SYNC, handle);
}

int fdatasync(int descriptor)
{
    NEXT(int, "fdatasync", int);
    uint32_t handle = handle_of(descriptor);
    return handle == 0 ? next(descriptor) : sync_with(next, descriptor, RECORD_SYNC, handle);
}

int syncfs(int descriptor)
{
    NEXT(int, "syncfs", int);
    return shim.on ? sync_with(next, descriptor, RECORD_SYNC_ALL, 0) : next(descriptor);
}

static int sync_whole(int descriptor)
{
    (void)descriptor;
    return (int)syscall(SYS_sync);
}

void sync(void)
{
    if (shim.on)
        sync_with(sync_whole, -1, RECORD_SYNC_ALL, 0);
    else
        sync_whole(-1);
}

/* sync_file_range is not here: it writes neither the file's size nor the device's cache (its manual page), so for this
 * model it makes nothing durable, and nothing needs to be noted. */

/* ---- Names ---- */

static int rename_any(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    NEXT(int, "renameat2", int, const char *, int, const char *, unsigned);
    char relative[PATH_MAX];
    char other[PATH_MAX];
    bool from_inside = inside(from_at, from, relative);
    bool to_inside = inside(to_at, to, other);
    if (!from_inside && !to_inside)
        return next(from_at, from, to_at, to, flags);
    lock();
    int result = next(from_at, from, to_at, to, flags);
    if (result == 0 && from_inside && to_inside && flags == 0)
        record((Record){.kind = RECORD_RENAME}, relative, other, NULL, 0);
    else if (result == 0)
        record((Record){.kind = RECORD_UNKNOWN}, "rename over the border or with flags", NULL, NULL, 0);
    unlock();
    return result;
}

int rename(const char *from, const char *to)
{
    return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return rename_any(from_at, from, to_at, to, 0);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    return rename_any(from_at, from, to_at, to, flags);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    NEXT(int, "linkat", int, const char *, int, const char *, int);
    char relative[PATH_MAX];
    char other[PATH_MAX];
    bool from_inside = inside(from_at, from, relative);
    if (!inside(to_at, to, other))
        return next(from_at, from, to_at, to, flags);
    lock();
    int result = next(from_at, from, to_at, to, flags);
    if (result == 0 && from_inside)
        record((Record){.kind = RECORD_LINK}, relative, other, NULL, 0);
    else if (result == 0)
        record((Record){.kind = RECORD_UNKNOWN}, "link over the border", NULL, NULL, 0);
    unlock();
    return result;
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int at, const char *path, int flags)
{
    NEXT(int, "unlinkat", int, const char *, int);
    char relative[PATH_MAX];
    if (!inside(at, path, relative))
        return next(at, path, flags);
    lock();
    int result = next(at, path, flags);
    if (result == 0)
        record((Record){.kind = RECORD_UNLINK}, relative, NULL, NULL, 0);
    unlock();
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    int result = unlinkat(AT_FDCWD, path, 0);
    return result != 0 && errno == EISDIR ? rmdir(path) : result;
}

int mkdirat(int at, const char *path, mode_t mode)
{
    NEXT(int, "mkdirat", int, const char *, mode_t);
    char relative[PATH_MAX];
    if (!inside(at, path, relative))
        return next(at, path, mode);
    lock();
    int result = next(at, path, mode);
    if (result == 0)
        record((Record){.kind = RECORD_MKDIR}, relative, NULL, NULL, 0);
    unlock();
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int symlink(const char *target, const char *path)
{
    NEXT(int, "symlink", const char *, const char *);
    char relative[PATH_MAX];
    if (inside(AT_FDCWD, path, relative))
        complain(RECORD_UNKNOWN, "symlink");
    return next(target, path);
}

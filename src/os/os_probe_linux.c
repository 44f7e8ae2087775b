#include "os/os_probe.h"

#include "base/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- The kernel ---- */

void os_probe_kernel(Arena *arena, OsKernel *kernel)
{
    struct utsname name;
    *kernel = (OsKernel){.text = SLICE("unknown")};
    if (uname(&name) != 0)
        return;
    kernel->text = arena_format(arena, "%s %s", name.sysname, name.release);
    char *end;
    kernel->major = (unsigned)strtoul(name.release, &end, 10);
    if (*end == '.')
        kernel->minor = (unsigned)strtoul(end + 1, NULL, 10);
}

/* Some systems let anybody make a user namespace and give no power in it, so the child uses it. */
int os_probe_user_namespaces(void)
{
    int status;
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);
    if (child < 0)
        return errno;
    if (child == 0)
        _exit(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET) == 0 ? 0 : errno);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

int os_probe_seccomp(void)
{
    const uint32_t actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ERRNO};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]) != 0)
            return errno;
    return 0;
}

int os_probe_landlock(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

static int close_or_errno(int file)
{
    if (file < 0)
        return errno;
    close(file);
    return 0;
}

int os_probe_memfd(void)
{
    return close_or_errno(memfd_create("probe", MFD_CLOEXEC));
}

int os_probe_pidfd(void)
{
    return close_or_errno((int)syscall(SYS_pidfd_open, getpid(), 0));
}

/* A file of /proc or /sys as it stands; absent when it cannot be read. */
static Slice read_text(Arena *arena, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return (Slice){0};
    Buffer text = buffer_make(arena);
    size_t got;
    do {
        got = fread(buffer_reserve(&text, 4096), 1, 4096, file);
        text.size += got;
    } while (got > 0);
    fclose(file);
    return buffer_slice(&text);
}

/* The next line without its end; false when there is none. */
static bool next_line(Slice *text, Slice *line)
{
    if (text->size == 0)
        return false;
    size_t end = slice_find(*text, '\n');
    *line = slice_make(text->data, end);
    *text = slice_skip(*text, end < text->size ? end + 1 : end);
    return true;
}

static bool has_word(Slice text, Slice word)
{
    while (text.size > 0) {
        size_t end = slice_find(text, ' ');
        if (slice_equal(slice_make(text.data, end), word))
            return true;
        text = slice_skip(text, end < text.size ? end + 1 : end);
    }
    return false;
}

/* The path behind "NUMBER:CONTROLLERS:" in /proc/self/cgroup for one controller, or for version 2 (no controllers). */
static Slice group_of(Arena *arena, Slice controller)
{
    Slice text = read_text(arena, "/proc/self/cgroup");
    Slice line;
    while (next_line(&text, &line)) {
        line = slice_skip(line, slice_find(line, ':'));
        if (line.size == 0)
            continue;
        line = slice_skip(line, 1);
        size_t size = slice_find(line, ':');
        if (size < line.size && slice_equal(slice_make(line.data, size), controller))
            return slice_skip(line, size + 1);
    }
    return (Slice){0};
}

static const char *const wanted_controllers[] = {"memory", "cpu", "pids"};
enum { WANTED = sizeof wanted_controllers / sizeof *wanted_controllers };

static void probe_cgroup_2(Arena *arena, OsCgroup *cgroup)
{
    Slice group = group_of(arena, SLICE(""));
    const char *path = arena_format(arena, "/sys/fs/cgroup%.*s", SLICE_PRINT(group)).data;
    cgroup->version = 2;
    cgroup->path = slice_of_string(path);
    cgroup->controllers = read_text(arena, arena_format(arena, "%s/cgroup.controllers", path).data);
    while (cgroup->controllers.size > 0 && cgroup->controllers.data[cgroup->controllers.size - 1] == '\n')
        cgroup->controllers.size--;
    cgroup->delegated = access(path, W_OK) == 0 &&
                        access(arena_format(arena, "%s/cgroup.procs", path).data, W_OK) == 0 &&
                        access(arena_format(arena, "%s/cgroup.subtree_control", path).data, W_OK) == 0;
    for (size_t i = 0; i < WANTED; i++)
        if (!has_word(cgroup->controllers, slice_of_string(wanted_controllers[i])))
            cgroup->delegated = false;
}

/* Version 1 has a tree for each controller. */
static void probe_cgroup_1(Arena *arena, OsCgroup *cgroup)
{
    Buffer found = buffer_make(arena);
    cgroup->delegated = true;
    for (size_t i = 0; i < WANTED; i++) {
        const char *name = wanted_controllers[i];
        Slice group = group_of(arena, slice_of_string(name));
        const char *path = arena_format(arena, "/sys/fs/cgroup/%s%.*s", name, SLICE_PRINT(group)).data;
        if (group.data == NULL || access(path, F_OK) != 0) {
            cgroup->delegated = false;
            continue;
        }
        cgroup->version = 1;
        buffer_add_format(&found, "%s%s", found.size == 0 ? "" : " ", name);
        if (access(path, W_OK) != 0)
            cgroup->delegated = false;
    }
    cgroup->controllers = buffer_slice(&found);
}

void os_probe_cgroup(Arena *arena, OsCgroup *cgroup)
{
    struct statfs status;
    *cgroup = (OsCgroup){0};
    if (statfs("/sys/fs/cgroup", &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC)
        probe_cgroup_2(arena, cgroup);
    else
        probe_cgroup_1(arena, cgroup);
}

static struct rlimit limit_of(pid_t process, __rlimit_resource_t resource)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (prlimit(process, resource, NULL, &limit) != 0)
        prlimit(0, resource, NULL, &limit);
    return limit;
}

void os_probe_limits(int64_t process, OsLimits *limits)
{
    rlim_t files = limit_of((pid_t)process, RLIMIT_NOFILE).rlim_max;
    rlim_t processes = limit_of((pid_t)process, RLIMIT_NPROC).rlim_cur;
    limits->files = files == RLIM_INFINITY ? UINT64_MAX : files;
    limits->processes = processes == RLIM_INFINITY ? UINT64_MAX : processes;
}

int os_probe_overcommit(void)
{
    Arena arena = arena_make();
    Slice text = read_text(&arena, "/proc/sys/vm/overcommit_memory");
    int mode = text.size > 0 && text.data[0] >= '0' && text.data[0] <= '2' ? text.data[0] - '0' : -1;
    arena_free(&arena);
    return mode;
}

uint64_t os_probe_memory_available(void)
{
    Arena arena = arena_make();
    Slice text = read_text(&arena, "/proc/meminfo");
    Slice name = SLICE("MemAvailable:");
    Slice line;
    uint64_t bytes = 0;
    while (next_line(&text, &line))
        if (slice_starts_with(line, name))
            bytes = strtoull(arena_string(&arena, slice_skip(line, name.size)), NULL, 10) * 1024;
    arena_free(&arena);
    return bytes;
}

/* A number behind a name; or the second number, when there is no name. */
static long long read_number(const char *path, const char *name)
{
    char text[1024];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    text[size < 0 ? 0 : size] = '\0';
    const char *found = name != NULL ? strstr(text, name) : strchr(text, ' ');
    return found == NULL ? 0 : strtoll(found + (name != NULL ? strlen(name) : 1), NULL, 10);
}

uint64_t os_probe_resident(int process_file)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", process_file);
    long long process = process_file < 0 ? 0 : read_number(path, "\nPid:");
    if (process <= 0) /* it has ended */
        return 0;
    snprintf(path, sizeof path, "/proc/%lld/statm", process);
    long long pages = read_number(path, NULL);
    return pages <= 0 ? 0 : (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool os_probe_clock_is_synchronised(void)
{
    struct timex state = {0};
    return adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

bool os_probe_systemd(void)
{
    struct stat status;
    return lstat("/run/systemd/system", &status) == 0 && S_ISDIR(status.st_mode);
}

/* ---- Disks ---- */

static const struct {
    uint64_t magic;
    const char *name;
    OsFilesystemKind kind;
} filesystems[] = {
    {EXT4_SUPER_MAGIC, "ext4", OS_FILESYSTEM_DISK},
    {XFS_SUPER_MAGIC, "xfs", OS_FILESYSTEM_DISK},
    {BTRFS_SUPER_MAGIC, "btrfs", OS_FILESYSTEM_DISK},
    {0x2fc12fc1, "zfs", OS_FILESYSTEM_DISK},
    {F2FS_SUPER_MAGIC, "f2fs", OS_FILESYSTEM_DISK},
    {0xca451a4e, "bcachefs", OS_FILESYSTEM_DISK},
    {TMPFS_MAGIC, "tmpfs", OS_FILESYSTEM_MEMORY},
    {RAMFS_MAGIC, "ramfs", OS_FILESYSTEM_MEMORY},
    {OVERLAYFS_SUPER_MAGIC, "overlay", OS_FILESYSTEM_LAYER},
    {NFS_SUPER_MAGIC, "nfs", OS_FILESYSTEM_NETWORK},
    {CIFS_SUPER_MAGIC, "cifs", OS_FILESYSTEM_NETWORK},
    {SMB2_SUPER_MAGIC, "smb2", OS_FILESYSTEM_NETWORK},
    {SMB_SUPER_MAGIC, "smb", OS_FILESYSTEM_NETWORK},
    {CEPH_SUPER_MAGIC, "ceph", OS_FILESYSTEM_NETWORK},
    {V9FS_MAGIC, "9p", OS_FILESYSTEM_NETWORK},
    {FUSE_SUPER_MAGIC, "fuse", OS_FILESYSTEM_NETWORK},
};

int os_probe_filesystem(const char *path, OsFilesystem *filesystem)
{
    struct statfs status;
    if (statfs(path, &status) != 0)
        return errno;
    *filesystem = (OsFilesystem){OS_FILESYSTEM_UNKNOWN, "of another kind", (status.f_flags & ST_RDONLY) != 0};
    for (size_t i = 0; i < sizeof filesystems / sizeof *filesystems; i++) {
        if (filesystems[i].magic != ((uint64_t)status.f_type & UINT32_MAX))
            continue;
        filesystem->kind = filesystems[i].kind;
        filesystem->name = filesystems[i].name;
    }
    return 0;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* As the store's log does it: append, sync the data. */
static int time_syncs(int file, uint64_t *took_ns, size_t count)
{
    char block[512];
    memset(block, 'b', sizeof block);
    for (size_t i = 0; i < count; i++) {
        uint64_t begin = now_ns();
        if (write(file, block, sizeof block) != (ssize_t)sizeof block)
            return errno == 0 ? EIO : errno;
        if (fdatasync(file) != 0)
            return errno;
        took_ns[i] = now_ns() - begin;
    }
    return 0;
}

int os_probe_sync(const char *directory, uint64_t *took_ns, size_t count)
{
    Arena arena = arena_make();
    char *name = arena_string(&arena, arena_format(&arena, "%s/probe-XXXXXX", directory));
    int file = mkstemp(name);
    int reason = file < 0 ? errno : 0;
    if (file >= 0) {
        unlink(name);
        errno = 0;
        reason = time_syncs(file, took_ns, count);
        close(file);
    }
    arena_free(&arena);
    return reason;
}

/* Whether the process has that file open. On layered file systems the device in /proc/locks is another than stat's. */
static bool has_open(Arena *arena, int64_t process, const struct stat *wanted)
{
    const char *path = arena_format(arena, "/proc/%lld/fd", (long long)process).data;
    DIR *directory = opendir(path);
    bool found = false;
    if (directory == NULL)
        return false;
    for (const struct dirent *entry; !found && (entry = readdir(directory)) != NULL;) {
        struct stat status;
        found = stat(arena_format(arena, "%s/%s", path, entry->d_name).data, &status) == 0 &&
                status.st_ino == wanted->st_ino && status.st_dev == wanted->st_dev;
    }
    closedir(directory);
    return found;
}

/* A line is "1: FLOCK  ADVISORY  WRITE 123 fe:00:456 0 EOF": process, device, inode (proc(5), /proc/locks). */
int64_t os_probe_lock_holder(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return 0;
    Arena arena = arena_make();
    Slice text = read_text(&arena, "/proc/locks");
    Slice line;
    int64_t holder = 0;
    while (holder == 0 && next_line(&text, &line)) {
        long long process;
        unsigned major_number;
        unsigned minor_number;
        unsigned long long inode;
        if (sscanf(arena_string(&arena, line), "%*s FLOCK %*s %*s %lld %x:%x:%llu", &process, &major_number,
                   &minor_number, &inode) != 4 ||
            process <= 0 || inode != status.st_ino)
            continue;
        if (makedev(major_number, minor_number) == status.st_dev || has_open(&arena, process, &status))
            holder = process;
    }
    arena_free(&arena);
    return holder;
}

/* os_probe.h: what this machine lets a process do: for `brume doctor`, and for whoever must choose between two ways.
 *
 * Each probe really tries, and leaves nothing behind. One thread may call at a time; all may block for a moment, and
 * those that start a process want no other thread in ours. Where a probe gives an errno, 0 means that it works. */
#ifndef BRUME_OS_PROBE_H
#define BRUME_OS_PROBE_H

#include "base/arena.h"

/* ---- The kernel ---- */

typedef struct OsKernel {
    Slice text; /* "Linux 6.1.0-13-amd64" */
    unsigned major;
    unsigned minor;
} OsKernel;
void os_probe_kernel(Arena *arena, OsKernel *kernel);

/* A process in a user namespace of its own that makes further namespaces there: an errno. */
int os_probe_user_namespaces(void);
/* Seccomp filters that may end a process or answer a call with an error: an errno. */
int os_probe_seccomp(void);
/* The version of Landlock's interface, from 1 on; 0: there is none. */
int os_probe_landlock(void);
/* Files without a name, and handles of processes: an errno. */
int os_probe_memfd(void);
int os_probe_pidfd(void);

typedef struct OsCgroup {
    int version;       /* 2, 1, or 0: none is mounted */
    Slice path;        /* version 2: this process's group, "/sys/fs/cgroup/…" */
    Slice controllers; /* those in force for it, separated by blanks */
    bool delegated;    /* it may make groups below its own, with all of memory, cpu and pids */
} OsCgroup;
/* cgroups(7); cgroup v2, "Delegation", in the kernel's documentation. */
void os_probe_cgroup(Arena *arena, OsCgroup *cgroup);

typedef struct OsLimits {
    uint64_t files;     /* that it may have open at most (the hard limit); UINT64_MAX: no bound */
    uint64_t processes; /* that its user may have, threads included */
} OsLimits;
/* Those of a process, or of this one: for 0, and when the other's may not be seen. */
void os_probe_limits(int64_t process, OsLimits *limits);

/* How memory is promised (proc(5), overcommit_memory): 2 is strictly; -1 when it cannot be read. */
int os_probe_overcommit(void);
/* Bytes that could be taken without swapping (proc(5), MemAvailable), 0 when that cannot be read. */
uint64_t os_probe_memory_available(void);
/* Bytes that a process holds in memory, those that it shares with others among them (proc(5), "/proc/pid/statm"), by its
 * pidfd; 0 when that cannot be read. Any thread; some twenty microseconds. */
uint64_t os_probe_resident(int process_file);
/* Whether something (NTP as a rule) holds the wall clock right (adjtimex(2)). */
bool os_probe_clock_is_synchronised(void);
/* Whether systemd manages this machine (sd_booted(3)). */
bool os_probe_systemd(void);

/* ---- Disks ---- */

typedef enum OsFilesystemKind {
    OS_FILESYSTEM_DISK,
    OS_FILESYSTEM_MEMORY,  /* gone with the power */
    OS_FILESYSTEM_LAYER,   /* of a container, and gone with it */
    OS_FILESYSTEM_NETWORK, /* locks and syncs are somebody else's promise */
    OS_FILESYSTEM_UNKNOWN,
} OsFilesystemKind;

typedef struct OsFilesystem {
    OsFilesystemKind kind;
    const char *name;
    bool read_only;
} OsFilesystem;
/* Of the file system that holds `path`: an errno. */
int os_probe_filesystem(const char *path, OsFilesystem *filesystem);

/* How long each of `count` syncs of 512 appended bytes takes, in a file of `directory` that has no name: an errno. */
int os_probe_sync(const char *directory, uint64_t *took_ns, size_t count);

/* The process that holds a lock (flock(2)) on the file; 0: nobody does, or it cannot be seen from here. Takes no lock
 * itself, which would be in the way of who wants it. */
int64_t os_probe_lock_holder(const char *path);

/* ---- Programs ---- */

/* The first line that `path argument` prints, with nothing to read and at most two seconds to do it; absent when it prints
 * none or does not end well. */
Slice os_probe_program(Arena *arena, const char *path, const char *argument);

#endif

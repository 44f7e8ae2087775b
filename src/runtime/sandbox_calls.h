/* sandbox_calls.h: system calls that older C libraries have no function for, by their manual pages' names.
 *
 * open_tree(2), move_mount(2), mount_setattr(2), pidfd_open(2), pidfd_send_signal(2), clone3(2). Each gives -1 with
 * errno. */
#ifndef BRUME_RUNTIME_SANDBOX_CALLS_H
#define BRUME_RUNTIME_SANDBOX_CALLS_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CALL_TREE_CLONE = 1,
    CALL_TREE_RECURSIVE = 0x8000, /* AT_RECURSIVE */
    CALL_EMPTY_PATH = 0x1000,     /* AT_EMPTY_PATH */
    CALL_MOVE_FROM_EMPTY = 4,     /* MOVE_MOUNT_F_EMPTY_PATH */
    CALL_MOUNT_READ_ONLY = 1,
    CALL_MOUNT_NO_SETUID = 2,
    CALL_MOUNT_NO_DEVICES = 4,
};

/* A detached copy of the mounts at `path`, those below it included. */
static inline int call_clone_tree(int directory, const char *path)
{
    return (int)syscall(SYS_open_tree, directory, path,
                        CALL_TREE_CLONE | CALL_TREE_RECURSIVE | O_CLOEXEC | (*path == '\0' ? CALL_EMPTY_PATH : 0));
}

static inline int call_attach_tree(int tree, const char *place)
{
    return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, place, CALL_MOVE_FROM_EMPTY);
}

/* Sets `attributes` on all mounts of the tree. */
static inline int call_set_tree(int tree, uint64_t attributes)
{
    const uint64_t change[4] = {attributes, 0, 0, 0}; /* struct mount_attr: set, clear, propagation, user namespace */
    return (int)syscall(SYS_mount_setattr, tree, "", CALL_EMPTY_PATH | CALL_TREE_RECURSIVE, change, sizeof change);
}

static inline int call_open_process(pid_t process)
{
    return (int)syscall(SYS_pidfd_open, process, 0);
}

static inline int call_signal_process(int process, int signal_number)
{
    return (int)syscall(SYS_pidfd_send_signal, process, signal_number, NULL, 0);
}

/* A fork with `flags` of clone3(2). Only for a process with one thread. */
static inline pid_t call_clone(uint64_t flags, int exit_signal)
{
    const uint64_t arguments[8] = {flags, 0, 0, 0, (uint64_t)exit_signal,
                                   0,     0, 0}; /* struct clone_args, first version */
    return (pid_t)syscall(SYS_clone3, arguments, sizeof arguments);
}

/* The same by clone(2), whose flags a filter of system calls can see. */
static inline pid_t call_clone_seen(uint64_t flags)
{
    return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

#endif

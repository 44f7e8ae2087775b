/* cgroup.h: how much memory and processor time, and how many processes, a worker may have (cgroups(7)).
 *
 * A server has a group of its own, `brume-PROCESS`, below the one that it was started in; each worker has one below that.
 * Version 2, and version 1 with memory, cpu and pids at their usual places under /sys/fs/cgroup. One process, the
 * spawner, makes groups; the keeper, which outlives it, clears them away. */
#ifndef BRUME_RUNTIME_CGROUP_H
#define BRUME_RUNTIME_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CGROUP_PATH_SIZE = 512, CGROUP_CONTROLLERS = 3 };

typedef struct CgroupTree {
    int version; /* 0: there are none that may be used */
    int count;   /* of directories: one for each controller of version 1, one of version 2 */
    char directories[CGROUP_CONTROLLERS][CGROUP_PATH_SIZE];
} CgroupTree;

typedef struct CgroupLimits {
    uint64_t memory_bytes;
    uint64_t processor_permille;
    uint64_t processes;
} CgroupLimits;

typedef struct Cgroup {
    const CgroupTree *tree; /* NULL: none */
    uint64_t number;
} Cgroup;

/* Finds where groups can be made, clears those of servers that are gone, and makes the one of `server`. Version 0 with a
 * reason in words in `lacks` when there is none. */
void cgroup_open(CgroupTree *tree, pid_t server, const char **lacks);
/* The same where the hierarchies are mounted below `root`, and `own` is a file as /proc/self/cgroup. */
typedef struct CgroupPlace {
    const char *root;
    const char *own;
} CgroupPlace;
void cgroup_open_at(const CgroupPlace *place, CgroupTree *tree, pid_t server, const char **lacks);
/* Removes the server's group and all below it, which must be empty of processes. */
void cgroup_close(const CgroupTree *tree);

/* A worker's group. False with errno. */
bool cgroup_make(const CgroupTree *tree, uint64_t number, Cgroup *group);
bool cgroup_limit(const Cgroup *group, const CgroupLimits *limits);
/* Files by which a process of `user` enters the group, writing "0" to each: so many as the tree has directories; the
 * caller's. With version 1 a caller that is neither root nor that user needs CAP_SETUID, and has one thread. False with
 * errno. */
bool cgroup_open_entries(const Cgroup *group, uid_t user, int entries[CGROUP_CONTROLLERS]);
/* A file to read the most memory from that the group has held, a decimal number of bytes; -1: there is none. */
int cgroup_open_peak(const Cgroup *group);
typedef struct CgroupUse {
    bool out_of_memory; /* the kernel has ended a process of the group for want of memory */
    uint64_t peak_bytes;
} CgroupUse;
void cgroup_use(const Cgroup *group, CgroupUse *use);
/* What programs have allocated, without files and what lies in /tmp; and all of it. */
uint64_t cgroup_allocated(const Cgroup *group);
uint64_t cgroup_used(const Cgroup *group);
/* Of a group without processes. */
void cgroup_remove(Cgroup *group);

#endif

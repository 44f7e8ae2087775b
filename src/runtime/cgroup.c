#include "runtime/cgroup.h"

#include "base/bug.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define GROUP_PREFIX "brume-"
#define LEAF "/" GROUP_PREFIX "server"

enum {
    PERIOD_US = 100000, /* of the processor's bandwidth: the kernel's default */
    QUOTA_MIN_US = 1000,
    TEXT_SIZE = 8192,
};

/* The controllers of version 1, in the order of CgroupTree.directories. */
enum { MEMORY, PROCESSOR, PROCESSES };
static const char *const controllers[CGROUP_CONTROLLERS] = {"memory", "cpu", "pids"};

/* ---- Files ---- */

static bool write_file(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool written = write(file, text, strlen(text)) == (ssize_t)strlen(text);
    int reason = errno;
    close(file);
    errno = reason;
    return written;
}

static size_t read_file(const char *path, char *text, size_t size)
{
    memset(text, 0, size);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, text, size - 1);
    if (file >= 0)
        close(file);
    return got < 0 ? 0 : (size_t)got;
}

/* The number behind `name` at the beginning of a line. */
static uint64_t field(const char *text, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, size) == 0 && line[size] == ' ')
            return strtoull(line + size + 1, NULL, 10);
    }
    return 0;
}

/* The worker's folder for a controller, and a file in it. Version 2 has one for all. */
static const char *path_of(const Cgroup *group, int controller, const char *file, char path[PATH_MAX])
{
    const char *directory = group->tree->directories[group->tree->version == 2 ? 0 : controller];
    snprintf(path, PATH_MAX, "%s/%llu%s%s", directory, (unsigned long long)group->number, *file == '\0' ? "" : "/",
             file);
    return path;
}

static bool write_number(const Cgroup *group, int controller, const char *file, uint64_t number)
{
    char path[PATH_MAX];
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return write_file(path_of(group, controller, file, path), text);
}

/* ---- The server's group ---- */

/* The group of this process, as /proc/self/cgroup names it: the line "N:CONTROLLERS:PATH", of version 2 "0::PATH". */
static bool own_path(const char *text, const char *controller, char path[CGROUP_PATH_SIZE])
{
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *names = strchr(line, ':');
        const char *place = names == NULL ? NULL : strchr(names + 1, ':');
        if (place == NULL)
            break;
        size_t size = (size_t)(place - names - 1);
        char list[128];
        snprintf(list, sizeof list, ",%.*s,", (int)size, names + 1);
        char wanted[64];
        snprintf(wanted, sizeof wanted, ",%s,", controller);
        bool found = *controller == '\0' ? size == 0 : strstr(list, wanted) != NULL;
        if (!found)
            continue;
        size_t length = strcspn(place + 1, "\n");
        snprintf(path, CGROUP_PATH_SIZE, "%.*s", (int)length, place + 1);
        return true;
    }
    return false;
}

/* Below `mount`, the folder of this process's own group; in a container that does not see its own path, the mount. */
static void own_directory(const CgroupPlace *place, const char *mount, const char *controller,
                          char directory[CGROUP_PATH_SIZE])
{
    char text[TEXT_SIZE];
    char path[CGROUP_PATH_SIZE] = "";
    read_file(place->own, text, sizeof text);
    if (!own_path(text, controller, path) || strcmp(path, "/") == 0)
        path[0] = '\0';
    char joined[2 * CGROUP_PATH_SIZE];
    snprintf(joined, sizeof joined, "%s%s", mount, path);
    snprintf(directory, CGROUP_PATH_SIZE, "%.*s", CGROUP_PATH_SIZE - 1, access(joined, F_OK) == 0 ? joined : mount);
}

/* Workers' groups, then the server's own. */
static void remove_group(const char *directory)
{
    DIR *folder = opendir(directory);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
    closedir(folder);
    rmdir(directory);
}

/* Servers that were killed together with their keepers have left theirs. */
static void remove_orphans(const char *parent)
{
    DIR *folder = opendir(parent);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *end;
        if (strncmp(entry->d_name, GROUP_PREFIX, strlen(GROUP_PREFIX)) != 0)
            continue;
        long process = strtol(entry->d_name + strlen(GROUP_PREFIX), &end, 10);
        if (*end != '\0' || process <= 0 || kill((pid_t)process, 0) == 0 || errno != ESRCH)
            continue;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
        remove_group(path);
    }
    closedir(folder);
}

/* All workers together are one group beside each single process of the machine: with a process's weight a hundred of them
 * would starve next to a few compilers. No matter when it cannot be set. */
static void raise_weight(const char *group)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/cpu.shares", group);
    if (access(path, F_OK) == 0)
        write_file(path, "10240"); /* 1024 is a process's */
    snprintf(path, sizeof path, "%s/cpu.weight", group);
    if (access(path, F_OK) == 0)
        write_file(path, "1000"); /* 100 is */
}

/* `parent` is replaced by the server's own group in it. */
static bool make_server_group(char parent[CGROUP_PATH_SIZE], pid_t server)
{
    remove_orphans(parent);
    char name[2 * CGROUP_PATH_SIZE];
    snprintf(name, sizeof name, "%s/" GROUP_PREFIX "%lld", parent, (long long)server);
    if (strlen(name) >= CGROUP_PATH_SIZE) {
        errno = ENAMETOOLONG;
        return false;
    }
    remove_group(name);
    if (mkdir(name, 0755) != 0)
        return false;
    raise_weight(name);
    memcpy(parent, name, strlen(name) + 1);
    return true;
}

static bool open_version_1(const CgroupPlace *place, CgroupTree *tree, pid_t server)
{
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        char mount[CGROUP_PATH_SIZE];
        snprintf(mount, sizeof mount, "%s/%s", place->root, controllers[i]);
        if (access(mount, F_OK) != 0)
            return false;
        own_directory(place, mount, controllers[i], tree->directories[i]);
        if (!make_server_group(tree->directories[i], server)) {
            int reason = errno;
            cgroup_close(tree);
            errno = reason;
            return false;
        }
        tree->count = i + 1;
    }
    tree->version = 1;
    return true;
}

/* Groups with processes cannot give controllers to those below them (cgroup v2, "No Internal Process Constraint"), so this
 * process and what it was started with would have to leave: whoever delegates to us starts us in a group of our own,
 * from which we move ourselves into a leaf. */
static bool move_into_leaf(const char *parent)
{
    char path[PATH_MAX];
    char text[TEXT_SIZE];
    snprintf(path, sizeof path, "%s" LEAF, parent);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return false;
    char from[PATH_MAX];
    snprintf(from, sizeof from, "%s/cgroup.procs", parent);
    read_file(from, text, sizeof text);
    snprintf(path, sizeof path, "%s" LEAF "/cgroup.procs", parent);
    for (char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        char number[32];
        snprintf(number, sizeof number, "%.*s", (int)size, line);
        write_file(path, number);
        line += size + (line[size] == '\n');
    }
    return true;
}

static bool give_controllers(const char *directory)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/cgroup.subtree_control", directory);
    return write_file(path, "+memory +cpu +pids");
}

/* Its names with spaces between them; "cpuset" is not "cpu". */
static bool has_controllers(const char *directory)
{
    char path[PATH_MAX];
    char text[TEXT_SIZE] = " ";
    snprintf(path, sizeof path, "%s/cgroup.controllers", directory);
    size_t size = read_file(path, text + 1, sizeof text - 2) + 1;
    size -= text[size - 1] == '\n';
    memcpy(text + size, " ", 2);
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        char wanted[16];
        snprintf(wanted, sizeof wanted, " %s ", controllers[i]);
        if (strstr(text, wanted) == NULL)
            return false;
    }
    return true;
}

/* A keeper that comes after another one finds itself in the leaf: groups go beside that, not below it. */
static void leave_out_leaf(char directory[CGROUP_PATH_SIZE])
{
    size_t size = strlen(directory);
    if (size >= sizeof LEAF && strcmp(directory + size - (sizeof LEAF - 1), LEAF) == 0)
        directory[size - (sizeof LEAF - 1)] = '\0';
}

static bool open_version_2(const CgroupPlace *place, CgroupTree *tree, pid_t server)
{
    own_directory(place, place->root, "", tree->directories[0]);
    leave_out_leaf(tree->directories[0]);
    if (!has_controllers(tree->directories[0]))
        return false;
    if (!give_controllers(tree->directories[0]) &&
        !(errno == EBUSY && move_into_leaf(tree->directories[0]) && give_controllers(tree->directories[0])))
        return false;
    if (!make_server_group(tree->directories[0], server))
        return false;
    tree->count = 1;
    if (!give_controllers(tree->directories[0])) {
        cgroup_close(tree);
        return false;
    }
    tree->version = 2;
    return true;
}

void cgroup_open(CgroupTree *tree, pid_t server, const char **lacks)
{
    cgroup_open_at(&(CgroupPlace){ROOT, "/proc/self/cgroup"}, tree, server, lacks);
}

void cgroup_open_at(const CgroupPlace *place, CgroupTree *tree, pid_t server, const char **lacks)
{
    char path[PATH_MAX];
    *tree = (CgroupTree){0};
    snprintf(path, sizeof path, "%s/cgroup.controllers", place->root);
    bool is_2 = access(path, F_OK) == 0;
    if (is_2 ? open_version_2(place, tree, server) : open_version_1(place, tree, server))
        return;
    *tree = (CgroupTree){0};
    *lacks = is_2 ? "cgroups (version 2 without memory, cpu and pids delegated; under systemd: Delegate=yes)"
                  : "cgroups (memory, cpu and pids under " ROOT " that may be written to)";
}

void cgroup_close(const CgroupTree *tree)
{
    for (int i = 0; i < tree->count; i++)
        remove_group(tree->directories[i]);
}

/* ---- A worker's group ---- */

bool cgroup_make(const CgroupTree *tree, uint64_t number, Cgroup *group)
{
    char path[PATH_MAX];
    *group = (Cgroup){tree, number};
    for (int i = 0; i < tree->count; i++) {
        if (mkdir(path_of(group, i, "", path), 0755) == 0)
            continue;
        int reason = errno;
        while (i-- > 0)
            rmdir(path_of(group, i, "", path));
        *group = (Cgroup){0};
        errno = reason;
        return false;
    }
    return true;
}

static uint64_t quota_us(const CgroupLimits *limits)
{
    uint64_t quota = limits->processor_permille * (PERIOD_US / 1000);
    return quota < QUOTA_MIN_US ? QUOTA_MIN_US : quota;
}

static bool limit_version_1(const Cgroup *group, const CgroupLimits *limits)
{
    /* The limit of memory and swap together may not be below that of memory: a first one is raised, a later one lowered;
     * both are tried in either order. Kernels without accounting of swap have no such file. */
    char path[PATH_MAX];
    bool has_swap = access(path_of(group, MEMORY, "memory.memsw.limit_in_bytes", path), F_OK) == 0;
    bool swap_first = has_swap && write_number(group, MEMORY, "memory.memsw.limit_in_bytes", limits->memory_bytes);
    return write_number(group, MEMORY, "memory.limit_in_bytes", limits->memory_bytes) &&
           (!has_swap || swap_first ||
            write_number(group, MEMORY, "memory.memsw.limit_in_bytes", limits->memory_bytes)) &&
           (limits->processor_permille == 0 || write_number(group, PROCESSOR, "cpu.cfs_quota_us", quota_us(limits))) &&
           write_number(group, PROCESSES, "pids.max", limits->processes);
}

static bool limit_version_2(const Cgroup *group, const CgroupLimits *limits)
{
    char path[PATH_MAX];
    char text[64];
    write_number(group, 0, "memory.swap.max", 0); /* not there without swap */
    write_number(group, 0, "memory.oom.group", 1);
    snprintf(text, sizeof text, "%llu %d", (unsigned long long)quota_us(limits), PERIOD_US);
    return write_number(group, 0, "memory.max", limits->memory_bytes) &&
           (limits->processor_permille == 0 || write_file(path_of(group, 0, "cpu.max", path), text)) &&
           write_number(group, 0, "pids.max", limits->processes);
}

bool cgroup_limit(const Cgroup *group, const CgroupLimits *limits)
{
    return group->tree->version == 2 ? limit_version_2(group, limits) : limit_version_1(group, limits);
}

/* Of version 1 the file for single threads: one that moves itself needs no lock that stops the machine's forks (the
 * kernel's cgroup_procs_write_start). */
static bool open_entries(const Cgroup *group, int entries[CGROUP_CONTROLLERS])
{
    char path[PATH_MAX];
    const char *file = group->tree->version == 2 ? "cgroup.procs" : "tasks";
    for (int i = 0; i < group->tree->count; i++)
        if ((entries[i] = open(path_of(group, i, file, path), O_WRONLY | O_CLOEXEC)) < 0)
            return false;
    return true;
}

/* Version 1 moves a process only for root or for the process's own user, and looks at who has opened the file, not at who
 * writes to it (Linux, kernel/cgroup/cgroup-v1.c, __cgroup1_procs_write). Version 2 asks for powers over the groups. */
bool cgroup_open_entries(const Cgroup *group, uid_t user, int entries[CGROUP_CONTROLLERS])
{
    const uid_t self = geteuid();
    if (group->tree->version == 2 || self == 0 || user == self)
        return open_entries(group, entries);
    const int dumpable = prctl(PR_GET_DUMPABLE);
    if (seteuid(user) != 0)
        return false;
    bool opened = open_entries(group, entries);
    int reason = errno;
    bool restored = seteuid(self) == 0;
    ASSERT(restored);
    /* A change of user takes /proc/self from its owner. */
    (void)prctl(PR_SET_DUMPABLE, dumpable);
    errno = reason;
    return opened;
}

int cgroup_open_peak(const Cgroup *group)
{
    char path[PATH_MAX];
    const char *file = group->tree->version == 2 ? "memory.peak" : "memory.max_usage_in_bytes";
    return open(path_of(group, MEMORY, file, path), O_RDONLY | O_CLOEXEC);
}

void cgroup_use(const Cgroup *group, CgroupUse *use)
{
    char path[PATH_MAX];
    char text[TEXT_SIZE];
    bool is_2 = group->tree->version == 2;
    read_file(path_of(group, MEMORY, is_2 ? "memory.events" : "memory.oom_control", path), text, sizeof text);
    use->out_of_memory = field(text, "oom_kill") > 0;
    read_file(path_of(group, MEMORY, is_2 ? "memory.peak" : "memory.max_usage_in_bytes", path), text, sizeof text);
    use->peak_bytes = strtoull(text, NULL, 10);
}

uint64_t cgroup_allocated(const Cgroup *group)
{
    char path[PATH_MAX];
    char text[TEXT_SIZE];
    read_file(path_of(group, MEMORY, "memory.stat", path), text, sizeof text);
    return field(text, group->tree->version == 2 ? "anon" : "total_rss");
}

uint64_t cgroup_used(const Cgroup *group)
{
    char path[PATH_MAX];
    char text[64];
    const char *file = group->tree->version == 2 ? "memory.current" : "memory.usage_in_bytes";
    read_file(path_of(group, MEMORY, file, path), text, sizeof text);
    return strtoull(text, NULL, 10);
}

void cgroup_remove(Cgroup *group)
{
    char path[PATH_MAX];
    for (int i = 0; group->tree != NULL && i < group->tree->count; i++)
        rmdir(path_of(group, i, "", path));
    *group = (Cgroup){0};
}

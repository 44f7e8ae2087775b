/* Control groups of version 2, on a folder that stands for the kernel's: calls that the kernel gives a meaning there (a group
 * is made with its files in it, controllers are given from above, none where there are processes) are answered so here. */
#include "runtime/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SERVER = 4242, TEXT = 4096 };

static char root[PATH_MAX]; /* "": nothing is a group */
static char own[PATH_MAX];
static CgroupPlace place;

/* ---- Files ---- */

static void put(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.3000s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static char *get(const char *folder, const char *name, char text[TEXT])
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.3000s/%s", folder, name);
    FILE *file = fopen(path, "re");
    memset(text, 0, TEXT);
    if (file == NULL)
        return NULL;
    (void)!fread(text, 1, TEXT - 1, file);
    fclose(file);
    return text;
}

static void assert_file(const char *folder, const char *name, const char *expected)
{
    char text[TEXT];
    assert_non_null(get(folder, name, text));
    assert_string_equal(text, expected);
}

/* ---- The kernel (cgroup v2, "Control Group v2") ---- */

static const char *const files[] = {
    "cgroup.procs", "cgroup.subtree_control", "memory.max",  "memory.swap.max", "memory.oom.group", "memory.events",
    "memory.peak",  "memory.current",         "memory.stat", "cpu.max",         "cpu.weight",       "pids.max"};

static bool is_group(const char *path)
{
    return root[0] != '\0' && strncmp(path, root, strlen(root)) == 0;
}

/* Those that its parent gives are those that it has. */
static void fill_group(const char *path)
{
    char text[TEXT];
    char parent[PATH_MAX];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put(path, files[i], "");
    snprintf(parent, sizeof parent, "%.3000s/..", path);
    put(path, "cgroup.controllers", get(parent, "cgroup.subtree_control", text));
}

static int remove_folder(const char *path)
{
    char text[TEXT];
    char name[PATH_MAX];
    if (is_group(path) && *get(path, "cgroup.procs", text) != '\0') {
        errno = EBUSY;
        return -1;
    }
    for (size_t i = 0; is_group(path) && i <= sizeof files / sizeof *files; i++) {
        snprintf(name, sizeof name, "%.3000s/%s", path,
                 i == sizeof files / sizeof *files ? "cgroup.controllers" : files[i]);
        unlink(name);
    }
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

static int path_of(int file, char path[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    path[size < 0 ? 0 : size] = '\0';
    return size > 0;
}

static bool ends_with(const char *path, const char *end)
{
    size_t size = strlen(path);
    return size >= strlen(end) && strcmp(path + size - strlen(end), end) == 0;
}

/* "+memory +cpu": what it has itself, and only without processes of its own. */
static ssize_t give(const char *folder, const char *text, size_t size)
{
    char own_text[TEXT];
    char given[TEXT] = "";
    if (*get(folder, "cgroup.procs", own_text) != '\0') {
        errno = EBUSY;
        return -1;
    }
    char copy[TEXT];
    char *rest;
    snprintf(copy, sizeof copy, "%.*s", (int)size, text);
    get(folder, "cgroup.controllers", own_text);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (*word != '+' || strstr(own_text, word + 1) == NULL) {
            errno = ENOENT;
            return -1;
        }
        snprintf(given + strlen(given), sizeof given - strlen(given), "%s%s", given[0] == '\0' ? "" : " ", word + 1);
    }
    put(folder, "cgroup.subtree_control", given);
    return (ssize_t)size;
}

/* A process is in one group: here it leaves the one above. */
static ssize_t move_process(const char *folder, const char *text, size_t size)
{
    char here[TEXT];
    char above[TEXT];
    char parent[PATH_MAX];
    char left[TEXT] = "";
    snprintf(parent, sizeof parent, "%.3000s/..", folder);
    get(folder, "cgroup.procs", here);
    snprintf(here + strlen(here), sizeof here - strlen(here), "%.*s\n", (int)size, text);
    put(folder, "cgroup.procs", here);
    char *rest;
    get(parent, "cgroup.procs", above);
    for (char *line = strtok_r(above, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (strlen(line) != size || memcmp(line, text, size) != 0)
            snprintf(left + strlen(left), sizeof left - strlen(left), "%s\n", line);
    put(parent, "cgroup.procs", left);
    return (ssize_t)size;
}

/* In place of the C library's. */
int mkdir(const char *path, mode_t mode)
{
    int made = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (made == 0 && is_group(path))
        fill_group(path);
    return made;
}

int rmdir(const char *path)
{
    return remove_folder(path);
}

int unlinkat(int folder, const char *name, int flags)
{
    char path[PATH_MAX];
    char joined[PATH_MAX];
    if (flags != AT_REMOVEDIR || !path_of(folder, path) || !is_group(path))
        return (int)syscall(SYS_unlinkat, folder, name, flags);
    snprintf(joined, sizeof joined, "%.3000s/%s", path, name);
    return remove_folder(joined);
}

ssize_t write(int file, const void *bytes, size_t size)
{
    char path[PATH_MAX];
    bool is_file = root[0] != '\0' && path_of(file, path) && is_group(path);
    char *name = is_file ? strrchr(path, '/') : NULL;
    if (name != NULL && ends_with(path, "/cgroup.subtree_control"))
        return *name = '\0', give(path, bytes, size);
    if (name != NULL && ends_with(path, "/cgroup.procs"))
        return *name = '\0', move_process(path, bytes, size);
    return syscall(SYS_write, file, bytes, size);
}

/* ---- Promises ---- */

static char unit[PATH_MAX];   /* what was delegated to the server */
static char group[PATH_MAX];  /* of the server, in it */
static char worker[PATH_MAX]; /* of a worker, in that */

/* As systemd gives it with Delegate=yes: a group with the server in it. */
static void delegate(const char *controllers)
{
    put(root, "cgroup.controllers", controllers);
    put(root, "cgroup.subtree_control", controllers);
    assert_int_equal(mkdir(unit, 0755), 0);
    put(unit, "cgroup.procs", "11\n12\n");
    put(root, "../own", "0::/unit\n");
}

static int open_root(void **state)
{
    (void)state;
    char folder[] = "/tmp/brume-cgroup-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/fs", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    memcpy(root, path, sizeof root);
    snprintf(own, sizeof own, "%s/own", folder);
    snprintf(unit, sizeof unit, "%.3000s/unit", root);
    snprintf(group, sizeof group, "%.3000s/brume-%d", unit, SERVER);
    snprintf(worker, sizeof worker, "%.3000s/7", group);
    place = (CgroupPlace){root, own};
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int close_root(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    memcpy(folder, root, sizeof folder);
    root[0] = '\0';
    *strrchr(folder, '/') = '\0';
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void open_tree(CgroupTree *tree)
{
    const char *lacks = "";
    cgroup_open_at(&place, tree, SERVER, &lacks);
    assert_string_equal(lacks, "");
    assert_int_equal(tree->version, 2);
    assert_int_equal(tree->count, 1);
    assert_string_equal(tree->directories[0], group);
}

static void a_server_moves_into_a_leaf_and_gives_controllers_to_its_own_group(void **state)
{
    (void)state;
    char leaf[PATH_MAX];
    CgroupTree tree;
    delegate("cpuset cpu io memory pids");
    open_tree(&tree);
    snprintf(leaf, sizeof leaf, "%.3000s/brume-server", unit);
    assert_file(unit, "cgroup.procs", "");
    assert_file(leaf, "cgroup.procs", "11\n12\n");
    assert_file(unit, "cgroup.subtree_control", "memory cpu pids");
    assert_file(group, "cgroup.subtree_control", "memory cpu pids");
    assert_file(group, "cpu.weight", "1000");
    cgroup_close(&tree);
    assert_int_not_equal(access(group, F_OK), 0);
}

static void a_keeper_that_begins_in_the_leaf_makes_its_group_beside_it(void **state)
{
    (void)state;
    char nested[PATH_MAX];
    CgroupTree tree;
    delegate("cpu memory pids");
    open_tree(&tree);
    cgroup_close(&tree);
    put(root, "../own", "0::/unit/brume-server\n");
    open_tree(&tree);
    snprintf(nested, sizeof nested, "%.3000s/brume-server/brume-server", unit);
    assert_int_not_equal(access(nested, F_OK), 0);
    cgroup_close(&tree);
}

static void limits_are_written_as_the_kernel_reads_them(void **state)
{
    (void)state;
    CgroupTree tree;
    Cgroup one;
    delegate("cpu memory pids");
    open_tree(&tree);
    assert_true(cgroup_make(&tree, 7, &one));
    assert_true(cgroup_limit(&one, &(CgroupLimits){128 << 20, 1500, 1024}));
    assert_file(worker, "memory.max", "134217728");
    assert_file(worker, "memory.swap.max", "0");
    assert_file(worker, "memory.oom.group", "1");
    assert_file(worker, "cpu.max", "150000 100000");
    assert_file(worker, "pids.max", "1024");
    int entries[CGROUP_CONTROLLERS] = {-1, -1, -1};
    assert_true(cgroup_open_entries(&one, 65534, entries));
    assert_int_equal(write(entries[0], "0", 1), 1);
    assert_int_equal(entries[1], -1);
    close(entries[0]);
    assert_file(worker, "cgroup.procs", "0\n");
    put(worker, "cgroup.procs", "");
    cgroup_remove(&one);
    assert_int_not_equal(access(worker, F_OK), 0);
    cgroup_close(&tree);
}

static void what_a_worker_has_used_is_read(void **state)
{
    (void)state;
    CgroupTree tree;
    Cgroup one;
    CgroupUse use;
    char peak[32] = "";
    delegate("cpu memory pids");
    open_tree(&tree);
    assert_true(cgroup_make(&tree, 7, &one));
    put(worker, "memory.peak", "123456789\n");
    put(worker, "memory.current", "4096000\n");
    put(worker, "memory.stat", "anon 4000000\nfile 96000\nkernel 1\n");
    /* That it came near its limit, or that the group was looked at, is not that something was killed. */
    put(worker, "memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 0\noom_group_kill 0\n");
    cgroup_use(&one, &use);
    assert_false(use.out_of_memory);
    assert_int_equal(use.peak_bytes, 123456789);
    put(worker, "memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n");
    cgroup_use(&one, &use);
    assert_true(use.out_of_memory);
    assert_int_equal(cgroup_used(&one), 4096000);
    assert_int_equal(cgroup_allocated(&one), 4000000);
    int file = cgroup_open_peak(&one);
    assert_int_equal(pread(file, peak, sizeof peak, 0), 10);
    close(file);
    cgroup_remove(&one);
    cgroup_close(&tree);
}

static void groups_of_servers_that_are_gone_are_removed(void **state)
{
    (void)state;
    char gone[PATH_MAX];
    char below[PATH_MAX];
    char alive[PATH_MAX];
    CgroupTree tree;
    delegate("cpu memory pids");
    snprintf(gone, sizeof gone, "%.3000s/brume-999999999", unit); /* above PID_MAX_LIMIT */
    snprintf(below, sizeof below, "%.3000s/3", gone);
    snprintf(alive, sizeof alive, "%.3000s/brume-%d", unit, getpid());
    assert_int_equal(mkdir(gone, 0755) + mkdir(below, 0755) + mkdir(alive, 0755), 0);
    open_tree(&tree);
    assert_int_not_equal(access(gone, F_OK), 0);
    assert_int_equal(access(alive, F_OK), 0);
    cgroup_close(&tree);
}

static void a_group_without_its_controllers_is_not_used(void **state)
{
    (void)state;
    const char *lacks = "";
    CgroupTree tree;
    delegate("cpuset memory pids"); /* which is no cpu */
    cgroup_open_at(&place, &tree, SERVER, &lacks);
    assert_int_equal(tree.version, 0);
    assert_non_null(strstr(lacks, "Delegate=yes"));
    assert_file(unit, "cgroup.procs", "11\n12\n");
    assert_int_not_equal(access(group, F_OK), 0);
}

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, open_root, close_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(a_server_moves_into_a_leaf_and_gives_controllers_to_its_own_group),
        PROMISE(a_keeper_that_begins_in_the_leaf_makes_its_group_beside_it),
        PROMISE(limits_are_written_as_the_kernel_reads_them),
        PROMISE(what_a_worker_has_used_is_read),
        PROMISE(groups_of_servers_that_are_gone_are_removed),
        PROMISE(a_group_without_its_controllers_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

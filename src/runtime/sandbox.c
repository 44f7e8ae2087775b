#include "runtime/sandbox.h"

#include "runtime/sandbox_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILTER_INSTRUCTIONS_MAX = 4096 };

uint64_t sandbox_namespaces(bool isolated_network)
{
    return CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |
           (isolated_network ? CLONE_NEWNET : 0u);
}

uint64_t sandbox_copy_flags(bool isolated_network)
{
    return CLONE_PARENT | (sandbox_namespaces(isolated_network) & ~(uint64_t)CLONE_NEWUSER);
}

void sandbox_fail(int sync, const char *step)
{
    SandboxFailure failure = {.reason = errno};
    strncpy(failure.step, step, sizeof failure.step - 1);
    (void)!send(sync, &failure, sizeof failure, MSG_NOSIGNAL);
    _exit(127);
}

/* The spawner's word; when the spawner is gone, or has given this worker up, there is nothing to do. */
static void await(int sync, char word)
{
    char got;
    ssize_t size;
    do
        size = read(sync, &got, 1);
    while (size < 0 && errno == EINTR);
    if (size != 1 || got != word)
        _exit(127);
}

/* ---- Who it is ---- */

/* Powers over the new namespaces stay until give_up_powers. */
static const char *become_user(uid_t user, gid_t group)
{
    if (setresgid(group, group, group) != 0)
        return "setresgid";
    if (setresuid(user, user, user) != 0)
        return "setresuid";
    /* A change of user takes /proc/self from its owner. */
    return prctl(PR_SET_DUMPABLE, 1) != 0 ? "prctl PR_SET_DUMPABLE" : NULL;
}

/* ---- What it sees ---- */

static bool write_text(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool written = write(file, text, strlen(text)) == (ssize_t)strlen(text);
    close(file);
    return written;
}

/* Decimal digits behind a text; no printf, whose locks a fork may have caught locked. */
static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *put_text(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

/* How much it may hold: of bytes, and of files, whose nodes are memory, too. */
static char *put_size(char *at, uint64_t bytes)
{
    at = put_number(put_text(at, "size="), bytes);
    return put_number(put_text(at, ",nr_inodes="), bytes / SANDBOX_TMP_NODE_BYTES + 16);
}

static int mount_tmpfs(const SandboxPlan *plan, const char *place, uint64_t bytes)
{
    char options[128];
    char *at = put_size(put_text(options, "mode=1777,"), bytes);
    at = put_number(put_text(at, ",uid="), plan->is_zygote ? plan->user : SANDBOX_USER);
    at = put_number(put_text(at, ",gid="), plan->is_zygote ? plan->group : SANDBOX_GROUP);
    *at = '\0';
    return mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, options);
}

const char *sandbox_resize_tmp(const SandboxPlan *plan)
{
    char options[128];
    *put_size(options, plan->tmp_bytes) = '\0';
    return mount("tmpfs", "/tmp", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, options) != 0 ? "resize /tmp" : NULL;
}

/* Files of /proc that tell of the host, or change it, for whoever may read or write them. */
static const char *const masked_files[] = {
    "proc/kcore",      "proc/keys",       "proc/timer_list",  "proc/sysrq-trigger", "proc/kmsg",    "proc/kallsyms",
    "proc/kpagecount", "proc/kpageflags", "proc/sched_debug", "proc/latency_stats", "proc/modules",
};

/* Relative to the new root. The old /proc must still be in sight, or the kernel refuses a new one. */
static const char *mount_proc(bool is_zygote)
{
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return "mount /proc";
    /* Its children may mount a /proc of their own only where nothing of this one is hidden. */
    if (is_zygote)
        return NULL;
    /* No further user namespace: the seccomp filter says so, too. */
    if (!write_text("proc/sys/user/max_user_namespaces", "0"))
        return "write /proc/sys/user/max_user_namespaces";
    for (size_t i = 0; i < sizeof masked_files / sizeof *masked_files; i++)
        if (mount("dev/null", masked_files[i], NULL, MS_BIND, NULL) != 0 && errno != ENOENT)
            return "mask /proc";
    static const char *const read_only[] = {"proc/sys", "proc/irq", "proc/bus", "proc/fs"};
    for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) {
        if (mount(read_only[i], read_only[i], NULL, MS_BIND, NULL) != 0) {
            if (errno == ENOENT)
                continue;
            return "bind /proc/sys";
        }
        if (mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  NULL) != 0)
            return "make /proc/sys read-only";
    }
    return NULL;
}

/* Several layers are one overlay, which has copies of its own of their mounts. */
static const char *mount_layers(const SandboxPlan *plan, const SandboxFiles *files)
{
    static const char *const places[SANDBOX_LAYERS_MAX] = {
        "/run/layers/0", "/run/layers/1", "/run/layers/2", "/run/layers/3",
        "/run/layers/4", "/run/layers/5", "/run/layers/6", "/run/layers/7",
    };
    if (plan->layer_count == 1)
        return call_attach_tree(files->layers[0], "/opt") != 0 ? "mount /opt" : NULL;
    char options[256];
    char *at = put_text(options, "lowerdir=");
    /* The first named lies on top. */
    for (uint32_t i = plan->layer_count; i-- > 0;) {
        if (call_attach_tree(files->layers[i], places[i]) != 0)
            return "mount a layer";
        at = put_text(at, places[i]);
        *at++ = ':';
    }
    at[-1] = '\0';
    if (mount("overlay", "/opt", "overlay", MS_NOSUID | MS_NODEV | MS_RDONLY, options) != 0)
        return "merge several layers with overlayfs";
    for (uint32_t i = 0; i < plan->layer_count; i++)
        if (umount2(places[i], MNT_DETACH) != 0)
            return "unmount a layer";
    return NULL;
}

const char *sandbox_mount_code(const SandboxPlan *plan, const SandboxFiles *files)
{
    if (files->code >= 0 && call_attach_tree(files->code, "/var/task") != 0)
        return "mount /var/task";
    if (files->library >= 0 && call_attach_tree(files->library, "/var/runtime") != 0)
        return "mount /var/runtime";
    return plan->layer_count > 0 ? mount_layers(plan, files) : NULL;
}

static const char *mount_root(const SandboxPlan *plan, const SandboxFiles *files)
{
    if (call_attach_tree(files->root, "/") != 0)
        return "mount the root";
    if (fchdir(files->root) != 0)
        return "enter the root";
    const char *failed = mount_proc(plan->is_zygote);
    if (failed != NULL)
        return failed;
    if (mount_tmpfs(plan, "tmp", plan->tmp_bytes) != 0)
        return "mount /tmp";
    if (mount_tmpfs(plan, "dev/shm", SANDBOX_SHM_BYTES) != 0)
        return "mount /dev/shm";
    if (files->language >= 0 && call_attach_tree(files->language, "var/lang") != 0)
        return "mount /var/lang";
    /* The old root lies under the new one for a moment, and is let go. */
    if (syscall(SYS_pivot_root, ".", ".") != 0)
        return "pivot_root";
    if (umount2(".", MNT_DETACH) != 0)
        return "unmount the old root";
    if (chdir("/") != 0)
        return "chdir /";
    return sandbox_mount_code(plan, files);
}

/* ---- What it has open ---- */

/* Behind those that stay, until they are used. */
enum { FILTER_FILE = SANDBOX_ORDERS_FILE + 1, FILES_END };

/* Files may lie in each other's places, so that all are moved out of the way first; all others are closed. */
static const char *arrange_files(const SandboxFiles *files)
{
    int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (empty < 0)
        return "open /dev/null";
    const int wanted[FILES_END] = {empty,          files->output, files->errors, files->events,
                                   files->answers, files->sync,   files->orders, files->filter};
    enum { HIGH = 64 };
    int moved[FILES_END];
    for (int i = 0; i < FILES_END; i++)
        if (wanted[i] >= 0 && (moved[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, HIGH)) < 0)
            return "dup";
    for (int i = 0; i < FILES_END; i++)
        if (wanted[i] < 0)
            close(i);
        else if (dup3(moved[i], i, i >= SANDBOX_SYNC_FILE ? O_CLOEXEC : 0) < 0)
            return "dup3";
    return syscall(SYS_close_range, FILES_END, ~0u, 0) != 0 ? "close_range" : NULL;
}

/* ---- What it may do ---- */

static const char *set_limits(const SandboxPlan *plan)
{
    /* A template's copies are its user, too, and control groups count each by itself. */
    const rlim_t processes =
        plan->is_zygote || (plan->is_template && plan->has_groups) ? RLIM_INFINITY : SANDBOX_PROCESSES;
    const rlim_t files = plan->open_files > 0 ? plan->open_files : SANDBOX_OPEN_FILES;
    const struct {
        __rlimit_resource_t what;
        rlim_t soft;
        rlim_t hard;
    } limits[] = {
        {RLIMIT_NOFILE, files, files},
        /* Counted for the user in its namespace; control groups, where there are any, count all the worker has. */
        {RLIMIT_NPROC, processes, processes},
        {RLIMIT_CORE, 0, 0},
        {RLIMIT_MEMLOCK, 64 << 10, 64 << 10},
        {RLIMIT_MSGQUEUE, 0, 0},
        {RLIMIT_STACK, 8 << 20, RLIM_INFINITY},
        {RLIMIT_NICE, 0, 0},
        {RLIMIT_RTPRIO, 0, 0},
        {RLIMIT_SIGPENDING, SANDBOX_PROCESSES, SANDBOX_PROCESSES},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit = {limits[i].soft, limits[i].hard};
        struct rlimit now;
        if (getrlimit(limits[i].what, &now) != 0)
            return "getrlimit";
        /* Nobody is given more than the server has. */
        if (limit.rlim_max > now.rlim_max)
            limit.rlim_max = now.rlim_max;
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_cur = limit.rlim_max;
        if (setrlimit(limits[i].what, &limit) != 0)
            return "setrlimit";
    }
    return NULL;
}

/* The server's ways with signals are not the function's. */
static void forget_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        (void)sigaction(signal_number, &plain, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A bit for each capability below 32. */
static bool keep_power(uint32_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct powers[_LINUX_CAPABILITY_U32S_3] = {{.effective = kept, .permitted = kept}};
    return syscall(SYS_capset, &header, powers) == 0;
}

static const char *give_up_powers(const SandboxPlan *plan)
{
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if (prctl(PR_CAPBSET_DROP, capability) != 0)
            return "drop the bounding set";
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                     SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED) != 0)
        return "set securebits";
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return "clear ambient capabilities";
    /* A worker has become its user before it mounted what is to belong to it. */
    const char *failed = plan->is_zygote ? become_user(plan->user, plan->group) : NULL;
    if (failed != NULL)
        return failed;
    if (!keep_power(plan->is_template ? 1u << CAP_SYS_ADMIN : 0))
        return "drop capabilities";
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ? "set no_new_privs" : NULL;
}

static const char *filter_calls(int filter)
{
    static struct sock_filter instructions[FILTER_INSTRUCTIONS_MAX];
    ssize_t size = pread(filter, instructions, sizeof instructions, 0);
    if (size <= 0 || (size_t)size % sizeof *instructions != 0)
        return "read the filter";
    struct sock_fprog program = {
        .len = (unsigned short)((size_t)size / sizeof *instructions),
        .filter = instructions,
    };
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0 ? "set the filter" : NULL;
}

/* By itself, since the kernel then need not stop the machine's other forks, which takes milliseconds. */
static const char *join_groups(const SandboxFiles *files)
{
    for (int i = 0; i < SANDBOX_GROUPS_MAX; i++)
        if (files->groups[i] >= 0 && write(files->groups[i], "0", 1) != 1)
            return "enter its control groups";
    return NULL;
}

static const char *own_groups(const SandboxFiles *files)
{
    const char *failed = join_groups(files);
    if (failed != NULL)
        return failed;
    /* They become the root of what it sees of them. */
    return unshare(CLONE_NEWCGROUP) != 0 ? "unshare CLONE_NEWCGROUP" : NULL;
}

/* What has to be arranged in new namespaces. */
static const char *furnish(const SandboxPlan *plan, const SandboxFiles *files)
{
    const char *failed = NULL;
    if (!plan->is_zygote &&
        ((failed = own_groups(files)) != NULL || (failed = become_user(SANDBOX_USER, SANDBOX_GROUP)) != NULL))
        return failed;
    if ((failed = mount_root(plan, files)) != NULL)
        return failed;
    if (plan->host_name[0] != '\0' && sethostname(plan->host_name, strlen(plan->host_name)) != 0)
        return "sethostname";
    return plan->isolated_network ? sandbox_open_network(plan, files->sync) : NULL;
}

/* What holds it, from the weakest to the strongest: each needs what the next takes away. */
static const char *confine(const SandboxPlan *plan)
{
    const char *failed;
    setsid();
    umask(022);
    forget_signals();
    if ((failed = set_limits(plan)) != NULL || (failed = give_up_powers(plan)) != NULL)
        return failed;
    if (plan->landlock > 0 && !sandbox_landlock(plan->landlock, plan->is_template))
        return "restrict with Landlock";
    if (plan->has_filter && (failed = filter_calls(FILTER_FILE)) != NULL)
        return failed;
    close(FILTER_FILE);
    return NULL;
}

void sandbox_enter(const SandboxPlan *plan, const SandboxFiles *files)
{
    const char *failed;
    if (!plan->is_zygote && !plan->is_template)
        await(files->sync, SANDBOX_MAPPED);
    if ((failed = furnish(plan, files)) != NULL)
        sandbox_fail(files->sync, failed);
    if ((failed = arrange_files(files)) != NULL)
        sandbox_fail(files->sync, failed);
    if ((failed = confine(plan)) != NULL)
        sandbox_fail(SANDBOX_SYNC_FILE, failed);
}

/* ---- Templates and copies ---- */

/* Orphans end in its place: nobody waits for them. It stays when the spawner has been told of it, and `known` says so;
 * one that nobody knows would stay for ever. */
__attribute__((noreturn)) static void be_first(const SandboxPlan *plan, const int known[2])
{
    close(known[1]);
    await(known[0], SANDBOX_MAPPED);
    syscall(SYS_close_range, 0, ~0u, 0);
    setsid();
    forget_signals();
    signal(SIGCHLD, SIG_IGN);
    SandboxPlan powerless = *plan;
    powerless.is_template = false;
    if (become_user(SANDBOX_USER, SANDBOX_GROUP) != NULL || give_up_powers(&powerless) != NULL)
        _exit(127);
    for (;;)
        pause();
}

void sandbox_begin_template(const SandboxPlan *plan, const SandboxFiles *files)
{
    await(files->sync, SANDBOX_MAPPED);
    if (unshare(CLONE_NEWPID) != 0)
        sandbox_fail(files->sync, "unshare CLONE_NEWPID");
    const char word = SANDBOX_MAPPED;
    int known[2];
    if (pipe2(known, O_CLOEXEC) != 0)
        sandbox_fail(files->sync, "open a pipe");
    SandboxTemplate told = {.first = call_clone(CLONE_PARENT, 0)};
    if (told.first == 0)
        be_first(plan, known);
    if (told.first > 0 && (told.template = call_clone(CLONE_PARENT, 0)) == 0)
        return;
    if (told.first < 0 || told.template <0)
        sandbox_fail(files->sync, "clone a template");
    (void)!send(files->sync, &told, sizeof told, MSG_NOSIGNAL);
    (void)!write(known[1], &word, 1);
    _exit(0);
}

const char *sandbox_furnish_copy(const SandboxPlan *plan, int sync)
{
    if (chdir("/") != 0)
        return "chdir /";
    /* Over the template's, which nobody can take away. */
    const char *failed = mount_proc(false);
    if (failed != NULL)
        return failed;
    if (umount2("tmp", MNT_DETACH) != 0 || mount_tmpfs(plan, "tmp", plan->tmp_bytes) != 0)
        return "mount /tmp";
    if (umount2("dev/shm", MNT_DETACH) != 0 || mount_tmpfs(plan, "dev/shm", SANDBOX_SHM_BYTES) != 0)
        return "mount /dev/shm";
    if (sethostname(plan->host_name, strlen(plan->host_name)) != 0)
        return "sethostname";
    return plan->isolated_network ? sandbox_open_network(plan, sync) : NULL;
}

static const char *take_files(const SandboxFiles *files)
{
    enum { PIPES = 2, TAKEN = 4 };
    const int taken[TAKEN] = {files->output, files->errors, files->events, files->answers};
    for (int i = 0; i < TAKEN; i++)
        if (dup3(taken[i], STDOUT_FILENO + i, i >= PIPES ? O_CLOEXEC : 0) < 0 || close(taken[i]) != 0)
            return "dup3";
    return NULL;
}

/* It is held by all that holds the template, too. */
static const char *confine_copy(const SandboxPlan *plan, const SandboxFiles *files)
{
    setsid();
    if (!keep_power(0))
        return "drop capabilities";
    if (plan->landlock > 0 && !sandbox_landlock(plan->landlock, false))
        return "restrict with Landlock";
    return filter_calls(files->filter);
}

void sandbox_enter_copy(const SandboxPlan *plan, const SandboxFiles *files)
{
    const char copied = SANDBOX_COPIED;
    const char *failed = join_groups(files);
    (void)!send(files->sync, &copied, 1, MSG_NOSIGNAL);
    await(files->sync, SANDBOX_MAPPED);
    if (failed != NULL || (failed = take_files(files)) != NULL || (failed = confine_copy(plan, files)) != NULL)
        sandbox_fail(files->sync, failed);
    close(files->filter);
    for (int i = 0; i < SANDBOX_GROUPS_MAX; i++)
        if (files->groups[i] >= 0)
            close(files->groups[i]);
}

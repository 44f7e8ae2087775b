/* What a worker tries, as the variable ATTACK says. It prints what it got, and exits with 0 when the wall held. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int breaches;

/* Something succeeded that must not. */
static void breach(const char *what)
{
    printf("breach: %s\n", what);
    breaches++;
}

/* An attempt that must fail. */
static void must_fail(bool succeeded, const char *what)
{
    if (succeeded)
        breach(what);
}

static void must_not_open(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0600);
    must_fail(file >= 0, path);
    if (file >= 0)
        close(file);
}

/* Whether a file can be read and holds the text. Large files are searched in their first mebibyte. */
static bool file_has(const char *path, const char *text)
{
    static char content[1 << 20];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, content, sizeof content);
    if (file >= 0)
        close(file);
    return size > 0 && memmem(content, (size_t)size, text, strlen(text)) != NULL;
}

/* ---- Plain behaviour, for the tests of the spawner ---- */

static void hello(void)
{
    printf("hello from %d, user %d\n", getpid(), getuid());
}

static void channel(void)
{
    char text[64];
    ssize_t size = read(3, text, sizeof text);
    must_fail(size <= 0 || write(4, text, (size_t)size) != size, "the channel");
}

__attribute__((noreturn)) static void leave(void)
{
    _exit(42);
}

__attribute__((noreturn)) static void hang(void)
{
    for (;;)
        pause();
}

/* ---- Reading ---- */

static void read_data_directory(void)
{
    char path[8192];
    const char *data = getenv("DATA");
    static const char *const prefixes[] = {"", "/proc/1/root", "/proc/self/root/../..", "/proc/self/cwd/../../../..",
                                           "/dev/fd/3/../../.."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        snprintf(path, sizeof path, "%s%s/secret", prefixes[i], data);
        must_not_open(path, O_RDONLY);
    }
    must_fail(access(data, F_OK) == 0, "the data directory can be seen");
}

static bool connect_to(const struct sockaddr_un *name, socklen_t size)
{
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(file, (const struct sockaddr *)name, size) == 0;
    close(file);
    return connected;
}

static void reach_admin_socket(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s/admin.sock", getenv("DATA"));
    must_fail(connect_to(&name, sizeof name), "the admin socket");
}

static void reach_abstract_socket(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int size = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "%s", getenv("ABSTRACT"));
    must_fail(connect_to(&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)),
              "an abstract socket of the host");
}

static void read_other_code(void)
{
    char path[8192];
    snprintf(path, sizeof path, "%s/secret", getenv("OTHER"));
    must_not_open(path, O_RDONLY);
    snprintf(path, sizeof path, "/var/task/../%s/secret", strrchr(getenv("OTHER"), '/'));
    must_not_open(path, O_RDONLY);
}

/* Every file of /proc, one folder deep, that holds the text. */
static void search_processes(const char *file, const char *secret)
{
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "/proc/%s/%s", entry->d_name, file);
        if (file_has(path, secret))
            breach(path);
    }
    if (folder != NULL)
        closedir(folder);
}

static void read_other_environment(void)
{
    /* The server has it in its environment; of processes that are forks of it nothing may remain. */
    search_processes("environ", "SERVER_SECRET_5309");
    search_processes("cmdline", "SERVER_SECRET_5309");
    /* A worker beside this one has it. */
    search_processes("environ", "OTHER_SECRET_5309");
}

/* Everywhere in the first process's memory, which may be a fork of the spawner. */
static void search_memory(const char *secret)
{
    FILE *maps = fopen("/proc/1/maps", "re");
    int memory = open("/proc/1/mem", O_RDONLY | O_CLOEXEC);
    unsigned long from, to;
    char mode[8];
    char line[1024];
    while (maps != NULL && memory >= 0 && fgets(line, sizeof line, maps) != NULL) {
        static char page[4096];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[0] != 'r')
            continue;
        for (unsigned long at = from; at < to && at - from < 64 << 20; at += sizeof page)
            if (pread(memory, page, sizeof page, (off_t)at) == sizeof page &&
                memmem(page, sizeof page, secret, strlen(secret)) != NULL)
                breach(line);
    }
    if (maps != NULL)
        fclose(maps);
    if (memory >= 0)
        close(memory);
}

/* Secrets are not spelled out, so that they are not found in what spells them. */
static void read_first_process(void)
{
    char server[] = "TFSWFS_TFDSFU_641:";
    char other[] = "PUIFS_TFDSFU_641:";
    for (char *at = server; *at != '\0'; at++)
        *at = *at == '_' ? '_' : (char)(*at - 1);
    for (char *at = other; *at != '\0'; at++)
        *at = *at == '_' ? '_' : (char)(*at - 1);
    must_fail(getpid() == 1, "a first process of the spawner's");
    search_memory(server);
    search_memory(other);
}

/* Of one whose memory is not the function's own. */
static void open_first_process(void)
{
    static const char *const files[] = {"/proc/1/mem",     "/proc/1/maps", "/proc/1/smaps",    "/proc/1/pagemap",
                                        "/proc/1/environ", "/proc/1/auxv", "/proc/1/root",     "/proc/1/cwd",
                                        "/proc/1/exe",     "/proc/1/fd",   "/proc/1/map_files"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        must_not_open(files[i], O_RDONLY);
}

static void read_other_tmp(void)
{
    must_not_open("/tmp/of-another-worker", O_RDONLY);
    must_not_open("/dev/shm/of-another-worker", O_RDONLY);
    must_not_open("/var/tmp/of-another-worker", O_RDONLY);
    DIR *folder = opendir("/tmp");
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        must_fail(entry->d_name[0] != '.', entry->d_name);
    must_fail(folder == NULL, "a /tmp");
}

__attribute__((noreturn)) static void leave_in_tmp(void)
{
    close(open("/tmp/of-another-worker", O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    close(open("/dev/shm/of-another-worker", O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    (void)!write(1, "ready", 5);
    hang();
}

static void see_other_processes(void)
{
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
            must_fail(atoi(entry->d_name) != getpid() && atoi(entry->d_name) != 1, entry->d_name);
    must_fail(kill((pid_t)atoi(getenv("SERVER")), 0) == 0, "a signal to the server");
}

static void read_kernel(void)
{
    char text[64];
    static const char *const files[] = {"/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int file = open(files[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        must_fail(file >= 0 && read(file, text, sizeof text) > 0, files[i]);
    }
    must_fail(file_has("/proc/kallsyms", "startup_64"), "the kernel's symbols");
    must_fail(syscall(SYS_syslog, 3, text, sizeof text) >= 0, "the kernel's log");
    must_fail(access("/sys/kernel", F_OK) == 0, "/sys");
}

static void inherited_files(void)
{
    for (int file = 5; file < 1024; file++)
        must_fail(fcntl(file, F_GETFD) >= 0, "a file that is open");
    must_fail(fcntl(3, F_GETFD) < 0 || fcntl(4, F_GETFD) < 0, "a channel");
    char byte;
    must_fail(read(0, &byte, 1) != 0, "something to read on stdin");
}

static void inherited_environment(void)
{
    size_t count = 0;
    for (char **variable = environ; *variable != NULL; variable++)
        count++;
    must_fail(count != strtoull(getenv("VARIABLES"), NULL, 10), "other variables than those of the order");
}

/* ---- Writing ---- */

static void write_elsewhere(void)
{
    static const char *const places[] = {"/x",         "/var/task/x",  "/var/runtime/x", "/opt/x", "/usr/x",
                                         "/usr/bin/x", "/etc/x",       "/dev/x",         "/run/x", "/home/x",
                                         "/var/x",     "/var/brume/x", "/var/lang/x"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        must_not_open(places[i], O_WRONLY | O_CREAT);
    static const char *const files[] = {"/etc/passwd", "/etc/hosts", "/usr/bin/env", "/var/task/bootstrap"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        must_not_open(files[i], O_WRONLY);
    must_fail(open("/tmp/mine", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) < 0, "a file of its own in /tmp");
    must_fail(open("/dev/null", O_WRONLY | O_CLOEXEC) < 0, "/dev/null");
}

static void write_kernel_settings(void)
{
    static const char *const files[] = {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname",
                                        "/proc/sys/vm/drop_caches",      "/proc/sys/user/max_user_namespaces",
                                        "/proc/sys/net/ipv4/ip_forward", "/proc/self/uid_map",
                                        "/proc/self/setgroups"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int file = open(files[i], O_WRONLY | O_CLOEXEC);
        must_fail(file >= 0 && write(file, "1", 1) == 1, files[i]);
    }
    int trigger = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC); /* /dev/null lies over it */
    struct stat status;
    must_fail(trigger >= 0 && fstat(trigger, &status) == 0 && !S_ISCHR(status.st_mode), "/proc/sysrq-trigger");
}

static void make_devices(void)
{
    must_fail(mknod("/tmp/mem", S_IFCHR | 0666, makedev(1, 1)) == 0, "a device for memory");
    must_fail(mknod("/tmp/disk", S_IFBLK | 0666, makedev(254, 0)) == 0, "a device for the disk");
}

/* ---- Powers ---- */

static void gain_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct all[2];
    memset(all, 0xff, sizeof all);
    must_fail(syscall(SYS_capset, &header, all) == 0, "capabilities");
    must_fail(syscall(SYS_capget, &header, all) != 0 ||
                  (all[0].effective | all[0].permitted | all[0].inheritable | all[1].effective | all[1].permitted) != 0,
              "no capabilities");
    for (int capability = 0; capability < 41; capability++) {
        must_fail(prctl(PR_CAPBSET_READ, capability) == 1, "a capability in the bounding set");
        must_fail(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0, "an ambient capability");
    }
    must_fail(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1, "no_new_privs");
    must_fail(prctl(PR_SET_SECUREBITS, 0) == 0, "securebits");
    must_fail(setuid(0) == 0 || setresuid(0, 0, 0) == 0 || setgid(0) == 0, "root");
    must_fail(setuid(1) == 0, "another user");
    must_fail(setgroups(0, NULL) == 0, "groups");
}

static void run_setuid_program(void)
{
    static const char *const programs[] = {"/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd"};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        pid_t child = fork();
        if (child == 0) {
            dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 2);
            /* mount --version says nothing of powers; whoever has them can open this. */
            execl(programs[i], programs[i], "--version", NULL);
            _exit(0);
        }
        waitpid(child, NULL, 0);
        struct stat status;
        struct stat file_system;
        must_fail(stat(programs[i], &status) == 0 && (status.st_mode & S_ISUID) != 0 && geteuid() == 0, programs[i]);
        (void)file_system;
    }
    must_fail(file_has("/proc/self/mountinfo", " /usr rw"), "/usr can be written");
    must_fail(!file_has("/proc/self/mountinfo", "nosuid"), "nosuid");
}

static void trace_processes(void)
{
    pid_t child = fork();
    if (child == 0)
        hang();
    char byte;
    struct iovec here = {&byte, 1};
    struct iovec there = {&byte, 1};
    must_fail(ptrace(PTRACE_ATTACH, child, NULL, NULL) == 0, "ptrace");
    must_fail(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "to be traced");
    must_fail(process_vm_readv(child, &here, 1, &there, 1, 0) == 1, "another process's memory");
    must_fail(process_vm_writev(child, &here, 1, &there, 1, 0) == 1, "writing another process's memory");
    must_fail(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, child, 0), 0, 0) >= 0, "another process's file");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void mount_things(void)
{
    must_fail(mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0, "mount");
    must_fail(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL) == 0, "remount");
    must_fail(umount2("/proc", MNT_DETACH) == 0, "umount");
    must_fail(umount2("/proc/kcore", MNT_DETACH) == 0, "unmask");
    must_fail(chroot("/tmp") == 0, "chroot");
    must_fail(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
    must_fail(syscall(SYS_open_tree, AT_FDCWD, "/", 1) >= 0, "open_tree");
    must_fail(syscall(SYS_fsopen, "tmpfs", 0) >= 0, "fsopen");
    must_fail(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0) == 0, "mount_setattr");
}

static void make_namespaces(void)
{
    static const int flags[] = {CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNS,    CLONE_NEWNET,
                                CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        must_fail(unshare(flags[i]) == 0, "unshare");
        long child = syscall(SYS_clone, flags[i] | SIGCHLD, NULL, NULL, NULL, 0);
        if (child == 0)
            _exit(0);
        must_fail(child > 0, "clone");
        const uint64_t arguments[8] = {(uint64_t)flags[i], 0, 0, 0, SIGCHLD, 0, 0, 0};
        child = syscall(SYS_clone3, arguments, sizeof arguments);
        if (child == 0)
            _exit(0);
        must_fail(child > 0, "clone3");
    }
    must_fail(setns(open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC), 0) == 0, "setns");
}

/* What init code has that will be copied: the power to make copies, and a socket where they are ordered. */
static void use_power_to_copy(void)
{
    const long copy = CLONE_PARENT | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
    const long others[] = {CLONE_PARENT,        copy & ~CLONE_PARENT,   copy & ~CLONE_NEWPID, copy & ~CLONE_NEWNS,
                           copy | CLONE_NEWNET, copy | CLONE_NEWCGROUP, copy | CLONE_NEWUSER, copy | CLONE_VM};
    enum { OPEN_TREE_WITH_ATTRIBUTES = 467 };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        long child = syscall(SYS_clone, others[i], NULL, NULL, NULL, 0);
        if (child == 0)
            _exit(0);
        must_fail(child > 0, "clone beside a copy");
    }
    must_fail(syscall(OPEN_TREE_WITH_ATTRIBUTES, AT_FDCWD, "/", 1, NULL, 0) >= 0 || errno != ENOSYS, "open_tree_attr");
    /* A copy that nobody ordered can no more than what made it, and nobody hears what it says. */
    int outcome[2];
    char held = 0;
    must_fail(pipe(outcome) != 0, "a pipe");
    long child = syscall(SYS_clone, copy, NULL, NULL, NULL, 0);
    if (child == 0) {
        mount_things();
        make_namespaces();
        must_fail(mount("proc", "/proc", "proc", 0, NULL) == 0, "a /proc");
        held = breaches == 0;
        _exit(write(outcome[1], &held, 1) != 1);
    }
    close(outcome[1]);
    must_fail(child <= 0 || read(outcome[0], &held, 1) != 1 || held != 1, "a copy of its own");
    close(outcome[0]);
    static const char lie[64] = {'c'};
    for (int i = 0; i < 100; i++)
        (void)!send(5, lie, (size_t)i % sizeof lie, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)kill(1, SIGKILL); /* all would end */
    must_not_open("/proc/1/mem", O_RDWR);
}

static void enter_kernel(void)
{
    must_fail(syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM, "bpf");
    must_fail(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) >= 0 || errno != EPERM, "perf_event_open");
    must_fail(syscall(SYS_userfaultfd, 0) >= 0 || errno != EPERM, "userfaultfd");
    must_fail(syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != EPERM, "io_uring");
    must_fail(syscall(SYS_add_key, "user", "a", "b", 1, -2) >= 0 || errno != EPERM, "add_key");
    must_fail(syscall(SYS_keyctl, 0, -2, 1) >= 0 || errno != EPERM, "keyctl");
    must_fail(socket(AF_VSOCK, SOCK_STREAM, 0) >= 0, "a socket to the hypervisor");
    must_fail(socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0, "a socket to the kernel's ciphers");
    must_fail(socket(AF_PACKET, SOCK_RAW, 0) >= 0, "packets");
    must_fail(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0, "raw packets");
}

#ifdef __x86_64__
enum { OTHER_TABLES = 2, X32_CALL = 0x40000000 };

/* umount2 of nothing by the table of x32, and by that of 32-bit programs, where it has number 52. */
static void call_by_table(int table)
{
    if (table == 0) {
        syscall(X32_CALL | SYS_umount2, "/", 0);
        return;
    }
    long answer = 52;
    __asm__ volatile("int $0x80" : "+a"(answer) : "b"(0l), "c"(0l) : "memory");
}
#else
enum { OTHER_TABLES = 0 };
static void call_by_table(int table)
{
    (void)table;
}
#endif

/* Numbers of other tables mean other calls: a filter that looks at numbers alone would let them pass. */
static void call_by_other_tables(void)
{
    for (int table = 0; table < OTHER_TABLES; table++) {
        pid_t child = fork();
        if (child == 0) {
            call_by_table(table);
            _exit(0);
        }
        int status = 0;
        must_fail(child < 0 || waitpid(child, &status, 0) != child, "a child");
        /* SIGSEGV: a kernel without such programs. */
        must_fail(!WIFSIGNALED(status) || (WTERMSIG(status) != SIGSYS && WTERMSIG(status) != SIGSEGV), "another table");
    }
}

/* The kernel ends those first that ask for it: nobody makes itself the last one. */
static void be_spared(void)
{
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    must_fail(file >= 0 && write(file, "-1000", 5) == 5, "to be spared when memory is short");
    if (file >= 0)
        close(file);
}

static void change_machine(void)
{
    struct timespec then = {.tv_sec = 1};
    must_fail(clock_settime(CLOCK_REALTIME, &then) == 0, "the clock");
    must_fail(sethostname("x", 1) == 0, "the host's name");
    must_fail(reboot(RB_DISABLE_CAD) == 0, "reboot");
    must_fail(syscall(SYS_swapoff, "/x") == 0 || errno != EPERM, "swap");
    must_fail(setpriority(PRIO_PROCESS, 0, -5) == 0, "a higher priority");
    char byte = 'x';
    must_fail(ioctl(0, TIOCSTI, &byte) == 0 || errno != EPERM, "typing into a terminal");
}

static void load_module(void)
{
    syscall(SYS_finit_module, -1, "", 0);
    breach("still alive");
}

static void load_kernel(void)
{
    syscall(SYS_kexec_load, 0, 0, NULL, 0);
    breach("still alive");
}

static void open_by_handle(void)
{
    syscall(SYS_open_by_handle_at, -1, NULL, 0);
    breach("still alive");
}

static void raise_limits(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    must_fail(limit.rlim_max > 1024, "more than 1024 files");
    limit.rlim_max++;
    must_fail(setrlimit(RLIMIT_NOFILE, &limit) == 0, "a higher limit");
    getrlimit(RLIMIT_CORE, &limit);
    must_fail(limit.rlim_max != 0, "core dumps");
}

static void leave_control_groups(void)
{
    must_fail(access("/sys/fs/cgroup", F_OK) == 0, "control groups");
    must_fail(mount("cgroup", "/tmp", "cgroup", 0, "memory") == 0 || mount("none", "/tmp", "cgroup2", 0, NULL) == 0,
              "control groups mounted");
    must_fail(file_has("/proc/self/cgroup", "brume-"), "where its groups lie");
}

/* ---- Using up ---- */

static void fork_bomb(void)
{
    int count = 1;
    for (pid_t child; count < 5000 && (child = fork()) >= 0; count++)
        if (child == 0)
            hang();
    printf("%d processes\n", count);
    must_fail(count > 1024, "more than 1024 processes");
    must_fail(count < 100, "some processes");
}

static void fill_disk(void)
{
    static char piece[1 << 20];
    uint64_t limit = strtoull(getenv("TMP_BYTES"), NULL, 10);
    uint64_t written = 0;
    int file = open("/tmp/large", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    memset(piece, 1, sizeof piece);
    for (ssize_t size; written < 4 * limit && (size = write(file, piece, sizeof piece)) > 0;)
        written += (uint64_t)size;
    must_fail(errno != ENOSPC, "the end of /tmp");
    must_fail(written > limit || written < limit / 2, "as much as /tmp has");
    must_fail(ftruncate(file, 0) != 0, "to give it back");
    /* Empty files are memory, too. */
    unsigned count = 0;
    for (; count < 1000000; count++) {
        char path[64];
        snprintf(path, sizeof path, "/tmp/%u", count);
        int empty = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (empty < 0)
            break;
        close(empty);
    }
    must_fail(count > limit / 4096 + 16, "more files than /tmp has");
}

static void allocate(size_t size)
{
    volatile char *piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; piece != MAP_FAILED && i < size; i += 4096)
        piece[i] = 1;
}

__attribute__((noreturn)) static void eat_memory(void)
{
    for (;;)
        allocate(1 << 20);
}

/* Passes its memory, and would end well with what /tmp has besides. */
static void eat_memory_slowly(void)
{
    for (int i = 0; i < 96; i++) {
        allocate(1 << 20);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

/* By many small processes. */
__attribute__((noreturn)) static void eat_memory_together(void)
{
    for (;;) {
        pid_t child = fork();
        if (child < 0)
            hang();
        if (child == 0) {
            allocate(4 << 20);
            hang();
        }
    }
}

static void *spin(void *nothing)
{
    for (;;)
        nothing = (void *)((uintptr_t)nothing + 1);
    return nothing;
}

/* Threads and processes that ignore what can be ignored. */
__attribute__((noreturn)) static void keep_processor(void)
{
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_IGN);
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        if (fork() == 0) {
            setsid();
            spin(NULL);
        }
        pthread_create(&thread, NULL, spin, NULL);
    }
    (void)!write(1, "ready", 5);
    spin(NULL);
    abort();
}

static void outlive_worker(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            for (int i = 1; i < NSIG; i++)
                signal(i, SIG_IGN);
            prctl(PR_SET_PDEATHSIG, 0);
            hang();
        }
        _exit(0);
    }
    wait(NULL);
}

/* ---- The network ---- */

/* Whether something at 127.0.0.1:PORT answers "brume". */
static bool reaches(const char *address, const char *port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    char text[8] = "";
    inet_pton(AF_INET, address, &name.sin_addr);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd watched = {.fd = file, .events = POLLIN};
    bool answered = (connect(file, (struct sockaddr *)&name, sizeof name) == 0 || errno == EINPROGRESS) &&
                    poll(&watched, 1, 2000) == 1 && read(file, text, sizeof text) == 5 && strcmp(text, "brume") == 0;
    close(file);
    return answered;
}

static void reach_other_hosts(void)
{
    must_fail(!reaches("127.0.0.1", getenv("OPEN_PORT")), "what it may reach");
    must_fail(reaches("127.0.0.1", getenv("CLOSED_PORT")), "another port of the host");
    must_fail(reaches(getenv("OUTSIDE"), getenv("CLOSED_PORT")), "an address of the host");
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(80)};
    inet_pton(AF_INET, "192.0.2.1", &name.sin_addr);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must_fail(connect(file, (struct sockaddr *)&name, sizeof name) == 0 || errno != ENETUNREACH, "another host");
    file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must_fail(sendto(file, "x", 1, 0, (struct sockaddr *)&name, sizeof name) == 1, "a datagram to another host");
}

static void reach_host_loopback(void)
{
    must_fail(!reaches("127.0.0.1", getenv("CLOSED_PORT")), "the host's network");
}

#define ATTACK(name)                                                                                                   \
    {                                                                                                                  \
#name, name                                                                                                    \
    }

static const struct {
    const char *name;
    void (*run)(void);
} attacks[] = {
    ATTACK(hello),
    ATTACK(channel),
    ATTACK(leave),
    ATTACK(hang),
    ATTACK(leave_in_tmp),
    ATTACK(eat_memory_slowly),
    ATTACK(reach_host_loopback),
    ATTACK(read_data_directory),
    ATTACK(reach_admin_socket),
    ATTACK(reach_abstract_socket),
    ATTACK(read_other_code),
    ATTACK(read_other_environment),
    ATTACK(read_first_process),
    ATTACK(open_first_process),
    ATTACK(read_other_tmp),
    ATTACK(see_other_processes),
    ATTACK(read_kernel),
    ATTACK(inherited_files),
    ATTACK(inherited_environment),
    ATTACK(write_elsewhere),
    ATTACK(write_kernel_settings),
    ATTACK(make_devices),
    ATTACK(gain_capabilities),
    ATTACK(run_setuid_program),
    ATTACK(trace_processes),
    ATTACK(mount_things),
    ATTACK(make_namespaces),
    ATTACK(use_power_to_copy),
    ATTACK(enter_kernel),
    ATTACK(call_by_other_tables),
    ATTACK(be_spared),
    ATTACK(change_machine),
    ATTACK(load_module),
    ATTACK(load_kernel),
    ATTACK(open_by_handle),
    ATTACK(raise_limits),
    ATTACK(leave_control_groups),
    ATTACK(fork_bomb),
    ATTACK(fill_disk),
    ATTACK(eat_memory),
    ATTACK(eat_memory_together),
    ATTACK(keep_processor),
    ATTACK(outlive_worker),
    ATTACK(reach_other_hosts),
};

/* Also for a handler that has loaded this as a library: how many walls fell. */
int attack(const char *name);
int attack(const char *name)
{
    breaches = 0;
    for (size_t i = 0; name != NULL && i < sizeof attacks / sizeof *attacks; i++) {
        if (strcmp(attacks[i].name, name) != 0)
            continue;
        attacks[i].run();
        fflush(stdout);
        return breaches;
    }
    fprintf(stderr, "no attack %s\n", name == NULL ? "" : name);
    return 99;
}

int main(void)
{
    int fallen = attack(getenv("ATTACK"));
    return fallen == 99 ? fallen : fallen != 0;
}

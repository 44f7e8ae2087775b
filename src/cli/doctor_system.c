/* The kernel, what it lets a process do, and how much. */
#include "cli/doctor.h"
#include "os/os_probe.h"

#include <time.h>

enum {
    SPARE_FILES = 1024,  /* beside connections: the store's tables, pipes, sockets */
    PROCESSES_MIN = 512, /* threads count as processes */
    MEMORY_MIN_MB = 256,
    YEAR_MIN = 2025,
    YEAR_MAX = 2100,
    CLOCK_WATCH_MS = 50,
    CLOCK_DRIFT_MS = 5, /* in that time: no clock that is merely being adjusted moves so far */
};

#define FOR_FUNCTIONS "Functions need it"

static Finding check_kernel(Doctor *doctor)
{
    OsKernel kernel;
    os_probe_kernel(doctor->arena, &kernel);
    /* mount_setattr(2): the last call that the sandbox of functions is built on. */
    bool is_old = kernel.major < 5 || (kernel.major == 5 && kernel.minor < 12);
    if (is_old)
        return doctor_finds(VERDICT_WARN, kernel.text, SLICE(FOR_FUNCTIONS ": Linux 5.12 or newer"));
    return doctor_is_pleased(kernel.text);
}

/* What works or is refused with a reason. */
static Finding works_or_not(Doctor *doctor, int reason, Slice advice)
{
    if (reason == 0)
        return doctor_is_pleased(SLICE("works"));
    return doctor_finds(VERDICT_WARN, arena_format(doctor->arena, "refused: %s", strerror(reason)), advice);
}

static Finding check_user_namespaces(Doctor *doctor)
{
    return works_or_not(doctor, os_probe_user_namespaces(),
                        SLICE(FOR_FUNCTIONS
                              ": look at sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone and "
                              "kernel.apparmor_restrict_unprivileged_userns, and at the container's seccomp "
                              "profile"));
}

static Finding check_cgroup(Doctor *doctor)
{
    OsCgroup cgroup;
    os_probe_cgroup(doctor->arena, &cgroup);
    if (cgroup.version == 0)
        return doctor_finds(VERDICT_WARN, SLICE("none is mounted at /sys/fs/cgroup"), SLICE(FOR_FUNCTIONS));
    Slice found = arena_format(doctor->arena, "version %d, %s: %.*s", cgroup.version,
                               cgroup.delegated ? "delegated" : "not delegated", SLICE_PRINT(cgroup.controllers));
    if (cgroup.delegated)
        return doctor_is_pleased(found);
    return doctor_finds(VERDICT_WARN, found,
                        SLICE(FOR_FUNCTIONS ": memory, cpu and pids; under systemd add Delegate=yes to the unit"));
}

static Finding check_seccomp(Doctor *doctor)
{
    return works_or_not(doctor, os_probe_seccomp(), SLICE(FOR_FUNCTIONS ": a kernel with CONFIG_SECCOMP_FILTER"));
}

static Finding check_landlock(Doctor *doctor)
{
    int version = os_probe_landlock();
    if (version > 0)
        return doctor_is_pleased(arena_format(doctor->arena, "version %d", version));
    return doctor_finds(VERDICT_WARN, SLICE("is not there"),
                        SLICE(FOR_FUNCTIONS ": a kernel with CONFIG_SECURITY_LANDLOCK, and landlock in its lsm= list"));
}

static Finding check_memfd(Doctor *doctor)
{
    return works_or_not(doctor, os_probe_memfd(), SLICE(FOR_FUNCTIONS));
}

static Finding check_pidfd(Doctor *doctor)
{
    return works_or_not(doctor, os_probe_pidfd(), SLICE(FOR_FUNCTIONS ": Linux 5.3 or newer"));
}

static Slice limit_text(const Doctor *doctor, uint64_t limit)
{
    Slice of_whom =
        doctor->server == 0 ? SLICE("") : arena_format(doctor->arena, ", for process %lld", (long long)doctor->server);
    if (limit == UINT64_MAX)
        return arena_format(doctor->arena, "unlimited%.*s", SLICE_PRINT(of_whom));
    return arena_format(doctor->arena, "at most %llu%.*s", (unsigned long long)limit, SLICE_PRINT(of_whom));
}

/* A server raises its soft limit to the hard one (server.c). */
static Finding check_open_files(Doctor *doctor)
{
    OsLimits limits;
    os_probe_limits(doctor->server, &limits);
    uint64_t connections = doctor->settings.limits.value[LIMIT_NET_CONNECTIONS];
    Slice found = limit_text(doctor, limits.files);
    if (limits.files >= connections + SPARE_FILES)
        return doctor_is_pleased(found);
    return doctor_finds(VERDICT_WARN,
                        arena_format(doctor->arena, "%.*s, and NET_CONNECTIONS is %llu", SLICE_PRINT(found),
                                     (unsigned long long)connections),
                        arena_format(doctor->arena,
                                     "raise the hard limit to %llu (LimitNOFILE= under systemd, nofile in "
                                     "/etc/security/limits.conf), or lower NET_CONNECTIONS",
                                     (unsigned long long)connections + SPARE_FILES));
}

static Finding check_processes(Doctor *doctor)
{
    OsLimits limits;
    os_probe_limits(doctor->server, &limits);
    Slice found = limit_text(doctor, limits.processes);
    if (limits.processes >= PROCESSES_MIN)
        return doctor_is_pleased(found);
    return doctor_finds(VERDICT_WARN, found,
                        SLICE("raise the limit (LimitNPROC= under systemd, ulimit -u): threads count too"));
}

static Finding check_memory(Doctor *doctor)
{
    uint64_t available_mb = os_probe_memory_available() >> 20;
    bool is_strict = os_probe_overcommit() == 2;
    Slice found = arena_format(doctor->arena, "%llu MiB available%s", (unsigned long long)available_mb,
                               is_strict ? ", promised strictly (vm.overcommit_memory=2)" : "");
    if (available_mb < MEMORY_MIN_MB)
        return doctor_finds(VERDICT_WARN, found, SLICE("make room: a busy server takes a few hundred MiB"));
    if (is_strict)
        return doctor_finds(VERDICT_WARN, found,
                            SLICE("processes may be refused memory while some is free: see vm.overcommit_ratio"));
    return doctor_is_pleased(found);
}

/* Both clocks over the same moment, so that a wall clock that jumps or runs away is seen. */
static int64_t drift_ms(Os *os)
{
    uint64_t wall_us = os_wall_us(os);
    uint64_t steady_ns = os_monotonic_ns(os);
    nanosleep(&(struct timespec){.tv_nsec = CLOCK_WATCH_MS * 1000000L}, NULL);
    int64_t wall_ms = (int64_t)(os_wall_us(os) - wall_us) / 1000;
    int64_t steady_ms = (int64_t)(os_monotonic_ns(os) - steady_ns) / 1000000;
    return wall_ms - steady_ms;
}

static Finding check_clock(Doctor *doctor)
{
    time_t now = (time_t)(os_wall_ms(doctor->os) / 1000);
    struct tm parts;
    gmtime_r(&now, &parts);
    int year = parts.tm_year + 1900;
    int64_t drift = drift_ms(doctor->os);
    Slice found = arena_format(doctor->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ, %s", year, parts.tm_mon + 1,
                               parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                               os_probe_clock_is_synchronised() ? "synchronised" : "not known to be synchronised");
    if (year < YEAR_MIN || year > YEAR_MAX)
        return doctor_finds(VERDICT_FAIL, found, SLICE("set the clock: signatures hold for a few minutes only"));
    if (drift > CLOCK_DRIFT_MS || drift < -CLOCK_DRIFT_MS)
        return doctor_finds(VERDICT_WARN,
                            arena_format(doctor->arena, "%.*s, and it moved by %lld ms against the steady clock",
                                         SLICE_PRINT(found), (long long)drift),
                            SLICE("see what sets the clock: two time services at once?"));
    return doctor_is_pleased(found);
}

static Finding check_service_manager(Doctor *doctor)
{
    (void)doctor;
    return doctor_is_pleased(os_probe_systemd() ? SLICE("systemd")
                                                : SLICE("no systemd: start brume by what supervises processes here"));
}

const Check doctor_system_checks[] = {
    {"kernel", check_kernel},
    {"user namespaces", check_user_namespaces},
    {"cgroups", check_cgroup},
    {"seccomp", check_seccomp},
    {"Landlock", check_landlock},
    {"memfd", check_memfd},
    {"pidfd", check_pidfd},
    {"open files", check_open_files},
    {"processes", check_processes},
    {"memory", check_memory},
    {"clock", check_clock},
    {"service manager", check_service_manager},
    {0},
};

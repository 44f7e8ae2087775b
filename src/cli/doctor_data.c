/* The data directory and the disk below it. */
#include "cli/data_directory.h"
#include "cli/doctor.h"
#include "os/os_probe.h"
#include "store/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SYNCS = 50,
    MEDIAN = SYNCS / 2,
    PERCENTILE_99 = SYNCS * 99 / 100,
    SLOW_SYNC_US = 5000,
    /* No disk of today is that fast, with a battery behind its cache or without. */
    UNREAL_SYNC_US = 8,
};

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* The data directory, or the nearest one above it that there is. */
static const char *nearest(const Doctor *doctor)
{
    char *path = arena_string(doctor->arena, slice_of_string(doctor->settings.data));
    while (!is_there(path)) {
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            return ".";
        if (slash == path)
            return "/";
        *slash = '\0';
    }
    return path;
}

static Finding check_directory(Doctor *doctor)
{
    const char *data = doctor->settings.data;
    const char *place = nearest(doctor);
    struct stat status;
    if (stat(place, &status) == 0 && !S_ISDIR(status.st_mode))
        return doctor_finds(VERDICT_FAIL, arena_format(doctor->arena, "%s is a file", place),
                            SLICE("name a directory by --data"));
    if (access(place, W_OK | X_OK) != 0)
        return doctor_finds(
            VERDICT_FAIL, arena_format(doctor->arena, "%s may not be written: %s", place, strerror(errno)),
            SLICE("run as the user whom the data belongs to, change its owner, or name another with --data"));
    return doctor_is_pleased(arena_format(doctor->arena, "%s%s", data, is_there(data) ? "" : ", not there yet"));
}

static Finding check_in_use(Doctor *doctor)
{
    if (doctor->server == 0)
        return doctor_is_pleased(SLICE("no"));
    return doctor_is_pleased(arena_format(doctor->arena, "by process %lld", (long long)doctor->server));
}

static Finding check_format(Doctor *doctor)
{
    const char *data = doctor->settings.data;
    Slice message = {0};
    if (!is_there(data_path(doctor->arena, data, "format")) && !is_there(data_path(doctor->arena, data, "db")))
        return doctor_is_pleased(SLICE("no data yet"));
    if (data_directory_check(doctor->os, data, doctor->arena, &message) != OK)
        return doctor_finds(VERDICT_FAIL, SLICE("cannot be read by this version"), message);
    return doctor_is_pleased(SLICE("known to this version"));
}

static Finding check_filesystem(Doctor *doctor)
{
    OsFilesystem filesystem;
    int reason = os_probe_filesystem(nearest(doctor), &filesystem);
    if (reason != 0)
        return doctor_finds(VERDICT_FAIL, slice_of_string(strerror(reason)), SLICE("check the disk"));
    Slice name = slice_of_string(filesystem.name);
    if (filesystem.read_only)
        return doctor_finds(VERDICT_FAIL, arena_format(doctor->arena, "%s, mounted read-only", filesystem.name),
                            SLICE("mount it for writing, or name another directory with --data"));
    switch (filesystem.kind) {
    case OS_FILESYSTEM_MEMORY:
        return doctor_finds(VERDICT_WARN, name, SLICE("it is memory: all data is gone when the machine stops"));
    case OS_FILESYSTEM_LAYER:
        return doctor_finds(VERDICT_WARN, name,
                            SLICE("it is a container's layer: all data is gone with the container; mount a volume"));
    case OS_FILESYSTEM_NETWORK:
        return doctor_finds(VERDICT_WARN, name,
                            SLICE("locks and syncs are as good as whoever serves it; a local disk is better"));
    case OS_FILESYSTEM_UNKNOWN:
        return doctor_finds(VERDICT_WARN, name, SLICE("Brume is tested on ext4; see that it keeps what it has synced"));
    case OS_FILESYSTEM_DISK:
        break;
    }
    return doctor_is_pleased(name);
}

static Finding check_space(Doctor *doctor)
{
    uint64_t free_bytes;
    uint64_t reserve = doctor->settings.limits.value[LIMIT_STORE_RESERVE_BYTES];
    Error error = os_disk_free(doctor->os, nearest(doctor), &free_bytes);
    if (error != OK)
        return doctor_finds(VERDICT_FAIL, slice_of_string(error_text(error)), SLICE("check the disk"));
    Slice found = arena_format(doctor->arena, "%llu MiB free, %llu of them in reserve",
                               (unsigned long long)(free_bytes >> 20), (unsigned long long)(reserve >> 20));
    if (free_bytes <= reserve)
        return doctor_finds(VERDICT_FAIL, found,
                            SLICE("make room: a server would refuse every write (STORE_RESERVE_BYTES)"));
    if (free_bytes < 2 * reserve)
        return doctor_finds(VERDICT_WARN, found, SLICE("make room: writes are refused once only the reserve is left"));
    return doctor_is_pleased(found);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static Finding check_sync(Doctor *doctor)
{
    uint64_t took_ns[SYNCS];
    const char *place = nearest(doctor);
    int reason = os_probe_sync(place, took_ns, SYNCS);
    if (reason != 0)
        return doctor_finds(VERDICT_WARN,
                            arena_format(doctor->arena, "cannot be measured in %s: %s", place, strerror(reason)),
                            SLICE("run as the user whom the data belongs to"));
    qsort(took_ns, SYNCS, sizeof *took_ns, compare);
    double median_us = (double)took_ns[MEDIAN] / 1e3;
    double p99_us = (double)took_ns[PERCENTILE_99] / 1e3;
    Slice found = arena_format(doctor->arena, "%.2f ms in the median, %.2f ms p99 (512 appended bytes)",
                               median_us / 1e3, p99_us / 1e3);
    if (median_us > SLOW_SYNC_US)
        return doctor_finds(
            VERDICT_WARN, found,
            SLICE("no single write is answered faster than that: use a faster disk (many writes share one sync)"));
    if (median_us < UNREAL_SYNC_US)
        return doctor_finds(VERDICT_WARN, found,
                            SLICE("no disk syncs so fast: something ignores it, and a loss of power would lose data"));
    return doctor_is_pleased(found);
}

const Check doctor_data_checks[] = {
    {"data directory", check_directory},
    {"in use", check_in_use},
    {"data format", check_format},
    {"file system", check_filesystem},
    {"disk space", check_space},
    {"disk sync", check_sync},
    {0},
};

#include "runtime/sandbox_root.h"

#include "runtime/sandbox_calls.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { COPY_MAX = 256 << 10 };

#define ROOT_OPTIONS "mode=755,size=4m,nr_inodes=512"

static const char *const folders[] = {
    "dev",
    "dev/shm",
    "etc",
    "etc/ssl",
    "etc/pki",
    "etc/alternatives",
    "etc/ca-certificates",
    "home",
    "opt",
    "proc",

    "run",
    "run/layers",
    "tmp",
    "usr",
    "var",
    "var/brume",
    "var/lang",
    "var/runtime",
    "var/task",
    "run/layers/0",
    "run/layers/1",
    "run/layers/2",
    "run/layers/3",
    "run/layers/4",
    "run/layers/5",
    "run/layers/6",
    "run/layers/7",
};

/* Where / has these as folders of their own, they are shown as such. */
static const char *const system_folders[] = {"/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"};

static const char *const shown_folders[] = {"/usr", "/etc/ssl", "/etc/pki", "/etc/alternatives",
                                            "/etc/ca-certificates"};

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

/* Files that programs look for: as the host has them, if it does. */
static const char *const copied_files[] = {
    "/etc/ld.so.cache",    "/etc/ld.so.conf", "/etc/resolv.conf",          "/etc/hosts",
    "/etc/gai.conf",       "/etc/host.conf",  "/etc/mime.types",           "/etc/protocols",
    "/etc/services",       "/etc/os-release", "/etc/ca-certificates.conf", "/etc/nsswitch.conf",
    "/etc/debian_version",
};

static const struct {
    const char *path;
    const char *text;
} written_files[] = {
    {"etc/passwd", "root:x:0:0:root:/:/sbin/nologin\n"
                   "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n"
                   "nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"},
    {"etc/group", "root:x:0:\nsbx_user1051:x:990:\nnogroup:x:65534:\n"},
};

static const struct {
    const char *path;
    const char *target;
} links[] = {
    {"dev/fd", "/proc/self/fd"},
    {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"},
    {"etc/localtime", "/usr/share/zoneinfo/UTC"},
    {"etc/mtab", "/proc/self/mounts"},
    {"var/tmp", "/tmp"},
    {"var/run", "/run"},
};

static bool put_file(const char *path, const char *content, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return false;
    bool written = write(file, content, size) == (ssize_t)size;
    close(file);
    return written;
}

/* A file that is not there, or is too large, is left out. */
static bool copy_file(const char *from, const char *to)
{
    int file = open(from, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return true;
    char *content = malloc(COPY_MAX);
    ssize_t size = content == NULL ? -1 : read(file, content, COPY_MAX);
    close(file);
    bool done = size < 0 || size == COPY_MAX || put_file(to, content, (size_t)size);
    free(content);
    return done;
}

/* Telemetry API: extensions listen at a name of the sandbox. */
static bool name_sandbox(void)
{
    static const char line[] = "\n127.0.0.1 sandbox.localdomain sandbox\n";
    int file = open("etc/hosts", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0)
        return false;
    bool written = write(file, line, sizeof line - 1) == (ssize_t)(sizeof line - 1);
    close(file);
    return written;
}

/* What lies at `path`, mounted at `place`. */
static int show(const char *path, const char *place, uint64_t attributes)
{
    int tree = call_clone_tree(AT_FDCWD, path);
    if (tree < 0)
        return -1;
    int failed = call_set_tree(tree, attributes) != 0 || call_attach_tree(tree, place) != 0;
    int reason = errno;
    close(tree);
    errno = reason;
    return failed ? -1 : 0;
}

static bool lies_in(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

bool sandbox_root_shows(const char *path)
{
    bool is_shown = false;
    for (size_t i = 0; i < sizeof shown_folders / sizeof *shown_folders; i++)
        is_shown |= lies_in(path, shown_folders[i]);
    for (size_t i = 0; i < sizeof system_folders / sizeof *system_folders; i++)
        is_shown |= lies_in(path, system_folders[i]);
    return is_shown;
}

int sandbox_tree(const char *path)
{
    int tree = call_clone_tree(AT_FDCWD, path);
    if (tree < 0)
        return -1;
    if (call_set_tree(tree, CALL_MOUNT_READ_ONLY | CALL_MOUNT_NO_SETUID | CALL_MOUNT_NO_DEVICES) == 0)
        return tree;
    int reason = errno;
    close(tree);
    errno = reason;
    return -1;
}

int sandbox_root_copy(const char *place)
{
    return call_clone_tree(AT_FDCWD, place);
}

/* ---- Filling it; the working directory is the new root ---- */

static const char *make_folders(void)
{
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0755) != 0)
            return folders[i];
    return NULL;
}

static const char *make_files(void)
{
    for (size_t i = 0; i < sizeof copied_files / sizeof *copied_files; i++)
        if (!copy_file(copied_files[i], copied_files[i] + 1))
            return copied_files[i];
    if (!name_sandbox())
        return "/etc/hosts";
    for (size_t i = 0; i < sizeof written_files / sizeof *written_files; i++)
        if (!put_file(written_files[i].path, written_files[i].text, strlen(written_files[i].text)))
            return written_files[i].path;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (symlink(links[i].target, links[i].path) != 0)
            return links[i].path;
    return NULL;
}

static const char *show_system(void)
{
    const uint64_t attributes = CALL_MOUNT_READ_ONLY | CALL_MOUNT_NO_SETUID | CALL_MOUNT_NO_DEVICES;
    for (size_t i = 0; i < sizeof shown_folders / sizeof *shown_folders; i++)
        if (show(shown_folders[i], shown_folders[i] + 1, attributes) != 0 && errno != ENOENT)
            return shown_folders[i];
    for (size_t i = 0; i < sizeof system_folders / sizeof *system_folders; i++) {
        const char *path = system_folders[i];
        char target[PATH_MAX];
        struct stat status;
        if (lstat(path, &status) != 0)
            continue;
        if (S_ISLNK(status.st_mode)) {
            ssize_t size = readlink(path, target, sizeof target - 1);
            if (size < 0)
                return path;
            target[size] = '\0';
            if (symlink(target, path + 1) != 0)
                return path;
        } else if (mkdir(path + 1, 0755) != 0 || show(path, path + 1, attributes) != 0) {
            return path;
        }
    }
    return NULL;
}

static const char *show_devices(void)
{
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (!put_file(devices[i] + 1, "", 0) || show(devices[i], devices[i] + 1, CALL_MOUNT_NO_SETUID) != 0)
            return devices[i];
    return NULL;
}

const char *sandbox_root_make(const char *place, const char *runtime_directory)
{
    /* Taken before the root is mounted below it. */
    int bootstraps = sandbox_tree(runtime_directory);
    if (bootstraps < 0)
        return "open the runtime directory";
    const char *failed = NULL;
    if (mkdir(place, 0755) != 0 && errno != EEXIST)
        failed = "make a folder for the root";
    else if (mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, ROOT_OPTIONS) != 0)
        failed = "mount a tmpfs";
    else if (chdir(place) != 0)
        failed = "enter the root";
    umask(022);
    if (failed == NULL && (failed = make_folders()) == NULL && (failed = make_files()) == NULL &&
        (failed = show_system()) == NULL && (failed = show_devices()) == NULL) {
        if (call_attach_tree(bootstraps, "var/brume") != 0)
            failed = "mount /var/brume";
        else if (mount(NULL, place, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) != 0)
            failed = "make the root read-only";
        else if (chdir("/") != 0)
            failed = "leave the root";
    }
    int reason = errno;
    close(bootstraps);
    errno = reason;
    return failed;
}

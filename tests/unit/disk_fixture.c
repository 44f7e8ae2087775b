#include "disk_fixture.h"

#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

bool disk_is_mounted;
char disk_path[] = "/tmp/brume-disk-XXXXXX";

static bool write_text(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool good = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    if (file >= 0)
        close(file);
    return good;
}

/* A mount namespace: as root, or as root of a user namespace of our own. */
static bool enter_namespace(void)
{
    char users[32];
    char groups[32];
    snprintf(users, sizeof users, "0 %u 1", (unsigned)getuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getgid());
    if (unshare(CLONE_NEWNS) == 0)
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    return write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", users) &&
           write_text("/proc/self/gid_map", groups);
}

void disk_make(int mib)
{
    char size[32];
    snprintf(size, sizeof size, "size=%dm", mib);
    disk_is_mounted = mkdtemp(disk_path) != NULL && enter_namespace() &&
                      mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                      mount("none", disk_path, "tmpfs", 0, size) == 0;
    if (!disk_is_mounted)
        print_message("no file system of our own can be mounted (%s): run as root, or allow user namespaces\n",
                      strerror(errno));
}

static void ballast_path(char path[64])
{
    snprintf(path, 64, "%s/ballast", disk_path);
}

void disk_fill(uint64_t leave)
{
    static const char zeros[64 << 10];
    char path[64];
    uint64_t left = UINT64_MAX;
    ballast_path(path);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    while (os_disk_free(os_linux(), disk_path, &left) == OK && left > leave)
        if (write(file, zeros, left - leave < sizeof zeros ? left - leave : sizeof zeros) < 0)
            break;
    close(file);
}

void disk_empty(void)
{
    char path[64];
    ballast_path(path);
    assert_int_equal(unlink(path), 0);
}

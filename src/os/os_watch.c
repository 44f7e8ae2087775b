#include "os/os_watch.h"

#include "base/bug.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

/* A file counts when it is closed, or put in place by renaming: what is half written is nothing yet. */
#define CHANGES                                                                                                        \
    (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

struct FolderWatch {
    int file;
    int root; /* the watch of the folder itself */
    size_t count;
    bool (*ignores)(const char *name);
    char path[PATH_MAX];
};

static Error error_of_watch(void)
{
    return errno == ENOENT || errno == ENOTDIR ? ERROR_NOT_FOUND
           : errno == EACCES                   ? ERROR_DENIED
           : errno == ENOSPC                   ? ERROR_FULL
                                               : ERROR_IO;
}

static Error add_below(FolderWatch *watch, const char *path);

static Error add_entry(FolderWatch *watch, const char *path, const struct dirent *entry)
{
    char below[PATH_MAX];
    bool is_folder = entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (!is_folder || watch->ignores(entry->d_name))
        return OK;
    int size = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    if (size < 0 || (size_t)size >= sizeof below)
        return OK;
    Error error = add_below(watch, below);
    return error == ERROR_NOT_FOUND || error == ERROR_DENIED ? OK : error; /* gone again, or not ours to look into */
}

/* A folder that is watched already stays as it is (inotify_add_watch(2)). */
static Error add_below(FolderWatch *watch, const char *path)
{
    if (watch->count >= FOLDER_WATCH_MAX)
        return ERROR_FULL;
    int added = inotify_add_watch(watch->file, path, CHANGES | IN_ONLYDIR);
    if (added < 0)
        return error_of_watch();
    if (watch->count++ == 0)
        watch->root = added;
    DIR *entries = opendir(path);
    if (entries == NULL)
        return error_of_watch();
    Error error = OK;
    for (const struct dirent *entry; error == OK && (entry = readdir(entries)) != NULL;)
        error = add_entry(watch, path, entry);
    closedir(entries);
    return error;
}

static Error add_all(FolderWatch *watch)
{
    watch->count = 0;
    return add_below(watch, watch->path);
}

Error folder_watch_open(const char *path, bool (*ignores)(const char *name), FolderWatch **opened)
{
    FolderWatch *watch = calloc(1, sizeof *watch);
    ASSERT(watch != NULL);
    watch->ignores = ignores;
    if (realpath(path, watch->path) == NULL) {
        Error error = error_of_watch();
        free(watch);
        return error;
    }
    watch->file = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    Error error = watch->file < 0 ? ERROR_IO : add_all(watch);
    if (error != OK) {
        folder_watch_close(watch);
        return error;
    }
    *opened = watch;
    return OK;
}

void folder_watch_close(FolderWatch *watch)
{
    if (watch->file >= 0)
        close(watch->file);
    free(watch);
}

/* ---- Waiting ---- */

typedef struct Seen {
    bool something;
    bool new_folders;
    bool is_gone;
} Seen;

static void see(FolderWatch *watch, const struct inotify_event *event, Seen *seen)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        seen->something = seen->new_folders = true;
        return;
    }
    if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
        seen->is_gone |= event->wd == watch->root;
        return;
    }
    if ((event->mask & IN_IGNORED) != 0 || event->len == 0 || watch->ignores(event->name))
        return;
    bool is_folder = (event->mask & IN_ISDIR) != 0;
    /* A file that was made counts when it is closed. Dates and permissions of folders are no content. */
    if (event->mask == IN_CREATE || event->mask == (IN_ATTRIB | IN_ISDIR))
        return;
    seen->something = true;
    seen->new_folders |= is_folder && (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
}

/* False: nothing came within that time. */
static bool look(FolderWatch *watch, int within_ms, Seen *seen)
{
    _Alignas(struct inotify_event) char bytes[16 * 1024];
    struct pollfd polled = {.fd = watch->file, .events = POLLIN};
    if (poll(&polled, 1, within_ms) <= 0)
        return false;
    ssize_t got;
    while ((got = read(watch->file, bytes, sizeof bytes)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);
            see(watch, event, seen);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    return true;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Error folder_watch_wait(FolderWatch *watch, int quiet_ms, int longest_ms)
{
    Seen seen = {0};
    while (!seen.something && !seen.is_gone)
        look(watch, -1, &seen);
    int64_t until = now_ms() + longest_ms;
    while (!seen.is_gone && now_ms() < until && look(watch, quiet_ms, &seen))
        continue;
    if (seen.is_gone)
        return ERROR_GONE;
    return seen.new_folders ? add_all(watch) : OK;
}

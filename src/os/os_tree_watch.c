/* os_tree_watch.c: being told of changes below a folder, by inotify: a watch for each folder, those that are made later too. */
#include "base/buffer.h"
#include "base/bug.h"
#include "os/os_tree.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_SIZE = 64 * 1024, LONGEST_QUIETS = 10, DEPTH_MAX = 64 };

static const uint32_t interest = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB |
                                 IN_ONLYDIR | IN_EXCL_UNLINK | IN_DONT_FOLLOW;

struct TreeWatch {
    int file;
    TreeSkip skip;
    char *folder;
    char **names; /* of a watch's folder, by its descriptor; malloc; NULL: none */
    size_t room;
};

static void remember(TreeWatch *watch, int descriptor, const char *name)
{
    size_t place = (size_t)descriptor;
    if (place >= watch->room) {
        size_t room = place * 2 + 16;
        watch->names = realloc(watch->names, room * sizeof *watch->names);
        ASSERT(watch->names != NULL);
        memset(watch->names + watch->room, 0, (room - watch->room) * sizeof *watch->names);
        watch->room = room;
    }
    free(watch->names[place]);
    watch->names[place] = strdup(name);
    ASSERT(watch->names[place] != NULL);
}

static const char *join(Arena *arena, const char *above, const char *name)
{
    return arena_string(arena,
                        arena_format(arena, "%s%s%s", above, above[0] != '\0' && name[0] != '\0' ? "/" : "", name));
}

/* Watches a folder and those below it. One that has gone meanwhile is no error. */
static Error add_folder(TreeWatch *watch, const char *name, unsigned depth)
{
    Arena arena = arena_make();
    Error error = OK;
    struct dirent *entry;
    const char *path = join(&arena, watch->folder, name);
    int descriptor = inotify_add_watch(watch->file, path, interest);
    DIR *directory = descriptor < 0 ? NULL : opendir(path);
    if (descriptor >= 0)
        remember(watch, descriptor, name);
    else
        error = errno == ENOSPC    ? ERROR_FULL
                : errno == ENOENT  ? ERROR_NOT_FOUND
                : errno == ENOTDIR ? ERROR_EXISTS
                : errno == EACCES  ? ERROR_DENIED
                                   : ERROR_IO;
    while (directory != NULL && error == OK && (entry = readdir(directory)) != NULL) {
        struct stat status;
        const char *below = join(&arena, name, entry->d_name);
        bool is_folder = lstat(join(&arena, watch->folder, below), &status) == 0 && S_ISDIR(status.st_mode);
        if (!is_folder || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            watch->skip(slice_of_string(entry->d_name)) || depth == DEPTH_MAX)
            continue;
        error = add_folder(watch, below, depth + 1);
        if (error == ERROR_NOT_FOUND)
            error = OK;
    }
    if (directory != NULL)
        closedir(directory);
    arena_free(&arena);
    return error;
}

Error tree_watch_open(const char *folder, TreeSkip skip, TreeWatch **opened)
{
    TreeWatch *watch = calloc(1, sizeof *watch);
    ASSERT(watch != NULL);
    watch->skip = skip;
    watch->folder = strdup(folder);
    watch->file = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    ASSERT(watch->folder != NULL);
    Error error = watch->file < 0 ? ERROR_FULL : add_folder(watch, "", 0);
    if (error != OK) {
        tree_watch_close(watch);
        return error;
    }
    *opened = watch;
    return OK;
}

void tree_watch_close(TreeWatch *watch)
{
    for (size_t i = 0; i < watch->room; i++)
        free(watch->names[i]);
    free(watch->names);
    free(watch->folder);
    if (watch->file >= 0)
        close(watch->file);
    free(watch);
}

static void note(Slice name, Slice *names, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (slice_equal(names[i], name))
            return;
    if (*count < TREE_CHANGES_MAX)
        names[(*count)++] = name;
}

/* One event. True: something of the tree has changed. */
static bool take(TreeWatch *watch, const struct inotify_event *event, Arena *arena, Slice *names, size_t *count)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) { /* which ones is not known */
        *count = TREE_CHANGES_MAX;
        return true;
    }
    size_t place = (size_t)event->wd;
    if (place >= watch->room || watch->names[place] == NULL)
        return false;
    if ((event->mask & IN_IGNORED) != 0) {
        free(watch->names[place]);
        watch->names[place] = NULL;
        return false;
    }
    if (event->len == 0 || watch->skip(slice_of_string(event->name)))
        return false;
    const char *name = join(arena, watch->names[place], event->name);
    bool is_folder = (event->mask & IN_ISDIR) != 0;
    if (is_folder && (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0)
        add_folder(watch, name, 0);
    /* A file that is made is told of again when it has been written; a link is not. */
    if (is_folder && (event->mask & IN_ATTRIB) != 0)
        return false;
    note(slice_of_string(name), names, count);
    return true;
}

/* All that is there to be read. ERROR_WAIT: nothing of it changed anything. */
static Error read_events(TreeWatch *watch, Arena *arena, Slice *names, size_t *count)
{
    _Alignas(struct inotify_event) char events[EVENTS_SIZE];
    bool any = false;
    ssize_t size;
    while ((size = read(watch->file, events, sizeof events)) > 0 || (size < 0 && errno == EINTR))
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + at);
            any = take(watch, event, arena, names, count) || any;
            at += (ssize_t)(sizeof *event + event->len);
        }
    if (size < 0 && errno != EAGAIN)
        return ERROR_IO;
    return any ? OK : ERROR_WAIT;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Error tree_watch_wait(TreeWatch *watch, int quiet_ms, Arena *arena, Slice *names, size_t *count)
{
    *count = 0;
    int64_t first_ms = 0; /* 0: nothing has changed yet */
    for (;;) {
        struct pollfd readable = {.fd = watch->file, .events = POLLIN};
        int ready = poll(&readable, 1, first_ms == 0 ? -1 : quiet_ms);
        if (ready < 0 && errno != EINTR)
            return ERROR_IO;
        if (ready == 0 || (first_ms != 0 && now_ms() - first_ms > (int64_t)quiet_ms * LONGEST_QUIETS))
            return OK;
        if (ready < 0)
            continue;
        Error error = read_events(watch, arena, names, count);
        if (error == OK && first_ms == 0)
            first_ms = now_ms();
        if (error != OK && error != ERROR_WAIT)
            return error;
    }
}

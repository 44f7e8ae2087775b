#include "os/os_tree.h"

#include "os/os_folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

typedef struct Listing {
    const char *folder;
    TreeSkip skip;
    Arena *arena;
    TreeFile *files;
    size_t count;
    size_t room;
} Listing;

static Error error_of_errno(void)
{
    switch (errno) {
    case ENOENT:
        return ERROR_NOT_FOUND;
    case ENOTDIR:
        return ERROR_EXISTS;
    case EACCES:
    case EPERM:
        return ERROR_DENIED;
    default:
        return ERROR_IO;
    }
}

static char *path_of(Arena *arena, const char *folder, Slice name)
{
    return arena_string(arena, arena_format(arena, "%s%s%.*s", folder, name.size > 0 ? "/" : "", SLICE_PRINT(name)));
}

static Error add_file(Listing *listing, Slice name, const struct stat *status)
{
    if (listing->count == TREE_FILES_MAX)
        return ERROR_TOO_LARGE;
    if (listing->count == listing->room) {
        TreeFile *more = ARENA_ARRAY(listing->arena, TreeFile, listing->room = listing->room * 2 + 64);
        if (listing->count > 0)
            memcpy(more, listing->files, listing->count * sizeof *more);
        listing->files = more;
    }
    listing->files[listing->count++] = (TreeFile){
        .name = name,
        .is_link = S_ISLNK(status->st_mode),
        .is_executable = (status->st_mode & S_IXUSR) != 0,
    };
    return OK;
}

static Error list_below(Listing *listing, Slice folder, unsigned depth);

/* What is there: a file, a link, a folder; sockets and such are left out, and so is what has gone meanwhile. */
static Error list_one(Listing *listing, Slice name, unsigned depth)
{
    struct stat status;
    if (lstat(path_of(listing->arena, listing->folder, name), &status) != 0)
        return errno == ENOENT ? OK : error_of_errno();
    if (S_ISDIR(status.st_mode))
        return depth == DEPTH_MAX ? ERROR_TOO_LARGE : list_below(listing, name, depth + 1);
    return S_ISREG(status.st_mode) || S_ISLNK(status.st_mode) ? add_file(listing, name, &status) : OK;
}

static Error list_below(Listing *listing, Slice folder, unsigned depth)
{
    Error error = OK;
    struct dirent *entry;
    DIR *directory = opendir(path_of(listing->arena, listing->folder, folder));
    if (directory == NULL)
        return errno == ENOENT && depth > 0 ? OK : error_of_errno();
    while (error == OK && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            listing->skip(slice_of_string(entry->d_name)))
            continue;
        Slice name =
            arena_format(listing->arena, "%.*s%s%s", SLICE_PRINT(folder), folder.size > 0 ? "/" : "", entry->d_name);
        error = list_one(listing, name, depth);
    }
    closedir(directory);
    return error;
}

static int by_name(const void *left, const void *right)
{
    return slice_compare(((const TreeFile *)left)->name, ((const TreeFile *)right)->name);
}

Error tree_list(const char *folder, TreeSkip skip, Arena *arena, TreeFile **files, size_t *count)
{
    Listing listing = {.folder = folder, .skip = skip, .arena = arena};
    TRY(list_below(&listing, SLICE(""), 0));
    if (listing.count > 0)
        qsort(listing.files, listing.count, sizeof *listing.files, by_name);
    *files = listing.files;
    *count = listing.count;
    return OK;
}

static Error read_link(const char *path, Arena *arena, Slice *content)
{
    char target[PATH_MAX];
    ssize_t size = readlink(path, target, sizeof target);
    if (size < 0)
        return error_of_errno();
    *content = arena_copy(arena, slice_make(target, (size_t)size));
    return OK;
}

Error tree_read(const char *folder, const TreeFile *file, Arena *arena, Slice *content)
{
    int opened;
    uint64_t size;
    const char *path = path_of(arena, folder, file->name);
    if (file->is_link)
        return read_link(path, arena, content);
    TRY(file_open(path, &opened, &size));
    Error error = OK;
    size_t filled = 0;
    size_t given;
    char *bytes = arena_alloc_aligned(arena, size + 1, 1);
    /* One that grows meanwhile is read again when that is told. */
    while (filled < size && (error = file_read(opened, bytes + filled, size - filled, &given)) == OK && given > 0)
        filled += given;
    file_end(opened);
    *content = slice_make(bytes, filled);
    return error;
}

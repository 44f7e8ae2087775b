#include "os/os_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0755, WALK_FILES = 16 };

static Error error_of_errno(void)
{
    switch (errno) {
    case ENOENT:
        return ERROR_NOT_FOUND;
    case ENOTDIR:
    case EEXIST:
    case ENOTEMPTY:
    case EISDIR:
    case ELOOP:
        return ERROR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_DENIED;
    case ENOSPC:
    case EDQUOT:
        return ERROR_FULL;
    default:
        return ERROR_IO;
    }
}

static Error result_of(int status)
{
    return status == 0 ? OK : error_of_errno();
}

/* ---- Making ---- */

Error folder_make(const char *path, int *folder)
{
    if (mkdir(path, FOLDER_MODE) != 0)
        return error_of_errno();
    *folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    /* Whatever the umask: workers of other users read it. */
    return *folder < 0 ? error_of_errno() : result_of(fchmod(*folder, FOLDER_MODE));
}

void folder_close(int folder)
{
    close(folder);
}

static Error make_one(int folder, const char *name)
{
    struct stat status;
    if (mkdirat(folder, name, FOLDER_MODE) == 0)
        return result_of(fchmodat(folder, name, FOLDER_MODE, 0));
    if (errno != EEXIST)
        return error_of_errno();
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return error_of_errno();
    return S_ISDIR(status.st_mode) ? OK : ERROR_EXISTS;
}

/* The folders above `name`, and `name` itself when `whole`. */
static Error make_parents(int folder, const char *name, bool whole)
{
    char *partial = strdup(name);
    if (partial == NULL)
        return ERROR_IO;
    Error error = OK;
    for (char *slash = strchr(partial, '/'); slash != NULL && error == OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = make_one(folder, partial);
        *slash = '/';
    }
    if (error == OK && whole)
        error = make_one(folder, partial);
    free(partial);
    return error;
}

Error folder_add_folder(int folder, const char *name)
{
    return make_parents(folder, name, true);
}

Error folder_add_file(int folder, const char *name, unsigned mode, int *file)
{
    static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    *file = openat(folder, name, flags, (mode_t)mode);
    if (*file < 0 && errno == ENOENT) {
        Error error = make_parents(folder, name, false);
        if (error != OK)
            return error;
        *file = openat(folder, name, flags, (mode_t)mode);
    }
    return *file < 0 ? error_of_errno() : result_of(fchmod(*file, (mode_t)mode));
}

Error folder_add_link(int folder, const char *name, const char *target)
{
    if (symlinkat(target, folder, name) == 0)
        return OK;
    if (errno != ENOENT)
        return error_of_errno();
    Error error = make_parents(folder, name, false);
    return error == OK ? result_of(symlinkat(target, folder, name)) : error;
}

Error file_write(int file, Slice piece)
{
    while (piece.size > 0) {
        ssize_t put = write(file, piece.data, piece.size);
        if (put < 0 && errno != EINTR)
            return error_of_errno();
        if (put > 0)
            piece = slice_skip(piece, (size_t)put);
    }
    return OK;
}

Error file_close(int file, int64_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    Error error = result_of(futimens(file, times));
    if (close(file) != 0 && error == OK)
        error = error_of_errno();
    return error;
}

Error folder_sync(int folder)
{
    return result_of(syncfs(folder));
}

Error folder_sync_at(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_of_errno();
    Error error = folder_sync(folder);
    close(folder);
    return error;
}

/* ---- In place ---- */

static Error sync_parent_of(const char *path)
{
    char *parent = strdup(path);
    if (parent == NULL)
        return ERROR_IO;
    char *slash = strrchr(parent, '/');
    if (slash != NULL)
        *slash = '\0';
    int file = open(slash == NULL ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (file < 0)
        return error_of_errno();
    Error error = result_of(fsync(file));
    close(file);
    return error;
}

Error folder_move(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        return error_of_errno();
    Error error = sync_parent_of(to);
    return error == OK ? sync_parent_of(from) : error;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

Error folder_remove(const char *path)
{
    if (nftw(path, remove_entry, WALK_FILES, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return OK;
    return error_of_errno();
}

Error folder_list(const char *path, Arena *arena, Slice **names, size_t *count)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return error_of_errno();
    Buffer found = buffer_make(arena);
    const struct dirent *entry;
    *count = 0;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        Slice name = arena_copy(arena, slice_of_string(entry->d_name));
        buffer_add(&found, slice_make(&name, sizeof name));
        (*count)++;
    }
    closedir(folder);
    *names = ARENA_ARRAY(arena, Slice, *count + 1);
    memcpy(*names, buffer_slice(&found).data, found.size);
    return OK;
}

bool folder_is_there(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* ---- Reading ---- */

Error file_open(const char *path, int *file, uint64_t *size)
{
    struct stat status;
    *file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*file < 0)
        return error_of_errno();
    if (fstat(*file, &status) != 0) {
        close(*file);
        return error_of_errno();
    }
    *size = (uint64_t)status.st_size;
    return OK;
}

Error file_read(int file, char *bytes, size_t size, size_t *given)
{
    ssize_t got;
    do
        got = read(file, bytes, size);
    while (got < 0 && errno == EINTR);
    *given = got < 0 ? 0 : (size_t)got;
    return got < 0 ? error_of_errno() : OK;
}

void file_end(int file)
{
    close(file);
}

Error file_map(const char *path, Slice *bytes)
{
    int file;
    uint64_t size;
    TRY(file_open(path, &file, &size));
    void *place = size == 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    Error error = size == 0 ? ERROR_MALFORMED : place == MAP_FAILED ? error_of_errno() : OK;
    close(file);
    if (error == OK)
        *bytes = slice_make(place, size);
    return error;
}

void file_unmap(Slice bytes)
{
    munmap((void *)(uintptr_t)bytes.data, bytes.size);
}

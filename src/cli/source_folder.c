#include "cli/source_folder.h"

#include "base/bug.h"
#include "base/zip.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool source_ignores(const char *name)
{
    static const char *const names[] = {".git", ".hg", ".svn", ".idea", ".vscode", "__pycache__", ".DS_Store", "4913"};
    static const char *const ends[] = {"~",    ".swp",    ".swo",         ".swx",        ".tmp",
                                       ".pyc", ".crswap", "___jb_tmp___", "___jb_old___"};
    static const char *const begins[] = {".#", "#", ".goutputstream-"};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (size >= strlen(ends[i]) && strcmp(name + size - strlen(ends[i]), ends[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strncmp(name, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

/* ---- What is there ---- */

typedef struct Reading {
    Arena *arena;
    SourceFolder *folder;
    size_t capacity;
    uint64_t bytes;
} Reading;

static Error error_of_file(void)
{
    return errno == ENOENT || errno == ENOTDIR ? ERROR_NOT_FOUND : errno == EACCES ? ERROR_DENIED : ERROR_IO;
}

static Error add_file(Reading *reading, Slice path, const struct stat *status)
{
    SourceFolder *folder = reading->folder;
    reading->bytes += (uint64_t)status->st_size;
    if (folder->count == SOURCE_FILES_MAX || reading->bytes > SOURCE_BYTES_MAX)
        return ERROR_FULL;
    if (folder->count == reading->capacity) {
        size_t capacity = reading->capacity == 0 ? 64 : 2 * reading->capacity;
        SourceFile *grown = ARENA_ARRAY(reading->arena, SourceFile, capacity);
        if (folder->count > 0)
            memcpy(grown, folder->files, folder->count * sizeof *grown);
        folder->files = grown;
        reading->capacity = capacity;
    }
    folder->files[folder->count++] = (SourceFile){
        .path = path,
        .mode = status->st_mode,
        .size = (uint64_t)status->st_size,
        .changed_ns = (int64_t)status->st_ctim.tv_sec * 1000000000 + status->st_ctim.tv_nsec,
        .inode = status->st_ino,
    };
    return OK;
}

static Error read_below(Reading *reading, int parent, const char *name, Slice path);

static Error read_entry(Reading *reading, int folder, const char *name, Slice path)
{
    struct stat status;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || source_ignores(name) ||
        fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return OK; /* or it has gone again */
    Slice own = path.size == 0 ? arena_copy(reading->arena, slice_of_string(name))
                               : arena_format(reading->arena, "%.*s/%s", SLICE_PRINT(path), name);
    if (S_ISDIR(status.st_mode))
        return read_below(reading, folder, name, own);
    return S_ISREG(status.st_mode) || S_ISLNK(status.st_mode) ? add_file(reading, own, &status) : OK;
}

static Error read_below(Reading *reading, int parent, const char *name, Slice path)
{
    int file = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = file < 0 ? NULL : fdopendir(file);
    if (entries == NULL) {
        Error error = error_of_file();
        if (file >= 0)
            close(file);
        return error;
    }
    Error error = OK;
    for (const struct dirent *entry; error == OK && (entry = readdir(entries)) != NULL;)
        error = read_entry(reading, dirfd(entries), entry->d_name, path);
    closedir(entries);
    return error;
}

static int by_path(const void *a, const void *b)
{
    return slice_compare(((const SourceFile *)a)->path, ((const SourceFile *)b)->path);
}

Error source_read(const char *path, Arena *arena, SourceFolder *folder)
{
    Reading reading = {.arena = arena, .folder = folder};
    *folder = (SourceFolder){0};
    TRY(read_below(&reading, AT_FDCWD, path, SLICE("")));
    if (folder->count > 0)
        qsort(folder->files, folder->count, sizeof *folder->files, by_path);
    return OK;
}

/* ---- What has changed ---- */

static const SourceFile *find(const SourceFolder *folder, Slice path)
{
    const SourceFile wanted = {.path = path};
    return folder->count == 0 ? NULL : bsearch(&wanted, folder->files, folder->count, sizeof wanted, by_path);
}

void source_compare(const SourceFolder *before, const SourceFolder *now, Arena *arena, SourceFolder *changed)
{
    *changed = (SourceFolder){.files = ARENA_ARRAY(arena, SourceFile, now->count)};
    for (size_t i = 0; i < now->count; i++) {
        const SourceFile *file = &now->files[i];
        const SourceFile *earlier = find(before, file->path);
        if (earlier == NULL || earlier->size != file->size || earlier->changed_ns != file->changed_ns ||
            earlier->inode != file->inode || earlier->mode != file->mode)
            changed->files[changed->count++] = *file;
    }
}

bool source_has_lost(const SourceFolder *before, const SourceFolder *now)
{
    for (size_t i = 0; i < before->count; i++)
        if (find(now, before->files[i].path) == NULL)
            return true;
    return false;
}

/* ---- Its package ---- */

static Error read_all(int file, Buffer *content)
{
    for (;;) {
        ssize_t got = read(file, buffer_reserve(content, 65536), 65536);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 ? OK : ERROR_IO;
        content->size += (size_t)got;
        if (content->size > SOURCE_BYTES_MAX)
            return ERROR_FULL;
    }
}

static Error read_content(int folder, const SourceFile *file, Buffer *content)
{
    const char *name = arena_string(content->arena, file->path);
    if (S_ISLNK(file->mode)) {
        ssize_t size = readlinkat(folder, name, buffer_reserve(content, PATH_MAX), PATH_MAX);
        if (size < 0)
            return error_of_file();
        content->size = (size_t)size;
        return OK;
    }
    int opened = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (opened < 0)
        return error_of_file();
    Error error = read_all(opened, content);
    close(opened);
    return error;
}

/* What may be executed, and nothing else of its permissions: they differ from one machine to the next. */
static uint32_t packed_mode(uint32_t mode)
{
    return S_ISLNK(mode) ? S_IFLNK | 0777u : S_IFREG | ((mode & 0111) != 0 ? 0755u : 0644u);
}

Error source_package(const char *path, const SourceFolder *folder, Buffer *zip)
{
    ZipWriter writer = zip_writer(zip);
    int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    Error error = opened < 0 ? error_of_file() : OK;
    for (size_t i = 0; i < folder->count && error == OK; i++) {
        Arena arena = arena_make();
        Buffer content = buffer_make(&arena);
        error = read_content(opened, &folder->files[i], &content);
        if (error == OK)
            error = zip_add(&writer, folder->files[i].path, packed_mode(folder->files[i].mode), buffer_slice(&content));
        else if (error == ERROR_NOT_FOUND)
            error = OK;
        arena_free(&arena);
    }
    if (opened >= 0)
        close(opened);
    zip_finish(&writer);
    return error;
}

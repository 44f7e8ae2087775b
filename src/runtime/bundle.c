#include "runtime/bundle.h"

#include "base/bug.h"

#include <errno.h>
#include <sys/stat.h>

enum { CONTENT_MAX = 16 << 20, FILE_MODE = 0644, FOLDER_MODE = 0755 };

static Error open_to_all(const char *path, mode_t mode)
{
    return chmod(path, mode) == 0 ? OK : errno == EPERM || errno == EACCES ? ERROR_DENIED : ERROR_IO;
}

/* The folders of "python/brume/x.py" below `directory`. */
static Error make_folders(Os *os, Arena *arena, const char *directory, const char *name)
{
    TRY(os_make_directory(os, directory));
    TRY(open_to_all(directory, FOLDER_MODE));
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const char *folder = arena_format(arena, "%s/%.*s", directory, (int)(slash - name), name).data;
        TRY(os_make_directory(os, folder));
        TRY(open_to_all(folder, FOLDER_MODE));
    }
    return OK;
}

static Error lay_out_file(Os *os, Arena *arena, const char *directory, const BundleFile *file)
{
    const Slice wanted = slice_make(file->content, file->size);
    const char *path = arena_format(arena, "%s/%s", directory, file->name).data;
    Slice there;
    if (os_read_file(os, path, arena, CONTENT_MAX, &there) == OK && slice_equal(there, wanted))
        return open_to_all(path, FILE_MODE);
    TRY(make_folders(os, arena, directory, file->name));
    TRY(os_write_file(os, path, wanted, FILE_MODE));
    return open_to_all(path, FILE_MODE);
}

Error bundle_lay_out(Os *os, const char *directory)
{
    Error error = OK;
    for (const BundleFile *file = bundle_files; file->name != NULL && error == OK; file++) {
        ASSERT(file->size <= CONTENT_MAX);
        Arena arena = arena_make();
        error = lay_out_file(os, &arena, directory, file);
        arena_free(&arena);
    }
    return error;
}

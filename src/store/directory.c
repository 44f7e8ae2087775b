#include "store/directory.h"

#include "os/os_folder.h"

enum { FORMAT_FILE_MAX = 64, RESTORE_CACHE_BYTES = 8 << 20 };

static const char *path_in(Arena *arena, const char *directory, const char *name)
{
    return arena_format(arena, "%s/%s", directory, name).data;
}

/* Makes and locks the directory. */
static Error take(Os *os, const char *path, Arena *arena, DataDirectory *directory, Slice *message)
{
    directory->os = os;
    Error error = os_make_directory(os, path);
    if (error == OK)
        error = os_lock_directory(os, path, &directory->lock);
    if (error == ERROR_LOCKED)
        *message = arena_format(arena,
                                "another brume uses the data directory %s: stop it, or choose another directory "
                                "by --data",
                                path);
    else if (error == ERROR_DENIED)
        *message = arena_format(arena,
                                "the data directory %s may not be written: change its owner, or choose another "
                                "by --data",
                                path);
    else if (error == ERROR_EXISTS)
        *message = arena_format(arena, "%s is a file: name a directory by --data", path);
    else if (error != OK)
        *message = arena_format(arena, "the data directory %s cannot be used: %s; choose another by --data", path,
                                error_text(error));
    return error;
}

/* The format number that the directory carries; 0 when it carries none. */
static Error read_format(Os *os, const char *path, Arena *arena, uint64_t *format)
{
    Slice text;
    *format = 0;
    Error error = os_read_file(os, path_in(arena, path, "format"), arena, FORMAT_FILE_MAX, &text);
    if (error == ERROR_NOT_FOUND)
        return OK;
    TRY(error);
    if (text.size == 0 || text.data[text.size - 1] != '\n' ||
        !slice_parse_uint64(slice_make(text.data, text.size - 1), format) || *format == 0)
        return ERROR_MALFORMED;
    return OK;
}

static Error write_format(Os *os, const char *path, Arena *arena)
{
    return os_write_file(os, path_in(arena, path, "format"), arena_format(arena, "%d\n", STORE_FORMAT), 0600);
}

/* Whether the engine has ever been opened there. */
static bool has_database(Os *os, const char *path, Arena *arena)
{
    Slice current;
    return os_read_file(os, path_in(arena, path, "db/CURRENT"), arena, FORMAT_FILE_MAX, &current) == OK;
}

Error data_directory_check(Os *os, const char *path, Arena *arena, Slice *message)
{
    uint64_t format;
    Error error = read_format(os, path, arena, &format);
    if (error == OK && format > STORE_FORMAT) {
        *message = arena_format(arena,
                                "%s was written by a newer brume (format %llu, this one knows %d): start that version, "
                                "or choose another directory by --data",
                                path, (unsigned long long)format, STORE_FORMAT);
        return ERROR_FORMAT;
    }
    if (error == OK && format == 0 && has_database(os, path, arena)) {
        *message =
            arena_format(arena, "%s holds a restore that did not end: restore again, or remove the directory", path);
        return ERROR_FORMAT;
    }
    if (error != OK)
        *message = arena_format(arena, "%s/format cannot be read (%s): restore the directory from a backup", path,
                                error_text(error));
    return error;
}

static Error open_engine(Os *os, const char *path, uint64_t cache_bytes, Arena *arena, Engine **engine, Slice *message)
{
    Slice reason = {0};
    const char *database = path_in(arena, path, "db");
    Error error = os_make_directory(os, database);
    if (error == OK)
        error = engine_rocksdb_open(database, cache_bytes, arena, engine, &reason);
    if (error == ERROR_FULL)
        *message = arena_format(arena, "the disk that holds %s is full: make room, and start again", path);
    else if (error != OK)
        *message = arena_format(arena,
                                "the database in %s cannot be opened (%.*s): check the disk, or restore from a "
                                "backup",
                                path, SLICE_PRINT(reason.data == NULL ? slice_of_string(error_text(error)) : reason));
    return error;
}

/* Before anything is written that an older program does not know, and when the database can be opened at all. */
static Error raise_format(Os *os, const char *path, Arena *arena, Engine *engine, Slice *message)
{
    Error error = write_format(os, path, arena);
    if (error == OK)
        return OK;
    engine->operations->close(engine);
    *message = arena_format(arena, "%s/format cannot be written: %s", path, error_text(error));
    return error;
}

Error data_directory_open(Os *os, const char *path, uint64_t cache_bytes, Arena *arena, DataDirectory *directory,
                          Engine **engine, Slice *message)
{
    TRY(take(os, path, arena, directory, message));
    Error error = data_directory_check(os, path, arena, message);
    uint64_t format = 0;
    if (error == OK)
        error = read_format(os, path, arena, &format);
    /* Written before the database, so that a database without it is always an unfinished restore. */
    if (error == OK && format == 0) {
        error = write_format(os, path, arena);
        if (error != OK)
            *message = arena_format(arena, "%s cannot be written: %s", path, error_text(error));
    }
    if (error == OK)
        error = open_engine(os, path, cache_bytes, arena, engine, message);
    if (error == OK && format != 0 && format < STORE_FORMAT)
        error = raise_format(os, path, arena, *engine, message);
    if (error != OK)
        data_directory_close(directory);
    return error;
}

void data_directory_close(DataDirectory *directory)
{
    os_unlock_directory(directory->os, directory->lock);
}

/* Whether nothing would be lost by a restore. What another one has left that did not end is removed. */
static Error make_room(Os *os, const char *path, Arena *arena, Slice *message)
{
    uint64_t format;
    Error error = read_format(os, path, arena, &format);
    if (error != OK || format != 0) {
        *message = arena_format(arena, "there is data in %s already: restore into a new directory", path);
        return ERROR_EXISTS;
    }
    if (!has_database(os, path, arena))
        return OK;
    /* The database last: while it is there, what lies beside it is known to be a restore's. */
    error = folder_remove(path_in(arena, path, "functions"));
    if (error == OK)
        engine_rocksdb_destroy(path_in(arena, path, "db"));
    else
        *message = arena_format(arena, "the restore before, in %s, cannot be removed: %s; remove the directory", path,
                                error_text(error));
    return error;
}

static Error restore_into(Os *os, const char *path, BackupRead read, void *source, RestoreFiles *files, Arena *arena,
                          Slice *message)
{
    TRY(make_room(os, path, arena, message));
    Engine *engine;
    TRY(open_engine(os, path, RESTORE_CACHE_BYTES, arena, &engine, message));
    Error error = backup_restore(engine, read, source, files);
    engine->operations->close(engine);
    if (error == OK)
        error = write_format(os, path, arena);
    if (error == ERROR_FORMAT)
        *message = arena_format(arena, "the backup was made by a newer brume: restore it with that version");
    else if (error == ERROR_MALFORMED)
        *message = arena_format(arena, "this is no whole backup: it is cut off, or was changed; nothing was restored");
    else if (error != OK)
        *message = arena_format(arena, "the backup cannot be written to %s: %s", path, error_text(error));
    return error;
}

Error data_directory_restore(Os *os, const char *path, BackupRead read, void *source, RestoreFiles *files, Arena *arena,
                             Slice *message)
{
    DataDirectory directory;
    TRY(take(os, path, arena, &directory, message));
    Error error = restore_into(os, path, read, source, files, arena, message);
    data_directory_close(&directory);
    return error;
}

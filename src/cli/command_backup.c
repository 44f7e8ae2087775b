#include "base/time_format.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/data_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const Option backup_options[] = {OPTION_DATA, {0}};

/* Where the bytes go. */
typedef struct Output {
    int file;
    Arena *arena;
    const char *path;
} Output;

static bool write_piece(void *target, Slice piece, Slice *message)
{
    const Output *output = target;
    while (piece.size > 0) {
        ssize_t written = write(output->file, piece.data, piece.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            *message = arena_format(output->arena, "cannot write %s: %s", output->path, strerror(errno));
            return false;
        }
        piece = slice_skip(piece, (size_t)written);
    }
    return true;
}

/* DIR becomes DIR/brume-YYYYMMDDTHHMMSSZ.backup. */
static const char *file_for(const char *target, Arena *arena)
{
    struct stat info;
    char text[TIME_TEXT_MAX];
    if (stat(target, &info) != 0 || !S_ISDIR(info.st_mode))
        return target;
    Slice now = time_format_iso_basic((int64_t)time(NULL) * 1000, text);
    return arena_format(arena, "%s/brume-%.*s.backup", target, SLICE_PRINT(now)).data;
}

/* After a power loss the name must stand for the whole file. */
static bool sync_directory_of(const char *path, Arena *arena)
{
    char *copy = arena_string(arena, slice_of_string(path));
    int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return false;
    bool synced = fsync(directory) == 0;
    close(directory);
    return synced;
}

/* A pipe or a device takes the bytes as they come: a name that is put in its place would destroy it. */
static bool takes_bytes_only(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static int backup_to_stream(const char *data, const char *path, int file, Arena *arena)
{
    Slice message = {0};
    Output output = {.file = file, .arena = arena, .path = path};
    if (file < 0)
        return command_fail("cannot write %s: %s", path, strerror(errno));
    bool whole = admin_stream(data, "/backup", arena, write_piece, &output, &message);
    if (close(file) != 0 && whole) {
        message = arena_format(arena, "cannot write %s: %s", path, strerror(errno));
        whole = false;
    }
    return whole ? EXIT_OK : command_fail("%.*s", SLICE_PRINT(message));
}

/* Two backups may have the same target at a time: each writes a file of its own, the last one to end keeps the name. */
static int backup_to_file(const char *data, const char *path, Arena *arena)
{
    Slice message = {0};
    const char *partial = arena_format(arena, "%s.%ld.partial", path, (long)getpid()).data;
    Output output = {.arena = arena, .path = partial};
    output.file = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (output.file < 0)
        return command_fail("cannot write %s: %s; name a file in a directory that is there and may be written", partial,
                            strerror(errno));
    bool whole = admin_stream(data, "/backup", arena, write_piece, &output, &message);
    if (whole && fsync(output.file) != 0) {
        message = arena_format(arena, "cannot write %s: %s", partial, strerror(errno));
        whole = false;
    }
    close(output.file);
    if (whole && (rename(partial, path) != 0 || !sync_directory_of(path, arena))) {
        message = arena_format(arena, "cannot name the backup %s: %s", path, strerror(errno));
        whole = false;
    }
    if (!whole) {
        unlink(partial);
        return command_fail("%.*s", SLICE_PRINT(message));
    }
    printf("%s\n", path);
    return EXIT_OK;
}

static int run_backup(const CommandLine *invocation)
{
    Arena *arena = invocation->arena;
    const char *data = data_directory_of(invocation);
    const char *target = invocation->words[0];
    if (data == NULL)
        return command_fail("there is no home directory: name the server's data directory with --data DIR");
    if (target[0] == '\0')
        return command_misused(&command_backup, "'' is no name of a file");
    if (strcmp(target, "-") == 0)
        return backup_to_stream(data, "the standard output", STDOUT_FILENO, arena);
    const char *path = file_for(target, arena);
    if (takes_bytes_only(path))
        return backup_to_stream(data, path, open(path, O_WRONLY | O_CLOEXEC), arena);
    return backup_to_file(data, path, arena);
}

const Command command_backup = {
    .name = "backup",
    .words = "FILE | DIR | -",
    .summary = "Writes a running server's data, as it is at one moment, to a file.",
    .details = "In a directory the file is named brume-TIME.backup. The name appears only when the backup is whole and "
               "on the disk. `-` writes to standard output; a pipe or a device takes the bytes as they come. `brume "
               "restore` reads it back.",
    .options = backup_options,
    .words_min = 1,
    .words_max = 1,
    .run = run_backup,
};

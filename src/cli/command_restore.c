#include "cli/command.h"
#include "cli/data_directory.h"
#include "core/package_backup.h"
#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const Option restore_options[] = {OPTION_DATA, {0}};

static Error read_file(void *source, char *bytes, size_t size, size_t *given)
{
    const int *file = source;
    ssize_t got;
    do
        got = read(*file, bytes, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ERROR_IO;
    *given = (size_t)got;
    return OK;
}

static int run_restore(const CommandLine *invocation)
{
    const char *data = data_directory_of(invocation);
    const char *path = invocation->words[0];
    Slice message = {0};
    if (data == NULL)
        return command_fail("there is no home directory: name a data directory with --data DIR");
    int file = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return command_fail("cannot read %s: %s; name a file that `brume backup` wrote", path, strerror(errno));
    struct stat info;
    if (fstat(file, &info) == 0 && S_ISDIR(info.st_mode)) {
        close(file);
        return command_fail("%s is a directory: name the backup's file in it", path);
    }
    RestoreFiles *code = packages_restore_open(os_linux(), data);
    Error error = data_directory_restore(os_linux(), data, read_file, &file, code, invocation->arena, &message);
    Slice missing;
    size_t missing_count = packages_restore_close(code, invocation->arena, &missing);
    close(file);
    if (error != OK)
        return command_fail("%.*s", SLICE_PRINT(message));
    if (missing_count > 0)
        fprintf(stderr,
                "brume: the backup, of an older version, does not hold the code of functions: %zu packages are "
                "missing, one "
                "of them functions/%.*s; copy them into %s/functions, or upload the code again\n",
                missing_count, SLICE_PRINT(missing), data);
    printf("restored to %s: `brume start --data %s` serves it\n", data, data);
    return EXIT_OK;
}

const Command command_restore = {
    .name = "restore",
    .words = "FILE | -",
    .summary = "Fills a new data directory from a backup.",
    .details =
        "No server may be running on the directory, and there may be no data in it. `-` reads standard input. The code "
        "of functions is in the backup, and is unpacked again.",
    .options = restore_options,
    .words_min = 1,
    .words_max = 1,
    .run = run_restore,
};

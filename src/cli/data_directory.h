/* data_directory.h: which data directory a command means. */
#ifndef BRUME_CLI_DATA_DIRECTORY_H
#define BRUME_CLI_DATA_DIRECTORY_H

#include "cli/command.h"

/* The socket for administration, beside what the store keeps there (store/directory.h). */
#define DATA_SOCKET "admin.sock"
/* The folder that functions' bootstraps are laid out in. */
#define DATA_BOOTSTRAPS "bootstraps"

/* The row of --data, the same for every command. */
#define OPTION_DATA                                                                                                    \
    {                                                                                                                  \
        .name = "data", .argument = "DIR", .environment = "BRUME_DATA", .fallback = "~/.local/share/brume",            \
        .help = "Where the data lies."                                                                                 \
    }

/* The directory that holds when none is named: $XDG_DATA_HOME/brume, else ~/.local/share/brume (XDG Base Directory
 * Specification): the same from wherever the command is typed, so that data is found again and no project fills with
 * it. NULL when there is no home directory. */
const char *data_directory_default(Arena *arena);

/* What --data or BRUME_DATA names, else the default; NULL when there is none. */
const char *data_directory_of(const CommandLine *invocation);

/* DIR/NAME */
const char *data_path(Arena *arena, const char *directory, const char *name);

#endif

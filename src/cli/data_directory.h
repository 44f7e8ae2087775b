/* data_directory.h: what lies where in a data directory, and which one is meant. */
#ifndef BRUME_CLI_DATA_DIRECTORY_H
#define BRUME_CLI_DATA_DIRECTORY_H

#include "cli/command.h"

/* The engine's files, the socket for administration, and what an unfinished restore leaves. */
#define DATA_STORE "store"
#define DATA_SOCKET "admin.sock"
#define DATA_PARTIAL "store.partial"

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
const char *data_directory_of(const Invocation *invocation);

/* DIR/NAME */
const char *data_path(Arena *arena, const char *directory, const char *name);

#endif

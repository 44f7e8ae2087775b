/* runtime_directories.h: where `brume runtime install` installs to, and the server looks for what it has installed. */
#ifndef BRUME_CLI_RUNTIME_DIRECTORIES_H
#define BRUME_CLI_RUNTIME_DIRECTORIES_H

#include "base/arena.h"

enum { RUNTIME_DIRECTORIES_MAX = 2 };

/* The directories that hold when none is named: the machine's, then the user's (below $XDG_DATA_HOME, else ~/.local/share;
 * beside the data directory, not in it, since functions see nothing of that). Gives how many there are. */
size_t runtime_directories_default(Arena *arena, Slice directories[RUNTIME_DIRECTORIES_MAX]);

#endif

#include "cli/runtime_directories.h"

#include <stdlib.h>

size_t runtime_directories_default(Arena *arena, Slice directories[RUNTIME_DIRECTORIES_MAX])
{
    const char *data_home = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    size_t count = 0;
    directories[count++] = SLICE("/usr/local/lib/brume/runtimes");
    if (data_home != NULL && data_home[0] == '/')
        directories[count++] = arena_format(arena, "%s/brume-runtimes", data_home);
    else if (home != NULL && home[0] == '/')
        directories[count++] = arena_format(arena, "%s/.local/share/brume-runtimes", home);
    return count;
}

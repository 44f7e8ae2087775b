#include "cli/data_directory.h"

#include <stdlib.h>

const char *data_directory_default(Arena *arena)
{
    const char *data_home = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    if (data_home != NULL && data_home[0] == '/')
        return arena_format(arena, "%s/brume", data_home).data;
    if (home != NULL && home[0] == '/')
        return arena_format(arena, "%s/.local/share/brume", home).data;
    return NULL;
}

const char *data_directory_of(const CommandLine *invocation)
{
    const char *named = invocation_value(invocation, "data");
    return named != NULL ? named : data_directory_default(invocation->arena);
}

const char *data_path(Arena *arena, const char *directory, const char *name)
{
    return arena_format(arena, "%s/%s", directory, name).data;
}

#include "core/invoker.h"

static Slice keep(Arena *arena, Slice slice)
{
    return slice.data == NULL ? slice : arena_copy(arena, slice);
}

WorkerSpec worker_spec_copy(const WorkerSpec *spec, Arena *arena)
{
    WorkerSpec copy = *spec;
    Slice *const texts[] = {&copy.key,
                            &copy.line,
                            &copy.function,
                            &copy.account,
                            &copy.region,
                            &copy.name,
                            &copy.version,
                            &copy.role_arn,
                            &copy.runtime,
                            &copy.handler,
                            &copy.log_group,
                            &copy.code_directory,
                            &copy.log_format,
                            &copy.application_log_level,
                            &copy.system_log_level};
    /* One that is added must be copied, too. */
    _Static_assert(sizeof *spec == (sizeof texts / sizeof *texts) * sizeof(Slice) +
                                       2 * (sizeof(void *) + sizeof(size_t)) + 4 * sizeof(uint64_t),
                   "a member was added to WorkerSpec");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = keep(arena, *texts[i]);
    Slice *layers = ARENA_ARRAY(arena, Slice, spec->layer_count);
    for (size_t i = 0; i < spec->layer_count; i++)
        layers[i] = keep(arena, spec->layer_directories[i]);
    EnvironmentVariable *environment = ARENA_ARRAY(arena, EnvironmentVariable, spec->environment_count);
    for (size_t i = 0; i < spec->environment_count; i++)
        environment[i] =
            (EnvironmentVariable){keep(arena, spec->environment[i].name), keep(arena, spec->environment[i].value)};
    copy.layer_directories = layers;
    copy.environment = environment;
    return copy;
}

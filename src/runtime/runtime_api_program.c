#include "runtime/runtime_api_internal.h"

#include "base/json.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>

static const char program_name[] = "/bootstrap";

typedef struct Environment {
    char **variables; /* "NAME=value", then NULL */
    size_t count;
    size_t capacity;
} Environment;

static void add_variable(Environment *environment, Arena *arena, Slice name, Slice value)
{
    if (environment->count + 1 >= environment->capacity) {
        size_t capacity = environment->capacity == 0 ? 32 : 2 * environment->capacity;
        char **grown = ARENA_ARRAY(arena, char *, capacity);
        if (environment->count > 0)
            memcpy(grown, environment->variables, environment->count * sizeof *grown);
        environment->variables = grown;
        environment->capacity = capacity;
    }
    Slice variable = arena_format(arena, "%.*s=%.*s", SLICE_PRINT(name), SLICE_PRINT(value));
    environment->variables[environment->count++] = (char *)variable.data;
}

static Error read_environment(JsonReader *json, Arena *arena, Environment *environment)
{
    TRY(json_begin_object(json));
    for (;;) {
        Slice name, value;
        TRY(json_next_member(json, &name));
        if (name.data == NULL)
            return OK;
        TRY(json_read_string(json, &value));
        if (name.size == 0 || memchr(name.data, '\0', name.size) != NULL || memchr(name.data, '=', name.size) != NULL ||
            (value.size > 0 && memchr(value.data, '\0', value.size) != NULL))
            return ERROR_MALFORMED;
        if (!slice_equal(name, SLICE("AWS_LAMBDA_RUNTIME_API")))
            add_variable(environment, arena, name, value);
    }
}

static Error read_init(Slice init, Arena *arena, Environment *environment)
{
    JsonReader json = json_reader(init, arena);
    TRY(json_begin_object(&json));
    for (;;) {
        Slice name, ignored;
        TRY(json_next_member(&json, &name));
        if (name.data == NULL)
            return OK;
        if (slice_equal(name, SLICE("environment")))
            TRY(read_environment(&json, arena, environment));
        else
            TRY(json_read_any(&json, &ignored));
    }
}

/* The first that is there; a folder of that name is none. NULL: there is none. */
static const char *find_program(Api *api)
{
    const char *const directories[] = {api->options.task_directory, api->options.layer_directory};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        Slice path = arena_format(&api->arena, "%s%s", directories[i], program_name);
        struct stat status;
        if (stat(path.data, &status) == 0 && !S_ISDIR(status.st_mode))
            return path.data;
    }
    return NULL;
}

/* In the words of AWS, whose runtime manager is written in Go: "fork/exec /var/task/bootstrap: exec format error". */
static Slice tell_failure(Api *api, const char *path, int failure)
{
    const char *why = failure == EACCES    ? "permission denied"
                      : failure == ENOEXEC ? "exec format error"
                      : failure == ENOENT  ? "no such file or directory"
                      : failure == ENOMEM  ? "cannot allocate memory"
                      : failure == EAGAIN  ? "resource temporarily unavailable"
                                           : "it cannot be executed";
    return arena_format(&api->arena, "fork/exec %s: %s", path, why);
}

/* In the function's folder, in a process group of its own, with no signal blocked and each as usual. */
static int spawn(Api *api, const char *path, char **variables)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    struct stat status;
    bool has_task = stat(api->options.task_directory, &status) == 0 && S_ISDIR(status.st_mode);
    posix_spawn_file_actions_addchdir_np(&actions, has_task ? api->options.task_directory : "/");
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    char *arguments[] = {(char *)path, NULL};
    int failure = posix_spawn(&api->program, path, &actions, &attributes, arguments, variables);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

Error api_program_start(Api *api, Slice init, Slice *message)
{
    Environment environment = {0};
    TRY(read_init(init, &api->arena, &environment));
    Slice address = arena_format(&api->arena, "127.0.0.1:%d", api->port);
    add_variable(&environment, &api->arena, SLICE("AWS_LAMBDA_RUNTIME_API"), address);
    const char *path = find_program(api);
    if (path == NULL) {
        *message = arena_format(&api->arena, "Couldn't find valid bootstrap(s): [%s%s %s%s]",
                                api->options.task_directory, program_name, api->options.layer_directory, program_name);
        return ERROR_NOT_FOUND;
    }
    int failure = spawn(api, path, environment.variables);
    if (failure == 0)
        return OK;
    api->program = 0;
    *message = tell_failure(api, path, failure);
    return ERROR_NOT_FOUND;
}

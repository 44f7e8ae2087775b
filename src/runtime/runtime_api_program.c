#include "runtime/runtime_api_internal.h"

#include "base/json.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

static Slice find_variable(const Environment *environment, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->variables[i], name, size) == 0 && environment->variables[i][size] == '=')
            return slice_of_string(environment->variables[i] + size + 1);
    return SLICE("");
}

static Error read_init(Slice init, Arena *arena, Environment *environment, ApiFunction *function)
{
    JsonReader json = json_reader(init, arena);
    function->init = init;
    TRY(json_begin_object(&json));
    for (;;) {
        Slice name, ignored;
        TRY(json_next_member(&json, &name));
        if (name.data == NULL)
            break;
        if (slice_equal(name, SLICE("environment")))
            TRY(read_environment(&json, arena, environment));
        else if (slice_equal(name, SLICE("accountId")))
            TRY(json_read_string(&json, &function->account));
        else
            TRY(json_read_any(&json, &ignored));
    }
    function->name = find_variable(environment, "AWS_LAMBDA_FUNCTION_NAME");
    function->version = find_variable(environment, "AWS_LAMBDA_FUNCTION_VERSION");
    function->handler = find_variable(environment, "_HANDLER");
    function->runtime = find_variable(environment, "AWS_EXECUTION_ENV");
    if (slice_starts_with(function->runtime, SLICE("AWS_Lambda_")))
        function->runtime = slice_skip(function->runtime, SLICE("AWS_Lambda_").size);
    slice_parse_uint64(find_variable(environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), &function->memory_mb);
    function->logs_json = slice_equal(find_variable(environment, "AWS_LAMBDA_LOG_FORMAT"), SLICE("JSON"));
    return OK;
}

Error api_program_read(Api *api, Slice init)
{
    Environment environment = {0};
    TRY(read_init(arena_copy(&api->arena, init), &api->arena, &environment, &api->function));
    Slice address = arena_format(&api->arena, "127.0.0.1:%d", api->port);
    add_variable(&environment, &api->arena, SLICE("AWS_LAMBDA_RUNTIME_API"), address);
    environment.variables[environment.count] = NULL;
    api->function.variables = environment.variables;
    return OK;
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
Slice api_spawn_failure(Arena *arena, const char *path, int failure)
{
    const char *why = failure == EACCES    ? "permission denied"
                      : failure == ENOEXEC ? "exec format error"
                      : failure == ENOENT  ? "no such file or directory"
                      : failure == ENOMEM  ? "cannot allocate memory"
                      : failure == EAGAIN  ? "resource temporarily unavailable"
                                           : "it cannot be executed";
    return arena_format(arena, "fork/exec %s: %s", path, why);
}

/* ---- Starting ---- */

int api_spawn(const ApiProgram *program, pid_t *process)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addchdir_np(&actions, program->directory);
    if (program->output >= 0)
        posix_spawn_file_actions_adddup2(&actions, program->output, STDOUT_FILENO);
    if (program->errors >= 0)
        posix_spawn_file_actions_adddup2(&actions, program->errors, STDERR_FILENO);
    if (program->channel >= 0) { /* one socket for both directions */
        posix_spawn_file_actions_adddup2(&actions, program->channel, CHANNEL_EVENTS_FILE);
        posix_spawn_file_actions_adddup2(&actions, program->channel, CHANNEL_ANSWERS_FILE);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions,
                                             program->channel >= 0 ? CHANNEL_ANSWERS_FILE + 1 : CHANNEL_EVENTS_FILE);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    int failure = posix_spawn(process, program->words[0], &actions, &attributes, program->words, program->variables);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

static void close_ends(const ApiProgram *program)
{
    const int files[] = {program->channel, program->output, program->errors};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] >= 0)
            close(files[i]);
}

/* Where there are extensions, what the program writes is read here. */
static bool open_ends(Api *api, ApiProgram *program)
{
    program->channel = program->output = program->errors = -1;
    if (api->options.command != NULL && (program->channel = api_bootstrap_open(api)) < 0)
        return false;
    if (api->extensions.count == 0)
        return true;
    program->output = extension_pipe_open(&api->extensions.program_output);
    program->errors = extension_pipe_open(&api->extensions.program_errors);
    return program->output >= 0 && program->errors >= 0;
}

/* In the function's folder. */
static int start(Api *api, char *const *words)
{
    struct stat status;
    bool has_task = stat(api->options.task_directory, &status) == 0 && S_ISDIR(status.st_mode);
    ApiProgram program = {
        .words = words,
        .variables = api->function.variables,
        .directory = has_task ? api->options.task_directory : "/",
    };
    int failure = open_ends(api, &program) ? api_spawn(&program, &api->program) : errno;
    close_ends(&program);
    return failure;
}

Error api_program_start(Api *api, Slice *message)
{
    char *const found[] = {(char *)find_program(api), NULL};
    char *const *words = api->options.command != NULL ? api->options.command : found;
    if (words[0] == NULL) {
        *message = arena_format(&api->arena, "Couldn't find valid bootstrap(s): [%s%s %s%s]",
                                api->options.task_directory, program_name, api->options.layer_directory, program_name);
        return ERROR_NOT_FOUND;
    }
    int failure = start(api, words);
    if (failure == 0) {
        if (api->options.command != NULL)
            api_bootstrap_init(api);
        return OK;
    }
    api->program = 0;
    *message = api_spawn_failure(&api->arena, words[0], failure);
    return ERROR_NOT_FOUND;
}

#include "runtime/extension.h"

#include "base/bug.h"
#include "base/json.h"
#include "runtime/runtime_api_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Those that there are ---- */

static bool is_program(int folder, const struct dirent *entry)
{
    struct stat status;
    return entry->d_name[0] != '.' && fstatat(folder, entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & 0111) != 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t extension_list(const char *folder, char (*names)[EXTENSION_NAME_BYTES], size_t max)
{
    size_t count = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (!is_program(dirfd(entries), entry))
            continue;
        if (count < max)
            snprintf(names[count], sizeof names[count], "%s", entry->d_name);
        count++;
    }
    closedir(entries);
    if (names != NULL)
        qsort(names, count < max ? count : max, sizeof *names, by_name);
    return count;
}

size_t extensions_external(const Api *api)
{
    size_t count = 0;
    for (size_t i = 0; i < api->extensions.count; i++)
        count += api->extensions.all[i].is_external;
    return count;
}

bool extensions_have_registered(const Api *api)
{
    for (size_t i = 0; i < api->extensions.count; i++)
        if (api->extensions.all[i].state == EXTENSION_STARTED)
            return false;
    return true;
}

bool extensions_wait(const Api *api)
{
    for (size_t i = 0; i < api->extensions.count; i++)
        if (api->extensions.all[i].state != EXTENSION_WAITING)
            return false;
    return true;
}

void extension_log(Api *api, const Extension *extension, const char *state, Slice error_type)
{
    Arena arena = arena_make();
    const char *events = extension->takes_invoke && extension->takes_shutdown ? "INVOKE,SHUTDOWN"
                         : extension->takes_invoke                            ? "INVOKE"
                         : extension->takes_shutdown                          ? "SHUTDOWN"
                                                                              : "";
    Slice line = arena_format(&arena, "EXTENSION\tName: %s\tState: %s\tEvents: [%s]%s%.*s\n", extension->name, state,
                              events, error_type.size > 0 ? "\tError Type: " : "", SLICE_PRINT(error_type));
    api_frame(api, FRAME_LOG, line);
    telemetry_extension(api, extension->name, state, events, error_type);
    arena_free(&arena);
}

/* ---- Starting ---- */

/* "Extensions API reference": the function's variables without those of the runtime's own process. */
static bool is_of_runtime(const char *variable)
{
    static const char *const names[] = {
        "AWS_EXECUTION_ENV=",          "AWS_LAMBDA_LOG_GROUP_NAME=",
        "AWS_LAMBDA_LOG_STREAM_NAME=", "AWS_XRAY_CONTEXT_MISSING=",
        "AWS_XRAY_DAEMON_ADDRESS=",    "LAMBDA_RUNTIME_DIR=",
        "LAMBDA_TASK_ROOT=",           "_AWS_XRAY_DAEMON_ADDRESS=",
        "_AWS_XRAY_DAEMON_PORT=",      "_HANDLER=",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static char **extension_variables(Api *api)
{
    size_t count = 0;
    while (api->function.variables[count] != NULL)
        count++;
    char **variables = ARENA_ARRAY(&api->arena, char *, count + 1);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_of_runtime(api->function.variables[i]))
            variables[kept++] = api->function.variables[i];
    variables[kept] = NULL;
    return variables;
}

static bool start_one(Api *api, const char *folder, const char *name, char **variables)
{
    Extension *extension = &api->extensions.all[api->extensions.count++];
    *extension = (Extension){.is_external = true, .output.file = -1};
    memcpy(extension->name, name, strlen(name) + 1);
    const char *path = arena_format(&api->arena, "%s/%s", folder, name).data;
    int written = extension_pipe_open(&extension->output);
    char *words[] = {(char *)path, NULL};
    ApiProgram program = {
        .words = words, .variables = variables, .directory = "/", .channel = -1, .output = written, .errors = written};
    int failure = written < 0 ? errno : api_spawn(&program, &extension->process);
    if (written >= 0)
        close(written);
    if (failure == 0)
        return true;
    extension->process = 0;
    extension->state = EXTENSION_FAILED;
    extension_log(api, extension, "LaunchError", SLICE("UnknownError"));
    api_fault(api, "Extension.LaunchError", api_spawn_failure(&api->arena, path, failure));
    return false;
}

bool extensions_start(Api *api)
{
    char names[EXTENSIONS_MAX][EXTENSION_NAME_BYTES];
    const char *folder = arena_format(&api->arena, "%s/extensions", api->options.layer_directory).data;
    size_t count = extension_list(folder, names, EXTENSIONS_MAX);
    if (count > EXTENSIONS_MAX) {
        api_fault(
            api, "Extension.TooManyExtensions",
            arena_format(&api->arena, "%s has %zu extensions: a function may have %d", folder, count, EXTENSIONS_MAX));
        return false;
    }
    char **variables = extension_variables(api);
    for (size_t i = 0; i < count; i++)
        if (!start_one(api, folder, names[i], variables))
            return false;
    return true;
}

/* ---- Ends ---- */

static void leave(Extension *extension)
{
    extension->process = 0;
    if (extension->connection != NULL)
        api_connection_close(extension->connection);
}

bool extensions_ended(Api *api, pid_t process, int status)
{
    for (size_t i = 0; i < api->extensions.count; i++) {
        Extension *extension = &api->extensions.all[i];
        if (extension->process != process)
            continue;
        leave(extension);
        telemetry_unsubscribe(&api->telemetry.all[i]);
        if (api->phase == API_PHASE_ENDING)
            return true;
        extension_pipes_read(api);
        extension->state = EXTENSION_FAILED;
        extension_log(api, extension, "Crashed", SLICE(""));
        Slice why = WIFSIGNALED(status) ? arena_format(&api->arena, "signal: %d", WTERMSIG(status))
                                        : arena_format(&api->arena, "exit code %d", WEXITSTATUS(status));
        api_fault(api, "Extension.Crash", why);
        return true;
    }
    return false;
}

void extensions_kill(Api *api)
{
    for (size_t i = 0; i < api->extensions.count; i++)
        if (api->extensions.all[i].process > 0)
            kill(-api->extensions.all[i].process, SIGKILL);
}

void extensions_close(Api *api)
{
    for (size_t i = 0; i < api->extensions.count; i++) {
        api_bytes_free(&api->extensions.all[i].event);
        extension_pipe_close(&api->extensions.all[i].output);
    }
    extension_pipe_close(&api->extensions.program_output);
    extension_pipe_close(&api->extensions.program_errors);
}

/* ---- Events ---- */

void extension_serve(Extension *extension)
{
    if (extension->connection == NULL || api_bytes_left(&extension->event).size == 0)
        return;
    ApiConnection *connection = extension->connection;
    extension->connection = NULL;
    extension->state = EXTENSION_REGISTERED;
    api_give_event(connection, &extension->event);
}

void extension_make_id(char id[EXTENSION_ID_BYTES])
{
    unsigned char random[16];
    ssize_t got = getrandom(random, sizeof random, 0);
    ASSERT(got == (ssize_t)sizeof random);
    random[6] = (unsigned char)((random[6] & 0x0f) | 0x40);
    random[8] = (unsigned char)((random[8] & 0x3f) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < sizeof random; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            id[at++] = '-';
        at += (size_t)snprintf(id + at, EXTENSION_ID_BYTES - at, "%02x", random[i]);
    }
}

/* An event that was not asked for yet is replaced by the later one: there is none behind the shutdown phase. */
static void tell(Extension *extension, Slice document)
{
    char id[EXTENSION_ID_BYTES];
    char field[96];
    extension_make_id(id);
    snprintf(field, sizeof field, "Lambda-Extension-Event-Identifier: %s\r\n", id);
    api_bytes_free(&extension->event);
    api_write_head(&extension->event, 200, slice_of_string(field), document.size);
    api_bytes_add(&extension->event, document);
    extension_serve(extension);
}

void extensions_tell_event(Api *api, Slice id, Slice deadline_ms, Slice function_arn, Slice trace)
{
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    JsonWriter json = json_writer(&out);
    json_write_object_begin(&json);
    json_write_name(&json, SLICE("eventType"));
    json_write_string(&json, SLICE("INVOKE"));
    json_write_name(&json, SLICE("deadlineMs"));
    json_write_raw(&json, deadline_ms);
    json_write_name(&json, SLICE("requestId"));
    json_write_string(&json, id);
    json_write_name(&json, SLICE("invokedFunctionArn"));
    json_write_string(&json, function_arn);
    if (trace.size > 0) {
        json_write_name(&json, SLICE("tracing"));
        json_write_object_begin(&json);
        json_write_name(&json, SLICE("type"));
        json_write_string(&json, SLICE("X-Amzn-Trace-Id"));
        json_write_name(&json, SLICE("value"));
        json_write_string(&json, trace);
        json_write_object_end(&json);
    }
    json_write_object_end(&json);
    for (size_t i = 0; i < api->extensions.count; i++)
        if (api->extensions.all[i].takes_invoke)
            tell(&api->extensions.all[i], buffer_slice(&out));
    arena_free(&arena);
}

void extensions_tell_end(Api *api, const char *reason, uint64_t deadline_ms)
{
    Arena arena = arena_make();
    Slice document = arena_format(&arena, "{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"%s\",\"deadlineMs\":%llu}",
                                  reason, (unsigned long long)deadline_ms);
    for (size_t i = 0; i < api->extensions.count; i++) {
        Extension *extension = &api->extensions.all[i];
        if (extension->process == 0)
            continue;
        if (extension->takes_shutdown && extension->state != EXTENSION_FAILED)
            tell(extension, document);
        else
            kill(extension->process, SIGTERM);
    }
    arena_free(&arena);
}

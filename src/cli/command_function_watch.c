/* `brume function watch NAME DIR`: what is saved in a folder is what the function runs, from the next invocation on. */
#include "base/digest.h"
#include "base/json.h"
#include "base/time_format.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"
#include "cli/runtime_directories.h"
#include "cli/source_folder.h"
#include "cli/syntax.h"
#include "os/os.h"
#include "os/os_watch.h"
#include "runtime/catalog.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    QUIET_MS = 10,    /* without a change: editors write several files, and rename them over each other */
    LONGEST_MS = 500, /* of changes without a pause, such as an installation */
};

static const Option function_options[] = {
    OPTION_DATA,
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "Whose function."},
    {.name = "region",
     .argument = "REGION",
     .environment = "AWS_REGION",
     .fallback = "us-east-1",
     .help = "Where the function is."},
    {.name = "runtimes",
     .argument = "DIR",
     .environment = "BRUME_RUNTIMES",
     .help = "Where runtimes lie, one of which says whether what was saved is of its language."},
    {0},
};

typedef struct Watching {
    const CommandLine *invocation;
    const char *data;
    const char *name;
    const char *folder;
    Syntax syntax;
    /* What was sent last, in one of two arenas that change places. */
    SourceFolder good;
    Arena *good_arena;
    Arena *free_arena;
} Watching;

/* ---- What is printed ---- */

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char now[TIME_TEXT_MAX];
    va_list values;
    time_format_iso_ms((int64_t)os_wall_ms(os_linux()), now);
    printf("%.12s ", now + strlen("2026-11-25T"));
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    putchar('\n');
}

/* "app.py and 2 more" */
static Slice describe(const SourceFolder *changed, Arena *arena)
{
    if (changed->count == 0)
        return SLICE("files that are gone");
    if (changed->count == 1)
        return changed->files[0].path;
    return arena_format(arena, "%.*s and %zu more", SLICE_PRINT(changed->files[0].path), changed->count - 1);
}

/* How long ago the last of them was saved; negative: nobody can tell. */
static int64_t age_ms(const SourceFolder *changed)
{
    int64_t newest_ns = 0;
    for (size_t i = 0; i < changed->count; i++)
        if (changed->files[i].changed_ns > newest_ns)
            newest_ns = changed->files[i].changed_ns;
    return newest_ns == 0 ? -1 : ((int64_t)os_wall_us(os_linux()) - newest_ns / 1000 + 999) / 1000;
}

static void say_problems(Slice problems)
{
    while (problems.size > 0) {
        Slice line = slice_make(problems.data, slice_find(problems, '\n'));
        say("%.*s (the last good state stays)", SLICE_PRINT(line));
        problems = slice_skip(problems, line.size < problems.size ? line.size + 1 : line.size);
    }
}

/* ---- The server ---- */

/* Sends a package, or nothing but the question; fills in what is answered. False: `message` says why. */
static bool call(const Watching *watching, Slice zip, Arena *arena, Slice *runtime, bool *is_changed, Slice *message)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    Slice answer;
    JsonField fields[] = {{.name = SLICE("runtime")}, {.name = SLICE("changed")}};
    const char *account = invocation_value(watching->invocation, "account");
    const char *region = invocation_value(watching->invocation, "region");
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("account"));
    json_write_string(&writer, slice_of_string(account == NULL ? "000000000000" : account));
    json_write_name(&writer, SLICE("region"));
    json_write_string(&writer, slice_of_string(region == NULL ? "us-east-1" : region));
    json_write_name(&writer, SLICE("name"));
    json_write_string(&writer, slice_of_string(watching->name));
    if (zip.data != NULL) {
        json_write_name(&writer, SLICE("zip"));
        json_write_string(&writer, base64_encode(arena, zip));
    }
    json_write_object_end(&writer);
    if (!admin_call(watching->data, "/function/code", buffer_slice(&out), arena, &answer, message))
        return false;
    if (json_read_document(answer, arena, fields, 2) != OK) {
        *message = SLICE("the server's answer cannot be read: is it of another version?");
        return false;
    }
    *runtime = fields[0].text;
    *is_changed = slice_equal(fields[1].text, SLICE("true"));
    return true;
}

/* ---- A change ---- */

static Slice problem_of_folder(const Watching *watching, Error error, Arena *arena)
{
    if (error == ERROR_FULL)
        return arena_format(arena, "%s has more than %d files or %d MB: a function cannot be as large",
                            watching->folder, SOURCE_FILES_MAX, SOURCE_BYTES_MAX >> 20);
    return arena_format(arena, "%s cannot be read: %s", watching->folder, error_text(error));
}

/* False: `message` says why the function stays as it is; empty: that has been said. */
static bool send_folder(Watching *watching, const SourceFolder *now, const SourceFolder *changed, Arena *arena,
                        Slice *message)
{
    Buffer problems = buffer_make(arena);
    Buffer zip = buffer_make(arena);
    Slice runtime;
    bool is_changed;
    *message = SLICE("");
    if (!syntax_check(&watching->syntax, changed, &problems))
        say("the syntax of files is not checked any longer: the program that does has ended");
    if (problems.size > 0) {
        say_problems(buffer_slice(&problems));
        return false;
    }
    Error error = source_package(watching->folder, now, &zip);
    if (error != OK) {
        *message = problem_of_folder(watching, error, arena);
        return false;
    }
    if (!call(watching, buffer_slice(&zip), arena, &runtime, &is_changed, message))
        return false;
    int64_t age = age_ms(changed);
    Slice what = describe(changed, arena);
    if (!is_changed)
        say("%.*s: ready, the same as before", SLICE_PRINT(what));
    else if (age < 0)
        say("%.*s: ready", SLICE_PRINT(what));
    else
        say("%.*s: ready, %" PRId64 " ms after it was saved", SLICE_PRINT(what), age);
    return true;
}

static void take_change(Watching *watching)
{
    SourceFolder now;
    SourceFolder changed;
    Slice message = SLICE("");
    Arena scratch = arena_make();
    Error error = source_read(watching->folder, watching->free_arena, &now);
    bool is_sent = false;
    if (error == OK) {
        source_compare(&watching->good, &now, &scratch, &changed);
        if (changed.count > 0 || source_has_lost(&watching->good, &now))
            is_sent = send_folder(watching, &now, &changed, &scratch, &message);
    } else {
        message = problem_of_folder(watching, error, &scratch);
    }
    if (message.size > 0)
        say("not sent: %.*s", SLICE_PRINT(message));
    if (is_sent) {
        Arena *before = watching->good_arena;
        watching->good = now;
        watching->good_arena = watching->free_arena;
        watching->free_arena = before;
    }
    arena_free(watching->free_arena);
    arena_free(&scratch);
}

/* ---- The command ---- */

static void open_syntax(Watching *watching, Slice runtime)
{
    const CommandLine *invocation = watching->invocation;
    Slice directories[RUNTIME_DIRECTORIES_MAX];
    const char *named = invocation_value(invocation, "runtimes");
    CatalogOptions catalog = {.directories = directories, .directory_count = 1};
    RuntimeEntry entry = {0};
    Slice message;
    char path[4096];
    if (named == NULL)
        catalog.directory_count = runtime_directories_default(invocation->arena, directories);
    else
        directories[0] = realpath(named, path) == NULL ? slice_of_string(named) : slice_of_string(path);
    watching->syntax = (Syntax){.file = -1};
    if (catalog_find(&catalog, runtime, invocation->arena, &entry, &message) != RUNTIME_FOUND ||
        !syntax_open(&watching->syntax, runtime, arena_string(invocation->arena, entry.program),
                     data_path(invocation->arena, watching->data, DATA_BOOTSTRAPS), watching->folder))
        say("the syntax of files is not checked: no %.*s is found here (--runtimes)", SLICE_PRINT(runtime));
}

static int watch(Watching *watching)
{
    FolderWatch *folder;
    Slice runtime;
    Slice message;
    bool is_changed;
    Arena *arena = watching->invocation->arena;
    /* Before it is read: what changes meanwhile is seen. */
    Error error = folder_watch_open(watching->folder, source_ignores, &folder);
    if (error == ERROR_FULL)
        return command_fail(
            "%s has more folders than can be watched (%d, and see /proc/sys/fs/inotify/max_user_watches)",
            watching->folder, FOLDER_WATCH_MAX);
    if (error != OK)
        return command_fail("%s cannot be watched: %s", watching->folder, error_text(error));
    if (!call(watching, (Slice){0}, arena, &runtime, &is_changed, &message)) {
        folder_watch_close(folder);
        return command_fail("%.*s", SLICE_PRINT(message));
    }
    say("%s is what %s runs (%.*s); Ctrl-C ends", watching->folder, watching->name, SLICE_PRINT(runtime));
    open_syntax(watching, runtime);
    do
        take_change(watching);
    while ((error = folder_watch_wait(folder, QUIET_MS, LONGEST_MS)) == OK);
    folder_watch_close(folder);
    syntax_close(&watching->syntax);
    return error == ERROR_GONE ? command_fail("%s is not there any more", watching->folder)
                               : command_fail("%s cannot be watched any more: %s", watching->folder, error_text(error));
}

static int run_function(const CommandLine *invocation)
{
    Arena first = arena_make();
    Arena second = arena_make();
    if (strcmp(invocation->words[0], "watch") != 0)
        return command_misused(invocation->command, "`brume function` knows watch, not '%s'", invocation->words[0]);
    Watching watching = {
        .invocation = invocation,
        .data = data_directory_of(invocation),
        .name = invocation->words[1],
        .folder = invocation->words[2],
        .good_arena = &first,
        .free_arena = &second,
    };
    if (watching.data == NULL)
        return command_fail("there is no home directory: name the server's data directory with --data DIR");
    if (!utf8_is_valid(slice_of_string(watching.name)))
        return command_misused(invocation->command, "the function's name is not valid UTF-8");
    setvbuf(stdout, NULL, _IOLBF, 0);
    int code = watch(&watching);
    arena_free(&first);
    arena_free(&second);
    return code;
}

const Command command_function = {
    .name = "function",
    .words = "watch NAME DIR",
    .summary = "Runs what is saved in a folder, from the next invocation on.",
    .details =
        "Each change of the folder becomes the code of the function's $LATEST on the running server; its settings "
        "stay, "
        "and so do its workers when nothing has changed. Files that their language does not take are told of, with "
        "their line, and the last good state stays. Ctrl-C ends.",
    .options = function_options,
    .words_min = 3,
    .words_max = 3,
    .run = run_function,
};

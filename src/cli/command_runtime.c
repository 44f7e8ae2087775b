#include "base/time_format.h"
#include "cli/command.h"
#include "cli/runtime_directories.h"
#include "cli/runtime_install.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const Option runtime_options[] = {
    {.name = "to",
     .argument = "DIR",
     .environment = "BRUME_RUNTIMES",
     .help =
         "Where runtimes lie, for both commands. Without it, /usr/local/lib/brume/runtimes when that can be written, "
         "else ~/.local/share/brume-runtimes; `list` looks into both."},
    {0},
};

/* The directory that was named, else the usual ones. */
static size_t find_directories(const CommandLine *invocation, Slice directories[RUNTIME_DIRECTORIES_MAX])
{
    const char *named = invocation_value(invocation, "to");
    if (named == NULL)
        return runtime_directories_default(invocation->arena, directories);
    char current[4096];
    bool is_relative = named[0] != '/' && getcwd(current, sizeof current) != NULL;
    directories[0] = is_relative ? arena_format(invocation->arena, "%s/%s", current, named) : slice_of_string(named);
    return 1;
}

/* ---- list ---- */

/* ISO days compare as texts. */
static bool is_deprecated(const RuntimeName *runtime, Slice today)
{
    return runtime->deprecated.size > 0 && slice_compare(runtime->deprecated, today) <= 0;
}

static void print_runtime(const CatalogOptions *catalog, const RuntimeName *runtime, Slice today, Arena *arena)
{
    RuntimeEntry entry;
    Slice message;
    RuntimeState state = catalog_find(catalog, runtime->name, arena, &entry, &message);
    Slice where = SLICE("");
    if (state == RUNTIME_FOUND && runtime->kind == RUNTIME_CUSTOM)
        where = SLICE("the function brings it");
    else if (state == RUNTIME_FOUND && entry.library.data != NULL)
        where = arena_format(arena, "%.*s, SDK in %.*s", SLICE_PRINT(entry.program), SLICE_PRINT(entry.library));
    else if (state == RUNTIME_FOUND)
        where = entry.program;
    else if (state == RUNTIME_MISSING)
        where = arena_format(arena, "brume runtime install %.*s", SLICE_PRINT(runtime->name));
    static const char *const words[] = {[RUNTIME_FOUND] = "ready",
                                        [RUNTIME_MISSING] = "missing",
                                        [RUNTIME_REFUSED] = "refused",
                                        [RUNTIME_UNKNOWN] = ""};
    Slice aside = (Slice){0};
    if (is_deprecated(runtime, today))
        aside = arena_format(arena, "%s(AWS deprecated it on %.*s)", where.size > 0 ? " " : "",
                             SLICE_PRINT(runtime->deprecated));
    bool is_more = where.size + aside.size > 0;
    printf("%-16.*s %-*s%.*s%.*s\n", SLICE_PRINT(runtime->name), is_more ? 9 : 0, words[state], SLICE_PRINT(where),
           SLICE_PRINT(aside));
}

static int list(const CommandLine *invocation)
{
    CatalogMemory memory = {0};
    Slice directories[RUNTIME_DIRECTORIES_MAX];
    CatalogOptions catalog = {.directories = directories, .memory = &memory};
    catalog.directory_count = find_directories(invocation, directories);
    char now[TIME_TEXT_MAX];
    Slice day = slice_make(time_format_iso((int64_t)time(NULL) * 1000, now).data, strlen("2026-11-25"));
    size_t count;
    const RuntimeName *runtimes = catalog_names(&count);
    for (size_t i = 0; i < count; i++)
        print_runtime(&catalog, &runtimes[i], day, invocation->arena);
    return EXIT_OK;
}

/* ---- install ---- */

/* Whether something can be put there, now or once its missing parents are made. */
static bool can_be_written(Arena *arena, Slice directory)
{
    char *path = arena_string(arena, directory);
    for (;;) {
        if (access(path, F_OK) == 0)
            return access(path, W_OK) == 0;
        char *slash = strrchr(path, '/');
        if (slash == path || slash == NULL)
            return access("/", W_OK) == 0;
        *slash = '\0';
    }
}

static int install(const CommandLine *invocation)
{
    if (invocation->word_count < 2)
        return command_misused(invocation->command, "which one? `brume runtime list` prints them");
    const char *name = invocation->words[1];
    const RuntimeName *runtime = catalog_name(slice_of_string(name));
    if (runtime == NULL)
        return command_misused(invocation->command,
                               "there is no runtime '%s'; `brume runtime list` prints those that "
                               "there are",
                               name);
    RuntimeEntry entry;
    Slice message;
    static const CatalogOptions nothing = {0};
    if (catalog_find(&nothing, runtime->name, invocation->arena, &entry, &message) == RUNTIME_REFUSED)
        return command_fail("%.*s", SLICE_PRINT(message));
    if (runtime->kind == RUNTIME_CUSTOM) {
        printf("%s needs nothing: functions bring their own `bootstrap`\n", name);
        return EXIT_OK;
    }
    Slice directories[RUNTIME_DIRECTORIES_MAX];
    size_t count = find_directories(invocation, directories);
    size_t chosen = 0;
    while (chosen + 1 < count && !can_be_written(invocation->arena, directories[chosen]))
        chosen++;
    const char *directory = arena_string(invocation->arena, directories[chosen]);
    return runtime->kind == RUNTIME_NODEJS ? runtime_install_node(invocation->arena, runtime, directory)
                                           : runtime_install_python(invocation->arena, runtime, directory);
}

static int run_runtime(const CommandLine *invocation)
{
    bool is_list = strcmp(invocation->words[0], "list") == 0;
    if (!is_list && strcmp(invocation->words[0], "install") != 0)
        return command_misused(invocation->command, "`brume runtime` knows list and install, not '%s'",
                               invocation->words[0]);
    if (is_list && invocation->word_count > 1)
        return command_misused(invocation->command, "list takes no name");
    return is_list ? list(invocation) : install(invocation);
}

const Command command_runtime = {
    .name = "runtime",
    .words = "list | install NAME",
    .summary = "Says which runtimes of functions this host has, and installs one.",
    .details = "A runtime is run by exactly its version of the language. Node.js and the AWS SDK for JavaScript are "
               "fetched with "
               "npm; Python comes from Debian's archive with apt-get, and boto3 with pip, where there is one. A "
               "program of your "
               "own is named to the server: brume start --runtime nodejs22.x=/path/to/node.",
    .options = runtime_options,
    .words_min = 1,
    .words_max = 2,
    .run = run_runtime,
};

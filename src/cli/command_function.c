/* command_function.c: `brume function watch`: a folder's code, in effect for the next invocation as soon as it is saved. */
#include "base/digest.h"
#include "base/json.h"
#include "base/zip_write.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"
#include "cli/syntax_check.h"
#include "os/os_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    QUIET_MS = 8,         /* editors write a file in several steps, and several files at once */
    CHECKED_AT_ONCE = 64, /* a program is started for each */
};

static const Option function_options[] = {
    OPTION_DATA,
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "Whose function."},
    {.name = "region",
     .argument = "REGION",
     .environment = "AWS_REGION",
     .fallback = "us-east-1",
     .help = "Where the function is."},
    {0},
};

typedef struct Watching {
    const CommandLine *invocation;
    const char *data;
    const char *folder;
    SyntaxChecker checker;
    unsigned char digest[SHA256_SIZE]; /* of what was sent last */
    /* Files that cannot be code. */
    Slice wrong[TREE_CHANGES_MAX];
    size_t wrong_count;
    Arena wrong_arena;
} Watching;

/* ---- What is no code ---- */

/* Left out of the package: what tools keep beside the code, and what editors leave while they save. */
static bool is_no_code(Slice name)
{
    static const Slice names[] = {SLICE_INIT(".git"),        SLICE_INIT(".hg"),         SLICE_INIT(".svn"),
                                  SLICE_INIT("__pycache__"), SLICE_INIT(".mypy_cache"), SLICE_INIT(".pytest_cache"),
                                  SLICE_INIT(".ruff_cache"), SLICE_INIT(".idea"),       SLICE_INIT(".vscode"),
                                  SLICE_INIT(".DS_Store"),   SLICE_INIT("4913")};
    static const Slice ends[] = {SLICE_INIT("~"),    SLICE_INIT(".swp"), SLICE_INIT(".swx"),
                                 SLICE_INIT(".swo"), SLICE_INIT(".pyc"), SLICE_INIT(".tmp")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(name, names[i]))
            return true;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (slice_ends_with(name, ends[i]))
            return true;
    return slice_starts_with(name, SLICE(".#"));
}

/* ---- Saying what happens ---- */

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char clock[16];
    struct tm parts;
    time_t now = time(NULL);
    va_list arguments;
    localtime_r(&now, &parts);
    strftime(clock, sizeof clock, "%H:%M:%S", &parts);
    printf("%s ", clock);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

/* "app.py", "app.py and 2 more". What is not there any more is counted only when nothing else has changed: it may have been
 * a file that an editor wrote aside. */
static Slice names_text(Arena *arena, const char *folder, const Slice *names, size_t count)
{
    Slice there = {0};
    size_t there_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (access(arena_string(arena, arena_format(arena, "%s/%.*s", folder, SLICE_PRINT(names[i]))), F_OK) != 0)
            continue;
        there = there_count == 0 ? names[i] : there;
        there_count++;
    }
    if (count == 0)
        return SLICE("the folder");
    if (there_count == 0) {
        there = names[0];
        there_count = count;
    }
    return there_count == 1 ? there : arena_format(arena, "%.*s and %zu more", SLICE_PRINT(there), there_count - 1);
}

/* ---- The package ---- */

static bool make_package(const Watching *watching, Arena *arena, Slice *zip, Slice *message)
{
    TreeFile *files = NULL;
    size_t count = 0;
    ZipWriter writer = zip_writer(arena);
    Error error = tree_list(watching->folder, is_no_code, arena, &files, &count);
    for (size_t i = 0; i < count && error == OK; i++) {
        Slice content;
        ZipFileKind kind = files[i].is_link ? ZIP_LINK : files[i].is_executable ? ZIP_EXECUTABLE : ZIP_FILE;
        error = tree_read(watching->folder, &files[i], arena, &content);
        if (error == ERROR_NOT_FOUND) { /* removed meanwhile: that is told of, too */
            error = OK;
            continue;
        }
        if (error == OK)
            error = zip_write(&writer, files[i].name, kind, content);
        if (error != OK)
            *message = arena_format(arena, "%.*s cannot be read: %s", SLICE_PRINT(files[i].name), error_text(error));
    }
    if (error != OK && message->data == NULL)
        *message =
            arena_format(arena, "%s cannot be read: %s", watching->folder,
                         error == ERROR_TOO_LARGE ? "there are more than 65 000 files in it" : error_text(error));
    *zip = zip_finish(&writer);
    return error == OK;
}

static bool ask(const Watching *watching, Slice zip, Arena *arena, JsonField *runtime, Slice *message)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    Slice answer;
    const char *account = invocation_value(watching->invocation, "account");
    const char *region = invocation_value(watching->invocation, "region");
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("account"));
    json_write_string(&writer, account == NULL ? SLICE("000000000000") : slice_of_string(account));
    json_write_name(&writer, SLICE("region"));
    json_write_string(&writer, region == NULL ? SLICE("us-east-1") : slice_of_string(region));
    json_write_name(&writer, SLICE("name"));
    json_write_string(&writer, slice_of_string(watching->invocation->words[1]));
    if (zip.data != NULL) {
        json_write_name(&writer, SLICE("zip"));
        json_write_string(&writer, base64_encode(arena, zip));
    }
    json_write_object_end(&writer);
    if (!admin_call(watching->data, "/function/code", buffer_slice(&out), arena, &answer, message))
        return false;
    *runtime = (JsonField){.name = SLICE("runtime")};
    if (json_read_document(answer, arena, runtime, 1) == OK && runtime->text.data != NULL)
        return true;
    *message = SLICE("the server's answer cannot be read: is it of another version?");
    return false;
}

/* ---- A change ---- */

/* What could not be code when it was last looked at is looked at again, whatever else has changed. */
static void add_wrong(const Watching *watching, Slice *names, size_t *count)
{
    for (size_t i = 0; i < watching->wrong_count; i++) {
        bool known = *count == TREE_CHANGES_MAX;
        for (size_t j = 0; j < *count && !known; j++)
            known = slice_equal(names[j], watching->wrong[i]);
        if (!known)
            names[(*count)++] = watching->wrong[i];
    }
}

/* Says so of each file that cannot be code. */
static bool check(Watching *watching, const Slice *names, size_t count, Arena *arena)
{
    Arena kept = arena_make();
    size_t wrong_count = 0;
    for (size_t i = 0; i < count; i++) {
        Slice problem;
        if (syntax_is_right(&watching->checker, watching->folder, names[i], arena, &problem))
            continue;
        say("%.*s, %.*s (the code before goes on running)", SLICE_PRINT(names[i]), SLICE_PRINT(problem));
        if (wrong_count < TREE_CHANGES_MAX)
            watching->wrong[wrong_count++] = arena_copy(&kept, names[i]);
    }
    arena_free(&watching->wrong_arena);
    watching->wrong_arena = kept;
    watching->wrong_count = wrong_count;
    return wrong_count == 0;
}

/* When it is not known which ones have changed: the first of them, without what others wrote. */
static bool check_all(Watching *watching, Arena *arena)
{
    TreeFile *files = NULL;
    size_t count = 0;
    if (tree_list(watching->folder, is_no_code, arena, &files, &count) != OK)
        return true; /* the package will tell */
    Slice names[CHECKED_AT_ONCE];
    size_t named = 0;
    for (size_t i = 0; i < count && named < CHECKED_AT_ONCE; i++)
        if (!slice_starts_with(files[i].name, SLICE("node_modules/")))
            names[named++] = files[i].name;
    return check(watching, names, named, arena);
}

static void take_over(Watching *watching, const Slice *names, size_t count, uint64_t begun_us, Arena *arena)
{
    Slice zip;
    Slice message = {0};
    JsonField runtime;
    unsigned char digest[SHA256_SIZE];
    if (!make_package(watching, arena, &zip, &message)) {
        say("%.*s", SLICE_PRINT(message));
        return;
    }
    sha256(zip, digest);
    if (memcmp(digest, watching->digest, sizeof digest) == 0)
        return;
    if (!ask(watching, zip, arena, &runtime, &message)) {
        say("not taken: %.*s", SLICE_PRINT(message));
        return;
    }
    memcpy(watching->digest, digest, sizeof digest);
    say("%.*s in effect (%llu ms)", SLICE_PRINT(names_text(arena, watching->folder, names, count)),
        (unsigned long long)((now_us() - begun_us) / 1000));
}

static Error follow(Watching *watching, TreeWatch *watch)
{
    Slice names[TREE_CHANGES_MAX];
    size_t count;
    for (;;) {
        Arena arena = arena_make();
        Error error = tree_watch_wait(watch, QUIET_MS, &arena, names, &count);
        uint64_t begun_us = now_us();
        bool is_known = count < TREE_CHANGES_MAX; /* else there may be more */
        size_t changed = is_known ? count : 0;
        add_wrong(watching, names, &count);
        if (error == OK && (is_known ? check(watching, names, count, &arena) : check_all(watching, &arena)))
            take_over(watching, names, changed, begun_us, &arena);
        arena_free(&arena);
        TRY(error);
    }
}

static int fail_to_watch(const char *folder, Error error)
{
    if (error == ERROR_FULL)
        return command_fail("%s has more folders than this user may watch: raise fs.inotify.max_user_watches (sysctl)",
                            folder);
    return command_fail("%s cannot be watched: %s", folder,
                        error == ERROR_EXISTS ? "it is no folder" : error_text(error));
}

static int run_function(const CommandLine *invocation)
{
    if (strcmp(invocation->words[0], "watch") != 0)
        return command_misused(invocation->command, "`brume function` knows watch, not '%s'", invocation->words[0]);
    if (invocation->word_count != 3)
        return command_misused(invocation->command, "expected `brume function %s`", invocation->command->words);
    Watching watching = {
        .invocation = invocation, .data = data_directory_of(invocation), .folder = invocation->words[2]};
    TreeWatch *watch;
    JsonField runtime;
    Slice message;
    if (watching.data == NULL)
        return command_fail("there is no home directory: name the server's data directory with --data DIR");
    if (!ask(&watching, (Slice){0}, invocation->arena, &runtime, &message))
        return command_fail("%.*s", SLICE_PRINT(message));
    Error error = tree_watch_open(watching.folder, is_no_code, &watch);
    if (error != OK)
        return fail_to_watch(watching.folder, error);
    watching.checker = syntax_checker(runtime.text, invocation->arena);
    say("watching %s for %s (%.*s); Ctrl-C ends it", watching.folder, invocation->words[1], SLICE_PRINT(runtime.text));
    uint64_t begun_us = now_us();
    if (check_all(&watching, invocation->arena))
        take_over(&watching, NULL, 0, begun_us, invocation->arena);
    error = follow(&watching, watch);
    tree_watch_close(watch);
    return fail_to_watch(watching.folder, error);
}

const Command command_function = {
    .name = "function",
    .words = "watch NAME DIR",
    .summary = "Runs a function's code from a folder, as it is saved.",
    .details =
        "What is in DIR becomes the code of $LATEST, and again each time that a file in it is saved, moved or removed: "
        "the next invocation runs it. Python and JavaScript that cannot be read is told of at once, and the code "
        "before "
        "goes on running. Other functions keep their workers. Left out: .git and its like, __pycache__, what editors "
        "leave behind.",
    .options = function_options,
    .words_min = 1,
    .words_max = 3,
    .run = run_function,
};

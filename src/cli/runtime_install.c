#include "cli/runtime_install.h"
#include "cli/command.h"
#include "os/os.h"
#include "os/os_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_OF_NPM = 48 };

/* The AWS SDK for JavaScript that handlers find: the clients of services that applications of functions use, and the
 * libraries beside them. AWS's runtimes have all clients; a function that needs another brings it along. */
static const char *const node_sdk[] = {
    "@aws-sdk/client-apigatewaymanagementapi@3",
    "@aws-sdk/client-cloudwatch@3",
    "@aws-sdk/client-cloudwatch-logs@3",
    "@aws-sdk/client-dynamodb@3",
    "@aws-sdk/client-eventbridge@3",
    "@aws-sdk/client-iam@3",
    "@aws-sdk/client-kinesis@3",
    "@aws-sdk/client-lambda@3",
    "@aws-sdk/client-s3@3",
    "@aws-sdk/client-scheduler@3",
    "@aws-sdk/client-secrets-manager@3",
    "@aws-sdk/client-sfn@3",
    "@aws-sdk/client-sns@3",
    "@aws-sdk/client-sqs@3",
    "@aws-sdk/client-ssm@3",
    "@aws-sdk/client-sts@3",
    "@aws-sdk/credential-providers@3",
    "@aws-sdk/lib-dynamodb@3",
    "@aws-sdk/lib-storage@3",
    "@aws-sdk/s3-request-presigner@3",
    "@aws-sdk/util-dynamodb@3",
};

/* ---- Programs and folders ---- */

/* Runs a program of the PATH to its end: its exit code; -1 when it cannot be started or was killed. */
static int run(const char *const *words, bool is_silent)
{
    pid_t process;
    int status;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (is_silent) {
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    } else {
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    }
    int reason = posix_spawnp(&process, words[0], &actions, NULL, (char *const *)(uintptr_t)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (reason != 0)
        return -1;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Makes a directory and those above it, for everybody to read: the server and its functions are other users. */
static bool make_folder(Arena *arena, const char *path)
{
    char *text = arena_string(arena, slice_of_string(path));
    for (char *slash = strchr(text + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(text, 0755) != 0 && errno != EEXIST)
            return false;
        if (slash == NULL)
            return true;
        *slash = '/';
    }
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Puts what was made in `fresh` into `place`; what was there goes. */
static bool put_in_place(Arena *arena, const char *fresh, const char *place)
{
    const char *old = arena_format(arena, "%s.old", fresh).data;
    bool had_one = rename(place, old) == 0;
    if (!had_one && errno != ENOENT)
        return false;
    if (rename(fresh, place) != 0) {
        int reason = errno;
        if (had_one)
            (void)!rename(old, place);
        errno = reason;
        return false;
    }
    if (had_one)
        remove_tree(old);
    return true;
}

/* A new folder beside the place that it is going to have. NULL: it cannot be made, which has been said. */
static const char *make_fresh(Arena *arena, const RuntimeName *runtime, const char *directory)
{
    if (!make_folder(arena, directory)) {
        command_fail("cannot make the directory %s: %s; choose another with --to", directory, strerror(errno));
        return NULL;
    }
    Slice fresh = arena_format(arena, "%s/.%.*s.%d", directory, SLICE_PRINT(runtime->name), (int)getpid());
    remove_tree(fresh.data);
    if (mkdir(fresh.data, 0755) != 0) {
        command_fail("cannot write into %s: %s; choose another with --to", directory, strerror(errno));
        return NULL;
    }
    return fresh.data;
}

/* ---- Node.js ---- */

/* The package that holds Node.js's program, for this machine; absent: there is none. */
static Slice node_package(Arena *arena)
{
    struct utsname machine;
    if (uname(&machine) != 0)
        return (Slice){0};
    bool is_arm = strcmp(machine.machine, "aarch64") == 0;
    if (!is_arm && strcmp(machine.machine, "x86_64") != 0)
        return (Slice){0};
    return arena_format(arena, "node-linux-%s", is_arm ? "arm64" : "x64");
}

static int fetch_node(Arena *arena, const RuntimeName *runtime, const char *package, const char *library)
{
    const char *words[WORDS_OF_NPM] = {"npm",
                                       "install",
                                       "--prefix",
                                       library,
                                       "--no-audit",
                                       "--no-fund",
                                       "--no-update-notifier",
                                       "--ignore-scripts",
                                       "--loglevel=error"};
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    words[count++] = arena_format(arena, "%s@%.*s", package, SLICE_PRINT(runtime->version)).data;
    for (size_t i = 0; i < sizeof node_sdk / sizeof node_sdk[0]; i++)
        words[count++] = node_sdk[i];
    static const char *const version[] = {"npm", "--version", NULL};
    if (run(version, true) != 0)
        return command_fail(
            "npm is needed, and is not on the PATH: install it (Debian: apt-get install npm), or name a "
            "Node.js of yours with --runtime %.*s=/path/to/node",
            SLICE_PRINT(runtime->name));
    if (run(words, false) != 0)
        return command_fail("npm could not fetch Node.js %.*s and the AWS SDK; it says why above. Can it reach its "
                            "registry? (npm ping)",
                            SLICE_PRINT(runtime->version));
    return EXIT_OK;
}

/* The program moves out of its package, which nobody shall import. */
static bool place_node(Arena *arena, const char *package, const char *fresh)
{
    const char *packed = arena_format(arena, "%s/lib/node_modules/%s", fresh, package).data;
    const char *program = arena_format(arena, "%s/bin/node", fresh).data;
    if (!make_folder(arena, arena_format(arena, "%s/bin", fresh).data) ||
        rename(arena_format(arena, "%s/bin/node", packed).data, program) != 0)
        return false;
    remove_tree(packed);
    return true;
}

static int install_fresh_node(Arena *arena, const RuntimeName *runtime, const char *package, const char *fresh,
                              const char *place)
{
    const char *library = arena_format(arena, "%s/lib", fresh).data;
    Slice manifest = SLICE("{ \"name\": \"brume-runtime\", \"private\": true }\n");
    if (!make_folder(arena, library) ||
        os_write_file(os_linux(), arena_format(arena, "%s/package.json", library).data, manifest, 0644) != OK)
        return command_fail("cannot write into %s: %s", fresh, strerror(errno));
    int code = fetch_node(arena, runtime, package, library);
    if (code != EXIT_OK)
        return code;
    if (!place_node(arena, package, fresh))
        return command_fail("the package %s holds no Node.js program that Brume knows: %s", package, strerror(errno));
    Slice said = os_probe_program(arena, arena_format(arena, "%s/bin/node", fresh).data, "--version");
    if (!slice_starts_with(said, arena_format(arena, "v%.*s.", SLICE_PRINT(runtime->version))))
        return command_fail("the Node.js that npm fetched does not run here, or is not version %.*s",
                            SLICE_PRINT(runtime->version));
    if (!put_in_place(arena, fresh, place))
        return command_fail("cannot write %s: %s", place, strerror(errno));
    printf("%.*s: Node.js %.*s and the AWS SDK for JavaScript, in %s\n", SLICE_PRINT(runtime->name),
           SLICE_PRINT(slice_skip(said, 1)), place);
    return EXIT_OK;
}

int runtime_install_node(Arena *arena, const RuntimeName *runtime, const char *directory)
{
    Slice package = node_package(arena);
    if (package.data == NULL)
        return command_fail("there is no package of Node.js for this processor: name a Node.js of yours with --runtime "
                            "%.*s=/path/to/node",
                            SLICE_PRINT(runtime->name));
    const char *fresh = make_fresh(arena, runtime, directory);
    if (fresh == NULL)
        return EXIT_FAILED;
    const char *place = arena_format(arena, "%s/%.*s", directory, SLICE_PRINT(runtime->name)).data;
    int code = install_fresh_node(arena, runtime, package.data, fresh, place);
    remove_tree(fresh);
    return code;
}

/* ---- Python ---- */

/* The host's program, from Debian when it has none yet. Absent: it cannot be had, which has been said. */
static Slice get_python(Arena *arena, const RuntimeName *runtime)
{
    static const CatalogOptions host = {0};
    RuntimeEntry entry;
    Slice message;
    const char *name = arena_string(arena, runtime->name);
    if (catalog_find(&host, runtime->name, arena, &entry, &message) == RUNTIME_FOUND)
        return entry.program;
    const char *const words[] = {"apt-get", "install", "-y", "--no-install-recommends", name, NULL};
    const char *const version[] = {"apt-get", "--version", NULL};
    if (run(version, true) != 0)
        command_fail("this host has no %s, and no apt-get to install it with: install it, or name one with --runtime "
                     "%s=/path/to/python3",
                     name, name);
    else if (geteuid() != 0)
        command_fail("this host has no %s: as root, run `apt-get install %s`, then this again", name, name);
    else if (run(words, false) != 0 || catalog_find(&host, runtime->name, arena, &entry, &message) != RUNTIME_FOUND)
        command_fail(
            "apt-get could not install %s; it says why above. If this release of Debian has none, install it by "
            "other means (pyenv, uv, its sources) and name it to the server: brume start --runtime %s=/path/to/python3",
            name, name);
    else
        return entry.program;
    return (Slice){0};
}

/* A current boto3 into directory/NAME/lib. */
static bool fetch_boto3(Arena *arena, const RuntimeName *runtime, const char *program, const char *directory)
{
    const char *const version[] = {program, "-m", "pip", "--version", NULL};
    if (run(version, true) != 0)
        return false;
    const char *fresh = make_fresh(arena, runtime, directory);
    if (fresh == NULL)
        return false;
    const char *const words[] = {program,
                                 "-m",
                                 "pip",
                                 "install",
                                 "--quiet",
                                 "--no-input",
                                 "--disable-pip-version-check",
                                 "--root-user-action=ignore",
                                 "--no-warn-conflicts",
                                 "--target",
                                 fresh,
                                 "boto3",
                                 NULL};
    const char *home = arena_format(arena, "%s/%.*s", directory, SLICE_PRINT(runtime->name)).data;
    bool is_done = run(words, false) == 0 && make_folder(arena, home) &&
                   put_in_place(arena, fresh, arena_format(arena, "%s/lib", home).data);
    remove_tree(fresh);
    if (is_done)
        printf("%.*s: %s, and boto3 in %s/lib\n", SLICE_PRINT(runtime->name), program, home);
    return is_done;
}

int runtime_install_python(Arena *arena, const RuntimeName *runtime, const char *directory)
{
    const char *program = get_python(arena, runtime).data;
    if (program == NULL)
        return EXIT_FAILED;
    if (fetch_boto3(arena, runtime, program, directory))
        return EXIT_OK;
    const char *const import[] = {program, "-c", "import boto3", NULL};
    if (run(import, true) == 0) {
        printf("%.*s: %s, and the boto3 that it has\n", SLICE_PRINT(runtime->name), program);
        return EXIT_OK;
    }
    return command_fail("%s is there, but no boto3, which handlers expect: install pip for it (Debian: apt-get install "
                        "python3-pip) and run this again, or its boto3 (Debian: apt-get install python3-boto3)",
                        program);
}

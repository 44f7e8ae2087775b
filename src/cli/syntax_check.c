#include "cli/syntax_check.h"

#include "base/buffer.h"
#include "base/bug.h"
#include "cli/runtime_directories.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROBLEM_MAX = 4096 };

/* Compiles without writing anything, and says in one line what Python says in several. */
static const char python_check[] =
    "import sys\n"
    "name = sys.argv[1]\n"
    "try:\n"
    "    with open(name, 'rb') as file:\n"
    "        compile(file.read(), name, 'exec', dont_inherit=True)\n"
    "except SyntaxError as error:\n"
    "    text = (error.text or '').strip()\n"
    "    sys.exit(f'line {error.lineno}: {type(error).__name__}: {error.msg}' + (f': {text}' if text else ''))\n"
    "except ValueError as error:\n"
    "    sys.exit(str(error))\n";

SyntaxChecker syntax_checker(Slice runtime, Arena *arena)
{
    Slice directories[RUNTIME_DIRECTORIES_MAX];
    CatalogMemory memory = {.lock = PTHREAD_MUTEX_INITIALIZER};
    CatalogOptions catalog = {.directories = directories, .memory = &memory};
    SyntaxChecker checker = {0};
    Slice message;
    const char *named = getenv("BRUME_RUNTIMES");
    directories[0] = named == NULL ? (Slice){0} : slice_of_string(named);
    catalog.directory_count = named == NULL ? runtime_directories_default(arena, directories) : 1;
    checker.can_check = catalog_find(&catalog, runtime, arena, &checker.runtime, &message) == RUNTIME_FOUND &&
                        checker.runtime.kind != RUNTIME_CUSTOM;
    return checker;
}

/* Runs it, and gives what it writes to standard error. */
static bool run(char *const words[], const char *folder, Buffer *said)
{
    int ends[2];
    int status = 0;
    pid_t process;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return true;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    int failed = posix_spawn(&process, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    ssize_t got = 0;
    while (failed == 0 &&
           ((got = read(ends[0], buffer_reserve(said, PROBLEM_MAX), PROBLEM_MAX)) > 0 || errno == EINTR)) {
        if (got > 0 && said->size < PROBLEM_MAX)
            said->size += (size_t)got;
        if (got == 0)
            break;
    }
    close(ends[0]);
    while (failed == 0 && waitpid(process, &status, 0) < 0 && errno == EINTR)
        continue;
    /* What could not be run says nothing of the file. */
    return failed != 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 0;
}

/* Node.js says where, shows the line, and says what: "/path/app.js:3", …, "SyntaxError: Unexpected token". */
static Slice node_problem(Slice said, Arena *arena)
{
    Slice first = {said.data, slice_find(said, '\n')};
    Slice place = first;
    for (size_t i = first.size; i > 0; i--)
        if (first.data[i - 1] == ':') {
            place = slice_skip(first, i);
            break;
        }
    for (Slice rest = said; rest.size > 0;) {
        Slice line = {rest.data, slice_find(rest, '\n')};
        if (slice_starts_with(line, SLICE("SyntaxError")))
            return arena_format(arena, "line %.*s: %.*s", SLICE_PRINT(place), SLICE_PRINT(line));
        rest = slice_skip(rest, line.size < rest.size ? line.size + 1 : line.size);
    }
    return first;
}

bool syntax_is_right(const SyntaxChecker *checker, const char *folder, Slice name, Arena *arena, Slice *problem)
{
    bool is_python = checker->runtime.kind == RUNTIME_PYTHON;
    bool is_source = is_python ? slice_ends_with(name, SLICE(".py"))
                               : slice_ends_with(name, SLICE(".js")) || slice_ends_with(name, SLICE(".mjs")) ||
                                     slice_ends_with(name, SLICE(".cjs"));
    if (!checker->can_check || !is_source)
        return true;
    char *program = arena_string(arena, checker->runtime.program);
    char *file = arena_string(arena, arena_format(arena, "./%.*s", SLICE_PRINT(name)));
    if (access(arena_string(arena, arena_format(arena, "%s/%s", folder, file)), R_OK) != 0)
        return true; /* it was removed */
    char *const python[] = {program, "-I", "-S", "-c", (char *)(uintptr_t)python_check, file, NULL};
    char *const node[] = {program, "--check", file, NULL};
    Buffer said = buffer_make(arena);
    if (run(is_python ? python : node, folder, &said))
        return true;
    Slice text = buffer_slice(&said);
    while (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    *problem = is_python ? text : node_problem(text, arena);
    return false;
}

#include "cli/syntax.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MS = 5000, ANSWER_BYTES = 64 * 1024 };

/* The child: reads paths and writes problems over its standard input and output. */
__attribute__((noreturn)) static void be_checker(const Syntax *syntax, int file, const char *program,
                                                 const char *script, const char *folder)
{
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* It works elsewhere: a folder that a process works in is not seen to be removed. */
    if (nothing < 0 || chdir("/") != 0 || dup2(file, STDIN_FILENO) < 0 || dup2(file, STDOUT_FILENO) < 0 ||
        dup2(nothing, STDERR_FILENO) < 0)
        _exit(127);
    if (syntax->is_python)
        execl(program, program, "-I", "-S", "-B", script, folder, (char *)NULL);
    else
        execl(program, program, "--experimental-vm-modules", "--no-warnings", script, folder, (char *)NULL);
    _exit(127);
}

bool syntax_open(Syntax *syntax, Slice runtime, const char *program, const char *scripts, const char *folder)
{
    char script[4096];
    int pair[2];
    *syntax = (Syntax){.file = -1, .is_python = slice_starts_with(runtime, SLICE("python"))};
    if (!syntax->is_python && !slice_starts_with(runtime, SLICE("nodejs")))
        return true;
    snprintf(script, sizeof script, "%s/%s", scripts, syntax->is_python ? "python/check.py" : "nodejs/check.mjs");
    char whole[PATH_MAX];
    if (realpath(folder, whole) == NULL || access(script, R_OK) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    syntax->process = fork();
    if (syntax->process == 0)
        be_checker(syntax, pair[1], program, script, whole);
    close(pair[1]);
    syntax->file = pair[0];
    if (syntax->process > 0)
        return true;
    syntax_close(syntax);
    return false;
}

void syntax_close(Syntax *syntax)
{
    if (syntax->file >= 0)
        close(syntax->file);
    if (syntax->process > 0) {
        kill(syntax->process, SIGKILL);
        waitpid(syntax->process, NULL, 0);
    }
    *syntax = (Syntax){.file = -1};
}

static bool is_checked(const Syntax *syntax, Slice path)
{
    /* A line is a path. */
    if (slice_find(path, '\n') < path.size)
        return false;
    /* What was installed is taken as it is. */
    if (memmem(path.data, path.size, "node_modules/", strlen("node_modules/")) != NULL)
        return false;
    if (syntax->is_python)
        return slice_ends_with(path, SLICE(".py"));
    return slice_ends_with(path, SLICE(".js")) || slice_ends_with(path, SLICE(".mjs")) ||
           slice_ends_with(path, SLICE(".cjs"));
}

static bool send_all(int file, Slice bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(file, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        if (sent > 0)
            bytes = slice_skip(bytes, (size_t)sent);
    }
    return true;
}

/* Lines up to an empty one. */
static bool read_answer(int file, Buffer *answer)
{
    struct pollfd polled = {.fd = file, .events = POLLIN};
    size_t begun = answer->size;
    while (answer->size - begun < ANSWER_BYTES) {
        if (poll(&polled, 1, ANSWER_MS) != 1)
            return false;
        ssize_t got = recv(file, buffer_reserve(answer, 4096), 4096, 0);
        if (got <= 0)
            return false;
        answer->size += (size_t)got;
        Slice text = slice_skip(buffer_slice(answer), begun);
        if (slice_equal(text, SLICE("\n")) || slice_ends_with(text, SLICE("\n\n"))) {
            answer->size--;
            return true;
        }
    }
    return false;
}

bool syntax_check(Syntax *syntax, const SourceFolder *files, Buffer *problems)
{
    if (syntax->process == 0)
        return true;
    Arena arena = arena_make();
    Buffer asked = buffer_make(&arena);
    for (size_t i = 0; i < files->count; i++)
        if (is_checked(syntax, files->files[i].path))
            buffer_add_format(&asked, "%.*s\n", SLICE_PRINT(files->files[i].path));
    bool is_answered = true;
    if (asked.size > 0) {
        buffer_add_byte(&asked, '\n');
        is_answered = send_all(syntax->file, buffer_slice(&asked)) && read_answer(syntax->file, problems);
    }
    arena_free(&arena);
    if (!is_answered)
        syntax_close(syntax);
    return is_answered;
}

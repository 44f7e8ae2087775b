#include "os/os_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 256, PATIENCE_MS = 2000 };

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Starts the program with its output into a pipe, whose other end it gives; -1 when it cannot be started. */
static int start(const char *path, const char *argument, pid_t *process)
{
    int ends[2];
    char *const words[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)argument, NULL};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    int reason = posix_spawn(process, path, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (reason == 0)
        return ends[0];
    close(ends[0]);
    return -1;
}

/* Reads until the output or the time has ended; keeps the beginning. */
static size_t read_output(int output, uint64_t end_ms, char *text)
{
    char rest[LINE_MAX_SIZE];
    size_t size = 0;
    for (;;) {
        bool is_full = size == LINE_MAX_SIZE;
        uint64_t at_ms = now_ms();
        struct pollfd wanted = {.fd = output, .events = POLLIN};
        if (at_ms >= end_ms || poll(&wanted, 1, (int)(end_ms - at_ms)) <= 0)
            return size;
        ssize_t got = is_full ? read(output, rest, sizeof rest) : read(output, text + size, LINE_MAX_SIZE - size);
        if (got <= 0)
            return size;
        size += is_full ? 0 : (size_t)got;
    }
}

/* Waits for its end, which is brought about when the time is over; whether it ended well. */
static bool ends_well(pid_t process, uint64_t end_ms)
{
    int status;
    for (;;) {
        bool is_over = now_ms() >= end_ms;
        if (is_over)
            kill(process, SIGKILL);
        pid_t ended = waitpid(process, &status, is_over ? 0 : WNOHANG);
        if (ended == process)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (ended < 0 && errno != EINTR)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

Slice os_probe_program(Arena *arena, const char *path, const char *argument)
{
    pid_t process;
    char text[LINE_MAX_SIZE];
    uint64_t end_ms = now_ms() + PATIENCE_MS;
    int output = start(path, argument, &process);
    if (output < 0)
        return (Slice){0};
    size_t size = read_output(output, end_ms, text);
    close(output);
    bool well = ends_well(process, end_ms);
    size = slice_find(slice_make(text, size), '\n');
    return well && size > 0 ? arena_copy(arena, slice_make(text, size)) : (Slice){0};
}

#include "runtime/extension.h"

#include "runtime/runtime_api_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    LINE_BYTES = 256 * 1024, /* CloudWatch Logs quotas: an event */
    READ_BYTES = 256 * 1024, /* of a pipe, before others have their turn */
};

/* The reading end alone does not block: a program that writes faster than it is read has to wait. */
int extension_pipe_open(LogPipe *pipe)
{
    int ends[2];
    *pipe = (LogPipe){.file = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        int reason = errno;
        close(ends[0]);
        close(ends[1]);
        errno = reason;
        return -1;
    }
    pipe->file = ends[0];
    return ends[1];
}

void extension_pipe_close(LogPipe *pipe)
{
    if (pipe->file >= 0)
        close(pipe->file);
    pipe->file = -1;
    log_pipe_free(pipe);
}

/* ---- Lines ---- */

/* The server reads the pipe that this process was given as it reads every worker's. */
static void pass_on(int file, Slice line)
{
    while (line.size > 0) {
        ssize_t written = write(file, line.data, line.size);
        if (written < 0 && errno != EINTR)
            return;
        if (written > 0)
            line = slice_skip(line, (size_t)written);
    }
}

static void on_output(void *user, Slice line)
{
    telemetry_line(user, TELEMETRY_FUNCTION, line);
    pass_on(STDOUT_FILENO, line);
}

static void on_errors(void *user, Slice line)
{
    telemetry_line(user, TELEMETRY_FUNCTION, line);
    pass_on(STDERR_FILENO, line);
}

static void on_extension(void *user, Slice line)
{
    telemetry_line(user, TELEMETRY_EXTENSION, line);
    api_frame(user, FRAME_LOG, line);
}

static void read_one(Api *api, LogPipe *pipe, LogLine *on_line)
{
    if (pipe->file < 0 || log_pipe_read(pipe, LINE_BYTES, READ_BYTES, on_line, api))
        return;
    log_pipe_flush(pipe, on_line, api);
    extension_pipe_close(pipe);
}

void extension_pipes_read(Api *api)
{
    read_one(api, &api->extensions.program_output, on_output);
    read_one(api, &api->extensions.program_errors, on_errors);
    for (size_t i = 0; i < api->extensions.count; i++)
        read_one(api, &api->extensions.all[i].output, on_extension);
}

nfds_t extension_pipes_poll(const Api *api, struct pollfd *polled)
{
    nfds_t count = 0;
    const LogPipe *program[] = {&api->extensions.program_output, &api->extensions.program_errors};
    for (size_t i = 0; i < 2; i++)
        if (program[i]->file >= 0)
            polled[count++] = (struct pollfd){.fd = program[i]->file, .events = POLLIN};
    for (size_t i = 0; i < api->extensions.count; i++)
        if (api->extensions.all[i].output.file >= 0)
            polled[count++] = (struct pollfd){.fd = api->extensions.all[i].output.file, .events = POLLIN};
    return count;
}

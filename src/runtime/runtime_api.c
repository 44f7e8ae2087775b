#include "runtime/runtime_api_internal.h"

#include "base/bug.h"
#include "base/json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    FLUSH_TIMEOUT_MS = 5000, /* for the server to take what a program that has ended left behind */
    KEPT_BYTES = 256 * 1024, /* the memory that an empty ApiBytes keeps */
};

/* ---- Bytes ---- */

char *api_bytes_reserve(ApiBytes *bytes, size_t extra)
{
    if (bytes->taken == bytes->size)
        bytes->taken = bytes->size = 0;
    if (bytes->capacity - bytes->size < extra && bytes->taken > 0) {
        memmove(bytes->data, bytes->data + bytes->taken, bytes->size - bytes->taken);
        bytes->size -= bytes->taken;
        bytes->taken = 0;
    }
    if (bytes->capacity - bytes->size < extra) {
        size_t wanted = bytes->size + extra;
        bytes->capacity = wanted < 2 * bytes->capacity ? 2 * bytes->capacity : wanted;
        bytes->data = realloc(bytes->data, bytes->capacity);
        ASSERT(bytes->data != NULL);
    }
    return bytes->data + bytes->size;
}

void api_bytes_add(ApiBytes *bytes, Slice slice)
{
    if (slice.size == 0)
        return;
    memcpy(api_bytes_reserve(bytes, slice.size), slice.data, slice.size);
    bytes->size += slice.size;
}

void api_bytes_take(ApiBytes *bytes, size_t count)
{
    bytes->taken += count;
    if (bytes->taken < bytes->size)
        return;
    bytes->taken = bytes->size = 0;
    if (bytes->capacity > KEPT_BYTES)
        api_bytes_free(bytes);
}

void api_bytes_free(ApiBytes *bytes)
{
    free(bytes->data);
    *bytes = (ApiBytes){0};
}

/* ---- The channel ---- */

static void write_uint32(char *bytes, size_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(value >> (8 * i));
}

static size_t read_uint32(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;
    return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

void api_frame(Api *api, FrameKind kind, Slice content)
{
    char *header = api_bytes_reserve(&api->output, CHANNEL_HEADER_SIZE + content.size);
    memset(header, 0, CHANNEL_HEADER_SIZE);
    header[0] = (char)kind;
    write_uint32(header + 4, content.size);
    api->output.size += CHANNEL_HEADER_SIZE;
    api_bytes_add(&api->output, content);
}

static void flush_channel(Api *api)
{
    Slice left = api_bytes_left(&api->output);
    while (left.size > 0) {
        ssize_t sent = send(api->options.answers, left.data, left.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR)
                api->is_lost = true;
            return;
        }
        api_bytes_take(&api->output, (size_t)sent);
        left = api_bytes_left(&api->output);
    }
}

/* What is answered when there is no program: its platform's own error, as a runtime of the language would report it. */
static void begin(Api *api, Slice init)
{
    Slice message;
    Error error = api_program_start(api, init, &message);
    if (error == ERROR_MALFORMED)
        api->is_lost = true;
    if (error == ERROR_NOT_FOUND) {
        api_frame(api, FRAME_INIT_ERROR, api_error_text(&api->arena, "Runtime.InvalidEntrypoint", message));
        api->state = API_INIT_FAILED;
        api->has_ended = true;
        api->status = W_EXITCODE(1, 0);
    }
}

/* The server keeps to the protocol, or is not the server: then there is nobody to work for. */
static void take_frame(Api *api, FrameKind kind, Slice content)
{
    bool expected = kind == FRAME_INIT ? api->program == 0
                                       : kind == FRAME_INVOKE && !api->has_event &&
                                             (api->state == API_READY || api->state == API_ANSWERED);
    if (!expected)
        api->is_lost = true;
    else if (kind == FRAME_INIT)
        begin(api, content);
    else if (!api_take_event(api, content))
        api->is_lost = true;
}

static void read_channel(Api *api)
{
    ApiBytes *input = &api->input;
    Slice left = api_bytes_left(input);
    size_t wanted =
        left.size < CHANNEL_HEADER_SIZE ? API_READ_BYTES : CHANNEL_HEADER_SIZE + read_uint32(left.data + 4) - left.size;
    char *place = api_bytes_reserve(input, wanted);
    ssize_t got = recv(api->options.events, place, input->capacity - input->size, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            api->is_lost = true;
        return;
    }
    input->size += (size_t)got;
    while (!api->is_lost) {
        left = api_bytes_left(input);
        if (left.size < CHANNEL_HEADER_SIZE)
            return;
        size_t size = read_uint32(left.data + 4);
        if (size > API_PAYLOAD_BYTES + (size_t)API_INIT_BYTES) {
            api->is_lost = true;
            return;
        }
        if (left.size - CHANNEL_HEADER_SIZE < size)
            return;
        take_frame(api, (FrameKind)(unsigned char)left.data[0], slice_make(left.data + CHANNEL_HEADER_SIZE, size));
        api_bytes_take(input, CHANNEL_HEADER_SIZE + size);
    }
}

/* ---- Processes and connections ---- */

/* Buries whoever has ended: the program, or one that lost its parent. */
static void reap(Api *api)
{
    struct signalfd_siginfo ignored;
    while (read(api->signals, &ignored, sizeof ignored) == (ssize_t)sizeof ignored)
        continue;
    int status;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
        if (ended == api->program) {
            api->has_ended = true;
            api->status = status;
        }
    }
}

static void accept_connection(Api *api)
{
    int file = accept4(api->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (file < 0)
        return;
    for (size_t i = 0; i < API_CONNECTIONS; i++) {
        if (api->connections[i].file >= 0)
            continue;
        if (!api_guard_admits(file))
            break;
        int yes = 1;
        setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        api_connection_open(api, &api->connections[i], file);
        return;
    }
    close(file);
}

/* Waits until something can be done, and does it. */
static void step(Api *api)
{
    enum { OWN_FILES = 4 };
    struct pollfd polled[OWN_FILES + API_CONNECTIONS];
    ApiConnection *of[OWN_FILES + API_CONNECTIONS];
    polled[0] = (struct pollfd){.fd = api->options.events, .events = POLLIN};
    polled[1] = (struct pollfd){.fd = api->signals, .events = POLLIN};
    polled[2] = (struct pollfd){.fd = api->listener, .events = POLLIN};
    /* To hear that the server has gone is the events' part. */
    polled[3] =
        (struct pollfd){.fd = api_bytes_left(&api->output).size > 0 ? api->options.answers : -1, .events = POLLOUT};
    nfds_t count = OWN_FILES;
    for (size_t i = 0; i < API_CONNECTIONS; i++) {
        ApiConnection *connection = &api->connections[i];
        if (connection->file < 0)
            continue;
        /* Who waits for an event is not read, but heard when it leaves. */
        short events = api_connection_reads(connection) ? POLLIN : connection->waits ? POLLRDHUP : 0;
        events = (short)(events | (api_connection_writes(connection) ? POLLOUT : 0));
        polled[count] = (struct pollfd){.fd = connection->file, .events = events};
        of[count++] = connection;
    }
    if (poll(polled, count, -1) < 0)
        return;
    for (nfds_t i = OWN_FILES; i < count; i++) {
        ApiConnection *connection = of[i];
        if ((polled[i].revents & POLLOUT) != 0)
            api_connection_write(connection);
        if (connection->file >= 0 && (polled[i].revents & (POLLIN | POLLHUP | POLLERR | POLLRDHUP)) != 0) {
            if (api_connection_reads(connection))
                api_connection_read(connection);
            else if ((polled[i].revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0)
                api_connection_close(connection);
        }
    }
    if ((polled[2].revents & POLLIN) != 0)
        accept_connection(api);
    if ((polled[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        read_channel(api);
    if ((polled[1].revents & POLLIN) != 0)
        reap(api);
    flush_channel(api);
}

/* ---- The end ---- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the program sent before it ended counts: an answer may still be in a socket that it has closed. */
static void drain(Api *api)
{
    int64_t until = now_ms() + FLUSH_TIMEOUT_MS;
    for (;;) {
        bool came = api_bytes_left(&api->output).size > 0; /* it held back what may now be read */
        for (size_t i = 0; i < API_CONNECTIONS; i++) {
            if (api->connections[i].file >= 0 && api_connection_reads(&api->connections[i]))
                came = api_connection_read(&api->connections[i]) || came;
        }
        flush_channel(api);
        bool is_flushed = api_bytes_left(&api->output).size == 0;
        int64_t left = until - now_ms();
        if (api->is_lost || left <= 0 || !came)
            return;
        struct pollfd polled = {.fd = api->options.answers, .events = POLLOUT};
        if (!is_flushed)
            poll(&polled, 1, (int)left);
    }
}

/* An end by a signal is passed on by ending so, too. The first process of a namespace cannot do that to itself, which is
 * why FRAME_EXIT comes first. */
static int finish(Api *api)
{
    drain(api);
    for (size_t i = 0; i < API_CONNECTIONS; i++) {
        if (api->connections[i].file >= 0)
            api_connection_close(&api->connections[i]);
    }
    if (api->state != API_INIT_FAILED || api->program > 0) {
        char told[2 * sizeof(uint32_t)];
        write_uint32(told, (size_t)api->status);
        write_uint32(told + sizeof(uint32_t), api->taken_count);
        api_frame(api, FRAME_EXIT, slice_make(told, sizeof told));
    }
    drain(api);
    if (!WIFSIGNALED(api->status))
        return WEXITSTATUS(api->status);
    int number = WTERMSIG(api->status);
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigaction(number, &usual, NULL);
    raise(number);
    return 128 + number;
}

/* Listens where nobody but this machine can connect to. */
static Error open_port(Api *api)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    api->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (api->listener < 0 || bind(api->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(api->listener, API_CONNECTIONS) != 0 ||
        getsockname(api->listener, (struct sockaddr *)&address, &size) != 0)
        return ERROR_IO;
    api->port = ntohs(address.sin_port);
    return OK;
}

static Error open_signals(Api *api)
{
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);
    api->signals = signalfd(-1, &ended, SFD_NONBLOCK | SFD_CLOEXEC);
    return api->signals < 0 ? ERROR_IO : OK;
}

static void release(Api *api)
{
    for (size_t i = 0; i < API_CONNECTIONS; i++) {
        if (api->connections[i].file >= 0)
            api_connection_close(&api->connections[i]);
    }
    api_bytes_free(&api->event);
    api_bytes_free(&api->input);
    api_bytes_free(&api->output);
    arena_free(&api->arena);
    if (api->listener >= 0)
        close(api->listener);
    if (api->signals >= 0)
        close(api->signals);
    free(api);
}

int runtime_api_serve(const RuntimeApiOptions *options)
{
    /* The memory was the spawner's: the function's processes, of the same user, must not read it through /proc. */
    prctl(PR_SET_DUMPABLE, 0);
    Api *api = calloc(1, sizeof *api);
    ASSERT(api != NULL);
    api->options = *options;
    api->listener = api->signals = -1;
    for (size_t i = 0; i < API_CONNECTIONS; i++)
        api->connections[i].file = -1;
    int status = 1;
    if (open_port(api) == OK && open_signals(api) == OK) {
        while (!api->has_ended && !api->is_lost)
            step(api);
        if (!api->is_lost) {
            status = finish(api);
        } else if (api->program > 0) {
            kill(api->program, SIGKILL);
            waitpid(api->program, NULL, 0);
        }
    } else {
        dprintf(STDERR_FILENO, "The Runtime API cannot listen on 127.0.0.1: %m\n");
    }
    release(api);
    return status;
}

int runtime_api_main(int events, int answers)
{
    return runtime_api_serve(&(RuntimeApiOptions){events, answers, "/var/task", "/opt"});
}

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

void api_frame_add(ApiBytes *out, FrameKind kind, Slice content)
{
    char *header = api_bytes_reserve(out, CHANNEL_HEADER_SIZE + content.size);
    memset(header, 0, CHANNEL_HEADER_SIZE);
    header[0] = (char)kind;
    write_uint32(header + 4, content.size);
    out->size += CHANNEL_HEADER_SIZE;
    api_bytes_add(out, content);
}

void api_frame(Api *api, FrameKind kind, Slice content)
{
    if (kind == FRAME_ERROR || kind == FRAME_STREAM_ERROR)
        api->telemetry.has_failed = true;
    api_frame_add(&api->output, kind, content);
}

int api_frame_next(const ApiBytes *input, FrameKind *kind, Slice *content)
{
    Slice left = api_bytes_left(input);
    if (left.size < CHANNEL_HEADER_SIZE)
        return 0;
    size_t size = read_uint32(left.data + 4);
    if (size > API_FRAME_BYTES)
        return -1;
    if (left.size - CHANNEL_HEADER_SIZE < size)
        return 0;
    *kind = (FrameKind)(unsigned char)left.data[0];
    *content = slice_make(left.data + CHANNEL_HEADER_SIZE, size);
    return 1;
}

size_t api_frame_lacks(const ApiBytes *input)
{
    Slice left = api_bytes_left(input);
    return left.size < CHANNEL_HEADER_SIZE ? API_READ_BYTES
                                           : CHANNEL_HEADER_SIZE + read_uint32(left.data + 4) - left.size;
}

int64_t api_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t api_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
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

/* ---- The init phase ---- */

void api_fault(Api *api, const char *type, Slice message)
{
    if (api->phase == API_PHASE_ENDING)
        return;
    FrameKind kind = api->phase == API_PHASE_SERVING ? FRAME_FAULT : FRAME_INIT_ERROR;
    if (api->state != API_INIT_FAILED)
        api_frame(api, kind, api_error_text(&api->arena, type, message));
    if (api->program == 0)
        api->status = W_EXITCODE(1, 0);
    api_end(api, API_REASON_FAILURE);
}

/* What is answered when there is no program: its platform's own error, as a runtime of the language would report it. */
static void start_program(Api *api)
{
    Slice message;
    api->phase = API_PHASE_RUNTIME;
    if (api_program_start(api, &message) == OK)
        return;
    api_fault(api, "Runtime.InvalidEntrypoint", message);
    api->state = API_INIT_FAILED;
}

static void begin(Api *api, Slice init)
{
    if (api_program_read(api, init) != OK) {
        api->is_lost = true;
        return;
    }
    api->phase = API_PHASE_EXTENSIONS;
    if (extensions_start(api))
        telemetry_init_start(api);
}

void api_advance(Api *api)
{
    const Slice with_extensions = api->extensions.count > 0 ? SLICE("\x01") : (Slice){0};
    if (api->phase == API_PHASE_EXTENSIONS && extensions_have_registered(api))
        start_program(api);
    if (api->phase == API_PHASE_RUNTIME && api->state == API_READY && !api->is_runtime_told) {
        api->is_runtime_told = true;
        telemetry_runtime_ready(api);
    }
    if (api->phase == API_PHASE_RUNTIME && api->state == API_READY && extensions_wait(api)) {
        telemetry_init_done(api);
        api->phase = API_PHASE_SERVING;
        api_frame(api, FRAME_READY, with_extensions);
    }
    if (api->phase == API_PHASE_SERVING && api->at_work && api_has_answered(api))
        telemetry_event_answered(api);
    if (api->phase == API_PHASE_SERVING && api->at_work && api_has_answered(api) && extensions_wait(api)) {
        api->at_work = false;
        telemetry_event_done(api, NULL);
        if (api->extensions.count > 0)
            api_frame(api, FRAME_READY, with_extensions);
    }
    telemetry_advance(api);
    if (api->phase == API_PHASE_ENDING)
        api_ending_advance(api);
}

/* ---- What the server says ---- */

static bool take_end(Api *api, Slice reason)
{
    if (api->phase == API_PHASE_NEW)
        return false;
    api_end(api, slice_equal(reason, SLICE("timeout"))   ? API_REASON_TIMEOUT
                 : slice_equal(reason, SLICE("failure")) ? API_REASON_FAILURE
                                                         : API_REASON_SPINDOWN);
    return true;
}

/* The server keeps to the protocol, or is not the server: then there is nobody to work for. */
static void take_frame(Api *api, FrameKind kind, Slice content)
{
    bool is_expected = false;
    if (kind == FRAME_INIT && api->phase == API_PHASE_NEW) {
        begin(api, content);
        is_expected = true;
    } else if (kind == FRAME_INVOKE && api->phase == API_PHASE_SERVING) {
        is_expected = api_has_answered(api) && api_take_event(api, content);
    } else if (kind == FRAME_INVOKE) {
        is_expected = api->phase == API_PHASE_ENDING; /* it crossed the news of a failure */
    } else if (kind == FRAME_SHUTDOWN) {
        is_expected = take_end(api, content);
    }
    if (!is_expected)
        api->is_lost = true;
}

static void read_channel(Api *api)
{
    ApiBytes *input = &api->input;
    char *place = api_bytes_reserve(input, api_frame_lacks(input));
    ssize_t got = recv(api->options.events, place, input->capacity - input->size, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            api->is_lost = true;
        return;
    }
    input->size += (size_t)got;
    FrameKind kind;
    Slice content;
    int found = 0;
    while (!api->is_lost && (found = api_frame_next(input, &kind, &content)) == 1) {
        take_frame(api, kind, content);
        api_bytes_take(input, CHANNEL_HEADER_SIZE + content.size);
    }
    if (found < 0)
        api->is_lost = true;
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
        } else {
            extensions_ended(api, ended, status);
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

/* ---- The end ---- */

/* What the program sent before it ended counts: an answer may still be in a socket that it has closed. */
static void drain(Api *api)
{
    int64_t until = api_now_ms() + FLUSH_TIMEOUT_MS;
    for (;;) {
        bool came = api_bytes_left(&api->output).size > 0; /* it held back what may now be read */
        for (size_t i = 0; i < API_CONNECTIONS; i++) {
            if (api->connections[i].file >= 0 && api_connection_reads(&api->connections[i]))
                came = api_connection_read(&api->connections[i]) || came;
        }
        if (api->bootstrap >= 0 && api_bootstrap_reads(api))
            came = api_bootstrap_read(api) || came;
        extension_pipes_read(api);
        flush_channel(api);
        bool is_flushed = api_bytes_left(&api->output).size == 0;
        int64_t left = until - api_now_ms();
        if (api->is_lost || left <= 0 || !came)
            return;
        struct pollfd polled = {.fd = api->options.answers, .events = POLLOUT};
        if (!is_flushed)
            poll(&polled, 1, (int)left);
    }
}

/* The program has ended: what it had sent counts, an answer that it was sending has broken. */
static void program_ended(Api *api)
{
    if (api->phase == API_PHASE_ENDING)
        return;
    drain(api);
    for (size_t i = 0; i < API_CONNECTIONS; i++) {
        ApiConnection *connection = &api->connections[i];
        if (connection->file >= 0 && connection->has_head && !connection->complete && connection->streams)
            api_connection_close(connection);
    }
    char told[2 * sizeof(uint32_t)];
    write_uint32(told, (size_t)api->status);
    write_uint32(told + sizeof(uint32_t), api->taken_count);
    api_frame(api, FRAME_EXIT, slice_make(told, sizeof told));
    drain(api);
    api_end(api, API_REASON_FAILURE);
}

/* How long there is nothing to be done but what is waited for; -1: no end. */
static int wait_ms(const Api *api)
{
    int64_t by = api_ending_deadline(api);
    if (api->bootstrap_by_ms > 0 && api->bootstrap_by_ms < by)
        by = api->bootstrap_by_ms;
    int64_t telemetry_by = telemetry_deadline(api);
    by = telemetry_by < by ? telemetry_by : by;
    if (by == INT64_MAX)
        return -1;
    int64_t left = by - api_now_ms();
    return left < 0 ? 0 : (int)left;
}

enum {
    AT_EVENTS,
    AT_ANSWERS,
    AT_SIGNALS,
    AT_LISTENER,
    AT_BOOTSTRAP,
    AT_PIPES,
    POLLED = AT_PIPES + EXTENSION_PIPES + EXTENSIONS_MAX + API_CONNECTIONS,
};

static void act_on_connections(const struct pollfd *polled, ApiConnection *const *of, nfds_t first, nfds_t count)
{
    for (nfds_t i = first; i < count; i++) {
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
}

static void act_on_bootstrap(Api *api, short events)
{
    if ((events & POLLOUT) != 0)
        api_bootstrap_write(api);
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && api_bootstrap_reads(api))
        api_bootstrap_read(api);
    /* It has closed its channel, and goes on for nobody. */
    if (api->bootstrap_by_ms > 0 && api_now_ms() >= api->bootstrap_by_ms && !api->has_ended) {
        api->bootstrap_by_ms = 0;
        api_bootstrap_close(api);
        kill(api->program, SIGKILL);
    }
}

/* Waits until something can be done, and does it. */
static void step(Api *api)
{
    struct pollfd polled[POLLED];
    ApiConnection *of[POLLED];
    bool has_output = api_bytes_left(&api->output).size > 0;
    polled[AT_EVENTS] = (struct pollfd){.fd = api->options.events, .events = POLLIN};
    /* To hear that the server has gone is the events' part. */
    polled[AT_ANSWERS] = (struct pollfd){.fd = has_output ? api->options.answers : -1, .events = POLLOUT};
    polled[AT_SIGNALS] = (struct pollfd){.fd = api->signals, .events = POLLIN};
    polled[AT_LISTENER] = (struct pollfd){.fd = api->listener, .events = POLLIN};
    short of_bootstrap = (short)((api_bootstrap_reads(api) ? POLLIN : 0) | (api_bootstrap_writes(api) ? POLLOUT : 0));
    polled[AT_BOOTSTRAP] = (struct pollfd){.fd = of_bootstrap == 0 ? -1 : api->bootstrap, .events = of_bootstrap};
    nfds_t pipes = extension_pipes_poll(api, polled + AT_PIPES);
    Subscription *subscriptions[EXTENSIONS_MAX];
    nfds_t at_telemetry = AT_PIPES + pipes;
    nfds_t deliveries = telemetry_poll(api, polled + at_telemetry, subscriptions);
    nfds_t first = at_telemetry + deliveries;
    nfds_t count = first;
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
    int ready = poll(polled, count, wait_ms(api));
    if (ready < 0)
        return;
    if (pipes > 0)
        extension_pipes_read(api);
    for (nfds_t i = 0; i < deliveries; i++)
        telemetry_act(api, subscriptions[i], polled[at_telemetry + i].revents);
    act_on_connections(polled, of, first, count);
    act_on_bootstrap(api, polled[AT_BOOTSTRAP].revents);
    if ((polled[AT_LISTENER].revents & POLLIN) != 0)
        accept_connection(api);
    if ((polled[AT_EVENTS].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        read_channel(api);
    if ((polled[AT_SIGNALS].revents & POLLIN) != 0)
        reap(api);
    if (api->has_ended)
        program_ended(api);
    api_advance(api);
    flush_channel(api);
}

/* An end by a signal is passed on by ending so, too. The first process of a namespace cannot do that to itself, which is
 * why FRAME_EXIT came first. */
static int finish(Api *api)
{
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

/* Nobody is there to work for. */
static void kill_all(Api *api)
{
    if (api->program > 0 && !api->has_ended)
        kill(-api->program, SIGKILL);
    extensions_kill(api);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
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
    api_bootstrap_close(api);
    extensions_close(api);
    telemetry_close(api);
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
    api->listener = api->signals = api->bootstrap = -1;
    api->extensions.program_output.file = api->extensions.program_errors.file = -1;
    for (size_t i = 0; i < API_CONNECTIONS; i++)
        api->connections[i].file = -1;
    int status = 1;
    if (open_port(api) == OK && open_signals(api) == OK) {
        while (!api->is_over && !api->is_lost)
            step(api);
        if (api->is_lost)
            kill_all(api);
        else
            status = finish(api);
    } else {
        dprintf(STDERR_FILENO, "The Runtime API cannot listen on 127.0.0.1: %m\n");
    }
    release(api);
    return status;
}

int runtime_api_main(int events, int answers, char *const *command)
{
    return runtime_api_serve(&(RuntimeApiOptions){events, answers, "/var/task", "/opt", command});
}

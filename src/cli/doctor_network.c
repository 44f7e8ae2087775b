/* The address: whether a server could listen there, or which one does. */
#include "cli/doctor.h"
#include "cli/json_fields.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_MAX = 4096, PATIENCE_SECONDS = 2 };

typedef struct Address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } value;
    socklen_t size;
} Address;

/* HOST:PORT, of which settings.c knows already that it is one. */
static bool read_address(const char *text, Address *address)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return false;
    in_port_t port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    size_t size = (size_t)(colon - text);
    memcpy(host, text, size);
    host[size] = '\0';
    *address = (Address){.size = sizeof address->value.v4};
    address->value.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    if (inet_pton(AF_INET, host, &address->value.v4.sin_addr) == 1)
        return true;
    if (size < 2 || host[0] != '[' || host[size - 1] != ']')
        return false;
    host[size - 1] = '\0';
    *address = (Address){.size = sizeof address->value.v6};
    address->value.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
    return inet_pton(AF_INET6, host + 1, &address->value.v6.sin6_addr) == 1;
}

static int open_socket(const Address *address)
{
    int connection = socket(address->value.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    if (connection >= 0) {
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    return connection;
}

/* Whether a server could listen there: an errno. */
static int try_to_listen(const Address *address)
{
    int listener = open_socket(address);
    int reason = listener < 0 ? errno : 0;
    if (reason == 0) {
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        if (bind(listener, &address->value.any, address->size) != 0 || listen(listener, 1) != 0)
            reason = errno;
        close(listener);
    }
    return reason;
}

/* The body that `GET /_brume/health` is answered with there; empty when no such answer comes. */
static Slice ask_health(const Address *address, Arena *arena)
{
    Slice request = SLICE("GET /_brume/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    char *text = arena_alloc(arena, ANSWER_MAX);
    size_t size = 0;
    int connection = open_socket(address);
    if (connection < 0)
        return SLICE("");
    if (connect(connection, &address->value.any, address->size) == 0 &&
        send(connection, request.data, request.size, MSG_NOSIGNAL) == (ssize_t)request.size) {
        ssize_t got = 1;
        while (got > 0 && size < ANSWER_MAX) {
            got = recv(connection, text + size, ANSWER_MAX - size, 0);
            size += (size_t)(got > 0 ? got : 0);
        }
    }
    close(connection);
    Slice end_of_head = SLICE("\r\n\r\n");
    const char *end = memmem(text, size, end_of_head.data, end_of_head.size);
    return end == NULL ? SLICE("") : slice_skip(slice_make(text, size), (size_t)(end - text) + end_of_head.size);
}

static Finding who_listens(Doctor *doctor, const Address *address)
{
    const char *listen_at = doctor->settings.listen;
    JsonField version = {.name = SLICE("version")};
    Slice health = ask_health(address, doctor->arena);
    bool is_ready = memmem(health.data, health.size, "\"ready\":true", 12) != NULL;
    if (json_read_document(health, doctor->arena, &version, 1) == OK && version.text.data != NULL)
        return doctor_finds(is_ready ? VERDICT_OK : VERDICT_WARN,
                            arena_format(doctor->arena, "%s: brume %.*s runs there and is %s", listen_at,
                                         SLICE_PRINT(version.text), is_ready ? "ready" : "not ready"),
                            is_ready ? (Slice){0} : SLICE("it is about to stop, or has trouble: see its log"));
    /* It may serve TLS, or be too busy to answer. */
    if (doctor->server != 0)
        return doctor_finds(VERDICT_WARN,
                            arena_format(doctor->arena, "%s is in use, and does not answer as HTTP", listen_at),
                            arena_format(doctor->arena,
                                         "if it is process %lld, which uses the data directory, ask it for "
                                         "/_brume/health as its clients do",
                                         (long long)doctor->server));
    return doctor_finds(VERDICT_FAIL, arena_format(doctor->arena, "%s is in use, and not by a brume", listen_at),
                        SLICE("stop what listens there, or choose another address with --listen"));
}

static Finding check_listen(Doctor *doctor)
{
    Address address;
    const char *listen_at = doctor->settings.listen;
    if (!read_address(listen_at, &address))
        return doctor_finds(VERDICT_FAIL, arena_format(doctor->arena, "%s is no address", listen_at),
                            SLICE("write it as 127.0.0.1:4566 or [::1]:4566"));
    int reason = try_to_listen(&address);
    switch (reason) {
    case 0:
        return doctor_is_pleased(arena_format(doctor->arena, "%s is free", listen_at));
    case EADDRINUSE:
        return who_listens(doctor, &address);
    case EACCES:
        return doctor_finds(VERDICT_FAIL, arena_format(doctor->arena, "%s: %s", listen_at, strerror(reason)),
                            SLICE("choose a port above 1023 with --listen"));
    default:
        return doctor_finds(VERDICT_FAIL, arena_format(doctor->arena, "%s: %s", listen_at, strerror(reason)),
                            SLICE("choose an address of this machine with --listen"));
    }
}

static Finding check_configuration(Doctor *doctor)
{
    if (doctor->settings_problem.data != NULL)
        return doctor_finds(VERDICT_FAIL, SLICE("`brume start` would refuse it"), doctor->settings_problem);
    return doctor_is_pleased(SLICE("makes sense"));
}

const Check doctor_network_checks[] = {
    {"configuration", check_configuration},
    {"address", check_listen},
    {0},
};

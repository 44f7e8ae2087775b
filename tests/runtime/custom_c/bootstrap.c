/* A custom runtime for AWS Lambda in C, with nothing but sockets: the whole of what a `bootstrap` must do.
 *
 * It asks the Runtime API for an event, answers with {"event": …, "count": …}, and begins again (AWS Lambda developer
 * guide, "Building a custom runtime for AWS Lambda"). Compile it statically and put it into a zip as `bootstrap`.
 * Events that begin with a word in quotes ask for something else: "fail", "exit", "crash", "stream", "environment". */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 64 * 1024, EVENT_MAX = 7 * 1024 * 1024, PIECES = 100 };

typedef struct Event {
    char id[64];
    char head[HEAD_MAX];
    char payload[EVENT_MAX];
    size_t size;
} Event;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int connect_api(void)
{
    char host[64];
    int port;
    if (sscanf(getenv("AWS_LAMBDA_RUNTIME_API"), "%63[^:]:%d", host, &port) != 2)
        die("AWS_LAMBDA_RUNTIME_API");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0 || connect(file, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    return file;
}

static void send_all(int api, const char *bytes, size_t size)
{
    for (ssize_t sent; size > 0; bytes += sent, size -= (size_t)sent) {
        if ((sent = send(api, bytes, size, MSG_NOSIGNAL)) <= 0)
            die("send");
    }
}

/* Reads a head, and the body that it announces. */
static int receive(int api, Event *event)
{
    size_t got = 0;
    char *end = NULL;
    while (end == NULL) {
        ssize_t size = recv(api, event->head + got, HEAD_MAX - 1 - got, 0);
        if (size <= 0)
            die("the Runtime API left");
        got += (size_t)size;
        event->head[got] = '\0';
        end = strstr(event->head, "\r\n\r\n");
    }
    *end = '\0';
    const char *length = strstr(event->head, "\r\nContent-Length: ");
    event->size = length == NULL ? 0 : strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
    size_t have = got - (size_t)(end + 4 - event->head);
    if (event->size >= EVENT_MAX || have > event->size)
        die("the answer's length");
    memcpy(event->payload, end + 4, have);
    while (have < event->size) {
        ssize_t size = recv(api, event->payload + have, event->size - have, 0);
        if (size <= 0)
            die("the Runtime API left");
        have += (size_t)size;
    }
    event->payload[event->size] = '\0';
    return atoi(event->head + strlen("HTTP/1.1 "));
}

static void next(int api, Event *event)
{
    static const char request[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n";
    send_all(api, request, sizeof request - 1);
    if (receive(api, event) != 200)
        die("next");
    const char *id = strstr(event->head, "\r\nLambda-Runtime-Aws-Request-Id: ");
    if (id == NULL || sscanf(id, " Lambda-Runtime-Aws-Request-Id: %63s", event->id) != 1)
        die("request id");
}

static void post(int api, Event *event, const char *verb, const char *fields, const char *body, size_t size)
{
    char head[512];
    int length = snprintf(head, sizeof head,
                          "POST /2018-06-01/runtime/invocation/%s/%s HTTP/1.1\r\nHost: runtime\r\n%s"
                          "Content-Length: %zu\r\n\r\n",
                          event->id, verb, fields, size);
    send_all(api, head, (size_t)length);
    send_all(api, body, size);
    if (receive(api, event) != 202)
        die(verb);
}

static void answer(int api, Event *event)
{
    static int count;
    static char body[EVENT_MAX + 64];
    int size = snprintf(body, sizeof body, "{\"event\": %s, \"count\": %d}", event->payload, ++count);
    post(api, event, "response", "", body, (size_t)size);
}

/* In chunks, each as soon as it is there. */
static void stream(int api, Event *event)
{
    char text[512];
    int size = snprintf(text, sizeof text,
                        "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: runtime\r\n"
                        "Content-Type: text/plain\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n",
                        event->id);
    send_all(api, text, (size_t)size);
    for (int i = 0; i < PIECES; i++) {
        char piece[32];
        int length = snprintf(piece, sizeof piece, "piece %d\n", i);
        size = snprintf(text, sizeof text, "%x\r\n%s\r\n", (unsigned)length, piece);
        send_all(api, text, (size_t)size);
    }
    send_all(api, "0\r\n\r\n", 5);
    if (receive(api, event) != 202)
        die("response");
}

/* The variables that a test looks at, one a line, as a JSON string. */
static void tell_environment(int api, Event *event)
{
    char body[8192], here[256];
    size_t size = (size_t)snprintf(body, sizeof body, "\"PWD=%s", getcwd(here, sizeof here));
    static const char *const names[] = {"_HANDLER", "LAMBDA_TASK_ROOT", "AWS_REGION", "GREETING"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        size += (size_t)snprintf(body + size, sizeof body - size, " %s=%s", names[i], value == NULL ? "" : value);
    }
    size += (size_t)snprintf(body + size, sizeof body - size, "\"");
    post(api, event, "response", "", body, size);
}

int main(void)
{
    static const char failure[] = "{\"errorMessage\": \"as you wish\", \"errorType\": \"Bootstrap.Failed\"}";
    static Event event;
    int api = connect_api();
    for (;;) {
        next(api, &event);
        const char *wish = event.payload;
        if (strncmp(wish, "\"fail\"", 6) == 0) {
            post(api, &event, "error", "Lambda-Runtime-Function-Error-Type: Bootstrap.Failed\r\n", failure,
                 sizeof failure - 1);
        } else if (strncmp(wish, "\"exit\"", 6) == 0) {
            exit(3);
        } else if (strncmp(wish, "\"crash\"", 7) == 0) {
            raise(SIGSEGV);
        } else if (strncmp(wish, "\"stream\"", 8) == 0) {
            stream(api, &event);
        } else if (strncmp(wish, "\"environment\"", 13) == 0) {
            tell_environment(api, &event);
        } else {
            answer(api, &event);
        }
    }
}

/* The Runtime API is served as AWS documents it, in every state, and whatever comes over either of its two sockets.
 *
 * The function's program only writes down where the API is, and stays: the test itself is the client, so that it decides
 * on each byte. Real programs are in tests/runtime/test_custom.py. */
#include "runtime/runtime_api.h"

#include "runtime/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, TEXT_BYTES = 8 * 1024 * 1024, PAYLOAD_MAX = 6 * 1024 * 1024 + 100 };

#define NEXT "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n"
#define ID "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
#define EVENT_JSON                                                                                                     \
    "{\"requestId\":\"" ID "\",\"deadlineMs\":1542409706888,\"functionArn\":\"arn:aws:lambda:us-east-1:123456789012:"  \
    "function:f\",\"streamed\":false}"

typedef struct Worker {
    char folder[64];
    int channel;
    pid_t process;
    int port;
    char *text; /* of the answer, or frame, that was read last */
    size_t size;
} Worker;

/* ---- The two sockets ---- */

static void wait_for(int file, short events)
{
    struct pollfd polled = {.fd = file, .events = events};
    assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
}

static void send_all(int file, const void *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(file, bytes, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        bytes = (const char *)bytes + sent;
        size -= (size_t)sent;
    }
}

static void send_text(int file, const char *text)
{
    send_all(file, text, strlen(text));
}

static void send_frame(Worker *worker, FrameKind kind, const char *content, size_t size)
{
    char header[CHANNEL_HEADER_SIZE] = {(char)kind};
    uint32_t length = (uint32_t)size;
    memcpy(header + 4, &length, sizeof length);
    send_all(worker->channel, header, sizeof header);
    send_all(worker->channel, content, size);
}

static void send_event(Worker *worker, const char *json, const char *payload, size_t size)
{
    uint32_t length = (uint32_t)strlen(json);
    char *content = malloc(sizeof length + length + size);
    memcpy(content, &length, sizeof length);
    memcpy(content + sizeof length, json, length);
    memcpy(content + sizeof length + length, payload, size);
    send_frame(worker, FRAME_INVOKE, content, sizeof length + length + size);
    free(content);
}

static void read_exactly(int file, void *bytes, size_t size)
{
    while (size > 0) {
        wait_for(file, POLLIN);
        ssize_t got = recv(file, bytes, size, 0);
        assert_true(got > 0);
        bytes = (char *)bytes + got;
        size -= (size_t)got;
    }
}

static FrameKind read_frame(Worker *worker)
{
    char header[CHANNEL_HEADER_SIZE];
    read_exactly(worker->channel, header, sizeof header);
    uint32_t length;
    memcpy(&length, header + 4, sizeof length);
    assert_true(length < TEXT_BYTES);
    read_exactly(worker->channel, worker->text, length);
    worker->text[length] = '\0';
    worker->size = length;
    return (FrameKind)header[0];
}

static void expect_frame(Worker *worker, FrameKind kind, const char *content)
{
    assert_int_equal(read_frame(worker), kind);
    assert_string_equal(worker->text, content);
}

static int connect_to(const Worker *worker)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    address.sin_port = htons((uint16_t)worker->port);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(file, (struct sockaddr *)&address, sizeof address), 0);
    return file;
}

/* Reads one answer: its status; `text` is the body, and the head is given when it is asked for. */
static int read_answer(Worker *worker, int file, char *head)
{
    char buffer[4096];
    size_t size = 0;
    do {
        read_exactly(file, buffer + size, 1);
        assert_true(++size < sizeof buffer);
    } while (size < 4 || memcmp(buffer + size - 4, "\r\n\r\n", 4) != 0);
    buffer[size] = '\0';
    if (head != NULL)
        strcpy(head, buffer);
    int status = 0;
    assert_int_equal(sscanf(buffer, "HTTP/1.1 %d ", &status), 1);
    const char *length = strstr(buffer, "Content-Length: ");
    worker->size = length == NULL ? 0 : strtoul(length + strlen("Content-Length: "), NULL, 10);
    assert_true(worker->size < TEXT_BYTES);
    read_exactly(file, worker->text, worker->size);
    worker->text[worker->size] = '\0';
    return status;
}

static void expect_answer(Worker *worker, int file, int status, const char *body)
{
    assert_int_equal(read_answer(worker, file, NULL), status);
    assert_string_equal(worker->text, body);
}

static void post(int file, const char *path, const char *fields, const char *body)
{
    dprintf(file, "POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: runtime\r\n%sContent-Length: %zu\r\n\r\n%s", path,
            fields, strlen(body), body);
}

/* ---- A worker ---- */

static void write_program(const Worker *worker, const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/bootstrap", worker->folder);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void serve_without_netlink(const RuntimeApiOptions *options)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0)) !=
            0 ||
        seccomp_load(filter) != 0)
        _exit(99);
    seccomp_release(filter);
    _exit(runtime_api_serve(options));
}

static void serve(const RuntimeApiOptions *options)
{
    _exit(runtime_api_serve(options));
}

static Worker *make_worker(const char *program, mode_t mode, void (*run)(const RuntimeApiOptions *))
{
    Worker *worker = calloc(1, sizeof *worker);
    worker->text = malloc(TEXT_BYTES);
    strcpy(worker->folder, "/tmp/brume-api-XXXXXX");
    assert_non_null(mkdtemp(worker->folder));
    if (program != NULL)
        write_program(worker, program, mode);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    worker->process = fork();
    if (worker->process == 0) {
        close(pair[0]);
        RuntimeApiOptions options = {pair[1], worker->folder, "/nowhere"};
        run(&options);
    }
    close(pair[1]);
    worker->channel = pair[0];
    return worker;
}

static void send_init(Worker *worker, const char *init)
{
    send_frame(worker, FRAME_INIT, init, strlen(init));
}

/* The program says where the API is by a fifo, and ends when the test closes it: or by what is written there. */
static void find_port(Worker *worker)
{
    char path[128];
    snprintf(path, sizeof path, "%s/port", worker->folder);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    char text[64] = {0};
    assert_true(read(file, text, sizeof text - 1) > 0);
    close(file);
    assert_int_equal(sscanf(text, "127.0.0.1:%d", &worker->port), 1);
}

/* `end`: what the program does once something is written into the fifo "end". */
static Worker *start_worker_served_by(const char *end, void (*run)(const RuntimeApiOptions *))
{
    char program[512];
    snprintf(program, sizeof program, "#!/bin/sh\necho $AWS_LAMBDA_RUNTIME_API > port\nread word < end\n%s\n", end);
    Worker *worker = make_worker(program, 0700, run);
    char path[128];
    snprintf(path, sizeof path, "%s/port", worker->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/end", worker->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    send_init(worker,
              "{\"handler\":\"h\",\"environment\":{\"PATH\":\"/usr/bin:/bin\",\"AWS_LAMBDA_RUNTIME_API\":\"x\"}}");
    find_port(worker);
    return worker;
}

static Worker *start_worker(const char *end)
{
    return start_worker_served_by(end, serve);
}

static void let_end(const Worker *worker)
{
    char path[128];
    snprintf(path, sizeof path, "%s/end", worker->folder);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(file, "now\n", 4), 4);
    close(file);
}

/* How the process ended; the folder goes with it. */
static int collect(Worker *worker)
{
    int status;
    assert_int_equal(waitpid(worker->process, &status, 0), worker->process);
    close(worker->channel);
    const char *const names[] = {"bootstrap", "port", "end"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", worker->folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(worker->folder), 0);
    free(worker->text);
    free(worker);
    return status;
}

static void stop(Worker *worker)
{
    shutdown(worker->channel, SHUT_RDWR);
    assert_int_equal(collect(worker), W_EXITCODE(1, 0));
}

/* A connection whose program has the event. */
static int run_event(Worker *worker)
{
    int file = connect_to(worker);
    send_text(file, NEXT);
    expect_frame(worker, FRAME_READY, "");
    send_event(worker, EVENT_JSON, "{}", 2);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    return file;
}

#define NOT_ALLOWED(from, to)                                                                                          \
    "{\"errorMessage\":\"State transition from " from " to " to                                                        \
    " failed for runtime. Error: State transition is not allowed\",\"errorType\":\"InvalidStateTransition\"}"
#define STATUS_OK "{\"status\":\"OK\"}"

/* ---- Events and answers ---- */

static void an_event_is_given_with_the_fields_that_tell_of_it(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = connect_to(worker);
    send_text(file, NEXT);
    expect_frame(worker, FRAME_READY, "");
    send_event(
        worker,
        "{\"requestId\":\"" ID "\",\"deadlineMs\":1542409706888,\"functionArn\":\"arn:f\",\"trace\":\"Root=1-5\","
        "\"clientContext\":{\"a\":\n1},\"identity\":\"{\\\"id\\\":\\r\\n2}\",\"tenantId\":\"t1\",\"streamed\":true}",
        "{\"key\":1}", 9);
    char head[4096];
    assert_int_equal(read_answer(worker, file, head), 200);
    assert_string_equal(worker->text, "{\"key\":1}");
    assert_non_null(strstr(head, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(head, "\r\nLambda-Runtime-Aws-Request-Id: " ID "\r\n"));
    assert_non_null(strstr(head, "\r\nLambda-Runtime-Deadline-Ms: 1542409706888\r\n"));
    assert_non_null(strstr(head, "\r\nLambda-Runtime-Invoked-Function-Arn: arn:f\r\n"));
    assert_non_null(strstr(head, "\r\nLambda-Runtime-Trace-Id: Root=1-5\r\n"));
    assert_non_null(strstr(head, "\r\nLambda-Runtime-Client-Context: {\"a\": 1}\r\n"));
    assert_non_null(strstr(head, "\r\nLambda-Runtime-Cognito-Identity: {\"id\":  2}\r\n"));
    assert_non_null(strstr(head, "\r\nLambda-Runtime-Aws-Tenant-Id: t1\r\n"));
    close(file);
    stop(worker);
}

static void what_an_event_has_not_is_not_told(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = connect_to(worker);
    send_text(file, NEXT);
    expect_frame(worker, FRAME_READY, "");
    send_event(worker, EVENT_JSON, "", 0);
    char head[4096];
    assert_int_equal(read_answer(worker, file, head), 200);
    assert_int_equal(worker->size, 0);
    assert_null(strstr(head, "Trace-Id"));
    assert_null(strstr(head, "Client-Context"));
    assert_null(strstr(head, "Cognito"));
    assert_null(strstr(head, "Tenant"));
    close(file);
    stop(worker);
}

static void answers_reach_the_server_on_one_kept_connection(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    for (int i = 0; i < 100; i++) {
        char body[32];
        snprintf(body, sizeof body, "{\"count\":%d}", i);
        post(file, "invocation/" ID "/response", "", body);
        expect_answer(worker, file, 202, STATUS_OK);
        expect_frame(worker, FRAME_RESPONSE, body);
        /* The server is often faster than the program. */
        if (i % 2 == 0)
            send_event(worker, EVENT_JSON, "[]", 2);
        send_text(file, NEXT);
        if (i % 2 == 1)
            send_event(worker, EVENT_JSON, "[]", 2);
        expect_answer(worker, file, 200, "[]");
    }
    close(file);
    stop(worker);
}

static void an_answer_in_chunks_is_one_answer(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: runtime\r\n"
                    "Lambda-Runtime-Function-Response-Mode: buffered\r\nTransfer-Encoding: chunked\r\n\r\n");
    send_text(file, "4\r\n{\"a\"\r\n");
    send_text(file, "3\r\n:1}\r\n0\r\n\r\n");
    expect_answer(worker, file, 202, STATUS_OK);
    expect_frame(worker, FRAME_RESPONSE, "{\"a\":1}");
    close(file);
    stop(worker);
}

static void errors_reach_the_server_as_they_are(void **state)
{
    (void)state;
    static const char document[] = "{\"errorMessage\":\"no\",\"errorType\":\"Bad\",\"stackTrace\":[\"a\"]}";
    static const struct {
        const char *fields;
        const char *body;
        const char *given;
    } rows[] = {
        {"", document, document},
        {"Lambda-Runtime-Function-Error-Type: App.Broken\r\n", "no JSON", "{\"errorType\":\"App.Broken\"}"},
        {"Lambda-Runtime-Function-Error-Type: App.Broken\r\n", "", "{\"errorType\":\"App.Broken\"}"},
        {"", "", "{\"errorType\":\"Runtime.Unknown\"}"},
    };
    Worker *worker = start_worker("");
    int file = run_event(worker);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        post(file, "invocation/" ID "/error", rows[i].fields, rows[i].body);
        expect_answer(worker, file, 202, STATUS_OK);
        expect_frame(worker, FRAME_ERROR, rows[i].given);
        send_text(file, NEXT);
        send_event(worker, EVENT_JSON, "{}", 2);
        assert_int_equal(read_answer(worker, file, NULL), 200);
    }
    close(file);
    stop(worker);
}

static void a_program_may_say_that_it_cannot_start(void **state)
{
    (void)state;
    Worker *worker = start_worker("exit 7");
    int file = connect_to(worker);
    post(file, "init/error", "Lambda-Runtime-Function-Error-Type: Runtime.NoSuchHandler\r\n",
         "{\"errorMessage\":\"no handler\",\"errorType\":\"NoSuchHandler\"}");
    expect_answer(worker, file, 202, STATUS_OK);
    expect_frame(worker, FRAME_INIT_ERROR, "{\"errorMessage\":\"no handler\",\"errorType\":\"NoSuchHandler\"}");
    send_text(file, NEXT);
    expect_answer(worker, file, 403, NOT_ALLOWED("RuntimeInitErrorState", "Ready"));
    close(file);
    let_end(worker);
    assert_int_equal(collect(worker), W_EXITCODE(7, 0));
}

/* ---- What is refused ---- */

static void calls_out_of_order_are_refused_and_change_nothing(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = connect_to(worker);
    post(file, "invocation/" ID "/response", "", "{}");
    expect_answer(worker, file, 400, "{\"errorMessage\":\"Invalid request ID\",\"errorType\":\"InvalidRequestID\"}");
    send_text(file, NEXT);
    expect_frame(worker, FRAME_READY, "");
    int other = connect_to(worker);
    send_text(other, NEXT);
    expect_answer(worker, other, 403, NOT_ALLOWED("RuntimeReadyState", "Ready"));
    send_event(worker, EVENT_JSON, "{}", 2);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_text(other, NEXT);
    expect_answer(worker, other, 403, NOT_ALLOWED("RuntimeRunningState", "Ready"));
    post(other, "init/error", "", "{}");
    expect_answer(worker, other, 403, NOT_ALLOWED("RuntimeRunningState", "InitError"));
    post(other, "invocation/another/response", "", "{}");
    expect_answer(worker, other, 400, "{\"errorMessage\":\"Invalid request ID\",\"errorType\":\"InvalidRequestID\"}");
    post(file, "invocation/" ID "/response", "", "{}");
    expect_answer(worker, file, 202, STATUS_OK);
    expect_frame(worker, FRAME_RESPONSE, "{}");
    post(file, "invocation/" ID "/response", "", "{}");
    expect_answer(worker, file, 403, NOT_ALLOWED("RuntimeResponseSentState", "InvocationResponse"));
    post(file, "invocation/" ID "/error", "", "{}");
    expect_answer(worker, file, 403, NOT_ALLOWED("RuntimeResponseSentState", "InvocationErrorResponse"));
    close(other);
    close(file);
    stop(worker);
}

static void what_is_not_implemented_says_so_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
        const char *body;
    } rows[] = {
        {"POST /2020-01-01/extension/register", 501,
         "{\"errorMessage\":\"Brume does not implement the Extensions API\",\"errorType\":\"NotImplemented\"}"},
        {"GET /2020-01-01/extension/event/next", 501,
         "{\"errorMessage\":\"Brume does not implement the Extensions API\",\"errorType\":\"NotImplemented\"}"},
        {"PUT /2020-08-15/logs", 501,
         "{\"errorMessage\":\"Brume does not implement the Logs API\",\"errorType\":\"NotImplemented\"}"},
        {"PUT /2022-07-01/telemetry", 501,
         "{\"errorMessage\":\"Brume does not implement the Telemetry API\",\"errorType\":\"NotImplemented\"}"},
        {"GET /2018-06-01/runtime/restore/next", 501,
         "{\"errorMessage\":\"Brume does not implement SnapStart for custom "
         "runtimes\",\"errorType\":\"NotImplemented\"}"},
        {"GET /2018-06-01/runtime/invocation/next/more", 404,
         "{\"errorMessage\":\"The Runtime API has no such path\",\"errorType\":\"NotFound\"}"},
        {"GET /", 404, "{\"errorMessage\":\"The Runtime API has no such path\",\"errorType\":\"NotFound\"}"},
        {"POST /2018-06-01/runtime/invocation/next", 405,
         "{\"errorMessage\":\"The path does not take this method\",\"errorType\":\"MethodNotAllowed\"}"},
        {"DELETE /2018-06-01/runtime/init/error", 405,
         "{\"errorMessage\":\"The path does not take this method\",\"errorType\":\"MethodNotAllowed\"}"},
    };
    Worker *worker = start_worker("");
    int file = connect_to(worker);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dprintf(file, "%s HTTP/1.1\r\nHost: runtime\r\nContent-Length: 2\r\n\r\n{}", rows[i].request);
        expect_answer(worker, file, rows[i].status, rows[i].body);
    }
    close(file);
    stop(worker);
}

static void bytes_that_are_no_request_end_their_connection_alone(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int kept = connect_to(worker);
    send_text(kept, NEXT);
    expect_frame(worker, FRAME_READY, "");
    char target[2048];
    memset(target, 'a', sizeof target);
    target[sizeof target - 1] = '\0';
    char long_target[2200];
    snprintf(long_target, sizeof long_target, "GET /%s HTTP/1.1\r\n\r\n", target);
    const char *const rows[] = {"nonsense\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "\x16\x03\x01", long_target};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int file = connect_to(worker);
        send_text(file, rows[i]);
        assert_int_equal(read_answer(worker, file, NULL), 400);
        char more;
        wait_for(file, POLLIN);
        assert_true(recv(file, &more, 1, 0) <= 0);
        close(file);
    }
    send_event(worker, EVENT_JSON, "{}", 2);
    expect_answer(worker, kept, 200, "{}");
    close(kept);
    stop(worker);
}

static void heads_without_end_are_refused(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = connect_to(worker);
    send_text(file, "GET / HTTP/1.1\r\nHost: runtime\r\nX: ");
    char piece[64 * 1024];
    memset(piece, 'x', sizeof piece);
    ssize_t sent = 0;
    for (int i = 0; i < 1024 && sent >= 0; i++) {
        struct pollfd polled = {.fd = file, .events = POLLIN | POLLOUT};
        poll(&polled, 1, PATIENCE_MS);
        sent = (polled.revents & POLLIN) != 0 ? -1 : send(file, piece, sizeof piece, MSG_NOSIGNAL);
    }
    assert_int_equal(sent, -1);
    close(file);
    /* One of the size of X-Ray's causes passes. */
    file = connect_to(worker);
    send_text(file, "GET / HTTP/1.1\r\nHost: runtime\r\nLambda-Runtime-Function-XRay-Error-Cause: ");
    for (int i = 0; i < 16; i++)
        send_all(file, piece, sizeof piece);
    send_text(file, "\r\n\r\n");
    assert_int_equal(read_answer(worker, file, NULL), 404);
    close(file);
    stop(worker);
}

static void more_connections_than_can_be_served_are_closed(void **state)
{
    (void)state;
    enum { MANY = 80, SERVED = 64 };
    Worker *worker = start_worker("");
    int files[MANY];
    int served = 0;
    for (int i = 0; i < MANY; i++) {
        files[i] = connect_to(worker);
        send_text(files[i], "GET / HTTP/1.1\r\nHost: runtime\r\n\r\n");
        char byte;
        wait_for(files[i], POLLIN);
        served += recv(files[i], &byte, 1, MSG_PEEK) == 1;
    }
    assert_int_equal(served, SERVED);
    for (int i = 0; i < MANY; i++)
        close(files[i]);
    stop(worker);
}

static void who_is_there_is_known_without_netlink_too(void **state)
{
    (void)state;
    Worker *worker = start_worker_served_by("", serve_without_netlink);
    close(run_event(worker));
    int file = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)worker->port)};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.sin6_addr);
    assert_int_equal(connect(file, (struct sockaddr *)&address, sizeof address), 0);
    post(file, "invocation/" ID "/response", "", "{}");
    expect_answer(worker, file, 202, STATUS_OK);
    close(file);
    stop(worker);
}

/* ---- Sizes ---- */

static void six_megabytes_pass_either_way_and_a_byte_more_does_not(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = connect_to(worker);
    send_text(file, NEXT);
    expect_frame(worker, FRAME_READY, "");
    char *payload = malloc(PAYLOAD_MAX + 2);
    memset(payload, '7', PAYLOAD_MAX + 1);
    payload[PAYLOAD_MAX + 1] = '\0';
    /* The test reads later than the server sends: the whole of it must find room. */
    send_event(worker, EVENT_JSON, payload, PAYLOAD_MAX);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    assert_int_equal(worker->size, PAYLOAD_MAX);
    assert_memory_equal(worker->text, payload, PAYLOAD_MAX);

    dprintf(file, "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nContent-Length: %d\r\n\r\n",
            PAYLOAD_MAX);
    send_all(file, payload, PAYLOAD_MAX);
    assert_int_equal(read_frame(worker), FRAME_RESPONSE);
    assert_int_equal(worker->size, PAYLOAD_MAX);
    assert_memory_equal(worker->text, payload, PAYLOAD_MAX);
    expect_answer(worker, file, 202, STATUS_OK);

    send_event(worker, EVENT_JSON, "1", 1);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    post(file, "invocation/" ID "/response", "", payload);
    expect_answer(worker, file, 413,
                  "{\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\","
                  "\"errorType\":\"RequestEntityTooLarge\"}");
    expect_frame(worker, FRAME_ERROR,
                 "{\"errorMessage\":\"Response payload size exceeded maximum allowed payload size (6291556 bytes).\","
                 "\"errorType\":\"Function.ResponseSizeTooLarge\"}");
    free(payload);
    close(file);
    stop(worker);
}

static void who_wants_to_be_told_to_go_on_is_told(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nContent-Length: 2\r\n"
                    "Expect: 100-continue\r\n\r\n");
    assert_int_equal(read_answer(worker, file, NULL), 100);
    send_text(file, "[]");
    expect_answer(worker, file, 202, STATUS_OK);
    expect_frame(worker, FRAME_RESPONSE, "[]");
    close(file);
    stop(worker);
}

static void requests_sent_ahead_are_answered_in_their_order(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = connect_to(worker);
    send_text(file, "GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" NEXT
                    "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]");
    assert_int_equal(read_answer(worker, file, NULL), 404);
    assert_int_equal(read_answer(worker, file, NULL), 404);
    expect_frame(worker, FRAME_READY, "");
    send_event(worker, EVENT_JSON, "{}", 2);
    expect_answer(worker, file, 200, "{}");
    expect_answer(worker, file, 202, STATUS_OK);
    expect_frame(worker, FRAME_RESPONSE, "[]");
    close(file);
    stop(worker);
}

/* ---- Answers in pieces ---- */

#define STREAMING(type)                                                                                                \
    "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: runtime\r\nContent-Type: " type             \
    "\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"                           \
    "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"
#define INTEGRATION "application/vnd.awslambda.http-integration-response"

static void pieces_go_on_as_they_come(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING("text/plain"));
    expect_frame(worker, FRAME_STREAM_START, "{\"contentType\":\"text/plain\"}");
    send_text(file, "5\r\nfirst\r\n");
    expect_frame(worker, FRAME_STREAM_PIECE, "first");
    int other = connect_to(worker);
    send_text(other, NEXT);
    expect_answer(worker, other, 403, NOT_ALLOWED("RuntimeInvocationResponseState", "Ready"));
    close(other);
    send_text(file, "6\r\nsecond\r\n");
    expect_frame(worker, FRAME_STREAM_PIECE, "second");
    send_text(file, "0\r\n\r\n");
    expect_frame(worker, FRAME_STREAM_END, "");
    expect_answer(worker, file, 202, STATUS_OK);
    send_event(worker, EVENT_JSON, "{}", 2);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    close(file);
    stop(worker);
}

static void trailers_tell_why_a_stream_broke(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING("text/plain") "5\r\nfirst\r\n0\r\nLambda-Runtime-Function-Error-Type: App.Broken\r\n"
                                            "Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJhIn0=\r\n\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    expect_frame(worker, FRAME_STREAM_PIECE, "first");
    expect_frame(worker, FRAME_STREAM_ERROR, "{\"errorType\":\"a\"}");
    expect_answer(worker, file, 202, STATUS_OK);
    send_event(worker, EVENT_JSON, "{}", 2);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_text(file, STREAMING("text/plain") "0\r\nLambda-Runtime-Function-Error-Type: App.Broken\r\n\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    expect_frame(worker, FRAME_STREAM_ERROR, "{\"errorType\":\"App.Broken\"}");
    close(file);
    stop(worker);
}

static void a_whole_answer_may_break_in_its_trailers(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: runtime\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n"
                    "Lambda-Runtime-Function-Error-Type: App.Broken\r\n\r\n");
    expect_frame(worker, FRAME_ERROR, "{\"errorType\":\"App.Broken\"}");
    expect_answer(worker, file, 202, STATUS_OK);
    close(file);
    stop(worker);
}

static void an_answer_with_a_prelude_is_streamed_to_who_takes_pieces(void **state)
{
    (void)state;
    static const char answer[] = "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: runtime\r\n"
                                 "Content-Type: " INTEGRATION "\r\nContent-Length: 14\r\n\r\n{}\0\0\0\0\0\0\0\0body";
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_all(file, answer, sizeof answer - 1);
    assert_int_equal(read_frame(worker), FRAME_RESPONSE);
    assert_int_equal(worker->size, 14);
    expect_answer(worker, file, 202, STATUS_OK);
    send_text(file, NEXT);
    send_event(worker, "{\"requestId\":\"" ID "\",\"streamed\":true}", "{}", 2);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_all(file, answer, sizeof answer - 1);
    expect_frame(worker, FRAME_STREAM_START, "{\"contentType\":\"" INTEGRATION "\",\"prelude\":{}}");
    expect_frame(worker, FRAME_STREAM_PIECE, "body");
    expect_frame(worker, FRAME_STREAM_END, "");
    expect_answer(worker, file, 202, STATUS_OK);
    close(file);
    stop(worker);
}

static void the_prelude_of_a_url_is_told_apart_from_the_body(void **state)
{
    (void)state;
    static const char second[] = "a\r\n\0\0\0\0\0\0body\r\n0\r\n\r\n";
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING(INTEGRATION) "9\r\n{\"statusC\r\n");
    send_all(file, "b\r\node\":201}\0\0\r\n", 16);
    send_all(file, second, sizeof second - 1);
    expect_frame(worker, FRAME_STREAM_START, "{\"contentType\":\"" INTEGRATION "\",\"prelude\":{\"statusCode\":201}}");
    expect_frame(worker, FRAME_STREAM_PIECE, "body");
    expect_frame(worker, FRAME_STREAM_END, "");
    expect_answer(worker, file, 202, STATUS_OK);
    close(file);
    stop(worker);
}

static void a_prelude_that_is_none_fails_the_invocation(void **state)
{
    (void)state;
    static const char broken[] = "10\r\nno JSON!\0\0\0\0\0\0\0\0\r\n4\r\nmore\r\n0\r\n\r\n";
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING(INTEGRATION));
    send_all(file, broken, sizeof broken - 1);
    expect_frame(worker, FRAME_ERROR,
                 "{\"errorMessage\":\"The answer does not begin with a JSON object and eight NUL bytes\","
                 "\"errorType\":\"Runtime.InvalidStreamingPrelude\"}");
    assert_int_equal(read_answer(worker, file, NULL), 400);
    send_event(worker, EVENT_JSON, "{}", 2);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_text(file, STREAMING(INTEGRATION) "2\r\n{}\r\n0\r\n\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    assert_int_equal(read_frame(worker), FRAME_STREAM_ERROR);
    assert_int_equal(read_answer(worker, file, NULL), 202);
    close(file);
    stop(worker);
}

static void a_stream_whose_program_leaves_is_broken(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING("text/plain") "5\r\nfirst\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    expect_frame(worker, FRAME_STREAM_PIECE, "first");
    close(file);
    expect_frame(worker, FRAME_STREAM_ERROR,
                 "{\"errorMessage\":\"The response stream ended before its end\","
                 "\"errorType\":\"Runtime.TruncatedResponse\"}");
    file = connect_to(worker);
    send_event(worker, EVENT_JSON, "{}", 2);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_text(file, STREAMING("text/plain") "nonsense\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    assert_int_equal(read_frame(worker), FRAME_STREAM_ERROR);
    assert_int_equal(read_answer(worker, file, NULL), 400);
    close(file);
    stop(worker);
}

static void a_server_that_does_not_read_holds_the_stream_back(void **state)
{
    (void)state;
    enum { PIECE = 64 * 1024, PIECES = 512 };
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING("text/plain"));
    assert_int_equal(fcntl(file, F_SETFL, O_NONBLOCK), 0);
    static char chunk[8 + PIECE + 2];
    memcpy(chunk, "010000\r\n", 8);
    memset(chunk + 8, 'x', PIECE);
    memcpy(chunk + 8 + PIECE, "\r\n", 2);
    size_t sent = 0;
    struct pollfd polled = {.fd = file, .events = POLLOUT};
    while (poll(&polled, 1, 300) == 1) {
        ssize_t now = send(file, chunk + sent % sizeof chunk, sizeof chunk - sent % sizeof chunk, MSG_NOSIGNAL);
        assert_true(now > 0);
        sent += (size_t)now;
        assert_true(sent < (size_t)PIECES * PIECE);
    }
    /* Once it reads, all of it comes. */
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    size_t whole = sent / sizeof chunk * PIECE;
    size_t got = 0;
    while (got < whole) {
        assert_int_equal(read_frame(worker), FRAME_STREAM_PIECE);
        got += worker->size;
    }
    close(file);
    stop(worker);
}

/* ---- The program ---- */

static void a_function_without_a_program_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *program;
        mode_t mode;
        const char *message;
    } rows[] = {
        {NULL, 0, "Couldn't find valid bootstrap(s): [%s/bootstrap /nowhere/bootstrap]"},
        {"\x7f"
         "ELF",
         0700, "fork/exec %s/bootstrap: exec format error"},
        {"#!/bin/sh\n", 0600, "fork/exec %s/bootstrap: permission denied"},
        {"#!/nowhere/sh\n", 0700, "fork/exec %s/bootstrap: no such file or directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Worker *worker = make_worker(rows[i].program, rows[i].mode, serve);
        send_init(worker, "{\"environment\":{}}");
        char message[160], document[320];
        snprintf(message, sizeof message, rows[i].message, worker->folder);
        snprintf(document, sizeof document, "{\"errorMessage\":\"%s\",\"errorType\":\"Runtime.InvalidEntrypoint\"}",
                 message);
        expect_frame(worker, FRAME_INIT_ERROR, document);
        assert_int_equal(collect(worker), W_EXITCODE(1, 0));
    }
}

static void expect_exit(Worker *worker, int status)
{
    assert_int_equal(read_frame(worker), FRAME_EXIT);
    assert_int_equal(worker->size, sizeof(uint32_t));
    uint32_t told;
    memcpy(&told, worker->text, sizeof told);
    assert_int_equal(told, status);
    assert_int_equal(collect(worker), status);
}

static void the_worker_ends_as_its_program_does(void **state)
{
    (void)state;
    static const struct {
        const char *end;
        int status;
    } rows[] = {{"exit 0", W_EXITCODE(0, 0)},
                {"exit 3", W_EXITCODE(3, 0)},
                {"kill -9 $$", W_EXITCODE(0, SIGKILL)},
                {"kill -15 $$", W_EXITCODE(0, SIGTERM)}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Worker *worker = start_worker(rows[i].end);
        let_end(worker);
        expect_exit(worker, rows[i].status);
    }
}

static void what_was_sent_before_the_end_counts(void **state)
{
    (void)state;
    Worker *worker = start_worker("exit 0");
    int file = run_event(worker);
    post(file, "invocation/" ID "/response", "Connection: close\r\n", "[1]");
    close(file);
    let_end(worker);
    expect_frame(worker, FRAME_RESPONSE, "[1]");
    expect_exit(worker, 0);
}

static void an_orphan_does_not_end_the_worker(void **state)
{
    (void)state;
    Worker *worker = start_worker("(sleep 0.01; exit 5) & exit 4");
    let_end(worker);
    expect_exit(worker, W_EXITCODE(4, 0));
}

static void a_server_that_leaves_takes_the_program_with_it(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    char path[128];
    snprintf(path, sizeof path, "%s/end", worker->folder);
    int file = open(path, O_WRONLY | O_CLOEXEC); /* the program is its reader */
    stop(worker);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(write(file, "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    close(file);
}

static void a_server_that_speaks_nonsense_is_left(void **state)
{
    (void)state;
    static const struct {
        FrameKind kind;
        const char *content;
        size_t size;
    } rows[] = {
        {FRAME_INIT, "{", 1},
        {FRAME_INIT, "{\"environment\":{\"A\":1}}", 23},
        {FRAME_INIT, "{\"environment\":{\"A=B\":\"\"}}", 25},
        {FRAME_INVOKE, "\2\0\0\0{}", 6}, /* before anything else */
        {FRAME_READY, "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Worker *worker = make_worker("#!/bin/sh\nsleep 100\n", 0700, serve);
        send_frame(worker, rows[i].kind, rows[i].content, rows[i].size);
        assert_int_equal(collect(worker), W_EXITCODE(1, 0));
    }
    static const struct {
        const char *content;
        size_t size;
    } events[] = {
        {"", 0}, {"\xff\0\0\0{}", 6}, {"\2\0\0\0[]", 6}, {"\2\0\0\0{]", 6}, {"\x10\0\0\0{\"requestId\":\"\"}", 20}};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        Worker *worker = start_worker("");
        int file = connect_to(worker);
        send_text(file, NEXT);
        expect_frame(worker, FRAME_READY, "");
        send_frame(worker, FRAME_INVOKE, events[i].content, events[i].size);
        close(file);
        assert_int_equal(collect(worker), W_EXITCODE(1, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_given_with_the_fields_that_tell_of_it),
        cmocka_unit_test(what_an_event_has_not_is_not_told),
        cmocka_unit_test(answers_reach_the_server_on_one_kept_connection),
        cmocka_unit_test(an_answer_in_chunks_is_one_answer),
        cmocka_unit_test(errors_reach_the_server_as_they_are),
        cmocka_unit_test(a_program_may_say_that_it_cannot_start),
        cmocka_unit_test(calls_out_of_order_are_refused_and_change_nothing),
        cmocka_unit_test(what_is_not_implemented_says_so_by_name),
        cmocka_unit_test(bytes_that_are_no_request_end_their_connection_alone),
        cmocka_unit_test(heads_without_end_are_refused),
        cmocka_unit_test(more_connections_than_can_be_served_are_closed),
        cmocka_unit_test(who_is_there_is_known_without_netlink_too),
        cmocka_unit_test(six_megabytes_pass_either_way_and_a_byte_more_does_not),
        cmocka_unit_test(who_wants_to_be_told_to_go_on_is_told),
        cmocka_unit_test(requests_sent_ahead_are_answered_in_their_order),
        cmocka_unit_test(pieces_go_on_as_they_come),
        cmocka_unit_test(trailers_tell_why_a_stream_broke),
        cmocka_unit_test(a_whole_answer_may_break_in_its_trailers),
        cmocka_unit_test(an_answer_with_a_prelude_is_streamed_to_who_takes_pieces),
        cmocka_unit_test(the_prelude_of_a_url_is_told_apart_from_the_body),
        cmocka_unit_test(a_prelude_that_is_none_fails_the_invocation),
        cmocka_unit_test(a_stream_whose_program_leaves_is_broken),
        cmocka_unit_test(a_server_that_does_not_read_holds_the_stream_back),
        cmocka_unit_test(a_function_without_a_program_says_so),
        cmocka_unit_test(the_worker_ends_as_its_program_does),
        cmocka_unit_test(what_was_sent_before_the_end_counts),
        cmocka_unit_test(an_orphan_does_not_end_the_worker),
        cmocka_unit_test(a_server_that_leaves_takes_the_program_with_it),
        cmocka_unit_test(a_server_that_speaks_nonsense_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The Runtime API is served as AWS documents it, in every state, and whatever comes over either of its two sockets. Real
 * programs are in tests/runtime/test_custom.py. */
#include "runtime_api_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, PAYLOAD_MAX = 6 * 1024 * 1024 + 100 };

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
        {"GET /2020-01-01/extension/event/next", 403,
         "{\"errorMessage\":\"The request has no Lambda-Extension-Identifier\","
         "\"errorType\":\"Extension.MissingExtensionIdentifier\"}"},
        {"GET /2020-01-01/extension/register", 405,
         "{\"errorMessage\":\"The path does not take this method\",\"errorType\":\"MethodNotAllowed\"}"},
        {"GET /2020-01-01/extension/events", 404,
         "{\"errorMessage\":\"The Runtime API has no such path\",\"errorType\":\"NotFound\"}"},
        {"PUT /2020-08-15/logs", 403,
         "{\"errorMessage\":\"The request has no Lambda-Extension-Identifier\","
         "\"errorType\":\"Extension.MissingExtensionIdentifier\"}"},
        {"POST /2022-07-01/telemetry", 405,
         "{\"errorMessage\":\"The path does not take this method\",\"errorType\":\"MethodNotAllowed\"}"},
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
        struct pollfd polled = {.fd = file, .events = POLLIN};
        assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
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
        struct pollfd polled = {.fd = files[i], .events = POLLIN};
        assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
        served += recv(files[i], &byte, 1, MSG_PEEK) == 1;
    }
    assert_int_equal(served, SERVED);
    for (int i = 0; i < MANY; i++)
        close(files[i]);
    stop(worker);
}

static void serve_without_netlink(const RuntimeApiOptions *options)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                         SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0)) != 0 ||
        seccomp_load(filter) != 0)
        _exit(99);
    seccomp_release(filter);
    _exit(runtime_api_serve(options));
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

static void expect_exit(Worker *worker, int status, uint32_t taken)
{
    assert_int_equal(read_frame(worker), FRAME_EXIT);
    uint32_t told[2];
    assert_int_equal(worker->size, sizeof told);
    memcpy(told, worker->text, sizeof told);
    assert_int_equal(told[0], status);
    assert_int_equal(told[1], taken);
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
        expect_exit(worker, rows[i].status, 0);
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
    expect_exit(worker, 0, 1);
}

static void an_event_that_nobody_asked_for_is_not_counted(void **state)
{
    (void)state;
    Worker *worker = start_worker("exit 1");
    int file = run_event(worker);
    post(file, "invocation/" ID "/error", "", "{}");
    expect_answer(worker, file, 202, STATUS_OK);
    expect_frame(worker, FRAME_ERROR, "{}");
    /* A program that ends after an error; the server cannot know, and sends the next event. */
    send_event(worker, EVENT_JSON, "{}", 2);
    let_end(worker);
    expect_exit(worker, W_EXITCODE(1, 0), 1);
    close(file);
}

static void an_orphan_does_not_end_the_worker(void **state)
{
    (void)state;
    Worker *worker = start_worker("(sleep 0.01; exit 5) & exit 4");
    let_end(worker);
    expect_exit(worker, W_EXITCODE(4, 0), 0);
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
        cmocka_unit_test(a_function_without_a_program_says_so),
        cmocka_unit_test(the_worker_ends_as_its_program_does),
        cmocka_unit_test(what_was_sent_before_the_end_counts),
        cmocka_unit_test(an_event_that_nobody_asked_for_is_not_counted),
        cmocka_unit_test(an_orphan_does_not_end_the_worker),
        cmocka_unit_test(a_server_that_leaves_takes_the_program_with_it),
        cmocka_unit_test(a_server_that_speaks_nonsense_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

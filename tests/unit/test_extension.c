/* Extensions beside a program, with each of their bytes in the test's hands: it is the client of both, and the server. */
#include "runtime_api_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOTH "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}"
#define WITH_EXTENSIONS "\x01"

static char identifier[64];

/* ---- A worker with an extension called "shipper", of which nothing but its process is there ---- */

static void serve_layers(const RuntimeApiOptions *options)
{
    RuntimeApiOptions own = *options;
    own.layer_directory = options->task_directory;
    _exit(runtime_api_serve(&own));
}

static void put(const Worker *worker, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", worker->folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    assert_int_equal(chmod(path, 0700), 0);
}

static void make_fifo(const Worker *worker, const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", worker->folder, name);
    assert_int_equal(mkfifo(path, 0600), 0);
}

/* `end`: what the extension does when it has said where the API is. */
static Worker *start_extended(const char *end)
{
    char text[512];
    Worker *worker = make_worker("#!/bin/sh\nread word < end\n", 0700, serve_layers);
    make_fifo(worker, "port");
    make_fifo(worker, "end");
    snprintf(text, sizeof text, "%s/extensions", worker->folder);
    assert_int_equal(mkdir(text, 0700), 0);
    snprintf(text, sizeof text, "#!/bin/sh\necho $AWS_LAMBDA_RUNTIME_API > %s/port\n%s\n", worker->folder, end);
    put(worker, "extensions/shipper", text);
    put(worker, "extensions/.hidden", text);
    send_init(worker, "{\"handler\":\"h\",\"accountId\":\"123456789012\",\"environment\":{\"PATH\":\"/usr/bin:/bin\","
                      "\"AWS_LAMBDA_FUNCTION_NAME\":\"f\",\"AWS_LAMBDA_FUNCTION_VERSION\":\"7\",\"_HANDLER\":\"h\","
                      "\"AWS_LAMBDA_FUNCTION_MEMORY_SIZE\":\"128\"}}");
    snprintf(text, sizeof text, "%s/port", worker->folder);
    int file = open(text, O_RDONLY | O_CLOEXEC);
    char said[64] = {0};
    assert_true(read(file, said, sizeof said - 1) > 0);
    close(file);
    assert_int_equal(sscanf(said, "127.0.0.1:%d", &worker->port), 1);
    return worker;
}

static Worker *start_waiting(void)
{
    return start_extended("exec sleep 600");
}

static void remove_extensions(const Worker *worker)
{
    static const char *const names[] = {"extensions/shipper", "extensions/.hidden"};
    char path[160];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", worker->folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/extensions", worker->folder);
    rmdir(path);
}

static void stop_extended(Worker *worker)
{
    remove_extensions(worker);
    stop(worker);
}

static void ask(int file, const char *method, const char *path, const char *fields, const char *body)
{
    dprintf(file, "%s /%s HTTP/1.1\r\nHost: runtime\r\n%sContent-Length: %zu\r\n\r\n%s", method, path, fields,
            strlen(body), body);
}

static int register_as(Worker *worker, int file, const char *name, const char *body)
{
    char fields[160];
    char head[4096];
    snprintf(fields, sizeof fields,
             "Lambda-Extension-Name: %s\r\nLambda-Extension-Accept-Feature: other, accountId\r\n", name);
    ask(file, "POST", "2020-01-01/extension/register", fields, body);
    int status = read_answer(worker, file, head);
    const char *id = strstr(head, "Lambda-Extension-Identifier: ");
    identifier[0] = '\0';
    if (id != NULL)
        assert_int_equal(sscanf(id, "Lambda-Extension-Identifier: %40s", identifier), 1);
    return status;
}

static void ask_as(int file, const char *method, const char *path, const char *body)
{
    char fields[160];
    snprintf(fields, sizeof fields,
             "Lambda-Extension-Identifier: %s\r\nLambda-Extension-Function-Error-Type: Ext.Bad\r\n", identifier);
    ask(file, method, path, fields, body);
}

static void ask_next(int file)
{
    ask_as(file, "GET", "2020-01-01/extension/event/next", "");
}

static void expect_log(Worker *worker, const char *part)
{
    assert_int_equal(read_frame(worker), FRAME_LOG);
    assert_non_null(strstr(worker->text, part));
}

static bool has_come(int file, int within_ms)
{
    struct pollfd polled = {.fd = file, .events = POLLIN};
    return poll(&polled, 1, within_ms) == 1;
}

typedef struct Extended {
    Worker *worker;
    int runtime;
    int extension;
} Extended;

/* Registered, and everybody waits. */
static Extended ready(void)
{
    Extended all = {.worker = start_waiting()};
    all.extension = connect_to(all.worker);
    assert_int_equal(register_as(all.worker, all.extension, "shipper", BOTH), 200);
    assert_string_equal(all.worker->text, "{\"functionName\":\"f\",\"functionVersion\":\"7\",\"handler\":\"h\","
                                          "\"accountId\":\"123456789012\"}");
    expect_log(all.worker, "EXTENSION\tName: shipper\tState: Registered\tEvents: [INVOKE,SHUTDOWN]");
    ask_next(all.extension);
    all.runtime = connect_to(all.worker);
    send_text(all.runtime, NEXT);
    expect_frame(all.worker, FRAME_READY, WITH_EXTENSIONS);
    return all;
}

/* ---- Promises ---- */

static void the_worker_is_ready_when_all_have_asked(void **state)
{
    (void)state;
    Worker *worker = start_waiting();
    int extension = connect_to(worker);
    assert_int_equal(register_as(worker, extension, "shipper", BOTH), 200);
    expect_log(worker, "Registered");
    int runtime = connect_to(worker);
    send_text(runtime, NEXT);
    assert_false(has_come(worker->channel, 100));
    ask_next(extension);
    expect_frame(worker, FRAME_READY, WITH_EXTENSIONS);
    close(extension);
    close(runtime);
    stop_extended(worker);
}

static void the_next_event_comes_when_all_are_done_with_the_last(void **state)
{
    (void)state;
    Extended all = ready();
    for (int i = 0; i < 3; i++) {
        send_event(all.worker, EVENT_JSON, "{}", 2);
        assert_int_equal(read_answer(all.worker, all.extension, NULL), 200);
        assert_string_equal(all.worker->text,
                            "{\"eventType\":\"INVOKE\",\"deadlineMs\":1542409706888,\"requestId\":\"" ID
                            "\",\"invokedFunctionArn\":\"arn:aws:lambda:us-east-1:123456789012:function:f\"}");
        assert_int_equal(read_answer(all.worker, all.runtime, NULL), 200);
        post(all.runtime, "invocation/" ID "/response", "", "\"done\"");
        expect_frame(all.worker, FRAME_RESPONSE, "\"done\"");
        expect_answer(all.worker, all.runtime, 202, STATUS_OK);
        send_text(all.runtime, NEXT);
        assert_false(has_come(all.worker->channel, 50));
        ask_next(all.extension);
        expect_frame(all.worker, FRAME_READY, WITH_EXTENSIONS);
    }
    close(all.runtime);
    close(all.extension);
    stop_extended(all.worker);
}

static void an_extension_that_asks_on_another_connection_gets_its_event(void **state)
{
    (void)state;
    Extended all = ready();
    close(all.extension);
    all.extension = connect_to(all.worker);
    send_event(all.worker, EVENT_JSON, "{}", 2);
    assert_int_equal(read_answer(all.worker, all.runtime, NULL), 200);
    ask_next(all.extension);
    assert_int_equal(read_answer(all.worker, all.extension, NULL), 200);
    assert_non_null(strstr(all.worker->text, "INVOKE"));
    close(all.runtime);
    close(all.extension);
    stop_extended(all.worker);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *body;
        int status;
        const char *type;
    } rows[] = {
        {"", BOTH, 403, "Extension.InvalidExtensionName"},
        {"other", BOTH, 403, "Extension.InvalidExtensionName"},
        {".hidden", BOTH, 403, "Extension.InvalidExtensionName"},
        {"shipper", "", 400, "InvalidRequestFormat"},
        {"shipper", "{\"events\":\"INVOKE\"}", 400, "InvalidRequestFormat"},
        {"shipper", "{\"events\":[1]}", 400, "InvalidRequestFormat"},
        {"shipper", "{\"events\":[\"INVOKE\"]}}", 400, "InvalidRequestFormat"},
        {"shipper", "{\"events\":[\"RESTORE\"]}", 400, "Extension.InvalidEventType"},
    };
    Worker *worker = start_waiting();
    int file = connect_to(worker);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(register_as(worker, file, rows[i].name, rows[i].body), rows[i].status);
        assert_non_null(strstr(worker->text, rows[i].type));
    }
    strcpy(identifier, "no-such-identifier");
    ask_next(file);
    assert_int_equal(read_answer(worker, file, NULL), 403);
    assert_non_null(strstr(worker->text, "Extension.UnknownExtensionIdentifier"));
    assert_int_equal(register_as(worker, file, "shipper", BOTH), 200);
    expect_log(worker, "Registered");
    char first[64];
    strcpy(first, identifier);
    assert_int_equal(register_as(worker, file, "shipper", BOTH), 403);
    assert_non_null(strstr(worker->text, "Extension.AlreadyRegistered"));
    strcpy(identifier, first);
    ask_next(file);
    int other = connect_to(worker);
    ask_next(other);
    assert_int_equal(read_answer(worker, other, NULL), 403);
    assert_non_null(strstr(worker->text, "Extension.InvalidExtensionState"));
    close(other);
    close(file);
    stop_extended(worker);
}

static void an_internal_extension_registers_before_the_first_event(void **state)
{
    (void)state;
    Worker *worker = start_waiting();
    int file = connect_to(worker);
    assert_int_equal(register_as(worker, file, "shipper", "{\"events\":[]}"), 200);
    expect_log(worker, "State: Registered\tEvents: []");
    ask_next(file);
    int internal = connect_to(worker);
    assert_int_equal(register_as(worker, internal, "inside", BOTH), 403);
    assert_non_null(strstr(worker->text, "Extension.InvalidEventType"));
    assert_int_equal(register_as(worker, internal, "inside", "{\"events\":[\"INVOKE\"]}"), 200);
    expect_log(worker, "Name: inside");
    int runtime = connect_to(worker);
    send_text(runtime, NEXT);
    assert_false(has_come(worker->channel, 100));
    ask_next(internal);
    expect_frame(worker, FRAME_READY, WITH_EXTENSIONS);
    int late = connect_to(worker);
    assert_int_equal(register_as(worker, late, "late", "{\"events\":[]}"), 403);
    assert_non_null(strstr(worker->text, "Extension.RegistrationClosed"));
    close(late);
    close(file);
    close(internal);
    close(runtime);
    stop_extended(worker);
}

static void an_error_of_the_init_phase_ends_the_worker(void **state)
{
    (void)state;
    Worker *worker = start_waiting();
    int file = connect_to(worker);
    assert_int_equal(register_as(worker, file, "shipper", "{\"events\":[\"INVOKE\"]}"), 200);
    expect_log(worker, "Registered");
    ask_as(file, "POST", "2020-01-01/extension/init/error", "{\"errorType\":\"Ext.Bad\"}");
    expect_log(worker, "State: InitError\tEvents: [INVOKE]\tError Type: Ext.Bad");
    expect_frame(worker, FRAME_INIT_ERROR, "{\"errorMessage\":\"exit code 0\",\"errorType\":\"Extension.InitError\"}");
    remove_extensions(worker);
    close(file);
    collect(worker); /* it was sent SIGTERM, which ends it */
}

static void the_end_of_an_extension_is_a_fault(void **state)
{
    (void)state;
    Worker *worker = start_extended("exit 5");
    expect_log(worker, "State: Crashed");
    expect_frame(worker, FRAME_INIT_ERROR, "{\"errorMessage\":\"exit code 5\",\"errorType\":\"Extension.Crash\"}");
    remove_extensions(worker);
    collect(worker);
}

static void the_shutdown_phase_is_told_and_bounded(void **state)
{
    (void)state;
    Extended all = ready();
    send_frame(all.worker, FRAME_SHUTDOWN, "spindown", 8);
    assert_int_equal(read_answer(all.worker, all.extension, NULL), 200);
    assert_non_null(strstr(all.worker->text, "\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"spindown\""));
    /* Its process sleeps: the worker ends all the same. */
    remove_extensions(all.worker);
    close(all.extension);
    close(all.runtime);
    collect(all.worker);
}

static void the_end_of_the_program_is_told_before_the_worker_ends(void **state)
{
    (void)state;
    Extended all = ready();
    let_end(all.worker);
    assert_int_equal(read_frame(all.worker), FRAME_EXIT);
    assert_int_equal(read_answer(all.worker, all.extension, NULL), 200);
    assert_non_null(strstr(all.worker->text, "\"shutdownReason\":\"failure\""));
    remove_extensions(all.worker);
    close(all.extension);
    close(all.runtime);
    collect(all.worker);
}

/* ---- Telemetry ---- */

static int listen_here(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(file, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(file, 8), 0);
    assert_int_equal(getsockname(file, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return file;
}

/* One delivery, whole, answered with that. */
static void take_batch(int listener, char *text, size_t room, const char *answer)
{
    assert_true(has_come(listener, 10000));
    int file = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    size_t size = 0;
    const char *body = NULL;
    do {
        ssize_t got = recv(file, text + size, room - 1 - size, 0);
        assert_true(got > 0);
        size += (size_t)got;
        text[size] = '\0';
        body = strstr(text, "\r\n\r\n");
    } while (body == NULL || text[size - 1] != ']');
    send_text(file, answer);
    close(file);
}

static void a_batch_is_sent_until_it_is_taken(void **state)
{
    (void)state;
    static char first[65536];
    static char second[65536];
    char body[256];
    int port;
    int listener = listen_here(&port);
    Worker *worker = start_waiting();
    int file = connect_to(worker);
    assert_int_equal(register_as(worker, file, "shipper", BOTH), 200);
    expect_log(worker, "Registered");
    snprintf(body, sizeof body,
             "{\"schemaVersion\":\"2022-12-13\",\"types\":[\"platform\"],\"buffering\":{\"timeoutMs\":25},"
             "\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:%d\"}}",
             port);
    ask_as(file, "PUT", "2022-07-01/telemetry", body);
    expect_answer(worker, file, 200, "\"OK\"");
    expect_log(worker, "TELEMETRY\tName: shipper\tState: Subscribed\tTypes: [platform]");
    take_batch(listener, first, sizeof first, "no HTTP at all\r\n\r\n");
    take_batch(listener, second, sizeof second, "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n");
    assert_string_equal(first, second);
    take_batch(listener, second, sizeof second, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_string_equal(first, second);
    assert_non_null(strstr(first, "[{\"time\":\""));
    assert_non_null(strstr(first, "platform.initStart"));
    assert_non_null(strstr(first, "platform.extension"));
    assert_non_null(strstr(first, "platform.telemetrySubscription"));
    assert_false(has_come(listener, 200));
    close(listener);
    close(file);
    stop_extended(worker);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worker_is_ready_when_all_have_asked),
        cmocka_unit_test(the_next_event_comes_when_all_are_done_with_the_last),
        cmocka_unit_test(an_extension_that_asks_on_another_connection_gets_its_event),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(an_internal_extension_registers_before_the_first_event),
        cmocka_unit_test(an_error_of_the_init_phase_ends_the_worker),
        cmocka_unit_test(the_end_of_an_extension_is_a_fault),
        cmocka_unit_test(the_shutdown_phase_is_told_and_bounded),
        cmocka_unit_test(the_end_of_the_program_is_told_before_the_worker_ends),
        cmocka_unit_test(a_batch_is_sent_until_it_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "runtime_api_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, TEXT_BYTES = 8 * 1024 * 1024 };

/* ---- The two sockets ---- */

static void wait_for(int file, short events)
{
    struct pollfd polled = {.fd = file, .events = events};
    assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
}

void send_all(int file, const void *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(file, bytes, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        bytes = (const char *)bytes + sent;
        size -= (size_t)sent;
    }
}

void send_text(int file, const char *text)
{
    send_all(file, text, strlen(text));
}

void send_frame(Worker *worker, FrameKind kind, const char *content, size_t size)
{
    char header[CHANNEL_HEADER_SIZE] = {(char)kind};
    uint32_t length = (uint32_t)size;
    memcpy(header + 4, &length, sizeof length);
    send_all(worker->channel, header, sizeof header);
    send_all(worker->channel, content, size);
}

void send_event(Worker *worker, const char *json, const char *payload, size_t size)
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

FrameKind read_frame(Worker *worker)
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

void expect_frame(Worker *worker, FrameKind kind, const char *content)
{
    assert_int_equal(read_frame(worker), kind);
    assert_string_equal(worker->text, content);
}

int connect_to(const Worker *worker)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    address.sin_port = htons((uint16_t)worker->port);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(file, (struct sockaddr *)&address, sizeof address), 0);
    return file;
}

int read_answer(Worker *worker, int file, char *head)
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

void expect_answer(Worker *worker, int file, int status, const char *body)
{
    assert_int_equal(read_answer(worker, file, NULL), status);
    assert_string_equal(worker->text, body);
}

void post(int file, const char *path, const char *fields, const char *body)
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

void serve(const RuntimeApiOptions *options)
{
    _exit(runtime_api_serve(options));
}

Worker *make_worker(const char *program, mode_t mode, void (*run)(const RuntimeApiOptions *))
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
        RuntimeApiOptions options = {
            .events = pair[1], .answers = pair[1], .task_directory = worker->folder, .layer_directory = "/nowhere"};
        run(&options);
    }
    close(pair[1]);
    worker->channel = pair[0];
    return worker;
}

void send_init(Worker *worker, const char *init)
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
Worker *start_worker_served_by(const char *end, void (*run)(const RuntimeApiOptions *))
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

Worker *start_worker(const char *end)
{
    return start_worker_served_by(end, serve);
}

void let_end(const Worker *worker)
{
    char path[128];
    snprintf(path, sizeof path, "%s/end", worker->folder);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(file, "now\n", 4), 4);
    close(file);
}

int collect(Worker *worker)
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

void stop(Worker *worker)
{
    shutdown(worker->channel, SHUT_RDWR);
    assert_int_equal(collect(worker), W_EXITCODE(1, 0));
}

int run_event(Worker *worker)
{
    int file = connect_to(worker);
    send_text(file, NEXT);
    expect_frame(worker, FRAME_READY, "");
    send_event(worker, EVENT_JSON, "{}", 2);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    return file;
}

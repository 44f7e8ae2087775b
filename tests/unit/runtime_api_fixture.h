/* runtime_api_fixture.h: a worker's Runtime API with both of its sockets in the test's hands.
 *
 * The function's program only writes down where the API is, and stays: the test itself is the client, so that it decides
 * on each byte. Every function ends the test when what it waits for does not come. */
#ifndef BRUME_TESTS_UNIT_RUNTIME_API_FIXTURE_H
#define BRUME_TESTS_UNIT_RUNTIME_API_FIXTURE_H

#include "runtime/channel.h"
#include "runtime/runtime_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/types.h>

#define NEXT "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n"
#define ID "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
#define EVENT_JSON                                                                                                     \
    "{\"requestId\":\"" ID "\",\"deadlineMs\":1542409706888,\"functionArn\":\"arn:aws:lambda:us-east-1:123456789012:"  \
    "function:f\",\"streamed\":false}"
#define NOT_ALLOWED(from, to)                                                                                          \
    "{\"errorMessage\":\"State transition from " from " to " to                                                        \
    " failed for runtime. Error: State transition is not allowed\",\"errorType\":\"InvalidStateTransition\"}"
#define STATUS_OK "{\"status\":\"OK\"}"

typedef struct Worker {
    char folder[64];
    int channel;
    pid_t process;
    int port;
    char *text; /* of the answer, or frame, that was read last */
    size_t size;
} Worker;

/* ---- The server's side ---- */

void send_frame(Worker *worker, FrameKind kind, const char *content, size_t size);
void send_init(Worker *worker, const char *init);
void send_event(Worker *worker, const char *json, const char *payload, size_t size);
FrameKind read_frame(Worker *worker);
void expect_frame(Worker *worker, FrameKind kind, const char *content);

/* ---- The program's side ---- */

int connect_to(const Worker *worker);
void send_all(int file, const void *bytes, size_t size);
void send_text(int file, const char *text);
void post(int file, const char *path, const char *fields, const char *body);
/* Reads one answer: its status; `text` is the body, and the head is given when it is asked for. */
int read_answer(Worker *worker, int file, char *head);
void expect_answer(Worker *worker, int file, int status, const char *body);

/* ---- A worker ---- */

/* What the forked process runs. */
__attribute__((noreturn)) void serve(const RuntimeApiOptions *options);
/* With that text as its bootstrap, of that mode; NULL: without. */
Worker *make_worker(const char *program, mode_t mode, void (*run)(const RuntimeApiOptions *));
/* With one that says where the API is, waits, and then does `end`. */
Worker *start_worker(const char *end);
Worker *start_worker_served_by(const char *end, void (*run)(const RuntimeApiOptions *));
/* A connection whose program has the event. */
int run_event(Worker *worker);
void let_end(const Worker *worker);
/* How the process ended; the folder goes with it. */
int collect(Worker *worker);
/* The server leaves. */
void stop(Worker *worker);

#endif

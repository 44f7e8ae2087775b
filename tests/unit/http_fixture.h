/* http_fixture.h: an HTTP server in threads of its own, and a client of raw bytes.
 *
 * The test's thread is the client; its sockets time out after some seconds, so that a test fails rather than hangs. */
#ifndef BRUME_TESTS_HTTP_FIXTURE_H
#define BRUME_TESTS_HTTP_FIXTURE_H

#include "net/http.h"

#include <stdatomic.h>

typedef struct HttpFixture {
    Loop *loops[4];
    size_t loop_count;
    Loop *worker; /* a thread that /later answers are sent through */
    HttpServer *server;
    HttpHandler handler;
    Limits limits;
    TlsContext *tls; /* the test's; NULL: cleartext */
    Arena arena;
    char address[128]; /* where it listens */
    int port;
    atomic_int gone;        /* on_gone calls */
    atomic_int parked;      /* requests that wait in /park */
    atomic_int body_errors; /* bodies that ended with an error */
    atomic_int last_error;
    atomic_size_t streamed; /* bytes that handlers have written to streams */
    atomic_size_t taken;    /* body bytes that stream handlers were given */
    atomic_bool drained;
    _Atomic(HttpRequest *) waiting; /* the last request in /park */
    _Atomic(struct Work *) held;    /* the requests in /hold */
    Task drain_task;
} HttpFixture;

/* The routes:
 * /hello           "hello", the body is not read
 * /describe        method, path, query, host, the number of fields, and the value of x-test, a line each
 * /echo            the body; its query is the limit; on an error its name, status 413, 408 or 400
 * /late            the same, but it asks for the body only after a hop through the worker
 * /later           "later", answered by way of the worker's thread
 * /park            waits until http_fixture_answer_parked, or until the client has gone
 * /hold            waits until http_fixture_release, whatever the client does
 * /stream?N        N bytes in pieces of 10000, chunked; /sized?N with a content-length; /short?N ends one byte early
 * /abort           a piece, then an abort
 * /count           takes the body in pieces, pauses 1 ms after each, and answers the number of bytes
 * /early           answers at the first piece of the body
 * /empty           status 204; /injected: a header with line breaks in it */
void http_fixture_start(HttpFixture *fixture, size_t loops);
void http_fixture_start_at(HttpFixture *fixture, size_t loops, const char *address);
void http_fixture_stop(HttpFixture *fixture);
void http_fixture_answer_parked(HttpFixture *fixture);
/* Answers all of /hold, with bodies of so many bytes. */
void http_fixture_release(HttpFixture *fixture, size_t size);
void http_fixture_drain(HttpFixture *fixture);
HttpServerStats http_fixture_stats(HttpFixture *fixture);

/* The real thing but for its clock, which stands at Sun, 06 Nov 1994 08:49:37 GMT. */
Os *http_fixture_os(void);

int client_connect(const HttpFixture *fixture);
void client_send(int fd, const char *bytes, size_t size);
void client_say(int fd, const char *text);
/* One whole answer (head and body as framed), NUL-terminated; NULL when the connection ended before. Free it. */
char *client_answer(int fd);
/* The same for a request by HEAD. */
char *client_answer_head(int fd);
/* Everything until the end of the connection. Free it. */
char *client_rest(int fd, size_t *size);
int client_status(const char *answer);
const char *client_body(const char *answer);
/* Whether the server has closed, with nothing more said. */
bool client_at_end(int fd);

/* Waits until the condition holds; fails the test after some seconds. */
#define AWAIT(condition)                                                                                               \
    do {                                                                                                               \
        int await_turns_ = 0;                                                                                          \
        while (!(condition)) {                                                                                         \
            assert_true(await_turns_++ < 5000);                                                                        \
            usleep(1000);                                                                                              \
        }                                                                                                              \
    } while (0)

#endif

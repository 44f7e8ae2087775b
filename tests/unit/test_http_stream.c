/* Streams both ways: bodies in pieces, answers in pieces, and neither side outrunning the other. */
#include "http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "host: example\r\n"

enum { ENDLESS = 500000000, SOCKET_BUFFERS = 40000000 /* more than two sockets' buffers hold */ };

static void expect(int fd, int status, const char *body)
{
    char *answer = client_answer(fd);
    assert_int_equal(client_status(answer), status);
    if (body != NULL)
        assert_string_equal(client_body(answer), body);
    free(answer);
}

/* ---- Answers ---- */

static void a_streamed_answer_is_whole_by_chunks_by_length_and_by_the_end(void **state)
{
    HttpFixture *fixture = *state;
    static const char *const requests[] = {
        "GET /stream?1234567 HTTP/1.1\r\n" HOST "\r\n",
        "GET /sized?1234567 HTTP/1.1\r\n" HOST "\r\n",
        "GET /stream?1234567 HTTP/1.0\r\n\r\n",
    };
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    for (int i = 0; i < 2; i++) {
        client_say(fd, requests[i]);
        char *answer = client_answer_head(fd);
        assert_int_equal(client_status(answer), 200);
        assert_non_null(strstr(answer, i == 0 ? "transfer-encoding: chunked\r\n" : "content-length: 1234567\r\n"));
        assert_null(strstr(answer, i == 1 ? "transfer-encoding" : "content-length"));
        free(answer);
        size_t size = 0;
        char line[32];
        /* Chunk by chunk, or all at once: the bytes are zeros. */
        for (size_t left = i == 0 ? 0 : 1234567;; left = 0) {
            if (i == 0) {
                size_t at = 0;
                do
                    assert_int_equal(recv(fd, line + at, 1, 0), 1);
                while (line[at++] != '\n');
                left = strtoul(line, NULL, 16);
            }
            size += left;
            char *piece = malloc(left + 2);
            size_t with_end = left + (i == 0 ? 2 : 0);
            assert_int_equal(recv(fd, piece, with_end, MSG_WAITALL), with_end);
            for (size_t at = 0; at < left; at++)
                assert_int_equal(piece[at], 0);
            free(piece);
            if (left == 0 || i == 1)
                break;
        }
        assert_int_equal(size, 1234567);
    }
    client_say(fd, requests[2]);
    free(client_answer_head(fd));
    size_t size;
    free(client_rest(fd, &size));
    assert_int_equal(size, 1234567);
    close(fd);
}

static void an_answer_that_is_not_whole_looks_so(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    static const char *const requests[] = {
        "GET /abort HTTP/1.1\r\n" HOST "\r\n",
        "GET /short?100000 HTTP/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < 2; i++) {
        int fd = client_connect(fixture);
        client_say(fd, requests[i]);
        assert_null(client_answer(fd));
        close(fd);
    }
    /* In HTTP/1.0 the end of the connection is the end of the body: it must not look like one. */
    int fd = client_connect(fixture);
    client_say(fd, "GET /abort HTTP/1.0\r\n\r\n");
    char bytes[1000];
    ssize_t received;
    while ((received = recv(fd, bytes, sizeof bytes, 0)) > 0)
        continue;
    assert_int_equal(received, -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
}

static size_t settled(atomic_size_t *counter)
{
    size_t before;
    do {
        before = atomic_load(counter);
        usleep(50000);
    } while (atomic_load(counter) != before);
    return before;
}

static void a_client_that_does_not_read_stops_the_writer(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    client_say(fd, "GET /sized?100000000 HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(atomic_load(&fixture->streamed) > 0);
    size_t stopped_at = settled(&fixture->streamed);
    assert_true(stopped_at < SOCKET_BUFFERS);
    /* Others are served meanwhile. */
    int other = client_connect(fixture);
    client_say(other, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect(other, 200, "hello");
    close(other);
    /* When it reads, all comes. */
    free(client_answer_head(fd));
    static char bytes[1 << 20];
    size_t size = 0;
    while (size < 100000000) {
        ssize_t received = recv(fd, bytes, sizeof bytes, 0);
        assert_true(received > 0);
        size += (size_t)received;
    }
    assert_int_equal(size, 100000000);
    client_say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "hello");
    close(fd);
}

static void a_client_that_never_reads_is_evicted(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_WRITE_TIMEOUT_MS] = 200;
    http_fixture_start(fixture, 1);
    int streaming = client_connect(fixture);
    client_say(streaming, "GET /stream?500000000 HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(atomic_load(&fixture->gone) == 1);
    close(streaming);
    /* Whole answers too, piled up by pipelining. */
    int piling = client_connect(fixture);
    client_say(piling, "POST /echo HTTP/1.1\r\n" HOST "content-length: 20000000\r\n\r\n");
    char *body = calloc(1, 20000000);
    client_send(piling, body, 20000000);
    free(body);
    AWAIT(http_fixture_stats(fixture).evicted == 2);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    close(piling);
}

static void a_client_that_reads_slowly_is_not_evicted(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_WRITE_TIMEOUT_MS] = 200;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    client_say(fd, "GET /sized?30000000 HTTP/1.1\r\n" HOST "\r\n");
    free(client_answer_head(fd));
    static char bytes[1000000];
    size_t size = 0;
    while (size < 30000000) {
        ssize_t received = recv(fd, bytes, sizeof bytes, 0);
        assert_true(received > 0);
        size += (size_t)received;
        usleep(20000);
    }
    assert_int_equal(size, 30000000);
    assert_int_equal(http_fixture_stats(fixture).evicted, 0);
    close(fd);
}

/* ---- Bodies ---- */

static void a_body_is_taken_in_pieces(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    client_say(fd, "POST /count HTTP/1.1\r\n" HOST "content-length: 1000000\r\n\r\n");
    char *bytes = calloc(1, 1000000);
    client_send(fd, bytes, 1000000);
    expect(fd, 200, "1000000");
    client_say(fd, "POST /count HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\nF4240\r\n");
    client_send(fd, bytes, 1000000);
    client_say(fd, "\r\n0\r\n\r\nPOST /count HTTP/1.1\r\n" HOST "content-length: 0\r\n\r\n");
    expect(fd, 200, "1000000");
    expect(fd, 200, "0");
    free(bytes);
    close(fd);
}

static void a_paused_handler_holds_the_client_back(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    /* The handler takes a read buffer's worth a millisecond: far less than the socket would carry. */
    client_say(fd, "POST /count HTTP/1.1\r\n" HOST "content-length: 500000000\r\n\r\n");
    static char bytes[1 << 20];
    size_t sent = 0;
    for (int turns = 0; turns < 300; turns++) {
        ssize_t size = send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size > 0)
            sent += (size_t)size;
        else
            usleep(1000);
        assert_true(sent < atomic_load(&fixture->taken) + SOCKET_BUFFERS);
    }
    assert_true(sent < ENDLESS);
    close(fd);
    AWAIT(atomic_load(&fixture->body_errors) == 1);
    assert_int_equal(atomic_load(&fixture->last_error), ERROR_GONE);
    AWAIT(http_fixture_stats(fixture).connections == 0);
}

static void an_answer_may_come_before_the_body_has(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    client_say(fd, "POST /early HTTP/1.1\r\n" HOST "content-length: 6\r\n\r\nabc");
    expect(fd, 200, "enough");
    client_say(fd, "defGET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "hello");
    /* A chunked one that turns out long ends the connection, but not the answer. */
    client_say(fd, "POST /early HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
    expect(fd, 200, "enough");
    client_say(fd, "FFFFFF\r\n");
    char bytes[4096] = {0};
    while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        continue;
    close(fd);
    AWAIT(http_fixture_stats(fixture).connections == 0);
}

/* ---- Expect: 100-continue ---- */

static void the_client_is_told_to_go_on_when_the_handler_wants_the_body(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    static const char *const paths[] = {"/echo", "/late"};
    for (size_t i = 0; i < 2; i++) {
        int fd = client_connect(fixture);
        char request[200];
        snprintf(request, sizeof request,
                 "POST %s HTTP/1.1\r\n" HOST "content-length: 5\r\nexpect: 100-Continue\r\n\r\n", paths[i]);
        client_say(fd, request);
        expect(fd, 100, "");
        client_say(fd, "hello");
        expect(fd, 200, "hello");
        /* One that has not waited need not be told. */
        size_t head = strlen(request);
        snprintf(request + head, sizeof request - head, "hello");
        client_say(fd, request);
        expect(fd, 200, "hello");
        close(fd);
    }
    /* Refused before the body: no 100, and the connection ends since the body may come or not. */
    static const char *const refusals[] = {"/hello", "/echo?3"};
    for (size_t i = 0; i < 2; i++) {
        int fd = client_connect(fixture);
        char request[200];
        snprintf(request, sizeof request,
                 "POST %s HTTP/1.1\r\n" HOST "content-length: 5\r\nexpect: 100-continue\r\n\r\n", refusals[i]);
        client_say(fd, request);
        char *answer = client_answer(fd);
        assert_int_equal(client_status(answer), i == 0 ? 200 : 413);
        assert_non_null(strstr(answer, "connection: close\r\n"));
        free(answer);
        assert_true(client_at_end(fd));
        close(fd);
    }
    /* HTTP/1.0 knows no 100 (RFC 9110, 10.1.1). */
    int fd = client_connect(fixture);
    client_say(fd, "POST /echo HTTP/1.0\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n");
    usleep(20000);
    client_say(fd, "hello");
    expect(fd, 200, "hello");
    close(fd);
}

static int make(void **state)
{
    static HttpFixture fixture;
    fixture = (HttpFixture){0};
    *state = &fixture;
    return 0;
}

static int stop(void **state)
{
    http_fixture_stop(*state);
    return 0;
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, make, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_streamed_answer_is_whole_by_chunks_by_length_and_by_the_end),
        HTTP_TEST(an_answer_that_is_not_whole_looks_so),
        HTTP_TEST(a_client_that_does_not_read_stops_the_writer),
        HTTP_TEST(a_client_that_never_reads_is_evicted),
        HTTP_TEST(a_client_that_reads_slowly_is_not_evicted),
        HTTP_TEST(a_body_is_taken_in_pieces),
        HTTP_TEST(a_paused_handler_holds_the_client_back),
        HTTP_TEST(an_answer_may_come_before_the_body_has),
        HTTP_TEST(the_client_is_told_to_go_on_when_the_handler_wants_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* HTTP/1 on the wire: what is understood, what is refused, and how answers are framed (RFC 9112). */
#include "http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "host: example\r\n"

/* ---- Refusals ---- */

typedef struct Refused {
    const char *what;
    const char *bytes;
    size_t size;
    int status;
} Refused;

#define REFUSED(what, bytes, status)                                                                                   \
    {                                                                                                                  \
        what, bytes, sizeof(bytes) - 1, status                                                                         \
    }

static const Refused refused[] = {
    /* Smuggling: two readings of where a message ends. */
    REFUSED("length and coding",
            "POST /echo HTTP/1.1\r\n" HOST "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    REFUSED("coding and length",
            "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n", 400),
    REFUSED("two lengths", "POST /echo HTTP/1.1\r\n" HOST "content-length: 5\r\ncontent-length: 6\r\n\r\nhello", 400),
    REFUSED("the same length twice",
            "POST /echo HTTP/1.1\r\n" HOST "content-length: 5\r\ncontent-length: 5\r\n\r\nhello", 400),
    REFUSED("a list of lengths", "POST /echo HTTP/1.1\r\n" HOST "content-length: 5, 5\r\n\r\nhello", 400),
    REFUSED("a signed length", "POST /echo HTTP/1.1\r\n" HOST "content-length: +5\r\n\r\nhello", 400),
    REFUSED("a negative length", "POST /echo HTTP/1.1\r\n" HOST "content-length: -5\r\n\r\nhello", 400),
    REFUSED("a hexadecimal length", "POST /echo HTTP/1.1\r\n" HOST "content-length: 0x5\r\n\r\nhello", 400),
    REFUSED("an empty length", "POST /echo HTTP/1.1\r\n" HOST "content-length:\r\n\r\n", 400),
    REFUSED("a length with a space within", "POST /echo HTTP/1.1\r\n" HOST "content-length: 1 5\r\n\r\nhello", 400),
    REFUSED("a length past 2^64", "POST /echo HTTP/1.1\r\n" HOST "content-length: 18446744073709551616\r\n\r\n", 400),
    REFUSED("chunked is not last",
            "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    REFUSED("chunked twice",
            "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400),
    REFUSED("no chunked at all", "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: identity\r\n\r\n", 501),
    REFUSED("something like chunked", "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
            501),
    REFUSED("chunked with a vertical tab",
            "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: \vchunked\r\n\r\n0\r\n\r\n", 400),
    REFUSED("another coding before chunked",
            "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    REFUSED("coding with HTTP/1.0", "POST /echo HTTP/1.0\r\n" HOST "transfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    /* Lines. */
    REFUSED("bare line feeds", "GET /hello HTTP/1.1\nhost: a\n\n", 400),
    REFUSED("a bare line feed at the end", "GET /hello HTTP/1.1\r\n" HOST "\n", 400),
    REFUSED("a bare line feed in a value", "GET /hello HTTP/1.1\r\n" HOST "x: a\nb: c\r\n\r\n", 400),
    REFUSED("a bare carriage return in a value", "GET /hello HTTP/1.1\r\n" HOST "x: a\rb: c\r\n\r\n", 400),
    REFUSED("a bare carriage return in the request line", "GET /hello\r HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("two carriage returns", "GET /hello HTTP/1.1\r\n" HOST "\r\r\n", 400),
    REFUSED("a folded field", "GET /hello HTTP/1.1\r\n" HOST "x: a\r\n b\r\n\r\n", 400),
    REFUSED("a folded field by tab", "GET /hello HTTP/1.1\r\n" HOST "x: a\r\n\tb\r\n\r\n", 400),
    REFUSED("a space before the first field", "GET /hello HTTP/1.1\r\n " HOST "\r\n", 400),
    REFUSED("a space before the colon", "GET /hello HTTP/1.1\r\n" HOST "x : a\r\n\r\n", 400),
    REFUSED("a tab before the colon", "POST /echo HTTP/1.1\r\n" HOST "content-length\t: 5\r\n\r\nhello", 400),
    REFUSED("a field without a colon", "GET /hello HTTP/1.1\r\n" HOST "x\r\n\r\n", 400),
    REFUSED("a field without a name", "GET /hello HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400),
    REFUSED("a name that is no token", "GET /hello HTTP/1.1\r\n" HOST "x(y): a\r\n\r\n", 400),
    REFUSED("a NUL in a name", "GET /hello HTTP/1.1\r\n" HOST "x\0y: a\r\n\r\n", 400),
    REFUSED("a NUL in a value", "GET /hello HTTP/1.1\r\n" HOST "x: a\0b\r\n\r\n", 400),
    REFUSED("a NUL in the target", "GET /he\0llo HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("a control character in a value", "GET /hello HTTP/1.1\r\n" HOST "x: a\001b\r\n\r\n", 400),
    /* The request line. */
    REFUSED("garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    REFUSED("a space first", " GET /hello HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("an unknown method", "BREW /hello HTTP/1.1\r\n" HOST "\r\n", 501),
    REFUSED("a method in lower case", "get /hello HTTP/1.1\r\n" HOST "\r\n", 501),
    REFUSED("a method that is no token", "G(T /hello HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("no target", "GET HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("no version", "GET /hello\r\n" HOST "\r\n", 400),
    REFUSED("two spaces before the target", "GET  /hello HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("two spaces", "GET /hello  HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("a space in the target", "GET /hel lo HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("a space behind the version", "GET /hello HTTP/1.1 \r\n" HOST "\r\n", 400),
    REFUSED("a fragment", "GET /hello#there HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("a relative target", "GET hello HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("a foreign scheme", "GET ftp://example/hello HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("an asterisk with GET", "GET * HTTP/1.1\r\n" HOST "\r\n", 400),
    REFUSED("HTTP/1.2", "GET /hello HTTP/1.2\r\n" HOST "\r\n", 505),
    REFUSED("HTTP/2.0", "GET /hello HTTP/2.0\r\n" HOST "\r\n", 505),
    REFUSED("half the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n", 505),
    REFUSED("another protocol", "DESCRIBE /hello RTSP/1.0\r\n" HOST "\r\n", 400),
    REFUSED("CONNECT", "CONNECT example:443 HTTP/1.1\r\n" HOST "\r\n", 501),
    /* The host. */
    REFUSED("no host", "GET /hello HTTP/1.1\r\n\r\n", 400),
    REFUSED("two hosts", "GET /hello HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400),
    REFUSED("two hosts in HTTP/1.0", "GET /hello HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", 400),
    REFUSED("a host with a path", "GET /hello HTTP/1.1\r\nhost: a/b\r\n\r\n", 400),
    REFUSED("a host with a space", "GET /hello HTTP/1.1\r\nhost: a b\r\n\r\n", 400),
    REFUSED("a host with a user", "GET /hello HTTP/1.1\r\nhost: a@b\r\n\r\n", 400),
    /* The rest. */
    REFUSED("an unknown expectation", "POST /echo HTTP/1.1\r\n" HOST "content-length: 1\r\nexpect: miracles\r\n\r\n",
            417),
};

/* Says `head` and the row's bytes, and then what must not be taken for a request: one refusal, then the end. */
static bool is_refused(const HttpFixture *fixture, const char *head, const Refused *row)
{
    int fd = client_connect(fixture);
    client_say(fd, head);
    client_send(fd, row->bytes, row->size);
    client_say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    char *answer = client_answer(fd);
    shutdown(fd, SHUT_WR);
    bool right = client_status(answer) == row->status && strstr(answer, "connection: close") != NULL;
    bool ended = client_at_end(fd);
    if (!right || !ended)
        print_error("%s: expected %d%s, got %s\n", row->what, row->status, ended ? "" : " and the end",
                    answer == NULL ? "nothing" : answer);
    free(answer);
    close(fd);
    return right && ended;
}

static void what_is_malformed_is_refused_and_the_connection_ends(void **state)
{
    HttpFixture *fixture = *state;
    size_t right = 0;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        right += is_refused(fixture, "", &refused[i]);
    assert_int_equal(right, sizeof refused / sizeof *refused);
    assert_int_equal(http_fixture_stats(fixture).bad_requests, right);
}

/* Bodies whose chunks are malformed reach the handler as an error. */
static const Refused bad_chunks[] = {
    REFUSED("no size", "\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a size that is no number", "g\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a signed size", "-1\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a prefixed size", "0x5\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a size past 2^64", "10000000000000005\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a space before the size", " 5\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a space behind the size", "5 \r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a bare line feed behind the size", "5\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a bare carriage return behind the size", "5\rhello\r\n0\r\n\r\n", 400),
    REFUSED("a bare line feed behind the data", "5\r\nhello\n0\r\n\r\n", 400),
    REFUSED("more data than announced", "4\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a bare line feed in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a bare line feed at the end", "5\r\nhello\r\n0\r\n\n", 400),
    REFUSED("a bare line feed behind the last size", "5\r\nhello\r\n0\n\r\n", 400),
    REFUSED("a trailer with a space before its colon", "5\r\nhello\r\n0\r\nx : y\r\n\r\n", 400),
    REFUSED("a folded trailer", "5\r\nhello\r\n0\r\nx: y\r\n z\r\n\r\n", 400),
    REFUSED("a bare carriage return in a trailer", "5\r\nhello\r\n0\r\nx: y\rz\r\n\r\n", 400),
    REFUSED("a bare carriage return in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a NUL in an extension", "5;a\0b\r\nhello\r\n0\r\n\r\n", 400),
    REFUSED("a trailer with a bare line feed", "5\r\nhello\r\n0\r\nx: y\n\r\n", 400),
};

static void malformed_chunks_are_refused_and_the_connection_ends(void **state)
{
    HttpFixture *fixture = *state;
    size_t right = 0;
    for (size_t i = 0; i < sizeof bad_chunks / sizeof *bad_chunks; i++)
        right +=
            is_refused(fixture, "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n", &bad_chunks[i]);
    assert_int_equal(right, sizeof bad_chunks / sizeof *bad_chunks);
    assert_int_equal(atomic_load(&fixture->body_errors), right);
}

/* ---- What is understood ---- */

typedef struct Understood {
    const char *bytes;
    const char *described; /* method, path, query, host, fields, x-test */
} Understood;

static const Understood understood[] = {
    {"GET /describe HTTP/1.1\r\nhost: a.example:4566\r\n\r\n", "GET\n/describe\n\na.example:4566\n1\n\n"},
    {"\r\nGET /describe?a=%20b&c?d HTTP/1.1\r\nHOST:\t a \t\r\n\r\n", "GET\n/describe\na=%20b&c?d\na\n1\n\n"},
    {"GET http://real/describe?x HTTP/1.1\r\nhost: other\r\nX-Test: \r\n\r\n", "GET\n/describe\nx\nreal\n2\n\n"},
    {"OPTIONS * HTTP/1.1\r\nhost:\r\nX-TEST:  one two  \r\n\r\n", "OPTIONS\n*\n\n\n2\none two\n"},
    {"DELETE /describe HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", "DELETE\n/describe\n\n\n1\n\n"},
    {"GET /describe HTTP/1.1\r\nhost: [::1]:80\r\nx-test: \xc3\xa9\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
     "GET\n/describe\n\n[::1]:80\n4\n\xc3\xa9\n"},
};

static void requests_are_understood_whole_and_byte_by_byte(void **state)
{
    HttpFixture *fixture = *state;
    int fd = client_connect(fixture);
    for (size_t i = 0; i < sizeof understood / sizeof *understood; i++) {
        const Understood *row = &understood[i];
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            if (bytewise)
                for (const char *at = row->bytes; *at != '\0'; at++)
                    client_send(fd, at, 1);
            else
                client_say(fd, row->bytes);
            char *answer = client_answer(fd);
            assert_int_equal(client_status(answer), 200);
            const char *body = client_body(answer);
            if (strncmp(body, row->described, strlen(row->described)) != 0)
                fail_msg("%s\ngave\n%s", row->bytes, body);
            assert_non_null(strstr(body, "\n127.0.0.1:"));
            free(answer);
        }
    }
    close(fd);
}

static void bodies_come_whole_by_length_and_by_chunks_however_they_are_cut(void **state)
{
    HttpFixture *fixture = *state;
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\n" HOST "content-length: 11\r\n\r\nhello world",
        "POST /late HTTP/1.1\r\n" HOST "content-length: 11\r\n\r\nhello world",
        "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        "POST /late HTTP/1.1\r\n" HOST
        "Transfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n006\r\n world\r\n0\r\nx: y\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "upgrade: h2c\r\nconnection: upgrade\r\ntransfer-encoding: chunked\r\n\r\n"
        "b\r\nhello world\r\n0\r\n\r\n",
    };
    int fd = client_connect(fixture);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        size_t size = strlen(requests[i]);
        for (size_t cut = 1; cut <= size; cut++) {
            client_send(fd, requests[i], cut);
            if (cut % 8 == 0)
                usleep(200); /* lets the server see the pieces apart, often enough */
            client_send(fd, requests[i] + cut, size - cut);
            char *answer = client_answer(fd);
            assert_int_equal(client_status(answer), 200);
            assert_string_equal(client_body(answer), "hello world");
            free(answer);
        }
    }
    close(fd);
}

static void a_large_body_comes_back_by_length_and_by_chunks(void **state)
{
    HttpFixture *fixture = *state;
    enum { SIZE = 3000000, CHUNK = 70001 };
    char *bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)('a' + i * 7 % 26);
    for (int chunked = 0; chunked < 2; chunked++) {
        int fd = client_connect(fixture);
        if (chunked) {
            client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n");
            for (size_t at = 0; at < SIZE; at += CHUNK) {
                size_t size = SIZE - at < CHUNK ? SIZE - at : CHUNK;
                char frame[32];
                snprintf(frame, sizeof frame, "%zX\r\n", size);
                client_say(fd, frame);
                client_send(fd, bytes + at, size);
                client_say(fd, "\r\n");
            }
            client_say(fd, "0\r\n\r\n");
        } else {
            client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "content-length: 3000000\r\n\r\n");
            client_send(fd, bytes, SIZE);
        }
        char *answer = client_answer(fd);
        assert_int_equal(client_status(answer), 200);
        assert_memory_equal(client_body(answer), bytes, SIZE);
        free(answer);
        close(fd);
    }
    free(bytes);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    HttpFixture *fixture = *state;
    enum { ROUNDS = 300 };
    int fd = client_connect(fixture);
    /* Some are answered at once, some by another thread: the order is that of the requests. */
    for (int i = 0; i < ROUNDS; i++) {
        char request[200];
        snprintf(request, sizeof request, "POST /%s HTTP/1.1\r\n" HOST "content-length: 4\r\n\r\n%04d",
                 i % 3 == 0 ? "late" : "echo", i);
        client_say(fd, request);
    }
    for (int i = 0; i < ROUNDS; i++) {
        char expected[8];
        snprintf(expected, sizeof expected, "%04d", i);
        char *answer = client_answer(fd);
        assert_string_equal(client_body(answer), expected);
        free(answer);
    }
    close(fd);
}

/* ---- Answers ---- */

static char *ask(const HttpFixture *fixture, const char *request)
{
    int fd = client_connect(fixture);
    client_say(fd, request);
    shutdown(fd, SHUT_WR);
    size_t size;
    char *all = client_rest(fd, &size);
    close(fd);
    return all;
}

static void an_answer_is_exactly_this(void **state)
{
    char *all = ask(*state, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(all,
                        "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 5\r\n\r\nhello");
    free(all);
}

static void answers_without_a_body_have_none(void **state)
{
    char *all = ask(*state, "GET /empty HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(all, "HTTP/1.1 204 No Content\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    free(all);
    all = ask(*state, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(all, "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 5\r\n\r\n");
    free(all);
    all = ask(*state, "HEAD /stream?100 HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(all,
                        "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ntransfer-encoding: chunked\r\n\r\n");
    free(all);
    all = ask(*state, "HEAD /sized?100 HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(strstr(all, "Content-Length: 100\r\n"));
    assert_string_equal(client_body(all), "");
    free(all);
}

static void a_value_cannot_break_out_of_its_line(void **state)
{
    char *all = ask(*state, "GET /injected HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(strstr(all, "x-name: a  set-cookie: b\r\n"));
    free(all);
}

static void keeping_the_connection_is_as_asked(void **state)
{
    HttpFixture *fixture = *state;
    static const struct {
        const char *request;
        const char *field;
        bool ends;
    } rows[] = {
        {"GET /hello HTTP/1.1\r\n" HOST "\r\n", NULL, false},
        {"GET /hello HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n", "connection: close\r\n", true},
        {"GET /hello HTTP/1.1\r\n" HOST "connection: x, close\r\n\r\n", "connection: close\r\n", true},
        {"GET /hello HTTP/1.0\r\n\r\n", "connection: close\r\n", true},
        {"GET /hello HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n", "connection: keep-alive\r\n", false},
        {"GET /stream?10 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", "connection: close\r\n", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = client_connect(fixture);
        client_say(fd, rows[i].request);
        if (!rows[i].ends)
            client_say(fd, rows[i].request);
        char *answer = client_answer(fd);
        assert_int_equal(client_status(answer), 200);
        if (rows[i].field != NULL)
            assert_non_null(strstr(answer, rows[i].field));
        else
            assert_null(strstr(answer, "connection:"));
        free(answer);
        if (rows[i].ends) {
            size_t size;
            free(client_rest(fd, &size));
            assert_int_equal(size, i == 5 ? 10 : 0);
        } else {
            answer = client_answer(fd);
            assert_int_equal(client_status(answer), 200);
            free(answer);
        }
        close(fd);
    }
}

static void a_body_that_the_handler_leaves_does_not_become_a_request(void **state)
{
    HttpFixture *fixture = *state;
    static const char *const left[] = {
        "POST /hello HTTP/1.1\r\n" HOST "content-length: 50\r\n\r\n",
        "POST /hello HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n32\r\n",
    };
    for (size_t i = 0; i < 2; i++) {
        int fd = client_connect(fixture);
        client_say(fd, left[i]);
        char *answer = client_answer(fd);
        assert_string_equal(client_body(answer), "hello");
        free(answer);
        client_say(fd, "GET /echo HTTP/1.1\r\n" HOST "\r\nGET /echo HTT"); /* 50 bytes */
        client_say(fd, i == 0 ? "" : "\r\n0\r\n\r\n");
        client_say(fd, "GET /describe HTTP/1.1\r\n" HOST "\r\n");
        answer = client_answer(fd);
        assert_true(strncmp(client_body(answer), "GET\n/describe\n", 14) == 0);
        free(answer);
        close(fd);
    }
    /* A long one is not waited for. */
    int fd = client_connect(fixture);
    client_say(fd, "POST /hello HTTP/1.1\r\n" HOST "content-length: 50000000\r\n\r\nabc");
    char *answer = client_answer(fd);
    assert_non_null(strstr(answer, "connection: close\r\n"));
    free(answer);
    assert_true(client_at_end(fd));
    close(fd);
}

static int start(void **state)
{
    static HttpFixture fixture;
    fixture = (HttpFixture){0};
    http_fixture_start(&fixture, 1);
    *state = &fixture;
    return 0;
}

static int stop(void **state)
{
    http_fixture_stop(*state);
    return 0;
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(what_is_malformed_is_refused_and_the_connection_ends),
        HTTP_TEST(malformed_chunks_are_refused_and_the_connection_ends),
        HTTP_TEST(requests_are_understood_whole_and_byte_by_byte),
        HTTP_TEST(bodies_come_whole_by_length_and_by_chunks_however_they_are_cut),
        HTTP_TEST(a_large_body_comes_back_by_length_and_by_chunks),
        HTTP_TEST(pipelined_requests_are_answered_in_order),
        HTTP_TEST(an_answer_is_exactly_this),
        HTTP_TEST(answers_without_a_body_have_none),
        HTTP_TEST(a_value_cannot_break_out_of_its_line),
        HTTP_TEST(keeping_the_connection_is_as_asked),
        HTTP_TEST(a_body_that_the_handler_leaves_does_not_become_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

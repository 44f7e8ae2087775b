/* The server around the requests: limits, timeouts, clients that leave, draining, many loops. */
#include "http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST "host: example\r\n"

static void expect(int fd, int status, const char *body)
{
    char *answer = client_answer(fd);
    assert_int_equal(client_status(answer), status);
    if (body != NULL)
        assert_string_equal(client_body(answer), body);
    free(answer);
}

/* ---- Limits ---- */

static void heads_have_limits(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_HEADER_BYTES] = 2000;
    fixture->limits.value[LIMIT_NET_HEADER_COUNT] = 10;
    http_fixture_start(fixture, 1);
    char text[4000];
    char filler[3000];
    memset(filler, 'a', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';

    int fd = client_connect(fixture);
    snprintf(text, sizeof text, "GET /%s", filler); /* without an end */
    client_say(fd, text);
    expect(fd, 414, NULL);
    close(fd);

    fd = client_connect(fixture);
    snprintf(text, sizeof text, "GET /%s HTTP/1.1\r\n" HOST "\r\n", filler);
    client_say(fd, text);
    expect(fd, 414, NULL);
    close(fd);

    fd = client_connect(fixture);
    snprintf(text, sizeof text, "GET /hello HTTP/1.1\r\n" HOST "x: %s", filler);
    client_say(fd, text);
    expect(fd, 431, NULL);
    close(fd);

    for (int fields = 10; fields <= 11; fields++) {
        fd = client_connect(fixture);
        client_say(fd, "GET /hello HTTP/1.1\r\n" HOST);
        for (int i = 1; i < fields; i++)
            client_say(fd, "x: y\r\n");
        client_say(fd, "\r\n");
        expect(fd, fields == 10 ? 200 : 431, NULL);
        close(fd);
    }
    assert_int_equal(http_fixture_stats(fixture).bad_requests, 4);
}

static void bodies_have_limits(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_BODY_BYTES] = 100000;
    http_fixture_start(fixture, 1);

    /* The handler's limit, announced and in chunks; the answer comes though the body is not read. */
    int fd = client_connect(fixture);
    client_say(fd, "POST /echo?5 HTTP/1.1\r\n" HOST "content-length: 5\r\n\r\nhello");
    expect(fd, 200, "hello");
    client_say(fd, "POST /echo?5 HTTP/1.1\r\n" HOST "content-length: 6\r\n\r\nhello ");
    expect(fd, 413, NULL);
    assert_true(client_at_end(fd));
    close(fd);
    fd = client_connect(fixture);
    client_say(fd, "POST /echo?5 HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo \r\n");
    expect(fd, 413, NULL);
    close(fd);
    assert_int_equal(atomic_load(&fixture->last_error), ERROR_TOO_LARGE);

    /* The server's own. */
    fd = client_connect(fixture);
    client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "content-length: 100001\r\n\r\n");
    char *bytes = calloc(1, 100001);
    client_send(fd, bytes, 100001);
    expect(fd, 413, NULL);
    free(bytes);
    close(fd);
}

static void endless_chunk_framing_is_refused(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    for (int trailer = 0; trailer < 2; trailer++) {
        int fd = client_connect(fixture);
        client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n1\r\na\r\n");
        client_say(fd, trailer ? "0\r\n" : "1;");
        for (int i = 0; i < 4000; i++)
            client_say(fd, trailer ? "abc: de\r\n" : "abcdefghi");
        expect(fd, 400, NULL);
        close(fd);
    }
}

static void connections_have_a_limit(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_CONNECTIONS] = 3;
    http_fixture_start(fixture, 2);
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = client_connect(fixture);
        client_say(fds[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        expect(fds[i], 200, "hello");
    }
    int refused = client_connect(fixture);
    expect(refused, 503, NULL);
    assert_true(client_at_end(refused));
    close(refused);
    assert_int_equal(http_fixture_stats(fixture).refused, 1);
    assert_int_equal(http_fixture_stats(fixture).connections, 3);
    close(fds[0]);
    AWAIT(http_fixture_stats(fixture).connections == 2);
    fds[0] = client_connect(fixture);
    client_say(fds[0], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect(fds[0], 200, "hello");
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void read_ahead_is_bounded_and_nothing_is_lost(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_PIPELINE_BYTES] = 4096;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    client_say(fd, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(atomic_load(&fixture->parked) == 1);
    /* More requests than the kernel's buffers hold: sending must come to a halt. */
    static const char next[] = "POST /echo HTTP/1.1\r\n" HOST "content-length: 1000\r\n\r\n";
    char request[sizeof next - 1 + 1000];
    memset(request, 'x', sizeof request);
    memcpy(request, next, sizeof next - 1);
    size_t sent = 0;
    for (int quiet = 0; quiet < 100;) {
        ssize_t size = send(fd, request + sent % sizeof request, sizeof request - sent % sizeof request,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size > 0) {
            sent += (size_t)size;
            quiet = 0;
        } else {
            assert_true(size < 0 && errno == EAGAIN);
            usleep(2000);
            quiet++;
        }
        assert_true(sent < 64u << 20);
    }
    http_fixture_answer_parked(fixture);
    expect(fd, 200, "unparked");
    for (size_t i = 0; i < sent / sizeof request; i++)
        expect(fd, 200, NULL);
    close(fd);
}

/* ---- Time ---- */

static void slow_clients_are_timed_out(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_HEADER_TIMEOUT_MS] = 100;
    fixture->limits.value[LIMIT_NET_BODY_TIMEOUT_MS] = 150;
    fixture->limits.value[LIMIT_NET_IDLE_TIMEOUT_MS] = 200;
    http_fixture_start(fixture, 1);

    /* A head that trickles in: each byte does not buy more time. */
    int fd = client_connect(fixture);
    client_say(fd, "GET /hello HTTP/1.1\r\nx: ");
    for (int i = 0; i < 20; i++) {
        usleep(10000);
        client_say(fd, "y");
    }
    expect(fd, 408, NULL);
    close(fd);
    assert_int_equal(http_fixture_stats(fixture).bad_requests, 1);

    /* A body may take as long as it goes on. */
    static char kib[1024];
    memset(kib, 'z', sizeof kib);
    fd = client_connect(fixture);
    client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "content-length: 10240\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        usleep(30000);
        client_send(fd, kib, sizeof kib);
    }
    expect(fd, 200, NULL);
    client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "content-length: 10\r\n\r\nzz");
    expect(fd, 408, NULL);
    assert_int_equal(atomic_load(&fixture->last_error), ERROR_TIMEOUT);
    assert_true(client_at_end(fd));
    close(fd);

    /* A byte now and then is no progress. */
    int trickling = client_connect(fixture);
    client_say(trickling, "POST /echo HTTP/1.1\r\n" HOST "content-length: 10240\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        usleep(30000);
        send(trickling, "z", 1, MSG_NOSIGNAL);
    }
    expect(trickling, 408, NULL);
    close(trickling);

    /* Idle ones are closed without a word; those whose request is being worked on are not idle. */
    fd = client_connect(fixture);
    int parked = client_connect(fixture);
    client_say(parked, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    assert_true(client_at_end(fd));
    close(fd);
    usleep(200000);
    assert_int_equal(atomic_load(&fixture->parked), 1);
    http_fixture_answer_parked(fixture);
    expect(parked, 200, "unparked");
    assert_true(client_at_end(parked));
    close(parked);
}

/* Bodies that are announced and never end must not take the memory of all. */
static void bodies_of_all_clients_together_are_bounded(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_BODIES_BYTES] = 200000;
    http_fixture_start(fixture, 2);
    static char piece[60000];
    memset(piece, 'x', sizeof piece);
    int holding[2];
    for (int i = 0; i < 2; i++) {
        holding[i] = client_connect(fixture);
        client_say(holding[i], "POST /echo HTTP/1.1\r\n" HOST "content-length: 60001\r\n\r\n");
        client_send(holding[i], piece, sizeof piece);
    }
    AWAIT(http_fixture_stats(fixture).requests == 2);
    usleep(50000);
    int fd = client_connect(fixture);
    client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "content-length: 120000\r\n\r\n");
    client_send(fd, piece, sizeof piece);
    client_send(fd, piece, sizeof piece);
    expect(fd, 400, NULL);
    assert_int_equal(atomic_load(&fixture->last_error), ERROR_BUSY);
    close(fd);
    /* Small ones are read on, and the room comes back. */
    fd = client_connect(fixture);
    client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "content-length: 5\r\n\r\nsmall");
    expect(fd, 200, "small");
    for (int i = 0; i < 2; i++) {
        client_say(holding[i], "x");
        expect(holding[i], 200, NULL);
        close(holding[i]);
    }
    client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "content-length: 120000\r\n\r\n");
    client_send(fd, piece, sizeof piece);
    client_send(fd, piece, sizeof piece);
    expect(fd, 200, NULL);
    close(fd);
}

/* ---- Clients that leave ---- */

static void a_handler_learns_that_its_client_has_gone(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    for (int reset = 0; reset < 2; reset++) {
        int fd = client_connect(fixture);
        client_say(fd, "GET /park HTTP/1.1\r\n" HOST "\r\n");
        AWAIT(atomic_load(&fixture->parked) == 1);
        struct linger at_once = {1, 0};
        if (reset)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
        AWAIT(atomic_load(&fixture->gone) == reset + 1);
        AWAIT(http_fixture_stats(fixture).connections == 0);
    }
}

static void a_client_that_only_ended_its_side_is_answered(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    client_say(fd, "POST /later HTTP/1.1\r\n" HOST "content-length: 0\r\n\r\nGET /stream?50000 HTTP/1.1\r\n" HOST "\r\n"
                   "GET /park HTTP/1.1\r\n" HOST "\r\n");
    shutdown(fd, SHUT_WR);
    expect(fd, 200, "later");
    expect(fd, 200, NULL);
    /* Nobody should wait for one who may have left: the handler is told, and what it says is sent. */
    expect(fd, 200, "given up");
    assert_true(client_at_end(fd));
    close(fd);
}

static void clients_that_leave_within_a_request_do_no_harm(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    static const char *const beginnings[] = {
        "",
        "GET /he",
        "POST /echo HTTP/1.1\r\n" HOST "content-length: 10\r\n\r\nhel",
        "POST /late HTTP/1.1\r\n" HOST "content-length: 10\r\n\r\nhel",
        "POST /count HTTP/1.1\r\n" HOST "content-length: 10\r\n\r\nhel",
        "POST /early HTTP/1.1\r\n" HOST "content-length: 10\r\n\r\nhel",
        "POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n5\r\nhel",
        "POST /late HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\nhel",
        "POST /later HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\nhel",
        "GET /stream?50000000 HTTP/1.1\r\n" HOST "\r\n",
        "GET /sized?50000000 HTTP/1.1\r\n" HOST "\r\n",
        "GET /abort HTTP/1.1\r\n" HOST "\r\n",
        "GET /hello HTTP/1.1\r\n" HOST "\r\nGET /later HTTP/1.1\r\n" HOST "\r\nGET /he",
    };
    struct linger at_once = {1, 0};
    for (int round = 0; round < 60; round++) {
        for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
            int fd = client_connect(fixture);
            client_say(fd, beginnings[i]);
            if (round % 3 > 0)
                usleep((unsigned)(round * 10));
            if (round % 2 == 0)
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            close(fd);
        }
    }
    AWAIT(http_fixture_stats(fixture).connections == 0);
    int fd = client_connect(fixture);
    client_say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "hello");
    close(fd);
}

/* ---- Draining ---- */

static void draining_lets_work_end_and_closes_the_rest(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    int idle[4];
    for (int i = 0; i < 4; i++) {
        idle[i] = client_connect(fixture);
        client_say(idle[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        expect(idle[i], 200, "hello");
    }
    int busy = client_connect(fixture);
    client_say(busy, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(atomic_load(&fixture->parked) == 1);
    http_fixture_drain(fixture);
    for (int i = 0; i < 4; i++) {
        assert_true(client_at_end(idle[i]));
        close(idle[i]);
    }
    AWAIT(http_fixture_stats(fixture).connections == 1);
    assert_false(atomic_load(&fixture->drained));
    http_fixture_answer_parked(fixture);
    char *answer = client_answer(busy);
    assert_string_equal(client_body(answer), "unparked");
    assert_non_null(strstr(answer, "connection: close\r\n"));
    free(answer);
    assert_true(client_at_end(busy));
    close(busy);
    AWAIT(atomic_load(&fixture->drained));
    int late = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)fixture->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(late, (struct sockaddr *)&address, sizeof address), -1);
    close(late);
}

static void a_server_without_connections_drains_at_once(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 3);
    http_fixture_drain(fixture);
    AWAIT(atomic_load(&fixture->drained));
}

static void stopping_cuts_what_is_left(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    int fds[6];
    static const char *const left[] = {"GET /park HTTP/1.1\r\n" HOST "\r\n",
                                       "GET /stream?50000000 HTTP/1.1\r\n" HOST "\r\n",
                                       "POST /echo HTTP/1.1\r\n" HOST "content-length: 30000\r\n\r\nabc"};
    for (int i = 0; i < 6; i++) {
        fds[i] = client_connect(fixture);
        client_say(fds[i], left[i % 3]);
    }
    AWAIT(atomic_load(&fixture->parked) == 2 && http_fixture_stats(fixture).requests == 6);
    http_fixture_stop(fixture);
    for (int i = 0; i < 6; i++)
        close(fds[i]);
    *fixture = (HttpFixture){0};
    http_fixture_start(fixture, 1); /* for the teardown */
}

/* ---- Listening ---- */

static void an_address_is_taken_once_and_checked(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start_at(fixture, 1, "[::1]:0");
    assert_true(strncmp(fixture->address, "[::1]:", 6) == 0 && fixture->port > 0);
    HttpServerOptions options = {
        .loops = fixture->loops, .loop_count = 1, .handler = &fixture->handler, .limits = &limits_default};
    Loop *loop;
    assert_int_equal(loop_open(http_fixture_os(), &loop), OK);
    options.loops = &loop;
    HttpServer *other;
    Slice bound;
    assert_int_equal(http_server_open(&options, &other), OK);
    assert_int_equal(http_server_listen(other, fixture->address, &fixture->arena, &bound), ERROR_EXISTS);
    static const char *const malformed[] = {
        "",         "localhost", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",    "127.0.0.1:65536",
        "1.2.3:80", "[::1:80",   "::1:80",    "unix:",      "[127.0.0.1]:80", "unix:/no/such/folder/socket"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        assert_int_equal(http_server_listen(other, malformed[i], &fixture->arena, &bound), ERROR_MALFORMED);
    assert_int_equal(http_server_listen(other, "192.0.2.1:0", &fixture->arena, &bound), ERROR_NOT_FOUND);
    http_server_close(other);
    loop_close(loop);
}

static int unix_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static void a_unix_socket_is_its_owners_alone(void **state)
{
    HttpFixture *fixture = *state;
    char folder[] = "/tmp/brume-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    char address[80];
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    /* What a killed process left is no hindrance. */
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strncpy(name.sun_path, path, sizeof name.sun_path - 1);
    assert_int_equal(bind(stale, (struct sockaddr *)&name, sizeof name), 0);
    close(stale);
    mode_t mask = umask(0);
    http_fixture_start_at(fixture, 1, address);
    umask(mask);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    int fd = unix_connect(path);
    client_say(fd, "GET /describe HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "GET\n/describe\n\nexample\n1\n\nunix\n");
    close(fd);
    /* One that is in use is not taken over. */
    Loop *loop;
    HttpServer *other;
    Slice bound;
    assert_int_equal(loop_open(http_fixture_os(), &loop), OK);
    HttpServerOptions options = {
        .loops = &loop, .loop_count = 1, .handler = &fixture->handler, .limits = &limits_default};
    assert_int_equal(http_server_open(&options, &other), OK);
    assert_int_equal(http_server_listen(other, address, &fixture->arena, &bound), ERROR_EXISTS);
    http_server_close(other);
    loop_close(loop);
    http_fixture_drain(fixture);
    AWAIT(atomic_load(&fixture->drained));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- Many ---- */

enum { CLIENTS = 8, REQUESTS_EACH = 300 };

static void *ask_often(void *argument)
{
    const HttpFixture *fixture = argument;
    for (int i = 0; i < REQUESTS_EACH; i += 30) {
        int fd = client_connect(fixture);
        for (int j = 0; j < 30; j++) {
            client_say(fd, j % 2 == 0 ? "GET /later HTTP/1.1\r\n" HOST "\r\n"
                                      : "POST /late HTTP/1.1\r\n" HOST "content-length: 5\r\n\r\nlater");
            char *answer = client_answer(fd);
            if (strcmp(client_body(answer), "later") != 0)
                return "a wrong answer";
            free(answer);
        }
        close(fd);
    }
    return NULL;
}

static void answers_come_from_other_threads_over_several_loops(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 4);
    pthread_t clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, ask_often, fixture);
    for (int i = 0; i < CLIENTS; i++) {
        void *wrong;
        pthread_join(clients[i], &wrong);
        assert_null(wrong);
    }
    HttpServerStats stats = http_fixture_stats(fixture);
    assert_int_equal(stats.requests, CLIENTS * REQUESTS_EACH);
    assert_int_equal(stats.accepted, CLIENTS * REQUESTS_EACH / 30);
    AWAIT(http_fixture_stats(fixture).connections == 0);
}

static uint64_t cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void parked_requests_cost_little_memory_and_no_time(void **state)
{
    HttpFixture *fixture = *state;
    enum { PARKED = 400, BYTES_EACH = 4096 };
    http_fixture_start(fixture, 1);
    static int fds[PARKED];
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < PARKED; i++) {
        fds[i] = client_connect(fixture);
        client_say(fds[i], "POST /park HTTP/1.1\r\n" HOST
                           "content-type: application/x-amz-json-1.0\r\nx-amz-target: AmazonSQS.ReceiveMessage\r\n"
                           "user-agent: a client of some kind/1.0 with a long name\r\ncontent-length: 100\r\n\r\n");
    }
    AWAIT(atomic_load(&fixture->parked) == PARKED);
    struct mallinfo2 after = mallinfo2();
    size_t used = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    assert_true(used <= (size_t)PARKED * BYTES_EACH); /* 0 under a sanitizer's allocator */
    uint64_t start = cpu_us();
    usleep(500000);
    assert_true(cpu_us() - start < 20000);
    for (int i = 0; i < PARKED; i++)
        close(fds[i]);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_int_equal(atomic_load(&fixture->gone), PARKED);
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
        HTTP_TEST(heads_have_limits),
        HTTP_TEST(bodies_have_limits),
        HTTP_TEST(endless_chunk_framing_is_refused),
        HTTP_TEST(connections_have_a_limit),
        HTTP_TEST(read_ahead_is_bounded_and_nothing_is_lost),
        HTTP_TEST(slow_clients_are_timed_out),
        HTTP_TEST(bodies_of_all_clients_together_are_bounded),
        HTTP_TEST(a_handler_learns_that_its_client_has_gone),
        HTTP_TEST(a_client_that_only_ended_its_side_is_answered),
        HTTP_TEST(clients_that_leave_within_a_request_do_no_harm),
        HTTP_TEST(draining_lets_work_end_and_closes_the_rest),
        HTTP_TEST(a_server_without_connections_drains_at_once),
        HTTP_TEST(stopping_cuts_what_is_left),
        HTTP_TEST(an_address_is_taken_once_and_checked),
        HTTP_TEST(a_unix_socket_is_its_owners_alone),
        HTTP_TEST(answers_come_from_other_threads_over_several_loops),
        HTTP_TEST(parked_requests_cost_little_memory_and_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

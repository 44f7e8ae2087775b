/* What all clients together may hold of the server, and who makes room: the slowest, not whoever comes. */
#include "http_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "host: localhost\r\n"

enum { LONG_MS = 60000, SLOW_MS = 1100 /* over the second after which a client is slow */ };

static void expect(int fd, int status, const char *body)
{
    char *answer = client_answer(fd);
    assert_non_null(answer);
    assert_int_equal(client_status(answer), status);
    if (body != NULL)
        assert_string_equal(client_body(answer), body);
    free(answer);
}

static void expect_service(HttpFixture *fixture)
{
    int fd = client_connect(fixture);
    client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "content-length: 5\r\n\r\nsmall");
    expect(fd, 200, "small");
    close(fd);
}

static void start(HttpFixture *fixture)
{
    /* None of the timeouts must help. */
    fixture->limits.value[LIMIT_NET_HEADER_TIMEOUT_MS] = LONG_MS;
    fixture->limits.value[LIMIT_NET_BODY_TIMEOUT_MS] = LONG_MS;
    fixture->limits.value[LIMIT_NET_WRITE_TIMEOUT_MS] = LONG_MS;
    fixture->limits.value[LIMIT_NET_IDLE_TIMEOUT_MS] = LONG_MS;
    http_fixture_start(fixture, 1);
}

static void say_half_a_head(int fd, size_t size)
{
    char *field = malloc(size + 1);
    assert_non_null(field);
    memset(field, 'x', size);
    field[size] = '\0';
    client_say(fd, "GET /hello HTTP/1.1\r\n" HOST "x-test: ");
    client_say(fd, field);
    free(field);
}

static void heads_that_are_not_finished_make_room_oldest_first(void **state)
{
    enum { CLIENTS = 40, HEAD = 20000 };
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_INPUT_BYTES] = 400000;
    start(fixture);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_connect(fixture);
        uint64_t before = http_fixture_stats(fixture).input_bytes + http_fixture_stats(fixture).evicted;
        say_half_a_head(fds[i], HEAD);
        AWAIT(http_fixture_stats(fixture).input_bytes + http_fixture_stats(fixture).evicted != before);
        assert_true(http_fixture_stats(fixture).input_bytes <= 400000);
    }
    uint64_t evicted = http_fixture_stats(fixture).evicted;
    assert_true(evicted >= CLIENTS / 2 && evicted < CLIENTS);
    expect_service(fixture);
    /* The youngest is still there and may go on. */
    client_say(fds[CLIENTS - 1], "\r\n\r\n");
    expect(fds[CLIENTS - 1], 200, "hello");
    char byte;
    assert_true(recv(fds[0], &byte, 1, 0) <= 0);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_int_equal(http_fixture_stats(fixture).input_bytes, 0);
}

/* Asks for `size` bytes back. */
static void ask_echo(int fd, size_t size)
{
    char head[128];
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "content-length: %zu\r\n\r\n", size);
    client_say(fd, head);
    char *body = calloc(1, size);
    assert_non_null(body);
    client_send(fd, body, size);
    free(body);
}

static void answers_that_nobody_reads_make_room_for_those_that_are_read(void **state)
{
    enum { CLIENTS = 12, ANSWER = 8000000 };
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_OUTPUT_BYTES] = 3 * ANSWER;
    start(fixture);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_connect(fixture);
        ask_echo(fds[i], ANSWER);
        AWAIT(http_fixture_stats(fixture).requests == (uint64_t)i + 1);
    }
    AWAIT(http_fixture_stats(fixture).evicted >= CLIENTS - 6);
    assert_true(http_fixture_stats(fixture).output_bytes <= 3 * ANSWER);
    /* One that reads gets all of a large answer. */
    int reader = client_connect(fixture);
    ask_echo(reader, ANSWER);
    expect(reader, 200, NULL);
    close(reader);
    expect_service(fixture);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_int_equal(http_fixture_stats(fixture).output_bytes, 0);
    assert_int_equal(http_fixture_stats(fixture).body_bytes, 0);
}

/* Room is made by those who have sent nothing for a second; until then newcomers are told to come again. */
static void bodies_that_do_not_come_make_room(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_BODIES_BYTES] = 100000;
    start(fixture);
    int holding = client_connect(fixture);
    client_say(holding, "POST /echo HTTP/1.1\r\n" HOST "content-length: 90000\r\n\r\n");
    char *most = calloc(1, 89000);
    assert_non_null(most);
    client_send(holding, most, 89000);
    free(most);
    AWAIT(http_fixture_stats(fixture).body_bytes >= 89000);
    int fd = client_connect(fixture);
    ask_echo(fd, 50000);
    expect(fd, 400, NULL);
    assert_int_equal(atomic_load(&fixture->last_error), ERROR_BUSY);
    close(fd);
    assert_int_equal(http_fixture_stats(fixture).evicted, 0);
    usleep(SLOW_MS * 1000);
    fd = client_connect(fixture);
    ask_echo(fd, 50000);
    expect(fd, 400, NULL);
    close(fd);
    AWAIT(http_fixture_stats(fixture).evicted == 1);
    AWAIT(http_fixture_stats(fixture).body_bytes == 0);
    fd = client_connect(fixture);
    ask_echo(fd, 50000);
    expect(fd, 200, NULL);
    close(fd);
    close(holding);
}

static void small_bodies_that_come_in_pieces_count_too(void **state)
{
    enum { CLIENTS = 20 };
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_BODIES_BYTES] = 100000;
    start(fixture);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_connect(fixture);
        client_say(fds[i], "POST /echo HTTP/1.1\r\n" HOST "content-length: 10000\r\n\r\nx");
    }
    AWAIT(http_fixture_stats(fixture).requests == CLIENTS);
    AWAIT(atomic_load(&fixture->body_errors) >= CLIENTS / 2);
    assert_true(http_fixture_stats(fixture).body_bytes <= 100000);
    expect_service(fixture);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
}

static void large_heads_count_while_their_requests_last(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_BODIES_BYTES] = 50000;
    start(fixture);
    int parked = client_connect(fixture);
    char *field = calloc(1, 40001);
    assert_non_null(field);
    memset(field, 'x', 40000);
    client_say(parked, "GET /park HTTP/1.1\r\n" HOST "x-test: ");
    client_say(parked, field);
    client_say(parked, "\r\n\r\n");
    AWAIT(atomic_load(&fixture->parked) == 1);
    assert_true(http_fixture_stats(fixture).body_bytes >= 40000);
    int fd = client_connect(fixture);
    client_say(fd, "GET /hello HTTP/1.1\r\n" HOST "x-test: ");
    client_say(fd, field);
    client_say(fd, "\r\n\r\n");
    expect(fd, 503, NULL);
    assert_true(client_at_end(fd));
    close(fd);
    expect_service(fixture);
    http_fixture_answer_parked(fixture);
    expect(parked, 200, "unparked");
    AWAIT(http_fixture_stats(fixture).body_bytes == 0);
    close(parked);
    free(field);
}

static void the_connection_that_is_idle_longest_makes_place(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_CONNECTIONS] = 3;
    start(fixture);
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = client_connect(fixture);
        client_say(fds[i], i == 0 ? "GET /park HTTP/1.1\r\n" HOST "\r\n" : "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        if (i > 0)
            expect(fds[i], 200, "hello");
    }
    int refused = client_connect(fixture); /* all have just been used */
    expect(refused, 503, NULL);
    close(refused);
    usleep(SLOW_MS * 1000);
    expect_service(fixture);
    assert_true(client_at_end(fds[1]));
    client_say(fds[2], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect(fds[2], 200, "hello");
    http_fixture_answer_parked(fixture);
    expect(fds[0], 200, "unparked");
    assert_int_equal(http_fixture_stats(fixture).displaced, 1);
    assert_int_equal(http_fixture_stats(fixture).refused, 1);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static int setup(void **state)
{
    HttpFixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->limits = limits_default;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    http_fixture_stop(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(heads_that_are_not_finished_make_room_oldest_first, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_that_nobody_reads_make_room_for_those_that_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(bodies_that_do_not_come_make_room, setup, teardown),
        cmocka_unit_test_setup_teardown(small_bodies_that_come_in_pieces_count_too, setup, teardown),
        cmocka_unit_test_setup_teardown(large_heads_count_while_their_requests_last, setup, teardown),
        cmocka_unit_test_setup_teardown(the_connection_that_is_idle_longest_makes_place, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

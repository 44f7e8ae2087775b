/* HTTP/2: requests and answers as streams of one connection, and the ways into it. */
#include "http2_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WINDOW = 65535, STREAMED = 1234567 };

static void expect(Http2Client *client, int32_t id, int status, const char *body)
{
    Http2Answer *answer = http2_client_await(client, id);
    assert_true(answer->closed);
    assert_int_equal(answer->status, status);
    if (body != NULL)
        assert_string_equal(answer->body == NULL ? "" : answer->body, body);
}

/* ---- Requests and answers ---- */

static void an_answer_comes_as_a_stream(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    int32_t id = http2_client_ask(client, "GET", "/hello", NULL);
    Http2Answer *answer = http2_client_await(client, id);
    assert_int_equal(answer->code, NGHTTP2_NO_ERROR);
    assert_true(answer->ended);
    assert_string_equal(answer->body, "hello");
    assert_string_equal(answer->fields, ":status: 200\ndate: Sun, 06 Nov 1994 08:49:37 GMT\ncontent-length: 5\n");
    assert_int_equal(client->server_streams, limits_default.value[LIMIT_NET_HTTP2_STREAMS]);
    http2_client_close(client);
}

static void a_handler_sees_what_it_sees_in_http1(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    int32_t id = http2_client_ask(client, "DELETE", "/describe?a=b%20c", "x-test: one  two\nx-more: 3\n");
    Http2Answer *answer = http2_client_await(client, id);
    /* The authority is the host field. */
    assert_non_null(strstr(answer->body, "DELETE\n/describe\na=b%20c\nexample\n3\none  two\n127.0.0.1:"));
    /* With a host field alone, too. */
    id = http2_client_ask(client, "GET", "/describe", "host: other:80\nx-test: 1\n");
    answer = http2_client_await(client, id);
    assert_non_null(strstr(answer->body, "GET\n/describe\n\nother:80\n2\n1\n"));
    /* Cookies are one field again: with the host there are two. */
    id = http2_client_ask(client, "GET", "/describe", "cookie: a=1\nx-test: 1\ncookie: b=2\ncookie: c=3\n");
    answer = http2_client_await(client, id);
    assert_non_null(strstr(answer->body, "GET\n/describe\n\nexample\n3\n1\n"));
    id = http2_client_ask(client, "OPTIONS", "*", NULL);
    assert_non_null(strstr(http2_client_await(client, id)->body, "OPTIONS\n*\n\nexample\n1\n"));
    http2_client_close(client);
}

static void answers_without_a_body_have_none(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    int32_t head = http2_client_ask(client, "HEAD", "/hello", NULL);
    int32_t empty = http2_client_ask(client, "GET", "/empty", NULL);
    int32_t streamed = http2_client_ask(client, "HEAD", "/sized?1000", NULL);
    int32_t injected = http2_client_ask(client, "GET", "/injected", NULL);
    expect(client, head, 200, "");
    assert_non_null(strstr(http2_client_answer(client, head)->fields, "content-length: 5\n"));
    expect(client, empty, 204, "");
    assert_null(strstr(http2_client_answer(client, empty)->fields, "content-length"));
    expect(client, streamed, 200, "");
    assert_non_null(strstr(http2_client_answer(client, streamed)->fields, "content-length: 1000\n"));
    expect(client, injected, 200, "");
    assert_non_null(strstr(http2_client_answer(client, injected)->fields, "x-name: a  set-cookie: b\n"));
    http2_client_close(client);
}

static void requests_do_not_wait_for_each_other(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    int32_t parked = http2_client_ask(client, "GET", "/park", NULL);
    int32_t ids[100];
    for (int i = 0; i < 100; i++)
        ids[i] = http2_client_ask(client, "GET", i % 2 ? "/hello" : "/later", NULL);
    for (int i = 0; i < 100; i++)
        expect(client, ids[i], 200, i % 2 ? "hello" : "later");
    assert_false(http2_client_answer(client, parked)->closed);
    http_fixture_answer_parked(fixture);
    expect(client, parked, 200, "unparked");
    assert_int_equal(http_fixture_stats(fixture).requests, 101);
    http2_client_close(client);
    AWAIT(http_fixture_stats(fixture).connections == 0);
}

/* ---- Bodies ---- */

static char *pattern(size_t size)
{
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i * 7 % 26);
    bytes[size] = '\0';
    return bytes;
}

static void bodies_arrive_whole_and_in_pieces(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    char *body = pattern(STREAMED);
    static const size_t sizes[] = {0, 1, 16384, 70000, STREAMED};
    static const char *const paths[] = {"/echo", "/late", "/count"};
    int32_t ids[3][5];
    for (size_t path = 0; path < 3; path++)
        for (size_t i = 0; i < 5; i++)
            ids[path][i] = http2_client_post(client, paths[path], NULL, body, sizes[i], false);
    for (size_t path = 0; path < 3; path++) {
        for (size_t i = 0; i < 5; i++) {
            Http2Answer *answer = http2_client_await(client, ids[path][i]);
            assert_int_equal(answer->status, 200);
            if (path == 2) {
                assert_int_equal(strtoul(answer->body, NULL, 10), sizes[i]);
            } else {
                assert_int_equal(answer->size, sizes[i]);
                if (sizes[i] > 0)
                    assert_memory_equal(answer->body, body, sizes[i]);
            }
        }
    }
    free(body);
    http2_client_close(client);
}

static void a_length_is_held_to(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    int32_t right = http2_client_post(client, "/echo", "content-length: 5\n", "hello", 5, false);
    int32_t missing = http2_client_post(client, "/echo", "content-length: 6\n", "hello", 5, false);
    int32_t beyond = http2_client_post(client, "/echo", "content-length: 4\n", "hello", 5, false);
    expect(client, right, 200, "hello");
    assert_int_equal(http2_client_await(client, missing)->code, NGHTTP2_PROTOCOL_ERROR);
    assert_int_equal(http2_client_await(client, beyond)->code, NGHTTP2_PROTOCOL_ERROR);
    AWAIT(atomic_load(&fixture->body_errors) == 2);
    assert_int_equal(atomic_load(&fixture->last_error), ERROR_GONE);
    http2_client_close(client);
}

static void bodies_have_limits(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_BODY_BYTES] = 100000;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    char *body = pattern(1000000);
    /* Announced, and found out; the handler's limit, and the server's. */
    int32_t ids[] = {
        http2_client_post(client, "/echo?5", "content-length: 6\n", "hello ", 6, false),
        http2_client_post(client, "/echo?5", NULL, "hello ", 6, false),
        http2_client_post(client, "/echo", NULL, body, 1000000, false),
        http2_client_post(client, "/echo", "content-length: 1000000\n", body, 1000000, false),
    };
    for (size_t i = 0; i < 4; i++) {
        Http2Answer *answer = http2_client_await(client, ids[i]);
        assert_int_equal(answer->status, 413);
        assert_true(answer->ended);
        assert_int_equal(answer->code, NGHTTP2_NO_ERROR);
    }
    expect(client, http2_client_post(client, "/echo?5", NULL, "hello", 5, false), 200, "hello");
    free(body);
    http2_client_close(client);
}

static void the_bodies_of_all_together_have_a_limit(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_BODIES_BYTES] = 300000;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    char *body = pattern(200000);
    int32_t first = http2_client_post(client, "/echo", NULL, body, 200000, true);
    http2_client_flush(client);
    int32_t second = http2_client_post(client, "/echo", NULL, body, 200000, false);
    expect(client, second, 400, error_text(ERROR_BUSY));
    http2_client_answer(client, first)->hold = false;
    nghttp2_session_resume_data(client->session, first);
    expect(client, first, 200, NULL);
    expect(client, http2_client_post(client, "/echo", NULL, body, 200000, false), 200, body);
    free(body);
    http2_client_close(client);
}

static void a_paused_handler_holds_the_client_back(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    static char body[20000000];
    int32_t id = http2_client_post(client, "/count", NULL, body, sizeof body, false);
    Http2Answer *answer = http2_client_answer(client, id);
    size_t ahead = 0;
    while (!answer->closed) {
        assert_true(http2_client_turn(client));
        size_t sent = sizeof body - answer->sending_size;
        size_t taken = atomic_load(&fixture->taken);
        ahead = sent > taken && sent - taken > ahead ? sent - taken : ahead;
        /* Other streams are not held back. */
        if (sent > sizeof body / 2 && answer->status == 0 && client->answers[1].status == 0)
            expect(client, http2_client_ask(client, "GET", "/hello", NULL), 200, "hello");
    }
    assert_string_equal(answer->body, "20000000");
    assert_true(ahead <= limits_default.value[LIMIT_NET_HTTP2_WINDOW_BYTES] + 16384);
    http2_client_close(client);
}

static void an_answer_may_come_before_the_body_has(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    static char body[1000000];
    /* A short rest is let run out. */
    int32_t brief = http2_client_post(client, "/hello", NULL, body, 5000, true);
    Http2Answer *answer = http2_client_answer(client, brief);
    HTTP2_TURN_UNTIL(client, answer->ended);
    assert_false(answer->closed);
    answer->hold = false;
    nghttp2_session_resume_data(client->session, brief);
    http2_client_flush(client);
    assert_true(answer->closed);
    /* A long one is not, and is stopped when the client has had the time to read the answer. */
    int32_t early = http2_client_post(client, "/early", NULL, body, sizeof body, false);
    answer = http2_client_await(client, early);
    assert_string_equal(answer->body, "enough");
    assert_true(answer->ended && answer->closed && answer->code == NGHTTP2_NO_ERROR);
    assert_true(answer->sending_size > 0);
    expect(client, http2_client_ask(client, "GET", "/hello", NULL), 200, "hello");
    http2_client_close(client);
}

static void the_client_is_told_to_go_on_when_the_handler_wants_the_body(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    static const char *const paths[] = {"/echo", "/late"};
    for (size_t i = 0; i < 2; i++) {
        int32_t id = http2_client_post(client, paths[i], "expect: 100-continue\n", "", 0, true);
        Http2Answer *answer = http2_client_answer(client, id);
        HTTP2_TURN_UNTIL(client, answer->status == 100);
        answer->sending = "hello";
        answer->sending_size = 5;
        answer->hold = false;
        nghttp2_session_resume_data(client->session, id);
        expect(client, id, 200, "hello");
        assert_int_equal(answer->interim, 100);
    }
    int32_t unwanted = http2_client_post(client, "/hello", "expect: 100-continue\n", "", 0, true);
    expect(client, unwanted, 200, "hello");
    assert_int_equal(http2_client_answer(client, unwanted)->interim, 0);
    http2_client_close(client);
}

/* ---- Streamed answers ---- */

static void a_streamed_answer_is_whole_or_looks_broken(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    int32_t streamed = http2_client_ask(client, "GET", "/stream?1234567", NULL);
    int32_t sized = http2_client_ask(client, "GET", "/sized?1234567", NULL);
    int32_t short_one = http2_client_ask(client, "GET", "/short?100000", NULL);
    int32_t aborted = http2_client_ask(client, "GET", "/abort", NULL);
    Http2Answer *answer = http2_client_await(client, streamed);
    assert_true(answer->closed && answer->ended && answer->size == STREAMED && answer->code == NGHTTP2_NO_ERROR);
    assert_null(strstr(answer->fields, "content-length"));
    answer = http2_client_await(client, sized);
    assert_true(answer->closed && answer->ended && answer->size == STREAMED && answer->code == NGHTTP2_NO_ERROR);
    assert_non_null(strstr(answer->fields, "content-length: 1234567\n"));
    assert_int_equal(http2_client_await(client, short_one)->code, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(http2_client_await(client, aborted)->code, NGHTTP2_INTERNAL_ERROR);
    expect(client, http2_client_ask(client, "GET", "/hello", NULL), 200, "hello");
    http2_client_close(client);
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

static void a_stream_that_is_not_read_stops_its_writer_alone(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, false);
    int32_t id = http2_client_ask(client, "GET", "/stream?10000000", NULL);
    Http2Answer *answer = http2_client_answer(client, id);
    HTTP2_TURN_UNTIL(client, answer->size == WINDOW);
    assert_true(settled(&fixture->streamed) < WINDOW + 65536 + 2 * 10000);
    expect(client, http2_client_ask(client, "GET", "/hello", NULL), 200, "hello");
    while (!answer->closed) {
        nghttp2_session_consume(client->session, id, answer->size - (size_t)(answer->sending_size));
        answer->sending_size = answer->size;
        assert_true(http2_client_turn(client));
    }
    assert_int_equal(answer->size, 10000000);
    http2_client_close(client);
}

/* ---- Clients that leave ---- */

static void a_handler_learns_of_a_reset_stream(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    int32_t parked = http2_client_ask(client, "GET", "/park", NULL);
    int32_t streaming = http2_client_ask(client, "GET", "/stream?500000000", NULL);
    int32_t sending = http2_client_post(client, "/echo", NULL, "hello", 5, true);
    HTTP2_TURN_UNTIL(client, http2_client_answer(client, streaming)->size > 0);
    AWAIT(atomic_load(&fixture->parked) == 1);
    nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, parked, NGHTTP2_CANCEL);
    nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, streaming, NGHTTP2_CANCEL);
    nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, sending, NGHTTP2_CANCEL);
    http2_client_flush(client);
    AWAIT(atomic_load(&fixture->gone) == 2 && atomic_load(&fixture->body_errors) == 1);
    assert_int_equal(atomic_load(&fixture->parked), 0);
    assert_int_equal(atomic_load(&fixture->last_error), ERROR_GONE);
    expect(client, http2_client_ask(client, "GET", "/hello", NULL), 200, "hello");
    /* An answer that comes late goes nowhere. */
    int32_t late = http2_client_ask(client, "GET", "/later", NULL);
    nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, late, NGHTTP2_CANCEL);
    expect(client, http2_client_ask(client, "GET", "/later", NULL), 200, "later");
    http2_client_close(client);
}

static void handlers_learn_of_a_closed_connection(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    for (int half = 0; half < 2; half++) {
        Http2Client *client = http2_client_open(fixture, WINDOW, true);
        for (int i = 0; i < 50; i++)
            http2_client_ask(client, "GET", "/park", NULL);
        http2_client_ask(client, "GET", "/later", NULL);
        int32_t cut = http2_client_post(client, "/echo", NULL, "hello", 5, true);
        http2_client_flush(client);
        AWAIT(atomic_load(&fixture->parked) == 50);
        if (half) {
            /* A client that only has no more to say gets the answers. */
            shutdown(client->fd, SHUT_WR);
            expect(client, 1, 200, "given up");
            expect(client, cut, 400, error_text(ERROR_GONE));
        }
        http2_client_close(client);
        AWAIT(atomic_load(&fixture->gone) == 50 * (half + 1) && atomic_load(&fixture->parked) == 0);
        AWAIT(http_fixture_stats(fixture).connections == 0);
        assert_int_equal(atomic_load(&fixture->body_errors), half + 1);
    }
}

static void a_server_is_closed_with_requests_at_work(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    for (int i = 0; i < 10; i++)
        http2_client_ask(client, "GET", i % 2 ? "/park" : "/stream?5000000", NULL);
    http2_client_post(client, "/echo", NULL, "hello", 5, true);
    http2_client_flush(client);
    AWAIT(atomic_load(&fixture->parked) == 5);
    Http2Client *other = http2_client_open(fixture, WINDOW, true);
    http2_client_ask(other, "GET", "/park", NULL);
    http2_client_flush(other);
    AWAIT(atomic_load(&fixture->parked) == 6);
    http_fixture_stop(fixture);
    http2_client_close(client);
    http2_client_close(other);
    http_fixture_start(fixture, 1);
}

/* ---- The end ---- */

static void draining_lets_what_was_asked_be_answered(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    Http2Client *idle = http2_client_open(fixture, WINDOW, true);
    Http2Client *busy = http2_client_open(fixture, WINDOW, true);
    int32_t parked = http2_client_ask(busy, "GET", "/park", NULL);
    http2_client_flush(busy);
    AWAIT(atomic_load(&fixture->parked) == 1);
    http_fixture_drain(fixture);
    while (http2_client_turn(idle))
        continue;
    assert_true(idle->gone && idle->told_to_go);
    assert_int_equal(idle->go_code, NGHTTP2_NO_ERROR);
    /* First that it will end; what was under way then is served; then which request was the last. */
    HTTP2_TURN_UNTIL(busy, busy->told_to_go);
    HTTP2_TURN_UNTIL(busy, busy->go_last == parked);
    assert_false(atomic_load(&fixture->drained));
    http_fixture_answer_parked(fixture);
    expect(busy, parked, 200, "unparked");
    while (http2_client_turn(busy))
        continue;
    assert_true(busy->gone);
    AWAIT(atomic_load(&fixture->drained));
    http2_client_close(idle);
    http2_client_close(busy);
}

static void a_client_that_does_not_hear_of_the_end_is_let_go(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *deaf = http2_client_open(fixture, WINDOW, true);
    expect(deaf, http2_client_ask(deaf, "GET", "/hello", NULL), 200, "hello");
    http_fixture_drain(fixture);
    AWAIT(atomic_load(&fixture->drained));
    http2_client_close(deaf);
}

static void slow_clients_are_timed_out(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_HEADER_TIMEOUT_MS] = 100;
    fixture->limits.value[LIMIT_NET_BODY_TIMEOUT_MS] = 150;
    fixture->limits.value[LIMIT_NET_IDLE_TIMEOUT_MS] = 200;
    http_fixture_start(fixture, 1);

    /* A preface without SETTINGS; half a head, which more requests do not excuse. */
    int fd = client_connect(fixture);
    client_say(fd, NGHTTP2_CLIENT_MAGIC);
    assert_int_equal(raw_await_goaway(fd), NGHTTP2_ENHANCE_YOUR_CALM);
    close(fd);
    fd = raw_open(fixture);
    raw_get(fd, 1, "/park", true);
    raw_send(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 3, "\x82", 1);
    assert_int_equal(raw_await_goaway(fd), NGHTTP2_ENHANCE_YOUR_CALM);
    close(fd);
    assert_int_equal(http_fixture_stats(fixture).bad_requests, 2);
    AWAIT(atomic_load(&fixture->gone) == 1);

    /* A body: one stream is timed out, the others live. */
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    int32_t parked = http2_client_ask(client, "GET", "/park", NULL);
    int32_t slow = http2_client_post(client, "/echo", NULL, "hello", 5, true);
    expect(client, slow, 408, NULL);
    http_fixture_answer_parked(fixture);
    expect(client, parked, 200, "unparked");
    /* Without a request, the connection ends. */
    while (http2_client_turn(client))
        continue;
    assert_true(client->gone && client->told_to_go);
    assert_int_equal(client->go_code, NGHTTP2_NO_ERROR);
    http2_client_close(client);
}

static void a_body_may_take_as_long_as_it_goes_on(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_BODY_TIMEOUT_MS] = 150;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    char *body = pattern(20000);
    int32_t id = http2_client_post(client, "/echo", NULL, body, 0, true);
    Http2Answer *answer = http2_client_answer(client, id);
    for (int i = 0; i < 10; i++) {
        http2_client_flush(client);
        usleep(40000);
        answer->sending_size = 2000;
        answer->hold = i < 9;
        nghttp2_session_resume_data(client->session, id);
    }
    expect(client, id, 200, body);
    free(body);
    http2_client_close(client);
}

static void a_client_that_never_reads_is_evicted(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_WRITE_TIMEOUT_MS] = 200;
    http_fixture_start(fixture, 1);
    /* By its window: the stream is broken off. */
    Http2Client *client = http2_client_open(fixture, 0, false);
    int32_t streaming = http2_client_ask(client, "GET", "/stream?500000000", NULL);
    int32_t whole = http2_client_ask(client, "GET", "/hello", NULL);
    assert_int_equal(http2_client_await(client, streaming)->code, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_int_equal(http2_client_await(client, whole)->code, NGHTTP2_ENHANCE_YOUR_CALM);
    AWAIT(atomic_load(&fixture->gone) == 1);
    assert_int_equal(http_fixture_stats(fixture).evicted, 2);
    /* Even if only the end is missing. */
    int32_t empty = http2_client_ask(client, "HEAD", "/sized?1000", NULL);
    assert_int_equal(http2_client_await(client, empty)->code, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_int_equal(http_fixture_stats(fixture).evicted, 3);
    int32_t parked = http2_client_ask(client, "GET", "/park", NULL);
    http2_client_flush(client);
    AWAIT(atomic_load(&fixture->parked) == 1);
    nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, parked, NGHTTP2_CANCEL);
    http2_client_flush(client);
    AWAIT(atomic_load(&fixture->parked) == 0);
    http2_client_close(client);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    /* By its socket: the connection is. */
    client = http2_client_open(fixture, 1 << 30, true);
    http2_client_ask(client, "GET", "/stream?500000000", NULL);
    http2_client_flush(client);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_int_equal(http_fixture_stats(fixture).evicted, 4);
    http2_client_close(client);
}

/* ---- Upgrade ---- */

#define OFFER "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"

static void expect_upgrade(const HttpFixture *fixture, const char *request, const char *body)
{
    static const uint8_t settings[] = {0, 3, 0, 0, 0, 100, 0, 4, 0, 0, 255, 255};
    int fd = client_connect(fixture);
    client_say(fd, request);
    char *answer = client_answer_head(fd);
    assert_string_equal(answer, "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n");
    free(answer);
    Http2Client *client = http2_client_upgraded(fd, settings, sizeof settings, false);
    expect(client, 1, 200, body);
    int32_t next = http2_client_ask(client, "GET", "/hello", NULL);
    assert_int_equal(next, 3);
    expect(client, next, 200, "hello");
    http2_client_close(client);
}

static void http1_can_be_upgraded(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    expect_upgrade(fixture, "GET /hello HTTP/1.1\r\nhost: example\r\n" OFFER "\r\n", "hello");
    expect_upgrade(fixture, "GET /later HTTP/1.1\r\nhost: example\r\n" OFFER "\r\n", "later");
    static const char *const paths[] = {"echo", "late", "hello", "count"};
    for (size_t i = 0; i < 4; i++) {
        char request[300];
        snprintf(request, sizeof request,
                 "POST /%s HTTP/1.1\r\nhost: example\r\ncontent-length: 5\r\n" OFFER "\r\nhello", paths[i]);
        expect_upgrade(fixture, request, i == 3 ? "5" : "hello");
    }
}

static void what_follows_an_upgrade_must_be_http2(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    client_say(fd, "GET /park HTTP/1.1\r\nhost: example\r\n" OFFER "\r\nGET /hello HTTP/1.1\r\nhost: example\r\n\r\n");
    char *answer = client_answer_head(fd);
    assert_int_equal(client_status(answer), 101);
    free(answer);
    assert_int_equal(raw_await_goaway(fd), NGHTTP2_PROTOCOL_ERROR);
    close(fd);
    AWAIT(atomic_load(&fixture->gone) == 1);
    assert_int_equal(http_fixture_stats(fixture).requests, 1);
}

static void an_offer_that_cannot_be_taken_is_ignored(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    static const char *const fields[] = {
        "connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\n",
        "connection: upgrade, http2-settings\r\nupgrade: websocket\r\nhttp2-settings: AAMAAABk\r\n",
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\nhttp2-settings: "
        "AAMAAABk\r\n",
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAA\r\n",
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: !!!!!!!!\r\n",
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAQAf___\r\nexpect: 100-continue\r\n",
        OFFER "content-length: 20000\r\n",
        OFFER "transfer-encoding: chunked\r\n",
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int fd = client_connect(fixture);
        client_say(fd, "POST /echo?4 HTTP/1.1\r\nhost: example\r\n");
        client_say(fd, fields[i]);
        client_say(fd, i < 7 ? "content-length: 5\r\n\r\n" : "\r\n5\r\nhello");
        char *answer = client_answer(fd);
        assert_int_equal(client_status(answer), 413);
        free(answer);
        close(fd);
    }
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
        HTTP_TEST(an_answer_comes_as_a_stream),
        HTTP_TEST(a_handler_sees_what_it_sees_in_http1),
        HTTP_TEST(answers_without_a_body_have_none),
        HTTP_TEST(requests_do_not_wait_for_each_other),
        HTTP_TEST(bodies_arrive_whole_and_in_pieces),
        HTTP_TEST(a_length_is_held_to),
        HTTP_TEST(bodies_have_limits),
        HTTP_TEST(the_bodies_of_all_together_have_a_limit),
        HTTP_TEST(a_paused_handler_holds_the_client_back),
        HTTP_TEST(an_answer_may_come_before_the_body_has),
        HTTP_TEST(the_client_is_told_to_go_on_when_the_handler_wants_the_body),
        HTTP_TEST(a_streamed_answer_is_whole_or_looks_broken),
        HTTP_TEST(a_stream_that_is_not_read_stops_its_writer_alone),
        HTTP_TEST(a_handler_learns_of_a_reset_stream),
        HTTP_TEST(handlers_learn_of_a_closed_connection),
        HTTP_TEST(a_server_is_closed_with_requests_at_work),
        HTTP_TEST(draining_lets_what_was_asked_be_answered),
        HTTP_TEST(a_client_that_does_not_hear_of_the_end_is_let_go),
        HTTP_TEST(slow_clients_are_timed_out),
        HTTP_TEST(a_body_may_take_as_long_as_it_goes_on),
        HTTP_TEST(a_client_that_never_reads_is_evicted),
        HTTP_TEST(http1_can_be_upgraded),
        HTTP_TEST(what_follows_an_upgrade_must_be_http2),
        HTTP_TEST(an_offer_that_cannot_be_taken_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

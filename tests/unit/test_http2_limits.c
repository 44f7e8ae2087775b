/* HTTP/2 against clients that do what they should not: malformed requests, floods, and answers that nobody reads. Each
 * costs the client its stream or its connection, and the server little. */
#include "http2_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WINDOW = 65535, FLAT_BYTES = 4 << 20, FLOOD_BYTES = 2 << 20 };

static void expect(Http2Client *client, int32_t id, int status, const char *body)
{
    Http2Answer *answer = http2_client_await(client, id);
    assert_true(answer->closed);
    assert_int_equal(answer->status, status);
    if (body != NULL)
        assert_string_equal(answer->body == NULL ? "" : answer->body, body);
}

/* 0 under a sanitizer's allocator. */
static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* ---- Heads ---- */

static void heads_have_limits(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_HEADER_BYTES] = 2000;
    fixture->limits.value[LIMIT_NET_HEADER_COUNT] = 10;
    http_fixture_start(fixture, 1);
    char path[3000];
    char fields[3000];
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    snprintf(fields, sizeof fields, "x: %.2500s\n", path);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    expect(client, http2_client_ask(client, "GET", path, NULL), 414, "the request's target is too long\n");
    expect(client, http2_client_ask(client, "GET", "/hello", fields), 431, "the request's head is too long\n");
    expect(client, http2_client_post(client, "/hello", fields, "hello", 5, true), 431, NULL);
    for (int count = 9; count <= 10; count++) {
        fields[0] = '\0';
        for (int i = 0; i < count; i++)
            strcat(fields, "x: y\n");
        int32_t id = http2_client_ask(client, "GET", "/hello", fields);
        expect(client, id, count == 9 ? 200 : 431, NULL);
    }
    assert_int_equal(http_fixture_stats(fixture).bad_requests, 4);
    http2_client_close(client);
}

typedef struct Malformed {
    const char *method;
    const char *path;
    const char *fields;
    int status; /* 0: the stream is reset with PROTOCOL_ERROR */
} Malformed;

static void malformed_requests_cost_the_stream(void **state)
{
    static const Malformed rows[] = {
        {"GET", "/hello", "x y: 1\n", 0},
        {"GET", "/hello", "x: a\rb\n", 0},
        {"GET", "/hello", "connection: close\n", 0},
        {"GET", "/hello", "transfer-encoding: chunked\n", 0},
        {"GET", "/hello", "upgrade: h2c\n", 0},
        {"GET", "/hello", "te: gzip\n", 0},
        {"GET", "/hello", "content-length: x\n", 0},
        {"GET", "/hello", "content-length: 1\ncontent-length: 1\n", 0},
        {"GET", "/hello", ":path: /other\n", 0},
        {"GET", "/hello", "x: y\n:unknown: 1\n", 0},
        {"GET", "/hello", ":status: 200\n", 0},
        {"GET", NULL, NULL, 0},
        {NULL, "/hello", NULL, 0},
        {"GET", "hello", NULL, 0},
        {"GET", "*", NULL, 0},
        {"G T", "/hello", NULL, 0},
        {"GET", "/hello#there", NULL, 400},
        {"GET", "/hello", "x: y\nhost: other\n", 400},
        {"GET", "/hello", "host: a@b\n", 400},
        {"POST", "/hello", "expect: miracles\n", 417},
        {"GET", "/hello", "te: trailers\n", 200},
        {"GET", "/hello", "x: y\nhost: EXAMPLE\n", 200},
    };
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t id = http2_client_ask(client, rows[i].method, rows[i].path, rows[i].fields);
        Http2Answer *answer = http2_client_await(client, id);
        if (answer->status != rows[i].status || (answer->status == 0) != (answer->code == NGHTTP2_PROTOCOL_ERROR))
            fail_msg("%s %s %s: %d, code %u", rows[i].method, rows[i].path, rows[i].fields, answer->status,
                     (unsigned)answer->code);
    }
    assert_int_equal(http_fixture_stats(fixture).bad_requests, sizeof rows / sizeof *rows - 2);
    assert_int_equal(http_fixture_stats(fixture).requests, 2);
    http2_client_close(client);
}

static void a_name_in_upper_case_costs_the_stream(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = raw_open(fixture);
    static const char block[] = "\x82\x86\x84\x41\x01h\x40\x01X\x01y";
    raw_send(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, block, sizeof block - 1);
    uint32_t code;
    assert_true(raw_await(fd, NGHTTP2_RST_STREAM, NULL, &code));
    assert_int_equal(code, NGHTTP2_PROTOCOL_ERROR);
    raw_get(fd, 3, "/hello", true);
    assert_true(raw_await(fd, NGHTTP2_HEADERS, NULL, NULL));
    close(fd);
}

static void connect_is_not_supported(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = raw_open(fixture);
    static const char block[] = "\x02\x07"
                                "CONNECT\x01\x0b"
                                "example:443";
    uint32_t id;
    raw_send(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, block, sizeof block - 1);
    assert_true(raw_await(fd, NGHTTP2_HEADERS, &id, NULL));
    assert_int_equal(id, 1);
    assert_int_equal(http_fixture_stats(fixture).requests, 0);
    close(fd);
}

static void what_is_no_http2_ends_the_connection(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    static const struct {
        uint8_t type;
        uint8_t flags;
        uint32_t id;
        const char *payload;
        size_t size;
        int64_t code;
    } rows[] = {
        {NGHTTP2_DATA, 0, 0, "", 0, NGHTTP2_PROTOCOL_ERROR},
        {NGHTTP2_DATA, 0, 1, "", 0, NGHTTP2_PROTOCOL_ERROR}, /* of an idle stream */
        {NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x8", 4, NGHTTP2_PROTOCOL_ERROR},
        {NGHTTP2_SETTINGS, 0, 0, "x", 1, NGHTTP2_FRAME_SIZE_ERROR},
        {NGHTTP2_PING, 0, 0, "x", 1, NGHTTP2_FRAME_SIZE_ERROR},
        {NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, 1, "\0\0\0\2\x82", 5, NGHTTP2_PROTOCOL_ERROR},
        {NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4, NGHTTP2_PROTOCOL_ERROR},
        {NGHTTP2_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff", 4, NGHTTP2_FLOW_CONTROL_ERROR},
        {NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 2, "\x82", 1, NGHTTP2_PROTOCOL_ERROR}, /* an even stream */
        {NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\xff\xff\xff\xff\xff", 5, NGHTTP2_COMPRESSION_ERROR},
        {NGHTTP2_CONTINUATION, 0, 1, "\x82", 1, NGHTTP2_PROTOCOL_ERROR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = raw_open(fixture);
        raw_send(fd, rows[i].type, rows[i].flags, rows[i].id, rows[i].payload, rows[i].size);
        int64_t code = raw_await_goaway(fd);
        if (code != rows[i].code)
            fail_msg("row %zu: code %d", i, (int)code);
        close(fd);
    }
    AWAIT(http_fixture_stats(fixture).connections == 0);
}

/* ---- Floods ---- */

/* Says the bytes again and again, up to FLOOD_BYTES, without reading; gives the code of the GOAWAY that ends it. */
static int64_t flood(int fd, const char *bytes, size_t size)
{
    for (size_t sent = 0; sent < FLOOD_BYTES; sent += size)
        client_send(fd, bytes, size);
    int64_t code = raw_await_goaway(fd);
    close(fd);
    return code;
}

static void frames_that_bring_nothing_are_bounded(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    static const struct {
        const char *what;
        uint8_t type;
        uint8_t flags;
        uint32_t id;
        const char *payload;
        size_t size;
    } rows[] = {
        {"PING", NGHTTP2_PING, 0, 0, "12345678", 8},
        {"PING ACK", NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "12345678", 8},
        {"SETTINGS", NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\xff\xff", 6},
        {"empty SETTINGS", NGHTTP2_SETTINGS, 0, 0, "", 0},
        {"PRIORITY", NGHTTP2_PRIORITY, 0, 9, "\0\0\0\1\1", 5},
        {"empty DATA", NGHTTP2_DATA, 0, 1, "", 0},
        {"padding", NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, "\0", 1},
        {"WINDOW_UPDATE", NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4},
        {"WINDOW_UPDATE of a stream", NGHTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4},
    };
    size_t before = allocated();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = raw_open(fixture);
        raw_get(fd, 1, "/park", false);
        static char frames[1024 * 32];
        size_t size = 0;
        while (size + 32 < sizeof frames)
            size += raw_put(frames + size, rows[i].type, rows[i].flags, rows[i].id, rows[i].payload, rows[i].size);
        int64_t code = flood(fd, frames, size);
        if (code != NGHTTP2_ENHANCE_YOUR_CALM)
            fail_msg("%s: code %d", rows[i].what, (int)code);
    }
    assert_int_equal(http_fixture_stats(fixture).evicted, sizeof rows / sizeof *rows);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_true(allocated() < before + FLAT_BYTES);
}

static void frames_of_unknown_types_are_ignored(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    size_t before = allocated();
    int fd = raw_open(fixture);
    static char frames[1000 * 13];
    size_t size = 0;
    while (size < sizeof frames)
        size += raw_put(frames + size, 0x77, 0xff, 5, "1234", 4);
    for (size_t sent = 0; sent < FLOOD_BYTES; sent += size)
        client_send(fd, frames, size);
    raw_get(fd, 1, "/hello", true);
    assert_true(raw_await(fd, NGHTTP2_HEADERS, NULL, NULL));
    close(fd);
    assert_true(allocated() < before + FLAT_BYTES);
}

static void requests_that_are_broken_off_again_and_again_end_the_connection(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    size_t before = allocated();
    /* By the client itself, and by making the server do it: a body longer than announced, a stream's window beyond
     * what windows may be. */
    for (int way = 0; way < 3; way++) {
        int fd = raw_open(fixture);
        for (uint32_t id = 1; id < 20000; id += 2) {
            char frames[400];
            static const char block[] = "\x82\x86\x41\x01h\x04\x05/park\x5c\x01"
                                        "1";
            size_t size = way == 1
                              ? raw_put(frames, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, block, sizeof block - 1)
                              : raw_put_get(frames, id, "/park", false);
            if (way == 0)
                size += raw_put(frames + size, NGHTTP2_RST_STREAM, 0, id, "\0\0\0\x8", 4);
            else if (way == 1)
                size += raw_put(frames + size, NGHTTP2_DATA, 0, id, "xy", 2);
            else
                size += raw_put(frames + size, NGHTTP2_WINDOW_UPDATE, 0, id, "\x7f\xff\xff\xff", 4);
            client_send(fd, frames, size);
        }
        assert_int_equal(raw_await_goaway(fd), NGHTTP2_ENHANCE_YOUR_CALM);
        close(fd);
        AWAIT(http_fixture_stats(fixture).connections == 0);
    }
    uint64_t most = 3 * (limits_default.value[LIMIT_NET_HTTP2_RESETS] + 200);
    assert_true(http_fixture_stats(fixture).requests < most);
    assert_int_equal(atomic_load(&fixture->parked), 0);
    assert_true(allocated() < before + FLAT_BYTES);
}

static void breaking_off_a_few_requests_is_no_flood(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, WINDOW, true);
    for (int round = 0; round < 4; round++) {
        int32_t ids[100];
        for (int i = 0; i < 100; i++)
            ids[i] = http2_client_ask(client, "GET", "/park", NULL);
        http2_client_flush(client);
        AWAIT(atomic_load(&fixture->parked) == 100);
        for (int i = 0; i < 100; i++)
            nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, ids[i], NGHTTP2_CANCEL);
        http2_client_flush(client);
        AWAIT(atomic_load(&fixture->parked) == 0);
    }
    expect(client, http2_client_ask(client, "GET", "/hello", NULL), 200, "hello");
    http2_client_close(client);
}

static void a_head_in_endless_pieces_ends_the_connection(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    size_t before = allocated();
    static const char *const fields[] = {"", "\x40\x01x\x01y", "\x40\x01x\x01y\x40\x01x\x01y\x40\x01x\x01y"};
    for (size_t i = 0; i < 3; i++) {
        int fd = raw_open(fixture);
        raw_send(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, "\x82\x86\x84", 3);
        char frame[64];
        size_t size = raw_put(frame, NGHTTP2_CONTINUATION, 0, 1, fields[i], strlen(fields[i]));
        assert_true(flood(fd, frame, size) > 0); /* libnghttp2 is first, with a code of its own */
    }
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_true(allocated() < before + FLAT_BYTES);
}

static void a_head_that_unpacks_to_very_much_ends_the_connection(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    size_t before = allocated();
    int fd = raw_open(fixture);
    /* Four thousand bytes go into the table once, and are then named by one byte each. */
    static char block[16384];
    size_t size = 0;
    memcpy(block, "\x82\x86\x84\x41\x01h\x40\x01x\x7f\xa1\x1e", 12); /* a value of 127 + 3873 bytes */
    size = 12;
    memset(block + size, 'y', 4000);
    size += 4000;
    memset(block + size, '\xbe', 12000);
    size += 12000;
    raw_send(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, block, size);
    assert_int_equal(raw_await_goaway(fd), NGHTTP2_ENHANCE_YOUR_CALM);
    close(fd);
    /* Less than that is answered. */
    fd = raw_open(fixture);
    raw_send(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, block, 12 + 4000 + 20);
    uint32_t id;
    assert_true(raw_await(fd, NGHTTP2_HEADERS, &id, NULL));
    close(fd);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_int_equal(http_fixture_stats(fixture).requests, 0);
    assert_true(allocated() < before + FLAT_BYTES);
}

/* ---- Too many, too much ---- */

static void streams_have_a_limit(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_HTTP2_STREAMS] = 10;
    http_fixture_start(fixture, 1);
    /* As long as the client may not know of it, what is more is refused; later it is a mistake. */
    int fd = raw_open(fixture);
    for (uint32_t id = 1; id <= 21; id += 2)
        raw_get(fd, id, "/park", true);
    uint32_t id;
    uint32_t code;
    assert_true(raw_await(fd, NGHTTP2_RST_STREAM, &id, &code));
    assert_int_equal(id, 21);
    assert_int_equal(code, NGHTTP2_REFUSED_STREAM);
    assert_int_equal(atomic_load(&fixture->parked), 10);
    raw_send(fd, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
    raw_get(fd, 23, "/park", true);
    assert_int_equal(raw_await_goaway(fd), NGHTTP2_PROTOCOL_ERROR);
    close(fd);
    AWAIT(atomic_load(&fixture->parked) == 0);
}

static void a_client_that_does_not_read_refusals_is_not_read_from(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_HTTP2_STREAMS] = 1;
    http_fixture_start(fixture, 1);
    size_t before = allocated();
    int fd = raw_open(fixture);
    raw_get(fd, 1, "/park", true);
    AWAIT(atomic_load(&fixture->parked) == 1);
    /* Until nothing has gone for a while. */
    static char frames[65536];
    size_t size = 0;
    size_t at = 0;
    size_t sent = 0;
    uint32_t id = 3;
    for (int quiet = 0; quiet < 100;) {
        if (at == size) {
            for (at = size = 0; size + 64 < sizeof frames; id += 2)
                size += raw_put_get(frames + size, id, "/hello", true);
        }
        ssize_t taken = send(fd, frames + at, size - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_true(taken > 0 || errno == EAGAIN);
        quiet = taken > 0 ? 0 : quiet + 1;
        at += taken > 0 ? (size_t)taken : 0;
        sent += taken > 0 ? (size_t)taken : 0;
        assert_true(sent < 256u << 20);
        usleep(taken > 0 ? 0 : 2000);
    }
    assert_true(allocated() < before + FLAT_BYTES);
    assert_int_equal(http_fixture_stats(fixture).requests, 1);
    close(fd);
    AWAIT(atomic_load(&fixture->parked) == 0);
}

static void requests_whose_stream_has_gone_count_as_long_as_they_are_at_work(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_HTTP2_STREAMS] = 4;
    http_fixture_start(fixture, 1);
    int fd = raw_open(fixture);
    uint32_t id;
    for (id = 1; id < 17; id += 2) {
        raw_get(fd, id, "/hold", true);
        raw_send(fd, NGHTTP2_RST_STREAM, 0, id, "\0\0\0\x8", 4);
    }
    raw_get(fd, 17, "/hello", true);
    uint32_t code;
    assert_true(raw_await(fd, NGHTTP2_RST_STREAM, &id, &code));
    assert_int_equal(id, 17);
    assert_int_equal(code, NGHTTP2_REFUSED_STREAM);
    http_fixture_release(fixture, 1);
    AWAIT(atomic_load(&fixture->parked) == 0);
    raw_get(fd, 19, "/hello", true);
    assert_true(raw_await(fd, NGHTTP2_HEADERS, &id, NULL));
    assert_int_equal(id, 19);
    close(fd);
}

static void the_requests_of_all_connections_have_a_limit(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_REQUESTS] = 6;
    http_fixture_start(fixture, 1);
    Http2Client *clients[2];
    for (int i = 0; i < 2; i++) {
        clients[i] = http2_client_open(fixture, WINDOW, true);
        for (int j = 0; j < 3; j++)
            http2_client_ask(clients[i], "GET", "/hold", NULL);
        http2_client_flush(clients[i]);
    }
    AWAIT(atomic_load(&fixture->parked) == 6);
    int32_t refused = http2_client_ask(clients[0], "GET", "/hello", NULL);
    assert_int_equal(http2_client_await(clients[0], refused)->code, NGHTTP2_REFUSED_STREAM);
    http_fixture_release(fixture, 1);
    expect(clients[0], 5, 200, NULL);
    expect(clients[0], http2_client_ask(clients[0], "GET", "/hello", NULL), 200, "hello");
    http2_client_close(clients[0]);
    http2_client_close(clients[1]);
}

static void a_client_that_does_not_read_is_not_answered_more(void **state)
{
    HttpFixture *fixture = *state;
    enum { BODY = 50000 };
    fixture->limits.value[LIMIT_NET_HTTP2_UNSENT_BYTES] = 2 * BODY;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, 0, true);
    /* Beyond the limit, requests wait: their handlers do not know of them. */
    for (int i = 0; i < 3; i++)
        http2_client_ask(client, "GET", "/hold", NULL);
    http2_client_flush(client);
    AWAIT(atomic_load(&fixture->parked) == 3);
    http_fixture_release(fixture, BODY);
    int32_t id = http2_client_post(client, "/echo", NULL, "hello", 5, false);
    HTTP2_TURN_UNTIL(client, http2_client_answer(client, 5)->has_head);
    for (int i = 0; i < 3; i++)
        http2_client_ask(client, "GET", "/hold", NULL);
    nghttp2_submit_ping(client->session, NGHTTP2_FLAG_NONE, NULL);
    assert_true(http2_client_turn(client));
    assert_int_equal(http_fixture_stats(fixture).requests, 3);
    assert_int_equal(atomic_load(&fixture->parked), 0);
    /* When it reads, they go on. */
    nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20};
    nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &setting, 1);
    expect(client, id, 200, "hello");
    assert_int_equal(http2_client_await(client, 1)->size, BODY);
    AWAIT(atomic_load(&fixture->parked) == 3);
    http2_client_close(client);
}

static void answers_that_nobody_reads_are_dropped(void **state)
{
    HttpFixture *fixture = *state;
    enum { BODY = 50000, HELD = 20 };
    fixture->limits.value[LIMIT_NET_HTTP2_UNSENT_BYTES] = 2 * BODY;
    http_fixture_start(fixture, 1);
    Http2Client *client = http2_client_open(fixture, 0, true);
    for (int i = 0; i < HELD; i++)
        http2_client_ask(client, "GET", "/hold", NULL);
    http2_client_flush(client);
    AWAIT(atomic_load(&fixture->parked) == HELD);
    /* Twice the limit may lie here; the streams of the others are reset. */
    http_fixture_release(fixture, BODY);
    AWAIT(http_fixture_stats(fixture).evicted == HELD - 4);
    size_t reset = 0;
    while (reset < HELD - 4) {
        assert_true(http2_client_turn(client));
        reset = 0;
        for (int i = 0; i < HELD; i++)
            reset += client->answers[i].code == NGHTTP2_ENHANCE_YOUR_CALM;
    }
    nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20};
    nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &setting, 1);
    expect(client, http2_client_ask(client, "GET", "/hello", NULL), 200, "hello");
    http2_client_close(client);
}

static void a_writer_is_stopped_at_little_when_many_streams_are_not_read(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    size_t before = allocated();
    Http2Client *client = http2_client_open(fixture, 0, true);
    for (int i = 0; i < 100; i++)
        http2_client_ask(client, "GET", "/stream?100000000", NULL);
    http2_client_flush(client);
    HTTP2_TURN_UNTIL(client, http2_client_answer(client, 199)->has_head);
    assert_true(atomic_load(&fixture->streamed) <= 100 * (65536 + 10000));
    assert_true(allocated() < before + 100 * 200000);
    http2_client_close(client);
    AWAIT(atomic_load(&fixture->gone) == 100);
}

/* ---- Parked ---- */

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
    enum { CLIENTS = 10, EACH = 100, PARKED = CLIENTS * EACH, BYTES_EACH = 4096 };
    http_fixture_start(fixture, 1);
    int fds[CLIENTS];
    size_t before = allocated();
    static const char fields[] = "\x82\x86\x04\x05/park\x41\x09localhost"
                                 "\x5f\x1a"
                                 "application/x-amz-json-1.0"
                                 "\x40\x0cx-amz-target\x18"
                                 "AmazonSQS.ReceiveMessage";
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = raw_open(fixture);
        for (uint32_t id = 1; id < 2 * EACH; id += 2)
            raw_send(fds[i], NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id, fields,
                     sizeof fields - 1);
    }
    AWAIT(atomic_load(&fixture->parked) == PARKED);
    size_t used = allocated() - before;
    assert_true(used <= (size_t)PARKED * BYTES_EACH);
    uint64_t start = cpu_us();
    usleep(500000);
    assert_true(cpu_us() - start < 20000);
    for (int i = 0; i < CLIENTS; i++)
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
        HTTP_TEST(malformed_requests_cost_the_stream),
        HTTP_TEST(a_name_in_upper_case_costs_the_stream),
        HTTP_TEST(connect_is_not_supported),
        HTTP_TEST(what_is_no_http2_ends_the_connection),
        HTTP_TEST(frames_that_bring_nothing_are_bounded),
        HTTP_TEST(frames_of_unknown_types_are_ignored),
        HTTP_TEST(requests_that_are_broken_off_again_and_again_end_the_connection),
        HTTP_TEST(breaking_off_a_few_requests_is_no_flood),
        HTTP_TEST(a_head_in_endless_pieces_ends_the_connection),
        HTTP_TEST(a_head_that_unpacks_to_very_much_ends_the_connection),
        HTTP_TEST(streams_have_a_limit),
        HTTP_TEST(a_client_that_does_not_read_refusals_is_not_read_from),
        HTTP_TEST(requests_whose_stream_has_gone_count_as_long_as_they_are_at_work),
        HTTP_TEST(the_requests_of_all_connections_have_a_limit),
        HTTP_TEST(a_client_that_does_not_read_is_not_answered_more),
        HTTP_TEST(answers_that_nobody_reads_are_dropped),
        HTTP_TEST(a_writer_is_stopped_at_little_when_many_streams_are_not_read),
        HTTP_TEST(parked_requests_cost_little_memory_and_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The promises of channel.h: frames come whole however the bytes come, and no worker can make the server hold more. */
#include "runtime/channel.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Pair {
    Channel channel;
    int ours;
    int theirs;
} Pair;

static void pair_open(Pair *pair, size_t limit)
{
    int files[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, files), 0);
    pair->ours = files[0];
    pair->theirs = files[1];
    channel_open(&pair->channel, pair->ours, pair->ours, limit);
}

static void pair_close(Pair *pair)
{
    channel_close(&pair->channel);
    close(pair->ours);
    if (pair->theirs >= 0)
        close(pair->theirs);
}

static size_t put_header(char *to, unsigned kind, uint32_t size)
{
    memset(to, 0, CHANNEL_HEADER_SIZE);
    to[0] = (char)kind;
    memcpy(to + 4, &size, sizeof size);
    return CHANNEL_HEADER_SIZE;
}

static void a_frame_comes_whole_byte_by_byte(void **state)
{
    (void)state;
    Pair pair;
    Frame frame;
    char bytes[64];
    pair_open(&pair, 1024);
    size_t size = put_header(bytes, FRAME_RESPONSE, 5);
    memcpy(bytes + size, "hello", 5);
    for (size_t i = 0; i < size + 5; i++) {
        assert_int_equal(channel_next(&pair.channel, &frame), ERROR_WAIT);
        assert_int_equal(write(pair.theirs, bytes + i, 1), 1);
        assert_int_equal(channel_read(&pair.channel), OK);
    }
    assert_int_equal(channel_next(&pair.channel, &frame), OK);
    assert_int_equal(frame.kind, FRAME_RESPONSE);
    assert_true(slice_equal(frame.content, SLICE("hello")));
    assert_int_equal(channel_next(&pair.channel, &frame), ERROR_WAIT);
    assert_int_equal(channel_read(&pair.channel), ERROR_WAIT);
    close(pair.theirs);
    pair.theirs = -1;
    assert_int_equal(channel_read(&pair.channel), ERROR_GONE);
    pair_close(&pair);
}

static void several_frames_of_one_read_come_one_by_one(void **state)
{
    (void)state;
    Pair pair;
    Frame frame;
    char bytes[256];
    size_t size = 0;
    pair_open(&pair, 1024);
    for (int i = 0; i < 10; i++) {
        size += put_header(bytes + size, FRAME_LOG, 1);
        bytes[size++] = (char)('a' + i);
    }
    assert_int_equal(write(pair.theirs, bytes, size), size);
    assert_int_equal(channel_read(&pair.channel), OK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(channel_next(&pair.channel, &frame), OK);
        assert_int_equal(frame.content.data[0], 'a' + i);
    }
    assert_int_equal(channel_next(&pair.channel, &frame), ERROR_WAIT);
    pair_close(&pair);
}

/* Writes as much as the socket takes of `size` bytes, and reads until that has gone through. */
static void push(Pair *pair, size_t size, Frame *frame, size_t *frames)
{
    static char filler[65536];
    memset(filler, 'x', sizeof filler);
    while (size > 0) {
        ssize_t count = write(pair->theirs, filler, size < sizeof filler ? size : sizeof filler);
        if (count > 0)
            size -= (size_t)count;
        while (channel_read(&pair->channel) == OK)
            while (channel_next(&pair->channel, frame) == OK)
                ++*frames;
    }
}

static void what_is_too_long_is_cut_and_never_held(void **state)
{
    (void)state;
    enum { LIMIT = 100, LONG = 64 << 20 };
    Pair pair;
    Frame frame;
    char bytes[CHANNEL_HEADER_SIZE];
    size_t frames = 0;
    pair_open(&pair, LIMIT);
    put_header(bytes, FRAME_RESPONSE, LONG);
    assert_int_equal(write(pair.theirs, bytes, sizeof bytes), sizeof bytes);
    push(&pair, LONG, &frame, &frames);
    assert_int_equal(frames, 1);
    assert_int_equal(frame.size, LONG);
    assert_int_equal(frame.content.size, LIMIT);
    assert_true(pair.channel.capacity <= 1 << 20);
    put_header(bytes, FRAME_READY, 0); /* and what follows is understood */
    assert_int_equal(write(pair.theirs, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(channel_read(&pair.channel), OK);
    assert_int_equal(channel_next(&pair.channel, &frame), OK);
    assert_int_equal(frame.kind, FRAME_READY);
    pair_close(&pair);
}

static void pieces_come_in_parts_and_add_up(void **state)
{
    (void)state;
    Pair pair;
    Frame frame;
    char header[CHANNEL_HEADER_SIZE];
    size_t total = 0;
    pair_open(&pair, 100);
    put_header(header, FRAME_STREAM_PIECE, CHANNEL_PIECE_BYTES);
    assert_int_equal(write(pair.theirs, header, sizeof header), sizeof header);
    char *piece = calloc(1, CHANNEL_PIECE_BYTES);
    for (size_t sent = 0; sent < CHANNEL_PIECE_BYTES;) {
        ssize_t count = write(pair.theirs, piece + sent, CHANNEL_PIECE_BYTES - sent);
        sent += count > 0 ? (size_t)count : 0;
        while (channel_read(&pair.channel) == OK) {
            while (channel_next(&pair.channel, &frame) == OK) {
                assert_int_equal(frame.kind, FRAME_STREAM_PIECE);
                total += frame.content.size;
            }
        }
    }
    free(piece);
    assert_int_equal(total, CHANNEL_PIECE_BYTES);
    assert_true(pair.channel.capacity <= 512 << 10);
    pair_close(&pair);
}

static void pieces_of_one_read_are_given_in_one(void **state)
{
    (void)state;
    static const char text[] = "single bytes, none, and the beginning of more";
    enum { TEXT = sizeof text - 1, LAST = 10 };
    Pair pair;
    Frame frame;
    char bytes[(TEXT + 3) * (CHANNEL_HEADER_SIZE + 1)];
    size_t size = 0;
    pair_open(&pair, 100);
    for (size_t i = 0; i < TEXT - LAST; i++) {
        size += put_header(bytes + size, FRAME_STREAM_PIECE, 1);
        bytes[size++] = text[i];
    }
    size += put_header(bytes + size, FRAME_STREAM_PIECE, 0);
    size += put_header(bytes + size, FRAME_STREAM_PIECE, LAST + 4);
    memcpy(bytes + size, text + TEXT - LAST, LAST);
    size += LAST;
    assert_int_equal(write(pair.theirs, bytes, size), size);
    assert_int_equal(channel_read(&pair.channel), OK);
    assert_int_equal(channel_next(&pair.channel, &frame), OK);
    assert_int_equal(frame.kind, FRAME_STREAM_PIECE);
    assert_true(slice_equal(frame.content, slice_of_string(text)));
    assert_int_equal(channel_next(&pair.channel, &frame), ERROR_WAIT);
    memcpy(bytes, "rest", 4);
    size = 4 + put_header(bytes + 4, FRAME_STREAM_PIECE, 1);
    bytes[size++] = '!';
    size += put_header(bytes + size, FRAME_STREAM_END, 0);
    size += put_header(bytes + size, FRAME_STREAM_PIECE, CHANNEL_PIECE_BYTES + 1);
    assert_int_equal(write(pair.theirs, bytes, size), size);
    assert_int_equal(channel_read(&pair.channel), OK);
    assert_int_equal(channel_next(&pair.channel, &frame), OK);
    assert_true(slice_equal(frame.content, SLICE("rest!")));
    assert_int_equal(channel_next(&pair.channel, &frame), OK);
    assert_int_equal(frame.kind, FRAME_STREAM_END);
    assert_int_equal(channel_next(&pair.channel, &frame), ERROR_MALFORMED);
    pair_close(&pair);
}

static void lies_are_found(void **state)
{
    (void)state;
    static const char lies[][CHANNEL_HEADER_SIZE + 1] = {
        "\x01\0\0\0\0\0\0",     /* a frame of the server's */
        "\x00\0\0\0\0\0\0",     /* no kind */
        "\x1d\0\0\0\0\0\0",     /* a kind that there is not */
        "\x12\1\0\0\0\0\0",     /* not zero where zero must be */
        "\x15\0\0\0\1\0\x10\0", /* a piece of more than 1 MiB */
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        Pair pair;
        Frame frame;
        pair_open(&pair, 100);
        assert_int_equal(write(pair.theirs, lies[i], CHANNEL_HEADER_SIZE), CHANNEL_HEADER_SIZE);
        assert_int_equal(channel_read(&pair.channel), OK);
        assert_int_equal(channel_next(&pair.channel, &frame), ERROR_MALFORMED);
        pair_close(&pair);
    }
}

static void an_event_that_the_socket_does_not_take_at_once_follows(void **state)
{
    (void)state;
    enum { SIZE = 5 << 20 };
    Pair pair;
    char *payload = malloc(SIZE);
    char *got = malloc(SIZE + 64);
    size_t size = 0;
    assert_true(payload != NULL && got != NULL);
    for (size_t i = 0; i < SIZE; i++)
        payload[i] = (char)(i % 251);
    pair_open(&pair, 100);
    Error error = channel_send_event(&pair.channel, SLICE("{\"a\":1}"), slice_make(payload, SIZE));
    assert_int_equal(error, ERROR_WAIT);
    while (error == ERROR_WAIT || size < SIZE + CHANNEL_HEADER_SIZE + 11) {
        ssize_t count = read(pair.theirs, got + size, SIZE + 64 - size);
        size += count > 0 ? (size_t)count : 0;
        error = channel_flush(&pair.channel);
    }
    uint32_t length;
    memcpy(&length, got + 4, sizeof length);
    assert_int_equal(got[0], FRAME_INVOKE);
    assert_int_equal(length, SIZE + 11);
    assert_memory_equal(got + CHANNEL_HEADER_SIZE, "\x07\0\0\0{\"a\":1}", 11);
    assert_memory_equal(got + CHANNEL_HEADER_SIZE + 11, payload, SIZE);
    close(pair.theirs);
    pair.theirs = -1;
    assert_int_equal(channel_send(&pair.channel, FRAME_INIT, SLICE("{}")), ERROR_GONE);
    free(payload);
    free(got);
    pair_close(&pair);
}

/* A direction that has ended is seen by whoever uses it, and leaves nothing but that to be said of the other. */
static void each_direction_has_a_socket_of_its_own(void **state)
{
    (void)state;
    int events[2], answers[2];
    Channel channel;
    char got[64];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, events), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, answers), 0);
    channel_open(&channel, events[0], answers[0], 100);
    assert_int_equal(channel_send(&channel, FRAME_INIT, SLICE("{}")), OK);
    assert_int_equal(read(events[1], got, sizeof got), CHANNEL_HEADER_SIZE + 2);
    assert_int_equal(read(answers[1], got, sizeof got), -1);
    assert_int_equal(write(events[1], "answer", 6), 6);
    assert_int_equal(channel_read(&channel), ERROR_WAIT);
    close(events[1]);
    assert_int_equal(channel_send(&channel, FRAME_INIT, SLICE("{}")), ERROR_GONE);
    assert_int_equal(channel_read(&channel), ERROR_WAIT);
    close(answers[1]);
    assert_int_equal(channel_read(&channel), ERROR_GONE);
    channel_close(&channel);
    close(events[0]);
    close(answers[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_direction_has_a_socket_of_its_own),
        cmocka_unit_test(a_frame_comes_whole_byte_by_byte),
        cmocka_unit_test(several_frames_of_one_read_come_one_by_one),
        cmocka_unit_test(what_is_too_long_is_cut_and_never_held),
        cmocka_unit_test(pieces_come_in_parts_and_add_up),
        cmocka_unit_test(pieces_of_one_read_are_given_in_one),
        cmocka_unit_test(lies_are_found),
        cmocka_unit_test(an_event_that_the_socket_does_not_take_at_once_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

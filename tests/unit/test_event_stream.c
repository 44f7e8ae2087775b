/* Messages of event streams. The bytes were computed apart from this code, by Python's struct and zlib. */
#include "base/digest.h"
#include "base/event_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_PAYLOAD SLICE_INIT("{'foo':'bar'}")

static const EventHeader one_integer[] = {
    {.name = SLICE_INIT("event-type"), .type = EVENT_HEADER_INTEGER, .number = 40972}};
static const EventHeader an_event[] = {
    {.name = SLICE_INIT(":message-type"), .type = EVENT_HEADER_STRING, .bytes = SLICE_INIT("event")},
    {.name = SLICE_INIT(":event-type"), .type = EVENT_HEADER_STRING, .bytes = SLICE_INIT("PayloadChunk")},
    {.name = SLICE_INIT(":content-type"),
     .type = EVENT_HEADER_STRING,
     .bytes = SLICE_INIT("application/octet-stream")}};
static const EventHeader every_type[] = {
    {.name = SLICE_INIT("true"), .type = EVENT_HEADER_TRUE},
    {.name = SLICE_INIT("false"), .type = EVENT_HEADER_FALSE},
    {.name = SLICE_INIT("byte"), .type = EVENT_HEADER_BYTE, .number = -49},
    {.name = SLICE_INIT("short"), .type = EVENT_HEADER_SHORT, .number = -12345},
    {.name = SLICE_INIT("int"), .type = EVENT_HEADER_INTEGER, .number = -123456789},
    {.name = SLICE_INIT("long"), .type = EVENT_HEADER_LONG, .number = -1234567890123},
    {.name = SLICE_INIT("bytes"), .type = EVENT_HEADER_BYTES, .bytes = SLICE_INIT("\0\xff")},
    {.name = SLICE_INIT("string"), .type = EVENT_HEADER_STRING, .bytes = SLICE_INIT("brume \xe2\x98\x81")},
    {.name = SLICE_INIT("time"), .type = EVENT_HEADER_TIMESTAMP, .number = 1800000000123},
    {.name = SLICE_INIT("uuid"),
     .type = EVENT_HEADER_UUID,
     .bytes = SLICE_INIT("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17")},
};

static const struct {
    const EventHeader *headers;
    size_t count;
    Slice payload;
    const char *hex;
} vectors[] = {
    {NULL, 0, SLICE_INIT(""), "000000100000000005c248eb7d98c8ff"},
    {NULL, 0, JSON_PAYLOAD, "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936"},
    {one_integer, COUNT(one_integer), JSON_PAYLOAD,
     "0000002d0000001041c424b80a6576656e742d74797065040000a00c7b27666f6f273a27626172277d36f480a0"},
    {an_event, COUNT(an_event), SLICE_INIT("hello"),
     "0000006f0000005af5fe871f0d3a6d6573736167652d747970650700056576656e740b3a6576656e742d7479706507000c5061796c6f61644"
     "368"
     "756e6b0d3a636f6e74656e742d747970650700186170706c69636174696f6e2f6f637465742d73747265616d68656c6c6f4fe061f2"},
    {every_type, COUNT(every_type), SLICE_INIT("x"),
     "0000008700000076df8267e20474727565000566616c736501046279746502cf0573686f727403cfc703696e7404f8a432eb046c6f6e6705f"
     "fff"
     "fee08e04fb3505627974657306000200ff06737472696e670700096272756d6520e298810474696d6508000001a3185c507b0475756964090"
     "001"
     "02030405060708090a0b0c0d0e0f78e5bd7a06"},
};

static Slice bytes_of(Arena *arena, const char *hex)
{
    Slice bytes;
    assert_int_equal(hex_decode(arena, slice_of_string(hex), &bytes), OK);
    return bytes;
}

static void messages_are_written_as_the_specification_says(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        Arena arena = arena_make();
        Buffer out = buffer_make(&arena);
        assert_int_equal(event_stream_encode(&out, vectors[i].headers, vectors[i].count, vectors[i].payload), OK);
        assert_string_equal(arena_string(&arena, hex_encode(&arena, out.data, out.size)), vectors[i].hex);
        arena_free(&arena);
    }
}

static void what_is_written_is_read_back(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        Arena arena = arena_make();
        Slice bytes = bytes_of(&arena, vectors[i].hex);
        EventMessage message;
        size_t used;
        assert_int_equal(event_stream_decode(bytes, &arena, &message, &used), OK);
        assert_int_equal(used, bytes.size);
        assert_true(slice_equal(message.payload, vectors[i].payload));
        assert_int_equal(message.header_count, vectors[i].count);
        for (size_t j = 0; j < vectors[i].count; j++) {
            const EventHeader *sent = &vectors[i].headers[j];
            const EventHeader *got = &message.headers[j];
            assert_true(slice_equal(got->name, sent->name));
            assert_int_equal(got->type, sent->type);
            assert_true(got->number == sent->number && slice_equal(got->bytes, sent->bytes));
        }
        arena_free(&arena);
    }
}

static void a_message_that_is_not_whole_waits_for_more(void **unused)
{
    (void)unused;
    Arena arena = arena_make();
    Slice bytes = bytes_of(&arena, vectors[4].hex);
    EventMessage message;
    size_t used;
    for (size_t size = 0; size < bytes.size; size++) {
        assert_int_equal(event_stream_decode(slice_make(bytes.data, size), &arena, &message, &used), OK);
        assert_int_equal(used, 0);
    }
    arena_free(&arena);
}

static void a_flipped_bit_anywhere_is_found(void **unused)
{
    (void)unused;
    Arena arena = arena_make();
    char *bytes = arena_string(&arena, bytes_of(&arena, vectors[4].hex));
    size_t size = strlen(vectors[4].hex) / 2;
    for (size_t bit = 0; bit < size * 8; bit++) {
        EventMessage message;
        size_t used;
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(event_stream_decode(slice_make(bytes, size), &arena, &message, &used), ERROR_MALFORMED);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    arena_free(&arena);
}

/* Their checksums are right. */
static void messages_that_make_no_sense_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        const char *hex;
        Error error;
    } cases[] = {
        {"0000000f00000000e77248b845ab32b2", ERROR_MALFORMED},                 /* shorter than its frame */
        {"000000100000000172c5787d75756f6d", ERROR_MALFORMED},                 /* headers beyond the message */
        {"01800001000000001cfe1cb57803077f", ERROR_TOO_LARGE},                 /* past the largest message */
        {"00030d4000020001c4246a9b5d004ecc", ERROR_TOO_LARGE},                 /* past the largest headers */
        {"0000001200000002910c7aa700007bc1361e", ERROR_MALFORMED},             /* a name without bytes */
        {"0000001300000003db6b6381056162bbcbd794", ERROR_MALFORMED},           /* a name that is cut */
        {"0000001200000002910c7aa70161586f5691", ERROR_MALFORMED},             /* a header without a type */
        {"0000001300000003db6b638101610affab9622", ERROR_MALFORMED},           /* an unknown type */
        {"0000001500000005bd483314016104000036bb7822", ERROR_MALFORMED},       /* a number that is cut */
        {"00000018000000083b698b180161070005616263e29da9be", ERROR_MALFORMED}, /* a string that is cut */
        {"0000001300000003db6b638101ff00f0bcd8a8", ERROR_MALFORMED},           /* no UTF-8 in a name */
        {"000000160000000663e1187e0161070001ff2b628ead", ERROR_MALFORMED},     /* no UTF-8 in a string */
        {"0000001500000005bd48331401610680000ebc3407", ERROR_TOO_LARGE},       /* a value past 32767 bytes */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Arena arena = arena_make();
        EventMessage message;
        size_t used;
        assert_int_equal(event_stream_decode(bytes_of(&arena, cases[i].hex), &arena, &message, &used), cases[i].error);
        assert_int_equal(used, 0);
        arena_free(&arena);
    }
}

static void what_passes_a_bound_is_not_written(void **unused)
{
    (void)unused;
    Arena arena = arena_make();
    Slice large = slice_make(arena_zalloc(&arena, EVENT_MESSAGE_BYTES_MAX), EVENT_MESSAGE_BYTES_MAX);
    Buffer out = buffer_make(&arena);
    EventHeader header = event_header_string(SLICE("a"), slice_make(large.data, EVENT_HEADER_VALUE_BYTES_MAX + 1));
    assert_int_equal(event_stream_encode(&out, &header, 1, SLICE("")), ERROR_TOO_LARGE);
    header = event_header_string(slice_make(large.data, EVENT_HEADER_NAME_BYTES_MAX + 1), SLICE("a"));
    assert_int_equal(event_stream_encode(&out, &header, 1, SLICE("")), ERROR_TOO_LARGE);
    EventHeader many[5];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = event_header_string(SLICE("a"), slice_make(large.data, EVENT_HEADER_VALUE_BYTES_MAX));
    assert_int_equal(event_stream_encode(&out, many, COUNT(many), SLICE("")), ERROR_TOO_LARGE);
    assert_int_equal(event_stream_encode(&out, NULL, 0, large), ERROR_TOO_LARGE);
    assert_int_equal(out.size, 0);
    assert_int_equal(event_stream_encode(&out, NULL, 0, slice_make(large.data, large.size - 16)), OK);
    assert_int_equal(out.size, EVENT_MESSAGE_BYTES_MAX);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_written_as_the_specification_says),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_message_that_is_not_whole_waits_for_more),
        cmocka_unit_test(a_flipped_bit_anywhere_is_found),
        cmocka_unit_test(messages_that_make_no_sense_are_refused),
        cmocka_unit_test(what_passes_a_bound_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

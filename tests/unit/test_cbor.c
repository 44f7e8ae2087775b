#include "base/cbor.h"
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

static Slice of_hex(Arena *arena, const char *hex)
{
    Slice bytes;
    assert_int_equal(hex_decode(arena, slice_of_string(hex), &bytes), OK);
    return bytes;
}

/* ---- An item as text, in the diagnostic notation of RFC 8949 section 8 (floats by %.17g) ---- */

static Error print_item(CborReader *reader, Buffer *out);

static Error print_array(CborReader *reader, Buffer *out)
{
    TRY(cbor_begin_array(reader));
    BUFFER_ADD(out, "[");
    for (bool first = true;; first = false) {
        bool more;
        TRY(cbor_next_element(reader, &more));
        if (!more)
            break;
        if (!first)
            BUFFER_ADD(out, ", ");
        TRY(print_item(reader, out));
    }
    BUFFER_ADD(out, "]");
    return OK;
}

static Error print_map(CborReader *reader, Buffer *out)
{
    TRY(cbor_begin_map(reader));
    BUFFER_ADD(out, "{");
    for (bool first = true;; first = false) {
        bool more;
        TRY(cbor_next_member(reader, &more));
        if (!more)
            break;
        if (!first)
            BUFFER_ADD(out, ", ");
        TRY(print_item(reader, out));
        BUFFER_ADD(out, ": ");
        TRY(print_item(reader, out));
    }
    BUFFER_ADD(out, "}");
    return OK;
}

static Error print_scalar(CborReader *reader, CborType type, Buffer *out)
{
    uint64_t number;
    int64_t negative;
    double real;
    bool truth;
    Slice text;
    switch (type) {
    case CBOR_UNSIGNED:
        TRY(cbor_read_uint64(reader, &number));
        buffer_add_uint64(out, number);
        return OK;
    case CBOR_NEGATIVE:
        TRY(cbor_read_int64(reader, &negative));
        buffer_add_int64(out, negative);
        return OK;
    case CBOR_BYTES:
        TRY(cbor_read_bytes(reader, &text));
        buffer_add_format(out, "h'%s'", hex_encode(reader->arena, text.data, text.size).data);
        return OK;
    case CBOR_TEXT:
        TRY(cbor_read_text(reader, &text));
        buffer_add_format(out, "\"%.*s\"", SLICE_PRINT(text));
        return OK;
    case CBOR_BOOLEAN:
        TRY(cbor_read_boolean(reader, &truth));
        buffer_add(out, truth ? SLICE("true") : SLICE("false"));
        return OK;
    case CBOR_FLOAT:
        TRY(cbor_read_double(reader, &real));
        buffer_add_format(out, "%.17g", real);
        return OK;
    case CBOR_SIMPLE:
        TRY(cbor_read_any(reader, &text));
        BUFFER_ADD(out, "simple");
        return OK;
    default:
        TRY(cbor_read_null(reader));
        buffer_add(out, type == CBOR_NULL ? SLICE("null") : SLICE("undefined"));
        return OK;
    }
}

static Error print_item(CborReader *reader, Buffer *out)
{
    CborType type;
    uint64_t tag;
    TRY(cbor_peek(reader, &type));
    switch (type) {
    case CBOR_ARRAY:
        return print_array(reader, out);
    case CBOR_MAP:
        return print_map(reader, out);
    case CBOR_TAG:
        TRY(cbor_read_tag(reader, &tag));
        buffer_add_format(out, "%llu(", (unsigned long long)tag);
        TRY(print_item(reader, out));
        BUFFER_ADD(out, ")");
        return OK;
    default:
        return print_scalar(reader, type, out);
    }
}

/* RFC 8949 appendix A, and some forms that a writer would not choose. */
static const char *const rfc_examples[][2] = {
    {"00", "0"},
    {"17", "23"},
    {"1818", "24"},
    {"1903e8", "1000"},
    {"1a000f4240", "1000000"},
    {"1b000000e8d4a51000", "1000000000000"},
    {"1bffffffffffffffff", "18446744073709551615"},
    {"20", "-1"},
    {"29", "-10"},
    {"3863", "-100"},
    {"3903e7", "-1000"},
    {"3b7fffffffffffffff", "-9223372036854775808"},
    {"f90000", "0"},
    {"f98000", "-0"},
    {"f93c00", "1"},
    {"fb3ff199999999999a", "1.1000000000000001"},
    {"f93e00", "1.5"},
    {"f97bff", "65504"},
    {"fa47c35000", "100000"},
    {"fa7f7fffff", "3.4028234663852886e+38"},
    {"fb7e37e43c8800759c", "1.0000000000000001e+300"},
    {"f90001", "5.9604644775390625e-08"},
    {"f90400", "6.103515625e-05"},
    {"f9c400", "-4"},
    {"fbc010666666666666", "-4.0999999999999996"},
    {"f97c00", "inf"},
    {"f9fc00", "-inf"},
    {"fa7f800000", "inf"},
    {"fbfff0000000000000", "-inf"},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"f7", "undefined"},
    {"f0", "simple"},
    {"f8ff", "simple"},
    {"c074323031332d30332d32315432303a30343a30305a", "0(\"2013-03-21T20:04:00Z\")"},
    {"c11a514b67b0", "1(1363896240)"},
    {"c1fb41d452d9ec200000", "1(1363896240.5)"},
    {"d74401020304", "23(h'01020304')"},
    {"d818456449455446", "24(h'6449455446')"},
    {"40", "h''"},
    {"4401020304", "h'01020304'"},
    {"60", "\"\""},
    {"6161", "\"a\""},
    {"62c3bc", "\"\xc3\xbc\""},
    {"64f0908591", "\"\xf0\x90\x85\x91\""},
    {"80", "[]"},
    {"83010203", "[1, 2, 3]"},
    {"8301820203820405", "[1, [2, 3], [4, 5]]"},
    {"a0", "{}"},
    {"a201020304", "{1: 2, 3: 4}"},
    {"a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}"},
    {"826161a161626163", "[\"a\", {\"b\": \"c\"}]"},
    {"5f42010243030405ff", "h'0102030405'"},
    {"7f657374726561646d696e67ff", "\"streaming\""},
    {"9fff", "[]"},
    {"9f018202039f0405ffff", "[1, [2, 3], [4, 5]]"},
    {"9f01820203820405ff", "[1, [2, 3], [4, 5]]"},
    {"83018202039f0405ff", "[1, [2, 3], [4, 5]]"},
    {"83019f0203ff820405", "[1, [2, 3], [4, 5]]"},
    {"bf61610161629f0203ffff", "{\"a\": 1, \"b\": [2, 3]}"},
    {"bf6346756ef563416d7421ff", "{\"Fun\": true, \"Amt\": -2}"},
    {"826161bf61626163ff", "[\"a\", {\"b\": \"c\"}]"},
    {"5fff", "h''"},
    {"190001", "1"},
    {"9800", "[]"},
};

static void examples_of_rfc_8949_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc_examples / sizeof *rfc_examples; i++) {
        Arena arena = arena_make();
        Slice bytes = of_hex(&arena, rfc_examples[i][0]);
        CborReader reader = cbor_reader(bytes, &arena);
        Buffer out = buffer_make(&arena);
        if (cbor_check(bytes) != OK || print_item(&reader, &out) != OK || cbor_read_end(&reader) != OK)
            fail_msg("refused %s", rfc_examples[i][0]);
        if (!slice_equal(buffer_slice(&out), slice_of_string(rfc_examples[i][1])))
            fail_msg("%s: %.*s instead of %s", rfc_examples[i][0], SLICE_PRINT(buffer_slice(&out)), rfc_examples[i][1]);
        arena_free(&arena);
    }
}

/* RFC 8949 appendix F.1, and text that is not UTF-8. */
static const char *const ill_formed[] = {
    "",
    "18",
    "19",
    "1a",
    "1b",
    "1901",
    "1a0102",
    "1b01020304050607",
    "38",
    "58",
    "78",
    "98",
    "9a01ff00",
    "b8",
    "d8",
    "f8",
    "f900",
    "fa0000",
    "fb000000",
    "41",
    "61",
    "5affffffff00",
    "5bffffffffffffffff010203",
    "7affffffff00",
    "7b7fffffffffffffff010203",
    "81",
    "818181818181818181",
    "8200",
    "a1",
    "a20102",
    "a100",
    "a2000000",
    "c0",
    "5f4100",
    "7f6100",
    "9f",
    "9f0102",
    "bf",
    "bf01020102",
    "819f",
    "9f8000",
    "9f9f9f9f9fffffffff",
    "9f819f819f9fffffff",
    "1c",
    "1d",
    "1e",
    "3c",
    "3d",
    "3e",
    "5c",
    "5d",
    "5e",
    "7c",
    "7d",
    "7e",
    "9c",
    "9d",
    "9e",
    "bc",
    "bd",
    "be",
    "dc",
    "dd",
    "de",
    "fc",
    "fd",
    "fe",
    "f800",
    "f801",
    "f818",
    "f81f",
    "5f00ff",
    "5f21ff",
    "5f6100ff",
    "5f80ff",
    "5fa0ff",
    "5fc000ff",
    "5fe0ff",
    "7f4100ff",
    "5f5f4100ffff",
    "7f7f6100ffff",
    "ff",
    "81ff",
    "8200ff",
    "a1ff",
    "a1ff00",
    "a100ff",
    "a20000ff",
    "9f81ff",
    "9f829f819f9fffffffff",
    "bf00ff",
    "bf000000ff",
    "1f",
    "3f",
    "df",
    "61ff",
    "62c3",
    "7f61c361bcff",
    "0000",
    "9b8000000000000000",
    "bbffffffffffffffff",
    "c1ff",
    "9fc1ff",
};

static void what_is_not_well_formed_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ill_formed / sizeof *ill_formed; i++) {
        Arena arena = arena_make();
        Slice bytes = of_hex(&arena, ill_formed[i]);
        CborReader reader = cbor_reader(bytes, &arena);
        Buffer out = buffer_make(&arena);
        Error pulled = print_item(&reader, &out);
        if (pulled == OK)
            pulled = cbor_read_end(&reader);
        if (cbor_check(bytes) != ERROR_MALFORMED || pulled != ERROR_MALFORMED)
            fail_msg("accepted %s", ill_formed[i]);
        arena_free(&arena);
    }
}

/* The shortest program that could be right: recursion, as in RFC 8949 appendix C, with its own byte order. Gives the
 * end of the item, or NULL. */
static const unsigned char *walk_plainly(const unsigned char *at, const unsigned char *end, int break_allowed,
                                         int *is_break)
{
    *is_break = 0;
    if (at == end)
        return NULL;
    unsigned major = *at >> 5;
    unsigned info = *at++ & 31;
    uint64_t value = info;
    if (info >= 24 && info <= 27) {
        value = 0;
        for (int bytes = 1 << (info - 24); bytes > 0; bytes--) {
            if (at == end)
                return NULL;
            value = value * 256 + *at++;
        }
    } else if (info == 31) {
        if (major == 7 && break_allowed) {
            *is_break = 1;
            return at;
        }
        if (major < 2 || major > 5)
            return NULL;
        for (uint64_t items = 0;; items++) {
            int ended;
            const unsigned char *chunk = at;
            at = walk_plainly(at, end, major < 4 || major == 4 || items % 2 == 0, &ended);
            if (at == NULL || ended)
                return at;
            if (major < 4 && (*chunk >> 5 != major || (*chunk & 31) == 31))
                return NULL;
        }
    } else if (info > 27) {
        return NULL;
    }
    if (major == 2 || major == 3) {
        if ((uint64_t)(end - at) < value)
            return NULL;
        return at + value;
    }
    if (major == 7 && info == 24 && value < 32)
        return NULL;
    uint64_t items = major == 4 ? value : major == 5 ? value * 2 : major == 6;
    if (major == 5 && value > 1u << 20)
        return NULL;
    for (; items > 0 && at != NULL; items--) {
        int ended;
        at = walk_plainly(at, end, 0, &ended);
    }
    return at;
}

static void random_bytes_are_judged_as_by_the_plain_program(void **state)
{
    (void)state;
    /* No text strings with letters beyond ASCII: well-formedness alone is compared. */
    static const unsigned char palette[] = {0x00, 0x01, 0x17, 0x18, 0x19, 0x20, 0x38, 0x40, 0x41, 0x42, 0x5f,
                                            0x60, 0x61, 0x7f, 0x80, 0x81, 0x82, 0x98, 0x9f, 0xa0, 0xa1, 0xa2,
                                            0xbf, 0xc1, 0xd8, 0xf4, 0xf8, 0xf9, 0xff, 0x1f, 0x3c, 0x7e};
    uint32_t seed = 1;
    int good = 0;
    for (int round = 0; round < 400000; round++) {
        unsigned char bytes[24];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = palette[(seed >> 16) % sizeof palette];
        }
        int is_break;
        const unsigned char *end = walk_plainly(bytes, bytes + sizeof bytes, 0, &is_break);
        CborReader reader = cbor_reader(slice_make(bytes, sizeof bytes), NULL);
        Slice item;
        Error error = cbor_read_any(&reader, &item);
        bool text = false;
        for (size_t i = 0; i < sizeof bytes; i++)
            text = text || bytes[i] == 0x61; /* its one byte may be no UTF-8 */
        if (error == OK && (end == NULL || item.size != (size_t)(end - bytes)))
            fail_msg("round %d accepted", round);
        if (error != OK && end != NULL && !text)
            fail_msg("round %d refused", round);
        good += error == OK;
    }
    assert_in_range(good, 10000, 390000);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static const unsigned char heads[] = {0x81, 0x9f, 0xa1, 0xbf};
    for (size_t kind = 0; kind < sizeof heads; kind++) {
        for (size_t depth = CBOR_DEPTH_MAX; depth <= CBOR_DEPTH_MAX + 1; depth++) {
            Arena arena = arena_make();
            Buffer out = buffer_make(&arena);
            for (size_t i = 0; i < depth; i++) {
                buffer_add_byte(&out, (char)heads[kind]);
                if (kind >= 2)
                    cbor_write_uint64(&out, i);
            }
            cbor_write_null(&out);
            for (size_t i = 0; i < depth && kind % 2 == 1; i++)
                cbor_write_break(&out);
            assert_int_equal(cbor_check(buffer_slice(&out)), depth <= CBOR_DEPTH_MAX ? OK : ERROR_TOO_DEEP);
            arena_free(&arena);
        }
    }
    /* Tags do not nest anything that costs memory. */
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    for (int i = 0; i < 100000; i++)
        cbor_write_tag(&out, 6);
    assert_int_equal(cbor_check(buffer_slice(&out)), ERROR_MALFORMED);
    cbor_write_null(&out);
    assert_int_equal(cbor_check(buffer_slice(&out)), OK);
    arena_free(&arena);
}

static void definite_strings_are_views_and_other_types_are_left_alone(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice bytes = SLICE("\x43"
                        "abc");
    CborReader reader = cbor_reader(bytes, &arena);
    Slice value;
    uint64_t number;
    double real;
    bool truth;
    assert_int_equal(cbor_read_text(&reader, &value), ERROR_MALFORMED);
    assert_int_equal(cbor_read_uint64(&reader, &number), ERROR_MALFORMED);
    assert_int_equal(cbor_read_double(&reader, &real), ERROR_MALFORMED);
    assert_int_equal(cbor_read_boolean(&reader, &truth), ERROR_MALFORMED);
    assert_int_equal(cbor_read_null(&reader), ERROR_MALFORMED);
    assert_int_equal(cbor_read_tag(&reader, &number), ERROR_MALFORMED);
    assert_int_equal(cbor_begin_array(&reader), ERROR_MALFORMED);
    assert_int_equal(cbor_begin_map(&reader), ERROR_MALFORMED);
    assert_int_equal(cbor_read_bytes(&reader, &value), OK);
    assert_ptr_equal(value.data, bytes.data + 1);
    assert_int_equal(value.size, 3);
    assert_int_equal(arena_footprint(&arena), 0);
    int64_t integer;
    reader = cbor_reader(of_hex(&arena, "1b8000000000000000"), &arena);
    assert_int_equal(cbor_read_int64(&reader, &integer), ERROR_TOO_LARGE);
    reader = cbor_reader(of_hex(&arena, "3b8000000000000000"), &arena);
    assert_int_equal(cbor_read_int64(&reader, &integer), ERROR_TOO_LARGE);
    arena_free(&arena);
}

static void assert_writes_double(double value, const char *hex)
{
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    cbor_write_double(&out, value);
    assert_string_equal(hex_encode(&arena, out.data, out.size).data, hex);
    arena_free(&arena);
}

static void heads_and_floats_are_written_in_the_fewest_bytes(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    static const uint64_t edges[] = {0, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, UINT32_MAX + 1ull, UINT64_MAX};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        cbor_write_uint64(&out, edges[i]);
    cbor_write_int64(&out, -1);
    cbor_write_int64(&out, -24);
    cbor_write_int64(&out, -25);
    cbor_write_int64(&out, INT64_MIN);
    cbor_write_int64(&out, 5);
    assert_string_equal(hex_encode(&arena, out.data, out.size).data,
                        "0017181818ff19010019ffff1a000100001affffffff1b00000001000000001bffffffffffffffff"
                        "203738183b7fffffffffffffff05");
    out.size = 0;
    cbor_write_map(&out, 2);
    cbor_write_text(&out, SLICE("a"));
    cbor_write_array_indefinite(&out);
    cbor_write_boolean(&out, true);
    cbor_write_boolean(&out, false);
    cbor_write_break(&out);
    cbor_write_bytes(&out, SLICE("\x01"));
    cbor_write_tag(&out, 1);
    cbor_write_array(&out, 1);
    cbor_write_map_indefinite(&out);
    cbor_write_break(&out);
    assert_string_equal(hex_encode(&arena, out.data, out.size).data, "a261619ff5f4ff4101c181bfff");
    assert_int_equal(cbor_check(buffer_slice(&out)), OK);
    arena_free(&arena);
    assert_writes_double(0.0, "f90000");
    assert_writes_double(-0.0, "f98000");
    assert_writes_double(1.5, "f93e00");
    assert_writes_double(65504, "f97bff");
    assert_writes_double(65505, "fa477fe100");
    assert_writes_double(65536, "fa47800000");
    assert_writes_double(0x1p-24, "f90001");
    assert_writes_double(0x1.8p-24, "fa33c00000");
    assert_writes_double(0x1p-25, "fa33000000");
    assert_writes_double(0x1p-14, "f90400");
    assert_writes_double(0x3ffp-24, "f903ff");
    assert_writes_double(0x1p-149, "fa00000001");
    assert_writes_double(0x1p-150, "fb3690000000000000");
    assert_writes_double(3.4028234663852886e+38, "fa7f7fffff");
    assert_writes_double(3.4028235677973366e+38, "fb47effffff0000000");
    assert_writes_double(1.1, "fb3ff199999999999a");
    assert_writes_double(INFINITY, "f97c00");
    assert_writes_double(-INFINITY, "f9fc00");
    assert_writes_double(NAN, "f97e00");
}

/* Every half is read and written again as itself; doubles of all sizes survive. */
static void floats_go_both_ways(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    for (uint32_t half = 0; half <= 0xffff; half++) {
        unsigned char bytes[3] = {0xf9, (unsigned char)(half >> 8), (unsigned char)half};
        CborReader reader = cbor_reader(slice_make(bytes, 3), &arena);
        double value;
        assert_int_equal(cbor_read_double(&reader, &value), OK);
        out.size = 0;
        cbor_write_double(&out, value);
        if (isnan(value))
            assert_true((half & 0x7fff) > 0x7c00);
        else if (out.size != 3 || memcmp(out.data, bytes, 3) != 0)
            fail_msg("half %04x", half);
    }
    uint32_t seed = 1;
    for (int round = 0; round < 200000; round++) {
        uint64_t bits = 0;
        for (int i = 0; i < 4; i++) {
            seed = seed * 1664525u + 1013904223u;
            bits = bits << 16 | seed >> 16;
        }
        if (round % 2 == 0)
            bits &= 0xffffffffe0000000u; /* as precise as a float */
        double value;
        double back;
        memcpy(&value, &bits, sizeof value);
        out.size = 0;
        cbor_write_double(&out, value);
        CborReader reader = cbor_reader(buffer_slice(&out), &arena);
        assert_int_equal(cbor_read_double(&reader, &back), OK);
        uint64_t back_bits;
        memcpy(&back_bits, &back, sizeof back_bits);
        assert_true(isnan(value) ? isnan(back) : back_bits == bits);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_rfc_8949_are_read),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(random_bytes_are_judged_as_by_the_plain_program),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(definite_strings_are_views_and_other_types_are_left_alone),
        cmocka_unit_test(heads_and_floats_are_written_in_the_fewest_bytes),
        cmocka_unit_test(floats_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

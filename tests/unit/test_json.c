#include "base/json.h"
#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>

/* Walks a value through every pulling function, resolving strings: another way to a verdict than json_check. */
static Error pull_value(JsonReader *reader)
{
    JsonType type;
    Slice text;
    bool truth;
    TRY(json_peek(reader, &type));
    switch (type) {
    case JSON_NULL:
        return json_read_null(reader);
    case JSON_BOOLEAN:
        return json_read_boolean(reader, &truth);
    case JSON_NUMBER:
        return json_read_number(reader, &text);
    case JSON_STRING:
        TRY(json_read_string(reader, &text));
        return utf8_is_valid(text) ? OK : ERROR_IO;
    case JSON_ARRAY:
        TRY(json_begin_array(reader));
        for (;;) {
            bool more;
            TRY(json_next_element(reader, &more));
            if (!more)
                return OK;
            TRY(pull_value(reader));
        }
    default:
        TRY(json_begin_object(reader));
        for (;;) {
            TRY(json_next_member(reader, &text));
            if (text.data == NULL)
                return OK;
            TRY(pull_value(reader));
        }
    }
}

static Error pull_document(Slice text)
{
    Arena arena = arena_make();
    JsonReader reader = json_reader(text, &arena);
    Error error = pull_value(&reader);
    if (error == OK)
        error = json_read_end(&reader);
    arena_free(&arena);
    return error;
}

/* The text at the very end of its memory, so that the address sanitizer sees each byte read past it. */
static char *exact_copy(Slice text)
{
    char *copy = malloc(text.size > 0 ? text.size : 1);
    assert_non_null(copy);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return copy;
}

static Error check(Slice text)
{
    char *copy = exact_copy(text);
    Slice exact = slice_make(copy, text.size);
    Error walked = json_check(exact);
    Error pulled = pull_document(exact);
    free(copy);
    if (walked != pulled)
        fail_msg("json_check says %d, pulling says %d: %.*s", walked, pulled, SLICE_PRINT(text));
    return walked;
}

/* ---- The public suite ---- */

static Slice read_case(Arena *arena, const char *folder, const char *name)
{
    FILE *file = fopen(arena_format(arena, "%s/%s", folder, name).data, "rb");
    assert_non_null(file);
    Buffer content = buffer_make(arena);
    size_t got;
    do {
        got = fread(buffer_reserve(&content, 65536), 1, 65536, file);
        content.size += got;
    } while (got > 0);
    fclose(file);
    return buffer_slice(&content);
}

static void public_suite_is_accepted_and_refused_as_named(void **state)
{
    (void)state;
    Arena arena = arena_make();
    const char *cases = getenv("BRUME_CASES");
    const char *folder = arena_format(&arena, "%s/json", cases != NULL ? cases : "../shared/cases").data;
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        print_message("no JSONTestSuite in %s; set BRUME_CASES to the folder that holds json/\n", folder);
        arena_free(&arena);
        skip();
        return; /* for tools that do not know that it has left */
    }
    int accepted = 0;
    int refused = 0;
    int either_accepted = 0;
    int either_refused = 0;
    int wrong = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (!slice_ends_with(slice_of_string(entry->d_name), SLICE(".json")))
            continue;
        Error error = check(read_case(&arena, folder, entry->d_name));
        int *count = entry->d_name[0] == 'i' ? (error == OK ? &either_accepted : &either_refused)
                                             : (error == OK ? &accepted : &refused);
        (*count)++;
        if ((entry->d_name[0] == 'y' && error != OK) || (entry->d_name[0] == 'n' && error == OK)) {
            print_error("%s: %s\n", entry->d_name, error == OK ? "accepted" : "refused");
            wrong++;
        }
    }
    closedir(directory);
    arena_free(&arena);
    print_message("JSONTestSuite: %d accepted, %d refused as named, %d wrong; of those that may be either, %d accepted "
                  "and %d refused\n",
                  accepted, refused, wrong, either_accepted, either_refused);
    assert_int_equal(wrong, 0);
    assert_true(accepted > 0 && refused > 0);
}

/* ---- Reading ---- */

static const char *const good_texts[] = {
    "null",
    " true ",
    "false\n",
    "0",
    "-0",
    "10",
    "-1.50e+10",
    "1E5",
    "1e-07",
    "\"\"",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[1]",
    "[[],[[]],{}]",
    "{\"a\":1,\"a\":2}",
    "\t{ \"a\" : [ 1 , { \"b\" : null } ] , \"c\" : \"d\" }\r\n",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uD834\\uDd1e\"",
};

static const char *const bad_texts[] = {
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "+1",
    "01",
    "-",
    "-a",
    ".5",
    "1.",
    "1.e5",
    "1e",
    "1e+",
    "0x1",
    "NaN",
    "1 2",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    "{",
    "}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "[}",
    "{]",
    "[1}",
    "{\"a\":1]",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\n\"",
    "\"\x1f\"",
    "'a'",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\\ud800\\ud800\"",
    "\"\\ud800x\"",
    "\"\\ud83d\\",
    "\"\xff\"",
    "\"\xc0\xaf\"",
    "\"\xed\xa0\x80\"",
    "\"\xf5\x80\x80\x80\"",
    "\"\xe2\x82\"",
    "\xef\xbb\xbf{}",
    "[1]x",
    "/**/1",
    "\f1",
    "\"a\" \"b\"",
};

static void grammar_is_held_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_texts / sizeof *good_texts; i++)
        if (check(slice_of_string(good_texts[i])) != OK)
            fail_msg("refused %s", good_texts[i]);
    for (size_t i = 0; i < sizeof bad_texts / sizeof *bad_texts; i++)
        if (check(slice_of_string(bad_texts[i])) != ERROR_MALFORMED)
            fail_msg("accepted %s", bad_texts[i]);
    assert_int_equal(check(SLICE("\"a\0b\"")), ERROR_MALFORMED);
    assert_int_equal(check(SLICE("1\0")), ERROR_MALFORMED);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (int objects = 0; objects < 2; objects++) {
        for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
            Arena arena = arena_make();
            Buffer text = buffer_make(&arena);
            for (size_t i = 0; i < depth; i++)
                buffer_add(&text, objects ? SLICE("{\"a\":") : SLICE("["));
            BUFFER_ADD(&text, "1");
            for (size_t i = 0; i < depth; i++)
                buffer_add_byte(&text, objects ? '}' : ']');
            if (!objects)
                text.data[depth] = ' ';
            assert_int_equal(check(buffer_slice(&text)), depth <= JSON_DEPTH_MAX ? OK : ERROR_TOO_DEEP);
            arena_free(&arena);
        }
    }
    /* Siblings do not add up. */
    Arena arena = arena_make();
    Buffer text = buffer_make(&arena);
    BUFFER_ADD(&text, "[[]");
    for (int i = 0; i < 1000; i++)
        BUFFER_ADD(&text, ",[{}]");
    BUFFER_ADD(&text, "]");
    assert_int_equal(check(buffer_slice(&text)), OK);
    arena_free(&arena);
}

static Slice read_one_string(Arena *arena, Slice text)
{
    JsonReader reader = json_reader(text, arena);
    Slice value;
    assert_int_equal(json_read_string(&reader, &value), OK);
    assert_int_equal(json_read_end(&reader), OK);
    return value;
}

static void strings_without_escapes_are_views(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice text = SLICE(" \"caf\xc3\xa9, and more than sixteen bytes\"");
    Slice value = read_one_string(&arena, text);
    assert_ptr_equal(value.data, text.data + 2);
    assert_int_equal(value.size, text.size - 3);
    assert_int_equal(arena_footprint(&arena), 0);
    arena_free(&arena);
}

static void escapes_are_resolved(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice text =
        SLICE("\"\\\"\\\\\\/"
              "\\b\\f\\n\\r\\t|\\u0000\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\\uDBFF\\uDFFF|\xc3\xa9\"");
    Slice expected = SLICE(
        "\"\\/\b\f\n\r\t|\0\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf|\xc3\xa9");
    assert_true(slice_equal(read_one_string(&arena, text), expected));
    /* An escape at every place of a longer string, so that each lands on each side of a block. */
    for (size_t place = 0; place < 70; place++) {
        char raw[128];
        char plain[128];
        memset(raw, 'x', sizeof raw);
        memset(plain, 'x', sizeof plain);
        raw[0] = '"';
        memcpy(raw + 1 + place, "\\n", 2);
        raw[80] = '"';
        plain[place] = '\n';
        assert_true(slice_equal(read_one_string(&arena, slice_make(raw, 81)), slice_make(plain, 78)));
    }
    arena_free(&arena);
}

static void numbers_keep_their_digits(void **state)
{
    (void)state;
    Arena arena = arena_make();
    JsonReader reader = json_reader(SLICE("[ -12345678901234567890.1234567890e-400 , 7]"), &arena);
    bool more;
    Slice text;
    assert_int_equal(json_begin_array(&reader), OK);
    assert_int_equal(json_next_element(&reader, &more), OK);
    assert_int_equal(json_read_number(&reader, &text), OK);
    assert_true(slice_equal(text, SLICE("-12345678901234567890.1234567890e-400")));
    assert_int_equal(json_next_element(&reader, &more), OK);
    assert_int_equal(json_read_number(&reader, &text), OK);
    assert_true(slice_equal(text, SLICE("7")));
    assert_int_equal(json_next_element(&reader, &more), OK);
    assert_false(more);
    assert_int_equal(json_read_end(&reader), OK);
    arena_free(&arena);
}

static void a_document_is_pulled_member_by_member(void **state)
{
    (void)state;
    Arena arena = arena_make();
    JsonReader reader =
        json_reader(SLICE("{\"a\": {}, \"b\\u0063\": [true, {\"x\" : [1, \"]\"]}] , \"d\":false}"), &arena);
    Slice name;
    Slice text;
    bool truth = true;
    assert_int_equal(json_begin_object(&reader), OK);
    assert_int_equal(json_next_member(&reader, &name), OK);
    assert_true(slice_equal(name, SLICE("a")));
    assert_int_equal(json_begin_object(&reader), OK);
    assert_int_equal(json_next_member(&reader, &name), OK);
    assert_null(name.data);
    assert_int_equal(json_next_member(&reader, &name), OK);
    assert_true(slice_equal(name, SLICE("bc")));
    assert_int_equal(json_read_any(&reader, &text), OK);
    assert_true(slice_equal(text, SLICE("[true, {\"x\" : [1, \"]\"]}]")));
    assert_int_equal(json_next_member(&reader, &name), OK);
    assert_true(slice_equal(name, SLICE("d")));
    assert_int_equal(json_read_boolean(&reader, &truth), OK);
    assert_false(truth);
    assert_int_equal(json_next_member(&reader, &name), OK);
    assert_null(name.data);
    assert_int_equal(json_read_end(&reader), OK);
    arena_free(&arena);
}

static void another_type_than_asked_for_is_refused_and_not_moved_over(void **state)
{
    (void)state;
    Arena arena = arena_make();
    JsonReader reader = json_reader(SLICE(" \"text\""), &arena);
    Slice text;
    bool truth;
    assert_int_equal(json_read_number(&reader, &text), ERROR_MALFORMED);
    assert_int_equal(json_read_boolean(&reader, &truth), ERROR_MALFORMED);
    assert_int_equal(json_read_null(&reader), ERROR_MALFORMED);
    assert_int_equal(json_begin_array(&reader), ERROR_MALFORMED);
    assert_int_equal(json_begin_object(&reader), ERROR_MALFORMED);
    assert_int_equal(json_read_string(&reader, &text), OK);
    assert_true(slice_equal(text, SLICE("text")));
    arena_free(&arena);
}

/* ---- The parts that are fast, against what is plain ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static const char *scan_plainly(const char *at, const char *end, bool *non_ascii)
{
    for (; at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20; at++)
        if ((unsigned char)*at >= 0x80)
            *non_ascii = true;
    return at;
}

static void scans_agree_with_a_byte_loop(void **state)
{
    (void)state;
    static const char palette[] = "\"\\\x1f\x00\x20\x21\x7f\x80\xff\xa2\xdc\x9f";
    uint32_t seed = 7;
    for (int round = 0; round < 200000; round++) {
        size_t size = next_random(&seed) % 50;
        char *bytes = malloc(size + 1);
        assert_non_null(bytes);
        memset(bytes, 'a', size + 1);
        for (unsigned i = next_random(&seed) % 3; i > 0 && size > 0; i--)
            bytes[next_random(&seed) % size] = palette[next_random(&seed) % (sizeof palette - 1)];
        bytes = realloc(bytes, size > 0 ? size : 1);
        bool high[3] = {false, false, false};
        const char *plain = scan_plainly(bytes, bytes + size, &high[0]);
        assert_ptr_equal(json_scan(bytes, bytes + size, &high[1]), plain);
        assert_ptr_equal(json_scan_words(bytes, bytes + size, &high[2]), plain);
        assert_int_equal(high[1], high[0]);
        assert_int_equal(high[2], high[0]);
        free(bytes);
    }
}

static void walks_agree_with_a_byte_loop(void **state)
{
    (void)state;
    static const char palette[] = "\\\\\\\\\\\\\"nu/x\x1f\x80";
    uint32_t seed = 8;
    for (int round = 0; round < 200000; round++) {
        size_t size = next_random(&seed) % 60;
        char *bytes = malloc(size > 0 ? size : 1);
        assert_non_null(bytes);
        memset(bytes, 'a', size);
        for (unsigned i = next_random(&seed) % 30; i > 0 && size > 0; i--)
            bytes[next_random(&seed) % size] = palette[next_random(&seed) % (sizeof palette - 1)];
        bool high[3] = {false, false, false};
        bool escaped[3] = {false, false, false};
        const char *end = bytes + size;
        const char *plain = scan_plainly(bytes, end, &high[0]);
        while (end - plain >= 2 && *plain == '\\' && strchr("\"\\/bfnrt", plain[1]) != NULL && plain[1] != '\0') {
            escaped[0] = true;
            plain = scan_plainly(plain + 2, end, &high[0]);
        }
        assert_ptr_equal(json_walk(bytes, end, &high[1], &escaped[1]), plain);
        assert_ptr_equal(json_walk_words(bytes, end, &high[2], &escaped[2]), plain);
        for (int i = 1; i < 3; i++) {
            assert_int_equal(high[i], high[0]);
            assert_int_equal(escaped[i], escaped[0]);
        }
        free(bytes);
    }
}

/* Decodes as the definition says, then asks whether the shortest form was used (RFC 3629 section 3). */
static bool utf8_is_valid_plainly(const unsigned char *at, size_t size)
{
    while (size > 0) {
        size_t length = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : *at >> 3 == 30 ? 4 : 0;
        if (length == 0 || length > size)
            return false;
        uint32_t code = length == 1 ? *at : *at & (0x7fu >> length);
        for (size_t i = 1; i < length; i++) {
            if (at[i] >> 6 != 2)
                return false;
            code = code << 6 | (at[i] & 63u);
        }
        size_t shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        if (shortest != length || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return false;
        at += length;
        size -= length;
    }
    return true;
}

static void utf8_agrees_with_the_definition(void **state)
{
    (void)state;
    unsigned char bytes[4];
    for (uint32_t i = 0; i < 1u << 24; i += (i & 0xffff00) < 0x800000 ? 97 : 1) {
        bytes[0] = (unsigned char)(i >> 16);
        bytes[1] = (unsigned char)(i >> 8);
        bytes[2] = (unsigned char)i;
        for (size_t size = 1; size <= 3; size++)
            if (utf8_is_valid(slice_make(bytes, size)) != utf8_is_valid_plainly(bytes, size))
                fail_msg("%06x of %zu", i, size);
    }
    for (uint32_t first = 0xee; first < 0x100; first++) {
        for (uint32_t i = 0; i < 1u << 24; i += 31) {
            bytes[0] = (unsigned char)first;
            bytes[1] = (unsigned char)(i >> 16);
            bytes[2] = (unsigned char)(i >> 8);
            bytes[3] = (unsigned char)i;
            if (utf8_is_valid(slice_make(bytes, 4)) != utf8_is_valid_plainly(bytes, 4))
                fail_msg("%02x%06x", first, i);
        }
    }
    assert_true(utf8_is_valid((Slice){0}));
    assert_true(utf8_is_valid(SLICE("plain bytes, then \xf0\x9f\x8c\xab and plain bytes again")));
    assert_false(utf8_is_valid(SLICE("plain bytes, then \xf0\x9f\x8c and plain bytes again")));
}

/* ---- Writing ---- */

static void the_writer_places_commas_and_escapes(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("a\"b"));
    json_write_array_begin(&writer);
    json_write_uint64(&writer, UINT64_MAX);
    json_write_int64(&writer, INT64_MIN);
    json_write_boolean(&writer, true);
    json_write_null(&writer);
    json_write_array_begin(&writer);
    json_write_array_end(&writer);
    json_write_object_begin(&writer);
    json_write_object_end(&writer);
    json_write_array_end(&writer);
    json_write_name(&writer, SLICE("s"));
    json_write_string(&writer, SLICE("\"\\/\b\f\n\r\t\x01\x1f\0 \x7f\xc3\xa9"));
    json_write_name(&writer, SLICE("absent"));
    json_write_string(&writer, (Slice){0});
    json_write_name(&writer, SLICE("raw"));
    json_write_raw(&writer, SLICE("[1]"));
    json_write_object_end(&writer);
    assert_true(
        slice_equal(buffer_slice(&out), SLICE("{\"a\\\"b\":[18446744073709551615,-9223372036854775808,true,null,[],{}],"
                                              "\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u0000 \x7f\xc3\xa9\","
                                              "\"absent\":\"\",\"raw\":[1]}")));
    assert_int_equal(json_check(buffer_slice(&out)), OK);
    arena_free(&arena);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    uint32_t seed = 11;
    for (int round = 0; round < 20000; round++) {
        Arena arena = arena_make();
        size_t size = next_random(&seed) % 60;
        char *bytes = arena_alloc(&arena, size + 1);
        for (size_t i = 0; i < size; i++) /* ASCII, with many of the bytes that need an escape */
            bytes[i] = (char)(next_random(&seed) % 3 == 0 ? next_random(&seed) % 128 : 'a');
        Buffer out = buffer_make(&arena);
        JsonWriter writer = json_writer(&out);
        json_write_string(&writer, slice_make(bytes, size));
        assert_true(slice_equal(read_one_string(&arena, buffer_slice(&out)), slice_make(bytes, size)));
        arena_free(&arena);
    }
}

static void assert_double_text(double value, const char *expected)
{
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    JsonWriter writer = json_writer(&out);
    json_write_double(&writer, value);
    assert_true(slice_equal(buffer_slice(&out), slice_of_string(expected)));
    arena_free(&arena);
}

static void doubles_are_short_and_read_back(void **state)
{
    (void)state;
    assert_double_text(0.0, "0");
    assert_double_text(-0.0, "-0");
    assert_double_text(0.1, "0.1");
    assert_double_text(0.1 + 0.2, "0.30000000000000004");
    assert_double_text(5.0, "5");
    assert_double_text(-2.5, "-2.5");
    assert_double_text(1700000000.123, "1700000000.123");
    assert_double_text(5e-324, "5e-324");
    assert_double_text(1.7976931348623157e308, "1.7976931348623157e+308");
    uint32_t seed = 3;
    for (int round = 0; round < 100000; round++) {
        uint64_t bits = (uint64_t)next_random(&seed) << 48 ^ (uint64_t)next_random(&seed) << 24 ^ next_random(&seed);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        Arena arena = arena_make();
        Buffer out = buffer_make(&arena);
        JsonWriter writer = json_writer(&out);
        json_write_double(&writer, value);
        assert_int_equal(json_check(buffer_slice(&out)), OK);
        double back = strtod(arena_string(&arena, buffer_slice(&out)), NULL);
        assert_memory_equal(&back, &value, sizeof value);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_suite_is_accepted_and_refused_as_named),
        cmocka_unit_test(grammar_is_held_to),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(strings_without_escapes_are_views),
        cmocka_unit_test(escapes_are_resolved),
        cmocka_unit_test(numbers_keep_their_digits),
        cmocka_unit_test(a_document_is_pulled_member_by_member),
        cmocka_unit_test(another_type_than_asked_for_is_refused_and_not_moved_over),
        cmocka_unit_test(scans_agree_with_a_byte_loop),
        cmocka_unit_test(walks_agree_with_a_byte_loop),
        cmocka_unit_test(utf8_agrees_with_the_definition),
        cmocka_unit_test(the_writer_places_commas_and_escapes),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(doubles_are_short_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Keys keep the order of their elements, whatever these are; values give back what was put in. */
#include "store/key.h"

#include "os/os_sim.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { TUPLES = 3000 };

typedef struct Tuple {
    uint64_t number;
    Slice string;
    char tag;
    Slice key;
} Tuple;

static Tuple random_tuple(Os *os, Arena *arena)
{
    static const char bytes[] = {0, 1, 'a', 'b', (char)0xFF};
    uint64_t bits[3];
    os_random(os, bits, sizeof bits);
    Tuple tuple = {.number = bits[0] >> bits[1] % 64, .tag = (char)('a' + bits[1] % 3)};
    size_t size = bits[2] % 5;
    char *string = arena_alloc(arena, size + 1);
    for (size_t i = 0; i < size; i++)
        string[i] = bytes[(bits[2] >> (8 + 4 * i)) % sizeof bytes];
    tuple.string = slice_make(string, size);
    Buffer key = buffer_make(arena);
    key_add_uint64(&key, tuple.number % 7 == 0 ? 7 : tuple.number);
    tuple.number = tuple.number % 7 == 0 ? 7 : tuple.number;
    key_add_string(&key, tuple.string);
    key_add_tag(&key, tuple.tag);
    tuple.key = buffer_slice(&key);
    return tuple;
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static int tuple_compare(const Tuple *a, const Tuple *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    int order = slice_compare(a->string, b->string);
    return order != 0 ? order : (a->tag > b->tag) - (a->tag < b->tag);
}

static void keys_sort_as_their_tuples(void **state)
{
    (void)state;
    Os *os = os_sim_open(4711);
    Arena arena = arena_make();
    Tuple previous = random_tuple(os, &arena);
    for (size_t i = 0; i < TUPLES; i++) {
        Tuple tuple = random_tuple(os, &arena);
        assert_int_equal(sign(slice_compare(previous.key, tuple.key)), sign(tuple_compare(&previous, &tuple)));
        uint64_t number;
        Slice string;
        char tag;
        Slice rest = tuple.key;
        assert_int_equal(key_take_uint64(&rest, &number), OK);
        assert_int_equal(key_take_string(&rest, &arena, &string), OK);
        assert_int_equal(key_take_tag(&rest, &tag), OK);
        assert_int_equal(rest.size, 0);
        assert_true(number == tuple.number && tag == tuple.tag && slice_equal(string, tuple.string));
        previous = tuple;
    }
    arena_free(&arena);
    os_sim_close(os);
}

static void a_prefix_range_holds_all_that_begins_with_it(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice prefix = slice_make("a\xFF\xFF", 3);
    KeyRange range = key_range_of_prefix(&arena, prefix);
    Slice inside = slice_make("a\xFF\xFF\xFF\xFF", 5);
    assert_true(slice_compare(range.begin, inside) <= 0 && slice_compare(inside, range.end) < 0);
    assert_true(slice_compare(SLICE("b"), range.end) >= 0);
    arena_free(&arena);
}

static void damaged_keys_and_values_are_refused(void **state)
{
    (void)state;
    Arena arena = arena_make();
    uint64_t number;
    Slice string;
    const Slice numbers[] = {SLICE_INIT(""), SLICE_INIT("\x02\x01"), SLICE_INIT("\x09"), SLICE_INIT("\x01\x00")};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        Slice text = numbers[i];
        assert_int_equal(key_take_uint64(&text, &number), ERROR_MALFORMED);
    }
    const Slice strings[] = {SLICE_INIT(""), SLICE_INIT("abc"), SLICE_INIT("abc\0"), SLICE_INIT("abc\0x")};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        Slice text = strings[i];
        assert_int_equal(key_take_string(&text, &arena, &string), ERROR_MALFORMED);
    }
    const Slice values[] = {SLICE_INIT(""), SLICE_INIT("\x80"), SLICE_INIT("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02")};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        Slice text = values[i];
        assert_int_equal(value_take_uint64(&text, &number), ERROR_MALFORMED);
    }
    Slice too_short = SLICE("\x05"
                            "abcd");
    assert_int_equal(value_take_bytes(&too_short, &string), ERROR_MALFORMED);
    arena_free(&arena);
}

static void values_keep_absent_and_empty_apart(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer value = value_start(&arena, 3);
    value_add_optional(&value, (Slice){0});
    value_add_optional(&value, SLICE(""));
    value_add_bytes(&value, SLICE("bytes"));
    value_add_uint64(&value, UINT64_MAX);
    Slice rest = buffer_slice(&value);
    uint8_t schema;
    Slice bytes;
    uint64_t number;
    assert_int_equal(value_take_schema(&rest, &schema), OK);
    assert_int_equal(schema, 3);
    assert_int_equal(value_take_optional(&rest, &bytes), OK);
    assert_null(bytes.data);
    assert_int_equal(value_take_optional(&rest, &bytes), OK);
    assert_non_null(bytes.data);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(value_take_bytes(&rest, &bytes), OK);
    assert_true(slice_equal(bytes, SLICE("bytes")));
    assert_int_equal(value_take_uint64(&rest, &number), OK);
    assert_true(number == UINT64_MAX && rest.size == 0);
    arena_free(&arena);
}

/* Leases on many nodes are held on it: it may never change. */
static void a_home_is_the_same_for_ever(void **state)
{
    (void)state;
    assert_true(home_of(SLICE("123456789012"), SLICE("us-east-1"), SLICE("sqs"), SLICE("orders")) ==
                0xba9da69eefa64cf5u);
    assert_true(home_of(SLICE("a"), SLICE("bc"), SLICE(""), SLICE("")) !=
                home_of(SLICE("ab"), SLICE("c"), SLICE(""), SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sort_as_their_tuples),
        cmocka_unit_test(a_prefix_range_holds_all_that_begins_with_it),
        cmocka_unit_test(damaged_keys_and_values_are_refused),
        cmocka_unit_test(values_keep_absent_and_empty_apart),
        cmocka_unit_test(a_home_is_the_same_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

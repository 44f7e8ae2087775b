#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void slices_compare_as_bytes(void **state)
{
    (void)state;
    static const Slice ascending[] = {SLICE_INIT(""),     SLICE_INIT("\0"),   SLICE_INIT("a"),
                                      SLICE_INIT("a\0"),  SLICE_INIT("aa"),   SLICE_INIT("b"),
                                      SLICE_INIT("\x7f"), SLICE_INIT("\x80"), SLICE_INIT("\xff")};
    enum { COUNT = sizeof ascending / sizeof *ascending };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            assert_int_equal(sign(slice_compare(ascending[i], ascending[j])), sign(i - j));
            assert_int_equal(slice_equal(ascending[i], ascending[j]), i == j);
        }
    }
    assert_true(slice_equal((Slice){0}, SLICE("")));
    assert_int_equal(slice_compare((Slice){0}, SLICE("")), 0);
}

static void parts_are_found(void **state)
{
    (void)state;
    Slice text = SLICE("name=value");
    assert_true(slice_starts_with(text, SLICE("name")));
    assert_true(slice_starts_with(text, SLICE("")));
    assert_true(slice_starts_with(text, text));
    assert_false(slice_starts_with(text, SLICE("names")));
    assert_false(slice_starts_with(SLICE("na"), SLICE("name")));
    assert_true(slice_ends_with(text, SLICE("value")));
    assert_true(slice_ends_with(text, SLICE("")));
    assert_false(slice_ends_with(text, SLICE("valu")));
    assert_false(slice_ends_with(SLICE("ue"), SLICE("value")));
    assert_int_equal(slice_find(text, '='), 4);
    assert_int_equal(slice_find(text, '?'), text.size);
    assert_int_equal(slice_find((Slice){0}, '='), 0);
    assert_true(slice_equal(slice_skip(text, 5), SLICE("value")));
    assert_int_equal(slice_skip(text, text.size).size, 0);
    assert_null(slice_of_string(NULL).data);
    assert_true(slice_equal(slice_of_string("abc"), SLICE("abc")));
}

static void case_is_ignored_for_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(slice_equal_ignore_case(SLICE("Content-Type"), SLICE("cONTENT-tYPE")));
    assert_false(slice_equal_ignore_case(SLICE("a"), SLICE("ab")));
    assert_false(slice_equal_ignore_case(SLICE("@["), SLICE("`{"))); /* the neighbours of A and Z, 32 apart */
    assert_false(slice_equal_ignore_case(SLICE("\xc9"), SLICE("\xe9")));
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    uint64_t number;
    assert_true(slice_parse_uint64(SLICE("0"), &number) && number == 0);
    assert_true(slice_parse_uint64(SLICE("007"), &number) && number == 7);
    assert_true(slice_parse_uint64(SLICE("18446744073709551615"), &number) && number == UINT64_MAX);
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "18446744073709551616", "99999999999999999999", "1a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(slice_parse_uint64(slice_of_string(bad[i]), &number));
    int64_t integer;
    assert_true(slice_parse_int64(SLICE("-9223372036854775808"), &integer) && integer == INT64_MIN);
    assert_true(slice_parse_int64(SLICE("9223372036854775807"), &integer) && integer == INT64_MAX);
    assert_true(slice_parse_int64(SLICE("-0"), &integer) && integer == 0);
    static const char *const bad_signed[] = {"", "-", "--1", "+1", "9223372036854775808", "-9223372036854775809"};
    for (size_t i = 0; i < sizeof bad_signed / sizeof *bad_signed; i++)
        assert_false(slice_parse_int64(slice_of_string(bad_signed[i]), &integer));
}

static void an_absent_slice_prints_as_nothing(void **state)
{
    (void)state;
    char text[16];
    snprintf(text, sizeof text, "[%.*s]", SLICE_PRINT((Slice){0}));
    assert_string_equal(text, "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_as_bytes),
        cmocka_unit_test(parts_are_found),
        cmocka_unit_test(case_is_ignored_for_ascii_letters_only),
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(an_absent_slice_prints_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

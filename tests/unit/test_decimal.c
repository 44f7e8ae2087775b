#include "base/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>

static Decimal parse(const char *text)
{
    Decimal value;
    if (decimal_parse(slice_of_string(text), &value) != DECIMAL_FINE)
        fail_msg("refused %s", text);
    return value;
}

static void assert_formats(const Decimal *value, const char *expected)
{
    char text[DECIMAL_TEXT_MAX];
    Slice slice = decimal_format(value, text);
    if (!slice_equal(slice, slice_of_string(expected)))
        fail_msg("%.*s instead of %s", SLICE_PRINT(slice), expected);
}

static void numbers_come_back_in_canonical_form(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"0", "0"},
        {"-0", "0"},
        {"0.000", "0"},
        {"0e99999999999999999999", "0"},
        {"+3", "3"},
        {".123", "0.123"},
        {"1.", "1"},
        {"0001.2300", "1.23"},
        {"-7.1234", "-7.1234"},
        {"1e+5", "100000"},
        {"-17.4E3", "-17400"},
        {"1.5E-3", "0.0015"},
        {"0.1e1", "1"},
        {"100", "100"},
        {"123456789012345678901234567890.12345678", "123456789012345678901234567890.12345678"},
        {"00000000000000000000000000000000000000000000000000000000012", "12"},
        {"12345678901234567890123456789012345678000000000", "12345678901234567890123456789012345678000000000"},
        {"0.1e126",
         "100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000"},
        {"-1e-130",
         "-0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "00000000000000000000000000000001"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Decimal value = parse(cases[i][0]);
        assert_formats(&value, cases[i][1]);
        Decimal again = parse(cases[i][1]);
        assert_memory_equal(&value, &again, sizeof value);
    }
    Decimal longest = parse("-1.2345678901234567890123456789012345678e-130");
    char text[DECIMAL_TEXT_MAX];
    assert_int_equal(decimal_format(&longest, text).size, 170);
}

static void each_fault_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        DecimalFault fault;
    } cases[] = {
        {"", DECIMAL_NOT_A_NUMBER},
        {"-", DECIMAL_NOT_A_NUMBER},
        {".", DECIMAL_NOT_A_NUMBER},
        {"e5", DECIMAL_NOT_A_NUMBER},
        {"1e", DECIMAL_NOT_A_NUMBER},
        {"1e+", DECIMAL_NOT_A_NUMBER},
        {"1e5.", DECIMAL_NOT_A_NUMBER},
        {"1.2.3", DECIMAL_NOT_A_NUMBER},
        {" 1", DECIMAL_NOT_A_NUMBER},
        {"1 ", DECIMAL_NOT_A_NUMBER},
        {"--1", DECIMAL_NOT_A_NUMBER},
        {"NaN", DECIMAL_NOT_A_NUMBER},
        {"Infinity", DECIMAL_NOT_A_NUMBER},
        {"0x10", DECIMAL_NOT_A_NUMBER},
        {"1,5", DECIMAL_NOT_A_NUMBER},
        {"3.14159265358979323846264338327950288419", DECIMAL_TOO_PRECISE},
        {"314159265358979323846264338327950288419e30", DECIMAL_TOO_PRECISE},
        {"1000000000000000000000000000000000000000000001", DECIMAL_TOO_PRECISE},
        {"1e126", DECIMAL_OVERFLOW},
        {"-11e125", DECIMAL_OVERFLOW},
        {"1.0e100000000", DECIMAL_OVERFLOW},
        {"1e99999999999999999999999999", DECIMAL_OVERFLOW},
        {"1e-131", DECIMAL_UNDERFLOW},
        {"0.9e-130", DECIMAL_UNDERFLOW},
        {"1e-99999999999999999999999999", DECIMAL_UNDERFLOW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Decimal value;
        if (decimal_parse(slice_of_string(cases[i].text), &value) != cases[i].fault)
            fail_msg("%s", cases[i].text);
    }
    parse("9.9999999999999999999999999999999999999e125");
    parse("-9.9999999999999999999999999999999999999e125");
}

static void sums_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        DecimalFault sum_fault;
        const char *sum;
        DecimalFault difference_fault;
        const char *difference;
    } cases[] = {
        {"1", "10000000000000000000000", DECIMAL_FINE, "10000000000000000000001", DECIMAL_FINE,
         "-9999999999999999999999"},
        {"0", "0", DECIMAL_FINE, "0", DECIMAL_FINE, "0"},
        {"-5", "5", DECIMAL_FINE, "0", DECIMAL_FINE, "-10"},
        {"0.1", "0.2", DECIMAL_FINE, "0.3", DECIMAL_FINE, "-0.1"},
        {"99.99", "0.01", DECIMAL_FINE, "100", DECIMAL_FINE, "99.98"},
        {"0", "-1.5", DECIMAL_FINE, "-1.5", DECIMAL_FINE, "1.5"},
        {"9e125", "9e124", DECIMAL_FINE, NULL, DECIMAL_FINE, NULL},
        {"9e125", "1e125", DECIMAL_OVERFLOW, NULL, DECIMAL_FINE, NULL},
        {"-9e125", "9e125", DECIMAL_FINE, "0", DECIMAL_OVERFLOW, NULL},
        {"1e50", "1", DECIMAL_TOO_PRECISE, NULL, DECIMAL_TOO_PRECISE, NULL},
        {"1e125", "1e-130", DECIMAL_TOO_PRECISE, NULL, DECIMAL_TOO_PRECISE, NULL},
        {"99999999999999999999999999999999999999", "1", DECIMAL_FINE, "100000000000000000000000000000000000000",
         DECIMAL_FINE, "99999999999999999999999999999999999998"},
        {"99999999999999999999999999999999999999", "2", DECIMAL_TOO_PRECISE, NULL, DECIMAL_FINE,
         "99999999999999999999999999999999999997"},
        {"1.1e-130", "1e-130", DECIMAL_FINE, NULL, DECIMAL_UNDERFLOW, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Decimal a = parse(cases[i].a);
        Decimal b = parse(cases[i].b);
        Decimal result = a;
        assert_int_equal(decimal_add(&a, &b, &result), cases[i].sum_fault);
        if (cases[i].sum != NULL)
            assert_formats(&result, cases[i].sum);
        if (cases[i].sum_fault != DECIMAL_FINE)
            assert_memory_equal(&result, &a, sizeof a);
        assert_int_equal(decimal_subtract(&a, &b, &result), cases[i].difference_fault);
        if (cases[i].difference != NULL)
            assert_formats(&result, cases[i].difference);
    }
}

/* ---- The model: 128-bit integers, scaled by a thousand ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 20;
}

static Decimal of_thousandths(int64_t thousandths)
{
    char text[48];
    snprintf(text, sizeof text, "%llde-3", (long long)thousandths);
    return parse(text);
}

static void small_numbers_agree_with_integers(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 100000; round++) {
        int64_t scale = round % 3 == 0 ? 20 : round % 3 == 1 ? 100000 : 10000000000000;
        int64_t a = (int64_t)(next_random(&seed) % (uint64_t)(2 * scale)) - scale;
        int64_t b = (int64_t)(next_random(&seed) % (uint64_t)(2 * scale)) - scale;
        Decimal left = of_thousandths(a);
        Decimal right = of_thousandths(b);
        Decimal expected = of_thousandths(a + b);
        Decimal result;
        assert_int_equal(decimal_add(&left, &right, &result), DECIMAL_FINE);
        assert_memory_equal(&result, &expected, sizeof result);
        expected = of_thousandths(a - b);
        assert_int_equal(decimal_subtract(&left, &right, &result), DECIMAL_FINE);
        assert_memory_equal(&result, &expected, sizeof result);
        int order = decimal_compare(&left, &right);
        assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
    }
}

/* Numbers of every size and length. */
static Decimal random_decimal(uint64_t *seed)
{
    char text[64];
    size_t digits = 1 + next_random(seed) % (next_random(seed) % 2 == 0 ? 3 : DECIMAL_DIGITS_MAX);
    size_t size = 0;
    if (next_random(seed) % 2 == 0)
        text[size++] = '-';
    text[size++] = (char)('0' + next_random(seed) % 10);
    text[size++] = '.';
    for (size_t i = 1; i < digits; i++)
        text[size++] = (char)('0' + (next_random(seed) % 3 == 0 ? 0 : next_random(seed) % 10));
    int exponent = next_random(seed) % 2 == 0 ? (int)(next_random(seed) % 5) - 2 : (int)(next_random(seed) % 218) - 92;
    snprintf(text + size, sizeof text - size, "e%d", exponent);
    return parse(text);
}

static void encoded_bytes_sort_as_the_numbers(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int round = 0; round < 200000; round++) {
        Decimal a = random_decimal(&seed);
        Decimal b = round % 4 == 0 ? a : random_decimal(&seed);
        unsigned char bytes_a[DECIMAL_ENCODED_MAX];
        unsigned char bytes_b[DECIMAL_ENCODED_MAX];
        Slice encoded_a = slice_make(bytes_a, decimal_encode(&a, bytes_a));
        Slice encoded_b = slice_make(bytes_b, decimal_encode(&b, bytes_b));
        int numbers = decimal_compare(&a, &b);
        int bytes = slice_compare(encoded_a, encoded_b);
        assert_int_equal((numbers > 0) - (numbers < 0), (bytes > 0) - (bytes < 0));
        if (numbers != 0)
            assert_false(slice_starts_with(encoded_b, encoded_a));
        Decimal back;
        assert_int_equal(decimal_decode(&encoded_a, &back), OK);
        assert_int_equal(encoded_a.size, 0);
        assert_memory_equal(&back, &a, sizeof a);
    }
}

static void order_runs_through_zero_and_the_bounds(void **state)
{
    (void)state;
    static const char *const ascending[] = {
        "-9.9999999999999999999999999999999999999e125",
        "-1e125",
        "-10",
        "-9.91",
        "-9.9",
        "-1",
        "-0.1",
        "-1e-130",
        "0",
        "1e-130",
        "1.5e-130",
        "0.1",
        "1",
        "1.01",
        "1.1",
        "9",
        "10",
        "11",
        "1e125",
        "9.9999999999999999999999999999999999999e125",
    };
    for (size_t i = 0; i + 1 < sizeof ascending / sizeof *ascending; i++) {
        Decimal low = parse(ascending[i]);
        Decimal high = parse(ascending[i + 1]);
        assert_true(decimal_compare(&low, &high) < 0 && decimal_compare(&high, &low) > 0);
        assert_int_equal(decimal_compare(&low, &low), 0);
        unsigned char low_bytes[DECIMAL_ENCODED_MAX];
        unsigned char high_bytes[DECIMAL_ENCODED_MAX];
        Slice low_encoded = slice_make(low_bytes, decimal_encode(&low, low_bytes));
        assert_true(slice_compare(low_encoded, slice_make(high_bytes, decimal_encode(&high, high_bytes))) < 0);
    }
}

static void only_its_own_bytes_are_decoded(void **state)
{
    (void)state;
    static const Slice bad[] = {
        SLICE_INIT(""),
        SLICE_INIT("\x00"),
        SLICE_INIT("\x04"),
        SLICE_INIT("\x03"),
        SLICE_INIT("\x03\x82"),
        SLICE_INIT("\x03\x82\x00"),
        SLICE_INIT("\x03\x82\x0b"),
        SLICE_INIT("\x03\x82\x65\x00"),
        SLICE_INIT("\x03\x82\x02\x00"),
        SLICE_INIT("\x03\x82\x0b\x01\x00"),
        SLICE_INIT("\x01\x82\x0b\x00"),
        SLICE_INIT("\x03\x82\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x00"),
    };
    Decimal value;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Slice bytes = bad[i];
        if (decimal_decode(&bytes, &value) != ERROR_MALFORMED)
            fail_msg("accepted case %zu", i);
    }
    Slice two = SLICE("\x03\x82\x0b\x00\x02rest");
    assert_int_equal(decimal_decode(&two, &value), OK);
    assert_formats(&value, "1");
    assert_int_equal(decimal_decode(&two, &value), OK);
    assert_formats(&value, "0");
    assert_true(slice_equal(two, SLICE("rest")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back_in_canonical_form), cmocka_unit_test(each_fault_is_named),
        cmocka_unit_test(sums_are_exact_or_refused),           cmocka_unit_test(small_numbers_agree_with_integers),
        cmocka_unit_test(encoded_bytes_sort_as_the_numbers),   cmocka_unit_test(order_runs_through_zero_and_the_bounds),
        cmocka_unit_test(only_its_own_bytes_are_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

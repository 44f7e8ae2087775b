#include "base/decimal.h"

/* ---- Text ---- */

/* Digits as they are read. Leading zeros are not kept; zeros at the end are, until finish_digits. */
typedef struct Digits {
    uint8_t digits[DECIMAL_DIGITS_MAX];
    unsigned count;
    bool started;     /* a digit other than 0 has been read */
    bool too_precise; /* a digit other than 0 found no room */
    int64_t exponent; /* of the first digit kept */
} Digits;

static void digits_add(Digits *digits, uint8_t digit, bool in_fraction)
{
    if (!digits->started && digit == 0) {
        digits->exponent -= in_fraction ? 1 : 0;
        return;
    }
    if (!digits->started)
        digits->exponent -= in_fraction ? 1 : 0;
    else if (!in_fraction)
        digits->exponent++;
    digits->started = true;
    if (digits->count < DECIMAL_DIGITS_MAX)
        digits->digits[digits->count++] = digit;
    else if (digit != 0)
        digits->too_precise = true;
}

/* Moves over digits and at most one point; false when there is no digit. */
static bool take_digits(Slice *text, Digits *digits)
{
    bool any = false;
    bool in_fraction = false;
    for (; text->size > 0; *text = slice_skip(*text, 1)) {
        char c = text->data[0];
        if (c == '.' && !in_fraction) {
            in_fraction = true;
        } else if (c >= '0' && c <= '9') {
            digits_add(digits, (uint8_t)(c - '0'), in_fraction);
            any = true;
        } else {
            break;
        }
    }
    return any;
}

static bool take_sign(Slice *text)
{
    if (text->size == 0 || (text->data[0] != '-' && text->data[0] != '+'))
        return false;
    bool negative = text->data[0] == '-';
    *text = slice_skip(*text, 1);
    return negative;
}

/* The number behind the 'e', which is all that is left of the text. One that is out of all bounds is given as one far
 * out of ours. */
static bool take_exponent(Slice text, int64_t *exponent)
{
    const int64_t far = 1000000000000;
    bool negative = take_sign(&text);
    if (text.size == 0)
        return false;
    *exponent = 0;
    for (; text.size > 0; text = slice_skip(text, 1)) {
        if (text.data[0] < '0' || text.data[0] > '9')
            return false;
        if (*exponent < far)
            *exponent = *exponent * 10 + (text.data[0] - '0');
    }
    if (negative)
        *exponent = -*exponent;
    return true;
}

/* Makes the value of the digits, if it is within the bounds. */
static DecimalFault finish_digits(Digits *digits, bool negative, Decimal *value)
{
    while (digits->count > 0 && digits->digits[digits->count - 1] == 0)
        digits->count--;
    if (digits->count > 0) {
        if (digits->too_precise)
            return DECIMAL_TOO_PRECISE;
        if (digits->exponent > DECIMAL_EXPONENT_MAX)
            return DECIMAL_OVERFLOW;
        if (digits->exponent < DECIMAL_EXPONENT_MIN)
            return DECIMAL_UNDERFLOW;
    }
    *value = (Decimal){0};
    if (digits->count > 0) {
        value->negative = negative;
        value->digit_count = (uint8_t)digits->count;
        value->exponent = (int16_t)digits->exponent;
        memcpy(value->digits, digits->digits, digits->count);
    }
    return DECIMAL_FINE;
}

DecimalFault decimal_parse(Slice text, Decimal *value)
{
    Digits digits = {0};
    int64_t exponent = 0;
    bool negative = take_sign(&text);
    if (!take_digits(&text, &digits))
        return DECIMAL_NOT_A_NUMBER;
    if (text.size > 0 &&
        ((text.data[0] != 'e' && text.data[0] != 'E') || !take_exponent(slice_skip(text, 1), &exponent)))
        return DECIMAL_NOT_A_NUMBER;
    digits.exponent += exponent;
    return finish_digits(&digits, negative, value);
}

Slice decimal_format(const Decimal *value, char text[DECIMAL_TEXT_MAX])
{
    if (value->digit_count == 0)
        return SLICE("0");
    char *at = text;
    if (value->negative)
        *at++ = '-';
    int last = value->exponent - value->digit_count + 1; /* the power of ten of the last digit */
    int power = value->exponent < 0 ? 0 : value->exponent;
    for (; power >= (last < 0 ? last : 0); power--) {
        if (power == -1)
            *at++ = '.';
        int index = value->exponent - power;
        *at++ = (char)('0' + (index >= 0 && index < value->digit_count ? value->digits[index] : 0));
    }
    return slice_make(text, (size_t)(at - text));
}

/* ---- Order and arithmetic ---- */

static int compare_magnitudes(const Decimal *a, const Decimal *b)
{
    if (a->digit_count == 0 || b->digit_count == 0)
        return (a->digit_count > 0) - (b->digit_count > 0);
    if (a->exponent != b->exponent)
        return a->exponent < b->exponent ? -1 : 1;
    return memcmp(a->digits, b->digits, DECIMAL_DIGITS_MAX);
}

int decimal_compare(const Decimal *a, const Decimal *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    return a->negative ? compare_magnitudes(b, a) : compare_magnitudes(a, b);
}

/* A fixed-point number wide enough for every sum of two decimals: one digit for each power of ten, the largest first.
 * It is long, but as simple as adding on paper. */
enum {
    WIDE_TOP = DECIMAL_EXPONENT_MAX + 1, /* for the carry */
    WIDE_BOTTOM = DECIMAL_EXPONENT_MIN - DECIMAL_DIGITS_MAX + 1,
    WIDE_DIGITS = WIDE_TOP - WIDE_BOTTOM + 1,
};

/* Adds `sign` times the digits of the value; single places may then lie outside of 0 to 9. */
static void wide_add(int8_t wide[WIDE_DIGITS], const Decimal *value, int sign)
{
    for (int i = 0; i < value->digit_count; i++) {
        int8_t *place = &wide[WIDE_TOP - value->exponent + i];
        *place = (int8_t)(*place + sign * value->digits[i]);
    }
}

/* Carries and borrows, so that each place is a digit; the whole is not negative. */
static void wide_carry(int8_t wide[WIDE_DIGITS])
{
    int carry = 0;
    for (int i = WIDE_DIGITS - 1; i >= 0; i--) {
        int sum = wide[i] + carry;
        carry = sum < 0 ? -1 : sum / 10;
        wide[i] = (int8_t)(sum - carry * 10);
    }
}

/* a + b, or a - b when `subtract`. */
static DecimalFault combine(const Decimal *a, const Decimal *b, bool subtract, Decimal *result)
{
    bool b_negative = subtract ? !b->negative : b->negative;
    bool a_is_larger = compare_magnitudes(a, b) >= 0;
    int8_t wide[WIDE_DIGITS] = {0};
    /* The larger magnitude gives the sign; the other one adds to it or takes from it. */
    int smaller_sign = a->negative == b_negative ? 1 : -1;
    wide_add(wide, a, a_is_larger ? 1 : smaller_sign);
    wide_add(wide, b, a_is_larger ? smaller_sign : 1);
    wide_carry(wide);
    Digits digits = {.exponent = WIDE_TOP + 1}; /* all of it is read as a fraction behind that place */
    for (int i = 0; i < WIDE_DIGITS; i++)
        digits_add(&digits, (uint8_t)wide[i], true);
    if (digits.started && digits.exponent > DECIMAL_EXPONENT_MAX)
        return DECIMAL_OVERFLOW;
    return finish_digits(&digits, a_is_larger ? a->negative : b_negative, result);
}

DecimalFault decimal_add(const Decimal *a, const Decimal *b, Decimal *result)
{
    return combine(a, b, false, result);
}

DecimalFault decimal_subtract(const Decimal *a, const Decimal *b, Decimal *result)
{
    return combine(a, b, true, result);
}

/* ---- Ordered bytes: a byte for the sign, one for the exponent, one for each pair of digits, an end ----
 * Behind the sign of a negative number every byte is inverted, so that larger magnitudes come first. */

enum { SIGN_NEGATIVE = 1, SIGN_ZERO = 2, SIGN_POSITIVE = 3, PAIR_END = 0, PAIR_FIRST = 1, PAIR_LAST = 100 };

size_t decimal_encode(const Decimal *value, unsigned char bytes[DECIMAL_ENCODED_MAX])
{
    if (value->digit_count == 0) {
        bytes[0] = SIGN_ZERO;
        return 1;
    }
    unsigned char inversion = value->negative ? 0xff : 0;
    size_t size = 0;
    bytes[size++] = value->negative ? SIGN_NEGATIVE : SIGN_POSITIVE;
    bytes[size++] = (unsigned char)((value->exponent - DECIMAL_EXPONENT_MIN) ^ inversion);
    for (unsigned i = 0; i < value->digit_count; i += 2)
        bytes[size++] = (unsigned char)((value->digits[i] * 10 + value->digits[i + 1] + PAIR_FIRST) ^ inversion);
    bytes[size++] = PAIR_END ^ inversion;
    return size;
}

Error decimal_decode(Slice *bytes, Decimal *value)
{
    const unsigned char *at = (const unsigned char *)bytes->data;
    Decimal read = {0};
    if (bytes->size > 0 && at[0] == SIGN_ZERO) {
        *value = read;
        *bytes = slice_skip(*bytes, 1);
        return OK;
    }
    if (bytes->size < 2 || (at[0] != SIGN_NEGATIVE && at[0] != SIGN_POSITIVE))
        return ERROR_MALFORMED;
    read.negative = at[0] == SIGN_NEGATIVE;
    unsigned char inversion = read.negative ? 0xff : 0;
    read.exponent = (int16_t)((at[1] ^ inversion) + DECIMAL_EXPONENT_MIN);
    size_t size = 2;
    for (;; size++) {
        if (size == bytes->size)
            return ERROR_MALFORMED;
        unsigned pair = at[size] ^ inversion;
        if (pair == PAIR_END)
            break;
        if (pair > PAIR_LAST || read.digit_count == DECIMAL_DIGITS_MAX)
            return ERROR_MALFORMED;
        read.digits[read.digit_count++] = (uint8_t)((pair - PAIR_FIRST) / 10);
        read.digits[read.digit_count++] = (uint8_t)((pair - PAIR_FIRST) % 10);
    }
    if (read.digit_count > 0 && read.digits[read.digit_count - 1] == 0)
        read.digit_count--;
    if (read.digit_count == 0 || read.digits[0] == 0 || read.digits[read.digit_count - 1] == 0)
        return ERROR_MALFORMED;
    *value = read;
    *bytes = slice_skip(*bytes, size + 1);
    return OK;
}

/* decimal.h: decimal numbers as DynamoDB has them: exact, of up to 38 significant digits, zero or of a magnitude from
 * 1E-130 to 9.9...9E+125 (DynamoDB developer guide, "Supported data types and naming rules", Number).
 *
 * A Decimal is a value without pointers, always normalized, so that equal numbers are equal byte for byte. Nothing is
 * ever rounded: what does not fit is a fault. Pure; any thread. */
#ifndef BRUME_BASE_DECIMAL_H
#define BRUME_BASE_DECIMAL_H

#include "base/error.h"
#include "base/slice.h"

enum {
    DECIMAL_DIGITS_MAX = 38,
    DECIMAL_EXPONENT_MIN = -130,
    DECIMAL_EXPONENT_MAX = 125,
    DECIMAL_TEXT_MAX = 176,
    DECIMAL_ENCODED_MAX = 22,
};

typedef struct Decimal {
    bool negative;                      /* never for zero */
    uint8_t digit_count;                /* 0: zero */
    int16_t exponent;                   /* of the first digit: d.ddd * 10^exponent; 0 for zero */
    uint8_t digits[DECIMAL_DIGITS_MAX]; /* 0 to 9; neither the first nor the last is 0; 0 behind the last */
} Decimal;

/* DynamoDB has a message of its own for each. */
typedef enum DecimalFault {
    DECIMAL_FINE,
    DECIMAL_NOT_A_NUMBER,
    DECIMAL_TOO_PRECISE, /* more than 38 significant digits */
    DECIMAL_OVERFLOW,
    DECIMAL_UNDERFLOW,
} DecimalFault;

/* Reads a whole number: sign, digits with or without a point, exponent ("+3", ".5", "1.", "-17.4E+37"). */
DecimalFault decimal_parse(Slice text, Decimal *value);

/* The canonical text, as DynamoDB gives numbers back: no exponent, no zeros that are not needed, "0" for zero. Writes
 * into `text` and gives the slice that was filled. */
Slice decimal_format(const Decimal *value, char text[DECIMAL_TEXT_MAX]);

/* Below, at or above zero, as memcmp. */
int decimal_compare(const Decimal *a, const Decimal *b);

/* The exact result. Faults: too precise, overflow, underflow; `result` is left alone then. It may be an operand. */
DecimalFault decimal_add(const Decimal *a, const Decimal *b, Decimal *result);
DecimalFault decimal_subtract(const Decimal *a, const Decimal *b, Decimal *result);

/* Bytes that memcmp orders as the numbers are ordered, none of which begins another (so they may stand inside of a
 * longer key). Gives how many were written. */
size_t decimal_encode(const Decimal *value, unsigned char bytes[DECIMAL_ENCODED_MAX]);
/* Reads such bytes from the front of `bytes` and moves it behind them. ERROR_MALFORMED: decimal_encode writes no such. */
Error decimal_decode(Slice *bytes, Decimal *value);

#endif

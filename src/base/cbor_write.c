#include "base/cbor.h"

#include <math.h>

/* The first byte of each kind, its lower five bits still free (RFC 8949 section 3.1). */
enum {
    KIND_UNSIGNED = 0x00,
    KIND_NEGATIVE = 0x20,
    KIND_BYTES = 0x40,
    KIND_TEXT = 0x60,
    KIND_ARRAY = 0x80,
    KIND_MAP = 0xa0,
    KIND_TAG = 0xc0,
    KIND_SIMPLE = 0xe0,
};

enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, FLOAT_HALF = 25, FLOAT_SINGLE = 26, FLOAT_DOUBLE = 27 };
enum { INDEFINITE = 31, BREAK = 0xff };

/* A first byte and the lowest `width` bytes of the argument, the most significant first. */
static void add_wide(Buffer *out, unsigned first, uint64_t argument, unsigned width)
{
    char *to = buffer_reserve(out, 1 + width);
    to[0] = (char)first;
    for (unsigned i = 0; i < width; i++)
        to[1 + i] = (char)(argument >> (8 * (width - 1 - i)));
    out->size += 1 + width;
}

/* The shortest head (section 4.1). */
static void add_head(Buffer *out, unsigned kind, uint64_t argument)
{
    if (argument < 24)
        add_wide(out, kind | (unsigned)argument, 0, 0);
    else if (argument <= UINT8_MAX)
        add_wide(out, kind | 24, argument, 1);
    else if (argument <= UINT16_MAX)
        add_wide(out, kind | 25, argument, 2);
    else if (argument <= UINT32_MAX)
        add_wide(out, kind | 26, argument, 4);
    else
        add_wide(out, kind | 27, argument, 8);
}

void cbor_write_uint64(Buffer *out, uint64_t value)
{
    add_head(out, KIND_UNSIGNED, value);
}

void cbor_write_int64(Buffer *out, int64_t value)
{
    add_head(out, value < 0 ? KIND_NEGATIVE : KIND_UNSIGNED, value < 0 ? (uint64_t)(-1 - value) : (uint64_t)value);
}

/* The bits of the binary16 that is exactly this binary32; false when there is none. Neither is a NaN. */
static bool half_of_single(uint32_t single, uint16_t *half)
{
    uint32_t sign = single >> 16 & 0x8000;
    int exponent = (int)(single >> 23 & 0xff) - 127;
    uint32_t fraction = single & 0x7fffff;
    if (exponent == 128 || (exponent == -127 && fraction == 0)) { /* infinity, zero */
        *half = (uint16_t)(sign | (exponent == 128 ? 0x7c00u : 0));
        return true;
    }
    if (exponent > 15 || exponent < -24)
        return false;
    if (exponent >= -14) {
        *half = (uint16_t)(sign | (uint32_t)(exponent + 15) << 10 | fraction >> 13);
        return (fraction & 0x1fff) == 0;
    }
    /* A subnormal half: the leading one is written out, shifted down to where units of 2^-24 begin. */
    unsigned shift = (unsigned)(-1 - exponent);
    uint32_t significand = fraction | 0x800000;
    *half = (uint16_t)(sign | significand >> shift);
    return (significand & ((1u << shift) - 1)) == 0;
}

void cbor_write_double(Buffer *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    /* Out of a float's range, the conversion below would be undefined. */
    bool in_range = fabs(value) <= 0x1.fffffep+127 || isinf(value);
    float narrow = in_range ? (float)value : 0;
    uint32_t single;
    memcpy(&single, &narrow, sizeof single);
    uint16_t half;
    if (isnan(value))
        add_wide(out, KIND_SIMPLE | FLOAT_HALF, 0x7e00, 2);
    else if (!in_range || (double)narrow != value)
        add_wide(out, KIND_SIMPLE | FLOAT_DOUBLE, bits, 8);
    else if (!half_of_single(single, &half))
        add_wide(out, KIND_SIMPLE | FLOAT_SINGLE, single, 4);
    else
        add_wide(out, KIND_SIMPLE | FLOAT_HALF, half, 2);
}

void cbor_write_boolean(Buffer *out, bool value)
{
    add_head(out, KIND_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void cbor_write_null(Buffer *out)
{
    add_head(out, KIND_SIMPLE, SIMPLE_NULL);
}

void cbor_write_bytes(Buffer *out, Slice value)
{
    add_head(out, KIND_BYTES, value.size);
    buffer_add(out, value);
}

void cbor_write_text(Buffer *out, Slice value)
{
    add_head(out, KIND_TEXT, value.size);
    buffer_add(out, value);
}

void cbor_write_tag(Buffer *out, uint64_t tag)
{
    add_head(out, KIND_TAG, tag);
}

void cbor_write_array(Buffer *out, uint64_t count)
{
    add_head(out, KIND_ARRAY, count);
}

void cbor_write_map(Buffer *out, uint64_t count)
{
    add_head(out, KIND_MAP, count);
}

void cbor_write_array_indefinite(Buffer *out)
{
    add_wide(out, KIND_ARRAY | INDEFINITE, 0, 0);
}

void cbor_write_map_indefinite(Buffer *out)
{
    add_wide(out, KIND_MAP | INDEFINITE, 0, 0);
}

void cbor_write_break(Buffer *out)
{
    add_wide(out, BREAK, 0, 0);
}

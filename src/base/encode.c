/* The encodings of bytes as text that digest.h declares. */
#include "base/digest.h"

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

Slice hex_encode(Arena *arena, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    char *text = arena_alloc_aligned(arena, size * 2 + 1, 1);
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = hex_lower[from[i] >> 4];
        text[2 * i + 1] = hex_lower[from[i] & 15];
    }
    text[size * 2] = '\0';
    return slice_make(text, size * 2);
}

void uuid_format(const unsigned char bytes[16], char text[UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = digits[bytes[i] >> 4];
        text[at++] = digits[bytes[i] & 15];
    }
}

Error hex_decode(Arena *arena, Slice text, Slice *bytes)
{
    if (text.size % 2 != 0)
        return ERROR_MALFORMED;
    char *out = arena_alloc_aligned(arena, text.size / 2 + 1, 1);
    for (size_t i = 0; i < text.size / 2; i++) {
        int high = hex_value(text.data[2 * i]);
        int low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return ERROR_MALFORMED;
        out[i] = (char)(high << 4 | low);
    }
    *bytes = slice_make(out, text.size / 2);
    return OK;
}

Slice base64_encode(Arena *arena, Slice bytes)
{
    const unsigned char *from = (const unsigned char *)bytes.data;
    size_t size = (bytes.size + 2) / 3 * 4;
    char *text = arena_alloc_aligned(arena, size + 1, 1);
    char *to = text;
    size_t left = bytes.size;
    for (; left >= 3; left -= 3, from += 3, to += 4) {
        uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        to[0] = base64_alphabet[bits >> 18];
        to[1] = base64_alphabet[bits >> 12 & 63];
        to[2] = base64_alphabet[bits >> 6 & 63];
        to[3] = base64_alphabet[bits & 63];
    }
    if (left > 0) {
        uint32_t bits = (uint32_t)from[0] << 16 | (left == 2 ? (uint32_t)from[1] << 8 : 0);
        to[0] = base64_alphabet[bits >> 18];
        to[1] = base64_alphabet[bits >> 12 & 63];
        to[2] = left == 2 ? base64_alphabet[bits >> 6 & 63] : '=';
        to[3] = '=';
    }
    text[size] = '\0';
    return slice_make(text, size);
}

/* One more than the value of a base64 digit; 0: it is none. */
static const unsigned char base64_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

/* The bits of `count` digits; past 24 bits: one of them is none. */
static uint32_t base64_bits(const char *digits, size_t count)
{
    uint32_t bits = 0;
    uint32_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t value = base64_values[(unsigned char)digits[i]] - 1u;
        wrong |= value & ~63u;
        bits = bits << 6 | (value & 63);
    }
    return wrong == 0 ? bits : UINT32_MAX;
}

Error base64_decode(Arena *arena, Slice text, Slice *bytes)
{
    if (text.size % 4 != 0)
        return ERROR_MALFORMED;
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    size_t digits = text.size - padding;
    char *out = arena_alloc_aligned(arena, text.size / 4 * 3 + 1, 1);
    size_t size = 0;
    for (size_t i = 0; i + 4 <= digits; i += 4) {
        uint32_t quad = base64_bits(text.data + i, 4);
        if (quad >> 24 != 0)
            return ERROR_MALFORMED;
        out[size++] = (char)(quad >> 16);
        out[size++] = (char)(quad >> 8);
        out[size++] = (char)quad;
    }
    uint32_t bits = digits % 4 == 0 ? 0 : base64_bits(text.data + digits - digits % 4, digits % 4);
    if (bits >> 24 != 0)
        return ERROR_MALFORMED;
    /* Stray bits behind the last byte would let two texts stand for the same bytes (RFC 4648 section 3.5). */
    if ((padding == 1 && (bits & 3) != 0) || (padding == 2 && (bits & 15) != 0))
        return ERROR_MALFORMED;
    if (padding == 1)
        out[size++] = (char)(bits >> 10);
    if (padding == 1)
        out[size++] = (char)(bits >> 2);
    if (padding == 2)
        out[size++] = (char)(bits >> 4);
    *bytes = slice_make(out, size);
    return OK;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void percent_encode(Buffer *out, Slice bytes, bool keep_slash)
{
    if (bytes.size == 0)
        return;
    char *to = buffer_reserve(out, bytes.size * 3);
    char *start = to;
    for (size_t i = 0; i < bytes.size; i++) {
        char c = bytes.data[i];
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            *to++ = c;
            continue;
        }
        *to++ = '%';
        *to++ = hex_upper[(unsigned char)c >> 4];
        *to++ = hex_upper[(unsigned char)c & 15];
    }
    out->size += (size_t)(to - start);
}

Error percent_decode(Arena *arena, Slice text, bool plus_is_space, Slice *bytes)
{
    char *out = arena_alloc_aligned(arena, text.size + 1, 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            if (text.size - i < 3)
                return ERROR_MALFORMED;
            int high = hex_value(text.data[i + 1]);
            int low = hex_value(text.data[i + 2]);
            if (high < 0 || low < 0)
                return ERROR_MALFORMED;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[size++] = c;
    }
    *bytes = slice_make(out, size);
    return OK;
}

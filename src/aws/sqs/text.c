#include "aws/sqs/dialect.h"

#include "base/digest.h"

/* How many bytes at the start are printable ASCII, in steps of eight. */
static size_t plain_prefix(const unsigned char *bytes, size_t size)
{
    const uint64_t high = 0x8080808080808080u;
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        uint64_t below_space = (word - 0x2020202020202020u) & ~word & high;
        if ((below_space | (word & high)) != 0)
            break;
    }
    return at;
}

bool sqs_find_forbidden_character(Slice text, uint32_t *character)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    for (size_t i = plain_prefix(bytes, text.size); i < text.size; i++) {
        unsigned char byte = bytes[i];
        if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') {
            *character = byte;
            return true;
        }
        /* U+FFFE and U+FFFF are EF BF BE and EF BF BF; surrogates are no valid UTF-8. */
        if (byte == 0xef && i + 2 < text.size && bytes[i + 1] == 0xbf && bytes[i + 2] >= 0xbe) {
            *character = bytes[i + 2] == 0xbe ? 0xfffe : 0xffff;
            return true;
        }
    }
    return false;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool sqs_is_identifier(Slice text, size_t max)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_alphanumeric(text.data[i]) && text.data[i] != '-' && text.data[i] != '_')
            return false;
    return text.size >= 1 && text.size <= max;
}

bool sqs_is_message_token(Slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '!' || text.data[i] > '~')
            return false;
    return text.size >= 1 && text.size <= 128;
}

/* ---- Numbers ---- */

enum { NUMBER_DIGITS = 38, NUMBER_EXPONENT_MIN = -128, NUMBER_EXPONENT_MAX = 126 };

/* The digits of a decimal number, as they are read. */
typedef struct Decimal {
    size_t digits;      /* read at all */
    size_t significant; /* from the first to the last that is not 0 */
    size_t pending;     /* zeros behind the last that is not 0 */
    long exponent;      /* of the first significant digit, before the written exponent: 1.5 has 0 */
} Decimal;

static void add_digits(Slice *text, Decimal *decimal, bool fraction)
{
    while (text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9') {
        bool zero = text->data[0] == '0';
        decimal->digits++;
        if (decimal->significant == 0) {
            decimal->exponent -= fraction ? 1 : 0;
            decimal->significant = zero ? 0 : 1;
        } else {
            decimal->exponent += fraction ? 0 : 1;
            decimal->significant += zero ? 0 : decimal->pending + 1;
            decimal->pending = zero ? decimal->pending + 1 : 0;
        }
        *text = slice_skip(*text, 1);
    }
}

static bool take_sign(Slice *text)
{
    bool negative = text->size > 0 && text->data[0] == '-';
    if (text->size > 0 && (text->data[0] == '-' || text->data[0] == '+'))
        *text = slice_skip(*text, 1);
    return negative;
}

bool sqs_is_number(Slice text)
{
    Decimal decimal = {0};
    take_sign(&text);
    add_digits(&text, &decimal, false);
    if (text.size > 0 && text.data[0] == '.') {
        text = slice_skip(text, 1);
        add_digits(&text, &decimal, true);
    }
    if (decimal.digits == 0)
        return false;
    long exponent = 0;
    if (text.size > 0 && (text.data[0] == 'e' || text.data[0] == 'E')) {
        text = slice_skip(text, 1);
        bool negative = take_sign(&text);
        uint64_t written;
        if (!slice_parse_uint64(text, &written) || written > 1000)
            return false;
        exponent = negative ? -(long)written : (long)written;
        text.size = 0;
    }
    if (text.size > 0)
        return false;
    exponent += decimal.exponent;
    return decimal.significant == 0 ||
           (decimal.significant <= NUMBER_DIGITS && exponent >= NUMBER_EXPONENT_MIN && exponent <= NUMBER_EXPONENT_MAX);
}

/* ---- Output ---- */

Slice sqs_uuid(Arena *arena, const MessageId *id)
{
    char *text = arena_alloc_aligned(arena, UUID_TEXT_SIZE, 1);
    uuid_format(id->bytes, text);
    return slice_make(text, UUID_TEXT_SIZE);
}

Slice sqs_md5_hex(Arena *arena, Slice bytes)
{
    unsigned char digest[MD5_SIZE];
    md5(bytes, digest);
    return hex_encode(arena, digest, sizeof(digest));
}

#include "core/pattern_internal.h"

#include "base/bug.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Numbers ---- */

/* A number taken apart: digits[0] to digits[count) without a point, neither the first nor the last of them 0, times 10^power. */
typedef struct NumberParts {
    bool negative;
    const char *first; /* within the text; a point may stand between the digits. NULL: the number is 0 */
    const char *last;
    int64_t count;
    int64_t power;
} NumberParts;

static NumberParts number_parts(Slice text)
{
    enum { POWER_MAX = 1000000 };
    NumberParts parts = {.negative = text.size > 0 && *text.data == '-'};
    const char *at = text.data + parts.negative;
    const char *end = text.data + text.size;
    int64_t place = 0; /* of the digit: how many have been seen since the first that counts */
    int64_t point = -1;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            point = place;
            continue;
        }
        if (*at == '0' && parts.first == NULL) {
            parts.power -= point >= 0;
            continue;
        }
        parts.first = parts.first == NULL ? at : parts.first;
        place++;
        if (*at != '0') {
            parts.last = at;
            parts.count = place;
        }
    }
    if (parts.first == NULL)
        return (NumberParts){0};
    parts.power += (point < 0 ? place : point) - parts.count;
    if (at < end) {
        at++;
        bool down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        int64_t exponent = 0;
        for (; at < end; at++)
            exponent = exponent > POWER_MAX ? exponent : exponent * 10 + (*at - '0');
        parts.power += down ? -exponent : exponent;
    }
    return parts;
}

NumberFault pattern_number(Slice text, int64_t *value)
{
    enum { SCALE_DIGITS = 6, LONG_DIGITS = 19 };
    NumberParts parts = number_parts(text);
    *value = 0;
    if (parts.first == NULL)
        return NUMBER_FINE;
    if (parts.power < -SCALE_DIGITS)
        return NUMBER_TOO_PRECISE;
    if (parts.count + parts.power + SCALE_DIGITS > LONG_DIGITS)
        return NUMBER_OVERFLOW;
    uint64_t scaled = 0;
    for (const char *at = parts.first; at <= parts.last; at++)
        if (*at != '.')
            scaled = scaled * 10 + (uint64_t)(*at - '0');
    for (int64_t i = parts.power + SCALE_DIGITS; i > 0; i--)
        scaled *= 10;
    if (scaled > INT64_MAX)
        return NUMBER_OVERFLOW;
    if (scaled > (uint64_t)NUMBER_MAX)
        return NUMBER_OUT_OF_RANGE;
    *value = parts.negative ? -(int64_t)scaled : (int64_t)scaled;
    return NUMBER_FINE;
}

/* A number with more than 6 decimals, as Java's BigDecimal is printed. */
static void add_decimal(Buffer *out, NumberParts parts)
{
    enum { PLAIN_FROM = -6 };
    ASSERT(parts.first != NULL);
    int64_t adjusted = parts.count - 1 + parts.power;
    bool is_plain = adjusted >= PLAIN_FROM;
    if (parts.negative)
        buffer_add_byte(out, '-');
    if (is_plain && adjusted < 0) {
        BUFFER_ADD(out, "0.");
        for (int64_t i = -1; i > adjusted; i--)
            buffer_add_byte(out, '0');
    }
    int64_t point = is_plain ? adjusted + 1 : 1; /* digits before it */
    int64_t place = 0;
    for (const char *at = parts.first; at <= parts.last; at++) {
        if (*at == '.')
            continue;
        if (place == point && place > 0)
            buffer_add_byte(out, '.');
        buffer_add_byte(out, *at);
        place++;
    }
    if (!is_plain)
        buffer_add_format(out, "E%lld", (long long)adjusted);
}

/* A number rounded to 6 decimals, as Java's Double.toHexString prints it. */
static void add_hexadecimal(Buffer *out, Arena *arena, Slice text)
{
    double value = strtod(arena_string(arena, text), NULL);
    Slice rounded = arena_format(arena, "%.6f", value);
    Slice hexadecimal = arena_format(arena, "%a", strtod(rounded.data, NULL));
    size_t power = slice_find(hexadecimal, 'p');
    Slice mantissa = slice_make(hexadecimal.data, power);
    buffer_add(out, mantissa);
    if (slice_find(mantissa, '.') == mantissa.size)
        BUFFER_ADD(out, ".0");
    buffer_add_byte(out, 'p');
    bool has_plus = hexadecimal.data[power + 1] == '+';
    buffer_add(out, slice_skip(hexadecimal, power + 1 + has_plus));
}

Slice pattern_number_problem(Arena *arena, Slice text, NumberFault fault)
{
    if (fault == NUMBER_OVERFLOW)
        return SLICE("Overflow");
    if (fault == NUMBER_OUT_OF_RANGE)
        return SLICE("Value must be between -5.0E9 and 5.0E9, inclusive");
    Buffer out = buffer_make(arena);
    BUFFER_ADD(&out, "Only values upto 6 decimals are supported");
    add_decimal(&out, number_parts(text));
    buffer_add_format(&out, " %.*s ", SLICE_PRINT(text));
    add_hexadecimal(&out, arena, text);
    return buffer_slice(&out);
}

/* ---- Addresses ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_address_letter(char c)
{
    return is_digit(c) || c == ':' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool has_form_4(Slice text)
{
    size_t dots = 0;
    bool digit = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '.' && digit)
            dots++;
        else if (!is_digit(c))
            return false;
        digit = c != '.';
    }
    return dots == 3 && digit;
}

bool pattern_address_form(Slice text)
{
    if (slice_find(text, ':') == text.size)
        return has_form_4(text);
    for (size_t i = 0; i < text.size; i++)
        if (!is_address_letter(text.data[i]))
            return false;
    return true;
}

static bool read_address_4(Slice text, Address *address)
{
    unsigned value = 0;
    size_t place = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '.') {
            address->bytes[place++] = (unsigned char)value;
            value = 0;
            continue;
        }
        value = value * 10 + (unsigned)(text.data[i] - '0');
        if (value > 255)
            return false;
    }
    address->bytes[place] = (unsigned char)value;
    address->size = 4;
    return true;
}

bool pattern_address(Slice text, Address *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    *address = (Address){0};
    if (has_form_4(text))
        return read_address_4(text, address);
    char copy[INET6_ADDRSTRLEN];
    if (text.size >= sizeof copy || !pattern_address_form(text))
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (inet_pton(AF_INET6, copy, address->bytes) != 1)
        return false;
    address->size = 16;
    if (memcmp(address->bytes, mapped, sizeof mapped) == 0) {
        memmove(address->bytes, address->bytes + 12, 4);
        memset(address->bytes + 4, 0, 12);
        address->size = 4;
    }
    return true;
}

bool pattern_address_within(const Address *address, const AddressRange *range)
{
    return address->size == range->first.size && memcmp(address->bytes, range->first.bytes, address->size) >= 0 &&
           memcmp(address->bytes, range->last.bytes, address->size) <= 0;
}

/* A whole number with a sign or without, of 32 bits. */
static bool read_mask(Slice text, int64_t *bits)
{
    if (text.size > 1 && *text.data == '+' && text.data[1] != '-')
        text = slice_skip(text, 1);
    return slice_parse_int64(text, bits) && *bits >= INT32_MIN && *bits <= INT32_MAX;
}

/* From the address as it is given to the last one of its network. */
static AddressRange network_range(Address address, size_t bits)
{
    AddressRange range = {.first = address, .last = address};
    for (size_t i = bits; i < address.size * 8; i++)
        range.last.bytes[i / 8] |= (unsigned char)(0x80 >> i % 8);
    return range;
}

AddressRange pattern_cidr(Arena *arena, Slice text, Slice *problem)
{
    AddressRange none = {0};
    *problem = (Slice){0};
    while (text.size > 0 && text.data[text.size - 1] == '/')
        text.size--;
    size_t slash = slice_find(text, '/');
    Slice mask = slash == text.size ? SLICE("/") : slice_skip(text, slash + 1);
    if (slice_find(mask, '/') != mask.size) {
        *problem = SLICE("Malformed CIDR, one '/' required");
        return none;
    }
    int64_t bits;
    if (!read_mask(mask, &bits)) {
        *problem = SLICE("Malformed CIDR, mask bits must be an integer");
        return none;
    }
    if (bits < 0) {
        *problem = SLICE("Malformed CIDR, mask bits must not be negative");
        return none;
    }
    Slice host = slice_make(text.data, slash);
    Address address;
    if (!pattern_address(host, &address)) {
        *problem = arena_format(arena, "%s IP address: %.*s", pattern_address_form(host) ? "Invalid" : "Nonstandard",
                                SLICE_PRINT(host));
        return none;
    }
    if (bits >= (int64_t)address.size * 8) {
        *problem = address.size == 4 ? SLICE("IPv4 mask bits must be < 32") : SLICE("IPv6 mask bits must be < 128");
        return none;
    }
    return network_range(address, (size_t)bits);
}

/* ---- Letters ---- */

/* Capital letters and how far their small ones are; step 2: every second one is a capital (Unicode Character Database, simple
 * case mappings of the Latin, Greek, Cyrillic and Armenian scripts). None changes how many bytes it takes. */
typedef struct Capitals {
    uint16_t first;
    uint16_t last;
    uint8_t step;
    int16_t distance;
} Capitals;

static const Capitals capitals[] = {
    {0x00c0, 0x00d6, 1, 32}, {0x00d8, 0x00de, 1, 32}, {0x0100, 0x012e, 2, 1},    {0x0132, 0x0136, 2, 1},
    {0x0139, 0x0147, 2, 1},  {0x014a, 0x0176, 2, 1},  {0x0178, 0x0178, 1, -121}, {0x0179, 0x017d, 2, 1},
    {0x0386, 0x0386, 1, 38}, {0x0388, 0x038a, 1, 37}, {0x038c, 0x038c, 1, 64},   {0x038e, 0x038f, 1, 63},
    {0x0391, 0x03a1, 1, 32}, {0x03a3, 0x03ab, 1, 32}, {0x0400, 0x040f, 1, 80},   {0x0410, 0x042f, 1, 32},
    {0x0460, 0x0480, 2, 1},  {0x048a, 0x04be, 2, 1},  {0x04c1, 0x04cd, 2, 1},    {0x04d0, 0x052e, 2, 1},
    {0x0531, 0x0556, 1, 48}, {0x1e00, 0x1e94, 2, 1},  {0x1ea0, 0x1efe, 2, 1},    {0xff21, 0xff3a, 1, 32},
};

static uint32_t small_letter(uint32_t code)
{
    for (size_t i = 0; i < sizeof capitals / sizeof *capitals; i++)
        if (code <= capitals[i].last)
            return code >= capitals[i].first && (code - capitals[i].first) % capitals[i].step == 0
                       ? (uint32_t)((int32_t)code + capitals[i].distance)
                       : code;
    return code;
}

/* The character at `at`, if it has two or three bytes and a small letter; `size` of all others too. */
static void fold_character(char *at, size_t left, size_t *size)
{
    unsigned char lead = (unsigned char)*at;
    *size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (*size > left)
        *size = left;
    else if (*size == 2) {
        uint32_t code = small_letter((uint32_t)(lead & 0x1f) << 6 | ((unsigned char)at[1] & 0x3f));
        at[0] = (char)(0xc0 | code >> 6);
        at[1] = (char)(0x80 | (code & 63));
    } else if (*size == 3) {
        uint32_t code = small_letter((uint32_t)(lead & 0x0f) << 12 | (uint32_t)((unsigned char)at[1] & 0x3f) << 6 |
                                     ((unsigned char)at[2] & 0x3f));
        at[0] = (char)(0xe0 | code >> 12);
        at[1] = (char)(0x80 | (code >> 6 & 63));
        at[2] = (char)(0x80 | (code & 63));
    }
}

Slice pattern_fold(Arena *arena, Slice text)
{
    size_t plain = 0;
    while (plain < text.size && (unsigned char)text.data[plain] < 0x80 &&
           !(text.data[plain] >= 'A' && text.data[plain] <= 'Z'))
        plain++;
    if (plain == text.size)
        return text;
    char *copy = arena_alloc_aligned(arena, text.size, 1);
    memcpy(copy, text.data, text.size);
    for (size_t i = plain; i < text.size;) {
        size_t size = 1;
        if ((unsigned char)copy[i] >= 0xc0)
            fold_character(copy + i, text.size - i, &size);
        else if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + ('a' - 'A'));
        i += size;
    }
    return slice_make(copy, text.size);
}

/* ---- Wildcards ---- */

Wildcard pattern_wildcard(Arena *arena, Slice text, Slice *problem)
{
    *problem = (Slice){0};
    size_t stars = 0;
    for (size_t i = 0; i < text.size; i++)
        stars += text.data[i] == '*';
    Wildcard wildcard = {.pieces = ARENA_ARRAY(arena, Slice, stars + 1)};
    Buffer piece = buffer_make(arena);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        char following = i + 1 < text.size ? text.data[i + 1] : '"';
        /* Places count the quote before the text, as in EventBridge's messages. */
        if (c == '*' && following == '*') {
            *problem = arena_format(arena, "Consecutive wildcard characters at pos %zu", i + 1);
            return wildcard;
        }
        if (c == '\\' && following != '*' && following != '\\') {
            *problem = arena_format(arena, "Invalid escape character at pos %zu", i + 1);
            return wildcard;
        }
        if (c == '*') {
            wildcard.pieces[wildcard.count++] = buffer_slice(&piece);
            piece = buffer_make(arena);
            continue;
        }
        i += c == '\\';
        buffer_add_byte(&piece, c == '\\' ? following : c);
    }
    wildcard.pieces[wildcard.count++] = buffer_slice(&piece);
    return wildcard;
}

/* Each piece is taken where it is found first: no later place could do more. memmem takes time in proportion to what it looks through, so the
 * whole does. */
bool pattern_wildcard_matches(const Wildcard *wildcard, Slice value)
{
    Slice first = wildcard->pieces[0];
    Slice last = wildcard->pieces[wildcard->count - 1];
    if (wildcard->count == 1)
        return slice_equal(first, value);
    if (value.size < first.size + last.size || !slice_starts_with(value, first) || !slice_ends_with(value, last))
        return false;
    const char *at = value.data + first.size;
    const char *end = value.data + value.size - last.size;
    for (size_t i = 1; i + 1 < wildcard->count; i++) {
        Slice piece = wildcard->pieces[i];
        const char *found = memmem(at, (size_t)(end - at), piece.data, piece.size);
        if (found == NULL)
            return false;
        at = found + piece.size;
    }
    return true;
}

#include "aws/lambda/payload.h"

#include "base/json.h"

enum { SHOWN_MAX = 500, TOKEN_MAX = 64 };

typedef struct Place {
    size_t offset;
    size_t line; /* from 1 */
    size_t column;
} Place;

/* Where reading stopped; white space before it is behind us. */
static Place place_of(Slice payload, size_t offset)
{
    Place place = {.offset = offset, .line = 1, .column = 1};
    for (size_t i = 0; i < offset; i++) {
        place.column++;
        if (payload.data[i] == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    return place;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

static Slice reason_at(Slice payload, size_t offset, Arena *arena)
{
    if (offset >= payload.size)
        return SLICE("Unexpected end-of-input");
    if (!utf8_is_valid(payload))
        return SLICE("Invalid UTF-8");
    size_t end = offset;
    while (end < payload.size && end < offset + TOKEN_MAX && is_word(payload.data[end]))
        end++;
    while (end > offset && end < payload.size && ((unsigned char)payload.data[end] & 0xC0) == 0x80)
        end--; /* characters stay whole */
    if (end > offset && !(payload.data[offset] >= '0' && payload.data[offset] <= '9'))
        return arena_format(arena,
                            "Unrecognized token '%.*s': was expecting (JSON String, Number, Array, Object or token "
                            "'null', 'true' or 'false')",
                            (int)(end - offset), payload.data + offset);
    unsigned char c = (unsigned char)payload.data[offset];
    if (c < ' ')
        return arena_format(arena, "Illegal character ((CTRL-CHAR, code %d))", c);
    return arena_format(arena, "Unexpected character ('%c' (code %d))", c, c);
}

static Slice shown(Slice payload, Arena *arena)
{
    if (payload.size <= SHOWN_MAX)
        return payload;
    size_t size = SHOWN_MAX;
    while (size > 0 && ((unsigned char)payload.data[size] & 0xC0) == 0x80)
        size--;
    return arena_format(arena, "%.*s\"[truncated %zu bytes]", (int)size, payload.data, payload.size - size);
}

bool payload_is_json(Slice payload, Arena *arena, Slice *problem)
{
    if (json_check(payload) == OK)
        return true;
    JsonReader reader = json_reader(payload, arena);
    Slice whole;
    Error error = json_read_any(&reader, &whole);
    if (error == OK)
        error = json_read_end(&reader);
    Place place = place_of(payload, (size_t)(reader.at - reader.start));
    Slice reason = error == ERROR_TOO_DEEP ? SLICE("It is nested too deeply") : reason_at(payload, place.offset, arena);
    *problem = arena_format(arena, "%.*s\n at [Source: (byte[])\"%.*s%s; line: %zu, column: %zu]", SLICE_PRINT(reason),
                            SLICE_PRINT(shown(payload, arena)), payload.size > SHOWN_MAX ? "" : "\"", place.line,
                            place.column);
    return false;
}

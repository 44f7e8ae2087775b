#include "base/json.h"
#include "base/json_scan.h"

JsonReader json_reader(Slice text, Arena *arena)
{
    const char *start = text.data == NULL ? "" : text.data;
    return (JsonReader){.at = start, .end = start + text.size, .start = start, .arena = arena, .first = true};
}

/* Moves over white space; false at the end of the text. */
static inline bool skip_space(JsonReader *reader)
{
    const char *at = reader->at;
    while (at < reader->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    reader->at = at;
    return at < reader->end;
}

/* Moves over white space and then over `c`, if that is what comes next. */
static inline bool take(JsonReader *reader, char c)
{
    if (!skip_space(reader) || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static inline Error enter(JsonReader *reader)
{
    if (reader->depth == JSON_DEPTH_MAX)
        return ERROR_TOO_DEEP;
    reader->depth++;
    reader->first = true;
    return OK;
}

/* To whoever holds the array or object just closed, it is a value that has been read. */
static inline void leave(JsonReader *reader)
{
    reader->depth--;
    reader->first = false;
}

/* ---- Strings ---- */

/* The four hexadecimal digits at `at`, or -1. */
static int32_t read_hex4(const char *at)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* The size of the escape sequence at `at` (its backslash): 2, 6, or 12 for a surrogate pair; 0 when it is none. */
static size_t escape_size(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return json_escape_values[(unsigned char)at[1]] != 0 ? 2 : 0;
    if (end - at < 6)
        return 0;
    int32_t unit = read_hex4(at + 2);
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return 0;
    if (unit < 0xd800 || unit > 0xdfff)
        return 6;
    if (end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return 0;
    int32_t low = read_hex4(at + 8);
    return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/* Moves over a string and checks all of it; gives what stands between the quotes. */
static inline Error walk_string(JsonReader *reader, Slice *raw, bool *escaped)
{
    if (!skip_space(reader) || *reader->at != '"')
        return ERROR_MALFORMED;
    const char *start = reader->at + 1;
    const char *at = start;
    bool non_ascii = false;
    *escaped = false;
    for (;;) {
        at = json_walk(at, reader->end, &non_ascii, escaped);
        if (at == reader->end || (unsigned char)*at < 0x20)
            break;
        if (*at == '"') {
            *raw = slice_make(start, (size_t)(at - start));
            if (non_ascii && !utf8_is_valid(*raw))
                return ERROR_MALFORMED;
            reader->at = at + 1;
            return OK;
        }
        size_t size = escape_size(at, reader->end);
        if (size == 0)
            break;
        *escaped = true;
        at += size;
    }
    reader->at = at;
    return ERROR_MALFORMED;
}

static char *add_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 63));
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    }
    return out;
}

/* Resolves the escapes of a string that walk_string has found good. No escape is shorter than what it stands for. */
static Slice unescape(Arena *arena, Slice raw)
{
    char *text = arena_alloc_aligned(arena, raw.size + JSON_COPY_SLACK, 1);
    char *out = text;
    const char *at = raw.data;
    const char *end = raw.data + raw.size;
    while (at < end) {
        out = json_copy_plain(out, &at, end);
        if (at == end)
            break;
        if (at[1] != 'u') {
            *out++ = json_escape_values[(unsigned char)at[1]];
            at += 2;
            continue;
        }
        uint32_t code = (uint32_t)read_hex4(at + 2);
        at += 6;
        if (code >= 0xd800 && code <= 0xdfff) {
            code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)read_hex4(at + 2) - 0xdc00);
            at += 6;
        }
        out = add_utf8(out, code);
    }
    return slice_make(text, (size_t)(out - text));
}

Error json_read_string(JsonReader *reader, Slice *value)
{
    bool escaped;
    TRY(walk_string(reader, value, &escaped));
    if (escaped)
        *value = unescape(reader->arena, *value);
    return OK;
}

/* ---- Numbers and literals ---- */

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* RFC 8259 section 6. What may follow a number is checked by whoever reads on. */
static Error walk_number(JsonReader *reader)
{
    const char *at = reader->at;
    const char *end = reader->end;
    if (at < end && *at == '-')
        at++;
    const char *digits = at;
    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return ERROR_MALFORMED;
    if (at < end && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits, end);
        if (at == digits)
            return ERROR_MALFORMED;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        at = skip_digits(at, end);
        if (at == digits)
            return ERROR_MALFORMED;
    }
    reader->at = at;
    return OK;
}

Error json_read_number(JsonReader *reader, Slice *text)
{
    if (!skip_space(reader))
        return ERROR_MALFORMED;
    const char *start = reader->at;
    TRY(walk_number(reader));
    *text = slice_make(start, (size_t)(reader->at - start));
    return OK;
}

static Error walk_literal(JsonReader *reader, Slice literal)
{
    if (!slice_starts_with(slice_make(reader->at, (size_t)(reader->end - reader->at)), literal))
        return ERROR_MALFORMED;
    reader->at += literal.size;
    return OK;
}

Error json_read_null(JsonReader *reader)
{
    skip_space(reader);
    return walk_literal(reader, SLICE("null"));
}

Error json_read_boolean(JsonReader *reader, bool *value)
{
    *value = skip_space(reader) && *reader->at == 't';
    return walk_literal(reader, *value ? SLICE("true") : SLICE("false"));
}

/* ---- Arrays and objects ---- */

Error json_peek(JsonReader *reader, JsonType *type)
{
    if (!skip_space(reader))
        return ERROR_MALFORMED;
    switch (*reader->at) {
    case '{':
        *type = JSON_OBJECT;
        return OK;
    case '[':
        *type = JSON_ARRAY;
        return OK;
    case '"':
        *type = JSON_STRING;
        return OK;
    case 't':
    case 'f':
        *type = JSON_BOOLEAN;
        return OK;
    case 'n':
        *type = JSON_NULL;
        return OK;
    case '-':
    case '0' ... '9':
        *type = JSON_NUMBER;
        return OK;
    default:
        return ERROR_MALFORMED;
    }
}

Error json_begin_object(JsonReader *reader)
{
    return take(reader, '{') ? enter(reader) : ERROR_MALFORMED;
}

Error json_next_member(JsonReader *reader, Slice *name)
{
    if (take(reader, '}')) {
        leave(reader);
        *name = (Slice){0};
        return OK;
    }
    if (!reader->first && !take(reader, ','))
        return ERROR_MALFORMED;
    reader->first = false;
    TRY(json_read_string(reader, name));
    return take(reader, ':') ? OK : ERROR_MALFORMED;
}

Error json_begin_array(JsonReader *reader)
{
    return take(reader, '[') ? enter(reader) : ERROR_MALFORMED;
}

Error json_next_element(JsonReader *reader, bool *more)
{
    *more = !take(reader, ']');
    if (!*more)
        leave(reader);
    else if (!reader->first && !take(reader, ','))
        return ERROR_MALFORMED;
    else
        reader->first = false;
    return OK;
}

/* ---- Whole values ---- */

static Error walk_name(JsonReader *reader)
{
    Slice raw;
    bool escaped;
    TRY(walk_string(reader, &raw, &escaped));
    return take(reader, ':') ? OK : ERROR_MALFORMED;
}

/* Moves over a value that is neither an array nor an object. */
static Error walk_scalar(JsonReader *reader)
{
    Slice raw;
    bool escaped;
    switch (*reader->at) {
    case '"':
        return walk_string(reader, &raw, &escaped);
    case 't':
        return walk_literal(reader, SLICE("true"));
    case 'f':
        return walk_literal(reader, SLICE("false"));
    case 'n':
        return walk_literal(reader, SLICE("null"));
    default:
        return walk_number(reader);
    }
}

/* Moves over one value. `closers` is the stack of brackets still open; no recursion, so that depth costs no stack. */
static Error walk_value(JsonReader *reader)
{
    char closers[JSON_DEPTH_MAX];
    unsigned outside = reader->depth;
    for (;;) {
        if (!skip_space(reader))
            return ERROR_MALFORMED;
        char c = *reader->at;
        if (c == '{' || c == '[') {
            reader->at++;
            TRY(enter(reader));
            char closer = c == '{' ? '}' : ']';
            closers[reader->depth - 1] = closer;
            if (!take(reader, closer)) {
                if (c == '{')
                    TRY(walk_name(reader));
                continue;
            }
            leave(reader);
        } else {
            TRY(walk_scalar(reader));
        }
        /* A value has ended: close what ends with it, or go on behind a comma. */
        while (reader->depth > outside && take(reader, closers[reader->depth - 1]))
            leave(reader);
        if (reader->depth == outside)
            return OK;
        if (!take(reader, ','))
            return ERROR_MALFORMED;
        if (closers[reader->depth - 1] == '}')
            TRY(walk_name(reader));
    }
}

Error json_read_any(JsonReader *reader, Slice *text)
{
    if (!skip_space(reader))
        return ERROR_MALFORMED;
    const char *start = reader->at;
    TRY(walk_value(reader));
    *text = slice_make(start, (size_t)(reader->at - start));
    return OK;
}

Error json_read_end(JsonReader *reader)
{
    return skip_space(reader) ? ERROR_MALFORMED : OK;
}

Error json_check(Slice text)
{
    JsonReader reader = json_reader(text, NULL);
    Slice whole;
    TRY(json_read_any(&reader, &whole));
    return json_read_end(&reader);
}

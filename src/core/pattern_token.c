#include "core/pattern_internal.h"

#include <stdlib.h>

enum { SNIPPET_UNITS = 500, TOKEN_SHOWN_MAX = 256 };

/* The words of the values that may come, as they stand in messages. */
#define VALUE_WORDS "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

void pattern_text_start(PatternText *text, Slice source, Arena *arena)
{
    *text = (PatternText){
        .source = source, .at = source.data, .end = source.data + source.size, .arena = arena, .type = TOKEN_END};
}

/* ---- Places: lines and columns count from one, columns in units of UTF-16 ---- */

/* The units of UTF-16 that the character starting with this byte takes; 0 within a character. */
static size_t utf16_units(unsigned char byte)
{
    if ((byte & 0xc0) == 0x80)
        return 0;
    return byte >= 0xf0 ? 2 : 1;
}

static void add_place(Buffer *out, const PatternText *text, const char *place)
{
    size_t line = 1;
    size_t column = 1;
    for (const char *at = text->source.data; at < place; at++) {
        bool ends_line = *at == '\n' || (*at == '\r' && (at + 1 == text->end || at[1] != '\n'));
        column = ends_line ? 1 : column + utf16_units((unsigned char)*at);
        line += ends_line;
    }
    BUFFER_ADD(out, "[Source: (String)\"");
    size_t units = 0;
    const char *at = text->source.data;
    for (; at < text->end; at++) {
        size_t wide = utf16_units((unsigned char)*at);
        if (wide != 0 && units + wide > SNIPPET_UNITS)
            break;
        units += wide;
        if ((unsigned char)*at < 0x20 && *at != '\n' && *at != '\r')
            buffer_add_format(out, "\\u%04X", (unsigned)*at);
        else
            buffer_add_byte(out, *at);
    }
    buffer_add_byte(out, '"');
    size_t cut = 0;
    for (; at < text->end; at++)
        cut += utf16_units((unsigned char)*at);
    if (cut > 0)
        buffer_add_format(out, "[truncated %zu chars]", cut);
    buffer_add_format(out, "; line: %zu, column: %zu]", line, column);
}

/* ---- Failing ---- */

/* Halves of surrogate pairs, which patterns may name and answers cannot hold, become question marks. */
static Slice without_surrogates(Arena *arena, Slice problem)
{
    if (utf8_is_valid(problem))
        return problem;
    Buffer out = buffer_make(arena);
    for (size_t i = 0; i < problem.size; i++) {
        unsigned char byte = (unsigned char)problem.data[i];
        bool surrogate = byte == 0xed && i + 2 < problem.size && (unsigned char)problem.data[i + 1] >= 0xa0;
        buffer_add_byte(&out, surrogate ? '?' : (char)byte);
        i += surrogate ? 2 : 0;
    }
    return buffer_slice(&out);
}

static Error end_with_place(PatternText *text, Slice message)
{
    Buffer out = buffer_make(text->arena);
    buffer_add(&out, message);
    BUFFER_ADD(&out, "\n at ");
    add_place(&out, text, text->at);
    text->problem = without_surrogates(text->arena, buffer_slice(&out));
    return PATTERN_INVALID;
}

Error pattern_text_fail(PatternText *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Slice message = arena_vformat(text->arena, format, arguments);
    va_end(arguments);
    return end_with_place(text, message);
}

Error pattern_text_refuse(PatternText *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text->problem = without_surrogates(text->arena, arena_vformat(text->arena, format, arguments));
    va_end(arguments);
    return PATTERN_INVALID;
}

Error pattern_text_repeat_place(PatternText *text)
{
    return end_with_place(text, text->problem);
}

/* A character as messages show it, and `at` moved behind it. */
static Slice take_described(PatternText *text)
{
    unsigned char byte = (unsigned char)*text->at;
    const char *start = text->at++;
    while (text->at < text->end && ((unsigned char)*text->at & 0xc0) == 0x80)
        text->at++;
    if (byte < 0x20)
        return arena_format(text->arena, "(CTRL-CHAR, code %u)", byte);
    if (byte < 0x80)
        return arena_format(text->arena, "'%c' (code %u)", byte, byte);
    size_t size = (size_t)(text->at - start);
    uint32_t code = size == 2 ? byte & 0x1f : size == 3 ? byte & 0x0f : byte & 0x07;
    for (const char *at = start + 1; at < text->at; at++)
        code = code << 6 | ((unsigned char)*at & 0x3f);
    if (code > 0xff)
        return arena_format(text->arena, "'%.*s' (code %u / 0x%x)", (int)size, start, code, code);
    return arena_format(text->arena, "'%.*s' (code %u)", (int)size, start, code);
}

static Error unexpected(PatternText *text, const char *expectation)
{
    Slice shown = take_described(text);
    return pattern_text_fail(text, "Unexpected character (%.*s): %s", SLICE_PRINT(shown), expectation);
}

static bool may_be_in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

/* A word that is none of JSON's, begun at `start`. */
static Error unrecognized(PatternText *text, const char *start)
{
    while (text->at < text->end && may_be_in_word(*text->at))
        text->at++;
    size_t size = (size_t)(text->at - start);
    bool cut = size > TOKEN_SHOWN_MAX;
    return pattern_text_fail(text, "Unrecognized token '%.*s%s': was expecting " VALUE_WORDS,
                             (int)(cut ? TOKEN_SHOWN_MAX : size), start, cut ? "..." : "");
}

/* ---- Strings ---- */

static void add_code(Buffer *out, uint32_t code)
{
    if (code < 0x80) {
        buffer_add_byte(out, (char)code);
    } else if (code < 0x800) {
        buffer_add_byte(out, (char)(0xc0 | code >> 6));
        buffer_add_byte(out, (char)(0x80 | (code & 63)));
    } else if (code < 0x10000) {
        buffer_add_byte(out, (char)(0xe0 | code >> 12));
        buffer_add_byte(out, (char)(0x80 | (code >> 6 & 63)));
        buffer_add_byte(out, (char)(0x80 | (code & 63)));
    } else {
        buffer_add_byte(out, (char)(0xf0 | code >> 18));
        buffer_add_byte(out, (char)(0x80 | (code >> 12 & 63)));
        buffer_add_byte(out, (char)(0x80 | (code >> 6 & 63)));
        buffer_add_byte(out, (char)(0x80 | (code & 63)));
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static Error read_unit(PatternText *text, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        if (text->at == text->end)
            return pattern_text_fail(text, "Unexpected end-of-input in character escape sequence");
        int digit = hex_digit(*text->at);
        if (digit < 0)
            return unexpected(text, "expected a hex-digit for character escape sequence");
        *unit = *unit << 4 | (uint32_t)digit;
        text->at++;
    }
    return OK;
}

/* Behind a backslash. Half of a surrogate pair is taken as it is, and is like nothing that an event can hold. */
static Error read_escape(PatternText *text, Buffer *out)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    if (text->at == text->end)
        return pattern_text_fail(text, "Unexpected end-of-input in character escape sequence");
    const char *known = *text->at == '\0' ? NULL : strchr(names, *text->at);
    if (known != NULL) {
        buffer_add_byte(out, values[known - names]);
        text->at++;
        return OK;
    }
    if (*text->at != 'u') {
        Slice shown = take_described(text);
        return pattern_text_fail(text, "Unrecognized character escape %.*s", SLICE_PRINT(shown));
    }
    text->at++;
    uint32_t code;
    TRY(read_unit(text, &code));
    if (code >= 0xd800 && code < 0xdc00 && text->end - text->at >= 6 && text->at[0] == '\\' && text->at[1] == 'u') {
        const char *behind = text->at;
        uint32_t low;
        text->at += 2;
        TRY(read_unit(text, &low));
        if (low >= 0xdc00 && low < 0xe000)
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        else
            text->at = behind;
    }
    add_code(out, code);
    return OK;
}

/* From behind the first quote to behind the last one. */
static Error read_string(PatternText *text, const char *cut_short, const char *where, Slice *value)
{
    Buffer out = buffer_make(text->arena);
    for (;;) {
        if (text->at == text->end)
            return pattern_text_fail(text, "Unexpected end-of-input%s", cut_short);
        char c = *text->at;
        if ((unsigned char)c < 0x20) {
            Slice shown = take_described(text);
            return pattern_text_fail(
                text, "Illegal unquoted character (%.*s): has to be escaped using backslash to be included in %s",
                SLICE_PRINT(shown), where);
        }
        text->at++;
        if (c == '"')
            break;
        if (c == '\\')
            TRY(read_escape(text, &out));
        else
            buffer_add_byte(&out, c);
    }
    *value = buffer_slice(&out);
    return OK;
}

static Error finish_string(PatternText *text)
{
    if (!text->unread)
        return OK;
    text->unread = false;
    return read_string(text, ": was expecting closing quote for a string value", "string value", &text->text);
}

/* ---- White space, and what separates values ---- */

static Error skip_space(PatternText *text)
{
    for (; text->at < text->end; text->at++) {
        char c = *text->at;
        if (c == '/')
            return unexpected(text, "maybe a (non-standard) comment? (not recognized as one since Feature "
                                    "'ALLOW_COMMENTS' not enabled for parser)");
        if ((unsigned char)c > 0x20)
            return OK;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            Slice shown = take_described(text);
            return pattern_text_fail(text,
                                     "Illegal character (%.*s): only regular white space (\\r, \\n, \\t) is "
                                     "allowed between tokens",
                                     SLICE_PRINT(shown));
        }
    }
    return OK;
}

static const PatternScope *scope_of(const PatternText *text)
{
    return text->depth == 0 ? NULL : &text->scopes[text->depth - 1];
}

static const char *scope_words(const PatternText *text)
{
    const PatternScope *scope = scope_of(text);
    return scope == NULL ? "root" : scope->is_array ? "Array" : "Object";
}

/* The same where something must follow. */
static Error skip_space_between(PatternText *text)
{
    TRY(skip_space(text));
    if (text->at == text->end)
        return pattern_text_fail(text, "Unexpected end-of-input within/between %s entries", scope_words(text));
    return OK;
}

static Error fail_unclosed(PatternText *text)
{
    Buffer start = buffer_make(text->arena);
    add_place(&start, text, scope_of(text)->start);
    return pattern_text_fail(text, "Unexpected end-of-input: expected close marker for %s (start marker at %.*s)",
                             scope_words(text), SLICE_PRINT(buffer_slice(&start)));
}

/* ---- Values ---- */

static Error skip_digits(PatternText *text, const char *expectation)
{
    if (text->at == text->end)
        return pattern_text_fail(text, "Unexpected end-of-input in a Number value");
    if (*text->at < '0' || *text->at > '9') {
        Slice shown = take_described(text);
        return pattern_text_fail(text, "Unexpected character (%.*s) in numeric value: %s", SLICE_PRINT(shown),
                                 expectation);
    }
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9')
        text->at++;
    return OK;
}

static Error read_number(PatternText *text)
{
    const char *digits = text->at += *text->at == '-';
    if (digits + 1 < text->end && *digits == '0' && digits[1] >= '0' && digits[1] <= '9') {
        text->at++;
        return pattern_text_fail(text, "Invalid numeric value: Leading zeroes not allowed");
    }
    TRY(skip_digits(text, "expected digit (0-9) to follow minus sign, for valid numeric value"));
    if (text->at < text->end && *text->at == '.') {
        text->at++;
        TRY(skip_digits(text, "Decimal point not followed by a digit"));
    }
    if (text->at < text->end && (*text->at == 'e' || *text->at == 'E')) {
        text->at++;
        text->at += text->at < text->end && (*text->at == '+' || *text->at == '-');
        TRY(skip_digits(text, "Exponent indicator not followed by a digit"));
    }
    return OK;
}

static Error read_word(PatternText *text)
{
    static const Slice literals[] = {SLICE_INIT("true"), SLICE_INIT("false"), SLICE_INIT("null")};
    static const Slice foreign[] = {SLICE_INIT("NaN"), SLICE_INIT("Infinity")};
    const char *start = text->at;
    while (text->at < text->end && may_be_in_word(*text->at))
        text->at++;
    Slice word = slice_make(start, (size_t)(text->at - start));
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++)
        if (slice_equal(word, literals[i]))
            return OK;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (slice_equal(word, foreign[i]))
            return pattern_text_fail(
                text, "Non-standard token '%.*s': enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS to allow",
                SLICE_PRINT(word));
    return unrecognized(text, start);
}

/* Reads the value that starts here, as far as it is read before it is asked for. */
static Error start_value(PatternText *text, TokenType *type, Slice *value)
{
    const char *start = text->at;
    char c = *start;
    if (c == '"' || c == '[' || c == '{') {
        *type = c == '"' ? TOKEN_STRING : c == '[' ? TOKEN_ARRAY_START : TOKEN_OBJECT_START;
        text->at++;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        *type = TOKEN_NUMBER;
        TRY(read_number(text));
    } else if (may_be_in_word(c)) {
        *type = TOKEN_LITERAL;
        TRY(read_word(text));
    } else {
        const PatternScope *scope = scope_of(text);
        bool stray = c == '}' && (scope == NULL || scope->is_array);
        return unexpected(text, stray ? "expected a value" : "expected a valid value " VALUE_WORDS);
    }
    *value = slice_make(start, (size_t)(text->at - start));
    return OK;
}

static Error open_scope(PatternText *text, const char *start, bool is_array)
{
    if (text->depth == PATTERN_DEPTH_MAX)
        return pattern_text_refuse(text, "Event pattern is nested too deeply: at most %d levels", PATTERN_DEPTH_MAX);
    text->scopes[text->depth++] = (PatternScope){.start = start, .is_array = is_array};
    return OK;
}

/* The value becomes the current token. */
static Error take_value(PatternText *text, TokenType type, Slice value)
{
    text->type = type;
    text->text = value;
    text->unread = type == TOKEN_STRING;
    if (type == TOKEN_ARRAY_START || type == TOKEN_OBJECT_START)
        return open_scope(text, value.data, type == TOKEN_ARRAY_START);
    return OK;
}

static Error close_scope(PatternText *text)
{
    char closer = *text->at++;
    const PatternScope *scope = scope_of(text);
    char expected = scope->is_array ? ']' : '}';
    if (closer != expected) {
        Buffer start = buffer_make(text->arena);
        add_place(&start, text, scope->start);
        return pattern_text_fail(text, "Unexpected close marker '%c': expected '%c' (for %s starting at %.*s)", closer,
                                 expected, scope_words(text), SLICE_PRINT(buffer_slice(&start)));
    }
    text->depth--;
    text->type = scope->is_array ? TOKEN_ARRAY_END : TOKEN_OBJECT_END;
    text->text = slice_make(text->at - 1, 1);
    return OK;
}

static Error read_name(PatternText *text)
{
    if (*text->at != '"')
        return unexpected(text, "was expecting double-quote to start field name");
    text->at++;
    Slice name;
    TRY(read_string(text, " in field name", "name", &name));
    TRY(skip_space_between(text));
    if (*text->at != ':')
        return unexpected(text, "was expecting a colon to separate field name and value");
    text->at++;
    TRY(skip_space_between(text));
    TRY(start_value(text, &text->ahead, &text->ahead_text));
    text->type = TOKEN_NAME;
    text->text = name;
    return OK;
}

Error pattern_text_next(PatternText *text)
{
    if (text->type == TOKEN_NAME)
        return take_value(text, text->ahead, text->ahead_text);
    TRY(finish_string(text));
    TRY(skip_space(text));
    if (text->at == text->end) {
        if (text->depth > 0)
            return fail_unclosed(text);
        text->type = TOKEN_END;
        text->text = SLICE("null");
        return OK;
    }
    if (text->depth > 0) {
        PatternScope *scope = &text->scopes[text->depth - 1];
        if (*text->at == ']' || *text->at == '}')
            return close_scope(text);
        if (scope->has_entries) {
            if (*text->at != ',')
                return unexpected(text, scope->is_array ? "was expecting comma to separate Array entries"
                                                        : "was expecting comma to separate Object entries");
            text->at++;
            TRY(skip_space_between(text));
        }
        scope->has_entries = true;
        if (!scope->is_array)
            return read_name(text);
    }
    TokenType type = TOKEN_END;
    Slice value = {0};
    TRY(start_value(text, &type, &value));
    return take_value(text, type, value);
}

Error pattern_text_value(PatternText *text, Slice *value)
{
    TRY(finish_string(text));
    *value = text->text;
    return OK;
}

Error pattern_text_expect(PatternText *text, TokenType wanted, const char *problem)
{
    TRY(pattern_text_next(text));
    return text->type == wanted ? OK : pattern_text_fail(text, "%s", problem);
}

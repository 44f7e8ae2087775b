/* json.h: JSON read in place and written, by RFC 8259.
 *
 * The reader pulls: the caller says what it expects and gets it, or an error with the place. Strings without escapes
 * are views into the input; others are unescaped into the arena. Numbers are given as their text, digit for digit; a
 * sub-document can be taken as the slice that it is. Invalid UTF-8, lone surrogate escapes, control characters, duplicate
 * commas, leading zeros and nesting past JSON_DEPTH_MAX are refused. Ours rather than a library's for speed and for
 * those three properties (design, section 10). */
#ifndef BRUME_BASE_JSON_H
#define BRUME_BASE_JSON_H

#include "base/buffer.h"
#include "base/error.h"

enum { JSON_DEPTH_MAX = 128 };

typedef enum JsonType { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonType;

typedef struct JsonReader {
    const char *at;
    const char *end;
    const char *start;
    Arena *arena;
    unsigned depth;
    bool first; /* nothing has been read yet of the innermost array or object */
} JsonReader;

/* Reads `text`, which must outlive what is read. */
JsonReader json_reader(Slice text, Arena *arena);

/* Every reading function: OK, ERROR_MALFORMED (no JSON, or another type than asked for) or ERROR_TOO_DEEP. */

/* The type of the value that comes next. */
Error json_peek(JsonReader *reader, JsonType *type);
Error json_read_null(JsonReader *reader);
Error json_read_boolean(JsonReader *reader, bool *value);
/* The number's text, checked against the grammar. */
Error json_read_number(JsonReader *reader, Slice *text);
Error json_read_string(JsonReader *reader, Slice *value);
/* Then json_next_member until `name->data` is NULL, which closes the object; each name is followed by its value. */
Error json_begin_object(JsonReader *reader);
Error json_next_member(JsonReader *reader, Slice *name);
/* Then json_next_element until `more` is false, which closes the array; each true is followed by its value. */
Error json_begin_array(JsonReader *reader);
Error json_next_element(JsonReader *reader, bool *more);
/* Skips a whole value, checking it, and gives its text. */
Error json_read_any(JsonReader *reader, Slice *text);
/* Nothing but white space may be left. */
Error json_read_end(JsonReader *reader);

/* Whether the whole text is one valid JSON value. */
Error json_check(Slice text);

/* Whether the bytes are valid UTF-8 (no overlong forms, no surrogates, at most U+10FFFF). */
bool utf8_is_valid(Slice bytes);

/* ---- Writing: commas are the writer's business, nesting is the caller's ---- */

typedef struct JsonWriter {
    Buffer *out;
    bool comma; /* a comma is due before the next value or name */
} JsonWriter;

JsonWriter json_writer(Buffer *out);
void json_write_object_begin(JsonWriter *writer);
void json_write_object_end(JsonWriter *writer);
void json_write_array_begin(JsonWriter *writer);
void json_write_array_end(JsonWriter *writer);
void json_write_name(JsonWriter *writer, Slice name);
/* Escapes what JSON asks to be escaped; the bytes must be UTF-8. */
void json_write_string(JsonWriter *writer, Slice value);
void json_write_uint64(JsonWriter *writer, uint64_t value);
void json_write_int64(JsonWriter *writer, int64_t value);
/* The shortest text that reads back as the same number; NaN and infinities are a bug of the caller. */
void json_write_double(JsonWriter *writer, double value);
void json_write_boolean(JsonWriter *writer, bool value);
void json_write_null(JsonWriter *writer);
/* Text that is JSON already. */
void json_write_raw(JsonWriter *writer, Slice json);

#endif

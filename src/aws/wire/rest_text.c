#include "aws/wire/common_error.h"
#include "aws/wire/number.h"
#include "aws/wire/rest.h"
#include "base/bug.h"
#include "base/json.h"
#include "base/time_format.h"

/* ---- Reading ---- */

static Error refuse(Call *call, Slice where, Slice text, const char *type)
{
    if (!utf8_is_valid(text))
        return call_fail(call, &common_serialization, "The value of '%.*s' is not valid UTF-8.", SLICE_PRINT(where));
    return call_fail(call, &common_serialization, "Value '%.*s' at '%.*s' can not be converted to %s",
                     SLICE_PRINT(text), SLICE_PRINT(where), type);
}

static bool read_boolean(Slice text, bool *value)
{
    *value = slice_equal(text, SLICE("true"));
    return *value || slice_equal(text, SLICE("false"));
}

static Error read_timestamp(TimestampFormat format, Slice text, int64_t *ms)
{
    switch (format) {
    case TIMESTAMP_EPOCH_SECONDS:
        return time_parse_epoch(text, ms);
    case TIMESTAMP_DATE_TIME:
        return time_parse_iso(text, ms);
    case TIMESTAMP_HTTP_DATE:
        return time_parse_http(text, ms);
    case TIMESTAMP_OF_PLACE:
        break;
    }
    UNREACHABLE();
}

static TimestampFormat format_of(const Shape *shape, TimestampFormat otherwise)
{
    return shape->timestamp_format == TIMESTAMP_OF_PLACE ? otherwise : shape->timestamp_format;
}

Error rest_read_text(Call *call, Slice where, const Shape *shape, TimestampFormat format, Slice text, void *value)
{
    int64_t number;
    switch (shape->type) {
    case SHAPE_STRING:
        if (!utf8_is_valid(text))
            return refuse(call, where, text, "a String");
        *(Slice *)value = text.data == NULL ? SLICE("") : text;
        return OK;
    case SHAPE_INTEGER:
        if (!number_parse_integer(text, INT32_MIN, INT32_MAX, &number))
            return refuse(call, where, text, "an Integer");
        *(int32_t *)value = (int32_t)number;
        return OK;
    case SHAPE_LONG:
        return number_parse_integer(text, INT64_MIN, INT64_MAX, value) ? OK : refuse(call, where, text, "a Long");
    case SHAPE_DOUBLE:
        return number_parse_double(text, value) ? OK : refuse(call, where, text, "a Double");
    case SHAPE_BOOLEAN:
        return read_boolean(text, value) ? OK : refuse(call, where, text, "a Boolean");
    case SHAPE_TIMESTAMP:
        return read_timestamp(format_of(shape, format), text, value) == OK ? OK : refuse(call, where, text, "a Date");
    default:
        UNREACHABLE(); /* tools/apigen lets no other be bound there */
    }
}

/* ---- Writing ---- */

static Slice write_timestamp(Arena *arena, TimestampFormat format, int64_t ms)
{
    char text[TIME_TEXT_MAX];
    switch (format) {
    case TIMESTAMP_EPOCH_SECONDS:
        return arena_copy(arena, time_format_epoch(ms, text));
    case TIMESTAMP_DATE_TIME:
        return arena_copy(arena, ms % 1000 == 0 ? time_format_iso(ms, text) : time_format_iso_ms(ms, text));
    case TIMESTAMP_HTTP_DATE:
        return arena_copy(arena, time_format_http(ms, text));
    case TIMESTAMP_OF_PLACE:
        break;
    }
    UNREACHABLE();
}

Slice rest_write_text(Arena *arena, const Shape *shape, TimestampFormat format, const void *value)
{
    Buffer out = buffer_make(arena);
    JsonWriter number;
    switch (shape->type) {
    case SHAPE_STRING:
        return *(const Slice *)value;
    case SHAPE_INTEGER:
        buffer_add_int64(&out, *(const int32_t *)value);
        return buffer_slice(&out);
    case SHAPE_LONG:
        buffer_add_int64(&out, *(const int64_t *)value);
        return buffer_slice(&out);
    case SHAPE_DOUBLE:
        number = json_writer(&out);
        json_write_double(&number, *(const double *)value);
        return buffer_slice(&out);
    case SHAPE_BOOLEAN:
        return *(const bool *)value ? SLICE("true") : SLICE("false");
    case SHAPE_TIMESTAMP:
        return write_timestamp(arena, format_of(shape, format), *(const int64_t *)value);
    default:
        UNREACHABLE();
    }
}

/* ---- Lists in header fields (smithy.io, "httpHeader trait": strings with commas or quotes are quoted) ---- */

static Slice trim(Slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = slice_skip(text, 1);
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* Takes what stands before the `commas`-th comma. */
static Slice take_until_comma(Slice *rest, unsigned commas)
{
    size_t end = 0;
    for (; end < rest->size; end++)
        if (rest->data[end] == ',' && --commas == 0)
            break;
    Slice item = slice_make(rest->data, end);
    *rest = slice_skip(*rest, end < rest->size ? end + 1 : end);
    return trim(item);
}

/* RFC 9110 section 5.6.4; what stands between the closing quote and the comma is dropped. */
static Slice take_quoted(Arena *arena, Slice *rest)
{
    Buffer out = buffer_make(arena);
    size_t at = 1;
    for (; at < rest->size && rest->data[at] != '"'; at++) {
        if (rest->data[at] == '\\' && at + 1 < rest->size)
            at++;
        buffer_add_byte(&out, rest->data[at]);
    }
    *rest = slice_skip(*rest, at < rest->size ? at + 1 : at);
    take_until_comma(rest, 1);
    return buffer_slice(&out);
}

Slice rest_take_item(Arena *arena, const Shape *item, Slice *rest)
{
    *rest = trim(*rest);
    if (item->type == SHAPE_STRING && rest->size > 0 && rest->data[0] == '"')
        return take_quoted(arena, rest);
    bool dates = item->type == SHAPE_TIMESTAMP && format_of(item, TIMESTAMP_HTTP_DATE) == TIMESTAMP_HTTP_DATE;
    return take_until_comma(rest, dates ? 2 : 1);
}

void rest_add_item(Buffer *out, const Shape *item, Slice text)
{
    if (out->size > 0)
        BUFFER_ADD(out, ", ");
    bool plain =
        item->type != SHAPE_STRING || (slice_find(text, ',') == text.size && slice_find(text, '"') == text.size);
    if (plain) {
        buffer_add(out, text);
        return;
    }
    buffer_add_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buffer_add_byte(out, '\\');
        buffer_add_byte(out, text.data[i]);
    }
    buffer_add_byte(out, '"');
}

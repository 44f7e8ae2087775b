#include "base/bug.h"
#include "base/json.h"
#include "base/json_scan.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

JsonWriter json_writer(Buffer *out)
{
    return (JsonWriter){.out = out};
}

static inline void begin_value(JsonWriter *writer)
{
    if (writer->comma)
        buffer_add_byte(writer->out, ',');
    writer->comma = true;
}

void json_write_object_begin(JsonWriter *writer)
{
    begin_value(writer);
    buffer_add_byte(writer->out, '{');
    writer->comma = false;
}

void json_write_object_end(JsonWriter *writer)
{
    buffer_add_byte(writer->out, '}');
    writer->comma = true;
}

void json_write_array_begin(JsonWriter *writer)
{
    begin_value(writer);
    buffer_add_byte(writer->out, '[');
    writer->comma = false;
}

void json_write_array_end(JsonWriter *writer)
{
    buffer_add_byte(writer->out, ']');
    writer->comma = true;
}

static void add_escape(Buffer *out, unsigned char c)
{
    static const char short_forms[128] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
    };
    char *to = buffer_reserve(out, 6);
    to[0] = '\\';
    if (short_forms[c] != 0) {
        to[1] = short_forms[c];
        out->size += 2;
        return;
    }
    memcpy(to + 1, "u00", 3);
    to[4] = "0123456789abcdef"[c >> 4];
    to[5] = "0123456789abcdef"[c & 15];
    out->size += 6;
}

static void add_quoted(Buffer *out, Slice value)
{
    buffer_reserve(out, value.size + 2);
    buffer_add_byte(out, '"');
    while (value.size > 0) {
        bool ignored;
        const char *stop = json_scan(value.data, value.data + value.size, &ignored);
        size_t plain = (size_t)(stop - value.data);
        buffer_add(out, slice_make(value.data, plain));
        if (plain == value.size)
            break;
        add_escape(out, (unsigned char)*stop);
        value = slice_skip(value, plain + 1);
    }
    buffer_add_byte(out, '"');
}

void json_write_name(JsonWriter *writer, Slice name)
{
    begin_value(writer);
    add_quoted(writer->out, name);
    buffer_add_byte(writer->out, ':');
    writer->comma = false;
}

void json_write_string(JsonWriter *writer, Slice value)
{
    begin_value(writer);
    add_quoted(writer->out, value);
}

void json_write_uint64(JsonWriter *writer, uint64_t value)
{
    begin_value(writer);
    buffer_add_uint64(writer->out, value);
}

void json_write_int64(JsonWriter *writer, int64_t value)
{
    begin_value(writer);
    buffer_add_int64(writer->out, value);
}

void json_write_double(JsonWriter *writer, double value)
{
    ASSERT(isfinite(value));
    begin_value(writer);
    /* 17 digits tell every double from its neighbours, and 15 are kept by every double that is not subnormal (%g drops
     * the zeros of shorter ones). The process stays in the C locale, so the decimal point is a point. */
    char text[32];
    int size = 0;
    for (int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        size = snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buffer_add(writer->out, slice_make(text, (size_t)size));
}

void json_write_boolean(JsonWriter *writer, bool value)
{
    json_write_raw(writer, value ? SLICE("true") : SLICE("false"));
}

void json_write_null(JsonWriter *writer)
{
    json_write_raw(writer, SLICE("null"));
}

void json_write_raw(JsonWriter *writer, Slice json)
{
    begin_value(writer);
    buffer_add(writer->out, json);
}

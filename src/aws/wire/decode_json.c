/* decode_json.c: AWS JSON 1.0 and 1.1, and the documents of REST services, into C structs (smithy.io, "AWS JSON 1.0
 * protocol" and "AWS restJson1 protocol").
 *
 * As AWS does: null is absence, unknown members are ignored, a value of another type is a SerializationException in the
 * words that AWS's services use. */
#include "aws/wire/codec.h"
#include "aws/wire/common_error.h"
#include "aws/wire/number.h"
#include "base/bug.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/time_format.h"

typedef struct JsonDecoder {
    JsonReader reader;
    Call *call;
} JsonDecoder;

static Error decode_value(JsonDecoder *decoder, const Shape *shape, JsonType type, void *value);

/* ---- A value of another type ---- */

static const char *target_phrase(ShapeType type)
{
    switch (type) {
    case SHAPE_STRING:
        return "a String";
    case SHAPE_BLOB:
        return "a Blob";
    case SHAPE_INTEGER:
        return "an Integer";
    case SHAPE_LONG:
        return "a Long";
    case SHAPE_DOUBLE:
        return "a Double";
    case SHAPE_BOOLEAN:
        return "a Boolean";
    case SHAPE_TIMESTAMP:
        return "a Date";
    default:
        return "a value of this member";
    }
}

static Error wrong_type(JsonDecoder *decoder, const Shape *shape, JsonType type)
{
    Call *call = decoder->call;
    if (type == JSON_OBJECT)
        return call_fail(call, &common_serialization, "Start of structure or map found where not expected");
    if (type == JSON_ARRAY)
        return call_fail(call, &common_serialization, "Start of list found where not expected");
    if (shape->type == SHAPE_LIST)
        return call_fail(call, &common_serialization, "Expected list or null");
    if (shape->type == SHAPE_MAP)
        return call_fail(call, &common_serialization, "Expected map or null");
    if (shape->type == SHAPE_STRUCTURE)
        return call_fail(call, &common_serialization, "Unexpected value type in payload");
    const char *found = "STRING_VALUE";
    bool value;
    if (type == JSON_NUMBER)
        found = "NUMBER_VALUE";
    else if (type == JSON_BOOLEAN)
        found = json_read_boolean(&decoder->reader, &value) == OK && value ? "TRUE_VALUE" : "FALSE_VALUE";
    return call_fail(call, &common_serialization, "%s can not be converted to %s", found, target_phrase(shape->type));
}

/* ---- Simple values ---- */

static Error decode_integer(JsonDecoder *decoder, const Shape *shape, int64_t min, int64_t max, int64_t *value)
{
    Slice text;
    TRY(json_read_number(&decoder->reader, &text));
    if (number_parse_integer(text, min, max, value))
        return OK;
    return call_fail(decoder->call, &common_serialization, "NUMBER_VALUE can not be converted to %s",
                     target_phrase(shape->type));
}

static Error decode_blob(JsonDecoder *decoder, Slice *value)
{
    Slice text;
    TRY(json_read_string(&decoder->reader, &text));
    if (base64_decode(decoder->call->arena, text, value) != OK)
        return call_fail(decoder->call, &common_serialization, "STRING_VALUE can not be converted to a Blob");
    return OK;
}

/* Numbers are epoch seconds and texts are date-times, whatever is declared, but for HTTP dates. */
static Error decode_timestamp(JsonDecoder *decoder, const Shape *shape, JsonType type, int64_t *ms)
{
    Slice text;
    if (type == JSON_NUMBER) {
        TRY(json_read_number(&decoder->reader, &text));
        if (time_parse_epoch(text, ms) == OK)
            return OK;
    } else {
        TRY(json_read_string(&decoder->reader, &text));
        bool http_date = shape->timestamp_format == TIMESTAMP_HTTP_DATE;
        if ((http_date ? time_parse_http(text, ms) : time_parse_iso(text, ms)) == OK)
            return OK;
    }
    return call_fail(decoder->call, &common_serialization, "%s can not be converted to a Date",
                     type == JSON_NUMBER ? "NUMBER_VALUE" : "STRING_VALUE");
}

static Error decode_number(JsonDecoder *decoder, const Shape *shape, void *value)
{
    int64_t number;
    if (shape->type == SHAPE_INTEGER) {
        TRY(decode_integer(decoder, shape, INT32_MIN, INT32_MAX, &number));
        *(int32_t *)value = (int32_t)number;
    } else if (shape->type == SHAPE_LONG) {
        TRY(decode_integer(decoder, shape, INT64_MIN, INT64_MAX, &number));
        *(int64_t *)value = number;
    } else {
        Slice text;
        TRY(json_read_number(&decoder->reader, &text));
        if (!number_parse_double(text, value))
            return call_fail(decoder->call, &common_serialization, "NUMBER_VALUE can not be converted to a Double");
    }
    return OK;
}

/* ---- Lists, maps, structures ---- */

static Error too_many(JsonDecoder *decoder)
{
    return call_fail(decoder->call, &common_serialization, "The request has too many items in its lists and maps.");
}

static Error decode_list(JsonDecoder *decoder, const Shape *shape, Items *items)
{
    JsonReader *reader = &decoder->reader;
    TRY(json_begin_array(reader));
    size_t capacity = 0;
    *items = (Items){.items = (void *)""}; /* present, even when nothing is in it */
    for (;;) {
        bool more;
        TRY(json_next_element(reader, &more));
        if (!more)
            return OK;
        JsonType type;
        TRY(json_peek(reader, &type));
        if (type == JSON_NULL) {
            TRY(json_read_null(reader));
            continue;
        }
        void *item = items_add(decoder->call, shape, items, &capacity);
        if (item == NULL)
            return too_many(decoder);
        TRY(decode_value(decoder, shape->item, type, item));
    }
}

static Error decode_map(JsonDecoder *decoder, const Shape *shape, Items *items)
{
    JsonReader *reader = &decoder->reader;
    TRY(json_begin_object(reader));
    size_t capacity = 0;
    *items = (Items){.items = (void *)""};
    for (;;) {
        Slice key;
        TRY(json_next_member(reader, &key));
        if (key.data == NULL)
            return OK;
        JsonType type;
        TRY(json_peek(reader, &type));
        if (type == JSON_NULL) {
            TRY(json_read_null(reader));
            continue;
        }
        char *entry = items_add(decoder->call, shape, items, &capacity);
        if (entry == NULL)
            return too_many(decoder);
        *(Slice *)(void *)entry = key;
        TRY(decode_value(decoder, shape->item, type, entry + shape->item_offset));
    }
}

static Error decode_structure(JsonDecoder *decoder, const Shape *shape, void *structure)
{
    JsonReader *reader = &decoder->reader;
    TRY(json_begin_object(reader));
    for (;;) {
        Slice name;
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            return OK;
        JsonType type;
        TRY(json_peek(reader, &type));
        const Member *member = shape_member(shape, name);
        if (member == NULL || member->binding != BINDING_BODY || type == JSON_NULL) {
            Slice ignored;
            TRY(json_read_any(reader, &ignored));
            continue;
        }
        void *value = member_value(member, structure);
        if (member->shape->type == SHAPE_STRUCTURE) {
            void *inner = arena_zalloc(decoder->call->arena, member->shape->size);
            *(void **)value = inner;
            value = inner;
        }
        TRY(decode_value(decoder, member->shape, type, value));
        member_set_present(member, structure);
    }
}

static bool fits(ShapeType shape, JsonType type)
{
    switch (shape) {
    case SHAPE_STRING:
    case SHAPE_BLOB:
        return type == JSON_STRING;
    case SHAPE_INTEGER:
    case SHAPE_LONG:
    case SHAPE_DOUBLE:
        return type == JSON_NUMBER;
    case SHAPE_BOOLEAN:
        return type == JSON_BOOLEAN;
    case SHAPE_TIMESTAMP:
        return type == JSON_NUMBER || type == JSON_STRING;
    case SHAPE_LIST:
        return type == JSON_ARRAY;
    case SHAPE_MAP:
    case SHAPE_STRUCTURE:
        return type == JSON_OBJECT;
    case SHAPE_DOCUMENT:
        return true;
    }
    UNREACHABLE();
}

static Error decode_value(JsonDecoder *decoder, const Shape *shape, JsonType type, void *value)
{
    if (!fits(shape->type, type))
        return wrong_type(decoder, shape, type);
    switch (shape->type) {
    case SHAPE_STRING:
        return json_read_string(&decoder->reader, value);
    case SHAPE_BLOB:
        return decode_blob(decoder, value);
    case SHAPE_INTEGER:
    case SHAPE_LONG:
    case SHAPE_DOUBLE:
        return decode_number(decoder, shape, value);
    case SHAPE_BOOLEAN:
        return json_read_boolean(&decoder->reader, value);
    case SHAPE_TIMESTAMP:
        return decode_timestamp(decoder, shape, type, value);
    case SHAPE_LIST:
        return decode_list(decoder, shape, value);
    case SHAPE_MAP:
        return decode_map(decoder, shape, value);
    case SHAPE_STRUCTURE:
        return decode_structure(decoder, shape, value);
    case SHAPE_DOCUMENT:
        return json_read_any(&decoder->reader, value);
    }
    UNREACHABLE();
}

Error decode_json(Call *call, const Shape *shape, Slice body, void *structure)
{
    if (body.size == 0)
        return OK;
    JsonDecoder decoder = {.reader = json_reader(body, call->arena), .call = call};
    JsonType type;
    Error error = json_peek(&decoder.reader, &type);
    if (error == OK)
        error = decode_value(&decoder, shape, type, structure);
    if (error == OK)
        error = json_read_end(&decoder.reader);
    /* AWS answers malformed JSON without a word of what is wrong; the place helps whoever wrote it. */
    if (error == ERROR_MALFORMED)
        return call_fail(call, &common_serialization, "The request is not valid JSON (at byte %zu).",
                         (size_t)(decoder.reader.at - decoder.reader.start));
    if (error == ERROR_TOO_DEEP)
        return call_fail(call, &common_serialization, "The request is nested too deeply.");
    return error;
}

/* encode_json.c: C structs as AWS JSON, and as documents of REST services. Absent members are left out, and so are those
 * that are bound elsewhere. */
#include "aws/wire/codec.h"
#include "base/bug.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/time_format.h"

static void encode_value(JsonWriter *writer, const Shape *shape, const void *value);

static void encode_member(JsonWriter *writer, const Member *member, const void *structure)
{
    json_write_name(writer, member->name);
    const void *value = member_value_const(member, structure);
    if (member->shape->type == SHAPE_STRUCTURE)
        value = *(const void *const *)value;
    encode_value(writer, member->shape, value);
}

static void encode_structure(JsonWriter *writer, const Shape *shape, const void *structure)
{
    json_write_object_begin(writer);
    for (size_t i = 0; i < shape->member_count; i++) {
        const Member *member = &shape->members[i];
        if (member->binding != BINDING_BODY || !member_is_present(member, structure))
            continue;
        encode_member(writer, member, structure);
    }
    json_write_object_end(writer);
}

static void encode_list(JsonWriter *writer, const Shape *shape, const Items *items)
{
    json_write_array_begin(writer);
    for (size_t i = 0; i < items->count; i++)
        encode_value(writer, shape->item, (const char *)items->items + i * shape->entry_size);
    json_write_array_end(writer);
}

static void encode_map(JsonWriter *writer, const Shape *shape, const Items *items)
{
    json_write_object_begin(writer);
    for (size_t i = 0; i < items->count; i++) {
        const char *entry = (const char *)items->items + i * shape->entry_size;
        json_write_name(writer, *(const Slice *)(const void *)entry);
        encode_value(writer, shape->item, entry + shape->item_offset);
    }
    json_write_object_end(writer);
}

/* Seconds since 1970 unless declared otherwise (smithy.io, "timestampFormat trait"). */
static void encode_timestamp(JsonWriter *writer, TimestampFormat format, int64_t ms)
{
    char text[TIME_TEXT_MAX];
    if (format == TIMESTAMP_DATE_TIME)
        json_write_string(writer, ms % 1000 == 0 ? time_format_iso(ms, text) : time_format_iso_ms(ms, text));
    else if (format == TIMESTAMP_HTTP_DATE)
        json_write_string(writer, time_format_http(ms, text));
    else
        json_write_raw(writer, time_format_epoch(ms, text));
}

static void encode_value(JsonWriter *writer, const Shape *shape, const void *value)
{
    switch (shape->type) {
    case SHAPE_STRING:
        json_write_string(writer, *(const Slice *)value);
        return;
    case SHAPE_BLOB:
        json_write_string(writer, base64_encode(writer->out->arena, *(const Slice *)value));
        return;
    case SHAPE_INTEGER:
        json_write_int64(writer, *(const int32_t *)value);
        return;
    case SHAPE_LONG:
        json_write_int64(writer, *(const int64_t *)value);
        return;
    case SHAPE_DOUBLE:
        json_write_double(writer, *(const double *)value);
        return;
    case SHAPE_BOOLEAN:
        json_write_boolean(writer, *(const bool *)value);
        return;
    case SHAPE_TIMESTAMP:
        encode_timestamp(writer, shape->timestamp_format, *(const int64_t *)value);
        return;
    case SHAPE_LIST:
        encode_list(writer, shape, value);
        return;
    case SHAPE_MAP:
        encode_map(writer, shape, value);
        return;
    case SHAPE_STRUCTURE:
        encode_structure(writer, shape, value);
        return;
    case SHAPE_DOCUMENT:
        json_write_raw(writer, *(const Slice *)value);
        return;
    }
    UNREACHABLE();
}

void encode_json(const Shape *shape, const void *structure, Buffer *out)
{
    JsonWriter writer = json_writer(out);
    encode_structure(&writer, shape, structure);
}

static bool is_message(const Member *member)
{
    return slice_equal(member->name, SLICE("message")) || slice_equal(member->name, SLICE("Message"));
}

void encode_json_error(const ApiError *error, Slice type, Slice message, const void *members, Buffer *out)
{
    JsonWriter writer = json_writer(out);
    bool told = message.data == NULL;
    json_write_object_begin(&writer);
    if (type.data != NULL) {
        json_write_name(&writer, SLICE("__type"));
        json_write_string(&writer, type);
    }
    for (size_t i = 0; error->shape != NULL && i < error->shape->member_count; i++) {
        const Member *member = &error->shape->members[i];
        if (member->binding != BINDING_BODY)
            continue;
        if (is_message(member) && message.data != NULL) {
            json_write_name(&writer, member->name);
            json_write_string(&writer, message);
            told = true;
        } else if (members != NULL && member_is_present(member, members)) {
            encode_member(&writer, member, members);
        }
    }
    if (!told) {
        json_write_name(&writer, SLICE("message"));
        json_write_string(&writer, message);
    }
    json_write_object_end(&writer);
}

/* encode_query.c: C structs as the XML of the Query protocol (smithy.io, "AWS query protocol"). */
#include "aws/wire/codec.h"
#include "base/bug.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/time_format.h"

static void encode_value(Buffer *out, const Shape *shape, const void *value);

/* ---- Text ---- */

/* What stands for a byte that cannot stand in text as it is; NULL: the byte itself. */
static const char *escape_of(unsigned char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#xD;"; /* a parser would read it as a line feed (XML 1.0, section 2.11) */
    default:
        return byte < 0x20 && byte != '\t' && byte != '\n' ? "\xef\xbf\xbd" : NULL;
    }
}

void xml_add_text(Buffer *out, Slice text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *escape = escape_of((unsigned char)text.data[i]);
        size_t skip = 1;
        /* U+FFFE and U+FFFF are no characters of XML (XML 1.0, section 2.2). */
        if (escape == NULL && text.size - i >= 3 && memcmp(text.data + i, "\xef\xbf", 2) == 0 &&
            (unsigned char)text.data[i + 2] >= 0xbe) {
            escape = "\xef\xbf\xbd";
            skip = 3;
        }
        if (escape == NULL)
            continue;
        buffer_add(out, slice_make(text.data + start, i - start));
        buffer_add(out, slice_of_string(escape));
        i += skip - 1;
        start = i + 1;
    }
    buffer_add(out, slice_make(text.data + start, text.size - start));
}

static void open_element(Buffer *out, Slice name)
{
    BUFFER_ADD(out, "<");
    buffer_add(out, name);
    BUFFER_ADD(out, ">");
}

static void close_element(Buffer *out, Slice name)
{
    BUFFER_ADD(out, "</");
    buffer_add(out, name);
    BUFFER_ADD(out, ">");
}

static void encode_element(Buffer *out, Slice name, const Shape *shape, const void *value)
{
    open_element(out, name);
    encode_value(out, shape, value);
    close_element(out, name);
}

/* ---- Values ---- */

static void encode_entry(Buffer *out, const Shape *shape, const char *entry)
{
    open_element(out, shape->key_query_name);
    xml_add_text(out, *(const Slice *)(const void *)entry);
    close_element(out, shape->key_query_name);
    encode_element(out, shape->item_query_name, shape->item, entry + shape->item_offset);
}

static void encode_items(Buffer *out, Slice name, const Shape *shape, const Items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        const char *item = (const char *)items->items + i * shape->entry_size;
        open_element(out, name);
        if (shape->type == SHAPE_MAP)
            encode_entry(out, shape, item);
        else
            encode_value(out, shape->item, item);
        close_element(out, name);
    }
}

static void encode_structure(Buffer *out, const Shape *shape, const void *structure)
{
    for (size_t i = 0; i < shape->member_count; i++) {
        const Member *member = &shape->members[i];
        if (!member_is_present(member, structure))
            continue;
        const void *value = member_value_const(member, structure);
        if (member->flattened) {
            encode_items(out, member->query_name, member->shape, value);
            continue;
        }
        if (member->shape->type == SHAPE_STRUCTURE)
            value = *(const void *const *)value;
        encode_element(out, member->query_name, member->shape, value);
    }
}

static void encode_double(Buffer *out, double value)
{
    JsonWriter writer = json_writer(out); /* both write the shortest text that reads back */
    json_write_double(&writer, value);
}

static void encode_timestamp(Buffer *out, int64_t ms)
{
    char text[TIME_TEXT_MAX];
    buffer_add(out, ms % 1000 == 0 ? time_format_iso(ms, text) : time_format_iso_ms(ms, text));
}

static void encode_value(Buffer *out, const Shape *shape, const void *value)
{
    switch (shape->type) {
    case SHAPE_STRING:
    case SHAPE_DOCUMENT:
        xml_add_text(out, *(const Slice *)value);
        return;
    case SHAPE_BLOB:
        buffer_add(out, base64_encode(out->arena, *(const Slice *)value));
        return;
    case SHAPE_INTEGER:
        buffer_add_int64(out, *(const int32_t *)value);
        return;
    case SHAPE_LONG:
        buffer_add_int64(out, *(const int64_t *)value);
        return;
    case SHAPE_DOUBLE:
        encode_double(out, *(const double *)value);
        return;
    case SHAPE_BOOLEAN:
        buffer_add(out, *(const bool *)value ? SLICE("true") : SLICE("false"));
        return;
    case SHAPE_TIMESTAMP:
        encode_timestamp(out, *(const int64_t *)value);
        return;
    case SHAPE_LIST:
        encode_items(out, shape->item_query_name, shape, value);
        return;
    case SHAPE_MAP:
        encode_items(out, SLICE("entry"), shape, value);
        return;
    case SHAPE_STRUCTURE:
        encode_structure(out, shape, value);
        return;
    }
    UNREACHABLE();
}

/* ---- The answer ---- */

static void add_operation_tag(Buffer *out, const Call *call, const char *before, const char *after)
{
    buffer_add(out, slice_of_string(before));
    buffer_add(out, call->operation->name);
    buffer_add(out, slice_of_string(after));
}

void encode_query(const Call *call, const void *output, Buffer *out)
{
    BUFFER_ADD(out, "<?xml version=\"1.0\"?>");
    add_operation_tag(out, call, "<", "Response xmlns=\"");
    buffer_add(out, call->service->xml_namespace);
    BUFFER_ADD(out, "\">");
    if (call->operation->has_output) {
        size_t start = out->size;
        add_operation_tag(out, call, "<", "Result>");
        size_t opened = out->size;
        encode_structure(out, call->operation->output, output);
        if (out->size == opened) {
            out->size = start;
            add_operation_tag(out, call, "<", "Result/>");
        } else {
            add_operation_tag(out, call, "</", "Result>");
        }
    }
    BUFFER_ADD(out, "<ResponseMetadata><RequestId>");
    buffer_add(out, call->request_id);
    BUFFER_ADD(out, "</RequestId></ResponseMetadata>");
    add_operation_tag(out, call, "</", "Response>");
}

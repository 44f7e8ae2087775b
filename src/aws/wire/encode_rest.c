/* encode_rest.c: C structs as answers of REST services. */
#include "aws/wire/rest.h"
#include "base/bug.h"

/* ---- Status and fields ---- */

int rest_status(const Operation *operation, const void *output)
{
    const Shape *shape = operation->output;
    for (size_t i = 0; i < shape->member_count; i++) {
        const Member *member = &shape->members[i];
        if (member->binding == BINDING_RESPONSE_CODE && member_is_present(member, output))
            return *(const int32_t *)member_value_const(member, output);
    }
    return operation->status;
}

size_t rest_header_count(const Shape *shape, const void *structure)
{
    size_t count = 0;
    for (size_t i = 0; i < shape->member_count; i++) {
        const Member *member = &shape->members[i];
        if (member->binding == BINDING_HEADER)
            count++;
        else if (member->binding == BINDING_PREFIX_HEADERS)
            count += ((const Items *)member_value_const(member, structure))->count;
    }
    return count;
}

static Slice header_list(Arena *arena, const Shape *shape, const Items *items)
{
    Buffer out = buffer_make(arena);
    for (size_t i = 0; i < items->count; i++) {
        const char *item = (const char *)items->items + i * shape->entry_size;
        rest_add_item(&out, shape->item, rest_write_text(arena, shape->item, TIMESTAMP_HTTP_DATE, item));
    }
    return buffer_slice(&out);
}

static size_t add_prefix_headers(Arena *arena, const Member *member, const Items *items, HttpHeader *headers)
{
    for (size_t i = 0; i < items->count; i++) {
        const char *entry = (const char *)items->items + i * member->shape->entry_size;
        Buffer name = buffer_make(arena);
        buffer_add(&name, member->binding_name);
        buffer_add(&name, *(const Slice *)(const void *)entry);
        headers[i].name = buffer_slice(&name);
        headers[i].value = *(const Slice *)(const void *)(entry + member->shape->item_offset);
    }
    return items->count;
}

size_t rest_add_headers(Arena *arena, const Shape *shape, const void *structure, HttpHeader *headers)
{
    size_t count = 0;
    for (size_t i = 0; i < shape->member_count; i++) {
        const Member *member = &shape->members[i];
        const void *value = member_value_const(member, structure);
        if (!member_is_present(member, structure))
            continue;
        if (member->binding == BINDING_PREFIX_HEADERS) {
            count += add_prefix_headers(arena, member, value, headers + count);
        } else if (member->binding == BINDING_HEADER) {
            headers[count].name = member->binding_name;
            headers[count++].value = member->shape->type == SHAPE_LIST
                                         ? header_list(arena, member->shape, value)
                                         : rest_write_text(arena, member->shape, TIMESTAMP_HTTP_DATE, value);
        }
    }
    return count;
}

/* ---- The body ---- */

bool rest_is_raw(const Operation *operation)
{
    const Member *payload = operation->output_payload;
    return payload != NULL && payload->shape->type != SHAPE_STRUCTURE;
}

void encode_rest(const Operation *operation, const void *output, Buffer *out)
{
    const Member *payload = operation->output_payload;
    if (payload == NULL) {
        if (operation->output_document)
            encode_json(operation->output, output, out);
        return;
    }
    if (!member_is_present(payload, output))
        return;
    const void *value = member_value_const(payload, output);
    if (rest_is_raw(operation))
        buffer_add(out, *(const Slice *)value);
    else
        encode_json(payload->shape, *(const void *const *)value, out);
}

Slice rest_content_type(const Operation *operation)
{
    if (operation->output_payload == NULL)
        return operation->output_document ? SLICE("application/json") : (Slice){0};
    switch (operation->output_payload->shape->type) {
    case SHAPE_BLOB:
        return SLICE("application/octet-stream");
    case SHAPE_STRING:
        return SLICE("text/plain");
    default:
        return SLICE("application/json");
    }
}

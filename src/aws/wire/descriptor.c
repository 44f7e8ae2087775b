#include "aws/wire/descriptor.h"

const Shape shape_string = {.type = SHAPE_STRING, .name = SLICE_INIT("String"), .size = sizeof(Slice)};
const Shape shape_blob = {.type = SHAPE_BLOB, .name = SLICE_INIT("Blob"), .size = sizeof(Slice)};
const Shape shape_integer = {.type = SHAPE_INTEGER, .name = SLICE_INIT("Integer"), .size = sizeof(int32_t)};
const Shape shape_long = {.type = SHAPE_LONG, .name = SLICE_INIT("Long"), .size = sizeof(int64_t)};
const Shape shape_double = {.type = SHAPE_DOUBLE, .name = SLICE_INIT("Double"), .size = sizeof(double)};
const Shape shape_boolean = {.type = SHAPE_BOOLEAN, .name = SLICE_INIT("Boolean"), .size = sizeof(bool)};
const Shape shape_timestamp = {.type = SHAPE_TIMESTAMP, .name = SLICE_INIT("Timestamp"), .size = sizeof(int64_t)};
const Shape shape_timestamp_epoch = {.type = SHAPE_TIMESTAMP,
                                     .timestamp_format = TIMESTAMP_EPOCH_SECONDS,
                                     .name = SLICE_INIT("Timestamp"),
                                     .size = sizeof(int64_t)};
const Shape shape_timestamp_iso = {.type = SHAPE_TIMESTAMP,
                                   .timestamp_format = TIMESTAMP_DATE_TIME,
                                   .name = SLICE_INIT("Timestamp"),
                                   .size = sizeof(int64_t)};
const Shape shape_timestamp_http = {.type = SHAPE_TIMESTAMP,
                                    .timestamp_format = TIMESTAMP_HTTP_DATE,
                                    .name = SLICE_INIT("Timestamp"),
                                    .size = sizeof(int64_t)};
const Shape shape_document = {.type = SHAPE_DOCUMENT, .name = SLICE_INIT("Document"), .size = sizeof(Slice)};

/* The same as hash_name in tools/apigen/names.py. */
static uint32_t hash_name(Slice name, uint32_t seed)
{
    const unsigned char *bytes = (const unsigned char *)name.data;
    uint32_t value = (uint32_t)name.size + ((uint32_t)bytes[0] << 8) + ((uint32_t)bytes[name.size / 2] << 16) +
                     ((uint32_t)bytes[name.size - 1] << 24);
    value ^= (uint32_t)bytes[name.size / 3] << 4;
    return value * seed >> 16;
}

static const Member *find(const Shape *shape, const NameTable *table, Slice name, bool query)
{
    if (table->slots == NULL || name.size == 0)
        return NULL;
    for (uint32_t slot = hash_name(name, table->seed) & table->mask;; slot = (slot + 1) & table->mask) {
        unsigned number = table->slots[slot];
        if (number == 0)
            return NULL;
        const Member *member = &shape->members[number - 1];
        if (slice_equal(query ? member->query_name : member->name, name))
            return member;
    }
}

const Member *shape_member(const Shape *structure, Slice name)
{
    return find(structure, &structure->names, name, false);
}

const Member *shape_member_by_query_name(const Shape *structure, Slice query_name)
{
    return find(structure, &structure->query_names, query_name, true);
}

/* Binary search among `count` names in memcmp order that stand `stride` bytes apart. */
static const void *find_sorted(const void *rows, size_t count, size_t stride, Slice name)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *row = (const char *)rows + middle * stride;
        Slice found;
        memcpy(&found, row, sizeof found);
        int order = slice_compare(name, found);
        if (order == 0)
            return row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const Operation *service_operation(const Service *service, Slice name)
{
    _Static_assert(offsetof(Operation, name) == 0, "operations are searched by their first member");
    return find_sorted(service->operations, service->operation_count, sizeof(Operation), name);
}

bool service_lists_unsupported(const Service *service, Slice name)
{
    return find_sorted(service->unsupported, service->unsupported_count, sizeof(Slice), name) != NULL;
}

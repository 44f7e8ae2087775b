#include "core/mapping_record.h"

enum { SCHEMA_MAPPING = 1 };
enum { FLAG_ENABLED = 1, FLAG_REPORTS_FAILURES = 2 };
enum { ITEMS_MAX = 1024 }; /* of what can be stored; the API allows fewer */

/* In the order in which they are stored. */
static const size_t slices[] = {
    offsetof(Mapping, source_arn), offsetof(Mapping, source_name), offsetof(Mapping, function),
    offsetof(Mapping, qualifier),  offsetof(Mapping, problem),
};

static const size_t numbers[] = {
    offsetof(Mapping, modified_ms), offsetof(Mapping, batch_size),  offsetof(Mapping, window_ms),
    offsetof(Mapping, concurrency), offsetof(Mapping, pollers_min), offsetof(Mapping, pollers_max),
    offsetof(Mapping, threshold),   offsetof(Mapping, recovery_ms),
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

Slice mapping_write(Txn *txn, const Mapping *mapping)
{
    const char *fields = (const char *)mapping;
    Buffer value = value_start(txn_arena(txn), SCHEMA_MAPPING);
    value_add_uint64(&value, mapping->source);
    value_add_uint64(&value, mapping->state);
    value_add_uint64(&value,
                     (mapping->enabled ? FLAG_ENABLED : 0u) | (mapping->reports_failures ? FLAG_REPORTS_FAILURES : 0u));
    for (size_t i = 0; i < COUNT_OF(slices); i++)
        value_add_optional(&value, *(const Slice *)(const void *)(fields + slices[i]));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        value_add_uint64(&value, *(const uint64_t *)(const void *)(fields + numbers[i]));
    value_add_uint64(&value, mapping->filter_count);
    for (size_t i = 0; i < mapping->filter_count; i++)
        value_add_bytes(&value, mapping->filters[i]);
    value_add_uint64(&value, mapping->tags.count);
    for (size_t i = 0; i < mapping->tags.count; i++) {
        value_add_bytes(&value, mapping->tags.items[i].key);
        value_add_bytes(&value, mapping->tags.items[i].value);
    }
    return buffer_slice(&value);
}

static Error take_count(Slice *value, size_t *count)
{
    uint64_t number;
    TRY(value_take_uint64(value, &number));
    *count = number;
    return number > ITEMS_MAX ? ERROR_FORMAT : OK;
}

static Error take_lists(Arena *arena, Slice *value, Mapping *mapping)
{
    TRY(take_count(value, &mapping->filter_count));
    mapping->filters = ARENA_ARRAY(arena, Slice, mapping->filter_count);
    for (size_t i = 0; i < mapping->filter_count; i++)
        TRY(value_take_bytes(value, &mapping->filters[i]));
    TRY(take_count(value, &mapping->tags.count));
    mapping->tags.items = ARENA_ARRAY(arena, Label, mapping->tags.count);
    for (size_t i = 0; i < mapping->tags.count; i++) {
        TRY(value_take_bytes(value, &mapping->tags.items[i].key));
        TRY(value_take_bytes(value, &mapping->tags.items[i].value));
    }
    return OK;
}

Error mapping_read(Txn *txn, Slice value, Mapping *mapping)
{
    char *fields = (char *)mapping;
    uint8_t schema;
    uint64_t source;
    uint64_t state;
    uint64_t flags;
    TRY(value_take_schema(&value, &schema));
    TRY(value_take_uint64(&value, &source));
    TRY(value_take_uint64(&value, &state));
    TRY(value_take_uint64(&value, &flags));
    if (schema != SCHEMA_MAPPING || source == 0 || source >= MAPPING_SOURCES || state == 0 || state >= MAPPING_STATES)
        return ERROR_FORMAT;
    mapping->source = (MappingSource)source;
    mapping->state = (MappingState)state;
    mapping->enabled = (flags & FLAG_ENABLED) != 0;
    mapping->reports_failures = (flags & FLAG_REPORTS_FAILURES) != 0;
    for (size_t i = 0; i < COUNT_OF(slices); i++)
        TRY(value_take_optional(&value, (Slice *)(void *)(fields + slices[i])));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        TRY(value_take_uint64(&value, (uint64_t *)(void *)(fields + numbers[i])));
    return take_lists(txn_arena(txn), &value, mapping);
}

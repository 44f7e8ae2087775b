#include "cli/admin_server.h"

#include "core/mapping.h"
#include "store/key.h"

/* What `brume mappings` shows, read from the durable state. */

enum { MAPPING_PAGE = 100 };

static const Slice state_names[MAPPING_STATES] = {
    [MAPPING_CREATING] = SLICE_INIT("creating"), [MAPPING_ENABLING] = SLICE_INIT("enabling"),
    [MAPPING_ENABLED] = SLICE_INIT("enabled"),   [MAPPING_DISABLING] = SLICE_INIT("disabling"),
    [MAPPING_DISABLED] = SLICE_INIT("disabled"), [MAPPING_UPDATING] = SLICE_INIT("updating"),
    [MAPPING_DELETING] = SLICE_INIT("deleting"),
};

static void write_text(JsonWriter *writer, const char *name, Slice text)
{
    if (text.data == NULL)
        return;
    json_write_name(writer, slice_of_string(name));
    json_write_string(writer, text);
}

/* Nothing of a queue that is empty or gone. */
static Error write_lag(Txn *txn, const Mapping *mapping, JsonWriter *writer)
{
    uint64_t lag_ms = 0;
    Error error = mapping_lag(txn, mapping, &lag_ms);
    if (lag_ms > 0) {
        json_write_name(writer, SLICE("lag_ms"));
        json_write_uint64(writer, lag_ms);
    }
    return error == MAPPING_SOURCE_NOT_FOUND ? OK : error;
}

static Error write_breaker(Txn *txn, const Mapping *mapping, JsonWriter *writer)
{
    Breaker breaker;
    if (mapping->threshold == 0)
        return OK;
    TRY(mapping_breaker(txn, mapping, &breaker));
    write_text(writer, "breaker", admin_breaker_text(breaker.state));
    return OK;
}

static Error write_mapping(Txn *txn, const Mapping *mapping, JsonWriter *writer)
{
    bool qualified = mapping->qualifier.data != NULL;
    json_write_object_begin(writer);
    write_text(writer, "uuid", mapping->uuid);
    write_text(writer, "region", mapping->region);
    write_text(writer, "source", mapping->source_name);
    write_text(writer, "function",
               arena_format(txn_arena(txn), "%.*s%s%.*s", SLICE_PRINT(mapping->function), qualified ? ":" : "",
                            SLICE_PRINT(qualified ? mapping->qualifier : SLICE(""))));
    write_text(writer, "state", state_names[mapping->state]);
    TRY(write_breaker(txn, mapping, writer));
    TRY(write_lag(txn, mapping, writer));
    write_text(writer, "problem", mapping->problem);
    json_write_object_end(writer);
    return OK;
}

Error admin_write_mappings(Txn *txn, const AdminQuery *query, JsonWriter *writer)
{
    Slice region;
    Mapping *mappings = NULL;
    size_t count = 0;
    Buffer after = buffer_make(txn_arena(txn));
    TRY(admin_find_region(txn, query, &region));
    if (query->after.size > 0)
        key_add_string(&after, query->after);
    FunctionPage page = {.after = buffer_slice(&after), .limit = MAPPING_PAGE};
    if (region.data != NULL)
        TRY(mapping_list(txn, query->account, region, &(MappingFilter){0}, &page, &mappings, &count));
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("mappings"));
    json_write_array_begin(writer);
    for (size_t i = 0; i < count; i++)
        TRY(write_mapping(txn, &mappings[i], writer));
    json_write_array_end(writer);
    write_text(writer, "region", region);
    if (page.next.data != NULL)
        write_text(writer, "after", mappings[count - 1].uuid);
    json_write_object_end(writer);
    return OK;
}

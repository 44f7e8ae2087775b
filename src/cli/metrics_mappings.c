#include "cli/metrics_mappings.h"

#include "core/mapping.h"

/* Breakers by how much they let through. */
static const int breaker_values[] = {[BREAKER_CLOSED] = 0, [BREAKER_HALF_OPEN] = 1, [BREAKER_OPEN] = 2};

/* Names of functions and queues have nothing that a label's value would have to escape. */
static Slice labels_of(Arena *arena, const Mapping *mapping)
{
    return arena_format(arena, "account=\"%.*s\",region=\"%.*s\",function=\"%.*s\",source=\"%.*s\",uuid=\"%.*s\"",
                        SLICE_PRINT(mapping->account), SLICE_PRINT(mapping->region), SLICE_PRINT(mapping->function),
                        SLICE_PRINT(mapping->source_name), SLICE_PRINT(mapping->uuid));
}

/* Nothing of a queue that is gone. */
static Error add_lag(Txn *txn, const Mapping *mapping, Slice labels, Buffer *out)
{
    uint64_t lag_ms;
    Error error = mapping_lag(txn, mapping, &lag_ms);
    if (error == OK)
        buffer_add_format(out, "brume_mapping_lag_seconds{%.*s} %.3f\n", SLICE_PRINT(labels), (double)lag_ms / 1e3);
    return error == MAPPING_SOURCE_NOT_FOUND ? OK : error;
}

static Error add_breaker(Txn *txn, const Mapping *mapping, Slice labels, Buffer *out)
{
    Breaker breaker;
    if (mapping->threshold == 0)
        return OK;
    TRY(mapping_breaker(txn, mapping, &breaker));
    buffer_add_format(out, "brume_mapping_breaker_state{%.*s} %d\n", SLICE_PRINT(labels),
                      breaker_values[breaker.state]);
    return OK;
}

static Error find_owners(Txn *txn, MappingOwner *owners, size_t *count)
{
    Slice key;
    Slice value;
    Error error = OK;
    *count = 0;
    Cursor *cursor = txn_scan(txn, mapping_owners(txn), SCAN_FORWARD);
    while (*count < METRICS_MAPPINGS_MAX && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL)
        if ((error = mapping_owner_read(txn, key, txn_arena(txn), &owners[(*count)++])) != OK)
            break;
    cursor_close(cursor);
    return error;
}

Error metrics_read_mappings(Txn *txn, Arena *arena, MappingRows *rows)
{
    size_t count;
    Mapping mapping;
    Buffer lags = buffer_make(arena);
    Buffer breakers = buffer_make(arena);
    MappingOwner *owners = ARENA_ARRAY(txn_arena(txn), MappingOwner, METRICS_MAPPINGS_MAX);
    TRY(find_owners(txn, owners, &count));
    for (size_t i = 0; i < count; i++) {
        Error error = mapping_get(txn, owners[i].account, owners[i].region, owners[i].uuid, &mapping);
        if (error == MAPPING_NOT_FOUND)
            continue;
        TRY(error);
        Slice labels = labels_of(txn_arena(txn), &mapping);
        TRY(add_lag(txn, &mapping, labels, &lags));
        TRY(add_breaker(txn, &mapping, labels, &breakers));
    }
    *rows = (MappingRows){buffer_slice(&lags), buffer_slice(&breakers)};
    return OK;
}

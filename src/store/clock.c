#include "store/store_internal.h"

uint64_t store_now(Store *store)
{
    uint64_t held = atomic_load(&store->clock.held_ms);
    if (held != 0)
        return held;
    return os_wall_ms(store->os) + (uint64_t)atomic_load(&store->clock.offset_ms);
}

void clock_save(Txn *txn, int64_t offset_ms)
{
    Buffer value = value_start(txn_arena(txn), 1);
    value_add_uint64(&value, (uint64_t)offset_ms);
    txn_put(txn, meta_key(txn_arena(txn), SLICE("clock")), buffer_slice(&value));
}

Error clock_load(Store *store)
{
    Arena arena = arena_make();
    Slice value;
    uint8_t schema;
    uint64_t offset = 0;
    Error error = store->engine->operations->get(store->engine, NULL, READ_DISK, meta_key(&arena, SLICE("clock")),
                                                 &arena, &value);
    if (error == OK && value.data != NULL) {
        error = value_take_schema(&value, &schema);
        if (error == OK)
            error = value_take_uint64(&value, &offset);
    }
    arena_free(&arena);
    atomic_store(&store->clock.offset_ms, (int64_t)offset);
    return error;
}

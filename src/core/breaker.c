#include "core/breaker.h"

#include "store/key.h"

enum { SCHEMA_BREAKER = 1 };

static Slice breaker_key(Txn *txn, Slice account, Slice region, Slice name)
{
    Buffer key = key_start(txn_arena(txn), account, region, KIND_BREAKER);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

/* What is stored of one that has failed. One that has not, or has been closed again, is not stored. */
static void write_breaker(Txn *txn, const Breaker *breaker, bool is_open)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_BREAKER);
    value_add_uint64(&value, is_open);
    value_add_uint64(&value, breaker->failures);
    value_add_uint64(&value, breaker->opened_ms);
    value_add_uint64(&value, breaker->probe_ms);
    value_add_uint64(&value, breaker->failure_threshold);
    value_add_uint64(&value, breaker->recovery_ms);
    txn_put(txn, breaker_key(txn, breaker->account, breaker->region, breaker->name), buffer_slice(&value));
}

typedef struct Stored {
    uint64_t is_open;
    uint64_t failures;
    uint64_t opened_ms;
    uint64_t probe_ms;
    uint64_t failure_threshold; /* as they were when it was written */
    uint64_t recovery_ms;
} Stored;

static Error read_stored(Slice value, Stored *stored)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_BREAKER)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &stored->is_open));
    TRY(value_take_uint64(&value, &stored->failures));
    TRY(value_take_uint64(&value, &stored->opened_ms));
    TRY(value_take_uint64(&value, &stored->probe_ms));
    TRY(value_take_uint64(&value, &stored->failure_threshold));
    return value_take_uint64(&value, &stored->recovery_ms);
}

/* When `ms` more have passed since `since_ms`; never, rather than early, when that is past all time. */
static uint64_t later(uint64_t since_ms, uint64_t ms)
{
    return ms > UINT64_MAX - since_ms ? UINT64_MAX : since_ms + ms;
}

/* What it is now, by its settings. A probe that has been silent for too long is none. */
static void see_now(Breaker *breaker, const Stored *stored, uint64_t now_ms)
{
    breaker->failures = stored->failures;
    breaker->opened_ms = stored->opened_ms;
    breaker->probe_ms = stored->probe_ms;
    if (breaker->probe_ms != 0 && now_ms >= later(breaker->probe_ms, breaker->recovery_ms))
        breaker->probe_ms = 0;
    if (!stored->is_open)
        breaker->state = BREAKER_CLOSED;
    else if (stored->probe_ms != 0 || now_ms >= later(stored->opened_ms, breaker->recovery_ms))
        breaker->state = BREAKER_HALF_OPEN;
    else
        breaker->state = BREAKER_OPEN;
}

Home breaker_home(Slice account, Slice region, Slice name)
{
    return home_of(account, region, SLICE("breaker"), name);
}

Error breaker_read(Txn *txn, Breaker *breaker)
{
    Slice value;
    bool found;
    Stored stored = {0};
    TRY(txn_get(txn, breaker_key(txn, breaker->account, breaker->region, breaker->name), &value, &found));
    if (found)
        TRY(read_stored(value, &stored));
    see_now(breaker, &stored, txn_now(txn));
    return OK;
}

Error breaker_enter(Txn *txn, Breaker *breaker, bool *allowed)
{
    TRY(breaker_read(txn, breaker));
    *allowed = breaker->state == BREAKER_CLOSED;
    if (breaker->state != BREAKER_HALF_OPEN || breaker->probe_ms != 0)
        return OK;
    *allowed = true;
    breaker->probe_ms = txn_now(txn);
    write_breaker(txn, breaker, true);
    return OK;
}

Error breaker_record(Txn *txn, Breaker *breaker, bool success)
{
    TRY(breaker_read(txn, breaker));
    if (breaker->state == BREAKER_OPEN)
        return OK; /* of a call that was let through before it opened: it says nothing new */
    if (success) {
        if (breaker->state == BREAKER_CLOSED && breaker->failures == 0)
            return OK;
        breaker->state = BREAKER_CLOSED;
        breaker->failures = 0;
        breaker->probe_ms = 0;
        return breaker_forget(txn, breaker->account, breaker->region, breaker->name);
    }
    breaker->failures++;
    breaker->probe_ms = 0;
    if (breaker->state == BREAKER_HALF_OPEN || breaker->failures >= breaker->failure_threshold) {
        breaker->state = BREAKER_OPEN;
        breaker->opened_ms = txn_now(txn);
    }
    write_breaker(txn, breaker, breaker->state == BREAKER_OPEN);
    return OK;
}

uint64_t breaker_opens_ms(const Breaker *breaker)
{
    if (breaker->state == BREAKER_OPEN)
        return later(breaker->opened_ms, breaker->recovery_ms);
    if (breaker->state == BREAKER_HALF_OPEN && breaker->probe_ms != 0)
        return later(breaker->probe_ms, breaker->recovery_ms);
    return 0;
}

Error breaker_forget(Txn *txn, Slice account, Slice region, Slice name)
{
    txn_delete(txn, breaker_key(txn, account, region, name));
    return OK;
}

Error breaker_list(Txn *txn, Slice account, Slice region, Slice after, Breaker *breakers, size_t *count)
{
    Arena *arena = txn_arena(txn);
    size_t room = *count;
    Buffer prefix = key_start(arena, account, region, KIND_BREAKER);
    Buffer last = buffer_make(arena);
    if (after.size > 0)
        key_add_string(&last, after);
    KeyRange range = key_range_after(arena, buffer_slice(&prefix), buffer_slice(&last));
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error = OK;
    for (*count = 0; *count < room; ++*count) {
        if ((error = cursor_next(cursor, &key, &value)) != OK || key.data == NULL)
            break;
        Stored stored;
        Breaker *breaker = &breakers[*count];
        *breaker = (Breaker){.account = account, .region = region};
        Slice rest = slice_skip(key, prefix.size);
        if ((error = key_take_string(&rest, arena, &breaker->name)) != OK ||
            (error = read_stored(value, &stored)) != OK)
            break;
        breaker->name = arena_copy(arena, breaker->name);
        breaker->failure_threshold = stored.failure_threshold;
        breaker->recovery_ms = stored.recovery_ms;
        see_now(breaker, &stored, txn_now(txn));
    }
    cursor_close(cursor);
    return error;
}

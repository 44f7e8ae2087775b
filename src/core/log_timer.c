/* log_timer.c: what happens to logs by itself: events expire, and what a deleted group or stream leaves is removed.
 *
 * A timer's id names the work; its value says of which group. */
#include "core/log_internal.h"

#include "base/bug.h"

enum { SCHEMA_TIMER = 1 };
enum { WORK_EXPIRE = 'e', WORK_REMOVE_GROUP = 'g', WORK_REMOVE_STREAM = 's' };
enum {
    CHUNKS_REMOVED = 500, /* in one transaction: well below its bounds */
    KEYS_REMOVED = 1000,  /* the same of small keys */
    /* Readers leave out what is expired at once; the disk can wait, so that a busy group's timer is not set for each of its
     * chunks. */
    EXPIRY_STEP_MS = 600 * 1000,
};

/* ---- Timers ---- */

static Slice timer_id(Txn *txn, const LogGroup *group, char work, uint64_t stream)
{
    Buffer id = log_key(txn, group, KIND_LOG_GROUP, work);
    key_add_uint64(&id, stream);
    return buffer_slice(&id);
}

static void set_timer(Txn *txn, const LogGroup *group, char work, uint64_t stream, uint64_t due_ms)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_TIMER);
    value_add_uint64(&value, (uint64_t)work);
    value_add_uint64(&value, group->number);
    value_add_uint64(&value, stream);
    value_add_bytes(&value, group->account);
    value_add_bytes(&value, group->region);
    value_add_bytes(&value, group->name);
    txn_timer_set(txn, TIMER_LOG, group->home, due_ms, timer_id(txn, group, work, stream), buffer_slice(&value));
}

void log_remove_group(Txn *txn, const LogGroup *group)
{
    set_timer(txn, group, WORK_REMOVE_GROUP, 0, txn_now(txn));
}

void log_remove_stream(Txn *txn, const LogGroup *group, uint64_t stream)
{
    set_timer(txn, group, WORK_REMOVE_STREAM, stream, txn_now(txn));
}

void log_expire_at(Txn *txn, const LogGroup *group, LogState *state, uint64_t due_ms)
{
    uint64_t soonest_ms = txn_now(txn) + 1;
    if (state->expiry_ms != 0)
        txn_timer_delete(txn, TIMER_LOG, state->expiry_ms, timer_id(txn, group, WORK_EXPIRE, 0));
    state->expiry_ms = due_ms < soonest_ms ? soonest_ms : due_ms;
    set_timer(txn, group, WORK_EXPIRE, 0, state->expiry_ms);
}

/* ---- Rows ---- */

/* Drops chunks whose last event lies before `oldest_ms` from the front of a class. `next_ms`: when the first one that is
 * left has its last event; UINT64_MAX: none is left. */
static Error drop_rows(Txn *txn, const LogGroup *group, uint64_t stream, unsigned class_number, uint64_t oldest_ms,
                       size_t *room, uint64_t *bytes, uint64_t *next_ms)
{
    Slice key;
    Slice value;
    LogRow row;
    Error error;
    Buffer prefix = log_row_prefix(txn, group, stream, class_number);
    *next_ms = UINT64_MAX;
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if ((error = log_row_read(slice_skip(key, prefix.size), value, class_number, &row)) != OK)
            break;
        if (row.last_ms >= oldest_ms || *room == 0) {
            *next_ms = row.last_ms;
            break;
        }
        (*room)--;
        *bytes += row.bytes;
        log_chunk_drop(txn, group, &row);
    }
    cursor_close(cursor);
    return error;
}

/* The same of all classes; the soonest `next_ms`. */
static Error drop_all_rows(Txn *txn, const LogGroup *group, uint64_t stream, uint64_t oldest_ms, uint64_t *bytes,
                           uint64_t *next_ms)
{
    size_t room = CHUNKS_REMOVED;
    *next_ms = UINT64_MAX;
    *bytes = 0;
    for (unsigned i = 0; i < LOG_CLASSES; i++) {
        uint64_t class_next_ms;
        TRY(drop_rows(txn, group, stream, i, oldest_ms, &room, bytes, &class_next_ms));
        if (class_next_ms < *next_ms)
            *next_ms = class_next_ms;
    }
    return OK;
}

static void count_out(LogState *state, uint64_t bytes)
{
    state->bytes -= bytes < state->bytes ? bytes : state->bytes;
}

/* ---- Work ---- */

static Error expire(Txn *txn, const LogGroup *group)
{
    LogState state;
    uint64_t bytes;
    uint64_t next_ms;
    TRY(log_state_get(txn, group, &state));
    /* This may be another timer's run than that one's: two would follow each other for ever. */
    if (state.expiry_ms != 0)
        txn_timer_delete(txn, TIMER_LOG, state.expiry_ms, timer_id(txn, group, WORK_EXPIRE, 0));
    state.expiry_ms = 0;
    if (group->retention_days == 0) {
        log_state_put(txn, group, &state);
        return OK;
    }
    uint64_t oldest_ms = log_oldest_ms(txn, group);
    TRY(drop_all_rows(txn, group, 0, oldest_ms, &bytes, &next_ms));
    count_out(&state, bytes);
    if (next_ms < oldest_ms)
        log_expire_at(txn, group, &state, txn_now(txn));
    else if (next_ms != UINT64_MAX)
        log_expire_at(txn, group, &state, next_ms + group->retention_days * LOG_DAY_MS + EXPIRY_STEP_MS);
    log_state_put(txn, group, &state);
    return OK;
}

static Error remove_stream(Txn *txn, const LogGroup *group, uint64_t stream, bool group_is_there)
{
    LogState state;
    uint64_t bytes;
    uint64_t next_ms;
    TRY(drop_all_rows(txn, group, stream, UINT64_MAX, &bytes, &next_ms));
    if (group_is_there) {
        TRY(log_state_get(txn, group, &state));
        count_out(&state, bytes);
        log_state_put(txn, group, &state);
    }
    if (next_ms != UINT64_MAX)
        log_remove_stream(txn, group, stream);
    return OK;
}

static Error remove_keys(Txn *txn, const LogGroup *group, KeyKind kind, bool *more)
{
    Slice key;
    Slice value;
    Error error;
    size_t count = 0;
    Buffer prefix = log_group_prefix(txn, group, kind);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL && count++ < KEYS_REMOVED)
        txn_delete(txn, key);
    *more = key.data != NULL;
    cursor_close(cursor);
    return error;
}

static Error remove_group(Txn *txn, const LogGroup *group)
{
    uint64_t bytes;
    uint64_t next_ms;
    bool streams;
    bool subscriptions;
    TRY(drop_all_rows(txn, group, 0, UINT64_MAX, &bytes, &next_ms));
    TRY(remove_keys(txn, group, KIND_LOG_STREAM, &streams));
    TRY(remove_keys(txn, group, KIND_LOG_FILTER, &subscriptions));
    if (next_ms != UINT64_MAX || streams || subscriptions)
        log_remove_group(txn, group);
    return OK;
}

void log_group_put_retention(Txn *txn, LogGroup *group, uint64_t days)
{
    group->retention_days = days;
    log_group_put(txn, group);
    if (days != 0)
        set_timer(txn, group, WORK_EXPIRE, 1, txn_now(txn));
}

static Error read_timer(Slice value, char *work, uint64_t *stream, LogGroup *group)
{
    uint8_t schema;
    uint64_t number;
    *group = (LogGroup){0};
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_TIMER)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &number));
    *work = (char)number;
    TRY(value_take_uint64(&value, &group->number));
    TRY(value_take_uint64(&value, stream));
    TRY(value_take_bytes(&value, &group->account));
    TRY(value_take_bytes(&value, &group->region));
    TRY(value_take_bytes(&value, &group->name));
    group->home = log_home(group->account, group->region, group->name);
    return OK;
}

Error log_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    (void)due_ms;
    (void)id;
    char work;
    uint64_t stream;
    LogGroup named;
    LogGroup group;
    TRY(read_timer(value, &work, &stream, &named));
    if (work == WORK_REMOVE_GROUP)
        return remove_group(txn, &named);
    Error error = log_group_open(txn, named.account, named.region, named.name, &group);
    bool is_there = error == OK && group.number == named.number;
    if (error != OK && error != LOG_GROUP_NOT_FOUND)
        return error;
    if (work == WORK_REMOVE_STREAM)
        return remove_stream(txn, is_there ? &group : &named, stream, is_there);
    ASSERT(work == WORK_EXPIRE);
    return is_there ? expire(txn, &group) : OK;
}

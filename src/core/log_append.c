/* log_append.c: how chunks are kept, and which rows tell where they stand. */
#include "core/log_internal.h"
#include "core/log_subscription.h"

enum { SCHEMA_CHUNK = 1, SCHEMA_ROW = 1 };

/* What one chunk spans at most, by its class; the last is what a chunk can span at all. */
const uint64_t log_class_span_ms[LOG_CLASSES] = {1000, 60 * 1000, 3600 * 1000, LOG_CHUNK_SPAN_MS};

static unsigned class_of(uint64_t span_ms)
{
    unsigned class_number = 0;
    while (log_class_span_ms[class_number] < span_ms)
        class_number++;
    return class_number;
}

/* ---- Rows ---- */

Buffer log_row_prefix(Txn *txn, const LogGroup *group, uint64_t stream, unsigned class_number)
{
    Buffer key = log_key(txn, group, KIND_LOG_EVENTS, stream == 0 ? LOG_TAG_GROUP_ROW : LOG_TAG_STREAM_ROW);
    if (stream != 0)
        key_add_uint64(&key, stream);
    key_add_uint64(&key, class_number);
    return key;
}

Slice log_row_key(Txn *txn, const LogGroup *group, uint64_t stream, const LogRow *row)
{
    Buffer key = log_row_prefix(txn, group, stream, row->class_number);
    key_add_uint64(&key, row->first_ms);
    key_add_uint64(&key, row->sequence);
    return buffer_slice(&key);
}

Slice log_row_write(Txn *txn, const LogRow *row)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_ROW);
    value_add_uint64(&value, row->last_ms);
    value_add_uint64(&value, row->bytes);
    value_add_uint64(&value, row->stream);
    value_add_bytes(&value, row->stream_name);
    return buffer_slice(&value);
}

Error log_row_read(Slice rest, Slice value, unsigned class_number, LogRow *row)
{
    uint8_t schema;
    *row = (LogRow){.class_number = class_number};
    TRY(key_take_uint64(&rest, &row->first_ms));
    TRY(key_take_uint64(&rest, &row->sequence));
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_ROW)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &row->last_ms));
    TRY(value_take_uint64(&value, &row->bytes));
    TRY(value_take_uint64(&value, &row->stream));
    return value_take_bytes(&value, &row->stream_name);
}

/* ---- Chunks ---- */

Slice log_chunk_key(Txn *txn, const LogGroup *group, uint64_t sequence)
{
    Buffer key = log_key(txn, group, KIND_LOG_EVENTS, LOG_TAG_CHUNK);
    key_add_uint64(&key, sequence);
    return buffer_slice(&key);
}

Slice log_stored_write(Txn *txn, const LogStored *stored)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_CHUNK);
    buffer_reserve(&value, stored->events.size + 128);
    value_add_uint64(&value, stored->stream);
    value_add_bytes(&value, stored->stream_name);
    value_add_uint64(&value, stored->first_ms);
    value_add_uint64(&value, stored->ingested_ms);
    value_add_uint64(&value, stored->count);
    buffer_add(&value, stored->events);
    return buffer_slice(&value);
}

Error log_stored_read(Slice value, LogStored *stored)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_CHUNK)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &stored->stream));
    TRY(value_take_bytes(&value, &stored->stream_name));
    TRY(value_take_uint64(&value, &stored->first_ms));
    TRY(value_take_uint64(&value, &stored->ingested_ms));
    TRY(value_take_uint64(&value, &stored->count));
    stored->events = value;
    return stored->count <= value.size ? OK : ERROR_MALFORMED;
}

Error log_stored_events(Txn *txn, const LogStored *stored, LogChunkEvent **events)
{
    *events = ARENA_ARRAY(txn_arena(txn), LogChunkEvent, stored->count);
    return log_chunk_read(stored->events, stored->first_ms, stored->count, *events);
}

void log_chunk_drop(Txn *txn, const LogGroup *group, const LogRow *row)
{
    txn_delete(txn, log_chunk_key(txn, group, row->sequence));
    txn_delete(txn, log_row_key(txn, group, 0, row));
    txn_delete(txn, log_row_key(txn, group, row->stream, row));
}

/* ---- Appending ---- */

static Error append_chunk(Txn *txn, const LogGroup *group, const LogStream *stream, const LogChunk *chunk)
{
    LogRow row = {
        .first_ms = chunk->first_ms,
        .last_ms = chunk->last_ms,
        .bytes = chunk->bytes,
        .stream = stream->number,
        .stream_name = stream->name,
        .class_number = class_of(chunk->last_ms - chunk->first_ms),
    };
    LogStored stored = {
        .stream = stream->number,
        .stream_name = stream->name,
        .first_ms = chunk->first_ms,
        .ingested_ms = txn_now(txn),
        .count = chunk->count,
        .events = buffer_slice(&chunk->events),
    };
    TRY(txn_new_number(txn, &row.sequence));
    Slice value = log_row_write(txn, &row);
    txn_put(txn, log_chunk_key(txn, group, row.sequence), log_stored_write(txn, &stored));
    txn_put(txn, log_row_key(txn, group, 0, &row), value);
    txn_put(txn, log_row_key(txn, group, row.stream, &row), value);
    log_mark_put(txn, group, row.sequence);
    return OK;
}

static void note(LogStream *stream, const LogChunk *chunk, uint64_t now_ms)
{
    if (!stream->has_events || chunk->first_ms < stream->first_ms)
        stream->first_ms = chunk->first_ms;
    if (!stream->has_events || chunk->last_ms > stream->last_ms)
        stream->last_ms = chunk->last_ms;
    stream->has_events = true;
    stream->ingested_ms = now_ms;
}

Error log_append(Txn *txn, const LogGroup *group, LogStream *stream, const LogChunk *chunks)
{
    LogState state;
    const LogStream before = *stream;
    TRY(log_state_get(txn, group, &state));
    for (const LogChunk *chunk = chunks; chunk != NULL; chunk = chunk->next) {
        TRY(append_chunk(txn, group, stream, chunk));
        note(stream, chunk, txn_now(txn));
        state.bytes += chunk->bytes;
        if (group->retention_days != 0 && state.expiry_ms == 0)
            log_expire_at(txn, group, &state, chunk->last_ms + group->retention_days * LOG_DAY_MS);
    }
    log_stream_put(txn, group, &before, stream);
    log_state_put(txn, group, &state);
    return OK;
}

#include "core/log_chunk.h"

#include "store/key.h"

static LogChunk *begin(LogChunks *chunks, uint64_t time_ms)
{
    LogChunk *chunk = ARENA_NEW(chunks->arena, LogChunk);
    chunk->events = buffer_make(chunks->arena);
    chunk->first_ms = chunk->last_ms = time_ms;
    if (chunks->last == NULL)
        chunks->first = chunk;
    else
        chunks->last->next = chunk;
    chunks->last = chunk;
    return chunk;
}

static bool takes(const LogChunk *chunk, uint64_t time_ms, Slice message)
{
    return chunk != NULL && time_ms >= chunk->last_ms && time_ms - chunk->first_ms <= LOG_CHUNK_SPAN_MS &&
           chunk->events.size + message.size <= LOG_CHUNK_BYTES;
}

void log_chunks_add(LogChunks *chunks, uint64_t time_ms, Slice message)
{
    LogChunk *chunk = takes(chunks->last, time_ms, message) ? chunks->last : begin(chunks, time_ms);
    value_add_uint64(&chunk->events, time_ms - chunk->last_ms);
    value_add_bytes(&chunk->events, message);
    chunk->last_ms = time_ms;
    chunk->count++;
    chunk->bytes += message.size + LOG_EVENT_OVERHEAD;
    chunks->count++;
    chunks->bytes += message.size + LOG_EVENT_OVERHEAD;
}

Error log_chunk_read(Slice events, uint64_t first_ms, size_t count, LogChunkEvent *out)
{
    uint64_t time_ms = first_ms;
    for (size_t i = 0; i < count; i++) {
        uint64_t later;
        TRY(value_take_uint64(&events, &later));
        time_ms += later;
        out[i].time_ms = time_ms;
        TRY(value_take_bytes(&events, &out[i].message));
    }
    return events.size == 0 ? OK : ERROR_MALFORMED;
}

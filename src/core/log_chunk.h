/* log_chunk.h: events of one stream that are kept as one value: how they are written, and read again.
 *
 * A writer fills chunks as events come, outside of any transaction; log_append keeps them. Times in a chunk do not fall,
 * and span LOG_CHUNK_SPAN_MS at most. Of its owner; nothing blocks. */
#ifndef BRUME_CORE_LOG_CHUNK_H
#define BRUME_CORE_LOG_CHUNK_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    LOG_CHUNK_BYTES = 128 * 1024,         /* a chunk with that much takes no further event */
    LOG_CHUNK_SPAN_MS = 24 * 3600 * 1000, /* of a chunk's times */
    LOG_EVENT_OVERHEAD = 26, /* CloudWatch Logs API reference, PutLogEvents: what an event counts beside its message */
};

typedef struct LogChunk {
    struct LogChunk *next; /* the rest of what was written */
    Buffer events;
    uint64_t first_ms;
    uint64_t last_ms;
    uint64_t count;
    uint64_t bytes; /* as they are counted: messages and overhead */
} LogChunk;

/* Chunks in the order in which they were begun. Starts zeroed, with its arena. */
typedef struct LogChunks {
    Arena *arena;
    LogChunk *first;
    LogChunk *last;
    uint64_t count; /* of events */
    uint64_t bytes;
} LogChunks;

void log_chunks_add(LogChunks *chunks, uint64_t time_ms, Slice message);

/* One event of a chunk's value, a view into it. */
typedef struct LogChunkEvent {
    uint64_t time_ms;
    Slice message;
} LogChunkEvent;

/* Reads `events` as LogChunk has them, `count` of them. ERROR_MALFORMED. */
Error log_chunk_read(Slice events, uint64_t first_ms, size_t count, LogChunkEvent *out);

#endif

/* buffer.h: a growing run of bytes in an arena, for writers (JSON, XML, keys, heads of answers).
 *
 * Growing moves the bytes, so a slice of them is taken when writing has ended (buffer_slice). */
#ifndef BRUME_BASE_BUFFER_H
#define BRUME_BASE_BUFFER_H

#include "base/arena.h"

typedef struct Buffer {
    Arena *arena;
    char *data;
    size_t size;
    size_t capacity;
} Buffer;

static inline Buffer buffer_make(Arena *arena)
{
    return (Buffer){.arena = arena};
}

void buffer_grow(Buffer *buffer, size_t extra);

/* Room for `extra` bytes behind the end; the caller writes them and adds to `size`. */
static inline char *buffer_reserve(Buffer *buffer, size_t extra)
{
    if (buffer->capacity - buffer->size < extra)
        buffer_grow(buffer, extra);
    return buffer->data + buffer->size;
}

static inline void buffer_add_byte(Buffer *buffer, char byte)
{
    *buffer_reserve(buffer, 1) = byte;
    buffer->size++;
}

static inline void buffer_add(Buffer *buffer, Slice slice)
{
    if (slice.size == 0)
        return;
    memcpy(buffer_reserve(buffer, slice.size), slice.data, slice.size);
    buffer->size += slice.size;
}

#define BUFFER_ADD(buffer, literal) buffer_add((buffer), SLICE(literal))

void buffer_add_uint64(Buffer *buffer, uint64_t value);
void buffer_add_int64(Buffer *buffer, int64_t value);
__attribute__((format(printf, 2, 3))) void buffer_add_format(Buffer *buffer, const char *format, ...);

static inline Slice buffer_slice(const Buffer *buffer)
{
    return (Slice){buffer->data == NULL ? "" : buffer->data, buffer->size};
}

#endif

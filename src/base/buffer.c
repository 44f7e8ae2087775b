#include "base/buffer.h"

#include "base/bug.h"

#include <stdio.h>

enum { BUFFER_MIN = 128 };

void buffer_grow(Buffer *buffer, size_t extra)
{
    size_t capacity = buffer->capacity == 0 ? BUFFER_MIN : buffer->capacity * 2;
    if (capacity < buffer->size + extra)
        capacity = buffer->size + extra;
    char *data = arena_alloc_aligned(buffer->arena, capacity, 8);
    if (buffer->size > 0)
        memcpy(data, buffer->data, buffer->size);
    buffer->data = data;
    buffer->capacity = capacity;
}

void buffer_add_uint64(Buffer *buffer, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buffer_add(buffer, slice_make(digits + at, sizeof digits - at));
}

void buffer_add_int64(Buffer *buffer, int64_t value)
{
    if (value < 0)
        buffer_add_byte(buffer, '-');
    buffer_add_uint64(buffer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buffer_add_format(Buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    size_t room = buffer->capacity - buffer->size;
    int size = vsnprintf(room == 0 ? NULL : buffer->data + buffer->size, room, format, arguments);
    ASSERT(size >= 0);
    if ((size_t)size >= room)
        vsnprintf(buffer_reserve(buffer, (size_t)size + 1), (size_t)size + 1, format, again);
    buffer->size += (size_t)size;
    va_end(again);
    va_end(arguments);
}

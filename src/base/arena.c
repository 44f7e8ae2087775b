#include "base/arena.h"

#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_CHUNK_MIN = 2048, ARENA_CHUNK_MAX = 256 * 1024 };

struct ArenaChunk {
    ArenaChunk *older;
    size_t size; /* of the whole chunk, this header included */
    max_align_t bytes[];
};

void *arena_grow_and_alloc(Arena *arena, size_t size, size_t alignment)
{
    size_t chunk_size = arena->chunk == NULL ? ARENA_CHUNK_MIN : arena->chunk->size * 2;
    if (chunk_size > ARENA_CHUNK_MAX)
        chunk_size = ARENA_CHUNK_MAX;
    ASSERT(size <= SIZE_MAX / 2);
    size_t needed = sizeof(ArenaChunk) + size + alignment;
    if (chunk_size < needed)
        chunk_size = needed;
    ArenaChunk *chunk = malloc(chunk_size);
    ASSERT(chunk != NULL);
    chunk->older = arena->chunk;
    chunk->size = chunk_size;
    arena->chunk = chunk;
    arena->at = (char *)chunk->bytes;
    arena->end = (char *)chunk + chunk_size;
    return arena_alloc_aligned(arena, size, alignment);
}

ArenaMark arena_mark(const Arena *arena)
{
    return (ArenaMark){arena->chunk, arena->at};
}

void arena_rewind(Arena *arena, ArenaMark mark)
{
    while (arena->chunk != mark.chunk) {
        ArenaChunk *older = arena->chunk->older;
        free(arena->chunk);
        arena->chunk = older;
    }
    arena->at = mark.at;
    arena->end = arena->chunk == NULL ? NULL : (char *)arena->chunk + arena->chunk->size;
}

void arena_free(Arena *arena)
{
    arena_rewind(arena, (ArenaMark){0});
}

size_t arena_footprint(const Arena *arena)
{
    size_t total = 0;
    for (const ArenaChunk *chunk = arena->chunk; chunk != NULL; chunk = chunk->older)
        total += chunk->size;
    return total;
}

Slice arena_copy(Arena *arena, Slice slice)
{
    char *bytes = arena_alloc_aligned(arena, slice.size + 1, 1);
    if (slice.size > 0)
        memcpy(bytes, slice.data, slice.size);
    bytes[slice.size] = '\0';
    return (Slice){bytes, slice.size};
}

Slice arena_lower(Arena *arena, Slice slice)
{
    char *lower = arena_string(arena, slice);
    for (size_t i = 0; i < slice.size; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    return slice_make(lower, slice.size);
}

char *arena_string(Arena *arena, Slice slice)
{
    return (char *)arena_copy(arena, slice).data;
}

Slice arena_vformat(Arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    size_t room = arena->chunk == NULL ? 0 : (size_t)(arena->end - arena->at);
    /* Into what is free, which nearly always suffices: formatting costs more than any copy. */
    int size = vsnprintf(room == 0 ? NULL : arena->at, room, format, arguments);
    ASSERT(size >= 0);
    char *bytes = arena_alloc_aligned(arena, (size_t)size + 1, 1);
    if ((size_t)size >= room)
        vsnprintf(bytes, (size_t)size + 1, format, again);
    va_end(again);
    return (Slice){bytes, (size_t)size};
}

Slice arena_format(Arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Slice result = arena_vformat(arena, format, arguments);
    va_end(arguments);
    return result;
}

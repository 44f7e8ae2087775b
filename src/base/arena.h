/* arena.h: memory that dies at once.
 *
 * A bump allocator over chunks that double up to ARENA_CHUNK_MAX. One owner at a time; handing the arena over hands
 * over all that is in it. Allocation never fails: out of memory aborts the process, which recovers at its restart.
 * Chunk memory comes from malloc, so that sanitizers see what outlives an arena. */
#ifndef BRUME_BASE_ARENA_H
#define BRUME_BASE_ARENA_H

#include "base/slice.h"

#include <stdarg.h>

typedef struct ArenaChunk ArenaChunk;

typedef struct Arena {
    ArenaChunk *chunk; /* the newest; older ones hang behind it */
    char *at;
    char *end;
} Arena;

/* A place to go back to. */
typedef struct ArenaMark {
    ArenaChunk *chunk;
    char *at;
} ArenaMark;

/* Empty; allocates nothing yet. */
static inline Arena arena_make(void)
{
    return (Arena){0};
}

/* Frees everything; the arena is empty again. */
void arena_free(Arena *arena);

ArenaMark arena_mark(const Arena *arena);
/* Frees what was allocated since `mark`. */
void arena_rewind(Arena *arena, ArenaMark mark);

/* Bytes held from malloc. */
size_t arena_footprint(const Arena *arena);

void *arena_grow_and_alloc(Arena *arena, size_t size, size_t alignment);

/* `size` uninitialized bytes at `alignment` (a power of two). */
static inline void *arena_alloc_aligned(Arena *arena, size_t size, size_t alignment)
{
    size_t padding = -(size_t)(uintptr_t)arena->at & (alignment - 1);
    if (arena->chunk == NULL || size > (size_t)(arena->end - arena->at) ||
        padding > (size_t)(arena->end - arena->at) - size)
        return arena_grow_and_alloc(arena, size, alignment);
    char *result = arena->at + padding;
    arena->at = result + size;
    return result;
}

/* Uninitialized, aligned for any type. */
static inline void *arena_alloc(Arena *arena, size_t size)
{
    return arena_alloc_aligned(arena, size, _Alignof(max_align_t));
}

/* Zeroed, aligned for any type. */
static inline void *arena_zalloc(Arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

#define ARENA_NEW(arena, Type) ((Type *)arena_zalloc((arena), sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count) ((Type *)arena_zalloc((arena), sizeof(Type) * (count)))

/* A copy of the bytes, with a NUL behind it that does not count. */
Slice arena_copy(Arena *arena, Slice slice);
/* The same with the letters of ASCII in lower case. */
Slice arena_lower(Arena *arena, Slice slice);
/* A copy as a C string. */
char *arena_string(Arena *arena, Slice slice);
/* printf into the arena. */
__attribute__((format(printf, 2, 3))) Slice arena_format(Arena *arena, const char *format, ...);
__attribute__((format(printf, 2, 0))) Slice arena_vformat(Arena *arena, const char *format, va_list arguments);

#endif

#include "base/gzip.h"

#include "base/bug.h"

#include <zlib.h>

enum {
    WINDOW_GZIP = 15 + 16, /* zlib manual, deflateInit2: the largest window, and gzip's frame */
    MEMORY_LEVEL = 8,      /* the same: its default */
};

static void *take(void *arena, unsigned count, unsigned size)
{
    return arena_alloc(arena, (size_t)count * size);
}

static void leave(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

Slice gzip_pack(Arena *arena, Slice bytes)
{
    z_stream stream = {.zalloc = take, .zfree = leave, .opaque = arena};
    int code = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    ASSERT(code == Z_OK);
    size_t room = deflateBound(&stream, bytes.size);
    char *out = arena_alloc_aligned(arena, room, 1);
    stream.next_in = (Bytef *)(uintptr_t)bytes.data;
    stream.avail_in = (uInt)bytes.size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    code = deflate(&stream, Z_FINISH);
    ASSERT(code == Z_STREAM_END);
    deflateEnd(&stream);
    return slice_make(out, room - stream.avail_out);
}

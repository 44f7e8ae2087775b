/* gzip.h: bytes packed as a gzip file (RFC 1952). Pure; any thread. */
#ifndef BRUME_BASE_GZIP_H
#define BRUME_BASE_GZIP_H

#include "base/arena.h"

Slice gzip_pack(Arena *arena, Slice bytes);

#endif

/* zip_fixture.h: zips made in memory, stored, with whatever one wishes in their headers. */
#ifndef BRUME_TESTS_UNIT_ZIP_FIXTURE_H
#define BRUME_TESTS_UNIT_ZIP_FIXTURE_H

#include "base/buffer.h"

#include <zlib.h>

typedef struct ZipMaker {
    Buffer files;
    Buffer directory;
    size_t count;
} ZipMaker;

static inline ZipMaker zip_make(Arena *arena)
{
    return (ZipMaker){.files = buffer_make(arena), .directory = buffer_make(arena)};
}

static inline void zip_put(Buffer *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer_add_byte(out, (char)(value >> (8 * i) & 0xff));
}

/* `mode`: of Unix, with the file's type; 0: made elsewhere. */
static inline void zip_add(ZipMaker *maker, Slice name, uint32_t mode, Slice content)
{
    size_t place = maker->files.size;
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)content.data, (uInt)content.size);
    Buffer *const outs[] = {&maker->files, &maker->directory};
    for (size_t i = 0; i < 2; i++) {
        zip_put(outs[i], i == 0 ? 0x04034b50 : 0x02014b50, 4);
        if (i == 1)
            zip_put(outs[i], mode == 0 ? 20 : 3 << 8 | 20, 2);
        zip_put(outs[i], 20, 2);
        zip_put(outs[i], 0, 2 + 2 + 4); /* flags, stored, date */
        zip_put(outs[i], crc, 4);
        zip_put(outs[i], content.size, 4);
        zip_put(outs[i], content.size, 4);
        zip_put(outs[i], name.size, 2);
        zip_put(outs[i], 0, 2);
        if (i == 1) {
            zip_put(outs[i], 0, 2 + 2 + 2);
            zip_put(outs[i], (uint64_t)mode << 16, 4);
            zip_put(outs[i], place, 4);
        }
        buffer_add(outs[i], name);
    }
    buffer_add(&maker->files, content);
    maker->count++;
}

static inline Slice zip_end(ZipMaker *maker)
{
    size_t place = maker->files.size;
    buffer_add(&maker->files, buffer_slice(&maker->directory));
    zip_put(&maker->files, 0x06054b50, 4);
    zip_put(&maker->files, 0, 4);
    zip_put(&maker->files, maker->count, 2);
    zip_put(&maker->files, maker->count, 2);
    zip_put(&maker->files, maker->directory.size, 4);
    zip_put(&maker->files, place, 4);
    zip_put(&maker->files, 0, 2);
    return buffer_slice(&maker->files);
}

#endif

#include "base/zip_write.h"

#include "base/bug.h"
#include "base/zip.h"

#include <zlib.h>

enum {
    LOCAL_SIGNATURE = 0x04034b50,
    DIRECTORY_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    VERSION = 20, /* 2.0: deflate */
    MADE_ON_UNIX = 3 << 8 | VERSION,
    NAME_IS_UTF8 = 1 << 11,
    FIRST_DAY = 1 << 5 | 1, /* 1980-01-01 */
    ENTRIES_MAX = 65534,
};

static const uint32_t modes[] = {[ZIP_FILE] = 0100644, [ZIP_EXECUTABLE] = 0100755, [ZIP_LINK] = 0120777};

static void put(Buffer *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer_add_byte(out, (char)(value >> (8 * i)));
}

ZipWriter zip_writer(Arena *arena)
{
    return (ZipWriter){.out = buffer_make(arena), .directory = buffer_make(arena)};
}

/* What it deflates to, behind what `out` has; false: no less than it is. */
static bool deflate_into(Buffer *out, Slice content)
{
    z_stream stream = {0};
    ASSERT(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t bound = deflateBound(&stream, content.size);
    stream.next_in = (Bytef *)(uintptr_t)content.data;
    stream.avail_in = (uInt)content.size;
    stream.next_out = (Bytef *)buffer_reserve(out, bound);
    stream.avail_out = (uInt)bound;
    ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    size_t packed = stream.total_out;
    deflateEnd(&stream);
    if (packed >= content.size)
        return false;
    out->size += packed;
    return true;
}

/* What local header and directory have in common. */
static void put_entry(Buffer *out, uint16_t method, uint32_t crc, size_t packed, size_t size, size_t name_size)
{
    put(out, VERSION, 2);
    put(out, NAME_IS_UTF8, 2);
    put(out, method, 2);
    put(out, 0, 2); /* midnight */
    put(out, FIRST_DAY, 2);
    put(out, crc, 4);
    put(out, packed, 4);
    put(out, size, 4);
    put(out, name_size, 2);
    put(out, 0, 2); /* nothing extra */
}

Error zip_write(ZipWriter *writer, Slice name, ZipFileKind kind, Slice content)
{
    Buffer *out = &writer->out;
    Buffer *directory = &writer->directory;
    size_t start = out->size;
    if (name.size > UINT16_MAX || writer->count >= ENTRIES_MAX || content.size >= UINT32_MAX / 2 ||
        start + content.size + name.size + directory->size >= UINT32_MAX / 2)
        return ERROR_TOO_LARGE;
    Buffer packed = buffer_make(out->arena);
    bool is_deflated = content.size > 0 && deflate_into(&packed, content);
    Slice bytes = is_deflated ? buffer_slice(&packed) : content;
    uint16_t method = is_deflated ? ZIP_DEFLATED : ZIP_STORED;
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)content.data, (uInt)content.size);
    put(out, LOCAL_SIGNATURE, 4);
    put_entry(out, method, crc, bytes.size, content.size, name.size);
    buffer_add(out, name);
    buffer_add(out, bytes);
    put(directory, DIRECTORY_SIGNATURE, 4);
    put(directory, MADE_ON_UNIX, 2);
    put_entry(directory, method, crc, bytes.size, content.size, name.size);
    put(directory, 0, 2 + 2 + 2); /* no comment, the first disk, bytes */
    put(directory, (uint64_t)modes[kind] << 16, 4);
    put(directory, start, 4);
    buffer_add(directory, name);
    writer->count++;
    return OK;
}

Slice zip_finish(ZipWriter *writer)
{
    Buffer *out = &writer->out;
    size_t start = out->size;
    buffer_add(out, buffer_slice(&writer->directory));
    put(out, END_SIGNATURE, 4);
    put(out, 0, 2 + 2); /* one disk */
    put(out, writer->count, 2);
    put(out, writer->count, 2);
    put(out, writer->directory.size, 4);
    put(out, start, 4);
    put(out, 0, 2); /* no comment */
    return buffer_slice(out);
}

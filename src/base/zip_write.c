#include "base/zip.h"

#include "base/bug.h"

#include <zlib.h>

enum {
    LOCAL_SIGNATURE = 0x04034b50,
    DIRECTORY_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    VERSION_NEEDED = 20,
    MADE_ON_UNIX = 3 << 8 | 20,
    NAMES_ARE_UTF8 = 1 << 11,
    FIRST_DATE = 1 << 5 | 1, /* 1980-01-01: the first that there is */
    ENTRIES_MAX = 65534,
    LEVEL = 1, /* of deflation: the fastest */
};

static void add_uint16(Buffer *out, unsigned value)
{
    buffer_add_byte(out, (char)value);
    buffer_add_byte(out, (char)(value >> 8));
}

static void add_uint32(Buffer *out, uint32_t value)
{
    add_uint16(out, value & 0xffff);
    add_uint16(out, value >> 16);
}

ZipWriter zip_writer(Buffer *out)
{
    return (ZipWriter){.out = out, .directory = buffer_make(out->arena)};
}

/* Deflated, or as it is when that is not more. */
static Slice pack(Buffer *scratch, Slice content, unsigned *method)
{
    z_stream stream = {0};
    *method = ZIP_STORED;
    if (content.size == 0)
        return content;
    ASSERT(deflateInit2(&stream, LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&stream, content.size);
    stream.next_in = (Bytef *)(uintptr_t)content.data;
    stream.avail_in = (uInt)content.size;
    stream.next_out = (Bytef *)buffer_reserve(scratch, room);
    stream.avail_out = (uInt)room;
    int status = deflate(&stream, Z_FINISH);
    size_t size = stream.total_out;
    const void *packed = stream.next_out - size;
    deflateEnd(&stream);
    ASSERT(status == Z_STREAM_END);
    if (size >= content.size)
        return content;
    *method = ZIP_DEFLATED;
    return slice_make(packed, size);
}

/* What local header and directory have in common. */
static void add_facts(Buffer *out, unsigned method, uint32_t crc, Slice packed, Slice content, Slice name)
{
    add_uint16(out, NAMES_ARE_UTF8);
    add_uint16(out, method);
    add_uint16(out, 0); /* midnight */
    add_uint16(out, FIRST_DATE);
    add_uint32(out, crc);
    add_uint32(out, (uint32_t)packed.size);
    add_uint32(out, (uint32_t)content.size);
    add_uint16(out, (unsigned)name.size);
    add_uint16(out, 0); /* no further fields */
}

Error zip_add(ZipWriter *writer, Slice name, uint32_t mode, Slice content)
{
    unsigned method;
    if (writer->count == ENTRIES_MAX || name.size > UINT16_MAX ||
        (uint64_t)writer->out->size + content.size + name.size + writer->directory.size > INT32_MAX)
        return ERROR_FULL;
    Arena arena = arena_make();
    Buffer scratch = buffer_make(&arena);
    Slice packed = pack(&scratch, content, &method);
    uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)content.data, (uInt)content.size);
    uint32_t at = (uint32_t)writer->out->size;
    add_uint32(writer->out, LOCAL_SIGNATURE);
    add_uint16(writer->out, VERSION_NEEDED);
    add_facts(writer->out, method, crc, packed, content, name);
    buffer_add(writer->out, name);
    buffer_add(writer->out, packed);
    Buffer *directory = &writer->directory;
    add_uint32(directory, DIRECTORY_SIGNATURE);
    add_uint16(directory, MADE_ON_UNIX);
    add_uint16(directory, VERSION_NEEDED);
    add_facts(directory, method, crc, packed, content, name);
    add_uint16(directory, 0); /* no comment */
    add_uint16(directory, 0); /* the first disk */
    add_uint16(directory, 0);
    add_uint32(directory, mode << 16);
    add_uint32(directory, at);
    buffer_add(directory, name);
    writer->count++;
    arena_free(&arena);
    return OK;
}

void zip_finish(ZipWriter *writer)
{
    uint32_t at = (uint32_t)writer->out->size;
    buffer_add(writer->out, buffer_slice(&writer->directory));
    add_uint32(writer->out, END_SIGNATURE);
    add_uint16(writer->out, 0);
    add_uint16(writer->out, 0);
    add_uint16(writer->out, (unsigned)writer->count);
    add_uint16(writer->out, (unsigned)writer->count);
    add_uint32(writer->out, (uint32_t)writer->directory.size);
    add_uint32(writer->out, at);
    add_uint16(writer->out, 0);
}

#include "base/zip.h"

#include "base/bug.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    END_SIZE = 22, /* of the end record, without its comment */
    END_SIGNATURE = 0x06054b50,
    COMMENT_MAX = 65535,
    DIRECTORY_SIZE = 46, /* of a directory's entry, without name, extra and comment */
    DIRECTORY_SIGNATURE = 0x02014b50,
    LOCAL_SIZE = 30,
    LOCAL_SIGNATURE = 0x04034b50,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1,
    MADE_ON_UNIX = 3,
    COUNT_MANY = 0xffff,
    PIECE_SIZE = 65536,
};

static const uint32_t size_elsewhere = 0xffffffff; /* it stands in the ZIP64 extra field */

static uint64_t take(Slice *from, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)(unsigned char)from->data[i] << (8 * i);
    *from = slice_skip(*from, size);
    return value;
}

/* ---- The end record ---- */

typedef struct End {
    uint64_t count;
    uint64_t directory_size;
    uint64_t directory_place; /* in `file` */
    uint64_t base;            /* of all places: how many bytes stand before the archive */
} End;

static Error parse_end(Slice file, size_t place, End *end)
{
    Slice record = slice_make(file.data + place + 4, END_SIZE - 4);
    uint64_t disk = take(&record, 2);
    uint64_t directory_disk = take(&record, 2);
    uint64_t count_here = take(&record, 2);
    end->count = take(&record, 2);
    end->directory_size = take(&record, 4);
    uint64_t said_place = take(&record, 4);
    if (disk != 0 || directory_disk != 0 || count_here != end->count || end->count == COUNT_MANY)
        return ERROR_MALFORMED;
    if (end->directory_size > place || said_place > place - end->directory_size)
        return ERROR_MALFORMED;
    end->directory_place = place - end->directory_size;
    end->base = end->directory_place - said_place;
    return OK;
}

/* It is the last thing but a comment, whose length it has. */
static Error find_end(Slice file, End *end)
{
    for (size_t back = END_SIZE; back <= file.size && back <= END_SIZE + COMMENT_MAX; back++) {
        size_t place = file.size - back;
        Slice signature = slice_make(file.data + place, 4);
        Slice comment = slice_make(file.data + place + END_SIZE - 2, 2);
        if (take(&signature, 4) == END_SIGNATURE && take(&comment, 2) == back - END_SIZE)
            return parse_end(file, place, end);
    }
    return ERROR_MALFORMED;
}

/* ---- The directory ---- */

/* Sizes and place that were too large for their fields, in this order. */
static Error take_zip64(Slice extra, uint64_t *values[3])
{
    while (extra.size >= 4) {
        uint64_t id = take(&extra, 2);
        uint64_t size = take(&extra, 2);
        if (size > extra.size)
            return ERROR_MALFORMED;
        Slice field = slice_make(extra.data, (size_t)size);
        extra = slice_skip(extra, (size_t)size);
        for (size_t i = 0; id == EXTRA_ZIP64 && i < 3; i++) {
            if (*values[i] != size_elsewhere)
                continue;
            if (field.size < 8)
                return ERROR_MALFORMED;
            *values[i] = take(&field, 8);
        }
    }
    return OK;
}

/* The entry's bytes, behind a local header that says the same name. */
static Error find_packed(Slice file, uint64_t place, uint64_t packed_size, ZipEntry *entry)
{
    if (place > file.size || file.size - place < LOCAL_SIZE)
        return ERROR_MALFORMED;
    Slice header = slice_skip(file, (size_t)place);
    Slice rest = header;
    if (take(&rest, 4) != LOCAL_SIGNATURE)
        return ERROR_MALFORMED;
    rest = slice_skip(header, 26);
    uint64_t name_size = take(&rest, 2);
    uint64_t extra_size = take(&rest, 2);
    if (name_size + extra_size > rest.size || packed_size > rest.size - name_size - extra_size)
        return ERROR_MALFORMED;
    if (!slice_equal(slice_make(rest.data, (size_t)name_size), entry->name))
        return ERROR_MALFORMED;
    entry->packed = slice_make(rest.data + name_size + extra_size, (size_t)packed_size);
    return OK;
}

static Error take_entry(Slice file, uint64_t base, Slice *directory, ZipEntry *entry)
{
    if (directory->size < DIRECTORY_SIZE)
        return ERROR_MALFORMED;
    Slice at = *directory;
    if (take(&at, 4) != DIRECTORY_SIGNATURE)
        return ERROR_MALFORMED;
    uint64_t made_by = take(&at, 2);
    at = slice_skip(at, 2);
    entry->encrypted = (take(&at, 2) & FLAG_ENCRYPTED) != 0;
    entry->method = (uint16_t)take(&at, 2);
    at = slice_skip(at, 4);
    entry->crc = (uint32_t)take(&at, 4);
    uint64_t packed_size = take(&at, 4);
    entry->size = take(&at, 4);
    size_t name_size = (size_t)take(&at, 2);
    size_t extra_size = (size_t)take(&at, 2);
    size_t comment_size = (size_t)take(&at, 2);
    at = slice_skip(at, 4);
    uint64_t attributes = take(&at, 4);
    uint64_t place = take(&at, 4);
    if (name_size + extra_size + comment_size > at.size)
        return ERROR_MALFORMED;
    entry->mode = made_by >> 8 == MADE_ON_UNIX ? (uint32_t)(attributes >> 16) : 0;
    entry->name = slice_make(at.data, name_size);
    uint64_t *values[3] = {&entry->size, &packed_size, &place};
    TRY(take_zip64(slice_make(at.data + name_size, extra_size), values));
    *directory = slice_skip(at, name_size + extra_size + comment_size);
    return place > UINT64_MAX - base ? ERROR_MALFORMED : find_packed(file, base + place, packed_size, entry);
}

static int by_place(const void *a, const void *b)
{
    const char *left = ((const ZipEntry *)a)->packed.data;
    const char *right = ((const ZipEntry *)b)->packed.data;
    return (left > right) - (left < right);
}

/* A local header stands between the bytes of two entries, so that those of honest ones do not even touch. */
static Error check_overlaps(Arena *arena, const ZipArchive *archive, const char *directory)
{
    ZipEntry *sorted = ARENA_ARRAY(arena, ZipEntry, archive->count + 1);
    memcpy(sorted, archive->entries, archive->count * sizeof *sorted);
    qsort(sorted, archive->count, sizeof *sorted, by_place);
    for (size_t i = 0; i < archive->count; i++) {
        const char *end = sorted[i].packed.data + sorted[i].packed.size;
        const char *next =
            i + 1 < archive->count ? sorted[i + 1].packed.data - LOCAL_SIZE - sorted[i + 1].name.size : directory;
        if (end > next)
            return ERROR_MALFORMED;
    }
    return OK;
}

Error zip_read(Slice file, Arena *arena, ZipArchive *archive)
{
    End end;
    TRY(find_end(file, &end));
    Slice directory = slice_make(file.data + end.directory_place, (size_t)end.directory_size);
    const char *start = directory.data;
    if (end.count > directory.size / DIRECTORY_SIZE)
        return ERROR_MALFORMED;
    *archive = (ZipArchive){.entries = ARENA_ARRAY(arena, ZipEntry, end.count + 1), .count = end.count};
    for (size_t i = 0; i < archive->count; i++)
        TRY(take_entry(file, end.base, &directory, &archive->entries[i]));
    return check_overlaps(arena, archive, start);
}

/* ---- Contents ---- */

typedef struct Unpacking {
    const ZipEntry *entry;
    Error (*piece)(void *user, Slice bytes);
    void *user;
    uint64_t size;
    uint32_t crc;
} Unpacking;

static Error give(Unpacking *unpacking, Slice bytes)
{
    unpacking->size += bytes.size;
    if (unpacking->size > unpacking->entry->size)
        return ERROR_MALFORMED;
    unpacking->crc = (uint32_t)crc32(unpacking->crc, (const Bytef *)bytes.data, (uInt)bytes.size);
    return unpacking->piece(unpacking->user, bytes);
}

static Error inflate_pieces(Unpacking *unpacking, z_stream *stream)
{
    static _Thread_local char piece[PIECE_SIZE];
    for (;;) {
        stream->next_out = (Bytef *)piece;
        stream->avail_out = sizeof piece;
        int status = inflate(stream, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END)
            return ERROR_MALFORMED;
        TRY(give(unpacking, slice_make(piece, sizeof piece - stream->avail_out)));
        if (status == Z_STREAM_END)
            return stream->avail_in == 0 ? OK : ERROR_MALFORMED;
    }
}

static Error inflate_entry(Unpacking *unpacking)
{
    Slice packed = unpacking->entry->packed;
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.size};
    ASSERT(inflateInit2(&stream, -MAX_WBITS) == Z_OK);
    Error error = inflate_pieces(unpacking, &stream);
    inflateEnd(&stream);
    return error;
}

Error zip_unpack(const ZipEntry *entry, Error (*piece)(void *user, Slice bytes), void *user)
{
    Unpacking unpacking = {.entry = entry, .piece = piece, .user = user};
    if (entry->encrypted || entry->packed.size > UINT32_MAX)
        return ERROR_MALFORMED;
    if (entry->method == ZIP_STORED)
        TRY(give(&unpacking, entry->packed));
    else if (entry->method == ZIP_DEFLATED)
        TRY(inflate_entry(&unpacking));
    else
        return ERROR_MALFORMED;
    return unpacking.size == entry->size && unpacking.crc == entry->crc ? OK : ERROR_MALFORMED;
}

/* zip.h: zip archives, read in memory (PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4).
 *
 * Ours rather than libzip's or minizip's: they do not say where an entry lies, so that entries that overlap (and unpack to
 * far more than there is) cannot be seen with them; and Debian has no static libzip for the bundle. zlib inflates. Nothing
 * of the archive is trusted: sizes and places are checked against what is there, local headers against the directory, and
 * contents against their length and CRC.
 *
 * Read: entries stored or deflated, with data descriptors, ZIP64 sizes of entries, bytes before the archive. Refused:
 * several disks, archives with 65535 entries or more. */
#ifndef BRUME_BASE_ZIP_H
#define BRUME_BASE_ZIP_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

typedef struct ZipEntry {
    Slice name;    /* as it stands there: any bytes */
    Slice packed;  /* its bytes in the archive */
    uint64_t size; /* unpacked */
    uint32_t crc;
    uint32_t mode; /* of Unix, with the file's type; 0: the archive was not made on Unix */
    uint16_t method;
    bool encrypted;
} ZipEntry;

typedef struct ZipArchive {
    ZipEntry *entries;
    size_t count;
} ZipArchive;

enum { ZIP_STORED = 0, ZIP_DEFLATED = 8 };

/* Reads the directory; entries lie in `arena`, their slices in `file`. ERROR_MALFORMED: no zip, cut off, or entries that
 * overlap. */
Error zip_read(Slice file, Arena *arena, ZipArchive *archive);

/* Unpacks an entry and gives its bytes piece by piece. ERROR_MALFORMED: another method, or the content is not as long as
 * it should be or has another CRC; or what `piece` gave. */
Error zip_unpack(const ZipEntry *entry, Error (*piece)(void *user, Slice bytes), void *user);

/* ---- Writing (zip_write.c): the same entries give the same bytes, since all of them have one date ---- */

typedef struct ZipWriter {
    Buffer *out;
    Buffer directory;
    size_t count;
} ZipWriter;

/* Writes into `out`, whose arena it uses besides. */
ZipWriter zip_writer(Buffer *out);
/* Adds a file or a link (whose content is its target), deflated when that is less; `mode` with the file's type. ERROR_FULL:
 * the archive would have more than 65534 entries or 4 GiB. */
Error zip_add(ZipWriter *writer, Slice name, uint32_t mode, Slice content);
void zip_finish(ZipWriter *writer);

#endif

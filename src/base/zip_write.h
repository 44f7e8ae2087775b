/* zip_write.h: zip archives, made in memory (PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4).
 *
 * The same files in the same order give the same bytes, on every machine: dates are the format's first day, and modes are
 * 644, 755 or a link's. What becomes smaller by it is deflated. */
#ifndef BRUME_BASE_ZIP_WRITE_H
#define BRUME_BASE_ZIP_WRITE_H

#include "base/buffer.h"
#include "base/error.h"

typedef struct ZipWriter {
    Buffer out;
    Buffer directory;
    size_t count;
} ZipWriter;

typedef enum ZipFileKind { ZIP_FILE, ZIP_EXECUTABLE, ZIP_LINK } ZipFileKind;

ZipWriter zip_writer(Arena *arena);
/* Adds a file by its path ("lib/one.py"), or a link, whose content is where it leads. ERROR_TOO_LARGE: the format ends at
 * 4 GiB and 65 534 files. */
Error zip_write(ZipWriter *writer, Slice name, ZipFileKind kind, Slice content);
/* The archive, in the writer's arena. */
Slice zip_finish(ZipWriter *writer);

#endif

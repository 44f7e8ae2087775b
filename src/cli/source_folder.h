/* source_folder.h: a folder that somebody develops a function in: what is in it, what has changed, and its package.
 *
 * Left out are what version control, Python and editors put there (source_ignores). Bounded in files and bytes; blocks. */
#ifndef BRUME_CLI_SOURCE_FOLDER_H
#define BRUME_CLI_SOURCE_FOLDER_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    SOURCE_FILES_MAX = 50000,
    SOURCE_BYTES_MAX = 250 * 1024 * 1024, /* Lambda quotas: deployment package, unzipped */
};

typedef struct SourceFile {
    Slice path; /* within the folder */
    uint32_t mode;
    uint64_t size;
    int64_t changed_ns;
    uint64_t inode;
} SourceFile;

/* In the order of their paths; all of it in one arena. */
typedef struct SourceFolder {
    SourceFile *files;
    size_t count;
} SourceFolder;

/* Whether a file or folder of that name is none of the function's. */
bool source_ignores(const char *name);
/* ERROR_NOT_FOUND, ERROR_DENIED; ERROR_FULL: it passes the bounds. */
Error source_read(const char *path, Arena *arena, SourceFolder *folder);
/* The files of `now` that `before` did not have so. */
void source_compare(const SourceFolder *before, const SourceFolder *now, Arena *arena, SourceFolder *changed);
/* Whether files of `before` are gone. */
bool source_has_lost(const SourceFolder *before, const SourceFolder *now);
/* Its zip, the same for the same contents. A file that goes meanwhile is left out. ERROR_DENIED, ERROR_FULL, ERROR_IO. */
Error source_package(const char *path, const SourceFolder *folder, Buffer *zip);

#endif

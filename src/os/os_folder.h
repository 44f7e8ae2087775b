/* os_folder.h: folders of many files that are written once: made, synced, put in place, removed.
 *
 * Paths within a folder are relative, have no "..", and are never followed through a link. Blocks: for worker threads.
 * ERROR_FULL, ERROR_EXISTS (a file of that name, or one where a folder should be), ERROR_NOT_FOUND, ERROR_DENIED, ERROR_IO. */
#ifndef BRUME_OS_OS_FOLDER_H
#define BRUME_OS_OS_FOLDER_H

#include "base/buffer.h"
#include "base/error.h"

/* Makes the folder, whose parent is there, and opens it (folder_close). */
Error folder_make(const char *path, int *folder);
void folder_close(int folder);
/* Makes a folder in it, with what stands above; fine when it is there. */
Error folder_add_folder(int folder, const char *name);
/* Makes a file, with the folders above it, and opens it for file_write and file_close. */
Error folder_add_file(int folder, const char *name, unsigned mode, int *file);
Error folder_add_link(int folder, const char *name, const char *target);
Error file_write(int file, Slice piece);
/* Dates it to `seconds` since 1970 and closes it. */
Error file_close(int file, int64_t seconds);
/* Makes durable all that was written on the folder's file system. */
Error folder_sync(int folder);
/* The same, of a folder that is not open. */
Error folder_sync_at(const char *path);

/* Renames a folder and syncs both parents. ERROR_EXISTS: there is one of that name with something in it. */
Error folder_move(const char *from, const char *to);
/* Removes it with all that it holds; what is not there is no error. Links are removed, not followed. */
Error folder_remove(const char *path);
/* The names in it, in no order, without "." and "..". */
Error folder_list(const char *path, Arena *arena, Slice **names, size_t *count);
bool folder_is_there(const char *path);

/* Opens a file to be read, and gives its size. */
Error file_open(const char *path, int *file, uint64_t *size);
/* The next piece, at most `size` bytes; 0 at the end. */
Error file_read(int file, char *bytes, size_t size, size_t *given);
void file_end(int file);
/* A file's bytes as memory, of which the system keeps what it likes; until file_unmap. ERROR_MALFORMED: it is empty. */
Error file_map(const char *path, Slice *bytes);
void file_unmap(Slice bytes);

#endif

/* directory.h: the data directory: who may use it, and what wrote it.
 *
 *     DIR/lock     held by the one process that uses the directory
 *     DIR/format   the version of what is stored, written first when the directory is made, last when it is restored
 *     DIR/db/      the engine's
 *     DIR/functions/  code (core/package.h)
 *
 * Called at start and stop, on the main thread; blocks. Errors come with one line that says what to do. */
#ifndef BRUME_STORE_DIRECTORY_H
#define BRUME_STORE_DIRECTORY_H

#include "os/os.h"
#include "store/store.h"

/* 1: queues, accounts. 2: functions, layers, their code; FIFO queues, move tasks, roles: an older program would serve the
 * rest of it, and let what it does not know of go stale. Older ones are opened, and are of this format from then on. */
enum { STORE_FORMAT = 2 };

typedef struct DataDirectory {
    Os *os;
    int lock;
} DataDirectory;

/* Locks the directory, making it when it is not there, checks its format and opens its engine. ERROR_LOCKED;
 * ERROR_FORMAT; ERROR_DENIED; ERROR_FULL; ERROR_IO; each with `message` (in `arena`). The engine is closed by its store, before
 * data_directory_close. */
Error data_directory_open(Os *os, const char *path, uint64_t cache_bytes, Arena *arena, DataDirectory *directory,
                          Engine **engine, Slice *message);
/* Whether a directory that is there could be opened by this version, without a lock and without a change. ERROR_FORMAT;
 * ERROR_DENIED; ERROR_MALFORMED; ERROR_IO; each with `message`. */
Error data_directory_check(Os *os, const char *path, Arena *arena, Slice *message);
/* Lets go of the lock. */
void data_directory_close(DataDirectory *directory);

/* Fills a new data directory from a backup, whose files go to `files` (store.h), into DIR/functions/. ERROR_EXISTS: there is data in it; ERROR_MALFORMED, ERROR_FORMAT:
 * no whole backup of a version that we know; others as above. A restore that did not end well leaves a directory that
 * data_directory_open refuses, so that nobody takes it for an empty one; another restore takes its place. */
Error data_directory_restore(Os *os, const char *path, BackupRead read, void *source, RestoreFiles *files, Arena *arena,
                             Slice *message);

#endif

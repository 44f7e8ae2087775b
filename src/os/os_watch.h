/* os_watch.h: whether something in a folder changes (inotify(7)). Blocks: for commands, not for a server's loops. */
#ifndef BRUME_OS_OS_WATCH_H
#define BRUME_OS_OS_WATCH_H

#include "base/error.h"

#include <stdbool.h>

enum { FOLDER_WATCH_MAX = 10000 /* folders */ };

typedef struct FolderWatch FolderWatch;

/* Watches a folder and the folders in it, but for files and folders whose name `ignores` wants left out. ERROR_NOT_FOUND,
 * ERROR_DENIED; ERROR_FULL: more folders than FOLDER_WATCH_MAX, or than the system lets a user watch. */
Error folder_watch_open(const char *path, bool (*ignores)(const char *name), FolderWatch **watch);
/* Waits until something has changed since it was asked last, and then until nothing more has for `quiet_ms`, but
 * `longest_ms` at most. ERROR_GONE: the folder itself was removed or moved; ERROR_FULL as above, of folders that are new. */
Error folder_watch_wait(FolderWatch *watch, int quiet_ms, int longest_ms);
void folder_watch_close(FolderWatch *watch);

#endif

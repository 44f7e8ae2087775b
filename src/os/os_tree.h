/* os_tree.h: all files below a folder, and being told when one of them changes.
 *
 * `skip` says of a name which files and folders are left out, with all that is below. Names are relative to the folder
 * ("lib/one.py"). Blocks: for commands. ERROR_NOT_FOUND, ERROR_DENIED, ERROR_IO, and ERROR_EXISTS: it is no folder. */
#ifndef BRUME_OS_OS_TREE_H
#define BRUME_OS_OS_TREE_H

#include "base/arena.h"
#include "base/error.h"

typedef bool (*TreeSkip)(Slice name);

typedef struct TreeFile {
    Slice name;
    bool is_link;
    bool is_executable;
} TreeFile;

/* Sorted by name; links are not followed. ERROR_TOO_LARGE: more files than TREE_FILES_MAX. */
enum { TREE_FILES_MAX = 65000 };
Error tree_list(const char *folder, TreeSkip skip, Arena *arena, TreeFile **files, size_t *count);
/* A file's bytes, or where a link leads. */
Error tree_read(const char *folder, const TreeFile *file, Arena *arena, Slice *content);

/* ---- Changes (inotify(7)) ---- */

typedef struct TreeWatch TreeWatch;

/* ERROR_FULL: the user may not watch so many folders. */
Error tree_watch_open(const char *folder, TreeSkip skip, TreeWatch **watch);
void tree_watch_close(TreeWatch *watch);
/* Waits until something has changed, and then until nothing has for `quiet_ms`, or for ten times as long at most. Gives the
 * names of what was written, moved or removed, each once, in `arena`; more may have changed when there are TREE_CHANGES_MAX. */
enum { TREE_CHANGES_MAX = 256 };
Error tree_watch_wait(TreeWatch *watch, int quiet_ms, Arena *arena, Slice *names, size_t *count);

#endif

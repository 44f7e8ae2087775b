/* sandbox_root.h: what every worker sees as "/", made once.
 *
 * The spawner has a mount namespace of its own. In it, a small file system in memory carries the folders that the sandbox
 * mounts over (/tmp, /proc, /var/task …), a minimal /etc, devices, and read-only views of /usr and of the bootstraps (as
 * /var/brume). Each worker is given a detached copy of these mounts, which costs microseconds. */
#ifndef BRUME_RUNTIME_SANDBOX_ROOT_H
#define BRUME_RUNTIME_SANDBOX_ROOT_H

#include <stdbool.h>

/* Makes it at the folder `place`, which lies in the runtime directory. NULL, or the step that failed with errno. */
const char *sandbox_root_make(const char *place, const char *runtime_directory);

/* Whether workers could see what lies at `path`. */
bool sandbox_root_shows(const char *path);

/* A read-only, detached copy of the mounts at `path`: -1 with errno. */
int sandbox_tree(const char *path);
/* The same of one file or folder of an open root. */
int sandbox_root_copy(const char *place);

#endif

/* package_backup.h: packages of code on their way into a backup and out of it.
 *
 * Their zips go into it, in the order of their folders' names; unpacked, they give the same folders again. Which ones is
 * told by the references among the keys of the backup: it holds what its own state refers to, no more and no less. */
#ifndef BRUME_CORE_PACKAGE_BACKUP_H
#define BRUME_CORE_PACKAGE_BACKUP_H

#include "core/package.h"

/* From now on no package is removed, until packages_backup_close; so call it before backup_open. Any thread. A package
 * that is missing fails the backup (ERROR_NOT_FOUND), and the log names it. */
BackupFiles *packages_backup_open(Packages *packages);
/* After backup_close. */
void packages_backup_close(BackupFiles *files);

/* Lays packages out in the new data directory `directory`, which lives until packages_restore_close. */
RestoreFiles *packages_restore_open(Os *os, const char *directory);
/* Gives how many packages are referred to and were not in the backup, and one of them, in `arena`. */
size_t packages_restore_close(RestoreFiles *files, Arena *arena, Slice *missing);

#endif

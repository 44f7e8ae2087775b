/* disk_fixture.h: a small file system of the test's own, which can be filled.
 *
 * It is a tmpfs in a mount namespace of this process, so that it leaves nothing behind; where the system allows neither
 * root nor a user to have one, it is not mounted, and the tests that need it are skipped and say so. */
#ifndef BRUME_TESTS_UNIT_DISK_FIXTURE_H
#define BRUME_TESTS_UNIT_DISK_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

extern bool disk_is_mounted;
extern char disk_path[];

/* Before any thread is started. */
void disk_make(int mib);
/* Fills the disk up to so much free space; whatever else grows meanwhile takes that. */
void disk_fill(uint64_t leave);
void disk_empty(void);

#endif

/* work_pool.h: a few threads for work that takes time or blocks: unpacking, digests of large bytes, files.
 *
 * Loops and the writer hand tasks to it and get them back by a mailbox; the pool's own mailbox is for those who wait for
 * something else in between (a transaction). Any thread may post. */
#ifndef BRUME_OS_WORK_POOL_H
#define BRUME_OS_WORK_POOL_H

#include "base/task.h"

#include <stdbool.h>

typedef struct WorkPool WorkPool;

/* `queue`: tasks that may wait at once. */
WorkPool *work_pool_open(unsigned threads, size_t queue);
/* False: as many tasks wait as may, or the pool is drained; the task is the caller's still. */
bool work_pool_post(WorkPool *pool, Task *task);
/* Takes all that is posted: for what was begun by a task that the queue had room for. */
Mailbox *work_pool_mailbox(WorkPool *pool);
/* From now on nothing more is taken but by the mailbox; returns when all that was posted has been run. May be called again,
 * for what those who were told of results have posted since. */
void work_pool_drain(WorkPool *pool);
/* Runs what is posted, then ends the threads; posting is a mistake from then on. */
void work_pool_close(WorkPool *pool);

#endif

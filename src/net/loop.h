/* loop.h: event loops: a thread each, with a mailbox.
 *
 * A connection lives on one loop for its life. Everything given to a loop's callbacks is touched on its thread alone;
 * only loop_mailbox's post may be called from elsewhere. Loops never block. */
#ifndef BRUME_NET_LOOP_H
#define BRUME_NET_LOOP_H

#include "base/error.h"
#include "base/task.h"
#include "os/os.h"

#include <uv.h>

typedef struct Loop Loop;

/* Makes a loop; it runs on the calling thread (loop_run) or on one of its own (loop_start), where all signals are
 * blocked. From then on the process ignores SIGPIPE. */
Error loop_open(Os *os, Loop **loop);
Error loop_start(Loop *loop);
/* Runs until loop_stop. */
void loop_run(Loop *loop);
/* Any thread: the loop ends when its mailbox is empty; waits for its thread if it has one. */
void loop_stop(Loop *loop);
/* Runs what was posted since it stopped, on the calling thread: by who is stopped after it, as a store is. True when there
 * was something. */
bool loop_drain(Loop *loop);
/* Closes what is left and frees the loop; after it has stopped. */
void loop_close(Loop *loop);

Mailbox *loop_mailbox(Loop *loop);
Os *loop_os(Loop *loop);
uv_loop_t *loop_uv(Loop *loop);

/* The version of libuv that runs, as "1.44.2"; static. */
const char *loop_library_version(void);

#endif

/* spawner_ends.h: the files of a worker that is being made, at both sides. Inside the spawner. */
#ifndef BRUME_RUNTIME_SPAWNER_ENDS_H
#define BRUME_RUNTIME_SPAWNER_ENDS_H

#include "runtime/spawner_process.h"

typedef struct Ends {
    SandboxFiles inside;
    int sync;
    int orders; /* of a template */
    int events;
    int answers;
    int output;
    int errors;
} Ends;

/* Both sides have no files. */
void ends_none(Ends *ends);
/* Closes a file that there may be, and forgets it. */
void ends_close_file(int *file);
void ends_close_inside(Ends *ends);

/* Two sockets, the outer one non-blocking. False with errno. */
bool ends_make_pair(int type, int *outside, int *inside);

/* Each opens a part: the step that failed with errno, or NULL. All that a worker has; what a copy of a template has of its
 * own; code and layers. */
const char *ends_open(const SpawnerProcess *spawner, const Order *order, const OrderProgram *program, Ends *ends);
const char *ends_open_channel(const SpawnerProcess *spawner, Ends *ends);
const char *ends_open_code(const Order *order, SandboxFiles *inside);

#endif

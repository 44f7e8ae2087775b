/* sm.h: a state machine as a table of states and events, so that no combination is forgotten.
 *
 *     static const SmStep worker_steps[WORKER_STATES][WORKER_EVENTS] = {
 *         [IDLE] = {[READY] = {BUSY, give_event}, [TIMEOUT] = {IDLE, sm_never}}, ...
 *
 * Transitions are checked and logged in one place, sm_step. A machine's state belongs to whoever owns the subject; only
 * that thread steps it. Nothing here blocks, unless an action does. */
#ifndef BRUME_BASE_SM_H
#define BRUME_BASE_SM_H

#include "base/log.h"

/* What is done on a transition. `subject` and `detail` are what sm_step was given. */
typedef void SmAction(void *subject, void *detail);

/* One cell: the state that follows, and what is done when it has been reached. */
typedef struct SmStep {
    unsigned next;
    SmAction *action; /* never NULL: a cell that was forgotten is found by sm_check */
} SmStep;

typedef struct SmTable {
    const char *name; /* of the kind of machine: "worker" */
    const char *const *states;
    const char *const *events; /* the names of the enums' members, in their order */
    unsigned state_count;
    unsigned event_count;
    const SmStep *steps; /* state_count rows of event_count cells: &worker_steps[0][0] */
} SmTable;

/* For cells without anything to do. */
void sm_nothing(void *subject, void *detail);
/* For cells that cannot be reached: reaching one is a bug, told with the names of state and event. */
void sm_never(void *subject, void *detail);

/* A bug (bug.h) unless every cell is filled and leads to a state that exists. Once at start, for each table. */
void sm_check(const SmTable *table);

/* Moves `*state` on by the event, logs the transition at debug level with `id` (which of the machines of this kind it
 * is), and then runs the action, which sees the new state and may step again. `log` may be NULL. */
void sm_step(const SmTable *table, Log *log, uint64_t id, unsigned *state, unsigned event, void *subject, void *detail);

#endif

/* warmer.h: tells the invoker at the start which runtimes the stored functions have, so that the first invocation of a
 * server finds them ready, as the first one after a change of a function does.
 *
 * In the background: pages of functions, read one after the other, with the loop free between them. A Warmer belongs to
 * the loop whose mailbox it was opened with. */
#ifndef BRUME_CORE_WARMER_H
#define BRUME_CORE_WARMER_H

#include "core/invoker.h"
#include "store/store.h"

typedef struct Warmer Warmer;

/* Begins when the mailbox's thread runs. Each runtime of a "$LATEST" is hinted at once (invoker_warm). */
Warmer *warmer_open(Store *store, Invoker *invoker, Mailbox *mailbox, Log *log);
/* When the store has stopped and the loop does not run. What may still be in the mailbox does nothing when it is delivered,
 * and frees the Warmer then. */
void warmer_close(Warmer *warmer);

#endif

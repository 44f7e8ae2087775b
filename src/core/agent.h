/* agent.h: whoever acts on what is stored, in the background (the provisioner, the pollers, the runner of events, the
 * forwarder of logs): somebody puts a key that says that there is something to do; one parked transaction takes such keys,
 * reads what they are about, and only when that is durable does the agent act; then it waits for more.
 *
 * A run that fails is logged and tried again a moment later. An agent ends by itself when the store does. It is a part of
 * its owner and belongs to the loop whose mailbox it was started with. */
#ifndef BRUME_CORE_AGENT_H
#define BRUME_CORE_AGENT_H

#include "base/log.h"
#include "store/store.h"

/* Longer than any process lives: a wait that ends by itself was ended because the store stops. */
#define AGENT_FOREVER_MS (365ull * 24 * 3600 * 1000)
enum { AGENT_RETRY_MS = 1000 }; /* after what failed, on the wall clock */

typedef struct Agent Agent;

typedef struct AgentKey {
    Slice key;
    Slice value;
} AgentKey;

typedef struct AgentOptions {
    Store *store;
    Mailbox *mailbox;
    Log *log;         /* NULL: nothing is logged */
    const char *name; /* of its home, and in the log */
    size_t keys_max;  /* that one run takes */
    /* In a transaction: the keys that it waits for; and those that are looked at once, at the start, before any that has
     * changed. NULL: there are none of these. */
    KeyRange (*changed)(Txn *txn);
    KeyRange (*all)(Txn *txn);
    /* In a transaction, which may be rerun: reads what the keys are about and leaves it in `arena`, as the keys are, for
     * `act`. It deletes those of `changed` that have been dealt with: what stays is found again. */
    Error (*take)(Agent *agent, Txn *txn, const AgentKey *keys, size_t count, Arena *arena);
    /* On the loop, when that is durable; the arena's until the next run. False: it goes on by agent_continue. */
    bool (*act)(Agent *agent);
    /* The store stops: there will be no more to do. OK: what is under way can still be written; otherwise nothing can.
     * NULL: nobody needs to know. */
    void (*stopped)(Agent *agent, Error result);
    /* The last word after agent_close: the owner may be freed. */
    void (*closed)(Agent *agent);
} AgentOptions;

/* Its fields are its own. */
struct Agent {
    AgentOptions options;
    StoreCall call;
    Arena arena; /* of the call */
    size_t count;
    Slice last;  /* the last key of the run, in `arena` */
    Slice place; /* behind which the first look goes on */
    Arena place_arena;
    bool starting; /* what there is at the start is being looked at */
    bool failed;   /* the last run did */
    bool waiting;  /* the call is the store's */
    bool closing;
};

/* Begins at once; the options are copied. */
void agent_start(Agent *agent, const AgentOptions *options);
/* What `act` began has ended: with OK, or with what the log is told before it is tried again. */
void agent_continue(Agent *agent, Error result);
/* When the store has stopped and the loop does not run. True: its owner may be freed. False: the store's last word is
 * still in the mailbox, and `closed` is called when that is delivered. */
bool agent_close(Agent *agent);

#endif

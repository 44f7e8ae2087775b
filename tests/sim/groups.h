/* groups.h: what the simulations of queues with groups share: a model (an array of messages, each with the times that
 * matter), random operations on a store and on the model, power losses, and the comparison of every stored key with what
 * the model knows. What a receive must give is each simulation's own. */
#ifndef BRUME_TESTS_SIM_GROUPS_H
#define BRUME_TESTS_SIM_GROUPS_H

#include "../unit/store_fixture.h"

#include "core/queue_group.h"

enum {
    MESSAGES = 600,
    RECEIPTS = 4000,
    GROUPS = 8,
    NO_GROUP = GROUPS,
    KNOWN = 1200,
    UNSYNCED = 4,
    IN_FLIGHT_LIMIT = 60,
    IDS = 40,
    ATTEMPTS = 6,
    GIVEN = 10,
};

typedef struct ModelMessage {
    bool exists; /* as of the last look: what the sweep takes is gone then */
    MessageId id;
    uint64_t seq;
    unsigned group;
    uint64_t sent_ms;
    uint64_t visible_ms; /* delayed or hidden until then */
    uint64_t received_ms;
    uint64_t first_received_ms;
    uint64_t receive_count;
    int last_receipt; /* -1: none */
} ModelMessage;

/* Since which step a FIFO queue's group can be received. What expires unseen leaves that open. */
typedef struct ModelGroup {
    uint64_t first; /* the number of its first message; 0: it cannot be received */
    uint64_t earliest;
    uint64_t latest;
} ModelGroup;

/* What a FIFO queue remembers. */
typedef struct ModelKnown {
    uint64_t era; /* of the model's, when it was put: what is of another one is not known any more */
    bool attempt;
    bool per_group;
    unsigned id;
    unsigned group;
    uint64_t put_ms;
    QueueSent sent;
    size_t count;
    size_t messages[GIVEN];
    int receipts[GIVEN];
    uint64_t due_ms[GIVEN];
} ModelKnown;

typedef struct Model {
    bool alive;
    uint64_t deleted_ms;
    uint64_t purged_ms;
    uint64_t era; /* another one after each purge and for each queue */
    QueueSettings settings;
    ModelMessage messages[MESSAGES];
    size_t count; /* of messages, gone ones included */
    ModelGroup groups[GROUPS];
    uint64_t busy_ms[GROUPS]; /* at least the processing time of the group's messages since it had none */
    ModelKnown known[KNOWN];
    size_t known_count;
} Model;

typedef struct GivenReceipt {
    char text[80];
    MessageId message;
    uint64_t receive_count;
    uint64_t queue; /* which of the queues that had the name */
} GivenReceipt;

typedef enum OperationKind {
    CREATE,
    SEND,
    RECEIVE,
    DELETE,
    CHANGE,
    PURGE,
    DROP,
    RETAIN,
    DELAY,
    SCOPE,
    OPERATION_KINDS,
} OperationKind;

typedef struct Run Run;

typedef struct Operation {
    Probe probe;
    Run *run;
    OperationKind kind;
    uint64_t milliseconds; /* delay, visibility, retention */
    size_t max;
    size_t receipt;
    unsigned group;
    unsigned id;     /* deduplication, or attempt (ATTEMPTS: none) */
    uint64_t now_ms; /* when it ran */
    /* what came of it */
    Error error;
    QueueSent sent;
    ReceivedMessages received;
} Operation;

struct Run {
    World world;
    bool fifo;
    /* Checks what a receive that took (error OK, no repeat) has given, before the model follows. */
    void (*check_receive)(Run *run, const Operation *operation);
    /* Looks at the model after each step; NULL: nothing to do. */
    void (*after_step)(Run *run);
    uint64_t random;
    uint64_t step;
    uint64_t queue;
    uint64_t eras;
    Model model;
    GivenReceipt receipts[RECEIPTS]; /* every one that was ever given, in answers that power losses took back too */
    size_t receipt_count;
};

uint64_t chance(Run *run, uint64_t below);
bool is_expired(const Model *model, const ModelMessage *message, uint64_t now_ms);
/* Neither delayed nor in flight, whatever its age. */
bool is_visible(const ModelMessage *message, uint64_t now_ms);
ModelMessage *find_message(Model *model, const MessageId *id);
/* How many more may be in flight. */
size_t room_in_flight(const Model *model, uint64_t now_ms);

/* The group's first message that exists; NULL: none. */
ModelMessage *first_of_group(Model *model, unsigned group);

/* ---- What the store holds, and the comparison (groups_observe.c) ---- */

extern const Actor model_actor;
#define MODEL_QUEUE SLICE("orders")
extern const Slice group_names[GROUPS];
/* NO_GROUP for an absent name. */
unsigned group_index(Slice name);

typedef struct Observed {
    bool exists;
    LeaseStatus status; /* 0: new */
    uint64_t due_ms;
    uint64_t receive_count;
    uint64_t sent_ms;
    unsigned group;
    MessageId id;
} Observed;

typedef struct Observation {
    bool alive;
    uint64_t deleted_ms; /* of a queue that is gone, while its name rests */
    Observed messages[MESSAGES];
    size_t count;
    QueueCounts counts;
    QueueState state;
    size_t keys;   /* under KIND_QUEUE */
    size_t known;  /* of them: what is remembered */
    size_t timers; /* TIMER_QUEUE's, or any other's */
    QueueSettings settings;
} Observation;

/* Lets everything that is due run, and looks. */
void observe(Run *run, Observation *seen);
const Observed *find_observed(const Observation *seen, const MessageId *id);
/* Whether what is stored is what the model says. Messages past their retention may wait for the sweep. */
bool matches(const Model *model, const Observation *seen, uint64_t now_ms);
/* Nothing but what belongs to the messages is stored. */
void expect_no_orphans(Run *run, const Observation *seen, uint64_t now_ms);

/* Whether the two are records under the same key; and when the record's bucket is forgotten. */
bool same_key(const ModelKnown *a, const ModelKnown *b);
uint64_t forgotten_ms(const ModelKnown *known);

/* ---- Driving (groups.c) ---- */

/* Runs `steps` operations from that seed. */
void simulate(Run *run, uint64_t seed, size_t steps);
/* Runs `rounds` seeds and a fresh one, or those that BRUME_SIM_ROUNDS or BRUME_SIM_SEED names. */
void simulate_all(void (*prepare)(Run *run), size_t rounds, size_t steps);

#endif

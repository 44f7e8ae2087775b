/* writeset.h: the changes of a group of transactions: a sorted set in an arena, with an undo log.
 *
 * Bodies of one group write into one set, so that a key rewritten by each of them (a queue's counters) reaches the
 * engine once. A body that fails is undone to where it began. One thread at a time. */
#ifndef BRUME_STORE_WRITESET_H
#define BRUME_STORE_WRITESET_H

#include "base/arena.h"
#include "base/error.h"
#include "store/engine.h"

enum { WRITESET_LEVELS = 12 };

typedef enum WriteState {
    WRITE_NONE, /* undone: as if it were not in the set */
    WRITE_PUT,
    WRITE_DELETE,
} WriteState;

typedef struct WriteNode {
    Slice key;
    Slice value;
    WriteState state;
    unsigned levels;
    struct WriteNode *next[];
} WriteNode;

typedef struct WriteUndo {
    WriteNode *node;
    Slice value;
    WriteState state;
} WriteUndo;

typedef struct Writeset {
    Arena arena;
    WriteNode *head;
    uint64_t random;
    size_t count; /* nodes, undone ones included */
    size_t bytes; /* keys and values copied in */
    WriteUndo *undo;
    size_t undo_count;
    size_t undo_capacity;
} Writeset;

void writeset_init(Writeset *set);
void writeset_free(Writeset *set);
/* Empties the set, keeping a little memory. */
void writeset_clear(Writeset *set);

/* Both copy. */
void writeset_put(Writeset *set, Slice key, Slice value);
void writeset_delete(Writeset *set, Slice key);

/* The node of exactly that key, NULL when there is none. */
WriteNode *writeset_find(const Writeset *set, Slice key);
/* The first node with a key at or behind `key`; the last one before `key`. NULL when there is none. */
WriteNode *writeset_at_or_after(const Writeset *set, Slice key);
WriteNode *writeset_before(const Writeset *set, Slice key);

/* Where the undo log stands; undoing goes back to such a place. */
static inline size_t writeset_mark(const Writeset *set)
{
    return set->undo_count;
}
void writeset_undo(Writeset *set, size_t mark);
/* Forgets the undo log: what is in the set stays. */
static inline void writeset_keep(Writeset *set)
{
    set->undo_count = 0;
}

/* All changes in key order, in the set's arena. */
EngineChange *writeset_changes(Writeset *set, size_t *count);

#endif

/* hotset.h: the values of keys that write bodies read again and again (a queue's record, its state).
 *
 * The writer's own, and always equal to the engine's latest state, since nobody else writes: what a group changes is
 * changed here when the engine has taken it. A fixed number of places, one key each; what does not fit is read from the
 * engine, which costs a few microseconds once the key lies in a table. */
#ifndef BRUME_STORE_HOTSET_H
#define BRUME_STORE_HOTSET_H

#include "base/slice.h"
#include "store/engine.h"

enum { HOTSET_PLACES = 1024, HOTSET_VALUE_MAX = 2048 };

typedef struct HotEntry {
    char *bytes; /* key, then value; NULL: the place is empty */
    uint32_t key_size;
    uint32_t value_size;
    uint32_t capacity;
    bool exists; /* false: the engine has no such key */
} HotEntry;

typedef struct Hotset {
    HotEntry entries[HOTSET_PLACES];
} Hotset;

/* Whether the key is held; then `value` is its value (a view until the next call), NULL data when it has none. */
bool hotset_get(const Hotset *hotset, Slice key, Slice *value);
/* Holds the key with what the engine gave, instead of what had its place. */
void hotset_add(Hotset *hotset, Slice key, Slice value);
/* After the engine has taken these changes. */
void hotset_apply(Hotset *hotset, const EngineChange *changes, size_t count);
void hotset_clear(Hotset *hotset);

#endif

/* map.h: a hash map from byte strings to pointers.
 *
 * One owner, who alone touches it; it lives in malloc and copies its keys, not its values. Keys often come from
 * clients, so they are hashed with a secret seed: nobody can choose keys that collide. Nothing blocks; running out of
 * memory is a bug of the machine (bug.h). */
#ifndef BRUME_BASE_MAP_H
#define BRUME_BASE_MAP_H

#include "base/slice.h"

/* Unpredictable in production (os_random), fixed in simulations. */
typedef struct MapSeed {
    uint64_t low;
    uint64_t high;
} MapSeed;

typedef struct MapEntry {
    uint64_t hash;
    Slice key;
    void *value; /* NULL: the place is free */
} MapEntry;

typedef struct Map {
    MapSeed seed;
    MapEntry *entries;
    size_t capacity; /* 0 or a power of two */
    size_t count;
} Map;

/* Empty; allocates nothing yet. */
Map map_make(MapSeed seed);
/* Frees the map and its keys; the values are the owner's. The map is empty again. */
void map_free(Map *map);

/* NULL when there is no such key. */
void *map_get(const Map *map, Slice key);
/* Sets the key's value, which must not be NULL, and gives the one it had before; NULL when there was none. */
void *map_put(Map *map, Slice key, void *value);
/* Takes the key out and gives its value; NULL when there was none. Frees the map's copy of the key. */
void *map_remove(Map *map, Slice key);

/* Walks all entries, in no order that means anything: start with *position = 0; NULL at the end. The map must not
 * change meanwhile. */
const MapEntry *map_next(const Map *map, size_t *position);

/* SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"). */
uint64_t map_hash(MapSeed seed, Slice key);

#endif

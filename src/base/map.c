#include "base/map.h"

#include "base/bug.h"

#include <stdlib.h>

enum { MAP_CAPACITY_MIN = 16 };

/* ---- Hashing ---- */

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    for (; rounds > 0; rounds--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] = rotate_left(v[2], 32);
    }
}

static uint64_t load_little_endian(const char *bytes, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return word;
}

uint64_t map_hash(MapSeed seed, Slice key)
{
    uint64_t v[4] = {seed.low ^ 0x736f6d6570736575u, seed.high ^ 0x646f72616e646f6du, seed.low ^ 0x6c7967656e657261u,
                     seed.high ^ 0x7465646279746573u};
    size_t at = 0;
    for (; key.size - at >= 8; at += 8) {
        uint64_t word = load_little_endian(key.data + at, 8);
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)key.size << 56 | load_little_endian(key.data + at, key.size - at);
    v[3] ^= last;
    sip_rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- The table: open addressing, one place after the other ---- */

Map map_make(MapSeed seed)
{
    return (Map){.seed = seed};
}

void map_free(Map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].value != NULL)
            free((void *)map->entries[i].key.data);
    free(map->entries);
    *map = map_make(map->seed);
}

/* The place of the key, or the free place where it belongs. There is always a free one. */
static size_t find_place(const Map *map, uint64_t hash, Slice key)
{
    size_t mask = map->capacity - 1;
    size_t place = hash & mask;
    while (map->entries[place].value != NULL &&
           (map->entries[place].hash != hash || !slice_equal(map->entries[place].key, key)))
        place = (place + 1) & mask;
    return place;
}

static void resize(Map *map, size_t capacity)
{
    MapEntry *old = map->entries;
    size_t old_capacity = map->capacity;
    map->entries = calloc(capacity, sizeof *map->entries);
    ASSERT(map->entries != NULL);
    map->capacity = capacity;
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].value != NULL)
            map->entries[find_place(map, old[i].hash, old[i].key)] = old[i];
    free(old);
}

static Slice copy_key(Slice key)
{
    char *bytes = malloc(key.size > 0 ? key.size : 1);
    ASSERT(bytes != NULL);
    if (key.size > 0)
        memcpy(bytes, key.data, key.size);
    return slice_make(bytes, key.size);
}

void *map_get(const Map *map, Slice key)
{
    if (map->count == 0)
        return NULL;
    return map->entries[find_place(map, map_hash(map->seed, key), key)].value;
}

void *map_put(Map *map, Slice key, void *value)
{
    ASSERT(value != NULL);
    if (map->count >= map->capacity / 4 * 3)
        resize(map, map->capacity == 0 ? MAP_CAPACITY_MIN : map->capacity * 2);
    uint64_t hash = map_hash(map->seed, key);
    MapEntry *entry = &map->entries[find_place(map, hash, key)];
    void *before = entry->value;
    if (before == NULL) {
        entry->hash = hash;
        entry->key = copy_key(key);
        map->count++;
    }
    entry->value = value;
    return before;
}

/* Closes the gap: each entry behind it moves up, unless that would take it in front of where its search begins. */
static void close_gap(Map *map, size_t gap)
{
    size_t mask = map->capacity - 1;
    for (size_t place = (gap + 1) & mask; map->entries[place].value != NULL; place = (place + 1) & mask) {
        size_t wanted = map->entries[place].hash & mask;
        if (((place - wanted) & mask) < ((place - gap) & mask))
            continue;
        map->entries[gap] = map->entries[place];
        gap = place;
    }
    map->entries[gap] = (MapEntry){0};
}

void *map_remove(Map *map, Slice key)
{
    if (map->count == 0)
        return NULL;
    size_t place = find_place(map, map_hash(map->seed, key), key);
    void *value = map->entries[place].value;
    if (value == NULL)
        return NULL;
    free((void *)map->entries[place].key.data);
    close_gap(map, place);
    map->count--;
    /* An idle server gives back what a busy hour took. */
    if (map->capacity > MAP_CAPACITY_MIN && map->count < map->capacity / 8)
        resize(map, map->capacity / 2);
    return value;
}

const MapEntry *map_next(const Map *map, size_t *position)
{
    while (*position < map->capacity) {
        const MapEntry *entry = &map->entries[(*position)++];
        if (entry->value != NULL)
            return entry;
    }
    return NULL;
}

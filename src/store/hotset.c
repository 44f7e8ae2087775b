#include "store/hotset.h"

#include "base/bug.h"

#include <stdlib.h>

static size_t place_of(Slice key)
{
    /* The last bytes tell keys of one resource apart, the size and first ones the resources. */
    uint64_t hash = key.size * 0x9E3779B97F4A7C15u;
    uint64_t word;
    size_t at = 0;
    for (; at + sizeof word <= key.size; at += sizeof word) {
        memcpy(&word, key.data + at, sizeof word);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, key.data + at, key.size - at);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return (size_t)(hash >> 54) % HOTSET_PLACES;
}

static bool holds(const HotEntry *entry, Slice key)
{
    return entry->bytes != NULL && entry->key_size == key.size && memcmp(entry->bytes, key.data, key.size) == 0;
}

bool hotset_get(const Hotset *hotset, Slice key, Slice *value)
{
    const HotEntry *entry = &hotset->entries[place_of(key)];
    if (!holds(entry, key))
        return false;
    *value = entry->exists ? slice_make(entry->bytes + entry->key_size, entry->value_size) : (Slice){0};
    return true;
}

static void entry_clear(HotEntry *entry)
{
    free(entry->bytes);
    *entry = (HotEntry){0};
}

static void entry_set(HotEntry *entry, Slice key, Slice value)
{
    if (value.size > HOTSET_VALUE_MAX || key.size > HOTSET_VALUE_MAX) {
        entry_clear(entry);
        return;
    }
    size_t needed = key.size + value.size + 1;
    if (entry->capacity < needed) {
        entry_clear(entry);
        entry->bytes = malloc(needed);
        ASSERT(entry->bytes != NULL);
        entry->capacity = (uint32_t)needed;
    }
    memcpy(entry->bytes, key.data, key.size);
    if (value.size > 0)
        memcpy(entry->bytes + key.size, value.data, value.size);
    entry->key_size = (uint32_t)key.size;
    entry->value_size = (uint32_t)value.size;
    entry->exists = value.data != NULL;
}

void hotset_add(Hotset *hotset, Slice key, Slice value)
{
    entry_set(&hotset->entries[place_of(key)], key, value);
}

void hotset_apply(Hotset *hotset, const EngineChange *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        HotEntry *entry = &hotset->entries[place_of(changes[i].key)];
        if (holds(entry, changes[i].key))
            entry_set(entry, changes[i].key, changes[i].value);
    }
}

void hotset_clear(Hotset *hotset)
{
    for (size_t i = 0; i < HOTSET_PLACES; i++)
        entry_clear(&hotset->entries[i]);
}

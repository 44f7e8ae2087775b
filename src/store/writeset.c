#include "store/writeset.h"

#include <stdlib.h>

#include "base/bug.h"

static WriteNode *node_new(Writeset *set, unsigned levels)
{
    WriteNode *node = arena_zalloc(&set->arena, sizeof(WriteNode) + levels * sizeof(WriteNode *));
    node->levels = levels;
    return node;
}

void writeset_init(Writeset *set)
{
    *set = (Writeset){.random = 0x9E3779B97F4A7C15u};
    set->head = node_new(set, WRITESET_LEVELS);
}

void writeset_free(Writeset *set)
{
    arena_free(&set->arena);
    free(set->undo);
    *set = (Writeset){0};
}

void writeset_clear(Writeset *set)
{
    arena_free(&set->arena);
    set->head = node_new(set, WRITESET_LEVELS);
    set->count = set->bytes = set->undo_count = 0;
}

/* A quarter of the nodes reach each next level. */
static unsigned random_levels(Writeset *set)
{
    set->random ^= set->random << 13;
    set->random ^= set->random >> 7;
    set->random ^= set->random << 17;
    unsigned levels = 1 + (unsigned)__builtin_ctzll(set->random | 1ull << 40) / 2;
    return levels < WRITESET_LEVELS ? levels : WRITESET_LEVELS;
}

/* Fills `before` with the last node before `key` on each level. */
static void find_before(const Writeset *set, Slice key, WriteNode *before[WRITESET_LEVELS])
{
    WriteNode *node = set->head;
    for (unsigned level = WRITESET_LEVELS; level-- > 0;) {
        while (node->next[level] != NULL && slice_compare(node->next[level]->key, key) < 0)
            node = node->next[level];
        before[level] = node;
    }
}

static WriteNode *last_before(const Writeset *set, Slice key)
{
    WriteNode *node = set->head;
    for (unsigned level = WRITESET_LEVELS; level-- > 0;)
        while (node->next[level] != NULL && slice_compare(node->next[level]->key, key) < 0)
            node = node->next[level];
    return node;
}

WriteNode *writeset_at_or_after(const Writeset *set, Slice key)
{
    return last_before(set, key)->next[0];
}

WriteNode *writeset_before(const Writeset *set, Slice key)
{
    WriteNode *node = last_before(set, key);
    return node == set->head ? NULL : node;
}

WriteNode *writeset_find(const Writeset *set, Slice key)
{
    WriteNode *node = writeset_at_or_after(set, key);
    return node != NULL && slice_equal(node->key, key) ? node : NULL;
}

static void log_undo(Writeset *set, WriteNode *node)
{
    if (set->undo_count == set->undo_capacity) {
        set->undo_capacity = set->undo_capacity == 0 ? 64 : set->undo_capacity * 2;
        set->undo = realloc(set->undo, set->undo_capacity * sizeof *set->undo);
        ASSERT(set->undo != NULL);
    }
    set->undo[set->undo_count++] = (WriteUndo){node, node->value, node->state};
}

static void change(Writeset *set, Slice key, Slice value, WriteState state)
{
    WriteNode *before[WRITESET_LEVELS];
    find_before(set, key, before);
    WriteNode *node = before[0]->next[0];
    if (node == NULL || !slice_equal(node->key, key)) {
        node = node_new(set, random_levels(set));
        node->key = arena_copy(&set->arena, key);
        for (unsigned level = 0; level < node->levels; level++) {
            node->next[level] = before[level]->next[level];
            before[level]->next[level] = node;
        }
        set->count++;
        set->bytes += key.size;
    }
    log_undo(set, node);
    node->value = value;
    node->state = state;
    set->bytes += value.size;
}

void writeset_put(Writeset *set, Slice key, Slice value)
{
    change(set, key, arena_copy(&set->arena, value), WRITE_PUT);
}

void writeset_delete(Writeset *set, Slice key)
{
    change(set, key, (Slice){0}, WRITE_DELETE);
}

void writeset_undo(Writeset *set, size_t mark)
{
    while (set->undo_count > mark) {
        WriteUndo *undo = &set->undo[--set->undo_count];
        undo->node->value = undo->value;
        undo->node->state = undo->state;
    }
}

EngineChange *writeset_changes(Writeset *set, size_t *count)
{
    EngineChange *changes = arena_alloc(&set->arena, (set->count + 1) * sizeof *changes);
    size_t used = 0;
    for (WriteNode *node = set->head->next[0]; node != NULL; node = node->next[0])
        if (node->state != WRITE_NONE)
            changes[used++] = (EngineChange){node->key, node->state == WRITE_PUT ? node->value : (Slice){0}};
    *count = used;
    return changes;
}

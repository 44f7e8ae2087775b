/* value.c: what decoders and encoders share about values in C structs. */
#include "aws/wire/call_state.h"
#include "aws/wire/codec.h"

enum { ITEMS_FIRST = 4 };

bool member_is_present(const Member *member, const void *structure)
{
    if (member->has_offset != 0)
        return *(const bool *)((const char *)structure + member->has_offset);
    /* Slices, lists and maps begin with a pointer, structures are one: NULL is absence (descriptor.h). */
    const void *pointer;
    memcpy(&pointer, member_value_const(member, structure), sizeof pointer);
    return pointer != NULL;
}

void *items_add(Call *call, const Shape *shape, Items *items, size_t *capacity)
{
    if (call->state->item_count++ >= call->state->item_limit)
        return NULL;
    if (items->count == *capacity) {
        size_t wider = *capacity == 0 ? ITEMS_FIRST : *capacity * 2;
        void *moved = arena_zalloc(call->arena, wider * shape->entry_size);
        if (items->count > 0)
            memcpy(moved, items->items, items->count * shape->entry_size);
        items->items = moved;
        *capacity = wider;
    }
    return (char *)items->items + shape->entry_size * items->count++;
}

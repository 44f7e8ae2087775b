#include "core/event_record.h"

enum { SCHEMA_EVENT = 1, SCHEMA_MARK = 1, SCHEMA_TIMER = 1 };

/* ---- Events ---- */

static Buffer owner_key(Arena *arena, const EventOwner *owner)
{
    Buffer key = key_start(arena, owner->account, owner->region, KIND_EVENT);
    key_add_uint64(&key, owner->number);
    return key;
}

static Slice event_key(Arena *arena, const EventOwner *owner, EventPlace place)
{
    Buffer key = owner_key(arena, owner);
    key_add_uint64(&key, place.due_ms);
    key_add_uint64(&key, place.sequence);
    return buffer_slice(&key);
}

KeyRange event_range(Arena *arena, const EventOwner *owner, EventPlace from, uint64_t due_ms)
{
    return (KeyRange){event_key(arena, owner, from), event_key(arena, owner, (EventPlace){due_ms + 1, 0})};
}

Error event_put(Txn *txn, StoredEvent *event, uint64_t due_ms)
{
    event->place.due_ms = due_ms;
    TRY(txn_new_number(txn, &event->place.sequence));
    Buffer value = value_start(txn_arena(txn), SCHEMA_EVENT);
    buffer_reserve(&value, event->payload.size + event->trace.size + event->client_context.size + 128);
    value_add_uint64(&value, event->kind);
    value_add_uint64(&value, event->accepted_ms);
    value_add_uint64(&value, event->attempts);
    value_add_uint64(&value, event->setbacks);
    value_add_uint64(&value, event->error_code);
    value_add_bytes(&value, event->error_message);
    value_add_bytes(&value, event->target);
    value_add_bytes(&value, event->request_id);
    value_add_optional(&value, event->qualifier);
    value_add_optional(&value, event->trace);
    value_add_optional(&value, event->client_context);
    value_add_optional(&value, event->tenant_id);
    value_add_bytes(&value, event->payload);
    txn_put(txn, event_key(txn_arena(txn), &event->owner, event->place), buffer_slice(&value));
    return OK;
}

void event_delete(Txn *txn, const StoredEvent *event)
{
    txn_delete(txn, event_key(txn_arena(txn), &event->owner, event->place));
}

static Error read_place(const EventOwner *owner, Slice key, EventPlace *place)
{
    Arena arena = arena_make();
    key = slice_skip(key, owner_key(&arena, owner).size);
    arena_free(&arena);
    TRY(key_take_uint64(&key, &place->due_ms));
    return key_take_uint64(&key, &place->sequence);
}

Error event_read(const EventOwner *owner, Slice key, Slice value, StoredEvent *event)
{
    uint8_t schema;
    uint64_t kind;
    *event = (StoredEvent){.owner = *owner};
    TRY(read_place(owner, key, &event->place));
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_EVENT)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &kind));
    event->kind = (EventKind)kind;
    TRY(value_take_uint64(&value, &event->accepted_ms));
    TRY(value_take_uint64(&value, &event->attempts));
    TRY(value_take_uint64(&value, &event->setbacks));
    TRY(value_take_uint64(&value, &event->error_code));
    TRY(value_take_bytes(&value, &event->error_message));
    TRY(value_take_bytes(&value, &event->target));
    TRY(value_take_bytes(&value, &event->request_id));
    TRY(value_take_optional(&value, &event->qualifier));
    TRY(value_take_optional(&value, &event->trace));
    TRY(value_take_optional(&value, &event->client_context));
    TRY(value_take_optional(&value, &event->tenant_id));
    return value_take_bytes(&value, &event->payload);
}

StoredEvent event_copy(const StoredEvent *event, Arena *arena)
{
    StoredEvent copy = *event;
    Slice *const slices[] = {
        &copy.owner.account,  &copy.owner.region, &copy.owner.name, &copy.error_message,
        &copy.target,         &copy.request_id,   &copy.qualifier,  &copy.trace,
        &copy.client_context, &copy.tenant_id,    &copy.payload,
    };
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        if (slices[i]->data != NULL)
            *slices[i] = arena_copy(arena, *slices[i]);
    return copy;
}

/* ---- Marks ---- */

static Buffer mark_start(Arena *arena, char tag)
{
    Buffer key = key_start(arena, SLICE(""), SLICE(""), KIND_EVENT_READY);
    key_add_tag(&key, tag);
    return key;
}

static Slice mark_key(Arena *arena, char tag, const EventOwner *owner)
{
    Buffer key = mark_start(arena, tag);
    key_add_string(&key, owner->account);
    key_add_string(&key, owner->region);
    key_add_string(&key, owner->name);
    key_add_uint64(&key, owner->number);
    return buffer_slice(&key);
}

KeyRange event_mark_range(Arena *arena, char tag)
{
    Buffer prefix = mark_start(arena, tag);
    return key_range_of_prefix(arena, buffer_slice(&prefix));
}

static Error read_mark_value(Slice value, EventPlace *place)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_MARK)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &place->due_ms));
    return value_take_uint64(&value, &place->sequence);
}

Error event_mark_read(Arena *arena, Slice key, Slice value, EventOwner *owner, EventPlace *place)
{
    Slice rest = arena_copy(arena, slice_skip(key, mark_start(arena, EVENT_MARK_OWNER).size));
    TRY(key_take_string(&rest, arena, &owner->account));
    TRY(key_take_string(&rest, arena, &owner->region));
    TRY(key_take_string(&rest, arena, &owner->name));
    TRY(key_take_uint64(&rest, &owner->number));
    return read_mark_value(value, place);
}

static Error get_mark(Txn *txn, char tag, const EventOwner *owner, EventPlace *place, bool *found)
{
    Slice value;
    TRY(txn_get(txn, mark_key(txn_arena(txn), tag, owner), &value, found));
    return *found ? read_mark_value(value, place) : OK;
}

static void put_mark(Txn *txn, char tag, const EventOwner *owner, EventPlace place)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_MARK);
    value_add_uint64(&value, place.due_ms);
    value_add_uint64(&value, place.sequence);
    txn_put(txn, mark_key(txn_arena(txn), tag, owner), buffer_slice(&value));
}

/* The mark is there, and says no later place. */
static Error lower_mark(Txn *txn, char tag, const EventOwner *owner, EventPlace place)
{
    EventPlace before;
    bool found;
    TRY(get_mark(txn, tag, owner, &before, &found));
    if (!found || event_place_compare(place, before) < 0)
        put_mark(txn, tag, owner, place);
    return OK;
}

void event_mark_delete(Txn *txn, char tag, const EventOwner *owner)
{
    txn_delete(txn, mark_key(txn_arena(txn), tag, owner));
}

Error event_mark_changed(Txn *txn, const EventOwner *owner, EventPlace place)
{
    EventPlace before;
    bool found;
    TRY(get_mark(txn, EVENT_MARK_CHANGED, owner, &before, &found));
    /* While one is there, the events that come behind it cost nothing more. */
    if (found && event_place_compare(before, place) <= 0)
        return OK;
    put_mark(txn, EVENT_MARK_CHANGED, owner, place);
    return lower_mark(txn, EVENT_MARK_OWNER, owner, place);
}

Error event_owner_settle(Txn *txn, const EventOwner *owner)
{
    Slice key;
    Slice value;
    EventPlace changed;
    EventPlace head;
    bool is_changed;
    bool found;
    TRY(get_mark(txn, EVENT_MARK_CHANGED, owner, &changed, &is_changed));
    TRY(get_mark(txn, EVENT_MARK_OWNER, owner, &head, &found));
    if (!found)
        return OK;
    Cursor *cursor = txn_scan(txn, event_range(txn_arena(txn), owner, head, UINT64_MAX - 1), SCAN_FORWARD);
    Error error = cursor_next(cursor, &key, &value);
    bool has_events = error == OK && key.data != NULL;
    if (has_events)
        error = read_place(owner, key, &head);
    cursor_close(cursor);
    TRY(error);
    if (has_events)
        put_mark(txn, EVENT_MARK_OWNER, owner, head);
    else if (!is_changed)
        event_mark_delete(txn, EVENT_MARK_OWNER, owner);
    return OK;
}

/* ---- Timers ---- */

static void set_timer(Txn *txn, const EventOwner *owner, uint64_t due_ms)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_TIMER);
    value_add_bytes(&value, owner->account);
    value_add_bytes(&value, owner->region);
    value_add_bytes(&value, owner->name);
    value_add_uint64(&value, owner->number);
    Buffer id = owner_key(txn_arena(txn), owner);
    txn_timer_set(txn, TIMER_EVENT, function_home(owner->account, owner->region, owner->name), due_ms,
                  buffer_slice(&id), buffer_slice(&value));
}

Error event_put_later(Txn *txn, StoredEvent *event, uint64_t due_ms)
{
    TRY(event_put(txn, event, due_ms));
    set_timer(txn, &event->owner, due_ms);
    return lower_mark(txn, EVENT_MARK_OWNER, &event->owner, event->place);
}

Error event_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    (void)id;
    uint8_t schema;
    EventOwner owner;
    EventPlace place;
    bool found;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_TIMER)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &owner.account));
    TRY(value_take_bytes(&value, &owner.region));
    TRY(value_take_bytes(&value, &owner.name));
    TRY(value_take_uint64(&value, &owner.number));
    TRY(get_mark(txn, EVENT_MARK_OWNER, &owner, &place, &found));
    return found ? event_mark_changed(txn, &owner, (EventPlace){due_ms, 0}) : OK;
}

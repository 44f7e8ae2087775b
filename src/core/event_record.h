/* event_record.h: keys and records that the files of events share. For event*.c only.
 *
 * Keys of the store:
 *   account region KIND_EVENT number due_ms sequence           → an event, or what is to be delivered of one
 *   "" "" KIND_EVENT_READY 'o' account region name number      → a function that has events, or had
 *   "" "" KIND_EVENT_READY 'c' account region name number      → the same, where some came or fell due since it was looked at
 *
 * `number` is the function's: one made again under its name has none of the events of the one before. The values of marks
 * are places: before that of 'o' stands no event, so that nobody walks over deleted ones; before that of 'c' none that is
 * new. Whoever has a 'c' has an 'o', and so does whoever has an event. */
#ifndef BRUME_CORE_EVENT_RECORD_H
#define BRUME_CORE_EVENT_RECORD_H

#include "core/event.h"
#include "store/key.h"

enum { EVENT_MARK_OWNER = 'o', EVENT_MARK_CHANGED = 'c' };

typedef struct EventOwner {
    Slice account;
    Slice region;
    Slice name;
    uint64_t number;
} EventOwner;

/* Where an event stands among those of its function: when it is due, on the platform clock, and what keeps it apart. */
typedef struct EventPlace {
    uint64_t due_ms;
    uint64_t sequence;
} EventPlace;

typedef enum EventKind {
    EVENT_TO_RUN = 1,      /* `payload` waits for the function */
    EVENT_RECORD = 2,      /* `payload` is a document for `target`, a destination */
    EVENT_DEAD_LETTER = 3, /* `payload` is the event's, for `target`, a dead-letter queue */
} EventKind;

typedef struct StoredEvent {
    EventKind kind;
    EventOwner owner;
    EventPlace place;
    uint64_t accepted_ms; /* of what is to be delivered: since when */
    uint64_t attempts;    /* that a handler had, and failed at */
    uint64_t setbacks;    /* in a row, that no handler had, or that delivered nothing */
    uint64_t error_code;  /* of the last of them, as HTTP has it; 0: there was none */
    Slice error_message;
    Slice target; /* an ARN */
    Slice request_id;
    Slice qualifier; /* absent, as the next three: none */
    Slice trace;
    Slice client_context;
    Slice tenant_id;
    Slice payload;
} StoredEvent;

static inline int event_place_compare(EventPlace a, EventPlace b)
{
    if (a.due_ms != b.due_ms)
        return a.due_ms < b.due_ms ? -1 : 1;
    return a.sequence < b.sequence ? -1 : a.sequence > b.sequence;
}

/* ---- Events ---- */

/* Those of the owner from `from` to what is due at `due_ms`, included. */
KeyRange event_range(Arena *arena, const EventOwner *owner, EventPlace from, uint64_t due_ms);
/* Under a new place, at `due_ms`. */
Error event_put(Txn *txn, StoredEvent *event, uint64_t due_ms);
void event_delete(Txn *txn, const StoredEvent *event);
/* Reads what a scan has found; its slices lie where key and value do. */
Error event_read(const EventOwner *owner, Slice key, Slice value, StoredEvent *event);
/* A copy that needs nothing but the arena. */
StoredEvent event_copy(const StoredEvent *event, Arena *arena);

/* ---- Marks ---- */

KeyRange event_mark_range(Arena *arena, char tag);
/* What a mark's key and value say, in the arena. */
Error event_mark_read(Arena *arena, Slice key, Slice value, EventOwner *owner, EventPlace *place);
void event_mark_delete(Txn *txn, char tag, const EventOwner *owner);
/* An event at that place is to be looked at. */
Error event_mark_changed(Txn *txn, const EventOwner *owner, EventPlace place);
/* Events of the owner are gone: keeps where the first one stands now, or forgets the owner if it has none at all. */
Error event_owner_settle(Txn *txn, const EventOwner *owner);
/* event_put at a later time, when the owner is looked at again. */
Error event_put_later(Txn *txn, StoredEvent *event, uint64_t due_ms);

#endif

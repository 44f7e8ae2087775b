/* log_internal.h: the keys and values of logs, for core/log_*.c alone.
 *
 * Keys, under (account, region, kind):
 *   GROUP   name                            → the group
 *   STREAM  group 's' name                  → a stream
 *           group 't' last event, name      → nothing: streams by their last event
 *           group 'b'                       → what changes with each append: bytes, when something expires
 *   EVENTS  group 'c' sequence              → a chunk
 *           group 'g' class, first, seq.    → a row: where a chunk of the group stands in time
 *           group 'p' stream class, f., s.  → a row: the same of a stream
 *   FILTER  group name                      → a subscription
 *
 * A row's class tells how long its chunk may span, so that a reader who looks for a time knows how far before it a chunk
 * that reaches it may begin, and does not look back a day for the sake of one chunk. */
#ifndef BRUME_CORE_LOG_INTERNAL_H
#define BRUME_CORE_LOG_INTERNAL_H

#include "core/log.h"
#include "store/key.h"

enum {
    LOG_TAG_STREAM = 's',
    LOG_TAG_LAST_EVENT = 't',
    LOG_TAG_STATE = 'b',
    LOG_TAG_CHUNK = 'c',
    LOG_TAG_GROUP_ROW = 'g',
    LOG_TAG_STREAM_ROW = 'p',
};

enum { LOG_CLASSES = 4 };
extern const uint64_t log_class_span_ms[LOG_CLASSES];

/* The beginning of the keys of that kind that a group has, and with a tag behind it. */
Buffer log_group_prefix(Txn *txn, const LogGroup *group, KeyKind kind);
Buffer log_key(Txn *txn, const LogGroup *group, KeyKind kind, char tag);

/* The keys behind `start` that go on with a name which begins with `prefix`, those behind the name `after`. */
KeyRange log_names_range(Txn *txn, Buffer start, Slice prefix, Slice after);

Slice log_group_key(Txn *txn, const LogGroup *group);

/* What changes with each append. */
typedef struct LogState {
    uint64_t bytes;
    uint64_t expiry_ms; /* a timer of retention is set for then; 0: none is */
} LogState;
Error log_state_get(Txn *txn, const LogGroup *group, LogState *state);
void log_state_put(Txn *txn, const LogGroup *group, const LogState *state);

/* Where a chunk stands. */
typedef struct LogRow {
    uint64_t first_ms;
    uint64_t sequence;
    uint64_t last_ms;
    uint64_t bytes;
    uint64_t stream; /* its number */
    Slice stream_name;
    unsigned class_number;
} LogRow;

/* The beginning of the rows of a class: of a stream, or (`stream` 0) of the whole group. */
Buffer log_row_prefix(Txn *txn, const LogGroup *group, uint64_t stream, unsigned class_number);
Slice log_row_key(Txn *txn, const LogGroup *group, uint64_t stream, const LogRow *row);
Slice log_row_write(Txn *txn, const LogRow *row);
/* `rest`: the key behind the row's prefix. The slices are views. */
Error log_row_read(Slice rest, Slice value, unsigned class_number, LogRow *row);

Slice log_chunk_key(Txn *txn, const LogGroup *group, uint64_t sequence);
/* A chunk as it is kept. */
typedef struct LogStored {
    uint64_t stream;
    Slice stream_name;
    uint64_t first_ms;
    uint64_t ingested_ms;
    uint64_t count;
    Slice events;
} LogStored;
Slice log_stored_write(Txn *txn, const LogStored *stored);
Error log_stored_read(Slice value, LogStored *stored);
/* Its events, in the transaction's arena. */
Error log_stored_events(Txn *txn, const LogStored *stored, LogChunkEvent **events);

void log_stream_put(Txn *txn, const LogGroup *group, const LogStream *before, const LogStream *stream);
/* Deletes the keys of one chunk. */
void log_chunk_drop(Txn *txn, const LogGroup *group, const LogRow *row);

/* Jobs of TIMER_LOG. */
void log_remove_group(Txn *txn, const LogGroup *group);
void log_remove_stream(Txn *txn, const LogGroup *group, uint64_t stream);
/* Looks after expired events at that time. */
void log_expire_at(Txn *txn, const LogGroup *group, LogState *state, uint64_t due_ms);

/* The oldest time that is not expired; 0: nothing expires. */
static inline uint64_t log_oldest_ms(Txn *txn, const LogGroup *group)
{
    uint64_t kept_ms = group->retention_days * LOG_DAY_MS;
    uint64_t now_ms = txn_now(txn);
    return group->retention_days == 0 || now_ms < kept_ms ? 0 : now_ms - kept_ms;
}

#endif

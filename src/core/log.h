/* log.h: logs: groups of streams of events, kept as chunks of many events each.
 *
 * Bodies over a transaction, in the manner of queue.h: slices given back lie in the transaction's arena. The home of
 * every write is the group. An event has a time, which its writer gave it, and a place in the order of all events: by
 * time, then by when it was taken. Chunks overlap in time as their writers' clocks do; readers merge them.
 *
 * Events older than the group's retention are seen by nobody, and removed in the background; so is what a deleted group
 * or stream leaves. */
#ifndef BRUME_CORE_LOG_H
#define BRUME_CORE_LOG_H

#include "core/core_error.h"
#include "core/identity.h"
#include "core/log_chunk.h"
#include "store/store.h"

enum { LOG_DAY_MS = 24 * 3600 * 1000 };

typedef struct LogGroup {
    Slice account;
    Slice region;
    Slice name;
    uint64_t number; /* never given twice: a group made again under its name has another */
    uint64_t created_ms;
    uint64_t retention_days; /* 0: for ever */
    Slice class_name;        /* "STANDARD" … ; the dialect's */
    Slice kms_key_id;        /* absent: none */
    Labels tags;
    uint64_t forwarded; /* how many subscriptions it has */
    uint64_t measured;  /* how many metric filters */
    Home home;
} LogGroup;

typedef struct LogStream {
    Slice name;
    uint64_t number; /* as a group's */
    uint64_t created_ms;
    bool has_events;
    uint64_t first_ms; /* of its events, ever */
    uint64_t last_ms;
    uint64_t ingested_ms; /* when the last one was taken */
} LogStream;

/* A page of a list, in the manner of FunctionPage. */
typedef struct LogPage {
    Slice after;  /* the place that an earlier `next` gave; empty: the start */
    size_t limit; /* at least 1 */
    Slice next;   /* given back; absent: that was all */
} LogPage;

/* ---- Groups (log_group.c) ---- */

Home log_home(Slice account, Slice region, Slice name);
/* Makes one of what the caller filled in: account, region, name, class, key, tags. LOG_GROUP_EXISTS. */
Error log_group_create(Txn *txn, LogGroup *group);
/* LOG_GROUP_NOT_FOUND. */
Error log_group_open(Txn *txn, Slice account, Slice region, Slice name, LogGroup *group);
/* Keeps what was changed. */
void log_group_put(Txn *txn, const LogGroup *group);
/* The same of its retention: what is too old goes from now on. */
void log_group_put_retention(Txn *txn, LogGroup *group, uint64_t days);
/* Deletes it with all that it has: at once for everyone who asks, the rest in pages soon after. */
Error log_group_delete(Txn *txn, const LogGroup *group);
/* By name: those that begin with `prefix` and have `part` in their names; both may be empty. Looks at a bounded number of
 * names, so that a page may be short, or empty, though `next` is there. */
Error log_group_list(Txn *txn, Slice account, Slice region, Slice prefix, Slice part, LogPage *page, LogGroup **groups,
                     size_t *count);
/* The bytes of its events: messages, and LOG_EVENT_OVERHEAD for each. */
Error log_group_bytes(Txn *txn, const LogGroup *group, uint64_t *bytes);

/* ---- Streams (log_stream.c) ---- */

enum { LOG_STREAMS_WALKED = 100 }; /* that a walk can name: each costs a cursor for each class of chunks */

/* LOG_STREAM_EXISTS. */
Error log_stream_create(Txn *txn, const LogGroup *group, Slice name, LogStream *stream);
/* LOG_STREAM_NOT_FOUND. */
Error log_stream_open(Txn *txn, const LogGroup *group, Slice name, LogStream *stream);
void log_stream_delete(Txn *txn, const LogGroup *group, const LogStream *stream);
/* By name, those that begin with `prefix`; or by the time of their last event, those without first. */
typedef enum LogStreamOrder { LOG_STREAMS_BY_NAME, LOG_STREAMS_BY_LAST_EVENT } LogStreamOrder;
Error log_stream_list(Txn *txn, const LogGroup *group, LogStreamOrder order, bool descending, Slice prefix,
                      LogPage *page, LogStream **streams, size_t *count);

/* ---- Events (log_append.c) ---- */

/* Takes the chunks' events, in their order, and keeps in `stream` what has changed of it. */
Error log_append(Txn *txn, const LogGroup *group, LogStream *stream, const LogChunk *chunks);

/* ---- Reading (log_walk.c) ---- */

/* Where an event stands among all, or the gap before it. */
typedef struct LogPlace {
    uint64_t time_ms;
    uint64_t sequence; /* of its chunk */
    uint64_t index;    /* in its chunk */
} LogPlace;

int log_place_compare(const LogPlace *a, const LogPlace *b);

typedef struct LogEntry {
    LogPlace place;
    Slice stream;
    Slice message;
    uint64_t ingested_ms;
} LogEntry;

enum { LOG_ROWS_PASSED = 20000 }; /* by one walk, of streams that are not meant */

/* What is walked. */
typedef struct LogWalkOptions {
    const LogGroup *group;
    const LogStream *streams; /* NULL: every stream of the group that `takes` */
    size_t stream_count;
    bool (*takes)(void *user, Slice stream); /* NULL: takes all */
    void *user;
    uint64_t from_ms;
    uint64_t until_ms;       /* the first that is too late */
    const LogPlace *gap;     /* forward: only what stands behind it; backward: before it; NULL: no matter */
    uint64_t until_sequence; /* chunks taken later are left out; 0: none are */
    bool backward;
    size_t pass_max; /* 0: LOG_ROWS_PASSED */
} LogWalkOptions;

typedef struct LogWalk LogWalk;
/* In the order of places, or against it. What is expired is left out. */
LogWalk *log_walk_open(Txn *txn, const LogWalkOptions *options);
/* `more` false: that was all, or the walk has paused. ERROR_TOO_LARGE: too many chunks overlap at one time to be merged in
 * memory. */
Error log_walk_next(LogWalk *walk, LogEntry *entry, bool *more);
/* It has passed over so many chunks of streams that are not meant that another transaction should go on, from `gap`, which
 * lies beyond the one that it began with. */
bool log_walk_paused(const LogWalk *walk, LogPlace *gap);
/* How many bytes of chunks have been read: whoever walks far stops there, and goes on with a gap. */
size_t log_walk_bytes(const LogWalk *walk);
void log_walk_close(LogWalk *walk);

/* The sequence of the chunk that the group took last; 0: none. */
Error log_last_sequence(Txn *txn, const LogGroup *group, uint64_t *sequence);
/* Where chunks of the group appear, for txn_wait. */
KeyRange log_arrivals(Txn *txn, const LogGroup *group);
/* The next chunk that the group took behind `sequence`, in that order; `found` false: none. `stream` is its stream's name;
 * `entries` its events. */
Error log_next_chunk(Txn *txn, const LogGroup *group, uint64_t sequence, bool *found, uint64_t *next, Slice *stream,
                     LogEntry **entries, size_t *count);

/* TIMER_LOG's body (log_timer.c). */
Error log_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value);

#endif

/* log_walk.c: events of many chunks, merged into one order.
 *
 * Rows say where chunks stand: of each class they are walked by their first times. A heap holds chunks that may be next, by
 * the place from which on (or, backward, up to which) they have events; a chunk is read only when it comes to the top. Rows
 * are taken into the heap as long as one that has not been taken could stand before the top. */
#include "base/bug.h"
#include "core/log_internal.h"

enum {
    OPEN_BYTES_MAX = 256 << 20, /* chunks that are read and not ended */
    STREAMS_KNOWN = 64,
};

/* A chunk in the heap. */
typedef struct Source {
    LogPlace key; /* nothing of it stands before this (backward: behind it) */
    LogRow row;
    LogChunkEvent *events; /* NULL: not read yet */
    size_t count;
    size_t at; /* the event at `key`, once it is read */
    uint64_t ingested_ms;
    size_t size; /* of its value */
} Source;

/* The rows of one class: of the group, or of one stream. */
typedef struct Rows {
    Cursor *cursor;
    unsigned class_number;
    size_t prefix_size;
    bool has_row;
    LogRow row;  /* the next one */
    bool pauses; /* it is not wanted: when it would be next, the walk pauses */
} Rows;

typedef struct KnownStream {
    uint64_t number;
    bool is_there;
} KnownStream;

struct LogWalk {
    Txn *txn;
    LogWalkOptions options;
    LogPlace gap;
    uint64_t from_ms;
    bool begun;
    Rows *rows;
    size_t rows_count;
    Source **heap;
    size_t count;
    size_t capacity;
    size_t read_bytes;
    size_t open_bytes;
    KnownStream known[STREAMS_KNOWN]; /* by number */
    size_t passed;                    /* rows of streams that are not meant */
    bool paused;
    LogPlace pause;
};

int log_place_compare(const LogPlace *a, const LogPlace *b)
{
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* ---- The heap ---- */

static bool is_before(const LogWalk *walk, const Source *a, const Source *b)
{
    int order = log_place_compare(&a->key, &b->key);
    return walk->options.backward ? order > 0 : order < 0;
}

static void swap(Source **a, Source **b)
{
    Source *kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(LogWalk *walk, size_t at)
{
    for (;;) {
        size_t best = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < walk->count; child++)
            if (is_before(walk, walk->heap[child], walk->heap[best]))
                best = child;
        if (best == at)
            return;
        swap(&walk->heap[at], &walk->heap[best]);
        at = best;
    }
}

static void push(LogWalk *walk, Source *source)
{
    if (walk->count == walk->capacity) {
        walk->capacity = walk->capacity * 2 + 16;
        Source **more = ARENA_ARRAY(txn_arena(walk->txn), Source *, walk->capacity);
        if (walk->count > 0)
            memcpy(more, walk->heap, walk->count * sizeof(Source *));
        walk->heap = more;
    }
    size_t at = walk->count++;
    walk->heap[at] = source;
    while (at > 0 && is_before(walk, walk->heap[at], walk->heap[(at - 1) / 2])) {
        swap(&walk->heap[at], &walk->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void pop(LogWalk *walk)
{
    walk->heap[0] = walk->heap[--walk->count];
    sift_down(walk, 0);
}

/* ---- Rows ---- */

/* What a deleted stream left is seen by nobody. */
static Error stream_is_there(LogWalk *walk, const LogRow *row, bool *is_there)
{
    LogStream stream;
    KnownStream *known = &walk->known[row->stream % STREAMS_KNOWN];
    if (known->number != row->stream) {
        Error error = log_stream_open(walk->txn, walk->options.group, row->stream_name, &stream);
        if (error != OK && error != LOG_STREAM_NOT_FOUND)
            return error;
        *known = (KnownStream){row->stream, error == OK && stream.number == row->stream};
    }
    *is_there = known->is_there;
    return OK;
}

static Error is_wanted(LogWalk *walk, const LogRow *row, bool *wanted)
{
    const LogWalkOptions *options = &walk->options;
    *wanted = row->last_ms >= walk->from_ms && row->first_ms < options->until_ms &&
              (options->until_sequence == 0 || row->sequence <= options->until_sequence);
    if (!*wanted || options->streams != NULL)
        return OK;
    *wanted = options->takes == NULL || options->takes(options->user, row->stream_name);
    if (*wanted)
        TRY(stream_is_there(walk, row, wanted));
    walk->passed += !*wanted;
    return OK;
}

/* The gap beyond which everything of the class stands that has not been taken, from its row on. */
static LogPlace gap_at(const LogWalk *walk, const Rows *rows)
{
    uint64_t reach_ms = walk->options.backward ? log_class_span_ms[rows->class_number] + 1 : 0;
    return (LogPlace){.time_ms = rows->row.first_ms + reach_ms};
}

/* Whether a walk that goes on from there gets any further than this one: rows that reach into its time are passed again. */
static bool is_progress(const LogWalk *walk, const LogPlace *gap)
{
    return walk->options.backward ? gap->time_ms + 1 < walk->options.until_ms : gap->time_ms > walk->from_ms;
}

static Error next_row(LogWalk *walk, Rows *rows)
{
    Slice key;
    Slice value;
    bool wanted = false;
    while (!wanted) {
        TRY(cursor_next(rows->cursor, &key, &value));
        rows->has_row = key.data != NULL;
        if (!rows->has_row)
            return OK;
        TRY(log_row_read(slice_skip(key, rows->prefix_size), value, rows->class_number, &rows->row));
        TRY(is_wanted(walk, &rows->row, &wanted));
        LogPlace gap = gap_at(walk, rows);
        rows->pauses = !wanted && walk->passed >= walk->options.pass_max && is_progress(walk, &gap);
        wanted = wanted || rows->pauses;
    }
    rows->row.stream_name = arena_copy(txn_arena(walk->txn), rows->row.stream_name);
    return OK;
}

static void open_rows(LogWalk *walk, uint64_t stream, unsigned class_number)
{
    const LogWalkOptions *options = &walk->options;
    Arena *arena = txn_arena(walk->txn);
    uint64_t span_ms = log_class_span_ms[class_number];
    Buffer prefix = log_row_prefix(walk->txn, options->group, stream, class_number);
    KeyRange range = key_range_of_prefix(arena, buffer_slice(&prefix));
    Buffer begin = buffer_make(arena);
    Buffer end = buffer_make(arena);
    buffer_add(&begin, buffer_slice(&prefix));
    key_add_uint64(&begin, walk->from_ms < span_ms ? 0 : walk->from_ms - span_ms);
    range.begin = buffer_slice(&begin);
    if (options->until_ms != UINT64_MAX) {
        buffer_add(&end, buffer_slice(&prefix));
        key_add_uint64(&end, options->until_ms);
        range.end = buffer_slice(&end);
    }
    if (slice_compare(range.end, range.begin) < 0)
        range.end = range.begin;
    walk->rows[walk->rows_count++] = (Rows){
        .cursor = txn_scan(walk->txn, range, options->backward ? SCAN_BACKWARD : SCAN_FORWARD),
        .class_number = class_number,
        .prefix_size = prefix.size,
    };
}

/* Whether the next row could stand before what is on top of the heap. */
static bool could_be_next(const LogWalk *walk, const Rows *rows)
{
    if (!rows->has_row || walk->count == 0)
        return rows->has_row;
    const LogPlace *top = &walk->heap[0]->key;
    return walk->options.backward ? rows->row.first_ms + log_class_span_ms[rows->class_number] >= top->time_ms
                                  : rows->row.first_ms <= top->time_ms;
}

/* Of several the first on the way. */
static void pause_at(LogWalk *walk, LogPlace gap)
{
    int order = walk->paused ? log_place_compare(&gap, &walk->pause) : 0;
    if (!walk->paused || (walk->options.backward ? order > 0 : order < 0))
        walk->pause = gap;
    walk->paused = true;
}

static Error take_rows(LogWalk *walk)
{
    for (size_t i = 0; i < walk->rows_count; i++)
        while (!walk->rows[i].pauses && could_be_next(walk, &walk->rows[i])) {
            Source *source = ARENA_NEW(txn_arena(walk->txn), Source);
            source->row = walk->rows[i].row;
            /* As near as the row tells: of chunks that begin in the same millisecond one is read at a time. */
            source->key = walk->options.backward ? (LogPlace){source->row.last_ms, source->row.sequence, UINT64_MAX}
                                                 : (LogPlace){source->row.first_ms, source->row.sequence, 0};
            push(walk, source);
            TRY(next_row(walk, &walk->rows[i]));
        }
    /* Only now is it known what else could be next. */
    for (size_t i = 0; i < walk->rows_count; i++)
        if (walk->rows[i].pauses && could_be_next(walk, &walk->rows[i]))
            pause_at(walk, gap_at(walk, &walk->rows[i]));
    return OK;
}

/* ---- Events ---- */

static LogPlace place_at(const Source *source, size_t at)
{
    return (LogPlace){source->events[at].time_ms, source->row.sequence, at};
}

/* Whether an event that is given in order has still to be passed over. */
static bool is_too_early(const LogWalk *walk, const LogPlace *place)
{
    if (walk->options.backward)
        return place->time_ms >= walk->options.until_ms ||
               (walk->options.gap != NULL && log_place_compare(place, &walk->gap) >= 0);
    return place->time_ms < walk->from_ms || (walk->options.gap != NULL && log_place_compare(place, &walk->gap) < 0);
}

static bool is_too_late(const LogWalk *walk, const LogPlace *place)
{
    return walk->options.backward ? place->time_ms < walk->from_ms : place->time_ms >= walk->options.until_ms;
}

/* Goes on to the next event of the top, or takes it off. */
static void step(LogWalk *walk)
{
    Source *source = walk->heap[0];
    bool backward = walk->options.backward;
    bool ended = backward ? source->at == 0 : source->at + 1 == source->count;
    if (ended) {
        walk->open_bytes -= source->size;
        pop(walk);
        return;
    }
    source->at += backward ? (size_t)-1 : 1;
    source->key = place_at(source, source->at);
    sift_down(walk, 0);
}

/* Reads the chunk on top of the heap. */
static Error open_top(LogWalk *walk)
{
    Slice value;
    bool found;
    LogStored stored;
    Source *source = walk->heap[0];
    TRY(txn_get(walk->txn, log_chunk_key(walk->txn, walk->options.group, source->row.sequence), &value, &found));
    if (!found)
        return ERROR_MALFORMED; /* a row without its chunk */
    TRY(log_stored_read(value, &stored));
    if (stored.count == 0)
        return ERROR_MALFORMED;
    TRY(log_stored_events(walk->txn, &stored, &source->events));
    source->count = stored.count;
    source->ingested_ms = stored.ingested_ms;
    source->size = value.size;
    walk->read_bytes += value.size;
    walk->open_bytes += value.size;
    if (walk->open_bytes > OPEN_BYTES_MAX)
        return ERROR_TOO_LARGE;
    source->at = walk->options.backward ? source->count - 1 : 0;
    source->key = place_at(source, source->at);
    sift_down(walk, 0);
    return OK;
}

Error log_walk_next(LogWalk *walk, LogEntry *entry, bool *more)
{
    *more = false;
    for (size_t i = 0; !walk->begun && i < walk->rows_count; i++)
        TRY(next_row(walk, &walk->rows[i]));
    walk->begun = true;
    for (;;) {
        TRY(take_rows(walk));
        if (walk->count == 0 || walk->paused)
            return OK;
        Source *source = walk->heap[0];
        if (source->events == NULL) {
            TRY(open_top(walk));
            continue;
        }
        if (is_too_late(walk, &source->key))
            return OK;
        bool skipped = is_too_early(walk, &source->key);
        if (!skipped) {
            *entry = (LogEntry){source->key, source->row.stream_name, source->events[source->at].message,
                                source->ingested_ms};
            *more = true;
        }
        step(walk);
        if (!skipped)
            return OK;
    }
}

bool log_walk_paused(const LogWalk *walk, LogPlace *gap)
{
    if (walk->paused)
        *gap = walk->pause;
    return walk->paused;
}

size_t log_walk_bytes(const LogWalk *walk)
{
    return walk->read_bytes;
}

/* ---- Life ---- */

LogWalk *log_walk_open(Txn *txn, const LogWalkOptions *options)
{
    LogWalk *walk = ARENA_NEW(txn_arena(txn), LogWalk);
    walk->txn = txn;
    walk->options = *options;
    if (walk->options.pass_max == 0)
        walk->options.pass_max = LOG_ROWS_PASSED;
    walk->from_ms = options->from_ms;
    uint64_t oldest_ms = log_oldest_ms(txn, options->group);
    if (walk->from_ms < oldest_ms)
        walk->from_ms = oldest_ms;
    if (options->gap != NULL) {
        walk->gap = *options->gap;
        if (!options->backward && walk->gap.time_ms > walk->from_ms)
            walk->from_ms = walk->gap.time_ms;
        if (options->backward && walk->gap.time_ms < walk->options.until_ms)
            walk->options.until_ms = walk->gap.time_ms + 1; /* its own millisecond too */
    }
    size_t streams = options->streams == NULL ? 1 : options->stream_count;
    walk->rows = ARENA_ARRAY(txn_arena(txn), Rows, streams * LOG_CLASSES);
    for (size_t i = 0; i < streams; i++)
        for (unsigned class_number = 0; class_number < LOG_CLASSES; class_number++)
            open_rows(walk, options->streams == NULL ? 0 : options->streams[i].number, class_number);
    return walk;
}

void log_walk_close(LogWalk *walk)
{
    for (size_t i = 0; i < walk->rows_count; i++)
        cursor_close(walk->rows[i].cursor);
}

/* ---- In the order in which chunks were taken ---- */

KeyRange log_arrivals(Txn *txn, const LogGroup *group)
{
    Buffer prefix = log_key(txn, group, KIND_LOG_EVENTS, LOG_TAG_CHUNK);
    return key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix));
}

static Error take_sequence(Txn *txn, const LogGroup *group, Slice key, uint64_t *sequence)
{
    Slice rest = slice_skip(key, log_key(txn, group, KIND_LOG_EVENTS, LOG_TAG_CHUNK).size);
    return key_take_uint64(&rest, sequence);
}

Error log_last_sequence(Txn *txn, const LogGroup *group, uint64_t *sequence)
{
    Slice key;
    Slice value;
    *sequence = 0;
    Cursor *cursor = txn_scan(txn, log_arrivals(txn, group), SCAN_BACKWARD);
    Error error = cursor_next(cursor, &key, &value);
    if (error == OK && key.data != NULL)
        error = take_sequence(txn, group, key, sequence);
    cursor_close(cursor);
    return error;
}

static Error read_entries(Txn *txn, Slice value, uint64_t sequence, Slice *stream, LogEntry **entries, size_t *count)
{
    LogStored stored;
    LogChunkEvent *events;
    TRY(log_stored_read(value, &stored));
    TRY(log_stored_events(txn, &stored, &events));
    *stream = stored.stream_name;
    *count = stored.count;
    *entries = ARENA_ARRAY(txn_arena(txn), LogEntry, stored.count);
    for (size_t i = 0; i < stored.count; i++)
        (*entries)[i] =
            (LogEntry){{events[i].time_ms, sequence, i}, stored.stream_name, events[i].message, stored.ingested_ms};
    return OK;
}

Error log_next_chunk(Txn *txn, const LogGroup *group, uint64_t sequence, bool *found, uint64_t *next, Slice *stream,
                     LogEntry **entries, size_t *count)
{
    Slice key;
    Slice value;
    KeyRange range = log_arrivals(txn, group);
    range.begin = log_chunk_key(txn, group, sequence + 1);
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    Error error = cursor_next(cursor, &key, &value);
    *found = error == OK && key.data != NULL;
    if (*found && (error = take_sequence(txn, group, key, next)) == OK)
        error = read_entries(txn, arena_copy(txn_arena(txn), value), *next, stream, entries, count);
    cursor_close(cursor);
    return error;
}

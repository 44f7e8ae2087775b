#include "core/log_internal.h"

enum { SCHEMA_STREAM = 1, SCHEMA_LAST_EVENT = 1 };

/* ---- Keys and values ---- */

static Slice stream_key(Txn *txn, const LogGroup *group, Slice name)
{
    Buffer key = log_key(txn, group, KIND_LOG_STREAM, LOG_TAG_STREAM);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

/* Streams without events come first. */
static Slice last_event_key(Txn *txn, const LogGroup *group, const LogStream *stream)
{
    Buffer key = log_key(txn, group, KIND_LOG_STREAM, LOG_TAG_LAST_EVENT);
    key_add_uint64(&key, stream->has_events ? stream->last_ms + 1 : 0);
    key_add_string(&key, stream->name);
    return buffer_slice(&key);
}

static Error read_stream(Slice value, LogStream *stream)
{
    uint8_t schema;
    uint64_t has_events;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_STREAM)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &stream->number));
    TRY(value_take_uint64(&value, &stream->created_ms));
    TRY(value_take_uint64(&value, &has_events));
    stream->has_events = has_events != 0;
    TRY(value_take_uint64(&value, &stream->first_ms));
    TRY(value_take_uint64(&value, &stream->last_ms));
    return value_take_uint64(&value, &stream->ingested_ms);
}

void log_stream_put(Txn *txn, const LogGroup *group, const LogStream *before, const LogStream *stream)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_STREAM);
    value_add_uint64(&value, stream->number);
    value_add_uint64(&value, stream->created_ms);
    value_add_uint64(&value, stream->has_events);
    value_add_uint64(&value, stream->first_ms);
    value_add_uint64(&value, stream->last_ms);
    value_add_uint64(&value, stream->ingested_ms);
    txn_put(txn, stream_key(txn, group, stream->name), buffer_slice(&value));
    if (before != NULL && before->has_events == stream->has_events && before->last_ms == stream->last_ms)
        return;
    Buffer mark = value_start(txn_arena(txn), SCHEMA_LAST_EVENT);
    if (before != NULL)
        txn_delete(txn, last_event_key(txn, group, before));
    txn_put(txn, last_event_key(txn, group, stream), buffer_slice(&mark));
}

/* ---- Streams ---- */

Error log_stream_create(Txn *txn, const LogGroup *group, Slice name, LogStream *stream)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, stream_key(txn, group, name), &value, &found));
    if (found)
        return LOG_STREAM_EXISTS;
    *stream = (LogStream){.name = name, .created_ms = txn_now(txn)};
    TRY(txn_new_number(txn, &stream->number));
    log_stream_put(txn, group, NULL, stream);
    return OK;
}

Error log_stream_open(Txn *txn, const LogGroup *group, Slice name, LogStream *stream)
{
    Slice value;
    bool found;
    *stream = (LogStream){.name = name};
    TRY(txn_get(txn, stream_key(txn, group, name), &value, &found));
    return found ? read_stream(value, stream) : LOG_STREAM_NOT_FOUND;
}

void log_stream_delete(Txn *txn, const LogGroup *group, const LogStream *stream)
{
    txn_delete(txn, stream_key(txn, group, stream->name));
    txn_delete(txn, last_event_key(txn, group, stream));
    log_remove_stream(txn, group, stream->number);
}

/* ---- Lists ---- */

/* Behind `after`, which is the rest of a key of the list, in either direction. */
static KeyRange beyond(Txn *txn, Buffer start, KeyRange range, bool descending, Slice after)
{
    if (after.size == 0)
        return range;
    Buffer place = buffer_make(txn_arena(txn));
    buffer_add(&place, buffer_slice(&start));
    buffer_add(&place, after);
    if (!descending)
        buffer_add_byte(&place, '\0');
    Slice *bound = descending ? &range.end : &range.begin;
    if ((slice_compare(buffer_slice(&place), *bound) < 0) == descending)
        *bound = buffer_slice(&place);
    return range;
}

static Error take_name(Txn *txn, LogStreamOrder order, Slice rest, Slice *name)
{
    uint64_t time_ms;
    if (order == LOG_STREAMS_BY_LAST_EVENT)
        TRY(key_take_uint64(&rest, &time_ms));
    TRY(key_take_string(&rest, txn_arena(txn), name));
    *name = arena_copy(txn_arena(txn), *name);
    return OK;
}

Error log_stream_list(Txn *txn, const LogGroup *group, LogStreamOrder order, bool descending, Slice prefix,
                      LogPage *page, LogStream **streams, size_t *count)
{
    Slice key;
    Slice value;
    Slice name;
    Error error;
    Slice rest = {0};
    Buffer start =
        log_key(txn, group, KIND_LOG_STREAM, order == LOG_STREAMS_BY_NAME ? LOG_TAG_STREAM : LOG_TAG_LAST_EVENT);
    KeyRange range = order == LOG_STREAMS_BY_NAME ? log_names_range(txn, start, prefix, (Slice){0})
                                                  : key_range_of_prefix(txn_arena(txn), buffer_slice(&start));
    *streams = ARENA_ARRAY(txn_arena(txn), LogStream, page->limit);
    *count = 0;
    page->next = (Slice){0};
    Cursor *cursor =
        txn_scan(txn, beyond(txn, start, range, descending, page->after), descending ? SCAN_BACKWARD : SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == page->limit) {
            page->next = rest;
            break;
        }
        rest = arena_copy(txn_arena(txn), slice_skip(key, start.size));
        if ((error = take_name(txn, order, rest, &name)) != OK ||
            (error = log_stream_open(txn, group, name, &(*streams)[(*count)++])) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

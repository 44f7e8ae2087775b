/* events.c: GetLogEvents, FilterLogEvents.
 *
 * A token is a gap between two events: what comes behind it, or before it, is the next page. */
#include "aws/logs/dialect.h"
#include "aws/logs/forward_event.h"

enum {
    EVENTS_MAX = 10000,       /* CloudWatch Logs API reference, GetLogEvents: limit */
    PAGE_BYTES = 1024 * 1024, /* the same: "up to 1 MB" */
    READ_BYTES =
        8 * 1024 * 1024, /* our own: chunks that one page looks at behind those in which its first event's place
                                   * lies; then there is a token, and perhaps no event */
    PLACE_DIGITS = 56,
};

/* ---- Places as text ---- */

static Slice token_of(Call *call, char direction, const LogPlace *gap)
{
    return arena_format(call->arena, "%c/%.*s/s", direction, SLICE_PRINT(logs_event_id(gap, call->arena)));
}

static bool read_part(Slice *text, size_t digits, uint64_t *number)
{
    Slice part = slice_make(text->data, digits);
    *text = slice_skip(*text, digits);
    return slice_parse_uint64(part, number);
}

static bool read_token(Slice token, char *direction, LogPlace *gap)
{
    if (token.size != PLACE_DIGITS + 4 || token.data[1] != '/' || !slice_ends_with(token, SLICE("/s")))
        return false;
    *direction = token.data[0];
    token = slice_skip(token, 2);
    return read_part(&token, 20, &gap->time_ms) && read_part(&token, 20, &gap->sequence) &&
           read_part(&token, 16, &gap->index);
}

static LogPlace behind(const LogPlace *place)
{
    return (LogPlace){place->time_ms, place->sequence, place->index + 1};
}

/* ---- Reading a page ---- */

typedef struct EventPage {
    LogEntry *entries; /* in the order in which they were walked */
    size_t count;
    size_t limit;
    bool ended;
    LogPlace next; /* the gap at which it stopped: walking on from there */
} EventPage;

static Error read_page(Call *call, Txn *txn, const LogWalkOptions *options, const LogPattern *pattern, EventPage *page)
{
    size_t bytes = 0;
    size_t capacity = 0;
    LogEntry entry;
    bool more = true;
    Error error = OK;
    size_t enough = SIZE_MAX;
    Arena scratch = arena_make();
    LogWalk *walk = log_walk_open(txn, options);
    while (page->count < page->limit && bytes < PAGE_BYTES && log_walk_bytes(walk) < enough) {
        if ((error = log_walk_next(walk, &entry, &more)) != OK || !more)
            break;
        if (enough == SIZE_MAX)
            enough = log_walk_bytes(walk) + READ_BYTES;
        if (bytes > 0 && bytes + entry.message.size + LOG_EVENT_OVERHEAD > PAGE_BYTES)
            break;
        page->next = options->backward ? entry.place : behind(&entry.place);
        if (pattern != NULL && !log_pattern_matches(pattern, entry.message, &scratch))
            continue;
        bytes += entry.message.size + LOG_EVENT_OVERHEAD;
        if (page->count == capacity) {
            capacity = capacity * 2 + 64;
            LogEntry *grown = ARENA_ARRAY(call->arena, LogEntry, capacity);
            if (page->count > 0)
                memcpy(grown, page->entries, page->count * sizeof(LogEntry));
            page->entries = grown;
        }
        entry.message = arena_copy(call->arena, entry.message);
        entry.stream = arena_copy(call->arena, entry.stream);
        page->entries[page->count++] = entry;
    }
    page->ended = !more && !log_walk_paused(walk, &page->next);
    log_walk_close(walk);
    arena_free(&scratch);
    if (error == ERROR_TOO_LARGE)
        return logs_invalid(call,
                            "More than 256 MB of events were logged side by side at that time; choose some of the "
                            "streams.");
    return error;
}

static uint64_t time_or(bool has, int64_t time_ms, uint64_t otherwise)
{
    return has && time_ms >= 0 ? (uint64_t)time_ms : otherwise;
}

/* ---- GetLogEvents ---- */

static void give_events(Call *call, const EventPage *page, bool backward, GetLogEventsOutput *out)
{
    out->events.items = ARENA_ARRAY(call->arena, LogsOutputLogEvent, page->count + 1);
    out->events.count = page->count;
    for (size_t i = 0; i < page->count; i++) {
        const LogEntry *entry = &page->entries[backward ? page->count - 1 - i : i];
        out->events.items[i] = (LogsOutputLogEvent){
            .has_timestamp = true,
            .timestamp = (int64_t)entry->place.time_ms,
            .message = entry->message,
            .has_ingestion_time = true,
            .ingestion_time = (int64_t)entry->ingested_ms,
        };
    }
}

Error logs_get_log_events(Call *call, Txn *txn, const GetLogEventsInput *in, GetLogEventsOutput *out)
{
    LogGroup group;
    LogStream stream;
    char direction = in->start_from_head ? 'f' : 'b';
    LogPlace gap = {0};
    EventPage page = {.limit = in->has_limit ? (size_t)in->limit : EVENTS_MAX};
    if (in->next_token.data != NULL &&
        (!read_token(in->next_token, &direction, &gap) || (direction != 'f' && direction != 'b')))
        return logs_refuse_token(call);
    TRY(logs_open_identified(call, txn, in->log_group_name, in->log_group_identifier, &group));
    TRY(logs_open_stream(call, txn, &group, in->log_stream_name, &stream));
    LogWalkOptions options = {
        .group = &group,
        .streams = &stream,
        .stream_count = 1,
        .from_ms = time_or(in->has_start_time, in->start_time, 0),
        .until_ms = time_or(in->has_end_time, in->end_time, UINT64_MAX),
        .gap = in->next_token.data == NULL ? NULL : &gap,
        .backward = direction == 'b',
    };
    page.next = in->next_token.data == NULL ? (LogPlace){.time_ms = options.from_ms} : gap;
    TRY(read_page(call, txn, &options, NULL, &page));
    give_events(call, &page, options.backward, out);
    /* Both ends of the page; an empty page has one, which is where it was asked for. */
    LogPlace first = page.next;
    LogPlace last = page.next;
    if (page.count > 0) {
        first = page.entries[options.backward ? page.count - 1 : 0].place;
        last = behind(&page.entries[options.backward ? 0 : page.count - 1].place);
    }
    out->next_forward_token = token_of(call, 'f', &last);
    out->next_backward_token = token_of(call, 'b', &first);
    return OK;
}

/* ---- FilterLogEvents ---- */

Error logs_read_pattern(Call *call, Slice text, Arena *arena, LogPattern **pattern)
{
    const char *why;
    *pattern = NULL;
    if (text.size == 0)
        return OK;
    if (log_pattern_compile(text, arena, pattern, &why) != OK)
        return logs_invalid(call, "Invalid filter pattern: %s.", why);
    return OK;
}

static bool takes_stream(void *user, Slice stream)
{
    const FilterLogEventsInput *in = user;
    return slice_starts_with(stream, in->log_stream_name_prefix);
}

/* The streams that are meant, when they are few: they are walked by their own rows, the others are not looked at. */
static Error choose_streams(Call *call, Txn *txn, const FilterLogEventsInput *in, LogWalkOptions *options)
{
    LogPage page = {.limit = LOG_STREAMS_WALKED};
    LogStream *streams;
    if (in->log_stream_names.items != NULL) {
        streams = ARENA_ARRAY(txn_arena(txn), LogStream, in->log_stream_names.count + 1);
        for (size_t i = 0; i < in->log_stream_names.count; i++)
            TRY(logs_open_stream(call, txn, options->group, in->log_stream_names.items[i], &streams[i]));
        options->streams = streams;
        options->stream_count = in->log_stream_names.count;
        return OK;
    }
    if (in->log_stream_name_prefix.data == NULL)
        return OK;
    options->takes = takes_stream;
    options->user = (void *)(uintptr_t)in;
    TRY(log_stream_list(txn, options->group, LOG_STREAMS_BY_NAME, false, in->log_stream_name_prefix, &page, &streams,
                        &options->stream_count));
    options->streams = page.next.data == NULL ? streams : NULL;
    return OK;
}

static void give_filtered(Call *call, const EventPage *page, FilterLogEventsOutput *out)
{
    out->events.items = ARENA_ARRAY(call->arena, LogsFilteredLogEvent, page->count + 1);
    out->events.count = page->count;
    for (size_t i = 0; i < page->count; i++) {
        const LogEntry *entry = &page->entries[i];
        out->events.items[i] = (LogsFilteredLogEvent){
            .log_stream_name = entry->stream,
            .has_timestamp = true,
            .timestamp = (int64_t)entry->place.time_ms,
            .message = entry->message,
            .has_ingestion_time = true,
            .ingestion_time = (int64_t)entry->ingested_ms,
            .event_id = logs_event_id(&entry->place, call->arena),
        };
    }
    /* Always empty (CloudWatch Logs API reference, FilterLogEvents: searchedLogStreams). */
    out->searched_log_streams.items = ARENA_ARRAY(call->arena, LogsSearchedLogStream, 1);
}

Error logs_filter_log_events(Call *call, Txn *txn, const FilterLogEventsInput *in, FilterLogEventsOutput *out)
{
    char direction;
    LogPlace gap = {0};
    LogGroup group;
    LogPattern *pattern;
    EventPage page = {.limit = in->has_limit ? (size_t)in->limit : EVENTS_MAX};
    if (in->log_stream_names.items != NULL && in->log_stream_name_prefix.data != NULL)
        return logs_invalid(call, "logStreamNamePrefix and logStreamNames cannot both be specified.");
    if (in->next_token.data != NULL && (!read_token(in->next_token, &direction, &gap) || direction != 'n'))
        return logs_refuse_token(call);
    TRY(logs_read_pattern(call, in->filter_pattern, txn_arena(txn), &pattern));
    TRY(logs_open_identified(call, txn, in->log_group_name, in->log_group_identifier, &group));
    LogWalkOptions options = {
        .group = &group,
        .from_ms = time_or(in->has_start_time, in->start_time, 0),
        .until_ms = time_or(in->has_end_time && in->end_time < INT64_MAX, in->end_time, UINT64_MAX - 1) +
                    1, /* this one is not too late */
        .gap = in->next_token.data == NULL ? NULL : &gap,
        .backward = in->has_start_from_head && !in->start_from_head,
    };
    TRY(choose_streams(call, txn, in, &options));
    TRY(read_page(call, txn, &options, pattern, &page));
    give_filtered(call, &page, out);
    if (!page.ended)
        out->next_token = token_of(call, 'n', &page.next);
    return OK;
}

#include "core/log_sink.h"

#include "base/bug.h"
#include "base/json.h"
#include "base/list.h"
#include "base/map.h"

#include <stdlib.h>

enum {
    STREAMS_PER_FLUSH = 400,      /* of a group, in one transaction: well below its bounds */
    STREAM_OVERHEAD_BYTES = 1024, /* what a stream that has something waiting costs beside it */
};

typedef struct PendingGroup PendingGroup;

/* What waits for one stream. */
typedef struct PendingStream {
    ListNode link;
    PendingGroup *group;
    Arena arena;
    Slice name;
    LogChunks chunks;
    uint64_t dropped; /* and not yet told of */
} PendingStream;

/* A group of which something waits, or is on its way. */
struct PendingGroup {
    ListNode link;
    Arena arena;
    LogSink *sink;
    Slice account;
    Slice region;
    Slice name;
    Slice key;
    List waiting; /* of PendingStream */
    List on_way;  /* the same, of the call */
    bool is_on_way;
    StoreCall call;
    Arena call_arena;
};

struct LogSink {
    LogSinkOptions options;
    Map groups;            /* by account, region, name */
    Map streams;           /* those that wait, by the same and their name */
    PendingStream *latest; /* the one that was added to last, while it waits: lines come in runs */
    List all;
    uint64_t pending_bytes;
    bool stopped;
    _Atomic uint64_t dropped;
};

/* ---- Finding ---- */

static Slice key_of(Arena *arena, Slice account, Slice region, Slice group, Slice stream)
{
    Buffer key = buffer_make(arena);
    const Slice parts[] = {account, region, group, stream};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        buffer_add(&key, parts[i]);
        buffer_add_byte(&key, '\0'); /* in no name */
    }
    return buffer_slice(&key);
}

static PendingGroup *group_of(LogSink *sink, const LogSinkLine *line, Arena *scratch)
{
    Slice key = key_of(scratch, line->account, line->region, line->group, SLICE(""));
    PendingGroup *group = map_get(&sink->groups, key);
    if (group != NULL)
        return group;
    group = calloc(1, sizeof *group);
    ASSERT(group != NULL);
    group->sink = sink;
    group->account = arena_copy(&group->arena, line->account);
    group->region = arena_copy(&group->arena, line->region);
    group->name = arena_copy(&group->arena, line->group);
    group->key = arena_copy(&group->arena, key);
    list_init(&group->waiting);
    list_init(&group->on_way);
    list_push_back(&sink->all, &group->link);
    map_put(&sink->groups, group->key, group);
    return group;
}

static bool is_of(const PendingStream *stream, const LogSinkLine *line)
{
    const PendingGroup *group = stream->group;
    return slice_equal(stream->name, line->stream) && slice_equal(group->name, line->group) &&
           slice_equal(group->account, line->account) && slice_equal(group->region, line->region);
}

static PendingStream *stream_of(LogSink *sink, const LogSinkLine *line)
{
    if (sink->latest != NULL && is_of(sink->latest, line))
        return sink->latest;
    Arena scratch = arena_make();
    Slice key = key_of(&scratch, line->account, line->region, line->group, line->stream);
    PendingStream *stream = map_get(&sink->streams, key);
    if (stream == NULL) {
        PendingGroup *group = group_of(sink, line, &scratch);
        stream = calloc(1, sizeof *stream);
        ASSERT(stream != NULL);
        stream->group = group;
        stream->name = arena_copy(&stream->arena, line->stream);
        stream->chunks.arena = &stream->arena;
        list_push_back(&group->waiting, &stream->link);
        map_put(&sink->streams, key, stream);
        sink->pending_bytes += STREAM_OVERHEAD_BYTES;
    }
    arena_free(&scratch);
    sink->latest = stream;
    return stream;
}

static uint64_t cost_of(const PendingStream *stream)
{
    return STREAM_OVERHEAD_BYTES + stream->chunks.bytes;
}

static void stream_free(LogSink *sink, PendingStream *stream)
{
    sink->pending_bytes -= cost_of(stream);
    list_remove(&stream->link);
    arena_free(&stream->arena);
    free(stream);
}

/* ---- Adding ---- */

/* Bytes that are no UTF-8 become U+FFFD, each of them; the rest stays. */
static Slice as_text(Arena *arena, Slice bytes)
{
    if (utf8_is_valid(bytes))
        return bytes;
    Buffer out = buffer_make(arena);
    while (bytes.size > 0) {
        size_t size = bytes.size < 4 ? bytes.size : 4;
        while (size > 1 && !utf8_is_valid(slice_make(bytes.data, size)))
            size--;
        Slice piece = slice_make(bytes.data, size);
        buffer_add(&out, utf8_is_valid(piece) ? piece : SLICE("\xef\xbf\xbd"));
        bytes = slice_skip(bytes, size);
    }
    return buffer_slice(&out);
}

static void count_dropped(LogSink *sink, PendingStream *stream, uint64_t lines)
{
    stream->dropped += lines;
    atomic_fetch_add_explicit(&sink->dropped, lines, memory_order_relaxed);
}

void log_sink_add(LogSink *sink, const LogSinkLine *line)
{
    if (sink->stopped)
        return;
    Arena scratch = arena_make();
    PendingStream *stream = stream_of(sink, line);
    Slice text = as_text(&scratch, line->text);
    uint64_t bytes = text.size + LOG_EVENT_OVERHEAD;
    if (sink->pending_bytes + bytes > sink->options.limits->value[LIMIT_RUNTIME_LOG_PENDING_BYTES]) {
        count_dropped(sink, stream, 1);
    } else if (text.size > 0) {
        log_chunks_add(&stream->chunks, store_now(sink->options.store), text);
        sink->pending_bytes += bytes;
    }
    arena_free(&scratch);
}

/* ---- Keeping ---- */

static Error open_group(Txn *txn, const PendingGroup *pending, LogGroup *group)
{
    Error error = log_group_open(txn, pending->account, pending->region, pending->name, group);
    if (error != LOG_GROUP_NOT_FOUND)
        return error;
    *group = (LogGroup){
        .account = pending->account, .region = pending->region, .name = pending->name, .class_name = SLICE("STANDARD")};
    return log_group_create(txn, group);
}

static Error keep(Txn *txn, StoreCall *call)
{
    const PendingGroup *pending = CONTAINER_OF(call, PendingGroup, call);
    LogGroup group;
    TRY(open_group(txn, pending, &group));
    LIST_FOR_EACH(&pending->on_way, node)
    {
        const PendingStream *waiting = CONTAINER_OF(node, PendingStream, link);
        LogStream stream;
        Error error = log_stream_open(txn, &group, waiting->name, &stream);
        if (error == LOG_STREAM_NOT_FOUND)
            error = log_stream_create(txn, &group, waiting->name, &stream);
        if (error == OK && waiting->chunks.first != NULL)
            error = log_append(txn, &group, &stream, waiting->chunks.first);
        TRY(error);
    }
    return OK;
}

static void group_free(LogSink *sink, PendingGroup *group)
{
    map_remove(&sink->groups, group->key);
    list_remove(&group->link);
    arena_free(&group->arena);
    arena_free(&group->call_arena);
    free(group);
}

/* What could not be kept is told of when something can be again. */
static void tell_lost(PendingGroup *group, const PendingStream *lost, Error why)
{
    LogSinkLine line = {.account = group->account, .region = group->region, .group = group->name, .stream = lost->name};
    count_dropped(group->sink, stream_of(group->sink, &line), lost->chunks.count);
    LOG(group->sink->options.log, WARNING, "log_lines_lost", log_text("group", group->name),
        log_text("stream", lost->name), log_uint("lines", lost->chunks.count), log_string("reason", error_text(why)));
}

static void kept(StoreCall *call)
{
    PendingGroup *group = CONTAINER_OF(call, PendingGroup, call);
    LogSink *sink = group->sink;
    bool is_over = call->result == ERROR_STOPPING || call->result == ERROR_GONE;
    group->is_on_way = false;
    LIST_FOR_EACH(&group->on_way, node)
    {
        PendingStream *stream = CONTAINER_OF(node, PendingStream, link);
        if (call->result != OK && !is_over)
            tell_lost(group, stream, call->result);
        stream_free(sink, stream);
    }
    if (list_is_empty(&group->waiting))
        group_free(sink, group);
}

/* ---- Flushing ---- */

static void tell_dropped(LogSink *sink, PendingStream *stream)
{
    if (stream->dropped == 0)
        return;
    Slice text = arena_format(&stream->arena, "%llu log lines were dropped: more came than could be kept\n",
                              (unsigned long long)stream->dropped);
    stream->dropped = 0;
    log_chunks_add(&stream->chunks, store_now(sink->options.store), text);
    sink->pending_bytes += text.size + LOG_EVENT_OVERHEAD;
}

static void hand_over(LogSink *sink, PendingGroup *group)
{
    Arena scratch = arena_make();
    sink->latest = NULL;
    for (size_t i = 0; i < STREAMS_PER_FLUSH && !list_is_empty(&group->waiting); i++) {
        PendingStream *stream = CONTAINER_OF(list_pop_front(&group->waiting), PendingStream, link);
        map_remove(&sink->streams, key_of(&scratch, group->account, group->region, group->name, stream->name));
        tell_dropped(sink, stream);
        list_push_back(&group->on_way, &stream->link);
    }
    arena_free(&scratch);
    group->is_on_way = true;
    arena_free(&group->call_arena);
    group->call = (StoreCall){.body = keep,
                              .done = kept,
                              .mailbox = sink->options.mailbox,
                              .arena = &group->call_arena,
                              .home = log_home(group->account, group->region, group->name)};
    store_write(sink->options.store, &group->call);
}

bool log_sink_flush(LogSink *sink)
{
    bool waits = false;
    LIST_FOR_EACH(&sink->all, node)
    {
        PendingGroup *group = CONTAINER_OF(node, PendingGroup, link);
        if (!group->is_on_way && !list_is_empty(&group->waiting))
            hand_over(sink, group);
        waits = waits || !list_is_empty(&group->waiting);
    }
    return waits;
}

void log_sink_stop(LogSink *sink)
{
    sink->stopped = true;
}

uint64_t log_sink_dropped(const LogSink *sink)
{
    return atomic_load_explicit(&sink->dropped, memory_order_relaxed);
}

/* ---- Life ---- */

LogSink *log_sink_open(const LogSinkOptions *options)
{
    MapSeed seed;
    LogSink *sink = calloc(1, sizeof *sink);
    ASSERT(sink != NULL);
    os_random(options->os, &seed, sizeof seed);
    sink->options = *options;
    sink->groups = map_make(seed);
    sink->streams = map_make(seed);
    list_init(&sink->all);
    return sink;
}

static void free_streams(LogSink *sink, List *streams)
{
    LIST_FOR_EACH(streams, node)
    stream_free(sink, CONTAINER_OF(node, PendingStream, link));
}

void log_sink_close(LogSink *sink)
{
    LIST_FOR_EACH(&sink->all, node)
    {
        PendingGroup *group = CONTAINER_OF(node, PendingGroup, link);
        free_streams(sink, &group->waiting);
        free_streams(sink, &group->on_way);
        group_free(sink, group);
    }
    map_free(&sink->groups);
    map_free(&sink->streams);
    free(sink);
}

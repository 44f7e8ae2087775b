/* live_tail.c: StartLiveTail: events as they are taken, once a second (CloudWatch Logs API reference, "StartLiveTail").
 *
 * A session follows its groups by the sequences of their chunks. Each round is a wait of a second, a read, and one message;
 * the next round begins when the client has taken the message. In the JSON protocol, a stream begins with a message
 * "initial-response" (smithy.io, "Event streams"). */
#include "aws/logs/dialect.h"
#include "base/json.h"
#include "base/list.h"
#include "store/key.h"

enum {
    GROUPS_MAX = 10,
    ROUND_MS = 1000,
    RESULTS_MAX = 500, /* StartLiveTail: of one message; then it is sampled */
    ROUND_BYTES = 1024 * 1024,
    ROUND_CHUNKS = 256, /* that one round looks at: a client that did not read for long finds the rest left out */
    SESSION_MS = 3 * 3600 * 1000,
};

typedef struct TailGroup {
    Slice name;
    uint64_t number;
    uint64_t sequence; /* of the chunk seen last */
} TailGroup;

typedef struct Tail {
    Call *call;
    const StartLiveTailInput *in;
    LogPattern *pattern; /* NULL: everything */
    StoreCall store_call;
    Arena arena;
    TailGroup groups[GROUPS_MAX];
    size_t group_count;
    uint64_t begun_ns;
    uint64_t round_ns; /* when the wait began */
    bool waits;        /* the wait is the store's: it can be cancelled */
    bool is_held;      /* the client has not taken the last message */
    bool is_gone;
    /* Of the round. */
    Buffer message;
    size_t results;
    size_t bytes;
    size_t chunks;
    bool sampled;
    TailGroup seen[GROUPS_MAX];
} Tail;

static Tail *tail_of(StoreCall *store_call)
{
    return CONTAINER_OF(store_call, Tail, store_call);
}

static void transact(Tail *tail, TxnBody body, void (*done)(StoreCall *call), bool writes)
{
    Slice session = tail->call->request_id;
    arena_free(&tail->arena);
    tail->store_call = (StoreCall){.body = body,
                                   .done = done,
                                   .mailbox = call_mailbox(tail->call),
                                   .arena = &tail->arena,
                                   .home = home_of(SLICE(""), SLICE(""), SLICE("log tail"), session),
                                   .frees_space = true};
    if (writes)
        store_write(call_store(tail->call), &tail->store_call);
    else
        store_read(call_store(tail->call), &tail->store_call);
}

static void end(Tail *tail)
{
    Arena arena = tail->arena; /* the session lies in the call's, which ends before it */
    call_stream_end(tail->call);
    arena_free(&arena);
}

/* ---- What a round finds ---- */

static bool takes_stream(const StartLiveTailInput *in, Slice stream)
{
    const Slice *names = in->log_stream_names.items;
    const Slice *prefixes = in->log_stream_name_prefixes.items;
    bool takes = names == NULL && prefixes == NULL;
    for (size_t i = 0; names != NULL && i < in->log_stream_names.count; i++)
        takes = takes || slice_equal(stream, names[i]);
    for (size_t i = 0; prefixes != NULL && i < in->log_stream_name_prefixes.count; i++)
        takes = takes || slice_starts_with(stream, prefixes[i]);
    return takes;
}

static void write_event(Tail *tail, JsonWriter *writer, const TailGroup *group, const LogEntry *entry)
{
    Slice account = tail->call->actor.account;
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("logStreamName"));
    json_write_string(writer, entry->stream);
    json_write_name(writer, SLICE("logGroupIdentifier"));
    json_write_string(writer, arena_format(&tail->arena, "%.*s:%.*s", SLICE_PRINT(account), SLICE_PRINT(group->name)));
    json_write_name(writer, SLICE("message"));
    json_write_string(writer, entry->message);
    json_write_name(writer, SLICE("timestamp"));
    json_write_uint64(writer, entry->place.time_ms);
    json_write_name(writer, SLICE("ingestionTime"));
    json_write_uint64(writer, entry->ingested_ms);
    json_write_object_end(writer);
}

static void write_chunk(Tail *tail, JsonWriter *writer, const TailGroup *group, const LogEntry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tail->pattern != NULL && !log_pattern_matches(tail->pattern, entries[i].message, &tail->arena))
            continue;
        if (tail->results == RESULTS_MAX || tail->bytes > ROUND_BYTES) {
            tail->sampled = true;
            return;
        }
        tail->results++;
        tail->bytes += entries[i].message.size;
        write_event(tail, writer, group, &entries[i]);
    }
}

/* What the group has taken since; past the bounds of a message the rest is left out. */
static Error follow(Tail *tail, Txn *txn, TailGroup *group, JsonWriter *writer)
{
    LogGroup found;
    Slice stream;
    LogEntry *entries;
    size_t count;
    bool more = true;
    Error error = log_group_open(txn, tail->call->actor.account, tail->call->actor.region, group->name, &found);
    if (error != OK)
        return error == LOG_GROUP_NOT_FOUND ? OK : error;
    if (found.number != group->number)
        *group = (TailGroup){.name = group->name, .number = found.number};
    while (more && !tail->sampled) {
        TRY(log_next_chunk(txn, &found, group->sequence, &more, &group->sequence, &stream, &entries, &count));
        tail->sampled = more && ++tail->chunks > ROUND_CHUNKS;
        if (more && !tail->sampled && takes_stream(tail->in, stream))
            write_chunk(tail, writer, group, entries, count);
    }
    return tail->sampled ? log_last_sequence(txn, &found, &group->sequence) : OK;
}

static Error read_round(Txn *txn, StoreCall *store_call)
{
    Tail *tail = tail_of(store_call);
    tail->results = tail->bytes = tail->chunks = 0;
    tail->sampled = false;
    tail->message = buffer_make(&tail->arena);
    memcpy(tail->seen, tail->groups, sizeof tail->seen); /* it may be run again */
    JsonWriter writer = json_writer(&tail->message);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("sessionResults"));
    json_write_array_begin(&writer);
    for (size_t i = 0; i < tail->group_count; i++)
        TRY(follow(tail, txn, &tail->seen[i], &writer));
    json_write_array_end(&writer);
    json_write_name(&writer, SLICE("sessionMetadata"));
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("sampled"));
    json_write_boolean(&writer, tail->sampled);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    return OK;
}

/* ---- Rounds ---- */

static void begin_round(Tail *tail);

static uint64_t now_ns(const Tail *tail)
{
    return os_monotonic_ns(call_os(tail->call));
}

static void round_read(StoreCall *store_call)
{
    Tail *tail = tail_of(store_call);
    if (tail->is_gone || store_call->result != OK) {
        end(tail);
        return;
    }
    memcpy(tail->groups, tail->seen, sizeof tail->groups);
    tail->is_held =
        !call_stream_event(tail->call, SLICE("sessionUpdate"), SLICE("application/json"), buffer_slice(&tail->message));
    if (now_ns(tail) - tail->begun_ns >= (uint64_t)SESSION_MS * 1000000) {
        call_stream_exception(tail->call, &logs_error_session_timeout_exception,
                              SLICE("The session has reached its limit of three hours."));
        end(tail);
        return;
    }
    if (!tail->is_held)
        begin_round(tail);
}

static Error wait_round(Txn *txn, StoreCall *store_call)
{
    Tail *tail = tail_of(store_call);
    Actor *actor = &tail->call->actor;
    /* Nothing is ever put there: the time alone ends the wait. */
    Buffer key = key_start(txn_arena(txn), actor->account, actor->region, KIND_LOG_FILTER);
    key_add_string(&key, tail->call->request_id);
    return txn_timed_out(txn) ? OK : txn_wait(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&key)), ROUND_MS);
}

/* A wait that was shorter than it should be was ended because the server stops. */
static void round_waited(StoreCall *store_call)
{
    Tail *tail = tail_of(store_call);
    bool was_cut = now_ns(tail) - tail->round_ns < (uint64_t)ROUND_MS * 900000;
    tail->waits = false;
    if (tail->is_gone || store_call->result != OK || was_cut)
        end(tail);
    else
        transact(tail, read_round, round_read, false);
}

static void begin_round(Tail *tail)
{
    tail->round_ns = now_ns(tail);
    tail->waits = true;
    transact(tail, wait_round, round_waited, true);
}

static void on_writable(Call *call)
{
    Tail *tail = call->user;
    if (!tail->is_held)
        return;
    tail->is_held = false;
    begin_round(tail);
}

static void on_gone(Call *call)
{
    Tail *tail = call->user;
    tail->is_gone = true;
    if (tail->is_held)
        end(tail);
    else if (tail->waits)
        store_cancel(call_store(call), &tail->store_call);
}

/* ---- The start ---- */

static void write_names(JsonWriter *writer, Slice name, const Slice *items, size_t count)
{
    json_write_name(writer, name);
    json_write_array_begin(writer);
    for (size_t i = 0; i < count; i++)
        json_write_string(writer, items[i]);
    json_write_array_end(writer);
}

static void write_start(Tail *tail)
{
    const StartLiveTailInput *in = tail->in;
    Buffer message = buffer_make(&tail->arena);
    JsonWriter writer = json_writer(&message);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("requestId"));
    json_write_string(&writer, tail->call->request_id);
    json_write_name(&writer, SLICE("sessionId"));
    json_write_string(&writer, tail->call->request_id);
    write_names(&writer, SLICE("logGroupIdentifiers"), in->log_group_identifiers.items,
                in->log_group_identifiers.count);
    write_names(&writer, SLICE("logStreamNames"), in->log_stream_names.items, in->log_stream_names.count);
    write_names(&writer, SLICE("logStreamNamePrefixes"), in->log_stream_name_prefixes.items,
                in->log_stream_name_prefixes.count);
    json_write_name(&writer, SLICE("logEventFilterPattern"));
    json_write_string(&writer, in->log_event_filter_pattern.data == NULL ? SLICE("") : in->log_event_filter_pattern);
    json_write_object_end(&writer);
    call_stream_event(tail->call, SLICE("initial-response"), SLICE("application/json"), SLICE("{}"));
    call_stream_event(tail->call, SLICE("sessionStart"), SLICE("application/json"), buffer_slice(&message));
}

static Error find_groups(Txn *txn, StoreCall *store_call)
{
    Tail *tail = tail_of(store_call);
    LogGroup group;
    for (size_t i = 0; i < tail->group_count; i++) {
        TRY(logs_open_group(tail->call, txn, tail->groups[i].name, &group));
        tail->groups[i].number = group.number;
        TRY(log_last_sequence(txn, &group, &tail->groups[i].sequence));
    }
    return OK;
}

static void groups_found(StoreCall *store_call)
{
    Tail *tail = tail_of(store_call);
    Error error = store_call->result;
    if (error != OK) {
        Arena arena = tail->arena;
        call_finish(tail->call, error);
        arena_free(&arena);
        return;
    }
    tail->begun_ns = now_ns(tail);
    call_stream_start(tail->call, SLICE("application/vnd.amazon.eventstream"), on_writable);
    write_start(tail);
    if (tail->is_gone)
        end(tail);
    else
        begin_round(tail);
}

static Error read_groups(Call *call, const StartLiveTailInput *in, Tail *tail)
{
    for (; tail->group_count < in->log_group_identifiers.count; tail->group_count++) {
        Slice identifier = in->log_group_identifiers.items[tail->group_count];
        if (!slice_starts_with(identifier, SLICE("arn:")))
            return logs_invalid(call, "logGroupIdentifiers are ARNs of log groups; %.*s is none.",
                                SLICE_PRINT(identifier));
        if (!logs_group_name(call, identifier, &tail->groups[tail->group_count].name))
            return LOG_GROUP_NOT_FOUND;
    }
    return OK;
}

Error logs_start_live_tail(Call *call, Txn *txn, const StartLiveTailInput *in, StartLiveTailOutput *out)
{
    (void)txn;
    (void)out;
    Tail *tail = ARENA_NEW(call->arena, Tail);
    tail->call = call;
    tail->in = in;
    if (in->log_stream_names.items != NULL && in->log_stream_name_prefixes.items != NULL)
        return logs_invalid(call, "logStreamNamePrefixes and logStreamNames cannot both be specified.");
    if (in->log_group_identifiers.count > 1 &&
        (in->log_stream_names.items != NULL || in->log_stream_name_prefixes.items != NULL))
        return logs_invalid(call, "Streams can be chosen of one log group only.");
    TRY(read_groups(call, in, tail));
    TRY(logs_read_pattern(call, in->log_event_filter_pattern, call->arena, &tail->pattern));
    call->user = tail;
    call->on_gone = on_gone;
    transact(tail, find_groups, groups_found, false);
    return OK;
}

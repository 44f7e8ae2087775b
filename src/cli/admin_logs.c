/* admin_logs.c: what `brume logs` shows: the events of a group from a time on, in their order, and then what the group takes
 * while it is followed.
 *
 * Where a reader stands is a cursor, which the answers give and the next request brings back: "since MS" to begin so long
 * ago; "read FROM TIME SEQUENCE INDEX LAST" in the past, up to the chunk that was the last one at the beginning; "follow
 * SEQUENCE" behind that. Who follows waits here until there is something. */
#include "cli/admin_server.h"

#include "base/list.h"
#include "core/function.h"
#include "core/log.h"
#include "core/log_pattern.h"

enum {
    PAGE_BYTES = 256 * 1024,
    READ_BYTES = 8 * 1024 * 1024, /* that one answer looks at */
    WAIT_MS = 20000,
    NAMES_LOOKED_AT = 1000, /* for names that are near one which is not there */
    NAMES_TOLD = 5,
};

typedef enum CursorKind { CURSOR_SINCE, CURSOR_READ, CURSOR_FOLLOW } CursorKind;

enum { CURSOR_NUMBERS = 5 };

typedef struct LogCursor {
    CursorKind kind;
    uint64_t numbers[CURSOR_NUMBERS];
} LogCursor;

static const struct {
    Slice word;
    size_t numbers;
} cursor_kinds[] = {
    [CURSOR_SINCE] = {SLICE_INIT("since"), 1},
    [CURSOR_READ] = {SLICE_INIT("read"), 5},
    [CURSOR_FOLLOW] = {SLICE_INIT("follow"), 1},
};

typedef struct LogRead {
    StoreCall call;
    const AdminOptions *options;
    HttpRequest *request;
    AdminLogs wanted;
    LogPattern *pattern; /* NULL: everything */
    LogCursor cursor;
    LogCursor next;
    Slice group; /* its name, once it is found */
    Slice problem;
    Buffer answer;
    size_t bytes;
    bool caught_up;
} LogRead;

static LogRead *read_of(StoreCall *call)
{
    return CONTAINER_OF(call, LogRead, call);
}

/* ---- Cursors ---- */

static Slice take_word(Slice *text)
{
    size_t size = slice_find(*text, ' ');
    Slice word = slice_make(text->data, size);
    *text = slice_skip(*text, size < text->size ? size + 1 : size);
    return word;
}

static bool cursor_parse(Slice text, LogCursor *cursor)
{
    Slice word = take_word(&text);
    for (size_t i = 0; i < sizeof cursor_kinds / sizeof cursor_kinds[0]; i++) {
        if (!slice_equal(word, cursor_kinds[i].word))
            continue;
        cursor->kind = (CursorKind)i;
        for (size_t n = 0; n < cursor_kinds[i].numbers; n++)
            if (!slice_parse_uint64(take_word(&text), &cursor->numbers[n]))
                return false;
        return text.size == 0;
    }
    return false;
}

static Slice cursor_text(Arena *arena, const LogCursor *cursor)
{
    Buffer out = buffer_make(arena);
    buffer_add(&out, cursor_kinds[cursor->kind].word);
    for (size_t i = 0; i < cursor_kinds[cursor->kind].numbers; i++)
        buffer_add_format(&out, " %llu", (unsigned long long)cursor->numbers[i]);
    return buffer_slice(&out);
}

/* ---- Which group ---- */

/* Names that have the text in them, or that it has in it. */
static Error near_names(Txn *txn, const AdminLogs *wanted, Slice *names)
{
    LogPage page = {.limit = NAMES_LOOKED_AT};
    LogGroup *groups;
    size_t count;
    size_t told = 0;
    Buffer out = buffer_make(txn_arena(txn));
    TRY(log_group_list(txn, wanted->account, wanted->region, SLICE(""), SLICE(""), &page, &groups, &count));
    Slice part = slice_make(wanted->name.data, wanted->name.size > 4 ? 4 : wanted->name.size);
    for (unsigned round = 0; round < 2 && told == 0; round++) /* those alike; if there are none, any */
        for (size_t i = 0; i < count && told < NAMES_TOLD; i++) {
            Slice name = groups[i].name;
            if (round == 0 && memmem(name.data, name.size, part.data, part.size) == NULL)
                continue;
            buffer_add_format(&out, "%s%.*s", told++ == 0 ? "" : ", ", SLICE_PRINT(name));
        }
    *names = buffer_slice(&out);
    return OK;
}

static Error refuse_group(Txn *txn, LogRead *read, bool is_function)
{
    Slice names;
    Arena *arena = read->call.arena;
    const AdminLogs *wanted = &read->wanted;
    if (is_function) {
        read->problem =
            arena_format(arena, "the function %.*s has logged nothing yet: invoke it", SLICE_PRINT(wanted->name));
        return OK;
    }
    TRY(near_names(txn, wanted, &names));
    read->problem = arena_format(
        arena, "there is no function and no log group %.*s in account %.*s and region %.*s; log groups there: %.*s",
        SLICE_PRINT(wanted->name), SLICE_PRINT(wanted->account), SLICE_PRINT(wanted->region),
        SLICE_PRINT(names.size == 0 ? SLICE("none") : names));
    return OK;
}

/* A group's name, or a function's, whose configuration says where it logs. LOG_GROUP_NOT_FOUND: `problem` is set. */
static Error find_group(Txn *txn, LogRead *read, LogGroup *group)
{
    Function function;
    FunctionVersion latest;
    const AdminLogs *wanted = &read->wanted;
    Slice name = wanted->name;
    Error error = log_group_open(txn, wanted->account, wanted->region, name, group);
    bool is_function = false;
    if (error == LOG_GROUP_NOT_FOUND) {
        error = function_open(txn, wanted->account, wanted->region, name, &function);
        is_function = error == OK;
        name = arena_format(txn_arena(txn), "/aws/lambda/%.*s", SLICE_PRINT(name)); /* of one that has been deleted */
        if (is_function) {
            TRY(function_version_get(txn, &function, SLICE("$LATEST"), &latest));
            name = latest.log_group;
        } else if (error != FUNCTION_NOT_FOUND) {
            return error;
        }
        error = log_group_open(txn, wanted->account, wanted->region, name, group);
    }
    if (error == LOG_GROUP_NOT_FOUND)
        TRY(refuse_group(txn, read, is_function));
    if (error == OK)
        read->group = arena_copy(read->call.arena, name);
    return error;
}

/* ---- Events ---- */

static bool takes_stream(void *user, Slice stream)
{
    const LogRead *read = user;
    return slice_starts_with(stream, read->wanted.stream);
}

static void write_entry(LogRead *read, JsonWriter *writer, const LogEntry *entry)
{
    if (read->pattern != NULL && !log_pattern_matches(read->pattern, entry->message, read->call.arena))
        return;
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("time_ms"));
    json_write_uint64(writer, entry->place.time_ms);
    json_write_name(writer, SLICE("stream"));
    json_write_string(writer, entry->stream);
    json_write_name(writer, SLICE("message"));
    json_write_string(writer, entry->message);
    json_write_object_end(writer);
    read->bytes += entry->message.size;
}

/* In the past: by time. */
static Error write_past(Txn *txn, LogRead *read, const LogGroup *group, JsonWriter *writer)
{
    uint64_t *numbers = read->next.numbers; /* from, the gap's three, the last chunk */
    LogPlace gap = {numbers[1], numbers[2], numbers[3]};
    LogWalkOptions options = {.group = group,
                              .takes = takes_stream,
                              .user = read,
                              .from_ms = numbers[0],
                              .until_ms = UINT64_MAX,
                              .gap = &gap,
                              .until_sequence = numbers[4]};
    LogEntry entry;
    bool more = numbers[4] != 0;
    Error error = OK;
    LogWalk *walk = log_walk_open(txn, &options);
    while (more && read->bytes < PAGE_BYTES && log_walk_bytes(walk) < READ_BYTES) {
        if ((error = log_walk_next(walk, &entry, &more)) != OK || !more)
            break;
        write_entry(read, writer, &entry);
        numbers[1] = entry.place.time_ms;
        numbers[2] = entry.place.sequence;
        numbers[3] = entry.place.index + 1;
    }
    bool paused = log_walk_paused(walk, &gap);
    log_walk_close(walk);
    if (paused) {
        numbers[1] = gap.time_ms;
        numbers[2] = gap.sequence;
        numbers[3] = gap.index;
    }
    if (!more && !paused)
        read->next = (LogCursor){CURSOR_FOLLOW, {numbers[4]}};
    return error;
}

/* As they are taken: by chunk. */
static Error write_new(Txn *txn, LogRead *read, const LogGroup *group, JsonWriter *writer)
{
    bool more = true;
    size_t seen = 0;
    while (more && read->bytes < PAGE_BYTES && seen < READ_BYTES / LOG_CHUNK_BYTES) {
        Slice stream;
        LogEntry *entries;
        size_t count;
        TRY(log_next_chunk(txn, group, read->next.numbers[0], &more, &read->next.numbers[0], &stream, &entries,
                           &count));
        seen++;
        if (more && takes_stream(read, stream))
            for (size_t i = 0; i < count; i++)
                write_entry(read, writer, &entries[i]);
    }
    return OK;
}

static Error read_body(Txn *txn, StoreCall *call)
{
    LogRead *read = read_of(call);
    LogGroup group;
    read->bytes = 0;
    read->next = read->cursor;
    TRY(find_group(txn, read, &group));
    if (read->cursor.kind == CURSOR_SINCE) {
        uint64_t now_ms = txn_now(txn);
        uint64_t since_ms = read->cursor.numbers[0];
        read->next = (LogCursor){CURSOR_READ, {since_ms < now_ms ? now_ms - since_ms : 0}};
        TRY(log_last_sequence(txn, &group, &read->next.numbers[4]));
    }
    read->answer = buffer_make(call->arena);
    JsonWriter writer = json_writer(&read->answer);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("events"));
    json_write_array_begin(&writer);
    TRY(read->next.kind == CURSOR_READ ? write_past(txn, read, &group, &writer)
                                       : write_new(txn, read, &group, &writer));
    json_write_array_end(&writer);
    json_write_name(&writer, SLICE("cursor"));
    json_write_string(&writer, cursor_text(call->arena, &read->next));
    json_write_name(&writer, SLICE("caught_up"));
    json_write_string(&writer, read->next.kind == CURSOR_FOLLOW ? SLICE("true") : SLICE("false"));
    json_write_object_end(&writer);
    return OK;
}

static void on_read(StoreCall *call)
{
    static const HttpHeader json[] = {{SLICE_INIT("content-type"), SLICE_INIT("application/json")}};
    LogRead *read = read_of(call);
    if (call->result == LOG_GROUP_NOT_FOUND)
        admin_refuse(read->request, 404, read->problem);
    else if (call->result != OK)
        admin_refuse_error(read->request, call->result);
    else
        http_respond(
            read->request,
            &(HttpResponse){.status = 200, .headers = json, .header_count = 1, .body = buffer_slice(&read->answer)});
}

static void read_events(LogRead *read)
{
    Store *store = read->options->store;
    read->call = (StoreCall){.body = read_body,
                             .done = on_read,
                             .mailbox = loop_mailbox(read->options->loop),
                             .arena = read->request->arena};
    store_read(store, &read->call);
}

/* ---- Waiting ---- */

/* Several may follow one group: whoever is woken takes nothing, so that the others are woken too. */
static Error wait_body(Txn *txn, StoreCall *call)
{
    LogRead *read = read_of(call);
    LogGroup group;
    uint64_t last;
    txn_took(txn, 0);
    TRY(find_group(txn, read, &group));
    TRY(log_last_sequence(txn, &group, &last));
    bool is_behind = last > read->cursor.numbers[0];
    return is_behind || txn_timed_out(txn) ? OK : txn_wait(txn, log_arrivals(txn, &group), WAIT_MS);
}

static void on_waited(StoreCall *call)
{
    LogRead *read = read_of(call);
    if (call->result == OK)
        read_events(read);
    else
        on_read(call);
}

static void wait_for_events(LogRead *read)
{
    Store *store = read->options->store;
    read->call = (StoreCall){.body = wait_body,
                             .done = on_waited,
                             .mailbox = loop_mailbox(read->options->loop),
                             .arena = read->request->arena,
                             .home = log_home(read->wanted.account, read->wanted.region, read->wanted.name),
                             .frees_space = true};
    store_write(store, &read->call);
}

void admin_read_logs(const AdminOptions *options, HttpRequest *request, const AdminLogs *wanted)
{
    LogRead *read = ARENA_NEW(request->arena, LogRead);
    const char *why = NULL;
    *read = (LogRead){.options = options, .request = request, .wanted = *wanted};
    if (!account_id_is_valid(wanted->account) || wanted->region.size == 0 || wanted->name.size == 0) {
        admin_refuse(request, 400, SLICE("an account of 12 digits, a region and a name are needed"));
        return;
    }
    if (!cursor_parse(wanted->cursor, &read->cursor)) {
        admin_refuse(request, 400, SLICE("the cursor is none that an answer gave"));
        return;
    }
    if (wanted->filter.size > 0 && log_pattern_compile(wanted->filter, request->arena, &read->pattern, &why) != OK) {
        admin_refuse(request, 400, arena_format(request->arena, "that is no filter pattern: %s", why));
        return;
    }
    if (read->cursor.kind == CURSOR_FOLLOW)
        wait_for_events(read);
    else
        read_events(read);
}

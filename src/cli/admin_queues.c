#include "cli/admin_server.h"

#include "core/queue.h"
#include "store/key.h"

/* What `brume queues` shows, read from the durable state. */

enum { QUEUE_PAGE = 100 };

static void write_number(JsonWriter *writer, Slice name, uint64_t number)
{
    json_write_name(writer, name);
    json_write_uint64(writer, number);
}

/* The queue's dead-letter queue and how many messages can be received from it; the number is left out while the queue
 * does not exist. */
static Error write_letters(Txn *txn, const Queue *queue, JsonWriter *writer)
{
    Queue letters;
    QueueCounts counts;
    Slice name = queue->settings.dead_letter_queue;
    if (name.data == NULL)
        return OK;
    json_write_name(writer, SLICE("dead_letter_queue"));
    json_write_string(writer, name);
    Error error = queue_open_neighbour(txn, queue, name, &letters);
    if (error == QUEUE_NOT_FOUND)
        return OK;
    TRY(error);
    TRY(queue_count(txn, &letters, &counts));
    write_number(writer, SLICE("dead_letters"), counts.visible);
    return OK;
}

static Error write_queue(Txn *txn, const Actor *owner, Slice name, JsonWriter *writer)
{
    Queue queue;
    QueueCounts counts;
    uint64_t sent_ms;
    TRY(queue_open(txn, owner, name, &queue));
    TRY(queue_count(txn, &queue, &counts));
    TRY(queue_oldest(txn, &queue, &sent_ms));
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("name"));
    json_write_string(writer, name);
    json_write_name(writer, SLICE("region"));
    json_write_string(writer, owner->region);
    json_write_name(writer, SLICE("type"));
    json_write_string(writer, queue.settings.fifo ? SLICE("fifo") : SLICE("standard"));
    write_number(writer, SLICE("visible"), counts.visible);
    write_number(writer, SLICE("in_flight"), counts.in_flight);
    write_number(writer, SLICE("delayed"), counts.delayed);
    if (sent_ms != 0)
        write_number(writer, SLICE("oldest_ms"), txn_now(txn) > sent_ms ? txn_now(txn) - sent_ms : 0);
    TRY(write_letters(txn, &queue, writer));
    json_write_object_end(writer);
    return OK;
}

/* The account's first region behind `after` that something is stored in; absent: there is none. */
static Error next_region(Txn *txn, Slice account, Slice after, Slice *region)
{
    Arena *arena = txn_arena(txn);
    /* Kinds are one byte behind the region: this one is behind all of them. */
    Buffer begin = key_start(arena, account, after, (KeyKind)0xFF);
    Buffer whole = key_start(arena, account, SLICE(""), (KeyKind)0);
    whole.size -= 3; /* an empty string and the kind */
    KeyRange range = {buffer_slice(&begin), key_range_of_prefix(arena, buffer_slice(&whole)).end};
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    Slice key;
    Slice value;
    *region = (Slice){0};
    Error error = cursor_next(cursor, &key, &value);
    if (error == OK && key.data != NULL) {
        key = slice_skip(key, whole.size);
        error = key_take_string(&key, arena, region);
    }
    cursor_close(cursor);
    return error;
}

Error admin_find_region(Txn *txn, const AdminQuery *query, Slice *region)
{
    *region = query->region;
    if (!account_id_is_valid(query->account))
        return ACCOUNT_ID_INVALID;
    return region->data != NULL ? OK : next_region(txn, query->account, query->after_region, region);
}

Error admin_write_queues(Txn *txn, const AdminQuery *query, JsonWriter *writer)
{
    Slice region;
    QueueNames names = {0};
    TRY(admin_find_region(txn, query, &region));
    const Actor owner = {.account = query->account, .region = region};
    if (region.data != NULL)
        TRY(queue_list(txn, &owner, SLICE(""), query->after, QUEUE_PAGE, &names));
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("queues"));
    json_write_array_begin(writer);
    for (size_t i = 0; i < names.count; i++)
        TRY(write_queue(txn, &owner, names.items[i], writer));
    json_write_array_end(writer);
    if (region.data != NULL) {
        json_write_name(writer, SLICE("region"));
        json_write_string(writer, region);
    }
    if (names.more) {
        json_write_name(writer, SLICE("after"));
        json_write_string(writer, names.items[names.count - 1]);
    }
    json_write_object_end(writer);
    return OK;
}

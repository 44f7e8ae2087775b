/* poller_queue.c: queues as sources of event source mappings. */
#include "core/poller_internal.h"

#include "base/digest.h"

/* A queue that does not hide its messages would have them run over and over: those under way are hidden so long. */
enum { HIDDEN_LEAST_MS = 1000 };

static Actor owner_of(const Mapping *mapping)
{
    return (Actor){.account = mapping->account, .region = mapping->region};
}

static Error take(Txn *txn, const Mapping *mapping, const PollerAsk *ask, const Limits *limits, Arena *arena,
                  PollerRecords *records)
{
    Queue queue;
    ReceivedMessages received = {0};
    Actor owner = owner_of(mapping);
    Error error = queue_open(txn, &owner, mapping->source_name, &queue);
    if (error == QUEUE_NOT_FOUND)
        return MAPPING_SOURCE_NOT_FOUND;
    TRY(error);
    uint64_t hidden_ms =
        queue.settings.visibility_ms < HIDDEN_LEAST_MS ? HIDDEN_LEAST_MS : queue.settings.visibility_ms;
    const ReceiveRequest request = {
        .max = ask->max,
        .bytes_max = ask->bytes_max,
        .in_flight_max = limits->value[queue.settings.fifo ? LIMIT_SQS_FIFO_IN_FLIGHT : LIMIT_SQS_IN_FLIGHT],
        .visibility_ms = hidden_ms,
        .wait_ms = ask->wait_ms,
    };
    error = queue_receive(txn, &queue, &request, arena, &received);
    if (error != QUEUE_IN_FLIGHT_LIMIT) /* as if there were nothing */
        TRY(error);
    *records = (PollerRecords){received.items, received.count, txn_now(txn) + hidden_ms};
    return OK;
}

static void add(const PollerDialect *dialect, Buffer *out, const Mapping *mapping, const PollerRecords *records,
                size_t index, bool for_filters)
{
    dialect->add_message(out, mapping->source_arn, mapping->region, &records->messages[index], for_filters);
}

static void describe(Arena *arena, const PollerRecords *records, size_t index, PollerItem *item)
{
    const ReceivedMessage *message = &records->messages[index];
    char *id = arena_alloc_aligned(arena, UUID_TEXT_SIZE, 1);
    uuid_format(message->id.bytes, id);
    *item = (PollerItem){.id = slice_make(id, UUID_TEXT_SIZE), .handle = message->receipt};
}

static Slice trace(const PollerRecords *records, size_t index)
{
    return records->messages[index].message.trace;
}

static Error settle(Txn *txn, const Mapping *mapping, const PollerItem *items, size_t count)
{
    Queue queue;
    Actor owner = owner_of(mapping);
    Error error = queue_open(txn, &owner, mapping->source_name, &queue);
    if (error == QUEUE_NOT_FOUND)
        return OK;
    TRY(error);
    for (size_t i = 0; i < count; i++) {
        if (items[i].failed)
            continue;
        error = queue_delete(txn, &queue, items[i].handle);
        /* Another queue has the name now; or the function took longer than the message is hidden. */
        if (error != QUEUE_RECEIPT_INVALID && error != QUEUE_RECEIPT_EXPIRED)
            TRY(error);
    }
    return OK;
}

const PollerSource poller_queue = {
    .take = take,
    .add = add,
    .describe = describe,
    .trace = trace,
    .settle = settle,
};

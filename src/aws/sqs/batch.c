#include "aws/sqs/dialect.h"

#include <inttypes.h>

/* SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch: the batch is refused as a whole when its form is
 * wrong; otherwise each entry succeeds or fails alone. */

enum { ENTRY_ID_MAX = 80 }; /* SQS API reference, SendMessageBatchRequestEntry */

/* Checks the entries' number and ids. `kind` is how the entries are called in messages. */
static Error check_entries(Call *call, const char *kind, const Slice *ids, size_t count)
{
    uint64_t max = call->limits->value[LIMIT_SQS_BATCH_ENTRIES];
    if (count == 0)
        return call_fail(call, &sqs_error_empty_batch_request, "There should be at least one %s in the request.", kind);
    if (count > max)
        return call_fail(call, &sqs_error_too_many_entries_in_batch_request,
                         "Maximum number of entries per request are %" PRIu64 ". You have sent %zu.", max, count);
    for (size_t i = 0; i < count; i++)
        if (!sqs_is_identifier(ids[i], ENTRY_ID_MAX))
            return call_fail(call, &sqs_error_invalid_batch_entry_id, NULL);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (slice_equal(ids[i], ids[k]))
                return call_fail(call, &sqs_error_batch_entry_ids_not_distinct, "Id %.*s repeated.",
                                 SLICE_PRINT(ids[i]));
    return OK;
}

/* An entry has ended with `error`. When it was refused, what it wrote is dropped, the refusal goes from the call to the
 * list of failures, and `*failed` is set; errors of the environment end the whole body. */
static Error settle_entry(Call *call, Txn *txn, Savepoint before, Slice id, Error error,
                          SqsBatchResultErrorEntryList *failures, bool *failed)
{
    *failed = error == ERROR_ANSWERED;
    if (error != ERROR_ANSWERED)
        return error;
    txn_rollback(txn, before);
    const ApiError *row = call->error;
    failures->items[failures->count++] = (SqsBatchResultErrorEntry){
        .id = id,
        .sender_fault = row->sender,
        .has_sender_fault = true,
        .code = row->query_code,
        .message = call->error_message.data != NULL ? call->error_message : slice_of_string(row->message),
    };
    call->error = NULL;
    call->error_message = (Slice){0};
    return OK;
}

/* Lists without items are left out of the answer. */
static void drop_empty_failures(SqsBatchResultErrorEntryList *failures)
{
    if (failures->count == 0)
        failures->items = NULL;
}

/* ---- Send ---- */

/* Body and attributes, as they count against the size of the batch. */
static uint64_t entry_bytes(const SqsSendMessageBatchRequestEntry *entry)
{
    uint64_t size = entry->message_body.size;
    for (size_t i = 0; i < entry->message_attributes.count; i++) {
        const SqsMessageBodyAttributeMapEntry *attribute = &entry->message_attributes.items[i];
        size += attribute->key.size + attribute->value.data_type.size + attribute->value.string_value.size +
                attribute->value.binary_value.size;
    }
    return size;
}

static Error check_batch_bytes(Call *call, const SqsSendMessageBatchRequestEntryList *entries)
{
    uint64_t max = call->limits->value[LIMIT_SQS_BATCH_BYTES];
    uint64_t size = 0;
    for (size_t i = 0; i < entries->count; i++)
        size += entry_bytes(&entries->items[i]);
    if (size <= max)
        return OK;
    return call_fail(call, &sqs_error_batch_request_too_long,
                     "Batch requests cannot be longer than %" PRIu64 " bytes. You have sent %" PRIu64 " bytes.", max,
                     size);
}

void sqs_prepare_send_message_batch(Call *call, const SendMessageBatchInput *in)
{
    /* A batch that is too large is refused as a whole: nothing of it is worth preparing. */
    if (in->entries.count > call->limits->value[LIMIT_SQS_BATCH_ENTRIES])
        return;
    PreparedMessage *prepared = ARENA_ARRAY(call->arena, PreparedMessage, in->entries.count + 1);
    for (size_t i = 0; i < in->entries.count; i++) {
        const SqsSendMessageBatchRequestEntry *entry = &in->entries.items[i];
        const SendRequest request = {
            .fifo = sqs_names_fifo(in->queue_url),
            .body = entry->message_body,
            .delay_seconds = entry->delay_seconds,
            .has_delay_seconds = entry->has_delay_seconds,
            .attributes = &entry->message_attributes,
            .system_attributes = &entry->message_system_attributes,
            .dedup_id = entry->message_deduplication_id,
            .group_id = entry->message_group_id,
        };
        sqs_prepare_message(call, &request, &prepared[i]);
    }
    call->prepared = prepared;
}

static Error send_entry(Call *call, Txn *txn, const Queue *queue, const PreparedMessage *prepared, Slice id,
                        SqsSendMessageBatchResultEntry *result)
{
    *result = (SqsSendMessageBatchResultEntry){
        .id = id,
        .md5_of_message_body = prepared->body_md5_hex,
        .md5_of_message_attributes = prepared->attributes_md5_hex,
        .md5_of_message_system_attributes = prepared->system_attributes_md5_hex,
    };
    return sqs_send_prepared(call, txn, queue, prepared, &result->message_id, &result->sequence_number);
}

Error sqs_send_message_batch(Call *call, Txn *txn, const SendMessageBatchInput *in, SendMessageBatchOutput *out)
{
    const PreparedMessage *prepared = call->prepared;
    size_t count = in->entries.count;
    Slice *ids = ARENA_ARRAY(call->arena, Slice, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = in->entries.items[i].id;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(check_entries(call, "SendMessageBatchRequestEntry", ids, count));
    TRY(check_batch_bytes(call, &in->entries));
    for (size_t i = 0; i < count; i++)
        TRY(sqs_check_for_fifo(call, &queue, &prepared[i]));

    out->successful.items = ARENA_ARRAY(call->arena, SqsSendMessageBatchResultEntry, count);
    out->failed.items = ARENA_ARRAY(call->arena, SqsBatchResultErrorEntry, count);
    for (size_t i = 0; i < count; i++) {
        Savepoint before = txn_savepoint(txn);
        bool failed;
        Error error =
            send_entry(call, txn, &queue, &prepared[i], ids[i], &out->successful.items[out->successful.count]);
        TRY(settle_entry(call, txn, before, ids[i], error, &out->failed, &failed));
        out->successful.count += failed ? 0 : 1;
    }
    if (out->successful.count == 0)
        out->successful.items = NULL;
    drop_empty_failures(&out->failed);
    return OK;
}

/* ---- Delete ---- */

Error sqs_delete_message_batch(Call *call, Txn *txn, const DeleteMessageBatchInput *in, DeleteMessageBatchOutput *out)
{
    size_t count = in->entries.count;
    Slice *ids = ARENA_ARRAY(call->arena, Slice, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = in->entries.items[i].id;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(check_entries(call, "DeleteMessageBatchRequestEntry", ids, count));

    out->successful.items = ARENA_ARRAY(call->arena, SqsDeleteMessageBatchResultEntry, count);
    out->failed.items = ARENA_ARRAY(call->arena, SqsBatchResultErrorEntry, count);
    for (size_t i = 0; i < count; i++) {
        Savepoint before = txn_savepoint(txn);
        bool failed;
        Error error = sqs_delete_one(call, txn, &queue, in->entries.items[i].receipt_handle);
        TRY(settle_entry(call, txn, before, ids[i], error, &out->failed, &failed));
        if (!failed)
            out->successful.items[out->successful.count++].id = ids[i];
    }
    if (out->successful.count == 0)
        out->successful.items = NULL;
    drop_empty_failures(&out->failed);
    return OK;
}

/* ---- Visibility ---- */

static Error change_entry(Call *call, Txn *txn, const Queue *queue,
                          const SqsChangeMessageVisibilityBatchRequestEntry *entry)
{
    if (!entry->has_visibility_timeout)
        return call_fail(call, &common_missing_parameter, "The request must contain the parameter VisibilityTimeout.");
    return sqs_change_visibility_one(call, txn, queue, entry->receipt_handle, entry->visibility_timeout);
}

Error sqs_change_message_visibility_batch(Call *call, Txn *txn, const ChangeMessageVisibilityBatchInput *in,
                                          ChangeMessageVisibilityBatchOutput *out)
{
    size_t count = in->entries.count;
    Slice *ids = ARENA_ARRAY(call->arena, Slice, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = in->entries.items[i].id;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(check_entries(call, "ChangeMessageVisibilityBatchRequestEntry", ids, count));

    out->successful.items = ARENA_ARRAY(call->arena, SqsChangeMessageVisibilityBatchResultEntry, count);
    out->failed.items = ARENA_ARRAY(call->arena, SqsBatchResultErrorEntry, count);
    for (size_t i = 0; i < count; i++) {
        Savepoint before = txn_savepoint(txn);
        bool failed;
        Error error = change_entry(call, txn, &queue, &in->entries.items[i]);
        TRY(settle_entry(call, txn, before, ids[i], error, &out->failed, &failed));
        if (!failed)
            out->successful.items[out->successful.count++].id = ids[i];
    }
    if (out->successful.count == 0)
        out->successful.items = NULL;
    drop_empty_failures(&out->failed);
    return OK;
}

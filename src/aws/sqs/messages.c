#include "aws/sqs/dialect.h"

#include "base/digest.h"

#include <inttypes.h>

/* SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility. Their batches (batch.c) go through the same
 * functions. */

enum { DELAY_SECONDS_MAX = 900, VISIBILITY_SECONDS_MAX = 43200 }; /* SQS API reference: valid ranges */

static Error bad_parameter(Call *call, Slice value, const char *name, const char *reason)
{
    return call_fail(call, &common_invalid_parameter_value, "Value %.*s for parameter %s is invalid. Reason: %s",
                     SLICE_PRINT(value), name, reason);
}

static Slice decimal(Call *call, int64_t number)
{
    Buffer text = buffer_make(call->arena);
    buffer_add_int64(&text, number);
    return buffer_slice(&text);
}

/* ---- Send ---- */

static Error check_body(Call *call, Slice body)
{
    uint32_t character;
    if (body.size == 0)
        return call_fail(call, &common_missing_parameter, "The request must contain the parameter MessageBody.");
    if (sqs_find_forbidden_character(body, &character))
        return call_fail(call, &sqs_error_invalid_message_contents,
                         "Invalid binary character '#x%X' was found in the message body, the set of allowed characters "
                         "is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
                         character);
    return OK;
}

static const char wrong_queue_type[] = "The request include parameter that is not valid for this queue type.";

static Error check_token(Call *call, Slice token, const char *name)
{
    if (token.data == NULL || sqs_is_message_token(token))
        return OK;
    const char *reason = arena_string(
        call->arena,
        arena_format(call->arena, "%s can only include alphanumeric and punctuation characters. 1 to 128 in length.",
                     name));
    return bad_parameter(call, token, name, reason);
}

static Error check_ids(Call *call, const SendRequest *request)
{
    TRY(check_token(call, request->dedup_id, "MessageDeduplicationId"));
    TRY(check_token(call, request->group_id, "MessageGroupId"));
    if (request->fifo)
        return OK;
    if (request->dedup_id.data != NULL)
        return bad_parameter(call, request->dedup_id, "MessageDeduplicationId", wrong_queue_type);
    return OK;
}

static Error check_delay(Call *call, const SendRequest *request)
{
    if (!request->has_delay_seconds)
        return OK;
    if (request->delay_seconds < 0 || request->delay_seconds > DELAY_SECONDS_MAX)
        return bad_parameter(call, decimal(call, request->delay_seconds), "DelaySeconds",
                             "DelaySeconds must be >= 0 and <= 900.");
    /* SQS API reference, SendMessage: "You can set this parameter only on a queue level." Zero is let in. */
    if (request->fifo && request->delay_seconds > 0)
        return bad_parameter(call, decimal(call, request->delay_seconds), "DelaySeconds", wrong_queue_type);
    return OK;
}

/* The id that stands in for one (SQS developer guide, "Exactly-once processing": a SHA-256 hash of the body, but not of
 * the attributes). */
static Slice content_id(Call *call, Slice body)
{
    unsigned char digest[SHA256_SIZE];
    sha256(body, digest);
    return hex_encode(call->arena, digest, sizeof(digest));
}

static Error prepare(Call *call, const SendRequest *request, PreparedMessage *prepared)
{
    TRY(check_body(call, request->body));
    TRY(check_ids(call, request));
    TRY(check_delay(call, request));
    Message *message = &prepared->message;
    TRY(sqs_read_message_attributes(call, request->attributes, message));
    TRY(sqs_read_system_attributes(call, request->system_attributes, message, &prepared->system_attributes_md5_hex));
    md5(request->body, prepared->body_md5);
    message->body = request->body;
    message->sender = call->actor.principal_id;
    message->group = request->group_id;
    message->dedup_id = request->dedup_id;
    if (request->fifo && request->dedup_id.data == NULL)
        message->content_id = content_id(call, request->body);
    message->digest = slice_make(prepared->body_md5, sizeof(prepared->body_md5));
    prepared->delay_ms = request->has_delay_seconds ? (uint64_t)request->delay_seconds * 1000 : 0;
    prepared->has_delay = request->has_delay_seconds && !request->fifo;
    prepared->body_md5_hex = hex_encode(call->arena, prepared->body_md5, sizeof(prepared->body_md5));
    prepared->attributes_md5_hex =
        sqs_message_attributes_md5(call->arena, message->attributes, message->attribute_count);
    return OK;
}

void sqs_prepare_message(Call *call, const SendRequest *request, PreparedMessage *prepared)
{
    *prepared = (PreparedMessage){0};
    if (prepare(call, request, prepared) == OK)
        return;
    prepared->refusal = call->error;
    prepared->refusal_message = call->error_message;
    call->error = NULL;
    call->error_message = (Slice){0};
}

static Slice sequence_text(Call *call, uint64_t sequence)
{
    Buffer text = buffer_make(call->arena);
    buffer_add_uint64(&text, SQS_SEQUENCE_FIRST + sequence);
    return buffer_slice(&text);
}

Error sqs_check_for_fifo(Call *call, const Queue *queue, const PreparedMessage *prepared)
{
    if (prepared->refusal != NULL || !queue->settings.fifo)
        return OK;
    if (prepared->message.group.data == NULL)
        return sqs_refuse(call, QUEUE_GROUP_MISSING);
    bool unnamed = prepared->message.dedup_id.data == NULL && !queue->settings.dedup_by_content;
    return unnamed ? sqs_refuse(call, QUEUE_DEDUP_MISSING) : OK;
}

Error sqs_send_prepared(Call *call, Txn *txn, const Queue *queue, const PreparedMessage *prepared, Slice *message_id,
                        Slice *sequence_number)
{
    if (prepared->refusal != NULL) {
        call->error = prepared->refusal;
        call->error_message = prepared->refusal_message;
        return ERROR_ANSWERED;
    }
    QueueSent sent;
    uint64_t delay_ms = prepared->has_delay ? prepared->delay_ms : queue->settings.delay_ms;
    Error error = queue_send(txn, queue, &prepared->message, delay_ms, &sent);
    if (error == QUEUE_MESSAGE_TOO_LONG)
        return call_fail(call, &common_invalid_parameter_value,
                         "One or more parameters are invalid. Reason: Message must be shorter than %" PRIu64 " bytes.",
                         queue->settings.message_bytes);
    TRY(sqs_refuse(call, error));
    *message_id = sqs_uuid(call->arena, &sent.id);
    if (queue->settings.fifo)
        *sequence_number = sequence_text(call, sent.sequence);
    return OK;
}

void sqs_prepare_send_message(Call *call, const SendMessageInput *in)
{
    const SendRequest request = {
        .fifo = sqs_names_fifo(in->queue_url),
        .body = in->message_body,
        .delay_seconds = in->delay_seconds,
        .has_delay_seconds = in->has_delay_seconds,
        .attributes = &in->message_attributes,
        .system_attributes = &in->message_system_attributes,
        .dedup_id = in->message_deduplication_id,
        .group_id = in->message_group_id,
    };
    call->prepared = ARENA_NEW(call->arena, PreparedMessage);
    sqs_prepare_message(call, &request, call->prepared);
}

Error sqs_send_message(Call *call, Txn *txn, const SendMessageInput *in, SendMessageOutput *out)
{
    const PreparedMessage *prepared = call->prepared;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(sqs_send_prepared(call, txn, &queue, prepared, &out->message_id, &out->sequence_number));
    out->md5_of_message_body = prepared->body_md5_hex;
    out->md5_of_message_attributes = prepared->attributes_md5_hex;
    out->md5_of_message_system_attributes = prepared->system_attributes_md5_hex;
    return OK;
}

/* ---- Receive ---- */

/* The message system attributes that messages have, some of them FIFO queues' alone. */
typedef enum SystemAttribute {
    SYSTEM_SENDER_ID,
    SYSTEM_SENT_TIMESTAMP,
    SYSTEM_RECEIVE_COUNT,
    SYSTEM_FIRST_RECEIVE_TIMESTAMP,
    SYSTEM_TRACE_HEADER,
    SYSTEM_DEAD_LETTER_SOURCE,
    SYSTEM_GROUP_ID,
    SYSTEM_DEDUPLICATION_ID,
    SYSTEM_SEQUENCE_NUMBER,
    SYSTEM_ATTRIBUTES,
} SystemAttribute;

static const Slice system_names[SYSTEM_ATTRIBUTES] = {
    [SYSTEM_SENDER_ID] = SLICE_INIT("SenderId"),
    [SYSTEM_SENT_TIMESTAMP] = SLICE_INIT("SentTimestamp"),
    [SYSTEM_RECEIVE_COUNT] = SLICE_INIT("ApproximateReceiveCount"),
    [SYSTEM_FIRST_RECEIVE_TIMESTAMP] = SLICE_INIT("ApproximateFirstReceiveTimestamp"),
    [SYSTEM_TRACE_HEADER] = SLICE_INIT("AWSTraceHeader"),
    [SYSTEM_DEAD_LETTER_SOURCE] = SLICE_INIT("DeadLetterQueueSourceArn"),
    [SYSTEM_GROUP_ID] = SLICE_INIT("MessageGroupId"),
    [SYSTEM_DEDUPLICATION_ID] = SLICE_INIT("MessageDeduplicationId"),
    [SYSTEM_SEQUENCE_NUMBER] = SLICE_INIT("SequenceNumber"),
};

static Error read_wanted(Call *call, const Slice *names, size_t count, bool wanted[SYSTEM_ATTRIBUTES])
{
    for (size_t i = 0; i < count; i++) {
        bool all = slice_equal(names[i], SLICE("All"));
        bool known = all;
        for (size_t k = 0; k < SYSTEM_ATTRIBUTES; k++) {
            if (!all && !slice_equal(names[i], system_names[k]))
                continue;
            wanted[k] = true;
            known = true;
        }
        if (!known)
            return call_fail(call, &sqs_error_invalid_attribute_name, "Unknown Attribute %.*s.", SLICE_PRINT(names[i]));
    }
    return OK;
}

static Slice system_value(Call *call, bool fifo, const ReceivedMessage *message, SystemAttribute attribute)
{
    switch (attribute) {
    case SYSTEM_SENDER_ID:
        return message->message.sender;
    case SYSTEM_SENT_TIMESTAMP:
        return decimal(call, (int64_t)message->sent_ms);
    case SYSTEM_RECEIVE_COUNT:
        return decimal(call, (int64_t)message->receive_count);
    case SYSTEM_FIRST_RECEIVE_TIMESTAMP:
        return decimal(call, (int64_t)message->first_received_ms);
    case SYSTEM_TRACE_HEADER:
        return message->message.trace;
    case SYSTEM_DEAD_LETTER_SOURCE:
        return message->dead_letter_source.data == NULL ? (Slice){0} : sqs_queue_arn(call, message->dead_letter_source);
    case SYSTEM_GROUP_ID:
        return message->message.group;
    case SYSTEM_DEDUPLICATION_ID:
        return message->message.dedup_id;
    case SYSTEM_SEQUENCE_NUMBER:
        return fifo ? sequence_text(call, message->sequence) : (Slice){0};
    case SYSTEM_ATTRIBUTES:
        break;
    }
    return (Slice){0};
}

static void give_system_attributes(Call *call, bool fifo, const ReceivedMessage *message,
                                   const bool wanted[SYSTEM_ATTRIBUTES], SqsMessageSystemAttributeMap *map)
{
    SqsMessageSystemAttributeMapEntry *items =
        ARENA_ARRAY(call->arena, SqsMessageSystemAttributeMapEntry, SYSTEM_ATTRIBUTES);
    size_t count = 0;
    for (size_t k = 0; k < SYSTEM_ATTRIBUTES; k++) {
        Slice value = wanted[k] ? system_value(call, fifo, message, (SystemAttribute)k) : (Slice){0};
        if (value.data != NULL)
            items[count++] = (SqsMessageSystemAttributeMapEntry){system_names[k], value};
    }
    if (count > 0)
        *map = (SqsMessageSystemAttributeMap){items, count};
}

/* The digest is of what is given, as the client checks it. */
static void give_message_attributes(Call *call, const Message *message, const SqsMessageAttributeNameList *names,
                                    SqsMessage *out)
{
    if (message->attribute_count == 0 || names->count == 0)
        return;
    MessageAttribute *given = ARENA_ARRAY(call->arena, MessageAttribute, message->attribute_count);
    SqsMessageBodyAttributeMapEntry *items =
        ARENA_ARRAY(call->arena, SqsMessageBodyAttributeMapEntry, message->attribute_count);
    size_t count = 0;
    for (size_t i = 0; i < message->attribute_count; i++) {
        const MessageAttribute *attribute = &message->attributes[i];
        if (!sqs_wants_attribute(names, attribute->name))
            continue;
        items[count] = (SqsMessageBodyAttributeMapEntry){.key = attribute->name, .value.data_type = attribute->type};
        if (slice_starts_with(attribute->type, SLICE("Binary")))
            items[count].value.binary_value = attribute->value;
        else
            items[count].value.string_value = attribute->value;
        given[count++] = *attribute;
    }
    if (count == 0)
        return;
    out->message_attributes = (SqsMessageBodyAttributeMap){items, count};
    out->md5_of_message_attributes = sqs_message_attributes_md5(call->arena, given, count);
}

static ReceiveRequest receive_request(const Call *call, const Queue *queue, const ReceiveMessageInput *in)
{
    const Limits *limits = call->limits;
    return (ReceiveRequest){
        .max = in->has_max_number_of_messages ? (size_t)in->max_number_of_messages : 1,
        .bytes_max = limits->value[LIMIT_SQS_RECEIVE_BYTES],
        .in_flight_max = limits->value[queue->settings.fifo ? LIMIT_SQS_FIFO_IN_FLIGHT : LIMIT_SQS_IN_FLIGHT],
        .visibility_ms =
            in->has_visibility_timeout ? (uint64_t)in->visibility_timeout * 1000 : queue->settings.visibility_ms,
        .wait_ms = in->has_wait_time_seconds ? (uint64_t)in->wait_time_seconds * 1000 : queue->settings.wait_ms,
        .attempt_id = in->receive_request_attempt_id,
    };
}

static Error check_attempt_id(Call *call, const Queue *queue, Slice id)
{
    static const char name[] = "ReceiveRequestAttemptId";
    if (id.data != NULL && !queue->settings.fifo)
        return bad_parameter(call, id, name, wrong_queue_type);
    return check_token(call, id, name);
}

Error sqs_receive_message(Call *call, Txn *txn, const ReceiveMessageInput *in, ReceiveMessageOutput *out)
{
    bool wanted[SYSTEM_ATTRIBUTES] = {false};
    TRY(read_wanted(call, in->attribute_names.items, in->attribute_names.count, wanted));
    TRY(read_wanted(call, in->message_system_attribute_names.items, in->message_system_attribute_names.count, wanted));
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(check_attempt_id(call, &queue, in->receive_request_attempt_id));
    const ReceiveRequest request = receive_request(call, &queue, in);
    ReceivedMessages received;
    Error error = queue_receive(txn, &queue, &request, call->arena, &received);
    if (error == QUEUE_ATTEMPT_SPENT)
        return bad_parameter(
            call, request.attempt_id, "ReceiveRequestAttemptId",
            "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.");
    TRY(sqs_refuse(call, error));
    if (received.count == 0)
        return OK;

    out->messages = (SqsMessageList){ARENA_ARRAY(call->arena, SqsMessage, received.count), received.count};
    for (size_t i = 0; i < received.count; i++) {
        const ReceivedMessage *message = &received.items[i];
        SqsMessage *item = &out->messages.items[i];
        Slice digest = message->message.digest;
        item->message_id = sqs_uuid(call->arena, &message->id);
        item->receipt_handle = message->receipt;
        item->body = message->message.body;
        item->md5_of_body = digest.size == MD5_SIZE ? hex_encode(call->arena, digest.data, digest.size)
                                                    : sqs_md5_hex(call->arena, message->message.body);
        give_system_attributes(call, queue.settings.fifo, message, wanted, &item->attributes);
        give_message_attributes(call, &message->message, &in->message_attribute_names, item);
    }
    return OK;
}

/* ---- Delete, visibility ---- */

static Error invalid_receipt(Call *call, Slice receipt_handle)
{
    return call_fail(call, &sqs_error_receipt_handle_is_invalid,
                     "The input receipt handle \"%.*s\" is not a valid receipt handle.", SLICE_PRINT(receipt_handle));
}

Error sqs_delete_one(Call *call, Txn *txn, const Queue *queue, Slice receipt_handle)
{
    Error error = queue_delete(txn, queue, receipt_handle);
    if (error == QUEUE_RECEIPT_EXPIRED)
        return bad_parameter(call, receipt_handle, "ReceiptHandle", "The receipt handle has expired.");
    return error == QUEUE_RECEIPT_INVALID ? invalid_receipt(call, receipt_handle) : sqs_refuse(call, error);
}

Error sqs_delete_message(Call *call, Txn *txn, const DeleteMessageInput *in, DeleteMessageOutput *out)
{
    (void)out;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    return sqs_delete_one(call, txn, &queue, in->receipt_handle);
}

Error sqs_change_visibility_one(Call *call, Txn *txn, const Queue *queue, Slice receipt_handle, int32_t seconds)
{
    if (seconds < 0 || seconds > VISIBILITY_SECONDS_MAX)
        return bad_parameter(call, decimal(call, seconds), "VisibilityTimeout",
                             "VisibilityTimeout must be an integer between 0 and 43200.");
    Error error = queue_change_visibility(txn, queue, receipt_handle, (uint64_t)seconds * 1000);
    switch (error) {
    case QUEUE_RECEIPT_INVALID:
        return invalid_receipt(call, receipt_handle);
    case QUEUE_MESSAGE_GONE:
        return bad_parameter(call, receipt_handle, "ReceiptHandle",
                             "Message does not exist or is not available for visibility timeout change.");
    case QUEUE_VISIBILITY_TOO_LONG:
        return bad_parameter(call, decimal(call, seconds), "VisibilityTimeout",
                             "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].");
    default:
        return sqs_refuse(call, error);
    }
}

Error sqs_change_message_visibility(Call *call, Txn *txn, const ChangeMessageVisibilityInput *in,
                                    ChangeMessageVisibilityOutput *out)
{
    (void)out;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    return sqs_change_visibility_one(call, txn, &queue, in->receipt_handle, in->visibility_timeout);
}

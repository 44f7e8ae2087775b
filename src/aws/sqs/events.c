#include "aws/sqs/events.h"

#include "aws/sqs/dialect.h"
#include "base/digest.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>

static void write_text(JsonWriter *writer, const char *name, Slice text)
{
    if (text.data == NULL)
        return;
    json_write_name(writer, slice_of_string(name));
    json_write_string(writer, text);
}

/* Numbers among the attributes are strings. */
static void write_number(JsonWriter *writer, const char *name, uint64_t number)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%ju", (uintmax_t)number);
    write_text(writer, name, slice_make(digits, (size_t)size));
}

static bool is_fifo(Slice source_arn)
{
    return slice_ends_with(source_arn, SLICE(".fifo"));
}

/* The queue that a message was moved from is a neighbour of the one that it is read from. */
static void write_dead_letter_source(JsonWriter *writer, Slice source_arn, Slice name)
{
    if (name.data == NULL)
        return;
    size_t end = source_arn.size;
    while (end > 0 && source_arn.data[end - 1] != ':')
        end--;
    write_text(writer, "DeadLetterQueueSourceArn",
               arena_format(writer->out->arena, "%.*s%.*s", (int)end, source_arn.data, SLICE_PRINT(name)));
}

static void write_attributes(JsonWriter *writer, Slice source_arn, const ReceivedMessage *message)
{
    json_write_name(writer, SLICE("attributes"));
    json_write_object_begin(writer);
    write_number(writer, "ApproximateReceiveCount", message->receive_count);
    write_text(writer, "AWSTraceHeader", message->message.trace);
    write_number(writer, "SentTimestamp", message->sent_ms);
    if (is_fifo(source_arn))
        write_number(writer, "SequenceNumber", SQS_SEQUENCE_FIRST + message->sequence);
    write_text(writer, "MessageGroupId", message->message.group);
    write_text(writer, "SenderId", message->message.sender);
    write_text(writer, "MessageDeduplicationId", message->message.dedup_id);
    write_number(writer, "ApproximateFirstReceiveTimestamp", message->first_received_ms);
    write_dead_letter_source(writer, source_arn, message->dead_letter_source);
    json_write_object_end(writer);
}

static void write_empty_list(JsonWriter *writer, const char *name)
{
    json_write_name(writer, slice_of_string(name));
    json_write_array_begin(writer);
    json_write_array_end(writer);
}

static void write_message_attributes(JsonWriter *writer, const Message *message)
{
    json_write_name(writer, SLICE("messageAttributes"));
    json_write_object_begin(writer);
    for (size_t i = 0; i < message->attribute_count; i++) {
        const MessageAttribute *attribute = &message->attributes[i];
        json_write_name(writer, attribute->name);
        json_write_object_begin(writer);
        if (slice_starts_with(attribute->type, SLICE("Binary")))
            write_text(writer, "binaryValue", base64_encode(writer->out->arena, attribute->value));
        else
            write_text(writer, "stringValue", attribute->value);
        write_empty_list(writer, "stringListValues");
        write_empty_list(writer, "binaryListValues");
        write_text(writer, "dataType", attribute->type);
        json_write_object_end(writer);
    }
    json_write_object_end(writer);
}

static Slice body_md5(Arena *arena, const Message *message)
{
    if (message->digest.size == MD5_SIZE)
        return hex_encode(arena, message->digest.data, MD5_SIZE);
    return sqs_md5_hex(arena, message->body);
}

/* Objects and arrays alone: any other body is text to a filter (Lambda developer guide, "Using event filtering with an
 * Amazon SQS event source"). */
static bool is_document(Slice body)
{
    size_t start = 0;
    while (start < body.size && memchr(" \t\r\n", body.data[start], 4) != NULL)
        start++;
    return start < body.size && (body.data[start] == '{' || body.data[start] == '[') && json_check(body) == OK;
}

void sqs_add_event_record(Buffer *out, Slice source_arn, Slice region, const ReceivedMessage *message, bool for_filters)
{
    Arena *arena = out->arena;
    JsonWriter writer = json_writer(out);
    const Message *content = &message->message;
    json_write_object_begin(&writer);
    write_text(&writer, "messageId", sqs_uuid(arena, &message->id));
    write_text(&writer, "receiptHandle", message->receipt);
    json_write_name(&writer, SLICE("body"));
    if (for_filters && is_document(content->body))
        json_write_raw(&writer, content->body);
    else
        json_write_string(&writer, content->body);
    write_attributes(&writer, source_arn, message);
    write_message_attributes(&writer, content);
    json_write_name(&writer, SLICE("md5OfMessageAttributes"));
    if (content->attribute_count == 0)
        json_write_null(&writer);
    else
        json_write_string(&writer, sqs_message_attributes_md5(arena, content->attributes, content->attribute_count));
    write_text(&writer, "md5OfBody", body_md5(arena, content));
    write_text(&writer, "eventSource", SLICE("aws:sqs"));
    write_text(&writer, "eventSourceARN", source_arn);
    write_text(&writer, "awsRegion", region);
    json_write_object_end(&writer);
}

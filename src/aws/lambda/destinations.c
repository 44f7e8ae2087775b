#include "aws/lambda/destinations.h"

#include "base/json.h"
#include "base/time_format.h"

/* ---- Records ---- */

static void write_text(JsonWriter *writer, Slice name, Slice value)
{
    json_write_name(writer, name);
    json_write_string(writer, value);
}

static void write_number(JsonWriter *writer, Slice name, uint64_t value)
{
    json_write_name(writer, name);
    json_write_uint64(writer, value);
}

/* A handler may answer with bytes that are no JSON: they become a string, if they can. */
static void write_document(JsonWriter *writer, Slice name, Slice document)
{
    json_write_name(writer, name);
    if (json_check(document) == OK)
        json_write_raw(writer, document);
    else if (utf8_is_valid(document))
        json_write_string(writer, document);
    else
        json_write_null(writer);
}

static void write_context(JsonWriter *writer, const EventEnd *end)
{
    static const Slice conditions[] = {
        [EVENT_CONDITION_SUCCESS] = SLICE_INIT("Success"),
        [EVENT_CONDITION_RETRIES_EXHAUSTED] = SLICE_INIT("RetriesExhausted"),
        [EVENT_CONDITION_AGE_EXCEEDED] = SLICE_INIT("EventAgeExceeded"),
        [EVENT_CONDITION_NO_CONCURRENCY] = SLICE_INIT("ZeroReservedConcurrency"),
    };
    json_write_name(writer, SLICE("requestContext"));
    json_write_object_begin(writer);
    write_text(writer, SLICE("requestId"), end->event->request_id);
    write_text(writer, SLICE("functionArn"), end->attempt->function_arn);
    write_text(writer, SLICE("condition"), conditions[end->condition]);
    write_number(writer, SLICE("approximateInvokeCount"), end->invokes);
    json_write_object_end(writer);
}

/* Only of a handler that ran: an event that was given up without has no response. */
static void write_response(JsonWriter *writer, const EventEnd *end)
{
    const EventAttempt *attempt = end->attempt;
    if (attempt->version.data == NULL)
        return;
    json_write_name(writer, SLICE("responseContext"));
    json_write_object_begin(writer);
    write_number(writer, SLICE("statusCode"), 200);
    write_text(writer, SLICE("executedVersion"), attempt->version);
    if (attempt->result == EVENT_FAILED)
        write_text(writer, SLICE("functionError"), SLICE("Unhandled"));
    json_write_object_end(writer);
    write_document(writer, SLICE("responsePayload"), attempt->answer);
}

static Slice record(const EventEnd *end, Arena *arena)
{
    char time[TIME_TEXT_MAX];
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    buffer_reserve(&out, end->event->payload.size + end->attempt->answer.size + 512);
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("version"), SLICE("1.0"));
    write_text(&writer, SLICE("timestamp"), time_format_iso_ms((int64_t)end->now_ms, time));
    write_context(&writer, end);
    write_document(&writer, SLICE("requestPayload"), end->event->payload);
    write_response(&writer, end);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

/* ---- Errors ---- */

/* {"errorMessage": …}; a document without one is told whole. */
static Slice error_message(Slice document, Arena *arena)
{
    JsonReader reader = json_reader(document, arena);
    Slice name;
    Slice text;
    if (json_begin_object(&reader) != OK)
        return document;
    while (json_next_member(&reader, &name) == OK && name.data != NULL) {
        JsonType type;
        bool is_message = slice_equal(name, SLICE("errorMessage"));
        if (is_message && json_peek(&reader, &type) == OK && type == JSON_STRING &&
            json_read_string(&reader, &text) == OK)
            return text;
        if (json_read_any(&reader, &text) != OK)
            break;
    }
    return document;
}

/* ---- Dead letters ---- */

static size_t attributes(const StoredEvent *letter, MessageAttribute attributes[EVENT_ATTRIBUTES_MAX], Arena *arena)
{
    static const Slice string = SLICE_INIT("String");
    size_t count = 0;
    attributes[count++] = (MessageAttribute){SLICE("RequestID"), string, letter->request_id};
    if (letter->error_code == 0)
        return count;
    attributes[count++] = (MessageAttribute){SLICE("ErrorCode"), SLICE("Number"),
                                             arena_format(arena, "%ju", (uintmax_t)letter->error_code)};
    if (letter->error_message.size > 0) /* no attribute is empty */
        attributes[count++] = (MessageAttribute){SLICE("ErrorMessage"), string, letter->error_message};
    return count;
}

const EventDialect lambda_event_dialect = {record, error_message, attributes};

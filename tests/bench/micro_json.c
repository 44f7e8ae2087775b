/* How long it takes to decode the JSON of a SendMessage request of 400 bytes, members matched by name and strings
 * resolved, as the wire decoder does. Prints "name value unit" lines: medians of ROUNDS. */
#include "base/bug.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9, REPEATS = 200000 };

typedef struct SendMessage {
    Slice queue_url;
    Slice message_body;
    Slice delay_seconds;
    Slice attribute_names[10];
    Slice attribute_values[10];
    size_t attributes;
} SendMessage;

static Error decode_attribute(JsonReader *reader, Slice *value)
{
    TRY(json_begin_object(reader));
    for (;;) {
        Slice name;
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            return OK;
        Slice ignored;
        if (slice_equal(name, SLICE("StringValue")))
            TRY(json_read_string(reader, value));
        else
            TRY(json_read_any(reader, &ignored));
    }
}

static Error decode_attributes(JsonReader *reader, SendMessage *request)
{
    TRY(json_begin_object(reader));
    for (request->attributes = 0; request->attributes < 10; request->attributes++) {
        Slice *name = &request->attribute_names[request->attributes];
        TRY(json_next_member(reader, name));
        if (name->data == NULL)
            return OK;
        TRY(decode_attribute(reader, &request->attribute_values[request->attributes]));
    }
    return ERROR_TOO_LARGE;
}

static Error decode(JsonReader *reader, SendMessage *request)
{
    TRY(json_begin_object(reader));
    for (;;) {
        Slice name;
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            return json_read_end(reader);
        Slice ignored;
        if (slice_equal(name, SLICE("QueueUrl")))
            TRY(json_read_string(reader, &request->queue_url));
        else if (slice_equal(name, SLICE("MessageBody")))
            TRY(json_read_string(reader, &request->message_body));
        else if (slice_equal(name, SLICE("DelaySeconds")))
            TRY(json_read_number(reader, &request->delay_seconds));
        else if (slice_equal(name, SLICE("MessageAttributes")))
            TRY(decode_attributes(reader, request));
        else
            TRY(json_read_any(reader, &ignored));
    }
}

/* Processor time, so that other programs on the machine do not count. */
static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

static void measure(const char *name, Slice text)
{
    double ns[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        Arena arena = arena_make();
        arena_alloc(&arena, 1);
        ArenaMark mark = arena_mark(&arena);
        double start = now_ns();
        for (int i = 0; i < REPEATS; i++) {
            SendMessage request = {0};
            JsonReader reader = json_reader(text, &arena);
            ASSERT(decode(&reader, &request) == OK);
            ASSERT(request.attributes == 1 && request.message_body.size > 0 && request.queue_url.size > 0);
            arena_rewind(&arena, mark);
        }
        ns[round] = (now_ns() - start) / REPEATS;
        arena_free(&arena);
    }
    qsort(ns, ROUNDS, sizeof *ns, compare_doubles);
    printf("%s %.1f ns\n", name, ns[ROUNDS / 2]);
}

int main(void)
{
    Slice plain = SLICE(
        "{\"QueueUrl\":\"http://127.0.0.1:4566/000000000000/orders-waiting\",\"MessageBody\":\""
        "The quick brown fox jumps over the lazy dog, again and again, until the body of this message has the length "
        "that a message of an ordinary application has, which is about two hundred bytes, more or less, give or take "
        "some words...\","
        "\"DelaySeconds\":0,\"MessageAttributes\":{\"tenant\":{\"DataType\":\"String\",\"StringValue\":\"acme\"}}}");
    Slice escaped = SLICE(
        "{\"QueueUrl\":\"http://127.0.0.1:4566/000000000000/orders-waiting\",\"MessageBody\":\""
        "{\\\"order\\\":\\\"A-1000237\\\",\\\"customer\\\":{\\\"id\\\":77,\\\"name\\\":\\\"Zo\\u00eb\\\"},"
        "\\\"items\\\":[{\\\"sku\\\":"
        "\\\"X1\\\",\\\"count\\\":2},{\\\"sku\\\":\\\"Y2\\\",\\\"count\\\":1}],\\\"total\\\":\\\"129.50\\\","
        "\\\"note\\\":\\\"please ring the bell of the second door twice\\\"}\","
        "\"DelaySeconds\":0,\"MessageAttributes\":{\"tenant\":{\"DataType\":\"String\",\"StringValue\":\"acme\"}}}");
    printf("json_plain_request %zu bytes\n", plain.size);
    measure("json_decode_plain", plain);
    printf("json_escaped_request %zu bytes\n", escaped.size);
    measure("json_decode_escaped", escaped);
    return 0;
}

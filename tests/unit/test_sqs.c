/* The operations of Amazon SQS below the wire: inputs as they are decoded, bodies on a stepped store. Digests are those
 * that AWS answered for the same messages. */
#include "store_fixture.h"

#include "aws/sqs/dialect.h"

#include <stdlib.h>

typedef struct Fixture {
    World world;
    Arena arena; /* of all calls of one test */
    Call call;   /* the last one */
} Fixture;

typedef struct Invocation {
    Fixture *fixture;
    const Operation *operation;
    const void *in;
    void *out;
} Invocation;

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
}

static int setup(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    fixture->world.prepare = prepare;
    world_open(&fixture->world, 42);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    world_close(&fixture->world);
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static Error invoke_body(Txn *txn, StoreCall *store_call)
{
    Invocation *invocation = probe_argument(store_call);
    Call *call = &invocation->fixture->call;
    return invocation->operation->body(call, txn, invocation->in, invocation->out);
}

/* Runs the operation of that name; `in` and `out` are its structs. */
static Error invoke(Fixture *fixture, Slice name, const void *in, void *out)
{
    fixture->call = (Call){
        .arena = &fixture->arena,
        .service = &sqs_service,
        .operation = service_operation(&sqs_service, name),
        .actor = {.account = SLICE("111122223333"),
                  .region = SLICE("eu-central-1"),
                  .principal_arn = SLICE("arn:aws:iam::111122223333:root"),
                  .principal_id = SLICE("111122223333")},
        .endpoint = SLICE("http://127.0.0.1:4566"),
        .limits = &limits_default,
    };
    assert_non_null(fixture->call.operation);
    if (fixture->call.operation->prepare != NULL)
        fixture->call.operation->prepare(&fixture->call, in);
    Invocation invocation = {fixture, fixture->call.operation, in, out};
    return world_write(&fixture->world, invoke_body, &invocation);
}

#define INVOKE(fixture, Operation, in, out) invoke((fixture), SLICE(#Operation), (in), (out))

static void assert_slice(Slice actual, const char *expected)
{
    if (!slice_equal(actual, slice_of_string(expected)))
        fail_msg("'%.*s' is not '%s'", SLICE_PRINT(actual), expected);
}

static void assert_refused(Fixture *fixture, Error error, const char *query_code, const char *message)
{
    assert_int_equal(error, ERROR_ANSWERED);
    assert_slice(fixture->call.error->query_code, query_code);
    if (message != NULL)
        assert_slice(fixture->call.error_message, message);
}

#define URL SLICE("http://127.0.0.1:4566/111122223333/orders")

static SqsQueueAttributeMap attributes_of(SqsQueueAttributeMapEntry *entries, size_t count)
{
    return (SqsQueueAttributeMap){entries, count};
}

static Error create_with(Fixture *fixture, Slice name, Slice attribute, Slice value)
{
    SqsQueueAttributeMapEntry entry = {attribute, value};
    CreateQueueInput in = {.queue_name = name};
    CreateQueueOutput out = {0};
    if (attribute.data != NULL)
        in.attributes = attributes_of(&entry, 1);
    Error error = INVOKE(fixture, CreateQueue, &in, &out);
    if (error == OK)
        assert_slice(
            out.queue_url,
            arena_string(&fixture->arena,
                         arena_format(&fixture->arena, "http://127.0.0.1:4566/111122223333/%.*s", SLICE_PRINT(name))));
    return error;
}

static void create(Fixture *fixture)
{
    assert_int_equal(create_with(fixture, SLICE("orders"), (Slice){0}, (Slice){0}), OK);
}

static Slice attribute(Fixture *fixture, Slice name)
{
    GetQueueAttributesInput in = {.queue_url = URL, .attribute_names = {&name, 1}};
    GetQueueAttributesOutput out = {0};
    assert_int_equal(INVOKE(fixture, GetQueueAttributes, &in, &out), OK);
    return out.attributes.count == 0 ? (Slice){0} : out.attributes.items[0].value;
}

static SendMessageOutput send(Fixture *fixture, Slice body)
{
    SendMessageInput in = {.queue_url = URL, .message_body = body};
    SendMessageOutput out = {0};
    assert_int_equal(INVOKE(fixture, SendMessage, &in, &out), OK);
    return out;
}

/* ---- Queues ---- */

static void a_queue_is_found_by_every_form_of_its_address(void **state)
{
    Fixture *fixture = *state;
    create(fixture);
    const Slice good[] = {URL, SLICE("https://sqs.eu-central-1.amazonaws.com/111122223333/orders"),
                          SLICE("/111122223333/orders"), SLICE("orders")};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        GetQueueAttributesInput in = {.queue_url = good[i]};
        GetQueueAttributesOutput out = {0};
        assert_int_equal(INVOKE(fixture, GetQueueAttributes, &in, &out), OK);
        assert_null(out.attributes.items);
    }
    GetQueueAttributesOutput out = {0};
    GetQueueAttributesInput in = {.queue_url = SLICE("http://127.0.0.1:4566/111122223333/other")};
    assert_refused(fixture, INVOKE(fixture, GetQueueAttributes, &in, &out), "AWS.SimpleQueueService.NonExistentQueue",
                   NULL);
    in.queue_url = SLICE("http://127.0.0.1:4566/999999999999/orders");
    assert_int_equal(INVOKE(fixture, GetQueueAttributes, &in, &out), ERROR_ANSWERED);
    assert_ptr_equal(fixture->call.error, &common_access_denied);
    in.queue_url = SLICE("http://127.0.0.1:4566/nonsense/orders");
    assert_refused(fixture, INVOKE(fixture, GetQueueAttributes, &in, &out), "InvalidAddress", NULL);
}

static void creating_again_gives_the_queue_unless_an_attribute_differs(void **state)
{
    Fixture *fixture = *state;
    SqsQueueAttributeMapEntry entries[] = {{SLICE("ReceiveMessageWaitTimeSeconds"), SLICE("1")},
                                           {SLICE("DelaySeconds"), SLICE("1")}};
    CreateQueueInput in = {.queue_name = SLICE("orders"), .attributes = attributes_of(entries, 2)};
    CreateQueueOutput out = {0};
    assert_int_equal(INVOKE(fixture, CreateQueue, &in, &out), OK);
    assert_int_equal(INVOKE(fixture, CreateQueue, &in, &out), OK);
    assert_int_equal(create_with(fixture, SLICE("orders"), (Slice){0}, (Slice){0}), OK);
    assert_int_equal(create_with(fixture, SLICE("orders"), SLICE("DelaySeconds"), SLICE("1")), OK);
    assert_refused(fixture, create_with(fixture, SLICE("orders"), SLICE("DelaySeconds"), SLICE("2")),
                   "QueueAlreadyExists",
                   "A queue already exists with the same name and a different value for attribute DelaySeconds");
}

static void attributes_are_checked_and_reported(void **state)
{
    Fixture *fixture = *state;
    static const struct {
        Slice name;
        Slice good;
        Slice bad;
    } cases[] = {
        {SLICE_INIT("DelaySeconds"), SLICE_INIT("900"), SLICE_INIT("901")},
        {SLICE_INIT("MaximumMessageSize"), SLICE_INIT("1024"), SLICE_INIT("1023")},
        {SLICE_INIT("MaximumMessageSize"), SLICE_INIT("1048576"), SLICE_INIT("1048577")},
        {SLICE_INIT("MessageRetentionPeriod"), SLICE_INIT("60"), SLICE_INIT("59")},
        {SLICE_INIT("ReceiveMessageWaitTimeSeconds"), SLICE_INIT("20"), SLICE_INIT("21")},
        {SLICE_INIT("VisibilityTimeout"), SLICE_INIT("43200"), SLICE_INIT("-1")},
        {SLICE_INIT("Policy"), SLICE_INIT("{\"Version\":\"2012-10-17\"}"), SLICE_INIT("{")},
        {SLICE_INIT("SqsManagedSseEnabled"), SLICE_INIT("false"), SLICE_INIT("no")},
    };
    create(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SqsQueueAttributeMapEntry entry = {cases[i].name, cases[i].good};
        SetQueueAttributesInput in = {.queue_url = URL, .attributes = attributes_of(&entry, 1)};
        SetQueueAttributesOutput out = {0};
        assert_int_equal(INVOKE(fixture, SetQueueAttributes, &in, &out), OK);
        assert_true(slice_equal(attribute(fixture, cases[i].name), cases[i].good));
        entry.value = cases[i].bad;
        assert_refused(fixture, INVOKE(fixture, SetQueueAttributes, &in, &out), "InvalidAttributeValue", NULL);
        assert_true(slice_equal(attribute(fixture, cases[i].name), cases[i].good));
    }
    assert_slice(attribute(fixture, SLICE("QueueArn")), "arn:aws:sqs:eu-central-1:111122223333:orders");
    GetQueueAttributesOutput out = {0};
    Slice name = SLICE("Nonsense");
    GetQueueAttributesInput in = {.queue_url = URL, .attribute_names = {&name, 1}};
    assert_refused(fixture, INVOKE(fixture, GetQueueAttributes, &in, &out), "InvalidAttributeName",
                   "Unknown Attribute Nonsense.");
    assert_refused(fixture, create_with(fixture, SLICE("x"), SLICE("QueueArn"), SLICE("y")), "InvalidAttributeName",
                   "Unknown Attribute QueueArn.");
}

#define LETTERS_ARN "arn:aws:sqs:eu-central-1:111122223333:orders"

static void a_redrive_policy_is_read_and_judged(void **state)
{
    Fixture *fixture = *state;
    const Slice name = SLICE("RedrivePolicy");
    const Slice text = SLICE("{\"deadLetterTargetArn\":\"" LETTERS_ARN "\",\"maxReceiveCount\":\"5\"}");
    const Slice other_words = SLICE("{ \"maxReceiveCount\":5, \"deadLetterTargetArn\":\"" LETTERS_ARN "\" }");
    const Slice other = SLICE("{\"deadLetterTargetArn\":\"" LETTERS_ARN "\",\"maxReceiveCount\":6}");
    assert_refused(fixture, create_with(fixture, SLICE("source"), name, text), "InvalidParameterValue",
                   "Value {\"deadLetterTargetArn\":\"" LETTERS_ARN "\",\"maxReceiveCount\":\"5\"} for parameter "
                   "RedrivePolicy is invalid. Reason: Dead letter target does not exist.");
    create(fixture);
    assert_int_equal(create_with(fixture, SLICE("source"), name, text), OK);
    assert_int_equal(create_with(fixture, SLICE("source"), name, other_words), OK);
    assert_refused(fixture, create_with(fixture, SLICE("source"), name, other), "QueueAlreadyExists",
                   "A queue already exists with the same name and a different value for attribute RedrivePolicy");

    ListDeadLetterSourceQueuesInput in = {.queue_url = URL};
    ListDeadLetterSourceQueuesOutput out = {0};
    assert_int_equal(INVOKE(fixture, ListDeadLetterSourceQueues, &in, &out), OK);
    assert_int_equal(out.queue_urls.count, 1);
    assert_slice(out.queue_urls.items[0], "http://127.0.0.1:4566/111122223333/source");

    SqsQueueAttributeMapEntry entry = {SLICE("RedriveAllowPolicy"), SLICE("{\"redrivePermission\":\"denyAll\"}")};
    SetQueueAttributesInput deny = {.queue_url = URL, .attributes = attributes_of(&entry, 1)};
    SetQueueAttributesOutput denied = {0};
    assert_int_equal(INVOKE(fixture, SetQueueAttributes, &deny, &denied), OK);
    assert_refused(fixture, create_with(fixture, SLICE("another"), name, other), "InvalidParameterValue", NULL);
}

static void what_is_not_built_yet_is_refused_by_name(void **state)
{
    Fixture *fixture = *state;
    assert_refused(fixture, create_with(fixture, SLICE("a"), SLICE("FifoQueue"), SLICE("true")),
                   "InvalidParameterValue", NULL);
    assert_refused(fixture, create_with(fixture, SLICE("a.fifo"), (Slice){0}, (Slice){0}), "InvalidParameterValue",
                   "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}

static void queues_are_listed_in_pages(void **state)
{
    Fixture *fixture = *state;
    const Slice names[] = {SLICE("a-1"), SLICE("a-2"), SLICE("a-3"), SLICE("b-1")};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(create_with(fixture, names[i], (Slice){0}, (Slice){0}), OK);
    ListQueuesInput in = {.queue_name_prefix = SLICE("a-"), .max_results = 2, .has_max_results = true};
    ListQueuesOutput out = {0};
    assert_int_equal(INVOKE(fixture, ListQueues, &in, &out), OK);
    assert_int_equal(out.queue_urls.count, 2);
    assert_slice(out.queue_urls.items[1], "http://127.0.0.1:4566/111122223333/a-2");
    in.next_token = out.next_token;
    out = (ListQueuesOutput){0};
    assert_int_equal(INVOKE(fixture, ListQueues, &in, &out), OK);
    assert_int_equal(out.queue_urls.count, 1);
    assert_slice(out.queue_urls.items[0], "http://127.0.0.1:4566/111122223333/a-3");
    assert_null(out.next_token.data);
    in = (ListQueuesInput){0};
    assert_int_equal(INVOKE(fixture, ListQueues, &in, &out), OK);
    assert_int_equal(out.queue_urls.count, 4);
}

/* ---- Messages ---- */

static void digests_are_those_of_aws(void **state)
{
    Fixture *fixture = *state;
    static const char trace[] = "traceparent\x1e"
                                "00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01";
    static const struct {
        SqsMessageBodyAttributeMapEntry entry;
        const char *digest;
    } cases[] = {
        {{SLICE_INIT("Foo"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("Bar")}},
         "ae7155c6026991b6d54b11589678bf9c"},
        {{SLICE_INIT("k"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("x")}},
         "a45daa70926828a2f0a1db3418e6feb4"},
        {{SLICE_INIT("attr1"), {.data_type = SLICE_INIT("Binary"), .binary_value = {trace, sizeof trace - 1}}},
         "8cbe4db156db8a94db8b801b7addb984"},
    };
    create(fixture);
    assert_slice(send(fixture, SLICE("msg")).md5_of_message_body, "6e2baaf3b97dbeef01c0043275f9a0e7");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SqsMessageBodyAttributeMapEntry entry = cases[i].entry;
        SendMessageInput in = {.queue_url = URL, .message_body = SLICE("a"), .message_attributes = {&entry, 1}};
        SendMessageOutput out = {0};
        assert_int_equal(INVOKE(fixture, SendMessage, &in, &out), OK);
        assert_slice(out.md5_of_message_attributes, cases[i].digest);
        assert_slice(out.md5_of_message_body, "0cc175b9c0f1b6a831c399e269772661");
    }
}

static void a_received_message_has_what_was_asked_for(void **state)
{
    Fixture *fixture = *state;
    create(fixture);
    SqsMessageBodyAttributeMapEntry entries[] = {
        {SLICE("z.one"), {.data_type = SLICE("Number.int"), .string_value = SLICE("1")}},
        {SLICE("a.one"), {.data_type = SLICE("String"), .string_value = SLICE("x")}},
    };
    SendMessageInput in = {.queue_url = URL, .message_body = SLICE("body"), .message_attributes = {entries, 2}};
    SendMessageOutput sent = {0};
    assert_int_equal(INVOKE(fixture, SendMessage, &in, &sent), OK);

    Slice system[] = {SLICE("SenderId"), SLICE("ApproximateReceiveCount"), SLICE("SequenceNumber")};
    Slice wanted[] = {SLICE("z.*")};
    ReceiveMessageInput receive = {
        .queue_url = URL,
        .attribute_names = {system, 3},
        .message_attribute_names = {wanted, 1},
        .has_visibility_timeout = true,
    };
    ReceiveMessageOutput out = {0};
    assert_int_equal(INVOKE(fixture, ReceiveMessage, &receive, &out), OK);
    assert_int_equal(out.messages.count, 1);
    const SqsMessage *message = &out.messages.items[0];
    assert_slice(message->body, "body");
    assert_true(slice_equal(message->message_id, sent.message_id));
    assert_true(slice_equal(message->md5_of_body, sent.md5_of_message_body));
    assert_int_equal(message->attributes.count, 2);
    assert_slice(message->attributes.items[0].value, "111122223333");
    assert_slice(message->attributes.items[1].value, "1");
    assert_int_equal(message->message_attributes.count, 1);
    assert_slice(message->message_attributes.items[0].key, "z.one");

    wanted[0] = SLICE("All");
    out = (ReceiveMessageOutput){0};
    assert_int_equal(INVOKE(fixture, ReceiveMessage, &receive, &out), OK);
    assert_slice(out.messages.items[0].attributes.items[1].value, "2");
    assert_true(slice_equal(out.messages.items[0].md5_of_message_attributes, sent.md5_of_message_attributes));

    system[0] = SLICE("Nonsense");
    assert_refused(fixture, INVOKE(fixture, ReceiveMessage, &receive, &out), "InvalidAttributeName",
                   "Unknown Attribute Nonsense.");
}

static void wrong_message_attributes_are_refused(void **state)
{
    Fixture *fixture = *state;
    static const SqsMessageBodyAttributeMapEntry wrong[] = {
        {SLICE_INIT("aWs.x"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("AMAZON.x"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT(".x"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("x."), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("x..y"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("x!y"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("x\xc2\xa7y"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("x"), {.data_type = SLICE_INIT("Text"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("x"), {.data_type = SLICE_INIT(""), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("x"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("")}},
        {SLICE_INIT("x"), {.data_type = SLICE_INIT("String"), .string_value = SLICE_INIT("a\x0b")}},
        {SLICE_INIT("x"), {.data_type = SLICE_INIT("Binary"), .string_value = SLICE_INIT("v")}},
        {SLICE_INIT("x"), {.data_type = SLICE_INIT("Number"), .string_value = SLICE_INIT("one")}},
    };
    create(fixture);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SqsMessageBodyAttributeMapEntry entry = wrong[i];
        SendMessageInput in = {.queue_url = URL, .message_body = SLICE("a"), .message_attributes = {&entry, 1}};
        SendMessageOutput out = {0};
        assert_refused(fixture, INVOKE(fixture, SendMessage, &in, &out), "InvalidParameterValue", NULL);
    }
    assert_slice(attribute(fixture, SLICE("ApproximateNumberOfMessages")), "0");
    SqsMessageBodyAttributeMapEntry entry = {SLICE("attr.1\xc3\xb8"),
                                             {.data_type = SLICE("String"), .string_value = SLICE("v")}};
    SendMessageInput in = {.queue_url = URL, .message_body = SLICE("a"), .message_attributes = {&entry, 1}};
    SendMessageOutput out = {0};
    assert_int_equal(INVOKE(fixture, SendMessage, &in, &out), OK);
}

static void numbers_are_what_the_guide_says(void **state)
{
    (void)state;
    const Slice good[] = {SLICE("0"),
                          SLICE("-1.5"),
                          SLICE("+3"),
                          SLICE("1e126"),
                          SLICE("1E-128"),
                          SLICE("000.10"),
                          SLICE("12345678901234567890123456789012345678"),
                          SLICE("1000000000000000000000000000000000000000")};
    const Slice bad[] = {
        SLICE(""),       SLICE("-"),    SLICE("."),  SLICE("1e"),  SLICE("1e127"),
        SLICE("1e-129"), SLICE("0x10"), SLICE("1 "), SLICE("NaN"), SLICE("123456789012345678901234567890123456789")};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(sqs_is_number(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(sqs_is_number(bad[i]));
}

static void wrong_bodies_are_refused(void **state)
{
    Fixture *fixture = *state;
    create(fixture);
    SendMessageOutput out = {0};
    const Slice forbidden[] = {SLICE("a\x08"), SLICE("\x00"), SLICE("\xef\xbf\xbf"), SLICE("\xef\xbf\xbe")};
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        SendMessageInput in = {.queue_url = URL, .message_body = forbidden[i]};
        assert_int_equal(INVOKE(fixture, SendMessage, &in, &out), ERROR_ANSWERED);
        assert_ptr_equal(fixture->call.error, &sqs_error_invalid_message_contents);
    }
    SendMessageInput in = {.queue_url = URL, .message_body = SLICE("")};
    assert_refused(fixture, INVOKE(fixture, SendMessage, &in, &out), "MissingParameter",
                   "The request must contain the parameter MessageBody.");
    in.message_body = SLICE("\t\n\r \xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\xf0\x90\x80\x80");
    assert_int_equal(INVOKE(fixture, SendMessage, &in, &out), OK);
    static char large[1025];
    memset(large, 'x', sizeof large);
    assert_int_equal(create_with(fixture, SLICE("small"), SLICE("MaximumMessageSize"), SLICE("1024")), OK);
    in = (SendMessageInput){.queue_url = SLICE("small"), .message_body = {large, 1025}};
    assert_refused(fixture, INVOKE(fixture, SendMessage, &in, &out), "InvalidParameterValue",
                   "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.");
    in.message_body.size = 1024;
    assert_int_equal(INVOKE(fixture, SendMessage, &in, &out), OK);
}

/* ---- Batches ---- */

static void an_entry_that_fails_leaves_the_others_alone(void **state)
{
    Fixture *fixture = *state;
    create(fixture);
    SqsSendMessageBatchRequestEntry entries[] = {
        {.id = SLICE("one"), .message_body = SLICE("1")},
        {.id = SLICE("two"), .message_body = SLICE("2"), .delay_seconds = 901, .has_delay_seconds = true},
        {.id = SLICE("three"), .message_body = SLICE("3")},
    };
    SendMessageBatchInput in = {.queue_url = URL, .entries = {entries, 3}};
    SendMessageBatchOutput out = {0};
    assert_int_equal(INVOKE(fixture, SendMessageBatch, &in, &out), OK);
    assert_int_equal(out.successful.count, 2);
    assert_slice(out.successful.items[1].id, "three");
    assert_int_equal(out.failed.count, 1);
    assert_slice(out.failed.items[0].id, "two");
    assert_slice(out.failed.items[0].code, "InvalidParameterValue");
    assert_true(out.failed.items[0].sender_fault);
    assert_slice(out.failed.items[0].message,
                 "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.");
    assert_slice(attribute(fixture, SLICE("ApproximateNumberOfMessages")), "2");

    ReceiveMessageInput receive = {.queue_url = URL, .max_number_of_messages = 10, .has_max_number_of_messages = true};
    ReceiveMessageOutput received = {0};
    assert_int_equal(INVOKE(fixture, ReceiveMessage, &receive, &received), OK);
    assert_int_equal(received.messages.count, 2);
    SqsDeleteMessageBatchRequestEntry deletions[] = {
        {.id = SLICE("a"), .receipt_handle = received.messages.items[0].receipt_handle},
        {.id = SLICE("b"), .receipt_handle = SLICE("garbage")},
    };
    DeleteMessageBatchInput delete = {.queue_url = URL, .entries = {deletions, 2}};
    DeleteMessageBatchOutput deleted = {0};
    assert_int_equal(INVOKE(fixture, DeleteMessageBatch, &delete, &deleted), OK);
    assert_int_equal(deleted.successful.count, 1);
    assert_int_equal(deleted.failed.count, 1);
    assert_slice(deleted.failed.items[0].code, "ReceiptHandleIsInvalid");
    assert_slice(attribute(fixture, SLICE("ApproximateNumberOfMessagesNotVisible")), "1");
}

static void a_batch_of_the_wrong_form_is_refused_as_a_whole(void **state)
{
    Fixture *fixture = *state;
    create(fixture);
    SqsSendMessageBatchRequestEntry entries[11];
    SendMessageBatchOutput out = {0};
    for (size_t i = 0; i < 11; i++)
        entries[i] = (SqsSendMessageBatchRequestEntry){.id = arena_format(&fixture->arena, "id-%zu", i),
                                                       .message_body = SLICE("x")};
    SendMessageBatchInput in = {.queue_url = URL, .entries = {entries, 11}};
    assert_refused(fixture, INVOKE(fixture, SendMessageBatch, &in, &out),
                   "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
                   "Maximum number of entries per request are 10. You have sent 11.");
    in.entries.count = 0;
    assert_refused(fixture, INVOKE(fixture, SendMessageBatch, &in, &out), "AWS.SimpleQueueService.EmptyBatchRequest",
                   "There should be at least one SendMessageBatchRequestEntry in the request.");
    in.entries.count = 2;
    entries[1].id = entries[0].id;
    assert_refused(fixture, INVOKE(fixture, SendMessageBatch, &in, &out),
                   "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id id-0 repeated.");
    entries[1].id = SLICE("not valid");
    assert_refused(fixture, INVOKE(fixture, SendMessageBatch, &in, &out), "AWS.SimpleQueueService.InvalidBatchEntryId",
                   NULL);
    entries[1].id = SLICE("valid");
    Slice half = {memset(arena_alloc(&fixture->arena, 600000), 'x', 600000), 600000};
    entries[0].message_body = half;
    entries[1].message_body = half;
    assert_refused(fixture, INVOKE(fixture, SendMessageBatch, &in, &out), "AWS.SimpleQueueService.BatchRequestTooLong",
                   "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.");
    assert_slice(attribute(fixture, SLICE("ApproximateNumberOfMessages")), "0");
}

static void violations_are_answered_in_the_words_of_sqs(void **state)
{
    Fixture *fixture = *state;
    static const struct {
        Slice operation;
        Slice member;
        ViolationKind kind;
        Slice value;
        const char *code;
        const char *message;
    } cases[] = {
        {SLICE_INIT("SendMessage"),
         SLICE_INIT("QueueUrl"),
         VIOLATION_MISSING,
         {0},
         "MissingParameter",
         "The request must contain the parameter QueueUrl."},
        {SLICE_INIT("ReceiveMessage"), SLICE_INIT("MaxNumberOfMessages"), VIOLATION_RANGE_MAX, SLICE_INIT("11"),
         "InvalidParameterValue",
         "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."},
        {SLICE_INIT("ReceiveMessage"), SLICE_INIT("WaitTimeSeconds"), VIOLATION_RANGE_MIN, SLICE_INIT("-1"),
         "InvalidParameterValue",
         "Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."},
        {SLICE_INIT("SendMessageBatch"),
         SLICE_INIT("Entries"),
         VIOLATION_MISSING,
         {0},
         "AWS.SimpleQueueService.EmptyBatchRequest",
         "There should be at least one SendMessageBatchRequestEntry in the request."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const Operation *operation = service_operation(&sqs_service, cases[i].operation);
        fixture->call = (Call){.arena = &fixture->arena, .service = &sqs_service, .operation = operation};
        const Member *member = shape_member(operation->input, cases[i].member);
        assert_non_null(member);
        const Violation violation = {
            .kind = cases[i].kind, .member = member, .path = member->name, .value = cases[i].value};
        assert_refused(fixture, sqs_hooks.violation(&fixture->call, &violation), cases[i].code, cases[i].message);
    }
}

static void every_core_error_has_words(void **state)
{
    Fixture *fixture = *state;
    fixture->call = (Call){.arena = &fixture->arena, .service = &sqs_service};
    for (Error error = QUEUE_NOT_FOUND; error <= QUEUE_MESSAGE_TOO_LONG; error++)
        assert_int_equal(sqs_refuse(&fixture->call, error), ERROR_ANSWERED);
    assert_int_equal(sqs_refuse(&fixture->call, ERROR_WAIT), ERROR_WAIT);
}

int main(void)
{
#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        PROMISE(a_queue_is_found_by_every_form_of_its_address),
        PROMISE(creating_again_gives_the_queue_unless_an_attribute_differs),
        PROMISE(attributes_are_checked_and_reported),
        PROMISE(a_redrive_policy_is_read_and_judged),
        PROMISE(what_is_not_built_yet_is_refused_by_name),
        PROMISE(queues_are_listed_in_pages),
        PROMISE(digests_are_those_of_aws),
        PROMISE(a_received_message_has_what_was_asked_for),
        PROMISE(wrong_message_attributes_are_refused),
        PROMISE(numbers_are_what_the_guide_says),
        PROMISE(wrong_bodies_are_refused),
        PROMISE(an_entry_that_fails_leaves_the_others_alone),
        PROMISE(a_batch_of_the_wrong_form_is_refused_as_a_whole),
        PROMISE(violations_are_answered_in_the_words_of_sqs),
        PROMISE(every_core_error_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Invoke and InvokeWithResponseStream over a socket: what a caller is told of every way in which a run may end. */
#include "lambda_fixture.h"

#include "base/event_stream.h"

#define INVOKE(name) "/2015-03-31/functions/" name "/invocations"
#define STREAM(name) "/2021-11-15/functions/" name "/response-streaming-invocations"

static char *lambda_ask(const char *target, const char *headers, const char *body)
{
    return lambda_request("POST", "brume.test:4566", target, headers, slice_of_string(body));
}

/* ---- Publishing, for versions and aliases ---- */

static Error publish_body(Txn *txn, void *argument)
{
    (void)argument;
    Function function;
    FunctionVersion version;
    TRY(function_open(txn, SLICE(ACCOUNT), SLICE(REGION), SLICE("tell"), &function));
    TRY(function_publish(txn, &function, (Slice){0}, UINT64_MAX, &version));
    FunctionAlias alias = {.name = SLICE("live"), .version = version.version};
    return function_alias_create(txn, &function, &alias);
}

static Error version_ready_body(Txn *txn, void *argument)
{
    (void)argument;
    Function function;
    FunctionVersion version;
    TRY(function_open(txn, SLICE(ACCOUNT), SLICE(REGION), SLICE("tell"), &function));
    TRY(function_version_get(txn, &function, SLICE("1"), &version));
    return slice_equal(version.state, SLICE("Active")) ? OK : FUNCTION_PENDING;
}

static Error recurse_body(Txn *txn, void *may)
{
    Function function;
    TRY(function_open(txn, SLICE(ACCOUNT), SLICE(REGION), SLICE("tell"), &function));
    function.may_recurse = may != NULL;
    function_put(txn, &function);
    return OK;
}

static int open_server(void **unused)
{
    (void)unused;
    lambda_open_store();
    lambda_listen();
    NewFunction isolated = {"isolated", "tell", true};
    lambda_create("echo", "echo");
    lambda_create("tell", "tell");
    lambda_create("fail", "fail");
    lambda_create("park", "park");
    lambda_create("missing-runtime", "refuse-3");
    lambda_create("reserved", "refuse-1");
    lambda_create("unreserved", "refuse-2");
    lambda_create("broken", "refuse-7");
    lambda_create("no-role", "refuse-4");
    lambda_create("stopping", "refuse-5");
    lambda_create("small-stream", "stream-100000");
    lambda_create("large-stream", "stream-100000000");
    lambda_create("broken-stream", "break-70000");
    lambda_create("prelude", "prelude-5");
    assert_int_equal(lambda_write(lambda_create_body, &isolated), OK);
    lambda_await("isolated");
    lambda_await("tell");
    assert_int_equal(lambda_write(publish_body, NULL), OK);
    AWAIT(lambda_write(version_ready_body, NULL) == OK);
    return 0;
}

static int close_server(void **unused)
{
    (void)unused;
    lambda_close();
    return 0;
}

/* ---- Answers ---- */

static void an_event_comes_back_as_it_was_sent(void **unused)
{
    (void)unused;
    char *answer = lambda_ask(INVOKE("echo"), "", "{\"n\": 1.00,\t\"é\":\"\\u00e9\"}");
    assert_has(answer, "\r\ncontent-type: application/json\r\n");
    assert_has(answer, "\r\nx-amz-executed-version: $LATEST\r\n");
    assert_null(strstr(answer, "x-amz-log-result"));
    assert_null(strstr(answer, "x-amz-function-error"));
    assert_answer(answer, 200, "{\"n\": 1.00,\t\"é\":\"\\u00e9\"}");
}

static void no_event_is_an_empty_one(void **unused)
{
    (void)unused;
    assert_answer(lambda_ask(INVOKE("echo"), "", ""), 200, "{}");
}

static void a_failure_is_an_answer_with_a_field_that_says_so(void **unused)
{
    (void)unused;
    char *answer = lambda_ask(INVOKE("fail"), "x-amz-log-type: Tail\r\n", "{}");
    assert_has(answer, "\r\nx-amz-function-error: Unhandled\r\n");
    assert_has(answer, "\r\nx-amz-log-result: U1RBUlQgUmVxdWVzdElkOiDigKYKUkVQT1JUIFJlcXVlc3RJZDog4oCmCg==\r\n");
    assert_answer(answer, 200, "{\"errorMessage\":\"no\",\"errorType\":\"Error\"}");
}

static void a_dry_run_runs_nothing(void **unused)
{
    (void)unused;
    int before = atomic_load(&lambda.invoked);
    assert_answer(lambda_ask(INVOKE("echo"), "x-amz-invocation-type: DryRun\r\n", "{}"), 204, "");
    assert_answer(lambda_ask(STREAM("echo"), "x-amz-invocation-type: DryRun\r\n", "{}"), 204, "");
    assert_int_equal(atomic_load(&lambda.invoked), before);
    char *answer = lambda_ask(INVOKE("nobody"), "x-amz-invocation-type: DryRun\r\n", "{}");
    assert_int_equal(client_status(answer), 404);
    free(answer);
}

static void a_handler_is_told_who_it_is_and_what_was_sent_along(void **unused)
{
    (void)unused;
    char *answer = lambda_ask(INVOKE("tell"), "x-amz-client-context: eyJjdXN0b20iOnsiYSI6MX19\r\n", "{}");
    assert_has(answer, "\"arn\":\"arn:aws:lambda:us-east-1:000000000000:function:tell\"");
    assert_has(answer, "\"context\":{\"custom\":{\"a\":1}}");
    assert_has(answer, "\"limit\":6291556");
    assert_has(answer, "\"trace\":\"Root=1-");
    const char *id = strstr(answer, "x-amzn-requestid: ");
    assert_non_null(id);
    char told[64];
    snprintf(told, sizeof told, "\"id\":\"%.36s\"", id + strlen("x-amzn-requestid: "));
    assert_has(answer, told);
    free(answer);
}

static void a_qualifier_says_which_version_is_run(void **unused)
{
    (void)unused;
    static const char *const ways[] = {INVOKE("tell") "?Qualifier=live", INVOKE("tell:live"),
                                       INVOKE("arn:aws:lambda:us-east-1:000000000000:function:tell:live"),
                                       INVOKE("000000000000:tell") "?Qualifier=live", INVOKE("tell:1")};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char *answer = lambda_ask(ways[i], "", "{}");
        assert_has(answer, "\r\nx-amz-executed-version: 1\r\n");
        assert_has(answer, i < 4 ? "function:tell:live\"" : "function:tell:1\"");
        free(answer);
    }
    assert_answer(lambda_ask(INVOKE("tell") "?Qualifier=dead", "", "{}"), 404,
                  "{\"Type\":\"User\",\"Message\":\"Function not found: "
                  "arn:aws:lambda:us-east-1:000000000000:function:tell:dead\"}");
}

/* ---- Refusals ---- */

static void what_is_no_json_is_refused_with_its_place(void **unused)
{
    (void)unused;
    static const struct {
        const char *payload;
        const char *told;
    } cases[] = {
        {"{\"a\":", "Unexpected end-of-input\\n at [Source: (byte[])\\\"{\\\"a\\\":\\\"; line: 1, column: 6]"},
        {"e30=",
         "Unrecognized token 'e30': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or "
         "'false')\\n at [Source: (byte[])\\\"e30=\\\"; line: 1, column: 1]"},
        {"{}\n}", "Unexpected character ('}' (code 125))\\n at [Source: (byte[])\\\"{}\\n}\\\"; line: 2, column: 1]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *answer = lambda_ask(INVOKE("echo"), "", cases[i].payload);
        assert_int_equal(client_status(answer), 400);
        assert_has(answer, "\r\nx-amzn-errortype: InvalidRequestContentException\r\n");
        assert_has(answer, "\"Could not parse request body into json: Could not parse payload into json: ");
        assert_has(answer, cases[i].told);
        free(answer);
    }
}

static void a_client_context_is_base64_of_an_object(void **unused)
{
    (void)unused;
    static const char *const contexts[] = {"string", "e30", "WzFd"};
    for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++) {
        char header[64];
        snprintf(header, sizeof header, "x-amz-client-context: %s\r\n", contexts[i]);
        assert_answer(lambda_ask(INVOKE("echo"), header, "{}"), 400,
                      "{\"Type\":\"User\",\"message\":\"Client context must be a valid Base64-encoded JSON object.\"}");
    }
    char header[4096] = "x-amz-client-context: ";
    size_t at = strlen(header);
    memset(header + at, 'e', 3584);
    strcpy(header + at + 3584, "\r\n");
    char *answer = lambda_ask(INVOKE("echo"), header, "{}");
    assert_has(answer, "Client context must be at most 3583 bytes");
    free(answer);
}

static void an_event_of_more_than_six_megabytes_is_refused(void **unused)
{
    (void)unused;
    enum { LIMIT = 6291456 };
    char *payload = malloc(LIMIT + 1);
    memset(payload, ' ', LIMIT + 1);
    payload[0] = payload[LIMIT] = '1';
    assert_answer(lambda_request("POST", "brume.test", INVOKE("echo"), "", slice_make(payload, LIMIT + 1)), 413,
                  "{\"Type\":\"User\",\"message\":\"Request must be smaller than 6291456 bytes for the InvokeFunction "
                  "operation\"}");
    char *answer = lambda_request("POST", "brume.test", INVOKE("echo"), "", slice_make(payload, LIMIT));
    assert_int_equal(client_status(answer), 200);
    assert_int_equal(strlen(client_body(answer)), LIMIT);
    free(answer);
    free(payload);
}

static void an_event_is_accepted_and_not_waited_for(void **unused)
{
    (void)unused;
    int before = atomic_load(&lambda.invoked);
    assert_answer(lambda_ask(INVOKE("echo"), "x-amz-invocation-type: Event\r\n", "{}"), 202, "");
    char *answer = lambda_ask("/2014-11-13/functions/echo/invoke-async", "", "{}");
    assert_int_equal(client_status(answer), 202);
    free(answer);
    answer = lambda_ask(INVOKE("nobody"), "x-amz-invocation-type: Event\r\n", "{}");
    assert_int_equal(client_status(answer), 404);
    free(answer);
    assert_int_equal(atomic_load(&lambda.invoked), before);
}

static void durable_invocations_are_refused_by_name(void **unused)
{
    (void)unused;
    assert_answer(lambda_ask(INVOKE("echo"), "x-amz-durable-execution-name: once\r\n", "{}"), 501,
                  "{\"message\":\"Brume does not implement Lambda Invoke with DurableExecutionName.\"}");
}

static void a_run_that_never_began_is_refused_with_its_reason(void **unused)
{
    (void)unused;
    char *answer = lambda_ask(INVOKE("reserved"), "", "{}");
    assert_has(answer, "\r\nretry-after: 1\r\n");
    assert_answer(answer, 429,
                  "{\"Type\":\"User\",\"message\":\"Rate Exceeded.\",\"Reason\":"
                  "\"ReservedFunctionConcurrentInvocationLimitExceeded\"}");
    answer = lambda_ask(INVOKE("unreserved"), "", "{}");
    assert_has(answer, "\"Reason\":\"ConcurrentInvocationLimitExceeded\"");
    free(answer);
    answer = lambda_ask(INVOKE("missing-runtime"), "", "{}");
    assert_has(answer, "\r\nx-amzn-errortype: InvalidRuntimeException\r\n");
    assert_answer(answer, 502, "{\"Type\":\"Service\",\"Message\":\"`brume runtime install python3.99` installs it\"}");
    answer = lambda_ask(INVOKE("no-role"), "", "{}");
    assert_has(answer, "\r\nx-amzn-errortype: AccessDeniedException\r\n");
    assert_answer(answer, 403, "{\"message\":\"The role defined for the function cannot be assumed by Lambda.\"}");
    answer = lambda_ask(STREAM("broken"), "", "{}");
    assert_has(answer, "\r\nx-amzn-errortype: ServiceException\r\n");
    assert_int_equal(client_status(answer), 500);
    free(answer);
    answer = lambda_ask(INVOKE("stopping"), "", "{}");
    assert_int_equal(client_status(answer), 503);
    free(answer);
}

static void a_function_that_is_not_there_yet_is_a_conflict(void **unused)
{
    (void)unused;
    lambda_create("young", "echo");
    char *answer = lambda_ask(INVOKE("young"), "", "{}");
    assert_has(answer, "\r\nx-amzn-errortype: ResourceConflictException\r\n");
    assert_answer(answer, 409,
                  "{\"Type\":\"User\",\"message\":\"The operation cannot be performed at this time. The function is "
                  "currently in the following state: Pending\"}");
    lambda_await("young");
    assert_answer(lambda_ask(INVOKE("young"), "", "[1]"), 200, "[1]");
}

static void tenants_are_asked_for_where_they_are_kept_apart_and_nowhere_else(void **unused)
{
    (void)unused;
    char *answer = lambda_ask(INVOKE("isolated"), "x-amz-tenant-id: blue\r\n", "{}");
    assert_has(answer, "\"tenant\":\"blue\"");
    free(answer);
    assert_answer(lambda_ask(INVOKE("isolated"), "", "{}"), 400,
                  "{\"Type\":\"User\",\"message\":\"The invoked function is enabled with tenancy configuration. Add a "
                  "valid tenant ID in your request and try again.\"}");
    assert_answer(lambda_ask(INVOKE("tell"), "x-amz-tenant-id: blue\r\n", "{}"), 400,
                  "{\"Type\":\"User\",\"message\":\"The invoked function is not enabled with tenancy configuration. "
                  "Remove the tenant ID from your request and try again.\"}");
}

/* ---- Chains of events ---- */

/* The trace that the handler was given, as the field that sends it along. */
static void follow(const char *answer, char header[512])
{
    const char *trace = strstr(answer, "\"trace\":\"");
    assert_non_null(trace);
    trace += strlen("\"trace\":\"");
    snprintf(header, 512, "x-amzn-trace-id: %.*s\r\n", (int)strcspn(trace, "\""), trace);
}

static void a_function_that_calls_itself_is_stopped_after_sixteen_times(void **unused)
{
    (void)unused;
    char header[512] =
        "x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1\r\n";
    for (int i = 0; i < 16; i++) {
        char *answer = lambda_ask(INVOKE("tell"), header, "{}");
        assert_has(answer, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=");
        follow(answer, header);
        free(answer);
    }
    char *answer = lambda_ask(INVOKE("tell"), header, "{}");
    assert_has(answer, "\r\nx-amzn-errortype: RecursiveInvocationException\r\n");
    assert_int_equal(client_status(answer), 400);
    free(answer);
    assert_int_equal(lambda_write(recurse_body, ""), OK);
    answer = lambda_ask(INVOKE("tell"), header, "{}");
    assert_int_equal(client_status(answer), 200);
    free(answer);
    assert_int_equal(lambda_write(recurse_body, NULL), OK);
    answer = lambda_ask(INVOKE("echo"), header, "{}"); /* another function in the chain is not the same one */
    assert_int_equal(client_status(answer), 200);
    free(answer);
}

/* ---- Clients that leave ---- */

static void answer_late(Task *task)
{
    Invocation *invocation = CONTAINER_OF(task, Invocation, task);
    invocation->done(invocation);
}

static void a_client_that_has_left_is_answered_into_the_void(void **unused)
{
    (void)unused;
    int fd = client_connect(&lambda.client);
    client_say(fd, "POST " INVOKE("park") " HTTP/1.1\r\nhost: brume.test\r\ncontent-length: 2\r\n\r\n{}");
    AWAIT(atomic_load(&lambda.parked) != NULL);
    close(fd);
    Invocation *parked = atomic_exchange(&lambda.parked, NULL);
    assert_answer(lambda_ask(INVOKE("echo"), "", "1"), 200, "1"); /* the loop goes on */
    parked->result = SLICE("\"late\"");
    parked->task.run = answer_late;
    TaskChain chain = {0};
    task_chain_push(&chain, &parked->task);
    parked->mailbox->post(parked->mailbox, chain);
    assert_answer(lambda_ask(INVOKE("echo"), "", "2"), 200, "2");
}

/* ---- Streams ---- */

typedef struct Events {
    Arena arena;
    char *answer;
    Slice rest;
    size_t payload_bytes;
    EventMessage last;
} Events;

/* Asks so that nothing is chunked, and reads all messages. */
static Events read_events(const char *target)
{
    Events events = {.arena = arena_make()};
    int fd = client_connect(&lambda.client);
    Slice request =
        arena_format(&events.arena, "POST %s HTTP/1.0\r\nhost: brume.test\r\nx-amz-log-type: Tail\r\n\r\n", target);
    client_send(fd, request.data, request.size);
    size_t size;
    events.answer = client_rest(fd, &size);
    close(fd);
    assert_int_equal(strncmp(events.answer, "HTTP/1.1 200", 12), 0);
    const char *body = client_body(events.answer);
    events.rest = slice_make(body, size - (size_t)(body - events.answer));
    return events;
}

static bool next_event(Events *events)
{
    size_t used;
    if (events->rest.size == 0)
        return false;
    assert_int_equal(event_stream_decode(events->rest, &events->arena, &events->last, &used), OK);
    assert_true(used > 0);
    events->rest = slice_skip(events->rest, used);
    assert_true(slice_equal(events->last.headers[1].name, SLICE(":event-type")));
    return true;
}

static bool is_event(const Events *events, Slice type)
{
    return slice_equal(events->last.headers[1].bytes, type);
}

static void free_events(Events *events)
{
    free(events->answer);
    arena_free(&events->arena);
}

static Slice read_chunks(Events *events)
{
    Buffer payload = buffer_make(&events->arena);
    while (next_event(events) && is_event(events, SLICE("PayloadChunk")))
        buffer_add(&payload, events->last.payload);
    assert_true(is_event(events, SLICE("InvokeComplete")));
    assert_int_equal(events->rest.size, 0);
    return buffer_slice(&payload);
}

static void a_stream_has_its_chunks_and_an_end(void **unused)
{
    (void)unused;
    Events events = read_events(STREAM("small-stream"));
    assert_has(events.answer, "\r\ncontent-type: application/vnd.amazon.eventstream\r\n");
    assert_has(events.answer, "\r\nx-amz-executed-version: $LATEST\r\n");
    assert_int_equal(read_chunks(&events).size, 100000);
    assert_true(slice_equal(events.last.payload,
                            SLICE("{\"LogResult\":\"U1RBUlQgUmVxdWVzdElkOiDigKYKUkVQT1JUIFJlcXVlc3RJZDog4oCmCg==\"}")));
    free_events(&events);
}

static void an_answer_that_comes_whole_is_one_chunk(void **unused)
{
    (void)unused;
    Events events = read_events(STREAM("echo"));
    assert_true(next_event(&events) && is_event(&events, SLICE("PayloadChunk")));
    assert_true(slice_equal(events.last.payload, SLICE("{}")));
    assert_true(next_event(&events) && is_event(&events, SLICE("InvokeComplete")));
    free_events(&events);
}

static void a_stream_that_breaks_says_so_at_its_end(void **unused)
{
    (void)unused;
    static const char *const targets[] = {STREAM("broken-stream"), STREAM("fail")};
    static const size_t sizes[] = {70000, 0};
    for (size_t i = 0; i < 2; i++) {
        Events events = read_events(targets[i]);
        assert_int_equal(read_chunks(&events).size, sizes[i]);
        assert_true(slice_starts_with(events.last.payload, SLICE("{\"ErrorCode\":\"Unhandled\",\"ErrorDetails\":\"{"
                                                                 "\\\"errorMessage\\\":\\\"no\\\"")));
        free_events(&events);
    }
}

static void the_head_of_an_http_answer_is_a_part_of_the_stream(void **unused)
{
    (void)unused;
    Events events = read_events(STREAM("prelude"));
    Slice payload = read_chunks(&events);
    assert_true(slice_starts_with(payload, SLICE("{\"statusCode\":201,")));
    assert_true(slice_ends_with(payload, SLICE("}\0\0\0\0\0\0\0\0xxxxx")));
    free_events(&events);
}

static void a_stream_is_held_back_by_a_client_that_does_not_read(void **unused)
{
    (void)unused;
    enum { ALL = 100000000 };
    atomic_store(&lambda.streamed, 0);
    atomic_store(&lambda.resumed, 0);
    int fd = client_connect(&lambda.client);
    client_say(fd, "POST " STREAM("large-stream") " HTTP/1.0\r\nhost: brume.test\r\n\r\n");
    size_t before;
    do { /* it has stopped when another request is answered and nothing was added meanwhile */
        before = atomic_load(&lambda.streamed);
        assert_answer(lambda_ask(INVOKE("echo"), "", "1"), 200, "1");
    } while (before == 0 || atomic_load(&lambda.streamed) != before);
    assert_true(before < ALL / 4);
    static char bytes[1 << 20];
    size_t received = 0;
    for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;)
        received += (size_t)got;
    close(fd);
    assert_int_equal(atomic_load(&lambda.streamed), ALL);
    assert_true(received > ALL);
    assert_true(atomic_load(&lambda.resumed) > 0);
}

static void a_stream_ends_when_its_client_leaves(void **unused)
{
    (void)unused;
    atomic_store(&lambda.streamed, 0);
    int fd = client_connect(&lambda.client);
    client_say(fd, "POST " STREAM("large-stream") " HTTP/1.0\r\nhost: brume.test\r\n\r\n");
    AWAIT(atomic_load(&lambda.streamed) > 0);
    close(fd);
    AWAIT(atomic_load(&lambda.streamed) == 100000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_comes_back_as_it_was_sent),
        cmocka_unit_test(no_event_is_an_empty_one),
        cmocka_unit_test(a_failure_is_an_answer_with_a_field_that_says_so),
        cmocka_unit_test(a_dry_run_runs_nothing),
        cmocka_unit_test(a_handler_is_told_who_it_is_and_what_was_sent_along),
        cmocka_unit_test(a_qualifier_says_which_version_is_run),
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
        cmocka_unit_test(a_client_context_is_base64_of_an_object),
        cmocka_unit_test(an_event_of_more_than_six_megabytes_is_refused),
        cmocka_unit_test(an_event_is_accepted_and_not_waited_for),
        cmocka_unit_test(durable_invocations_are_refused_by_name),
        cmocka_unit_test(a_run_that_never_began_is_refused_with_its_reason),
        cmocka_unit_test(a_function_that_is_not_there_yet_is_a_conflict),
        cmocka_unit_test(tenants_are_asked_for_where_they_are_kept_apart_and_nowhere_else),
        cmocka_unit_test(a_function_that_calls_itself_is_stopped_after_sixteen_times),
        cmocka_unit_test(a_client_that_has_left_is_answered_into_the_void),
        cmocka_unit_test(a_stream_has_its_chunks_and_an_end),
        cmocka_unit_test(an_answer_that_comes_whole_is_one_chunk),
        cmocka_unit_test(a_stream_that_breaks_says_so_at_its_end),
        cmocka_unit_test(the_head_of_an_http_answer_is_a_part_of_the_stream),
        cmocka_unit_test(a_stream_is_held_back_by_a_client_that_does_not_read),
        cmocka_unit_test(a_stream_ends_when_its_client_leaves),
    };
    return cmocka_run_group_tests(tests, open_server, close_server);
}

/* Whole calls over a socket: routing, both protocols, errors and pages, with SQS and STS over a store in memory. */
#include "api/sqs.h"
#include "api/sts.h"
#include "aws/wire/wire.h"
#include "base/list.h"
#include "core/queue.h"

#include <arpa/inet.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Server {
    Store *store;
    Loop *loop;
    HttpServer *http;
    HttpHandler *handler;
    WorkPool *pool; /* of one worker, for whom one may wait */
    uint16_t port;
    Arena arena;
    char answer[65536]; /* the last one: head and body */
} Server;

static Server server;

static void server_open(AuthMode mode)
{
    static const Slice origins[] = {SLICE_INIT("https://console.test")};
    static const Service *const services[] = {&sqs_service, &sts_service};
    StoreOptions store = {.os = os_linux(), .engine = engine_memory_open(), .limits = &limits_default, .readers = 1};
    assert_int_equal(store_open(&store, &server.store), OK);
    store_on_timer(server.store, TIMER_QUEUE, queue_timer);
    assert_int_equal(store_start(server.store), OK);
    assert_int_equal(loop_open(os_linux(), &server.loop), OK);
    server.pool = work_pool_open(1, 1);
    WireOptions options = {
        .os = os_linux(),
        .store = server.store,
        .pool = server.pool,
        .loops = &server.loop,
        .loop_count = 1,
        .auth_mode = mode,
        .services = services,
        .service_count = 2,
        .limits = &limits_default,
        .endpoint = SLICE("http://127.0.0.1:4566"),
        .origins = origins,
        .origin_count = 1,
    };
    server.handler = wire_handler_open(&options);
    HttpServerOptions http = {
        .loops = &server.loop, .loop_count = 1, .handler = server.handler, .limits = &limits_default};
    assert_int_equal(http_server_open(&http, &server.http), OK);
    Slice bound;
    assert_int_equal(http_server_listen(server.http, "127.0.0.1:0", &server.arena, &bound), OK);
    server.port = (uint16_t)atoi(strrchr(arena_string(&server.arena, bound), ':') + 1);
    assert_int_equal(loop_start(server.loop), OK);
}

static int open_server(void **unused)
{
    (void)unused;
    server_open(AUTH_OPEN);
    return 0;
}

static int open_signed_server(void **unused)
{
    (void)unused;
    server_open(AUTH_SIGNED);
    return 0;
}

static int close_server(void **unused)
{
    (void)unused;
    store_stop(server.store);
    loop_stop(server.loop);
    work_pool_close(server.pool);
    http_server_close(server.http);
    wire_handler_close(server.handler);
    loop_close(server.loop);
    arena_free(&server.arena);
    return 0;
}

/* ---- A client ---- */

static int client_connect(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)(void *)&address, sizeof address), 0);
    return fd;
}

static void client_send(int fd, const char *method, const char *target, const char *headers, const char *body)
{
    char request[32768];
    int size =
        snprintf(request, sizeof request,
                 "%s %s HTTP/1.1\r\nhost: brume.test:4566\r\nconnection: close\r\ncontent-length: %zu\r\n%s\r\n%s",
                 method, target, strlen(body), headers, body);
    assert_true(size > 0 && (size_t)size < sizeof request);
    assert_int_equal(write(fd, request, (size_t)size), size);
}

/* One request on a connection of its own; gives the status. */
static int ask(const char *method, const char *target, const char *headers, const char *body)
{
    int fd = client_connect();
    client_send(fd, method, target, headers, body);
    size_t size = 0;
    ssize_t got;
    while ((got = read(fd, server.answer + size, sizeof server.answer - 1 - size)) > 0)
        size += (size_t)got;
    close(fd);
    server.answer[size] = '\0';
    assert_true(size > 12);
    return atoi(server.answer + strlen("HTTP/1.1 "));
}

static int ask_json(const char *operation, const char *body)
{
    char headers[256];
    snprintf(headers, sizeof headers, "x-amz-target: AmazonSQS.%s\r\ncontent-type: application/x-amz-json-1.0\r\n",
             operation);
    return ask("POST", "/", headers, body);
}

static int ask_query(const char *path, const char *form)
{
    return ask("POST", path, "content-type: application/x-www-form-urlencoded; charset=utf-8\r\n", form);
}

static void assert_answer_has(const char *text)
{
    if (strstr(server.answer, text) == NULL) {
        print_error("no \"%s\" in:\n%s\n", text, server.answer);
        fail();
    }
}

static void assert_answer_lacks(const char *text)
{
    if (strstr(server.answer, text) != NULL) {
        print_error("\"%s\" in:\n%s\n", text, server.answer);
        fail();
    }
}

static const char *answer_body(void)
{
    return strstr(server.answer, "\r\n\r\n") + 4;
}

#define QUEUE_URL "http://brume.test:4566/000000000000/orders"

/* ---- JSON ---- */

static void a_message_goes_through_in_json(void **unused)
{
    (void)unused;
    assert_int_equal(ask_json("CreateQueue", "{\"QueueName\":\"orders\"}"), 200);
    assert_string_equal(answer_body(), "{\"QueueUrl\":\"" QUEUE_URL "\"}");
    assert_answer_has("content-type: application/x-amz-json-1.0\r\n");
    assert_int_equal(ask_json("SendMessage", "{\"QueueUrl\":\"" QUEUE_URL "\",\"MessageBody\":\"hello\"}"), 200);
    assert_answer_has("\"MD5OfMessageBody\":\"5d41402abc4b2a76b9719d911017c592\"");
    assert_int_equal(ask_json("ReceiveMessage", "{\"QueueUrl\":\"" QUEUE_URL "\"}"), 200);
    assert_answer_has("\"Body\":\"hello\"");
    assert_int_equal(ask_json("ReceiveMessage", "{\"QueueUrl\":\"" QUEUE_URL "\"}"), 200);
    assert_string_equal(answer_body(), "{}");
}

static void errors_in_json_tell_type_message_and_query_code(void **unused)
{
    (void)unused;
    assert_int_equal(ask_json("GetQueueUrl", "{\"QueueName\":\"nowhere\"}"), 400);
    assert_string_equal(answer_body(),
                        "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"The specified "
                        "queue does not exist.\"}");
    assert_answer_has("x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n");
    assert_int_equal(ask_json("SendMessage", "{\"MessageBody\":\"x\"}"), 400);
    assert_answer_has("com.amazon.coral.service#MissingRequiredParameterException");
    assert_answer_has("The request must contain the parameter QueueUrl.");
    assert_answer_has("x-amzn-query-error: MissingParameter;Sender\r\n");
    assert_int_equal(ask_json("SendMessage", "{\"QueueUrl\":"), 400);
    assert_answer_has("com.amazon.coral.service#SerializationException");
    assert_int_equal(ask_json("SendMessage", "{\"QueueUrl\":5}"), 400);
    assert_answer_has("NUMBER_VALUE can not be converted to a String");
}

static void every_answer_has_a_request_id(void **unused)
{
    (void)unused;
    assert_int_equal(ask_json("ListQueues", "{}"), 200);
    const char *id = strstr(server.answer, "x-amzn-requestid: ");
    assert_non_null(id);
    char first[37];
    snprintf(first, sizeof first, "%.36s", id + strlen("x-amzn-requestid: "));
    for (size_t i = 0; i < 36; i++)
        assert_int_equal(first[i] == '-', i == 8 || i == 13 || i == 18 || i == 23);
    assert_int_equal(first[14], '4');
    assert_int_equal(ask_json("ListQueues", "{}"), 200);
    assert_null(strstr(server.answer, first));
}

static void what_is_not_there_is_refused_by_name(void **unused)
{
    (void)unused;
    assert_int_equal(ask_json("Frobnicate", "{}"), 400);
    assert_answer_has("com.amazon.coral.service#UnknownOperationException");
    assert_int_equal(ask("POST", "/", "x-amz-target: DynamoDB_20120810.PutItem\r\n", "{}"), 501);
    assert_answer_has("Brume does not implement the service DynamoDB_20120810 (operation PutItem).");
    assert_int_equal(ask("POST", "/", "x-amz-target: nonsense\r\n", "{}"), 400);
    assert_answer_has("UnknownOperationException");
    assert_int_equal(ask("GET", "/", "x-amz-target: AmazonSQS.ListQueues\r\n", ""), 400);
    assert_int_equal(ask_query("/", "Action=AssumeRoot&Version=2011-06-15"), 501);
    assert_answer_has("<Code>NotImplemented</Code><Message>Brume does not implement STS AssumeRoot.</Message>");
}

static void a_body_past_the_limit_is_refused(void **unused)
{
    (void)unused;
    int fd = client_connect();
    static const char head[] = "POST / HTTP/1.1\r\nhost: a\r\nx-amz-target: AmazonSQS.ListQueues\r\n"
                               "content-length: 100000000\r\n\r\n";
    assert_int_equal(write(fd, head, sizeof head - 1), sizeof head - 1);
    char start[13] = {0};
    assert_int_equal(read(fd, start, 12), 12);
    assert_string_equal(start, "HTTP/1.1 413");
    close(fd);
}

/* ---- Query ---- */

static void a_message_goes_through_in_query(void **unused)
{
    (void)unused;
    assert_int_equal(ask_query("/", "Action=CreateQueue&Version=2012-11-05&QueueName=letters"
                                    "&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=7"),
                     200);
    assert_answer_has("content-type: text/xml\r\n");
    assert_answer_has("<?xml version=\"1.0\"?><CreateQueueResponse "
                      "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><CreateQueueResult><QueueUrl>"
                      "http://brume.test:4566/000000000000/letters</QueueUrl></CreateQueueResult><ResponseMetadata>"
                      "<RequestId>");
    assert_int_equal(ask_query("/000000000000/letters", "Action=SendMessage&MessageBody=%3Chi%3E+%26"
                                                        "&MessageAttribute.1.Name=k&MessageAttribute.1.Value.DataType="
                                                        "String&MessageAttribute.1.Value.StringValue=v"),
                     200);
    assert_answer_has("<MD5OfMessageAttributes>");
    assert_int_equal(ask("GET", "/000000000000/letters?Action=ReceiveMessage&MessageAttributeName.1=All", "", ""), 200);
    assert_answer_has("<Body>&lt;hi&gt; &amp;</Body>");
    assert_answer_has("<MessageAttribute><Name>k</Name><Value><StringValue>v</StringValue><DataType>String</DataType>"
                      "</Value></MessageAttribute>");
    assert_int_equal(ask("GET", "/000000000000/letters?Action=ReceiveMessage", "", ""), 200);
    assert_answer_has("<ReceiveMessageResult/>");
    assert_int_equal(ask_query("/000000000000/letters", "Action=GetQueueAttributes&AttributeName.1=VisibilityTimeout"),
                     200);
    assert_answer_has("<Attribute><Name>VisibilityTimeout</Name><Value>7</Value></Attribute>");
    assert_int_equal(ask_query("/000000000000/letters", "Action=DeleteQueue"), 200);
    assert_answer_has("<DeleteQueueResponse");
    assert_answer_lacks("Result");
}

static void errors_in_query_are_error_responses(void **unused)
{
    (void)unused;
    assert_int_equal(ask_query("/", "Action=GetQueueUrl&QueueName=nowhere"), 400);
    assert_answer_has("<ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>Sender</Type>"
                      "<Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist "
                      "for this wsdl version.</Message><Detail/></Error><RequestId>");
    assert_answer_lacks("x-amzn-query-error");
    assert_int_equal(ask_query("/", "Action=SendMessage&MessageBody=a%zz"), 400);
    assert_answer_has("<Code>MalformedQueryString</Code>");
}

/* As AWS recorded it of queue URLs. */
/* Each in the form that the service's own SDK reads. */
static void services_that_are_not_there_are_refused_by_name(void **unused)
{
    (void)unused;
    static const char scope[] = "authorization: AWS4-HMAC-SHA256 Credential=123456789012/20260131/eu-west-1/%s/"
                                "aws4_request, SignedHeaders=host, Signature=00\r\n";
    char headers[256];
    snprintf(headers, sizeof headers, scope, "lambda");
    assert_int_equal(ask("GET", "/2015-03-31/functions/", headers, ""), 501);
    assert_answer_has("\"message\":\"Brume does not implement the service lambda (GET /2015-03-31/functions/).\"");
    snprintf(headers, sizeof headers, scope, "s3");
    assert_int_equal(ask("PUT", "/bucket/key", headers, "bytes"), 501);
    assert_answer_has("<Code>NotImplemented</Code><Message>Brume does not implement the service s3 (PUT /bucket/key).");
    snprintf(headers, sizeof headers, scope, "sqs");
    assert_int_equal(ask("PUT", "/?Action=ListQueues", headers, ""), 404);
    assert_answer_has("<UnknownOperationException/>");
}

/* What Vault and other clients of STS in JSON read. */
static void query_is_answered_in_json_when_asked_for(void **unused)
{
    (void)unused;
    static const char headers[] = "content-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n"
                                  "authorization: AWS4-HMAC-SHA256 Credential=123456789012/20260131/eu-west-1/sts/"
                                  "aws4_request, SignedHeaders=host, Signature=00\r\n";
    assert_int_equal(ask("POST", "/", headers, "Action=GetCallerIdentity&Version=2011-06-15"), 200);
    assert_answer_has("content-type: application/json");
    assert_answer_has("{\"GetCallerIdentityResponse\":{\"GetCallerIdentityResult\":{\"UserId\":\"123456789012\","
                      "\"Account\":\"123456789012\",\"Arn\":\"arn:aws:iam::123456789012:root\"},"
                      "\"ResponseMetadata\":{\"RequestId\":\"");
    assert_int_equal(ask("POST", "/", headers, "Action=GetAccessKeyInfo&AccessKeyId=short"), 400);
    assert_answer_has("{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"1 validation error");
}

static void actions_that_are_not_valid_at_a_place_are_refused(void **unused)
{
    (void)unused;
    assert_int_equal(ask("GET", "/000000000000/orders?Action=FooBar&Version=2012-11-05", "", ""), 400);
    assert_answer_has("<Code>InvalidAction</Code><Message>The action FooBar is not valid for this endpoint.</Message>");
    assert_int_equal(ask("GET", "/000000000000/orders?Action=ListQueues", "", ""), 400);
    assert_answer_has("The action ListQueues is not valid for this endpoint.");
    assert_int_equal(ask("GET", "/000000000000/orders", "", ""), 404);
    assert_answer_has("<UnknownOperationException");
    assert_int_equal(ask_query("/000000000000/orders", "a=b"), 400);
    assert_answer_has("<Code>MissingAction</Code>");
    assert_int_equal(ask_query("/", "Action=ListQueues&Version=1999-01-01"), 400);
    assert_answer_has("<Code>InvalidAction</Code>");
}

static void the_service_is_found_by_scope_and_by_host(void **unused)
{
    (void)unused;
    assert_int_equal(ask("POST", "/",
                         "content-type: application/x-www-form-urlencoded\r\nauthorization: AWS4-HMAC-SHA256 "
                         "Credential=123456789012/20260131/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, "
                         "Signature=00\r\n",
                         "Action=Frobnicate"),
                     501);
    assert_answer_has("Brume does not implement the service dynamodb (operation Frobnicate).");
    assert_int_equal(ask("POST", "/",
                         "content-type: application/x-www-form-urlencoded\r\nauthorization: AWS4-HMAC-SHA256 "
                         "Credential=123456789012/20260131/eu-west-1/sqs/aws4_request, SignedHeaders=host, "
                         "Signature=00\r\n",
                         "Action=GetCallerIdentity"),
                     400);
    assert_answer_has("queue.amazonaws.com");
}

/* ---- STS ---- */

static void sts_tells_who_asks(void **unused)
{
    (void)unused;
    static const char credential[] = "content-type: application/x-www-form-urlencoded\r\nauthorization: "
                                     "AWS4-HMAC-SHA256 Credential=123456789012/20260131/eu-west-1/sts/aws4_request, "
                                     "SignedHeaders=host, Signature=00\r\n";
    assert_int_equal(ask("POST", "/", credential, "Action=GetCallerIdentity&Version=2011-06-15"), 200);
    assert_answer_has("<GetCallerIdentityResult><UserId>123456789012</UserId><Account>123456789012</Account>"
                      "<Arn>arn:aws:iam::123456789012:root</Arn></GetCallerIdentityResult>");
    assert_int_equal(ask_query("/", "Action=GetAccessKeyInfo&AccessKeyId=short"), 400);
    assert_answer_has(
        "<Code>ValidationError</Code><Message>1 validation error detected: Value 'short' at 'accessKeyId' "
        "failed to satisfy constraint: Member must have length greater than or equal to 16</Message>"
        "</Error>");
    assert_int_equal(ask_query("/", "Action=GetAccessKeyInfo&AccessKeyId=AKIAAAAAAAAAAAAAAAAA"), 400);
    assert_answer_has("The access key AKIAAAAAAAAAAAAAAAAA does not exist.");
}

/* ---- Pages ---- */

static void pages_of_loopback_and_of_allowed_origins_may_call(void **unused)
{
    (void)unused;
    static const char *const allowed[] = {"http://localhost:3000", "https://app.localhost", "http://127.0.0.1:8080",
                                          "https://console.test", "http://[::1]:5173"};
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        char headers[256];
        snprintf(headers, sizeof headers,
                 "origin: %s\r\naccess-control-request-method: POST\r\naccess-control-request-headers: "
                 "x-amz-target,authorization\r\n",
                 allowed[i]);
        assert_int_equal(ask("OPTIONS", "/", headers, ""), 200);
        assert_answer_has(allowed[i]);
        assert_answer_has("access-control-allow-headers: x-amz-target,authorization\r\n");
        snprintf(headers, sizeof headers, "origin: %s\r\nx-amz-target: AmazonSQS.ListQueues\r\n", allowed[i]);
        assert_int_equal(ask("POST", "/", headers, "{}"), 200);
        assert_answer_has("access-control-allow-origin: ");
        assert_answer_has("access-control-expose-headers: ");
    }
}

static void other_pages_may_not_call_while_no_signature_is_asked_for(void **unused)
{
    (void)unused;
    static const char *const refused[] = {"https://evil.test", "null", "http://127.0.0.1.evil.test",
                                          "http://localhost.evil.test", "https://console.test.evil.test"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char headers[256];
        snprintf(headers, sizeof headers, "origin: %s\r\ncontent-type: application/x-www-form-urlencoded\r\n",
                 refused[i]);
        assert_int_equal(ask("POST", "/", headers, "Action=CreateQueue&QueueName=stolen"), 403);
        assert_answer_lacks("access-control-allow-origin");
    }
    assert_int_equal(ask_query("/", "Action=GetQueueUrl&QueueName=stolen"), 400);
}

/* Images, links and forms by GET tell no origin: browsers mark them otherwise. */
static void what_another_site_s_page_embeds_may_not_call(void **unused)
{
    (void)unused;
    assert_int_equal(ask("GET", "/?Action=CreateQueue&QueueName=stolen", "sec-fetch-site: cross-site\r\n", ""), 403);
    assert_int_equal(ask("GET", "/?Action=ListQueues", "sec-fetch-site: none\r\n", ""), 200);
    assert_int_equal(
        ask("GET", "/?Action=ListQueues", "sec-fetch-site: cross-site\r\norigin: https://console.test\r\n", ""), 200);
}

/* Asks by HTTP/1.1 with the host given, over a connection of its own. */
static int ask_host(const char *host)
{
    char request[256];
    int fd = client_connect();
    int size = snprintf(request, sizeof request,
                        "GET /?Action=ListQueues HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n\r\n", host);
    assert_int_equal(write(fd, request, (size_t)size), size);
    ssize_t got = read(fd, server.answer, sizeof server.answer - 1);
    assert_true(got > 12);
    server.answer[got] = '\0';
    close(fd);
    return atoi(server.answer + 9);
}

/* DNS rebinding: a page's own name stands for 127.0.0.1 a moment later, and the page is of the same origin. */
static void a_name_that_may_be_a_page_s_is_refused_while_no_signature_is_asked_for(void **unused)
{
    (void)unused;
    static const char *const ours[] = {"localhost",
                                       "LOCALHOST.",
                                       "127.0.0.1:4566",
                                       "[::1]:4566",
                                       "192.168.1.7:80",
                                       "sync-127.0.0.1:4566",
                                       "brume",
                                       "sqs.us-east-1.localhost:4566",
                                       "host.docker.internal:4566",
                                       "sqs.us-east-1.amazonaws.com",
                                       "sqs.eu-west-1.api.aws",
                                       "Console.test:1",
                                       ""};
    static const char *const foreign[] = {"evil.example",
                                          "evil.example:4566",
                                          "127.0.0.1.evil.example",
                                          "localhost.evil.example:80",
                                          "amazonaws.com.evil.example",
                                          "xamazonaws.com",
                                          "127.0.0.1.evil7",
                                          "127.0.0.1.7evil:4566",
                                          "evil.example."};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        assert_int_equal(ask_host(ours[i]), 200);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        assert_int_equal(ask_host(foreign[i]), 403);
        assert_answer_has("--allow-origin http://");
    }
}

/* ---- Large bodies ---- */

enum { LARGE = 3 << 20 };

/* Keeps the one worker busy until it is let go. */
typedef struct Gate {
    Task task;
    sem_t entered;
    sem_t opened;
} Gate;

static void stand_in_gate(Task *task)
{
    Gate *gate = CONTAINER_OF(task, Gate, task);
    sem_post(&gate->entered);
    sem_wait(&gate->opened);
}

static void send_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = write(fd, text, size);
        assert_true(sent > 0);
        text += sent;
        size -= (size_t)sent;
    }
}

/* A ListQueues with a member that nobody knows. */
static int send_large(void)
{
    char head[512];
    char *body = malloc(LARGE);
    assert_non_null(body);
    memset(body, 'x', LARGE);
    memcpy(body, "{\"Unknown\":\"", 12);
    memcpy(body + LARGE - 2, "\"}", 2);
    snprintf(head, sizeof head,
             "POST / HTTP/1.1\r\nhost: brume.test\r\nconnection: close\r\ncontent-length: %d\r\n"
             "content-type: application/x-amz-json-1.0\r\nx-amz-target: AmazonSQS.ListQueues\r\n\r\n",
             LARGE);
    int fd = client_connect();
    send_all(fd, head, strlen(head));
    send_all(fd, body, LARGE);
    free(body);
    return fd;
}

static int read_status(int fd)
{
    ssize_t got = read(fd, server.answer, sizeof server.answer - 1);
    assert_true(got > 12);
    server.answer[got] = '\0';
    close(fd);
    return atoi(server.answer + strlen("HTTP/1.1 "));
}

static void a_large_body_is_read_while_others_are_answered(void **unused)
{
    (void)unused;
    Gate gate = {.task.run = stand_in_gate};
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.opened, 0, 0);
    assert_true(work_pool_post(server.pool, &gate.task));
    sem_wait(&gate.entered);
    /* One waits for the worker, and no more may: of two one is refused, whichever was there later. */
    struct pollfd large[2] = {{send_large(), POLLIN, 0}, {send_large(), POLLIN, 0}};
    assert_int_equal(poll(large, 2, -1), 1);
    int refused = large[0].revents != 0 ? 0 : 1;
    int status = read_status(large[refused].fd);
    assert_true(status >= 400 && status < 500);
    assert_answer_has("RequestThrottled");
    assert_int_equal(ask_json("ListQueues", "{}"), 200);
    assert_int_equal(poll(&large[1 - refused], 1, 0), 0);
    sem_post(&gate.opened);
    assert_int_equal(read_status(large[1 - refused].fd), 200);
    sem_destroy(&gate.entered);
    sem_destroy(&gate.opened);
}

static void a_large_body_is_hashed_before_it_is_known_who_signed_it(void **unused)
{
    (void)unused;
    assert_int_equal(read_status(send_large()), 403);
    assert_answer_has("MissingAuthenticationTokenException");
}

/* ---- Waiting ---- */

static void a_long_poll_is_answered_when_a_message_comes(void **unused)
{
    (void)unused;
    assert_int_equal(ask_json("CreateQueue", "{\"QueueName\":\"orders\"}"), 200);
    assert_int_equal(ask_json("PurgeQueue", "{\"QueueUrl\":\"" QUEUE_URL "\"}"), 200);
    int fd = client_connect();
    client_send(fd, "POST", "/", "x-amz-target: AmazonSQS.ReceiveMessage\r\n",
                "{\"QueueUrl\":\"" QUEUE_URL "\",\"WaitTimeSeconds\":20}");
    StoreStats stats;
    do {
        usleep(1000);
        store_stats(server.store, &stats);
    } while (stats.waiting == 0);
    assert_int_equal(ask_json("SendMessage", "{\"QueueUrl\":\"" QUEUE_URL "\",\"MessageBody\":\"late\"}"), 200);
    ssize_t size = read(fd, server.answer, sizeof server.answer - 1);
    assert_true(size > 0);
    server.answer[size] = '\0';
    assert_answer_has("\"Body\":\"late\"");
    close(fd);
}

static void a_client_that_leaves_gives_its_wait_back(void **unused)
{
    (void)unused;
    StoreStats stats;
    int fd = client_connect();
    client_send(fd, "POST", "/", "x-amz-target: AmazonSQS.ReceiveMessage\r\n",
                "{\"QueueUrl\":\"" QUEUE_URL "\",\"WaitTimeSeconds\":20}");
    do {
        usleep(1000);
        store_stats(server.store, &stats);
    } while (stats.waiting == 0);
    close(fd);
    do {
        usleep(1000);
        store_stats(server.store, &stats);
    } while (stats.waiting > 0);
}

/* ---- Signatures ---- */

static void unsigned_requests_are_refused_where_signatures_are_asked_for(void **unused)
{
    (void)unused;
    assert_int_equal(ask_json("ListQueues", "{}"), 403);
    assert_answer_has("com.amazon.coral.service#MissingAuthenticationTokenException");
    assert_int_equal(ask_query("/", "Action=GetCallerIdentity"), 403);
    assert_answer_has("<Code>MissingAuthenticationToken</Code>");
    assert_int_equal(ask("POST", "/", "origin: https://anybody.test\r\nx-amz-target: AmazonSQS.ListQueues\r\n", "{}"),
                     403);
    assert_answer_has("access-control-allow-origin: https://anybody.test\r\n");
}

int main(void)
{
    const struct CMUnitTest open_tests[] = {
        cmocka_unit_test(a_message_goes_through_in_json),
        cmocka_unit_test(errors_in_json_tell_type_message_and_query_code),
        cmocka_unit_test(every_answer_has_a_request_id),
        cmocka_unit_test(what_is_not_there_is_refused_by_name),
        cmocka_unit_test(a_body_past_the_limit_is_refused),
        cmocka_unit_test(a_large_body_is_read_while_others_are_answered),
        cmocka_unit_test(a_message_goes_through_in_query),
        cmocka_unit_test(errors_in_query_are_error_responses),
        cmocka_unit_test(query_is_answered_in_json_when_asked_for),
        cmocka_unit_test(services_that_are_not_there_are_refused_by_name),
        cmocka_unit_test(actions_that_are_not_valid_at_a_place_are_refused),
        cmocka_unit_test(the_service_is_found_by_scope_and_by_host),
        cmocka_unit_test(sts_tells_who_asks),
        cmocka_unit_test(pages_of_loopback_and_of_allowed_origins_may_call),
        cmocka_unit_test(other_pages_may_not_call_while_no_signature_is_asked_for),
        cmocka_unit_test(what_another_site_s_page_embeds_may_not_call),
        cmocka_unit_test(a_name_that_may_be_a_page_s_is_refused_while_no_signature_is_asked_for),
        cmocka_unit_test(a_long_poll_is_answered_when_a_message_comes),
        cmocka_unit_test(a_client_that_leaves_gives_its_wait_back),
    };
    const struct CMUnitTest signed_tests[] = {
        cmocka_unit_test(unsigned_requests_are_refused_where_signatures_are_asked_for),
        cmocka_unit_test(a_large_body_is_hashed_before_it_is_known_who_signed_it),
    };
    int failed = cmocka_run_group_tests(open_tests, open_server, close_server);
    return failed + cmocka_run_group_tests(signed_tests, open_signed_server, close_server);
}

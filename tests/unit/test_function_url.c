/* URLs of functions over a socket: requests as events, answers as HTTP, and who may ask. */
#include "lambda_fixture.h"

#include "aws/lambda/url_handler.h"
#include "base/json.h"
#include "core/function_policy.h"
#include "core/function_url.h"

/* ---- URLs ---- */

typedef struct NewUrl {
    const char *function;
    bool is_signed;
    bool is_streamed;
    bool is_public;
    const FunctionUrlCors *cors;
    char id[FUNCTION_URL_ID_SIZE + 1];
} NewUrl;

static Error permit(Txn *txn, const Function *function, bool is_signed)
{
    Permission items[2] = {
        {.id = SLICE("use"),
         .action = SLICE("lambda:InvokeFunctionUrl"),
         .kind = PERMISSION_ANYONE,
         .url_auth = is_signed ? SLICE("AWS_IAM") : SLICE("NONE")},
        {.id = SLICE("invoke"),
         .action = SLICE("lambda:InvokeFunction"),
         .kind = PERMISSION_ANYONE,
         .has_via_url = true,
         .via_url = true},
    };
    Permissions permissions = {.items = items, .count = 2};
    function_policy_put(txn, function, (Slice){0}, &permissions);
    return OK;
}

static Error create_url_body(Txn *txn, void *argument)
{
    NewUrl *wanted = argument;
    Function function;
    FunctionUrl url = {
        .is_signed = wanted->is_signed,
        .is_streamed = wanted->is_streamed,
        .has_cors = wanted->cors != NULL,
    };
    if (wanted->cors != NULL)
        url.cors = *wanted->cors;
    TRY(function_open(txn, SLICE(ACCOUNT), SLICE(REGION), slice_of_string(wanted->function), &function));
    TRY(function_url_create(txn, &function, &url));
    memcpy(wanted->id, url.id.data, FUNCTION_URL_ID_SIZE);
    return wanted->is_public ? permit(txn, &function, wanted->is_signed) : OK;
}

static Slice hello_origin[] = {SLICE_INIT("https://app.test"), SLICE_INIT("https://other.test")};
static Slice hello_methods[] = {SLICE_INIT("GET"), SLICE_INIT("POST")};
static Slice hello_headers[] = {SLICE_INIT("x-one"), SLICE_INIT("x-two")};
static const FunctionUrlCors cors = {
    .origins = {hello_origin, 2},
    .methods = {hello_methods, 2},
    .headers = {hello_headers, 2},
    .exposed_headers = {hello_headers, 1},
    .has_credentials = true,
    .credentials = true,
    .has_max_age = true,
    .max_age_s = 300,
};

static NewUrl event = {.function = "event", .is_public = true};
static NewUrl paged = {.function = "paged", .is_public = true, .cors = &cors};
static NewUrl hidden = {.function = "hidden"};
static NewUrl owned = {.function = "owned", .is_signed = true};
static NewUrl shared_url = {.function = "shared", .is_signed = true, .is_public = true};
static NewUrl stream = {.function = "stream", .is_public = true, .is_streamed = true};
static NewUrl headed = {.function = "headed", .is_public = true, .is_streamed = true};
static NewUrl broken = {.function = "broken", .is_public = true, .is_streamed = true};
static NewUrl whole = {.function = "whole", .is_public = true, .is_streamed = true};
static NewUrl failing = {.function = "failing", .is_public = true};
static NewUrl busy = {.function = "busy", .is_public = true};

static NewUrl make_url(const char *function, const char *handler)
{
    NewUrl url = {.function = function, .is_public = true};
    lambda_create(function, handler);
    assert_int_equal(lambda_write(create_url_body, &url), OK);
    lambda_await(function);
    return url;
}

static void route(HttpHandler *handler, HttpRequest *request)
{
    UrlHost host;
    (void)handler;
    HttpHandler *next = url_host_read(request->host, &host) ? lambda.front : lambda.wire;
    next->on_request(next, request);
}

static HttpHandler door = {.on_request = route};
static HttpHandler *urls;

static int open_server(void **unused)
{
    (void)unused;
    static const struct {
        NewUrl *url;
        const char *handler;
    } all[] = {
        {&event, "echo"},
        {&paged, "say:{\"statusCode\":200,\"headers\":{\"Access-Control-Allow-Origin\":\"*\"},\"body\":\"hi\"}"},
        {&hidden, "echo"},
        {&owned, "echo"},
        {&shared_url, "echo"},
        {&stream, "stream-300000"},
        {&headed, "prelude-4"},
        {&broken, "break-70000"},
        {&whole, "say:{\"statusCode\":200,\"body\":\"x\"}"},
        {&failing, "fail"},
        {&busy, "refuse-1"},
    };
    lambda_open_store();
    WireOptions options = {
        .os = os_linux(),
        .store = lambda.store,
        .loops = &lambda.loop,
        .loop_count = 1,
        .limits = &limits_default,
        .invoker = &lambda.invoker,
    };
    urls = url_handler_open(&options);
    lambda.front = &door;
    lambda_listen();
    lambda.front = urls;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        lambda_create(all[i].url->function, all[i].handler);
        assert_int_equal(lambda_write(create_url_body, all[i].url), OK);
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        lambda_await(all[i].url->function);
    return 0;
}

static int close_server(void **unused)
{
    (void)unused;
    lambda_close();
    url_handler_close(urls);
    return 0;
}

static char *ask(const NewUrl *url, const char *method, const char *target, const char *headers, const char *body)
{
    char host[128];
    snprintf(host, sizeof host, "%s.lambda-url." REGION ".localhost:4566", url->id);
    return lambda_request(method, host, target, headers, slice_of_string(body));
}

/* ---- Hosts ---- */

static void a_host_is_a_url_s_or_it_is_not(void **unused)
{
    (void)unused;
    static const struct {
        const char *host;
        bool is;
    } hosts[] = {
        {"abc.lambda-url.us-east-1.localhost:4566", true},
        {"ABC.Lambda-URL.us-east-1.on.test", true},
        {"abc.lambda-url.us-east-1.", false},
        {"abc.lambda-url.us-east-1", false},
        {"abc.lambda-url..localhost", false},
        {".lambda-url.us-east-1.localhost", false},
        {"a_c.lambda-url.us-east-1.localhost", false},
        {"a[c.lambda-url.us-east-1.localhost", false},
        {"abcdefghijklmnopqrstuvwxyz0123456.lambda-url.us-east-1.localhost", false},
        {"abc.lambda-url.us-east-1-us-east-1-us-east-1-us-east-1.localhost", false},
        {"x.abc.lambda-url.us-east-1.localhost", false},
        {"lambda.us-east-1.localhost", false},
        {"127.0.0.1:4566", false},
        {"localhost", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        UrlHost read;
        if (url_host_read(slice_of_string(hosts[i].host), &read) != hosts[i].is)
            fail_msg("%s", hosts[i].host);
    }
}

static void an_unknown_url_is_not_found(void **unused)
{
    (void)unused;
    NewUrl nobody = {.id = "abcdefghijklmnopqrstuvwxyz012345"};
    assert_answer(ask(&nobody, "GET", "/", "", ""), 404, "{\"Message\":null}");
    char host[128]; /* nor is a known one elsewhere */
    snprintf(host, sizeof host, "%s.lambda-url.eu-west-1.localhost", event.id);
    assert_answer(lambda_request("GET", host, "/", "", SLICE("")), 404, "{\"Message\":null}");
    snprintf(host, sizeof host, "%s.LAMBDA-URL.US-EAST-1.localhost", event.id);
    char *answer = lambda_request("GET", host, "/", "", SLICE(""));
    assert_int_equal(client_status(answer), 200);
    free(answer);
}

/* ---- Events ---- */

static void a_request_is_an_event_of_version_two(void **unused)
{
    (void)unused;
    char *answer = ask(&event, "POST", "/pa2%Fth/1%20x?q=query&multi=foo&multi=%2Fbar&plus=a+b&empty",
                       "Content-Type: text/plain; charset=utf-8\r\nX-Twice: 1\r\nx-twice: 2\r\nCookie: a=1; b=2\r\n"
                       "User-Agent: tester\r\nConnection: keep-alive\r\nTE: trailers\r\n"
                       "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793\r\n",
                       "text \"quoted\"");
    assert_int_equal(client_status(answer), 200);
    assert_int_equal(json_check(slice_of_string(client_body(answer))), OK);
    assert_has(answer, "\r\ncontent-type: application/json\r\n");
    assert_has(answer, "\r\nx-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=");
    assert_has(answer,
               "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/pa2%Fth/1%20x\",\"rawQueryString\":"
               "\"q=query&multi=foo&multi=%2Fbar&plus=a+b&empty\",\"cookies\":[\"a=1\",\"b=2\"],\"headers\":{");
    assert_has(answer, "\"content-type\":\"text/plain; charset=utf-8\",\"x-twice\":\"1,2\",\"user-agent\":\"tester\"");
    assert_has(answer, "\"x-forwarded-for\":\"127.0.0.1\",\"x-forwarded-port\":\"4566\",\"x-forwarded-proto\":\"http\","
                       "\"x-amzn-trace-id\":\"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=");
    assert_has(answer,
               "\"queryStringParameters\":{\"empty\":\"\",\"multi\":\"foo,/bar\",\"plus\":\"a b\",\"q\":\"query\"}");
    assert_has(answer, "\"requestContext\":{\"accountId\":\"anonymous\",\"apiId\":\"");
    assert_has(answer, ".lambda-url." REGION ".localhost\",\"domainPrefix\":\"");
    assert_has(answer,
               "\"http\":{\"method\":\"POST\",\"path\":\"/pa2%Fth/1%20x\",\"protocol\":\"HTTP/1.1\",\"sourceIp\":"
               "\"127.0.0.1\",\"userAgent\":\"tester\"},\"requestId\":\"");
    assert_has(answer, "\"routeKey\":\"$default\",\"stage\":\"$default\",\"time\":\"");
    assert_has(answer, " +0000\",\"timeEpoch\":");
    assert_has(answer, "\"body\":\"text \\\"quoted\\\"\",\"isBase64Encoded\":false}");
    assert_null(strstr(client_body(answer), "\"cookie\":"));
    assert_null(strstr(client_body(answer), "\"connection\":"));
    assert_null(strstr(client_body(answer), "\"te\":"));
    free(answer);
}

static void what_a_request_has_not_is_not_in_its_event(void **unused)
{
    (void)unused;
    char *answer = ask(&event, "GET", "/", "", "");
    assert_has(answer, "\"rawPath\":\"/\",\"rawQueryString\":\"\",\"headers\":{");
    assert_null(strstr(answer, "\"cookies\""));
    assert_null(strstr(answer, "\"body\""));
    assert_null(strstr(answer, "queryStringParameters"));
    assert_null(strstr(answer, "authorizer"));
    assert_has(answer, "\"isBase64Encoded\":false}");
    free(answer);
}

static void bodies_that_are_no_text_come_in_base64(void **unused)
{
    (void)unused;
    static const struct {
        const char *headers;
        const char *body;
        const char *told;
    } cases[] = {
        {"content-type: application/octet-stream\r\n", "abc", "\"body\":\"YWJj\",\"isBase64Encoded\":true"},
        {"", "abc", "\"body\":\"YWJj\",\"isBase64Encoded\":true"},
        {"content-type: application/x-www-form-urlencoded\r\n", "a=b", "\"body\":\"YT1i\",\"isBase64Encoded\":true"},
        {"content-type: text/plain\r\n", "\xff", "\"body\":\"/w==\",\"isBase64Encoded\":true"},
        {"content-type: application/json\r\ncontent-encoding: gzip\r\n", "abc", "\"isBase64Encoded\":true"},
        {"content-type: Application/JSON\r\n", "{}", "\"body\":\"{}\",\"isBase64Encoded\":false"},
        {"content-type: application/problem+json\r\n", "{}", "\"body\":\"{}\",\"isBase64Encoded\":false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *answer = ask(&event, "POST", "/", cases[i].headers, cases[i].body);
        assert_has(answer, cases[i].told);
        free(answer);
    }
}

static void hostile_heads_make_valid_events(void **unused)
{
    (void)unused;
    char *answer = ask(&event, "GET", "/%ff?%ff=%fe&a=%&=b&&c", "x-latin: caf\xe9\r\ncookie: ;; a\xe9=1;\r\n", "");
    assert_int_equal(client_status(answer), 200);
    assert_int_equal(json_check(slice_of_string(client_body(answer))), OK);
    assert_has(answer, "\"x-latin\":\"caf\xc3\xa9\"");
    assert_has(answer, "\"a\":\"%\",\"c\":\"\"");
    free(answer);
}

/* As many parameters as a head holds: in a time that grows with their number alone. */
static void a_query_of_many_parameters_is_read_at_once(void **unused)
{
    (void)unused;
    enum { COUNT = 20000 };
    char *target = malloc(COUNT * 3 + 3);
    char *at = target;
    *at++ = '/';
    *at++ = '?';
    for (int i = 0; i < COUNT; i++, at += 3)
        memcpy(at, "a=&", 3);
    *at = '\0';
    char *answer = ask(&event, "GET", target, "", "");
    assert_int_equal(client_status(answer), 200);
    assert_has(answer, "{\"a\":\",,,,");
    free(answer);
    free(target);
}

static void a_request_that_makes_too_large_an_event_is_refused(void **unused)
{
    (void)unused;
    enum { SIZE = 6291456 };
    char *body = malloc(SIZE + 1);
    memset(body, 'x', SIZE);
    body[SIZE] = '\0';
    char *answer = ask(&event, "POST", "/", "content-type: text/plain\r\n", body);
    assert_answer(answer, 413,
                  "{\"Message\":\"Request must be smaller than 6291456 bytes for the InvokeFunction operation\"}");
    body[SIZE - 2048] = '\0';
    answer = ask(&event, "POST", "/", "content-type: text/plain\r\n", body);
    assert_int_equal(client_status(answer), 200);
    free(answer);
    free(body);
}

/* ---- Answers ---- */

static void an_answer_s_parts_are_sent_as_http(void **unused)
{
    (void)unused;
    NewUrl url =
        make_url("parts", "say:{\"statusCode\":201,\"headers\":{\"X-Text\":\"yes\",\"x-number\":7,\"x-bool\":true,"
                          "\"x-null\":null,\"Date\":\"never\",\"Server\":\"mine\"},\"cookies\":[\"a=1; "
                          "HttpOnly\",\"b=2\"],\"body\":\"aGVsbG8=\",\"isBase64Encoded\":true}");
    char *answer = ask(&url, "GET", "/", "", "");
    assert_has(answer, "\r\nx-text: yes\r\n");
    assert_has(answer, "\r\nx-number: 7\r\n");
    assert_has(answer, "\r\nx-bool: true\r\n");
    assert_has(answer, "\r\nx-amzn-remapped-date: never\r\n");
    assert_has(answer, "\r\nx-amzn-remapped-server: mine\r\n");
    assert_has(answer, "\r\nset-cookie: a=1; HttpOnly\r\nset-cookie: b=2\r\n");
    assert_has(answer, "\r\ncontent-type: application/json\r\n");
    assert_has(answer, "\r\ncontent-length: 5\r\n");
    assert_null(strstr(answer, "x-null"));
    assert_answer(answer, 201, "hello");
    answer = ask(&url, "HEAD", "/", "", "");
    assert_int_equal(client_status(answer), 201);
    free(answer);
}

static void an_answer_without_a_status_is_the_body(void **unused)
{
    (void)unused;
    static const char *const results[] = {"\"Hello, world!\"", "{\"message\": \"hi\"}", "[1,2]", "null", "7"};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        char name[16];
        char handler[64];
        snprintf(name, sizeof name, "inferred-%zu", i);
        snprintf(handler, sizeof handler, "say:%s", results[i]);
        NewUrl url = make_url(name, handler);
        char *answer = ask(&url, "GET", "/", "", "");
        assert_has(answer, "\r\ncontent-type: application/json\r\n");
        assert_answer(answer, 200, results[i]);
    }
}

static void an_answer_that_is_none_is_a_bad_gateway(void **unused)
{
    (void)unused;
    static const char *const results[] = {
        "no json",
        "{\"statusCode\":\"high\"}",
        "{\"statusCode\":99}",
        "{\"statusCode\":100}",
        "{\"statusCode\":1000}",
        "{\"statusCode\":200,\"headers\":[]}",
        "{\"statusCode\":200,\"headers\":{\"a b\":\"c\"}}",
        "{\"statusCode\":200,\"headers\":{\"a\":\"b\\r\\nset-cookie: c=d\"}}",
        "{\"statusCode\":200,\"headers\":{\"a\":{}}}",
        "{\"statusCode\":200,\"cookies\":\"a=1\"}",
        "{\"statusCode\":200,\"body\":\"%%%\",\"isBase64Encoded\":true}",
        "{\"statusCode\":200",
    };
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        char name[16];
        char handler[96];
        snprintf(name, sizeof name, "bad-%zu", i);
        snprintf(handler, sizeof handler, "say:%s", results[i]);
        NewUrl url = make_url(name, handler);
        assert_answer(ask(&url, "GET", "/", "", ""), 502, "{\"message\":\"Internal Server Error\"}");
    }
}

static void a_handler_s_failure_is_a_bad_gateway(void **unused)
{
    (void)unused;
    assert_answer(ask(&failing, "GET", "/", "", ""), 502, "Internal Server Error");
    assert_answer(ask(&busy, "GET", "/", "", ""), 429, "{\"Message\":\"Rate Exceeded.\"}");
}

/* ---- In pieces ---- */

static void a_stream_s_pieces_are_the_body(void **unused)
{
    (void)unused;
    char *answer = ask(&stream, "GET", "/", "", "");
    assert_int_equal(client_status(answer), 200);
    assert_has(answer, "\r\ntransfer-encoding: chunked\r\n");
    assert_has(answer, "\r\ncontent-type: application/octet-stream\r\n");
    assert_int_equal(strlen(client_body(answer)), 300000);
    free(answer);
}

static void a_stream_may_say_its_own_head(void **unused)
{
    (void)unused;
    char *answer = ask(&headed, "GET", "/", "", "");
    assert_has(answer, "\r\nx-head: yes\r\n");
    assert_has(answer, "\r\ncontent-type: text/plain\r\n");
    assert_has(answer, "\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n");
    assert_answer(answer, 201, "xxxx");
}

static void a_stream_that_breaks_is_cut(void **unused)
{
    (void)unused;
    int fd = client_connect(&lambda.client);
    char request[256];
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nhost: %s.lambda-url." REGION ".localhost\r\n\r\n", broken.id);
    client_say(fd, request);
    size_t size;
    char *rest = client_rest(fd, &size);
    assert_true(size > 70000);
    assert_null(strstr(rest, "\r\n0\r\n\r\n"));
    free(rest);
    close(fd);
}

static void what_a_streaming_url_gets_whole_is_the_body_as_it_is(void **unused)
{
    (void)unused;
    char *answer = ask(&whole, "GET", "/", "", "");
    assert_has(answer, "\r\ncontent-type: application/json\r\n");
    assert_answer(answer, 200, "{\"statusCode\":200,\"body\":\"x\"}");
}

/* ---- Who may ask ---- */

#define FORBIDDEN                                                                                                      \
    "{\"Message\":\"Forbidden. For troubleshooting Function URL authorization issues, see: "                           \
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html\"}"

static void a_url_that_no_policy_opens_is_closed(void **unused)
{
    (void)unused;
    int before = atomic_load(&lambda.invoked);
    assert_answer(ask(&hidden, "GET", "/", "", ""), 403, FORBIDDEN);
    assert_int_equal(atomic_load(&lambda.invoked), before);
}

#define SIGNED_BY(key)                                                                                                 \
    "authorization: AWS4-HMAC-SHA256 Credential=" key "/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, "  \
    "Signature=00\r\n"

static void a_url_for_those_who_sign_knows_who_asks(void **unused)
{
    (void)unused;
    assert_answer(ask(&owned, "GET", "/", "", ""), 403, FORBIDDEN);
    char *answer = ask(&owned, "GET", "/", SIGNED_BY("test"), "");
    assert_has(answer, "\"requestContext\":{\"accountId\":\"" ACCOUNT "\"");
    assert_has(answer,
               "\"authorizer\":{\"iam\":{\"accessKey\":\"test\",\"accountId\":\"" ACCOUNT "\",\"callerId\":\"" ACCOUNT
               "\",\"cognitoIdentity\":null,\"principalOrgId\":null,\"userArn\":\"arn:aws:iam::" ACCOUNT
               ":root\",\"userId\":\"" ACCOUNT "\"}}");
    free(answer);
    assert_answer(ask(&owned, "GET", "/", SIGNED_BY("111122223333"), ""), 403, FORBIDDEN);
    answer = ask(&shared_url, "GET", "/", SIGNED_BY("111122223333"), "");
    assert_has(answer, "\"accountId\":\"111122223333\"");
    free(answer);
}

/* ---- Pages ---- */

static void a_page_is_let_in_as_the_settings_say(void **unused)
{
    (void)unused;
    int before = atomic_load(&lambda.invoked);
    char *answer =
        ask(&paged, "OPTIONS", "/x", "origin: https://app.test\r\naccess-control-request-method: PUT\r\n", "");
    assert_has(answer, "\r\naccess-control-allow-origin: https://app.test\r\n");
    assert_has(answer, "\r\nvary: Origin\r\n");
    assert_has(answer, "\r\naccess-control-allow-credentials: true\r\n");
    assert_has(answer, "\r\naccess-control-allow-methods: GET,POST\r\n");
    assert_has(answer, "\r\naccess-control-allow-headers: x-one,x-two\r\n");
    assert_has(answer, "\r\naccess-control-max-age: 300\r\n");
    assert_answer(answer, 200, "");
    assert_int_equal(atomic_load(&lambda.invoked), before);

    answer = ask(&paged, "GET", "/", "origin: https://app.test\r\n", "");
    assert_has(answer, "\r\naccess-control-allow-origin: https://app.test\r\n");
    assert_has(answer, "\r\naccess-control-expose-headers: x-one\r\n");
    assert_null(strstr(answer, "access-control-allow-origin: *"));
    assert_answer(answer, 200, "hi");
}

static void a_page_of_elsewhere_gets_no_leave(void **unused)
{
    (void)unused;
    char *answer =
        ask(&paged, "OPTIONS", "/", "origin: https://evil.test\r\naccess-control-request-method: GET\r\n", "");
    assert_null(strstr(answer, "access-control-"));
    assert_answer(answer, 200, "");
    answer = ask(&paged, "GET", "/", "origin: https://evil.test\r\n", "");
    assert_null(strstr(answer, "access-control-"));
    assert_answer(answer, 200, "hi");
}

static void without_settings_a_preflight_is_the_function_s(void **unused)
{
    (void)unused;
    char *answer =
        ask(&event, "OPTIONS", "/", "origin: https://app.test\r\naccess-control-request-method: GET\r\n", "");
    assert_has(answer, "\"method\":\"OPTIONS\"");
    free(answer);
}

static void requests_are_counted(void **unused)
{
    (void)unused;
    UrlStats before;
    UrlStats after;
    url_handler_stats(urls, &before);
    free(ask(&event, "GET", "/", "", ""));
    free(ask(&hidden, "GET", "/", "", ""));
    free(ask(&failing, "GET", "/", "", ""));
    url_handler_stats(urls, &after);
    assert_int_equal(after.requests - before.requests, 3);
    assert_int_equal(after.client_errors - before.client_errors, 1);
    assert_int_equal(after.server_errors - before.server_errors, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_a_url_s_or_it_is_not),
        cmocka_unit_test(an_unknown_url_is_not_found),
        cmocka_unit_test(a_request_is_an_event_of_version_two),
        cmocka_unit_test(what_a_request_has_not_is_not_in_its_event),
        cmocka_unit_test(bodies_that_are_no_text_come_in_base64),
        cmocka_unit_test(hostile_heads_make_valid_events),
        cmocka_unit_test(a_query_of_many_parameters_is_read_at_once),
        cmocka_unit_test(a_request_that_makes_too_large_an_event_is_refused),
        cmocka_unit_test(an_answer_s_parts_are_sent_as_http),
        cmocka_unit_test(an_answer_without_a_status_is_the_body),
        cmocka_unit_test(an_answer_that_is_none_is_a_bad_gateway),
        cmocka_unit_test(a_handler_s_failure_is_a_bad_gateway),
        cmocka_unit_test(a_stream_s_pieces_are_the_body),
        cmocka_unit_test(a_stream_may_say_its_own_head),
        cmocka_unit_test(a_stream_that_breaks_is_cut),
        cmocka_unit_test(what_a_streaming_url_gets_whole_is_the_body_as_it_is),
        cmocka_unit_test(a_url_that_no_policy_opens_is_closed),
        cmocka_unit_test(a_url_for_those_who_sign_knows_who_asks),
        cmocka_unit_test(a_page_is_let_in_as_the_settings_say),
        cmocka_unit_test(a_page_of_elsewhere_gets_no_leave),
        cmocka_unit_test(without_settings_a_preflight_is_the_function_s),
        cmocka_unit_test(requests_are_counted),
    };
    return cmocka_run_group_tests(tests, open_server, close_server);
}

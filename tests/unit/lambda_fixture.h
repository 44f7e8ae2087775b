/* lambda_fixture.h: a server of the Lambda API with functions of which each is what its handler's name says, run by an
 * invoker of the test's own: it tests what stands before the runtime. */
#ifndef BRUME_TESTS_UNIT_LAMBDA_FIXTURE_H
#define BRUME_TESTS_UNIT_LAMBDA_FIXTURE_H

#include "http_fixture.h"

#include "api/lambda.h"
#include "aws/wire/wire.h"
#include "base/bug.h"
#include "base/list.h"
#include "core/function.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCOUNT "000000000000"
#define REGION "us-east-1"

enum { STREAM_PIECE = 65536 };

typedef struct LambdaFixture {
    Store *store;
    Loop *loop;
    HttpServer *http;
    HttpHandler *wire;
    HttpHandler *front; /* what the server calls; the wire's handler unless the test sets another */
    HttpFixture client; /* its port, for the fixture's client */
    Invoker invoker;
    atomic_size_t streamed; /* bytes that streams were given */
    atomic_int resumed;
    atomic_int invoked;
    /* What the last invocation was, and who waits in "park". */
    _Atomic(Invocation *) parked;
} LambdaFixture;

static LambdaFixture lambda;

/* ---- The invoker ---- */

/* A stream that was held back; lives in its invocation's arena. */
typedef struct TestStream {
    size_t left;
    bool breaks;
} TestStream;

static Slice test_document(Invocation *invocation)
{
    return arena_format(
        invocation->arena,
        "{\"arn\":\"%.*s\",\"version\":\"%.*s\",\"context\":%.*s,\"tenant\":\"%.*s\",\"trace\":\"%.*s\","
        "\"limit\":%llu,\"reserved\":%lld,\"id\":\"%.*s\"}",
        SLICE_PRINT(invocation->function_arn), SLICE_PRINT(invocation->spec->version),
        SLICE_PRINT(invocation->client_context.data == NULL ? SLICE("null") : invocation->client_context),
        SLICE_PRINT(invocation->tenant_id), SLICE_PRINT(invocation->trace),
        (unsigned long long)invocation->payload_limit, (long long)invocation->reserved,
        SLICE_PRINT(invocation->request_id));
}

static void test_fail(Invocation *invocation)
{
    invocation->failed = true;
    invocation->result = SLICE("{\"errorMessage\":\"no\",\"errorType\":\"Error\"}");
}

static void test_stream_on(Invocation *invocation)
{
    static char piece[STREAM_PIECE];
    TestStream *stream = (TestStream *)(void *)invocation->state;
    while (stream->left > 0) {
        size_t size = stream->left < sizeof piece ? stream->left : sizeof piece;
        stream->left -= size;
        memset(piece, 'x', sizeof piece);
        atomic_fetch_add(&lambda.streamed, size);
        if (!invocation->on_piece(invocation, slice_make(piece, size)) && stream->left > 0)
            return;
    }
    if (stream->breaks)
        test_fail(invocation);
    invocation->done(invocation);
}

/* "stream-N", "break-N", "prelude-N" */
static bool test_stream(Invocation *invocation, Slice handler)
{
    static const Slice kinds[] = {SLICE_INIT("stream-"), SLICE_INIT("break-"), SLICE_INIT("prelude-")};
    for (size_t i = 0; i < 3; i++) {
        uint64_t size;
        if (!slice_starts_with(handler, kinds[i]) || !slice_parse_uint64(slice_skip(handler, kinds[i].size), &size))
            continue;
        TestStream *stream = ARENA_NEW(invocation->arena, TestStream);
        *stream = (TestStream){size, i == 1};
        invocation->state = (struct InvocationState *)(void *)stream;
        invocation->answered_stream = true;
        invocation->on_start(
            invocation, i == 2 ? SLICE("application/vnd.awslambda.http-integration-response") : SLICE(""),
            i == 2 ? SLICE("{\"statusCode\":201,\"headers\":{\"x-head\":\"yes\",\"content-type\":\"text/"
                           "plain\"},\"cookies\":[\"a=1\",\"b=2\"]}")
                   : (Slice){0});
        test_stream_on(invocation);
        return true;
    }
    return false;
}

/* "refuse-N", an InvokeRefusal */
static bool test_refuses(Invocation *invocation, Slice handler)
{
    uint64_t refusal;
    if (!slice_starts_with(handler, SLICE("refuse-")) ||
        !slice_parse_uint64(slice_skip(handler, SLICE("refuse-").size), &refusal))
        return false;
    invocation->refusal = (InvokeRefusal)refusal;
    invocation->message = SLICE("`brume runtime install python3.99` installs it");
    return true;
}

static void test_invoke(Invoker *invoker, Invocation *invocation)
{
    (void)invoker;
    Slice handler = invocation->spec->handler;
    atomic_fetch_add(&lambda.invoked, 1);
    invocation->log_tail = SLICE("START RequestId: …\nREPORT RequestId: …\n");
    if (invocation->streamed && test_stream(invocation, handler))
        return;
    if (slice_equal(handler, SLICE("park"))) {
        atomic_store(&lambda.parked, invocation);
        return;
    }
    if (test_refuses(invocation, handler)) {
        invocation->done(invocation);
        return;
    }
    if (slice_equal(handler, SLICE("fail")))
        test_fail(invocation);
    else if (slice_equal(handler, SLICE("tell")))
        invocation->result = test_document(invocation);
    else if (slice_starts_with(handler, SLICE("say:")))
        invocation->result = arena_copy(invocation->arena, slice_skip(handler, 4));
    else
        invocation->result = arena_copy(invocation->arena, invocation->payload);
    invocation->done(invocation);
}

static void test_cancel(Invoker *invoker, Invocation *invocation)
{
    (void)invoker;
    (void)invocation;
}

static void test_resume(Invoker *invoker, Invocation *invocation)
{
    (void)invoker;
    atomic_fetch_add(&lambda.resumed, 1);
    test_stream_on(invocation);
}

static void test_provision(Invoker *invoker, const WorkerSpec *spec, uint64_t count)
{
    (void)invoker;
    (void)spec;
    (void)count;
}

static void test_count(Invoker *invoker, Slice function, Slice line, Arena *arena, InvokerCounts *counts)
{
    (void)invoker;
    (void)function;
    (void)line;
    (void)arena;
    *counts = (InvokerCounts){0};
}

static void test_forget(Invoker *invoker, Slice function, Slice except)
{
    (void)invoker;
    (void)function;
    (void)except;
}

static void test_forget_version(Invoker *invoker, Slice line)
{
    (void)invoker;
    (void)line;
}

static void test_warm(Invoker *invoker, Slice runtime)
{
    (void)invoker;
    (void)runtime;
}

static const InvokerOperations test_invoker = {
    .invoke = test_invoke,
    .cancel = test_cancel,
    .resume = test_resume,
    .provision = test_provision,
    .forget = test_forget,
    .forget_version = test_forget_version,
    .warm = test_warm,
    .count = test_count,
};

/* ---- Transactions of the test ---- */

typedef struct LambdaWrite {
    StoreCall call;
    Arena arena;
    Error (*body)(Txn *txn, void *argument);
    void *argument;
    atomic_bool done;
} LambdaWrite;

static Error lambda_write_body(Txn *txn, StoreCall *call)
{
    LambdaWrite *write = CONTAINER_OF(call, LambdaWrite, call);
    return write->body(txn, write->argument);
}

static void lambda_write_done(StoreCall *call)
{
    atomic_store(&CONTAINER_OF(call, LambdaWrite, call)->done, true);
}

static Error lambda_write(Error (*body)(Txn *txn, void *argument), void *argument)
{
    LambdaWrite write = {.body = body, .argument = argument};
    write.call = (StoreCall){.body = lambda_write_body,
                             .done = lambda_write_done,
                             .mailbox = loop_mailbox(lambda.loop),
                             .arena = &write.arena};
    store_write(lambda.store, &write.call);
    AWAIT(atomic_load(&write.done));
    arena_free(&write.arena);
    return write.call.result;
}

typedef struct NewFunction {
    const char *name;
    const char *handler;
    bool tenant_isolated;
} NewFunction;

static Error lambda_create_body(Txn *txn, void *argument)
{
    const NewFunction *wanted = argument;
    Function function = {.account = SLICE(ACCOUNT), .region = SLICE(REGION), .name = slice_of_string(wanted->name)};
    FunctionVersion latest = {
        .runtime = SLICE("python3.11"),
        .handler = slice_of_string(wanted->handler),
        .role_arn = SLICE("arn:aws:iam::" ACCOUNT ":role/r"),
        .architecture = SLICE("x86_64"),
        .timeout_s = 3,
        .memory_mb = 128,
        .tmp_mb = 512,
        .code = SLICE("0/0"),
        .log_format = SLICE("Text"),
        .log_group = SLICE("/aws/lambda/f"),
        .trace_mode = SLICE("PassThrough"),
        .documents = SLICE("{}"),
        .tenant_isolated = wanted->tenant_isolated,
    };
    return function_create(txn, &function, &latest, UINT64_MAX);
}

static Error lambda_ready_body(Txn *txn, void *name)
{
    Function function;
    FunctionVersion version;
    TRY(function_open(txn, SLICE(ACCOUNT), SLICE(REGION), slice_of_string(name), &function));
    TRY(function_version_get(txn, &function, SLICE("$LATEST"), &version));
    return slice_equal(version.state, SLICE("Active")) ? OK : FUNCTION_PENDING;
}

static void lambda_create(const char *name, const char *handler)
{
    NewFunction wanted = {name, handler, false};
    assert_int_equal(lambda_write(lambda_create_body, &wanted), OK);
}

static void lambda_await(const char *name)
{
    AWAIT(lambda_write(lambda_ready_body, (void *)(uintptr_t)name) == OK);
}

/* ---- The server ---- */

static void lambda_open_store(void)
{
    StoreOptions store = {.os = os_linux(), .engine = engine_memory_open(), .limits = &limits_default, .readers = 1};
    assert_int_equal(store_open(&store, &lambda.store), OK);
    store_on_timer(lambda.store, TIMER_FUNCTION, function_timer);
    assert_int_equal(store_start(lambda.store), OK);
    assert_int_equal(loop_open(os_linux(), &lambda.loop), OK);
    lambda.invoker.operations = &test_invoker;
    static const Service *const services[] = {&lambda_service};
    WireOptions options = {
        .os = os_linux(),
        .store = lambda.store,
        .loops = &lambda.loop,
        .loop_count = 1,
        .services = services,
        .service_count = 1,
        .limits = &limits_default,
        .invoker = &lambda.invoker,
        .endpoint = SLICE("http://127.0.0.1:4566"),
    };
    lambda.wire = wire_handler_open(&options);
    lambda.front = lambda.wire;
}

static void lambda_listen(void)
{
    HttpServerOptions http = {
        .loops = &lambda.loop, .loop_count = 1, .handler = lambda.front, .limits = &limits_default};
    assert_int_equal(http_server_open(&http, &lambda.http), OK);
    Slice bound;
    assert_int_equal(http_server_listen(lambda.http, "127.0.0.1:0", &lambda.client.arena, &bound), OK);
    lambda.client.port = atoi(strrchr(arena_string(&lambda.client.arena, bound), ':') + 1);
    assert_int_equal(loop_start(lambda.loop), OK);
}

static void lambda_close(void)
{
    store_stop(lambda.store);
    loop_stop(lambda.loop);
    http_server_close(lambda.http);
    wire_handler_close(lambda.wire);
    loop_close(lambda.loop);
    arena_free(&lambda.client.arena);
}

/* ---- The client ---- */

/* One request on a connection of its own; `headers` are whole lines. The answer is the caller's to free. */
static char *lambda_request(const char *method, const char *host, const char *target, const char *headers, Slice body)
{
    int fd = client_connect(&lambda.client);
    Arena arena = arena_make();
    Slice head = arena_format(&arena, "%s %s HTTP/1.1\r\nhost: %s\r\ncontent-length: %zu\r\n%s\r\n", method, target,
                              host, body.size, headers);
    client_send(fd, head.data, head.size);
    client_send(fd, body.data, body.size);
    char *answer = strcmp(method, "HEAD") == 0 ? client_answer_head(fd) : client_answer(fd);
    arena_free(&arena);
    assert_non_null(answer);
    close(fd);
    return answer;
}

static void assert_answer(char *answer, int status, const char *body)
{
    if (client_status(answer) != status || strcmp(client_body(answer), body) != 0)
        print_error("%s\n", answer);
    assert_int_equal(client_status(answer), status);
    assert_string_equal(client_body(answer), body);
    free(answer);
}

static void assert_has(const char *answer, const char *part)
{
    if (strstr(answer, part) == NULL)
        print_error("%s\n", answer);
    assert_non_null(strstr(answer, part));
}

#endif

/* url_handler.c: one request to a function's URL, from its head to its answer. Read it downwards:
 *
 *   on_request        the host names the URL; a transaction finds whose it is, and, where nobody has to sign, what is run
 *   on_found          pages that only ask are answered; who may not ask is refused; the body is asked for
 *   on_body           where callers sign: who is it, and a second transaction finds what is run for them
 *   start             the request becomes an event, and is handed to the invoker
 *   on_done           the handler's answer becomes HTTP; or, in pieces, on_start and on_piece before it
 *
 * A client that leaves ends nothing: the handler runs to its end, and its answer is dropped. */
#include "aws/lambda/url_handler.h"

#include "api/lambda.h"
#include "aws/lambda/url_answer.h"
#include "aws/lambda/url_cors.h"
#include "aws/lambda/url_event.h"
#include "aws/wire/throttle.h"
#include "base/bug.h"
#include "base/json.h"
#include "base/list.h"
#include "core/function_policy.h"
#include "core/run.h"
#include "core/session.h"

#include <stdlib.h>

enum {
    REGION_MAX = 32,
    OWN_FIELDS = 2, /* of each answer of a function: the request's id, and the trace */
};

typedef struct UrlHandler {
    HttpHandler handler;
    WireOptions options;
    _Atomic uint64_t requests;
    _Atomic uint64_t client_errors;
    _Atomic uint64_t server_errors;
    Authenticator *authenticators[]; /* one for each loop */
} UrlHandler;

/* One request; lives in its arena. */
typedef struct UrlRequest {
    UrlHandler *handler;
    HttpRequest *request;
    Slice id;
    Slice region;
    Slice request_id;
    uint64_t wall_ms;
    StoreCall lookup;
    /* Found. */
    bool is_signed;
    bool is_streamed;
    bool has_cors;
    bool is_allowed;
    HttpHeader fields[OWN_FIELDS + URL_CORS_FIELDS_MAX]; /* of the answer: CORS first */
    size_t field_count;
    RunRequest wanted;
    Run run;
    /* Who asks. */
    Call call;           /* for the authenticator, which knows requests as calls */
    const Actor *caller; /* NULL: nobody has to sign */
    Slice body;
    /* What is run. */
    Invocation invocation;
    Arena arena; /* a streamed invocation's: heads are made in the request's while it runs */
    bool started;
    bool refused; /* its head was no head: what follows is dropped, and the client is told at the end */
} UrlRequest;

/* ---- The host ---- */

static bool is_name(Slice text, size_t most)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return text.size > 0 && text.size <= most;
}

static Slice take(Slice *rest, char end)
{
    size_t size = slice_find(*rest, end);
    Slice part = {rest->data, size};
    *rest = slice_skip(*rest, size < rest->size ? size + 1 : size);
    return part;
}

bool url_host_read(Slice host, UrlHost *read)
{
    size_t dot = slice_find(host, '.');
    if (dot == host.size) /* most requests: asked first, since it is asked of all */
        return false;
    Slice id = take(&host, '.');
    Slice word = take(&host, '.');
    if (!slice_equal_ignore_case(word, SLICE("lambda-url")))
        return false;
    Slice region = take(&host, '.');
    *read = (UrlHost){id, region};
    return is_name(id, FUNCTION_URL_ID_SIZE) && is_name(region, REGION_MAX) && host.size > 0;
}

/* Whether what stands behind the name, if anything, is a port (RFC 9110, section 7.2; RFC 3986, section 3.2.3). */
static bool has_good_port(Slice host)
{
    uint64_t port;
    Slice text = slice_skip(host, slice_find(host, ':'));
    return text.size < 2 || (slice_parse_uint64(slice_skip(text, 1), &port) && port <= UINT16_MAX);
}

/* ---- Answers that are not the function's ---- */

static void count(UrlHandler *handler, int status)
{
    atomic_fetch_add_explicit(&handler->requests, 1, memory_order_relaxed);
    if (status >= 500)
        atomic_fetch_add_explicit(&handler->server_errors, 1, memory_order_relaxed);
    else if (status >= 400)
        atomic_fetch_add_explicit(&handler->client_errors, 1, memory_order_relaxed);
}

/* With the fields of CORS, so that a page sees what is wrong. */
static void respond(UrlRequest *url, int status, Slice body)
{
    HttpHeader headers[OWN_FIELDS + URL_CORS_FIELDS_MAX + 2];
    size_t header_count = 0;
    headers[header_count++] = (HttpHeader){SLICE("content-type"), SLICE("application/json")};
    headers[header_count++] = (HttpHeader){SLICE("x-amzn-requestid"), url->request_id};
    for (size_t i = 0; i < url->field_count && url->has_cors; i++)
        headers[header_count++] = url->fields[i];
    count(url->handler, status);
    http_respond(url->request,
                 &(HttpResponse){.status = status, .headers = headers, .header_count = header_count, .body = body});
}

static void respond_message(UrlRequest *url, int status, Slice message)
{
    Buffer out = buffer_make(url->request->arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("Message"));
    json_write_string(&writer, utf8_is_valid(message) ? message : SLICE("The request was refused."));
    json_write_object_end(&writer);
    respond(url, status, buffer_slice(&out));
}

/* The text is AWS's own; the page says which statements a policy needs. */
static void respond_forbidden(UrlRequest *url)
{
    respond_message(url, 403,
                    SLICE("Forbidden. For troubleshooting Function URL authorization issues, see: "
                          "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"));
}

static void respond_error(UrlRequest *url, Error error)
{
    switch (error) {
    case FUNCTION_URL_NOT_FOUND:
    case FUNCTION_NOT_FOUND:
    case FUNCTION_ALIAS_NOT_FOUND:
    case FUNCTION_VERSION_NOT_FOUND:
        respond(url, 404, SLICE("{\"Message\":null}"));
        return;
    case FUNCTION_PENDING:
        respond_message(url, 503, SLICE("The function is currently in the following state: Pending"));
        return;
    case FUNCTION_INACTIVE:
        respond_message(url, 503, SLICE("The function is currently in the following state: Inactive"));
        return;
    case FUNCTION_FAILED:
        respond_message(url, 503, SLICE("The function is currently in the following state: Failed"));
        return;
    case FUNCTION_TENANT_MISSING:
        respond_message(url, 400, SLICE("A function that is isolated by tenant has no URL: invoke it by the API."));
        return;
    case ERROR_TOO_LARGE:
        respond_message(
            url, 413,
            arena_format(url->request->arena,
                         "Request must be smaller than %llu bytes for the InvokeFunction operation",
                         (unsigned long long)url->handler->options.limits->value[LIMIT_LAMBDA_REQUEST_BYTES]));
        return;
    case ERROR_MALFORMED:
        respond_message(url, 400, SLICE("The request's body is malformed."));
        return;
    case ERROR_TIMEOUT:
        respond_message(url, 408, SLICE("The request's body did not come in time."));
        return;
    case ERROR_BUSY:
        respond_message(url, 429,
                        SLICE("Rate exceeded: the server is asked for more than it can do. Try again later."));
        return;
    case ERROR_STOPPING:
        respond_message(url, 503, SLICE("The server is stopping."));
        return;
    default:
        respond(url, 500, SLICE("{\"Message\":\"Internal Server Error\"}"));
    }
}

/* ---- Finding what is run ---- */

/* Both are needed (Lambda developer guide, "Control access to Lambda function URLs"): one to use the URL, one to invoke
 * the function through it. A caller of the function's own account needs none here: policies of identities say what they
 * may. */
static Error check_access(Txn *txn, UrlRequest *url, const Function *function, Slice qualifier)
{
    const Actor *caller = url->caller;
    Permissions permissions;
    url->is_allowed = caller != NULL && slice_equal(caller->account, function->account);
    if (url->is_allowed)
        return OK;
    AccessRequest access = {
        .action = SLICE("lambda:InvokeFunctionUrl"),
        .url_auth = url->is_signed ? SLICE("AWS_IAM") : SLICE("NONE"),
        .via_url = true,
    };
    if (caller != NULL) {
        access.account = caller->account;
        access.principal_arn = caller->principal_arn;
        access.role_arn = caller->session == NULL ? (Slice){0} : caller->session->role_arn;
    }
    TRY(function_policy_get(txn, function, qualifier, &permissions));
    url->is_allowed = permissions_allow(&permissions, &access);
    access.action = SLICE("lambda:InvokeFunction");
    url->is_allowed = url->is_allowed && permissions_allow(&permissions, &access);
    return OK;
}

static const Limits *limits_of(const UrlHandler *handler, Slice account)
{
    AccountLimits *table = handler->options.account_limits;
    return table == NULL ? handler->options.limits : account_limits_of(table, account);
}

static Error find_run(Txn *txn, UrlRequest *url, const Function *function, Slice qualifier, Arena *arena)
{
    TRY(check_access(txn, url, function, qualifier));
    if (!url->is_allowed)
        return OK;
    url->wanted = (RunRequest){
        .account = arena_copy(arena, function->account),
        .region = url->region,
        .name = arena_copy(arena, function->name),
        .qualifier = qualifier.size > 0 ? arena_copy(arena, qualifier) : (Slice){0},
        .trace = http_request_header(url->request, SLICE("x-amzn-trace-id")),
        .wall_ms = url->wall_ms,
        .limits = limits_of(url->handler, function->account),
    };
    return run_find(txn, &url->wanted, arena, &url->run);
}

/* Runs a second time for those who sign, when it is known who they are. */
static Error find_body(Txn *txn, StoreCall *lookup)
{
    UrlRequest *url = CONTAINER_OF(lookup, UrlRequest, lookup);
    Function function;
    FunctionUrl found;
    TRY(function_url_find(txn, url->id, &function, &found));
    if (!slice_equal(function.region, url->region))
        return FUNCTION_URL_NOT_FOUND;
    url->is_signed = found.is_signed;
    url->is_streamed = found.is_streamed;
    url->has_cors = found.has_cors;
    url->field_count = found.has_cors ? url_cors_fields(url->request, &found.cors, url->fields) : 0;
    if (found.is_signed && url->caller == NULL)
        return OK;
    return find_run(txn, url, &function, found.qualifier, lookup->arena);
}

static void find(UrlRequest *url, void (*done)(StoreCall *lookup))
{
    url->lookup = (StoreCall){
        .body = find_body,
        .done = done,
        .mailbox = loop_mailbox(url->request->loop),
        .arena = url->request->arena,
        .refusable = true,
    };
    store_read(url->handler->options.store, &url->lookup);
}

/* ---- The handler's answer ---- */

static void respond_bad_answer(UrlRequest *url)
{
    respond(url, 502, SLICE("{\"message\":\"Internal Server Error\"}"));
}

/* True: no handler had the event, and the client has been told why. */
static bool respond_refusal(UrlRequest *url)
{
    switch (url->invocation.refusal) {
    case INVOKE_RAN:
        return false;
    case INVOKE_FUNCTION_CONCURRENCY:
    case INVOKE_ACCOUNT_CONCURRENCY:
        respond_message(url, 429, SLICE("Rate Exceeded."));
        return true;
    case INVOKE_STOPPING:
        respond_error(url, ERROR_STOPPING);
        return true;
    case INVOKE_ROLE:
        respond_message(url, 502, SLICE("The role defined for the function cannot be assumed by Lambda."));
        return true;
    case INVOKE_RUNTIME_MISSING:
    case INVOKE_GONE:
    case INVOKE_FAILED:
        break;
    }
    respond_message(url, 502, url->invocation.message);
    return true;
}

/* What each answer of the function has besides its own. */
static UrlFields own_fields(UrlRequest *url)
{
    url->fields[url->field_count++] = (HttpHeader){SLICE("x-amzn-requestid"), url->request_id};
    url->fields[url->field_count++] = (HttpHeader){SLICE("x-amzn-trace-id"), url->run.trace.header};
    return (UrlFields){.items = url->fields,
                       .count = url->field_count,
                       .head_bytes = url->wanted.limits->value[LIMIT_LAMBDA_URL_HEAD_BYTES],
                       .replace_cors = url->has_cors};
}

static void on_done(Invocation *invocation)
{
    UrlRequest *url = CONTAINER_OF(invocation, UrlRequest, invocation);
    HttpResponse response;
    if (respond_refusal(url))
        return;
    if (invocation->failed) {
        respond(url, 502, SLICE("Internal Server Error"));
        return;
    }
    UrlFields fields = own_fields(url);
    if (url_answer_read(url->request->arena, invocation->result, &fields, &response) != OK) {
        url->field_count -= OWN_FIELDS;
        respond_bad_answer(url);
        return;
    }
    count(url->handler, response.status);
    http_respond(url->request, &response);
}

/* ---- In pieces ---- */

static void on_writable(HttpRequest *request)
{
    UrlRequest *url = request->user;
    invoker_resume(url->handler->options.invoker, &url->invocation);
}

static void on_start(Invocation *invocation, Slice content_type, Slice prelude)
{
    UrlRequest *url = CONTAINER_OF(invocation, UrlRequest, invocation);
    HttpResponse head;
    UrlFields fields = own_fields(url);
    /* It is a view of the invoker's, and must be there when the head is sent. */
    prelude = prelude.data == NULL ? prelude : arena_copy(url->request->arena, prelude);
    content_type = arena_copy(url->request->arena, content_type);
    url->started = true;
    if (url_answer_read_prelude(url->request->arena, prelude, content_type, &fields, &head) != OK) {
        url->field_count -= OWN_FIELDS;
        url->refused = true;
        return;
    }
    count(url->handler, head.status);
    http_respond_stream(url->request, &head, on_writable);
}

static bool on_piece(Invocation *invocation, Slice piece)
{
    UrlRequest *url = CONTAINER_OF(invocation, UrlRequest, invocation);
    return url->refused || http_respond_write(url->request, piece);
}

/* A handler that answers whole is not looked into: what it gave is the body. */
static void respond_whole(UrlRequest *url)
{
    if (url->invocation.failed) {
        respond(url, 502, SLICE("Internal Server Error"));
        return;
    }
    on_start(&url->invocation, SLICE("application/json"), (Slice){0});
    http_respond_write(url->request, url->invocation.result);
    http_respond_end(url->request);
}

static void on_stream_done(Invocation *invocation)
{
    UrlRequest *url = CONTAINER_OF(invocation, UrlRequest, invocation);
    Arena arena = url->arena; /* the request, in which it lies, ends before it */
    if (url->refused)
        respond_bad_answer(url);
    else if (url->started && invocation->failed)
        http_respond_abort(url->request); /* so that the client sees that something is missing */
    else if (url->started)
        http_respond_end(url->request);
    else if (!respond_refusal(url))
        respond_whole(url);
    arena_free(&arena);
}

/* ---- Running ---- */

static void start(UrlRequest *url)
{
    const Limits *limits = url->wanted.limits;
    const UrlEvent event = {
        .request = url->request,
        .body = url->body,
        .url_id = url->id,
        .request_id = url->request_id,
        .trace = url->run.trace.header,
        .wall_ms = url->wall_ms,
        .caller = url->caller,
    };
    if (url->run.in_loop) {
        respond_message(url, 400,
                        SLICE("Lambda has detected your function being invoked in a recursive loop with other AWS "
                              "resources and stopped your function's invocation."));
        return;
    }
    Slice payload = url_event_write(&event);
    if (payload.size > limits->value[LIMIT_LAMBDA_REQUEST_BYTES]) {
        respond_error(url, ERROR_TOO_LARGE);
        return;
    }
    url->invocation = (Invocation){
        .mailbox = loop_mailbox(url->request->loop),
        .arena = url->is_streamed ? &url->arena : url->request->arena,
        .request_id = url->request_id,
        .payload = payload,
        .payload_limit = limits->value[url->is_streamed ? LIMIT_LAMBDA_STREAM_BYTES : LIMIT_LAMBDA_RESPONSE_BYTES],
        .streamed = url->is_streamed,
        .on_start = on_start,
        .on_piece = on_piece,
        .done = url->is_streamed ? on_stream_done : on_done,
    };
    run_start(url->handler->options.invoker, &url->run, &url->invocation);
}

/* ---- Who asks ---- */

static void on_found_for_caller(StoreCall *lookup)
{
    UrlRequest *url = CONTAINER_OF(lookup, UrlRequest, lookup);
    if (lookup->result != OK)
        respond_error(url, lookup->result);
    else if (!url->is_allowed)
        respond_forbidden(url);
    else
        start(url);
}

static void on_authenticated(Call *call, Error error)
{
    UrlRequest *url = CONTAINER_OF(call, UrlRequest, call);
    /* In mode `open` nothing is verified, but who does not even claim to be somebody is refused as AWS refuses. */
    bool unsigned_request = signing_scope(url->request).access_key_id.data == NULL;
    if (unsigned_request) {
        respond_forbidden(url);
    } else if (error == ERROR_ANSWERED) {
        Slice message = call->error_message;
        if (message.data == NULL)
            message = slice_of_string(call->error->message);
        respond_message(url, 403, message);
    } else if (error != OK) {
        respond_error(url, error);
    } else {
        url->caller = &call->actor;
        find(url, on_found_for_caller);
    }
}

static Authenticator *authenticator_of(const UrlRequest *url)
{
    const WireOptions *options = &url->handler->options;
    for (size_t i = 0; i < options->loop_count; i++)
        if (options->loops[i] == url->request->loop)
            return url->handler->authenticators[i];
    UNREACHABLE();
}

static void on_body(HttpRequest *request, Error error, Slice body)
{
    UrlRequest *url = request->user;
    if (error != OK) {
        respond_error(url, error);
        return;
    }
    url->body = body;
    if (!url->is_signed) {
        start(url);
        return;
    }
    url->call = (Call){.arena = request->arena, .service = &lambda_service, .wall_ms = url->wall_ms};
    authenticate(authenticator_of(url), &url->call, request, (SignedBody){.bytes = body}, on_authenticated);
}

/* ---- The request comes ---- */

static void on_found(StoreCall *lookup)
{
    UrlRequest *url = CONTAINER_OF(lookup, UrlRequest, lookup);
    if (lookup->result == FUNCTION_URL_NOT_FOUND)
        url->has_cors = false;
    if (lookup->result != OK)
        respond_error(url, lookup->result);
    else if (url->has_cors && url_cors_is_preflight(url->request))
        respond(url, 200, SLICE(""));
    else if (!url->is_signed && !url->is_allowed)
        respond_forbidden(url);
    else
        http_request_read_body(url->request, url->handler->options.limits->value[LIMIT_LAMBDA_REQUEST_BYTES], on_body);
}

static bool connection_is_too_fast(const UrlHandler *handler, const HttpRequest *request)
{
    const uint64_t *limits = handler->options.limits->value;
    Pace pace = {limits[LIMIT_NET_REQUEST_RATE], limits[LIMIT_NET_REQUEST_BURST]};
    return pace.rate != 0 && !pace_admits(pace, request->pace, os_monotonic_ns(handler->options.os));
}

static void on_request(HttpHandler *base, HttpRequest *request)
{
    UrlHandler *handler = CONTAINER_OF(base, UrlHandler, handler);
    UrlRequest *url = ARENA_NEW(request->arena, UrlRequest);
    UrlHost host;
    bool is_url = url_host_read(request->host, &host);
    ASSERT(is_url);
    url->handler = handler;
    url->request = request;
    url->id = arena_lower(request->arena, host.id);
    url->region = arena_lower(request->arena, host.region);
    url->wall_ms = os_wall_ms(handler->options.os);
    url->request_id = run_request_id(handler->options.os, request->arena);
    request->user = url;
    if (handler->options.invoker == NULL)
        respond_message(url, 501, SLICE("This server runs no functions."));
    else if (!has_good_port(request->host))
        respond_message(url, 400, SLICE("The port of the Host header is no number."));
    else if (connection_is_too_fast(handler, request))
        respond_error(url, ERROR_BUSY);
    else
        find(url, on_found);
}

/* ---- Life ---- */

HttpHandler *url_handler_open(const WireOptions *options)
{
    UrlHandler *handler = calloc(1, sizeof *handler + options->loop_count * sizeof handler->authenticators[0]);
    ASSERT(handler != NULL);
    handler->handler.on_request = on_request;
    handler->options = *options;
    for (size_t i = 0; i < options->loop_count; i++)
        handler->authenticators[i] = wire_authenticator_open(options, i);
    return &handler->handler;
}

void url_handler_close(HttpHandler *base)
{
    UrlHandler *handler = CONTAINER_OF(base, UrlHandler, handler);
    for (size_t i = 0; i < handler->options.loop_count; i++)
        authenticator_close(handler->authenticators[i]);
    free(handler);
}

void url_handler_stats(HttpHandler *base, UrlStats *stats)
{
    UrlHandler *handler = CONTAINER_OF(base, UrlHandler, handler);
    *stats = (UrlStats){
        .requests = atomic_load_explicit(&handler->requests, memory_order_relaxed),
        .client_errors = atomic_load_explicit(&handler->client_errors, memory_order_relaxed),
        .server_errors = atomic_load_explicit(&handler->server_errors, memory_order_relaxed),
    };
}

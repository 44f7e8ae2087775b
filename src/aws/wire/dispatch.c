/* dispatch.c: one call from its request to its answer. Read it downwards: these are the steps, in the order in which
 * they happen.
 *
 *   on_request         the head is there: the call is born, pages that may not call are refused, REST is routed, the body
 *                      is asked for
 *   on_body            route (the protocols whose bodies may tell the operation), is the connection too fast
 *   on_hashed          authenticate; only large bodies are hashed before, by a worker (body_work.h)
 *   on_authenticated   is the account too fast, decode and validate, large bodies again by a worker
 *   on_decoded         prepare and run: on the loop (pure, async), by the store's readers or its writer
 *   on_stored          the store gives the call back; call_finish: an async operation does
 *   finish             encode and answer; call_stream.c where an async operation answers in pieces
 *
 * on_gone may come at any time before the answer, also when the client has only ended its side of the connection: what
 * it asked for is done and answered, but nothing waits, and a parked call is given back early. */
#include "aws/wire/answer.h"
#include "aws/wire/common_error.h"
#include "aws/wire/cors.h"
#include "aws/wire/rest.h"
#include "aws/wire/route.h"
#include "aws/wire/throttle.h"
#include "base/bug.h"
#include "base/json.h"
#include "base/list.h"

#include <stdlib.h>

/* What a loop has for itself. */
typedef struct WireLoop {
    Loop *loop;
    Authenticator *authenticator;
    uint64_t id_state[2]; /* of request ids: unique, not secret */
} WireLoop;

struct Wire {
    HttpHandler handler;
    WireOptions options;
    Throttle *throttle;
    size_t loop_count;
    WireLoop loops[];
};

static void on_body(HttpRequest *request, Error error, Slice body);
static void on_hashed(CallState *state, Error error);
static void on_authenticated(Call *call, Error error);
static void on_decoded(CallState *state, Error error);
static void on_stored(StoreCall *store_call);
static void finish(CallState *state, Error error);

/* ---- The call is born ---- */

static WireLoop *loop_of(Wire *wire, const HttpRequest *request)
{
    for (size_t i = 0; i < wire->loop_count; i++)
        if (wire->loops[i].loop == request->loop)
            return &wire->loops[i];
    UNREACHABLE();
}

/* xoroshiro128+ (Blackman and Vigna): a system call for each request would cost more than the id is worth. */
static uint64_t next_random(uint64_t state[2])
{
    uint64_t first = state[0];
    uint64_t second = state[1];
    uint64_t result = first + second;
    second ^= first;
    state[0] = (first << 24 | first >> 40) ^ second ^ second << 16;
    state[1] = second << 37 | second >> 27;
    return result;
}

static Slice make_request_id(WireLoop *loop, Arena *arena)
{
    uint64_t random[2] = {next_random(loop->id_state), next_random(loop->id_state)};
    unsigned char bytes[16];
    memcpy(bytes, random, sizeof bytes);
    char *text = arena_alloc_aligned(arena, REQUEST_ID_SIZE, 1);
    request_id_format(bytes, text);
    return slice_make(text, REQUEST_ID_SIZE);
}

/* Only what can stand in a URL is given back in one. */
static bool host_is_plain(Slice host)
{
    for (size_t i = 0; i < host.size; i++) {
        char c = host.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr(".-_:[]", c) != NULL);
        if (!plain)
            return false;
    }
    return host.size > 0;
}

static Slice endpoint_of(const Wire *wire, const HttpRequest *request)
{
    if (!host_is_plain(request->host))
        return wire->options.endpoint;
    Buffer endpoint = buffer_make(request->arena);
    buffer_add(&endpoint, request->over_tls ? SLICE("https://") : SLICE("http://"));
    buffer_add(&endpoint, request->host);
    return buffer_slice(&endpoint);
}

static void on_gone(HttpRequest *request)
{
    CallState *state = request->user;
    state->gone = true;
    if (state->in_store)
        store_cancel(state->wire->options.store, &state->store_call);
    else if (state->call.on_gone != NULL)
        state->call.on_gone(&state->call);
    else if (state->streaming && state->on_writable != NULL)
        state->on_writable(&state->call); /* it may go on to its end: all is dropped */
}

/* The services of the Query protocol answer in JSON when they are asked to (HashiCorp Vault asks STS so). */
static bool asks_for_json(const HttpRequest *request)
{
    return slice_equal(http_request_header(request, SLICE("accept")), SLICE("application/json"));
}

static CallState *call_start(Wire *wire, HttpRequest *request)
{
    CallState *state = ARENA_NEW(request->arena, CallState);
    Slice trace = http_request_header(request, SLICE("x-amzn-trace-id"));
    state->wire = wire;
    state->pool = wire->options.pool;
    state->request = request;
    state->protocol = route_protocol(request);
    state->at_root = true;
    state->query_in_json = asks_for_json(request);
    state->parameters.limit = wire->options.limits->value[LIMIT_WIRE_QUERY_PARAMETERS];
    state->item_limit = wire->options.limits->value[LIMIT_WIRE_ITEMS];
    state->started_ns = os_monotonic_ns(wire->options.os);
    state->call = (Call){
        .arena = request->arena,
        .request_id = make_request_id(loop_of(wire, request), request->arena),
        .trace = utf8_is_valid(trace) ? trace : (Slice){0},
        .endpoint = endpoint_of(wire, request),
        .peer = request->peer,
        .wall_ms = os_wall_ms(wire->options.os),
        .limits = wire->options.limits,
        .root_access_key_id = wire->options.root_access_key_id,
        .state = state,
    };
    request->user = state;
    request->on_gone = on_gone;
    return state;
}

/* ---- The steps ---- */

/* Pages that a developer visits reach this server, but may not use it. */
static Error refuse_page(CallState *state, Slice origin)
{
    const WireOptions *options = &state->wire->options;
    Slice host = state->request->host;
    if (!cors_allows(options, state->request, origin))
        return call_fail(&state->call, &common_access_denied,
                         "Pages of %.*s may not call this server; `brume start --allow-origin ORIGIN` lets them.",
                         SLICE_PRINT(origin.data == NULL ? SLICE("other sites") : origin));
    if (!cors_allows_host(options, host))
        return call_fail(&state->call, &common_access_denied,
                         "This server does not go by the name %.*s; `brume start --allow-origin http://%.*s` or "
                         "`--auth signed` lets it be called so.",
                         SLICE_PRINT(host), SLICE_PRINT(host));
    return OK;
}

static void on_request(HttpHandler *handler, HttpRequest *request)
{
    Wire *wire = CONTAINER_OF(handler, Wire, handler);
    CallState *state = call_start(wire, request);
    Slice origin = http_request_header(request, SLICE("origin"));
    if (refuse_page(state, origin) != OK) {
        finish(state, ERROR_ANSWERED);
        return;
    }
    state->origin = origin;
    if (origin.data != NULL && cors_is_preflight(request)) {
        cors_answer_preflight(request, origin);
        return;
    }
    if (route_rest(state, wire->options.services, wire->options.service_count) != OK) {
        finish(state, ERROR_ANSWERED);
        return;
    }
    const Operation *operation = state->call.operation;
    LimitName limit = operation == NULL ? LIMIT_WIRE_BODY_BYTES : operation->body_limit;
    http_request_read_body(request, wire->options.limits->value[limit], on_body);
}

/* Before the signature is verified: a flood of bad ones costs time, too. */
static Error throttle_connection(CallState *state)
{
    const uint64_t *limits = state->wire->options.limits->value;
    Pace pace = {limits[LIMIT_NET_REQUEST_RATE], limits[LIMIT_NET_REQUEST_BURST]};
    if (pace_admits(pace, state->request->pace, state->started_ns))
        return OK;
    state->throttled = WIRE_THROTTLED_CONNECTION;
    return ERROR_BUSY;
}

/* Behind authentication: nobody uses up the rate of another account. */
static Error throttle_account(CallState *state)
{
    const uint64_t *limits = state->call.limits->value;
    Pace pace = {limits[LIMIT_ACCOUNT_REQUEST_RATE], limits[LIMIT_ACCOUNT_REQUEST_BURST]};
    if (throttle_admits(state->wire->throttle, state->call.actor.account, pace, state->started_ns))
        return OK;
    state->throttled = WIRE_THROTTLED_ACCOUNT;
    return ERROR_BUSY;
}

/* Small ones are hashed when it is known that somebody has signed them. */
static bool is_hashed_ahead(const CallState *state)
{
    return state->wire->options.auth_mode == AUTH_SIGNED && body_is_large(state);
}

static void on_body(HttpRequest *request, Error error, Slice body)
{
    CallState *state = request->user;
    Wire *wire = state->wire;
    if (error == ERROR_MALFORMED)
        error = call_fail(&state->call, &common_serialization, "The request's body is malformed.");
    if (error == OK && state->route == NULL)
        error = route(state, wire->options.services, wire->options.service_count, body);
    if (error == OK)
        error = throttle_connection(state);
    if (error != OK) {
        finish(state, error);
        return;
    }
    state->body = body;
    if (is_hashed_ahead(state))
        body_work(state, body_hash, on_hashed);
    else
        on_hashed(state, OK);
}

static void on_hashed(CallState *state, Error error)
{
    SignedBody body = {state->body, is_hashed_ahead(state) ? state->work.sha256 : NULL};
    if (error == OK)
        authenticate(loop_of(state->wire, state->request)->authenticator, &state->call, state->request, body,
                     on_authenticated);
    else
        finish(state, error);
}

/* The member that a resource's path stands for, unless the request has it. */
static void fill_path_member(CallState *state)
{
    Call *call = &state->call;
    if (state->at_root || call->service->hooks->path_member == NULL)
        return;
    const Member *member = shape_member(call->operation->input, slice_of_string(call->service->hooks->path_member));
    if (member == NULL || member_is_present(member, state->input))
        return;
    Buffer url = buffer_make(call->arena);
    buffer_add(&url, call->endpoint);
    buffer_add(&url, state->request->path);
    *(Slice *)member_value(member, state->input) = buffer_slice(&url);
}

static Error decode(CallState *state)
{
    Call *call = &state->call;
    const Shape *shape = call->operation->input;
    state->input = arena_zalloc(call->arena, shape->size);
    state->output = arena_zalloc(call->arena, call->operation->output->size);
    if (state->protocol == PROTOCOL_AWS_QUERY)
        TRY(decode_query(call, shape, &state->parameters, state->input));
    else if (state->protocol == PROTOCOL_REST_JSON_1)
        TRY(decode_rest(state));
    else
        TRY(decode_json(call, shape, state->body, state->input));
    fill_path_member(state);
    return validate_input(call, shape, state->input);
}

static Home home_of_call(const CallState *state)
{
    const Call *call = &state->call;
    Slice value = {0};
    if (call->operation->home != NULL)
        value = *(const Slice *)member_value_const(call->operation->home, state->input);
    if (call->service->hooks != NULL && call->service->hooks->home != NULL)
        return call->service->hooks->home(call, value);
    return home_of(call->actor.account, call->actor.region, call->service->name, value);
}

/* May run several times: each run starts from an empty output. */
static Error run_body(Txn *txn, StoreCall *store_call)
{
    CallState *state = CONTAINER_OF(store_call, CallState, store_call);
    Call *call = &state->call;
    call->error = NULL;
    call->changes_keys = false;
    memset(state->output, 0, call->operation->output->size);
    return call->operation->body(call, txn, state->input, state->output);
}

/* When the body has gone well, the call is its own, and may have ended already. */
static void run_async(CallState *state)
{
    Error error = state->call.operation->body(&state->call, NULL, state->input, state->output);
    if (error != OK)
        finish(state, error);
}

static void run(CallState *state)
{
    Call *call = &state->call;
    const WireOptions *options = &state->wire->options;
    if (call->operation->prepare != NULL)
        call->operation->prepare(call, state->input);
    if (call->operation->mode == OPERATION_PURE) {
        finish(state, call->operation->body(call, NULL, state->input, state->output));
        return;
    }
    if (call->operation->mode == OPERATION_ASYNC) {
        run_async(state);
        return;
    }
    state->store_call = (StoreCall){
        .body = run_body,
        .done = on_stored,
        .mailbox = loop_mailbox(state->request->loop),
        .arena = call->arena,
        .frees_space = call->operation->frees_space,
        .refusable = true,
    };
    state->in_store = true;
    if (call->operation->mode == OPERATION_READ) {
        store_read(options->store, &state->store_call);
    } else {
        state->store_call.home = home_of_call(state);
        store_write(options->store, &state->store_call);
        if (state->gone) /* it comes back through the mailbox: it is still there */
            store_cancel(options->store, &state->store_call);
    }
}

static void on_authenticated(Call *call, Error error)
{
    CallState *state = call->state;
    if (error == OK && state->wire->options.account_limits != NULL)
        call->limits = account_limits_of(state->wire->options.account_limits, call->actor.account);
    if (error == OK)
        error = throttle_account(state);
    if (error == OK)
        body_work(state, decode, on_decoded);
    else
        finish(state, error);
}

static void on_decoded(CallState *state, Error error)
{
    if (error == OK)
        run(state);
    else
        finish(state, error);
}

static void on_stored(StoreCall *store_call)
{
    CallState *state = CONTAINER_OF(store_call, CallState, store_call);
    state->in_store = false;
    if (state->call.changes_keys && store_call->result == OK && state->wire->options.generation != NULL)
        atomic_fetch_add(&state->wire->options.generation->number, 1);
    finish(state, store_call->result);
}

void call_finish(Call *call, Error error)
{
    ASSERT(call->operation->mode == OPERATION_ASYNC && !call->state->streaming);
    finish(call->state, error);
}

bool call_is_gone(const Call *call)
{
    return call->state->gone;
}

Store *call_store(const Call *call)
{
    return call->state->wire->options.store;
}

Os *call_os(const Call *call)
{
    return call->state->wire->options.os;
}

const Limits *call_limits_of(const Call *call, Slice account)
{
    const WireOptions *options = &call->state->wire->options;
    return options->account_limits == NULL ? options->limits : account_limits_of(options->account_limits, account);
}

Invoker *call_invoker(const Call *call)
{
    return call->state->wire->options.invoker;
}

Packages *call_packages(const Call *call)
{
    return call->state->wire->options.packages;
}

bool call_is_verified(const Call *call)
{
    return call->state->wire->options.auth_mode == AUTH_SIGNED;
}

Mailbox *call_mailbox(const Call *call)
{
    return loop_mailbox(call->state->request->loop);
}

void call_report(CallState *state, Error failure)
{
    const WireOptions *options = &state->wire->options;
    WireReport report = {
        .service = state->call.service,
        .operation = state->call.operation,
        .error = state->call.error,
        .failure = failure,
        .throttled = state->throttled,
        .status = answer_status(state),
        .request_id = state->call.request_id,
        .account = state->call.actor.account,
        .duration_ns = os_monotonic_ns(options->os) - state->started_ns,
    };
    if (options->report != NULL)
        options->report(options->report_user, &report);
}

static void finish(CallState *state, Error error)
{
    if (error == OK)
        state->call.error = NULL;
    else
        answer_explain(state, error);
    if (error == ERROR_BUSY && state->throttled == WIRE_NOT_THROTTLED)
        state->throttled = WIRE_THROTTLED_OVERLOAD;
    /* The answer ends the call's memory: what is reported of it is reported before. */
    call_report(state, error < 0 || state->call.error == &common_internal_failure ? error : OK);
    answer_send(state);
}

/* ---- Life ---- */

Authenticator *wire_authenticator_open(const WireOptions *options, size_t loop)
{
    return authenticator_open(&(AuthenticatorOptions){
        .os = options->os,
        .store = options->store,
        .mailbox = loop_mailbox(options->loops[loop]),
        .mode = options->auth_mode,
        .generation = options->generation,
        .root_access_key_id = options->root_access_key_id,
        .root_secret = options->root_secret,
    });
}

HttpHandler *wire_handler_open(const WireOptions *options)
{
    Wire *wire = calloc(1, sizeof *wire + options->loop_count * sizeof wire->loops[0]);
    ASSERT(wire != NULL);
    wire->handler.on_request = on_request;
    wire->options = *options;
    wire->throttle = throttle_open();
    wire->loop_count = options->loop_count;
    for (size_t i = 0; i < options->loop_count; i++) {
        wire->loops[i].loop = options->loops[i];
        wire->loops[i].authenticator = wire_authenticator_open(options, i);
        os_random(options->os, wire->loops[i].id_state, sizeof wire->loops[i].id_state);
        wire->loops[i].id_state[0] |= 1; /* the generator must not start at zero */
    }
    return &wire->handler;
}

void wire_handler_close(HttpHandler *handler)
{
    Wire *wire = CONTAINER_OF(handler, Wire, handler);
    for (size_t i = 0; i < wire->loop_count; i++)
        authenticator_close(wire->loops[i].authenticator);
    throttle_close(wire->throttle);
    free(wire);
}

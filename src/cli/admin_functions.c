/* admin_functions.c: what `brume functions` shows, read from the durable state and from whoever runs functions; and a run
 * that `brume invoke` asks for. */
#include "cli/admin_server.h"

#include "aws/lambda/payload.h"
#include "base/digest.h"
#include "base/list.h"
#include "core/event.h"
#include "core/mapping.h"
#include "core/run.h"

enum { FUNCTION_PAGE = 100, GUARDED_PAGE = 100 };

/* ---- Listing ---- */

static void write_text(JsonWriter *writer, Slice name, Slice value)
{
    json_write_name(writer, name);
    json_write_string(writer, value);
}

static void write_number(JsonWriter *writer, Slice name, uint64_t number)
{
    json_write_name(writer, name);
    json_write_uint64(writer, number);
}

static void write_workers(Txn *txn, Invoker *invoker, const WorkerSpec *spec, JsonWriter *writer)
{
    InvokerCounts counts = {0};
    if (invoker != NULL)
        invoker_count(invoker, spec->function, (Slice){0}, txn_arena(txn), &counts);
    write_number(writer, SLICE("workers"), counts.workers);
    write_number(writer, SLICE("busy"), counts.busy);
    write_number(writer, SLICE("waiting"), counts.waiting);
    write_number(writer, SLICE("provisioned"), counts.provisioned);
    write_number(writer, SLICE("provisioned_ready"), counts.provisioned_ready);
}

static Error write_events(Txn *txn, const Function *function, JsonWriter *writer)
{
    EventCount count;
    TRY(event_count(txn, function, &count));
    uint64_t now_ms = txn_now(txn);
    bool has_age = count.oldest_ms != 0 && now_ms > count.oldest_ms;
    write_number(writer, SLICE("events"), count.events);
    write_number(writer, SLICE("more_events"), count.more);
    write_number(writer, SLICE("oldest_event_ms"), has_age ? now_ms - count.oldest_ms : 0);
    return OK;
}

/* The breakers of the mappings that feed a function: nothing where there are none, otherwise the one that lets least
 * through. */
typedef struct Guard {
    Slice function;
    BreakerState state;
} Guard;

static bool lets_less(BreakerState state, BreakerState than)
{
    return state != than && (state == BREAKER_OPEN || than == BREAKER_CLOSED);
}

static Error add_guard(Txn *txn, const Mapping *mapping, Guard *guards, size_t *count)
{
    Breaker breaker;
    size_t i = 0;
    TRY(mapping_breaker(txn, mapping, &breaker));
    while (i < *count && !slice_equal(guards[i].function, mapping->function))
        i++;
    if (i == *count)
        guards[(*count)++] = (Guard){mapping->function, breaker.state};
    else if (lets_less(breaker.state, guards[i].state))
        guards[i].state = breaker.state;
    return OK;
}

/* Of those functions that are listed. */
static Error find_guards(Txn *txn, Slice account, Slice region, const FunctionVersion *functions, size_t function_count,
                         Guard *guards, size_t *count)
{
    Mapping *mappings;
    size_t mapping_count;
    FunctionPage page = {.limit = GUARDED_PAGE};
    *count = 0;
    do {
        page.after = page.next;
        page.next = (Slice){0};
        TRY(mapping_list(txn, account, region, &(MappingFilter){0}, &page, &mappings, &mapping_count));
        for (size_t i = 0; i < mapping_count; i++)
            for (size_t n = 0; mappings[i].threshold > 0 && n < function_count; n++)
                if (slice_equal(mappings[i].function, functions[n].name))
                    TRY(add_guard(txn, &mappings[i], guards, count));
    } while (page.next.data != NULL);
    return OK;
}

static void write_guard(Slice function, const Guard *guards, size_t count, JsonWriter *writer)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(guards[i].function, function))
            write_text(writer, SLICE("breaker"), admin_breaker_text(guards[i].state));
}

/* The members of one function. */
static Error write_function(Txn *txn, const FunctionVersion *latest, Invoker *invoker, JsonWriter *writer)
{
    Function function;
    TRY(function_open(txn, latest->account, latest->region, latest->name, &function));
    const WorkerSpec spec = function_worker_spec(txn, &function, latest, (Slice){0});
    write_text(writer, SLICE("name"), latest->name);
    write_text(writer, SLICE("region"), latest->region);
    write_text(writer, SLICE("runtime"), latest->runtime);
    write_text(writer, SLICE("state"), latest->state);
    write_number(writer, SLICE("memory_mb"), latest->memory_mb);
    write_number(writer, SLICE("timeout_s"), latest->timeout_s);
    write_number(writer, SLICE("last_version"), function.last_version);
    if (function.has_reserved)
        write_number(writer, SLICE("reserved"), function.reserved);
    write_workers(txn, invoker, &spec, writer);
    return write_events(txn, &function, writer);
}

Error admin_write_functions(Txn *txn, const AdminQuery *query, JsonWriter *writer)
{
    Slice region;
    FunctionVersion *functions = NULL;
    size_t count = 0;
    Guard guards[FUNCTION_PAGE];
    size_t guard_count = 0;
    FunctionPage page = {.after = query->after, .limit = FUNCTION_PAGE};
    TRY(admin_find_region(txn, query, &region));
    if (region.data != NULL)
        TRY(function_list(txn, query->account, region, false, &page, &functions, &count));
    if (count > 0)
        TRY(find_guards(txn, query->account, region, functions, count, guards, &guard_count));
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("functions"));
    json_write_array_begin(writer);
    for (size_t i = 0; i < count; i++) {
        json_write_object_begin(writer);
        TRY(write_function(txn, &functions[i], query->invoker, writer));
        write_guard(functions[i].name, guards, guard_count, writer);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
    if (region.data != NULL)
        write_text(writer, SLICE("region"), region);
    if (page.next.data != NULL)
        write_text(writer, SLICE("after"), page.next);
    json_write_object_end(writer);
    return OK;
}

/* ---- Invoking ---- */

/* One run; lives in its request's arena, and goes on when whoever asked has left. */
typedef struct AdminRun {
    StoreCall lookup;
    const AdminOptions *options;
    HttpRequest *request;
    RunRequest wanted;
    Run run;
    Invocation invocation;
} AdminRun;

static Slice refusal_text(const AdminRun *run)
{
    switch (run->invocation.refusal) {
    case INVOKE_FUNCTION_CONCURRENCY:
        return SLICE("the function's reserved concurrency is used up");
    case INVOKE_ACCOUNT_CONCURRENCY:
        return SLICE("the account's concurrency is used up");
    case INVOKE_STOPPING:
        return SLICE("the server is stopping");
    case INVOKE_ROLE:
        return SLICE("the function's role is not there, or does not trust lambda.amazonaws.com");
    default:
        return run->invocation.message.data == NULL ? SLICE("the function could not be run") : run->invocation.message;
    }
}

static void respond(HttpRequest *request, Slice document)
{
    static const HttpHeader json[] = {{SLICE_INIT("content-type"), SLICE_INIT("application/json")}};
    http_respond(request, &(HttpResponse){.status = 200, .headers = json, .header_count = 1, .body = document});
}

static void on_done(Invocation *invocation)
{
    AdminRun *run = CONTAINER_OF(invocation, AdminRun, invocation);
    Arena *arena = run->request->arena;
    if (invocation->refusal != INVOKE_RAN) {
        admin_refuse(run->request, 503, refusal_text(run));
        return;
    }
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("version"), run->run.spec.version);
    write_text(&writer, SLICE("result"), base64_encode(arena, invocation->result));
    write_text(&writer, SLICE("log"), base64_encode(arena, invocation->log_tail));
    if (invocation->failed)
        write_text(&writer, SLICE("failed"), SLICE("true"));
    json_write_object_end(&writer);
    respond(run->request, buffer_slice(&out));
}

void admin_refuse_function(HttpRequest *request, const AdminFunction *function, Error error)
{
    if (error == FUNCTION_NOT_FOUND)
        admin_refuse(request, 400,
                     arena_format(request->arena,
                                  "there is no function %.*s in account %.*s and region %.*s: name others with "
                                  "--account and --region; `brume functions` shows what there is",
                                  SLICE_PRINT(function->name), SLICE_PRINT(function->account),
                                  SLICE_PRINT(function->region)));
    else
        admin_refuse_error(request, error);
}

static Error find_body(Txn *txn, StoreCall *lookup)
{
    AdminRun *run = CONTAINER_OF(lookup, AdminRun, lookup);
    return run_find(txn, &run->wanted, lookup->arena, &run->run);
}

static void on_found(StoreCall *lookup)
{
    AdminRun *run = CONTAINER_OF(lookup, AdminRun, lookup);
    if (lookup->result != OK)
        admin_refuse_function(run->request, &(AdminFunction){run->wanted.account, run->wanted.region, run->wanted.name},
                              lookup->result);
    else
        run_start(run->options->invoker, &run->run, &run->invocation);
}

static void find(AdminRun *run)
{
    run->lookup = (StoreCall){
        .body = find_body,
        .done = on_found,
        .mailbox = loop_mailbox(run->options->loop),
        .arena = run->request->arena,
    };
    store_read(run->options->store, &run->lookup);
}

/* ---- Events ---- */

/* One event on its way into the store; lives in its request's arena. */
typedef struct AdminEvent {
    StoreCall accept;
    HttpRequest *request;
    FunctionEvent event;
} AdminEvent;

static Error accept_body(Txn *txn, StoreCall *accept)
{
    return event_send(txn, &CONTAINER_OF(accept, AdminEvent, accept)->event);
}

static void on_accepted(StoreCall *accept)
{
    AdminEvent *admin = CONTAINER_OF(accept, AdminEvent, accept);
    if (accept->result != OK) {
        admin_refuse_function(admin->request,
                              &(AdminFunction){admin->event.account, admin->event.region, admin->event.name},
                              accept->result);
        return;
    }
    Buffer out = buffer_make(admin->request->arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("request_id"), admin->event.request_id);
    json_write_object_end(&writer);
    respond(admin->request, buffer_slice(&out));
}

static void send_event(const AdminOptions *options, HttpRequest *request, const AdminInvoke *invoke, Slice payload)
{
    AdminEvent *admin = ARENA_NEW(request->arena, AdminEvent);
    *admin = (AdminEvent){
        .request = request,
        .event =
            {
                .account = invoke->account,
                .region = invoke->region,
                .name = invoke->name,
                .qualifier = invoke->qualifier,
                .request_id = run_request_id(loop_os(options->loop), request->arena),
                .payload = payload,
                .client_context = invoke->client_context,
            },
        .accept =
            {
                .body = accept_body,
                .done = on_accepted,
                .mailbox = loop_mailbox(options->loop),
                .arena = request->arena,
                .home = function_home(invoke->account, invoke->region, invoke->name),
            },
    };
    store_write(options->store, &admin->accept);
}

/* ---- What is asked for ---- */

void admin_invoke(const AdminOptions *options, HttpRequest *request, const AdminInvoke *invoke)
{
    AdminRun *run = ARENA_NEW(request->arena, AdminRun);
    Os *os = loop_os(options->loop);
    Slice payload = invoke->payload.size == 0 ? SLICE("{}") : invoke->payload;
    const Limits *limits = account_limits_of(options->account_limits, invoke->account);
    Slice problem;
    if (options->invoker == NULL) {
        admin_refuse(
            request, 503,
            SLICE("this server runs no functions: its log says why (no_functions), `brume doctor` what to do"));
        return;
    }
    if (!account_id_is_valid(invoke->account) || invoke->region.size == 0 || invoke->name.size == 0) {
        admin_refuse(request, 400, SLICE("an account of 12 digits, a region and a function's name are needed"));
        return;
    }
    if (invoke->is_event && payload.size > limits->value[LIMIT_LAMBDA_EVENT_BYTES]) {
        admin_refuse(request, 413, SLICE("the payload is larger than 1 MB (LAMBDA_EVENT_BYTES)"));
        return;
    }
    if (payload.size > limits->value[LIMIT_LAMBDA_REQUEST_BYTES]) {
        admin_refuse(request, 413, SLICE("the payload is larger than 6 MB (LAMBDA_REQUEST_BYTES)"));
        return;
    }
    if (!payload_is_json(payload, request->arena, &problem)) {
        admin_refuse(request, 400, arena_format(request->arena, "the payload is no JSON: %.*s", SLICE_PRINT(problem)));
        return;
    }
    if (invoke->client_context.data != NULL && json_check(invoke->client_context) != OK) {
        admin_refuse(request, 400, SLICE("the client context is no JSON"));
        return;
    }
    if (invoke->is_event) {
        send_event(options, request, invoke, payload);
        return;
    }
    run->options = options;
    run->request = request;
    run->wanted = (RunRequest){
        .account = invoke->account,
        .region = invoke->region,
        .name = invoke->name,
        .qualifier = invoke->qualifier,
        .wall_ms = os_wall_ms(os),
        .limits = limits,
    };
    run->invocation = (Invocation){
        .mailbox = loop_mailbox(options->loop),
        .arena = request->arena,
        .request_id = run_request_id(os, request->arena),
        .payload = payload,
        .client_context = invoke->client_context,
        .payload_limit = limits->value[LIMIT_LAMBDA_RESPONSE_BYTES],
        .done = on_done,
    };
    find(run);
}

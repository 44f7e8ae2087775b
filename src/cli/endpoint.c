/* /_brume/health and /_brume/metrics: what machines ask of the server itself. Needs no signature; changes nothing. Below
 * /_brume/functions/ are packages of code, for those who were told of their place. */
#include "aws/lambda/url_handler.h"
#include "base/list.h"
#include "cli/server.h"

static void answer(HttpRequest *request, int status, Slice type, Slice body)
{
    HttpHeader headers[] = {{SLICE("content-type"), type}, {SLICE("cache-control"), SLICE("no-store")}};
    HttpResponse response = {.status = status, .headers = headers, .header_count = 2, .body = body};
    http_respond(request, &response);
}

/* Alive: the process serves. Ready: it takes new work; not while it stops. */
static void answer_health(const Server *server, HttpRequest *request)
{
    bool ready = !atomic_load(&server->draining);
    Slice body = arena_format(request->arena, "{\"alive\":true,\"ready\":%s,\"version\":\"%s\"}\n",
                              ready ? "true" : "false", BRUME_VERSION);
    answer(request, ready ? 200 : 503, SLICE("application/json"), body);
}

/* What is asked of the store for one page of metrics. */
typedef struct Scrape {
    StoreCall call;
    const Server *server;
    HttpRequest *request;
    MappingRows mappings;
} Scrape;

static Error read_mappings(Txn *txn, StoreCall *call)
{
    return metrics_read_mappings(txn, call->arena, &CONTAINER_OF(call, Scrape, call)->mappings);
}

/* Where the store does not answer, the page has all but its rows. */
static void answer_scrape(StoreCall *call)
{
    Scrape *scrape = CONTAINER_OF(call, Scrape, call);
    const Server *server = scrape->server;
    HttpRequest *request = scrape->request;
    if (call->result != OK)
        scrape->mappings = (MappingRows){.lags = SLICE("")};
    const MetricsSources sources = {
        .os = server->os,
        .store = server->store,
        .http = server->http,
        .urls = server->urls,
        .runtime = server->runtime,
        .events = server->events,
        .pollers = server->pollers,
        .mappings = scrape->mappings,
        .log_meter = server->log_meter,
    };
    answer(request, 200, SLICE("text/plain; version=0.0.4; charset=utf-8"),
           metrics_write(server->metrics, &sources, request->arena));
}

static void answer_metrics(const Server *server, HttpRequest *request)
{
    Scrape *scrape = ARENA_NEW(request->arena, Scrape);
    *scrape = (Scrape){
        .call = {.body = read_mappings,
                 .done = answer_scrape,
                 .mailbox = loop_mailbox(request->loop),
                 .arena = request->arena},
        .server = server,
        .request = request,
    };
    store_read(server->store, &scrape->call);
}

void endpoint_on_request(HttpHandler *handler, HttpRequest *request)
{
    Server *server = CONTAINER_OF(handler, Server, endpoint);
    UrlHost url;
    if (url_host_read(request->host, &url)) { /* all of its paths are the function's */
        server->urls->on_request(server->urls, request);
        return;
    }
    if (!slice_starts_with(request->path, SLICE("/_brume/"))) {
        server->wire->on_request(server->wire, request);
        return;
    }
    Slice name = slice_skip(request->path, SLICE("/_brume/").size);
    if (!slice_equal(request->method, SLICE("GET")) && !slice_equal(request->method, SLICE("HEAD")))
        answer(request, 405, SLICE("application/json"), SLICE("{\"message\":\"GET it\"}\n"));
    else if (slice_equal(name, SLICE("health")))
        answer_health(server, request);
    else if (slice_equal(name, SLICE("metrics")))
        answer_metrics(server, request);
    else if (slice_starts_with(name, SLICE("functions/")))
        endpoint_answer_package(server, request, slice_skip(name, SLICE("functions/").size));
    else
        answer(request, 404, SLICE("application/json"),
               SLICE("{\"message\":\"there are /_brume/health and /_brume/metrics\"}\n"));
}

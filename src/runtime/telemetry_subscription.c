#include "runtime/telemetry.h"

#include "base/json.h"
#include "runtime/runtime_api_internal.h"

#include <stdio.h>

enum { BUFFERING_TIMEOUT, BUFFERING_BYTES, BUFFERING_ITEMS, BUFFERINGS };

/* "Telemetry API reference", Subscribe: each is held to its range by a refusal. */
static const struct {
    Slice name;
    uint64_t usual;
    uint64_t least;
    uint64_t most;
    const char *problem;
} buffering[] = {
    [BUFFERING_TIMEOUT] = {SLICE_INIT("timeoutMs"), 1000, 25, 30000, "timeoutMs must be from 25 to 30000"},
    [BUFFERING_BYTES] = {SLICE_INIT("maxBytes"), 262144, 262144, 1048576, "maxBytes must be from 262144 to 1048576"},
    [BUFFERING_ITEMS] = {SLICE_INIT("maxItems"), 10000, 1000, 10000, "maxItems must be from 1000 to 10000"},
};

typedef struct Wanted {
    Slice schema_version;
    unsigned types;
    bool has_unknown_type;
    uint64_t buffering[BUFFERINGS];
    Slice protocol;
    Slice uri;
    Slice method;
    Slice encoding;
    uint64_t port;
} Wanted;

/* ---- Reading ---- */

static Error read_types(JsonReader *json, Wanted *wanted)
{
    bool more;
    Slice type;
    TRY(json_begin_array(json));
    while (true) {
        TRY(json_next_element(json, &more));
        if (!more)
            return OK;
        TRY(json_read_string(json, &type));
        unsigned known = slice_equal(type, SLICE("platform"))    ? TELEMETRY_PLATFORM
                         : slice_equal(type, SLICE("function"))  ? TELEMETRY_FUNCTION
                         : slice_equal(type, SLICE("extension")) ? TELEMETRY_EXTENSION
                                                                 : 0;
        wanted->types |= known;
        wanted->has_unknown_type |= known == 0;
    }
}

static Error read_number(JsonReader *json, uint64_t *value)
{
    Slice text;
    TRY(json_read_number(json, &text));
    return slice_parse_uint64(text, value) ? OK : ERROR_MALFORMED;
}

static Error read_buffering(JsonReader *json, Wanted *wanted)
{
    Slice name, ignored;
    TRY(json_begin_object(json));
    while (true) {
        size_t i = 0;
        TRY(json_next_member(json, &name));
        if (name.data == NULL)
            return OK;
        while (i < BUFFERINGS && !slice_equal(name, buffering[i].name))
            i++;
        if (i < BUFFERINGS)
            TRY(read_number(json, &wanted->buffering[i]));
        else
            TRY(json_read_any(json, &ignored));
    }
}

static Error read_destination(JsonReader *json, Wanted *wanted)
{
    Slice name, ignored;
    TRY(json_begin_object(json));
    while (true) {
        TRY(json_next_member(json, &name));
        if (name.data == NULL)
            return OK;
        if (slice_equal(name, SLICE("protocol")))
            TRY(json_read_string(json, &wanted->protocol));
        else if (slice_equal(name, SLICE("URI")))
            TRY(json_read_string(json, &wanted->uri));
        else if (slice_equal(name, SLICE("method")))
            TRY(json_read_string(json, &wanted->method));
        else if (slice_equal(name, SLICE("encoding")))
            TRY(json_read_string(json, &wanted->encoding));
        else if (slice_equal(name, SLICE("port")))
            TRY(read_number(json, &wanted->port));
        else
            TRY(json_read_any(json, &ignored));
    }
}

static Error read_wanted(Slice body, Arena *arena, Wanted *wanted)
{
    JsonReader json = json_reader(body, arena);
    Slice name, ignored;
    TRY(json_begin_object(&json));
    while (true) {
        TRY(json_next_member(&json, &name));
        if (name.data == NULL)
            return json_read_end(&json);
        if (slice_equal(name, SLICE("schemaVersion")))
            TRY(json_read_string(&json, &wanted->schema_version));
        else if (slice_equal(name, SLICE("types")))
            TRY(read_types(&json, wanted));
        else if (slice_equal(name, SLICE("buffering")))
            TRY(read_buffering(&json, wanted));
        else if (slice_equal(name, SLICE("destination")))
            TRY(read_destination(&json, wanted));
        else
            TRY(json_read_any(&json, &ignored));
    }
}

/* ---- Checking ---- */

static bool knows_version(Slice version, bool is_old)
{
    static const Slice new_ones[] = {SLICE_INIT("2022-07-01"), SLICE_INIT("2022-12-13"), SLICE_INIT("2025-01-29")};
    static const Slice old_ones[] = {SLICE_INIT("2020-08-15"), SLICE_INIT("2021-03-18")};
    const Slice *known = is_old ? old_ones : new_ones;
    size_t count = is_old ? sizeof old_ones / sizeof *old_ones : sizeof new_ones / sizeof *new_ones;
    for (size_t i = 0; i < count; i++)
        if (slice_equal(version, known[i]))
            return true;
    return is_old && version.data == NULL;
}

/* "http://sandbox.localdomain:PORT/path": within the sandbox. False: it is none. */
static bool read_uri(Slice uri, Subscription *subscription)
{
    static const Slice hosts[] = {SLICE_INIT("http://sandbox.localdomain:"), SLICE_INIT("http://sandbox:")};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        uint64_t port;
        if (!slice_starts_with(uri, hosts[i]))
            continue;
        Slice rest = slice_skip(uri, hosts[i].size);
        size_t slash = slice_find(rest, '/');
        Slice path = slash < rest.size ? slice_skip(rest, slash) : SLICE("/");
        for (size_t at = 0; at < path.size; at++)
            if ((unsigned char)path.data[at] <= ' ' || (unsigned char)path.data[at] >= 0x7f)
                return false;
        if (!slice_parse_uint64(slice_make(rest.data, slash), &port) || port == 0 || port > UINT16_MAX ||
            path.size >= sizeof subscription->path)
            return false;
        subscription->port = (uint16_t)port;
        memcpy(subscription->path, path.data, path.size);
        subscription->path[path.size] = '\0';
        return true;
    }
    return false;
}

/* NULL: it is sound, and filled in; or what is wrong with it. */
static const char *check(const Wanted *wanted, bool is_old, Subscription *subscription)
{
    if (!knows_version(wanted->schema_version, is_old))
        return is_old ? "schemaVersion must be 2020-08-15 or 2021-03-18"
                      : "schemaVersion must be 2022-07-01, 2022-12-13 or 2025-01-29";
    if (wanted->types == 0 || wanted->has_unknown_type)
        return "types must be some of platform, function and extension";
    for (size_t i = 0; i < BUFFERINGS; i++)
        if (wanted->buffering[i] < buffering[i].least || wanted->buffering[i] > buffering[i].most)
            return buffering[i].problem;
    if (wanted->encoding.data != NULL && !slice_equal(wanted->encoding, SLICE("JSON")))
        return "encoding must be JSON";
    subscription->is_tcp = slice_equal(wanted->protocol, SLICE("TCP"));
    if (!subscription->is_tcp && !slice_equal(wanted->protocol, SLICE("HTTP")))
        return "protocol must be HTTP or TCP";
    if (subscription->is_tcp && (wanted->port == 0 || wanted->port > UINT16_MAX))
        return "port must be from 1 to 65535";
    if (!subscription->is_tcp && !read_uri(wanted->uri, subscription))
        return "URI must be http://sandbox.localdomain:PORT, with or without a path";
    if (subscription->is_tcp)
        subscription->port = (uint16_t)wanted->port;
    subscription->is_put = slice_equal(wanted->method, SLICE("PUT"));
    if (!subscription->is_put && wanted->method.data != NULL && !slice_equal(wanted->method, SLICE("POST")))
        return "method must be POST or PUT";
    subscription->is_old = is_old;
    subscription->types = wanted->types;
    subscription->timeout_ms = wanted->buffering[BUFFERING_TIMEOUT];
    subscription->max_bytes = wanted->buffering[BUFFERING_BYTES];
    subscription->max_items = wanted->buffering[BUFFERING_ITEMS];
    return NULL;
}

/* ---- Subscribing ---- */

static void tell(Api *api, const Extension *extension, const Subscription *subscription)
{
    static const Slice names[] = {SLICE_INIT("platform"), SLICE_INIT("function"), SLICE_INIT("extension")};
    Arena arena = arena_make();
    Buffer line = buffer_make(&arena);
    Buffer record = buffer_make(&arena);
    JsonWriter json = json_writer(&record);
    const char *comma = "";
    buffer_add_format(&line, "%s\tName: %s\tState: Subscribed\tTypes: [", subscription->is_old ? "LOGS" : "TELEMETRY",
                      extension->name);
    json_write_object_begin(&json);
    json_write_name(&json, SLICE("name"));
    json_write_string(&json, slice_of_string(extension->name));
    json_write_name(&json, SLICE("state"));
    json_write_string(&json, SLICE("Subscribed"));
    json_write_name(&json, SLICE("types"));
    json_write_array_begin(&json);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if ((subscription->types & 1u << i) == 0)
            continue;
        buffer_add_format(&line, "%s%.*s", comma, SLICE_PRINT(names[i]));
        json_write_string(&json, names[i]);
        comma = ", ";
    }
    json_write_array_end(&json);
    json_write_object_end(&json);
    BUFFER_ADD(&line, "]\n");
    api_frame(api, FRAME_LOG, buffer_slice(&line));
    telemetry_record(api, TELEMETRY_PLATFORM | (subscription->is_old ? TELEMETRY_OLD_ONLY : TELEMETRY_NEW_ONLY),
                     subscription->is_old ? "platform.logsSubscription" : "platform.telemetrySubscription",
                     buffer_slice(&record));
    arena_free(&arena);
}

/* What was there before it: the init phase began before anybody could subscribe. */
static void catch_up(Api *api, Subscription *subscription)
{
    Telemetry *telemetry = &api->telemetry;
    for (size_t i = 0; i < telemetry->past_count; i++)
        telemetry_give(subscription, telemetry->past[i].type, telemetry->past[i].text);
}

void telemetry_subscribe(ApiConnection *connection, Extension *extension, bool is_old)
{
    Api *api = connection->api;
    Wanted wanted = {0};
    Subscription fresh = {.file = -1};
    Arena arena = arena_make();
    const char *problem = NULL;
    for (size_t i = 0; i < BUFFERINGS; i++)
        wanted.buffering[i] = buffering[i].usual;
    if (api->phase >= API_PHASE_SERVING) {
        api_respond(connection, (ApiAnswer){403, is_old ? "Logs.SubscriptionClosed" : "Telemetry.SubscriptionClosed",
                                            SLICE("Extensions subscribe in the init phase")});
        return;
    }
    if (read_wanted(api_bytes_left(&connection->body), &arena, &wanted) != OK)
        problem = "the body is not the JSON of a subscription";
    else
        problem = check(&wanted, is_old, &fresh);
    arena_free(&arena);
    if (problem != NULL) {
        api_respond(connection, (ApiAnswer){400, "ValidationError", slice_of_string(problem)});
        return;
    }
    Subscription *subscription = &api->telemetry.all[extension - api->extensions.all];
    telemetry_unsubscribe(subscription);
    *subscription = fresh;
    subscription->is_open = true;
    catch_up(api, subscription);
    tell(api, extension, subscription);
    api_respond_with(connection, 200, SLICE(""), SLICE("\"OK\""));
}

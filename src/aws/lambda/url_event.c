#include "aws/lambda/url_event.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/time_format.h"

#include <stdlib.h>

/* ---- Texts ---- */

/* Fields of a head may have any bytes: what is no UTF-8 is read as Latin-1, as browsers do. */
static void write_text(JsonWriter *writer, Arena *arena, Slice text)
{
    if (utf8_is_valid(text)) {
        json_write_string(writer, text);
        return;
    }
    Buffer out = buffer_make(arena);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x80)
            buffer_add_byte(&out, (char)(0xC0 | c >> 6));
        buffer_add_byte(&out, c >= 0x80 ? (char)(0x80 | (c & 0x3F)) : (char)c);
    }
    json_write_string(writer, buffer_slice(&out));
}

static void write_member(JsonWriter *writer, Arena *arena, Slice name, Slice text)
{
    json_write_name(writer, name);
    write_text(writer, arena, text);
}

Slice url_event_source(const HttpRequest *request)
{
    Slice peer = request->peer;
    size_t end = peer.size;
    while (end > 0 && peer.data[end - 1] != ':')
        end--;
    if (end == 0)
        return peer; /* no port: a Unix socket */
    Slice address = slice_make(peer.data, end - 1);
    if (address.size > 1 && address.data[0] == '[')
        return slice_make(address.data + 1, address.size - 2);
    return address;
}

/* ---- Fields of the head ---- */

/* RFC 9110, section 7.6.1, and what has a place of its own, or is set anew. */
static bool is_left_out(Slice name)
{
    static const Slice names[] = {SLICE_INIT("connection"),
                                  SLICE_INIT("keep-alive"),
                                  SLICE_INIT("proxy-connection"),
                                  SLICE_INIT("te"),
                                  SLICE_INIT("transfer-encoding"),
                                  SLICE_INIT("upgrade"),
                                  SLICE_INIT("expect"),
                                  SLICE_INIT("cookie"),
                                  SLICE_INIT("x-amzn-trace-id"),
                                  SLICE_INIT("trailer"),
                                  SLICE_INIT("x-forwarded-proto"),
                                  SLICE_INIT("x-forwarded-port"),
                                  SLICE_INIT("http2-settings")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(name, names[i]))
            return true;
    return false;
}

/* All values of the field that stands first at `first`. */
static Slice joined_value(const HttpRequest *request, size_t first)
{
    const HttpHeader *headers = request->headers;
    Buffer joined = buffer_make(request->arena);
    for (size_t i = first + 1; i < request->header_count; i++) {
        if (!slice_equal(headers[i].name, headers[first].name))
            continue;
        if (joined.size == 0)
            buffer_add(&joined, headers[first].value);
        buffer_add_byte(&joined, ',');
        buffer_add(&joined, headers[i].value);
    }
    return joined.size > 0 ? buffer_slice(&joined) : headers[first].value;
}

static bool stands_before(const HttpRequest *request, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (slice_equal(request->headers[i].name, request->headers[number].name))
            return true;
    return false;
}

/* The port that the client named, or the scheme's. */
static Slice port_of(const HttpRequest *request)
{
    size_t colon = slice_find(request->host, ':');
    if (colon + 1 < request->host.size)
        return slice_skip(request->host, colon + 1);
    return request->over_tls ? SLICE("443") : SLICE("80");
}

static void write_headers(JsonWriter *writer, const UrlEvent *event)
{
    const HttpRequest *request = event->request;
    Arena *arena = request->arena;
    Slice forwarded = (Slice){0};
    json_write_name(writer, SLICE("headers"));
    json_write_object_begin(writer);
    for (size_t i = 0; i < request->header_count; i++) {
        Slice name = request->headers[i].name;
        if (is_left_out(name) || stands_before(request, i))
            continue;
        if (slice_equal(name, SLICE("x-forwarded-for")))
            forwarded = joined_value(request, i);
        else
            write_member(writer, arena, name, joined_value(request, i));
    }
    Slice source = url_event_source(request);
    write_member(writer, arena, SLICE("x-forwarded-for"),
                 forwarded.size == 0 ? source
                                     : arena_format(arena, "%.*s, %.*s", SLICE_PRINT(forwarded), SLICE_PRINT(source)));
    write_member(writer, arena, SLICE("x-forwarded-port"), port_of(request));
    write_member(writer, arena, SLICE("x-forwarded-proto"), request->over_tls ? SLICE("https") : SLICE("http"));
    write_member(writer, arena, SLICE("x-amzn-trace-id"), event->trace);
    json_write_object_end(writer);
}

static Slice trimmed(Slice text)
{
    while (text.size > 0 && text.data[0] == ' ')
        text = slice_skip(text, 1);
    while (text.size > 0 && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

static Slice take(Slice *rest, char end)
{
    size_t size = slice_find(*rest, end);
    Slice part = {rest->data, size};
    *rest = slice_skip(*rest, size < rest->size ? size + 1 : size);
    return part;
}

static void write_cookies(JsonWriter *writer, const HttpRequest *request)
{
    bool any = false;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!slice_equal(request->headers[i].name, SLICE("cookie")))
            continue;
        for (Slice rest = request->headers[i].value; rest.size > 0;) {
            Slice cookie = trimmed(take(&rest, ';'));
            if (cookie.size == 0)
                continue;
            if (!any) {
                json_write_name(writer, SLICE("cookies"));
                json_write_array_begin(writer);
            }
            any = true;
            write_text(writer, request->arena, cookie);
        }
    }
    if (any)
        json_write_array_end(writer);
}

/* ---- The query ---- */

typedef struct Parameter {
    Slice name;
    Slice value;
    size_t number; /* in the order sent */
} Parameter;

static int compare_parameters(const void *a, const void *b)
{
    const Parameter *left = a;
    const Parameter *right = b;
    int order = slice_compare(left->name, right->name);
    return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

/* As it stands where it is not percent-encoded as it should be. */
static Slice decoded(Arena *arena, Slice text)
{
    Slice bytes;
    return percent_decode(arena, text, true, &bytes) == OK ? bytes : text;
}

static Parameter *read_parameters(const HttpRequest *request, size_t *count)
{
    size_t most = 1;
    for (size_t i = 0; i < request->query.size; i++)
        most += request->query.data[i] == '&';
    Parameter *parameters = ARENA_ARRAY(request->arena, Parameter, most);
    *count = 0;
    for (Slice rest = request->query; rest.size > 0;) {
        Slice value = take(&rest, '&');
        Slice name = take(&value, '=');
        if (name.size == 0)
            continue;
        parameters[*count] = (Parameter){decoded(request->arena, name),
                                         value.size == 0 ? SLICE("") : decoded(request->arena, value), *count};
        ++*count;
    }
    /* By name, so that one pass finds all of a name, however many there are. */
    qsort(parameters, *count, sizeof parameters[0], compare_parameters);
    return parameters;
}

static void write_query(JsonWriter *writer, const HttpRequest *request)
{
    size_t count;
    if (request->query.size == 0)
        return;
    Parameter *parameters = read_parameters(request, &count);
    if (count == 0)
        return;
    json_write_name(writer, SLICE("queryStringParameters"));
    json_write_object_begin(writer);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        Slice value = parameters[i].value;
        Buffer joined = buffer_make(request->arena);
        for (; end < count && slice_equal(parameters[end].name, parameters[i].name); end++) {
            if (end == i + 1)
                buffer_add(&joined, value);
            buffer_add_byte(&joined, ',');
            buffer_add(&joined, parameters[end].value);
        }
        if (end > i + 1)
            value = buffer_slice(&joined);
        if (utf8_is_valid(parameters[i].name))
            write_member(writer, request->arena, parameters[i].name, value);
        i = end;
    }
    json_write_object_end(writer);
}

/* ---- The context ---- */

static void write_null(JsonWriter *writer, Slice name)
{
    json_write_name(writer, name);
    json_write_null(writer);
}

static void write_caller(JsonWriter *writer, Arena *arena, const Actor *caller)
{
    json_write_name(writer, SLICE("authorizer"));
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("iam"));
    json_write_object_begin(writer);
    write_member(writer, arena, SLICE("accessKey"), caller->access_key_id);
    write_member(writer, arena, SLICE("accountId"), caller->account);
    write_member(writer, arena, SLICE("callerId"), caller->principal_id);
    write_null(writer, SLICE("cognitoIdentity"));
    write_null(writer, SLICE("principalOrgId"));
    write_member(writer, arena, SLICE("userArn"), caller->principal_arn);
    write_member(writer, arena, SLICE("userId"), caller->principal_id);
    json_write_object_end(writer);
    json_write_object_end(writer);
}

/* 12/Mar/2020:19:03:58 +0000 */
static Slice common_log_time(Arena *arena, uint64_t wall_ms)
{
    char text[TIME_TEXT_MAX];
    Slice http = time_format_http((int64_t)wall_ms, text); /* Thu, 12 Mar 2020 19:03:58 GMT */
    return arena_format(arena, "%.2s/%.3s/%.4s:%.8s +0000", http.data + 5, http.data + 8, http.data + 12,
                        http.data + 17);
}

static void write_http(JsonWriter *writer, const HttpRequest *request)
{
    Slice agent = http_request_header(request, SLICE("user-agent"));
    json_write_name(writer, SLICE("http"));
    json_write_object_begin(writer);
    write_member(writer, request->arena, SLICE("method"), request->method);
    write_member(writer, request->arena, SLICE("path"), request->path);
    /* Whatever the client speaks: AWS takes what comes by other versions apart before the function sees it, too. */
    write_member(writer, request->arena, SLICE("protocol"), SLICE("HTTP/1.1"));
    write_member(writer, request->arena, SLICE("sourceIp"), url_event_source(request));
    if (agent.data != NULL)
        write_member(writer, request->arena, SLICE("userAgent"), agent);
    json_write_object_end(writer);
}

static void write_context(JsonWriter *writer, const UrlEvent *event)
{
    const HttpRequest *request = event->request;
    Arena *arena = request->arena;
    json_write_name(writer, SLICE("requestContext"));
    json_write_object_begin(writer);
    write_member(writer, arena, SLICE("accountId"),
                 event->caller == NULL ? SLICE("anonymous") : event->caller->account);
    write_member(writer, arena, SLICE("apiId"), event->url_id);
    if (event->caller != NULL)
        write_caller(writer, arena, event->caller);
    write_member(writer, arena, SLICE("domainName"), slice_make(request->host.data, slice_find(request->host, ':')));
    write_member(writer, arena, SLICE("domainPrefix"), event->url_id);
    write_http(writer, request);
    write_member(writer, arena, SLICE("requestId"), event->request_id);
    write_member(writer, arena, SLICE("routeKey"), SLICE("$default"));
    write_member(writer, arena, SLICE("stage"), SLICE("$default"));
    write_member(writer, arena, SLICE("time"), common_log_time(arena, event->wall_ms));
    json_write_name(writer, SLICE("timeEpoch"));
    json_write_uint64(writer, event->wall_ms);
    json_write_object_end(writer);
}

/* ---- The body ---- */

static bool starts_with_ignore_case(Slice text, Slice prefix)
{
    return text.size >= prefix.size && slice_equal_ignore_case(slice_make(text.data, prefix.size), prefix);
}

static bool ends_with_ignore_case(Slice text, Slice suffix)
{
    return text.size >= suffix.size && slice_equal_ignore_case(slice_skip(text, text.size - suffix.size), suffix);
}

static bool is_text(const HttpRequest *request)
{
    static const Slice types[] = {SLICE_INIT("application/json"), SLICE_INIT("application/xml"),
                                  SLICE_INIT("application/javascript")};
    Slice type = http_request_header(request, SLICE("content-type"));
    Slice essence = trimmed(slice_make(type.data, slice_find(type, ';')));
    if (http_request_header(request, SLICE("content-encoding")).data != NULL)
        return false;
    if (starts_with_ignore_case(essence, SLICE("text/")) || ends_with_ignore_case(essence, SLICE("+json")) ||
        ends_with_ignore_case(essence, SLICE("+xml")))
        return true;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_equal_ignore_case(essence, types[i]))
            return true;
    return false;
}

static void write_body(JsonWriter *writer, const UrlEvent *event)
{
    bool encoded = event->body.size > 0 && !(is_text(event->request) && utf8_is_valid(event->body));
    if (event->body.size > 0) {
        json_write_name(writer, SLICE("body"));
        json_write_string(writer, encoded ? base64_encode(event->request->arena, event->body) : event->body);
    }
    json_write_name(writer, SLICE("isBase64Encoded"));
    json_write_boolean(writer, encoded);
}

Slice url_event_write(const UrlEvent *event)
{
    enum { REST = 1024 }; /* of an event, beside its body and what came in the head */
    const HttpRequest *request = event->request;
    Buffer out = buffer_make(request->arena);
    buffer_reserve(&out, REST + event->body.size + event->body.size / 2);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_member(&writer, request->arena, SLICE("version"), SLICE("2.0"));
    write_member(&writer, request->arena, SLICE("routeKey"), SLICE("$default"));
    write_member(&writer, request->arena, SLICE("rawPath"), request->path);
    write_member(&writer, request->arena, SLICE("rawQueryString"), request->query);
    write_cookies(&writer, request);
    write_headers(&writer, event);
    write_query(&writer, request);
    write_context(&writer, event);
    write_body(&writer, event);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

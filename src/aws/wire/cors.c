#include "aws/wire/cors.h"

static const Slice max_age_s = SLICE_INIT("7200");

/* The host of "scheme://host:port". */
static Slice origin_host(Slice origin)
{
    for (size_t i = 0; i + 2 < origin.size; i++) {
        if (memcmp(origin.data + i, "://", 3) != 0)
            continue;
        Slice host = slice_skip(origin, i + 3);
        if (host.size > 0 && host.data[0] == '[')
            return slice_make(host.data, slice_find(host, ']') + 1 <= host.size ? slice_find(host, ']') + 1 : 0);
        return slice_make(host.data, slice_find(host, ':'));
    }
    return (Slice){0};
}

/* 127.0.0.0/8 in dotted form: a name such as 127.0.0.1.example is somebody else's. */
static bool is_loopback_address(Slice host)
{
    if (!slice_starts_with(host, SLICE("127.")))
        return false;
    for (size_t i = 0; i < host.size; i++)
        if ((host.data[i] < '0' || host.data[i] > '9') && host.data[i] != '.')
            return false;
    return true;
}

static bool is_loopback(Slice origin)
{
    Slice host = origin_host(origin);
    return slice_equal(host, SLICE("localhost")) || slice_ends_with(host, SLICE(".localhost")) ||
           slice_equal(host, SLICE("[::1]")) || is_loopback_address(host);
}

bool cors_allows(const WireOptions *options, const HttpRequest *request, Slice origin)
{
    if (options->auth_mode == AUTH_SIGNED)
        return true;
    if (origin.data == NULL)
        return !slice_equal(http_request_header(request, SLICE("sec-fetch-site")), SLICE("cross-site"));
    if (is_loopback(origin))
        return true;
    for (size_t i = 0; i < options->origin_count; i++)
        if (slice_equal(options->origins[i], SLICE("*")) || slice_equal(options->origins[i], origin))
            return true;
    return false;
}

static bool ends_with_ignore_case(Slice text, Slice suffix)
{
    return text.size >= suffix.size && slice_equal_ignore_case(slice_skip(text, text.size - suffix.size), suffix);
}

/* An address cannot be made to stand for another. Nor can a name whose last part is a number, such as "sync-127.0.0.1", which
 * SDKs make of an address: no domain ends so (RFC 3696, section 2), and browsers take it for an address that is none (URL
 * standard, "ends in a number checker"). */
static bool ends_in_number(Slice name)
{
    size_t last = name.size;
    while (last > 0 && name.data[last - 1] >= '0' && name.data[last - 1] <= '9')
        last--;
    return last < name.size && (last == 0 || name.data[last - 1] == '.');
}

bool cors_allows_host(const WireOptions *options, Slice host)
{
    static const Slice endings[] = {SLICE_INIT(".localhost"), SLICE_INIT(".internal"),
                                    SLICE_INIT(".test"),      SLICE_INIT(".amazonaws.com"),
                                    SLICE_INIT(".api.aws"),   SLICE_INIT(".amazonaws.com.cn")};
    if (options->auth_mode == AUTH_SIGNED || (host.size > 0 && host.data[0] == '['))
        return true;
    Slice name = slice_make(host.data, slice_find(host, ':'));
    if (name.size > 0 && name.data[name.size - 1] == '.')
        name.size--; /* the root's dot */
    if (slice_find(name, '.') == name.size || ends_in_number(name))
        return true;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_with_ignore_case(name, endings[i]))
            return true;
    for (size_t i = 0; i < options->origin_count; i++)
        if (slice_equal(options->origins[i], SLICE("*")) ||
            slice_equal_ignore_case(origin_host(options->origins[i]), name))
            return true;
    return false;
}

bool cors_is_preflight(const HttpRequest *request)
{
    return slice_equal(request->method, SLICE("OPTIONS")) &&
           http_request_header(request, SLICE("access-control-request-method")).data != NULL;
}

void cors_answer_preflight(HttpRequest *request, Slice origin)
{
    Slice asked = http_request_header(request, SLICE("access-control-request-headers"));
    HttpHeader headers[] = {
        {SLICE("access-control-allow-origin"), origin},
        {SLICE("access-control-allow-methods"), SLICE("GET, HEAD, POST, PUT, PATCH, DELETE")},
        {SLICE("access-control-max-age"), max_age_s},
        {SLICE("vary"), SLICE("origin")},
        {SLICE("access-control-allow-headers"), asked},
    };
    size_t count = sizeof headers / sizeof headers[0] - (asked.data == NULL);
    http_respond(request, &(HttpResponse){.status = 200, .headers = headers, .header_count = count});
}

size_t cors_headers(Slice origin, HttpHeader headers[CORS_HEADERS_MAX])
{
    if (origin.data == NULL)
        return 0;
    headers[0] = (HttpHeader){SLICE("access-control-allow-origin"), origin};
    headers[1] = (HttpHeader){SLICE("access-control-expose-headers"),
                              SLICE("x-amzn-requestid, x-amzn-errortype, x-amzn-query-error, x-amz-request-id, date")};
    headers[2] = (HttpHeader){SLICE("vary"), SLICE("origin")};
    return CORS_HEADERS_MAX;
}

#include "aws/lambda/url_cors.h"

#include "base/buffer.h"

static bool has(const SliceList *list, Slice item)
{
    for (size_t i = 0; i < list->count; i++)
        if (slice_equal(list->items[i], item))
            return true;
    return false;
}

static bool allows_origin(const FunctionUrlCors *cors, Slice origin)
{
    if (has(&cors->origins, SLICE("*")))
        return true;
    for (size_t i = 0; i < cors->origins.count; i++)
        if (slice_equal_ignore_case(cors->origins.items[i], origin))
            return true;
    return false;
}

static Slice joined(Arena *arena, const SliceList *list)
{
    Buffer out = buffer_make(arena);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            buffer_add_byte(&out, ',');
        buffer_add(&out, list->items[i]);
    }
    return buffer_slice(&out);
}

bool url_cors_is_preflight(const HttpRequest *request)
{
    return slice_equal(request->method, SLICE("OPTIONS")) &&
           http_request_header(request, SLICE("origin")).data != NULL &&
           http_request_header(request, SLICE("access-control-request-method")).data != NULL;
}

size_t url_cors_fields(const HttpRequest *request, const FunctionUrlCors *cors, HttpHeader *fields)
{
    Slice origin = http_request_header(request, SLICE("origin"));
    size_t count = 0;
    if (origin.data == NULL || !allows_origin(cors, origin))
        return 0;
    bool credentials = cors->has_credentials && cors->credentials;
    /* A page that sends credentials is named: "*" does not do then. */
    bool named = credentials || !has(&cors->origins, SLICE("*"));
    fields[count++] = (HttpHeader){SLICE("access-control-allow-origin"), named ? origin : SLICE("*")};
    if (named)
        fields[count++] = (HttpHeader){SLICE("vary"), SLICE("Origin")};
    if (credentials)
        fields[count++] = (HttpHeader){SLICE("access-control-allow-credentials"), SLICE("true")};
    if (!url_cors_is_preflight(request)) {
        if (cors->exposed_headers.count > 0)
            fields[count++] =
                (HttpHeader){SLICE("access-control-expose-headers"), joined(request->arena, &cors->exposed_headers)};
        return count;
    }
    if (cors->methods.count > 0)
        fields[count++] = (HttpHeader){SLICE("access-control-allow-methods"), joined(request->arena, &cors->methods)};
    if (cors->headers.count > 0)
        fields[count++] = (HttpHeader){SLICE("access-control-allow-headers"), joined(request->arena, &cors->headers)};
    if (cors->has_max_age)
        fields[count++] = (HttpHeader){SLICE("access-control-max-age"),
                                       arena_format(request->arena, "%llu", (unsigned long long)cors->max_age_s)};
    return count;
}

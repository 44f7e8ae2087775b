#include "aws/lambda/url_answer.h"

#include "base/digest.h"
#include "base/json.h"

enum {
    STATUS_MIN = 200, /* a final answer's (RFC 9110, section 15) */
    STATUS_MAX = 599,
    HEADERS_MAX = 256, /* of one answer; our own bound */
    FIELD_BYTES = 32,  /* that a field counts besides its name and value (RFC 9113, section 6.5.2) */
};

/* The members of a handler's answer that mean something, as JSON text; absent: not there. */
typedef struct Members {
    Slice status;
    Slice headers;
    Slice cookies;
    Slice body;
    Slice encoded;
} Members;

typedef struct Fields {
    Arena *arena;
    HttpHeader items[HEADERS_MAX];
    size_t count;
    uint64_t bytes_left;
    bool has_type;
    bool replace_cors;
} Fields;

static Error read_members(Arena *arena, Slice document, Members *members)
{
    JsonReader reader = json_reader(document, arena);
    Slice name;
    Slice value;
    TRY(json_begin_object(&reader));
    for (;;) {
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return json_read_end(&reader);
        TRY(json_read_any(&reader, &value));
        if (slice_equal(name, SLICE("statusCode")))
            members->status = value;
        else if (slice_equal(name, SLICE("headers")))
            members->headers = value;
        else if (slice_equal(name, SLICE("cookies")))
            members->cookies = value;
        else if (slice_equal(name, SLICE("body")))
            members->body = value;
        else if (slice_equal(name, SLICE("isBase64Encoded")))
            members->encoded = value;
    }
}

static bool is_absent(Slice json)
{
    return json.data == NULL || slice_equal(json, SLICE("null"));
}

/* ---- The status ---- */

/* A number, or one in a string. */
static Error read_status(Slice json, int *status)
{
    uint64_t number;
    if (json.size > 2 && json.data[0] == '"')
        json = slice_make(json.data + 1, json.size - 2);
    if (!slice_parse_uint64(json, &number) || number < STATUS_MIN || number > STATUS_MAX)
        return ERROR_MALFORMED;
    *status = (int)number;
    return OK;
}

/* ---- The fields ---- */

static bool is_token(Slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        if (!plain)
            return false;
    }
    return text.size > 0;
}

/* No line of a head ends in a value. */
static bool is_value(Slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (((unsigned char)text.data[i] < ' ' && text.data[i] != '\t') || text.data[i] == 0x7F)
            return false;
    return true;
}

/* Fields that belong to the connection, or that the server sets itself: AWS gives them other names. */
static bool is_remapped(Slice name)
{
    static const Slice names[] = {SLICE_INIT("connection"),
                                  SLICE_INIT("content-length"),
                                  SLICE_INIT("date"),
                                  SLICE_INIT("host"),
                                  SLICE_INIT("keep-alive"),
                                  SLICE_INIT("server"),
                                  SLICE_INIT("te"),
                                  SLICE_INIT("trailer"),
                                  SLICE_INIT("transfer-encoding"),
                                  SLICE_INIT("upgrade"),
                                  SLICE_INIT("proxy-authenticate"),
                                  SLICE_INIT("www-authenticate")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(name, names[i]))
            return true;
    return false;
}

/* Fields that name the request: a handler does not say which it was. */
static bool names_request(Slice name)
{
    return slice_equal(name, SLICE("x-amzn-requestid")) || slice_equal(name, SLICE("x-amzn-trace-id"));
}

static Error add_field(Fields *fields, Slice name, Slice value)
{
    if (fields->count == HEADERS_MAX || !is_token(name) || !is_value(value))
        return ERROR_MALFORMED;
    name = arena_lower(fields->arena, name);
    if (names_request(name) || (fields->replace_cors && slice_starts_with(name, SLICE("access-control-"))))
        return OK;
    if (slice_equal(name, SLICE("content-type")))
        fields->has_type = true;
    if (is_remapped(name))
        name = arena_format(fields->arena, "x-amzn-remapped-%.*s", SLICE_PRINT(name));
    uint64_t size = name.size + value.size + FIELD_BYTES;
    if (size > fields->bytes_left)
        return ERROR_MALFORMED;
    fields->bytes_left -= size;
    fields->items[fields->count++] = (HttpHeader){name, value};
    return OK;
}

/* A string as it is, numbers and booleans as their text; `value` absent: null. */
static Error read_scalar(JsonReader *reader, Slice *value)
{
    JsonType type;
    TRY(json_peek(reader, &type));
    if (type == JSON_STRING)
        return json_read_string(reader, value);
    TRY(json_read_any(reader, value));
    if (type == JSON_NULL)
        *value = (Slice){0};
    return type == JSON_ARRAY || type == JSON_OBJECT ? ERROR_MALFORMED : OK;
}

static Error read_headers(Fields *fields, Slice json)
{
    JsonReader reader = json_reader(json, fields->arena);
    Slice name;
    Slice value;
    if (is_absent(json))
        return OK;
    TRY(json_begin_object(&reader));
    for (;;) {
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return OK;
        TRY(read_scalar(&reader, &value));
        if (value.data != NULL)
            TRY(add_field(fields, name, value));
    }
}

static Error read_cookies(Fields *fields, Slice json)
{
    JsonReader reader = json_reader(json, fields->arena);
    Slice cookie;
    if (is_absent(json))
        return OK;
    TRY(json_begin_array(&reader));
    for (bool more;;) {
        TRY(json_next_element(&reader, &more));
        if (!more)
            return OK;
        TRY(json_read_string(&reader, &cookie));
        TRY(add_field(fields, SLICE("set-cookie"), cookie));
    }
}

static Error read_fields(Arena *arena, const Members *members, Slice default_type, const UrlFields *more,
                         HttpResponse *response)
{
    Fields *fields = ARENA_NEW(arena, Fields);
    fields->arena = arena;
    fields->replace_cors = more->replace_cors;
    fields->bytes_left = more->head_bytes;
    TRY(read_headers(fields, members->headers));
    TRY(read_cookies(fields, members->cookies));
    if (!fields->has_type)
        TRY(add_field(fields, SLICE("content-type"), default_type));
    for (size_t i = 0; i < more->count && fields->count < HEADERS_MAX; i++)
        fields->items[fields->count++] = more->items[i];
    response->headers = fields->items;
    response->header_count = fields->count;
    return OK;
}

/* ---- The body ---- */

/* Text, bytes in base64, or JSON that was not made text of. */
static Error read_body(Arena *arena, const Members *members, Slice *body)
{
    *body = SLICE("");
    if (is_absent(members->body))
        return OK;
    if (members->body.data[0] != '"') {
        *body = members->body;
        return OK;
    }
    JsonReader reader = json_reader(members->body, arena);
    TRY(json_read_string(&reader, body));
    return slice_equal(members->encoded, SLICE("true")) ? base64_decode(arena, *body, body) : OK;
}

static bool is_object(Slice json)
{
    size_t i = 0;
    while (i < json.size && strchr(" \t\r\n", json.data[i]) != NULL && json.data[i] != '\0')
        i++;
    return i < json.size && json.data[i] == '{';
}

Error url_answer_read(Arena *arena, Slice result, const UrlFields *fields, HttpResponse *response)
{
    Members members = {0};
    *response = (HttpResponse){.status = 200};
    if (is_object(result))
        TRY(read_members(arena, result, &members));
    else
        TRY(json_check(result));
    if (members.status.data == NULL) {
        /* An answer is inferred of it: the members, if it has any, mean nothing. */
        response->body = result;
        return read_fields(arena, &(Members){0}, SLICE("application/json"), fields, response);
    }
    TRY(read_status(members.status, &response->status));
    TRY(read_body(arena, &members, &response->body));
    return read_fields(arena, &members, SLICE("application/json"), fields, response);
}

Error url_answer_read_prelude(Arena *arena, Slice prelude, Slice content_type, const UrlFields *fields,
                              HttpResponse *response)
{
    Members members = {0};
    *response = (HttpResponse){.status = 200};
    if (prelude.data != NULL) {
        TRY(read_members(arena, prelude, &members));
        content_type = (Slice){0}; /* it says that there is a prelude */
    }
    if (members.status.data != NULL)
        TRY(read_status(members.status, &response->status));
    return read_fields(arena, &members, content_type.size > 0 ? content_type : SLICE("application/octet-stream"),
                       fields, response);
}

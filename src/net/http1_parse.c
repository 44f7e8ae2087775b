#include "net/http_internal.h"

#include "base/bug.h"

/* llhttp's strict tables must be compiled: the others let bare line feeds and stray spaces pass. */
_Static_assert(LLHTTP_STRICT_MODE == 1, "compile with -DLLHTTP_STRICT_MODE=1");

/* ---- llhttp's events ---- */

typedef struct HeadEvents {
    HttpHeader *headers;
    size_t count;
    size_t most;
    Slice method;
    Slice target;
    bool too_many;
} HeadEvents;

static int on_method(llhttp_t *parser, const char *at, size_t size)
{
    HeadEvents *events = parser->data;
    events->method = slice_make(at, size);
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t size)
{
    HeadEvents *events = parser->data;
    events->target = slice_make(at, size);
    return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t size)
{
    HeadEvents *events = parser->data;
    if (events->count == events->most) {
        events->too_many = true;
        return HPE_USER;
    }
    events->headers[events->count++] = (HttpHeader){.name = {at, size}, .value = {"", 0}};
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t size)
{
    HeadEvents *events = parser->data;
    Slice *value = &events->headers[events->count - 1].value;
    /* The whole head is parsed at once, so that a value comes in one piece, or in adjoining ones. */
    *value = value->size == 0 ? slice_make(at, size) : slice_make(value->data, (size_t)(at + size - value->data));
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t head_settings = {
    .on_method = on_method,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
};

typedef struct ChunkEvents {
    Slice data;
    bool end;
} ChunkEvents;

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    ChunkEvents *events = parser->data;
    events->data = slice_make(at, size);
    return HPE_PAUSED;
}

static int on_message_complete(llhttp_t *parser)
{
    ChunkEvents *events = parser->data;
    events->end = true;
    return HPE_PAUSED;
}

/* Trailers are read and dropped: nothing of ours asks for any. */
static const llhttp_settings_t chunk_settings = {
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- The head ---- */

static Http1Found refuse(HttpRefusal *refusal, int status, const char *why)
{
    *refusal = (HttpRefusal){status, why};
    return HTTP1_BAD;
}

/* Looks for the empty line, checking what llhttp leaves open: each line ends in CR LF, no CR stands elsewhere, and
 * none is folded (RFC 9112, 2.2 and 5.2). Goes on where it stopped when more has come. */
static Http1Found find_head(HttpConnection *connection, size_t *size, HttpRefusal *refusal)
{
    size_t most = connection->on->server->limits.value[LIMIT_NET_HEADER_BYTES];
    while (connection->scanned == 0 && http_input_size(connection) >= 2 && memcmp(connection->input, "\r\n", 2) == 0)
        connection->input += 2; /* an empty line before a request is ignored */
    const char *start = connection->input;
    if (start == connection->input_end)
        return HTTP1_MORE;
    if (connection->scanned == 0 && http_token_lower[(unsigned char)*start] == '\0' && *start != '\r')
        return refuse(refusal, 400, "this is no HTTP request");
    for (;;) {
        const char *line = start + connection->scanned;
        size_t left = (size_t)(connection->input_end - line);
        const char *feed = left == 0 ? NULL : memchr(line, '\n', left);
        size_t seen = (size_t)((feed == NULL ? connection->input_end : feed + 1) - start);
        if (seen > most)
            return connection->scanned == 0 ? refuse(refusal, 414, "the request's target is too long")
                                            : refuse(refusal, 431, "the request's head is too long");
        if (feed == NULL)
            return HTTP1_MORE;
        if (feed == line || memchr(line, '\r', (size_t)(feed - line)) != feed - 1)
            return refuse(refusal, 400, "a line of the head does not end in CR LF");
        if (feed == line + 1) {
            if (connection->scanned == 0)
                return refuse(refusal, 400, "the request line is missing");
            *size = seen;
            return HTTP1_FOUND;
        }
        if (connection->scanned > 0 && (*line == ' ' || *line == '\t'))
            return refuse(refusal, 400, "a field of the head is folded over lines");
        connection->scanned = seen;
    }
}

/* Whether " HTTP/" DIGIT "." DIGIT CR follows the target. */
static bool has_version(Slice target)
{
    const char *at = target.data == NULL ? "" : target.data + target.size;
    return strncmp(at, " HTTP/", 6) == 0 && at[6] >= '0' && at[6] <= '9' && at[7] == '.' && at[8] >= '0' &&
           at[8] <= '9' && at[9] == '\r';
}

static Http1Found refuse_by_llhttp(llhttp_t *parser, const HeadEvents *events, Slice head, HttpRefusal *refusal)
{
    if (events->too_many)
        return refuse(refusal, 431, "the request has too many header fields");
    switch (llhttp_get_errno(parser)) {
    case HPE_INVALID_METHOD:
        if (http_is_token(slice_make(head.data, slice_find(head, ' '))))
            return refuse(refusal, 501, "the method is not known");
        return refuse(refusal, 400, "the method is malformed");
    case HPE_INVALID_VERSION:
        if (!has_version(events->target))
            return refuse(refusal, 400, "the request line is malformed");
        return refuse(refusal, 505, "the version of HTTP is not supported");
    case HPE_PAUSED_H2_UPGRADE:
        return refuse(refusal, 505, "the version of HTTP is not supported");
    case HPE_PAUSED_UPGRADE:
        return refuse(refusal, 501, "the method is not supported");
    case HPE_OK:
        if (slice_starts_with(head, SLICE("PRI * HTTP/2.0\r\n")))
            return refuse(refusal, 505, "the version of HTTP is not supported");
        return refuse(refusal, 400, "the request's head is malformed");
    default:
        return refuse(refusal, 400, llhttp_get_error_reason(parser));
    }
}

/* What the fields of a head say about the message itself. */
typedef struct HeadFacts {
    unsigned hosts;
    unsigned lengths;
    unsigned codings;
    unsigned expectations;
    Slice host;
    Slice length;
    Slice coding;
    Slice expectation;
} HeadFacts;

static void note_fact(HeadFacts *facts, const HttpHeader *header)
{
    const struct {
        Slice name;
        unsigned *count;
        Slice *value;
    } notable[] = {
        {SLICE("host"), &facts->hosts, &facts->host},
        {SLICE("content-length"), &facts->lengths, &facts->length},
        {SLICE("transfer-encoding"), &facts->codings, &facts->coding},
        {SLICE("expect"), &facts->expectations, &facts->expectation},
    };
    for (size_t i = 0; i < sizeof notable / sizeof *notable; i++) {
        if (slice_equal(header->name, notable[i].name)) {
            ++*notable[i].count;
            *notable[i].value = header->value;
        }
    }
}

static Slice trim(Slice value)
{
    while (value.size > 0 && (value.data[0] == ' ' || value.data[0] == '\t'))
        value = slice_skip(value, 1);
    while (value.size > 0 && (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t'))
        value.size--;
    return value;
}

/* Checks names and values, lowers the names in place (the head is ours) and trims the values. */
static bool clean_fields(HttpHeader *headers, size_t count, HeadFacts *facts)
{
    for (size_t i = 0; i < count; i++) {
        char *name = (char *)headers[i].name.data;
        for (size_t at = 0; at < headers[i].name.size; at++) {
            name[at] = http_token_lower[(unsigned char)name[at]];
            if (name[at] == '\0')
                return false;
        }
        if (headers[i].name.size == 0 || name[headers[i].name.size] != ':')
            return false;
        headers[i].value = trim(headers[i].value);
        note_fact(facts, &headers[i]);
    }
    return true;
}

/* Decides how the body is framed; refuses every doubt (RFC 9112, 6.1 and 6.3). */
static Http1Found frame_body(HttpExchange *exchange, const HeadFacts *facts, HttpRefusal *refusal)
{
    exchange->has_length = facts->codings == 0;
    if (facts->codings > 0) {
        if (facts->lengths > 0)
            return refuse(refusal, 400, "content-length and transfer-encoding together");
        if (exchange->http10)
            return refuse(refusal, 400, "transfer-encoding with HTTP/1.0");
        if (facts->codings > 1 || !slice_equal_ignore_case(facts->coding, SLICE("chunked")))
            return refuse(refusal, 501, "the only transfer-encoding supported is chunked");
    } else if (facts->lengths > 1) {
        return refuse(refusal, 400, "more than one content-length");
    } else if (facts->lengths == 1 && !slice_parse_uint64(facts->length, &exchange->left)) {
        return refuse(refusal, 400, "content-length is no number");
    }
    if (facts->expectations > 0 && !exchange->http10) {
        if (facts->expectations > 1 || !slice_equal_ignore_case(facts->expectation, SLICE("100-continue")))
            return refuse(refusal, 417, "the only expectation supported is 100-continue");
        exchange->expects_continue = facts->codings > 0 || exchange->left > 0;
    }
    return HTTP1_FOUND;
}

/* Runs llhttp over the head and cleans what it found: the request line's parts are checked, fields are lowered. */
static Http1Found read_lines(HttpExchange *exchange, Slice head, llhttp_t *parser, HeadEvents *events, HeadFacts *facts,
                             HttpRefusal *refusal)
{
    llhttp_init(parser, HTTP_REQUEST, &head_settings);
    parser->data = events;
    llhttp_errno_t stopped = llhttp_execute(parser, head.data, head.size);
    parser->data = NULL;
    if (stopped != HPE_PAUSED || llhttp_get_error_pos(parser) != head.data + head.size)
        return refuse_by_llhttp(parser, events, head, refusal);
    /* llhttp reads request lines of HTTP/0.9, RTSP and ICE too, and takes more than one space before the target. */
    if (!has_version(events->target) || events->target.data != events->method.data + events->method.size + 1)
        return refuse(refusal, 400, "the request line is malformed");
    if (parser->http_major != 1)
        return refuse(refusal, 505, "the version of HTTP is not supported");
    if (slice_equal(events->method, SLICE("CONNECT")))
        return refuse(refusal, 501, "CONNECT is not supported");
    if (memchr(head.data, '\0', head.size) != NULL || !clean_fields(events->headers, events->count, facts))
        return refuse(refusal, 400, "a header field is malformed");
    exchange->http10 = parser->http_minor == 0;
    if (facts->hosts > 1 || (facts->hosts == 0 && !exchange->http10) || !http_is_host(facts->host))
        return refuse(refusal, 400, "there must be one valid host field");
    return HTTP1_FOUND;
}

static Http1Found read_head(HttpExchange *exchange, Slice head, HttpRefusal *refusal)
{
    HttpServerLoop *on = exchange->connection->on;
    HttpRequest *request = &exchange->request;
    HeadEvents events = {.headers = on->header_scratch, .most = on->server->limits.value[LIMIT_NET_HEADER_COUNT]};
    HeadFacts facts = {0};
    llhttp_t parser;
    if (read_lines(exchange, head, &parser, &events, &facts, refusal) != HTTP1_FOUND)
        return HTTP1_BAD;

    request->method = events.method;
    request->target = events.target;
    if (!http_split_target(request, facts.host))
        return refuse(refusal, 400, "the request's target is malformed");
    HttpHeader *headers = arena_alloc(&exchange->arena, sizeof(HttpHeader) * events.count);
    if (events.count > 0)
        memcpy(headers, events.headers, sizeof(HttpHeader) * events.count);
    request->headers = headers;
    request->header_count = events.count;

    exchange->is_head = slice_equal(request->method, SLICE("HEAD"));
    exchange->close =
        (parser.flags & F_CONNECTION_CLOSE) != 0 || (exchange->http10 && (parser.flags & F_CONNECTION_KEEP_ALIVE) == 0);
    if (frame_body(exchange, &facts, refusal) != HTTP1_FOUND)
        return HTTP1_BAD;
    if (!exchange->has_length) {
        exchange->chunked = arena_alloc(&exchange->arena, sizeof parser);
        *exchange->chunked = parser;
        exchange->chunked->settings = (void *)&chunk_settings;
        exchange->chunked->upgrade = 0;
        llhttp_resume(exchange->chunked);
    }
    return HTTP1_FOUND;
}

Http1Found http1_parse_head(HttpConnection *connection, HttpExchange **exchange, HttpRefusal *refusal)
{
    size_t size;
    Http1Found found = find_head(connection, &size, refusal);
    if (found != HTTP1_FOUND)
        return found;
    HttpExchange *made = http_exchange_make(connection);
    Slice head = arena_copy(&made->arena, slice_make(connection->input, size));
    connection->input += size;
    connection->scanned = 0;
    found = size <= HTTP_LARGE_HEAD_BYTES || http_request_grew(made, size)
                ? read_head(made, head, refusal)
                : refuse(refusal, 503, "too many large requests are being read");
    if (found == HTTP1_FOUND)
        *exchange = made;
    else
        http_exchange_free(made);
    return found;
}

/* ---- The chunks of a body ---- */

/* llhttp takes a bare line feed for the end of the trailers and lets extensions hold any byte; here lines of the framing
 * end in CR LF, no CR stands elsewhere, no line is folded, and there are no NULs. */
static bool framing_is_strict(HttpExchange *exchange, Slice framing)
{
    char last = exchange->framing_last;
    for (size_t i = 0; i < framing.size; i++) {
        char byte = framing.data[i];
        if ((byte == '\n') != (last == '\r') || byte == '\0' || (last == '\n' && (byte == ' ' || byte == '\t')))
            return false;
        last = byte;
    }
    exchange->framing_last = last;
    return true;
}

Http1Chunk http1_parse_chunk(HttpExchange *exchange, Slice *data)
{
    HttpConnection *connection = exchange->connection;
    llhttp_t *parser = exchange->chunked;
    size_t size = http_input_size(connection);
    if (size == 0)
        return HTTP1_CHUNK_MORE;
    ChunkEvents events = {0};
    parser->data = &events;
    llhttp_errno_t stopped = llhttp_execute(parser, connection->input, size);
    parser->data = NULL;
    size_t used = size;
    if (stopped == HPE_PAUSED) {
        used = (size_t)(llhttp_get_error_pos(parser) - connection->input);
        llhttp_resume(parser);
    } else if (stopped != HPE_OK) {
        return HTTP1_CHUNK_BAD;
    }
    if (!framing_is_strict(exchange, slice_make(connection->input, used - events.data.size)))
        return HTTP1_CHUNK_BAD;
    connection->input += used;
    /* Chunk extensions and trailers are read, but not without end. */
    exchange->framing = events.data.size > 0 ? 0 : exchange->framing + used;
    if (exchange->framing > HTTP_CHUNK_FRAMING_BYTES && !events.end)
        return HTTP1_CHUNK_BAD;
    *data = events.data;
    return events.end ? HTTP1_CHUNK_END : events.data.size > 0 ? HTTP1_CHUNK_DATA : HTTP1_CHUNK_MORE;
}

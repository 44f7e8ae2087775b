#include "runtime/runtime_api_internal.h"

#include "base/bug.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* llhttp's strict tables must be compiled: the others let bare line feeds and stray spaces pass. */
_Static_assert(LLHTTP_STRICT_MODE == 1, "compile with -DLLHTTP_STRICT_MODE=1");

static const Slice field_names[API_FIELDS] = {
    [API_FIELD_MODE] = SLICE_INIT("lambda-runtime-function-response-mode"),
    [API_FIELD_CONTENT_TYPE] = SLICE_INIT("content-type"),
    [API_FIELD_ERROR_TYPE] = SLICE_INIT("lambda-runtime-function-error-type"),
    [API_FIELD_ERROR_BODY] = SLICE_INIT("lambda-runtime-function-error-body"),
    [API_FIELD_EXPECT] = SLICE_INIT("expect"),
    [API_FIELD_EXTENSION_NAME] = SLICE_INIT("lambda-extension-name"),
    [API_FIELD_EXTENSION_ID] = SLICE_INIT("lambda-extension-identifier"),
    [API_FIELD_EXTENSION_FEATURE] = SLICE_INIT("lambda-extension-accept-feature"),
    [API_FIELD_EXTENSION_ERROR] = SLICE_INIT("lambda-extension-function-error-type"),
};

/* ---- A request taken apart: llhttp's events ---- */

static void forget_request(ApiConnection *connection)
{
    connection->has_begun = connection->complete = connection->has_head = false;
    connection->head_bytes = connection->target_size = connection->name_size = 0;
    connection->in_value = connection->streams = connection->too_large = connection->in_prelude = false;
    connection->field = API_FIELD_OTHER;
    for (size_t i = 0; i < API_FIELDS; i++)
        api_bytes_free(&connection->fields[i]);
    api_bytes_take(&connection->body, api_bytes_left(&connection->body).size);
}

/* Heads are bounded: what does not matter is not kept, but it is not read without end either. */
static int count_head(ApiConnection *connection, size_t size)
{
    connection->head_bytes += size;
    return connection->head_bytes > API_HEAD_BYTES ? HPE_USER : 0;
}

static int on_begin(llhttp_t *parser)
{
    ApiConnection *connection = parser->data;
    connection->has_begun = true;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t size)
{
    ApiConnection *connection = parser->data;
    if (size > API_TARGET_BYTES - connection->target_size)
        return HPE_USER;
    memcpy(connection->target + connection->target_size, at, size);
    connection->target_size += size;
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t size)
{
    ApiConnection *connection = parser->data;
    if (connection->in_value) {
        connection->in_value = false;
        connection->name_size = 0;
    }
    /* A name that is too long is none of ours. */
    size_t kept = API_FIELD_BYTES - connection->name_size;
    kept = kept < size ? kept : size;
    memcpy(connection->name + connection->name_size, at, kept);
    connection->name_size += kept;
    return count_head(connection, size);
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    ApiConnection *connection = parser->data;
    if (!connection->in_value) {
        connection->in_value = true;
        connection->field = API_FIELD_OTHER;
        for (ApiField field = 0; field < API_FIELDS; field++) {
            if (slice_equal_ignore_case(slice_make(connection->name, connection->name_size), field_names[field]))
                connection->field = field;
        }
        if (connection->field != API_FIELD_OTHER)
            api_bytes_free(&connection->fields[connection->field]); /* of two, the last */
    }
    if (connection->field != API_FIELD_OTHER) {
        ApiBytes *kept = &connection->fields[connection->field];
        size_t most = connection->field == API_FIELD_ERROR_BODY ? API_TRAILER_BYTES : API_FIELD_BYTES;
        if (kept->size + size <= most)
            api_bytes_add(kept, slice_make(at, size));
    }
    return count_head(connection, size);
}

static int on_headers_complete(llhttp_t *parser)
{
    ApiConnection *connection = parser->data;
    connection->has_head = true;
    parser->upgrade = 0; /* to another protocol: the offer is not taken */
    api_route(connection);
    if (slice_equal_ignore_case(api_field(connection, API_FIELD_EXPECT), SLICE("100-continue")))
        api_bytes_add(&connection->output, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
    if (connection->streams)
        api_stream_begin(connection);
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    ApiConnection *connection = parser->data;
    if (connection->call == API_CALL_REFUSED)
        return 0;
    if (connection->streams) {
        api_stream_piece(connection, slice_make(at, size));
    } else if (size > API_PAYLOAD_BYTES - api_bytes_left(&connection->body).size) {
        connection->too_large = true;
        api_bytes_free(&connection->body);
    } else if (!connection->too_large) {
        api_bytes_add(&connection->body, slice_make(at, size));
    }
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    ApiConnection *connection = parser->data;
    connection->complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t request_settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

Slice api_field(const ApiConnection *connection, ApiField field)
{
    return api_bytes_left(&connection->fields[field]);
}

/* ---- Connections ---- */

void api_connection_open(Api *api, ApiConnection *connection, int file)
{
    *connection = (ApiConnection){.api = api, .file = file};
    llhttp_init(&connection->parser, HTTP_REQUEST, &request_settings);
    connection->parser.data = connection;
}

void api_connection_close(ApiConnection *connection)
{
    if (connection->has_head && !connection->complete && connection->streams)
        api_stream_break(connection);
    forget_request(connection);
    api_bytes_free(&connection->input);
    api_bytes_free(&connection->output);
    api_bytes_free(&connection->body);
    close(connection->file);
    connection->file = -1;
    connection->waits = false;
    if (connection->extension != NULL) {
        connection->extension->connection = NULL;
        if (connection->extension->state == EXTENSION_WAITING)
            connection->extension->state = EXTENSION_REGISTERED; /* it has to ask again */
        connection->extension = NULL;
    }
}

bool api_connection_reads(const ApiConnection *connection)
{
    bool is_behind = connection->has_head && connection->streams &&
                     api_bytes_left(&connection->api->output).size > API_BACKLOG_BYTES;
    return !connection->waits && !connection->last && !is_behind && api_bytes_left(&connection->input).size == 0 &&
           (connection->has_head || api_bytes_left(&connection->output).size == 0);
}

bool api_connection_writes(const ApiConnection *connection)
{
    return api_bytes_left(&connection->output).size > 0 ||
           (api_bytes_left(&connection->input).size > 0 && !connection->waits);
}

/* No HTTP, or a head without end: the rest cannot be told from it. */
static void refuse_bytes(ApiConnection *connection)
{
    if (connection->has_head && connection->streams)
        api_stream_break(connection);
    connection->last = true;
    api_respond(connection, (ApiAnswer){400, "InvalidRequest", SLICE("The request is not valid HTTP/1.1")});
}

/* Takes apart what has come, up to the end of a request, and gives what is left. */
static Slice parse(ApiConnection *connection, Slice bytes)
{
    llhttp_t *parser = &connection->parser;
    llhttp_errno_t stopped = llhttp_execute(parser, bytes.data, bytes.size);
    if (stopped == HPE_OK)
        return (Slice){0};
    Slice left = slice_skip(bytes, (size_t)(llhttp_get_error_pos(parser) - bytes.data));
    if (stopped != HPE_PAUSED) {
        refuse_bytes(connection);
        return (Slice){0};
    }
    connection->last = llhttp_should_keep_alive(parser) == 0;
    llhttp_resume(parser);
    api_perform(connection);
    return left;
}

/* Works through what has come for as long as each request can be answered at once. */
static void take_apart(ApiConnection *connection, Slice bytes)
{
    while (bytes.size > 0 && connection->file >= 0 && !connection->waits && !connection->last &&
           api_bytes_left(&connection->output).size == 0)
        bytes = parse(connection, bytes);
    if (bytes.size > 0 && connection->file >= 0 && !connection->last)
        api_bytes_add(&connection->input, bytes);
}

bool api_connection_read(ApiConnection *connection)
{
    char *scratch = connection->api->scratch;
    ssize_t got = recv(connection->file, scratch, API_READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0)
        api_connection_close(connection);
    else
        take_apart(connection, slice_make(scratch, (size_t)got));
    /* A client that sends head and body apart, and by Nagle's rule the latter only when the former is acknowledged, must
     * not wait for the 40 ms by which acknowledgements are put off (tcp(7), TCP_QUICKACK: it holds for once). */
    int yes = 1;
    if (connection->file >= 0 && connection->has_begun)
        setsockopt(connection->file, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
    return true;
}

static void send_output(ApiConnection *connection)
{
    Slice left = api_bytes_left(&connection->output);
    while (left.size > 0) {
        ssize_t sent = send(connection->file, left.data, left.size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0) {
            api_connection_close(connection);
            return;
        }
        api_bytes_take(&connection->output, (size_t)sent);
        left = api_bytes_left(&connection->output);
    }
    if (connection->last && !connection->has_head)
        api_connection_close(connection);
}

void api_connection_write(ApiConnection *connection)
{
    send_output(connection);
    if (connection->file < 0 || api_bytes_left(&connection->output).size > 0 ||
        api_bytes_left(&connection->input).size == 0)
        return;
    ApiBytes ahead = connection->input;
    connection->input = (ApiBytes){0};
    take_apart(connection, api_bytes_left(&ahead));
    api_bytes_free(&ahead);
}

/* ---- Answers ---- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},        {202, "Accepted"},           {400, "Bad Request"},       {403, "Forbidden"},
        {404, "Not Found"}, {405, "Method Not Allowed"}, {413, "Payload Too Large"}, {501, "Not Implemented"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    UNREACHABLE();
}

void api_write_head(ApiBytes *out, int status, Slice fields, size_t size)
{
    char line[160];
    int length =
        snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
                 status, reason_of(status), size);
    api_bytes_add(out, slice_make(line, (size_t)length));
    api_bytes_add(out, fields);
    api_bytes_add(out, SLICE("\r\n"));
}

void api_respond_with(ApiConnection *connection, int status, Slice fields, Slice body)
{
    Arena arena = arena_make();
    if (connection->last)
        fields = arena_format(&arena, "%.*sConnection: close\r\n", SLICE_PRINT(fields));
    api_write_head(&connection->output, status, fields, body.size);
    api_bytes_add(&connection->output, body);
    arena_free(&arena);
    forget_request(connection);
    send_output(connection);
}

void api_respond(ApiConnection *connection, ApiAnswer answer)
{
    Arena arena = arena_make();
    Slice body = answer.error_type == NULL ? SLICE("{\"status\":\"OK\"}")
                                           : api_error_text(&arena, answer.error_type, answer.message);
    api_respond_with(connection, answer.status, SLICE(""), body);
    arena_free(&arena);
}

void api_give_event(ApiConnection *connection, ApiBytes *event)
{
    ApiBytes empty = connection->output;
    connection->output = *event;
    *event = empty;
    connection->waits = false;
    connection->extension = NULL;
    forget_request(connection);
    send_output(connection);
}

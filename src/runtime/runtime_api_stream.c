#include "runtime/runtime_api_internal.h"

#include "base/digest.h"
#include "base/json.h"

/* What separates the JSON of status, headers and cookies from the body (AWS Lambda developer guide, "Using the Lambda
 * runtime API", "Response streaming": custom runtimes for function URLs). */
static const char delimiter[8] = {0};

bool api_has_prelude(const ApiConnection *connection)
{
    Slice type = api_field(connection, API_FIELD_CONTENT_TYPE);
    type.size = slice_find(type, ';');
    return slice_equal_ignore_case(type, SLICE("application/vnd.awslambda.http-integration-response"));
}

static void start(ApiConnection *connection, Slice prelude)
{
    Arena arena = arena_make();
    Buffer buffer = buffer_make(&arena);
    JsonWriter json = json_writer(&buffer);
    Slice type = api_field(connection, API_FIELD_CONTENT_TYPE);
    json_write_object_begin(&json);
    if (type.size > 0 && utf8_is_valid(type)) {
        json_write_name(&json, SLICE("contentType"));
        json_write_string(&json, type);
    }
    if (prelude.data != NULL) {
        json_write_name(&json, SLICE("prelude"));
        json_write_raw(&json, prelude);
    }
    json_write_object_end(&json);
    api_frame(connection->api, FRAME_STREAM_START, buffer_slice(&buffer));
    arena_free(&arena);
}

static void end_with_error(Api *api, const char *type, Slice message)
{
    Arena arena = arena_make();
    api_frame(api, FRAME_STREAM_ERROR, api_error_text(&arena, type, message));
    arena_free(&arena);
}

void api_stream_begin(ApiConnection *connection)
{
    connection->api->state = API_STREAMING;
    connection->in_prelude = api_has_prelude(connection);
    if (!connection->in_prelude)
        start(connection, (Slice){0});
}

static bool is_object(Slice text)
{
    Arena arena = arena_make();
    JsonReader json = json_reader(text, &arena);
    JsonType type;
    bool is = json_peek(&json, &type) == OK && type == JSON_OBJECT && json_check(text) == OK;
    arena_free(&arena);
    return is;
}

/* Gathers the prelude; once it is whole, `piece` is what followed it. Without one there is nothing that could be
 * answered with: the invocation fails. */
static void take_prelude(ApiConnection *connection, Slice *piece)
{
    api_bytes_add(&connection->body, *piece);
    *piece = (Slice){0};
    Slice held = api_bytes_left(&connection->body);
    const char *end = memmem(held.data, held.size, delimiter, sizeof delimiter);
    size_t size = end == NULL ? held.size : (size_t)(end - held.data);
    if (end == NULL && size <= API_PRELUDE_BYTES)
        return;
    connection->in_prelude = false;
    Slice prelude = slice_make(held.data, size);
    if (end == NULL || !is_object(prelude)) {
        Arena arena = arena_make();
        api_frame(connection->api, FRAME_ERROR,
                  api_error_text(&arena, "Runtime.InvalidStreamingPrelude",
                                 SLICE("The answer does not begin with a JSON object and eight NUL bytes")));
        arena_free(&arena);
        connection->call = API_CALL_REFUSED;
        connection->answer = (ApiAnswer){400, "InvalidStreamingPrelude",
                                         SLICE("The body must begin with a JSON object and eight NUL bytes")};
        connection->streams = false;
        connection->api->state = API_ANSWERED;
        return;
    }
    start(connection, prelude);
    *piece = slice_skip(held, size + sizeof delimiter);
}

void api_stream_piece(ApiConnection *connection, Slice piece)
{
    if (connection->in_prelude)
        take_prelude(connection, &piece);
    if (piece.size > 0)
        api_frame(connection->api, FRAME_STREAM_PIECE, piece);
    if (!connection->in_prelude)
        api_bytes_free(&connection->body);
}

/* An answer that broke says so in trailers: the error's type, and its document in base64. */
void api_report_trailers(ApiConnection *connection, FrameKind kind)
{
    Arena arena = arena_make();
    Slice document;
    if (base64_decode(&arena, api_field(connection, API_FIELD_ERROR_BODY), &document) != OK)
        document = (Slice){0};
    document = api_error_document(&arena, document, api_field(connection, API_FIELD_ERROR_TYPE));
    api_frame(connection->api, kind, document);
    arena_free(&arena);
}

void api_stream_end(ApiConnection *connection)
{
    Api *api = connection->api;
    bool failed = api_field(connection, API_FIELD_ERROR_TYPE).size > 0;
    if (connection->in_prelude)
        start(connection, (Slice){0});
    if (failed)
        api_report_trailers(connection, FRAME_STREAM_ERROR);
    else if (connection->in_prelude)
        end_with_error(api, "Runtime.InvalidStreamingPrelude",
                       SLICE("The answer ended before the eight NUL bytes that end its prelude"));
    else
        api_frame(api, FRAME_STREAM_END, (Slice){0});
    api->state = API_ANSWERED;
    api_respond(connection, (ApiAnswer){.status = 202});
}

void api_stream_break(ApiConnection *connection)
{
    if (connection->in_prelude)
        start(connection, (Slice){0});
    end_with_error(connection->api, "Runtime.TruncatedResponse", SLICE("The response stream ended before its end"));
    connection->api->state = API_ANSWERED;
}

#include "runtime/runtime_api_internal.h"

#include "base/json.h"

#include <stdio.h>

#define VERSION "/2018-06-01/runtime/"

static const char *const state_names[API_STATES] = {
    [API_STARTED] = "RuntimeStartedState",       [API_READY] = "RuntimeReadyState",
    [API_RUNNING] = "RuntimeRunningState",       [API_STREAMING] = "RuntimeInvocationResponseState",
    [API_ANSWERED] = "RuntimeResponseSentState", [API_INIT_FAILED] = "RuntimeInitErrorState",
};

static const char *const call_names[API_RUNTIME_CALLS] = {
    [API_CALL_NEXT] = "Ready",
    [API_CALL_RESPONSE] = "InvocationResponse",
    [API_CALL_ERROR] = "InvocationErrorResponse",
    [API_CALL_INIT_ERROR] = "InitError",
};

/* The state after a call, in each state; API_NEVER: it is refused. An answer in pieces is API_STREAMING until its end. */
static const ApiState next_states[API_STATES][API_RUNTIME_CALLS] = {
    /*                   NEXT       RESPONSE      ERROR         INIT_ERROR */
    [API_STARTED] = {API_READY, API_NEVER, API_NEVER, API_INIT_FAILED},
    [API_READY] = {API_READY, API_NEVER, API_NEVER, API_NEVER},
    [API_RUNNING] = {API_NEVER, API_ANSWERED, API_ANSWERED, API_NEVER},
    [API_STREAMING] = {API_NEVER, API_NEVER, API_NEVER, API_NEVER},
    [API_ANSWERED] = {API_READY, API_NEVER, API_NEVER, API_NEVER},
    [API_INIT_FAILED] = {API_NEVER, API_NEVER, API_NEVER, API_NEVER},
};

/* ---- Documents ---- */

Slice api_error_text(Arena *arena, const char *type, Slice message)
{
    Buffer buffer = buffer_make(arena);
    JsonWriter json = json_writer(&buffer);
    json_write_object_begin(&json);
    json_write_name(&json, SLICE("errorMessage"));
    json_write_string(&json, message);
    json_write_name(&json, SLICE("errorType"));
    json_write_string(&json, slice_of_string(type));
    json_write_object_end(&json);
    return buffer_slice(&buffer);
}

Slice api_error_document(Arena *arena, Slice document, Slice type)
{
    if (document.size > 0 && json_check(document) == OK)
        return document;
    Buffer buffer = buffer_make(arena);
    JsonWriter json = json_writer(&buffer);
    json_write_object_begin(&json);
    json_write_name(&json, SLICE("errorType"));
    json_write_string(&json, type.size > 0 && utf8_is_valid(type) ? type : SLICE("Runtime.Unknown"));
    json_write_object_end(&json);
    return buffer_slice(&buffer);
}

/* ---- Routes ---- */

void api_refuse(ApiConnection *connection, int status, const char *type, Slice message)
{
    connection->call = API_CALL_REFUSED;
    connection->answer = (ApiAnswer){status, type, message};
}

/* What AWS has beside this, and Brume does not. */
static bool refuse_missing(ApiConnection *connection, Slice path)
{
    if (!slice_starts_with(path, SLICE(VERSION "restore/")))
        return false;
    api_refuse(connection, 501, "NotImplemented", SLICE("Brume does not implement SnapStart for custom runtimes"));
    return true;
}

/* "{id}/response" and "{id}/error"; API_CALL_REFUSED for others. */
static ApiCall call_of_event(Slice path, Slice *id)
{
    size_t slash = slice_find(path, '/');
    *id = slice_make(path.data, slash);
    Slice verb = slice_skip(path, slash);
    return slice_equal(verb, SLICE("/response")) ? API_CALL_RESPONSE
           : slice_equal(verb, SLICE("/error"))  ? API_CALL_ERROR
                                                 : API_CALL_REFUSED;
}

static void check_state(ApiConnection *connection)
{
    Api *api = connection->api;
    bool is_taken = false; /* somebody waits already */
    for (size_t i = 0; i < API_CONNECTIONS; i++)
        is_taken = is_taken || (api->connections[i].waits && api->connections[i].extension == NULL);
    if (next_states[api->state][connection->call] != API_NEVER && !(connection->call == API_CALL_NEXT && is_taken))
        return;
    snprintf(connection->message, sizeof connection->message,
             "State transition from %s to %s failed for runtime. Error: State transition is not allowed",
             state_names[api->state], call_names[connection->call]);
    api_refuse(connection, 403, "InvalidStateTransition", slice_of_string(connection->message));
}

/* Whole or in pieces, as the program says. AWS's library for Go does not say it, but answers a caller that takes pieces in
 * chunks of the form that begins with a prelude. */
static void choose_mode(ApiConnection *connection)
{
    Slice mode = api_field(connection, API_FIELD_MODE);
    if (mode.size == 0)
        connection->streams = connection->api->is_streamed && api_has_prelude(connection);
    else if (slice_equal_ignore_case(mode, SLICE("streaming")))
        connection->streams = true;
    else if (!slice_equal_ignore_case(mode, SLICE("buffered")))
        api_refuse(connection, 400, "InvalidResponseMode",
                   SLICE("Lambda-Runtime-Function-Response-Mode is neither streaming nor buffered"));
}

void api_route(ApiConnection *connection)
{
    Api *api = connection->api;
    Slice path = slice_make(connection->target, connection->target_size);
    path.size = slice_find(path, '?');
    Slice events = SLICE(VERSION "invocation/");
    Slice id = {0};
    bool is_get = connection->parser.method == HTTP_GET;
    if (refuse_missing(connection, path) || extension_route(connection, path))
        return;
    connection->call = API_CALL_REFUSED;
    if (slice_equal(path, SLICE(VERSION "invocation/next")))
        connection->call = API_CALL_NEXT;
    else if (slice_equal(path, SLICE(VERSION "init/error")))
        connection->call = API_CALL_INIT_ERROR;
    else if (slice_starts_with(path, events))
        connection->call = call_of_event(slice_skip(path, events.size), &id);
    if (connection->call == API_CALL_REFUSED) {
        api_refuse(connection, 404, "NotFound", SLICE("The Runtime API has no such path"));
    } else if (is_get != (connection->call == API_CALL_NEXT) || (!is_get && connection->parser.method != HTTP_POST)) {
        api_refuse(connection, 405, "MethodNotAllowed", SLICE("The path does not take this method"));
    } else if (id.data != NULL && (api->id_size == 0 || !slice_equal(id, slice_make(api->id, api->id_size)))) {
        api_refuse(connection, 400, "InvalidRequestID", SLICE("Invalid request ID"));
    } else {
        check_state(connection);
    }
    if (connection->call == API_CALL_RESPONSE)
        choose_mode(connection);
}

/* ---- Calls ---- */

static void perform_response(ApiConnection *connection)
{
    Api *api = connection->api;
    if (!connection->too_large) {
        if (api_field(connection, API_FIELD_ERROR_TYPE).size > 0)
            api_report_trailers(connection, FRAME_ERROR);
        else
            api_frame(api, FRAME_RESPONSE, api_bytes_left(&connection->body));
        api_respond(connection, (ApiAnswer){.status = 202});
        return;
    }
    /* The caller is told, whatever the program does about it. */
    Arena arena = arena_make();
    Slice text = arena_format(&arena, "Response payload size exceeded maximum allowed payload size (%d bytes).",
                              API_PAYLOAD_BYTES);
    api_frame(api, FRAME_ERROR, api_error_text(&arena, "Function.ResponseSizeTooLarge", text));
    text = arena_format(&arena, "Exceeded maximum allowed payload size (%d bytes).", API_PAYLOAD_BYTES);
    api_respond(connection, (ApiAnswer){413, "RequestEntityTooLarge", text});
    arena_free(&arena);
}

static void perform_error(ApiConnection *connection, FrameKind kind)
{
    Arena arena = arena_make();
    Slice type = api_field(connection, API_FIELD_ERROR_TYPE);
    api_frame(connection->api, kind, api_error_document(&arena, api_bytes_left(&connection->body), type));
    arena_free(&arena);
    api_respond(connection, (ApiAnswer){.status = 202});
}

void api_perform(ApiConnection *connection)
{
    Api *api = connection->api;
    ApiState before = api->state;
    if (connection->call >= API_RUNTIME_CALLS && connection->call < API_CALLS) {
        extension_perform(connection);
        return;
    }
    /* Its body may have come slowly, and somebody else been faster. */
    if (connection->call != API_CALL_REFUSED && !connection->streams)
        check_state(connection);
    if (connection->call == API_CALL_REFUSED) {
        api_respond(connection, connection->answer);
        return;
    }
    if (connection->streams) {
        api_stream_end(connection);
        return;
    }
    api->state = next_states[before][connection->call];
    switch (connection->call) {
    case API_CALL_NEXT:
        connection->waits = true;
        api_offer_event(api);
        break;
    case API_CALL_RESPONSE:
        perform_response(connection);
        break;
    case API_CALL_ERROR:
        perform_error(connection, FRAME_ERROR);
        break;
    default:
        perform_error(connection, FRAME_INIT_ERROR);
    }
}

/* ---- Events ---- */

/* A header's value: the text of a string, other JSON as it stands. JSON has no use for line ends but as space. */
static Error read_value(JsonReader *json, Arena *arena, Slice *value)
{
    JsonType type;
    TRY(json_peek(json, &type));
    if (type == JSON_STRING)
        TRY(json_read_string(json, value));
    else
        TRY(json_read_any(json, value));
    *value = arena_copy(arena, *value);
    for (size_t i = 0; i < value->size; i++) {
        char *byte = (char *)value->data + i;
        if ((unsigned char)*byte < ' ' || *byte == 0x7f)
            *byte = ' ';
    }
    return OK;
}

/* What the event's JSON says, and the field that tells it to the program ("Next invocation" of the developer guide's
 * page). */
enum { TOLD_ID, TOLD_DEADLINE, TOLD_FUNCTION, TOLD_TRACE, TOLD_CONTEXT, TOLD_IDENTITY, TOLD_TENANT, TOLD };

static const struct {
    Slice member;
    const char *field;
} told[TOLD] = {
    [TOLD_ID] = {SLICE_INIT("requestId"), "Lambda-Runtime-Aws-Request-Id"},
    [TOLD_DEADLINE] = {SLICE_INIT("deadlineMs"), "Lambda-Runtime-Deadline-Ms"},
    [TOLD_FUNCTION] = {SLICE_INIT("functionArn"), "Lambda-Runtime-Invoked-Function-Arn"},
    [TOLD_TRACE] = {SLICE_INIT("trace"), "Lambda-Runtime-Trace-Id"},
    [TOLD_CONTEXT] = {SLICE_INIT("clientContext"), "Lambda-Runtime-Client-Context"},
    [TOLD_IDENTITY] = {SLICE_INIT("identity"), "Lambda-Runtime-Cognito-Identity"},
    [TOLD_TENANT] = {SLICE_INIT("tenantId"), "Lambda-Runtime-Aws-Tenant-Id"},
};

static Error read_event(Api *api, Slice text, Arena *arena, Slice values[TOLD])
{
    JsonReader json = json_reader(text, arena);
    TRY(json_begin_object(&json));
    for (;;) {
        Slice name, value;
        TRY(json_next_member(&json, &name));
        if (name.data == NULL)
            return OK;
        TRY(read_value(&json, arena, &value));
        for (size_t i = 0; i < TOLD; i++) {
            if (slice_equal(name, told[i].member))
                values[i] = value;
        }
        if (slice_equal(name, SLICE("streamed")))
            api->is_streamed = slice_equal(value, SLICE("true"));
        if (slice_equal(name, SLICE("requestId"))) {
            if (value.size == 0 || value.size > API_ID_BYTES)
                return ERROR_MALFORMED;
            memcpy(api->id, value.data, value.size);
            api->id_size = value.size;
        }
    }
}

/* Until the program asks for it. */
static void hold_event(Api *api, const Slice values[TOLD], Slice payload, Arena *arena)
{
    Buffer fields = buffer_make(arena);
    for (size_t i = 0; i < TOLD; i++)
        if (values[i].data != NULL)
            buffer_add_format(&fields, "%s: %.*s\r\n", told[i].field, SLICE_PRINT(values[i]));
    api_write_head(&api->event, 200, buffer_slice(&fields), payload.size);
    api_bytes_add(&api->event, payload);
    api->has_event = true;
    api_offer_event(api);
}

bool api_take_event(Api *api, Slice content)
{
    const Slice whole = content;
    uint32_t size;
    if (content.size < sizeof size)
        return false;
    const unsigned char *at = (const unsigned char *)content.data;
    size = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    content = slice_skip(content, sizeof size);
    if (size > content.size)
        return false;
    Arena arena = arena_make();
    Slice values[TOLD] = {0};
    bool is_sound = read_event(api, slice_make(content.data, size), &arena, values) == OK;
    if (is_sound) {
        api->at_work = true;
        telemetry_event_start(api, values[TOLD_ID]);
        /* No number of a deadline: it is not the server that speaks. */
        Slice deadline = values[TOLD_DEADLINE].size > 0 ? values[TOLD_DEADLINE] : SLICE("0");
        extensions_tell_event(api, values[TOLD_ID], deadline, values[TOLD_FUNCTION], values[TOLD_TRACE]);
        if (api->options.command != NULL)
            api_bootstrap_event(api, whole);
        else
            hold_event(api, values, slice_skip(content, size), &arena);
    }
    arena_free(&arena);
    return is_sound;
}

bool api_has_answered(const Api *api)
{
    return !api->has_event && (api->state == API_ANSWERED || api->state == API_READY);
}

void api_offer_event(Api *api)
{
    for (size_t i = 0; api->has_event && i < API_CONNECTIONS; i++) {
        ApiConnection *connection = &api->connections[i];
        if (!connection->waits || connection->extension != NULL)
            continue;
        api->state = API_RUNNING;
        api->has_event = false;
        api->taken_count++;
        api_give_event(connection, &api->event);
    }
}

#include "aws/wire/answer.h"

#include "aws/wire/common_error.h"
#include "aws/wire/cors.h"
#include "aws/wire/rest.h"
#include "base/digest.h"
#include "base/json.h"

void request_id_format(const unsigned char random[16], char text[REQUEST_ID_SIZE])
{
    unsigned char bytes[16];
    memcpy(bytes, random, sizeof bytes);
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f)); /* the version */
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f)); /* the variant */
    uuid_format(bytes, text);
}

/* ---- What went wrong ---- */

static void explain_environment(Call *call, Error error)
{
    switch (error) {
    case ERROR_BUSY:
        call_fail(call, &common_throttling, NULL);
        return;
    case ERROR_FULL:
        call_fail(call, &common_service_unavailable,
                  "The disk is nearly full: writes are refused until there is space again; reads go on.");
        return;
    case ERROR_GONE:
        /* Seen by a client that has ended its side alone; not the server's failure. */
        call_fail(call, &common_request_timeout, "The client has ended the connection.");
        return;
    case ERROR_STOPPING:
        call_fail(call, &common_service_unavailable, "The server is stopping.");
        return;
    case ERROR_TOO_LARGE:
        call_fail(call, &common_request_too_large, NULL);
        return;
    case ERROR_TIMEOUT:
        call_fail(call, &common_request_timeout, NULL);
        return;
    default:
        call_fail(call, &common_internal_failure, NULL);
    }
}

/* What the client may do about it, beside trying again. */
static Slice throttling_message(const CallState *state)
{
    const Call *call = &state->call;
    switch (state->throttled) {
    case WIRE_THROTTLED_ACCOUNT:
        return arena_format(call->arena, "Rate exceeded: the account may make %llu requests a second.",
                            (unsigned long long)call->limits->value[LIMIT_ACCOUNT_REQUEST_RATE]);
    case WIRE_THROTTLED_CONNECTION:
        return arena_format(call->arena, "Rate exceeded: a connection may make %llu requests a second.",
                            (unsigned long long)call->limits->value[LIMIT_NET_REQUEST_RATE]);
    default:
        return SLICE("Rate exceeded: the server is asked for more than it can do. Try again later.");
    }
}

static bool is_service_s(Error error)
{
    return error >= ERROR_CORE_FIRST || error == ERROR_BUSY || error == ERROR_TOO_LARGE;
}

void answer_explain(CallState *state, Error error)
{
    Call *call = &state->call;
    const ServiceHooks *hooks = call->service == NULL ? NULL : call->service->hooks;
    bool explained = error == ERROR_ANSWERED && call->error != NULL;
    if (!explained && is_service_s(error) && hooks != NULL && hooks->core_error != NULL)
        explained = hooks->core_error(call, error) == ERROR_ANSWERED && call->error != NULL;
    if (!explained)
        explain_environment(call, error);
    if (error == ERROR_BUSY)
        call->error_message = throttling_message(state);
    if (hooks != NULL && hooks->complete_error != NULL)
        hooks->complete_error(call);
}

/* ---- Errors in each protocol ---- */

/* The message, with whatever a client put into it made harmless for both protocols. */
static Slice error_message(const CallState *state)
{
    const Call *call = &state->call;
    const ApiError *error = call->error;
    Slice message = call->error_message;
    if (message.data == NULL && state->protocol == PROTOCOL_AWS_QUERY && error->query_message != NULL)
        message = slice_of_string(error->query_message);
    if (message.data == NULL)
        message = slice_of_string(error->message);
    if (utf8_is_valid(message))
        return message;
    char *ascii = arena_string(call->arena, message);
    for (size_t i = 0; i < message.size; i++)
        if ((unsigned char)ascii[i] >= 0x80)
            ascii[i] = '?';
    return slice_make(ascii, message.size);
}

/* REST services tell the type in a field of the head. */
static void encode_error_json(const CallState *state, Buffer *out)
{
    const ApiError *error = state->call.error;
    Slice type = state->protocol == PROTOCOL_REST_JSON_1 ? (Slice){0} : error->json_type;
    encode_json_error(error, type, error_message(state), state->call.error_members, out);
}

/* {"Error": {"Code": …, "Message": …, "Type": "Sender"}, "RequestId": …} */
static void encode_query_error_json(const CallState *state, Buffer *out)
{
    const ApiError *error = state->call.error;
    JsonWriter writer = json_writer(out);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("Error"));
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("Code"));
    json_write_string(&writer, error->query_code);
    json_write_name(&writer, SLICE("Message"));
    json_write_string(&writer, error_message(state));
    json_write_name(&writer, SLICE("Type"));
    json_write_string(&writer, error->sender ? SLICE("Sender") : SLICE("Receiver"));
    json_write_object_end(&writer);
    json_write_name(&writer, SLICE("RequestId"));
    json_write_string(&writer, state->call.request_id);
    json_write_object_end(&writer);
}

/* {"SendMessageResponse": {"SendMessageResult": {…}, "ResponseMetadata": {"RequestId": …}}} */
static void encode_query_json(const CallState *state, Buffer *out)
{
    const Call *call = &state->call;
    JsonWriter writer = json_writer(out);
    json_write_object_begin(&writer);
    json_write_name(&writer, arena_format(call->arena, "%.*sResponse", SLICE_PRINT(call->operation->name)));
    json_write_object_begin(&writer);
    if (call->operation->has_output) {
        Buffer result = buffer_make(call->arena);
        encode_json(call->operation->output, state->output, &result);
        json_write_name(&writer, arena_format(call->arena, "%.*sResult", SLICE_PRINT(call->operation->name)));
        json_write_raw(&writer, buffer_slice(&result));
    }
    json_write_name(&writer, SLICE("ResponseMetadata"));
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("RequestId"));
    json_write_string(&writer, call->request_id);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
}

/* Whether no operation was named, which is answered in one way whatever was asked for. */
static bool names_nothing(const Call *call)
{
    return call->error == &common_unknown_operation && call->error_message.data == NULL;
}

static void encode_error_xml(const CallState *state, Buffer *out)
{
    const Call *call = &state->call;
    /* A request that names no action at all gets this (SQS, for a GET of a queue's URL). */
    if (names_nothing(call)) {
        BUFFER_ADD(out, "<UnknownOperationException/>\n");
        return;
    }
    BUFFER_ADD(out, "<?xml version=\"1.0\"?><ErrorResponse");
    if (call->service != NULL && call->service->xml_namespace.size > 0) {
        BUFFER_ADD(out, " xmlns=\"");
        buffer_add(out, call->service->xml_namespace);
        BUFFER_ADD(out, "\"");
    }
    BUFFER_ADD(out, "><Error><Type>");
    buffer_add(out, call->error->sender ? SLICE("Sender") : SLICE("Receiver"));
    BUFFER_ADD(out, "</Type><Code>");
    buffer_add(out, call->error->query_code);
    BUFFER_ADD(out, "</Code><Message>");
    xml_add_text(out, error_message(state));
    BUFFER_ADD(out, "</Message>");
    if (call->service != NULL && call->service->xml_error_detail && !call->error->no_xml_detail)
        BUFFER_ADD(out, "<Detail/>");
    BUFFER_ADD(out, "</Error><RequestId>");
    buffer_add(out, call->request_id);
    BUFFER_ADD(out, "</RequestId></ErrorResponse>");
}

int answer_status(const CallState *state)
{
    const Call *call = &state->call;
    bool rest = state->protocol == PROTOCOL_REST_JSON_1;
    if (call->error == NULL)
        return rest ? rest_status(call->operation, state->output) : 200;
    if (rest && call->error->rest_status != 0)
        return call->error->rest_status;
    if (state->protocol != PROTOCOL_AWS_QUERY)
        return call->error->status;
    if (names_nothing(call))
        return 404;
    return call->error->query_status;
}

/* "AWS.SimpleQueueService.NonExistentQueue;Sender" (smithy.io, "awsQueryCompatible trait"). */
static Slice query_error(const Call *call)
{
    Buffer text = buffer_make(call->arena);
    buffer_add(&text, call->error->query_code);
    buffer_add(&text, call->error->sender ? SLICE(";Sender") : SLICE(";Receiver"));
    return buffer_slice(&text);
}

/* ---- The answer ---- */

static bool in_query_json(const CallState *state)
{
    return state->protocol == PROTOCOL_AWS_QUERY && state->query_in_json &&
           (state->call.error == NULL || !names_nothing(&state->call));
}

static void encode_body(const CallState *state, Buffer *out)
{
    const Call *call = &state->call;
    bool query = state->protocol == PROTOCOL_AWS_QUERY;
    if (in_query_json(state) && call->error != NULL)
        encode_query_error_json(state, out);
    else if (in_query_json(state))
        encode_query_json(state, out);
    else if (call->error != NULL && query)
        encode_error_xml(state, out);
    else if (call->error != NULL)
        encode_error_json(state, out);
    else if (query)
        encode_query(call, state->output, out);
    else if (state->protocol == PROTOCOL_REST_JSON_1)
        encode_rest(call->operation, state->output, out);
    else
        encode_json(call->operation->output, state->output, out);
}

/* Absent: the answer has no body. */
static Slice content_type(const CallState *state)
{
    switch (state->protocol) {
    case PROTOCOL_AWS_JSON_1_0:
        return SLICE("application/x-amz-json-1.0");
    case PROTOCOL_AWS_JSON_1_1:
        return SLICE("application/x-amz-json-1.1");
    case PROTOCOL_REST_JSON_1:
        if (state->call.error == NULL && state->call.content_type.data != NULL)
            return state->call.content_type;
        return state->call.error != NULL ? SLICE("application/json") : rest_content_type(state->call.operation);
    case PROTOCOL_AWS_QUERY:
        break;
    }
    return in_query_json(state) ? SLICE("application/json") : SLICE("text/xml");
}

enum { FIXED_HEADERS_MAX = 3 + CORS_HEADERS_MAX };

/* What the output, or the error, is bound to. */
static size_t add_bound_headers(CallState *state, HttpHeader **headers)
{
    Call *call = &state->call;
    const Shape *shape = call->error != NULL ? call->error->shape : call->operation->output;
    const void *structure = call->error != NULL ? call->error_members : state->output;
    if (state->protocol != PROTOCOL_REST_JSON_1 || shape == NULL || structure == NULL)
        return 0;
    size_t most = rest_header_count(shape, structure);
    if (most == 0)
        return 0;
    *headers = ARENA_ARRAY(call->arena, HttpHeader, most + FIXED_HEADERS_MAX);
    return rest_add_headers(call->arena, shape, structure, *headers);
}

static bool has_content_type(const HttpHeader *headers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(headers[i].name, SLICE("content-type")))
            return true;
    return false;
}

/* The head, but for the status; `type` absent: none. `headers` holds FIXED_HEADERS_MAX, and is replaced where more are
 * needed. */
static size_t add_headers(CallState *state, Slice type, HttpHeader **headers)
{
    const Call *call = &state->call;
    size_t count = add_bound_headers(state, headers);
    bool typed = has_content_type(*headers, count);
    HttpHeader *at = *headers + count;
    *at++ = (HttpHeader){SLICE("x-amzn-requestid"), call->request_id};
    if (type.data != NULL && !typed)
        *at++ = (HttpHeader){SLICE("content-type"), type};
    if (call->error != NULL && state->protocol == PROTOCOL_REST_JSON_1)
        *at++ = (HttpHeader){SLICE("x-amzn-errortype"), call->error->name};
    else if (call->error != NULL && state->protocol != PROTOCOL_AWS_QUERY && call->service != NULL &&
             call->service->query_compatible)
        *at++ = (HttpHeader){SLICE("x-amzn-query-error"), query_error(call)};
    return (size_t)(at - *headers) + cors_headers(state->origin, at);
}

/* Bytes that are the whole body are sent where they lie. */
static Slice body_of(const CallState *state)
{
    const Call *call = &state->call;
    if (call->error == NULL && state->protocol == PROTOCOL_REST_JSON_1 && rest_is_raw(call->operation))
        return *(const Slice *)member_value_const(call->operation->output_payload, state->output);
    Buffer body = buffer_make(call->arena);
    encode_body(state, &body);
    return buffer_slice(&body);
}

void answer_send(CallState *state)
{
    HttpHeader fixed[FIXED_HEADERS_MAX];
    HttpHeader *headers = fixed;
    HttpResponse response = {
        .status = answer_status(state),
        .header_count = add_headers(state, content_type(state), &headers),
        .body = body_of(state),
    };
    response.headers = headers;
    http_respond(state->request, &response);
}

void answer_stream(CallState *state, Slice type, void (*on_writable)(HttpRequest *request))
{
    HttpHeader fixed[FIXED_HEADERS_MAX];
    HttpHeader *headers = fixed;
    HttpResponse head = {
        .status = answer_status(state),
        .header_count = add_headers(state, type, &headers),
    };
    head.headers = headers;
    http_respond_stream(state->request, &head, on_writable);
}

/* Requests to a REST service (tests/unit/aviary.smithy: a member of every kind in every place), and to those of AWS:
 * refused with a row, or decoded, validated and, as if it were an answer, encoded. The input is lines: method, target,
 * headers, an empty line, the body. */
#include "unit/aviary_idle.h"

#include "api/lambda.h"
#include "aws/wire/rest.h"
#include "base/bug.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS_MAX = 32 };

const ServiceHooks aviary_hooks = {0};

static Slice take_line(Slice *text)
{
    size_t end = slice_find(*text, '\n');
    Slice line = slice_make(text->data, end);
    *text = slice_skip(*text, end < text->size ? end + 1 : end);
    return line;
}

static size_t read_headers(Slice *text, HttpHeader headers[HEADERS_MAX])
{
    size_t count = 0;
    while (count < HEADERS_MAX && text->size > 0) {
        Slice line = take_line(text);
        if (line.size == 0)
            break;
        size_t colon = slice_find(line, ':');
        headers[count].name = slice_make(line.data, colon);
        headers[count++].value = slice_skip(line, colon < line.size ? colon + 1 : colon);
    }
    return count;
}

static bool took(const CallState *state, Error error)
{
    ASSERT(error == OK || (error == ERROR_ANSWERED && state->call.error != NULL));
    return error == OK;
}

/* What was decoded is written into every place that an answer has. */
static void encode(CallState *state)
{
    Arena *arena = state->call.arena;
    const Shape *shape = state->call.operation->input;
    HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, rest_header_count(shape, state->input) + 1);
    ASSERT(rest_add_headers(arena, shape, state->input, headers) <= rest_header_count(shape, state->input));
    Buffer out = buffer_make(arena);
    encode_json(shape, state->input, &out);
    ASSERT(json_check(buffer_slice(&out)) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const Service *const services[] = {&aviary_service, &lambda_service};
    Arena arena = arena_make();
    Slice text = arena_copy(&arena, slice_make(data, size));
    HttpHeader headers[HEADERS_MAX];
    HttpRequest request = {.arena = &arena, .method = take_line(&text), .target = take_line(&text)};
    size_t mark = slice_find(request.target, '?');
    request.path = slice_make(request.target.data, mark);
    request.query = slice_skip(request.target, mark < request.target.size ? mark + 1 : mark);
    request.headers = headers;
    request.header_count = read_headers(&text, headers);
    request.host = http_request_header(&request, SLICE("host"));
    CallState state = {.call = {.arena = &arena}, .request = &request, .protocol = PROTOCOL_AWS_QUERY};
    state.call.state = &state;
    state.parameters.limit = 1000;
    state.item_limit = 1000;
    state.body = text;
    if (took(&state, route_rest(&state, services, 2)) && state.route != NULL) {
        ASSERT(state.call.service != NULL && state.call.operation != NULL);
        state.input = arena_zalloc(&arena, state.call.operation->input->size);
        if (took(&state, decode_rest(&state))) {
            took(&state, validate_input(&state.call, state.call.operation->input, state.input));
            encode(&state);
        }
    }
    arena_free(&arena);
    return 0;
}

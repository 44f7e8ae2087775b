/* Heads and forms to operations: the input is read as lines: method, target, headers, an empty line, the body. */
#include "aws/wire/route.h"
#include "wire_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS_MAX = 32 };

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const Service *const services[] = {&sqs_service, &sts_service};
    FuzzCall fuzz;
    fuzz_call_open(&fuzz, 1);
    Slice text = arena_copy(&fuzz.arena, slice_make(data, size));
    HttpHeader headers[HEADERS_MAX];
    HttpRequest request = {.arena = &fuzz.arena, .method = take_line(&text), .target = take_line(&text)};
    size_t mark = slice_find(request.target, '?');
    request.path = slice_make(request.target.data, mark);
    request.query = slice_skip(request.target, mark < request.target.size ? mark + 1 : mark);
    request.headers = headers;
    request.header_count = read_headers(&text, headers);
    request.host = http_request_header(&request, SLICE("host"));
    CallState *state = &fuzz.state;
    state->request = &request;
    state->protocol = route_protocol(&request);
    state->call.service = NULL;
    state->call.operation = NULL;
    if (fuzz_call_took(&fuzz, route(state, services, 2, text)))
        ASSERT(state->call.service != NULL && state->call.operation != NULL);
    arena_free(&fuzz.arena);
    return 0;
}

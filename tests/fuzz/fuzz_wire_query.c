/* Query parameters into the inputs of SQS and STS: whatever is decoded is valid as JSON and as XML. */
#include "base/json.h"
#include "wire_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input encoded as the result of an operation whose output is that shape. */
static void check_xml(FuzzCall *fuzz)
{
    Operation operation = *fuzz->state.call.operation;
    operation.output = operation.input;
    operation.has_output = true;
    Call call = fuzz->state.call;
    call.operation = &operation;
    Buffer out = buffer_make(&fuzz->arena);
    encode_query(&call, fuzz->input, &out);
    ASSERT(utf8_is_valid(buffer_slice(&out)));
    ASSERT(slice_ends_with(buffer_slice(&out), SLICE("Response>")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    FuzzCall fuzz;
    fuzz_call_open(&fuzz, data[0]);
    Call *call = &fuzz.state.call;
    QueryParameters parameters = {.limit = 1000};
    Slice body = arena_copy(&fuzz.arena, slice_make(data + 1, size - 1));
    if (query_parse(&fuzz.arena, body, &parameters) == OK &&
        fuzz_call_took(&fuzz, decode_query(call, call->operation->input, &parameters, fuzz.input))) {
        fuzz_call_took(&fuzz, validate_input(call, call->operation->input, fuzz.input));
        ASSERT(json_check(fuzz_call_encode_json(&fuzz, fuzz.input)) == OK);
        check_xml(&fuzz);
    }
    arena_free(&fuzz.arena);
    return 0;
}

/* AWS JSON into the inputs of SQS and STS: what is decoded is encoded as valid JSON, which decodes to the same. */
#include "base/json.h"
#include "wire_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    FuzzCall fuzz;
    fuzz_call_open(&fuzz, data[0]);
    Call *call = &fuzz.state.call;
    Slice body = arena_copy(&fuzz.arena, slice_make(data + 1, size - 1));
    if (fuzz_call_took(&fuzz, decode_json(call, call->operation->input, body, fuzz.input))) {
        fuzz_call_took(&fuzz, validate_input(call, call->operation->input, fuzz.input));
        Slice first = fuzz_call_encode_json(&fuzz, fuzz.input);
        ASSERT(json_check(first) == OK);
        void *again = arena_zalloc(&fuzz.arena, call->operation->input->size);
        fuzz.state.item_count = 0;
        ASSERT(decode_json(call, call->operation->input, first, again) == OK);
        ASSERT(slice_equal(fuzz_call_encode_json(&fuzz, again), first));
    }
    arena_free(&fuzz.arena);
    return 0;
}

/* wire_fuzz.h: what the fuzz targets of the protocols share: a call without a server, for an operation of SQS or STS
 * that the first byte of the input chooses. */
#ifndef BRUME_TESTS_FUZZ_WIRE_FUZZ_H
#define BRUME_TESTS_FUZZ_WIRE_FUZZ_H

#include "api/sqs.h"
#include "api/sts.h"
#include "aws/wire/call_state.h"
#include "base/bug.h"

typedef struct FuzzCall {
    Arena arena;
    CallState state;
    void *input;
} FuzzCall;

static inline void fuzz_call_open(FuzzCall *fuzz, unsigned choice)
{
    *fuzz = (FuzzCall){.arena = arena_make()};
    Call *call = &fuzz->state.call;
    call->arena = &fuzz->arena;
    call->state = &fuzz->state;
    call->service = choice % 8 == 0 ? &sts_service : &sqs_service;
    call->operation = &call->service->operations[choice / 8 % call->service->operation_count];
    call->request_id = SLICE("00000000-0000-4000-8000-000000000000");
    fuzz->state.parameters.limit = 1000;
    fuzz->state.item_limit = 1000;
    fuzz->input = arena_zalloc(&fuzz->arena, call->operation->input->size);
}

/* Every refusal has its row. */
static inline bool fuzz_call_took(FuzzCall *fuzz, Error error)
{
    ASSERT(error == OK || (error == ERROR_ANSWERED && fuzz->state.call.error != NULL));
    return error == OK;
}

/* An input as if it were an output of the operation. */
static inline Slice fuzz_call_encode_json(FuzzCall *fuzz, const void *input)
{
    Buffer out = buffer_make(&fuzz->arena);
    encode_json(fuzz->state.call.operation->input, input, &out);
    return buffer_slice(&out);
}

#endif

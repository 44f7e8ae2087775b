#include "core/run.h"

#include "base/bug.h"
#include "base/digest.h"

static void begin_trace(const RunRequest *request, const uint64_t random[3], Arena *arena, Run *run)
{
    run->tenant_id = request->tenant_id;
    run->trace = trace_continue(arena, request->trace, request->account, request->region, request->name,
                                request->wall_ms, random);
    run->in_loop = run->trace.passes > TRACE_PASSES_MAX && !run->may_recurse;
}

Error run_find(Txn *txn, const RunRequest *request, Arena *arena, Run *run)
{
    uint64_t random[4]; /* of which alias routing takes one, and the trace the others */
    FunctionTarget target;
    txn_random_bytes(txn, random, sizeof random);
    TRY(function_target(txn, request->limits, request->account, request->region, request->name, request->qualifier,
                        random[3], request->tenant_id, &target));
    run->spec = worker_spec_copy(&target.spec, arena); /* the transaction's memory ends before the run begins */
    run->reserved = target.reserved;
    run->unreserved = target.unreserved;
    run->function_arn = function_arn(arena, request->account, request->region, request->name, request->qualifier);
    run->function_number = target.function.number;
    run->dead_letter_arn = target.version.dead_letter_arn;
    if (run->dead_letter_arn.data != NULL)
        run->dead_letter_arn = arena_copy(arena, run->dead_letter_arn);
    run->may_recurse = target.function.may_recurse;
    begin_trace(request, random, arena, run);
    return OK;
}

void run_find_again(const Run *found, const RunRequest *request, Os *os, Arena *arena, Run *run)
{
    uint64_t random[3];
    os_random(os, random, sizeof random);
    *run = *found;
    run->spec = worker_spec_copy(&found->spec, arena);
    run->function_arn = arena_copy(arena, found->function_arn);
    if (found->dead_letter_arn.data != NULL)
        run->dead_letter_arn = arena_copy(arena, found->dead_letter_arn);
    begin_trace(request, random, arena, run);
}

Slice run_request_id(Os *os, Arena *arena)
{
    unsigned char bytes[16];
    char *text = arena_alloc_aligned(arena, UUID_TEXT_SIZE, 1);
    os_random(os, bytes, sizeof bytes);
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f)); /* the version */
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f)); /* the variant */
    uuid_format(bytes, text);
    return slice_make(text, UUID_TEXT_SIZE);
}

void run_start(Invoker *invoker, const Run *run, Invocation *invocation)
{
    ASSERT(!run->in_loop);
    invocation->spec = &run->spec;
    invocation->function_arn = run->function_arn;
    invocation->tenant_id = run->tenant_id;
    invocation->trace = run->trace.header;
    invocation->reserved = run->reserved;
    invocation->unreserved = run->unreserved;
    invoker_invoke(invoker, invocation);
}

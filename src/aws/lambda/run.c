#include "aws/lambda/run.h"

#include "aws/lambda/dialect.h"
#include "base/bug.h"
#include "base/digest.h"

/* Every slice of a WorkerSpec. */
static const size_t spec_slices[] = {
    offsetof(WorkerSpec, key),
    offsetof(WorkerSpec, line),
    offsetof(WorkerSpec, function),
    offsetof(WorkerSpec, account),
    offsetof(WorkerSpec, region),
    offsetof(WorkerSpec, name),
    offsetof(WorkerSpec, version),
    offsetof(WorkerSpec, role_arn),
    offsetof(WorkerSpec, runtime),
    offsetof(WorkerSpec, handler),
    offsetof(WorkerSpec, code_directory),
    offsetof(WorkerSpec, log_group),
    offsetof(WorkerSpec, log_format),
    offsetof(WorkerSpec, application_log_level),
    offsetof(WorkerSpec, system_log_level),
};

/* One that is added must be copied, too. */
_Static_assert(sizeof(WorkerSpec) == (sizeof spec_slices / sizeof spec_slices[0]) * sizeof(Slice) +
                                         2 * (sizeof(void *) + sizeof(size_t)) + 4 * sizeof(uint64_t),
               "a member was added to WorkerSpec");

static Slice keep(Arena *arena, Slice slice)
{
    return slice.data == NULL ? slice : arena_copy(arena, slice);
}

/* The transaction's memory ends before the run begins. */
static void keep_spec(Arena *arena, const WorkerSpec *found, WorkerSpec *spec)
{
    *spec = *found;
    for (size_t i = 0; i < sizeof spec_slices / sizeof spec_slices[0]; i++) {
        Slice *slice = (Slice *)(void *)((char *)spec + spec_slices[i]);
        *slice = keep(arena, *slice);
    }
    Slice *layers = ARENA_ARRAY(arena, Slice, spec->layer_count);
    for (size_t i = 0; i < spec->layer_count; i++)
        layers[i] = keep(arena, found->layer_directories[i]);
    spec->layer_directories = layers;
    EnvironmentVariable *environment = ARENA_ARRAY(arena, EnvironmentVariable, spec->environment_count);
    for (size_t i = 0; i < spec->environment_count; i++)
        environment[i] =
            (EnvironmentVariable){keep(arena, found->environment[i].name), keep(arena, found->environment[i].value)};
    spec->environment = environment;
}

Error run_find(Txn *txn, const RunRequest *request, Arena *arena, Run *run)
{
    uint64_t random[4]; /* of which alias routing takes one, and the trace the others */
    FunctionTarget target;
    txn_random_bytes(txn, random, sizeof random);
    TRY(function_target(txn, request->limits, request->account, request->region, request->name, request->qualifier,
                        random[3], request->tenant_id, &target));
    keep_spec(arena, &target.spec, &run->spec);
    run->reserved = target.reserved;
    run->unreserved = target.unreserved;
    run->function_arn =
        lambda_function_arn(arena, request->account, request->region, request->name, request->qualifier);
    run->tenant_id = request->tenant_id;
    run->trace = trace_continue(arena, request->trace, request->account, request->region, request->name,
                                request->wall_ms, random);
    run->in_loop = run->trace.passes > TRACE_PASSES_MAX && !target.function.may_recurse;
    return OK;
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

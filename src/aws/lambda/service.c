/* service.c: Lambda's own words for what every service has. */
#include "api/lambda.h"

#include "aws/wire/codec.h"

/* Lambda API reference, "Errors": Type is "User" where the caller is at fault, else "Service". */
static void complete_error(Call *call)
{
    const Member *type = call->error->shape == NULL ? NULL : shape_member(call->error->shape, SLICE("Type"));
    if (type != NULL)
        *(Slice *)member_value(type, call_error_members(call)) = call->error->sender ? SLICE("User") : SLICE("Service");
}

/* The operation as AWS calls it there. */
static Error refuse_size(Call *call)
{
    bool invokes = slice_starts_with(call->operation->name, SLICE("Invoke"));
    return call_fail(call, &lambda_error_request_too_large_exception,
                     "Request must be smaller than %llu bytes for the %.*s operation",
                     (unsigned long long)call->limits->value[call->operation->body_limit],
                     SLICE_PRINT(invokes ? SLICE("InvokeFunction") : call->operation->name));
}

static Error core_error(Call *call, Error error)
{
    if (error == ERROR_TOO_LARGE && call->operation != NULL)
        return refuse_size(call);
    if (error != ERROR_BUSY)
        return OK;
    Error refused = call_fail(call, &lambda_error_too_many_requests_exception, "Rate exceeded");
    LambdaTooManyRequestsException *members = call_error_members(call);
    members->reason = SLICE("CallerRateLimitExceeded");
    return refused;
}

const ServiceHooks lambda_hooks = {
    .complete_error = complete_error,
    .core_error = core_error,
};

#include "aws/wire/call.h"

#include "base/bug.h"

Error call_fail(Call *call, const ApiError *error, const char *format, ...)
{
    ASSERT(error != NULL);
    call->error = error;
    call->error_message = (Slice){0};
    call->error_members = NULL;
    if (format != NULL) {
        va_list arguments;
        va_start(arguments, format);
        call->error_message = arena_vformat(call->arena, format, arguments);
        va_end(arguments);
    }
    return ERROR_ANSWERED;
}

void *call_error_members(Call *call)
{
    ASSERT(call->error != NULL && call->error->shape != NULL);
    if (call->error_members == NULL)
        call->error_members = arena_zalloc(call->arena, call->error->shape->size);
    return call->error_members;
}

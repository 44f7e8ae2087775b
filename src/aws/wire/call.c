#include "aws/wire/call.h"

#include "base/bug.h"

Error call_fail(Call *call, const ApiError *error, const char *format, ...)
{
    ASSERT(error != NULL);
    call->error = error;
    call->error_message = (Slice){0};
    if (format != NULL) {
        va_list arguments;
        va_start(arguments, format);
        call->error_message = arena_vformat(call->arena, format, arguments);
        va_end(arguments);
    }
    return ERROR_ANSWERED;
}

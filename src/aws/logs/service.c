/* service.c: CloudWatch Logs' own words for what every service has. */
#include "aws/logs/dialect.h"

/* What the uniform way calls a ValidationException is an InvalidParameterException here (recorded). */
static void complete_error(Call *call)
{
    if (call->error == &common_validation)
        call_fail(call, &logs_error_invalid_parameter_exception, "%.*s", SLICE_PRINT(call->error_message));
}

Error logs_invalid(Call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Slice text = arena_vformat(call->arena, format, arguments);
    va_end(arguments);
    return call_fail(call, &logs_error_invalid_parameter_exception, "%.*s", SLICE_PRINT(text));
}

Error logs_not_implemented(Call *call, const char *feature)
{
    return call_fail(call, &common_not_implemented, "Brume does not implement %s.", feature);
}

Error logs_refuse_token(Call *call)
{
    return logs_invalid(call, "The specified nextToken is invalid.");
}

typedef struct CoreRow {
    Error code;
    const ApiError *error;
    const char *message;
} CoreRow;

static const CoreRow core_rows[] = {
    {LOG_GROUP_NOT_FOUND, &logs_error_resource_not_found_exception, "The specified log group does not exist."},
    {LOG_GROUP_EXISTS, &logs_error_resource_already_exists_exception, "The specified log group already exists"},
    {LOG_STREAM_NOT_FOUND, &logs_error_resource_not_found_exception, "The specified log stream does not exist."},
    {LOG_STREAM_EXISTS, &logs_error_resource_already_exists_exception, "The specified log stream already exists"},
    {LOG_PLACE_INVALID, &logs_error_invalid_parameter_exception, "The specified nextToken is invalid."},
    {ERROR_BUSY, &common_throttling, "Rate exceeded"},
};

static Error core_error(Call *call, Error error)
{
    for (size_t i = 0; i < sizeof core_rows / sizeof core_rows[0]; i++)
        if (core_rows[i].code == error)
            return call_fail(call, core_rows[i].error, "%s", core_rows[i].message);
    return OK;
}

/* Names that are too long are told of in words of their own (recorded). */
static Error violation(Call *call, const Violation *violation)
{
    bool is_name = violation->member != NULL && (slice_equal(violation->member->name, SLICE("logGroupName")) ||
                                                 slice_equal(violation->member->name, SLICE("logStreamName")));
    if (!is_name || violation->kind != VIOLATION_LENGTH_MAX)
        return OK;
    return logs_invalid(call, "Invalid LogGroup or LogStream, both must have length less than or equal to 512.");
}

/* Everything of a group changes at its home, whichever way it was named. */
static Home home(const Call *call, Slice value)
{
    Slice name = value;
    logs_group_name(call, value, &name);
    return log_home(call->actor.account, call->actor.region, name);
}

const ServiceHooks logs_hooks = {
    .violation = violation,
    .complete_error = complete_error,
    .core_error = core_error,
    .home = home,
};

/* service.c: Lambda's own words for what every service has. */
#include "aws/lambda/layers.h"
#include "aws/lambda/mapping.h"
#include "aws/wire/codec.h"

/* Lambda API reference, "Errors": Type is "User" where the caller is at fault, else "Service". What cannot be read at all
 * has a name of its own here. */
static void complete_error(Call *call)
{
    if (call->error == &common_serialization)
        call_fail(call, &lambda_error_invalid_request_content_exception, "Could not parse request body into json: %.*s",
                  SLICE_PRINT(call->error_message));
    const Member *type = call->error->shape == NULL ? NULL : shape_member(call->error->shape, SLICE("Type"));
    if (type != NULL)
        *(Slice *)member_value(type, call_error_members(call)) = call->error->sender ? SLICE("User") : SLICE("Service");
}

/* ---- Refusals ---- */

static Error fail_with(Call *call, const ApiError *error, const char *format, va_list arguments)
{
    Slice text = arena_vformat(call->arena, format, arguments);
    return call_fail(call, error, "%.*s", SLICE_PRINT(text));
}

Error lambda_invalid(Call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Error error = fail_with(call, &lambda_error_invalid_parameter_value_exception, format, arguments);
    va_end(arguments);
    return error;
}

Error lambda_not_found(Call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Error error = fail_with(call, &lambda_error_resource_not_found_exception, format, arguments);
    va_end(arguments);
    return error;
}

Error lambda_conflict(Call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Error error = fail_with(call, &lambda_error_resource_conflict_exception, format, arguments);
    va_end(arguments);
    return error;
}

Error lambda_denied(Call *call, const char *action, Slice arn)
{
    return call_fail(call, &common_access_denied,
                     "User: %.*s is not authorized to perform: %s on resource: %.*s because no resource-based policy "
                     "allows the %s action",
                     SLICE_PRINT(call->actor.principal_arn), action, SLICE_PRINT(arn), action);
}

Error lambda_not_implemented(Call *call, const char *feature)
{
    return call_fail(call, &common_not_implemented, "Brume does not implement %s.", feature);
}

Error lambda_check_revision(Call *call, Slice given, Slice revision_id, const char *operation)
{
    if (given.data == NULL || slice_equal(given, revision_id))
        return OK;
    return call_fail(call, &lambda_error_precondition_failed_exception,
                     "The Revision Id provided does not match the latest Revision Id. Call the %s API to retrieve the "
                     "latest Revision Id",
                     operation);
}

static Error refuse_state(Call *call, const char *state)
{
    return lambda_conflict(call,
                           "The operation cannot be performed at this time. The function is currently in the following "
                           "state: %s",
                           state);
}

Error lambda_refuse(Call *call, const LambdaName *name, Error error)
{
    switch (error) {
    case FUNCTION_NOT_FOUND:
    case FUNCTION_VERSION_NOT_FOUND:
    case FUNCTION_ALIAS_NOT_FOUND:
        return lambda_not_found(call, "Function not found: %.*s", SLICE_PRINT(lambda_arn_of(call, name)));
    case FUNCTION_EXISTS:
        return lambda_conflict(call, "Function already exist: %.*s", SLICE_PRINT(name->name));
    case FUNCTION_UPDATING:
        return lambda_conflict(call,
                               "The operation cannot be performed at this time. An update is in progress for resource: "
                               "%.*s",
                               SLICE_PRINT(lambda_arn_of(call, name)));
    case FUNCTION_PENDING:
        return refuse_state(call, "Pending");
    case FUNCTION_INACTIVE:
        return refuse_state(call, "Inactive");
    case FUNCTION_FAILED:
        return refuse_state(call, "Failed");
    case FUNCTION_TENANT_MISSING:
        return lambda_invalid(call,
                              "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in "
                              "your request and try again.");
    case FUNCTION_TENANT_UNKNOWN:
        return lambda_invalid(call,
                              "The invoked function is not enabled with tenancy configuration. Remove the tenant ID "
                              "from your request and try again.");
    default:
        return error;
    }
}

Error lambda_refuse_qualified(Call *call, const LambdaName *name, Error error)
{
    uint64_t number;
    bool missing = error == FUNCTION_ALIAS_NOT_FOUND || error == FUNCTION_VERSION_NOT_FOUND;
    if (missing && slice_find(name->qualifier, '$') == name->qualifier.size &&
        !slice_parse_uint64(name->qualifier, &number))
        return lambda_not_found(call, "Cannot find alias arn: %.*s", SLICE_PRINT(lambda_arn_of(call, name)));
    return lambda_refuse(call, name, error);
}

/* ---- Packages ---- */

typedef struct PackageRow {
    Error code;
    const char *why; /* behind AWS's own words; NULL: they say enough */
} PackageRow;

static const PackageRow package_rows[] = {
    {PACKAGE_NO_ZIP, NULL},
    {PACKAGE_TOO_MANY_FILES, "It has more than LAMBDA_CODE_FILES files."},
    {PACKAGE_NAME, "A file in it would lie outside of it, or has a name that no file can have."},
    {PACKAGE_LINK, "A symbolic link in it leads out of it, or is none."},
    {PACKAGE_REPEATED, "It has two files of one name."},
    {PACKAGE_ENCRYPTED, "A file in it is encrypted."},
    {PACKAGE_METHOD, "A file in it is packed in another way than stored or deflated."},
};

static Error refuse_package(Call *call, Error error)
{
    const uint64_t *limits = call->limits->value;
    if (error == PACKAGE_EMPTY)
        return lambda_invalid(call, "Uploaded file must be a non-empty zip");
    if (error == PACKAGE_UNZIPPED_TOO_LARGE)
        return lambda_invalid(call, "Unzipped size must be smaller than %ju bytes",
                              (uintmax_t)limits[LIMIT_LAMBDA_CODE_UNZIPPED_BYTES]);
    if (error == PACKAGE_TOO_LARGE)
        return lambda_invalid(call, "Zipped size must be smaller than %ju bytes",
                              (uintmax_t)limits[LIMIT_LAMBDA_CODE_ZIPPED_BYTES]);
    for (size_t i = 0; i < sizeof package_rows / sizeof package_rows[0]; i++)
        if (package_rows[i].code == error)
            return lambda_invalid(
                call, "Could not unzip uploaded file. Please check your file, then try to upload again.%s%s",
                package_rows[i].why == NULL ? "" : " ", package_rows[i].why == NULL ? "" : package_rows[i].why);
    return OK;
}

/* ---- Hooks ---- */

/* Both Invokes are one operation there, with an error of its own. */
static Error refuse_size(Call *call)
{
    bool invokes = slice_starts_with(call->operation->name, SLICE("Invoke"));
    return call_fail(call, invokes ? &lambda_error_request_too_large_exception : &common_request_too_large,
                     "Request must be smaller than %ju bytes for the %.*s operation",
                     (uintmax_t)call->limits->value[call->operation->body_limit],
                     SLICE_PRINT(invokes ? SLICE("InvokeFunction") : call->operation->name));
}

static Error core_error(Call *call, Error error)
{
    if (error == ERROR_BUSY) {
        Error refused = call_fail(call, &lambda_error_too_many_requests_exception, "Rate exceeded");
        LambdaTooManyRequestsException *members = call_error_members(call);
        members->reason = SLICE("CallerRateLimitExceeded");
        return refused;
    }
    if (error == ERROR_TOO_LARGE && call->operation != NULL)
        return refuse_size(call);
    if (error == FUNCTION_CODE_STORAGE)
        return call_fail(call, &lambda_error_code_storage_exceeded_exception, "Code storage limit exceeded.");
    return refuse_package(call, error);
}

/* A function, or a layer, changes at its own home, whichever way it was named. */
static Home home(const Call *call, Slice value)
{
    LambdaName name = {0};
    LayerName layer;
    if (slice_ends_with(call->operation->name, SLICE("EventSourceMapping")))
        return mapping_home(call->actor.account, call->actor.region);
    if (slice_equal(call->operation->home->name, SLICE("LayerName"))) {
        lambda_read_layer_name(call, value, &layer);
        return layer_home(layer.account, layer.region, layer.name);
    }
    lambda_split_name(value, &name);
    Slice account = name.account.data == NULL ? call->actor.account : name.account;
    return function_home(account, call->actor.region, name.name);
}

const ServiceHooks lambda_hooks = {
    .complete_error = complete_error,
    .core_error = core_error,
    .home = home,
};

#include "aws/lambda/dialect.h"
#include "base/time_format.h"
#include "core/function_url.h"

/* CreateFunctionUrlConfig, GetFunctionUrlConfig, ListFunctionUrlConfigs, UpdateFunctionUrlConfig, DeleteFunctionUrlConfig.
 * What is answered at the URLs is url_*.c's. */

/* ---- Outputs ---- */

/* "http://ID.lambda-url.REGION.localhost:4566/", by the scheme and port that the client called: names below localhost are
 * this machine to every client (RFC 6761 section 6.3). */
static Slice url_of(Call *call, const Function *function, const FunctionUrl *url)
{
    Slice scheme = slice_starts_with(call->endpoint, SLICE("https:")) ? SLICE("https") : SLICE("http");
    Slice port = call->endpoint;
    while (port.size > 0 && port.data[port.size - 1] >= '0' && port.data[port.size - 1] <= '9')
        port.size--;
    port = slice_make(port.data + port.size, call->endpoint.size - port.size);
    bool has_port = port.size > 0 && port.data > call->endpoint.data && port.data[-1] == ':';
    return arena_format(call->arena, "%.*s://%.*s.lambda-url.%.*s.localhost%s%.*s/", SLICE_PRINT(scheme),
                        SLICE_PRINT(url->id), SLICE_PRINT(function->region), has_port ? ":" : "",
                        SLICE_PRINT(has_port ? port : SLICE("")));
}

static Slice time_of(Call *call, uint64_t ms)
{
    return time_format_iso_ms((int64_t)ms, arena_alloc(call->arena, TIME_TEXT_MAX));
}

static LambdaCors *cors_of(Call *call, const FunctionUrlCors *cors)
{
    LambdaCors *out = ARENA_NEW(call->arena, LambdaCors);
    *out = (LambdaCors){
        .allow_credentials = cors->credentials,
        .has_allow_credentials = cors->has_credentials,
        .allow_headers = {cors->headers.items, cors->headers.count},
        .allow_methods = {cors->methods.items, cors->methods.count},
        .allow_origins = {cors->origins.items, cors->origins.count},
        .expose_headers = {cors->exposed_headers.items, cors->exposed_headers.count},
        .max_age = (int32_t)cors->max_age_s,
        .has_max_age = cors->has_max_age,
    };
    return out;
}

static void show(Call *call, const Function *function, const FunctionUrl *url, LambdaFunctionUrlConfig *out)
{
    *out = (LambdaFunctionUrlConfig){
        .function_url = url_of(call, function, url),
        .function_arn = function_arn(call->arena, function->account, function->region, function->name, url->qualifier),
        .creation_time = time_of(call, url->created_ms),
        .last_modified_time = time_of(call, url->modified_ms),
        .cors = url->has_cors ? cors_of(call, &url->cors) : NULL,
        .auth_type = url->is_signed ? SLICE("AWS_IAM") : SLICE("NONE"),
        .invoke_mode = url->is_streamed ? SLICE("RESPONSE_STREAM") : SLICE("BUFFERED"),
    };
}

/* ---- Inputs ---- */

static const Slice no_qualifier = SLICE_INIT("");

/* A function or alias that is not there, in the words of these operations. */
static Error open_function(Call *call, Txn *txn, Slice text, Slice qualifier, const char *missing, LambdaName *name,
                           Function *function)
{
    FunctionAlias alias;
    Error error = lambda_find(call, txn, text, qualifier, name, function);
    if (name->qualifier.data == NULL)
        name->qualifier = no_qualifier;
    if (error == OK && name->qualifier.size > 0)
        error = function_alias_get(txn, function, name->qualifier, &alias);
    if (error == FUNCTION_NOT_FOUND || error == FUNCTION_ALIAS_NOT_FOUND)
        return lambda_not_found(call, "%s", missing);
    return error;
}

static const char no_function[] = "Function does not exist";
static const char no_resource[] = "The resource you requested does not exist.";

static Error refuse(Call *call, Error error)
{
    return error == FUNCTION_URL_NOT_FOUND ? lambda_not_found(call, no_resource) : error;
}

/* Lambda API reference, "Cors": AllowMethods; no name has more than the declared 6 letters, so that OPTIONS is none. */
static Error check_methods(Call *call, const LambdaAllowMethodsList *methods)
{
    static const Slice known[] = {SLICE_INIT("*"),   SLICE_INIT("GET"),    SLICE_INIT("HEAD"), SLICE_INIT("POST"),
                                  SLICE_INIT("PUT"), SLICE_INIT("DELETE"), SLICE_INIT("PATCH")};
    for (size_t i = 0; i < methods->count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || slice_equal(known[k], methods->items[i]);
        if (!found)
            return lambda_invalid(call,
                                  "Cors.AllowMethods has %.*s: it may have *, GET, HEAD, POST, PUT, DELETE, PATCH.",
                                  SLICE_PRINT(methods->items[i]));
    }
    return OK;
}

/* "*", or a scheme and a host: what browsers send as Origin. */
static Error check_origins(Call *call, const LambdaAllowOriginsList *origins)
{
    for (size_t i = 0; i < origins->count; i++) {
        Slice origin = origins->items[i];
        size_t colon = slice_find(origin, ':');
        bool form =
            slice_equal(origin, SLICE("*")) ||
            (colon > 0 && colon + 3 < origin.size && slice_starts_with(slice_skip(origin, colon), SLICE("://")) &&
             slice_find(slice_skip(origin, colon + 3), '/') == origin.size - colon - 3);
        if (!form)
            return lambda_invalid(call, "Cors.AllowOrigins has %.*s: an origin is *, or as https://www.example.com.",
                                  SLICE_PRINT(origin));
    }
    return OK;
}

static Error read_cors(Call *call, const LambdaCors *cors, FunctionUrl *url)
{
    TRY(check_methods(call, &cors->allow_methods));
    TRY(check_origins(call, &cors->allow_origins));
    url->cors = (FunctionUrlCors){
        .origins = {cors->allow_origins.items, cors->allow_origins.count},
        .methods = {cors->allow_methods.items, cors->allow_methods.count},
        .headers = {cors->allow_headers.items, cors->allow_headers.count},
        .exposed_headers = {cors->expose_headers.items, cors->expose_headers.count},
        .has_credentials = cors->has_allow_credentials,
        .credentials = cors->allow_credentials,
        .has_max_age = cors->has_max_age,
        .max_age_s = (uint64_t)cors->max_age,
    };
    /* Nothing in it is none: so an update takes it away. */
    url->has_cors = cors->allow_origins.items != NULL || cors->allow_methods.items != NULL ||
                    cors->allow_headers.items != NULL || cors->expose_headers.items != NULL ||
                    cors->has_allow_credentials || cors->has_max_age;
    return OK;
}

/* ---- Operations ---- */

Error lambda_create_function_url_config(Call *call, Txn *txn, const CreateFunctionUrlConfigInput *in,
                                        CreateFunctionUrlConfigOutput *out)
{
    LambdaName name;
    Function function;
    TRY(open_function(call, txn, in->function_name, in->qualifier, no_function, &name, &function));
    FunctionUrl url = {
        .qualifier = name.qualifier,
        .is_signed = slice_equal(in->auth_type, SLICE("AWS_IAM")),
        .is_streamed = slice_equal(in->invoke_mode, SLICE("RESPONSE_STREAM")),
    };
    if (in->cors != NULL)
        TRY(read_cors(call, in->cors, &url));
    Error error = function_url_create(txn, &function, &url);
    if (error == FUNCTION_URL_EXISTS)
        return lambda_conflict(call,
                               "Failed to create function url config for [functionArn = %.*s]. Error message:  "
                               "FunctionUrlConfig exists for this Lambda function",
                               SLICE_PRINT(lambda_arn_of(call, &name)));
    TRY(error);
    show(call, &function, &url, out);
    out->last_modified_time = (Slice){0};
    out->invoke_mode = in->invoke_mode;
    return OK;
}

Error lambda_get_function_url_config(Call *call, Txn *txn, const GetFunctionUrlConfigInput *in,
                                     GetFunctionUrlConfigOutput *out)
{
    LambdaName name;
    Function function;
    FunctionUrl url;
    TRY(open_function(call, txn, in->function_name, in->qualifier, no_resource, &name, &function));
    TRY(refuse(call, function_url_get(txn, &function, name.qualifier, &url)));
    show(call, &function, &url, out);
    return OK;
}

Error lambda_list_function_url_configs(Call *call, Txn *txn, const ListFunctionUrlConfigsInput *in,
                                       ListFunctionUrlConfigsOutput *out)
{
    LambdaName name;
    Function function;
    FunctionPage page;
    FunctionUrl *urls;
    size_t count;
    TRY(open_function(call, txn, in->function_name, (Slice){0}, no_function, &name, &function));
    TRY(lambda_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(function_url_list(txn, &function, &page, &urls, &count));
    out->function_url_configs.items = ARENA_ARRAY(call->arena, LambdaFunctionUrlConfig, count + 1);
    out->function_url_configs.count = count;
    for (size_t i = 0; i < count; i++)
        show(call, &function, &urls[i], &out->function_url_configs.items[i]);
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}

Error lambda_update_function_url_config(Call *call, Txn *txn, const UpdateFunctionUrlConfigInput *in,
                                        UpdateFunctionUrlConfigOutput *out)
{
    LambdaName name;
    Function function;
    FunctionUrl url;
    TRY(open_function(call, txn, in->function_name, in->qualifier, no_function, &name, &function));
    TRY(refuse(call, function_url_get(txn, &function, name.qualifier, &url)));
    if (in->auth_type.data != NULL)
        url.is_signed = slice_equal(in->auth_type, SLICE("AWS_IAM"));
    if (in->invoke_mode.data != NULL)
        url.is_streamed = slice_equal(in->invoke_mode, SLICE("RESPONSE_STREAM"));
    if (in->cors != NULL)
        TRY(read_cors(call, in->cors, &url));
    function_url_put(txn, &function, &url);
    show(call, &function, &url, out);
    out->invoke_mode = in->invoke_mode;
    return OK;
}

Error lambda_delete_function_url_config(Call *call, Txn *txn, const DeleteFunctionUrlConfigInput *in,
                                        DeleteFunctionUrlConfigOutput *out)
{
    (void)out;
    LambdaName name;
    Function function;
    TRY(open_function(call, txn, in->function_name, in->qualifier, no_resource, &name, &function));
    return refuse(call, function_url_delete(txn, &function, name.qualifier));
}

#include "aws/lambda/dialect.h"
#include "core/invoker.h"

/* GetFunction, GetFunctionConfiguration, ListFunctions, GetFunctionCodeSigningConfig, UpdateFunctionConfiguration,
 * DeleteFunction. */

/* ---- Asking ---- */

static Error open_named(Call *call, Txn *txn, Slice text, Slice qualifier, LambdaName *name, Function *function,
                        FunctionVersion *version)
{
    TRY(lambda_open(call, txn, text, qualifier, name, function));
    return lambda_open_version(call, txn, name, function, version);
}

/* The ARN of what was asked for: an alias's, where one was named. */
static void say_arn(Call *call, const LambdaName *name, LambdaFunctionConfiguration *out)
{
    if (name->qualifier.data != NULL)
        out->function_arn = lambda_arn_of(call, name);
}

Slice lambda_package_link(Call *call, Slice folder)
{
    Packages *packages = call_packages(call);
    if (packages == NULL)
        return (Slice){0};
    uint64_t expires_ms = call->wall_ms + PACKAGE_LINK_MS;
    return arena_format(call->arena, "%.*s/_brume/functions/%.*s?expires=%ju&proof=%.*s", SLICE_PRINT(call->endpoint),
                        SLICE_PRINT(folder), (uintmax_t)expires_ms,
                        SLICE_PRINT(packages_sign(packages, call->arena, folder, expires_ms)));
}

static LambdaFunctionCodeLocation *location_of(Call *call, const FunctionVersion *version)
{
    LambdaFunctionCodeLocation *location = ARENA_NEW(call->arena, LambdaFunctionCodeLocation);
    location->repository_type = SLICE("S3");
    location->location = lambda_package_link(call, version->code);
    return location;
}

Error lambda_get_function(Call *call, Txn *txn, const GetFunctionInput *in, GetFunctionOutput *out)
{
    LambdaName name;
    Function function;
    FunctionVersion version;
    TRY(open_named(call, txn, in->function_name, in->qualifier, &name, &function, &version));
    out->configuration = ARENA_NEW(call->arena, LambdaFunctionConfiguration);
    lambda_configuration_of(call, &version, false, LAMBDA_FULL, out->configuration);
    say_arn(call, &name, out->configuration);
    out->code = location_of(call, &version);
    out->tags = lambda_tags_of(call, &function.tags);
    if (function.has_reserved) {
        out->concurrency = ARENA_NEW(call->arena, LambdaConcurrency);
        out->concurrency->reserved_concurrent_executions = (int32_t)function.reserved;
        out->concurrency->has_reserved_concurrent_executions = true;
    }
    return OK;
}

Error lambda_get_function_configuration(Call *call, Txn *txn, const GetFunctionConfigurationInput *in,
                                        GetFunctionConfigurationOutput *out)
{
    LambdaName name;
    Function function;
    FunctionVersion version;
    TRY(open_named(call, txn, in->function_name, in->qualifier, &name, &function, &version));
    lambda_configuration_of(call, &version, false, LAMBDA_FULL, out);
    say_arn(call, &name, out);
    return OK;
}

Error lambda_list_functions(Call *call, Txn *txn, const ListFunctionsInput *in, ListFunctionsOutput *out)
{
    FunctionPage page;
    FunctionVersion *versions;
    size_t count;
    bool all = in->function_version.data != NULL;
    if (in->master_region.data != NULL)
        return lambda_not_implemented(call, "MasterRegion: there are no functions at edge locations");
    TRY(lambda_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    Error error = function_list(txn, call->actor.account, call->actor.region, all, &page, &versions, &count);
    if (error == FUNCTION_PLACE_INVALID)
        return lambda_refuse_marker(call);
    TRY(error);
    out->functions = (LambdaFunctionList){ARENA_ARRAY(call->arena, LambdaFunctionConfiguration, count + 1), count};
    for (size_t i = 0; i < count; i++)
        lambda_configuration_of(call, &versions[i], all, LAMBDA_LISTED, &out->functions.items[i]);
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}

/* No function has one: they are refused where they would be set. Terraform asks of each function. */
Error lambda_get_function_code_signing_config(Call *call, Txn *txn, const GetFunctionCodeSigningConfigInput *in,
                                              GetFunctionCodeSigningConfigOutput *out)
{
    LambdaName name;
    Function function;
    TRY(lambda_open(call, txn, in->function_name, (Slice){0}, &name, &function));
    out->function_name = name.name;
    return OK;
}

/* ---- Changing ---- */

Error lambda_update_function_configuration(Call *call, Txn *txn, const UpdateFunctionConfigurationInput *in,
                                           UpdateFunctionConfigurationOutput *out)
{
    LambdaName name;
    Function function;
    FunctionVersion latest;
    TRY(lambda_check_elsewhere(call, in->vpc_config, &in->file_system_configs, in->kms_key_arn));
    TRY(lambda_check_absent(call, in->image_config, "ImageConfig"));
    TRY(lambda_check_absent(call, in->capacity_provider_config, "CapacityProviderConfig"));
    TRY(lambda_check_absent(call, in->durable_config, "DurableConfig"));
    TRY(lambda_check_absent(call, in->runtime_config, "RuntimeConfig"));
    TRY(lambda_check_absent(call, in->accelerator_config, "AcceleratorConfig"));
    TRY(lambda_open(call, txn, in->function_name, (Slice){0}, &name, &function));
    TRY(function_version_get(txn, &function, SLICE("$LATEST"), &latest));
    TRY(lambda_check_revision(call, in->revision_id, latest.revision_id, "GetFunction/GetAlias"));
    LambdaSettings settings = LAMBDA_SETTINGS_OF(in);
    TRY(lambda_apply_settings(call, txn, &settings, &latest));
    uint64_t code_limit = call->limits->value[LIMIT_LAMBDA_CODE_STORAGE_BYTES];
    TRY(lambda_refuse(call, &name, function_latest_put(txn, &function, &latest, code_limit)));
    if (in->runtime.data != NULL && call_invoker(call) != NULL)
        invoker_warm(call_invoker(call), latest.runtime);
    lambda_configuration_of(call, &latest, false, LAMBDA_FULL, out);
    return OK;
}

/* ---- Deleting ---- */

/* Says which aliases hold a version, as AWS does. */
static Error refuse_used_version(Call *call, Txn *txn, const Function *function, Slice version)
{
    FunctionPage page = {.limit = LAMBDA_PAGE};
    FunctionAlias *aliases;
    size_t count;
    Buffer names = buffer_make(call->arena);
    TRY(function_alias_list(txn, function, version, &page, &aliases, &count));
    for (size_t i = 0; i < count; i++)
        buffer_add_format(&names, "%s%.*s", i > 0 ? ", " : "", SLICE_PRINT(aliases[i].name));
    return lambda_conflict(call, "Unable to delete version because the following aliases reference it: [%.*s]",
                           SLICE_PRINT(buffer_slice(&names)));
}

static Error delete_version(Call *call, Txn *txn, const Function *function, Slice qualifier)
{
    FunctionAlias alias;
    if (function_alias_get(txn, function, qualifier, &alias) == OK)
        return lambda_invalid(call, "Deletion of aliases is not currently supported.");
    Error error = function_version_delete(txn, function, qualifier);
    return error == FUNCTION_VERSION_IN_USE ? refuse_used_version(call, txn, function, qualifier) : error;
}

Error lambda_delete_function(Call *call, Txn *txn, const DeleteFunctionInput *in, DeleteFunctionOutput *out)
{
    LambdaName name;
    Function function;
    TRY(lambda_read_name(call, in->function_name, in->qualifier, &name));
    if (slice_equal(name.qualifier, SLICE("$LATEST")))
        return lambda_invalid(call, "$LATEST version cannot be deleted without deleting the function.");
    Slice qualifier = name.qualifier;
    name.qualifier = (Slice){0};
    TRY(lambda_refuse(call, &name, function_open(txn, name.account, name.region, name.name, &function)));
    TRY(qualifier.data == NULL ? function_delete(txn, &function) : delete_version(call, txn, &function, qualifier));
    out->status_code = 204;
    out->has_status_code = true;
    return OK;
}

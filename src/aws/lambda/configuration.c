/* configuration.c: a version of a function as FunctionConfiguration. */
#include "aws/lambda/dialect.h"

#include "base/digest.h"
#include "base/time_format.h"

/* Slices of core live as long as the transaction. */
static Slice keep(Call *call, Slice slice)
{
    return slice.data == NULL ? slice : arena_copy(call->arena, slice);
}

/* 2015-03-31T12:00:00.000+0000 (Lambda API reference, FunctionConfiguration: LastModified). */
static Slice modified_of(Call *call, uint64_t modified_ms)
{
    char text[TIME_TEXT_MAX];
    Slice time = time_format_iso_ms((int64_t)modified_ms, text);
    return arena_format(call->arena, "%.*s+0000", (int)time.size - 1, time.data);
}

Slice lambda_runtime_version_arn(Call *call, Slice region, Slice runtime)
{
    unsigned char digest[SHA256_SIZE];
    sha256(runtime, digest);
    return arena_format(call->arena, "arn:aws:lambda:%.*s::runtime:%.*s", SLICE_PRINT(region),
                        SLICE_PRINT(hex_encode(call->arena, digest, sizeof digest)));
}

static LambdaEnvironmentResponse *environment_of(Call *call, const FunctionVersion *version)
{
    if (version->environment.items == NULL)
        return NULL;
    LambdaEnvironmentResponse *environment = ARENA_NEW(call->arena, LambdaEnvironmentResponse);
    size_t count = version->environment.count;
    environment->variables =
        (LambdaEnvironmentVariables){ARENA_ARRAY(call->arena, LambdaEnvironmentVariablesEntry, count + 1), count};
    for (size_t i = 0; i < count; i++)
        environment->variables.items[i] = (LambdaEnvironmentVariablesEntry){
            keep(call, version->environment.items[i].key), keep(call, version->environment.items[i].value)};
    return environment;
}

static LambdaLayersReferenceList layers_of(Call *call, const FunctionVersion *version)
{
    if (version->layer_count == 0)
        return (LambdaLayersReferenceList){0};
    LambdaLayersReferenceList layers = {ARENA_ARRAY(call->arena, LambdaLayer, version->layer_count),
                                        version->layer_count};
    for (size_t i = 0; i < version->layer_count; i++)
        layers.items[i] = (LambdaLayer){.arn = keep(call, version->layers[i].arn),
                                        .code_size = (int64_t)version->layers[i].code_bytes,
                                        .has_code_size = true};
    return layers;
}

static LambdaLoggingConfig *logging_of(Call *call, const FunctionVersion *version)
{
    LambdaLoggingConfig *logging = ARENA_NEW(call->arena, LambdaLoggingConfig);
    logging->log_format = keep(call, version->log_format);
    logging->application_log_level = keep(call, version->application_log_level);
    logging->system_log_level = keep(call, version->system_log_level);
    logging->log_group = keep(call, version->log_group);
    return logging;
}

static LambdaSnapStartResponse *snap_start_of(Call *call, const FunctionVersion *version)
{
    LambdaSnapStartResponse *snap_start = ARENA_NEW(call->arena, LambdaSnapStartResponse);
    bool on = version->snap_start && !slice_equal(version->version, SLICE("$LATEST"));
    snap_start->apply_on = version->snap_start ? SLICE("PublishedVersions") : SLICE("None");
    snap_start->optimization_status = on ? SLICE("On") : SLICE("Off");
    return snap_start;
}

/* What is there of some functions only. */
static void add_optional(Call *call, const FunctionVersion *version, LambdaFunctionConfiguration *out)
{
    if (version->dead_letter_arn.size > 0) {
        out->dead_letter_config = ARENA_NEW(call->arena, LambdaDeadLetterConfig);
        out->dead_letter_config->target_arn = keep(call, version->dead_letter_arn);
    }
    if (version->tenant_isolated) {
        out->tenancy_config = ARENA_NEW(call->arena, LambdaTenancyConfig);
        out->tenancy_config->tenant_isolation_mode = SLICE("PER_TENANT");
    }
}

static void add_state(Call *call, const FunctionVersion *version, LambdaFunctionConfiguration *out)
{
    out->state = keep(call, version->state);
    out->state_reason = keep(call, version->state_reason);
    out->state_reason_code = keep(call, version->state_reason_code);
    out->last_update_status = keep(call, version->update_status);
    out->last_update_status_reason = keep(call, version->update_reason);
    out->last_update_status_reason_code = keep(call, version->update_reason_code);
    out->runtime_version_config = ARENA_NEW(call->arena, LambdaRuntimeVersionConfig);
    out->runtime_version_config->runtime_version_arn =
        lambda_runtime_version_arn(call, version->region, version->runtime);
}

void lambda_configuration_of(Call *call, const FunctionVersion *version, bool qualified, LambdaDetail detail,
                             LambdaFunctionConfiguration *out)
{
    Slice *architecture = ARENA_NEW(call->arena, Slice);
    *architecture = keep(call, version->architecture);
    *out = (LambdaFunctionConfiguration){
        .function_name = keep(call, version->name),
        .function_arn = function_arn(call->arena, version->account, version->region, version->name,
                                     qualified ? version->version : (Slice){0}),
        .runtime = keep(call, version->runtime),
        .role = keep(call, version->role_arn),
        .handler = keep(call, version->handler),
        .code_size = (int64_t)version->code_bytes,
        .has_code_size = true,
        .description = keep(call, version->description),
        .timeout = (int32_t)version->timeout_s,
        .has_timeout = true,
        .memory_size = (int32_t)version->memory_mb,
        .has_memory_size = true,
        .last_modified = modified_of(call, version->modified_ms),
        .code_sha256 = keep(call, version->code_sha256),
        .version = keep(call, version->version),
        .environment = environment_of(call, version),
        .tracing_config = ARENA_NEW(call->arena, LambdaTracingConfigResponse),
        .revision_id = keep(call, version->revision_id),
        .layers = layers_of(call, version),
        .package_type = SLICE("Zip"),
        .architectures = {architecture, 1},
        .ephemeral_storage = ARENA_NEW(call->arena, LambdaEphemeralStorage),
        .snap_start = snap_start_of(call, version),
        .logging_config = logging_of(call, version),
    };
    out->tracing_config->mode = keep(call, version->trace_mode);
    out->ephemeral_storage->size = (int32_t)version->tmp_mb;
    out->ephemeral_storage->has_size = true;
    add_optional(call, version, out);
    if (detail == LAMBDA_FULL)
        add_state(call, version, out);
}

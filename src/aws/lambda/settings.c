/* settings.c: what a function's configuration may be. */
#include "aws/lambda/dialect.h"

#include "base/json.h"
#include "core/policy_document.h"
#include "core/queue.h"

enum {
    TAGS_MAX = 50, /* Lambda developer guide, "Using tags on Lambda functions" */
};

/* ---- Members that are not there ---- */

Error lambda_check_absent(Call *call, Slice member, const char *name)
{
    return member.data == NULL || slice_equal(member, SLICE("null")) ? OK : lambda_not_implemented(call, name);
}

Error lambda_check_elsewhere(Call *call, const LambdaVpcConfig *vpc, const LambdaFileSystemConfigList *file_systems,
                             Slice kms_key_arn)
{
    if (vpc != NULL && (vpc->subnet_ids.count > 0 || vpc->security_group_ids.count > 0))
        return lambda_not_implemented(call, "VpcConfig: functions share the host's network, or are isolated");
    if (file_systems->count > 0)
        return lambda_not_implemented(call, "FileSystemConfigs");
    return kms_key_arn.size > 0 ? lambda_not_implemented(call, "KMSKeyArn") : OK;
}

/* ---- Environment ---- */

/* Lambda developer guide, "Defined runtime environment variables": those that are reserved. */
static const char *const reserved_keys[] = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
};

static bool is_reserved(Slice key)
{
    for (size_t i = 0; i < sizeof reserved_keys / sizeof reserved_keys[0]; i++)
        if (slice_equal(slice_of_string(reserved_keys[i]), key))
            return true;
    return false;
}

/* AWS measures the variables as the JSON that it keeps them in. */
static Error check_environment_size(Call *call, const LambdaEnvironmentVariables *variables)
{
    Buffer json = buffer_make(call->arena);
    JsonWriter writer = json_writer(&json);
    json_write_object_begin(&writer);
    for (size_t i = 0; i < variables->count; i++) {
        json_write_name(&writer, variables->items[i].key);
        json_write_string(&writer, variables->items[i].value);
    }
    json_write_object_end(&writer);
    uint64_t most = call->limits->value[LIMIT_LAMBDA_ENVIRONMENT_BYTES];
    if (json.size <= most)
        return OK;
    return lambda_invalid(call,
                          "Lambda was unable to configure your environment variables because the environment variables "
                          "you have provided exceeded the %juKB limit. String measured: %.*s",
                          (uintmax_t)(most / 1024), SLICE_PRINT(buffer_slice(&json)));
}

static Error check_reserved_keys(Call *call, const LambdaEnvironmentVariables *variables)
{
    Buffer keys = buffer_make(call->arena);
    for (size_t i = 0; i < variables->count; i++) {
        if (!is_reserved(variables->items[i].key))
            continue;
        if (keys.size > 0)
            BUFFER_ADD(&keys, ", ");
        buffer_add(&keys, variables->items[i].key);
    }
    if (keys.size == 0)
        return OK;
    return lambda_invalid(call,
                          "Lambda was unable to configure your environment variables because the environment variables "
                          "you have provided contains reserved keys that are currently not supported for modification. "
                          "Reserved keys used in this request: %.*s",
                          SLICE_PRINT(buffer_slice(&keys)));
}

static Error apply_environment(Call *call, const LambdaEnvironment *environment, FunctionVersion *version)
{
    const LambdaEnvironmentVariables *variables = &environment->variables;
    TRY(check_reserved_keys(call, variables));
    TRY(check_environment_size(call, variables));
    /* Without variables it is there, and empty. */
    version->environment = (Labels){ARENA_ARRAY(call->arena, Label, variables->count + 1), variables->count};
    for (size_t i = 0; i < variables->count; i++) {
        if (memchr(variables->items[i].value.data, '\0', variables->items[i].value.size) != NULL)
            return lambda_invalid(call, "The value of the environment variable %.*s has a NUL.",
                                  SLICE_PRINT(variables->items[i].key));
        version->environment.items[i] = (Label){variables->items[i].key, variables->items[i].value};
    }
    return OK;
}

/* ---- Logging ---- */

/* JSON has levels, Text has none (Lambda developer guide, "Configuring JSON and plain text log formats"). */
static Error apply_logging(Call *call, const LambdaLoggingConfig *logging, FunctionVersion *version)
{
    if (logging->log_format.data != NULL)
        version->log_format = logging->log_format;
    if (logging->log_group.data != NULL)
        version->log_group = logging->log_group;
    bool json = slice_equal(version->log_format, SLICE("JSON"));
    bool levels = logging->application_log_level.data != NULL || logging->system_log_level.data != NULL;
    if (!json && levels)
        return lambda_invalid(call,
                              "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your "
                              "request or change the LogFormat to \"Json\" and try again.");
    if (!json) {
        version->application_log_level = version->system_log_level = (Slice){0};
        return OK;
    }
    if (logging->application_log_level.data != NULL)
        version->application_log_level = logging->application_log_level;
    else if (version->application_log_level.data == NULL)
        version->application_log_level = SLICE("INFO");
    if (logging->system_log_level.data != NULL)
        version->system_log_level = logging->system_log_level;
    else if (version->system_log_level.data == NULL)
        version->system_log_level = SLICE("INFO");
    return OK;
}

/* ---- Dead letters ---- */

static Error apply_dead_letters(Call *call, Txn *txn, const LambdaDeadLetterConfig *config, FunctionVersion *version)
{
    static const Slice kinds[] = {SLICE_INIT("arn:aws:sqs:"), SLICE_INIT("arn:aws:sns:")};
    Slice arn = config->target_arn;
    version->dead_letter_arn = arn.size == 0 ? (Slice){0} : arn;
    if (arn.size == 0)
        return OK;
    if (slice_starts_with(arn, kinds[1]))
        return lambda_not_implemented(call, "topics as targets of dead letters");
    Slice prefix = arena_format(call->arena, "arn:aws:sqs:%.*s:%.*s:", SLICE_PRINT(version->region),
                                SLICE_PRINT(version->account));
    Queue queue;
    Error error = slice_starts_with(arn, prefix) ? queue_open(txn, &call->actor, slice_skip(arn, prefix.size), &queue)
                                                 : QUEUE_NOT_FOUND;
    if (error == QUEUE_NOT_FOUND)
        return lambda_invalid(call,
                              "The provided target queue %.*s does not exist, or is not in this account and region.",
                              SLICE_PRINT(arn));
    if (error == OK && queue.settings.fifo) /* Lambda developer guide, "Adding a dead-letter queue" */
        return lambda_invalid(call, "The provided target queue %.*s is a FIFO queue: dead letters go to standard ones.",
                              SLICE_PRINT(arn));
    return error;
}

/* ---- Roles ---- */

Error lambda_check_role(Call *call, Txn *txn, Slice role_arn)
{
    static const Slice said = SLICE_INIT("The role defined for the function cannot be assumed by Lambda.");
    Slice prefix = arena_format(call->arena, "arn:aws:iam::%.*s:role", SLICE_PRINT(call->actor.account));
    /* In mode `open` a developer need not make roles first; another account's is a mistake all the same. */
    if (!slice_starts_with(role_arn, prefix))
        return call_is_verified(call) ? lambda_invalid(call, "%.*s", SLICE_PRINT(said))
                                      : lambda_invalid(call, "Cross-account pass role is not allowed.");
    if (!call_is_verified(call))
        return OK;
    Slice name = role_arn;
    while (slice_find(name, '/') < name.size)
        name = slice_skip(name, slice_find(name, '/') + 1);
    Identity role;
    Error error = identity_get(txn, call->actor.account, IDENTITY_ROLE, name, &role);
    if (error == IDENTITY_NOT_FOUND || (error == OK && !slice_equal(identity_arn(call->arena, &role), role_arn)))
        return lambda_invalid(call, "%.*s", SLICE_PRINT(said));
    TRY(error);
    TrustRequest trust = {.service = SLICE("lambda.amazonaws.com"), .action = SLICE("sts:AssumeRole")};
    return policy_trust_allows(role.trust, &trust, call->arena) ? OK : lambda_invalid(call, "%.*s", SLICE_PRINT(said));
}

/* ---- Tags ---- */

Error lambda_read_tags(Call *call, const LambdaTags *tags, Labels *labels)
{
    if (tags->count > TAGS_MAX)
        return lambda_invalid(call, "Number of tags exceeds resource tag limit.");
    *labels = (Labels){ARENA_ARRAY(call->arena, Label, tags->count + 1), tags->count};
    for (size_t i = 0; i < tags->count; i++) {
        if (slice_starts_with(tags->items[i].key, SLICE("aws:")))
            return lambda_invalid(call, "Aws tags cannot be modified by the user.");
        labels->items[i] = (Label){tags->items[i].key, tags->items[i].value};
    }
    return OK;
}

LambdaTags lambda_tags_of(Call *call, const Labels *labels)
{
    if (labels->count == 0)
        return (LambdaTags){0};
    LambdaTags tags = {ARENA_ARRAY(call->arena, LambdaTagsEntry, labels->count), labels->count};
    for (size_t i = 0; i < labels->count; i++)
        tags.items[i] = (LambdaTagsEntry){arena_copy(call->arena, labels->items[i].key),
                                          arena_copy(call->arena, labels->items[i].value)};
    return tags;
}

/* ---- All of it ---- */

static Error apply_snap_start(Call *call, const LambdaSnapStart *snap_start, FunctionVersion *version)
{
    if (snap_start != NULL)
        version->snap_start = slice_equal(snap_start->apply_on, SLICE("PublishedVersions"));
    if (!version->snap_start)
        return OK;
    if (!lambda_runtime_can_snap_start(version->runtime))
        return lambda_invalid(call, "%.*s is not supported for SnapStart enabled functions.",
                              SLICE_PRINT(version->runtime));
    /* Lambda developer guide, "SnapStart": not with more than 512 MB of ephemeral storage, nor with tenant isolation. */
    if (version->tmp_mb > 512)
        return lambda_invalid(call, "SnapStart is not supported with more than 512 MB of ephemeral storage.");
    return version->tenant_isolated ? lambda_invalid(call, "SnapStart is not supported with tenant isolation.") : OK;
}

static void apply_numbers(const LambdaSettings *settings, FunctionVersion *version)
{
    if (settings->has_timeout)
        version->timeout_s = (uint64_t)settings->timeout;
    if (settings->has_memory_size)
        version->memory_mb = (uint64_t)settings->memory_size;
    if (settings->storage != NULL)
        version->tmp_mb = (uint64_t)settings->storage->size;
}

static void apply_texts(const LambdaSettings *settings, FunctionVersion *version)
{
    if (settings->role.data != NULL)
        version->role_arn = settings->role;
    if (settings->handler.data != NULL)
        version->handler = settings->handler;
    if (settings->runtime.data != NULL)
        version->runtime = settings->runtime;
    if (settings->description.data != NULL)
        version->description = settings->description;
    if (settings->tracing != NULL && settings->tracing->mode.data != NULL)
        version->trace_mode = settings->tracing->mode;
}

static Error check_unzipped(Call *call, const FunctionVersion *version)
{
    uint64_t most = call->limits->value[LIMIT_LAMBDA_CODE_UNZIPPED_BYTES];
    uint64_t sum = version->unzipped_bytes;
    for (size_t i = 0; i < version->layer_count; i++)
        sum += version->layers[i].unzipped_bytes;
    if (sum <= most)
        return OK;
    return lambda_invalid(call,
                          "Function code combined with layers exceeds the maximum allowed size of %ju bytes. The "
                          "actual size is %ju bytes.",
                          (uintmax_t)most, (uintmax_t)sum);
}

Error lambda_apply_settings(Call *call, Txn *txn, const LambdaSettings *settings, FunctionVersion *version)
{
    apply_texts(settings, version);
    apply_numbers(settings, version);
    if (settings->runtime.data != NULL)
        TRY(lambda_check_runtime(call, version->runtime));
    if (settings->role.data != NULL)
        TRY(lambda_check_role(call, txn, version->role_arn));
    if (settings->environment != NULL)
        TRY(apply_environment(call, settings->environment, version));
    if (settings->logging != NULL)
        TRY(apply_logging(call, settings->logging, version));
    if (settings->dead_letter != NULL)
        TRY(apply_dead_letters(call, txn, settings->dead_letter, version));
    if (settings->layers != NULL && settings->layers->items != NULL)
        TRY(lambda_read_layers(call, txn, settings->layers, version));
    TRY(apply_snap_start(call, settings->snap_start, version));
    return check_unzipped(call, version);
}

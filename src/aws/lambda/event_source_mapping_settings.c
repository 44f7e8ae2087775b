/* What the mapping of a queue may be (Lambda developer guide, "Creating and configuring an Amazon SQS event source
 * mapping", "Configuring scaling behavior for SQS event source mappings"). */
#include "aws/lambda/mapping.h"
#include "base/json.h"
#include "core/pattern.h"

enum {
    FILTERS_MAX =
        10, /* Lambda developer guide, "Control which events Lambda sends to your function": the raised quota */
    BATCH_MAX_AT_ONCE = 10, /* without a window, and of FIFO queues */
    POLLERS_LEAST = 2,      /* of queues: MinimumPollers and MaximumPollers */
    POLLERS_MIN_MOST = 200,
    POLLERS_MAX_MOST = 2000,
    POLLERS_MAX_DEFAULT = 200,
};

const char *lambda_foreign_member(const ForeignMember *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].given)
            return members[i].name;
    return NULL;
}

/* null and {} say nothing, and neither does an object of such members: clients send OnFailure without a target. */
bool lambda_document_says(Slice document)
{
    for (size_t i = 0; i + 3 < document.size; i++)
        if (document.data[i] == ':' && slice_find(slice_skip(document, i), '"') + i < document.size)
            return true;
    return false;
}

static bool is_fifo(const Mapping *mapping)
{
    return slice_ends_with(mapping->source_arn, SLICE(".fifo"));
}

/* ---- Filters ---- */

static Error apply_filters(Call *call, const LambdaFilterCriteria *criteria, Mapping *mapping)
{
    const PatternSet *set;
    size_t wrong;
    Slice problem;
    const LambdaFilterList *filters = &criteria->filters;
    if (filters->count > FILTERS_MAX)
        return lambda_invalid(call, "A mapping may have %d filters; this one would have %zu.", FILTERS_MAX,
                              filters->count);
    mapping->filters = ARENA_ARRAY(call->arena, Slice, filters->count);
    mapping->filter_count = filters->count;
    for (size_t i = 0; i < filters->count; i++)
        mapping->filters[i] = filters->items[i].pattern.data == NULL ? SLICE("{}") : filters->items[i].pattern;
    /* Each alone: together they take longer, and everybody's writes wait meanwhile. */
    Error error = OK;
    ArenaMark mark = arena_mark(call->arena);
    for (size_t i = 0; i < filters->count && error == OK; i++) {
        error = pattern_compile(call->arena, &mapping->filters[i], 1, &set, &wrong, &problem);
        arena_rewind(call->arena, mark);
    }
    return error == PATTERN_INVALID ? lambda_invalid(call, "Invalid filter pattern definition.") : error;
}

/* ---- Scaling ---- */

static Error apply_provisioned(Call *call, const LambdaProvisionedPollerConfig *config, Mapping *mapping)
{
    bool is_given = config->has_minimum_pollers || config->has_maximum_pollers;
    mapping->pollers_min = mapping->pollers_max = 0;
    if (config->poller_group_name.size > 0)
        return lambda_invalid(call, "PollerGroupName is not valid for SQS event sources.");
    if (!is_given)
        return OK;
    mapping->pollers_min = config->has_minimum_pollers ? (uint64_t)config->minimum_pollers : POLLERS_LEAST;
    mapping->pollers_max = config->has_maximum_pollers ? (uint64_t)config->maximum_pollers : POLLERS_MAX_DEFAULT;
    if (mapping->pollers_min < POLLERS_LEAST || mapping->pollers_min > POLLERS_MIN_MOST)
        return lambda_invalid(call, "MinimumPollers must be between %d and %d for SQS event sources.", POLLERS_LEAST,
                              POLLERS_MIN_MOST);
    if (mapping->pollers_max < POLLERS_LEAST || mapping->pollers_max > POLLERS_MAX_MOST)
        return lambda_invalid(call, "MaximumPollers must be between %d and %d for SQS event sources.", POLLERS_LEAST,
                              POLLERS_MAX_MOST);
    if (mapping->pollers_min > mapping->pollers_max)
        return lambda_invalid(call, "MinimumPollers must be less than or equal to MaximumPollers.");
    return OK;
}

static Error apply_scaling(Call *call, const MappingSettings *settings, Mapping *mapping)
{
    if (settings->scaling != NULL)
        mapping->concurrency =
            settings->scaling->has_maximum_concurrency ? (uint64_t)settings->scaling->maximum_concurrency : 0;
    if (settings->provisioned != NULL)
        TRY(apply_provisioned(call, settings->provisioned, mapping));
    if (mapping->concurrency > 0 && mapping->pollers_max > 0)
        return lambda_invalid(call, "MaximumConcurrency and ProvisionedPollerConfig cannot be used together.");
    return OK;
}

/* ---- Batches ---- */

static Error check_batch(Call *call, const Mapping *mapping)
{
    if (is_fifo(mapping) && mapping->window_ms > 0)
        return lambda_invalid(call, "Batching window is not supported for FIFO queues");
    if (is_fifo(mapping) && mapping->batch_size > BATCH_MAX_AT_ONCE)
        return lambda_invalid(call, "BatchSize must be less than or equal to %d for FIFO queues", BATCH_MAX_AT_ONCE);
    if (mapping->batch_size > BATCH_MAX_AT_ONCE && mapping->window_ms == 0)
        return lambda_invalid(call,
                              "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "
                              "than 10");
    return OK;
}

/* Members that say nothing are let in. */
static Error check_elsewhere(Call *call, const MappingSettings *settings)
{
    if (settings->foreign != NULL)
        return lambda_invalid(call, "Unsupported %s parameter for given event source mapping type.", settings->foreign);
    if (settings->kms_key_arn.size > 0)
        return lambda_not_implemented(call, "KMSKeyArn of event source mappings");
    if (settings->metrics != NULL && settings->metrics->metrics.count > 0)
        return lambda_not_implemented(call, "MetricsConfig: what mappings do is among the server's own metrics");
    if (settings->logging != NULL && settings->logging->system_log_level.data != NULL)
        return lambda_invalid(call, "Unsupported LoggingConfig parameter for given event source mapping type.");
    return OK;
}

Error lambda_apply_mapping(Call *call, const MappingSettings *settings, Mapping *mapping)
{
    if (settings->has_batch_size)
        mapping->batch_size = (uint64_t)settings->batch_size;
    if (settings->has_window)
        mapping->window_ms = (uint64_t)settings->window_s * 1000;
    if (settings->response_types != NULL && settings->response_types->items != NULL)
        mapping->reports_failures = settings->response_types->count > 0;
    TRY(check_elsewhere(call, settings));
    TRY(check_batch(call, mapping));
    TRY(apply_scaling(call, settings, mapping));
    return settings->filters == NULL ? OK : apply_filters(call, settings->filters, mapping);
}

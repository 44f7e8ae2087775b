/* CreateEventSourceMapping, GetEventSourceMapping, ListEventSourceMappings, UpdateEventSourceMapping,
 * DeleteEventSourceMapping. What the mappings do is core/poller.h's. */
#include "aws/lambda/mapping.h"
#include "base/time_format.h"
#include "core/queue.h"

enum {
    BATCH_DEFAULT = 10,
    MAPPINGS_PAGE = 100
}; /* Lambda API reference, CreateEventSourceMapping, ListEventSourceMappings */

/* ---- Outputs ---- */

static const char *const state_names[MAPPING_STATES] = {
    [MAPPING_CREATING] = "Creating",   [MAPPING_ENABLING] = "Enabling", [MAPPING_ENABLED] = "Enabled",
    [MAPPING_DISABLING] = "Disabling", [MAPPING_DISABLED] = "Disabled", [MAPPING_UPDATING] = "Updating",
    [MAPPING_DELETING] = "Deleting",
};

static Slice arn_of(Call *call, const Mapping *mapping)
{
    Slice function = function_arn(call->arena, mapping->account, mapping->region, mapping->function, (Slice){0});
    Slice kind = SLICE(":function:");
    return arena_format(call->arena, "%.*s:event-source-mapping:%.*s",
                        (int)(function.size - kind.size - mapping->function.size), function.data,
                        SLICE_PRINT(mapping->uuid));
}

static LambdaFilterCriteria *filters_of(Call *call, const Mapping *mapping)
{
    LambdaFilterCriteria *out = ARENA_NEW(call->arena, LambdaFilterCriteria);
    out->filters =
        (LambdaFilterList){ARENA_ARRAY(call->arena, LambdaFilter, mapping->filter_count), mapping->filter_count};
    for (size_t i = 0; i < mapping->filter_count; i++)
        out->filters.items[i].pattern = arena_copy(call->arena, mapping->filters[i]);
    return out;
}

/* Why the mapping is as it is: its owner's doing, or its breaker's. */
static Error reason_of(Call *call, Txn *txn, const Mapping *mapping, Slice *reason)
{
    Breaker breaker;
    char opened[TIME_TEXT_MAX];
    *reason = SLICE("USER_INITIATED");
    TRY(mapping_breaker(txn, mapping, &breaker));
    if (breaker.state == BREAKER_CLOSED)
        return OK;
    *reason = arena_format(call->arena, "Circuit breaker %s: %ju failures in a row, opened at %.*s",
                           breaker.state == BREAKER_OPEN ? "open" : "half-open", (uintmax_t)breaker.failures,
                           SLICE_PRINT(time_format_iso_ms((int64_t)breaker.opened_ms, opened)));
    return OK;
}

static void show_scaling(Call *call, const Mapping *mapping, LambdaEventSourceMappingConfiguration *out)
{
    if (mapping->concurrency > 0) {
        out->scaling_config = ARENA_NEW(call->arena, LambdaScalingConfig);
        *out->scaling_config = (LambdaScalingConfig){.has_maximum_concurrency = true,
                                                     .maximum_concurrency = (int32_t)mapping->concurrency};
    }
    if (mapping->pollers_max > 0) {
        out->provisioned_poller_config = ARENA_NEW(call->arena, LambdaProvisionedPollerConfig);
        *out->provisioned_poller_config =
            (LambdaProvisionedPollerConfig){.has_minimum_pollers = true,
                                            .minimum_pollers = (int32_t)mapping->pollers_min,
                                            .has_maximum_pollers = true,
                                            .maximum_pollers = (int32_t)mapping->pollers_max};
    }
}

static Error show(Call *call, Txn *txn, const Mapping *mapping, LambdaEventSourceMappingConfiguration *out)
{
    Arena *arena = call->arena;
    static const Slice reports[] = {SLICE_INIT("ReportBatchItemFailures")};
    *out = (LambdaEventSourceMappingConfiguration){
        .uuid = arena_copy(arena, mapping->uuid),
        .event_source_mapping_arn = arn_of(call, mapping),
        .event_source_arn = arena_copy(arena, mapping->source_arn),
        .function_arn = function_arn(arena, mapping->account, mapping->region, mapping->function, mapping->qualifier),
        .has_batch_size = true,
        .batch_size = (int32_t)mapping->batch_size,
        .has_maximum_batching_window_in_seconds = true,
        .maximum_batching_window_in_seconds = (int32_t)(mapping->window_ms / 1000),
        .has_last_modified = true,
        .last_modified = (int64_t)mapping->modified_ms,
        .last_processing_result =
            mapping->problem.data == NULL ? mapping->problem : arena_copy(arena, mapping->problem),
        .state = slice_of_string(state_names[mapping->state]),
        .filter_criteria = mapping->filter_count > 0 ? filters_of(call, mapping) : NULL,
    };
    out->function_response_types.count = mapping->reports_failures ? 1 : 0;
    out->function_response_types.items = ARENA_ARRAY(arena, Slice, 1); /* AWS says that there is none */
    out->function_response_types.items[0] = reports[0];
    show_scaling(call, mapping, out);
    return reason_of(call, txn, mapping, &out->state_transition_reason);
}

/* ---- Refusals ---- */

static Error refuse(Call *call, const Mapping *mapping, Error error)
{
    switch ((int)error) {
    case MAPPING_NOT_FOUND:
        return lambda_not_found(call, "The resource you requested does not exist.");
    case MAPPING_EXISTS:
        return lambda_conflict(call,
                               "An event source mapping with SQS arn (\" %.*s \") and function (\" %.*s \") already "
                               "exists. Please update or delete the existing mapping with UUID %.*s",
                               SLICE_PRINT(mapping->source_arn), SLICE_PRINT(mapping->function),
                               SLICE_PRINT(mapping->uuid));
    case MAPPING_BUSY:
        return call_fail(call, &lambda_error_resource_in_use_exception,
                         "Cannot %s the event source mapping because it is in use.",
                         slice_starts_with(call->operation->name, SLICE("Delete")) ? "delete" : "update");
    default:
        return error;
    }
}

/* ---- Sources ---- */

/* Sources that AWS has, by what their ARNs begin with behind "arn:PARTITION:". */
typedef struct SourceKind {
    Slice prefix;
    const char *name; /* NULL: it is a queue */
    bool is_stream;   /* it is read from a position, which has to be given */
} SourceKind;

static const SourceKind source_kinds[] = {
    {SLICE_INIT("sqs:"), NULL, false},
    {SLICE_INIT("kinesis:"), "Kinesis streams as event sources", true},
    {SLICE_INIT("dynamodb:"), "DynamoDB streams as event sources", true},
    {SLICE_INIT("kafka:"), "Amazon MSK clusters as event sources", true},
    {SLICE_INIT("mq:"), "Amazon MQ brokers as event sources", false},
    {SLICE_INIT("rds:"), "Amazon DocumentDB clusters as event sources", true},
};

static const SourceKind *kind_of(Slice arn)
{
    Slice rest = slice_skip(arn, SLICE("arn:").size);
    size_t partition = slice_find(rest, ':');
    rest = partition < rest.size ? slice_skip(rest, partition + 1) : SLICE("");
    for (size_t i = 0; i < sizeof source_kinds / sizeof source_kinds[0]; i++)
        if (slice_starts_with(rest, source_kinds[i].prefix))
            return &source_kinds[i];
    return NULL;
}

/* NULL: it is none that AWS knows. */
static const SourceKind *find_kind(const CreateEventSourceMappingInput *in)
{
    static const SourceKind kafka = {.name = "self-managed Kafka clusters as event sources", .is_stream = true};
    if (in->event_source_arn.size > 0)
        return kind_of(in->event_source_arn);
    return lambda_document_says(in->self_managed_event_source) ? &kafka : NULL;
}

static Error refuse_queue(Call *call)
{
    return lambda_invalid(call, "Error occurred while ReceiveMessage. SQS Error Code: "
                                "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does "
                                "not exist.");
}

/* The queue's name is the last part of its ARN. */
static Error read_queue(Call *call, Mapping *mapping)
{
    Slice parts[6] = {0};
    Slice rest = mapping->source_arn;
    for (size_t i = 0; i < 6; i++) {
        size_t end = i < 5 ? slice_find(rest, ':') : rest.size;
        parts[i] = slice_make(rest.data, end);
        rest = slice_skip(rest, end < rest.size ? end + 1 : end);
    }
    mapping->source_name = parts[5];
    if (parts[4].size > 0 && !slice_equal(parts[4], call->actor.account))
        return lambda_not_implemented(call, "queues of other accounts as event sources");
    if (!slice_equal(parts[3], call->actor.region))
        return lambda_invalid(call, "The queue %.*s is in another region than its function (%.*s).",
                              SLICE_PRINT(mapping->source_arn), SLICE_PRINT(call->actor.region));
    return OK;
}

static Error check_queue(Call *call, Txn *txn, const Mapping *mapping, uint64_t timeout_s)
{
    Queue queue;
    Error error = queue_open(txn, &call->actor, mapping->source_name, &queue);
    if (error == QUEUE_NOT_FOUND)
        return refuse_queue(call);
    TRY(error);
    if (queue.settings.visibility_ms < timeout_s * 1000)
        return lambda_invalid(call, "Queue visibility timeout: %ju seconds is less than Function timeout: %ju seconds",
                              (uintmax_t)(queue.settings.visibility_ms / 1000), (uintmax_t)timeout_s);
    return OK;
}

/* ---- Functions ---- */

static Error find_function(Call *call, Txn *txn, Slice text, Mapping *mapping, FunctionVersion *version)
{
    LambdaName name;
    Function function;
    FunctionAlias alias;
    TRY(lambda_read_name(call, text, (Slice){0}, &name));
    mapping->function = name.name;
    mapping->qualifier = name.qualifier;
    Slice qualifier = name.qualifier.data == NULL ? SLICE("$LATEST") : name.qualifier;
    Error error = function_open(txn, name.account, name.region, name.name, &function);
    if (error == OK)
        error = function_version_get(txn, &function, qualifier, version);
    if (error == FUNCTION_VERSION_NOT_FOUND && function_alias_get(txn, &function, qualifier, &alias) == OK)
        error = function_version_get(txn, &function, alias.version, version);
    if (error == FUNCTION_NOT_FOUND || error == FUNCTION_VERSION_NOT_FOUND)
        return lambda_invalid(call, "Function does not exist");
    TRY(error);
    return version->tenant_isolated ? lambda_invalid(call, "Event source mappings are not supported for functions with "
                                                           "tenant isolation.")
                                    : OK;
}

/* ---- Operations ---- */

#define GIVEN_FOREIGN(in)                                                                                              \
    {lambda_document_says((in)->destination_config), "DestinationConfig"},                                             \
        {(in)->has_bisect_batch_on_function_error, "BisectBatchOnFunctionError"},                                      \
        {(in)->has_maximum_record_age_in_seconds, "MaximumRecordAgeInSeconds"},                                        \
        {(in)->has_maximum_retry_attempts, "MaximumRetryAttempts"},                                                    \
        {(in)->has_parallelization_factor, "ParallelizationFactor"},                                                   \
        {(in)->has_tumbling_window_in_seconds, "TumblingWindowInSeconds"},                                             \
        {lambda_document_says((in)->source_access_configurations), "SourceAccessConfigurations"},                      \
        {lambda_document_says((in)->amazon_managed_kafka_event_source_config), "AmazonManagedKafkaEventSourceConfig"}, \
        {lambda_document_says((in)->self_managed_kafka_event_source_config), "SelfManagedKafkaEventSourceConfig"},     \
    {                                                                                                                  \
        lambda_document_says((in)->document_db_event_source_config), "DocumentDBEventSourceConfig"                     \
    }

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static Error apply_created(Call *call, const CreateEventSourceMappingInput *in, Mapping *mapping)
{
    const ForeignMember foreign[] = {
        GIVEN_FOREIGN(in),
        {in->topics.count > 0, "Topics"},
        {in->queues.count > 0, "Queues"},
        {in->has_starting_position_timestamp, "StartingPositionTimestamp"},
    };
    if (in->starting_position.data != NULL)
        return lambda_invalid(call, "StartingPosition is not valid for SQS event sources.");
    const MappingSettings settings = {
        .has_batch_size = in->has_batch_size,
        .batch_size = in->batch_size,
        .has_window = in->has_maximum_batching_window_in_seconds,
        .window_s = in->maximum_batching_window_in_seconds,
        .filters = in->filter_criteria,
        .response_types = &in->function_response_types,
        .scaling = in->scaling_config,
        .provisioned = in->provisioned_poller_config,
        .metrics = in->metrics_config,
        .logging = in->logging_config,
        .kms_key_arn = in->kms_key_arn,
        .foreign = lambda_foreign_member(foreign, COUNT_OF(foreign)),
    };
    return lambda_apply_mapping(call, &settings, mapping);
}

Error lambda_create_event_source_mapping(Call *call, Txn *txn, const CreateEventSourceMappingInput *in,
                                         CreateEventSourceMappingOutput *out)
{
    FunctionVersion version = {0};
    const SourceKind *kind = find_kind(in);
    Mapping mapping = {
        .account = call->actor.account,
        .region = call->actor.region,
        .source = MAPPING_QUEUE,
        .source_arn = in->event_source_arn,
        .enabled = !in->has_enabled || in->enabled,
        .batch_size = BATCH_DEFAULT,
    };
    if (call_invoker(call) == NULL)
        return lambda_not_implemented(call, "event source mappings on a server that does not run functions");
    if (kind == NULL)
        return lambda_invalid(call, "Unrecognized event source.");
    if (kind->is_stream && in->starting_position.data == NULL)
        return lambda_invalid(call, "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
                                    "constraint: Member must not be null.");
    if (kind->name == NULL)
        TRY(apply_created(call, in, &mapping));
    TRY(find_function(call, txn, in->function_name, &mapping, &version));
    if (kind->name != NULL)
        return lambda_not_implemented(call, kind->name);
    TRY(read_queue(call, &mapping));
    TRY(check_queue(call, txn, &mapping, version.timeout_s));
    TRY(lambda_read_tags(call, &in->tags, &mapping.tags));
    TRY(lambda_read_breaker(call, &mapping));
    TRY(refuse(call, &mapping, mapping_create(txn, &mapping)));
    return show(call, txn, &mapping, out);
}

static Error open_mapping(Call *call, Txn *txn, Slice uuid, Mapping *mapping)
{
    return refuse(call, mapping, mapping_get(txn, call->actor.account, call->actor.region, uuid, mapping));
}

Error lambda_get_event_source_mapping(Call *call, Txn *txn, const GetEventSourceMappingInput *in,
                                      GetEventSourceMappingOutput *out)
{
    Mapping mapping;
    TRY(open_mapping(call, txn, in->uuid, &mapping));
    return show(call, txn, &mapping, out);
}

Error lambda_list_event_source_mappings(Call *call, Txn *txn, const ListEventSourceMappingsInput *in,
                                        ListEventSourceMappingsOutput *out)
{
    FunctionPage page = {.limit = MAPPINGS_PAGE};
    MappingFilter filter = {.source_arn = in->event_source_arn};
    Mapping *mappings;
    size_t count;
    if (in->function_name.data != NULL) {
        LambdaName name;
        TRY(lambda_read_name(call, in->function_name, (Slice){0}, &name));
        filter.function = name.name;
        filter.qualifier = name.qualifier;
    }
    TRY(lambda_page_start(call, in->marker, false, 0, &page));
    page.limit = in->has_max_items && in->max_items < MAPPINGS_PAGE ? (size_t)in->max_items : MAPPINGS_PAGE;
    TRY(mapping_list(txn, call->actor.account, call->actor.region, &filter, &page, &mappings, &count));
    out->event_source_mappings.items = ARENA_ARRAY(call->arena, LambdaEventSourceMappingConfiguration, count + 1);
    out->event_source_mappings.count = count;
    for (size_t i = 0; i < count; i++)
        TRY(show(call, txn, &mappings[i], &out->event_source_mappings.items[i]));
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}

Error lambda_update_event_source_mapping(Call *call, Txn *txn, const UpdateEventSourceMappingInput *in,
                                         UpdateEventSourceMappingOutput *out)
{
    Mapping mapping;
    FunctionVersion version = {0};
    const ForeignMember foreign[] = {GIVEN_FOREIGN(in)};
    TRY(open_mapping(call, txn, in->uuid, &mapping));
    const MappingSettings settings = {
        .has_batch_size = in->has_batch_size,
        .batch_size = in->batch_size,
        .has_window = in->has_maximum_batching_window_in_seconds,
        .window_s = in->maximum_batching_window_in_seconds,
        .filters = in->filter_criteria,
        .response_types = &in->function_response_types,
        .scaling = in->scaling_config,
        .provisioned = in->provisioned_poller_config,
        .metrics = in->metrics_config,
        .logging = in->logging_config,
        .kms_key_arn = in->kms_key_arn,
        .foreign = lambda_foreign_member(foreign, COUNT_OF(foreign)),
    };
    TRY(lambda_apply_mapping(call, &settings, &mapping));
    if (in->function_name.data != NULL) {
        TRY(find_function(call, txn, in->function_name, &mapping, &version));
        TRY(check_queue(call, txn, &mapping, version.timeout_s));
    }
    mapping.enabled = in->has_enabled ? in->enabled : mapping.enabled;
    TRY(refuse(call, &mapping, mapping_change(txn, &mapping)));
    return show(call, txn, &mapping, out);
}

Error lambda_delete_event_source_mapping(Call *call, Txn *txn, const DeleteEventSourceMappingInput *in,
                                         DeleteEventSourceMappingOutput *out)
{
    Mapping mapping;
    TRY(open_mapping(call, txn, in->uuid, &mapping));
    TRY(refuse(call, &mapping, mapping_delete(txn, &mapping)));
    return show(call, txn, &mapping, out);
}

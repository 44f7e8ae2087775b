#include "core/event_config.h"

#include "aws/lambda/dialect.h"
#include "core/queue.h"

/* PutFunctionEventInvokeConfig, UpdateFunctionEventInvokeConfig, GetFunctionEventInvokeConfig,
 * ListFunctionEventInvokeConfigs, DeleteFunctionEventInvokeConfig. */

/* ---- Outputs ---- */

static void show(Call *call, const LambdaName *name, const EventConfig *config, LambdaFunctionEventInvokeConfig *out)
{
    LambdaDestinationConfig *destinations = ARENA_NEW(call->arena, LambdaDestinationConfig);
    LambdaOnSuccess *on_success = ARENA_NEW(call->arena, LambdaOnSuccess);
    LambdaOnFailure *on_failure = ARENA_NEW(call->arena, LambdaOnFailure);
    *on_success = (LambdaOnSuccess){.destination = config->on_success};
    *on_failure = (LambdaOnFailure){.destination = config->on_failure};
    if (config->on_success.data != NULL)
        on_success->destination = arena_copy(call->arena, config->on_success);
    if (config->on_failure.data != NULL)
        on_failure->destination = arena_copy(call->arena, config->on_failure);
    *destinations = (LambdaDestinationConfig){.on_success = on_success, .on_failure = on_failure};
    *out = (LambdaFunctionEventInvokeConfig){
        .has_last_modified = true,
        .last_modified = (int64_t)config->modified_ms,
        .function_arn = function_arn(call->arena, name->account, name->region, name->name, config->qualifier),
        .has_maximum_retry_attempts = config->has_retries,
        .maximum_retry_attempts = (int32_t)config->retries,
        .has_maximum_event_age_in_seconds = config->has_age,
        .maximum_event_age_in_seconds = (int32_t)config->age_s,
        .destination_config = destinations,
    };
}

/* ---- Destinations ---- */

static Error refuse_destination(Call *call, Slice arn)
{
    return lambda_invalid(call, "The destination ARN %.*s is invalid.", SLICE_PRINT(arn));
}

/* In AWS's words, which are those of its own objects. */
static Error refuse_service(Call *call, const LambdaDestinationConfig *destinations)
{
    Slice success = destinations->on_success == NULL ? (Slice){0} : destinations->on_success->destination;
    Slice failure = destinations->on_failure == NULL ? (Slice){0} : destinations->on_failure->destination;
    Slice absent = SLICE("null");
    Slice first =
        success.data == NULL ? absent : arena_format(call->arena, "OnSuccess(destination=%.*s)", SLICE_PRINT(success));
    Slice second =
        failure.data == NULL ? absent : arena_format(call->arena, "OnFailure(destination=%.*s)", SLICE_PRINT(failure));
    return lambda_invalid(call,
                          "The provided destination config DestinationConfig(onSuccess=%.*s, onFailure=%.*s) is "
                          "invalid.",
                          SLICE_PRINT(first), SLICE_PRINT(second));
}

static Error check_function(Call *call, Txn *txn, const Function *function, Slice arn)
{
    Function target;
    LambdaName name = {0};
    lambda_split_name(arn, &name);
    if (slice_equal(name.region, function->region) && slice_equal(name.account, function->account)) {
        if (slice_equal(name.name, function->name))
            return lambda_invalid(call, "You can't specify the function as a destination for itself.");
        Error error = function_open(txn, name.account, name.region, name.name, &target);
        return error == FUNCTION_NOT_FOUND ? refuse_destination(call, arn) : error;
    }
    return lambda_not_implemented(call, "functions of other accounts and regions as destinations");
}

/* A queue must be a standard one (Lambda developer guide, "Capturing records of Lambda asynchronous invocations"). */
static Error check_queue(Call *call, Txn *txn, const Function *function, Slice arn)
{
    Queue queue;
    const Actor owner = {.account = function->account, .region = function->region};
    Slice prefix = arena_format(call->arena, "arn:aws:sqs:%.*s:%.*s:", SLICE_PRINT(function->region),
                                SLICE_PRINT(function->account));
    if (!slice_starts_with(arn, prefix))
        return lambda_not_implemented(call, "queues of other accounts and regions as destinations");
    Error error = queue_open(txn, &owner, slice_skip(arn, prefix.size), &queue);
    if (error == QUEUE_NOT_FOUND || (error == OK && queue.settings.fifo))
        return refuse_destination(call, arn);
    return error;
}

typedef struct DestinationKind {
    Slice prefix;
    const char *missing; /* what Brume does not have; NULL: it has it */
    Error (*check)(Call *call, Txn *txn, const Function *function, Slice arn);
} DestinationKind;

static const DestinationKind kinds[] = {
    {SLICE_INIT("arn:aws:lambda:"), NULL, check_function},
    {SLICE_INIT("arn:aws:sqs:"), NULL, check_queue},
    {SLICE_INIT("arn:aws:sns:"), "topics as destinations of events", NULL},
    {SLICE_INIT("arn:aws:events:"), "event buses as destinations of events", NULL},
    {SLICE_INIT("arn:aws:s3:"), "buckets as destinations of events", NULL},
    {SLICE_INIT("kafka:"), "Kafka topics as destinations of events", NULL},
};

static Error read_destination(Call *call, Txn *txn, const Function *function,
                              const LambdaDestinationConfig *destinations, Slice arn, Slice *destination)
{
    *destination = (Slice){0};
    if (arn.size == 0)
        return OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!slice_starts_with(arn, kinds[i].prefix))
            continue;
        if (kinds[i].missing != NULL)
            return lambda_not_implemented(call, kinds[i].missing);
        TRY(kinds[i].check(call, txn, function, arn));
        *destination = arn;
        return OK;
    }
    return refuse_service(call, destinations);
}

/* A bucket takes failures alone; none is taken here yet, so that the order of the two does not matter. */
static Error read_destinations(Call *call, Txn *txn, const Function *function,
                               const LambdaDestinationConfig *destinations, EventConfig *config)
{
    Slice success = destinations->on_success == NULL ? (Slice){0} : destinations->on_success->destination;
    Slice failure = destinations->on_failure == NULL ? (Slice){0} : destinations->on_failure->destination;
    TRY(read_destination(call, txn, function, destinations, success, &config->on_success));
    return read_destination(call, txn, function, destinations, failure, &config->on_failure);
}

/* ---- Names ---- */

/* The caller's own alone. */
static Error read_name(Call *call, Slice text, Slice qualifier, LambdaName *name)
{
    TRY(lambda_read_name(call, text, qualifier, name));
    if (name->qualifier.data == NULL)
        name->qualifier = SLICE("$LATEST");
    return OK;
}

static Error refuse_missing(Call *call, Error error)
{
    bool missing =
        error == FUNCTION_NOT_FOUND || error == FUNCTION_VERSION_NOT_FOUND || error == FUNCTION_ALIAS_NOT_FOUND;
    return missing ? lambda_not_found(call, "The function doesn't exist.") : error;
}

/* Of a function that is not there AWS tells the same as of one that has no configuration. */
static Error refuse_unset(Call *call, const LambdaName *name, Error error)
{
    if (error != FUNCTION_NOT_FOUND && error != EVENT_CONFIG_NOT_FOUND)
        return error;
    return lambda_not_found(call, "The function %.*s doesn't have an EventInvokeConfig",
                            SLICE_PRINT(lambda_arn_of(call, name)));
}

static Error open_config(Txn *txn, const LambdaName *name, Function *function, EventConfig *config)
{
    TRY(function_open(txn, name->account, name->region, name->name, function));
    return event_config_get(txn, function, name->qualifier, config);
}

/* ---- Operations ---- */

/* What both changes have in common: the input over the configuration as it is. */
static Error put(Call *call, Txn *txn, const LambdaName *name, const Function *function,
                 const PutFunctionEventInvokeConfigInput *in, EventConfig *config, LambdaFunctionEventInvokeConfig *out)
{
    if (in->has_maximum_retry_attempts) {
        config->has_retries = true;
        config->retries = (uint64_t)in->maximum_retry_attempts;
    }
    if (in->has_maximum_event_age_in_seconds) {
        config->has_age = true;
        config->age_s = (uint64_t)in->maximum_event_age_in_seconds;
    }
    if (in->destination_config != NULL)
        TRY(read_destinations(call, txn, function, in->destination_config, config));
    TRY(refuse_missing(call, event_config_put(txn, function, config)));
    show(call, name, config, out);
    return OK;
}

static Error check_anything(Call *call, const PutFunctionEventInvokeConfigInput *in)
{
    if (in->has_maximum_retry_attempts || in->has_maximum_event_age_in_seconds || in->destination_config != NULL)
        return OK;
    return lambda_invalid(call, "You must specify at least one of error handling or destination setting.");
}

Error lambda_put_function_event_invoke_config(Call *call, Txn *txn, const PutFunctionEventInvokeConfigInput *in,
                                              PutFunctionEventInvokeConfigOutput *out)
{
    LambdaName name;
    Function function = {0};
    TRY(read_name(call, in->function_name, in->qualifier, &name));
    TRY(check_anything(call, in));
    TRY(refuse_missing(call, function_open(txn, name.account, name.region, name.name, &function)));
    EventConfig config = {.qualifier = name.qualifier};
    return put(call, txn, &name, &function, in, &config, out);
}

Error lambda_update_function_event_invoke_config(Call *call, Txn *txn, const UpdateFunctionEventInvokeConfigInput *in,
                                                 UpdateFunctionEventInvokeConfigOutput *out)
{
    LambdaName name;
    Function function = {0};
    EventConfig config = {0};
    const PutFunctionEventInvokeConfigInput changes = {
        .has_maximum_retry_attempts = in->has_maximum_retry_attempts,
        .maximum_retry_attempts = in->maximum_retry_attempts,
        .has_maximum_event_age_in_seconds = in->has_maximum_event_age_in_seconds,
        .maximum_event_age_in_seconds = in->maximum_event_age_in_seconds,
        .destination_config = in->destination_config,
    };
    TRY(read_name(call, in->function_name, in->qualifier, &name));
    TRY(check_anything(call, &changes));
    TRY(refuse_missing(call, function_open(txn, name.account, name.region, name.name, &function)));
    TRY(refuse_unset(call, &name, event_config_get(txn, &function, name.qualifier, &config)));
    return put(call, txn, &name, &function, &changes, &config, out);
}

Error lambda_get_function_event_invoke_config(Call *call, Txn *txn, const GetFunctionEventInvokeConfigInput *in,
                                              GetFunctionEventInvokeConfigOutput *out)
{
    LambdaName name;
    Function function;
    EventConfig config = {0};
    TRY(read_name(call, in->function_name, in->qualifier, &name));
    TRY(refuse_unset(call, &name, open_config(txn, &name, &function, &config)));
    show(call, &name, &config, out);
    return OK;
}

Error lambda_list_function_event_invoke_configs(Call *call, Txn *txn, const ListFunctionEventInvokeConfigsInput *in,
                                                ListFunctionEventInvokeConfigsOutput *out)
{
    LambdaName name;
    Function function = {0};
    FunctionPage page;
    EventConfig *configs = NULL;
    size_t count = 0;
    TRY(lambda_read_name(call, in->function_name, (Slice){0}, &name));
    TRY(lambda_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(refuse_missing(call, function_open(txn, name.account, name.region, name.name, &function)));
    TRY(event_config_list(txn, &function, &page, &configs, &count));
    LambdaFunctionEventInvokeConfig *items = ARENA_ARRAY(call->arena, LambdaFunctionEventInvokeConfig, count + 1);
    for (size_t i = 0; i < count; i++)
        show(call, &name, &configs[i], &items[i]);
    out->function_event_invoke_configs.items = items;
    out->function_event_invoke_configs.count = count;
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}

Error lambda_delete_function_event_invoke_config(Call *call, Txn *txn, const DeleteFunctionEventInvokeConfigInput *in,
                                                 DeleteFunctionEventInvokeConfigOutput *out)
{
    (void)out;
    LambdaName name;
    Function function;
    EventConfig config = {0};
    TRY(read_name(call, in->function_name, in->qualifier, &name));
    TRY(refuse_unset(call, &name, open_config(txn, &name, &function, &config)));
    event_config_delete(txn, &function, name.qualifier);
    return OK;
}

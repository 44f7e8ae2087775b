/* subscriptions.c: PutSubscriptionFilter, DescribeSubscriptionFilters, DeleteSubscriptionFilter. Destinations are functions. */
#include "aws/logs/dialect.h"
#include "core/function_policy.h"
#include "core/log_forwarder.h"

/* Takes the text up to the next colon off the front. */
static Slice take_part(Slice *text)
{
    size_t colon = slice_find(*text, ':');
    Slice part = slice_make(text->data, colon);
    *text = slice_skip(*text, colon < text->size ? colon + 1 : colon);
    return part;
}

/* arn:aws:VENDOR:REGION:ACCOUNT:function:NAME[:QUALIFIER] */
static Error read_destination(Call *call, const PutSubscriptionFilterInput *in, LogSubscription *subscription)
{
    Slice rest = in->destination_arn;
    bool is_arn = slice_equal(take_part(&rest), SLICE("arn"));
    take_part(&rest);
    Slice vendor = take_part(&rest);
    subscription->region = take_part(&rest);
    subscription->account = take_part(&rest);
    bool is_stream = slice_equal(vendor, SLICE("kinesis")) || slice_equal(vendor, SLICE("firehose"));
    if (is_arn && is_stream && in->role_arn.data == NULL)
        return logs_invalid(call, "destinationArn for vendor %.*s cannot be used without roleArn", SLICE_PRINT(vendor));
    if (is_arn && is_stream)
        return logs_not_implemented(call, "subscription filters to Kinesis Data Streams and Data Firehose");
    if (is_arn && slice_equal(vendor, SLICE("logs")))
        return logs_not_implemented(call, "subscription filters to destinations of CloudWatch Logs");
    if (!is_arn || !slice_equal(vendor, SLICE("lambda")) || !slice_equal(take_part(&rest), SLICE("function")))
        return logs_invalid(call, "destinationArn %.*s is no ARN of a function.", SLICE_PRINT(in->destination_arn));
    subscription->function = take_part(&rest);
    subscription->qualifier = rest.size == 0 ? (Slice){0} : rest;
    if (!slice_equal(subscription->account, call->actor.account))
        return call_fail(call, &common_access_denied,
                         "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to "
                         "create cross account lambda triggers.");
    return OK;
}

static Error refuse_function(Call *call)
{
    return logs_invalid(call, "Could not execute the lambda function. Make sure you have given CloudWatch Logs "
                              "permission to execute your function.");
}

/* AWS tries the function; what it finds out is whether it is there and lets the service in. */
static Error check_function(Call *call, Txn *txn, const LogGroup *group, const LogSubscription *subscription)
{
    Function function;
    Permissions permissions;
    Slice qualifier = subscription->qualifier.data == NULL ? SLICE("") : subscription->qualifier;
    Error error = function_open(txn, subscription->account, subscription->region, subscription->function, &function);
    if (error == FUNCTION_NOT_FOUND)
        return refuse_function(call);
    TRY(error);
    TRY(function_policy_get(txn, &function, qualifier, &permissions));
    AccessRequest request = {
        .action = SLICE("lambda:InvokeFunction"),
        .service = SLICE("logs.amazonaws.com"),
        .source_arn = logs_group_arn(call, group->name, ":*"),
        .source_account = call->actor.account,
    };
    bool allowed = permissions_allow(&permissions, &request);
    request.service = arena_format(call->arena, "logs.%.*s.amazonaws.com", SLICE_PRINT(call->actor.region));
    return allowed || permissions_allow(&permissions, &request) ? OK : refuse_function(call);
}

static Error check_features(Call *call, const PutSubscriptionFilterInput *in)
{
    LogPattern *pattern;
    if (in->apply_on_transformed_logs)
        return logs_not_implemented(call, "transformed logs");
    if (in->field_selection_criteria.size > 0 || in->emit_system_fields.count > 0)
        return logs_not_implemented(call, "the field selection of subscription filters");
    return logs_read_pattern(call, in->filter_pattern, call->arena, &pattern);
}

Error logs_put_subscription_filter(Call *call, Txn *txn, const PutSubscriptionFilterInput *in,
                                   PutSubscriptionFilterOutput *out)
{
    (void)out;
    LogGroup group;
    bool is_loop;
    LogSubscription subscription = {
        .name = in->filter_name,
        .pattern = in->filter_pattern,
        .destination = in->destination_arn,
        .role_arn = in->role_arn,
        .distribution = in->distribution.data == NULL ? SLICE("ByLogStream") : in->distribution,
    };
    TRY(read_destination(call, in, &subscription));
    TRY(check_features(call, in));
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    TRY(check_function(call, txn, &group, &subscription));
    TRY(log_forward_is_loop(txn, &group, &subscription, &is_loop));
    if (is_loop)
        return logs_invalid(call,
                            "The function logs into this log group: it would be invoked by its own log for ever. Give "
                            "it another log group (LoggingConfig).");
    Error error = log_subscription_put(txn, &group, &subscription);
    if (error == LOG_SUBSCRIPTION_LIMIT)
        return call_fail(call, &logs_error_limit_exceeded_exception, "Resource limit exceeded.");
    return error;
}

Error logs_delete_subscription_filter(Call *call, Txn *txn, const DeleteSubscriptionFilterInput *in,
                                      DeleteSubscriptionFilterOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    Error error = log_subscription_delete(txn, &group, in->filter_name);
    if (error == LOG_SUBSCRIPTION_NOT_FOUND)
        return call_fail(call, &logs_error_resource_not_found_exception,
                         "The specified subscription filter does not exist.");
    return error;
}

/* A token is the name behind which the next page begins. */
Error logs_describe_subscription_filters(Call *call, Txn *txn, const DescribeSubscriptionFiltersInput *in,
                                         DescribeSubscriptionFiltersOutput *out)
{
    LogGroup group;
    LogSubscription all[LOG_SUBSCRIPTIONS_MAX];
    size_t count;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    TRY(log_subscription_list(txn, &group, all, &count));
    out->subscription_filters.items = ARENA_ARRAY(call->arena, LogsSubscriptionFilter, count + 1);
    for (size_t i = 0; i < count; i++) {
        const LogSubscription *subscription = &all[i];
        bool is_behind = in->next_token.data == NULL || slice_compare(subscription->name, in->next_token) > 0;
        if (!is_behind || !slice_starts_with(subscription->name, in->filter_name_prefix))
            continue;
        if (in->has_limit && out->subscription_filters.count == (size_t)in->limit) {
            out->next_token = out->subscription_filters.items[out->subscription_filters.count - 1].filter_name;
            break;
        }
        out->subscription_filters.items[out->subscription_filters.count++] = (LogsSubscriptionFilter){
            .filter_name = arena_copy(call->arena, subscription->name),
            .log_group_name = in->log_group_name,
            .filter_pattern = arena_copy(call->arena, subscription->pattern),
            .destination_arn = arena_copy(call->arena, subscription->destination),
            .role_arn =
                subscription->role_arn.data == NULL ? (Slice){0} : arena_copy(call->arena, subscription->role_arn),
            .distribution = arena_copy(call->arena, subscription->distribution),
            .has_creation_time = true,
            .creation_time = (int64_t)subscription->created_ms,
        };
    }
    return OK;
}

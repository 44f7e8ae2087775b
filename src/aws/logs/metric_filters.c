/* metric_filters.c: PutMetricFilter, DescribeMetricFilters, DeleteMetricFilter. */
#include "aws/logs/dialect.h"
#include "core/log_metric.h"

#include <math.h>

/* ---- Checks ---- */

static Error check_features(Call *call, const PutMetricFilterInput *in)
{
    if (in->apply_on_transformed_logs)
        return logs_not_implemented(call, "transformed logs");
    if (in->field_selection_criteria.size > 0 || in->emit_system_field_dimensions.count > 0)
        return logs_not_implemented(call, "the field selection of metric filters");
    return OK;
}

/* A number, or something that the pattern's events have. */
static Error check_value(Call *call, const LogPattern *pattern, Slice value)
{
    double number;
    bool is_field = slice_starts_with(value, SLICE("$"));
    bool is_good = is_field ? log_pattern_names(pattern, value, call->arena)
                            : log_pattern_number(value, &number) && isfinite(number);
    if (is_good)
        return OK;
    return logs_invalid(call,
                        "Invalid metric transformation: metricValue %.*s is neither a number nor a field of the "
                        "filter pattern.",
                        SLICE_PRINT(value));
}

/* The texts of the first two refusals are AWS's. */
static Error read_dimensions(Call *call, const LogPattern *pattern, const LogsMetricTransformation *in,
                             LogMetricFilter *filter)
{
    size_t count = in->dimensions.count;
    if (count == 0)
        return OK;
    if (in->has_default_value)
        return logs_invalid(
            call, "Invalid metric transformation: dimensions and default value are mutually exclusive properties.");
    if (!log_pattern_has_fields(pattern))
        return logs_invalid(call, "The specified filter pattern does not support dimensions");
    if (count > LOG_METRIC_DIMENSIONS_MAX)
        return logs_invalid(call, "Invalid metric transformation: at most %d dimensions are allowed.",
                            LOG_METRIC_DIMENSIONS_MAX);
    filter->dimensions.items = ARENA_ARRAY(call->arena, Label, count);
    for (size_t i = 0; i < count; i++) {
        Slice name = in->dimensions.items[i].key;
        Slice value = in->dimensions.items[i].value;
        if (name.size == 0 || !log_pattern_names(pattern, value, call->arena))
            return logs_invalid(call,
                                "Invalid metric transformation: dimension %.*s is no field of the filter pattern.",
                                SLICE_PRINT(name));
        filter->dimensions.items[filter->dimensions.count++] = (Label){name, value};
    }
    return OK;
}

static Error read_filter(Call *call, const PutMetricFilterInput *in, LogMetricFilter *filter)
{
    const char *why;
    LogPattern *pattern;
    const LogsMetricTransformation *transformation = &in->metric_transformations.items[0];
    *filter = (LogMetricFilter){
        .name = in->filter_name,
        .pattern = in->filter_pattern,
        .namespace_name = transformation->metric_namespace,
        .metric = transformation->metric_name,
        .value = transformation->metric_value,
        .unit = transformation->unit,
        .has_default = transformation->has_default_value,
        .default_value = transformation->default_value,
    };
    if (log_pattern_compile(in->filter_pattern, call->arena, &pattern, &why) != OK)
        return logs_invalid(call, "Invalid metric filter pattern: %s.", why);
    if (filter->metric.size == 0 || filter->namespace_name.size == 0)
        return logs_invalid(call, "Invalid metric transformation: a metric has a name and a namespace.");
    if (slice_starts_with(filter->namespace_name, SLICE("AWS/")))
        return logs_invalid(call,
                            "Invalid metric transformation: metric namespaces that begin with AWS/ are reserved.");
    TRY(read_dimensions(call, pattern, transformation, filter));
    return check_value(call, pattern, filter->value);
}

/* ---- Operations ---- */

Error logs_put_metric_filter(Call *call, Txn *txn, const PutMetricFilterInput *in, PutMetricFilterOutput *out)
{
    (void)out;
    LogGroup group;
    LogMetricFilter filter;
    TRY(check_features(call, in));
    TRY(read_filter(call, in, &filter));
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    Error error = log_metric_put(txn, &group, &filter);
    if (error == LOG_METRIC_FILTER_LIMIT)
        return call_fail(call, &logs_error_limit_exceeded_exception, "Resource limit exceeded.");
    return error;
}

Error logs_delete_metric_filter(Call *call, Txn *txn, const DeleteMetricFilterInput *in, DeleteMetricFilterOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    Error error = log_metric_delete(txn, &group, in->filter_name);
    if (error == LOG_METRIC_FILTER_NOT_FOUND)
        return call_fail(call, &logs_error_resource_not_found_exception, "The specified metric filter does not exist.");
    return error;
}

static LogsMetricFilter describe(Call *call, const LogMetricFilter *filter)
{
    LogsMetricTransformation *transformation = ARENA_NEW(call->arena, LogsMetricTransformation);
    *transformation = (LogsMetricTransformation){
        .metric_name = arena_copy(call->arena, filter->metric),
        .metric_namespace = arena_copy(call->arena, filter->namespace_name),
        .metric_value = arena_copy(call->arena, filter->value),
        .has_default_value = filter->has_default,
        .default_value = filter->default_value,
        .unit = filter->unit.data == NULL ? (Slice){0} : arena_copy(call->arena, filter->unit),
    };
    if (filter->dimensions.count > 0) {
        transformation->dimensions.count = filter->dimensions.count;
        transformation->dimensions.items =
            ARENA_ARRAY(call->arena, LogsDimensionsEntry, transformation->dimensions.count);
        for (size_t i = 0; i < filter->dimensions.count; i++)
            transformation->dimensions.items[i] =
                (LogsDimensionsEntry){.key = arena_copy(call->arena, filter->dimensions.items[i].key),
                                      .value = arena_copy(call->arena, filter->dimensions.items[i].value)};
    }
    return (LogsMetricFilter){
        .filter_name = arena_copy(call->arena, filter->name),
        .filter_pattern = arena_copy(call->arena, filter->pattern),
        .metric_transformations = {.items = transformation, .count = 1},
        .has_creation_time = true,
        .creation_time = (int64_t)filter->created_ms,
        .log_group_name = arena_copy(call->arena, filter->group),
        .has_apply_on_transformed_logs = true,
    };
}

Error logs_describe_metric_filters(Call *call, Txn *txn, const DescribeMetricFiltersInput *in,
                                   DescribeMetricFiltersOutput *out)
{
    LogPage page;
    LogGroup group;
    LogMetricFilter *filters;
    size_t count;
    LogMetricQuery query = {.account = call->actor.account,
                            .region = call->actor.region,
                            .prefix = in->filter_name_prefix,
                            .metric = in->metric_name,
                            .namespace_name = in->metric_namespace};
    if ((in->metric_name.data == NULL) != (in->metric_namespace.data == NULL))
        return logs_invalid(call, "metricName and metricNamespace must be given together.");
    TRY(logs_page_start(call, in->next_token, in->has_limit, in->limit, &page));
    if (in->log_group_name.data != NULL) {
        TRY(logs_open_group(call, txn, in->log_group_name, &group));
        query.group = &group;
    }
    TRY(log_metric_find(txn, &query, &page, &filters, &count));
    out->metric_filters.items = ARENA_ARRAY(call->arena, LogsMetricFilter, count + 1);
    out->metric_filters.count = count;
    for (size_t i = 0; i < count; i++)
        out->metric_filters.items[i] = describe(call, &filters[i]);
    out->next_token = logs_page_token(call, &page);
    return OK;
}

/* log_metric.h: metric filters of a group: which of its events become values of a metric.
 *
 * Bodies over a transaction, in the manner of log.h. Who measures: core/log_measure.h. */
#ifndef BRUME_CORE_LOG_METRIC_H
#define BRUME_CORE_LOG_METRIC_H

#include "core/log.h"

enum {
    LOG_METRIC_FILTERS_MAX = 100, /* CloudWatch Logs API reference, PutMetricFilter: of a log group */
    LOG_METRIC_DIMENSIONS_MAX = 3 /* the same, MetricTransformation: dimensions */
};

typedef struct LogMetricFilter {
    Slice name;
    Slice group; /* its name */
    Slice pattern;
    Slice namespace_name;
    Slice metric;
    Slice value; /* a number, or what the pattern names: "$.field", "$name" */
    Slice unit;  /* absent: none was given */
    bool has_default;
    double default_value; /* of a minute with events of which none matches */
    Labels dimensions;    /* values are what the pattern names */
    uint64_t created_ms;
} LogMetricFilter;

/* Makes it, or changes the one of that name. LOG_METRIC_FILTER_LIMIT. */
Error log_metric_put(Txn *txn, LogGroup *group, LogMetricFilter *filter);
/* LOG_METRIC_FILTER_NOT_FOUND. */
Error log_metric_delete(Txn *txn, LogGroup *group, Slice name);
/* For who deletes the group. */
Error log_metric_delete_all(Txn *txn, const LogGroup *group);
/* All of the group, by name, in `arena`: they may outlive the transaction. */
Error log_metric_list(Txn *txn, const LogGroup *group, Arena *arena, LogMetricFilter **filters, size_t *count);

typedef struct LogMetricQuery {
    Slice account;
    Slice region;
    const LogGroup *group; /* NULL: of all groups */
    Slice prefix;          /* of the filter's name */
    Slice metric;          /* absent: any, as is the next */
    Slice namespace_name;
} LogMetricQuery;

/* A page by name. Looks at a bounded number of filters, so that it may be short, or empty, though `next` is there. */
Error log_metric_find(Txn *txn, const LogMetricQuery *query, LogPage *page, LogMetricFilter **filters, size_t *count);

#endif

/* test_pattern.c: TestMetricFilter: which of some messages a filter pattern means. */
#include "aws/logs/dialect.h"

static void give_match(Call *call, const LogPattern *pattern, size_t number, Slice message,
                       LogsMetricFilterMatchRecord *out)
{
    LogExtract *values;
    size_t count;
    log_pattern_extract(pattern, message, call->arena, &values, &count);
    *out = (LogsMetricFilterMatchRecord){
        .has_event_number = true, .event_number = (int64_t)number, .event_message = message};
    out->extracted_values.items = ARENA_ARRAY(call->arena, LogsExtractedValuesEntry, count + 1);
    out->extracted_values.count = count;
    for (size_t i = 0; i < count; i++)
        out->extracted_values.items[i] = (LogsExtractedValuesEntry){.key = values[i].name, .value = values[i].value};
}

Error logs_test_metric_filter(Call *call, Txn *txn, const TestMetricFilterInput *in, TestMetricFilterOutput *out)
{
    (void)txn;
    LogPattern *pattern;
    const char *why;
    if (log_pattern_compile(in->filter_pattern, call->arena, &pattern, &why) != OK)
        return logs_invalid(call, "Invalid metric filter pattern: %s.", why);
    out->matches.items = ARENA_ARRAY(call->arena, LogsMetricFilterMatchRecord, in->log_event_messages.count + 1);
    for (size_t i = 0; i < in->log_event_messages.count; i++)
        if (log_pattern_matches(pattern, in->log_event_messages.items[i], call->arena))
            give_match(call, pattern, i + 1, in->log_event_messages.items[i],
                       &out->matches.items[out->matches.count++]);
    return OK;
}

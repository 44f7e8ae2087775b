/* put_events.c: PutLogEvents. */
#include "aws/logs/dialect.h"

/* CloudWatch Logs API reference, PutLogEvents: the constraints of a batch. */
enum {
    BATCH_BYTES = 1048576,
    EVENT_BYTES = 1048576,
    FUTURE_MS = 2 * 3600 * 1000,
    PAST_DAYS = 14,
};

/* Which of the batch's events are taken: they are in order, so that those which are not stand at its ends. */
typedef struct Taken {
    size_t first;
    size_t end;
    size_t too_old_end; /* 0: none is */
    size_t expired_end;
} Taken;

static Error check_batch(Call *call, const LogsInputLogEvents *events)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < events->count; i++) {
        const LogsInputLogEvent *event = &events->items[i];
        if (i > 0 && event->timestamp < events->items[i - 1].timestamp)
            return logs_invalid(call, "Log events in a single PutLogEvents request must be in chronological order.");
        if (event->message.size + LOG_EVENT_OVERHEAD > EVENT_BYTES)
            return logs_invalid(call, "Log event too large: %zu bytes exceeds limit of %d",
                                event->message.size + LOG_EVENT_OVERHEAD, EVENT_BYTES);
        bytes += event->message.size + LOG_EVENT_OVERHEAD;
    }
    if (bytes > BATCH_BYTES)
        return logs_invalid(call, "Upload too large: %llu bytes exceeds limit of %d", (unsigned long long)bytes,
                            BATCH_BYTES);
    return OK;
}

static Taken choose(Txn *txn, const LogGroup *group, const LogsInputLogEvents *events)
{
    uint64_t now_ms = txn_now(txn);
    uint64_t past_ms = (uint64_t)PAST_DAYS * LOG_DAY_MS;
    uint64_t kept_ms = group->retention_days * LOG_DAY_MS;
    uint64_t oldest_ms = now_ms < past_ms ? 0 : now_ms - past_ms;
    uint64_t kept_from_ms = kept_ms == 0 || now_ms < kept_ms ? 0 : now_ms - kept_ms;
    Taken taken = {.end = events->count};
    for (size_t i = 0; i < events->count; i++) {
        uint64_t time_ms = (uint64_t)events->items[i].timestamp;
        if (time_ms < oldest_ms)
            taken.too_old_end = i + 1;
        if (time_ms < kept_from_ms)
            taken.expired_end = i + 1;
        if (time_ms > now_ms + FUTURE_MS && taken.end > i)
            taken.end = i;
    }
    taken.first = taken.too_old_end > taken.expired_end ? taken.too_old_end : taken.expired_end;
    return taken;
}

static LogsRejectedLogEventsInfo *rejected(Call *call, const Taken *taken, size_t count)
{
    if (taken->first == 0 && taken->end == count)
        return NULL;
    LogsRejectedLogEventsInfo *info = ARENA_NEW(call->arena, LogsRejectedLogEventsInfo);
    info->has_too_new_log_event_start_index = taken->end < count;
    info->too_new_log_event_start_index = (int32_t)taken->end;
    info->has_too_old_log_event_end_index = taken->too_old_end > 0;
    info->too_old_log_event_end_index = (int32_t)taken->too_old_end;
    info->has_expired_log_event_end_index = taken->expired_end > 0;
    info->expired_log_event_end_index = (int32_t)taken->expired_end;
    return info;
}

Error logs_put_log_events(Call *call, Txn *txn, const PutLogEventsInput *in, PutLogEventsOutput *out)
{
    LogGroup group;
    LogStream stream;
    LogChunks chunks = {.arena = txn_arena(txn)};
    const LogsInputLogEvents *events = &in->log_events;
    TRY(check_batch(call, events));
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    TRY(logs_open_stream(call, txn, &group, in->log_stream_name, &stream));
    Taken taken = choose(txn, &group, events);
    if (taken.first < taken.end &&
        events->items[taken.end - 1].timestamp - events->items[taken.first].timestamp > LOG_DAY_MS)
        return logs_invalid(call, "The batch of log events in a single PutLogEvents request cannot span more than 24 "
                                  "hours.");
    for (size_t i = taken.first; i < taken.end; i++)
        log_chunks_add(&chunks, (uint64_t)events->items[i].timestamp, events->items[i].message);
    if (chunks.first != NULL)
        TRY(log_append(txn, &group, &stream, chunks.first));
    out->rejected_log_events_info = rejected(call, &taken, events->count);
    /* Tokens are given and ignored (PutLogEvents: sequenceToken). */
    out->next_sequence_token = arena_format(call->arena, "%056llu", (unsigned long long)stream.number);
    return OK;
}

#include "aws/logs/dialect.h"

/* CreateLogStream, DeleteLogStream, DescribeLogStreams. */

Error logs_create_log_stream(Call *call, Txn *txn, const CreateLogStreamInput *in, CreateLogStreamOutput *out)
{
    (void)out;
    LogGroup group;
    LogStream stream;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    return log_stream_create(txn, &group, in->log_stream_name, &stream);
}

Error logs_delete_log_stream(Call *call, Txn *txn, const DeleteLogStreamInput *in, DeleteLogStreamOutput *out)
{
    (void)out;
    LogGroup group;
    LogStream stream;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    TRY(logs_open_stream(call, txn, &group, in->log_stream_name, &stream));
    log_stream_delete(txn, &group, &stream);
    return OK;
}

/* "storedBytes" of a stream is always 0 (CloudWatch Logs API reference, LogStream). */
static LogsLogStream describe(Call *call, const LogGroup *group, const LogStream *stream)
{
    return (LogsLogStream){
        .log_stream_name = arena_copy(call->arena, stream->name),
        .has_creation_time = true,
        .creation_time = (int64_t)stream->created_ms,
        .has_first_event_timestamp = stream->has_events,
        .first_event_timestamp = (int64_t)stream->first_ms,
        .has_last_event_timestamp = stream->has_events,
        .last_event_timestamp = (int64_t)stream->last_ms,
        .has_last_ingestion_time = stream->has_events,
        .last_ingestion_time = (int64_t)stream->ingested_ms,
        .upload_sequence_token =
            stream->has_events ? arena_format(call->arena, "%056llu", (unsigned long long)stream->number) : (Slice){0},
        .arn = arena_format(call->arena, "%.*s:log-stream:%.*s", SLICE_PRINT(logs_group_arn(call, group->name, "")),
                            SLICE_PRINT(stream->name)),
        .has_stored_bytes = true,
    };
}

Error logs_describe_log_streams(Call *call, Txn *txn, const DescribeLogStreamsInput *in, DescribeLogStreamsOutput *out)
{
    LogPage page;
    LogGroup group;
    LogStream *streams;
    size_t count;
    bool by_time = slice_equal(in->order_by, SLICE("LastEventTime"));
    if (by_time && in->log_stream_name_prefix.data != NULL)
        return logs_invalid(call, "Cannot order by LastEventTime with a logStreamNamePrefix.");
    TRY(logs_page_start(call, in->next_token, in->has_limit, in->limit, &page));
    TRY(logs_open_identified(call, txn, in->log_group_name, in->log_group_identifier, &group));
    TRY(log_stream_list(txn, &group, by_time ? LOG_STREAMS_BY_LAST_EVENT : LOG_STREAMS_BY_NAME, in->descending,
                        in->log_stream_name_prefix, &page, &streams, &count));
    out->log_streams.items = ARENA_ARRAY(call->arena, LogsLogStream, count + 1);
    out->log_streams.count = count;
    for (size_t i = 0; i < count; i++)
        out->log_streams.items[i] = describe(call, &group, &streams[i]);
    out->next_token = logs_page_token(call, &page);
    return OK;
}

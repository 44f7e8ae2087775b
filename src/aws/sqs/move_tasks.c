#include "aws/sqs/dialect.h"

#include "base/digest.h"
#include "base/json.h"

/* StartMessageMoveTask, CancelMessageMoveTask, ListMessageMoveTasks. */

/* ---- Handles: the base64 of {"taskId":"…","sourceArn":"…"} ---- */

static Slice task_handle(Call *call, const Queue *queue, const MoveTask *task)
{
    Buffer text = buffer_make(call->arena);
    JsonWriter writer = json_writer(&text);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("taskId"));
    json_write_string(&writer, sqs_uuid(call->arena, &task->id));
    json_write_name(&writer, SLICE("sourceArn"));
    json_write_string(&writer, sqs_queue_arn(call, queue->name));
    json_write_object_end(&writer);
    return base64_encode(call->arena, buffer_slice(&text));
}

static Error read_handle(Arena *arena, Slice handle, Slice *id, Slice *arn)
{
    Slice text;
    TRY(base64_decode(arena, handle, &text));
    JsonReader reader = json_reader(text, arena);
    *id = *arn = (Slice){0};
    TRY(json_begin_object(&reader));
    for (;;) {
        Slice name;
        Slice value;
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return json_read_end(&reader);
        TRY(json_read_string(&reader, &value));
        if (slice_equal(name, SLICE("taskId")))
            *id = value;
        else if (slice_equal(name, SLICE("sourceArn")))
            *arn = value;
    }
}

/* A UUID as sqs_uuid writes it. */
static bool read_uuid(Arena *arena, Slice text, MessageId *id)
{
    Buffer digits = buffer_make(arena);
    Slice bytes;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != '-')
            buffer_add_byte(&digits, text.data[i]);
    if (hex_decode(arena, buffer_slice(&digits), &bytes) != OK || bytes.size != sizeof(id->bytes))
        return false;
    memcpy(id->bytes, bytes.data, bytes.size);
    return slice_equal(sqs_uuid(arena, id), text);
}

static bool parse_handle(Arena *arena, Slice handle, MessageId *id, QueueArn *arn)
{
    Slice id_text;
    Slice arn_text;
    return read_handle(arena, handle, &id_text, &arn_text) == OK && read_uuid(arena, id_text, id) &&
           sqs_parse_arn(arn_text, arn);
}

bool sqs_task_handle_source(Arena *arena, Slice handle, QueueArn *arn)
{
    MessageId id;
    /* Every write of the service asks: what is no handle is mostly told by how a JSON object begins in base64. */
    return slice_starts_with(handle, SLICE("eyJ")) && parse_handle(arena, handle, &id, arn);
}

/* ---- Queues by ARN ---- */

static Error no_resource(Call *call, const char *parameter)
{
    return call_fail(call, &sqs_error_resource_not_found_exception,
                     "The resource that you specified for the %s parameter doesn't exist.", parameter);
}

static Error open_arn(Call *call, Txn *txn, Slice text, const char *parameter, Queue *queue)
{
    QueueArn arn;
    if (!sqs_parse_arn(text, &arn))
        return call_fail(call, &common_invalid_parameter_value,
                         "The %s parameter must have the format arn:aws:sqs:region:account:queue.", parameter);
    /* Queues of other accounts are not said to exist. */
    if (!sqs_is_own_arn(call, &arn))
        return no_resource(call, parameter);
    Error error = queue_open(txn, &call->actor, arn.name, queue);
    return error == QUEUE_NOT_FOUND ? no_resource(call, parameter) : error;
}

/* ---- Operations ---- */

Error sqs_start_message_move_task(Call *call, Txn *txn, const StartMessageMoveTaskInput *in,
                                  StartMessageMoveTaskOutput *out)
{
    Queue queue = {0};
    Queue destination = {0};
    MoveTask task;
    bool named = in->destination_arn.size > 0;
    uint64_t rate = in->has_max_number_of_messages_per_second ? (uint64_t)in->max_number_of_messages_per_second : 0;
    TRY(open_arn(call, txn, in->source_arn, "SourceArn", &queue));
    if (named)
        TRY(open_arn(call, txn, in->destination_arn, "DestinationArn", &destination));
    TRY(sqs_refuse(call, queue_move_start(txn, &queue, named ? &destination : NULL, rate,
                                          call->limits->value[LIMIT_SQS_MOVE_TASKS], &task)));
    out->task_handle = task_handle(call, &queue, &task);
    return OK;
}

Error sqs_cancel_message_move_task(Call *call, Txn *txn, const CancelMessageMoveTaskInput *in,
                                   CancelMessageMoveTaskOutput *out)
{
    MessageId id;
    QueueArn arn;
    Queue queue;
    MoveTask task;
    if (!parse_handle(call->arena, in->task_handle, &id, &arn))
        return call_fail(call, &common_invalid_parameter_value, "Value for parameter TaskHandle is invalid.");
    if (!sqs_is_own_arn(call, &arn))
        return sqs_refuse(call, QUEUE_MOVE_NOT_FOUND);
    Error error = queue_open(txn, &call->actor, arn.name, &queue);
    TRY(sqs_refuse(call, error == QUEUE_NOT_FOUND ? QUEUE_MOVE_NOT_FOUND : error));
    TRY(sqs_refuse(call, queue_move_cancel(txn, &queue, &id, &task)));
    out->approximate_number_of_messages_moved = (int64_t)task.moved;
    out->has_approximate_number_of_messages_moved = true;
    return OK;
}

static const Slice status_words[] = {
    [MOVE_RUNNING] = SLICE_INIT("RUNNING"),
    [MOVE_COMPLETED] = SLICE_INIT("COMPLETED"),
    [MOVE_CANCELLED] = SLICE_INIT("CANCELLED"),
    [MOVE_FAILED] = SLICE_INIT("FAILED"),
};

static const Slice failure_words[] = {
    [MOVE_NO_FAILURE] = {0},
    [MOVE_SOURCE_UNKNOWN] = SLICE_INIT("CouldNotDetermineMessageSource"),
    [MOVE_DESTINATION_GONE] = SLICE_INIT("AWS.SimpleQueueService.NonExistentQueue"),
};

static SqsListMessageMoveTasksResultEntry task_entry(Call *call, const Queue *queue, const MoveTask *task)
{
    SqsListMessageMoveTasksResultEntry entry = {
        .status = status_words[task->status],
        .source_arn = sqs_queue_arn(call, queue->name),
        .approximate_number_of_messages_moved = (int64_t)task->moved,
        .has_approximate_number_of_messages_moved = true,
        .approximate_number_of_messages_to_move = (int64_t)task->to_move,
        .has_approximate_number_of_messages_to_move = true,
        .failure_reason = failure_words[task->failure],
        .started_timestamp = (int64_t)task->started_ms,
        .has_started_timestamp = true,
    };
    if (task->status == MOVE_RUNNING)
        entry.task_handle = task_handle(call, queue, task);
    if (task->destination.data != NULL)
        entry.destination_arn = sqs_queue_arn(call, task->destination);
    if (task->rate > 0) {
        entry.max_number_of_messages_per_second = (int32_t)task->rate;
        entry.has_max_number_of_messages_per_second = true;
    }
    return entry;
}

Error sqs_list_message_move_tasks(Call *call, Txn *txn, const ListMessageMoveTasksInput *in,
                                  ListMessageMoveTasksOutput *out)
{
    Queue queue = {0};
    MoveTask tasks[MOVE_TASKS_KEPT];
    size_t count;
    TRY(open_arn(call, txn, in->source_arn, "SourceArn", &queue));
    TRY(queue_move_list(txn, &queue, in->has_max_results ? (size_t)in->max_results : 1, tasks, &count));
    out->results = (SqsListMessageMoveTasksResultEntryList){
        ARENA_ARRAY(call->arena, SqsListMessageMoveTasksResultEntry, count), count};
    for (size_t i = 0; i < count; i++)
        out->results.items[i] = task_entry(call, &queue, &tasks[i]);
    return OK;
}

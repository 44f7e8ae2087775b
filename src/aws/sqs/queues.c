#include "aws/sqs/dialect.h"

#include "base/digest.h"

/* CreateQueue, GetQueueUrl, ListQueues, DeleteQueue, PurgeQueue, GetQueueAttributes, SetQueueAttributes. */

enum { QUEUE_NAME_MAX = 80 }; /* SQS quotas: queue name */

static Slice attribute_of(const SqsQueueAttributeMap *map, Slice name)
{
    for (size_t i = 0; i < map->count; i++)
        if (slice_equal(map->items[i].key, name))
            return map->items[i].value;
    return (Slice){0};
}

static Error check_new_name(Call *call, const CreateQueueInput *in)
{
    Slice name = in->queue_name;
    if (slice_equal_ignore_case(attribute_of(&in->attributes, SLICE("FifoQueue")), SLICE("true"))) {
        Slice stem = name;
        bool suffix = slice_ends_with(name, SLICE(".fifo"));
        stem.size -= suffix ? SLICE(".fifo").size : 0;
        if (!suffix || name.size > QUEUE_NAME_MAX || !sqs_is_identifier(stem, QUEUE_NAME_MAX))
            return call_fail(call, &common_invalid_parameter_value,
                             "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
                             "underscores, must end with .fifo suffix and be 1 to 80 in length.");
        return OK;
    }
    if (!sqs_is_identifier(name, QUEUE_NAME_MAX))
        return call_fail(call, &common_invalid_parameter_value,
                         "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
    return OK;
}

Error sqs_create_queue(Call *call, Txn *txn, const CreateQueueInput *in, CreateQueueOutput *out)
{
    TRY(check_new_name(call, in));
    out->queue_url = sqs_queue_url(call, in->queue_name);

    Queue queue;
    Error error = queue_open(txn, &call->actor, in->queue_name, &queue);
    if (error == OK) {
        Slice other;
        TRY(sqs_first_difference(call, &in->attributes, &queue.settings, &other));
        if (other.data == NULL)
            return OK;
        return call_fail(call, &sqs_error_queue_name_exists,
                         "A queue already exists with the same name and a different value for attribute %.*s",
                         SLICE_PRINT(other));
    }
    if (error != QUEUE_NOT_FOUND)
        return error;

    QueueSettings settings = sqs_default_settings();
    settings.fifo = sqs_names_fifo(in->queue_name);
    TRY(sqs_apply_attributes(call, &in->attributes, &settings));
    TRY(sqs_merge_tags(call, in->queue_name, &in->tags, &settings.tags));
    TRY(sqs_check_redrive(call, txn, in->queue_name, &settings));
    return sqs_refuse(call, queue_create(txn, &call->actor, in->queue_name, &settings, &queue));
}

Error sqs_get_queue_url(Call *call, Txn *txn, const GetQueueUrlInput *in, GetQueueUrlOutput *out)
{
    Slice owner = in->queue_owner_aws_account_id;
    if (owner.data != NULL && !slice_equal(owner, call->actor.account))
        return call_fail(call, &sqs_error_queue_does_not_exist,
                         "The specified queue does not exist or you do not have access to it.");
    Queue queue;
    TRY(sqs_refuse(call, queue_open(txn, &call->actor, in->queue_name, &queue)));
    out->queue_url = sqs_queue_url(call, in->queue_name);
    return OK;
}

Error sqs_list_queues(Call *call, Txn *txn, const ListQueuesInput *in, ListQueuesOutput *out)
{
    Slice after = {0};
    if (in->next_token.size > 0 && base64_decode(call->arena, in->next_token, &after) != OK)
        return call_fail(call, &common_invalid_parameter_value, "Invalid or expired next token.");
    size_t max = call->limits->value[LIMIT_SQS_QUEUES_LISTED];
    if (in->has_max_results && (size_t)in->max_results < max)
        max = (size_t)in->max_results;

    QueueNames names;
    TRY(queue_list(txn, &call->actor, in->queue_name_prefix, after, max, &names));
    if (names.count == 0)
        return OK;
    out->queue_urls = (SqsQueueUrlList){ARENA_ARRAY(call->arena, Slice, names.count), names.count};
    for (size_t i = 0; i < names.count; i++)
        out->queue_urls.items[i] = sqs_queue_url(call, names.items[i]);
    /* A caller that did not ask for pages gets none (SQS API reference, ListQueues). */
    if (names.more && in->has_max_results)
        out->next_token = base64_encode(call->arena, names.items[names.count - 1]);
    return OK;
}

Error sqs_delete_queue(Call *call, Txn *txn, const DeleteQueueInput *in, DeleteQueueOutput *out)
{
    (void)out;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    return sqs_refuse(call, queue_drop(txn, &queue));
}

Error sqs_purge_queue(Call *call, Txn *txn, const PurgeQueueInput *in, PurgeQueueOutput *out)
{
    (void)out;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    Error error = queue_purge(txn, &queue);
    if (error == QUEUE_PURGE_IN_PROGRESS)
        return call_fail(call, &sqs_error_purge_queue_in_progress,
                         "Only one PurgeQueue operation on %.*s is allowed every 60 seconds.", SLICE_PRINT(queue.name));
    return sqs_refuse(call, error);
}

Error sqs_get_queue_attributes(Call *call, Txn *txn, const GetQueueAttributesInput *in, GetQueueAttributesOutput *out)
{
    Queue queue;
    QueueCounts counts;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(sqs_refuse(call, queue_count(txn, &queue, &counts)));
    return sqs_report_attributes(call, &queue, &counts, &in->attribute_names, &out->attributes);
}

Error sqs_set_queue_attributes(Call *call, Txn *txn, const SetQueueAttributesInput *in, SetQueueAttributesOutput *out)
{
    (void)out;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    QueueSettings settings = queue.settings;
    TRY(sqs_apply_attributes(call, &in->attributes, &settings));
    /* A policy that stands may name a queue that is gone; only a new one is judged. */
    if (attribute_of(&in->attributes, SLICE("RedrivePolicy")).data != NULL)
        TRY(sqs_check_redrive(call, txn, queue.name, &settings));
    return sqs_refuse(call, queue_change(txn, &queue, &settings));
}

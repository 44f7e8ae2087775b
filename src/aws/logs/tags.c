#include "aws/logs/dialect.h"

enum { TAGS_MAX = 50 }; /* CloudWatch Logs API reference, TagResource: tags */

Error logs_read_tags(Call *call, const LogsTags *tags, Labels *labels)
{
    labels->count = tags->count;
    labels->items = ARENA_ARRAY(call->arena, Label, tags->count);
    for (size_t i = 0; i < tags->count; i++) {
        if (slice_starts_with(tags->items[i].key, SLICE("aws:")))
            return logs_invalid(call, "The tag key %.*s begins with aws:, which is reserved.",
                                SLICE_PRINT(tags->items[i].key));
        labels->items[i] = (Label){tags->items[i].key, tags->items[i].value};
    }
    return OK;
}

static Error tag(Call *call, Txn *txn, LogGroup *group, const LogsTags *tags)
{
    Labels labels;
    TRY(logs_read_tags(call, tags, &labels));
    labels_set(txn_arena(txn), &group->tags, labels.items, labels.count);
    if (group->tags.count > TAGS_MAX)
        return call_fail(call, &logs_error_too_many_tags_exception, "A log group can have at most %d tags.", TAGS_MAX);
    log_group_put(txn, group);
    return OK;
}

static void untag(Txn *txn, LogGroup *group, const Slice *keys, size_t count)
{
    labels_remove(&group->tags, keys, count);
    log_group_put(txn, group);
}

static LogsTags tags_of(Call *call, const LogGroup *group)
{
    LogsTags tags = {.count = group->tags.count};
    tags.items = ARENA_ARRAY(call->arena, LogsTagsEntry, tags.count + 1); /* an empty map is there, too */
    for (size_t i = 0; i < tags.count; i++)
        tags.items[i] = (LogsTagsEntry){.key = arena_copy(call->arena, group->tags.items[i].key),
                                        .value = arena_copy(call->arena, group->tags.items[i].value)};
    return tags;
}

/* Log groups alone have tags here: destinations are not implemented. */
static Error open_resource(Call *call, Txn *txn, Slice arn, LogGroup *group)
{
    Slice name;
    if (!slice_starts_with(arn, SLICE("arn:")))
        return logs_invalid(call, "%.*s is no ARN.", SLICE_PRINT(arn));
    if (!logs_group_name(call, arn, &name) || logs_open_group(call, txn, name, group) != OK)
        return call_fail(call, &logs_error_resource_not_found_exception, "The specified resource does not exist.");
    return OK;
}

/* ---- By ARN ---- */

Error logs_tag_resource(Call *call, Txn *txn, const TagResourceInput *in, TagResourceOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(open_resource(call, txn, in->resource_arn, &group));
    return tag(call, txn, &group, &in->tags);
}

Error logs_untag_resource(Call *call, Txn *txn, const UntagResourceInput *in, UntagResourceOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(open_resource(call, txn, in->resource_arn, &group));
    untag(txn, &group, in->tag_keys.items, in->tag_keys.count);
    return OK;
}

Error logs_list_tags_for_resource(Call *call, Txn *txn, const ListTagsForResourceInput *in,
                                  ListTagsForResourceOutput *out)
{
    LogGroup group;
    TRY(open_resource(call, txn, in->resource_arn, &group));
    out->tags = tags_of(call, &group);
    return OK;
}

/* ---- By name ---- */

Error logs_tag_log_group(Call *call, Txn *txn, const TagLogGroupInput *in, TagLogGroupOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    return tag(call, txn, &group, &in->tags);
}

Error logs_untag_log_group(Call *call, Txn *txn, const UntagLogGroupInput *in, UntagLogGroupOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    untag(txn, &group, in->tags.items, in->tags.count);
    return OK;
}

Error logs_list_tags_log_group(Call *call, Txn *txn, const ListTagsLogGroupInput *in, ListTagsLogGroupOutput *out)
{
    LogGroup group;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    out->tags = tags_of(call, &group);
    return OK;
}

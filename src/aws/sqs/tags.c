#include "aws/sqs/dialect.h"

/* TagQueue, UntagQueue, ListQueueTags (SQS developer guide, "Amazon SQS cost allocation tags"; AWS general reference,
 * "Tag naming limits and requirements"). */

enum { TAGS_MAX = 50, TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256 };

static Error bad_tag(Call *call, const char *reason)
{
    return call_fail(call, &common_invalid_parameter_value, "%s", reason);
}

static size_t character_count(Slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* Letters, digits and spaces of any script, and _ . : / = + - @. Of other scripts nothing is refused. */
static bool has_tag_characters(Slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
        if (!letter && (c == 0 || strchr(" _.:/=+-@", c) == NULL))
            return false;
    }
    return true;
}

static Error check_tag(Call *call, Slice key, Slice value)
{
    size_t key_length = character_count(key);
    if (key_length == 0 || key_length > TAG_KEY_MAX)
        return bad_tag(call, "Tag keys must be between 1 and 128 characters in length.");
    if (character_count(value) > TAG_VALUE_MAX)
        return bad_tag(call, "Tag values must be between 0 and 256 characters in length.");
    if (slice_equal_ignore_case(slice_make(key.data, key.size < 4 ? key.size : 4), SLICE("aws:")))
        return bad_tag(call, "Tag keys that begin with aws: are reserved for AWS.");
    if (!has_tag_characters(key) || !has_tag_characters(value))
        return bad_tag(call, "Tag keys and values may hold letters, digits, spaces, and _ . : / = + - @ only.");
    return OK;
}

static QueueLabel *find_tag(QueueLabel *tags, size_t count, Slice key)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(tags[i].name, key))
            return &tags[i];
    return NULL;
}

Error sqs_merge_tags(Call *call, Slice queue_name, const SqsTagMap *map, QueueLabels *tags)
{
    if (map->count > TAGS_MAX)
        return call_fail(call, &common_invalid_parameter_value, "Too many tags added for queue %.*s.",
                         SLICE_PRINT(queue_name));
    size_t count = tags->count;
    QueueLabel *items = ARENA_ARRAY(call->arena, QueueLabel, count + map->count);
    for (size_t i = 0; i < count; i++)
        items[i] = tags->items[i];
    for (size_t i = 0; i < map->count; i++) {
        const QueueLabel tag = {map->items[i].key, map->items[i].value};
        TRY(check_tag(call, tag.name, tag.value));
        QueueLabel *there = find_tag(items, count, tag.name);
        if (there != NULL)
            *there = tag;
        else
            items[count++] = tag;
    }
    if (count > TAGS_MAX)
        return call_fail(call, &common_invalid_parameter_value, "Too many tags added for queue %.*s.",
                         SLICE_PRINT(queue_name));
    *tags = (QueueLabels){items, count};
    return OK;
}

Error sqs_tag_queue(Call *call, Txn *txn, const TagQueueInput *in, TagQueueOutput *out)
{
    (void)out;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    if (in->tags.count == 0)
        return call_fail(call, &common_missing_parameter, "The request must contain the parameter Tags.");
    QueueLabels tags = queue.settings.tags;
    TRY(sqs_merge_tags(call, queue.name, &in->tags, &tags));
    queue_retag(txn, &queue, tags);
    return OK;
}

static bool names_key(const SqsTagKeyList *keys, Slice key)
{
    for (size_t i = 0; i < keys->count; i++)
        if (slice_equal(keys->items[i], key))
            return true;
    return false;
}

Error sqs_untag_queue(Call *call, Txn *txn, const UntagQueueInput *in, UntagQueueOutput *out)
{
    (void)out;
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    if (in->tag_keys.count == 0)
        return bad_tag(call, "Tag keys must be between 1 and 128 characters in length.");
    const QueueLabels *tags = &queue.settings.tags;
    QueueLabel *items = ARENA_ARRAY(call->arena, QueueLabel, tags->count);
    size_t count = 0;
    for (size_t i = 0; i < tags->count; i++)
        if (!names_key(&in->tag_keys, tags->items[i].name))
            items[count++] = tags->items[i];
    if (count < tags->count)
        queue_retag(txn, &queue, (QueueLabels){items, count});
    return OK;
}

Error sqs_list_queue_tags(Call *call, Txn *txn, const ListQueueTagsInput *in, ListQueueTagsOutput *out)
{
    Queue queue;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    const QueueLabels *tags = &queue.settings.tags;
    if (tags->count == 0)
        return OK;
    out->tags = (SqsTagMap){ARENA_ARRAY(call->arena, SqsTagMapEntry, tags->count), tags->count};
    for (size_t i = 0; i < tags->count; i++)
        out->tags.items[i] = (SqsTagMapEntry){arena_copy(call->arena, tags->items[i].name),
                                              arena_copy(call->arena, tags->items[i].value)};
    return OK;
}

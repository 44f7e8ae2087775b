#include "aws/sqs/dialect.h"

#include "base/json.h"

/* The attributes of a queue, each stated once (SQS API reference, CreateQueue, SetQueueAttributes, GetQueueAttributes).
 * Numbers are seconds or bytes in the API, milliseconds or bytes in core. Texts are documents of the queue, which core
 * keeps without reading them. */

typedef enum AttributeKind {
    ATTRIBUTE_NUMBER,   /* of QueueSettings */
    ATTRIBUTE_TEXT,     /* a document; setting it to "" removes it */
    ATTRIBUTE_REPORTED, /* only reported */
    ATTRIBUTE_PARSED,   /* a document of which core knows what it says */
    ATTRIBUTE_FIFO,     /* a switch of FIFO queues, which others have not */
} AttributeKind;

typedef struct AttributeRow {
    Slice name;
    AttributeKind kind;
    /* numbers */
    size_t offset;
    uint64_t unit; /* core's for one of the API's */
    uint64_t min;
    uint64_t max;
    uint64_t standard;
    /* texts */
    bool (*valid)(Slice value);
    /* what is parsed: into the settings ("" removes it), and whether two say the same */
    Error (*parse)(Call *call, Slice value, QueueSettings *settings);
    bool (*same)(const QueueSettings *one, const QueueSettings *other);
    /* switches: a bool of QueueSettings at `offset`, and what it is called; off without a name cannot be said */
    Slice off;
    Slice on;
    /* reported */
    Slice (*report)(Call *call, const Queue *queue, const QueueCounts *counts);
} AttributeRow;

/* ---- Texts that are checked ---- */

static bool valid_policy(Slice value)
{
    return json_check(value) == OK;
}

static bool valid_boolean(Slice value)
{
    return slice_equal(value, SLICE("true")) || slice_equal(value, SLICE("false"));
}

static bool valid_reuse_period(Slice value)
{
    uint64_t seconds;
    return slice_parse_uint64(value, &seconds) && seconds >= 60 && seconds <= 86400;
}

static bool valid_any(Slice value)
{
    (void)value;
    return true;
}

/* ---- What is only reported ---- */

static Slice decimal(Call *call, uint64_t number)
{
    Buffer text = buffer_make(call->arena);
    buffer_add_uint64(&text, number);
    return buffer_slice(&text);
}

static Slice report_visible(Call *call, const Queue *queue, const QueueCounts *counts)
{
    (void)queue;
    return decimal(call, counts->visible);
}

static Slice report_delayed(Call *call, const Queue *queue, const QueueCounts *counts)
{
    (void)queue;
    return decimal(call, counts->delayed);
}

static Slice report_in_flight(Call *call, const Queue *queue, const QueueCounts *counts)
{
    (void)queue;
    return decimal(call, counts->in_flight);
}

static Slice report_created(Call *call, const Queue *queue, const QueueCounts *counts)
{
    (void)counts;
    return decimal(call, queue->created_ms / 1000);
}

static Slice report_modified(Call *call, const Queue *queue, const QueueCounts *counts)
{
    (void)counts;
    return decimal(call, queue->modified_ms / 1000);
}

static Slice report_arn(Call *call, const Queue *queue, const QueueCounts *counts)
{
    (void)counts;
    return sqs_queue_arn(call, queue->name);
}

/* ---- The table ---- */

#define NUMBER(text, member, unit_, min_, max_, standard_)                                                             \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = ATTRIBUTE_NUMBER, .offset = offsetof(QueueSettings, member),                 \
        .unit = (unit_), .min = (min_), .max = (max_), .standard = (standard_)                                         \
    }
#define TEXT(text, valid_)                                                                                             \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = ATTRIBUTE_TEXT, .valid = (valid_)                                            \
    }
#define REPORTED(text, report_)                                                                                        \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = ATTRIBUTE_REPORTED, .report = (report_)                                      \
    }
#define PARSED(text, parse_, same_)                                                                                    \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = ATTRIBUTE_PARSED, .parse = (parse_), .same = (same_)                         \
    }
#define FIFO(text, member, off_, on_)                                                                                  \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = ATTRIBUTE_FIFO, .offset = offsetof(QueueSettings, member),                   \
        .off = SLICE_INIT(off_), .on = SLICE_INIT(on_)                                                                 \
    }

static const AttributeRow rows[] = {
    REPORTED("ApproximateNumberOfMessages", report_visible),
    REPORTED("ApproximateNumberOfMessagesDelayed", report_delayed),
    REPORTED("ApproximateNumberOfMessagesNotVisible", report_in_flight),
    REPORTED("CreatedTimestamp", report_created),
    NUMBER("DelaySeconds", delay_ms, 1000, 0, 900, 0),
    TEXT("KmsDataKeyReusePeriodSeconds", valid_reuse_period),
    TEXT("KmsMasterKeyId", valid_any),
    REPORTED("LastModifiedTimestamp", report_modified),
    NUMBER("MaximumMessageSize", message_bytes, 1, 1024, 1048576, 1048576),
    NUMBER("MessageRetentionPeriod", retention_ms, 1000, 60, 1209600, 345600),
    TEXT("Policy", valid_policy),
    REPORTED("QueueArn", report_arn),
    NUMBER("ReceiveMessageWaitTimeSeconds", wait_ms, 1000, 0, 20, 0),
    PARSED("RedriveAllowPolicy", sqs_parse_redrive_allow_policy, sqs_same_redrive_allow_policy),
    PARSED("RedrivePolicy", sqs_parse_redrive_policy, sqs_same_redrive_policy),
    TEXT("SqsManagedSseEnabled", valid_boolean),
    NUMBER("VisibilityTimeout", visibility_ms, 1000, 0, 43200, 30),
    FIFO("ContentBasedDeduplication", dedup_by_content, "false", "true"),
    FIFO("DeduplicationScope", dedup_per_group, "queue", "messageGroup"),
    FIFO("FifoQueue", fifo, "", "true"),
    FIFO("FifoThroughputLimit", limit_per_group, "perQueue", "perMessageGroupId"),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const AttributeRow *find_row(Slice name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (slice_equal(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static uint64_t *number_of(const AttributeRow *row, QueueSettings *settings)
{
    return (uint64_t *)(void *)((char *)settings + row->offset);
}

static uint64_t number_in(const AttributeRow *row, const QueueSettings *settings)
{
    return *(const uint64_t *)(const void *)((const char *)settings + row->offset);
}

static bool *switch_of(const AttributeRow *row, QueueSettings *settings)
{
    return (bool *)(void *)((char *)settings + row->offset);
}

static bool switch_in(const AttributeRow *row, const QueueSettings *settings)
{
    return *(const bool *)(const void *)((const char *)settings + row->offset);
}

/* ---- Documents ---- */

Slice sqs_document(const QueueSettings *settings, Slice name)
{
    for (size_t i = 0; i < settings->documents.count; i++)
        if (slice_equal(settings->documents.items[i].name, name))
            return settings->documents.items[i].value;
    return (Slice){0};
}

void sqs_set_document(Call *call, QueueSettings *settings, Slice name, Slice value)
{
    QueueLabel *items = ARENA_ARRAY(call->arena, QueueLabel, settings->documents.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < settings->documents.count; i++)
        if (!slice_equal(settings->documents.items[i].name, name))
            items[count++] = settings->documents.items[i];
    if (value.size > 0)
        items[count++] = (QueueLabel){name, value};
    settings->documents = (QueueLabels){items, count};
}

/* ---- Setting ---- */

QueueSettings sqs_default_settings(void)
{
    QueueSettings settings = {0};
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].kind == ATTRIBUTE_NUMBER)
            *number_of(&rows[i], &settings) = rows[i].standard * rows[i].unit;
    return settings;
}

static Error unknown_attribute(Call *call, Slice name)
{
    return call_fail(call, &sqs_error_invalid_attribute_name, "Unknown Attribute %.*s.", SLICE_PRINT(name));
}

static Error invalid_value(Call *call, Slice name)
{
    return call_fail(call, &sqs_error_invalid_attribute_value, "Invalid value for the parameter %.*s.",
                     SLICE_PRINT(name));
}

static Error apply_one(Call *call, const AttributeRow *row, Slice value, QueueSettings *settings)
{
    uint64_t number;
    switch (row->kind) {
    case ATTRIBUTE_NUMBER:
        if (!slice_parse_uint64(value, &number) || number < row->min || number > row->max)
            return invalid_value(call, row->name);
        *number_of(row, settings) = number * row->unit;
        return OK;
    case ATTRIBUTE_TEXT:
        if (value.size > 0 && !row->valid(value))
            return invalid_value(call, row->name);
        sqs_set_document(call, settings, row->name, value);
        return OK;
    case ATTRIBUTE_PARSED:
        TRY(row->parse(call, value, settings));
        sqs_set_document(call, settings, row->name, value);
        return OK;
    case ATTRIBUTE_FIFO:
        if (!settings->fifo)
            break;
        if (!slice_equal_ignore_case(value, row->on) &&
            (row->off.size == 0 || !slice_equal_ignore_case(value, row->off)))
            return invalid_value(call, row->name);
        *switch_of(row, settings) = slice_equal_ignore_case(value, row->on);
        return OK;
    case ATTRIBUTE_REPORTED:
        break;
    }
    return unknown_attribute(call, row->name);
}

static Slice attribute_in(const SqsQueueAttributeMap *map, Slice name)
{
    for (size_t i = 0; i < map->count; i++)
        if (slice_equal(map->items[i].key, name))
            return map->items[i].value;
    return (Slice){0};
}

Error sqs_apply_attributes(Call *call, const SqsQueueAttributeMap *map, QueueSettings *settings)
{
    for (size_t i = 0; i < map->count; i++) {
        const AttributeRow *row = find_row(map->items[i].key);
        if (row == NULL)
            return unknown_attribute(call, map->items[i].key);
        TRY(apply_one(call, row, map->items[i].value, settings));
    }
    if (settings->limit_per_group && !settings->dedup_per_group)
        return call_fail(call, &sqs_error_invalid_attribute_value,
                         "FifoThroughputLimit can be perMessageGroupId only where DeduplicationScope is messageGroup.");
    /* A queue has one kind of encryption: a key turns SQS's own off (SQS developer guide, "Encryption at rest"). */
    if (attribute_in(map, SLICE("KmsMasterKeyId")).size > 0) {
        if (slice_equal(attribute_in(map, SLICE("SqsManagedSseEnabled")), SLICE("true")))
            return call_fail(call, &sqs_error_invalid_attribute_value,
                             "You can use one type of server-side encryption (SSE) at one time. You can either enable "
                             "KMS SSE or SQS SSE.");
        sqs_set_document(call, settings, SLICE("SqsManagedSseEnabled"), SLICE("false"));
    } else if (slice_equal(attribute_in(map, SLICE("SqsManagedSseEnabled")), SLICE("true"))) {
        sqs_set_document(call, settings, SLICE("KmsMasterKeyId"), SLICE(""));
    }
    return OK;
}

/* ---- Reporting ---- */

/* Absent: the queue has no such attribute. */
static Slice value_of(Call *call, const AttributeRow *row, const QueueSettings *settings)
{
    if (row->kind == ATTRIBUTE_NUMBER)
        return decimal(call, number_in(row, settings) / row->unit);
    if (row->kind == ATTRIBUTE_FIFO && settings->fifo)
        return switch_in(row, settings) ? row->on : row->off;
    if (row->kind != ATTRIBUTE_TEXT && row->kind != ATTRIBUTE_PARSED)
        return (Slice){0};
    Slice value = sqs_document(settings, row->name);
    if (slice_equal(row->name, SLICE("SqsManagedSseEnabled")))
        return value.data == NULL ? SLICE("true") : value;
    if (slice_equal(row->name, SLICE("KmsDataKeyReusePeriodSeconds"))) {
        if (sqs_document(settings, SLICE("KmsMasterKeyId")).data == NULL)
            return (Slice){0};
        return value.data == NULL ? SLICE("300") : value;
    }
    return value;
}

Error sqs_first_difference(Call *call, const SqsQueueAttributeMap *map, const QueueSettings *settings, Slice *name)
{
    QueueSettings wanted = *settings;
    *name = (Slice){0};
    TRY(sqs_apply_attributes(call, map, &wanted));
    for (size_t i = 0; i < map->count; i++) {
        const AttributeRow *row = find_row(map->items[i].key);
        bool same = row->kind == ATTRIBUTE_PARSED
                        ? row->same(&wanted, settings)
                        : slice_equal(value_of(call, row, &wanted), value_of(call, row, settings));
        if (!same) {
            *name = row->name;
            return OK;
        }
    }
    return OK;
}

Error sqs_report_attributes(Call *call, const Queue *queue, const QueueCounts *counts,
                            const SqsAttributeNameList *names, SqsQueueAttributeMap *map)
{
    bool wanted[ROWS] = {false};
    bool all = false;
    for (size_t i = 0; i < names->count; i++) {
        const AttributeRow *row = find_row(names->items[i]);
        if (slice_equal(names->items[i], SLICE("All")))
            all = true;
        else if (row != NULL)
            wanted[row - rows] = true;
        else
            return unknown_attribute(call, names->items[i]);
    }
    SqsQueueAttributeMapEntry *items = ARENA_ARRAY(call->arena, SqsQueueAttributeMapEntry, ROWS);
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!all && !wanted[i])
            continue;
        Slice value = rows[i].kind == ATTRIBUTE_REPORTED ? rows[i].report(call, queue, counts)
                                                         : value_of(call, &rows[i], &queue->settings);
        if (value.data != NULL)
            items[count++] = (SqsQueueAttributeMapEntry){rows[i].name, arena_copy(call->arena, value)};
    }
    if (count > 0)
        *map = (SqsQueueAttributeMap){items, count};
    return OK;
}

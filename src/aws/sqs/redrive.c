#include "aws/sqs/dialect.h"

#include "base/digest.h"
#include "base/json.h"

#include <inttypes.h>

/* RedrivePolicy, RedriveAllowPolicy, ListDeadLetterSourceQueues (SQS API reference, SetQueueAttributes, "The following
 * attributes apply only to dead-letter queues"). */

enum { RECEIVES_MAX = 1000, SOURCES_MAX = 10 };

static Error bad_policy(Call *call, const char *attribute, Slice value, const char *reason)
{
    return call_fail(call, &common_invalid_parameter_value, "Value %.*s for parameter %s is invalid. Reason: %s",
                     SLICE_PRINT(value), attribute, reason);
}

/* ---- RedrivePolicy ---- */

static Error bad_redrive(Call *call, Slice value, const char *reason)
{
    return bad_policy(call, "RedrivePolicy", value, reason);
}

typedef struct RedriveText {
    Slice target;   /* absent: not there */
    Slice receives; /* a number's text, or a string's */
    bool has_others;
} RedriveText;

static Error read_redrive(JsonReader *reader, RedriveText *text)
{
    TRY(json_begin_object(reader));
    for (;;) {
        Slice name;
        Slice skipped;
        JsonType type;
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            return json_read_end(reader);
        TRY(json_peek(reader, &type));
        if (slice_equal(name, SLICE("deadLetterTargetArn")) && type == JSON_STRING) {
            TRY(json_read_string(reader, &text->target));
        } else if (slice_equal(name, SLICE("maxReceiveCount"))) {
            TRY(type == JSON_STRING ? json_read_string(reader, &text->receives)
                                    : json_read_any(reader, &text->receives));
        } else {
            text->has_others = true;
            TRY(json_read_any(reader, &skipped));
        }
    }
}

Error sqs_parse_redrive_policy(Call *call, Slice value, QueueSettings *settings)
{
    RedriveText text = {0};
    QueueArn arn;
    uint64_t receives;
    settings->dead_letter_queue = (Slice){0};
    settings->max_receives = 0;
    if (value.size == 0)
        return OK;
    JsonReader reader = json_reader(value, call->arena);
    if (read_redrive(&reader, &text) != OK)
        return bad_redrive(call, value, "Redrive policy is not a valid JSON map.");
    if (text.has_others)
        return bad_redrive(call, value,
                           "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].");
    if (text.target.data == NULL)
        return bad_redrive(call, value, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
    if (text.receives.data == NULL)
        return bad_redrive(call, value, "Redrive policy does not contain mandatory attribute: maxReceiveCount.");
    if (!slice_parse_uint64(text.receives, &receives) || receives < 1 || receives > RECEIVES_MAX)
        return bad_redrive(call, value,
                           arena_string(call->arena, arena_format(call->arena,
                                                                  "Invalid value for maxReceiveCount: %.*s, valid "
                                                                  "values are from 1 to %d both inclusive.",
                                                                  SLICE_PRINT(text.receives), RECEIVES_MAX)));
    if (!sqs_parse_arn(text.target, &arn))
        return bad_redrive(call, value, "Invalid value for deadLetterTargetArn.");
    if (!slice_equal(arn.account, call->actor.account))
        return bad_redrive(call, value, "Dead letter target owner should be same as the source.");
    if (!slice_equal(arn.region, call->actor.region))
        return bad_redrive(call, value, "Dead letter target must be in same region as the source.");
    settings->dead_letter_queue = arn.name;
    settings->max_receives = receives;
    return OK;
}

bool sqs_same_redrive_policy(const QueueSettings *one, const QueueSettings *other)
{
    return slice_equal(one->dead_letter_queue, other->dead_letter_queue) && one->max_receives == other->max_receives;
}

Error sqs_check_redrive(Call *call, Txn *txn, Slice name, const QueueSettings *settings)
{
    Slice value = sqs_document(settings, SLICE("RedrivePolicy"));
    Error error = queue_check_redrive(txn, &call->actor, name, settings);
    switch (error) {
    case QUEUE_NOT_FOUND:
        return bad_redrive(call, value, "Dead letter target does not exist.");
    case QUEUE_KINDS_DIFFER:
        return bad_redrive(call, value, "Dead-letter queue must be same type of queue as the source.");
    case QUEUE_REDRIVE_DENIED:
        return bad_redrive(call, value,
                           "The RedriveAllowPolicy of the dead-letter queue does not allow this source queue.");
    default:
        return error;
    }
}

/* ---- RedriveAllowPolicy ---- */

static Error bad_allow(Call *call, Slice value, const char *reason)
{
    return bad_policy(call, "RedriveAllowPolicy", value, reason);
}

typedef struct AllowText {
    Slice permission;
    bool has_sources;
    Slice sources[SOURCES_MAX];
    size_t source_count; /* may pass SOURCES_MAX */
} AllowText;

static Error read_sources(JsonReader *reader, AllowText *text)
{
    bool more;
    text->has_sources = true;
    TRY(json_begin_array(reader));
    for (;;) {
        Slice arn;
        TRY(json_next_element(reader, &more));
        if (!more)
            return OK;
        TRY(json_read_string(reader, &arn));
        if (text->source_count < SOURCES_MAX)
            text->sources[text->source_count] = arn;
        text->source_count += 1;
    }
}

static Error read_allow(JsonReader *reader, AllowText *text)
{
    TRY(json_begin_object(reader));
    for (;;) {
        Slice name;
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            return json_read_end(reader);
        if (slice_equal(name, SLICE("redrivePermission")))
            TRY(json_read_string(reader, &text->permission));
        else if (slice_equal(name, SLICE("sourceQueueArns")))
            TRY(read_sources(reader, text));
        else
            return ERROR_MALFORMED;
    }
}

static bool find_permission(Slice word, RedriveAllow *allow)
{
    static const Slice words[] = {
        [REDRIVE_ALLOW_ALL] = SLICE_INIT("allowAll"),
        [REDRIVE_ALLOW_NONE] = SLICE_INIT("denyAll"),
        [REDRIVE_ALLOW_LISTED] = SLICE_INIT("byQueue"),
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!slice_equal(word, words[i]))
            continue;
        *allow = (RedriveAllow)i;
        return true;
    }
    return false;
}

/* The names of the listed queues that can be sources at all: the caller's, in this region. */
static Error keep_sources(Call *call, Slice value, const AllowText *text, QueueSettings *settings)
{
    Slice *names = ARENA_ARRAY(call->arena, Slice, text->source_count);
    size_t count = 0;
    for (size_t i = 0; i < text->source_count; i++) {
        QueueArn arn;
        if (!sqs_parse_arn(text->sources[i], &arn))
            return bad_allow(call, value, "A value of sourceQueueArns is not the ARN of a queue.");
        if (sqs_is_own_arn(call, &arn))
            names[count++] = arn.name;
    }
    settings->redrive_sources = names;
    settings->redrive_source_count = count;
    return OK;
}

Error sqs_parse_redrive_allow_policy(Call *call, Slice value, QueueSettings *settings)
{
    AllowText text = {0};
    settings->redrive_allow = REDRIVE_ALLOW_ALL;
    settings->redrive_sources = NULL;
    settings->redrive_source_count = 0;
    if (value.size == 0)
        return OK;
    JsonReader reader = json_reader(value, call->arena);
    if (read_allow(&reader, &text) != OK || !find_permission(text.permission, &settings->redrive_allow))
        return bad_allow(call, value,
                         "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.");
    if (settings->redrive_allow != REDRIVE_ALLOW_LISTED)
        return text.has_sources
                   ? bad_allow(call, value, "sourceQueueArns can be given for the redrivePermission byQueue only.")
                   : OK;
    if (text.source_count == 0 || text.source_count > SOURCES_MAX)
        return bad_allow(call, value, "The redrivePermission byQueue needs between 1 and 10 sourceQueueArns.");
    return keep_sources(call, value, &text, settings);
}

bool sqs_same_redrive_allow_policy(const QueueSettings *one, const QueueSettings *other)
{
    if (one->redrive_allow != other->redrive_allow || one->redrive_source_count != other->redrive_source_count)
        return false;
    for (size_t i = 0; i < one->redrive_source_count; i++)
        if (!slice_equal(one->redrive_sources[i], other->redrive_sources[i]))
            return false;
    return true;
}

/* ---- ListDeadLetterSourceQueues ---- */

Error sqs_list_dead_letter_source_queues(Call *call, Txn *txn, const ListDeadLetterSourceQueuesInput *in,
                                         ListDeadLetterSourceQueuesOutput *out)
{
    Queue queue;
    QueueNames names;
    Slice after = {0};
    if (in->next_token.size > 0 && base64_decode(call->arena, in->next_token, &after) != OK)
        return call_fail(call, &common_invalid_parameter_value, "Invalid or expired next token.");
    size_t max = call->limits->value[LIMIT_SQS_QUEUES_LISTED];
    if (in->has_max_results && (size_t)in->max_results < max)
        max = (size_t)in->max_results;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(queue_list_sources(txn, &queue, after, max, &names));
    out->queue_urls = (SqsQueueUrlList){ARENA_ARRAY(call->arena, Slice, names.count), names.count};
    for (size_t i = 0; i < names.count; i++)
        out->queue_urls.items[i] = sqs_queue_url(call, names.items[i]);
    /* A caller that did not ask for pages gets none (SQS API reference, ListDeadLetterSourceQueues). */
    if (names.more && in->has_max_results)
        out->next_token = base64_encode(call->arena, names.items[names.count - 1]);
    return OK;
}

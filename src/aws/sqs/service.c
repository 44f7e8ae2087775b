#include "aws/sqs/dialect.h"

/* The service's hooks: queue URLs, constraint violations and core's errors in SQS's own words. */

/* ---- Addresses ---- */

enum { ACCOUNT_DIGITS = 12 };

static bool is_account(Slice text)
{
    if (text.size != ACCOUNT_DIGITS)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

/* Cuts the last path segment off. */
static Slice take_last_segment(Slice *path)
{
    size_t start = path->size;
    while (start > 0 && path->data[start - 1] != '/')
        start--;
    Slice segment = slice_skip(*path, start);
    path->size = start > 0 ? start - 1 : 0;
    return segment;
}

bool sqs_parse_address(Slice url, QueueAddress *address)
{
    *address = (QueueAddress){0};
    if (url.size == 0)
        return false;
    bool has_path = slice_find(url, '/') != url.size;
    Slice rest = url;
    address->name = take_last_segment(&rest);
    if (!has_path)
        return true; /* a bare name stands for the caller's queue */
    address->account = take_last_segment(&rest);
    return address->name.size > 0 && is_account(address->account);
}

Error sqs_open(Call *call, Txn *txn, Slice queue_url, Queue *queue)
{
    QueueAddress address;
    if (!sqs_parse_address(queue_url, &address))
        return call_fail(call, &sqs_error_invalid_address, "The address %.*s is not valid for this endpoint.",
                         SLICE_PRINT(queue_url));
    /* Policies that let other accounts in are not evaluated yet: nothing is said of whether the queue exists. */
    if (address.account.data != NULL && !slice_equal(address.account, call->actor.account))
        return call_fail(call, &common_access_denied, "Access to the resource %.*s is denied.", SLICE_PRINT(queue_url));
    return sqs_refuse(call, queue_open(txn, &call->actor, address.name, queue));
}

Slice sqs_queue_url(Call *call, Slice name)
{
    return arena_format(call->arena, "%.*s/%.*s/%.*s", SLICE_PRINT(call->endpoint), SLICE_PRINT(call->actor.account),
                        SLICE_PRINT(name));
}

bool sqs_names_fifo(Slice queue_url)
{
    return slice_ends_with(queue_url, SLICE(".fifo"));
}

const char *sqs_partition(const Call *call)
{
    Slice region = call->actor.region;
    return slice_starts_with(region, SLICE("cn-"))       ? "aws-cn"
           : slice_starts_with(region, SLICE("us-gov-")) ? "aws-us-gov"
                                                         : "aws";
}

Slice sqs_queue_arn(Call *call, Slice name)
{
    return arena_format(call->arena, "arn:%s:sqs:%.*s:%.*s:%.*s", sqs_partition(call), SLICE_PRINT(call->actor.region),
                        SLICE_PRINT(call->actor.account), SLICE_PRINT(name));
}

/* Takes the text up to the next colon off the front. */
static Slice take_part(Slice *text)
{
    size_t colon = slice_find(*text, ':');
    Slice part = slice_make(text->data, colon);
    *text = slice_skip(*text, colon < text->size ? colon + 1 : colon);
    return part;
}

bool sqs_parse_arn(Slice text, QueueArn *arn)
{
    bool is_arn = slice_equal(take_part(&text), SLICE("arn"));
    bool has_partition = take_part(&text).size > 0;
    bool is_queue = slice_equal(take_part(&text), SLICE("sqs"));
    arn->region = take_part(&text);
    arn->account = take_part(&text);
    arn->name = text;
    return is_arn && has_partition && is_queue && arn->region.size > 0 && is_account(arn->account) &&
           arn->name.size > 0 && slice_find(arn->name, ':') == arn->name.size;
}

bool sqs_is_own_arn(const Call *call, const QueueArn *arn)
{
    return slice_equal(arn->region, call->actor.region) && slice_equal(arn->account, call->actor.account);
}

/* ---- Errors of core ---- */

typedef struct CoreRow {
    Error code;
    const ApiError *error;
    const char *message; /* NULL: the row's own */
} CoreRow;

static const CoreRow core_rows[] = {
    {QUEUE_NOT_FOUND, &sqs_error_queue_does_not_exist, NULL},
    {QUEUE_EXISTS, &sqs_error_queue_name_exists, "A queue already exists with the same name."},
    {QUEUE_DELETED_RECENTLY, &sqs_error_queue_deleted_recently, NULL},
    {QUEUE_RECEIPT_INVALID, &sqs_error_receipt_handle_is_invalid, "The input receipt handle is invalid."},
    {QUEUE_RECEIPT_EXPIRED, &common_invalid_parameter_value,
     "Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."},
    {QUEUE_GROUP_MISSING, &common_missing_parameter, "The request must contain the parameter MessageGroupId."},
    {QUEUE_DEDUP_MISSING, &common_invalid_parameter_value,
     "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"},
    {QUEUE_ATTEMPT_SPENT, &common_invalid_parameter_value,
     "Value for parameter ReceiveRequestAttemptId is invalid. Reason: The receiveRequestAttemptId is not valid anymore "
     "since the receive call is not retryable."},
    {QUEUE_MESSAGE_GONE, &common_invalid_parameter_value,
     "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility "
     "timeout change."},
    {QUEUE_MESSAGE_NOT_IN_FLIGHT, &sqs_error_message_not_inflight, "The specified message isn't in flight."},
    {QUEUE_VISIBILITY_TOO_LONG, &common_invalid_parameter_value,
     "Value for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the "
     "limit [43200 seconds]."},
    {QUEUE_PURGE_IN_PROGRESS, &sqs_error_purge_queue_in_progress,
     "Only one PurgeQueue operation is allowed every 60 seconds."},
    {QUEUE_IN_FLIGHT_LIMIT, &sqs_error_over_limit, "The maximum number of in flight messages is reached."},
    {QUEUE_NO_DEAD_LETTERS, &common_invalid_parameter_value, "Source queue must be configured as a Dead Letter Queue."},
    {QUEUE_MOVE_TO_ITSELF, &common_invalid_parameter_value, "The source queue cannot be the destination queue, too."},
    {QUEUE_KINDS_DIFFER, &common_invalid_parameter_value,
     "The source queue and the destination queue must be of the same type."},
    {QUEUE_MOVE_RUNNING, &common_invalid_parameter_value,
     "There is already a task running. Only one active task is allowed for a source queue arn at a given time."},
    {QUEUE_MOVE_LIMIT, &sqs_error_request_throttled, "The maximum number of active message movement tasks is reached."},
    {QUEUE_MOVE_NOT_FOUND, &sqs_error_resource_not_found_exception, "Task does not exist."},
    {QUEUE_MOVE_ENDED, &common_invalid_parameter_value, "Only active tasks can be cancelled."},
    {QUEUE_MESSAGE_TOO_LONG, &common_invalid_parameter_value,
     "One or more parameters are invalid. Reason: Message is too long."},
    {ERROR_BUSY, &sqs_error_request_throttled, NULL},
};

Error sqs_refuse(Call *call, Error error)
{
    for (size_t i = 0; i < sizeof(core_rows) / sizeof(core_rows[0]); i++) {
        const CoreRow *row = &core_rows[i];
        if (row->code != error)
            continue;
        return row->message == NULL ? call_fail(call, row->error, NULL)
                                    : call_fail(call, row->error, "%s", row->message);
    }
    return error;
}

/* ---- Constraint violations ---- */

typedef struct RangeReason {
    const char *operation; /* NULL: any */
    const char *member;
    const char *reason;
} RangeReason;

/* The reasons that SQS gives for a number out of its range (SQS API reference, the members' valid ranges). */
static const RangeReason range_reasons[] = {
    {NULL, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."},
    {NULL, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."},
    {NULL, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."},
    {"ReceiveMessage", "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided."},
    {NULL, "VisibilityTimeout", "VisibilityTimeout must be an integer between 0 and 43200."},
    {"ListMessageMoveTasks", "MaxResults", "Must be >= 1 and <= 10, if provided."},
    {NULL, "MaxResults", "Must be >= 1 and <= 1000, if provided."},
    {NULL, "MaxNumberOfMessagesPerSecond", "Must be >= 1 and <= 500, if provided."},
};

static const char *range_reason(const Call *call, const Member *member)
{
    for (size_t i = 0; i < sizeof(range_reasons) / sizeof(range_reasons[0]); i++) {
        const RangeReason *row = &range_reasons[i];
        if (slice_equal(member->name, slice_of_string(row->member)) &&
            (row->operation == NULL || slice_equal(call->operation->name, slice_of_string(row->operation))))
            return row->reason;
    }
    return "It is out of range.";
}

static Error violation(Call *call, const Violation *violation)
{
    const Slice name = violation->member != NULL ? violation->member->name : violation->path;
    switch (violation->kind) {
    case VIOLATION_MISSING:
        /* A Query request without entries has no parameter that could be empty; the member's name in Query is the
         * entries' kind. */
        if (slice_equal(name, SLICE("Entries")))
            return call_fail(call, &sqs_error_empty_batch_request, "There should be at least one %.*s in the request.",
                             SLICE_PRINT(violation->member->query_name));
        return call_fail(call, &common_missing_parameter, "The request must contain the parameter %.*s.",
                         SLICE_PRINT(name));
    case VIOLATION_RANGE_MIN:
    case VIOLATION_RANGE_MAX:
        return call_fail(call, &common_invalid_parameter_value, "Value %.*s for parameter %.*s is invalid. Reason: %s",
                         SLICE_PRINT(violation->value), SLICE_PRINT(name),
                         violation->member != NULL ? range_reason(call, violation->member) : "It is out of range.");
    case VIOLATION_TYPE:
        return call_fail(call, &common_serialization, "The value of %.*s has another type than the parameter.",
                         SLICE_PRINT(violation->path));
    case VIOLATION_LENGTH_MIN:
    case VIOLATION_LENGTH_MAX:
    case VIOLATION_PATTERN:
    case VIOLATION_ENUM:
        break;
    }
    return call_fail(call, &common_invalid_parameter_value, "Value %.*s for parameter %.*s is invalid.",
                     SLICE_PRINT(violation->value), SLICE_PRINT(name));
}

/* ---- Hooks ---- */

/* By name alone: the queue of another account is refused before anything is written. A move task is at home in the queue
 * from which it moves. */
static Home home(const Call *call, Slice resource)
{
    QueueAddress address;
    QueueArn arn;
    if (sqs_parse_arn(resource, &arn) || sqs_task_handle_source(call->arena, resource, &arn))
        return queue_home(&call->actor, arn.name);
    sqs_parse_address(resource, &address);
    return queue_home(&call->actor, address.name);
}

static bool claims_path(Slice path)
{
    QueueAddress address;
    if (path.size == 0 || path.data[0] != '/')
        return false;
    return sqs_parse_address(path, &address) && address.account.size + address.name.size + 2 == path.size;
}

const ServiceHooks sqs_hooks = {
    .violation = violation,
    .core_error = sqs_refuse,
    .home = home,
    .claims_path = claims_path,
    .path_member = "QueueUrl",
};

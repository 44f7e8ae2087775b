/* dialect.h: what the operations of Amazon SQS share; private to aws/sqs.
 *
 * Bodies run inside a store transaction (store/store.h). What they answer is allocated in call->arena, because the
 * transaction's memory ends with it. */
#ifndef BRUME_AWS_SQS_DIALECT_H
#define BRUME_AWS_SQS_DIALECT_H

#include "api/sqs.h"
#include "aws/wire/common_error.h"
#include "core/queue.h"

/* ---- Queues by URL (service.c) ---- */

/* What a queue URL, a path or a bare name names. `account` is absent when only a name was given. */
typedef struct QueueAddress {
    Slice account;
    Slice name;
} QueueAddress;
/* False: the text has another form. Hosts are not looked at: a queue keeps its URL when the server moves. */
bool sqs_parse_address(Slice url, QueueAddress *address);

/* Opens the queue of that URL for the caller, or refuses: InvalidAddress, AccessDenied (another account's),
 * QueueDoesNotExist. */
Error sqs_open(Call *call, Txn *txn, Slice queue_url, Queue *queue);

/* "http://127.0.0.1:4566/123456789012/name" */
Slice sqs_queue_url(Call *call, Slice name);
/* The first part of ARNs in the call's region: "aws", "aws-cn". */
const char *sqs_partition(const Call *call);
/* Whether the queue of that URL or name is a FIFO queue (SQS developer guide, "FIFO queue and message identifiers"). */
bool sqs_names_fifo(Slice queue_url);
/* "arn:aws:sqs:eu-west-1:123456789012:name" */
Slice sqs_queue_arn(Call *call, Slice name);

typedef struct QueueArn {
    Slice region;
    Slice account;
    Slice name;
} QueueArn;
/* False: the text is no ARN of a queue. */
bool sqs_parse_arn(Slice text, QueueArn *arn);
/* Whether it is the caller's, in the region of the call. */
bool sqs_is_own_arn(const Call *call, const QueueArn *arn);

/* Answers an error of core in SQS's words; every other error is given back as it is. */
Error sqs_refuse(Call *call, Error error);

/* ---- Queue attributes (attributes.c) ---- */

QueueSettings sqs_default_settings(void);
/* Changes `settings` (whose `fifo` is set) as the attributes say, after checking them: InvalidAttributeName,
 * InvalidAttributeValue; what the redrive policies say is InvalidParameterValue. The result holds slices of `map` and of
 * call->arena. */
Error sqs_apply_attributes(Call *call, const SqsQueueAttributeMap *map, QueueSettings *settings);
/* The name of the first attribute in `map` whose value is not the queue's; absent when all are equal. */
Error sqs_first_difference(Call *call, const SqsQueueAttributeMap *map, const QueueSettings *settings, Slice *name);
/* The attributes of those names ("All": every one that the queue has). InvalidAttributeName. */
Error sqs_report_attributes(Call *call, const Queue *queue, const QueueCounts *counts,
                            const SqsAttributeNameList *names, SqsQueueAttributeMap *map);

/* A document that the settings hold; absent: none. */
Slice sqs_document(const QueueSettings *settings, Slice name);
/* An empty value removes it. */
void sqs_set_document(Call *call, QueueSettings *settings, Slice name, Slice value);

/* ---- Dead letters (redrive.c) ---- */

/* The policies into the settings, or InvalidParameterValue; "" is no policy. Which queues there are is not looked at. */
Error sqs_parse_redrive_policy(Call *call, Slice value, QueueSettings *settings);
Error sqs_parse_redrive_allow_policy(Call *call, Slice value, QueueSettings *settings);
/* Whether the settings say the same, in whatever words. */
bool sqs_same_redrive_policy(const QueueSettings *one, const QueueSettings *other);
bool sqs_same_redrive_allow_policy(const QueueSettings *one, const QueueSettings *other);
/* Whether the queue of that name may have the dead-letter queue of its settings. */
Error sqs_check_redrive(Call *call, Txn *txn, Slice name, const QueueSettings *settings);

/* ---- Tags (tags.c) ---- */

/* Checks the tags of a request and puts them over those that the queue of that name has. InvalidParameterValue. */
Error sqs_merge_tags(Call *call, Slice queue_name, const SqsTagMap *map, QueueLabels *tags);

/* ---- Move tasks (move_tasks.c) ---- */

/* The queue whose task it is; false: it was not given by Brume. */
bool sqs_task_handle_source(Arena *arena, Slice handle, QueueArn *arn);

/* ---- Message attributes (message_attributes.c) ---- */

/* Checks the attributes and gives them sorted by name, as their digest wants them. InvalidParameterValue. */
Error sqs_read_message_attributes(Call *call, const SqsMessageBodyAttributeMap *map, Message *message);
/* The only one that there is: AWSTraceHeader. `digest`: MD5OfMessageSystemAttributes, absent without attributes. */
Error sqs_read_system_attributes(Call *call, const SqsMessageBodySystemAttributeMap *map, Message *message,
                                 Slice *digest);
/* MD5OfMessageAttributes of attributes sorted by name; absent when there is none (SQS developer guide, "Calculating the
 * MD5 message digest for message attributes"). */
Slice sqs_message_attributes_md5(Arena *arena, const MessageAttribute *attributes, size_t count);
/* The attributes that a receive asks for: All, .*, prefix.*, or a name. */
bool sqs_wants_attribute(const SqsMessageAttributeNameList *names, Slice name);

/* ---- Text (text.c) ---- */

/* The first character that no message may hold; false when there is none. Allowed are #x9 | #xA | #xD | #x20 to #xD7FF |
 * #xE000 to #xFFFD | #x10000 to #x10FFFF (SQS API reference, SendMessage). The text is valid UTF-8. */
bool sqs_find_forbidden_character(Slice text, uint32_t *character);
/* "alphanumeric characters, hyphens, or underscores", between 1 and `max`. */
bool sqs_is_identifier(Slice text, size_t max);
/* "alphanumeric characters and punctuation", between 1 and 128: group and deduplication ids. */
bool sqs_is_message_token(Slice text);
/* An integer or decimal number, perhaps with an exponent, of at most 38 significant digits between 10^-128 and 10^126
 * (SQS developer guide, "Message attribute data types"). */
bool sqs_is_number(Slice text);
/* The text of a UUID. */
Slice sqs_uuid(Arena *arena, const MessageId *id);
/* The lower-case hexadecimal MD5. */
Slice sqs_md5_hex(Arena *arena, Slice bytes);

/* ---- Messages (messages.c) ---- */

/* SequenceNumber has 20 digits (SQS API reference, SendMessage: a "large, non-consecutive number"): a message's sequence
 * and this. */
#define SQS_SEQUENCE_FIRST UINT64_C(10000000000000000000)

/* One message as SendMessage or an entry of its batch gives it. */
typedef struct SendRequest {
    bool fifo; /* to a FIFO queue, which its name tells */
    Slice body;
    int32_t delay_seconds;
    bool has_delay_seconds;
    const SqsMessageBodyAttributeMap *attributes;
    const SqsMessageBodySystemAttributeMap *system_attributes;
    Slice dedup_id;
    Slice group_id;
} SendRequest;

/* A message that is ready to be sent, or why it cannot be. */
typedef struct PreparedMessage {
    Message message;
    uint64_t delay_ms;
    bool has_delay; /* else the queue's */
    unsigned char body_md5[16];
    Slice body_md5_hex;
    Slice attributes_md5_hex;
    Slice system_attributes_md5_hex;
    const ApiError *refusal; /* NULL: none */
    Slice refusal_message;
} PreparedMessage;

/* Checks the message and computes its digests: before the transaction, since both take time with the body's size. */
void sqs_prepare_message(Call *call, const SendRequest *request, PreparedMessage *prepared);
/* Sends it, and gives its id and, on FIFO queues, its sequence number. Errors of core are answered. */
Error sqs_send_prepared(Call *call, Txn *txn, const Queue *queue, const PreparedMessage *prepared, Slice *message_id,
                        Slice *sequence_number);
/* Refuses what a FIFO queue must be told and was not: nothing of a batch that lacks it is sent. */
Error sqs_check_for_fifo(Call *call, const Queue *queue, const PreparedMessage *prepared);
Error sqs_delete_one(Call *call, Txn *txn, const Queue *queue, Slice receipt_handle);
Error sqs_change_visibility_one(Call *call, Txn *txn, const Queue *queue, Slice receipt_handle, int32_t seconds);

#endif

/* core_error.h: what core refuses, in no vendor's words. Each service maps these to rows of its API's error table. */
#ifndef BRUME_CORE_CORE_ERROR_H
#define BRUME_CORE_CORE_ERROR_H

#include "base/error.h"

#define CORE_ERRORS(ROW)                                                                                               \
    ROW(QUEUE_NOT_FOUND, "there is no such queue")                                                                     \
    ROW(QUEUE_EXISTS, "a queue of that name exists with other attributes")                                             \
    ROW(QUEUE_DELETED_RECENTLY, "a queue of that name was deleted less than 60 seconds ago")                           \
    ROW(QUEUE_RECEIPT_INVALID, "that receipt handle was never given by this queue")                                    \
    ROW(QUEUE_RECEIPT_EXPIRED, "the visibility timeout of that receive has passed")                                    \
    ROW(QUEUE_GROUP_MISSING, "a message of a FIFO queue needs a group")                                                \
    ROW(QUEUE_DEDUP_MISSING, "a message of this FIFO queue needs a deduplication id")                                  \
    ROW(QUEUE_ATTEMPT_SPENT, "what that receive gave has changed since: it cannot be repeated")                        \
    ROW(QUEUE_MESSAGE_GONE, "the message was deleted")                                                                 \
    ROW(QUEUE_MESSAGE_NOT_IN_FLIGHT, "the message is not in flight")                                                   \
    ROW(QUEUE_VISIBILITY_TOO_LONG, "a message may be in flight for 12 hours in all")                                   \
    ROW(QUEUE_PURGE_IN_PROGRESS, "the queue was purged less than 60 seconds ago")                                      \
    ROW(QUEUE_IN_FLIGHT_LIMIT, "too many messages are in flight")                                                      \
    ROW(QUEUE_MESSAGE_TOO_LONG, "the message passes the queue's limit")                                                \
    ROW(QUEUE_REDRIVE_DENIED, "the dead-letter queue does not take messages of this queue")                            \
    ROW(QUEUE_KINDS_DIFFER, "one of the queues is a FIFO queue, the other is not")                                     \
    ROW(QUEUE_NO_DEAD_LETTERS, "the queue is no queue's dead-letter queue")                                            \
    ROW(QUEUE_MOVE_TO_ITSELF, "messages cannot be moved to the queue in which they are")                               \
    ROW(QUEUE_MOVE_RUNNING, "the queue's messages are being moved")                                                    \
    ROW(QUEUE_MOVE_LIMIT, "too many move tasks are running")                                                           \
    ROW(QUEUE_MOVE_NOT_FOUND, "there is no such move task")                                                            \
    ROW(QUEUE_MOVE_ENDED, "the move task has ended")                                                                   \
    ROW(ACCOUNT_NOT_FOUND,                                                                                             \
        "there is no such account: `brume account create` makes one, `brume account list` shows them")                 \
    ROW(ACCOUNT_EXISTS, "that account exists: `brume key create --account DIGITS` makes a key for it")                 \
    ROW(ACCESS_KEY_NOT_FOUND, "there is no such access key: `brume key list --account DIGITS` shows an account's")     \
    ROW(LIMIT_UNKNOWN, "that is no limit of an account: see `brume help start`, the rows that begin with SQS_")        \
    ROW(LIMIT_VALUE_INVALID, "a limit is a whole number, or `default`")                                                \
    ROW(ACCOUNT_ID_INVALID, "an account id has 12 digits, as 123456789012")                                            \
    ROW(ACCOUNT_NAME_INVALID, "an account name is at most 50 printable characters")                                    \
    ROW(ACCESS_KEY_LIMIT, "the account has 100 access keys: revoke one first")

typedef enum CoreError {
    CORE_ERROR_START = ERROR_CORE_FIRST - 1,
#define ROW(code, text) code,
    CORE_ERRORS(ROW)
#undef ROW
} CoreError;

#endif

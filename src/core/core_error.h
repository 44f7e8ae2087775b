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
    ROW(ACCESS_KEY_LIMIT, "the account has 100 access keys: revoke one first")                                         \
    ROW(POLICY_NO_JSON, "the policy is no JSON")                                                                       \
    ROW(POLICY_SYNTAX, "the policy is not of the policy grammar")                                                      \
    ROW(POLICY_VERSION, "the policy's version is unknown")                                                             \
    ROW(POLICY_SID_INVALID, "a statement's id has letters and digits only")                                            \
    ROW(POLICY_SID_REPEATED, "two statements have the same id")                                                        \
    ROW(POLICY_ACTION_MISSING, "a statement names no action")                                                          \
    ROW(POLICY_ACTION_VENDOR, "an action is SERVICE:NAME, or *")                                                       \
    ROW(POLICY_TRUST_ACTION, "a trust policy names STS's actions only")                                                \
    ROW(POLICY_RESOURCE_MISSING, "a statement names no resource")                                                      \
    ROW(POLICY_RESOURCE_FORM, "a resource is an ARN, or *")                                                            \
    ROW(POLICY_RESOURCE_FORBIDDEN, "a trust policy names no resource")                                                 \
    ROW(POLICY_PRINCIPAL_MISSING, "a trust policy names a principal")                                                  \
    ROW(POLICY_PRINCIPAL_FORBIDDEN, "only a trust policy names a principal")                                           \
    ROW(POLICY_PRINCIPAL_INVALID, "that is no principal")                                                              \
    ROW(IDENTITY_NOT_FOUND, "there is no such role, user, group or instance profile")                                  \
    ROW(IDENTITY_EXISTS, "one of that name exists")                                                                    \
    ROW(IDENTITY_LIMIT, "the account has as many of them as it may")                                                   \
    ROW(IDENTITY_HAS_POLICIES, "managed policies are attached to it")                                                  \
    ROW(IDENTITY_HAS_INLINE, "it has inline policies")                                                                 \
    ROW(IDENTITY_HAS_MEMBERS, "it has members, or is one")                                                             \
    ROW(IDENTITY_HAS_KEYS, "the user has access keys")                                                                 \
    ROW(IDENTITY_TAGS_LIMIT, "it has too many tags")                                                                   \
    ROW(INLINE_NOT_FOUND, "it has no such inline policy")                                                              \
    ROW(INLINE_LIMIT, "its inline policies are too long")                                                              \
    ROW(ATTACHMENT_NOT_FOUND, "that policy is not attached to it")                                                     \
    ROW(ATTACHMENT_LIMIT, "as many policies are attached to it as may be")                                             \
    ROW(MEMBER_NOT_FOUND, "it is no member")                                                                           \
    ROW(MEMBER_LIMIT, "it has as many members, or is a member of as many, as may be")                                  \
    ROW(MANAGED_POLICY_NOT_FOUND, "there is no such managed policy")                                                   \
    ROW(MANAGED_POLICY_EXISTS, "a managed policy of that name exists")                                                 \
    ROW(MANAGED_POLICY_LIMIT, "the account has as many managed policies as it may")                                    \
    ROW(MANAGED_POLICY_ATTACHED, "the managed policy is attached")                                                     \
    ROW(MANAGED_POLICY_HAS_VERSIONS, "the managed policy has other versions")                                          \
    ROW(POLICY_VERSION_NOT_FOUND, "the managed policy has no such version")                                            \
    ROW(POLICY_VERSION_LIMIT, "the managed policy has 5 versions")                                                     \
    ROW(POLICY_VERSION_IS_DEFAULT, "that is the policy's default version")                                             \
    ROW(SESSION_TOKEN_INVALID, "that is no session token of this server")                                              \
    ROW(SESSION_TOO_LARGE, "the session's policy and tags are too large")                                              \
    ROW(FUNCTION_NOT_FOUND, "there is no such function")                                                               \
    ROW(FUNCTION_EXISTS, "a function of that name exists")                                                             \
    ROW(FUNCTION_VERSION_NOT_FOUND, "the function has no such version")                                                \
    ROW(FUNCTION_VERSION_IN_USE, "an alias refers to that version")                                                    \
    ROW(FUNCTION_ALIAS_NOT_FOUND, "the function has no such alias")                                                    \
    ROW(FUNCTION_ALIAS_EXISTS, "the function has an alias of that name")                                               \
    ROW(FUNCTION_CODE_STORAGE, "the account's code storage is used up")                                                \
    ROW(FUNCTION_UPDATING, "the function is being updated")                                                            \
    ROW(FUNCTION_UNRESERVED, "too little concurrency would be left unreserved")                                        \
    ROW(FUNCTION_PENDING, "the function is being created")                                                             \
    ROW(FUNCTION_INACTIVE, "the function is inactive")                                                                 \
    ROW(FUNCTION_FAILED, "the function could not be created")                                                          \
    ROW(FUNCTION_PLACE_INVALID, "that is no place in a list of functions")                                             \
    ROW(FUNCTION_TENANT_MISSING, "the function needs a tenant id")                                                     \
    ROW(FUNCTION_TENANT_UNKNOWN, "the function is not isolated by tenant")                                             \
    ROW(EVENT_CONFIG_NOT_FOUND, "nothing is set for events of it")                                                     \
    ROW(EVENT_TOO_LARGE, "the event passes the limit of its size")                                                     \
    ROW(PERMISSION_EXISTS, "the policy has a statement of that id")                                                    \
    ROW(PERMISSION_NOT_FOUND, "the policy has no statement of that id")                                                \
    ROW(FUNCTION_URL_EXISTS, "the function, or the alias, has a URL")                                                  \
    ROW(FUNCTION_URL_NOT_FOUND, "there is no such function URL")                                                       \
    ROW(PROVISIONED_NOT_FOUND, "no executions are provisioned for it")                                                 \
    ROW(PROVISIONED_LATEST, "executions are provisioned for published versions only")                                  \
    ROW(PROVISIONED_ROUTED, "the alias shares its calls between two versions")                                         \
    ROW(PROVISIONED_TWICE, "executions are provisioned for that version in another way")                               \
    ROW(PROVISIONED_OVER_RESERVED, "more executions would be provisioned than are reserved for the function")          \
    ROW(LAYER_NOT_FOUND, "there is no such version of a layer")                                                        \
    ROW(LAYER_DENIED, "the layer's policy does not let the account use it")                                            \
    ROW(PACKAGE_NO_ZIP, "the package is no zip file")                                                                  \
    ROW(PACKAGE_EMPTY, "there is nothing in the package")                                                              \
    ROW(PACKAGE_TOO_LARGE, "the package passes the limit of its size")                                                 \
    ROW(PACKAGE_UNZIPPED_TOO_LARGE, "what is in the package passes the limit of its size")                             \
    ROW(PACKAGE_TOO_MANY_FILES, "there are too many files in the package")                                             \
    ROW(PACKAGE_NAME, "the package has a file that would lie outside of it, or whose name cannot be")                  \
    ROW(PACKAGE_LINK, "the package has a link that leads out of it")                                                   \
    ROW(PACKAGE_REPEATED, "the package has two files of one name")                                                     \
    ROW(PACKAGE_ENCRYPTED, "the package has an encrypted file")                                                        \
    ROW(PACKAGE_METHOD, "the package has a file that is packed in another way than stored or deflated")                \
    ROW(PACKAGE_GONE, "the package is not there any more")                                                             \
    ROW(PATTERN_INVALID, "that is no event pattern")                                                                   \
    ROW(MAPPING_NOT_FOUND, "there is no such event source mapping")                                                    \
    ROW(MAPPING_EXISTS, "the function has an event source mapping of that source")                                     \
    ROW(MAPPING_BUSY, "the event source mapping is being changed")                                                     \
    ROW(MAPPING_SOURCE_NOT_FOUND, "there is no such event source")                                                     \
    ROW(LOG_GROUP_NOT_FOUND, "there is no such log group")                                                             \
    ROW(LOG_GROUP_EXISTS, "a log group of that name exists")                                                           \
    ROW(LOG_STREAM_NOT_FOUND, "there is no such log stream")                                                           \
    ROW(LOG_STREAM_EXISTS, "a log stream of that name exists")                                                         \
    ROW(LOG_SUBSCRIPTION_NOT_FOUND, "there is no such subscription")                                                   \
    ROW(LOG_SUBSCRIPTION_LIMIT, "the log group has as many subscriptions as it may")                                   \
    ROW(LOG_METRIC_FILTER_NOT_FOUND, "there is no such metric filter")                                                 \
    ROW(LOG_METRIC_FILTER_LIMIT, "the log group has as many metric filters as it may")                                 \
    ROW(LOG_POLICY_NOT_FOUND, "there is no such resource policy")                                                      \
    ROW(LOG_POLICY_LIMIT, "there are as many resource policies as there may be")                                       \
    ROW(LOG_PATTERN_INVALID, "that is no filter pattern")                                                              \
    ROW(LOG_PLACE_INVALID, "no page of that list ends there")

typedef enum CoreError {
    CORE_ERROR_START = ERROR_CORE_FIRST - 1,
#define ROW(code, text) code,
    CORE_ERRORS(ROW)
#undef ROW
} CoreError;

#endif

/* log_policy.h: resource policies of logs: documents by name. Kept, and shown; nothing asks them yet.
 *
 * Bodies over a transaction, in the manner of log.h. */
#ifndef BRUME_CORE_LOG_POLICY_H
#define BRUME_CORE_LOG_POLICY_H

#include "core/log.h"

enum { LOG_POLICIES_MAX = 10 }; /* CloudWatch Logs quotas: resource policies of an account in a region */

typedef struct LogPolicy {
    Slice name;
    Slice document;
    uint64_t updated_ms;
} LogPolicy;

/* Makes it, or changes the one of that name. LOG_POLICY_LIMIT. */
Error log_policy_put(Txn *txn, Slice account, Slice region, LogPolicy *policy);
/* LOG_POLICY_NOT_FOUND. */
Error log_policy_delete(Txn *txn, Slice account, Slice region, Slice name);
/* All, by name. */
Error log_policy_list(Txn *txn, Slice account, Slice region, LogPolicy policies[LOG_POLICIES_MAX], size_t *count);

#endif

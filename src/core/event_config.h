/* event_config.h: how often events of a function are tried, how long they may wait, and who is told how they ended.
 *
 * Bodies over a transaction, in the manner of function.h. A configuration belongs to the qualifier that events name
 * ("$LATEST" for none), and goes with it. */
#ifndef BRUME_CORE_EVENT_CONFIG_H
#define BRUME_CORE_EVENT_CONFIG_H

#include "core/function.h"

/* Lambda developer guide, "Configuring error handling settings for asynchronous invocations". */
enum { EVENT_RETRIES_DEFAULT = 2, EVENT_AGE_DEFAULT_S = 21600 };

typedef struct EventConfig {
    Slice qualifier; /* "$LATEST", a number, or an alias */
    bool has_retries;
    uint64_t retries;
    bool has_age;
    uint64_t age_s;
    Slice on_success; /* the ARN of a queue or a function; absent: nobody is told */
    Slice on_failure;
    uint64_t modified_ms;
} EventConfig;

/* Keeps it, and its time. FUNCTION_VERSION_NOT_FOUND, FUNCTION_ALIAS_NOT_FOUND: there is no such qualifier. */
Error event_config_put(Txn *txn, const Function *function, EventConfig *config);
/* EVENT_CONFIG_NOT_FOUND. */
Error event_config_get(Txn *txn, const Function *function, Slice qualifier, EventConfig *config);
/* One that is not there is no error. */
void event_config_delete(Txn *txn, const Function *function, Slice qualifier);
/* In the order of qualifiers. */
Error event_config_list(Txn *txn, const Function *function, FunctionPage *page, EventConfig **configs, size_t *count);

#endif

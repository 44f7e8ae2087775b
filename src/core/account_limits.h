/* account_limits.h: the limits of one account, where they differ from the table's (base/limits.def).
 *
 * Stored by the limit's name under the account, and held in memory for all threads: looking one up takes no lock and no
 * transaction. Administration alone changes them: in a transaction first, then, when that is durable, in memory. */
#ifndef BRUME_CORE_ACCOUNT_LIMITS_H
#define BRUME_CORE_ACCOUNT_LIMITS_H

#include "base/limits.h"
#include "core/account.h"

typedef struct AccountLimits AccountLimits;

/* `defaults` must outlive it. */
AccountLimits *account_limits_open(const Limits *defaults);
void account_limits_close(AccountLimits *table);
/* Reads what is stored, before the store is started. */
Error account_limits_load(AccountLimits *table, Store *store);

/* Any thread: the account's limits, which live until account_limits_close. */
const Limits *account_limits_of(AccountLimits *table, Slice account);
/* One thread at a time: from now on that limit of the account is `value`. */
void account_limits_set(AccountLimits *table, Slice account, LimitName limit, uint64_t value);

/* The limit of that name, if an account may have its own: those of the process (NET_, WIRE_, STORE_) are not.
 * LIMIT_UNKNOWN. */
Error account_limit_find(Slice name, LimitName *limit);

/* Keeps the account's own value. ACCOUNT_NOT_FOUND. */
Error account_limit_put(Txn *txn, Slice account, LimitName limit, uint64_t value);
/* Forgets it: the default holds again. ACCOUNT_NOT_FOUND. */
Error account_limit_delete(Txn *txn, Slice account, LimitName limit);

#endif

/* provisioner.h: makes true what is stored of provisioned executions: asks the invoker for that many workers; and has it
 * forget those of functions and versions that have been deleted.
 *
 * Whoever changes what a function is to have ready puts a key (provisioner_touch); one parked transaction takes these
 * keys, reads what each function is to have, and only when that is durable is the invoker asked. What an earlier process
 * was asked for is asked again at the start. The invoker is told of differences only.
 *
 * The functions of transactions in a body; the Provisioner belongs to the loop whose mailbox it was opened with. */
#ifndef BRUME_CORE_PROVISIONER_H
#define BRUME_CORE_PROVISIONER_H

#include "core/function.h"

/* ---- In a transaction ---- */

/* The function has provisioned executions from now on, or others than before. */
void provisioner_add(Txn *txn, const Function *function);
/* What a function is to have ready may have changed: an alias moved, a configuration is gone. Nothing of a function that
 * has none. */
Error provisioner_touch(Txn *txn, const Function *function);

/* The function has been deleted. */
void provisioner_forget(Txn *txn, const Function *function);
/* One of its versions has, for good: numbers are never given again. */
void provisioner_forget_version(Txn *txn, const Function *function, const FunctionVersion *version);

/* A function that has, or had, provisioned executions. */
typedef struct ProvisionedOwner {
    Slice account;
    Slice region;
    Slice name;
} ProvisionedOwner;
/* Those of an account and region. */
Error provisioned_owners(Txn *txn, Slice account, Slice region, ProvisionedOwner **owners, size_t *count);

/* ---- The loop's ---- */

typedef struct Provisioner Provisioner;

/* Begins at once. */
Provisioner *provisioner_open(Store *store, Invoker *invoker, Mailbox *mailbox, Log *log);
/* When the store has stopped and the loop does not run. The store's last word may still be in the mailbox: it is freed
 * when that is delivered, and does nothing then. */
void provisioner_close(Provisioner *provisioner);

#endif

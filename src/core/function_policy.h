/* function_policy.h: who else may invoke a function, one of its versions, or an alias.
 *
 * Bodies over a transaction, in the manner of function.h. Each qualifier has a policy of its own, the function itself
 * (an empty qualifier) too; that of a version or alias goes with it (function_qualifier.h). */
#ifndef BRUME_CORE_FUNCTION_POLICY_H
#define BRUME_CORE_FUNCTION_POLICY_H

#include "core/function.h"
#include "core/permission.h"

/* What is allowed; nothing: no statements, and no revision. */
Error function_policy_get(Txn *txn, const Function *function, Slice qualifier, Permissions *permissions);
/* Keeps it, with another revision, which is filled in. Without statements it is as if there had never been any. */
void function_policy_put(Txn *txn, const Function *function, Slice qualifier, Permissions *permissions);
void function_policy_delete(Txn *txn, const Function *function, Slice qualifier);

#endif

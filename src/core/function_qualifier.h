/* function_qualifier.h: what hangs on versions and aliases beside them: permissions, a URL, provisioned executions.
 *
 * function*.c call these where a qualifier goes or moves; nobody else needs to. */
#ifndef BRUME_CORE_FUNCTION_QUALIFIER_H
#define BRUME_CORE_FUNCTION_QUALIFIER_H

#include "core/function.h"

/* The version or alias is being deleted: all that hangs on it goes. */
Error function_qualifier_drop(Txn *txn, const Function *function, Slice qualifier);
/* The function is being deleted, and `key` is one of its own that is no version's: deletes it, with what refers to it. */
Error function_key_drop(Txn *txn, const Function *function, Slice key, Slice value);

#endif

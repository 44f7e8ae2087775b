/* function_concurrency.h: how many executions of a version are kept ready before anyone asks.
 *
 * Bodies over a transaction, in the manner of function.h. A configuration belongs to a version or an alias, and goes
 * with it. What is stored here core/provisioner.h makes true. (What a function may have at most is function_reserve's.) */
#ifndef BRUME_CORE_FUNCTION_CONCURRENCY_H
#define BRUME_CORE_FUNCTION_CONCURRENCY_H

#include "core/function.h"

typedef struct Provisioned {
    Slice qualifier; /* a number, or an alias */
    uint64_t count;  /* of executions */
    uint64_t modified_ms;
} Provisioned;

/* Keeps it, and its time. `all`: executions of the account. FUNCTION_VERSION_NOT_FOUND, FUNCTION_ALIAS_NOT_FOUND;
 * PROVISIONED_LATEST: "$LATEST" cannot have it; PROVISIONED_ROUTED: the alias shares its calls between two versions;
 * PROVISIONED_TWICE: the same version has it already, of its own or by an alias; PROVISIONED_OVER_RESERVED: all of the
 * function's pass what is reserved for it; FUNCTION_UNRESERVED: as function_reserve. */
Error provisioned_put(Txn *txn, const Function *function, Provisioned *provisioned, uint64_t all);
/* PROVISIONED_NOT_FOUND; FUNCTION_VERSION_NOT_FOUND, FUNCTION_ALIAS_NOT_FOUND. */
Error provisioned_get(Txn *txn, const Function *function, Slice qualifier, Provisioned *provisioned);
/* One that is not there is no error. */
Error provisioned_delete(Txn *txn, const Function *function, Slice qualifier);
Error provisioned_list(Txn *txn, const Function *function, FunctionPage *page, Provisioned **provisioned,
                       size_t *count);

/* All of the function's together. */
Error provisioned_total(Txn *txn, const Function *function, uint64_t *count);
/* Those of the other functions of account and region that have nothing reserved: they take of what is not reserved. */
Error provisioned_of_others(Txn *txn, const Function *function, uint64_t *count);

/* What is to be kept ready of a version, for all that its configurations and aliases ask together. */
typedef struct ProvisionedVersion {
    FunctionVersion version;
    uint64_t count;
} ProvisionedVersion;
Error provisioned_versions(Txn *txn, const Function *function, ProvisionedVersion **versions, size_t *count);
/* The one version that a configuration is about: of an alias, the one that takes most of its calls by default. */
Error provisioned_version(Txn *txn, const Function *function, Slice qualifier, FunctionVersion *version);

#endif

/* function_internal.h: keys and records that the files of functions share. For function*.c and layer.c only.
 *
 * Keys of the store, all under (account, region):
 *   KIND_FUNCTION_NAME name           → a function
 *   KIND_FUNCTION number 'v' version  → a version; "$LATEST" is 0
 *   KIND_FUNCTION number 'a' name     → an alias
 *   KIND_FUNCTION number 'p' name     → permissions of a version or alias, or ("") of the function itself
 *   KIND_FUNCTION number 'u' name     → the URL of an alias, or ("") of the function itself
 *   KIND_FUNCTION number 'c' name     → provisioned executions of a version or alias
 *   KIND_FUNCTION number 'e' name     → what becomes of events for a version, an alias, or "$LATEST"
 *   KIND_FUNCTION_USAGE               → FunctionUsage */
#ifndef BRUME_CORE_FUNCTION_INTERNAL_H
#define BRUME_CORE_FUNCTION_INTERNAL_H

#include "core/function.h"
#include "store/key.h"

enum {
    FUNCTION_TAG_VERSION = 'v',
    FUNCTION_TAG_ALIAS = 'a',
    FUNCTION_TAG_POLICY = 'p',
    FUNCTION_TAG_URL = 'u',
    FUNCTION_TAG_PROVISIONED = 'c',
    FUNCTION_TAG_EVENTS = 'e',
};

#define FUNCTION_LATEST SLICE("$LATEST")

/* ---- Keys ---- */

Slice function_name_key(Txn *txn, Slice account, Slice region, Slice name);
/* What `name`, `account` and `region` alone say. */
void function_place(Txn *txn, Function *function);
Buffer function_own_key(Txn *txn, const Function *function, char tag);
/* `number` 0: "$LATEST". */
Slice function_version_key(Txn *txn, const Function *function, uint64_t number);
/* 0 for "$LATEST"; false: it is no version's name. */
bool function_version_number(Slice version, uint64_t *number);

/* ---- Records (function_record.c) ---- */

Slice function_write(Txn *txn, const Function *function);
/* Fills in all but account, region, name and what follows of them. */
Error function_read(Txn *txn, Slice value, Function *function);
Slice function_version_write(Txn *txn, const FunctionVersion *version);
/* Fills in all but account, region and name. */
Error function_version_read(Txn *txn, Slice value, FunctionVersion *version);
Slice function_alias_write(Txn *txn, const FunctionAlias *alias);
Error function_alias_read(Txn *txn, Slice value, FunctionAlias *alias);

/* ---- Shared steps ---- */

/* The index entry of a URL whose record is `value` (function_url.c). */
Error function_url_forget(Txn *txn, Slice value);
/* A UUID of random bits (RFC 9562, version 4). */
Slice function_new_revision(Txn *txn);
/* Writes a version's record, and refers to its packages. */
void function_version_put(Txn *txn, const Function *function, const FunctionVersion *version);
/* Deletes the record of the version, and its references. */
void function_version_drop(Txn *txn, const Function *function, const FunctionVersion *version);
/* Reads the version behind a scan's entry. */
Error function_version_entry(Txn *txn, const Function *function, Slice value, FunctionVersion *version);
void function_settle_at(Txn *txn, const Function *function, uint64_t version);
/* Adds to what the account's functions take. FUNCTION_CODE_STORAGE. */
Error function_usage_add(Txn *txn, Slice account, Slice region, int64_t functions, int64_t bytes, int64_t reserved,
                         uint64_t code_limit);

#endif

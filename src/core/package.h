/* package.h: packages of code: zip files that have been checked and unpacked beside the store.
 *
 *     DIR/functions/ACCOUNT/DIGEST/package.zip   as it was uploaded
 *     DIR/functions/ACCOUNT/DIGEST/code/         what is in it, read-only
 *     DIR/functions/new/…                        one that is being unpacked
 *
 * A package's folder is named by the account and the SHA-256 of the zip, so that the same content is there once. It is
 * written and synced before the transaction that refers to it; one that nobody refers to is removed: soon after its
 * last reference went, and at the start (it was unpacked, and then the process was killed).
 *
 * In a transaction the functions of references; on any thread those of Packages, none of which blocks. */
#ifndef BRUME_CORE_PACKAGE_H
#define BRUME_CORE_PACKAGE_H

#include "core/core_error.h"
#include "store/store.h"

/* ---- References ---- */

/* `user`, any bytes that name one user, refers to the package from now on, or no longer. */
void package_use(Txn *txn, Slice folder, Slice user);
void package_unuse(Txn *txn, Slice folder, Slice user);
Error package_is_used(Txn *txn, Slice folder, bool *used);

/* Where the unpacked files are, absolute. */
Slice package_code_path(Txn *txn, Slice folder);

#endif

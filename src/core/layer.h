/* layer.h: layers: code that functions share, in numbered versions that never change.
 *
 * Bodies over a transaction, in the manner of function.h: slices given back lie in the transaction's arena. The home of
 * every write is the layer. The files lie in packages (core/package.h): a version refers to its own until it is deleted;
 * functions that have it refer to the package themselves, so that they keep it. */
#ifndef BRUME_CORE_LAYER_H
#define BRUME_CORE_LAYER_H

#include "core/function.h"
#include "core/permission.h"

typedef struct LayerVersion {
    Slice account;
    Slice region;
    Slice name;
    uint64_t number; /* from 1; never given twice, whatever is deleted */
    Slice description;
    Slice license;   /* absent: not given */
    Slice *runtimes; /* compatible ones; NULL: not given */
    size_t runtime_count;
    Slice *architectures; /* the same */
    size_t architecture_count;
    Slice code;        /* the package's folder */
    Slice code_sha256; /* base64, of the zip */
    uint64_t code_bytes;
    uint64_t unzipped_bytes;
    uint64_t created_ms;
} LayerVersion;

Home layer_home(Slice account, Slice region, Slice name);

/* "arn:aws:lambda:us-east-1:123456789012:layer:name". */
Slice layer_arn(Arena *arena, Slice account, Slice region, Slice name);
Slice layer_version_arn(Arena *arena, const LayerVersion *layer);
/* Takes an ARN of a layer apart, and, when `number` is not NULL, of a version of one; false: it is none. Views. */
bool layer_arn_parse(Slice arn, Slice *account, Slice *region, Slice *name, uint64_t *number);

/* Makes the next version of the layer, which there need not have been before: fills in number and created_ms.
 * FUNCTION_CODE_STORAGE: the account's code passes `code_limit`. */
Error layer_publish(Txn *txn, LayerVersion *layer, uint64_t code_limit);
/* LAYER_NOT_FOUND. */
Error layer_get(Txn *txn, Slice account, Slice region, Slice name, uint64_t number, LayerVersion *layer);
/* One that is not there is no error. */
Error layer_delete(Txn *txn, Slice account, Slice region, Slice name, uint64_t number);

/* What a list is narrowed to; empty slices: nothing is asked. A layer that names no runtimes, or no architectures, is
 * not among those of one. */
typedef struct LayerFilter {
    Slice runtime;
    Slice architecture;
} LayerFilter;

/* The newest first. */
Error layer_list_versions(Txn *txn, Slice account, Slice region, Slice name, const LayerFilter *filter,
                          FunctionPage *page, LayerVersion **layers, size_t *count);
/* Of each layer, by name, the newest version that passes the filter. */
Error layer_list(Txn *txn, Slice account, Slice region, const LayerFilter *filter, FunctionPage *page,
                 LayerVersion **layers, size_t *count);

/* ---- Permissions of a version: they go with it ---- */

/* LAYER_NOT_FOUND. */
Error layer_policy_get(Txn *txn, const LayerVersion *layer, Permissions *permissions);
/* Keeps it, with another revision, which is filled in. */
void layer_policy_put(Txn *txn, const LayerVersion *layer, Permissions *permissions);

/* The version, when the account may use it: its own, or one whose policy lets it. LAYER_NOT_FOUND; LAYER_DENIED, also of
 * one that is not there, when it is another account's: nobody learns what others have. */
Error layer_use(Txn *txn, Slice account, Slice arn, LayerVersion *layer);

#endif

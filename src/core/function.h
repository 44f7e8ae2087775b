/* function.h: functions, their versions and aliases, and what is run when one is invoked.
 *
 * Bodies over a transaction, in the manner of queue.h: slices given back live until the transaction ends. The home of
 * every write is the function. Code lies in folders beside the store (core/package.h), which records refer to. */
#ifndef BRUME_CORE_FUNCTION_H
#define BRUME_CORE_FUNCTION_H

#include "core/actor.h"
#include "core/core_error.h"
#include "core/identity.h"
#include "core/invoker.h"
#include "store/store.h"

/* What a version is: "$LATEST" can be changed, a published one never. */
typedef struct FunctionVersion {
    Slice account;
    Slice region;
    Slice name;
    Slice version;     /* "$LATEST", or a number */
    Slice revision_id; /* a UUID: another one after each change */
    Slice runtime;
    Slice handler;
    Slice role_arn;
    Slice description;
    Slice architecture; /* "x86_64", "arm64" */
    uint64_t timeout_s;
    uint64_t memory_mb;
    uint64_t tmp_mb;
    Labels environment;
    Slice *layer_arns;
    size_t layer_count;
    Slice code;          /* the package's folder, below that of all packages */
    Slice code_sha256;   /* base64, of the zip */
    uint64_t code_bytes; /* of the zip */
    uint64_t modified_ms;
    Slice state; /* "Pending", "Active", "Inactive", "Failed" */
    Slice state_reason;
    Slice state_reason_code;
    Slice update_status; /* "Successful", "Failed", "InProgress" */
    Slice update_reason;
    Slice update_reason_code;
    bool snap_start;      /* ApplyOn PublishedVersions */
    bool tenant_isolated; /* workers are dedicated to a tenant id */
    Slice log_format;
    Slice application_log_level;
    Slice system_log_level;
    Slice log_group;
    Slice dead_letter_arn;
    Slice trace_mode; /* "Active", "PassThrough" */
    Slice documents; /* JSON that the dialect keeps and core does not read: VPC, file systems, runtime management … */
} FunctionVersion;

/* What all versions share. */
typedef struct Function {
    Slice account;
    Slice region;
    Slice name;
    uint64_t number; /* never given twice: a function made again under its name has another */
    uint64_t last_version;
    bool has_reserved;
    uint64_t reserved; /* concurrency */
    bool may_recurse;
    Labels tags;
    Home home;
    Slice prefix; /* of every other key of the function */
} Function;

/* What an invocation runs. */
typedef struct FunctionTarget {
    Function function;
    FunctionVersion version;
    WorkerSpec spec;
    uint64_t reserved; /* as Invocation has them */
    uint64_t unreserved;
} FunctionTarget;

/* Finds what a qualifier means: "$LATEST", a number, an alias (which may share its calls between two versions: `pick`, any
 * 64 bits, decides), or absent for "$LATEST". In a read or a write. FUNCTION_NOT_FOUND, FUNCTION_VERSION_NOT_FOUND,
 * FUNCTION_ALIAS_NOT_FOUND; FUNCTION_PENDING, FUNCTION_INACTIVE, FUNCTION_FAILED: it cannot be invoked now. */
Error function_target(Txn *txn, Slice account, Slice region, Slice name, Slice qualifier, uint64_t pick,
                      Slice tenant_id, FunctionTarget *target);

#endif

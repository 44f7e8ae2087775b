/* function.h: functions, their versions and aliases, and what is run when one is invoked.
 *
 * Bodies over a transaction, in the manner of queue.h: slices given back lie in the transaction's arena. The home of
 * every write is the function. Code lies in folders beside the store (core/package.h), which records refer to: a version
 * holds its folders, its layers' too, until it is deleted. */
#ifndef BRUME_CORE_FUNCTION_H
#define BRUME_CORE_FUNCTION_H

#include "core/actor.h"
#include "core/core_error.h"
#include "core/identity.h"
#include "core/invoker.h"
#include "store/store.h"

enum {
    FUNCTION_SETTLE_MS = 100,     /* from a change to its end; nothing has to be fetched, so that it is short */
    FUNCTION_ROUTES_MAX = 1,      /* Lambda developer guide, "Implement Lambda alias routing": two versions */
    FUNCTION_UNRESERVED_MIN = 100 /* Lambda developer guide, "Configuring reserved concurrency" */
};

/* A layer that is laid under a function's code. */
typedef struct FunctionLayer {
    Slice arn;               /* of its version */
    Slice code;              /* its package's folder */
    uint64_t code_bytes;     /* of the zip */
    uint64_t unzipped_bytes; /* of what is in it */
} FunctionLayer;

/* What a version is: "$LATEST" can be changed, a published one never. */
typedef struct FunctionVersion {
    Slice account;
    Slice region;
    Slice name;
    Slice version;     /* "$LATEST", or a number */
    Slice revision_id; /* a UUID: another one after each change, and when it has settled */
    uint64_t change;   /* another number after each change of code or configuration: other workers */
    Slice runtime;
    Slice handler;
    Slice role_arn;
    Slice description;
    Slice architecture; /* "x86_64", "arm64" */
    uint64_t timeout_s;
    uint64_t memory_mb;
    uint64_t tmp_mb;
    Labels environment; /* `items` NULL: none was given */
    FunctionLayer *layers;
    size_t layer_count;
    Slice code;              /* the package's folder, below that of all packages */
    Slice code_sha256;       /* base64, of the zip */
    uint64_t code_bytes;     /* of the zip */
    uint64_t unzipped_bytes; /* of what is in it */
    uint64_t modified_ms;
    Slice state; /* "Pending", "Active", "Inactive", "Failed" */
    Slice state_reason;
    Slice state_reason_code;
    Slice update_status; /* "Successful", "Failed", "InProgress"; absent while "Pending" */
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
    Slice source;     /* of a published version: a digest of the "$LATEST" that it was made of */
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
    Slice prefix; /* of every other key of the function: all of them go with it */
} Function;

typedef struct FunctionAlias {
    Slice name;
    Slice version;
    Slice description;
    Slice revision_id;
    Slice route_version; /* takes a share of the calls; absent: none does */
    double route_weight; /* 0 to 1: that share */
} FunctionAlias;

/* What the functions of an account and region take of its quotas. */
typedef struct FunctionUsage {
    uint64_t functions;
    uint64_t code_bytes; /* of all versions' and layers' zips */
    uint64_t reserved;   /* concurrency */
} FunctionUsage;

/* Which part of a list is asked for, and where the next one begins. */
typedef struct FunctionPage {
    Slice after;  /* the place that an earlier `next` gave; empty: the start */
    size_t limit; /* at least 1 */
    Slice next;   /* given back; absent: that was all */
} FunctionPage;

/* ---- Functions ---- */

Home function_home(Slice account, Slice region, Slice name);

/* Makes one of what the caller filled in: of `function` account, region, name, tags; of `latest` all but what follows
 * here. Fills in the rest of `function`, and of `latest` the version ("$LATEST"), revision, time and state, which is
 * "Pending" for FUNCTION_SETTLE_MS. FUNCTION_EXISTS; FUNCTION_CODE_STORAGE: the account's code passes `code_limit`. */
Error function_create(Txn *txn, Function *function, FunctionVersion *latest, uint64_t code_limit);
/* FUNCTION_NOT_FOUND. */
Error function_open(Txn *txn, Slice account, Slice region, Slice name, Function *function);
/* Keeps what was changed of may_recurse. */
void function_put(Txn *txn, const Function *function);
/* Keeps what was changed of tags, one of which decides on the network of workers: those that are ready are asked for again. */
Error function_put_tags(Txn *txn, const Function *function);
/* Reserves executions for the function, or none. FUNCTION_UNRESERVED: fewer than FUNCTION_UNRESERVED_MIN of `all`, the
 * account's, would be left to the others. */
Error function_reserve(Txn *txn, Function *function, bool has_reserved, uint64_t reserved, uint64_t all);
/* Deletes it with all that it has: at once for everyone who asks, the rest in pages soon after. */
Error function_delete(Txn *txn, const Function *function);
/* By name; with `all_versions` each one's versions in their order, else "$LATEST" alone. FUNCTION_PLACE_INVALID: no earlier
 * page gave `page->after`. */
Error function_list(Txn *txn, Slice account, Slice region, bool all_versions, FunctionPage *page,
                    FunctionVersion **versions, size_t *count);

Error function_usage(Txn *txn, Slice account, Slice region, FunctionUsage *usage);
/* Counts the bytes of a package in, or out. FUNCTION_CODE_STORAGE. */
Error function_usage_add_code(Txn *txn, Slice account, Slice region, int64_t bytes, uint64_t limit);

/* ---- Versions ---- */

/* "$LATEST", or a number. FUNCTION_VERSION_NOT_FOUND. */
Error function_version_get(Txn *txn, const Function *function, Slice version, FunctionVersion *found);
/* Keeps a changed "$LATEST": it gets another revision and time; its update is "InProgress" for FUNCTION_SETTLE_MS.
 * FUNCTION_UPDATING: another update is; FUNCTION_CODE_STORAGE. */
Error function_latest_put(Txn *txn, const Function *function, FunctionVersion *latest, uint64_t code_limit);
/* Keeps what was changed of a version's documents, which is no update: the revision alone is another one. */
void function_version_put_documents(Txn *txn, const Function *function, FunctionVersion *version);
/* Makes a version of "$LATEST", with its description or another; when neither code nor configuration has changed since
 * the last one, gives that (Lambda API reference, PublishVersion). FUNCTION_UPDATING; FUNCTION_CODE_STORAGE. */
Error function_publish(Txn *txn, Function *function, Slice description, uint64_t code_limit,
                       FunctionVersion *published);
/* A published one. FUNCTION_VERSION_IN_USE: an alias refers to it. One that is not there is no error. */
Error function_version_delete(Txn *txn, const Function *function, Slice version);
/* "$LATEST" first, then in the order of numbers. */
Error function_version_list(Txn *txn, const Function *function, FunctionPage *page, FunctionVersion **versions,
                            size_t *count);

/* ---- Aliases ---- */

/* Gives it a revision. FUNCTION_ALIAS_EXISTS; FUNCTION_VERSION_NOT_FOUND: one of its versions is not there. */
Error function_alias_create(Txn *txn, const Function *function, FunctionAlias *alias);
/* FUNCTION_ALIAS_NOT_FOUND. */
Error function_alias_get(Txn *txn, const Function *function, Slice name, FunctionAlias *alias);
/* Keeps what was changed but the name; another revision. FUNCTION_VERSION_NOT_FOUND. */
Error function_alias_put(Txn *txn, const Function *function, FunctionAlias *alias);
/* One that is not there is no error; `found` says so. */
Error function_alias_delete(Txn *txn, const Function *function, Slice name, bool *found);
/* By name; those that refer to `version`, unless it is empty. */
Error function_alias_list(Txn *txn, const Function *function, Slice version, FunctionPage *page,
                          FunctionAlias **aliases, size_t *count);

/* ---- Running ---- */

/* "arn:aws:lambda:us-east-1:123456789012:function:name", and ":qualifier" unless it is empty. */
Slice function_arn(Arena *arena, Slice account, Slice region, Slice name, Slice qualifier);

/* What an invocation runs. */
typedef struct FunctionTarget {
    Function function;
    FunctionVersion version;
    WorkerSpec spec;
    uint64_t reserved; /* as Invocation has them */
    uint64_t unreserved;
} FunctionTarget;

/* Finds what a qualifier means: "$LATEST", a number, an alias (which may share its calls between two versions: `pick`, any
 * 64 bits, decides), or absent for "$LATEST". In a read or a write. `limits`: the account's. FUNCTION_NOT_FOUND,
 * FUNCTION_VERSION_NOT_FOUND, FUNCTION_ALIAS_NOT_FOUND; FUNCTION_PENDING, FUNCTION_INACTIVE, FUNCTION_FAILED: it cannot be
 * invoked now; FUNCTION_TENANT_MISSING, FUNCTION_TENANT_UNKNOWN: it asks for a tenant, or knows none. */
Error function_target(Txn *txn, const Limits *limits, Slice account, Slice region, Slice name, Slice qualifier,
                      uint64_t pick, Slice tenant_id, FunctionTarget *target);
/* Whether it would find one, and the function; without making a WorkerSpec. Errors as of function_target. */
Error function_check_target(Txn *txn, Slice account, Slice region, Slice name, Slice qualifier, Slice tenant_id,
                            Function *function);
/* What the lines of the function's workers begin with (WorkerSpec.line), and those of no other function. */
Slice function_worker_lines(Txn *txn, const Function *function);
/* The same of a version that is known: what workers that are kept for it are made of. */
WorkerSpec function_worker_spec(Txn *txn, const Function *function, const FunctionVersion *version, Slice tenant_id);

/* TIMER_FUNCTION's body. */
Error function_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value);

#endif

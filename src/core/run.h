/* run.h: a run of a function: what is common to Invoke, to streams of responses, to function URLs, to the command line,
 * and to what runs functions by itself: events that wait, and pollers.
 *
 * First a transaction of the caller's finds what is to be run, run_find; then run_start hands it to the invoker, which
 * owns the invocation until `done`. */
#ifndef BRUME_CORE_RUN_H
#define BRUME_CORE_RUN_H

#include "core/function.h"
#include "core/trace.h"

/* What is asked for; the slices are the caller's, and live until the run has ended. */
typedef struct RunRequest {
    Slice account;
    Slice region;
    Slice name;
    Slice qualifier; /* absent: "$LATEST" */
    Slice tenant_id; /* absent: none */
    Slice trace;     /* the X-Ray header that came with the request; absent: none */
    uint64_t wall_ms;
    const Limits *limits; /* the account's */
} RunRequest;

/* What was found. */
typedef struct Run {
    WorkerSpec spec; /* spec.version is what is executed */
    uint64_t reserved;
    uint64_t unreserved;
    Slice function_arn; /* as asked for, with its qualifier */
    uint64_t function_number;
    Slice dead_letter_arn; /* of the version; absent: none */
    Slice tenant_id;
    Trace trace;
    bool may_recurse;
    /* The function has been invoked too often in this chain of events, and is not allowed to be: not to be started
     * (Lambda developer guide, "Recursive loop detection"). */
    bool in_loop;
} Run;

/* In a transaction. What is found is copied into `arena` (that of the store call, say): it outlives the transaction.
 * Errors as of function_target. */
Error run_find(Txn *txn, const RunRequest *request, Arena *arena, Run *run);

/* What was found, for another request of the same function, qualifier and tenant: nothing is read, and nothing of `found` is
 * needed later. Not for aliases, which may send each request to another version. */
void run_find_again(const Run *found, const RunRequest *request, Os *os, Arena *arena, Run *run);

/* A new request id (RFC 9562, version 4), for a run that no API call stands behind. */
Slice run_request_id(Os *os, Arena *arena);

/* Invokes. The caller has set the invocation's mailbox, arena, request id, payload, limits and what it wants to hear;
 * what was found is set here. `run` lives until `done`. */
void run_start(Invoker *invoker, const Run *run, Invocation *invocation);

#endif

/* invoke_call.h: a call that invokes a function: the steps that Invoke and InvokeWithResponseStream share.
 *
 * Read downwards: the arguments are checked, a transaction finds the function, the operation says how it is to be run and
 * what becomes of the answer. All of it on the call's loop; an InvokeCall lives in its call's arena. */
#ifndef BRUME_AWS_LAMBDA_INVOKE_CALL_H
#define BRUME_AWS_LAMBDA_INVOKE_CALL_H

#include "aws/lambda/dialect.h"
#include "aws/wire/call.h"
#include "core/run.h"

/* What the operations have in common of their inputs. */
typedef struct InvokeArguments {
    Slice function_name;
    Slice qualifier;
    Slice invocation_type;
    Slice log_type;
    Slice client_context;
    Slice payload;
    Slice tenant_id;
} InvokeArguments;

typedef struct InvokeCall InvokeCall;
struct InvokeCall {
    Call *call;
    bool dry_run; /* nothing is to be run */
    bool with_log;
    const InvokeArguments *arguments;
    LambdaName name;
    Run run;
    Invocation invocation; /* payload, client context and request id are set */
    StoreCall lookup;
    void (*found)(InvokeCall *invoke); /* it may be run: the operation's */
    void *output;                      /* the operation's */
};

/* ---- What every invocation begins with ---- */

/* 501: nobody runs functions here. */
Error invoke_check_runs(Call *call);
/* JSON; an empty one is "{}". InvalidRequestContentException. */
Error invoke_read_payload(Call *call, Slice given, Slice *payload);
/* Out of base64; absent: `context` stays as it is. The same. */
Error invoke_read_client_context(Call *call, Slice given, Slice *context);
bool invoke_is_own(const Call *call, Slice function_name);
/* What core said to the name that was looked up. */
Error invoke_refuse_lookup(Call *call, LambdaName *name, Error error);

/* ---- One that is answered ---- */

/* Checks the arguments and looks the function up; `found` is called when it may be run, and every refusal ends the call.
 * The caller has set `call` and `found`; the arguments live as long as the call. */
Error invoke_call_start(InvokeCall *invoke, const InvokeArguments *arguments);

/* Runs it; the invocation's arena, limit and callbacks are set, and `done` gets it back. */
void invoke_call_run(InvokeCall *invoke);

/* Behind `done`: if no handler had the event, refuses the call with the reason and gives true: it is over. */
bool invoke_call_refused(InvokeCall *invoke);

/* The log's tail in base64 when it was asked for; else absent. */
Slice invoke_call_log(const InvokeCall *invoke);

#endif

/* admin_server.h: administration over DATA/admin.sock (mode 0600): accounts, access keys, the clock, backups.
 *
 * HTTP on a socket that only the server's own user can open, so that nothing more is asked of a caller. Paths are
 * posted to, documents are flat JSON; a backup is a stream. All of it runs on one loop, which never blocks: transactions
 * are the store's, backups are read on libuv's worker threads with back-pressure. */
#ifndef BRUME_CLI_ADMIN_SERVER_H
#define BRUME_CLI_ADMIN_SERVER_H

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "core/account_limits.h"
#include "core/breaker.h"
#include "core/package.h"
#include "net/http.h"

typedef struct Admin Admin;
typedef struct Invoker Invoker; /* core/invoker.h */

typedef struct AdminOptions {
    Store *store;
    Packages *packages;
    Loop *loop;
    const Limits *limits;
    AccountGeneration *generation; /* bumped when access keys change */
    AccountLimits *account_limits;
    Invoker *invoker; /* NULL: nobody runs functions */
    Log *log;
    const char *socket_path;
} AdminOptions;

/* Listens; what a crash left at the socket's path is removed. Errors as http_server_listen. */
Error admin_open(const AdminOptions *options, Arena *arena, Admin **admin);

/* On the loop: takes no more requests, breaks backups off; posts `stopped` to the loop when nothing of it uses the
 * store any more. */
void admin_stop(Admin *admin, Task *stopped);

/* After the loop has stopped. Removes the socket. */
void admin_close(Admin *admin);

/* For the two files of the server: reads one backup of the store and its packages into the answer. */
typedef struct AdminBackups {
    List running;
    unsigned count;
    bool stopping;
} AdminBackups;

void admin_backup_start(AdminBackups *backups, const AdminOptions *options, HttpRequest *request,
                        void (*ended)(void *user), void *user);
/* Breaks all of them off; each `ended` is still called. */
void admin_backups_stop(AdminBackups *backups);

/* Which page of a list is asked for. */
typedef struct AdminQuery {
    Slice account;
    Slice region;       /* absent: the first one behind `after_region` that the account uses */
    Slice after_region; /* "": from the first */
    Slice after;        /* where the page before ended; absent: from the first */
    Invoker *invoker;   /* who has the workers of functions; NULL: there are none */
} AdminQuery;

/* In a read body: the region that is asked for; absent: nothing is stored in any behind. ACCOUNT_ID_INVALID. */
Error admin_find_region(Txn *txn, const AdminQuery *query, Slice *region);

/* In a read body: writes {"queues":[…],"region":…,"after":…}: the page's queues, where they are (left out: the account
 * uses no region behind), and the last one's name when more follow. ACCOUNT_ID_INVALID. */
Error admin_write_queues(Txn *txn, const AdminQuery *query, JsonWriter *writer);

/* The same of {"breakers":[…],…}. */
Error admin_write_breakers(Txn *txn, const AdminQuery *query, JsonWriter *writer);
/* Forgets one, and writes what it was. */
Error admin_reset_breaker(Txn *txn, Slice account, Slice region, Slice name, JsonWriter *writer);

/* "closed", "half-open" or "open". */
Slice admin_breaker_text(BreakerState state);

/* The same of {"mappings":[…],…}; pages end with a UUID. */
Error admin_write_mappings(Txn *txn, const AdminQuery *query, JsonWriter *writer);

/* The same of {"functions":[…],…}, with the workers that they have. */
Error admin_write_functions(Txn *txn, const AdminQuery *query, JsonWriter *writer);

/* What `brume invoke` asks for. */
typedef struct AdminInvoke {
    Slice account;
    Slice region;
    Slice name;
    Slice qualifier;      /* absent: "$LATEST" */
    Slice payload;        /* absent: none */
    Slice client_context; /* JSON; absent: none */
    bool is_event;        /* it is only accepted */
} AdminInvoke;

/* Runs the function, and answers {"version", "result" and "log" in base64, "failed": "true"?}; of an event, when it is
 * durable, {"request_id"}. */
void admin_invoke(const AdminOptions *options, HttpRequest *request, const AdminInvoke *invoke);
/* Another code of a function. */
typedef struct AdminCode {
    Slice account;
    Slice region;
    Slice name;
    Slice zip; /* base64; absent: the function is only told of */
} AdminCode;

/* Keeps it, unless it is what is there, and answers {"runtime", "changed": "true" or "false"} when the next invocation
 * runs it. */
void admin_code(const AdminOptions *options, HttpRequest *request, const AdminCode *code);
typedef struct AdminFunction {
    Slice account;
    Slice region;
    Slice name;
} AdminFunction;

/* What a lookup of a function came to: that there is none, with where to look. */
void admin_refuse_function(HttpRequest *request, const AdminFunction *function, Error error);

/* What `brume logs` asks for. */
typedef struct AdminLogs {
    Slice account;
    Slice region;
    Slice name;   /* a group's or a function's */
    Slice stream; /* what the names of streams begin with */
    Slice filter; /* a pattern; empty: none */
    Slice cursor; /* "since MILLISECONDS", or what an earlier answer gave */
} AdminLogs;

/* Answers {"events": [{"time_ms", "stream", "message"}], "cursor", "caught_up"}; whoever has caught up waits a while for more. */
void admin_read_logs(const AdminOptions *options, HttpRequest *request, const AdminLogs *wanted);
/* What core's code means, for a refusal. */
void admin_refuse_error(HttpRequest *request, Error error);

/* Answers {"message": text}. */
void admin_refuse(HttpRequest *request, int status, Slice text);

#endif

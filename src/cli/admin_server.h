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
#include "net/http.h"

typedef struct Admin Admin;

typedef struct AdminOptions {
    Store *store;
    Loop *loop;
    const Limits *limits;
    AccountGeneration *generation; /* bumped when access keys change */
    AccountLimits *account_limits;
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

/* For the two files of the server: reads one backup of the store into the answer. */
typedef struct AdminBackups {
    List running;
    unsigned count;
    bool stopping;
} AdminBackups;

void admin_backup_start(AdminBackups *backups, Store *store, HttpRequest *request, void (*ended)(void *user),
                        void *user);
/* Breaks all of them off; each `ended` is still called. */
void admin_backups_stop(AdminBackups *backups);

/* Which page of queues is asked for. */
typedef struct AdminQueuesQuery {
    Slice account;
    Slice region;       /* absent: the first one behind `after_region` that the account uses */
    Slice after_region; /* "": from the first */
    Slice after;        /* a queue's name; absent: from the first */
} AdminQueuesQuery;

/* In a read body: writes {"queues":[…],"region":…,"after":…}: the page's queues, where they are (left out: the account
 * uses no region behind), and the last one's name when more follow. ACCOUNT_ID_INVALID. */
Error admin_write_queues(Txn *txn, const AdminQueuesQuery *query, JsonWriter *writer);

/* Answers {"message": text}. */
void admin_refuse(HttpRequest *request, int status, Slice text);

#endif

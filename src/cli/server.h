/* server.h: the running server: everything that `brume start` wires up.
 *
 * The main thread runs the control loop: signals and administration. Connections are served by loops with a thread
 * each. Stopping: no new connections, waits ended, requests finished, then the store, then the rest. */
#ifndef BRUME_CLI_SERVER_H
#define BRUME_CLI_SERVER_H

#include "cli/admin_server.h"
#include "cli/metrics.h"
#include "cli/settings.h"
#include "core/event_runner.h"
#include "core/log_forwarder.h"
#include "core/log_sink.h"
#include "core/package.h"
#include "core/poller.h"
#include "core/provisioner.h"
#include "core/warmer.h"
#include "net/http.h"
#include "net/tls.h"
#include "runtime/runtime.h"
#include "store/directory.h"

typedef struct Server {
    Settings settings;
    Os *os;
    Log log;
    Arena arena;      /* as long as the server */
    const char *data; /* the data directory, absolute */
    DataDirectory directory;
    Engine *engine;
    Store *store;
    WorkPool *pool; /* for what takes time */
    Packages *packages;
    Loop *control;
    Loop *loops[THREADS_MAX];
    size_t loop_count;
    AccountGeneration generation;
    AccountLimits *account_limits;
    Metrics *metrics;
    HttpHandler *wire;
    HttpHandler *urls;    /* of functions */
    HttpHandler endpoint; /* in front of both: /_brume/ */
    TlsContext *tls;      /* NULL: cleartext */
    HttpServer *http;
    Slice bound; /* "127.0.0.1:4566" */
    Admin *admin;
    /* Functions (server_runtime.c). */
    Spawner *spawner; /* NULL: this machine can run none */
    Runtime *runtime; /* the same */
    Pollers *pollers;
    Provisioner *provisioner;
    Warmer *warmer;
    EventRunner *events;
    CatalogMemory catalog_memory;
    Slice reachable[REACHABLE_MAX + 1]; /* by those whose network is isolated; the server itself first */
    LogSink *log_sink;                  /* on the runtime's loop, as is its timer (server_logs.c) */
    uv_timer_t log_flush;
    LogForwarder *log_forwarder;
    LogMeter *log_meter; /* what metric filters found */
    int function_log;    /* a file; -1: the server's own log, at debug level */
    /* Stopping. */
    atomic_bool draining;
    uv_signal_t signals[3];
    bool ends_with_terminal; /* it was started from one, and not by nohup */
    uv_timer_t drain_limit;
    Task http_drained;
    Task admin_stopped;
    Task runtime_drained;
    bool http_is_drained;
    bool admin_is_stopped;
    bool runtime_is_drained;
} Server;

/* Opens everything up to listening. False with one line that says what to do; what was opened is closed again. */
bool server_open(Server *server, Slice *message);
/* Serves until a signal stops it; closes everything. */
void server_run(Server *server);
/* What SIGHUP asks for, on the control loop: opens anew what has been replaced on the disk since the start. What cannot
 * be had stays as it was, and the log says so. */
void server_reload(Server *server);

/* Writes whom functions trust, before the spawner is forked and when the certificate has changed (server_trust.c). What
 * cannot be written, the log tells. */
void server_trust_lay_out(Server *server);
/* Loads the certificate, if there is to be one (server_tls.c). False with one line that says what to do. */
bool server_tls_open(Server *server, Slice *message);
/* Loads it again; one that cannot be used leaves the old one in use. */
void server_tls_reload(Server *server);

/* Starts the process that starts functions, and waits until it can. False, with one line that says what to do: isolation is
 * required and cannot be had. */
bool server_spawner_start(Server *server, Slice *message);
/* Before the loops run. False with one line. */
bool server_runtime_open(Server *server, Slice *message);
/* When the store has stopped and the loops do not run: ends all workers. */
void server_runtime_close(Server *server);
/* NULL: no functions can be run. */
Invoker *server_invoker(const Server *server);
void server_function_log_reopen(Server *server);

/* Where functions log: on the runtime's loop, before it runs. */
void server_forwarder_open(Server *server);
FunctionLog server_logs_open(Server *server);
/* The loops have stopped, the store has not: what functions logged last is kept. */
void server_logs_finish(Server *server);
/* The store has stopped. */
void server_logs_close(Server *server);

/* Answers what lies under /_brume/functions/: a package's zip (endpoint_package.c). */
void endpoint_answer_package(Server *server, HttpRequest *request, Slice folder);

/* Answers what lies under /_brume/ and hands the rest to the AWS APIs (endpoint.c). */
void endpoint_on_request(HttpHandler *handler, HttpRequest *request);

#endif

#include "cli/server.h"

#include "aws/lambda/url_handler.h"
#include "base/bug.h"
#include "cli/data_directory.h"
#include "cli/log_file.h"
#include "cli/services.h"
#include "os/os_notify.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    READERS = 2,            /* threads for reads that miss the cache */
    WORKERS = 2,            /* threads for what takes time: unpacking */
    DRAIN_LIMIT_MS = 10000, /* what is not finished then is cut */
};

/* ---- Opening, in order; each step closes what it opened when it fails ---- */

static const char *absolute_path(Arena *arena, const char *path)
{
    char *absolute = realpath(path, NULL);
    const char *kept = arena_string(arena, slice_of_string(absolute == NULL ? path : absolute));
    free(absolute);
    return kept;
}

static bool open_store(Server *server, Slice *message)
{
    const Settings *settings = &server->settings;
    if (data_directory_open(server->os, settings->data, settings->cache_bytes, &server->arena, &server->directory,
                            &server->engine, message) != OK)
        return false;
    server->data = absolute_path(&server->arena, settings->data);
    StoreOptions options = {
        .os = server->os,
        .engine = server->engine,
        .limits = &settings->limits,
        .directory = server->data,
        .readers = READERS,
        .virtual_clock = settings->virtual_clock,
        .log = &server->log,
    };
    server->account_limits = account_limits_open(&settings->limits);
    Error error = store_open(&options, &server->store);
    if (error == OK) {
        services_prepare(server->store);
        error = account_limits_load(server->account_limits, server->store);
        if (error == OK)
            error = store_start(server->store);
        if (error != OK)
            store_stop(server->store);
    }
    if (error == OK)
        return true;
    account_limits_close(server->account_limits);
    *message = arena_format(&server->arena, "the data in %s cannot be opened (%s): restore it from a backup",
                            settings->data, error_text(error));
    data_directory_close(&server->directory);
    return false;
}

/* Packages of code lie beside the store; whoever runs them is told of them by absolute paths. */
static bool open_packages(Server *server, Slice *message)
{
    const Settings *settings = &server->settings;
    PackagesOptions options = {
        .os = server->os,
        .store = server->store,
        .directory = server->data,
        .limits = &settings->limits,
        .log = &server->log,
    };
    server->pool = work_pool_open(WORKERS, settings->limits.value[LIMIT_LAMBDA_UPLOADS]);
    options.pool = server->pool;
    Error error = packages_open(&options, &server->packages);
    if (error == OK)
        return true;
    *message =
        arena_format(&server->arena, "the code of functions cannot be kept in %s/functions (%s): make it writable",
                     settings->data, error_text(error));
    return false;
}

/* Runs what the pool was given and what it has told the loops, which have stopped, until neither has anything more. */
static void finish_posted(Server *server)
{
    bool any = true;
    while (any) {
        if (server->pool != NULL)
            work_pool_drain(server->pool);
        any = false;
        for (size_t i = 0; i < server->loop_count; i++)
            any = loop_drain(server->loops[i]) || any;
    }
}

/* In the order that lets what is on its way end: nothing new, then what was logged and the uploads, whose transactions follow, then the
 * store, which gives back what it has, then whoever was told so. Only then is nobody left who would call them. */
static void stop_store(Server *server)
{
    if (server->packages != NULL)
        packages_stop(server->packages);
    finish_posted(server);
    server_logs_finish(server);
    store_halt(server->store);
    finish_posted(server);
    if (server->pool != NULL)
        work_pool_close(server->pool);
    if (server->packages != NULL)
        packages_close(server->packages);
    store_stop(server->store);
}

static bool open_loops(Server *server, Slice *message)
{
    Error error = loop_open(server->os, &server->control);
    while (error == OK && server->loop_count < server->settings.threads) {
        error = loop_open(server->os, &server->loops[server->loop_count]);
        if (error == OK)
            server->loop_count++;
    }
    if (error != OK)
        *message = SLICE("no event loop can be made: raise the limit of open files (ulimit -n)");
    return error == OK;
}

static void close_loops(Server *server)
{
    for (size_t i = 0; i < server->loop_count; i++)
        loop_close(server->loops[i]);
    if (server->control != NULL)
        loop_close(server->control);
}

static void report(void *user, const WireReport *report)
{
    Server *server = user;
    metrics_count(server->metrics, report);
    /* 501 is an answer as any other: AWS has the operation, Brume does not. */
    LogLevel level = report->status >= 500 && report->status != 501 ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG;
    if (level > server->log.level)
        return;
    const LogField fields[] = {
        log_text("request_id", report->request_id),
        log_text("service", report->service == NULL ? SLICE("") : report->service->name),
        log_text("operation", report->operation == NULL ? SLICE("") : report->operation->name),
        log_text("account", report->account),
        log_int("status", report->status),
        log_text("error", report->error == NULL ? SLICE("") : report->error->name),
        log_uint("duration_us", report->duration_ns / 1000),
        {0},
    };
    log_line(&server->log, level, "request", fields);
}

static const char *scheme_of(const Server *server)
{
    return server->tls != NULL ? "https" : "http";
}

static void open_wire(Server *server)
{
    const Settings *settings = &server->settings;
    WireOptions options = {
        .os = server->os,
        .store = server->store,
        .loops = server->loops,
        .loop_count = server->loop_count,
        .auth_mode = settings->auth,
        .generation = &server->generation,
        .root_access_key_id = settings->root_access_key_id,
        .root_secret = settings->root_secret,
        .services = services,
        .service_count = service_count,
        .limits = &settings->limits,
        .packages = server->packages,
        .pool = server->pool,
        .account_limits = server->account_limits,
        .endpoint = arena_format(&server->arena, "%s://%.*s", scheme_of(server), SLICE_PRINT(server->bound)),
        .origins = settings->origins,
        .origin_count = settings->origin_count,
        .invoker = server_invoker(server),
        .report = report,
        .report_user = server,
    };
    server->metrics = metrics_open(services, service_count);
    server->wire = wire_handler_open(&options);
    server->urls = url_handler_open(&options);
}

static void close_wire(Server *server)
{
    url_handler_close(server->urls);
    wire_handler_close(server->wire);
    metrics_close(server->metrics);
}

static Slice listen_problem(Server *server, Error error)
{
    const char *address = server->settings.listen;
    switch (error) {
    case ERROR_EXISTS:
        return arena_format(&server->arena, "%s is in use: stop what listens there, or choose another with --listen",
                            address);
    case ERROR_NOT_FOUND:
        return arena_format(&server->arena, "%s is no address of this machine: choose another with --listen", address);
    case ERROR_DENIED:
        return arena_format(&server->arena, "listening on %s is not allowed: choose a port above 1023 with --listen",
                            address);
    case ERROR_MALFORMED:
        return arena_format(&server->arena, "%s is no address: write it as 127.0.0.1:4566 or [::1]:4566", address);
    default:
        return arena_format(&server->arena, "cannot listen on %s (%s): choose another address with --listen", address,
                            error_text(error));
    }
}

static bool open_http(Server *server, Slice *message)
{
    HttpServerOptions options = {
        .loops = server->loops,
        .loop_count = server->loop_count,
        .handler = &server->endpoint,
        .tls = server->tls,
        .limits = &server->settings.limits,
    };
    server->endpoint.on_request = endpoint_on_request;
    Error error = http_server_open(&options, &server->http);
    if (error == OK) {
        error = http_server_listen(server->http, server->settings.listen, &server->arena, &server->bound);
        if (error != OK)
            http_server_close(server->http);
    }
    if (error != OK)
        *message = listen_problem(server, error);
    return error == OK;
}

static bool open_admin(Server *server, Slice *message)
{
    AdminOptions options = {
        .store = server->store,
        .packages = server->packages,
        .loop = server->control,
        .limits = &server->settings.limits,
        .generation = &server->generation,
        .account_limits = server->account_limits,
        .invoker = server_invoker(server),
        .log = &server->log,
        .socket_path = data_path(&server->arena, server->settings.data, DATA_SOCKET),
    };
    Error error = admin_open(&options, &server->arena, &server->admin);
    if (error != OK)
        *message =
            arena_format(&server->arena, "cannot make the socket %s (%s): choose a data directory on a local disk",
                         options.socket_path, error_text(error));
    return error == OK;
}

/* Each connection is an open file. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

bool server_open(Server *server, Slice *message)
{
    server->function_log = -1;
    if (!server_spawner_start(server, message))
        return false;
    raise_file_limit(); /* of this process: functions have limits of their own */
    if (!server_tls_open(server, message)) {
        server_runtime_close(server);
        return false;
    }
    if (!open_store(server, message)) {
        server_runtime_close(server);
        tls_context_free(server->tls);
        return false;
    }
    bool has_http = open_packages(server, message) && open_loops(server, message) && open_http(server, message);
    bool has_runtime = has_http && server_runtime_open(server, message);
    if (has_runtime && open_admin(server, message)) {
        open_wire(server);
        return true;
    }
    stop_store(server);
    server_runtime_close(server);
    if (has_http)
        http_server_close(server->http);
    account_limits_close(server->account_limits);
    close_loops(server);
    data_directory_close(&server->directory);
    tls_context_free(server->tls);
    return false;
}

/* ---- Stopping ---- */

static void stop_when_drained(Server *server)
{
    if (server->http_is_drained && server->admin_is_stopped && server->runtime_is_drained)
        loop_stop(server->control);
}

static void http_drained(Task *task)
{
    Server *server = CONTAINER_OF(task, Server, http_drained);
    server->http_is_drained = true;
    if (server->runtime != NULL)
        runtime_drain(server->runtime, &server->runtime_drained, loop_mailbox(server->control));
    else
        server->runtime_is_drained = true;
    stop_when_drained(server);
}

static void runtime_drained(Task *task)
{
    Server *server = CONTAINER_OF(task, Server, runtime_drained);
    server->runtime_is_drained = true;
    stop_when_drained(server);
}

static void admin_stopped(Task *task)
{
    Server *server = CONTAINER_OF(task, Server, admin_stopped);
    server->admin_is_stopped = true;
    stop_when_drained(server);
}

/* Clients that do not end their requests are given up. Administration is not: a backup that is being read ends with
 * its piece, and the store must stay until then. */
static void drain_is_too_long(uv_timer_t *timer)
{
    Server *server = CONTAINER_OF(timer, Server, drain_limit);
    LOG(&server->log, WARNING, "drain_cut_off", log_uint("limit_ms", DRAIN_LIMIT_MS));
    server->http_is_drained = server->runtime_is_drained = true;
    stop_when_drained(server);
}

static const char *signal_name(int number)
{
    return number == SIGTERM ? "SIGTERM" : number == SIGINT ? "SIGINT" : "SIGHUP";
}

static void stop(Server *server, int number)
{
    if (atomic_exchange(&server->draining, true))
        _exit(128 + number); /* as the shell reports a signal; nothing acknowledged is lost */
    os_notify_stopping();
    LOG(&server->log, INFO, "stopping", log_string("signal", signal_name(number)));
    server->http_drained.run = http_drained;
    server->admin_stopped.run = admin_stopped;
    server->runtime_drained.run = runtime_drained;
    uv_timer_start(&server->drain_limit, drain_is_too_long, DRAIN_LIMIT_MS, 0);
    http_server_drain(server->http, &server->http_drained, loop_mailbox(server->control));
    admin_stop(server->admin, &server->admin_stopped);
    packages_stop(server->packages);
    if (server->pollers != NULL)
        pollers_stop(server->pollers);
    store_end_waits(server->store);
}

/* ---- Signals ---- */

static void reload_log(Server *server)
{
    const char *path = server->settings.log_file;
    if (path != NULL && !log_file_reopen(path, server->log.file))
        LOG(&server->log, ERROR, "log_not_reopened", log_string("path", path), log_string("reason", strerror(errno)));
}

void server_reload(Server *server)
{
    bool stopping = atomic_load(&server->draining); /* of which the service manager knows already */
    if (!stopping)
        os_notify_reloading();
    reload_log(server);
    server_function_log_reopen(server);
    server_tls_reload(server);
    LOG(&server->log, INFO, "reloaded");
    if (!stopping)
        os_notify_ready();
}

static bool has_terminal(void)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0)
        close(terminal);
    return terminal >= 0;
}

/* A server started from a terminal ends with it, which is what SIGHUP says then; no other is told to stop that way. */
static void on_signal(uv_signal_t *handle, int number)
{
    Server *server = handle->data;
    if (number == SIGHUP && !(server->ends_with_terminal && !has_terminal()))
        server_reload(server);
    else
        stop(server, number);
}

static void watch_signals(Server *server)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    uv_loop_t *uv = loop_uv(server->control);
    struct sigaction before;
    bool ignored = sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
    server->ends_with_terminal = !ignored && has_terminal();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uv_signal_init(uv, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(uv, &server->drain_limit);
}

void server_run(Server *server)
{
    signal(SIGPIPE, SIG_IGN);
    watch_signals(server);
    for (size_t i = 0; i < server->loop_count; i++) {
        Error started = loop_start(server->loops[i]);
        ASSERT(started == OK);
    }
    printf("brume %s listening on %s://%.*s, data in %s, auth %s\n", BRUME_VERSION, scheme_of(server),
           SLICE_PRINT(server->bound), server->settings.data, server->settings.auth == AUTH_SIGNED ? "signed" : "open");
    fflush(stdout);
    os_notify_ready();
    loop_run(server->control);

    /* No request is left, or none that anyone waits for: first those who use the store, then the store. */
    for (size_t i = 0; i < server->loop_count; i++)
        loop_stop(server->loops[i]);
    stop_store(server);
    server_runtime_close(server);
    admin_close(server->admin);
    http_server_close(server->http);
    tls_context_free(server->tls);
    close_wire(server);
    account_limits_close(server->account_limits);
    close_loops(server);
    log_finish(&server->log);
    /* Last: whoever waits for the directory makes a socket of its own in it. */
    data_directory_close(&server->directory);
}

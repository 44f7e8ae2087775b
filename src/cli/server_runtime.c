/* What the server wires up to run functions: the spawner, the runtime on a loop, and where what functions log goes. */
#include "aws/lambda/destinations.h"
#include "aws/sqs/events.h"
#include "cli/data_directory.h"
#include "cli/log_file.h"
#include "cli/runtime_directories.h"
#include "cli/server.h"
#include "runtime/bundle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* ---- The spawner, before anything else ---- */

static Slice absolute(Server *server, const char *path)
{
    char here[PATH_MAX];
    if (path[0] == '/' || getcwd(here, sizeof here) == NULL)
        return slice_of_string(path);
    return arena_format(&server->arena, "%s/%s", here, path);
}

bool server_spawner_start(Server *server, Slice *message)
{
    const Settings *settings = &server->settings;
    Slice data = absolute(server, settings->data);
    SpawnerOptions options = {
        .isolation = settings->isolation,
        .data_directory = data,
        .runtime_directory = arena_format(&server->arena, "%.*s/%s", SLICE_PRINT(data), DATA_BOOTSTRAPS),
        .prestart = settings->prestart,
    };
    /* A data directory that cannot be made is told of better when the store is opened. */
    if (bundle_lay_out(server->os, arena_string(&server->arena, options.runtime_directory)) != OK)
        return true;
    server_trust_lay_out(server);
    Error error = spawner_start(&options, &server->arena, &server->spawner, message);
    if (error == OK)
        return true;
    if (settings->isolation == ISOLATION_REQUIRED) {
        *message = arena_format(&server->arena, "%.*s; `brume doctor` tells more", SLICE_PRINT(*message));
        return false;
    }
    LOG(&server->log, WARNING, "no_functions", log_text("reason", *message));
    return true;
}

/* ---- What functions log, for who wants it as a file ---- */

static bool open_function_log(Server *server, Slice *message)
{
    const char *path = server->settings.function_log;
    server->function_log = -1;
    if (path == NULL)
        return true;
    server->function_log = strcmp(path, "-") == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) : log_file_open(path);
    if (server->function_log < 0)
        *message = arena_format(&server->arena,
                                "cannot write what functions log to %s: %s; choose another with "
                                "--function-log",
                                path, strerror(errno));
    return server->function_log >= 0;
}

void server_function_log_reopen(Server *server)
{
    const char *path = server->settings.function_log;
    if (server->function_log >= 0 && strcmp(path, "-") != 0 && !log_file_reopen(path, server->function_log))
        LOG(&server->log, ERROR, "log_not_reopened", log_string("path", path), log_string("reason", strerror(errno)));
}

/* ---- The runtime ---- */

/* Where functions reach the server: an address that stands for all of them is reached by loopback. */
static Slice reachable_address(Server *server)
{
    Slice bound = server->bound;
    Slice any4 = SLICE("0.0.0.0:");
    Slice any6 = SLICE("[::]:");
    if (slice_starts_with(bound, any4))
        return arena_format(&server->arena, "127.0.0.1:%.*s", SLICE_PRINT(slice_skip(bound, any4.size)));
    if (slice_starts_with(bound, any6))
        return arena_format(&server->arena, "[::1]:%.*s", SLICE_PRINT(slice_skip(bound, any6.size)));
    return bound;
}

static NetworkMode default_network(const Settings *settings)
{
    if (settings->network != NETWORK_DEFAULT)
        return settings->network;
    return address_reach(settings->listen) == ADDRESS_LOOPBACK ? NETWORK_HOST : NETWORK_ISOLATED;
}

/* Where runtimes are looked for: where they were told to be, or where `brume runtime install` puts them. */
static void find_runtimes(Server *server)
{
    static_assert((int)RUNTIME_DIRECTORIES_MAX <= (int)RUNTIMES_MAX, "the default ones have place");
    Settings *settings = &server->settings;
    if (settings->runtimes_count == 0)
        settings->runtimes_count = runtime_directories_default(&server->arena, settings->runtimes);
    pthread_mutex_init(&server->catalog_memory.lock, NULL);
}

static void open_events(Server *server)
{
    server->events = event_runner_open(&(EventRunnerOptions){
        .os = server->os,
        .store = server->store,
        .invoker = runtime_invoker(server->runtime),
        .mailbox = loop_mailbox(server->loops[0]),
        .dialect = &lambda_event_dialect,
        .limits = &server->settings.limits,
        .account_limits = server->account_limits,
        .log = &server->log,
    });
}

bool server_runtime_open(Server *server, Slice *message)
{
    const Settings *settings = &server->settings;
    if (!open_function_log(server, message))
        return false;
    server_forwarder_open(server);
    if (server->spawner == NULL)
        return true;
    find_runtimes(server);
    Slice address = reachable_address(server);
    server->reachable[0] = address;
    for (size_t i = 0; i < settings->reachable_count; i++)
        server->reachable[i + 1] = settings->reachable[i];
    RuntimeOptions options = {
        .loop = server->loops[0],
        .spawner = server->spawner,
        .catalog = {settings->mappings, settings->mapping_count, settings->runtimes, settings->runtimes_count,
                    &server->catalog_memory},
        .store = server->store,
        .limits = &settings->limits,
        .endpoint =
            arena_format(&server->arena, "%s://%.*s", server->tls != NULL ? "https" : "http", SLICE_PRINT(address)),
        .network = default_network(settings),
        .reachable = server->reachable,
        .reachable_count = settings->reachable_count + 1,
        .any_role = settings->auth == AUTH_OPEN,
        .log = server_logs_open(server),
        .server_log = &server->log,
    };
    if (runtime_open(&options, &server->runtime) != OK) {
        *message =
            SLICE("functions cannot run: the process that starts them cannot be watched; raise the limit of open "
                  "files (ulimit -n)");
        return false;
    }
    static const PollerDialect dialect = {.add_message = sqs_add_event_record};
    const PollersOptions pollers = {
        .store = server->store,
        .invoker = runtime_invoker(server->runtime),
        .mailbox = loop_mailbox(server->loops[0]),
        .pool = server->pool,
        .os = server->os,
        .limits = server->account_limits,
        .dialect = &dialect,
        .log = &server->log,
    };
    server->pollers = pollers_open(&pollers);
    server->provisioner =
        provisioner_open(server->store, runtime_invoker(server->runtime), loop_mailbox(server->loops[0]), &server->log);
    server->warmer =
        warmer_open(server->store, runtime_invoker(server->runtime), loop_mailbox(server->loops[0]), &server->log);
    open_events(server);
    return true;
}

Invoker *server_invoker(const Server *server)
{
    return server->runtime == NULL ? NULL : runtime_invoker(server->runtime);
}

void server_runtime_close(Server *server)
{
    if (server->pollers != NULL)
        pollers_close(server->pollers);
    if (server->provisioner != NULL)
        provisioner_close(server->provisioner);
    if (server->warmer != NULL)
        warmer_close(server->warmer);
    if (server->runtime != NULL)
        runtime_close(server->runtime);
    else if (server->spawner != NULL)
        spawner_close(server->spawner);
    if (server->events != NULL) /* what the runtime still had it has no more */
        event_runner_close(server->events);
    server_logs_close(server);
    if (server->function_log >= 0)
        close(server->function_log);
}

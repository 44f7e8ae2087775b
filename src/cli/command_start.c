#include "cli/log_file.h"
#include "cli/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A server in trouble must not drown in telling of it. */
enum { LOG_LINES_PER_SECOND = 1000 };

static uint64_t wall_us(void *os)
{
    return os_wall_us(os);
}

static bool open_log(Server *server, Slice *message)
{
    const Settings *settings = &server->settings;
    server->log = (Log){
        .file = STDERR_FILENO,
        .format = settings->log_format,
        .level = settings->log_level,
        .lines_per_second = LOG_LINES_PER_SECOND,
        .wall_us = wall_us,
        .clock = server->os,
    };
    if (settings->log_file == NULL)
        return true;
    server->log.file = log_file_open(settings->log_file);
    if (server->log.file < 0)
        *message = arena_format(&server->arena, "cannot write the log %s: %s; choose another with --log-file",
                                settings->log_file, strerror(errno));
    return server->log.file >= 0;
}

static int run_start(const CommandLine *invocation)
{
    Slice message = {0};
    Server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return command_fail("there is no memory left");
    server->os = os_linux();
    bool opened = settings_read(invocation, server->os, &server->settings, &message) && open_log(server, &message) &&
                  server_open(server, &message);
    int code = opened ? EXIT_OK : command_fail("%.*s", SLICE_PRINT(message));
    if (opened)
        server_run(server);
    arena_free(&server->arena);
    free(server);
    return code;
}

static void print_limits(void)
{
    printf("\nLimits, for --limit NAME=VALUE:\n");
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        printf("  %-24s %10llu %-11s %s\n", limit_rows[i].name, (unsigned long long)limit_rows[i].value,
               limit_rows[i].unit, limit_rows[i].source);
}

const Command command_start = {
    .name = "start",
    .words = "",
    .summary = "Starts a server.",
    .details = "It prints one line when it is ready, and stops on SIGTERM or Ctrl-C: it takes no more connections, "
               "finishes what it was asked, and writes what is due; a second signal ends it at once. Nothing "
               "acknowledged is ever lost. SIGHUP opens the log file anew.\n"
               "BRUME_ACCESS_KEY_ID and BRUME_SECRET_ACCESS_KEY, when set, are a key of account 000000000000.",
    .options = start_options,
    .run = run_start,
    .print_more = print_limits,
};

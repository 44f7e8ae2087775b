#include "cli/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A server in trouble must not drown in telling of it. */
enum { LOG_LINES_PER_SECOND = 1000 };

static uint64_t wall_us(void *os)
{
    return os_wall_us(os);
}

static int run_start(const Invocation *invocation)
{
    Slice message = {0};
    Server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return command_fail("there is no memory left");
    server->os = os_linux();
    bool opened = false;
    if (settings_read(invocation, server->os, &server->settings, &message)) {
        server->log = (Log){
            .file = STDERR_FILENO,
            .format = server->settings.log_format,
            .level = server->settings.log_level,
            .lines_per_second = LOG_LINES_PER_SECOND,
            .wall_us = wall_us,
            .clock = server->os,
        };
        opened = server_open(server, &message);
    }
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
               "acknowledged is ever lost.\n"
               "BRUME_ACCESS_KEY_ID and BRUME_SECRET_ACCESS_KEY, when set, are a key of account 000000000000.",
    .options = start_options,
    .run = run_start,
    .print_more = print_limits,
};

#include "cli/server.h"

#include <stdio.h>
#include <stdlib.h>

static int run_start(const Invocation *invocation)
{
    Slice message = {0};
    Server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return command_fail("there is no memory left");
    server->os = os_linux();
    bool opened = false;
    if (settings_read(invocation, server->os, &server->settings, &message)) {
        server->log = (Log){server->os, server->settings.log_format, server->settings.log_level};
        opened = server_open(server, &message);
    }
    int code = opened ? EXIT_OK : command_fail("%.*s", SLICE_PRINT(message));
    if (opened)
        server_run(server);
    arena_free(&server->arena);
    free(server);
    return code;
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
};

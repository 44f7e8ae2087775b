/* How a keeper comes to be, seen from both sides: this program is executed anew, so that neither the memory nor the files
 * nor the environment of the server are in what workers are forked from, whenever that is. */
#include "runtime/spawner_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define KEEPER_COMMAND "keep-functions" /* no command of users': in no list of them */

enum { SOCKET_FILE = 3, EXIT_MISUSED = 2 };

/* ---- The server ---- */

/* Signals and session as of a program that nobody is behind: interrupts of a terminal are for the server, whose end is the
 * keeper's. Of the environment only what the program may need to be loaded; the rest may be secret. */
static pid_t execute(int socket)
{
    static const char library_path[] = "LD_LIBRARY_PATH";
    char libraries[PATH_MAX + sizeof library_path];
    char *words[] = {"brume", KEEPER_COMMAND, NULL};
    char *variables[] = {NULL, NULL};
    const char *path = getenv(library_path);
    if (path != NULL && strlen(path) < PATH_MAX) {
        snprintf(libraries, sizeof libraries, "%s=%s", library_path, path);
        variables[0] = libraries;
    }
    pid_t process = -1;
    sigset_t none;
    sigset_t all;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawnattr_init(&attributes) != 0)
        return -1;
    if (posix_spawn_file_actions_init(&actions) == 0) {
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
        if (posix_spawn_file_actions_adddup2(&actions, socket, SOCKET_FILE) != 0 ||
            posix_spawn_file_actions_addclosefrom_np(&actions, SOCKET_FILE + 1) != 0 ||
            posix_spawn(&process, "/proc/self/exe", &actions, &attributes, words, variables) != 0)
            process = -1;
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return process;
}

static bool send_options(int socket, const KeeperOptions *options)
{
    WireMessage *message = malloc(sizeof *message);
    if (message == NULL)
        return false;
    wire_begin(message, WIRE_OPTIONS, 0);
    message->head.isolation = (uint32_t)options->isolation;
    message->head.prestart = options->prestart;
    wire_add_string(message, slice_of_string(options->data_directory));
    wire_add_string(message, slice_of_string(options->runtime_directory));
    bool sent = wire_send(socket, message) == 0;
    free(message);
    return sent;
}

void keeper_end(pid_t keeper)
{
    kill(keeper, SIGKILL);
    while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
        continue;
}

pid_t keeper_launch(const KeeperOptions *options, int *socket)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    pid_t process = execute(pair[1]);
    close(pair[1]);
    if (process > 0 && send_options(pair[0], options)) {
        *socket = pair[0];
        return process;
    }
    close(pair[0]);
    if (process > 0)
        keeper_end(process);
    return -1;
}

/* ---- The keeper ---- */

static bool receive_options(KeeperOptions *options)
{
    static WireMessage message;
    int got = wire_receive(SOCKET_FILE, &message);
    if (got == 0)
        _exit(0); /* the server has ended meanwhile */
    if (got < 0 || message.head.kind != WIRE_OPTIONS)
        return false;
    Slice data = wire_next_string(&message);
    Slice runtime = wire_next_string(&message);
    options->isolation = (Isolation)message.head.isolation;
    options->prestart = message.head.prestart;
    snprintf(options->data_directory, PATH_MAX, "%.*s", SLICE_PRINT(data));
    snprintf(options->runtime_directory, PATH_MAX, "%.*s", SLICE_PRINT(runtime));
    return true;
}

void spawner_keep_if_asked(int count, char **words, int (*api_main)(int events, int answers, char *const *command))
{
    static KeeperOptions options; /* too large for a stack; the spawner has a copy */
    if (count != 2 || strcmp(words[1], KEEPER_COMMAND) != 0)
        return;
    if (!receive_options(&options)) {
        fprintf(stderr, "brume: '%s' is what a server starts for itself: type `brume start`\n", KEEPER_COMMAND);
        _exit(EXIT_MISUSED);
    }
    options.api_main = api_main;
    fcntl(SOCKET_FILE, F_SETFD, FD_CLOEXEC);
    clearenv();
    prctl(PR_SET_NAME, "brume");
    keeper_main(&options, SOCKET_FILE);
}

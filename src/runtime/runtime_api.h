/* runtime_api.h: the HTTP Runtime API of custom runtimes and of extensions, spoken inside their worker.
 *
 * The first process of a custom runtime's sandbox, and of one with extensions, is Brume's own: forked, not executed, when
 * the sandbox is complete. It starts the function's program, serves it the Runtime API (version 2018-06-01; AWS Lambda
 * developer guide, "Using the Lambda runtime API for custom runtimes") on a port of 127.0.0.1, translates between that and
 * the frames of the channel, and buries the processes that lose their parent. A bootstrap of Brume's own speaks frames
 * itself: it has a channel to this process, which passes them on. Where the function's layers bring extensions, they are
 * processes beside the program, and are served the Extensions API on the same port ("Using the Lambda Extensions API").
 * One thread; it never returns to the spawner's code.
 *
 * In a network that is shared with the host, other processes can reach the port: a connection is served only when its
 * other end is held by a process that this one can see, which in a sandbox are those of the function. */
#ifndef BRUME_RUNTIME_RUNTIME_API_H
#define BRUME_RUNTIME_RUNTIME_API_H

/* Serves until the program ends or the channel closes, and gives the status that the worker exits with: the program's
 * own; 128 + N after signal N (told exactly by FRAME_EXIT, and raised again where the kernel lets the first process of a
 * namespace die of it); 1 when no program could be started, which FRAME_INIT_ERROR has told. `events` and `answers` are
 * the channel's stream sockets; FRAME_INIT is the first to come. `command`: the bootstrap that speaks frames, its words and
 * NULL; or NULL: the function's own `bootstrap` is looked for.
 * Wanted of the sandbox: /proc, and system calls to fork, execute, and listen on the loopback, which must be up. Leaves
 * no file but 0, 1 and 2 to the program, and to a bootstrap its channel. */
int runtime_api_main(int events, int answers, char *const *command);

typedef struct RuntimeApiOptions {
    int events;
    int answers;
    const char *task_directory;  /* "/var/task": where `bootstrap` is looked for first; its working directory */
    const char *layer_directory; /* "/opt": where it is looked for then, and where `extensions` is */
    char *const *command;        /* as above */
} RuntimeApiOptions;

/* The same in other places than a sandbox's. */
int runtime_api_serve(const RuntimeApiOptions *options);

#endif

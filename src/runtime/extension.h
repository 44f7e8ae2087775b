/* extension.h: the extensions of a function, as the Runtime API's process knows them.
 *
 * External ones are the executables in /opt/extensions, processes beside the function's program; internal ones are parts
 * of that program. Both register in the init phase, and then ask for one event after another; the worker takes its next
 * event when all have asked (AWS Lambda developer guide, "Using the Lambda Extensions API to create extensions"). Belongs
 * to the one thread of the process; its Api owns it. */
#ifndef BRUME_RUNTIME_EXTENSION_H
#define BRUME_RUNTIME_EXTENSION_H

#include "base/buffer.h"
#include "runtime/log_capture.h"

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    EXTENSIONS_MAX = 10, /* "Extensions API reference": registered for a function */
    EXTENSION_NAME_BYTES = 256,
    EXTENSION_ID_BYTES = 37,
    EXTENSION_PIPES = EXTENSIONS_MAX + 2,
};

typedef struct Api Api;
typedef struct ApiConnection ApiConnection;

/* Bytes that are added at the end and taken at the front. */
typedef struct ApiBytes {
    char *data;
    size_t taken;
    size_t size; /* taken ones included */
    size_t capacity;
} ApiBytes;

typedef enum ExtensionState {
    EXTENSION_STARTED,    /* an external one, which has not registered */
    EXTENSION_REGISTERED, /* has not asked for an event, or is at work with the last one */
    EXTENSION_WAITING,    /* has asked for the next one */
    EXTENSION_FAILED,     /* has said so */
} ExtensionState;

typedef struct Extension {
    char name[EXTENSION_NAME_BYTES];
    char id[EXTENSION_ID_BYTES]; /* a UUID */
    bool is_external;
    pid_t process; /* 0: it has ended, or is an internal one */
    ExtensionState state;
    bool takes_invoke;
    bool takes_shutdown;
    ApiConnection *connection; /* on which it waits */
    ApiBytes event;            /* an answer for when it asks next; empty: there is none */
    LogPipe output;
} Extension;

typedef struct Extensions {
    Extension all[EXTENSIONS_MAX];
    size_t count;
    /* What the program writes, when there are extensions. */
    LogPipe program_output;
    LogPipe program_errors;
} Extensions;

/* ---- extension.c ---- */

/* The names of the executables in a folder, in order; at most `max` of them, but all are counted. A folder that is not
 * there has none. */
size_t extension_list(const char *folder, char (*names)[EXTENSION_NAME_BYTES], size_t max);

/* Starts those of the layers. False: the worker has failed, and the server was told. */
bool extensions_start(Api *api);
/* Whether all external ones have registered; whether all wait for an event. */
bool extensions_have_registered(const Api *api);
bool extensions_wait(const Api *api);
size_t extensions_external(const Api *api);
/* A process has ended; false: it is none of theirs. */
bool extensions_ended(Api *api, pid_t process, int status);
/* Tells those that take it of an event. */
void extensions_tell_event(Api *api, Slice id, Slice deadline_ms, Slice function_arn, Slice trace);
/* Tells those that take it of the shutdown phase, and all others by a signal. */
void extensions_tell_end(Api *api, const char *reason, uint64_t deadline_ms);
/* Gives an extension its event, if it has one and has asked. */
void extension_serve(Extension *extension);
/* Whoever is left is killed. */
void extensions_kill(Api *api);
void extensions_close(Api *api);
/* A new UUID. */
void extension_make_id(char id[EXTENSION_ID_BYTES]);
/* A line in the function's log: of its name, its state and its events. */
void extension_log(Api *api, const Extension *extension, const char *state, Slice error_type);

/* ---- extension_calls.c ---- */

/* Whether the request is for the Extensions API: its call is set then, or it is refused. */
bool extension_route(ApiConnection *connection, Slice path);
void extension_perform(ApiConnection *connection);

/* ---- extension_output.c ---- */

/* A pipe whose lines are read: its writing end, for the caller to close; -1 with errno. */
int extension_pipe_open(LogPipe *pipe);
void extension_pipe_close(LogPipe *pipe);
/* Fills in what to wait for: at most EXTENSION_PIPES of them. */
nfds_t extension_pipes_poll(const Api *api, struct pollfd *polled);
/* Reads what has been written. */
void extension_pipes_read(Api *api);

#endif

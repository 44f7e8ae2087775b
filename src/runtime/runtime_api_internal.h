/* runtime_api_internal.h: what the files of the Runtime API's server share.
 *
 *   runtime_api.c          the loop: the channel, the port, the processes
 *   runtime_api_calls.c    what each request means in each state, and what it is answered
 *   runtime_api_http.c     connections: requests taken apart, answers written
 *   runtime_api_stream.c   answers in pieces
 *   runtime_api_program.c  the function's program: found, given its environment, started
 *   runtime_api_bootstrap.c  the frames of a bootstrap of Brume's own, which are passed on
 *   runtime_api_ending.c   the shutdown phase
 *   extension.c            the function's extensions: started, told of events, waited for
 *   extension_calls.c      what they ask
 *   telemetry.c            what is told of to those that subscribe; with telemetry_*.c
 *   extension_output.c     what they and the program write to stdout and stderr
 *   runtime_api_guard.c    who is at the other end of a connection */
#ifndef BRUME_RUNTIME_RUNTIME_API_INTERNAL_H
#define BRUME_RUNTIME_RUNTIME_API_INTERNAL_H

#include "base/buffer.h"
#include "base/error.h"
#include "runtime/channel.h"
#include "runtime/extension.h"
#include "runtime/runtime_api.h"
#include "runtime/telemetry.h"

#include <llhttp.h>
#include <sys/types.h>

enum {
    API_CONNECTIONS = 64,                      /* at a time; a runtime has one, or one a thread */
    API_PAYLOAD_BYTES = 6 * 1024 * 1024 + 100, /* of an event or a whole answer (Lambda quotas: invocation payload) */
    API_INIT_BYTES = 1024 * 1024,              /* of FRAME_INIT: the environment, 4 KiB of which are the function's */
    API_HEAD_BYTES = 2 * 1024 * 1024, /* of a request: runtimes send up to 1 MiB of X-Ray's causes of an error */
    API_TARGET_BYTES = 512,
    API_FIELD_BYTES = 512,           /* of a header field that matters */
    API_TRAILER_BYTES = 1024 * 1024, /* of the error that broke a stream, in base64 */
    API_PRELUDE_BYTES = 256 * 1024,  /* of status, headers and cookies before a streamed answer's body */
    API_READ_BYTES = 256 * 1024,
    API_BACKLOG_BYTES = 1024 * 1024, /* not yet taken by the server, past which no body is read */
    API_ID_BYTES = 64,
};

static inline Slice api_bytes_left(const ApiBytes *bytes)
{
    return slice_make(bytes->data == NULL ? "" : bytes->data + bytes->taken, bytes->size - bytes->taken);
}

/* Room for `extra` more; the caller writes them and adds to `size`. */
char *api_bytes_reserve(ApiBytes *bytes, size_t extra);
void api_bytes_add(ApiBytes *bytes, Slice slice);
/* The first `count` are done with. Memory is kept for the next when it is little. */
void api_bytes_take(ApiBytes *bytes, size_t count);
void api_bytes_free(ApiBytes *bytes);

/* What the program has done, seen from the server. */
typedef enum ApiState {
    API_STARTED,     /* has not asked for an event yet */
    API_READY,       /* has asked for the next one */
    API_RUNNING,     /* has it */
    API_STREAMING,   /* answers it in pieces */
    API_ANSWERED,    /* has answered it */
    API_INIT_FAILED, /* has said that it cannot start */
    API_STATES,
    API_NEVER = API_STATES,
} ApiState;

/* How far the worker is. */
typedef enum ApiPhase {
    API_PHASE_NEW,        /* FRAME_INIT has not come */
    API_PHASE_EXTENSIONS, /* external extensions have been started, and register */
    API_PHASE_RUNTIME,    /* then the program is */
    API_PHASE_SERVING,    /* all of them wait for events */
    API_PHASE_ENDING,     /* all of them are told to go */
} ApiPhase;

/* Why they are ("Shutdown phase" of the developer guide's page on extensions). */
typedef enum ApiReason { API_REASON_SPINDOWN, API_REASON_TIMEOUT, API_REASON_FAILURE } ApiReason;

/* Where in the shutdown phase it is. */
typedef enum ApiEnding { API_ENDING_PROGRAM, API_ENDING_TELEMETRY, API_ENDING_EXTENSIONS, API_ENDING_OVER } ApiEnding;

/* What can be asked. */
typedef enum ApiCall {
    API_CALL_NEXT,
    API_CALL_RESPONSE,
    API_CALL_ERROR,
    API_CALL_INIT_ERROR,
    API_RUNTIME_CALLS,
    /* Of extensions. */
    API_CALL_REGISTER = API_RUNTIME_CALLS,
    API_CALL_EXTENSION_NEXT,
    API_CALL_EXTENSION_INIT_ERROR,
    API_CALL_EXTENSION_EXIT_ERROR,
    API_CALL_TELEMETRY,
    API_CALL_LOGS,
    API_CALLS,
    API_CALL_REFUSED = API_CALLS, /* none of these; how it is answered stands in the request */
} ApiCall;

/* The header fields, and trailers, that matter. */
typedef enum ApiField {
    API_FIELD_MODE,
    API_FIELD_CONTENT_TYPE,
    API_FIELD_ERROR_TYPE,
    API_FIELD_ERROR_BODY,
    API_FIELD_EXPECT,
    API_FIELD_EXTENSION_NAME,
    API_FIELD_EXTENSION_ID,
    API_FIELD_EXTENSION_FEATURE,
    API_FIELD_EXTENSION_ERROR,
    API_FIELDS,
    API_FIELD_OTHER = API_FIELDS,
} ApiField;

/* How a request is answered. */
typedef struct ApiAnswer {
    int status;
    const char *error_type; /* NULL: {"status":"OK"} */
    Slice message;
} ApiAnswer;

typedef struct ApiConnection {
    Api *api;
    int file; /* -1: there is none */
    llhttp_t parser;
    ApiBytes input;       /* has come and is not taken apart */
    ApiBytes output;      /* an answer, not sent yet */
    bool waits;           /* for the next event */
    Extension *extension; /* which waits; NULL: the program does */
    bool last;            /* closes when its answer is sent */
    /* The request that comes. */
    bool has_begun;
    bool complete;
    bool has_head;
    size_t head_bytes;
    char target[API_TARGET_BYTES];
    size_t target_size;
    char name[API_FIELD_BYTES];
    size_t name_size;
    bool in_value;
    ApiField field;
    ApiBytes fields[API_FIELDS];
    ApiCall call;
    ApiAnswer answer;  /* of a refused one */
    char message[192]; /* the text of it, where it has to be written */
    bool streams;      /* its body goes on as it comes */
    bool too_large;
    ApiBytes body; /* of others; of a stream: its prelude so far */
    bool in_prelude;
} ApiConnection;

/* Of the function, from FRAME_INIT. */
typedef struct ApiFunction {
    Slice init;       /* the frame's content */
    char **variables; /* "NAME=value", then NULL: of the program */
    Slice name;
    Slice version;
    Slice handler;
    Slice account;
    Slice runtime;
    uint64_t memory_mb;
    bool logs_json;
} ApiFunction;

struct Api {
    RuntimeApiOptions options;
    Arena arena; /* of what lives as long as the worker */
    ApiPhase phase;
    ApiFunction function;
    Extensions extensions;
    Telemetry telemetry;
    bool is_runtime_told; /* that it is ready */
    /* The shutdown phase, and when its steps end, on the monotonic clock. */
    ApiEnding ending;
    ApiReason reason;
    int64_t program_by_ms;
    int64_t telemetry_by_ms;
    int64_t extensions_by_ms;
    bool is_over;
    int listener;
    int signals; /* a signalfd: a process has ended */
    int port;
    pid_t program; /* 0: none runs */
    int status;    /* of it, as wait(2) gives it */
    bool has_ended;
    bool is_lost; /* the channel is closed, or speaks nonsense */
    ApiState state;
    char id[API_ID_BYTES]; /* of the event that is, or was last, at work; empty: none was */
    size_t id_size;
    bool at_work;         /* somebody is not done with it */
    bool is_streamed;     /* its caller takes pieces */
    uint32_t taken_count; /* events that the program has been given */
    bool has_event;       /* `event` is it, as the answer to who asks next */
    ApiBytes event;
    ApiBytes input;  /* from the server */
    ApiBytes output; /* to it */
    /* Of a bootstrap of Brume's own. */
    int bootstrap;           /* -1: there is none */
    int64_t bootstrap_by_ms; /* it has closed its channel, and must have ended by then; 0: it has not */
    ApiBytes bootstrap_input;
    ApiBytes bootstrap_output;
    bool has_sent_event; /* its event lies in bootstrap_output */
    ApiConnection connections[API_CONNECTIONS];
    char scratch[API_READ_BYTES];
};

/* ---- runtime_api.c ---- */

enum {
    API_FRAME_BYTES = API_PAYLOAD_BYTES + API_INIT_BYTES, /* of a frame */
};

/* Adds a frame to what is sent to the server. */
void api_frame(Api *api, FrameKind kind, Slice content);
/* The same to other bytes. */
void api_frame_add(ApiBytes *out, FrameKind kind, Slice content);
/* Takes the first frame of `input` that is whole: 1; 0: there is none; -1: it is too large. `content` lives until the
 * caller takes the bytes: CHANNEL_HEADER_SIZE and its size. */
int api_frame_next(const ApiBytes *input, FrameKind *kind, Slice *content);
/* How many bytes the frame that `input` begins with lacks, or what is read at once. */
size_t api_frame_lacks(const ApiBytes *input);
/* Does what has become possible: each phase begins when everybody has done with the one before. */
void api_advance(Api *api);
int64_t api_now_ms(void);
uint64_t api_wall_ms(void);
/* The worker cannot go on, by a fault of what stands beside the program: the server is told, and the shutdown phase
 * begins. */
void api_fault(Api *api, const char *type, Slice message);

/* ---- runtime_api_calls.c ---- */

/* Which call a request is; of one that can be refused before its body has come, API_CALL_REFUSED with the answer. */
void api_route(ApiConnection *connection);
void api_refuse(ApiConnection *connection, int status, const char *type, Slice message);
/* A whole request has come: acts on it, and answers unless it waits. */
void api_perform(ApiConnection *connection);
/* An event has come from the server: FRAME_INVOKE's content. False: it is malformed. */
bool api_take_event(Api *api, Slice content);
/* The program has answered the event that was given last. */
bool api_has_answered(const Api *api);
/* Gives the event to a connection that waits for it. */
void api_offer_event(Api *api);
/* The document of an error: as it came when it is JSON, else made of its type, as AWS does (the OpenAPI description of
 * the Runtime API, "A note on error reporting"). In the arena. */
Slice api_error_document(Arena *arena, Slice document, Slice type);
Slice api_error_text(Arena *arena, const char *type, Slice message);

/* ---- runtime_api_stream.c ---- */

/* Whether an answer is of the form that function URLs take apart: JSON, eight NUL bytes, the body. */
bool api_has_prelude(const ApiConnection *connection);
void api_report_trailers(ApiConnection *connection, FrameKind kind);
void api_stream_begin(ApiConnection *connection);
void api_stream_piece(ApiConnection *connection, Slice piece);
void api_stream_end(ApiConnection *connection);
/* The program left before the end. */
void api_stream_break(ApiConnection *connection);

/* ---- runtime_api_http.c ---- */

void api_connection_open(Api *api, ApiConnection *connection, int file);
void api_connection_close(ApiConnection *connection);
/* Whether more of a request may be read now. */
bool api_connection_reads(const ApiConnection *connection);
/* Whether there is something to be sent, or something that was sent ahead to be worked through. */
bool api_connection_writes(const ApiConnection *connection);
/* Reads once, and acts on what has come; false: nothing had come. */
bool api_connection_read(ApiConnection *connection);
/* Sends what it can, then goes on with what had been sent ahead. */
void api_connection_write(ApiConnection *connection);
void api_respond(ApiConnection *connection, ApiAnswer answer);
/* Answers with a document; `fields` as below. */
void api_respond_with(ApiConnection *connection, int status, Slice fields, Slice body);
/* Gives an event, which is an answer already, to who waits for it. */
void api_give_event(ApiConnection *connection, ApiBytes *event);
/* Head of an answer with a body of `size` bytes, which is to follow; `fields` end in CR LF each, or are empty. */
void api_write_head(ApiBytes *out, int status, Slice fields, size_t size);
Slice api_field(const ApiConnection *connection, ApiField field);

/* ---- runtime_api_program.c ---- */

/* Reads FRAME_INIT's content. ERROR_MALFORMED: it is none. */
Error api_program_read(Api *api, Slice init);
/* Starts the function's program. ERROR_NOT_FOUND: none could be, which `message` tells in AWS's words. */
Error api_program_start(Api *api, Slice *message);

/* A process to be started: in a group of its own, with no signal blocked and each as usual. */
typedef struct ApiProgram {
    char *const *words; /* the first is its path */
    char *const *variables;
    const char *directory;
    int channel; /* its file 3; -1: it has none */
    int output;  /* its stdout; -1: this process's own */
    int errors;
} ApiProgram;
/* 0, or an errno. */
int api_spawn(const ApiProgram *program, pid_t *process);
/* "fork/exec PATH: permission denied". */
Slice api_spawn_failure(Arena *arena, const char *path, int failure);

/* ---- runtime_api_bootstrap.c: a program that speaks frames itself, over a channel of its own ---- */

/* The program's end of its channel, for the caller to close; -1 with errno. */
int api_bootstrap_open(Api *api);
/* Sends FRAME_INIT, with the address of the API among its environment. */
void api_bootstrap_init(Api *api);
/* Passes an event on: FRAME_INVOKE's content. */
void api_bootstrap_event(Api *api, Slice content);
bool api_bootstrap_reads(const Api *api);
bool api_bootstrap_writes(const Api *api);
/* Reads once, and passes on what has come; false: nothing had come. */
bool api_bootstrap_read(Api *api);
void api_bootstrap_write(Api *api);
void api_bootstrap_close(Api *api);

/* ---- runtime_api_ending.c ---- */

/* Begins the shutdown phase, unless it has begun. */
void api_end(Api *api, ApiReason reason);
/* Goes on with it, as far as can be now. */
void api_ending_advance(Api *api);
/* When it goes on by itself; INT64_MAX: it does not. */
int64_t api_ending_deadline(const Api *api);

/* ---- runtime_api_guard.c ---- */

/* Whether the other end of an accepted connection is held by a process that this one sees in /proc. */
bool api_guard_admits(int file);

#endif

/* runtime_api_internal.h: what the files of the Runtime API's server share.
 *
 *   runtime_api.c          the loop: the channel, the port, the processes
 *   runtime_api_calls.c    what each request means in each state, and what it is answered
 *   runtime_api_http.c     connections: requests taken apart, answers written
 *   runtime_api_stream.c   answers in pieces
 *   runtime_api_program.c  the function's program: found, given its environment, started
 *   runtime_api_guard.c    who is at the other end of a connection */
#ifndef BRUME_RUNTIME_RUNTIME_API_INTERNAL_H
#define BRUME_RUNTIME_RUNTIME_API_INTERNAL_H

#include "base/buffer.h"
#include "base/error.h"
#include "runtime/channel.h"
#include "runtime/runtime_api.h"

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

/* Bytes that are added at the end and taken at the front. */
typedef struct ApiBytes {
    char *data;
    size_t taken;
    size_t size; /* taken ones included */
    size_t capacity;
} ApiBytes;

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

/* What can be asked. */
typedef enum ApiCall {
    API_CALL_NEXT,
    API_CALL_RESPONSE,
    API_CALL_ERROR,
    API_CALL_INIT_ERROR,
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
    API_FIELDS,
    API_FIELD_OTHER = API_FIELDS,
} ApiField;

/* How a request is answered. */
typedef struct ApiAnswer {
    int status;
    const char *error_type; /* NULL: {"status":"OK"} */
    Slice message;
} ApiAnswer;

typedef struct Api Api;

typedef struct ApiConnection {
    Api *api;
    int file; /* -1: there is none */
    llhttp_t parser;
    ApiBytes input;  /* has come and is not taken apart */
    ApiBytes output; /* an answer, not sent yet */
    bool waits;      /* for the next event */
    bool last;       /* closes when its answer is sent */
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

struct Api {
    RuntimeApiOptions options;
    Arena arena; /* of what lives as long as the worker */
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
    bool is_streamed;     /* its caller takes pieces */
    uint32_t taken_count; /* events that the program has been given */
    bool has_event;       /* `event` is it, as the answer to who asks next */
    ApiBytes event;
    ApiBytes input;  /* from the server */
    ApiBytes output; /* to it */
    ApiConnection connections[API_CONNECTIONS];
    char scratch[API_READ_BYTES];
};

/* ---- runtime_api.c ---- */

/* Adds a frame to what is sent to the server. */
void api_frame(Api *api, FrameKind kind, Slice content);

/* ---- runtime_api_calls.c ---- */

/* Which call a request is; of one that can be refused before its body has come, API_CALL_REFUSED with the answer. */
void api_route(ApiConnection *connection);
/* A whole request has come: acts on it, and answers unless it waits. */
void api_perform(ApiConnection *connection);
/* An event has come from the server: FRAME_INVOKE's content. False: it is malformed. */
bool api_take_event(Api *api, Slice content);
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
/* Gives the event, which is an answer already, to who waits for it. */
void api_give_event(ApiConnection *connection);
/* Head of an answer with a body of `size` bytes, which is to follow; `fields` end in CR LF each, or are empty. */
void api_write_head(ApiBytes *out, int status, Slice fields, size_t size);
Slice api_field(const ApiConnection *connection, ApiField field);

/* ---- runtime_api_program.c ---- */

/* Starts the function's program with the environment of FRAME_INIT's content. ERROR_MALFORMED: it is none;
 * ERROR_NOT_FOUND: no program could be started, which `message` tells in AWS's words. */
Error api_program_start(Api *api, Slice init, Slice *message);

/* ---- runtime_api_guard.c ---- */

/* Whether the other end of an accepted connection is held by a process that this one sees in /proc. */
bool api_guard_admits(int file);

#endif

/* channel.h: the frames between the server and what runs in a worker, over two stream sockets, one for each direction: in a
 * worker events are read from file 3 and answers are written to file 4. Whoever closes either has closed the channel.
 *
 * With one socket for both, the kernel would wake a worker that sleeps in a read of its next event as soon as the server
 * has read its last answer (there is room to write again), for nothing.
 *
 * A frame is a byte of its kind, three of zero, its length as 32 bits in little-endian order, then that many bytes. One
 * event at a time: after FRAME_INVOKE the server sends nothing until the worker has answered it. Whatever else a worker
 * sends is a lie, and ends it. Bootstraps (runtimes/), the Runtime API's shim and the server share this page; all JSON is
 * UTF-8. */
#ifndef BRUME_RUNTIME_CHANNEL_H
#define BRUME_RUNTIME_CHANNEL_H

#include "base/error.h"
#include "base/slice.h"

#include <sys/uio.h>

enum {
    CHANNEL_EVENTS_FILE = 3, /* of a worker */
    CHANNEL_ANSWERS_FILE = 4,
    CHANNEL_HEADER_SIZE = 8,           /* bytes before each frame's content */
    CHANNEL_PIECE_BYTES = 1024 * 1024, /* of a stream's piece, at most */
    SHUTDOWN_MS = 2000,                /* Lambda developer guide, "Shutdown phase": with external extensions */
};

typedef enum FrameKind {
    /* ---- Server to worker ---- */
    /* First, and once. JSON: {"handler": "app.handler", "accountId": "…", "environment": {"NAME": "value", …} (all of it: the function's
     * own, AWS_*, LAMBDA_*, credentials, TZ), "snapStart": false, "logFormat": "Text"|"JSON", "logLevel": "INFO"|…}.
     * The worker sets its environment, loads the handler, and answers FRAME_READY or FRAME_INIT_ERROR. */
    FRAME_INIT = 1,
    /* An event: 32 bits of little-endian length, then that much JSON, then the payload as it came. The JSON:
     * {"requestId", "deadlineMs" (wall clock), "functionArn", "trace"?, "clientContext"?, "identity"?, "tenantId"?,
     * "streamed": bool}. Members with "?" are left out when there is none. */
    FRAME_INVOKE = 2,
    /* Of a worker with "snapStart": after FRAME_SNAPSHOT_READY, in each copy: JSON {"environment": {…} (what differs:
     * credentials, log stream)}: run the hooks that follow a restore, and answer FRAME_READY. */
    FRAME_RESTORE = 3,
    /* Of a worker that has extensions, at any time: its shutdown phase begins, for the reason that is its text ("spindown",
     * "timeout", "failure"). It ends by itself within SHUTDOWN_MS, and nothing more is read of it. */
    FRAME_SHUTDOWN = 4,

    /* ---- Worker to server ---- */
    /* Loaded: events may come. Of a worker that has extensions, with a byte as its content, and also behind each answer,
     * when the extensions are done with the event: it takes the next one from then on. */
    FRAME_READY = 16,
    /* The error's document: {"errorType", "errorMessage", "stackTrace": […], "requestId"?}. The worker ends. */
    FRAME_INIT_ERROR = 17,
    /* The answer, as it goes to the caller. */
    FRAME_RESPONSE = 18,
    /* The handler failed: its error's document, as it goes to the caller. The worker lives on. */
    FRAME_ERROR = 19,
    /* An answer in pieces begins. JSON: {"contentType"?, "prelude"? (an object: statusCode, headers, cookies)}. Also sent
     * when the invocation is not "streamed": the server gathers the pieces then. */
    FRAME_STREAM_START = 20,
    FRAME_STREAM_PIECE = 21, /* bytes, at most 1 MiB */
    FRAME_STREAM_END = 22,
    FRAME_STREAM_ERROR = 23, /* the error's document: the stream broke */
    /* One log event, which may have several lines: what a runtime formats itself (print, console, logging). Between
     * FRAME_INVOKE and its answer it is that request's. What comes over stdout and stderr is taken line by line. */
    FRAME_LOG = 24,
    /* Everything is loaded, and the hooks before a snapshot have run; the server takes copies from now on. */
    FRAME_SNAPSHOT_READY = 25,
    /* A handler's process goes on, but takes no more events (it asked to exit when idle); the worker is let go. */
    FRAME_GOODBYE = 26,
    /* Last, of a custom runtime: two numbers of 32 bits in little-endian order. How its program ended, as wait(2) gives it:
     * the first process of a namespace cannot die of a signal that it sends itself, so that its own exit cannot tell. And
     * how many events the program has taken: one more that it was sent is another worker's to run. */
    FRAME_EXIT = 27,
    /* An extension has failed, at any time after the init phase: the error's document, as FRAME_INIT_ERROR's. The worker
     * ends. */
    FRAME_FAULT = 28,
} FrameKind;

/* ---- The server's end of it: on one loop ---- */

/* What has come. Of a frame that is longer than the server takes, `content` is the beginning; the rest is dropped as it
 * comes, so that no worker can make the server hold more. A stream's pieces are given as they come: what is here of them,
 * in parts of frames or of several frames in one. */
typedef struct Frame {
    FrameKind kind;
    Slice content; /* until the next channel_next or channel_read */
    size_t size;   /* as sent */
} Frame;

typedef struct Channel {
    /* Non-blocking; the owner's. */
    int events;
    int answers;
    size_t limit; /* the most that is kept of a frame */
    /* What has come and has not been taken: [taken, filled) of the buffer. */
    char *buffer;
    size_t capacity;
    size_t taken;
    size_t filled;
    size_t skip;  /* bytes of a frame's rest to be dropped, when they are here */
    size_t piece; /* bytes of a piece that have not been given yet */
    /* What is being sent. */
    char header[CHANNEL_HEADER_SIZE + sizeof(uint32_t)];
    struct iovec parts[3];
    size_t part_count; /* 0: nothing is */
    size_t sent;       /* bytes of the frame */
} Channel;

/* `events` is written, `answers` is read. */
void channel_open(Channel *channel, int events, int answers, size_t limit);
/* Frees the buffer; the files are the owner's to close. */
void channel_close(Channel *channel);

/* Reads once. ERROR_WAIT: nothing has come; ERROR_GONE: the worker has closed its end of `answers`; ERROR_IO. */
Error channel_read(Channel *channel);
/* Takes the next frame. ERROR_WAIT: it has not come whole; ERROR_MALFORMED: no frame that a worker may send. */
Error channel_next(Channel *channel, Frame *frame);

/* Begins to send a frame of that content, which must live until it is sent; nothing may be under way. OK: it is sent;
 * ERROR_WAIT: call channel_flush when `events` can be written; ERROR_GONE: nobody reads them. */
Error channel_send(Channel *channel, FrameKind kind, Slice content);
/* The same of FRAME_INVOKE, with the length of its JSON between. */
Error channel_send_event(Channel *channel, Slice json, Slice payload);
Error channel_flush(Channel *channel);

#endif

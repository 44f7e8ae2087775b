/* http.h: a server of HTTP requests, whatever the version on the wire: HTTP/1.1, HTTP/1.0, or HTTP/2, where each stream is
 * a request and "the connection" of what follows is the stream.
 *
 * The server parses a request's head and calls the handler on the connection's loop. The handler asks for the body,
 * whole or as a stream, and answers once, whole or as a stream, now or later, always on that loop. The request and its
 * arena live from then until the answer is sent or the client is gone; `on_gone` tells a handler that still works on an
 * answer that nobody waits for it any more (it must still answer: the answer is dropped). Nothing here blocks.
 *
 * Smuggling is refused as RFC 9112 sections 6 and 11 and RFC 9113 section 8 ask; limits come from the limits table (NET_*). */
#ifndef BRUME_NET_HTTP_H
#define BRUME_NET_HTTP_H

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"
#include "net/loop.h"
#include "net/tls.h"

typedef struct HttpHeader {
    Slice name; /* lower case in requests */
    Slice value;
} HttpHeader;

typedef struct HttpRequest HttpRequest;
typedef struct HttpServer HttpServer;

struct HttpRequest {
    Arena *arena;
    Loop *loop;
    Slice method;
    Slice target; /* as sent; over HTTP/2 without scheme and host */
    Slice path;   /* the target's path, as sent (percent-encoding kept) */
    Slice query;  /* behind '?', as sent; empty when there is none */
    Slice host;
    const HttpHeader *headers; /* in the order sent; over HTTP/2, "host" is among them whichever way it came */
    size_t header_count;
    Slice peer; /* the client's address, "127.0.0.1:51234", or "unix" */
    bool over_tls;
    void *user;     /* the handler's */
    uint64_t *pace; /* the handler's, one for each connection and as long as it; 0 at first */
    /* The handler's; may stay NULL. Called once, also when the client has only ended its side of the connection: it may
     * have left or not, so stop waiting for things to come; what is answered then is still sent. */
    void (*on_gone)(HttpRequest *request);
};

typedef struct HttpHandler {
    /* The head is complete. Must lead to exactly one answer. */
    void (*on_request)(struct HttpHandler *handler, HttpRequest *request);
} HttpHandler;

/* The value of the first field of that lower-case name; absent (data NULL) when there is none. */
Slice http_request_header(const HttpRequest *request, Slice name);

/* ---- The request's body ---- */

/* Calls `ready` once with the whole body, which lives as long as the request, or with ERROR_TOO_LARGE past `limit`
 * (answer 413; the rest is not read and the connection is closed), ERROR_BUSY (all clients' bodies together pass
 * NET_BODIES_BYTES), ERROR_MALFORMED, ERROR_TIMEOUT or ERROR_GONE. May call it before it returns. Sends 100 Continue when the client waits for it. */
void http_request_read_body(HttpRequest *request, size_t limit,
                            void (*ready)(HttpRequest *request, Error error, Slice body));

/* The body in pieces as they come: `data` is valid during the call; its end is a call with `end` set; an error ends it.
 * While paused, the client is held back by TCP, or by the stream's window. */
void http_request_stream_body(HttpRequest *request,
                              void (*piece)(HttpRequest *request, Error error, Slice data, bool end));
void http_request_pause(HttpRequest *request);
void http_request_resume(HttpRequest *request);

/* ---- The answer ---- */

typedef struct HttpResponse {
    int status;
    const HttpHeader *headers; /* content-length, connection and date are added */
    size_t header_count;
    Slice body; /* must live as long as the request: its arena, or static */
} HttpResponse;

/* Answers. The request is gone after the call (its memory lives until the bytes are sent). */
void http_respond(HttpRequest *request, const HttpResponse *response);

/* Starts an answer in pieces (`body` is ignored): chunked, or, when `head` has a content-length, of that length, which
 * must be kept (ending early cuts the connection). `on_writable` is called when the client has read
 * enough that more may be written, or has left and on_gone has been called before or is not set. */
void http_respond_stream(HttpRequest *request, const HttpResponse *head, void (*on_writable)(HttpRequest *request));
/* Queues a copy of the piece; false when the writer should stop until `on_writable`. */
bool http_respond_write(HttpRequest *request, Slice piece);
/* Ends it well; the request is gone after the call. */
void http_respond_end(HttpRequest *request);
/* Ends it badly: the connection is cut, so that the client sees that the answer is not whole. */
void http_respond_abort(HttpRequest *request);

/* ---- The server ---- */

typedef struct HttpServerOptions {
    Loop **loops; /* connections are spread over them in turn */
    size_t loop_count;
    HttpHandler *handler;
    const Limits *limits;
    /* What TCP connections speak, Unix sockets never. Loaded; it outlives the server. NULL: cleartext. */
    TlsContext *tls;
} HttpServerOptions;

Error http_server_open(const HttpServerOptions *options, HttpServer **server);
/* Listens at "127.0.0.1:4566", "[::1]:0" or "unix:/path" (mode 0600); `bound` (in `arena`) tells the address with its
 * real port. Before the loops run. Errors: ERROR_EXISTS (the address is in use), ERROR_NOT_FOUND (it is none of
 * this machine), ERROR_MALFORMED, ERROR_DENIED. */
Error http_server_listen(HttpServer *server, const char *address, Arena *arena, Slice *bound);
/* Any thread: stops accepting; idle connections close, busy ones after their answer (with "connection: close");
 * `drained` is posted to `mailbox` when none is left. */
void http_server_drain(HttpServer *server, Task *drained, Mailbox *mailbox);
/* Cuts what is left and frees, requests that handlers still work on included (nobody is told); after the loops have
 * stopped. */
void http_server_close(HttpServer *server);

typedef struct HttpServerStats {
    uint64_t connections; /* now */
    uint64_t accepted;
    uint64_t refused; /* over the connection limit */
    uint64_t requests;
    uint64_t bad_requests; /* malformed, too large, too slow */
    uint64_t evicted;      /* clients that would not read or write, or held what others needed */
    uint64_t displaced;    /* idle connections that made place for new ones */
    uint64_t body_bytes;   /* now: bodies that are large or come in pieces, large heads */
    uint64_t input_bytes;  /* now: unfinished heads, and what is read ahead */
    uint64_t output_bytes; /* now: answers that wait for their clients to read */
} HttpServerStats;
void http_server_stats(HttpServer *server, HttpServerStats *stats);

/* The version of llhttp that is compiled in, as "8.1.0"; static. */
const char *http_parser_version(void);
/* The version of nghttp2 that runs, as "1.52.0"; static. */
const char *http2_library_version(void);

#endif

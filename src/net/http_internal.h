/* http_internal.h: what the files of the HTTP server share; nobody else includes it.
 *
 * Three nouns: the server; a connection, which owns a socket on one loop; an exchange, one request and its answer. The
 * public HttpRequest is the first member of its exchange. What depends on the version on the wire stands behind
 * HttpVersionOperations: HTTP/1.1 works on one exchange of a connection at a time, HTTP/2 on many. All exchanges of a
 * connection are in its list until they are freed: by the version when the answer is through, or, when the client is
 * gone before, by whoever comes last, the version or the handler with its answer.
 * Everything runs on the connection's loop, but for what is atomic. Handlers are called from the loop or from within
 * their own calls into http.h, never from within another handler's. */
#ifndef BRUME_NET_HTTP_INTERNAL_H
#define BRUME_NET_HTTP_INTERNAL_H

#include "base/list.h"
#include "net/http.h"
#include "net/tls.h"

#include <llhttp.h>
#include <nghttp2/nghttp2.h>
#include <stdatomic.h>

typedef struct HttpConnection HttpConnection;
typedef struct HttpExchange HttpExchange;
typedef struct HttpServerLoop HttpServerLoop;
typedef struct Http2Session Http2Session;
typedef struct Http2Stream Http2Stream;

enum {
    HTTP_READ_BUFFER_BYTES = 65536,   /* one a loop, shared by its connections */
    HTTP_CORK_BYTES = 16384,          /* answers gathered before they are written */
    HTTP_INLINE_BODY_BYTES = 4096,    /* bodies of answers up to this are copied behind their head */
    HTTP_ARENA_BODY_BYTES = 16384,    /* bodies of requests up to this are put into the arena */
    HTTP_LARGE_HEAD_BYTES = 4096,     /* heads larger than this are counted */
    HTTP_PLACES = 64,                 /* connections over the limit for which places are looked for at a time */
    HTTP_STREAM_HIGH_BYTES = 262144,  /* a streaming writer is told to stop here ... */
    HTTP_STREAM_LOW_BYTES = 65536,    /* ... and to go on here */
    HTTP_STREAM_MAX_BYTES = 16777216, /* one that does not listen is cut off here */
    HTTP_DISCARD_BYTES = 65536,       /* unread rest of a body that is skipped to keep a connection */
    HTTP_CHUNK_FRAMING_BYTES = 16384, /* chunk extensions or trailers between two pieces of a body */
    HTTP_FREE_EXCHANGES = 256,        /* kept for reuse on each loop */
    HTTP_LINGER_MS = 2000,            /* a refused client's time to read why */
    HTTP_BODY_STEP_BYTES = 1024,      /* a client that sends less in NET_BODY_TIMEOUT_MS is too slow */
    HTTP_PEER_BYTES = 56,
};

/* ---- Timeouts: a list for each kind, ordered by due time since all of a kind wait equally long ---- */

typedef enum HttpTimeout {
    HTTP_TIMEOUT_NONE,
    HTTP_TIMEOUT_HANDSHAKE,
    HTTP_TIMEOUT_HEADER,
    HTTP_TIMEOUT_BODY,
    HTTP_TIMEOUT_IDLE,
    HTTP_TIMEOUT_LINGER,
    HTTP_TIMEOUT_WRITE,
    HTTP_TIMEOUT_STREAM_BODY, /* of one HTTP/2 stream */
    HTTP_TIMEOUT_STREAM_WRITE,
    HTTP_TIMEOUT_STREAM_LINGER,
    HTTP_TIMEOUTS
} HttpTimeout;

typedef struct HttpTimer {
    ListNode node;
    uint64_t due_ms; /* by the loop's clock */
    HttpTimeout kind;
} HttpTimer;

/* ---- The version on the wire ---- */

typedef struct HttpVersionOperations {
    /* Does all that can be done: reads input, calls handlers, sends. Called whenever something has changed; may be
     * called while it runs. */
    void (*advance)(HttpConnection *connection);
    /* The handler has asked for the body, or for more of it. */
    void (*want_body)(HttpExchange *exchange);
    /* The handler answers: head and whole body. */
    void (*respond)(HttpExchange *exchange, const HttpResponse *response);
    /* The handler answers in pieces: head, any number of pieces, end. */
    void (*respond_stream)(HttpExchange *exchange, const HttpResponse *head);
    /* Whether the handler may write more at once. */
    bool (*respond_write)(HttpExchange *exchange, Slice piece);
    void (*respond_end)(HttpExchange *exchange);
    /* The answer cannot be completed: the client must see that. */
    void (*respond_abort)(HttpExchange *exchange);
    /* The client has let pass the time for a request, a head, or more of a body. */
    void (*timed_out)(HttpConnection *connection, HttpTimeout kind);
    /* The server drains: an idle connection closes, a busy one says so in its answer. */
    void (*drain)(HttpConnection *connection);
} HttpVersionOperations;

extern const HttpVersionOperations http1_operations;
extern const HttpVersionOperations http2_operations;

/* ---- The server ---- */

typedef struct HttpListener HttpListener;

struct HttpServer {
    HttpHandler *handler;
    TlsContext *tls; /* NULL: cleartext */
    Limits limits;
    uint64_t connections_max;
    HttpServerLoop *loops;
    size_t loop_count;
    size_t next_loop; /* loop 0's thread */
    HttpListener *listeners;
    atomic_uint_fast64_t refused;
    atomic_uint_fast64_t connections;
    /* What all clients hold (http_pressure.c). */
    atomic_uint_fast64_t body_bytes;   /* bodies that are large or come in pieces, large heads */
    atomic_uint_fast64_t input_bytes;  /* unfinished heads, and what is read ahead */
    atomic_uint_fast64_t output_bytes; /* answers that wait for their clients to read */
    /* Connections, and one for the listeners: at zero the server has drained. */
    atomic_uint_fast64_t alive;
    atomic_bool draining;
    bool stopped; /* http_server_close is at work, handlers are not called any more */
    Task *drained;
    Mailbox *drained_mailbox;
};

/* What HTTP/2 keeps on one loop. */
typedef struct Http2Loop {
    List later; /* sessions that have something to do before the loop waits again */
    uv_prepare_t before_waiting;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
} Http2Loop;

/* What a server keeps on one loop. */
struct HttpServerLoop {
    HttpServer *server;
    Loop *loop;
    uv_loop_t *uv;
    Task drain;
    List connections;
    List timers[HTTP_TIMEOUTS];
    uint64_t timeout_ms[HTTP_TIMEOUTS];
    uv_timer_t timer;
    uint64_t timer_due_ms; /* UINT64_MAX: not running */
    char *read_buffer;
    /* Answers that are gathered, of one connection at a time. */
    HttpConnection *corked;
    char *cork;
    size_t cork_size;
    size_t cork_capacity;
    /* TLS: what one read of a connection says, and records that are about to be sent to one. */
    char *plain_buffer;
    TlsOutput tls_output;
    HttpExchange *free_exchanges;
    size_t free_count;
    size_t exchange_count; /* at work */
    Http2Loop http2;
    HttpHeader *header_scratch; /* as many as a request may have */
    uint64_t date_checked_ms;
    uint64_t date_second;
    char date[40]; /* "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
    atomic_uint_fast64_t accepted;
    atomic_uint_fast64_t requests;
    atomic_uint_fast64_t bad_requests;
    atomic_uint_fast64_t evicted;
    atomic_uint_fast64_t displaced;
};

/* Counts on the loop's own thread; others only read. */
static inline void http_count(atomic_uint_fast64_t *counter)
{
    uint_fast64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

/* One connection less. */
void http_server_forget(HttpServer *server);

/* ---- A connection (http_connection.c) ---- */

struct HttpConnection {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    ListNode node;
    Task open; /* hands it to its loop */
    HttpServerLoop *on;
    const HttpVersionOperations *version;
    TlsSession *tls; /* NULL: cleartext */
    List exchanges;  /* all that are not freed yet */
    size_t exchange_count;
    HttpExchange *exchange; /* HTTP/1: the one at work */
    Http2Session *http2;    /* HTTP/2 */
    HttpTimer read_timer;
    HttpTimer write_timer;
    /* What has been read and not used: in the loop's read buffer during a read, otherwise in `held`. */
    const char *input;
    const char *input_end;
    char *held;
    size_t held_capacity;
    size_t scanned; /* of the input: known to hold no end of a head */
    size_t queued;  /* bytes that wait for the client to read */
    size_t queued_at_timeout;
    size_t tls_unread;  /* bytes that TLS itself has said while others were queued */
    size_t tls_partial; /* bytes of a record of TLS that is not whole yet, since they last counted as progress */
    size_t output_held; /* memory of what is queued */
    uint64_t pace;      /* the handler's (http.h) */
    int fd;             /* until opened */
    bool is_pipe;
    bool over;      /* the limit of connections: it stays only if another one makes place */
    bool tls_began; /* the client's first bytes have come */
    bool reading;
    bool advancing;
    bool had_request;      /* HTTP/2 cannot begin any more */
    bool progressed;       /* input has come, or a handler has gone on, since the timer was looked at */
    bool eof;              /* the client has said all that it will say */
    bool closing;          /* the socket is being closed */
    bool closed;           /* ... and has been */
    bool finishing;        /* closes when what is queued has been sent */
    bool finish_lingering; /* ... and the client has had time to read it */
    bool lingering;        /* all is said; what comes is thrown away */
    char peer[HTTP_PEER_BYTES];
};

/* Makes one of an accepted socket (any thread) and opens it (its loop's thread). `peer` is copied. */
HttpConnection *http_connection_make(HttpServerLoop *on, int fd, bool is_pipe, const char *peer);
void http_connection_open(HttpConnection *connection);
/* Closes the socket at once, dropping what is queued; the handlers learn it from the loop, never from within. */
void http_connection_cut(HttpConnection *connection);
/* Nothing more will be said: sends what is left, then closes, giving the client time to read if `linger`. */
void http_connection_finish(HttpConnection *connection, bool linger);
/* Frees it when it is closed and no exchange is left. */
void http_connection_free_if_done(HttpConnection *connection);
/* Frees the exchanges of a closed connection, those that handlers still work on included; then as above. */
void http_connection_abandon(HttpConnection *connection);

static inline size_t http_input_size(const HttpConnection *connection)
{
    return (size_t)(connection->input_end - connection->input);
}
void http_connection_read(HttpConnection *connection, bool wanted);
/* Keeps the unused input beyond the read; frees the room when all is used. */
void http_connection_hold_input(HttpConnection *connection);
/* Gives plaintext to the version. */
void http_connection_take(HttpConnection *connection, Slice bytes);
/* Whether bytes wait in the kernel, or a part of a record of TLS for its rest. */
bool http_connection_has_unread(HttpConnection *connection);

/* Adds a copy of the bytes to what is to be sent. */
void http_output_add(HttpConnection *connection, Slice bytes);
/* Room for `size` more; written there, then http_output_commit. */
char *http_output_reserve(HttpConnection *connection, size_t size);
void http_output_commit(HttpConnection *connection, const char *end);
/* Sends what was added, then `body`, then the literal `tail`. What the client does not take at once is queued; a body
 * that is `lasting` is not copied then: it must live until `queued` is zero. */
void http_output_send(HttpConnection *connection, Slice body, Slice tail, bool lasting);
void http_output_flush(HttpConnection *connection);
/* Sends the loop's records of TLS as they are. */
void http_output_send_records(HttpConnection *connection);

/* Cuts the connection unless its client has read something since its write timer was set; sets that again. */
void http_evict_unless_reading(HttpConnection *connection);

/* Sets or stops the timer; one that runs for the same kind goes on unless `restart`. */
void http_timer_set(HttpServerLoop *on, HttpTimer *timer, HttpTimeout kind, bool restart);
void http_timers_open(HttpServerLoop *on);

/* How the end of an answer's body is known: by its length, by chunks, by the end of the connection; or there is none. */
typedef enum Http1Framing {
    HTTP1_FRAMING_NONE,
    HTTP1_FRAMING_LENGTH,
    HTTP1_FRAMING_CHUNKED,
    HTTP1_FRAMING_CLOSE
} Http1Framing;

/* ---- TLS (http_tls.c) ---- */

/* Begins the handshake; `version` is set to what was agreed on when it ends. */
void http_tls_open(HttpConnection *connection);
/* Takes what has come from the socket: not empty. */
void http_tls_receive(HttpConnection *connection, Slice bytes);
/* Makes records of the parts, in the loop's output; false when the session has failed. */
bool http_tls_encrypt(HttpConnection *connection, const Slice *parts, size_t count);
/* Tells the client that nothing more will come. */
void http_tls_end(HttpConnection *connection);
/* The loop's records have been sent, or queued as a copy. */
void http_tls_output_clear(HttpServerLoop *on);

/* ---- An exchange (http_request.c) ---- */

typedef enum HttpBodySink { HTTP_BODY_UNASKED, HTTP_BODY_WHOLE, HTTP_BODY_STREAM, HTTP_BODY_DISCARD } HttpBodySink;

typedef enum HttpAnswer { HTTP_ANSWER_NONE, HTTP_ANSWER_STREAMING, HTTP_ANSWER_COMPLETE } HttpAnswer;

struct HttpExchange {
    HttpRequest request;
    HttpConnection *connection;
    ListNode node; /* in the connection's list */
    HttpExchange *next_free;
    Arena arena;
    ArenaMark fresh; /* the arena's first chunk is kept for the next request */

    /* The request's body, whatever the version. */
    HttpBodySink sink;
    bool body_complete;  /* all of it has been handed over, or the handler knows that it will not come */
    bool body_abandoned; /* the rest of it will not be read */
    bool body_in_arena;
    bool paused;
    bool has_length;
    size_t body_limit;
    char *body;
    size_t body_size;
    size_t body_capacity;
    size_t counted; /* of the server's body_bytes */
    union {
        void (*ready)(HttpRequest *request, Error error, Slice body);
        void (*piece)(HttpRequest *request, Error error, Slice data, bool end);
    };

    /* The client's absence. */
    bool gone;      /* it will not get the answer, though its connection may live */
    bool told_gone; /* the handler knows */
    bool orphan;    /* only the handler still knows of the exchange: it dies with the answer */

    /* The answer. */
    HttpAnswer answer;
    bool is_head;
    bool must_stop; /* the writer was told to stop */
    bool no_body;   /* status 204, 304 or HEAD */
    Http1Framing framing_out;
    uint64_t left_out; /* of a stream whose length the handler gave */
    void (*on_writable)(HttpRequest *request);

    /* HTTP/1's framing. */
    bool expects_continue;
    bool http10;
    bool close;         /* the connection ends with this answer */
    uint64_t left;      /* of a body with a length */
    uint64_t stepped;   /* bytes of the body since its timer was set */
    size_t framing;     /* bytes of chunk framing since the last of data */
    char framing_last;  /* the last of them */
    uint64_t discarded; /* of a chunked body that nobody reads */
    llhttp_t *chunked;  /* the decoder of a chunked body */

    /* HTTP/2's; only until the stream is closed. */
    Http2Stream *stream;
};

static inline HttpExchange *http_exchange_of(HttpRequest *request)
{
    return (HttpExchange *)(void *)request;
}

HttpExchange *http_exchange_make(HttpConnection *connection);
void http_exchange_free(HttpExchange *exchange);
/* The client has gone: a handler that has not answered yet learns it. */
void http_exchange_tell_gone(HttpExchange *exchange);

/* Whether nobody waits for the answer any more. */
static inline bool http_exchange_is_gone(const HttpExchange *exchange)
{
    return exchange->gone || exchange->connection->closing;
}
/* Gives body bytes to the handler, its end, or the error that ends it. */
void http_body_take(HttpExchange *exchange, Slice data);
void http_body_end(HttpExchange *exchange);
void http_body_fail(HttpExchange *exchange, Error error);

/* ---- What all clients together hold (http_pressure.c) ---- */

/* Counts bytes that are held for a connection: input that is not used yet, output that its client has not read. Where
 * all of it is more than NET_INPUT_BYTES or NET_OUTPUT_BYTES, clients that have let the server wait longest are cut;
 * the connection itself where there is no other. http_connection_cut takes off what the connection holds. */
void http_input_grew(HttpConnection *connection, size_t more);
void http_input_shrank(HttpConnection *connection, size_t less);
void http_output_grew(HttpConnection *connection, size_t more);
void http_output_shrank(HttpConnection *connection, size_t less);
/* Counts memory of a request whose body is large or not yet there; false past NET_BODIES_BYTES. */
bool http_request_grew(HttpExchange *exchange, size_t more);
void http_request_gone(HttpExchange *exchange);
/* Cuts the connection that has been idle longest; false when none has been for long. */
bool http_make_place(HttpServerLoop *on);

static inline bool http_body_is_wanted(const HttpExchange *exchange)
{
    return exchange->sink != HTTP_BODY_UNASKED && !exchange->paused;
}

/* What the server itself answers to a request that no handler sees. */
typedef struct HttpRefusal {
    int status;
    const char *why;
} HttpRefusal;

/* ---- The parts of a request, whatever the version (http_target.c) ---- */

/* The characters of a token (RFC 9110, 5.6.2), in lower case; NUL for all others. */
extern const char http_token_lower[256];
bool http_is_token(Slice slice);
bool http_is_host(Slice host);
/* Sets path, query and host by the target (RFC 9112, 3.2) and the host field; false when the target has none of the
 * forms. */
bool http_split_target(HttpRequest *request, Slice host_field);

/* ---- HTTP/1 (http1_parse.c, http1_write.c) ---- */

typedef enum Http1Found { HTTP1_MORE, HTTP1_FOUND, HTTP1_BAD } Http1Found;

/* Looks for a whole head in the input. HTTP1_FOUND: a new exchange with it, the input is behind the head. */
Http1Found http1_parse_head(HttpConnection *connection, HttpExchange **exchange, HttpRefusal *refusal);

/* Decodes until there is a piece of data, the end, an error, or no more input. */
typedef enum Http1Chunk { HTTP1_CHUNK_MORE, HTTP1_CHUNK_DATA, HTTP1_CHUNK_END, HTTP1_CHUNK_BAD } Http1Chunk;
Http1Chunk http1_parse_chunk(HttpExchange *exchange, Slice *data);

/* Adds the head of an answer to the output; `length` counts with HTTP1_FRAMING_LENGTH. */
void http1_write_head(HttpExchange *exchange, const HttpResponse *response, Http1Framing framing, uint64_t length);
/* Adds a whole answer of the server's own that ends the connection. */
void http1_write_refusal(HttpConnection *connection, HttpRefusal refusal);

/* ---- HTTP/2 (http2.h) ---- */

void http2_loop_open(HttpServerLoop *on);
void http2_loop_close(HttpServerLoop *on);
/* The connection speaks HTTP/2 from here on: after TLS has agreed on it (RFC 9113, 3.2), or where the client's preface
 * lies in the input. What is to be said is sent with the next `advance`, or before the loop waits. */
void http2_start(HttpConnection *connection);
/* Takes the client's offer to go on in HTTP/2 (RFC 7540, 3.2), if there is one that can be taken: the request becomes
 * the first stream and is handed to the handler. */
bool http2_upgrade(HttpConnection *connection, HttpExchange *exchange);
/* The socket is closed: frees what HTTP/2 has of it; nothing for HTTP/1. */
void http2_forget(HttpConnection *connection);
void http2_stream_timed_out(HttpTimer *timer, HttpTimeout kind);

/* ---- Answers, whatever the version (http_response.c) ---- */

/* RFC 9112, 6.3. */
static inline bool http_status_is_bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* The value of a field of an answer (names in any case); absent when there is none. */
Slice http_response_header(const HttpResponse *response, Slice name);
/* The date field's line, for the current second. */
Slice http_date_line(HttpServerLoop *on);

#endif

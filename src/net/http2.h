/* http2.h: what the files of HTTP/2 share; nobody else includes it.
 *
 * libnghttp2 knows frames, header compression, windows and the states of streams (RFC 9113). A session is one of its
 * own and belongs to a connection; a stream is one exchange of it. It ends when libnghttp2 closes it, which is also when
 * the exchange is freed, unless a handler still works on that.
 *
 * Handlers are called while input is read or from `advance`, never while frames are written; what they say is gathered,
 * and sent once before the loop waits again: answers of one turn leave together. What is bounded, and how: streams and
 * windows by SETTINGS; requests whose stream has gone, answers that nobody reads, frames that bring nothing and
 * streams that are broken off by the limits NET_HTTP2_*. */
#ifndef BRUME_NET_HTTP2_H
#define BRUME_NET_HTTP2_H

#include "net/http_internal.h"

enum {
    HTTP2_CONNECTION_WINDOW_BYTES = 1048576, /* of request bodies on their way, over all streams */
    HTTP2_FEED_BYTES = 16384,                /* given to libnghttp2 at a time: between, floods are seen */
    HTTP2_QUEUED_FRAMES = 1000,              /* that wait for the client to read, before nothing more is read from it */
    HTTP2_STREAM_HIGH_BYTES = 65536,         /* a streaming writer is told to stop here ... */
    HTTP2_STREAM_LOW_BYTES = 16384,          /* ... and to go on here: less than in HTTP/1, as many may write */
    HTTP2_FIELD_BYTES = 32,                  /* that a field counts beside its text (RFC 9113, 6.5.2) */
    HTTP2_BLOCK_FACTOR = 4,                  /* heads larger than so many allowed ones are not even read */
    HTTP2_ORPHAN_FACTOR = 2,                 /* requests a connection, those included whose stream has gone */
    HTTP2_UNSENT_FACTOR = 2,                 /* answers beyond so many NET_HTTP2_UNSENT_BYTES are dropped */
    HTTP2_BUDGET_MS = 10000,                 /* the time in which a budget is filled again */
    HTTP2_FRAME_CREDIT = 2,                  /* idle frames that each request or DATA frame sent lets come */
};

/* What a client may do so often: a bucket of the limit's size that fills within HTTP2_BUDGET_MS. */
typedef struct Http2Budget {
    uint64_t left;
    uint64_t most;
    uint64_t filled_ms;
} Http2Budget;

struct Http2Session {
    HttpConnection *connection;
    nghttp2_session *nghttp2;
    ListNode later;     /* in its loop's list */
    List changed;       /* streams that have something to do */
    List waiting;       /* streams whose handler has not been called, as the client should read first */
    Http2Stream *head;  /* whose head is being read */
    HttpHeader *fields; /* of it */
    size_t field_count;
    size_t field_capacity;
    bool in_block;       /* more frames of a head or of trailers must follow */
    bool new_block;      /* one has begun since its timer was set */
    bool again;          /* there is more to do than was known when frames were written */
    size_t block_bytes;  /* of a head or trailers */
    size_t stream_count; /* open */
    uint64_t unsent;     /* bytes of answers */
    uint64_t sent_ms;    /* when the last DATA frame was written */
    uint64_t raw_left;   /* of the body that follows an upgrade as HTTP/1 */
    Http2Budget frames;
    Http2Budget resets;
    const char *end_why; /* why the connection is to end */
    uint32_t end_code;
    bool brought; /* the DATA frame that is being read has had data */
    bool settled; /* the client's SETTINGS have come */
    bool eof_told;
    bool draining;
    bool last_named; /* draining: the client knows which stream was the last */
};

/* What of an answer has not been sent: a part of a body that lasts, or of a stream's own room. */
typedef struct Http2Unsent {
    const char *at;
    size_t size;
    char *room;
    size_t capacity;
} Http2Unsent;

struct Http2Stream {
    HttpExchange *exchange;
    Http2Session *session;
    ListNode changed;
    ListNode waiting;
    int32_t id;
    HttpTimer body_timer;
    HttpTimer write_timer;

    /* The head as it comes. */
    unsigned cookies;
    HttpRefusal refusal;

    /* The body. */
    bool ended; /* the client has said all */
    bool came;  /* some of it has */
    bool raw;   /* its bytes come outside of frames */
    char *held; /* what has come and is not wanted yet */
    size_t held_size;
    size_t held_capacity;
    Error held_error; /* why it could not be held */
    uint64_t discarded;

    /* The answer. */
    Http2Unsent unsent;
    bool complete; /* nothing comes behind `unsent` */
    bool deferred; /* libnghttp2 waits for more */
    bool sent;     /* to its end */
    bool reset;    /* broken off by us */
};

/* ---- The session (http2_session.c) ---- */

/* To be advanced before the loop waits. */
void http2_later(Http2Session *session);
/* The same, for this stream. */
void http2_stream_changed(Http2Stream *stream);
/* Breaks the stream off. What the handler still says is dropped. */
void http2_stream_reset(Http2Stream *stream, uint32_t code);
/* One use of a budget; false when there is none left: the connection is about to end. */
bool http2_spend(Http2Session *session, Http2Budget *budget, const char *what);
/* Ends the connection when what is being read has been: with ENHANCE_YOUR_CALM when the client floods it. */
void http2_end(Http2Session *session, uint32_t code, const char *why);

/* ---- Requests (http2_request.c) ---- */

int http2_on_begin_headers(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user);
int http2_on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                    uint8_t flags, void *user);
/* Makes a stream of the exchange. */
Http2Stream *http2_stream_make(Http2Session *session, HttpExchange *exchange, int32_t id);
/* The head is complete: gives the request to the handler, or refuses it, or lets it wait. */
void http2_head_came(Http2Stream *stream);
/* Gives requests to their handlers that have waited for the client to read, and need not any more. */
void http2_let_wait_end(Http2Session *session);
/* So many bytes come, and then no more: with no others before them, that is the length of the body. */
void http2_body_has(Http2Stream *stream, size_t size);
void http2_body_came(Http2Stream *stream, Slice data);
void http2_body_ended(Http2Stream *stream);
/* Gives the handler what it has asked for, as far as it is there. */
void http2_body_go_on(Http2Stream *stream);
/* Frees what is held of a body. */
void http2_body_drop(Http2Stream *stream);
void http2_body_timed_out(Http2Stream *stream, HttpTimeout kind);
/* HttpVersionOperations. */
void http2_want_body(HttpExchange *exchange);

/* ---- Answers (http2_answer.c) ---- */

int http2_send_data(nghttp2_session *nghttp2, nghttp2_frame *frame, const uint8_t *head, size_t size,
                    nghttp2_data_source *source, void *user);
/* The answer has been sent to its end. */
void http2_answer_sent(Http2Stream *stream);
/* Frees what is unsent. */
void http2_answer_drop(Http2Stream *stream);
void http2_answer_timed_out(Http2Stream *stream);
/* Tells the client to send the body that it holds back (RFC 9110, 10.1.1). */
void http2_answer_continue(Http2Stream *stream);
/* HttpVersionOperations. */
void http2_respond(HttpExchange *exchange, const HttpResponse *response);
void http2_respond_stream(HttpExchange *exchange, const HttpResponse *head);
bool http2_respond_write(HttpExchange *exchange, Slice piece);
void http2_respond_end(HttpExchange *exchange);
void http2_respond_abort(HttpExchange *exchange);

#endif

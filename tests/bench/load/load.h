/* load.h: a load generator for chains of signed requests, which wrk cannot make.
 *
 * One thread, one epoll, every request signed when it is made. Each file's part is named below; nothing here is shared
 * with the server, so that a mistake in its signing or parsing shows. HTTP/2 is framed by nghttp2 on both sides. */
#ifndef BRUME_BENCH_LOAD_H
#define BRUME_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the command line says. */
typedef struct Options {
    const char *mode;
    const char *key_id;
    const char *secret;
    const char *region;
    const char *queue; /* a name; with `queues` > 1 the prefix of NAME-0, NAME-1 … */
    int port;
    int connections;
    int streams; /* at a time on each connection, by HTTP/2; 0: HTTP/1.1 */
    int queues;
    int groups; /* message groups, in turn; 0: none */
    int fifo;   /* the queue's name ends in .fifo */
    int batch;
    int body_bytes;
    int seconds;
    int throttled;  /* whether answers may be the throttling error */
    uint64_t count; /* stop after so many; 0: by time alone */
} Options;

/* ---- sign.c: Signature Version 4 (IAM user guide, "Create a signed AWS API request") ---- */

/* Begins: derives the signing key of today. */
void sign_start(const Options *options);
/* The headers of a request in SQS's JSON protocol, which are all signed but for the last. */
#define CONTENT_TYPE "application/x-amz-json-1.0"
typedef struct Signature {
    char host[32];
    char target[64];
    char moment[32];
    char authorization[512];
} Signature;
void sign_request(const Options *options, const char *operation, const char *body, size_t body_size,
                  Signature *signature);

/* ---- stats.c: latencies by operation ---- */

/* WAKE: from asking for a send until a parked receive has its message. */
typedef enum Operation { SEND, RECEIVE, DELETE, WAKE, REFUSED, OPERATIONS } Operation;
extern const char *const operation_names[OPERATIONS];

void stats_add(Operation operation, uint64_t ns);
/* Prints `NAME_p50 … ms`, `NAME_p99 … ms` for each operation that was used. */
void stats_print(void);

/* ---- lane.c: lanes, each with one request in flight ---- */

/* A connection of HTTP/1.1 (http1.c), or one stream after another of a connection of HTTP/2 (http2.c). */
typedef struct Lane {
    struct Transport *transport;
    uint64_t started_ns;
    Operation operation;
    int number; /* from 0 on */
    char receipt[1024];
    bool busy;
} Lane;

uint64_t now_ns(void);
/* Ends the program: a load that is not what it claims to be measures nothing. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* `memory`, unless there is none left. */
void *allocated(void *memory);

/* Opens `count` lanes of their own kind. `answered` is called with each answer's body (ended by a NUL), after which the
 * lane is free for the next request, and `refused` instead when it is the throttling error and the options allow that;
 * anything else but a 200 ends the program. */
typedef void (*Answered)(Lane *lane, const char *body, size_t size);
typedef void (*Refused)(Lane *lane);
Lane *lanes_open(const Options *options, int count, Answered answered, Refused refused);
/* Asks on a free lane. */
void lane_ask(Lane *lane, const Options *options, Operation operation, const char *name, const char *body, size_t size);
/* Serves events for at most `timeout_ms`. */
void lanes_serve(int timeout_ms);

/* ---- What lanes and their transports tell each other ---- */

/* A connection and how it speaks: the first member of each transport's own structure. */
typedef struct Transport {
    int socket;
    void (*readable)(struct Transport *transport);
    void (*ask)(struct Transport *transport, Lane *lane, const Signature *signature, const char *body, size_t size);
    /* Sends what was asked since the last turn; NULL: `ask` has sent it. */
    void (*flush)(struct Transport *transport);
} Transport;

Transport *http1_open(const Options *options);
Transport *http2_open(const Options *options);
/* A socket that is connected to the server. */
int connected_socket(const Options *options);
/* The answer of what is in flight on the lane; `body[size]` is a NUL. */
void lane_answered(Lane *lane, bool success, const char *body, size_t size);

#endif

/* load.h: a load generator for chains of signed requests, which wrk cannot make.
 *
 * One thread, one epoll, every request signed when it is made. Each file's part is named below; nothing here is shared
 * with the server, so that a mistake in its signing or parsing shows. */
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
    int queues;
    int batch;
    int groups; /* of messages, in turn; 0: messages have none */
    int body_bytes;
    int seconds;
    uint64_t count; /* stop after so many; 0: by time alone */
} Options;

/* ---- sign.c: Signature Version 4 (IAM user guide, "Create a signed AWS API request") ---- */

/* Begins: derives the signing key of today. */
void sign_start(const Options *options);
/* Writes a whole signed request of SQS's JSON protocol into `out`; gives its size. */
size_t sign_request(const Options *options, const char *operation, const char *body, size_t body_size, char *out,
                    size_t out_size);

/* ---- stats.c: latencies by operation ---- */

typedef enum Operation { SEND, RECEIVE, DELETE, OPERATIONS } Operation;
extern const char *const operation_names[OPERATIONS];

void stats_add(Operation operation, uint64_t ns);
/* Prints `NAME_p50 … ms`, `NAME_p99 … ms` for each operation that was used. */
void stats_print(void);

/* ---- connection.c: connections, each with one request in flight ---- */

typedef struct Connection {
    int socket;
    char *out;
    size_t out_size;
    size_t out_sent;
    char *in;
    size_t in_size;
    size_t in_capacity;
    uint64_t started_ns;
    Operation operation;
    uint64_t number; /* the mode's own */
    char receipt[1024];
    bool busy;
} Connection;

uint64_t now_ns(void);
/* Ends the program: a load that is not what it claims to be measures nothing. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens `count` connections. `answered` is called with each answer's body (ended by a NUL), after which the connection
 * is free for the next request; anything but a 200 ends the program. */
typedef void (*Answered)(Connection *connection, const char *body, size_t size);
Connection *connections_open(const Options *options, int count, Answered answered);
/* Sends a request on a free connection. */
void connection_ask(Connection *connection, const Options *options, Operation operation, const char *name,
                    const char *body, size_t size);
/* Serves events for at most `timeout_ms`. */
void connections_serve(int timeout_ms);

#endif

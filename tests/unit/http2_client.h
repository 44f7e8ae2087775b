/* http2_client.h: clients of HTTP/2 for tests: one that behaves, on libnghttp2's client session, and one of raw frames.
 *
 * Both are driven by the test's thread over a blocking socket that times out after some seconds. */
#ifndef BRUME_TESTS_HTTP2_CLIENT_H
#define BRUME_TESTS_HTTP2_CLIENT_H

#include "http_fixture.h"

#include <nghttp2/nghttp2.h>

enum { HTTP2_CLIENT_ANSWERS = 1024 };

typedef struct Http2Answer {
    int status;
    int interim; /* a 1xx that came before */
    char fields[1024];
    char *body;
    size_t size;
    bool has_head;
    bool ended; /* with END_STREAM */
    bool closed;
    uint32_t code; /* why, when closed */
    /* The request's body as it is to be sent. */
    const char *sending;
    size_t sending_size;
    bool hold; /* its end is not sent */
} Http2Answer;

typedef struct Http2Client {
    int fd;
    nghttp2_session *session;
    Http2Answer answers[HTTP2_CLIENT_ANSWERS]; /* of stream 2 i + 1 */
    bool gone;                                 /* the server has closed */
    bool told_to_go;
    uint32_t go_code;
    int32_t go_last;
    char go_text[100];
    bool settled;
    uint32_t server_streams;
} Http2Client;

/* Connects, with so large a window for each stream; windows are not refilled unless `refill`. */
Http2Client *http2_client_open(const HttpFixture *fixture, uint32_t window, bool refill);
/* The same on a connection of one's own, after "Upgrade: h2c" with the settings' payload. */
Http2Client *http2_client_upgraded(int fd, const uint8_t *settings, size_t size, bool is_head);
void http2_client_close(Http2Client *client);

/* Submits a request, with "host" as authority unless NULL, and fields "name: value\n…" or NULL; gives its stream. */
int32_t http2_client_ask(Http2Client *client, const char *method, const char *path, const char *fields);
/* The same with a body, which must live on; `hold` leaves its end open. */
int32_t http2_client_post(Http2Client *client, const char *path, const char *fields, const char *body, size_t size,
                          bool hold);
/* Sends what is submitted. */
void http2_client_flush(Http2Client *client);
/* Sends, and receives once; false when the connection has ended, or nothing came in time. */
bool http2_client_turn(Http2Client *client);
/* Sends and receives until the stream is closed. */
Http2Answer *http2_client_await(Http2Client *client, int32_t id);
Http2Answer *http2_client_answer(Http2Client *client, int32_t id);

#define HTTP2_TURN_UNTIL(client, condition)                                                                            \
    do                                                                                                                 \
        while (!(condition))                                                                                           \
            assert_true(http2_client_turn(client));                                                                    \
    while (0)

/* ---- Raw frames ---- */

/* Connects and sends the preface and empty SETTINGS. */
int raw_open(const HttpFixture *fixture);
void raw_send(int fd, uint8_t type, uint8_t flags, uint32_t id, const void *payload, size_t size);
/* GET of the path, at most 100 bytes long, with END_STREAM if `end`. */
void raw_get(int fd, uint32_t id, const char *path, bool end);
size_t raw_put(char *at, uint8_t type, uint8_t flags, uint32_t id, const void *payload, size_t size);
size_t raw_put_get(char *at, uint32_t id, const char *path, bool end);
/* Reads frames until GOAWAY, and gives its code; -1 when the connection ends before. */
int64_t raw_await_goaway(int fd);
/* Reads frames until one of that type; gives its stream and, for RST_STREAM and WINDOW_UPDATE, the number in it. */
bool raw_await(int fd, uint8_t type, uint32_t *id, uint32_t *number);

#endif

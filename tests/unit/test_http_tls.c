/* HTTP over TLS, over real sockets and several loops. */
#include "http_fixture.h"
#include "tls_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "host: localhost\r\n"

/* ---- A client ---- */

typedef struct Client {
    SSL *ssl;
    int fd;
} Client;

static SSL_CTX *client_rules;

static Client client_open(const HttpFixture *fixture)
{
    Client client = {.ssl = SSL_new(client_rules), .fd = client_connect(fixture)};
    SSL_set_fd(client.ssl, client.fd);
    assert_int_equal(SSL_connect(client.ssl), 1);
    return client;
}

static void client_leave(Client *client)
{
    SSL_free(client->ssl);
    close(client->fd);
}

static void say(Client *client, const char *text)
{
    assert_int_equal(SSL_write(client->ssl, text, (int)strlen(text)), (int)strlen(text));
}

/* Reads until the connection ends or `size` bytes have come; gives how many. */
static size_t hear(Client *client, char *bytes, size_t size)
{
    size_t heard = 0;
    size_t got;
    ERR_clear_error();
    while (heard < size && SSL_read_ex(client->ssl, bytes + heard, size - heard, &got) == 1)
        heard += got;
    return heard;
}

/* One answer without framing other than a content-length: its body, NUL-terminated. */
static void hear_body(Client *client, char *body, size_t room)
{
    char head[2000];
    size_t size = 0;
    do {
        assert_true(size < sizeof head - 1);
        assert_int_equal(hear(client, head + size, 1), 1);
        head[++size] = '\0';
    } while (strstr(head, "\r\n\r\n") == NULL);
    const char *length = strstr(head, "content-length: ");
    assert_non_null(length);
    size_t body_size = strtoul(length + 16, NULL, 10);
    assert_true(body_size < room);
    assert_int_equal(hear(client, body, body_size), body_size);
    body[body_size] = '\0';
}

static void expect_body(Client *client, const char *expected)
{
    char body[256];
    hear_body(client, body, sizeof body);
    assert_string_equal(body, expected);
}

/* Whether the server has said that nothing more comes. */
static bool is_ended(Client *client)
{
    char byte;
    ERR_clear_error();
    return SSL_get_error(client->ssl, SSL_read(client->ssl, &byte, 1)) == SSL_ERROR_ZERO_RETURN;
}

/* ---- Setting up ---- */

typedef struct Place {
    HttpFixture fixture; /* first: what tests of HTTP call *state */
    TlsFiles files;
} Place;

static int make_place(void **state)
{
    Place *place = calloc(1, sizeof *place);
    tls_files_make(&place->files);
    place->fixture.tls = tls_files_context(&place->files);
    client_rules = tls_client_context(TLS1_2_VERSION, TLS1_3_VERSION);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    Place *place = *state;
    TlsContext *context = place->fixture.tls;
    http_fixture_stop(&place->fixture);
    tls_context_free(context);
    tls_files_remove(&place->files);
    SSL_CTX_free(client_rules);
    free(place);
    return 0;
}

/* ---- Promises ---- */

static void requests_are_answered_one_behind_the_other(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    for (int i = 0; i < 3; i++) {
        Client client = client_open(fixture);
        say(&client, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        expect_body(&client, "hello");
        say(&client, "POST /late HTTP/1.1\r\n" HOST "content-length: 4\r\n\r\nbody"
                     "GET /later HTTP/1.1\r\n" HOST "\r\n"
                     "GET /hello HTTP/1.1\r\n" HOST "connection: close\r\n\r\n");
        expect_body(&client, "body");
        expect_body(&client, "later");
        expect_body(&client, "hello");
        assert_true(is_ended(&client));
        client_leave(&client);
    }
}

static void large_bodies_go_both_ways(void **state)
{
    HttpFixture *fixture = *state;
    enum { SIZE = 5000000 };
    http_fixture_start(fixture, 1);
    char *sent = malloc(SIZE);
    char *heard = malloc(SIZE + 1);
    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (char)(i % 251);
    Client client = client_open(fixture);
    char head[128];
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "content-length: %d\r\n\r\n", SIZE);
    for (int i = 0; i < 2; i++) {
        say(&client, head);
        assert_int_equal(SSL_write(client.ssl, sent, SIZE), SIZE);
        hear_body(&client, heard, SIZE + 1);
        assert_memory_equal(heard, sent, SIZE);
    }
    say(&client, "GET /sized?3000000 HTTP/1.1\r\n" HOST "\r\n");
    hear_body(&client, heard, SIZE);
    say(&client, "POST /count HTTP/1.1\r\n" HOST "content-length: 5000000\r\n\r\n");
    assert_int_equal(SSL_write(client.ssl, sent, SIZE), SIZE);
    expect_body(&client, "5000000");
    client_leave(&client);
    free(sent);
    free(heard);
}

/* A writer is told to stop when its client does not read, and the client is dropped in the end. */
static void a_client_that_does_not_read_holds_its_writer_back_and_is_evicted(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_WRITE_TIMEOUT_MS] = 300;
    http_fixture_start(fixture, 1);
    Client client = client_open(fixture);
    say(&client, "GET /stream?1000000000 HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(http_fixture_stats(fixture).evicted == 1);
    assert_true(atomic_load(&fixture->streamed) < 50000000);
    AWAIT(atomic_load(&fixture->gone) == 1);
    client_leave(&client);
}

static void an_aborted_answer_does_not_look_whole(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Client client = client_open(fixture);
    say(&client, "GET /abort HTTP/1.1\r\n" HOST "\r\n");
    char text[2000];
    size_t size = hear(&client, text, sizeof text);
    assert_true(size > 0);
    assert_int_equal(SSL_get_shutdown(client.ssl) & SSL_RECEIVED_SHUTDOWN, 0);
    client_leave(&client);
}

static void a_handshake_that_does_not_end_is_cut(void **state)
{
    HttpFixture *fixture = *state;
    static const char hello_of_64_bytes[] = "\x16\x03\x01\x00\x40\x01";
    fixture->limits.value[LIMIT_NET_HEADER_TIMEOUT_MS] = 100;
    http_fixture_start(fixture, 1);
    int silent = client_connect(fixture);
    int half = client_connect(fixture);
    client_send(half, hello_of_64_bytes, sizeof hello_of_64_bytes - 1);
    assert_true(client_at_end(silent));
    char byte;
    assert_true(recv(half, &byte, 1, 0) <= 0);
    assert_int_equal(http_fixture_stats(fixture).bad_requests, 2);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    close(silent);
    close(half);
}

static void what_ends_before_its_handshake_is_forgotten(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    shutdown(fd, SHUT_WR);
    assert_true(client_at_end(fd));
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_int_equal(http_fixture_stats(fixture).bad_requests, 0);
    close(fd);
}

static void cleartext_is_told_what_the_port_speaks(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    int fd = client_connect(fixture);
    client_say(fd, "POST /hello HTTP/1.1\r\n" HOST "content-length: 100000\r\n\r\n");
    char *answer = client_answer(fd);
    assert_int_equal(client_status(answer), 400);
    assert_string_equal(client_body(answer), "this port speaks TLS: call it by https://\n");
    assert_true(client_at_end(fd));
    free(answer);
    close(fd);
    assert_int_equal(http_fixture_stats(fixture).bad_requests, 1);
}

/* A record of 16 KiB comes in pieces: large enough ones keep the connection, a byte now and then does not. */
static void slow_records_are_judged_by_their_bytes(void **state)
{
    HttpFixture *fixture = *state;
    enum { BODY = 14000, PIECE = 1400, PAUSE_US = 100000 };
    static char body[BODY];
    fixture->limits.value[LIMIT_NET_BODY_TIMEOUT_MS] = 500;
    http_fixture_start(fixture, 1);
    static const int pieces[] = {PIECE, 1};
    for (size_t i = 0; i < 2; i++) {
        int piece = pieces[i];
        Client client = client_open(fixture);
        say(&client, "POST /count HTTP/1.1\r\n" HOST "content-length: 14000\r\n\r\n");
        BIO *record = BIO_new(BIO_s_mem());
        BIO_up_ref(record);
        SSL_set0_wbio(client.ssl, record);
        assert_int_equal(SSL_write(client.ssl, body, BODY), BODY);
        char *bytes;
        long size = BIO_get_mem_data(record, &bytes);
        for (long sent = 0; sent < size && http_fixture_stats(fixture).evicted == 0; sent += piece) {
            long part = size - sent < piece ? size - sent : piece;
            client_send(client.fd, bytes + sent, (size_t)part);
            usleep(PAUSE_US);
        }
        expect_body(&client, piece == PIECE ? "14000" : "the time for it has passed");
        assert_int_equal(http_fixture_stats(fixture).evicted, piece == PIECE ? 0 : 1);
        BIO_free(record);
        client_leave(&client);
    }
}

/* In an open session, with a request at work: its handler learns that the client has gone. */
static void garbage_ends_the_connection(void **state)
{
    HttpFixture *fixture = *state;
    static const char garbage[100] = {0};
    http_fixture_start(fixture, 1);
    Client client = client_open(fixture);
    say(&client, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(atomic_load(&fixture->parked) == 1);
    client_send(client.fd, garbage, sizeof garbage);
    AWAIT(atomic_load(&fixture->gone) == 1);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    client_leave(&client);
}

static void a_client_that_says_goodbye_is_still_answered(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 1);
    Client client = client_open(fixture);
    say(&client, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(atomic_load(&fixture->parked) == 1);
    SSL_shutdown(client.ssl);
    AWAIT(atomic_load(&fixture->gone) == 1);
    expect_body(&client, "given up");
    assert_true(is_ended(&client));
    client_leave(&client);
}

static void an_idle_connection_ends_with_a_word(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_IDLE_TIMEOUT_MS] = 100;
    http_fixture_start(fixture, 1);
    Client client = client_open(fixture);
    say(&client, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect_body(&client, "hello");
    assert_true(is_ended(&client));
    client_leave(&client);
}

/* Each wish for new keys is answered by one (RFC 8446, 4.6.3). */
static void a_client_that_makes_the_protocol_talk_and_does_not_read_is_cut_off(void **state)
{
    HttpFixture *fixture = *state;
    enum { WISHES = 100000, HELD_BACK_BYTES = 200000 };
    http_fixture_start(fixture, 1);
    SSL_CTX_set_min_proto_version(client_rules, TLS1_3_VERSION);
    Client client = client_open(fixture);
    /* The answers to the wishes are queued behind a stream that the client does not read either. */
    say(&client, "GET /stream?100000000 HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(atomic_load(&fixture->streamed) > HELD_BACK_BYTES);
    int wishes = 0;
    while (wishes < WISHES && SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
           SSL_do_handshake(client.ssl) == 1)
        wishes++;
    assert_true(wishes < WISHES);
    AWAIT(http_fixture_stats(fixture).connections == 0);
    assert_int_equal(http_fixture_stats(fixture).evicted, 1);
    client_leave(&client);
}

static void over_the_limit_is_said_as_an_alert(void **state)
{
    HttpFixture *fixture = *state;
    fixture->limits.value[LIMIT_NET_CONNECTIONS] = 1;
    http_fixture_start(fixture, 1);
    Client first = client_open(fixture);
    Client second = {.ssl = SSL_new(client_rules), .fd = client_connect(fixture)};
    SSL_set_fd(second.ssl, second.fd);
    AWAIT(http_fixture_stats(fixture).refused == 1);
    assert_int_not_equal(SSL_connect(second.ssl), 1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
    say(&first, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect_body(&first, "hello");
    client_leave(&first);
    client_leave(&second);
}

static void draining_answers_what_was_asked_and_cuts_handshakes(void **state)
{
    HttpFixture *fixture = *state;
    http_fixture_start(fixture, 2);
    Client idle = client_open(fixture);
    Client busy = client_open(fixture);
    int unfinished = client_connect(fixture);
    say(&busy, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    AWAIT(atomic_load(&fixture->parked) == 1 && http_fixture_stats(fixture).accepted == 3);
    http_fixture_drain(fixture);
    assert_true(is_ended(&idle));
    assert_true(client_at_end(unfinished));
    assert_false(atomic_load(&fixture->drained));
    http_fixture_answer_parked(fixture);
    expect_body(&busy, "unparked");
    assert_true(is_ended(&busy));
    AWAIT(atomic_load(&fixture->drained));
    client_leave(&idle);
    client_leave(&busy);
    close(unfinished);
}

/* ---- Threads ---- */

enum { CLIENTS = 4, CONNECTIONS = 40, REQUESTS = 5 };

static void *call_again_and_again(void *argument)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        Client client = client_open(argument);
        for (int j = 0; j < REQUESTS; j++) {
            say(&client, j % 2 == 0 ? "GET /hello HTTP/1.1\r\n" HOST "\r\n" : "GET /later HTTP/1.1\r\n" HOST "\r\n");
            expect_body(&client, j % 2 == 0 ? "hello" : "later");
        }
        client_leave(&client);
    }
    return NULL;
}

static void the_certificate_changes_under_load(void **state)
{
    Place *place = *state;
    HttpFixture *fixture = &place->fixture;
    Arena arena = arena_make();
    TlsLoad load;
    pthread_t threads[CLIENTS];
    http_fixture_start(fixture, 3);
    Client old = client_open(fixture);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_again_and_again, fixture), 0);
    for (int i = 0; i < 50; i++) {
        tls_files_renew(&place->files, "renewed.test");
        assert_true(tls_context_load(fixture->tls, &arena, &load));
        usleep(2000);
    }
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    say(&old, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    expect_body(&old, "hello");
    client_leave(&old);
    Client latest = client_open(fixture);
    char *name = tls_client_saw(latest.ssl);
    assert_string_equal(name, "renewed.test");
    free(name);
    client_leave(&latest);
    assert_int_equal(http_fixture_stats(fixture).bad_requests, 0);
    arena_free(&arena);
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(requests_are_answered_one_behind_the_other),
        HTTP_TEST(large_bodies_go_both_ways),
        HTTP_TEST(a_client_that_does_not_read_holds_its_writer_back_and_is_evicted),
        HTTP_TEST(an_aborted_answer_does_not_look_whole),
        HTTP_TEST(a_handshake_that_does_not_end_is_cut),
        HTTP_TEST(what_ends_before_its_handshake_is_forgotten),
        HTTP_TEST(cleartext_is_told_what_the_port_speaks),
        HTTP_TEST(slow_records_are_judged_by_their_bytes),
        HTTP_TEST(garbage_ends_the_connection),
        HTTP_TEST(a_client_that_says_goodbye_is_still_answered),
        HTTP_TEST(an_idle_connection_ends_with_a_word),
        HTTP_TEST(a_client_that_makes_the_protocol_talk_and_does_not_read_is_cut_off),
        HTTP_TEST(over_the_limit_is_said_as_an_alert),
        HTTP_TEST(draining_answers_what_was_asked_and_cuts_handshakes),
        HTTP_TEST(the_certificate_changes_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

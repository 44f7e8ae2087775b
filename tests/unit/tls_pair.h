/* tls_pair.h: a session and its client, over memory, and a place with certificates for them. */
#ifndef BRUME_TESTS_TLS_PAIR_H
#define BRUME_TESTS_TLS_PAIR_H

#include "tls_fixture.h"

/* A client and a session, and what has come to each. */
typedef struct Pair {
    TlsSession *session;
    TlsState state;
    TlsOutput output;
    char *server_got;
    size_t server_size;
    SSL *client;
    BIO *to_client;
    BIO *from_client;
    size_t step; /* bytes that are fed at a time */
} Pair;

extern const char *const tls_http1_only[];
extern const int tls_versions[2]; /* TLS 1.2 and 1.3 */

void pair_open(Pair *pair, TlsContext *context, SSL_CTX *client, const char *const *protocols);
void pair_close(Pair *pair);
/* Runs the handshake to its end; whether the client is content. */
bool pair_shake(Pair *pair);
/* Bytes go to the session, as if the client had sent them. */
void pair_feed(Pair *pair, Slice bytes);
/* What the client has said goes to the session; true when there was something. */
bool pair_carry(Pair *pair);
void pair_give_to_client(Pair *pair);
void pair_client_says(Pair *pair, const char *bytes, size_t size);
void pair_server_says(Pair *pair, Slice bytes);
/* Reads all that is there; gives SSL_get_error's word on why there is no more. */
int pair_client_hears(Pair *pair, char *bytes, size_t room, size_t *size);
void pair_expect_heard(Pair *pair, const char *expected);

typedef struct TlsPlace {
    TlsFiles files;
    TlsContext *context;
    Arena arena;
} TlsPlace;

/* Setup and teardown of a test: *state is the place. */
int tls_place_make(void **state);
int tls_place_remove(void **state);
Slice tls_place_read(TlsPlace *place, const char *path);
/* What a new client is shown: the name, and how many certificates. */
void tls_place_expect_chain(TlsPlace *place, const char *name, int count);

#endif

#include "tls_pair.h"

#include "base/bug.h"

#include <openssl/err.h>
#include <stdlib.h>

enum { PLAIN_ROOM = 400000 };

const char *const tls_http1_only[] = {"http/1.1", NULL};

/* ---- Pairs ---- */

void pair_open(Pair *pair, TlsContext *context, SSL_CTX *client, const char *const *protocols)
{
    *pair = (Pair){.session = tls_session_make(context, protocols), .step = SIZE_MAX};
    pair->server_got = malloc(PLAIN_ROOM);
    pair->client = SSL_new(client);
    pair->to_client = BIO_new(BIO_s_mem());
    pair->from_client = BIO_new(BIO_s_mem());
    SSL_set_bio(pair->client, pair->to_client, pair->from_client);
    SSL_set_connect_state(pair->client);
}

void pair_close(Pair *pair)
{
    tls_session_free(pair->session);
    SSL_free(pair->client);
    free(pair->server_got);
    free(pair->output.bytes);
}

void pair_give_to_client(Pair *pair)
{
    if (pair->output.size > 0)
        BIO_write(pair->to_client, pair->output.bytes, (int)pair->output.size);
    pair->output.size = 0;
}

void pair_feed(Pair *pair, Slice bytes)
{
    while (bytes.size > 0) {
        size_t part = bytes.size < pair->step ? bytes.size : pair->step;
        size_t size;
        ASSERT(pair->server_size + part + TLS_RECORD_BYTES <= PLAIN_ROOM);
        pair->state = tls_session_receive(pair->session, slice_make(bytes.data, part),
                                          pair->server_got + pair->server_size, &size, &pair->output);
        pair->server_size += size;
        bytes = slice_skip(bytes, part);
    }
    pair_give_to_client(pair);
}

bool pair_carry(Pair *pair)
{
    char *bytes;
    long size = BIO_get_mem_data(pair->from_client, &bytes);
    if (size <= 0)
        return false;
    char *copy = malloc((size_t)size);
    memcpy(copy, bytes, (size_t)size);
    BIO_reset(pair->from_client);
    pair_feed(pair, slice_make(copy, (size_t)size));
    free(copy);
    return true;
}

bool pair_shake(Pair *pair)
{
    int done;
    do {
        ERR_clear_error();
        done = SSL_do_handshake(pair->client);
    } while (pair_carry(pair) || (done != 1 && SSL_get_error(pair->client, done) == SSL_ERROR_WANT_READ &&
                                  BIO_pending(pair->to_client) > 0));
    return done == 1;
}

void pair_client_says(Pair *pair, const char *bytes, size_t size)
{
    size_t written;
    ASSERT(SSL_write_ex(pair->client, bytes, size, &written) == 1);
    pair_carry(pair);
}

void pair_server_says(Pair *pair, Slice bytes)
{
    ASSERT(tls_session_send(pair->session, bytes, &pair->output));
    pair_give_to_client(pair);
}

int pair_client_hears(Pair *pair, char *bytes, size_t room, size_t *size)
{
    size_t got;
    *size = 0;
    ERR_clear_error();
    while (*size < room && SSL_read_ex(pair->client, bytes + *size, room - *size, &got) == 1)
        *size += got;
    return *size == room ? SSL_ERROR_NONE : SSL_get_error(pair->client, 0);
}

void pair_expect_heard(Pair *pair, const char *expected)
{
    char text[256];
    size_t size;
    ASSERT(pair_client_hears(pair, text, sizeof text, &size) == SSL_ERROR_WANT_READ);
    ASSERT(size == strlen(expected));
    ASSERT(memcmp(text, expected, size) == 0);
}

/* ---- Places ---- */

int tls_place_make(void **state)
{
    TlsPlace *place = calloc(1, sizeof *place);
    tls_files_make(&place->files);
    place->context = tls_files_context(&place->files);
    *state = place;
    return 0;
}

int tls_place_remove(void **state)
{
    TlsPlace *place = *state;
    tls_context_free(place->context);
    tls_files_remove(&place->files);
    arena_free(&place->arena);
    free(place);
    return 0;
}

const int tls_versions[2] = {TLS1_2_VERSION, TLS1_3_VERSION};

Slice tls_place_read(TlsPlace *place, const char *path)
{
    Slice content;
    ASSERT(os_read_file(os_linux(), path, &place->arena, 1000000, &content) == OK);
    return content;
}

void tls_place_expect_chain(TlsPlace *place, const char *name, int count)
{
    Pair pair;
    SSL_CTX *client = tls_client_context(TLS1_2_VERSION, TLS1_3_VERSION);
    pair_open(&pair, place->context, client, tls_http1_only);
    ASSERT(pair_shake(&pair));
    char *seen = tls_client_saw(pair.client);
    ASSERT(strcmp(seen, name) == 0);
    free(seen);
    ASSERT(sk_X509_num(SSL_get_peer_cert_chain(pair.client)) == count);
    pair_close(&pair);
    SSL_CTX_free(client);
}

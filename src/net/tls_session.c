#include "net/tls_internal.h"

#include "base/bug.h"

#include <openssl/err.h>
#include <stdlib.h>

enum { RECORD_OVERHEAD_BYTES = 64 };

struct TlsSession {
    SSL *ssl;
    const char *const *protocols;
    int protocol; /* which was chosen of them; -1: none */
    TlsState state;
    /* Only during a call: what the client has sent, and what goes to it. */
    Slice input;
    TlsOutput *output;
};

/* ---- The wire, as OpenSSL sees it ---- */

static int wire_read(BIO *wire, char *bytes, int size)
{
    TlsSession *session = BIO_get_data(wire);
    size_t part = session->input.size < (size_t)size ? session->input.size : (size_t)size;
    BIO_clear_retry_flags(wire);
    if (part == 0) {
        BIO_set_retry_read(wire);
        return -1;
    }
    memcpy(bytes, session->input.data, part);
    session->input = slice_skip(session->input, part);
    return (int)part;
}

static void output_reserve(TlsOutput *output, size_t more)
{
    size_t needed = output->size + more;
    if (needed <= output->capacity)
        return;
    output->capacity = output->capacity * 2 > needed ? output->capacity * 2 : needed;
    output->bytes = realloc(output->bytes, output->capacity);
    ASSERT(output->bytes != NULL);
}

static int wire_write(BIO *wire, const char *bytes, int size)
{
    TlsSession *session = BIO_get_data(wire);
    BIO_clear_retry_flags(wire);
    if (size <= 0)
        return 0;
    output_reserve(session->output, (size_t)size);
    memcpy(session->output->bytes + session->output->size, bytes, (size_t)size);
    session->output->size += (size_t)size;
    return size;
}

static long wire_control(BIO *wire, int command, long number, void *pointer)
{
    (void)wire;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int wire_create(BIO *wire)
{
    BIO_set_init(wire, 1);
    return 1;
}

BIO_METHOD *tls_session_wire_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "memory of a session");
    ASSERT(method != NULL);
    BIO_meth_set_create(method, wire_create);
    BIO_meth_set_read(method, wire_read);
    BIO_meth_set_write(method, wire_write);
    BIO_meth_set_ctrl(method, wire_control);
    return method;
}

/* ---- Life ---- */

TlsSession *tls_session_make(TlsContext *context, const char *const *protocols)
{
    TlsSession *session = calloc(1, sizeof *session);
    BIO *wire = BIO_new(tls_context_wire(context));
    ASSERT(session != NULL && wire != NULL);
    session->protocols = protocols;
    session->protocol = -1;
    session->ssl = tls_context_connection(context);
    BIO_set_data(wire, session);
    SSL_set_bio(session->ssl, wire, wire);
    SSL_set_app_data(session->ssl, session);
    SSL_set_accept_state(session->ssl);
    return session;
}

void tls_session_free(TlsSession *session)
{
    if (session == NULL)
        return;
    SSL_free(session->ssl);
    free(session);
}

/* ---- What is agreed on ---- */

int tls_session_choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_size,
                                const unsigned char *offered, unsigned offered_size, void *unused)
{
    (void)unused;
    TlsSession *session = SSL_get_app_data(ssl);
    for (const char *const *ours = session->protocols; *ours != NULL; ours++) {
        /* Names behind a byte of their length; OpenSSL has checked that they fit. */
        for (unsigned at = 0; at < offered_size; at += 1u + offered[at]) {
            if (!slice_equal(slice_of_string(*ours), slice_make(offered + at + 1, offered[at])))
                continue;
            session->protocol = (int)(ours - session->protocols);
            *chosen = offered + at + 1;
            *chosen_size = offered[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int tls_session_protocol(const TlsSession *session)
{
    return session->protocol;
}

/* ---- Bytes ---- */

/* SSL_get_error(3) takes what others have left there for its own. There is seldom something, and clearing takes long. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

static void shake_hands(TlsSession *session)
{
    int done = SSL_do_handshake(session->ssl);
    if (done == 1)
        session->state = TLS_OPEN;
    else if (SSL_get_error(session->ssl, done) != SSL_ERROR_WANT_READ)
        session->state = TLS_FAILED;
}

/* Decrypts all that is whole. Asking until there is nothing more would cost a read buffer each time. */
static void read_plain(TlsSession *session, char *plain, size_t room, size_t *size)
{
    while (session->input.size > 0 || SSL_has_pending(session->ssl) == 1) {
        size_t got;
        if (SSL_read_ex(session->ssl, plain + *size, room - *size, &got) == 1) {
            *size += got;
            ASSERT(*size < room);
            continue;
        }
        int error = SSL_get_error(session->ssl, 0);
        if (error == SSL_ERROR_ZERO_RETURN)
            session->state = TLS_ENDED;
        else if (error != SSL_ERROR_WANT_READ)
            session->state = TLS_FAILED;
        return;
    }
}

TlsState tls_session_receive(TlsSession *session, Slice ciphertext, char *plain, size_t *plain_size, TlsOutput *output)
{
    *plain_size = 0;
    session->input = ciphertext;
    session->output = output;
    forget_errors();
    if (session->state == TLS_HANDSHAKE)
        shake_hands(session);
    if (session->state == TLS_OPEN)
        read_plain(session, plain, ciphertext.size + TLS_RECORD_BYTES, plain_size);
    ASSERT(session->input.size == 0 || session->state > TLS_OPEN);
    session->output = NULL;
    return session->state;
}

bool tls_session_send(TlsSession *session, Slice plain, TlsOutput *output)
{
    if (session->state != TLS_OPEN && session->state != TLS_ENDED)
        return false;
    size_t written;
    session->output = output;
    /* Room for all of it at once, with what each record adds (RFC 5246, 6.2.3: at most 2048 bytes; our ciphers: 29). */
    output_reserve(output, plain.size + (plain.size / TLS_RECORD_BYTES + 1) * RECORD_OVERHEAD_BYTES);
    forget_errors();
    bool sent = plain.size == 0 || SSL_write_ex(session->ssl, plain.data, plain.size, &written) == 1;
    session->output = NULL;
    return sent;
}

void tls_session_end(TlsSession *session, TlsOutput *output)
{
    if ((session->state != TLS_OPEN && session->state != TLS_ENDED) ||
        (SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN) != 0)
        return;
    session->output = output;
    forget_errors();
    SSL_shutdown(session->ssl);
    session->output = NULL;
}

bool tls_session_is_partial(const TlsSession *session)
{
    /* Right behind its header nothing of a record is pending; there the state tells (SSL_rstate_string(3)). */
    return SSL_has_pending(session->ssl) == 1 || strcmp(SSL_rstate_string(session->ssl), "RB") == 0;
}

/* tls_internal.h: what contexts and sessions share; nobody else includes it. */
#ifndef BRUME_NET_TLS_INTERNAL_H
#define BRUME_NET_TLS_INTERNAL_H

#include "net/tls.h"

#include <openssl/ssl.h>

/* A new connection's state, with the certificate of the moment (tls_context.c). */
SSL *tls_context_connection(TlsContext *context);
/* How a session's bytes reach it; lives as long as the context. */
const BIO_METHOD *tls_context_wire(const TlsContext *context);

/* Makes the method of a BIO whose data is a session (tls_session.c). */
BIO_METHOD *tls_session_wire_method(void);
/* Chooses among what the client offers (SSL_CTX_set_alpn_select_cb(3)). */
int tls_session_choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_size,
                                const unsigned char *offered, unsigned offered_size, void *unused);

#endif

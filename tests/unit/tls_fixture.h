/* tls_fixture.h: certificates in a directory of the test's own, and a client of TLS over memory or a socket. */
#ifndef BRUME_TESTS_TLS_FIXTURE_H
#define BRUME_TESTS_TLS_FIXTURE_H

#include "net/tls.h"

#include <openssl/ssl.h>

typedef struct TlsFiles {
    char directory[64];
    char certificate[96];
    char key[96];
} TlsFiles;

/* Makes the directory with a self-signed pair in it; takes it away again. */
void tls_files_make(TlsFiles *files);
void tls_files_remove(TlsFiles *files);
/* Writes another self-signed pair, whose first name is `name`. */
void tls_files_renew(const TlsFiles *files, const char *name);
/* A file of the directory, written. */
const char *tls_files_write(const TlsFiles *files, const char *name, Slice content, unsigned mode);

/* A context that has loaded the files. */
TlsContext *tls_files_context(const TlsFiles *files);

/* The client's side: trusts nothing in particular, speaks versions from `lowest` to `highest` (TLS1_2_VERSION …). */
SSL_CTX *tls_client_context(int lowest, int highest);
/* The common name that the server showed. Free it. */
char *tls_client_saw(const SSL *client);

#endif

/* tls.h: TLS 1.2 and 1.3 for servers, over memory.
 *
 * A context is a certificate and its key, read from two PEM files, and the rules for what may be agreed on; any thread.
 * A session is one connection's: whoever owns it feeds what has come from the client, takes what that says, and is
 * given the bytes to send. It does no I/O and never blocks; one thread at a time uses it. One that waits holds no
 * buffers. Sessions keep the certificate with which they began and go before their context. */
#ifndef BRUME_NET_TLS_H
#define BRUME_NET_TLS_H

#include "base/arena.h"
#include "base/error.h"
#include "os/os.h"

enum {
    TLS_RECORD_BYTES = 16384, /* the most plaintext of one record (RFC 8446, 5.1) */
    TLS_WARNINGS = 3,
};

/* ---- Contexts ---- */

typedef struct TlsContext TlsContext;

/* What came of reading the files. Slices live in the caller's arena. */
typedef struct TlsLoad {
    Slice problem; /* why nothing has changed: one line that names the file and says what to do */
    Slice warnings[TLS_WARNINGS];
    size_t warning_count;
    Slice subject;      /* of the certificate, as "CN = localhost" */
    int64_t expires_ms; /* its last moment, since 1970 */
} TlsLoad;

/* Copies the paths; reads nothing yet. `os` gives files and the wall clock. */
TlsContext *tls_context_make(Os *os, const char *certificate_path, const char *key_path);
/* Reads both files: the server's own certificate, those between it and its root behind it, and the key. From then on
 * new sessions take these; those that live keep theirs. False, with the problem, when they cannot be used: what was
 * loaded before stays. Warns of what a client may refuse (expired, not yet valid) and of a key that others can read.
 * Blocks: reads files. */
bool tls_context_load(TlsContext *context, Arena *arena, TlsLoad *load);
void tls_context_free(TlsContext *context);

/* ---- Sessions ---- */

typedef struct TlsSession TlsSession;

typedef enum TlsState {
    TLS_HANDSHAKE, /* nothing may be sent yet */
    TLS_OPEN,
    TLS_ENDED,  /* the client will say no more (close_notify); sending goes on */
    TLS_FAILED, /* broken for good; the alert that says why is in the output */
} TlsState;

/* Bytes for the client, gathered for one write. The room comes from malloc and belongs to whoever passes it. */
typedef struct TlsOutput {
    char *bytes;
    size_t size;
    size_t capacity;
} TlsOutput;

/* Begins the server's side of a session. `protocols` are the names that ALPN may agree on, the best first, ended by
 * NULL; they live as long as the session. A client that offers others only is refused (RFC 7301, 3.2). */
TlsSession *tls_session_make(TlsContext *context, const char *const *protocols);
void tls_session_free(TlsSession *session);

/* Takes bytes of the client, all of them, and puts what they say at `plain`, where there must be room for as many bytes
 * and TLS_RECORD_BYTES more. What the protocol itself answers (the handshake, alerts) is added to the output. */
TlsState tls_session_receive(TlsSession *session, Slice ciphertext, char *plain, size_t *plain_size, TlsOutput *output);
/* Adds the bytes to the output, in as few records as there can be; false when the session has failed or ended. */
bool tls_session_send(TlsSession *session, Slice plain, TlsOutput *output);
/* Says that nothing more will come (close_notify), once; nothing before the handshake or after a failure. */
void tls_session_end(TlsSession *session, TlsOutput *output);

/* What ALPN agreed on, as an index into the session's `protocols`; -1 when the client did not ask. */
int tls_session_protocol(const TlsSession *session);
/* Whether the session holds a part of a record, whose rest is still to come. */
bool tls_session_is_partial(const TlsSession *session);

#endif

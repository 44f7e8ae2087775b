/* authenticate.h: from a request's signature to its Actor.
 *
 * Signature Version 4, by header or presigned query (AWS IAM user guide, "AWS Signature Version 4 for API requests").
 * In mode `open` no signature is verified: the account is the access key id when that is 12 digits, else 000000000000;
 * a session token of this server (core/session.h) is believed, so that a caller is who it took on to be. In mode
 * `signed` every request is verified: never is the outcome of a verification remembered, only signing keys are.
 * One authenticator a loop; its functions run on that loop. */
#ifndef BRUME_AWS_WIRE_AUTHENTICATE_H
#define BRUME_AWS_WIRE_AUTHENTICATE_H

#include "aws/wire/call.h"
#include "core/account.h"
#include "net/http.h"

typedef enum AuthMode { AUTH_OPEN, AUTH_SIGNED } AuthMode;

typedef struct Authenticator Authenticator;

typedef struct AuthenticatorOptions {
    Os *os;
    Store *store;
    Mailbox *mailbox; /* the loop's */
    AuthMode mode;
    /* Bumped whenever keys change (core/account.h); NULL: signing keys are not remembered. */
    const AccountGeneration *generation;
    Slice root_access_key_id; /* BRUME_ACCESS_KEY_ID, the root key of account 000000000000; absent: none */
    Slice root_secret;
} AuthenticatorOptions;

Authenticator *authenticator_open(const AuthenticatorOptions *options);
void authenticator_close(Authenticator *authenticator);

/* What the request says of itself before anything is verified: the signing scope, for routing. Absent parts are
 * absent; never fails. */
typedef struct SigningScope {
    Slice access_key_id;
    Slice date;
    Slice region;
    Slice service;
} SigningScope;
SigningScope signing_scope(const HttpRequest *request);

/* What a signature covers besides the head. */
typedef struct SignedBody {
    Slice bytes;                 /* the whole body: hashed unless the request signs UNSIGNED-PAYLOAD */
    const unsigned char *sha256; /* its hash, where that is known already; else NULL */
} SignedBody;

/* Fills call->actor (region: the scope's, else us-east-1) and calls `done` with OK, or refuses with call_fail and
 * ERROR_ANSWERED, or gives the store's own error. Calls `done` before it returns unless a key has to be read from the
 * disk. */
void authenticate(Authenticator *authenticator, Call *call, const HttpRequest *request, SignedBody body,
                  void (*done)(Call *call, Error error));

#endif

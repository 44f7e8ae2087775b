/* session.h: temporary credentials, which carry all that there is to know of them.
 *
 * A session token is what the session says and a code over it (HMAC-SHA-256, RFC 2104) by a secret that the store keeps;
 * the secret access key is another code over the token. So a session needs no record: however many there are, nothing
 * grows, and nothing has to be looked up when one of them signs. A session ends when its time has passed, by the wall
 * clock; nothing ends it earlier. What a token says can be read by who has it, and changed by nobody. */
#ifndef BRUME_CORE_SESSION_H
#define BRUME_CORE_SESSION_H

#include "core/identity.h"

enum {
    SESSION_SECRET_SIZE = 32,
    SESSION_ACCESS_KEY_SIZE = 20, /* "ASIA" and 16 characters of base32 */
    SESSION_SECRET_KEY_SIZE = 40, /* of base64 */
    SESSION_PACKED_MAX = 4096,    /* bytes of policies and tags in a token; our own bound */
    SESSION_TOKEN_MAX = 3 * 4096, /* characters of a token */
    SESSION_NAME_MAX = 64,        /* STS API reference, AssumeRole: RoleSessionName */
    SESSION_DURATION_MIN_S = 900, /* the same: DurationSeconds */
    SESSION_DURATION_S = 3600,    /* when nothing is asked for */
    SESSION_CHAINED_MAX_S = 3600, /* IAM user guide, "Roles terms and concepts": role chaining */
};

typedef struct Session {
    Slice account;
    Slice access_key_id;
    Slice principal_arn; /* "arn:aws:sts::…:assumed-role/role/session", or the user's own */
    Slice principal_id;  /* "AROA…:session", or the user's own */
    Slice role_arn;      /* absent: a user's session, of no role */
    Slice source_identity;
    uint64_t expires_ms; /* on the wall clock */
    Slice policy;        /* a session policy, which narrows what the session may; absent: none */
    Slice *policy_arns;
    size_t policy_arn_count;
    Labels labels;
    uint64_t transitive; /* bit i: labels.items[i] goes on to sessions made by this one */
} Session;

typedef struct SessionCredentials {
    Slice access_key_id;
    Slice secret_key;
    Slice token;
    uint64_t expires_ms;
} SessionCredentials;

/* The store's secret, made by the first body that asks in a write; in a read SESSION_TOKEN_INVALID when there is none:
 * no token was ever given. It never changes, so that it may be remembered. */
Error session_secret_make(Txn *txn, unsigned char secret[SESSION_SECRET_SIZE]);
Error session_secret_get(Txn *txn, unsigned char secret[SESSION_SECRET_SIZE]);

/* Gives the session an access key id, and its credentials in the transaction's arena. SESSION_TOO_LARGE: policies and
 * labels pass SESSION_PACKED_MAX. */
Error session_issue(Txn *txn, const unsigned char secret[SESSION_SECRET_SIZE], Session *session,
                    SessionCredentials *credentials);
/* How much of SESSION_PACKED_MAX policies and labels take, in per cent. */
uint64_t session_packed_percent(Arena *arena, const Session *session);

/* Reads a token; slices lie in the arena. SESSION_TOKEN_INVALID: not made with this secret. Says nothing of expiry. */
Error session_read(Arena *arena, const unsigned char secret[SESSION_SECRET_SIZE], Slice token, Session *session);
/* The secret access key that belongs to a token. */
Slice session_secret_key(Arena *arena, const unsigned char secret[SESSION_SECRET_SIZE], Slice token);

/* A session of the role, named `name`. The caller has found that it may be. */
Session session_of_role(Arena *arena, const Identity *role, Slice name);

/* Credentials for the platform's own use, in a write: a function's worker runs as its role. `service` must be let in by
 * the role's trust policy ("lambda.amazonaws.com"). IDENTITY_NOT_FOUND; ERROR_DENIED: the role does not trust it. */
typedef struct SessionForRole {
    Slice account;
    Slice role_name;
    Slice session_name;
    Slice service;
    uint64_t expires_ms;
} SessionForRole;
Error identity_session_for_role(Txn *txn, const SessionForRole *request, SessionCredentials *credentials);

#endif

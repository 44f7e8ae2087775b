#include "aws/wire/authenticate.h"

#include "aws/wire/common_error.h"
#include "aws/wire/sigv4.h"
#include "base/bug.h"
#include "core/identity.h"
#include "core/session.h"

#include <stdlib.h>

enum {
    CACHE_SETS = 256, /* a power of two */
    CACHE_WAYS = 4,
    IDENTITY_MAX = 160,
    ACCESS_KEY_ID_MAX = 128, /* IAM API reference, AccessKey: AccessKeyId */
    REGION_MAX = 32,
    PRINCIPAL_ARN_MAX = 160, /* of what is remembered; IAM's are longer where paths are */
    PRINCIPAL_ID_MAX = 32,
};

static const Slice default_region = SLICE_INIT("us-east-1");

/* A signing key, good for one access key, day, region and service. It is remembered only after a signature by it was
 * verified, so that nobody without a key can push others out. */
typedef struct SigningKey {
    uint64_t generation; /* of the access keys when it was read */
    size_t identity_size;
    char identity[IDENTITY_MAX]; /* "AKID…/20150830/us-east-1/sqs"; size 0: free */
    char account[ACCOUNT_ID_SIZE];
    size_t arn_size;
    char arn[PRINCIPAL_ARN_MAX];
    size_t id_size;
    char id[PRINCIPAL_ID_MAX];
    unsigned char key[SHA256_SIZE];
} SigningKey;

struct Authenticator {
    AuthenticatorOptions options; /* its slices are ours */
    bool has_session_secret;      /* it never changes, so that it is read once */
    unsigned char session_secret[SESSION_SECRET_SIZE];
    unsigned next_way;
    SigningKey cache[CACHE_SETS][CACHE_WAYS];
};

/* Whose a key is. */
typedef struct Principal {
    Slice account;
    Slice arn;
    Slice id;
} Principal;

/* One request on its way to its actor. */
typedef struct Attempt {
    StoreCall read; /* of the access key, or of the sessions' secret */
    Authenticator *authenticator;
    Call *call;
    const HttpRequest *request;
    SignedBody body;
    void (*done)(Call *call, Error error);
    SigV4 signature;
    Slice identity;
    uint64_t generation;
    AccessKey key;
    Principal principal;
    unsigned char session_secret[SESSION_SECRET_SIZE]; /* as read, perhaps on another thread */
} Attempt;

Authenticator *authenticator_open(const AuthenticatorOptions *options)
{
    Authenticator *authenticator = calloc(1, sizeof *authenticator);
    ASSERT(authenticator != NULL);
    authenticator->options = *options;
    if (options->root_access_key_id.data != NULL) {
        authenticator->options.root_access_key_id.data =
            strndup(options->root_access_key_id.data, options->root_access_key_id.size);
        authenticator->options.root_secret.data = strndup(options->root_secret.data, options->root_secret.size);
        ASSERT(authenticator->options.root_access_key_id.data != NULL &&
               authenticator->options.root_secret.data != NULL);
    }
    return authenticator;
}

void authenticator_close(Authenticator *authenticator)
{
    Slice secret = authenticator->options.root_secret;
    if (secret.data != NULL)
        explicit_bzero((char *)secret.data, secret.size);
    free((char *)secret.data);
    free((char *)authenticator->options.root_access_key_id.data);
    explicit_bzero(authenticator->cache, sizeof authenticator->cache);
    explicit_bzero(authenticator->session_secret, sizeof authenticator->session_secret);
    free(authenticator);
}

SigningScope signing_scope(const HttpRequest *request)
{
    SigV4 signature;
    if (!sigv4_read_credential(request, request->arena, &signature))
        return (SigningScope){0};
    return (SigningScope){signature.access_key_id, signature.date, signature.region, signature.service};
}

/* ---- The actor ---- */

/* A name of a region's form; regions are part of every key, so nothing else gets in. */
static bool region_is_valid(Slice region)
{
    for (size_t i = 0; i < region.size; i++) {
        char c = region.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return region.size > 0 && region.size <= REGION_MAX;
}

static Principal root_of(Arena *arena, Slice account)
{
    Buffer arn = buffer_make(arena);
    buffer_reserve(&arn, 32);
    BUFFER_ADD(&arn, "arn:aws:iam::");
    buffer_add(&arn, account);
    BUFFER_ADD(&arn, ":root");
    return (Principal){account, buffer_slice(&arn), account};
}

static void set_actor(Call *call, const Principal *principal, Slice region, Slice access_key_id)
{
    call->actor = (Actor){
        .account = principal->account,
        .region = region,
        .principal_arn = principal->arn,
        .principal_id = principal->id,
        .access_key_id = access_key_id,
    };
}

static void set_session_actor(Call *call, const Session *session, Slice region)
{
    Principal principal = {session->account, session->principal_arn, session->principal_id};
    set_actor(call, &principal, region, session->access_key_id);
    call->actor.session = session;
}

static void accept_unverified(Call *call, const HttpRequest *request)
{
    SigningScope scope = signing_scope(request);
    Slice account = account_id_is_valid(scope.access_key_id) ? scope.access_key_id : ACCOUNT_DEFAULT;
    Principal root = root_of(call->arena, account);
    set_actor(call, &root, region_is_valid(scope.region) ? scope.region : default_region, scope.access_key_id);
}

/* ---- Refusals ---- */

static Error refuse(Call *call, SigV4Verdict verdict, Slice message)
{
    static const ApiError *const rows[] = {
        [SIGV4_UNSIGNED] = &common_missing_authentication_token, [SIGV4_INCOMPLETE] = &common_incomplete_signature,
        [SIGV4_MISMATCH] = &common_signature_does_not_match,     [SIGV4_EXPIRED] = &common_request_expired,
        [SIGV4_UNSUPPORTED] = &common_not_implemented,
    };
    ASSERT(verdict != SIGV4_GOOD);
    return call_fail(call, rows[verdict], "%.*s", SLICE_PRINT(message));
}

static Error refuse_key(Call *call)
{
    return call_fail(call, &common_invalid_client_token_id, "The security token included in the request is invalid.");
}

/* ---- Signing keys ---- */

static Slice identity_of(Arena *arena, const SigV4 *signature)
{
    Buffer identity = buffer_make(arena);
    buffer_reserve(&identity, IDENTITY_MAX);
    buffer_add(&identity, signature->access_key_id);
    buffer_add_byte(&identity, '/');
    buffer_add(&identity, signature->scope); /* it has no '/' in its parts, so no two identities are the same text */
    return buffer_slice(&identity);
}

/* FNV-1a. Only holders of keys put entries in, so that it need not withstand chosen collisions. */
static SigningKey *cache_set(Authenticator *authenticator, Slice identity)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < identity.size; i++)
        hash = (hash ^ (unsigned char)identity.data[i]) * 1099511628211u;
    return authenticator->cache[(hash ^ hash >> 32) & (CACHE_SETS - 1)];
}

static const SigningKey *cache_find(Authenticator *authenticator, Slice identity, uint64_t generation)
{
    const SigningKey *set = cache_set(authenticator, identity);
    for (size_t way = 0; way < CACHE_WAYS; way++)
        if (set[way].generation == generation && set[way].identity_size > 0 &&
            slice_equal(slice_make(set[way].identity, set[way].identity_size), identity))
            return &set[way];
    return NULL;
}

static Principal principal_of(Arena *arena, const SigningKey *key)
{
    return (Principal){
        .account = arena_copy(arena, slice_make(key->account, ACCOUNT_ID_SIZE)),
        .arn = arena_copy(arena, slice_make(key->arn, key->arn_size)),
        .id = arena_copy(arena, slice_make(key->id, key->id_size)),
    };
}

static void cache_put(Authenticator *authenticator, const Attempt *attempt, const Principal *principal,
                      const unsigned char key[SHA256_SIZE])
{
    Slice identity = attempt->identity;
    if (authenticator->options.generation == NULL || identity.size > IDENTITY_MAX ||
        principal->arn.size > PRINCIPAL_ARN_MAX || principal->id.size > PRINCIPAL_ID_MAX)
        return;
    SigningKey *entry = &cache_set(authenticator, identity)[authenticator->next_way++ % CACHE_WAYS];
    entry->generation = attempt->generation;
    entry->identity_size = identity.size;
    memcpy(entry->identity, identity.data, identity.size);
    memcpy(entry->account, principal->account.data, ACCOUNT_ID_SIZE);
    entry->arn_size = principal->arn.size;
    memcpy(entry->arn, principal->arn.data, principal->arn.size);
    entry->id_size = principal->id.size;
    memcpy(entry->id, principal->id.data, principal->id.size);
    memcpy(entry->key, key, SHA256_SIZE);
}

/* ---- Verification ---- */

static Error check_scope(const Attempt *attempt)
{
    const SigV4 *signature = &attempt->signature;
    const Service *service = attempt->call->service;
    if (!region_is_valid(signature->region))
        return call_fail(attempt->call, &common_signature_does_not_match,
                         "Credential should be scoped to a valid region.");
    if (service != NULL && !slice_equal(signature->service, service->name))
        return call_fail(attempt->call, &common_signature_does_not_match,
                         "Credential should be scoped to correct service: '%.*s'.", SLICE_PRINT(service->name));
    return OK;
}

/* With the signing key at hand: the scope fits the call, the time is right, the signature is. */
static Error verify_signature(const Attempt *attempt, const unsigned char key[SHA256_SIZE])
{
    Call *call = attempt->call;
    SigV4 signature = attempt->signature;
    int64_t now_s = (int64_t)(os_wall_ms(attempt->authenticator->options.os) / 1000);
    Slice message;
    TRY(check_scope(attempt));
    signature.body_sha256 = attempt->body.sha256;
    SigV4Verdict verdict = sigv4_check_time(&signature, now_s, call->arena, &message);
    if (verdict == SIGV4_GOOD)
        verdict = sigv4_verify(&signature, attempt->request, attempt->body.bytes, key, call->arena, &message);
    return verdict == SIGV4_GOOD ? OK : refuse(call, verdict, message);
}

static Error verify(const Attempt *attempt, const Principal *principal, const unsigned char key[SHA256_SIZE])
{
    TRY(verify_signature(attempt, key));
    set_actor(attempt->call, principal, attempt->signature.region, attempt->signature.access_key_id);
    attempt->call->actor.verified = true;
    return OK;
}

static Error verify_with_secret(const Attempt *attempt, const Principal *principal, Slice secret)
{
    unsigned char key[SHA256_SIZE];
    const SigV4 *signature = &attempt->signature;
    sigv4_signing_key(secret, signature->date, signature->region, signature->service, key);
    Error error = verify(attempt, principal, key);
    if (error == OK)
        cache_put(attempt->authenticator, attempt, principal, key);
    explicit_bzero(key, sizeof key);
    return error;
}

/* ---- Sessions ---- */

/* OK with NULL: not a token of this server, or of another key. */
static Error read_session(const Attempt *attempt, const Session **session)
{
    Call *call = attempt->call;
    Session *read = ARENA_NEW(call->arena, Session);
    *session = NULL;
    if (session_read(call->arena, attempt->authenticator->session_secret, attempt->signature.security_token, read) !=
            OK ||
        !slice_equal(read->access_key_id, attempt->signature.access_key_id))
        return OK;
    if (read->expires_ms <= os_wall_ms(attempt->authenticator->options.os))
        return call_fail(call, &common_expired_token, NULL);
    *session = read;
    return OK;
}

/* Without a signature to verify, the token alone says who calls; a token of somebody else's says nothing. */
static Error accept_session(const Attempt *attempt)
{
    const Session *session;
    TRY(read_session(attempt, &session));
    if (session != NULL)
        set_session_actor(attempt->call, session, attempt->call->actor.region);
    return OK;
}

static Error verify_session(const Attempt *attempt)
{
    Call *call = attempt->call;
    const SigV4 *signature = &attempt->signature;
    const Session *session;
    unsigned char key[SHA256_SIZE];
    TRY(read_session(attempt, &session));
    if (session == NULL)
        return refuse_key(call);
    Slice secret = session_secret_key(call->arena, attempt->authenticator->session_secret, signature->security_token);
    sigv4_signing_key(secret, signature->date, signature->region, signature->service, key);
    Error error = verify_signature(attempt, key);
    explicit_bzero(key, sizeof key);
    explicit_bzero((char *)secret.data, secret.size);
    if (error != OK)
        return error;
    set_session_actor(call, session, signature->region);
    call->actor.verified = true;
    return OK;
}

static Error with_session_secret(const Attempt *attempt)
{
    return attempt->authenticator->options.mode == AUTH_OPEN ? accept_session(attempt) : verify_session(attempt);
}

static Error read_session_secret(Txn *txn, StoreCall *call)
{
    Attempt *attempt = CONTAINER_OF(call, Attempt, read);
    return session_secret_get(txn, attempt->session_secret);
}

static void have_session_secret(StoreCall *call)
{
    Attempt *attempt = CONTAINER_OF(call, Attempt, read);
    Error error = call->result;
    if (error == SESSION_TOKEN_INVALID) { /* there is no secret: no token is ours */
        error = attempt->authenticator->options.mode == AUTH_OPEN ? OK : refuse_key(attempt->call);
    } else if (error == OK) {
        memcpy(attempt->authenticator->session_secret, attempt->session_secret, SESSION_SECRET_SIZE);
        explicit_bzero(attempt->session_secret, SESSION_SECRET_SIZE);
        attempt->authenticator->has_session_secret = true;
        error = with_session_secret(attempt);
    }
    attempt->done(attempt->call, error);
}

/* ERROR_WAIT: the store is asked and calls back. */
static Error authenticate_session(Attempt *attempt)
{
    const AuthenticatorOptions *options = &attempt->authenticator->options;
    if (attempt->authenticator->has_session_secret)
        return with_session_secret(attempt);
    attempt->read = (StoreCall){
        .body = read_session_secret,
        .done = have_session_secret,
        .mailbox = options->mailbox,
        .arena = attempt->call->arena,
    };
    store_read(options->store, &attempt->read);
    return ERROR_WAIT;
}

/* ---- Access keys ---- */

static Error read_access_key(Txn *txn, StoreCall *call)
{
    Attempt *attempt = CONTAINER_OF(call, Attempt, read);
    AccessKey key;
    Identity user;
    TRY(access_key_get(txn, attempt->signature.access_key_id, &key));
    if (key.inactive)
        return ACCESS_KEY_NOT_FOUND;
    attempt->key.secret = arena_copy(call->arena, key.secret);
    Slice account = arena_copy(call->arena, key.account);
    attempt->principal = root_of(call->arena, account);
    if (key.user.data == NULL)
        return OK;
    TRY(identity_get(txn, account, IDENTITY_USER, key.user, &user));
    attempt->principal.arn = identity_arn(call->arena, &user);
    attempt->principal.id = arena_copy(call->arena, user.id);
    return OK;
}

static void have_access_key(StoreCall *call)
{
    Attempt *attempt = CONTAINER_OF(call, Attempt, read);
    Error error = call->result;
    if (error == ACCESS_KEY_NOT_FOUND) {
        error = refuse_key(attempt->call);
    } else if (error == OK) {
        error = verify_with_secret(attempt, &attempt->principal, attempt->key.secret);
        explicit_bzero((char *)attempt->key.secret.data, attempt->key.secret.size);
    }
    attempt->done(attempt->call, error);
}

static void verify_by_store(Attempt *attempt)
{
    const AuthenticatorOptions *options = &attempt->authenticator->options;
    attempt->read = (StoreCall){
        .body = read_access_key,
        .done = have_access_key,
        .mailbox = options->mailbox,
        .arena = attempt->call->arena,
        .refusable = true,
    };
    store_read(options->store, &attempt->read);
}

/* ERROR_WAIT: the store is asked and calls back. */
static Error authenticate_signed(Attempt *attempt)
{
    Authenticator *authenticator = attempt->authenticator;
    const AuthenticatorOptions *options = &authenticator->options;
    Call *call = attempt->call;
    SigV4 *signature = &attempt->signature;
    Slice message;
    SigV4Verdict verdict = sigv4_parse(attempt->request, call->arena, signature, &message);
    if (verdict != SIGV4_GOOD)
        return refuse(call, verdict, message);
    if (signature->access_key_id.size > ACCESS_KEY_ID_MAX)
        return refuse_key(call);
    if (signature->security_token.data != NULL)
        return authenticate_session(attempt);

    attempt->identity = identity_of(call->arena, signature);
    /* Read before the key: a key that changes after this is not found under the newer number. */
    attempt->generation = options->generation == NULL ? 0 : atomic_load(&options->generation->number);
    const SigningKey *known = cache_find(authenticator, attempt->identity, attempt->generation);
    if (known != NULL) {
        Principal principal = principal_of(call->arena, known);
        return verify(attempt, &principal, known->key);
    }
    if (options->root_access_key_id.data != NULL &&
        slice_equal(signature->access_key_id, options->root_access_key_id)) {
        Principal root = root_of(call->arena, ACCOUNT_DEFAULT);
        return verify_with_secret(attempt, &root, options->root_secret);
    }
    verify_by_store(attempt);
    return ERROR_WAIT;
}

/* Whether the caller claims to be a session: asked before anything is set up, since most are not. */
static bool claims_session(const Call *call)
{
    return slice_starts_with(call->actor.access_key_id, SLICE("ASIA"));
}

/* ERROR_WAIT: the store is asked and calls back. */
static Error authenticate_open(Attempt *attempt)
{
    Slice message;
    if (sigv4_parse(attempt->request, attempt->call->arena, &attempt->signature, &message) != SIGV4_GOOD ||
        attempt->signature.security_token.data == NULL)
        return OK;
    return authenticate_session(attempt);
}

void authenticate(Authenticator *authenticator, Call *call, const HttpRequest *request, SignedBody body,
                  void (*done)(Call *call, Error error))
{
    bool open = authenticator->options.mode == AUTH_OPEN;
    if (open)
        accept_unverified(call, request);
    if (open && !claims_session(call)) {
        done(call, OK);
        return;
    }
    Attempt *attempt = ARENA_NEW(call->arena, Attempt);
    attempt->authenticator = authenticator;
    attempt->call = call;
    attempt->request = request;
    attempt->body = body;
    attempt->done = done;
    Error error = open ? authenticate_open(attempt) : authenticate_signed(attempt);
    if (error != ERROR_WAIT)
        done(call, error);
}

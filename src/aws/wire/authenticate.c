#include "aws/wire/authenticate.h"

#include "aws/wire/common_error.h"
#include "aws/wire/sigv4.h"
#include "base/bug.h"

#include <stdlib.h>

enum {
    CACHE_SETS = 256, /* a power of two */
    CACHE_WAYS = 4,
    IDENTITY_MAX = 160,
    ACCESS_KEY_ID_MAX = 128, /* IAM API reference, AccessKey: AccessKeyId */
    REGION_MAX = 32,
};

static const Slice default_region = SLICE_INIT("us-east-1");

/* A signing key, good for one access key, day, region and service. It is remembered only after a signature by it was
 * verified, so that nobody without a key can push others out. */
typedef struct SigningKey {
    uint64_t generation; /* of the access keys when it was read */
    size_t identity_size;
    char identity[IDENTITY_MAX]; /* "AKID…/20150830/us-east-1/sqs"; size 0: free */
    char account[ACCOUNT_ID_SIZE];
    unsigned char key[SHA256_SIZE];
} SigningKey;

struct Authenticator {
    AuthenticatorOptions options; /* its slices are ours */
    unsigned next_way;
    SigningKey cache[CACHE_SETS][CACHE_WAYS];
};

/* One request on its way to its actor. */
typedef struct Attempt {
    StoreCall read; /* of the access key */
    Authenticator *authenticator;
    Call *call;
    const HttpRequest *request;
    Slice body;
    void (*done)(Call *call, Error error);
    SigV4 signature;
    Slice identity;
    uint64_t generation;
    AccessKey key;
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

/* Access keys are their account's root until there are users. */
static void set_actor(Call *call, Slice account, Slice region, Slice access_key_id)
{
    Buffer arn = buffer_make(call->arena);
    buffer_reserve(&arn, 32);
    BUFFER_ADD(&arn, "arn:aws:iam::");
    buffer_add(&arn, account);
    BUFFER_ADD(&arn, ":root");
    call->actor = (Actor){
        .account = account,
        .region = region,
        .principal_arn = buffer_slice(&arn),
        .principal_id = account,
        .access_key_id = access_key_id,
    };
}

static void accept_unverified(Call *call, const HttpRequest *request)
{
    SigningScope scope = signing_scope(request);
    set_actor(call, account_id_is_valid(scope.access_key_id) ? scope.access_key_id : ACCOUNT_DEFAULT,
              region_is_valid(scope.region) ? scope.region : default_region, scope.access_key_id);
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

static void cache_put(Authenticator *authenticator, const Attempt *attempt, Slice account,
                      const unsigned char key[SHA256_SIZE])
{
    Slice identity = attempt->identity;
    if (authenticator->options.generation == NULL || identity.size > IDENTITY_MAX)
        return;
    SigningKey *entry = &cache_set(authenticator, identity)[authenticator->next_way++ % CACHE_WAYS];
    entry->generation = attempt->generation;
    entry->identity_size = identity.size;
    memcpy(entry->identity, identity.data, identity.size);
    memcpy(entry->account, account.data, ACCOUNT_ID_SIZE);
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

/* The last steps, with the signing key at hand: the scope fits the call, the time is right, the signature is. */
static Error verify(const Attempt *attempt, Slice account, const unsigned char key[SHA256_SIZE])
{
    Call *call = attempt->call;
    const SigV4 *signature = &attempt->signature;
    int64_t now_s = (int64_t)(os_wall_ms(attempt->authenticator->options.os) / 1000);
    Slice message;
    TRY(check_scope(attempt));
    SigV4Verdict verdict = sigv4_check_time(signature, now_s, call->arena, &message);
    if (verdict == SIGV4_GOOD)
        verdict = sigv4_verify(signature, attempt->request, attempt->body, key, call->arena, &message);
    if (verdict != SIGV4_GOOD)
        return refuse(call, verdict, message);
    set_actor(call, account, signature->region, signature->access_key_id);
    return OK;
}

static Error verify_with_secret(const Attempt *attempt, Slice account, Slice secret)
{
    unsigned char key[SHA256_SIZE];
    const SigV4 *signature = &attempt->signature;
    sigv4_signing_key(secret, signature->date, signature->region, signature->service, key);
    Error error = verify(attempt, account, key);
    if (error == OK)
        cache_put(attempt->authenticator, attempt, account, key);
    explicit_bzero(key, sizeof key);
    return error;
}

static Error read_access_key(Txn *txn, StoreCall *call)
{
    Attempt *attempt = CONTAINER_OF(call, Attempt, read);
    AccessKey key;
    TRY(access_key_get(txn, attempt->signature.access_key_id, &key));
    attempt->key.secret = arena_copy(call->arena, key.secret);
    attempt->key.account = arena_copy(call->arena, key.account);
    return OK;
}

static void have_access_key(StoreCall *call)
{
    Attempt *attempt = CONTAINER_OF(call, Attempt, read);
    Error error = call->result;
    if (error == ACCESS_KEY_NOT_FOUND) {
        error = refuse_key(attempt->call);
    } else if (error == OK) {
        error = verify_with_secret(attempt, attempt->key.account, attempt->key.secret);
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
    /* There are no temporary credentials yet: no key has a token. */
    if (signature->security_token.data != NULL || signature->access_key_id.size > ACCESS_KEY_ID_MAX)
        return refuse_key(call);

    attempt->identity = identity_of(call->arena, signature);
    /* Read before the key: a key that changes after this is not found under the newer number. */
    attempt->generation = options->generation == NULL ? 0 : atomic_load(&options->generation->number);
    const SigningKey *known = cache_find(authenticator, attempt->identity, attempt->generation);
    if (known != NULL)
        return verify(attempt, arena_copy(call->arena, slice_make(known->account, ACCOUNT_ID_SIZE)), known->key);
    if (options->root_access_key_id.data != NULL && slice_equal(signature->access_key_id, options->root_access_key_id))
        return verify_with_secret(attempt, ACCOUNT_DEFAULT, options->root_secret);
    verify_by_store(attempt);
    return ERROR_WAIT;
}

void authenticate(Authenticator *authenticator, Call *call, const HttpRequest *request, Slice body,
                  void (*done)(Call *call, Error error))
{
    if (authenticator->options.mode == AUTH_OPEN) {
        accept_unverified(call, request);
        done(call, OK);
        return;
    }
    Attempt *attempt = ARENA_NEW(call->arena, Attempt);
    attempt->authenticator = authenticator;
    attempt->call = call;
    attempt->request = request;
    attempt->body = body;
    attempt->done = done;
    Error error = authenticate_signed(attempt);
    if (error != ERROR_WAIT)
        done(call, error);
}

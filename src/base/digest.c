#include "base/digest.h"

#include "base/bug.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

enum { SHA256_BLOCK = 64 };

/* The process's algorithms and the thread's contexts are the one state of this file. They are caches: fetching an
 * algorithm takes a lock and a search by name, which costs more than hashing a request does. */
static EVP_MD *md5_algorithm;
static EVP_MD *sha256_algorithm;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static pthread_key_t contexts_key; /* frees a thread's contexts when it ends */

typedef struct Contexts {
    EVP_MD_CTX *md5;
    EVP_MD_CTX *sha256;
} Contexts;

static _Thread_local Contexts *thread_contexts;

static void contexts_free(void *pointer)
{
    Contexts *contexts = pointer;
    EVP_MD_CTX_free(contexts->md5);
    EVP_MD_CTX_free(contexts->sha256);
    free(contexts);
    thread_contexts = NULL;
}

static void fetch_algorithms(void)
{
    md5_algorithm = EVP_MD_fetch(NULL, "MD5", NULL);
    sha256_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    ASSERT(md5_algorithm != NULL && sha256_algorithm != NULL);
    ASSERT(pthread_key_create(&contexts_key, contexts_free) == 0);
}

/* Out of line, so that what follows a call to contexts() is not slowed by it. */
static __attribute__((noinline)) Contexts *contexts_make(void)
{
    ASSERT(pthread_once(&fetched, fetch_algorithms) == 0);
    Contexts *contexts = calloc(1, sizeof *contexts);
    ASSERT(contexts != NULL);
    contexts->md5 = EVP_MD_CTX_new();
    contexts->sha256 = EVP_MD_CTX_new();
    ASSERT(contexts->md5 != NULL && contexts->sha256 != NULL);
    ASSERT(pthread_setspecific(contexts_key, contexts) == 0);
    thread_contexts = contexts;
    return contexts;
}

static Contexts *contexts(void)
{
    return thread_contexts != NULL ? thread_contexts : contexts_make();
}

/* The provider's own hashes fail only for want of memory, which is handled as everywhere: the process stops. */
static void hash_begin(EVP_MD_CTX *context, const EVP_MD *algorithm)
{
    ASSERT(EVP_DigestInit_ex2(context, algorithm, NULL) == 1);
}

static void hash_add(EVP_MD_CTX *context, Slice data)
{
    if (data.size > 0)
        ASSERT(EVP_DigestUpdate(context, data.data, data.size) == 1);
}

static void hash_end(EVP_MD_CTX *context, unsigned char *digest)
{
    ASSERT(EVP_DigestFinal_ex(context, digest, NULL) == 1);
}

void md5(Slice data, unsigned char digest[MD5_SIZE])
{
    EVP_MD_CTX *context = contexts()->md5;
    hash_begin(context, md5_algorithm);
    hash_add(context, data);
    hash_end(context, digest);
}

void sha256(Slice data, unsigned char digest[SHA256_SIZE])
{
    EVP_MD_CTX *context = contexts()->sha256;
    hash_begin(context, sha256_algorithm);
    hash_add(context, data);
    hash_end(context, digest);
}

/* RFC 2104 over the thread's hash context: with the key given at each call, OpenSSL's MAC interface would look up
 * parameters and copy contexts for longer than the hashing takes. */
void hmac_sha256(Slice key, Slice data, unsigned char digest[SHA256_SIZE])
{
    unsigned char hashed_key[SHA256_SIZE];
    if (key.size > SHA256_BLOCK) {
        sha256(key, hashed_key);
        key = slice_make(hashed_key, sizeof hashed_key);
    }
    unsigned char inner[SHA256_BLOCK] = {0};
    unsigned char outer[SHA256_BLOCK];
    if (key.size > 0)
        memcpy(inner, key.data, key.size);
    for (size_t i = 0; i < SHA256_BLOCK; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    EVP_MD_CTX *context = contexts()->sha256;
    hash_begin(context, sha256_algorithm);
    hash_add(context, slice_make(inner, sizeof inner));
    hash_add(context, data);
    hash_end(context, digest);
    hash_begin(context, sha256_algorithm);
    hash_add(context, slice_make(outer, sizeof outer));
    hash_add(context, slice_make(digest, SHA256_SIZE));
    hash_end(context, digest);
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
    OPENSSL_cleanse(hashed_key, sizeof hashed_key);
}

struct Md5 {
    EVP_MD_CTX *context;
};

struct Sha256 {
    EVP_MD_CTX *context;
};

Md5 *md5_begin(Arena *arena)
{
    contexts();
    Md5 *state = ARENA_NEW(arena, Md5);
    state->context = EVP_MD_CTX_new();
    ASSERT(state->context != NULL);
    hash_begin(state->context, md5_algorithm);
    return state;
}

void md5_add(Md5 *state, Slice data)
{
    hash_add(state->context, data);
}

void md5_end(Md5 *state, unsigned char digest[MD5_SIZE])
{
    hash_end(state->context, digest);
    EVP_MD_CTX_free(state->context);
    state->context = NULL;
}

Sha256 *sha256_begin(Arena *arena)
{
    contexts();
    Sha256 *state = ARENA_NEW(arena, Sha256);
    state->context = EVP_MD_CTX_new();
    ASSERT(state->context != NULL);
    hash_begin(state->context, sha256_algorithm);
    return state;
}

void sha256_add(Sha256 *state, Slice data)
{
    hash_add(state->context, data);
}

void sha256_end(Sha256 *state, unsigned char digest[SHA256_SIZE])
{
    hash_end(state->context, digest);
    EVP_MD_CTX_free(state->context);
    state->context = NULL;
}

bool secure_equal(Slice a, Slice b)
{
    return a.size == b.size && (a.size == 0 || CRYPTO_memcmp(a.data, b.data, a.size) == 0);
}

const char *digest_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

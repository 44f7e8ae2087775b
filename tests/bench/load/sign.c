#include "load.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DIGEST = 32 };

static const char signed_headers[] = "content-type;host;x-amz-date;x-amz-target";

static struct {
    char scope[128];      /* DATE/REGION/sqs/aws4_request */
    EVP_MAC_CTX *context; /* holds the signing key: a new context for each request costs more than the request */
    char moment[32];
    time_t second;
} signer;

static void hmac(const void *key, size_t key_size, const char *text, size_t size, unsigned char out[DIGEST])
{
    unsigned written = DIGEST;
    HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, size, out, &written);
}

static void hex(const unsigned char digest[DIGEST], char out[2 * DIGEST + 1])
{
    for (int i = 0; i < DIGEST; i++) {
        out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    out[2 * DIGEST] = '\0';
}

static void hash(const char *text, size_t size, char out[2 * DIGEST + 1])
{
    static EVP_MD *sha256;
    static EVP_MD_CTX *context;
    unsigned char digest[DIGEST];
    if (context == NULL) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        context = EVP_MD_CTX_new();
    }
    EVP_DigestInit_ex2(context, sha256, NULL);
    EVP_DigestUpdate(context, text, size);
    EVP_DigestFinal_ex(context, digest, NULL);
    hex(digest, out);
}

void sign_start(const Options *options)
{
    char date[16];
    char start[256];
    unsigned char key[DIGEST];
    time_t now = time(NULL);
    strftime(date, sizeof(date), "%Y%m%d", gmtime(&now));
    snprintf(signer.scope, sizeof(signer.scope), "%s/%s/sqs/aws4_request", date, options->region);
    snprintf(start, sizeof(start), "AWS4%s", options->secret);
    hmac(start, strlen(start), date, strlen(date), key);
    hmac(key, DIGEST, options->region, strlen(options->region), key);
    hmac(key, DIGEST, "sqs", 3, key);
    hmac(key, DIGEST, "aws4_request", 12, key);
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0), OSSL_PARAM_END};
    signer.context = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "HMAC", NULL));
    if (signer.context == NULL || !EVP_MAC_init(signer.context, key, DIGEST, parameters))
        fail("no HMAC-SHA256");
}

void sign_request(const Options *options, const char *operation, const char *body, size_t body_size,
                  Signature *signature)
{
    char payload[2 * DIGEST + 1];
    char canonical[1024];
    char digest[2 * DIGEST + 1];
    char to_sign[512];
    char text[2 * DIGEST + 1];
    unsigned char mac[DIGEST];
    time_t now = time(NULL);
    if (now != signer.second) {
        signer.second = now;
        strftime(signer.moment, sizeof(signer.moment), "%Y%m%dT%H%M%SZ", gmtime(&now));
    }
    hash(body, body_size, payload);
    int size = snprintf(canonical, sizeof(canonical),
                        "POST\n/\n\ncontent-type:" CONTENT_TYPE "\nhost:127.0.0.1:%d\nx-amz-date:%s\n"
                        "x-amz-target:AmazonSQS.%s\n\n%s\n%s",
                        options->port, signer.moment, operation, signed_headers, payload);
    hash(canonical, (size_t)size, digest);
    size = snprintf(to_sign, sizeof(to_sign), "AWS4-HMAC-SHA256\n%s\n%s\n%s", signer.moment, signer.scope, digest);
    size_t written;
    EVP_MAC_init(signer.context, NULL, 0, NULL);
    EVP_MAC_update(signer.context, (const unsigned char *)to_sign, (size_t)size);
    EVP_MAC_final(signer.context, mac, &written, sizeof(mac));
    hex(mac, text);
    snprintf(signature->host, sizeof(signature->host), "127.0.0.1:%d", options->port);
    snprintf(signature->target, sizeof(signature->target), "AmazonSQS.%s", operation);
    snprintf(signature->moment, sizeof(signature->moment), "%s", signer.moment);
    snprintf(signature->authorization, sizeof(signature->authorization),
             "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", options->key_id, signer.scope,
             signed_headers, text);
}

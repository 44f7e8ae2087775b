/* What verifying one signature costs with the signing key at hand: a SendMessage of a 300 B body as the JavaScript SDK
 * sends it. Prints "name value unit", the median of many rounds. */
#include "aws/wire/sigv4.h"
#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 101, CALLS = 2000, BODY_SIZE = 300 };

/* The thread's own processor time: what else runs on the machine does not count. */
static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Signs the request in place: its first header is the authorization. */
static void sign(const HttpRequest *request, HttpHeader *authorization, Slice body, const unsigned char *key,
                 Arena *arena)
{
    static const char signed_headers[] = "content-length;content-type;host;x-amz-date;x-amz-target;x-amz-user-agent";
    SigV4 signature = {
        .service = SLICE("sqs"),
        .scope = SLICE("20150830/us-east-1/sqs/aws4_request"),
        .signed_headers = slice_of_string(signed_headers),
    };
    unsigned char digest[SHA256_SIZE];
    Slice message;
    Buffer canonical = buffer_make(arena);
    sha256(body, digest);
    SigV4Verdict verdict =
        sigv4_canonical_request(&signature, request, hex_encode(arena, digest, sizeof digest), &canonical, &message);
    ASSERT(verdict == SIGV4_GOOD);
    sha256(buffer_slice(&canonical), digest);
    Slice to_sign = arena_format(arena, "AWS4-HMAC-SHA256\n20150830T123600Z\n%.*s\n%.*s", SLICE_PRINT(signature.scope),
                                 SLICE_PRINT(hex_encode(arena, digest, sizeof digest)));
    hmac_sha256(slice_make(key, SHA256_SIZE), to_sign, digest);
    authorization->value = arena_format(
        arena, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/%.*s, SignedHeaders=%s, Signature=%.*s",
        SLICE_PRINT(signature.scope), signed_headers, SLICE_PRINT(hex_encode(arena, digest, sizeof digest)));
}

int main(void)
{
    Arena arena = arena_make();
    char *bytes = arena_alloc(&arena, BODY_SIZE);
    memset(bytes, 'm', BODY_SIZE);
    Slice body = slice_make(bytes, BODY_SIZE);
    HttpHeader headers[] = {
        {SLICE("authorization"), SLICE("")},
        {SLICE("x-amz-target"), SLICE("AmazonSQS.SendMessage")},
        {SLICE("content-type"), SLICE("application/x-amz-json-1.0")},
        {SLICE("user-agent"), SLICE("aws-sdk-js/3.0 ua/2.0 os/linux lang/js md/nodejs api/sqs")},
        {SLICE("x-amz-user-agent"), SLICE("aws-sdk-js/3.0")},
        {SLICE("host"), SLICE("127.0.0.1:4566")},
        {SLICE("content-length"), SLICE("300")},
        {SLICE("x-amz-date"), SLICE("20150830T123600Z")},
        {SLICE("amz-sdk-invocation-id"), SLICE("c6f5c2f0-5f1d-4d5e-9c55-0a4d8c0f5a11")},
        {SLICE("amz-sdk-request"), SLICE("attempt=1; max=3")},
        {SLICE("connection"), SLICE("keep-alive")},
    };
    HttpRequest request = {
        .method = SLICE("POST"),
        .path = SLICE("/"),
        .query = SLICE(""),
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
    };
    unsigned char key[SHA256_SIZE];
    sigv4_signing_key(SLICE("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), SLICE("20150830"), SLICE("us-east-1"),
                      SLICE("sqs"), key);
    sign(&request, &headers[0], body, key, &arena);

    double rounds[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns();
        for (size_t call = 0; call < CALLS; call++) {
            ArenaMark mark = arena_mark(&arena);
            SigV4 signature;
            Slice message;
            SigV4Verdict verdict = sigv4_parse(&request, &arena, &signature, &message);
            if (verdict == SIGV4_GOOD)
                verdict = sigv4_check_time(&signature, 1440938160, &arena, &message);
            if (verdict == SIGV4_GOOD)
                verdict = sigv4_verify(&signature, &request, body, key, &arena, &message);
            ASSERT(verdict == SIGV4_GOOD);
            arena_rewind(&arena, mark);
        }
        rounds[round] = (double)(now_ns() - start) / CALLS / 1000;
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], compare);
    printf("sigv4_verify %.3f us\n", rounds[ROUNDS / 2]);
    arena_free(&arena);
    return 0;
}

/* Signature Version 4: what AWS documents verifies, and whatever is altered does not.
 *
 * The expected signatures are those of AWS's own documentation: the Signature Version 4 test suite and the worked
 * examples of the Amazon S3 API reference ("Authenticating Requests"). */
#include "aws/wire/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HEADERS_MAX = 16 };

/* A request as text: "NAME: VALUE" lines. */
typedef struct Sample {
    const char *name;
    const char *service; /* "service" or "s3": chooses the example's key */
    const char *method;
    const char *path;
    const char *query;
    const char *headers; /* lower-case names, a line each */
    const char *body;
} Sample;

#define SUITE(headers, signature)                                                                                      \
    "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "                 \
    "SignedHeaders=" headers ", Signature=" signature "\n"                                                             \
    "host: example.amazonaws.com\n"

#define DATE "x-amz-date: 20150830T123600Z\n"
#define NO_BODY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define S3(headers, signature)                                                                                         \
    "authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"              \
    "SignedHeaders=" headers ",Signature=" signature "\n"                                                              \
    "host: examplebucket.s3.amazonaws.com\n"

static const Sample documented[] = {
    {"get-vanilla", "service", "GET", "/", "",
     SUITE("host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31") DATE, ""},
    {"get-vanilla-query-order-key-case", "service", "GET", "/", "Param2=value2&Param1=value1",
     SUITE("host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500") DATE, ""},
    {"get-vanilla-empty-query-key", "service", "GET", "/", "Param1=value1",
     SUITE("host;x-amz-date", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb") DATE, ""},
    {"get-unreserved", "service", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "",
     SUITE("host;x-amz-date", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f") DATE, ""},
    {"get-utf8", "service", "GET", "/\xe1\x88\xb4", "",
     SUITE("host;x-amz-date", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85") DATE, ""},
    {"get-slashes", "service", "GET", "//example//", "",
     SUITE("host;x-amz-date", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84") DATE, ""},
    {"get-relative-relative", "service", "GET", "/example1/example2/../..", "",
     SUITE("host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31") DATE, ""},
    {"get-slash-pointless-dot", "service", "GET", "/./example", "",
     SUITE("host;x-amz-date", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5") DATE, ""},
    {"get-header-value-trim", "service", "GET", "/", "",
     SUITE("host;my-header1;my-header2;x-amz-date",
           "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736") "my-header1:  value1\nmy-header2:  \"a  "
                                                                               " b   c\"  \n" DATE,
     ""},
    {"get-header-key-duplicate", "service", "GET", "/", "",
     SUITE("host;my-header1;x-amz-date",
           "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea") "my-header1:value2\nmy-header1:"
                                                                               "value2\nmy-header1:value1\n" DATE,
     ""},
    {"get-header-value-order", "service", "GET", "/", "",
     SUITE(
         "host;my-header1;x-amz-date",
         "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01") "my-header1:value4\nmy-header1:value1\nmy-"
                                                                             "header1:value3\nmy-header1:value2\n" DATE,
     ""},
    {"post-vanilla", "service", "POST", "/", "",
     SUITE("host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b") DATE, ""},
    {"post-x-www-form-urlencoded", "service", "POST", "/", "",
     SUITE(
         "content-type;host;x-amz-date",
         "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a") "content-type: "
                                                                             "application/x-www-form-urlencoded\n" DATE,
     "Param1=value1"},
    {"s3 GET object", "s3", "GET", "/test.txt", "",
     S3("host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb4"
                                                      "1") "range: bytes=0-9\nx-amz-content-sha256: " NO_BODY
                                                           "\nx-amz-date: 20130524T000000Z\n",
     ""},
    {"s3 PUT object", "s3", "PUT", "/test%24file.text", "",
     S3("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd") "date: Fri, 24 May 2013 00:00:00 "
                                                                            "GMT\nx-amz-date: "
                                                                            "20130524T000000Z\nx-amz-storage-class: "
                                                                            "REDUCED_REDUNDANCY\nx-amz-content-sha256: "
                                                                            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b"
                                                                            "4e99e4"
                                                                            "2034a8b803f8b072\n",
     "Welcome to Amazon S3."},
    {"s3 GET bucket lifecycle", "s3", "GET", "/", "lifecycle",
     S3("host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543") "x-amz-date: "
                                                                            "20130524T000000Z\nx-amz-content-sha256:"
                                                                            " " NO_BODY "\n",
     ""},
    {"s3 list objects", "s3", "GET", "/", "max-keys=2&prefix=J",
     S3("host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7") "x-amz-date: "
                                                                            "20130524T000000Z\nx-amz-content-sha256:"
                                                                            " " NO_BODY "\n",
     ""},
    {"s3 presigned GET", "s3", "GET", "/test.txt",
     "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
     "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
     "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
     "host: examplebucket.s3.amazonaws.com\n", ""},
};

enum { DOCUMENTED = sizeof documented / sizeof documented[0] };

/* The request that a sample describes; `headers` holds HEADERS_MAX. */
static HttpRequest request_of(const Sample *sample, Arena *arena, HttpHeader *headers)
{
    HttpRequest request = {
        .arena = arena,
        .method = slice_of_string(sample->method),
        .path = slice_of_string(sample->path),
        .query = slice_of_string(sample->query),
        .headers = headers,
    };
    Slice rest = slice_of_string(sample->headers);
    while (rest.size > 0) {
        size_t end = slice_find(rest, '\n');
        Slice line = {rest.data, end};
        rest = slice_skip(rest, end < rest.size ? end + 1 : end);
        size_t colon = slice_find(line, ':');
        assert_true(colon < line.size && request.header_count < HEADERS_MAX);
        headers[request.header_count++] = (HttpHeader){{line.data, colon}, slice_skip(line, colon + 1)};
    }
    return request;
}

static void key_of(const char *service, unsigned char key[SHA256_SIZE])
{
    bool s3 = strcmp(service, "s3") == 0;
    sigv4_signing_key(s3 ? SLICE("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
                         : SLICE("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                      s3 ? SLICE("20130524") : SLICE("20150830"), SLICE("us-east-1"), slice_of_string(service), key);
}

/* The verdict of parsing and verifying, time aside. */
static SigV4Verdict verdict_of_request(const HttpRequest *request, Slice body, const char *service, Arena *arena,
                                       Slice *message)
{
    SigV4 signature;
    unsigned char key[SHA256_SIZE];
    *message = (Slice){0};
    SigV4Verdict verdict = sigv4_parse(request, arena, &signature, message);
    if (verdict != SIGV4_GOOD)
        return verdict;
    /* What the caller does first: find the key by its id. */
    if (!slice_equal(signature.access_key_id, SLICE("AKIDEXAMPLE")) &&
        !slice_equal(signature.access_key_id, SLICE("AKIAIOSFODNN7EXAMPLE"))) {
        *message = SLICE("unknown key");
        return SIGV4_MISMATCH;
    }
    key_of(service, key);
    return sigv4_verify(&signature, request, body, key, arena, message);
}

static SigV4Verdict verdict_of(const Sample *sample, Arena *arena, Slice *message)
{
    HttpHeader headers[HEADERS_MAX];
    HttpRequest request = request_of(sample, arena, headers);
    return verdict_of_request(&request, slice_of_string(sample->body), sample->service, arena, message);
}

static void documented_examples_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOCUMENTED; i++) {
        Arena arena = arena_make();
        Slice message;
        SigV4Verdict verdict = verdict_of(&documented[i], &arena, &message);
        if (verdict != SIGV4_GOOD)
            print_error("%s: %.*s\n", documented[i].name, SLICE_PRINT(message));
        assert_int_equal(verdict, SIGV4_GOOD);
        arena_free(&arena);
    }
}

/* The canonical request of the documentation's PUT example, byte for byte. */
static void canonical_request_is_the_documented_one(void **state)
{
    (void)state;
    Arena arena = arena_make();
    const Sample *sample = NULL;
    for (size_t i = 0; i < DOCUMENTED; i++)
        if (strcmp(documented[i].name, "s3 PUT object") == 0)
            sample = &documented[i];
    assert_non_null(sample);
    HttpHeader headers[HEADERS_MAX];
    HttpRequest request = request_of(sample, &arena, headers);
    SigV4 signature;
    Slice message;
    assert_int_equal(sigv4_parse(&request, &arena, &signature, &message), SIGV4_GOOD);
    Buffer out = buffer_make(&arena);
    assert_int_equal(sigv4_canonical_request(&signature, &request, signature.payload, &out, &message), SIGV4_GOOD);
    Slice expected = SLICE("PUT\n/test%24file.text\n\n"
                           "date:Fri, 24 May 2013 00:00:00 GMT\n"
                           "host:examplebucket.s3.amazonaws.com\n"
                           "x-amz-content-sha256:44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n"
                           "x-amz-date:20130524T000000Z\n"
                           "x-amz-storage-class:REDUCED_REDUNDANCY\n\n"
                           "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class\n"
                           "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    assert_true(slice_equal(buffer_slice(&out), expected));
    arena_free(&arena);
}

/* Flips one byte of `slice` through a copy. */
static Slice altered(Arena *arena, Slice slice, size_t at)
{
    char *copy = arena_string(arena, slice);
    copy[at] = copy[at] == 'q' ? 'z' : 'q';
    return slice_make(copy, slice.size);
}

/* Every byte of every signed part counts: altering any of them refuses the request. */
static void any_altered_byte_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOCUMENTED; i++) {
        Arena arena = arena_make();
        HttpHeader headers[HEADERS_MAX];
        HttpRequest original = request_of(&documented[i], &arena, headers);
        Slice body = slice_of_string(documented[i].body);
        Slice message;
        for (size_t header = 0; header < original.header_count; header++) {
            for (size_t at = 0; at < headers[header].value.size; at++) {
                if (headers[header].value.data[at] == ' ')
                    continue; /* blanks are folded: they may differ */
                HttpHeader kept = headers[header];
                headers[header].value = altered(&arena, kept.value, at);
                assert_int_not_equal(verdict_of_request(&original, body, documented[i].service, &arena, &message),
                                     SIGV4_GOOD);
                assert_non_null(message.data);
                headers[header] = kept;
            }
        }
        Slice *parts[] = {&original.method, &original.query};
        for (size_t part = 0; part < 2; part++) {
            for (size_t at = 0; at < parts[part]->size; at++) {
                Slice kept = *parts[part];
                *parts[part] = altered(&arena, kept, at);
                assert_int_not_equal(verdict_of_request(&original, body, documented[i].service, &arena, &message),
                                     SIGV4_GOOD);
                *parts[part] = kept;
            }
        }
        for (size_t at = 0; at < body.size; at++)
            assert_int_not_equal(
                verdict_of_request(&original, altered(&arena, body, at), documented[i].service, &arena, &message),
                SIGV4_GOOD);
        arena_free(&arena);
    }
}

/* Another path, an added parameter, a longer body, another secret. */
static void other_requests_are_refused(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice message;
    Sample sample = documented[0];
    sample.path = "/other";
    assert_int_equal(verdict_of(&sample, &arena, &message), SIGV4_MISMATCH);
    sample = documented[0];
    sample.query = "a=b";
    assert_int_equal(verdict_of(&sample, &arena, &message), SIGV4_MISMATCH);
    sample = documented[0];
    sample.body = "x";
    assert_int_equal(verdict_of(&sample, &arena, &message), SIGV4_MISMATCH);
    assert_true(slice_starts_with(message, SLICE("The request signature we calculated does not match")));
    sample = documented[0];
    sample.service = "s3"; /* verified with another key */
    assert_int_equal(verdict_of(&sample, &arena, &message), SIGV4_MISMATCH);
    arena_free(&arena);
}

typedef struct Refusal {
    const char *what;
    const char *query;
    const char *headers;
    SigV4Verdict verdict;
    const char *message; /* how it begins */
} Refusal;

#define SIGNATURE "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
#define CREDENTIAL "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
#define HOST "host: example.amazonaws.com\n"
#define PRESIGNED                                                                                                      \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request"    \
    "&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Signature=" SIGNATURE

static const Refusal refusals[] = {
    {"no signature", "", HOST DATE, SIGV4_UNSIGNED, "Request is missing Authentication Token"},
    {"version 2", "", "authorization: AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=\n" HOST DATE, SIGV4_INCOMPLETE,
     "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
     "Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) "
     "Authorization="},
    {"no date", "",
     "authorization: AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host, Signature=" SIGNATURE "\n" HOST,
     SIGV4_INCOMPLETE, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "},
    {"no equal sign", "", "authorization: AWS4-HMAC-SHA256 AKIDEXAMPLE, SignedHeaders=host\n" HOST DATE,
     SIGV4_INCOMPLETE, "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and "},
    {"two credentials", "",
     "authorization: AWS4-HMAC-SHA256 " CREDENTIAL ", " CREDENTIAL
     ", SignedHeaders=host;x-amz-date, Signature=" SIGNATURE "\n" HOST DATE,
     SIGV4_INCOMPLETE, "Authorization header holds 'Credential' twice."},
    {"two authorizations", "",
     SUITE("host;x-amz-date", SIGNATURE) DATE "authorization: AWS4-HMAC-SHA256 " CREDENTIAL
                                              ", SignedHeaders=host;x-amz-date, Signature=" SIGNATURE "\n",
     SIGV4_INCOMPLETE, "The request holds 'authorization' more than once."},
    {"two dates", "", SUITE("host;x-amz-date", SIGNATURE) DATE DATE, SIGV4_INCOMPLETE,
     "The request holds 'x-amz-date' more than once."},
    {"two hosts", "", SUITE("host;x-amz-date", SIGNATURE) HOST DATE, SIGV4_INCOMPLETE,
     "The request holds 'host' more than once."},
    {"header and query", PRESIGNED, SUITE("host;x-amz-date", SIGNATURE) DATE, SIGV4_INCOMPLETE,
     "Only one auth mechanism allowed"},
    {"credential of 4 parts", "",
     "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service, SignedHeaders=host, "
     "Signature=" SIGNATURE "\n" HOST DATE,
     SIGV4_INCOMPLETE,
     "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
     "'AKIDEXAMPLE/20150830/us-east-1/service'"},
    {"wrong terminator", "",
     "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws5_request, "
     "SignedHeaders=host, Signature=" SIGNATURE "\n" HOST DATE,
     SIGV4_MISMATCH, "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."},
    {"scope of another day", "",
     "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150831/us-east-1/service/aws4_request, "
     "SignedHeaders=host;x-amz-date, Signature=" SIGNATURE "\n" HOST DATE,
     SIGV4_MISMATCH,
     "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != "
     "'20150830', from '20150830T123600Z'."},
    {"no such date", "", SUITE("host;x-amz-date", SIGNATURE) "x-amz-date: 20150230T123600Z\n", SIGV4_INCOMPLETE,
     "Date must be in ISO-8601 'basic format'. Got '20150230T123600Z'."},
    {"host not signed", "", SUITE("x-amz-date", SIGNATURE) DATE, SIGV4_MISMATCH,
     "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
    {"x-amz- not signed", "", SUITE("host;x-amz-date", SIGNATURE) DATE "x-amz-target: AmazonSQS.SendMessage\n",
     SIGV4_MISMATCH, "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."},
    {"signed and absent", "", SUITE("accept;host;x-amz-date", SIGNATURE) DATE, SIGV4_INCOMPLETE,
     "'accept' is named as a SignedHeader, but it does not exist in the HTTP request."},
    {"signed twice", "", SUITE("host;host;x-amz-date", SIGNATURE) DATE, SIGV4_INCOMPLETE, "SignedHeaders must be"},
    {"unsorted", "", SUITE("x-amz-date;host", SIGNATURE) DATE, SIGV4_INCOMPLETE, "SignedHeaders must be"},
    {"upper case", "", SUITE("Host;host;x-amz-date", SIGNATURE) DATE, SIGV4_INCOMPLETE, "SignedHeaders must be"},
    {"version 4a", "",
     "authorization: AWS4-ECDSA-P256-SHA256 " CREDENTIAL ", SignedHeaders=host, Signature=00\n" HOST DATE,
     SIGV4_UNSUPPORTED, "Brume does not verify Signature Version 4A"},
    {"another algorithm", "", "authorization: AWS4-HMAC-SHA1 " CREDENTIAL ", SignedHeaders=host\n" HOST DATE,
     SIGV4_INCOMPLETE, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'."},
    {"chunked signing", "",
     SUITE("host;x-amz-content-sha256;x-amz-date", SIGNATURE) DATE
     "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n",
     SIGV4_UNSUPPORTED, "Brume does not verify bodies signed in chunks (STREAMING-AWS4-HMAC-SHA256-PAYLOAD)."},
    {"empty", "", "authorization: \n" HOST DATE, SIGV4_INCOMPLETE, "Authorization header requires 'Credential'"},
    {"presigned, parts missing", "X-Amz-Signature=00", HOST, SIGV4_INCOMPLETE,
     "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include "
     "'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters "
     "must include 'X-Amz-Date'. Re-examine the query-string parameters."},
    {"presigned twice", PRESIGNED "&X-Amz-Signature=00", HOST, SIGV4_INCOMPLETE,
     "The request holds 'X-Amz-Signature' more than once."},
    {"presigned twice, hidden", PRESIGNED "&X%2DAmz-Signature=00", HOST, SIGV4_INCOMPLETE,
     "The request holds 'X-Amz-Signature' more than once."},
    {"presigned, expires no number", PRESIGNED "&X-Amz-Expires=-1", HOST, SIGV4_INCOMPLETE,
     "X-Amz-Expires should be a number"},
    {"presigned for too long", PRESIGNED "&X-Amz-Expires=604801", HOST, SIGV4_INCOMPLETE,
     "X-Amz-Expires must be less than a week (in seconds)"},
    {"bad escape", PRESIGNED "&a=%zz", HOST, SIGV4_INCOMPLETE, "The query string is not percent-encoded"},
    {"presigned, other parameter", PRESIGNED "&a=b", HOST, SIGV4_MISMATCH, "The request signature we calculated"},
};

static void refusals_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        Arena arena = arena_make();
        Slice message;
        Sample sample = {refusals[i].what, "service", "GET", "/", refusals[i].query, refusals[i].headers, ""};
        SigV4Verdict verdict = verdict_of(&sample, &arena, &message);
        if (verdict != refusals[i].verdict || !slice_starts_with(message, slice_of_string(refusals[i].message)))
            print_error("%s: verdict %d: %.*s\n", refusals[i].what, (int)verdict, SLICE_PRINT(message));
        assert_int_equal(verdict, refusals[i].verdict);
        assert_true(slice_starts_with(message, slice_of_string(refusals[i].message)));
        arena_free(&arena);
    }
}

/* A message never shows what the header held: it might be a password. */
static void messages_do_not_repeat_the_header(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice message;
    Sample sample = {"", "service", "GET", "/", "", "authorization: Basic c2VjcmV0\n" HOST DATE, ""};
    assert_int_equal(verdict_of(&sample, &arena, &message), SIGV4_INCOMPLETE);
    assert_null(memmem(message.data, message.size, "c2VjcmV0", 8));
    arena_free(&arena);
}

enum { SIGNED_AT = 1440938160 }; /* 20150830T123600Z */

static SigV4 parsed(const Sample *sample, Arena *arena)
{
    HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, HEADERS_MAX);
    HttpRequest *request = ARENA_NEW(arena, HttpRequest);
    *request = request_of(sample, arena, headers);
    SigV4 signature;
    Slice message;
    assert_int_equal(sigv4_parse(request, arena, &signature, &message), SIGV4_GOOD);
    return signature;
}

static void headers_hold_for_fifteen_minutes_both_ways(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice message;
    SigV4 signature = parsed(&documented[0], &arena);
    assert_int_equal(signature.signed_at_s, SIGNED_AT);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT, &arena, &message), SIGV4_GOOD);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT + 900, &arena, &message), SIGV4_GOOD);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT - 900, &arena, &message), SIGV4_GOOD);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT + 901, &arena, &message), SIGV4_MISMATCH);
    assert_true(slice_equal(message, SLICE("Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
                                           "(20150830T125101Z - 15 min.)")));
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT - 901, &arena, &message), SIGV4_MISMATCH);
    assert_true(slice_equal(message, SLICE("Signature not yet current: 20150830T123600Z is still later than "
                                           "20150830T123559Z (20150830T122059Z + 15 min.)")));
    arena_free(&arena);
}

static void presigned_requests_hold_as_long_as_they_say(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice message;
    Sample sample = {"", "service", "GET", "/", PRESIGNED "&X-Amz-Expires=60", HOST, ""};
    SigV4 signature = parsed(&sample, &arena);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT + 60, &arena, &message), SIGV4_GOOD);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT + 61, &arena, &message), SIGV4_EXPIRED);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT - 901, &arena, &message), SIGV4_MISMATCH);
    sample.query = PRESIGNED; /* says nothing: as headers do */
    signature = parsed(&sample, &arena);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT + 900, &arena, &message), SIGV4_GOOD);
    assert_int_equal(sigv4_check_time(&signature, SIGNED_AT + 901, &arena, &message), SIGV4_EXPIRED);
    arena_free(&arena);
}

/* Signs `request` as a client would, so that cases without documented values can be verified too. */
static const char *sign(const HttpRequest *request, const char *signed_headers, const char *payload, Arena *arena)
{
    SigV4 signature = {
        .service = SLICE("service"),
        .scope = SLICE("20150830/us-east-1/service/aws4_request"),
        .signed_headers = slice_of_string(signed_headers),
    };
    Slice message;
    Buffer out = buffer_make(arena);
    assert_int_equal(sigv4_canonical_request(&signature, request, slice_of_string(payload), &out, &message),
                     SIGV4_GOOD);
    unsigned char digest[SHA256_SIZE];
    unsigned char key[SHA256_SIZE];
    sha256(buffer_slice(&out), digest);
    Slice to_sign = arena_format(arena, "AWS4-HMAC-SHA256\n20150830T123600Z\n%.*s\n%.*s", SLICE_PRINT(signature.scope),
                                 SLICE_PRINT(hex_encode(arena, digest, sizeof digest)));
    key_of("service", key);
    hmac_sha256(slice_make(key, sizeof key), to_sign, digest);
    return arena_format(arena, "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=%s, Signature=%.*s", signed_headers,
                        SLICE_PRINT(hex_encode(arena, digest, sizeof digest)))
        .data;
}

static void an_unsigned_payload_may_be_any(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice message;
    HttpHeader headers[HEADERS_MAX];
    Sample sample = {
        "", "service", "PUT", "/", "", "authorization: -\n" HOST DATE "x-amz-content-sha256: UNSIGNED-PAYLOAD\n", ""};
    HttpRequest request = request_of(&sample, &arena, headers);
    headers[0].value =
        slice_of_string(sign(&request, "host;x-amz-content-sha256;x-amz-date", "UNSIGNED-PAYLOAD", &arena));
    assert_int_equal(verdict_of_request(&request, SLICE("anything"), "service", &arena, &message), SIGV4_GOOD);
    /* But only when that is what was signed. */
    headers[3].value = SLICE(NO_BODY);
    assert_int_equal(verdict_of_request(&request, SLICE(""), "service", &arena, &message), SIGV4_MISMATCH);
    arena_free(&arena);
}

/* A stated hash must be the body's, even when it was signed so. */
static void a_signed_hash_of_another_body_is_refused(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice message;
    HttpHeader headers[HEADERS_MAX];
    Sample sample = {
        "", "service", "PUT", "/", "", "authorization: -\n" HOST DATE "x-amz-content-sha256: " NO_BODY "\n", ""};
    HttpRequest request = request_of(&sample, &arena, headers);
    headers[0].value = slice_of_string(sign(&request, "host;x-amz-content-sha256;x-amz-date", NO_BODY, &arena));
    assert_int_equal(verdict_of_request(&request, SLICE(""), "service", &arena, &message), SIGV4_GOOD);
    assert_int_equal(verdict_of_request(&request, SLICE("x"), "service", &arena, &message), SIGV4_MISMATCH);
    arena_free(&arena);
}

/* A client without x-amz-date signs the time of its Date header. */
static void the_date_header_is_read(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice message;
    HttpHeader headers[HEADERS_MAX];
    Sample sample = {"", "service", "GET", "/", "", "authorization: -\n" HOST "date: Sun, 30 Aug 2015 12:36:00 GMT\n",
                     ""};
    HttpRequest request = request_of(&sample, &arena, headers);
    headers[0].value = slice_of_string(sign(&request, "date;host", NO_BODY, &arena));
    assert_int_equal(verdict_of_request(&request, SLICE(""), "service", &arena, &message), SIGV4_GOOD);
    arena_free(&arena);
}

/* Path encoding: services other than S3 sign what was sent encoded once more. */
static void paths_are_encoded_twice_but_for_s3(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice message;
    HttpHeader headers[HEADERS_MAX];
    Sample sample = {"", "service", "GET", "/a%20b//c", "", HOST DATE, ""};
    HttpRequest request = request_of(&sample, &arena, headers);
    SigV4 signature = {.service = SLICE("service"), .signed_headers = SLICE("host;x-amz-date")};
    Buffer out = buffer_make(&arena);
    assert_int_equal(sigv4_canonical_request(&signature, &request, SLICE("-"), &out, &message), SIGV4_GOOD);
    assert_true(slice_starts_with(buffer_slice(&out), SLICE("GET\n/a%2520b/c\n")));
    out.size = 0;
    signature.service = SLICE("s3");
    assert_int_equal(sigv4_canonical_request(&signature, &request, SLICE("-"), &out, &message), SIGV4_GOOD);
    assert_true(slice_starts_with(buffer_slice(&out), SLICE("GET\n/a%20b//c\n")));
    arena_free(&arena);
}

/* As the AWS SDK for Python signed them: labels of the path are percent-encoded, and encoded once more for the signature
 * (IAM user guide, "Create a signed AWS API request"). */
static void requests_of_an_sdk_to_a_rest_service_verify(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *query;
        const char *signature;
    } samples[] = {
        {"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Amy-function%3A%24LATEST", "",
         "61f792ab0928a2387677827e6625345021b9b8a75bb33d0bbe7ab10109cb863a"},
        {"/2015-03-31/functions/a%20b%2Fc%25%C3%BC~", "",
         "b607df9c72d34c9e840713c0ad3efa0b5cbdaf99ce80ad70d1353d9a8d0cc475"},
        {"/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af", "",
         "e0e7df6f16b6008cc872be53a2d399715884fef8bf5d10ed3cf3a4f0ef1264c1"},
        {"/2015-03-31/functions/", "MaxItems=3&Marker=a%2Bb%2Fc%3D",
         "f7de4c664aceeb5b3442738c9ca66fee0aec8b35effd70cac47c010bc178e142"},
        {"/2016-08-19/account-settings/", "", "f163da2eb91eba51a55d9a04507f851a58c6a3d5c17b22d0d352a3815599c25d"},
    };
    unsigned char key[SHA256_SIZE];
    sigv4_signing_key(SLICE("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), SLICE("20260131"), SLICE("eu-west-1"),
                      SLICE("lambda"), key);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        Arena arena = arena_make();
        Slice authorization =
            arena_format(&arena,
                         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260131/eu-west-1/lambda/aws4_request, "
                         "SignedHeaders=host;x-amz-date, Signature=%s",
                         samples[i].signature);
        HttpHeader headers[] = {{SLICE("host"), SLICE("127.0.0.1:4566")},
                                {SLICE("x-amz-date"), SLICE("20260131T120000Z")},
                                {SLICE("authorization"), authorization}};
        HttpRequest request = {.arena = &arena,
                               .method = SLICE("GET"),
                               .path = slice_of_string(samples[i].path),
                               .query = slice_of_string(samples[i].query),
                               .headers = headers,
                               .header_count = 3};
        SigV4 signature;
        Slice message;
        assert_int_equal(sigv4_parse(&request, &arena, &signature, &message), SIGV4_GOOD);
        assert_int_equal(sigv4_verify(&signature, &request, SLICE(""), key, &arena, &message), SIGV4_GOOD);
        /* Another function's name is another request. */
        request.path = altered(&arena, request.path, request.path.size / 2);
        assert_int_equal(sigv4_verify(&signature, &request, SLICE(""), key, &arena, &message), SIGV4_MISMATCH);
        arena_free(&arena);
    }
}

static void the_credential_is_read_before_verification(void **state)
{
    (void)state;
    Arena arena = arena_make();
    HttpHeader headers[HEADERS_MAX];
    SigV4 signature;
    HttpRequest request = request_of(&documented[0], &arena, headers);
    assert_true(sigv4_read_credential(&request, &arena, &signature));
    assert_true(slice_equal(signature.access_key_id, SLICE("AKIDEXAMPLE")));
    assert_true(slice_equal(signature.region, SLICE("us-east-1")));
    Sample sample = {"", "service", "GET", "/", PRESIGNED, HOST, ""};
    request = request_of(&sample, &arena, headers);
    assert_true(sigv4_read_credential(&request, &arena, &signature));
    assert_true(slice_equal(signature.service, SLICE("service")));
    sample.query = "";
    request = request_of(&sample, &arena, headers);
    assert_false(sigv4_read_credential(&request, &arena, &signature));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_examples_verify),
        cmocka_unit_test(canonical_request_is_the_documented_one),
        cmocka_unit_test(any_altered_byte_is_refused),
        cmocka_unit_test(other_requests_are_refused),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(messages_do_not_repeat_the_header),
        cmocka_unit_test(headers_hold_for_fifteen_minutes_both_ways),
        cmocka_unit_test(presigned_requests_hold_as_long_as_they_say),
        cmocka_unit_test(an_unsigned_payload_may_be_any),
        cmocka_unit_test(a_signed_hash_of_another_body_is_refused),
        cmocka_unit_test(the_date_header_is_read),
        cmocka_unit_test(paths_are_encoded_twice_but_for_s3),
        cmocka_unit_test(requests_of_an_sdk_to_a_rest_service_verify),
        cmocka_unit_test(the_credential_is_read_before_verification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

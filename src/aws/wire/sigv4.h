/* sigv4.h: AWS Signature Version 4, verified.
 *
 * Pure functions of a request, a key and a time (AWS IAM user guide, "AWS Signature Version 4 for API requests"): no
 * store, no clock, nothing remembered. Signatures come in the Authorization header or, presigned, in the query. Slices
 * given back are views into the request or lie in the arena. Any thread; nothing blocks. */
#ifndef BRUME_AWS_WIRE_SIGV4_H
#define BRUME_AWS_WIRE_SIGV4_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "net/http.h"

enum {
    SIGV4_SKEW_S = 15 * 60,          /* how far a signature's time may be from ours */
    SIGV4_EXPIRES_MAX_S = 7 * 86400, /* the longest life of a presigned request */
};

/* Why a signature was refused; each but SIGV4_GOOD comes with a message for the client. */
typedef enum SigV4Verdict {
    SIGV4_GOOD,
    SIGV4_UNSIGNED,    /* MissingAuthenticationToken: the request bears no signature */
    SIGV4_INCOMPLETE,  /* IncompleteSignature: it cannot be read, or can be read in two ways */
    SIGV4_MISMATCH,    /* SignatureDoesNotMatch */
    SIGV4_EXPIRED,     /* RequestExpired: presigned, and its time has passed */
    SIGV4_UNSUPPORTED, /* NotImplemented: a scheme of AWS that Brume does not verify */
} SigV4Verdict;

/* One query parameter, percent-encoded as canonical requests ask for it. */
typedef struct SigV4Parameter {
    Slice name;
    Slice value;
} SigV4Parameter;

/* What a signature says. */
typedef struct SigV4 {
    bool presigned;
    Slice access_key_id;
    Slice date;   /* "20150830" */
    Slice region; /* "us-east-1" */
    Slice service;
    Slice scope;                      /* "20150830/us-east-1/sqs/aws4_request" */
    Slice signed_headers;             /* "host;x-amz-date": lower case, sorted, each once */
    Slice signature;                  /* 64 hexadecimal digits */
    Slice timestamp;                  /* "20150830T123600Z" */
    int64_t signed_at_s;              /* the same, seconds since 1970 */
    uint64_t expires_s;               /* presigned: its life */
    Slice security_token;             /* absent: none */
    Slice payload;                    /* x-amz-content-sha256 as sent; absent: none */
    const unsigned char *body_sha256; /* the body's, where the caller has it already; NULL: sigv4_verify hashes it */
    SigV4Parameter *parameters;       /* the query's, sorted, without the signature */
    size_t parameter_count;
} SigV4;

/* Reads what the request says of its signature. `message`, in `arena`, is set unless the verdict is SIGV4_GOOD. */
SigV4Verdict sigv4_parse(const HttpRequest *request, Arena *arena, SigV4 *signature, Slice *message);

/* Reads only the credential ("keyid/date/region/service/aws4_request"), from the header or the query; false when there
 * is none or it has another shape. `arena` is used for presigned requests. */
bool sigv4_read_credential(const HttpRequest *request, Arena *arena, SigV4 *signature);

/* Whether the signature holds at that time: ±15 minutes for headers, X-Amz-Expires (15 minutes when absent) for
 * presigned requests. Messages have AWS's form ("Signature expired: … is now earlier than …"). */
SigV4Verdict sigv4_check_time(const SigV4 *signature, int64_t now_s, Arena *arena, Slice *message);

/* The key that a day's signatures of one region and service are made with. */
void sigv4_signing_key(Slice secret, Slice date, Slice region, Slice service, unsigned char key[SHA256_SIZE]);

/* Whether the request was signed with that key. `body` is hashed unless the request signs UNSIGNED-PAYLOAD, or
 * signature->body_sha256 says what it would be. Services
 * other than S3 sign the path normalized and percent-encoded once more; S3 signs it as it is. */
SigV4Verdict sigv4_verify(const SigV4 *signature, const HttpRequest *request, Slice body,
                          const unsigned char key[SHA256_SIZE], Arena *arena, Slice *message);

/* The canonical request, for tests and for sigv4_verify; `payload` is its last line. */
SigV4Verdict sigv4_canonical_request(const SigV4 *signature, const HttpRequest *request, Slice payload, Buffer *out,
                                     Slice *message);

#endif

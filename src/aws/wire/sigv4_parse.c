#include "aws/wire/sigv4_internal.h"

#include "base/bug.h"

#include <stdlib.h>

static const Slice algorithm = SLICE_INIT(SIGV4_ALGORITHM);
static const Slice algorithm_v4a = SLICE_INIT("AWS4-ECDSA-P256-SHA256");

/* ---- Reading the request's fields ---- */

/* The fields that a signature is read from; a second one of any of them could be read in two ways and is refused. */
typedef enum Field {
    FIELD_AUTHORIZATION,
    FIELD_AMZ_DATE,
    FIELD_DATE,
    FIELD_CONTENT_SHA256,
    FIELD_SECURITY_TOKEN,
    FIELD_HOST,
    FIELDS
} Field;

static const Slice field_names[FIELDS] = {
    [FIELD_AUTHORIZATION] = SLICE_INIT("authorization"),
    [FIELD_AMZ_DATE] = SLICE_INIT("x-amz-date"),
    [FIELD_DATE] = SLICE_INIT("date"),
    [FIELD_CONTENT_SHA256] = SLICE_INIT("x-amz-content-sha256"),
    [FIELD_SECURITY_TOKEN] = SLICE_INIT("x-amz-security-token"),
    [FIELD_HOST] = SLICE_INIT("host"),
};

/* Gives the field that stands twice, or FIELDS. */
static Field read_fields(const HttpRequest *request, Slice fields[FIELDS])
{
    for (size_t i = 0; i < request->header_count; i++) {
        const HttpHeader *header = &request->headers[i];
        for (Field field = 0; field < FIELDS; field++) {
            if (!slice_equal(header->name, field_names[field]))
                continue;
            if (fields[field].data != NULL)
                return field;
            fields[field] = sigv4_trim(header->value);
            if (fields[field].data == NULL)
                fields[field] = SLICE("");
        }
    }
    return FIELDS;
}

static int compare_parameters(const void *a, const void *b)
{
    const SigV4Parameter *left = a;
    const SigV4Parameter *right = b;
    int order = slice_compare(left->name, right->name);
    return order != 0 ? order : slice_compare(left->value, right->value);
}

/* Decodes one name or value and encodes it again, so that every way to write it becomes the same. '+' is a space, as
 * the query is read further in. */
static Error encode_canonically(Arena *arena, Slice text, Slice *encoded)
{
    Slice decoded;
    TRY(percent_decode(arena, text, true, &decoded));
    Buffer out = buffer_make(arena);
    percent_encode(&out, decoded, false);
    *encoded = buffer_slice(&out);
    return OK;
}

static Error read_parameters(Slice query, Arena *arena, SigV4 *signature)
{
    if (query.size == 0)
        return OK;
    size_t limit = 1;
    for (size_t i = 0; i < query.size; i++)
        limit += query.data[i] == '&';
    signature->parameters = ARENA_ARRAY(arena, SigV4Parameter, limit);
    while (query.size > 0) {
        Slice value = sigv4_take_until(&query, '&');
        if (value.size == 0)
            continue;
        Slice name = sigv4_take_until(&value, '=');
        SigV4Parameter *parameter = &signature->parameters[signature->parameter_count++];
        TRY(encode_canonically(arena, name, &parameter->name));
        TRY(encode_canonically(arena, value, &parameter->value));
    }
    qsort(signature->parameters, signature->parameter_count, sizeof(SigV4Parameter), compare_parameters);
    return OK;
}

/* "keyid/20150830/us-east-1/sqs/aws4_request" */
static bool split_credential(Slice credential, SigV4 *signature, Slice *terminator)
{
    Slice rest = credential;
    signature->access_key_id = sigv4_take_until(&rest, '/');
    signature->scope = rest;
    signature->date = sigv4_take_until(&rest, '/');
    signature->region = sigv4_take_until(&rest, '/');
    signature->service = sigv4_take_until(&rest, '/');
    *terminator = rest;
    return rest.size > 0 && slice_find(rest, '/') == rest.size && signature->access_key_id.size > 0;
}

static SigV4Verdict check_credential(Slice credential, SigV4 *signature, Arena *arena, Slice *message)
{
    Slice terminator;
    if (!split_credential(credential, signature, &terminator))
        return sigv4_refuse(SIGV4_INCOMPLETE, message,
                            arena_format(arena,
                                         "Credential must have exactly 5 slash-delimited elements, e.g. "
                                         "keyid/date/region/service/term, got '%.*s'",
                                         SLICE_PRINT(credential)));
    if (!slice_equal(terminator, SLICE("aws4_request")))
        return sigv4_refuse(
            SIGV4_MISMATCH, message,
            arena_format(arena, "Credential should be scoped with a valid terminator: 'aws4_request', not '%.*s'.",
                         SLICE_PRINT(terminator)));
    return SIGV4_GOOD;
}

/* The list must be as the canonical request needs it: sorted, lower case, each name once. Then one list signs one
 * request only. */
static SigV4Verdict check_signed_headers(Slice list, Arena *arena, Slice *message)
{
    Slice rest = list;
    Slice previous = {0};
    bool host = false;
    while (rest.size > 0) {
        Slice name = sigv4_take_until(&rest, ';');
        bool fine = name.size > 0 && (previous.data == NULL || slice_compare(previous, name) < 0);
        for (size_t i = 0; i < name.size; i++)
            fine = fine && (name.data[i] < 'A' || name.data[i] > 'Z');
        if (!fine)
            return sigv4_refuse(SIGV4_INCOMPLETE, message,
                                arena_format(arena,
                                             "SignedHeaders must be lower-case names, sorted, each once; got '%.*s'.",
                                             SLICE_PRINT(list)));
        host = host || sigv4_is_host(name);
        previous = name;
    }
    if (!host)
        return sigv4_refuse(SIGV4_MISMATCH, message,
                            SLICE("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    return SIGV4_GOOD;
}

static SigV4Verdict check_algorithm(Slice name, Arena *arena, Slice *message)
{
    if (slice_starts_with(name, SLICE("AWS4-ECDSA")))
        return sigv4_refuse(SIGV4_UNSUPPORTED, message,
                            arena_format(arena, "Brume does not verify Signature Version 4A (%.*s). Sign with %.*s.",
                                         SLICE_PRINT(algorithm_v4a), SLICE_PRINT(algorithm)));
    if (!slice_equal(name, algorithm))
        return sigv4_refuse(SIGV4_INCOMPLETE, message,
                            arena_format(arena, "Unsupported AWS 'algorithm': '%.*s'.", SLICE_PRINT(name)));
    return SIGV4_GOOD;
}

static SigV4Verdict check_payload(Slice payload, Arena *arena, Slice *message)
{
    if (slice_starts_with(payload, SLICE("STREAMING-")))
        return sigv4_refuse(
            SIGV4_UNSUPPORTED, message,
            arena_format(arena, "Brume does not verify bodies signed in chunks (%.*s).", SLICE_PRINT(payload)));
    return SIGV4_GOOD;
}

static SigV4Verdict check_date(SigV4 *signature, Slice time, Arena *arena, Slice *message)
{
    if (!sigv4_read_time(time, arena, &signature->timestamp, &signature->signed_at_s))
        return sigv4_refuse(SIGV4_INCOMPLETE, message,
                            arena_format(arena,
                                         "Date must be in ISO-8601 'basic format'. Got '%.*s'. See "
                                         "http://en.wikipedia.org/wiki/ISO_8601",
                                         SLICE_PRINT(time)));
    Slice day = {signature->timestamp.data, 8};
    if (!slice_equal(day, signature->date))
        return sigv4_refuse(
            SIGV4_MISMATCH, message,
            arena_format(arena,
                         "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                         "from HTTP: '%.*s' != '%.*s', from '%.*s'.",
                         SLICE_PRINT(signature->date), SLICE_PRINT(day), SLICE_PRINT(time)));
    return SIGV4_GOOD;
}

/* ---- The header form ---- */

typedef struct AuthorizationParts {
    Slice credential;
    Slice signed_headers;
    Slice signature;
} AuthorizationParts;

/* A header that may hold a secret is never sent back as it is: AWS gives its hash, so that one can compare. */
static Slice hash_of(Arena *arena, Slice authorization)
{
    unsigned char digest[SHA256_SIZE];
    sha256(authorization, digest);
    return base64_encode(arena, slice_make(digest, sizeof digest));
}

static SigV4Verdict split_authorization(Slice authorization, Slice rest, AuthorizationParts *parts, Arena *arena,
                                        Slice *message)
{
    while (rest.size > 0) {
        Slice value = sigv4_trim(sigv4_take_until(&rest, ','));
        if (value.size == 0)
            continue;
        if (slice_find(value, '=') == value.size)
            return sigv4_refuse(
                SIGV4_INCOMPLETE, message,
                arena_format(arena,
                             "Invalid key=value pair (missing equal-sign) in Authorization header (hashed "
                             "with SHA-256 and encoded with Base64): '%.*s'.",
                             SLICE_PRINT(hash_of(arena, authorization))));
        Slice name = sigv4_take_until(&value, '=');
        Slice *part = slice_equal(name, SLICE("Credential"))      ? &parts->credential
                      : slice_equal(name, SLICE("SignedHeaders")) ? &parts->signed_headers
                      : slice_equal(name, SLICE("Signature"))     ? &parts->signature
                                                                  : NULL;
        if (part == NULL || part->data != NULL)
            return sigv4_refuse(SIGV4_INCOMPLETE, message,
                                arena_format(arena, "Authorization header holds '%.*s' %s.", SLICE_PRINT(name),
                                             part == NULL ? "which is no part of a signature" : "twice"));
        *part = value;
    }
    return SIGV4_GOOD;
}

static SigV4Verdict parse_header(SigV4 *signature, const Slice fields[FIELDS], Arena *arena, Slice *message)
{
    Slice authorization = fields[FIELD_AUTHORIZATION];
    Slice rest = authorization;
    Slice scheme = sigv4_take_until(&rest, ' ');
    SigV4Verdict verdict;
    AuthorizationParts parts = {0};
    if (slice_starts_with(scheme, SLICE("AWS4-")) && (verdict = check_algorithm(scheme, arena, message)) != SIGV4_GOOD)
        return verdict;
    if (slice_equal(scheme, algorithm) &&
        (verdict = split_authorization(authorization, rest, &parts, arena, message)) != SIGV4_GOOD)
        return verdict;
    Slice time = fields[FIELD_AMZ_DATE].data != NULL ? fields[FIELD_AMZ_DATE] : fields[FIELD_DATE];
    if (parts.credential.size == 0 || parts.signature.size == 0 || parts.signed_headers.size == 0 || time.size == 0)
        return sigv4_refuse(
            SIGV4_INCOMPLETE, message,
            arena_format(arena, "%s%s%s%s(Hashed with SHA-256 and encoded with Base64) Authorization=%.*s",
                         parts.credential.size > 0 ? "" : "Authorization header requires 'Credential' parameter. ",
                         parts.signature.size > 0 ? "" : "Authorization header requires 'Signature' parameter. ",
                         parts.signed_headers.size > 0 ? ""
                                                       : "Authorization header requires 'SignedHeaders' parameter. ",
                         time.size > 0 ? ""
                                       : "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
                                         "header. ",
                         SLICE_PRINT(hash_of(arena, authorization))));
    signature->signed_headers = parts.signed_headers;
    signature->signature = parts.signature;
    signature->security_token = fields[FIELD_SECURITY_TOKEN];
    signature->payload = fields[FIELD_CONTENT_SHA256];
    if ((verdict = check_credential(parts.credential, signature, arena, message)) != SIGV4_GOOD)
        return verdict;
    return check_date(signature, time, arena, message);
}

/* ---- The presigned form ---- */

typedef enum QueryField {
    QUERY_ALGORITHM,
    QUERY_CREDENTIAL,
    QUERY_SIGNATURE,
    QUERY_SIGNED_HEADERS,
    QUERY_DATE,
    QUERY_REQUIRED, /* those above */
    QUERY_EXPIRES = QUERY_REQUIRED,
    QUERY_SECURITY_TOKEN,
    QUERY_CONTENT_SHA256,
    QUERY_FIELDS
} QueryField;

static const Slice query_names[QUERY_FIELDS] = {
    [QUERY_ALGORITHM] = SLICE_INIT("X-Amz-Algorithm"),
    [QUERY_CREDENTIAL] = SLICE_INIT("X-Amz-Credential"),
    [QUERY_SIGNATURE] = SLICE_INIT("X-Amz-Signature"),
    [QUERY_SIGNED_HEADERS] = SLICE_INIT("X-Amz-SignedHeaders"),
    [QUERY_DATE] = SLICE_INIT("X-Amz-Date"),
    [QUERY_EXPIRES] = SLICE_INIT("X-Amz-Expires"),
    [QUERY_SECURITY_TOKEN] = SLICE_INIT("X-Amz-Security-Token"),
    [QUERY_CONTENT_SHA256] = SLICE_INIT("X-Amz-Content-Sha256"),
};

/* Finds the signature's own parameters, decoded; gives the one that stands twice, or QUERY_FIELDS. */
static QueryField read_query_fields(const SigV4 *signature, Arena *arena, Slice fields[QUERY_FIELDS])
{
    for (size_t i = 0; i < signature->parameter_count; i++) {
        for (QueryField field = 0; field < QUERY_FIELDS; field++) {
            if (!slice_equal(signature->parameters[i].name, query_names[field]))
                continue;
            if (fields[field].data != NULL)
                return field;
            Error decoded = percent_decode(arena, signature->parameters[i].value, false, &fields[field]);
            ASSERT(decoded == OK); /* we encoded it */
            if (fields[field].data == NULL)
                fields[field] = SLICE("");
        }
    }
    return QUERY_FIELDS;
}

static void drop_parameter(SigV4 *signature, Slice name)
{
    size_t kept = 0;
    for (size_t i = 0; i < signature->parameter_count; i++)
        if (!slice_equal(signature->parameters[i].name, name))
            signature->parameters[kept++] = signature->parameters[i];
    signature->parameter_count = kept;
}

static SigV4Verdict check_expires(SigV4 *signature, Slice expires, Slice *message)
{
    signature->expires_s = SIGV4_SKEW_S;
    if (expires.data == NULL)
        return SIGV4_GOOD;
    if (!slice_parse_uint64(expires, &signature->expires_s))
        return sigv4_refuse(SIGV4_INCOMPLETE, message, SLICE("X-Amz-Expires should be a number"));
    if (signature->expires_s > SIGV4_EXPIRES_MAX_S)
        return sigv4_refuse(
            SIGV4_INCOMPLETE, message,
            SLICE("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
                  "must be less than 604800 seconds"));
    return SIGV4_GOOD;
}

static SigV4Verdict parse_query(SigV4 *signature, const Slice fields[QUERY_FIELDS], Slice header_payload, Arena *arena,
                                Slice *message)
{
    SigV4Verdict verdict;
    Buffer missing = buffer_make(arena);
    for (QueryField field = 0; field < QUERY_REQUIRED; field++)
        if (fields[field].size == 0)
            buffer_add_format(&missing, "AWS query-string parameters must include '%.*s'. ",
                              SLICE_PRINT(query_names[field]));
    if (missing.size > 0) {
        BUFFER_ADD(&missing, "Re-examine the query-string parameters.");
        return sigv4_refuse(SIGV4_INCOMPLETE, message, buffer_slice(&missing));
    }
    signature->signed_headers = fields[QUERY_SIGNED_HEADERS];
    signature->signature = fields[QUERY_SIGNATURE];
    signature->security_token = fields[QUERY_SECURITY_TOKEN];
    /* The header, which must be signed, tells of this very body; the parameter is what some presigners write instead.
     */
    signature->payload = header_payload.data != NULL ? header_payload : fields[QUERY_CONTENT_SHA256];
    if ((verdict = check_algorithm(fields[QUERY_ALGORITHM], arena, message)) != SIGV4_GOOD)
        return verdict;
    if ((verdict = check_credential(fields[QUERY_CREDENTIAL], signature, arena, message)) != SIGV4_GOOD)
        return verdict;
    if ((verdict = check_expires(signature, fields[QUERY_EXPIRES], message)) != SIGV4_GOOD)
        return verdict;
    drop_parameter(signature, query_names[QUERY_SIGNATURE]);
    return check_date(signature, fields[QUERY_DATE], arena, message);
}

static SigV4Verdict refuse_twice(Slice name, Arena *arena, Slice *message)
{
    return sigv4_refuse(SIGV4_INCOMPLETE, message,
                        arena_format(arena, "The request holds '%.*s' more than once.", SLICE_PRINT(name)));
}

SigV4Verdict sigv4_parse(const HttpRequest *request, Arena *arena, SigV4 *signature, Slice *message)
{
    *signature = (SigV4){0};
    Slice fields[FIELDS] = {0};
    Field twice = read_fields(request, fields);
    if (twice != FIELDS)
        return refuse_twice(field_names[twice], arena, message);
    if (read_parameters(request->query, arena, signature) != OK)
        return sigv4_refuse(SIGV4_INCOMPLETE, message,
                            SLICE("The query string is not percent-encoded as it should be."));
    Slice query_fields[QUERY_FIELDS] = {0};
    QueryField query_twice = read_query_fields(signature, arena, query_fields);
    if (query_twice != QUERY_FIELDS)
        return refuse_twice(query_names[query_twice], arena, message);

    bool by_header = fields[FIELD_AUTHORIZATION].data != NULL;
    signature->presigned = query_fields[QUERY_ALGORITHM].data != NULL || query_fields[QUERY_SIGNATURE].data != NULL ||
                           query_fields[QUERY_CREDENTIAL].data != NULL;
    if (by_header && signature->presigned)
        return sigv4_refuse(SIGV4_INCOMPLETE, message,
                            SLICE("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the "
                                  "Authorization header should be specified"));
    if (!by_header && !signature->presigned)
        return sigv4_refuse(SIGV4_UNSIGNED, message, SLICE("Request is missing Authentication Token"));

    SigV4Verdict verdict = by_header
                               ? parse_header(signature, fields, arena, message)
                               : parse_query(signature, query_fields, fields[FIELD_CONTENT_SHA256], arena, message);
    if (verdict == SIGV4_GOOD)
        verdict = check_signed_headers(signature->signed_headers, arena, message);
    if (verdict == SIGV4_GOOD)
        verdict = check_payload(signature->payload, arena, message);
    return verdict;
}

bool sigv4_read_credential(const HttpRequest *request, Arena *arena, SigV4 *signature)
{
    *signature = (SigV4){0};
    Slice credential = {0};
    Slice fields[FIELDS] = {0};
    read_fields(request, fields);
    Slice header = fields[FIELD_AUTHORIZATION];
    const char *found = header.size == 0 ? NULL : memmem(header.data, header.size, "Credential=", 11);
    if (found != NULL) {
        Slice rest = slice_skip(header, (size_t)(found - header.data) + 11);
        credential = sigv4_trim(sigv4_take_until(&rest, ','));
    } else if (request->query.size > 0) {
        Slice query_fields[QUERY_FIELDS] = {0};
        if (read_parameters(request->query, arena, signature) == OK)
            read_query_fields(signature, arena, query_fields);
        credential = query_fields[QUERY_CREDENTIAL];
        signature->presigned = true;
    }
    Slice terminator;
    return credential.size > 0 && split_credential(credential, signature, &terminator);
}

#include "aws/wire/sigv4.h"

#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>

static const Slice algorithm = SLICE_INIT("AWS4-HMAC-SHA256");
static const Slice algorithm_v4a = SLICE_INIT("AWS4-ECDSA-P256-SHA256");
static const Slice unsigned_payload = SLICE_INIT("UNSIGNED-PAYLOAD");
static const Slice amz_prefix = SLICE_INIT("x-amz-");

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static Slice trim(Slice text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text = slice_skip(text, 1);
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Takes what stands before the next `separator` off the front of `rest`, and the separator too. */
static Slice take_until(Slice *rest, char separator)
{
    size_t end = slice_find(*rest, separator);
    Slice part = {rest->data, end};
    *rest = end < rest->size ? slice_skip(*rest, end + 1) : (Slice){rest->data + end, 0};
    return part;
}

static SigV4Verdict refuse(SigV4Verdict verdict, Slice *message, Slice text)
{
    *message = text;
    return verdict;
}

/* ---- Time ---- */

static bool read_digits(Slice text, size_t at, size_t count, int *value)
{
    int result = 0;
    if (text.size < at + count)
        return false;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        result = result * 10 + (text.data[i] - '0');
    }
    *value = result;
    return true;
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

typedef struct CivilTime {
    int year, month, day, hour, minute, second;
} CivilTime;

/* Seconds since 1970 of a UTC time; false when there is no such time. */
static bool civil_to_seconds(CivilTime t, int64_t *seconds)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (t.year < 1970 || t.month < 1 || t.month > 12 || t.hour > 23 || t.minute > 59 || t.second > 60)
        return false;
    if (t.day < 1 || t.day > month_days[t.month - 1] + (t.month == 2 && is_leap_year(t.year)))
        return false;
    int64_t past = t.year - 1;
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162; /* to 1970-01-01 */
    for (int month = 1; month < t.month; month++)
        days += month_days[month - 1] + (month == 2 && is_leap_year(t.year));
    days += t.day - 1;
    *seconds = ((days * 24 + t.hour) * 60 + t.minute) * 60 + t.second;
    return true;
}

/* "20150830T123600Z" */
static bool read_basic_time(Slice text, int64_t *seconds)
{
    CivilTime t;
    return text.size == 16 && text.data[8] == 'T' && text.data[15] == 'Z' && read_digits(text, 0, 4, &t.year) &&
           read_digits(text, 4, 2, &t.month) && read_digits(text, 6, 2, &t.day) && read_digits(text, 9, 2, &t.hour) &&
           read_digits(text, 11, 2, &t.minute) && read_digits(text, 13, 2, &t.second) && civil_to_seconds(t, seconds);
}

/* "Sun, 30 Aug 2015 12:36:00 GMT" (RFC 9110 section 5.6.7, the preferred form) */
static bool read_http_time(Slice text, int64_t *seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size != 29 || memcmp(text.data + 25, " GMT", 4) != 0)
        return false;
    CivilTime t = {0};
    for (int month = 0; month < 12; month++)
        if (memcmp(text.data + 8, months + month * 3, 3) == 0)
            t.month = month + 1;
    return read_digits(text, 5, 2, &t.day) && read_digits(text, 12, 4, &t.year) && read_digits(text, 17, 2, &t.hour) &&
           read_digits(text, 20, 2, &t.minute) && read_digits(text, 23, 2, &t.second) && civil_to_seconds(t, seconds);
}

static Slice write_basic_time(Arena *arena, int64_t seconds)
{
    int64_t days = seconds / 86400;
    int64_t rest = seconds % 86400;
    int year = 1970;
    for (; days >= 365 + is_leap_year(year); year++)
        days -= 365 + is_leap_year(year);
    CivilTime t = {year, 1, 1, 0, 0, 0};
    int64_t next;
    /* The month is the last one that starts on or before the day. */
    for (int64_t start = seconds - rest - days * 86400; t.month < 12; t.month++) {
        CivilTime after = {year, t.month + 1, 1, 0, 0, 0};
        ASSERT(civil_to_seconds(after, &next));
        if (next > start + days * 86400)
            break;
    }
    ASSERT(civil_to_seconds(t, &next));
    int day = (int)((seconds - rest - next) / 86400) + 1;
    return arena_format(arena, "%04d%02d%02dT%02d%02d%02dZ", t.year, t.month, day, (int)(rest / 3600),
                        (int)(rest / 60 % 60), (int)(rest % 60));
}

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
            fields[field] = trim(header->value);
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
        Slice value = take_until(&query, '&');
        if (value.size == 0)
            continue;
        Slice name = take_until(&value, '=');
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
    signature->access_key_id = take_until(&rest, '/');
    signature->scope = rest;
    signature->date = take_until(&rest, '/');
    signature->region = take_until(&rest, '/');
    signature->service = take_until(&rest, '/');
    *terminator = rest;
    return rest.size > 0 && slice_find(rest, '/') == rest.size && signature->access_key_id.size > 0;
}

static SigV4Verdict check_credential(Slice credential, SigV4 *signature, Arena *arena, Slice *message)
{
    Slice terminator;
    if (!split_credential(credential, signature, &terminator))
        return refuse(SIGV4_INCOMPLETE, message,
                      arena_format(arena,
                                   "Credential must have exactly 5 slash-delimited elements, e.g. "
                                   "keyid/date/region/service/term, got '%.*s'",
                                   SLICE_PRINT(credential)));
    if (!slice_equal(terminator, SLICE("aws4_request")))
        return refuse(SIGV4_MISMATCH, message,
                      arena_format(arena,
                                   "Credential should be scoped with a valid terminator: 'aws4_request', not '%.*s'.",
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
        Slice name = take_until(&rest, ';');
        bool fine = name.size > 0 && (previous.data == NULL || slice_compare(previous, name) < 0);
        for (size_t i = 0; i < name.size; i++)
            fine = fine && (name.data[i] < 'A' || name.data[i] > 'Z');
        if (!fine)
            return refuse(SIGV4_INCOMPLETE, message,
                          arena_format(arena, "SignedHeaders must be lower-case names, sorted, each once; got '%.*s'.",
                                       SLICE_PRINT(list)));
        host = host || slice_equal(name, SLICE("host"));
        previous = name;
    }
    if (!host)
        return refuse(SIGV4_MISMATCH, message,
                      SLICE("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    return SIGV4_GOOD;
}

static SigV4Verdict check_algorithm(Slice name, Arena *arena, Slice *message)
{
    if (slice_starts_with(name, SLICE("AWS4-ECDSA")))
        return refuse(SIGV4_UNSUPPORTED, message,
                      arena_format(arena, "Brume does not verify Signature Version 4A (%.*s). Sign with %.*s.",
                                   SLICE_PRINT(algorithm_v4a), SLICE_PRINT(algorithm)));
    if (!slice_equal(name, algorithm))
        return refuse(SIGV4_INCOMPLETE, message,
                      arena_format(arena, "Unsupported AWS 'algorithm': '%.*s'.", SLICE_PRINT(name)));
    return SIGV4_GOOD;
}

static SigV4Verdict check_payload(Slice payload, Arena *arena, Slice *message)
{
    if (slice_starts_with(payload, SLICE("STREAMING-")))
        return refuse(
            SIGV4_UNSUPPORTED, message,
            arena_format(arena, "Brume does not verify bodies signed in chunks yet (%.*s).", SLICE_PRINT(payload)));
    return SIGV4_GOOD;
}

static SigV4Verdict check_date(SigV4 *signature, Slice time, Arena *arena, Slice *message)
{
    if (read_basic_time(time, &signature->signed_at_s))
        signature->timestamp = time;
    else if (!signature->presigned && read_http_time(time, &signature->signed_at_s))
        signature->timestamp = write_basic_time(arena, signature->signed_at_s);
    else
        return refuse(SIGV4_INCOMPLETE, message,
                      arena_format(arena,
                                   "Date must be in ISO-8601 'basic format'. Got '%.*s'. See "
                                   "http://en.wikipedia.org/wiki/ISO_8601",
                                   SLICE_PRINT(time)));
    Slice day = {signature->timestamp.data, 8};
    if (!slice_equal(day, signature->date))
        return refuse(SIGV4_MISMATCH, message,
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
        Slice value = trim(take_until(&rest, ','));
        if (value.size == 0)
            continue;
        if (slice_find(value, '=') == value.size)
            return refuse(SIGV4_INCOMPLETE, message,
                          arena_format(arena,
                                       "Invalid key=value pair (missing equal-sign) in Authorization header (hashed "
                                       "with SHA-256 and encoded with Base64): '%.*s'.",
                                       SLICE_PRINT(hash_of(arena, authorization))));
        Slice name = take_until(&value, '=');
        Slice *part = slice_equal(name, SLICE("Credential"))      ? &parts->credential
                      : slice_equal(name, SLICE("SignedHeaders")) ? &parts->signed_headers
                      : slice_equal(name, SLICE("Signature"))     ? &parts->signature
                                                                  : NULL;
        if (part == NULL || part->data != NULL)
            return refuse(SIGV4_INCOMPLETE, message,
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
    Slice scheme = take_until(&rest, ' ');
    SigV4Verdict verdict;
    AuthorizationParts parts = {0};
    if (slice_starts_with(scheme, SLICE("AWS4-")) && (verdict = check_algorithm(scheme, arena, message)) != SIGV4_GOOD)
        return verdict;
    if (slice_equal(scheme, algorithm) &&
        (verdict = split_authorization(authorization, rest, &parts, arena, message)) != SIGV4_GOOD)
        return verdict;
    Slice time = fields[FIELD_AMZ_DATE].data != NULL ? fields[FIELD_AMZ_DATE] : fields[FIELD_DATE];
    if (parts.credential.size == 0 || parts.signature.size == 0 || parts.signed_headers.size == 0 || time.size == 0)
        return refuse(
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
        return refuse(SIGV4_INCOMPLETE, message, SLICE("X-Amz-Expires should be a number"));
    if (signature->expires_s > SIGV4_EXPIRES_MAX_S)
        return refuse(SIGV4_INCOMPLETE, message,
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
        return refuse(SIGV4_INCOMPLETE, message, buffer_slice(&missing));
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
    return refuse(SIGV4_INCOMPLETE, message,
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
        return refuse(SIGV4_INCOMPLETE, message, SLICE("The query string is not percent-encoded as it should be."));
    Slice query_fields[QUERY_FIELDS] = {0};
    QueryField query_twice = read_query_fields(signature, arena, query_fields);
    if (query_twice != QUERY_FIELDS)
        return refuse_twice(query_names[query_twice], arena, message);

    bool by_header = fields[FIELD_AUTHORIZATION].data != NULL;
    signature->presigned = query_fields[QUERY_ALGORITHM].data != NULL || query_fields[QUERY_SIGNATURE].data != NULL ||
                           query_fields[QUERY_CREDENTIAL].data != NULL;
    if (by_header && signature->presigned)
        return refuse(SIGV4_INCOMPLETE, message,
                      SLICE("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the "
                            "Authorization header should be specified"));
    if (!by_header && !signature->presigned)
        return refuse(SIGV4_UNSIGNED, message, SLICE("Request is missing Authentication Token"));

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
    Slice header = http_request_header(request, field_names[FIELD_AUTHORIZATION]);
    const char *found = header.size == 0 ? NULL : memmem(header.data, header.size, "Credential=", 11);
    if (found != NULL) {
        Slice rest = slice_skip(header, (size_t)(found - header.data) + 11);
        credential = trim(take_until(&rest, ','));
    } else if (request->query.size > 0) {
        Slice fields[QUERY_FIELDS] = {0};
        if (read_parameters(request->query, arena, signature) == OK)
            read_query_fields(signature, arena, fields);
        credential = fields[QUERY_CREDENTIAL];
        signature->presigned = true;
    }
    Slice terminator;
    return credential.size > 0 && split_credential(credential, signature, &terminator);
}

/* ---- Time ---- */

SigV4Verdict sigv4_check_time(const SigV4 *signature, int64_t now_s, Arena *arena, Slice *message)
{
    int64_t earliest = now_s - SIGV4_SKEW_S;
    int64_t latest = now_s + SIGV4_SKEW_S;
    if (signature->signed_at_s > latest)
        return refuse(SIGV4_MISMATCH, message,
                      arena_format(arena, "Signature not yet current: %.*s is still later than %.*s (%.*s + 15 min.)",
                                   SLICE_PRINT(signature->timestamp), SLICE_PRINT(write_basic_time(arena, latest)),
                                   SLICE_PRINT(write_basic_time(arena, now_s))));
    if (signature->presigned) {
        if (signature->signed_at_s + (int64_t)signature->expires_s < now_s)
            return refuse(SIGV4_EXPIRED, message, SLICE("Request has expired."));
        return SIGV4_GOOD;
    }
    if (signature->signed_at_s < earliest)
        return refuse(SIGV4_MISMATCH, message,
                      arena_format(arena, "Signature expired: %.*s is now earlier than %.*s (%.*s - 15 min.)",
                                   SLICE_PRINT(signature->timestamp), SLICE_PRINT(write_basic_time(arena, earliest)),
                                   SLICE_PRINT(write_basic_time(arena, now_s))));
    return SIGV4_GOOD;
}

/* ---- The canonical request (IAM user guide, "Create a signed AWS API request", step 1) ---- */

/* The path without "." and ".." segments and empty ones, as services other than S3 sign it. `out` holds the path's
 * size. */
static Slice normalize_path(Slice path, char *out)
{
    size_t size = 0;
    bool slash_behind = path.size > 0 && path.data[path.size - 1] == '/';
    while (path.size > 0) {
        Slice segment = take_until(&path, '/');
        bool last = path.size == 0;
        if (slice_equal(segment, SLICE(".."))) {
            while (size > 0 && out[--size] != '/')
                ;
            slash_behind = slash_behind || last;
        } else if (slice_equal(segment, SLICE("."))) {
            slash_behind = slash_behind || last;
        } else if (segment.size > 0) {
            out[size++] = '/';
            memcpy(out + size, segment.data, segment.size);
            size += segment.size;
        }
    }
    if (slash_behind || size == 0)
        out[size++] = '/';
    return slice_make(out, size);
}

static Error add_path(Buffer *out, Slice path, bool s3)
{
    if (path.size <= 1) {
        buffer_add_byte(out, '/');
        return OK;
    }
    if (s3) {
        Slice decoded;
        TRY(percent_decode(out->arena, path, false, &decoded));
        percent_encode(out, decoded, true);
        return OK;
    }
    char *normalized = arena_alloc_aligned(out->arena, path.size + 1, 1);
    percent_encode(out, normalize_path(path, normalized), true);
    return OK;
}

static void add_parameters(Buffer *out, const SigV4 *signature)
{
    for (size_t i = 0; i < signature->parameter_count; i++) {
        if (i > 0)
            buffer_add_byte(out, '&');
        buffer_add(out, signature->parameters[i].name);
        buffer_add_byte(out, '=');
        buffer_add(out, signature->parameters[i].value);
    }
}

/* The value without blanks around it and with each run of spaces inside it as one. */
static void add_header_value(Buffer *out, Slice value)
{
    value = trim(value);
    if (value.size == 0)
        return;
    if (memmem(value.data, value.size, "  ", 2) == NULL) {
        buffer_add(out, value);
        return;
    }
    char *at = buffer_reserve(out, value.size);
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] != ' ' || value.data[i - 1] != ' ')
            *at++ = value.data[i];
    out->size = (size_t)(at - out->data);
}

/* Adds "name:value,value\n"; gives how many fields of the request it took. */
static size_t add_header(Buffer *out, const HttpRequest *request, Slice name)
{
    size_t taken = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!slice_equal(request->headers[i].name, name))
            continue;
        if (taken++ == 0)
            buffer_add(out, name);
        buffer_add_byte(out, taken == 1 ? ':' : ',');
        add_header_value(out, request->headers[i].value);
    }
    if (taken > 0) {
        buffer_add_byte(out, '\n');
    } else if (slice_equal(name, SLICE("host")) && request->host.size > 0) {
        /* HTTP/2 has :authority instead. */
        BUFFER_ADD(out, "host:");
        buffer_add(out, request->host);
        buffer_add_byte(out, '\n');
        taken = 1;
    }
    return taken;
}

/* Every x-amz- field must be signed, or someone between could change it; names the first that is not. */
static Slice find_unsigned_header(const SigV4 *signature, const HttpRequest *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (!slice_starts_with(request->headers[i].name, amz_prefix))
            continue;
        Slice rest = signature->signed_headers;
        bool found = false;
        while (rest.size > 0 && !found)
            found = slice_equal(take_until(&rest, ';'), request->headers[i].name);
        if (!found)
            return request->headers[i].name;
    }
    return (Slice){0};
}

static SigV4Verdict add_headers(Buffer *out, const SigV4 *signature, const HttpRequest *request, Slice *message)
{
    size_t amz_signed = 0;
    size_t amz_present = 0;
    for (Slice rest = signature->signed_headers; rest.size > 0;) {
        Slice name = take_until(&rest, ';');
        size_t taken = add_header(out, request, name);
        if (taken == 0)
            return refuse(SIGV4_INCOMPLETE, message,
                          arena_format(out->arena,
                                       "'%.*s' is named as a SignedHeader, but it does not exist in the HTTP request.",
                                       SLICE_PRINT(name)));
        if (slice_starts_with(name, amz_prefix))
            amz_signed += taken;
    }
    for (size_t i = 0; i < request->header_count; i++)
        amz_present += slice_starts_with(request->headers[i].name, amz_prefix);
    if (amz_present != amz_signed)
        return refuse(SIGV4_MISMATCH, message,
                      arena_format(out->arena, "'%.*s' must be a 'SignedHeader' in the AWS Authorization.",
                                   SLICE_PRINT(find_unsigned_header(signature, request))));
    return SIGV4_GOOD;
}

SigV4Verdict sigv4_canonical_request(const SigV4 *signature, const HttpRequest *request, Slice payload, Buffer *out,
                                     Slice *message)
{
    /* Room for the usual request, so that nothing is moved. */
    buffer_reserve(out, 1024);
    buffer_add(out, request->method);
    buffer_add_byte(out, '\n');
    if (add_path(out, request->path, slice_equal(signature->service, SLICE("s3"))) != OK)
        return refuse(SIGV4_INCOMPLETE, message, SLICE("The path is not percent-encoded as it should be."));
    buffer_add_byte(out, '\n');
    add_parameters(out, signature);
    buffer_add_byte(out, '\n');
    SigV4Verdict verdict = add_headers(out, signature, request, message);
    if (verdict != SIGV4_GOOD)
        return verdict;
    buffer_add_byte(out, '\n');
    buffer_add(out, signature->signed_headers);
    buffer_add_byte(out, '\n');
    buffer_add(out, payload);
    return SIGV4_GOOD;
}

/* ---- The signature ---- */

void sigv4_signing_key(Slice secret, Slice date, Slice region, Slice service, unsigned char key[SHA256_SIZE])
{
    Arena arena = arena_make();
    Buffer first = buffer_make(&arena);
    BUFFER_ADD(&first, "AWS4");
    buffer_add(&first, secret);
    hmac_sha256(buffer_slice(&first), date, key);
    explicit_bzero(first.data, first.size);
    arena_free(&arena);
    hmac_sha256(slice_make(key, SHA256_SIZE), region, key);
    hmac_sha256(slice_make(key, SHA256_SIZE), service, key);
    hmac_sha256(slice_make(key, SHA256_SIZE), SLICE("aws4_request"), key);
}

static void write_hex(const unsigned char digest[SHA256_SIZE], char text[SHA256_SIZE * 2])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        text[i * 2] = digits[digest[i] >> 4];
        text[i * 2 + 1] = digits[digest[i] & 15];
    }
}

/* The canonical request's last line. A presigned request to S3 never signs its body (Amazon S3 API reference,
 * "Authenticating Requests: Using Query Parameters"). */
static Slice payload_line(const SigV4 *signature, Slice body, char hex[SHA256_SIZE * 2])
{
    if (slice_equal(signature->payload, unsigned_payload) ||
        (signature->presigned && signature->payload.data == NULL && slice_equal(signature->service, SLICE("s3"))))
        return unsigned_payload;
    unsigned char digest[SHA256_SIZE];
    sha256(body, digest);
    write_hex(digest, hex);
    return slice_make(hex, SHA256_SIZE * 2);
}

SigV4Verdict sigv4_verify(const SigV4 *signature, const HttpRequest *request, Slice body,
                          const unsigned char key[SHA256_SIZE], Arena *arena, Slice *message)
{
    static const Slice mismatch =
        SLICE_INIT("The request signature we calculated does not match the signature you provided. Check your AWS "
                   "Secret Access Key and signing method. Consult the service documentation for details.");
    unsigned char digest[SHA256_SIZE];
    char hex[SHA256_SIZE * 2];
    ArenaMark mark = arena_mark(arena);

    Slice payload = payload_line(signature, body, hex);
    /* A hash that the request states must be its body's, even where the canonical request would not tell. */
    if (signature->payload.data != NULL && !slice_equal(signature->payload, payload))
        return refuse(SIGV4_MISMATCH, message, mismatch);
    Buffer out = buffer_make(arena);
    SigV4Verdict verdict = sigv4_canonical_request(signature, request, payload, &out, message);
    if (verdict != SIGV4_GOOD)
        return verdict;
    sha256(buffer_slice(&out), digest);

    out.size = 0;
    buffer_add(&out, algorithm);
    buffer_add_byte(&out, '\n');
    buffer_add(&out, signature->timestamp);
    buffer_add_byte(&out, '\n');
    buffer_add(&out, signature->scope);
    buffer_add_byte(&out, '\n');
    write_hex(digest, buffer_reserve(&out, sizeof hex));
    out.size += sizeof hex;

    hmac_sha256(slice_make(key, SHA256_SIZE), buffer_slice(&out), digest);
    write_hex(digest, hex);
    arena_rewind(arena, mark);
    if (!secure_equal(slice_make(hex, sizeof hex), signature->signature))
        return refuse(SIGV4_MISMATCH, message, mismatch);
    return SIGV4_GOOD;
}

#include "aws/wire/sigv4_internal.h"

static const Slice unsigned_payload = SLICE_INIT("UNSIGNED-PAYLOAD");
static const Slice amz_prefix = SLICE_INIT("x-amz-");

/* ---- The canonical request (IAM user guide, "Create a signed AWS API request", step 1) ---- */

/* The path without "." and ".." segments and empty ones, as services other than S3 sign it. `out` holds the path's
 * size. */
static Slice normalize_path(Slice path, char *out)
{
    size_t size = 0;
    bool slash_behind = path.size > 0 && path.data[path.size - 1] == '/';
    while (path.size > 0) {
        Slice segment = sigv4_take_until(&path, '/');
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
    value = sigv4_trim(value);
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
    } else if (sigv4_is_host(name) && request->host.size > 0) {
        /* Clients of HTTP/2 sign what they send, which is :authority. */
        buffer_add(out, name);
        buffer_add_byte(out, ':');
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
            found = slice_equal(sigv4_take_until(&rest, ';'), request->headers[i].name);
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
        Slice name = sigv4_take_until(&rest, ';');
        size_t taken = add_header(out, request, name);
        if (taken == 0)
            return sigv4_refuse(
                SIGV4_INCOMPLETE, message,
                arena_format(out->arena,
                             "'%.*s' is named as a SignedHeader, but it does not exist in the HTTP request.",
                             SLICE_PRINT(name)));
        if (slice_starts_with(name, amz_prefix))
            amz_signed += taken;
    }
    for (size_t i = 0; i < request->header_count; i++)
        amz_present += slice_starts_with(request->headers[i].name, amz_prefix);
    if (amz_present != amz_signed)
        return sigv4_refuse(SIGV4_MISMATCH, message,
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
        return sigv4_refuse(SIGV4_INCOMPLETE, message, SLICE("The path is not percent-encoded as it should be."));
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
    if (signature->body_sha256 == NULL)
        sha256(body, digest);
    write_hex(signature->body_sha256 == NULL ? digest : signature->body_sha256, hex);
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
        return sigv4_refuse(SIGV4_MISMATCH, message, mismatch);
    Buffer out = buffer_make(arena);
    SigV4Verdict verdict = sigv4_canonical_request(signature, request, payload, &out, message);
    if (verdict != SIGV4_GOOD)
        return verdict;
    sha256(buffer_slice(&out), digest);

    out.size = 0;
    BUFFER_ADD(&out, SIGV4_ALGORITHM);
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
        return sigv4_refuse(SIGV4_MISMATCH, message, mismatch);
    return SIGV4_GOOD;
}

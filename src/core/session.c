#include "core/session.h"

#include "base/digest.h"
#include "core/identity_internal.h"
#include "core/policy_document.h"

enum { SCHEMA_SECRET = 1, SCHEMA_SESSION = 1 };
enum { LABELS_MAX = 50, POLICY_ARNS_MAX = 10 };

/* ---- The secret ---- */

static Slice secret_key(Txn *txn)
{
    Buffer key = identity_key(txn, SLICE(""), IDENTITY_TAG_SECRET);
    return buffer_slice(&key);
}

Error session_secret_get(Txn *txn, unsigned char secret[SESSION_SECRET_SIZE])
{
    bool found;
    Slice value;
    Slice bytes;
    uint8_t schema;
    TRY(txn_get(txn, secret_key(txn), &value, &found));
    if (!found)
        return SESSION_TOKEN_INVALID;
    TRY(value_take_schema(&value, &schema));
    TRY(value_take_bytes(&value, &bytes));
    if (schema != SCHEMA_SECRET || bytes.size != SESSION_SECRET_SIZE)
        return ERROR_FORMAT;
    memcpy(secret, bytes.data, bytes.size);
    return OK;
}

Error session_secret_make(Txn *txn, unsigned char secret[SESSION_SECRET_SIZE])
{
    Error error = session_secret_get(txn, secret);
    if (error != SESSION_TOKEN_INVALID)
        return error;
    txn_random_bytes(txn, secret, SESSION_SECRET_SIZE);
    Buffer value = value_start(txn_arena(txn), SCHEMA_SECRET);
    value_add_bytes(&value, slice_make(secret, SESSION_SECRET_SIZE));
    txn_put(txn, secret_key(txn), buffer_slice(&value));
    return OK;
}

/* ---- Tokens ---- */

/* Each use of the secret has a key of its own. */
static void code_over(const unsigned char secret[SESSION_SECRET_SIZE], Slice purpose, Slice bytes,
                      unsigned char code[SHA256_SIZE])
{
    unsigned char key[SHA256_SIZE];
    hmac_sha256(slice_make(secret, SESSION_SECRET_SIZE), purpose, key);
    hmac_sha256(slice_make(key, sizeof key), bytes, code);
    explicit_bzero(key, sizeof key);
}

Slice session_secret_key(Arena *arena, const unsigned char secret[SESSION_SECRET_SIZE], Slice token)
{
    unsigned char code[SHA256_SIZE];
    code_over(secret, SLICE("secret access key"), token, code);
    Slice text = base64_encode(arena, slice_make(code, sizeof code));
    text.size = SESSION_SECRET_KEY_SIZE;
    return text;
}

static void add_packed(Buffer *out, const Session *session)
{
    value_add_optional(out, session->policy);
    value_add_uint64(out, session->policy_arn_count);
    for (size_t i = 0; i < session->policy_arn_count; i++)
        value_add_bytes(out, session->policy_arns[i]);
    value_add_labels(out, &session->labels);
}

static size_t packed_size(Arena *arena, const Session *session)
{
    Buffer packed = buffer_make(arena);
    add_packed(&packed, session);
    return packed.size;
}

uint64_t session_packed_percent(Arena *arena, const Session *session)
{
    return (packed_size(arena, session) * 100 + SESSION_PACKED_MAX - 1) / SESSION_PACKED_MAX;
}

static Slice write_token(Arena *arena, const unsigned char secret[SESSION_SECRET_SIZE], const Session *session)
{
    unsigned char code[SHA256_SIZE];
    Buffer bytes = value_start(arena, SCHEMA_SESSION);
    value_add_bytes(&bytes, session->account);
    value_add_bytes(&bytes, session->access_key_id);
    value_add_bytes(&bytes, session->principal_arn);
    value_add_bytes(&bytes, session->principal_id);
    value_add_optional(&bytes, session->role_arn);
    value_add_optional(&bytes, session->source_identity);
    value_add_uint64(&bytes, session->expires_ms);
    value_add_uint64(&bytes, session->transitive);
    add_packed(&bytes, session);
    code_over(secret, SLICE("session token"), buffer_slice(&bytes), code);
    buffer_add(&bytes, slice_make(code, sizeof code));
    return base64_encode(arena, buffer_slice(&bytes));
}

static Error read_packed(Slice *value, Arena *arena, Session *session)
{
    uint64_t count;
    TRY(value_take_optional(value, &session->policy));
    TRY(value_take_uint64(value, &count));
    if (count > POLICY_ARNS_MAX)
        return ERROR_FORMAT;
    session->policy_arns = ARENA_ARRAY(arena, Slice, count);
    session->policy_arn_count = count;
    for (size_t i = 0; i < count; i++)
        TRY(value_take_bytes(value, &session->policy_arns[i]));
    return value_take_labels(value, arena, &session->labels);
}

static Error read_token(Slice value, Arena *arena, Session *session)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_SESSION)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &session->account));
    TRY(value_take_bytes(&value, &session->access_key_id));
    TRY(value_take_bytes(&value, &session->principal_arn));
    TRY(value_take_bytes(&value, &session->principal_id));
    TRY(value_take_optional(&value, &session->role_arn));
    TRY(value_take_optional(&value, &session->source_identity));
    TRY(value_take_uint64(&value, &session->expires_ms));
    TRY(value_take_uint64(&value, &session->transitive));
    return read_packed(&value, arena, session);
}

Error session_read(Arena *arena, const unsigned char secret[SESSION_SECRET_SIZE], Slice token, Session *session)
{
    Slice bytes;
    unsigned char code[SHA256_SIZE];
    *session = (Session){0};
    if (token.size > SESSION_TOKEN_MAX || base64_decode(arena, token, &bytes) != OK || bytes.size <= SHA256_SIZE)
        return SESSION_TOKEN_INVALID;
    Slice said = slice_make(bytes.data, bytes.size - SHA256_SIZE);
    code_over(secret, SLICE("session token"), said, code);
    if (!secure_equal(slice_make(code, sizeof code), slice_skip(bytes, said.size)))
        return SESSION_TOKEN_INVALID;
    return read_token(said, arena, session) == OK ? OK : SESSION_TOKEN_INVALID;
}

/* ---- Issuing ---- */

static Slice new_access_key_id(Txn *txn)
{
    Slice id = identity_new_id(txn, "ASIA");
    id.size = SESSION_ACCESS_KEY_SIZE;
    return id;
}

Error session_issue(Txn *txn, const unsigned char secret[SESSION_SECRET_SIZE], Session *session,
                    SessionCredentials *credentials)
{
    Arena *arena = txn_arena(txn);
    if (session->labels.count > LABELS_MAX || session->policy_arn_count > POLICY_ARNS_MAX ||
        packed_size(arena, session) > SESSION_PACKED_MAX)
        return SESSION_TOO_LARGE;
    session->access_key_id = new_access_key_id(txn);
    Slice token = write_token(arena, secret, session);
    *credentials = (SessionCredentials){
        .access_key_id = session->access_key_id,
        .secret_key = session_secret_key(arena, secret, token),
        .token = token,
        .expires_ms = session->expires_ms,
    };
    return OK;
}

Session session_of_role(Arena *arena, const Identity *role, Slice name)
{
    return (Session){
        .account = role->account,
        .principal_arn = arena_format(arena, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", SLICE_PRINT(role->account),
                                      SLICE_PRINT(role->name), SLICE_PRINT(name)),
        .principal_id = arena_format(arena, "%.*s:%.*s", SLICE_PRINT(role->id), SLICE_PRINT(name)),
        .role_arn = identity_arn(arena, role),
    };
}

Error identity_session_for_role(Txn *txn, const SessionForRole *request, SessionCredentials *credentials)
{
    Identity role;
    unsigned char secret[SESSION_SECRET_SIZE];
    TRY(identity_get(txn, request->account, IDENTITY_ROLE, request->role_name, &role));
    TrustRequest trust = {.service = request->service, .action = SLICE("sts:AssumeRole")};
    if (!policy_trust_allows(role.trust, &trust, txn_arena(txn)))
        return ERROR_DENIED;
    TRY(session_secret_make(txn, secret));
    Session session = session_of_role(txn_arena(txn), &role, request->session_name);
    session.expires_ms = request->expires_ms;
    Error error = session_issue(txn, secret, &session, credentials);
    explicit_bzero(secret, sizeof secret);
    return error;
}

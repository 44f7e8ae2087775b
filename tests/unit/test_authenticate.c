/* The promises of authenticate.h: from a signed request to its actor, over a stepped store in the simulated world. */
#include "aws/wire/authenticate.h"

#include "aws/wire/common_error.h"
#include "aws/wire/sigv4.h"
#include "base/time_format.h"
#include "core/session.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static const Service sqs = {.name = SLICE_INIT("sqs")};

/* A store with one key of account 123456789012, and an authenticator on it. */
typedef struct Bench {
    World world;
    AccountGeneration generation;
    Authenticator *authenticator;
    char key_id[32];
    char secret[64];
} Bench;

static Error make_key_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Account account;
    AccessKey key;
    TRY(account_create(txn, SLICE("123456789012"), SLICE(""), &account));
    TRY(access_key_create(txn, account.id, &key));
    snprintf(bench->key_id, sizeof bench->key_id, "%.*s", SLICE_PRINT(key.id));
    snprintf(bench->secret, sizeof bench->secret, "%.*s", SLICE_PRINT(key.secret));
    return OK;
}

static Error revoke_key_body(Txn *txn, StoreCall *call)
{
    const Bench *bench = probe_argument(call);
    return access_key_revoke(txn, slice_of_string(bench->key_id));
}

static void open_authenticator(Bench *bench, AuthMode mode)
{
    AuthenticatorOptions options = {
        .os = bench->world.os,
        .store = bench->world.store,
        .mailbox = &bench->world.mailbox,
        .mode = mode,
        .generation = &bench->generation,
        .root_access_key_id = SLICE("ROOTKEY"),
        .root_secret = SLICE("root secret"),
    };
    bench->authenticator = authenticator_open(&options);
}

static int open_bench(void **state)
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    world_open(&bench->world, 11);
    assert_int_equal(world_write(&bench->world, make_key_body, bench), OK);
    open_authenticator(bench, AUTH_SIGNED);
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    Bench *bench = *state;
    authenticator_close(bench->authenticator);
    world_close(&bench->world);
    free(bench);
    return 0;
}

/* One request and what became of it. */
typedef struct Attempted {
    Call call;
    HttpRequest request;
    HttpHeader headers[8];
    Arena arena;
    bool done;
    Error error;
} Attempted;

static Attempted *current; /* the one attempt at a time: `done` has no argument of the test's */

static void attempted(Call *call, Error error)
{
    assert_ptr_equal(call, &current->call);
    assert_false(current->done);
    current->done = true;
    current->error = error;
}

typedef struct Signer {
    const char *key_id;
    const char *secret;
    const char *region;
    const char *service;
    const char *token; /* NULL: none */
} Signer;

/* Signs as a client would: the whole of Signature Version 4 but the canonical request, which test_sigv4.c checks. */
static void prepare(Attempted *attempt, World *world, const Signer *signer, Slice body)
{
    *attempt = (Attempted){0};
    Arena *arena = &attempt->arena;
    char text[TIME_TEXT_MAX];
    Slice now = arena_copy(arena, time_format_iso_basic((int64_t)os_wall_ms(world->os), text));
    Slice date = {now.data, 8};
    HttpHeader headers[] = {{SLICE("host"), SLICE("127.0.0.1:4566")}, {SLICE("x-amz-date"), now}};
    memcpy(attempt->headers, headers, sizeof headers);
    attempt->request = (HttpRequest){.arena = arena,
                                     .method = SLICE("POST"),
                                     .path = SLICE("/"),
                                     .query = SLICE(""),
                                     .headers = attempt->headers,
                                     .header_count = 2};
    attempt->call = (Call){.arena = arena, .service = &sqs};
    if (signer == NULL)
        return;
    SigV4 signature = {.service = slice_of_string(signer->service), .signed_headers = SLICE("host;x-amz-date")};
    if (signer->token != NULL) {
        attempt->headers[attempt->request.header_count++] =
            (HttpHeader){SLICE("x-amz-security-token"), slice_of_string(signer->token)};
        signature.signed_headers = SLICE("host;x-amz-date;x-amz-security-token");
    }
    unsigned char digest[SHA256_SIZE];
    unsigned char key[SHA256_SIZE];
    Slice message;
    Buffer canonical = buffer_make(arena);
    sha256(body, digest);
    assert_int_equal(sigv4_canonical_request(&signature, &attempt->request, hex_encode(arena, digest, sizeof digest),
                                             &canonical, &message),
                     SIGV4_GOOD);
    sha256(buffer_slice(&canonical), digest);
    Slice scope = arena_format(arena, "%.*s/%s/%s/aws4_request", SLICE_PRINT(date), signer->region, signer->service);
    Slice to_sign = arena_format(arena, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%.*s", SLICE_PRINT(now), SLICE_PRINT(scope),
                                 SLICE_PRINT(hex_encode(arena, digest, sizeof digest)));
    sigv4_signing_key(slice_of_string(signer->secret), date, slice_of_string(signer->region),
                      slice_of_string(signer->service), key);
    hmac_sha256(slice_make(key, sizeof key), to_sign, digest);
    attempt->headers[attempt->request.header_count++] =
        (HttpHeader){SLICE("authorization"),
                     arena_format(arena, "AWS4-HMAC-SHA256 Credential=%s/%.*s, SignedHeaders=%.*s, Signature=%.*s",
                                  signer->key_id, SLICE_PRINT(scope), SLICE_PRINT(signature.signed_headers),
                                  SLICE_PRINT(hex_encode(arena, digest, sizeof digest)))};
}

static void run(Bench *bench, Attempted *attempt, Slice body)
{
    current = attempt;
    authenticate(bench->authenticator, &attempt->call, &attempt->request, (SignedBody){.bytes = body}, attempted);
    assert_true(attempt->done);
}

static Signer own_key(const Bench *bench)
{
    return (Signer){bench->key_id, bench->secret, "eu-central-1", "sqs", NULL};
}

static void expect_accepted(Bench *bench, Signer signer, const char *account)
{
    Attempted attempt;
    prepare(&attempt, &bench->world, &signer, SLICE("body"));
    run(bench, &attempt, SLICE("body"));
    assert_int_equal(attempt.error, OK);
    assert_true(slice_equal(attempt.call.actor.account, slice_of_string(account)));
    assert_true(slice_equal(attempt.call.actor.region, slice_of_string(signer.region)));
    assert_true(slice_equal(attempt.call.actor.access_key_id, slice_of_string(signer.key_id)));
    assert_true(
        slice_equal(attempt.call.actor.principal_arn, arena_format(&attempt.arena, "arn:aws:iam::%s:root", account)));
    arena_free(&attempt.arena);
}

static void expect_refused(Bench *bench, Signer signer, const ApiError *row, const char *message)
{
    Attempted attempt;
    prepare(&attempt, &bench->world, &signer, SLICE("body"));
    run(bench, &attempt, SLICE("body"));
    assert_int_equal(attempt.error, ERROR_ANSWERED);
    assert_ptr_equal(attempt.call.error, row);
    if (!slice_starts_with(attempt.call.error_message, slice_of_string(message)))
        print_error("%.*s\n", SLICE_PRINT(attempt.call.error_message));
    assert_true(slice_starts_with(attempt.call.error_message, slice_of_string(message)));
    assert_null(attempt.call.actor.account.data);
    arena_free(&attempt.arena);
}

/* First from the store, then by the remembered signing key. */
static void a_signed_request_acts_for_its_keys_account(void **state)
{
    expect_accepted(*state, own_key(*state), "123456789012");
    expect_accepted(*state, own_key(*state), "123456789012");
}

static void the_root_key_acts_for_the_default_account(void **state)
{
    expect_accepted(*state, (Signer){"ROOTKEY", "root secret", "us-east-1", "sqs", NULL}, "000000000000");
    expect_refused(*state, (Signer){"ROOTKEY", "another", "us-east-1", "sqs", NULL}, &common_signature_does_not_match,
                   "The request signature we calculated does not match");
}

static void an_unknown_key_is_refused(void **state)
{
    expect_refused(*state, (Signer){"AKIAUNKNOWNUNKNOWN00", "x", "us-east-1", "sqs", NULL},
                   &common_invalid_client_token_id, "The security token included in the request is invalid.");
}

static void another_secret_is_refused_before_and_after_the_right_one(void **state)
{
    Bench *bench = *state;
    Signer wrong = own_key(bench);
    wrong.secret = "wrong";
    expect_refused(bench, wrong, &common_signature_does_not_match, "The request signature we calculated");
    expect_accepted(bench, own_key(bench), "123456789012");
    expect_refused(bench, wrong, &common_signature_does_not_match, "The request signature we calculated");
}

/* What is remembered is the signing key, never that a request was good. */
static void another_body_is_refused_although_its_key_is_remembered(void **state)
{
    Bench *bench = *state;
    Signer signer = own_key(bench);
    expect_accepted(bench, signer, "123456789012");
    Attempted attempt;
    prepare(&attempt, &bench->world, &signer, SLICE("body"));
    run(bench, &attempt, SLICE("BODY"));
    assert_int_equal(attempt.error, ERROR_ANSWERED);
    arena_free(&attempt.arena);
}

static void a_revoked_key_is_refused_at_once(void **state)
{
    Bench *bench = *state;
    expect_accepted(bench, own_key(bench), "123456789012");
    assert_int_equal(world_write(&bench->world, revoke_key_body, bench), OK);
    atomic_fetch_add(&bench->generation.number, 1);
    expect_refused(bench, own_key(bench), &common_invalid_client_token_id, "The security token included");
}

static void requests_without_a_signature_are_refused(void **state)
{
    Bench *bench = *state;
    Attempted attempt;
    prepare(&attempt, &bench->world, NULL, SLICE(""));
    run(bench, &attempt, SLICE(""));
    assert_int_equal(attempt.error, ERROR_ANSWERED);
    assert_ptr_equal(attempt.call.error, &common_missing_authentication_token);
    arena_free(&attempt.arena);
}

static void the_scope_must_fit_the_call(void **state)
{
    Bench *bench = *state;
    Signer signer = own_key(bench);
    signer.service = "sns";
    expect_refused(bench, signer, &common_signature_does_not_match,
                   "Credential should be scoped to correct service: 'sqs'.");
    signer = own_key(bench);
    signer.region = "EU_1";
    expect_refused(bench, signer, &common_signature_does_not_match, "Credential should be scoped to a valid region.");
}

static void an_old_signature_is_refused(void **state)
{
    Bench *bench = *state;
    Signer signer = own_key(bench);
    Attempted attempt;
    prepare(&attempt, &bench->world, &signer, SLICE("body"));
    os_sim_advance_ms(bench->world.os, 15 * 60 * 1000 + 1000);
    run(bench, &attempt, SLICE("body"));
    assert_int_equal(attempt.error, ERROR_ANSWERED);
    assert_ptr_equal(attempt.call.error, &common_signature_does_not_match);
    assert_true(slice_starts_with(attempt.call.error_message, SLICE("Signature expired: 20260101T")));
    arena_free(&attempt.arena);
}

/* No key has a session token yet. */
static void a_session_token_is_refused(void **state)
{
    Bench *bench = *state;
    Signer signer = own_key(bench);
    Attempted attempt;
    prepare(&attempt, &bench->world, &signer, SLICE("body"));
    attempt.headers[attempt.request.header_count++] = (HttpHeader){SLICE("x-amz-security-token"), SLICE("token")};
    run(bench, &attempt, SLICE("body"));
    assert_int_equal(attempt.error, ERROR_ANSWERED);
    assert_ptr_equal(attempt.call.error, &common_invalid_client_token_id);
    arena_free(&attempt.arena);
}

static void open_mode_takes_the_account_from_the_key_id(void **state)
{
    Bench *bench = *state;
    authenticator_close(bench->authenticator);
    open_authenticator(bench, AUTH_OPEN);
    expect_accepted(bench, (Signer){"210987654321", "whatever", "eu-west-1", "sqs", NULL}, "210987654321");
    expect_accepted(bench, (Signer){"test", "whatever", "eu-west-1", "sqs", NULL}, "000000000000");
    Attempted attempt;
    prepare(&attempt, &bench->world, NULL, SLICE(""));
    run(bench, &attempt, SLICE(""));
    assert_int_equal(attempt.error, OK);
    assert_true(slice_equal(attempt.call.actor.account, SLICE("000000000000")));
    assert_true(slice_equal(attempt.call.actor.region, SLICE("us-east-1")));
    assert_null(attempt.call.actor.access_key_id.data);
    arena_free(&attempt.arena);
}

/* ---- Users and sessions ---- */

static Error make_user_key_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Identity user = {
        .kind = IDENTITY_USER, .account = SLICE("123456789012"), .name = SLICE("ann"), .path = SLICE("/team/")};
    AccessKey key;
    TRY(identity_create(txn, &user));
    TRY(access_key_create_for_user(txn, user.account, user.name, &key));
    snprintf(bench->key_id, sizeof bench->key_id, "%.*s", SLICE_PRINT(key.id));
    snprintf(bench->secret, sizeof bench->secret, "%.*s", SLICE_PRINT(key.secret));
    return OK;
}

static Error stop_key_body(Txn *txn, StoreCall *call)
{
    const Bench *bench = probe_argument(call);
    return access_key_set_inactive(txn, slice_of_string(bench->key_id), true);
}

/* Twice: from the store, and beside the remembered signing key. */
static void a_users_key_acts_for_the_user_until_it_is_inactive(void **state)
{
    Bench *bench = *state;
    assert_int_equal(world_write(&bench->world, make_user_key_body, bench), OK);
    Signer signer = own_key(bench);
    for (int i = 0; i < 2; i++) {
        Attempted attempt;
        prepare(&attempt, &bench->world, &signer, SLICE("body"));
        run(bench, &attempt, SLICE("body"));
        assert_int_equal(attempt.error, OK);
        assert_true(slice_equal(attempt.call.actor.principal_arn, SLICE("arn:aws:iam::123456789012:user/team/ann")));
        assert_true(slice_starts_with(attempt.call.actor.principal_id, SLICE("AIDA")));
        assert_true(attempt.call.actor.verified);
        arena_free(&attempt.arena);
    }
    assert_int_equal(world_write(&bench->world, stop_key_body, bench), OK);
    bench->generation.number++;
    expect_refused(bench, signer, &common_invalid_client_token_id, "The security token included in the request");
}

typedef struct Issued {
    char key_id[32];
    char secret[64];
    char token[1024];
    uint64_t expires_ms;
} Issued;

static Error issue_body(Txn *txn, StoreCall *call)
{
    Issued *issued = probe_argument(call);
    unsigned char secret[SESSION_SECRET_SIZE];
    SessionCredentials credentials;
    Session session = {
        .account = SLICE("123456789012"),
        .principal_arn = SLICE("arn:aws:sts::123456789012:assumed-role/worker/one"),
        .principal_id = SLICE("AROAX:one"),
        .role_arn = SLICE("arn:aws:iam::123456789012:role/worker"),
        .expires_ms = issued->expires_ms,
    };
    TRY(session_secret_make(txn, secret));
    TRY(session_issue(txn, secret, &session, &credentials));
    snprintf(issued->key_id, sizeof issued->key_id, "%.*s", SLICE_PRINT(credentials.access_key_id));
    snprintf(issued->secret, sizeof issued->secret, "%.*s", SLICE_PRINT(credentials.secret_key));
    snprintf(issued->token, sizeof issued->token, "%.*s", SLICE_PRINT(credentials.token));
    return OK;
}

/* A session of a quarter of an hour. */
static Issued issue(Bench *bench)
{
    Issued issued = {.expires_ms = os_wall_ms(bench->world.os) + 900000};
    assert_int_equal(world_write(&bench->world, issue_body, &issued), OK);
    return issued;
}

static void run_session(Bench *bench, const Issued *issued, const char *secret, const char *token, Attempted *attempt)
{
    Signer signer = {issued->key_id, secret, "us-east-1", "sqs", token};
    prepare(attempt, &bench->world, &signer, SLICE("body"));
    run(bench, attempt, SLICE("body"));
}

static void expect_session_refused(Bench *bench, const Issued *issued, const char *secret, const char *token,
                                   const ApiError *row)
{
    Attempted attempt;
    run_session(bench, issued, secret, token, &attempt);
    assert_int_equal(attempt.error, ERROR_ANSWERED);
    assert_ptr_equal(attempt.call.error, row);
    arena_free(&attempt.arena);
}

static void expect_session(Bench *bench, const Issued *issued, bool verified)
{
    Attempted attempt;
    run_session(bench, issued, issued->secret, issued->token, &attempt);
    assert_int_equal(attempt.error, OK);
    const Actor *actor = &attempt.call.actor;
    assert_true(slice_equal(actor->account, SLICE("123456789012")));
    assert_true(slice_equal(actor->principal_id, SLICE("AROAX:one")));
    assert_non_null(actor->session);
    assert_true(slice_equal(actor->session->role_arn, SLICE("arn:aws:iam::123456789012:role/worker")));
    assert_int_equal(actor->verified, verified);
    arena_free(&attempt.arena);
}

static void a_session_signs_until_it_has_expired(void **state)
{
    Bench *bench = *state;
    Issued issued = issue(bench);
    expect_session(bench, &issued, true);
    os_sim_advance_ms(bench->world.os, 899000);
    expect_session(bench, &issued, true);
    os_sim_advance_ms(bench->world.os, 1000);
    expect_session_refused(bench, &issued, issued.secret, issued.token, &common_expired_token);
}

static void a_sessions_key_is_nothing_without_its_own_token(void **state)
{
    Bench *bench = *state;
    Issued issued = issue(bench);
    Issued other = issue(bench);
    expect_session_refused(bench, &issued, "wrong", issued.token, &common_signature_does_not_match);
    expect_session_refused(bench, &issued, issued.secret, other.token, &common_invalid_client_token_id);
    expect_session_refused(bench, &issued, issued.secret, "garbage", &common_invalid_client_token_id);
    expect_refused(bench, (Signer){issued.key_id, issued.secret, "us-east-1", "sqs", NULL},
                   &common_invalid_client_token_id, "The security token included in the request is invalid.");
}

/* In mode `open` the token is believed, whatever the signature; a stranger's token says nothing. */
static void in_mode_open_a_token_tells_who_calls(void **state)
{
    Bench *bench = *state;
    Attempted attempt;
    Issued issued = issue(bench);
    authenticator_close(bench->authenticator);
    open_authenticator(bench, AUTH_OPEN);
    snprintf(issued.secret, sizeof issued.secret, "any");
    expect_session(bench, &issued, false);
    run_session(bench, &issued, "any", "a stranger's", &attempt);
    assert_int_equal(attempt.error, OK);
    assert_true(slice_equal(attempt.call.actor.account, ACCOUNT_DEFAULT));
    assert_null(attempt.call.actor.session);
    arena_free(&attempt.arena);
    os_sim_advance_ms(bench->world.os, 900000);
    expect_session_refused(bench, &issued, "any", issued.token, &common_expired_token);
}

/* More keys than are remembered: all go on to be verified. */
static void more_scopes_than_are_remembered_still_verify(void **state)
{
    Bench *bench = *state;
    Signer signer = own_key(bench);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1500; i++) {
            char region[32];
            snprintf(region, sizeof region, "region-%d", i);
            signer.region = region;
            expect_accepted(bench, signer, "123456789012");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signed_request_acts_for_its_keys_account, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(the_root_key_acts_for_the_default_account, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(an_unknown_key_is_refused, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(another_secret_is_refused_before_and_after_the_right_one, open_bench,
                                        close_bench),
        cmocka_unit_test_setup_teardown(another_body_is_refused_although_its_key_is_remembered, open_bench,
                                        close_bench),
        cmocka_unit_test_setup_teardown(a_revoked_key_is_refused_at_once, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(requests_without_a_signature_are_refused, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(the_scope_must_fit_the_call, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(an_old_signature_is_refused, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_session_token_is_refused, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_users_key_acts_for_the_user_until_it_is_inactive, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_session_signs_until_it_has_expired, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_sessions_key_is_nothing_without_its_own_token, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(in_mode_open_a_token_tells_who_calls, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(open_mode_takes_the_account_from_the_key_id, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(more_scopes_than_are_remembered_still_verify, open_bench, close_bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

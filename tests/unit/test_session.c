/* The promises of session.h: tokens say what was said, and only this store's secret makes them. */
#include "core/session.h"

#include "store_fixture.h"

#include <stdlib.h>

#define ACCOUNT SLICE("123456789012")

typedef struct Bench {
    World world;
    unsigned char secret[SESSION_SECRET_SIZE];
    Arena arena;
    SessionCredentials credentials;
} Bench;

static int open_bench(void **state)
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    world_open(&bench->world, 3);
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    Bench *bench = *state;
    arena_free(&bench->arena);
    world_close(&bench->world);
    free(bench);
    return 0;
}

static void keep(Bench *bench, const SessionCredentials *credentials)
{
    bench->credentials = (SessionCredentials){
        .access_key_id = arena_copy(&bench->arena, credentials->access_key_id),
        .secret_key = arena_copy(&bench->arena, credentials->secret_key),
        .token = arena_copy(&bench->arena, credentials->token),
        .expires_ms = credentials->expires_ms,
    };
}

static Error issue_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Slice arns[] = {SLICE("arn:aws:iam::aws:policy/AdministratorAccess")};
    Label labels[] = {{SLICE("team"), SLICE("mist")}, {SLICE("stage"), SLICE("test")}};
    Session session = {
        .account = ACCOUNT,
        .principal_arn = SLICE("arn:aws:sts::123456789012:assumed-role/worker/one"),
        .principal_id = SLICE("AROAX:one"),
        .role_arn = SLICE("arn:aws:iam::123456789012:role/worker"),
        .expires_ms = 1234567,
        .policy = SLICE("{}"),
        .policy_arns = arns,
        .policy_arn_count = 1,
        .labels = {labels, 2},
        .transitive = 2,
    };
    SessionCredentials credentials;
    TRY(session_secret_make(txn, bench->secret));
    TRY(session_issue(txn, bench->secret, &session, &credentials));
    keep(bench, &credentials);
    return OK;
}

static void a_token_says_what_was_said(void **state)
{
    Bench *bench = *state;
    Session session;
    assert_int_equal(world_write(&bench->world, issue_body, bench), OK);
    assert_true(slice_starts_with(bench->credentials.access_key_id, SLICE("ASIA")));
    assert_int_equal(bench->credentials.access_key_id.size, 20);
    assert_int_equal(bench->credentials.secret_key.size, 40);
    assert_int_equal(session_read(&bench->arena, bench->secret, bench->credentials.token, &session), OK);
    assert_true(slice_equal(session.account, ACCOUNT));
    assert_true(slice_equal(session.access_key_id, bench->credentials.access_key_id));
    assert_true(slice_equal(session.principal_id, SLICE("AROAX:one")));
    assert_true(slice_equal(session.role_arn, SLICE("arn:aws:iam::123456789012:role/worker")));
    assert_null(session.source_identity.data);
    assert_int_equal(session.expires_ms, 1234567);
    assert_true(slice_equal(session.policy, SLICE("{}")));
    assert_int_equal(session.policy_arn_count, 1);
    assert_int_equal(session.labels.count, 2);
    assert_true(slice_equal(session.labels.items[1].key, SLICE("stage")));
    assert_int_equal(session.transitive, 2);
    assert_true(slice_equal(session_secret_key(&bench->arena, bench->secret, bench->credentials.token),
                            bench->credentials.secret_key));
}

/* Every character of the token changed, one after another; and what is no token at all. */
static void a_changed_token_is_none(void **state)
{
    Bench *bench = *state;
    Session session;
    assert_int_equal(world_write(&bench->world, issue_body, bench), OK);
    Slice token = bench->credentials.token;
    for (size_t i = 0; i < token.size; i++) {
        char *changed = arena_string(&bench->arena, token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(session_read(&bench->arena, bench->secret, slice_make(changed, token.size), &session),
                         SESSION_TOKEN_INVALID);
    }
    const Slice others[] = {SLICE(""), SLICE("abc"), SLICE("AAAA"), {token.data, token.size - 4}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(session_read(&bench->arena, bench->secret, others[i], &session), SESSION_TOKEN_INVALID);
}

static void another_stores_token_is_none(void **state)
{
    Bench *bench = *state;
    Session session;
    unsigned char other[SESSION_SECRET_SIZE] = {1};
    assert_int_equal(world_write(&bench->world, issue_body, bench), OK);
    assert_int_equal(session_read(&bench->arena, other, bench->credentials.token, &session), SESSION_TOKEN_INVALID);
}

static Error get_secret_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    return session_secret_get(txn, bench->secret);
}

static void the_secret_is_made_once_and_kept(void **state)
{
    Bench *bench = *state;
    unsigned char first[SESSION_SECRET_SIZE];
    assert_int_equal(world_read(&bench->world, get_secret_body, bench), SESSION_TOKEN_INVALID);
    assert_int_equal(world_write(&bench->world, issue_body, bench), OK);
    memcpy(first, bench->secret, sizeof first);
    assert_int_equal(world_write(&bench->world, issue_body, bench), OK);
    assert_memory_equal(first, bench->secret, sizeof first);
    world_crash(&bench->world, 9);
    memset(bench->secret, 0, sizeof bench->secret);
    assert_int_equal(world_read(&bench->world, get_secret_body, bench), OK);
    assert_memory_equal(first, bench->secret, sizeof first);
}

static Error too_large_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Label labels[50];
    char *text = arena_alloc(txn_arena(txn), 256);
    memset(text, 'x', 256);
    for (size_t i = 0; i < 50; i++)
        labels[i] = (Label){SLICE("key"), slice_make(text, 256)};
    Session session = {.account = ACCOUNT, .labels = {labels, 50}};
    SessionCredentials credentials;
    TRY(session_secret_make(txn, bench->secret));
    assert_true(session_packed_percent(txn_arena(txn), &session) > 300);
    return session_issue(txn, bench->secret, &session, &credentials);
}

static void what_a_token_carries_is_bounded(void **state)
{
    Bench *bench = *state;
    assert_int_equal(world_write(&bench->world, too_large_body, bench), SESSION_TOO_LARGE);
}

/* ---- Workers ---- */

static Error worker_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Identity role = {
        .kind = IDENTITY_ROLE,
        .account = ACCOUNT,
        .name = SLICE("worker"),
        .path = SLICE("/app/"),
        .trust = SLICE("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{\"Service\":"
                       "\"lambda.amazonaws.com\"}}}"),
    };
    SessionForRole request = {ACCOUNT, SLICE("worker"), SLICE("fn"), SLICE("lambda.amazonaws.com"), 99000};
    SessionCredentials credentials;
    assert_int_equal(identity_session_for_role(txn, &request, &credentials), IDENTITY_NOT_FOUND);
    TRY(identity_create(txn, &role));
    TRY(identity_session_for_role(txn, &request, &credentials));
    keep(bench, &credentials);
    request.service = SLICE("events.amazonaws.com");
    assert_int_equal(identity_session_for_role(txn, &request, &credentials), ERROR_DENIED);
    return session_secret_get(txn, bench->secret);
}

static void a_worker_gets_its_roles_credentials_if_the_role_trusts_the_service(void **state)
{
    Bench *bench = *state;
    Session session;
    assert_int_equal(world_write(&bench->world, worker_body, bench), OK);
    assert_int_equal(session_read(&bench->arena, bench->secret, bench->credentials.token, &session), OK);
    assert_true(slice_equal(session.principal_arn, SLICE("arn:aws:sts::123456789012:assumed-role/worker/fn")));
    assert_true(slice_equal(session.role_arn, SLICE("arn:aws:iam::123456789012:role/app/worker")));
    assert_true(slice_starts_with(session.principal_id, SLICE("AROA")));
    assert_int_equal(session.expires_ms, 99000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        TEST(a_token_says_what_was_said),      TEST(a_changed_token_is_none),
        TEST(another_stores_token_is_none),    TEST(the_secret_is_made_once_and_kept),
        TEST(what_a_token_carries_is_bounded), TEST(a_worker_gets_its_roles_credentials_if_the_role_trusts_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

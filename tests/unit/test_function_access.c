/* The promises of permission.h, function_policy.h and function_url.h. */
#include "core/function_policy.h"
#include "core/function_url.h"
#include "function_fixture.h"

/* ---- Who may ---- */

#define INVOKE SLICE("lambda:InvokeFunction")

static bool allows(const Permission *permission, const AccessRequest *request)
{
    Permission item = *permission;
    Permissions permissions = {.items = &item, .count = 1};
    return permissions_allow(&permissions, request);
}

static void nothing_allows_nobody(void **state)
{
    (void)state;
    Permissions none = {0};
    AccessRequest request = {.action = INVOKE, .account = ACCOUNT};
    assert_false(permissions_allow(&none, &request));
}

static void a_statement_is_for_its_principal(void **state)
{
    (void)state;
    AccessRequest service = {.action = INVOKE, .service = SLICE("s3.amazonaws.com")};
    AccessRequest nobody = {.action = INVOKE};
    AccessRequest session = {.action = INVOKE,
                             .account = ACCOUNT,
                             .principal_arn = SLICE("arn:aws:sts::123456789012:assumed-role/r/s"),
                             .role_arn = SLICE("arn:aws:iam::123456789012:role/r")};
    Permission to_service = {.action = INVOKE, .kind = PERMISSION_SERVICE, .principal = SLICE("s3.amazonaws.com")};
    Permission to_account = {.action = INVOKE, .kind = PERMISSION_ACCOUNT, .principal = ACCOUNT};
    Permission to_role = {
        .action = INVOKE, .kind = PERMISSION_ARN, .principal = SLICE("arn:aws:iam::123456789012:role/r")};
    Permission to_all = {.action = INVOKE, .kind = PERMISSION_ANYONE};
    assert_true(allows(&to_service, &service));
    assert_false(allows(&to_service, &session));
    assert_false(allows(&to_service, &nobody));
    assert_true(allows(&to_account, &session));
    assert_false(allows(&to_account, &nobody));
    assert_true(allows(&to_role, &session));
    session.role_arn = SLICE("arn:aws:iam::123456789012:role/q");
    assert_false(allows(&to_role, &session));
    assert_true(allows(&to_all, &nobody) && allows(&to_all, &service) && allows(&to_all, &session));
}

static void actions_may_have_wildcards(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        bool fits;
    } rows[] = {{"lambda:InvokeFunction", true},
                {"LAMBDA:invokefunction", true},
                {"lambda:*", true},
                {"*", true},
                {"lambda:Invoke*n", true},
                {"lambda:InvokeFunctionUrl", false},
                {"lambda:InvokeFunctio", false},
                {"lambda:Get*", false},
                {"", false}};
    AccessRequest request = {.action = INVOKE};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Permission permission = {.action = slice_of_string(rows[i].pattern), .kind = PERMISSION_ANYONE};
        assert_int_equal(allows(&permission, &request), rows[i].fits);
    }
}

static void every_condition_must_hold(void **state)
{
    (void)state;
    const Permission plain = {.action = INVOKE, .kind = PERMISSION_ANYONE};
    const AccessRequest full = {.action = INVOKE,
                                .source_arn = SLICE("arn:aws:s3:::bucket"),
                                .source_account = ACCOUNT,
                                .organization = SLICE("o-1234567890"),
                                .source_token = SLICE("t"),
                                .url_auth = SLICE("NONE"),
                                .via_url = true};
    const AccessRequest bare = {.action = INVOKE};
    Permission conditions[] = {plain, plain, plain, plain, plain, plain};
    conditions[0].source_arn = SLICE("arn:aws:s3:::b*t");
    conditions[1].source_account = ACCOUNT;
    conditions[2].organization = SLICE("o-1234567890");
    conditions[3].source_token = SLICE("t");
    conditions[4].url_auth = SLICE("NONE");
    conditions[5].has_via_url = conditions[5].via_url = true;
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        assert_true(allows(&conditions[i], &full));
        assert_false(allows(&conditions[i], &bare));
    }
    Permission both = conditions[0];
    both.source_account = SLICE("210987654321");
    assert_false(allows(&both, &full));
    Permission wrong_case = plain;
    wrong_case.source_arn = SLICE("arn:aws:s3:::BUCKET");
    assert_false(allows(&wrong_case, &full));
    Permission never_by_url = plain;
    never_by_url.has_via_url = true;
    assert_false(allows(&never_by_url, &full));
    assert_true(allows(&never_by_url, &bare));
}

/* ---- Policies ---- */

static Error keep_policy(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = made_function(txn, SLICE("hello"));
    Permissions permissions;
    publish_version(txn, &function);
    TRY(function_policy_get(txn, &function, SLICE(""), &permissions));
    assert_int_equal(permissions.count, 0);
    assert_null(permissions.revision_id.data);
    Permission permission = {.id = SLICE("a"),
                             .action = INVOKE,
                             .kind = PERMISSION_SERVICE,
                             .principal = SLICE("s3.amazonaws.com"),
                             .source_arn = SLICE("arn:aws:s3:::b"),
                             .has_via_url = true,
                             .via_url = true};
    assert_int_equal(permissions_add(&permissions, &permission, txn_arena(txn)), OK);
    permission.id = SLICE("b");
    permission.has_via_url = permission.via_url = false;
    assert_int_equal(permissions_add(&permissions, &permission, txn_arena(txn)), OK);
    assert_int_equal(permissions_add(&permissions, &permission, txn_arena(txn)), PERMISSION_EXISTS);
    function_policy_put(txn, &function, SLICE(""), &permissions);
    assert_int_equal(permissions.revision_id.size, 36);
    function_policy_put(txn, &function, SLICE("1"), &permissions);
    return OK;
}

static Error read_policy(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    Permissions permissions;
    TRY(function_policy_get(txn, &function, SLICE(""), &permissions));
    assert_int_equal(permissions.count, 2);
    const Permission *first = permissions_find(&permissions, SLICE("a"));
    assert_ptr_equal(first, &permissions.items[0]);
    assert_true(first->has_via_url && first->via_url && first->kind == PERMISSION_SERVICE);
    assert_true(slice_equal(first->source_arn, SLICE("arn:aws:s3:::b")));
    assert_null(first->source_account.data);
    assert_false(permissions.items[1].has_via_url);
    assert_null(permissions_find(&permissions, SLICE("c")));
    return OK;
}

static Error delete_version(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    Permissions permissions;
    TRY(function_version_delete(txn, &function, SLICE("1")));
    TRY(function_policy_get(txn, &function, SLICE("1"), &permissions));
    assert_int_equal(permissions.count, 0);
    TRY(function_policy_get(txn, &function, SLICE(""), &permissions));
    assert_int_equal(permissions_remove(&permissions, SLICE("c")), PERMISSION_NOT_FOUND);
    assert_int_equal(permissions_remove(&permissions, SLICE("a")), OK);
    assert_int_equal(permissions_remove(&permissions, SLICE("b")), OK);
    function_policy_put(txn, &function, SLICE(""), &permissions);
    TRY(function_policy_get(txn, &function, SLICE(""), &permissions));
    assert_null(permissions.revision_id.data);
    return OK;
}

static void a_policy_is_read_back_and_goes_with_its_version(void **state)
{
    assert_int_equal(world_write(*state, keep_policy, NULL), OK);
    assert_int_equal(world_read(*state, read_policy, NULL), OK);
    assert_int_equal(world_write(*state, delete_version, NULL), OK);
}

/* ---- URLs ---- */

typedef struct Ids {
    char own[FUNCTION_URL_ID_SIZE];
    char alias[FUNCTION_URL_ID_SIZE];
} Ids;

static Error make_urls(Txn *txn, StoreCall *call)
{
    Ids *ids = probe_argument(call);
    Function function = made_function(txn, SLICE("hello"));
    Slice origins[] = {SLICE("https://a.test"), SLICE("*")};
    FunctionUrl url = {.qualifier = SLICE(""), .has_cors = true};
    url.cors = (FunctionUrlCors){.origins = {origins, 2}, .methods = {origins, 0}, .has_max_age = true, .max_age_s = 9};
    TRY(function_url_create(txn, &function, &url));
    assert_int_equal(url.id.size, FUNCTION_URL_ID_SIZE);
    for (size_t i = 0; i < url.id.size; i++)
        assert_true((url.id.data[i] >= 'a' && url.id.data[i] <= 'z') ||
                    (url.id.data[i] >= '0' && url.id.data[i] <= '9'));
    memcpy(ids->own, url.id.data, sizeof ids->own);
    assert_int_equal(function_url_create(txn, &function, &url), FUNCTION_URL_EXISTS);

    FunctionUrl live = {.qualifier = SLICE("live"), .is_signed = true, .is_streamed = true};
    assert_int_equal(function_url_create(txn, &function, &live), FUNCTION_ALIAS_NOT_FOUND);
    publish_version(txn, &function);
    make_alias(txn, &function, SLICE("live"), SLICE("1"));
    TRY(function_url_create(txn, &function, &live));
    memcpy(ids->alias, live.id.data, sizeof ids->alias);
    return OK;
}

static Error find_urls(Txn *txn, StoreCall *call)
{
    Ids *ids = probe_argument(call);
    Function function;
    FunctionUrl url;
    FunctionUrl *urls;
    size_t count;
    FunctionPage page = {.limit = 1};
    TRY(function_url_find(txn, slice_make(ids->own, sizeof ids->own), &function, &url));
    assert_true(slice_equal(function.name, SLICE("hello")) && url.qualifier.size == 0);
    assert_true(url.has_cors && url.cors.origins.count == 2 && url.cors.max_age_s == 9 && url.cors.has_max_age);
    assert_non_null(url.cors.methods.items);
    assert_int_equal(url.cors.methods.count, 0);
    assert_null(url.cors.headers.items);
    assert_false(url.is_signed || url.is_streamed || url.cors.has_credentials);
    TRY(function_url_find(txn, slice_make(ids->alias, sizeof ids->alias), &function, &url));
    assert_true(slice_equal(url.qualifier, SLICE("live")));
    assert_true(url.is_signed && url.is_streamed && !url.has_cors);
    assert_int_equal(function_url_find(txn, SLICE("nobody"), &function, &url), FUNCTION_URL_NOT_FOUND);
    TRY(function_url_list(txn, &function, &page, &urls, &count));
    assert_int_equal(count, 1);
    assert_int_equal(urls[0].qualifier.size, 0);
    page.after = page.next;
    TRY(function_url_list(txn, &function, &page, &urls, &count));
    assert_int_equal(count, 1);
    assert_true(slice_equal(urls[0].qualifier, SLICE("live")));
    assert_null(page.next.data);
    return OK;
}

static Error delete_alias(Txn *txn, StoreCall *call)
{
    Ids *ids = probe_argument(call);
    Function function = opened_function(txn, SLICE("hello"));
    FunctionUrl url;
    bool found;
    TRY(function_alias_delete(txn, &function, SLICE("live"), &found));
    assert_true(found);
    assert_int_equal(function_url_get(txn, &function, SLICE("live"), &url), FUNCTION_URL_NOT_FOUND);
    assert_int_equal(function_url_find(txn, slice_make(ids->alias, sizeof ids->alias), &function, &url),
                     FUNCTION_URL_NOT_FOUND);
    return OK;
}

static Error delete_function(Txn *txn, StoreCall *call)
{
    Ids *ids = probe_argument(call);
    Function function = opened_function(txn, SLICE("hello"));
    FunctionUrl url;
    TRY(function_delete(txn, &function));
    made_function(txn, SLICE("hello"));
    assert_int_equal(function_url_find(txn, slice_make(ids->own, sizeof ids->own), &function, &url),
                     FUNCTION_URL_NOT_FOUND);
    return OK;
}

static Error nothing_is_left(Txn *txn, StoreCall *call)
{
    (void)call;
    Slice key;
    Slice value;
    Buffer prefix = key_start(txn_arena(txn), SLICE(""), SLICE(""), KIND_FUNCTION_URL);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_FORWARD);
    assert_int_equal(cursor_next(cursor, &key, &value), OK);
    assert_null(key.data);
    cursor_close(cursor);
    return OK;
}

static void a_url_is_found_by_its_id_until_what_it_is_for_goes(void **state)
{
    Ids ids;
    assert_int_equal(world_write(*state, make_urls, &ids), OK);
    assert_int_equal(world_read(*state, find_urls, &ids), OK);
    assert_int_equal(world_write(*state, delete_alias, &ids), OK);
    assert_int_equal(world_write(*state, delete_function, &ids), OK);
    assert_int_equal(world_read(*state, nothing_is_left, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_allows_nobody),
        cmocka_unit_test(a_statement_is_for_its_principal),
        cmocka_unit_test(actions_may_have_wildcards),
        cmocka_unit_test(every_condition_must_hold),
        cmocka_unit_test_setup_teardown(a_policy_is_read_back_and_goes_with_its_version, open_functions,
                                        close_functions),
        cmocka_unit_test_setup_teardown(a_url_is_found_by_its_id_until_what_it_is_for_goes, open_functions,
                                        close_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The promises of identity.h and managed_policy.h, over a stepped store in the simulated world. Each test is one body or
 * a few: what a later body sees was durable. */
#include "core/account.h"
#include "core/managed_policy.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define ACCOUNT SLICE("123456789012")

static int open_world(void **state)
{
    World *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world_open(world, 5);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static Identity named(IdentityKind kind, Slice name)
{
    return (Identity){.kind = kind, .account = ACCOUNT, .name = name, .path = SLICE("/"), .session_max_s = 3600};
}

static Identity made(Txn *txn, IdentityKind kind, Slice name)
{
    Identity identity = named(kind, name);
    assert_int_equal(identity_create(txn, &identity), OK);
    return identity;
}

/* ---- Records ---- */

static Error make_worker(Txn *txn, StoreCall *call)
{
    (void)call;
    Label labels[] = {{SLICE("team"), SLICE("mist")}};
    Identity role = named(IDENTITY_ROLE, SLICE("Worker"));
    role.path = SLICE("/some/where/");
    role.trust = SLICE("{}");
    role.boundary = SLICE("arn:aws:iam::aws:policy/Bound");
    role.labels = (Labels){labels, 1};
    TRY(identity_create(txn, &role));
    assert_true(slice_starts_with(role.id, SLICE("AROA")));
    assert_int_equal(role.id.size, 21);
    assert_true(
        slice_equal(identity_arn(txn_arena(txn), &role), SLICE("arn:aws:iam::123456789012:role/some/where/Worker")));
    return OK;
}

static Error read_worker(Txn *txn, StoreCall *call)
{
    (void)call;
    Identity role;
    TRY(identity_get(txn, ACCOUNT, IDENTITY_ROLE, SLICE("Worker"), &role));
    assert_true(slice_equal(role.path, SLICE("/some/where/")));
    assert_true(slice_equal(role.trust, SLICE("{}")));
    assert_true(slice_equal(role.boundary, SLICE("arn:aws:iam::aws:policy/Bound")));
    assert_null(role.description.data);
    assert_int_equal(role.session_max_s, 3600);
    assert_int_equal(role.labels.count, 1);
    assert_true(slice_equal(role.labels.items[0].value, SLICE("mist")));
    assert_int_equal(identity_get(txn, ACCOUNT, IDENTITY_USER, SLICE("Worker"), &role), IDENTITY_NOT_FOUND);
    assert_int_equal(identity_get(txn, SLICE("999999999999"), IDENTITY_ROLE, SLICE("Worker"), &role),
                     IDENTITY_NOT_FOUND);
    return OK;
}

static void what_was_made_is_read_back(void **state)
{
    assert_int_equal(world_write(*state, make_worker, NULL), OK);
    assert_int_equal(world_read(*state, read_worker, NULL), OK);
}

static Error same_name_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Identity first = made(txn, IDENTITY_ROLE, SLICE("Worker"));
    Identity again = named(IDENTITY_ROLE, SLICE("WORKER"));
    assert_int_equal(identity_create(txn, &again), IDENTITY_EXISTS);
    made(txn, IDENTITY_USER, SLICE("WORKER"));
    TRY(identity_delete(txn, &first));
    TRY(identity_create(txn, &again));
    assert_false(slice_equal(first.id, again.id));
    assert_int_equal(identity_get(txn, ACCOUNT, IDENTITY_ROLE, SLICE("Worker"), &first), IDENTITY_NOT_FOUND);
    return OK;
}

static void names_of_a_kind_differ_in_more_than_case_and_a_new_one_has_a_new_id(void **state)
{
    assert_int_equal(world_write(*state, same_name_body, NULL), OK);
}

/* Every third role has another path: pages of two give all of the others, each once, in order. */
static Error pages_body(Txn *txn, StoreCall *call)
{
    (void)call;
    enum { ROLES = 12 };
    for (int i = 0; i < ROLES; i++) {
        Identity role = named(IDENTITY_ROLE, arena_format(txn_arena(txn), "role-%02d", i));
        role.path = i % 3 == 0 ? SLICE("/other/") : SLICE("/app/");
        TRY(identity_create(txn, &role));
    }
    int expected = 0;
    size_t pages = 0;
    IdentityPage page = {.limit = 2};
    do {
        Identity *roles;
        size_t count;
        TRY(identity_list(txn, ACCOUNT, IDENTITY_ROLE, SLICE("/app"), &page, &roles, &count));
        for (size_t i = 0; i < count; i++, expected++) {
            expected += expected % 3 == 0;
            char name[16];
            snprintf(name, sizeof name, "role-%02d", expected);
            assert_true(slice_equal(roles[i].name, slice_of_string(name)));
        }
        page.after = page.next;
        pages++;
    } while (page.next.data != NULL);
    assert_int_equal(expected, ROLES);
    assert_int_equal(pages, 4);
    return OK;
}

static void pages_give_each_once(void **state)
{
    assert_int_equal(world_write(*state, pages_body, NULL), OK);
}

static Error labels_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Labels labels = {0};
    Label first[] = {{SLICE("a"), SLICE("1")}, {SLICE("b"), SLICE("2")}};
    Label second[] = {{SLICE("A"), SLICE("3")}, {SLICE("c"), SLICE("4")}};
    Slice gone[] = {SLICE("B"), SLICE("nothing")};
    labels_set(txn_arena(txn), &labels, first, 2);
    labels_set(txn_arena(txn), &labels, second, 2);
    assert_int_equal(labels.count, 3);
    assert_true(slice_equal(labels.items[0].value, SLICE("3")));
    labels_remove(&labels, gone, 2);
    assert_int_equal(labels.count, 2);
    assert_true(slice_equal(labels.items[1].key, SLICE("c")));
    return OK;
}

static void labels_are_set_and_removed_whatever_their_case(void **state)
{
    assert_int_equal(world_write(*state, labels_body, NULL), OK);
}

/* ---- Policies ---- */

static Error inline_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Slice document;
    Identity user = made(txn, IDENTITY_USER, SLICE("ann"));
    char *text = arena_alloc(txn_arena(txn), 3000);
    memset(text, ' ', 3000);
    memset(text, 'x', 2000);
    TRY(inline_put(txn, &user, SLICE("first"), slice_make(text, 3000)));
    assert_int_equal(inline_put(txn, &user, SLICE("second"), slice_make(text, 49)), INLINE_LIMIT);
    TRY(inline_put(txn, &user, SLICE("first"), slice_make(text, 2048 - 1000)));
    TRY(inline_put(txn, &user, SLICE("second"), slice_make(text, 1000)));
    TRY(inline_get(txn, &user, SLICE("second"), &document));
    assert_int_equal(document.size, 1000);
    assert_int_equal(inline_get(txn, &user, SLICE("third"), &document), INLINE_NOT_FOUND);
    assert_int_equal(identity_delete(txn, &user), IDENTITY_HAS_INLINE);
    TRY(inline_delete(txn, &user, SLICE("first")));
    assert_int_equal(inline_delete(txn, &user, SLICE("first")), INLINE_NOT_FOUND);
    TRY(inline_delete(txn, &user, SLICE("second")));
    return identity_delete(txn, &user);
}

static void inline_policies_are_bounded_together_white_space_apart(void **state)
{
    assert_int_equal(world_write(*state, inline_body, NULL), OK);
}

static Error expect_users(Txn *txn, Slice arn, char kind, size_t expected)
{
    IdentityPage page = {.limit = 10};
    Identity *users;
    size_t count;
    TRY(policy_users_list(txn, ACCOUNT, arn, POLICY_ATTACHED, kind, SLICE("/"), &page, &users, &count));
    assert_int_equal(count, expected);
    return OK;
}

static Error attached_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Slice arn = SLICE("arn:aws:iam::aws:policy/service-role/Logs");
    Identity role = made(txn, IDENTITY_ROLE, SLICE("worker"));
    Identity user = made(txn, IDENTITY_USER, SLICE("ann"));
    IdentityPage page = {.limit = 10};
    Slice *arns;
    size_t count;
    TRY(attachment_put(txn, &role, arn));
    TRY(attachment_put(txn, &role, arn));
    TRY(attachment_put(txn, &user, arn));
    TRY(expect_users(txn, arn, 0, 2));
    TRY(expect_users(txn, arn, IDENTITY_ROLE, 1));
    for (int i = 1; i < 10; i++)
        TRY(attachment_put(txn, &role, arena_format(txn_arena(txn), "arn:aws:iam::aws:policy/P%d", i)));
    assert_int_equal(attachment_put(txn, &role, SLICE("arn:aws:iam::aws:policy/P10")), ATTACHMENT_LIMIT);
    TRY(attachment_list(txn, &role, SLICE("/service-role/"), &page, &arns, &count));
    assert_int_equal(count, 1);
    assert_true(slice_equal(arns[0], arn));
    assert_int_equal(identity_delete(txn, &role), IDENTITY_HAS_POLICIES);
    TRY(attachment_delete(txn, &role, arn));
    assert_int_equal(attachment_delete(txn, &role, arn), ATTACHMENT_NOT_FOUND);
    return expect_users(txn, arn, 0, 1);
}

static void attached_policies_are_known_from_both_sides(void **state)
{
    assert_int_equal(world_write(*state, attached_body, NULL), OK);
}

static Error versions_body(Txn *txn, StoreCall *call)
{
    (void)call;
    ManagedPolicy policy = {.account = ACCOUNT, .name = SLICE("Read"), .path = SLICE("/")};
    ManagedPolicy twin = {.account = ACCOUNT, .name = SLICE("READ"), .path = SLICE("/x/")};
    PolicyVersion version;
    PolicyVersion versions[POLICY_VERSIONS_MAX];
    size_t count;
    TRY(managed_policy_create(txn, SLICE("one"), &policy));
    assert_int_equal(managed_policy_create(txn, SLICE("one"), &twin), MANAGED_POLICY_EXISTS);
    for (int i = 2; i <= POLICY_VERSIONS_MAX; i++)
        TRY(policy_version_create(txn, &policy, SLICE("more"), i == 3, &version));
    assert_int_equal(policy_version_create(txn, &policy, SLICE("six"), false, &version), POLICY_VERSION_LIMIT);
    TRY(managed_policy_get(txn, ACCOUNT, SLICE("Read"), &policy));
    assert_int_equal(policy.default_version, 3);
    assert_int_equal(policy_version_delete(txn, &policy, 3), POLICY_VERSION_IS_DEFAULT);
    assert_int_equal(policy_version_delete(txn, &policy, 9), POLICY_VERSION_NOT_FOUND);
    assert_int_equal(managed_policy_delete(txn, &policy), MANAGED_POLICY_HAS_VERSIONS);
    TRY(policy_version_set_default(txn, &policy, 1));
    TRY(policy_version_delete(txn, &policy, 5));
    TRY(policy_version_create(txn, &policy, SLICE("six"), false, &version));
    assert_int_equal(version.number, 6); /* numbers are not used again */
    TRY(policy_version_list(txn, &policy, versions, &count));
    assert_int_equal(count, 5);
    assert_int_equal(versions[0].number, 6);
    for (size_t i = 0; i < 4; i++)
        TRY(policy_version_delete(txn, &policy, versions[i].number));
    TRY(managed_policy_delete(txn, &policy));
    return managed_policy_get(txn, ACCOUNT, SLICE("Read"), &policy) == MANAGED_POLICY_NOT_FOUND ? OK : ERROR_IO;
}

static void a_managed_policy_has_five_versions_and_one_default(void **state)
{
    assert_int_equal(world_write(*state, versions_body, NULL), OK);
}

static Error in_use_body(Txn *txn, StoreCall *call)
{
    (void)call;
    ManagedPolicy policy = {.account = ACCOUNT, .name = SLICE("Read"), .path = SLICE("/")};
    Identity role = made(txn, IDENTITY_ROLE, SLICE("worker"));
    TRY(managed_policy_create(txn, SLICE("one"), &policy));
    role.boundary = managed_policy_arn(txn_arena(txn), &policy);
    TRY(identity_put(txn, &role));
    assert_int_equal(managed_policy_delete(txn, &policy), MANAGED_POLICY_ATTACHED);
    role.boundary = (Slice){0};
    TRY(identity_put(txn, &role));
    return managed_policy_delete(txn, &policy);
}

static void a_managed_policy_that_is_somebodys_boundary_stays(void **state)
{
    assert_int_equal(world_write(*state, in_use_body, NULL), OK);
}

/* ---- Members and keys ---- */

static Error members_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Identity user = made(txn, IDENTITY_USER, SLICE("ann"));
    Identity group = made(txn, IDENTITY_GROUP, SLICE("readers"));
    IdentityPage page = {.limit = 20};
    Identity *found;
    size_t count;
    TRY(member_add(txn, &group, &user));
    TRY(member_add(txn, &group, &user));
    for (int i = 1; i < 10; i++) {
        Identity more = made(txn, IDENTITY_GROUP, arena_format(txn_arena(txn), "g%d", i));
        TRY(member_add(txn, &more, &user));
    }
    Identity eleventh = made(txn, IDENTITY_GROUP, SLICE("g10"));
    assert_int_equal(member_add(txn, &eleventh, &user), MEMBER_LIMIT);
    TRY(member_list(txn, &group, &page, &found, &count));
    assert_int_equal(count, 1);
    assert_true(slice_equal(found[0].id, user.id));
    TRY(member_containers(txn, &user, &page, &found, &count));
    assert_int_equal(count, 10);
    assert_int_equal(identity_delete(txn, &group), IDENTITY_HAS_MEMBERS);
    assert_int_equal(identity_delete(txn, &user), IDENTITY_HAS_MEMBERS);
    TRY(member_remove(txn, &group, &user));
    assert_int_equal(member_remove(txn, &group, &user), MEMBER_NOT_FOUND);
    return identity_delete(txn, &group);
}

static void a_member_is_known_from_both_sides(void **state)
{
    assert_int_equal(world_write(*state, members_body, NULL), OK);
}

static Error keys_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Identity user = made(txn, IDENTITY_USER, SLICE("ann"));
    AccessKey first;
    AccessKey second;
    AccessKey third;
    AccessKey keys[ACCOUNT_KEYS_MAX];
    size_t count;
    Account account;
    TRY(account_create(txn, ACCOUNT, SLICE(""), &account));
    TRY(access_key_create_for_user(txn, ACCOUNT, user.name, &first));
    TRY(access_key_create_for_user(txn, ACCOUNT, user.name, &second));
    assert_int_equal(access_key_create_for_user(txn, ACCOUNT, user.name, &third), ACCESS_KEY_LIMIT);
    TRY(access_key_list(txn, ACCOUNT, keys, &count));
    assert_int_equal(count, 0);
    TRY(access_key_set_inactive(txn, first.id, true));
    TRY(access_key_get(txn, first.id, &first));
    assert_true(first.inactive);
    assert_true(slice_equal(first.user, user.name));
    assert_int_equal(identity_delete(txn, &user), IDENTITY_HAS_KEYS);
    TRY(access_key_revoke(txn, first.id));
    TRY(access_key_list_of_user(txn, ACCOUNT, user.name, keys, &count));
    assert_int_equal(count, 1);
    TRY(access_key_revoke(txn, second.id));
    return identity_delete(txn, &user);
}

static void a_users_keys_are_not_the_accounts_and_go_before_the_user(void **state)
{
    assert_int_equal(world_write(*state, keys_body, NULL), OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(what_was_made_is_read_back),
        TEST(names_of_a_kind_differ_in_more_than_case_and_a_new_one_has_a_new_id),
        TEST(pages_give_each_once),
        TEST(labels_are_set_and_removed_whatever_their_case),
        TEST(inline_policies_are_bounded_together_white_space_apart),
        TEST(attached_policies_are_known_from_both_sides),
        TEST(a_managed_policy_has_five_versions_and_one_default),
        TEST(a_managed_policy_that_is_somebodys_boundary_stays),
        TEST(a_member_is_known_from_both_sides),
        TEST(a_users_keys_are_not_the_accounts_and_go_before_the_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

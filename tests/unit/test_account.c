/* The promises of account.h, over a stepped store in the simulated world. */
#include "core/account.h"

#include "store_fixture.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* What a body is asked to do, and what it gave, in memory that outlives it. */
typedef struct Ask {
    Slice id;
    Slice name;
    char text[4][64];
    size_t count;
    uint64_t created_ms;
    char ids[ACCOUNT_PAGE][32];
} Ask;

static void keep(char *to, Slice slice)
{
    assert_true(slice.size < 64);
    memcpy(to, slice.data, slice.size);
    to[slice.size] = '\0';
}

static Error create_account_body(Txn *txn, StoreCall *call)
{
    Ask *ask = probe_argument(call);
    Account account;
    TRY(account_create(txn, ask->id, ask->name, &account));
    keep(ask->text[0], account.id);
    ask->created_ms = account.created_ms;
    return OK;
}

static Error get_account_body(Txn *txn, StoreCall *call)
{
    Ask *ask = probe_argument(call);
    Account account;
    TRY(account_get(txn, ask->id, &account));
    keep(ask->text[0], account.id);
    keep(ask->text[1], account.name);
    ask->created_ms = account.created_ms;
    return OK;
}

static Error list_accounts_body(Txn *txn, StoreCall *call)
{
    Ask *ask = probe_argument(call);
    Account accounts[ACCOUNT_PAGE];
    TRY(account_list(txn, ask->id, accounts, &ask->count));
    for (size_t i = 0; i < ask->count; i++)
        keep(ask->ids[i], accounts[i].id);
    return OK;
}

static Error create_key_body(Txn *txn, StoreCall *call)
{
    Ask *ask = probe_argument(call);
    AccessKey key;
    TRY(access_key_create(txn, ask->id, &key));
    keep(ask->text[0], key.id);
    keep(ask->text[1], key.secret);
    return OK;
}

static Error get_key_body(Txn *txn, StoreCall *call)
{
    Ask *ask = probe_argument(call);
    AccessKey key;
    TRY(access_key_get(txn, ask->id, &key));
    keep(ask->text[0], key.id);
    keep(ask->text[1], key.secret);
    keep(ask->text[2], key.account);
    ask->created_ms = key.created_ms;
    return OK;
}

static Error list_keys_body(Txn *txn, StoreCall *call)
{
    Ask *ask = probe_argument(call);
    AccessKey keys[ACCOUNT_KEYS_MAX];
    TRY(access_key_list(txn, ask->id, keys, &ask->count));
    for (size_t i = 0; i < ask->count; i++)
        keep(ask->ids[i], keys[i].id);
    return OK;
}

static Error revoke_key_body(Txn *txn, StoreCall *call)
{
    const Ask *ask = probe_argument(call);
    return access_key_revoke(txn, ask->id);
}

static int open_world(void **state)
{
    static World world;
    world = (World){0};
    world_open(&world, 7);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

static Error create_account(World *world, Slice id, Slice name, Ask *ask)
{
    *ask = (Ask){.id = id, .name = name};
    return world_write(world, create_account_body, ask);
}

static void an_account_is_found_by_its_id(void **state)
{
    Ask ask;
    assert_int_equal(create_account(*state, SLICE("123456789012"), SLICE("t\xc3\xa9st"), &ask), OK);
    ask = (Ask){.id = SLICE("123456789012")};
    assert_int_equal(world_read(*state, get_account_body, &ask), OK);
    assert_string_equal(ask.text[1], "t\xc3\xa9st");
    assert_int_equal(ask.created_ms, os_wall_ms(((World *)*state)->os));
    assert_int_equal(create_account(*state, SLICE("123456789012"), SLICE(""), &ask), ACCOUNT_EXISTS);
    ask = (Ask){.id = SLICE("123456789013")};
    assert_int_equal(world_read(*state, get_account_body, &ask), ACCOUNT_NOT_FOUND);
}

static void an_account_id_is_chosen_when_none_is_given(void **state)
{
    Ask first;
    Ask second;
    assert_int_equal(create_account(*state, (Slice){0}, (Slice){0}, &first), OK);
    assert_int_equal(create_account(*state, (Slice){0}, (Slice){0}, &second), OK);
    assert_true(account_id_is_valid(slice_of_string(first.text[0])));
    assert_string_not_equal(first.text[0], second.text[0]);
}

static void bad_ids_and_names_are_refused(void **state)
{
    Ask ask;
    assert_int_equal(create_account(*state, SLICE("12345678901"), SLICE(""), &ask), ACCOUNT_ID_INVALID);
    assert_int_equal(create_account(*state, SLICE("12345678901x"), SLICE(""), &ask), ACCOUNT_ID_INVALID);
    assert_int_equal(create_account(*state, SLICE(""), SLICE(""), &ask), ACCOUNT_ID_INVALID);
    assert_int_equal(create_account(*state, SLICE("123456789012"), SLICE("a\nb"), &ask), ACCOUNT_NAME_INVALID);
    assert_int_equal(create_account(*state, SLICE("123456789012"), SLICE("\xff"), &ask), ACCOUNT_NAME_INVALID);
    assert_int_equal(create_account(*state, SLICE("123456789012"),
                                    SLICE("012345678901234567890123456789012345678901234567890"), &ask),
                     ACCOUNT_NAME_INVALID);
}

static void the_default_account_is_always_there(void **state)
{
    Ask ask = {.id = ACCOUNT_DEFAULT};
    assert_int_equal(world_read(*state, get_account_body, &ask), OK);
    ask = (Ask){.id = ACCOUNT_DEFAULT};
    assert_int_equal(world_write(*state, create_key_body, &ask), OK);
}

static void accounts_are_listed_by_pages_in_order(void **state)
{
    enum { ACCOUNTS = ACCOUNT_PAGE + 20 };
    Ask ask;
    for (int i = ACCOUNTS; i > 0; i--) {
        char id[ACCOUNT_ID_SIZE + 1];
        snprintf(id, sizeof id, "%012d", i);
        assert_int_equal(create_account(*state, slice_of_string(id), SLICE(""), &ask), OK);
    }
    Ask page = {0};
    int seen = 0;
    char after[32] = "";
    do {
        page.id = slice_of_string(after);
        assert_int_equal(world_read(*state, list_accounts_body, &page), OK);
        for (size_t i = 0; i < page.count; i++)
            assert_int_equal(strtoll(page.ids[i], NULL, 10), ++seen);
        if (page.count > 0)
            memcpy(after, page.ids[page.count - 1], sizeof after);
    } while (page.count > 0);
    assert_int_equal(seen, ACCOUNTS);
}

static void a_key_has_the_form_of_aws_and_is_found_by_its_id(void **state)
{
    Ask made;
    assert_int_equal(create_account(*state, SLICE("123456789012"), SLICE(""), &made), OK);
    made = (Ask){.id = SLICE("123456789012")};
    assert_int_equal(world_write(*state, create_key_body, &made), OK);
    assert_int_equal(strlen(made.text[0]), ACCESS_KEY_ID_SIZE);
    assert_int_equal(strlen(made.text[1]), ACCESS_KEY_SECRET_SIZE);
    assert_memory_equal(made.text[0], "AKIA", 4);
    for (const char *c = made.text[0]; *c != '\0'; c++)
        assert_true(isupper(*c) || (*c >= '2' && *c <= '7'));
    Ask found = {.id = slice_of_string(made.text[0])};
    assert_int_equal(world_read(*state, get_key_body, &found), OK);
    assert_string_equal(found.text[1], made.text[1]);
    assert_string_equal(found.text[2], "123456789012");
}

static void keys_need_an_account_and_are_bounded(void **state)
{
    Ask ask = {.id = SLICE("123456789012")};
    assert_int_equal(world_write(*state, create_key_body, &ask), ACCOUNT_NOT_FOUND);
    assert_int_equal(create_account(*state, SLICE("123456789012"), SLICE(""), &ask), OK);
    for (int i = 0; i < ACCOUNT_KEYS_MAX; i++) {
        ask = (Ask){.id = SLICE("123456789012")};
        assert_int_equal(world_write(*state, create_key_body, &ask), OK);
    }
    ask = (Ask){.id = SLICE("123456789012")};
    assert_int_equal(world_write(*state, create_key_body, &ask), ACCESS_KEY_LIMIT);
}

static void a_revoked_key_is_gone_and_its_neighbours_stay(void **state)
{
    Ask first = {.id = ACCOUNT_DEFAULT};
    Ask second = {.id = ACCOUNT_DEFAULT};
    assert_int_equal(world_write(*state, create_key_body, &first), OK);
    assert_int_equal(world_write(*state, create_key_body, &second), OK);
    Ask revoked = {.id = slice_of_string(first.text[0])};
    assert_int_equal(world_write(*state, revoke_key_body, &revoked), OK);
    assert_int_equal(world_write(*state, revoke_key_body, &revoked), ACCESS_KEY_NOT_FOUND);
    Ask found = {.id = slice_of_string(first.text[0])};
    assert_int_equal(world_read(*state, get_key_body, &found), ACCESS_KEY_NOT_FOUND);
    Ask listed = {.id = ACCOUNT_DEFAULT};
    assert_int_equal(world_read(*state, list_keys_body, &listed), OK);
    assert_int_equal(listed.count, 1);
    assert_string_equal(listed.ids[0], second.text[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_account_is_found_by_its_id, open_world, close_world),
        cmocka_unit_test_setup_teardown(an_account_id_is_chosen_when_none_is_given, open_world, close_world),
        cmocka_unit_test_setup_teardown(bad_ids_and_names_are_refused, open_world, close_world),
        cmocka_unit_test_setup_teardown(the_default_account_is_always_there, open_world, close_world),
        cmocka_unit_test_setup_teardown(accounts_are_listed_by_pages_in_order, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_key_has_the_form_of_aws_and_is_found_by_its_id, open_world, close_world),
        cmocka_unit_test_setup_teardown(keys_need_an_account_and_are_bounded, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_revoked_key_is_gone_and_its_neighbours_stay, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

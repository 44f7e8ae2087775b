/* The promises of layer.h, over a stepped store in the simulated world. */
#include "core/layer.h"
#include "core/package.h"
#include "store_fixture.h"

#include <stdlib.h>

#define ACCOUNT SLICE("123456789012")
#define OTHER SLICE("210987654321")
#define REGION SLICE("us-east-1")
#define FOLDER SLICE("123456789012/abcd")

enum { CODE_LIMIT = 1000 };

static int open_world(void **state)
{
    World *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world_open(world, 7);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static LayerVersion published(Txn *txn, Slice name, Slice runtime)
{
    Slice *runtimes = ARENA_NEW(txn_arena(txn), Slice);
    *runtimes = runtime;
    LayerVersion layer = {.account = ACCOUNT,
                          .region = REGION,
                          .name = name,
                          .description = SLICE("tools"),
                          .runtimes = runtimes,
                          .runtime_count = 1,
                          .code = FOLDER,
                          .code_sha256 = SLICE("c2hh"),
                          .code_bytes = 10,
                          .unzipped_bytes = 30};
    assert_int_equal(layer_publish(txn, &layer, CODE_LIMIT), OK);
    return layer;
}

static Error publish_three(Txn *txn, StoreCall *call)
{
    (void)call;
    for (uint64_t number = 1; number <= 3; number++)
        assert_int_equal(published(txn, SLICE("tools"), SLICE("python3.11")).number, number);
    return OK;
}

static Error read_three(Txn *txn, StoreCall *call)
{
    (void)call;
    LayerVersion layer;
    LayerVersion *layers;
    size_t count;
    LayerFilter any = {0};
    FunctionPage page = {.limit = 2};
    TRY(layer_get(txn, ACCOUNT, REGION, SLICE("tools"), 2, &layer));
    assert_true(slice_equal(layer.description, SLICE("tools")));
    assert_true(slice_equal(layer.runtimes[0], SLICE("python3.11")));
    assert_null(layer.architectures);
    assert_null(layer.license.data);
    assert_int_equal(layer.unzipped_bytes, 30);
    assert_int_equal(layer_get(txn, OTHER, REGION, SLICE("tools"), 2, &layer), LAYER_NOT_FOUND);
    TRY(layer_list_versions(txn, ACCOUNT, REGION, SLICE("tools"), &any, &page, &layers, &count));
    assert_int_equal(count, 2);
    assert_int_equal(layers[0].number, 3);
    assert_int_equal(layers[1].number, 2);
    page.after = page.next;
    TRY(layer_list_versions(txn, ACCOUNT, REGION, SLICE("tools"), &any, &page, &layers, &count));
    assert_int_equal(count, 1);
    assert_int_equal(layers[0].number, 1);
    assert_null(page.next.data);
    return OK;
}

static void versions_are_listed_from_the_newest(void **state)
{
    assert_int_equal(world_write(*state, publish_three, NULL), OK);
    assert_int_equal(world_read(*state, read_three, NULL), OK);
}

static Error delete_and_publish(Txn *txn, StoreCall *call)
{
    (void)call;
    bool used;
    FunctionUsage usage;
    LayerVersion layer;
    for (uint64_t number = 1; number <= 3; number++) {
        TRY(package_is_used(txn, FOLDER, &used));
        assert_true(used);
        TRY(layer_delete(txn, ACCOUNT, REGION, SLICE("tools"), number));
    }
    TRY(package_is_used(txn, FOLDER, &used));
    assert_false(used);
    TRY(layer_delete(txn, ACCOUNT, REGION, SLICE("tools"), 3));
    TRY(function_usage(txn, ACCOUNT, REGION, &usage));
    assert_int_equal(usage.code_bytes, 0);
    assert_int_equal(layer_get(txn, ACCOUNT, REGION, SLICE("tools"), 3, &layer), LAYER_NOT_FOUND);
    assert_int_equal(published(txn, SLICE("tools"), SLICE("python3.11")).number, 4);
    return OK;
}

static void a_deleted_number_is_never_given_again(void **state)
{
    assert_int_equal(world_write(*state, publish_three, NULL), OK);
    assert_int_equal(world_write(*state, delete_and_publish, NULL), OK);
}

static Error list_by_runtime(Txn *txn, StoreCall *call)
{
    (void)call;
    LayerVersion *layers;
    size_t count;
    LayerFilter python = {.runtime = SLICE("python3.11")};
    LayerFilter ruby = {.runtime = SLICE("ruby3.3")};
    LayerFilter arm = {.architecture = SLICE("arm64")};
    FunctionPage page = {.limit = 1};
    published(txn, SLICE("alpha"), SLICE("python3.11"));
    published(txn, SLICE("alpha"), SLICE("nodejs22.x"));
    published(txn, SLICE("beta"), SLICE("python3.11"));
    TRY(layer_list(txn, ACCOUNT, REGION, &python, &page, &layers, &count));
    assert_int_equal(count, 1);
    assert_true(slice_equal(layers[0].name, SLICE("alpha")));
    assert_int_equal(layers[0].number, 1);
    page.after = page.next;
    TRY(layer_list(txn, ACCOUNT, REGION, &python, &page, &layers, &count));
    assert_int_equal(count, 1);
    assert_true(slice_equal(layers[0].name, SLICE("beta")));
    assert_null(page.next.data);
    page = (FunctionPage){.limit = 9};
    TRY(layer_list(txn, ACCOUNT, REGION, &ruby, &page, &layers, &count));
    assert_int_equal(count, 0);
    TRY(layer_list(txn, ACCOUNT, REGION, &arm, &page, &layers, &count));
    assert_int_equal(count, 0);
    return OK;
}

static void a_list_has_the_newest_version_for_the_runtime(void **state)
{
    assert_int_equal(world_write(*state, list_by_runtime, NULL), OK);
}

static Error pass_the_quota(Txn *txn, StoreCall *call)
{
    (void)call;
    LayerVersion layer = published(txn, SLICE("tools"), SLICE("python3.11"));
    layer.code_bytes = CODE_LIMIT;
    assert_int_equal(layer_publish(txn, &layer, CODE_LIMIT), FUNCTION_CODE_STORAGE);
    return OK;
}

static void layers_count_in_the_quota_of_code(void **state)
{
    assert_int_equal(world_write(*state, pass_the_quota, NULL), OK);
}

static Error share(Txn *txn, StoreCall *call)
{
    (void)call;
    LayerVersion layer = published(txn, SLICE("tools"), SLICE("python3.11"));
    LayerVersion used;
    Permissions permissions;
    Slice arn = layer_version_arn(txn_arena(txn), &layer);
    Slice missing = SLICE("arn:aws:lambda:us-east-1:123456789012:layer:tools:9");
    assert_true(slice_equal(arn, SLICE("arn:aws:lambda:us-east-1:123456789012:layer:tools:1")));
    assert_int_equal(layer_use(txn, ACCOUNT, arn, &used), OK);
    assert_int_equal(layer_use(txn, ACCOUNT, missing, &used), LAYER_NOT_FOUND);
    assert_int_equal(layer_use(txn, OTHER, missing, &used), LAYER_DENIED);
    assert_int_equal(layer_use(txn, OTHER, arn, &used), LAYER_DENIED);

    TRY(layer_policy_get(txn, &layer, &permissions));
    Permission other = {.id = SLICE("friend"),
                        .action = SLICE("lambda:GetLayerVersion"),
                        .kind = PERMISSION_ACCOUNT,
                        .principal = OTHER};
    assert_int_equal(permissions_add(&permissions, &other, txn_arena(txn)), OK);
    layer_policy_put(txn, &layer, &permissions);
    assert_int_equal(layer_use(txn, OTHER, arn, &used), OK);
    assert_true(slice_equal(used.account, ACCOUNT));
    assert_int_equal(layer_use(txn, SLICE("999999999999"), arn, &used), LAYER_DENIED);

    assert_int_equal(permissions_remove(&permissions, SLICE("friend")), OK);
    layer_policy_put(txn, &layer, &permissions);
    assert_int_equal(layer_use(txn, OTHER, arn, &used), LAYER_DENIED);
    return OK;
}

static void another_account_uses_what_its_owner_shares(void **state)
{
    assert_int_equal(world_write(*state, share, NULL), OK);
}

static void arns_are_taken_apart(void **state)
{
    (void)state;
    Slice account;
    Slice region;
    Slice name;
    uint64_t number;
    assert_true(layer_arn_parse(SLICE("arn:aws:lambda:eu-west-1:123456789012:layer:a_b-1:42"), &account, &region, &name,
                                &number));
    assert_true(slice_equal(account, ACCOUNT) && slice_equal(region, SLICE("eu-west-1")));
    assert_true(slice_equal(name, SLICE("a_b-1")));
    assert_int_equal(number, 42);
    assert_true(
        layer_arn_parse(SLICE("arn:aws:lambda:eu-west-1:123456789012:layer:a"), &account, &region, &name, NULL));
    static const char *const none[] = {"",
                                       "arn",
                                       "arn:aws:lambda:eu-west-1:123456789012:layer:a",
                                       "arn:aws:lambda:eu-west-1:123456789012:layer:a:",
                                       "arn:aws:lambda:eu-west-1:123456789012:layer:a:x",
                                       "arn:aws:lambda:eu-west-1:123456789012:layer:a:1:2",
                                       "arn:aws:lambda:eu-west-1:12:layer:a:1",
                                       "arn:aws:lambda:eu-west-1:123456789012:function:a:1",
                                       "arn:aws:lambda::123456789012:layer:a:1",
                                       "arn:aws:sqs:eu-west-1:123456789012:layer:a:1"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(layer_arn_parse(slice_of_string(none[i]), &account, &region, &name, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(versions_are_listed_from_the_newest, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_deleted_number_is_never_given_again, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_list_has_the_newest_version_for_the_runtime, open_world, close_world),
        cmocka_unit_test_setup_teardown(layers_count_in_the_quota_of_code, open_world, close_world),
        cmocka_unit_test_setup_teardown(another_account_uses_what_its_owner_shares, open_world, close_world),
        cmocka_unit_test(arns_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

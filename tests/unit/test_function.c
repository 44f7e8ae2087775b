/* The promises of function.h: versions and aliases against a naive model, and what is run of them. */
#include "core/function.h"

#include "core/package.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define ACCOUNT SLICE("123456789012")
#define REGION SLICE("eu-central-1")
#define CODE SLICE("123456789012/abc")

enum {
    VERSIONS_MAX = 64,
    ALIASES = 4,
    STEPS = 400,
    CODE_BYTES = 100,
    PLENTY = 1 << 30,
};

/* What there should be, as an array and a loop. */
typedef struct Model {
    uint64_t timeout_s;              /* of "$LATEST" */
    uint64_t published_s;            /* what the last version was made of; 0: none, or it is deleted */
    uint64_t versions[VERSIONS_MAX]; /* their timeouts; 0: not there */
    uint64_t last;
    uint64_t alias[ALIASES]; /* the version, from 1; 0: not there */
    uint64_t route[ALIASES]; /* the same */
} Model;

typedef struct Bench {
    World world;
    Model model;
    uint64_t random;
    Arena arena;
    /* What a body is told, and what it leaves. */
    uint64_t number;
    uint64_t other;
    Slice text;
    uint64_t value;
    FunctionTarget target;
    bool flag;
} Bench;

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_FUNCTION, function_timer);
}

static int open_bench(void **state)
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->world.prepare = prepare;
    world_open(&bench->world, 11);
    bench->random = 42;
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

static uint64_t choose(Bench *bench, uint64_t below)
{
    bench->random = bench->random * 6364136223846793005u + 1442695040888963407u;
    return (bench->random >> 33) % below;
}

static void settle(Bench *bench)
{
    os_sim_advance_ms(bench->world.os, FUNCTION_SETTLE_MS + 1);
    world_settle(&bench->world);
}

static Slice version_name(Arena *arena, uint64_t number)
{
    return number == 0 ? SLICE("$LATEST") : arena_format(arena, "%ju", (uintmax_t)number);
}

static Slice alias_name(Arena *arena, uint64_t number)
{
    return arena_format(arena, "alias-%ju", (uintmax_t)number);
}

static Error open_one(Txn *txn, Function *function)
{
    return function_open(txn, ACCOUNT, REGION, SLICE("one"), function);
}

/* ---- Bodies ---- */

static Error create_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = {.account = ACCOUNT, .region = REGION, .name = SLICE("one")};
    FunctionVersion latest = {
        .timeout_s = 3, .memory_mb = 128, .tmp_mb = 512, .code = CODE, .code_bytes = CODE_BYTES, .runtime = SLICE("r")};
    return function_create(txn, &function, &latest, PLENTY);
}

static Error change_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Function function;
    FunctionVersion latest;
    TRY(open_one(txn, &function));
    TRY(function_version_get(txn, &function, SLICE("$LATEST"), &latest));
    latest.timeout_s = bench->number;
    return function_latest_put(txn, &function, &latest, PLENTY);
}

static Error publish_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Function function;
    FunctionVersion published;
    TRY(open_one(txn, &function));
    TRY(function_publish(txn, &function, (Slice){0}, PLENTY, &published));
    assert_true(slice_parse_uint64(published.version, &bench->value));
    return OK;
}

static Error delete_version_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Function function;
    TRY(open_one(txn, &function));
    return function_version_delete(txn, &function, version_name(txn_arena(txn), bench->number));
}

static Error put_alias_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Arena *arena = txn_arena(txn);
    Function function;
    FunctionAlias alias = {.name = alias_name(arena, bench->value),
                           .version = version_name(arena, bench->number),
                           .description = SLICE("")};
    if (bench->other > 0) {
        alias.route_version = version_name(arena, bench->other);
        alias.route_weight = 0.25;
    }
    TRY(open_one(txn, &function));
    return bench->flag ? function_alias_create(txn, &function, &alias) : function_alias_put(txn, &function, &alias);
}

static Error delete_alias_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Function function;
    TRY(open_one(txn, &function));
    return function_alias_delete(txn, &function, alias_name(txn_arena(txn), bench->value), &bench->flag);
}

static Error delete_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function;
    TRY(open_one(txn, &function));
    return function_delete(txn, &function);
}

/* ---- Comparing ---- */

static void compare_versions(Txn *txn, const Function *function, const Model *model)
{
    FunctionPage page = {.limit = 3};
    uint64_t at = 0; /* the number that comes next; 0 is "$LATEST" */
    do {
        FunctionVersion *versions;
        size_t count;
        page.after = page.next;
        assert_int_equal(function_version_list(txn, function, &page, &versions, &count), OK);
        for (size_t i = 0; i < count; i++, at++) {
            while (at > 0 && at <= model->last && model->versions[at] == 0)
                at++;
            assert_true(slice_equal(versions[i].version, version_name(txn_arena(txn), at)));
            assert_int_equal(versions[i].timeout_s, at == 0 ? model->timeout_s : model->versions[at]);
        }
    } while (page.next.data != NULL);
    while (at <= model->last)
        assert_int_equal(model->versions[at++], 0);
}

static void compare_aliases(Txn *txn, const Function *function, const Model *model)
{
    for (uint64_t i = 0; i < ALIASES; i++) {
        FunctionAlias alias;
        Error error = function_alias_get(txn, function, alias_name(txn_arena(txn), i), &alias);
        assert_int_equal(error, model->alias[i] == 0 ? FUNCTION_ALIAS_NOT_FOUND : OK);
        if (error != OK)
            continue;
        assert_true(slice_equal(alias.version, version_name(txn_arena(txn), model->alias[i])));
        assert_int_equal(alias.route_version.data != NULL, model->route[i] > 0);
    }
}

static Error compare_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    const Model *model = &bench->model;
    Function function;
    FunctionUsage usage;
    uint64_t count = 1;
    TRY(open_one(txn, &function));
    compare_versions(txn, &function, model);
    compare_aliases(txn, &function, model);
    for (uint64_t i = 1; i <= model->last; i++)
        count += model->versions[i] > 0;
    TRY(function_usage(txn, ACCOUNT, REGION, &usage));
    assert_int_equal(usage.functions, 1);
    assert_int_equal(usage.code_bytes, count * CODE_BYTES);
    return OK;
}

/* ---- Steps ---- */

static void step_change(Bench *bench)
{
    bench->number = 1 + choose(bench, 3);
    assert_int_equal(world_write(&bench->world, change_body, bench), OK);
    assert_int_equal(world_write(&bench->world, change_body, bench), FUNCTION_UPDATING);
    bench->model.timeout_s = bench->number;
    settle(bench);
}

static void step_publish(Bench *bench)
{
    Model *model = &bench->model;
    if (model->last + 1 == VERSIONS_MAX)
        return;
    assert_int_equal(world_write(&bench->world, publish_body, bench), OK);
    bool same = model->last > 0 && model->versions[model->last] > 0 && model->published_s == model->timeout_s;
    if (!same) {
        model->last++;
        model->versions[model->last] = model->published_s = model->timeout_s;
    }
    assert_int_equal(bench->value, model->last);
}

static bool is_named(const Model *model, uint64_t version)
{
    for (size_t i = 0; i < ALIASES; i++)
        if (model->alias[i] == version || (model->alias[i] > 0 && model->route[i] == version))
            return true;
    return false;
}

static void step_delete_version(Bench *bench)
{
    Model *model = &bench->model;
    if (model->last == 0)
        return;
    bench->number = 1 + choose(bench, model->last);
    bool held = model->versions[bench->number] > 0 && is_named(model, bench->number);
    assert_int_equal(world_write(&bench->world, delete_version_body, bench), held ? FUNCTION_VERSION_IN_USE : OK);
    if (!held)
        model->versions[bench->number] = 0;
}

static void step_alias(Bench *bench)
{
    Model *model = &bench->model;
    bench->value = choose(bench, ALIASES);
    bench->number = 1 + choose(bench, model->last + 1);
    bench->other = choose(bench, 2) ? 0 : 1 + choose(bench, model->last + 1);
    bench->flag = choose(bench, 2) == 0 || model->alias[bench->value] == 0;
    bool there = bench->number <= model->last && model->versions[bench->number] > 0 &&
                 (bench->other == 0 || (bench->other <= model->last && model->versions[bench->other] > 0));
    Error expected = bench->flag && model->alias[bench->value] > 0 ? FUNCTION_ALIAS_EXISTS
                     : there                                       ? OK
                                                                   : FUNCTION_VERSION_NOT_FOUND;
    assert_int_equal(world_write(&bench->world, put_alias_body, bench), expected);
    if (expected == OK) {
        model->alias[bench->value] = bench->number;
        model->route[bench->value] = bench->other;
    }
}

static void step_delete_alias(Bench *bench)
{
    bench->value = choose(bench, ALIASES);
    assert_int_equal(world_write(&bench->world, delete_alias_body, bench), OK);
    assert_int_equal(bench->flag, bench->model.alias[bench->value] > 0);
    bench->model.alias[bench->value] = bench->model.route[bench->value] = 0;
}

static void versions_and_aliases_are_those_of_the_model(void **state)
{
    Bench *bench = *state;
    static void (*const steps[])(Bench *) = {step_change, step_publish, step_publish,     step_delete_version,
                                             step_alias,  step_alias,   step_delete_alias};
    assert_int_equal(world_write(&bench->world, create_body, bench), OK);
    bench->model.timeout_s = 3;
    settle(bench);
    for (uint64_t i = 0; i < STEPS; i++) {
        steps[choose(bench, sizeof steps / sizeof steps[0])](bench);
        if (choose(bench, 20) == 0)
            world_crash(&bench->world, i);
        assert_int_equal(world_read(&bench->world, compare_body, bench), OK);
    }
    assert_true(bench->model.last > 10);
}

/* ---- States ---- */

static Error target_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    FunctionTarget target;
    TRY(function_target(txn, &limits_default, ACCOUNT, REGION, SLICE("one"), bench->text, bench->number, (Slice){0},
                        &target));
    bench->target = target;
    bench->target.spec.key = arena_copy(&bench->arena, target.spec.key);
    bench->target.spec.line = arena_copy(&bench->arena, target.spec.line);
    bench->target.spec.function = arena_copy(&bench->arena, target.spec.function);
    bench->target.spec.version = arena_copy(&bench->arena, target.spec.version);
    return OK;
}

static void a_function_can_be_run_when_it_has_settled(void **state)
{
    Bench *bench = *state;
    assert_int_equal(world_write(&bench->world, create_body, bench), OK);
    assert_int_equal(world_write(&bench->world, create_body, bench), FUNCTION_EXISTS);
    assert_int_equal(world_read(&bench->world, target_body, bench), FUNCTION_PENDING);
    settle(bench);
    assert_int_equal(world_read(&bench->world, target_body, bench), OK);
    assert_true(slice_equal(bench->target.spec.function, SLICE("123456789012/eu-central-1/one")));
    assert_int_equal(bench->target.spec.timeout_ms, 3000);
    assert_int_equal(bench->target.reserved, UINT64_MAX);
    assert_int_equal(bench->target.unreserved, limits_default.value[LIMIT_LAMBDA_CONCURRENT_EXECUTIONS]);
    bench->text = SLICE("nowhere");
    assert_int_equal(world_read(&bench->world, target_body, bench), FUNCTION_ALIAS_NOT_FOUND);
    bench->text = SLICE("7");
    assert_int_equal(world_read(&bench->world, target_body, bench), FUNCTION_VERSION_NOT_FOUND);
}

/* A settled change and a function made again have other workers; what only settles keeps its own. */
static void a_change_asks_for_other_workers(void **state)
{
    Bench *bench = *state;
    assert_int_equal(world_write(&bench->world, create_body, bench), OK);
    settle(bench);
    assert_int_equal(world_read(&bench->world, target_body, bench), OK);
    Slice first = bench->target.spec.key;
    Slice line = bench->target.spec.line;
    bench->number = 9;
    assert_int_equal(world_write(&bench->world, change_body, bench), OK);
    assert_int_equal(world_read(&bench->world, target_body, bench), OK);
    Slice second = bench->target.spec.key;
    assert_false(slice_equal(first, second));
    assert_true(slice_equal(line, bench->target.spec.line));
    settle(bench);
    assert_int_equal(world_read(&bench->world, target_body, bench), OK);
    assert_true(slice_equal(second, bench->target.spec.key));
    assert_int_equal(world_write(&bench->world, delete_body, bench), OK);
    assert_int_equal(world_write(&bench->world, create_body, bench), OK);
    settle(bench);
    assert_int_equal(world_read(&bench->world, target_body, bench), OK);
    assert_false(slice_equal(line, bench->target.spec.line));
}

static void an_alias_shares_its_calls_by_weight(void **state)
{
    Bench *bench = *state;
    assert_int_equal(world_write(&bench->world, create_body, bench), OK);
    settle(bench);
    assert_int_equal(world_write(&bench->world, publish_body, bench), OK);
    step_change(bench);
    bench->number = 30;
    assert_int_equal(world_write(&bench->world, change_body, bench), OK);
    settle(bench);
    assert_int_equal(world_write(&bench->world, publish_body, bench), OK);
    bench->value = 0;
    bench->number = 1;
    bench->other = 2;
    bench->flag = true;
    assert_int_equal(world_write(&bench->world, put_alias_body, bench), OK);
    bench->text = SLICE("alias-0");
    unsigned second = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        bench->number = i * (UINT64_MAX / 1000);
        assert_int_equal(world_read(&bench->world, target_body, bench), OK);
        second += slice_equal(bench->target.spec.version, SLICE("2"));
    }
    assert_in_range(second, 249, 251);
}

/* ---- Concurrency ---- */

static Error reserve_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    Function function;
    TRY(open_one(txn, &function));
    return function_reserve(txn, &function, bench->flag, bench->number, 1000);
}

static void a_reservation_leaves_a_hundred_to_the_others(void **state)
{
    Bench *bench = *state;
    assert_int_equal(world_write(&bench->world, create_body, bench), OK);
    settle(bench);
    bench->flag = true;
    bench->number = 901;
    assert_int_equal(world_write(&bench->world, reserve_body, bench), FUNCTION_UNRESERVED);
    bench->number = 900;
    assert_int_equal(world_write(&bench->world, reserve_body, bench), OK);
    assert_int_equal(world_write(&bench->world, reserve_body, bench), OK);
    assert_int_equal(world_read(&bench->world, target_body, bench), OK);
    assert_int_equal(bench->target.reserved, 900);
    assert_int_equal(bench->target.unreserved, 100);
    bench->flag = false;
    assert_int_equal(world_write(&bench->world, reserve_body, bench), OK);
    assert_int_equal(world_read(&bench->world, target_body, bench), OK);
    assert_int_equal(bench->target.reserved, UINT64_MAX);
    assert_int_equal(bench->target.unreserved, 1000);
}

/* ---- Deleting ---- */

static Error count_body(Txn *txn, StoreCall *call)
{
    Bench *bench = probe_argument(call);
    FunctionUsage usage;
    TRY(function_usage(txn, ACCOUNT, REGION, &usage));
    bench->value = usage.code_bytes + usage.functions + usage.reserved;
    return package_is_used(txn, CODE, &bench->flag);
}

static Error fill_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function;
    TRY(open_one(txn, &function));
    for (unsigned i = 0; i < 2000; i++) {
        FunctionAlias alias = {
            .name = arena_format(txn_arena(txn), "a%u", i), .version = SLICE("$LATEST"), .description = SLICE("")};
        TRY(function_alias_create(txn, &function, &alias));
    }
    return OK;
}

/* However much it had, nothing is left of it, and its package has no user. */
static void a_deleted_function_leaves_nothing(void **state)
{
    Bench *bench = *state;
    assert_int_equal(world_write(&bench->world, create_body, bench), OK);
    settle(bench);
    assert_int_equal(world_write(&bench->world, publish_body, bench), OK);
    assert_int_equal(world_write(&bench->world, fill_body, bench), OK);
    assert_int_equal(world_read(&bench->world, count_body, bench), OK);
    assert_true(bench->flag);
    assert_int_equal(world_write(&bench->world, delete_body, bench), OK);
    assert_int_equal(world_read(&bench->world, target_body, bench), FUNCTION_NOT_FOUND);
    for (unsigned i = 0; i < 10; i++)
        settle(bench);
    assert_int_equal(world_read(&bench->world, count_body, bench), OK);
    assert_false(bench->flag);
    assert_int_equal(bench->value, 0);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(versions_and_aliases_are_those_of_the_model),
        BENCH_TEST(a_function_can_be_run_when_it_has_settled),
        BENCH_TEST(a_change_asks_for_other_workers),
        BENCH_TEST(an_alias_shares_its_calls_by_weight),
        BENCH_TEST(a_reservation_leaves_a_hundred_to_the_others),
        BENCH_TEST(a_deleted_function_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

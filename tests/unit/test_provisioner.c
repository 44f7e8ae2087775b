/* The promises of function_concurrency.h and provisioner.h: what is stored is what the invoker was asked for. */
#include "core/function_concurrency.h"
#include "core/provisioner.h"
#include "function_fixture.h"

#include <stdio.h>

enum { ALL = 1000, LINES = 64 };

/* ---- An invoker that remembers what it is asked for ---- */

typedef struct Ready {
    char line[128];
    uint64_t count;
} Ready;

typedef struct Memory {
    Invoker invoker;
    Ready ready[LINES];
    size_t lines;
    size_t asked; /* how often */
    char forgotten[LINES][128];
    size_t forgotten_count;
} Memory;

static void remember(Invoker *invoker, const WorkerSpec *spec, uint64_t count)
{
    Memory *memory = CONTAINER_OF(invoker, Memory, invoker);
    char line[128];
    size_t i = 0;
    snprintf(line, sizeof line, "%.*s@%.*s", SLICE_PRINT(spec->name), SLICE_PRINT(spec->version));
    while (i < memory->lines && strcmp(memory->ready[i].line, line) != 0)
        i++;
    assert_true(i < LINES);
    snprintf(memory->ready[i].line, sizeof memory->ready[i].line, "%s", line);
    memory->ready[i].count = count;
    memory->lines = i == memory->lines ? i + 1 : memory->lines;
    memory->asked++;
}

static void forget(Invoker *invoker, Slice function, Slice except)
{
    (void)invoker;
    (void)function;
    (void)except;
}

static void forget_version(Invoker *invoker, Slice line)
{
    Memory *memory = CONTAINER_OF(invoker, Memory, invoker);
    assert_true(memory->forgotten_count < LINES);
    snprintf(memory->forgotten[memory->forgotten_count++], sizeof memory->forgotten[0], "%.*s", SLICE_PRINT(line));
}

static const InvokerOperations operations = {.provision = remember, .forget = forget, .forget_version = forget_version};

static uint64_t ready(const Memory *memory, const char *line)
{
    for (size_t i = 0; i < memory->lines; i++)
        if (strcmp(memory->ready[i].line, line) == 0)
            return memory->ready[i].count;
    return 0;
}

/* ---- The world: the store, the invoker, and what makes the one true to the other ---- */

typedef struct Stage {
    World world;
    Memory memory;
    Provisioner *provisioner;
} Stage;

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_FUNCTION, function_timer);
}

static void start(Stage *stage)
{
    stage->memory = (Memory){.invoker = {&operations}};
    stage->provisioner = provisioner_open(stage->world.store, &stage->memory.invoker, &stage->world.mailbox, NULL);
    world_settle(&stage->world);
}

static int open_stage(void **state)
{
    Stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage->world.prepare = prepare;
    world_open(&stage->world, 3);
    start(stage);
    *state = stage;
    return 0;
}

static int close_stage(void **state)
{
    Stage *stage = *state;
    world_close(&stage->world);
    provisioner_close(stage->provisioner);
    free(stage);
    return 0;
}

static void run(Stage *stage, TxnBody body)
{
    assert_int_equal(world_write(&stage->world, body, NULL), OK);
    world_settle(&stage->world);
    os_sim_advance_ms(stage->world.os, 1000);
    world_settle(&stage->world);
}

static Error provision(Txn *txn, Slice name, Slice qualifier, uint64_t count)
{
    Function function = opened_function(txn, name);
    Provisioned provisioned = {.qualifier = qualifier, .count = count};
    return provisioned_put(txn, &function, &provisioned, ALL);
}

static Error make_first(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = made_function(txn, SLICE("hello"));
    publish_version(txn, &function);
    make_alias(txn, &function, SLICE("live"), SLICE("1"));
    return OK;
}

static Error make_second(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    publish_version(txn, &function);
    return OK;
}

static Error provision_alias(Txn *txn, StoreCall *call)
{
    (void)call;
    return provision(txn, SLICE("hello"), SLICE("live"), 5);
}

static Error move_alias(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    FunctionAlias alias = {.name = SLICE("live"), .version = SLICE("2"), .description = SLICE("")};
    return function_alias_put(txn, &function, &alias);
}

static Error route_alias(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    FunctionAlias alias = {.name = SLICE("live"),
                           .version = SLICE("1"),
                           .description = SLICE(""),
                           .route_version = SLICE("2"),
                           .route_weight = 0.4};
    TRY(function_alias_put(txn, &function, &alias));
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("live"), 6), PROVISIONED_ROUTED);
    return OK;
}

static Error delete_alias(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    Provisioned provisioned;
    bool found;
    TRY(function_alias_delete(txn, &function, SLICE("live"), &found));
    assert_int_equal(provisioned_get(txn, &function, SLICE("live"), &provisioned), FUNCTION_ALIAS_NOT_FOUND);
    return OK;
}

static Error delete_function(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    return function_delete(txn, &function);
}

static void an_alias_takes_its_executions_along(void **state)
{
    Stage *stage = *state;
    run(stage, make_first);
    run(stage, make_second);
    assert_int_equal(stage->memory.asked, 0);
    run(stage, provision_alias);
    assert_int_equal(ready(&stage->memory, "hello@1"), 5);
    run(stage, move_alias);
    assert_int_equal(ready(&stage->memory, "hello@1"), 0);
    assert_int_equal(ready(&stage->memory, "hello@2"), 5);
    run(stage, route_alias);
    assert_int_equal(ready(&stage->memory, "hello@1"), 3);
    assert_int_equal(ready(&stage->memory, "hello@2"), 2);
    run(stage, delete_alias);
    assert_int_equal(ready(&stage->memory, "hello@1"), 0);
    assert_int_equal(ready(&stage->memory, "hello@2"), 0);
}

static void a_deleted_function_keeps_nothing_ready(void **state)
{
    Stage *stage = *state;
    run(stage, make_first);
    run(stage, provision_alias);
    assert_int_equal(ready(&stage->memory, "hello@1"), 5);
    run(stage, delete_function);
    assert_int_equal(ready(&stage->memory, "hello@1"), 0);
}

/* ---- Versions ---- */

static Error delete_versions(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    assert_int_equal(function_version_delete(txn, &function, SLICE("1")), FUNCTION_VERSION_IN_USE);
    TRY(function_version_delete(txn, &function, SLICE("9")));
    return function_version_delete(txn, &function, SLICE("2"));
}

static void a_deleted_version_is_forgotten_and_no_other(void **state)
{
    Stage *stage = *state;
    run(stage, make_first);
    run(stage, make_second);
    assert_int_equal(stage->memory.forgotten_count, 0);
    run(stage, delete_versions);
    assert_int_equal(stage->memory.forgotten_count, 1);
    Slice line = slice_of_string(stage->memory.forgotten[0]);
    assert_true(slice_starts_with(line, SLICE("123456789012/us-east-1/hello/")));
    assert_true(slice_ends_with(line, SLICE("/2")));
}

/* ---- The start ---- */

static Error make_many(Txn *txn, StoreCall *call)
{
    (void)call;
    for (unsigned i = 0; i < 60; i++) {
        Function function = made_function(txn, arena_format(txn_arena(txn), "many-%02u", i));
        publish_version(txn, &function);
        TRY(provision(txn, function.name, SLICE("1"), i + 1 < 10 ? i + 1 : 10));
    }
    return OK;
}

static void what_was_provisioned_is_provisioned_again_at_the_start(void **state)
{
    Stage *stage = *state;
    run(stage, make_many);
    assert_int_equal(stage->memory.lines, 60);
    world_crash(&stage->world, 4);
    provisioner_close(stage->provisioner);
    start(stage);
    assert_int_equal(stage->memory.lines, 60);
    assert_int_equal(stage->memory.asked, 60);
    assert_int_equal(ready(&stage->memory, "many-00@1"), 1);
    assert_int_equal(ready(&stage->memory, "many-59@1"), 10);
}

/* ---- What may be asked ---- */

static Error pass_limits(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("$LATEST"), 1), PROVISIONED_LATEST);
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("7"), 1), FUNCTION_VERSION_NOT_FOUND);
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("none"), 1), FUNCTION_ALIAS_NOT_FOUND);
    /* The account keeps 100 that are reserved for nobody. */
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("1"), 901), FUNCTION_UNRESERVED);
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("1"), UINT64_MAX), FUNCTION_UNRESERVED);
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("1"), 900), OK);
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("live"), 1), PROVISIONED_TWICE);
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("1"), 10), OK);

    Function other = made_function(txn, SLICE("other"));
    publish_version(txn, &other);
    assert_int_equal(provision(txn, SLICE("other"), SLICE("1"), 891), FUNCTION_UNRESERVED);
    assert_int_equal(provision(txn, SLICE("other"), SLICE("1"), 890), OK);
    uint64_t others;
    TRY(provisioned_of_others(txn, &function, &others));
    assert_int_equal(others, 890);

    /* With a reservation the function's own are what counts. */
    TRY(provisioned_delete(txn, &other, SLICE("1")));
    TRY(function_reserve(txn, &function, true, 20, ALL));
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("1"), 21), PROVISIONED_OVER_RESERVED);
    assert_int_equal(provision(txn, SLICE("hello"), SLICE("1"), 20), OK);
    TRY(provisioned_of_others(txn, &other, &others));
    assert_int_equal(others, 0);
    return OK;
}

static Error list_them(Txn *txn, StoreCall *call)
{
    (void)call;
    Function function = opened_function(txn, SLICE("hello"));
    Provisioned *list;
    Provisioned one;
    size_t count;
    FunctionPage page = {.limit = 9};
    TRY(provisioned_list(txn, &function, &page, &list, &count));
    assert_int_equal(count, 1);
    assert_true(slice_equal(list[0].qualifier, SLICE("1")));
    assert_int_equal(list[0].count, 20);
    TRY(provisioned_get(txn, &function, SLICE("1"), &one));
    assert_int_equal(one.count, 20);
    assert_int_equal(provisioned_get(txn, &function, SLICE("live"), &one), PROVISIONED_NOT_FOUND);
    return OK;
}

static void executions_are_provisioned_within_what_there_is(void **state)
{
    Stage *stage = *state;
    run(stage, make_first);
    run(stage, pass_limits);
    assert_int_equal(ready(&stage->memory, "hello@1"), 20);
    assert_int_equal(ready(&stage->memory, "other@1"), 0);
    assert_int_equal(world_read(&stage->world, list_them, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_alias_takes_its_executions_along, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(a_deleted_function_keeps_nothing_ready, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(a_deleted_version_is_forgotten_and_no_other, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(what_was_provisioned_is_provisioned_again_at_the_start, open_stage,
                                        close_stage),
        cmocka_unit_test_setup_teardown(executions_are_provisioned_within_what_there_is, open_stage, close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

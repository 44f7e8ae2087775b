/* The promises of warmer.h: each runtime that a stored function has is hinted at once, wherever the function is. */
#include "core/warmer.h"

#include "function_fixture.h"

#include <stdio.h>

enum { FUNCTIONS = 120, NAMES = 16 }; /* more than a page */

typedef struct Stage {
    World world;
    Invoker invoker;
    Mailbox mailbox; /* of the Warmer: what is posted waits until it is delivered */
    TaskChain posted;
    Warmer *warmer;
    char names[NAMES][32]; /* hinted at */
    size_t count;
} Stage;

static void hint(Invoker *invoker, Slice runtime)
{
    Stage *stage = CONTAINER_OF(invoker, Stage, invoker);
    assert_true(stage->count < NAMES);
    snprintf(stage->names[stage->count++], sizeof *stage->names, "%.*s", SLICE_PRINT(runtime));
}

static const InvokerOperations operations = {.warm = hint};

static void keep(Mailbox *mailbox, TaskChain chain)
{
    Stage *stage = CONTAINER_OF(mailbox, Stage, mailbox);
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        task_chain_push(&stage->posted, task);
}

static void open_warmer(Stage *stage)
{
    stage->count = 0;
    stage->invoker.operations = &operations;
    stage->mailbox.post = keep;
    stage->warmer = warmer_open(stage->world.store, &stage->invoker, &stage->mailbox, NULL);
    assert_int_equal(stage->count, 0);
}

/* One turn of the loop; false: nothing was there to be done. */
static bool turn(Stage *stage)
{
    Task *task = task_chain_pop(&stage->posted);
    if (task != NULL)
        task->run(task);
    return task != NULL;
}

static bool was_hinted(const Stage *stage, const char *name)
{
    for (size_t i = 0; i < stage->count; i++)
        if (strcmp(stage->names[i], name) == 0)
            return true;
    return false;
}

static int open_stage(void **state)
{
    Stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    world_open(&stage->world, 5);
    *state = stage;
    return 0;
}

static int close_stage(void **state)
{
    Stage *stage = *state;
    world_close(&stage->world);
    free(stage);
    return 0;
}

static void make(Txn *txn, Slice account, Slice region, Slice name, Slice runtime)
{
    Function function = {.account = account, .region = region, .name = name};
    FunctionVersion latest = {.account = account,
                              .region = region,
                              .name = name,
                              .runtime = runtime,
                              .role_arn = SLICE("arn:aws:iam::123456789012:role/r"),
                              .code_sha256 = SLICE("c2hh")};
    assert_int_equal(function_create(txn, &function, &latest, CODE_LIMIT), OK);
}

static Error make_functions(Txn *txn, StoreCall *call)
{
    (void)call;
    for (int i = 0; i < FUNCTIONS; i++)
        make(txn, ACCOUNT, REGION, arena_format(txn_arena(txn), "hello-%03d", i), SLICE("python3.11"));
    make(txn, ACCOUNT, REGION, SLICE("the-last"), SLICE("nodejs22.x"));
    make(txn, ACCOUNT, SLICE("us-west-2"), SLICE("hello"), SLICE("nodejs20.x"));
    make(txn, SLICE("000000000000"), SLICE("eu-west-1"), SLICE("hello"), SLICE("python3.13"));
    make(txn, SLICE("999999999999"), SLICE("eu-west-1"), SLICE("hello"), SLICE("python3.12"));
    return OK;
}

static void each_runtime_in_use_is_hinted_once(void **state)
{
    Stage *stage = *state;
    assert_int_equal(world_write(&stage->world, make_functions, NULL), OK);
    open_warmer(stage);
    while (turn(stage))
        continue;
    assert_int_equal(stage->count, 5);
    static const char *const names[] = {"python3.11", "nodejs22.x", "nodejs20.x", "python3.13", "python3.12"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(was_hinted(stage, names[i]));
    warmer_close(stage->warmer);
}

static void without_functions_nothing_is_hinted(void **state)
{
    Stage *stage = *state;
    open_warmer(stage);
    while (turn(stage))
        continue;
    assert_int_equal(stage->count, 0);
    warmer_close(stage->warmer);
}

/* The loop goes on between pages, and a server that stops meanwhile leaves nothing behind. */
static void it_can_be_closed_on_the_way(void **state)
{
    Stage *stage = *state;
    assert_int_equal(world_write(&stage->world, make_functions, NULL), OK);
    open_warmer(stage);
    for (int i = 0; i < 3; i++)
        assert_true(turn(stage));
    assert_true(stage->count < 5);
    size_t count = stage->count;
    warmer_close(stage->warmer);
    while (turn(stage))
        continue;
    assert_int_equal(stage->count, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_runtime_in_use_is_hinted_once, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(without_functions_nothing_is_hinted, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(it_can_be_closed_on_the_way, open_stage, close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

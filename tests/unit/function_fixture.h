/* function_fixture.h: functions without code, for unit tests of what hangs on them. */
#ifndef BRUME_TESTS_UNIT_FUNCTION_FIXTURE_H
#define BRUME_TESTS_UNIT_FUNCTION_FIXTURE_H

#include "core/function.h"
#include "store_fixture.h"

#include <stdlib.h>

#define ACCOUNT SLICE("123456789012")
#define REGION SLICE("us-east-1")

enum { CODE_LIMIT = 1000000 };

static inline int open_functions(void **state)
{
    World *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world_open(world, 11);
    *state = world;
    return 0;
}

static inline int close_functions(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static inline Function made_function(Txn *txn, Slice name)
{
    Function function = {.account = ACCOUNT, .region = REGION, .name = name};
    FunctionVersion latest = {.account = ACCOUNT,
                              .region = REGION,
                              .name = name,
                              .runtime = SLICE("python3.11"),
                              .handler = SLICE("app.handler"),
                              .role_arn = SLICE("arn:aws:iam::123456789012:role/r"),
                              .description = SLICE(""),
                              .architecture = SLICE("x86_64"),
                              .timeout_s = 3,
                              .memory_mb = 128,
                              .tmp_mb = 512,
                              .code = SLICE("123456789012/abcd"),
                              .code_sha256 = SLICE("c2hh"),
                              .code_bytes = 10,
                              .log_format = SLICE("Text"),
                              .log_group = SLICE("/aws/lambda/x"),
                              .trace_mode = SLICE("PassThrough")};
    assert_int_equal(function_create(txn, &function, &latest, CODE_LIMIT), OK);
    return function;
}

static inline Function opened_function(Txn *txn, Slice name)
{
    Function function;
    assert_int_equal(function_open(txn, ACCOUNT, REGION, name, &function), OK);
    return function;
}

/* The next version: another one than the last, by its timeout. */
static inline void publish_version(Txn *txn, Function *function)
{
    FunctionVersion latest;
    FunctionVersion published;
    uint64_t before = function->last_version;
    assert_int_equal(function_version_get(txn, function, SLICE("$LATEST"), &latest), OK);
    if (before > 0) {
        latest.timeout_s++;
        assert_int_equal(function_latest_put(txn, function, &latest, CODE_LIMIT), OK);
    }
    assert_int_equal(function_publish(txn, function, (Slice){0}, CODE_LIMIT, &published), OK);
    assert_int_equal(function->last_version, before + 1);
}

static inline void make_alias(Txn *txn, const Function *function, Slice name, Slice version)
{
    FunctionAlias alias = {.name = name, .version = version, .description = SLICE("")};
    assert_int_equal(function_alias_create(txn, function, &alias), OK);
}

#endif

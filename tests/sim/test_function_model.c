/* Functions with their versions, aliases and reserved concurrency, against the shortest program that could be right: an
 * array of functions with arrays of versions in them. A seed drives the operations, the clock and power losses. After each
 * step all that is stored is read, in pages of every size: each function, version and alias as the model has it, the
 * account's usage as a sum over the model, and a package used as long as a version is made of it. */
#include "../unit/store_fixture.h"

#include "core/function.h"
#include "core/package.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FUNCTIONS = 4,
    VERSIONS = 200,
    ALIASES = 3,
    PACKAGES = 5,
    STEPS = 400,
    UNSYNCED = 4,
    ALL_CONCURRENCY = 130, /* of which FUNCTION_UNRESERVED_MIN have to stay unreserved */
    CODE_LIMIT = 6000,
};

#define ACCOUNT SLICE("123456789012")
#define REGION SLICE("eu-central-1")

static const Slice names[FUNCTIONS] = {SLICE_INIT("a"), SLICE_INIT("aa"), SLICE_INIT("b"), SLICE_INIT("b-1")};
static const Slice alias_names[ALIASES] = {SLICE_INIT("blue"), SLICE_INIT("green"), SLICE_INIT("live")};
static const Slice packages[PACKAGES] = {SLICE_INIT("123456789012/0"), SLICE_INIT("123456789012/1"),
                                         SLICE_INIT("123456789012/2"), SLICE_INIT("123456789012/3"),
                                         SLICE_INIT("123456789012/4")};

/* ---- The model ---- */

typedef struct ModelVersion {
    uint64_t timeout_s; /* 0: it is not there */
    size_t package;
} ModelVersion;

typedef struct ModelFunction {
    ModelVersion versions[VERSIONS + 1]; /* "$LATEST" first; when that is not there nothing is */
    uint64_t last;
    ModelVersion source; /* what the last version was made of */
    struct {
        uint64_t version; /* 0: it is not there */
        uint64_t route;   /* 0: none */
    } aliases[ALIASES];
    bool has_reserved;
    uint64_t reserved;
    bool is_updating;
} ModelFunction;

typedef struct Model {
    ModelFunction functions[FUNCTIONS];
} Model;

static uint64_t bytes_of(size_t package)
{
    return 100 * (package + 1);
}

static FunctionUsage usage_of(const Model *model)
{
    FunctionUsage usage = {0};
    for (size_t i = 0; i < FUNCTIONS; i++) {
        const ModelFunction *function = &model->functions[i];
        if (function->versions[0].timeout_s == 0)
            continue;
        usage.functions++;
        usage.reserved += function->has_reserved ? function->reserved : 0;
        for (uint64_t version = 0; version <= function->last; version++)
            if (function->versions[version].timeout_s > 0)
                usage.code_bytes += bytes_of(function->versions[version].package);
    }
    return usage;
}

static bool has_version(const ModelFunction *function, uint64_t version)
{
    return version <= function->last && function->versions[version].timeout_s > 0;
}

static bool is_named(const ModelFunction *function, uint64_t version)
{
    bool named = false;
    for (size_t i = 0; i < ALIASES; i++)
        named |= function->aliases[i].version > 0 &&
                 (function->aliases[i].version == version || function->aliases[i].route == version);
    return named;
}

/* ---- Operations ---- */

typedef enum OperationKind {
    CREATE,
    UPDATE,
    PUBLISH,
    DROP_VERSION,
    PUT_ALIAS,
    DROP_ALIAS,
    RESERVE,
    DELETE
} OperationKind;

typedef struct Operation {
    OperationKind kind;
    size_t function;
    uint64_t timeout_s;
    size_t package;
    uint64_t version;
    uint64_t route;
    size_t alias;
    bool is_new;
    bool has_reserved;
    uint64_t reserved;
    Probe probe;
} Operation;

typedef struct Run {
    World world;
    uint64_t random;
    Model model;
} Run;

static uint64_t chance(Run *run, uint64_t below)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return run->random % below;
}

static Operation choose(Run *run)
{
    static const OperationKind kinds[] = {CREATE,    CREATE,    UPDATE,       UPDATE,     PUBLISH,
                                          PUBLISH,   PUBLISH,   PUBLISH,      RESERVE,    RESERVE,
                                          PUT_ALIAS, PUT_ALIAS, DROP_VERSION, DROP_ALIAS, DELETE};
    size_t function = chance(run, FUNCTIONS);
    uint64_t last = run->model.functions[function].last;
    return (Operation){
        .kind = kinds[chance(run, sizeof kinds / sizeof *kinds)],
        .function = function,
        .timeout_s = 1 + chance(run, 3),
        .package = chance(run, PACKAGES),
        .version = 1 + chance(run, last + 1),
        .route = chance(run, 2) == 0 ? 0 : 1 + chance(run, last + 1),
        .alias = chance(run, ALIASES),
        .is_new = chance(run, 2) == 0,
        .has_reserved = chance(run, 3) > 0,
        .reserved = chance(run, 20),
    };
}

static ModelVersion made_of(const Operation *operation)
{
    return (ModelVersion){operation->timeout_s, operation->package};
}

static Error model_put_alias(ModelFunction *function, const Operation *operation)
{
    bool exists = function->aliases[operation->alias].version > 0;
    if (operation->is_new && exists)
        return FUNCTION_ALIAS_EXISTS;
    if (!operation->is_new && !exists)
        return FUNCTION_ALIAS_NOT_FOUND;
    if (!has_version(function, operation->version) ||
        (operation->route > 0 && !has_version(function, operation->route)))
        return FUNCTION_VERSION_NOT_FOUND;
    function->aliases[operation->alias].version = operation->version;
    function->aliases[operation->alias].route = operation->route;
    return OK;
}

static Error model_publish(Model *model, ModelFunction *function)
{
    const ModelVersion *latest = &function->versions[0];
    if (has_version(function, function->last) && function->last > 0 &&
        function->source.timeout_s == latest->timeout_s && function->source.package == latest->package)
        return OK;
    if (usage_of(model).code_bytes + bytes_of(latest->package) > CODE_LIMIT)
        return FUNCTION_CODE_STORAGE;
    function->last++;
    function->versions[function->last] = function->source = *latest;
    return OK;
}

static Error model_update(Model *model, ModelFunction *function, const Operation *operation)
{
    uint64_t more = bytes_of(operation->package);
    uint64_t less = bytes_of(function->versions[0].package);
    if (function->is_updating)
        return FUNCTION_UPDATING;
    if (more > less && usage_of(model).code_bytes + more - less > CODE_LIMIT)
        return FUNCTION_CODE_STORAGE;
    function->versions[0] = made_of(operation);
    function->is_updating = true;
    return OK;
}

static Error model_reserve(Model *model, ModelFunction *function, const Operation *operation)
{
    uint64_t others = usage_of(model).reserved - (function->has_reserved ? function->reserved : 0);
    if (operation->has_reserved && others + operation->reserved + FUNCTION_UNRESERVED_MIN > ALL_CONCURRENCY)
        return FUNCTION_UNRESERVED;
    function->has_reserved = operation->has_reserved;
    function->reserved = operation->has_reserved ? operation->reserved : 0;
    return OK;
}

static Error model_create(Model *model, ModelFunction *function, const Operation *operation)
{
    if (function->versions[0].timeout_s > 0)
        return FUNCTION_EXISTS;
    if (usage_of(model).code_bytes + bytes_of(operation->package) > CODE_LIMIT)
        return FUNCTION_CODE_STORAGE;
    *function = (ModelFunction){.versions = {made_of(operation)}, .is_updating = true};
    return OK;
}

static Error model_apply(Model *model, const Operation *operation)
{
    ModelFunction *function = &model->functions[operation->function];
    if (operation->kind != CREATE && function->versions[0].timeout_s == 0)
        return FUNCTION_NOT_FOUND;
    switch (operation->kind) {
    case CREATE:
        return model_create(model, function, operation);
    case UPDATE:
        return model_update(model, function, operation);
    case PUBLISH:
        return model_publish(model, function);
    case PUT_ALIAS:
        return model_put_alias(function, operation);
    case RESERVE:
        return model_reserve(model, function, operation);
    case DROP_VERSION:
        if (has_version(function, operation->version) && is_named(function, operation->version))
            return FUNCTION_VERSION_IN_USE;
        function->versions[operation->version] = (ModelVersion){0};
        return OK;
    case DROP_ALIAS:
        function->aliases[operation->alias].version = function->aliases[operation->alias].route = 0;
        return OK;
    case DELETE:
        *function = (ModelFunction){0};
        return OK;
    }
    return OK;
}

/* ---- The same, of the store ---- */

static Slice number_text(Txn *txn, uint64_t number)
{
    return number == 0 ? SLICE("$LATEST") : arena_format(txn_arena(txn), "%ju", (uintmax_t)number);
}

static Error put_alias(Txn *txn, const Function *function, const Operation *operation)
{
    FunctionAlias alias = {.name = alias_names[operation->alias], .description = SLICE("")};
    if (!operation->is_new)
        TRY(function_alias_get(txn, function, alias.name, &alias));
    alias.version = number_text(txn, operation->version);
    alias.route_version = operation->route == 0 ? (Slice){0} : number_text(txn, operation->route);
    alias.route_weight = operation->route == 0 ? 0 : 0.5;
    return operation->is_new ? function_alias_create(txn, function, &alias) : function_alias_put(txn, function, &alias);
}

static Error update(Txn *txn, const Function *function, const Operation *operation)
{
    FunctionVersion latest;
    TRY(function_version_get(txn, function, SLICE("$LATEST"), &latest));
    latest.timeout_s = operation->timeout_s;
    latest.code = packages[operation->package];
    latest.code_bytes = bytes_of(operation->package);
    return function_latest_put(txn, function, &latest, CODE_LIMIT);
}

static Error create(Txn *txn, const Operation *operation)
{
    Function function = {.account = ACCOUNT, .region = REGION, .name = names[operation->function]};
    FunctionVersion latest = {
        .timeout_s = operation->timeout_s,
        .memory_mb = 128,
        .tmp_mb = 512,
        .runtime = SLICE("r"),
        .code = packages[operation->package],
        .code_bytes = bytes_of(operation->package),
    };
    return function_create(txn, &function, &latest, CODE_LIMIT);
}

static Error operation_body(Txn *txn, StoreCall *call)
{
    const Operation *operation = CONTAINER_OF(CONTAINER_OF(call, Probe, call), Operation, probe);
    Function function;
    FunctionVersion version;
    bool found;
    if (operation->kind == CREATE)
        return create(txn, operation);
    TRY(function_open(txn, ACCOUNT, REGION, names[operation->function], &function));
    switch (operation->kind) {
    case CREATE:
        break;
    case UPDATE:
        return update(txn, &function, operation);
    case PUBLISH:
        return function_publish(txn, &function, (Slice){0}, CODE_LIMIT, &version);
    case PUT_ALIAS:
        return put_alias(txn, &function, operation);
    case RESERVE:
        return function_reserve(txn, &function, operation->has_reserved, operation->reserved, ALL_CONCURRENCY);
    case DROP_VERSION:
        return function_version_delete(txn, &function, number_text(txn, operation->version));
    case DROP_ALIAS:
        return function_alias_delete(txn, &function, alias_names[operation->alias], &found);
    case DELETE:
        return function_delete(txn, &function);
    }
    return OK;
}

/* ---- Comparing: false where something is other than the model says ---- */

static bool is_version(const FunctionVersion *version, Slice name, Slice number, const ModelVersion *model)
{
    return slice_equal(version->name, name) && slice_equal(version->version, number) &&
           version->timeout_s == model->timeout_s && slice_equal(version->code, packages[model->package]);
}

static bool same_versions(Txn *txn, const Function *function, const ModelFunction *model, size_t limit)
{
    FunctionPage page = {.limit = limit};
    uint64_t at = 0;
    do {
        FunctionVersion *versions;
        size_t count;
        page.after = page.next;
        if (function_version_list(txn, function, &page, &versions, &count) != OK || count > limit)
            return false;
        for (size_t i = 0; i < count; i++, at++) {
            while (at <= model->last && model->versions[at].timeout_s == 0)
                at++;
            if (at > model->last ||
                !is_version(&versions[i], function->name, number_text(txn, at), &model->versions[at]))
                return false;
        }
    } while (page.next.data != NULL);
    while (at <= model->last && model->versions[at].timeout_s == 0)
        at++;
    return at == model->last + 1;
}

static bool same_aliases(Txn *txn, const Function *function, const ModelFunction *model, size_t limit)
{
    FunctionPage page = {.limit = limit};
    size_t at = 0;
    do {
        FunctionAlias *aliases;
        size_t count;
        page.after = page.next;
        if (function_alias_list(txn, function, (Slice){0}, &page, &aliases, &count) != OK || count > limit)
            return false;
        for (size_t i = 0; i < count; i++, at++) {
            while (at < ALIASES && model->aliases[at].version == 0)
                at++;
            if (at == ALIASES || !slice_equal(aliases[i].name, alias_names[at]) ||
                !slice_equal(aliases[i].version, number_text(txn, model->aliases[at].version)) ||
                (model->aliases[at].route == 0
                     ? aliases[i].route_version.size > 0
                     : !slice_equal(aliases[i].route_version, number_text(txn, model->aliases[at].route))))
                return false;
        }
    } while (page.next.data != NULL);
    while (at < ALIASES && model->aliases[at].version == 0)
        at++;
    return at == ALIASES;
}

static bool same_function(Txn *txn, size_t index, const ModelFunction *model, size_t limit)
{
    Function function;
    Error error = function_open(txn, ACCOUNT, REGION, names[index], &function);
    if (model->versions[0].timeout_s == 0)
        return error == FUNCTION_NOT_FOUND;
    return error == OK && function.last_version == model->last && function.has_reserved == model->has_reserved &&
           (!model->has_reserved || function.reserved == model->reserved) &&
           same_versions(txn, &function, model, limit) && same_aliases(txn, &function, model, limit);
}

/* The list of the account's functions: by name, of each "$LATEST". */
static bool same_list(Txn *txn, const Model *model, size_t limit)
{
    FunctionPage page = {.limit = limit};
    size_t at = 0;
    do {
        FunctionVersion *versions;
        size_t count;
        page.after = page.next;
        if (function_list(txn, ACCOUNT, REGION, false, &page, &versions, &count) != OK || count > limit)
            return false;
        for (size_t i = 0; i < count; i++, at++) {
            while (at < FUNCTIONS && model->functions[at].versions[0].timeout_s == 0)
                at++;
            if (at == FUNCTIONS ||
                !is_version(&versions[i], names[at], SLICE("$LATEST"), &model->functions[at].versions[0]))
                return false;
        }
    } while (page.next.data != NULL);
    while (at < FUNCTIONS && model->functions[at].versions[0].timeout_s == 0)
        at++;
    return at == FUNCTIONS;
}

static bool is_made_of(const Model *model, size_t package)
{
    bool found = false;
    for (size_t i = 0; i < FUNCTIONS; i++)
        for (uint64_t version = 0; version <= model->functions[i].last; version++)
            found |= model->functions[i].versions[version].timeout_s > 0 &&
                     model->functions[i].versions[version].package == package;
    return found;
}

typedef struct Comparison {
    const Model *model;
    size_t limit; /* of pages */
    bool is_same;
} Comparison;

static Error compare_body(Txn *txn, StoreCall *call)
{
    Comparison *comparison = probe_argument(call);
    const Model *model = comparison->model;
    const FunctionUsage expected = usage_of(model);
    FunctionUsage usage;
    TRY(function_usage(txn, ACCOUNT, REGION, &usage));
    comparison->is_same = usage.functions == expected.functions && usage.code_bytes == expected.code_bytes &&
                          usage.reserved == expected.reserved && same_list(txn, model, comparison->limit);
    for (size_t i = 0; i < FUNCTIONS; i++)
        comparison->is_same = comparison->is_same && same_function(txn, i, &model->functions[i], comparison->limit);
    for (size_t i = 0; i < PACKAGES; i++) {
        bool used;
        TRY(package_is_used(txn, packages[i], &used));
        comparison->is_same = comparison->is_same && used == is_made_of(model, i);
    }
    return OK;
}

static bool follows(Run *run, const Model *model)
{
    Comparison comparison = {.model = model, .limit = 1 + chance(run, 5)};
    assert_int_equal(world_read(&run->world, compare_body, &comparison), OK);
    return comparison.is_same;
}

/* ---- Steps ---- */

static void operation_start(Run *run, Operation *operation)
{
    operation->probe.world = &run->world;
    operation->probe.call.body = operation_body;
    operation->probe.call.done = probe_done;
    operation->probe.call.mailbox = &run->world.mailbox;
    operation->probe.call.arena = &operation->probe.arena;
    store_write(run->world.store, &operation->probe.call);
}

/* All that was changed has settled. */
static void pass(Run *run)
{
    os_sim_advance_ms(run->world.os, FUNCTION_SETTLE_MS + 1 + chance(run, 1000));
    world_settle(&run->world);
    for (size_t i = 0; i < FUNCTIONS; i++)
        run->model.functions[i].is_updating = false;
}

static void step_durably(Run *run)
{
    Operation operation = choose(run);
    operation_start(run, &operation);
    world_settle(&run->world);
    assert_true(operation.probe.done);
    assert_int_equal(operation.probe.call.result, model_apply(&run->model, &operation));
    assert_true(follows(run, &run->model));
    arena_free(&operation.probe.arena);
}

/* Some operations are executed but never synced, then power is lost: what remains is the state behind one of them. */
static void step_into_power_loss(Run *run)
{
    static Model states[UNSYNCED + 1];
    static Operation operations[UNSYNCED];
    size_t count = 1 + chance(run, UNSYNCED);
    states[0] = run->model;
    for (size_t i = 0; i < count; i++) {
        operations[i] = choose(run);
        operation_start(run, &operations[i]);
        while (store_step(run->world.store))
            ;
        (void)model_apply(&run->model, &operations[i]);
        states[i + 1] = run->model;
    }
    world_crash(&run->world, chance(run, 1 << 30));
    for (size_t i = 0; i < count; i++)
        arena_free(&operations[i].probe.arena);
    bool found = false;
    for (size_t i = 0; i <= count && !found; i++)
        if ((found = follows(run, &states[i])))
            run->model = states[i];
    assert_true(found);
    pass(run);
}

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_FUNCTION, function_timer);
}

/* At the end all functions are deleted, and nothing of them is left. */
static void delete_all(Run *run)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        Operation operation = {.kind = DELETE, .function = i};
        operation_start(run, &operation);
        world_settle(&run->world);
        (void)model_apply(&run->model, &operation);
        arena_free(&operation.probe.arena);
    }
    pass(run);
    assert_true(follows(run, &run->model));
}

static void simulate(uint64_t seed)
{
    static Run run;
    run = (Run){.random = seed | 1, .world.prepare = prepare};
    print_message("seed %llu\n", (unsigned long long)seed);
    world_open(&run.world, seed);
    for (size_t i = 0; i < STEPS; i++) {
        uint64_t dice = chance(&run, 100);
        if (dice < 25)
            pass(&run);
        else if (dice < 32)
            step_into_power_loss(&run);
        else
            step_durably(&run);
    }
    delete_all(&run);
    world_close(&run.world);
}

static void functions_are_those_of_the_model_whatever_the_seed(void **state)
{
    (void)state;
    const char *rounds = getenv("BRUME_SIM_ROUNDS");
    const char *seed = getenv("BRUME_SIM_SEED");
    if (seed != NULL) {
        simulate(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t i = 0; i < (rounds == NULL ? 30 : strtoull(rounds, NULL, 10)); i++)
        simulate(i * 7919 + 1);
    simulate(os_wall_us(os_linux()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(functions_are_those_of_the_model_whatever_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

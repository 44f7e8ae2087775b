/* function_target.c: what an invocation runs: which version a qualifier means, and what its workers are made of. */
#include "core/function_internal.h"
#include "core/package.h"

/* ---- The version ---- */

/* `pick` spread over 0 to 1 decides which of two versions is meant. */
static Slice version_of_alias(const FunctionAlias *alias, uint64_t pick)
{
    double place = (double)(pick >> 11) * 0x1p-53;
    return alias->route_version.data != NULL && place < alias->route_weight ? alias->route_version : alias->version;
}

static Error find_version(Txn *txn, const Function *function, Slice qualifier, uint64_t pick, FunctionVersion *version)
{
    uint64_t number;
    FunctionAlias alias;
    if (qualifier.size == 0)
        qualifier = FUNCTION_LATEST;
    if (function_version_number(qualifier, &number))
        return function_version_get(txn, function, qualifier, version);
    TRY(function_alias_get(txn, function, qualifier, &alias));
    return function_version_get(txn, function, version_of_alias(&alias, pick), version);
}

static Error check_ready(const FunctionVersion *version)
{
    if (slice_equal(version->state, SLICE("Pending")))
        return FUNCTION_PENDING;
    if (slice_equal(version->state, SLICE("Inactive")))
        return FUNCTION_INACTIVE;
    return slice_equal(version->state, SLICE("Failed")) ? FUNCTION_FAILED : OK;
}

static Error check_tenant(const FunctionVersion *version, Slice tenant_id)
{
    if (version->tenant_isolated && tenant_id.size == 0)
        return FUNCTION_TENANT_MISSING;
    return !version->tenant_isolated && tenant_id.size > 0 ? FUNCTION_TENANT_UNKNOWN : OK;
}

/* ---- The worker ---- */

Slice function_arn(Arena *arena, Slice account, Slice region, Slice name, Slice qualifier)
{
    return arena_format(arena, "arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", SLICE_PRINT(region),
                        SLICE_PRINT(account), SLICE_PRINT(name), qualifier.size > 0 ? ":" : "", SLICE_PRINT(qualifier));
}

static NetworkMode network_of(const Function *function)
{
    for (size_t i = 0; i < function->tags.count; i++) {
        const Label *tag = &function->tags.items[i];
        if (!slice_equal(tag->key, SLICE("brume:network")))
            continue;
        if (slice_equal(tag->value, SLICE("host")))
            return NETWORK_HOST;
        if (slice_equal(tag->value, SLICE("isolated")))
            return NETWORK_ISOLATED;
    }
    return NETWORK_DEFAULT;
}

static const EnvironmentVariable *variables_of(Arena *arena, const Labels *environment)
{
    EnvironmentVariable *variables = ARENA_ARRAY(arena, EnvironmentVariable, environment->count);
    for (size_t i = 0; i < environment->count; i++)
        variables[i] = (EnvironmentVariable){environment->items[i].key, environment->items[i].value};
    return variables;
}

static const Slice *layer_paths(Txn *txn, const FunctionVersion *version)
{
    Slice *paths = ARENA_ARRAY(txn_arena(txn), Slice, version->layer_count);
    for (size_t i = 0; i < version->layer_count; i++)
        paths[i] = package_code_path(txn, version->layers[i].code);
    return paths;
}

static Slice name_for_workers(Arena *arena, Slice account, Slice region, Slice name)
{
    return arena_format(arena, "%.*s/%.*s/%.*s", SLICE_PRINT(account), SLICE_PRINT(region), SLICE_PRINT(name));
}

/* The number keeps a function apart from an earlier one of its name. */
Slice function_worker_lines(Txn *txn, const Function *function)
{
    Slice name = name_for_workers(txn_arena(txn), function->account, function->region, function->name);
    return arena_format(txn_arena(txn), "%.*s/%ju/", SLICE_PRINT(name), (uintmax_t)function->number);
}

WorkerSpec function_worker_spec(Txn *txn, const Function *function, const FunctionVersion *version, Slice tenant_id)
{
    Arena *arena = txn_arena(txn);
    Slice name = name_for_workers(arena, version->account, version->region, version->name);
    Slice line = arena_format(arena, "%.*s%.*s", SLICE_PRINT(function_worker_lines(txn, function)),
                              SLICE_PRINT(version->version));
    /* The change keeps it apart from what it was before. A tag is no change of a version, but workers of another network
     * are others. */
    static const char network_letters[] = {[NETWORK_DEFAULT] = 'd', [NETWORK_HOST] = 'h', [NETWORK_ISOLATED] = 'i'};
    NetworkMode network = network_of(function);
    return (WorkerSpec){
        .key = arena_format(arena, "%.*s/%ju/%c/%.*s", SLICE_PRINT(line), (uintmax_t)version->change,
                            network_letters[network], SLICE_PRINT(tenant_id)),
        .line = line,
        .function = name,
        .account = version->account,
        .region = version->region,
        .name = version->name,
        .version = version->version,
        .role_arn = version->role_arn,
        .runtime = version->runtime,
        .handler = version->handler,
        .code_directory = package_code_path(txn, version->code),
        .layer_directories = layer_paths(txn, version),
        .layer_count = version->layer_count,
        .environment = variables_of(arena, &version->environment),
        .environment_count = version->environment.count,
        .log_group = version->log_group,
        .log_format = version->log_format,
        .application_log_level = version->application_log_level,
        .system_log_level = version->system_log_level,
        .memory_mb = version->memory_mb,
        .timeout_ms = version->timeout_s * 1000,
        .tmp_mb = version->tmp_mb,
        .network = network,
        .snap_start = version->snap_start && !slice_equal(version->version, FUNCTION_LATEST),
    };
}

static Error find_ready(Txn *txn, const Function *function, Slice qualifier, uint64_t pick, Slice tenant_id,
                        FunctionVersion *version)
{
    TRY(find_version(txn, function, qualifier, pick, version));
    TRY(check_ready(version));
    return check_tenant(version, tenant_id);
}

Error function_check_target(Txn *txn, Slice account, Slice region, Slice name, Slice qualifier, Slice tenant_id,
                            Function *function)
{
    FunctionVersion version;
    TRY(function_open(txn, account, region, name, function));
    return find_ready(txn, function, qualifier, 0, tenant_id, &version);
}

Error function_target(Txn *txn, const Limits *limits, Slice account, Slice region, Slice name, Slice qualifier,
                      uint64_t pick, Slice tenant_id, FunctionTarget *target)
{
    FunctionUsage usage;
    *target = (FunctionTarget){0};
    TRY(function_open(txn, account, region, name, &target->function));
    TRY(find_ready(txn, &target->function, qualifier, pick, tenant_id, &target->version));
    TRY(function_usage(txn, account, region, &usage));
    uint64_t all = limits->value[LIMIT_LAMBDA_CONCURRENT_EXECUTIONS];
    target->spec = function_worker_spec(txn, &target->function, &target->version, tenant_id);
    target->reserved = target->function.has_reserved ? target->function.reserved : UINT64_MAX;
    target->unreserved = all > usage.reserved ? all - usage.reserved : 0;
    return OK;
}

#include "aws/lambda/dialect.h"

#include "aws/wire/codec.h"

/* CreateAlias, GetAlias, ListAliases, UpdateAlias, DeleteAlias. */

/* Slices of core live as long as the transaction. */
static Slice keep(Call *call, Slice slice)
{
    return arena_copy(call->arena, slice);
}

static LambdaAliasConfiguration alias_of(Call *call, const LambdaName *name, const FunctionAlias *alias)
{
    LambdaAliasConfiguration out = {
        .alias_arn = function_arn(call->arena, name->account, name->region, name->name, alias->name),
        .name = keep(call, alias->name),
        .function_version = keep(call, alias->version),
        .description = keep(call, alias->description),
        .revision_id = keep(call, alias->revision_id),
    };
    if (alias->route_version.data == NULL)
        return out;
    LambdaAdditionalVersionWeightsEntry *entry = ARENA_NEW(call->arena, LambdaAdditionalVersionWeightsEntry);
    *entry = (LambdaAdditionalVersionWeightsEntry){keep(call, alias->route_version), alias->route_weight};
    out.routing_config = ARENA_NEW(call->arena, LambdaAliasRoutingConfiguration);
    out.routing_config->additional_version_weights = (LambdaAdditionalVersionWeights){entry, 1};
    return out;
}

static Error refuse_weight(Call *call, const LambdaAdditionalVersionWeightsEntry *entry)
{
    Buffer weight = buffer_make(call->arena);
    wire_add_double(&weight, entry->value);
    return call_fail(
        call, &common_validation,
        "1 validation error detected: Value '{%.*s=%.*s}' at 'routingConfig.additionalVersionWeights' "
        "failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than "
        "or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
        SLICE_PRINT(entry->key), SLICE_PRINT(buffer_slice(&weight)));
}

/* Lambda developer guide, "Implement Lambda canary deployments using a weighted alias": two published versions, whichever
 * of them is the new one. */
static Error check_routes(Call *call, const FunctionAlias *alias)
{
    Slice route = alias->route_version;
    if (route.data == NULL)
        return OK;
    if (slice_equal(alias->version, SLICE("$LATEST")))
        return lambda_invalid(call, "$LATEST is not supported for an alias pointing to more than 1 version");
    if (slice_equal(alias->version, route))
        return lambda_invalid(call,
                              "Invalid function version %.*s. Function version %.*s is already included in routing "
                              "configuration.",
                              SLICE_PRINT(route), SLICE_PRINT(route));
    return OK;
}

static Error apply_routing(Call *call, const LambdaAliasRoutingConfiguration *routing, FunctionAlias *alias)
{
    const LambdaAdditionalVersionWeights *weights = &routing->additional_version_weights;
    alias->route_version = (Slice){0};
    alias->route_weight = 0;
    if (weights->count == 0)
        return OK;
    if (weights->count > FUNCTION_ROUTES_MAX)
        return lambda_invalid(call, "Number of items in AdditionalVersionWeights cannot be greater than 1");
    const LambdaAdditionalVersionWeightsEntry *entry = &weights->items[0];
    if (!(entry->value >= 0 && entry->value <= 1))
        return refuse_weight(call, entry);
    alias->route_version = entry->key;
    alias->route_weight = entry->value;
    return OK;
}

/* A refusal of core about an alias: of its versions it tells the first that is not there. */
static Error refuse_alias(Call *call, Txn *txn, const LambdaName *name, const Function *function,
                          const FunctionAlias *alias, Error error)
{
    FunctionVersion version;
    if (error == FUNCTION_ALIAS_EXISTS)
        return lambda_conflict(call, "Alias already exists: %.*s", SLICE_PRINT(alias_of(call, name, alias).alias_arn));
    if (error != FUNCTION_VERSION_NOT_FOUND)
        return error;
    LambdaName missing = *name;
    missing.qualifier = function_version_get(txn, function, alias->version, &version) == FUNCTION_VERSION_NOT_FOUND
                            ? alias->version
                            : alias->route_version;
    return lambda_refuse(call, &missing, error);
}

static Error open_for_aliases(Call *call, Txn *txn, Slice text, LambdaName *name, Function *function)
{
    return lambda_open(call, txn, text, (Slice){0}, name, function);
}

Error lambda_create_alias(Call *call, Txn *txn, const CreateAliasInput *in, CreateAliasOutput *out)
{
    LambdaName name;
    Function function;
    FunctionAlias alias = {
        .name = in->name,
        .version = in->function_version,
        .description = in->description.data == NULL ? SLICE("") : in->description,
    };
    TRY(open_for_aliases(call, txn, in->function_name, &name, &function));
    if (in->routing_config != NULL)
        TRY(apply_routing(call, in->routing_config, &alias));
    TRY(check_routes(call, &alias));
    Error error = function_alias_create(txn, &function, &alias);
    TRY(refuse_alias(call, txn, &name, &function, &alias, error));
    *out = alias_of(call, &name, &alias);
    return OK;
}

Error lambda_get_alias(Call *call, Txn *txn, const GetAliasInput *in, GetAliasOutput *out)
{
    LambdaName name;
    Function function;
    FunctionAlias alias;
    TRY(open_for_aliases(call, txn, in->function_name, &name, &function));
    Error error = function_alias_get(txn, &function, in->name, &alias);
    if (error == FUNCTION_ALIAS_NOT_FOUND)
        return lambda_not_found(call, "Cannot find alias arn: %.*s",
                                SLICE_PRINT(function_arn(call->arena, name.account, name.region, name.name, in->name)));
    TRY(error);
    *out = alias_of(call, &name, &alias);
    return OK;
}

Error lambda_list_aliases(Call *call, Txn *txn, const ListAliasesInput *in, ListAliasesOutput *out)
{
    LambdaName name;
    Function function;
    FunctionPage page;
    FunctionAlias *aliases;
    size_t count;
    TRY(lambda_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(open_for_aliases(call, txn, in->function_name, &name, &function));
    TRY(function_alias_list(txn, &function, in->function_version, &page, &aliases, &count));
    out->aliases = (LambdaAliasList){ARENA_ARRAY(call->arena, LambdaAliasConfiguration, count + 1), count};
    for (size_t i = 0; i < count; i++)
        out->aliases.items[i] = alias_of(call, &name, &aliases[i]);
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}

Error lambda_update_alias(Call *call, Txn *txn, const UpdateAliasInput *in, UpdateAliasOutput *out)
{
    LambdaName name;
    Function function;
    FunctionAlias alias;
    TRY(open_for_aliases(call, txn, in->function_name, &name, &function));
    Error error = function_alias_get(txn, &function, in->name, &alias);
    if (error == FUNCTION_ALIAS_NOT_FOUND)
        return lambda_not_found(call, "Alias not found: %.*s",
                                SLICE_PRINT(function_arn(call->arena, name.account, name.region, name.name, in->name)));
    TRY(error);
    TRY(lambda_check_revision(call, in->revision_id, alias.revision_id, "GetFunction/GetAlias"));
    if (in->function_version.data != NULL)
        alias.version = in->function_version;
    if (in->description.data != NULL)
        alias.description = in->description;
    if (in->routing_config != NULL)
        TRY(apply_routing(call, in->routing_config, &alias));
    TRY(check_routes(call, &alias));
    error = function_alias_put(txn, &function, &alias);
    TRY(refuse_alias(call, txn, &name, &function, &alias, error));
    *out = alias_of(call, &name, &alias);
    return OK;
}

Error lambda_delete_alias(Call *call, Txn *txn, const DeleteAliasInput *in, DeleteAliasOutput *out)
{
    (void)out;
    LambdaName name;
    Function function;
    bool found;
    TRY(open_for_aliases(call, txn, in->function_name, &name, &function));
    return function_alias_delete(txn, &function, in->name, &found);
}

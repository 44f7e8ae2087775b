#include "aws/lambda/layers.h"
#include "aws/lambda/policy.h"

/* AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy. */

/* GetLayerVersionPolicy, as Lambda calls it in its own texts. */
static const char policy_reader[] = "GetLayerPolicy";

static Error open_version(Call *call, Txn *txn, Slice text, int64_t number, LayerVersion *layer, Slice *arn)
{
    LayerName name;
    TRY(lambda_check_layer_version(call, number));
    TRY(lambda_read_own_layer(call, text, &name));
    Error error = layer_get(txn, name.account, name.region, name.name, (uint64_t)number, layer);
    *arn = layer_version_arn(call->arena, layer);
    if (error == LAYER_NOT_FOUND)
        return lambda_not_found(call, "Layer version %.*s does not exist.", SLICE_PRINT(*arn));
    return error;
}

Error lambda_add_layer_version_permission(Call *call, Txn *txn, const AddLayerVersionPermissionInput *in,
                                          AddLayerVersionPermissionOutput *out)
{
    Slice arn;
    LayerVersion layer;
    Permissions permissions;
    Permission permission = {.id = in->statement_id, .action = in->action, .organization = in->organization_id};
    TRY(open_version(call, txn, in->layer_name, in->version_number, &layer, &arn));
    TRY(lambda_read_principal(call, in->principal, &permission));
    TRY(layer_policy_get(txn, &layer, &permissions));
    TRY(lambda_check_revision(call, in->revision_id, permissions.revision_id, policy_reader));
    TRY(lambda_add_statement(call, &permissions, &permission, arn));
    layer_policy_put(txn, &layer, &permissions);
    out->statement = lambda_statement(call->arena, &permission, arn);
    out->revision_id = permissions.revision_id;
    return OK;
}

Error lambda_remove_layer_version_permission(Call *call, Txn *txn, const RemoveLayerVersionPermissionInput *in,
                                             RemoveLayerVersionPermissionOutput *out)
{
    (void)out;
    Slice arn;
    LayerVersion layer;
    Permissions permissions;
    TRY(open_version(call, txn, in->layer_name, in->version_number, &layer, &arn));
    TRY(layer_policy_get(txn, &layer, &permissions));
    TRY(lambda_check_revision(call, in->revision_id, permissions.revision_id, policy_reader));
    TRY(lambda_remove_statement(call, &permissions, in->statement_id));
    layer_policy_put(txn, &layer, &permissions);
    return OK;
}

Error lambda_get_layer_version_policy(Call *call, Txn *txn, const GetLayerVersionPolicyInput *in,
                                      GetLayerVersionPolicyOutput *out)
{
    Slice arn;
    LayerVersion layer;
    Permissions permissions;
    TRY(open_version(call, txn, in->layer_name, in->version_number, &layer, &arn));
    TRY(layer_policy_get(txn, &layer, &permissions));
    if (permissions.count == 0)
        return lambda_not_found(call, "No policy is associated with the given resource.");
    out->policy = lambda_policy_document(call->arena, &permissions, arn);
    out->revision_id = permissions.revision_id;
    return OK;
}

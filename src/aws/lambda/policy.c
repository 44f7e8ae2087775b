#include "aws/lambda/policy.h"

/* AddPermission, RemovePermission, GetPolicy. */

/* What a policy hangs on. */
typedef struct Target {
    LambdaName name;
    Slice qualifier; /* empty: the function itself */
    Function function;
    Permissions permissions;
    Slice revision_id; /* of the policy; without one, of what it would be of */
} Target;

/* Opens the version or alias, and its policy. */
static Error open_target(Call *call, Txn *txn, Slice text, Slice qualifier, Target *target)
{
    FunctionVersion version;
    FunctionAlias alias;
    const LambdaName *name = &target->name;
    TRY(lambda_find(call, txn, text, qualifier, &target->name, &target->function));
    if (slice_equal(name->qualifier, SLICE("$LATEST")))
        return lambda_invalid(call, "We currently do not support adding policies for $LATEST.");
    target->qualifier = name->qualifier.data == NULL ? SLICE("") : name->qualifier;
    Slice wanted = name->qualifier.data == NULL ? SLICE("$LATEST") : name->qualifier;
    Error error = function_version_get(txn, &target->function, wanted, &version);
    target->revision_id = version.revision_id;
    if (error == FUNCTION_VERSION_NOT_FOUND) {
        error = function_alias_get(txn, &target->function, wanted, &alias);
        target->revision_id = alias.revision_id;
    }
    TRY(error);
    TRY(function_policy_get(txn, &target->function, target->qualifier, &target->permissions));
    if (target->permissions.count > 0)
        target->revision_id = target->permissions.revision_id;
    return OK;
}

Error lambda_add_permission(Call *call, Txn *txn, const AddPermissionInput *in, AddPermissionOutput *out)
{
    Target target = {0};
    Permission permission = {
        .id = in->statement_id,
        .action = in->action,
        .source_arn = in->source_arn,
        .source_account = in->source_account,
        .organization = in->principal_org_id,
        .source_token = in->event_source_token,
        .url_auth = in->function_url_auth_type,
        .has_via_url = in->has_invoked_via_function_url,
        .via_url = in->invoked_via_function_url,
    };
    Error error = open_target(call, txn, in->function_name, in->qualifier, &target);
    TRY(lambda_refuse_qualified(call, &target.name, error));
    TRY(lambda_read_principal(call, in->principal, &permission));
    if (permission.url_auth.data != NULL && !slice_equal(in->action, SLICE("lambda:InvokeFunctionUrl")))
        return lambda_invalid(call, "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
    TRY(lambda_check_revision(call, in->revision_id, target.revision_id, "GetPolicy"));
    Slice arn = lambda_arn_of(call, &target.name);
    TRY(lambda_add_statement(call, &target.permissions, &permission, arn));
    function_policy_put(txn, &target.function, target.qualifier, &target.permissions);
    out->statement = lambda_statement(call->arena, &permission, arn);
    return OK;
}

Error lambda_remove_permission(Call *call, Txn *txn, const RemovePermissionInput *in, RemovePermissionOutput *out)
{
    (void)out;
    Target target = {0};
    Error error = open_target(call, txn, in->function_name, in->qualifier, &target);
    if (error == FUNCTION_NOT_FOUND)
        return lambda_not_found(call, "No policy found for: %.*s", SLICE_PRINT(lambda_arn_of(call, &target.name)));
    TRY(lambda_refuse_qualified(call, &target.name, error));
    TRY(lambda_check_revision(call, in->revision_id, target.revision_id, "GetPolicy"));
    TRY(lambda_remove_statement(call, &target.permissions, in->statement_id));
    function_policy_put(txn, &target.function, target.qualifier, &target.permissions);
    return OK;
}

Error lambda_get_policy(Call *call, Txn *txn, const GetPolicyInput *in, GetPolicyOutput *out)
{
    Target target = {0};
    Error error = open_target(call, txn, in->function_name, in->qualifier, &target);
    bool missing =
        error == FUNCTION_NOT_FOUND || error == FUNCTION_ALIAS_NOT_FOUND || error == FUNCTION_VERSION_NOT_FOUND;
    if (missing || (error == OK && target.permissions.count == 0))
        return lambda_not_found(call, "The resource you requested does not exist.");
    TRY(error);
    out->policy = lambda_policy_document(call->arena, &target.permissions, lambda_arn_of(call, &target.name));
    out->revision_id = target.permissions.revision_id;
    return OK;
}

#include "aws/iam/dialect.h"

/* Managed policies attached to roles, users and groups; permissions boundaries. */

static Error attach(Call *call, Txn *txn, IdentityKind kind, Slice name, Slice policy_arn)
{
    static const char *const quotas[] = {
        ['r'] = "PoliciesPerRole", ['u'] = "PoliciesPerUser", ['g'] = "PoliciesPerGroup"};
    Identity identity;
    TRY(iam_open_to_change(call, txn, kind, name, &identity));
    TRY(iam_check_attachable(call, txn, policy_arn));
    Error error = attachment_put(txn, &identity, policy_arn);
    if (error != ATTACHMENT_LIMIT)
        return error;
    return call_fail(call, &iam_error_limit_exceeded_exception, "Cannot exceed quota for %s: %ju", quotas[kind],
                     (uintmax_t)call->limits->value[LIMIT_IAM_ATTACHED_POLICIES]);
}

static Error detach(Call *call, Txn *txn, IdentityKind kind, Slice name, Slice policy_arn)
{
    Identity identity;
    TRY(iam_open_to_change(call, txn, kind, name, &identity));
    Error error = attachment_delete(txn, &identity, policy_arn);
    if (error == ATTACHMENT_NOT_FOUND)
        return iam_no_such_entity(call, "Policy %.*s was not found.", SLICE_PRINT(policy_arn));
    return error;
}

/* What a list of attached policies is asked by. */
typedef struct Asked {
    IdentityKind kind;
    Slice name;
    Slice path_prefix;
} Asked;

static Error list_attached(Call *call, Txn *txn, const Asked *asked, IdentityPage *page, IamAttachedPoliciesList *list)
{
    Identity identity;
    Slice *arns;
    TRY(iam_open(call, txn, asked->kind, asked->name, &identity));
    TRY(attachment_list(txn, &identity, asked->path_prefix, page, &arns, &list->count));
    list->items = ARENA_ARRAY(call->arena, IamAttachedPolicy, list->count);
    for (size_t i = 0; i < list->count; i++) {
        Slice arn = iam_keep(call, arns[i]);
        list->items[i] = (IamAttachedPolicy){.policy_name = iam_name_of_arn(arn), .policy_arn = arn};
    }
    return OK;
}

/* ---- Roles ---- */

Error iam_attach_role_policy(Call *call, Txn *txn, const AttachRolePolicyInput *in, AttachRolePolicyOutput *out)
{
    (void)out;
    return attach(call, txn, IDENTITY_ROLE, in->role_name, in->policy_arn);
}

Error iam_detach_role_policy(Call *call, Txn *txn, const DetachRolePolicyInput *in, DetachRolePolicyOutput *out)
{
    (void)out;
    return detach(call, txn, IDENTITY_ROLE, in->role_name, in->policy_arn);
}

Error iam_list_attached_role_policies(Call *call, Txn *txn, const ListAttachedRolePoliciesInput *in,
                                      ListAttachedRolePoliciesOutput *out)
{
    IdentityPage page;
    Asked asked = {IDENTITY_ROLE, in->role_name, in->path_prefix};
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(list_attached(call, txn, &asked, &page, &out->attached_policies));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

/* ---- Users ---- */

Error iam_attach_user_policy(Call *call, Txn *txn, const AttachUserPolicyInput *in, AttachUserPolicyOutput *out)
{
    (void)out;
    return attach(call, txn, IDENTITY_USER, in->user_name, in->policy_arn);
}

Error iam_detach_user_policy(Call *call, Txn *txn, const DetachUserPolicyInput *in, DetachUserPolicyOutput *out)
{
    (void)out;
    return detach(call, txn, IDENTITY_USER, in->user_name, in->policy_arn);
}

Error iam_list_attached_user_policies(Call *call, Txn *txn, const ListAttachedUserPoliciesInput *in,
                                      ListAttachedUserPoliciesOutput *out)
{
    IdentityPage page;
    Asked asked = {IDENTITY_USER, in->user_name, in->path_prefix};
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(list_attached(call, txn, &asked, &page, &out->attached_policies));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

/* ---- Groups ---- */

Error iam_attach_group_policy(Call *call, Txn *txn, const AttachGroupPolicyInput *in, AttachGroupPolicyOutput *out)
{
    (void)out;
    return attach(call, txn, IDENTITY_GROUP, in->group_name, in->policy_arn);
}

Error iam_detach_group_policy(Call *call, Txn *txn, const DetachGroupPolicyInput *in, DetachGroupPolicyOutput *out)
{
    (void)out;
    return detach(call, txn, IDENTITY_GROUP, in->group_name, in->policy_arn);
}

Error iam_list_attached_group_policies(Call *call, Txn *txn, const ListAttachedGroupPoliciesInput *in,
                                       ListAttachedGroupPoliciesOutput *out)
{
    IdentityPage page;
    Asked asked = {IDENTITY_GROUP, in->group_name, in->path_prefix};
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(list_attached(call, txn, &asked, &page, &out->attached_policies));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

/* ---- Permissions boundaries ---- */

/* An absent ARN takes the boundary away. */
static Error set_boundary(Call *call, Txn *txn, IdentityKind kind, Slice name, Slice policy_arn)
{
    Identity identity;
    TRY(iam_open_to_change(call, txn, kind, name, &identity));
    if (policy_arn.data != NULL)
        TRY(iam_check_attachable(call, txn, policy_arn));
    identity.boundary = policy_arn;
    return identity_put(txn, &identity);
}

Error iam_put_role_permissions_boundary(Call *call, Txn *txn, const PutRolePermissionsBoundaryInput *in,
                                        PutRolePermissionsBoundaryOutput *out)
{
    (void)out;
    return set_boundary(call, txn, IDENTITY_ROLE, in->role_name, in->permissions_boundary);
}

Error iam_delete_role_permissions_boundary(Call *call, Txn *txn, const DeleteRolePermissionsBoundaryInput *in,
                                           DeleteRolePermissionsBoundaryOutput *out)
{
    (void)out;
    return set_boundary(call, txn, IDENTITY_ROLE, in->role_name, (Slice){0});
}

Error iam_put_user_permissions_boundary(Call *call, Txn *txn, const PutUserPermissionsBoundaryInput *in,
                                        PutUserPermissionsBoundaryOutput *out)
{
    (void)out;
    return set_boundary(call, txn, IDENTITY_USER, in->user_name, in->permissions_boundary);
}

Error iam_delete_user_permissions_boundary(Call *call, Txn *txn, const DeleteUserPermissionsBoundaryInput *in,
                                           DeleteUserPermissionsBoundaryOutput *out)
{
    (void)out;
    return set_boundary(call, txn, IDENTITY_USER, in->user_name, (Slice){0});
}

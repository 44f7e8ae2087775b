#include "aws/iam/dialect.h"

/* CreateRole, GetRole, ListRoles, DeleteRole, UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy; a role's tags. */

enum { SESSION_MAX_S = 3600 }; /* IAM API reference, CreateRole: MaxSessionDuration when absent */

static Error check_trust(Call *call, Slice document)
{
    TRY(iam_check_document(call, POLICY_OF_TRUST, document));
    return iam_check_document_size(call, document, call->limits->value[LIMIT_IAM_TRUST_CHARACTERS], "ACLSizePerRole",
                                   (Slice){0});
}

Error iam_create_role(Call *call, Txn *txn, const CreateRoleInput *in, CreateRoleOutput *out)
{
    Identity role = {
        .kind = IDENTITY_ROLE,
        .account = call->actor.account,
        .name = in->role_name,
        .trust = in->assume_role_policy_document,
        .description = in->description,
        .boundary = in->permissions_boundary,
        .session_max_s = in->has_max_session_duration ? (uint64_t)in->max_session_duration : SESSION_MAX_S,
    };
    if (in->has_max_signin_session_duration)
        return iam_not_implemented(call, "MaxSigninSessionDuration");
    TRY(iam_read_path(call, in->path, &role.path));
    if (slice_starts_with(role.path, SLICE("/aws-service-role/")))
        return call_fail(call, &iam_error_invalid_input_exception,
                         "Roles of the path /aws-service-role/ are made by CreateServiceLinkedRole.");
    TRY(iam_check_text(call, "description", role.description));
    TRY(check_trust(call, role.trust));
    TRY(iam_read_tags(call, &in->tags, &role.labels));
    if (role.boundary.data != NULL)
        TRY(iam_check_attachable(call, txn, role.boundary));
    TRY(iam_create(call, txn, &role));
    out->role = ARENA_NEW(call->arena, IamRole);
    *out->role = iam_role_of(call, &role, IAM_CREATED);
    return OK;
}

Error iam_get_role(Call *call, Txn *txn, const GetRoleInput *in, GetRoleOutput *out)
{
    Identity role;
    TRY(iam_open(call, txn, IDENTITY_ROLE, in->role_name, &role));
    out->role = ARENA_NEW(call->arena, IamRole);
    *out->role = iam_role_of(call, &role, IAM_FULL);
    return OK;
}

Error iam_list_roles(Call *call, Txn *txn, const ListRolesInput *in, ListRolesOutput *out)
{
    IdentityPage page;
    Identity *roles;
    size_t count;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(identity_list(txn, call->actor.account, IDENTITY_ROLE, in->path_prefix, &page, &roles, &count));
    out->roles = (IamRoleList){ARENA_ARRAY(call->arena, IamRole, count), count};
    for (size_t i = 0; i < count; i++)
        out->roles.items[i] = iam_role_of(call, &roles[i], IAM_LISTED);
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_delete_role(Call *call, Txn *txn, const DeleteRoleInput *in, DeleteRoleOutput *out)
{
    (void)out;
    Identity role;
    TRY(iam_open_to_change(call, txn, IDENTITY_ROLE, in->role_name, &role));
    Error error = identity_delete(txn, &role);
    if (error == IDENTITY_HAS_MEMBERS)
        return call_fail(call, &iam_error_delete_conflict_exception,
                         "Cannot delete entity, must remove roles from instance profile first.");
    return error;
}

Error iam_update_role(Call *call, Txn *txn, const UpdateRoleInput *in, UpdateRoleOutput *out)
{
    (void)out;
    Identity role;
    if (in->has_max_signin_session_duration || in->has_reset_max_signin_session_duration)
        return iam_not_implemented(call, "MaxSigninSessionDuration");
    TRY(iam_open_to_change(call, txn, IDENTITY_ROLE, in->role_name, &role));
    TRY(iam_check_text(call, "description", in->description));
    if (in->description.data != NULL)
        role.description = in->description;
    if (in->has_max_session_duration)
        role.session_max_s = (uint64_t)in->max_session_duration;
    return identity_put(txn, &role);
}

Error iam_update_role_description(Call *call, Txn *txn, const UpdateRoleDescriptionInput *in,
                                  UpdateRoleDescriptionOutput *out)
{
    Identity role;
    TRY(iam_open_to_change(call, txn, IDENTITY_ROLE, in->role_name, &role));
    TRY(iam_check_text(call, "description", in->description));
    role.description = in->description;
    TRY(identity_put(txn, &role));
    out->role = ARENA_NEW(call->arena, IamRole);
    *out->role = iam_role_of(call, &role, IAM_FULL);
    return OK;
}

Error iam_update_assume_role_policy(Call *call, Txn *txn, const UpdateAssumeRolePolicyInput *in,
                                    UpdateAssumeRolePolicyOutput *out)
{
    (void)out;
    Identity role;
    TRY(iam_open_to_change(call, txn, IDENTITY_ROLE, in->role_name, &role));
    TRY(check_trust(call, in->policy_document));
    role.trust = in->policy_document;
    return identity_put(txn, &role);
}

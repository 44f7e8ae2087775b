#include "aws/iam/dialect.h"

/* Inline policies of roles, users and groups. */

static Error put(Call *call, Txn *txn, const Identity *named, Slice name, Slice document)
{
    Identity identity;
    TRY(iam_open_to_change(call, txn, named->kind, named->name, &identity));
    TRY(iam_check_document(call, POLICY_OF_PERMISSIONS, document));
    Error error = inline_put(txn, &identity, name, document);
    if (error != INLINE_LIMIT)
        return error;
    LimitName limit = named->kind == IDENTITY_ROLE   ? LIMIT_IAM_ROLE_INLINE_CHARACTERS
                      : named->kind == IDENTITY_USER ? LIMIT_IAM_USER_INLINE_CHARACTERS
                                                     : LIMIT_IAM_GROUP_INLINE_CHARACTERS;
    return call_fail(call, &iam_error_limit_exceeded_exception, "Maximum policy size of %ju bytes exceeded for %s %.*s",
                     (uintmax_t)call->limits->value[limit],
                     named->kind == IDENTITY_ROLE   ? "role"
                     : named->kind == IDENTITY_USER ? "user"
                                                    : "group",
                     SLICE_PRINT(named->name));
}

static Error not_found(Call *call, IdentityKind kind, Slice name)
{
    return iam_no_such_entity(call, "The %s policy with name %.*s cannot be found.",
                              kind == IDENTITY_ROLE   ? "role"
                              : kind == IDENTITY_USER ? "user"
                                                      : "group",
                              SLICE_PRINT(name));
}

/* `document` is percent-encoded, as answers have it. */
static Error get(Call *call, Txn *txn, const Identity *named, Slice name, Slice *document)
{
    Identity identity;
    TRY(iam_open(call, txn, named->kind, named->name, &identity));
    Error error = inline_get(txn, &identity, name, document);
    if (error == INLINE_NOT_FOUND)
        return not_found(call, named->kind, name);
    if (error == OK)
        *document = iam_keep_document(call, *document);
    return error;
}

static Error drop(Call *call, Txn *txn, const Identity *named, Slice name)
{
    Identity identity;
    TRY(iam_open_to_change(call, txn, named->kind, named->name, &identity));
    Error error = inline_delete(txn, &identity, name);
    return error == INLINE_NOT_FOUND ? not_found(call, named->kind, name) : error;
}

static Error list(Call *call, Txn *txn, const Identity *named, IdentityPage *page, IamPolicyNameList *names)
{
    Identity identity;
    TRY(iam_open(call, txn, named->kind, named->name, &identity));
    Slice *found;
    TRY(inline_list(txn, &identity, page, &found, &names->count));
    names->items = ARENA_ARRAY(call->arena, Slice, names->count);
    for (size_t i = 0; i < names->count; i++)
        names->items[i] = iam_keep(call, found[i]);
    return OK;
}

/* ---- Roles ---- */

Error iam_put_role_policy(Call *call, Txn *txn, const PutRolePolicyInput *in, PutRolePolicyOutput *out)
{
    (void)out;
    return put(call, txn, &(Identity){.kind = IDENTITY_ROLE, .name = in->role_name}, in->policy_name,
               in->policy_document);
}

Error iam_get_role_policy(Call *call, Txn *txn, const GetRolePolicyInput *in, GetRolePolicyOutput *out)
{
    out->role_name = in->role_name;
    out->policy_name = in->policy_name;
    return get(call, txn, &(Identity){.kind = IDENTITY_ROLE, .name = in->role_name}, in->policy_name,
               &out->policy_document);
}

Error iam_delete_role_policy(Call *call, Txn *txn, const DeleteRolePolicyInput *in, DeleteRolePolicyOutput *out)
{
    (void)out;
    return drop(call, txn, &(Identity){.kind = IDENTITY_ROLE, .name = in->role_name}, in->policy_name);
}

Error iam_list_role_policies(Call *call, Txn *txn, const ListRolePoliciesInput *in, ListRolePoliciesOutput *out)
{
    IdentityPage page;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(list(call, txn, &(Identity){.kind = IDENTITY_ROLE, .name = in->role_name}, &page, &out->policy_names));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

/* ---- Users ---- */

Error iam_put_user_policy(Call *call, Txn *txn, const PutUserPolicyInput *in, PutUserPolicyOutput *out)
{
    (void)out;
    return put(call, txn, &(Identity){.kind = IDENTITY_USER, .name = in->user_name}, in->policy_name,
               in->policy_document);
}

Error iam_get_user_policy(Call *call, Txn *txn, const GetUserPolicyInput *in, GetUserPolicyOutput *out)
{
    out->user_name = in->user_name;
    out->policy_name = in->policy_name;
    return get(call, txn, &(Identity){.kind = IDENTITY_USER, .name = in->user_name}, in->policy_name,
               &out->policy_document);
}

Error iam_delete_user_policy(Call *call, Txn *txn, const DeleteUserPolicyInput *in, DeleteUserPolicyOutput *out)
{
    (void)out;
    return drop(call, txn, &(Identity){.kind = IDENTITY_USER, .name = in->user_name}, in->policy_name);
}

Error iam_list_user_policies(Call *call, Txn *txn, const ListUserPoliciesInput *in, ListUserPoliciesOutput *out)
{
    IdentityPage page;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(list(call, txn, &(Identity){.kind = IDENTITY_USER, .name = in->user_name}, &page, &out->policy_names));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

/* ---- Groups ---- */

Error iam_put_group_policy(Call *call, Txn *txn, const PutGroupPolicyInput *in, PutGroupPolicyOutput *out)
{
    (void)out;
    return put(call, txn, &(Identity){.kind = IDENTITY_GROUP, .name = in->group_name}, in->policy_name,
               in->policy_document);
}

Error iam_get_group_policy(Call *call, Txn *txn, const GetGroupPolicyInput *in, GetGroupPolicyOutput *out)
{
    out->group_name = in->group_name;
    out->policy_name = in->policy_name;
    return get(call, txn, &(Identity){.kind = IDENTITY_GROUP, .name = in->group_name}, in->policy_name,
               &out->policy_document);
}

Error iam_delete_group_policy(Call *call, Txn *txn, const DeleteGroupPolicyInput *in, DeleteGroupPolicyOutput *out)
{
    (void)out;
    return drop(call, txn, &(Identity){.kind = IDENTITY_GROUP, .name = in->group_name}, in->policy_name);
}

Error iam_list_group_policies(Call *call, Txn *txn, const ListGroupPoliciesInput *in, ListGroupPoliciesOutput *out)
{
    IdentityPage page;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(list(call, txn, &(Identity){.kind = IDENTITY_GROUP, .name = in->group_name}, &page, &out->policy_names));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

#include "aws/iam/dialect.h"

/* Customer managed policies: CreatePolicy, GetPolicy, ListPolicies, DeletePolicy, ListEntitiesForPolicy. */

static Error fill_policy(Call *call, Txn *txn, const ManagedPolicy *policy, bool full, IamPolicy *out)
{
    size_t attached;
    size_t boundary;
    Slice arn = managed_policy_arn(call->arena, policy);
    TRY(policy_users_count(txn, call->actor.account, arn, POLICY_ATTACHED, &attached));
    TRY(policy_users_count(txn, call->actor.account, arn, POLICY_BOUNDARY, &boundary));
    *out = (IamPolicy){
        .policy_name = iam_keep(call, policy->name),
        .policy_id = iam_keep(call, policy->id),
        .arn = arn,
        .path = iam_keep(call, policy->path),
        .default_version_id = arena_format(call->arena, "v%ju", (uintmax_t)policy->default_version),
        .attachment_count = (int32_t)attached,
        .has_attachment_count = true,
        .permissions_boundary_usage_count = (int32_t)boundary,
        .has_permissions_boundary_usage_count = true,
        .is_attachable = true,
        .has_is_attachable = true,
        .create_date = (int64_t)policy->created_ms,
        .has_create_date = true,
        .update_date = (int64_t)policy->updated_ms,
        .has_update_date = true,
    };
    if (!full)
        return OK;
    out->description = iam_keep(call, policy->description);
    out->tags = iam_tags_of(call, &policy->labels);
    return OK;
}

Error iam_create_policy(Call *call, Txn *txn, const CreatePolicyInput *in, CreatePolicyOutput *out)
{
    ManagedPolicy policy = {
        .account = call->actor.account,
        .name = in->policy_name,
        .description = in->description,
    };
    TRY(iam_read_path(call, in->path, &policy.path));
    TRY(iam_check_text(call, "description", in->description));
    TRY(iam_check_document(call, POLICY_OF_PERMISSIONS, in->policy_document));
    TRY(iam_check_document_size(call, in->policy_document, call->limits->value[LIMIT_IAM_POLICY_CHARACTERS],
                                "PolicySize", (Slice){0}));
    TRY(iam_read_tags(call, &in->tags, &policy.labels));
    Error error = managed_policy_create(txn, in->policy_document, &policy);
    if (error == MANAGED_POLICY_EXISTS)
        return call_fail(call, &iam_error_entity_already_exists_exception,
                         "A policy called %.*s already exists. Duplicate names are not allowed.",
                         SLICE_PRINT(in->policy_name));
    if (error != OK)
        return error;
    out->policy = ARENA_NEW(call->arena, IamPolicy);
    TRY(fill_policy(call, txn, &policy, false, out->policy));
    if (policy.labels.count > 0)
        out->policy->tags = iam_tags_of(call, &policy.labels);
    return OK;
}

Error iam_get_policy(Call *call, Txn *txn, const GetPolicyInput *in, GetPolicyOutput *out)
{
    ManagedPolicy policy;
    TRY(iam_open_policy(call, txn, in->policy_arn, &policy, NULL));
    out->policy = ARENA_NEW(call->arena, IamPolicy);
    return fill_policy(call, txn, &policy, true, out->policy);
}

Error iam_delete_policy(Call *call, Txn *txn, const DeletePolicyInput *in, DeletePolicyOutput *out)
{
    (void)out;
    ManagedPolicy policy;
    TRY(iam_open_policy_to_change(call, txn, in->policy_arn, &policy));
    return managed_policy_delete(txn, &policy);
}

/* ---- Lists ---- */

/* Markers of AWS's own policies, which come after the account's: "aws:" and the place in the table. */
static const Slice aws_marker = SLICE_INIT("aws:");

static Error add_policy(Call *call, Txn *txn, const ManagedPolicy *policy, IamPolicyList *list)
{
    return fill_policy(call, txn, policy, false, &list->items[list->count++]);
}

static Error aws_belongs(Call *call, Txn *txn, const ManagedPolicy *policy, const ManagedPolicyFilter *filter,
                         bool *belongs)
{
    size_t users = 0;
    *belongs = slice_starts_with(policy->path, filter->path_prefix);
    if (!*belongs || !filter->attached_only)
        return OK;
    TRY(policy_users_count(txn, call->actor.account, managed_policy_arn(call->arena, policy), filter->as, &users));
    *belongs = users > 0;
    return OK;
}

/* From that place of the table on, as far as the page goes. */
static Error list_aws(Call *call, Txn *txn, const ManagedPolicyFilter *filter, size_t place, IdentityPage *page,
                      IamPolicyList *list)
{
    ManagedPolicy policy;
    for (; aws_policy_at(place, &policy); place++) {
        bool belongs;
        TRY(aws_belongs(call, txn, &policy, filter, &belongs));
        if (!belongs)
            continue;
        if (list->count == page->limit) {
            page->next = arena_format(call->arena, "aws:%zu", place);
            return OK;
        }
        TRY(add_policy(call, txn, &policy, list));
    }
    return OK;
}

static Error list_own(Call *call, Txn *txn, const ManagedPolicyFilter *filter, IdentityPage *page, IamPolicyList *list)
{
    ManagedPolicy *policies;
    size_t count;
    TRY(managed_policy_list(txn, call->actor.account, filter, page, &policies, &count));
    for (size_t i = 0; i < count; i++)
        TRY(add_policy(call, txn, &policies[i], list));
    return OK;
}

Error iam_list_policies(Call *call, Txn *txn, const ListPoliciesInput *in, ListPoliciesOutput *out)
{
    IdentityPage page;
    uint64_t place = 0;
    ManagedPolicyFilter filter = {
        .path_prefix = in->path_prefix,
        .attached_only = in->only_attached || in->policy_usage_filter.data != NULL,
        .as = slice_equal(in->policy_usage_filter, SLICE("PermissionsBoundary")) ? POLICY_BOUNDARY : POLICY_ATTACHED,
    };
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    bool own = !slice_equal(in->scope, SLICE("AWS"));
    bool aws = !slice_equal(in->scope, SLICE("Local"));
    if (slice_starts_with(page.after, aws_marker)) {
        if (!slice_parse_uint64(slice_skip(page.after, aws_marker.size), &place))
            return call_fail(call, &common_validation, "Invalid Marker.");
        own = false;
    }
    out->policies = (IamPolicyList){ARENA_ARRAY(call->arena, IamPolicy, page.limit), 0};
    if (own)
        TRY(list_own(call, txn, &filter, &page, &out->policies));
    if (aws && page.next.data == NULL)
        TRY(list_aws(call, txn, &filter, (size_t)place, &page, &out->policies));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

/* ---- Who has a policy ---- */

static char kind_of_filter(Slice filter)
{
    return (char)(slice_equal(filter, SLICE("Role"))    ? IDENTITY_ROLE
                  : slice_equal(filter, SLICE("User"))  ? IDENTITY_USER
                  : slice_equal(filter, SLICE("Group")) ? IDENTITY_GROUP
                                                        : 0);
}

static void add_entity(Call *call, const Identity *entity, ListEntitiesForPolicyOutput *out)
{
    Slice name = iam_keep(call, entity->name);
    Slice id = iam_keep(call, entity->id);
    if (entity->kind == IDENTITY_ROLE)
        out->policy_roles.items[out->policy_roles.count++] = (IamPolicyRole){name, id};
    else if (entity->kind == IDENTITY_USER)
        out->policy_users.items[out->policy_users.count++] = (IamPolicyUser){name, id};
    else
        out->policy_groups.items[out->policy_groups.count++] = (IamPolicyGroup){name, id};
}

Error iam_list_entities_for_policy(Call *call, Txn *txn, const ListEntitiesForPolicyInput *in,
                                   ListEntitiesForPolicyOutput *out)
{
    IdentityPage page;
    Identity *entities;
    size_t count = 0;
    bool boundary = slice_equal(in->policy_usage_filter, SLICE("PermissionsBoundary"));
    char kind = kind_of_filter(in->entity_filter);
    TRY(iam_check_attachable(call, txn, in->policy_arn));
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    out->policy_roles.items = ARENA_ARRAY(call->arena, IamPolicyRole, page.limit);
    out->policy_users.items = ARENA_ARRAY(call->arena, IamPolicyUser, page.limit);
    out->policy_groups.items = ARENA_ARRAY(call->arena, IamPolicyGroup, page.limit);
    if (!slice_equal(in->entity_filter, SLICE("LocalManagedPolicy")) &&
        !slice_equal(in->entity_filter, SLICE("AWSManagedPolicy")))
        TRY(policy_users_list(txn, call->actor.account, in->policy_arn, boundary ? POLICY_BOUNDARY : POLICY_ATTACHED,
                              kind, in->path_prefix, &page, &entities, &count));
    for (size_t i = 0; i < count; i++)
        add_entity(call, &entities[i], out);
    IAM_PAGE_END(call, &page, out);
    return OK;
}

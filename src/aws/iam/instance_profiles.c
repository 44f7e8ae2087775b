#include "aws/iam/dialect.h"

/* CreateInstanceProfile, GetInstanceProfile, ListInstanceProfiles, ListInstanceProfilesForRole, DeleteInstanceProfile,
 * AddRoleToInstanceProfile, RemoveRoleFromInstanceProfile. */

static Error fill_profile(Call *call, Txn *txn, const Identity *profile, IamDetail detail, IamInstanceProfile *out)
{
    IdentityPage page = {.limit = 1};
    Identity *roles;
    size_t count;
    *out = (IamInstanceProfile){
        .path = iam_keep(call, profile->path),
        .instance_profile_name = iam_keep(call, profile->name),
        .instance_profile_id = iam_keep(call, profile->id),
        .arn = identity_arn(call->arena, profile),
        .create_date = (int64_t)profile->created_ms,
        .has_create_date = true,
    };
    TRY(member_list(txn, profile, &page, &roles, &count));
    out->roles = (IamRoleList){ARENA_ARRAY(call->arena, IamRole, count), count};
    for (size_t i = 0; i < count; i++)
        out->roles.items[i] = iam_role_of(call, &roles[i], IAM_LISTED);
    if (detail != IAM_LISTED)
        out->tags = iam_tags_of(call, &profile->labels);
    return OK;
}

Error iam_create_instance_profile(Call *call, Txn *txn, const CreateInstanceProfileInput *in,
                                  CreateInstanceProfileOutput *out)
{
    Identity profile = {.kind = IDENTITY_PROFILE, .account = call->actor.account, .name = in->instance_profile_name};
    TRY(iam_read_path(call, in->path, &profile.path));
    TRY(iam_read_tags(call, &in->tags, &profile.labels));
    TRY(iam_create(call, txn, &profile));
    out->instance_profile = ARENA_NEW(call->arena, IamInstanceProfile);
    return fill_profile(call, txn, &profile, IAM_CREATED, out->instance_profile);
}

Error iam_get_instance_profile(Call *call, Txn *txn, const GetInstanceProfileInput *in, GetInstanceProfileOutput *out)
{
    Identity profile;
    TRY(iam_open(call, txn, IDENTITY_PROFILE, in->instance_profile_name, &profile));
    out->instance_profile = ARENA_NEW(call->arena, IamInstanceProfile);
    return fill_profile(call, txn, &profile, IAM_FULL, out->instance_profile);
}

static Error fill_profiles(Call *call, Txn *txn, const Identity *profiles, size_t count, IamInstanceProfileList *list)
{
    *list = (IamInstanceProfileList){ARENA_ARRAY(call->arena, IamInstanceProfile, count), count};
    for (size_t i = 0; i < count; i++)
        TRY(fill_profile(call, txn, &profiles[i], IAM_LISTED, &list->items[i]));
    return OK;
}

Error iam_list_instance_profiles(Call *call, Txn *txn, const ListInstanceProfilesInput *in,
                                 ListInstanceProfilesOutput *out)
{
    IdentityPage page;
    Identity *profiles;
    size_t count;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(identity_list(txn, call->actor.account, IDENTITY_PROFILE, in->path_prefix, &page, &profiles, &count));
    TRY(fill_profiles(call, txn, profiles, count, &out->instance_profiles));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_list_instance_profiles_for_role(Call *call, Txn *txn, const ListInstanceProfilesForRoleInput *in,
                                          ListInstanceProfilesForRoleOutput *out)
{
    Identity role;
    Identity *profiles;
    IdentityPage page;
    size_t count;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_open(call, txn, IDENTITY_ROLE, in->role_name, &role));
    TRY(member_containers(txn, &role, &page, &profiles, &count));
    TRY(fill_profiles(call, txn, profiles, count, &out->instance_profiles));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_delete_instance_profile(Call *call, Txn *txn, const DeleteInstanceProfileInput *in,
                                  DeleteInstanceProfileOutput *out)
{
    (void)out;
    Identity profile;
    TRY(iam_open(call, txn, IDENTITY_PROFILE, in->instance_profile_name, &profile));
    Error error = identity_delete(txn, &profile);
    if (error == IDENTITY_HAS_MEMBERS)
        return call_fail(call, &iam_error_delete_conflict_exception,
                         "Cannot delete entity, must remove roles from instance profile first.");
    return error;
}

Error iam_add_role_to_instance_profile(Call *call, Txn *txn, const AddRoleToInstanceProfileInput *in,
                                       AddRoleToInstanceProfileOutput *out)
{
    (void)out;
    Identity profile;
    Identity role;
    TRY(iam_open(call, txn, IDENTITY_PROFILE, in->instance_profile_name, &profile));
    TRY(iam_open(call, txn, IDENTITY_ROLE, in->role_name, &role));
    Error error = member_add(txn, &profile, &role);
    if (error == MEMBER_LIMIT)
        return call_fail(call, &iam_error_limit_exceeded_exception,
                         "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    return error;
}

Error iam_remove_role_from_instance_profile(Call *call, Txn *txn, const RemoveRoleFromInstanceProfileInput *in,
                                            RemoveRoleFromInstanceProfileOutput *out)
{
    (void)out;
    Identity profile;
    Identity role;
    TRY(iam_open(call, txn, IDENTITY_PROFILE, in->instance_profile_name, &profile));
    TRY(iam_open(call, txn, IDENTITY_ROLE, in->role_name, &role));
    Error error = member_remove(txn, &profile, &role);
    if (error == MEMBER_NOT_FOUND)
        return iam_no_such_entity(call, "Role %.*s in instance profile %.*s cannot be found.",
                                  SLICE_PRINT(in->role_name), SLICE_PRINT(in->instance_profile_name));
    return error;
}

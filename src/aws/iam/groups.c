#include "aws/iam/dialect.h"

/* CreateGroup, GetGroup, ListGroups, DeleteGroup, AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser. */

Error iam_create_group(Call *call, Txn *txn, const CreateGroupInput *in, CreateGroupOutput *out)
{
    Identity group = {.kind = IDENTITY_GROUP, .account = call->actor.account, .name = in->group_name};
    TRY(iam_read_path(call, in->path, &group.path));
    TRY(iam_create(call, txn, &group));
    out->group = ARENA_NEW(call->arena, IamGroup);
    *out->group = iam_group_of(call, &group);
    return OK;
}

Error iam_get_group(Call *call, Txn *txn, const GetGroupInput *in, GetGroupOutput *out)
{
    Identity group;
    Identity *users;
    IdentityPage page;
    size_t count;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_open(call, txn, IDENTITY_GROUP, in->group_name, &group));
    TRY(member_list(txn, &group, &page, &users, &count));
    out->group = ARENA_NEW(call->arena, IamGroup);
    *out->group = iam_group_of(call, &group);
    out->users = (IamUserList){ARENA_ARRAY(call->arena, IamUser, count), count};
    for (size_t i = 0; i < count; i++)
        out->users.items[i] = iam_user_of(call, &users[i], IAM_LISTED);
    IAM_PAGE_END(call, &page, out);
    return OK;
}

static IamGroupList groups_of(Call *call, const Identity *groups, size_t count)
{
    IamGroupList list = {ARENA_ARRAY(call->arena, IamGroup, count), count};
    for (size_t i = 0; i < count; i++)
        list.items[i] = iam_group_of(call, &groups[i]);
    return list;
}

Error iam_list_groups(Call *call, Txn *txn, const ListGroupsInput *in, ListGroupsOutput *out)
{
    IdentityPage page;
    Identity *groups;
    size_t count;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(identity_list(txn, call->actor.account, IDENTITY_GROUP, in->path_prefix, &page, &groups, &count));
    out->groups = groups_of(call, groups, count);
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_delete_group(Call *call, Txn *txn, const DeleteGroupInput *in, DeleteGroupOutput *out)
{
    (void)out;
    Identity group;
    TRY(iam_open(call, txn, IDENTITY_GROUP, in->group_name, &group));
    Error error = identity_delete(txn, &group);
    if (error == IDENTITY_HAS_MEMBERS)
        return call_fail(call, &iam_error_delete_conflict_exception,
                         "Cannot delete entity, must remove users from group first.");
    return error;
}

Error iam_add_user_to_group(Call *call, Txn *txn, const AddUserToGroupInput *in, AddUserToGroupOutput *out)
{
    (void)out;
    Identity group;
    Identity user;
    TRY(iam_open(call, txn, IDENTITY_GROUP, in->group_name, &group));
    TRY(iam_open(call, txn, IDENTITY_USER, in->user_name, &user));
    Error error = member_add(txn, &group, &user);
    if (error == MEMBER_LIMIT)
        return call_fail(call, &iam_error_limit_exceeded_exception, "Cannot exceed quota for GroupsPerUser: 10");
    return error;
}

Error iam_remove_user_from_group(Call *call, Txn *txn, const RemoveUserFromGroupInput *in,
                                 RemoveUserFromGroupOutput *out)
{
    (void)out;
    Identity group;
    Identity user;
    TRY(iam_open(call, txn, IDENTITY_GROUP, in->group_name, &group));
    TRY(iam_open(call, txn, IDENTITY_USER, in->user_name, &user));
    Error error = member_remove(txn, &group, &user);
    if (error == MEMBER_NOT_FOUND)
        return iam_no_such_entity(call, "User %.*s is not in group %.*s.", SLICE_PRINT(in->user_name),
                                  SLICE_PRINT(in->group_name));
    return error;
}

Error iam_list_groups_for_user(Call *call, Txn *txn, const ListGroupsForUserInput *in, ListGroupsForUserOutput *out)
{
    Identity user;
    Identity *groups;
    IdentityPage page;
    size_t count;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_open(call, txn, IDENTITY_USER, in->user_name, &user));
    TRY(member_containers(txn, &user, &page, &groups, &count));
    out->groups = groups_of(call, groups, count);
    IAM_PAGE_END(call, &page, out);
    return OK;
}

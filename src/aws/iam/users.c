#include "aws/iam/dialect.h"

/* CreateUser, GetUser, ListUsers, DeleteUser, UpdateUser. */

Error iam_create_user(Call *call, Txn *txn, const CreateUserInput *in, CreateUserOutput *out)
{
    Identity user = {
        .kind = IDENTITY_USER,
        .account = call->actor.account,
        .name = in->user_name,
        .boundary = in->permissions_boundary,
    };
    TRY(iam_read_path(call, in->path, &user.path));
    TRY(iam_read_tags(call, &in->tags, &user.labels));
    if (user.boundary.data != NULL)
        TRY(iam_check_attachable(call, txn, user.boundary));
    TRY(iam_create(call, txn, &user));
    out->user = ARENA_NEW(call->arena, IamUser);
    *out->user = iam_user_of(call, &user, IAM_FULL);
    return OK;
}

/* Without a name: the user whose key signed the request (IAM API reference, GetUser). */
static Slice user_name_of_caller(const Call *call)
{
    Slice arn = call->actor.principal_arn;
    Slice resource = slice_skip(arn, slice_find(arn, '/'));
    bool user = call->actor.session == NULL && resource.size > 0;
    return user ? iam_name_of_arn(arn) : (Slice){0};
}

static IamUser *root_user(Call *call)
{
    IamUser *user = ARENA_NEW(call->arena, IamUser);
    user->user_id = call->actor.account;
    user->arn = arena_format(call->arena, "arn:aws:iam::%.*s:root", SLICE_PRINT(call->actor.account));
    user->path = SLICE("/");
    user->create_date = 0; /* when an account without a record came is not known */
    user->has_create_date = true;
    return user;
}

Error iam_get_user(Call *call, Txn *txn, const GetUserInput *in, GetUserOutput *out)
{
    Identity user;
    Slice name = in->user_name.data != NULL ? in->user_name : user_name_of_caller(call);
    if (name.data == NULL && call->actor.session != NULL)
        return call_fail(call, &common_validation, "Must specify userName when calling with non-User credentials");
    if (name.data == NULL) {
        out->user = root_user(call);
        return OK;
    }
    TRY(iam_open(call, txn, IDENTITY_USER, name, &user));
    out->user = ARENA_NEW(call->arena, IamUser);
    *out->user = iam_user_of(call, &user, IAM_FULL);
    return OK;
}

Error iam_list_users(Call *call, Txn *txn, const ListUsersInput *in, ListUsersOutput *out)
{
    IdentityPage page;
    Identity *users;
    size_t count;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(identity_list(txn, call->actor.account, IDENTITY_USER, in->path_prefix, &page, &users, &count));
    out->users = (IamUserList){ARENA_ARRAY(call->arena, IamUser, count), count};
    for (size_t i = 0; i < count; i++)
        out->users.items[i] = iam_user_of(call, &users[i], IAM_LISTED);
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_delete_user(Call *call, Txn *txn, const DeleteUserInput *in, DeleteUserOutput *out)
{
    (void)out;
    Identity user;
    TRY(iam_open(call, txn, IDENTITY_USER, in->user_name, &user));
    return identity_delete(txn, &user);
}

Error iam_update_user(Call *call, Txn *txn, const UpdateUserInput *in, UpdateUserOutput *out)
{
    (void)out;
    Identity user;
    TRY(iam_open(call, txn, IDENTITY_USER, in->user_name, &user));
    if (in->new_user_name.data != NULL && !slice_equal(in->new_user_name, in->user_name))
        return iam_not_implemented(call, "another name for a user (UpdateUser: NewUserName)");
    if (in->new_path.data != NULL)
        TRY(iam_read_path(call, in->new_path, &user.path));
    call->changes_keys = true; /* the user's ARN is remembered beside its keys */
    return identity_put(txn, &user);
}

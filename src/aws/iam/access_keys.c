#include "aws/iam/dialect.h"
#include "core/account.h"

/* CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey: keys of users. The account's own keys are made by
 * `brume key`. */

/* Without a name: the user whose key signed the request (IAM API reference, CreateAccessKey). */
static Error open_user(Call *call, Txn *txn, Slice name, Identity *user)
{
    Slice arn = call->actor.principal_arn;
    *user = (Identity){0};
    if (name.data != NULL)
        return iam_open(call, txn, IDENTITY_USER, name, user);
    if (call->actor.session != NULL || slice_find(arn, '/') == arn.size)
        return call_fail(call, &common_validation, "Must specify userName when calling with non-User credentials");
    return iam_open(call, txn, IDENTITY_USER, iam_name_of_arn(arn), user);
}

static Error open_key(Call *call, Txn *txn, Slice user_name, Slice id, AccessKey *key)
{
    Identity user;
    *key = (AccessKey){0};
    TRY(open_user(call, txn, user_name, &user));
    Error error = access_key_get(txn, id, key);
    if (error == ACCESS_KEY_NOT_FOUND ||
        (error == OK && (!slice_equal(key->account, user.account) || !slice_equal(key->user, user.name))))
        return iam_no_such_entity(call, "The Access Key with id %.*s cannot be found.", SLICE_PRINT(id));
    return error;
}

static Slice status_of(const AccessKey *key)
{
    return key->inactive ? SLICE("Inactive") : SLICE("Active");
}

Error iam_create_access_key(Call *call, Txn *txn, const CreateAccessKeyInput *in, CreateAccessKeyOutput *out)
{
    Identity user;
    AccessKey key;
    TRY(open_user(call, txn, in->user_name, &user));
    Error error = access_key_create_for_user(txn, user.account, user.name, &key);
    if (error == ACCESS_KEY_LIMIT)
        return call_fail(call, &iam_error_limit_exceeded_exception, "Cannot exceed quota for AccessKeysPerUser: %d",
                         ACCOUNT_USER_KEYS_MAX);
    if (error != OK)
        return error;
    out->access_key = ARENA_NEW(call->arena, IamAccessKey);
    *out->access_key = (IamAccessKey){
        .user_name = iam_keep(call, user.name),
        .access_key_id = iam_keep(call, key.id),
        .status = status_of(&key),
        .secret_access_key = iam_keep(call, key.secret),
        .create_date = (int64_t)key.created_ms,
        .has_create_date = true,
    };
    return OK;
}

Error iam_list_access_keys(Call *call, Txn *txn, const ListAccessKeysInput *in, ListAccessKeysOutput *out)
{
    Identity user;
    AccessKey keys[ACCOUNT_USER_KEYS_MAX];
    IdentityPage page;
    size_t count;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(open_user(call, txn, in->user_name, &user));
    TRY(access_key_list_of_user(txn, user.account, user.name, keys, &count));
    IamAccessKeyMetadataList *list = &out->access_key_metadata;
    list->items = ARENA_ARRAY(call->arena, IamAccessKeyMetadata, count);
    for (size_t i = 0; i < count; i++) {
        if (page.after.size > 0 && slice_compare(keys[i].id, page.after) <= 0)
            continue;
        if (list->count == page.limit) {
            page.next = keys[i - 1].id;
            break;
        }
        list->items[list->count++] = (IamAccessKeyMetadata){
            .user_name = iam_keep(call, user.name),
            .access_key_id = iam_keep(call, keys[i].id),
            .status = status_of(&keys[i]),
            .create_date = (int64_t)keys[i].created_ms,
            .has_create_date = true,
        };
    }
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_update_access_key(Call *call, Txn *txn, const UpdateAccessKeyInput *in, UpdateAccessKeyOutput *out)
{
    (void)out;
    AccessKey key;
    TRY(open_key(call, txn, in->user_name, in->access_key_id, &key));
    if (slice_equal(in->status, SLICE("Expired")))
        return call_fail(call, &iam_error_invalid_input_exception, "A key's status is set to Active or Inactive.");
    call->changes_keys = true;
    return access_key_set_inactive(txn, key.id, slice_equal(in->status, SLICE("Inactive")));
}

Error iam_delete_access_key(Call *call, Txn *txn, const DeleteAccessKeyInput *in, DeleteAccessKeyOutput *out)
{
    (void)out;
    AccessKey key;
    TRY(open_key(call, txn, in->user_name, in->access_key_id, &key));
    call->changes_keys = true;
    return access_key_revoke(txn, key.id);
}

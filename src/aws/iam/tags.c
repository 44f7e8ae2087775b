#include "aws/iam/dialect.h"

/* Tags of roles, users and managed policies. */

/* ---- Roles and users ---- */

static Error tag(Call *call, Txn *txn, IdentityKind kind, Slice name, const IamTagList *tags)
{
    Identity identity;
    Labels labels;
    TRY(iam_open_to_change(call, txn, kind, name, &identity));
    TRY(iam_read_tags(call, tags, &labels));
    labels_set(call->arena, &identity.labels, labels.items, labels.count);
    return identity_put(txn, &identity);
}

static Error untag(Call *call, Txn *txn, IdentityKind kind, Slice name, const IamTagKeyList *keys)
{
    Identity identity;
    TRY(iam_open_to_change(call, txn, kind, name, &identity));
    labels_remove(&identity.labels, keys->items, keys->count);
    return identity_put(txn, &identity);
}

Error iam_tag_role(Call *call, Txn *txn, const TagRoleInput *in, TagRoleOutput *out)
{
    (void)out;
    return tag(call, txn, IDENTITY_ROLE, in->role_name, &in->tags);
}

Error iam_untag_role(Call *call, Txn *txn, const UntagRoleInput *in, UntagRoleOutput *out)
{
    (void)out;
    return untag(call, txn, IDENTITY_ROLE, in->role_name, &in->tag_keys);
}

Error iam_tag_user(Call *call, Txn *txn, const TagUserInput *in, TagUserOutput *out)
{
    (void)out;
    return tag(call, txn, IDENTITY_USER, in->user_name, &in->tags);
}

Error iam_untag_user(Call *call, Txn *txn, const UntagUserInput *in, UntagUserOutput *out)
{
    (void)out;
    return untag(call, txn, IDENTITY_USER, in->user_name, &in->tag_keys);
}

/* ---- Lists: a resource has at most 50, so that a page is a part of what was read ---- */

static Error page_of_tags(Call *call, const Labels *labels, IdentityPage *page, IamTagList *tags)
{
    size_t first = 0;
    while (page->after.size > 0 && first < labels->count && !slice_equal(labels->items[first].key, page->after))
        first++;
    first += page->after.size > 0 && first < labels->count;
    size_t count = labels->count - first;
    if (count > page->limit) {
        count = page->limit;
        page->next = labels->items[first + count - 1].key;
    }
    Labels part = {labels->items + first, count};
    *tags = iam_tags_of(call, &part);
    return OK;
}

Error iam_list_role_tags(Call *call, Txn *txn, const ListRoleTagsInput *in, ListRoleTagsOutput *out)
{
    Identity role;
    IdentityPage page;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_open(call, txn, IDENTITY_ROLE, in->role_name, &role));
    TRY(page_of_tags(call, &role.labels, &page, &out->tags));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_list_user_tags(Call *call, Txn *txn, const ListUserTagsInput *in, ListUserTagsOutput *out)
{
    Identity user;
    IdentityPage page;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_open(call, txn, IDENTITY_USER, in->user_name, &user));
    TRY(page_of_tags(call, &user.labels, &page, &out->tags));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_list_policy_tags(Call *call, Txn *txn, const ListPolicyTagsInput *in, ListPolicyTagsOutput *out)
{
    ManagedPolicy policy;
    IdentityPage page;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(iam_open_policy(call, txn, in->policy_arn, &policy, NULL));
    TRY(page_of_tags(call, &policy.labels, &page, &out->tags));
    IAM_PAGE_END(call, &page, out);
    return OK;
}

/* ---- Managed policies ---- */

Error iam_tag_policy(Call *call, Txn *txn, const TagPolicyInput *in, TagPolicyOutput *out)
{
    (void)out;
    ManagedPolicy policy;
    Labels labels;
    TRY(iam_open_policy_to_change(call, txn, in->policy_arn, &policy));
    TRY(iam_read_tags(call, &in->tags, &labels));
    labels_set(call->arena, &policy.labels, labels.items, labels.count);
    return managed_policy_put(txn, &policy);
}

Error iam_untag_policy(Call *call, Txn *txn, const UntagPolicyInput *in, UntagPolicyOutput *out)
{
    (void)out;
    ManagedPolicy policy;
    TRY(iam_open_policy_to_change(call, txn, in->policy_arn, &policy));
    labels_remove(&policy.labels, in->tag_keys.items, in->tag_keys.count);
    return managed_policy_put(txn, &policy);
}

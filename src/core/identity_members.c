#include "core/identity_internal.h"

/* Users of groups, and roles of instance profiles: a key on each side. */

enum { GROUPS_OF_USER_MAX = 10, ROLES_OF_PROFILE_MAX = 1 }; /* IAM quotas */

static Slice side(Txn *txn, const Identity *identity, char tag, const Identity *other)
{
    Buffer key = identity_own_key(txn, identity, tag);
    key_add_string(&key, arena_lower(txn_arena(txn), other->name));
    return buffer_slice(&key);
}

static Error is_member(Txn *txn, const Identity *container, const Identity *member, bool *found)
{
    Slice value;
    return txn_get(txn, side(txn, container, IDENTITY_TAG_MEMBER, member), &value, found);
}

Error member_add(Txn *txn, const Identity *container, const Identity *member)
{
    bool found;
    size_t count;
    bool group = container->kind == IDENTITY_GROUP;
    size_t most = group ? GROUPS_OF_USER_MAX : ROLES_OF_PROFILE_MAX;
    TRY(is_member(txn, container, member, &found));
    if (found && group)
        return OK;
    Buffer counted = group ? identity_own_key(txn, member, IDENTITY_TAG_CONTAINER)
                           : identity_own_key(txn, container, IDENTITY_TAG_MEMBER);
    TRY(identity_count(txn, buffer_slice(&counted), most, &count));
    if (count == most)
        return MEMBER_LIMIT;
    identity_put_mark(txn, side(txn, container, IDENTITY_TAG_MEMBER, member));
    identity_put_mark(txn, side(txn, member, IDENTITY_TAG_CONTAINER, container));
    return OK;
}

Error member_remove(Txn *txn, const Identity *container, const Identity *member)
{
    bool found;
    TRY(is_member(txn, container, member, &found));
    if (!found)
        return MEMBER_NOT_FOUND;
    txn_delete(txn, side(txn, container, IDENTITY_TAG_MEMBER, member));
    txn_delete(txn, side(txn, member, IDENTITY_TAG_CONTAINER, container));
    return OK;
}

static Error list_side(Txn *txn, const Identity *identity, char tag, IdentityKind kind, IdentityPage *page,
                       Identity **others, size_t *count)
{
    IdentityEntry *entries;
    Buffer prefix = identity_own_key(txn, identity, tag);
    TRY(identity_scan(txn, buffer_slice(&prefix), NULL, NULL, page, &entries, count));
    *others = ARENA_ARRAY(txn_arena(txn), Identity, *count);
    for (size_t i = 0; i < *count; i++) {
        bool found;
        TRY(identity_find(txn, identity->account, kind, entries[i].id, &(*others)[i], &found));
        if (!found)
            return ERROR_FORMAT;
    }
    return OK;
}

Error member_list(Txn *txn, const Identity *container, IdentityPage *page, Identity **members, size_t *count)
{
    IdentityKind kind = container->kind == IDENTITY_GROUP ? IDENTITY_USER : IDENTITY_ROLE;
    return list_side(txn, container, IDENTITY_TAG_MEMBER, kind, page, members, count);
}

Error member_containers(Txn *txn, const Identity *member, IdentityPage *page, Identity **containers, size_t *count)
{
    IdentityKind kind = member->kind == IDENTITY_USER ? IDENTITY_GROUP : IDENTITY_PROFILE;
    return list_side(txn, member, IDENTITY_TAG_CONTAINER, kind, page, containers, count);
}

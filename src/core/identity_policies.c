#include "core/identity_internal.h"

/* Inline and attached policies, and who has a policy. */

enum { SCHEMA_INLINE = 1 };

static Slice own_key_of(Txn *txn, const Identity *identity, char tag, Slice id)
{
    Buffer key = identity_own_key(txn, identity, tag);
    key_add_string(&key, id);
    return buffer_slice(&key);
}

/* ---- Inline policies ---- */

static Error read_inline(Slice value, Slice *document)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    return schema == SCHEMA_INLINE ? value_take_bytes(&value, document) : ERROR_FORMAT;
}

/* White space is not counted (IAM user guide, "IAM and AWS STS quotas"). */
static size_t counted_size(Slice document)
{
    size_t size = 0;
    for (size_t i = 0; i < document.size; i++)
        size += strchr(" \t\r\n", document.data[i]) == NULL;
    return size;
}

static uint64_t inline_limit(const Txn *txn, IdentityKind kind)
{
    const Limits *limits = txn_limits(txn);
    return kind == IDENTITY_ROLE   ? limits->value[LIMIT_IAM_ROLE_INLINE_CHARACTERS]
           : kind == IDENTITY_USER ? limits->value[LIMIT_IAM_USER_INLINE_CHARACTERS]
                                   : limits->value[LIMIT_IAM_GROUP_INLINE_CHARACTERS];
}

/* All names that an identity may have under a limit of characters: a document has at least one. */
enum { INLINE_POLICIES_MAX = 1000 };

Error inline_put(Txn *txn, const Identity *identity, Slice name, Slice document)
{
    IdentityPage page = {.limit = INLINE_POLICIES_MAX};
    IdentityEntry *entries;
    size_t count;
    size_t size = counted_size(document);
    Buffer prefix = identity_own_key(txn, identity, IDENTITY_TAG_INLINE);
    TRY(identity_scan(txn, buffer_slice(&prefix), NULL, NULL, &page, &entries, &count));
    for (size_t i = 0; i < count; i++) {
        Slice other;
        TRY(read_inline(entries[i].value, &other));
        size += slice_equal(entries[i].id, name) ? 0 : counted_size(other);
    }
    if (size > inline_limit(txn, identity->kind))
        return INLINE_LIMIT;
    Buffer value = value_start(txn_arena(txn), SCHEMA_INLINE);
    value_add_bytes(&value, document);
    txn_put(txn, own_key_of(txn, identity, IDENTITY_TAG_INLINE, name), buffer_slice(&value));
    return OK;
}

Error inline_get(Txn *txn, const Identity *identity, Slice name, Slice *document)
{
    bool found;
    Slice value;
    TRY(txn_get(txn, own_key_of(txn, identity, IDENTITY_TAG_INLINE, name), &value, &found));
    return found ? read_inline(value, document) : INLINE_NOT_FOUND;
}

Error inline_delete(Txn *txn, const Identity *identity, Slice name)
{
    Slice document;
    TRY(inline_get(txn, identity, name, &document));
    txn_delete(txn, own_key_of(txn, identity, IDENTITY_TAG_INLINE, name));
    return OK;
}

static void ids_of(Txn *txn, const IdentityEntry *entries, size_t count, Slice **ids)
{
    *ids = ARENA_ARRAY(txn_arena(txn), Slice, count);
    for (size_t i = 0; i < count; i++)
        (*ids)[i] = entries[i].id;
}

Error inline_list(Txn *txn, const Identity *identity, IdentityPage *page, Slice **names, size_t *count)
{
    IdentityEntry *entries;
    Buffer prefix = identity_own_key(txn, identity, IDENTITY_TAG_INLINE);
    TRY(identity_scan(txn, buffer_slice(&prefix), NULL, NULL, page, &entries, count));
    ids_of(txn, entries, *count, names);
    return OK;
}

/* ---- Attached policies ---- */

Error attachment_put(Txn *txn, const Identity *identity, Slice policy_arn)
{
    bool found;
    Slice value;
    size_t count;
    size_t most = txn_limits(txn)->value[LIMIT_IAM_ATTACHED_POLICIES];
    Slice key = own_key_of(txn, identity, IDENTITY_TAG_ATTACHED, policy_arn);
    TRY(txn_get(txn, key, &value, &found));
    if (found)
        return OK;
    Buffer prefix = identity_own_key(txn, identity, IDENTITY_TAG_ATTACHED);
    TRY(identity_count(txn, buffer_slice(&prefix), most, &count));
    if (count == most)
        return ATTACHMENT_LIMIT;
    identity_put_mark(txn, key);
    identity_use_put(txn, identity, policy_arn, POLICY_ATTACHED);
    return OK;
}

Error attachment_delete(Txn *txn, const Identity *identity, Slice policy_arn)
{
    bool found;
    Slice value;
    Slice key = own_key_of(txn, identity, IDENTITY_TAG_ATTACHED, policy_arn);
    TRY(txn_get(txn, key, &value, &found));
    if (!found)
        return ATTACHMENT_NOT_FOUND;
    txn_delete(txn, key);
    identity_use_delete(txn, identity, policy_arn, POLICY_ATTACHED);
    return OK;
}

/* "arn:aws:iam::aws:policy/service-role/Name" has the path "/service-role/". */
static Error has_policy_path(Txn *txn, const IdentityEntry *entry, const void *context, bool *belongs)
{
    (void)txn;
    *belongs = slice_starts_with(slice_skip(entry->id, slice_find(entry->id, '/')), *(const Slice *)context);
    return OK;
}

Error attachment_list(Txn *txn, const Identity *identity, Slice path_prefix, IdentityPage *page, Slice **policy_arns,
                      size_t *count)
{
    IdentityEntry *entries;
    Buffer prefix = identity_own_key(txn, identity, IDENTITY_TAG_ATTACHED);
    TRY(identity_scan(txn, buffer_slice(&prefix), has_policy_path, &path_prefix, page, &entries, count));
    ids_of(txn, entries, *count, policy_arns);
    return OK;
}

/* ---- Who has a policy ---- */

static Buffer use_prefix(Txn *txn, Slice account, Slice policy_arn, char as)
{
    Buffer key = identity_key(txn, account, IDENTITY_TAG_USE);
    key_add_string(&key, policy_arn);
    key_add_tag(&key, as);
    return key;
}

/* The kind and the name in lower case are one string, so that a page may begin after any of them. */
static Slice use_key(Txn *txn, const Identity *identity, Slice policy_arn, char as)
{
    Buffer key = use_prefix(txn, identity->account, policy_arn, as);
    key_add_string(&key, arena_format(txn_arena(txn), "%c%.*s", (char)identity->kind,
                                      SLICE_PRINT(arena_lower(txn_arena(txn), identity->name))));
    return buffer_slice(&key);
}

void identity_use_put(Txn *txn, const Identity *identity, Slice policy_arn, char as)
{
    identity_put_mark(txn, use_key(txn, identity, policy_arn, as));
}

void identity_use_delete(Txn *txn, const Identity *identity, Slice policy_arn, char as)
{
    txn_delete(txn, use_key(txn, identity, policy_arn, as));
}

Error policy_users_count(Txn *txn, Slice account, Slice policy_arn, PolicyRole as, size_t *count)
{
    Buffer prefix = use_prefix(txn, account, policy_arn, (char)as);
    return identity_count(txn, buffer_slice(&prefix), SIZE_MAX, count);
}

typedef struct UseFilter {
    Slice account;
    char kind;
    Slice path_prefix;
} UseFilter;

static Error find_user_of_policy(Txn *txn, Slice account, Slice id, Identity *identity)
{
    bool found;
    if (id.size < 2)
        return ERROR_FORMAT;
    TRY(identity_find(txn, account, (IdentityKind)id.data[0], slice_skip(id, 1), identity, &found));
    return found ? OK : ERROR_FORMAT;
}

static Error is_asked_for(Txn *txn, const IdentityEntry *entry, const void *context, bool *belongs)
{
    const UseFilter *filter = context;
    Identity identity;
    TRY(find_user_of_policy(txn, filter->account, entry->id, &identity));
    *belongs = (filter->kind == 0 || filter->kind == (char)identity.kind) &&
               slice_starts_with(identity.path, filter->path_prefix);
    return OK;
}

Error policy_users_list(Txn *txn, Slice account, Slice policy_arn, PolicyRole as, char kind, Slice path_prefix,
                        IdentityPage *page, Identity **identities, size_t *count)
{
    IdentityEntry *entries;
    UseFilter filter = {account, kind, path_prefix};
    Buffer prefix = use_prefix(txn, account, policy_arn, (char)as);
    TRY(identity_scan(txn, buffer_slice(&prefix), is_asked_for, &filter, page, &entries, count));
    *identities = ARENA_ARRAY(txn_arena(txn), Identity, *count);
    for (size_t i = 0; i < *count; i++)
        TRY(find_user_of_policy(txn, account, entries[i].id, &(*identities)[i]));
    return OK;
}

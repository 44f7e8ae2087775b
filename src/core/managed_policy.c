#include "core/managed_policy.h"

#include "core/identity_internal.h"

enum { SCHEMA_POLICY = 1, SCHEMA_VERSION = 1 };
enum { LABELS_MAX = 50 }; /* IAM quotas: tags of a resource */
enum { COUNT_OF_POLICIES = 'm' };

Slice managed_policy_arn(Arena *arena, const ManagedPolicy *policy)
{
    return arena_format(arena, "arn:aws:iam::%.*s:policy%.*s%.*s", SLICE_PRINT(policy->account),
                        SLICE_PRINT(policy->path), SLICE_PRINT(policy->name));
}

/* ---- Records ---- */

static Slice policy_key(Txn *txn, Slice account, Slice name)
{
    Buffer key = identity_key(txn, account, IDENTITY_TAG_POLICY);
    key_add_string(&key, arena_lower(txn_arena(txn), name));
    return buffer_slice(&key);
}

static Error read_policy(Txn *txn, Slice account, Slice value, ManagedPolicy *policy)
{
    uint8_t schema;
    *policy = (ManagedPolicy){.account = account};
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_POLICY)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &policy->name));
    TRY(value_take_bytes(&value, &policy->path));
    TRY(value_take_bytes(&value, &policy->id));
    TRY(value_take_optional(&value, &policy->description));
    TRY(value_take_uint64(&value, &policy->created_ms));
    TRY(value_take_uint64(&value, &policy->updated_ms));
    TRY(value_take_uint64(&value, &policy->default_version));
    TRY(value_take_uint64(&value, &policy->next_version));
    return value_take_labels(&value, txn_arena(txn), &policy->labels);
}

static void write_policy(Txn *txn, const ManagedPolicy *policy)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_POLICY);
    value_add_bytes(&value, policy->name);
    value_add_bytes(&value, policy->path);
    value_add_bytes(&value, policy->id);
    value_add_optional(&value, policy->description);
    value_add_uint64(&value, policy->created_ms);
    value_add_uint64(&value, policy->updated_ms);
    value_add_uint64(&value, policy->default_version);
    value_add_uint64(&value, policy->next_version);
    value_add_labels(&value, &policy->labels);
    txn_put(txn, policy_key(txn, policy->account, policy->name), buffer_slice(&value));
}

static Error find_policy(Txn *txn, Slice account, Slice name, ManagedPolicy *policy, bool *found)
{
    Slice value;
    TRY(txn_get(txn, policy_key(txn, account, name), &value, found));
    return *found ? read_policy(txn, account, value, policy) : OK;
}

Error managed_policy_create(Txn *txn, Slice document, ManagedPolicy *policy)
{
    bool found;
    ManagedPolicy other;
    PolicyVersion first;
    TRY(find_policy(txn, policy->account, policy->name, &other, &found));
    if (found)
        return MANAGED_POLICY_EXISTS;
    if (policy->labels.count > LABELS_MAX)
        return IDENTITY_TAGS_LIMIT;
    Error error =
        identity_count_add(txn, policy->account, COUNT_OF_POLICIES, 1, txn_limits(txn)->value[LIMIT_IAM_POLICIES]);
    if (error != OK)
        return error == IDENTITY_LIMIT ? MANAGED_POLICY_LIMIT : error;
    policy->id = identity_new_id(txn, "ANPA");
    policy->created_ms = txn_now(txn);
    policy->next_version = 1;
    return policy_version_create(txn, policy, document, true, &first);
}

Error managed_policy_get(Txn *txn, Slice account, Slice name, ManagedPolicy *policy)
{
    bool found;
    TRY(find_policy(txn, account, name, policy, &found));
    return found && slice_equal(policy->name, name) ? OK : MANAGED_POLICY_NOT_FOUND;
}

Error managed_policy_put(Txn *txn, const ManagedPolicy *policy)
{
    if (policy->labels.count > LABELS_MAX)
        return IDENTITY_TAGS_LIMIT;
    write_policy(txn, policy);
    return OK;
}

/* ---- Versions ---- */

static Buffer versions_prefix(Txn *txn, const ManagedPolicy *policy)
{
    Buffer key = identity_key(txn, policy->account, IDENTITY_TAG_VERSION);
    key_add_string(&key, arena_lower(txn_arena(txn), policy->name));
    return key;
}

static Slice version_key(Txn *txn, const ManagedPolicy *policy, uint64_t number)
{
    Buffer key = versions_prefix(txn, policy);
    key_add_uint64(&key, number);
    return buffer_slice(&key);
}

static Error read_version(Slice value, PolicyVersion *version)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_VERSION)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &version->document));
    return value_take_uint64(&value, &version->created_ms);
}

Error policy_version_create(Txn *txn, ManagedPolicy *policy, Slice document, bool make_default, PolicyVersion *version)
{
    size_t count;
    Buffer prefix = versions_prefix(txn, policy);
    TRY(identity_count(txn, buffer_slice(&prefix), POLICY_VERSIONS_MAX, &count));
    if (count == POLICY_VERSIONS_MAX)
        return POLICY_VERSION_LIMIT;
    *version = (PolicyVersion){policy->next_version++, document, txn_now(txn)};
    policy->updated_ms = version->created_ms;
    if (make_default)
        policy->default_version = version->number;
    Buffer value = value_start(txn_arena(txn), SCHEMA_VERSION);
    value_add_bytes(&value, version->document);
    value_add_uint64(&value, version->created_ms);
    txn_put(txn, version_key(txn, policy, version->number), buffer_slice(&value));
    write_policy(txn, policy);
    return OK;
}

Error policy_version_get(Txn *txn, const ManagedPolicy *policy, uint64_t number, PolicyVersion *version)
{
    bool found;
    Slice value;
    TRY(txn_get(txn, version_key(txn, policy, number), &value, &found));
    *version = (PolicyVersion){.number = number};
    return found ? read_version(value, version) : POLICY_VERSION_NOT_FOUND;
}

Error policy_version_list(Txn *txn, const ManagedPolicy *policy, PolicyVersion versions[POLICY_VERSIONS_MAX],
                          size_t *count)
{
    Buffer prefix = versions_prefix(txn, policy);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_BACKWARD);
    Slice key;
    Slice value;
    Error error = OK;
    *count = 0;
    while (*count < POLICY_VERSIONS_MAX && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        PolicyVersion *version = &versions[(*count)++];
        Slice rest = slice_skip(key, prefix.size);
        if ((error = key_take_uint64(&rest, &version->number)) != OK ||
            (error = read_version(arena_copy(txn_arena(txn), value), version)) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

Error policy_version_set_default(Txn *txn, ManagedPolicy *policy, uint64_t number)
{
    PolicyVersion version;
    TRY(policy_version_get(txn, policy, number, &version));
    policy->default_version = number;
    policy->updated_ms = txn_now(txn);
    write_policy(txn, policy);
    return OK;
}

Error policy_version_delete(Txn *txn, const ManagedPolicy *policy, uint64_t number)
{
    PolicyVersion version;
    TRY(policy_version_get(txn, policy, number, &version));
    if (number == policy->default_version)
        return POLICY_VERSION_IS_DEFAULT;
    txn_delete(txn, version_key(txn, policy, number));
    return OK;
}

/* ---- Deletion and lists ---- */

static Error is_used(Txn *txn, const ManagedPolicy *policy, PolicyRole as, bool *used)
{
    size_t count;
    TRY(policy_users_count(txn, policy->account, managed_policy_arn(txn_arena(txn), policy), as, &count));
    *used = count > 0;
    return OK;
}

Error managed_policy_delete(Txn *txn, const ManagedPolicy *policy)
{
    bool attached;
    bool boundary;
    size_t versions;
    Buffer prefix = versions_prefix(txn, policy);
    TRY(is_used(txn, policy, POLICY_ATTACHED, &attached));
    TRY(is_used(txn, policy, POLICY_BOUNDARY, &boundary));
    if (attached || boundary)
        return MANAGED_POLICY_ATTACHED;
    TRY(identity_count(txn, buffer_slice(&prefix), 2, &versions));
    if (versions > 1)
        return MANAGED_POLICY_HAS_VERSIONS;
    txn_delete(txn, version_key(txn, policy, policy->default_version));
    txn_delete(txn, policy_key(txn, policy->account, policy->name));
    return identity_count_add(txn, policy->account, COUNT_OF_POLICIES, -1, 0);
}

typedef struct ListContext {
    Slice account;
    const ManagedPolicyFilter *filter;
} ListContext;

static Error is_listed(Txn *txn, const IdentityEntry *entry, const void *context, bool *belongs)
{
    const ListContext *list = context;
    ManagedPolicy policy;
    TRY(read_policy(txn, list->account, entry->value, &policy));
    *belongs = slice_starts_with(policy.path, list->filter->path_prefix);
    return *belongs && list->filter->attached_only ? is_used(txn, &policy, list->filter->as, belongs) : OK;
}

Error managed_policy_list(Txn *txn, Slice account, const ManagedPolicyFilter *filter, IdentityPage *page,
                          ManagedPolicy **policies, size_t *count)
{
    IdentityEntry *entries;
    ListContext context = {account, filter};
    Buffer prefix = identity_key(txn, account, IDENTITY_TAG_POLICY);
    TRY(identity_scan(txn, buffer_slice(&prefix), is_listed, &context, page, &entries, count));
    *policies = ARENA_ARRAY(txn_arena(txn), ManagedPolicy, *count);
    for (size_t i = 0; i < *count; i++)
        TRY(read_policy(txn, account, entries[i].value, &(*policies)[i]));
    return OK;
}

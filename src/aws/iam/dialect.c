#include "aws/iam/dialect.h"

#include "base/digest.h"

/* ---- Words ---- */

/* How IAM speaks of each kind: with an article and without. */
static const char *kind_word(IdentityKind kind)
{
    switch (kind) {
    case IDENTITY_ROLE:
        return "role";
    case IDENTITY_USER:
        return "user";
    case IDENTITY_GROUP:
        return "group";
    case IDENTITY_PROFILE:
        break;
    }
    return "instance profile";
}

Error iam_no_such_entity(Call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Slice message = arena_vformat(call->arena, format, arguments);
    va_end(arguments);
    return call_fail(call, &iam_error_no_such_entity_exception, "%.*s", SLICE_PRINT(message));
}

/* ---- Identities ---- */

Error iam_open(Call *call, Txn *txn, IdentityKind kind, Slice name, Identity *identity)
{
    Error error = identity_get(txn, call->actor.account, kind, name, identity);
    if (error != IDENTITY_NOT_FOUND)
        return error;
    if (kind == IDENTITY_PROFILE)
        return iam_no_such_entity(call, "Instance Profile %.*s cannot be found.", SLICE_PRINT(name));
    return iam_no_such_entity(call, "The %s with name %.*s cannot be found.", kind_word(kind), SLICE_PRINT(name));
}

Error iam_open_to_change(Call *call, Txn *txn, IdentityKind kind, Slice name, Identity *identity)
{
    TRY(iam_open(call, txn, kind, name, identity));
    if (kind == IDENTITY_ROLE && slice_starts_with(identity->path, SLICE("/aws-service-role/")))
        return call_fail(call, &iam_error_unmodifiable_entity_exception,
                         "Cannot perform the operation on the protected role '%.*s' - this role is only modifiable by "
                         "AWS",
                         SLICE_PRINT(name));
    return OK;
}

Error iam_create(Call *call, Txn *txn, Identity *identity)
{
    static const char *const words[] = {
        ['r'] = "Role with name", ['u'] = "User with name", ['g'] = "Group with name", ['p'] = "Instance Profile"};
    Error error = identity_create(txn, identity);
    if (error != IDENTITY_EXISTS)
        return error;
    return call_fail(call, &iam_error_entity_already_exists_exception, "%s %.*s already exists.", words[identity->kind],
                     SLICE_PRINT(identity->name));
}

/* ---- Policies ---- */

Slice iam_name_of_arn(Slice arn)
{
    size_t start = arn.size;
    while (start > 0 && arn.data[start - 1] != '/')
        start--;
    return slice_skip(arn, start);
}

typedef struct PolicyAddress {
    Slice account; /* or "aws" */
    Slice path;
    Slice name;
} PolicyAddress;

static Error read_policy_arn(Call *call, Slice arn, PolicyAddress *address)
{
    *address = (PolicyAddress){0};
    Slice prefix = SLICE("arn:aws:iam::");
    Slice rest = slice_starts_with(arn, prefix) ? slice_skip(arn, prefix.size) : SLICE("");
    size_t colon = slice_find(rest, ':');
    address->account = slice_make(rest.data, colon);
    rest = slice_skip(rest, colon);
    address->name = iam_name_of_arn(arn);
    if (!slice_starts_with(rest, SLICE(":policy/")) || address->name.size == 0)
        return call_fail(call, &common_validation, "ARN %.*s is not valid.", SLICE_PRINT(arn));
    rest = slice_skip(rest, SLICE(":policy").size);
    address->path = slice_make(rest.data, rest.size - address->name.size);
    return OK;
}

static Error policy_not_found(Call *call, Slice arn)
{
    return iam_no_such_entity(call, "Policy %.*s was not found.", SLICE_PRINT(arn));
}

Error iam_open_policy(Call *call, Txn *txn, Slice arn, ManagedPolicy *policy, PolicyVersion *version)
{
    PolicyAddress address;
    PolicyVersion unused;
    TRY(read_policy_arn(call, arn, &address));
    if (slice_equal(address.account, SLICE("aws"))) {
        if (aws_policy_find(address.path, address.name, policy, version == NULL ? &unused : version))
            return OK;
        return call_fail(call, &common_not_implemented,
                         "Brume does not have the AWS managed policy %.*s; it can be attached, but not read.",
                         SLICE_PRINT(arn));
    }
    if (!slice_equal(address.account, call->actor.account))
        return policy_not_found(call, arn);
    Error error = managed_policy_get(txn, address.account, address.name, policy);
    if (error == MANAGED_POLICY_NOT_FOUND || (error == OK && !slice_equal(policy->path, address.path)))
        return policy_not_found(call, arn);
    return error;
}

Error iam_open_policy_to_change(Call *call, Txn *txn, Slice arn, ManagedPolicy *policy)
{
    PolicyAddress address;
    TRY(read_policy_arn(call, arn, &address));
    if (slice_equal(address.account, SLICE("aws")))
        return call_fail(call, &common_access_denied, "Cannot perform the operation on the policy %.*s of AWS.",
                         SLICE_PRINT(arn));
    return iam_open_policy(call, txn, arn, policy, NULL);
}

Error iam_check_attachable(Call *call, Txn *txn, Slice arn)
{
    PolicyAddress address;
    ManagedPolicy policy;
    TRY(read_policy_arn(call, arn, &address));
    if (slice_equal(address.account, SLICE("aws")))
        return OK;
    Error error = slice_equal(address.account, call->actor.account)
                      ? managed_policy_get(txn, address.account, address.name, &policy)
                      : MANAGED_POLICY_NOT_FOUND;
    if (error == MANAGED_POLICY_NOT_FOUND || (error == OK && !slice_equal(policy.path, address.path)))
        return iam_no_such_entity(call, "Policy %.*s does not exist or is not attachable.", SLICE_PRINT(arn));
    return error;
}

/* ---- Inputs ---- */

/* "/", or printable ASCII between slashes (IAM API reference, CreateRole: Path). */
Error iam_read_path(Call *call, Slice path, Slice *read)
{
    *read = path.data == NULL ? SLICE("/") : path;
    bool valid = read->data[0] == '/' && read->data[read->size - 1] == '/';
    for (size_t i = 0; i < read->size; i++)
        valid = valid && read->data[i] > ' ' && read->data[i] < 0x7f;
    if (valid)
        return OK;
    return call_fail(call, &common_validation,
                     "The specified value for path is invalid. It must begin and end with / and contain only "
                     "alphanumeric characters and/or / characters.");
}

/* Tab, line ends and printable characters of Latin-1 (IAM API reference: the patterns of descriptions and documents). */
Error iam_check_text(Call *call, const char *member, Slice text)
{
    bool valid = true;
    for (size_t i = 0; i < text.size && valid; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        valid = byte >= 0x80 ? byte <= 0xc3 : byte >= ' ' || byte == '\t' || byte == '\n' || byte == '\r';
    }
    if (valid)
        return OK;
    return call_fail(call, &common_validation,
                     "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must satisfy "
                     "regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+",
                     member);
}

Error iam_read_tags(Call *call, const IamTagList *list, Labels *labels)
{
    *labels = (Labels){ARENA_ARRAY(call->arena, Label, list->count), list->count};
    for (size_t i = 0; i < list->count; i++) {
        const IamTag *tag = &list->items[i];
        if (slice_starts_with(tag->key, SLICE("aws:")))
            return call_fail(call, &iam_error_invalid_input_exception,
                             "Caller is not an AWS service principal, and tag keys that begin with aws: are its own.");
        for (size_t other = 0; other < i; other++)
            if (slice_equal_ignore_case(list->items[other].key, tag->key))
                return call_fail(call, &iam_error_invalid_input_exception,
                                 "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
        labels->items[i] = (Label){tag->key, tag->value};
    }
    return OK;
}

Error iam_check_document(Call *call, PolicyUse use, Slice document)
{
    TRY(iam_check_text(call, "policyDocument", document));
    return iam_refuse(call, policy_document_check(document, use, call->arena));
}

Error iam_check_document_size(Call *call, Slice document, uint64_t most, const char *quota, Slice name)
{
    uint64_t size = 0;
    for (size_t i = 0; i < document.size; i++)
        size +=
            document.data[i] != ' ' && document.data[i] != '\t' && document.data[i] != '\n' && document.data[i] != '\r';
    if (size <= most)
        return OK;
    return call_fail(call, &iam_error_limit_exceeded_exception, "Cannot exceed quota for %s: %ju%s%.*s", quota,
                     (uintmax_t)most, name.size > 0 ? " of " : "", SLICE_PRINT(name));
}

/* ---- Pages ---- */

Error iam_page_start(Call *call, Slice marker, bool has_max_items, int32_t max_items, IdentityPage *page)
{
    *page = (IdentityPage){.limit = has_max_items ? (size_t)max_items : IAM_PAGE};
    if (marker.data == NULL)
        return OK;
    if (base64_decode(call->arena, marker, &page->after) != OK || page->after.size == 0)
        return call_fail(call, &common_validation, "Invalid Marker.");
    return OK;
}

Slice iam_page_marker(Call *call, const IdentityPage *page)
{
    return page->next.data == NULL ? (Slice){0} : base64_encode(call->arena, page->next);
}

/* ---- Outputs ---- */

Slice iam_keep(Call *call, Slice slice)
{
    return slice.data == NULL ? slice : arena_copy(call->arena, slice);
}

Slice iam_keep_document(Call *call, Slice document)
{
    Buffer encoded = buffer_make(call->arena);
    percent_encode(&encoded, document, false);
    return buffer_slice(&encoded);
}

IamTagList iam_tags_of(Call *call, const Labels *labels)
{
    IamTagList list = {ARENA_ARRAY(call->arena, IamTag, labels->count), labels->count};
    for (size_t i = 0; i < labels->count; i++)
        list.items[i] = (IamTag){iam_keep(call, labels->items[i].key), iam_keep(call, labels->items[i].value)};
    return list;
}

static IamAttachedPermissionsBoundary *boundary_of(Call *call, Slice arn)
{
    if (arn.data == NULL)
        return NULL;
    IamAttachedPermissionsBoundary *boundary = ARENA_NEW(call->arena, IamAttachedPermissionsBoundary);
    boundary->permissions_boundary_type = SLICE("Policy");
    boundary->permissions_boundary_arn = iam_keep(call, arn);
    return boundary;
}

IamRole iam_role_of(Call *call, const Identity *identity, IamDetail detail)
{
    IamRole role = {
        .path = iam_keep(call, identity->path),
        .role_name = iam_keep(call, identity->name),
        .role_id = iam_keep(call, identity->id),
        .arn = identity_arn(call->arena, identity),
        .create_date = (int64_t)identity->created_ms,
        .has_create_date = true,
        .assume_role_policy_document = iam_keep_document(call, identity->trust),
        .description = iam_keep(call, identity->description),
    };
    if (detail != IAM_CREATED) {
        role.max_session_duration = (int32_t)identity->session_max_s;
        role.has_max_session_duration = true;
    }
    if (detail == IAM_LISTED)
        return role;
    role.permissions_boundary = boundary_of(call, identity->boundary);
    if (identity->labels.count > 0)
        role.tags = iam_tags_of(call, &identity->labels);
    if (detail == IAM_FULL) /* when a role was last used is not kept */
        role.role_last_used = ARENA_NEW(call->arena, IamRoleLastUsed);
    return role;
}

IamUser iam_user_of(Call *call, const Identity *identity, IamDetail detail)
{
    IamUser user = {
        .path = iam_keep(call, identity->path),
        .user_name = iam_keep(call, identity->name),
        .user_id = iam_keep(call, identity->id),
        .arn = identity_arn(call->arena, identity),
        .create_date = (int64_t)identity->created_ms,
        .has_create_date = true,
    };
    if (detail == IAM_LISTED)
        return user;
    user.permissions_boundary = boundary_of(call, identity->boundary);
    if (identity->labels.count > 0)
        user.tags = iam_tags_of(call, &identity->labels);
    return user;
}

IamGroup iam_group_of(Call *call, const Identity *identity)
{
    return (IamGroup){
        .path = iam_keep(call, identity->path),
        .group_name = iam_keep(call, identity->name),
        .group_id = iam_keep(call, identity->id),
        .arn = identity_arn(call->arena, identity),
        .create_date = (int64_t)identity->created_ms,
        .has_create_date = true,
    };
}

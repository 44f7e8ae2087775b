#include "aws/iam/dialect.h"

/* CreatePolicyVersion, GetPolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion, DeletePolicyVersion. */

static IamPolicyVersion version_of(Call *call, const ManagedPolicy *policy, const PolicyVersion *version)
{
    return (IamPolicyVersion){
        .version_id = arena_format(call->arena, "v%ju", (uintmax_t)version->number),
        .is_default_version = version->number == policy->default_version,
        .has_is_default_version = true,
        .create_date = (int64_t)version->created_ms,
        .has_create_date = true,
    };
}

/* "v3" is number 3 (IAM API reference, GetPolicyVersion: VersionId). */
static Error read_version_id(Call *call, Slice id, uint64_t *number)
{
    *number = 0;
    if (id.size > 1 && id.data[0] == 'v' && id.data[1] != '0' && slice_parse_uint64(slice_skip(id, 1), number))
        return OK;
    return call_fail(call, &common_validation,
                     "1 validation error detected: Value at 'versionId' failed to satisfy constraint: Member must "
                     "satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?");
}

static Error version_not_found(Call *call, Slice arn, Slice id)
{
    return iam_no_such_entity(call, "Policy %.*s version %.*s does not exist or is not attachable.", SLICE_PRINT(arn),
                              SLICE_PRINT(id));
}

Error iam_create_policy_version(Call *call, Txn *txn, const CreatePolicyVersionInput *in,
                                CreatePolicyVersionOutput *out)
{
    ManagedPolicy policy;
    PolicyVersion version;
    TRY(iam_open_policy_to_change(call, txn, in->policy_arn, &policy));
    TRY(iam_check_document(call, POLICY_OF_PERMISSIONS, in->policy_document));
    TRY(iam_check_document_size(call, in->policy_document, call->limits->value[LIMIT_IAM_POLICY_CHARACTERS],
                                "PolicySize", (Slice){0}));
    TRY(policy_version_create(txn, &policy, in->policy_document, in->set_as_default, &version));
    out->policy_version = ARENA_NEW(call->arena, IamPolicyVersion);
    *out->policy_version = version_of(call, &policy, &version);
    return OK;
}

Error iam_get_policy_version(Call *call, Txn *txn, const GetPolicyVersionInput *in, GetPolicyVersionOutput *out)
{
    ManagedPolicy policy;
    PolicyVersion version;
    uint64_t number;
    TRY(read_version_id(call, in->version_id, &number));
    TRY(iam_open_policy(call, txn, in->policy_arn, &policy, &version));
    Error error = OK;
    if (!slice_equal(policy.account, SLICE("aws")))
        error = policy_version_get(txn, &policy, number, &version);
    else if (number != version.number)
        error = POLICY_VERSION_NOT_FOUND;
    if (error == POLICY_VERSION_NOT_FOUND)
        return version_not_found(call, in->policy_arn, in->version_id);
    if (error != OK)
        return error;
    out->policy_version = ARENA_NEW(call->arena, IamPolicyVersion);
    *out->policy_version = version_of(call, &policy, &version);
    out->policy_version->document = iam_keep_document(call, version.document);
    return OK;
}

/* There are five at most: one page, unless a smaller one is asked for. The marker is the last version given. */
Error iam_list_policy_versions(Call *call, Txn *txn, const ListPolicyVersionsInput *in, ListPolicyVersionsOutput *out)
{
    ManagedPolicy policy;
    PolicyVersion versions[POLICY_VERSIONS_MAX];
    size_t count = 1;
    IdentityPage page;
    uint64_t below = UINT64_MAX;
    TRY(iam_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    if (page.after.size > 0 && !slice_parse_uint64(page.after, &below))
        return call_fail(call, &common_validation, "Invalid Marker.");
    TRY(iam_open_policy(call, txn, in->policy_arn, &policy, &versions[0]));
    if (!slice_equal(policy.account, SLICE("aws")))
        TRY(policy_version_list(txn, &policy, versions, &count));
    out->versions = (IamPolicyDocumentVersionList){ARENA_ARRAY(call->arena, IamPolicyVersion, count), 0};
    for (size_t i = 0; i < count; i++) {
        if (versions[i].number >= below)
            continue;
        if (out->versions.count == page.limit) {
            page.next = arena_format(call->arena, "%ju", (uintmax_t)versions[i - 1].number);
            break;
        }
        out->versions.items[out->versions.count++] = version_of(call, &policy, &versions[i]);
    }
    IAM_PAGE_END(call, &page, out);
    return OK;
}

Error iam_set_default_policy_version(Call *call, Txn *txn, const SetDefaultPolicyVersionInput *in,
                                     SetDefaultPolicyVersionOutput *out)
{
    (void)out;
    ManagedPolicy policy;
    uint64_t number;
    TRY(read_version_id(call, in->version_id, &number));
    TRY(iam_open_policy_to_change(call, txn, in->policy_arn, &policy));
    Error error = policy_version_set_default(txn, &policy, number);
    return error == POLICY_VERSION_NOT_FOUND ? version_not_found(call, in->policy_arn, in->version_id) : error;
}

Error iam_delete_policy_version(Call *call, Txn *txn, const DeletePolicyVersionInput *in,
                                DeletePolicyVersionOutput *out)
{
    (void)out;
    ManagedPolicy policy;
    uint64_t number;
    TRY(read_version_id(call, in->version_id, &number));
    TRY(iam_open_policy_to_change(call, txn, in->policy_arn, &policy));
    Error error = policy_version_delete(txn, &policy, number);
    return error == POLICY_VERSION_NOT_FOUND ? version_not_found(call, in->policy_arn, in->version_id) : error;
}

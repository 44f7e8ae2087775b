#include "aws/iam/dialect.h"

/* The service's hooks: core's errors and constraint violations in IAM's words. */

typedef struct CoreRow {
    Error code;
    const ApiError *error;
    const char *message;
} CoreRow;

static const CoreRow core_rows[] = {
    {POLICY_NO_JSON, &iam_error_malformed_policy_document_exception, "This policy contains invalid Json"},
    {POLICY_SYNTAX, &iam_error_malformed_policy_document_exception, "Syntax errors in policy."},
    {POLICY_VERSION, &iam_error_malformed_policy_document_exception, "The policy must contain a valid version string"},
    {POLICY_SID_INVALID, &iam_error_malformed_policy_document_exception,
     "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
    {POLICY_SID_REPEATED, &iam_error_malformed_policy_document_exception,
     "Statement IDs (SID) in a single policy must be unique."},
    {POLICY_ACTION_MISSING, &iam_error_malformed_policy_document_exception, "Policy statement must contain actions."},
    {POLICY_ACTION_VENDOR, &iam_error_malformed_policy_document_exception,
     "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
    {POLICY_TRUST_ACTION, &iam_error_malformed_policy_document_exception,
     "AssumeRole policy may only specify STS AssumeRole actions."},
    {POLICY_RESOURCE_MISSING, &iam_error_malformed_policy_document_exception,
     "Policy statement must contain resources."},
    {POLICY_RESOURCE_FORM, &iam_error_malformed_policy_document_exception, "Resource must be in ARN format or \"*\"."},
    {POLICY_RESOURCE_FORBIDDEN, &iam_error_malformed_policy_document_exception, "Has prohibited field Resource"},
    {POLICY_PRINCIPAL_MISSING, &iam_error_malformed_policy_document_exception, "Missing required field Principal"},
    {POLICY_PRINCIPAL_FORBIDDEN, &iam_error_malformed_policy_document_exception,
     "Policy document should not specify a principal."},
    {POLICY_PRINCIPAL_INVALID, &iam_error_malformed_policy_document_exception, "Invalid principal in policy"},
    {IDENTITY_LIMIT, &iam_error_limit_exceeded_exception, "The quota of the account is reached."},
    {IDENTITY_TAGS_LIMIT, &iam_error_limit_exceeded_exception, "The number of tags has reached the maximum limit."},
    {IDENTITY_HAS_POLICIES, &iam_error_delete_conflict_exception,
     "Cannot delete entity, must detach all policies first."},
    {IDENTITY_HAS_INLINE, &iam_error_delete_conflict_exception, "Cannot delete entity, must delete policies first."},
    {IDENTITY_HAS_MEMBERS, &iam_error_delete_conflict_exception,
     "Cannot delete entity, must remove referenced objects first."},
    {IDENTITY_HAS_KEYS, &iam_error_delete_conflict_exception, "Cannot delete entity, must delete access keys first."},
    {INLINE_LIMIT, &iam_error_limit_exceeded_exception,
     "Maximum policy size exceeded for all inline policies of the entity."},
    {ATTACHMENT_LIMIT, &iam_error_limit_exceeded_exception, "Cannot exceed quota for attached policies."},
    {MANAGED_POLICY_LIMIT, &iam_error_limit_exceeded_exception, "Cannot exceed quota for policies of the account."},
    {MANAGED_POLICY_ATTACHED, &iam_error_delete_conflict_exception, "Cannot delete a policy attached to entities."},
    {MANAGED_POLICY_HAS_VERSIONS, &iam_error_delete_conflict_exception,
     "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The "
     "default version is deleted with the policy."},
    {POLICY_VERSION_LIMIT, &iam_error_limit_exceeded_exception,
     "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
     "version."},
    {POLICY_VERSION_IS_DEFAULT, &iam_error_delete_conflict_exception, "Cannot delete the default version of a policy."},
};

Error iam_refuse(Call *call, Error error)
{
    for (size_t i = 0; i < sizeof core_rows / sizeof core_rows[0]; i++)
        if (core_rows[i].code == error)
            return call_fail(call, core_rows[i].error, "%s", core_rows[i].message);
    return error;
}

Error iam_not_implemented(Call *call, const char *feature)
{
    return call_fail(call, &common_not_implemented, "Brume does not implement %s.", feature);
}

/* A name of an identity says which characters it may have; all else is told in the uniform words. */
static Error violation(Call *call, const Violation *violation)
{
    bool name = violation->kind == VIOLATION_PATTERN && violation->member != NULL &&
                slice_ends_with(violation->member->name, SLICE("Name"));
    if (!name)
        return OK;
    return call_fail(call, &common_validation,
                     "The specified value for %.*s is invalid. It must contain only alphanumeric characters and/or the "
                     "following: +=,.@_-",
                     SLICE_PRINT(violation->path));
}

/* All of an account's identities change at one home, whatever the region. */
static Home home(const Call *call, Slice value)
{
    (void)value;
    return identity_home(call->actor.account);
}

const ServiceHooks iam_hooks = {
    .violation = violation,
    .hides_values = true,
    .core_error = iam_refuse,
    .home = home,
};

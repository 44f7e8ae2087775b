/* managed_policy.h: policies that stand by themselves, with their versions.
 *
 * Records of an account, in the manner of identity.h. Documents were checked before they come here
 * (core/policy_document.h). */
#ifndef BRUME_CORE_MANAGED_POLICY_H
#define BRUME_CORE_MANAGED_POLICY_H

#include "core/identity.h"

enum { POLICY_VERSIONS_MAX = 5 }; /* IAM quotas: versions of a managed policy */

typedef struct ManagedPolicy {
    Slice account;
    Slice name;
    Slice path;
    Slice id;
    Slice description; /* absent: none */
    uint64_t created_ms;
    uint64_t updated_ms;
    uint64_t default_version; /* 3: "v3" */
    uint64_t next_version;
    Labels labels;
} ManagedPolicy;

typedef struct PolicyVersion {
    uint64_t number;
    Slice document;
    uint64_t created_ms;
} PolicyVersion;

/* "arn:aws:iam::123456789012:policy/some/where/name". */
Slice managed_policy_arn(Arena *arena, const ManagedPolicy *policy);

/* Makes one of what the caller filled in (account, name, path, description, labels), with version 1, and fills in the
 * rest. MANAGED_POLICY_EXISTS, MANAGED_POLICY_LIMIT, IDENTITY_TAGS_LIMIT. */
Error managed_policy_create(Txn *txn, Slice document, ManagedPolicy *policy);
/* MANAGED_POLICY_NOT_FOUND. */
Error managed_policy_get(Txn *txn, Slice account, Slice name, ManagedPolicy *policy);
/* Keeps the labels. IDENTITY_TAGS_LIMIT. */
Error managed_policy_put(Txn *txn, const ManagedPolicy *policy);
/* MANAGED_POLICY_ATTACHED, MANAGED_POLICY_HAS_VERSIONS. */
Error managed_policy_delete(Txn *txn, const ManagedPolicy *policy);
/* Those whose path begins with `path_prefix`, by name; `attached_only`: that somebody has, in that way. */
typedef struct ManagedPolicyFilter {
    Slice path_prefix;
    bool attached_only;
    PolicyRole as;
} ManagedPolicyFilter;
Error managed_policy_list(Txn *txn, Slice account, const ManagedPolicyFilter *filter, IdentityPage *page,
                          ManagedPolicy **policies, size_t *count);

/* ---- Versions ---- */

/* POLICY_VERSION_LIMIT. */
Error policy_version_create(Txn *txn, ManagedPolicy *policy, Slice document, bool make_default, PolicyVersion *version);
/* POLICY_VERSION_NOT_FOUND. */
Error policy_version_get(Txn *txn, const ManagedPolicy *policy, uint64_t number, PolicyVersion *version);
/* All of them, the newest first. */
Error policy_version_list(Txn *txn, const ManagedPolicy *policy, PolicyVersion versions[POLICY_VERSIONS_MAX],
                          size_t *count);
/* POLICY_VERSION_NOT_FOUND. */
Error policy_version_set_default(Txn *txn, ManagedPolicy *policy, uint64_t number);
/* POLICY_VERSION_NOT_FOUND, POLICY_VERSION_IS_DEFAULT. */
Error policy_version_delete(Txn *txn, const ManagedPolicy *policy, uint64_t number);

#endif

/* dialect.h: IAM's words for core/identity.h and core/managed_policy.h. For aws/iam alone.
 *
 * Slices of core live as long as the transaction; what goes into an answer is copied into the call's arena. */
#ifndef BRUME_AWS_IAM_DIALECT_H
#define BRUME_AWS_IAM_DIALECT_H

#include "api/iam.h"
#include "aws/wire/common_error.h"
#include "core/identity.h"
#include "core/managed_policy.h"
#include "core/policy_document.h"

/* ---- Asking ---- */

/* The caller's role, user, group or instance profile; NoSuchEntity. */
Error iam_open(Call *call, Txn *txn, IdentityKind kind, Slice name, Identity *identity);
/* The same, for a change: service-linked roles are AWS's own (UnmodifiableEntity). */
Error iam_open_to_change(Call *call, Txn *txn, IdentityKind kind, Slice name, Identity *identity);
/* Makes it, with IAM's words when it exists. */
Error iam_create(Call *call, Txn *txn, Identity *identity);

/* The policy of that ARN: NoSuchEntity; 501 for one of AWS's that is not in the table. `version`: the table's document;
 * NULL: not asked for. */
Error iam_open_policy(Call *call, Txn *txn, Slice arn, ManagedPolicy *policy, PolicyVersion *version);
/* The same, for a change: AWS's own cannot be. */
Error iam_open_policy_to_change(Call *call, Txn *txn, Slice arn, ManagedPolicy *policy);
/* Whether a policy of that ARN may be attached, or be a boundary: one of the account, which must be there, or any of
 * AWS's, whose table is not complete. */
Error iam_check_attachable(Call *call, Txn *txn, Slice arn);
/* The policy of AWS of that path and name, and its document; false: it is not in the table (aws_policies.c), which has
 * those that stand beside functions most often, and says nothing of whether AWS has it. Their account is "aws". */
bool aws_policy_find(Slice path, Slice name, ManagedPolicy *policy, PolicyVersion *version);
/* The one of that place in the table, in the order of names; false past its end. */
bool aws_policy_at(size_t place, ManagedPolicy *policy);
/* Names behind the last '/'. */
Slice iam_name_of_arn(Slice arn);

/* Core's code as a refusal in IAM's words, if it has one there. */
Error iam_refuse(Call *call, Error error);
Error iam_no_such_entity(Call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
Error iam_not_implemented(Call *call, const char *feature);

/* ---- Inputs ---- */

/* An absent path is "/". ValidationError. */
Error iam_read_path(Call *call, Slice path, Slice *read);
Error iam_check_text(Call *call, const char *member, Slice text);
Error iam_read_tags(Call *call, const IamTagList *list, Labels *labels);
Error iam_check_document(Call *call, PolicyUse use, Slice document);
/* White space is not counted; 0: no limit but the declared one. LimitExceeded. */
Error iam_check_document_size(Call *call, Slice document, uint64_t most, const char *quota, Slice name);

enum { IAM_PAGE = 100 }; /* IAM API reference: MaxItems when absent */
Error iam_page_start(Call *call, Slice marker, bool has_max_items, int32_t max_items, IdentityPage *page);
/* The marker for the answer; absent: that was all. */
Slice iam_page_marker(Call *call, const IdentityPage *page);
/* Sets IsTruncated and Marker of a list's output. */
#define IAM_PAGE_END(call, page, out)                                                                                  \
    ((out)->marker = iam_page_marker((call), (page)), (out)->is_truncated = (out)->marker.data != NULL,                \
     (out)->has_is_truncated = true)

/* ---- Outputs ---- */

Slice iam_keep(Call *call, Slice slice);
/* Documents are given percent-encoded (IAM API reference, GetRole: RFC 3986). */
Slice iam_keep_document(Call *call, Slice document);
IamTagList iam_tags_of(Call *call, const Labels *labels);
/* Lists tell less of each than Get does (IAM API reference, ListRoles: no tags, no boundary). */
typedef enum IamDetail { IAM_LISTED, IAM_CREATED, IAM_FULL } IamDetail;
IamRole iam_role_of(Call *call, const Identity *identity, IamDetail detail);
IamUser iam_user_of(Call *call, const Identity *identity, IamDetail detail);
IamGroup iam_group_of(Call *call, const Identity *identity);

#endif

/* policy_document.h: policy documents: their grammar, and whom a trust policy lets in.
 *
 * Pure functions of text; what they give lies in the arena or is a view into the document. The grammar is that of the
 * IAM user guide, "Grammar of the IAM JSON policy language". Any thread; nothing blocks. */
#ifndef BRUME_CORE_POLICY_DOCUMENT_H
#define BRUME_CORE_POLICY_DOCUMENT_H

#include "base/arena.h"
#include "core/core_error.h"

/* Where a document stands decides which elements it must and must not have. */
typedef enum PolicyUse {
    POLICY_OF_PERMISSIONS, /* names actions and resources, no principal */
    POLICY_OF_TRUST,       /* a role's: names principals and STS actions, no resource */
} PolicyUse;

/* OK, or the first POLICY_* code that holds. */
Error policy_document_check(Slice document, PolicyUse use, Arena *arena);

/* Who asks to take a role on. Absent slices: there is none. */
typedef struct TrustRequest {
    Slice account;       /* the principal's */
    Slice principal_arn; /* of a user, root or session */
    Slice role_arn;      /* a session's role: a policy may name that instead */
    Slice service;       /* "lambda.amazonaws.com", when the platform asks for itself */
    Slice action;        /* "sts:AssumeRole" */
    Slice external_id;
} TrustRequest;

/* Whether the trust policy allows it: some statement allows it and none denies it. Of conditions, StringEquals on
 * sts:ExternalId is evaluated; every other one counts as unfulfilled in an Allow and as fulfilled in a Deny, so that a
 * condition that is not understood never opens a door. Principals of other kinds (federated, canonical users) never
 * match. A document that cannot be read allows nothing. */
bool policy_trust_allows(Slice document, const TrustRequest *request, Arena *arena);

/* '*' stands for any run of characters, '?' for any one (IAM user guide, "IAM JSON policy elements: Action"); the case of
 * letters does not matter in actions, but in ARNs (the same, "Condition operators": ArnLike). */
bool policy_wildcard_matches(Slice pattern, Slice text, bool any_case);

#endif

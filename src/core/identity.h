/* identity.h: who there is in an account: roles, users, groups and instance profiles, and which policies they have.
 *
 * Bodies over a transaction, in the manner of account.h: slices given back live until the transaction ends. All of an
 * account's identities are one namespace whatever the region, and one home. Names of a kind differ in more than the
 * case of their letters (IAM user guide, "IAM identifiers"); a name is found as it was given. A policy is referred to
 * by its ARN. Nothing is enforced yet: policies are stored and given back. */
#ifndef BRUME_CORE_IDENTITY_H
#define BRUME_CORE_IDENTITY_H

#include "core/core_error.h"
#include "store/store.h"

typedef enum IdentityKind {
    IDENTITY_ROLE = 'r',
    IDENTITY_USER = 'u',
    IDENTITY_GROUP = 'g',
    IDENTITY_PROFILE = 'p', /* an instance profile */
} IdentityKind;

typedef struct Label {
    Slice key;
    Slice value;
} Label;

typedef struct Labels {
    Label *items;
    size_t count;
} Labels;

typedef struct Identity {
    IdentityKind kind;
    Slice account;
    Slice name;
    Slice path; /* "/", or "/some/where/" */
    Slice id;   /* "AROA…": another one when a name is used again */
    uint64_t created_ms;
    Slice boundary; /* a policy's ARN; absent: none */
    Labels labels;
    /* Roles. */
    Slice trust;
    Slice description; /* absent: none */
    uint64_t session_max_s;
} Identity;

/* Which part of a list is asked for, and where the next one begins. */
typedef struct IdentityPage {
    Slice after;  /* the place that an earlier `next` gave; empty: the start */
    size_t limit; /* at least 1 */
    Slice next;   /* given back; absent: that was all */
} IdentityPage;

Home identity_home(Slice account);

/* "arn:aws:iam::123456789012:role/some/where/name". */
Slice identity_arn(Arena *arena, const Identity *identity);

/* ---- Records ---- */

/* Makes one of what the caller filled in (kind, account, name, path, boundary, labels; a role's own), and fills in id
 * and created_ms. IDENTITY_EXISTS, IDENTITY_LIMIT, IDENTITY_TAGS_LIMIT. */
Error identity_create(Txn *txn, Identity *identity);
/* IDENTITY_NOT_FOUND. */
Error identity_get(Txn *txn, Slice account, IdentityKind kind, Slice name, Identity *identity);
/* Keeps what was changed of path, boundary, labels and a role's own. IDENTITY_TAGS_LIMIT. */
Error identity_put(Txn *txn, const Identity *identity);
/* IDENTITY_HAS_POLICIES, _INLINE, _MEMBERS, _KEYS: those go first. */
Error identity_delete(Txn *txn, const Identity *identity);
/* Those whose path begins with `path_prefix`, by name. */
Error identity_list(Txn *txn, Slice account, IdentityKind kind, Slice path_prefix, IdentityPage *page,
                    Identity **identities, size_t *count);

/* Keeps the last task by which a role of that name was deleted, and asks for it. */
void identity_deletion_put(Txn *txn, const Identity *role, Slice task);
Error identity_deletion_find(Txn *txn, Slice account, Slice role_name, Slice task, bool *found);

/* Sets labels, and removes those of these keys; keys differ in more than their letters' case. */
void labels_set(Arena *arena, Labels *labels, const Label *items, size_t count);
void labels_remove(Labels *labels, const Slice *keys, size_t count);

/* ---- Inline policies ---- */

/* INLINE_LIMIT: all of them together, white space apart, pass the kind's limit (IAM quotas). */
Error inline_put(Txn *txn, const Identity *identity, Slice name, Slice document);
/* INLINE_NOT_FOUND. */
Error inline_get(Txn *txn, const Identity *identity, Slice name, Slice *document);
Error inline_delete(Txn *txn, const Identity *identity, Slice name);
Error inline_list(Txn *txn, const Identity *identity, IdentityPage *page, Slice **names, size_t *count);

/* ---- Managed policies, by their ARNs ---- */

/* Attaching twice is once. ATTACHMENT_LIMIT. */
Error attachment_put(Txn *txn, const Identity *identity, Slice policy_arn);
/* ATTACHMENT_NOT_FOUND. */
Error attachment_delete(Txn *txn, const Identity *identity, Slice policy_arn);
/* ARNs of those whose path begins with `path_prefix`. */
Error attachment_list(Txn *txn, const Identity *identity, Slice path_prefix, IdentityPage *page, Slice **policy_arns,
                      size_t *count);

typedef enum PolicyRole { POLICY_ATTACHED = 'a', POLICY_BOUNDARY = 'b' } PolicyRole;
/* Who has the policy, in that way: roles, users, groups. */
Error policy_users_count(Txn *txn, Slice account, Slice policy_arn, PolicyRole as, size_t *count);
/* `kind` 0: of any. */
Error policy_users_list(Txn *txn, Slice account, Slice policy_arn, PolicyRole as, char kind, Slice path_prefix,
                        IdentityPage *page, Identity **identities, size_t *count);

/* ---- Members: users of groups, and roles of instance profiles ---- */

/* Adding twice is once. MEMBER_LIMIT: a user is in 10 groups at most, a profile has one role (IAM quotas). */
Error member_add(Txn *txn, const Identity *container, const Identity *member);
/* MEMBER_NOT_FOUND. */
Error member_remove(Txn *txn, const Identity *container, const Identity *member);
Error member_list(Txn *txn, const Identity *container, IdentityPage *page, Identity **members, size_t *count);
/* The groups of a user, the profiles of a role. */
Error member_containers(Txn *txn, const Identity *member, IdentityPage *page, Identity **containers, size_t *count);

#endif

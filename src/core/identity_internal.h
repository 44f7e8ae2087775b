/* identity_internal.h: keys and scans that the files of identities share. For identity*.c and managed_policy.c only.
 *
 * Keys of the store, all of them under (account, "", KIND_IDENTITY); names in lower case, so that they are unique
 * whatever the case of their letters:
 *   'n' kind name               → an identity
 *   'c' kind                    → how many there are ('m' for `kind`: managed policies)
 *   'd' kind name               → the last task that deleted one of that name
 *   'i' kind name policy-name   → an inline policy
 *   'a' kind name policy-arn    → an attached policy
 *   'u' policy-arn use kind name → who has the policy
 *   'm' kind name member        → a member of a group or profile
 *   'g' kind name container     → a group or profile that it is a member of
 *   'p' name                    → a managed policy
 *   'v' name number             → a version of one
 * and the one key ("", "", KIND_IDENTITY) 's' → the secret of session tokens. */
#ifndef BRUME_CORE_IDENTITY_INTERNAL_H
#define BRUME_CORE_IDENTITY_INTERNAL_H

#include "core/identity.h"
#include "store/key.h"

enum {
    IDENTITY_TAG_RECORD = 'n',
    IDENTITY_TAG_COUNT = 'c',
    IDENTITY_TAG_DELETION = 'd',
    IDENTITY_TAG_INLINE = 'i',
    IDENTITY_TAG_ATTACHED = 'a',
    IDENTITY_TAG_USE = 'u',
    IDENTITY_TAG_MEMBER = 'm',
    IDENTITY_TAG_CONTAINER = 'g',
    IDENTITY_TAG_POLICY = 'p',
    IDENTITY_TAG_VERSION = 'v',
    IDENTITY_TAG_SECRET = 's',
};

/* The value of a key that says all by being there. */
enum { IDENTITY_SCHEMA_MARK = 1 };

Buffer identity_key(Txn *txn, Slice account, char tag);
/* Under it stand the identity's own keys of that tag. */
Buffer identity_own_key(Txn *txn, const Identity *identity, char tag);
void identity_put_mark(Txn *txn, Slice key);

typedef struct IdentityEntry {
    Slice id; /* the last string of the key */
    Slice value;
} IdentityEntry;

/* Whether an entry belongs to what is listed. */
typedef Error (*IdentityFilter)(Txn *txn, const IdentityEntry *entry, const void *context, bool *belongs);

/* One page of the keys `prefix` + string that pass the filter (NULL: all). */
Error identity_scan(Txn *txn, Slice prefix, IdentityFilter filter, const void *context, IdentityPage *page,
                    IdentityEntry **entries, size_t *count);
/* Counts them, up to `most`. */
Error identity_count(Txn *txn, Slice prefix, size_t most, size_t *count);

Error identity_read(Txn *txn, Slice account, IdentityKind kind, Slice value, Identity *identity);
/* By its name in lower case; `found` false: it is gone. */
Error identity_find(Txn *txn, Slice account, IdentityKind kind, Slice folded, Identity *identity, bool *found);

/* Adds `step` to the count of that kind. IDENTITY_LIMIT past `most`. */
Error identity_count_add(Txn *txn, Slice account, char kind, int step, uint64_t most);

/* `letters` ("AROA") and 17 characters of base32, as AWS's unique ids (IAM user guide, "IAM identifiers"). */
Slice identity_new_id(Txn *txn, const char *letters);

void identity_use_put(Txn *txn, const Identity *identity, Slice policy_arn, char as);
void identity_use_delete(Txn *txn, const Identity *identity, Slice policy_arn, char as);

void value_add_labels(Buffer *value, const Labels *labels);
Error value_take_labels(Slice *value, Arena *arena, Labels *labels);

#endif

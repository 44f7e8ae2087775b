/* account.h: accounts and their access keys.
 *
 * Bodies over a transaction: they read and write keys of `txn`, never block, and may be rerun; slices given back live
 * until the transaction ends. Account 000000000000 is always there. Keys belong to one account and are found by their
 * id over all of them. Administration alone calls the writing ones; the authenticator reads. */
#ifndef BRUME_CORE_ACCOUNT_H
#define BRUME_CORE_ACCOUNT_H

#include "core/core_error.h"
#include "store/store.h"

#include <stdatomic.h>

enum {
    ACCOUNT_ID_SIZE = 12,
    ACCOUNT_NAME_MAX = 50,     /* AWS Organizations API reference, CreateAccount: AccountName */
    ACCOUNT_KEYS_MAX = 100,    /* access keys of one account; our own bound */
    ACCOUNT_USER_KEYS_MAX = 2, /* IAM quotas: access keys of a user */
    ACCOUNT_PAGE = 100,        /* entries that one listing gives */
    ACCESS_KEY_ID_SIZE = 20,   /* "AKIA" and 16 characters of base32 */
    ACCESS_KEY_SECRET_SIZE = 40,
};

#define ACCOUNT_DEFAULT SLICE("000000000000")

/* Says that keys have changed, so that what was derived from them is forgotten. Shared by all threads: whoever changes
 * keys bumps it once the change is durable and before it says so. */
typedef struct AccountGeneration {
    _Atomic uint64_t number;
} AccountGeneration;

typedef struct Account {
    Slice id; /* 12 digits */
    Slice name;
    uint64_t created_ms;
} Account;

typedef struct AccessKey {
    Slice id;
    Slice secret;
    Slice account;
    uint64_t created_ms;
    Slice user;    /* absent: the account's own, its root */
    bool inactive; /* signs nothing until it is active again */
} AccessKey;

/* Whether it is 12 digits. */
bool account_id_is_valid(Slice id);

/* Where changes of accounts and keys are at home. */
Home account_home(void);

/* Makes an account; an absent `id` is chosen. ACCOUNT_EXISTS, ACCOUNT_ID_INVALID, ACCOUNT_NAME_INVALID (longer than
 * ACCOUNT_NAME_MAX characters or no printable UTF-8; empty is fine). */
Error account_create(Txn *txn, Slice id, Slice name, Account *account);

/* ACCOUNT_NOT_FOUND. */
Error account_get(Txn *txn, Slice id, Account *account);

/* Up to ACCOUNT_PAGE accounts in the order of their ids, those after `after` (empty: from the first). The default
 * account is not among them unless it was created. */
Error account_list(Txn *txn, Slice after, Account *accounts, size_t *count);

/* Makes an access key of the account. ACCOUNT_NOT_FOUND, ACCESS_KEY_LIMIT. */
Error access_key_create(Txn *txn, Slice account, AccessKey *key);

/* ACCESS_KEY_NOT_FOUND. */
Error access_key_get(Txn *txn, Slice id, AccessKey *key);

/* All keys of an account (at most ACCOUNT_KEYS_MAX), by id. ACCOUNT_NOT_FOUND. */
Error access_key_list(Txn *txn, Slice account, AccessKey *keys, size_t *count);

/* Makes an access key of one of its users (core/identity.h), who exists. ACCESS_KEY_LIMIT: past ACCOUNT_USER_KEYS_MAX. */
Error access_key_create_for_user(Txn *txn, Slice account, Slice user, AccessKey *key);
/* The user's keys, by id; they are not among the account's own. */
Error access_key_list_of_user(Txn *txn, Slice account, Slice user, AccessKey keys[ACCOUNT_USER_KEYS_MAX],
                              size_t *count);
/* Lets the key sign, or not. ACCESS_KEY_NOT_FOUND. */
Error access_key_set_inactive(Txn *txn, Slice id, bool inactive);

/* Deletes the key. ACCESS_KEY_NOT_FOUND. */
Error access_key_revoke(Txn *txn, Slice id);

#endif

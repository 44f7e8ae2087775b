#include "core/account.h"

#include "base/bug.h"
#include "base/json.h"
#include "store/key.h"

/* Keys of the store, all of them under no region:
 *   ("", "", KIND_ACCOUNT) 'a' account id                → an account
 *   ("", "", KIND_ACCOUNT) 'k' access key id             → an access key
 *   (account, "", KIND_ACCOUNT) 'k' access key id        → nothing: the account's keys
 *   (account, "", KIND_ACCOUNT) 'u' user access key id   → nothing: the user's keys */
enum { TAG_ACCOUNT = 'a', TAG_KEY = 'k', TAG_USER_KEY = 'u' };
enum { SCHEMA_ACCOUNT = 1, SCHEMA_KEY = 1, SCHEMA_KEY_OF_USER = 2, SCHEMA_KEY_OF_ACCOUNT = 1 };

static const Slice nobody = SLICE_INIT("");

bool account_id_is_valid(Slice id)
{
    if (id.size != ACCOUNT_ID_SIZE)
        return false;
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] < '0' || id.data[i] > '9')
            return false;
    return true;
}

Home account_home(void)
{
    return home_of(nobody, nobody, SLICE("account"), nobody);
}

static Buffer prefix_of(Txn *txn, Slice account, char tag)
{
    Buffer key = key_start(txn_arena(txn), account, nobody, KIND_ACCOUNT);
    key_add_tag(&key, tag);
    return key;
}

static Slice key_of(Txn *txn, Slice account, char tag, Slice id)
{
    Buffer key = prefix_of(txn, account, tag);
    key_add_string(&key, id);
    return buffer_slice(&key);
}

/* Takes the id off a key that begins with `prefix`. */
static Error id_of_key(Txn *txn, Slice key, Slice prefix, Slice *id)
{
    ASSERT(slice_starts_with(key, prefix));
    Slice rest = slice_skip(key, prefix.size);
    return key_take_string(&rest, txn_arena(txn), id);
}

/* ---- Accounts ---- */

static bool name_is_valid(Slice name)
{
    size_t characters = 0;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char byte = (unsigned char)name.data[i];
        if (byte < 0x20 || byte == 0x7f)
            return false;
        characters += (byte & 0xc0) != 0x80;
    }
    return characters <= ACCOUNT_NAME_MAX && utf8_is_valid(name);
}

static Error read_account(Slice id, Slice value, Account *account)
{
    uint8_t schema;
    *account = (Account){.id = id};
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_ACCOUNT)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &account->name));
    return value_take_uint64(&value, &account->created_ms);
}

static Error find_account(Txn *txn, Slice id, Account *account, bool *found)
{
    Slice value;
    TRY(txn_get(txn, key_of(txn, nobody, TAG_ACCOUNT, id), &value, found));
    if (*found)
        return read_account(id, value, account);
    if (slice_equal(id, ACCOUNT_DEFAULT)) {
        *account = (Account){.id = ACCOUNT_DEFAULT, .name = SLICE("default")};
        *found = true;
    }
    return OK;
}

/* 12 digits, the first not 0, which no account has. */
static Error choose_id(Txn *txn, Slice *id)
{
    bool found = true;
    while (found) {
        Account other;
        *id = arena_format(txn_arena(txn), "%012llu",
                           (unsigned long long)(100000000000u + txn_random(txn) % 900000000000u));
        TRY(find_account(txn, *id, &other, &found));
    }
    return OK;
}

Error account_create(Txn *txn, Slice id, Slice name, Account *account)
{
    if (name.data == NULL)
        name = nobody;
    if (!name_is_valid(name))
        return ACCOUNT_NAME_INVALID;
    if (id.data == NULL)
        TRY(choose_id(txn, &id));
    if (!account_id_is_valid(id))
        return ACCOUNT_ID_INVALID;
    bool found;
    Slice old;
    Slice key = key_of(txn, nobody, TAG_ACCOUNT, id);
    TRY(txn_get(txn, key, &old, &found));
    if (found)
        return ACCOUNT_EXISTS;
    *account = (Account){
        .id = arena_copy(txn_arena(txn), id),
        .name = arena_copy(txn_arena(txn), name),
        .created_ms = txn_now(txn),
    };
    Buffer value = value_start(txn_arena(txn), SCHEMA_ACCOUNT);
    value_add_bytes(&value, account->name);
    value_add_uint64(&value, account->created_ms);
    txn_put(txn, key, buffer_slice(&value));
    return OK;
}

Error account_get(Txn *txn, Slice id, Account *account)
{
    bool found;
    TRY(find_account(txn, id, account, &found));
    return found ? OK : ACCOUNT_NOT_FOUND;
}

/* Values of a cursor live until its next step only. */
static Account keep_account(Arena *arena, Account account)
{
    account.name = arena_copy(arena, account.name);
    return account;
}

Error account_list(Txn *txn, Slice after, Account *accounts, size_t *count)
{
    Buffer prefix = prefix_of(txn, nobody, TAG_ACCOUNT);
    KeyRange range = key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix));
    if (after.size > 0) {
        Buffer behind = buffer_make(txn_arena(txn));
        buffer_add(&behind, key_of(txn, nobody, TAG_ACCOUNT, after));
        buffer_add_byte(&behind, '\0');
        range.begin = buffer_slice(&behind);
    }
    *count = 0;
    Slice key;
    Slice value;
    Slice id;
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    Error error = OK;
    while (*count < ACCOUNT_PAGE && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        Account account;
        if ((error = id_of_key(txn, key, buffer_slice(&prefix), &id)) != OK ||
            (error = read_account(id, value, &account)) != OK)
            break;
        accounts[(*count)++] = keep_account(txn_arena(txn), account);
    }
    cursor_close(cursor);
    return error;
}

/* ---- Access keys ---- */

/* Schema 1 ends after created_ms: a key of the account's own, active. */
static Error read_key(Slice id, Slice value, AccessKey *key)
{
    uint8_t schema;
    uint64_t inactive;
    *key = (AccessKey){.id = id};
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_KEY && schema != SCHEMA_KEY_OF_USER)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &key->secret));
    TRY(value_take_bytes(&value, &key->account));
    TRY(value_take_uint64(&value, &key->created_ms));
    if (schema == SCHEMA_KEY)
        return OK;
    TRY(value_take_optional(&value, &key->user));
    TRY(value_take_uint64(&value, &inactive));
    key->inactive = inactive != 0;
    return OK;
}

static void write_key(Txn *txn, const AccessKey *key)
{
    bool plain = key->user.data == NULL && !key->inactive;
    Buffer value = value_start(txn_arena(txn), plain ? SCHEMA_KEY : SCHEMA_KEY_OF_USER);
    value_add_bytes(&value, key->secret);
    value_add_bytes(&value, key->account);
    value_add_uint64(&value, key->created_ms);
    if (!plain) {
        value_add_optional(&value, key->user);
        value_add_uint64(&value, key->inactive);
    }
    txn_put(txn, key_of(txn, nobody, TAG_KEY, key->id), buffer_slice(&value));
}

Error access_key_get(Txn *txn, Slice id, AccessKey *key)
{
    bool found;
    Slice value;
    TRY(txn_get(txn, key_of(txn, nobody, TAG_KEY, id), &value, &found));
    return found ? read_key(id, value, key) : ACCESS_KEY_NOT_FOUND;
}

/* `size` characters of an alphabet of 32 or 64. */
static Slice random_text(Txn *txn, const char *alphabet, size_t mask, size_t size)
{
    unsigned char *bytes = arena_alloc(txn_arena(txn), size);
    txn_random_bytes(txn, bytes, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)alphabet[bytes[i] & mask];
    return slice_make(bytes, size);
}

static Slice make_key_id(Txn *txn)
{
    Slice text = random_text(txn, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 31, ACCESS_KEY_ID_SIZE - 4);
    return arena_format(txn_arena(txn), "AKIA%.*s", SLICE_PRINT(text));
}

/* Under it stand the ids of an account's own keys, or of a user's. */
static Slice keys_prefix(Txn *txn, Slice account, Slice user)
{
    Buffer prefix = prefix_of(txn, account, user.data == NULL ? TAG_KEY : TAG_USER_KEY);
    if (user.data != NULL)
        key_add_string(&prefix, user);
    return buffer_slice(&prefix);
}

static Slice keys_entry(Txn *txn, const AccessKey *key)
{
    Buffer entry = buffer_make(txn_arena(txn));
    buffer_add(&entry, keys_prefix(txn, key->account, key->user));
    key_add_string(&entry, key->id);
    return buffer_slice(&entry);
}

/* Gives the ids of those keys, up to `most`. */
static Error list_key_ids(Txn *txn, Slice prefix, size_t most, Slice *ids, size_t *count)
{
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), prefix), SCAN_FORWARD);
    *count = 0;
    Error error = OK;
    Slice key;
    Slice value;
    while (*count < most && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL)
        if ((error = id_of_key(txn, key, prefix, &ids[(*count)++])) != OK)
            break;
    cursor_close(cursor);
    return error;
}

/* `key` names its account, and its user if it has one. */
static Error create_key(Txn *txn, size_t most, AccessKey *key)
{
    Slice ids[ACCOUNT_KEYS_MAX];
    size_t count;
    bool found = true;
    TRY(list_key_ids(txn, keys_prefix(txn, key->account, key->user), most, ids, &count));
    if (count == most)
        return ACCESS_KEY_LIMIT;
    key->created_ms = txn_now(txn);
    while (found) {
        Slice other;
        key->id = make_key_id(txn);
        TRY(txn_get(txn, key_of(txn, nobody, TAG_KEY, key->id), &other, &found));
    }
    key->secret = random_text(txn, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 63,
                              ACCESS_KEY_SECRET_SIZE);
    write_key(txn, key);
    Buffer mark = value_start(txn_arena(txn), SCHEMA_KEY_OF_ACCOUNT);
    txn_put(txn, keys_entry(txn, key), buffer_slice(&mark));
    return OK;
}

Error access_key_create(Txn *txn, Slice account_id, AccessKey *key)
{
    Account account;
    TRY(account_get(txn, account_id, &account));
    *key = (AccessKey){.account = account.id};
    return create_key(txn, ACCOUNT_KEYS_MAX, key);
}

Error access_key_create_for_user(Txn *txn, Slice account, Slice user, AccessKey *key)
{
    *key = (AccessKey){.account = account, .user = user};
    return create_key(txn, ACCOUNT_USER_KEYS_MAX, key);
}

static Error list_keys(Txn *txn, Slice prefix, size_t most, AccessKey *keys, size_t *count)
{
    Slice ids[ACCOUNT_KEYS_MAX];
    TRY(list_key_ids(txn, prefix, most, ids, count));
    for (size_t i = 0; i < *count; i++)
        TRY(access_key_get(txn, ids[i], &keys[i]));
    return OK;
}

Error access_key_list(Txn *txn, Slice account_id, AccessKey *keys, size_t *count)
{
    Account account;
    TRY(account_get(txn, account_id, &account));
    return list_keys(txn, keys_prefix(txn, account.id, (Slice){0}), ACCOUNT_KEYS_MAX, keys, count);
}

Error access_key_list_of_user(Txn *txn, Slice account, Slice user, AccessKey keys[ACCOUNT_USER_KEYS_MAX], size_t *count)
{
    return list_keys(txn, keys_prefix(txn, account, user), ACCOUNT_USER_KEYS_MAX, keys, count);
}

Error access_key_set_inactive(Txn *txn, Slice id, bool inactive)
{
    AccessKey key;
    TRY(access_key_get(txn, id, &key));
    key.inactive = inactive;
    write_key(txn, &key);
    return OK;
}

Error access_key_revoke(Txn *txn, Slice id)
{
    AccessKey key;
    TRY(access_key_get(txn, id, &key));
    txn_delete(txn, key_of(txn, nobody, TAG_KEY, id));
    txn_delete(txn, keys_entry(txn, &key));
    return OK;
}

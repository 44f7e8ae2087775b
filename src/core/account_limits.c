#include "core/account_limits.h"

#include "base/bug.h"
#include "store/key.h"

#include <stdlib.h>

/* ("", "", KIND_ACCOUNT) 'l' account id, limit name → the value */
enum { TAG_LIMIT = 'l', SCHEMA_LIMIT = 1, BUCKETS = 256 };

/* One state of an account's limits. A newer one stands before it; none is freed while the process runs, since a call
 * may still read it, and administration changes few. */
typedef struct Entry {
    struct Entry *older;
    char account[ACCOUNT_ID_SIZE];
    Limits limits;
} Entry;

struct AccountLimits {
    const Limits *defaults;
    _Atomic(Entry *) buckets[BUCKETS];
};

static const Slice nobody = SLICE_INIT("");

/* ---- In memory ---- */

AccountLimits *account_limits_open(const Limits *defaults)
{
    AccountLimits *table = calloc(1, sizeof *table);
    ASSERT(table != NULL);
    table->defaults = defaults;
    return table;
}

void account_limits_close(AccountLimits *table)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (Entry *entry = table->buckets[i]; entry != NULL;) {
            Entry *older = entry->older;
            free(entry);
            entry = older;
        }
    }
    free(table);
}

static size_t bucket_of(Slice account)
{
    size_t hash = 0;
    for (size_t i = 0; i < account.size; i++)
        hash = hash * 31 + (unsigned char)account.data[i];
    return hash % BUCKETS;
}

const Limits *account_limits_of(AccountLimits *table, Slice account)
{
    const Entry *entry = atomic_load(&table->buckets[bucket_of(account)]);
    for (; entry != NULL; entry = entry->older)
        if (slice_equal(account, slice_make(entry->account, ACCOUNT_ID_SIZE)))
            return &entry->limits;
    return table->defaults;
}

void account_limits_set(AccountLimits *table, Slice account, LimitName limit, uint64_t value)
{
    ASSERT(account.size == ACCOUNT_ID_SIZE);
    Entry *entry = calloc(1, sizeof *entry);
    ASSERT(entry != NULL);
    memcpy(entry->account, account.data, ACCOUNT_ID_SIZE);
    entry->limits = *account_limits_of(table, account);
    entry->limits.value[limit] = value;
    entry->older = atomic_load(&table->buckets[bucket_of(account)]);
    atomic_store(&table->buckets[bucket_of(account)], entry);
}

/* ---- In the store ---- */

Error account_limit_find(Slice name, LimitName *limit)
{
    static const Slice of_the_process[] = {SLICE_INIT("NET_"), SLICE_INIT("WIRE_"), SLICE_INIT("STORE_"),
                                           SLICE_INIT("RUNTIME_")};
    for (size_t i = 0; i < sizeof of_the_process / sizeof of_the_process[0]; i++)
        if (slice_starts_with(name, of_the_process[i]))
            return LIMIT_UNKNOWN;
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        if (slice_equal(name, slice_of_string(limit_rows[i].name))) {
            *limit = (LimitName)i;
            return OK;
        }
    }
    return LIMIT_UNKNOWN;
}

static Buffer prefix_of(Txn *txn)
{
    Buffer key = key_start(txn_arena(txn), nobody, nobody, KIND_ACCOUNT);
    key_add_tag(&key, TAG_LIMIT);
    return key;
}

static Slice key_of(Txn *txn, Slice account, LimitName limit)
{
    Buffer key = prefix_of(txn);
    key_add_string(&key, account);
    key_add_string(&key, slice_of_string(limit_rows[limit].name));
    return buffer_slice(&key);
}

Error account_limit_put(Txn *txn, Slice account, LimitName limit, uint64_t value)
{
    Account found;
    TRY(account_get(txn, account, &found));
    Buffer content = value_start(txn_arena(txn), SCHEMA_LIMIT);
    value_add_uint64(&content, value);
    txn_put(txn, key_of(txn, account, limit), buffer_slice(&content));
    return OK;
}

Error account_limit_delete(Txn *txn, Slice account, LimitName limit)
{
    Account found;
    TRY(account_get(txn, account, &found));
    txn_delete(txn, key_of(txn, account, limit));
    return OK;
}

/* ---- Loading ---- */

typedef struct Loading {
    StoreCall call;
    Mailbox mailbox;
    Arena arena;
    AccountLimits *table;
} Loading;

static Error load_entry(Loading *loading, Txn *txn, Slice rest, Slice value)
{
    Slice account;
    Slice name;
    uint8_t schema;
    uint64_t number;
    LimitName limit;
    TRY(key_take_string(&rest, txn_arena(txn), &account));
    TRY(key_take_string(&rest, txn_arena(txn), &name));
    TRY(value_take_schema(&value, &schema));
    TRY(value_take_uint64(&value, &number));
    if (schema != SCHEMA_LIMIT || !account_id_is_valid(account))
        return ERROR_FORMAT;
    /* One that this version does not know any more holds for nobody. */
    if (account_limit_find(name, &limit) == OK)
        account_limits_set(loading->table, account, limit, number);
    return OK;
}

static Error load_body(Txn *txn, StoreCall *call)
{
    Loading *loading = CONTAINER_OF(call, Loading, call);
    Buffer prefix = prefix_of(txn);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL)
        TRY(load_entry(loading, txn, slice_skip(key, prefix.size), value));
    cursor_close(cursor);
    return error;
}

static void run_at_once(Mailbox *mailbox, TaskChain chain)
{
    (void)mailbox;
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        task->run(task);
}

static void loaded(StoreCall *call)
{
    (void)call; /* a store that is not started has answered before store_read returns */
}

Error account_limits_load(AccountLimits *table, Store *store)
{
    Loading loading = {.mailbox.post = run_at_once, .table = table};
    loading.call = (StoreCall){.body = load_body,
                               .done = loaded,
                               .mailbox = &loading.mailbox,
                               .arena = &loading.arena,
                               .home = account_home()};
    store_read(store, &loading.call);
    arena_free(&loading.arena);
    return loading.call.result;
}

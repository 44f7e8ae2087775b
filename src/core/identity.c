#include "core/identity.h"

#include "core/account.h"
#include "core/identity_internal.h"

enum { SCHEMA_IDENTITY = 1, SCHEMA_COUNT = 1, SCHEMA_DELETION = 1 };
enum { LABELS_MAX = 50 }; /* IAM quotas: tags of a resource */
enum { ID_RANDOM_SIZE = 17 };

static const Slice nowhere = SLICE_INIT("");

/* ---- Keys ---- */

Home identity_home(Slice account)
{
    return home_of(account, nowhere, SLICE("identity"), nowhere);
}

Buffer identity_key(Txn *txn, Slice account, char tag)
{
    Buffer key = key_start(txn_arena(txn), account, nowhere, KIND_IDENTITY);
    key_add_tag(&key, tag);
    return key;
}

Buffer identity_own_key(Txn *txn, const Identity *identity, char tag)
{
    Buffer key = identity_key(txn, identity->account, tag);
    key_add_tag(&key, (char)identity->kind);
    key_add_string(&key, arena_lower(txn_arena(txn), identity->name));
    return key;
}

void identity_put_mark(Txn *txn, Slice key)
{
    Buffer value = value_start(txn_arena(txn), IDENTITY_SCHEMA_MARK);
    txn_put(txn, key, buffer_slice(&value));
}

/* ---- Scans ---- */

static KeyRange range_after(Txn *txn, Slice prefix, Slice after)
{
    KeyRange range = key_range_of_prefix(txn_arena(txn), prefix);
    if (after.size > 0) {
        Buffer begin = buffer_make(txn_arena(txn));
        buffer_add(&begin, prefix);
        key_add_string(&begin, after);
        buffer_add_byte(&begin, '\0');
        range.begin = buffer_slice(&begin);
    }
    return range;
}

/* Takes entries until the page is full; one more that belongs tells that there is a next page. */
static Error fill_page(Txn *txn, Cursor *cursor, Slice prefix, IdentityFilter filter, const void *context,
                       IdentityPage *page, IdentityEntry *entries, size_t *count)
{
    Arena *arena = txn_arena(txn);
    while (true) {
        Slice key;
        Slice value;
        bool belongs = true;
        TRY(cursor_next(cursor, &key, &value));
        if (key.data == NULL)
            return OK;
        IdentityEntry entry = {.value = arena_copy(arena, value)};
        Slice rest = slice_skip(key, prefix.size);
        TRY(key_take_string(&rest, arena, &entry.id));
        entry.id = arena_copy(arena, entry.id);
        if (filter != NULL)
            TRY(filter(txn, &entry, context, &belongs));
        if (!belongs)
            continue;
        if (*count == page->limit) {
            page->next = entries[*count - 1].id;
            return OK;
        }
        entries[(*count)++] = entry;
    }
}

Error identity_scan(Txn *txn, Slice prefix, IdentityFilter filter, const void *context, IdentityPage *page,
                    IdentityEntry **entries, size_t *count)
{
    *count = 0;
    page->next = (Slice){0};
    *entries = ARENA_ARRAY(txn_arena(txn), IdentityEntry, page->limit);
    Cursor *cursor = txn_scan(txn, range_after(txn, prefix, page->after), SCAN_FORWARD);
    Error error = fill_page(txn, cursor, prefix, filter, context, page, *entries, count);
    cursor_close(cursor);
    return error;
}

Error identity_count(Txn *txn, Slice prefix, size_t most, size_t *count)
{
    Slice key;
    Slice value;
    Error error = OK;
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), prefix), SCAN_FORWARD);
    for (*count = 0; *count < most; (*count)++)
        if ((error = cursor_next(cursor, &key, &value)) != OK || key.data == NULL)
            break;
    cursor_close(cursor);
    return error;
}

/* ---- Values ---- */

void value_add_labels(Buffer *value, const Labels *labels)
{
    value_add_uint64(value, labels->count);
    for (size_t i = 0; i < labels->count; i++) {
        value_add_bytes(value, labels->items[i].key);
        value_add_bytes(value, labels->items[i].value);
    }
}

Error value_take_labels(Slice *value, Arena *arena, Labels *labels)
{
    uint64_t count;
    TRY(value_take_uint64(value, &count));
    if (count > LABELS_MAX)
        return ERROR_FORMAT;
    *labels = (Labels){ARENA_ARRAY(arena, Label, count), count};
    for (size_t i = 0; i < count; i++) {
        TRY(value_take_bytes(value, &labels->items[i].key));
        TRY(value_take_bytes(value, &labels->items[i].value));
    }
    return OK;
}

Error identity_read(Txn *txn, Slice account, IdentityKind kind, Slice value, Identity *identity)
{
    uint8_t schema;
    *identity = (Identity){.kind = kind, .account = account};
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_IDENTITY)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &identity->name));
    TRY(value_take_bytes(&value, &identity->path));
    TRY(value_take_bytes(&value, &identity->id));
    TRY(value_take_uint64(&value, &identity->created_ms));
    TRY(value_take_optional(&value, &identity->boundary));
    TRY(value_take_labels(&value, txn_arena(txn), &identity->labels));
    TRY(value_take_optional(&value, &identity->trust));
    TRY(value_take_optional(&value, &identity->description));
    return value_take_uint64(&value, &identity->session_max_s);
}

static void write_identity(Txn *txn, const Identity *identity)
{
    Buffer key = identity_own_key(txn, identity, IDENTITY_TAG_RECORD);
    Buffer value = value_start(txn_arena(txn), SCHEMA_IDENTITY);
    value_add_bytes(&value, identity->name);
    value_add_bytes(&value, identity->path);
    value_add_bytes(&value, identity->id);
    value_add_uint64(&value, identity->created_ms);
    value_add_optional(&value, identity->boundary);
    value_add_labels(&value, &identity->labels);
    value_add_optional(&value, identity->trust);
    value_add_optional(&value, identity->description);
    value_add_uint64(&value, identity->session_max_s);
    txn_put(txn, buffer_slice(&key), buffer_slice(&value));
}

Error identity_find(Txn *txn, Slice account, IdentityKind kind, Slice folded, Identity *identity, bool *found)
{
    Slice value;
    Identity named = {.kind = kind, .account = account, .name = folded};
    Buffer key = identity_own_key(txn, &named, IDENTITY_TAG_RECORD);
    TRY(txn_get(txn, buffer_slice(&key), &value, found));
    return *found ? identity_read(txn, account, kind, value, identity) : OK;
}

/* ---- Ids and counts ---- */

typedef struct KindFacts {
    const char *letters; /* IAM user guide, "IAM identifiers": unique identifiers */
    const char *word;    /* in ARNs */
    LimitName limit;
} KindFacts;

static KindFacts facts_of(IdentityKind kind)
{
    switch (kind) {
    case IDENTITY_ROLE:
        return (KindFacts){"AROA", "role", LIMIT_IAM_ROLES};
    case IDENTITY_USER:
        return (KindFacts){"AIDA", "user", LIMIT_IAM_USERS};
    case IDENTITY_GROUP:
        return (KindFacts){"AGPA", "group", LIMIT_IAM_GROUPS};
    case IDENTITY_PROFILE:
        break;
    }
    return (KindFacts){"AIPA", "instance-profile", LIMIT_IAM_INSTANCE_PROFILES};
}

Slice identity_arn(Arena *arena, const Identity *identity)
{
    return arena_format(arena, "arn:aws:iam::%.*s:%s%.*s%.*s", SLICE_PRINT(identity->account),
                        facts_of(identity->kind).word, SLICE_PRINT(identity->path), SLICE_PRINT(identity->name));
}

Slice identity_new_id(Txn *txn, const char *letters)
{
    unsigned char bytes[ID_RANDOM_SIZE];
    txn_random_bytes(txn, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bytes[i] & 31];
    return arena_format(txn_arena(txn), "%s%.*s", letters, (int)sizeof bytes, (const char *)bytes);
}

Error identity_count_add(Txn *txn, Slice account, char kind, int step, uint64_t most)
{
    Buffer key = identity_key(txn, account, IDENTITY_TAG_COUNT);
    key_add_tag(&key, kind);
    Slice value;
    bool found;
    uint8_t schema;
    uint64_t count = 0;
    TRY(txn_get(txn, buffer_slice(&key), &value, &found));
    if (found) {
        TRY(value_take_schema(&value, &schema));
        TRY(value_take_uint64(&value, &count));
    }
    if (step > 0 && count >= most)
        return IDENTITY_LIMIT;
    Buffer changed = value_start(txn_arena(txn), SCHEMA_COUNT);
    value_add_uint64(&changed, step > 0 ? count + 1 : count - (count > 0));
    txn_put(txn, buffer_slice(&key), buffer_slice(&changed));
    return OK;
}

/* ---- Records ---- */

Error identity_create(Txn *txn, Identity *identity)
{
    Identity other;
    bool found;
    KindFacts facts = facts_of(identity->kind);
    Slice folded = arena_lower(txn_arena(txn), identity->name);
    TRY(identity_find(txn, identity->account, identity->kind, folded, &other, &found));
    if (found)
        return IDENTITY_EXISTS;
    if (identity->labels.count > LABELS_MAX)
        return IDENTITY_TAGS_LIMIT;
    TRY(identity_count_add(txn, identity->account, (char)identity->kind, 1, txn_limits(txn)->value[facts.limit]));
    identity->id = identity_new_id(txn, facts.letters);
    identity->created_ms = txn_now(txn);
    write_identity(txn, identity);
    if (identity->boundary.data != NULL)
        identity_use_put(txn, identity, identity->boundary, POLICY_BOUNDARY);
    return OK;
}

Error identity_get(Txn *txn, Slice account, IdentityKind kind, Slice name, Identity *identity)
{
    bool found;
    TRY(identity_find(txn, account, kind, arena_lower(txn_arena(txn), name), identity, &found));
    return found && slice_equal(identity->name, name) ? OK : IDENTITY_NOT_FOUND;
}

Error identity_put(Txn *txn, const Identity *identity)
{
    Identity old;
    TRY(identity_get(txn, identity->account, identity->kind, identity->name, &old));
    if (identity->labels.count > LABELS_MAX)
        return IDENTITY_TAGS_LIMIT;
    if (old.boundary.data != NULL)
        identity_use_delete(txn, identity, old.boundary, POLICY_BOUNDARY);
    if (identity->boundary.data != NULL)
        identity_use_put(txn, identity, identity->boundary, POLICY_BOUNDARY);
    write_identity(txn, identity);
    return OK;
}

static Error has_any(Txn *txn, const Identity *identity, char tag, Error refusal)
{
    size_t count;
    Buffer prefix = identity_own_key(txn, identity, tag);
    TRY(identity_count(txn, buffer_slice(&prefix), 1, &count));
    return count > 0 ? refusal : OK;
}

Error identity_delete(Txn *txn, const Identity *identity)
{
    TRY(has_any(txn, identity, IDENTITY_TAG_CONTAINER, IDENTITY_HAS_MEMBERS));
    TRY(has_any(txn, identity, IDENTITY_TAG_MEMBER, IDENTITY_HAS_MEMBERS));
    TRY(has_any(txn, identity, IDENTITY_TAG_ATTACHED, IDENTITY_HAS_POLICIES));
    TRY(has_any(txn, identity, IDENTITY_TAG_INLINE, IDENTITY_HAS_INLINE));
    if (identity->kind == IDENTITY_USER) {
        AccessKey keys[ACCOUNT_USER_KEYS_MAX];
        size_t count;
        TRY(access_key_list_of_user(txn, identity->account, identity->name, keys, &count));
        if (count > 0)
            return IDENTITY_HAS_KEYS;
    }
    if (identity->boundary.data != NULL)
        identity_use_delete(txn, identity, identity->boundary, POLICY_BOUNDARY);
    Buffer key = identity_own_key(txn, identity, IDENTITY_TAG_RECORD);
    txn_delete(txn, buffer_slice(&key));
    return identity_count_add(txn, identity->account, (char)identity->kind, -1, 0);
}

typedef struct PathFilter {
    Slice account;
    IdentityKind kind;
    Slice prefix;
} PathFilter;

static Error has_path(Txn *txn, const IdentityEntry *entry, const void *context, bool *belongs)
{
    const PathFilter *filter = context;
    Identity identity;
    TRY(identity_read(txn, filter->account, filter->kind, entry->value, &identity));
    *belongs = slice_starts_with(identity.path, filter->prefix);
    return OK;
}

Error identity_list(Txn *txn, Slice account, IdentityKind kind, Slice path_prefix, IdentityPage *page,
                    Identity **identities, size_t *count)
{
    IdentityEntry *entries;
    PathFilter filter = {account, kind, path_prefix};
    Buffer prefix = identity_key(txn, account, IDENTITY_TAG_RECORD);
    key_add_tag(&prefix, (char)kind);
    TRY(identity_scan(txn, buffer_slice(&prefix), has_path, &filter, page, &entries, count));
    *identities = ARENA_ARRAY(txn_arena(txn), Identity, *count);
    for (size_t i = 0; i < *count; i++)
        TRY(identity_read(txn, account, kind, entries[i].value, &(*identities)[i]));
    return OK;
}

/* ---- Deletions ---- */

void identity_deletion_put(Txn *txn, const Identity *role, Slice task)
{
    Buffer key = identity_own_key(txn, role, IDENTITY_TAG_DELETION);
    Buffer value = value_start(txn_arena(txn), SCHEMA_DELETION);
    value_add_bytes(&value, task);
    txn_put(txn, buffer_slice(&key), buffer_slice(&value));
}

Error identity_deletion_find(Txn *txn, Slice account, Slice role_name, Slice task, bool *found)
{
    Slice value;
    Slice kept;
    uint8_t schema;
    Identity named = {.kind = IDENTITY_ROLE, .account = account, .name = role_name};
    Buffer key = identity_own_key(txn, &named, IDENTITY_TAG_DELETION);
    TRY(txn_get(txn, buffer_slice(&key), &value, found));
    if (!*found)
        return OK;
    TRY(value_take_schema(&value, &schema));
    TRY(value_take_bytes(&value, &kept));
    *found = slice_equal(kept, task);
    return OK;
}

/* ---- Labels ---- */

static size_t label_place(const Labels *labels, Slice key)
{
    size_t place = 0;
    while (place < labels->count && !slice_equal_ignore_case(labels->items[place].key, key))
        place++;
    return place;
}

void labels_set(Arena *arena, Labels *labels, const Label *items, size_t count)
{
    Labels all = {ARENA_ARRAY(arena, Label, labels->count + count), labels->count};
    for (size_t i = 0; i < labels->count; i++)
        all.items[i] = labels->items[i];
    for (size_t i = 0; i < count; i++) {
        size_t place = label_place(&all, items[i].key);
        all.items[place] = items[i];
        all.count += place == all.count;
    }
    *labels = all;
}

void labels_remove(Labels *labels, const Slice *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t place = label_place(labels, keys[i]);
        if (place == labels->count)
            continue;
        for (size_t later = place + 1; later < labels->count; later++)
            labels->items[later - 1] = labels->items[later];
        labels->count--;
    }
}

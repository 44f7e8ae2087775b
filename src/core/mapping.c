#include "core/mapping.h"

#include "base/digest.h"
#include "core/mapping_record.h"
#include "core/queue.h"

/* Keys of the store:
 *   (account, region, KIND_MAPPING) 'm' uuid                         → a mapping
 *   (account, region, KIND_MAPPING) 's' kind source function qualifier → the UUID of the mapping of both
 *   ("", "", KIND_MAPPING_CHANGED) 'o' account region uuid           → there is such a mapping
 *   ("", "", KIND_MAPPING_CHANGED) 'c' account region uuid           → it has changed since it was last looked at */
enum { TAG_MAPPING = 'm', TAG_PAIR = 's', TAG_OWNER = 'o', TAG_CHANGED = 'c' };
enum { SCHEMA_MARK = 1, SCHEMA_PAIR = 1, SCHEMA_TIMER = 1 };
enum { WORK_SETTLE = 's', WORK_WAKE = 'w' };

Home mapping_home(Slice account, Slice region)
{
    return home_of(account, region, SLICE("mapping"), SLICE(""));
}

/* ---- Keys ---- */

static Buffer own_key(Txn *txn, Slice account, Slice region, char tag)
{
    Buffer key = key_start(txn_arena(txn), account, region, KIND_MAPPING);
    key_add_tag(&key, tag);
    return key;
}

static Slice record_key(Txn *txn, Slice account, Slice region, Slice uuid)
{
    Buffer key = own_key(txn, account, region, TAG_MAPPING);
    key_add_string(&key, uuid);
    return buffer_slice(&key);
}

static Buffer pairs_key(Txn *txn, MappingSource source, Slice account, Slice region, Slice source_name)
{
    Buffer key = own_key(txn, account, region, TAG_PAIR);
    key_add_uint64(&key, source);
    key_add_string(&key, source_name);
    return key;
}

static Slice pair_key(Txn *txn, const Mapping *mapping)
{
    Buffer key = pairs_key(txn, mapping->source, mapping->account, mapping->region, mapping->source_name);
    key_add_string(&key, mapping->function);
    key_add_string(&key, mapping->qualifier);
    return buffer_slice(&key);
}

static Buffer mark_key(Txn *txn, char tag)
{
    Buffer key = key_start(txn_arena(txn), SLICE(""), SLICE(""), KIND_MAPPING_CHANGED);
    key_add_tag(&key, tag);
    return key;
}

static Slice owner_key(Txn *txn, char tag, Slice account, Slice region, Slice uuid)
{
    Buffer key = mark_key(txn, tag);
    key_add_string(&key, account);
    key_add_string(&key, region);
    key_add_string(&key, uuid);
    return buffer_slice(&key);
}

/* ---- Marks ---- */

static void put_mark(Txn *txn, char tag, const Mapping *mapping)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_MARK);
    txn_put(txn, owner_key(txn, tag, mapping->account, mapping->region, mapping->uuid), buffer_slice(&value));
}

KeyRange mapping_marks(Txn *txn)
{
    Buffer prefix = mark_key(txn, TAG_CHANGED);
    return key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix));
}

KeyRange mapping_owners(Txn *txn)
{
    Buffer prefix = mark_key(txn, TAG_OWNER);
    return key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix));
}

Error mapping_owner_read(Txn *txn, Slice key, Arena *arena, MappingOwner *owner)
{
    key = slice_skip(key, mark_key(txn, TAG_OWNER).size);
    TRY(key_take_string(&key, arena, &owner->account));
    TRY(key_take_string(&key, arena, &owner->region));
    return key_take_string(&key, arena, &owner->uuid);
}

void mapping_mark_clear(Txn *txn, const MappingOwner *owner)
{
    txn_delete(txn, owner_key(txn, TAG_CHANGED, owner->account, owner->region, owner->uuid));
}

/* ---- Timers ---- */

static void set_timer(Txn *txn, const Mapping *mapping, char work, uint64_t due_ms)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_TIMER);
    value_add_uint64(&value, (uint64_t)work);
    value_add_bytes(&value, mapping->account);
    value_add_bytes(&value, mapping->region);
    value_add_bytes(&value, mapping->uuid);
    /* One of each kind, so that setting it again for the same time is the same timer. */
    Buffer id = buffer_make(txn_arena(txn));
    buffer_add_byte(&id, work);
    buffer_add(&id, record_key(txn, mapping->account, mapping->region, mapping->uuid));
    txn_timer_set(txn, TIMER_MAPPING, mapping_home(mapping->account, mapping->region), due_ms, buffer_slice(&id),
                  buffer_slice(&value));
}

void mapping_wake_at(Txn *txn, const Mapping *mapping, uint64_t due_ms)
{
    set_timer(txn, mapping, WORK_WAKE, due_ms);
}

/* ---- Records ---- */

static void put(Txn *txn, const Mapping *mapping)
{
    txn_put(txn, record_key(txn, mapping->account, mapping->region, mapping->uuid), mapping_write(txn, mapping));
}

/* Another state from now on, and the one that it settles in a moment later. */
static void put_changed(Txn *txn, Mapping *mapping, MappingState state)
{
    mapping->state = state;
    mapping->modified_ms = txn_now(txn);
    put(txn, mapping);
    put_mark(txn, TAG_CHANGED, mapping);
    set_timer(txn, mapping, WORK_SETTLE, txn_now(txn) + MAPPING_SETTLE_MS);
}

static Slice new_uuid(Txn *txn)
{
    unsigned char bytes[16];
    char *text = arena_alloc_aligned(txn_arena(txn), UUID_TEXT_SIZE, 1);
    txn_random_bytes(txn, bytes, sizeof bytes);
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f)); /* the version (RFC 9562 section 5.4) */
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f)); /* the variant */
    uuid_format(bytes, text);
    return slice_make(text, UUID_TEXT_SIZE);
}

/* The pair of source and function is this mapping's. MAPPING_EXISTS: another's, whose UUID is given. */
static Error claim_pair(Txn *txn, const Mapping *mapping, Slice *other)
{
    Slice value;
    bool found;
    uint8_t schema;
    Slice key = pair_key(txn, mapping);
    TRY(txn_get(txn, key, &value, &found));
    if (found) {
        TRY(value_take_schema(&value, &schema));
        TRY(value_take_bytes(&value, other));
        return slice_equal(*other, mapping->uuid) ? OK : MAPPING_EXISTS;
    }
    Buffer pair = value_start(txn_arena(txn), SCHEMA_PAIR);
    value_add_bytes(&pair, mapping->uuid);
    txn_put(txn, key, buffer_slice(&pair));
    return OK;
}

Error mapping_create(Txn *txn, Mapping *mapping)
{
    Slice other;
    mapping->uuid = new_uuid(txn);
    mapping->problem = (Slice){0};
    Error error = claim_pair(txn, mapping, &other);
    if (error == MAPPING_EXISTS)
        mapping->uuid = other;
    TRY(error);
    put_mark(txn, TAG_OWNER, mapping);
    put_changed(txn, mapping, MAPPING_CREATING);
    return OK;
}

Error mapping_get(Txn *txn, Slice account, Slice region, Slice uuid, Mapping *mapping)
{
    Slice value;
    bool found;
    uuid = arena_lower(txn_arena(txn), uuid);
    TRY(txn_get(txn, record_key(txn, account, region, uuid), &value, &found));
    if (!found)
        return MAPPING_NOT_FOUND;
    *mapping = (Mapping){.account = account, .region = region, .uuid = uuid};
    return mapping_read(txn, value, mapping);
}

Error mapping_change(Txn *txn, Mapping *mapping)
{
    Mapping before;
    Slice other;
    TRY(mapping_get(txn, mapping->account, mapping->region, mapping->uuid, &before));
    if (before.state != MAPPING_ENABLED && before.state != MAPPING_DISABLED)
        return MAPPING_BUSY;
    Error error = claim_pair(txn, mapping, &other);
    if (error == MAPPING_EXISTS)
        mapping->uuid = other;
    TRY(error);
    Slice old_pair = pair_key(txn, &before);
    if (!slice_equal(old_pair, pair_key(txn, mapping)))
        txn_delete(txn, old_pair);
    put_changed(txn, mapping,
                before.enabled == mapping->enabled ? MAPPING_UPDATING
                : mapping->enabled                 ? MAPPING_ENABLING
                                                   : MAPPING_DISABLING);
    return OK;
}

Error mapping_put_tags(Txn *txn, const Mapping *mapping)
{
    Mapping before;
    TRY(mapping_get(txn, mapping->account, mapping->region, mapping->uuid, &before));
    if (before.state == MAPPING_DELETING)
        return MAPPING_BUSY;
    if (before.threshold > 0 && mapping->threshold == 0)
        TRY(breaker_forget(txn, mapping->account, mapping->region, mapping_breaker_name(txn, mapping)));
    put(txn, mapping);
    put_mark(txn, TAG_CHANGED, mapping);
    return OK;
}

void mapping_put_problem(Txn *txn, const Mapping *mapping)
{
    put(txn, mapping);
}

Error mapping_delete(Txn *txn, Mapping *mapping)
{
    if (mapping->state == MAPPING_UPDATING || mapping->state == MAPPING_DELETING)
        return MAPPING_BUSY;
    txn_delete(txn, pair_key(txn, mapping));
    put_changed(txn, mapping, MAPPING_DELETING);
    return OK;
}

Error mapping_source_changed(Txn *txn, MappingSource source, Slice account, Slice region, Slice source_name)
{
    Slice key;
    Slice value;
    uint8_t schema;
    Error error = OK;
    Mapping mapping = {.account = account, .region = region};
    Buffer prefix = pairs_key(txn, source, account, region, source_name);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if ((error = value_take_schema(&value, &schema)) != OK ||
            (error = value_take_bytes(&value, &mapping.uuid)) != OK)
            break;
        put_mark(txn, TAG_CHANGED, &mapping);
    }
    cursor_close(cursor);
    return error;
}

static bool is_listed(const Mapping *mapping, const MappingFilter *filter)
{
    if (filter->source_arn.data != NULL && !slice_equal(filter->source_arn, mapping->source_arn))
        return false;
    return filter->function.data == NULL ||
           (slice_equal(filter->function, mapping->function) && slice_equal(filter->qualifier, mapping->qualifier));
}

Error mapping_list(Txn *txn, Slice account, Slice region, const MappingFilter *filter, FunctionPage *page,
                   Mapping **mappings, size_t *count)
{
    Slice key;
    Slice value;
    Error error = OK;
    Arena *arena = txn_arena(txn);
    Buffer prefix = own_key(txn, account, region, TAG_MAPPING);
    *mappings = ARENA_ARRAY(arena, Mapping, page->limit);
    *count = 0;
    Cursor *cursor = txn_scan(txn, key_range_after(arena, buffer_slice(&prefix), page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        Mapping mapping = {.account = account, .region = region};
        Slice place = arena_copy(arena, slice_skip(key, prefix.size));
        Slice rest = place;
        if ((error = key_take_string(&rest, arena, &mapping.uuid)) != OK ||
            (error = mapping_read(txn, arena_copy(arena, value), &mapping)) != OK)
            break;
        if (!is_listed(&mapping, filter))
            continue;
        (*mappings)[(*count)++] = mapping;
        if (*count == page->limit) {
            page->next = place;
            break;
        }
    }
    cursor_close(cursor);
    return error;
}

bool mapping_is_active(const Mapping *mapping)
{
    return mapping->enabled && (mapping->state == MAPPING_ENABLED || mapping->state == MAPPING_UPDATING);
}

Error mapping_lag(Txn *txn, const Mapping *mapping, uint64_t *lag_ms)
{
    Queue queue;
    uint64_t sent_ms = 0;
    const Actor owner = {.account = mapping->account, .region = mapping->region};
    Error error = queue_open(txn, &owner, mapping->source_name, &queue);
    if (error == QUEUE_NOT_FOUND)
        return MAPPING_SOURCE_NOT_FOUND;
    TRY(error);
    TRY(queue_oldest(txn, &queue, &sent_ms));
    *lag_ms = sent_ms != 0 && txn_now(txn) > sent_ms ? txn_now(txn) - sent_ms : 0;
    return OK;
}

/* ---- The breaker ---- */

Slice mapping_breaker_name(Txn *txn, const Mapping *mapping)
{
    return arena_format(txn_arena(txn), "mapping/%.*s", SLICE_PRINT(mapping->uuid));
}

Error mapping_breaker(Txn *txn, const Mapping *mapping, Breaker *breaker)
{
    *breaker = (Breaker){.account = mapping->account,
                         .region = mapping->region,
                         .name = mapping_breaker_name(txn, mapping),
                         .failure_threshold = mapping->threshold,
                         .recovery_ms = mapping->recovery_ms,
                         .state = BREAKER_CLOSED};
    return mapping->threshold == 0 ? OK : breaker_read(txn, breaker);
}

/* ---- Time ---- */

static Error settle(Txn *txn, Mapping *mapping)
{
    /* Changed again since: another timer settles that. */
    if (txn_now(txn) < mapping->modified_ms + MAPPING_SETTLE_MS)
        return OK;
    if (mapping->state == MAPPING_DELETING) {
        TRY(breaker_forget(txn, mapping->account, mapping->region, mapping_breaker_name(txn, mapping)));
        txn_delete(txn, record_key(txn, mapping->account, mapping->region, mapping->uuid));
        txn_delete(txn, owner_key(txn, TAG_OWNER, mapping->account, mapping->region, mapping->uuid));
    } else {
        mapping->state = mapping->enabled ? MAPPING_ENABLED : MAPPING_DISABLED;
        put(txn, mapping);
    }
    put_mark(txn, TAG_CHANGED, mapping);
    return OK;
}

Error mapping_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    (void)due_ms;
    (void)id;
    uint8_t schema;
    uint64_t work;
    MappingOwner owner;
    Mapping mapping;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_TIMER)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &work));
    TRY(value_take_bytes(&value, &owner.account));
    TRY(value_take_bytes(&value, &owner.region));
    TRY(value_take_bytes(&value, &owner.uuid));
    Error error = mapping_get(txn, owner.account, owner.region, owner.uuid, &mapping);
    if (error == MAPPING_NOT_FOUND)
        return OK;
    TRY(error);
    if (work == WORK_SETTLE)
        return settle(txn, &mapping);
    put_mark(txn, TAG_CHANGED, &mapping);
    return OK;
}

/* function.c: the functions themselves: made, found, listed, deleted; what they take of the account's quotas. */
#include "core/function_internal.h"

#include "base/digest.h"
#include "core/package.h"
#include "core/provisioner.h"

enum { SCHEMA_USAGE = 1 };

/* ---- Keys ---- */

Home function_home(Slice account, Slice region, Slice name)
{
    return home_of(account, region, SLICE("function"), name);
}

Slice function_name_key(Txn *txn, Slice account, Slice region, Slice name)
{
    Buffer key = key_start(txn_arena(txn), account, region, KIND_FUNCTION_NAME);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

void function_place(Txn *txn, Function *function)
{
    Buffer prefix = key_start(txn_arena(txn), function->account, function->region, KIND_FUNCTION);
    key_add_uint64(&prefix, function->number);
    function->prefix = buffer_slice(&prefix);
    function->home = function_home(function->account, function->region, function->name);
}

Buffer function_own_key(Txn *txn, const Function *function, char tag)
{
    Buffer key = buffer_make(txn_arena(txn));
    buffer_add(&key, function->prefix);
    key_add_tag(&key, tag);
    return key;
}

Slice function_new_revision(Txn *txn)
{
    unsigned char bytes[16];
    txn_random_bytes(txn, bytes, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    char *text = arena_alloc(txn_arena(txn), UUID_TEXT_SIZE);
    uuid_format(bytes, text);
    return slice_make(text, UUID_TEXT_SIZE);
}

/* ---- Usage ---- */

static Slice usage_key(Txn *txn, Slice account, Slice region)
{
    Buffer key = key_start(txn_arena(txn), account, region, KIND_FUNCTION_USAGE);
    return buffer_slice(&key);
}

Error function_usage(Txn *txn, Slice account, Slice region, FunctionUsage *usage)
{
    Slice value;
    bool found;
    uint8_t schema;
    *usage = (FunctionUsage){0};
    TRY(txn_get(txn, usage_key(txn, account, region), &value, &found));
    if (!found)
        return OK;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_USAGE)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &usage->functions));
    TRY(value_take_uint64(&value, &usage->code_bytes));
    return value_take_uint64(&value, &usage->reserved);
}

static uint64_t moved(uint64_t value, int64_t step)
{
    if (step >= 0)
        return value + (uint64_t)step;
    uint64_t down = (uint64_t)-step;
    return value > down ? value - down : 0;
}

Error function_usage_add(Txn *txn, Slice account, Slice region, int64_t functions, int64_t bytes, int64_t reserved,
                         uint64_t code_limit)
{
    FunctionUsage usage;
    TRY(function_usage(txn, account, region, &usage));
    usage.functions = moved(usage.functions, functions);
    usage.code_bytes = moved(usage.code_bytes, bytes);
    usage.reserved = moved(usage.reserved, reserved);
    if (bytes > 0 && usage.code_bytes > code_limit)
        return FUNCTION_CODE_STORAGE;
    Buffer value = value_start(txn_arena(txn), SCHEMA_USAGE);
    value_add_uint64(&value, usage.functions);
    value_add_uint64(&value, usage.code_bytes);
    value_add_uint64(&value, usage.reserved);
    txn_put(txn, usage_key(txn, account, region), buffer_slice(&value));
    return OK;
}

Error function_usage_add_code(Txn *txn, Slice account, Slice region, int64_t bytes, uint64_t limit)
{
    return function_usage_add(txn, account, region, 0, bytes, 0, limit);
}

/* ---- Functions ---- */

Error function_open(Txn *txn, Slice account, Slice region, Slice name, Function *function)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, function_name_key(txn, account, region, name), &value, &found));
    if (!found)
        return FUNCTION_NOT_FOUND;
    *function = (Function){.account = account, .region = region, .name = name};
    TRY(function_read(txn, value, function));
    function_place(txn, function);
    return OK;
}

void function_put(Txn *txn, const Function *function)
{
    txn_put(txn, function_name_key(txn, function->account, function->region, function->name),
            function_write(txn, function));
}

Error function_put_tags(Txn *txn, const Function *function)
{
    function_put(txn, function);
    return provisioner_touch(txn, function);
}

Error function_create(Txn *txn, Function *function, FunctionVersion *latest, uint64_t code_limit)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, function_name_key(txn, function->account, function->region, function->name), &value, &found));
    if (found)
        return FUNCTION_EXISTS;
    TRY(txn_new_number(txn, &function->number));
    TRY(function_usage_add(txn, function->account, function->region, 1, (int64_t)latest->code_bytes, 0, code_limit));
    function_place(txn, function);
    function_put(txn, function);

    latest->account = function->account;
    latest->region = function->region;
    latest->name = function->name;
    latest->version = FUNCTION_LATEST;
    latest->revision_id = function_new_revision(txn);
    latest->change = 1;
    latest->modified_ms = txn_now(txn);
    latest->state = SLICE("Pending");
    latest->state_reason = SLICE("The function is being created.");
    latest->state_reason_code = SLICE("Creating");
    function_version_put(txn, function, latest);
    function_settle_at(txn, function, 0);
    return OK;
}

Error function_reserve(Txn *txn, Function *function, bool has_reserved, uint64_t reserved, uint64_t all)
{
    FunctionUsage usage;
    uint64_t before = function->has_reserved ? function->reserved : 0;
    uint64_t after = has_reserved ? reserved : 0;
    TRY(function_usage(txn, function->account, function->region, &usage));
    uint64_t others = usage.reserved - (before < usage.reserved ? before : usage.reserved);
    if (has_reserved && (after > all || others + after + FUNCTION_UNRESERVED_MIN > all))
        return FUNCTION_UNRESERVED;
    TRY(function_usage_add(txn, function->account, function->region, 0, 0, (int64_t)after - (int64_t)before, 0));
    function->has_reserved = has_reserved;
    function->reserved = after;
    function_put(txn, function);
    return OK;
}

/* ---- Listing ---- */

/* What a page has taken. A place is the bytes of the keys: of the name's string, and the version's number. */
typedef struct Listing {
    FunctionPage *page;
    FunctionVersion *versions;
    size_t *count;
} Listing;

/* Gives the page's end: `next` is the place of the last one taken. */
static bool page_is_full(const Listing *listing)
{
    return *listing->count == listing->page->limit;
}

static Slice place_of(Txn *txn, const FunctionVersion *version)
{
    uint64_t number = 0;
    function_version_number(version->version, &number);
    Buffer place = buffer_make(txn_arena(txn));
    key_add_string(&place, version->name);
    key_add_uint64(&place, number);
    return buffer_slice(&place);
}

static Error list_versions_of(Txn *txn, const Function *function, Slice after, Listing *listing, bool *full)
{
    size_t room = listing->page->limit - *listing->count;
    FunctionPage page = {.after = after, .limit = room > 0 ? room : 1};
    FunctionVersion *versions;
    size_t count;
    TRY(function_version_list(txn, function, &page, &versions, &count));
    *full = (room == 0 && count > 0) || page.next.data != NULL;
    if (room > 0 && count > 0)
        memcpy(listing->versions + *listing->count, versions, count * sizeof *versions);
    *listing->count += room > 0 ? count : 0;
    return OK;
}

static Error list_entry(Txn *txn, Function *function, bool all_versions, Slice after, Listing *listing, bool *full)
{
    if (all_versions)
        return list_versions_of(txn, function, after, listing, full);
    *full = page_is_full(listing);
    if (*full)
        return OK;
    TRY(function_version_get(txn, function, FUNCTION_LATEST, &listing->versions[*listing->count]));
    (*listing->count)++;
    return OK;
}

/* Splits a place into the function's name and the version's number, both as bytes of keys. */
static Error split_place(Arena *arena, Slice place, Slice *name, Slice *number)
{
    Slice rest = place;
    if (place.size == 0) {
        *name = *number = place;
        return OK;
    }
    if (key_take_string(&rest, arena, name) != OK)
        return FUNCTION_PLACE_INVALID;
    *number = rest;
    return OK;
}

static Error list_all(Txn *txn, Slice account, Slice region, bool all_versions, Listing *listing)
{
    Arena *arena = txn_arena(txn);
    Slice after_name;
    Slice after_number;
    TRY(split_place(arena, listing->page->after, &after_name, &after_number));
    Buffer head = key_start(arena, account, region, KIND_FUNCTION_NAME);
    KeyRange range = key_range_of_prefix(arena, buffer_slice(&head));
    if (after_name.size > 0)
        range.begin = function_name_key(txn, account, region, after_name);

    Slice key;
    Slice value;
    bool full = false;
    Error error;
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    while (!full && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        Function function = {.account = account, .region = region};
        Slice rest = slice_skip(key, head.size);
        if ((error = key_take_string(&rest, arena, &function.name)) != OK ||
            (error = function_read(txn, value, &function)) != OK)
            break;
        function.name = arena_copy(arena, function.name);
        bool again = after_name.size > 0 && slice_equal(function.name, after_name);
        if (again && !all_versions)
            continue;
        function_place(txn, &function);
        error = list_entry(txn, &function, all_versions, again ? after_number : (Slice){0}, listing, &full);
        if (error != OK)
            break;
    }
    cursor_close(cursor);
    if (full)
        listing->page->next = place_of(txn, &listing->versions[*listing->count - 1]);
    return full ? OK : error;
}

Error function_list(Txn *txn, Slice account, Slice region, bool all_versions, FunctionPage *page,
                    FunctionVersion **versions, size_t *count)
{
    *count = 0;
    page->next = (Slice){0};
    *versions = ARENA_ARRAY(txn_arena(txn), FunctionVersion, page->limit);
    Listing listing = {page, *versions, count};
    return list_all(txn, account, region, all_versions, &listing);
}

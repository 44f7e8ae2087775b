#include "core/function_url.h"

#include "core/function_internal.h"

enum { SCHEMA_URL = 1, SCHEMA_URL_OWNER = 1 };

enum {
    FLAG_SIGNED = 1,
    FLAG_STREAMED = 2,
    FLAG_CORS = 4,
    FLAG_HAS_CREDENTIALS = 8,
    FLAG_CREDENTIALS = 16,
    FLAG_HAS_MAX_AGE = 32,
};

/* ---- Keys ---- */

static Slice url_key(Txn *txn, const Function *function, Slice qualifier)
{
    Buffer key = function_own_key(txn, function, FUNCTION_TAG_URL);
    key_add_string(&key, qualifier);
    return buffer_slice(&key);
}

/* Ids are of the whole server: who asks names no account. */
static Slice owner_key(Txn *txn, Slice id)
{
    Buffer key = key_start(txn_arena(txn), SLICE(""), SLICE(""), KIND_FUNCTION_URL);
    key_add_string(&key, id);
    return buffer_slice(&key);
}

/* ---- Records ---- */

static void add_list(Buffer *value, SliceList list)
{
    value_add_uint64(value, list.items == NULL ? 0 : list.count + 1);
    for (size_t i = 0; list.items != NULL && i < list.count; i++)
        value_add_bytes(value, list.items[i]);
}

static Error take_list(Slice *value, Arena *arena, SliceList *list)
{
    uint64_t count;
    *list = (SliceList){0};
    TRY(value_take_uint64(value, &count));
    if (count > value->size + 1)
        return ERROR_MALFORMED;
    if (count == 0)
        return OK;
    list->count = count - 1;
    list->items = ARENA_ARRAY(arena, Slice, count); /* never empty: NULL says something else */
    for (size_t i = 0; i < list->count; i++) {
        TRY(value_take_bytes(value, &list->items[i]));
        list->items[i] = arena_copy(arena, list->items[i]);
    }
    return OK;
}

static uint64_t flags_of(const FunctionUrl *url)
{
    uint64_t flags = 0;
    flags |= url->is_signed ? FLAG_SIGNED : 0;
    flags |= url->is_streamed ? FLAG_STREAMED : 0;
    flags |= url->has_cors ? FLAG_CORS : 0;
    flags |= url->cors.has_credentials ? FLAG_HAS_CREDENTIALS : 0;
    flags |= url->cors.credentials ? FLAG_CREDENTIALS : 0;
    flags |= url->cors.has_max_age ? FLAG_HAS_MAX_AGE : 0;
    return flags;
}

static void write_url(Txn *txn, const Function *function, const FunctionUrl *url)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_URL);
    value_add_bytes(&value, url->id);
    value_add_uint64(&value, flags_of(url));
    value_add_uint64(&value, url->created_ms);
    value_add_uint64(&value, url->modified_ms);
    value_add_uint64(&value, url->cors.max_age_s);
    add_list(&value, url->cors.origins);
    add_list(&value, url->cors.methods);
    add_list(&value, url->cors.headers);
    add_list(&value, url->cors.exposed_headers);
    txn_put(txn, url_key(txn, function, url->qualifier), buffer_slice(&value));
}

static Error read_url(Txn *txn, Slice value, Slice qualifier, FunctionUrl *url)
{
    Arena *arena = txn_arena(txn);
    uint8_t schema;
    uint64_t flags;
    *url = (FunctionUrl){.qualifier = qualifier};
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_URL)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &url->id));
    url->id = arena_copy(arena, url->id);
    TRY(value_take_uint64(&value, &flags));
    TRY(value_take_uint64(&value, &url->created_ms));
    TRY(value_take_uint64(&value, &url->modified_ms));
    TRY(value_take_uint64(&value, &url->cors.max_age_s));
    TRY(take_list(&value, arena, &url->cors.origins));
    TRY(take_list(&value, arena, &url->cors.methods));
    TRY(take_list(&value, arena, &url->cors.headers));
    TRY(take_list(&value, arena, &url->cors.exposed_headers));
    url->is_signed = (flags & FLAG_SIGNED) != 0;
    url->is_streamed = (flags & FLAG_STREAMED) != 0;
    url->has_cors = (flags & FLAG_CORS) != 0;
    url->cors.has_credentials = (flags & FLAG_HAS_CREDENTIALS) != 0;
    url->cors.credentials = (flags & FLAG_CREDENTIALS) != 0;
    url->cors.has_max_age = (flags & FLAG_HAS_MAX_AGE) != 0;
    return OK;
}

/* ---- Settings ---- */

static Slice new_id(Txn *txn)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char *id = arena_alloc(txn_arena(txn), FUNCTION_URL_ID_SIZE);
    for (size_t i = 0; i < FUNCTION_URL_ID_SIZE; i++)
        id[i] = digits[txn_random(txn) % (sizeof digits - 1)];
    return slice_make(id, FUNCTION_URL_ID_SIZE);
}

Error function_url_create(Txn *txn, const Function *function, FunctionUrl *url)
{
    FunctionAlias alias;
    Slice value;
    bool found;
    if (url->qualifier.size > 0)
        TRY(function_alias_get(txn, function, url->qualifier, &alias));
    TRY(txn_get(txn, url_key(txn, function, url->qualifier), &value, &found));
    if (found)
        return FUNCTION_URL_EXISTS;
    url->id = new_id(txn);
    url->created_ms = url->modified_ms = txn_now(txn);
    write_url(txn, function, url);

    Buffer owner = value_start(txn_arena(txn), SCHEMA_URL_OWNER);
    value_add_uint64(&owner, function->number);
    value_add_bytes(&owner, function->account);
    value_add_bytes(&owner, function->region);
    value_add_bytes(&owner, function->name);
    value_add_bytes(&owner, url->qualifier);
    txn_put(txn, owner_key(txn, url->id), buffer_slice(&owner));
    return OK;
}

Error function_url_get(Txn *txn, const Function *function, Slice qualifier, FunctionUrl *url)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, url_key(txn, function, qualifier), &value, &found));
    return found ? read_url(txn, value, qualifier, url) : FUNCTION_URL_NOT_FOUND;
}

void function_url_put(Txn *txn, const Function *function, FunctionUrl *url)
{
    url->modified_ms = txn_now(txn);
    write_url(txn, function, url);
}

Error function_url_delete(Txn *txn, const Function *function, Slice qualifier)
{
    FunctionUrl url;
    TRY(function_url_get(txn, function, qualifier, &url));
    txn_delete(txn, owner_key(txn, url.id));
    txn_delete(txn, url_key(txn, function, qualifier));
    return OK;
}

Error function_url_forget(Txn *txn, Slice value)
{
    FunctionUrl url;
    TRY(read_url(txn, value, SLICE(""), &url));
    txn_delete(txn, owner_key(txn, url.id));
    return OK;
}

Error function_url_list(Txn *txn, const Function *function, FunctionPage *page, FunctionUrl **urls, size_t *count)
{
    Arena *arena = txn_arena(txn);
    Slice key;
    Slice value;
    Slice place = {0};
    Error error;
    *count = 0;
    page->next = (Slice){0};
    *urls = ARENA_ARRAY(arena, FunctionUrl, page->limit);
    Buffer prefix = function_own_key(txn, function, FUNCTION_TAG_URL);
    Cursor *cursor = txn_scan(txn, key_range_after(txn_arena(txn), buffer_slice(&prefix), page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == page->limit) {
            page->next = place;
            break;
        }
        place = arena_copy(arena, slice_skip(key, prefix.size));
        Slice rest = place;
        Slice qualifier;
        if ((error = key_take_string(&rest, arena, &qualifier)) != OK ||
            (error = read_url(txn, value, qualifier, &(*urls)[*count])) != OK)
            break;
        (*count)++;
    }
    cursor_close(cursor);
    return error;
}

/* ---- Whose it is ---- */

Error function_url_find(Txn *txn, Slice id, Function *function, FunctionUrl *url)
{
    Slice value;
    bool found;
    uint8_t schema;
    uint64_t number;
    Slice account;
    Slice region;
    Slice name;
    Slice qualifier;
    TRY(txn_get(txn, owner_key(txn, id), &value, &found));
    if (!found)
        return FUNCTION_URL_NOT_FOUND;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_URL_OWNER)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &number));
    TRY(value_take_bytes(&value, &account));
    TRY(value_take_bytes(&value, &region));
    TRY(value_take_bytes(&value, &name));
    TRY(value_take_bytes(&value, &qualifier));
    Error error = function_open(txn, account, region, name, function);
    /* A function that has just been deleted, or made again under its name, has left its index for a moment. */
    if (error == FUNCTION_NOT_FOUND || (error == OK && function->number != number))
        return FUNCTION_URL_NOT_FOUND;
    TRY(error);
    return function_url_get(txn, function, qualifier, url);
}

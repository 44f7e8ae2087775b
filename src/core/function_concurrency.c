#include "core/function_concurrency.h"

#include "core/function_internal.h"
#include "core/provisioner.h"

enum { SCHEMA_PROVISIONED = 1 };

static Slice provisioned_key(Txn *txn, const Function *function, Slice qualifier)
{
    Buffer key = function_own_key(txn, function, FUNCTION_TAG_PROVISIONED);
    key_add_string(&key, qualifier);
    return buffer_slice(&key);
}

static Error read_provisioned(Slice value, Provisioned *provisioned)
{
    uint8_t schema;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_PROVISIONED)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &provisioned->count));
    return value_take_uint64(&value, &provisioned->modified_ms);
}

/* ---- Reading ---- */

Error provisioned_version(Txn *txn, const Function *function, Slice qualifier, FunctionVersion *version)
{
    uint64_t number;
    FunctionAlias alias;
    if (function_version_number(qualifier, &number))
        return function_version_get(txn, function, qualifier, version);
    TRY(function_alias_get(txn, function, qualifier, &alias));
    return function_version_get(txn, function, alias.version, version);
}

Error provisioned_get(Txn *txn, const Function *function, Slice qualifier, Provisioned *provisioned)
{
    Slice value;
    bool found;
    FunctionVersion version;
    *provisioned = (Provisioned){.qualifier = qualifier};
    TRY(provisioned_version(txn, function, qualifier, &version));
    TRY(txn_get(txn, provisioned_key(txn, function, qualifier), &value, &found));
    return found ? read_provisioned(value, provisioned) : PROVISIONED_NOT_FOUND;
}

Error provisioned_list(Txn *txn, const Function *function, FunctionPage *page, Provisioned **provisioned, size_t *count)
{
    Arena *arena = txn_arena(txn);
    Slice key;
    Slice value;
    Slice place = {0};
    Error error;
    *count = 0;
    page->next = (Slice){0};
    *provisioned = ARENA_ARRAY(arena, Provisioned, page->limit);
    Buffer prefix = function_own_key(txn, function, FUNCTION_TAG_PROVISIONED);
    Cursor *cursor = txn_scan(txn, key_range_after(txn_arena(txn), buffer_slice(&prefix), page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == page->limit) {
            page->next = place;
            break;
        }
        Provisioned *next = &(*provisioned)[*count];
        place = arena_copy(arena, slice_skip(key, prefix.size));
        Slice rest = place;
        if ((error = key_take_string(&rest, arena, &next->qualifier)) != OK ||
            (error = read_provisioned(value, next)) != OK)
            break;
        (*count)++;
    }
    cursor_close(cursor);
    return error;
}

/* Every one of them: no account may have more executions than PROVISIONED_MAX, and each has at least one. */
static Error list_all(Txn *txn, const Function *function, Provisioned **provisioned, size_t *count)
{
    FunctionPage page = {.limit = 64};
    Provisioned *part;
    size_t size;
    size_t room = 0;
    *provisioned = NULL;
    *count = 0;
    do {
        TRY(provisioned_list(txn, function, &page, &part, &size));
        if (*count + size > room) {
            Provisioned *more = ARENA_ARRAY(txn_arena(txn), Provisioned, room = (*count + size) * 2);
            for (size_t i = 0; i < *count; i++)
                more[i] = (*provisioned)[i];
            *provisioned = more;
        }
        for (size_t i = 0; i < size; i++)
            (*provisioned)[(*count)++] = part[i];
        page.after = page.next;
    } while (page.next.data != NULL);
    return OK;
}

Error provisioned_total(Txn *txn, const Function *function, uint64_t *count)
{
    Provisioned *all;
    size_t size;
    *count = 0;
    TRY(list_all(txn, function, &all, &size));
    for (size_t i = 0; i < size; i++)
        *count += all[i].count;
    return OK;
}

/* ---- What versions come to ---- */

static Error add_version(Txn *txn, const Function *function, Slice name, uint64_t more, ProvisionedVersion *versions,
                         size_t *count)
{
    if (more == 0)
        return OK;
    for (size_t i = 0; i < *count; i++)
        if (slice_equal(versions[i].version.version, name)) {
            versions[i].count += more;
            return OK;
        }
    versions[*count].count = more;
    return function_version_get(txn, function, name, &versions[(*count)++].version);
}

Error provisioned_versions(Txn *txn, const Function *function, ProvisionedVersion **versions, size_t *count)
{
    Provisioned *all;
    size_t size;
    *count = 0;
    TRY(list_all(txn, function, &all, &size));
    *versions = ARENA_ARRAY(txn_arena(txn), ProvisionedVersion, size * 2);
    for (size_t i = 0; i < size; i++) {
        uint64_t number;
        FunctionAlias alias = {.version = all[i].qualifier};
        if (!function_version_number(all[i].qualifier, &number))
            TRY(function_alias_get(txn, function, all[i].qualifier, &alias));
        /* An alias that shares its calls shares its executions in the same way. */
        uint64_t routed =
            alias.route_version.data == NULL ? 0 : (uint64_t)((double)all[i].count * alias.route_weight + 0.5);
        TRY(add_version(txn, function, alias.version, all[i].count - routed, *versions, count));
        TRY(add_version(txn, function, alias.route_version, routed, *versions, count));
    }
    return OK;
}

/* ---- The account ---- */

Error provisioned_of_others(Txn *txn, const Function *function, uint64_t *count)
{
    ProvisionedOwner *owners;
    size_t size;
    *count = 0;
    TRY(provisioned_owners(txn, function->account, function->region, &owners, &size));
    for (size_t i = 0; i < size; i++) {
        Function other;
        uint64_t total;
        if (slice_equal(owners[i].name, function->name))
            continue;
        Error error = function_open(txn, function->account, function->region, owners[i].name, &other);
        if (error == FUNCTION_NOT_FOUND || (error == OK && other.has_reserved))
            continue;
        TRY(error);
        TRY(provisioned_total(txn, &other, &total));
        *count += total;
    }
    return OK;
}

/* ---- Changes ---- */

/* A version has one configuration: its own, or that of an alias which means it. */
static Error check_single(Txn *txn, const Function *function, Slice qualifier, Slice version)
{
    Provisioned *all;
    size_t size;
    TRY(list_all(txn, function, &all, &size));
    for (size_t i = 0; i < size; i++) {
        FunctionVersion other;
        if (slice_equal(all[i].qualifier, qualifier))
            continue;
        TRY(provisioned_version(txn, function, all[i].qualifier, &other));
        if (slice_equal(other.version, version))
            return PROVISIONED_TWICE;
    }
    return OK;
}

/* `total`: all of the function's, when this is done. */
static Error check_room(Txn *txn, const Function *function, uint64_t total, uint64_t all)
{
    FunctionUsage usage;
    uint64_t others;
    if (function->has_reserved)
        return total > function->reserved ? PROVISIONED_OVER_RESERVED : OK;
    TRY(function_usage(txn, function->account, function->region, &usage));
    TRY(provisioned_of_others(txn, function, &others));
    uint64_t taken = usage.reserved + others + FUNCTION_UNRESERVED_MIN;
    return taken > all || total > all - taken ? FUNCTION_UNRESERVED : OK;
}

Error provisioned_put(Txn *txn, const Function *function, Provisioned *provisioned, uint64_t all)
{
    FunctionVersion version;
    FunctionAlias alias = {0};
    uint64_t number;
    uint64_t total;
    Provisioned before;
    bool is_version = function_version_number(provisioned->qualifier, &number);
    if (is_version && number == 0)
        return PROVISIONED_LATEST;
    if (!is_version)
        TRY(function_alias_get(txn, function, provisioned->qualifier, &alias));
    if (alias.route_version.data != NULL)
        return PROVISIONED_ROUTED;
    TRY(function_version_get(txn, function, is_version ? provisioned->qualifier : alias.version, &version));
    if (slice_equal(version.version, FUNCTION_LATEST))
        return PROVISIONED_LATEST;
    TRY(check_single(txn, function, provisioned->qualifier, version.version));
    TRY(provisioned_total(txn, function, &total));
    Error error = provisioned_get(txn, function, provisioned->qualifier, &before);
    if (error != OK && error != PROVISIONED_NOT_FOUND)
        return error;
    total -= error == OK ? before.count : 0;
    TRY(check_room(txn, function, total + provisioned->count, all));

    provisioned->modified_ms = txn_now(txn);
    Buffer value = value_start(txn_arena(txn), SCHEMA_PROVISIONED);
    value_add_uint64(&value, provisioned->count);
    value_add_uint64(&value, provisioned->modified_ms);
    txn_put(txn, provisioned_key(txn, function, provisioned->qualifier), buffer_slice(&value));
    provisioner_add(txn, function);
    return OK;
}

Error provisioned_delete(Txn *txn, const Function *function, Slice qualifier)
{
    txn_delete(txn, provisioned_key(txn, function, qualifier));
    return provisioner_touch(txn, function);
}

/* function_alias.c: names for versions of a function, which may share their calls between two. */
#include "core/function_internal.h"
#include "core/function_qualifier.h"
#include "core/provisioner.h"

static Slice alias_key(Txn *txn, const Function *function, Slice name)
{
    Buffer key = function_own_key(txn, function, FUNCTION_TAG_ALIAS);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

static Error check_versions(Txn *txn, const Function *function, const FunctionAlias *alias)
{
    FunctionVersion version;
    TRY(function_version_get(txn, function, alias->version, &version));
    return alias->route_version.data == NULL ? OK : function_version_get(txn, function, alias->route_version, &version);
}

Error function_alias_get(Txn *txn, const Function *function, Slice name, FunctionAlias *alias)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, alias_key(txn, function, name), &value, &found));
    return found ? function_alias_read(txn, value, alias) : FUNCTION_ALIAS_NOT_FOUND;
}

Error function_alias_put(Txn *txn, const Function *function, FunctionAlias *alias)
{
    TRY(check_versions(txn, function, alias));
    alias->revision_id = function_new_revision(txn);
    txn_put(txn, alias_key(txn, function, alias->name), function_alias_write(txn, alias));
    return provisioner_touch(txn, function);
}

Error function_alias_create(Txn *txn, const Function *function, FunctionAlias *alias)
{
    FunctionAlias other;
    Error error = function_alias_get(txn, function, alias->name, &other);
    if (error == OK)
        return FUNCTION_ALIAS_EXISTS;
    return error == FUNCTION_ALIAS_NOT_FOUND ? function_alias_put(txn, function, alias) : error;
}

Error function_alias_delete(Txn *txn, const Function *function, Slice name, bool *found)
{
    FunctionAlias alias;
    Error error = function_alias_get(txn, function, name, &alias);
    *found = error == OK;
    if (error == FUNCTION_ALIAS_NOT_FOUND)
        return OK;
    TRY(error);
    txn_delete(txn, alias_key(txn, function, name));
    return function_qualifier_drop(txn, function, name);
}

static bool refers_to(const FunctionAlias *alias, Slice version)
{
    return version.size == 0 || slice_equal(alias->version, version) || slice_equal(alias->route_version, version);
}

Error function_alias_list(Txn *txn, const Function *function, Slice version, FunctionPage *page,
                          FunctionAlias **aliases, size_t *count)
{
    Slice key;
    Slice value;
    Slice place = {0};
    Error error;
    *count = 0;
    page->next = (Slice){0};
    *aliases = ARENA_ARRAY(txn_arena(txn), FunctionAlias, page->limit);
    Buffer prefix = function_own_key(txn, function, FUNCTION_TAG_ALIAS);
    Cursor *cursor = txn_scan(txn, key_range_after(txn_arena(txn), buffer_slice(&prefix), page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        FunctionAlias alias;
        if ((error = function_alias_read(txn, value, &alias)) != OK)
            break;
        if (!refers_to(&alias, version))
            continue;
        if (*count == page->limit) {
            page->next = place;
            break;
        }
        place = arena_copy(txn_arena(txn), slice_skip(key, prefix.size));
        (*aliases)[(*count)++] = alias;
    }
    cursor_close(cursor);
    return error;
}

/* package_use.c: who refers to a package, as keys of the store.
 *
 *   ("", "", KIND_PACKAGE) folder user     → a reference
 *   ("", "", KIND_PACKAGE_DROPPED) folder  → it lost one: whoever collects packages looks whether others are left */
#include "core/package.h"

#include "store/key.h"

enum { SCHEMA_MARK = 1 };

static const Slice nowhere = SLICE_INIT("");

static Buffer key_of(Txn *txn, KeyKind kind, Slice folder)
{
    Buffer key = key_start(txn_arena(txn), nowhere, nowhere, kind);
    key_add_string(&key, folder);
    return key;
}

static void put_mark(Txn *txn, const Buffer *key)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_MARK);
    txn_put(txn, buffer_slice(key), buffer_slice(&value));
}

void package_use(Txn *txn, Slice folder, Slice user)
{
    Buffer key = key_of(txn, KIND_PACKAGE, folder);
    key_add_string(&key, user);
    put_mark(txn, &key);
}

void package_unuse(Txn *txn, Slice folder, Slice user)
{
    Buffer key = key_of(txn, KIND_PACKAGE, folder);
    key_add_string(&key, user);
    txn_delete(txn, buffer_slice(&key));
    Buffer dropped = key_of(txn, KIND_PACKAGE_DROPPED, folder);
    put_mark(txn, &dropped);
}

Error package_is_used(Txn *txn, Slice folder, bool *used)
{
    Slice key;
    Slice value;
    Buffer prefix = key_of(txn, KIND_PACKAGE, folder);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_FORWARD);
    Error error = cursor_next(cursor, &key, &value);
    *used = key.data != NULL;
    cursor_close(cursor);
    return error;
}

Slice package_code_path(Txn *txn, Slice folder)
{
    Slice directory = txn_directory(txn);
    return arena_format(txn_arena(txn), "%.*s/functions/%.*s/code", SLICE_PRINT(directory), SLICE_PRINT(folder));
}

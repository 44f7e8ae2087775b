/* function_timer.c: what happens to functions by itself: changes settle, and what a deleted one leaves is removed.
 *
 * A timer's id is a key: of the version that settles, the prefix of all keys that are removed, or the user of a package that
 * is let go; its value says which, and of which function. */
#include "core/function_internal.h"
#include "core/function_qualifier.h"
#include "core/package.h"
#include "core/provisioner.h"

enum { SCHEMA_TIMER = 1 };
enum { REMOVE_KEYS = 500 }; /* in one transaction: well below its bounds */
enum { WORK_SETTLE = 's', WORK_REMOVE = 'r', WORK_LET_GO = 'g' };

/* `package`: of WORK_LET_GO; absent otherwise. */
static void set_timer(Txn *txn, const Function *function, char work, uint64_t due_ms, Slice id, Slice package)
{
    Buffer value = value_start(txn_arena(txn), SCHEMA_TIMER);
    value_add_uint64(&value, (uint64_t)work);
    value_add_uint64(&value, function->number);
    value_add_bytes(&value, function->account);
    value_add_bytes(&value, function->region);
    value_add_bytes(&value, function->name);
    if (work == WORK_LET_GO)
        value_add_bytes(&value, package);
    txn_timer_set(txn, TIMER_FUNCTION, function->home, due_ms, id, buffer_slice(&value));
}

static Error read_timer(Txn *txn, Slice value, char *work, Function *function, Slice *package)
{
    uint8_t schema;
    uint64_t number;
    *function = (Function){0};
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_TIMER)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &number));
    *work = (char)number;
    TRY(value_take_uint64(&value, &function->number));
    TRY(value_take_bytes(&value, &function->account));
    TRY(value_take_bytes(&value, &function->region));
    TRY(value_take_bytes(&value, &function->name));
    *package = (Slice){0};
    if (*work == WORK_LET_GO)
        TRY(value_take_bytes(&value, package));
    function_place(txn, function);
    return OK;
}

/* ---- Settling ---- */

void function_settle_at(Txn *txn, const Function *function, uint64_t version)
{
    set_timer(txn, function, WORK_SETTLE, txn_now(txn) + FUNCTION_SETTLE_MS,
              function_version_key(txn, function, version), (Slice){0});
}

static Error settle(Txn *txn, const Function *function, Slice key)
{
    Slice value;
    bool found;
    FunctionVersion version;
    TRY(txn_get(txn, key, &value, &found));
    if (!found)
        return OK;
    TRY(function_version_entry(txn, function, value, &version));
    version.revision_id = function_new_revision(txn);
    version.state = SLICE("Active");
    version.update_status = SLICE("Successful");
    version.state_reason = version.state_reason_code = (Slice){0};
    version.update_reason = version.update_reason_code = (Slice){0};
    txn_put(txn, key, function_version_write(txn, &version));
    return OK;
}

/* ---- Code that was replaced ---- */

/* Each replacement is a user of its own: the same code may come back, and be replaced again. */
void function_keep_code(Txn *txn, const Function *function, const FunctionVersion *before)
{
    Buffer user = buffer_make(txn_arena(txn));
    buffer_add(&user, function_version_key(txn, function, 0));
    key_add_uint64(&user, before->change);
    package_use(txn, before->code, buffer_slice(&user));
    set_timer(txn, function, WORK_LET_GO, txn_now(txn) + FUNCTION_REPLACED_MS, buffer_slice(&user), before->code);
}

/* ---- Removing ---- */

/* Deletes up to REMOVE_KEYS of the function's keys, the references of its versions with them. */
static Error remove_page(Txn *txn, const Function *function, bool *more, uint64_t *bytes)
{
    Slice key;
    Slice value;
    Error error;
    size_t count = 0;
    *bytes = 0;
    Buffer versions = function_own_key(txn, function, FUNCTION_TAG_VERSION);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), function->prefix), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL && count < REMOVE_KEYS) {
        FunctionVersion version;
        count++;
        if (!slice_starts_with(key, buffer_slice(&versions))) {
            if ((error = function_key_drop(txn, function, key, value)) != OK)
                break;
            continue;
        }
        if ((error = function_version_entry(txn, function, value, &version)) != OK)
            break;
        *bytes += version.code_bytes;
        function_version_drop(txn, function, &version);
    }
    *more = key.data != NULL;
    cursor_close(cursor);
    return error;
}

static Error remove_rest(Txn *txn, const Function *function)
{
    bool more;
    uint64_t bytes;
    TRY(remove_page(txn, function, &more, &bytes));
    TRY(function_usage_add_code(txn, function->account, function->region, -(int64_t)bytes, 0));
    if (more)
        set_timer(txn, function, WORK_REMOVE, txn_now(txn), function->prefix, (Slice){0});
    return OK;
}

Error function_delete(Txn *txn, const Function *function)
{
    int64_t reserved = function->has_reserved ? (int64_t)function->reserved : 0;
    TRY(function_usage_add(txn, function->account, function->region, -1, 0, -reserved, 0));
    txn_delete(txn, function_name_key(txn, function->account, function->region, function->name));
    provisioner_forget(txn, function);
    return remove_rest(txn, function);
}

Error function_timer(Txn *txn, uint64_t due_ms, Slice id, Slice value)
{
    (void)due_ms;
    char work;
    Function function;
    Slice package;
    TRY(read_timer(txn, value, &work, &function, &package));
    if (work == WORK_LET_GO) {
        package_unuse(txn, package, id);
        return OK;
    }
    return work == WORK_SETTLE ? settle(txn, &function, id) : remove_rest(txn, &function);
}

/* function_version.c: versions of a function: "$LATEST", which changes, and the published ones, which never do. */
#include "base/digest.h"
#include "core/function_internal.h"
#include "core/function_qualifier.h"
#include "core/package.h"
#include "core/provisioner.h"

Slice function_version_key(Txn *txn, const Function *function, uint64_t number)
{
    Buffer key = function_own_key(txn, function, FUNCTION_TAG_VERSION);
    key_add_uint64(&key, number);
    return buffer_slice(&key);
}

bool function_version_number(Slice version, uint64_t *number)
{
    *number = 0;
    return slice_equal(version, FUNCTION_LATEST) || (slice_parse_uint64(version, number) && *number > 0);
}

Error function_version_entry(Txn *txn, const Function *function, Slice value, FunctionVersion *version)
{
    *version = (FunctionVersion){.account = function->account, .region = function->region, .name = function->name};
    return function_version_read(txn, value, version);
}

Error function_version_get(Txn *txn, const Function *function, Slice version, FunctionVersion *found)
{
    uint64_t number;
    Slice value;
    bool is_there;
    if (!function_version_number(version, &number))
        return FUNCTION_VERSION_NOT_FOUND;
    TRY(txn_get(txn, function_version_key(txn, function, number), &value, &is_there));
    return is_there ? function_version_entry(txn, function, value, found) : FUNCTION_VERSION_NOT_FOUND;
}

/* ---- Records and what they refer to ---- */

static uint64_t number_of(const FunctionVersion *version)
{
    uint64_t number;
    function_version_number(version->version, &number);
    return number;
}

static void put_record(Txn *txn, const Function *function, const FunctionVersion *version)
{
    txn_put(txn, function_version_key(txn, function, number_of(version)), function_version_write(txn, version));
}

static void use_packages(Txn *txn, const Function *function, const FunctionVersion *version)
{
    Slice user = function_version_key(txn, function, number_of(version));
    package_use(txn, version->code, user);
    for (size_t i = 0; i < version->layer_count; i++)
        package_use(txn, version->layers[i].code, user);
}

static void unuse_packages(Txn *txn, const Function *function, const FunctionVersion *version)
{
    Slice user = function_version_key(txn, function, number_of(version));
    package_unuse(txn, version->code, user);
    for (size_t i = 0; i < version->layer_count; i++)
        package_unuse(txn, version->layers[i].code, user);
}

static bool has_same_packages(const FunctionVersion *a, const FunctionVersion *b)
{
    if (!slice_equal(a->code, b->code) || a->layer_count != b->layer_count)
        return false;
    for (size_t i = 0; i < a->layer_count; i++)
        if (!slice_equal(a->layers[i].code, b->layers[i].code))
            return false;
    return true;
}

void function_version_put(Txn *txn, const Function *function, const FunctionVersion *version)
{
    put_record(txn, function, version);
    use_packages(txn, function, version);
}

void function_version_drop(Txn *txn, const Function *function, const FunctionVersion *version)
{
    txn_delete(txn, function_version_key(txn, function, number_of(version)));
    unuse_packages(txn, function, version);
}

/* ---- Changes of "$LATEST" ---- */

static bool is_updating(const FunctionVersion *version)
{
    return slice_equal(version->update_status, SLICE("InProgress")) || slice_equal(version->state, SLICE("Pending"));
}

/* Another revision of it, with its packages. */
static Error put_latest(Txn *txn, const Function *function, const FunctionVersion *before, FunctionVersion *latest,
                        uint64_t code_limit)
{
    TRY(function_usage_add_code(txn, function->account, function->region,
                                (int64_t)latest->code_bytes - (int64_t)before->code_bytes, code_limit));
    latest->revision_id = function_new_revision(txn);
    latest->change = before->change + 1;
    latest->modified_ms = txn_now(txn);
    put_record(txn, function, latest);
    if (!has_same_packages(before, latest)) {
        unuse_packages(txn, function, before);
        use_packages(txn, function, latest);
    }
    return OK;
}

Error function_latest_put(Txn *txn, const Function *function, FunctionVersion *latest, uint64_t code_limit)
{
    FunctionVersion before;
    TRY(function_version_get(txn, function, FUNCTION_LATEST, &before));
    if (is_updating(&before))
        return FUNCTION_UPDATING;
    latest->update_status = SLICE("InProgress");
    latest->update_reason = SLICE("The function is being created."); /* so says AWS of updates, too */
    latest->update_reason_code = SLICE("Creating");
    TRY(put_latest(txn, function, &before, latest, code_limit));
    function_settle_at(txn, function, 0);
    return OK;
}

Error function_code_replace(Txn *txn, const Function *function, FunctionVersion *latest, uint64_t code_limit)
{
    FunctionVersion before;
    TRY(function_version_get(txn, function, FUNCTION_LATEST, &before));
    function_keep_code(txn, function, &before);
    return put_latest(txn, function, &before, latest, code_limit);
}

void function_version_put_documents(Txn *txn, const Function *function, FunctionVersion *version)
{
    version->revision_id = function_new_revision(txn);
    put_record(txn, function, version);
}

/* ---- Publishing ---- */

/* A digest of code and configuration, without what changes by itself. */
static Slice source_of(Txn *txn, const FunctionVersion *latest)
{
    unsigned char digest[SHA256_SIZE];
    FunctionVersion plain = *latest;
    plain.revision_id = plain.state = plain.state_reason = plain.state_reason_code = (Slice){0};
    plain.update_status = plain.update_reason = plain.update_reason_code = plain.source = (Slice){0};
    plain.modified_ms = plain.change = 0;
    sha256(function_version_write(txn, &plain), digest);
    return arena_copy(txn_arena(txn), slice_make(digest, sizeof digest));
}

static Error last_published(Txn *txn, const Function *function, FunctionVersion *last, bool *found)
{
    *found = false;
    if (function->last_version == 0)
        return OK;
    Slice name = arena_format(txn_arena(txn), "%ju", (uintmax_t)function->last_version);
    Error error = function_version_get(txn, function, name, last);
    *found = error == OK;
    return error == FUNCTION_VERSION_NOT_FOUND ? OK : error;
}

/* A version that is made while "$LATEST" changes settles with it; others are ready at once, unless there is a snapshot
 * to be taken of them. */
static void begin_state(FunctionVersion *published, bool settles)
{
    if (!settles)
        return;
    published->state = SLICE("Pending");
    published->state_reason = SLICE("The function is being created.");
    published->state_reason_code = SLICE("Creating");
    published->update_status = published->update_reason = published->update_reason_code = (Slice){0};
}

Error function_publish(Txn *txn, Function *function, Slice description, uint64_t code_limit, FunctionVersion *published)
{
    FunctionVersion latest;
    bool found;
    TRY(function_version_get(txn, function, FUNCTION_LATEST, &latest));
    Slice source = source_of(txn, &latest);
    TRY(last_published(txn, function, published, &found));
    if (found && slice_equal(published->source, source))
        return OK;
    TRY(function_usage_add_code(txn, function->account, function->region, (int64_t)latest.code_bytes, code_limit));
    bool settles = is_updating(&latest) || latest.snap_start;

    function->last_version++;
    function_put(txn, function);
    *published = latest;
    published->version = arena_format(txn_arena(txn), "%ju", (uintmax_t)function->last_version);
    published->revision_id = function_new_revision(txn);
    published->source = source;
    if (description.data != NULL)
        published->description = description;
    begin_state(published, settles);
    function_version_put(txn, function, published);
    if (settles)
        function_settle_at(txn, function, function->last_version);

    /* "$LATEST" has another revision when something was published of it, though nothing of it has changed. */
    latest.revision_id = function_new_revision(txn);
    put_record(txn, function, &latest);
    return OK;
}

Error function_version_delete(Txn *txn, const Function *function, Slice version)
{
    FunctionVersion found;
    FunctionAlias *aliases;
    size_t count;
    FunctionPage page = {.limit = 1};
    Error error = function_version_get(txn, function, version, &found);
    if (error == FUNCTION_VERSION_NOT_FOUND)
        return OK;
    TRY(error);
    TRY(function_alias_list(txn, function, version, &page, &aliases, &count));
    if (count > 0)
        return FUNCTION_VERSION_IN_USE;
    function_version_drop(txn, function, &found);
    provisioner_forget_version(txn, function, &found);
    TRY(function_qualifier_drop(txn, function, version));
    return function_usage_add_code(txn, function->account, function->region, -(int64_t)found.code_bytes, 0);
}

Error function_version_list(Txn *txn, const Function *function, FunctionPage *page, FunctionVersion **versions,
                            size_t *count)
{
    Slice key;
    Slice value;
    Error error;
    *count = 0;
    page->next = (Slice){0};
    *versions = ARENA_ARRAY(txn_arena(txn), FunctionVersion, page->limit);
    Buffer prefix = function_own_key(txn, function, FUNCTION_TAG_VERSION);
    Cursor *cursor = txn_scan(txn, key_range_after(txn_arena(txn), buffer_slice(&prefix), page->after), SCAN_FORWARD);
    Slice place = {0};
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == page->limit) {
            page->next = place;
            break;
        }
        place = arena_copy(txn_arena(txn), slice_skip(key, prefix.size));
        if ((error = function_version_entry(txn, function, value, &(*versions)[*count])) != OK)
            break;
        (*count)++;
    }
    cursor_close(cursor);
    return error;
}

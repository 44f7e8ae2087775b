/* package.c: packages on their way in, and those that nobody refers to on their way out.
 *
 * An upload is one task of the pool. It holds its folder, so that it is not collected before a transaction refers to it:
 * who collects looks for references first, and moves the folder away only if nobody has held it since. */
#include "core/package.h"

#include "base/bug.h"
#include "base/digest.h"
#include "os/os_folder.h"
#include "store/key.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    SECRET_SIZE = 32,
    WATCH_MS = 3600 * 1000, /* a wait for packages that lost a reference; then it waits again */
};

static void watch_dropped(Packages *packages);

/* One folder that may have no references left. */
typedef struct Collection {
    StoreCall call;
    Task task;
    Arena arena;
    Packages *packages;
    Slice folder;
    bool used;
    bool held; /* somebody has held it since the references were counted */
    struct Collection *next;
} Collection;

struct Packages {
    Os *os;
    Store *store;
    WorkPool *pool;
    const char *directory; /* of packages */
    const char *data;
    const Limits *limits;
    Log *log;
    unsigned char secret[SECRET_SIZE];
    pthread_mutex_t mutex; /* of what follows */
    bool stopped;
    PackageUpload *held;
    Collection *collections;
    unsigned backups;      /* that want all packages kept */
    Collection *postponed; /* until there are none */
    uint64_t last_new;     /* number of a folder in "new" */
    bool watching;
    /* Waits for packages that lose a reference. */
    StoreCall watch;
    Task watch_task;
    Arena watch_arena;
    Slice dropped;
};

static const Slice nowhere = SLICE_INIT("");

static const char *path_of(const Packages *packages, Arena *arena, Slice folder)
{
    return arena_format(arena, "%s/%.*s", packages->directory, SLICE_PRINT(folder)).data;
}

/* A name in "new" that nobody has. */
static const char *new_path(Packages *packages, Arena *arena)
{
    pthread_mutex_lock(&packages->mutex);
    uint64_t number = ++packages->last_new;
    pthread_mutex_unlock(&packages->mutex);
    return arena_format(arena, "%s/new/%ju", packages->directory, (uintmax_t)number).data;
}

/* ---- On their way in ---- */

static void hold(PackageUpload *upload)
{
    Packages *packages = upload->packages;
    pthread_mutex_lock(&packages->mutex);
    upload->next = packages->held;
    packages->held = upload;
    for (Collection *one = packages->collections; one != NULL; one = one->next)
        one->held = one->held || slice_equal(one->folder, upload->folder);
    pthread_mutex_unlock(&packages->mutex);
}

/* Called with the mutex. */
static bool is_held(const Packages *packages, Slice folder)
{
    for (const PackageUpload *upload = packages->held; upload != NULL; upload = upload->next)
        if (slice_equal(upload->folder, folder))
            return true;
    return false;
}

/* Not into what the store keeps free for itself. */
static Error check_space(Packages *packages, uint64_t bytes)
{
    uint64_t free_bytes;
    TRY(os_disk_free(packages->os, packages->data, &free_bytes));
    uint64_t reserve = packages->limits->value[LIMIT_STORE_RESERVE_BYTES];
    return free_bytes < reserve || free_bytes - reserve < bytes ? ERROR_FULL : OK;
}

static Error write_zip(int folder, Slice zip)
{
    int file;
    TRY(folder_add_file(folder, "package.zip", 0644, &file));
    Error error = file_write(file, zip);
    Error closed = file_close(file, 0);
    return error != OK ? error : closed;
}

/* All of a package in a folder of "new", synced. */
static Error make_package(PackageUpload *upload, const char *path)
{
    int folder;
    TRY(folder_make(path, &folder));
    Error error = write_zip(folder, upload->zip);
    if (error == OK)
        error = package_unpack(upload->zip, &upload->arena, arena_format(&upload->arena, "%s/code", path).data);
    if (error == OK)
        error = folder_sync(folder);
    folder_close(folder);
    return error;
}

/* The account's folder, made by the first package of the account. */
static Error make_account(PackageUpload *upload)
{
    int folder;
    Error error = folder_make(path_of(upload->packages, &upload->arena, upload->account), &folder);
    if (error == OK)
        folder_close(folder);
    return error == ERROR_EXISTS ? OK : error;
}

static Error put_in_place(PackageUpload *upload)
{
    Packages *packages = upload->packages;
    const char *place = path_of(packages, &upload->arena, upload->folder);
    if (folder_is_there(place))
        return OK;
    TRY(check_space(packages, upload->zip.size + upload->unzipped_bytes));
    const char *path = new_path(packages, &upload->arena);
    Error error = make_package(upload, path);
    if (error == OK)
        error = make_account(upload);
    if (error == OK)
        error = folder_move(path, place);
    if (error == OK)
        return OK;
    folder_remove(path);
    /* Another upload of the same content was faster. */
    return error == ERROR_EXISTS && folder_is_there(place) ? OK : error;
}

static void complete(PackageUpload *upload)
{
    TaskChain chain = {0};
    task_chain_push(&chain, &upload->task);
    upload->mailbox->post(upload->mailbox, chain);
}

static void upload_is_done(Task *task)
{
    PackageUpload *upload = CONTAINER_OF(task, PackageUpload, task);
    upload->done(upload);
}

static void run_upload(Task *task)
{
    PackageUpload *upload = CONTAINER_OF(task, PackageUpload, task);
    unsigned char digest[SHA256_SIZE];
    sha256(upload->zip, digest);
    Slice name = hex_encode(&upload->arena, digest, sizeof digest);
    upload->sha256 = base64_encode(&upload->arena, slice_make(digest, sizeof digest));
    upload->folder = arena_format(&upload->arena, "%.*s/%.*s", SLICE_PRINT(upload->account), SLICE_PRINT(name));
    hold(upload);
    upload->result = package_check(upload->zip, &upload->bounds, &upload->arena, &upload->unzipped_bytes);
    if (upload->result == OK)
        upload->result = put_in_place(upload);
    upload->task.run = upload_is_done;
    complete(upload);
}

Error packages_add(Packages *packages, PackageUpload *upload)
{
    upload->packages = packages;
    upload->arena = arena_make();
    upload->task.run = run_upload;
    return work_pool_post(packages->pool, &upload->task) ? OK : ERROR_BUSY;
}

/* ---- On their way out ---- */

/* Takes it off those that are on their way; called with the mutex. */
static void take_off(Collection *collection)
{
    Collection **place = &collection->packages->collections;
    while (*place != collection)
        place = &(*place)->next;
    *place = collection->next;
}

static void free_collection(Collection *collection)
{
    arena_free(&collection->arena);
    free(collection);
}

static void end_collection(Collection *collection)
{
    Packages *packages = collection->packages;
    pthread_mutex_lock(&packages->mutex);
    take_off(collection);
    pthread_mutex_unlock(&packages->mutex);
    free_collection(collection);
}

/* Keeps it for later while a backup is taken. */
static bool postpone(Collection *collection)
{
    Packages *packages = collection->packages;
    pthread_mutex_lock(&packages->mutex);
    bool postponed = packages->backups > 0 && !collection->used;
    if (postponed) {
        take_off(collection);
        collection->next = packages->postponed;
        packages->postponed = collection;
    }
    pthread_mutex_unlock(&packages->mutex);
    return postponed;
}

/* Moves the folder away, unless somebody has held it since its references were counted: who holds it looks again when
 * it is released. */
static bool move_away(Collection *collection, const char *path)
{
    Packages *packages = collection->packages;
    pthread_mutex_lock(&packages->mutex);
    bool moved = packages->backups == 0 && !collection->held && !is_held(packages, collection->folder) &&
                 folder_move(path_of(packages, &collection->arena, collection->folder), path) == OK;
    pthread_mutex_unlock(&packages->mutex);
    return moved;
}

static void remove_unused(Task *task)
{
    Collection *collection = CONTAINER_OF(task, Collection, task);
    Packages *packages = collection->packages;
    if (postpone(collection))
        return;
    const char *path = new_path(packages, &collection->arena);
    if (!collection->used && move_away(collection, path) && folder_remove(path) != OK && packages->log != NULL)
        log_line(packages->log, LOG_LEVEL_WARNING, "a package that nobody refers to cannot be removed",
                 (const LogField[]){log_text("folder", slice_of_string(path)), {0}});
    end_collection(collection);
}

static Error count_references(Txn *txn, StoreCall *call)
{
    Collection *collection = CONTAINER_OF(call, Collection, call);
    return package_is_used(txn, collection->folder, &collection->used);
}

static void references_are_counted(StoreCall *call)
{
    Collection *collection = CONTAINER_OF(call, Collection, call);
    collection->used = collection->used || call->result != OK; /* it stays until the next start */
    Mailbox *pool = work_pool_mailbox(collection->packages->pool);
    TaskChain chain = {0};
    collection->task.run = remove_unused;
    task_chain_push(&chain, &collection->task);
    pool->post(pool, chain);
}

/* The mutex is held while the store is asked, so that it is not asked once it stops; what it answers is a task. */
static void collect(Packages *packages, Slice folder)
{
    Collection *collection = calloc(1, sizeof *collection);
    ASSERT(collection != NULL);
    collection->packages = packages;
    collection->arena = arena_make();
    collection->folder = arena_copy(&collection->arena, folder);
    collection->call = (StoreCall){
        .body = count_references,
        .done = references_are_counted,
        .mailbox = work_pool_mailbox(packages->pool),
        .arena = &collection->arena,
    };
    pthread_mutex_lock(&packages->mutex);
    bool stopped = packages->stopped;
    collection->next = packages->collections;
    packages->collections = collection;
    if (!stopped)
        store_read(packages->store, &collection->call);
    pthread_mutex_unlock(&packages->mutex);
    if (stopped)
        end_collection(collection);
}

void packages_keep_all(Packages *packages)
{
    pthread_mutex_lock(&packages->mutex);
    packages->backups++;
    pthread_mutex_unlock(&packages->mutex);
}

void packages_keep_no_longer(Packages *packages)
{
    Collection *again = NULL;
    pthread_mutex_lock(&packages->mutex);
    if (--packages->backups == 0) {
        again = packages->postponed;
        packages->postponed = NULL;
    }
    pthread_mutex_unlock(&packages->mutex);
    while (again != NULL) {
        Collection *next = again->next;
        collect(packages, again->folder);
        free_collection(again);
        again = next;
    }
}

void packages_report_lost(const Packages *packages, Slice folder, Error reason)
{
    if (packages->log != NULL)
        LOG(packages->log, ERROR, "package_lost", log_text("folder", folder), log_string("reason", error_text(reason)));
}

void packages_release(PackageUpload *upload)
{
    Packages *packages = upload->packages;
    pthread_mutex_lock(&packages->mutex);
    PackageUpload **place = &packages->held;
    while (*place != upload)
        place = &(*place)->next;
    *place = upload->next;
    pthread_mutex_unlock(&packages->mutex);
    /* Whether something refers to it now or not, somebody may have wished to collect it meanwhile. */
    if (upload->result == OK)
        collect(packages, upload->folder);
    watch_dropped(packages);
    arena_free(&upload->arena);
}

/* ---- Those that lose a reference ---- */

/* Takes the first package that lost a reference, or waits for one. */
static Error take_dropped(Txn *txn, StoreCall *call)
{
    Packages *packages = CONTAINER_OF(call, Packages, watch);
    Slice key;
    Slice value;
    packages->dropped = (Slice){0};
    Buffer prefix = key_start(txn_arena(txn), nowhere, nowhere, KIND_PACKAGE_DROPPED);
    KeyRange range = key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix));
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    Error error = cursor_next(cursor, &key, &value);
    if (error == OK && key.data != NULL)
        key = arena_copy(txn_arena(txn), key);
    cursor_close(cursor);
    if (error != OK)
        return error;
    if (key.data == NULL)
        return txn_timed_out(txn) ? OK : txn_wait(txn, range, WATCH_MS);
    txn_delete(txn, key);
    Slice rest = slice_skip(key, prefix.size);
    TRY(key_take_string(&rest, txn_arena(txn), &packages->dropped));
    packages->dropped = arena_copy(call->arena, packages->dropped);
    return OK;
}

static void collect_dropped(Task *task)
{
    Packages *packages = CONTAINER_OF(task, Packages, watch_task);
    if (packages->watch.result == OK && packages->dropped.data != NULL)
        collect(packages, packages->dropped);
    pthread_mutex_lock(&packages->mutex);
    packages->watching = false;
    pthread_mutex_unlock(&packages->mutex);
    /* Otherwise (a full disk) the next package that comes or goes begins it again. */
    if (packages->watch.result == OK)
        watch_dropped(packages);
}

static void dropped_is_taken(StoreCall *call)
{
    Packages *packages = CONTAINER_OF(call, Packages, watch);
    Mailbox *pool = work_pool_mailbox(packages->pool);
    TaskChain chain = {0};
    packages->watch_task.run = collect_dropped;
    task_chain_push(&chain, &packages->watch_task);
    pool->post(pool, chain);
}

static void watch_dropped(Packages *packages)
{
    pthread_mutex_lock(&packages->mutex);
    if (packages->watching || packages->stopped) {
        pthread_mutex_unlock(&packages->mutex);
        return;
    }
    packages->watching = true;
    arena_free(&packages->watch_arena);
    packages->watch = (StoreCall){
        .body = take_dropped,
        .done = dropped_is_taken,
        .mailbox = work_pool_mailbox(packages->pool),
        .arena = &packages->watch_arena,
        .home = home_of(nowhere, nowhere, SLICE("packages"), nowhere),
        .frees_space = true,
        .in_background = true,
    };
    store_write(packages->store, &packages->watch);
    pthread_mutex_unlock(&packages->mutex);
}

/* ---- Links ---- */

Slice packages_sign(const Packages *packages, Arena *arena, Slice folder, uint64_t expires_ms)
{
    unsigned char code[SHA256_SIZE];
    Slice text = arena_format(arena, "%.*s %ju", SLICE_PRINT(folder), (uintmax_t)expires_ms);
    hmac_sha256(slice_make(packages->secret, SECRET_SIZE), text, code);
    return hex_encode(arena, code, sizeof code);
}

bool packages_verify(const Packages *packages, Slice folder, uint64_t expires_ms, Slice proof)
{
    Arena arena = arena_make();
    bool same = secure_equal(packages_sign(packages, &arena, folder, expires_ms), proof);
    arena_free(&arena);
    return same && os_wall_ms(packages->os) < expires_ms;
}

const char *packages_zip_path(const Packages *packages, Arena *arena, Slice folder)
{
    return arena_format(arena, "%s/%.*s/package.zip", packages->directory, SLICE_PRINT(folder)).data;
}

WorkPool *packages_pool(const Packages *packages)
{
    return packages->pool;
}

/* ---- Life ---- */

/* What was unpacked when the process was killed, and no transaction refers to. */
static Error collect_orphans(Packages *packages, Arena *arena)
{
    Slice *accounts;
    Slice *names;
    size_t account_count;
    size_t count;
    TRY(folder_list(packages->directory, arena, &accounts, &account_count));
    for (size_t i = 0; i < account_count; i++) {
        if (slice_equal(accounts[i], SLICE("new")))
            continue;
        TRY(folder_list(path_of(packages, arena, accounts[i]), arena, &names, &count));
        for (size_t j = 0; j < count; j++)
            collect(packages, arena_format(arena, "%.*s/%.*s", SLICE_PRINT(accounts[i]), SLICE_PRINT(names[j])));
    }
    return OK;
}

static Error make_folders(Packages *packages, Arena *arena)
{
    const char *unfinished = path_of(packages, arena, SLICE("new"));
    TRY(os_make_directory(packages->os, packages->directory));
    TRY(folder_remove(unfinished));
    return os_make_directory(packages->os, unfinished);
}

Error packages_open(const PackagesOptions *options, Packages **opened)
{
    Packages *packages = calloc(1, sizeof *packages);
    ASSERT(packages != NULL);
    Arena arena = arena_make();
    packages->os = options->os;
    packages->store = options->store;
    packages->pool = options->pool;
    packages->limits = options->limits;
    packages->log = options->log;
    packages->data = options->directory;
    packages->directory = strdup(arena_format(&arena, "%s/functions", options->directory).data);
    pthread_mutex_init(&packages->mutex, NULL);
    os_random(options->os, packages->secret, sizeof packages->secret);
    Error error = make_folders(packages, &arena);
    if (error == OK)
        error = collect_orphans(packages, &arena);
    arena_free(&arena);
    if (error == OK) {
        watch_dropped(packages);
        *opened = packages;
        return OK;
    }
    packages_stop(packages);
    return error;
}

void packages_stop(Packages *packages)
{
    pthread_mutex_lock(&packages->mutex);
    packages->stopped = true;
    pthread_mutex_unlock(&packages->mutex);
}

void packages_close(Packages *packages)
{
    ASSERT(packages->collections == NULL);
    arena_free(&packages->watch_arena);
    pthread_mutex_destroy(&packages->mutex);
    free((char *)(uintptr_t)packages->directory);
    free(packages);
}

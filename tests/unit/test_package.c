/* The promises of package.h: what may be in a package, what becomes of it on the disk, and when it goes again. A store in
 * memory with all its threads, a pool, and a small file system of the test's own. */
#include "core/package.h"

#include "disk_fixture.h"
#include "os/os_folder.h"
#include "store/engine.h"
#include "zip_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ACCOUNT SLICE("123456789012")

enum { DISK_MIB = 8, TOGETHER = 8, ROUNDS = 10 };

typedef struct Bench {
    Arena arena;
    Limits limits;
    Store *store;
    WorkPool *pool;
    Packages *packages;
    Mailbox mailbox;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    TaskChain tasks;
} Bench;

static void post(Mailbox *mailbox, TaskChain chain)
{
    Bench *bench = CONTAINER_OF(mailbox, Bench, mailbox);
    pthread_mutex_lock(&bench->mutex);
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        task_chain_push(&bench->tasks, task);
    pthread_cond_signal(&bench->wake);
    pthread_mutex_unlock(&bench->mutex);
}

/* Runs the next task that comes. */
static void run_next(Bench *bench)
{
    pthread_mutex_lock(&bench->mutex);
    while (bench->tasks.first == NULL)
        pthread_cond_wait(&bench->wake, &bench->mutex);
    Task *task = task_chain_pop(&bench->tasks);
    pthread_mutex_unlock(&bench->mutex);
    task->run(task);
}

static void start(Bench *bench, Engine *engine)
{
    StoreOptions store = {.os = os_linux(), .engine = engine, .limits = &bench->limits, .readers = 1};
    assert_int_equal(store_open(&store, &bench->store), OK);
    assert_int_equal(store_start(bench->store), OK);
    bench->pool = work_pool_open(2, 64);
    PackagesOptions packages = {
        .os = os_linux(), .store = bench->store, .pool = bench->pool, .directory = disk_path, .limits = &bench->limits};
    assert_int_equal(packages_open(&packages, &bench->packages), OK);
}

static void stop(Bench *bench)
{
    packages_stop(bench->packages);
    store_stop(bench->store);
    work_pool_close(bench->pool);
    packages_close(bench->packages);
}

static int open_bench(void **state)
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->limits = limits_default;
    bench->limits.value[LIMIT_STORE_RESERVE_BYTES] = 0;
    bench->mailbox.post = post;
    pthread_mutex_init(&bench->mutex, NULL);
    pthread_cond_init(&bench->wake, NULL);
    start(bench, engine_memory_open());
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    Bench *bench = *state;
    stop(bench);
    folder_remove(arena_format(&bench->arena, "%s/functions", disk_path).data);
    arena_free(&bench->arena);
    free(bench);
    return 0;
}

/* ---- Uploads ---- */

typedef struct Upload {
    PackageUpload upload;
    bool done;
} Upload;

static void upload_done(PackageUpload *upload)
{
    CONTAINER_OF(upload, Upload, upload)->done = true;
}

static void begin(Bench *bench, Upload *one, Slice zip)
{
    *one = (Upload){.upload = {.account = ACCOUNT,
                               .zip = zip,
                               .bounds = {.zipped_bytes = 4 << 20, .unzipped_bytes = 4 << 20, .files = 100},
                               .mailbox = &bench->mailbox,
                               .done = upload_done}};
    assert_int_equal(packages_add(bench->packages, &one->upload), OK);
}

static void finish(Bench *bench, Upload *one)
{
    while (!one->done)
        run_next(bench);
}

static size_t folders(Bench *bench, const char *name)
{
    Slice *names;
    size_t count = 0;
    Error error = folder_list(arena_format(&bench->arena, "%s/functions/%s", disk_path, name).data, &bench->arena,
                              &names, &count);
    return error == OK ? count : 0;
}

static void wait_for_folders(Bench *bench, size_t count)
{
    for (unsigned i = 0; i < 10000 && folders(bench, "123456789012") != count; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(folders(bench, "123456789012"), count);
}

static Slice package_of(Bench *bench, Slice content)
{
    ZipMaker maker = zip_make(&bench->arena);
    zip_add(&maker, SLICE("lib/run.sh"), 0100755, content);
    zip_add(&maker, SLICE("link"), 0120777, SLICE("lib/run.sh"));
    return zip_end(&maker);
}

/* ---- References ---- */

typedef struct Reference {
    StoreCall call;
    Arena arena;
    Slice folder;
    bool use;
    bool done;
} Reference;

static Error refer_body(Txn *txn, StoreCall *call)
{
    Reference *reference = CONTAINER_OF(call, Reference, call);
    if (reference->use)
        package_use(txn, reference->folder, SLICE("me"));
    else
        package_unuse(txn, reference->folder, SLICE("me"));
    return OK;
}

static void refer_done(StoreCall *call)
{
    CONTAINER_OF(call, Reference, call)->done = true;
}

static void refer(Bench *bench, Slice folder, bool use)
{
    Reference reference = {.folder = folder, .use = use};
    reference.call =
        (StoreCall){.body = refer_body, .done = refer_done, .mailbox = &bench->mailbox, .arena = &reference.arena};
    store_write(bench->store, &reference.call);
    while (!reference.done)
        run_next(bench);
    arena_free(&reference.arena);
}

/* ---- Checking ---- */

typedef struct Case {
    const char *name;
    uint32_t mode;
    const char *content;
    Error expected;
} Case;

static const Case cases[] = {
    {"a.py", 0, "x", OK},
    {"a/b/c.py", 0100644, "x", OK},
    {"a/", 040755, "", OK},
    {"./", 0, "", OK},
    {"..", 0, "x", PACKAGE_NAME},
    {"../a", 0, "x", PACKAGE_NAME},
    {"a/../b", 0, "x", PACKAGE_NAME},
    {"a/..", 0, "x", PACKAGE_NAME},
    {"/a", 0, "x", PACKAGE_NAME},
    {"", 0, "x", PACKAGE_NAME},
    {".", 0100644, "x", PACKAGE_NAME},
    {"..a", 0, "x", OK},
    {"pipe", 010644, "", PACKAGE_NAME},
    {"device", 020644, "", PACKAGE_NAME},
    {"link", 0120777, "a", OK},
    {"a/link", 0120777, "../b", OK},
    {"a/b/link", 0120777, "../../c", OK},
    {"a/link", 0120777, "../../b", PACKAGE_LINK},
    {"link", 0120777, "..", PACKAGE_LINK},
    {"link", 0120777, "a/../b", PACKAGE_LINK},
    {"link", 0120777, "/etc/passwd", PACKAGE_LINK},
    {"link", 0120777, "", PACKAGE_LINK},
};

static void what_leads_out_of_a_package_is_refused(void **state)
{
    Bench *bench = *state;
    const PackageBounds bounds = {.zipped_bytes = 1000, .unzipped_bytes = 1000, .files = 10};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t bytes;
        ZipMaker maker = zip_make(&bench->arena);
        zip_add(&maker, slice_of_string(cases[i].name), cases[i].mode, slice_of_string(cases[i].content));
        Error error = package_check(zip_end(&maker), &bounds, &bench->arena, &bytes);
        if (error != cases[i].expected)
            print_error("case %zu, %s: %d\n", i, cases[i].name, (int)error);
        assert_int_equal(error, cases[i].expected);
    }
}

static void bounds_of_a_package_are_kept(void **state)
{
    Bench *bench = *state;
    uint64_t bytes;
    ZipMaker maker = zip_make(&bench->arena);
    for (unsigned i = 0; i < 3; i++)
        zip_add(&maker, arena_format(&bench->arena, "%u", i), 0, SLICE("0123456789"));
    Slice zip = zip_end(&maker);
    PackageBounds bounds = {.zipped_bytes = zip.size, .unzipped_bytes = 30, .files = 3};
    assert_int_equal(package_check(zip, &bounds, &bench->arena, &bytes), OK);
    assert_int_equal(bytes, 30);
    bounds.zipped_bytes--;
    assert_int_equal(package_check(zip, &bounds, &bench->arena, &bytes), PACKAGE_TOO_LARGE);
    bounds.zipped_bytes++;
    bounds.unzipped_bytes = 29;
    assert_int_equal(package_check(zip, &bounds, &bench->arena, &bytes), PACKAGE_UNZIPPED_TOO_LARGE);
    bounds.unzipped_bytes = 30;
    bounds.files = 2;
    assert_int_equal(package_check(zip, &bounds, &bench->arena, &bytes), PACKAGE_TOO_MANY_FILES);
}

/* Every byte of a zip changed, and every length cut: it is refused, or is still a zip whose contents fit. */
static void a_damaged_zip_does_no_harm(void **state)
{
    Bench *bench = *state;
    const PackageBounds bounds = {.zipped_bytes = 10000, .unzipped_bytes = 10000, .files = 10};
    Slice zip = package_of(bench, SLICE("#!/bin/sh\n"));
    uint64_t bytes;
    for (size_t i = 0; i < zip.size; i++) {
        ArenaMark mark = arena_mark(&bench->arena);
        char *changed = arena_string(&bench->arena, zip);
        changed[i] = (char)(changed[i] ^ 0x55);
        Slice damaged = slice_make(changed, zip.size);
        const char *path = arena_format(&bench->arena, "%s/damaged", disk_path).data;
        if (package_check(damaged, &bounds, &bench->arena, &bytes) == OK)
            package_unpack(damaged, &bench->arena, path);
        folder_remove(path);
        assert_int_not_equal(package_check(slice_make(zip.data, i), &bounds, &bench->arena, &bytes), OK);
        arena_rewind(&bench->arena, mark);
    }
}

/* ---- On the disk ---- */

static void a_package_stays_while_something_refers_to_it(void **state)
{
    Bench *bench = *state;
    Upload one;
    begin(bench, &one, package_of(bench, SLICE("#!/bin/sh\n")));
    finish(bench, &one);
    assert_int_equal(one.upload.result, OK);
    assert_int_equal(one.upload.unzipped_bytes, 10 + 10);
    Slice folder = arena_copy(&bench->arena, one.upload.folder);
    const char *path =
        arena_format(&bench->arena, "%s/functions/%.*s/code/lib/run.sh", disk_path, SLICE_PRINT(folder)).data;
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0755);
    assert_int_equal(status.st_mtime, 315532800);
    refer(bench, folder, true);
    packages_release(&one.upload);
    begin(bench, &one, package_of(bench, SLICE("other")));
    finish(bench, &one);
    packages_release(&one.upload); /* nothing refers to this one */
    wait_for_folders(bench, 1);
    assert_int_equal(stat(path, &status), 0);
    refer(bench, folder, false);
    wait_for_folders(bench, 0);
    assert_int_equal(folders(bench, "new"), 0);
}

/* Whoever holds a package has it, however often it is uploaded, given up and collected meanwhile. */
static void an_upload_holds_its_package(void **state)
{
    Bench *bench = *state;
    Slice zip = package_of(bench, SLICE("shared"));
    for (unsigned round = 0; round < ROUNDS; round++) {
        Upload uploads[TOGETHER];
        for (size_t i = 0; i < TOGETHER; i++)
            begin(bench, &uploads[i], zip);
        for (size_t i = 0; i < TOGETHER; i++) {
            finish(bench, &uploads[i]);
            assert_int_equal(uploads[i].upload.result, OK);
            assert_int_equal(access(packages_zip_path(bench->packages, &bench->arena, uploads[i].upload.folder), F_OK),
                             0);
            packages_release(&uploads[i].upload);
        }
    }
    wait_for_folders(bench, 0);
}

static Slice many_files(Bench *bench, unsigned count)
{
    ZipMaker maker = zip_make(&bench->arena);
    for (unsigned i = 0; i < count; i++)
        zip_add(&maker, arena_format(&bench->arena, "%u", i), 0, SLICE("0"));
    return zip_end(&maker);
}

static void a_full_disk_leaves_nothing_of_a_package(void **state)
{
    Bench *bench = *state;
    if (!disk_is_mounted)
        skip();
    Slice large = package_of(bench, slice_make(arena_zalloc(&bench->arena, 2 << 20), 2 << 20));
    /* The one is told by its size; of the other more is needed than its files' bytes, and that is found out on the way. */
    const struct {
        Slice zip;
        uint64_t left;
    } packages[] = {{large, 3 << 20}, {many_files(bench, 90), 64 << 10}};
    Upload one;
    for (size_t i = 0; i < 2; i++) {
        disk_fill(packages[i].left);
        begin(bench, &one, packages[i].zip);
        finish(bench, &one);
        assert_int_equal(one.upload.result, ERROR_FULL);
        packages_release(&one.upload);
        assert_int_equal(folders(bench, "new"), 0);
        assert_int_equal(folders(bench, "123456789012"), 0);
        disk_empty();
    }
    begin(bench, &one, large);
    finish(bench, &one);
    assert_int_equal(one.upload.result, OK);
    packages_release(&one.upload);
    wait_for_folders(bench, 0);
}

static void what_was_not_finished_is_removed_at_the_start(void **state)
{
    Bench *bench = *state;
    int folder;
    stop(bench);
    const char *account = arena_format(&bench->arena, "%s/functions/123456789012", disk_path).data;
    assert_int_equal(folder_make(account, &folder), OK);
    assert_int_equal(folder_add_folder(folder, "orphan/code/deep"), OK);
    folder_close(folder);
    const char *unfinished = arena_format(&bench->arena, "%s/functions/new/1", disk_path).data;
    assert_int_equal(folder_make(unfinished, &folder), OK);
    folder_close(folder);
    start(bench, engine_memory_open());
    assert_int_equal(folders(bench, "new"), 0);
    wait_for_folders(bench, 0);
}

/* ---- Links ---- */

static void a_proof_is_for_one_package_and_ten_minutes(void **state)
{
    Bench *bench = *state;
    uint64_t expires_ms = os_wall_ms(os_linux()) + PACKAGE_LINK_MS;
    Slice proof = packages_sign(bench->packages, &bench->arena, SLICE("a/b"), expires_ms);
    assert_true(packages_verify(bench->packages, SLICE("a/b"), expires_ms, proof));
    assert_false(packages_verify(bench->packages, SLICE("a/c"), expires_ms, proof));
    assert_false(packages_verify(bench->packages, SLICE("a/b"), expires_ms + 1, proof));
    assert_false(packages_verify(bench->packages, SLICE("a/b"), expires_ms, SLICE("")));
    proof = packages_sign(bench->packages, &bench->arena, SLICE("a/b"), 1);
    assert_false(packages_verify(bench->packages, SLICE("a/b"), 1, proof));
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(what_leads_out_of_a_package_is_refused),
        BENCH_TEST(bounds_of_a_package_are_kept),
        BENCH_TEST(a_damaged_zip_does_no_harm),
        BENCH_TEST(a_package_stays_while_something_refers_to_it),
        BENCH_TEST(an_upload_holds_its_package),
        BENCH_TEST(a_full_disk_leaves_nothing_of_a_package),
        BENCH_TEST(what_was_not_finished_is_removed_at_the_start),
        BENCH_TEST(a_proof_is_for_one_package_and_ten_minutes),
    };
    disk_make(DISK_MIB);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (disk_is_mounted)
        umount2(disk_path, MNT_DETACH);
    rmdir(disk_path);
    return failed;
}

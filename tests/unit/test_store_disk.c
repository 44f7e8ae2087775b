/* A disk that really fills up: RocksDB in a small file system of our own, a store with all its threads. Writes are
 * refused, reads go on, writes resume when space returns, and what was acknowledged is there, also after a restart.
 *
 * The file system is a tmpfs in a mount namespace of this process, so that it leaves nothing behind; where the system
 * allows neither root nor a user to have one, the tests are skipped and say so. */
#include "disk_fixture.h"
#include "store/directory.h"
#include "store/key.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    DISK_MIB = 96,
    RESERVE_MIB = 16,
    VALUE_BYTES = 32 << 10,
    KEYS = 200, /* rewritten in turn, so that the data stays small */
    TOGETHER = 16,
    ROUNDS = 24,
};

/* ---- A store on it ---- */

typedef struct Rig {
    Store *store;
    Limits limits;
    Mailbox mailbox;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    size_t outstanding;
    unsigned acknowledged[KEYS]; /* the newest version of each key, 0: none */
    unsigned asked[KEYS];
    unsigned version;
} Rig;

typedef struct Work {
    StoreCall call;
    Arena arena;
    Rig *rig;
    unsigned key;
    unsigned version;
} Work;

static void rig_post(Mailbox *mailbox, TaskChain chain)
{
    Rig *rig = CONTAINER_OF(mailbox, Rig, mailbox);
    pthread_mutex_lock(&rig->mutex);
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        rig->outstanding--;
    pthread_cond_signal(&rig->wake);
    pthread_mutex_unlock(&rig->mutex);
}

static void never_called(StoreCall *call)
{
    (void)call;
    fail();
}

static Slice key_of(Txn *txn, unsigned number)
{
    Buffer key = key_start(txn_arena(txn), SLICE("000000000000"), SLICE("us-east-1"), KIND_QUEUE);
    key_add_uint64(&key, number);
    return buffer_slice(&key);
}

static Error put_body(Txn *txn, StoreCall *call)
{
    const Work *work = CONTAINER_OF(call, Work, call);
    char *bytes = arena_alloc(txn_arena(txn), VALUE_BYTES);
    for (size_t i = 0; i < VALUE_BYTES; i++) /* nothing that could be compressed */
        bytes[i] = (char)(((work->version + i) * 2654435761u) >> 13);
    memcpy(bytes, &work->version, sizeof work->version);
    txn_put(txn, key_of(txn, work->key), slice_make(bytes, VALUE_BYTES));
    return OK;
}

static Error get_body(Txn *txn, StoreCall *call)
{
    Work *work = CONTAINER_OF(call, Work, call);
    Slice value;
    bool found;
    work->version = 0;
    TRY(txn_get(txn, key_of(txn, work->key), &value, &found));
    if (found)
        memcpy(&work->version, value.data, sizeof work->version);
    return OK;
}

static void rig_open(Rig *rig, uint64_t reserve_mib)
{
    Arena arena = arena_make();
    char directory[64];
    Slice message;
    StoreOptions options = {.os = os_linux(), .limits = &rig->limits, .directory = disk_path, .readers = 1};
    rig->limits = limits_default;
    rig->limits.value[LIMIT_STORE_RESERVE_BYTES] = reserve_mib << 20;
    rig->mailbox.post = rig_post;
    pthread_mutex_init(&rig->mutex, NULL);
    pthread_cond_init(&rig->wake, NULL);
    snprintf(directory, sizeof directory, "%s/db", disk_path);
    assert_int_equal(engine_rocksdb_open(directory, 1 << 20, &arena, &options.engine, &message), OK);
    assert_int_equal(store_open(&options, &rig->store), OK);
    assert_int_equal(store_start(rig->store), OK);
    arena_free(&arena);
}

static void start(Rig *rig, Work *work, TxnBody body, bool write)
{
    work->rig = rig;
    work->call = (StoreCall){.body = body, .done = never_called, .mailbox = &rig->mailbox, .arena = &work->arena};
    pthread_mutex_lock(&rig->mutex);
    rig->outstanding++;
    pthread_mutex_unlock(&rig->mutex);
    if (write)
        store_write(rig->store, &work->call);
}

static void wait_for_all(Rig *rig)
{
    pthread_mutex_lock(&rig->mutex);
    while (rig->outstanding > 0)
        pthread_cond_wait(&rig->wake, &rig->mutex);
    pthread_mutex_unlock(&rig->mutex);
}

/* Writes some keys at once; how many were acknowledged. The others were refused for want of space. */
static size_t write_some(Rig *rig)
{
    Work works[TOGETHER] = {0};
    size_t acknowledged = 0;
    for (size_t i = 0; i < TOGETHER; i++) {
        works[i].version = ++rig->version;
        works[i].key = rig->version % KEYS;
        rig->asked[works[i].key] = works[i].version;
        start(rig, &works[i], put_body, true);
    }
    wait_for_all(rig);
    for (size_t i = 0; i < TOGETHER; i++) {
        assert_true(works[i].call.result == OK || works[i].call.result == ERROR_FULL);
        if (works[i].call.result == OK) {
            rig->acknowledged[works[i].key] = works[i].version;
            acknowledged++;
        }
        arena_free(&works[i].arena);
    }
    return acknowledged;
}

/* Nothing acknowledged is lost; what was refused may have happened. */
static void check_all(Rig *rig)
{
    for (unsigned key = 0; key < KEYS; key++) {
        Work work = {.key = key};
        start(rig, &work, get_body, true); /* a write body that writes nothing: it sees the latest state */
        wait_for_all(rig);
        if (work.call.result == OK)
            assert_in_range(work.version, rig->acknowledged[key], rig->asked[key]);
        else
            assert_int_equal(work.call.result, ERROR_FULL);
        arena_free(&work.arena);
    }
}

static void read_done(StoreCall *call)
{
    Rig *rig = CONTAINER_OF(call, Work, call)->rig;
    TaskChain chain = {0};
    task_chain_push(&chain, &call->task);
    rig_post(&rig->mailbox, chain);
}

static void check_readers(Rig *rig)
{
    for (unsigned key = 0; key < KEYS; key++) {
        Work work = {.key = key};
        start(rig, &work, get_body, false);
        work.call.done = read_done; /* at once, or by rig_post */
        store_read(rig->store, &work.call);
        wait_for_all(rig);
        assert_int_equal(work.call.result, OK);
        assert_in_range(work.version, rig->acknowledged[key], rig->asked[key]);
        arena_free(&work.arena);
    }
}

static void sleep_ms(unsigned ms)
{
    usleep(ms * 1000);
}

/* Until all writes are acknowledged again: ten seconds at most. */
static void expect_writes_again(Rig *rig)
{
    for (unsigned i = 0; i < 200; i++) {
        if (write_some(rig) == TOGETHER)
            return;
        sleep_ms(50);
    }
    fail_msg("writes did not resume");
}

static void restart(Rig *rig, uint64_t reserve_mib)
{
    store_stop(rig->store);
    rig_open(rig, reserve_mib);
    check_readers(rig);
}

static void writes_are_refused_before_the_reserve_is_touched(void **state)
{
    (void)state;
    if (!disk_is_mounted)
        skip();
    static Rig rig;
    rig_open(&rig, RESERVE_MIB);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(write_some(&rig), TOGETHER);
    disk_fill((RESERVE_MIB << 20) - 1);
    sleep_ms(150); /* the free space is looked at every 100 ms */
    assert_int_equal(write_some(&rig), 0);
    check_readers(&rig);
    StoreStats stats;
    store_stats(rig.store, &stats);
    assert_true(stats.full);
    disk_empty();
    expect_writes_again(&rig);
    check_all(&rig);
    restart(&rig, RESERVE_MIB);
    store_stop(rig.store);
}

/* Somebody else, who fills the disk to the last byte and makes room again, faster than we look. */
static void *vandal_main(void *argument)
{
    atomic_bool *ended = argument;
    for (unsigned round = 0; round < ROUNDS; round++) {
        sleep_ms(round % 3 * 100);
        disk_fill((uint64_t)(round % 4) * (96 << 10));
        sleep_ms(round % 5 * 40);
        disk_empty();
    }
    atomic_store(ended, true);
    return NULL;
}

static void a_disk_filled_to_the_last_byte_loses_nothing_acknowledged(void **state)
{
    (void)state;
    if (!disk_is_mounted)
        skip();
    static Rig rig;
    unsigned refused = 0;
    atomic_bool ended = false;
    pthread_t vandal;
    rig_open(&rig, RESERVE_MIB);
    rig.version = 1000000;
    for (unsigned key = 0; key < KEYS; key++)
        rig.asked[key] = UINT32_MAX; /* the test before has left something */
    pthread_create(&vandal, NULL, vandal_main, &ended);
    for (unsigned i = 0; !atomic_load(&ended); i++) {
        refused += write_some(&rig) < TOGETHER;
        if (i % 64 == 0)
            check_readers(&rig);
    }
    pthread_join(vandal, NULL);
    expect_writes_again(&rig);
    check_all(&rig);
    assert_true(refused > 0);
    restart(&rig, RESERVE_MIB);
    store_stop(rig.store);
}

static void a_start_on_a_full_disk_says_so(void **state)
{
    (void)state;
    if (!disk_is_mounted)
        skip();
    static Rig rig;
    Arena arena = arena_make();
    DataDirectory directory;
    Engine *engine;
    Slice message = {0};
    rig_open(&rig, RESERVE_MIB);
    assert_int_equal(write_some(&rig), TOGETHER);
    store_stop(rig.store);
    assert_int_equal(data_directory_open(os_linux(), disk_path, 1 << 20, &arena, &directory, &engine, &message),
                     ERROR_FORMAT);
    char format[64];
    snprintf(format, sizeof format, "%s/format", disk_path);
    assert_int_equal(os_write_file(os_linux(), format, SLICE("1\n"), 0600), OK);
    disk_fill(0);
    assert_int_equal(data_directory_open(os_linux(), disk_path, 1 << 20, &arena, &directory, &engine, &message),
                     ERROR_FULL);
    assert_true(slice_ends_with(message, SLICE("make room, and start again")));
    disk_empty();
    assert_int_equal(data_directory_open(os_linux(), disk_path, 1 << 20, &arena, &directory, &engine, &message), OK);
    engine->operations->close(engine);
    data_directory_close(&directory);
    arena_free(&arena);
}

int main(void)
{
    disk_make(DISK_MIB);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_are_refused_before_the_reserve_is_touched),
        cmocka_unit_test(a_disk_filled_to_the_last_byte_loses_nothing_acknowledged),
        cmocka_unit_test(a_start_on_a_full_disk_says_so),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (disk_is_mounted)
        umount2(disk_path, MNT_DETACH);
    rmdir(disk_path);
    return failed;
}

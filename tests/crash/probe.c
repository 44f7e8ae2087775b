/* probe.c: small programs that write with and without a sync, to test the power-loss shim and its model.
 *
 *     probe SCENARIO     (in the directory that the shim watches; killed by itself at the end)
 *
 * test_powerloss.py says for each scenario which disks a loss of power may leave. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BLOCK = 8192 };

static void check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static int opened(const char *path, int flags)
{
    int file = open(path, flags, 0600);
    check(file >= 0, path);
    return file;
}

/* A block of one letter at an offset. */
static void put(int file, char letter, off_t offset)
{
    char block[BLOCK];
    memset(block, letter, sizeof(block));
    check(pwrite(file, block, sizeof(block), offset) == BLOCK, "pwrite");
}

static void sync_names(const char *directory)
{
    int file = opened(directory, O_RDONLY | O_DIRECTORY);
    check(fsync(file) == 0, "fsync of a directory");
    close(file);
}

/* The file "old", of 'o', durable in every respect. */
static void make_old(void)
{
    int file = opened("old", O_CREAT | O_WRONLY);
    put(file, 'o', 0);
    check(fsync(file) == 0, "fsync");
    close(file);
    sync_names(".");
}

static void no_sync(void)
{
    int file = opened("file", O_CREAT | O_WRONLY);
    sync_names(".");
    put(file, 'a', 0);
}

static void synced(void)
{
    int file = opened("file", O_CREAT | O_WRONLY);
    put(file, 'a', 0);
    check(fdatasync(file) == 0, "fdatasync");
    sync_names(".");
}

static void name_not_synced(void)
{
    int file = opened("file", O_CREAT | O_WRONLY);
    put(file, 'a', 0);
    check(fsync(file) == 0, "fsync");
}

static void overwrite(void)
{
    make_old();
    put(opened("old", O_WRONLY), 'n', 0);
}

static void overwrite_sync_range(void)
{
    make_old();
    int file = opened("old", O_WRONLY);
    put(file, 'n', 0);
    check(sync_file_range(file, 0, BLOCK, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == 0, "sync_file_range");
}

static void truncate_on_open(void)
{
    make_old();
    opened("old", O_WRONLY | O_TRUNC);
}

static void replace(void)
{
    make_old();
    int file = opened("new", O_CREAT | O_WRONLY | O_EXCL);
    put(file, 'n', 0);
    check(fsync(file) == 0, "fsync");
    check(rename("new", "old") == 0, "rename");
}

static void replace_synced(void)
{
    replace();
    sync_names(".");
}

static void unlinked(void)
{
    make_old();
    check(unlink("old") == 0, "unlink");
}

static void linked(void)
{
    make_old();
    check(link("old", "second") == 0, "link");
    sync_names(".");
    check(unlink("old") == 0, "unlink");
}

static void moved(void)
{
    make_old();
    check(mkdir("below", 0700) == 0, "mkdir");
    sync_names(".");
    check(rename("old", "below/new") == 0, "rename");
}

static void moved_synced(void)
{
    moved();
    sync_names("below");
}

/* Every way to write, each synced: 'a' to 'f', a block each, then a cut to six blocks. */
static void every_way(void)
{
    char blocks[6][BLOCK];
    for (int i = 0; i < 6; i++)
        memset(blocks[i], 'a' + i, BLOCK);
    int file = opened("file", O_CREAT | O_WRONLY);
    check(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 64 * BLOCK) == 0, "fallocate");
    check(posix_fallocate(file, 0, 2 * BLOCK) == 0, "posix_fallocate");
    check(write(file, blocks[0], BLOCK) == BLOCK, "write");
    struct iovec one = {blocks[1], BLOCK};
    check(writev(file, &one, 1) == BLOCK, "writev");
    check(pwrite(file, blocks[2], BLOCK, 2 * BLOCK) == BLOCK, "pwrite");
    struct iovec two[] = {{blocks[3], BLOCK}, {blocks[4], BLOCK}};
    check(pwritev(file, two, 2, 3 * BLOCK) == 2 * BLOCK, "pwritev");
    close(file);
    file = opened("file", O_WRONLY | O_APPEND);
    int copy = dup(file);
    check(write(copy, blocks[5], BLOCK) == BLOCK, "append");
    check(posix_fallocate(copy, 0, 10 * BLOCK) == 0, "posix_fallocate");
    check(ftruncate(copy, 6 * BLOCK) == 0, "ftruncate");
    check(fsync(copy) == 0, "fsync");
    sync_names(".");
}

static void *sync_file(void *argument)
{
    check(fsync(*(int *)argument) == 0, "fsync");
    return NULL;
}

/* What is written while a sync is under way is not covered by it. The shim makes the sync last 200 ms. */
static void during_sync(void)
{
    int file = opened("file", O_CREAT | O_WRONLY);
    sync_names(".");
    put(file, 'a', 0);
    pthread_t thread;
    check(pthread_create(&thread, NULL, sync_file, &file) == 0, "pthread_create");
    usleep(100000);
    put(file, 'b', BLOCK);
    pthread_join(thread, NULL);
}

/* Killed while the sync is under way: it covers nothing yet. */
static void before_sync_returns(void)
{
    int file = opened("file", O_CREAT | O_WRONLY);
    sync_names(".");
    put(file, 'a', 0);
    pthread_t thread;
    check(pthread_create(&thread, NULL, sync_file, &file) == 0, "pthread_create");
    usleep(100000);
}

static void synchronous(void)
{
    int file = opened("file", O_CREAT | O_WRONLY | O_DSYNC);
    sync_names(".");
    put(file, 'a', 0);
}

static void mapped(void)
{
    make_old();
    char *bytes = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, opened("old", O_RDWR), 0);
    check(bytes != MAP_FAILED, "mmap");
    bytes[0] = 'n';
}

static void copied(void)
{
    make_old();
    int from = opened("old", O_RDONLY);
    int to = opened("file", O_CREAT | O_WRONLY);
    check(copy_file_range(from, NULL, to, NULL, BLOCK, 0) < 0 && errno == ENOSYS, "copy_file_range is refused");
    sync_names(".");
}

/* Something that the journal does not see must not go unnoticed. */
static void past_the_shim(void)
{
    make_old();
    for (int i = 0; i < 2; i++) {
        char command[64];
        snprintf(command, sizeof(command), "env -u LD_PRELOAD cp old unseen%d", i);
        check(system(command) == 0, "system");
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"no_sync", no_sync},
    {"synced", synced},
    {"name_not_synced", name_not_synced},
    {"overwrite", overwrite},
    {"overwrite_sync_range", overwrite_sync_range},
    {"truncate_on_open", truncate_on_open},
    {"replace", replace},
    {"replace_synced", replace_synced},
    {"unlinked", unlinked},
    {"linked", linked},
    {"moved", moved},
    {"moved_synced", moved_synced},
    {"every_way", every_way},
    {"during_sync", during_sync},
    {"before_sync_returns", before_sync_returns},
    {"synchronous", synchronous},
    {"mapped", mapped},
    {"copied", copied},
    {"past_the_shim", past_the_shim},
};

int main(int count, char **arguments)
{
    for (size_t i = 0; count == 2 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(scenarios[i].name, arguments[1]) == 0) {
            scenarios[i].run();
            raise(SIGKILL);
        }
    fprintf(stderr, "usage: probe SCENARIO\n");
    return 2;
}

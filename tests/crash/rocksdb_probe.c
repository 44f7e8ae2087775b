/* rocksdb_probe.c: RocksDB alone, written the way the store writes it, under the power-loss shim.
 *
 *     rocksdb_probe DIR sync|nosync     writes keys 1, 2, 3 … in small groups until it is killed, and prints the last
 *                                       key of each group once it is durable (nosync: merely written)
 *     rocksdb_probe DIR count           prints up to which key there is every one with its value; 2 on a hole */
#include <rocksdb/c.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 8, VALUE = 300 };

static void check(char *problem)
{
    if (problem != NULL) {
        fprintf(stderr, "rocksdb_probe: %s\n", problem);
        exit(1);
    }
}

static void make_value(uint32_t number, char value[VALUE])
{
    for (uint32_t i = 0; i < VALUE; i++)
        value[i] = (char)(number * 31 + i * 7);
}

static _Noreturn void write_keys(rocksdb_t *db, bool synced)
{
    char *problem = NULL;
    rocksdb_writeoptions_t *options = rocksdb_writeoptions_create();
    for (uint32_t number = 1;;) {
        rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
        for (int i = 0; i < GROUP; i++, number++) {
            char key[16];
            char value[VALUE];
            snprintf(key, sizeof(key), "%010u", number);
            make_value(number, value);
            rocksdb_writebatch_put(batch, key, 10, value, VALUE);
        }
        rocksdb_write(db, options, batch, &problem);
        check(problem);
        rocksdb_writebatch_destroy(batch);
        rocksdb_flush_wal(db, synced, &problem);
        check(problem);
        printf("%u\n", number - 1);
        fflush(stdout);
    }
}

static int count_keys(rocksdb_t *db)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *iterator = rocksdb_create_iterator(db, options);
    uint32_t number = 0;
    for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator); rocksdb_iter_next(iterator)) {
        size_t key_size;
        size_t value_size;
        const char *key = rocksdb_iter_key(iterator, &key_size);
        const char *value = rocksdb_iter_value(iterator, &value_size);
        char expected_key[16];
        char expected[VALUE];
        number++;
        snprintf(expected_key, sizeof(expected_key), "%010u", number);
        make_value(number, expected);
        if (key_size != 10 || memcmp(key, expected_key, 10) != 0 || value_size != VALUE ||
            memcmp(value, expected, VALUE) != 0)
            return 2;
    }
    printf("%u\n", number);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    return 0;
}

int main(int count, char **arguments)
{
    if (count != 3)
        return 2;
    char *problem = NULL;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_manual_wal_flush(options, 1);
    rocksdb_options_set_write_buffer_size(options, 64 << 10); /* tables and log changes within one short life */
    rocksdb_t *db = rocksdb_open(options, arguments[1], &problem);
    check(problem);
    if (strcmp(arguments[2], "count") != 0)
        write_keys(db, strcmp(arguments[2], "sync") == 0);
    int status = count_keys(db);
    rocksdb_close(db);
    rocksdb_options_destroy(options);
    return status;
}

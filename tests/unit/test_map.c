#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>

enum { MODEL_KEYS = 700 };

static void hash_matches_the_published_vector(void **state)
{
    (void)state;
    /* The paper's appendix A: key 00 01 ... 0f, message 00 01 ... 0e. */
    MapSeed seed = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    assert_true(map_hash(seed, SLICE("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e")) ==
                0xa129ca6149be45e5u);
    MapSeed other = {0x0706050403020100u, 0x0f0e0d0c0b0a0909u};
    assert_true(map_hash(other, SLICE("a")) != map_hash(seed, SLICE("a")));
}

static void an_empty_map_answers(void **state)
{
    (void)state;
    Map map = map_make((MapSeed){1, 2});
    size_t position = 0;
    assert_null(map_get(&map, SLICE("a")));
    assert_null(map_remove(&map, SLICE("a")));
    assert_null(map_next(&map, &position));
    map_free(&map);
    int value;
    assert_null(map_put(&map, (Slice){0}, &value));
    assert_ptr_equal(map_get(&map, SLICE("")), &value);
    map_free(&map);
}

static void keys_are_copied_and_values_replaced(void **state)
{
    (void)state;
    Map map = map_make((MapSeed){1, 2});
    int first;
    int second;
    char key[] = "key";
    assert_null(map_put(&map, slice_of_string(key), &first));
    key[0] = 'x';
    assert_ptr_equal(map_get(&map, SLICE("key")), &first);
    assert_ptr_equal(map_put(&map, SLICE("key"), &second), &first);
    assert_int_equal(map.count, 1);
    assert_null(map_get(&map, SLICE("ke")));
    assert_null(map_get(&map, SLICE("key\0")));
    assert_ptr_equal(map_remove(&map, SLICE("key")), &second);
    assert_null(map_get(&map, SLICE("key")));
    map_free(&map);
}

/* The model: an array with a place for each key. Phases of growing and shrinking. */
static void random_use_agrees_with_an_array(void **state)
{
    (void)state;
    Map map = map_make((MapSeed){3, 4});
    void *model[MODEL_KEYS] = {0};
    int values[8];
    uint32_t seed = 1;
    size_t largest = 0;
    for (int round = 0; round < 300000; round++) {
        seed = seed * 1664525u + 1013904223u;
        size_t number = (seed >> 8) % MODEL_KEYS;
        bool growing = round / 10000 % 2 == 0;
        char text[24];
        Slice key =
            slice_make(text, (size_t)snprintf(text, sizeof text, "%zu/%s", number, number % 3 == 0 ? "long key" : ""));
        unsigned choice = (seed >> 28) % 8;
        if (choice == 0) {
            assert_ptr_equal(map_get(&map, key), model[number]);
        } else if ((choice < 6) == growing) {
            void *value = &values[choice];
            assert_ptr_equal(map_put(&map, key, value), model[number]);
            model[number] = value;
        } else {
            assert_ptr_equal(map_remove(&map, key), model[number]);
            model[number] = NULL;
        }
        if (map.capacity > largest)
            largest = map.capacity;
        if (round % 1000 == 0) {
            size_t expected = 0;
            size_t seen = 0;
            for (size_t i = 0; i < MODEL_KEYS; i++)
                expected += model[i] != NULL;
            size_t position = 0;
            for (const MapEntry *entry; (entry = map_next(&map, &position)) != NULL; seen++) {
                char copy[24] = {0};
                memcpy(copy, entry->key.data, entry->key.size);
                assert_ptr_equal(entry->value, model[atoi(copy)]);
            }
            assert_int_equal(seen, expected);
            assert_int_equal(map.count, expected);
        }
    }
    assert_true(largest >= 512);
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        char text[24];
        map_remove(&map,
                   slice_make(text, (size_t)snprintf(text, sizeof text, "%zu/%s", i, i % 3 == 0 ? "long key" : "")));
    }
    assert_int_equal(map.count, 0);
    assert_true(map.capacity <= 16);
    map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_matches_the_published_vector),
        cmocka_unit_test(an_empty_map_answers),
        cmocka_unit_test(keys_are_copied_and_values_replaced),
        cmocka_unit_test(random_use_agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

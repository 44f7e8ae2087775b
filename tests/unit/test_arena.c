#include "base/arena.h"
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    Arena arena = arena_make();
    unsigned char *blocks[COUNT];
    size_t sizes[COUNT];
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t alignment = (size_t)1 << (seed >> 29);
        sizes[i] = i % 500 == 0 ? 300000 : (seed >> 8) % 200;
        blocks[i] = arena_alloc_aligned(&arena, sizes[i], alignment);
        assert_int_equal((uintptr_t)blocks[i] % alignment, 0);
        memset(blocks[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(blocks[i][j], i % 251);
    assert_int_equal((uintptr_t)arena_alloc(&arena, 1) % _Alignof(max_align_t), 0);
    arena_free(&arena);
    assert_int_equal(arena_footprint(&arena), 0);
}

static void new_memory_is_zeroed_when_asked(void **state)
{
    (void)state;
    Arena arena = arena_make();
    memset(arena_alloc(&arena, 1000), 0xff, 1000);
    arena_free(&arena);
    uint64_t *numbers = ARENA_ARRAY(&arena, uint64_t, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(numbers[i], 0);
    arena_free(&arena);
}

static void an_empty_arena_holds_nothing(void **state)
{
    (void)state;
    Arena arena = arena_make();
    assert_int_equal(arena_footprint(&arena), 0);
    arena_free(&arena);
    arena_free(&arena);
    arena_alloc(&arena, 1);
    assert_true(arena_footprint(&arena) > 0);
    arena_free(&arena);
}

static void rewinding_keeps_what_was_before(void **state)
{
    (void)state;
    Arena arena = arena_make();
    ArenaMark nothing = arena_mark(&arena);
    char *kept = arena_string(&arena, SLICE("kept"));
    ArenaMark mark = arena_mark(&arena);
    size_t footprint = arena_footprint(&arena);
    for (int round = 0; round < 3; round++) {
        char *first = arena_alloc(&arena, 16);
        for (int i = 0; i < 100; i++)
            arena_alloc(&arena, 10000);
        assert_true(arena_footprint(&arena) > 1000000);
        arena_rewind(&arena, mark);
        assert_int_equal(arena_footprint(&arena), footprint);
        assert_string_equal(kept, "kept");
        assert_ptr_equal(arena_alloc(&arena, 16), first);
        arena_rewind(&arena, mark);
    }
    arena_rewind(&arena, nothing);
    assert_int_equal(arena_footprint(&arena), 0);
}

static void copies_end_in_a_nul_that_does_not_count(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice copy = arena_copy(&arena, SLICE("a\0b"));
    assert_int_equal(copy.size, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    assert_string_equal(arena_string(&arena, (Slice){0}), "");
    Slice formatted = arena_format(&arena, "%s-%03d", "x", 7);
    assert_true(slice_equal(formatted, SLICE("x-007")));
    assert_int_equal(formatted.data[5], '\0');
    arena_free(&arena);
}

static void a_format_is_whole_wherever_a_chunk_ends(void **state)
{
    (void)state;
    char text[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    Arena arena = arena_make();
    Slice formatted[400];
    for (int i = 0; i < 400; i++)
        formatted[i] = arena_format(&arena, "%d %s", i, text + i % (int)(sizeof text - 1));
    for (int i = 0; i < 400; i++) {
        char expected[128];
        int size = snprintf(expected, sizeof expected, "%d %s", i, text + i % (int)(sizeof text - 1));
        assert_int_equal(formatted[i].size, size);
        assert_string_equal(formatted[i].data, expected);
    }
    arena_free(&arena);
}

static void a_buffer_grows_and_keeps_its_bytes(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer buffer = buffer_make(&arena);
    assert_int_equal(buffer_slice(&buffer).size, 0);
    assert_non_null(buffer_slice(&buffer).data);
    buffer_add(&buffer, (Slice){0});
    for (unsigned i = 0; i < 5000; i++) {
        buffer_add_byte(&buffer, 'a');
        BUFFER_ADD(&buffer, "bc");
    }
    Slice bytes = buffer_slice(&buffer);
    assert_int_equal(bytes.size, 15000);
    for (size_t i = 0; i < bytes.size; i++)
        assert_int_equal(bytes.data[i], "abc"[i % 3]);
    memcpy(buffer_reserve(&buffer, 100000), "end", 3);
    buffer.size += 3;
    assert_true(slice_ends_with(buffer_slice(&buffer), SLICE("bcend")));
    arena_free(&arena);
}

static void a_buffer_takes_numbers_and_formats(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer buffer = buffer_make(&arena);
    buffer_add_uint64(&buffer, 0);
    buffer_add_byte(&buffer, ' ');
    buffer_add_uint64(&buffer, UINT64_MAX);
    buffer_add_byte(&buffer, ' ');
    buffer_add_int64(&buffer, INT64_MIN);
    buffer_add_byte(&buffer, ' ');
    buffer_add_int64(&buffer, INT64_MAX);
    buffer_add_format(&buffer, " %5.1f|%s", 2.25,
                      "a longer text that does not fit into the first hundred and twenty-eight "
                      "bytes of a buffer, so that it has to grow");
    assert_true(
        slice_equal(buffer_slice(&buffer),
                    SLICE("0 18446744073709551615 -9223372036854775808 9223372036854775807   2.2|a longer text that "
                          "does not fit into the first hundred and twenty-eight bytes of a buffer, so that it has "
                          "to grow")));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(new_memory_is_zeroed_when_asked),
        cmocka_unit_test(an_empty_arena_holds_nothing),
        cmocka_unit_test(rewinding_keeps_what_was_before),
        cmocka_unit_test(copies_end_in_a_nul_that_does_not_count),
        cmocka_unit_test(a_format_is_whole_wherever_a_chunk_ends),
        cmocka_unit_test(a_buffer_grows_and_keeps_its_bytes),
        cmocka_unit_test(a_buffer_takes_numbers_and_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

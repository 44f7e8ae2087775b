/* What is written as a zip is read as one, and the same is written as the same. */
#include "base/zip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static Error gather(void *user, Slice bytes)
{
    buffer_add(user, bytes);
    return OK;
}

static Slice write_three(Arena *arena, Slice large)
{
    Buffer *out = ARENA_NEW(arena, Buffer);
    *out = buffer_make(arena);
    ZipWriter writer = zip_writer(out);
    assert_int_equal(zip_add(&writer, SLICE("app.py"), 0100644, large), OK);
    assert_int_equal(zip_add(&writer, SLICE("bin/run"), 0100755, SLICE("#!")), OK);
    assert_int_equal(zip_add(&writer, SLICE("empty"), 0100644, SLICE("")), OK);
    zip_finish(&writer);
    return buffer_slice(out);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    Arena arena = arena_make();
    char *bytes = arena_alloc(&arena, 300000);
    for (size_t i = 0; i < 300000; i++)
        bytes[i] = (char)(i * i >> 7);
    const Slice contents[] = {slice_make(bytes, 300000), SLICE("#!"), SLICE("")};
    const Slice names[] = {SLICE("app.py"), SLICE("bin/run"), SLICE("empty")};
    const uint32_t modes[] = {0100644, 0100755, 0100644};
    ZipArchive archive;
    assert_int_equal(zip_read(write_three(&arena, contents[0]), &arena, &archive), OK);
    assert_int_equal(archive.count, 3);
    for (size_t i = 0; i < 3; i++) {
        Buffer content = buffer_make(&arena);
        assert_true(slice_equal(archive.entries[i].name, names[i]));
        assert_int_equal(archive.entries[i].mode, modes[i]);
        assert_int_equal(zip_unpack(&archive.entries[i], gather, &content), OK);
        assert_true(slice_equal(buffer_slice(&content), contents[i]));
    }
    arena_free(&arena);
}

static void the_same_is_written_as_the_same(void **state)
{
    (void)state;
    Arena arena = arena_make();
    assert_true(slice_equal(write_three(&arena, SLICE("one")), write_three(&arena, SLICE("one"))));
    assert_false(slice_equal(write_three(&arena, SLICE("one")), write_three(&arena, SLICE("two"))));
    arena_free(&arena);
}

static void more_entries_than_a_zip_has_are_refused(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    ZipWriter writer = zip_writer(&out);
    for (int i = 0; i < 65534; i++)
        assert_int_equal(zip_add(&writer, SLICE("x"), 0100644, SLICE("")), OK);
    assert_int_equal(zip_add(&writer, SLICE("x"), 0100644, SLICE("")), ERROR_FULL);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(the_same_is_written_as_the_same),
        cmocka_unit_test(more_entries_than_a_zip_has_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

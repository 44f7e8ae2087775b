/* Archives that were written are read as what they were made of, and are the same each time. */
#include "base/zip.h"
#include "base/zip_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static Error gather(void *user, Slice piece)
{
    buffer_add(user, piece);
    return OK;
}

static Slice unpack(Arena *arena, const ZipEntry *entry)
{
    Buffer *out = ARENA_NEW(arena, Buffer);
    *out = buffer_make(arena);
    assert_int_equal(zip_unpack(entry, gather, out), OK);
    return buffer_slice(out);
}

static Slice write_three(Arena *arena)
{
    Buffer long_one = buffer_make(arena);
    for (unsigned i = 0; i < 5000; i++)
        buffer_add_format(&long_one, "line %u of many\n", i);
    ZipWriter writer = zip_writer(arena);
    assert_int_equal(zip_write(&writer, SLICE("app.py"), ZIP_FILE, buffer_slice(&long_one)), OK);
    assert_int_equal(zip_write(&writer, SLICE("bin/run"), ZIP_EXECUTABLE, SLICE("#!")), OK);
    assert_int_equal(zip_write(&writer, SLICE("lib/here"), ZIP_LINK, SLICE("../app.py")), OK);
    assert_int_equal(zip_write(&writer, SLICE("nothing"), ZIP_FILE, SLICE("")), OK);
    return zip_finish(&writer);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const Slice names[] = {SLICE_INIT("app.py"), SLICE_INIT("bin/run"), SLICE_INIT("lib/here"),
                                  SLICE_INIT("nothing")};
    static const uint32_t modes[] = {0100644, 0100755, 0120777, 0100644};
    Arena arena = arena_make();
    ZipArchive archive;
    assert_int_equal(zip_read(write_three(&arena), &arena, &archive), OK);
    assert_int_equal(archive.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(slice_equal(archive.entries[i].name, names[i]));
        assert_int_equal(archive.entries[i].mode, modes[i]);
    }
    assert_int_equal(archive.entries[0].method, ZIP_DEFLATED);
    assert_true(archive.entries[0].packed.size * 4 < archive.entries[0].size);
    assert_true(slice_ends_with(unpack(&arena, &archive.entries[0]), SLICE("line 4999 of many\n")));
    assert_int_equal(archive.entries[1].method, ZIP_STORED);
    assert_true(slice_equal(unpack(&arena, &archive.entries[1]), SLICE("#!")));
    assert_true(slice_equal(unpack(&arena, &archive.entries[2]), SLICE("../app.py")));
    assert_int_equal(unpack(&arena, &archive.entries[3]).size, 0);
    arena_free(&arena);
}

static void the_same_files_are_the_same_bytes(void **state)
{
    (void)state;
    Arena arena = arena_make();
    assert_true(slice_equal(write_three(&arena), write_three(&arena)));
    arena_free(&arena);
}

static void an_archive_without_files_can_be_read(void **state)
{
    (void)state;
    Arena arena = arena_make();
    ZipWriter writer = zip_writer(&arena);
    ZipArchive archive;
    assert_int_equal(zip_read(zip_finish(&writer), &arena, &archive), OK);
    assert_int_equal(archive.count, 0);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_same_files_are_the_same_bytes),
        cmocka_unit_test(an_archive_without_files_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

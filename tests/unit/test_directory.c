/* The data directory's names survive a loss of power, also when the process that made them was killed before it could
 * see to that. This program has an fsync of its own, which notes what is synced. */
#include "store/directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 256 };

static char synced[MOST][128];
static size_t synced_count;

int fsync(int file)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    if (synced_count < MOST) {
        ssize_t size = readlink(name, synced[synced_count], sizeof synced[0] - 1);
        synced[synced_count++][size < 0 ? 0 : size] = '\0';
    }
    return (int)syscall(SYS_fsync, file);
}

static bool was_synced(const char *path)
{
    for (size_t i = 0; i < synced_count; i++)
        if (strcmp(synced[i], path) == 0)
            return true;
    return false;
}

typedef struct Place {
    char parent[64];
    char data[80];
} Place;

static void place_make(Place *place)
{
    strcpy(place->parent, "/tmp/brume-directory-XXXXXX");
    assert_non_null(mkdtemp(place->parent));
    snprintf(place->data, sizeof place->data, "%s/data", place->parent);
    synced_count = 0;
}

static void place_remove(const Place *place)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", place->parent);
    assert_int_equal(system(command), 0);
}

static void open_and_close(const char *path)
{
    Arena arena = arena_make();
    DataDirectory directory;
    Engine *engine;
    Slice message = {0};
    assert_int_equal(data_directory_open(os_linux(), path, 1 << 20, &arena, &directory, &engine, &message), OK);
    engine->operations->close(engine);
    data_directory_close(&directory);
    arena_free(&arena);
}

static void names_that_a_killed_process_made_are_synced_by_the_next(void **state)
{
    (void)state;
    Place place;
    place_make(&place);
    assert_int_equal(mkdir(place.data, 0700), 0); /* and then it was killed */
    open_and_close(place.data);
    assert_true(was_synced(place.parent));
    assert_true(was_synced(place.data));
    synced_count = 0; /* as if killed between the last rename and its sync */
    open_and_close(place.data);
    assert_true(was_synced(place.parent));
    assert_true(was_synced(place.data));
    place_remove(&place);
}

static void a_slash_at_the_end_changes_nothing(void **state)
{
    (void)state;
    Place place;
    char slashed[96];
    place_make(&place);
    snprintf(slashed, sizeof slashed, "%s//", place.data);
    for (int i = 0; i < 2; i++) {
        synced_count = 0;
        open_and_close(slashed);
        assert_true(was_synced(place.parent));
    }
    place_remove(&place);
}

static void write_format(const Place *place, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/format", place->data);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int format_of(const Place *place)
{
    char path[128];
    int format = 0;
    snprintf(path, sizeof path, "%s/format", place->data);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &format), 1);
    fclose(file);
    return format;
}

static void an_older_directory_is_of_this_format_once_it_is_opened(void **state)
{
    (void)state;
    Place place;
    place_make(&place);
    open_and_close(place.data);
    write_format(&place, "1\n");
    open_and_close(place.data);
    assert_int_equal(format_of(&place), STORE_FORMAT);
    place_remove(&place);
}

static Error nothing_read(void *source, char *bytes, size_t size, size_t *given)
{
    (void)source;
    (void)bytes;
    (void)size;
    *given = 0;
    return OK;
}

static Error restore(const char *path)
{
    Arena arena = arena_make();
    Slice message = {0};
    Error error = data_directory_restore(os_linux(), path, nothing_read, NULL, NULL, &arena, &message);
    assert_true(error == OK || message.size > 0);
    arena_free(&arena);
    return error;
}

static Error opened(const char *path)
{
    Arena arena = arena_make();
    DataDirectory directory;
    Engine *engine;
    Slice message = {0};
    Error error = data_directory_open(os_linux(), path, 1 << 20, &arena, &directory, &engine, &message);
    assert_true(error != OK && message.size > 0);
    arena_free(&arena);
    return error;
}

static void a_restore_touches_no_data_and_leaves_nothing_that_is_served(void **state)
{
    (void)state;
    Place place;
    place_make(&place);
    assert_int_equal(restore(place.data), ERROR_MALFORMED); /* cut off at its beginning */
    assert_int_equal(opened(place.data), ERROR_FORMAT);
    assert_int_equal(restore(place.data), ERROR_MALFORMED); /* another one may take its place */
    place_remove(&place);
    place_make(&place);
    open_and_close(place.data);
    assert_int_equal(restore(place.data), ERROR_EXISTS);
    open_and_close(place.data);
    place_remove(&place);
}

static void a_newer_or_unreadable_format_is_refused(void **state)
{
    (void)state;
    Place place;
    place_make(&place);
    open_and_close(place.data);
    char path[96];
    snprintf(path, sizeof path, "%s/format", place.data);
    assert_int_equal(os_write_file(os_linux(), path, SLICE("999\n"), 0600), OK);
    assert_int_equal(opened(place.data), ERROR_FORMAT);
    assert_int_equal(os_write_file(os_linux(), path, SLICE("one\n"), 0600), OK);
    assert_int_equal(opened(place.data), ERROR_MALFORMED);
    assert_int_equal(os_write_file(os_linux(), path, SLICE(""), 0600), OK);
    assert_int_equal(opened(place.data), ERROR_MALFORMED);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_a_killed_process_made_are_synced_by_the_next),
        cmocka_unit_test(a_slash_at_the_end_changes_nothing),
        cmocka_unit_test(an_older_directory_is_of_this_format_once_it_is_opened),
        cmocka_unit_test(a_restore_touches_no_data_and_leaves_nothing_that_is_served),
        cmocka_unit_test(a_newer_or_unreadable_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

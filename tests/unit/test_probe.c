/* What the machine lets a process do: the probes against what is known here. */
#include "os/os_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Place {
    Arena arena;
    char directory[64];
    char file[96];
} Place;

static int open_place(void **state)
{
    Place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    strcpy(place->directory, "/tmp/brume-test-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->file, sizeof place->file, "%s/file", place->directory);
    *state = place;
    return 0;
}

static int close_place(void **state)
{
    Place *place = *state;
    unlink(place->file);
    assert_int_equal(rmdir(place->directory), 0); /* the probes leave nothing */
    arena_free(&place->arena);
    free(place);
    return 0;
}

static void write_script(const Place *place, const char *text)
{
    FILE *file = fopen(place->file, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\n%s\n", text) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(place->file, 0700), 0);
}

static Slice run(Place *place, const char *script)
{
    write_script(place, script);
    return os_probe_program(&place->arena, place->file, "--version");
}

static void a_program_tells_its_version(void **state)
{
    Slice line = run(*state, "echo tool 1.2 $1; echo more; cat");
    assert_true(slice_equal(line, SLICE("tool 1.2 --version")));
    line = run(*state, "echo to the error output >&2");
    assert_true(slice_equal(line, SLICE("to the error output")));
}

static void a_program_that_fails_or_is_silent_tells_nothing(void **state)
{
    Place *place = *state;
    assert_null(run(place, "echo not found; exit 127").data);
    assert_null(run(place, "exit 0").data);
    assert_null(os_probe_program(&place->arena, "/nonexistent", "--version").data);
}

static void a_program_that_does_not_end_is_ended(void **state)
{
    time_t begin = time(NULL);
    assert_null(run(*state, "echo 1.0; exec sleep 60").data);
    assert_null(run(*state, "exec 1>&- 2>&-; exec sleep 60").data);
    assert_true(time(NULL) - begin < 20);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
}

static void much_output_is_cut_not_waited_on(void **state)
{
    Slice line = run(*state, "head -c 1000000 /dev/zero | tr '\\0' x");
    assert_true(line.size > 100 && line.size < 1000);
}

static void the_holder_of_a_lock_is_seen(void **state)
{
    Place *place = *state;
    FILE *file = fopen(place->file, "w");
    assert_non_null(file);
    assert_int_equal(os_probe_lock_holder(place->file), 0);
    assert_int_equal(flock(fileno(file), LOCK_EX | LOCK_NB), 0);
    assert_int_equal(os_probe_lock_holder(place->file), getpid());
    assert_int_equal(fclose(file), 0);
    assert_int_equal(os_probe_lock_holder(place->file), 0);
    assert_int_equal(os_probe_lock_holder("/nonexistent"), 0);
}

static void syncs_are_timed_and_leave_nothing(void **state)
{
    Place *place = *state;
    uint64_t took_ns[5] = {0};
    assert_int_equal(os_probe_sync(place->directory, took_ns, 5), 0);
    for (size_t i = 0; i < 5; i++)
        assert_true(took_ns[i] > 0);
    assert_int_not_equal(os_probe_sync("/nonexistent", took_ns, 5), 0);
}

static void file_systems_are_told_apart(void **state)
{
    (void)state;
    OsFilesystem filesystem;
    assert_int_equal(os_probe_filesystem("/proc", &filesystem), 0);
    assert_int_equal(filesystem.kind, OS_FILESYSTEM_UNKNOWN);
    assert_int_not_equal(os_probe_filesystem("/nonexistent", &filesystem), 0);
    if (os_probe_filesystem("/dev/shm", &filesystem) == 0 && filesystem.kind != OS_FILESYSTEM_DISK)
        assert_string_equal(filesystem.name, "tmpfs");
}

static void the_kernel_is_known(void **state)
{
    Place *place = *state;
    OsKernel kernel;
    OsCgroup cgroup;
    os_probe_kernel(&place->arena, &kernel);
    assert_true(slice_starts_with(kernel.text, SLICE("Linux ")) && kernel.major >= 4);
    os_probe_cgroup(&place->arena, &cgroup);
    assert_true(cgroup.version >= 0 && cgroup.version <= 2);
    assert_true(!cgroup.delegated || cgroup.controllers.size > 0);
    assert_true(os_probe_memory_available() > 0);
    assert_int_equal(os_probe_memfd(), 0);
}

static void memory_that_a_process_holds_is_known(void **state)
{
    enum { BYTES = 64 << 20 };
    (void)state;
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    assert_true(self >= 0);
    uint64_t before = os_probe_resident(self);
    assert_true(before > 0);
    char *more = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(more != MAP_FAILED);
    memset(more, 1, BYTES);
    assert_in_range(os_probe_resident(self), before + BYTES / 2, before + BYTES * 2ULL);
    munmap(more, BYTES);
    close(self);
    assert_int_equal(os_probe_resident(self), 0);
    assert_int_equal(os_probe_resident(-1), 0);
}

#define PROBE_TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROBE_TEST(a_program_tells_its_version),
        PROBE_TEST(a_program_that_fails_or_is_silent_tells_nothing),
        PROBE_TEST(a_program_that_does_not_end_is_ended),
        PROBE_TEST(much_output_is_cut_not_waited_on),
        PROBE_TEST(the_holder_of_a_lock_is_seen),
        PROBE_TEST(syncs_are_timed_and_leave_nothing),
        PROBE_TEST(file_systems_are_told_apart),
        PROBE_TEST(the_kernel_is_known),
        cmocka_unit_test(memory_that_a_process_holds_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

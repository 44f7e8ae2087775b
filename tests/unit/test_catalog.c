/* Which program runs a runtime: never one of another version. */
#include "runtime/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Place {
    Arena arena;
    char directory[64];
    Slice directories[2]; /* the first is empty */
    CatalogOptions options;
} Place;

static int open_place(void **state)
{
    Place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    strcpy(place->directory, "/tmp/brume-test-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    place->directories[0] = arena_format(&place->arena, "%s/none", place->directory);
    place->directories[1] = arena_format(&place->arena, "%s/runtimes", place->directory);
    place->options = (CatalogOptions){.directories = place->directories, .directory_count = 2};
    *state = place;
    return 0;
}

static int close_place(void **state)
{
    Place *place = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", place->directory);
    assert_int_equal(system(command), 0);
    arena_free(&place->arena);
    free(place);
    return 0;
}

/* Makes directory/PATH, and the directories above it; a directory itself when the path ends with a slash. */
static Slice make(Place *place, const char *path, unsigned mode)
{
    Slice whole = arena_format(&place->arena, "%s/%s", place->directory, path);
    char *text = arena_string(&place->arena, whole);
    for (char *slash = strchr(text + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(text, 0700);
        *slash = '/';
    }
    if (!slice_ends_with(whole, SLICE("/"))) {
        FILE *file = fopen(text, "w");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(text, mode), 0);
    }
    return whole;
}

static RuntimeState find(Place *place, const char *name, RuntimeEntry *entry, Slice *message)
{
    return catalog_find(&place->options, slice_of_string(name), &place->arena, entry, message);
}

static bool contains(Slice text, const char *part)
{
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

static void what_is_installed_is_found_with_its_library(void **state)
{
    Place *place = *state;
    RuntimeEntry entry;
    Slice message;
    Slice node = make(place, "runtimes/nodejs18.x/bin/node", 0755);
    assert_int_equal(find(place, "nodejs18.x", &entry, &message), RUNTIME_FOUND);
    assert_int_equal(entry.kind, RUNTIME_NODEJS);
    assert_true(slice_equal(entry.program, node));
    assert_null(entry.library.data);

    Slice python = make(place, "runtimes/python3.14/bin/python3", 0755);
    make(place, "runtimes/python3.14/lib/", 0);
    assert_int_equal(find(place, "python3.14", &entry, &message), RUNTIME_FOUND);
    assert_int_equal(entry.kind, RUNTIME_PYTHON);
    assert_true(slice_equal(entry.program, python));
    assert_true(slice_ends_with(entry.library, SLICE("/runtimes/python3.14/lib")));
}

static void a_mapping_comes_before_what_is_installed(void **state)
{
    Place *place = *state;
    RuntimeEntry entry;
    Slice message;
    make(place, "runtimes/nodejs22.x/bin/node", 0755);
    make(place, "runtimes/nodejs22.x/lib/", 0);
    RuntimeMapping mapping = {SLICE("nodejs22.x"), make(place, "my-node", 0755)};
    place->options.mappings = &mapping;
    place->options.mapping_count = 1;
    assert_int_equal(find(place, "nodejs22.x", &entry, &message), RUNTIME_FOUND);
    assert_true(slice_equal(entry.program, mapping.path));
    assert_true(slice_ends_with(entry.library, SLICE("/runtimes/nodejs22.x/lib")));

    mapping.path = make(place, "no-program", 0644);
    assert_int_equal(find(place, "nodejs22.x", &entry, &message), RUNTIME_MISSING);
    assert_true(contains(message, "no program that can be run"));
}

static void what_cannot_be_executed_is_not_taken(void **state)
{
    Place *place = *state;
    RuntimeEntry entry;
    Slice message;
    make(place, "runtimes/nodejs16.x/bin/node", 0644);
    make(place, "runtimes/python3.8/bin/python3/", 0);
    assert_int_equal(find(place, "nodejs16.x", &entry, &message), RUNTIME_MISSING);
    assert_int_equal(find(place, "python3.8", &entry, &message), RUNTIME_MISSING);
    assert_null(entry.program.data);
}

static void what_is_missing_is_told_with_the_command_that_installs_it(void **state)
{
    Place *place = *state;
    RuntimeEntry entry;
    Slice message;
    /* A program of another version is no substitute. */
    make(place, "runtimes/nodejs18.x/bin/node", 0755);
    assert_int_equal(find(place, "nodejs16.x", &entry, &message), RUNTIME_MISSING);
    assert_true(contains(message, "no Node.js 16 for the runtime nodejs16.x"));
    assert_true(contains(message, "`brume runtime install nodejs16.x`"));
    assert_true(contains(message, "--runtime nodejs16.x=/path/to/node"));
}

static void the_hosts_own_python_is_found_by_its_name(void **state)
{
    Place *place = *state;
    RuntimeEntry entry;
    Slice message;
    static const char *const names_[] = {"python3.8",  "python3.9",  "python3.10", "python3.11",
                                         "python3.12", "python3.13", "python3.14"};
    for (size_t i = 0; i < sizeof names_ / sizeof names_[0]; i++) {
        Slice usual = arena_format(&place->arena, "/usr/bin/%s", names_[i]);
        Slice local = arena_format(&place->arena, "/usr/local/bin/%s", names_[i]);
        bool is_there = access(usual.data, X_OK) == 0 || access(local.data, X_OK) == 0;
        assert_int_equal(find(place, names_[i], &entry, &message), is_there ? RUNTIME_FOUND : RUNTIME_MISSING);
        if (is_there)
            assert_true(slice_ends_with(entry.program, slice_of_string(names_[i])));
    }
}

static void the_hosts_own_node_is_taken_for_its_own_version_alone(void **state)
{
    Place *place = *state;
    CatalogMemory memory = {0};
    static const char *const names_[] = {"nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"};
    size_t found = 0;
    for (int round = 0; round < 2; round++) {
        place->options.memory = round == 0 ? NULL : &memory;
        for (size_t i = 0; i < sizeof names_ / sizeof names_[0]; i++) {
            RuntimeEntry entry;
            Slice message;
            if (find(place, names_[i], &entry, &message) != RUNTIME_FOUND)
                continue;
            found++;
            /* What the program itself says. */
            char said[32] = {0};
            Slice command = arena_format(&place->arena, "%.*s --version", SLICE_PRINT(entry.program));
            FILE *pipe = popen(command.data, "r");
            assert_non_null(pipe);
            assert_non_null(fgets(said, sizeof said, pipe));
            assert_int_equal(pclose(pipe), 0);
            assert_memory_equal(said + 1, names_[i] + strlen("nodejs"), 3);
        }
    }
    assert_int_equal(found % 2, 0); /* with memory as without */
}

static void what_brume_cannot_run_is_refused_with_what_would_be_needed(void **state)
{
    static const char *const refused[] = {"java21", "dotnet8", "ruby3.3", "go1.x", "provided"};
    RuntimeEntry entry;
    Slice message;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(find(*state, refused[i], &entry, &message), RUNTIME_REFUSED);
        assert_true(contains(message, refused[i]));
        assert_true(contains(message, "provided.al2023"));
    }
    assert_int_equal(find(*state, "nodejs12.x", &entry, &message), RUNTIME_REFUSED);
    assert_true(contains(message, "later version"));
}

static void custom_runtimes_need_nothing(void **state)
{
    static const char *const custom[] = {"provided.al2", "provided.al2023"};
    RuntimeEntry entry;
    Slice message;
    for (size_t i = 0; i < sizeof custom / sizeof custom[0]; i++) {
        assert_int_equal(find(*state, custom[i], &entry, &message), RUNTIME_FOUND);
        assert_int_equal(entry.kind, RUNTIME_CUSTOM);
        assert_int_equal(entry.program.size, 0);
    }
}

static void a_name_that_aws_has_not_is_unknown(void **state)
{
    static const char *const unknown[] = {"", "python", "python3", "python3.1", "python3.110", "nodejs22", "../bin"};
    RuntimeEntry entry;
    Slice message;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_int_equal(find(*state, unknown[i], &entry, &message), RUNTIME_UNKNOWN);
        assert_true(contains(message, "`brume runtime list`"));
    }
}

int main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)
    const struct CMUnitTest tests[] = {
        PLACED(what_is_installed_is_found_with_its_library),
        PLACED(a_mapping_comes_before_what_is_installed),
        PLACED(what_cannot_be_executed_is_not_taken),
        PLACED(what_is_missing_is_told_with_the_command_that_installs_it),
        PLACED(the_hosts_own_python_is_found_by_its_name),
        PLACED(the_hosts_own_node_is_taken_for_its_own_version_alone),
        PLACED(what_brume_cannot_run_is_refused_with_what_would_be_needed),
        PLACED(custom_runtimes_need_nothing),
        PLACED(a_name_that_aws_has_not_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

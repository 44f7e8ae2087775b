#include "runtime/catalog.h"
#include "os/os_probe.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- The names ---- */

#define NAME(name_, kind_, version_, deprecated_, is_refused_)                                                         \
    {                                                                                                                  \
        SLICE_INIT(name_), SLICE_INIT(version_), SLICE_INIT(deprecated_), kind_, is_refused_                           \
    }
#define RUNTIME_RUN(name, kind, version, deprecated, place, snap_start) NAME(name, kind, version, deprecated, false),
#define RUNTIME_MISSING(name, deprecated, place, snap_start, needs) NAME(name, RUNTIME_CUSTOM, "", deprecated, true),
#define RUNTIME_PAST(name, deprecated, instead) NAME(name, RUNTIME_CUSTOM, "", deprecated, true),
static const RuntimeName names[] = {
#include "runtime/runtimes.def"
};

const RuntimeName *catalog_names(size_t *count)
{
    *count = sizeof names / sizeof names[0];
    return names;
}

const RuntimeName *catalog_name(Slice name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(names[i].name, name))
            return &names[i];
    return NULL;
}

/* ---- Where this host has them ---- */

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static Slice find_mapped(const CatalogOptions *catalog, Slice name)
{
    for (size_t i = 0; i < catalog->mapping_count; i++)
        if (slice_equal(catalog->mappings[i].name, name))
            return catalog->mappings[i].path;
    return (Slice){0};
}

/* A program, or a library, that was installed into one of the directories. */
static Slice find_installed(const CatalogOptions *catalog, Slice name, const char *below, bool (*is_it)(const char *),
                            Arena *arena)
{
    for (size_t i = 0; i < catalog->directory_count; i++) {
        Slice path =
            arena_format(arena, "%.*s/%.*s/%s", SLICE_PRINT(catalog->directories[i]), SLICE_PRINT(name), below);
        if (is_it(path.data))
            return path;
    }
    return (Slice){0};
}

static Slice find_host_python(Slice name, Arena *arena)
{
    static const char *const places[] = {"/usr/bin", "/usr/local/bin"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        Slice path = arena_format(arena, "%s/%.*s", places[i], SLICE_PRINT(name));
        if (is_program(path.data))
            return path;
    }
    return (Slice){0};
}

/* "v20.20.2": 20. */
static unsigned ask_node_version(const char *path)
{
    Arena scratch = arena_make();
    Slice line = os_probe_program(&scratch, path, "--version");
    uint64_t version = 0;
    if (slice_starts_with(line, SLICE("v"))) {
        line = slice_skip(line, 1);
        if (!slice_parse_uint64(slice_make(line.data, slice_find(line, '.')), &version))
            version = 0;
    }
    arena_free(&scratch);
    return (unsigned)version;
}

static unsigned node_version(CatalogMemory *memory, size_t place, const char *path)
{
    struct stat status;
    if (!is_program(path) || stat(path, &status) != 0)
        return 0;
    if (memory == NULL)
        return ask_node_version(path);
    pthread_mutex_lock(&memory->lock);
    if (memory->nodes[place].file != status.st_ino ||
        memcmp(&memory->nodes[place].modified, &status.st_mtim, sizeof status.st_mtim) != 0) {
        memory->nodes[place].file = status.st_ino;
        memory->nodes[place].modified = status.st_mtim;
        memory->nodes[place].version = ask_node_version(path);
    }
    unsigned version = memory->nodes[place].version;
    pthread_mutex_unlock(&memory->lock);
    return version;
}

/* `node` says nothing of its version by its name. */
static Slice find_host_node(CatalogMemory *memory, Slice version)
{
    static const char *const paths[CATALOG_HOST_NODES] = {"/usr/bin/node", "/usr/local/bin/node"};
    uint64_t wanted = 0;
    if (!slice_parse_uint64(version, &wanted))
        return (Slice){0};
    for (size_t i = 0; i < CATALOG_HOST_NODES; i++)
        if (node_version(memory, i, paths[i]) == wanted)
            return slice_of_string(paths[i]);
    return (Slice){0};
}

static Slice find_program(const CatalogOptions *catalog, const RuntimeName *known, Arena *arena)
{
    const char *below = known->kind == RUNTIME_PYTHON ? "bin/python3" : "bin/node";
    Slice installed = find_installed(catalog, known->name, below, is_program, arena);
    if (installed.data != NULL)
        return installed;
    if (known->kind == RUNTIME_PYTHON)
        return find_host_python(known->name, arena);
    return find_host_node(catalog->memory, known->version);
}

/* ---- What would be needed ---- */

static Slice refusal(Slice name, Arena *arena)
{
    bool is_old = slice_starts_with(name, SLICE("nodejs")) || slice_starts_with(name, SLICE("python"));
    if (is_old)
        return arena_format(arena,
                            "Brume does not run %.*s, which is older than Python 3.8 and Node.js 16: move the function "
                            "to a later version",
                            SLICE_PRINT(name));
    return arena_format(arena,
                        "Brume does not run %.*s: package the function with its runtime and a program `bootstrap` that "
                        "starts it, and give it the runtime provided.al2023",
                        SLICE_PRINT(name));
}

static Slice absence(const RuntimeName *known, Arena *arena)
{
    return arena_format(
        arena,
        "this host has no %s %.*s for the runtime %.*s: install it with `brume runtime install %.*s`, or "
        "name one with --runtime %.*s=/path/to/%s",
        known->kind == RUNTIME_PYTHON ? "Python" : "Node.js", SLICE_PRINT(known->version), SLICE_PRINT(known->name),
        SLICE_PRINT(known->name), SLICE_PRINT(known->name), known->kind == RUNTIME_PYTHON ? "python3" : "node");
}

RuntimeState catalog_find(const CatalogOptions *catalog, Slice name, Arena *arena, RuntimeEntry *entry, Slice *message)
{
    *entry = (RuntimeEntry){0};
    *message = (Slice){0};
    const RuntimeName *known = catalog_name(name);
    if (known == NULL) {
        *message = arena_format(arena, "there is no runtime %.*s: `brume runtime list` prints those that there are",
                                SLICE_PRINT(name));
        return RUNTIME_UNKNOWN;
    }
    entry->kind = known->kind;
    if (known->is_refused) {
        *message = refusal(name, arena);
        return RUNTIME_REFUSED;
    }
    if (known->kind == RUNTIME_CUSTOM)
        return RUNTIME_FOUND;

    Slice mapped = find_mapped(catalog, name);
    if (mapped.data != NULL && !is_program(arena_string(arena, mapped))) {
        *message = arena_format(arena, "--runtime %.*s=%.*s: that is no program that can be run", SLICE_PRINT(name),
                                SLICE_PRINT(mapped));
        return RUNTIME_MISSING;
    }
    entry->program =
        mapped.data != NULL ? slice_of_string(arena_string(arena, mapped)) : find_program(catalog, known, arena);
    if (entry->program.data == NULL) {
        *message = absence(known, arena);
        return RUNTIME_MISSING;
    }
    entry->library = find_installed(catalog, name, "lib", is_directory, arena);
    return RUNTIME_FOUND;
}

#include "runtime/catalog.h"

#include <unistd.h>

static bool can_run(Slice path)
{
    return access(path.data, X_OK) == 0;
}

RuntimeState catalog_find(const CatalogOptions *catalog, Slice name, Arena *arena, RuntimeEntry *entry, Slice *message)
{
    bool is_python = slice_starts_with(name, SLICE("python3."));
    bool is_node = slice_starts_with(name, SLICE("nodejs"));
    *entry = (RuntimeEntry){.kind = is_python ? RUNTIME_PYTHON : is_node ? RUNTIME_NODEJS : RUNTIME_CUSTOM};
    if (slice_starts_with(name, SLICE("provided")))
        return RUNTIME_FOUND;
    if (!is_python && !is_node) {
        *message = arena_format(arena, "Brume cannot run %.*s", SLICE_PRINT(name));
        return RUNTIME_REFUSED;
    }
    for (size_t i = 0; i < catalog->mapping_count; i++) {
        if (slice_equal(catalog->mappings[i].name, name)) {
            entry->program = arena_copy(arena, catalog->mappings[i].path);
            return RUNTIME_FOUND;
        }
    }
    for (size_t i = 0; i < catalog->directory_count; i++) {
        Slice home = arena_format(arena, "%.*s/%.*s", SLICE_PRINT(catalog->directories[i]), SLICE_PRINT(name));
        entry->program = arena_format(arena, "%.*s/bin/%s", SLICE_PRINT(home), is_python ? "python3" : "node");
        entry->library = arena_format(arena, "%.*s/lib", SLICE_PRINT(home));
        if (can_run(entry->program))
            return RUNTIME_FOUND;
    }
    entry->library = (Slice){0};
    entry->program = arena_format(arena, "/usr/bin/%.*s", SLICE_PRINT(name));
    if (is_python && can_run(entry->program))
        return RUNTIME_FOUND;
    *message = arena_format(arena, "this host has no %.*s: `brume runtime install %.*s` installs it", SLICE_PRINT(name),
                            SLICE_PRINT(name));
    return RUNTIME_MISSING;
}

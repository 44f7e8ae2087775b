/* Any bytes: what is read as a zip gives each entry whole, or says that it is none; a package that is let in has no name
 * that leads out. */
#include "base/bug.h"
#include "base/zip.h"
#include "core/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Error count_piece(void *user, Slice bytes)
{
    *(uint64_t *)user += bytes.size;
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const PackageBounds bounds = {.zipped_bytes = 1 << 20, .unzipped_bytes = 1 << 20, .files = 1000};
    Arena arena = arena_make();
    ZipArchive archive;
    uint64_t unzipped;
    uint64_t given = 0;
    Slice file = slice_make(data, size);
    if (package_check(file, &bounds, &arena, &unzipped) == OK) {
        ASSERT(zip_read(file, &arena, &archive) == OK && unzipped <= bounds.unzipped_bytes);
        for (size_t i = 0; i < archive.count; i++) {
            uint64_t before = given;
            Slice name = archive.entries[i].name;
            ASSERT(name.data[0] != '/' && !slice_starts_with(name, SLICE("../")));
            Error error = zip_unpack(&archive.entries[i], count_piece, &given);
            ASSERT(error == OK ? given - before == archive.entries[i].size : given - before <= archive.entries[i].size);
        }
    }
    arena_free(&arena);
    return 0;
}

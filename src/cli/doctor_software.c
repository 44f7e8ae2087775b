/* What the program runs with, and what functions will run on. */
#include "base/digest.h"
#include "base/xml.h"
#include "cli/doctor.h"
#include "net/http.h"
#include "net/loop.h"
#include "os/os_probe.h"
#include "store/engine.h"

#include <stdlib.h>
#include <unistd.h>

static Finding check_program(Doctor *doctor)
{
    (void)doctor;
    return doctor_is_pleased(SLICE("brume " BRUME_VERSION));
}

static Finding check_libraries(Doctor *doctor)
{
    Slice rocksdb = engine_rocksdb_library(doctor->arena);
    return doctor_is_pleased(arena_format(doctor->arena, "%.*s, libuv %s, %s, llhttp %s, nghttp2 %s, %s",
                                          SLICE_PRINT(rocksdb.data == NULL ? SLICE("RocksDB linked in") : rocksdb),
                                          loop_library_version(), digest_library(), http_parser_version(),
                                          http2_library_version(), xml_library()));
}

/* The first program of that name on the PATH; NULL when there is none. */
static const char *find_program(Arena *arena, const char *name)
{
    const char *path = getenv("PATH");
    for (; path != NULL && *path != '\0'; path += *path == ':') {
        size_t size = strcspn(path, ":");
        const char *file = arena_format(arena, "%.*s/%s", (int)size, path, name).data;
        if (size > 0 && path[0] == '/' && access(file, X_OK) == 0)
            return file;
        path += size;
    }
    return NULL;
}

/* Adds "VERSION (PATH)" of the program of that name, when there is one that tells its version. */
static void add_runtime(Doctor *doctor, Buffer *found, const char *name)
{
    const char *path = find_program(doctor->arena, name);
    Slice version = path == NULL ? (Slice){0} : os_probe_program(doctor->arena, path, "--version");
    if (version.data != NULL)
        buffer_add_format(found, "%s%.*s (%s)", found->size == 0 ? "" : ", ", SLICE_PRINT(version), path);
}

static Finding runtime_found(const Buffer *found, Slice advice)
{
    if (found->size > 0)
        return doctor_is_pleased(buffer_slice(found));
    return doctor_finds(VERDICT_WARN, SLICE("none on the PATH"), advice);
}

static Finding check_python(Doctor *doctor)
{
    static const char *const names[] = {"python3.9",  "python3.10", "python3.11",
                                        "python3.12", "python3.13", "python3.14"};
    Buffer found = buffer_make(doctor->arena);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_runtime(doctor, &found, names[i]);
    return runtime_found(&found, SLICE("functions in Python need one, as Debian's package python3"));
}

static Finding check_node(Doctor *doctor)
{
    Buffer found = buffer_make(doctor->arena);
    add_runtime(doctor, &found, "node");
    return runtime_found(&found, SLICE("functions in JavaScript need one"));
}

const Check doctor_software_checks[] = {
    {"program", check_program}, {"libraries", check_libraries}, {"Python", check_python}, {"Node.js", check_node}, {0},
};

#include "core/package_backup.h"

#include "base/bug.h"
#include "base/digest.h"
#include "os/os_folder.h"
#include "store/key.h"

#include <stdlib.h>

/* ---- The packages that the keys refer to ---- */

typedef struct Reference {
    Slice folder;
    struct Reference *next;
} Reference;

/* In order, each once: the references to one package stand together. */
typedef struct References {
    Arena arena;
    Slice prefix; /* of their keys */
    Reference *first;
    Reference *last;
} References;

static void references_open(References *references)
{
    Buffer prefix = key_start(&references->arena, SLICE(""), SLICE(""), KIND_PACKAGE);
    references->prefix = buffer_slice(&prefix);
}

static void references_see(References *references, Slice key)
{
    Slice folder;
    if (!slice_starts_with(key, references->prefix))
        return;
    Slice rest = slice_skip(key, references->prefix.size);
    ArenaMark mark = arena_mark(&references->arena);
    if (key_take_string(&rest, &references->arena, &folder) != OK ||
        (references->last != NULL && slice_equal(references->last->folder, folder))) {
        arena_rewind(&references->arena, mark);
        return;
    }
    Reference *reference = ARENA_NEW(&references->arena, Reference);
    *reference = (Reference){.folder = arena_copy(&references->arena, folder)};
    if (references->last == NULL)
        references->first = reference;
    else
        references->last->next = reference;
    references->last = reference;
}

/* ---- Into a backup ---- */

typedef struct PackagesBackup {
    BackupFiles files;
    Packages *packages;
    References references;
    const Reference *next;
    bool begun;
    int file; /* -1: none is open */
} PackagesBackup;

static void see_saved(BackupFiles *files, Slice key)
{
    references_see(&CONTAINER_OF(files, PackagesBackup, files)->references, key);
}

static void end_file(PackagesBackup *backup)
{
    if (backup->file >= 0)
        file_end(backup->file);
    backup->file = -1;
}

static Error next_package(BackupFiles *files, Slice *name, uint64_t *size)
{
    PackagesBackup *backup = CONTAINER_OF(files, PackagesBackup, files);
    end_file(backup);
    if (!backup->begun)
        backup->next = backup->references.first;
    backup->begun = true;
    *name = (Slice){0};
    *size = 0;
    if (backup->next == NULL)
        return OK;
    *name = backup->next->folder;
    backup->next = backup->next->next;
    Error error = file_open(packages_zip_path(backup->packages, &backup->references.arena, *name), &backup->file, size);
    if (error != OK) {
        backup->file = -1;
        packages_report_lost(backup->packages, *name, error);
    }
    return error;
}

static Error read_package(BackupFiles *files, char *bytes, size_t size, size_t *given)
{
    return file_read(CONTAINER_OF(files, PackagesBackup, files)->file, bytes, size, given);
}

BackupFiles *packages_backup_open(Packages *packages)
{
    PackagesBackup *backup = calloc(1, sizeof *backup);
    ASSERT(backup != NULL);
    backup->files = (BackupFiles){see_saved, next_package, read_package};
    backup->packages = packages;
    backup->file = -1;
    references_open(&backup->references);
    packages_keep_all(packages);
    return &backup->files;
}

void packages_backup_close(BackupFiles *files)
{
    PackagesBackup *backup = CONTAINER_OF(files, PackagesBackup, files);
    end_file(backup);
    packages_keep_no_longer(backup->packages);
    arena_free(&backup->references.arena);
    free(backup);
}

/* ---- Out of it ---- */

typedef struct PackagesRestore {
    RestoreFiles files;
    Os *os;
    const char *directory; /* of packages */
    References references;
    const Reference *expected; /* the next one; NULL before the first */
    bool begun;
    size_t missing_count;
    Slice missing; /* one of them */
    Arena arena;   /* of one package */
    Slice name;
    const char *path;
    int folder; /* -1: none is open */
    int file;   /* the same */
} PackagesRestore;

static PackagesRestore *restore_of(RestoreFiles *files)
{
    return CONTAINER_OF(files, PackagesRestore, files);
}

static void see_restored(RestoreFiles *files, Slice key)
{
    references_see(&restore_of(files)->references, key);
}

/* Those up to `name` are not there; `name` absent: all that are left. False: nothing refers to it. */
static bool expect(PackagesRestore *restore, Slice name)
{
    if (!restore->begun)
        restore->expected = restore->references.first;
    restore->begun = true;
    for (; restore->expected != NULL; restore->expected = restore->expected->next) {
        if (name.data != NULL && slice_equal(restore->expected->folder, name)) {
            restore->expected = restore->expected->next;
            return true;
        }
        restore->missing = restore->expected->folder;
        restore->missing_count++;
    }
    return name.data == NULL;
}

/* ACCOUNT/DIGEST, so that it leads nowhere else. */
static bool is_folder_name(Slice name)
{
    size_t account = slice_find(name, '/');
    if (account != 12 || name.size != account + 1 + 2 * (size_t)SHA256_SIZE)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char byte = name.data[i];
        bool digit = byte >= '0' && byte <= '9';
        if (i != account && !digit && (i < account || byte < 'a' || byte > 'f'))
            return false;
    }
    return true;
}

static Error make_account_folder(PackagesRestore *restore)
{
    int folder;
    Slice account = slice_make(restore->name.data, slice_find(restore->name, '/'));
    TRY(os_make_directory(restore->os, restore->directory));
    Error error =
        folder_make(arena_format(&restore->arena, "%s/%.*s", restore->directory, SLICE_PRINT(account)).data, &folder);
    if (error == OK)
        folder_close(folder);
    return error == ERROR_EXISTS ? OK : error;
}

static Error begin_package(RestoreFiles *files, Slice name, uint64_t size)
{
    PackagesRestore *restore = restore_of(files);
    (void)size;
    if (!is_folder_name(name) || !expect(restore, name))
        return ERROR_MALFORMED;
    arena_free(&restore->arena);
    restore->name = arena_copy(&restore->arena, name);
    restore->path = arena_format(&restore->arena, "%s/%.*s", restore->directory, SLICE_PRINT(name)).data;
    TRY(make_account_folder(restore));
    TRY(folder_make(restore->path, &restore->folder));
    return folder_add_file(restore->folder, "package.zip", 0644, &restore->file);
}

static Error write_package(RestoreFiles *files, Slice piece)
{
    return file_write(restore_of(files)->file, piece);
}

static bool has_digest(PackagesRestore *restore, Slice zip)
{
    unsigned char digest[SHA256_SIZE];
    sha256(zip, digest);
    return slice_ends_with(restore->name, hex_encode(&restore->arena, digest, sizeof digest));
}

/* It was within the bounds of its day when it was uploaded. */
static Error unpack(PackagesRestore *restore, Slice zip)
{
    static const PackageBounds boundless = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    uint64_t unzipped_bytes;
    if (!has_digest(restore, zip))
        return ERROR_MALFORMED;
    TRY(package_check(zip, &boundless, &restore->arena, &unzipped_bytes));
    return package_unpack(zip, &restore->arena, arena_format(&restore->arena, "%s/code", restore->path).data);
}

static void close_package(PackagesRestore *restore)
{
    if (restore->file >= 0)
        file_end(restore->file);
    if (restore->folder >= 0)
        folder_close(restore->folder);
    restore->file = restore->folder = -1;
}

static Error end_package(RestoreFiles *files)
{
    PackagesRestore *restore = restore_of(files);
    Slice zip;
    Error error = file_close(restore->file, 0);
    restore->file = -1;
    close_package(restore);
    TRY(error);
    TRY(file_map(arena_format(&restore->arena, "%s/package.zip", restore->path).data, &zip));
    error = unpack(restore, zip);
    file_unmap(zip);
    return error == OK || error == ERROR_FULL || error == ERROR_IO || error == ERROR_DENIED ? error : ERROR_MALFORMED;
}

static Error finish_packages(RestoreFiles *files)
{
    PackagesRestore *restore = restore_of(files);
    expect(restore, (Slice){0});
    return folder_is_there(restore->directory) ? folder_sync_at(restore->directory) : OK;
}

RestoreFiles *packages_restore_open(Os *os, const char *directory)
{
    PackagesRestore *restore = calloc(1, sizeof *restore);
    ASSERT(restore != NULL);
    restore->files = (RestoreFiles){see_restored, begin_package, write_package, end_package, finish_packages};
    restore->os = os;
    restore->file = restore->folder = -1;
    references_open(&restore->references);
    restore->directory = arena_format(&restore->references.arena, "%s/functions", directory).data;
    return &restore->files;
}

size_t packages_restore_close(RestoreFiles *files, Arena *arena, Slice *missing)
{
    PackagesRestore *restore = restore_of(files);
    size_t count = restore->missing_count;
    *missing = arena_copy(arena, restore->missing);
    close_package(restore);
    arena_free(&restore->arena);
    arena_free(&restore->references.arena);
    free(restore);
    return count;
}

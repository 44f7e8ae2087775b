/* package_unpack.c: a zip file checked for what it would do, and then done.
 *
 * Nothing is followed that the zip made: links are made when all files are there, and lead from their folder up and then
 * down, but not out of the package. */
#include "base/zip.h"
#include "core/package.h"
#include "os/os_folder.h"

enum {
    NAME_MAX_BYTES = 255, /* of one part of a path (Linux) */
    PATH_MAX_BYTES = 1024,
    LINK_MAX_BYTES = 1024,
    MODE_KIND = 0170000, /* the file's type in a mode of Unix (inode(7)) */
    MODE_LINK = 0120000,
    MODE_FOLDER = 0040000,
    MODE_FILE = 0100000,
    MODE_EXECUTABLE = 0111,
    DATE_S = 315532800, /* 1980-01-01, the first day of zip files: all files have one date */
};

/* ---- Names ---- */

static bool is_folder(const ZipEntry *entry)
{
    return slice_ends_with(entry->name, SLICE("/")) || (entry->mode & MODE_KIND) == MODE_FOLDER;
}

static bool is_link(const ZipEntry *entry)
{
    return (entry->mode & MODE_KIND) == MODE_LINK;
}

/* Takes the next part off a path; empty parts and "." say nothing. */
static bool next_part(Slice *path, Slice *part)
{
    while (path->size > 0) {
        size_t size = slice_find(*path, '/');
        *part = slice_make(path->data, size);
        *path = slice_skip(*path, size < path->size ? size + 1 : size);
        if (size > 0 && !slice_equal(*part, SLICE(".")))
            return true;
    }
    return false;
}

/* The path below the package, without what says nothing; empty: the package itself. */
static Error plain_path(Slice name, Arena *arena, Slice *path)
{
    Buffer plain = buffer_make(arena);
    Slice part;
    if (name.size == 0 || name.data[0] == '/' || memchr(name.data, '\0', name.size) != NULL)
        return PACKAGE_NAME;
    while (next_part(&name, &part)) {
        if (slice_equal(part, SLICE("..")) || part.size > NAME_MAX_BYTES)
            return PACKAGE_NAME;
        if (plain.size > 0)
            BUFFER_ADD(&plain, "/");
        buffer_add(&plain, part);
    }
    if (plain.size > PATH_MAX_BYTES)
        return PACKAGE_NAME;
    *path = arena_copy(arena, buffer_slice(&plain));
    return OK;
}

/* ---- Links ---- */

static Error add_piece(void *user, Slice bytes)
{
    Buffer *content = user;
    if (content->size + bytes.size > LINK_MAX_BYTES)
        return PACKAGE_LINK;
    buffer_add(content, bytes);
    return OK;
}

/* ".." at the front alone, and not more often than the link is deep. Its folder is a real one, so that this cannot lead
 * out, whatever links it comes upon. */
static Error check_target(Slice path, Slice target)
{
    size_t depth = 0;
    Slice part;
    bool down = false;
    while (next_part(&path, &part))
        depth++;
    if (target.size == 0 || target.data[0] == '/' || memchr(target.data, '\0', target.size) != NULL)
        return PACKAGE_LINK;
    while (next_part(&target, &part)) {
        bool up = slice_equal(part, SLICE(".."));
        if (up && (down || --depth == 0))
            return PACKAGE_LINK;
        down = down || !up;
    }
    return OK;
}

static Error read_link(const ZipEntry *entry, Slice path, Arena *arena, Slice *target)
{
    Buffer content = buffer_make(arena);
    if (entry->size > LINK_MAX_BYTES)
        return PACKAGE_LINK;
    Error error = zip_unpack(entry, add_piece, &content);
    if (error != OK)
        return error == ERROR_MALFORMED ? PACKAGE_NO_ZIP : error;
    *target = arena_copy(arena, buffer_slice(&content));
    return check_target(path, *target);
}

/* ---- Checking ---- */

static Error check_entry(const ZipEntry *entry, Arena *arena)
{
    Slice path;
    Slice target;
    uint32_t kind = entry->mode & MODE_KIND;
    if (entry->encrypted)
        return PACKAGE_ENCRYPTED;
    if (entry->method != ZIP_STORED && entry->method != ZIP_DEFLATED)
        return PACKAGE_METHOD;
    /* Devices, pipes and sockets are no files. */
    if (kind != 0 && kind != MODE_FILE && kind != MODE_FOLDER && kind != MODE_LINK)
        return PACKAGE_NAME;
    TRY(plain_path(entry->name, arena, &path));
    if (path.size == 0 && !is_folder(entry))
        return PACKAGE_NAME;
    return is_link(entry) ? read_link(entry, path, arena, &target) : OK;
}

Error package_check(Slice zip, const PackageBounds *bounds, Arena *arena, uint64_t *unzipped_bytes)
{
    ZipArchive archive;
    if (zip.size > bounds->zipped_bytes)
        return PACKAGE_TOO_LARGE;
    if (zip_read(zip, arena, &archive) != OK)
        return PACKAGE_NO_ZIP;
    if (archive.count == 0)
        return PACKAGE_EMPTY;
    if (archive.count > bounds->files)
        return PACKAGE_TOO_MANY_FILES;
    *unzipped_bytes = 0;
    for (size_t i = 0; i < archive.count; i++) {
        const ZipEntry *entry = &archive.entries[i];
        TRY(check_entry(entry, arena));
        if (entry->size > bounds->unzipped_bytes - *unzipped_bytes)
            return PACKAGE_UNZIPPED_TOO_LARGE;
        *unzipped_bytes += entry->size;
    }
    return OK;
}

/* ---- Unpacking ---- */

static Error write_piece(void *user, Slice bytes)
{
    return file_write(*(const int *)user, bytes);
}

static Error unpack_file(int folder, const ZipEntry *entry, const char *path)
{
    int file;
    unsigned mode = (entry->mode & MODE_EXECUTABLE) != 0 ? 0755 : 0644;
    TRY(folder_add_file(folder, path, mode, &file));
    Error error = zip_unpack(entry, write_piece, &file);
    Error closed = file_close(file, DATE_S);
    return error != OK ? error : closed;
}

static Error unpack_entry(int folder, const ZipEntry *entry, Arena *arena)
{
    Slice path;
    Slice target;
    TRY(plain_path(entry->name, arena, &path));
    if (is_link(entry)) {
        TRY(read_link(entry, path, arena, &target));
        return folder_add_link(folder, path.data, target.data);
    }
    if (!is_folder(entry))
        return unpack_file(folder, entry, path.data);
    return path.size == 0 ? OK : folder_add_folder(folder, path.data);
}

static Error unpack_all(int folder, const ZipArchive *archive, bool links, Arena *arena)
{
    for (size_t i = 0; i < archive->count; i++)
        if (is_link(&archive->entries[i]) == links)
            TRY(unpack_entry(folder, &archive->entries[i], arena));
    return OK;
}

Error package_unpack(Slice zip, Arena *arena, const char *path)
{
    int folder;
    ZipArchive archive;
    if (zip_read(zip, arena, &archive) != OK)
        return PACKAGE_NO_ZIP;
    TRY(folder_make(path, &folder));
    Error error = unpack_all(folder, &archive, false, arena);
    if (error == OK)
        error = unpack_all(folder, &archive, true, arena);
    folder_close(folder);
    if (error == ERROR_EXISTS)
        return PACKAGE_REPEATED;
    return error == ERROR_MALFORMED ? PACKAGE_NO_ZIP : error;
}

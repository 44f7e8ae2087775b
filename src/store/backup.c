/* A backup is a stream of one durable state, the same from every engine:
 *     "BRUME-BACKUP 2\n"
 *     for each key in order: varint key size + 1, key, varint value size, value
 *     varint 0
 *     for each file that a key names, in the order of its owner: varint name size + 1, name, varint size, bytes
 *     varint 0, then the SHA-256 of everything before it.
 * Version 1 has no files, and no varint 0 behind them. Cut off or changed anywhere, it is refused as a whole: nothing is
 * served from it. */
#include "store/store_internal.h"

#include "base/bug.h"
#include "base/digest.h"

#include <stdlib.h>

enum { RESTORE_BATCH_BYTES = 1 << 20, PIECE_BYTES = 64 << 10, KEY_MAX = 64 << 10, VALUE_MAX = 64 << 20 };

static const Slice magic = SLICE_INIT("BRUME-BACKUP 2\n");
static const Slice magic_without_files = SLICE_INIT("BRUME-BACKUP 1\n");
static const Slice magic_of_any_version = SLICE_INIT("BRUME-BACKUP ");

struct Backup {
    Store *store;
    View *view;
    BackupFiles *files; /* NULL: none */
    Arena arena;        /* of `piece` */
    Arena hash_arena;   /* of `sha` */
    Buffer piece;
    size_t given; /* of `piece` */
    char *last_key;
    size_t last_key_size; /* the next piece begins behind this key */
    bool has_keys;        /* all of them are out: files follow */
    uint64_t file_left;   /* bytes of the file that is being read */
    Sha256 *sha;
    bool complete;
};

Error backup_open(Store *store, BackupFiles *files, Backup **opened)
{
    Backup *backup = calloc(1, sizeof *backup);
    ASSERT(backup != NULL);
    backup->store = store;
    backup->files = files;
    backup->view = view_acquire(store);
    backup->sha = sha256_begin(&backup->hash_arena);
    backup->piece = buffer_make(&backup->arena);
    buffer_add(&backup->piece, magic);
    sha256_add(backup->sha, magic);
    *opened = backup;
    return OK;
}

/* The first key that may follow the last one given: it and a zero byte. */
static Slice resume_key(Backup *backup)
{
    Buffer key = buffer_make(&backup->arena);
    if (backup->last_key != NULL) {
        buffer_add(&key, slice_make(backup->last_key, backup->last_key_size));
        buffer_add_byte(&key, '\0');
    }
    return buffer_slice(&key);
}

static void keep_last_key(Backup *backup, Slice key)
{
    backup->last_key = realloc(backup->last_key, key.size + 1);
    ASSERT(backup->last_key != NULL);
    memcpy(backup->last_key, key.data, key.size);
    backup->last_key_size = key.size;
}

static void add_trailer(Backup *backup)
{
    unsigned char digest[SHA256_SIZE];
    value_add_uint64(&backup->piece, 0);
    sha256_add(backup->sha, buffer_slice(&backup->piece));
    sha256_end(backup->sha, digest);
    backup->sha = NULL;
    buffer_add(&backup->piece, slice_make(digest, sizeof digest));
    backup->complete = true;
}

/* A piece of keys. A cursor lives for one piece only, so that nothing but the view is held between them. */
static Error fill_with_keys(Backup *backup)
{
    const EngineOperations *engine = backup->store->engine->operations;
    if (backup->view->snapshot == NULL)
        return ERROR_IO; /* the engine was reopened after a full disk */
    Slice from = resume_key(backup);
    EngineCursor *cursor =
        engine->scan(backup->store->engine, backup->view->snapshot, READ_DISK, from, (Slice){0}, false);
    Slice key = {0};
    Slice value;
    Error error = OK;
    while (backup->piece.size < PIECE_BYTES) {
        error = engine->cursor_next(cursor, &key, &value);
        if (error != OK || key.data == NULL)
            break;
        value_add_uint64(&backup->piece, (uint64_t)key.size + 1);
        buffer_add(&backup->piece, key);
        value_add_bytes(&backup->piece, value);
        keep_last_key(backup, key);
        if (backup->files != NULL)
            backup->files->see(backup->files, key);
    }
    engine->cursor_close(cursor);
    backup->has_keys = error == OK && key.data == NULL;
    if (backup->has_keys)
        value_add_uint64(&backup->piece, 0);
    return error;
}

static Error add_part_of_file(Backup *backup)
{
    size_t room = PIECE_BYTES - backup->piece.size;
    size_t wanted = backup->file_left < room ? (size_t)backup->file_left : room;
    size_t given;
    TRY(backup->files->read(backup->files, buffer_reserve(&backup->piece, wanted), wanted, &given));
    if (given == 0)
        return ERROR_MALFORMED; /* it has become shorter */
    backup->piece.size += given;
    backup->file_left -= given;
    return OK;
}

static Error fill_with_files(Backup *backup, bool *complete)
{
    *complete = backup->files == NULL;
    while (backup->piece.size < PIECE_BYTES && !*complete) {
        Slice name;
        if (backup->file_left > 0) {
            TRY(add_part_of_file(backup));
            continue;
        }
        TRY(backup->files->next(backup->files, &name, &backup->file_left));
        *complete = name.data == NULL;
        if (!*complete) {
            value_add_uint64(&backup->piece, (uint64_t)name.size + 1);
            buffer_add(&backup->piece, name);
            value_add_uint64(&backup->piece, backup->file_left);
        }
    }
    return OK;
}

static Error fill(Backup *backup)
{
    bool complete = false;
    arena_rewind(&backup->arena, (ArenaMark){0});
    backup->piece = buffer_make(&backup->arena);
    backup->given = 0;
    TRY(backup->has_keys ? fill_with_files(backup, &complete) : fill_with_keys(backup));
    if (complete)
        add_trailer(backup);
    else
        sha256_add(backup->sha, buffer_slice(&backup->piece));
    return OK;
}

Error backup_read(Backup *backup, char *bytes, size_t size, size_t *given)
{
    *given = 0;
    /* A piece may turn out empty: the files ended with the one before. */
    while (backup->given == backup->piece.size && !backup->complete) {
        pthread_rwlock_rdlock(&backup->store->views.gate);
        Error error = fill(backup);
        pthread_rwlock_unlock(&backup->store->views.gate);
        TRY(error);
    }
    size_t left = backup->piece.size - backup->given;
    *given = size < left ? size : left;
    if (*given > 0)
        memcpy(bytes, backup->piece.data + backup->given, *given);
    backup->given += *given;
    return OK;
}

void backup_close(Backup *backup)
{
    unsigned char digest[SHA256_SIZE];
    if (backup->sha != NULL)
        sha256_end(backup->sha, digest);
    view_release(backup->store, backup->view);
    arena_free(&backup->arena);
    arena_free(&backup->hash_arena);
    free(backup->last_key);
    free(backup);
}

/* ---- Restoring ---- */

typedef struct Restore {
    Engine *engine;
    RestoreFiles *files; /* NULL: of nobody */
    BackupRead read;
    void *source;
    Sha256 *sha;
    char input[PIECE_BYTES];
    size_t input_size;
    size_t input_at;
    Arena batch; /* of keys, values and changes */
    EngineChange changes[1024];
    size_t change_count;
    size_t change_bytes;
} Restore;

/* Exactly `size` bytes of the stream. */
static Error take(Restore *restore, char *bytes, size_t size, bool hashed)
{
    for (size_t taken = 0; taken < size;) {
        if (restore->input_at == restore->input_size) {
            TRY(restore->read(restore->source, restore->input, sizeof restore->input, &restore->input_size));
            restore->input_at = 0;
            if (restore->input_size == 0)
                return ERROR_MALFORMED;
        }
        size_t left = restore->input_size - restore->input_at;
        size_t part = size - taken < left ? size - taken : left;
        memcpy(bytes + taken, restore->input + restore->input_at, part);
        restore->input_at += part;
        taken += part;
    }
    if (hashed)
        sha256_add(restore->sha, slice_make(bytes, size));
    return OK;
}

static Error take_uint64(Restore *restore, uint64_t *number)
{
    char bytes[10];
    for (size_t size = 0; size < sizeof bytes;) {
        TRY(take(restore, &bytes[size++], 1, true));
        if ((unsigned char)bytes[size - 1] < 0x80) {
            Slice text = slice_make(bytes, size);
            return value_take_uint64(&text, number);
        }
    }
    return ERROR_MALFORMED;
}

static Error take_bytes(Restore *restore, uint64_t size, size_t most, Slice *bytes)
{
    if (size > most)
        return ERROR_MALFORMED;
    char *place = arena_alloc_aligned(&restore->batch, (size_t)size + 1, 1);
    *bytes = slice_make(place, (size_t)size);
    return take(restore, place, (size_t)size, true);
}

static Error write_batch(Restore *restore)
{
    TRY(restore->engine->operations->write(restore->engine, restore->changes, restore->change_count));
    restore->change_count = restore->change_bytes = 0;
    arena_free(&restore->batch);
    return OK;
}

static Error take_magic(Restore *restore, bool *has_files)
{
    char found[16];
    ASSERT(magic.size <= sizeof found);
    TRY(take(restore, found, magic.size, true));
    Slice text = slice_make(found, magic.size);
    *has_files = slice_equal(text, magic);
    if (*has_files || slice_equal(text, magic_without_files))
        return OK;
    return slice_starts_with(text, magic_of_any_version) ? ERROR_FORMAT : ERROR_MALFORMED;
}

static Error restore_keys(Restore *restore)
{
    for (;;) {
        uint64_t size;
        TRY(take_uint64(restore, &size));
        if (size == 0)
            return write_batch(restore);
        EngineChange *change = &restore->changes[restore->change_count++];
        TRY(take_bytes(restore, size - 1, KEY_MAX, &change->key));
        TRY(take_uint64(restore, &size));
        TRY(take_bytes(restore, size, VALUE_MAX, &change->value));
        restore->change_bytes += change->key.size + change->value.size;
        if (restore->files != NULL)
            restore->files->see(restore->files, change->key);
        if (restore->change_bytes > RESTORE_BATCH_BYTES ||
            restore->change_count == sizeof restore->changes / sizeof restore->changes[0])
            TRY(write_batch(restore));
    }
}

static Error restore_file(Restore *restore, Slice name, uint64_t left)
{
    char piece[PIECE_BYTES];
    if (restore->files == NULL)
        return ERROR_MALFORMED;
    TRY(restore->files->begin(restore->files, name, left));
    while (left > 0) {
        size_t part = left < sizeof piece ? (size_t)left : sizeof piece;
        TRY(take(restore, piece, part, true));
        TRY(restore->files->write(restore->files, slice_make(piece, part)));
        left -= part;
    }
    return restore->files->end(restore->files);
}

static Error restore_files(Restore *restore)
{
    for (;;) {
        uint64_t size;
        Slice name;
        TRY(take_uint64(restore, &size));
        if (size == 0)
            return OK;
        TRY(take_bytes(restore, size - 1, KEY_MAX, &name));
        TRY(take_uint64(restore, &size));
        TRY(restore_file(restore, name, size));
        arena_free(&restore->batch);
    }
}

/* Nothing was changed, and nothing stands behind it. */
static Error check_trailer(Restore *restore)
{
    unsigned char digest[SHA256_SIZE];
    char expected[SHA256_SIZE];
    sha256_end(restore->sha, digest);
    restore->sha = NULL;
    TRY(take(restore, expected, sizeof expected, false));
    if (memcmp(digest, expected, sizeof digest) != 0)
        return ERROR_MALFORMED;
    char more;
    if (take(restore, &more, 1, false) == OK)
        return ERROR_MALFORMED;
    return OK;
}

static Error restore_all(Restore *restore)
{
    bool has_files;
    TRY(take_magic(restore, &has_files));
    TRY(restore_keys(restore));
    if (has_files)
        TRY(restore_files(restore));
    TRY(check_trailer(restore));
    if (restore->files != NULL)
        TRY(restore->files->finish(restore->files));
    TRY(restore->engine->operations->sync(restore->engine));
    return restore->engine->operations->flush(restore->engine);
}

Error backup_restore(Engine *engine, BackupRead read, void *source, RestoreFiles *files)
{
    Restore *restore = calloc(1, sizeof *restore);
    ASSERT(restore != NULL);
    Arena hash_arena = arena_make();
    restore->engine = engine;
    restore->files = files;
    restore->read = read;
    restore->source = source;
    restore->sha = sha256_begin(&hash_arena);
    Error error = restore_all(restore);
    unsigned char digest[SHA256_SIZE];
    if (restore->sha != NULL)
        sha256_end(restore->sha, digest);
    arena_free(&restore->batch);
    arena_free(&hash_arena);
    free(restore);
    return error;
}

/* package.h: packages of code: zip files that have been checked and unpacked beside the store.
 *
 *     DIR/functions/ACCOUNT/DIGEST/package.zip   as it was uploaded
 *     DIR/functions/ACCOUNT/DIGEST/code/         what is in it, read-only
 *     DIR/functions/new/…                        one that is being unpacked
 *
 * A package's folder is named by the account and the SHA-256 of the zip, so that the same content is there once. It is
 * written and synced before the transaction that refers to it; one that nobody refers to is removed: soon after its
 * last reference went, and at the start (it was unpacked, and then the process was killed).
 *
 * In a transaction the functions of references; on any thread those of Packages, none of which blocks. */
#ifndef BRUME_CORE_PACKAGE_H
#define BRUME_CORE_PACKAGE_H

#include "core/core_error.h"
#include "os/work_pool.h"
#include "store/store.h"

/* ---- References ---- */

/* `user`, any bytes that name one user, refers to the package from now on, or no longer. */
void package_use(Txn *txn, Slice folder, Slice user);
void package_unuse(Txn *txn, Slice folder, Slice user);
Error package_is_used(Txn *txn, Slice folder, bool *used);

/* Where the unpacked files are, absolute. */
Slice package_code_path(Txn *txn, Slice folder);

/* ---- Checking and unpacking (package_unpack.c): blocks ---- */

typedef struct PackageBounds {
    uint64_t zipped_bytes;
    uint64_t unzipped_bytes;
    uint64_t files;
} PackageBounds;

/* Checks the whole directory of the zip and gives what it unpacks to. PACKAGE_… codes. Paths are taken apart into `arena`. */
Error package_check(Slice zip, const PackageBounds *bounds, Arena *arena, uint64_t *unzipped_bytes);
/* Unpacks a checked zip into the new folder `path`: files for everyone to read, executable where the zip says so, all of
 * one date, so that the same zip gives the same folder. PACKAGE_REPEATED, PACKAGE_NO_ZIP: the contents are not what was
 * said; ERROR_FULL, ERROR_IO: what is there is the caller's to remove. */
Error package_unpack(Slice zip, Arena *arena, const char *path);

/* ---- Packages ---- */

typedef struct Packages Packages;

typedef struct PackagesOptions {
    Os *os;
    Store *store;
    WorkPool *pool;
    const char *directory; /* the data directory, absolute */
    const Limits *limits;
    Log *log;
} PackagesOptions;

/* Makes the folders that are missing, and removes what was not finished; once the store runs, on the main thread.
 * ERROR_DENIED, ERROR_FULL, ERROR_IO. */
Error packages_open(const PackagesOptions *options, Packages **packages);
/* Before the store is stopped: nothing more is collected. What is being added goes on. */
void packages_stop(Packages *packages);
/* After the pool was closed. */
void packages_close(Packages *packages);

/* One package on its way in: a token of ownership, as a StoreCall is, from packages_add until `done`. */
typedef struct PackageUpload {
    Task task;
    /* Set by the caller; they live until `done`. */
    Slice account;
    Slice zip;
    PackageBounds bounds;
    Mailbox *mailbox;
    void (*done)(struct PackageUpload *upload);
    void *user;
    /* Set when it is done. */
    Error result;
    Slice folder; /* what records refer to it by */
    Slice sha256; /* of the zip, base64 */
    uint64_t unzipped_bytes;
    /* Its own. */
    Packages *packages;
    struct PackageUpload *next; /* of those whose folders are held */
    Arena arena;                /* of what it gives; freed by packages_release */
} PackageUpload;

/* Checks, unpacks and syncs it; then `done` on the mailbox's thread. From then until packages_release its folder stays,
 * whether something refers to it or not. Results: PACKAGE_… codes; ERROR_FULL, ERROR_IO. ERROR_BUSY at once: too many are
 * on their way; the upload is still the caller's, and is not released. */
Error packages_add(Packages *packages, PackageUpload *upload);
/* The transaction that refers to the folder is durable, or will not be. Any thread. */
void packages_release(PackageUpload *upload);

/* What proves, for PACKAGE_LINK_MS, that whoever has it was told of this package's place by us: it is made with a secret
 * of this process, and is of no use for another package. */
enum { PACKAGE_LINK_MS = 10 * 60 * 1000 }; /* Lambda API reference, GetFunction: "valid for 10 minutes" */
Slice packages_sign(const Packages *packages, Arena *arena, Slice folder, uint64_t expires_ms);
bool packages_verify(const Packages *packages, Slice folder, uint64_t expires_ms, Slice proof);
/* Where the package's zip is. */
const char *packages_zip_path(const Packages *packages, Arena *arena, Slice folder);
WorkPool *packages_pool(const Packages *packages);

/* For backups (package_backup.h), on any thread: from now on nothing is removed; then what was left is looked at again. */
void packages_keep_all(Packages *packages);
void packages_keep_no_longer(Packages *packages);
/* Tells the log that the code of a package that is referred to is not there. */
void packages_report_lost(const Packages *packages, Slice folder, Error reason);

#endif

/* catalog.h: which runtimes there are by name, and where this host has them.
 *
 * A version is never substituted: python3.12 is run by a Python 3.12 that was found or named, or refused with the command
 * that installs it. Looked up when a worker is to be started, so that what is installed meanwhile is found. Any thread. */
#ifndef BRUME_RUNTIME_CATALOG_H
#define BRUME_RUNTIME_CATALOG_H

#include "base/arena.h"
#include "runtime/spawner.h"

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

/* `--runtime NAME=PATH`. */
typedef struct RuntimeMapping {
    Slice name;
    Slice path;
} RuntimeMapping;

enum { CATALOG_HOST_NODES = 2 };

/* The versions of the host's own Node.js programs, which it takes 50 ms to ask for; asked again when a file has changed.
 * Zeroed at first. */
typedef struct CatalogMemory {
    pthread_mutex_t lock;
    struct {
        ino_t file;
        struct timespec modified;
        unsigned version; /* 20; 0: it does not tell */
    } nodes[CATALOG_HOST_NODES];
} CatalogMemory;

typedef struct CatalogOptions {
    const RuntimeMapping *mappings;
    size_t mapping_count;
    const Slice *directories; /* searched in order: DIRECTORY/NAME/bin/python3 or node, and DIRECTORY/NAME/lib */
    size_t directory_count;
    CatalogMemory *memory; /* NULL: the host's programs are asked each time */
} CatalogOptions;

typedef struct RuntimeEntry {
    RuntimeKind kind;
    Slice program; /* absolute; empty of a custom runtime */
    Slice library; /* the SDK that goes with it (boto3, @aws-sdk/…); empty: none was installed beside it */
} RuntimeEntry;

typedef enum RuntimeState {
    RUNTIME_FOUND,
    RUNTIME_MISSING, /* AWS has it, Brume could run it, this host has not got it */
    RUNTIME_REFUSED, /* AWS has it, or had it, and Brume cannot run it (java, dotnet, ruby, very old ones) */
    RUNTIME_UNKNOWN, /* no name of AWS's */
} RuntimeState;

/* A name that AWS has, or had. */
typedef struct RuntimeName {
    Slice name;       /* "python3.11" */
    Slice version;    /* of the language: "3.11", "22"; empty of a custom runtime and of what is refused */
    Slice deprecated; /* the day from which AWS deprecates it, "2025-12-15"; empty: not announced for today */
    RuntimeKind kind;
    bool is_refused;
} RuntimeName;

/* All of them, in the order of languages and versions; static. */
const RuntimeName *catalog_names(size_t *count);
/* The one of that name; NULL when AWS has none. */
const RuntimeName *catalog_name(Slice name);

/* How this host runs it. `message` (in the arena) tells what would be needed, unless found. */
RuntimeState catalog_find(const CatalogOptions *catalog, Slice name, Arena *arena, RuntimeEntry *entry, Slice *message);

#endif

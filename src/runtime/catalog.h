/* catalog.h: which runtimes there are by name, and where this host has them.
 *
 * A version is never substituted: python3.12 is run by a Python 3.12 that was found or named, or refused with the command
 * that installs it. Looked up when a worker is to be started, so that what is installed meanwhile is found. Any thread. */
#ifndef BRUME_RUNTIME_CATALOG_H
#define BRUME_RUNTIME_CATALOG_H

#include "base/arena.h"
#include "runtime/spawner.h"

/* `--runtime NAME=PATH`. */
typedef struct RuntimeMapping {
    Slice name;
    Slice path;
} RuntimeMapping;

typedef struct CatalogOptions {
    const RuntimeMapping *mappings;
    size_t mapping_count;
    const Slice *directories; /* searched in order: DIRECTORY/NAME/bin/python3 or node, and DIRECTORY/NAME/lib */
    size_t directory_count;
} CatalogOptions;

typedef struct RuntimeEntry {
    RuntimeKind kind;
    Slice program; /* absolute; empty of a custom runtime */
    Slice library; /* the SDK that goes with it (boto3, @aws-sdk/…); empty: none was installed beside it */
} RuntimeEntry;

typedef enum RuntimeState {
    RUNTIME_FOUND,
    RUNTIME_MISSING, /* AWS has it, Brume could run it, this host has not got it */
    RUNTIME_REFUSED, /* AWS has it, Brume cannot run it (java, dotnet, ruby) */
    RUNTIME_UNKNOWN, /* no name of AWS's */
} RuntimeState;

/* `message` (in the arena) tells what would be needed, unless found. */
RuntimeState catalog_find(const CatalogOptions *catalog, Slice name, Arena *arena, RuntimeEntry *entry, Slice *message);

#endif

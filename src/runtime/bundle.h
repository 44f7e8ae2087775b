/* bundle.h: what runs inside workers (runtimes/), carried by the executable, and laid out where the sandbox shows it.
 *
 * The program is one file that needs no installation, so the bootstraps are in it (tools/bundle). */
#ifndef BRUME_RUNTIME_BUNDLE_H
#define BRUME_RUNTIME_BUNDLE_H

#include "os/os.h"

typedef struct BundleFile {
    const char *name; /* "python/bootstrap.py" */
    const unsigned char *content;
    size_t size;
} BundleFile;

/* Generated; the last one has no name. */
extern const BundleFile bundle_files[];

/* Makes `directory`, and in it every file, unless it is there as it should be; each appears whole or not at all. Folders
 * and files can be read by everybody: workers are users of their own. Blocks. */
Error bundle_lay_out(Os *os, const char *directory);

#endif

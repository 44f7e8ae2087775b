/* sandbox_filter.h: which system calls nothing in a worker may make. */
#ifndef BRUME_RUNTIME_SANDBOX_FILTER_H
#define BRUME_RUNTIME_SANDBOX_FILTER_H

#include <stdint.h>

/* The filter as a struct sock_filter array in a memory file, which belongs to the caller; -1: there is none here.
 * `copy_flags`: those of clone(2) by which a template makes its copies (sandbox.h); 0: nothing makes namespaces. */
int sandbox_filter_make(uint64_t copy_flags);

#endif

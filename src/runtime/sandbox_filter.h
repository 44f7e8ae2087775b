/* sandbox_filter.h: which system calls nothing in a worker may make. */
#ifndef BRUME_RUNTIME_SANDBOX_FILTER_H
#define BRUME_RUNTIME_SANDBOX_FILTER_H

/* The filter as a struct sock_filter array in a memory file, which belongs to the caller; -1: there is none here. */
int sandbox_filter_make(void);

#endif

/* trace.h: the X-Ray header of an invocation, and the lineage in it.
 *
 * What calls on behalf of a function sends the header of its invocation along (the SDKs do so, and so does what carries
 * messages), so that the lineage tells by which functions a chain of events has come, and how often (X-Ray developer
 * guide, "Tracing header"; Lambda developer guide, "Recursive loop detection"). Pure; any thread. */
#ifndef BRUME_CORE_TRACE_H
#define BRUME_CORE_TRACE_H

#include "base/arena.h"

enum {
    TRACE_PASSES_MAX = 16,  /* of one function in a chain: "approximately 16 times" */
    TRACE_LINEAGE_MAX = 32, /* functions that are remembered; of longer chains the last ones */
};

typedef struct Trace {
    Slice header;    /* "Root=1-…;Parent=…;Sampled=0;Lineage=1a2b3c4d:1" */
    uint64_t passes; /* how often the function has been invoked in this chain, this time included */
} Trace;

/* The header of an invocation of that function, in `arena`: `given`, the caller's, goes on where it is valid; else a new
 * trace begins, of the time and the random bits, and is not sampled. What a caller put into it besides is not kept. */
Trace trace_continue(Arena *arena, Slice given, Slice account, Slice region, Slice name, uint64_t wall_ms,
                     const uint64_t random[3]);

#endif

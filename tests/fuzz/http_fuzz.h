/* http_fuzz.h: a server for fuzz targets, on the calling thread: a connection is a socket pair, and the loop runs while
 * bytes are sent.
 *
 * What it does with a request depends on its path's first letter: s takes the body in pieces, n does not read it, p waits
 * until the client has gone, w streams 200000 bytes; others read it whole, up to 1000 bytes, and send it back. */
#ifndef BRUME_TESTS_HTTP_FUZZ_H
#define BRUME_TESTS_HTTP_FUZZ_H

#include "net/http_internal.h"

enum { HTTP_FUZZ_OUTPUT_MAX = 1 << 20 };

/* Sends the input in pieces of `step` bytes, and waits until the connection has ended; gives what came back, at most
 * HTTP_FUZZ_OUTPUT_MAX bytes, NUL-terminated. Free it. */
char *http_fuzz_converse(const uint8_t *input, size_t size, size_t step, size_t *output_size);

#endif

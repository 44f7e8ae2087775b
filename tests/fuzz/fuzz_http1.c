/* HTTP/1 as a client may send it: nothing crashes or leaks, and the answers do not depend on how the bytes were cut
 * into pieces (whoever reads them differently in pieces can be tricked into another request). */
#include "http_fuzz.h"

#include "base/bug.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came back without the 100s, which come only in time. */
static char *converse(const uint8_t *input, size_t size, size_t step, size_t *output_size)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    size_t got;
    char *output = http_fuzz_converse(input, size, step, &got);
    char *at;
    while ((at = memmem(output, got, go_on, sizeof go_on - 1)) != NULL) {
        size_t skipped = sizeof go_on - 1;
        memmove(at, at + skipped, got - skipped - (size_t)(at - output));
        got -= skipped;
    }
    *output_size = got;
    return output;
}

/* Frames may come in another order. */
static bool is_http2(const uint8_t *input, size_t size, const char *output, size_t output_size)
{
    static const char preface[] = NGHTTP2_CLIENT_MAGIC;
    static const char upgrade[] = "HTTP/1.1 101 Switching Protocols\r\n";
    return (size >= sizeof preface - 1 && memcmp(input, preface, sizeof preface - 1) == 0) ||
           memmem(output, output_size, upgrade, sizeof upgrade - 1) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t whole_size;
    size_t cut_size;
    size_t step = 1 + data[0] % 13;
    char *at_once = converse(data + 1, size - 1, SIZE_MAX / 2, &whole_size);
    char *cut = converse(data + 1, size - 1, step, &cut_size);
    if (!is_http2(data + 1, size - 1, at_once, whole_size)) {
        ASSERT(whole_size == cut_size && memcmp(at_once, cut, cut_size) == 0);
        ASSERT(whole_size == 0 || strncmp(at_once, "HTTP/1.1 ", 9) == 0);
    }
    free(at_once);
    free(cut);
    return 0;
}

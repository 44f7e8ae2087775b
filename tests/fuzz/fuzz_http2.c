/* HTTP/2 behind the client's preface and SETTINGS: nothing crashes or leaks, every connection ends when the client has
 * ended, and what the server says is whole frames, SETTINGS first. */
#include "http_fuzz.h"

#include "base/bug.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAME_HEAD_BYTES = 9 };

static void check_frames(const char *output, size_t size)
{
    size_t at = 0;
    while (size - at >= FRAME_HEAD_BYTES) {
        const unsigned char *head = (const unsigned char *)output + at;
        ASSERT(at > 0 || head[3] == NGHTTP2_SETTINGS);
        at += FRAME_HEAD_BYTES + ((size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]);
        ASSERT(at <= size || size == HTTP_FUZZ_OUTPUT_MAX);
        if (at > size)
            return;
    }
    ASSERT(at == size || size == HTTP_FUZZ_OUTPUT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char start[] = NGHTTP2_CLIENT_MAGIC "\0\0\0\4\0\0\0\0";
    if (size == 0)
        return 0;
    /* The literal's own NUL ends the empty SETTINGS frame. */
    uint8_t *input = malloc(sizeof start + size - 1);
    ASSERT(input != NULL);
    memcpy(input, start, sizeof start);
    memcpy(input + sizeof start, data + 1, size - 1);
    size_t step = data[0] % 16 == 0 ? SIZE_MAX / 2 : (size_t)1 << data[0] % 16;
    size_t output_size;
    char *output = http_fuzz_converse(input, sizeof start + size - 1, step, &output_size);
    check_frames(output, output_size);
    free(output);
    free(input);
    return 0;
}

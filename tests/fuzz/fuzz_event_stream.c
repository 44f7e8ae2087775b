/* Any bytes as messages of an event stream: what is read is written again as the same bytes. The checksums, which no
 * fuzzer guesses, are made right first. */
#include "base/bug.h"
#include "base/event_stream.h"

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PRELUDE_BYTES = 8, FRAME_BYTES = 16 };

static void put_checksum(unsigned char *bytes, size_t size)
{
    uint32_t sum = (uint32_t)crc32_z(0, bytes, size);
    for (size_t i = 0; i < 4; i++)
        bytes[size + i] = (unsigned char)(sum >> (24 - 8 * i));
}

static size_t length_at(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = arena_make();
    unsigned char *bytes = (unsigned char *)arena_string(&arena, slice_make(data, size));
    if (size >= FRAME_BYTES) {
        put_checksum(bytes, PRELUDE_BYTES);
        size_t length = length_at(bytes);
        if (length >= FRAME_BYTES && length <= size)
            put_checksum(bytes, length - 4);
    }
    EventMessage message;
    size_t used;
    Error error = event_stream_decode(slice_make(bytes, size), &arena, &message, &used);
    ASSERT(error == OK || ((error == ERROR_MALFORMED || error == ERROR_TOO_LARGE) && used == 0));
    if (error == OK && used > 0) {
        Buffer out = buffer_make(&arena);
        ASSERT(event_stream_encode(&out, message.headers, message.header_count, message.payload) == OK);
        ASSERT(slice_equal(buffer_slice(&out), slice_make(bytes, used)));
    }
    arena_free(&arena);
    return 0;
}

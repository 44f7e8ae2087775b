/* event_stream.h: messages of application/vnd.amazon.eventstream, as streamed answers carry them.
 *
 * Framing alone (smithy.io, "Amazon Event Stream specification"): typed headers and a payload, with a CRC-32 over the
 * lengths and one over the whole message, everything big-endian. What the headers mean is the callers' business. Pure;
 * any thread. */
#ifndef BRUME_BASE_EVENT_STREAM_H
#define BRUME_BASE_EVENT_STREAM_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    EVENT_MESSAGE_BYTES_MAX = 24 * 1024 * 1024, /* the whole message */
    EVENT_HEADERS_BYTES_MAX = 128 * 1024,
    EVENT_HEADER_NAME_BYTES_MAX = 255,
    EVENT_HEADER_VALUE_BYTES_MAX = 32767,
    EVENT_UUID_BYTES = 16,
};

/* The numbers are those on the wire. */
typedef enum EventHeaderType {
    EVENT_HEADER_TRUE,
    EVENT_HEADER_FALSE,
    EVENT_HEADER_BYTE,
    EVENT_HEADER_SHORT,
    EVENT_HEADER_INTEGER,
    EVENT_HEADER_LONG,
    EVENT_HEADER_BYTES,
    EVENT_HEADER_STRING,
    EVENT_HEADER_TIMESTAMP, /* `number`: milliseconds since 1970 */
    EVENT_HEADER_UUID,      /* `bytes`: 16 of them */
    EVENT_HEADER_TYPES
} EventHeaderType;

typedef struct EventHeader {
    Slice name;
    EventHeaderType type;
    int64_t number; /* of a byte, short, integer, long or timestamp */
    Slice bytes;    /* of bytes, a string or a UUID */
} EventHeader;

typedef struct EventMessage {
    EventHeader *headers;
    size_t header_count;
    Slice payload;
} EventMessage;

/* A header whose value is text. */
static inline EventHeader event_header_string(Slice name, Slice value)
{
    return (EventHeader){.name = name, .type = EVENT_HEADER_STRING, .bytes = value};
}

/* Adds one message. ERROR_TOO_LARGE: past a bound above, and nothing is added; names are not empty, numbers fit their
 * types and UUIDs have 16 bytes, or it is a bug of the caller. */
Error event_stream_encode(Buffer *out, const EventHeader *headers, size_t header_count, Slice payload);

/* Reads the first message of `input`, and says in `used` how many bytes it takes: 0 when more are needed. The message is
 * a view into `input`, its headers lie in `arena`. A name that stands twice is given twice.
 * ERROR_MALFORMED: a checksum or a length is wrong, a type is unknown, text is no UTF-8; ERROR_TOO_LARGE: past a bound
 * above; nothing behind it can be read then. */
Error event_stream_decode(Slice input, Arena *arena, EventMessage *message, size_t *used);

#endif

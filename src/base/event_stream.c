#include "base/event_stream.h"

#include "base/bug.h"
#include "base/json.h"

#include <zlib.h>

enum {
    PRELUDE_BYTES = 8,               /* the message's length and that of its headers */
    FRAME_BYTES = PRELUDE_BYTES + 8, /* with both checksums */
    LENGTH_BYTES = 2,                /* in front of bytes and strings */
    HEADERS_FIRST = 8,               /* decoded: room at first */
};

/* Bytes of the values of each type; those of bytes and strings have their length in front. */
static const uint8_t value_sizes[EVENT_HEADER_TYPES] = {
    [EVENT_HEADER_BYTE] = 1, [EVENT_HEADER_SHORT] = 2,     [EVENT_HEADER_INTEGER] = 4,
    [EVENT_HEADER_LONG] = 8, [EVENT_HEADER_TIMESTAMP] = 8, [EVENT_HEADER_UUID] = EVENT_UUID_BYTES,
};

static bool has_length(EventHeaderType type)
{
    return type == EVENT_HEADER_BYTES || type == EVENT_HEADER_STRING;
}

static uint32_t checksum(const char *bytes, size_t size)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)bytes, size);
}

static char *put_number(char *at, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (char)(number >> (8 * (size - 1 - i)));
    return at + size;
}

static uint64_t get_number(const char *at, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | (unsigned char)at[i];
    return number;
}

/* ---- Encoding ---- */

static size_t header_size(const EventHeader *header)
{
    size_t value = has_length(header->type) ? LENGTH_BYTES + header->bytes.size : value_sizes[header->type];
    return 1 + header->name.size + 1 + value;
}

static char *put_bytes(char *at, Slice bytes)
{
    if (bytes.size > 0)
        memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

static char *put_header(char *at, const EventHeader *header)
{
    *at++ = (char)header->name.size;
    at = put_bytes(at, header->name);
    *at++ = (char)header->type;
    if (has_length(header->type)) {
        at = put_number(at, header->bytes.size, LENGTH_BYTES);
        return put_bytes(at, header->bytes);
    }
    if (header->type == EVENT_HEADER_UUID)
        return put_bytes(at, header->bytes);
    return put_number(at, (uint64_t)header->number, value_sizes[header->type]);
}

static bool number_fits(const EventHeader *header)
{
    size_t size = value_sizes[header->type];
    if (size == 0 || size >= sizeof header->number)
        return true;
    int64_t bound = (int64_t)1 << (8 * size - 1);
    return header->number >= -bound && header->number < bound;
}

Error event_stream_encode(Buffer *out, const EventHeader *headers, size_t header_count, Slice payload)
{
    size_t headers_size = 0;
    for (size_t i = 0; i < header_count; i++) {
        const EventHeader *header = &headers[i];
        ASSERT(header->type < EVENT_HEADER_TYPES && header->name.size > 0 && number_fits(header));
        ASSERT(header->type != EVENT_HEADER_UUID || header->bytes.size == EVENT_UUID_BYTES);
        if (header->name.size > EVENT_HEADER_NAME_BYTES_MAX ||
            (has_length(header->type) && header->bytes.size > EVENT_HEADER_VALUE_BYTES_MAX))
            return ERROR_TOO_LARGE;
        headers_size += header_size(header);
        if (headers_size > EVENT_HEADERS_BYTES_MAX)
            return ERROR_TOO_LARGE;
    }
    if (payload.size > EVENT_MESSAGE_BYTES_MAX - FRAME_BYTES - headers_size)
        return ERROR_TOO_LARGE;
    size_t size = FRAME_BYTES + headers_size + payload.size;
    char *start = buffer_reserve(out, size);
    char *at = put_number(start, size, 4);
    at = put_number(at, headers_size, 4);
    at = put_number(at, checksum(start, PRELUDE_BYTES), 4);
    for (size_t i = 0; i < header_count; i++)
        at = put_header(at, &headers[i]);
    at = put_bytes(at, payload);
    put_number(at, checksum(start, (size_t)(at - start)), 4);
    out->size += size;
    return OK;
}

/* ---- Decoding ---- */

/* Takes `size` bytes off the front of `rest`. */
static Error take(Slice *rest, size_t size, Slice *taken)
{
    if (rest->size < size)
        return ERROR_MALFORMED;
    *taken = slice_make(rest->data, size);
    *rest = slice_skip(*rest, size);
    return OK;
}

static Error take_number(Slice *rest, size_t size, uint64_t *number)
{
    Slice bytes;
    TRY(take(rest, size, &bytes));
    *number = get_number(bytes.data, size);
    return OK;
}

/* Widens a number of `size` bytes with its sign. */
static int64_t with_sign(uint64_t number, size_t size)
{
    unsigned unused = 64 - 8 * (unsigned)size;
    return (int64_t)(number << unused) >> unused;
}

static Error take_header(Slice *rest, EventHeader *header)
{
    uint64_t number;
    TRY(take_number(rest, 1, &number));
    TRY(take(rest, (size_t)number, &header->name));
    if (number == 0 || !utf8_is_valid(header->name))
        return ERROR_MALFORMED;
    TRY(take_number(rest, 1, &number));
    if (number >= EVENT_HEADER_TYPES)
        return ERROR_MALFORMED;
    header->type = (EventHeaderType)number;
    size_t size = value_sizes[header->type];
    if (has_length(header->type)) {
        TRY(take_number(rest, LENGTH_BYTES, &number));
        if (number > EVENT_HEADER_VALUE_BYTES_MAX)
            return ERROR_TOO_LARGE;
        size = (size_t)number;
    }
    if (has_length(header->type) || header->type == EVENT_HEADER_UUID) {
        TRY(take(rest, size, &header->bytes));
        return header->type != EVENT_HEADER_STRING || utf8_is_valid(header->bytes) ? OK : ERROR_MALFORMED;
    }
    TRY(take_number(rest, size, &number));
    header->number = size == 0 ? 0 : with_sign(number, size);
    return OK;
}

static Error take_headers(Slice rest, Arena *arena, EventMessage *message)
{
    size_t capacity = 0;
    while (rest.size > 0) {
        if (message->header_count == capacity) {
            size_t wider = capacity == 0 ? HEADERS_FIRST : capacity * 2;
            EventHeader *moved = ARENA_ARRAY(arena, EventHeader, wider);
            if (capacity > 0)
                memcpy(moved, message->headers, capacity * sizeof *moved);
            message->headers = moved;
            capacity = wider;
        }
        TRY(take_header(&rest, &message->headers[message->header_count]));
        message->header_count++;
    }
    return OK;
}

Error event_stream_decode(Slice input, Arena *arena, EventMessage *message, size_t *used)
{
    *message = (EventMessage){0};
    *used = 0;
    if (input.size < PRELUDE_BYTES + 4)
        return OK;
    /* The lengths have a checksum of their own, so that a wrong one does not make the reader wait for what never comes. */
    if (checksum(input.data, PRELUDE_BYTES) != get_number(input.data + PRELUDE_BYTES, 4))
        return ERROR_MALFORMED;
    uint64_t size = get_number(input.data, 4);
    uint64_t headers_size = get_number(input.data + 4, 4);
    if (size < FRAME_BYTES || headers_size > size - FRAME_BYTES)
        return ERROR_MALFORMED;
    if (size > EVENT_MESSAGE_BYTES_MAX || headers_size > EVENT_HEADERS_BYTES_MAX)
        return ERROR_TOO_LARGE;
    if (input.size < size)
        return OK;
    if (checksum(input.data, (size_t)size - 4) != get_number(input.data + size - 4, 4))
        return ERROR_MALFORMED;
    Slice headers = slice_make(input.data + PRELUDE_BYTES + 4, (size_t)headers_size);
    TRY(take_headers(headers, arena, message));
    message->payload = slice_make(headers.data + headers.size, (size_t)(size - headers_size) - FRAME_BYTES);
    *used = (size_t)size;
    return OK;
}

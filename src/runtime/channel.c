#include "runtime/channel.h"

#include "base/bug.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_MIN = 8 * 1024,     /* what an idle worker's buffer has */
    READ_PIECE = 256 * 1024, /* what is read of a stream at once */
};

void channel_open(Channel *channel, int events, int answers, size_t limit)
{
    *channel = (Channel){.events = events, .answers = answers, .limit = limit};
}

void channel_close(Channel *channel)
{
    free(channel->buffer);
    channel->buffer = NULL;
    channel->capacity = channel->taken = channel->filled = 0;
}

static uint32_t read_uint32(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void write_uint32(char *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(value >> (8 * i));
}

/* ---- Reading ---- */

/* How many bytes the buffer should have room for, from `taken` on. */
static size_t wanted(const Channel *channel)
{
    if (channel->piece > 0)
        return READ_PIECE;
    size_t has = channel->filled - channel->taken;
    if (has < CHANNEL_HEADER_SIZE)
        return READ_MIN;
    size_t size = read_uint32(channel->buffer + channel->taken + 4);
    size_t kept = CHANNEL_HEADER_SIZE + (size < channel->limit ? size : channel->limit);
    return kept > READ_MIN ? kept : READ_MIN;
}

static void make_room(Channel *channel)
{
    size_t has = channel->filled - channel->taken;
    size_t size = wanted(channel);
    if (size <= has)
        size = has + READ_MIN;
    /* What a large frame took is given back once it is gone. */
    bool shrink = has == 0 && channel->capacity > READ_PIECE && size <= READ_PIECE;
    if (channel->capacity - channel->taken >= size && !shrink)
        return;
    if (channel->capacity < size || shrink) {
        char *buffer = malloc(size);
        ASSERT(buffer != NULL);
        if (has > 0)
            memcpy(buffer, channel->buffer + channel->taken, has);
        free(channel->buffer);
        channel->buffer = buffer;
        channel->capacity = size;
    } else {
        memmove(channel->buffer, channel->buffer + channel->taken, has);
    }
    channel->taken = 0;
    channel->filled = has;
}

Error channel_read(Channel *channel)
{
    if (channel->taken == channel->filled)
        channel->taken = channel->filled = 0;
    make_room(channel);
    ssize_t count;
    do
        count = read(channel->answers, channel->buffer + channel->filled, channel->capacity - channel->filled);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? ERROR_WAIT : errno == ECONNRESET ? ERROR_GONE : ERROR_IO;
    if (count == 0)
        return ERROR_GONE;
    channel->filled += (size_t)count;
    return OK;
}

/* Drops what is here of a frame's rest. */
static void drop_rest(Channel *channel)
{
    size_t here = channel->filled - channel->taken;
    size_t dropped = channel->skip < here ? channel->skip : here;
    channel->skip -= dropped;
    channel->taken += dropped;
}

static Error next_part(Channel *channel, Frame *frame)
{
    size_t here = channel->filled - channel->taken;
    if (here == 0)
        return ERROR_WAIT;
    size_t size = channel->piece < here ? channel->piece : here;
    *frame = (Frame){FRAME_STREAM_PIECE, {channel->buffer + channel->taken, size}, size};
    channel->piece -= size;
    channel->taken += size;
    return OK;
}

/* Puts the pieces that are here behind the first, over what stood between: a stream of single bytes is given in one part
 * for each read. What is no piece is left to channel_next. */
static void join_pieces(Channel *channel, Frame *first)
{
    char *end = (char *)first->content.data + first->content.size;
    while (channel->piece == 0 && channel->filled - channel->taken >= CHANNEL_HEADER_SIZE) {
        const char *header = channel->buffer + channel->taken;
        size_t size = read_uint32(header + 4);
        Frame more;
        if (header[0] != FRAME_STREAM_PIECE || header[1] != 0 || header[2] != 0 || header[3] != 0 ||
            size > CHANNEL_PIECE_BYTES)
            break;
        channel->taken += CHANNEL_HEADER_SIZE;
        channel->piece = size;
        if (next_part(channel, &more) == OK) {
            memmove(end, more.content.data, more.content.size);
            end += more.content.size;
        }
    }
    first->content.size = first->size = (size_t)(end - first->content.data);
}

static Error next_parts(Channel *channel, Frame *frame)
{
    Error error = next_part(channel, frame);
    if (error == OK)
        join_pieces(channel, frame);
    return error;
}

static bool is_from_worker(unsigned kind)
{
    return kind >= FRAME_READY && kind <= FRAME_FAULT;
}

Error channel_next(Channel *channel, Frame *frame)
{
    drop_rest(channel);
    if (channel->skip > 0)
        return ERROR_WAIT;
    if (channel->piece > 0)
        return next_parts(channel, frame);
    size_t has = channel->filled - channel->taken;
    if (has < CHANNEL_HEADER_SIZE)
        return ERROR_WAIT;
    const char *header = channel->buffer + channel->taken;
    unsigned kind = (unsigned char)header[0];
    size_t size = read_uint32(header + 4);
    if (!is_from_worker(kind) || header[1] != 0 || header[2] != 0 || header[3] != 0)
        return ERROR_MALFORMED;
    if (kind == FRAME_STREAM_PIECE) {
        if (size > CHANNEL_PIECE_BYTES)
            return ERROR_MALFORMED;
        channel->taken += CHANNEL_HEADER_SIZE;
        channel->piece = size;
        if (size > 0)
            return next_parts(channel, frame);
        return channel_next(channel, frame);
    }
    size_t kept = size < channel->limit ? size : channel->limit;
    if (has - CHANNEL_HEADER_SIZE < kept)
        return ERROR_WAIT;
    *frame = (Frame){(FrameKind)kind, {header + CHANNEL_HEADER_SIZE, kept}, size};
    channel->taken += CHANNEL_HEADER_SIZE + kept;
    channel->skip = size - kept;
    return OK;
}

/* ---- Sending ---- */

static Error send_parts(Channel *channel)
{
    struct iovec left[3];
    size_t count = 0;
    size_t before = channel->sent;
    for (size_t i = 0; i < channel->part_count; i++) {
        struct iovec part = channel->parts[i];
        size_t gone = before < part.iov_len ? before : part.iov_len;
        before -= gone;
        if (part.iov_len > gone)
            left[count++] = (struct iovec){(char *)part.iov_base + gone, part.iov_len - gone};
    }
    if (count == 0) {
        channel->part_count = 0;
        return OK;
    }
    struct msghdr message = {.msg_iov = left, .msg_iovlen = count};
    ssize_t sent = sendmsg(channel->events, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
        channel->sent += (size_t)sent;
        return send_parts(channel);
    }
    if (errno == EINTR)
        return send_parts(channel);
    return errno == EAGAIN || errno == EWOULDBLOCK ? ERROR_WAIT : ERROR_GONE;
}

static Error begin(Channel *channel, FrameKind kind, size_t header_size, size_t size)
{
    memset(channel->header, 0, CHANNEL_HEADER_SIZE);
    channel->header[0] = (char)kind;
    write_uint32(channel->header + 4, (uint32_t)size);
    channel->parts[0] = (struct iovec){channel->header, header_size};
    channel->sent = 0;
    return send_parts(channel);
}

Error channel_send(Channel *channel, FrameKind kind, Slice content)
{
    ASSERT(channel->part_count == 0 && content.size <= UINT32_MAX);
    channel->parts[1] = (struct iovec){(char *)content.data, content.size};
    channel->part_count = 2;
    return begin(channel, kind, CHANNEL_HEADER_SIZE, content.size);
}

Error channel_send_event(Channel *channel, Slice json, Slice payload)
{
    ASSERT(channel->part_count == 0 && json.size + payload.size <= UINT32_MAX - sizeof(uint32_t));
    write_uint32(channel->header + CHANNEL_HEADER_SIZE, (uint32_t)json.size);
    channel->parts[1] = (struct iovec){(char *)json.data, json.size};
    channel->parts[2] = (struct iovec){(char *)payload.data, payload.size};
    channel->part_count = 3;
    return begin(channel, FRAME_INVOKE, sizeof channel->header, sizeof(uint32_t) + json.size + payload.size);
}

Error channel_flush(Channel *channel)
{
    return channel->part_count == 0 ? OK : send_parts(channel);
}

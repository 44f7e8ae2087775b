/* Any bytes from a worker: frames are taken or refused, never more is held than the limit, and what is not held is
 * accounted for. The first byte says in which portions they come. */
#include "base/bug.h"
#include "runtime/channel.h"

#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 64, HELD_MAX = 512 * 1024 };

/* False: it was refused. */
static bool take_all(Channel *channel, size_t *given)
{
    Frame frame;
    Error error;
    while ((error = channel_next(channel, &frame)) == OK) {
        ASSERT(frame.kind >= FRAME_READY && frame.kind <= FRAME_FAULT);
        ASSERT(frame.kind == FRAME_STREAM_PIECE || frame.content.size <= LIMIT);
        ASSERT(frame.content.size <= frame.size);
        for (size_t i = 0; i < frame.content.size; i++)
            *given += (unsigned char)frame.content.data[i];
    }
    ASSERT(error == ERROR_WAIT || error == ERROR_MALFORMED);
    ASSERT(channel->capacity <= HELD_MAX);
    return error == ERROR_WAIT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int files[2];
    Channel channel;
    size_t given = 0;
    if (size == 0)
        return 0;
    size_t portion = 1 + data[0];
    data++;
    size--;
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, files) == 0);
    channel_open(&channel, files[0], files[0], LIMIT);
    bool understood = true;
    while (size > 0 && understood) {
        size_t count = portion < size ? portion : size;
        ASSERT(write(files[1], data, count) == (ssize_t)count);
        data += count;
        size -= count;
        Error error;
        while (understood && (error = channel_read(&channel)) == OK)
            understood = take_all(&channel, &given);
    }
    channel_close(&channel);
    close(files[0]);
    close(files[1]);
    return 0;
}

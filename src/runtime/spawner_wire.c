#include "runtime/spawner_wire.h"

#include "base/bug.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

void wire_begin(WireMessage *message, WireKind kind, uint64_t worker)
{
    message->size = message->at = 0;
    message->too_large = false;
    message->file_count = 0;
    message->head = (WireHead){.kind = (uint32_t)kind, .worker = worker};
}

void wire_add_string(WireMessage *message, Slice string)
{
    uint32_t size = (uint32_t)string.size;
    if (string.size > sizeof message->strings - message->size ||
        sizeof message->strings - message->size - string.size < sizeof size + 1) {
        message->too_large = true;
        return;
    }
    char *at = message->strings + message->size;
    memcpy(at, &size, sizeof size);
    if (size > 0)
        memcpy(at + sizeof size, string.data, size);
    at[sizeof size + size] = '\0';
    message->size += sizeof size + size + 1;
}

void wire_add_file(WireMessage *message, int file)
{
    ASSERT(message->file_count < WIRE_FILES_MAX);
    message->files[message->file_count++] = file;
}

Slice wire_next_string(WireMessage *message)
{
    uint32_t size;
    if (message->size - message->at < sizeof size + 1)
        return (Slice){0};
    memcpy(&size, message->strings + message->at, sizeof size);
    if (size > message->size - message->at - sizeof size - 1)
        return (Slice){0};
    Slice string = {message->strings + message->at + sizeof size, size};
    message->at += sizeof size + size + 1;
    return string;
}

int wire_send(int socket, const WireMessage *message)
{
    char room[CMSG_SPACE(sizeof(int) * WIRE_FILES_MAX)] = {0};
    struct iovec parts[] = {
        {(void *)&message->head, sizeof message->head},
        {(void *)message->strings, message->size},
    };
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    if (message->too_large)
        return E2BIG;
    if (message->file_count > 0) {
        size_t size = sizeof(int) * message->file_count;
        packet.msg_control = room;
        packet.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *part = CMSG_FIRSTHDR(&packet);
        *part = (struct cmsghdr){.cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(part), message->files, size);
    }
    while (sendmsg(socket, &packet, MSG_NOSIGNAL) < 0) {
        /* More files are under way than a user may have: the other side takes them soon. */
        if (errno == ETOOMANYREFS || errno == ENOBUFS)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

static void take_files(struct msghdr *packet, WireMessage *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part != NULL; part = CMSG_NXTHDR(packet, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t size = part->cmsg_len - CMSG_LEN(0);
        memcpy(message->files + message->file_count, CMSG_DATA(part), size);
        message->file_count += size / sizeof(int);
    }
}

int wire_receive(int socket, WireMessage *message)
{
    char room[CMSG_SPACE(sizeof(int) * WIRE_FILES_MAX)];
    struct iovec parts[] = {
        {&message->head, sizeof message->head},
        {message->strings, sizeof message->strings},
    };
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = room, .msg_controllen = sizeof room};
    message->size = message->at = message->file_count = 0;
    ssize_t size;
    /* The other side has ended without reading all (ECONNRESET, told once): what it had sent before is still here. */
    do
        size = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
    while (size < 0 && (errno == EINTR || errno == ECONNRESET));
    if (size == 0)
        return 0;
    if (size < 0)
        return -1;
    take_files(&packet, message);
    if ((packet.msg_flags & MSG_CTRUNC) != 0)
        wire_close_files(message);
    if ((size_t)size < sizeof message->head || (packet.msg_flags & MSG_TRUNC) != 0) {
        wire_close_files(message);
        errno = EBADMSG;
        return -1;
    }
    message->size = (size_t)size - sizeof message->head;
    return 1;
}

void wire_close_files(WireMessage *message)
{
    for (size_t i = 0; i < message->file_count; i++)
        close(message->files[i]);
    message->file_count = 0;
}

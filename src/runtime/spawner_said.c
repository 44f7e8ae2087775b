#include "runtime/spawner_said.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool said_receive(int sync, Said *said)
{
    char room[CMSG_SPACE(sizeof said->files) + CMSG_SPACE(sizeof(struct ucred))];
    struct iovec content = {said, sizeof said->failure};
    struct msghdr packet = {.msg_iov = &content, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    said->from = 0;
    said->file_count = 0;
    do
        said->size = recvmsg(sync, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (said->size < 0 && (errno == EINTR || errno == ECONNRESET));
    if (said->size < 0)
        return errno != EAGAIN;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&packet); part != NULL; part = CMSG_NXTHDR(&packet, part)) {
        struct ucred sender;
        if (part->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&sender, CMSG_DATA(part), sizeof sender);
            said->from = sender.pid;
        } else if (part->cmsg_type == SCM_RIGHTS) {
            said->file_count = (part->cmsg_len - CMSG_LEN(0)) / sizeof *said->files;
            memcpy(said->files, CMSG_DATA(part), said->file_count * sizeof *said->files);
        }
    }
    return true;
}

void said_close(const Said *said)
{
    for (size_t i = 0; i < said->file_count; i++)
        close(said->files[i]);
}

/* A network of its own: a loopback, and on it the addresses that the worker may reach. */
#include "runtime/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DOOR_BACKLOG = 128 };

static bool is_loopback(uint32_t address)
{
    return (ntohl(address) >> 24) == IN_LOOPBACKNET;
}

/* Another host's address becomes one of the loopback's own, so that a socket can listen on it. */
static const char *add_address(int control, uint32_t address, uint32_t index)
{
    struct ifreq request = {.ifr_name = "lo:a"};
    request.ifr_name[3] = (char)('a' + index);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = address};
    memcpy(&request.ifr_addr, &name, sizeof name);
    if (ioctl(control, SIOCSIFADDR, &request) != 0)
        return "add an address to the loopback";
    name.sin_addr.s_addr = INADDR_NONE; /* 255.255.255.255: this address alone */
    memcpy(&request.ifr_netmask, &name, sizeof name);
    return ioctl(control, SIOCSIFNETMASK, &request) != 0 ? "set a netmask on the loopback" : NULL;
}

static int listen_at(const SandboxDoor *door)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = door->port, .sin_addr.s_addr = door->address};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        return -1;
    if (bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, DOOR_BACKLOG) == 0)
        return listener;
    int reason = errno;
    close(listener);
    errno = reason;
    return -1;
}

/* All listeners in one message, in the order of the plan's doors. */
static const char *send_listeners(int sync, const int *listeners, uint32_t count)
{
    char room[CMSG_SPACE(sizeof(int) * SANDBOX_DOORS_MAX)] = {0};
    char word = 'l';
    struct iovec content = {&word, 1};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1, .msg_control = room};
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(part), listeners, sizeof(int) * count);
    return sendmsg(sync, &message, MSG_NOSIGNAL) != 1 ? "send the listeners" : NULL;
}

const char *sandbox_open_network(const SandboxPlan *plan, int sync)
{
    int listeners[SANDBOX_DOORS_MAX];
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0)
        return "open a socket";
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    const char *failed = ioctl(control, SIOCSIFFLAGS, &loopback) != 0 ? "bring the loopback up" : NULL;
    for (uint32_t i = 0; failed == NULL && i < plan->door_count; i++)
        if (!is_loopback(plan->doors[i].address))
            failed = add_address(control, plan->doors[i].address, i);
    close(control);
    for (uint32_t i = 0; failed == NULL && i < plan->door_count; i++)
        if ((listeners[i] = listen_at(&plan->doors[i])) < 0)
            failed = "listen for what may be reached";
    if (failed != NULL || plan->door_count == 0)
        return failed;
    failed = send_listeners(sync, listeners, plan->door_count);
    for (uint32_t i = 0; i < plan->door_count; i++)
        close(listeners[i]);
    return failed;
}

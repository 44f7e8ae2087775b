#include "os/os_notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The manager's address: a path, or an abstract name written with '@' for its leading NUL. Its size, or 0 for none. */
static socklen_t manager_address(struct sockaddr_un *address)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t size = name == NULL ? 0 : strlen(name);
    if (size < 2 || size >= sizeof address->sun_path || (name[0] != '/' && name[0] != '@'))
        return 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, size);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

/* One datagram. A manager that does not listen is not waited for. */
static void notify(const char *state)
{
    struct sockaddr_un address;
    socklen_t size = manager_address(&address);
    int sender = size == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sender < 0)
        return;
    (void)sendto(sender, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    close(sender);
}

void os_notify_ready(void)
{
    notify("READY=1");
}

void os_notify_reloading(void)
{
    /* The time lets the manager tell an answer to this reload from one to an earlier (sd_notify(3), "RELOADING=1"). */
    struct timespec now;
    char state[64];
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
    notify(state);
}

void os_notify_stopping(void)
{
    notify("STOPPING=1");
}

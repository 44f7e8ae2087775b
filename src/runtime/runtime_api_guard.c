#include "runtime/runtime_api_internal.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A loopback that is shared with the host is shared with every other function, and with whoever else is there. The
 * kernel tells which socket is at the other end of a connection, and /proc which sockets the processes of this sandbox
 * hold: those are the function's. A secret in the address would not do, since many runtimes take it for HOST:PORT. */

/* ---- The socket at the other end ---- */

typedef struct Ends {
    struct sockaddr_in own;
    struct sockaddr_in other;
} Ends;

/* Asks the kernel for that one connection, whichever family its socket is of; false: it does not say. */
static bool ask_kernel(const Ends *ends, unsigned long *inode)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } question = {
        .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u},
    };
    struct inet_diag_sockid *id = &question.request.id;
    id->idiag_sport = ends->other.sin_port;
    id->idiag_dport = ends->own.sin_port;
    id->idiag_src[0] = ends->other.sin_addr.s_addr;
    id->idiag_dst[0] = ends->own.sin_addr.s_addr;
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    int file = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (file < 0)
        return false;
    union {
        struct nlmsghdr header;
        char bytes[8192];
    } answer;
    ssize_t got = -1;
    if (send(file, &question, sizeof question, 0) == (ssize_t)sizeof question)
        got = recv(file, &answer, sizeof answer, 0);
    close(file);
    if (got < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)) || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return false;
    *inode = ((const struct inet_diag_msg *)NLMSG_DATA(&answer.header))->idiag_inode;
    return true;
}

/* The same from a table of the kernel's: addresses in hexadecimal as they lie in memory, ports as numbers. */
static bool search_table(const char *path, const char *prefix, const Ends *ends, unsigned long *inode)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s%08X:%04X %s%08X:%04X", prefix, ends->other.sin_addr.s_addr,
             ntohs(ends->other.sin_port), prefix, ends->own.sin_addr.s_addr, ntohs(ends->own.sin_port));
    FILE *table = fopen(path, "re");
    if (table == NULL)
        return false;
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, table) != NULL) {
        const char *at = strstr(line, wanted);
        /* After the addresses: state, queues, timer, retransmissions, user, timeout, inode. */
        found = at != NULL && sscanf(at + strlen(wanted), " %*s %*s %*s %*s %*s %*s %lu", inode) == 1;
    }
    fclose(table);
    return found;
}

static bool find_inode(const Ends *ends, unsigned long *inode)
{
    return ask_kernel(ends, inode) || search_table("/proc/self/net/tcp", "", ends, inode) ||
           search_table("/proc/self/net/tcp6", "0000000000000000FFFF0000", ends, inode);
}

/* ---- Who holds it ---- */

static bool holds(int processes, const char *process, const char *socket_name)
{
    char path[64];
    snprintf(path, sizeof path, "%.20s/fd", process);
    int file = openat(processes, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = file < 0 ? NULL : fdopendir(file);
    if (files == NULL) {
        if (file >= 0)
            close(file);
        return false;
    }
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(files)) != NULL) {
        char target[64];
        ssize_t size = readlinkat(dirfd(files), entry->d_name, target, sizeof target - 1);
        if (size > 0) {
            target[size] = '\0';
            found = strcmp(target, socket_name) == 0;
        }
    }
    closedir(files);
    return found;
}

bool api_guard_admits(int file)
{
    Ends ends = {0};
    socklen_t size = sizeof ends.own;
    unsigned long inode = 0;
    if (getsockname(file, (struct sockaddr *)&ends.own, &size) != 0)
        return false;
    size = sizeof ends.other;
    if (getpeername(file, (struct sockaddr *)&ends.other, &size) != 0 || !find_inode(&ends, &inode) || inode == 0)
        return false;
    char socket_name[48];
    snprintf(socket_name, sizeof socket_name, "socket:[%lu]", inode);
    DIR *processes = opendir("/proc");
    if (processes == NULL)
        return false;
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(processes)) != NULL) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            found = holds(dirfd(processes), entry->d_name, socket_name);
    }
    closedir(processes);
    return found;
}

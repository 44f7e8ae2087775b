#include "runtime/spawner_order.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool read_door(const char *text, SandboxDoor *door)
{
    char host[64];
    unsigned port;
    char behind;
    if (text == NULL || sscanf(text, "%63[^:]:%u%c", host, &port, &behind) != 2 || port == 0 || port > UINT16_MAX)
        return false;
    struct in_addr address;
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &address) != 1)
        return false;
    *door = (SandboxDoor){.address = address.s_addr, .port = htons((uint16_t)port)};
    return true;
}

bool order_read(WireMessage *message, Order *order, char *failure, size_t size)
{
    const WireHead *head = order->head = &message->head;
    if (head->layer_count > SANDBOX_LAYERS_MAX || head->environment_count > ORDER_ENVIRONMENT_MAX ||
        head->reachable_count > SANDBOX_DOORS_MAX) {
        snprintf(failure, size, "at most %d layers, %d environment variables, %d reachable addresses",
                 SANDBOX_LAYERS_MAX, ORDER_ENVIRONMENT_MAX, SANDBOX_DOORS_MAX);
        return false;
    }
    order->runtime = wire_next_string(message).data;
    order->program = wire_next_string(message).data;
    order->library = wire_next_string(message).data;
    order->code = wire_next_string(message).data;
    for (uint32_t i = 0; i < head->layer_count; i++)
        order->layers[i] = wire_next_string(message).data;
    for (uint32_t i = 0; i < head->environment_count; i++)
        order->environment[i] = (char *)(uintptr_t)wire_next_string(message).data;
    order->environment[head->environment_count] = NULL;
    /* Strings come in this order: when the last is there all are. */
    const char *last = head->environment_count > 0 ? order->environment[head->environment_count - 1]
                       : head->layer_count > 0     ? order->layers[head->layer_count - 1]
                                                   : order->code;
    if (last == NULL) {
        snprintf(failure, size, "the order ends early");
        return false;
    }
    order->door_count = 0;
    for (uint32_t i = 0; i < head->reachable_count && head->isolated_network; i++) {
        const char *text = wire_next_string(message).data;
        if (!read_door(text, &order->doors[order->door_count++])) {
            snprintf(failure, size, "what isolated functions may reach is ADDRESS:PORT by IPv4; \"%.60s\" is not",
                     text == NULL ? "" : text);
            return false;
        }
    }
    return true;
}

/* Whether `path` is `folder` or lies in it. */
static bool lies_in(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0' || folder[size - 1] == '/');
}

/* Takes the last part off a path, and gives it. */
static const char *split(char *path)
{
    char *slash = strrchr(path, '/');
    *slash = '\0';
    return slash + 1;
}

bool order_find_program(const char *program, const char *data_directory, OrderProgram *found)
{
    char path[PATH_MAX];
    char library[PATH_MAX];
    *found = (OrderProgram){0};
    if (realpath(program, path) == NULL)
        return false;
    if (lies_in(path, "/usr")) {
        memcpy(found->inside, path, sizeof path);
        return true;
    }
    /* PREFIX/bin/PROGRAM beside PREFIX/lib is an installation; otherwise the program's own folder has to do. */
    memcpy(found->tree, path, sizeof path);
    const char *name = split(found->tree);
    const char *folder = strrchr(found->tree, '/');
    snprintf(library, sizeof library, "%.*s/lib", (int)(folder - found->tree), found->tree);
    if (strcmp(folder, "/bin") == 0 && folder > found->tree && access(library, F_OK) == 0) {
        snprintf(found->inside, sizeof found->inside, "/var/lang/bin/%.255s", name);
        split(found->tree);
    } else {
        snprintf(found->inside, sizeof found->inside, "/var/lang/%.255s", name);
    }
    if (found->tree[0] == '\0' || lies_in(data_directory, found->tree)) {
        errno = EPERM;
        return false;
    }
    return true;
}

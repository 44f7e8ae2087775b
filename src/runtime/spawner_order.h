/* spawner_order.h: what the server orders, as the spawner reads it. Inside the spawner. */
#ifndef BRUME_RUNTIME_SPAWNER_ORDER_H
#define BRUME_RUNTIME_SPAWNER_ORDER_H

#include "runtime/sandbox.h"
#include "runtime/spawner_wire.h"

#include <limits.h>

enum { ORDER_ENVIRONMENT_MAX = 512 };

/* Strings with a NUL, which live in the message. */
typedef struct Order {
    const WireHead *head;
    const char *runtime;
    const char *program;
    const char *library;
    const char *code;
    const char *layers[SANDBOX_LAYERS_MAX];
    char *environment[ORDER_ENVIRONMENT_MAX + 1]; /* "NAME=VALUE", and a NULL */
    SandboxDoor doors[SANDBOX_DOORS_MAX];
    uint32_t door_count;
} Order;

/* False with a reason in `failure`. */
bool order_read(WireMessage *message, Order *order, char *failure, size_t size);

/* Where a program of the host's is in a worker. What lies under /usr is there; of other places the folder that the program
 * was installed into (`tree`; empty: none is needed) is shown as /var/lang. */
typedef struct OrderProgram {
    char tree[PATH_MAX];
    char inside[PATH_MAX];
} OrderProgram;
/* False with errno: it is not there, or would show `data_directory`. */
bool order_find_program(const char *program, const char *data_directory, OrderProgram *found);

#endif

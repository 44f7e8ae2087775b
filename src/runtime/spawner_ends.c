#include "runtime/spawner_ends.h"

#include "runtime/sandbox_filter.h"
#include "runtime/sandbox_root.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

void ends_close_file(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

/* SandboxFiles is nothing but files. */
void ends_close_inside(Ends *ends)
{
    int *file = (int *)(void *)&ends->inside;
    for (int i = 0; i < SANDBOX_FILES; i++)
        ends_close_file(&file[i]);
}

void ends_none(Ends *ends)
{
    memset(&ends->inside, 0xff, sizeof ends->inside); /* -1 */
    ends->sync = ends->orders = ends->events = ends->answers = ends->output = ends->errors = -1;
}

static bool make_pipe(int *outside, int *inside)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return false;
    *outside = pair[0];
    *inside = pair[1];
    return fcntl(*outside, F_SETFL, O_NONBLOCK) == 0;
}

bool ends_make_pair(int type, int *outside, int *inside)
{
    int pair[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    *outside = pair[0];
    *inside = pair[1];
    return fcntl(*outside, F_SETFL, O_NONBLOCK) == 0;
}

const char *ends_open_code(const Order *order, SandboxFiles *inside)
{
    if (*order->code != '\0' && (inside->code = sandbox_tree(order->code)) < 0)
        return "open the code's folder";
    for (uint32_t i = 0; i < order->head->layer_count; i++)
        if ((inside->layers[i] = sandbox_tree(order->layers[i])) < 0)
            return "open a layer's folder";
    return NULL;
}

/* What each worker has, a copy of a template among them. */
const char *ends_open_channel(const SpawnerProcess *spawner, Ends *ends)
{
    SandboxFiles *inside = &ends->inside;
    if (spawner->filter >= 0 && inside->filter < 0 && (inside->filter = fcntl(spawner->filter, F_DUPFD_CLOEXEC, 0)) < 0)
        return "dup the filter";
    if (!ends_make_pair(SOCK_SEQPACKET, &ends->sync, &inside->sync) ||
        !ends_make_pair(SOCK_STREAM, &ends->events, &inside->events) ||
        !ends_make_pair(SOCK_STREAM, &ends->answers, &inside->answers) || !make_pipe(&ends->output, &inside->output) ||
        !make_pipe(&ends->errors, &inside->errors))
        return "open its channel";
    return NULL;
}

static const char *open_template(const Order *order, Ends *ends)
{
    ends->inside.filter = sandbox_filter_make(sandbox_copy_flags(order->head->isolated_network));
    if (ends->inside.filter < 0)
        return "make a filter";
    return ends_make_pair(SOCK_SEQPACKET, &ends->orders, &ends->inside.orders) ? NULL : "open a socket for its copies";
}

const char *ends_open(const SpawnerProcess *spawner, const Order *order, const OrderProgram *program, Ends *ends)
{
    SandboxFiles *inside = &ends->inside;
    const char *failed = order->head->is_template ? open_template(order, ends) : NULL;
    if (failed != NULL || (failed = ends_open_channel(spawner, ends)) != NULL)
        return failed;
    if ((inside->root = sandbox_root_copy(spawner->root)) < 0)
        return "copy the root";
    if (*order->library != '\0' && (inside->library = sandbox_tree(order->library)) < 0)
        return "open the library's folder";
    if (program->tree[0] != '\0' && (inside->language = sandbox_tree(program->tree)) < 0)
        return "open the runtime's folder";
    return ends_open_code(order, inside);
}

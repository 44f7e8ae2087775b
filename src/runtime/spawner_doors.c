/* The spawner's side of the relay: it is started with the first worker that has a network of its own. */
#include "runtime/sandbox_calls.h"
#include "runtime/sandbox_root.h"
#include "runtime/spawner_process.h"
#include "runtime/spawner_relay.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

enum { RELAY_FILES = 1 << 16 }; /* six for each connection */

static void close_all(SandboxFiles *files)
{
    int *file = (int *)(void *)files;
    for (int i = 0; i < SANDBOX_FILES; i++)
        if (file[i] >= 0)
            close(file[i]);
}

/* It has the host's network and nothing else: no files, no powers, a user of its own. */
static bool start_relay(SpawnerProcess *spawner)
{
    SandboxFiles inside;
    SandboxPlan plan = {.is_zygote = true,
                        .open_files = RELAY_FILES,
                        .tmp_bytes = SANDBOX_TMP_NODE_BYTES,
                        .landlock = spawner->landlock,
                        .has_filter = spawner->filter >= 0};
    int sync[2];
    int orders[2];
    memset(&inside, 0xff, sizeof inside); /* -1 */
    spawner_process_user(spawner, spawner_process_slot(spawner), &plan.user, &plan.group);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) != 0)
        return false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders) != 0) {
        close(sync[0]);
        close(sync[1]);
        return false;
    }
    inside.sync = sync[1];
    inside.events = orders[1];
    inside.filter = spawner->filter < 0 ? -1 : fcntl(spawner->filter, F_DUPFD_CLOEXEC, 0);
    inside.root = sandbox_root_copy(spawner->root);
    inside.output = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    inside.errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    pid_t process = call_clone(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS, SIGCHLD);
    if (process == 0) {
        sandbox_enter(&plan, &inside);
        close(SANDBOX_SYNC_FILE);
        relay_main(3);
    }
    close_all(&inside);
    SandboxFailure failure = {0};
    bool works = process > 0 && recv(sync[0], &failure, sizeof failure, 0) == 0;
    close(sync[0]);
    if (!works) {
        close(orders[0]);
        errno = process < 0 ? errno : failure.reason;
        return false;
    }
    spawner->relay = process;
    spawner->relay_orders = orders[0];
    return true;
}

bool doors_open(SpawnerProcess *spawner, SpawnedWorker *worker, const int *listeners, size_t count)
{
    int life[2];
    if (count != worker->door_count) {
        errno = EPROTO;
        return false;
    }
    if (spawner->relay == 0 && !start_relay(spawner))
        return false;
    if (pipe2(life, O_CLOEXEC) != 0)
        return false;
    bool opened = true;
    for (size_t i = 0; i < count && opened; i++)
        opened = relay_open(spawner->relay_orders, listeners[i], life[0], &worker->doors[i]);
    int reason = errno;
    close(life[0]);
    worker->doors_life = life[1];
    errno = reason;
    return opened;
}

void doors_lost(SpawnerProcess *spawner)
{
    close(spawner->relay_orders);
    spawner->relay = 0;
    LIST_FOR_EACH(&spawner->workers, node)
    {
        SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, node);
        if (worker->doors_life >= 0)
            spawned_worker_kill(worker);
    }
}
